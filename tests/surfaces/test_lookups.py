"""Look-ups in forms: by name, pinyin or number, within what one sees; what is typed is posted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.areas.students.models import Student
from app.core import scope
from tests import cast
from tests.client import Client

Login = Callable[[str], Client]


def found(person: Client, table: str, typed: str) -> list[str]:
    answer = person.post(f"/lookup/{table}", data={"q": typed})
    assert answer.status_code == 200
    return [one["label"] for one in answer.json["items"]]


@pytest.mark.parametrize(
    ("username", "table", "typed", "label"),
    [
        ("he", "school", "第一中学", cast.YIZHONG),
        ("he", "school", "qlxdyzx", cast.YIZHONG),
        ("he", "school", "dyzx", cast.YIZHONG),
        ("he", "school", "3451000001", cast.YIZHONG),
        ("lin", "school_class", "七年级（1）班", "七年级（1）班"),
        ("lin", "school_class", "10班", "七年级（10）班"),
        ("lin", "school_class", "qnj", "七年级（1）班"),
        ("lin", "grade", "2026", "七年级"),
        ("lin", "grade", "qnj", "七年级"),
        ("lin", "ab_user", "小周", "小周"),
        ("lin", "ab_user", "xz", "小周"),
        ("lin", "student", "欧阳若曦", "欧阳若曦"),
        ("lin", "student", "oyrx", "欧阳若曦"),
    ],
)
def test_by_name_pinyin_or_number(login: Login, username: str, table: str, typed: str, label: str) -> None:
    assert any(label in one for one in found(login(username), table, typed))


def test_a_pupil_by_the_whole_number(login: Login, session: Session) -> None:
    scope.set_actor(session, cast.actor(session, "lin"))
    number = session.get_one(Student, cast.pupil("欧阳若曦")).id_number
    assert number is not None
    assert found(login("lin"), "student", number) == ["欧阳若曦"]
    assert found(login("wang"), "student", number) == []


def test_asking_wants_the_form_token(login: Login) -> None:
    assert login("lin").post("/lookup/school_class", data={"q": "七"}, csrf=False).status_code == 400
