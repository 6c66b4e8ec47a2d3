"""What the databases themselves hold fast: the bureau's engine refuses writing, keys are checked, time is in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from app.areas.students.models import FamilyMember, Student
from app.core import rights
from app.core.audit import AuditEntry
from app.core.databases import make_reader, reading_session
from app.extensions import db
from tests import cast

STUDENT, FAMILY = (entity.metadata.tables[entity.__tablename__] for entity in (Student, FamilyMember))

WRITES = {
    "an insert": sa.insert(FAMILY).values(
        student_id=3,
        school_id=1,
        authority_code=cast.QINGLAN,
        name="甲乙",
        relation="51",
        phone="1",
        is_guardian=True,
    ),
    "an update": sa.update(STUDENT).values(address="改了"),
    "a delete": sa.delete(FAMILY),
    "a new table": sa.schema.CreateTable(sa.Table("smuggled", sa.MetaData(), sa.Column("id", sa.Integer))),
    "a table less": sa.schema.DropTable(FAMILY),
}


def reader(app) -> sa.Connection:
    """The bureau's engine with the walls of the application taken away: the database alone must refuse."""
    return reading_session(app).get_bind().connect().execution_options(unguarded=True)


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
def test_the_database_refuses_writing_on_the_bureaus_engine(app, session, statement):
    with reader(app) as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(statement)
    assert "readonly" in str(refused.value) or "read-only" in str(refused.value)


def test_nor_does_it_let_itself_be_talked_into_it(app, session):
    """PostgreSQL's read-only transactions can be left by a word; a role without the right cannot."""
    way_out = (
        "SET TRANSACTION READ WRITE" if db.engine.dialect.name == "postgresql" else "PRAGMA query_only=OFF"
    )
    with reader(app) as connection:
        connection.exec_driver_sql(way_out)
        with pytest.raises(DBAPIError) as refused:
            connection.execute(WRITES["an update"])
    assert "readonly" in str(refused.value) or "permission denied" in str(refused.value)


def test_the_bureaus_engine_reads(app, session):
    with reader(app) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(STUDENT)) == len(cast.PUPILS)


def test_what_is_committed_is_seen_by_the_bureau_at_once(app, session, acting):
    with acting("lin"):
        session.get_one(Student, 3).address = "青岚县城关镇人民路9号"
        session.commit()
    with reader(app) as connection:
        assert connection.scalar(sa.select(STUDENT.c.address).where(STUDENT.c.id == 3)).endswith("9号")


@pytest.mark.postgres
def test_without_a_role_of_its_own_the_engine_at_least_begins_read_only(app, session):
    if db.engine.dialect.name != "postgresql":
        return
    engine = make_reader(app.config["DATABASE_URL"])
    with (
        engine.connect().execution_options(unguarded=True) as connection,
        pytest.raises(DBAPIError) as refused,
    ):
        connection.execute(WRITES["an update"])
    assert "read-only transaction" in str(refused.value)
    engine.dispose()


def test_a_key_that_points_nowhere_is_refused(session, acting):
    with acting("system"):
        session.get_one(Student, 3).class_id = 999_999
        with pytest.raises(IntegrityError):
            session.flush()


def test_a_place_unlike_the_grades_is_refused(session, acting):
    with acting("system"):
        session.get_one(Student, 3).authority_code = cast.SHIXI
        with pytest.raises(IntegrityError):
            session.flush()


def test_an_id_is_never_used_twice(session, acting):
    with acting("system"):
        newest = session.get_one(FamilyMember, len(cast.FAMILY))
        values = {
            a.key: getattr(newest, a.key) for a in sa.inspect(FamilyMember).column_attrs if a.key != "id"
        }
        session.delete(newest)
        session.commit()
        again = FamilyMember(**{**values, "version": 1})
        session.add(again)
        session.commit()
        assert again.id == len(cast.FAMILY) + 1


def test_moments_are_kept_in_utc_and_come_back_aware(session, acting):
    moment = datetime(2026, 9, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    entry = AuditEntry.metadata.tables["audit_entry"]
    row = {"actor_name": "钟", "action": "edit", "entity": "student", "version": 1}
    with db.engine.begin() as connection:
        plain = connection.execution_options(unguarded=True)
        plain.execute(sa.insert(entry).values(at=moment, **row))
        found = plain.scalar(sa.select(entry.c.at).where(entry.c.actor_name == "钟"))
        assert (found, found.tzinfo) == (moment, UTC)
        with pytest.raises(StatementError):
            plain.execute(sa.insert(entry).values(at=datetime(2026, 9, 1), **row))


def test_a_link_that_leads_up_moves_what_is_below_along(session, acting):
    """A pupil's rows follow the pupil in the database itself."""
    with acting("system"):
        one = session.get_one(Student, 3)
        one.grade_id, one.class_id = cast.grade(cast.CHENGGUAN, 7), cast.class_of(cast.CHENGGUAN, 7, 1)
        one.school_id = cast.school(cast.CHENGGUAN)
        session.commit()
        assert session.get_one(FamilyMember, cast.relative("欧阳明")).school_id == cast.school(cast.CHENGGUAN)


def test_settings_of_each_connection(session):
    with db.engine.connect().execution_options(unguarded=True) as connection:
        if connection.dialect.name == "sqlite":
            said = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
            assert said == PRAGMAS
        else:
            assert connection.exec_driver_sql("SHOW server_encoding").scalar() == "UTF8"


PRAGMAS = {"foreign_keys": 1, "journal_mode": "wal", "busy_timeout": 10_000}


# --- what a transaction that only read leaves behind ---------------------------------------------------


@pytest.mark.postgres
def test_what_every_page_asks_is_planned_once_for_each_connection(app, session):
    if db.engine.dialect.name != "postgresql":
        return
    for _again in range(2):
        rights.load_person(session, cast.person("lin"))
        session.rollback()
    asked = sa.text("SELECT statement FROM pg_prepared_statements")
    known = session.scalars(asked, execution_options={"unguarded": True}).all()
    assert len([text for text in known if "role_grant" in text]) == 1


@pytest.mark.parametrize("how", ["by the session", "by a statement", "before reading on"])
def test_what_was_written_and_not_committed_is_gone(app, session, acting, how):
    with acting("lin"):
        pupil = session.get_one(Student, 3)
        before, pupil.address = pupil.address, "青岚县城关镇人民路9号"
        session.flush()
        if how == "by a statement":
            session.connection().execute(
                sa.update(STUDENT).values(address="青岚县"), execution_options={"unguarded": True}
            )
        if how == "before reading on":
            assert session.scalar(sa.select(Student.address).where(Student.id == 3)).endswith("9号")
        session.rollback()
        assert session.get_one(Student, 3).address == before


@pytest.mark.postgres
def test_a_connection_that_broke_after_reading_is_known_as_broken(app, session):
    if db.engine.dialect.name != "postgresql":
        return
    unguarded = {"unguarded": True}
    broken, other = (db.engine.connect().execution_options(**unguarded) for _one in range(2))
    number = broken.scalar(sa.select(sa.func.pg_backend_pid()))
    other.execute(sa.select(sa.func.pg_terminate_backend(number)))
    other.close()
    with pytest.raises(OperationalError):
        broken.rollback()
    assert broken.invalidated
    broken.close()


@pytest.mark.postgres
def test_what_was_written_past_the_engine_is_gone(app, session, acting):
    """A driver's own connection says nothing of what ran: it is rolled back as ever."""
    if db.engine.dialect.name != "postgresql":
        return
    raw = db.engine.raw_connection()
    raw.cursor().execute("UPDATE student SET address = 'x' WHERE id = 3")
    raw.close()
    with acting("lin"):
        assert session.get_one(Student, 3).address != "x"
