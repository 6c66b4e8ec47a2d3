"""Engines: what both databases need on connect, SQLite's write lock, and the read-only engine of the bureau's site."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, has_request_context, request
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app.extensions import db

BUREAU_PATH = "/bureau/"  # whose pages read by the read-only engine
BUSY_MS = 10_000  # how long a SQLite writer waits for another
PREPARED = {"prepared": True}
"""Execution options of a statement that every page asks, and that PostgreSQL plans well without its parameters: by keys,
not by ranges. Planning it costs more than running it, so each connection plans it once."""


def prepare(app: Flask) -> None:
    """Sets the main engine up and makes the read-only one; `app.extensions["reading"]` is its scoped session."""
    _set_up(db.engine)
    reader = make_reader(app.config["DATABASE_URL"], app.config["READ_DATABASE_URL"])
    reading = scoped_session(sessionmaker(reader), scopefunc=db.session.registry.scopefunc)
    app.extensions["reading"] = reading
    app.teardown_appcontext(lambda _error: reading.remove())


def reading_session(app: Flask) -> Session:
    """The session on the read-only engine for this request."""
    return app.extensions["reading"]()


def session_here() -> Session:
    """The session that this request's page reads by: pages of the bureau's site read by the read-only engine."""
    is_bureau = has_request_context() and request.path.startswith(BUREAU_PATH)
    return reading_session(current_app) if is_bureau else db.session()


def make_reader(url: str, read_url: str = "") -> Engine:
    """SQLite is opened with mode=ro; PostgreSQL needs a SELECT-only role or a replica in READ_DATABASE_URL.

    Without READ_DATABASE_URL on PostgreSQL the main role is used inside transactions that start read-only; `flask
    check` then says that this is no wall.
    """
    parsed = make_url(read_url or url)
    if parsed.get_backend_name() == "sqlite":
        parsed = parsed.set(database=f"file:{parsed.database}", query={"mode": "ro", "uri": "true"})
        engine = sa.create_engine(parsed)
    else:
        engine = sa.create_engine(
            _with_driver(parsed), connect_args={"options": "-c default_transaction_read_only=on"}
        )
    _set_up(engine)
    return engine


def _with_driver(url: sa.URL) -> sa.URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def analyze(session: Session) -> None:
    """Tells the query planner how much there is now; after a large load, before anybody reads it."""
    session.connection().execute(sa.text("ANALYZE"), execution_options={"unguarded": True})


def define_on_postgresql(statement: str) -> None:
    """What an index of a model needs to be there first, where tables are made without migrations."""
    event.listen(db.metadata, "before_create", sa.DDL(statement).execute_if(dialect="postgresql"))


def _set_up(engine: Engine) -> None:
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _on_sqlite_connect):
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
    if engine.dialect.name == "postgresql" and not event.contains(engine, "do_execute", _execute_prepared):
        event.listen(engine, "connect", _prepare_on_demand)
        event.listen(engine, "do_execute", _execute_prepared)
        event.listen(engine, "before_cursor_execute", _note_what_runs)
        event.listen(engine, "rollback", _commit_what_only_read)
        event.listen(engine, "commit", _forget_what_ran)


def _on_sqlite_connect(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says when a transaction begins
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    if not connection.execute("PRAGMA query_only").fetchone()[0]:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        except Exception as error:  # a read-only connection cannot set the journal mode, and need not
            if "readonly" not in str(error):
                raise


def _on_sqlite_begin(connection: sa.Connection) -> None:
    """`saving.work()` takes the write lock at once: on SQLite it is the row lock."""
    writes = connection.get_execution_options().get("writing") or (
        db.session.registry.has() and db.session().info.get("writing")
    )
    is_main = connection.engine is db.engine
    driver: Any = connection.connection.dbapi_connection
    driver.execute("BEGIN IMMEDIATE" if writes and is_main else "BEGIN")


# --- prepared statements on PostgreSQL ----------------------------------------------------------------


def _prepare_on_demand(connection: Any, record: Any) -> None:
    """By itself psycopg prepares whatever runs often, and PostgreSQL then plans ranges and pages blindly."""
    connection.prepare_threshold = sys.maxsize


def _execute_prepared(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    is_wanted = bool(context.execution_options.get("prepared"))
    if is_wanted:
        cursor.execute(statement, parameters, prepare=True)
    return is_wanted


def _note_what_runs(
    connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    only_read = connection.info.get("only_read", True) and statement.startswith("SELECT")
    connection.info["only_read"] = only_read


def _commit_what_only_read(connection: sa.Connection) -> None:
    """psycopg forgets its prepared statements at every ROLLBACK; a transaction that is known to have only read may as well
    end with COMMIT, which leaves nothing to roll back. What keeps it from ending so keeps it from the ROLLBACK too, which
    comes next and of which SQLAlchemy makes its own errors."""
    if not connection.invalidated and connection.info.pop("only_read", False):
        driver: Any = connection.connection.dbapi_connection
        with suppress(connection.dialect.loaded_dbapi.Error):
            driver.commit()


def _forget_what_ran(connection: sa.Connection) -> None:
    connection.info.pop("only_read", None)
