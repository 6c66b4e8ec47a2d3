"""The public page that says valid or not: what it gives away, what it takes, how often it may be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.areas.printing import certificates
from app.areas.students.models import Student
from app.core import rights, saving, scope
from app.extensions import db
from tests import cast
from tests.client import Client

Login = Callable[..., Client]


@pytest.fixture
def code(app: Flask) -> str:
    by = rights.system("tests")
    with app.app_context(), scope.acting(db.session(), by), saving.work() as work:
        student = work.session.get_one(Student, cast.pupil("王子涵"))
        return certificates.issue(work.session, by, student, "办理医疗保险", 30)[1]


def ask(client: Client, code: str, **words: Any) -> Any:
    return client.post("/verify/", data={"code": code}, **words)


def test_the_page_shows_nothing_but_the_answer(anonymous: Client, code: str) -> None:
    valid = ask(anonymous, code).text
    assert "有效。" in valid
    for words in ("王子涵", "第一中学", "医疗保险", "林老师", "2026", code):
        assert words not in valid, words


def test_every_no_is_the_same(anonymous: Client, code: str) -> None:
    """Whether a code was never given out, is over or was withdrawn is not told."""
    unknown = ask(anonymous, "0" * 16)
    with anonymous.application.app_context(), scope.acting(db.session(), rights.system("tests")):
        with saving.work() as work:
            certificates.revoke(work.session, rights.system("tests"), 1)
        db.session.remove()
    revoked = ask(anonymous, code)

    def plain(text: str) -> str:
        return text.partition("door-form")[2].partition("<form")[0]

    assert plain(unknown.text) == plain(revoked.text)
    assert "无效。" in plain(unknown.text)
    assert unknown.status_code == revoked.status_code == 200


@pytest.mark.parametrize("typed", ["", "   ", None])
def test_without_a_code_it_asks_for_one(anonymous: Client, typed: str | None) -> None:
    answer = anonymous.post("/verify/", data={} if typed is None else {"code": typed})
    assert answer.status_code == 422
    assert "请输入证明上的验证码" in answer.text


@pytest.mark.parametrize("typed", ["\0", "<script>", "'; drop", "王子涵", "x" * 100_000, "𠮷" * 50, "-" * 30])
def test_junk_is_no_code(anonymous: Client, typed: str) -> None:
    answer = ask(anonymous, typed)
    assert answer.status_code == 200
    assert "无效。" in answer.text
    assert typed not in answer.text.replace("<script ", "")


def test_other_fields_are_refused(anonymous: Client, code: str) -> None:
    assert anonymous.post("/verify/", data={"code": code, "name": "王子涵"}).status_code == 422


def test_the_code_is_never_taken_from_an_address(anonymous: Client, code: str) -> None:
    assert "有效。" not in anonymous.get(f"/verify/?code={code}").text


def test_another_site_cannot_ask_in_a_visitors_name(anonymous: Client, code: str) -> None:
    assert ask(anonymous, code, csrf=False).status_code == 400


def test_codes_are_tried_a_few_times_only(limited: Flask, code: str) -> None:
    client = Client(limited)

    def from_there(address: str) -> dict[str, Any]:
        return {"headers": {"X-Forwarded-For": address}}

    for _n in range(3):
        assert ask(client, "0" * 16, **from_there("10.9.0.1")).status_code == 200
    assert ask(client, code, **from_there("10.9.0.1")).status_code == 429
    assert ask(client, code, **from_there("10.9.0.2")).status_code == 200
    assert client.get("/verify/", **from_there("10.9.0.1")).status_code == 200
