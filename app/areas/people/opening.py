"""Opening one account with a role at once: by form, by sheet, by program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import Home
from app.core.errors import Invalid
from app.core.rights import Actor


def role_to_open_with(session: Session, by: Actor, role_id: int | None) -> Role | None:
    """A role that `by` can pass on, to somebody of a school or a bureau. Raises Invalid for any other."""
    if role_id is None:
        return None
    offered = granting.roles_to_give(session, by)
    found = next((role for role in offered if role.id == role_id), None)
    if found is None or found.level not in granting.levels_below(by):
        raise Invalid([("role_id", _("没有找到所选的角色，或您不能转授它。请重新选择。"))])
    return found


def open_person(
    session: Session,
    by: Actor,
    home: Home,
    typed: Mapping[str, str],
    role: Role | None,
    until: date | None,
    *,
    password: str = "",
    hashed: str | None = None,
    grade_id: int | None = None,
    class_id: int | None = None,
) -> User:
    """The account, and the role for the whole unit, a grade or a class. Belongs inside `saving.work()`.

    `hashed`: of the password, where that was worked out before. Raises Denied, Invalid.
    """
    user = accounts.open_account(session, by, home, typed, password, hashed=hashed)
    if role is not None:
        extent = granting.extent_for(session, home, grade_id, class_id)
        granting.give(session, by, user, role, extent, granting.end_of(until))
    return user
