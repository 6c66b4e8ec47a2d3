"""The pages of the own account: settings, password, where one is logged in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.areas.people import devices
from app.core import logins
from tests import cast
from tests.accounts import account, audit_of, change, follow, text_of
from tests.client import Client

NEW = "Qing-shan-2027"
Login = Callable[..., Client]
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


def token_of(app: Flask, username: str, password: str = cast.PASSWORD) -> str:
    words = {"username": username, "password": password}
    return str(Client(app).post("/api/v1/security/login", json=words).json["access_token"])


def status_with(app: Flask, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Client(app).get("/api/v1/students/", headers=headers).status_code


# --- settings -------------------------------------------------------------------------------------------


def settings(**words: str) -> dict[str, str]:
    """The whole form, as a browser posts it."""
    empty = {"username": "lin", "phone": "", "qq": "", "email": "", "shares_phone": "0", "shares_qq": "0"}
    return empty | words


def test_everybody_sees_the_own_account_and_what_it_was_granted(login: Login) -> None:
    for one in cast.PEOPLE:
        page = login(one.username).get("/account/")
        assert page.status_code == 200
        assert one.username in text_of(page)
        assert "/people/withdraw/" not in page.text
    assert "班主任 七年级（1）班 使用" in text_of(login("zhou").get("/account/"))


def test_personal_settings_are_saved_and_audited(app: Flask, login: Login) -> None:
    lin = login("lin")
    words = settings(phone="14033334444", qq="123456", email="lin@example.cn", shares_qq="1")
    page = text_of(follow(lin, lin.post("/account/edit", data=words)))
    assert "14033334444" in page
    assert "通讯录中公开 QQ" in page
    saved = account(app, "lin")
    assert (saved.phone, saved.qq, saved.email) == ("14033334444", "123456", "lin@example.cn")
    assert (saved.shares_phone, saved.shares_qq) == (False, True)
    entry = audit_of(app, "edit")[0]
    assert (entry.actor_name, entry.before["phone"], entry.after["phone"]) == ("林老师", None, "14033334444")
    assert (entry.before["shares_qq"], entry.after["shares_qq"]) == (False, True)


def test_what_did_not_change_is_not_audited(app: Flask, login: Login) -> None:
    lin = login("lin")
    follow(lin, lin.post("/account/edit", data=settings(qq="123456")))
    follow(lin, lin.post("/account/edit", data=settings(qq="123456")))
    assert len(audit_of(app, "edit")) == 1
    assert set(audit_of(app, "edit")[0].after) == {"qq", "email"}


def test_an_email_taken_back_leaves_no_placeholder_on_the_screen(app: Flask, login: Login) -> None:
    lin = login("lin")
    follow(lin, lin.post("/account/edit", data=settings()))
    assert "invalid" not in text_of(lin.get("/account/"))
    assert 'name="email"' in lin.get("/account/edit").text
    assert ".invalid" not in lin.get("/account/edit").text


def test_the_real_name_is_shown_and_not_the_owners_to_change(app: Flask, login: Login) -> None:
    """It signs the audit."""
    lin = login("lin")
    page = lin.get("/account/edit")
    assert "姓名用于操作记录的署名，由管理员修改" in text_of(page)
    assert 'name="name"' not in page.text
    answer = lin.post("/account/edit", data=settings(name="赵副校长"))
    assert answer.status_code == 422
    assert "没有“name”这一项" in text_of(answer)
    assert account(app, "lin").first_name == "林老师"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"email": "li@example.invalid"}, "已被另一个账号使用"),
        ({"email": "no address"}, "电子邮箱的格式"),
        ({"email": "x@unset.invalid"}, "电子邮箱的格式"),
        ({"qq": "abc"}, "QQ号应为"),
        ({"phone": "12"}, "电话号码应为"),
        ({"username": ""}, "“账号”为空"),
        ({"username": "1lin"}, "账号应以字母开头"),
        ({"username": "li"}, "已有人使用"),
        ({"username": "li\0n"}, "账号应以字母开头"),
        ({"shares_phone": ""}, "“在通讯录中公开联系电话”为空"),
        ({"shares_qq": "maybe"}, "应填写“是”或“否”"),
        ({"language": "fr"}, "没有这种语言"),
        ({"school_id": "2"}, "没有“school_id”这一项"),
        ({"is_demo": "1"}, "没有“is_demo”这一项"),
        ({"totp_since": "1"}, "没有“totp_since”这一项"),
    ],
)
def test_settings_that_cannot_be_accepted(app: Flask, login: Login, words: dict[str, str], says: str) -> None:
    lin = login("lin")
    answer = lin.post("/account/edit", data=settings(qq="123456") | words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "qq" in words or 'value="123456"' in answer.text, "what was typed stays"
    assert audit_of(app, "edit") == []


# --- the account name -----------------------------------------------------------------------------------


def test_the_account_name_is_its_owners_to_change_and_the_session_goes_on(app: Flask, login: Login) -> None:
    lin = login("lin")
    follow(lin, lin.post("/account/edit", data=settings(username=" LinXY ")))
    assert "linxy" in text_of(lin.get("/account/"))
    assert Client(app).post("/login/", data={"username": "lin", "password": cast.PASSWORD}).status_code == 422
    assert login("linxy").get("/").status_code == 200
    entry = audit_of(app, "edit")[0]
    assert (entry.before["username"], entry.after["username"]) == ("lin", "linxy")


def test_nobody_else_gets_a_former_name_and_its_owner_may_take_it_back(app: Flask, login: Login) -> None:
    lin, zhou, li = login("lin"), login("zhou"), login("li")
    follow(lin, lin.post("/account/edit", data=settings(username="linxy")))
    answer = zhou.post("/account/edit", data=settings(username="lin"))
    assert answer.status_code == 422
    assert "“lin”已有人使用" in text_of(answer)
    answer = li.post("/people/add", data={"username": "lin", "name": "林二"})
    assert "“lin”已有人使用" in text_of(answer)
    follow(lin, lin.post("/account/edit", data=settings(username="lin")))
    assert login("lin").get("/").status_code == 200


def test_the_database_decides_between_two_who_choose_the_same_name(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = login("lin")
    monkeypatch.setattr(logins, "is_name_free", lambda *words: True)
    answer = lin.post("/account/edit", data=settings(username="li"))
    assert answer.status_code == 422
    assert "“li”已有人使用" in text_of(answer)
    assert account(app, "lin").username == "lin"


# --- one person, one account ----------------------------------------------------------------------------

DOUBLE = "一人只开一个"


def test_the_phone_of_somebody_of_the_same_name_elsewhere_is_refused(app: Flask, login: Login) -> None:
    """Told without whose it is, and where."""
    change(app, "gao", first_name="林老师", phone="14033334444")
    lin = login("lin")
    answer = lin.post("/account/edit", data=settings(phone="14033334444"))
    assert answer.status_code == 422
    assert DOUBLE in text_of(answer)
    for told in ("gao", cast.SHIXI_ER, "石溪"):
        assert told not in text_of(answer)
    assert account(app, "lin").phone is None
    assert lin.post("/account/edit", data=settings(phone="14033335555")).status_code == 302


def test_the_same_phone_alone_is_no_reason_and_neither_is_an_account_whose_person_has_left(
    app: Flask, login: Login
) -> None:
    change(app, "gao", phone="14033334444")
    change(app, "wang", first_name="林老师", phone="14033334444", active=False, left_on=date(2026, 7, 1))
    assert login("lin").post("/account/edit", data=settings(phone="14033334444")).status_code == 302


def test_what_was_double_before_may_be_kept_while_other_things_change(app: Flask, login: Login) -> None:
    change(app, "gao", first_name="林老师", phone="14033334444")
    change(app, "lin", phone="14033334444")
    words = settings(phone="14033334444", qq="123456")
    assert login("lin").post("/account/edit", data=words).status_code == 302


def test_no_second_account_is_opened_or_resumed_for_the_same_person(app: Flask, login: Login) -> None:
    change(app, "gao", first_name="冯老师", phone="14033334444")
    li, pk = login("li"), cast.person("zhou")
    words = {"username": "feng", "name": "冯老师", "phone": "14033334444"}
    answer = li.post("/people/add", data=words)
    assert answer.status_code == 422
    assert DOUBLE in text_of(answer)
    assert audit_of(app, "open_account") == []
    change(app, "zhou", first_name="冯老师", phone="14033334444", active=False)
    answer = li.post(f"/people/resume/{pk}")
    assert answer.status_code == 422
    assert DOUBLE in text_of(answer)
    assert not account(app, "zhou").active


# --- language -------------------------------------------------------------------------------------------

TWO = {"zh_Hans_CN": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}}


def test_while_there_is_one_language_none_is_asked_for(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LANGUAGES", {"zh_Hans_CN": TWO["zh_Hans_CN"]})
    assert 'name="language"' not in login("lin").get("/account/edit").text


def test_with_a_second_language_each_person_has_the_own(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LANGUAGES", TWO)
    lin, li = login("lin"), login("li")
    assert '<option value="zh_Hans_CN" selected lang="zh-Hans-CN">中文' in lin.get("/account/edit").text
    follow(lin, lin.post("/account/edit", data=settings(language="en")))
    for path in ("/", "/account/", "/students/list/"):
        assert '<html lang="en">' in lin.get(path).text, path
    assert '<html lang="zh-Hans-CN">' in li.get("/").text
    assert '<html lang="zh-Hans-CN">' in Client(app).get("/login/").text
    monkeypatch.setitem(app.config, "LANGUAGES", {"zh_Hans_CN": TWO["zh_Hans_CN"]})
    assert '<html lang="zh-Hans-CN">' in lin.get("/").text, "a language that is gone"


def test_what_the_database_refuses_is_told_in_the_persons_language(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account cannot be read any more when that sentence is looked up."""
    monkeypatch.setitem(app.config, "LANGUAGES", TWO)
    change(app, "lin", language="en")
    lin = login("lin")
    words = {"name": "东校区", "area_code": "519921000000", "address": "东门外1号"}
    assert lin.post("/campuses/add", data=words).status_code == 302
    answer = lin.post("/campuses/add", data=words)
    assert answer.status_code == 422
    assert '<html lang="en">' in answer.text


def test_a_language_that_is_none_is_refused(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "LANGUAGES", TWO)
    answer = login("lin").post("/account/edit", data=settings(language="../../etc"))
    assert answer.status_code == 422
    assert "没有这种语言" in text_of(answer)


# --- password -------------------------------------------------------------------------------------------


def password_words(old: str = cast.PASSWORD, new: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"old_password": old, "new_password": new, "again": again}


def test_a_changed_password_ends_every_other_session_and_token_and_keeps_the_own(
    app: Flask, login: Login
) -> None:
    here, elsewhere, token = login("lin"), login("lin"), token_of(app, "lin")
    assert status_with(app, token) == 200
    assert here.post("/account/password", data=password_words()).location == "/"
    assert here.get("/students/list/").status_code == 200
    assert elsewhere.get("/students/list/").location.startswith("/login/")
    assert "您的登录已失效：密码或两步登录已修改" in text_of(elsewhere.get("/login/"))
    assert status_with(app, token) == 401
    words = {"username": "lin", "password": cast.PASSWORD}
    assert Client(app).post("/login/", data=words).status_code == 422
    assert Client(app).post("/api/v1/security/login", json=words).status_code == 401
    assert login("lin", NEW).get("/").status_code == 200
    assert status_with(app, token_of(app, "lin", NEW)) == 200
    entry = audit_of(app, "change_password")[0]
    assert (entry.actor_name, entry.before, entry.after) == ("林老师", None, None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (password_words(old="Not-the-old-1"), "密码不正确"),
        (password_words(old=""), "密码不正确"),
        (password_words(new="short", again="short"), "至少10个字符"),
        (password_words(new="x" * 5_000, again="x" * 5_000), "最多128个字符"),
        (password_words(new="Has-lin-2026x", again="Has-lin-2026x"), "不能含有账号或姓名"),
        (password_words(new=cast.PASSWORD, again=cast.PASSWORD), "不能与原密码"),
        (password_words(again="Qing-shan-2028"), "两次填写的新密码不一致"),
        (password_words() | {"junk": "1"}, "没有“junk”这一项"),
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


def test_the_form_says_that_the_last_five_do_not_do_and_means_it(login: Login) -> None:
    lin, old = login("lin"), cast.PASSWORD
    assert "不与最近5次用过的密码相同" in text_of(lin.get("/account/password"))
    for n in range(6):
        new = f"Qing-shan-{n}"
        answer = lin.post("/account/password", data=password_words(old, new, new))
        assert answer.status_code == 302, n
        old = new
    for used in range(1, 6):
        new = f"Qing-shan-{used}"
        answer = lin.post("/account/password", data=password_words(old, new, new))
        assert answer.status_code == 422, used
        assert "最近5次用过的密码" in text_of(answer)
    words = password_words(old, cast.PASSWORD, cast.PASSWORD)
    assert lin.post("/account/password", data=words).status_code == 302, "six passwords ago"


def test_guessing_the_old_password_locks_and_throws_out(app: Flask, login: Login) -> None:
    lin = login("lin")
    for _n in range(4):
        assert lin.post("/account/password", data=password_words(old="Not-the-old-1")).status_code == 422
    answer = lin.post("/account/password", data=password_words(old="Not-the-old-1"))
    assert answer.status_code == 403
    assert "账号已锁定" in text_of(answer)
    assert lin.get("/").status_code == 302
    assert Client(app).post("/login/", data={"username": "lin", "password": cast.PASSWORD}).status_code == 422


# --- where one is logged in -----------------------------------------------------------------------------


def login_from(app: Flask, username: str, agent: str, address: str) -> Client:
    client = Client(app)
    client.post(
        "/login/",
        data={"username": username, "password": cast.PASSWORD},
        headers={"User-Agent": agent},
        environ_overrides={"REMOTE_ADDR": address},
    )
    return client


def buttons(page: Any) -> list[str]:
    """Where the buttons lead that end one other session."""
    return re.findall(r'action="(/account/sessions/end/\d+)"', page.text)


def test_the_list_says_device_address_and_which_is_this_one(app: Flask) -> None:
    desk = login_from(app, "lin", CHROME, "10.1.2.3")
    page = text_of(desk.get("/account/"))
    assert re.search(r"Chrome，Windows 10\.1\.2\.3 \d{4}-\d\d-\d\d \d\d:\d\d .* 本次登录", page)
    assert "退出其他登录" not in page
    login_from(app, "lin", "curl/8.1", "10.9.9.9")
    page = desk.get("/account/")
    assert re.search(r"未知设备 10\.9\.9\.9 .* 其他登录", text_of(page))
    assert len(buttons(page)) == 1, "none for the session of the page itself"
    assert "退出其他登录" in text_of(page)


def test_one_session_is_ended_and_its_next_click_says_why(app: Flask, login: Login) -> None:
    here, there, third = login("lin"), login("lin"), login("lin")
    path = buttons(here.get("/account/"))[0]  # the latest: the third
    assert "已退出那里的登录" in text_of(follow(here, here.post(path)))
    answer = third.get("/students/list/")
    assert answer.location == "/login/?next=%2Fstudents%2Flist%2F"
    assert "在别处退出了这里的登录" in text_of(third.get(answer.location))
    assert there.get("/").status_code == 200
    assert here.post(path).status_code == 404, "it has ended"
    assert [row.actor_name for row in audit_of(app, "end_sessions")] == ["林老师"]


def test_ending_the_others_ends_tokens_and_copies_of_the_cookie_as_well(app: Flask, login: Login) -> None:
    here, there, thief, token = login("lin"), login("lin"), Client(app), token_of(app, "lin")
    thief.set_cookie("session", here.get_cookie("session").value)
    page = text_of(follow(here, here.post("/account/sessions/end-others")))
    assert "只保留本次登录" in page
    for other in (there, thief):
        assert other.get("/").location.startswith("/login/")
    assert status_with(app, token) == 401
    assert here.get("/").status_code == 200
    assert buttons(here.get("/account/")) == []


def test_nobody_ends_another_persons_session(app: Flask, login: Login) -> None:
    lin, zhou = login("lin"), login("zhou")
    login("lin")
    path = buttons(lin.get("/account/"))[0]
    assert zhou.post(path).status_code == 404
    assert zhou.post(f"/account/sessions/end/{10**30}").status_code == 404
    assert buttons(lin.get("/account/")) == [path]
    assert audit_of(app, "end_sessions") == []


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome，Windows"),
        (CHROME + " Edg/130.0", "Edge，Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605 (KHTML) Version/17 Safari/605",
            "Safari，macOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox，Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Mobile Safari/605",
            "Safari，iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; V2148A) Chrome/116 Mobile Safari/537 MicroMessenger/8.0.44",
            "微信，Android",
        ),
        (
            "Mozilla/5.0 (Phone; OpenHarmony 4.1) Chrome/114 Safari/537 ArkWeb HuaweiBrowser/5.0",
            "华为浏览器，鸿蒙",
        ),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer，Windows"),
        ("python-requests/2.32 Windows", "Windows"),
        ("", "未知设备"),
        ("<script>", "未知设备"),
    ],
)
def test_a_browser_is_named_in_plain_words(app: Flask, agent: str, words: str) -> None:
    with app.app_context():
        assert devices.in_words(agent) == words


def test_every_act_on_the_own_account_wants_the_form_token(login: Login) -> None:
    lin = login("lin")
    for path in ("edit", "password", "sessions/end/1", "sessions/end-others"):
        assert lin.post(f"/account/{path}", csrf=False).status_code == 400, path
    for path in ("on", "off", "renew"):
        assert lin.post(f"/account/second-factor/{path}", csrf=False).status_code == 400, path


def test_an_old_password_is_said_on_the_first_page_and_on_the_form(app: Flask, login: Login) -> None:
    change(app, "lin", password_set_at=datetime.now(UTC) - timedelta(days=85))
    assert "密码即将到期" in text_of(login("lin").get("/"))
    change(app, "lin", is_demo=False, password_set_at=datetime.now(UTC) - timedelta(days=91))
    lin = login("lin")
    assert lin.get("/").location == "/account/password"
    page = lin.get("/account/password")
    assert "密码已到期" in text_of(page)
    assert "取消" not in text_of(page), "there is no way around it"
