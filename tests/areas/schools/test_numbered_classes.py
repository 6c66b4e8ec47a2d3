"""Classes by the numbers that schools write for them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from app.areas.schools.models import read_numbered
from tests.client import Client

Login = Callable[..., Client]

READ = {
    "7": (7, None),
    "7年级": (7, None),
    "10": (10, None),
    "12": (12, None),
    "701": (7, 1),
    "710": (7, 10),
    "7(1)": (7, 1),
    "7（1）": (7, 1),
    "7（1）班": (7, 1),
    "7.1": (7, 1),
    "7-1": (7, 1),
    "7-10": (7, 10),
    "701班": (7, 1),
    "112": (1, 12),
    "1012": (10, 12),
    "12(3)": (12, 3),
    "7班": None,
    "13(1)": None,
    "0": None,
    "2026": None,
    "七1": None,
    "7(": None,
    "7-": None,
    "": None,
}


@pytest.mark.parametrize(("typed", "read"), READ.items())
def test_a_class_in_digits_is_read(typed: str, read: tuple[int, int | None] | None) -> None:
    assert read_numbered(typed) == read


SEVENTH = ["七年级（1）班", "七年级（2）班", "七年级（10）班"]
FOUND = {"7": SEVENTH, "7年级": SEVENTH, "710": SEVENTH[2:]} | dict.fromkeys(
    ("701", "7(1)", "7（1）", "7.1", "7-1", "7(1)班"), SEVENTH[:1]
)


@pytest.mark.parametrize(("typed", "classes"), FOUND.items())
def test_the_look_up_and_the_search_over_everything_find_it(
    login: Login, typed: str, classes: list[str]
) -> None:
    lin = login("lin")
    looked_up = lin.post("/lookup/school_class", data={"q": typed})
    assert [one["label"] for one in json.loads(looked_up.data)["items"]] == classes
    answer = json.loads(lin.post("/find", data={"q": typed}, headers={"Accept": "application/json"}).data)
    hits = [hit["label"] for kind in answer["kinds"] if kind["label"] == "班级" for hit in kind["hits"]]
    assert hits == classes
