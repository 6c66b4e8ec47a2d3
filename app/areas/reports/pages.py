"""The overview of a region on the bureau's site, and the head counts beside its schools, grades and classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flask import render_template
from flask_babel import gettext as _

from app.areas.changes.models import Change
from app.areas.regions.models import region_names
from app.areas.reports import overview
from app.areas.reports.overview import Below, Figures, Overview, Sees
from app.areas.schools import seats
from app.areas.schools.models import Grade, School, SchoolClass
from app.areas.students.models import Status, Student
from app.core import rights
from app.core.errors import Missing
from app.core.wording import N_
from app.surfaces import bureau, tallies
from app.surfaces.site import Site, with_args
from app.surfaces.viewmodels import Cell, Column, Crumb, RelatedTable, Row, Tone

HOME = "/bureau/"
NEEDED = ("school:list", "school_stage:list")  # or a region would look as if it had no schools
Card = tuple[str, str, str | None, Tone | None]  # label, number, url, tone


# --- the page -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class OverviewPage:
    title: str
    crumbs: list[Crumb]
    cards: list[Card] = field(default_factory=list)
    tables: list[RelatedTable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_empty: bool = False


def draw_overview(here: Site, words: Mapping[str, str]) -> str:
    for right in NEEDED:
        rights.require(here.by, right)
    below, sees = _asked_for(here, words.get("region", "")), Sees.of(here.by)
    made = overview.overview(here.session, below, sees)
    codes = {*_line_of(here, below), *made.regions}
    names = region_names(here.session, codes)
    if below.code not in names and below.code != here.by.region_code:
        raise Missing()
    return render_template("bureau/index.html", page=_page(here, below, made, names, sees))


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


def _page(here: Site, below: Below, made: Overview, names: Mapping[str, str], sees: Sees) -> OverviewPage:
    columns = list(_columns(sees))
    title = names.get(below.code, below.code)
    page = OverviewPage(
        _("%(place)s区域概览", place=title), _crumbs(here, below, names), is_empty=made.is_empty
    )
    if not made.is_empty:
        page.cards = list(_cards(here, below, made.total, sees))
    if made.regions:
        page.tables.append(_table(_("所辖区域"), _("区域"), columns, _region_rows(made, names, columns)))
    if made.schools:
        page.tables.append(
            _table(_("本级主管的学校"), _("学校"), columns[1:], _school_rows(here, made, columns[1:]))
        )
    page.notes = list(_notes(here, below, made, sees))
    return page


def _crumbs(here: Site, below: Below, names: Mapping[str, str]) -> list[Crumb]:
    trail = _line_of(here, below)[1:]
    return [
        Crumb(_("区域概览"), HOME),
        *(Crumb(names.get(code, code), with_args(HOME, {"region": code})) for code in trail),
    ]


def _cards(here: Site, below: Below, total: Figures, sees: Sees) -> Iterator[Card]:
    is_home = below.code == here.by.region_code
    yield _("学校"), _number(total.schools), here.list_url(School) if is_home else None, None
    if sees.pupils:
        url = here.list_url(Student, status=Status.ENROLLED.value) if is_home else None
        yield _("在校学生"), _number(total.enrolled), url, None
        yield _("在籍学生"), _number(total.on_roll), None, None
    if sees.pupils and sees.classes:
        yield _("班级"), _number(total.classes), None, None
        large = sum(total.bands[band] for band in _bands()[-2:])
        yield _("大班额班级"), _number(large), None, "bad" if large else None
    if sees.pupils and sees.cases:
        yield _("在办业务"), _number(total.open_cases), here.list_url(Change) if is_home else None, None


def _notes(here: Site, below: Below, made: Overview, sees: Sees) -> Iterator[str]:
    if sees.pupils:
        yield _(
            "在校为学籍状态“在校”的学生，在籍为在校与休学之和，男女生数按在校计；待核准的学生不计入。班级不含备用班和已毕业的班。"
        )
        standing = _standing(here, below)
        if standing.schools:
            yield _(
                "另有驻地在本区域、由其他主管部门管理的学校%(n)s所：在校%(k)s人，在籍%(m)s人，男生%(b)s人，女生%(g)s人。"
                "只计人数，不列名单，也不计入以上各项。",
                n=_number(standing.schools),
                k=_number(standing.enrolled),
                m=_number(standing.on_roll),
                b=_number(standing.boys),
                g=_number(standing.girls),
            )
    if made.elsewhere:
        yield _(
            "在办业务中有%(n)s件的学生现不在本区域（如正在转入），只计入合计。", n=_number(made.elsewhere)
        )


def _standing(here: Site, below: Below) -> Figures:
    """Only for regions that the reader's grants cover whole: beyond them not even figures are shown."""
    low, high = below.range
    if not any(
        extent.low and extent.low <= low and high <= extent.high for extent in here.by.reach("student:list")
    ):
        return Figures()
    return overview.standing_here(here.session, below)


# --- its tables ---------------------------------------------------------------------------------------

Read = Callable[[Figures], int]


def _bands() -> list[str]:
    """The words of seats.band, from the smallest class to the largest."""
    return [
        seats.band(n)
        for n in (1, seats.warn_from(None), seats.cap(None), seats.LARGE_FROM, seats.VERY_LARGE_FROM)
    ]


def _columns(sees: Sees) -> Iterator[tuple[str, Read]]:
    yield _("学校"), lambda one: one.schools
    if sees.pupils:
        yield _("在校"), lambda one: one.enrolled
        yield _("在籍"), lambda one: one.on_roll
        yield _("男"), lambda one: one.boys
        yield _("女"), lambda one: one.girls
    if sees.pupils and sees.classes:
        yield _("班级"), lambda one: one.classes
        yield _("备用班"), lambda one: one.spare
        for band in _bands():
            yield band.partition("（")[0], lambda one, band=band: one.bands[band]  # type: ignore[misc]
    if sees.pupils and sees.cases:
        yield _("在办业务"), lambda one: one.open_cases


def _table(title: str, first: str, columns: Iterable[tuple[str, Read]], rows: Iterable[Row]) -> RelatedTable:
    return RelatedTable(title, (first, *(label for label, _read in columns)), tuple(rows))


def _region_rows(
    made: Overview, names: Mapping[str, str], columns: Sequence[tuple[str, Read]]
) -> Iterator[Row]:
    for code, one in made.regions.items():
        name = Cell(names.get(code, code), url=with_args(HOME, {"region": code}))
        yield Row(int(code), None, (name, *(Cell(_number(read(one))) for _label, read in columns)))


def _school_rows(here: Site, made: Overview, columns: Sequence[tuple[str, Read]]) -> Iterator[Row]:
    for id_, one in made.schools.items():
        name = Cell(made.names[id_], url=here.show_url(School, id_) if here.can_open(School) else None)
        yield Row(id_, None, (name, *(Cell(_number(read(one))) for _label, read in columns)))


def _number(n: int) -> str:
    return f"{n:,}".replace(",", "\u00a0")


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
    return Cell(_number(n), url=here.list_url(SchoolClass, **{key: id_}) if n else None)


def _pupils_cell(here: Site, key: str, id_: int, n: int) -> Cell:
    return Cell(
        _number(n), url=here.list_url(Student, **{key: id_}, status=Status.ENROLLED.value) if n else None
    )


def _count_in_classes(here: Site, ids: Sequence[int]) -> dict[int, tuple[Cell, ...]]:
    sizes = overview.sizes_of(here.session, ids)
    return {
        id_: (_pupils_cell(here, "class_id", id_, n), _band_cell(n, stage))
        for id_, (stage, n) in sizes.items()
    }


def _band_cell(n: int, stage: str) -> Cell:
    """Blank for a class without pupils: a spare one, or one that has graduated."""
    steps: tuple[tuple[int, Tone], ...] = (
        (seats.LARGE_FROM, "bad"),
        (seats.cap(stage), "warn"),
        (seats.warn_from(stage), "info"),
        (1, "good"),
    )
    tone = next((tone for least, tone in steps if n >= least), None)
    return Cell(seats.band(n, stage), tone=tone) if tone else Cell("")


VIEWS: tuple[type, ...] = ()  # what is here is shown by the bureau's own views

PUPILS = Column("pupils", N_("在校人数"), numeric=True)
CLASSES = Column("classes", N_("班级数"), numeric=True)
BAND = Column("band", N_("班额"))

bureau.show_overview(draw_overview)
for _entity, _key in ((School, "school_id"), (Grade, "grade_id")):
    tallies.show_tally(
        tallies.Tally(_entity, (CLASSES, PUPILS), ("school_class:list", "student:list"), _count_for(_key))
    )
tallies.show_tally(tallies.Tally(SchoolClass, (PUPILS, BAND), ("student:list",), _count_in_classes))
