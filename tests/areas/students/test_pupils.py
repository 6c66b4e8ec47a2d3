"""Pupils beside each other: classes that take them, the same ID number twice, numbers given out, deletion."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.areas.students import lookups
from app.areas.students.models import PROBLEM, UNVERIFIED, NumberHistory, Status, Stay, Student
from app.core import audit, saving
from app.core.authority import Authority
from app.core.errors import Invalid
from tests import cast

Acting = Callable[[str], Any]
BORN = date(2014, 4, 4)


def add(by: Any, **words: Any) -> Student:
    with saving.work():
        return cast.add_pupil(by, **words)


def refusals(wanted: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        wanted()
    return dict(refused.value.complaints)


def same_person_as(student_id: int) -> dict[str, Any]:
    one = cast.PUPILS[student_id - 1]
    own = {"id_type": one.id_type, "id_number": cast.id_number(student_id)}
    return own | {"born_on": one.born_on, "gender": one.gender, "name": one.name}


def test_a_new_pupil_is_a_draft_placed_by_the_grade_and_found_by_pinyin(
    session: Session, acting: Acting
) -> None:
    with acting("lin") as by:
        made = add(by, name="单雄信")
        assert made.status is Status.PENDING
        assert (made.student_no, made.verification) == (None, UNVERIFIED)
        assert (made.school_id, made.authority_code, made.stage) == (
            cast.school(cast.YIZHONG),
            cast.QINGLAN,
            "2",
        )
        assert (made.pinyin, made.name_initials) == ("shan xiong xin", "sxx")


def test_a_typed_pinyin_stands_until_the_name_changes(session: Session, acting: Acting) -> None:
    with acting("lin") as by:
        typed = add(by, name="盖文", pinyin="gai wen")
        assert (typed.pinyin, typed.name_key) == ("gai wen", "gai wen 盖文")
        with saving.work():
            saving.edit(typed, {"name": "盖小文"}, by, authority=Authority("key_data_change"))
        assert (typed.pinyin, typed.name_key) == ("ge xiao wen", "ge xiao wen 盖小文")


def test_a_class_of_another_grade_is_refused(session: Session, acting: Acting) -> None:
    with acting("lin") as by:
        wrong = {"class_id": cast.class_of(cast.YIZHONG, 8, 1)}
        assert "不属于" in refusals(lambda: add(by, **wrong))["class_id"]


def test_a_number_in_the_class_belongs_to_one_pupil(session: Session, acting: Acting) -> None:
    with acting("lin") as by:
        add(by, number_in_class="07")
        assert "班内学号" in refusals(lambda: add(by, number_in_class="07"))["number_in_class"]
        add(by, number_in_class="07", class_id=cast.class_of(cast.YIZHONG, 7, 2))


# --- the same person twice ----------------------------------------------------------------------------


def test_a_second_record_in_the_same_school_is_refused_with_the_class(
    session: Session, acting: Acting
) -> None:
    here = cast.pupil("周小雨")
    with acting("lin") as by:
        said = refusals(lambda: add(by, **same_person_as(here)))
    assert "七年级（10）班" in said["id_number"]
    assert cast.id_number(here) not in said["id_number"]


def test_a_record_in_another_school_makes_a_problem_and_leaves_a_trace(
    session: Session, acting: Acting
) -> None:
    with acting("lin") as by:
        made = add(by, **same_person_as(cast.pupil("胡俊熙")))
        assert made.verification == PROBLEM
        assert "外校" in (made.problem_note or "")
        assert cast.SHIXI_ER not in made.problem_note
    with acting("system"):
        looked = session.scalar(
            sa.select(audit.AuditEntry.actor_id).where(audit.AuditEntry.action == "lookup")
        )
    assert looked == cast.person("lin")


def test_a_deleted_draft_is_no_second_record(session: Session, acting: Acting) -> None:
    draft = cast.pupil("刘浩然")
    with acting("lin") as by:
        with saving.work():
            saving.delete(session.get_one(Student, draft), by)
        assert add(by, **same_person_as(draft)).verification == UNVERIFIED


def test_upkeep_of_a_problem_record_is_not_hindered_by_its_problem(session: Session, acting: Acting) -> None:
    id_ = cast.pupil("吴佳怡")
    with acting("system") as by, saving.work():
        row = {c.key: getattr(session.get_one(Student, id_), c.key) for c in sa.inspect(Student).column_attrs}
        broken = {"student_no": None, "id_number": "519921201406180000", "gender": "1"}
        saving.many(Student, [row | broken | {"id": 900}], by)
    with acting("wang") as by:
        with saving.work():
            kept = saving.edit(session.get_one(Student, 900), {"address": "新居2号"}, by)
        assert (kept.address, kept.id_number) == ("新居2号", "519921201406180000")


# --- numbers ------------------------------------------------------------------------------------------


def test_temporary_numbers_are_never_given_twice(session: Session, acting: Acting) -> None:
    rng = random.Random(7)
    first = lookups.numbers.make_temporary(cast.QINGLAN, BORN, random.Random(7))
    with acting("system") as by:
        with saving.work():
            child = session.get_one(Student, cast.pupil("刘浩然"))
            history = {"student_id": child.id, "from_on": date(2026, 9, 1), "reason": "学籍注册"}
            saving.create(NumberHistory, history | {"student_no": first}, by)
        second = lookups.next_temporary_number(session, cast.QINGLAN, BORN, rng)
    assert second != first
    assert second.startswith("L51992120140404")
    assert len(second) == 19


def test_when_a_days_numbers_are_used_up_it_is_said(
    session: Session, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "NUMBERS_A_DAY", 0)
    with acting("system"), pytest.raises(Invalid, match="用完"):
        lookups.next_temporary_number(session, cast.QINGLAN, BORN)


def test_a_pupil_is_found_by_any_number_once_had_and_only_inside_the_scope(
    session: Session, acting: Acting
) -> None:
    child = cast.pupil("欧阳若曦")
    former = lookups.numbers.make_temporary(cast.QINGLAN, BORN, random.Random(1))
    with acting("system") as by, saving.work():
        history = {"student_no": former, "from_on": date(2020, 9, 1), "reason": "学籍注册"}
        made = saving.create(NumberHistory, {"student_id": child} | history, by)
        assert made.school_id == cast.school(cast.YIZHONG)
    for number in (former, cast.student_no(child)):
        with acting("lin"):
            assert lookups.find_by_any_number(session, number) == child
        with acting("wang"):
            assert lookups.find_by_any_number(session, number) is None


# --- leaving and deleting -----------------------------------------------------------------------------


def test_a_pupil_who_is_not_a_draft_is_not_deleted(session: Session, acting: Acting) -> None:
    with acting("lin") as by:
        child = session.get_one(Student, cast.pupil("欧阳若曦"))

        def delete() -> None:
            with saving.work():
                saving.delete(child, by)

        assert "问题学籍处理" in refusals(delete)[""]


def test_what_goes_with_a_pupil_is_counted(session: Session, acting: Acting) -> None:
    with acting("lin"):
        assert list(session.get_one(Student, cast.pupil("欧阳若曦")).goes_with()) == ["家庭成员1人"]
        assert list(session.get_one(Student, cast.pupil("刘浩然")).goes_with()) == []


def test_a_stay_belongs_where_it_was_and_does_not_follow_the_pupil(session: Session, acting: Acting) -> None:
    child = cast.pupil("徐子轩")
    move = {"grade_id": cast.grade(cast.SHIXI_ER, 7), "class_id": cast.class_of(cast.SHIXI_ER, 7, 1)}
    with acting("system") as by:
        with saving.work():
            words = {
                "entry_grade_id": cast.grade(cast.CHENGGUAN, 7),
                "entered_on": date(2026, 9, 1),
                "way": "11",
            }
            saving.create(Stay, {"student_id": child, "student_name": "徐子轩", **words}, by)
        with saving.work():
            saving.edit(session.get_one(Student, child), move, by)
    with acting("wang"):
        assert session.get(Student, child) is None
        assert session.scalars(sa.select(Stay)).one().student_name == "徐子轩"
    with acting("gao"):
        assert session.get_one(Student, child).authority_code == cast.SHIXI
        assert session.scalars(sa.select(Stay)).all() == []
