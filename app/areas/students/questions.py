"""What lists of classes and pupils may be asked beyond their columns: how full a class is, what a pupil still lacks,
whether he was checked this term."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import sqlalchemy as sa

from app.areas.schools import seats
from app.areas.schools.models import STAGES, Grade, SchoolClass, Term
from app.areas.students.models import FamilyMember, Status, Student, today_here
from app.core.questions import Question, ask


def in_band(code: str) -> sa.ColumnElement[bool]:
    """Classes that are this full, without those that have graduated."""
    heads = (
        sa.select(sa.func.count(Student.id))
        .where(Student.class_id == SchoolClass.id, Student.status == Status.ENROLLED)
        .correlate(SchoolClass)
        .scalar_subquery()
    )
    return sa.or_(*(sa.and_(_grade_in(stages), _between(heads, *sizes)) for sizes, stages in _sizes(code)))


def _sizes(code: str) -> Iterator[tuple[tuple[int, int | None], list[str]]]:
    """Each range of sizes that the band is, with the stages for which it is this one."""
    found: dict[tuple[int, int | None], list[str]] = {}
    for stage in STAGES:
        found.setdefault(seats.sizes_in(code, stage), []).append(stage)
    yield from found.items()


def _grade_in(stages: list[str]) -> sa.ColumnElement[bool]:
    grades = sa.select(Grade.id).where(Grade.is_graduated.is_(False), Grade.stage.in_(stages))
    return SchoolClass.grade_id.in_(grades)


def _between(heads: sa.ScalarSelect[int], low: int, high: int | None) -> sa.ColumnElement[bool]:
    return heads >= low if high is None else heads.between(low, high)


def lacks(code: str) -> sa.ColumnElement[bool]:
    if code == "class":
        return Student.class_id.is_(None)
    is_one = (FamilyMember.student_id == Student.id, FamilyMember.is_guardian, FamilyMember.phone != "")
    return sa.not_(sa.exists().where(*is_one).correlate(Student))


def checked_this_term(code: str) -> sa.ColumnElement[bool]:
    """In the term that is on today; between terms nobody is asked for."""
    terms = _terms_on(today_here())
    if code == "yes":
        return Student.verified_term_id.in_(terms)
    is_not = sa.or_(Student.verified_term_id.is_(None), Student.verified_term_id.not_in(terms))
    return sa.and_(terms.exists(), is_not)


def _terms_on(day: date) -> sa.Select[int]:
    return sa.select(Term.id).where(Term.starts_on <= day, day <= Term.ends_on)


ask(
    SchoolClass,
    Question(name="band", label="班额", table="class_band", where=in_band, needs=("student:list",)),
)
ask(
    Student,
    Question(
        name="lacks",
        label="缺少资料",
        table="missing_item",
        where=lacks,
        needs=("family_member:list", "family_member:phone:see", "family_member:is_guardian:see"),
    ),
)
ask(Student, Question(name="term_check", label="本学期核查", table="term_check", where=checked_this_term))
