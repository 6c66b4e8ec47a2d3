"""Every address as every person: the table of every_url.txt holds, and says something about every route."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.client import Client
from tests.flows import every_url, world
from tests.flows.every_url import PEOPLE, Row, read_row
from tests.sites import Site

ROWS = every_url.read_table()


@pytest.fixture
def ids(app: Flask) -> world.Ids:
    return world.furnish(app)


def test_every_route_has_its_rows_and_every_row_its_route(app: Flask, ids: world.Ids) -> None:
    assert list(every_url.faults(app, ROWS, ids)) == []


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_gets_what_the_table_says(site: Site, app: Flask, ids: world.Ids, person: str) -> None:
    rows = ROWS
    if site.kind == "postgres":  # whether a right is missing is decided before any row is asked for
        rows = [row for row in ROWS if row.letters[person] not in "LF"]
    client = every_url.enter(app, person)
    assert list(every_url.differences(client, person, rows, ids)) == []


def test_every_line_of_the_table_stands_for_one_question() -> None:
    asked = [str(row) for row in ROWS]
    assert sorted({one for one in asked if asked.count(one) > 1}) == []


def test_every_entity_is_out_of_scope_for_somebody_who_holds_the_right() -> None:
    """A table of ids that everybody sees would prove no wall."""
    from app.core.entity import registry

    walled = {f"/{e.__path__}/show/" for e in registry if e.__actions__ and e.__scope__ != "open"}
    refused = {row.address.partition("{")[0] for row in ROWS if every_url.people_who_get(row, "N")}
    assert walled - refused == set()


# --- the table notices --------------------------------------------------------------------------------


@pytest.fixture
def little() -> Flask:
    """An application of two routes, one of them with an id."""
    app = Flask("little", static_folder=None)
    app.add_url_rule("/visits/list/", "list", lambda: "")
    app.add_url_rule("/visits/show/<int:pk>", "show", lambda pk: "", methods=["GET", "POST"])
    return app


def told(app: Flask, *lines: str) -> Iterator[str]:
    rows = [read_row(f"{line}  L .... . .... . ... .", n) for n, line in enumerate(lines, 1)]
    return every_url.faults(app, rows, {"visits": {"ours": 1, "far": 2}})


def test_a_route_without_a_row_is_named_with_the_row_to_add(little: Flask) -> None:
    found = list(told(little, "GET /visits/list/", "GET /visits/show/{ours}", "GET /visits/show/{far}"))
    assert found == [
        "POST /visits/show/<int:pk> has no row: add to every_url.txt a line like"
        " “POST /visits/show/{ours}  ? ???? ? ???? ? ??? ?”"
    ]


def test_a_route_with_an_id_wants_more_than_one_row(little: Flask) -> None:
    found = list(told(little, "GET /visits/list/", "GET /visits/show/{ours}", "POST /visits/show/{ours}"))
    assert [sentence.partition(":pk>")[2].partition(":")[0] for sentence in found] == [
        " needs rows for an id in scope and one out of scope"
    ] * 2


def test_a_row_without_a_route_is_named(little: Flask) -> None:
    shown = [f"{method} /visits/show/{{{place}}}" for method in ("GET", "POST") for place in ("ours", "far")]
    found = list(told(little, "GET /visits/list/", *shown, "GET /visits/gone/", "POST /visits/list/"))
    assert found == [
        "line 6: there is no route for GET /visits/gone/; take the line out",
        "line 7: there is no route for POST /visits/list/; take the line out",
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("GET /visits/list/ L ....", "wants a letter for each"),
        ("GET / L .... . ...x . ... .", "stand for nothing"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_row(line)


# --- what the table does not spell out ----------------------------------------------------------------


def test_nobody_gets_in_by_another_method(app: Flask, ids: world.Ids, anonymous: Client) -> None:
    """HEAD asks what GET asks; OPTIONS tells nobody but who is logged in."""
    firsts: dict[str, Row] = {}
    for row in ROWS:
        rule = every_url.rule_of(app, row, ids)
        if rule is not None:
            firsts.setdefault(rule.rule, row)
    for row in firsts.values():
        path, is_open = row.path(ids), row.letters["anonymous"] != "L"
        asked = anonymous.open(path, method="OPTIONS")
        assert is_open or every_url.letter(asked) == "L", f"OPTIONS {path}"
        assert anonymous.open(path, method="PATCH").status_code == 405, f"PATCH {path}"
        if row.method == "GET" and not is_open:
            assert every_url.letter(anonymous.head(path)) == "L", f"HEAD {path}"


def test_another_site_sends_nothing_in_a_persons_name(app: Flask, ids: world.Ids) -> None:
    client = every_url.enter(app, "li")
    assert list(every_url.writes_without_token(client, "li", ROWS, ids)) == []


def test_refusals_are_sentences(app: Flask, ids: world.Ids) -> None:
    """A 403 names the right that is missing and who can give it; a 404 does not tell whether the row exists."""
    client = every_url.enter(app, "wang")
    for row in ROWS:
        if row.method == "GET" and row.letters["wang"] in "FN" and "static" not in row.address:
            answer = client.get(row.path(ids))
            text = answer.json["message"] if answer.is_json else answer.get_data(as_text=True)
            wanted = {"F": ("权限", "主管部门人员"), "N": ("没有找到",)}[row.letters["wang"]]
            assert any(words in text for words in wanted), row
            assert "请联系" in text or row.letters["wang"] == "N" or "/bureau/" in row.address, row
