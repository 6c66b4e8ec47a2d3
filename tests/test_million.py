"""With a million pupils on PostgreSQL, lists take few statements and never read the whole table of pupils."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from app.extensions import db
from bench import pages, site, watch
from bench.pages import Page
from tests import postgres

PUPILS = int(os.environ.get("XUEJI_MANY", "1000000"))
MOST_STATEMENTS = 10
NAME = f"million_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"

pytestmark = pytest.mark.xdist_group("million")  # one worker builds it, for all pages


@pytest.fixture(scope="module")
def many(postgres_server: postgres.Server) -> Iterator[tuple[Any, Any, psycopg.Connection[Any]]]:
    """(application, logged-in viewer of the province, connection that explains)."""
    app = site.build(postgres_server, NAME, PUPILS)
    planner = site.planner(postgres_server, NAME)
    yield app, site.log_in(app), planner
    planner.close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
        app.extensions["reading"].session_factory.kw["bind"].dispose()
    postgres_server.run(f"DROP DATABASE {NAME}")


@pytest.mark.postgres
@pytest.mark.parametrize("front", ["staff", "bureau"])
@pytest.mark.parametrize("page", pages.pages(PUPILS), ids=lambda page: page.name)
def test_a_list_of_a_million_walks_an_index_in_few_statements(many: Any, page: Page, front: str) -> None:
    app, viewer, planner = many
    path = page.path if front == "staff" else page.path.replace("/students/list/", "/bureau/students/")
    with app.app_context():
        engines = (db.engine, app.extensions["reading"].session_factory.kw["bind"])
    with watch.statements(*engines) as seen:
        answer = viewer.get(path)
    assert answer.status_code == 200
    assert "<tbody>" in answer.text, "the page shows rows"
    assert len(seen) <= MOST_STATEMENTS, [statement for statement, _values in seen]
    assert watch.sequential_scans(planner, seen, "student") == []
