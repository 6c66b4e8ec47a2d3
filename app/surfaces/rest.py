"""REST: a Flask-AppBuilder ModelRestApi per entity, generated from the registry.

Flask-AppBuilder gives routes and registration. Reading, checking, saving and masking are the declaration's and
`saving`'s, as on the pages; what the API is like to whoever programs against it is said in `openapi`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import sqlalchemy as sa
from flask import Flask, request
from flask_appbuilder.api import ModelRestApi, expose
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.wrappers import Response

from app.core import rights, saving, scope
from app.core.entity import Entity, owner_key, registry
from app.core.errors import Denied, Invalid, Missing, Stale
from app.core.fields import Field, Flag, Key, Number, Unreadable
from app.core.rights import Actor
from app.core.wording import about
from app.extensions import db
from app.surfaces import forms, looks, openapi
from app.surfaces.display import EVEN, Revealed, Sight, is_masked, link_text
from app.surfaces.listing import COUNT_CAP, Listing
from app.surfaces.problems import Unfit, as_json, problem
from app.surfaces.security import current_actor
from app.surfaces.site import Site
from app.surfaces.store import ReadOnlyStore

BODY_MAX = 256 * 1024  # bytes; the fullest pupil with his family has about 20 000
NAMES_MOST = 300  # in one object
INLINES_MOST = 20  # rows of one kind sent along with a new owner
FOUND_MOST = 50  # rows that one number may find

ROUTES = {
    "get_list": "list",
    "info": "list",
    "search": "list",
    "get": "show",
    "post": "add",
    "put": "edit",
    "delete": "delete",
}
"""Method of the API → the action whose right it wants."""


# --- reading what was sent ----------------------------------------------------------------------------


def read_object() -> dict[str, Any]:
    """The JSON object of the request's body. Raises Unfit (400), or the HTTP errors for size and type."""
    if not request.is_json:
        raise UnsupportedMediaType()
    if (request.content_length or 0) > BODY_MAX or len(body := request.get_data(cache=False)) > BODY_MAX:
        raise RequestEntityTooLarge()
    try:
        found = json.loads(
            body,
            parse_int=_read_integer,
            parse_float=_read_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_read_pairs,
        )
    except (ValueError, RecursionError):
        raise Unfit(400, _("提交的内容不是有效的JSON。请检查引号、逗号和编码（UTF-8）后重新提交。")) from None
    if not isinstance(found, dict):
        raise Unfit(400, _('应提交一个JSON对象，如{"name": "…"}。请对照接口说明改正。'))
    return found


def _read_integer(text: str) -> int:
    if len(text) > 20:
        raise Unfit(400, _("提交的数字过大。号码一类的内容请加上引号，作为文字提交。"))
    return int(text)


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("beyond what a number holds")
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unfit(400, _("同一个对象中有重复的项目名。请每项只提交一次。"))
    if len(found) > NAMES_MOST:
        raise Unfit(400, _("提交的项目太多。请对照接口说明，只提交需要的项目。"))
    return found


def version_named() -> int:
    """The version in If-Match. Raises Unfit (428) where there is none.

    A weak tag counts too: a proxy that compresses answers weakens the tags, and ours only number versions.
    """
    named = request.if_match
    if named.star_tag:
        raise Unfit(428, _("If-Match不能用“*”。请先读取记录，把返回的ETag放入If-Match后再提交。"))
    tags = [*named.as_set(include_weak=True)]
    if len(tags) != 1:
        raise Unfit(428, _("缺少If-Match请求头。请先读取记录，把返回的ETag放入If-Match后再提交。"))
    return int(tags[0]) if tags[0].isascii() and tags[0].isdigit() and len(tags[0]) < 10 else -1


def etag(obj: Entity) -> str:
    return f'"{obj.version}"'


# --- a row as JSON, and back --------------------------------------------------------------------------


def as_given(obj: Entity, fields: Iterable[Field], revealed: Revealed, sight: Sight = EVEN) -> dict[str, Any]:
    """{id, version, field: raw value or its mask, link of a key: label}; a field not seen on this row is left out."""
    found: dict[str, Any] = {"id": obj.id, "version": obj.version}
    whole = revealed.whole(obj.id, obj)
    for one in fields:
        if not sight.shows(one.name, obj.id):
            continue
        found[one.name] = _given_value(obj, one, whole)
        if isinstance(one, Key) and one.link:
            found[one.link] = link_text(obj, one) or None
    return found


def _given_value(obj: Entity, one: Field, whole: Collection[str]) -> Any:
    value = getattr(obj, one.name)
    if value is not None and is_masked(one, whole):
        return mask_of(one, value)
    return one.dump(value)


def mask_of(one: Field, value: Any) -> str:
    assert one.mask is not None
    return one.mask(one.show(value))


@dataclass
class Body:
    """What was sent for one row, `obj` or a new one: parsed values and complaints."""

    entity: type[Entity]
    by: Actor
    obj: Entity | None = None
    revealed: Revealed = field(default_factory=Revealed)
    complaints: list[tuple[str, str]] = field(default_factory=list)

    def read(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """The values to save. What is sent as GET gives it is unchanged, masks and labels included."""
        seen = self._seen()
        now = as_given(self.obj, seen.values(), self.revealed) if self.obj is not None else {}
        data: dict[str, Any] = {}
        for name, raw in sent.items():
            if name in now and _is_same(raw, now[name]):
                continue
            if name not in seen:
                self.complaints.append((name[:40], forms.unknown(name)))
            elif not self._is_its_mask(seen[name], raw):
                self._read_one(seen[name], raw, data)
        return data

    def _seen(self) -> dict[str, Field]:
        if self.obj is None:
            return rights.visible_fields(self.by, self.entity)
        return scope.fields_with(db.session(), self.by, "see", self.obj)

    def require_owner(self, data: Mapping[str, Any]) -> None:
        """A new row that hangs on another must say on which."""
        key = owner_key(self.entity) if self.entity.__inline_of__ else ""
        if key and data.get(key) is None and key not in dict(self.complaints):
            label = _(self.entity.fields()[key].label)
            self.complaints.append((key, _("必填项“%(label)s”为空。请填写后再保存。", label=label)))

    def _is_its_mask(self, one: Field, raw: object) -> bool:
        if self.obj is None or one.mask is None:
            return False
        value = getattr(self.obj, one.name)
        return value is not None and raw == mask_of(one, value)

    def _read_one(self, one: Field, raw: object, data: dict[str, Any]) -> None:
        if not openapi.is_typed(one, is_new=self.obj is None):
            self.complaints.append((one.name, scope.settled_sentence(self.entity, one.name)))
            return
        try:
            refuse_wrong_type(one, raw)
            data[one.name] = one.parse(raw)
        except Unreadable as reason:
            self.complaints.append((one.name, about(_(one.label), reason)))


def _is_same(sent: object, given: object) -> bool:
    return type(sent) is type(given) and sent == given


def refuse_wrong_type(one: Field, raw: object) -> None:
    """JSON has types, and a text must not become what the program calls True. Raises Unreadable."""
    if raw is None or isinstance(raw, list | dict):
        return  # `parse` has the sentence for these
    is_text = isinstance(raw, str)
    if isinstance(one, Flag):
        if not (is_text or isinstance(raw, bool)):
            raise Unreadable(_("应填写true或false。"))
    elif isinstance(one, Number | Key):
        if not is_text and type(raw) is not int:
            raise Unreadable(_("应填写整数，如12。"))
    elif not is_text:
        raise Unreadable(_("应填写文字。请加上引号。"))


# --- the routes ---------------------------------------------------------------------------------------


def needs(action: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Asks the right itself: Flask-AppBuilder's own decorators answer without a sentence, and hide faults."""

    def wrap(method: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(method)
        def asked(self: EntityApi, *args: Any, **words: Any) -> Response:
            rights.require(current_actor(), f"{self.entity.key()}:{action}")
            return method(self, *args, **words)

        asked._permission_name = action  # type: ignore[attr-defined]
        return asked

    return wrap


class EntityApi(ModelRestApi):
    """The API of one entity. `entity` is set by the generated subclass."""

    entity: type[Entity]
    allow_browser_login = True
    csrf_exempt = False

    # Flask-AppBuilder would build filters and schemas of its own from the model; none of them is used.
    def _init_properties(self) -> None: ...
    def _init_titles(self) -> None: ...
    def _init_model_schemas(self) -> None: ...

    def add_api_spec(self, api_spec: Any) -> None:
        openapi.describe(api_spec, self.entity, current_actor(), self.include_route_methods)

    @expose("/", methods=["GET"])
    @needs("list")
    def get_list(self) -> Response:
        return self._list(request.args)

    @expose("/_info", methods=["GET"])
    @needs("list")
    def info(self) -> Response:
        return as_json(openapi.info(self.entity, current_actor()))

    @expose("/search", methods=["POST"])
    @needs("list")
    def search(self) -> Response:
        """By an exact personal number, which is never put into an address."""
        typed = _number_in(read_object())
        number = self.entity.search_number(typed, rights.searched_fields(current_actor(), self.entity))
        if number is None:
            raise Invalid([("number", _("这不是学籍号或证件号。请核对后填写完整号码。"))])
        query = sa.select(self.entity.id).where(number).order_by(self.entity.id).limit(FOUND_MOST)
        found = ",".join(str(id_) for id_ in db.session.scalars(query))
        return self._list({"found": found or "0", "size": str(FOUND_MOST)})

    def _list(self, args: Mapping[str, str]) -> Response:
        listing = Listing(self.entity, site(), args)
        listing.require_sound()
        fields, revealed = openapi.row_fields(listing), Revealed.now(self.entity, listing.site.by)
        rows, count = listing.rows(fields), listing.count()
        sight = Sight.of(listing.site, self.entity, fields, [obj.id for obj in rows])
        before, after = listing.neighbours(rows)
        return as_json(
            {
                "count": min(count, COUNT_CAP),
                "count_is_exact": count <= COUNT_CAP,
                "ids": [obj.id for obj in rows],
                "result": [as_given(obj, fields, revealed, sight) for obj in rows],
                "previous": before,
                "next": after,
            }
        )

    @expose("/<int:pk>", methods=["GET"])
    @needs("show")
    def get(self, pk: int) -> Response:
        obj, by = self._find(pk), current_actor()
        verdict = scope.may(db.session(), by, "show", obj)
        if not verdict:
            raise Denied(str(verdict))
        if _is_known(obj, Revealed.now(self.entity, by)):
            return Response(status=304, headers={"ETag": etag(obj)})
        looks.note(by, obj)
        return self._answer(obj)

    @expose("/", methods=["POST"])
    @needs("add")
    def post(self) -> Response:
        sent, by = read_object(), current_actor()
        nested = [
            (child, rows)
            for child in registry.inlines_of(self.entity)
            if (rows := sent.pop(child.key(), None)) is not None
        ]
        body = Body(self.entity, by)
        data = body.read(sent)
        body.require_owner(data)
        with saving.work() as work:
            made = saving.create(self.entity, data, by, complaints=body.complaints)
            for child, rows in nested:
                _add_inlines(child, rows, made, by, work)
        return self._answer(made, 201, {"Location": f"{self.route_base}/{made.id}"}, work.warnings)

    @expose("/<int:pk>", methods=["PUT"])
    @needs("edit")
    def put(self, pk: int) -> Response:
        obj, by = self._find(pk), current_actor()
        version, sent = version_named(), read_object()
        body = Body(self.entity, by, obj, Revealed.now(self.entity, by))
        data = body.read(sent)
        try:
            with saving.work() as work:
                saving.edit(obj, data, by, version=version, complaints=body.complaints)
        except Stale as stale:
            return self._stale(stale, obj)
        return self._answer(obj, warnings=work.warnings)

    @expose("/<int:pk>", methods=["DELETE"])
    @needs("delete")
    def delete(self, pk: int) -> Response:
        obj, by = self._find(pk), current_actor()
        version = version_named()
        try:
            with saving.work():
                saving.delete(obj, by, version=version)
        except Stale as stale:
            return self._stale(stale, obj)
        return Response(status=204)

    # --- answers ---

    def _find(self, pk: int) -> Entity:
        links = [
            joinedload(getattr(self.entity, f.link))
            for f in self.entity.fields().values()
            if isinstance(f, Key) and f.link
        ]
        query = sa.select(self.entity).where(self.entity.id == pk).options(*links)
        found = db.session.scalars(query).unique().one_or_none() if pk < 2**63 else None
        if found is None:
            raise Missing()
        return found

    def _answer(
        self,
        obj: Entity,
        code: int = 200,
        headers: Mapping[str, str] | None = None,
        warnings: Iterable[str] = (),
    ) -> Response:
        """The row as it now is, and what is told beside. Who may write it and not see it learns no more than its number."""
        shown = self._shown(obj)
        payload: dict[str, Any] = {"id": obj.id} | ({"result": shown} if shown is not None else {})
        if shown is not None and (told := list(dict.fromkeys(warnings))):
            payload["warnings"] = told
        return as_json(payload, code, {"ETag": etag(obj), **(headers or {})})

    def _shown(self, obj: Entity) -> dict[str, Any] | None:
        by = current_actor()
        if not scope.may(db.session(), by, "show", obj):
            return None
        fields = scope.fields_with(db.session(), by, "see", obj).values()
        return as_given(obj, fields, Revealed.now(self.entity, by))

    def _stale(self, stale: Stale, obj: Entity) -> Response:
        return problem(stale, headers={"ETag": etag(obj)}, current=self._shown(obj))


def site() -> Site:
    return Site(current_actor(), db.session())


def _number_in(sent: Mapping[str, Any]) -> str:
    typed = sent.get("number")
    if (
        set(sent) != {"number"}
        or not isinstance(typed, str)
        or not 0 < len(typed.strip()) <= 50
        or "\0" in typed
    ):
        raise Invalid([("number", _("请只提交number一项，填写完整的号码（50个字以内）。"))])
    return typed.strip()


def _is_known(obj: Entity, revealed: Revealed) -> bool:
    """Whether the caller has this version already. A reveal changes what is shown, not the version."""
    return not revealed.opens(obj.id, obj) and request.if_none_match.contains_weak(str(obj.version))


# --- rows inside a row --------------------------------------------------------------------------------


def _add_inlines(child: type[Entity], rows: object, owner: Entity, by: Actor, work: saving.Work) -> None:
    """Rows sent along with a new owner, which may not be complete without them."""
    if (
        not isinstance(rows, list)
        or len(rows) > INLINES_MOST
        or not all(isinstance(row, dict) for row in rows)
    ):
        sentence = _("“%(label)s”应为对象的列表，最多%(n)s行。", label=_(child.__label__), n=INLINES_MOST)
        work.complaints.append((child.key(), sentence))
        return
    for n, row in enumerate(rows):
        _add_inline(child, row, owner, by, work, f"{child.key()}-{n}-")


def _add_inline(
    child: type[Entity], row: Mapping[str, Any], owner: Entity, by: Actor, work: saving.Work, prefix: str
) -> None:
    body, key = Body(child, by), owner_key(child)
    data = body.read(row)
    if key in row:
        body.complaints.append((key, forms.unknown(key)))
    if owner.id is None:  # the owner was refused: only what was typed can be judged
        work.complaints += [(prefix + name, sentence) for name, sentence in body.complaints]
        return
    saving.create(child, {**data, key: owner.id}, by, prefix=prefix, complaints=body.complaints)


# --- generation ---------------------------------------------------------------------------------------


def generate(app: Flask) -> None:
    """Registers a class per entity that has pages; its name is the endpoint."""
    builder = app.extensions["appbuilder"]
    for entity in registry:
        if entity.__path__ and entity.__actions__:
            builder.add_api(api_for(entity))


def api_for(entity: type[Entity]) -> type[EntityApi]:
    """The generated API class: routes only for the actions that exist, number search only where there is one."""
    methods = {
        m: a for m, a in ROUTES.items() if a in entity.__actions__ and (m != "search" or has_numbers(entity))
    }
    body: dict[str, Any] = {
        "entity": entity,
        "resource_name": entity.__path__,
        "class_permission_name": entity.key(),
        "datamodel": ReadOnlyStore(entity),
        "include_route_methods": set(methods),
        "base_permissions": [f"can_{a}" for a in dict.fromkeys(methods.values())],
        "method_permission_name": methods,
    }
    return type(f"{entity.__name__}Api", (EntityApi,), body)


def has_numbers(entity: type[Entity]) -> bool:
    return entity.search_number.__func__ is not Entity.search_number.__func__  # type: ignore[attr-defined]
