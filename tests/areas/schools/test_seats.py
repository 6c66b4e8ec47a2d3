"""Seats in a class: who is counted, when a class is full, who may join all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.areas.schools import seats
from app.areas.schools.models import SchoolClass
from app.areas.students.models import Status, Student
from app.core import saving
from app.core.authority import Authority
from app.core.errors import Invalid
from tests import cast

Acting = Callable[[str], Any]
FIRST = cast.class_of(cast.YIZHONG, 7, 1)
RETURNING = Authority("resumption", returns=True)


@pytest.fixture
def small(session: Session) -> None:
    """Classes of three: 七年级（1）班 has exactly three pupils 在校, and a draft beside them."""
    from flask import current_app

    before = current_app.config["CLASS_CAP"]
    current_app.config["CLASS_CAP"] = {"2": 3, "3": 2}
    yield
    current_app.config["CLASS_CAP"] = before


def join(by: Any, authority: Authority | None = None, **words: Any) -> Student:
    with saving.work():
        return cast.add_pupil(by, authority, **words)


def test_drafts_and_absentees_hold_no_seat(session: Session, acting: Acting) -> None:
    with acting("system"):
        assert seats.head_count(session, FIRST) == 3
        assert seats.head_count(session, cast.class_of(cast.YIZHONG, 7, 2)) == 2


@pytest.mark.usefixtures("small")
def test_a_full_class_says_which_others_have_seats(session: Session, acting: Acting) -> None:
    with acting("lin") as by, pytest.raises(Invalid) as refused:
        join(by)
    ((name, sentence),) = refused.value.complaints
    assert name == "class_id"
    assert sentence == (
        "七年级（1）班现有3人，已达上限3人。可改选：七年级（2）班、七年级（10）班；确需编入的，请报主管部门批准。"
    )


@pytest.mark.usefixtures("small")
def test_more_pupils_than_seats_are_refused_together(session: Session, acting: Acting) -> None:
    with acting("system"):
        second = session.get_one(SchoolClass, cast.class_of(cast.YIZHONG, 7, 2))
        assert seats.complaint(session, second, joining=1) is None
        assert "编入后将超过上限3人" in (seats.complaint(session, second, joining=2) or "")


@pytest.mark.usefixtures("small")
def test_the_authority_may_lift_the_cap_of_one_class(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        found = session.get_one(SchoolClass, FIRST)
        with pytest.raises(Invalid), saving.work():
            saving.edit(found, {"cap_lifted_to": 3}, by)
        with saving.work():
            saving.edit(found, {"cap_lifted_to": 4}, by)
        assert join(by).class_id == FIRST


@pytest.mark.usefixtures("small")
def test_who_returns_by_right_in_compulsory_schooling_is_never_refused(
    session: Session, acting: Acting
) -> None:
    with acting("zhao") as by:
        back = session.get_one(Student, cast.pupil("陈思远"))
        data = {"status": Status.ENROLLED, "class_id": FIRST}
        with pytest.raises(Invalid), saving.work():
            saving.edit(back, data, by, authority=Authority("placement"))
        with saving.work():
            saving.edit(session.get_one(Student, back.id), data, by, authority=RETURNING)
        assert seats.head_count(session, FIRST) == 4


@pytest.mark.usefixtures("small")
def test_in_senior_high_a_return_needs_a_seat(session: Session, acting: Acting) -> None:
    with acting("system"):
        senior = session.get_one(SchoolClass, cast.class_of(cast.YIZHONG, 10, 1))
        sentence = seats.complaint(session, senior, authority=RETURNING)
    assert "本年级各班都已满" in (sentence or "")


@pytest.mark.usefixtures("small")
def test_approval_of_a_draft_counts_seats_again(session: Session, acting: Acting) -> None:
    with acting("system") as by:
        draft = session.get_one(Student, cast.pupil("刘浩然"))
        with pytest.raises(Invalid) as refused, saving.work():
            saving.edit(draft, {"status": Status.ENROLLED}, by)
    assert [name for name, _sentence in refused.value.complaints] == ["class_id"]


@pytest.mark.usefixtures("small")
def test_an_overfull_class_does_not_hinder_the_upkeep_of_its_pupils(session: Session, acting: Acting) -> None:
    from flask import current_app

    current_app.config["CLASS_CAP"] = {"2": 1}
    with acting("lin") as by:
        with saving.work():
            kept = saving.edit(session.get_one(Student, cast.pupil("欧阳若曦")), {"address": "新居2号"}, by)
        assert kept.address == "新居2号"


def test_an_approver_elsewhere_counts_pupils_whom_he_may_not_see(session: Session, acting: Acting) -> None:
    from flask import current_app

    with acting("system"):
        found = session.get_one(SchoolClass, FIRST)
    before = current_app.config["CLASS_CAP"]
    current_app.config["CLASS_CAP"] = {"2": 3}
    try:
        with acting("xu"):
            assert seats.head_count(session, FIRST) == 0
            assert seats.complaint(session, found, authority=Authority("transfer"), stage="2") is not None
    finally:
        current_app.config["CLASS_CAP"] = before
