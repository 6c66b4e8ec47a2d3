"""Junk beneath the inputs: broken bodies, odd bytes, headers, wrong types in every single field, addresses of lists.

What is typed into the inputs of pages is in test_junk. Here too: a sentence and a 4xx, never a 500, nothing written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Client
from tests.flows import every_url, world
from tests.flows.every_url import Row

Login = Callable[[str], Client]
ROWS = every_url.read_table()
WANT_NOTHING = {  # a button and no input: whatever body comes along, the button was pressed
    "/why/",  # leads back to the form
    "/first-steps/hide",
    "/lists/views/delete/{lin}",
    "/lists/views/delete/{shared}",
    "/lists/views/delete/{wang}",
    "/people/look/{zhou}",
    "/people/look/{wang}",
    "/people/look/end",
    "/grants/withdraw/{zhou}",
    "/grants/withdraw/{wang}",
    "/grants/confirm/{leader-ours}",
    "/api/v1/grants/{lin}/withdraw",
    "/api/v1/grants/{chen}/withdraw",
    "/api/v1/roles/{ours}/plan",
    "/api/v1/roles/{near}/plan",
    "/people/reset/{zhao}",
    "/people/reset/{wang}",
    "/people/suspend/{zhao}",
    "/people/suspend/{wang}",
    "/people/resume/{zhao}",
    "/people/resume/{wang}",
    "/people/unlock/{zhao}",
    "/people/unlock/{wang}",
    *(
        f"/api/v1/people/{{{who}}}/{act}"
        for who in ("zhao", "wang")
        for act in ("suspend", "resume", "unlock", "reset")
    ),
    "/recycle-bin/restore/student/{student-ours}",
    "/recycle-bin/restore/student/{student-far}",
    "/recycle-bin/restore/school_class/{class-ours}",
    "/recycle-bin/restore/school_class/{class-far}",
    *(
        f"/lookup/{table}" for table in ("student", "family_member", "region", "area", "ab_user")
    ),  # of nothing, the first
    "/search/students",  # redirects to a list that says whether anything was found
    "/search/schools",
    "/login/",
    "/login/code",  # who is in already is led home
    "/account/second-factor/off",
    "/account/second-factor/renew",
    "/account/sessions/end/{sessions.lin}",
    "/account/sessions/end/{sessions.wang}",
    "/account/sessions/end-others",
    *(
        f"/print/class/{{classes.{which}}}/{word}"
        for which in ("ours", "next", "senior", "near", "far")
        for word in ("list", "cards", "sheets")
    ),
    *(
        f"/print/student/{{students.{which}}}/{word}"
        for which in ("ours", "next", "senior", "near", "far")
        for word in ("card", "sheet")
    ),
    "/print/certificate/{certificates.ours}/revoke",
    "/print/certificate/{certificates.far}/revoke",
}


def test_what_takes_an_empty_form_is_known() -> None:
    takes = {
        row.address
        for row in ROWS
        if row.method in ("POST", "PUT", "DELETE")
        if every_url.people_who_get(row, ".CD>")
    }
    assert takes - WANT_NOTHING == set()


# --- what is there before and after -------------------------------------------------------------------


@pytest.fixture
def ids(app: Flask, monkeypatch: pytest.MonkeyPatch) -> world.Ids:
    monkeypatch.setitem(
        app.config, "LOCK_AFTER", 10_000
    )  # a wrong old password is counted, and junk is wrong
    return world.furnish(app)


@pytest.fixture
def unchanged(app: Flask, ids: world.Ids) -> Iterator[None]:
    """Nothing is written while the test runs: no row, no account, no grant, no line of the audit about a change."""
    before = world.accounts(app), world.all_rows(app), world.audited_changes(app)
    yield
    after = world.accounts(app), world.all_rows(app), world.audited_changes(app)
    for old, new in zip(before, after, strict=True):
        assert {key: row for key, row in new.items() if old.get(key) != row} == {}
        assert old.keys() == new.keys()


def doors(*methods: str, api: bool) -> list[tuple[str, Row]]:
    """(person, row) once for every rule that wants something of somebody, who then gets as far as the handler."""
    found: dict[tuple[str, str], tuple[str, Row]] = {}
    for row in ROWS:
        if row.method in methods and row.address.startswith("/api/") is api:
            key = row.method, re.sub(r"\{[^}]+\}", "*", row.address)
            for person in every_url.people_who_get(row, "VPB")[-1:]:
                found.setdefault(key, (person, row))
    return list(found.values())


class People(dict[str, Client]):
    """Everybody who is needed, logged in once."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app

    def __missing__(self, person: str) -> Client:
        self[person] = every_url.enter(self.app, person)
        return self[person]


@pytest.fixture
def people(app: Flask, ids: world.Ids) -> People:
    return People(app)


def refused(answer: TestResponse, what: object) -> None:
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code}"
    text = answer.json["message"] if answer.is_json else answer.get_data(as_text=True)
    assert re.search(r"[\u4e00-\u9fff]{2,}[^<]*。", text), f"{what}: no sentence"


# --- bodies of forms ----------------------------------------------------------------------------------

FORM = "application/x-www-form-urlencoded"
PART = b"--x\r\nContent-Disposition: form-data%s\r\n\r\n%s\r\n--x--\r\n"
BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", FORM),
    "bytes that are no UTF-8": (b"address=\xff\xfe&name=\xff", FORM),
    "halves of characters": (b"address=%ED%A0%80&name=%ED%A0%80", FORM),
    "a name that is no UTF-8": (b"%FF=1&%00=2", FORM),
    "a value without a name": (b"=1&&&==", FORM),
    "names in thousands": (b"&".join(b"a%d=1" % n for n in range(1_000)), FORM),
    "a name of 5 000 letters": (b"a" * 5_000 + b"=1", FORM),
    "everything twice": (b"address=a&address=b&name=a&name=b&version=1&version=2", FORM),
    "JSON for a form": (b'{"version": 1, "address": "x"}', "application/json"),
    "plain text": (b"version=1", "text/plain"),
    "no type at all": (b"version=1&address=x", ""),
    "a type that is none": (b"version=1&address=x", ";;;/\x7f"),
    "another character set": ("version=1&address=x".encode("utf-16"), FORM + "; charset=utf-16"),
    "parts without a boundary": (b"--x", "multipart/form-data"),
    "parts that never end": (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n',
        "multipart/form-data; boundary=x",
    ),
    "a part without a name": (PART % (b"", b"1"), "multipart/form-data; boundary=x"),
    "a part that is no UTF-8": (PART % (b'; name="name"', b"\xff\xfe"), "multipart/form-data; boundary=x"),
    "parts in thousands": (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _n in range(2_500))
        + b"--x--",
        "multipart/form-data; boundary=x",
    ),
    "a file in place of text": (
        PART % (b'; name="name"; filename="a.exe"', b"MZ"),
        "multipart/form-data; boundary=x",
    ),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_broken_body_is_refused_by_every_form(
    people: People, ids: world.Ids, unchanged: None, what: str
) -> None:
    body, kind = BODIES[what]
    for person, row in doors("POST", api=False):
        if row.address != "/login/":
            refused(people[person].post(row.path(ids), data=body, content_type=kind), f"{row} {what}")
    answer = Client(people.app).post("/login/", data=body, content_type=kind)
    refused(answer, f"/login/ {what}")


def test_an_unknown_name_alone_is_refused(people: People, ids: world.Ids, unchanged: None) -> None:
    """An edit that changes nothing is accepted; one that asks for what there is not, is not."""
    edits = [(person, row) for person, row in doors("POST", api=False) if "/edit/" in row.address]
    assert len(edits) > 8
    for person, row in edits:
        page = people[person].get(row.path(ids)).get_data(as_text=True)
        version = re.search(r'name="version" value="(\d+)"', page)
        assert version is not None, row
        typed = {"version": version[1], "created_by": "1"}
        answer = people[person].post(row.path(ids), data=typed)
        assert answer.status_code == 422, row
        assert "没有“created_by”这一项" in answer.get_data(as_text=True), row


def test_ten_megabytes_are_refused_by_every_form_and_api(
    people: People, ids: world.Ids, unchanged: None
) -> None:
    much = b"name=" + b"x" * 10_000_000
    for person, row in doors("POST", api=False):
        assert people[person].post(row.path(ids), data=much, content_type=FORM).status_code == 413, row
    for person, row in doors("POST", "PUT", api=True):
        tag = {"If-Match": '"1"'} if row.method == "PUT" else {}
        answer = people[person].open(
            row.path(ids),
            method=row.method,
            data=b'{"name": "' + much + b'"}',
            content_type="application/json",
            headers=tag,
        )
        refused(answer, row)
        assert answer.status_code in (400, 413), row


# --- every field of every API by itself ---------------------------------------------------------------

WRONG: dict[str, Any] = {
    "a formula": "=1+1",
    "an emoji": "\U0001f600",
    "NUL": "a\0b",
    "a lone surrogate": "\ud800",
    "what stands for broken bytes": "\ufffd",
    "5 000 digits": "9" * 5_000,
    "a list": ["1"],
    "an object": {"id": 1},
    "a fraction": 1.5,
}


@pytest.mark.parametrize("what", WRONG)
def test_every_field_refuses_what_is_not_its_own(
    people: People, ids: world.Ids, unchanged: None, what: str
) -> None:
    """All fields of a new row are wrong at once, and each has its own complaint."""
    told = 0
    for person, row in doors("POST", api=True):
        if row.address.endswith(("/search", "/login")):
            continue
        fields = _fields_to_type(people[person], row.address)
        if not fields:
            continue  # an API written by hand: its own tests do this
        answer = people[person].post(row.path(ids), json=dict.fromkeys(fields, WRONG[what]))
        assert answer.status_code == 422, f"{row} {what}"
        complained = {one["field"] for one in answer.json["complaints"]}
        assert fields - complained == set(), f"{row} {what}"
        told += len(complained)
    assert told > 100


def _fields_to_type(client: Client, base: str) -> set[str]:
    """What the API itself says may be typed into a new row; nothing where it does not tell."""
    info = client.get(f"{base}_info").json
    return {one["name"] for one in info.get("fields", ()) if one["on_add"] == "open"}


# --- headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag", ["", "x", '"x"', "*", '"1', '"1", "2"', '"-1"', '"' + "9" * 5_000 + '"', '"\u0663"', "\x7f"]
)
def test_a_version_that_is_none_changes_nothing(
    people: People, ids: world.Ids, unchanged: None, tag: str
) -> None:
    for person, row in doors("PUT", "DELETE", api=True):
        answer = people[person].open(
            row.path(ids), method=row.method, json={}, headers={"If-Match": tag.encode().decode("latin-1")}
        )
        refused(answer, row)
        assert answer.status_code in (412, 428), row


@pytest.mark.parametrize(
    "word",
    ["Bearer", "Bearer x", "bearer a.b.c", "Bearer " + "a" * 5_000, "Bearer \xe9", "Bearer x, Bearer y"],
)
def test_a_token_that_is_none_is_nobody(people: People, word: str) -> None:
    answer = people["lin"].get("/api/v1/students/", headers={"Authorization": word})
    assert answer.status_code == 401
    refused(answer, word)


@pytest.mark.parametrize("cookie", ["x", ".x.y.z", "a" * 4_000, "", '"', "\xff"])
def test_a_cookie_that_is_none_leads_to_the_login_page(anonymous: Client, cookie: str) -> None:
    answer = anonymous.get("/students/list/", headers={"Cookie": f"session={cookie}"})
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-CSRFToken", "\xff"),
        ("X-CSRFToken", "a.b.c"),
        ("Referer", "http://[::1"),
        ("Host", "a b"),
        ("Accept-Language", "%%%"),
        ("If-None-Match", '"\xff"'),
        ("If-Modified-Since", "never"),
        ("Range", "bytes=z-a"),
        ("Content-Length", "-5"),
        ("Transfer-Encoding", "none"),
    ],
)
def test_odd_headers_break_nothing(
    people: People, ids: world.Ids, unchanged: None, name: str, value: str
) -> None:
    shown = f"/students/show/{ids['students']['ours']}"
    answer = people["lin"].get(shown, headers={name: value})
    assert answer.status_code < 500
    answer = people["lin"].get(shown.replace("show", "nothing"), headers={name: value})
    refused(answer, name)
    answer = people["lin"].post(shown.replace("show", "edit"), data={"version": "0"}, headers={name: value})
    refused(answer, name)


# --- lists and look-ups -------------------------------------------------------------------------------

QUERIES = {
    "a sort that is none": "sort=%00",
    "a cursor that is none": "after=x",
    "a cursor in other digits": "before=%D9%A3",
    "a cursor of 5 000 digits": "after=" + "9" * 5_000,
    "a size that is none": "size=x",
    "ids that are none": "found=1,x",
    "ids in thousands": "found=" + "1," * 1_000 + "1",
    "an unknown name": "created_by=1",
    "a name that is no UTF-8": "%FF=1",
    "a place in the row": "__class__=1",
    "a column of another table": "school.name=x",
}


def lists() -> Iterator[tuple[str, Row]]:
    """(person, row) for every list that somebody reads: staff pages, API, the bureau's site."""
    for row in ROWS:
        readers = every_url.people_who_get(row, ".")
        if (
            readers
            and row.method == "GET"
            and re.fullmatch(r"/[a-z-]+/list/|/api/v1/[a-z-]+/|/bureau/[a-z-]+/", row.address)
        ):
            yield readers[0], row


@pytest.mark.parametrize("what", QUERIES)
def test_an_address_that_asks_for_what_there_is_not_is_refused(
    people: People, ids: world.Ids, what: str
) -> None:
    tried = 0
    for person, row in lists():
        answer = people[person].get(f"{row.path(ids)}?{QUERIES[what]}")
        refused(answer, f"{row} {what}")
        tried += 1
    assert tried > 30


@pytest.mark.parametrize("typed", ["9" * 5_000, "a%00b", "%F0%9F%98%80", "%FF%FE", "%25"])
def test_a_filter_refuses_junk_or_finds_nothing(people: People, ids: world.Ids, typed: str) -> None:
    """Text may be looked for whatever it is; what finds nothing must show nothing."""
    tried = 0
    for person, row in lists():
        if row.address.startswith("/api/"):
            about = people[person].get(row.address + "_info").json
            names = [one["name"] for one in about.get("filters", ())] + ["q"] * about.get("search", 0)
            for name in names:
                answer = people[person].get(f"{row.path(ids)}?{name}={typed}")
                tried += 1
                if answer.status_code == 200:
                    assert (answer.json["count"], answer.json["result"]) == (0, []), (
                        f"{row} {name}={typed[:20]}"
                    )
                else:
                    refused(answer, f"{row} {name}={typed[:20]}")
    assert tried > 100


@pytest.mark.parametrize("typed", ["%00", "%FF", "9" * 5_000, "%ED%A0%80", "%25", "_", "'", "%5C"])
def test_a_look_up_answers_whatever_is_typed(people: People, typed: str) -> None:
    """It suggests as one types, so that there is nothing to refuse: it finds something by name, or nothing."""
    for table in ("student", "school_class", "school", "region", "ab_user"):
        answer = people["lin"].post(f"/lookup/{table}", data=f"q={typed}", content_type=FORM)
        assert answer.status_code == 200, table
        if typed != "%00":  # taken out, and nothing is left of it
            assert answer.json["items"] == [], table


@pytest.mark.parametrize("id_", ["9" * 19, "9" * 5_000, "-1", "1%00", "%F0%9F%98%80", "1,2"])
def test_an_id_that_is_none_is_nowhere(people: People, ids: world.Ids, unchanged: None, id_: str) -> None:
    for person, row in [*doors("POST", api=False), *doors("PUT", "DELETE", api=True)]:
        if "{" in row.address:
            path = re.sub(r"\{[^}]+\}", id_, row.address)
            answer = people[person].open(
                path, method=row.method, **({"json": {}} if "/api/" in path else {"data": {}})
            )
            assert answer.status_code in (404, 405), f"{row.method} {path[:60]}"
            refused(answer, path[:60])
