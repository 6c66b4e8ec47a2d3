"""Lists: every row once at any page size, in order; what was typed decides what is searched; counts stop at the cap."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.areas.students.models import Student
from app.core import scope
from app.core.entity import registry
from app.surfaces import listing
from app.surfaces.listing import Listing
from app.surfaces.site import Site
from tests import cast

ORDERS = ("", "name", "-name", "status", "-status")


def listed(session: Session, username: str, entity: Any = Student, **args: str) -> Listing:
    by = cast.actor(session, username)
    scope.set_actor(session, by)
    return Listing(entity, Site(by, session), args)


def walk(session: Session, size: int, sort: str) -> list[int]:
    """All ids that one meets going from page to page."""
    seen: list[int] = []
    after = ""
    for _page in range(100):
        one = listed(session, "lin", sort=sort, after=after)
        one.asked.size = size
        rows = one.rows()
        seen += [row.id for row in rows]
        if not one.has_more:
            return seen
        after = str(rows[-1].id)
    raise AssertionError("the pages do not end")


@settings(max_examples=15)
@given(size=st.integers(1, 20), sort=st.sampled_from(ORDERS))
def test_paging_shows_every_pupil_once_and_in_order(session: Session, size: int, sort: str) -> None:
    everyone = [row.id for row in listed(session, "lin", sort=sort, size="200").rows()]
    assert walk(session, size, sort) == everyone
    assert len(everyone) == len(set(everyone)) == listed(session, "lin").count()


def test_going_back_shows_the_page_before(session: Session) -> None:
    everyone = [row.id for row in listed(session, "lin").rows()]
    one = listed(session, "lin", before=str(everyone[7]))
    one.asked.size = 3
    assert [row.id for row in one.rows()] == everyone[4:7]


def test_a_cursor_whose_row_vanished_means_page_one(session: Session) -> None:
    assert [r.id for r in listed(session, "lin", after="999999").rows()] == [
        r.id for r in listed(session, "lin").rows()
    ]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("wzh", {"王子涵"}),
        ("wang zi", {"王子涵"}),
        ("王子", {"王子涵"}),
        ("子涵", {"王子涵"}),
        ("涵", {"王子涵"}),
        ("欧阳", {"欧阳若曦"}),
        ("古丽·买", {"阿依古丽·买买提"}),
        ("%", set()),
        ("_", set()),
    ],
)
def test_quick_search_decides_by_what_was_typed(session: Session, typed: str, names: set[str]) -> None:
    assert {row.name for row in listed(session, "lin", q=typed).rows()} == names


@pytest.mark.parametrize("sort", ["", "-name"])
@pytest.mark.parametrize("cap", [1, 10_000])
def test_a_search_is_in_order_and_counted_however_much_it_finds(
    session: Session, monkeypatch: pytest.MonkeyPatch, cap: int, sort: str
) -> None:
    monkeypatch.setattr(listing, "COUNT_CAP", cap)
    everyone = [row.id for row in listed(session, "lin", sort=sort, size="200").rows()]
    found = {row.id for row in listed(session, "lin", q="子", size="200").rows()}
    one = listed(session, "lin", q="子", sort=sort)
    one.asked.size = 2
    first = [row.id for row in one.rows()]
    assert first == [id_ for id_ in everyone if id_ in found][:2]
    assert one.count() == min(len(found), cap + 1)
    more = listed(session, "lin", q="子", sort=sort, after=str(first[-1]))
    assert first + [row.id for row in more.rows()] == [id_ for id_ in everyone if id_ in found]
    assert more.count() == min(len(found), cap + 1)


def test_a_number_finds_exactly_its_pupil(session: Session) -> None:
    wanted = cast.pupil("张一鸣")
    number = cast.student_no(wanted)
    assert number is not None
    found = Student.search_number(number, Student.fields())
    assert found is not None
    assert listed(session, "lin").count() > 1
    rows = session.scalars(sa.select(Student).where(found)).all()
    assert [row.id for row in rows] == [wanted]


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        ("51990120131010001x", True),
        ("８１０００020 1404160003", True),
        ("demo00471", True),
        ("E12345678", True),
        ("C123456(7)", True),
        ("L2026519901000001234", True),
        ("王子涵", False),
        ("阿依古丽·买买提", False),
        ("2023级", False),
        ("wzh", False),
        ("ann-marie lee", False),
    ],
)
def test_whatever_may_be_a_number_is_looked_for_as_one_and_kept_out_of_the_address(
    typed: str, is_one: bool
) -> None:
    assert (Student.search_number(typed, ()) is not None) is is_one


def test_counts_stop_at_the_cap(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_CAP", 3)
    assert listed(session, "lin").count() == 4
    assert listing.count_text(4) == "10 000条以上"


@pytest.mark.parametrize("name", ["id_number", "student_no", "phone", "nothing", "name_key", "health__from"])
def test_what_is_masked_or_unknown_is_no_filter(session: Session, name: str) -> None:
    assert listed(session, "lin", **{name: "1"}).asked.closed


@pytest.mark.parametrize("sort", ["id_number", "-student_no", "nothing", "address"])
def test_what_is_masked_or_unknown_is_no_order(session: Session, sort: str) -> None:
    assert listed(session, "lin", sort=sort).asked.closed


def test_classes_sort_by_number_ten_after_nine(session: Session) -> None:
    rows: Any = listed(session, "lin", registry["school_class"], sort="number").rows()
    numbers = [row.number for row in rows if row.grade.name == "七年级"]
    assert numbers == sorted(numbers)
    assert 10 in numbers


def test_the_list_asks_the_database_for_shown_columns_only(session: Session) -> None:
    one = listed(session, "lin")
    rows: Any = one.rows()
    assert "address" not in vars(rows[0])
    assert "name" in vars(rows[0])
