"""The panel of filters: what it offers at first, and all that a person may ask by."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.client import Client
from tests.surfaces.test_list_looks import choose

Login = Callable[..., Client]


def panel(page: str) -> str:
    found = re.search(r'<details class="pop filters".*?</details>', page, re.S)
    assert found is not None
    return found[0]


def offered(page: str) -> set[str]:
    return set(re.findall(r'name="(\w+)"', panel(page)))


def all_url(page: str) -> str | None:
    found = re.search(r'href="([^"]*)">全部条件<', page)
    return found[1].replace("&amp;", "&") if found else None


PLACES = [("lin", "/students/list/"), ("chen", "/bureau/students/")]


@pytest.mark.parametrize(("username", "path"), PLACES)
def test_all_filters_are_one_link_away_and_keep_what_is_asked(login: Login, username: str, path: str) -> None:
    client = login(username)
    first = client.get(f"{path}?gender=2&sort=-name").text
    assert "left_behind" not in offered(first)
    assert not panel(first).startswith('<details class="pop filters" open')
    url = all_url(first)
    assert url is not None
    assert url == f"{path}?gender=2&sort=-name&offer=all"
    page = client.get(url).text
    assert panel(page).startswith('<details class="pop filters" open')
    assert offered(page) > offered(first)
    assert "left_behind" in offered(page)
    assert all_url(page) is None
    assert "offer=all" not in page.replace("offer%3Dall", "offer=all")


def test_what_is_asked_stays_offered(login: Login) -> None:
    page = login("lin").get("/students/list/?left_behind=1").text
    assert "left_behind" in offered(page)


def test_columns_that_are_shown_may_be_asked_by(login: Login) -> None:
    lin = login("lin")
    assert choose(lin, "left_behind").status_code == 302
    assert "left_behind" in offered(lin.get("/students/list/").text)


@pytest.mark.parametrize("word", ["", "none", "1", "all\0", "全" * 5_000])
def test_other_words_open_nothing(login: Login, word: str) -> None:
    answer = login("lin").get("/students/list/", query_string={"offer": word})
    assert answer.status_code == 200
    assert not panel(answer.text).startswith('<details class="pop filters" open')


def test_programs_have_no_such_word(login: Login) -> None:
    assert login("lin").get("/api/v1/students/?offer=all").status_code == 400
