"""Roles for programs: the same acts as on the pages, by the same functions."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.areas.people import granting, own_roles
from app.areas.people.page_models import read_cursor
from app.areas.people.rest_bodies import Body, only
from app.core import grants, powers, rights, saving
from app.core.errors import Stale
from app.core.grants import BUREAU, SCHOOL, RoleChange
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import openapi
from app.surfaces.listing import COUNT_CAP
from app.surfaces.openapi import ID, Operation, Spec
from app.surfaces.problems import as_json, problem
from app.surfaces.rest import version_named
from app.surfaces.security import current_actor

BASE = "/api/v1/roles"


# --- a role as JSON -----------------------------------------------------------------------------------


def as_row(role: Role, unit: str, held: int) -> dict[str, Any]:
    return {
        "id": role.id,
        "version": role.version,
        "label": role.label,
        "description": role.description,
        "level": role.level,
        "is_default": rights.is_default(role),
        "unit": unit,
        "template_id": role.template_id,
        "held": held,
    }


def as_given(session: Session, by: Actor, role: Role) -> dict[str, Any]:
    """With its rights and limits, and the powers of its template that it leaves out."""
    row = as_row(
        role,
        granting.unit_names(session, [role])[role.id],
        own_roles.held_times(session, by, [role.id])[role.id],
    )
    left_out = own_roles.left_out(session, role)
    more = {
        "rights": sorted(grants.rights_in_role(session, role)),
        "left_out": sorted(left_out) if left_out is not None else None,
    }
    return row | more


def as_plan(plan: RoleChange) -> dict[str, Any]:
    """What a change would do, and to whom."""
    return {
        "added": sorted(plan.added),
        "removed": sorted(plan.removed),
        "holders": [{"grant_id": g.id, "person": g.person.first_name} for g in plan.holders],
        "ended": [{"grant_id": g.id, "person": g.person.first_name} for g in plan.ended],
    }


# --- the routes ---------------------------------------------------------------------------------------


class RolesApi(BaseApi):
    """角色：查看、新建或复制、修改、删除；修改之前可先问有何影响。"""

    resource_name = "roles"
    allow_browser_login = True
    csrf_exempt = False

    @expose("/", methods=["GET"])
    def get_list(self) -> Response:
        session, by = db.session(), current_actor()
        rights.require(by, "role:list")
        only(request.args, ())
        page = own_roles.listed(
            session, by, read_cursor(request.args, "after"), read_cursor(request.args, "before")
        )
        found, count = page.found, own_roles.count(session, by, COUNT_CAP)
        units = granting.unit_names(session, found)
        held = own_roles.held_times(session, by, [role.id for role in found])
        return as_json(
            {
                "count": min(count, COUNT_CAP),
                "count_is_exact": count <= COUNT_CAP,
                "ids": [role.id for role in found],
                "result": [as_row(role, units[role.id], held[role.id]) for role in found],
                "previous": found[0].id if page.has_previous and found else None,
                "next": found[-1].id if page.has_next and found else None,
            }
        )

    @expose("/<int:pk>", methods=["GET"])
    def get(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, "role:show")
        return self._answer(own_roles.find(db.session(), by, pk))

    @expose("/", methods=["POST"])
    def post(self) -> Response:
        by = current_actor()
        rights.require(by, "role:add")
        body = Body("label", "description", "level", "template_id", "rights")
        typed = {name: body.text(name) for name in own_roles.WORDS}
        wanted, level, number = body.texts("rights"), body.text("level"), body.number("template_id")
        body.require_sound()
        own_roles.require_unit(by)
        template = own_roles.find_template(db.session(), by, number)
        with saving.work() as work:
            held = frozenset(wanted)
            if template is not None and not body.has("rights"):
                held = grants.rights_in_role(work.session, template)
            made = own_roles.make(work.session, by, typed, held, template, level)
        return self._answer(made, 201, {"Location": f"{BASE}/{made.id}"})

    @expose("/<int:pk>", methods=["PUT"])
    def put(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, "role:edit")
        role, version = own_roles.find(db.session(), by, pk), version_named()
        grants.require_own_role(db.session(), by, role, "edit")
        typed, wanted = self._change_sent(role)
        try:
            with saving.work() as work:
                found = own_roles.find(work.session, by, pk)
                own_roles.change(work.session, by, found, typed, wanted, version=version)
        except Stale as stale:
            return self._stale(stale, by, role)
        return self._answer(role)

    @expose("/<int:pk>/plan", methods=["POST"])
    def plan(self, pk: int) -> Response:
        """Writes nothing."""
        by = current_actor()
        rights.require(by, "role:edit")
        role = own_roles.find(db.session(), by, pk)
        grants.require_own_role(db.session(), by, role, "edit")
        typed, wanted = self._change_sent(role)
        return as_json(as_plan(own_roles.plan(db.session(), by, role, typed, wanted)))

    def _change_sent(self, role: Role) -> tuple[dict[str, str], frozenset[str]]:
        """Only what is sent is changed."""
        body = Body("label", "description", "rights")
        typed = {name: body.text(name, getattr(role, name)) for name in own_roles.WORDS}
        wanted = frozenset(body.texts("rights"))
        body.require_sound()
        return typed, wanted if body.has("rights") else grants.rights_in_role(db.session(), role)

    @expose("/<int:pk>", methods=["DELETE"])
    def delete(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, "role:delete")
        role, version = own_roles.find(db.session(), by, pk), version_named()
        try:
            with saving.work() as work:
                grants.delete_role(work.session, by, own_roles.find(work.session, by, pk), version=version)
        except Stale as stale:
            return self._stale(stale, by, role)
        return Response(status=204)

    def _answer(self, role: Role, code: int = 200, headers: dict[str, str] | None = None) -> Response:
        shown = as_given(db.session(), current_actor(), role)
        tag = {"ETag": f'"{role.version}"'}
        return as_json({"id": role.id, "result": shown}, code, tag | (headers or {}))

    def _stale(self, stale: Stale, by: Actor, role: Role) -> Response:
        current = as_given(db.session(), by, role)
        return problem(stale, headers={"ETag": f'"{role.version}"'}, current=current)

    # --- what it is like ---

    def add_api_spec(self, api_spec: Any) -> None:
        for name, schema in _schemas().items():
            api_spec.components.schema(name, schema)
        openapi.describe_by_hand(api_spec, BASE, _("角色"), _operations())


def _schemas() -> dict[str, Spec]:
    text: Spec = {"type": "string"}
    row: Spec = {
        "id": ID,
        "version": {"type": "integer"},
        "label": text | {"description": _("角色名称")},
        "description": text,
        "level": {"type": "string", "enum": [SCHOOL, BUREAU]},
        "is_default": {"type": "boolean", "description": _("系统的默认角色，不能修改")},
        "unit": text | {"description": _("单位；默认角色为空")},
        "template_id": {"type": "integer", "nullable": True, "description": _("来源角色")},
        "held": {"type": "integer", "description": _("未结束的授权")},
    }
    rights_: Spec = {"type": "array", "items": text, "description": _("权限与按项目的限制")}
    left_out: Spec = {
        "type": "array",
        "items": text,
        "nullable": True,
        "description": _("来源角色有、本角色没有的"),
    }
    words = {
        "label": text | {"maxLength": own_roles.LABEL.length},
        "description": text | {"maxLength": own_roles.DESCRIPTION.length},
    }
    known: Spec = {
        "type": "array",
        "items": {"type": "string", "enum": list(powers.all_rights())},
        "description": _("全部权限与限制，不是增减"),
    }
    new = words | {
        "level": row["level"],
        "template_id": ID | {"description": _("要复制的角色；不写rights的，与它相同")},
        "rights": known,
    }
    some: Spec = {
        "type": "array",
        "items": openapi.object_of({"grant_id": ID, "person": text}, required=("grant_id", "person")),
    }
    plan = {
        "added": rights_ | {"description": _("增加的")},
        "removed": rights_ | {"description": _("减少的")},
        "holders": some | {"description": _("担任这个角色的")},
        "ended": some | {"description": _("随之终止的转授")},
    }
    whole = row | {"rights": rights_, "left_out": left_out}
    return {
        "RoleRow": openapi.object_of(row, required=row),
        "Role": openapi.object_of(whole, required=whole),
        "RoleNew": openapi.object_of(new, required=("label",)),
        "RoleEdit": openapi.object_of(words | {"rights": known}),
        "RolePlan": openapi.object_of(plan, required=plan),
    }


def _operations() -> list[Operation]:
    one = openapi.object_of({"id": ID, "result": openapi.ref("schemas", "Role")}, required=("id", "result"))
    new, edit = openapi.ref("schemas", "RoleNew"), openapi.ref("schemas", "RoleEdit")
    return [
        Operation(
            "/",
            "get",
            "role_list",
            _("查询角色"),
            openapi.page_schema("Role"),
            parameters=tuple(openapi.paging()),
            codes=(422,),
        ),
        Operation(
            "/{pk}",
            "get",
            "role_show",
            _("查看一个角色"),
            one,
            parameters=("pk",),
            codes=(404,),
            has_etag=True,
        ),
        Operation("/", "post", "role_add", _("新建或复制角色"), one, 201, sent=new, has_etag=True),
        Operation(
            "/{pk}",
            "put",
            "role_edit",
            _("修改角色：只改提交的项目；不再有依据的转授随之终止"),
            one,
            parameters=("pk", "IfMatch"),
            sent=edit,
            codes=(404, 412, 428),
            has_etag=True,
        ),
        Operation(
            "/{pk}/plan",
            "post",
            "role_plan",
            _("修改会影响谁；不作任何改动"),
            openapi.ref("schemas", "RolePlan"),
            parameters=("pk",),
            sent=edit,
            codes=(404,),
        ),
        Operation(
            "/{pk}",
            "delete",
            "role_delete",
            _("删除从未授予过的角色"),
            None,
            204,
            parameters=("pk", "IfMatch"),
            codes=(404, 412, 422, 428),
        ),
    ]


APIS = (RolesApi,)
