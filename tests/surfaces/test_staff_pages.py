"""The staff's generated pages: what a form offers and refuses, what a detail draws, how a list is headed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import cast
from tests.cast import YIZHONG, grade, pupil
from tests.client import Client
from tests.flows import world

Login = Callable[[str], Client]


def text_of(answer: TestResponse) -> str:
    """The page as one reads it: no tags, single blanks."""
    bare = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())


def inputs_of(answer: TestResponse) -> set[str]:
    return set(re.findall(r'\bname="([^"]+)"', answer.get_data(as_text=True)))


@pytest.fixture
def lin(login: Login) -> Client:
    """林老师, record clerk of the first school."""
    return login("lin")


# --- what comes from above ----------------------------------------------------------------------------

NEW_CLASS = {"grade_id": str(grade(YIZHONG, 7)), "number": "5", "class_type": "0"}


def test_a_clerk_opens_a_class_and_not_its_lifted_cap(app: Flask, lin: Client) -> None:
    before = world.all_rows(app)
    form = lin.get("/classes/add")
    assert "number" in inputs_of(form)
    assert "cap_lifted_to" not in inputs_of(form)
    answer = lin.post("/classes/add", data=NEW_CLASS | {"cap_lifted_to": "99"})
    assert answer.status_code == 422
    assert "“主管部门特批上限”由主管部门下达，学校不能填写或修改" in text_of(answer)
    assert world.all_rows(app) == before
    assert lin.post("/classes/add", data=NEW_CLASS | {"cap_lifted_to": ""}).status_code == 302


# --- the recycle bin ----------------------------------------------------------------------------------

DRAFT = pupil("刘浩然")


def button_of(page: TestResponse, action: str) -> dict[str, str]:
    """The hidden fields of the one-button form that posts to `action`."""
    found = re.search(rf'action="{re.escape(action)}".*?</form>', page.get_data(as_text=True), re.DOTALL)
    assert found is not None, action
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[0]))


def test_the_recycle_bin_gives_back_what_it_showed(app: Flask, lin: Client) -> None:
    back = f"/recycle-bin/restore/student/{DRAFT}"
    lin.post(f"/students/delete/{DRAFT}", data={"version": "1"})
    typed = button_of(lin.get("/recycle-bin/"), back)
    assert typed["version"] == "2"
    for stale, code in (({"version": "1"}, 409), ({}, 422), ({"version": "x"}, 422)):
        answer = lin.post(back, data=stale)
        assert answer.status_code == code
        assert "没有恢复学生“刘浩然”。" in text_of(answer)
        assert button_of(answer, back) == typed | {"csrf_token": button_of(answer, back)["csrf_token"]}
    assert lin.post(back, data={"version": "2"}).status_code == 302
    assert world.all_rows(app)["student", DRAFT]["deleted_at"] is None


def test_a_refused_return_leaves_the_page_usable(app: Flask, lin: Client) -> None:
    lin.post(f"/students/delete/{DRAFT}", data={"version": "1"})
    words = cast.plain(name="刘浩然", born_on="20140530", id_type="1", id_number=cast.id_number(DRAFT))
    typed = {name: str(int(value) if isinstance(value, bool) else value) for name, value in words.items()}
    made = lin.post("/students/add", data=typed)
    assert made.status_code == 302, text_of(made)
    answer = lin.post(f"/recycle-bin/restore/student/{DRAFT}", data={"version": "2"})
    assert answer.status_code == 422
    assert "这个身份证件号已在本校七年级（1）班建立学籍" in text_of(answer)
    assert f"/recycle-bin/restore/student/{DRAFT}" in answer.text
    assert world.all_rows(app)["student", DRAFT]["deleted_at"] is not None
