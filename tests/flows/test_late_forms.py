"""A form that is sent after its session was over: nothing is lost, nothing is saved, and nobody else gains a thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User

from app.core import drafts, saving, sessions
from app.core.drafts import FormDraft
from app.extensions import db
from tests import cast
from tests.client import Client
from tests.flows import world
from tests.forms import JSON, Form, opened

Login = Callable[[str], Client]
OUYANG = cast.pupil("欧阳若曦")
EDIT, ADD = f"/students/edit/{OUYANG}", "/students/add"
LATE = "青岚县城关镇下班前填的地址"
KEPT = "您填写的内容已存为草稿，登录后可继续。"
LIN = cast.person("lin")


def make_idle(client: Client) -> None:
    with client.session_transaction() as kept:
        kept["seen"] -= 31 * 60


def addresses_kept(app: Flask) -> dict[tuple[int, str], str]:
    """(person, form) → the address in the draft."""
    found = {}
    with app.app_context():
        for person, path in db.session.execute(sa.select(FormDraft.person_id, FormDraft.path)):
            draft = drafts.find(db.session(), person, path)
            assert draft is not None
            assert draft.typed is not None
            found[person, path] = dict(draft.typed.pairs).get("address", "")
        db.session.remove()
    return found


def come_in(client: Client, username: str = "lin", to: str = "") -> Any:
    words = {"username": username, "password": cast.PASSWORD, "next": to}
    return client.post("/login/", data=words)


# --- nothing is lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [EDIT, ADD])
def test_what_comes_too_late_is_found_after_the_login(app: Flask, login: Login, path: str) -> None:
    lin = login("lin")
    typed = opened(lin, path).values | {"address": LATE}
    before = world.all_rows(app)
    make_idle(lin)
    answer = lin.post(path, data=typed)
    assert answer.location == f"/login/?next={path.replace('/', '%2F')}"
    page = lin.get(answer.location).text
    assert "您已有30分钟没有操作" in page
    assert KEPT in page
    assert world.all_rows(app) == before, "it is no save"
    assert come_in(lin, to=path).location == path
    form = opened(lin, path)
    assert form.values["address"] == LATE
    assert form.words["data-draft-since"] != ""
    assert KEPT not in Client(app).get("/login/").text


def test_a_session_that_was_ended_on_another_device_loses_nothing_either(app: Flask, login: Login) -> None:
    lin = login("lin")
    typed = opened(lin, EDIT).values | {"address": LATE}
    with app.app_context():
        with saving.work() as work:
            sessions.end_all(work.session, LIN)
        db.session.remove()
    answer = lin.post(EDIT, data=typed)
    assert KEPT in lin.get(answer.location).text
    assert addresses_kept(app) == {(LIN, EDIT): LATE}
    come_in(lin)
    assert opened(lin, EDIT).values["address"] == LATE


def test_another_page_and_a_look_up_that_found_out_first_take_nothing_away(app: Flask, login: Login) -> None:
    """A second tab, or a pick list of the form itself, may meet the end of the session before the form is sent."""
    lin = login("lin")
    typed = opened(lin, EDIT).values | {"address": LATE}
    make_idle(lin)
    assert lin.get("/students/list/").status_code == 302
    assert lin.get("/login/").status_code == 200
    assert lin.get("/lookup/school_class?q=x").status_code == 401
    lin.post(EDIT, data=typed)
    assert addresses_kept(app) == {(LIN, EDIT): LATE}


def test_the_end_of_a_session_is_told_once(login: Login) -> None:
    lin = login("lin")
    make_idle(lin)
    for is_told in (True, False, False):
        lin.get("/students/list/")
        assert ("系统已退出登录" in lin.get("/login/").text) == is_told


def test_a_script_is_told_and_may_go_on_keeping(app: Flask, login: Login) -> None:
    lin = login("lin")
    form = opened(lin, EDIT)
    words = {"draft_path": EDIT, "draft_owner": str(LIN), "draft_window": "one", "draft_since": ""}
    make_idle(lin)
    cookie = lin.get_cookie("session").value
    for text in (LATE, LATE + "，又填"):
        answer = lin.post("/drafts/keep", data=form.values | words | {"address": text}, headers=JSON)
        assert (answer.status_code, answer.json["message"]) == (401, f"登录已过期。{KEPT}")
        assert addresses_kept(app) == {(LIN, EDIT): text}
    found_out = lin.get("/drafts/token", headers=JSON)
    said = "登录已过期。请在另一个窗口重新登录后继续，本页填写的内容还在。"
    assert (found_out.status_code, found_out.json["message"]) == (401, said)
    assert lin.get_cookie("session").value == cookie, "a login in another tab is not undone by this answer"
    assert lin.post(EDIT, data=form.values | {"address": "最后"}).status_code == 302
    assert addresses_kept(app) == {(LIN, EDIT): "最后"}


def test_the_button_without_script_comes_too_late_as_well(app: Flask, login: Login) -> None:
    lin = login("lin")
    typed = opened(lin, EDIT).values | {"address": LATE, "draft_path": EDIT}
    make_idle(lin)
    answer = lin.post("/drafts/keep", data=typed)
    assert answer.location == f"/login/?next={EDIT.replace('/', '%2F')}"
    assert addresses_kept(app) == {(LIN, EDIT): LATE}


def test_a_form_as_it_opened_needs_no_draft(app: Flask, login: Login) -> None:
    lin = login("lin")
    typed = opened(lin, EDIT).values
    make_idle(lin)
    answer = lin.post(EDIT, data=typed)
    assert answer.location.startswith("/login/")
    assert KEPT not in lin.get(answer.location).text
    assert addresses_kept(app) == {}


# --- nobody else gains a thing ------------------------------------------------------------------------


def change(app: Flask, username: str, **words: Any) -> None:
    with app.app_context():
        db.session.execute(sa.update(User).where(User.username == username).values(**words))
        db.session.commit()
        db.session.remove()


def send_late(client: Client, path: str = EDIT, **words: Any) -> Any:
    answer = client.post(path, data={"version": "1", "address": LATE}, **words)
    assert answer.status_code == 302
    assert answer.location.startswith("/login/")
    return answer


def test_the_same_without_a_fault_is_kept(app: Flask, login: Login) -> None:
    """What the refusals below are measured against."""
    lin = login("lin")
    make_idle(lin)
    send_late(lin)
    assert addresses_kept(app) == {(LIN, EDIT): LATE}


@pytest.mark.parametrize("token", [None, "", "x", "another session's"])
def test_a_post_forged_from_elsewhere_plants_nothing(app: Flask, login: Login, token: str | None) -> None:
    lin = login("lin")
    if token == "another session's":
        token = login("zhou").token()
    headers = {} if token is None else {"X-CSRFToken": token}
    make_idle(lin)
    answer = send_late(lin, csrf=False, headers=headers)
    assert KEPT not in lin.get(answer.location).text
    assert addresses_kept(app) == {}


@pytest.mark.parametrize("words", [{"epoch": User.epoch + 1}, {"active": False}])
def test_after_a_new_password_or_a_suspension_nothing_is_kept(
    app: Flask, login: Login, words: dict[str, Any]
) -> None:
    lin = login("lin")
    change(app, "lin", **words)
    send_late(lin)
    assert addresses_kept(app) == {}


def test_a_cookie_that_was_changed_or_is_too_old_keeps_nothing(app: Flask, login: Login) -> None:
    lin, stranger = login("lin"), Client(app)
    value = lin.get_cookie("session").value
    stranger.set_cookie("session", value[:-2] + ("AA" if value[-2:] != "AA" else "BB"))
    send_late(stranger)
    with lin.session_transaction() as kept:
        kept["seen"] -= 8 * 24 * 60 * 60
    send_late(lin)
    assert addresses_kept(app) == {}


def test_after_logging_out_nothing_is_kept(app: Flask, login: Login) -> None:
    lin = login("lin")
    lin.post("/logout/")
    send_late(lin)
    assert addresses_kept(app) == {}


@pytest.mark.parametrize(
    "path",
    [
        "/account/password",
        "/logout/",
        f"/students/delete/{cast.pupil('刘浩然')}",
        f"/people/suspend/{cast.person('zhao')}",
        "/search/students",
        "/lists/find/students",
        "/lists/bulk/students/edit",
        "/reveal/student",
        "/drafts/drop",
        "/drafts/keep",
        f"/students/edit/{cast.pupil('吴佳怡')}",
        "/students/edit/999999",
        "/people/add",
    ],
)
def test_only_forms_that_the_person_may_open_are_kept(app: Flask, login: Login, path: str) -> None:
    lin = login("lin")
    before = world.all_rows(app), world.accounts(app)
    make_idle(lin)
    words = {"version": "1", "address": LATE, "old_password": cast.PASSWORD, "new_password": "Xin-mi-ma-2027"}
    assert lin.post(path, data=words | {"again": "Xin-mi-ma-2027"}).location.startswith("/login/")
    assert addresses_kept(app) == {}
    assert (world.all_rows(app), world.accounts(app)) == before


def test_a_login_with_an_old_cookie_is_a_login(app: Flask, login: Login) -> None:
    lin = login("lin")
    make_idle(lin)
    words = {"username": "wang", "password": cast.PASSWORD, "address": LATE}
    assert lin.post("/login/", data=words).location == "/"
    assert addresses_kept(app) == {}


def test_the_next_person_at_the_desk_finds_an_empty_form(app: Flask, login: Login) -> None:
    desk = login("lin")
    typed = opened(desk, ADD).values | {"address": LATE, "name": "高晓松"}
    make_idle(desk)
    answer = desk.post(ADD, data=typed)
    assert come_in(desk, "wang", to=ADD).location == ADD
    page = desk.get(ADD)
    assert Form(page.text).values["address"] == ""
    assert "高晓松" not in page.text
    assert "草稿箱是空的" in desk.get("/drafts/").text
    assert answer.location.endswith("add")
    assert addresses_kept(app) == {(LIN, ADD): LATE}


def test_the_login_page_after_it_knows_nobody(login: Login) -> None:
    lin = login("lin")
    make_idle(lin)
    page = send_late(lin).text + lin.get("/login/").text
    assert "林老师" not in page
    assert 'id="menu"' not in page
    assert lin.get("/students/list/").status_code == 302


def test_calls_to_the_api_are_no_forms(app: Flask, login: Login) -> None:
    lin = login("lin")
    make_idle(lin)
    assert lin.post("/api/v1/students/", json={"name": "高晓松"}).status_code == 401
    assert addresses_kept(app) == {}
