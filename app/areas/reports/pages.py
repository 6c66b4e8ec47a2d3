"""The overview of a region on the bureau's site, and the head counts beside its schools, grades and classes."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import sqlalchemy as sa
from flask import render_template
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.changes.models import Change, ChangeState
from app.areas.regions.models import region_names
from app.areas.reports import overview
from app.areas.reports.overview import BOY, GIRL, Below, Figures, Overview, SchoolYear, Sees, months_to
from app.areas.schools import seats
from app.areas.schools.models import Grade, School, SchoolClass, year_name
from app.areas.students.models import Status, Student, today_here
from app.core import places, rights
from app.core.databases import BUREAU_PATH
from app.core.entity import Entity
from app.core.errors import Missing
from app.core.fields import Field
from app.core.wording import N_
from app.surfaces import bureau, entrance, tallies
from app.surfaces.display import TONES
from app.surfaces.listing import filters_of, spans_authorities
from app.surfaces.site import Site, with_args
from app.surfaces.viewmodels import Bar, Cell, Chart, Column, Crumb, RelatedTable, Row, Tone

NEEDED = ("school:list", "school_stage:list")  # or a region would look as if it had no schools
Card = tuple[str, str, str | None, Tone | None]  # label, number, url, tone
BAND_TONES: dict[str, Tone] = {
    seats.SPARE: "neutral",
    seats.NORMAL: "good",
    seats.NEAR: "info",
    seats.FULL: "warn",
    seats.LARGE: "bad",
    seats.VERY_LARGE: "bad",
}


# --- the page -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class OverviewPage:
    title: str
    crumbs: list[Crumb]
    cards: list[Card] = field(default_factory=list)
    tables: list[RelatedTable] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    details: list[RelatedTable] = field(default_factory=list)  # below the charts
    notes: list[str] = field(default_factory=list)
    is_empty: bool = False


def draw_overview(here: Site, words: Mapping[str, str]) -> str:
    for right in NEEDED:
        rights.require(here.by, right)
    below, sees = _asked_for(here, words.get("region", "")), Sees.of(here.by)
    is_home = below.code == here.by.region_code
    year = SchoolYear.on(today_here(), is_everywhere=is_home)
    made = overview.overview(here.session, below, sees, year, months_to(today_here())[0])
    codes = {*_line_of(here, below), *made.regions}
    names = region_names(here.session, codes)
    if below.code not in names and not is_home:
        raise Missing()
    drawn = Drawing(here, below, made, names, sees, year).page()
    return render_template("bureau/index.html", page=drawn)


def glance(by: rights.Actor) -> Iterator[entrance.Glance]:
    """On the first page of a bureau: how its schools stand. Above one authority the way there alone, since these figures
    are counted by reading all pupils."""
    if not by.is_of_bureau or not all(by.has(right) for right in NEEDED):
        return
    charts: list[Chart] = []
    if not spans_authorities(by, NEEDED[1]):
        here, sees = bureau.site(), replace(Sees.of(by), cases=False)
        below, year = _asked_for(here, ""), SchoolYear.on(today_here())
        made = overview.overview(here.session, below, sees)
        charts = [one for one in Drawing(here, below, made, {}, sees, year).charts() if one.bars]
    yield entrance.Glance(_("区域概览"), BUREAU_PATH, charts)


def _asked_for(here: Site, raw: str) -> Below:
    """The region in the address, or the reader's own. Raises Missing outside the reader's range and grants."""
    home = Below(here.by.region_code or "")
    if not raw:
        return home
    if not re.fullmatch(r"[0-9]{6}", raw) or not home.contains(raw):
        raise Missing()
    below = Below(raw)
    if not any(extent.low <= below.range[1] and raw <= extent.high for extent in here.by.reach(NEEDED[1])):
        raise Missing()
    return below


def _line_of(here: Site, below: Below) -> list[str]:
    """The codes from the reader's own region down to this one, by which a trail is made."""
    home, code = here.by.region_code or "", below.code
    between = code[:4] + "00"
    return list(dict.fromkeys([home, between, code] if Below(home).is_province else [home, code]))


# --- figures and the lists behind them ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """One column of a table, or one bar. `words` are what the list behind it is asked; without `entity` there is none."""

    label: str
    read: Callable[[Figures], int]
    entity: type[Entity] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    tone: Tone | None = None


def _of_status(status: Status, **words: str) -> dict[str, str]:
    return {"status": status.value, **words}


def _count_of(name: str, key: str | int) -> Callable[[Figures], int]:
    """Reads one entry of a counter of Figures."""
    return lambda one: int(getattr(one, name)[key])


def _head_figures(sees: Sees) -> Iterator[Figure]:
    yield Figure(_("学校数"), lambda one: one.schools)
    if sees.pupils:
        enrolled = Status.ENROLLED
        yield Figure(_("在校"), lambda one: one.enrolled, Student, _of_status(enrolled))
        yield Figure(_("在籍"), lambda one: one.on_roll)
        yield Figure(_("男"), lambda one: one.boys, Student, _of_status(enrolled, gender=BOY))
        yield Figure(_("女"), lambda one: one.girls, Student, _of_status(enrolled, gender=GIRL))
    if sees.pupils and sees.classes:
        yield Figure(_("班级数"), lambda one: one.classes, SchoolClass, {"band": "in_use"})
        yield from _band_figures()
    if sees.pupils and sees.cases:
        yield Figure(_("在办业务"), lambda one: one.open_cases)


def _band_figures() -> Iterator[Figure]:
    for code, tone in BAND_TONES.items():
        label = re.split(r"（| \(", seats.band_label(code))[0]  # without the bounds, in either language
        yield Figure(label, _count_of("bands", code), SchoolClass, {"band": code}, tone)


def _status_figures(total: Figures) -> Iterator[Figure]:
    """Only what occurs in the region."""
    for code, label in Student.fields()["status"].options() or ():
        status = Status(code)
        if total.statuses[status]:
            words = _of_status(status)
            yield Figure(_(label), _count_of("statuses", status), Student, words, TONES.get(code))


def _year_figures(total: Figures) -> Iterator[Figure]:
    """The years of schooling, the youngest first: how many will sit in the next ones. No list asks by them."""
    for year in range(1, 13):
        if total.years[year]:
            yield Figure(year_name(year), _count_of("years", year))


def _month_figures(day: date) -> Iterator[Figure]:
    for first in months_to(day):
        last = first.replace(day=monthrange(first.year, first.month)[1])
        days = {"effective_on__from": first.isoformat(), "effective_on__to": last.isoformat()}
        words = {"state": ChangeState.DONE.value, **days}
        yield Figure(format_date(first, "LLL"), _count_of("months", f"{first:%Y-%m}"), Change, words)


def _change_figures(total: Figures, year: SchoolYear) -> Iterator[Figure]:
    days = {"effective_on__from": year.starts_on.isoformat(), "effective_on__to": year.ends_on.isoformat()}
    for code, label in Change.fields()["kind"].options() or ():
        if total.changes[code]:
            words = {"kind": code, "state": ChangeState.DONE.value, **days}
            yield Figure(_(label), _count_of("changes", code), Change, words)


@dataclass
class Drawing:
    """The page of one region for one reader."""

    here: Site
    below: Below
    made: Overview
    names: Mapping[str, str]
    sees: Sees
    year: SchoolYear
    _filters: dict[str, Mapping[str, Field]] = field(default_factory=dict)

    def page(self) -> OverviewPage:
        title = _("%(place)s区域概览", place=self.names.get(self.below.code, self.below.code))
        page = OverviewPage(title, self._crumbs(), is_empty=self.made.is_empty)
        if not page.is_empty:
            page.cards = list(self._cards())
            figures = list(_head_figures(self.sees))
            page.tables = list(self._tables(figures, _("所辖区域"), _("本级主管的学校")))
            page.charts, page.details = list(self.charts()), list(self._details())
        page.notes = list(self._notes())
        return page

    def _crumbs(self) -> list[Crumb]:
        trail = _line_of(self.here, self.below)[1:]
        return [
            Crumb(_("区域概览"), BUREAU_PATH),
            *(Crumb(self.names.get(code, code), with_args(BUREAU_PATH, {"region": code})) for code in trail),
        ]

    # --- the lists behind the figures ---

    def _url(self, figure: Figure, place: Mapping[str, str]) -> str | None:
        """None where this reader has no such list, or may not ask it that."""
        entity = figure.entity
        if entity is None:
            return None
        if (words := self._filters.get(entity.key())) is None:
            can_open = self.here.by.has(f"{entity.key()}:list")
            words = self._filters[entity.key()] = filters_of(entity, self.here.by) if can_open else {}
        asked = {**figure.words, **place}
        if {name.removesuffix("__from").removesuffix("__to") for name in asked} - set(words):
            return None
        return self.here.list_url(entity, **asked)

    def _cell(self, figure: Figure, one: Figures, place: Mapping[str, str] | None) -> Cell:
        n = figure.read(one)
        return Cell(tallies.grouped(n), url=self._url(figure, place) if n and place is not None else None)

    def _place(self, entity: type[Entity] | None, code: str = "") -> dict[str, str] | None:
        """What narrows a list to a region. Cases are of no region: their lists show all that the reader may see."""
        if entity is Change:
            return {} if self.year.is_everywhere and not code else None
        low, high = places.authority_range(code or self.below.code)
        if low == high:
            return {"authority_code": low}
        return {"authority_code__from": low, "authority_code__to": high}

    def _place_of_school(self, entity: type[Entity] | None, school_id: int) -> dict[str, str]:
        """The part of it below this authority; a case is its whole school's."""
        where = {"school_id": str(school_id)}
        return where if entity is Change else where | {"authority_code": self.below.code}

    # --- cards, tables, charts ---

    def _cards(self) -> Iterator[Card]:
        total, is_home = self.made.total, self.year.is_everywhere
        yield (
            _("学校数"),
            tallies.grouped(total.schools),
            self.here.list_url(School) if is_home else None,
            None,
        )
        if self.sees.pupils:
            enrolled = Figure(_("在校学生"), lambda one: one.enrolled, Student, _of_status(Status.ENROLLED))
            yield self._card(enrolled)
            yield self._card(Figure(_("在籍学生"), lambda one: one.on_roll))
        if self.sees.pupils and self.sees.classes:
            yield self._card(Figure(_("班级数"), lambda one: one.classes, SchoolClass, {"band": "in_use"}))
            large = total.bands[seats.LARGE] + total.bands[seats.VERY_LARGE]
            tone: Tone | None = "bad" if large else None
            words = {"band": "large_up"}
            yield self._card(Figure(_("大班额班级"), lambda _one: large, SchoolClass, words, tone))
        if self.sees.pupils and self.sees.cases:
            words = {"progress": "under_way"}
            yield self._card(Figure(_("在办业务"), lambda one: one.open_cases, Change, words))

    def _card(self, figure: Figure) -> Card:
        cell = self._cell(figure, self.made.total, self._place(figure.entity))
        return figure.label, cell.text, cell.url, figure.tone

    def _tables(self, figures: Sequence[Figure], of_regions: str, of_schools: str) -> Iterator[RelatedTable]:
        made = self.made
        if made.regions:
            rows = [*self._region_rows(figures), *self._total_row(figures, is_all=not made.schools)]
            yield _table(of_regions, _("区域"), figures, rows)
        if made.schools:
            own = [one for one in figures if one.label != _("学校数")]
            rows = [*self._school_rows(own), *self._total_row(own, is_all=not made.regions)]
            yield _table(of_schools, _("学校"), own, rows)

    def _total_row(self, figures: Sequence[Figure], *, is_all: bool) -> Iterator[Row]:
        """Below a table that tells of all there is in the region."""
        if is_all:
            cells = (self._cell(figure, self.made.total, self._place(figure.entity)) for figure in figures)
            yield Row(0, None, (Cell(_("合计")), *cells))

    def _region_rows(self, figures: Sequence[Figure]) -> Iterator[Row]:
        for code, one in self.made.regions.items():
            name = Cell(self.names.get(code, code), url=with_args(BUREAU_PATH, {"region": code}))
            cells = (self._cell(figure, one, self._place(figure.entity, code)) for figure in figures)
            yield Row(int(code), None, (name, *cells))

    def _school_rows(self, figures: Sequence[Figure]) -> Iterator[Row]:
        can_open = self.here.can_open(School)
        for id_, one in self.made.schools.items():
            name = Cell(self.made.names[id_], url=self.here.show_url(School, id_) if can_open else None)
            cells = (self._cell(figure, one, self._place_of_school(figure.entity, id_)) for figure in figures)
            yield Row(id_, None, (name, *cells))

    def charts(self) -> Iterator[Chart]:
        total = self.made.total
        if self.sees.pupils and self.sees.classes:
            yield self._chart(_("班额分布"), list(_band_figures()))
        if self.sees.pupils:
            yield self._chart(_("各年级在校学生"), list(_year_figures(total)))
            yield self._chart(_("学籍状态"), list(_status_figures(total)))
        if self.sees.cases:
            yield self._chart(self._title_of_changes(), list(_change_figures(total, self.year)))
            if total.months:
                yield self._chart(_("近12个月学籍变动"), list(_month_figures(today_here())), is_trend=True)

    def _title_of_changes(self) -> str:
        first, last = self.year.starts_on.year, self.year.ends_on.year
        return _("%(first)s—%(last)s学年学籍变动", first=first, last=last)

    def _chart(self, title: str, figures: Sequence[Figure], *, is_trend: bool = False) -> Chart:
        longest = max((figure.read(self.made.total) for figure in figures), default=0) or 1
        bars = (
            Bar(
                figure.label,
                self._cell(figure, self.made.total, self._place(figure.entity)),
                round(100 * figure.read(self.made.total) / longest, 1),
                figure.tone or "info",
            )
            for figure in figures
        )
        return Chart(title, tuple(bars), is_trend)

    def _details(self) -> Iterator[RelatedTable]:
        if self.sees.pupils:
            statuses = list(_status_figures(self.made.total))
            yield from self._tables(statuses, _("各区域学生的学籍状态"), _("各校学生的学籍状态"))
        changes = list(_change_figures(self.made.total, self.year)) if self.sees.cases else []
        if changes and self.made.schools:
            rows = [*self._school_rows(changes)]
            if self.made.others.changes:
                others = (Cell(tallies.grouped(figure.read(self.made.others))) for figure in changes)
                rows.append(Row(0, None, (Cell(_("其他学校发起")), *others)))
            rows += self._total_row(changes, is_all=True)
            title = _("各校%(year)s", year=self._title_of_changes())
            yield _table(title, _("学校"), changes, rows)

    # --- what the figures mean ---

    def _notes(self) -> Iterator[str]:
        if self.sees.pupils:
            yield _(
                "在校为学籍状态“在校”的学生，在籍为在校与休学之和，男女生数按在校计；待核准的学生不计入。班级不含备用班和已毕业的班。"
            )
            standing = self._standing()
            if standing.schools:
                yield _(
                    "另有驻地在本区域、由其他主管部门管理的学校%(n)s所：在校%(k)s人，在籍%(m)s人，男生%(b)s人，女生%(g)s人。"
                    "只计人数，不列名单，也不计入以上各项。",
                    n=tallies.grouped(standing.schools),
                    k=tallies.grouped(standing.enrolled),
                    m=tallies.grouped(standing.on_roll),
                    b=tallies.grouped(standing.boys),
                    g=tallies.grouped(standing.girls),
                )
        if self.made.elsewhere:
            yield _(
                "在办业务中有%(n)s件的学生现不在本区域（如正在转入），只计入合计。",
                n=tallies.grouped(self.made.elsewhere),
            )
        if self.sees.cases:
            yield _("学籍变动按发起学校计，只计已办结的，以生效日期在本学年内为准。")

    def _standing(self) -> Figures:
        """Only for regions that the reader's grants cover whole: beyond them not even figures are shown."""
        low, high = self.below.range
        reach = self.here.by.reach("student:list")
        if not any(extent.low and extent.low <= low and high <= extent.high for extent in reach):
            return Figures()
        return overview.standing_here(self.here.session, self.below)


def _table(title: str, first: str, figures: Iterable[Figure], rows: Iterable[Row]) -> RelatedTable:
    return RelatedTable(title, (first, *(figure.label for figure in figures)), tuple(rows))


# --- beside rows --------------------------------------------------------------------------------------


def _count_for(key: str) -> Callable[[Site, Sequence[int]], dict[int, tuple[Cell, ...]]]:
    """Classes and pupils, where `key` is their school_id or grade_id."""

    def count(here: Site, ids: Sequence[int]) -> dict[int, tuple[Cell, ...]]:
        classes = overview.classes_by(here.session, key, ids)
        pupils = overview.pupils_by(here.session, key, ids)
        return {
            id_: (
                _classes_cell(here, key, id_, classes.get(id_, 0)),
                _pupils_cell(here, key, id_, pupils.get(id_, 0)),
            )
            for id_ in ids
        }

    return count


def _classes_cell(here: Site, key: str, id_: int, n: int) -> Cell:
    return Cell(tallies.grouped(n), url=here.list_url(SchoolClass, **{key: id_}) if n else None)


def _pupils_cell(here: Site, key: str, id_: int, n: int) -> Cell:
    return Cell(
        tallies.grouped(n),
        url=here.list_url(Student, **{key: id_}, status=Status.ENROLLED.value) if n else None,
    )


def _count_in_classes(here: Site, ids: Sequence[int]) -> dict[int, tuple[Cell, ...]]:
    sizes = overview.sizes_of(here.session, ids)
    return {
        id_: (_pupils_cell(here, "class_id", id_, n), _band_cell(n, stage))
        for id_, (stage, n) in sizes.items()
    }


def _total_in_classes(session: Session, ids: sa.Select[int]) -> dict[str, int]:
    return {PUPILS.name: overview.pupils_in(session, ids)}


def _band_cell(n: int, stage: str) -> Cell:
    """Blank for a class without pupils: a spare one, or one that has graduated."""
    code = seats.band(n, stage)
    return Cell(seats.band_label(code), tone=BAND_TONES[code]) if code != seats.SPARE else Cell("")


VIEWS: tuple[type, ...] = ()  # what is here is shown by the bureau's own views

PUPILS = Column("pupils", N_("在校人数"), numeric=True)
CLASSES = Column("classes", N_("班级数"), numeric=True)
BAND = Column("band", N_("班额"))

bureau.show_overview(draw_overview)
entrance.GLANCES[:] = [glance]
for _entity, _key in ((School, "school_id"), (Grade, "grade_id")):
    tallies.show_tally(
        tallies.Tally(_entity, (CLASSES, PUPILS), ("school_class:list", "student:list"), _count_for(_key))
    )
tallies.show_tally(
    tallies.Tally(SchoolClass, (PUPILS, BAND), ("student:list",), _count_in_classes, _total_in_classes)
)
