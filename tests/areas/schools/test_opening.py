"""A new first grade opens with its classes, spare ones included, in one act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.areas.schools.models import Grade, SchoolClass, SchoolStage
from app.core import scope
from tests import cast

Login = Callable[[str], Any]
GOOD = {"entry_year": "2027", "classes": "3", "spare": "1"}


def stage_of(session: Session, school: str, stage: str) -> str:
    scope.set_actor(session, cast.actor(session, "he"))
    query = sa.select(SchoolStage.id).where(
        SchoolStage.school_id == cast.school(school), SchoolStage.stage == stage
    )
    return str(session.scalar(query))


def classes_of(session: Session, entry_year: int) -> list[int]:
    session.rollback()  # reads what the request has committed
    scope.set_actor(session, cast.actor(session, "lin"))
    query = sa.select(SchoolClass.number).join(Grade, Grade.id == SchoolClass.grade_id)
    return list(session.scalars(query.where(Grade.entry_year == entry_year).order_by(SchoolClass.number)))


def test_the_clerk_opens_a_grade_with_its_classes(session: Session, login: Login) -> None:
    stage = stage_of(session, "青岚县第一中学", "2")
    answer = login("lin").post("/grades/open/", data=GOOD | {"stage_id": stage})
    assert answer.status_code == 302
    assert classes_of(session, 2027) == [1, 2, 3, 4]


def test_the_same_grade_does_not_open_twice(session: Session, login: Login) -> None:
    stage, clerk = stage_of(session, "青岚县第一中学", "2"), login("lin")
    clerk.post("/grades/open/", data=GOOD | {"stage_id": stage})
    answer = clerk.post("/grades/open/", data=GOOD | {"stage_id": stage, "classes": "9"})
    assert answer.status_code == 422
    assert "2027级已经开设" in answer.text
    assert 'value="9"' in answer.text, "what was typed stays"
    assert classes_of(session, 2027) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("classes", "", "必填项"),
        ("classes", "许多", "应填写整数"),
        ("classes", "41", "应在1到40之间"),
        ("spare", "40", "合计应在1到40个之间"),
        ("entry_year", "1066", "应在1990到2100之间"),
        ("stage_id", "x", "必填项“学段”为空"),
        ("junk", "1", "没有“junk”这一项"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    session: Session, login: Login, name: str, typed: str, sentence: str
) -> None:
    stage = stage_of(session, "青岚县第一中学", "2")
    answer = login("lin").post("/grades/open/", data=GOOD | {"stage_id": stage, name: typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert classes_of(session, 2027) == []


def test_another_schools_stage_is_not_to_be_had(session: Session, login: Login) -> None:
    stage = stage_of(session, "城关初级中学", "2")
    answer = login("lin").post("/grades/open/", data=GOOD | {"stage_id": stage})
    assert answer.status_code == 422
    assert "没有找到所选的学段" in answer.text


@pytest.mark.parametrize("username", ["li", "zhao", "zhou", "chen"])
def test_who_may_not_add_grades_is_told_so(login: Login, username: str) -> None:
    assert login(username).get("/grades/open/").status_code == 403
