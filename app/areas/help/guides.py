"""The guides under docs/: which there are, whom each is for, their sections, and the page made of one.

A section names the pages it is about in a comment below its heading: `<!-- pages: /students/show/ /students/list/ -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mistune

from app.core.rights import Actor

DOCS = Path(__file__).resolve().parents[3] / "docs"
IMAGES = DOCS / "images"
_SECTION = re.compile(r"^## (?P<title>.+)\n(?:<!-- pages: (?P<pages>.+) -->\n)?", re.MULTILINE)
_TITLE = re.compile(r"^# (.+)\n+(.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """`pages`: what the addresses begin with that it is about."""

    title: str
    pages: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        return anchor_of(self.title)


@dataclass(frozen=True, slots=True)
class Guide:
    """`about`: its first paragraph; `body`: the rest as HTML."""

    key: str
    title: str
    about: str
    sections: tuple[Section, ...]
    body: str
    lang: str = "zh-Hans"  # they are Chinese documents, whatever language the pages speak


def _administers(by: Actor) -> bool:
    return by.has("person:add")


READERS: dict[str, Callable[[Actor], bool]] = {
    "super-admin": lambda by: not by.is_of_bureau and _administers(by),
    "clerk": lambda by: not by.is_of_bureau and by.has("student:edit"),
    "leader": lambda by: not by.is_of_bureau and by.has("student:list") and not by.has("student:edit"),
    "bureau-admin": lambda by: by.is_of_bureau and _administers(by),
    "bureau-viewer": lambda by: by.is_of_bureau and by.has("school:list"),
    "everyone": lambda by: True,
}
"""Each guide, and for whom it is; by what they may do, so that roles of a school's own are served as well."""


def fit_for(by: Actor) -> list[Guide]:
    """The guides for this person, his own before what is everybody's."""
    return [read(key) for key, is_for in READERS.items() if is_for(by)]


def section_on(path: str, guides: list[Guide]) -> tuple[Guide, Section] | None:
    """The section that names the page nearest to this path; of several, that of the first guide."""
    found = [
        (len(page), guide, section)
        for guide in guides
        for section in guide.sections
        for page in section.pages
        if path == page or (page != "/" and path.startswith(page))
    ]
    return max(found, key=lambda one: one[0])[1:] if found else None


@cache
def read(key: str) -> Guide:
    text = (DOCS / f"guide-{key}.md").read_text(encoding="utf-8")
    head = _TITLE.match(text)
    if head is None:
        raise ValueError(f"guide-{key}.md does not begin with a title and a paragraph")
    sections = tuple(_sections(text))
    return Guide(key, head[1], head[2], sections, str(_page_of(text[head.end() :])))


def _sections(text: str) -> Iterator[Section]:
    for found in _SECTION.finditer(text):
        yield Section(found["title"].strip(), tuple((found["pages"] or "").split()))


# --- Markdown -----------------------------------------------------------------------------------------


def anchor_of(title: str) -> str:
    """As GitHub makes it, so that links hold in both places."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title.strip().lower()))


class _Page(mistune.HTMLRenderer):
    """Headings can be linked to, guides and pictures are found where they are served, and no HTML comes in."""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f'<h{level} id="{mistune.escape(anchor_of(text))}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, re.sub(r"^guide-([a-z-]+)\.md", r"/help/\1", url), title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        picture = super().image(text, "/help/" + url, title).replace("<img ", '<img loading="lazy" ')
        return f'<a href="{mistune.escape("/help/" + url)}">{picture}</a>'

    def block_html(self, html: str) -> str:
        return ""


_page_of = mistune.create_markdown(renderer=_Page(escape=True), plugins=["table"])
