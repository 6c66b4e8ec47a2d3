"""The application on one kind of database, and fresh copies of a database that holds the cast."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from tests.postgres import OWNER, READER, Server

READS = ("SELECT", "PRAGMA", "SHOW", "EXPLAIN", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET")
WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)")


class Gate:
    """The application as a browser reaches it, one test after another. A request that a page sends as it goes away may come
    when the next test has begun: it must neither meet half a database nor write into the next one. So windows carry the
    number of their test in a cookie, and who carries an old one is not let in."""

    COOKIE = "test"

    def __init__(self, app: Flask) -> None:
        self.app, self.test, self.inside, self.turn = app, 0, 0, threading.Condition()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self.turn:
            if parse_cookie(environ).get(self.COOKIE, str(self.test)) != str(self.test):
                return Response(status=503)(environ, start_response)
            self.inside += 1
        try:
            with closing(self.app(environ, start_response)) as answer:
                return list(answer)
        finally:
            with self.turn:
                self.inside -= 1
                self.turn.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Between two tests: nobody is inside, and whoever comes waits."""
        with self.turn:
            self.turn.wait_for(lambda: self.inside == 0)
            self.test += 1
            yield


class Site:
    """One application of this worker. `refresh()` puts a fresh copy beneath it, unless nothing was written.

    `written` are the tables that statements of the application named; `is_written` stands for anything else.
    """

    def __init__(self, app: Flask, kind: str) -> None:
        self.app = app
        self.kind = kind
        self.gate = Gate(app)
        self.is_written = True
        self.written: set[str] = set()

    @staticmethod
    def make(kind: str, home: Path, server: Server | None) -> Site:
        home.mkdir(parents=True, exist_ok=True)
        return PostgresSite(home, server) if server else SqliteSite(home)

    def prepare_template(self, run_home: Path, fill: Callable[[Session], None]) -> None:
        """Builds the database that copies are made of, once in a run; the caller holds the run's lock."""
        raise NotImplementedError

    def copy(self) -> None:
        raise NotImplementedError

    def mend(self) -> None:
        """Puts back the tables that are `written`."""
        self.copy()

    def close(self) -> None:
        self.forget_connections()

    def refresh(self) -> None:
        with self.gate.closed():
            if self.is_written or self.written:
                self.forget_connections()
                self.copy() if self.is_written else self.mend()
                self.is_written, self.written = False, set()

    def engines(self) -> tuple[Engine, Engine]:
        from app.extensions import db

        with self.app.app_context():
            return db.engine, self.app.extensions["reading"].session_factory.kw["bind"]

    def watch(self) -> None:
        """Notices each statement that may have changed something."""

        def notice(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            text = statement.lstrip("( \n")
            if named := WRITES.match(text):
                self.written.add(named[1])
            elif not text.upper().startswith(READS):
                self.is_written = True

        event.listen(self.engines()[0], "before_cursor_execute", notice)

    def forget_connections(self) -> None:
        for engine in self.engines():
            engine.dispose()

    def build(self, fill: Callable[[Session], None]) -> None:
        from flask_migrate import upgrade

        from app.extensions import db

        with self.app.app_context():
            upgrade()
            fill(db.session())
            db.session.remove()
        self.forget_connections()


def make_app(url: str, home: Path, read_url: str = "") -> Flask:
    from app import create_app

    return create_app(
        TESTING=True,
        SECRET_KEY="for tests only, and long enough to be taken",
        DATABASE_URL=url,
        READ_DATABASE_URL=read_url,
        REDIS_URL="",
        EVIDENCE_URL=f"file://{home / 'evidence'}",
        FAB_PASSWORD_HASH_METHOD="pbkdf2:sha256:1000",  # quick, and only here
        RATELIMIT_ENABLED=False,
        SERVER_NAME=None,
    )


class SqliteSite(Site):
    def __init__(self, home: Path) -> None:
        self.path = home / "xueji.db"
        super().__init__(make_app(f"sqlite:///{self.path}", home), "sqlite")
        self.watch()

    def prepare_template(self, run_home: Path, fill: Callable[[Session], None]) -> None:
        self.template = run_home / "template.db"
        if not self.template.exists():
            self.build(fill)
            shutil.move(self.path, self.template)

    def copy(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{ending}").unlink()
        shutil.copyfile(self.template, self.path)


class PostgresSite(Site):
    TEMPLATE = "xueji_template"
    pristine: Pristine | None = None

    def __init__(self, home: Path, server: Server) -> None:
        self.server = server
        self.name = f"xueji_{home.name}"
        read_url = server.url(self.name, READER)
        super().__init__(make_app(server.url(self.name), home, read_url), "postgres")
        self.watch()

    def prepare_template(self, run_home: Path, fill: Callable[[Session], None]) -> None:
        mark = run_home / "template.postgres"
        if mark.exists():
            return
        self.server.run(f"CREATE DATABASE {self.name} OWNER {OWNER}")
        self.server.run(
            f"GRANT USAGE ON SCHEMA public TO {READER}",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
            database=self.name,
        )
        self.build(fill)
        self.server.run(f"ALTER DATABASE {self.name} RENAME TO {self.TEMPLATE}")
        mark.touch()

    def copy(self) -> None:
        self.server.run(
            f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)",
            f"CREATE DATABASE {self.name} TEMPLATE {self.TEMPLATE} OWNER {OWNER}",
        )
        if self.pristine is None:
            with self.server.connect(self.name) as connection:
                self.pristine = Pristine(connection)

    def mend(self) -> None:
        assert self.pristine is not None
        with self.server.connect(self.name) as connection:
            self.pristine.put_back(connection, self.written)

    def close(self) -> None:
        super().close()
        self.server.run(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


class Pristine:
    """What a copy of the template holds, so that the few tables that a test wrote to can be put back by themselves: some
    20 ms, where a whole copy takes 200 and more."""

    COLUMNS = """
        SELECT relname, array_agg(attname ORDER BY attnum)::text[]
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        GROUP BY relname"""
    SEQUENCES = """
        SELECT array_agg(sequencename)::text[], array_agg(coalesce(last_value, start_value)),
               array_agg(last_value IS NOT NULL)
        FROM pg_sequences"""
    FOLLOWERS = """
        SELECT confrelid::regclass::text, conrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND (confupdtype NOT IN ('a', 'r') OR confdeltype NOT IN ('a', 'r'))"""
    END_OTHERS = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    SET_SEQUENCES = """
        SELECT setval(name::regclass, at, is_used)
        FROM unnest(%s::text[], %s::bigint[], %s::bool[]) AS one(name, at, is_used)"""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.columns = dict(connection.execute(self.COLUMNS).fetchall())
        self.sequences = connection.execute(self.SEQUENCES).fetchone()
        self.followers = connection.execute(self.FOLLOWERS).fetchall()
        self.rows = {table: self._read(connection, table) for table in self.columns}

    def _read(self, connection: psycopg.Connection[Any], table: str) -> bytes:
        with connection.cursor().copy(self._words("COPY {} ({}) TO STDOUT", table)) as out:
            return b"".join(out)

    def _words(self, form: LiteralString, table: str) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns[table]))
        return sql.SQL(form).format(sql.Identifier(table), columns)

    def put_back(self, connection: psycopg.Connection[Any], written: set[str]) -> None:
        """Ends every other connection, whose locks the first statement waits for; no trigger and no foreign key is asked."""
        connection.execute(self.END_OTHERS)
        connection.execute("SET LOCAL session_replication_role = replica")
        for table in self._reached(written):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            with connection.cursor().copy(self._words("COPY {} ({}) FROM STDIN", table)) as into:
                into.write(self.rows[table])
        connection.execute(self.SET_SEQUENCES, self.sequences)

    def _reached(self, written: set[str]) -> set[str]:
        """With the tables whose rows a foreign key changes along."""
        reached = set(written)
        while more := {follower for named, follower in self.followers if named in reached} - reached:
            reached |= more
        return reached
