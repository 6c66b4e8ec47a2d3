"""Code tables: what is in seeds/codes, and how a table is asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.core import codes

NEEDED = {
    "boarding",
    "change_reason",
    "class_type",
    "disability",
    "entry_way",
    "ethnicity",
    "evidence_kind",
    "flow",
    "gender",
    "graduation_result",
    "health",
    "id_type",
    "in_class_special",
    "left_behind",
    "nationality",
    "organiser",
    "overseas",
    "political_status",
    "relationship",
    "residence_type",
    "school_type",
    "stage",
    "student_no_state",
    "student_source",
    "term",
    "transport",
    "urban_rural",
    "verification",
    "yes_no",
}

LAST_DAY, NEXT_DAY = date(2024, 8, 31), date(2024, 9, 1)


@pytest.fixture
def sources() -> codes.CodeTable:
    return codes.CodeTable(
        "source",
        [
            codes.Code("1", "正常入学"),
            codes.Code("2", "借读", NEXT_DAY),
            codes.Code("9", "其他（含Ａ类）"),
        ],
    )


def write(folder: Path, text: str) -> Path:
    path = folder / "sample.csv"
    path.write_text(text, encoding="utf-8")
    return path


# --- the files ---


def test_every_table_that_the_forms_need_is_there() -> None:
    assert set(codes.names()) >= NEEDED


@pytest.mark.parametrize("name", codes.names())
def test_every_file_reads_and_each_label_leads_back_to_its_code(name: str) -> None:
    table = codes.table(name)
    assert table.all()
    for code, label in table.all():
        assert table.has(code)
        assert table.label(code) == label
        assert table.find(label) == code
        assert table.find(code) == code


@pytest.mark.parametrize(
    ("name", "size"),
    [("ethnicity", 58), ("nationality", 249), ("political_status", 13), ("relationship", 25)],
)
def test_tables_of_the_standards_are_complete(name: str, size: int) -> None:
    assert len(codes.table(name).all()) == size


@pytest.mark.parametrize(
    ("name", "code", "label"),
    [
        ("ethnicity", "01", "汉族"),
        ("ethnicity", "05", "维吾尔族"),
        ("ethnicity", "56", "基诺族"),
        ("id_type", "A", "护照"),
        ("id_type", "P", "港澳台居民居住证"),
        ("political_status", "03", "共青团员"),
        ("overseas", "00", "否"),
        ("relationship", "63", "外祖父"),
        ("nationality", "MMR", "缅甸"),
        ("nationality", "TWN", "中国台湾"),
        ("school_type", "312", "九年一贯制学校"),
        ("change_reason", "12", "传染疾病"),
        ("flow", "27", "转出"),
        ("left_behind", "1", "单亲留守儿童"),
        ("yes_no", "0", "否"),
    ],
)
def test_codes_mean_what_the_standard_says(name: str, code: str, label: str) -> None:
    assert codes.table(name).label(code) == label


def test_china_is_offered_first_among_nationalities() -> None:
    assert codes.table("nationality").current()[0] == ("CHN", "中国")


# --- asking for a table ---


def test_a_table_is_read_once() -> None:
    assert codes.table("gender") is codes.table("gender")


@pytest.mark.parametrize("name", ["colour", "", "../roles", "gender.csv"])
def test_an_unknown_table_is_named_together_with_those_there_are(name: str) -> None:
    with pytest.raises(codes.UnknownTable) as refused:
        codes.table(name)
    assert isinstance(refused.value, KeyError)
    assert repr(name) in str(refused.value) and "ethnicity" in str(refused.value)


# --- asking a table ---


def test_an_unknown_code_stands_for_itself_and_none_for_nothing(sources: codes.CodeTable) -> None:
    assert sources.label("7") == "7"
    assert sources.label(None) == ""
    assert not sources.has("7")
    assert not sources.has(None)


@pytest.mark.parametrize(
    "typed",
    ["2", "２", " 2 ", "借读", "　借读\t"],
    ids=["code", "full width", "blanks", "label", "wide blank"],
)
def test_what_people_type_is_found(sources: codes.CodeTable, typed: str) -> None:
    assert sources.find(typed) == "2"


def test_brackets_and_letters_of_either_width_are_the_same(sources: codes.CodeTable) -> None:
    assert sources.find("其他(含a类)") == "9"


@pytest.mark.parametrize("typed", ["", " ", "借", "02", "\x00", None])
def test_what_is_in_no_table_is_not_found(sources: codes.CodeTable, typed: str | None) -> None:
    assert sources.find(typed) is None


def test_a_label_wins_over_a_code() -> None:
    floors = codes.CodeTable("floor", [codes.Code("1", "2"), codes.Code("2", "3")])
    assert floors.find("2") == "1"


def test_a_retired_code_is_offered_until_its_day_and_still_read_after_it(sources: codes.CodeTable) -> None:
    assert ("2", "借读") in sources.current(LAST_DAY)
    assert ("2", "借读") not in sources.current(NEXT_DAY)
    assert ("2", "借读") not in sources.current()
    assert ("2", "借读") in sources.all()
    assert sources.label("2") == "借读" and sources.has("2") and sources.find("借读") == "2"


# --- broken files ---


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "first line"),
        ("code,name\n1,男\n", "first line"),
        ("code,label,until\n1,男\n", "line 2"),
        ("code,label,until\n1,男,\n,女,\n", "line 3"),
        ("code,label,until\n1, 男,\n", "line 2"),
        ("code,label,until\n1,男,2024-13-01\n", "line 2"),
        ("code,label,until\n1,男,\n1,女,\n", "code given twice: 1"),
        ("code,label,until\n1,男,\n2,男,\n", "label given twice: 男"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(codes.BadTable, match=told) as refused:
        codes.read_table(write(tmp_path, text))
    assert "sample.csv" in str(refused.value)


def test_a_sound_file_is_read_with_its_last_days(tmp_path: Path) -> None:
    table = codes.read_table(write(tmp_path, "code,label,until\n1,男,\n2,女,2024-09-01\n"))
    assert (table.name, table.current(LAST_DAY), table.current(NEXT_DAY)) == (
        "sample",
        (("1", "男"), ("2", "女")),
        (("1", "男"),),
    )
