"""What areas hand in to generated pages comes in one order, however the modules happened to be imported."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from app.areas.students.models import Student
from app.surfaces import bulk, detail, finding
from app.surfaces.handed_in import hand_in


def of_module(module: str, name: str) -> Callable[[], str]:
    def one() -> str:
        return name

    one.__module__ = module
    return one


FIRST, SECOND, LAST = of_module("areas.a", "a1"), of_module("areas.a", "a2"), of_module("areas.b", "b")


def test_the_order_is_that_of_the_modules_and_within_one_that_of_its_lines() -> None:
    for order in permutations((FIRST, SECOND, LAST)):
        known: list[Callable[[], str]] = []
        for one in order:
            hand_in(known, one)
        of_a = [one for one in order if one is not LAST]
        assert known == [*of_a, LAST]


def test_what_is_handed_in_twice_is_there_once() -> None:
    known: list[Callable[[], str]] = []
    for one in (LAST, FIRST, LAST, FIRST):
        hand_in(known, one)
    assert known == [FIRST, LAST]


@pytest.mark.parametrize("offer", [detail.offer, detail.offer_on_list, bulk.offer])
def test_the_buttons_of_a_pupil_stand_in_that_order(
    monkeypatch: pytest.MonkeyPatch, offer: Callable[..., None]
) -> None:
    """Whichever area's pages were imported first, and however many applications there are in the process."""
    for module, name in ((detail, "_offers"), (detail, "_list_offers"), (bulk, "_offers")):
        monkeypatch.setattr(module, name, {})
    for one in (LAST, FIRST, LAST):
        offer(Student, one)
    kept = (detail._offers, detail._list_offers, bulk._offers)
    assert [known["student"] for known in kept if known] == [[FIRST, LAST]]


def test_so_do_the_sources_of_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_sources", [])
    for one in (LAST, FIRST, LAST):
        finding.add_source(one)  # type: ignore[arg-type]
    assert finding._sources == [FIRST, LAST]
