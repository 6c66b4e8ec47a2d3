"""Looking on as another person, to see what he sees: read-only, for a short while, only persons below oneself.

What is shown is what both may see, the other by his grants and oneself by one's own: nobody sees more by it than before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core import grants, rights
from app.core.powers import is_limit
from app.core.rights import Actor, Extent, Holding, Verdict

LOOK_FOR = timedelta(minutes=15)
RIGHT = "person:look_as"


def may_look_as(session: Session, by: Actor, other: User) -> Verdict:
    """Whether `by` may look on as this person: somebody else, within reach, who holds nothing beyond him."""
    if by.id == other.id:
        return Verdict(False, _("这是您自己的账号，不需要以他人视角查看。"))
    places = grants.places_of(session, Extent.of(other.school_id, other.region_code))
    verdict = rights.decide(by, RIGHT, places)
    if not verdict:
        return verdict
    if not grants.outranks_all(session, by, grants.held_grants(session, other.id)):
        return Verdict(False, _("%(name)s的权限超出了您的权限，不能以其视角查看。", name=other.first_name))
    return rights.YES


def looking_as(session: Session, by: Actor, other: Actor) -> Actor:
    """`by` with what he and `other` both may use, in the other's place; nothing can be written with it."""
    named = {id_ for held in (*by.holdings, *other.holdings) for id_ in held.extent.class_ids}
    grade_of = grants.grades_of(session, named)
    return replace(
        other,
        id=by.id,
        name=_("%(me)s（%(other)s的视角）", me=by.name, other=other.name),
        holdings=tuple(_shared(by, other, grade_of)),
        looks_as=other.name,
    )


def _shared(by: Actor, other: Actor, grade_of: dict[int, int]) -> Iterator[Holding]:
    for theirs in other.holdings:
        for mine in by.holdings:
            met = theirs.extent.meet(mine.extent, grade_of) if theirs.usable and mine.usable else None
            if met is not None:
                yield replace(theirs, rights=_common(theirs.rights, mine.rights), extent=met, passable=False)


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The rights of both, with the limits of either."""
    return (one & other) | frozenset(right for right in one | other if is_limit(right))
