"""What a pupil's form is refused for, item by item. The rows are never saved; no database is asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from app.areas.students import numbers
from app.areas.students.models import FamilyMember, Status, Student, pinyin_for, today_here
from app.core.fields import Unreadable
from app.core.names import search_keys
from tests import cast

BORN = date(2014, 4, 4)


def id_for(born_on: date, sequence: int) -> str:
    first = f"519921{born_on:%Y%m%d}{sequence:03d}"
    return first + numbers.check_digit(first)


def pupil(**words: Any) -> Student:
    """A sound boy, with `words` differing."""
    own = {"id_type": "1", "id_number": id_for(BORN, 1), "born_on": BORN}
    return Student(**cast.plain(**(own | words)))


def complaints(row: Student | FamilyMember) -> list[str]:
    return [name for name, _sentence in row.check()]


def test_a_sound_form_has_no_complaints() -> None:
    assert list(pupil().check()) == []


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ({"id_number": id_for(BORN, 1)[:-1] + "?"}, ["id_number"]),
        ({"id_number": None}, ["id_number"]),
        ({"born_on": date(2014, 4, 5)}, ["born_on"]),
        ({"gender": "2"}, ["gender"]),
        ({"name": "高 晓松"}, ["name"]),
        ({"name": "Anna Smith"}, ["name"]),
        ({"is_migrant_child": True, "left_behind": "2"}, ["left_behind"]),
        ({"in_class_special": "1"}, ["disability"]),
        ({"in_class_special": "1", "disability": "0"}, ["disability"]),
        ({"in_class_special": "1", "disability": "2"}, ["in_class_special"]),
        ({"in_class_special": "9", "disability": "5"}, ["in_class_special"]),
        ({"entry_month": "201404"}, ["entry_month"]),
        ({"entry_month": f"{today_here().year + 3}09"}, ["entry_month"]),
    ],
)
def test_items_that_contradict_each_other_are_named(words: dict[str, Any], at: list[str]) -> None:
    assert complaints(pupil(**words)) == at


@pytest.mark.parametrize(
    "words",
    [
        {"in_class_special": "1", "disability": "1"},
        {"in_class_special": "3", "disability": "5"},
        {"in_class_special": "9", "disability": "4"},
        {"in_class_special": "2", "disability": "7"},
        {"in_class_special": "0", "disability": "4"},
        {"left_behind": "2"},
        {"is_migrant_child": True},
        {"name": "Anna Smith", "id_type": "A", "id_number": "E12345678"},
        {"id_type": "Z", "id_number": None},
    ],
)
def test_items_that_go_together_pass(words: dict[str, Any]) -> None:
    assert complaints(pupil(**words)) == []


@pytest.mark.parametrize("years", [0, 1, 90])
def test_an_age_that_no_pupil_has_is_questioned(years: int) -> None:
    born = today_here() - timedelta(days=366 * years + 1)
    odd = pupil(born_on=born, id_type="Z", id_number=None, entry_month=f"{today_here().year}12")
    assert "born_on" in complaints(odd)


def test_a_pupil_without_a_number_needs_a_relative_who_has_one() -> None:
    child = pupil(id_type="Z", id_number=None)
    mother = FamilyMember(name="周丽华", is_guardian=True)
    assert "身份证件号" in next(child.check_inlines([]))[1]
    assert "身份证件号" in next(child.check_inlines([mother]))[1]
    mother.id_number = id_for(date(1986, 1, 1), 2)
    assert list(child.check_inlines([mother])) == []


def test_a_family_without_a_guardian_is_not_complete() -> None:
    uncle = FamilyMember(name="周大勇", is_guardian=False)
    assert "监护人" in next(pupil().check_inlines([uncle]))[1]
    assert list(pupil().check_inlines([])) == [], "records from before are kept up without one"
    assert "监护人" in next(pupil().check_inlines([], {"family_member"}))[1]
    uncle.is_guardian = True
    assert list(pupil().check_inlines([uncle], {"family_member"})) == []


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ({}, []),
        ({"relation": "99"}, ["relation_note"]),
        ({"relation": "99", "relation_note": "邻居"}, []),
        ({"id_number": id_for(date(1986, 1, 1), 1)}, ["id_type"]),
        ({"id_type": "1", "id_number": id_for(date(1986, 1, 1), 1)}, []),
        ({"id_type": "1", "id_number": "51992119860101001X"}, ["id_number"]),
        ({"name": "周 大勇"}, ["name"]),
    ],
)
def test_relatives_are_checked_like_pupils_where_it_applies(words: dict[str, Any], at: list[str]) -> None:
    row = FamilyMember(
        **{"name": "周大勇", "relation": "51", "phone": "14000000001", "is_guardian": True} | words
    )
    assert complaints(row) == at


def test_only_a_draft_may_be_deleted_and_the_refusal_names_the_procedure() -> None:
    assert list(pupil(status=Status.PENDING).why_not_delete()) == []
    for status in set(Status) - {Status.PENDING}:
        (sentence,) = pupil(status=status).why_not_delete()
        assert "问题学籍处理" in sentence


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("id_valid", "20200601 — 20300601", "20200601-20300601"),
        ("id_valid", "20200601-长期", "20200601-长期"),
        ("id_valid", "长期", "长期"),
        ("birthplace_code", "519921", "519921000000"),
        ("post_code", "６４６０００", "646000"),
        ("entry_month", "2026年9月", "202609"),
        ("id_number", " 51992120140404001x ", "51992120140404001X"),
        ("name", " 阿依古丽•买买提 ", "阿依古丽·买买提"),
    ],
)
def test_items_are_read_as_people_type_them(name: str, typed: str, stored: str) -> None:
    assert Student.fields()[name].parse(typed) == stored


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("id_valid", "20300601-20200601"),
        ("id_valid", "20200631-20300601"),
        ("id_valid", "20300601"),
        ("post_code", "64600"),
        ("email", "a@b"),
        ("email", 'a"@b.cn'),
        ("home_page", "javascript:alert(1)"),
        ("pinyin", "gāo123"),
        ("gender", "0"),
        ("distance_km", "-1"),
        ("birthplace_code", "5199"),
    ],
)
def test_items_of_the_wrong_form_are_refused(name: str, typed: str) -> None:
    with pytest.raises(Unreadable):
        Student.fields()[name].parse(typed)


def test_the_form_has_the_forty_eight_items_in_the_paper_order() -> None:
    labels = [
        field.label for field in Student.fields().values() if field.section and field.name != "student_no"
    ]
    assert " ".join(labels[:48]) == (
        "姓名 性别 出生日期 出生地 籍贯 民族 国籍/地区 身份证件类型 身份证件号 港澳台侨外 政治面貌 健康状况 照片 "
        "姓名拼音 曾用名 身份证件有效期 户口所在地 户口性质 特长 学籍辅号 班内学号 年级 班级 入学年月 入学方式 "
        "就读方式 学生来源 现住址 通信地址 家庭地址 联系电话 邮政编码 电子信箱 主页地址 是否独生子女 "
        "是否受过学前教育 是否留守儿童 是否进城务工人员随迁子女 是否孤儿 是否烈士或优抚子女 随班就读 残疾类型 "
        "是否由政府购买学位 是否需要申请资助 是否享受一补 上下学距离（公里） 上下学交通方式 是否需要乘坐校车"
    )


def test_names_sort_by_pinyin_and_a_typed_pinyin_goes_first() -> None:
    assert search_keys("单雄信") == {"name_key": "shan xiong xin 单雄信", "name_initials": "sxx"}
    assert search_keys("盖文", "ge wen")["name_key"] == "ge wen 盖文"
    assert pinyin_for("王子涵") == "wang zi han"
    assert all(len(value) <= 120 for value in search_keys("阿卜杜热合曼" * 8).values())
