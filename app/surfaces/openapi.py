"""What the API is like, told to programs: the OpenAPI document and the `_info` of each resource.

Both are made for their reader: a field that a right hides is not in them. Nothing here reads or writes a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apispec import APISpec
from flask import current_app
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.api.manager import OpenApi
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.core import powers, rights, scope
from app.core.entity import Entity, owner_key, registry
from app.core.errors import Missing
from app.core.fields import (
    FREELY,
    FROM_ABOVE,
    Code,
    Day,
    Field,
    Flag,
    Key,
    Moment,
    Month,
    Number,
    Text,
)
from app.core.rights import Actor
from app.core.wording import N_, joined, listed
from app.surfaces.listing import (
    PAGE_SIZE,
    PAGE_SIZES,
    RANGED,
    WORDS,
    Listing,
    filter_shape,
    filters_of,
    sortable,
)
from app.surfaces.problems import KINDS, as_json
from app.surfaces.security import current_actor
from app.surfaces.site import Site

Spec = dict[str, Any]
ID: Spec = {"type": "integer", "format": "int64", "minimum": 1}


# --- which fields, for whom ---------------------------------------------------------------------------


def is_typed(one: Field, *, is_new: bool) -> bool:
    """Whether the API takes a value at all. Fields outside the form are settled by the program, except that a new
    row must say whose it is; key data is left to `saving`, whose sentence names the procedure."""
    if one.form or one.edit not in (FREELY, FROM_ABOVE):
        return True
    return is_new and isinstance(one, Key) and one.required


def is_open(one: Field, entity: type[Entity], by: Actor, *, is_new: bool) -> bool:
    """Whether this person may give the field a value of his own, some rows' scope apart."""
    if not is_typed(one, is_new=is_new) or not (
        by.has(powers.field_right(entity, one.name, "edit")) or not one.form
    ):
        return False
    if is_new:
        return not scope.is_closed_on_add(by, entity, one.name)
    if one.edit is FROM_ABOVE:
        return by.has(f"{entity.key()}:govern")
    return one.edit is FREELY


def row_fields(listing: Listing) -> list[Field]:
    """What a list gives of each row: the columns of the page's list, and for inline rows whose they are."""
    entity, found = listing.entity, listing.fields()
    if entity.__inline_of__:
        owner = entity.fields()[owner_key(entity)]
        found = [owner, *(f for f in found if f.name != owner.name)]
    return found


def is_wanted(one: Field, entity: type[Entity], by: Actor) -> bool:
    """Whether a new row without it is refused."""
    return one.required and is_open(one, entity, by, is_new=True) and (one.form or one.name != "school_id")


# --- _info --------------------------------------------------------------------------------------------


def info(entity: type[Entity], by: Actor) -> Spec:
    """Fields, filters and sorts of a resource, as this person has them."""
    key = entity.key()
    return {
        "entity": key,
        "label": _(entity.__label__),
        "actions": [a for a in entity.__actions__ if by.has(f"{key}:{a}")],
        "fields": [_field_info(f, entity, by) for f in rights.visible_fields(by, entity).values()],
        "filters": [_filter_info(f) for f in filters_of(entity, by).values()],
        "sorts": [word for name in sortable(entity, by) for word in (name, f"-{name}")],
        "search": entity.can_search(),
        "page_sizes": list(PAGE_SIZES),
        "inlines": [child.key() for child in registry.inlines_of(entity) if by.has(f"{child.key()}:show")],
    }


def _field_info(one: Field, entity: type[Entity], by: Actor) -> Spec:
    can_edit = is_open(one, entity, by, is_new=False)
    return {
        "name": one.name,
        "label": _(one.label),
        "type": one.kind,
        "required": is_wanted(one, entity, by),
        "help": _(one.help) if one.help else "",
        "section": _(one.section) if one.section else "",
        "masked": one.mask is not None,
        "max_length": one.length if isinstance(one, Text) else None,
        "options": _options(one),
        "target": _path_of(one),
        "lookup": filter_shape(one)[2],
        "link": (one.link or None) if isinstance(one, Key) else None,
        "edit": one.edit.value,
        "on_add": "open" if is_open(one, entity, by, is_new=True) else "locked",
        "on_edit": "open" if can_edit else "locked",
        "locked": None if can_edit or one.edit is FREELY else scope.locked_sentence(entity, one.name),
    }


def _options(one: Field) -> list[dict[str, str]] | None:
    if not isinstance(one, Code):
        return None
    return [{"value": value, "label": _(label)} for value, label in one.options()]


def _path_of(one: Field) -> str | None:
    """Where the rows that a key points at are listed."""
    target = one.target.partition(".")[0] if isinstance(one, Key) else ""
    path = registry[target].__path__ if target in registry else ""
    return f"/api/v1/{path}/" if path else None


def _filter_info(one: Field) -> Spec:
    kind, options, lookup = filter_shape(one)
    return {
        "name": one.name,
        "label": _(one.label),
        "kind": kind,
        "parameters": list(_filter_names(one)),
        "options": [{"value": value, "label": _(label)} for value, label in options],
        "lookup": lookup,
    }


def _filter_names(one: Field) -> Iterator[str]:
    if one.name not in WORDS:  # a list's own word goes before a field of the same name
        yield one.name
    if isinstance(one, RANGED):
        yield from (f"{one.name}__from", f"{one.name}__to")


# --- schemas ------------------------------------------------------------------------------------------

CODES = {
    400: N_("请求无法读取"),
    401: N_("没有登录，或令牌失效"),
    403: N_("没有这项权限"),
    404: N_("没有这条记录，或不在管理范围内"),
    409: N_("情况已有变化：请重新读取后再提交"),
    412: N_("记录已被他人修改：版本与If-Match不符"),
    413: N_("提交的内容太大"),
    415: N_("不是JSON"),
    422: N_("内容不能接受：complaints逐项说明"),
    428: N_("缺少If-Match"),
    429: N_("请求太频繁"),
    500: N_("系统故障"),
}
_KINDS: Mapping[type[Field], Spec] = {
    Number: {"type": "integer"},
    Flag: {"type": "boolean"},
    Day: {"type": "string", "format": "date"},
    Month: {"type": "string", "pattern": "^[0-9]{6}$"},
    Moment: {"type": "string", "format": "date-time"},
    Key: ID,
}


def _problem_schema() -> Spec:
    name = {"type": "string", "description": _("项目名；空为整条记录")}
    complaint = {"type": "object", "required": ["field", "message"]}
    current = {"type": "object", "nullable": True}
    return {
        "type": "object",
        "required": ["error", "message", "complaints"],
        "properties": {
            "error": {"type": "string", "enum": list(KINDS)},
            "message": {"type": "string", "description": _("一句完整的话：事实、原因、办法")},
            "complaints": {
                "type": "array",
                "items": complaint | {"properties": {"field": name, "message": {"type": "string"}}},
            },
            "current": current | {"description": _("版本不符（412）时，记录现在的内容；其版本在ETag中")},
        },
    }


def schema_of(one: Field, *, is_read: bool) -> Spec:
    """A field as OpenAPI describes it. Codes are enumerated for writing; rows may keep codes that were retired."""
    found: Spec = dict(_KINDS.get(type(one), {"type": "string"}))
    if isinstance(one, Number):
        found |= {"minimum": one.low, "maximum": one.high}
    if isinstance(one, Text):
        found["maxLength"] = one.length
    found["title"] = _(one.label)
    found["description"] = _describe(one, is_read)
    if isinstance(one, Code) and not is_read:
        found["enum"] = [value for value, _label in one.options()] + ([None] if one.nullable else [])
    if one.nullable:
        found["nullable"] = True
    return found


def _describe(one: Field, is_read: bool) -> str:
    parts = [_(one.label)]
    if one.help:
        parts.append(_(one.help))
    if isinstance(one, Code) and not is_read:
        parts.append(listed(f"{value} {_(label)}" for value, label in one.options()))
    if one.mask is not None:
        parts.append(_("没有查看完整号码的，中间以*代替；原样交回视为不修改"))
    return joined(parts)


def _read_schema(fields: Iterable[Field]) -> Spec:
    properties: Spec = {"id": ID | {"readOnly": True}, "version": {"type": "integer", "readOnly": True}}
    for one in fields:
        properties[one.name] = schema_of(one, is_read=True)
        if isinstance(one, Key) and one.link:
            name = {"type": "string", "nullable": True, "readOnly": True}
            properties[one.link] = name | {"description": _("%(label)s的名称", label=_(one.label))}
    return {"type": "object", "required": list(properties), "properties": properties}


def _new_schema(entity: type[Entity], by: Actor) -> Spec:
    fields = [f for f in rights.visible_fields(by, entity).values() if is_open(f, entity, by, is_new=True)]
    found = object_of({f.name: schema_of(f, is_read=False) for f in fields})
    if wanted := [f.name for f in fields if is_wanted(f, entity, by)]:
        found["required"] = wanted
    for child in registry.inlines_of(entity):
        if "add" in child.__actions__ and by.has(f"{child.key()}:add"):
            found["properties"][child.key()] = _inline_schema(child, by)
    return found


def _inline_schema(child: type[Entity], by: Actor) -> Spec:
    """A row without the keys that say whose it is: it is the new owner's."""
    row = _new_schema(child, by)
    for one in child.fields().values():
        if not one.form and row["properties"].pop(one.name, None) and one.name in row.get("required", ()):
            row["required"].remove(one.name)
    return {
        "type": "array",
        "items": row,
        "description": _("随新记录一并新增的%(what)s", what=_(child.__label__)),
    }


def _edit_schema(entity: type[Entity], by: Actor) -> Spec:
    properties = {}
    for one in rights.visible_fields(by, entity).values():
        properties[one.name] = schema_of(one, is_read=False)
        if not is_open(one, entity, by, is_new=False):
            properties[one.name]["readOnly"] = True
            if one.edit is not FREELY:
                properties[one.name]["description"] += _("；") + scope.locked_sentence(entity, one.name)
            elif one.form:
                why = rights.refusal(by, powers.field_right(entity, one.name, "edit"))
                properties[one.name]["description"] += _("；") + why
    return object_of(properties)


def object_of(properties: Spec, *, required: Iterable[str] = ()) -> Spec:
    found: Spec = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


# --- operations ---------------------------------------------------------------------------------------


def describe(spec: APISpec, entity: type[Entity], by: Actor, methods: Collection[str]) -> None:
    """Adds one resource to the document: its schemas, and the operations that exist."""
    name, base = entity.__name__, f"/api/v1/{entity.__path__}"
    listing = Listing(entity, Site(by, None), {})  # type: ignore[arg-type]  # asks no rows
    schemas = {
        "get": (name, lambda: _read_schema(rights.visible_fields(by, entity).values())),
        "get_list": (f"{name}Row", lambda: _read_schema(row_fields(listing))),
        "post": (f"{name}New", lambda: _new_schema(entity, by)),
        "put": (f"{name}Edit", lambda: _edit_schema(entity, by)),
    }
    for method, (component, make) in schemas.items():
        if method in methods:
            spec.components.schema(component, make())
    for path, verb, method, operation in _operations(entity, by, "get" in methods):
        if method in methods:
            found = _secured(operation, f"{entity.key()}_{method}", _(entity.__label__), verb)
            spec.path(path=f"{base}{path}", operations={verb: found})


def _operations(entity: type[Entity], by: Actor, can_show: bool) -> Iterator[tuple[str, str, str, Spec]]:
    """(path, verb, method of the API, what is particular to the operation)."""
    name, label = entity.__name__, _(entity.__label__)
    row: Spec = {"type": "object", "required": ["id"], "properties": {"id": ID}}
    if can_show:
        row["properties"] = {"id": ID, "result": ref("schemas", name)}
    told = {"type": "array", "items": {"type": "string"}, "description": _("已保存，但请留意的事项")}
    saved = row | {"properties": row["properties"] | {"warnings": told}}
    page = _json(page_schema(name), _("一页记录"))
    yield (
        "/",
        "get",
        "get_list",
        {
            "summary": _("查询%(what)s", what=label),
            "parameters": list(_list_parameters(entity, by)),
            "responses": {"200": page} | _refusals(400, 422),
        },
    )
    yield (
        "/_info",
        "get",
        "info",
        {
            "summary": _("%(what)s有哪些项目、筛选条件和排序", what=label),
            "responses": {"200": _json({"type": "object"}, _("项目说明"))},
        },
    )
    yield (
        "/search",
        "post",
        "search",
        {
            "summary": _("按完整号码查%(what)s；号码不写入地址", what=label),
            "requestBody": _sent(
                object_of({"number": {"type": "string", "maxLength": 50}}) | {"required": ["number"]}
            ),
            "responses": {"200": page} | _refusals(400, 413, 415, 422),
        },
    )
    yield (
        "/{pk}",
        "get",
        "get",
        {
            "summary": _("查看一条%(what)s", what=label),
            "parameters": ["pk", "IfNoneMatch"],
            "responses": {"200": _json(row, label, has_etag=True), "304": {"description": _("没有变化")}}
            | _refusals(404),
        },
    )
    yield (
        "/",
        "post",
        "post",
        {
            "summary": _("新增%(what)s", what=label),
            "requestBody": _sent(ref("schemas", f"{name}New")),
            "responses": {"201": _json(saved, label, has_etag=True, is_new=True)}
            | _refusals(400, 413, 415, 422),
        },
    )
    yield (
        "/{pk}",
        "put",
        "put",
        {
            "summary": _("修改%(what)s：只改提交的项目", what=label),
            "parameters": ["pk", "IfMatch"],
            "requestBody": _sent(ref("schemas", f"{name}Edit")),
            "responses": {"200": _json(saved, label, has_etag=True)}
            | _refusals(400, 404, 412, 413, 415, 422, 428),
        },
    )
    yield (
        "/{pk}",
        "delete",
        "delete",
        {
            "summary": _("删除%(what)s", what=label),
            "parameters": ["pk", "IfMatch"],
            "responses": {"204": {"description": _("已删除")}} | _refusals(404, 412, 422, 428),
        },
    )


def _secured(operation: Spec, id_: str, tag: str, verb: str) -> Spec:
    proof: list[Spec] = [{"jwt": []}, {"cookie": []} if verb == "get" else {"cookie": [], "csrf": []}]
    operation["responses"] |= _refusals(401, 403, 429, 500)
    return {"operationId": id_, "tags": [tag], "security": proof} | operation


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an API written by hand: its path below the resource, its id, what it takes and gives.

    `codes` are the refusals beyond those that every operation has.
    """

    path: str
    verb: str
    name: str
    summary: str
    schema: Spec | None
    code: int = 200
    parameters: tuple[str | Spec, ...] = ()
    sent: Spec | None = None
    codes: tuple[int, ...] = ()
    has_etag: bool = False
    body: Spec | None = None  # what is sent, where it is no JSON


def describe_by_hand(spec: APISpec, base: str, tag: str, operations: Iterable[Operation]) -> None:
    """Adds the operations of an API written by hand to the document; its schemas are added by whoever wrote it."""
    for one in operations:
        if one.schema is None:
            answer = {"description": one.summary}
        else:
            answer = _json(one.schema, one.summary, has_etag=one.has_etag, is_new=one.code == 201)
        operation: Spec = {"summary": one.summary, "responses": {str(one.code): answer}}
        operation["responses"] |= _refusals(*one.codes)
        if one.parameters:
            operation["parameters"] = list(one.parameters)
        if one.sent is not None:
            operation["requestBody"] = _sent(one.sent)
            operation["responses"] |= _refusals(400, 413, 415, 422)
        if one.body is not None:
            operation["requestBody"] = one.body
        spec.path(
            path=f"{base}{one.path}", operations={one.verb: _secured(operation, one.name, tag, one.verb)}
        )


def page_schema(name: str) -> Spec:
    near = {"type": "integer", "format": "int64", "nullable": True}
    return {
        "type": "object",
        "required": ["count", "count_is_exact", "ids", "result", "previous", "next"],
        "properties": {
            "count": {"type": "integer"},
            "count_is_exact": {"type": "boolean", "description": _("否：至少有这么多")},
            "ids": {"type": "array", "items": ID},
            "result": {"type": "array", "items": ref("schemas", f"{name}Row")},
            "previous": near | {"description": _("上一页：作为before提交")},
            "next": near | {"description": _("下一页：作为after提交")},
        },
    }


def _list_parameters(entity: type[Entity], by: Actor) -> Iterator[Spec]:
    for one in filters_of(entity, by).values():
        schema = schema_of(one, is_read=isinstance(one, Text)) | {"nullable": False}
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
        for name in _filter_names(one):
            yield query(name, schema, schema["description"])
    if sorts := [word for name in sortable(entity, by) for word in (name, f"-{name}")]:
        yield query("sort", {"type": "string", "enum": sorts}, _("排序；带减号为降序"))
    if entity.can_search():
        yield query("q", {"type": "string", "maxLength": 50}, _(entity.__search_hint__) or _("查询"))
    yield from paging()
    yield query("size", {"type": "integer", "enum": list(PAGE_SIZES), "default": PAGE_SIZE}, _("每页条数"))
    yield query("found", {"type": "string"}, _("只列这些编号的记录，以逗号分隔"))


def paging() -> Iterator[Spec]:
    yield query("after", ID, _("从这条记录之后开始的一页"))
    yield query("before", ID, _("到这条记录之前为止的一页"))


def query(name: str, schema: Spec, text: str) -> Spec:
    kept = {k: v for k, v in schema.items() if k not in ("title", "description", "nullable")}
    return {"name": name, "in": "query", "required": False, "description": text, "schema": kept}


def ref(kind: str, name: str) -> Spec:
    return {"$ref": f"#/components/{kind}/{name}"}


def _sent(schema: Spec) -> Spec:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _json(schema: Spec, text: str, *, has_etag: bool = False, is_new: bool = False) -> Spec:
    found: Spec = {"description": text, "content": {"application/json": {"schema": schema}}}
    headers = {"ETag": ref("headers", "ETag")} if has_etag else {}
    if is_new:
        headers["Location"] = {"description": _("新记录的地址"), "schema": {"type": "string"}}
    return found | ({"headers": headers} if headers else {})


def _refusals(*codes: int) -> Spec:
    return {str(code): ref("responses", str(code)) for code in codes}


# --- the document -------------------------------------------------------------------------------------

MANUAL = N_("""\
先以账号、密码取得令牌（/api/v1/security/login），之后每次请求带 Authorization: Bearer 令牌；已在浏览器登录的，\
读取可用登录状态，写入还须带 X-CSRFToken。

- 权限、管理范围、核对、关键数据的限制，与页面完全相同。范围之外的记录为404；范围之内缺少权限为403。
- 修改、删除须带 If-Match：先读取记录，把返回的 ETag 放入。版本不符为412，并附记录现在的内容。
- 修改只改提交的项目。原样交回读到的内容（含被隐藏的号码）视为不修改。
- 完整号码只通过 POST …/search 查询，不写入地址。
- 列表按 next、previous 翻页；count 在一万条以内是准确的。
- 出错时都返回同一形式：error、message、complaints。
""")


class ApiDescription(OpenApi):
    """The document, at Flask-AppBuilder's address."""

    class_permission_name = "api_docs"
    base_permissions = ("can_show",)
    method_permission_name = {"get": "show"}
    csrf_exempt = False

    @expose("/<version>/_openapi", methods=["GET"])
    def get(self, version: str) -> Response:
        by = current_actor()
        rights.require(by, "api_docs:show")
        if version != "v1":
            raise Missing()
        return as_json(document(version))

    def add_api_spec(self, api_spec: APISpec) -> None:
        operation = {
            "operationId": "api_description",
            "summary": _("本接口说明"),
            "tags": [_("接口说明")],
            "security": [{"jwt": []}, {"cookie": []}],
            "responses": {"200": _json({"type": "object"}, "OpenAPI 3.0")} | _refusals(401, 403, 404),
        }
        name = {
            "name": "version",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": ["v1"]},
        }
        api_spec.path(path="/api/{version}/_openapi", operations={"get": operation | {"parameters": [name]}})


def document(version: str) -> Spec:
    """The OpenAPI 3.0 document, for the current actor."""
    spec = APISpec(
        title=_(current_app.config["APP_NAME"]),
        version=version,
        openapi_version="3.0.3",
        info={"description": _(MANUAL)},
        servers=current_app.config["FAB_OPENAPI_SERVERS"],
    )
    _add_shared(spec)
    for api in current_app.extensions["appbuilder"].baseviews:
        if isinstance(api, BaseApi) and api.version == version:
            api.add_api_spec(spec)
    schemes = spec.components.security_schemes
    schemes.setdefault("jwt", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    return spec.to_dict()


def _add_shared(spec: APISpec) -> None:
    parts = spec.components
    parts.schema("Problem", _problem_schema())
    for code, text in CODES.items():
        parts.response(str(code), _json(ref("schemas", "Problem"), _(text), has_etag=code == 412))
    parts.parameter("pk", "path", {"name": "pk", "required": True, "schema": ID})
    tag = {"schema": {"type": "string", "example": '"3"'}}
    parts.parameter(
        "IfMatch",
        "header",
        {"name": "If-Match", "required": True, "description": _("读取时得到的ETag")} | tag,
    )
    parts.parameter("IfNoneMatch", "header", {"name": "If-None-Match", "required": False} | tag)
    parts.header("ETag", {"description": _("记录的版本"), **tag})
    cookie = current_app.config["SESSION_COOKIE_NAME"]
    parts.security_scheme("cookie", {"type": "apiKey", "in": "cookie", "name": cookie})
    parts.security_scheme("csrf", {"type": "apiKey", "in": "header", "name": "X-CSRFToken"})
