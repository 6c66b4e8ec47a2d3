"""Server-side look-ups for links: suggestions as one types, within the reader's scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core import codes, names
from app.core.entity import Entity, registry
from app.core.errors import Denied, Missing
from app.core.fields import Code, Field
from app.core.rights import Actor, refusal, searched_fields

LIMIT = 20
MANY = 30  # options of a select; more are found as one types
AREAS = "area"
"""Not rows, but the 12-digit codes of areas."""
Choices = Sequence[tuple[Any, str]]
"""(id, or code of an area; label)"""
Suggest = Callable[[Session, Actor, str, int], Choices]
Label = Callable[[Session, Actor, int], str]

_suggests: dict[str, Suggest] = {}
_labels: dict[str, Label] = {}


def register(table: str, suggest_: Suggest, label: Label | None = None) -> None:
    """For what is no entity (accounts, areas): how to suggest and, where keys point at it, how to name one."""
    _suggests[table] = suggest_
    if label is not None:
        _labels[table] = label


def suggest(session: Session, by: Actor, table: str, typed: str, limit: int = LIMIT) -> Choices:
    """(id, label) of the first rows that match. Raises Missing for unknown tables, Denied without the right."""
    if table in _suggests:
        return _suggests[table](session, by, typed, limit)
    if table not in registry or registry[table].__scope__ == "audit":
        raise Missing()
    entity = registry[table]
    if entity.__scope__ != "open" and not (by.has(f"{table}:list") or by.has(f"{table}:show")):
        raise Denied(refusal(by, f"{table}:list"))
    query = sa.select(entity).order_by(*_order(entity)).limit(limit)
    if typed:
        among = searched_fields(by, entity)
        query = query.where(entity.search(typed, session.get_bind().dialect.name, among))
    return [(obj.id, obj.shown()) for obj in session.scalars(query).unique()]


def spelled(one: Field, options: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The pinyin of each option of a code table, as it is called in Chinese, where there are so many that people find them
    by typing; else none."""
    if not isinstance(one, Code) or len(options) <= MANY:
        return ()
    table = codes.table(one.table)
    return tuple(_reading(table.label(code)) if code else "" for code, _label in options)


_reading = lru_cache(maxsize=1_024)(names.reading_of)


def _order(entity: type[Entity]) -> tuple[Any, ...]:
    column = getattr(entity, entity.__order__.removeprefix("-"))
    return (column, entity.id)


def label_of(session: Session, by: Actor, table: str, raw: str) -> str:
    """The name of the row with this id, or a sentence that it is gone."""
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):
        return ""
    if table in _labels:
        return _labels[table](session, by, int(raw))
    found = session.get(registry[table], int(raw)) if table in registry else None
    return found.shown() if found is not None else _("（已不存在）")
