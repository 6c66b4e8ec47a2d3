"""What a school's super-admin begins with, each step told done by what is there. Whoever hides the list is asked no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import Session

from app.areas.schools.models import Grade, School, SchoolClass
from app.core import audit, logins
from app.core.rights import Actor, Grant, open_at
from app.core.wording import kept


@dataclass(frozen=True, slots=True)
class Facts:
    """What is there, of the account and of its school."""

    is_hidden: bool
    has_own_password: bool
    has_phone: bool
    has_school_data: bool
    has_classes: bool
    colleagues: int  # who hold a grant there

    @property
    def is_all_done(self) -> bool:
        return all(
            (self.has_own_password, self.has_phone, self.has_school_data, self.has_classes, self.colleagues)
        )


def concerns(by: Actor) -> bool:
    """Whoever opens accounts in a school."""
    return by.school_id is not None and by.has("person:add") and by.has("school:show")


def facts(session: Session, by: Actor, now: Any) -> Facts | None:
    """In one statement; None where the school is out of sight."""
    is_known = (School.address, School.office_phone, School.head_name)
    classes = sa.select(SchoolClass.id).join(Grade, Grade.id == SchoolClass.grade_id)
    classes = classes.where(SchoolClass.school_id == School.id, Grade.is_graduated.is_(False))
    others = sa.select(sa.func.count(Grant.person_id.distinct())).where(
        Grant.school_id == School.id, Grant.person_id != by.id, Grant.usable, *open_at(now)
    )
    query = (
        sa.select(
            User.hides_first_steps,
            sa.and_(User.password_set_at.is_not(None), sa.not_(User.must_change_password)),
            User.phone.is_not(None),
            sa.and_(*(column.is_not(None) for column in is_known)),
            classes.correlate(School).exists(),
            others.correlate(School).scalar_subquery(),
        )
        .select_from(User)
        .join(School, School.id == User.school_id)
        .where(User.id == by.id)
    )
    found = session.execute(query).first()
    return Facts(*found) if found is not None else None


def hide(session: Session, by: Actor) -> None:
    """Belongs inside `saving.work()`."""
    user = session.get_one(User, by.id)
    if not user.hides_first_steps:
        user.hides_first_steps = True
        words = logins.place_words(session, user)
        audit.note(
            session, by, "edit", "person", user.id, reason=kept("首页不再显示“开始使用”的各步"), **words
        )
