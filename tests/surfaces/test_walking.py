"""Save and next: through a list in its order, with its conditions, to its end and back to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.areas.students.models import Student
from app.core import scope
from app.core.entity import registry
from app.extensions import db
from tests import cast
from tests.client import Client
from tests.forms import opened

Login = Callable[[str], Client]
CLASS = cast.class_of(cast.YIZHONG, 7, 1)


def rows_of(person: Client, url: str) -> list[str]:
    """Addresses of the rows of a list, in its order."""
    found = re.findall(r'<th scope="row"[^>]*><a href="(/students/show/[^"]+)"', person.get(url).text)
    return [unescape(one) for one in found]


def id_in(url: str) -> int:
    return int(re.search(r"/(\d+)(?:\?|$)", url)[1])  # type: ignore[index]


def save(person: Client, url: str, **typed: str) -> Any:
    return person.post(url, data=opened(person, url).values | typed)


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"?class_id={CLASS}",
        f"?class_id={CLASS}&sort=-name",
        "?sort=verification",
        "?q=%E7%8E%8B",
        "?size=20",
    ],
)
def test_the_way_leads_through_the_whole_list_in_its_order(login: Login, query: str) -> None:
    lin = login("lin")
    rows = rows_of(lin, f"/students/list/{query}")
    assert len(rows) > 1
    url, seen = rows[0].replace("show", "edit"), []
    for _row in rows:
        seen.append(id_in(url))
        answer = save(lin, url, then="next")
        assert answer.status_code == 302, answer.text
        url = answer.location
    assert seen == [id_in(row) for row in rows]
    assert url == f"/students/list/{query}"
    assert "这是列表中的最后一条，已回到列表。" in lin.get(url).text


def test_the_next_is_found_before_the_row_moves_away(login: Login, session: Session) -> None:
    """What is saved may take the row out of its own list."""
    lin = login("lin")
    rows = rows_of(lin, "/students/list/?boarding=1")
    answer = save(lin, rows[0].replace("show", "edit"), boarding="2", then="next")
    assert id_in(answer.location) == id_in(rows[1])


def test_saving_alone_stays_with_the_row_and_knows_the_list(login: Login) -> None:
    lin = login("lin")
    row = rows_of(lin, f"/students/list/?class_id={CLASS}")[0]
    answer = save(lin, row.replace("show", "edit"))
    assert answer.location == row
    page = lin.get(row).text
    assert f'href="/students/list/?class_id={CLASS}"' in page, "the way back"
    assert row.replace("show", "edit").replace("&", "&amp;") in page


def test_the_row_beside_is_a_link_away(login: Login) -> None:
    lin = login("lin")
    first, second, *_rest, last = rows_of(lin, f"/students/list/?class_id={CLASS}")
    assert 'rel="prev"' not in lin.get(first).text
    assert 'rel="next"' not in lin.get(last).text
    beside = dict(re.findall(r'rel="(prev|next)" href="([^"]+)"', lin.get(second).text))
    assert unescape(beside["prev"]) == first


def test_where_one_was_in_the_list_is_where_one_comes_back(login: Login) -> None:
    lin = login("lin")
    everyone = rows_of(lin, "/students/list/")
    after = f"/students/list/?after={id_in(everyone[2])}"
    last = rows_of(lin, after)[-1]
    assert save(lin, last.replace("show", "edit"), then="next").location == after


def test_no_number_that_was_searched_for_is_in_the_address_of_a_row(login: Login, session: Session) -> None:
    lin = login("lin")
    scope.set_actor(session, cast.actor(session, "lin"))
    number = session.get_one(Student, cast.pupil("欧阳若曦")).id_number
    found = lin.post("/search/students", data={"q": number})
    assert number not in found.location
    assert number not in lin.get(found.location).text
    for row in rows_of(lin, found.location):
        assert set(dict(parse_qsl(parse_qs(urlsplit(row).query)["in"][0]))) == {"found"}


@pytest.mark.parametrize(
    "junk", ["id_number=1", "x=1", "sort=phone", "after=x", "%00", "q=" + "x" * 99, "in=in"]
)
def test_an_address_that_asks_for_what_it_may_not_leads_through_the_whole_list(
    login: Login, junk: str
) -> None:
    lin = login("lin")
    first, second = rows_of(lin, "/students/list/")[:2]
    url = f"/students/edit/{id_in(first)}?in={junk.replace('=', '%3D')}"
    assert id_in(save(lin, url, then="next").location) == id_in(second)


def test_a_refused_form_keeps_the_list_in_its_address(login: Login) -> None:
    lin = login("lin")
    url = rows_of(lin, f"/students/list/?class_id={CLASS}")[0].replace("show", "edit")
    answer = save(lin, url, then="next", post_code="1")
    assert answer.status_code == 422
    assert 'action=""' in answer.text


def test_the_next_is_one_statement_from_where_one_is(app: Flask, login: Login) -> None:
    lin = login("lin")
    url = rows_of(lin, f"/students/list/?class_id={CLASS}")[0].replace("show", "edit")
    values = opened(lin, url).values

    def asked(**words: str) -> list[str]:
        said: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if "FROM student" in statement and "LIMIT" in statement:
                said.append(statement)

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            assert lin.post(url, data=values | words).status_code == 302
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        return said

    (one,) = [s for s in asked(then="next") if ") > (" in s]
    assert "student.name," not in one, "ids, not rows"


def test_every_entity_with_a_list_and_a_form_has_the_way(login: Login) -> None:
    assert {"student", "grade", "school_class"} <= {
        one.key() for one in registry if {"list", "edit"} <= set(one.__actions__) and one.__path__
    }
    assert "保存并下一个" in login("lin").get(f"/classes/edit/{CLASS}").text
