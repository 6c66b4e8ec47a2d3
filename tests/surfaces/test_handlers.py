"""Four kinds of refusal: one page and one JSON form each, no trace, no number; headers on every answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.core.errors import Denied, Invalid, Missing, Refused, Stale
from tests import cast

Login = Callable[[str], Any]
NUMBER = "519921201211030219"
KINDS = [
    (Missing(), 404, "missing"),
    (Denied("您没有这项权限。"), 403, "denied"),
    (Invalid([("name", "姓名为空。")]), 422, "invalid"),
    (Stale("林老师刚才修改过。"), 409, "stale"),
]


@pytest.fixture
def raising(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Makes the health page raise, and its twin below /api/."""

    def make(error: Exception) -> None:
        def fail(*args: object, **words: object) -> None:
            raise error

        for endpoint in ("ToolsView.healthz", "ToolsView.lookup"):
            monkeypatch.setitem(app.view_functions, endpoint, fail)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    return make


@pytest.mark.parametrize(("error", "code", "kind"), KINDS)
def test_a_refusal_is_a_page_with_its_sentence(
    login: Login, raising: Callable[[Exception], None], error: Refused, code: int, kind: str
) -> None:
    person = login("lin")
    raising(error)
    answer = person.get("/healthz")
    assert answer.status_code == code
    assert error.sentence in answer.text
    assert "学籍台" in answer.text


@pytest.mark.parametrize(("error", "code", "kind"), KINDS)
def test_a_refusal_is_json_of_one_shape(
    login: Login, raising: Callable[[Exception], None], error: Refused, code: int, kind: str
) -> None:
    person = login("lin")
    raising(error)
    answer = person.post("/lookup/student", data={"q": "x"})
    assert answer.status_code == code
    assert answer.json["error"] == kind
    assert answer.json["message"] == error.sentence
    assert isinstance(answer.json["complaints"], list)


@pytest.mark.parametrize(("method", "path"), [("GET", "/healthz"), ("POST", "/lookup/student")])
def test_an_unforeseen_fault_tells_nothing_of_itself(
    login: Login,
    raising: Callable[[Exception], None],
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    person = login("lin")
    raising(ZeroDivisionError(f"SELECT secret {NUMBER}"))
    with caplog.at_level(logging.DEBUG):
        answer = person.open(path, method=method)
    assert answer.status_code == 500
    for text in (answer.text, caplog.text):
        assert NUMBER not in text
        assert "SELECT" not in text
        assert "Traceback" not in text
    assert "ZeroDivisionError" in caplog.text


def test_every_page_forbids_foreign_and_inline_scripts(login: Login) -> None:
    answer = login("lin").get("/students/list/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_two_answers_have_two_nonces(login: Login) -> None:
    person = login("lin")
    policies = {person.get("/students/list/").headers["Content-Security-Policy"] for _ in range(2)}
    assert len(policies) == 2


def test_a_pupil_who_is_not_there_is_404_like_one_out_of_scope(login: Login) -> None:
    person = login("wang")
    gone = person.get("/students/show/987654321")
    foreign = person.get(f"/students/show/{cast.pupil('张一鸣')}")
    assert gone.status_code == foreign.status_code == 404

    def told(answer: Any) -> str:
        return str(answer.text).split("<main", 1)[1].split("</main>", 1)[0]

    assert told(gone) == told(foreign)
