"""The pages of people: who finds whom, opening, resetting, suspending. The own account is in test_own_pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.core import logins, rights
from app.extensions import db
from tests import cast
from tests.accounts import account, audit_of, follow, grant_to, role_id, text_of
from tests.client import Client

NEW = "Qing-shan-2027"
Login = Callable[..., Client]


def one_time_in(answer: TestResponse) -> str:
    found = re.search(r"一次性密码 (\S{14}) 说明", text_of(answer))
    assert found, text_of(answer)
    return found[1]


# --- finding ---------------------------------------------------------------------------------------------


STRANGERS = ("wang", "he", "chen", "gao", "ops")


@pytest.mark.parametrize("username", STRANGERS)
def test_people_of_other_schools_and_of_the_bureau_are_not_there_for_a_school(
    login: Login, username: str
) -> None:
    li, pk = login("li"), cast.person(username)
    for path in ("show", "reset"):
        assert li.get(f"/people/{path}/{pk}").status_code == 404, path
    for path in ("reset", "suspend", "resume", "unlock"):
        assert li.post(f"/people/{path}/{pk}").status_code == 404, path


def test_numbers_beyond_any_id_are_not_there(login: Login) -> None:
    li = login("li")
    for path in ("show", "reset"):
        assert li.get(f"/people/{path}/{10**30}").status_code == 404, path


@pytest.mark.parametrize("username", ["lin", "zhou", "zhao", "chen", "sun", "ops"])
def test_without_the_right_nobody_administers_people(login: Login, username: str) -> None:
    client, pk = login(username), cast.person("zhou")
    for path in ("list/", "add", f"show/{pk}", f"reset/{pk}"):
        assert client.get(f"/people/{path}").status_code == 403, path
    for path in (
        "add",
        f"reset/{pk}",
        f"suspend/{pk}",
        f"resume/{pk}",
        f"unlock/{pk}",
    ):
        assert client.post(f"/people/{path}").status_code == 403, path


def test_a_grant_narrowed_to_classes_reaches_no_account(app: Flask, login: Login) -> None:
    with app.app_context():
        given = rights.Grant
        classes = [cast.class_of(cast.YIZHONG, 7, 1)]
        db.session.execute(
            sa.update(given).where(given.person_id == cast.person("li")).values(class_ids=classes)
        )
        db.session.commit()
        db.session.remove()
    li = login("li")
    assert "还没有人员" in text_of(li.get("/people/list/"))
    assert li.get(f"/people/show/{cast.person('lin')}").status_code == 404


# --- opening an account -----------------------------------------------------------------------------------


def test_a_new_clerk_from_opening_to_work(app: Flask, login: Login) -> None:
    li = login("li")
    words = {
        "username": "Feng",
        "name": "冯老师",
        "phone": "14011112222",
        "role_id": role_id(app, "clerk"),
        "until": "2099-07-31",
    }
    shown = follow(li, li.post("/people/add", data=words))
    password = one_time_in(shown)
    assert "学籍管理员 青岚县第一中学全校 使用" in text_of(shown)
    assert "2099-07-31 李老师" in text_of(shown)

    feng = login("feng", password)
    assert feng.get("/students/list/").location == "/account/password"
    words = {"old_password": password, "new_password": NEW, "again": NEW}
    assert feng.post("/account/password", data=words).location == "/"
    assert feng.get("/students/list/").status_code == 200
    assert login("feng", NEW).get("/students/list/").status_code == 200

    made = audit_of(app, "open_account")[0]
    assert (made.actor_name, made.school_id, made.authority_code) == (
        "李老师",
        cast.school(cast.YIZHONG),
        cast.QINGLAN,
    )
    assert password not in str(made.after)


def test_the_one_time_password_is_shown_once_and_is_not_in_the_cookie(login: Login) -> None:
    li = login("li")
    answer = li.post("/people/add", data={"username": "feng", "name": "冯老师"})
    with li.session_transaction() as kept:
        in_cookie = str(dict(kept))
    password = one_time_in(li.get(answer.location))
    assert password not in in_cookie
    assert password not in li.get(answer.location).text


def test_the_one_time_password_is_shown_on_its_own_page_only(login: Login) -> None:
    li = login("li")
    li.post("/people/add", data={"username": "feng", "name": "冯老师"})
    assert "一次性密码（" not in li.get(f"/people/show/{cast.person('lin')}").text


def test_an_account_name_in_use_is_said_at_its_field_and_the_typing_stays(login: Login) -> None:
    li = login("li")
    for taken in ("lin", "LIN", "wang", "ｌｉｎ"):
        answer = li.post(
            "/people/add", data={"username": taken, "name": "另一位林老师", "phone": "14011112222"}
        )
        assert answer.status_code == 422
        assert "已有人使用" in answer.text
        assert 'href="#f-username"' in answer.text
        assert 'value="另一位林老师"' in answer.text


def test_two_who_choose_the_same_account_name_at_once(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked before either wrote: the database decides, and says so in the same sentence."""
    li = login("li")
    monkeypatch.setattr(logins, "find_account", lambda session, typed: None)
    answer = li.post("/people/add", data={"username": "lin", "name": "林二"})
    assert answer.status_code == 422
    assert "已有人使用" in answer.text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"username": ""}, "“账号”为空"),
        ({"username": "1feng"}, "账号应以字母开头"),
        ({"username": "冯老师"}, "账号应以字母开头"),
        ({"username": "a" * 33}, "账号应以字母开头"),
        ({"username": "fe\0ng"}, "账号应以字母开头"),
        ({"name": ""}, "“姓名”为空"),
        ({"name": "=1+1"}, "不能以“=”开头"),
        ({"name": "冯\0"}, "不可见"),
        ({"name": "冯" * 51}, "最多填写50个字"),
        ({"phone": "12"}, "电话号码应为"),
        ({"until": "soon"}, "日期格式"),
        ({"role_id": "999999"}, "没有找到所选的角色"),
        ({"role_id": "x"}, "没有找到所选的角色"),
        ({"school_id": "2"}, "没有“school_id”这一项"),
        ({"is_active": "1"}, "没有“is_active”这一项"),
        ({"password": "Mine-2026-x"}, "没有“password”这一项"),
    ],
)
def test_what_cannot_be_accepted_is_said_and_nothing_is_opened(
    app: Flask, login: Login, words: dict[str, str], says: str
) -> None:
    answer = login("li").post("/people/add", data={"username": "feng", "name": "冯老师"} | words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert audit_of(app, "open_account") == []


def test_a_role_that_cannot_be_given_opens_no_account_either(app: Flask, login: Login) -> None:
    words = {"username": "feng", "name": "冯老师", "role_id": role_id(app, "clerk"), "until": "2020-01-01"}
    answer = login("li").post("/people/add", data=words)
    assert answer.status_code == 422
    assert "截止日期已过" in text_of(answer)
    assert audit_of(app, "open_account") == []


def test_roles_on_offer_are_those_one_may_pass_on(app: Flask, login: Login) -> None:
    offered = text_of(login("li").get("/people/add"))
    assert "学籍管理员" in offered
    assert "主管部门" not in offered.replace("主管部门电话", "")
    answer = login("li").post(
        "/people/add", data={"username": "feng", "name": "冯老师", "role_id": role_id(app, "bureau_admin")}
    )
    assert answer.status_code == 422


def test_a_bureau_admin_opens_a_schools_first_super_admin_who_can_work(app: Flask, login: Login) -> None:
    he = login("he")
    words = {
        "username": "yuan",
        "name": "袁老师",
        "school_id": cast.school(cast.CHENGGUAN),
        "role_id": role_id(app, "super_admin"),
    }
    shown = follow(he, he.post("/people/add", data=words))
    assert "学校总管理员 城关初级中学全校 使用" in text_of(shown)
    assert "学校全部可转授权限 城关初级中学全校 只用于转授" in text_of(shown)
    password = one_time_in(shown)
    yuan = login("yuan", password)
    yuan.post("/account/password", data={"old_password": password, "new_password": NEW, "again": NEW})
    pk = cast.person("wang")
    words = {"role_id": role_id(app, "class_teacher"), "class_ids": cast.class_of(cast.CHENGGUAN, 7, 1)}
    words |= {"purpose": "use"}
    assert yuan.post(f"/grants/add/{pk}", data=words).status_code == 302
    assert yuan.get("/students/list/").status_code == 403


def test_a_bureau_admin_opens_accounts_of_the_bureau_itself(app: Flask, login: Login) -> None:
    he = login("he")
    words = {"username": "kong", "name": "孔科员", "role_id": role_id(app, "bureau_viewer")}
    assert "主管部门查看 青岚县及以下 使用" in text_of(follow(he, he.post("/people/add", data=words)))
    assert account(app, "kong").region_code == cast.QINGLAN


def test_schools_beyond_the_bureau_are_not_offered_and_not_taken(app: Flask, login: Login) -> None:
    he = login("he")
    assert cast.SHIXI_ER not in he.get("/people/add").text
    for school_id in (cast.school(cast.SHIXI_ER), 999, "x"):
        answer = he.post("/people/add", data={"username": "feng", "name": "冯老师", "school_id": school_id})
        assert answer.status_code == 422
        assert "没有找到所选的学校" in text_of(answer)


# --- resetting, suspending, unlocking ---------------------------------------------------------------------


def test_a_reset_password_ends_sessions_and_tokens_and_must_be_changed(app: Flask, login: Login) -> None:
    lin, li, pk = login("lin"), login("li"), cast.person("lin")
    words = {"username": "lin", "password": cast.PASSWORD}
    token = Client(app).post("/api/v1/security/login", json=words).json["access_token"]
    assert "确认重置密码" in li.get(f"/people/reset/{pk}").text
    assert lin.get("/students/list/").status_code == 200
    password = one_time_in(follow(li, li.post(f"/people/reset/{pk}")))
    assert lin.get("/students/list/").location.startswith("/login/")
    headers = {"Authorization": f"Bearer {token}"}
    assert Client(app).get("/api/v1/students/", headers=headers).status_code == 401
    assert Client(app).post("/login/", data=words).status_code == 422
    assert login("lin", password).get("/").location == "/account/password"
    assert [(row.actor_name, row.row_id) for row in audit_of(app, "reset_password")] == [("李老师", pk)]


def test_nobody_resets_the_own_password_without_the_old_one(login: Login) -> None:
    li, pk = login("li"), cast.person("li")
    for path in ("reset", "suspend", "resume"):
        answer = li.post(f"/people/{path}/{pk}")
        assert answer.status_code == 403
        assert "个人设置" in text_of(answer)


def test_nobody_takes_over_an_account_that_holds_more(app: Flask, login: Login) -> None:
    """A colleague at school who may also look at the whole county."""
    county = rights.Extent.of(None, cast.QINGLAN, None, None)
    grant_to(app, "zhao", "bureau_viewer", extent=county)
    li, pk = login("li"), cast.person("zhao")
    for path in ("reset", "suspend"):
        answer = li.post(f"/people/{path}/{pk}")
        assert answer.status_code == 403
        assert "超出了您的权限" in text_of(answer)
    assert login("zhao").get("/").status_code == 200


def test_not_even_a_grant_that_only_begins_tomorrow(app: Flask, login: Login) -> None:
    county = rights.Extent.of(None, cast.QINGLAN, None, None)
    grant_to(app, "zhao", "bureau_viewer", extent=county, starts_at=datetime.now(UTC) + timedelta(days=1))
    assert login("li").post(f"/people/reset/{cast.person('zhao')}").status_code == 403


def test_who_may_not_pass_on_takes_over_nobody_who_may(app: Flask, login: Login) -> None:
    """Whoever may administer people at school, but pass nothing on, cannot become the super-admin."""
    grant_to(app, "zhao", "super_admin")
    assert login("zhao").post(f"/people/reset/{cast.person('li')}").status_code == 403


def test_the_county_does_not_take_over_who_also_serves_the_city(login: Login) -> None:
    """一中's senior part belongs to the city: its super-admin reaches further than the county's admin."""
    he = login("he")
    assert he.get(f"/people/show/{cast.person('li')}").status_code == 200
    assert he.post(f"/people/reset/{cast.person('li')}").status_code == 403
    assert he.post(f"/people/reset/{cast.person('wang')}").status_code == 302


def test_a_suspended_account_is_out_until_it_is_resumed(app: Flask, login: Login) -> None:
    lin, li, pk = login("lin"), login("li"), cast.person("lin")
    assert li.get(f"/people/suspend/{pk}").status_code == 405
    assert "已停用" in text_of(follow(li, li.post(f"/people/suspend/{pk}")))
    assert lin.get("/").status_code == 302
    assert Client(app).post("/login/", data={"username": "lin", "password": cast.PASSWORD}).status_code == 422
    follow(li, li.post(f"/people/resume/{pk}"))
    assert lin.get("/").status_code == 302
    assert login("lin").get("/").status_code == 200
    changes = [(row.before, row.after) for row in audit_of(app, "edit")]
    assert changes == [({"active": True}, {"active": False}), ({"active": False}, {"active": True})]


@pytest.mark.parametrize("unlocker", ["li", "he"])
def test_the_super_admin_or_the_bureau_unlocks_and_one_comes_in_at_once(
    app: Flask, login: Login, unlocker: str
) -> None:
    for _n in range(5):
        Client(app).post("/login/", data={"username": "lin", "password": "Not-the-password-1"})
    assert Client(app).post("/login/", data={"username": "lin", "password": cast.PASSWORD}).status_code == 422
    helper, pk = login(unlocker), cast.person("lin")
    page = helper.get(f"/people/show/{pk}")
    assert "已锁定" in text_of(page)
    assert f'action="/people/unlock/{pk}"' in page.text
    follow(helper, helper.post(f"/people/unlock/{pk}"))
    assert login("lin").get("/").status_code == 200
    assert [row.row_id for row in audit_of(app, "unlock")] == [pk]


def test_every_act_wants_the_form_token(login: Login) -> None:
    li, pk = login("li"), cast.person("lin")
    for path in (
        "add",
        f"reset/{pk}",
        f"suspend/{pk}",
        f"resume/{pk}",
        f"unlock/{pk}",
        f"second-factor/{pk}",
    ):
        assert li.post(f"/people/{path}", csrf=False).status_code == 400, path


# --- for other pages ---------------------------------------------------------------------------------------


def test_class_teachers_are_suggested_from_the_own_school(login: Login) -> None:
    items = login("lin").post("/lookup/ab_user", data={"q": "zh"}).json["items"]
    assert {one["label"] for one in items} == {"赵副校长（zhao）", "小周（zhou）"}
    assert login("lin").post("/lookup/ab_user", data={"q": "wang"}).json["items"] == []
    assert login("zhou").post("/lookup/ab_user").json["items"] == []


def test_the_menu_offers_people_to_those_who_may(login: Login) -> None:
    assert 'href="/people/list/"' in login("li").get("/").text
    assert 'href="/people/list/"' not in login("lin").get("/").text
    assert 'href="/account/"' in login("lin").get("/").text
