"""Cells of a list as HTML: whatever stands in them stays text, since no template escapes it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.surfaces.drawing import drawn, row_drawer
from app.surfaces.viewmodels import Cell, Column, Row

NASTY = """<b a="1" b='2'>&amp;</b>"""
TEXT = st.text(st.sampled_from("<>&\"'=/ 张a;"), min_size=1, max_size=12)


class Read(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(str(text))  # what is marked as safe would escape what is added to it
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("cell", "tag", "attribute"),
    [
        (Cell(NASTY), "", ""),
        (Cell(NASTY, url=NASTY), "a", "href"),
        (Cell(NASTY, tone="warn"), "span", ""),
        (Cell(NASTY, lang="zh-Hans"), "span", ""),
        (Cell(NASTY, masked=True), "span", ""),
        (Cell(NASTY, picture=NASTY), "img", "src"),
    ],
)
def test_each_kind_of_cell_keeps_its_text_as_text(app: Flask, cell: Cell, tag: str, attribute: str) -> None:
    with app.test_request_context("/"):
        read = Read(drawn(cell))
    assert read.tags == ([tag] if tag else [])
    assert (read.attributes["alt"] if cell.picture else read.text) == NASTY
    assert not attribute or read.attributes[attribute] == NASTY


@settings(max_examples=60)
@given(name=TEXT, label=TEXT, second=TEXT)
def test_a_row_is_its_cells_and_nothing_that_stands_in_them(
    app: Flask, name: str, label: str, second: str
) -> None:
    with app.test_request_context("/"):
        draw = row_drawer([Column("a", label), Column("b", label)], "选择")
        read = Read(draw(Row(1, None, (Cell(name), Cell(second)))))
    assert read.tags == ["th", "label", "input", "td"]
    assert read.text == name + second
    assert (read.attributes["data-label"], read.attributes["aria-label"]) == (label, f"选择{name}")
