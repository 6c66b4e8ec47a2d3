"""Every address as every person in both languages: no Chinese in English answers and no English in Chinese ones,
except data.

Data are what the database holds: each text whole, and what rows are called. A text that is also a word of the program
is none, so that no sentence passes because a row happens to say the same; roles, which do, get other names before the
walk. An element that says it is in the other language (`lang`) may be: the guides, the text of a document, the name of
a language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.translations import words
from tests.flows import every_url, world
from tests.flows.every_url import PEOPLE, Row
from tests.sites import Site

ROWS = every_url.read_table()
SPOKEN = frozenset({"aria-label", "title", "placeholder", "alt", "label"})
"""Attributes that are read out or shown; and every data-…, from which scripts take their words."""
IDENTIFIER = re.compile(r"[\w./?=&:-]+", re.ASCII)
VOID = frozenset({"input", "meta", "link", "img", "br", "hr", "wbr", "source", "col", "rect", "use"})


# --- what a page says -----------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects what is shown or read out, but for elements that say they are in `foreign`."""

    def __init__(self, foreign: str) -> None:
        super().__init__()
        self.foreign, self.said, self.open = foreign, [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        hushed = (
            self.hushed
            or tag in ("script", "style", "meta")
            or (named.get("lang") or "").startswith(self.foreign)
        )
        if not hushed:
            self.said += [text for name, text in attrs if text and is_spoken(tag, name, text, named)]
        self.said += says_in(json.loads(named.get("data-checks") or "{}"))
        if tag not in VOID:
            self.open.append((tag, hushed))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, text: str) -> None:
        if not self.hushed and text.strip():
            self.said.append(text.strip())

    @property
    def hushed(self) -> bool:
        return bool(self.open) and self.open[-1][1]


SENTENCES = frozenset({"says", "never", "late", "early"})


def says_in(checks: Any) -> Iterator[str]:
    """The sentences among the steps that a script takes while one types; the rest are patterns."""
    if isinstance(checks, dict):
        yield from (text for key, text in checks.items() if key in SENTENCES and isinstance(text, str))
        yield from (text for part in checks.values() for text in says_in(part))
    elif isinstance(checks, list):
        yield from (text for part in checks for text in says_in(part))


def is_spoken(tag: str, name: str, text: str, named: dict[str, str | None]) -> bool:
    if name == "value":
        return tag == "input" and named.get("type") not in ("hidden", "checkbox", "radio")
    if name in ("data-check", "data-checks", "data-day", "data-spelled"):
        return False
    return name in SPOKEN or (name.startswith("data-") and not IDENTIFIER.fullmatch(text))


def said_by(answer: TestResponse, foreign: str) -> list[str]:
    if answer.mimetype == "text/html":
        reader = Reader(foreign)
        reader.feed(answer.text)
        return reader.said
    return list(strings_in(answer.json)) if answer.is_json else []


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (one for part in value.values() for one in strings_in(part))
    elif isinstance(value, list):
        yield from (one for part in value for one in strings_in(part))
    elif isinstance(value, str):
        yield value


# --- what are data --------------------------------------------------------------------------------------


def data_of(session: Session) -> set[str]:
    """Every text in the database, and what every row is called."""
    from app.core.entity import Entity
    from app.extensions import db

    found: set[str] = set(WRITTEN)
    engine = session.get_bind().execution_options(unguarded=True)
    tables = set(sa.inspect(engine).get_table_names())  # other tests have declared more
    for mapper in db.Model.registry.mappers:
        if mapper.local_table.name not in tables:
            continue
        for obj in session.scalars(sa.select(mapper.class_)):
            for column in mapper.column_attrs:
                found |= set(strings_in(getattr(obj, column.key)))
            if isinstance(obj, Entity):
                found |= names_of(obj)
    return found


def names_of(obj: Any) -> set[str]:
    """What the program makes of a row: its name, a grade's and a class's, and what a mask leaves."""
    found = {obj.shown()} | {getattr(obj, name) for name in MADE if hasattr(type(obj), name)}
    for name, field in type(obj).fields().items():
        value = getattr(obj, name)
        if isinstance(value, str) and field.mask is not None:
            found.add(field.mask(value))
    return {one for one in found if one}


MADE = ("name", "full_name", "cohort")
CALLED = {
    "/audit/": {"初中", "高中", "自建角色"},
    "/bureau/audit/": {"初中", "高中"},
    "/api/v1/audit/": {"自建角色"},
    "/drafts/": {"现住址"},
}
"""Where rows are kept under names that are words of the program as well, as they were called."""
WRITTEN = {f"{name}写了一半" for name in PEOPLE}
"""In sealed drafts."""


# --- the walk -------------------------------------------------------------------------------------------

WIDE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]+")
"""Han and the punctuation that goes with it."""
SECRET = re.compile(r"(?:[A-Z2-7]{4} ?){8}")
"""The key of a second step, new on every page."""
LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]+")
NEVER_ASKED = ("/logout/", "/language/")
"""They would change who asks, or how he is answered."""
ANSWERED = {"GET": ".FN", "POST": "VFBP", "PUT": "VFBP"}
"""Letters of the table whose answers say something; of reading all, of writing what is refused."""


@cache
def program() -> frozenset[str]:
    return frozenset(str(one.id) for one in words.read() if one.id)


@pytest.fixture
def ids(site: Site, app: Flask) -> world.Ids:
    if site.kind != "sqlite":
        pytest.skip("words do not depend on the database")
    return world.furnish(app)


def prepare(app: Flask, language: str) -> set[str]:
    """Everybody speaks the language, and nobody and no role is called as something in the program. Returns the data."""
    from app.core import audit, rights, scope
    from app.core.rights import Role, User
    from app.extensions import db
    from app.surfaces import languages

    with app.app_context():
        languages.speak(language)
        db.session.execute(sa.update(User).values(language=language))
        db.session.execute(sa.update(User).where(User.first_name == "运维").values(first_name="运维员"))
        db.session.execute(
            sa.update(Role).values(label=Role.label + "〇", description=Role.description + "〇")
        )
        db.session.commit()
        with scope.acting(db.session(), rights.system("tests")):
            found = data_of(db.session())
        db.session.remove()
    return {one for one in found if one not in program()} - set(audit.OWN_WORDS)


LIKE = {"qian": "sun", "cheng": "sun", "xu": "sun", "wang": "lin", "gao": "lin", "tang": "zhao"}
"""Who holds the same role as another: he is asked for his pages only, since what is refused is refused in the same words."""


def answers(app: Flask, person: str, language: str, ids: world.Ids) -> Iterator[tuple[Row, TestResponse]]:
    """One answer of each kind that each route gives this person."""
    client, asked = every_url.enter(app, person), set()
    client.set_cookie("language", language)
    for row in ROWS:
        rule = every_url.rule_of(app, row, ids)
        kind = (rule.rule if rule else "", row.method, row.letters[person])
        if kind in asked or row.letters[person] not in ANSWERED.get(row.method, ""):
            continue
        if row.address.startswith(NEVER_ASKED) or (person in LIKE and not is_page(row, person)):
            continue
        asked.add(kind)
        yield row, every_url.ask(client, row, ids)


def is_page(row: Row, person: str) -> bool:
    return row.method == "GET" and row.letters[person] == "." and not row.address.startswith("/api/")


def pattern(data: set[str]) -> re.Pattern[str]:
    """Matches each text of the data that is Chinese, whole, the longest first."""
    chinese = sorted((one for one in data if WIDE.search(one)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, chinese)))


def foreign_in(text: str, is_data: re.Pattern[str]) -> list[str]:
    return WIDE.findall(is_data.sub("", text)) if WIDE.search(text) else []


RUN_ON = re.compile(r"\w*[a-z][.;:]?[A-Z]\w*")
"""Two English words or sentences without the space that Chinese does not need."""


@cache
def english() -> str:
    return " ".join(str(one.string) for one in words.read())


def run_together(text: str) -> list[str]:
    return [one for one in RUN_ON.findall(text) if one not in english()]


@pytest.mark.parametrize("person", PEOPLE)
def test_no_chinese_on_english_pages_except_data(app: Flask, ids: world.Ids, person: str) -> None:
    is_data = pattern(prepare(app, "en"))
    found: dict[str, str] = {}
    for row, answer in answers(app, person, "en", ids):
        if answer.mimetype == "text/html":
            assert '<html lang="en">' in answer.text, row
        for text in said_by(answer, foreign="zh"):
            if text in next((called for path, called in CALLED.items() if row.address.startswith(path)), ()):
                continue
            if left := foreign_in(text, is_data) or (answer.mimetype == "text/html" and run_together(text)):
                found.setdefault("".join(left), f"{row}: {text[:80]}")
    assert found == {}


@pytest.mark.parametrize("person", [one for one in PEOPLE if one not in LIKE])
def test_no_english_on_chinese_pages_except_data(app: Flask, ids: world.Ids, person: str) -> None:
    known = {
        word.casefold() for text in (*prepare(app, "zh_Hans_CN"), *program()) for word in LATIN.findall(text)
    }
    known |= NAMES | identifiers()
    found: dict[str, str] = {}
    for row, answer in answers(app, person, "zh_Hans_CN", ids):
        if answer.mimetype != "text/html":
            continue
        assert '<html lang="zh-Hans-CN">' in answer.text, row
        for text in said_by(answer, foreign="en"):
            for word in LATIN.findall(SECRET.sub("", text)):
                if word.casefold() not in known:
                    found.setdefault(word, f"{row}: {text[:80]}")
    assert found == {}


NAMES = frozenset({"ctrl", "enter", "esc", "excel", "pdf", "qq", "qlx", "zhuang"})
"""Of keys and formats; pinyin that the guides say one may type."""


def identifiers() -> set[str]:
    """What the data dictionary and the description of the API call things by."""
    from app.core import codes
    from app.core.entity import registry

    names = {name for entity in registry for name in (entity.key(), *entity.fields())}
    names |= set(codes.names()) | {code for name in codes.names() for code, _label in codes.table(name).all()}
    return {word.casefold() for name in names for word in LATIN.findall(name)}


# --- the walk notices -----------------------------------------------------------------------------------


PAGE = """<html lang="en"><body data-none="没有" data-url="/a/list"><p>Pupil <b>欧阳若曦</b></p>
<button title="保存">Save</button><input value="七年级"><input type="hidden" value="不显示"><br>
<span lang="zh-Hans">中文<i>标题</i></span><i>after</i></body></html>"""


def test_what_is_said_by_a_page_is_all_that_people_meet() -> None:
    reader = Reader("zh")
    reader.feed(PAGE)
    assert reader.said == ["没有", "Pupil", "欧阳若曦", "保存", "Save", "七年级", "after"]


def test_a_name_hides_no_word_beside_it() -> None:
    assert foreign_in("欧阳若曦的照片", pattern({"欧阳若曦"})) == ["的照片"]
    assert foreign_in("Photo of 欧阳若曦", pattern({"欧阳若曦"})) == []
    assert foreign_in("Photo：yes", pattern({"欧阳若曦"})) == ["："]


def test_words_that_run_together_are_noticed() -> None:
    assert run_together("EditPupil") == ["EditPupil"]
    assert run_together("It is wrong.Please check it") == ["wrong.Please"]
    assert run_together("Wrong. Please use DingTalk") == []


def test_every_sentence_of_a_check_is_read() -> None:
    checks = [
        {"ok": r"\d+", "says": "不对"},
        {"either": [{"never": "没有这天", "late": "太晚", "early": "太早"}]},
    ]
    assert list(says_in(checks)) == ["不对", "没有这天", "太晚", "太早"]
