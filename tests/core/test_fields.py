"""What one column is to people: what may be typed, how it is shown, and that what is shown can be typed back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import codes
from app.core.entity import registry
from app.core.fields import (
    Choice,
    Code,
    Day,
    Field,
    Flag,
    Key,
    Moment,
    Month,
    Number,
    Text,
    Unreadable,
    UtcDateTime,
    col,
    show_ends,
)

pytestmark = pytest.mark.usefixtures("words")


@pytest.fixture(scope="module")
def words(request):
    """Sentences need a language; a small application lends it."""
    from flask import Flask
    from flask_babel import Babel

    small = Flask("fields")
    Babel(small, default_locale="zh_Hans_CN")
    with small.app_context():
        yield


class Sex(StrEnum):
    MALE = "1"
    FEMALE = "2"


TEXT, DAY, NUMBER = Text(label="姓名", length=10), Day(label="日期"), Number(label="人数", low=1, high=99)


def read(field: Field, raw: object) -> object:
    """The value, or "!" for what is refused with a sentence."""
    sentence = ""
    try:
        return field.parse(raw)
    except Unreadable as refused:
        sentence = str(refused)
    assert sentence.endswith("。")
    return "!"


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        (TEXT, " 欧阳若曦 ", "欧阳若曦"),
        (TEXT, "", None),
        (TEXT, "   ", None),
        (TEXT, None, None),
        (TEXT, "十个字的姓名也许够了", "十个字的姓名也许够了"),
        (TEXT, "十一个字的姓名一定太长了", "!"),
        (TEXT, "=1+1", "!"),
        (TEXT, "@cmd", "!"),
        (TEXT, "+1", "!"),
        (TEXT, "-1", "!"),
        (TEXT, "-", "-"),
        (TEXT, "张\x00三", "!"),
        (TEXT, "张\u200b三", "!"),
        (TEXT, "张\ud83d三", "!"),
        (TEXT, "张😀", "!"),
        (TEXT, "张\n三", "!"),
        (TEXT, "阿依·买", "阿依·买"),
        (TEXT, "张𬌗", "张𬌗"),  # extension B and on
        (TEXT, "张\U000323af", "张\U000323af"),  # extension H
        (TEXT, 5, "5"),
        (TEXT, ["张"], "!"),
        (TEXT, {"a": 1}, "!"),
        (Text(label="说明", length=50, long=True), "一\n二", "一\n二"),
        (DAY, "2012-09-04", date(2012, 9, 4)),
        (DAY, "20120904", date(2012, 9, 4)),
        (DAY, "2012年9月4日", date(2012, 9, 4)),
        (DAY, "２０１２/9/4", date(2012, 9, 4)),
        (DAY, "2012.9.4", date(2012, 9, 4)),
        (DAY, "2012/9/4", date(2012, 9, 4)),
        (DAY, "2012 年 9 月 4 日", date(2012, 9, 4)),
        (DAY, "２０１２．９．４", date(2012, 9, 4)),
        (DAY, "2012111", "!"),  # 11月1日 or 1月11日
        (DAY, "20120230", "!"),
        (DAY, "2012-13-01", "!"),
        (DAY, "1899-12-31", "!"),
        (DAY, "昨天", "!"),
        (NUMBER, "12", 12),
        (NUMBER, "１２", 12),
        (NUMBER, 12, 12),
        (NUMBER, "0", "!"),
        (NUMBER, "100", "!"),
        (NUMBER, "1.5", "!"),
        (NUMBER, "十二", "!"),
        (NUMBER, "9" * 5000, "!"),
        (Flag(label="是否"), "是", True),
        (Flag(label="是否"), "0", False),
        (Flag(label="是否"), True, True),
        (Flag(label="是否"), "也许", "!"),
        (Month(label="年月"), "2026年9月", "202609"),
        (Month(label="年月"), "2026-9", "202609"),
        (Month(label="年月"), "２０２６．０９", "202609"),
        (Month(label="年月"), "202613", "!"),
        (Month(label="年月"), "1899-09", "!"),
        (Code(label="性别", table="gender"), "男", "1"),
        (Code(label="性别", table="gender"), "1", "1"),
        (Code(label="性别", table="gender"), "无", "!"),
        (Code(label="性别", table="gender", only=("2",)), "男", "!"),
        (Choice(label="性别", table="gender", members=Sex), "女", Sex.FEMALE),
        (Key(label="年级", target="grade.id"), "7", 7),
        (Key(label="年级", target="grade.id"), "0", "!"),
        (Key(label="年级", target="grade.id"), "-7", "!"),
        (Key(label="年级", target="grade.id"), "7; drop", "!"),
        (Key(label="年级", target="grade.id"), "9" * 30, "!"),
        (Moment(label="时间"), "2026-09-01 08:00", datetime(2026, 9, 1, 0, 0, tzinfo=UTC)),
        (Moment(label="时间"), "随时", "!"),
    ],
)
def test_what_may_be_typed(field, raw, value):
    assert read(field, raw) == value


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("13812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("138 1234 5678", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("+86 138-1234 5678", "13812345678"),
        ("＋86　13812345678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("+86 0830-1234567", "0830-1234567"),
        ("+86-830-1234567", "0830-1234567"),
        ("+86 08301234567", "0830-1234567"),
        ("＋86　010 12345678-12", "010-12345678-12"),
        ("0086-28-12345678", "028-12345678"),
        ("+86 138-00001234-5", "!"),
        ("+86 0830-123456", "!"),
        ("0830-1234567", "0830-1234567"),
        ("1234567", "1234567"),
        ("８３０１２３４５６", "!"),
        ("+1 3812345678", "!"),
        ("138 1234 567", "!"),
    ],
)
def test_telephone_numbers(typed, kept):
    phone = col.phone("电话").column.info["field"]
    assert read(phone, typed) == kept


@given(
    st.one_of(
        st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text()), st.binary()
    )
)
def test_whatever_is_typed_is_taken_or_refused_with_a_sentence(raw):
    for field in (
        TEXT,
        DAY,
        NUMBER,
        Flag(label="是"),
        Month(label="月"),
        Moment(label="时"),
        Key(label="键", target="a.id"),
        Code(label="性别", table="gender"),
    ):
        read(field, raw)


@given(st.text(max_size=30))
def test_no_text_that_excel_would_compute_is_kept(raw):
    value = read(TEXT, raw)
    assert value in (None, "!") or str(value)[0] not in "=+@"


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_a_day_shown_can_be_typed_back(day):
    assert DAY.parse(DAY.show(day)) == day


def test_every_code_shown_can_be_typed_back():
    for name in codes.names():
        field = Code(label=name, table=name)
        for code, _label in codes.table(name).all():
            assert field.parse(field.show(code)) == code, name


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)))
def test_a_moment_shown_can_be_typed_back_to_the_minute(moment):
    moment = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    field = Moment(label="时间")
    assert field.parse(field.show(moment)) == moment


# --- masks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "text", "shown"),
    [
        (show_ends(1, 1), "519921201403050019", "5****************9"),
        (show_ends(3, 4), "13812345678", "138****5678"),
        (show_ends(2, 1), "G51", "***"),
        (show_ends(3, 4), "1234567", "*******"),
        (show_ends(1, 1), "", ""),
    ],
)
def test_masks(mask, text, shown):
    assert mask(text) == shown


@given(st.integers(0, 5), st.integers(0, 5), st.text(st.characters(exclude_characters="*"), max_size=30))
def test_a_mask_keeps_the_length_and_shows_the_ends_only(head, tail, text):
    shown = show_ends(head, tail)(text)
    assert len(shown) == len(text)
    assert len(shown) - shown.count("*") in (0, head + tail)


def test_masks_of_pupils_do_not_give_the_birth_date_away(declarations):
    """Characters 7 to 14 of an ID number, and the same shifted by the letter in a 学籍号."""
    student = registry["student"]
    for name, start in (("id_number", 6), ("student_no", 7)):
        shown = student.fields()[name].mask("519921201403050019" if start == 6 else "G519921201403050019")
        assert shown[start : start + 8] == "********"


# --- what is kept in the audit and given by REST ------------------------------------------------------


def test_values_are_dumped_as_raw_codes_and_iso_dates():
    assert Choice(label="性别", table="gender", members=Sex).dump(Sex.MALE) == "1"
    assert DAY.dump(date(2026, 9, 1)) == "2026-09-01"
    assert Flag(label="是否").dump(False) is False
    assert TEXT.dump(None) is None


def test_a_moment_needs_its_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 9, 1), None)


def test_retired_codes_are_shown_and_not_offered():
    for name in codes.names():
        offered = {code for code, _label in Code(label=name, table=name).options()}
        assert offered <= {code for code, _label in codes.table(name).all()}
