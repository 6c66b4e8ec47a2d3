"""A role as a matrix: every right and limit has its cell, so that what is saved from the page is what was shown."""

from __future__ import annotations

from flask import Flask

from app.areas.people import role_page_models as models
from app.core import powers
from app.core.grants import Room


def test_every_right_and_limit_has_its_cell(app: Flask) -> None:
    with app.test_request_context():
        drawn = models.matrix(models.Ticks(frozenset(), Room("", None, None)))
    rows = [row for group in drawn.groups for row in group.rows]
    cells = [tick.right for row in rows for tick in (*row.cells, *row.others) if tick.right]
    limits = [tick.right for row in rows for _label, tick in row.limits]
    assert sorted(cells) == sorted(powers.plain_rights())
    assert sorted([*cells, *limits]) == sorted(powers.all_rights())
