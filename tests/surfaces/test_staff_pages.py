"""The staff's generated pages: what a form offers and refuses, what a detail draws, how a list is headed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.cast import YIZHONG, grade
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
