"""What other rows say about a pupil: seats in the class, the same ID number elsewhere, numbers given out.

Functions that look beyond the actor's scope return the least they must; `unscoped` leaves a trace of each.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.schools import seats
from app.areas.schools.models import Grade, SchoolClass
from app.areas.students import numbers
from app.areas.students.models import PROBLEM, NumberHistory, Status, Student
from app.core import rights, scope
from app.core.errors import Complaints, Denied, Invalid, Missing
from app.core.rights import Actor
from app.core.scope import unscoped

NUMBERS_A_DAY = 10_000  # temporary numbers for one area and birth date


# --- one pupil ---------------------------------------------------------------------------------------


def find_pupil(session: Session, by: Actor, student_id: int) -> Student:
    """A pupil whose record `by` may open. Raises Denied, Missing."""
    rights.require(by, "student:show")
    found = session.get(Student, student_id) if student_id < 2**63 else None
    if found is None:
        raise Missing()
    if not (verdict := scope.may(session, by, "show", found)):
        raise Denied(str(verdict))
    return found


# --- the same person twice ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Twin:
    """Where another record with the same ID number is."""

    student_id: int
    school_id: int
    class_id: int | None


def find_twin(
    session: Session, id_number: str, besides: int | None = None, first: int | None = None
) -> Twin | None:
    """Another record with this ID number, anywhere, or None; one of the school `first` before others."""
    query = (
        sa.select(Student.id, Student.school_id, Student.class_id)
        .where(Student.id_number == id_number, Student.deleted_at.is_(None))
        .order_by(sa.case((Student.school_id == first, 0), else_=1), Student.id)
    )
    if besides is not None:
        query = query.where(Student.id != besides)
    with unscoped(session, "duplicate check"):
        found = session.execute(query.limit(1)).first()
    return Twin(*found) if found else None


def twin_doubts(session: Session, student: Student) -> Complaints:
    """A second record in the own school is refused; one in another school makes this a problem record."""
    if not student.id_number or not student.touched("id_number"):
        return
    twin = find_twin(session, student.id_number, student.id, student.school_id)
    if twin is None:
        return
    if twin.school_id == student.school_id:
        yield "id_number", _already_here(session, twin)
    else:
        student.verification = PROBLEM
        student.problem_note = _("身份证件号与外校学生重复，请到“学籍注册—问题学籍处理”核实。")


def _already_here(session: Session, twin: Twin) -> str:
    found = session.get(SchoolClass, twin.class_id) if twin.class_id else None
    where = found.full_name if found else _("尚未分班的学生中")
    return _("这个身份证件号已在本校%(where)s建立学籍，不能重复新增。请先核对证件号是否填错。", where=where)


# --- the class ----------------------------------------------------------------------------------------


def class_doubts(session: Session, student: Student, grade: Grade) -> Complaints:
    """Whether the pupil may sit there: the class takes the grade, has a seat, and the number is free."""
    if student.class_id is None or not student.touched("class_id", "grade_id", "status", "number_in_class"):
        return
    school_class = session.get(SchoolClass, student.class_id)
    if school_class is None or school_class.school_id != student.school_id:
        yield "class_id", _("没有找到所选的班级，它可能已被删除。请重新选择，或先在“回收站”中恢复班级。")
    elif not school_class.takes(grade.id):
        yield "class_id", _("%(c)s不属于%(g)s。请选择本年级的班级。", c=school_class.full_name, g=grade.name)
    elif sentence := _seat_complaint(session, student, school_class, grade):
        yield "class_id", sentence
    elif _is_number_taken(session, student):
        yield "number_in_class", _("这个班内学号已被本班另一名学生使用。请改用其他学号，或留空。")


def class_warnings(session: Session, student: Student) -> Iterator[str]:
    """Told to whoever brings a class near its cap."""
    if _takes_a_seat(student) and student.class_id is not None:
        school_class = session.get_one(SchoolClass, student.class_id)
        if sentence := seats.warning(session, school_class, student.stage):
            yield sentence


def _takes_a_seat(student: Student) -> bool:
    """Whether the pupil comes to sit in the class now; a draft is judged as if he sat there already."""
    return student.status in (None, Status.PENDING, Status.ENROLLED) and student.touched("class_id", "status")


def _seat_complaint(
    session: Session, student: Student, school_class: SchoolClass, grade: Grade
) -> str | None:
    if not _takes_a_seat(student):
        return None
    return seats.complaint(session, school_class, authority=session.info.get("authority"), stage=grade.stage)


def _is_number_taken(session: Session, student: Student) -> bool:
    if not student.number_in_class or not student.touched("class_id", "number_in_class"):
        return False
    same = sa.select(Student.id).where(
        Student.class_id == student.class_id,
        Student.number_in_class == student.number_in_class,
        Student.status.in_((Status.PENDING, Status.ENROLLED, Status.SUSPENDED)),
    )
    if student.id is not None:
        same = same.where(Student.id != student.id)
    return session.scalar(same.limit(1)) is not None


# --- numbers ------------------------------------------------------------------------------------------


def find_by_any_number(session: Session, student_no: str) -> int | None:
    """The id of the pupil who has or ever had this 学籍号, inside the actor's scope."""
    now = session.scalar(sa.select(Student.id).where(Student.student_no == student_no))
    if now is not None:
        return now
    return session.scalar(sa.select(NumberHistory.student_id).where(NumberHistory.student_no == student_no))


def next_temporary_number(
    session: Session, area_code: str, born_on: date, rng: random.Random | None = None
) -> str:
    """An L number that nobody has or ever had. Raises Invalid when all of an area and birth date are used."""
    first = numbers.make_temporary(area_code, born_on, rng)
    used = _used_numbers(session, first[:15])
    if len(used) >= NUMBERS_A_DAY:
        raise Invalid(_("这一天出生的临时学籍号已全部用完。请联系主管部门处理。"))
    while first in used:
        first = numbers.make_temporary(area_code, born_on, rng)
    return first


def _used_numbers(session: Session, stem: str) -> set[str]:
    used: set[str] = set()
    with unscoped(session, "number check"):
        for column in (Student.student_no, NumberHistory.student_no):
            used |= set(session.scalars(sa.select(column).where(column.between(stem, stem + "~"))))
    return used
