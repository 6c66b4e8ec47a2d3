"""The yearly arrangement of class teachers on one page: who gains and loses which class, and the grants that go along."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.areas.people import granting, teachers
from app.areas.people.accounts import Home, open_account
from app.areas.schools.models import SchoolClass
from app.core import rights, saving, scope
from app.core.rights import Extent
from app.extensions import db
from tests import cast
from tests.accounts import audit_of, change, follow, grant_to, text_of
from tests.areas.people.test_granting import grants_of
from tests.areas.people.test_handover import go, make_teacher, parts
from tests.areas.people.test_handover import teachers as teachers_now
from tests.client import Client

Login = Callable[..., Client]
PATH = "/people/teachers/"
FIRST, SECOND, TENTH = (cast.class_of(cast.YIZHONG, 7, n) for n in (1, 2, 10))
EIGHTH = cast.class_of(cast.YIZHONG, 8, 1)
UNTIL = "2099-08-31"


def shown(page: TestResponse) -> dict[str, str]:
    """What the form would post if nothing were touched."""
    found = dict(re.findall(r'<input type="hidden" name="([vo]-\d+)" value="([^"]*)"', page.text))
    for name, options in re.findall(r'<select[^>]*name="(t-\d+)"[^>]*>(.*?)</select>', page.text, re.S):
        chosen = re.search(r'value="(\d*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def ask(client: Client, page: TestResponse | None = None, /, **chosen: str) -> TestResponse:
    """Posts the page as it was shown, with teachers chosen for some classes: `ask(li, c1="lin", c2="")`."""
    words = shown(page or client.get(PATH)) | {
        "until": chosen.pop("until", UNTIL),
        "renews": chosen.pop("renews", ""),
    }
    for name, username in chosen.items():
        words[f"t-{name.removeprefix('c')}"] = str(cast.person(username)) if username else ""
    return client.post(PATH, data=words)


def held(app: Flask, username: str) -> list[tuple[list[int] | None, date | None]]:
    return [
        (one.class_ids, granting.last_day(one.until)) for one in grants_of(app, username) if one.class_ids
    ]


def person_of(app: Flask, class_id: int) -> int | None:
    return teachers_now(app).get(class_id)


LIN, ZHOU, ZHAO = (cast.person(name) for name in ("lin", "zhou", "zhao"))


# --- the page ---------------------------------------------------------------------------------------------


def test_all_classes_of_grades_that_have_not_graduated_are_there(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST)
    page = login("li").get(PATH)
    assert page.status_code == 200
    classes = re.findall(r'<label class="form-label" for="f-t-\d+">([^<]+)</label>', page.text)
    assert classes == ["七年级（1）班", "七年级（2）班", "七年级（10）班", "八年级（1）班", "高一（1）班"]
    assert "小周（长期授权）" in text_of(page)
    assert shown(page)[f"t-{FIRST}"] == str(ZHOU)
    options = re.search(rf'name="t-{FIRST}".*?</select>', page.text, re.S)[0]
    assert re.findall(r">([^<]+)</option>", options)[:3] == ["未安排", "李老师（li）", "林老师（lin）"]
    assert "王老师" not in options


def test_a_grade_that_has_graduated_is_left_out(app: Flask, login: Login) -> None:
    from app.areas.schools.models import Grade
    from app.core.authority import Authority

    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            grade = work.session.get_one(Grade, cast.grade(cast.YIZHONG, 8))
            saving.edit(grade, {"is_graduated": True}, by, authority=Authority("promotion"))
        db.session.remove()
    assert "八年级" not in text_of(login("li").get(PATH))


@pytest.mark.parametrize(
    ("today", "ends"),
    [
        ("2026-09-01", "2027-08-31"),
        ("2026-12-31", "2027-08-31"),
        ("2027-06-30", "2027-08-31"),
        ("2027-07-01", "2028-08-31"),
    ],
)
def test_the_school_year_ends_on_the_31st_of_august(today: str, ends: str) -> None:
    assert teachers.school_year_ends(date.fromisoformat(today)).isoformat() == ends


def test_where_there_are_many_people_one_looks_them_up(app: Flask, session: Session, login: Login) -> None:
    by = rights.system("tests")
    for n in range(41):
        words = {"username": f"teacher{n}", "name": f"老师{n}"}
        open_account(session, by, Home(school_id=cast.school(cast.YIZHONG)), words, "x", hashed="x")
    session.commit()
    page = login("li").get(PATH).text
    assert page.count('data-lookup="/lookup/ab_user"') == 5


# --- who gains, who loses ---------------------------------------------------------------------------------


def test_two_classes_change_hands_and_nothing_else_does(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST, EIGHTH)
    li = login("li")
    question = ask(li, None, **{f"c{FIRST}": "lin", f"c{SECOND}": "zhou"})
    assert question.status_code == 200, text_of(question)
    assert parts(question) == {
        "接任": ["林老师：七年级（1）班，授权到2099-08-31", "小周：七年级（2）班，授权到2099-08-31"],
        "卸任": ["小周：七年级（1）班，收回授权（原期限长期）"],
        "请留意": [
            "林老师还担任学籍管理员，这些授权不变。",
            "小周将同时担任七年级（2）班、八年级（1）班的班主任。",
        ],
    }
    assert person_of(app, FIRST) == ZHOU, "nothing is saved before the second question is answered"
    assert "已保存班主任安排：2个班有变动" in text_of(follow(li, go(li, question)))
    assert teachers_now(app) == {FIRST: LIN, SECOND: ZHOU, EIGHTH: ZHOU}
    assert held(app, "lin") == [([FIRST], date(2099, 8, 31))]
    assert held(app, "zhou") == [([SECOND], date(2099, 8, 31))]
    entries = [
        row for row in audit_of(app, "edit") if row.entity == "school_class" and row.actor_name == "李老师"
    ]
    assert [(row.row_id, row.authority) for row in entries] == [
        (FIRST, "class_teacher"),
        (SECOND, "class_teacher"),
    ]

    zhou = login("zhou")
    assert "林嘉怡" in zhou.get("/students/list/").text
    assert "欧阳若曦" not in zhou.get("/students/list/").text


def test_without_a_change_there_is_nothing_to_save(app: Flask, login: Login) -> None:
    answer = ask(login("li"))
    assert answer.status_code == 422
    assert "没有变动" in text_of(answer)


def test_a_class_without_a_teacher_takes_the_grants_back(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST)
    li = login("li")
    question = ask(li, None, **{f"c{FIRST}": ""})
    assert parts(question) == {
        "卸任": ["小周：七年级（1）班，收回授权（原期限长期）"],
        "没有班主任的班级": ["七年级（1）班"],
    }
    follow(li, go(li, question))
    assert (teachers_now(app), held(app, "zhou")) == ({}, [])


def test_who_led_a_class_without_a_grant_is_named_as_well(app: Flask, login: Login) -> None:
    make_teacher(app, "zhao", SECOND)
    question = ask(login("li"), None, **{f"c{SECOND}": "zhou"})
    assert parts(question)["卸任"] == ["赵副校长：七年级（2）班，没有授权可收回"]


def test_who_has_the_grant_already_keeps_it_to_the_new_end(app: Flask, login: Login) -> None:
    """小周 has led the class by his grant, but was never entered."""
    li = login("li")
    follow(li, go(li, ask(li, None, **{f"c{FIRST}": "zhou"})))
    assert person_of(app, FIRST) == ZHOU
    assert held(app, "zhou") == [([FIRST], date(2099, 8, 31))]


def test_of_a_grant_for_several_classes_the_others_are_kept(app: Flask, login: Login) -> None:
    extent = Extent.of(cast.school(cast.YIZHONG), None, None, [SECOND, TENTH])
    grant_to(app, "zhou", "class_teacher", extent=extent, until=datetime(2099, 1, 1, tzinfo=UTC))
    li = login("li")
    follow(li, go(li, ask(li, None, **{f"c{SECOND}": "lin"})))
    assert held(app, "zhou") == [([FIRST], None), ([TENTH], date(2099, 1, 1))]


def test_two_who_swap_their_classes(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST)
    make_teacher(app, "lin", SECOND)
    grant_to(app, "lin", "class_teacher", extent=Extent.of(cast.school(cast.YIZHONG), None, None, [SECOND]))
    li = login("li")
    follow(li, go(li, ask(li, None, **{f"c{FIRST}": "lin", f"c{SECOND}": "zhou"})))
    assert (held(app, "lin"), held(app, "zhou")) == (
        [([FIRST], date(2099, 8, 31))],
        [([SECOND], date(2099, 8, 31))],
    )


def test_those_who_stay_are_renewed_where_that_is_asked_for(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST)
    make_teacher(app, "lin", SECOND)
    with app.app_context():
        from app.core.rights import Grant

        db.session.execute(
            sa.update(Grant)
            .where(Grant.person_id == ZHOU)
            .values(until=datetime(2090, 8, 31, 16, tzinfo=UTC))
        )
        db.session.commit()
        db.session.remove()
    li = login("li")
    assert ask(li).status_code == 422
    question = ask(li, None, renews="1")
    assert parts(question) == {
        "续期": ["小周：七年级（1）班，授权到2099-08-31", "林老师：七年级（2）班，授权到2099-08-31"]
    }
    versions = shown(li.get(PATH))[f"v-{FIRST}"]
    follow(li, go(li, question))
    assert held(app, "zhou") == [([FIRST], date(2099, 8, 31))]
    assert held(app, "lin") == [([SECOND], date(2099, 8, 31))]
    assert shown(li.get(PATH))[f"v-{FIRST}"] == versions, "the class itself is not touched"


# --- two people at once -----------------------------------------------------------------------------------


def test_the_second_to_arrange_a_class_is_told_and_keeps_the_choice(app: Flask, login: Login) -> None:
    li = login("li")
    page = li.get(PATH)
    make_teacher(app, "zhao", FIRST)
    answer = ask(li, page, **{f"c{FIRST}": "lin"})
    assert answer.status_code == 409
    assert "修改过这条记录" in text_of(answer)
    assert "七年级（1）班 赵副校长 林老师" in text_of(answer)
    assert shown(answer)[f"t-{FIRST}"] == str(LIN)
    assert person_of(app, FIRST) == ZHAO
    follow(li, go(li, ask(li, answer)))
    assert person_of(app, FIRST) == LIN


def test_a_class_that_one_did_not_touch_is_left_to_the_other(app: Flask, login: Login) -> None:
    li = login("li")
    page = li.get(PATH)
    make_teacher(app, "zhao", SECOND)
    follow(li, go(li, ask(li, page, **{f"c{FIRST}": "lin"})))
    assert teachers_now(app) == {FIRST: LIN, SECOND: ZHAO}


def test_what_changed_between_question_and_answer_is_asked_again(app: Flask, login: Login) -> None:
    li = login("li")
    question = ask(li, None, **{f"c{SECOND}": "lin"})
    grant_to(app, "zhao", "class_teacher", extent=Extent.of(cast.school(cast.YIZHONG), None, None, [SECOND]))
    answer = go(li, question)
    assert answer.status_code == 409
    assert "没有保存" in text_of(answer)
    assert "赵副校长：七年级（2）班" in str(parts(answer)["卸任"])
    assert teachers_now(app) == {}


# --- refused ----------------------------------------------------------------------------------------------


def test_all_complaints_are_said_at_once_and_nothing_is_saved(app: Flask, login: Login) -> None:
    li = login("li")
    words = shown(li.get(PATH)) | {"until": UNTIL, "renews": ""}
    words |= {f"t-{FIRST}": str(cast.person("wang")), f"t-{SECOND}": "x", f"t-{TENTH}": str(LIN)}
    answer = li.post(PATH, data=words)
    assert answer.status_code == 422
    assert text_of(answer).count("没有找到所选的人员") == 4  # in the summary and at each input
    assert shown(answer)[f"t-{TENTH}"] == str(LIN)
    assert teachers_now(app) == {}


def test_nobody_makes_himself_class_teacher(app: Flask, login: Login) -> None:
    answer = ask(login("li"), None, **{f"c{FIRST}": "li"})
    assert answer.status_code == 422
    assert "不能给自己授权" in text_of(answer)
    assert teachers_now(app) == {}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"until": "soon"}, "“截止日期”：日期格式"),
        ({"until": "2020-01-01"}, "截止日期"),
        ({"junk": "1"}, "没有“junk”这一项"),
        ({"t-x": "1"}, "没有“t-x”这一项"),
        ({"t-999999": "3"}, "已不存在"),
        ({f"t-{cast.class_of(cast.CHENGGUAN, 7, 1)}": str(LIN)}, "已不存在"),
        ({f"t-{FIRST}": "9" * 5_000}, "没有找到所选的人员"),
        ({f"t-{FIRST}": "\0"}, "没有找到所选的人员"),
    ],
)
def test_what_cannot_be_accepted_is_said(app: Flask, login: Login, words: dict[str, str], says: str) -> None:
    li = login("li")
    page = shown(li.get(PATH)) | {"until": UNTIL, "renews": "", f"t-{TENTH}": str(LIN)}
    answer = li.post(PATH, data=page | words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert teachers_now(app) == {}


@pytest.mark.parametrize("version", ["", "x", "99", "9" * 5_000])
def test_a_version_that_was_made_up_is_a_conflict(app: Flask, login: Login, version: str) -> None:
    li = login("li")
    words = shown(li.get(PATH)) | {
        "until": UNTIL,
        "renews": "",
        f"t-{TENTH}": str(LIN),
        f"v-{TENTH}": version,
    }
    assert li.post(PATH, data=words).status_code == 409
    assert teachers_now(app) == {}


@pytest.mark.parametrize("username", ["lin", "zhou", "zhao", "chen", "wang", "ops"])
def test_without_the_right_nobody_arranges(login: Login, username: str) -> None:
    client = login(username)
    assert client.get(PATH).status_code == 403
    assert client.post(PATH).status_code == 403


def test_a_bureau_leaves_it_to_the_schools(login: Login) -> None:
    he = login("he")
    answer = he.get(PATH)
    assert answer.status_code == 403
    assert "由学校自己安排" in text_of(answer)
    assert PATH not in he.get("/").text
    assert f'href="{PATH}"' in login("li").get("/").text


def test_a_teacher_who_is_suspended_stays_and_is_not_given_anew(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST)
    change(app, "zhou", active=False)
    li = login("li")
    page = li.get(PATH)
    assert shown(page)[f"t-{FIRST}"] == str(ZHOU)
    follow(li, go(li, ask(li, page, **{f"c{SECOND}": "lin"})))
    assert teachers_now(app) == {FIRST: ZHOU, SECOND: LIN}
    assert ask(li, None, **{f"c{TENTH}": "zhou"}).status_code == 422


def test_it_takes_no_more_statements_for_many_classes(app: Flask, session: Session, login: Login) -> None:
    with scope.acting(session, rights.system("tests")) as by, saving.work():
        for number in range(11, 31):
            saving.create(SchoolClass, {"grade_id": cast.grade(cast.YIZHONG, 7), "number": number}, by)
    li, asked = login("li"), []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    li.get(PATH)
    sa.event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        page = li.get(PATH)
    finally:
        sa.event.remove(session.get_bind(), "before_cursor_execute", note)
    assert page.text.count('<select class="form-select" id="f-t-') == 25
    assert len(asked) < 15, asked
