"""Certificates of enrolment: given out, withdrawn, and the question of whether one is valid.

The code on the paper has 80 random bits and is kept as its hash, so that the database does not tell what could be
printed. A certificate is valid while all that it says still holds: the pupil is enrolled, at that school, with that
name and those numbers. Nobody has to withdraw it when the pupil leaves.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.printing.models import LONGEST_PURPOSE, EnrolmentCertificate
from app.areas.students.models import Status, Student, today_here
from app.core import audit, rights, scope
from app.core.errors import Denied, Invalid, Missing
from app.core.fields import Text, Unreadable
from app.core.rights import Actor, Verdict
from app.core.wording import N_

RIGHT = "certificate:issue"
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # five bits each; none is taken for another
LENGTH = 16
LONGEST_TYPED = 60  # characters
VALID_DAYS = (30, 90, 180)
PURPOSE = Text(label="用途", length=LONGEST_PURPOSE, nullable=False)


class State(StrEnum):
    VALID = "valid"
    OVER = "over"
    REVOKED = "revoked"
    UNTRUE = "untrue"


STATES = {
    State.VALID: N_("有效"),
    State.OVER: N_("已过期"),
    State.REVOKED: N_("已作废"),
    State.UNTRUE: N_("学籍已变动，失效"),
}


# --- the code -----------------------------------------------------------------------------------------


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _n in range(LENGTH))


def in_groups(code: str) -> str:
    """As it is printed: 7K3M-9QFT-2XNA-4HBD."""
    return "-".join(code[n : n + 4] for n in range(0, LENGTH, 4))


def read_code(typed: str) -> str:
    """As it was made, from what somebody typed: any case, blanks and dashes anywhere, O for 0, I and L for 1."""
    kept = re.sub(r"[^0-9A-Z]", "", typed[:LONGEST_TYPED].upper())
    return kept.translate(str.maketrans("OIL", "011"))


def _hash(*words: object) -> str:
    return hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()


def _facts(code: str, student: Student) -> str:
    said = (student.id, student.school_id, student.name, student.gender, student.born_on)
    return _hash(code, *said, student.id_number, student.student_no)


# --- giving out ---------------------------------------------------------------------------------------


def may_issue(session: Session, by: Actor, student: Student) -> Verdict:
    return rights.decide(by, RIGHT, scope.places_of_row(session, student))


def why_not(student: Student) -> str | None:
    """Why there can be no certificate for this pupil now."""
    if student.status is Status.ENROLLED:
        return None
    state = student.fields()["status"].show(student.status)
    words = {"name": student.name, "state": state}
    return _("%(name)s的学籍状态为“%(state)s”，不是“在校”，不能开具在读证明。", **words)


def read_purpose(raw: str) -> str:
    """Raises Unreadable."""
    purpose = PURPOSE.parse(raw)
    if purpose is None:
        raise Unreadable(_("必填项“%(label)s”为空。请填写后再保存。", label=_(PURPOSE.label)))
    return str(purpose)


def issue(
    session: Session, by: Actor, student: Student, purpose: str, days: int
) -> tuple[EnrolmentCertificate, str]:
    """A new certificate and its code, which is known now and never again. Belongs inside `saving.work()`.

    Raises Denied, and Invalid where the pupil is not enrolled.
    """
    _require(session, by, student)
    if (why := why_not(student)) is not None:
        raise Invalid(why)
    code = new_code()
    made = EnrolmentCertificate(
        code_hash=_hash(code),
        facts=_facts(code, student),
        student_id=student.id,
        school_id=student.school_id,
        purpose=purpose,
        issued_at=datetime.now(UTC),
        issued_by=by.name,
        valid_until=today_here() + timedelta(days=days),
    )
    session.add(made)
    session.flush()
    reason = _("用途：%(what)s；有效期至%(day)s", what=purpose, day=made.valid_until.isoformat())
    _note(session, by, "issue", made, student, reason)
    return made, code


def revoke(session: Session, by: Actor, certificate_id: int) -> Student:
    """Withdraws it for good; once more changes nothing. Belongs inside `saving.work()`. Raises Missing, Denied."""
    found, student = find(session, certificate_id)
    _require(session, by, student)
    if found.revoked_at is None:
        found.revoked_at, found.revoked_by = datetime.now(UTC), by.name
        _note(session, by, "revoke", found, student, None)
    return student


def _require(session: Session, by: Actor, student: Student) -> None:
    if not (verdict := may_issue(session, by, student)):
        raise Denied(str(verdict))


def _note(
    session: Session,
    by: Actor,
    action: str,
    one: EnrolmentCertificate,
    student: Student,
    reason: str | None,
) -> None:
    place = scope.audit_place_of(student)
    audit.note(session, by, action, "certificate", one.id, subject=student.shown(), reason=reason, **place)


# --- looking up ---------------------------------------------------------------------------------------


def find(session: Session, certificate_id: int) -> tuple[EnrolmentCertificate, Student]:
    """By way of its pupil, so that the read wall stands before it. Raises Missing."""
    found = session.get(EnrolmentCertificate, certificate_id) if certificate_id < 2**63 else None
    student = session.get(Student, found.student_id) if found is not None else None
    if found is None or student is None:
        raise Missing()
    return found, student


def of_pupil(session: Session, student: Student) -> Sequence[EnrolmentCertificate]:
    """Newest first."""
    query = sa.select(EnrolmentCertificate).where(EnrolmentCertificate.student_id == student.id)
    return session.scalars(query.order_by(EnrolmentCertificate.id.desc())).all()


def state_of(one: EnrolmentCertificate, student: Student) -> State:
    """As far as can be said without its code."""
    if one.revoked_at is not None:
        return State.REVOKED
    if one.valid_until < today_here():
        return State.OVER
    is_here = student.status is Status.ENROLLED and student.school_id == one.school_id
    return State.VALID if is_here else State.UNTRUE


def is_valid(session: Session, typed: str) -> bool:
    """Whether what was typed is the code of a certificate whose every word still holds. Nothing else is told, to nobody."""
    code = read_code(typed)
    query = sa.select(EnrolmentCertificate).where(EnrolmentCertificate.code_hash == _hash(code))
    found = session.scalar(query)
    with scope.acting(session, rights.system("certificates")):
        student = session.get(Student, found.student_id) if found is not None else None
        return (
            found is not None
            and student is not None
            and state_of(found, student) is State.VALID
            and secrets.compare_digest(found.facts, _facts(code, student))
        )
