"""Coming in with the second step on: on the login page, for tokens; and who must set it up before anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from werkzeug.test import TestResponse

from app.core import second_factor
from app.core.second_factor import SecondFactorRule
from app.extensions import db
from app.surfaces import security
from tests import cast
from tests.accounts import Phone, account, audit_of, change, follow, give_phone, text_of
from tests.client import Client

Login = Callable[..., Client]
WORDS = {"username": "lin", "password": cast.PASSWORD}
GENERIC = "不正确，或账号已被锁定。连续输错5次将锁定30分钟；需要帮助请联系本校管理员或主管部门。"


@pytest.fixture
def phone(app: Flask) -> Phone:
    return give_phone(app, "lin")


def half_in(app: Flask, username: str = "lin", **words: str) -> Client:
    """Whoever has given the right password and is asked for the code."""
    client = Client(app)
    answer = client.post("/login/", data={"username": username, "password": cast.PASSWORD} | words)
    assert answer.location == "/login/code"
    return client


def give_code(client: Client, code: str) -> TestResponse:
    return client.post("/login/code", data={"code": code})


def token_answer(app: Flask, **words: Any) -> TestResponse:
    return Client(app).post("/api/v1/security/login", json=WORDS | words)


# --- on the login page ----------------------------------------------------------------------------------


def test_password_then_code_let_in_and_lead_where_one_wanted(app: Flask, phone: Phone) -> None:
    lin = half_in(app, next="/students/list/?status=enrolled")
    page = lin.get("/login/code")
    assert "手机验证程序当前显示的6位数字" in text_of(page)
    assert 'autocomplete="one-time-code"' in page.text
    assert audit_of(app, "login") == []
    assert give_code(lin, phone.code()).location == "/students/list/?status=enrolled"
    assert lin.get("/students/list/").status_code == 200
    assert [row.actor_name for row in audit_of(app, "login")] == ["林老师"]


def test_half_a_login_opens_nothing_but_the_code_page(app: Flask, phone: Phone) -> None:
    lin = half_in(app)
    for path in ("/", "/account/", "/students/list/", "/account/second-factor/on"):
        assert lin.get(path).location.startswith("/login/"), path
    assert lin.get("/api/v1/students/").status_code == 401
    assert lin.get("/login/").status_code == 200, "another account may be used instead"


def test_without_the_password_there_is_no_code_page(anonymous: Client, phone: Phone) -> None:
    assert anonymous.get("/login/code").location.startswith("/login/")
    assert give_code(anonymous, phone.code()).location.startswith("/login/")
    assert anonymous.get("/").location.startswith("/login/")


def test_who_is_in_already_is_led_home(login: Login) -> None:
    lin = login("lin")
    assert lin.get("/login/code").location == "/"
    assert lin.post("/login/code", data={"code": "1"}).location == "/"


def test_a_recovery_code_does_as_well_once(app: Flask, phone: Phone) -> None:
    assert give_code(half_in(app), phone.recovery_codes[0]).status_code == 302
    assert give_code(half_in(app), phone.recovery_codes[0]).status_code == 422


def test_a_code_lets_in_once(app: Flask, phone: Phone) -> None:
    code = phone.code()
    assert give_code(half_in(app), code).status_code == 302
    assert give_code(half_in(app), code).status_code == 422


def test_the_last_recovery_codes_are_warned_of(app: Flask, phone: Phone) -> None:
    for left in range(9, 2, -1):
        client = half_in(app)
        answer = give_code(client, phone.recovery_codes[9 - left])
        page = text_of(follow(client, answer))
        assert ("恢复码只剩3个" in page) is (left == 3), left


@pytest.mark.parametrize("code", ["", "wrong", "000000000000", "x" * 5_000, "\0", "１２"])
def test_a_wrong_code_says_the_same_whatever_is_wrong(app: Flask, phone: Phone, code: str) -> None:
    lin = half_in(app)
    answer = give_code(lin, phone.wrong_code() if code == "wrong" else code)
    assert answer.status_code == 422
    assert f"验证码{GENERIC}" in text_of(answer)
    assert lin.get("/").location.startswith("/login/")
    assert account(app, "lin").fail_login_count == 1


def test_wrong_codes_lock_as_wrong_passwords_do_and_together_with_them(app: Flask, phone: Phone) -> None:
    for _n in range(2):
        Client(app).post("/login/", data=WORDS | {"password": "Not-the-password-1"})
    lin = half_in(app)
    for _n in range(3):
        assert audit_of(app, "lock") == []
        give_code(lin, phone.wrong_code())
    assert len(audit_of(app, "lock")) == 1
    answer = give_code(lin, phone.code())
    assert answer.status_code == 422
    assert f"验证码{GENERIC}" in text_of(answer), "locked or wrong: it is not told"
    assert Client(app).post("/login/", data=WORDS).status_code == 422


def test_five_minutes_later_one_begins_again(
    app: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = half_in(app, next="/students/list/")
    now = security.time.time()
    monkeypatch.setattr(security.time, "time", lambda: now + 301)
    answer = give_code(lin, phone.code())
    assert answer.location == "/login/?next=%2Fstudents%2Flist%2F"
    assert "验证码没有在5分钟内填写" in text_of(lin.get(answer.location))
    assert lin.get("/login/code").location.startswith("/login/")


@pytest.mark.parametrize("words", [{"epoch": User.epoch + 1}, {"active": False}])
def test_an_account_that_changed_meanwhile_lets_nobody_in(
    app: Flask, phone: Phone, words: dict[str, Any]
) -> None:
    lin = half_in(app)
    change(app, "lin", **words)
    assert give_code(lin, phone.code()).status_code == 422
    assert lin.get("/").location.startswith("/login/")


def test_nothing_planted_before_either_step_survives(app: Flask, phone: Phone, anonymous: Client) -> None:
    with anonymous.session_transaction() as kept:
        kept["planted"] = kept["csrf_token"] = "by somebody else"
    anonymous.post("/login/", data=WORDS)
    with anonymous.session_transaction() as kept:
        assert set(kept) == {"half"}
        kept["planted"] = "between"
    assert give_code(anonymous, phone.code()).status_code == 302
    with anonymous.session_transaction() as kept:
        assert "planted" not in kept
        assert "half" not in kept


def test_the_code_form_wants_its_token(app: Flask, phone: Phone) -> None:
    lin = half_in(app)
    assert lin.post("/login/code", data={"code": phone.code()}, csrf=False).status_code == 400


def test_a_one_time_password_comes_with_its_code_first(app: Flask, phone: Phone) -> None:
    change(app, "lin", must_change_password=True)
    lin = half_in(app)
    assert follow(lin, give_code(lin, phone.code())).location == "/account/password"


# --- limits ---------------------------------------------------------------------------------------------


def test_codes_count_towards_the_accounts_limit_over_all_addresses(limited: Flask, phone: Phone) -> None:
    """Three failures a minute, whichever step they are of."""
    lin = half_in(limited)
    for n in range(3):
        where = {"environ_overrides": {"REMOTE_ADDR": f"10.0.3.{n}"}}
        assert lin.post("/login/code", data={"code": phone.wrong_code()}, **where).status_code == 422
    where = {"environ_overrides": {"REMOTE_ADDR": "10.0.3.9"}}
    assert lin.post("/login/code", data={"code": phone.code()}, **where).status_code == 429
    assert Client(limited).post("/login/", data=WORDS, **where).status_code == 429


def test_codes_count_towards_the_addresses_limit(limited: Flask, phone: Phone) -> None:
    where = {"environ_overrides": {"REMOTE_ADDR": "10.0.4.1"}}
    for name in ("one", "two", "three"):
        Client(limited).post("/login/", data={"username": name, "password": "x"}, **where)
    lin = half_in(limited)
    assert lin.post("/login/code", data={"code": phone.wrong_code()}, **where).status_code == 429


# --- for tokens -----------------------------------------------------------------------------------------


def test_a_token_wants_the_code_sent_along(app: Flask, phone: Phone) -> None:
    answer = token_answer(app, code=phone.code())
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert Client(app).get("/api/v1/students/", headers=headers).status_code == 200


@pytest.mark.parametrize("how", ["none", "empty", "wrong", "used"])
def test_without_the_right_code_there_is_no_token_and_it_counts(app: Flask, phone: Phone, how: str) -> None:
    used = phone.code()
    assert token_answer(app, code=used).status_code == 200
    words = {"none": {}, "empty": {"code": ""}, "wrong": {"code": phone.wrong_code()}, "used": {"code": used}}
    answer = token_answer(app, **words[how])
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
    assert "须在code中一并提交验证码" in answer.json["message"]
    assert account(app, "lin").fail_login_count == 1


def test_a_refusal_does_not_tell_which_of_both_was_wrong(app: Flask, phone: Phone) -> None:
    told = {
        token_answer(app, **words).json["message"]
        for words in (
            {"password": "Not-the-password-1"},
            {"password": "Not-the-password-1", "code": phone.code()},
            {"code": phone.wrong_code()},
            {"username": "nobody"},
        )
    }
    assert len(told) == 1


@pytest.mark.parametrize("code", [123456, None, ["1"], {"a": 1}, True])
def test_a_code_that_is_no_text_is_refused(app: Flask, phone: Phone, code: Any) -> None:
    answer = token_answer(app, code=code)
    assert answer.status_code == 400
    assert "验证码code" in answer.json["message"]


def test_half_characters_are_a_wrong_code(app: Flask, phone: Phone) -> None:
    body = f'{{"username": "lin", "password": "{cast.PASSWORD}", "code": "\\ud800"}}'
    answer = Client(app).post("/api/v1/security/login", data=body, content_type="application/json")
    assert answer.status_code == 401


def test_the_description_names_the_code(login: Login) -> None:
    found = login("lin").get("/api/v1/_openapi").json["paths"]["/api/v1/security/login"]["post"]
    schema = found["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"username", "password", "code"}
    assert schema["required"] == ["username", "password"]


# --- required by the bureau -----------------------------------------------------------------------------


@pytest.fixture
def required(app: Flask) -> None:
    """Clerks of the county must have it."""
    with app.app_context():
        clerk = db.session.scalars(sa.select(Role).where(Role.name == "default:clerk")).one()
        words = {"region_code": cast.QINGLAN, "role_id": clerk.id, "set_at": datetime.now(UTC)}
        db.session.add(SecondFactorRule(**words))
        db.session.commit()
        db.session.remove()


def test_who_must_and_has_not_is_led_to_the_set_up_and_nowhere_else(required: None, login: Login) -> None:
    lin = login("lin")
    for path in ("/", "/students/list/", "/account/", "/account/edit", "/account/password", "/bureau/"):
        assert lin.get(path).location == "/account/second-factor/on", path
    assert lin.post("/students/add").location == "/account/second-factor/on"
    answer = lin.get("/api/v1/students/")
    assert (answer.status_code, answer.json["error"]) == (403, "denied")
    assert "两步登录" in answer.json["message"]
    page = text_of(lin.get("/account/second-factor/on"))
    assert "按主管部门的规定，您担任的角色须两步登录" in page
    assert "取消" not in page
    assert lin.post("/logout/").location == "/login/"


def test_nobody_else_is_stopped(required: None, login: Login) -> None:
    for username in ("li", "zhou", "zhao", "gao", "he"):
        assert login(username).get("/").status_code == 200, username


def test_once_set_up_everything_opens(required: None, login: Login) -> None:
    lin = login("lin")
    page = text_of(lin.get("/account/second-factor/on"))
    secret = page.partition("密钥 ")[2][:39].replace(" ", "")
    answer = lin.post("/account/second-factor/on", data={"code": Phone(secret).code()})
    assert answer.location == "/account/second-factor/codes"
    for path in ("/account/second-factor/codes", "/students/list/", "/account/"):
        assert lin.get(path).status_code == 200, path


def test_a_password_to_be_changed_comes_before_it(app: Flask, required: None, login: Login) -> None:
    change(app, "lin", must_change_password=True)
    lin = login("lin")
    assert lin.get("/account/second-factor/on").location == "/account/password"
    new = "Qing-shan-2027"
    words = {"old_password": cast.PASSWORD, "new_password": new, "again": new}
    assert lin.post("/account/password", data=words).status_code == 302
    assert lin.get("/").location == "/account/second-factor/on"


def test_the_rule_is_asked_for_at_login_and_by_no_page(
    app: Flask, required: None, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = login("lin")

    def fail(*words: object) -> bool:
        raise AssertionError("asked once more")

    monkeypatch.setattr(second_factor, "is_required", fail)
    assert lin.get("/").location == "/account/second-factor/on"
    assert lin.get("/account/second-factor/on").status_code == 200


def test_tokens_are_refused_with_a_sentence(app: Flask, required: None) -> None:
    answer = token_answer(app)
    assert (answer.status_code, answer.json["error"]) == (403, "denied")
    assert "请先登录网页，开启两步登录" in answer.json["message"]
    phone = give_phone(app, "lin")
    assert token_answer(app, code=phone.code()).status_code == 200


def test_a_call_with_a_token_is_not_stopped_by_the_cookie_beside_it(app: Flask, login: Login) -> None:
    token = token_answer(app).json["access_token"]
    lin = login("lin")
    with lin.session_transaction() as kept:
        kept["factor_due"] = True
    headers = {"Authorization": f"Bearer {token}"}
    assert lin.get("/api/v1/students/", headers=headers).status_code == 200
    assert lin.get("/api/v1/students/").status_code == 403


def test_the_lock_of_half_an_hour_ends_for_codes_as_well(app: Flask, phone: Phone) -> None:
    change(app, "lin", locked_until=datetime.now(UTC) - timedelta(seconds=1))
    assert give_code(half_in(app), phone.code()).status_code == 302
