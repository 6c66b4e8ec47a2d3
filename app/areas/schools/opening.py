"""The new first grade of a stage with its classes, spare ones included, in one act (domain.md §2.3)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from app.areas.schools.models import Grade, School, SchoolClass, SchoolStage
from app.core import saving
from app.core.errors import Invalid
from app.core.rights import Actor
from app.extensions import db

MOST_CLASSES = 40


def stages_to_open(by: Actor) -> list[tuple[int, str]]:
    """(school_stage id, label) of the stages in which this person may open a grade."""
    query = sa.select(SchoolStage, School.name).join(School, School.id == SchoolStage.school_id)
    query = query.order_by(SchoolStage.school_id, SchoolStage.stage).limit(200)
    found = [(stage, name) for stage, name in db.session.execute(query) if by.has("grade:add")]
    several = len({stage.school_id for stage, _name in found}) > 1
    return [(s.id, f"{name} {s.stage_name}" if several else s.stage_name) for s, name in found]


def entry_year_on(day: date) -> int:
    """Pupils enter in September; before June one still means last September's."""
    return day.year if day.month >= 6 else day.year - 1


def open_grade(stage_id: int, entry_year: int, classes: int, spare: int, by: Actor) -> Grade:
    """Creates the grade at level 1 and its classes 1…n. Raises Invalid when it is open already."""
    with saving.work() as work:
        stage = work.session.get(SchoolStage, stage_id)
        if stage is None:
            raise Invalid([("stage_id", _("没有找到所选的学段。请重新选择。"))])
        if not 1 <= classes + spare <= MOST_CLASSES:
            raise Invalid([("classes", _("班级与备用班合计应在1到%(n)s个之间。", n=MOST_CLASSES))])
        _refuse_second(stage, entry_year)
        data = {"stage": stage.stage, "entry_year": entry_year, "level": 1, "school_id": stage.school_id}
        grade = saving.create(Grade, data, by)
        for number in range(1, classes + spare + 1):
            if not work.complaints:
                saving.create(SchoolClass, {"grade_id": grade.id, "number": number, "class_type": "0"}, by)
    return grade


def _refuse_second(stage: SchoolStage, entry_year: int) -> None:
    same = sa.select(Grade.id).where(
        Grade.school_id == stage.school_id, Grade.stage == stage.stage, Grade.entry_year == entry_year
    )
    if db.session.scalar(same) is not None:
        raise Invalid(
            [("entry_year", _("%(year)s级已经开设。需要增加班级的，请到“班级管理”中新增。", year=entry_year))]
        )
