"""Workbook in, workbook out: the first sheet of a small .xlsx as cells, and a sheet for people to fill in.

Read by openpyxl as a stream: a file of a few kilobytes with two cells far apart, or one huge merged range, would take all
memory where a sheet is laid out as a block. What a column means is not known here.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Literal

from flask_babel import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.datavalidation import DataValidation

from app.core.errors import Invalid

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_FILE = 1024 * 1024  # bytes
LARGEST_CONTENT = 8 * LARGEST_FILE  # bytes, unpacked
MOST_PARTS = 200  # files inside
LAST_ROW, MOST_COLUMNS, MOST_MERGED = 10_000, 40, 1_000

Kind = Literal["empty", "text", "number", "day", "flag", "formula", "fault", "merged"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell as people see it. Of a merged range every cell is "merged"."""

    kind: Kind = "empty"
    text: str = ""


EMPTY = Cell()
Row = tuple[int, tuple[Cell, ...]]
"""The row's number as Excel shows it, and its cells from the first column on."""


# --- in -----------------------------------------------------------------------------------------------


def read_rows(data: bytes) -> list[Row]:
    """The rows of the first sheet that hold anything. Raises Invalid for what is no .xlsx, or too large."""
    _refuse_bulk(data)
    try:
        return list(_rows(data))
    except Invalid:
        raise
    except Exception:  # openpyxl raises whatever it stumbles over in a file that only looks like one
        raise Invalid(_unreadable()) from None


def _refuse_bulk(data: bytes) -> None:
    if len(data) > LARGEST_FILE:
        raise Invalid(_("文件超过%(n)sMB。请只保留需要的行，另存后重新上传。", n=LARGEST_FILE // 1024**2))
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise Invalid(_unreadable()) from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_CONTENT:
        raise Invalid(_("文件的内容太多。请把需要的行复制到新的工作簿，另存后重新上传。"))


def _unreadable() -> str:
    return _(
        "这不是可以读取的Excel工作簿（.xlsx）。请用Excel或WPS打开后另存为.xlsx再上传；加了密码的请先取消密码。"
    )


def _rows(data: bytes) -> Iterator[Row]:
    book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    if not book.worksheets:
        raise Invalid(_unreadable())
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # what the file says of its own size need not be true
    merged = _merged_ranges(sheet)
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), 1):
        if number > LAST_ROW:
            raise Invalid(_("第%(n)s行以后还有内容。请只保留需要的行，另存后重新上传。", n=LAST_ROW))
        cells = [_cell(one) for one in row]
        for left, top, right, bottom in merged:
            if top <= number <= bottom:
                cells[left - 1 : right] = [Cell("merged", one.text) for one in cells[left - 1 : right]]
        if any(one is not EMPTY for one in cells):
            yield number, tuple(cells)


def _merged_ranges(sheet: Any) -> list[tuple[int, int, int, int]]:
    """(first column, first row, last column, last row) each. The streaming reader passes them over, so the part is
    looked through."""
    with sheet._get_source() as part:
        found = re.finditer(rb"""<(?:\w+:)?mergeCell\s[^>]*?\bref=["']([A-Z0-9:]+)["']""", part.read())
        return [range_boundaries(one[1].decode()) for one in islice(found, MOST_MERGED)]


def _cell(raw: Any) -> Cell:
    value, mark = raw.value, raw.data_type
    if value is None or value == "":
        return EMPTY
    if mark == "f":
        return Cell("formula", str(getattr(value, "text", value)))
    if mark == "e":
        return Cell("fault", str(value))
    if isinstance(value, bool):
        return Cell("flag", "TRUE" if value else "FALSE")
    if isinstance(value, int | float):
        return Cell("number", _plain_number(value))
    if isinstance(value, datetime | date):
        return _day(value)
    text = unescape(str(value)).strip()
    return Cell("text", text) if text else EMPTY


def _plain_number(value: float) -> str:
    is_whole = isinstance(value, int) or (math.isfinite(value) and value.is_integer() and abs(value) < 1e15)
    return f"{value:.0f}" if is_whole else str(value)


def _day(value: date) -> Cell:
    if isinstance(value, datetime):
        if value.time() != time():
            return Cell("fault", str(value))
        value = value.date()
    return Cell("day", value.isoformat())


# --- out ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet to fill in. `note` is shown beside its head, `options` drop down in its cells."""

    label: str
    note: str = ""
    width: int = 16  # characters
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet. `blank`: rows beneath that are made ready to be filled in; the first `faded` of `rows` are examples."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]] = ()
    blank: int = 0
    faded: int = 0


def write(
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]] = (),
    *,
    blank: int = 0,
    faded: int = 0,
) -> bytes:
    """A workbook with one sheet of text cells: what is typed into it stays as it is typed."""
    page = Page(title, columns, list(rows), blank=blank, faded=faded)
    return write_book([page])


def write_book(pages: Iterable[Page]) -> bytes:
    """A workbook with a sheet of text cells for each page, in this order."""
    book = Workbook()
    book.remove(book.active)
    for page in pages:
        _write_page(book, page)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_page(book: Workbook, page: Page) -> None:
    sheet = book.create_sheet(page.title)
    _write_head(sheet, page.columns)
    last = 1
    for last, row in enumerate(page.rows, 2):
        for at, text in enumerate(row, 1):
            _write_text(sheet.cell(last, at), text, is_faded=last - 1 <= page.faded)
    for number in range(last + 1, last + 1 + page.blank):
        for at in range(1, len(page.columns) + 1):
            sheet.cell(number, at).number_format = "@"
    _add_options(book, sheet, page.columns, last + page.blank)
    sheet.freeze_panes = "A2"


def _write_head(sheet: Any, columns: Sequence[Column]) -> None:
    for at, column in enumerate(columns, 1):
        head = sheet.cell(1, at, column.label)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", start_color="DDE7F0")
        head.alignment = Alignment(vertical="center")
        if column.note:
            head.comment = Comment(column.note, "", height=90, width=260)
        sheet.column_dimensions[get_column_letter(at)].width = column.width


def _write_text(cell: Any, text: str, *, is_faded: bool) -> None:
    cell.value = ILLEGAL_CHARACTERS_RE.sub("□", text)
    cell.data_type = "s"  # or what begins with "=" would become a formula
    cell.number_format = "@"
    cell.quotePrefix = True
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if is_faded:
        cell.font = Font(italic=True, color="808080")


def _add_options(book: Workbook, sheet: Any, columns: Sequence[Column], last_row: int) -> None:
    """The choices stand on a hidden sheet: a list inside the rule may have 255 characters only."""
    lists: Mapping[int, tuple[str, ...]] = {n: c.options for n, c in enumerate(columns, 1) if c.options}
    if not lists:
        return
    hidden = book.create_sheet(_("选项"))
    hidden.sheet_state = "hidden"
    for at, (column, options) in enumerate(lists.items(), 1):
        for row, text in enumerate(options, 1):
            _write_text(hidden.cell(row, at), text, is_faded=False)
        letter, target = get_column_letter(at), get_column_letter(column)
        rule = DataValidation("list", f"'{hidden.title}'!${letter}$1:${letter}${len(options)}")
        rule.showErrorMessage, rule.allow_blank = True, True
        rule.errorTitle, rule.error = columns[column - 1].label, _("请从下拉列表中选择。")
        sheet.add_data_validation(rule)
        rule.add(f"{target}2:{target}{max(last_row, 2)}")
