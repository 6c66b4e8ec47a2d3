"""A list as people work with it all day: tabs that count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.areas.students.models import Student
from app.core import scope
from app.core.entity import registry
from app.surfaces import listing, worklist
from app.surfaces.listing import Listing
from app.surfaces.site import Site
from app.surfaces.viewmodels import ListPage
from tests import cast
from tests.client import Client

Login = Callable[[str], Client]


@pytest.fixture(autouse=True)
def in_a_request(app: Flask, session: Session) -> Iterator[None]:
    """What a page reveals is kept in the request's cookie."""
    with app.test_request_context():
        yield


def shown(session: Session, username: str, entity: Any = Student, **args: str) -> ListPage:
    by = cast.actor(session, username)
    scope.set_actor(session, by)
    return worklist.page(Listing(entity, Site(by, session), args))


# --- tabs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [{}, {"q": "子"}, {"gender": "1"}], ids=str)
@pytest.mark.parametrize("username", ["lin", "zhou", "wang", "chen"])
def test_every_tab_counts_the_list_that_it_opens(
    session: Session, username: str, words: dict[str, str]
) -> None:
    page = shown(session, username, **words)
    assert page.tabs[0].active
    codes = [re.search(r"status=(\w+)", tab.url) for tab in page.tabs]
    for tab, code in zip(page.tabs, codes, strict=True):
        opened = shown(session, username, **words, **({"status": code[1]} if code else {}))
        assert opened.count == listing.count_text(int(tab.count))
        assert [t.label for t in opened.tabs if t.active] == [tab.label]
        assert [t.count for t in opened.tabs] == [t.count for t in page.tabs]


def test_tabs_name_no_status_that_nobody_has(session: Session) -> None:
    assert "死亡" not in [tab.label for tab in shown(session, "lin").tabs]
    assert "死亡" in [tab.label for tab in shown(session, "lin", status="dead").tabs]


def test_counts_of_tabs_stop_at_the_cap(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_CAP", 3)
    assert {"3+"} <= {tab.count for tab in shown(session, "lin").tabs}


def test_above_one_authority_tabs_carry_no_figures(session: Session) -> None:
    tabs = shown(session, "cheng").tabs
    assert [tab.label for tab in tabs][:3] == ["全部", "待核准", "在校"]
    assert {tab.count for tab in tabs} == {""}


def test_tabs_are_counted_in_one_statement(session: Session) -> None:
    by = cast.actor(session, "lin")
    scope.set_actor(session, by)
    one = Listing(Student, Site(by, session), {})
    one.page()
    seen: list[str] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda c, cur, text, *rest: seen.append(text))
    assert list(worklist._tabs(one))
    assert len(seen) == 1


def test_who_does_not_see_the_status_gets_no_tabs(login: Login, limit: Callable[..., None]) -> None:
    assert '<nav class="tabs"' in login("lin").get("/students/list/").text
    limit("lin", "clerk", "student:status:hide")
    assert '<nav class="tabs"' not in login("lin").get("/students/list/").text


def test_what_names_no_field_for_tabs_has_none(session: Session) -> None:
    assert shown(session, "lin", registry["school_class"]).tabs == []


def test_the_bureaus_site_has_the_same_tabs(login: Login) -> None:
    page = login("chen").get("/bureau/students/?status=enrolled").text
    tabs = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert tabs
    assert re.search(r'href="/bureau/students/\?status=enrolled" aria-current="page"', tabs[0])
