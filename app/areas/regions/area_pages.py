"""Area codes looked up as one types them into a form."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.areas.regions import area_names
from app.core import grants, places
from app.core.rights import Actor, Extent
from app.surfaces import lookups


def _suggest(session: Session, by: Actor, typed: str, limit: int) -> Sequence[tuple[str, str]]:
    """(12-digit code, the code with its name): regions are everybody's to read."""
    found = area_names.find(session, typed, limit, near=_authority_of(session, by))
    return [(code, places.named(code)) for code in found]


def _authority_of(session: Session, by: Actor) -> str:
    """The region of one's school or bureau: what lies near it is mostly meant."""
    if by.school_id is None:
        return by.region_code or ""
    here = grants.places_of(session, Extent(school_id=by.school_id))
    return next((one.authority_code for one in here if one.authority_code), "")


lookups.register(lookups.AREAS, _suggest)
