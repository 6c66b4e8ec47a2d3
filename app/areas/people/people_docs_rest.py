"""What the API of people is like, told to programs."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from flask_babel import gettext as _

from app.areas.people.directory import ORDERS, State
from app.surfaces.openapi import (
    ID,
    Operation,
    Spec,
    describe_by_hand,
    object_of,
    page_schema,
    paging,
    query,
    ref,
)


def describe(spec: APISpec, base: str) -> None:
    for name, schema in _schemas().items():
        spec.components.schema(name, schema)
    describe_by_hand(spec, base, _("人员"), (*_reads(), *_writes(), *_acts_on_one(), *_hand_overs()))


def _reads() -> tuple[Operation, ...]:
    sorts = [word for name in ORDERS for word in (name, f"-{name}")]
    words = (
        query("q", {"type": "string", "maxLength": 50}, _("姓名、拼音首字母或账号")),
        query("state", {"type": "string", "enum": [state.value for state in State]}, _("状态")),
        query("role_id", ID, _("角色")),
        query("sort", {"type": "string", "enum": sorts}, _("排序；带减号为降序")),
        *paging(),
    )
    people, one = _("查询人员"), _("查看一位人员")
    of_one: dict[str, Any] = {"parameters": ("pk",), "codes": (404,), "has_etag": True}
    return (
        Operation("/", "get", "person_list", people, page_schema("Person"), parameters=words, codes=(422,)),
        Operation("/{pk}", "get", "person_get", one, ANSWER, **of_one),
    )


def _writes() -> tuple[Operation, ...]:
    sent = object_of({"name": TEXT, "phone": TEXT | NULLABLE})
    opens, edits = _("开通账号；一次性密码只在这次返回"), _("修改姓名和电话：只改提交的项目")
    both, refuses = ("pk", "IfMatch"), (404, 412, 428)
    words: dict[str, Any] = {"sent": sent, "codes": refuses, "has_etag": True}
    return (
        Operation("/", "post", "person_open", opens, ANSWER, 201, sent=_ref("PersonNew"), has_etag=True),
        Operation("/{pk}", "put", "person_edit", edits, ANSWER, 200, both, **words),
    )


def _acts_on_one() -> tuple[Operation, ...]:
    acts = {
        "suspend": _("停用账号，本人在各处的登录随即退出"),
        "resume": _("启用账号；离任时收回的授权不会恢复"),
        "unlock": _("解除连续输错密码后的锁定"),
        "reset": _("重置密码；一次性密码只在这次返回"),
    }
    words: dict[str, Any] = {"sent": object_of({}), "codes": (404,), "has_etag": True}
    return tuple(
        Operation(f"/{{pk}}/{verb}", "post", f"person_{verb}", text, ANSWER, 200, ("pk",), **words)
        for verb, text in acts.items()
    )


def _hand_overs() -> tuple[Operation, ...]:
    successor, day = query("successor_id", ID, _("接手人")), query("left_on", DAY, _("离任日期，不填为今天"))
    mark = {"mark": TEXT | {"description": _("核对时返回的标记；情况有变化的为409")}}
    sent = object_of({"successor_id": ID, **mark}, required=("successor_id", "mark"))
    gone = object_of({"successor_id": ID | NULLABLE, "left_on": DAY, **mark}, required=("left_on", "mark"))
    looks: dict[str, Any] = {"codes": (404, 422)}
    does: dict[str, Any] = {"parameters": ("pk",), "codes": (404, 409)}
    first, second = _("核对移交：将移交什么、什么不能移交"), _("核对离任：将移交和收回什么")
    plan, over, out = _ref("HandOver"), "/{pk}/hand_over", "/{pk}/departure"
    return (
        Operation(over, "get", "hand_over_plan", first, plan, parameters=("pk", successor), **looks),
        Operation(over, "post", "hand_over", _("移交"), plan, sent=sent, **does),
        Operation(out, "get", "departure_plan", second, plan, parameters=("pk", successor, day), **looks),
        Operation(out, "post", "departure", _("办理离任"), plan, sent=gone, **does),
    )


# --- schemas ------------------------------------------------------------------------------------------

TEXT: Spec = {"type": "string"}
DAY: Spec = {"type": "string", "format": "date"}
NULLABLE: Spec = {"nullable": True}
ANSWER = ref("schemas", "PersonAnswer")


def _ref(name: str) -> Spec:
    return ref("schemas", name)


def _whole(properties: Spec) -> Spec:
    """Every property is there."""
    return object_of(properties, required=properties)


def _list(items: Spec) -> Spec:
    return {"type": "array", "items": items}


def _schemas() -> dict[str, Spec]:
    ids = ("school_id", "role_id")
    new = {"username": TEXT, "name": TEXT, "phone": TEXT | NULLABLE, **dict.fromkeys(ids, ID | NULLABLE)}
    new |= dict.fromkeys(("grade_ids", "class_ids"), _list(ID))
    answer = {"id": ID, "result": _ref("PersonRow"), "one_time_password": TEXT}
    return {
        "PersonRow": _person(),
        "PersonAnswer": object_of(answer, required=("id",)),
        "PersonNew": object_of(new | {"until": DAY | NULLABLE}, required=("username", "name")),
        "HandOver": _hand_over(),
    }


def _person() -> Spec:
    return _whole(
        {
            "id": ID,
            "username": TEXT,
            "name": TEXT,
            "phone": TEXT | NULLABLE,
            "school_id": ID | NULLABLE,
            "region_code": TEXT | NULLABLE,
            "state": TEXT | {"enum": [state.value for state in State]},
            "roles": _list(TEXT),
            "last_login": {"type": "string", "format": "date-time", **NULLABLE},
            "left_on": DAY | NULLABLE,
        }
    )


def _hand_over() -> Spec:
    held = {"grant_id": ID, "person": TEXT, "role": TEXT, "where": TEXT, "until": DAY | NULLABLE}
    return _whole(
        {
            "mark": TEXT,
            "moved": _list(_whole({**held, "awaits": {"type": "boolean"}, "along": _list(TEXT)})),
            "kept": _list(_whole({**held, "why": TEXT})),
            "classes": _list(_whole({"id": ID, "name": TEXT})),
            "cases": _list(_whole({"kind": TEXT, "count": {"type": "integer"}})),
            "why_not_cases": TEXT | NULLABLE,
            "ended": _list(_whole(held)),
        }
    )
