"""Ways in which an administrator of people might reach for more than he holds, each by page and by program.

In every open framework looked at, whoever may edit users can make himself administrator; here each of these fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User
from werkzeug.test import TestResponse

from app.core import grants, rights, scope
from app.core.rights import Extent, Role
from app.extensions import db
from tests import cast
from tests.accounts import account, change, follow, role_id
from tests.areas.people.test_handover import TODAY
from tests.areas.people.test_pages import NEW, one_time_in
from tests.client import Client
from tests.flows import world

Login = Callable[..., Client]
PEOPLE = frozenset({"person:list", "person:show", "person:add", "person:edit", "grant:add", "grant:list"})


@dataclass
class Hand:
    """One person at a page or at a program: the acts by the same names, answered with a status."""

    client: Client
    by_program: bool

    def act(self, name: str, pk: int) -> TestResponse:
        """suspend, resume, unlock, reset"""
        base = f"/api/v1/people/{pk}/{name}" if self.by_program else f"/people/{name}/{pk}"
        return self.client.post(base)

    def edit(self, pk: int, **words: Any) -> TestResponse:
        if self.by_program:
            return self.client.put(f"/api/v1/people/{pk}", json=words, headers={"If-Match": self._etag(pk)})
        page = self.client.get(f"/people/edit/{pk}").text
        found = re.search(r'name="version" value="(\d+)"', page)
        data = {"version": found[1] if found else "1", "phone": "", **words}
        return self.client.post(f"/people/edit/{pk}", data=data)

    def _etag(self, pk: int) -> str:
        return self.client.get(f"/api/v1/people/{pk}").headers.get("ETag", '"1"')

    def open(self, **words: Any) -> TestResponse:
        if self.by_program:
            return self.client.post("/api/v1/people/", json=words)
        return self.client.post("/people/add", data=words)

    def hand_over(self, pk: int, to: int) -> TestResponse:
        if self.by_program:
            return self.client.get(f"/api/v1/people/{pk}/hand_over?successor_id={to}")
        return self.client.post(f"/people/hand-over/{pk}", data={"successor_id": to})

    def depart(self, pk: int) -> TestResponse:
        if self.by_program:
            return self.client.get(f"/api/v1/people/{pk}/departure")
        return self.client.post(f"/people/depart/{pk}", data={"left_on": TODAY, "successor_id": ""})

    def everything(self, pk: int) -> Iterator[tuple[str, TestResponse]]:
        for name in ("reset", "suspend", "resume", "unlock"):
            yield name, self.act(name, pk)
        yield "edit", self.edit(pk, name="别名")
        yield "hand over", self.hand_over(pk, cast.person("zhou"))
        yield "depart", self.depart(pk)


@pytest.fixture(params=[False, True], ids=["by page", "by program"])
def hand(request: pytest.FixtureRequest, login: Login) -> Callable[[str], Hand]:
    return lambda username: Hand(login(username), request.param)


@pytest.fixture
def sub_admin(app: Flask) -> str:
    """林老师 administers people too: by a role that 李老师 made and granted to her."""
    with app.app_context(), scope.acting(db.session(), cast.actor(db.session(), "li")) as by:
        session = db.session()
        made = Role(name="people", label="人员管理", level="school", school_id=cast.school(cast.YIZHONG))
        grants.make_role(session, by, made, PEOPLE)
        lin = session.get_one(User, cast.person("lin"))
        grants.grant(session, by, lin, made, Extent(school_id=cast.school(cast.YIZHONG)))
        session.commit()
        db.session.remove()
    return "lin"


def nothing_changed(app: Flask, before: world.Rows) -> bool:
    return world.accounts(app) == before


# --- those who stand above --------------------------------------------------------------------------------


def test_a_sub_admin_does_not_reset_the_super_admins_password(
    app: Flask, hand: Callable[[str], Hand], sub_admin: str
) -> None:
    lin, pk, before = hand(sub_admin), cast.person("li"), world.accounts(app)
    answer = lin.act("reset", pk)
    assert answer.status_code == 403
    assert "权限超出了您的权限" in answer.get_data(as_text=True)
    assert nothing_changed(app, before)


def test_a_sub_admin_does_nothing_to_the_super_admin(
    app: Flask, hand: Callable[[str], Hand], sub_admin: str
) -> None:
    lin, pk, before = hand(sub_admin), cast.person("li"), world.accounts(app)
    codes = {name: answer.status_code for name, answer in lin.everything(pk) if name != "unlock"}
    assert set(codes.values()) == {403}, codes
    assert nothing_changed(app, before)


def test_a_sub_admin_does_nothing_to_a_colleague_who_holds_other_rights(
    app: Flask, hand: Callable[[str], Hand], sub_admin: str
) -> None:
    """赵副校长 approves; whoever could log in as him could approve."""
    lin, pk, before = hand(sub_admin), cast.person("zhao"), world.accounts(app)
    codes = {name: answer.status_code for name, answer in lin.everything(pk) if name != "unlock"}
    assert set(codes.values()) == {403}, codes
    assert nothing_changed(app, before)


def test_the_super_admin_does_nothing_to_a_colleague_who_also_serves_the_bureau(
    app: Flask, hand: Callable[[str], Hand]
) -> None:
    from tests.accounts import grant_to

    grant_to(app, "zhao", "bureau_viewer", extent=Extent.of(None, cast.QINGLAN, None, None))
    li, pk, before = hand("li"), cast.person("zhao"), world.accounts(app)
    codes = {name: answer.status_code for name, answer in li.everything(pk) if name != "unlock"}
    assert set(codes.values()) == {403}, codes
    assert nothing_changed(app, before)


def test_a_county_does_nothing_to_who_also_serves_the_city(app: Flask, hand: Callable[[str], Hand]) -> None:
    he, pk, before = hand("he"), cast.person("li"), world.accounts(app)
    assert {he.act(name, pk).status_code for name in ("reset", "suspend")} == {403}
    assert he.edit(pk, name="别名").status_code == 403
    assert nothing_changed(app, before)


def test_a_name_is_not_taken_over_to_sign_as_somebody_else(
    app: Flask, hand: Callable[[str], Hand], sub_admin: str
) -> None:
    """Neither the own account's name, nor one's own name for another's account."""
    lin = hand(sub_admin)
    assert lin.edit(cast.person("lin"), name="李老师").status_code == 403
    assert account(app, "lin").first_name == "林老师"


# --- other schools ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["wang", "gao", "chen", "he", "ops"])
def test_people_of_other_schools_and_of_bureaus_are_not_there(
    app: Flask, hand: Callable[[str], Hand], username: str
) -> None:
    li, pk, before = hand("li"), cast.person(username), world.accounts(app)
    codes = {name: answer.status_code for name, answer in li.everything(pk)}
    assert set(codes.values()) == {404}, codes
    assert nothing_changed(app, before)


def test_an_account_in_another_school_is_not_opened(app: Flask, hand: Callable[[str], Hand]) -> None:
    before = world.accounts(app)
    for username, school in (("li", cast.CHENGGUAN), ("he", cast.SHIXI_ER)):
        answer = hand(username).open(username="feng", name="冯老师", school_id=cast.school(school))
        assert answer.status_code == 422
        assert "school_id" in answer.get_data(as_text=True) or "没有找到所选的学校" in answer.get_data(
            as_text=True
        )
    assert nothing_changed(app, before)


def test_a_successor_from_another_school_takes_nothing_over(app: Flask, hand: Callable[[str], Hand]) -> None:
    before = world.accounts(app)
    assert hand("li").hand_over(cast.person("lin"), cast.person("wang")).status_code == 422
    assert nothing_changed(app, before)


# --- in scope, without the right --------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["lin", "zhao", "zhou"])
def test_without_the_right_a_colleague_is_seen_by_nobody(
    app: Flask, hand: Callable[[str], Hand], username: str
) -> None:
    one, before = hand(username), world.accounts(app)
    for name, answer in one.everything(cast.person("zhou")):
        assert answer.status_code == 403, name
        assert "修改、停用、解锁账号" in answer.get_data(as_text=True), name
    answer = one.open(username="feng", name="冯老师")
    assert answer.status_code == 403
    assert "开通账号" in answer.get_data(as_text=True)
    assert nothing_changed(app, before)


# --- more than one may give -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["super_admin", "school_all", "bureau_admin", "bureau_viewer", "operator"])
def test_an_account_is_not_opened_with_a_role_from_above(
    app: Flask, hand: Callable[[str], Hand], role: str
) -> None:
    before = world.accounts(app)
    answer = hand("li").open(username="feng", name="冯老师", role_id=role_id(app, role))
    assert answer.status_code == 422
    assert "没有找到所选的角色" in answer.get_data(as_text=True)
    assert nothing_changed(app, before)


def test_a_sub_admin_gives_nothing_with_a_new_account(
    app: Flask, hand: Callable[[str], Hand], sub_admin: str
) -> None:
    before = world.accounts(app)
    answer = hand(sub_admin).open(username="feng", name="冯老师", role_id=role_id(app, "clerk"))
    assert answer.status_code == 422
    assert nothing_changed(app, before)


# --- one person, one account ------------------------------------------------------------------------------


def test_a_second_account_for_the_same_person_is_not_opened(app: Flask, hand: Callable[[str], Hand]) -> None:
    change(app, "lin", phone="14033334444")
    before = world.accounts(app)
    answer = hand("li").open(username="lin2", name="林老师", phone="14033334444")
    assert answer.status_code == 422
    assert "一人只开一个" in answer.get_data(as_text=True)
    assert nothing_changed(app, before)


def test_a_second_account_of_ones_own_is_not_opened_either(app: Flask, hand: Callable[[str], Hand]) -> None:
    change(app, "li", phone="14033334444")
    before = world.accounts(app)
    words = {"username": "li2", "name": "李老师", "phone": "14033334444", "role_id": role_id(app, "clerk")}
    assert hand("li").open(**words).status_code == 422
    assert nothing_changed(app, before)


def test_nobody_is_renamed_into_the_double_of_another(app: Flask, hand: Callable[[str], Hand]) -> None:
    change(app, "lin", phone="14033334444")
    before = world.accounts(app)
    answer = hand("li").edit(cast.person("zhou"), name="林老师", phone="14033334444")
    assert answer.status_code == 422
    assert nothing_changed(app, before)


# --- tokens and sessions after the password ---------------------------------------------------------------


def token_of(app: Flask, username: str) -> dict[str, str]:
    words = {"username": username, "password": cast.PASSWORD}
    token = Client(app).post("/api/v1/security/login", json=words).json["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_a_token_ends_when_the_password_is_changed(app: Flask, login: Login) -> None:
    held = token_of(app, "lin")
    assert Client(app).get("/api/v1/students/", headers=held).status_code == 200
    words = {"old_password": cast.PASSWORD, "new_password": NEW, "again": NEW}
    assert login("lin").post("/account/password", data=words).status_code == 302
    assert Client(app).get("/api/v1/students/", headers=held).status_code == 401


@pytest.mark.parametrize("act", ["reset", "suspend"])
def test_a_token_and_a_session_end_when_the_account_is_taken_in_hand(
    app: Flask, login: Login, hand: Callable[[str], Hand], act: str
) -> None:
    held, lin = token_of(app, "lin"), login("lin")
    assert hand("li").act(act, cast.person("lin")).status_code in (200, 302)
    assert Client(app).get("/api/v1/students/", headers=held).status_code == 401
    assert lin.get("/students/list/").location.startswith("/login/")
    assert (
        Client(app)
        .post("/api/v1/security/login", json={"username": "lin", "password": cast.PASSWORD})
        .status_code
        == 401
    )


def test_a_one_time_password_gives_no_token(app: Flask, login: Login) -> None:
    li = login("li")
    password = one_time_in(follow(li, li.post(f"/people/reset/{cast.person('lin')}")))
    answer = Client(app).post("/api/v1/security/login", json={"username": "lin", "password": password})
    assert answer.status_code == 403
    assert "须先修改" in answer.json["message"]


def test_a_token_of_who_has_left_is_worth_nothing(app: Flask, login: Login) -> None:
    held, li = token_of(app, "lin"), login("li")
    base = f"/api/v1/people/{cast.person('lin')}/departure"
    mark = li.get(base).json["mark"]
    assert li.post(base, json={"left_on": TODAY, "mark": mark}).status_code == 200
    assert Client(app).get("/api/v1/students/", headers=held).status_code == 401


# --- through the sheet ------------------------------------------------------------------------------------


def test_none_of_this_goes_through_the_sheet_either(app: Flask, login: Login) -> None:
    """A role from above, another school, a second account: by upload, and by a check that was somebody else's."""
    from tests.areas.people.test_roster import faults_of

    change(app, "lin", phone="14033334444")
    li, before = login("li"), world.accounts(app)
    rows = [
        ("冯老师", "feng", "", "学校总管理员", "", ""),
        ("冯老师", "feng1", "", "主管部门管理员", "", ""),
        ("林老师", "lin2", "14033334444", "", "", ""),
        ("冯老师", "feng2", "", "班主任", "七年级（9）班", ""),
    ]
    assert len(faults_of(li, *rows)) == 4
    assert nothing_changed(app, before)


def test_the_walls_hold_where_a_page_would_forget(app: Flask) -> None:
    """What the pages and the API lean on, asked directly."""
    from app.areas.people import accounts

    with app.app_context():
        session, by = db.session(), cast.actor(db.session(), "li")
        for username in ("wang", "chen"):
            user = session.scalars(sa.select(User).where(User.username == username)).one()
            assert not accounts.power_over(session, by, user)
            assert isinstance(accounts.power_over(session, by, user), rights.Verdict)
        db.session.remove()
