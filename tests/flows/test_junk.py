"""Junk to every form, filter and API: a sentence and a 4xx, never a 500, and nothing written.

Which addresses take what is read from the table of addresses: a row whose letter is V, P or B lets the person reach
the handler and wants something from him.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.core import scope
from app.core.entity import registry
from app.core.rights import system
from tests.client import Client
from tests.flows import every_url, world
from tests.flows.every_url import Row

Login = Callable[[str], Client]
WRITERS = ("lin", "li", "he", "ops", "zhou")  # between them they reach every handler that writes
WANTING = "VPB"
TEXTS = {
    "formula": "=1+1",
    "emoji": "张😀三",
    "nul": "a\0b",
    "digits": "9" * 5_000,
    "long": "长" * 20_000,
    "control": "\x1b[2J\u202e\ufeff",
    "markup": "<script>alert(1)</script>" * 40,
    "sql": "'; DROP TABLE student; --" * 10,
}
VALUES: dict[str, Any] = TEXTS | {
    "number": 10**30,
    "fraction": 1.5e300,
    "list": [1, [2]],
    "object": {"$ne": None},
    "flag": True,
}
BODIES = {
    "no json": b"{",
    "an array": b"[1, 2]",
    "a number": b"1",
    "not a number": b'{"address": NaN}',
    "no utf-8": b'{"address": "\xff\xfe"}',
    "a lone surrogate": b'{"address": "\\ud800"}',
    "keys twice": b'{"address": "a", "address": "b"}',
    "very deep": b"[" * 20_000 + b"]" * 20_000,
    "10 MB": b'{"address": "' + b"x" * 10_000_000 + b'"}',
}
ROWS = every_url.read_table()
GUESSED = "/account/password"  # the fifth wrong old password ends the session, and rightly


@pytest.fixture
def ids(app: Flask) -> world.Ids:
    return world.furnish(app)


def handlers(prefix_is_api: bool) -> Iterator[tuple[str, Row]]:
    """(person, row) once for every writing address that wants something of one of WRITERS."""
    seen = set()
    for row in ROWS:
        pattern = re.sub(r"\{[^}]+\}", "*", row.address)
        if row.method not in ("POST", "PUT") or row.address.startswith("/api/") is not prefix_is_api:
            continue
        for person in WRITERS:
            if row.letters[person] in WANTING and (row.method, pattern) not in seen:
                seen.add((row.method, pattern))
                yield person, row


def everything(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every entity but the audit, which may note who looked or failed."""
    session.rollback()
    with scope.acting(session, system("tests")), scope.with_deleted(session):
        return {
            entity.key(): [
                tuple(row)
                for row in session.execute(sa.select(*sa.inspect(entity).columns).order_by(entity.id))
            ]
            for entity in registry
            if entity.key() != "audit_entry"
        }


def names_on(page: str) -> list[str]:
    """The inputs of a form page that are posted."""
    found = re.findall(r'<(?:input|select|textarea)[^>]*?\bname="([^"]+)"', page)
    return [
        name for name in dict.fromkeys(found) if name not in ("csrf_token", "version") and "__n__" not in name
    ]


def is_told(answer: Any) -> bool:
    """A whole sentence in Chinese, and nothing of the inside."""
    text = answer.get_data(as_text=True)
    says = bool(re.search(r"[\u4e00-\u9fff]{4,}[^<]*。", text)) or "\\u" in text
    return says and "Traceback" not in text and "sqlalchemy" not in text.lower()


def check(answer: Any, what: str) -> None:
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code}"
    assert is_told(answer), f"{what}: no sentence"


def test_junk_in_every_input_of_every_form_is_refused(
    app: Flask, session: Session, login: Login, ids: world.Ids
) -> None:
    people = {name: login(name) for name in WRITERS}
    before = everything(session)
    tried = 0
    for person, row in handlers(prefix_is_api=False):
        path = row.path(ids)
        page = people[person].get(path)
        version = re.search(r'name="version" value="(\d+)"', page.text)
        names = names_on(page.text) if page.status_code == 200 else ["q", "id", "reason", "next"]
        texts = dict(list(TEXTS.items())[:3]) if path == GUESSED else TEXTS
        for what, text in texts.items():
            data = dict.fromkeys(names, text) | ({"version": version[1]} if version else {}) | {"junk": text}
            check(people[person].post(path, data=data), f"{person} {row} {what}")
            tried += 1
    assert tried > 100
    assert everything(session) == before


@pytest.mark.parametrize(
    "path", ["/students/add", "/login/", "/search/students", "/reveal/student", "/account/edit"]
)
def test_ten_megabytes_are_refused_unread(login: Login, session: Session, path: str) -> None:
    person = login("lin")
    before = everything(session)
    answer = person.post(path, data={"name": "x" * 10_000_000})
    assert answer.status_code == 413
    assert "大小限制" in answer.text
    assert everything(session) == before


POSTED = ("q", "pasted", "reason", "id", "next", "site", "asks", "name", "with", "density")
"""Inputs of a list's other forms."""


def test_junk_in_every_filter_gets_a_sentence(login: Login, ids: world.Ids) -> None:
    lists = [
        row for row in ROWS if row.method == "GET" and row.address.endswith(("/list/", "/bureau/students/"))
    ]
    assert len(lists) > 10
    for row in lists:
        person = next(name for name in ("lin", "li", "he", "chen", "ops") if row.letters[name] == ".")
        reader = login(person)
        page = reader.get(row.path(ids)).text
        names = [n for n in names_on(page) if n not in POSTED and not n.endswith("__text")]
        for name in names:
            for what in ("formula", "nul", "digits", "emoji"):
                answer = reader.get(row.path(ids), query_string={name: TEXTS[what]})
                assert answer.status_code in (200, 422), f"{row} {name}={what}: {answer.status_code}"
                assert answer.status_code == 422 or not _is_strict(page, name), f"{row} {name}={what}"
        for word, value in (("sort", "x'y"), ("junk", "1"), ("q", "x" * 51)):
            check(reader.get(row.path(ids), query_string={word: value}), f"{row} {word}")
        for word, value in (("after", "9" * 5_000), ("before", "-1")):  # page one, or a sentence
            assert reader.get(row.path(ids), query_string={word: value}).status_code in (200, 422)


def _is_strict(page: str, name: str) -> bool:
    """A filter that is no free text refuses whatever is not of its kind."""
    return bool(re.search(rf'<select[^>]*name="{name}"|type="(?:date|number)"[^>]*name="{name}"', page))


@pytest.mark.parametrize(
    "path", ["/students/show/", "/students/edit/", "/bureau/students/show/", "/people/show/"]
)
@pytest.mark.parametrize("id_", ["0", "-1", "9" * 40, "x", "1e3", "%00", "1;2"])
def test_an_id_that_is_none_leads_nowhere(login: Login, path: str, id_: str) -> None:
    assert login("lin").get(path + id_).status_code in (403, 404)


def test_junk_values_to_every_api_are_refused(
    app: Flask, session: Session, login: Login, ids: world.Ids
) -> None:
    people = {name: login(name) for name in WRITERS}
    before = everything(session)
    for person, row in handlers(prefix_is_api=True):
        path = row.path(ids)
        headers = _matching(people[person], path) if row.method == "PUT" else {}
        for what, value in VALUES.items():
            body = {"junk": value, "name": value, "address": value, "number": value, "username": value}
            answer = people[person].open(path, method=row.method, json=body, headers=headers)
            check(answer, f"{person} {row} {what}")
            assert answer.json["message"], f"{row} {what}"
    assert everything(session) == before


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_is_none_is_refused_by_every_api(
    app: Flask, session: Session, login: Login, ids: world.Ids, what: str
) -> None:
    people = {name: login(name) for name in WRITERS}
    before = everything(session)
    for person, row in handlers(prefix_is_api=True):
        path = row.path(ids)
        headers = _matching(people[person], path) if row.method == "PUT" else {}
        answer = people[person].open(
            path, method=row.method, data=BODIES[what], content_type="application/json", headers=headers
        )
        check(answer, f"{row} {what}")
        assert answer.json["message"], f"{row} {what}"
        wrong = people[person].open(
            path, method=row.method, data="x=1", content_type="text/plain", headers=headers
        )
        check(wrong, f"{row} as text")
    assert everything(session) == before


def _matching(person: Client, path: str) -> dict[str, str]:
    tag = person.get(path).headers.get("ETag")
    return {"If-Match": tag} if tag else {}


@pytest.mark.parametrize("typed", ["'", "%", "\\", "王%", "(((", "[a-", "☃", "𠀀", "\u200b王"])
def test_whatever_is_searched_for_is_answered(login: Login, typed: str) -> None:
    person = login("lin")
    moved = person.post("/search/students", data={"q": typed})
    assert moved.status_code == 302
    assert person.get(moved.headers["Location"]).status_code in (200, 422)
