"""People by program: the same as the pages, in JSON; described as it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core.fields import HERE
from tests import cast
from tests.accounts import account, audit_of, change, role_id
from tests.areas.people.test_handover import make_teacher, roles_of, start_case, teachers
from tests.client import Client
from tests.surfaces.test_openapi import DOCUMENT, Spec, check

Login = Callable[..., Client]
BASE = "/api/v1/people/"
TODAY = datetime.now(HERE).date()


def one(username: str) -> str:
    return f"{BASE}{cast.person(username)}"


def edit(client: Client, username: str, sent: Any) -> TestResponse:
    etag = client.get(one(username)).headers["ETag"]
    return client.put(one(username), json=sent, headers={"If-Match": etag})


def fields_of(answer: TestResponse) -> set[str]:
    return {complaint["field"] for complaint in answer.json["complaints"]}


@pytest.fixture
def document(login: Login) -> Spec:
    return login("he").get(DOCUMENT).json


# --- reading ----------------------------------------------------------------------------------------------


def test_the_list_has_the_filters_and_the_order_of_the_page(app: Flask, login: Login) -> None:
    li = login("li")
    found = li.get(BASE).json
    assert [row["name"] for row in found["result"]] == ["李老师", "林老师", "小周", "赵副校长"]
    assert (found["count"], found["count_is_exact"], found["previous"], found["next"]) == (
        4,
        True,
        None,
        None,
    )
    assert [row["username"] for row in li.get(f"{BASE}?q=zfx").json["result"]] == ["zhao"]
    assert li.get(f"{BASE}?role_id={role_id(app, 'clerk')}").json["ids"] == [cast.person("lin")]
    assert li.get(f"{BASE}?state=locked").json["ids"] == []
    for word in ("junk=1", "state=x", "sort=phone", "role_id=0"):
        assert li.get(f"{BASE}?{word}").status_code == 422, word


def test_a_person_as_json(app: Flask, login: Login) -> None:
    change(app, "lin", phone="14033334444", last_login=datetime(2026, 9, 1, 8))
    found = login("li").get(one("lin")).json["result"]
    assert found.pop("last_login").startswith("2026-09-01T")
    assert found == {
        "id": cast.person("lin"),
        "username": "lin",
        "name": "林老师",
        "phone": "14033334444",
        "school_id": cast.school(cast.YIZHONG),
        "region_code": None,
        "state": "normal",
        "roles": ["学籍管理员"],
        "left_on": None,
    }


# --- opening ----------------------------------------------------------------------------------------------


def test_an_account_is_opened_and_its_password_told_once(app: Flask, login: Login) -> None:
    li = login("li")
    sent = {
        "username": "feng",
        "name": "冯老师",
        "phone": "14011112222",
        "role_id": role_id(app, "class_teacher"),
    }
    sent |= {"class_ids": [cast.class_of(cast.YIZHONG, 7, 2)], "until": "2099-08-31"}
    answer = li.post(BASE, json=sent)
    assert answer.status_code == 201, answer.json
    password = answer.json["one_time_password"]
    assert answer.json["result"]["state"] == "waiting"
    assert answer.json["result"]["roles"] == ["班主任"]
    assert "one_time_password" not in li.get(answer.headers["Location"]).json
    assert login("feng", password).get("/").location == "/account/password"
    assert password not in str([(row.before, row.after) for row in audit_of(app, "open_account")])


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"username", "name"}),
        ({"username": 7, "name": ["x"]}, {"username", "name"}),
        ({"username": "feng", "name": "=1+1", "phone": "12"}, {"name", "phone"}),
        ({"username": "feng", "name": "张😀"}, {"name"}),
        ({"username": "lin", "name": "林二"}, {"username"}),
        ({"username": "fe\0ng", "name": "冯老师"}, {"username"}),
        ({"username": "feng", "name": "冯老师", "role_id": "x"}, {"role_id"}),
        ({"username": "feng", "name": "冯老师", "role_id": True}, {"role_id"}),
        ({"username": "feng", "name": "冯老师", "role_id": 10**18}, {"role_id"}),
        ({"username": "feng", "name": "冯老师", "until": "soon"}, {"until"}),
        ({"username": "feng", "name": "冯老师", "class_ids": [1]}, {"role_id"}),
        ({"username": "feng", "name": "冯老师", "active": True, "is_demo": True}, {"active", "is_demo"}),
        ({"username": "feng", "name": "冯老师", "password": "Mine-2026-x"}, {"password"}),
    ],
)
def test_what_cannot_be_opened(app: Flask, login: Login, sent: Any, fields: set[str]) -> None:
    answer = login("li").post(BASE, json=sent)
    assert answer.status_code == 422
    assert fields_of(answer) == fields
    assert audit_of(app, "open_account") == []


# --- name and phone ---------------------------------------------------------------------------------------


def test_name_and_phone_are_changed_at_the_version_that_was_read(app: Flask, login: Login) -> None:
    li = login("li")
    answer = edit(li, "lin", {"phone": "14033334444"})
    assert answer.status_code == 200
    assert (answer.json["result"]["name"], answer.json["result"]["phone"]) == ("林老师", "14033334444")
    assert edit(li, "lin", {"phone": None}).json["result"]["phone"] is None
    assert li.put(one("lin"), json={"name": "x"}).status_code == 428
    stale = li.put(one("lin"), json={"name": "林二"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json["error"]) == (412, "stale")
    assert account(app, "lin").first_name == "林老师"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"phone": 14033334444}, "phone"),
        ({"qq": "123456"}, "qq"),
        ({"username": "boss"}, "username"),
        ({"school_id": 2}, "school_id"),
    ],
)
def test_what_cannot_be_changed(app: Flask, login: Login, sent: Any, field: str) -> None:
    answer = edit(login("li"), "lin", sent)
    assert answer.status_code == 422
    assert fields_of(answer) == {field}
    assert audit_of(app, "edit") == []


# --- acts on one ------------------------------------------------------------------------------------------


def test_suspending_resuming_unlocking_resetting(app: Flask, login: Login) -> None:
    li, lin = login("li"), login("lin")
    assert li.post(f"{one('lin')}/suspend").json["result"]["state"] == "suspended"
    assert lin.get("/").status_code == 302
    assert li.post(f"{one('lin')}/resume", json={}).json["result"]["state"] == "normal"
    change(app, "lin", locked_until=datetime.now(UTC) + timedelta(minutes=20))
    assert li.get(one("lin")).json["result"]["state"] == "locked"
    assert li.post(f"{one('lin')}/unlock").json["result"]["state"] == "normal"
    answer = li.post(f"{one('lin')}/reset")
    assert answer.json["result"]["state"] == "waiting"
    assert login("lin", answer.json["one_time_password"]).get("/").location == "/account/password"
    assert "one_time_password" not in li.get(one("lin")).json


@pytest.mark.parametrize("act", ["suspend", "resume", "unlock", "reset"])
def test_acts_take_no_words(app: Flask, login: Login, act: str) -> None:
    li = login("li")
    for words, code in (({"json": {"active": True}}, 422), ({"json": []}, 400), ({"data": b"x"}, 415)):
        assert li.post(f"{one('lin')}/{act}", **words).status_code == code
    assert li.get(f"{one('lin')}/{act}").status_code == 405
    assert account(app, "lin").active


# --- handing over -----------------------------------------------------------------------------------------


def test_a_hand_over_is_looked_at_first_and_then_done(app: Flask, login: Login) -> None:
    make_teacher(app, "lin", cast.class_of(cast.YIZHONG, 8, 1))
    from app.areas.changes.models import ChangeState

    start_case(app, "lin", ChangeState.DRAFT)
    li, path, to = login("li"), f"{one('lin')}/hand_over", cast.person("zhou")
    plan = li.get(f"{path}?successor_id={to}").json
    assert [(row["role"], row["where"]) for row in plan["moved"]] == [("学籍管理员", "青岚县第一中学全校")]
    assert plan["classes"] == [{"id": cast.class_of(cast.YIZHONG, 8, 1), "name": "八年级（1）班"}]
    assert plan["cases"] == [{"kind": "SUSPEND", "count": 1}]
    assert (plan["kept"], plan["ended"], plan["why_not_cases"]) == ([], [], None)
    assert roles_of(app, "lin") == ["学籍管理员"]
    for mark in ("", "x" * 32):
        answer = li.post(path, json={"successor_id": to, "mark": mark})
        assert (answer.status_code, answer.json["error"]) == (409, "stale")
    done = li.post(path, json={"successor_id": to, "mark": plan["mark"]})
    assert (done.status_code, done.json) == (200, plan)
    assert roles_of(app, "zhou") == ["班主任", "学籍管理员"]
    assert list(teachers(app).values()) == [to]


def test_a_departure_by_program(app: Flask, login: Login) -> None:
    li, path = login("li"), f"{one('zhou')}/departure"
    plan = li.get(path).json
    assert [row["role"] for row in plan["ended"]] == ["班主任"]
    sent = {"left_on": TODAY.isoformat(), "mark": plan["mark"]}
    assert li.post(path, json=sent).status_code == 200
    gone = li.get(one("zhou")).json["result"]
    assert (gone["state"], gone["left_on"]) == ("left", TODAY.isoformat())


@pytest.mark.parametrize(
    ("way", "sent", "field"),
    [
        ("hand_over", {}, "successor_id"),
        ("hand_over", {"successor_id": cast.person("wang"), "mark": "x"}, "successor_id"),
        ("hand_over", {"successor_id": 10**18, "mark": "x"}, "successor_id"),
        ("hand_over", {"successor_id": "x"}, "successor_id"),
        ("hand_over", {"left_on": "2026-01-31"}, "left_on"),
        ("departure", {}, "left_on"),
        ("departure", {"left_on": "2199-01-01", "mark": "x"}, "left_on"),
        ("departure", {"left_on": 20260131}, "left_on"),
    ],
)
def test_what_cannot_be_handed_over(app: Flask, login: Login, way: str, sent: Any, field: str) -> None:
    answer = login("li").post(f"{one('lin')}/{way}", json=sent)
    assert answer.status_code == 422
    assert fields_of(answer) == {field}
    assert account(app, "lin").active


@pytest.mark.parametrize("word", ["junk=1", "successor_id=x", "left_on=2026-01-31"])
def test_junk_in_the_address_of_a_plan(login: Login, word: str) -> None:
    assert login("li").get(f"{one('lin')}/hand_over?{word}").status_code == 422
    assert login("li").get(f"{one('lin')}/departure?left_on=soon").status_code == 422


# --- described as it answers ------------------------------------------------------------------------------


def test_answers_are_as_described(app: Flask, login: Login, document: Spec) -> None:
    he, base, path = login("he"), BASE, f"{BASE}{{pk}}"
    check(document, base, "get", he.get(base))
    check(document, base, "get", he.get(f"{base}?junk=1"))
    check(document, path, "get", he.get(one("wang")))
    check(document, path, "get", he.get(one("gao")))
    check(document, base, "post", he.post(base, json={"username": "feng", "name": "冯老师"}))
    check(document, base, "post", he.post(base, json={}))
    check(document, path, "put", edit(he, "wang", {"phone": "14033334444"}))
    check(document, path, "put", he.put(one("wang"), json={}, headers={"If-Match": '"7"'}))
    for act in ("suspend", "resume", "unlock", "reset"):
        check(document, f"{path}/{act}", "post", he.post(f"{one('wang')}/{act}"))
        check(document, f"{path}/{act}", "post", he.post(f"{one('gao')}/{act}"))
    for way, sent in (
        ("hand_over", {"successor_id": cast.person("chen")}),
        ("departure", {"left_on": "2026-01-31"}),
    ):
        where = f"{path}/{way}"
        plan = he.get(f"{one('sun')}/{way}?successor_id={cast.person('chen')}")
        check(document, where, "get", plan)
        check(document, where, "post", he.post(f"{one('sun')}/{way}", json=sent | {"mark": "x"}))
        check(document, where, "post", he.post(f"{one('sun')}/{way}", json={}))


def test_a_token_is_enough(app: Flask) -> None:
    client = Client(app)
    words = {"username": "li", "password": cast.PASSWORD}
    token = client.post("/api/v1/security/login", json=words).json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.post(f"{one('lin')}/suspend", headers=headers, csrf=False).status_code == 200
    assert account(app, "lin").left_on is None


def test_writing_by_cookie_wants_the_form_token(login: Login) -> None:
    li = login("li")
    for act in ("suspend", "resume", "unlock", "reset", "hand_over", "departure"):
        assert li.post(f"{one('lin')}/{act}", json={}, csrf=False).status_code == 400, act
