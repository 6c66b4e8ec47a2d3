"""Grants by program: the same acts as on the pages, in JSON; described as they answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import cast
from tests.accounts import audit_of, grant_to, role_id
from tests.areas.people.test_grant_pages import TODAY, choose_leader, day, end, grant_of, pass_on
from tests.areas.people.test_granting import grants_of
from tests.client import Client
from tests.surfaces.test_openapi import DOCUMENT, Spec, check

Login = Callable[..., Client]
BASE = "/api/v1/grants/"
ONE = BASE + "{pk}"
LISTS = ("", "given", "own", "waiting")


@pytest.fixture
def document(login: Login) -> Spec:
    return login("he").get(DOCUMENT).json


def post(
    app: Flask, person: Client, username: str = "zhou", key: str = "clerk", **words: Any
) -> TestResponse:
    sent = {"person_id": cast.person(username), "role_id": role_id(app, key)} | words
    return person.post(BASE, json=sent)


def made(app: Flask, person: Client, username: str = "zhou", key: str = "clerk", **words: Any) -> int:
    answer = post(app, person, username, key, **words)
    assert answer.status_code == 201, answer.json
    return int(answer.json["id"])


def fields_of(answer: TestResponse) -> set[str]:
    return {complaint["field"] for complaint in answer.json["complaints"]}


# --- reading ----------------------------------------------------------------------------------------------


def test_a_grant_as_json(app: Flask, login: Login) -> None:
    li = login("li")
    classes = [cast.class_of(cast.YIZHONG, 7, 2)]
    given = made(app, li, "lin", "class_teacher", class_ids=classes, until="2099-08-31")
    found = li.get(f"{BASE}{given}").json["result"]
    assert found == {
        "id": given,
        "person_id": cast.person("lin"),
        "person": "林老师",
        "role_id": role_id(app, "class_teacher"),
        "role": "班主任",
        "where": "七年级（2）班",
        "school_id": cast.school(cast.YIZHONG),
        "region_code": None,
        "grade_ids": [],
        "class_ids": classes,
        "usable": True,
        "passable": False,
        "starts_on": TODAY.isoformat(),
        "until": "2099-08-31",
        "giver_id": cast.person("li"),
        "giver": "李老师",
        "under_id": next(g.id for g in grants_of(app, "li") if g.passable),
        "state": "open",
        "refused_because": None,
        "passed_on": [],
    }


def test_lists_have_the_filters_of_the_pages(app: Flask, login: Login) -> None:
    li, lin = login("li"), cast.person("lin")
    given = made(app, li, "lin", "class_teacher", class_ids=[1], until=day(20))
    assert li.get(f"{BASE}given").json["ids"] == [given]
    assert given in li.get(BASE).json["ids"]
    assert li.get(f"{BASE}?person={lin}&role={role_id(app, 'class_teacher')}").json["ids"] == [given]
    assert li.get(f"{BASE}?state=lapsing").json["ids"] == [given]
    end(app, given, days=-1)
    assert li.get(f"{BASE}?state=lapsing").json["ids"] == []
    assert li.get(f"{BASE}?state=ended").json["ids"] == [given]
    assert [row["role"] for row in login("lin").get(f"{BASE}own").json["result"]] == ["学籍管理员"]
    waits = choose_leader(app, li)
    assert login("he").get(f"{BASE}waiting").json["ids"] == [waits]
    assert [li.get(BASE + path).status_code for path in LISTS] == [200, 200, 200, 403]
    assert [login("lin").get(BASE + path).status_code for path in LISTS] == [403, 200, 200, 403]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["state=x", "person=x", "role=0", "person=99999999999", "q=x", "after=x"])
def test_a_list_refuses_what_it_does_not_know(login: Login, path: str, query: str) -> None:
    assert login("he").get(f"{BASE}{path}?{query}").status_code == 422


def test_pages_follow_each_other_and_lead_back(app: Flask, login: Login) -> None:
    for number in range(46):
        grant_to(app, "zhou", "class_teacher", until=datetime.now(UTC) + timedelta(days=100 + number))
    li = login("li")
    first = li.get(BASE).json
    assert (len(first["ids"]), first["count"], first["previous"]) == (50, 51, None)
    second = li.get(f"{BASE}?after={first['next']}").json
    assert (len(second["ids"]), second["next"]) == (1, None)
    assert li.get(f"{BASE}?before={second['previous']}").json["ids"] == first["ids"]


def test_the_tree_comes_with_the_grant_and_ends_with_it(app: Flask, login: Login) -> None:
    first, second, third = pass_on(app, login)
    li = login("li")
    tree = li.get(f"{BASE}{first}").json["result"]["passed_on"]
    assert [(one["id"], one["under_id"]) for one in tree] == [(second, first), (third, second)]
    assert li.post(f"{BASE}{first}/withdraw", json={}).json == {"ended": [first, second, third]}
    found = li.get(f"{BASE}{first}").json["result"]
    assert (found["state"], found["passed_on"]) == ("ended", [])
    assert li.post(f"{BASE}{first}/withdraw", json={}).status_code == 404


def test_grants_out_of_reach_are_not_there(app: Flask, login: Login) -> None:
    li = login("li")
    for pk in (grants_of(app, "wang")[0].id, grants_of(app, "gao")[0].id, 10**12, 10**30):
        assert li.get(f"{BASE}{pk}").status_code == 404
        for act, sent in (("renew", {"until": day(9)}), ("withdraw", {})):
            assert li.post(f"{BASE}{pk}/{act}", json=sent).status_code == 404
    assert login("wang").get(f"{BASE}{grants_of(app, 'lin')[0].id}").status_code == 403


# --- giving -----------------------------------------------------------------------------------------------


def test_a_role_is_given_and_counts_at_once(app: Flask, login: Login) -> None:
    li, zhou = login("li"), login("zhou")
    assert zhou.get("/students/add").status_code == 403
    answer = post(app, li, grade_ids=[cast.grade(cast.YIZHONG, 7)], until=day(60))
    assert answer.status_code == 201
    assert li.get(answer.headers["Location"]).json == answer.json
    assert zhou.get("/students/add").status_code == 200
    assert [row.actor_name for row in audit_of(app, "grant")][-1] == "李老师"


def test_from_a_day_on_to_be_passed_on(app: Flask, login: Login) -> None:
    words = {"starts_on": day(5), "until": day(9), "usable": False, "passable": True}
    found = post(app, login("li"), **words).json["result"]
    assert (found["state"], found["starts_on"], found["until"]) == ("later", day(5), day(9))
    assert (found["usable"], found["passable"]) == (False, True)


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ({"person_id": None, "role_id": None}, {"person_id", "role_id"}),
        ({"person_id": "9"}, {"person_id"}),
        ({"person_id": True}, {"person_id"}),
        ({"person_id": 10**18}, {"person_id"}),
        ({"person_id": cast.person("wang")}, {"person_id"}),
        ({"person_id": cast.person("li")}, {""}),
        ({"role_id": 999_999}, {"role_id"}),
        ({"school_id": cast.school(cast.CHENGGUAN)}, {"school_id"}),
        ({"region_code": 7}, {"region_code"}),
        ({"class_ids": "1"}, {"class_ids"}),
        ({"class_ids": [cast.class_of(cast.CHENGGUAN, 7, 1)]}, {"class_ids"}),
        ({"grade_ids": [None]}, {"grade_ids"}),
        ({"grade_ids": [1] * 2_001}, {"grade_ids"}),
        ({"usable": "yes"}, {"usable"}),
        ({"usable": False}, {"usable"}),
        ({"until": "soon"}, {"until"}),
        ({"until": 20990101}, {"until"}),
        ({"until": day(-1)}, {"until"}),
        ({"starts_on": day(-1)}, {"starts_on"}),
        ({"starts_on": day(9), "until": day(5)}, {"until"}),
        ({"giver_id": 1, "under_id": 1, "awaits": False}, {"giver_id", "under_id", "awaits"}),
    ],
)
def test_what_cannot_be_given(app: Flask, login: Login, words: dict[str, Any], fields: set[str]) -> None:
    answer = post(app, login("li"), **words)
    assert answer.status_code == 422
    assert fields_of(answer) == fields
    assert len(grants_of(app, "zhou")) == 1


@pytest.mark.parametrize("body", ["[1]", "{", "\0", "7", '"x"', "[" * 10_000])
def test_what_is_no_object_is_refused(app: Flask, login: Login, body: str) -> None:
    li, pk = login("li"), grants_of(app, "zhou")[0].id
    for path in (BASE, f"{BASE}{pk}/renew", f"{BASE}{pk}/withdraw"):
        assert li.post(path, data=body, content_type="application/json").status_code == 400, path
        assert li.post(path, data={"until": day(9)}).status_code == 415, path
    assert len(grants_of(app, "zhou")) == 1


def test_without_the_right_nobody_gives(app: Flask, login: Login) -> None:
    for username in ("lin", "zhao", "chen", "ops"):
        assert post(app, login(username)).status_code == 403, username


# --- another end, taking back -----------------------------------------------------------------------------


def test_a_grant_is_given_another_end(app: Flask, login: Login) -> None:
    li = login("li")
    given = made(app, li, until="2099-12-31")
    for sent, field in (({"until": "2099-12-31"}, "until"), ({"until": day(-1)}, "until"), ({"x": 1}, "x")):
        answer = li.post(f"{BASE}{given}/renew", json=sent)
        assert (answer.status_code, fields_of(answer)) == (422, {field})
    answer = li.post(f"{BASE}{given}/renew", json={"until": None})
    assert (answer.status_code, answer.json["result"]["until"]) == (201, None)
    assert answer.headers["Location"] == f"{BASE}{answer.json['id']}"
    assert not grant_of(app, given).is_held
    assert grant_of(app, answer.json["id"]).is_held


def test_what_is_not_ones_own_to_take_is_not_taken(app: Flask, login: Login) -> None:
    head = grant_to(app, "wang", "super_admin")
    he, lin = login("he"), login("lin")
    answer = he.post(f"{BASE}{head}/withdraw", json={})
    assert (answer.status_code, fields_of(answer)) == (422, {""})
    assert "学校将没有总管理员" in answer.text
    own = grants_of(app, "lin")[0].id
    for act, sent in (("withdraw", {}), ("renew", {"until": day(9)})):
        assert lin.post(f"{BASE}{own}/{act}", json=sent).status_code == 403
    li = login("li")
    assert li.post(f"{BASE}{grants_of(app, 'li')[0].id}/withdraw", json={}).status_code == 403
    assert li.post(f"{BASE}{own}/withdraw", json={"x": 1}).status_code == 422
    assert grant_of(app, own).is_held


# --- the bureau's yes or no -------------------------------------------------------------------------------


def test_a_leader_is_confirmed(app: Flask, login: Login) -> None:
    li, he = login("li"), login("he")
    given = choose_leader(app, li)
    assert li.get(f"{BASE}{given}").json["result"]["state"] == "waiting"
    assert li.post(f"{BASE}{given}/confirm", json={}).status_code == 403
    answer = he.post(f"{BASE}{given}/confirm", json={})
    assert (answer.status_code, answer.json["result"]["state"]) == (200, "open")
    assert he.post(f"{BASE}{given}/confirm", json={}).status_code == 422
    assert he.post(f"{BASE}{given}/refuse", json={"reason": "太晚了"}).status_code == 422


def test_a_no_has_a_reason(app: Flask, login: Login) -> None:
    li, he = login("li"), login("he")
    given = choose_leader(app, li)
    for sent in (
        {},
        {"reason": ""},
        {"reason": "不"},
        {"reason": 7},
        {"reason": "长" * 201},
        {"reason": "a\0b"},
    ):
        answer = he.post(f"{BASE}{given}/refuse", json=sent)
        assert (answer.status_code, fields_of(answer)) == (422, {"reason"}), sent
    answer = he.post(f"{BASE}{given}/refuse", json={"reason": "任职文件不全"})
    found = answer.json["result"]
    assert (found["state"], found["refused_because"]) == ("ended", "任职文件不全")
    assert li.get(f"{BASE}{given}").json["result"]["refused_because"] == "任职文件不全"


# --- as described -----------------------------------------------------------------------------------------


def test_answers_are_as_described(app: Flask, login: Login, document: Spec) -> None:
    li, he = login("li"), login("he")
    for path in LISTS:
        check(document, BASE + path, "get", he.get(BASE + path))
        check(document, BASE + path, "get", he.get(f"{BASE}{path}?junk=1"))
    check(document, BASE, "get", login("lin").get(BASE))
    first, *_below = pass_on(app, login)
    check(document, ONE, "get", li.get(f"{BASE}{first}"))
    check(document, ONE, "get", li.get(f"{BASE}{10**9}"))
    check(document, ONE, "get", login("wang").get(f"{BASE}{first}"))
    answer = post(app, li, until=day(60))
    check(document, BASE, "post", answer)
    check(document, BASE, "post", li.post(BASE, json={}))
    check(document, BASE, "post", li.post(BASE, data="{", content_type="application/json"))
    given = answer.json["id"]
    check(document, ONE + "/renew", "post", li.post(f"{BASE}{given}/renew", json={"until": day(60)}))
    check(document, ONE + "/renew", "post", li.post(f"{BASE}{given}/renew", json={"until": day(70)}))
    check(document, ONE + "/renew", "post", li.post(f"{BASE}{given}/renew", json={"until": day(80)}))
    check(document, ONE + "/withdraw", "post", li.post(f"{BASE}{first}/withdraw", json={"x": 1}))
    check(document, ONE + "/withdraw", "post", li.post(f"{BASE}{first}/withdraw", json={}))
    check(document, ONE + "/withdraw", "post", li.post(f"{BASE}{first}/withdraw", json={}))


@pytest.mark.parametrize(("act", "sent"), [("confirm", {}), ("refuse", {"reason": "任职文件不全"})])
def test_the_bureaus_answers_are_as_described(
    app: Flask, login: Login, document: Spec, act: str, sent: dict[str, str]
) -> None:
    li, he, path = login("li"), login("he"), f"{ONE}/{act}"
    given = choose_leader(app, li)
    other = grants_of(app, "lin")[0].id
    asked = (
        (li, given, sent),
        (he, given, {"x": 1}),
        (he, given, sent),
        (he, other, sent),
        (he, 10**9, sent),
    )
    for (person, pk, words), code in zip(asked, (403, 422, 200, 422, 404), strict=True):
        answer = person.post(f"{BASE}{pk}/{act}", json=words)
        assert answer.status_code == code
        check(document, path, "post", answer)


def test_a_read_gives_the_tag_of_what_was_read(app: Flask, login: Login) -> None:
    li, given = login("li"), grants_of(app, "lin")[0].id
    tag = li.get(f"{BASE}{given}").headers["ETag"]
    assert li.get(f"{BASE}{given}").headers["ETag"] == tag
    made(app, li, "zhou")
    assert li.get(f"{BASE}{given}").headers["ETag"] == tag
    end(app, given, days=5)
    assert li.get(f"{BASE}{given}").headers["ETag"] != tag
