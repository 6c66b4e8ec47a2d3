"""Filters that no column answers: a condition on an entity's rows, chosen by a code (how full a class is, when a leave ends).

Declared beside the entity or in an area above it; lists, REST and the bureau's site offer them like any other filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from app.core.entity import Entity
from app.core.fields import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Code):
    """`where` turns a code of `table` into the condition. `needs`: rights without which, on any row that one reads, the
    answer would tell of rows that one does not read; then it is not offered."""

    where: Callable[[str], sa.ColumnElement[bool]]
    needs: tuple[str, ...] = ()
    filter: bool | None = True


_asked: dict[str, dict[str, Question]] = {}
NONE: Mapping[str, Question] = MappingProxyType({})


def ask(entity: type[Entity], question: Question) -> None:
    """Raises ValueError where a column or another question has the name or the label already."""
    known = _asked.setdefault(entity.key(), {})
    others = [*entity.fields().values(), *(one for one in known.values() if one.name != question.name)]
    if question.name in entity.fields() or question.label in {one.label for one in others}:
        raise ValueError(f"{entity.__name__} has {question.name!r} or {question.label!r} already")
    known[question.name] = question


def questions_of(entity: type[Entity]) -> Mapping[str, Question]:
    return _asked.get(entity.key(), NONE)
