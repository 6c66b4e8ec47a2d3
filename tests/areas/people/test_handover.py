"""Handing work over and departures: what moves with what was passed on under it, what stays and why, what is ended."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from werkzeug.test import TestResponse

from app.areas.changes.models import Change, ChangeParty, ChangeState
from app.areas.schools.models import SchoolClass
from app.core import grants, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.fields import HERE
from app.core.rights import Extent, Grant
from app.extensions import db
from tests import cast
from tests.accounts import account, audit_of, change, follow, grant_to, role_id, text_of
from tests.areas.people.test_granting import grants_of
from tests.client import Client

Login = Callable[..., Client]
TODAY = datetime.now(HERE).date().isoformat()
FIRST = cast.class_of(cast.YIZHONG, 7, 1)


def ask(client: Client, way: str, who: str, to: str = "", **words: Any) -> TestResponse:
    data = {"successor_id": cast.person(to) if to else ""} | ({"left_on": TODAY} if way == "depart" else {})
    return client.post(f"/people/{way}/{cast.person(who)}", data=data | words)


def go(client: Client, question: TestResponse) -> TestResponse:
    """Presses the button of the second question."""
    form = question.text[question.text.index("<section") :]
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z0-9_-]+)" value="([^"]*)"', form))
    hidden.pop("csrf_token")
    return client.post(re.search(r'action="(/people/[^"]+)"', form)[1], data=hidden)


def parts(question: TestResponse) -> dict[str, list[str]]:
    """Title → lines of the second question."""
    found = re.findall(r"<h2>([^<]+)</h2>\s*<ul class=\"goes-with\">(.*?)</ul>", question.text, re.S)
    return {
        title: [html.unescape(one) for one in re.findall(r"<li>(.*?)</li>", lines)] for title, lines in found
    }


def roles_of(app: Flask, username: str) -> list[str]:
    with app.app_context():
        query = sa.select(Role.label).join(Grant, Grant.role_id == Role.id)
        held = query.where(Grant.person_id == cast.person(username), grants.held()).order_by(Grant.id)
        found = list(db.session.scalars(held))
        db.session.remove()
        return found


def make_teacher(app: Flask, username: str, *class_ids: int) -> None:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            for id_ in class_ids:
                one = work.session.get_one(SchoolClass, id_)
                saving.edit(one, {"teacher_id": cast.person(username)}, by)
        db.session.remove()


def teachers(app: Flask) -> dict[int, int]:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        rows = db.session.execute(sa.select(SchoolClass.id, SchoolClass.teacher_id))
        found = {id_: person for id_, person in rows if person is not None}
        db.session.remove()
        return found


def start_case(app: Flask, username: str, state: ChangeState, *others: str) -> int:
    """A case that the person started; `others` are further schools with a part in it."""
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            name = work.session.get_one(User, cast.person(username)).first_name
            words = {"kind": "SUSPEND", "state": state, "student_id": cast.pupil("欧阳若曦")}
            words |= {"student_name": "欧阳若曦", "student_no": None, "reason": "因病"}
            words |= {"school_id": cast.school(cast.YIZHONG), "school_name": cast.YIZHONG}
            words |= {"started_by": name, "started_by_id": cast.person(username)}
            saving.many(Change, [words | {"started_at": datetime.now(UTC)}], by)
            id_ = work.session.scalars(sa.select(sa.func.max(Change.id))).one()
            places = [(cast.school(one), None) for one in (cast.YIZHONG, *others)] + [(None, cast.QINGLAN)]
            rows = [
                {"change_id": id_, "role": "party", "school_id": at, "authority_code": code}
                for at, code in places
            ]
            saving.many(ChangeParty, rows, by)
        db.session.remove()
        return id_


def case(app: Flask, id_: int) -> Change:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        found = db.session.get_one(Change, id_)
        db.session.refresh(found)
        db.session.expunge(found)
        db.session.remove()
        return found


# --- handing over -----------------------------------------------------------------------------------------


def test_everything_is_listed_before_and_done_after(app: Flask, login: Login) -> None:
    make_teacher(app, "lin", cast.class_of(cast.YIZHONG, 8, 1))
    li = login("li")
    question = ask(li, "hand-over", "lin", "zhou")
    assert question.status_code == 200
    assert parts(question) == {
        "移交给小周的授权": ["“学籍管理员”（青岚县第一中学全校，长期）"],
        "班主任改为小周": ["八年级（1）班"],
    }
    assert roles_of(app, "lin") == ["学籍管理员"], "nothing is done before the second question is answered"
    assert teachers(app) == {cast.class_of(cast.YIZHONG, 8, 1): cast.person("lin")}

    shown = follow(li, go(li, question))
    assert "已移交林老师的授权1项。" in text_of(shown)
    assert roles_of(app, "lin") == []
    assert roles_of(app, "zhou") == ["班主任", "学籍管理员"]
    assert teachers(app) == {cast.class_of(cast.YIZHONG, 8, 1): cast.person("zhou")}
    [entry] = audit_of(app, "hand_over")
    assert (entry.actor_name, entry.row_id) == ("李老师", cast.person("lin"))
    assert entry.after == {"to": cast.person("zhou"), "grants": 1, "classes": 1}
    assert account(app, "lin").active, "who hands over stays"
    assert login("zhou").get("/students/add").status_code == 200
    assert login("lin").get("/students/list/").status_code == 403


def test_the_class_is_changed_in_the_name_of_the_procedure(app: Flask, login: Login) -> None:
    make_teacher(app, "lin", FIRST)
    li = login("li")
    go(li, ask(li, "hand-over", "lin", "zhou"))
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        query = sa.select(AuditEntry.actor_name, AuditEntry.authority, AuditEntry.after).where(
            AuditEntry.entity == "school_class", AuditEntry.row_id == FIRST
        )
        last = db.session.execute(query.order_by(AuditEntry.id.desc())).first()
        db.session.remove()
    assert tuple(last) == ("李老师", "class_teacher", {"teacher_id": cast.person("zhou")})


def test_what_was_passed_on_moves_along(app: Flask, login: Login) -> None:
    """林老师 may pass a class teacher's rights on and did; 小周 goes on working under the successor."""
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        session = db.session()
        li = cast.actor(session, "li")
        role = session.scalars(sa.select(Role).where(Role.name == "default:class_teacher")).one()
        school = Extent(school_id=cast.school(cast.YIZHONG))
        lin, zhou = (session.get_one(User, cast.person(name)) for name in ("lin", "zhou"))
        above = grants.grant(session, li, lin, role, school, passable=True)
        session.flush()
        below = grants.grant(session, cast.actor(session, "lin"), zhou, role, Extent.of(1, None, [1]))
        ids = above.id, below.id
        session.commit()
        db.session.remove()
    li_ = login("li")
    question = ask(li_, "hand-over", "lin", "zhao")
    [line] = [one for one in parts(question)["移交给赵副校长的授权"] if "班主任" in one]
    assert line == "“班主任”（青岚县第一中学全校，长期）；由它转授给小周的授权随之移交"
    follow(li_, go(li_, question))
    with app.app_context():
        old, moved = (db.session.get_one(Grant, id_) for id_ in ids)
        new = db.session.get_one(Grant, moved.under_id)
        assert old.withdrawn_at is not None
        assert moved.withdrawn_at is None
        assert (new.person_id, new.passable) == (cast.person("zhao"), True)
        db.session.remove()


def test_what_cannot_move_is_said_with_its_reason_and_stays(app: Flask, login: Login) -> None:
    """林老师 submits, 赵副校长 reviews: nobody does both at one school."""
    grant_to(app, "lin", "class_teacher", extent=Extent.of(cast.school(cast.YIZHONG), None, None, [FIRST]))
    li = login("li")
    question = ask(li, "hand-over", "lin", "zhao")
    found = parts(question)
    assert found["移交给赵副校长的授权"] == ["“班主任”（七年级（1）班，长期）"]
    [kept] = found["不能移交的授权"]
    assert kept.startswith("“学籍管理员”（青岚县第一中学全校，长期）：")
    assert "谁提交，谁就不能审核" in kept
    follow(li, go(li, question))
    assert roles_of(app, "lin") == ["学籍管理员"]
    assert roles_of(app, "zhao") == ["主管学籍领导", "班主任"]


def test_a_grant_that_is_not_the_givers_to_give_stays(app: Flask, login: Login) -> None:
    """小周 may also look at the whole county: nobody at school reaches so far."""
    county = Extent.of(None, cast.QINGLAN, None, None)
    grant_to(app, "zhou", "bureau_viewer", extent=county)
    answer = login("li").get(f"/people/hand-over/{cast.person('zhou')}")
    assert answer.status_code == 403
    assert "超出了您的权限" in text_of(answer)


def test_a_grant_keeps_its_end_and_its_beginning(app: Flask, login: Login) -> None:
    until, starts_at = datetime(2099, 7, 31, 16, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
    extent = Extent.of(cast.school(cast.YIZHONG), None, None, [FIRST])
    grant_to(app, "lin", "class_teacher", until=until, starts_at=starts_at, extent=extent)
    li = login("li")
    question = ask(li, "hand-over", "lin", "zhao")
    assert parts(question)["移交给赵副校长的授权"] == ["“班主任”（七年级（1）班，2099-07-31）"]
    follow(li, go(li, question))
    moved = grants_of(app, "zhao")[-1]
    assert (moved.until, moved.starts_at) == (until, starts_at)


def test_what_the_successor_holds_already_is_not_given_twice(app: Flask, login: Login) -> None:
    grant_to(app, "zhou", "clerk")
    li = login("li")
    question = ask(li, "hand-over", "zhou", "lin")
    assert parts(question)["不能移交的授权"] == [
        "“学籍管理员”（青岚县第一中学全校，长期）：接手人已有同样的授权，不必移交。"
    ]
    follow(li, go(li, question))
    assert roles_of(app, "lin") == ["学籍管理员", "班主任"]


def test_a_leaders_successor_waits_for_the_bureau(app: Flask, login: Login) -> None:
    li = login("li")
    question = ask(li, "hand-over", "zhao", "zhou")
    assert parts(question)["移交给小周的授权"] == [
        "“主管学籍领导”（青岚县第一中学全校，长期）；须主管部门确认后生效"
    ]
    follow(li, go(li, question))
    assert grants_of(app, "zhou")[-1].awaits


def test_where_nothing_changes_hands_there_is_nothing_to_confirm(app: Flask, login: Login) -> None:
    li = login("li")
    follow(li, go(li, ask(li, "hand-over", "lin", "zhou")))
    question = ask(li, "hand-over", "lin", "zhou")
    assert "没有可以移交的授权、班级或在办业务。" in text_of(question)
    assert "确认移交" not in question.text
    answer = go(li, question)
    assert answer.status_code == 422


# --- open cases -------------------------------------------------------------------------------------------


def test_open_cases_move_and_closed_ones_keep_who_started_them(app: Flask, login: Login) -> None:
    open_ones = [start_case(app, "lin", state) for state in (ChangeState.DRAFT, ChangeState.AT_SCHOOL)]
    done = start_case(app, "lin", ChangeState.DONE)
    others = start_case(app, "zhou", ChangeState.DRAFT)
    li = login("li")
    question = ask(li, "hand-over", "lin", "zhou")
    assert parts(question)["在办业务"] == ["“休学”2件，改由小周继续办理"]
    assert "欧阳若曦" not in question.text, "who administers people sees no pupil"
    follow(li, go(li, question))
    for id_ in open_ones:
        moved = case(app, id_)
        assert (moved.started_by, moved.started_by_id, moved.version) == ("小周", cast.person("zhou"), 2)
    assert case(app, done).started_by_id == cast.person("lin")
    assert case(app, others).version == 1
    entries = [row for row in audit_of(app, "edit") if row.entity == "change"]
    assert [row.row_id for row in entries] == open_ones
    assert (entries[0].actor_name, entries[0].authority) == ("李老师", "hand_over")
    assert (entries[0].before, entries[0].after) == ({"started_by": "林老师"}, {"started_by": "小周"})


def test_a_case_of_two_schools_moves_as_well(app: Flask, login: Login) -> None:
    id_ = start_case(app, "lin", ChangeState.AT_ORIGIN_SCHOOL, cast.SHIXI_ER)
    li = login("li")
    follow(li, go(li, ask(li, "hand-over", "lin", "zhou")))
    assert case(app, id_).started_by_id == cast.person("zhou")


def test_cases_do_not_move_to_somebody_who_may_not_submit(app: Flask, login: Login) -> None:
    id_ = start_case(app, "lin", ChangeState.DRAFT)
    li = login("li")
    question = ask(li, "hand-over", "lin", "zhao")
    assert parts(question)["在办业务"] == [
        "“休学”1件不能移交：赵副校长没有提交业务的权限。请先授权，或选择其他接手人。"
    ]
    go(li, question)
    assert case(app, id_).started_by_id == cast.person("lin")


def test_looking_for_cases_leaves_a_trace(app: Flask, login: Login) -> None:
    ask(login("li"), "hand-over", "lin", "zhou")
    [entry] = audit_of(app, "lookup")
    assert (entry.actor_name, entry.reason) == ("李老师", "open cases to hand over")


# --- departures -------------------------------------------------------------------------------------------


def test_a_departure_hands_over_ends_the_rest_and_closes_the_account(app: Flask, login: Login) -> None:
    make_teacher(app, "lin", FIRST)
    grant_to(app, "lin", "class_teacher", extent=Extent.of(cast.school(cast.YIZHONG), None, None, [FIRST]))
    lin, li = login("lin"), login("li")
    question = ask(li, "depart", "lin", "zhao")
    found = parts(question)
    assert found["移交给赵副校长的授权"] == ["“班主任”（七年级（1）班，长期）"]
    assert found["将收回的授权"] == ["林老师的“学籍管理员”（青岚县第一中学全校，长期）"]
    assert found["班主任改为赵副校长"] == ["七年级（1）班"]
    shown = follow(li, go(li, question))
    assert "已办理林老师离任：移交授权1项，收回1项。" in text_of(shown)
    assert "已离任" in text_of(shown)
    gone = account(app, "lin")
    assert (gone.active, gone.left_on) == (False, datetime.now(HERE).date())
    assert roles_of(app, "lin") == []
    assert teachers(app) == {FIRST: cast.person("zhao")}
    assert lin.get("/").status_code == 302
    words = {"username": "lin", "password": cast.PASSWORD}
    assert Client(app).post("/login/", data=words).status_code == 422
    [entry] = audit_of(app, "depart")
    assert entry.after == {"active": False, "left_on": TODAY}


def test_a_departure_without_a_successor_ends_everything(app: Flask, login: Login) -> None:
    make_teacher(app, "zhou", FIRST)
    li = login("li")
    question = ask(li, "depart", "zhou", left_on="2026-01-31")
    assert parts(question) == {
        "班主任将空缺的班级": ["七年级（1）班"],
        "将收回的授权": ["小周的“班主任”（七年级（1）班，长期）"],
    }
    follow(li, go(li, question))
    assert account(app, "zhou").left_on == date(2026, 1, 31)
    assert teachers(app) == {}
    assert roles_of(app, "zhou") == []


def test_coming_back_brings_no_grants_back_and_says_so(app: Flask, login: Login) -> None:
    li = login("li")
    go(li, ask(li, "depart", "lin"))
    page = li.get(f"/people/show/{cast.person('lin')}")
    assert "重新启用后不会恢复" in text_of(page)
    assert f"/people/depart/{cast.person('lin')}" not in page.text
    shown = follow(li, li.post(f"/people/resume/{cast.person('lin')}"))
    assert "离任时收回的授权不会恢复，需要的请重新授权。" in text_of(shown)
    back = account(app, "lin")
    assert (back.active, back.left_on) == (True, None)
    assert roles_of(app, "lin") == []
    assert login("lin").get("/students/list/").status_code == 403


def test_who_left_is_not_seen_off_again(app: Flask, login: Login) -> None:
    change(app, "lin", active=False, left_on=date(2026, 1, 31))
    answer = ask(login("li"), "depart", "lin")
    assert answer.status_code == 422
    assert "已经办理离任" in text_of(answer)


# --- all of it or nothing ---------------------------------------------------------------------------------


def test_what_changed_since_it_was_shown_is_shown_again(app: Flask, login: Login) -> None:
    li = login("li")
    question = ask(li, "depart", "lin", "zhou")
    grant_to(app, "lin", "class_teacher", extent=Extent.of(cast.school(cast.YIZHONG), None, None, [FIRST]))
    answer = go(li, question)
    assert answer.status_code == 409
    assert "核对之后情况有变化，没有办理" in text_of(answer)
    assert len(parts(answer)["移交给小周的授权"]) + len(parts(answer).get("不能移交的授权", [])) == 2
    assert account(app, "lin").active
    assert roles_of(app, "lin") == ["学籍管理员", "班主任"]
    follow(li, go(li, answer))
    assert roles_of(app, "lin") == []


@pytest.mark.parametrize("fails", ["reassign", "edit"])
def test_a_fault_half_way_undoes_all(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    make_teacher(app, "lin", FIRST)
    id_ = start_case(app, "lin", ChangeState.DRAFT)
    li = login("li")
    question = ask(li, "depart", "lin", "zhou")

    def fail(*_args: Any, **_words: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(saving, fails, fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert go(li, question).status_code == 500
    assert roles_of(app, "lin") == ["学籍管理员"]
    assert teachers(app) == {FIRST: cast.person("lin")}
    assert case(app, id_).started_by_id == cast.person("lin")
    assert account(app, "lin").active


# --- who may, and to whom ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["hand-over", "depart"])
@pytest.mark.parametrize(("username", "code"), [("wang", 404), ("gao", 404), ("li", 403)])
def test_only_those_below_are_handed_over(login: Login, way: str, username: str, code: int) -> None:
    li = login("li")
    assert li.get(f"/people/{way}/{cast.person(username)}").status_code == code
    assert ask(li, way, username, "zhou").status_code == code


@pytest.mark.parametrize("way", ["hand-over", "depart"])
@pytest.mark.parametrize("username", ["lin", "zhou", "zhao", "chen", "ops"])
def test_without_the_right_nobody_hands_others_over(login: Login, way: str, username: str) -> None:
    answer = ask(login(username), way, "zhou", "lin")
    assert answer.status_code == 403
    assert "修改、停用、解锁账号" in text_of(answer)


@pytest.mark.parametrize("to", ["wang", "lin", "li", "he"])
def test_the_successor_is_a_colleague_and_not_oneself(app: Flask, login: Login, to: str) -> None:
    answer = ask(login("li"), "hand-over", "lin", to)
    assert answer.status_code == 422
    assert "同一单位在岗的其他人员" in text_of(answer)


def test_nobody_takes_over_who_is_suspended(app: Flask, login: Login) -> None:
    change(app, "zhou", active=False)
    assert "小周" not in login("li").get(f"/people/hand-over/{cast.person('lin')}").text
    assert ask(login("li"), "hand-over", "lin", "zhou").status_code == 422


@pytest.mark.parametrize(
    ("way", "words", "says"),
    [
        ("hand-over", {"successor_id": ""}, "“接手人”为空"),
        ("hand-over", {"successor_id": "x"}, "同一单位在岗"),
        ("hand-over", {"successor_id": "9" * 17}, "同一单位在岗"),
        ("hand-over", {"left_on": "2026-01-31"}, "没有“left_on”这一项"),
        ("hand-over", {"until": "2026-01-31"}, "没有“until”这一项"),
        ("depart", {"left_on": ""}, "“离任日期”为空"),
        ("depart", {"left_on": "soon"}, "“离任日期”：日期格式"),
        ("depart", {"left_on": "2199-01-01"}, "不能晚于今天"),
    ],
)
def test_what_cannot_be_accepted_is_said(
    app: Flask, login: Login, way: str, words: dict[str, str], says: str
) -> None:
    answer = ask(login("li"), way, "lin", "zhou", **words)
    assert answer.status_code == 422
    assert says in text_of(answer)


@pytest.mark.parametrize("mark", ["x", "0" * 32, "9" * 5_000, "a\0b"])
def test_a_mark_that_was_made_up_does_nothing(app: Flask, login: Login, mark: str) -> None:
    answer = ask(login("li"), "hand-over", "lin", "zhou", mark=mark)
    assert answer.status_code == 409
    assert roles_of(app, "lin") == ["学籍管理员"]


# --- the super-admin --------------------------------------------------------------------------------------


def open_head(app: Flask, he: Client) -> int:
    words = {"username": "yuan", "name": "袁老师", "school_id": cast.school(cast.CHENGGUAN)}
    answer = he.post("/people/add", data=words | {"role_id": role_id(app, "super_admin")})
    return int(answer.location.rpartition("/")[2])


def test_the_super_admin_is_handed_over_by_the_bureau_and_the_school_goes_on(
    app: Flask, login: Login
) -> None:
    he = login("he")
    yuan = open_head(app, he)
    he.post(
        "/people/add", data={"username": "fang", "name": "方老师", "school_id": cast.school(cast.CHENGGUAN)}
    )
    fang = account(app, "fang").id
    alone = he.post(f"/people/depart/{yuan}", data={"successor_id": "", "left_on": TODAY})
    assert alone.status_code == 422
    assert "没有总管理员" in text_of(alone)
    question = he.post(f"/people/depart/{yuan}", data={"successor_id": fang, "left_on": TODAY})
    assert len(parts(question)["移交给方老师的授权"]) == 2
    follow(he, go(he, question))
    with app.app_context():
        assert grants.heads_of(db.session(), cast.school(cast.CHENGGUAN)) == [fang]
        db.session.remove()
    assert not account(app, "yuan").active


def test_a_second_super_admin_is_not_handed_over_from_inside_the_school(app: Flask, login: Login) -> None:
    grant_to(app, "zhou", "super_admin")
    for way in ("hand-over", "depart"):
        answer = ask(login("li"), way, "zhou", "lin")
        assert answer.status_code == 403
        assert "学校总管理员由主管部门任命和更换" in text_of(answer)


def test_of_a_bureaus_people_one_takes_over_from_the_other(app: Flask, login: Login) -> None:
    he = login("he")
    question = ask(he, "depart", "sun", "chen")
    assert parts(question)["移交给陈局长的授权"] == ["“主管部门审核”（青岚县及以下，长期）"]
    follow(he, go(he, question))
    assert roles_of(app, "chen") == ["主管部门查看", "主管部门审核"]


def test_a_grant_that_has_lapsed_is_neither_moved_nor_ended(app: Flask, login: Login) -> None:
    with app.app_context():
        lapsed = sa.update(Grant).where(Grant.person_id == cast.person("zhou"))
        db.session.execute(lapsed.values(until=datetime.now(UTC) - timedelta(days=1)))
        db.session.commit()
        db.session.remove()
    question = ask(login("li"), "depart", "zhou", "lin")
    assert parts(question) == {}
