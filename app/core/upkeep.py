"""The database as a whole: is there anything in it, empty it, copy it while it is in use (SQLite's online backup, pg_dump).

Whether a set-up is sound is asked in `checkup`; evidence files are not in the database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import gettext as _
from sqlalchemy.engine import URL, Engine


def has_people(engine: Engine) -> bool:
    """Whether anybody has an account here, which is where every set-up begins. False without tables."""
    people = Model.metadata.tables["ab_user"]
    with engine.connect().execution_options(unguarded=True) as connection:
        if not sa.inspect(connection).has_table(people.name):
            return False
        return connection.execute(sa.select(people.c.id).limit(1)).first() is not None


def drop_everything(engine: Engine) -> None:
    """Drops every table of ours, and Alembic's mark."""
    unguarded = engine.connect().execution_options(unguarded=True)
    with unguarded as connection, loose_keys(connection), connection.begin():
        Model.metadata.drop_all(connection)
        sa.Table("alembic_version", sa.MetaData()).drop(connection, checkfirst=True)
    engine.dispose()


@contextmanager
def loose_keys(connection: sa.Connection) -> Iterator[None]:
    """SQLite deletes row by row when a table is dropped, and tables refer to each other in circles."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


# --- copies -------------------------------------------------------------------------------------------


class BackupFailed(Exception):
    """No copy was made; the text is a sentence for whoever runs the system."""


def back_up(url: URL, path: str | Path) -> None:
    """Writes a copy to `path`, which must not exist yet. Raises BackupFailed."""
    target = Path(path)
    if target.exists():
        raise BackupFailed(_("%(path)s已存在，没有覆盖。请换一个文件名。", path=target))
    if url.get_backend_name() == "sqlite":
        _copy_sqlite(str(url.database), target)
    else:
        _dump_postgres(url, target)


def _copy_sqlite(database: str, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source:
            part.touch(mode=0o600)
            with closing(sqlite3.connect(part)) as copy:
                source.backup(copy, pages=1_000)  # in steps, so that writers wait for moments only
        part.rename(target)
    except (sqlite3.Error, OSError) as fault:
        part.unlink(missing_ok=True)
        raise _not_written(fault) from None


def _not_written(fault: Exception) -> BackupFailed:
    return BackupFailed(
        _("没有写成备份（%(fault)s）。请检查目录是否存在、可写。", fault=type(fault).__name__)
    )


def _dump_postgres(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupFailed(_("没有找到pg_dump。请安装PostgreSQL客户端后再备份。"))
    try:
        target.touch(mode=0o600)
    except OSError as fault:
        raise _not_written(fault) from None
    done = subprocess.run(
        [program, "--format=custom", "--no-password", f"--file={target}"],
        env=os.environ | _connection(url),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        target.unlink()
        raise BackupFailed(
            _("pg_dump没有完成（返回%(code)s）。请检查数据库地址、密码和版本。", code=done.returncode)
        )


def _connection(url: URL) -> dict[str, str]:
    """What pg_dump needs, in the environment: a command line can be read by everyone on the machine."""
    query = {key: str(value) for key, value in url.query.items()}
    found = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
    }
    return {key: value for key, value in found.items() if value}
