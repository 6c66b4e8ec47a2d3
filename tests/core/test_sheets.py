"""Workbooks in and out: every kind of cell as people see it, and files that are none or far too much."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from app.core import sheets
from app.core.errors import Invalid
from app.core.sheets import Cell, Column


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def made(*rows: list[Any], prepare: Callable[[Any], None] = lambda sheet: None) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    prepare(book.active)
    return saved(book)


def rebuilt(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The file with one of its parts changed, as no program would write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def refusal_of(data: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        sheets.read_rows(data)
    return refused.value.sentence


# --- cells ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("张老师", Cell("text", "张老师")),
        ("  张老师\t", Cell("text", "张老师")),
        ("", sheets.EMPTY),
        ("   ", sheets.EMPTY),
        (None, sheets.EMPTY),
        (14012345678, Cell("number", "14012345678")),
        (1.4012345678e10, Cell("number", "14012345678")),
        (0.5, Cell("number", "0.5")),
        (1e300, Cell("number", "1e+300")),
        (True, Cell("flag", "TRUE")),
        (date(2027, 8, 31), Cell("day", "2027-08-31")),
        (datetime(2027, 8, 31, 8, 30), Cell("fault", "2027-08-31 08:30:00")),
        ("=1+1", Cell("formula", "=1+1")),
        ("#N/A", Cell("fault", "#N/A")),
        ("a_x0000_b", Cell("text", "a\0b")),
        ("张😀", Cell("text", "张😀")),
        ("9" * 5_000, Cell("text", "9" * 5_000)),
    ],
)
def test_a_cell_is_read_as_people_see_it(value: Any, cell: Cell) -> None:
    found = sheets.read_rows(made(["head"], [value, "end"]))
    assert found[1][1][0] == cell


def test_rows_keep_their_numbers_and_empty_ones_are_left_out() -> None:
    found = sheets.read_rows(made(["head"], [], ["  "], ["first"]))
    assert [(number, cells[0].text) for number, cells in found] == [(1, "head"), (4, "first")]


def test_every_cell_of_a_merged_range_says_so() -> None:
    data = made(["head", ""], ["one", "x"], ["", "y"], prepare=lambda sheet: sheet.merge_cells("A2:A3"))
    kinds = [cells[0].kind for _number, cells in sheets.read_rows(data)]
    assert kinds == ["text", "merged", "merged"]


def test_only_the_first_sheet_is_read() -> None:
    book = Workbook()
    book.active.append(["first"])
    book.create_sheet("second").append(["second"])
    assert [cells[0].text for _n, cells in sheets.read_rows(saved(book))] == ["first"]


# --- files that are none, or too much ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip at all",
        b"PK\x03\x04 begins like one",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,  # the old format, or an encrypted one
        rebuilt(made(["a"]), SHEET, lambda xml: b"<worksheet><sheetData><row>"),
        rebuilt(made([7]), SHEET, lambda xml: xml.replace(b">7<", b">z<")),
        rebuilt(made([7]), SHEET, lambda xml: xml.replace(b">7<", b">" + b"9" * 5_000 + b"<")),
        rebuilt(made(["a"]), SHEET, lambda xml: xml.replace(b'r="A1"', b'r="??"')),
        rebuilt(made(["a"]), "xl/workbook.xml", lambda xml: b""),
        rebuilt(made(["a"]), "[Content_Types].xml", lambda xml: b"<Types/>"),
    ],
)
def test_what_is_no_workbook_gets_a_sentence(data: bytes) -> None:
    assert "另存为.xlsx" in refusal_of(data)


def test_a_zip_of_something_else_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "另存为.xlsx" in refusal_of(out.getvalue())


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    assert "超过1MB" in refusal_of(b"x" * (sheets.LARGEST_FILE + 1))


def test_a_small_file_that_unpacks_to_much_is_refused_unread() -> None:
    bomb = rebuilt(made(["a"]), SHEET, lambda xml: xml + b" " * sheets.LARGEST_CONTENT)
    assert len(bomb) < sheets.LARGEST_FILE
    assert "内容太多" in refusal_of(bomb)


def test_two_cells_far_apart_take_no_memory() -> None:
    assert "以后还有内容" in refusal_of(made(["a"], prepare=lambda sheet: sheet.cell(1_048_576, 16_384, "b")))


def test_one_huge_merged_range_takes_no_memory() -> None:
    ref = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    data = rebuilt(made(["a"]), SHEET, lambda xml: xml.replace(b"</sheetData>", b"</sheetData>" + ref))
    assert sheets.read_rows(data)[0][1][0] == Cell("merged", "a")


def test_entities_that_multiply_are_refused() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "' + b"ha" * 5_000 + b'">'
    for n in range(1, 8):
        laughs += b'<!ENTITY a%d "%s">' % (n, (b"&a%d;" % (n - 1) if n > 1 else b"&a;") * 20)
    head = b"<?xml version='1.0'?>" + laughs + b"]>"
    data = rebuilt(made(["a"]), SHEET, lambda xml: head + xml.replace(b"<sheetData>", b"<sheetData>&a7;"))
    assert "另存为.xlsx" in refusal_of(data)


# --- out --------------------------------------------------------------------------------------------------


def test_what_is_written_is_text_with_notes_and_choices() -> None:
    columns = [Column("姓名", "必填。"), Column("角色", options=("班主任", "学籍管理员"))]
    book = load_workbook(io.BytesIO(sheets.write("人员", columns, [["张", "班主任"]], blank=3, faded=1)))
    sheet = book["人员"]
    assert [cell.value for cell in sheet[1]] == ["姓名", "角色"]
    assert sheet["A1"].comment.text == "必填。"
    assert {sheet.cell(row, 1).number_format for row in range(2, 6)} == {"@"}
    [rule] = sheet.data_validations.dataValidation
    assert (rule.type, str(rule.sqref), rule.formula1) == ("list", "B2:B5", "'选项'!$A$1:$A$2")
    assert book["选项"].sheet_state == "hidden"
    assert [cell.value for cell in book["选项"]["A"]] == ["班主任", "学籍管理员"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "@x", "-2+3", "a\0b\x07", "_x0041_", "张😀", "9" * 500])
def test_what_was_written_is_read_back_as_text_and_never_as_a_formula(text: str) -> None:
    data = sheets.write("人员", [Column("姓名")], [[text]])
    cell = sheets.read_rows(data)[1][1][0]
    assert cell.kind == "text"
    assert len(cell.text) >= 1
    assert load_workbook(io.BytesIO(data)).active["A2"].data_type == "s"
