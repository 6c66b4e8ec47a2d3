"""Migrations and models say the same on each database, and a database in use comes through an upgrade whole.

The migrations of `later_migrations` are put on top of ours in a copy of the folder: nothing here depends on which
migrations there are.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import check, downgrade, revision, upgrade
from sqlalchemy.exc import IntegrityError

import config
from app.areas.students.models import Student
from app.core import checkup, saving, scope, upkeep
from app.core.entity import registry
from app.extensions import db
from tests import cast, postgres
from tests.sites import make_app

OURS = config.ROOT / "migrations"
LATER = Path(__file__).parent / "later_migrations"
FIRST = "0001"

GONE = {"ab_user": ("ended_sessions",)}
"""Columns of the first version that later ones no longer have."""

Rows = dict[str, list[dict[str, Any]]]
Later = Callable[[str], str]


@contextmanager
def database() -> Iterator[sa.Connection]:
    """The main database past the walls; what is done is kept."""
    with db.engine.connect().execution_options(unguarded=True) as connection, connection.begin():
        yield connection


@pytest.fixture
def at_work(app: Flask) -> Iterator[Flask]:
    """A database that holds the cast, inside an application context."""
    with app.app_context():
        yield app


@pytest.fixture
def empty(at_work: Flask) -> Flask:
    """A database without a table."""
    upkeep.drop_everything(db.engine)
    return at_work


@pytest.fixture
def later(tmp_path: Path) -> Later:
    """`later("rebuilds_tables")` → a folder with our migrations and that one after them."""

    def add(name: str) -> str:
        folder = tmp_path / name
        shutil.copytree(OURS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        text = (LATER / f"{name}.py").read_text()
        head = ScriptDirectory(str(OURS)).get_current_head()
        (folder / "versions" / f"{name}.py").write_text(text.replace("today's head", str(head)))
        return str(folder)

    return add


# --- what a database looks like -----------------------------------------------------------------------


def described(connection: sa.Connection) -> dict[str, Any]:
    """All that the database itself says of its tables, keys, indexes and counters."""
    asked = sa.inspect(connection)
    found: dict[str, Any] = {"indexes": definitions(connection), "counters": counters(connection)}
    for name in set(asked.get_table_names()) - {"alembic_version"}:
        found[name] = {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], plain_default(c)) for c in asked.get_columns(name)
            },
            "primary": asked.get_pk_constraint(name),
            "unique": sorted_by_name(asked.get_unique_constraints(name)),
            "keys": sorted_by_name(asked.get_foreign_keys(name)),
            "checks": sorted_by_name(asked.get_check_constraints(name)),
        }
    return found


def plain_default(column: Any) -> str | None:
    """Counters are compared by themselves: models of Flask-AppBuilder name theirs, migrations leave it to SERIAL."""
    default = column["default"]
    return None if default is None or default.startswith("nextval(") else default


def sorted_by_name(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda one: one["name"] or "")


def definitions(connection: sa.Connection) -> dict[str, str]:
    """Every index as the database would write it: with its method, its operators, its condition."""
    if connection.dialect.name == "sqlite":
        known = sa.table("sqlite_master", *map(sa.column, ("name", "sql", "type")))
        query = sa.select(known.c.name, known.c.sql).where(known.c.type == "index", known.c.sql.is_not(None))
    else:
        known = sa.table("pg_indexes", *map(sa.column, ("indexname", "indexdef", "schemaname", "tablename")))
        query = sa.select(known.c.indexname, known.c.indexdef).where(
            known.c.schemaname == "public", known.c.tablename != "alembic_version"
        )
    return {name: " ".join(text.split()) for name, text in connection.execute(query)}


def counters(connection: sa.Connection) -> set[str]:
    """Tables whose ids are never used twice (SQLite), sequences (PostgreSQL)."""
    if connection.dialect.name == "postgresql":
        return set(sa.inspect(connection).get_sequence_names())
    known = sa.table("sqlite_master", sa.column("name"), sa.column("sql", sa.String))
    return set(connection.scalars(sa.select(known.c.name).where(known.c.sql.contains("AUTOINCREMENT"))))


def look() -> dict[str, Any]:
    with database() as connection:
        return described(connection)


# --- models and migrations ----------------------------------------------------------------------------


def test_models_and_migrations_agree(at_work: Flask) -> None:
    check()  # exits where they differ


def test_a_difference_would_be_noticed(at_work: Flask) -> None:
    extra = sa.Table("not_migrated", db.metadata, sa.Column("id", sa.Integer, primary_key=True))
    try:
        with pytest.raises(SystemExit):
            check()
    finally:
        db.metadata.remove(extra)


def test_migrations_make_what_the_models_would_make(empty: Flask) -> None:
    """To the last default: Alembic compares neither those, nor conditions and methods of indexes."""
    upgrade()
    migrated = look()
    upkeep.drop_everything(db.engine)
    with database() as connection:
        db.metadata.create_all(connection)
    for table in db.metadata.tables.values():
        for key in (
            table.foreign_key_constraints
        ):  # those PostgreSQL gets after their tables are marked: SQLite would lose them
            key._create_rule = None
    wanted = look()
    assert set(migrated) == set(wanted)
    for part in wanted:
        assert migrated[part] == wanted[part], part


def test_what_only_one_database_has_is_there(at_work: Flask) -> None:
    indexes = look()["indexes"]
    assert "WHERE" in indexes["uq_school_class_number"]
    if db.engine.dialect.name == "postgresql":
        assert "USING gin" in indexes["ix_student_name_pieces"]
    else:
        assert "ix_student_name_pieces" not in indexes
        assert look()["counters"] >= {entity.__tablename__ for entity in registry}


def test_there_is_one_last_migration_and_each_number_is_used_once() -> None:
    scripts = ScriptDirectory(str(OURS))
    assert len(scripts.get_heads()) == 1
    names = sorted(path.name for path in (OURS / "versions").glob("*.py"))
    numbers = [name[:4] for name in names]
    assert numbers == [f"{n:04d}" for n in range(1, len(names) + 1)]
    assert [script.revision for script in scripts.walk_revisions()] == numbers[::-1]


def test_upgrading_twice_changes_nothing(at_work: Flask) -> None:
    before = look(), everything()
    upgrade()
    assert (look(), everything()) == before


def test_the_first_migration_is_not_taken_back(at_work: Flask, caplog: pytest.LogCaptureFixture) -> None:
    before = look(), everything()
    with pytest.raises(SystemExit):
        downgrade(revision="base")
    assert "请恢复备份" in caplog.text
    assert (look(), everything()) == before


# --- an older database with data in it ----------------------------------------------------------------


def everything() -> Rows:
    """Every row of every table, by id."""
    with database() as connection:
        tables = reflected(connection)
        return {
            name: [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings()]
            for name, table in tables.items()
        }


def reflected(connection: sa.Connection) -> dict[str, sa.Table]:
    """The tables as they are in the database, whatever the models say today."""
    known = sa.MetaData()
    known.reflect(connection)
    return {name: table for name, table in known.tables.items() if name != "alembic_version"}


ANY = {
    sa.String: "x",
    sa.Boolean: False,
    sa.Integer: 1,
    sa.Date: date(2026, 9, 1),
    sa.DateTime: datetime(2026, 9, 1, tzinfo=UTC),
}


def any_value(column: sa.Column[Any]) -> Any:
    value = next(value for kind, value in ANY.items() if isinstance(column.type, kind))
    return (
        value.replace(tzinfo=None)
        if db.engine.dialect.name == "sqlite" and isinstance(value, datetime)
        else value
    )


class Old:
    """Writes rows as they could be in a database of the first version."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.tables = reflected(connection)

    def add(self, table: str, **given: Any) -> int:
        """What is not given and must be there is filled with anything. Returns the id."""
        columns = self.tables[table].c
        unknown = set(given) - set(columns.keys())
        assert not unknown, f"{table} of the first version has no {unknown}"
        needed = {
            c.name: any_value(c)
            for c in columns
            if not (c.nullable or c.primary_key or c.server_default is not None or c.name in given)
        }
        done = self.connection.execute(sa.insert(self.tables[table]).values({**needed, **given}))
        return int(done.inserted_primary_key[0])

    def remove(self, table: str, id_: int) -> None:
        found = self.tables[table]
        self.connection.execute(sa.delete(found).where(found.c.id == id_))


def fill(old: Old) -> None:
    """Two schools, a grade with two classes (and one deleted), pupils with all that can hang on one, people, rights."""
    center = old.add(
        "school", school_code="3451000001", name="甲校", authority_code="519921", address="城关镇"
    )
    old.add(
        "school",
        school_code="3451000002",
        name="乙校",
        authority_code="519921",
        central_school_id=center,
        address="乡里",
    )
    place = {"school_id": center, "authority_code": "519921"}
    stage = {**place, "stage": "2", "first_year": 7}
    old.add("school_stage", **stage, years=3)
    grade = old.add("grade", **stage, entry_year=2026)
    teacher = old.add("ab_user", username="lin", email="lin@example.invalid", first_name="林老师", qq="10001")
    for number, deleted in ((1, None), (2, None), (2, any_value(old.tables["school_class"].c.deleted_at))):
        old.add(
            "school_class",
            **place,
            grade_id=grade,
            number=number,
            teacher_id=teacher,
            direction="文科",
            deleted_at=deleted,
        )
    pupils = [
        old.add(
            "student",
            **place,
            grade_id=grade,
            class_id=1,
            name=name,
            student_no=no,
            distance_km=n,
            native_place="川",
        )
        for n, (name, no) in enumerate((("欧阳若曦", "G51"), ("阿依古丽·买买提", "L52"), ("刘浩然", None)))
    ]
    first = {**place, "student_id": pupils[0]}
    photo = old.add("evidence_file", **first, original_name="照片.jpg")
    old.connection.execute(
        sa.update(old.tables["student"]).where(old.tables["student"].c.id == pupils[0]).values(photo_id=photo)
    )
    old.add("family_member", **first, name="欧阳明")
    old.add("number_history", **first, student_no="L51")
    old.add("number_history", **first, student_no="G51")
    old.add(
        "stay",
        **first,
        student_name="欧阳若曦",
        entry_grade_id=grade,
        snapshot={"name": "欧阳若曦", "items": [1, None]},
    )
    change = old.add(
        "change", kind="SUSPEND", student_id=pupils[0], school_id=center, answers={"原因": "因病"}
    )
    old.add("change_party", change_id=change, role="starter", school_id=center)
    role = old.add("ab_role", name="r1", label="学籍管理员")
    root = old.add(
        "role_grant", person_id=teacher, role_id=role, region_code="5199", usable=False, passable=True
    )
    old.add("role_grant", person_id=teacher, role_id=role, school_id=center, under_id=root, grade_ids=[grade])
    for n, id_ in enumerate(pupils):
        old.add(
            "audit_entry",
            action="create",
            entity="student",
            row_id=id_,
            reason="迁入",
            after={"name": str(n), "序": [n]},
        )
    old.remove("student", old.add("student", **place, grade_id=grade, name="已删除", student_no="J99"))


@pytest.fixture
def older(empty: Flask) -> Rows:
    """A database of the first version in use. Gives its rows."""
    upgrade(revision=FIRST)
    with database() as connection:
        fill(Old(connection))
    rows = everything()
    for table, columns in GONE.items():
        rows[table] = [{key: v for key, v in row.items() if key not in columns} for row in rows[table]]
    return rows


def same_columns(rows: Rows, as_in: Rows) -> Rows:
    """The rows, without columns that came later."""
    return {
        name: [
            {key: value for key, value in row.items() if key in old}
            for row, old in zip(rows[name], olds, strict=True)
        ]
        for name, olds in as_in.items()
    }


def test_an_older_database_keeps_every_row(older: Rows, later: Later) -> None:
    assert {name for name, rows in older.items() if len(rows) > 1} >= {
        "student",
        "school",
        "audit_entry",
        "role_grant",
    }
    upgrade(directory=later("rebuilds_tables"))
    newer = everything()
    assert same_columns(newer, older) == older
    assert [pupil["shoe_size"] for pupil in newer["student"]] == [30, 31, 32]


def test_an_older_database_keeps_its_form(older: Rows, later: Later) -> None:
    """Only what the migration names is different afterwards: keys, conditions, counters and all else are as before."""
    upgrade()
    before = look()
    upgrade(directory=later("rebuilds_tables"))
    after = look()
    assert after["student"]["columns"].pop("shoe_size")[:2] == ("INTEGER", False)
    assert after["indexes"].pop("ix_student_shoe_size")
    wider = {
        "student": {"native_place": 80},
        "school": {"address": 200},
        "school_class": {"direction": 60},
        "audit_entry": {"reason": 400},
        "ab_user": {"qq": 40},
        "role_grant": {"region_code": 12},
    }
    for table, columns in wider.items():
        for column, length in columns.items():
            kind, *rest = before[table]["columns"][column]
            before[table]["columns"][column] = (re.sub(r"\d+", str(length), kind), *rest)
    assert after == before


def test_the_way_back_keeps_every_row_and_the_form(older: Rows, later: Later) -> None:
    upgrade()
    before = look(), everything()
    folder = later("rebuilds_tables")
    upgrade(directory=folder)
    downgrade(directory=folder)
    assert (look(), everything()) == before


@pytest.fixture
def upgraded(older: Rows, later: Later) -> dict[str, sa.Table]:
    """An older database in use after an upgrade that rebuilt its tables. Gives its tables."""
    upgrade(directory=later("rebuilds_tables"))
    with database() as connection:
        return reflected(connection)


def is_refused(statement: sa.UpdateBase) -> bool:
    try:
        with database() as connection:
            connection.execute(statement)
    except IntegrityError:
        return True
    return False


def test_keys_still_hold_after_an_upgrade(upgraded: dict[str, sa.Table]) -> None:
    pupil, school, grant, user = (upgraded[name] for name in ("student", "school", "role_grant", "ab_user"))
    assert is_refused(sa.delete(pupil).where(pupil.c.id == 1))
    assert is_refused(sa.delete(school).where(school.c.id == 1))
    assert is_refused(sa.delete(user))
    assert is_refused(sa.delete(upgraded["evidence_file"]))
    assert is_refused(sa.update(pupil).values(class_id=99))
    assert is_refused(sa.update(school).values(central_school_id=99))
    assert is_refused(sa.update(grant).values(under_id=99))
    assert is_refused(sa.update(pupil).values(authority_code="519922"))


def test_numbers_are_still_unique_after_an_upgrade(upgraded: dict[str, sa.Table]) -> None:
    pupil, class_ = upgraded["student"], upgraded["school_class"]
    assert is_refused(sa.update(pupil).values(student_no="G51"))
    assert is_refused(sa.update(class_).where(class_.c.id == 1).values(number=2))
    assert not is_refused(sa.update(class_).where(class_.c.id == 3).values(number=1)), "it is deleted"
    assert is_refused(sa.update(class_).where(class_.c.id == 3).values(deleted_at=None))


def test_a_new_authority_still_moves_everything_along_after_an_upgrade(upgraded: dict[str, sa.Table]) -> None:
    stage = upgraded["school_stage"]
    with database() as connection:
        connection.execute(sa.update(stage).values(authority_code="519900"))
        for name in ("grade", "school_class", "student", "evidence_file", "family_member", "number_history"):
            codes = set(connection.scalars(sa.select(upgraded[name].c.authority_code)))
            assert codes == {"519900"}, name


def test_ids_are_not_used_again_after_an_upgrade(upgraded: dict[str, sa.Table], older: Rows) -> None:
    """The last pupil of the older database was deleted before the upgrade."""
    with database() as connection:
        ever = len(older["student"]) + 1
        row = {key: value for key, value in older["student"][0].items() if key not in ("id", "student_no")}
        done = connection.execute(sa.insert(upgraded["student"]).values(row))
        assert done.inserted_primary_key[0] == ever + 1


def test_the_application_works_on_an_upgraded_database(at_work: Flask, later: Later) -> None:
    upgrade(directory=later("rebuilds_tables"))
    session, id_, moved = db.session(), cast.pupil("欧阳若曦"), {"address": "青岚县新街2号"}
    with scope.acting(session, cast.actor(session, "lin")) as by, saving.work():
        saving.edit(session.get_one(Student, id_), moved, by)
    db.session.remove()
    with database() as connection:
        entries = reflected(connection)["audit_entry"]
        last = connection.execute(sa.select(entries).order_by(entries.c.id.desc()).limit(1)).one()
    assert (last.action, last.row_id, last.after) == ("edit", id_, moved)


# --- when it goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fails_halfway", "leaves_orphans"])
def test_a_migration_that_fails_leaves_no_trace(
    older: Rows, later: Later, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade()
    before = look(), everything()
    with pytest.raises(SystemExit):
        upgrade(directory=later(name))
    assert (look(), everything()) == before
    assert "仍保持原样" in caplog.text
    for secret in ("欧阳", "G51", "UPDATE", "DELETE"):
        assert secret not in caplog.text
    with database() as connection:
        assert is_refused(sa.delete(reflected(connection)["student"])), "keys hold again"


def test_several_migrations_are_done_together_or_not_at_all(empty: Flask, later: Later) -> None:
    with pytest.raises(SystemExit):
        upgrade(directory=later("fails_halfway"))
    assert look() == {"indexes": {}, "counters": set()}


def test_an_upgrade_does_not_wait_for_ever_behind_somebody(
    at_work: Flask, later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time, and none waits longer than its busy time-out")
    env = Path(folder := later("rebuilds_tables"), "env.py")
    env.write_text(env.read_text().replace('LOCK_WAIT = "30s"', 'LOCK_WAIT = "1ms"'))
    before = look()
    with database() as somebody:
        somebody.execute(sa.select(db.metadata.tables["student"].c.id).limit(1))
        with pytest.raises(SystemExit):
            upgrade(directory=folder)
    assert "lock timeout" in caplog.text
    assert look() == before


def wrong_with(app: Flask) -> set[str]:
    """The ids of what `flask check` finds."""
    try:
        return {finding.id for finding in checkup.findings(app)}
    finally:
        db.session.remove()
        app.extensions["reading"].remove()


def test_flask_check_notices_a_database_that_is_behind(
    at_work: Flask, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "C09" not in wrong_with(at_work)
    folder = later("rebuilds_tables")
    monkeypatch.setattr(at_work.extensions["migrate"], "directory", folder)
    said = at_work.test_cli_runner().invoke(args=["check"])
    assert said.exit_code == 1
    assert "C09" in said.output
    assert "flask db upgrade" in said.output
    db.session.remove()
    at_work.extensions["reading"].remove()
    upgrade(directory=folder)
    assert "C09" not in wrong_with(at_work)


def test_flask_check_notices_an_empty_database(empty: Flask) -> None:
    assert "C09" in wrong_with(empty)


# --- what the README says -----------------------------------------------------------------------------


def test_a_new_entity_needs_one_command(at_work: Flask, tmp_path: Path) -> None:
    """flask db revision --autogenerate -m "visits" writes a migration that runs as it is, there and back."""
    from app.core.fields import BigId, UtcDateTime

    folder = str(shutil.copytree(OURS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__")))
    before = look()
    visits = sa.Table(
        "visit",
        db.metadata,
        sa.Column("id", BigId, primary_key=True, autoincrement=True),
        sa.Column(
            "school_id", BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"), nullable=False, index=True
        ),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("kind", sa.Enum("a", "b", native_enum=False, length=20), nullable=False),
        sa.Column("is_late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("notes", sa.JSON(none_as_null=True)),
        sqlite_autoincrement=True,
    )
    try:
        revision(directory=folder, message="visits", autogenerate=True)
        (made,) = Path(folder, "versions").glob("*_visits.py")
        assert int(made.name[:4]) == len(list(OURS.glob("versions/*.py"))) + 1
        text = made.read_text()
        assert "sa.false()" in text
        assert "app." not in text
        upgrade(directory=folder)
        check(directory=folder)
        downgrade(directory=folder)
        assert look() == before
    finally:
        db.metadata.remove(visits)


@pytest.fixture
def by_the_readme(postgres_server: postgres.Server, tmp_path: Path) -> Iterator[Flask]:
    """A server prepared as the README says, under names of its own."""
    text = (config.ROOT / "README.md").read_text().replace("xueji", "guide")
    (block,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    cluster, moved, inside = block.partition("\\connect guide\n")
    assert moved, "default privileges belong to one database"
    for part, where in ((cluster, "postgres"), (inside, "guide")):
        postgres_server.run(*(one.strip() for one in part.split(";") if one.strip()), database=where)
    app = make_app(
        postgres_server.url("guide", "guide"), tmp_path, postgres_server.url("guide", "guide_read")
    )
    with app.app_context():
        yield app
        db.engine.dispose()
        checkup.reading_session(app).get_bind().dispose()
    postgres_server.run("DROP DATABASE guide WITH (FORCE)", "DROP ROLE guide_read", "DROP ROLE guide")


@pytest.mark.postgres
def test_the_readme_leads_to_postgresql(by_the_readme: Flask) -> None:
    upgrade()
    assert not wrong_with(by_the_readme) & {"C07", "C08", "C09", "C10", "C11", "C12"}
    reader = checkup.reading_session(by_the_readme).get_bind()
    school = db.metadata.tables["school"]
    with reader.connect().execution_options(unguarded=True) as connection:
        assert connection.execute(sa.select(school)).all() == []
        connection.rollback()
        connection.execute(sa.text("SET TRANSACTION READ WRITE"))
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            connection.execute(sa.delete(school))
