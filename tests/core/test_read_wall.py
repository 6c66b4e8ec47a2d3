"""The read wall: whatever shape a query has, and whichever session it runs in, it shows the rows in scope and no others."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import (
    Session,
    aliased,
    joinedload,
    scoped_session,
    selectinload,
    sessionmaker,
    subqueryload,
)

from app.areas.changes.models import Change, ChangeParty
from app.areas.schools.models import Grade, School, SchoolClass, SchoolStage
from app.areas.students.models import FamilyMember, NumberHistory, Student
from app.core import grants, powers, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.databases import reading_session
from app.core.errors import Denied
from app.extensions import db
from tests import cast
from tests.cast import CHENGGUAN, QINGLAN, SHIXI_ER, YIZHONG, pupil
from tests.flows import world

OF_CHENGGUAN = {n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == CHENGGUAN}
OF_YIZHONG = {n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == YIZHONG}
JUNIORS_OF_YIZHONG = {n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == YIZHONG and one.at[1] < 10}
OF_SHIXI = {n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == SHIXI_ER}
EVERYBODY = set(range(1, len(cast.PUPILS) + 1))

namesake = aliased(Student)

QUERIES = {
    "the class": lambda: sa.select(Student.id),
    "whole rows": lambda: sa.select(Student),
    "a where that asks for everybody": lambda: sa.select(Student.id).where(sa.or_(Student.id > 0, sa.true())),
    "an alias": lambda: sa.select(aliased(Student).id),
    "a named alias": lambda: sa.select(aliased(Student, name="anybody").id),
    "an alias of a subquery": lambda: sa.select(aliased(Student, sa.select(Student).subquery()).id),
    "an alias of the table that is mapped": lambda: sa.select(aliased(Student, Student.__table__.alias()).id),
    "a condition on another entity": lambda: sa.select(Student.id).where(namesake.id == Student.id),
    "an aggregate window over another entity": lambda: sa.select(
        namesake.id, sa.func.count(Student.id).over()
    ),
    "the columns of a mapper": lambda: sa.select(sa.inspect(Student)),
    "only other columns": lambda: sa.select(User).with_only_columns(Student.id),
    "a function of a column": lambda: sa.select(sa.func.coalesce(Student.id, 0)),
    "a case": lambda: sa.select(sa.case((Student.id > 0, Student.id))),
    "a recursive common table expression": lambda: _all_by_recursion(),
    "a subquery": lambda: sa.select(sa.select(Student.id).subquery().c.id),
    "a common table expression": lambda: sa.select(sa.select(Student.id).cte().c.id),
    "a select from a subquery of an alias": lambda: sa.select(sa.select(namesake.id).subquery().c.id),
    "a union": lambda: sa.union(sa.select(Student.id), sa.select(namesake.id)),
    "a union all of halves": lambda: sa.union_all(
        sa.select(Student.id).where(Student.id < 12), sa.select(Student.id).where(Student.id >= 12)
    ),
    "a union read as rows": lambda: sa.select(Student.id).from_statement(
        sa.union(sa.select(Student.id), sa.select(namesake.id))
    ),
    "an except": lambda: sa.except_(sa.select(Student.id), sa.select(Student.id).where(Student.id < 0)),
    "a join to the school": lambda: sa.select(Student.id).join(School, School.id == Student.school_id),
    "a join from the class": lambda: (
        sa.select(Student.id).select_from(SchoolClass).join(Student, Student.class_id == SchoolClass.id)
    ),
    "a left join from accounts": lambda: (
        sa.select(Student.id)
        .select_from(User)
        .join(Student, sa.true(), isouter=True)
        .where(Student.id.is_not(None))
        .distinct()
    ),
    "a self join": lambda: sa.select(Student.id).join(namesake, namesake.id == Student.id),
    "a correlated scalar": lambda: sa.select(
        sa.select(Student.id).where(Student.id == namesake.id).scalar_subquery()
    ).select_from(namesake),
    "an in of a subquery": lambda: sa.select(Student.id).where(Student.id.in_(sa.select(namesake.id))),
    "an exists": lambda: sa.select(Student.id).where(sa.exists().where(namesake.id == Student.id)),
    "grouped": lambda: sa.select(Student.id).group_by(Student.id).having(sa.func.count() > 0),
    "a window": lambda: sa.select(Student.id, sa.func.row_number().over(order_by=Student.id)),
    "a lateral join": lambda: sa.select(Student.id).where(
        Student.id.in_(sa.select(namesake.id).where(namesake.school_id == Student.school_id))
    ),
    "bundled columns": lambda: sa.select(Student.id, Student.name, Student.id_number),
}


def _all_by_recursion() -> sa.Select:
    found = sa.select(Student.id).where(Student.id > 0).cte(recursive=True)
    return sa.select(found.union(sa.select(Student.id).where(Student.id == found.c.id)).c.id)


def ids(session: Session, query: sa.Executable) -> set[int]:
    return {getattr(value, "id", value) for value in session.scalars(query)}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_every_shape_of_query_shows_the_own_school_only(session, acting, query):
    with acting("wang"):
        assert ids(session, query()) == OF_CHENGGUAN
    with acting("system"):
        assert ids(session, query()) == EVERYBODY, "the query itself asks for everybody"


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_without_an_actor_every_shape_of_query_is_empty(session, query):
    assert ids(session, query()) == set()


@pytest.mark.parametrize(
    ("username", "seen"),
    [
        ("lin", OF_YIZHONG),
        ("zhao", OF_YIZHONG),
        ("wang", OF_CHENGGUAN),
        ("chen", OF_CHENGGUAN | JUNIORS_OF_YIZHONG),
        ("cheng", EVERYBODY),
        ("xu", OF_SHIXI),
        ("li", set()),
        ("he", set()),
        ("ops", set()),
    ],
)
def test_whom_each_person_sees(session, acting, username, seen):
    """The county decides over the junior part of 青岚县第一中学 only: its seniors are the city's."""
    with acting(username):
        assert ids(session, sa.select(Student.id)) == seen


COUNTS = {
    "count of the class": lambda: sa.select(sa.func.count()).select_from(Student),
    "count of a column": lambda: sa.select(sa.func.count(Student.id)),
    "count over a subquery": lambda: sa.select(sa.func.count()).select_from(sa.select(Student.id).subquery()),
    "a capped count": lambda: sa.select(sa.func.count()).select_from(
        sa.select(Student.id).limit(10_001).subquery()
    ),
    "count of an alias": lambda: sa.select(sa.func.count()).select_from(aliased(Student)),
    "a scalar within a select": lambda: sa.select(sa.select(sa.func.count(Student.id)).scalar_subquery()),
}


@pytest.mark.parametrize("query", COUNTS.values(), ids=COUNTS)
def test_counts_count_what_is_in_scope(session, acting, query):
    with acting("wang"):
        assert session.scalar(query()) == len(OF_CHENGGUAN)
    with acting("system"):
        assert session.scalar(query()) == len(EVERYBODY)


def test_minimum_and_maximum_do_not_give_away_others(session, acting):
    with acting("wang"):
        assert session.scalar(sa.select(sa.func.min(Student.id))) == min(OF_CHENGGUAN)
        assert session.scalar(sa.select(sa.func.max(sa.func.length(Student.id_number)))) == 18


def test_the_older_query_interface(session, acting):
    with acting("wang"):
        assert {one.id for one in session.query(Student)} == OF_CHENGGUAN
        assert session.query(Student).count() == len(OF_CHENGGUAN)
        assert session.query(Student).filter_by(name="欧阳若曦").first() is None
        assert db.paginate(sa.select(Student), per_page=50).total == len(OF_CHENGGUAN)


# --- one row by its id, and what is already in memory -------------------------------------------------


def test_get_finds_the_own_and_not_the_others(session, acting):
    with acting("wang"):
        assert session.get(Student, pupil("吴佳怡")).name == "吴佳怡"
        assert session.get(Student, pupil("欧阳若曦")) is None
        assert session.get_one(School, cast.school(CHENGGUAN)).name == CHENGGUAN
        assert session.get(School, cast.school(YIZHONG)) is None


def test_get_after_a_change_of_actor_does_not_answer_from_memory(session, acting):
    with acting("lin"):
        seen = session.get(Student, pupil("欧阳若曦"))
        assert seen is not None
    with acting("wang"):
        assert session.get(Student, pupil("欧阳若曦")) is None
        assert seen not in session


def test_the_actor_before_comes_back_after_the_block(session, acting):
    with acting("lin"):
        with acting("wang"):
            assert ids(session, sa.select(Student)) == OF_CHENGGUAN
        assert ids(session, sa.select(Student)) == OF_YIZHONG
    assert ids(session, sa.select(Student)) == set()


def test_expired_attributes_are_read_again_for_whom_the_row_was_shown_to(session, acting):
    with acting("lin"):
        seen = session.get_one(Student, pupil("欧阳若曦"))
        session.expire(seen)
        assert seen.name == "欧阳若曦"
        session.rollback()
        assert seen.name == "欧阳若曦"


def test_merge_does_not_bring_in_a_row_of_others(session, acting):
    with acting("wang"), session.no_autoflush:
        merged = session.merge(Student(id=pupil("欧阳若曦")))
        assert merged.name is None
        session.expunge_all()


# --- what hangs on a row ------------------------------------------------------------------------------

LOADERS = {"selectin": selectinload, "joined": joinedload, "subquery": subqueryload}


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS)
def test_links_to_rows_out_of_scope_come_back_empty(session, acting, loader):
    """A grant may show the pupils and not the classes; a link is no way around that."""
    with acting("system") as system:
        person = session.get(User, cast.person("xu"))
        role = _role(session, "student:list", "student:show", "family_member:list")
        grants.grant(session, system, person, role, rights.Extent(school_id=cast.school(YIZHONG)))
        session.flush()
    with acting("xu"):
        query = sa.select(Student).options(loader(Student.school_class), loader(Student.family))
        one = session.scalars(query.where(Student.id == pupil("欧阳若曦"))).unique().one()
        assert one.school_class is None
        assert [member.name for member in one.family] == ["欧阳明"]
    with acting("lin"):
        one = session.scalars(query.where(Student.id == pupil("欧阳若曦"))).unique().one()
        assert one.school_class.number == 1


def _role(session: Session, *wanted: str):
    from flask_appbuilder.security.sqla.models import PermissionView, Role

    pairs = [
        pair
        for pair in session.scalars(sa.select(PermissionView))
        if powers.as_right(pair.permission.name, pair.view_menu.name) in wanted
    ]
    assert len(pairs) == len(set(wanted))
    role = Role(name="tests:" + "+".join(wanted)[:50], label="测试角色", level="school", permissions=pairs)
    session.add(role)
    session.flush()
    return role


def test_a_lazy_link_is_scoped_as_well(session, acting):
    with acting("lin"):
        one = session.get_one(Student, pupil("欧阳若曦"))
        assert one.school_class.full_name == "七年级（1）班"
        assert [member.name for member in one.family] == ["欧阳明"]
        assert one.school.name == YIZHONG


def test_a_joined_condition_on_others_family_finds_nobody(session, acting):
    query = sa.select(Student.id).where(Student.family.any(FamilyMember.name == "欧阳明"))
    with acting("wang"):
        assert ids(session, query) == set()
        assert ids(session, sa.select(FamilyMember.name)) == {"吴大勇"}
    with acting("lin"):
        assert ids(session, query) == {pupil("欧阳若曦")}


# --- each kind of scope -------------------------------------------------------------------------------


def test_schools_are_seen_by_those_who_decide_over_any_of_their_stages(session, acting):
    query = sa.select(School.name)
    expected = {
        "lin": {YIZHONG},
        "chen": {YIZHONG, CHENGGUAN},
        "cheng": {YIZHONG, CHENGGUAN, SHIXI_ER},
        "xu": {SHIXI_ER},
        "he": {YIZHONG, CHENGGUAN},
    }
    for username, names in expected.items():
        with acting(username):
            assert ids(session, query) == names, username


def test_the_county_sees_the_junior_stage_and_not_the_senior(session, acting):
    with acting("chen"):
        stages = session.execute(sa.select(SchoolStage.school_id, SchoolStage.stage)).all()
        assert (cast.school(YIZHONG), "2") in stages
        assert (cast.school(YIZHONG), "3") not in stages
        assert cast.grade(YIZHONG, 10) not in ids(session, sa.select(Grade.id))


def test_a_change_is_seen_by_its_parties_only(session, acting):
    for username, sees in {"lin": True, "sun": True, "wang": False, "xu": False, "li": False}.items():
        with acting(username):
            assert (session.get(Change, cast.CHANGE) is not None) is sees, username


def test_parties_are_scoped_as_their_change(session, acting):
    with acting("wang"):
        assert session.scalars(sa.select(ChangeParty)).all() == []


def test_the_audit_is_seen_by_place_and_by_pupil(session, acting):
    from app.core import saving

    with acting("lin") as by, saving.work() as work:
        saving.edit(work.session.get(Student, pupil("欧阳若曦")), {"talent": "书法"}, by)
    query = sa.select(AuditEntry.id).where(
        AuditEntry.student_id == pupil("欧阳若曦"), AuditEntry.action == "edit"
    )
    with acting("lin"):
        assert len(ids(session, query)) == 1
    with acting("wang"):
        assert ids(session, query) == set()


def test_a_teacher_of_one_class_sees_its_pupils_and_their_family_only(session, acting):
    own = {n for n, one in enumerate(cast.PUPILS, 1) if one.at == (YIZHONG, 7, 1)}
    with acting("zhou"):
        assert ids(session, sa.select(Student.id)) == own
        families = {name for of, name, *_rest in cast.FAMILY if pupil(of) in own}
        assert ids(session, sa.select(FamilyMember.name)) == families
        assert session.get(Student, pupil("王子涵", gender=cast.BOY)) is None
        assert session.get(Change, cast.CHANGE) is None, "its pupil sits in another class"


def test_a_grant_for_a_grade_reaches_its_classes(session, acting):
    with acting("system") as system:
        person = session.get(User, cast.person("ops"))
        for given in grants.held_grants(session, person.id):
            grants.withdraw(session, system, given)
        extent = rights.Extent.of(cast.school(YIZHONG), None, [cast.grade(YIZHONG, 8)], None)
        grants.grant(session, system, person, _role(session, "student:list", "school_class:list"), extent)
        session.flush()
    with acting("ops"):
        assert ids(session, sa.select(Student.name)) == {"张一鸣", "李思琪", "何俊杰"}
        assert cast.class_of(YIZHONG, 7, 1) in ids(session, sa.select(SchoolClass.id)), (
            "classes are school-wide"
        )


def test_a_read_reaches_the_union_of_all_grants(session, acting):
    with acting("system") as system:
        person = session.get(User, cast.person("wang"))
        extent = rights.Extent(school_id=cast.school(SHIXI_ER))
        grants.grant(session, system, person, _role(session, "student:list"), extent)
        session.flush()
    with acting("wang"):
        assert ids(session, sa.select(Student.id)) == OF_CHENGGUAN | OF_SHIXI


def test_a_grant_to_pass_on_shows_nothing(session, acting):
    """李老师 holds every school right to pass on, and none over pupils to use."""
    with acting("li") as by:
        assert any("student:list" in h.rights for h in by.holdings)
        assert ids(session, sa.select(Student.id)) == set()
        assert ids(session, sa.select(School.id)) == {cast.school(YIZHONG)}


@pytest.mark.parametrize("username", ["zhou", "lin", "chen", "cheng", "wang"])
def test_which_rows_a_power_holds_on_is_what_is_decided_of_each(app, username):
    """Of every entity that a field right can be uneven on, in one statement and row by row."""
    from app.core.entity import registry

    world.furnish(app)
    with app.app_context():
        session = db.session()
        by = cast.actor(session, username)
        with scope.acting(session, by):
            for entity in registry:
                name = next(iter(entity.fields()))
                rows = list(session.scalars(sa.select(entity)).unique())
                for verb in ("show", "edit", f"{name}:see", f"{name}:edit"):
                    held = {row.id for row in rows if scope.may(session, by, verb, row)}
                    power = f"{entity.key()}:{verb}"
                    assert scope.rows_with(session, by, power, entity, [row.id for row in rows]) == held, (
                        power
                    )
        db.session.remove()


# --- the recycle bin ----------------------------------------------------------------------------------


def test_deleted_rows_are_hidden_until_asked_for_and_stay_in_scope(session, acting):
    draft = pupil("刘浩然")
    with acting("lin") as by, saving.work() as work:
        saving.delete(work.session.get(Student, draft), by)
    with acting("lin"):
        assert draft not in ids(session, sa.select(Student.id))
        with scope.with_deleted(session):
            assert draft in ids(session, sa.select(Student.id))
        assert draft not in ids(session, sa.select(Student.id))
    with acting("wang"), scope.with_deleted(session):
        assert draft not in ids(session, sa.select(Student.id))


@pytest.mark.parametrize("username", ["lin", "sun", "system"])
def test_what_is_of_a_deleted_pupil_is_hidden_with_him(session, acting, username):
    """In a list, in a condition on another entity, by its id; and back again with him."""
    id_ = pupil("刘浩然")
    with acting("system") as by, saving.work():
        number = {"student_no": "L5199212014053001", "from_on": date(2026, 9, 1), "reason": "学籍注册"}
        made = saving.create(NumberHistory, number | {"student_id": id_}, by).id
        saving.delete(session.get_one(Student, id_), by)
    asked = (
        sa.select(NumberHistory.id),
        sa.select(aliased(NumberHistory).id),
        sa.select(sa.select(NumberHistory.id).subquery().c.id),
        sa.select(NumberHistory.id).where(NumberHistory.id == made),
    )
    with acting(username):
        assert [ids(session, query) for query in asked] == [set()] * len(asked)
        assert session.get(NumberHistory, made) is None
        with scope.with_deleted(session):
            assert [ids(session, query) for query in asked] == [{made}] * len(asked)


# --- past the mapped classes --------------------------------------------------------------------------

student = sa.table("student", sa.column("id"), sa.column("name"), sa.column("id_number"))


def _table() -> sa.Table:
    return Student.metadata.tables["student"]


BESIDES = {
    "a select of the table": lambda: sa.select(_table().c.id),
    "a table of another metadata": lambda: sa.select(
        sa.Table("student", sa.MetaData(), sa.Column("id", sa.Integer)).c.id
    ),
    "a bare table clause": lambda: sa.select(student.c.id),
    "a count of the table": lambda: sa.select(sa.func.count()).select_from(_table()),
    "an alias of the table": lambda: sa.select(_table().alias().c.id),
    "the table in a subquery": lambda: sa.select(sa.select(_table().c.id).subquery().c.id),
    "the table in a common table expression": lambda: sa.select(sa.select(_table().c.id).cte().c.id),
    "a union of the table": lambda: sa.union_all(sa.select(_table().c.id), sa.select(_table().c.id)),
    "the table beside a mapped class": lambda: sa.select(School.id, _table().c.id),
    "the table joined to a mapped class": lambda: sa.select(School.id).join(_table(), _table().c.id > 0),
    "the table within a condition": lambda: sa.select(School.id).where(
        sa.exists(sa.select(_table().c.id).where(_table().c.name == "欧阳若曦"))
    ),
    "the bare table clause within a condition": lambda: sa.select(School.id).where(
        sa.exists(sa.select(student.c.id))
    ),
    "textual SQL": lambda: sa.text("select id from student"),
    "textual SQL with columns": lambda: sa.text("select id from student").columns(sa.column("id")),
    "textual SQL as rows": lambda: sa.select(Student).from_statement(sa.text("select * from student")),
    "a textual table": lambda: sa.select(sa.column("id")).select_from(sa.text("student")),
    "a textual column": lambda: sa.select(sa.text("id")).select_from(School),
    "a textual condition": lambda: sa.select(School.id).where(sa.text("exists (select 1 from student)")),
    "a literal column": lambda: sa.select(sa.literal_column("(select min(id) from student)")),
    "an exists without a mapped class around it": lambda: sa.select(
        sa.exists().where(Student.name == "欧阳若曦")
    ),
    "a condition within an aggregate": lambda: sa.select(sa.func.count(User.id).filter(Student.id > 0)),
    "a full join": lambda: (
        sa.select(Student.id).select_from(User).join(Student, User.id == Student.id, full=True)
    ),
    "a full join of the older kind": lambda: sa.select(Student.id).select_from(
        sa.orm.join(User, Student, User.id == Student.id, full=True)
    ),
    "an insert that reads": lambda: sa.insert(User).from_select(["username"], sa.select(Student.name)),
    "an update that reads": lambda: sa.update(User).values(
        first_name=sa.select(Student.name).limit(1).scalar_subquery()
    ),
    "a delete that reads": lambda: sa.delete(User).where(User.id.in_(sa.select(Student.id))),
    "a function over the table": lambda: sa.select(
        sa.func.coalesce(sa.select(_table().c.id).limit(1).scalar_subquery())
    ),
    "textual data definition": lambda: sa.DDL("drop table family_member"),
    "data definition": lambda: sa.schema.DropTable(FamilyMember.metadata.tables["family_member"]),
}


@pytest.mark.parametrize("statement", BESIDES.values(), ids=BESIDES)
@pytest.mark.parametrize("username", ["wang", "system"])
def test_beside_the_mapped_classes_nothing_is_read(session, acting, statement, username):
    with acting(username), pytest.raises(Denied):
        session.execute(statement()).all()


@pytest.mark.parametrize("statement", BESIDES.values(), ids=BESIDES)
def test_nor_through_a_connection(session, acting, statement):
    with acting("wang"), pytest.raises(Denied):
        session.connection().execute(statement())
    with db.engine.connect() as connection, pytest.raises(Denied):
        connection.execute(statement())


def test_driver_sql_does_not_pass(session, acting):
    with acting("system"), pytest.raises(Denied):
        session.connection().exec_driver_sql("select id from student")


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_mapped_classes_are_not_read_through_a_bare_connection(session, acting, query):
    """A connection has no actor: what is executed on it never met the read wall."""
    with acting("lin"), pytest.raises(Denied):
        session.connection().execute(query())
    with db.engine.connect() as connection, pytest.raises(Denied):
        connection.execute(query())


def test_tables_that_are_no_entities_are_read_freely(session):
    """The library's own tables lie outside; a control for the refusals above."""
    people = User.metadata.tables["ab_user"]
    with db.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(people)) == len(cast.PEOPLE)
    assert session.scalar(sa.select(sa.func.count()).select_from(User)) == len(cast.PEOPLE)


# --- other sessions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ["plain", "maker", "scoped", "subclass", "query class"])
def test_another_session_without_an_actor_reads_nothing(session, make):
    class Own(Session):
        pass

    made = {
        "plain": lambda: Session(db.engine),
        "maker": sessionmaker(db.engine),
        "scoped": scoped_session(sessionmaker(db.engine)),
        "subclass": lambda: Own(db.engine),
        "query class": sessionmaker(db.engine, query_cls=sa.orm.Query),
    }[make]
    with made() as other:
        assert other.scalars(sa.select(Student)).all() == []
        assert other.get(Student, pupil("欧阳若曦")) is None
        assert other.query(Student).count() == 0


def test_another_session_with_an_actor_reads_what_that_person_sees(session, acting):
    with Session(db.engine) as other, scope.acting(other, cast.actor(session, "wang")):
        assert ids(other, sa.select(Student.id)) == OF_CHENGGUAN


def test_the_reading_session_has_the_same_wall(app, session):
    reading = reading_session(app)
    assert reading.scalars(sa.select(Student)).all() == []
    with scope.acting(reading, cast.actor(session, "chen")):
        assert ids(reading, sa.select(Student.id)) == OF_CHENGGUAN | JUNIORS_OF_YIZHONG
        with pytest.raises(Denied):
            reading.execute(sa.select(_table().c.id))
    reading.rollback()


# --- look-ups across scopes ---------------------------------------------------------------------------


def test_a_look_up_across_scopes_gives_columns_and_leaves_a_line(session, acting):
    with acting("wang"):
        with scope.unscoped(session, "duplicate check"):
            found = session.scalar(sa.select(Student.school_id).where(Student.name == "欧阳若曦"))
        assert found == cast.school(YIZHONG)
        assert session.get(Student, pupil("欧阳若曦")) is None, "the wall stands again"
        session.commit()
    with acting("system"):
        line = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (line.action, line.actor_name, line.reason) == ("lookup", "王老师", "duplicate check")


def test_a_look_up_across_scopes_gives_no_whole_rows(session, acting):
    with acting("wang"), scope.unscoped(session, "duplicate check"):
        with pytest.raises(RuntimeError):
            session.scalars(sa.select(Student)).all()
        with pytest.raises(RuntimeError):
            session.get(Student, pupil("欧阳若曦"))


def test_a_look_up_across_scopes_needs_somebody_who_looks(session):
    with pytest.raises(Denied), scope.unscoped(session, "duplicate check"):
        pass


def test_the_city_range_takes_in_its_counties_and_nothing_beside(session, acting):
    low, high = rights.authority_range(cast.CITY)
    assert low <= QINGLAN <= high
    assert not low <= "510100" <= high
