"""Every address as every person in both languages: no Chinese in English answers and no English in Chinese ones,
except data.

Data are what the database holds: each value whole, as it is shown. So a word of the program passes for data only where
some row has the very same text, and such rows are renamed before the walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.flows import every_url

ROWS = every_url.read_table()
SPOKEN = frozenset({"aria-label", "title", "placeholder", "alt", "value", "label", "content"})
"""Attributes that are read out or shown; and every data-…, from which scripts take their words."""
VOID = frozenset({"input", "meta", "link", "img", "br", "hr", "wbr", "source", "col", "rect", "use"})


# --- what a page says -----------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects what is shown or read out, but for elements that say they are in `foreign`."""

    def __init__(self, foreign: str) -> None:
        super().__init__()
        self.foreign, self.said, self.open = foreign, [], []
        self.lang = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "html":
            self.lang = named.get("lang") or ""
        hushed = (
            self.hushed or tag in ("script", "style") or (named.get("lang") or "").startswith(self.foreign)
        )
        if not hushed:
            for name, text in attrs:
                if text and (name in SPOKEN or name.startswith("data-")) and named.get("type") != "hidden":
                    self.said.append(text)
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

    found: set[str] = set()
    for mapper in db.Model.registry.mappers:
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
