"""Grades and classes are found by what people call them; their names stand in no column."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.surfaces import lookups
from tests import cast


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("七年级", ["七年级（1）班", "七年级（2）班", "七年级（10）班"]),
        ("七年级（2）班", ["七年级（2）班"]),
        ("七年级(2)班", ["七年级（2）班"]),
        ("七2", ["七年级（2）班"]),
        ("10班", ["七年级（10）班"]),
        ("高", ["高一（1）班"]),
        ("2025级", ["八年级（1）班"]),
        ("2026级1班", ["七年级（1）班", "高一（1）班"]),
        ("九年级", []),
        ("七年级（3）班", []),
        ("宏志", []),
    ],
)
def test_a_class_is_found_as_it_is_called(
    session: Session, acting: Any, typed: str, names: list[str]
) -> None:
    with acting("lin") as by:
        assert [name for _id, name in lookups.suggest(session, by, "school_class", typed)] == names


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("七", ["七年级"]),
        ("年级", ["七年级", "八年级"]),
        ("高一", ["高一"]),
        ("2026", ["七年级", "高一"]),
        ("2026级", ["七年级", "高一"]),
        ("三", []),
        ("王", []),
    ],
)
def test_a_grade_is_found_as_it_is_called(
    session: Session, acting: Any, typed: str, names: list[str]
) -> None:
    with acting("lin") as by:
        assert [name for _id, name in lookups.suggest(session, by, "grade", typed)] == names


def test_classes_of_another_school_are_not_suggested(session: Session, acting: Any) -> None:
    with acting("wang") as by:
        found = lookups.suggest(session, by, "school_class", "七年级")
    own = {cast.class_of(cast.CHENGGUAN, 7, number) for number in (1, 9)}
    assert {id_ for id_, _name in found} == own
