"""Roles by program: the same as the pages, in JSON; described as it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import cast
from tests.accounts import audit_of, grant_to, role_id
from tests.areas.people.test_granting import grants_of
from tests.areas.people.test_role_pages import LABEL, copy, give, rights_of, role_of
from tests.client import Client
from tests.surfaces.test_openapi import DOCUMENT, Spec, check

Login = Callable[..., Client]
BASE = "/api/v1/roles/"
ONE = BASE + "{pk}"


@pytest.fixture
def document(login: Login) -> Spec:
    return login("he").get(DOCUMENT).json


def put(person: Client, pk: int, sent: Any, version: int | None = None) -> TestResponse:
    tag = f'"{version}"' if version is not None else person.get(f"{BASE}{pk}").headers["ETag"]
    return person.put(f"{BASE}{pk}", json=sent, headers={"If-Match": tag})


def fields_of(answer: TestResponse) -> set[str]:
    return {complaint["field"] for complaint in answer.json["complaints"]}


def made(person: Client, wanted: Iterable[str], **words: Any) -> int:
    answer = person.post(BASE, json={"label": LABEL, "rights": sorted(wanted)} | words)
    assert answer.status_code == 201, answer.json
    return int(answer.json["id"])


# --- reading ----------------------------------------------------------------------------------------------


def test_the_list_has_what_the_page_has(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    give(app, li, "zhou", own)
    found = li.get(BASE).json
    assert found["ids"] == [row["id"] for row in found["result"]]
    assert (found["count"], found["count_is_exact"], found["previous"], found["next"]) == (
        6,
        True,
        None,
        None,
    )
    last = found["result"][-1]
    assert last == {
        "id": own,
        "version": 1,
        "label": LABEL,
        "description": "",
        "level": "school",
        "is_default": False,
        "unit": cast.YIZHONG,
        "template_id": role_id(app, "clerk"),
        "held": 1,
    }
    assert [row["id"] for row in found["result"] if not row["is_default"]] == [own]
    for word in ("junk=1", "q=x", "after=x", "before=0"):
        assert li.get(f"{BASE}?{word}").status_code == 422, word


def test_one_role_has_its_rights_and_what_it_left_out(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li, without=["student:delete"])
    answer = li.get(f"{BASE}{own}")
    assert answer.headers["ETag"] == '"1"'
    assert set(answer.json["result"]["rights"]) == rights_of(app, own)
    assert answer.json["result"]["left_out"] == ["student:delete"]
    assert li.get(f"{BASE}{role_id(app, 'clerk')}").json["result"]["left_out"] is None


def test_what_is_not_in_reach_is_not_there(app: Flask, login: Login) -> None:
    li, ours = login("li"), copy(app, login("he"), "bureau_viewer")
    for pk in (ours, role_id(app, "bureau_viewer"), 10**12):
        assert li.get(f"{BASE}{pk}").status_code == 404
        assert li.put(f"{BASE}{pk}", json={}, headers={"If-Match": '"1"'}).status_code == 404
        assert li.post(f"{BASE}{pk}/plan", json={}).status_code == 404
        assert li.delete(f"{BASE}{pk}", headers={"If-Match": '"1"'}).status_code == 404


# --- making -----------------------------------------------------------------------------------------------


def test_a_copy_holds_what_its_template_holds_unless_it_says_less(app: Flask, login: Login) -> None:
    li, clerk = login("li"), role_id(app, "clerk")
    answer = li.post(BASE, json={"label": "一样的", "template_id": clerk})
    assert answer.status_code == 201
    assert set(answer.json["result"]["rights"]) == rights_of(app, clerk)
    assert li.get(answer.headers["Location"]).json == answer.json
    less = made(li, {"student:list", "student:show"}, template_id=clerk, description="只看")
    assert rights_of(app, less) == {"student:list", "student:show"}
    assert [row.subject for row in audit_of(app, "create") if row.entity == "role"] == ["一样的", LABEL]


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"label"}),
        ({"label": None}, {"label"}),
        ({"label": 7}, {"label"}),
        ({"label": "长" * 31, "description": "长" * 201}, {"label", "description"}),
        ({"label": "a\0b"}, {"label"}),
        ({"label": "学籍管理员"}, {"label"}),
        ({"label": "x", "rights": "student:list"}, {"rights"}),
        ({"label": "x", "rights": [7]}, {"rights"}),
        ({"label": "x", "rights": ["student:fly"]}, {""}),
        ({"label": "x", "rights": ["\0"]}, {""}),
        ({"label": "x", "rights": ["grant:confirm"]}, {"grant:confirm"}),
        ({"label": "x", "rights": ["change:submit", "change:review"]}, {"change:review"}),
        ({"label": "x", "rights": ["student:list"] * 2_001}, {"rights"}),
        ({"label": "x", "level": "platform"}, {"level"}),
        ({"label": "x", "level": ["school"]}, {"level"}),
        ({"label": "x", "template_id": "1"}, {"template_id"}),
        ({"label": "x", "template_id": True}, {"template_id"}),
        ({"label": "x", "template_id": 999_999}, {"template_id"}),
        ({"label": "x", "heads_unit": True, "school_id": 2}, {"heads_unit", "school_id"}),
    ],
)
def test_what_cannot_be_made(app: Flask, login: Login, sent: Any, fields: set[str]) -> None:
    answer = login("li").post(BASE, json=sent)
    assert answer.status_code == 422
    assert fields_of(answer) == fields
    assert [row for row in audit_of(app, "create") if row.entity == "role"] == []


@pytest.mark.parametrize(("body", "code"), [("[1]", 400), ("{", 400), ("\0", 400), ("[" * 10_000, 400)])
def test_what_is_no_object_is_refused(login: Login, body: str, code: int) -> None:
    li = login("li")
    assert li.post(BASE, data=body, content_type="application/json").status_code == code
    assert li.post(BASE, data="label=x").status_code == 415


def test_without_the_right_nobody_makes_or_reads_roles(login: Login) -> None:
    for username in ("lin", "zhao", "chen", "ops"):
        person = login(username)
        assert person.get(BASE).status_code == 403, username
        assert person.post(BASE, json={"label": "x"}).status_code == 403, username


def test_copies_of_bundles_and_of_what_one_cannot_pass_on_are_refused(app: Flask, login: Login) -> None:
    li = login("li")
    assert fields_of(li.post(BASE, json={"label": "x", "template_id": role_id(app, "school_all")})) == {
        "template_id"
    }
    grant_to(app, "zhou", "super_admin")
    answer = login("zhou").post(BASE, json={"label": "x", "template_id": role_id(app, "clerk")})
    assert answer.status_code == 422
    assert "student:list" in fields_of(answer)


# --- changing ---------------------------------------------------------------------------------------------


def test_only_what_is_sent_is_changed_and_only_at_the_version_that_was_read(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    before = rights_of(app, own)
    answer = put(li, own, {"description": "改了说明"})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert (answer.json["result"]["label"], answer.json["result"]["description"]) == (LABEL, "改了说明")
    assert rights_of(app, own) == before
    stale = put(li, own, {"label": "晚了"}, version=1)
    assert (stale.status_code, stale.json["error"]) == (412, "stale")
    assert stale.headers["ETag"] == '"2"'
    assert stale.json["current"]["description"] == "改了说明"
    assert li.put(f"{BASE}{own}", json={"label": "x"}).status_code == 428
    assert li.put(f"{BASE}{own}", json={"label": "x"}, headers={"If-Match": "*"}).status_code == 428
    found = role_of(app, own)
    assert found is not None
    assert found.label == LABEL


def test_the_plan_says_what_the_change_would_do_and_writes_nothing(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li, label="可转授的")
    give(app, li, "zhou", copy(app, li, "super_admin", label="副管理员"))
    above = give(app, li, "zhou", own, purpose="pass")
    child = give(app, login("zhou"), "zhao", role_id(app, "clerk"), purpose="pass")
    sent = {"rights": sorted(rights_of(app, own) - {"student:delete"})}
    plan = li.post(f"{BASE}{own}/plan", json=sent)
    assert plan.json == {
        "added": [],
        "removed": ["student:delete"],
        "holders": [{"grant_id": above, "person": "小周"}],
        "ended": [{"grant_id": child, "person": "赵副校长"}],
    }
    assert "student:delete" in rights_of(app, own)
    assert put(li, own, sent).status_code == 200
    assert "student:delete" not in rights_of(app, own)
    assert child not in {given.id for given in grants_of(app, "zhao")}


def test_a_plan_of_what_may_not_be_says_why(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    for sent, field in (
        ({"rights": ["school:add"]}, "school:add"),
        ({"label": ""}, "label"),
        ({"x": 1}, "x"),
    ):
        answer = li.post(f"{BASE}{own}/plan", json=sent)
        assert (answer.status_code, fields_of(answer)) == (422, {field})
        answer = put(li, own, sent)
        assert (answer.status_code, fields_of(answer)) == (422, {field})
    assert rights_of(app, own) == rights_of(app, role_id(app, "clerk"))


def test_default_roles_and_the_role_one_holds_are_not_changed(app: Flask, login: Login) -> None:
    li = login("li")
    clerk, mine = role_id(app, "clerk"), copy(app, li, "super_admin", label="副管理员")
    give(app, li, "zhou", mine)
    zhou = login("zhou")
    for person, pk in ((li, clerk), (zhou, mine)):
        assert put(person, pk, {"label": "x"}).status_code == 403
        assert person.post(f"{BASE}{pk}/plan", json={"label": "x"}).status_code == 403
        assert person.delete(f"{BASE}{pk}", headers={"If-Match": '"1"'}).status_code == 403


# --- deleting ---------------------------------------------------------------------------------------------


def test_only_what_nobody_ever_held_is_deleted(app: Flask, login: Login) -> None:
    li = login("li")
    own, used = copy(app, li), copy(app, li, label="用过的")
    li.post(f"/grants/withdraw/{give(app, li, 'zhou', used)}")
    assert li.delete(f"{BASE}{own}").status_code == 428
    assert li.delete(f"{BASE}{own}", headers={"If-Match": '"7"'}).status_code == 412
    assert li.delete(f"{BASE}{used}", headers={"If-Match": '"1"'}).status_code == 422
    assert li.delete(f"{BASE}{own}", headers={"If-Match": '"1"'}).status_code == 204
    assert li.get(f"{BASE}{own}").status_code == 404
    assert li.get(f"{BASE}{used}").status_code == 200


# --- as described -----------------------------------------------------------------------------------------


def test_answers_are_as_described(app: Flask, login: Login, document: Spec) -> None:
    li = login("li")
    own, clerk = copy(app, li), role_id(app, "clerk")
    give(app, li, "zhou", own)
    check(document, BASE, "get", li.get(BASE))
    check(document, BASE, "get", li.get(f"{BASE}?junk=1"))
    check(document, BASE, "get", login("lin").get(BASE))
    check(document, BASE, "post", li.post(BASE, json={"label": "一样的", "template_id": clerk}))
    check(document, BASE, "post", li.post(BASE, json={}))
    check(document, BASE, "post", li.post(BASE, data="{", content_type="application/json"))
    check(document, ONE, "get", li.get(f"{BASE}{own}"))
    check(document, ONE, "get", li.get(f"{BASE}{clerk}"))
    check(document, ONE, "get", li.get(f"{BASE}{10**9}"))
    check(document, ONE + "/plan", "post", li.post(f"{BASE}{own}/plan", json={"rights": ["student:list"]}))
    check(document, ONE + "/plan", "post", li.post(f"{BASE}{own}/plan", json={"rights": 7}))
    check(document, ONE + "/plan", "post", li.post(f"{BASE}{clerk}/plan", json={}))
    check(document, ONE, "put", put(li, own, {"description": "x"}))
    check(document, ONE, "put", put(li, own, {"label": 7}))
    check(document, ONE, "put", put(li, own, {}, version=7))
    check(document, ONE, "put", put(li, clerk, {}))
    check(document, ONE, "put", li.put(f"{BASE}{own}", json={}))
    for pk, tags in ((own, {"If-Match": '"7"'}), (own, {"If-Match": '"2"'}), (own, {}), (clerk, {})):
        check(document, ONE, "delete", li.delete(f"{BASE}{pk}", headers=tags))
