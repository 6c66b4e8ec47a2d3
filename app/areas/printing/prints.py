"""Whom a print shows and who may have it, and the line in the audit that each leaves: who printed what, how many."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.schools.models import SchoolClass
from app.areas.students.models import Status, Student
from app.core import audit, rights, scope
from app.core.errors import Denied, Invalid, Missing
from app.core.rights import Actor
from app.core.wording import kept

IN_CLASS = (Status.ENROLLED, Status.SUSPENDED, Status.PENDING)
"""Who sits on a class's list; who has left may still name the class."""
REASON = 200  # characters that the audit keeps


def find_class(session: Session, by: Actor, class_id: int, right: str) -> SchoolClass:
    """A class on whose pupils `by` holds the right. Raises Missing, Denied."""
    found = session.get(SchoolClass, class_id) if class_id < 2**63 else None
    if found is None:
        raise Missing()
    verdict = rights.decide(by, right, scope.places_of_row(session, found))
    if not verdict:
        raise Denied(str(verdict))
    return found


def pupils_of(
    session: Session, school_class: SchoolClass, statuses: Sequence[Status] = IN_CLASS
) -> list[Student]:
    """By their number in the class where there is one, then by name. Raises Invalid where there is nobody."""
    query = sa.select(Student).where(Student.class_id == school_class.id, Student.status.in_(statuses))
    found = list(session.scalars(query.order_by(Student.name_key, Student.id)))
    if not found:
        raise Invalid(
            _("%(name)s没有可打印的学生。请先在“日常管理—学生调班”中编班。", name=school_class.full_name)
        )
    return sorted(found, key=_by_number)


def find_pupils(session: Session, by: Actor, ids: Collection[int]) -> list[Student]:
    """Those of these pupils whose records `by` may open, as lists have them. Raises Missing where there is none."""
    may = scope.rows_with(session, by, "student:show", Student, ids)
    query = sa.select(Student).where(Student.id.in_(may)).order_by(Student.name_key, Student.id)
    found = list(session.scalars(query))
    if not found:
        raise Missing()
    return found


def _by_number(one: Student) -> tuple[bool, list[tuple[int, str]]]:
    parts = re.findall(r"\d+|\D+", one.number_in_class or "")
    return (not parts, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts])


def note_list(by: Actor, what: str, count: int, students: Sequence[Student]) -> None:
    """One line for a list of pupils: it stands where they are, or with who printed it where they are of several places."""
    reason = kept("%(what)s，%(n)s人", what=what, n=count)[:REASON]
    audit.write_apart([audit.row(by, "export", Student.key(), reason=reason, **_place(by, students))])


def note_records(by: Actor, what: str, students: Sequence[Student]) -> None:
    """A line for each pupil whose record was printed, so that it stands in his time-line."""
    many = kept("，共%(n)s人", n=len(students)) if len(students) > 1 else ""
    audit.write_apart(
        audit.row(
            by,
            "export",
            Student.key(),
            one.id,
            subject=one.shown(),
            reason=(what + many)[:REASON],
            **scope.audit_place_of(one),
        )
        for one in students
    )


def _place(by: Actor, students: Sequence[Student]) -> dict[str, Any]:
    schools = {one.school_id for one in students}
    codes = {one.authority_code for one in students}
    return {
        "school_id": schools.pop() if len(schools) == 1 else by.school_id,
        "authority_code": codes.pop() if len(codes) == 1 else by.region_code,
    }
