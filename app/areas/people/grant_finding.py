"""Which grants somebody sees: those of the places he administers, those he gave, his own; by state, person and role.

Grants are no entities, so the read wall does not cover them: every look-up of one or of many starts from `Whose`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload

from app.areas.schools.models import SchoolStage
from app.core import grants, rights
from app.core.errors import Invalid, Missing
from app.core.rights import Actor, Extent, Grant
from app.core.wording import N_

PAGE_SIZE = 50
LAPSES_WITHIN = timedelta(days=30)


# --- states -------------------------------------------------------------------------------------------


class State(StrEnum):
    """What becomes of a grant, in this order."""

    WAITING = "waiting"
    LATER = "later"
    OPEN = "open"
    LAPSING = "lapsing"
    ENDED = "ended"


STATES = {
    State.OPEN: N_("有效"),
    State.WAITING: N_("待确认"),
    State.LATER: N_("未开始"),
    State.LAPSING: N_("即将到期"),
    State.ENDED: N_("已结束"),
}


def state_of(given: Grant, now: datetime) -> State:
    """LAPSING is open, too."""
    if given.withdrawn_at is not None or (given.until is not None and given.until <= now):
        return State.ENDED
    if given.awaits:
        return State.WAITING
    if given.starts_at > now:
        return State.LATER
    lapses = given.until is not None and given.until <= now + LAPSES_WITHIN
    return State.LAPSING if lapses else State.OPEN


def is_in(state: State | None, now: datetime) -> sa.ColumnElement[bool]:
    """None: everything that has not ended."""
    if state is State.ENDED:
        return sa.not_(grants.held(now))
    if state is State.WAITING:
        return sa.and_(Grant.awaits, grants.held(now))
    if state is State.LATER:
        return sa.and_(grants.held(now), sa.not_(Grant.awaits), Grant.starts_at > now)
    if state is State.OPEN:
        return sa.and_(grants.held(now), sa.not_(Grant.awaits), Grant.starts_at <= now)
    if state is State.LAPSING:
        return sa.and_(is_in(State.OPEN, now), Grant.until <= now + LAPSES_WITHIN)
    return grants.held(now)


# --- whose --------------------------------------------------------------------------------------------


class Whose(StrEnum):
    """Which grants a list is of."""

    PLACE = "list"  # of the places where one may see grants
    GIVEN = "given"  # by oneself: whoever gave a grant keeps seeing it
    OWN = "own"
    WAITING = "waiting"  # leaders whom one may confirm


def seen(by: Actor, whose: Whose) -> sa.ColumnElement[bool]:
    if whose is Whose.GIVEN:
        return Grant.giver_id == by.id
    if whose is Whose.OWN:
        return Grant.person_id == by.id
    if whose is Whose.WAITING:
        return sa.and_(Grant.awaits, within(by.reach("grant:confirm")))
    return within(by.reach("grant:list"))


def within(extents: Sequence[Extent]) -> sa.ColumnElement[bool]:
    """The grants over places in these extents. An extent narrowed to grades or classes reaches no grant."""
    return sa.or_(sa.false(), *(_in_extent(extent) for extent in extents if not extent.is_narrow))


def _in_extent(extent: Extent) -> sa.ColumnElement[bool]:
    if extent.everywhere:
        return sa.true()
    if not extent.low:
        return Grant.school_id == extent.school_id
    code = SchoolStage.authority_code.between(extent.low, extent.high)
    in_range = Grant.school_id.in_(sa.select(SchoolStage.school_id).where(code))
    if extent.school_id is not None:
        return sa.and_(Grant.school_id == extent.school_id, in_range)
    return sa.or_(Grant.region_code.between(extent.low, extent.high), in_range)


def find(session: Session, by: Actor, grant_id: int) -> Grant:
    """One that `by` sees, whatever became of it. Raises Denied where he may see none but his own, else Missing."""
    mine = sa.or_(*(seen(by, whose) for whose in Whose))
    query = sa.select(Grant).where(Grant.id == grant_id, mine).options(*_WITH)
    found = session.scalar(query.execution_options(populate_existing=True)) if grant_id < 2**63 else None
    if found is None:
        rights.require(by, "grant:list")
        raise Missing()
    return found


def find_held(session: Session, by: Actor, grant_id: int) -> Grant:
    """The same, for acts on it. Raises Missing also where it has ended."""
    found = find(session, by, grant_id)
    if not found.is_held:
        raise Missing()
    return found


_WITH = (joinedload(Grant.person), joinedload(Grant.role), joinedload(Grant.giver))


# --- lists --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for."""

    whose: Whose
    state: State | None = None
    person_id: int | None = None
    role_id: int | None = None


FILTERS = ("person", "role", "state")


def read_asked(whose: Whose, words: Mapping[str, str]) -> Asked:
    """From the words of an address. Raises Invalid for what this list does not know."""
    state, ids = words.get("state", ""), {name: _read_id(words.get(name, "")) for name in ("person", "role")}
    if set(words) - {*FILTERS, "after", "before"} or state not in ("", *State) or 0 in ids.values():
        raise Invalid(_("地址中有这个列表不认识的条件。请返回列表，使用页面上的查询和翻页。"))
    return Asked(whose, State(state) if state else None, ids["person"], ids["role"])


def _read_id(raw: str) -> int | None:
    """0 for what is no number."""
    if not raw:
        return None
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of grants, the latest first."""

    found: list[Grant]
    has_previous: bool
    has_next: bool


def listed(
    session: Session,
    by: Actor,
    asked: Asked,
    after: int | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    query = sa.select(Grant).where(*_conditions(by, asked)).options(*_WITH).limit(size + 1)
    if before is not None:
        found = list(session.scalars(query.where(Grant.id > before).order_by(Grant.id)))
        return Page(found[:size][::-1], len(found) > size, True)
    if after is not None:
        query = query.where(Grant.id < after)
    found = list(session.scalars(query.order_by(Grant.id.desc())))
    return Page(found[:size], after is not None, len(found) > size)


def count(session: Session, by: Actor, asked: Asked, cap: int) -> int:
    """Up to one more than `cap`."""
    inner = sa.select(Grant.id).where(*_conditions(by, asked)).limit(cap + 1).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(inner)) or 0


def first_end(session: Session, by: Actor, asked: Asked) -> datetime | None:
    """When the first of them ends; None where there is none, or none that ends."""
    found: datetime | None = session.scalar(
        sa.select(sa.func.min(Grant.until)).where(*_conditions(by, asked))
    )
    return found


def _conditions(by: Actor, asked: Asked) -> Iterator[sa.ColumnElement[bool]]:
    yield seen(by, asked.whose)
    yield is_in(asked.state, datetime.now(UTC))
    if asked.person_id is not None:
        yield Grant.person_id == asked.person_id
    if asked.role_id is not None:
        yield Grant.role_id == asked.role_id
