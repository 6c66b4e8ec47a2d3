"""Grants for programs: the same acts as on the pages, by the same functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import request
from flask_appbuilder.api import BaseApi, expose
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.areas.people import accounts, grant_finding, granting
from app.areas.people.accounts import home_of
from app.areas.people.grant_finding import STATES, State, Whose, read_asked, state_of
from app.areas.people.page_models import read_cursor
from app.areas.people.rest_bodies import Body
from app.core import grants, rights, saving
from app.core.errors import Invalid, Missing
from app.core.fields import HERE, Day
from app.core.rights import Actor, Grant
from app.core.wording import listed
from app.extensions import db
from app.surfaces import openapi
from app.surfaces.listing import COUNT_CAP
from app.surfaces.openapi import ID, Operation, Spec
from app.surfaces.problems import as_json
from app.surfaces.security import current_actor

BASE = "/api/v1/grants"
STARTS_ON = Day(label="开始日期", name="starts_on")
UNTIL = Day(label="截止日期", name="until")


# --- a grant as JSON ----------------------------------------------------------------------------------


def as_row(given: Grant, where: Mapping[int, str]) -> dict[str, Any]:
    until = granting.last_day(given.until)
    return {
        "id": given.id,
        "person_id": given.person_id,
        "person": given.person.first_name,
        "role_id": given.role_id,
        "role": given.role.label,
        "where": where[given.id],
        "school_id": given.school_id,
        "region_code": given.region_code,
        "grade_ids": given.grade_ids or [],
        "class_ids": given.class_ids or [],
        "usable": given.usable,
        "passable": given.passable,
        "starts_on": given.starts_at.astimezone(HERE).date().isoformat(),
        "until": until.isoformat() if until else None,
        "giver_id": given.giver_id,
        "giver": given.giver.first_name if given.giver is not None else None,
        "under_id": given.under_id,
        "state": state_of(given, datetime.now(UTC)),
        "refused_because": given.refused_because,
    }


def as_given(session: Session, given: Grant) -> dict[str, Any]:
    """With all that was passed on under it and still counts, nearest first; `under_id` says the tree."""
    tree = grants.passed_on(session, given)
    where = granting.wheres(session, [given, *tree])
    return as_row(given, where) | {"passed_on": [as_row(one, where) for one in tree]}


# --- the routes ---------------------------------------------------------------------------------------


class GrantsApi(BaseApi):
    """授权：查看、授予、改截止日期、收回；主管部门确认或不予确认学校的主管学籍领导。"""

    resource_name = "grants"
    allow_browser_login = True
    csrf_exempt = False

    @expose("/", methods=["GET"])
    def get_list(self) -> Response:
        return self._list(Whose.PLACE, "grant:list")

    @expose("/given", methods=["GET"])
    def given(self) -> Response:
        return self._list(Whose.GIVEN)

    @expose("/own", methods=["GET"])
    def own(self) -> Response:
        return self._list(Whose.OWN)

    @expose("/waiting", methods=["GET"])
    def waiting(self) -> Response:
        return self._list(Whose.WAITING, "grant:confirm")

    def _list(self, whose: Whose, right: str = "") -> Response:
        session, by = db.session(), current_actor()
        if right:
            rights.require(by, right)
        asked = read_asked(whose, request.args)
        page = grant_finding.listed(
            session, by, asked, read_cursor(request.args, "after"), read_cursor(request.args, "before")
        )
        found, count = page.found, grant_finding.count(session, by, asked, COUNT_CAP)
        where = granting.wheres(session, found)
        return as_json(
            {
                "count": min(count, COUNT_CAP),
                "count_is_exact": count <= COUNT_CAP,
                "ids": [given.id for given in found],
                "result": [as_row(given, where) for given in found],
                "previous": found[0].id if page.has_previous and found else None,
                "next": found[-1].id if page.has_next and found else None,
            }
        )

    @expose("/<int:pk>", methods=["GET"])
    def get(self, pk: int) -> Response:
        return self._answer(grant_finding.find(db.session(), current_actor(), pk))

    @expose("/", methods=["POST"])
    def post(self) -> Response:
        by = current_actor()
        rights.require(by, "grant:add")
        made = Giving(by).give()
        return self._answer(made, 201, {"Location": f"{BASE}/{made.id}"})

    @expose("/<int:pk>/renew", methods=["POST"])
    def renew(self, pk: int) -> Response:
        by = current_actor()
        grant_finding.find_held(db.session(), by, pk)
        body = Body("until")
        until = body.day(UNTIL)
        body.require_sound()
        with saving.work() as work:
            old = grant_finding.find_held(work.session, by, pk)
            made = granting.renew(work.session, by, old, granting.end_of(until))
        return self._answer(made, 201, {"Location": f"{BASE}/{made.id}"})

    @expose("/<int:pk>/withdraw", methods=["POST"])
    def withdraw(self, pk: int) -> Response:
        by = current_actor()
        grant_finding.find_held(db.session(), by, pk)
        Body().require_sound()
        with saving.work() as work:
            ended = grants.withdraw(work.session, by, grant_finding.find_held(work.session, by, pk))
        return as_json({"ended": [given.id for given in ended]})

    @expose("/<int:pk>/confirm", methods=["POST"])
    def confirm(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, "grant:confirm")
        grant_finding.find_held(db.session(), by, pk)
        Body().require_sound()
        with saving.work() as work:
            given = grant_finding.find_held(work.session, by, pk)
            grants.confirm(work.session, by, given)
        return self._answer(given)

    @expose("/<int:pk>/refuse", methods=["POST"])
    def refuse(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, "grant:confirm")
        grant_finding.find_held(db.session(), by, pk)
        body = Body("reason")
        reason = body.text("reason").strip()
        body.require_sound()
        with saving.work() as work:
            given = grant_finding.find_held(work.session, by, pk)
            granting.refuse(work.session, by, given, reason)
        return self._answer(given)

    def _answer(self, given: Grant, code: int = 200, headers: dict[str, str] | None = None) -> Response:
        shown = as_given(db.session(), given)
        answer = as_json({"id": given.id, "result": shown}, code, headers or {})
        answer.add_etag()
        return answer

    # --- what it is like ---

    def add_api_spec(self, api_spec: Any) -> None:
        for name, schema in _schemas().items():
            api_spec.components.schema(name, schema)
        openapi.describe_by_hand(api_spec, BASE, _("授权"), _operations())


class Giving:
    """One role to one person, as the body says."""

    NAMES = ("person_id", "role_id", "school_id", "region_code", "grade_ids", "class_ids")

    def __init__(self, by: Actor) -> None:
        self.by = by
        self.body = Body(*self.NAMES, "usable", "passable", "starts_on", "until")

    def give(self) -> Grant:
        body = self.body
        person_id, role_id, school_id = (body.number(name) for name in ("person_id", "role_id", "school_id"))
        region, grades, classes = (
            body.text("region_code"),
            body.numbers("grade_ids"),
            body.numbers("class_ids"),
        )
        usable, passable = body.flag("usable", True), body.flag("passable", False)
        starts_on, until = body.day(STARTS_ON), body.day(UNTIL)
        for name, value in (("person_id", person_id), ("role_id", role_id)):
            if value is None and name not in dict(body.complaints):
                body.complaints.append((name, _("必填项“%(label)s”为空。请填写后再保存。", label=name)))
        body.require_sound()
        with saving.work() as work:
            taker = self._taker(work.session, person_id or 0)
            home = home_of(taker)
            role = granting.chosen(granting.roles_to_give(work.session, self.by, home), role_id)
            assert role is not None  # a number was sent, and one that is not offered is refused
            extent = granting.extent_for(
                work.session, home, grades, classes, school_id=school_id, region_code=region or None
            )
            return granting.give(
                work.session,
                self.by,
                taker,
                role,
                extent,
                granting.end_of(until),
                usable=usable,
                passable=passable,
                starts_at=granting.start_of(starts_on),
            )

    def _taker(self, session: Session, person_id: int) -> Any:
        try:
            return accounts.find(session, self.by, person_id, lock=True)
        except Missing:
            raise Invalid([("person_id", _("没有这名人员，或不在您的管理范围内。请核对编号。"))]) from None


def _schemas() -> dict[str, Spec]:
    text: Spec = {"type": "string"}
    number: Spec = {"type": "integer", "nullable": True}
    maybe = text | {"nullable": True}
    day = {"type": "string", "format": "date"}
    ids: Spec = {"type": "array", "items": ID}
    states = listed(f"{state} {_(label)}" for state, label in STATES.items())
    row: Spec = {
        "id": ID,
        "person_id": ID,
        "person": text,
        "role_id": ID,
        "role": text,
        "where": text | {"description": _("范围，供人阅读")},
        "school_id": number,
        "region_code": maybe,
        "grade_ids": ids,
        "class_ids": ids,
        "usable": {"type": "boolean", "description": _("本人可以使用")},
        "passable": {"type": "boolean", "description": _("可以转授给他人")},
        "starts_on": day,
        "until": day | {"nullable": True, "description": _("到这一天为止；空为长期")},
        "giver_id": number,
        "giver": maybe,
        "under_id": number | {"description": _("由哪项授权转授而来")},
        "state": {"type": "string", "enum": [str(state) for state in State], "description": states},
        "refused_because": maybe | {"description": _("主管部门不予确认的理由")},
    }
    whole = row | {"passed_on": {"type": "array", "items": openapi.ref("schemas", "GrantRow")}}
    new = {
        "person_id": ID,
        "role_id": ID,
        "school_id": ID | {"description": _("以本校为中心校的另一学校")},
        "region_code": text | {"maxLength": 6},
        "grade_ids": ids,
        "class_ids": ids,
        "usable": {"type": "boolean", "default": True},
        "passable": {"type": "boolean", "default": False},
        "starts_on": day,
        "until": day,
    }
    return {
        "GrantRow": openapi.object_of(row, required=row),
        "Grant": openapi.object_of(whole, required=whole),
        "GrantNew": openapi.object_of(new, required=("person_id", "role_id")),
    }


def _operations() -> list[Operation]:
    one = openapi.object_of({"id": ID, "result": openapi.ref("schemas", "Grant")}, required=("id", "result"))
    page, nothing = openapi.page_schema("Grant"), openapi.object_of({})
    states: Spec = {"type": "string", "enum": [str(state) for state in State]}
    asked = (
        openapi.query("person", ID, _("人员")),
        openapi.query("role", ID, _("角色")),
        openapi.query("state", states, _("状态；不写为全部未结束的")),
        *openapi.paging(),
    )
    lists = {
        "/": _("查询授权"),
        "/given": _("我给出的授权"),
        "/own": _("我的授权"),
        "/waiting": _("待我确认的主管学籍领导"),
    }
    reason = openapi.object_of(
        {"reason": {"type": "string", "maxLength": granting.MOST_REASON}}, required=("reason",)
    )
    until = openapi.object_of({"until": {"type": "string", "format": "date", "nullable": True}})
    ended = openapi.object_of({"ended": {"type": "array", "items": ID}}, required=("ended",))
    return [
        *(
            Operation(
                path, "get", f"grant_list{path.replace('/', '_')}", said, page, parameters=asked, codes=(422,)
            )
            for path, said in lists.items()
        ),
        Operation(
            "/{pk}",
            "get",
            "grant_show",
            _("查看一项授权和由它转授的"),
            one,
            parameters=("pk",),
            codes=(404,),
            has_etag=True,
        ),
        Operation(
            "/",
            "post",
            "grant_add",
            _("授权"),
            one,
            201,
            sent=openapi.ref("schemas", "GrantNew"),
            has_etag=True,
        ),
        *(
            Operation(
                f"/{{pk}}/{verb}", "post", f"grant_{verb}", said, schema, code, ("pk",), sent, (404,), tag
            )
            for verb, said, schema, code, sent, tag in (
                ("renew", _("改截止日期：同一人、同一角色和范围的新授权"), one, 201, until, True),
                ("withdraw", _("收回授权，连同由它转授的"), ended, 200, nothing, False),
                ("confirm", _("确认主管学籍领导"), one, 200, nothing, True),
                ("refuse", _("不予确认"), one, 200, reason, True),
            )
        ),
    ]


APIS = (GrantsApi,)
