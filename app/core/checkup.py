"""What is wrong with a set-up: settings, databases, places to write. Behind `flask check`.

Declarations are checked in `startup`; nothing here changes anything that stays.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.core import rights
from app.core.databases import reading_session
from app.core.entity import registry
from app.core.rights import Grant
from app.extensions import db

SQLITE_NEEDED = (3, 37, 0)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: what, and the way out."""

    id: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.id} {self.what}\n    {self.way_out}"


def findings(app: Flask) -> Iterator[Finding]:
    """Everything that is wrong. Needs an application context."""
    for check in CHECKS:
        yield from check(app)
    if unreachable := list(_database_answers(app)):
        yield from unreachable
        return
    for check in DATABASE_CHECKS:
        yield from check(app)


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _unguarded() -> sa.Connection:
    return db.engine.connect().execution_options(unguarded=True)


# --- settings and places ------------------------------------------------------------------------------


def _secret_key(app: Flask) -> Iterator[Finding]:
    kept = Path(app.instance_path) / "secret_key"
    is_kept = kept.exists() and kept.read_text().strip() == app.config["SECRET_KEY"]
    if is_kept and not app.config["DATABASE_URL"].startswith("sqlite"):
        yield Finding(
            "C01",
            _("没有设置SECRET_KEY，现用的是本机instance目录里自动生成的一个；多台机器之间登录状态不能互认。"),
            _("请生成一个随机字符串，在每台机器上设为同一个环境变量SECRET_KEY。"),
        )
    if len(app.config["SECRET_KEY"]) < 32:
        yield Finding(
            "C02",
            _("SECRET_KEY不足32个字符，容易被猜出。"),
            _("请换成更长的随机字符串；换后所有人需要重新登录。"),
        )


def _secure_cookies(app: Flask) -> Iterator[Finding]:
    if app.config["HOST"] not in LOOPBACK and not app.config["SESSION_COOKIE_SECURE"]:
        yield Finding(
            "C03",
            _("对本机以外提供服务，但登录凭据没有限定只走加密连接。"),
            _("请在前面配置HTTPS，并设置SESSION_COOKIE_SECURE=1。"),
        )


def _sqlite_version(app: Flask) -> Iterator[Finding]:
    if _is_sqlite() and sqlite3.sqlite_version_info < SQLITE_NEEDED:
        yield Finding(
            "C04",
            _("SQLite的版本是%(now)s，低于所需的3.37。", now=sqlite3.sqlite_version),
            _("请改用更新的Python或操作系统，或改用PostgreSQL（DATABASE_URL）。"),
        )


def _evidence_home(app: Flask) -> Iterator[Finding]:
    url = urlsplit(app.config["EVIDENCE_URL"])
    if url.scheme != "file":
        return
    home = Path(url.path)
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield Finding(
            "C05",
            _("存放证明材料的目录不能写入：%(path)s。", path=home),
            _("请把该目录的所有者改为运行本系统的用户，或用EVIDENCE_URL指定别处。"),
        )


def _redis_answers(app: Flask) -> Iterator[Finding]:
    if not app.config["REDIS_URL"]:
        return
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        Redis.from_url(app.config["REDIS_URL"], socket_connect_timeout=3, socket_timeout=3).ping()
    except (RedisError, ValueError, OSError):
        yield Finding(
            "C06",
            _("设置了REDIS_URL，但连接不上；限流和后台任务都不能工作。"),
            _("请检查Redis是否在运行、地址和密码是否正确；单机使用可以不设REDIS_URL。"),
        )


# --- databases ----------------------------------------------------------------------------------------


def _database_answers(app: Flask) -> Iterator[Finding]:
    try:
        with _unguarded() as connection:
            connection.execute(sa.select(1))
    except SQLAlchemyError:
        yield Finding(
            "C07",
            _("连接不上数据库（DATABASE_URL）。"),
            _("请检查数据库是否在运行、地址、用户名和密码是否正确，SQLite所在目录是否可写。"),
        )


def _collation(app: Flask) -> Iterator[Finding]:
    if _is_sqlite():
        return
    row = sa.table("pg_database", *map(sa.column, ("datname", "datcollate", "datctype", "encoding")))
    found = sa.select(row.c.datcollate, row.c.datctype, sa.func.pg_encoding_to_char(row.c.encoding))
    with _unguarded() as connection:
        collate, ctype, encoding = connection.execute(
            found.where(row.c.datname == sa.func.current_database())
        ).one()
    if {_plain(collate), _plain(ctype)} != {"cutf8"} or encoding != "UTF8":
        yield Finding(
            "C08",
            _(
                "数据库的排序规则是%(now)s（%(encoding)s），不是C.UTF-8；排序和查找的结果会不一致。",
                now=collate,
                encoding=encoding,
            ),
            _("请用createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8新建数据库，再迁入数据。"),
        )


def _plain(locale: str) -> str:
    return locale.lower().replace("-", "").replace(".", "")


def _migrations(app: Flask) -> Iterator[Finding]:
    wanted = set(ScriptDirectory(app.extensions["migrate"].directory).get_heads())
    with _unguarded() as connection:
        found = set(MigrationContext.configure(connection).get_current_heads())
    if wanted != found:
        yield Finding(
            "C09",
            _("数据库的表结构与程序的版本不一致。"),
            _("请先备份（flask backup），再运行flask db upgrade。"),
        )


def _reader_is_own(app: Flask) -> Iterator[Finding]:
    if not _is_sqlite() and not app.config["READ_DATABASE_URL"]:
        yield Finding(
            "C10",
            _("没有设置READ_DATABASE_URL，主管部门查看端用的是可写的数据库角色。"),
            _("请建立一个只有SELECT权限的角色或只读副本，把它的地址设为READ_DATABASE_URL。"),
        )


def _reader_refuses(app: Flask) -> Iterator[Finding]:
    if not _is_sqlite() and not app.config["READ_DATABASE_URL"]:
        return  # said in C10
    try:
        engine: Any = reading_session(app).get_bind()
        with engine.connect() as plain:
            can_write = _can_write(plain.execution_options(unguarded=True))
    except SQLAlchemyError:
        yield Finding(
            "C11",
            _("连接不上查看端的只读数据库（READ_DATABASE_URL），或它读不到表。"),
            _("请检查地址和密码，并授予该角色各表的SELECT权限。"),
        )
        return
    if can_write:
        yield Finding(
            "C12",
            _("查看端的数据库角色可以写入；数据库本身没有挡住修改。"),
            _("请收回该角色的INSERT、UPDATE、DELETE、TRUNCATE权限和超级用户身份，只留SELECT。"),
        )


def _can_write(connection: sa.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return _sqlite_writes(connection)
    if connection.scalar(sa.select(sa.func.pg_is_in_recovery())):
        return False
    tables = [entity.__tablename__ for entity in registry]
    for name in tables:
        connection.execute(sa.select(sa.table(name, sa.column("id"))).limit(0))
    asked = (sa.func.has_table_privilege(name, "INSERT, UPDATE, DELETE, TRUNCATE") for name in tables)
    return bool(connection.scalar(sa.select(sa.or_(*asked))))


def _sqlite_writes(connection: sa.Connection) -> bool:
    attempt = sa.Table("check_of_writing", sa.MetaData(), sa.Column("id", sa.Integer))
    try:
        connection.execute(sa.schema.CreateTable(attempt))
    except OperationalError:
        return False
    finally:
        connection.rollback()
    return True


def _rights_synced(app: Flask) -> Iterator[Finding]:
    if not _has_table("ab_permission_view"):
        return  # said in C09
    if missing := rights.missing_pairs(db.session()):
        yield Finding(
            "C13",
            _("有%(n)s项权限还没有写入数据库，角色里选不到它们。", n=len(missing)),
            _("请运行flask rights --sync。"),
        )


def _has_root(app: Flask) -> Iterator[Finding]:
    if not _has_table(Grant.__tablename__):
        return
    open_root = sa.select(Grant.id).where(
        Grant.passable, Grant.giver_id.is_(None), Grant.withdrawn_at.is_(None)
    )
    if db.session().scalar(open_root.limit(1)) is None:
        yield Finding(
            "C14",
            _("还没有任何主管部门管理员持有可转授的授权，谁也不能给别人授权。"),
            _("请运行flask grant-root 用户名 区划代码。"),
        )


def _has_table(name: str) -> bool:
    with _unguarded() as connection:
        return bool(sa.inspect(connection).has_table(name))


CHECKS: tuple[Callable[[Flask], Iterator[Finding]], ...] = (
    _secret_key,
    _secure_cookies,
    _sqlite_version,
    _evidence_home,
    _redis_answers,
)
DATABASE_CHECKS: tuple[Callable[[Flask], Iterator[Finding]], ...] = (
    _collation,
    _migrations,
    _reader_is_own,
    _reader_refuses,
    _rights_synced,
    _has_root,
)
