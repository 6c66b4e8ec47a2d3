"""Regions are everybody's to read; a bureau's admin writes those of its own range, by page and by REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.areas.regions.models import Region
from app.core import rights, saving, scope
from app.core.errors import Denied, Invalid
from tests import cast
from tests.cast import CITY, QINGLAN, SHIXI
from tests.client import Client

Acting = Callable[[str], Any]
Login = Callable[[str], Client]
REST = "/api/v1/regions/"
NOT_HERE = "您的授权范围不包括这条记录"


@pytest.fixture
def zones(session: Session, acting: Acting) -> dict[str, int]:
    """The ids of regions. The city and its counties are zones that a bureau has added itself."""
    with acting("system"):
        return dict(session.execute(sa.select(Region.code, Region.id)).all())


def names(session: Session, acting: Acting) -> dict[str, str]:
    session.rollback()
    with acting("system"):
        return dict(session.execute(sa.select(Region.code, Region.name)).all())


def test_a_county_renames_itself_and_not_its_neighbour(
    session: Session, acting: Acting, login: Login, zones: dict[str, int]
) -> None:
    he = login("he")
    typed = {"version": "1", "name": "改名县"}
    assert he.get(f"/regions/edit/{zones[SHIXI]}").status_code == 403
    refused = he.post(f"/regions/edit/{zones[SHIXI]}", data=typed)
    assert (refused.status_code, NOT_HERE in refused.text) == (403, True)
    refused = he.put(REST + str(zones[SHIXI]), json={"name": "改名县"}, headers={"If-Match": '"1"'})
    assert (refused.status_code, NOT_HERE in refused.json["message"]) == (403, True)
    assert he.post(f"/regions/edit/{zones[QINGLAN]}", data=typed).status_code == 302
    assert names(session, acting) | {SHIXI: "石溪县", QINGLAN: "改名县"} == names(session, acting)


def test_everybody_reads_all_regions(login: Login, zones: dict[str, int]) -> None:
    for username in ("he", "lin", "gao"):
        assert login(username).get(f"/regions/show/{zones[SHIXI]}").status_code == 200


def test_a_county_adds_nothing_elsewhere(session: Session, acting: Acting, login: Login) -> None:
    he, typed = login("he"), {"code": "110199", "name": "外地新区", "parent_code": "510000"}
    before = names(session, acting)
    page = he.post("/regions/add", data=typed | {"parent_code": CITY, "code": "519975"})
    assert (page.status_code, NOT_HERE in page.text, 'value="519975"' in page.text) == (422, True, True)
    assert he.post(REST, json=typed | {"code": "510199"}).status_code == 422
    assert names(session, acting) == before


def test_the_city_adds_a_zone_in_its_range(session: Session, acting: Acting, login: Login) -> None:
    made = login("ops").post(REST, json={"code": "519975", "name": "高新区", "parent_code": CITY})
    assert made.status_code == 201, made.text
    assert names(session, acting)["519975"] == "高新区"


def test_the_wall_itself_asks_where_a_region_is(session: Session, acting: Acting) -> None:
    """Past every form: a row added, and one moved out of the own range."""
    with acting("he"):
        session.add(Region(code="510199", name="外地新区", parent_code="510000"))
        with pytest.raises(Denied):
            session.flush()
        session.rollback()
        one = session.scalars(sa.select(Region).where(Region.code == QINGLAN)).one()
        one.code, one.parent_code = "510198", "510000"
        with pytest.raises(Denied):
            session.flush()


@pytest.mark.parametrize(
    ("code", "parent", "is_sound"),
    [
        ("519975", CITY, True),
        ("510075", "510000", True),
        ("519975", "510000", True),
        ("110199", CITY, False),
        ("519775", CITY, False),
        ("110075", "510000", False),
        (CITY, CITY, False),
        ("519975", QINGLAN, False),
    ],
)
def test_a_code_begins_as_the_code_above_it(
    session: Session, acting: Acting, code: str, parent: str, is_sound: bool
) -> None:
    words = {"code": code, "name": "新区", "parent_code": parent}
    with acting("system") as by:
        if is_sound:
            with saving.work():
                saving.create(Region, words, by)
            return
        with pytest.raises(Invalid) as refused, saving.work():
            saving.create(Region, words, by)
        assert "不在上级代码的范围内" in dict(refused.value.complaints)["code"]


def test_lists_and_decisions_of_who_writes_agree(app: Flask, session: Session, acting: Acting) -> None:
    for username in ("he", "ops", "lin", "chen"):
        with acting(username) as by:
            rows = list(session.scalars(sa.select(Region)))
            ids = [row.id for row in rows]
            for power in ("region:edit", "region:show", "region:name:see"):
                verb = power.partition(":")[2]
                decided = {row.id for row in rows if scope.may(session, by, verb, row)}
                assert scope.rows_with(session, by, power, Region, ids) == decided, (username, power)
    assert rights.may(cast.actor(session, "he"), "region:edit")
