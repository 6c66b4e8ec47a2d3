"""A person of another place sends whatever comes to mind: nothing of the other place is shown, nothing of it changes.

Requests are made from the routes there are, so that a new route is attacked as soon as it exists.
`FUZZ=2000 pytest tests/flows/test_scope_fuzz.py` goes on for longer, along another path each time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.areas.students import numbers
from tests import cast
from tests.cast import CHENGGUAN, QINGLAN, SHIXI, YIZHONG
from tests.client import Client
from tests.flows import every_url, world
from tests.sites import Site

EXAMPLES = int(os.environ.get("FUZZ", "0"))
USUAL = {"sqlite": 100, "postgres": 30}
NOT_ASKED = ("/login/", "/logout/", "/account", "/static", "/bootstrap", "/healthz", "/api/v1/security")
OF_PEOPLE = ("/people/", "/roles/", "/grants/", "/api/v1/roles/", "/api/v1/grants/")  # walled by themselves

OF_NO_ROW = ("/lists/views/",)  # the numbers there are those of saved views

Key = tuple[str, int]
"""(entity, id)."""
RowValues = Mapping[str, Any]


# --- what lies elsewhere, by the columns alone --------------------------------------------------------


def is_not_wangs(row: RowValues, pupil: RowValues | None) -> bool:
    return row["school_id"] != cast.school(CHENGGUAN)


def is_not_zhous(row: RowValues, pupil: RowValues | None) -> bool:
    if pupil is not None:
        return pupil["class_id"] != cast.class_of(YIZHONG, 7, 1)
    return row["school_id"] != cast.school(YIZHONG)


def is_not_chens(row: RowValues, pupil: RowValues | None) -> bool:
    code = (pupil or row)["authority_code"]
    return code != QINGLAN if code else row["school_id"] not in (1, 2)


OUTSIDERS: dict[str, Callable[[RowValues, RowValues | None], bool]] = {
    "wang": is_not_wangs,  # the clerk of another school
    "zhou": is_not_zhous,  # the class teacher, for everything beyond the own class
    "chen": is_not_chens,  # the county's viewer, for the city's senior pupils and the next county
}


@dataclass
class Elsewhere:
    """What a person must neither see nor touch, and what is there to be tried."""

    app: Flask
    is_foreign: Callable[[RowValues, RowValues | None], bool]
    before: dict[Key, dict[str, Any]] = field(default_factory=dict)
    own: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before, self.own = self.split()
        own = " ".join(_words(self.own))
        self.words = sorted(word for word in _words(self.before) if word not in own)
        assert len(self.words) > 20, "there must be something to hide"

    def split(self) -> tuple[dict[Key, dict[str, Any]], dict[Key, dict[str, Any]]]:
        """(rows elsewhere, own rows), as they are now."""
        rows = world.all_rows(self.app)
        there = {key for key, row in rows.items() if self._lies_there(key, row, rows)}
        return {k: rows[k] for k in there}, {k: row for k, row in rows.items() if k not in there}

    def _lies_there(self, key: Key, row: RowValues, rows: Mapping[Key, RowValues]) -> bool:
        entity, id_ = key
        if entity in ("academic_year", "term"):
            return False
        if entity == "notice":
            return row["region_code"] == SHIXI  # what the county and the city say is for all three
        if entity == "change_party":
            row = rows["change", row["change_id"]]
        student = id_ if entity == "student" else row.get("student_id")
        place = {"authority_code": None, **row} | (
            {"school_id": id_, "authority_code": None} if entity == "school" else {}
        )
        return self.is_foreign(place, rows.get(("student", student)) if student else None)

    def ids(self, entity: str, *, own: bool = False) -> list[int]:
        return sorted(id_ for key, id_ in (self.own if own else self.before) if key == entity)

    def crossings(self, own: Mapping[Key, RowValues]) -> set[tuple[Key, str, int]]:
        """Keys of own rows that point at rows elsewhere."""
        from app.core.entity import registry

        targets = {
            (e.key(), name): f.target.partition(".")[0]  # type: ignore[attr-defined]
            for e in registry
            for name, f in e.fields().items()
            if f.kind == "key"
        }
        return {
            (key, name, row[name])
            for key, row in own.items()
            for (entity, name), target in targets.items()
            if entity == key[0] and (target, row[name]) in self.before
        }


def _words(rows: Mapping[Key, RowValues]) -> set[str]:
    """Names, sentences and numbers of these rows, and their masks: what would be recognized on a screen."""
    from app.core.entity import registry
    from app.core.fields import Code, Text

    found = set()
    for (entity, _id), row in rows.items():
        for name, one in registry[entity].fields().items():
            value = row[name]
            if isinstance(one, Text) and not isinstance(one, Code) and value:
                found |= {value, one.mask(value) if one.mask else value}
    return {word for word in found if re.search(r"[\u4e00-\u9fff]", word) or len(word.replace("*", "")) > 6}


# --- making requests ----------------------------------------------------------------------------------


def honest(there: Elsewhere, entity: Any, target: Key | None, n: int) -> dict[str, Any]:
    """What would be accepted: the row itself for an edit; for an add one like it that there is not yet."""
    own = there.own.get(target) if target else _new(there, entity, n)
    return {
        name: one.dump(own[name])
        for name, one in entity.fields().items()
        if own
        and own.get(name) is not None
        and (one.edit.value == "freely" if target else one.form or one.kind == "key")
    }


def _new(there: Elsewhere, entity: Any, n: int) -> dict[str, Any]:
    if entity.key() == "student":
        first = f"51992120140404{n * 10 + 1:03d}"
        number = {"id_type": "1", "id_number": first + numbers.check_digit(first)}
        return cast.plain(**number, grade_id=there.ids("grade", own=True)[0], class_id=None)
    rows = there.ids(entity.key(), own=True)
    own = there.own[entity.key(), rows[0]] if rows else {}
    fresh = {"number": n, "entry_year": 1990 + n % 30}
    fresh |= {"name": f"分部{n}"} if entity.key() == "campus" else {}
    return {**own, **{name: value for name, value in fresh.items() if name in own}}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    target: Key | None = None

    def send(self, client: Client) -> TestResponse:
        words = {"query_string": self.query, "headers": self.headers, "data": self.form, "json": self.json}
        return client.open(self.path, method=self.method, **{k: v for k, v in words.items() if v})

    def said(self) -> str:
        return unquote_plus(repr(self))


class Attack:
    """Draws requests at one person's routes."""

    def __init__(self, there: Elsewhere, data: st.DataObject) -> None:
        self.there, self.draw = there, data.draw

    def request(self, rules: list[tuple[Rule, str]]) -> Request:
        rule, method = self.draw(st.sampled_from(rules))
        path, entity, target = self._fill(rule)
        if method == "GET":
            return Request(method, path, self._query(entity), target=target)
        if path.startswith("/api/"):
            tag = {"If-Match": f'"{self._version(target)}"'}
            body = (
                {"number": self._text()} if path.endswith("/search") else self._body(entity, target, raw=True)
            )
            return Request(method, path, json=body, headers=tag if method != "POST" else {}, target=target)
        return Request(method, path, form=self._form(path, entity, target), target=target)

    def _fill(self, rule: Rule) -> tuple[str, Any, Key | None]:
        """The rule's address with its blanks filled, the entity it is about, the row it names."""
        from app.core.entity import registry

        entity: Any = next((e for e in registry if e.__path__ and f"/{e.__path__}/" in rule.rule + "/"), None)
        path = rule.rule.replace("<version>", "v1")
        if "<table>" in path or "<path>" in path:
            entity = self.draw(st.sampled_from([e for e in registry if e.__path__]))
            path = path.replace("<table>", entity.key()).replace("<path>", entity.__path__)
        if "<int:pk>" not in path:
            return path, entity, None
        key = entity.key() if entity is not None else "student"
        pk = self._id(key)
        is_row = not path.startswith(OF_NO_ROW)
        return path.replace("<int:pk>", str(pk)), entity, (key, pk) if is_row else None

    def _id(self, entity: str) -> int:
        there, own = self.there.ids(entity), self.there.ids(entity, own=True)
        pools = [st.sampled_from(pool) for pool in (there, there, own) if pool]
        return self.draw(st.one_of(*pools, st.sampled_from([0, 999_999, 2**63])))

    def _text(self) -> str:
        words = st.sampled_from(self.there.words)
        parts = words.map(lambda word: word[:2])
        return self.draw(
            st.one_of(
                words, parts, st.sampled_from(["z", "l", "1", "%", "_", "", "zhao"]), st.text(max_size=8)
            )
        )

    def _value(self, entity: Any, name: str) -> str:
        """Something for a field: a row elsewhere for a key, a value from there for the rest."""
        one = entity.fields().get(name) if entity is not None else None
        if one is not None and one.kind == "key":
            return str(self._id(one.target.partition(".")[0]))
        if one is not None and one.options() and self.draw(st.booleans()):
            return self.draw(st.sampled_from([value for value, _label in one.options()]))
        rows = [row[name] for (key, _id), row in self.there.before.items() if entity is not None and key == entity.key()
                and row.get(name) is not None]  # fmt: skip
        if rows and self.draw(st.booleans()):
            value = self.draw(st.sampled_from(rows))
            return str(one.dump(value)) if one is not None else str(value)
        return self._text()

    def _query(self, entity: Any) -> dict[str, str]:
        names = [*entity.fields(), "id", "school.name", "student"] if entity is not None else ["region"]
        asked: dict[str, str] = {}
        for _n in range(self.draw(st.integers(0, 3))):
            what = self.draw(
                st.sampled_from(["filter", "filter", "range", "q", "sort", "page", "found", "size"])
            )
            name = self.draw(st.sampled_from(names))
            if what in ("filter", "range"):
                ending = self.draw(st.sampled_from(["__from", "__to"])) if what == "range" else ""
                asked[name + ending] = self._value(entity, name)
            elif what == "page":
                asked[self.draw(st.sampled_from(["after", "before"]))] = str(
                    self._id(entity.key() if entity else "student")
                )
            else:
                ids = ",".join(map(str, self.there.ids(entity.key() if entity else "student")))
                sign = self.draw(st.sampled_from(["", "-"]))
                asked[what] = {"q": self._text(), "sort": sign + name, "found": ids or "1", "size": "200"}[
                    what
                ]
        return asked

    def _version(self, target: Key | None) -> int:
        row = self.there.before.get(target) or self.there.own.get(target) if target else None
        return int(row["version"]) if row else 1

    def _body(self, entity: Any, target: Key | None, *, raw: bool) -> dict[str, Any]:
        """A form as somebody would send it, with some fields turned elsewhere."""
        if entity is None:
            return {}
        base = honest(self.there, entity, target, self.draw(st.integers(10, 99)))
        if self.draw(st.booleans()):
            for name in self.draw(st.lists(st.sampled_from(list(entity.fields())), max_size=3, unique=True)):
                base[name] = self._value(entity, name)
        keys = [name for name, one in entity.fields().items() if one.kind == "key"]
        if keys and self.draw(st.booleans()):
            name = self.draw(st.sampled_from(keys))
            base[name] = self._value(entity, name)
            base[name] = int(base[name]) if raw else base[name]
        return base

    def _form(self, path: str, entity: Any, target: Key | None) -> dict[str, Any]:
        if path.startswith("/search/"):
            return {"q": self._text(), "site": self.draw(st.sampled_from(["", "bureau"]))}
        if path.startswith("/lists/find/"):
            lines = [self._text() for _n in range(3)]
            return {"pasted": "\n".join(lines), "site": self.draw(st.sampled_from(["", "bureau"]))}
        if path.startswith(("/lists/bulk/", "/print/chosen/")):
            return self._choice(path, entity)
        if path.startswith("/reveal/"):
            return {
                "id": [self._id(entity.key()) for _n in range(3)],
                "reason": "核对号码",
                "next": self._text(),
            }
        body = {"version": str(self._version(target))} if target else {}
        body |= {name: _typed(value) for name, value in self._body(entity, target, raw=False).items()}
        if entity is not None and entity.key() in ("student", "school_class") and self.draw(st.booleans()):
            body |= self._nested("family_member" if entity.key() == "student" else "class_grade")
        return body

    def _choice(self, path: str, entity: Any) -> dict[str, Any]:
        """Rows of a list, and what is to become of them."""
        key = entity.key() if entity is not None else "student"
        ids = [self._id(key) for _n in range(4)]
        if path.endswith("-now"):
            body: dict[str, Any] = {"rows": ",".join(f"{id_}:{self._version((key, id_))}" for id_ in ids)}
        else:
            body = {"id": ids, "every": self.draw(st.sampled_from(["", "1"]))}
        if "/edit" in path and entity is not None and entity.fields():
            name = self.draw(st.sampled_from(list(entity.fields())))
            body |= {"field": name, f"to-{name}": self._value(entity, name)}
        return body

    def _nested(self, child: str) -> dict[str, str]:
        from app.core.entity import registry

        id_, row = self._id(child), f"{child}-0-"
        found = {row + "id": str(id_), row + "version": str(self._version((child, id_)))}
        if self.draw(st.booleans()):
            found[row + "gone"] = "1"
        for name in self.draw(
            st.lists(st.sampled_from(list(registry[child].fields())), max_size=3, unique=True)
        ):
            found[row + name] = self._value(registry[child], name)
        return found


def _typed(value: Any) -> str:
    return {True: "1", False: "0"}.get(value, str(value)) if isinstance(value, bool) else str(value)


# --- looking at answers -------------------------------------------------------------------------------


def shown(answer: TestResponse) -> str:
    text = answer.data.decode("utf-8", "replace")  # a sheet is no text
    return unquote_plus(answer.headers.get("Location", "")) + "\n" + text


def entity_of(path: str) -> str:
    """The key of the entity that an address is about, or "" where it is about several or none."""
    from app.core.entity import registry

    words = path.split("/")
    found = [e.key() for e in registry if (e.__path__ and e.__path__ in words) or e.key() in words]
    return found[0] if len(found) == 1 else ""


def numbers_in(text: str) -> set[Key]:
    """Rows that a page links to or a redirect names."""
    links = re.findall(r"/([a-z-]+)/(?:show|edit|delete|list)/(?:\?found=)?(\d+(?:,\d+)*)", text)
    return {(entity_of(f"/{path}/"), int(id_)) for path, ids in links for id_ in ids.split(",")}


def rows_in(answer: TestResponse, request: Request) -> set[Key]:
    """Rows that an API gives."""
    if not answer.is_json:
        return set()
    found = answer.json.get("result", answer.json.get("items", []))
    ids = {one["id"] for one in ([found] if isinstance(found, dict) else found) if isinstance(one, dict)}
    return {(entity_of(request.path), id_) for id_ in ids | set(answer.json.get("ids", []))}


TOLD_ACROSS = {"/address-book/list/": ("school", "name"), "/find": ("school", "name")}
"""Pages that tell one column of rows elsewhere, and are there for it: where the people of the address book work."""


def told_across(request: Request, there: Elsewhere) -> set[str]:
    entity, column = TOLD_ACROSS.get(request.path, ("", ""))
    return {row[column] for key, row in there.before.items() if key[0] == entity}


def look_at(answer: TestResponse, request: Request, there: Elsewhere) -> None:
    text, said = shown(answer), request.said()
    assert answer.status_code < 500, request
    if words := [word for word in there.words if word in text and word not in said]:
        own = " ".join(_words(there.split()[1]))  # they may hold by now what was typed before
        words = [word for word in words if word not in own]
    assert set(words) <= told_across(request, there), request
    named = (
        numbers_in(text) if "found" not in request.query else set()
    )  # a list repeats what it was asked for
    assert ((named - {request.target}) | rows_in(answer, request)) & set(there.before) == set(), request
    if request.target in there.before:
        assert answer.status_code in (403, 404), request
    if request.method != "GET" and answer.status_code < 400:
        nothing_changed(there, request)
    if answer.is_json and "count" in answer.json:
        assert answer.json["count"] <= len(there.split()[1]), request


def nothing_changed(there: Elsewhere, request: Request | None = None) -> None:
    now, own = there.split()
    changed = {key for key in now.keys() | there.before.keys() if now.get(key) != there.before.get(key)}
    assert changed == set(), request
    assert there.crossings(own) - there.crossings(there.own) == set(), request


# --- the properties -----------------------------------------------------------------------------------


@dataclass
class Attacker:
    """One of OUTSIDERS in the browser, with the routes to which any right is held."""

    person: str
    client: Client
    there: Elsewhere
    rules: list[tuple[Rule, str]]

    def routes(self, kind: str) -> list[tuple[Rule, str]]:
        """`kind`: "read", "page" for what pages write, "rest" for what the API writes."""
        return [
            (rule, method)
            for rule, method in self.rules
            if kind == ("read" if method == "GET" else "rest" if rule.rule.startswith("/api/") else "page")
        ]


@pytest.fixture(params=sorted(OUTSIDERS))
def attacker(request: pytest.FixtureRequest, app: Flask) -> Attacker:
    person, ids = request.param, world.furnish(app)
    rows = [row for row in every_url.read_table() if row.letters[person] not in "FL"]
    open_to = {
        (rule.rule, row.method) for row in rows if (rule := every_url.rule_of(app, row, ids)) is not None
    }
    rules = [
        one
        for one in every_url.routes(app)
        if (one[0].rule, one[1]) in open_to and not one[0].rule.startswith(NOT_ASKED + OF_PEOPLE)
    ]
    return Attacker(person, every_url.enter(app, person), Elsewhere(app, OUTSIDERS[person]), rules)


def fuzz(site: Site, test: Callable[[st.DataObject], None]) -> None:
    """Runs one property: always along the same path, unless FUZZ asks for a longer walk."""
    chosen = settings(
        max_examples=EXAMPLES or USUAL[site.kind],
        derandomize=not EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    chosen(given(st.data())(test))()


@pytest.mark.parametrize("kind", ["read", "page", "rest"])
def test_nothing_from_elsewhere_is_shown_or_changed(site: Site, attacker: Attacker, kind: str) -> None:
    there, rules = attacker.there, attacker.routes(kind)

    def one_request(data: st.DataObject) -> None:
        request = Attack(there, data).request(rules)
        look_at(request.send(attacker.client), request, there)

    fuzz(site, one_request)
    nothing_changed(there)


@pytest.mark.parametrize("attacker", ["wang", "zhou"], indirect=True)
def test_no_key_of_an_own_row_is_turned_elsewhere(attacker: Attacker) -> None:
    """Each key of each entity, by page and by REST, in a new row and in an old one, in an otherwise honest form."""
    from app.core.entity import registry

    there, tried = attacker.there, 0
    for rule, method in attacker.routes("page") + attacker.routes("rest"):
        entity = next((e for e in registry if e.key() == entity_of(rule.rule)), None)
        if (
            entity is None
            or method == "DELETE"
            or not re.search(r"/(add|edit/<int:pk>|<int:pk>|)$", rule.rule)
        ):
            continue
        target = (entity.key(), there.ids(entity.key(), own=True)[0]) if "<int:pk>" in rule.rule else None
        for name, one in entity.fields().items():
            for row_id in there.ids(one.target.partition(".")[0])[:3] if one.kind == "key" else ():
                tried += 1
                body = honest(there, entity, target, 10 + tried) | {name: row_id}
                answer = _send(attacker, rule.rule, method, target, body)
                assert answer.status_code in (403, 404, 422), f"{method} {rule.rule} {name}"
                nothing_changed(there)
    assert tried > 20


def _send(
    attacker: Attacker, rule: str, method: str, target: Key | None, body: dict[str, Any]
) -> TestResponse:
    path = rule.replace("<int:pk>", str(target[1] if target else ""))
    version = str(attacker.there.own[target]["version"]) if target else ""
    if path.startswith("/api/"):
        tag = {"If-Match": f'"{version}"'} if target else {}
        return attacker.client.open(path, method=method, json=body, headers=tag)
    typed = {name: _typed(value) for name, value in body.items()}
    return attacker.client.post(path, data=typed | ({"version": version} if target else {}))


def test_a_list_counts_only_what_is_the_readers_own(attacker: Attacker) -> None:
    from app.core.entity import registry

    for entity in registry:
        if entity.__scope__ in ("open", "audit") or "list" not in entity.__actions__:
            continue
        answer = attacker.client.get(f"/api/v1/{entity.__path__}/")
        if answer.status_code == 200:
            own = {
                id_
                for (key, id_), row in attacker.there.own.items()
                if key == entity.key() and not row.get("deleted_at")
            }
            assert set(answer.json["ids"]) <= own, entity
            assert answer.json["count"] == len(answer.json["ids"]), entity


# --- accounts are no entities and have a wall of their own --------------------------------------------


OF_ACCOUNTS = ("role_id", "school_id", "grade_ids", "class_ids", "person_id", "template_id", "right", "until")


def test_a_super_admin_reaches_no_account_of_another_unit(site: Site, app: Flask) -> None:
    """李老师 tries every page and API of people, roles and grants with accounts, grants, roles, schools, grades and
    classes of others."""
    ids, client = world.furnish(app), every_url.enter(app, "li")
    others = {one.username: one.name for one in cast.PEOPLE if one.at != YIZHONG}
    rules = [one for one in every_url.routes(app) if one[0].rule.startswith(OF_PEOPLE)]
    before = _by_unit(app)

    def one_request(data: st.DataObject) -> None:
        rule, method = data.draw(st.sampled_from(rules))
        person = data.draw(st.sampled_from([*others, *others, "lin", "zhou"]))
        is_far = person in others
        if "/roles/" in rule.rule:
            pk = ids["roles"][data.draw(st.sampled_from(["near", "far", "county"])) if is_far else "ours"]
        elif "/grants/" in rule.rule and not rule.rule.startswith("/grants/add"):
            pk = ids["grants"][person]
        else:
            pk = cast.person(person)
        path = rule.rule.replace("<int:pk>", str(pk))
        typed = _junk_of_accounts(data, method, others, is_json=path.startswith("/api/"))
        words = "query_string" if method == "GET" else "json" if path.startswith("/api/") else "data"
        answer = client.open(path, method=method, headers={"If-Match": '"1"'}, **{words: typed})
        text, said = shown(answer), f"{method} {path} {typed}"
        assert answer.status_code < 500, said
        assert [name for name in others.values() if name in text and name not in said] == [], said
        if path != rule.rule and is_far:
            says = 403 if "/confirm" in path or "/refuse" in path else 404  # the right itself is the bureau's
            assert answer.status_code == says, said

    fuzz(site, one_request)
    assert {unit: rows for unit, rows in _by_unit(app).items() if unit != (cast.school(YIZHONG), None)} == {
        unit: rows for unit, rows in before.items() if unit != (cast.school(YIZHONG), None)
    }


def _junk_of_accounts(
    data: st.DataObject, method: str, others: Mapping[str, str], *, is_json: bool
) -> dict[str, Any]:
    number = st.sampled_from(["", "x", *map(str, range(1, 14))])
    words = ("after", "before", "person", "role") if method == "GET" else OF_ACCOUNTS
    typed: dict[str, Any] = {name: data.draw(number) for name in words if data.draw(st.booleans())}
    if method == "GET":
        return typed | {"q": data.draw(st.sampled_from([*others, *others.values(), "%", "_"]))}
    if is_json:
        return {
            name: [int(one)] if name.endswith("_ids") else int(one)
            for name, one in typed.items()
            if one.isdigit()
        }
    return typed


def _by_unit(app: Flask) -> dict[tuple[int | None, str | None], dict[Key, RowValues]]:
    """(school, region) → the accounts there, the grants that reach there and the roles of their own."""
    found: dict[tuple[int | None, str | None], dict[Key, RowValues]] = {}
    for key, row in world.accounts(app).items():
        found.setdefault((row["school_id"], row["region_code"]), {})[key] = row
    return found
