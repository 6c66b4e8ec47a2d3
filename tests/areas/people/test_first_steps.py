"""The first steps of a school's super-admin: each is told done by what is there; the list goes when all is, or on wish."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import cast
from tests.accounts import audit_of, change, text_of
from tests.cast import YIZHONG
from tests.client import Client

Login = Callable[[str], Client]
HIDE = "/first-steps/hide"


def steps_of(client: Client) -> dict[str, bool]:
    """Label → whether it is ticked."""
    page = client.get("/").text
    return {
        label: done == "is-done"
        for done, label in re.findall(
            r'<li class="(is-done|)">.*?<a href="[^"]+">([^<]+)</a>', page, re.DOTALL
        )
    }


@pytest.fixture
def fill_school(session: Session, acting: Callable[[str], Any]) -> Callable[[], None]:
    def fill() -> None:
        from app.areas.schools.models import School
        from app.core import saving

        words = {"address": "解放路1号", "office_phone": "0830-1234567", "head_name": "赵校长"}
        with acting("system") as by, saving.work():
            saving.edit(session.get_one(School, cast.school(YIZHONG)), words, by)

    return fill


def test_each_step_is_ticked_by_what_is_there(
    app: Flask, login: Login, fill_school: Callable[[], None]
) -> None:
    li = login("li")
    done = {"账号": True, "联系方式": False, "学校信息": False, "年级和班级": True, "人员": True}
    assert steps_of(li) == done
    change(app, "li", phone="14000000123")
    assert steps_of(li) == done | {"联系方式": True}
    fill_school()
    assert steps_of(li) == {}  # nothing is left to do
    assert "开始使用" not in text_of(li.get("/"))


def test_a_school_without_people_and_classes_has_them_to_do(
    app: Flask, session: Session, login: Login, acting: Callable[[str], Any]
) -> None:
    from app.areas.schools.models import School, SchoolStage
    from app.core import grants, saving
    from tests.accounts import grant_to

    with acting("system") as by, saving.work():
        words = {"school_code": "3151000099", "name": "新办初级中学", "type": "311", "organiser": "1"}
        words |= {"urban_rural": "121", "location_code": cast.QINGLAN + "000000"}
        made = saving.create(School, words, by)
        saving.create(
            SchoolStage, {"school_id": made.id, "stage": "2", "years": 3, "authority_code": cast.QINGLAN}, by
        )
        school_id = made.id
        for given in grants.held_grants(session, cast.person("ops")):
            grants.withdraw(session, by, given)
    change(app, "ops", school_id=school_id, region_code=None)
    grant_to(app, "ops", "super_admin")
    steps = steps_of(login("ops"))
    assert (steps["年级和班级"], steps["人员"]) == (False, False)


def test_the_list_is_hidden_on_wish_and_stays_so(app: Flask, login: Login) -> None:
    li = login("li")
    assert li.post(HIDE, data={}).location == "/"
    assert steps_of(li) == {}
    assert steps_of(login("li")) == {}
    assert [row.reason for row in audit_of(app, "edit") if row.entity == "person"] == [
        "首页不再显示“开始使用”的各步"
    ]
    assert li.post(HIDE, data={}).status_code == 302  # twice is once
    assert len([row for row in audit_of(app, "edit") if row.entity == "person"]) == 1


@pytest.mark.parametrize("username", ["lin", "zhao", "zhou", "he", "chen", "ops"])
def test_only_who_opens_accounts_in_a_school_is_asked(login: Login, username: str) -> None:
    assert steps_of(login(username)) == {}


def test_junk_is_refused_and_hides_nothing(login: Login) -> None:
    li = login("li")
    assert li.post(HIDE, data={"all": "1"}).status_code == 422
    assert li.post(HIDE, data={}, csrf=False).status_code == 400
    assert steps_of(li) != {}
