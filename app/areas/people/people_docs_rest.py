"""What the API of people is like, told to programs."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from flask_babel import gettext as _

from app.areas.people.directory import ORDERS, State
from app.surfaces.openapi import ID, Act, Spec, describe_acts, query


def describe(spec: APISpec, base: str) -> None:
    for name, schema in _schemas().items():
        spec.components.schema(name, schema)
    acts = (*_reads(), *_writes(), *_acts_on_one(), *_hand_overs())
    describe_acts(spec, _("人员"), base, acts)


def _reads() -> tuple[Act, ...]:
    sorts = [word for name in ORDERS for word in (name, f"-{name}")]
    words = (
        query("q", {"type": "string", "maxLength": 50}, _("姓名、拼音首字母或账号")),
        query("state", {"type": "string", "enum": [state.value for state in State]}, _("状态")),
        query("role_id", ID, _("角色")),
        query("sort", {"type": "string", "enum": sorts}, _("排序；带减号为降序")),
        query("after", ID, _("从这一位之后开始的一页")),
        query("before", ID, _("到这一位之前为止的一页")),
    )
    return (
        Act("/", "get", "person_list", _("查询人员"), _ref("PersonPage"), parameters=words, refuses=(422,)),
        Act("/{pk}", "get", "person_get", _("查看一位人员"), _ref("PersonAnswer"), **_of_one()),
    )


def _writes() -> tuple[Act, ...]:
    answer, both = _ref("PersonAnswer"), ("pk", "IfMatch")
    sent = _object({}, {"name": TEXT, "phone": TEXT | NULLABLE})
    opens, edits = _("开通账号；一次性密码只在这次返回"), _("修改姓名和电话：只改提交的项目")
    return (
        Act("/", "post", "person_open", opens, answer, _ref("PersonNew"), code=201, has_etag=True),
        Act("/{pk}", "put", "person_edit", edits, answer, sent, both, has_etag=True, refuses=(404, 412, 428)),
    )


def _acts_on_one() -> tuple[Act, ...]:
    words = {
        "suspend": _("停用账号，本人在各处的登录随即退出"),
        "resume": _("启用账号；离任时收回的授权不会恢复"),
        "unlock": _("解除连续输错密码后的锁定"),
        "reset": _("重置密码；一次性密码只在这次返回"),
    }
    nothing: Spec = {"type": "object"}
    return tuple(
        Act(f"/{{pk}}/{verb}", "post", f"person_{verb}", text, _ref("PersonAnswer"), nothing, **_of_one())
        for verb, text in words.items()
    )


def _hand_overs() -> tuple[Act, ...]:
    successor, day = query("successor_id", ID, _("接手人")), query("left_on", DAY, _("离任日期，不填为今天"))
    mark = {"mark": TEXT | {"description": _("核对时返回的标记；情况有变化的为409")}}
    sent = _object({"successor_id": ID, **mark})
    sent_gone = _object({"left_on": DAY, **mark}, {"successor_id": ID | NULLABLE})
    answer, looks, does = _ref("HandOver"), (404, 422), (404, 409)
    first, second = _("核对移交：将移交什么、什么不能移交"), _("核对离任：将移交和收回什么")
    over, gone = "/{pk}/hand_over", "/{pk}/departure"
    return (
        Act(over, "get", "hand_over_foresee", first, answer, None, ("pk", successor), refuses=looks),
        Act(over, "post", "hand_over", _("移交"), answer, sent, ("pk",), refuses=does),
        Act(gone, "get", "departure_foresee", second, answer, None, ("pk", successor, day), refuses=looks),
        Act(gone, "post", "departure", _("办理离任"), answer, sent_gone, ("pk",), refuses=does),
    )


# --- schemas ------------------------------------------------------------------------------------------

TEXT: Spec = {"type": "string"}
DAY: Spec = {"type": "string", "format": "date"}
NULLABLE: Spec = {"nullable": True}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _of_one() -> dict[str, Any]:
    return {"parameters": ("pk",), "has_etag": True, "refuses": (404,)}


def _object(required: Spec, optional: Spec | None = None) -> Spec:
    found: Spec = {"type": "object", "properties": required | (optional or {})}
    return found | ({"required": list(required)} if required else {})


def _list(items: Spec) -> Spec:
    return {"type": "array", "items": items}


def _schemas() -> dict[str, Spec]:
    ids = ("school_id", "role_id", "grade_id", "class_id")
    more = {"phone": TEXT | NULLABLE, **dict.fromkeys(ids, ID | NULLABLE), "until": DAY | NULLABLE}
    return {
        "Person": _person(),
        "PersonAnswer": _object({"id": ID}, {"result": _ref("Person"), "one_time_password": TEXT}),
        "PersonPage": _page(),
        "PersonNew": _object({"username": TEXT, "name": TEXT}, more),
        "HandOver": _hand_over(),
    }


def _person() -> Spec:
    return _object(
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


def _page() -> Spec:
    return _object(
        {
            "count": {"type": "integer"},
            "count_is_exact": {"type": "boolean"},
            "ids": _list(ID),
            "result": _list(_ref("Person")),
            "previous": ID | NULLABLE,
            "next": ID | NULLABLE,
        }
    )


def _hand_over() -> Spec:
    held = {"grant_id": ID, "person": TEXT, "role": TEXT, "where": TEXT, "until": DAY | NULLABLE}
    return _object(
        {
            "mark": TEXT,
            "moved": _list(_object({**held, "awaits": {"type": "boolean"}, "along": _list(TEXT)})),
            "kept": _list(_object({**held, "why": TEXT})),
            "classes": _list(_object({"id": ID, "name": TEXT})),
            "cases": _list(_object({"kind": TEXT, "count": {"type": "integer"}})),
            "why_not_cases": TEXT | NULLABLE,
            "ended": _list(_object(held)),
        }
    )
