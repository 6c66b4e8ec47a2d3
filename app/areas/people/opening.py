"""Opening one account with a role at once: by form, by sheet, by program."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import Home
from app.core.rights import Actor


def role_to_open_with(session: Session, by: Actor, role_id: int | None) -> Role | None:
    """A role that `by` can pass on, to somebody of a school or a bureau. Raises Invalid for any other."""
    levels = granting.levels_below(by)
    return granting.chosen([r for r in granting.roles_to_give(session, by) if r.level in levels], role_id)


def open_person(
    session: Session,
    by: Actor,
    home: Home,
    typed: Mapping[str, str],
    role: Role | None,
    until: date | None,
    grade_ids: Collection[int] = (),
    class_ids: Collection[int] = (),
    *,
    password: str = "",
    hashed: str | None = None,
) -> User:
    """The account, and the role for the whole unit, or some grades and classes. Belongs inside `saving.work()`.

    `hashed`: of the password, where that was worked out before. Raises Denied, Invalid.
    """
    user = accounts.open_account(session, by, home, typed, password, hashed=hashed)
    if role is not None:
        extent = granting.extent_for(session, home, grade_ids, class_ids)
        granting.give(session, by, user, role, extent, granting.end_of(until))
    return user
