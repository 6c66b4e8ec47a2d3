"""The menu: one entry at most is marked, the nearest to the page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.surfaces.menu import _nearest
from tests.client import Client

Login = Callable[..., Client]

PAGES = [  # (who, page, the entry that is marked)
    ("li", "/people/list/", "用户管理"),
    ("li", "/people/teachers/", "班主任安排"),
    ("li", "/people/add", "用户管理"),
    ("li", "/", "首页"),
    ("lin", "/students/list/?q=王", "学生花名册"),
    ("lin", "/students/add", "学生花名册"),
    ("lin", "/find", ""),
    ("chen", "/bureau/", "区域概览"),
    ("chen", "/bureau/students/", "学生"),
    ("chen", "/bureau/students/show/1", "学生"),
]


@pytest.mark.parametrize(("username", "path", "label"), PAGES)
def test_the_nearest_entry_alone_is_marked(login: Login, username: str, path: str, label: str) -> None:
    page = login(username).get(path).text
    menu = re.search(r'<nav class="menu".*?</nav>', page, re.DOTALL)
    assert menu
    marked = re.findall(r'aria-current="page">(?:<svg.*?</svg>)?([^<]*)<', menu[0])
    assert marked == [label] * bool(label)


@pytest.mark.parametrize("urls", [("/a/list/", "/a/b/"), ("/a/b/", "/a/list/")], ids=["before", "after"])
def test_the_order_of_entries_decides_nothing(urls: tuple[str, ...]) -> None:
    assert [_nearest(urls, path) for path in ("/a/b/", "/a/b/c", "/a/c", "/b/")] == [
        "/a/b/",
        "/a/b/",
        "/a/list/",
        "",
    ]
