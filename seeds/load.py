"""Rows on their way into the database: ids are given here, so that rows can point at each other before any is written.

What the rows say is decided elsewhere. They go in through `saving.many`, in the order of their foreign keys.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from app.areas.changes.models import Change, ChangeParty
from app.areas.regions.models import Region
from app.areas.regions.notices import Notice
from app.areas.schools.models import (
    AcademicYear,
    Campus,
    ClassGrade,
    Grade,
    School,
    SchoolClass,
    SchoolStage,
    Term,
)
from app.areas.students.models import FamilyMember, NumberHistory, Stay, Student
from app.core import saving
from app.core.entity import Entity
from app.core.fields import HERE
from app.core.rights import Actor

Row = dict[str, Any]
ORDER: tuple[type[Entity], ...] = (
    *(Region, Notice, AcademicYear, Term),
    *(School, SchoolStage, Campus, Grade, SchoolClass, ClassGrade),
    *(Student, FamilyMember, NumberHistory, Stay, Change, ChangeParty),
)


class Load:
    """Collects rows until `write`. All rows of one entity have the same columns."""

    def __init__(self, by: Actor) -> None:
        self._by = by
        self._next = {entity: saving.first_free_id(entity) for entity in ORDER}
        self._rows: dict[type[Entity], list[Row]] = {entity: [] for entity in ORDER}

    def add(self, entity: type[Entity], row: Row) -> int:
        """Takes the row and gives it its id."""
        id_ = row["id"] = self._next[entity]
        self._next[entity] = id_ + 1
        self._rows[entity].append(row)
        return id_

    def waiting(self, entity: type[Entity]) -> int:
        return len(self._rows[entity])

    def count(self, entity: type[Entity]) -> int:
        """How many ids have been given; in a new database, how many rows there are."""
        return self._next[entity] - 1

    def write(self) -> None:
        for entity, rows in self._rows.items():
            saving.many(entity, rows, self._by)
            rows.clear()

    def finish(self) -> None:
        self.write()
        for entity in ORDER:
            saving.advance_ids(entity)


class Calendar:
    """The school year in which the day `on` lies, and what had happened by then."""

    def __init__(self, on: date) -> None:
        self.on = on
        self.start = on.year if on.month >= 9 else on.year - 1  # the year in which this school year began
        self.began_on = date(self.start, 9, 1)
        self.checked_on = date(self.start + 1, 3, 15)  # the national check of the spring term: L becomes G
        self.last_term_id: int | None = None  # the last term that is over

    @property
    def is_checked(self) -> bool:
        return self.on >= self.checked_on

    def ago(self, days: int) -> date:
        return self.on - timedelta(days)

    def by_today(self, day: date) -> date:
        return min(day, self.on)


def moment(day: date, hour: int = 10, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), HERE)


def add_calendar(load: Load, calendar: Calendar) -> None:
    """The school year with the one before and the one after, each with its two terms."""
    for year in (calendar.start - 1, calendar.start, calendar.start + 1):
        dates = {"starts_on": date(year, 9, 1), "ends_on": date(year + 1, 8, 31)}
        year_id = load.add(AcademicYear, {"name": f"{year}-{year + 1}", **dates})
        autumn, spring = (
            (date(year, 9, 1), date(year + 1, 1, 25)),
            (date(year + 1, 2, 20), date(year + 1, 7, 8)),
        )
        for number, (starts_on, ends_on) in (("1", autumn), ("2", spring)):
            words = {
                "academic_year_id": year_id,
                "number": number,
                "starts_on": starts_on,
                "ends_on": ends_on,
            }
            term_id = load.add(Term, words)
            if ends_on < calendar.on:
                calendar.last_term_id = term_id
