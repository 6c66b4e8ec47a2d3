"""The write wall: entity tables change through a session's flush or `saving.many`, checked, and in no other way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.areas.changes.models import Change
from app.areas.regions.models import Region
from app.areas.schools.models import Campus, Grade, School, SchoolClass, SchoolStage
from app.areas.students.models import FamilyMember, NumberHistory, Status, Student
from app.core import powers, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.authority import Authority
from app.core.entity import Entity, registry
from app.core.errors import Denied, Invalid, Refused
from app.core.rights import Actor, Extent, Holding
from app.extensions import db, open_door
from tests import cast
from tests.cast import CHENGGUAN, QINGLAN, SHIXI_ER, YIZHONG, pupil

OUYANG, DRAFT, OTHERS = pupil("欧阳若曦"), pupil("刘浩然"), pupil("吴佳怡")


def snapshot(session: Session) -> dict[str, list[tuple]]:
    """Every row of every entity, past the walls: what a refused write must leave as it was."""
    session.rollback()
    found = {}
    with db.engine.connect().execution_options(unguarded=True) as connection:
        for table in Model.metadata.sorted_tables:
            if registry.by_table(table.name) is not None:
                order = list(table.primary_key.columns)
                found[table.name] = [
                    tuple(row) for row in connection.execute(sa.select(table).order_by(*order))
                ]
    return found


@pytest.fixture
def unchanged(session) -> Iterator[None]:
    """The test writes nothing."""
    before = snapshot(session)
    yield
    assert snapshot(session) == before


def table(entity: type[Entity]) -> sa.Table:
    return Model.metadata.tables[entity.key()]


def row_of(student_id: int, **words) -> dict:
    """A family member as complete column values."""
    one = cast.PUPILS[student_id - 1]
    place = {
        "school_id": cast.school(one.at[0]),
        "authority_code": QINGLAN,
        "student_id": student_id,
        "version": 1,
    }
    return {**place, "name": "外来人", "relation": "51", "phone": "14099999999", "is_guardian": True, **words}


# --- beside the door ----------------------------------------------------------------------------------

VALUES = {
    "code": "510100",
    "name": "成都市",
    "parent_code": "510000",
    "level": "city",
    "is_added": False,
    "version": 1,
}

BESIDES = {
    "an insert": lambda: sa.insert(FamilyMember).values(row_of(OUYANG)),
    "an insert of many": lambda: sa.insert(FamilyMember).values([row_of(OUYANG), row_of(OUYANG)]),
    "an insert from a select": lambda: sa.insert(FamilyMember).from_select(
        ["name"], sa.select(FamilyMember.name)
    ),
    "an update": lambda: sa.update(Student).values(address="改了"),
    "an update of one": lambda: sa.update(Student).where(Student.id == OUYANG).values(address="改了"),
    "an update from the own school": lambda: (
        sa.update(Student).where(Student.school_id == cast.school(YIZHONG)).values(address="改了")
    ),
    "a delete": lambda: sa.delete(FamilyMember),
    "an insert into the table": lambda: sa.insert(table(FamilyMember)).values(row_of(OUYANG)),
    "an update of the table": lambda: sa.update(table(Student)).values(address="改了"),
    "a delete from the table": lambda: sa.delete(table(FamilyMember)),
    "an insert into an open entity": lambda: sa.insert(Region).values(VALUES),
    "an update of a bare table clause": lambda: sa.update(sa.table("student", sa.column("address"))).values(
        address="改了"
    ),
    "a delete within a common table expression": lambda: sa.select(
        sa.delete(FamilyMember).returning(FamilyMember.id).cte().c.id
    ),
    "an update within a common table expression": lambda: sa.select(sa.literal(1)).add_cte(
        sa.update(table(Student)).values(address="改了").cte()
    ),
    "a delete beside a delete": lambda: (
        sa.delete(User).where(User.id < 0).add_cte(sa.delete(table(FamilyMember)).cte())
    ),
    "textual SQL": lambda: sa.text("update student set address = '改了'"),
    "textual SQL as rows": lambda: sa.select(Student).from_statement(
        sa.text("update student set address = '改了' returning *")
    ),
    "textual definition": lambda: sa.DDL("delete from family_member"),
    "a definition": lambda: sa.schema.DropTable(table(FamilyMember)),
    "a new table": lambda: sa.schema.CreateTable(
        sa.Table("copied", sa.MetaData(), sa.Column("id", sa.Integer))
    ),
    "an audit line": lambda: sa.insert(AuditEntry).values(actor_name="冒名"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("statement", BESIDES.values(), ids=BESIDES)
@pytest.mark.parametrize("username", ["lin", "system", None])
def test_no_statement_writes_entities(session, acting, statement, username):
    by = acting(username) if username else _nobody()
    with by, pytest.raises(Denied):
        session.execute(statement())


def _nobody():
    from contextlib import nullcontext

    return nullcontext()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("statement", BESIDES.values(), ids=BESIDES)
def test_no_statement_writes_entities_through_a_connection(session, acting, statement):
    with acting("system"):
        with pytest.raises(Denied):
            session.connection().execute(statement())
        session.rollback()
        with db.engine.connect() as connection, pytest.raises(Denied):
            connection.execute(statement())
        with pytest.raises(Denied), db.engine.begin() as connection:
            connection.execute(statement())


@pytest.mark.usefixtures("unchanged")
def test_driver_sql_does_not_write(session, acting):
    with acting("system"):
        with pytest.raises(Denied):
            session.connection().exec_driver_sql("update student set address = '改了'")
        session.rollback()
        with pytest.raises(Denied), db.engine.begin() as connection:
            connection.exec_driver_sql("delete from family_member")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("username", ["lin", "system"])
def test_bulk_methods_of_the_session_do_not_write(session, acting, username):
    with acting(username):
        for write in (
            lambda: session.bulk_insert_mappings(FamilyMember, [row_of(OUYANG)]),
            lambda: session.bulk_update_mappings(Student, [{"id": OUYANG, "address": "改了", "version": 1}]),
            lambda: session.bulk_save_objects([FamilyMember(**row_of(OUYANG))]),
            lambda: session.execute(sa.insert(FamilyMember), [row_of(OUYANG), row_of(OUYANG)]),
            lambda: session.execute(sa.update(Student), [{"id": OUYANG, "address": "改了", "version": 1}]),
            lambda: session.query(Student).update({"address": "改了"}),
            lambda: session.query(FamilyMember).delete(),
        ):
            with pytest.raises(Denied):
                write()
            session.rollback()


def test_tables_that_are_no_entities_are_written_freely(session):
    """The library's own tables lie outside; a control for the refusals above."""
    session.execute(sa.update(User).where(User.username == "ops").values(first_name="运维二"))
    assert session.scalar(sa.select(User.first_name).where(User.username == "ops")) == "运维二"


def test_the_door_closes_behind_a_flush_that_fails(session, acting):
    with acting("lin"):
        session.add(FamilyMember(**row_of(OTHERS)))
        with pytest.raises(Denied, match="授权范围"):
            session.flush()
        session.rollback()
        with pytest.raises(Denied):
            session.execute(sa.delete(FamilyMember))


# --- another session ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_another_session_writes_nothing(session, acting):
    by = cast.actor(session, "lin")
    for make in (lambda: Session(db.engine), sessionmaker(db.engine), lambda: type(session)(db)):
        with make() as other:
            other.add(FamilyMember(**row_of(OUYANG)))
            with pytest.raises(Denied):
                other.flush()
            other.rollback()
            with pytest.raises(Denied):
                other.execute(sa.delete(FamilyMember))
    with Session(db.engine) as other, scope.acting(other, by):
        one = other.get_one(Student, OUYANG)
        one.address = "改了"
        with pytest.raises(Denied):
            other.commit()


@pytest.mark.usefixtures("unchanged")
def test_the_reading_session_writes_nothing(app, session):
    from app.core.databases import reading_session

    reading = reading_session(app)
    with scope.acting(reading, rights.system("tests")):
        one = reading.get_one(Student, OUYANG)
        one.address = "改了"
        with pytest.raises(Denied):
            reading.flush()
    reading.rollback()


# --- no actor -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_without_an_actor_nothing_is_written(session, acting):
    with acting("lin"):
        one = session.get_one(Student, OUYANG)
    session.add(one)
    one.address = "改了"
    with pytest.raises(Denied):
        session.flush()
    session.rollback()
    session.add(FamilyMember(**row_of(OUYANG)))
    with pytest.raises(Denied):
        session.flush()


@pytest.mark.usefixtures("unchanged")
def test_what_one_actor_began_is_not_saved_in_the_name_of_the_next(session, acting):
    with acting("wang"), session.no_autoflush:
        session.add(FamilyMember(**row_of(OUYANG)))
        own = session.get_one(Student, OTHERS)
        own.status = Status.GRADUATED
        doomed = session.get_one(FamilyMember, cast.relative("吴大勇"))
        session.delete(doomed)
    with acting("system"):
        session.commit()


# --- through the door: actor, scope, right ------------------------------------------------------------


def test_the_allowed_way(session, acting):
    """The control for everything that follows: the clerk's own pupil, a plain field, a family member."""
    with acting("lin"):
        session.get_one(Student, OUYANG).address = "青岚县城关镇人民路9号"
        session.add(FamilyMember(**row_of(OUYANG)))
        session.commit()
        assert session.get_one(Student, OUYANG).address.endswith("9号")
        assert session.scalar(sa.select(sa.func.count()).where(FamilyMember.name == "外来人")) == 1


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("username", ["wang", "xu", "gao"])
def test_a_row_for_a_pupil_of_another_school_is_not_there_for_me(session, acting, username):
    with acting(username):
        session.add(FamilyMember(**row_of(OUYANG)))
        with pytest.raises(Refused):
            session.flush()


@pytest.mark.usefixtures("unchanged")
def test_a_row_that_claims_the_own_school_for_another_schools_pupil(session, acting):
    """The place follows the pupil in the database itself."""
    with acting("wang"):
        session.add(FamilyMember(**row_of(OUYANG, school_id=cast.school(CHENGGUAN))))
        with pytest.raises(IntegrityError):
            session.flush()


@pytest.mark.usefixtures("unchanged")
def test_moving_a_row_to_another_school_needs_that_school_too(session, acting):
    with acting("lin"):
        one = session.get_one(SchoolClass, cast.class_of(YIZHONG, 7, 10))
        one.school_id, one.authority_code = cast.school(CHENGGUAN), QINGLAN
        with pytest.raises(Refused):
            session.flush()


@pytest.mark.usefixtures("unchanged")
def test_taking_a_row_from_another_school_needs_that_school_too(session, acting):
    """An object that someone else loaded does not come along."""
    with acting("system"):
        one = session.get_one(FamilyMember, cast.relative("欧阳明"))
    with acting("wang"):
        session.add(one)
        one.school_id, one.student_id = cast.school(CHENGGUAN), OTHERS
        with pytest.raises(Refused):
            session.flush()


@pytest.mark.usefixtures("unchanged")
def test_moving_a_relative_to_a_pupil_of_another_class_needs_that_class(session, acting):
    """A class teacher keeps the own class only, though the school is the same."""
    with acting("zhou"):
        one = session.get_one(FamilyMember, cast.relative("欧阳明"))
        one.student_id = pupil("陈思远")
        with pytest.raises(Refused):
            session.flush()


def new_class(**words) -> SchoolClass:
    place = {"school_id": cast.school(YIZHONG), "authority_code": QINGLAN}
    return SchoolClass(
        grade_id=cast.grade(YIZHONG, 7), number=5, class_type="0", order_key=1, **place, **words
    )


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("username", "begin"),
    [
        ("zhao", lambda s: setattr(s.get_one(Student, OUYANG), "address", "改了")),
        ("chen", lambda s: setattr(s.get_one(Student, OTHERS), "address", "改了")),
        ("zhou", lambda s: setattr(s.get_one(SchoolClass, 1), "name", "宏志班")),
        ("zhou", lambda s: setattr(s.get_one(Student, DRAFT), "deleted_at", datetime.now(UTC))),
        ("lin", lambda s: setattr(s.get_one(Region, 2), "name", "改名")),
        ("lin", lambda s: s.add(Region(**VALUES))),
        ("lin", lambda s: setattr(s.get_one(SchoolStage, 1), "review_code", cast.CITY)),
        ("lin", lambda s: s.delete(s.get_one(SchoolStage, 1))),
        ("lin", lambda s: s.add(new_class(cap_lifted_to=99))),
    ],
)
def test_inside_the_scope_without_the_right(session, acting, username, begin):
    with acting(username):
        begin(session)
        with pytest.raises(Denied):
            session.flush()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "begin",
    [
        lambda s: setattr(s.get_one(Change, cast.CHANGE), "reason", "改了"),
        lambda s: s.delete(s.get_one(Change, cast.CHANGE)),
        lambda s: s.add(
            NumberHistory(
                **{k: v for k, v in row_of(OUYANG).items() if k.endswith(("_id", "_code"))},
                student_no="L1",
                from_on=date(2026, 9, 1),
                reason="自编",
            )
        ),
    ],
)
def test_what_has_no_such_action_is_refused_whatever_the_rights(session, acting, begin):
    with acting("lin") as by:
        everything = frozenset(powers.all_rights()) | {"change:edit", "change:delete", "number_history:add"}
        holding = Holding(0, "一切", everything, Extent(school_id=cast.school(YIZHONG)), True, True, None)
        scope.set_actor(session, Actor(by.id, by.name, (holding,), by.school_id))
        begin(session)
        with pytest.raises(Denied):
            session.flush()


def test_a_grant_to_pass_on_writes_nothing(session, acting):
    with acting("li") as by:
        assert any("student:edit" in h.rights for h in by.holdings)
        session.add(FamilyMember(**row_of(OUYANG)))
        with pytest.raises(Denied):
            session.flush()
        session.rollback()


def test_a_right_holds_where_it_was_granted_and_not_where_another_was(session, acting):
    """王老师 edits in her school and may look into another: looking there is no editing there."""
    with acting("wang") as by:
        look = Holding(
            0,
            "查看",
            frozenset({"student:list", "student:show"}),
            Extent(school_id=cast.school(YIZHONG)),
            True,
            False,
            None,
        )
        scope.set_actor(session, Actor(by.id, by.name, (*by.holdings, look), by.school_id))
        one = session.get_one(Student, OUYANG)
        one.address = "改了"
        with pytest.raises(Denied):
            session.flush()
        session.rollback()
        session.get_one(Student, OTHERS).address = "青岚县城关镇人民路9号"
        session.flush()


# --- words that nobody types --------------------------------------------------------------------------

LOCKED = {
    "name": "欧阳明月",
    "gender": "1",
    "born_on": date(2014, 1, 18),
    "id_number": "519921201401170063",
    "status": Status.GRADUATED,
    "student_no": "G519921201401170063",
    "verification": "verified",
    "grade_id": cast.grade(YIZHONG, 8),
    "class_id": cast.class_of(YIZHONG, 7, 2),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", LOCKED)
def test_key_data_is_not_changed_by_hand(session, acting, name):
    with acting("lin"):
        setattr(session.get_one(Student, OUYANG), name, LOCKED[name])
        with pytest.raises(Denied):
            session.flush()


@pytest.mark.parametrize("name", ["name", "class_id"])
def test_key_data_is_changed_by_a_named_procedure(session, acting, name):
    with acting("lin"), scope.by_authority(session, Authority("placement")):
        setattr(session.get_one(Student, OUYANG), name, LOCKED[name])
        session.commit()
        assert getattr(session.get_one(Student, OUYANG), name) == LOCKED[name]


@pytest.mark.usefixtures("unchanged")
def test_a_procedure_does_not_reach_beyond_its_actors_scope(session, acting):
    """小周 sees nothing of the other school: no authority makes him write there."""
    there = cast.school(CHENGGUAN)
    with acting("zhou"), scope.by_authority(session, Authority("placement")):
        session.add(
            Campus(school_id=there, authority_code=QINGLAN, name="东校区", area_code="519921", address="1号")
        )
        with pytest.raises(Denied):
            session.flush()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("named", [False, True])
def test_a_case_moves_a_pupil_among_the_schools_that_it_names(session, acting, named):
    there = {
        "school_id": cast.school(CHENGGUAN),
        "grade_id": cast.grade(CHENGGUAN, 7),
        "class_id": cast.class_of(CHENGGUAN, 7, 1),
    }
    schools = frozenset({cast.school(CHENGGUAN)}) if named else frozenset()
    with acting("lin"), scope.by_authority(session, Authority("transfer", schools=schools)):
        one = session.get_one(Student, OUYANG)
        for name, value in there.items():
            setattr(one, name, value)
        if named:
            session.flush()
            session.rollback()
        else:
            with pytest.raises(Denied):
                session.flush()


@pytest.mark.usefixtures("unchanged")
def test_the_authority_ends_with_its_block(session, acting):
    with acting("lin"):
        with scope.by_authority(session, Authority("placement")):
            pass
        session.get_one(Student, OUYANG).name = "欧阳明月"
        with pytest.raises(Denied):
            session.flush()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", ["school_code", "name", "organiser", "location_code", "authority_code"])
def test_what_comes_from_above_is_not_changed_by_the_school(session, acting, name):
    value = {"organiser": "7", "location_code": "519922000000", "authority_code": cast.SHIXI}.get(
        name, "改了"
    )
    with acting("lin"):
        setattr(session.get_one(School, cast.school(YIZHONG)), name, value)
        with pytest.raises(Denied):
            session.flush()


def test_what_comes_from_above_is_changed_by_the_bureau_and_the_rest_by_the_school(session, acting):
    with acting("he"):
        session.get_one(School, cast.school(CHENGGUAN)).name = "城关中学"
        session.commit()
    with acting("wang"):
        session.get_one(School, cast.school(CHENGGUAN)).head_name = "郑校长"
        session.commit()
        assert session.get_one(School, cast.school(CHENGGUAN)).name == "城关中学"


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", Status.ENROLLED),
        ("student_no", "G519921201404040011"),
        ("verification", "verified"),
        ("student_no_state", "formal"),
    ],
)
def test_a_new_pupil_is_pending_and_has_no_number(session, acting, name, value):
    with acting("lin"):
        session.add(_new_pupil(session, **{name: value}))
        with pytest.raises(Denied):
            session.flush()


def _new_pupil(session: Session, **words) -> Student:
    made = Student(**cast.plain(phone="14012345678", **words))
    with session.no_autoflush:
        made.settle(session)
    return made


def test_a_new_pupil_is_pending(session, acting):
    with acting("lin"):
        made = _new_pupil(session)
        session.add(made)
        session.commit()
        assert (made.status, made.student_no) == (Status.PENDING, None)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", ["id", "version"])
def test_nobody_sets_id_and_version_of_a_row(session, acting, name):
    for username in ("lin", "system"):
        with acting(username):
            setattr(session.get_one(Student, OUYANG), name, 999)
            with pytest.raises(Denied):
                session.flush()
            session.rollback()


@pytest.mark.usefixtures("unchanged")
def test_deletion_is_no_cover_for_an_edit(session, acting):
    """Whoever may only delete changes nothing else along with it."""
    with acting("lin") as by:
        held = frozenset({"student:list", "student:delete"})
        holding = Holding(0, "只删", held, Extent(school_id=cast.school(YIZHONG)), True, False, None)
        scope.set_actor(session, Actor(by.id, by.name, (holding,), by.school_id))
        one = session.get_one(Student, DRAFT)
        one.deleted_at, one.address = datetime.now(UTC), "改了"
        with pytest.raises(Denied):
            session.flush()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "value",
    [
        lambda: sa.select(sa.func.max(FamilyMember.name)).scalar_subquery(),
        lambda: sa.text("(select max(name) from family_member)"),
        lambda: sa.func.upper("a"),
        lambda: Student.name,
    ],
)
def test_a_value_is_a_value_and_no_expression(session, acting, value):
    """An expression would be worked out in the database, past the scope."""
    for username in ("lin", "system"):
        with acting(username):
            session.get_one(Student, OUYANG).address = value()
            with pytest.raises(Denied):
                session.flush()
            session.rollback()


# --- through relationships ----------------------------------------------------------------------------


def test_no_entity_has_a_relationship_through_which_rows_are_written():
    """Only key columns are written, so that the wall sees every key before the flush."""
    writable = [
        f"{entity.__name__}.{one.key}"
        for entity in registry
        for one in sa.inspect(entity).relationships
        if not one.viewonly
    ]
    assert writable == []


def test_a_parent_to_whom_rows_refer_is_not_deleted(session, acting):
    with acting("system"):
        session.delete(session.get_one(Grade, cast.grade(YIZHONG, 7)))
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


# --- many rows ----------------------------------------------------------------------------------------


def test_many_rows_are_checked_one_by_one(session, acting):
    before = snapshot(session)
    with acting("lin") as by, pytest.raises(Denied), saving.work():
        saving.many(FamilyMember, [row_of(OUYANG), row_of(OTHERS)], by)
    assert snapshot(session) == before


def test_many_rows_of_the_own_school_are_inserted(session, acting):
    with acting("lin") as by, saving.work():
        saving.many(FamilyMember, [row_of(OUYANG, name="甲"), row_of(OUYANG, name="乙")], by)
    with acting("lin"):
        found = session.scalars(sa.select(FamilyMember.name).where(FamilyMember.student_id == OUYANG))
        assert set(found) == {"欧阳明", "甲", "乙"}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("words", [{"status": Status.ENROLLED}, {"student_no": "G519921201404040011"}])
def test_many_new_pupils_by_a_person_are_pending(session, acting, words):
    with acting("lin") as by, pytest.raises(Denied), saving.work():
        made = _new_pupil(session)
        values = {
            a.key: getattr(made, a.key)
            for a in sa.inspect(Student).column_attrs
            if a.key not in ("id", "version")
        }
        saving.many(Student, [{**values, **words}], by)


@pytest.mark.usefixtures("unchanged")
def test_many_by_somebody_who_may_not_add(session, acting):
    with acting("zhao") as by, pytest.raises(Denied), saving.work():
        saving.many(FamilyMember, [row_of(OUYANG)], by)


@pytest.mark.usefixtures("unchanged")
def test_many_by_somebody_else_than_the_one_who_acts(session, acting):
    """`by` is passed along everywhere, and the wall holds it against the actor of the session."""
    system = rights.system("tests")
    with acting("wang"), pytest.raises(Denied), saving.work():
        saving.many(FamilyMember, [row_of(OUYANG)], system)


@pytest.mark.usefixtures("unchanged")
def test_outside_of_work_nothing_is_saved(session, acting):
    with acting("lin") as by, pytest.raises(RuntimeError):
        saving.many(FamilyMember, [row_of(OUYANG)], by)


# --- the audit is insert-only -------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("username", ["lin", "chen", "system"])
def test_the_audit_is_not_rewritten(session, acting, username):
    with acting("system"):
        line_id = session.scalar(sa.select(sa.func.max(AuditEntry.id)))
    with acting(username):
        line = session.get(AuditEntry, line_id)
        if line is not None:
            line.reason = "改了"
            with pytest.raises(Denied):
                session.flush()
            session.rollback()
            session.delete(session.get_one(AuditEntry, line_id))
            with pytest.raises(Denied):
                session.flush()
            session.rollback()
        for statement in (sa.update(AuditEntry).values(reason="改了"), sa.delete(AuditEntry)):
            with pytest.raises(Denied), open_door():
                session.connection().execute(statement)
            session.rollback()


@pytest.mark.usefixtures("unchanged")
def test_nobody_writes_audit_lines_by_hand(session, acting):
    for username in ("lin", "chen", "system"):
        with acting(username):
            session.add(AuditEntry(at=datetime.now(UTC), actor_name="冒名", action="edit", entity="student"))
            with pytest.raises(Denied):
                session.flush()
            session.rollback()


def test_the_database_refuses_what_is_out_of_shape_with_a_sentence(session, acting):
    """A number given twice comes back as a complaint at its field, without the number."""
    with acting("system") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(session.get_one(Student, DRAFT), {"student_no": cast.student_no(OUYANG)}, by)
    assert [name for name, _sentence in refused.value.complaints] == ["student_no"]
    assert cast.student_no(OUYANG) not in str(refused.value)
    assert SHIXI_ER not in str(refused.value)
