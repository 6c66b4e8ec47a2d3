"""May he, and why: the answer is the walls' own, names the grants, and is found in few statements."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people import why
from app.areas.people.why import Question
from app.areas.schools.models import Grade, School, SchoolClass
from app.areas.students.models import FamilyMember, Stay, Student
from app.core import explaining, grants, rights, scope
from app.core.entity import Entity
from app.core.powers import asked_by
from app.core.rights import Actor, Extent
from app.extensions import db
from bench import watch
from tests import cast
from tests.accounts import follow, grant_to, text_of
from tests.cast import QINGLAN, YIZHONG
from tests.client import Client

Login = Callable[..., Client]
OUYANG, ZHANG = cast.pupil("欧阳若曦"), cast.pupil("张一鸣")
QUESTIONS = 10_000


def ask(session: Session, by: str, who: str, action: str, obj: Entity, field: str = "") -> why.Answer:
    asker = cast.actor(session, by)
    person = session.get_one(User, cast.person(who))
    with scope.acting(session, asker):
        question = Question(person, type(obj), action, field, obj, named="该生")
        return why.answer(session, asker, question)


@pytest.fixture
def pupil(session: Session, acting: Any) -> Callable[[int], Student]:
    def find(id_: int) -> Student:
        with acting("system"):
            return session.get_one(Student, id_)

    return find


# --- the answer is the decision -----------------------------------------------------------------------


def records(session: Session) -> list[Entity]:
    kinds = (Student, FamilyMember, Stay, SchoolClass, Grade, School)
    return [row for kind in kinds for row in session.scalars(sa.select(kind)).unique()]


def more_grants(session: Session, system: Actor) -> None:
    """People with several grants, narrow and wide, over and not begun, to pass on and to use."""
    roles = {role.name: role for role in session.scalars(sa.select(Role))}
    now, tomorrow = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
    whole = Extent.of(cast.school(YIZHONG), None)
    grade, room = cast.grade(YIZHONG, 8), cast.class_of(YIZHONG, 7, 2)
    plans: list[tuple[str, str, Extent, dict[str, Any]]] = [
        ("zhou", "class_teacher", Extent.of(cast.school(YIZHONG), None, [grade]), {}),
        ("zhou", "class_teacher", Extent.of(cast.school(YIZHONG), None, None, [room]), {"ended": now}),
        ("zhou", "clerk", whole, {"usable": False, "passable": True}),
        ("zhao", "class_teacher", whole, {"starts_at": tomorrow}),
        ("chen", "bureau_reviewer", Extent.of(None, QINGLAN), {"ended": now - timedelta(days=1)}),
        ("wang", "class_teacher", whole, {}),
    ]
    for username, key, extent, words in plans:
        person = session.get_one(User, cast.person(username))
        ends = words.pop("ended", None)
        given = grants.grant(session, system, person, roles[f"default:{key}"], extent, **words)
        given.until = ends


def by_hand(session: Session, person_id: int, asked: tuple[str, ...], obj: Entity) -> bool:
    """The same question answered from the rows alone, without the deciding code: for whole rows only."""
    now = datetime.now(UTC)
    open_ones = [
        given
        for given in session.scalars(sa.select(rights.Grant).where(rights.Grant.person_id == person_id))
        if given.usable
        and given.withdrawn_at is None
        and given.starts_at <= now
        and (given.until is None or given.until > now)
    ]
    sets = grants.rights_of_roles(session, {given.role_id for given in open_ones})
    return any(set(asked) <= sets[g.role_id] and _reaches(session, g, obj, asked[0]) for g in open_ones)


def _reaches(session: Session, given: rights.Grant, obj: Any, power: str) -> bool:
    pupil = session.get(Student, obj.student_id) if isinstance(obj, FamilyMember) else obj
    school_id = obj.id if isinstance(obj, School) else obj.school_id
    codes = grants.authorities_of(session, obj.id) if isinstance(obj, School) else (obj.authority_code,)
    if given.region_code:
        stem = given.region_code.rstrip("0") if given.region_code.endswith("00") else given.region_code
        return any(code.startswith(stem) for code in codes)
    if given.school_id != school_id:
        return False
    if not given.grade_ids and not given.class_ids:
        return True
    if isinstance(obj, School | Grade | SchoolClass) and power.endswith((":list", ":show")):
        return True
    grade = {Grade: "id", Stay: "entry_grade_id"}.get(type(obj), "grade_id")
    room = {SchoolClass: "id"}.get(type(obj), "class_id")
    return getattr(pupil, grade, None) in (given.grade_ids or ()) or getattr(pupil, room, None) in (
        given.class_ids or ()
    )


def random_questions(session: Session, rng: random.Random) -> Iterator[tuple[str, Entity, str, str]]:
    rows = records(session)
    names = [one.username for one in cast.PEOPLE]
    for _n in range(QUESTIONS):
        obj = rng.choice(rows)
        action = rng.choice(why.actions_of(type(obj)))
        field = rng.choice(["", *why.fields_of(type(obj))]) if action in ("show", "edit", "reveal") else ""
        yield rng.choice(names), obj, action, field


def test_ten_thousand_questions_are_decided_and_explained_alike(
    app: Flask, session: Session, acting: Any
) -> None:
    """Explained by grants that allow; decided by the walls; and, for whole rows, worked out by hand."""
    rng, involved = random.Random(7), 0
    with acting("system") as system:
        more_grants(session, system)
        actors = {one.username: cast.actor(session, one.username) for one in cast.PEOPLE}
        questions = list(random_questions(session, rng))
        places = {id(obj): scope.places_of_row(session, obj) for _who, obj, _act, _field in questions}
        with watch.statements(db.engine) as seen:
            for who, obj, action, field in questions:
                by, asked = actors[who], asked_by(type(obj), action, field)
                verdict = explaining.decide_all(
                    by, asked, scope.asked_at(type(obj), asked[-1], places[id(obj)])
                )
                involved += len(by.holdings)
                assert bool(verdict) == bool(verdict.through)
                assert {h.grant_id for h in verdict.through}.isdisjoint(h.grant_id for h, _l in verdict.short)
                assert len(verdict.through) + len(verdict.short) == len(by.holdings)
        assert len(seen) < involved
        for who, obj, action, field in questions[:1_500]:
            by, asked = actors[who], asked_by(type(obj), action, field)
            explained = bool(
                explaining.decide_all(by, asked, scope.asked_at(type(obj), asked[-1], places[id(obj)]))
            )
            verbs = [power.removeprefix(f"{obj.key()}:") for power in asked]
            assert explained == all(scope.may(session, by, verb, obj) for verb in verbs), (who, obj, verbs)
            if not field:
                assert explained == by_hand(session, by.id or 0, asked, obj), (who, obj, action)


def test_who_may_look_is_who_sees_the_row(session: Session, acting: Any) -> None:
    """The explanation of show against the read wall's SQL, everybody and every pupil."""
    with acting("system") as system:
        more_grants(session, system)
        everyone = {obj.id: obj for obj in session.scalars(sa.select(Student)).unique()}
        actors = {one.username: cast.actor(session, one.username) for one in cast.PEOPLE}
        explained = {
            username: {
                id_
                for id_, obj in everyone.items()
                if scope.may(session, by, "show", obj) or scope.may(session, by, "list", obj)
            }
            for username, by in actors.items()
        }
    for username, by in actors.items():
        with scope.acting(session, by):
            assert set(session.scalars(sa.select(Student.id))) == explained[username], username


# --- what is said -------------------------------------------------------------------------------------


def test_a_yes_names_the_grant_it_comes_from(session: Session, pupil: Any) -> None:
    found = ask(session, "li", "lin", "edit", pupil(OUYANG), "phone")
    assert found.allowed
    assert found.sentence.startswith(
        "林老师可以对该生修改“学生”的“联系电话”。依据：“学籍管理员”（青岚县第一中学全校"
    )


def test_a_no_says_what_is_missing_who_could_give_it_and_the_least_that_would_do(
    session: Session, pupil: Any
) -> None:
    found = ask(session, "li", "zhou", "show", pupil(ZHANG))
    assert not found.allowed
    assert "范围不包括该生" in found.sentence
    assert "“班主任”（七年级（1）班" in found.sentence
    assert found.givers == ["李老师（青岚县第一中学）", "何主任（青岚县）"]
    assert found.smallest is not None
    assert (found.smallest.role.label, found.smallest.where) == ("班主任", "八年级（1）班")


def test_what_nobody_may_is_said_to_be_so_however_much_is_granted(session: Session, pupil: Any) -> None:
    found = ask(session, "li", "lin", "edit", pupil(OUYANG), "id_number")
    assert not found.allowed
    assert "日常管理—关键数据变更申请" in found.sentence
    deleting = ask(session, "li", "lin", "delete", pupil(OUYANG))
    assert not deleting.allowed
    assert "问题学籍处理" in deleting.sentence


def test_a_grant_that_is_over_or_not_begun_is_told(session: Session, acting: Any, pupil: Any) -> None:
    with acting("system") as system:
        more_grants(session, system)
    assert [
        "已到期" in line for line in ask(session, "he", "chen", "show", pupil(OUYANG), "health").once
    ] == [True]
    assert ["尚未开始" in line for line in ask(session, "li", "zhao", "edit", pupil(OUYANG)).once] == [True]


def test_a_suspended_account_may_nothing(session: Session, pupil: Any) -> None:
    session.get_one(User, cast.person("lin")).active = False
    found = ask(session, "li", "lin", "show", pupil(OUYANG))
    assert not found.allowed
    assert "账号已停用" in found.sentence


def test_who_can_see_a_field_of_a_pupil(session: Session, acting: Any, pupil: Any) -> None:
    question = Question(session.get_one(User, cast.person("li")), Student, "show", "health", pupil(OUYANG))
    with acting("li"):
        found = why.everyone_who_may(session, question)
    assert [person.username for person, _unit, _line in found] == ["sun", "qian", "cheng", "lin", "zhao"]


@pytest.mark.parametrize("many", [3, 60])
def test_statements_do_not_grow_with_the_grants(session: Session, acting: Any, pupil: Any, many: int) -> None:
    with acting("system") as system:
        person = session.get_one(User, cast.person("zhou"))
        role = session.scalars(sa.select(Role).where(Role.name == "default:class_teacher")).one()
        room = Extent.of(cast.school(YIZHONG), None, None, [cast.class_of(YIZHONG, 7, 2)])
        for _n in range(many):
            grants.grant(session, system, person, role, room)
        session.flush()
        obj = pupil(ZHANG)
    with watch.statements(db.engine) as seen:
        found = ask(session, "li", "zhou", "edit", obj)
    assert len(found.short) == many + 1
    assert len(seen) < 40


# --- on the page, for programs ------------------------------------------------------------------------


def test_the_super_admin_asks_about_a_pupil_he_cannot_see(login: Login) -> None:
    """By name, answered by number and class; no name enters the address."""
    li = login("li")
    asked = {"person": cast.person("zhou"), "entity": "student", "action": "show", "field": ""}
    answer = li.post("/why/", data={**asked, "record_text": "张一鸣"})
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"record={ZHANG}")
    page = text_of(follow(li, answer))
    assert "小周不能对八年级（1）班的学生（编号" in page
    assert "角色“班主任”，范围：八年级（1）班" in page
    assert "张一鸣" not in page


def test_a_pupil_is_found_by_what_he_is_called_not_by_a_number_that_is_hidden(login: Login) -> None:
    li = login("li")
    asked = {"person": cast.person("zhou"), "entity": "student", "action": "show"}
    for typed, status in ((cast.student_no(ZHANG), 302), (cast.id_number(ZHANG), 422)):
        answer = li.post("/why/", data={**asked, "record_text": typed})
        assert answer.status_code == status


def test_or_about_a_pupil_of_a_grade(login: Login) -> None:
    li = login("li")
    words = {
        "person": cast.person("zhou"),
        "entity": "student",
        "action": "show",
        "grade_id": cast.grade(YIZHONG, 8),
    }
    page = text_of(follow(li, li.post("/why/", data=words)))
    assert "小周不能对八年级的学生查看“学生”" in page


def test_namesakes_are_offered_to_choose_from(login: Login) -> None:
    li = login("li")
    words = {"person": cast.person("lin"), "entity": "student", "action": "show", "record_text": "王子涵"}
    page = li.post("/why/", data=words)
    assert page.status_code == 200
    assert "王子涵（七年级（1）班）" in page.text
    assert "王子涵（七年级（2）班）" in page.text


def test_everybody_asks_about_himself(login: Login) -> None:
    page = login("zhou").get(f"/why/?entity=student&record={OUYANG}&action=edit&field=phone")
    assert "小周可以对欧阳若曦修改" in text_of(page)


@pytest.mark.parametrize(
    ("username", "query", "status"),
    [
        ("zhou", f"person={cast.person('lin')}&entity=student&record={OUYANG}&action=show", 404),
        (
            "zhou",
            f"entity=student&record={ZHANG}&action=show",
            404,
        ),  # he does not see that there is such a one
        ("li", f"person={cast.person('wang')}&entity=student&record={OUYANG}&action=show", 404),
        ("li", f"entity=student&record={cast.pupil('吴佳怡')}&action=show", 404),
        ("li", f"entity=nothing&record={OUYANG}&action=show", 422),
        ("li", f"entity=student&record={OUYANG}&action=fly", 422),
        ("li", f"entity=student&record={OUYANG}&action=show&field=name_key", 422),
        ("li", f"entity=student&record={'9' * 40}&action=show", 404),
        ("li", f"entity=student&record={OUYANG}&action=show&junk=1", 422),
        ("he", f"person={cast.person('wang')}&entity=student&record={cast.pupil('吴佳怡')}&action=show", 200),
    ],
)
def test_only_within_reach_and_only_sound_questions(
    login: Login, username: str, query: str, status: int
) -> None:
    client = login(username)
    assert client.get(f"/why/?{query}").status_code == status
    assert client.get(f"/api/v1/why/?{query}").status_code == status


def test_programs_get_the_same_answer(login: Login) -> None:
    query = f"person={cast.person('zhou')}&entity=student&record={ZHANG}&action=show"
    found = login("li").get(f"/api/v1/why/?{query}").json
    assert found["allowed"] is False
    assert found["sentence"] in text_of(login("li").get(f"/why/?{query}"))
    assert found["details"]["可以授予这项权限的人"] == ["李老师（青岚县第一中学）", "何主任（青岚县）"]


def test_who_else_is_a_click_away(app: Flask, login: Login) -> None:
    grant_to(app, "zhou", "leader")
    page = login("li").get(f"/why/?entity=student&record={OUYANG}&action=show&field=health&who=1")
    assert page.status_code == 200
    assert "能这样做的人" in page.text
    assert "小周" in page.text
    assert login("zhou").get(f"/why/?entity=student&record={OUYANG}&action=show&who=1").status_code == 200
