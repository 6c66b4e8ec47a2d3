"""What a statement touches, read off its parts: tables it writes, entities it reads, and whether past the mapped classes.

Only inspection, once for each compiled form; what is refused is decided in `scope`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Delete, Update, UpdateBase
from sqlalchemy.sql.expression import ClauseElement, ColumnClause, Join, Select, TableClause, TextClause
from sqlalchemy.sql.selectable import AliasedReturnsRows, TextualSelect

from app.core.entity import Entity, registry

_PLAIN = re.compile(r"[\w.*]+")  # "*" and "1", which SQLAlchemy itself writes as literal columns
_MAPPED = ("parententity", "parentmapper")
_known: WeakKeyDictionary[Compiled, Touch] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Touch:
    """`writes` and `changes` are names of entity tables; `changes` are updates and deletes alone."""

    writes: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    is_text: bool = False
    is_definition: bool = False
    reads: bool = False  # rows of an entity that has a scope
    reads_past: bool = False  # … and not through its mapped class, or in a way that no criterion reaches


def touch_of(compiled: Compiled) -> Touch:
    """What the compiled statement touches."""
    found = _known.get(compiled)
    if found is None:
        found = _known[compiled] = _inspect(compiled.statement)
    return found


def _inspect(statement: Any) -> Touch:
    if isinstance(statement, ExecutableDDLElement):
        return Touch(is_definition=True)
    levels = [list(level) for level in _levels(statement)]
    parts = [part for level in levels for part in level]
    writes = [part for part in parts if isinstance(part, UpdateBase)]
    past = any(_is_past(level) for level in levels)
    reads = past or any(_is_mapped_read(part) for part in parts)
    is_orm = statement._propagate_attrs.get("compile_state_plugin") == "orm"
    return Touch(
        writes=frozenset(name for part in writes if (name := _entity_table(part.table))),
        changes=frozenset(
            name
            for part in writes
            if isinstance(part, Update | Delete) and (name := _entity_table(part.table))
        ),
        is_text=any(_is_text(part) for part in parts),
        reads=reads,
        reads_past=past or (reads and (bool(writes) or not is_orm or any(_is_full_join(p) for p in parts))),
    )


# --- the parts ----------------------------------------------------------------------------------------


def _levels(statement: ClauseElement) -> Iterator[Iterator[Any]]:
    """The statement taken apart: for each select within it, the parts that share its FROM."""
    waiting: list[Any] = [statement]

    def level(top: Any) -> Iterator[Any]:
        inside, seen = [top], set[int]()
        while inside:
            part = inside.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            yield part
            for child in _children(part):
                (waiting if isinstance(child, Select | UpdateBase) else inside).append(child)

    seen_tops: set[int] = set()
    while waiting:
        top = waiting.pop()
        if id(top) not in seen_tops:
            seen_tops.add(id(top))
            yield level(top)


def _children(part: Any) -> Iterator[Any]:
    if isinstance(part, ColumnClause):
        if part.table is not None and not _is_mapped(part):
            yield part.table
    elif isinstance(part, Select):
        # Its own get_children adds the tables of mapped columns, bare
        yield from visitors.HasTraverseInternals.get_children(part)
    elif isinstance(part, UpdateBase):
        yield from (child for child in part.get_children() if child is not part.table)
    elif not (isinstance(part, AliasedReturnsRows) and isinstance(part.element, TableClause)):
        yield from part.get_children()


def _is_past(level: list[Any]) -> bool:
    """Whether a guarded table stands here without its mapped class, which alone brings the criteria along."""
    mapped = {_table_of(part) for part in level if _is_mapped(part)}
    for part in level:
        if isinstance(part, AliasedReturnsRows) and not _is_mapped(part) and _is_guarded(part.element):
            return True
        if _is_guarded(part) and not _is_mapped(part) and part.name not in mapped:
            return True
    return False


def _table_of(part: Any) -> str:
    """The name of the table that a mapped part stands for; "" for an alias, which is a FROM of its own."""
    table = part.table if isinstance(part, ColumnClause) else part
    return table.name if isinstance(table, TableClause) else ""


def _is_mapped(part: Any) -> bool:
    return any(word in part._annotations for word in _MAPPED)


def _is_mapped_read(part: Any) -> bool:
    found = part._annotations.get("parententity") or part._annotations.get("parentmapper")
    if found is None:
        return False
    entity = found.mapper.class_
    return issubclass(entity, Entity) and entity.__scope__ != "open"


def _is_guarded(part: Any) -> bool:
    entity = registry.by_table(part.name) if isinstance(part, TableClause) else None
    return entity is not None and entity.__scope__ != "open"


def _entity_table(table: Any) -> str | None:
    name = getattr(table, "name", None)
    return name if isinstance(table, TableClause) and registry.by_table(str(name)) is not None else None


def _is_text(part: Any) -> bool:
    if isinstance(part, TextClause | TextualSelect):
        return True
    return isinstance(part, ColumnClause) and part.is_literal and not _PLAIN.fullmatch(part.name)


def _is_full_join(part: Any) -> bool:
    """A full join shows rows that its condition refuses, and the scope of a joined entity is in the condition."""
    if isinstance(part, Join):
        return part.full
    return isinstance(part, Select) and any(flags["full"] for *_rest, flags in part._setup_joins)


assert sa.__version__.startswith("2.1."), (
    "the inspection was proved with SQLAlchemy 2.1; run tests/core before moving on"
)
