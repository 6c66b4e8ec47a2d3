"""Code tables: what the standards number, read once from seeds/codes and kept in memory.

Which column uses which table is said in the declaration, not here. Sources: seeds/codes/README.md.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOME = Path(__file__).resolve().parents[2] / "seeds" / "codes"
HEADER = ["code", "label", "until"]


class UnknownTable(KeyError):
    """No such code table. The text lists those there are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no code table {name!r}; there are: {', '.join(names())}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class BadTable(ValueError):
    """A file under seeds/codes cannot be used; the text names file, line and fault."""


class Code(NamedTuple):
    code: str
    label: str
    until: date | None = None  # first day on which it is no longer offered


class CodeTable:
    """One table. Everything but `current` knows retired codes too: old records keep them."""

    __slots__ = ("_codes", "_found", "_labels", "name")

    def __init__(self, name: str, codes: Iterable[Code]) -> None:
        self.name = name
        self._codes = tuple(codes)
        self._labels = {code.code: code.label for code in self._codes}
        self._found = {_folded(code.code): code.code for code in self._codes}
        self._found |= {_folded(code.label): code.code for code in self._codes}  # after the codes: labels win

    def __repr__(self) -> str:
        return f"<CodeTable {self.name}: {len(self._codes)} codes>"

    def label(self, code: str | None) -> str:
        """The label; a code that is not in the table stands for itself, None for nothing."""
        return "" if code is None else self._labels.get(code, code)

    def has(self, code: str | None) -> bool:
        return code in self._labels

    def current(self, on: date | None = None) -> tuple[tuple[str, str], ...]:
        """The choices (code, label) on a day, today if none is given."""
        on = on or datetime.now(ZoneInfo("Asia/Shanghai")).date()
        return tuple((c.code, c.label) for c in self._codes if c.until is None or on < c.until)

    def all(self) -> tuple[tuple[str, str], ...]:
        return tuple((c.code, c.label) for c in self._codes)

    def find(self, label_or_code: str | None) -> str | None:
        """What somebody typed, label or code, in full or half width → the code, or None."""
        return None if label_or_code is None else self._found.get(_folded(label_or_code))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()


@cache
def names() -> tuple[str, ...]:
    """The names of all tables."""
    return tuple(sorted(path.stem for path in HOME.glob("*.csv")))


@cache
def table(name: str) -> CodeTable:
    """The table of that name. Raises UnknownTable, or BadTable if its file is broken."""
    if name not in names():
        raise UnknownTable(name)
    return read_table(HOME / f"{name}.csv")


def read_table(path: Path) -> CodeTable:
    """Reads one file. Raises BadTable."""
    with path.open(encoding="utf-8", newline="") as file:
        codes = tuple(_rows(path.name, csv.reader(file)))
    _refuse_doubles(path.name, "code", [code.code for code in codes])
    _refuse_doubles(path.name, "label", [_folded(code.label) for code in codes])
    return CodeTable(path.stem, codes)


def _rows(file: str, lines: Iterator[list[str]]) -> Iterator[Code]:
    if next(lines, None) != HEADER:
        raise BadTable(f"{file}: the first line must be {','.join(HEADER)}")
    for number, line in enumerate(lines, start=2):
        try:
            code, label, until = line
            retired = date.fromisoformat(until) if until else None
        except ValueError as fault:
            raise BadTable(f"{file}, line {number}: {fault}") from fault
        if not code or not label or line != [cell.strip() for cell in line]:
            raise BadTable(f"{file}, line {number}: code and label must be there, without blanks around them")
        yield Code(code, label, retired)


def _refuse_doubles(file: str, what: str, values: list[str]) -> None:
    if doubles := sorted({value for value in values if values.count(value) > 1}):
        raise BadTable(f"{file}: {what} given twice: {', '.join(doubles)}")
