"""Who looked at which pupil is in the access log, for the super-admin and the bureau; looking at lists is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.core import rights, scope
from app.core.audit import OWN_WORDS, AuditEntry
from app.extensions import db
from config import ROOT
from tests import cast
from tests.client import Client

Login = Callable[..., Client]
OUYANG = cast.pupil("欧阳若曦")


def looks(app: Flask) -> list[tuple[Any, ...]]:
    """(who, kind of record, its name, its number) of every look, oldest first."""
    entry = AuditEntry
    query = sa.select(entry.actor_name, entry.entity, entry.subject, entry.row_id)
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        found = [
            tuple(row) for row in db.session.execute(query.where(entry.action == "show").order_by(entry.id))
        ]
        db.session.remove()
    return found


@pytest.mark.parametrize(
    ("username", "path"),
    [
        ("lin", f"/students/show/{OUYANG}"),
        ("lin", f"/students/edit/{OUYANG}"),
        ("zhou", f"/students/show/{OUYANG}"),
        ("lin", f"/api/v1/students/{OUYANG}"),
        ("chen", f"/bureau/students/show/{OUYANG}"),
    ],
)
def test_whoever_opens_a_pupil_is_in_the_log(app: Flask, login: Login, username: str, path: str) -> None:
    assert login(username).get(path).status_code == 200
    name = next(one.name for one in cast.PEOPLE if one.username == username)
    assert looks(app) == [(name, "student", "欧阳若曦", OUYANG)]


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("wang", f"/students/show/{OUYANG}", 404),
        ("li", f"/students/show/{OUYANG}", 403),
        ("xu", f"/bureau/students/show/{OUYANG}", 404),
        ("lin", "/students/list/", 200),
        ("lin", f"/classes/show/{cast.class_of(cast.YIZHONG, 7, 1)}", 200),
    ],
)
def test_who_sees_no_pupils_record_is_not(
    app: Flask, login: Login, username: str, path: str, status: int
) -> None:
    assert login(username).get(path).status_code == status
    assert looks(app) == []


def test_what_is_the_familys_is_the_pupils(app: Flask, login: Login) -> None:
    login("lin").get(f"/family-members/show/{cast.relative('欧阳明')}")
    assert looks(app) == [("林老师", "family_member", "欧阳明", cast.relative("欧阳明"))]


def test_the_super_admin_and_the_bureau_read_the_log_and_filter_it(app: Flask, login: Login) -> None:
    login("lin").get(f"/students/show/{OUYANG}")
    login("zhou").get(f"/students/show/{cast.pupil('王子涵')}")
    for reader in ("li", "he"):
        client = login(reader)
        page = client.get("/audit/list/?action=show").text
        assert "欧阳若曦" in page
        assert "王子涵" in page
        assert "小周" not in client.get("/audit/list/?action=show&actor_name=林").text
        assert "王子涵" not in client.get("/audit/list/?q=欧阳").text
        assert "欧阳若曦" not in client.get("/audit/list/?at__to=2020-01-01").text
        assert "欧阳若曦" in client.get("/audit/list/?at__from=2020-01-01&entity=student").text
    assert "欧阳若曦" not in login("wang").get("/audit/list/?action=show").text


def test_the_log_tells_who_sees_no_pupil_no_more_than_the_name(app: Flask, login: Login) -> None:
    """李老师 reads who changed whom, not what the record says."""
    lin = login("lin")
    sent = {"version": 1, "address": "青岚县城关镇新街9号"}
    assert lin.post(f"/students/edit/{OUYANG}", data=sent).status_code == 302
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        query = sa.select(AuditEntry.id).where(AuditEntry.action == "edit", AuditEntry.entity == "student")
        line = db.session.scalar(query)
        db.session.remove()
    assert "青岚县城关镇新街9号" in lin.get(f"/audit/show/{line}").text
    for reader in ("li", "he"):
        page = login(reader).get(f"/audit/show/{line}").text
        assert "欧阳若曦" in page
        assert "新街9号" not in page


def test_the_systems_own_words_are_in_the_language_of_the_page(app: Flask, login: Login) -> None:
    client = login("li")
    assert "演示数据" in cells(client.get("/audit/list/?size=200"))
    assert "演示数据" in login("lin").get(f"/students/show/{OUYANG}").text
    client.set_cookie("language", "en")
    assert "Demo data" in cells(client.get("/audit/list/?size=200"))


def cells(page: TestResponse) -> set[str]:
    return set(re.findall(r">([^<>]+)<", page.text))


def test_what_the_system_calls_itself_in_the_code_has_a_word() -> None:
    """So that no page has to show the code's own."""
    code = "\n".join(path.read_text() for part in ("app", "seeds") for path in (ROOT / part).rglob("*.py"))
    names = set(re.findall(r'rights\.system\("([^"]+)"\)', code))
    reasons = set(re.findall(r'unscoped\(\w+, "([^"]+)"\)', code))
    assert names
    assert reasons
    assert names | reasons <= set(OWN_WORDS)
