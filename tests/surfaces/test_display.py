"""One stored value as people read it: masks of today and of the past, and what a reveal opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.areas.students.models import FamilyMember, Student
from app.core import scope
from app.core.rights import Actor, Extent, Holding
from app.surfaces.display import opened_by, past_text
from app.surfaces.site import Site
from tests import cast
from tests.cast import YIZHONG, class_of, pupil

Acting = Callable[[str], Any]
ZIHAN, ONLY = pupil("王子涵"), pupil("陈思远")


@pytest.mark.parametrize(
    ("name", "raw", "hidden", "whole"),
    [
        ("id_number", "519921201401170046", "5****************6", "519921201401170046"),
        ("id_number", "51992120*", "5********", "51992120*"),
        ("phone", "转8分机", "****", "转8分机"),
        ("phone", "0830转8分机", "083*转8分机", "0830转8分机"),
        ("born_on", "2014年", "2014年", "2014年"),
        ("gender", "9", "9", "9"),
        ("talent", None, "", ""),
    ],
)
def test_a_value_of_the_past_that_cannot_be_read_any_more_is_masked_all_the_same(
    app: Flask, name: str, raw: Any, hidden: str, whole: str
) -> None:
    field, site = Student.fields()[name], Site(Actor(1, "某人"), None)  # type: ignore[arg-type]
    with app.test_request_context():
        assert past_text(field, raw, site) == hidden
        assert past_text(field, raw, site, {name}) == whole


def test_what_hangs_on_a_row_is_opened_where_its_own_right_holds(session: Session, acting: Acting) -> None:
    """Somebody who reveals pupils everywhere in the school and families in one class alone."""
    reading = {f"{key}:{verb}" for key in ("student", "family_member") for verb in ("list", "show")}

    def held(extent: Extent, *more: str) -> Holding:
        return Holding(1, "某角色", frozenset(reading | set(more)), extent, True, False, None)

    school = Extent(school_id=cast.school(YIZHONG))
    first = Extent(school_id=cast.school(YIZHONG), class_ids=frozenset({class_of(YIZHONG, 7, 1)}))
    second = Extent(school_id=cast.school(YIZHONG), class_ids=frozenset({class_of(YIZHONG, 7, 2)}))
    everywhere, with_family = held(school, "student:reveal"), "family_member:reveal"
    for holdings, opened in (
        ([everywhere], {"student": [ZIHAN, ONLY]}),
        ([everywhere, held(school, with_family)], {"student family_member.student_id": [ZIHAN, ONLY]}),
        ([everywhere, held(first, with_family)], {"student family_member.student_id": [ZIHAN, ONLY]}),
        (
            [everywhere, held(second, with_family)],
            {"student": [ZIHAN], "student family_member.student_id": [ONLY]},
        ),
    ):
        by = Actor(1, "某人", tuple(holdings), cast.school(YIZHONG))
        with scope.acting(session, by):
            assert session.get(FamilyMember, cast.relative("周丽华")) is not None
            assert opened_by(session, by, Student, [ZIHAN, ONLY]) == opened, holdings[1:]
