"""Two people edit one pupil: the second is told who was first, nothing typed is lost, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.areas.students.models import Student
from app.core import scope
from tests import cast

Login = Callable[[str], Any]
FIRST, SECOND = "青岚县城关镇建设路11号", "青岚县城关镇文庙街22号"
TOLD = "林老师于"


@pytest.fixture
def pupil() -> int:
    return cast.pupil("欧阳若曦")


@pytest.fixture
def two(login: Login) -> tuple[Any, Any]:
    """林老师 and the class teacher 小周, who may both edit this pupil."""
    return login("lin"), login("zhou")


def now(session: Session, pupil: int) -> Student:
    session.rollback()
    scope.set_actor(session, cast.actor(session, "lin"))
    found = session.get(Student, pupil)
    assert found is not None
    return found


def save_by_page(person: Any, pupil: int, **typed: Any) -> Any:
    return person.post(f"/students/edit/{pupil}", data=typed)


def save_by_rest(person: Any, pupil: int, version: int, **values: Any) -> Any:
    return person.put(f"/api/v1/students/{pupil}", json=values, headers={"If-Match": f'"{version}"'})


def test_by_page_and_page(two: tuple[Any, Any], session: Session, pupil: int) -> None:
    lin, zhou = two
    version = now(session, pupil).version
    assert save_by_page(lin, pupil, version=version, address=FIRST).status_code == 302
    answer = save_by_page(zhou, pupil, version=version, address=SECOND, post_code="646001")
    assert answer.status_code == 409
    assert TOLD in answer.text
    assert FIRST in answer.text, "what is there now"
    assert SECOND in answer.text, "what was typed"
    assert 'value="646001"' in answer.text
    found = now(session, pupil)
    assert (found.address, found.post_code, found.version) == (FIRST, "646000", version + 1)


def test_after_the_comparison_the_second_may_save(two: tuple[Any, Any], session: Session, pupil: int) -> None:
    lin, zhou = two
    version = now(session, pupil).version
    save_by_page(lin, pupil, version=version, address=FIRST)
    save_by_page(zhou, pupil, version=version, address=SECOND)
    assert save_by_page(zhou, pupil, version=version + 1, address=SECOND).status_code == 302
    assert now(session, pupil).address == SECOND


def test_by_page_and_rest(two: tuple[Any, Any], session: Session, pupil: int) -> None:
    lin, zhou = two
    version = now(session, pupil).version
    assert save_by_page(lin, pupil, version=version, address=FIRST).status_code == 302
    answer = save_by_rest(zhou, pupil, version, address=SECOND)
    assert answer.status_code == 412
    assert answer.json["error"] == "stale"
    assert TOLD in answer.json["message"]
    assert answer.json["current"]["address"] == FIRST
    assert now(session, pupil).address == FIRST


def test_by_rest_and_page(two: tuple[Any, Any], session: Session, pupil: int) -> None:
    lin, zhou = two
    version = now(session, pupil).version
    assert save_by_rest(lin, pupil, version, address=FIRST).status_code == 200
    answer = save_by_page(zhou, pupil, version=version, address=SECOND)
    assert answer.status_code == 409
    assert TOLD in answer.text
    assert SECOND in answer.text
    assert now(session, pupil).address == FIRST


def test_by_rest_and_rest(two: tuple[Any, Any], session: Session, pupil: int) -> None:
    lin, zhou = two
    version = now(session, pupil).version
    assert save_by_rest(lin, pupil, version, address=FIRST).status_code == 200
    assert save_by_rest(zhou, pupil, version, address=SECOND).status_code == 412
    assert now(session, pupil).address == FIRST


def test_a_page_without_version_saves_nothing(two: tuple[Any, Any], session: Session, pupil: int) -> None:
    before = now(session, pupil).version
    answer = save_by_page(two[0], pupil, address=FIRST)
    assert answer.status_code == 422
    assert "缺少记录的版本" in answer.text
    assert now(session, pupil).version == before


def test_a_pupil_deleted_meanwhile_is_not_brought_back(login: Login, session: Session) -> None:
    draft, lin = cast.pupil("刘浩然"), login("lin")
    version = now(session, draft).version
    assert lin.post(f"/students/delete/{draft}", data={"version": version}).status_code == 302
    assert save_by_page(lin, draft, version=version, address=SECOND).status_code == 404
    assert save_by_rest(lin, draft, version, address=SECOND).status_code == 404


def test_a_draft_changed_meanwhile_is_not_deleted_unseen(login: Login, session: Session) -> None:
    draft, lin = cast.pupil("刘浩然"), login("lin")
    version = now(session, draft).version
    assert save_by_page(lin, draft, version=version, address=FIRST).status_code == 302
    answer = lin.post(f"/students/delete/{draft}", data={"version": version})
    assert answer.status_code == 409
    assert TOLD in answer.text
    assert now(session, draft).deleted_at is None
