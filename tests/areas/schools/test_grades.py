"""What grades and classes are called and how they sort; the codes of schools. No database is asked."""

from __future__ import annotations

import pytest

from app.areas.schools import seats
from app.areas.schools.codes import check_school_code
from app.areas.schools.models import ClassGrade, Grade, SchoolClass, class_order, first_year


def grade(stage: str, level: int, years: int, entry_year: int = 2026, **more: object) -> Grade:
    return Grade(
        id=level, stage=stage, level=level, entry_year=entry_year, first_year=first_year(stage, years), **more
    )


@pytest.mark.parametrize(
    ("stage", "years", "names"),
    [
        ("1", 6, ["一年级", "二年级", "三年级", "四年级", "五年级", "六年级"]),
        ("1", 5, ["一年级", "二年级", "三年级", "四年级", "五年级"]),
        ("2", 3, ["七年级", "八年级", "九年级"]),
        ("2", 4, ["六年级", "七年级", "八年级", "九年级"]),
        ("3", 3, ["高一", "高二", "高三"]),
    ],
)
def test_grades_are_named_by_stage_and_level(stage: str, years: int, names: list[str]) -> None:
    assert [grade(stage, level, years).name for level in range(1, years + 1)] == names


def test_a_graduated_grade_is_named_by_its_cohort() -> None:
    assert grade("2", 3, 3, entry_year=2023, is_graduated=True).name == "2023级"


@pytest.mark.parametrize(
    ("of", "number", "name"),
    [
        (grade("2", 1, 3), 3, "七年级（3）班"),
        (grade("1", 3, 6), 2, "三年级（2）班"),
        (grade("3", 1, 3), 5, "高一（5）班"),
        (grade("2", 3, 3, entry_year=2023, is_graduated=True), 4, "2023级（4）班"),
    ],
)
def test_classes_are_named_by_grade_and_number(of: Grade, number: int, name: str) -> None:
    assert SchoolClass(grade=of, number=number, class_type="0").full_name == name


def test_a_class_of_several_grades_names_them_all_and_takes_their_pupils() -> None:
    first, second = grade("1", 1, 6), grade("1", 2, 6)
    mixed = SchoolClass(grade=second, grade_id=second.id, number=1, class_type="1")
    mixed.more_grades = [ClassGrade(grade=first, grade_id=first.id)]
    assert mixed.full_name == "一、二年级复式班"
    assert mixed.takes(first.id)
    assert mixed.takes(second.id)
    assert not mixed.takes(3)


def test_class_ten_sorts_after_class_nine_and_younger_grades_first() -> None:
    wanted = [
        ("1", 2026, 1),
        ("1", 2026, 9),
        ("1", 2026, 10),
        ("1", 2025, 1),
        ("2", 2026, 1),
        ("2", 2024, 12),
    ]
    assert sorted(wanted, key=lambda one: class_order(*one)) == wanted


@pytest.mark.parametrize(
    ("n", "word"),
    [
        (0, "备用班"),
        (1, "正常"),
        (49, "正常"),
        (50, "接近上限"),
        (54, "接近上限"),
        (55, "已满"),
        (56, "大班额（56–65人）"),
        (65, "大班额（56–65人）"),
        (66, "超大班额（66人及以上）"),
    ],
)
def test_class_sizes_are_called_as_the_report_calls_them(n: int, word: str) -> None:
    assert seats.band_label(seats.band(n)) == word


@pytest.mark.parametrize("code", ["3451000001", "2166000001", "5151999999"])
def test_school_codes_that_can_be_right(code: str) -> None:
    assert check_school_code(code) is None


@pytest.mark.parametrize(
    ("code", "said"),
    [("345100001", "不是10位"), ("9951000001", "办学类别"), ("3499000001", "省级行政区划")],
)
def test_school_codes_that_cannot_be_right(code: str, said: str) -> None:
    assert said in (check_school_code(code) or "")
