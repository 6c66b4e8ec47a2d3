"""The pages of people: who finds whom, opening, resetting, suspending, the own account."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User
from werkzeug.test import TestResponse

from app.core import grants, logins, rights, scope
from app.core.audit import AuditEntry
from app.extensions import db
from tests import cast
from tests.client import Client

NEW = "Qing-shan-2027"
Login = Callable[..., Client]


def account(app: Flask, username: str) -> User:
    with app.app_context():
        found = db.session.scalars(sa.select(User).where(User.username == username)).one()
        db.session.expunge(found)
        db.session.remove()
        return found


def change(app: Flask, username: str, **words: Any) -> None:
    with app.app_context():
        db.session.execute(sa.update(User).where(User.username == username).values(**words))
        db.session.commit()
        db.session.remove()


def audit_of(app: Flask, action: str) -> list[AuditEntry]:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        found = list(
            db.session.scalars(
                sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
            )
        )
        db.session.expunge_all()
        db.session.remove()
        return found


def text_of(answer: TestResponse) -> str:
    main = answer.text[answer.text.index("<main") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def one_time_in(answer: TestResponse) -> str:
    found = re.search(r"一次性密码 (\S{14}) 说明", text_of(answer))
    assert found, text_of(answer)
    return found[1]


def follow(client: Client, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 302, (answer.status_code, text_of(answer))
    return client.get(answer.location)


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


def role_id(app: Flask, key: str) -> int:
    from flask_appbuilder.security.sqla.models import Role

    with app.app_context():
        found = db.session.scalars(sa.select(Role.id).where(Role.name == f"default:{key}")).one()
        db.session.remove()
        return found


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


def grant_to(app: Flask, username: str, key: str, **words: Any) -> int:
    """A grant by the system, as installation or the bureau would make it."""
    from flask_appbuilder.security.sqla.models import Role

    with app.app_context():
        session = db.session()
        with scope.acting(session, rights.system("tests")) as by:
            taker = session.get_one(User, cast.person(username))
            role = session.scalars(sa.select(Role).where(Role.name == f"default:{key}")).one()
            extent = rights.Extent.of(taker.school_id, taker.region_code, None, None)
            made = grants.grant(session, by, taker, role, words.pop("extent", extent), **words).id
            session.commit()
        db.session.remove()
        return made


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


def test_unlocking_lets_in_at_once(app: Flask, login: Login) -> None:
    change(app, "lin", locked_until=datetime.now(UTC) + timedelta(minutes=20))
    li, pk = login("li"), cast.person("lin")
    page = li.get(f"/people/show/{pk}")
    assert "已锁定" in text_of(page)
    assert f'action="/people/unlock/{pk}"' in page.text
    follow(li, li.post(f"/people/unlock/{pk}"))
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
    ):
        assert li.post(f"/people/{path}", csrf=False).status_code == 400, path
    for path in ("edit", "password"):
        assert li.post(f"/account/{path}", csrf=False).status_code == 400, path


# --- the own account ---------------------------------------------------------------------------------------


def test_everybody_sees_the_own_account_and_what_it_was_granted(login: Login) -> None:
    for one in cast.PEOPLE:
        page = login(one.username).get("/account/")
        assert page.status_code == 200
        assert one.username in text_of(page)
        assert "/grants/withdraw/" not in page.text
    assert "班主任 七年级（1）班 使用" in text_of(login("zhou").get("/account/"))


def test_personal_settings_are_saved_and_audited(app: Flask, login: Login) -> None:
    lin = login("lin")
    words = {"name": "林晓云", "phone": "14033334444", "qq": "123456", "email": "lin@example.cn"}
    assert "林晓云" in text_of(follow(lin, lin.post("/account/edit", data=words)))
    saved = account(app, "lin")
    assert (saved.first_name, saved.phone, saved.qq, saved.email) == tuple(words.values())
    entry = audit_of(app, "edit")[0]
    assert (entry.before["name"], entry.after["name"]) == ("林老师", "林晓云")


def test_an_email_taken_back_leaves_no_placeholder_on_the_screen(app: Flask, login: Login) -> None:
    lin = login("lin")
    follow(lin, lin.post("/account/edit", data={"name": "林老师", "phone": "", "qq": "", "email": ""}))
    assert "invalid" not in text_of(lin.get("/account/"))
    assert 'name="email"' in lin.get("/account/edit").text
    assert ".invalid" not in lin.get("/account/edit").text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"email": "li@example.invalid"}, "已被另一个账号使用"),
        ({"email": "no address"}, "电子邮箱的格式"),
        ({"qq": "abc"}, "QQ号应为"),
        ({"name": ""}, "“姓名”为空"),
        ({"username": "boss"}, "没有“username”这一项"),
        ({"school_id": "2"}, "没有“school_id”这一项"),
        ({"is_demo": "1"}, "没有“is_demo”这一项"),
    ],
)
def test_settings_that_cannot_be_accepted(app: Flask, login: Login, words: dict[str, str], says: str) -> None:
    lin = login("lin")
    answer = lin.post("/account/edit", data={"name": "林老师", "phone": "", "qq": "", "email": ""} | words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert audit_of(app, "edit") == []


def password_words(old: str = cast.PASSWORD, new: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"old_password": old, "new_password": new, "again": again}


def test_a_changed_password_ends_every_other_session_and_token_and_keeps_the_own(
    app: Flask, login: Login
) -> None:
    here, elsewhere = login("lin"), login("lin")
    words = {"username": "lin", "password": cast.PASSWORD}
    token = Client(app).post("/api/v1/security/login", json=words).json["access_token"]
    assert here.post("/account/password", data=password_words()).location == "/"
    assert here.get("/students/list/").status_code == 200
    assert elsewhere.get("/students/list/").location.startswith("/login/")
    headers = {"Authorization": f"Bearer {token}"}
    assert Client(app).get("/api/v1/students/", headers=headers).status_code == 401
    assert Client(app).post("/login/", data=words).status_code == 422
    assert login("lin", NEW).get("/").status_code == 200
    entry = audit_of(app, "change_password")[0]
    assert (entry.actor_name, entry.before, entry.after) == ("林老师", None, None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (password_words(old="Not-the-old-1"), "原密码不正确"),
        (password_words(old=""), "原密码不正确"),
        (password_words(new="short", again="short"), "至少10个字符"),
        (password_words(new="Has-lin-2026x", again="Has-lin-2026x"), "不能含有账号或姓名"),
        (password_words(new=cast.PASSWORD, again=cast.PASSWORD), "不能与原密码"),
        (password_words(again="Qing-shan-2028"), "两次填写的新密码不一致"),
    ],
)
def test_a_password_that_is_not_changed(app: Flask, login: Login, words: dict[str, str], says: str) -> None:
    lin, elsewhere = login("lin"), login("lin")
    answer = lin.post("/account/password", data=words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    for typed in words.values():
        assert not typed or f'value="{typed}"' not in answer.text
    assert elsewhere.get("/").status_code == 200
    assert login("lin").get("/").status_code == 200


def test_guessing_the_old_password_locks_and_throws_out(app: Flask, login: Login) -> None:
    lin = login("lin")
    for _n in range(4):
        assert lin.post("/account/password", data=password_words(old="Not-the-old-1")).status_code == 422
    answer = lin.post("/account/password", data=password_words(old="Not-the-old-1"))
    assert answer.status_code == 403
    assert "账号已锁定" in text_of(answer)
    assert lin.get("/").status_code == 302
    assert Client(app).post("/login/", data={"username": "lin", "password": cast.PASSWORD}).status_code == 422


# --- for other pages ---------------------------------------------------------------------------------------


def test_class_teachers_are_suggested_from_the_own_school(login: Login) -> None:
    items = login("lin").get("/lookup/ab_user?q=zh").json["items"]
    assert {one["label"] for one in items} == {"赵副校长（zhao）", "小周（zhou）"}
    assert login("lin").get("/lookup/ab_user?q=wang").json["items"] == []
    assert login("zhou").get("/lookup/ab_user?q=").json["items"] == []


def test_the_menu_offers_people_to_those_who_may(login: Login) -> None:
    assert 'href="/people/list/"' in login("li").get("/").text
    assert 'href="/people/list/"' not in login("lin").get("/").text
    assert 'href="/account/"' in login("lin").get("/").text
