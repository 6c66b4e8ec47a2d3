"""The list of people: the states of accounts, what the list is asked for, its order and its pages.

Who may see whom is decided in `accounts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people import accounts
from app.areas.people.accounts import Home
from app.areas.people.granting import levels_below
from app.areas.people.roles import default_roles, own_roles
from app.core import logins, rights
from app.core.rights import Actor, Grant
from app.core.wording import N_

PAGE_SIZE = 50


# --- states -------------------------------------------------------------------------------------------


class State(StrEnum):
    """What keeps a person from working, if anything: exactly one holds."""

    NORMAL = "normal"
    WAITING = "waiting"  # for the first change of a one-time password
    LOCKED = "locked"
    SUSPENDED = "suspended"
    LEFT = "left"


STATES = {
    State.NORMAL: N_("正常"),
    State.WAITING: N_("待首次改密"),
    State.LOCKED: N_("已锁定"),
    State.SUSPENDED: N_("已停用"),
    State.LEFT: N_("已离任"),
}


def state_of(user: User, now: datetime) -> State:
    if not user.active:
        return State.LEFT if user.left_on else State.SUSPENDED
    if logins.is_locked(user, now):
        return State.LOCKED
    return State.WAITING if user.must_change_password else State.NORMAL


def in_state(state: State, now: datetime) -> sa.ColumnElement[bool]:
    """`state_of` as a condition."""
    is_locked = sa.and_(User.locked_until.is_not(None), User.locked_until > now)
    may_enter = sa.and_(User.active, sa.not_(is_locked))
    return {
        State.NORMAL: sa.and_(may_enter, sa.not_(User.must_change_password)),
        State.WAITING: sa.and_(may_enter, User.must_change_password),
        State.LOCKED: sa.and_(User.active, is_locked),
        State.SUSPENDED: sa.and_(sa.not_(User.active), User.left_on.is_(None)),
        State.LEFT: sa.and_(sa.not_(User.active), User.left_on.is_not(None)),
    }[state]


# --- the query ----------------------------------------------------------------------------------------

NEVER = datetime(1970, 1, 1)  # naive as Flask-AppBuilder's column
ORDERS: dict[str, Any] = {"name": User.name_key, "last_login": sa.func.coalesce(User.last_login, NEVER)}
"""What the list is sorted by: the word in the address → the column. Who never logged in comes before all others."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for. `sort` is one of ORDERS, "-" before it where the last come first."""

    q: str = ""
    state: State | None = None
    role_id: int | None = None
    sort: str = "name"
    after: int | None = None
    before: int | None = None
    size: int = PAGE_SIZE

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.state or self.role_id)


@dataclass(frozen=True, slots=True)
class People:
    """One page of accounts, in order."""

    found: list[User]
    has_previous: bool = False
    has_next: bool = False


def people(session: Session, by: Actor, asked: Asked) -> People:
    """A page by keyset. A cursor that names nobody the reader sees means page one."""
    keys = (ORDERS[asked.sort.removeprefix("-")], User.id)
    row_id = asked.after if asked.before is None else asked.before
    seen = accounts.within(by.reach("person:list"))
    cursor = session.execute(sa.select(*keys).where(User.id == row_id, seen)).first() if row_id else None
    is_back = asked.before is not None and cursor is not None
    down = asked.sort.startswith("-") != is_back
    query = sa.select(User).where(*_where(by, asked)).limit(asked.size + 1)
    if cursor is not None:
        there = sa.tuple_(*(sa.bindparam(None, v, key.type) for v, key in zip(cursor, keys, strict=True)))
        query = query.where(sa.tuple_(*keys) < there if down else sa.tuple_(*keys) > there)
    found = list(session.scalars(query.order_by(*(key.desc() if down else key for key in keys))))
    has_more, found = len(found) > asked.size, found[: asked.size]
    if is_back:
        return People(found[::-1], has_more, True)
    return People(found, cursor is not None, has_more)


def count(session: Session, by: Actor, asked: Asked, cap: int) -> int:
    """Exact to `cap`, one more beyond."""
    inner = sa.select(User.id).where(*_where(by, asked)).limit(cap + 1).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(inner)) or 0


def _where(by: Actor, asked: Asked) -> Iterator[sa.ColumnElement[bool]]:
    now = datetime.now(UTC)
    yield accounts.within(by.reach("person:list"))
    if asked.q:
        yield accounts.matches(asked.q)
    if asked.state is not None:
        yield in_state(asked.state, now)
    if asked.role_id is not None:
        holds = (Grant.person_id == User.id, Grant.role_id == asked.role_id)
        yield sa.exists().where(*holds, Grant.usable, *rights.open_at(now))


# --- roles beside the names ---------------------------------------------------------------------------


def roles_to_filter_by(session: Session, by: Actor) -> list[Role]:
    """The roles that people in the reader's reach may hold: the default ones, and those his unit has made."""
    known = (*default_roles(session), *own_roles(session, Home(by.school_id, by.region_code)))
    return [role for role in known if role.level in levels_below(by)]


def roles_of(session: Session, users: Sequence[User]) -> dict[int, list[Role]]:
    """Account id → the roles in use now."""
    query = (
        sa.select(Grant.person_id, Role)
        .join(Role, Role.id == Grant.role_id)
        .where(Grant.person_id.in_([user.id for user in users]), Grant.usable)
        .where(*rights.open_at(datetime.now(UTC)))
        .order_by(Grant.id)
    )
    found: dict[int, list[Role]] = {}
    for person_id, role in session.execute(query):
        held = found.setdefault(person_id, [])
        if role not in held:
            held.append(role)
    return found
