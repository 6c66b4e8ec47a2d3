"""The address book: who keeps the records of the other schools in the province, and how to reach them as far as they
agreed. One look-up across scopes, which gives four columns and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people import accounts
from app.areas.people.accounts import Home
from app.areas.people.roles import CLERK, SUPER_ADMIN
from app.areas.schools.models import School, SchoolStage
from app.core import grants, rights, scope
from app.core.rights import Actor, Extent, Grant

RIGHT = "address_book:list"
LISTED = (SUPER_ADMIN, CLERK)
PAGE_SIZE = 50
ORDER = (User.school_id, User.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """What others see of somebody; `phone` and `qq` are None where they are not shared, or there are none."""

    person_id: int
    name: str
    school: str
    phone: str | None
    qq: str | None


@dataclass(frozen=True, slots=True)
class Entries:
    """One page, the people of one school together. `count` goes no further than it was asked to, and is 0 where it was not
    asked for."""

    found: list[Entry]
    count: int
    has_previous: bool
    has_next: bool


def look_up(
    session: Session,
    by: Actor,
    q: str = "",
    after: int | None = None,
    before: int | None = None,
    *,
    count_to: int,
    size: int = PAGE_SIZE,
    known: tuple[Extent, ...] = (),
) -> Entries:
    """The entries of the other schools; `q` is part of a name or school, the pinyin of a name, or initials of either. Whose
    account lies in `known` is left out. Raises Denied."""
    rights.require(by, RIGHT)
    with scope.acting(session, rights.system("address book")):
        where = [*_others(session, by), _matches(q)]
        if known:
            where.append(User.id.not_in(sa.select(User.id).where(accounts.within(known))))
        count = int(session.scalar(_count(where, count_to)) or 0) if count_to else 0
        return _page(session, where, after, before, size, count)


def own_entry(session: Session, by: Actor) -> Entry | None:
    """What others see of `by`; None where they see nothing."""
    rights.require(by, RIGHT)
    with scope.acting(session, rights.system("address book")):
        row = session.execute(_entries([_is_listed(), User.id == by.id])).one_or_none()
    return Entry(*row) if row is not None else None


# --- who stands in it ---------------------------------------------------------------------------------


def _is_listed() -> sa.ColumnElement[bool]:
    """Holds one of the listed roles, or a copy of one, at the own school now."""
    roles = grants.made_from(sa.select(Role.id).where(Role.name.in_(LISTED)))
    held = sa.select(Grant.id).where(
        Grant.person_id == User.id,
        Grant.school_id == User.school_id,
        Grant.role_id.in_(sa.select(roles.c.id)),
        Grant.usable,
        *rights.open_at(datetime.now(UTC)),
    )
    return sa.and_(User.active, held.exists())


def _others(session: Session, by: Actor) -> list[sa.ColumnElement[bool]]:
    """Of the same province, and not of the own school."""
    here = [
        place.authority_code[:2]
        for place in Home(by.school_id, by.region_code).places(session)
        if place.authority_code
    ]
    provinces = [
        SchoolStage.authority_code.between(f"{code}0000", f"{code}9999") for code in sorted(set(here))
    ]
    schools = sa.select(SchoolStage.school_id).where(sa.or_(sa.false(), *provinces))
    found = [_is_listed(), User.school_id.in_(schools)]
    return found if by.school_id is None else [*found, User.school_id != by.school_id]


# --- searching and paging -----------------------------------------------------------------------------


def _matches(q: str) -> sa.ColumnElement[bool]:
    if not q:
        return sa.true()
    if re.fullmatch(r"[A-Za-z]+", q):
        return sa.or_(accounts.spelled(q.lower()), School.name_initials.contains(q.lower()))
    return sa.or_(User.first_name.contains(q, autoescape=True), School.name.contains(q, autoescape=True))


def _with_school(query: sa.Select[Any]) -> sa.Select[Any]:
    return query.join(School, School.id == User.school_id)


def _entries(where: list[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """What is not shared does not even leave the database."""
    shared = (
        sa.case((User.shares_phone, User.phone), else_=None),
        sa.case((User.shares_qq, User.qq), else_=None),
    )
    return _with_school(sa.select(User.id, User.first_name, School.name, *shared)).where(*where)


def _count(where: list[sa.ColumnElement[bool]], most: int) -> sa.Select[Any]:
    inner = _with_school(sa.select(User.id)).where(*where).limit(most + 1).subquery()
    return sa.select(sa.func.count()).select_from(inner)


def _page(
    session: Session,
    where: list[sa.ColumnElement[bool]],
    after: int | None,
    before: int | None,
    size: int,
    count: int,
) -> Entries:
    """A cursor that names nobody means page one."""
    named = after if before is None else before
    cursor = session.execute(sa.select(*ORDER).where(User.id == named)).one_or_none() if named else None
    query, backwards = _entries(where).limit(size + 1), cursor is not None and before is not None
    if cursor is not None:
        here, there = sa.tuple_(*ORDER), sa.tuple_(*cursor)
        query = query.where(here < there if backwards else here > there)
    order = [column.desc() if backwards else column.asc() for column in ORDER]
    rows = [Entry(*row) for row in session.execute(query.order_by(*order))]
    more, found = len(rows) > size, rows[:size]
    if backwards:
        return Entries(found[::-1], count, has_previous=more, has_next=True)
    return Entries(found, count, has_previous=cursor is not None, has_next=more)
