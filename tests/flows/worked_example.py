"""Defines the README's entity, builds an application with it, and uses every surface. Run by test_worked_example."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu

PHONE = "14012345678"
TYPED = {
    "visitor": "王家长",
    "visited_on": "20261120",
    "reason": "家长会",
    "phone": PHONE,
    "is_guardian": "1",
}


def build(home: Path) -> Flask:
    """The application with the example among its entities, on a database of the models, with the cast."""
    from app import areas

    original = areas.load

    def load() -> None:
        original()
        __import__("visits")

    areas.load = load
    from app import create_app
    from app.extensions import db
    from tests import cast

    app = create_app(
        DATABASE_URL=f"sqlite:///{home / 'example.db'}",
        RATELIMIT_ENABLED=False,
        WTF_CSRF_ENABLED=False,
        TESTING=True,
    )
    with app.app_context():
        with db.engine.connect().execution_options(unguarded=True) as connection:
            Model.metadata.create_all(connection)
            connection.commit()
        cast.assemble(db.session())
        give_rights(db.session())
        db.session.commit()
        db.session.remove()
    return app


def give_rights(session: Any) -> None:
    """What one would add to seeds/roles.csv."""
    for role, actions in (
        ("clerk", ("list", "show", "add", "edit", "delete", "approval")),
        ("bureau_viewer", ("list", "show")),
    ):
        made = session.query(Role).filter_by(name=f"default:{role}").one()
        for action in actions:
            pair = (
                session.query(PermissionView)
                .join(Permission)
                .join(ViewMenu)
                .filter(Permission.name == f"can_{action}", ViewMenu.name == "visit")
                .one()
            )
            made.permissions.append(pair)
    session.flush()


def person(app: Flask, username: str) -> Any:
    from tests import cast

    client = app.test_client()
    answer = client.post("/login/", data={"username": username, "password": cast.PASSWORD})
    assert answer.status_code == 302, answer.status_code
    return client


def use(app: Flask) -> None:
    lin, wang, chen, zhao = (person(app, name) for name in ("lin", "wang", "chen", "zhao"))

    # form and add: complaints at their fields, then saved
    assert "来访日期" in lin.get("/visits/add").text
    refused = lin.post("/visits/add", data={"visitor": "", "visited_on": "昨天"})
    assert refused.status_code == 422
    assert "必填项“来访人”为空" in refused.text
    made = lin.post("/visits/add", data=TYPED)
    assert made.status_code == 302, made.text
    row = int(re.findall(r"/visits/show/(\d+)", made.headers["Location"])[0])

    # list, search, sort, mask, menu
    page = lin.get("/visits/list/?sort=-visited_on").text
    assert "王家长" in page
    assert "140****5678" in page
    assert PHONE not in page
    assert "来访登记" in page
    assert "王家长" in lin.get("/visits/list/?q=家长").text
    assert lin.get("/visits/list/?sort=reason").status_code == 400

    # detail with its time-line; edit; what is private to a right
    shown = lin.get(f"/visits/show/{row}").text
    assert "2026-11-20" in shown
    assert "时间线" in shown
    assert "审批意见" in shown
    assert lin.post(f"/visits/edit/{row}", data={"version": 1, "reason": "送材料"}).status_code == 302
    assert lin.post(f"/visits/edit/{row}", data={"version": 1, "reason": "又改"}).status_code == 409
    shown = lin.get(f"/visits/show/{row}").text
    assert "家长会" in shown, "the time-line shows the value before"
    assert "送材料" in shown

    # scope and rights
    assert wang.get(f"/visits/show/{row}").status_code == 404
    assert "王家长" not in wang.get("/visits/list/").text
    assert zhao.get("/visits/list/").status_code == 403

    # REST and OpenAPI
    one = lin.get(f"/api/v1/visits/{row}")
    assert one.json["result"]["phone"] == "140****5678"
    assert one.headers["ETag"] == '"2"'
    put = lin.put(f"/api/v1/visits/{row}", json={"reason": "领书"}, headers={"If-Match": '"2"'})
    assert put.status_code == 200, put.text
    assert (
        lin.put(f"/api/v1/visits/{row}", json={"reason": "x"}, headers={"If-Match": '"2"'}).status_code == 412
    )
    document = lin.get("/api/v1/_openapi").json
    assert "/api/v1/visits/" in str(document["paths"].keys())

    # the bureau sees it, without what is private, and cannot change it
    assert "王家长" in chen.get("/bureau/visits/").text
    seen = chen.get(f"/bureau/visits/show/{row}").text
    assert "领书" in seen
    assert "审批意见" not in seen
    assert chen.post(f"/visits/edit/{row}", data={"version": 3, "reason": "x"}).status_code == 403

    # delete after a second question; the audit has all of it
    assert "确认删除来访登记" in lin.get(f"/visits/delete/{row}").text
    assert lin.post(f"/visits/delete/{row}", data={"version": 3}).status_code == 302
    assert lin.get(f"/visits/show/{row}").status_code == 404
    log = lin.get("/audit/list/").text
    assert log.count("来访登记") >= 4


ROWS = """
GET    /visits/list/                L .FFF F F.FF . .FF F
GET    /visits/show/{ours}          L .FFF F F.FF N NFF F
GET    /visits/show/{far}           L NFFF F FNFF N .FF F
GET    /visits/add                  L FFFF F F.FF . .FF F
POST   /visits/add                  L FFFF F FVFF V VFF F
GET    /visits/edit/{ours}          L FFFF F F.FF N NFF F
POST   /visits/edit/{ours}          L FFFF F FVFF N NFF F
GET    /visits/edit/{far}           L FFFF F FNFF N .FF F
POST   /visits/edit/{far}           L FFFF F FNFF N VFF F
GET    /visits/delete/{ours}        L FFFF F F.FF N NFF F
POST   /visits/delete/{ours}        L FFFF F FVFF N NFF F
GET    /visits/delete/{far}         L FFFF F FNFF N .FF F
POST   /visits/delete/{far}         L FFFF F FNFF N VFF F
GET    /api/v1/visits/              L .FFF F F.FF . .FF F
GET    /api/v1/visits/_info         L .FFF F F.FF . .FF F
POST   /api/v1/visits/              L FFFF F FVFF V VFF F
GET    /api/v1/visits/{ours}        L .FFF F F.FF N NFF F
GET    /api/v1/visits/{far}         L NFFF F FNFF N .FF F
PUT    /api/v1/visits/{ours}        L FFFF F FPFF N NFF F
PUT    /api/v1/visits/{far}         L FFFF F FNFF N PFF F
DELETE /api/v1/visits/{ours}        L FFFF F FPFF N NFF F
DELETE /api/v1/visits/{far}         L FFFF F FNFF N PFF F
GET    /bureau/visits/              L .FFF F FFFF F FFF F
GET    /bureau/visits/show/{ours}   L .FFF F FFFF F FFF F
GET    /bureau/visits/show/{far}    L NFFF F FFFF F FFF F
"""
"""What one would add to every_url.txt."""


def cover(app: Flask) -> None:
    """The table of every address and every person names each new route, and holds once it has its rows."""
    from tests.flows import every_url, world

    ids = world.furnish(app)
    ids["visits"] = {place: register(app, name) for place, name in (("ours", "lin"), ("far", "gao"))}
    known = every_url.read_table()
    new = {(rule.rule, method) for rule, method in every_url.routes(app) if "/visits/" in rule.rule}
    told = list(every_url.faults(app, known, ids))
    assert len(told) == len(new) > 15, told
    for rule, method in new:
        assert any(sentence.startswith(f"{method} {rule} has no row") for sentence in told), rule
    rows = [every_url.read_row(line) for line in ROWS.strip().splitlines()]
    assert list(every_url.faults(app, [*known, *rows], ids)) == []
    for name in every_url.PEOPLE:
        assert list(every_url.differences(every_url.enter(app, name), name, rows, ids)) == []


def register(app: Flask, username: str) -> int:
    made = person(app, username).post("/api/v1/visits/", json=TYPED)
    assert made.status_code == 201, made.text
    return int(made.json["id"])


if __name__ == "__main__":
    built = build(Path(sys.argv[1]))
    use(built)
    cover(built)
    print("every surface holds")
