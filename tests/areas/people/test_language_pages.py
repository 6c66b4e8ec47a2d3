"""The switch between the languages: on every page, before login and after it; and which language wins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests import cast
from tests.accounts import text_of
from tests.client import Client

Login = Callable[..., Client]
ENGLISH, CHINESE = '<html lang="en">', '<html lang="zh-Hans-CN">'


def switch(client: Client, language: str = "en", after: str = "/") -> str:
    """Where the switch leads."""
    headers = {"Referer": after if "//" in after else f"http://localhost{after}"}
    answer = client.post("/language/", data={"language": language}, headers=headers)
    assert answer.status_code == 302
    return str(answer.location)


def language_of(app: Flask, username: str) -> str | None:
    from app.core.rights import User
    from app.extensions import db

    with app.app_context():
        return db.session.get(User, cast.person(username)).language


def test_before_login_the_browser_keeps_it(anonymous: Client) -> None:
    assert CHINESE in anonymous.get("/login/").text
    assert switch(anonymous, after="/verify/") == "/verify/"
    assert ENGLISH in anonymous.get("/login/").text
    assert ENGLISH in anonymous.get("/verify/").text
    switch(anonymous, "zh_Hans_CN")
    assert CHINESE in anonymous.get("/login/").text


def test_after_login_the_account_keeps_it(app: Flask, login: Login) -> None:
    lin = login("lin")
    assert switch(lin, after="/students/list/?status=enrolled") == "/students/list/?status=enrolled"
    assert language_of(app, "lin") == "en"
    assert ENGLISH in login("lin").get("/").text, "in another browser too"
    assert CHINESE in login("li").get("/").text


def test_what_an_account_says_goes_before_what_the_browser_says(app: Flask, login: Login) -> None:
    lin = login("lin")
    switch(lin, "zh_Hans_CN")
    lin.set_cookie("language", "en")
    assert CHINESE in lin.get("/").text


def test_the_browsers_choice_goes_along_through_the_login(app: Flask, anonymous: Client) -> None:
    switch(anonymous)
    anonymous.login("lin", cast.PASSWORD)
    assert ENGLISH in anonymous.get("/").text
    assert language_of(app, "lin") is None, "the browser's choice is nobody's setting"


def test_every_page_offers_the_other_language_in_its_own_words(login: Login) -> None:
    lin = login("lin")
    assert (
        '<button class="top-link" name="language" value="en" lang="en">English</button>'
        in lin.get("/students/list/").text
    )
    switch(lin)
    assert (
        '<button class="top-link" name="language" value="zh_Hans_CN" lang="zh-Hans-CN">中文</button>'
        in lin.get("/students/list/").text
    )


@pytest.mark.parametrize(
    "after",
    [
        "http://elsewhere.example/students/list/",
        "http://localhost//elsewhere.example/",
        "/\\elsewhere",
        "/students/7/take-down",
        "/language/",
    ],
)
def test_the_switch_leads_to_no_other_host_and_to_no_page_that_is_none(anonymous: Client, after: str) -> None:
    assert switch(anonymous, after=after) == "/"


@pytest.mark.parametrize("language", ["", "fr", "../../etc", "en\0", "x" * 5_000])
def test_a_language_that_there_is_not_is_refused(app: Flask, login: Login, language: str) -> None:
    lin = login("lin")
    answer = lin.post("/language/", data={"language": language})
    assert answer.status_code == 422
    assert "没有这种语言" in text_of(answer)
    assert language_of(app, "lin") is None


def test_whoever_looks_as_another_changes_nothing(app: Flask, login: Login) -> None:
    li = login("li")
    assert li.post(f"/people/look/{cast.person('zhou')}").status_code == 302
    assert li.post("/language/", data={"language": "en"}).status_code == 403
    assert 'action="/language/"' not in li.get("/").text
    assert language_of(app, "zhou") is None


def test_the_switch_is_recorded(app: Flask, session: object, login: Login) -> None:
    import sqlalchemy as sa

    from app.core import rights, scope
    from app.core.audit import AuditEntry
    from app.extensions import db

    switch(login("lin"))
    with scope.acting(db.session(), rights.system("tests")):
        entry = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.actor_name, entry.action, entry.after) == ("林老师", "edit", {"language": "en"})


# --- programs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepts", "says"),
    [
        (None, "没有登录"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "没有登录"),
        ("en-GB,en;q=0.9", "Not logged in"),
        ("fr", "没有登录"),
        ("en;q=0.1, zh;q=0.9", "没有登录"),
    ],
)
def test_a_program_is_answered_in_what_it_accepts(anonymous: Client, accepts: str | None, says: str) -> None:
    headers = {"Accept-Language": accepts} if accepts else {}
    answer = anonymous.get("/api/v1/students/", headers=headers)
    assert answer.status_code == 401
    assert says in answer.json["message"]


def test_a_browser_is_not_asked_what_it_accepts(anonymous: Client) -> None:
    assert CHINESE in anonymous.get("/login/", headers={"Accept-Language": "en-US"}).text
