"""Paper: lines, columns, heads that come again, page numbers, typefaces, and characters that no typeface has."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.surfaces import paper, typefaces
from app.surfaces.paper import Paper, fit, want, wrap
from tests import pdfs

RARE, UNKNOWN = "𬭊", "𮯠"  # in the typefaces; in none of them
HAN = st.text(st.sampled_from("王子涵欧阳若曦，。（）《》123abc 买买提·"), max_size=60)


def printed(fill: str, name: str = "") -> bytes:
    made = Paper("试印", "林老师 2026-11-26 18:00打印")
    made.begin(name)
    made.words(fill)
    return made.to_pdf()


def test_chinese_comes_back_as_text_common_and_rare(app: Flask) -> None:
    with app.test_request_context():
        found = pdfs.text(printed(f"欧阳若曦、阿依古丽·买买提、{RARE}、㐂、ABC 123"))
    assert f"欧阳若曦、阿依古丽·买买提、{RARE}、㐂、ABC 123" in found


def test_a_character_that_no_typeface_has_is_written_out_and_explained(app: Flask) -> None:
    with app.test_request_context():
        found = pdfs.text(printed(f"张{UNKNOWN}"))
        plain = pdfs.text(printed("张三"))
    assert f"张〔U+{ord(UNKNOWN):X}〕" in found
    assert "请按编码手写补正" in found
    assert "请按编码手写补正" not in plain


def test_typefaces_are_embedded_and_only_what_is_used_of_them(app: Flask) -> None:
    with app.test_request_context():
        content = printed("中文")
    fonts = pdfs.reader(content).pages[0]["/Resources"]["/Font"]
    for font in fonts.values():
        below = font.get_object()["/DescendantFonts"][0].get_object()
        assert "/FontFile2" in below["/FontDescriptor"].get_object()
    assert len(content) < 60_000


def test_heads_come_again_and_pages_are_counted_for_each_part(app: Flask) -> None:
    with app.test_request_context():
        made = Paper("名单", "林老师打印")
        for name in ("甲", "乙"):
            made.begin(name)
            made.table(("序号", "姓名"), [(str(n), "王子涵") for n in range(60)], (20.0, 60.0))
        found = pdfs.pages(made.to_pdf())
    assert len(found) == 4
    assert all("序号" in page for page in found)
    assert [("甲" if "甲" in page else "乙") + page[-8:].strip() for page in found] == [
        "甲第1页，共2页",
        "甲第2页，共2页",
        "乙第1页，共2页",
        "乙第2页，共2页",
    ]


def test_a_part_begins_on_a_leaf_of_its_own(app: Flask) -> None:
    with app.test_request_context():
        made = Paper("核对表", "林老师打印")
        for name in ("甲", "乙"):
            made.begin(name, on_new_leaf=True)
            made.words(name)
        found = pdfs.pages(made.to_pdf())
    assert [page == "" for page in found] == [False, True, False]


@given(HAN, st.floats(8.0, 60.0))
def test_lines_keep_to_their_room_and_lose_no_character(text: str, room: float) -> None:
    lines = wrap(text, 9.0, room)
    assert "".join(lines).replace(" ", "") == typefaces.legible(text).replace(" ", "")
    assert all(typefaces.width(line) * 9.0 * paper.POINT <= room + 0.1 for line in lines if len(line) > 2)


def test_no_line_begins_with_a_comma_and_no_number_is_broken() -> None:
    lines = wrap("住在解放路，门牌12345号。", 9.0, 19.0)
    assert not any(line[0] in paper.NEVER_FIRST for line in lines)
    assert any("12345" in line for line in lines)


@given(st.lists(st.tuples(st.text("王12 ", max_size=30), st.text("ab中", max_size=80)), max_size=8))
def test_columns_share_the_whole_width(rows: list[tuple[str, str]]) -> None:
    found = fit(want(("序号", "现住址"), rows, 46.0), 60.0)
    assert sum(found) == pytest.approx(60.0)
    assert all(one > 0 for one in found)


def test_a_number_keeps_its_width_where_an_address_gives_way() -> None:
    number, address = "G5****************3", "四川省澜川市青岚县城关镇学府街82号2栋801室"
    wanted = want(("学籍号", "现住址"), [(number, address)], 100.0)
    first, _second = fit(wanted, 80.0)
    assert len(wrap(number, paper.BODY, first - 2 * paper.PAD)) == 1
