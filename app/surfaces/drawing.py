"""Cells as HTML. A page has hundreds of them: written by a template, piece by piece, they took a third of its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup

from app.surfaces.viewmodels import Cell, Column, Row


def drawn(one: Cell, url: str | None = None) -> Markup:
    """What stands in a cell; `url` is where it leads unless it leads somewhere itself."""
    return Markup(_drawn(one, one.url or url, _masked_hint()))  # noqa: S704 - escaped in `_drawn`


def row_drawer(columns: Sequence[Column], pick: str = "") -> Callable[[Row], Markup]:
    """What draws the cells of one row of a list after another, the first as its heading; `pick`: what the box is called,
    before the row's name, by which the row is chosen; "" for none."""
    begins = [f' data-label="{escape(c.label)}" class="{"num " if c.numeric else ""}' for c in columns]
    hint = _masked_hint()

    def draw(row: Row) -> Markup:
        first, *rest = row.cells
        box = _box(row.id, pick + first.text) if pick else ""
        head = _drawn(first, first.url or row.url, hint)
        parts = [f'<th scope="row"{begins[0]}{first.breaks}">{head}{box}</th>']
        for begin, one in zip(begins[1:], rest, strict=True):
            parts.append(f'<td{begin}{one.breaks}">{_drawn(one, one.url, hint)}</td>')
        return Markup("".join(parts))  # noqa: S704 - its parts are escaped

    return draw


def _box(row_id: int, label: str) -> str:
    """Posted by the form that stands below the rows; after the name, so that this is met first."""
    return (
        f'<label class="pick"><input type="checkbox" form="bulk" name="id" value="{row_id}"'
        f' aria-label="{escape(label)}"></label>'
    )


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
    if one.picture:
        size = 'width="39" height="48" loading="lazy"'
        return f'<img class="small-face" src="{escape(one.picture)}" alt="{text}" {size}>'
    return text


def register(app: Flask) -> None:
    app.jinja_env.globals.update(drawn=drawn, row_drawer=row_drawer)
