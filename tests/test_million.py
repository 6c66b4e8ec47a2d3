"""With a million pupils on PostgreSQL, lists take few statements and never read the whole table of pupils."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from app.areas.students.models import Student
from app.core import list_views, saving
from app.extensions import db
from app.surfaces.listing import choosable
from app.surfaces.view_pages import MOST_COLUMNS
from bench import pages, site, watch
from bench.pages import Page
from tests import cast, postgres

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


@pytest.fixture
def comfortable(many: Any) -> Iterator[int]:
    """The viewer with every comfort: as many columns as may be chosen, the photo and a sum among them, two hundred rows a
    page, views own and shared; gives the id of one that has columns of its own."""
    app, _viewer, _planner = many
    distance = Student.fields()["distance_km"]
    object.__setattr__(distance, "sums", True)
    with app.app_context():
        by = cast.actor(db.session(), site.VIEWER)
        columns = list(dict.fromkeys(("photo_id", "distance_km", "school_id", *choosable(Student, by))))[
            :MOST_COLUMNS
        ]
        with saving.work() as work:
            list_views.prefer(work.session, by, "student", columns=columns, size=200, is_dense=True)
            for n in range(10):
                made = list_views.save(
                    work.session, by, "student", f"视图{n}", (("gender", "2"),), columns, is_shared=n > 5
                )
        view_id = made.id
        db.session.remove()
    yield view_id
    object.__setattr__(distance, "sums", False)
    with app.app_context():
        with saving.work() as work:
            work.session.execute(sa.delete(list_views.SavedView))
            work.session.execute(sa.delete(list_views.ListPreference))
        db.session.remove()


def ask(many: Any, path: str, front: str) -> tuple[str, list[watch.Statement]]:
    """The page, and the statements that it took."""
    app, viewer, _planner = many
    if front == "bureau":
        path = path.replace("/students/list/", "/bureau/students/")
    with app.app_context():
        engines = (db.engine, app.extensions["reading"].session_factory.kw["bind"])
    with watch.statements(*engines) as seen:
        answer = viewer.get(path)
    assert answer.status_code == 200
    assert "<tbody>" in answer.text, "the page shows rows"
    return answer.text, seen


@pytest.mark.postgres
@pytest.mark.parametrize("front", ["staff", "bureau"])
@pytest.mark.parametrize("page", pages.pages(PUPILS), ids=lambda page: page.name)
def test_a_list_of_a_million_walks_an_index_in_few_statements(many: Any, page: Page, front: str) -> None:
    _text, seen = ask(many, page.path, front)
    assert len(seen) <= MOST_STATEMENTS, [statement for statement, _values in seen]
    assert watch.sequential_scans(many[2], seen, "student") == []


@pytest.mark.postgres
@pytest.mark.parametrize("front", ["staff", "bureau"])
@pytest.mark.parametrize("page", pages.pages(PUPILS), ids=lambda page: page.name)
def test_with_every_comfort_it_takes_no_more(many: Any, comfortable: int, page: Page, front: str) -> None:
    text, seen = ask(many, f"{page.path}{'&' if '?' in page.path else '?'}view={comfortable}", front)
    for comfort in ("照片", "is-dense", "上下学距离（公里）合计", "视图9</a>"):
        assert comfort in text
    assert len(seen) <= MOST_STATEMENTS, [statement for statement, _values in seen]
    assert watch.sequential_scans(many[2], seen, "student") == []
