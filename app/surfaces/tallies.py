"""Figures beside rows, on every list and detail of both sites: what is counted is handed in by whoever knows the field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core import scope
from app.core.entity import Entity
from app.surfaces.site import Site
from app.surfaces.viewmodels import Cell, Column, Item, Row


@dataclass(frozen=True, slots=True)
class Tally:
    """Columns of figures beside an entity's own, on its list, its detail and where it hangs on another row.

    `count` gives the cells of each row by id, for a whole page at once; rows it leaves out stay blank, and so do those
    on which one of the `rights` does not hold: the figures would be of what happens to be seen.
    """

    entity: type[Entity]
    columns: tuple[Column, ...]  # labels are translated when shown
    rights: tuple[str, ...]
    count: Callable[[Site, Sequence[int]], Mapping[int, tuple[Cell, ...]]]
    totals: Callable[[Session, sa.Select[int]], Mapping[str, int]] | None = None
    """Column name → its sum over all rows whose ids the statement gives; in one statement."""


_tallies: dict[str, Tally] = {}


def show_tally(tally: Tally) -> None:
    _tallies[tally.entity.key()] = tally


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some rows: their columns, and the cells of each row by its id."""

    columns: tuple[Column, ...] = ()
    cells: Mapping[int, tuple[Cell, ...]] = field(default_factory=dict)

    def beside(self, rows: Iterable[Row]) -> list[Row]:
        """The rows with their figures behind their own cells."""
        blank = tuple(Cell("") for _column in self.columns)
        return [replace(row, cells=(*row.cells, *self.cells.get(row.id, blank))) for row in rows]

    def items(self, row_id: int) -> list[Item]:
        """The figures of one row, for its detail."""
        cells = self.cells.get(row_id, ())
        return [Item(column.label, cell) for column, cell in zip(self.columns, cells, strict=False)]


def totals_of(entity: type[Entity], site: Site, ids: Callable[[], sa.Select[int]]) -> list[Item]:
    """The sums of figures over a whole list, where each of its rows may be counted."""
    tally = _tallies.get(entity.key())
    if tally is None or tally.totals is None:
        return []
    if not all(scope.holds_on_all_read(site.by, right, entity) for right in tally.rights):
        return []
    labels = {column.name: _(column.label) for column in tally.columns}
    return [Item(labels[name], Cell(grouped(n))) for name, n in tally.totals(site.session, ids()).items()]


def grouped(n: int) -> str:
    """12 345, its parts never apart."""
    return f"{n:,}".replace(",", "\u00a0")


def figures_of(entity: type[Entity], site: Site, ids: Collection[int]) -> Figures:
    """None where there is nothing to count, or nothing that this person may count."""
    tally = _tallies.get(entity.key())
    if tally is None or not all(map(site.by.has, tally.rights)):
        return Figures()
    counted = set(ids)
    for right in tally.rights:
        if not scope.holds_on_all_read(site.by, right, entity):
            counted &= scope.rows_with(site.session, site.by, right, entity, ids)
    if not counted:
        return Figures()
    columns = tuple(replace(column, label=_(column.label)) for column in tally.columns)
    return Figures(columns, tally.count(site, sorted(counted)))
