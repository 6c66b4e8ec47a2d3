"""The OpenAPI document: sound as such, true to what the API does, and made for its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from flask import Flask

from tests import cast
from tests.cast import YIZHONG, pupil, school
from tests.client import Client

DOCUMENT = "/api/v1/_openapi"
VERBS = ("get", "post", "put", "delete")
Spec = dict[str, Any]


@pytest.fixture
def lin(login: Callable[[str], Client]) -> Client:
    return login("lin")


@pytest.fixture
def document(lin: Client) -> Spec:
    return lin.get(DOCUMENT).json


def operations(document: Spec) -> Iterator[tuple[str, str, Spec]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def inner(node: Any) -> Iterator[Spec]:
    """Every object inside the document, itself included."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from inner(value)
    elif isinstance(node, list):
        for value in node:
            yield from inner(value)


def resolve(document: Spec, node: Spec) -> Spec:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


# --- who reads it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "code"), [("lin", 200), ("he", 200), ("zhou", 403), ("chen", 403), ("li", 403)]
)
def test_the_document_is_for_holders_of_its_right(
    login: Callable[[str], Client], username: str, code: int
) -> None:
    answer = login(username).get(DOCUMENT)
    assert answer.status_code == code
    if code == 403:
        assert "查看接口说明" in answer.json["message"]


def test_without_a_login_there_is_no_document(anonymous: Client) -> None:
    assert anonymous.get(DOCUMENT).status_code == 401


def test_other_versions_are_not_found(lin: Client) -> None:
    for version in ("v2", "x", "%00"):
        answer = lin.get(f"/api/{version}/_openapi")
        assert (answer.status_code, answer.json["error"]) == (404, "missing")


def test_fields_behind_a_right_are_absent_for_who_lacks_it(
    app: Flask, login: Callable[[str], Client]
) -> None:
    give_right(app, "zhou", "can_show", "api_docs")
    document = login("zhou").get(DOCUMENT).json
    schemas = document["components"]["schemas"]
    for name in ("health", "disability", "in_class_special"):
        for schema in ("Student", "StudentNew", "StudentEdit"):
            assert name not in schemas[schema]["properties"]
        assert name not in parameters(document, "/api/v1/students/", "get")
    assert "健康" not in str({k: v for k, v in schemas.items() if k.startswith("Student")})


def give_right(app: Flask, username: str, permission: str, view: str) -> None:
    from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu

    from app.core.rights import Grant
    from app.extensions import db

    with app.app_context():
        given = sa.select(Grant.role_id).where(Grant.person_id == cast.person(username))
        pair = db.session.scalars(
            sa.select(PermissionView)
            .join(PermissionView.permission)
            .join(PermissionView.view_menu)
            .where(Permission.name == permission, ViewMenu.name == view)
        ).one()
        for role in db.session.scalars(sa.select(Role).where(Role.id.in_(given))):
            role.permissions.append(pair)
        db.session.commit()


# --- sound as OpenAPI 3.0 -----------------------------------------------------------------------------


def test_the_frame_is_complete(document: Spec) -> None:
    assert re.fullmatch(r"3\.0\.\d", document["openapi"])
    assert {"title", "version", "description"} <= set(document["info"])
    assert document["servers"] == [{"url": "/"}]
    assert set(document["components"]["securitySchemes"]) == {"jwt", "cookie", "csrf"}


def test_every_reference_leads_somewhere(document: Spec) -> None:
    references = [node for node in inner(document) if "$ref" in node]
    assert references
    for node in references:
        assert set(node) == {"$ref"}, "what stands beside a reference is ignored"
        assert isinstance(resolve(document, node), dict)


def test_operations_are_complete(document: Spec) -> None:
    ids = [
        operation.get("operationId")
        for path, _verb, operation in operations(document)
        if "security/login" not in path
    ]
    assert None not in ids
    assert len(ids) == len(set(ids))
    for path, verb, operation in operations(document):
        assert verb in VERBS
        assert operation["responses"], (path, verb)
        for code, answer in operation["responses"].items():
            assert re.fullmatch(r"[2345]\d\d", code)
            assert resolve(document, answer)["description"]
        for schemes in operation.get("security", []):
            assert set(schemes) <= set(document["components"]["securitySchemes"])


def parameters(document: Spec, path: str, verb: str) -> dict[str, Spec]:
    found = [resolve(document, one) for one in document["paths"][path][verb].get("parameters", [])]
    assert len(found) == len({(one["name"], one["in"]) for one in found}), (path, verb)
    return {one["name"]: one for one in found}


def test_parameters_are_declared(document: Spec) -> None:
    for path, verb, _operation in operations(document):
        found = parameters(document, path, verb)
        in_path = {name for name, one in found.items() if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), (path, verb)
        assert all(found[name]["required"] for name in in_path)
        assert all("schema" in one for one in found.values())


def test_schemas_are_sound(document: Spec) -> None:
    types = {"object", "array", "string", "integer", "boolean", "number"}
    seen = 0
    for node in inner(document["components"]["schemas"]):
        if node.get("type") == "object" and isinstance(node.get("properties"), dict):
            assert set(node.get("required", ())) <= set(node["properties"])
            assert node.get("required") != [], "an empty list is not allowed"
        if isinstance(node.get("type"), str) and node["type"] in types:
            seen += 1
            assert node["type"] != "array" or "items" in node
            if "enum" in node:
                assert len(node["enum"]) == len(set(node["enum"])) > 0
                assert (None in node["enum"]) == node.get("nullable", False)
    assert seen > 500


# --- true to the API ----------------------------------------------------------------------------------


def test_every_route_of_the_api_is_described_and_no_other(app: Flask, document: Spec) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, verb) for path, verb, _operation in operations(document)} == routes


def test_writes_ask_for_the_version_and_reads_give_it(document: Spec) -> None:
    for path, verb, operation in operations(document):
        if path.endswith("/{pk}"):
            assert ("If-Match" in parameters(document, path, verb)) == (verb in ("put", "delete"))
            if verb in ("put", "delete"):
                assert {"412", "428"} <= set(operation["responses"])
            if verb in ("get", "put"):
                assert "ETag" in operation["responses"]["200"]["headers"]


def test_writes_by_cookie_ask_for_the_form_token(document: Spec) -> None:
    for path, verb, operation in operations(document):
        if operation.get("security"):
            by_cookie = next(one for one in operation["security"] if "cookie" in one)
            assert ("csrf" in by_cookie) == (verb != "get"), path


def test_a_field_is_described_by_its_declaration(document: Spec) -> None:
    new = document["components"]["schemas"]["StudentNew"]["properties"]
    edit = document["components"]["schemas"]["StudentEdit"]["properties"]
    shown = document["components"]["schemas"]["Student"]["properties"]
    assert (new["address"]["type"], new["address"]["maxLength"], new["address"]["title"]) == (
        "string",
        100,
        "现住址",
    )
    assert new["gender"]["enum"] == ["1", "2"]
    assert "1 男" in new["gender"]["description"]
    assert (new["distance_km"]["type"], new["distance_km"]["maximum"]) == ("integer", 999)
    assert new["born_on"]["format"] == "date"
    assert new["talent"]["nullable"] is True
    assert "nullable" not in new["address"]
    assert not {"student_no", "status", "verification", "name_key", "stage", "id", "version"} & set(new)
    assert edit["name"]["readOnly"] is True
    assert "关键数据变更申请" in edit["name"]["description"]
    assert "readOnly" not in edit["address"]
    assert "*" in shown["id_number"]["description"]
    assert shown["school_class"]["type"] == "string"


def test_masked_fields_are_no_filters(document: Spec) -> None:
    found = parameters(document, "/api/v1/students/", "get")
    assert not {"id_number", "student_no", "phone"} & set(found)
    assert {"class_id", "born_on", "born_on__from", "born_on__to", "sort", "after", "size", "q"} <= set(found)
    assert "-name" in found["sort"]["schema"]["enum"]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("students", "StudentNew"),
        ("family-members", "FamilyMemberNew"),
        ("classes", "SchoolClassNew"),
        ("grades", "GradeNew"),
        ("campuses", "CampusNew"),
        ("class-grades", "ClassGradeNew"),
    ],
)
def test_what_is_required_is_what_is_missed(lin: Client, document: Spec, path: str, schema: str) -> None:
    answer = lin.post(f"/api/v1/{path}/", json={})
    missed = {one["field"] for one in answer.json["complaints"]}
    assert answer.status_code == 422
    assert missed == set(document["components"]["schemas"][schema]["required"])


PAGES = (
    "students",
    "family-members",
    "classes",
    "grades",
    "schools",
    "school-stages",
    "changes",
    "audit",
    "regions",
)


@pytest.mark.parametrize("path", PAGES)
def test_answers_are_as_described(lin: Client, document: Spec, path: str) -> None:
    base = f"/api/v1/{path}/"
    page = lin.get(base)
    check(document, base, "get", page)
    for id_ in page.json["ids"][:3]:
        check(document, f"{base}{{pk}}", "get", lin.get(f"{base}{id_}"))


def test_refusals_are_as_described(lin: Client, document: Spec) -> None:
    base, one = "/api/v1/students/", f"/api/v1/students/{pupil('王子涵')}"
    check(document, base, "get", lin.get(f"{base}?foo=1"))
    check(document, base, "post", lin.post(base, data=b"x"))
    check(document, base, "post", lin.post(base, json=[]))
    check(document, base, "post", lin.post(base, json={"foo": 1}))
    check(document, base + "{pk}", "get", lin.get(f"{base}999999"))
    check(document, base + "{pk}", "put", lin.put(one, json={}))
    check(document, base + "{pk}", "put", lin.put(one, json={}, headers={"If-Match": '"7"'}))
    check(document, base + "{pk}", "delete", lin.delete(one, headers={"If-Match": '"1"'}))
    check(document, "/api/v1/schools/{pk}", "get", lin.get(f"/api/v1/schools/{school(YIZHONG)}"))


def check(document: Spec, path: str, verb: str, answer: Any) -> None:
    """The answer's code is among those described, and its body fits the schema given there."""
    described = document["paths"][path][verb]["responses"]
    assert str(answer.status_code) in described, (path, verb, answer.status_code)
    schema = resolve(document, described[str(answer.status_code)])["content"]["application/json"]["schema"]
    jsonschema.Draft4Validator(plain(document, schema)).validate(answer.json)


def plain(document: Spec, node: Any) -> Any:
    """An OpenAPI 3.0 schema as the JSON schema it stands for; no property may come that is not described."""
    if isinstance(node, list):
        return [plain(document, one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {name: plain(document, one) for name, one in resolve(document, node).items()}
    if found.pop("nullable", False) is True:
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("properties"), dict):
        found["additionalProperties"] = False
    return found
