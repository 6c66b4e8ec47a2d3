"""Area codes looked up as one types them into a form."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.areas.regions import area_names
from app.core import places
from app.core.rights import Actor
from app.surfaces import lookups


def _suggest(session: Session, by: Actor, typed: str, limit: int) -> Sequence[tuple[str, str]]:
    """(12-digit code, the code with its name): regions are everybody's to read."""
    return [(code, places.named(code)) for code in area_names.find(session, typed, limit)]


lookups.register(lookups.AREAS, _suggest)
