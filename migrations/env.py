"""How Alembic meets the database: through the application's engine, past the walls that guard people's queries.

Everything of one command is one transaction on both databases: it is done, or nothing was. How tables look is in the
models; what a migration does to rows is in the migration.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations.batch import ApplyBatchImpl
from alembic.operations.ops import MigrationScript
from alembic.util import CommandError
from flask import current_app
from flask_babel import gettext as _

from app.core.fields import UtcDateTime
from app.core.upkeep import loose_keys

migrate = current_app.extensions["migrate"]
LOCK_WAIT = "30s"  # for a table that somebody uses; all others queue behind us meanwhile


class SqliteImpl(SQLiteImpl):
    """Replaces Alembic's: transactions hold here, and a table that is rebuilt goes on counting its ids."""

    __dialect__ = "sqlite"
    transactional_ddl = True  # the engine begins transactions itself, so SQLite keeps definitions in them

    def prep_table_for_batch(self, batch_impl: ApplyBatchImpl, table: sa.Table) -> None:
        """A rebuilt table is read off the database, which does not say AUTOINCREMENT, and forgets its highest id."""
        new = batch_impl.new_table
        assert self.connection is not None
        assert new is not None
        if not self.connection.scalar(_counts_ids(table.name)):
            return
        new.dialect_options["sqlite"]["autoincrement"] = True
        counter = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
        highest = sa.select(sa.literal(new.name), counter.c.seq).where(counter.c.name == table.name)
        self.connection.execute(sa.insert(counter).from_select(["name", "seq"], highest))


def _counts_ids(table: str) -> sa.Select[tuple[bool]]:
    known = sa.table("sqlite_master", sa.column("name"), sa.column("type"), sa.column("sql", sa.String))
    return sa.select(known.c.sql.contains("AUTOINCREMENT")).where(
        known.c.type == "table", known.c.name == table
    )


# --- writing migrations -------------------------------------------------------------------------------


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    """Migrations run on both databases, and name the types of the day, not classes of ours that may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum) and not item.native_enum:
        return f"sa.String(length={item.length})"
    if kind == "type" and isinstance(item, sa.JSON):
        return "sa.JSON()"
    if kind == "server_default" and isinstance(getattr(item, "arg", None), sa.True_ | sa.False_):
        return f"sa.{item.arg}()"  # SQLite's 0 is no boolean to PostgreSQL
    return False


def compare_type(ctx: Any, inspected: Any, described: Any, found: Any, meant: Any) -> bool | None:
    """An enumeration is kept as text of its length; everything else is compared as Alembic does."""
    if isinstance(meant, sa.Enum) and not meant.native_enum:
        return not isinstance(found, sa.String) or found.length != meant.length
    return None


def include_object(item: Any, name: str | None, kind: str, reflected: bool, compared_with: Any) -> bool:
    """Leaves out indexes that are for another database than the one at hand. They are written by hand, see 0001."""
    condition = None if reflected else getattr(item, "_ddl_if", None)
    return condition is None or condition.dialect == migrate.db.engine.dialect.name


def number(ctx: Any, revision: Any, directives: list[MigrationScript]) -> None:
    """Migrations are numbered 0001, 0002 …, in the order in which they run, unless --rev-id names one."""
    script = directives[0]
    if script.rev_id and re.fullmatch("[0-9a-f]{12}", script.rev_id):
        script.rev_id = f"{len(list(context.script.walk_revisions())) + 1:04d}"


# --- running them -------------------------------------------------------------------------------------


def run() -> None:
    """On SQLite the write lock is taken at once, and keys are checked at the end instead of at every row."""
    options = {"unguarded": True, "writing": True}
    with migrate.db.engine.connect().execution_options(**options) as connection, loose_keys(connection):
        context.configure(
            connection=connection,
            target_metadata=migrate.db.metadata,
            render_item=render_item,
            include_object=include_object,
            process_revision_directives=number,
            on_version_apply=_require_whole_keys,
            **{**migrate.configure_args, "compare_type": compare_type},
        )
        with context.begin_transaction(), warnings.catch_warnings():
            # SQLite cannot say what its indexes on expressions are; the one we have is PostgreSQL's alone.
            warnings.filterwarnings(
                "ignore", "autogenerate skipping metadata-specified expression-based index"
            )
            try:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.set_config("lock_timeout", LOCK_WAIT, True)))
                context.run_migrations()
            except sa.exc.DBAPIError as fault:
                raise CommandError(_failed(_reason(fault))) from None


def _require_whole_keys(ctx: Any, **rest: Any) -> None:
    """SQLite: no row may point at nothing after a migration; PostgreSQL never stops looking."""
    if ctx.dialect.name != "sqlite":
        return
    dangling = ctx.connection.connection.dbapi_connection.execute("PRAGMA foreign_key_check").fetchall()
    if dangling:
        tables = "、".join(sorted({f"{child} → {parent}" for child, _row, parent, _key in dangling}))
        raise CommandError(_failed(f"FOREIGN KEY {tables}"))


def _failed(reason: str) -> str:
    return _(
        "数据库结构没有更新成功，仍保持原样（%(reason)s）。请把括号中的内容告诉维护人员。", reason=reason
    )


def _reason(fault: sa.exc.DBAPIError) -> str:
    """What the database said, without the rows: neither parameters nor PostgreSQL's details."""
    said = getattr(getattr(fault.orig, "diag", None), "message_primary", None) or str(fault.orig)
    kind = type(fault.orig).__name__
    return kind if isinstance(fault, sa.exc.DataError) else f"{kind}: {said.splitlines()[0]}"


if context.is_offline_mode():
    raise CommandError(_("更新数据库结构需要连接数据库，不能只生成SQL。请去掉--sql。"))
run()
