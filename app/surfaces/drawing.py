"""Cells as HTML. A page has hundreds of them: written by a template, piece by piece, they took a third of its time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup

from app.surfaces.viewmodels import Cell, Column, Row


def drawn(one: Cell, url: str | None = None) -> Markup:
    """What stands in a cell; `url` is where it leads unless it leads somewhere itself."""
    return Markup(_drawn(one, one.url or url, _masked_hint()))  # noqa: S704 - escaped in `_drawn`


def heads(columns: Sequence[Column]) -> list[str]:
    """How every cell of each column begins, for `row_cells`."""
    return [f' data-label="{escape(c.label)}" class="{"num " if c.numeric else ""}' for c in columns]


def row_cells(row: Row, begins: Sequence[str]) -> Markup:
    """The cells of one row of a list, the first as its heading."""
    hint, (first, *rest) = _masked_hint(), row.cells
    parts = [f'<th scope="row"{begins[0]}{first.breaks}">{_drawn(first, first.url or row.url, hint)}</th>']
    for begin, one in zip(begins[1:], rest, strict=True):
        parts.append(f'<td{begin}{one.breaks}">{_drawn(one, one.url, hint)}</td>')
    return Markup("".join(parts))  # noqa: S704 - its parts are escaped


def _masked_hint() -> str:
    return escape(_("部分字符已隐藏"))


def _drawn(one: Cell, url: str | None, masked_hint: str) -> str:
    text = escape(one.text)
    if url:
        return f'<a href="{escape(url)}">{text}</a>'
    if not text:
        return ""
    if one.tone:
        return f'<span class="pill tone-{one.tone}">{text}</span>'
    if one.lang:
        return f'<span lang="{one.lang}">{text}</span>'
    if one.masked:
        return f'<span class="masked" title="{masked_hint}">{text}</span>'
    return text


def register(app: Flask) -> None:
    app.jinja_env.globals.update(drawn=drawn, heads=heads, row_cells=row_cells)
