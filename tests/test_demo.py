"""The demo district: what it must contain, that all of it could have been typed in, and that it can be had again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import Model
from sqlalchemy.orm import Session

from tests.conftest import databases
from tests.sites import make_app

TODAY = date(2026, 11, 23)
YIZHONG, SHIYANGAO = "青岚县第一中学", "澜川市实验高级中学"
ORDINARY = (YIZHONG, "城关初级中学", "实验小学", SHIYANGAO, "石溪县第二初级中学")
SCHOOLS = (
    # name, classes, pupils in them
    (YIZHONG, 24, range(1_150, 1_200)),
    ("城关初级中学", 12, range(590, 591)),
    ("实验小学", 15, range(660, 661)),
    ("白石镇九年一贯制学校", 9, range(310, 311)),
    ("云岭乡中心小学", 6, range(166, 167)),
    ("柳坪村教学点", 1, range(14, 15)),
    ("特殊教育学校", 5, range(40, 41)),
    (SHIYANGAO, 6, range(300, 301)),
    ("石溪县第二初级中学", 2, range(90, 91)),
)


# --- one district for all tests that only read ---------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "empty_app" in metafunc.fixturenames:
        metafunc.parametrize("empty_app", databases(metafunc.config), indirect=True, scope="module")


@pytest.fixture(scope="module")
def empty_app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database of its own that nobody has put anything into."""
    home = tmp_path_factory.mktemp("demo")
    if request.param == "sqlite":
        yield make_app(f"sqlite:///{home / 'xueji.db'}", home)
        return
    server = request.getfixturevalue("postgres_server")
    name = f"xueji_demo_{request.getfixturevalue('worker_id')}"
    server.run(f"CREATE DATABASE {name} OWNER xueji")
    made = make_app(server.url(name), home, server.url(name, "xueji_read"))
    yield made
    with made.app_context():
        _engine().dispose()
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


def _engine() -> sa.Engine:
    from app.extensions import db

    return db.engine


def build(app: Flask, **words: Any) -> None:
    from flask_migrate import upgrade

    from app.core import upkeep
    from app.extensions import db
    from seeds import demo

    with app.app_context():
        app.extensions["built"] = words
        upkeep.drop_everything(_engine())
        upgrade()
        if words:
            demo.build(db.session(), **words)
        db.session.remove()


@pytest.fixture
def district(empty_app: Flask) -> Flask:
    """The default district. Tests that ask for it write nothing, so it is built once, and again after the others."""
    if empty_app.extensions.get("built") != {"on": TODAY}:
        build(empty_app, on=TODAY)
    return empty_app


@contextmanager
def seen_by(app: Flask, username: str = "") -> Iterator[Session]:
    """A session in which that person acts; a system actor without a name."""
    from flask_appbuilder.security.sqla.models import User

    from app.core import rights, scope
    from app.extensions import db

    with app.app_context():
        session = db.session()
        by = rights.system("tests")
        if username:
            by = rights.load_actor(
                session, session.scalars(sa.select(User).filter_by(username=username)).one()
            )
        with scope.acting(session, by):
            yield session
        db.session.remove()


@pytest.fixture
def session(district: Flask) -> Iterator[Session]:
    with seen_by(district) as found:
        yield found


def pupils(session: Session, *where: Any) -> list[Any]:
    from app.areas.students.models import Student

    return list(session.scalars(sa.select(Student).where(*where).order_by(Student.id)))


def named(session: Session, name: str) -> Any:
    from app.areas.students.models import Student

    return session.scalars(sa.select(Student).where(Student.name == name)).one()


def families(session: Session) -> dict[int, list[Any]]:
    """Pupil's id → family members, in one query."""
    from app.areas.students.models import FamilyMember

    found: dict[int, list[Any]] = {}
    for member in session.scalars(sa.select(FamilyMember).order_by(FamilyMember.id)):
        found.setdefault(member.student_id, []).append(member)
    return found


def seated(session: Session) -> dict[str, list[tuple[Any, int]]]:
    """School name → its classes, each with the number of pupils in it."""
    from app.areas.schools import seats
    from app.areas.schools.models import School, SchoolClass

    heads = seats.head_counts(session, session.scalars(sa.select(SchoolClass.id)))
    found: dict[str, list[tuple[Any, int]]] = {}
    query = sa.select(SchoolClass, School.name).join(School, School.id == SchoolClass.school_id)
    for one, school in session.execute(query.order_by(School.id, SchoolClass.order_key)):
        found.setdefault(school, []).append((one, heads.get(one.id, 0)))
    return found


# --- what it contains ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "classes", "heads"), SCHOOLS)
def test_each_school_has_its_number_of_classes_and_pupils(
    session: Session, name: str, classes: int, heads: range
) -> None:
    found = seated(session)[name]
    assert (len(found), sum(n for _class, n in found)) == (
        classes,
        pytest.approx(heads[0], abs=len(heads) - 1),
    )


def test_there_are_no_other_schools(session: Session) -> None:
    assert list(seated(session)) == [name for name, _classes, _heads in SCHOOLS]


def test_classes_are_as_full_as_in_life(session: Session) -> None:
    sizes = [n for school, found in seated(session).items() if school in ORDINARY for _class, n in found]
    counted = Counter(sizes)
    assert [counted[n] for n in (0, 54, 55, 56)] == [1, 1, 1, 1]
    assert max(sizes) == 56
    assert sum(44 <= n <= 53 for n in sizes) > 0.8 * len(sizes)


def test_a_class_is_over_the_cap_only_where_the_authority_allowed_it(session: Session) -> None:
    from app.areas.schools import seats

    for found in seated(session).values():
        for one, n in found:
            assert n <= seats.limit_of(one, one.grade.stage)
            assert (one.cap_lifted_to is not None) == (n > seats.cap(one.grade.stage))


def test_pupils_of_two_grades_sit_in_the_class_of_the_teaching_point(session: Session) -> None:
    from app.areas.schools.models import School

    [(one, _n)] = seated(session)["柳坪村教学点"]
    assert one.full_name == "一、二年级复式班"
    assert len({pupil.grade_id for pupil in pupils(session) if pupil.class_id == one.id}) == 2
    school = session.get_one(School, one.school_id)
    assert school.central_school.name == "云岭乡中心小学"


def test_senior_highs_are_decided_by_the_city_and_the_rest_by_the_county(session: Session) -> None:
    from app.areas.schools.models import SchoolStage

    for stage in session.scalars(sa.select(SchoolStage)):
        here = stage.school.location_code[:6]
        assert stage.authority_code == ("519900" if stage.stage == "3" else here)


def test_every_status_occurs(session: Session) -> None:
    from app.areas.students.models import Status

    assert {pupil.status for pupil in pupils(session)} == set(Status)


def test_drafts_have_no_number_and_everyone_else_has_one(session: Session) -> None:
    from app.areas.students.models import NumberHistory, Stay

    drafts = [pupil for pupil in pupils(session) if pupil.status == "pending"]
    assert {pupil.student_no for pupil in drafts} == {None}
    others = {pupil.id: pupil.student_no for pupil in pupils(session) if pupil.status != "pending"}
    kept = session.execute(
        sa.select(NumberHistory.student_id, NumberHistory.student_no).filter_by(until_on=None)
    )
    assert dict(kept.all()) == others
    assert set(session.scalars(sa.select(Stay.student_id))) == set(others)


def test_who_is_at_school_has_one_open_stay_there_and_who_left_has_none(session: Session) -> None:
    from app.areas.students.models import Stay

    open_stays = session.execute(sa.select(Stay.student_id, Stay.school_id).filter_by(left_on=None)).all()
    staying = ("enrolled", "suspended")
    assert sorted(open_stays) == sorted((p.id, p.school_id) for p in pupils(session) if p.status in staying)


def test_the_school_a_pupil_left_keeps_what_it_knew(session: Session) -> None:
    from app.areas.students.models import Stay

    ended = session.scalars(sa.select(Stay).where(Stay.left_on.is_not(None))).all()
    assert len(ended) > 100
    assert all(stay.snapshot["name"] == stay.student_name for stay in ended)
    assert all(stay.snapshot["school_id"] == stay.school_id for stay in ended)


def test_about_92_of_100_are_han(session: Session) -> None:
    found = pupils(session)
    assert sum(pupil.ethnicity == "01" for pupil in found) / len(found) == pytest.approx(0.92, abs=0.02)


def test_pupils_are_as_old_as_their_grade_by_31_august(session: Session) -> None:
    """Six on entry to primary school; some entered a year late, one repeats a year."""
    ages = Counter()
    for pupil in pupils(session):
        entered_primary = pupil.grade.entry_year - pupil.grade.first_year + 1
        six_from, six_until = date(entered_primary - 7, 9, 1), date(entered_primary - 6, 8, 31)
        ages[0 if six_from <= pupil.born_on <= six_until else 1 if pupil.born_on < six_from else -1] += 1
    assert ages[-1] == 0
    assert 0 < ages[1] < 0.04 * ages[0]


def test_children_of_the_boarding_school_board_and_are_often_left_behind(session: Session) -> None:
    found = [pupil for pupil in pupils(session) if pupil.school.name == "白石镇九年一贯制学校"]
    assert sum(pupil.boarding == "2" for pupil in found) > len(found) / 2
    assert sum(pupil.left_behind != "0" for pupil in found) > len(found) / 3


def test_nearly_every_pupil_has_two_family_members_and_all_have_a_guardian(session: Session) -> None:
    found = families(session)
    assert set(found) == {pupil.id for pupil in pupils(session)}
    assert all(any(member.is_guardian for member in family) for family in found.values())
    assert sum(len(family) >= 2 for family in found.values()) > 0.9 * len(found)


# --- nobody real --------------------------------------------------------------------------------------


def test_no_number_can_be_that_of_somebody_real(session: Session) -> None:
    """Area codes of the city are unused, 000 is no sequence of a permit, 104 begins no mobile number."""
    from app.areas.regions import gb2260
    from app.areas.students.models import FamilyMember

    national = {row.code[:4] for row in gb2260.regions()}
    members = session.scalars(sa.select(FamilyMember)).all()
    for person in (*pupils(session), *members):
        assert person.phone.startswith("104")
        if person.id_type == "1" and person.id_number:
            assert person.id_number[:4] == "5199"
        elif person.id_type == "P":
            assert person.id_number[14:17] == "000"
    assert "5199" not in national
    assert not any(
        p.student_no and p.student_no[0] != "G" and p.student_no[1:5] != "5199" for p in pupils(session)
    )


# --- special pupils -----------------------------------------------------------------------------------


def test_two_of_one_name_are_in_one_grade(session: Session) -> None:
    from app.areas.students.models import Student

    first, second = (p for p in pupils(session, Student.name == "王子涵") if p.school.name == YIZHONG)
    assert first.grade_id == second.grade_id
    assert first.id_number != second.id_number


def test_twins_share_birthday_home_and_parents(session: Session) -> None:
    one, other = named(session, "陈嘉树"), named(session, "陈嘉禾")
    assert (one.born_on, one.home_address) == (other.born_on, other.home_address)
    assert [member.name for member in one.family] == [member.name for member in other.family]


@pytest.mark.parametrize(
    ("name", "initials", "number", "id_type"),
    [
        ("欧阳雨桐", "oyyt", "G", "1"),
        ("阿依古丽·买买提", "ayglmmt", "G", "1"),
        ("王𬸚", "wy", "G", "1"),
        ("李㛃", "lj", "G", "1"),
        ("Anna Maria Keller", "amk", "J", "A"),
        ("郑凯琳", "zkl", "J", "P"),
        ("简安妤", "jay", "J", "P"),
    ],
)
def test_names_and_papers_that_trip_other_systems_are_there(
    session: Session, name: str, initials: str, number: str, id_type: str
) -> None:
    pupil = named(session, name)
    assert (pupil.name_initials, pupil.student_no[0], pupil.id_type) == (initials, number, id_type)


def test_a_child_without_papers_has_a_relative_who_has_some(session: Session) -> None:
    from app.areas.students.models import Student

    [pupil] = pupils(session, Student.id_type == "Z")
    assert (pupil.id_number, pupil.student_no[0]) == (None, "J")
    assert any(member.id_number for member in pupil.family)


def test_one_id_number_is_used_in_two_counties_and_both_records_are_marked(session: Session) -> None:
    from app.areas.students.models import Student

    used = Counter(pupil.id_number for pupil in pupils(session) if pupil.id_number)
    [double] = [number for number, n in used.items() if n > 1]
    found = pupils(session, Student.id_number == double)
    assert {pupil.authority_code for pupil in found} == {"519921", "519922"}
    assert {pupil.verification for pupil in found} == {"problem"}


def test_one_child_has_its_mothers_number(session: Session) -> None:
    family = families(session)
    found = [p for p in pupils(session) if p.id_number and p.id_number in {m.id_number for m in family[p.id]}]
    assert [(pupil.verification, pupil.student_no[0]) for pupil in found] == [("problem", "L")]


def test_one_leave_ends_in_twelve_days_and_one_should_have_ended(session: Session) -> None:
    from app.areas.changes.models import Change

    ends = session.scalars(
        sa.select(Change.until_on)
        .where(Change.kind == "SUSPEND", Change.state == "done")
        .order_by(Change.until_on)
    ).all()
    assert TODAY + timedelta(12) in ends
    assert [day for day in ends if day < TODAY] == [TODAY - timedelta(9)]


def test_who_repeats_a_year_entered_before_the_grade_did(session: Session) -> None:
    unequal = [
        pupil
        for pupil in pupils(session)
        if pupil.status == "enrolled" and pupil.entry_month != f"{pupil.grade.entry_year}09"
    ]
    assert [(p.entry_month[:4], p.grade.entry_year) for p in unequal] == [("2024", 2025)]


def test_last_summers_graduates_are_of_a_grade_that_is_over(session: Session) -> None:
    graduates = [
        pupil for pupil in pupils(session) if pupil.status in ("graduated", "completed", "incomplete")
    ]
    assert {pupil.grade.is_graduated for pupil in graduates} == {True}
    assert {pupil.grade.entry_year + pupil.grade.level for pupil in graduates} == {2026}


def test_retired_county_codes_live_on_in_the_numbers_of_those_who_moved(session: Session) -> None:
    from app.areas.regions.models import Region

    known = set(session.scalars(sa.select(Region.code)))
    moved = [pupil for pupil in pupils(session) if pupil.is_migrant_child]
    assert moved
    assert not {pupil.id_number[:6] for pupil in moved} & known
    assert {pupil.residence_code[:6] for pupil in moved} <= known


# --- all of it could have been typed in ---------------------------------------------------------------


def test_every_value_is_one_that_its_field_reads(session: Session) -> None:
    from app.core.entity import registry
    from app.core.fields import Code, Text

    faults = Counter()
    for entity in registry:
        fields = {n: f for n, f in entity.fields().items() if isinstance(f, Code | Text)}
        for row in session.scalars(sa.select(entity)) if entity.key() != "audit_entry" else ():
            for name, field in fields.items():
                value = getattr(row, name)
                if value is not None and field.parse(field.dump(value)) != value:
                    faults[entity.key(), name] += 1
    assert faults == {}


def test_every_registered_pupil_passes_the_checks_of_the_form(session: Session) -> None:
    """As if each form were typed in anew; only the number in place of the child's is complained of."""
    from app.areas.students.models import FamilyMember, Student

    fields, relatives = Student.fields(), families(session)
    complained = {}
    for pupil in pupils(session):
        typed = Student(**{name: getattr(pupil, name) for name in fields})
        family = [
            FamilyMember(**{name: getattr(one, name) for name in FamilyMember.fields()})
            for one in relatives[pupil.id]
        ]
        missing = [(n, "") for n, f in fields.items() if f.required and f.form and getattr(typed, n) is None]
        found = [
            *missing,
            *typed.check(),
            *typed.check_inlines(family),
            *(c for one in family for c in one.check()),
        ]
        if found:
            complained[pupil.id] = {name for name, _sentence in found}
    assert list(complained.values()) == [{"born_on"}]
    assert pupils(session, Student.id == next(iter(complained)))[0].verification == "problem"


def test_nothing_that_follows_from_other_columns_is_missing_or_wrong(session: Session) -> None:
    """Settling a row anew changes nothing, and its own checks have nothing to say."""
    from app.areas.regions.models import Region
    from app.core.entity import registry

    entities = [entity for entity in registry if entity.key() != "audit_entry"]
    rows = [
        row for entity in entities for row in session.scalars(sa.select(entity))
    ]  # held, or each is read again
    with session.no_autoflush:
        for row in rows:
            row.settle(session)
            assert not session.is_modified(row), (row.key(), row.id)
            if not isinstance(row, Region) or row.is_added:
                assert list(row.check()) == [], (row.key(), row.id)


def test_formal_numbers_agree_with_the_papers(session: Session) -> None:
    from app.areas.students import numbers

    for pupil in pupils(session):
        if pupil.student_no:
            assert numbers.check_student_no(pupil.student_no) is None
            assert pupil.student_no_state == ("temporary" if pupil.student_no[0] == "L" else "formal")
            assert numbers.id_in(pupil.student_no) in (None, pupil.id_number)


def test_most_first_graders_wait_for_the_national_check(session: Session) -> None:
    kinds = Counter(p.student_no[0] for p in pupils(session) if p.student_no and p.grade.year == 1)
    assert kinds["L"] > kinds["G"]
    kinds = Counter(p.student_no[0] for p in pupils(session) if p.student_no and p.grade.year > 1)
    assert kinds["G"] > 0.98 * kinds.total()


def test_every_change_is_seen_by_the_school_and_by_who_decides(session: Session) -> None:
    from app.areas.changes.models import Change, ChangeParty

    roles: dict[int, set[str]] = {}
    for party in session.scalars(sa.select(ChangeParty)):
        roles.setdefault(party.change_id, set()).add(party.role)
    changes = session.scalars(sa.select(Change)).all()
    assert {change.state.is_open for change in changes} == {True, False}
    for change in changes:
        wanted = {"starter", "authority"} | (
            {"origin", "origin_authority"} if change.kind == "XFER_IN" else set()
        )
        assert roles[change.id] == wanted


# --- people -------------------------------------------------------------------------------------------


def visible_schools(app: Flask, username: str) -> set[str]:
    from app.areas.schools.models import School
    from app.areas.students.models import Student

    with seen_by(app, username) as session:
        seen = set(session.scalars(sa.select(Student.school_id).distinct()))
    with seen_by(app) as session:
        return set(session.scalars(sa.select(School.name).where(School.id.in_(seen))))


@pytest.mark.parametrize(
    ("username", "schools"),
    [
        ("lin", {YIZHONG}),
        ("zhao", {YIZHONG}),
        ("zhou", {YIZHONG}),
        ("wang", {"城关初级中学"}),
        ("gao", {"石溪县第二初级中学"}),
        ("tang", {"石溪县第二初级中学"}),
        ("xu", {"石溪县第二初级中学"}),
        ("chen", {name for name, *_rest in SCHOOLS} - {SHIYANGAO, "石溪县第二初级中学"}),
        ("cheng", {name for name, *_rest in SCHOOLS}),
        ("li", set()),
        ("he", set()),
        ("ops", set()),
    ],
)
def test_each_person_sees_the_pupils_of_the_own_place(
    district: Flask, username: str, schools: set[str]
) -> None:
    assert visible_schools(district, username) == schools


def test_the_class_teacher_sees_one_class(district: Flask) -> None:
    from app.areas.students.models import Student

    with seen_by(district, "zhou") as session:
        [class_id] = set(session.scalars(sa.select(Student.class_id)))
    with seen_by(district) as session:
        one = next(one for one, _n in seated(session)[YIZHONG] if one.id == class_id)
        assert (one.full_name, one.teacher.username) == ("七年级（3）班", "zhou")


def test_every_grant_but_the_systems_came_under_another(session: Session) -> None:
    from app.core.rights import Grant

    grants = {grant.id: grant for grant in session.scalars(sa.select(Grant))}
    for grant in grants.values():
        if grant.giver_id is None:
            continue
        above = grants[grant.under_id]
        assert above.person_id == grant.giver_id
        assert above.passable
        assert not above.usable


def test_everybody_comes_in_with_the_one_password_that_its_rules_allow(session: Session) -> None:
    from flask_appbuilder.security.sqla.models import User

    from app.areas.people import passwords
    from app.core import logins
    from seeds.demo import PASSWORD

    people = session.scalars(sa.select(User)).all()
    assert all(user.is_demo and not user.must_change_password for user in people)
    assert {logins.is_password_of(user.password, PASSWORD) for user in people} == {True}
    assert not [c for user in people for c in passwords.complaints(PASSWORD, user.username, user.first_name)]


def test_one_password_is_about_to_expire_and_one_account_is_locked(session: Session) -> None:
    from flask import current_app
    from flask_appbuilder.security.sqla.models import User

    from app.core import logins

    rules = logins.LoginRules.of(current_app.config)
    noon = datetime(2026, 11, 23, 4, tzinfo=UTC)
    people = session.scalars(sa.select(User)).all()
    soon = noon + current_app.config["PASSWORD_WARN"]
    expiring = [user.username for user in people if noon < (logins.password_ends(user, rules) or noon) < soon]
    assert expiring == ["tang"]
    assert [user.username for user in people if logins.is_locked(user, noon)] == ["gao"]


# --- again, elsewhere, larger -------------------------------------------------------------------------

UNFORESEEN = {("ab_user", "password"), ("audit_entry", "at"), ("ab_permission_view_role", "id")}


def dump(app: Flask) -> dict[str, list[Any]]:
    """Every row of every table, but for salts, for when it was loaded, and for ids that nothing points at."""
    with app.app_context(), _engine().connect().execution_options(unguarded=True) as connection:
        return {name: _rows(connection, table) for name, table in Model.metadata.tables.items()}


def _rows(connection: sa.Connection, table: sa.Table) -> list[Any]:
    columns = [column for column in table.columns if (table.name, column.name) not in UNFORESEEN]
    return sorted(connection.execute(sa.select(*columns)).all(), key=str)


def test_the_same_arguments_give_the_same_district_and_another_seed_another(empty_app: Flask) -> None:
    build(empty_app, on=TODAY, schools=11, students=4_000, seed=7)
    first = dump(empty_app)
    build(empty_app, on=TODAY, schools=11, students=4_000, seed=7)
    assert dump(empty_app) == first
    build(empty_app, on=TODAY, schools=11, students=4_000, seed=8)
    assert dump(empty_app)["student"] != first["student"]


@pytest.mark.parametrize("on", [date(2026, 9, 1), date(2026, 8, 31), date(2027, 3, 15), date(2028, 2, 29)])
def test_the_district_can_be_had_on_any_day(empty_app: Flask, on: date) -> None:
    from app.areas.changes.models import Change
    from app.areas.students.models import NumberHistory, Status, Stay

    build(empty_app, on=on, seed=on.toordinal())
    with seen_by(empty_app) as session:
        assert {pupil.status for pupil in pupils(session)} == set(Status)
        assert session.scalar(sa.select(sa.func.max(Stay.entered_on))) <= on
        assert session.scalar(sa.select(sa.func.max(Stay.left_on))) <= on
        assert session.scalar(sa.select(sa.func.max(NumberHistory.from_on))) <= on
        assert session.scalar(sa.select(sa.func.max(Change.started_at))).date() <= on


def test_more_schools_and_pupils_are_made_up_to_the_number_asked_for(empty_app: Flask) -> None:
    from app.areas.regions import gb2260
    from app.areas.regions.models import Region
    from app.areas.schools import seats
    from app.areas.schools.models import School

    build(empty_app, on=TODAY, schools=60, students=9_000)
    with seen_by(empty_app) as session:
        found = seated(session)
        assert len(found) == 60
        assert len(pupils(session)) == 9_000
        assert all(
            n <= seats.limit_of(one, one.grade.stage) for classes in found.values() for one, n in classes
        )
        added = session.scalars(sa.select(Region).where(Region.is_added)).all()
        assert not {region.name for region in added} & {row.name for row in gb2260.regions()}
        assert {code[:6] for code in session.scalars(sa.select(School.location_code))} <= {
            r.code for r in added
        }


def test_what_is_added_after_the_load_gets_an_id_of_its_own(empty_app: Flask) -> None:
    from app.areas.schools.models import AcademicYear
    from app.core import rights, saving

    build(empty_app, on=TODAY)
    empty_app.extensions["built"] = None
    with seen_by(empty_app) as session:
        last = session.scalar(sa.select(sa.func.max(AcademicYear.id)))
        with saving.work():
            days = {"starts_on": date(2030, 9, 1), "ends_on": date(2031, 8, 31)}
            made = saving.create(AcademicYear, {"name": "2030-2031", **days}, rights.system("tests"))
        assert made.id == last + 1


def test_a_database_with_schools_is_left_alone(district: Flask) -> None:
    from app.extensions import db
    from seeds import demo

    before = dump(district)
    with district.app_context():
        with pytest.raises(demo.NotEmpty):
            demo.build(db.session(), on=TODAY)
        db.session.remove()
    assert dump(district) == before


def test_more_pupils_than_the_schools_can_hold_are_refused(empty_app: Flask) -> None:
    from app.extensions import db
    from seeds import demo

    build(empty_app)
    with empty_app.app_context():
        for schools, students in ((9, 10_000), (10, 1_000_000)):
            with pytest.raises(ValueError, match="学校太少"):
                demo.build(db.session(), schools=schools, students=students, on=TODAY)
            db.session.remove()
            assert dump(empty_app)["school"] == []


def test_no_line_of_the_load_tells_whom_it_loaded(session: Session) -> None:
    from app.core.audit import AuditEntry

    told = session.scalars(sa.select(AuditEntry.after).filter_by(action="load")).all()
    assert told
    assert all(re.fullmatch(r"\{'rows': \d+\}", str(after)) for after in told)
