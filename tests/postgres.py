"""A PostgreSQL server for one test run, from the system's binaries, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

OWNER, READER = "xueji", "xueji_read"
QUICK = "fsync=off,synchronous_commit=off,full_page_writes=off,shared_buffers=64MB,listen_addresses="


@dataclass(frozen=True, slots=True)
class Server:
    """`home` holds data and socket."""

    home: Path

    def url(self, database: str, user: str = OWNER) -> str:
        return f"postgresql+psycopg://{user}@/{database}?host={self.home}"

    def connect(self, database: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """As the server's superuser."""
        return psycopg.connect(host=str(self.home), user="postgres", dbname=database, autocommit=autocommit)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Runs statements as the server's superuser, each on its own."""
        with self.connect(database, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@cache
def binaries() -> Path | None:
    """Where initdb and postgres are, the newest version first."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found and (plain := shutil.which("initdb")):
        found = [Path(plain).parent]
    return max(found, key=lambda path: [int(part) for part in path.parts if part.isdecimal()], default=None)


def why_not() -> str:
    """Why there can be no server here, or ""."""
    if binaries() is None:
        return "PostgreSQL is not installed"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


def _unprivileged() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


def _run(program: str, *args: str) -> None:
    words = [str(binaries() / program), *args]  # type: ignore[operator]
    user = {}
    if os.geteuid() == 0:
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    done = subprocess.run(words, cwd="/", capture_output=True, text=True, check=False, **user)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


def start(run_home: Path) -> Server:
    """The server of this run; the caller holds the run's lock."""
    mark = run_home / "postgres.home"
    if mark.exists():
        return Server(Path(mark.read_text()))
    home = Path(tempfile.mkdtemp(prefix="xueji-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    data = str(home / "data")
    _run(
        "initdb",
        "-D",
        data,
        "--locale=C.UTF-8",
        "--encoding=UTF8",
        "-A",
        "trust",
        "-U",
        "postgres",
        "--no-sync",
    )
    settings = " ".join(f"-c {setting}" for setting in (*QUICK.split(","), f"unix_socket_directories={home}"))
    mark.write_text(str(home))
    _run("pg_ctl", "-D", data, "-o", settings, "-l", str(home / "log"), "-w", "start")
    server = Server(home)
    server.run(f"CREATE ROLE {OWNER} LOGIN", f"CREATE ROLE {READER} LOGIN")
    return server


def stop(run_home: Path) -> None:
    mark = run_home / "postgres.home"
    if mark.exists():
        home = Path(mark.read_text())
        _run("pg_ctl", "-D", str(home / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)
