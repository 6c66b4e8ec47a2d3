"""Where schools, grades, classes and pupils belong: it follows from the stage, in the database itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.areas.regions.models import Region
from app.areas.schools.models import (
    AcademicYear,
    Campus,
    ClassGrade,
    Grade,
    School,
    SchoolClass,
    SchoolStage,
    Term,
)
from app.areas.students.models import FamilyMember, Student
from app.core import saving
from app.core.errors import Invalid
from tests import cast

Acting = Callable[[str], Any]


def refusals(wanted: Callable[[], Any]) -> dict[str, str]:
    """What a save is refused for, by field."""
    with pytest.raises(Invalid) as refused, saving.work():
        wanted()
    return dict(refused.value.complaints)


def stage_of(session: Session, school: str, stage: str) -> SchoolStage:
    query = sa.select(SchoolStage).where(
        SchoolStage.school_id == cast.school(school), SchoolStage.stage == stage
    )
    return session.scalars(query).one()


def test_a_school_with_two_stages_belongs_where_the_lower_one_does(session: Session, acting: Acting) -> None:
    with acting("system"):
        assert session.get_one(School, cast.school(cast.YIZHONG)).authority_code == cast.QINGLAN
        senior = session.get_one(Grade, cast.grade(cast.YIZHONG, 10))
        junior = session.get_one(Grade, cast.grade(cast.YIZHONG, 7))
        assert (senior.authority_code, junior.authority_code) == (cast.CITY, cast.QINGLAN)


def test_a_school_is_found_by_the_initials_of_its_name_as_it_is_now(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        school = session.get_one(School, cast.school(cast.YIZHONG))
        assert school.name_initials == "qlxdyzx"
        with saving.work():
            saving.edit(school, {"name": "青岚县实验中学"}, by)
        found = sa.select(School.id).where(
            School.search("SYZX", session.get_bind().dialect.name, School.fields())
        )
        assert list(session.scalars(found)) == [school.id]
        unnamed = School.search("SYZX", session.get_bind().dialect.name, {"school_code"})
        assert list(session.scalars(sa.select(School.id).where(unnamed))) == []


def test_a_stage_added_below_takes_the_school_along(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        words = {"stage": "1", "years": 6, "authority_code": cast.SHIXI}
        with saving.work():
            saving.create(SchoolStage, {"school_id": cast.school(cast.CHENGGUAN), **words}, by)
        assert session.get_one(School, cast.school(cast.CHENGGUAN)).authority_code == cast.SHIXI


def test_another_authority_moves_everything_of_the_stage_and_nothing_else(
    session: Session, acting: Acting
) -> None:
    with acting("system") as by:
        with saving.work():
            campus = {"name": "本部", "area_code": "519921000000", "address": "解放路1号"}
            saving.create(Campus, {"school_id": cast.school(cast.YIZHONG), **campus}, by)
            saving.edit(stage_of(session, cast.YIZHONG, "2"), {"authority_code": cast.SHIXI}, by)
        session.expire_all()
        moved = session.get_one(Student, cast.pupil("欧阳若曦"))
        assert moved.authority_code == cast.SHIXI
        assert session.get_one(FamilyMember, cast.relative("欧阳明")).authority_code == cast.SHIXI
        assert moved.school_class.authority_code == moved.grade.authority_code == cast.SHIXI
        assert session.scalars(sa.select(Campus)).one().authority_code == cast.SHIXI
        assert session.get_one(Student, cast.pupil("赵雅婷")).authority_code == cast.CITY
        assert session.get_one(Student, cast.pupil("吴佳怡")).authority_code == cast.QINGLAN


def test_a_changed_length_of_junior_school_renames_its_grades(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        with saving.work():
            saving.edit(stage_of(session, cast.CHENGGUAN, "2"), {"years": 4}, by)
        session.expire_all()
        assert session.get_one(Grade, cast.grade(cast.CHENGGUAN, 7)).name == "六年级"


def test_a_stage_in_use_cannot_become_another(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        stage = stage_of(session, cast.CHENGGUAN, "2")
        assert "stage" in refusals(lambda: saving.edit(stage, {"stage": "3"}, by))
        assert any("年级" in sentence for sentence in stage.why_not_delete())


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ({"stage": "3"}, "stage"),
        ({"stage": "2", "level": 4}, "level"),
    ],
)
def test_a_grade_needs_a_stage_of_its_school_and_a_level_within_it(
    session: Session, acting: Acting, words: dict[str, Any], at: str
) -> None:
    given = {"school_id": cast.school(cast.CHENGGUAN), "entry_year": 2025, "level": 1} | words
    with acting("system") as by:
        assert at in refusals(lambda: saving.create(Grade, given, by))


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ({"authority_code": "519999"}, "authority_code"),
        ({"review_code": "519999"}, "review_code"),
        ({"years": 5}, "years"),
    ],
)
def test_a_stage_needs_known_authorities_and_lawful_years(
    session: Session, acting: Acting, words: dict[str, Any], at: str
) -> None:
    given = {"school_id": cast.school(cast.CHENGGUAN), "stage": "3", "years": 3, "authority_code": cast.CITY}
    with acting("system") as by:
        assert at in refusals(lambda: saving.create(SchoolStage, given | words, by))


# --- classes ------------------------------------------------------------------------------------------


def test_a_number_is_free_again_once_its_class_is_in_the_recycle_bin(
    session: Session, acting: Acting
) -> None:
    grade_id = cast.grade(cast.YIZHONG, 7)
    with acting("system") as by:
        with saving.work():
            first = saving.create(SchoolClass, {"grade_id": grade_id, "number": 4}, by)
        assert "number" in refusals(
            lambda: saving.create(SchoolClass, {"grade_id": grade_id, "number": 4}, by)
        )
        with saving.work():
            saving.delete(first, by)
        with saving.work():
            saving.create(SchoolClass, {"grade_id": grade_id, "number": 4}, by)
        with saving.work():
            saving.create(SchoolClass, {"grade_id": cast.grade(cast.YIZHONG, 8), "number": 4}, by)


def test_a_class_with_pupils_is_not_deleted_and_the_refusal_names_the_procedure(
    session: Session, acting: Acting
) -> None:
    with acting("system") as by:
        full = session.get_one(SchoolClass, cast.class_of(cast.YIZHONG, 7, 1))
        assert "学生调班" in refusals(lambda: saving.delete(full, by))[""]


def test_the_class_teacher_is_of_the_school(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        found = session.get_one(SchoolClass, cast.class_of(cast.YIZHONG, 7, 1))
        wang, zhou = cast.person("wang"), cast.person("zhou")
        assert "teacher_id" in refusals(lambda: saving.edit(found, {"teacher_id": wang}, by))
        with saving.work():
            saving.edit(found, {"teacher_id": zhou}, by)
        assert found.teacher.first_name == "小周"


def test_only_a_class_of_several_grades_takes_another_grade(session: Session, acting: Acting) -> None:
    plain = cast.class_of(cast.YIZHONG, 7, 10)
    seventh, eighth, tenth = (cast.grade(cast.YIZHONG, year) for year in (7, 8, 10))
    with acting("system") as by:
        add = {"class_id": plain, "grade_id": eighth}
        assert "复式班" in refusals(lambda: saving.create(ClassGrade, add, by))[""]
        with saving.work():
            saving.edit(session.get_one(SchoolClass, plain), {"class_type": "1"}, by)
        for wrong in (seventh, tenth):
            given = {"class_id": plain, "grade_id": wrong}
            assert "grade_id" in refusals(lambda given=given: saving.create(ClassGrade, given, by))
        with saving.work():
            saving.create(ClassGrade, add, by)
        session.expire_all()
        mixed = session.get_one(SchoolClass, plain)
        assert mixed.full_name == "七、八年级复式班"
        assert mixed.takes(eighth)


# --- the calendar, the regions ------------------------------------------------------------------------


def test_years_and_terms_lie_within_each_other(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        words = {"name": "2026-2027", "starts_on": date(2026, 9, 1), "ends_on": date(2027, 8, 31)}
        assert "name" in refusals(lambda: saving.create(AcademicYear, words | {"name": "2026-2028"}, by))
        assert "starts_on" in refusals(
            lambda: saving.create(AcademicYear, words | {"starts_on": date(2025, 9, 1)}, by)
        )
        with saving.work():
            year = saving.create(AcademicYear, words, by)
        term = {"academic_year_id": year.id, "number": "1", "starts_on": date(2026, 9, 1)}
        late = term | {"ends_on": date(2027, 9, 30)}
        assert "starts_on" in refusals(lambda: saving.create(Term, late, by))
        with saving.work():
            made = saving.create(Term, term | {"ends_on": date(2027, 1, 31)}, by)
        assert made.full_name == "2026-2027学年第一学期"
        assert any("学期" in sentence for sentence in year.why_not_delete())


def test_the_standards_regions_stay_and_zones_are_added_below_them(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        province = session.scalars(sa.select(Region).where(Region.code == "510000")).one()
        assert "国家标准" in refusals(lambda: saving.edit(province, {"name": "别的省"}, by))[""]
        zone = {"code": "519971", "name": "澜川高新区", "parent_code": cast.CITY}
        with saving.work():
            made = saving.create(Region, zone, by)
        assert (made.level, made.is_added) == ("zone", True)
        assert "parent_code" in refusals(lambda: saving.create(Region, zone | {"parent_code": "519800"}, by))
        assert "code" in refusals(lambda: saving.create(Region, zone | {"code": "518871"}, by))
        assert "parent_code" in refusals(lambda: saving.create(Region, zone | {"parent_code": None}, by))
