"""Why somebody may or may not: the same decision as everywhere (`rights.decide`), with the grants that made it, those
that would have, and those who could help. The number of statements does not grow with the number of grants.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.core import grants, rights
from app.core.places import regions_above
from app.core.rights import Actor, Grant, Holding, Place, Verdict

Over = Literal["withdrawn", "expired", "begins", "awaits"]


@dataclass(frozen=True, slots=True)
class Borne:
    """A grant with its person, as one who asks about others meets it."""

    person: User
    given: Grant
    holding: Holding


def decide_all(by: Actor, asked: Sequence[str], places: Sequence[Place] | None) -> Verdict:
    """The verdict on all of these powers: the first that is refused, else that on the last, narrowest one."""
    verdicts = [rights.decide(by, power, places) for power in asked]
    return next((verdict for verdict in verdicts if not verdict), verdicts[-1])


def at_places(session: Session, places: Sequence[Place], now: datetime | None = None) -> list[Borne]:
    """Everybody's open grants that may reach one of these places: two statements."""
    schools = {place.school_id for place in places if place.school_id is not None}
    codes = {code for place in places if place.authority_code for code in regions_above(place.authority_code)}
    reaches = sa.or_(Grant.school_id.in_(schools), Grant.region_code.in_(codes))
    return _borne(session, reaches, User.active, *rights.open_at(now or datetime.now(UTC)))


def _borne(session: Session, *where: Any) -> list[Borne]:
    query = sa.select(Grant, User, Role.label).join(User, User.id == Grant.person_id)
    query = query.join(Role, Role.id == Grant.role_id).where(*where).order_by(Grant.id)
    found: Sequence[Any] = session.execute(query).all()
    sets = grants.rights_of_roles(session, {given.role_id for given, _user, _label in found})
    return [Borne(user, given, _holding(given, label, sets[given.role_id])) for given, user, label in found]


def _holding(given: Grant, label: str, held: frozenset[str]) -> Holding:
    return Holding(given.id, label, held, given.extent, given.usable, given.passable, given.until)


def who_may(session: Session, asked: Sequence[str], places: Sequence[Place]) -> list[Borne]:
    """Who holds all of these powers at one of the places, each person by the grant that gives the last of them."""
    found: dict[int, list[Borne]] = {}
    for borne in at_places(session, places):
        found.setdefault(borne.person.id, []).append(borne)
    return [
        next(b for b in mine if b.holding.lacks(asked[-1], places) is None)
        for mine in found.values()
        if all(any(b.holding.lacks(power, places) is None for b in mine) for power in asked)
    ]


def who_could_give(session: Session, asked: Collection[str], places: Sequence[Place]) -> list[Borne]:
    """Who holds these powers there to pass on; the nearest (a school's own people) first."""
    able = [
        borne
        for borne in at_places(session, places)
        if borne.holding.passable
        and borne.holding.powers.issuperset(asked)
        and any(borne.holding.extent.covers(place) for place in places)
    ]
    return sorted(able, key=lambda borne: (bool(borne.given.region_code), borne.given.id))


def once_held(
    session: Session, person_id: int, asked: Collection[str], places: Sequence[Place] | None
) -> list[tuple[Borne, Over]]:
    """The person's grants that would allow it and are not open: taken back, run out, not begun, not confirmed."""
    now = datetime.now(UTC)
    not_open = sa.not_(sa.and_(*rights.open_at(now)))
    found = _borne(session, Grant.person_id == person_id, Grant.usable, not_open)
    return [
        (borne, _over(borne.given, now))
        for borne in found
        if borne.holding.powers.issuperset(asked)
        and (places is None or any(borne.holding.extent.covers(place) for place in places))
    ]


def _over(given: Grant, now: datetime) -> Over:
    if given.withdrawn_at is not None:
        return "withdrawn"
    if given.until is not None and given.until <= now:
        return "expired"
    return "awaits" if given.awaits else "begins"
