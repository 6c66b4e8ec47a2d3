"""Figures of a region: schools, classes by size, pupils, open cases; by region below it, and by its own schools.

Everything is counted by authority, inside what the reader may see; only `standing_here` counts by location, and it
gives no names. 在校 is enrolled, 在籍 is enrolled and suspended; a draft counts nowhere. Pages are in `pages`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.areas.changes.models import UNDER_WAY, Change, ChangeState
from app.areas.schools import seats
from app.areas.schools.models import Grade, School, SchoolClass, SchoolStage
from app.areas.students.models import Status, Student
from app.core import places, rights, scope

ON_ROLL = (Status.ENROLLED, Status.SUSPENDED)
BOY, GIRL = "1", "2"


@dataclass(slots=True)
class Figures:
    """Of one region, or of one school's part below one authority."""

    schools: int = 0
    bands: Counter[str] = field(
        default_factory=Counter
    )  # code of seats.BANDS → classes, spare ones among them
    statuses: Counter[Status] = field(default_factory=Counter)  # drafts and those who left among them
    boys: int = 0  # of the enrolled, as girls
    girls: int = 0
    years: Counter[int] = field(default_factory=Counter)  # year of schooling, 1 to 12 → the enrolled
    open_cases: int = 0
    changes: Counter[str] = field(
        default_factory=Counter
    )  # kind → cases of this school year that were granted
    months: Counter[str] = field(default_factory=Counter)  # "2026-03" → cases granted that hold from then on

    @property
    def spare(self) -> int:
        """Classes without pupils."""
        return self.bands[seats.SPARE]

    @property
    def classes(self) -> int:
        return self.bands.total() - self.spare

    @property
    def enrolled(self) -> int:
        return self.statuses[Status.ENROLLED]

    @property
    def on_roll(self) -> int:
        return sum(self.statuses[status] for status in ON_ROLL)

    def add(self, other: Figures) -> None:
        for name in ("bands", "statuses", "years", "changes", "months"):
            getattr(self, name).update(getattr(other, name))
        for name in ("schools", "boys", "girls", "open_cases"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True)
class Below:
    """A region: what it covers, and to which region directly below it a code belongs."""

    code: str

    @cached_property
    def range(self) -> tuple[str, str]:
        return places.authority_range(self.code)

    @property
    def is_province(self) -> bool:
        return self.code.endswith("0000")

    def contains(self, code: str) -> bool:
        return self.range[0] <= code <= self.range[1]

    def covers(self, columns: Any) -> sa.ColumnElement[bool]:
        return columns.authority_code.between(*self.range)

    def child(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """The region directly below: prefectures of a province, counties and zones of a prefecture."""
        if not self.is_province:
            return column
        prefecture = sa.func.substr(column, _plain(1), _plain(4))
        return sa.case((prefecture == _plain(self.code[:4]), column), else_=prefecture.concat(_plain("00")))

    def keys(self, columns: Any) -> tuple[sa.ColumnElement[str], sa.ColumnElement[int | None]]:
        """What figures are grouped by: the region below, and the school where this region itself decides."""
        own = sa.case((columns.authority_code == _plain(self.code), columns.school_id), else_=sa.null())
        return self.child(columns.authority_code).label("child"), own.label("own")


def _plain(value: Any) -> sa.BindParameter[Any]:
    """Written into the statement: PostgreSQL takes two parameters for two expressions, and then refuses to group."""
    return sa.literal(value, literal_execute=True)


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """From September to August. `is_everywhere`: cases that the reader sees are counted wherever they were begun."""

    began_in: int
    is_everywhere: bool = True

    @classmethod
    def on(cls, day: date, *, is_everywhere: bool = True) -> SchoolYear:
        return cls(day.year if day.month >= 9 else day.year - 1, is_everywhere)

    @property
    def starts_on(self) -> date:
        return date(self.began_in, 9, 1)

    def holds(self, month: str) -> bool:
        return f"{self.starts_on:%Y-%m}" <= month <= f"{self.ends_on:%Y-%m}"

    @property
    def ends_on(self) -> date:
        return date(self.began_in + 1, 8, 31)


MONTHS = 12  # of a trend


def months_to(day: date) -> list[date]:
    """The first days of the last MONTHS months, the present one the last."""
    present = day.year * 12 + day.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(present - MONTHS + 1, present + 1)]


@dataclass(frozen=True, slots=True)
class Sees:
    """Of what the reader may see figures at all: what is not seen is left out, not shown as nothing."""

    classes: bool
    pupils: bool
    cases: bool

    @classmethod
    def of(cls, by: rights.Actor) -> Sees:
        return cls(*(by.has(f"{entity.key()}:list") for entity in (SchoolClass, Student, Change)))


@dataclass(slots=True)
class Overview:
    """`regions`: code → figures of the regions below; `schools`: id → figures of the region's own schools."""

    regions: dict[str, Figures] = field(default_factory=dict)
    schools: dict[int, Figures] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # of the own schools
    elsewhere: int = 0  # open cases of pupils who are out of sight: on their way in, or gone
    others: Figures = field(default_factory=Figures)  # changes that no school above began
    total: Figures = field(default_factory=Figures)

    @property
    def is_empty(self) -> bool:
        return not (self.regions or self.schools)

    def line(self, child: str, own: int | None) -> Figures:
        if own is None:
            return self.regions.setdefault(child, Figures())
        return self.schools.setdefault(own, Figures())


def overview(
    session: Session, below: Below, sees: Sees, year: SchoolYear | None = None, since: date | None = None
) -> Overview:
    """Six statements at most, however many schools there are. Without a school year no changes are counted; `since` is the
    day from which they are told by month, the year's first unless earlier."""
    made = Overview()
    _add_schools(session, below, made)
    if sees.classes and sees.pupils:
        _add_classes(session, below, made)
    if sees.pupils:
        _add_pupils(session, below, made)
    if sees.cases and sees.pupils:
        _add_cases(session, below, made)
    if sees.cases and year is not None:
        _add_changes(session, below, made, year, min(since or year.starts_on, year.starts_on))
    _sum_up(session, below, made)
    return made


def _add_schools(session: Session, below: Below, made: Overview) -> None:
    for child, own, name, n in _count_schools(session, below):
        made.line(child, own).schools += n
        if own is not None:
            made.names[own] = name


def _add_classes(session: Session, below: Below, made: Overview) -> None:
    for child, own, stage, pupils, n in _count_classes(session, below):
        made.line(child, own).bands[seats.band(pupils, stage)] += n


def _add_pupils(session: Session, below: Below, made: Overview) -> None:
    for child, own, status, gender, year, n in _count_pupils(session, below):
        line = made.line(child, own)
        line.statuses[status] += n
        if status is Status.ENROLLED:
            if year is not None:
                line.years[year] += n
            line.boys += n if gender == BOY else 0
            line.girls += n if gender == GIRL else 0


def _add_cases(session: Session, below: Below, made: Overview) -> None:
    for child, own, n in _count_cases(session, below):
        if child is None:
            made.elsewhere += n
        else:
            made.line(child, own).open_cases += n


def _add_changes(session: Session, below: Below, made: Overview, year: SchoolYear, since: date) -> None:
    for school_id, kind, of_year, of_month, n in _count_changes(session, below, year, since):
        line, month = made.schools.get(school_id, made.others), f"{int(of_year):04}-{int(of_month):02}"
        line.months[month] += n
        if year.holds(month):
            line.changes[kind] += n


def _sum_up(session: Session, below: Below, made: Overview) -> None:
    for line in (*made.regions.values(), *made.schools.values(), made.others):
        made.total.add(line)
    made.total.open_cases += made.elsewhere
    if made.regions:
        made.total.schools = _count_all_schools(session, below)
    made.regions = dict(sorted(made.regions.items()))
    made.schools = dict(sorted(made.schools.items()))


# --- the statements -----------------------------------------------------------------------------------


def _count_schools(session: Session, below: Below) -> Iterable[Any]:
    child, own = below.keys(SchoolStage)
    name = sa.case((own.is_(None), sa.null()), else_=School.name)
    inner = sa.select(child, own, name.label("name"), SchoolStage.school_id.label("school_id"))
    found = inner.join(School, School.id == SchoolStage.school_id).where(below.covers(SchoolStage)).subquery()
    keys = (found.c.child, found.c.own, found.c.name)
    return session.execute(sa.select(*keys, sa.func.count(found.c.school_id.distinct())).group_by(*keys))


def _count_all_schools(session: Session, below: Below) -> int:
    """A school that two regions below share counts once."""
    found = sa.select(sa.func.count(SchoolStage.school_id.distinct())).where(below.covers(SchoolStage))
    return session.scalar(found) or 0


def _count_classes(session: Session, below: Below) -> Iterable[Any]:
    """(region, own school, stage, pupils in it, how many such classes), without the classes that have graduated."""
    place = (SchoolClass.authority_code, SchoolClass.school_id)
    sizes = (
        _sizes(SchoolClass.id, *place)
        .where(below.covers(SchoolClass), Grade.is_graduated.is_(False))
        .subquery()
    )
    child, own = below.keys(sizes.c)
    inner = sa.select(child, own, sizes.c.stage, sizes.c.pupils).subquery()
    return session.execute(sa.select(*inner.c, sa.func.count()).group_by(*inner.c))


def _sizes(*columns: Any) -> sa.Select[Any]:
    """A row per class: `columns` of it, its stage, and how many sit in it."""
    return (
        sa.select(*columns, Grade.stage, sa.func.count(Student.id).label("pupils"))
        .select_from(SchoolClass)
        .join(Grade, Grade.id == SchoolClass.grade_id)
        .outerjoin(Student, sa.and_(Student.class_id == SchoolClass.id, Student.status == Status.ENROLLED))
        .group_by(*columns, Grade.stage)
    )


def _count_pupils(session: Session, below: Below) -> Iterable[Any]:
    """(region, own school, status, gender, year of schooling where the reader sees grades, how many)."""
    child, own = below.keys(Student)
    year = (Grade.first_year + Grade.level - 1).label("year")
    inner = (
        sa.select(child, own, Student.status.label("status"), Student.gender.label("gender"), year)
        .outerjoin(Grade, Grade.id == Student.grade_id)
        .where(below.covers(Student))
        .subquery()
    )
    return session.execute(sa.select(*inner.c, sa.func.count()).group_by(*inner.c))


def _sums(columns: Any) -> Iterator[sa.ColumnElement[int]]:
    """在校, 在籍, boys, girls."""
    is_in = columns.status == Status.ENROLLED
    yield _count_where(is_in)
    yield _count_where(columns.status.in_(ON_ROLL))
    yield _count_where(sa.and_(is_in, columns.gender == BOY))
    yield _count_where(sa.and_(is_in, columns.gender == GIRL))


def _count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _count_cases(session: Session, below: Below) -> Iterable[Any]:
    """Open cases where their pupil is today; (None, None, n) for pupils out of sight."""
    child, own = below.keys(Student)
    inner = (
        sa.select(child, own, Change.id)
        .outerjoin(Student, sa.and_(Student.id == Change.student_id, below.covers(Student)))
        .where(Change.state.in_(UNDER_WAY))
        .subquery()
    )
    keys = (inner.c.child, inner.c.own)
    return session.execute(sa.select(*keys, sa.func.count()).group_by(*keys))


def _count_changes(session: Session, below: Below, year: SchoolYear, since: date) -> Iterable[Any]:
    """(school that began the case, kind, year and month from which it holds, how many were granted): from `since` to the end
    of the school year."""
    day = Change.effective_on
    of_year, of_month = sa.extract("year", day).label("y"), sa.extract("month", day).label("m")
    inner = sa.select(Change.school_id, Change.kind, of_year, of_month).where(
        Change.state == ChangeState.DONE, day.between(since, year.ends_on)
    )
    if not year.is_everywhere:
        here = sa.select(SchoolStage.school_id).where(below.covers(SchoolStage))
        inner = inner.where(Change.school_id.in_(here))
    found = inner.subquery()
    return session.execute(sa.select(*found.c, sa.func.count()).group_by(*found.c))


# --- by location --------------------------------------------------------------------------------------


def standing_here(session: Session, below: Below) -> Figures:
    """Schools that stand in the region while another authority decides over them, as figures without names.

    The reader may not see a row of them, so they are counted by a system actor on a session of its own.
    """
    with Session(session.get_bind()) as own:
        scope.set_actor(own, rights.system("figures"))
        return _count_standing(own, below)


def _count_standing(session: Session, below: Below) -> Figures:
    low, high = below.range
    foreign = (
        sa.select(SchoolStage.school_id, SchoolStage.authority_code)
        .join(School, School.id == SchoolStage.school_id)
        .where(School.location_code.between(low.ljust(12, "0"), high.ljust(12, "9")))
        .where(sa.not_(below.covers(SchoolStage)))
        .distinct()
        .subquery()
    )
    here = sa.and_(
        Student.school_id == foreign.c.school_id, Student.authority_code == foreign.c.authority_code
    )
    query = sa.select(sa.func.count(foreign.c.school_id.distinct()), *_sums(Student))
    found: Any = session.execute(query.select_from(foreign).outerjoin(Student, here)).one()
    schools, enrolled, on_roll, boys, girls = found
    counted = Counter({Status.ENROLLED: enrolled, Status.SUSPENDED: on_roll - enrolled})
    return Figures(schools=schools, statuses=counted, boys=boys, girls=girls)


# --- beside rows --------------------------------------------------------------------------------------


def pupils_by(session: Session, key: str, ids: Iterable[int]) -> dict[int, int]:
    """id → 在校 pupils, where `key` is the pupil's school_id or grade_id."""
    column = getattr(Student, key)
    query = sa.select(column, sa.func.count()).where(column.in_(list(ids)), Student.status == Status.ENROLLED)
    return dict(session.execute(query.group_by(column)).all())


def pupils_in(session: Session, class_ids: sa.Select[int]) -> int:
    """在校 pupils of all the classes whose ids the statement gives."""
    query = sa.select(sa.func.count()).where(
        Student.class_id.in_(class_ids), Student.status == Status.ENROLLED
    )
    return session.scalar(query) or 0


def classes_by(session: Session, key: str, ids: Iterable[int]) -> dict[int, int]:
    """id → classes that have not graduated, where `key` is the class's school_id or grade_id."""
    column = getattr(SchoolClass, key)
    query = sa.select(column, sa.func.count()).join(Grade, Grade.id == SchoolClass.grade_id)
    query = query.where(column.in_(list(ids)), Grade.is_graduated.is_(False))
    return dict(session.execute(query.group_by(column)).all())


def sizes_of(session: Session, class_ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """class id → (stage, 在校 pupils)."""
    found = session.execute(_sizes(SchoolClass.id).where(SchoolClass.id.in_(list(class_ids))))
    return {id_: (stage, pupils) for id_, stage, pupils in found}
