"""One stored value → one cell: label, link, mask, badge. Shared by list, detail, time-line and look-ups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from flask import current_app, session
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core import powers, rights, scope
from app.core.entity import Entity, registry
from app.core.fields import Choice, Code, Field, Flag, Key
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


KEPT_MOST = 400  # ids in the signed session, of which a browser keeps 4 KB
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Revealed:
    """The rows of one entity whose masked values this person has asked to see, with a reason, a moment ago: by their ids,
    and through keys what hangs on a revealed row; and which masked fields his roles let him see whole."""

    ids: frozenset[int] = frozenset()
    through: Mapping[str, frozenset[int]] = field(default_factory=dict)
    fields: frozenset[str] = NOTHING

    @classmethod
    def now(cls, entity: type[Entity], by: Actor) -> Revealed:
        return cls._of(entity, by, _kept_for(by))

    @classmethod
    def once(cls, entity: type[Entity], by: Actor) -> Revealed:
        """What was asked for last in this session, though it may not be shown any more."""
        return cls._of(entity, by, _kept_for(by, lapsed=True))

    @classmethod
    def _of(cls, entity: type[Entity], by: Actor, kept: Iterable[tuple[str, int, list[int]]]) -> Revealed:
        found: dict[str, set[int]] = {}
        for words, _until, ids in kept:
            for word in words.split():
                key, _dot, column = word.partition(".")
                if key == entity.key():
                    found.setdefault(column, set()).update(ids)
        if not found:
            return cls()
        own = frozenset(found.pop("", ()))
        through = {column: frozenset(ids) for column, ids in found.items()}
        return cls(own, through, rights.revealed_fields(by, entity))

    @staticmethod
    def lapse() -> None:
        """Nothing is shown from here on; what was is still known."""
        if kept := session.get("revealed"):
            session["revealed"] = {**kept, "sets": [[words, 0, ids] for words, _until, ids in kept["sets"]]}

    @staticmethod
    def keep(by: Actor, opened: Mapping[str, Collection[int]]) -> None:
        """`opened`: as `opened_by` gives it. What was revealed before stays so for its time, the latest first."""
        until = int((datetime.now(UTC) + current_app.config["REVEAL_FOR"]).timestamp())
        kept, room = [], KEPT_MOST
        for words, ends, ids in [
            *((words, until, sorted(ids)) for words, ids in opened.items()),
            *_kept_for(by),
        ]:
            room -= len(ids)
            if room >= 0:
                kept.append([words, ends, ids])
        session["revealed"] = {"by": by.id, "sets": kept}

    def opens(self, row_id: int | None, row: Any) -> bool:
        """Whether the row's values are revealed. `row` has the keys: the row itself, or its line in the audit."""
        return row_id in self.ids or any(getattr(row, key, None) in ids for key, ids in self.through.items())

    def whole(self, row_id: int | None, row: Any) -> frozenset[str]:
        """The masked fields that are shown whole in this row."""
        return self.fields if self.fields and self.opens(row_id, row) else NOTHING


def _kept_for(by: Actor, *, lapsed: bool = False) -> list[tuple[str, int, list[int]]]:
    kept, now = session.get("revealed") or {}, datetime.now(UTC).timestamp()
    if kept.get("by") != by.id:
        return []
    return [(words, until, ids) for words, until, ids in kept.get("sets", ()) if lapsed or until > now]


def opened_by(here: Session, by: Actor, entity: type[Entity], ids: Collection[int]) -> dict[str, list[int]]:
    """What a reveal of these rows opens: the rows themselves, and what hangs on them, as far as its own right to reveal
    reaches. Words ("student family_member.student_id") → the ids for which all of them hold."""
    words = {id_: [entity.key()] for id_ in ids}
    for child, column in revealed_along(by, entity):
        for id_ in set(ids) - _shut(here, by, child, column, ids):
            words[id_].append(f"{child.key()}.{column}")
    found: dict[str, list[int]] = {}
    for id_, said in words.items():
        found.setdefault(" ".join(said), []).append(id_)
    return found


def revealed_along(by: Actor, entity: type[Entity]) -> list[tuple[type[Entity], str]]:
    """(entity, key column) of what hangs on rows of this one and may be revealed with them."""
    return [
        (child, column)
        for child, column in registry.children_of(entity)
        if _has_masks(child) and by.has(f"{child.key()}:reveal")
    ]


def reveals_through(entity: type[Entity]) -> list[str]:
    """The keys by which rows of this entity may be revealed with the row they point at."""
    if not _has_masks(entity):
        return []
    keys = {n: f.target.partition(".")[0] for n, f in entity.fields().items() if isinstance(f, Key)}
    return [name for name, target in keys.items() if target in registry and _has_masks(registry[target])]


def _has_masks(entity: type[Entity]) -> bool:
    return any(f.mask for f in entity.fields().values())


def _shut(here: Session, by: Actor, child: type[Entity], column: str, ids: Collection[int]) -> set[int]:
    """On which of these hangs a row that this person reads and may not reveal."""
    right = f"{child.key()}:reveal"
    if rights.holds_wherever(by, right, powers.reading_rights(child)):
        return set()
    key = getattr(child, column)
    owners: dict[int, int] = dict(here.execute(sa.select(child.id, key).where(key.in_(ids))).all())
    may = scope.rows_with(here, by, right, child, owners)
    return {owner for id_, owner in owners.items() if id_ not in may}


def is_masked(field: Field, whole: Collection[str] = NOTHING) -> bool:
    """`whole`: as `Revealed.whole` gives it."""
    return field.mask is not None and field.name not in whole


def text_of(field: Field, value: Any, whole: Collection[str] = NOTHING) -> str:
    """The value as people read it, masked unless revealed. Keys give their number: see `cell`."""
    shown = field.show(value)
    if shown and field.mask is not None and is_masked(field, whole):
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
_drawings: dict[tuple[str, str], Painter] = {}


def draw(entity: type[Entity], name: str, paint: Painter) -> None:
    """The cell of a field that is no text, drawn by whoever knows the field; it asks nothing beyond the row."""
    _drawings[entity.key(), name] = paint


def is_worded(entity: type[Entity], field: Field) -> bool:
    """Whether a list has something to show in the field's cells: not in keys that only the program follows."""
    if isinstance(field, Key):
        return bool(field.link) or (entity.key(), field.name) in _drawings
    return powers.is_offered(field)


def painter(
    entity: type[Entity],
    field: Field,
    site: Site,
    revealed: Revealed = Revealed(),
    sight: Sight = EVEN,
) -> Painter:
    """What makes the cell of one field for row after row: all that does not depend on the row is asked once."""
    paint = _painter(entity, field, site, revealed)
    if hidden := sight.hidden.get(field.name):
        return lambda obj: Cell(UNSEEN) if obj.id in hidden else paint(obj)
    return paint


def _painter(entity: type[Entity], field: Field, site: Site, revealed: Revealed) -> Painter:
    if drawn := _drawings.get((entity.key(), field.name)):
        return drawn
    return _key_painter(entity, field, site) if isinstance(field, Key) else _text_painter(field, revealed)


def _text_painter(field: Field, revealed: Revealed) -> Painter:
    name, show, mask = field.name, field.show, field.mask
    can_open = name in revealed.fields
    has_tone = isinstance(field, Choice) or name == "verification"

    def paint(obj: Entity) -> Cell:
        value = getattr(obj, name)
        text = show(value)
        masked = mask is not None and bool(text) and not (can_open and revealed.opens(obj.id, obj))
        if mask is not None and masked:
            text = mask(text)
        tone = TONES.get(str(value)) if has_tone else None
        return Cell(text, None, tone, masked, len(text) > 40)

    is_one_of_few = mask is None and isinstance(field, Choice | Code | Flag)
    return _once_for_each(paint, attrgetter(name)) if is_one_of_few else paint


def _once_for_each(paint: Painter, key: Callable[[Entity], Any]) -> Painter:
    """For what many rows of a page have in common: a status, a class."""
    cells: dict[Any, Cell] = {}

    def paint_once(obj: Entity) -> Cell:
        value = key(obj)
        if value not in cells:
            cells[value] = paint(obj)
        return cells[value]

    return paint_once


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

    return _once_for_each(paint, attrgetter(link))


def cell(obj: Entity, field: Field, site: Site, revealed: Revealed = Revealed()) -> Cell:
    return painter(type(obj), field, site, revealed)(obj)


# --- values of the past (audit) -----------------------------------------------------------------------


def past_text(field: Field, raw: Any, site: Site, whole: Collection[str] = NOTHING) -> str:
    """A raw audit value as people read it today; one that cannot be read any more is masked as it stands."""
    if raw is None:
        return ""
    if isinstance(field, Key):
        return _past_key(field, raw, site)
    try:
        value = field.parse(raw)
    except ValueError:
        value = None
    if value is None:
        return field.mask(str(raw)) if field.mask is not None and is_masked(field, whole) else str(raw)
    return text_of(field, value, whole)


def _past_key(field: Key, raw: Any, site: Site) -> str:
    """By the site's own session: the bureau's reads from its own engine."""
    target = field.target.partition(".")[0]
    found = site.session.get(registry[target], int(raw)) if target in registry else None
    return found.shown() if found is not None else _("编号%(id)s", id=raw)
