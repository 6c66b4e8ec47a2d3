"""Schools as planned, and the rows of their stages, campuses, grades and classes. Which schools there are: `district`,
`masses`. Who is in them: `pupils`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random
from types import MappingProxyType

from app.areas.schools.models import (
    Campus,
    ClassGrade,
    Grade,
    School,
    SchoolClass,
    SchoolStage,
    class_order,
    first_year,
    grade_order,
)
from app.core.names import initials_of_words
from seeds.load import Calendar, Load, Row
from seeds.persons import FEMALE, MALE, County, Registry, Township, full_name, landline, phone

PRIMARY, JUNIOR, SENIOR = "1", "2", "3"
ORDINARY, MULTI_GRADE, SPECIAL = "0", "1", "2"


# --- plans --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StagePlan:
    stage: str
    years: int
    authority: str


@dataclass(frozen=True)
class ClassPlan:
    """`size` counts the pupils in it today. A 复式班 takes the levels in `more_levels` as well."""

    stage: str
    level: int
    number: int
    size: int
    type: str = ORDINARY
    more_levels: tuple[int, ...] = ()
    lifted_to: int | None = None
    teacher: str = ""  # account name
    campus: str = ""


@dataclass(frozen=True)
class Manners:
    """How pupils of a school live: shares of all pupils."""

    boarding: float = 0.0
    left_behind: float = 0.06
    migrant: float = 0.03
    rural: float = 0.4
    is_special: bool = False  # a school for disabled children


@dataclass(frozen=True)
class SchoolPlan:
    key: str
    name: str
    code: str
    type: str
    county: County
    township: Township
    urban_rural: str
    stages: tuple[StagePlan, ...]
    classes: tuple[ClassPlan, ...]
    manners: Manners = Manners()
    english_name: str | None = None
    organiser: str = "1"
    central: str = ""  # key of the 中心校
    campuses: tuple[str, ...] = ()
    graduated: tuple[str, ...] = field(default=())  # stages whose last cohort is kept


# --- as opened ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenGrade:
    """`years_since` entry to primary school, this school year: 1 in the first grade; graduates are one beyond."""

    id: int
    school: OpenSchool
    stage: str
    authority: str
    entry_year: int
    level: int
    first_year: int
    years_since: int

    @property
    def started_primary(self) -> int:
        return self.entry_year - self.first_year + 1


@dataclass(frozen=True, slots=True)
class OpenClass:
    id: int
    plan: ClassPlan
    grades: tuple[OpenGrade, ...]

    @property
    def grade(self) -> OpenGrade:
        return self.grades[0]


@dataclass(slots=True)
class OpenSchool:
    id: int
    plan: SchoolPlan
    registry: Registry
    elsewhere: Registry  # numbers from where migrants come
    neighbour: County
    rng: Random
    grades: dict[tuple[str, int], OpenGrade] = field(default_factory=dict)
    classes: list[OpenClass] = field(default_factory=list)
    graduates: dict[str, OpenGrade] = field(default_factory=dict)
    campuses: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.plan.name

    def class_at(self, stage: str, level: int, number: int) -> OpenClass:
        places = {(one.plan.stage, one.plan.level, one.plan.number): one for one in self.classes}
        return places[stage, level, number]


def add_school(
    load: Load,
    plan: SchoolPlan,
    registry: Registry,
    elsewhere: Registry,
    neighbour: County,
    seed: int,
    central_id: int | None,
) -> OpenSchool:
    """The school with stages and campuses. Grades and classes follow once their teachers have accounts."""
    rng = Random(f"{seed}:{plan.code}")
    head = full_name(rng, MALE if rng.random() < 0.7 else FEMALE, 1975)
    authority = min(plan.stages, key=lambda stage: stage.stage).authority
    id_ = load.add(School, _school_row(plan, rng, head, authority, central_id))
    for one in plan.stages:
        words = {"stage": one.stage, "years": one.years, "authority_code": one.authority, "review_code": None}
        load.add(SchoolStage, {"school_id": id_, **words, "first_year": first_year(one.stage, one.years)})
    school = OpenSchool(id_, plan, registry, elsewhere, neighbour, rng)
    for name in plan.campuses:
        row = {"school_id": id_, "authority_code": authority, **_campus_row(plan, rng, name)}
        school.campuses[name] = load.add(Campus, row)
    return school


def _school_row(plan: SchoolPlan, rng: Random, head: str, authority: str, central_id: int | None) -> Row:
    return {
        "school_code": plan.code,
        "name": plan.name,
        "name_initials": initials_of_words(plan.name),
        "type": plan.type,
        "organiser": plan.organiser,
        "urban_rural": plan.urban_rural,
        "location_code": f"{plan.township.code}001",
        "authority_code": authority,
        "central_school_id": central_id,
        "short_name": None,
        "english_name": plan.english_name,
        "is_boarding": plan.manners.boarding >= 0.5,
        "teaching_language": "汉语",
        "address": plan.county.address(rng, plan.county.seat if plan.township.is_town else plan.township),
        "post_code": post_code(plan.county),
        "head_name": head,
        "head_phone": phone(rng),
        "office_phone": landline(rng),
    }


def _campus_row(plan: SchoolPlan, rng: Random, name: str) -> Row:
    return {
        "name": name,
        "area_code": f"{plan.township.code}001",
        "address": plan.county.address(rng, plan.township),
        "head_name": full_name(rng, MALE, 1980),
        "phone": landline(rng),
    }


def former_code(county: County) -> str:
    """A code that the county had once: retired ones live on inside ID numbers."""
    return f"{county.code[:4]}{int(county.code[4:]) + 40}"


def post_code(county: County) -> str:
    return f"6499{county.code[4:]}"


def add_grades(
    load: Load, school: OpenSchool, calendar: Calendar, teachers: Mapping[str, int] = MappingProxyType({})
) -> None:
    for one in school.plan.stages:
        for level in _levels_of(school.plan, one.stage):
            school.grades[one.stage, level] = _add_grade(load, school, one, level, calendar)
        if one.stage in school.plan.graduated:
            school.graduates[one.stage] = _add_grade(
                load, school, one, one.years, calendar, is_graduated=True
            )
    for plan in school.plan.classes:
        school.classes.append(_add_class(load, school, plan, teachers))


def _levels_of(plan: SchoolPlan, stage: str) -> list[int]:
    return sorted(
        {level for one in plan.classes if one.stage == stage for level in (one.level, *one.more_levels)}
    )


def _add_grade(
    load: Load,
    school: OpenSchool,
    stage: StagePlan,
    level: int,
    calendar: Calendar,
    *,
    is_graduated: bool = False,
) -> OpenGrade:
    entry_year = calendar.start - level + (not is_graduated)
    first = first_year(stage.stage, stage.years)
    row = {
        "school_id": school.id,
        "authority_code": stage.authority,
        "stage": stage.stage,
        "entry_year": entry_year,
        "level": level,
        "is_graduated": is_graduated,
        "first_year": first,
        "order_key": grade_order(stage.stage, entry_year),
    }
    years = calendar.start - entry_year + first
    return OpenGrade(
        load.add(Grade, row), school, stage.stage, stage.authority, entry_year, level, first, years
    )


def _add_class(load: Load, school: OpenSchool, plan: ClassPlan, teachers: Mapping[str, int]) -> OpenClass:
    grades = tuple(school.grades[plan.stage, level] for level in (plan.level, *plan.more_levels))
    grade = grades[0]
    place = {"school_id": school.id, "authority_code": grade.authority}
    row = {
        **place,
        "grade_id": grade.id,
        "number": plan.number,
        "class_type": plan.type,
        "founded_on": date(grade.entry_year, 9, 1),
        "is_bilingual": False,
        "campus_id": school.campuses.get(plan.campus),
        "teacher_id": teachers.get(plan.teacher),
        "cap_lifted_to": plan.lifted_to,
        "order_key": class_order(grade.stage, grade.entry_year, plan.number),
    }
    id_ = load.add(SchoolClass, row)
    for more in grades[1:]:
        load.add(ClassGrade, {**place, "class_id": id_, "grade_id": more.id})
    return OpenClass(id_, plan, grades)
