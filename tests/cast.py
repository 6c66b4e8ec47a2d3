"""The people and pupils whom every test meets: two counties, three schools, fourteen people, twenty-three pupils.

`assemble` builds them once for each kind of database, through the doors that everyone uses. Ids are the same on every
database and are asked for by name: `pupil("欧阳若曦")`, `school(YIZHONG)`, `class_of(YIZHONG, 7, 1)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

PASSWORD = "Lan-chuan-2026"
CITY, QINGLAN, SHIXI = "519900", "519921", "519922"
YIZHONG, CHENGGUAN, SHIXI_ER = "青岚县第一中学", "城关初级中学", "石溪县第二初级中学"

REGIONS = (
    ("510000", "四川省", None, "province"),
    (CITY, "澜川市", "510000", "city"),
    (QINGLAN, "青岚县", CITY, "county"),
    (SHIXI, "石溪县", CITY, "county"),
)


# --- people -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """One account. `at` is a school's name or a region's code; `in_classes` narrows the grant to (school year, number)."""

    username: str
    name: str
    at: str
    role: str
    what: str
    in_classes: tuple[tuple[int, int], ...] = ()


PEOPLE = (
    Person(
        "chen",
        "陈局长",
        QINGLAN,
        "bureau_viewer",
        "looks at every school below the county and changes nothing",
    ),
    Person("sun", "孙科员", QINGLAN, "bureau_reviewer", "the county's first signature"),
    Person("qian", "钱科长", QINGLAN, "bureau_reviewer", "the county's second signature"),
    Person("he", "何主任", QINGLAN, "bureau_admin", "opens schools and their first admin, passes rights on"),
    Person("cheng", "程科员", CITY, "bureau_reviewer", "signs for senior highs, which are the city's"),
    Person(
        "li",
        "李老师",
        YIZHONG,
        "super_admin",
        "opens accounts in the school, sees no pupil, passes rights on",
    ),
    Person("lin", "林老师", YIZHONG, "clerk", "keeps the records of the whole school"),
    Person("zhao", "赵副校长", YIZHONG, "leader", "the school's signature"),
    Person(
        "zhou",
        "小周",
        YIZHONG,
        "class_teacher",
        "keeps the plain fields of the own class",
        in_classes=((7, 1),),
    ),
    Person("wang", "王老师", CHENGGUAN, "clerk", "clerk of another school: must see nothing of the first"),
    Person("gao", "高老师", SHIXI_ER, "clerk", "clerk in another county"),
    Person("tang", "唐主任", SHIXI_ER, "leader", "leader in another county"),
    Person("xu", "徐科员", SHIXI, "bureau_reviewer", "reviewer of another county"),
    Person("ops", "运维", CITY, "operator", "keeps the machines running, sees no pupil"),
)


# --- schools, grades, classes -------------------------------------------------------------------------


@dataclass(frozen=True)
class SchoolSpec:
    """`stages`: (stage, years, authority)."""

    name: str
    code: str
    type: str
    location: str
    stages: tuple[tuple[str, int, str], ...]


SCHOOLS = (
    SchoolSpec(YIZHONG, "3451000001", "341", QINGLAN, (("2", 3, QINGLAN), ("3", 3, CITY))),
    SchoolSpec(CHENGGUAN, "3151000002", "311", QINGLAN, (("2", 3, QINGLAN),)),
    SchoolSpec(SHIXI_ER, "3151000003", "311", SHIXI, (("2", 3, SHIXI),)),
)

GRADES = (
    # school, stage, entry year, level, school year, class numbers
    (YIZHONG, "2", 2026, 1, 7, (1, 2, 10)),
    (YIZHONG, "2", 2025, 2, 8, (1,)),
    (YIZHONG, "3", 2026, 1, 10, (1,)),
    (CHENGGUAN, "2", 2026, 1, 7, (1, 9)),
    (SHIXI_ER, "2", 2026, 1, 7, (1,)),
)


# --- pupils -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pupil:
    """`at`: (school, school year, class number). A draft has no number yet."""

    name: str
    gender: str
    born_on: date
    at: tuple[str, int, int]
    status: str = "enrolled"
    id_type: str = "1"
    area: str = QINGLAN
    more: dict[str, Any] = field(default_factory=dict)


BOY, GIRL = "1", "2"
PUPILS = (
    Pupil("王子涵", GIRL, date(2014, 3, 5), (YIZHONG, 7, 1)),
    Pupil("王子涵", BOY, date(2013, 11, 20), (YIZHONG, 7, 2)),
    Pupil("欧阳若曦", GIRL, date(2014, 1, 17), (YIZHONG, 7, 1)),
    Pupil(
        "阿依古丽·买买提", GIRL, date(2013, 12, 2), (YIZHONG, 7, 1), area="653101", more={"ethnicity": "05"}
    ),
    Pupil("刘浩然", BOY, date(2014, 5, 30), (YIZHONG, 7, 1), status="pending"),
    Pupil("陈思远", BOY, date(2013, 10, 8), (YIZHONG, 7, 2), status="suspended"),
    Pupil(
        "林嘉怡",
        GIRL,
        date(2014, 2, 11),
        (YIZHONG, 7, 2),
        id_type="P",
        area="810000",
        more={"overseas": "01"},
    ),
    Pupil("周小雨", GIRL, date(2013, 9, 9), (YIZHONG, 7, 10)),
    Pupil("周小雪", GIRL, date(2013, 9, 9), (YIZHONG, 7, 10)),
    Pupil("张一鸣", BOY, date(2012, 11, 3), (YIZHONG, 8, 1)),
    Pupil("李思琪", GIRL, date(2012, 10, 25), (YIZHONG, 8, 1)),
    Pupil("何俊杰", BOY, date(2012, 4, 14), (YIZHONG, 8, 1), status="transferred_out"),
    Pupil("赵雅婷", GIRL, date(2011, 1, 29), (YIZHONG, 10, 1)),
    Pupil("孙宇航", BOY, date(2010, 12, 6), (YIZHONG, 10, 1)),
    Pupil("吴佳怡", GIRL, date(2014, 6, 18), (CHENGGUAN, 7, 1)),
    Pupil("徐子轩", BOY, date(2014, 4, 21), (CHENGGUAN, 7, 1)),
    Pupil("王子涵", BOY, date(2014, 7, 1), (CHENGGUAN, 7, 9)),
    Pupil("马欣妍", GIRL, date(2013, 12, 30), (CHENGGUAN, 7, 9)),
    Pupil("朱梓萱", GIRL, date(2014, 8, 8), (CHENGGUAN, 7, 1), status="pending"),
    Pupil("胡俊熙", BOY, date(2014, 1, 2), (SHIXI_ER, 7, 1), area=SHIXI),
    Pupil("郭诗涵", GIRL, date(2013, 10, 31), (SHIXI_ER, 7, 1), area=SHIXI),
    Pupil("罗文博", BOY, date(2014, 3, 27), (SHIXI_ER, 7, 1), area=SHIXI),
    Pupil("谢雨桐", GIRL, date(2014, 5, 12), (SHIXI_ER, 7, 1), status="pending", area=SHIXI),
)

FAMILY = (
    # pupil, name, relation, phone
    ("王子涵", "王建国", "51", "14000000001"),
    ("王子涵", "周丽华", "52", "14000000002"),
    ("欧阳若曦", "欧阳明", "51", "14000000003"),
    ("阿依古丽·买买提", "买买提·吐尔逊", "51", "14000000004"),
    ("吴佳怡", "吴大勇", "51", "14000000005"),
    ("胡俊熙", "胡建军", "51", "14000000006"),
)


# --- asking by name -----------------------------------------------------------------------------------


def person(username: str) -> int:
    return next(n for n, one in enumerate(PEOPLE, 1) if one.username == username)


def school(name: str) -> int:
    return next(n for n, one in enumerate(SCHOOLS, 1) if one.name == name)


def grade(name: str, year: int) -> int:
    """The grade of a school by its year of schooling: 7 for 七年级."""
    return next(n for n, one in enumerate(GRADES, 1) if (one[0], one[4]) == (name, year))


def class_of(name: str, year: int, number: int) -> int:
    places = [(one[0], one[4], seat) for one in GRADES for seat in one[5]]
    return places.index((name, year, number)) + 1


def pupil(name: str, at: str = "", gender: str = "") -> int:
    """The first pupil of that name; `at` names the school, `gender` tells namesakes apart."""
    return next(
        n
        for n, one in enumerate(PUPILS, 1)
        if one.name == name and at in ("", one.at[0]) and gender in ("", one.gender)
    )


def relative(name: str) -> int:
    return next(n for n, one in enumerate(FAMILY, 1) if one[1] == name)


def id_number(student_id: int) -> str:
    """The pupil's ID number: area, birth date, a running number that tells the sex, check digit."""
    from app.areas.students import numbers

    one = PUPILS[student_id - 1]
    first = f"{one.area}{one.born_on:%Y%m%d}{2 * student_id + (one.gender == BOY):03d}"
    return first + numbers.check_digit(first)


def student_no(student_id: int) -> str | None:
    return None if PUPILS[student_id - 1].status == "pending" else "G" + id_number(student_id)


def actor(session: Session, username: str) -> Any:
    """The person as the application sees them: with the grants open now."""
    from flask_appbuilder.security.sqla.models import User

    from app.core import rights

    found = session.get(User, person(username))
    assert found is not None
    return rights.load_actor(session, found)


# --- building -----------------------------------------------------------------------------------------


def assemble(session: Session) -> None:
    from app.areas.people.roles import load_roles
    from app.core import rights, saving, scope

    by = rights.system("seed")
    with scope.acting(session, by), saving.work():
        rights.sync(session)
        load_roles(session)
        _make_regions(by)
        _make_schools(by)
        _make_people(session)
        _make_grants(session, by)
        _make_pupils(by)
        _make_family(by)
        _make_change(by)


def _make_regions(by: Any) -> None:
    from app.areas.regions.models import Region
    from app.core import saving

    columns = ("code", "name", "parent_code", "level")
    rows = [dict(zip(columns, row, strict=True)) for row in REGIONS]
    saving.many(Region, [{**row, "is_added": row["level"] != "province"} for row in rows], by)


def _make_schools(by: Any) -> None:
    from app.areas.schools.models import Grade, School, SchoolClass, SchoolStage
    from app.core import saving

    for one in SCHOOLS:
        words = {
            "type": one.type,
            "organiser": "1",
            "urban_rural": "121",
            "location_code": one.location + "000000",
        }
        made = saving.create(School, {"school_code": one.code, "name": one.name, **words}, by)
        for stage, years, authority in one.stages:
            words = {"stage": stage, "years": years, "authority_code": authority}
            saving.create(SchoolStage, {"school_id": made.id, **words}, by)
    for name, stage, entry_year, level, _year, classes in GRADES:
        words = {"school_id": school(name), "stage": stage, "entry_year": entry_year, "level": level}
        made_grade = saving.create(Grade, words, by)
        for number in classes:
            saving.create(SchoolClass, {"grade_id": made_grade.id, "number": number}, by)


def _make_people(session: Session) -> None:
    from flask_appbuilder.security.sqla.models import User
    from werkzeug.security import generate_password_hash

    password = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
    now = datetime.now(UTC)
    for one in PEOPLE:
        is_of_school = one.at in {spec.name for spec in SCHOOLS}
        session.add(
            User(
                username=one.username,
                first_name=one.name,
                last_name="",
                email=f"{one.username}@example.invalid",
                password=password,
                active=True,
                school_id=school(one.at) if is_of_school else None,
                region_code=None if is_of_school else one.at,
                password_set_at=now,
                is_demo=True,
            )
        )
        session.flush()  # one by one, so that ids follow the list


def _make_grants(session: Session, by: Any) -> None:
    from flask_appbuilder.security.sqla.models import Role, User

    from app.areas.people.roles import BUNDLES, PREFIX
    from app.core import grants, rights

    roles = {role.name: role for role in session.scalars(sa.select(Role))}
    for one in PEOPLE:
        taker = session.get(User, person(one.username))
        classes = [class_of(one.at, *seat) for seat in one.in_classes]
        is_of_school = one.at in {spec.name for spec in SCHOOLS}
        place = (school(one.at), None) if is_of_school else (None, one.at)
        extent = rights.Extent.of(*place, None, classes)
        grants.grant(session, by, taker, roles[PREFIX + one.role], extent)
        if bundle := BUNDLES.get(PREFIX + one.role):
            grants.grant(session, by, taker, roles[bundle], extent, usable=False, passable=True)


PLAIN = {
    "birthplace_code": "519921000000",
    "native_place": "澜川市青岚县",
    "ethnicity": "01",
    "overseas": "00",
    "political_status": "13",
    "health": "10",
    "residence_code": "519921000000",
    "residence_type": "1",
    "entry_month": "202609",
    "entry_way": "11",
    "boarding": "1",
    "address": "青岚县城关镇解放路1号",
    "mail_address": "青岚县城关镇解放路1号",
    "home_address": "青岚县城关镇解放路1号",
    "post_code": "646000",
    "is_only_child": False,
    "had_preschool": True,
    "left_behind": "0",
    "is_migrant_child": False,
    "is_orphan": False,
    "is_martyr_child": False,
    "needs_aid": False,
    "has_subsidy": False,
    "distance_km": 2,
    "transport": "1",
    "needs_school_bus": False,
}
"""What a form asks for and no test is about; `plain()` completes it for a new pupil."""


def plain(**words: Any) -> dict[str, Any]:
    """A whole form for one new pupil of 青岚县第一中学 七年级（1）班, as parsed values."""
    return {
        **PLAIN,
        "name": "高晓松",
        "gender": BOY,
        "born_on": date(2014, 4, 4),
        "id_type": "Z",
        "grade_id": grade(YIZHONG, 7),
        "class_id": class_of(YIZHONG, 7, 1),
        "phone": "14012345678",
        **words,
    }


GUARDIAN = {"name": "高建军", "relation": "51", "phone": "14000000077", "is_guardian": True}
GUARDIAN |= {"id_type": "Z", "id_number": "LS20260001"}
"""Whom every new pupil brings along."""


def add_pupil(by: Any, authority: Any = None, **words: Any) -> Any:
    """A new pupil with a guardian, as a form would save them; inside `saving.work()`."""
    from app.areas.students.models import FamilyMember, Student
    from app.core import saving

    made = saving.create(Student, plain(**words), by, authority=authority)
    if made.id is not None:
        saving.create(FamilyMember, GUARDIAN | {"student_id": made.id}, by)
    return made


def _make_pupils(by: Any) -> None:
    from app.areas.students.models import Status, Student
    from app.core import saving

    for id_, one in enumerate(PUPILS, 1):
        given = {
            "name": one.name,
            "gender": one.gender,
            "born_on": one.born_on,
            "id_type": one.id_type,
            "id_number": id_number(id_),
            "student_no": student_no(id_),
            "grade_id": grade(*one.at[:2]),
            "class_id": class_of(*one.at),
            "status": Status(one.status),
            "phone": f"140{id_:08d}",
        }
        made = saving.create(Student, PLAIN | given | one.more, by)
        assert saving._current().complaints == [], (one.name, saving._current().complaints)
        assert made.id == id_, (one.name, made.id)


def _make_family(by: Any) -> None:
    from app.areas.students.models import FamilyMember, Student
    from app.core import saving

    for of, name, relation, phone in FAMILY:
        child = saving._current().session.get_one(Student, pupil(of))
        words = {"name": name, "relation": relation, "phone": phone, "is_guardian": True}
        place = {"student_id": child.id, "school_id": child.school_id, "authority_code": child.authority_code}
        saving.create(FamilyMember, {**words, **place}, by)


def _make_change(by: Any) -> None:
    """陈思远's suspension, decided by the county."""
    from app.areas.changes.models import Change, ChangeParty, ChangeState
    from app.core import saving

    id_ = pupil("陈思远")
    words = {
        "kind": "SUSPEND",
        "state": ChangeState.DONE,
        "student_id": id_,
        "student_name": "陈思远",
        "student_no": student_no(id_),
        "school_id": school(YIZHONG),
        "school_name": YIZHONG,
        "reason": "因病",
        "started_by": "林老师",
        "started_by_id": person("lin"),
        "started_at": datetime(2026, 10, 12, 2, 0, tzinfo=UTC),
        "effective_on": date(2026, 10, 15),
        "until_on": date(2027, 10, 14),
    }
    saving.many(Change, [words], by)
    party = {"change_id": CHANGE}
    saving.many(
        ChangeParty,
        [
            {**party, "role": "starter", "school_id": school(YIZHONG), "authority_code": None},
            {**party, "role": "authority", "school_id": None, "authority_code": QINGLAN},
        ],
        by,
    )


CHANGE = 1
