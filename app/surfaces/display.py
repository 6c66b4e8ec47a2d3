"""One stored value → one cell: label, link, mask, badge. Shared by list, detail, time-line and look-ups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import current_app, session
from flask_babel import gettext as _

from app.core import powers, rights, scope
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
    """The rows of one entity whose masked values this person has asked to see, with a reason, a moment ago; and which of
    its masked fields the person's roles let him see whole."""

    ids: frozenset[int] = frozenset()
    fields: frozenset[str] = frozenset()

    @classmethod
    def now(cls, entity: type[Entity], by: Actor) -> Revealed:
        until = float((session.get("revealed") or {}).get("until", 0))
        return cls.once(entity, by) if until >= datetime.now(UTC).timestamp() else cls()

    @classmethod
    def once(cls, entity: type[Entity], by: Actor) -> Revealed:
        """What was asked for last in this session, though it may not be shown any more."""
        kept = session.get("revealed") or {}
        if kept.get("entity") != entity.key() or kept.get("by") != by.id:
            return cls()
        return cls(frozenset(kept.get("ids", ())), rights.revealed_fields(by, entity))

    @staticmethod
    def lapse() -> None:
        """Nothing is shown from here on; what was is still known."""
        if "revealed" in session:
            session["revealed"] = {**session["revealed"], "until": 0}

    @staticmethod
    def keep(entity: type[Entity], by: Actor, ids: list[int]) -> None:
        until = datetime.now(UTC) + current_app.config["REVEAL_FOR"]
        session["revealed"] = {"entity": entity.key(), "by": by.id, "ids": ids, "until": until.timestamp()}

    def shows(self, field: Field, row_id: int | None) -> bool:
        return field.name in self.fields and row_id in self.ids


def is_masked(field: Field, row_id: int | None, revealed: Revealed) -> bool:
    return field.mask is not None and not revealed.shows(field, row_id)


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


@dataclass(frozen=True)
class Sight:
    """Where a person sees a field on some rows of a page only: field → the rows on which it stays hidden."""

    hidden: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site, entity: type[Entity], fields: Iterable[Field], ids: Collection[int]) -> Sight:
        """One statement for each way in which fields are seen unevenly; none for most people."""
        by, base = site.by, powers.reading_rights(entity)
        uneven = {
            f.name: powers.field_right(entity, f.name, "see")
            for f in fields
            if not rights.holds_wherever(by, powers.field_right(entity, f.name, "see"), base)
        }
        seen = {
            by.reach(power): scope.rows_with(site.session, by, power, entity, ids)
            for power in dict.fromkeys(uneven.values())
        }
        return cls({name: frozenset(ids) - seen[by.reach(power)] for name, power in uneven.items()})

    def shows(self, name: str, row_id: int) -> bool:
        return row_id not in self.hidden.get(name, ())


EVEN = Sight()  # every field on every row
Painter = Callable[[Entity], Cell]
UNSEEN = "—"


def painter(
    entity: type[Entity],
    field: Field,
    site: Site,
    revealed: Revealed = Revealed(),
    sight: Sight = EVEN,
) -> Painter:
    """What makes the cell of one field for row after row: all that does not depend on the row is asked once."""
    paint = _key_painter(entity, field, site) if isinstance(field, Key) else _text_painter(field, revealed)
    if hidden := sight.hidden.get(field.name):
        return lambda obj: Cell(UNSEEN) if obj.id in hidden else paint(obj)
    return paint


def _text_painter(field: Field, revealed: Revealed) -> Painter:
    name, show, mask = field.name, field.show, field.mask
    seen = revealed.ids if name in revealed.fields else frozenset()
    has_tone = isinstance(field, Choice) or name == "verification"

    def paint(obj: Entity) -> Cell:
        value = getattr(obj, name)
        text = show(value)
        masked = mask is not None and bool(text) and obj.id not in seen
        if mask is not None and masked:
            text = mask(text)
        tone = TONES.get(str(value)) if has_tone else None
        return Cell(text, None, tone, masked, len(text) > 40)

    return paint


def _key_painter(entity: type[Entity], field: Key, site: Site) -> Painter:
    if not field.link:
        return lambda obj: Cell("")
    link, shown_as = field.link, entity.links()[field.link].shown_as
    target = sa.inspect(entity).relationships[link].mapper.class_
    can_open = issubclass(target, Entity) and site.can_open(target)

    def paint(obj: Entity) -> Cell:
        found = getattr(obj, link)
        if found is None:
            return Cell("")
        return Cell(
            str(getattr(found, shown_as) or ""), url=site.show_url(target, found.id) if can_open else None
        )

    return paint


def cell(obj: Entity, field: Field, site: Site, revealed: Revealed = Revealed()) -> Cell:
    return painter(type(obj), field, site, revealed)(obj)


# --- values of the past (audit) -----------------------------------------------------------------------


def past_text(field: Field, entity: type[Entity], raw: Any, row_id: int | None, revealed: Revealed) -> str:
    """A raw audit value as people read it today."""
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
