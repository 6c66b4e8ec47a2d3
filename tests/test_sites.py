"""What stands between two tests: a gate that no window passes, and a database as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from app.areas.regions.models import Region
from app.core import rights, scope
from app.extensions import db
from tests.photos import give_photo
from tests.sites import Gate, PostgresSite, Pristine, Site


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.has_come, self.may_go = threading.Event(), threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self.has_come.set()
        self.may_go.wait(10)
        return Response(Request(environ).path)(environ, start_response)


def test_a_window_of_an_earlier_test_is_not_let_in() -> None:
    gate = Gate(Response("in"))  # type: ignore[arg-type]
    early, without = Client(gate), Client(gate)
    early.set_cookie(Gate.COOKIE, str(gate.test))
    assert early.get("/").status_code == 200
    with gate.closed():
        pass
    assert early.get("/").status_code == 503
    assert without.get("/").status_code == 200


def test_the_gate_closes_when_the_last_is_out() -> None:
    slow = Slow()
    gate = Gate(slow)  # type: ignore[arg-type]
    answers: list[int] = []
    visit = threading.Thread(target=lambda: answers.append(Client(gate).get("/").status_code))
    visit.start()
    assert slow.has_come.wait(10)
    threading.Timer(0.05, slow.may_go.set).start()
    with gate.closed():
        assert gate.inside == 0
        assert slow.may_go.is_set()
    visit.join(10)
    assert answers == [200]


def test_what_a_test_wrote_is_gone_for_the_next(app: Flask, site: Site) -> None:
    give_photo(app, "欧阳若曦")
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        county = db.session.scalars(sa.select(Region).where(Region.code == "519921")).one()
        county.name = "别的县"
        db.session.commit()
        left_open = db.engine.connect()
        left_open.execute(sa.select(Region.code).with_for_update())
    assert {"student", "evidence_file", "audit_entry", "region"} <= site.written
    assert not site.is_written, "each statement named its table"
    site.refresh()
    left_open.invalidate()
    left_open.close()
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        names = db.session.scalars(sa.select(Region.name).where(Region.code == "519921")).all()
        db.session.remove()
    assert names == ["青岚县"]
    if isinstance(site, PostgresSite):
        assert site.pristine is not None
        with site.server.connect(site.name) as connection:
            now = Pristine(connection)
        assert now.sequences == site.pristine.sequences
        assert {table for table, rows in now.rows.items() if rows != site.pristine.rows[table]} == set()
