"""Sees which statements a page runs, and how PostgreSQL would run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

Statement = tuple[str, Any]


@contextmanager
def statements(*engines: Engine) -> Iterator[list[Statement]]:
    """Every statement that these engines send inside the block, with its parameters."""
    seen: list[Statement] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        seen.append((statement, parameters))

    for engine in set(engines):
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in set(engines):
            event.remove(engine, "before_cursor_execute", note)


def sequential_scans(connection: psycopg.Connection[Any], seen: list[Statement], table: str) -> list[str]:
    """The statements whose plan reads the whole of `table`."""
    found = []
    for statement, parameters in seen:
        if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
            continue
        plan = connection.execute(f"EXPLAIN (FORMAT TEXT) {statement}", parameters or None).fetchall()
        lines = "\n".join(line for (line,) in plan)
        if f"Seq Scan on {table} " in lines + " ":
            found.append(f"{statement}\n{lines}")
    return found
