"""Ten thousand grants in the history of one school slow no page: rights are one statement of a request that walks an index,
and lists of grants and people take as many statements as with a dozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.rights import Grant
from app.extensions import db
from bench import watch
from bench.site import planner
from tests import cast
from tests.accounts import role_id
from tests.cast import YIZHONG
from tests.client import Client
from tests.sites import PostgresSite, Site

Login = Callable[..., Client]
FEW, MANY = 40, 10_000
MOST_STATEMENTS = 30  # of a person's page, which asks of each of its buttons whether it may be pressed
STAFF = ("lin", "zhao", "zhou")
PUPIL = cast.pupil("欧阳若曦")
ENDED = "/grants/list/?state=ended"
OF_PUPILS = (
    "/students/list/",
    f"/students/show/{PUPIL}",
    f"/students/edit/{PUPIL}",
    "/api/v1/students/",
    f"/api/v1/students/{PUPIL}",
)
"""Each asks many times what the person may see and do."""
OF_PEOPLE = (
    "/",
    "/grants/list/",
    ENDED,
    "/grants/given/",
    "/grants/own/",
    "/people/list/",
    *(f"/people/show/{cast.person(name)}" for name in STAFF),
    "/roles/list/",
    "/api/v1/grants/",
    "/api/v1/people/",
    "/api/v1/roles/",
)


def add_history(app: Flask, site: Site, first: int, last: int) -> None:
    """Of ten grants seven were withdrawn, two have expired, one is held."""
    roles = {
        name: role_id(app, key) for name, key in zip(STAFF, ("clerk", "leader", "class_teacher"), strict=True)
    }
    now = datetime.now(UTC)
    with app.app_context():
        rows = [_grant(n, STAFF[n // 10 % len(STAFF)], roles, now) for n in range(first, last)]
        db.session.execute(sa.insert(Grant), rows)
        db.session.commit()
        db.session.remove()
    if isinstance(site, PostgresSite):
        site.server.run("ANALYZE role_grant", database=site.name)


def _grant(n: int, who: str, roles: dict[str, int], now: datetime) -> dict[str, Any]:
    began = now - timedelta(days=400, minutes=n)
    return {
        "person_id": cast.person(who),
        "role_id": roles[who],
        "school_id": cast.school(YIZHONG),
        "class_ids": [cast.class_of(YIZHONG, 7, 1 + n % 2)] if who == "zhou" else None,
        "usable": True,
        "passable": n % 20 == 0,
        "awaits": False,
        "giver_id": cast.person("li") if n % 4 else None,
        "starts_at": began,
        "until": began + timedelta(days=200) if n % 10 in (7, 8) else None,
        "withdrawn_at": began + timedelta(days=100) if n % 10 < 7 else None,
    }


@pytest.fixture
def grow(app: Flask, site: Site) -> Callable[[], None]:
    """Twice: to a few, then to many."""
    bounds = iter(((0, FEW), (FEW, MANY)))
    return lambda: add_history(app, site, *next(bounds))


def seen_on(site: Site, client: Client, path: str) -> list[watch.Statement]:
    with watch.statements(*site.engines()) as seen:
        assert client.get(path).status_code == 200, path
    return list(seen)


def of_rights(seen: list[watch.Statement]) -> list[watch.Statement]:
    """What was asked of grants."""
    return [one for one in seen if "role_grant" in one[0]]


def test_the_rights_of_a_request_are_one_statement_however_many_checks_and_grants(
    app: Flask, site: Site, login: Login, grow: Callable[[], None]
) -> None:
    lin = login("lin")
    before = {path: len(seen_on(site, lin, path)) for path in OF_PUPILS}
    grow()
    grow()
    for path in OF_PUPILS:
        seen = seen_on(site, lin, path)
        assert len(of_rights(seen)) == 1, path
        assert len(seen) == before[path], path


@pytest.fixture
def planned(site: Site) -> Iterator[Any]:
    """A connection that explains statements; None on SQLite."""
    if not isinstance(site, PostgresSite):
        yield None
        return
    connection = planner(site.server, site.name)
    yield connection
    connection.close()


def test_grants_are_found_by_an_index(
    app: Flask, site: Site, login: Login, grow: Callable[[], None], planned: Any
) -> None:
    """Those of a request, and those of every list but one: nine of ten grants have ended, which is most of the table."""
    lin, li = login("lin"), login("li")
    grow()
    grow()
    seen = [one for path in OF_PEOPLE if path != ENDED for one in seen_on(site, li, path)]
    statement, values = of_rights(seen_on(site, lin, "/students/list/"))[0]
    if planned is None:
        return
    plan = "\n".join(line for (line,) in planned.execute(f"EXPLAIN {statement}", values).fetchall())
    assert "ix_role_grant_person_id" in plan, plan
    assert watch.sequential_scans(planned, [(statement, values), *seen], "role_grant") == []


def test_lists_of_grants_and_people_take_a_fixed_number_of_statements(
    app: Flask, site: Site, login: Login, grow: Callable[[], None]
) -> None:
    li = login("li")
    grow()
    few = {path: len(seen_on(site, li, path)) for path in OF_PEOPLE}
    grow()
    many = {path: len(seen_on(site, li, path)) for path in OF_PEOPLE}
    assert many == few
    assert max(many.values()) <= MOST_STATEMENTS, many
