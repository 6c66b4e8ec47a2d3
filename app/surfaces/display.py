"""One stored value → one cell: label, link, mask, badge. Shared by list, detail, time-line and look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app, session
from flask_babel import gettext as _

from app.core.entity import Entity, registry
from app.core.fields import Choice, Field, Key
from app.core.rights import Actor
from app.surfaces.site import Site
from app.surfaces.viewmodels import Cell, Tone

TONES: Mapping[str, Tone] = {
    "pending": "warn",
    "enrolled": "good",
    "suspended": "info",
    "missing": "bad",
    "problem": "bad",
    "unverified": "neutral",
    "verified": "good",
}


# --- masks and what was revealed ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Revealed:
    """The rows of one entity whose masked values this person has asked to see, with a reason, a moment ago."""

    ids: frozenset[int] = frozenset()

    @classmethod
    def now(cls, entity: type[Entity], by: Actor) -> Revealed:
        kept = session.get("revealed") or {}
        until = float(kept.get("until", 0))
        if (
            kept.get("entity") != entity.key()
            or kept.get("by") != by.id
            or until < datetime.now(UTC).timestamp()
        ):
            return cls()
        return cls(frozenset(kept.get("ids", ()))) if by.has(f"{entity.key()}:reveal") else cls()

    @staticmethod
    def keep(entity: type[Entity], by: Actor, ids: list[int]) -> None:
        until = datetime.now(UTC) + current_app.config["REVEAL_FOR"]
        session["revealed"] = {"entity": entity.key(), "by": by.id, "ids": ids, "until": until.timestamp()}


def is_masked(field: Field, row_id: int | None, revealed: Revealed) -> bool:
    return field.mask is not None and row_id not in revealed.ids


def text_of(field: Field, value: Any, row_id: int | None = None, revealed: Revealed = Revealed()) -> str:
    """The value as people read it, masked unless revealed. Keys give their number: see `cell`."""
    shown = field.show(value)
    if shown and field.mask is not None and is_masked(field, row_id, revealed):
        return field.mask(shown)
    return shown


def linked(obj: Entity, field: Key) -> Any:
    """The row that a key points at, if this person may see it."""
    return getattr(obj, field.link) if field.link else None


def link_text(obj: Entity, field: Key) -> str:
    target = linked(obj, field)
    if target is None:
        return ""
    return str(getattr(target, type(obj).links()[field.link].shown_as) or "")


def cell(obj: Entity, field: Field, site: Site, revealed: Revealed = Revealed()) -> Cell:
    value = getattr(obj, field.name)
    if isinstance(field, Key):
        return _key_cell(obj, field, site)
    text = text_of(field, value, obj.id, revealed)
    tone = TONES.get(str(value)) if isinstance(field, Choice) or field.name == "verification" else None
    masked = bool(text) and is_masked(field, obj.id, revealed)
    return Cell(text, tone=tone, masked=masked, wide=len(text) > 40)


def _key_cell(obj: Entity, field: Key, site: Site) -> Cell:
    target = linked(obj, field)
    url = None
    if isinstance(target, Entity) and site.can_open(type(target)):
        url = site.show_url(type(target), target.id)
    return Cell(link_text(obj, field), url=url)


# --- values of the past (audit) -----------------------------------------------------------------------


def past_text(
    entity: type[Entity], name: str, raw: Any, by: Actor, row_id: int | None, revealed: Revealed
) -> str | None:
    """A raw audit value as people read it today; None when this person may not see the field."""
    field = entity.fields().get(name)
    if field is None or (field.private and not by.has(f"{entity.key()}:{field.private}")):
        return None
    if raw is None:
        return ""
    try:
        value = field.parse(raw)
    except ValueError:
        value = None
    if isinstance(field, Key):
        return _past_key(entity, field, raw)
    return text_of(field, value, row_id, revealed) if value is not None else str(raw)


def _past_key(entity: type[Entity], field: Key, raw: Any) -> str:
    target = field.target.partition(".")[0]
    if target in registry:
        from app.extensions import db

        found = db.session.get(registry[target], int(raw))
        if found is not None:
            return found.shown()
    return _("编号%(id)s", id=raw)
