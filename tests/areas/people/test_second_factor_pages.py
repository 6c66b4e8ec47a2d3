"""Setting the second step up, its recovery codes, taking it off; an administrator's help; the bureau's rules."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from werkzeug.test import TestResponse

from app.core import second_factor
from app.core.second_factor import SecondFactorRule
from app.extensions import db
from tests import cast
from tests.accounts import Phone, account, audit_of, follow, give_phone, text_of
from tests.client import Client

Login = Callable[..., Client]
ON, OFF, RENEW, CODES = (f"/account/second-factor/{name}" for name in ("on", "off", "renew", "codes"))
WORDS = {"username": "lin", "password": cast.PASSWORD}


def scan(page: TestResponse) -> Phone:
    """A phone that was given the secret printed beside the picture."""
    return Phone(text_of(page).partition("密钥 ")[2][:39].replace(" ", ""))


def codes_on(page: TestResponse) -> list[str]:
    return re.findall(r"恢复码\d+ ([a-z2-9]{5}-[a-z2-9]{5})", text_of(page))


def come_in(app: Flask, phone: Phone, username: str = "lin") -> Client:
    client = Client(app)
    client.post("/login/", data={"username": username, "password": cast.PASSWORD})
    assert client.post("/login/code", data={"code": phone.code()}).status_code == 302
    return client


def proof(phone: Phone, **words: str) -> dict[str, str]:
    return {"old_password": cast.PASSWORD, "code": phone.code(1)} | words  # the code of now let in


@pytest.fixture
def phone(app: Flask) -> Phone:
    return give_phone(app, "lin")


# --- setting it up --------------------------------------------------------------------------------------


def test_one_scans_types_a_code_and_is_shown_ten_recovery_codes_once(app: Flask, login: Login) -> None:
    lin = login("lin")
    assert "两步登录 未开启" in text_of(lin.get("/account/"))
    page = lin.get(ON)
    assert 'class="picture" src="data:image/svg+xml' in page.text
    assert "img-src 'self' data:" in page.headers["Content-Security-Policy"]
    phone = scan(page)
    shown = follow(lin, lin.post(ON, data={"code": phone.code()}))
    codes = codes_on(shown)
    assert len(set(codes)) == 10
    assert "只显示这一次" in text_of(shown)
    assert follow(lin, lin.get(CODES)).request.path == "/account/"
    assert "未用的恢复码 10个" in text_of(lin.get("/account/"))
    assert [row.actor_name for row in audit_of(app, "factor_on")] == ["林老师"]
    client = Client(app)
    assert client.post("/login/", data=WORDS).location == "/login/code"
    assert client.post("/login/code", data={"code": codes[0]}).status_code == 302


def test_the_picture_stays_the_same_until_it_is_taken(login: Login) -> None:
    """Whoever opens the page twice has not scanned in vain."""
    lin = login("lin")
    first = scan(lin.get(ON))
    wrong = lin.post(ON, data={"code": first.wrong_code()})
    assert wrong.status_code == 422
    assert "验证码不正确。请确认手机时间准确" in text_of(wrong)
    assert scan(wrong) == scan(lin.get(ON)) == first
    assert login("lin").get(ON).text.count(first.secret) == 0, "another browser has another"


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "x" * 5_000, "\0"])
def test_it_is_not_on_before_a_right_code(app: Flask, login: Login, code: str) -> None:
    lin = login("lin")
    lin.get(ON)
    assert lin.post(ON, data={"code": code}).status_code == 422
    assert lin.post(ON, data={"code": code, "secret": "MINE"}).status_code == 422
    assert account(app, "lin").totp_since is None


def test_secret_and_codes_can_be_read_in_no_cookie_and_no_address(login: Login) -> None:
    lin = login("lin")
    phone = scan(lin.get(ON))
    assert phone.secret not in readable(lin)
    answer = lin.post(ON, data={"code": phone.code()})
    kept = readable(lin)
    codes = codes_on(lin.get(answer.location))
    assert len(codes) == 10
    for told in (phone.secret, *codes):
        assert told not in kept
        assert told not in answer.location


def readable(client: Client) -> str:
    """What anybody can read in a cookie: as it is, and undone as far as that goes without the key."""
    with client.session_transaction() as kept:
        words = " ".join(str(value) for value in kept.values())
    tokens = re.findall(r"[\w-]{30,}={0,2}", words)
    undone = [base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("latin-1") for token in tokens]
    return " ".join([client.get_cookie("session").value, words, *undone])


def test_turning_it_on_ends_the_other_sessions_and_tokens(app: Flask, login: Login) -> None:
    here, there = login("lin"), login("lin")
    token = Client(app).post("/api/v1/security/login", json=WORDS).json["access_token"]
    assert here.post(ON, data={"code": scan(here.get(ON)).code()}).status_code == 302
    assert here.get("/").status_code == 200
    assert there.get("/").location.startswith("/login/")
    headers = {"Authorization": f"Bearer {token}"}
    assert Client(app).get("/api/v1/students/", headers=headers).status_code == 401


def test_it_is_set_up_once(app: Flask, login: Login) -> None:
    """Two windows, one set-up: the second does not overwrite what the phone has."""
    lin = login("lin")
    scan(lin.get(ON))
    phone = give_phone(app, "lin")
    assert lin.get(ON).location == "/account/"
    assert lin.post(ON, data={"code": phone.code()}).location == "/account/"


# --- taking it off, new codes ---------------------------------------------------------------------------


def test_it_is_taken_off_with_password_and_code(app: Flask, phone: Phone) -> None:
    lin, other = come_in(app, phone), Client(app)
    other.post("/login/", data=WORDS)
    other.post("/login/code", data={"code": phone.recovery_codes[0]})
    assert "关闭后，只凭密码即可登录" in text_of(lin.get(OFF))
    assert "两步登录已关闭" in text_of(follow(lin, lin.post(OFF, data=proof(phone))))
    assert other.get("/").location.startswith("/login/")
    assert Client(app).post("/login/", data=WORDS).location == "/"
    assert [(row.actor_name, row.row_id) for row in audit_of(app, "factor_off")] == [
        ("林老师", cast.person("lin"))
    ]


def test_a_recovery_code_takes_it_off_as_well(app: Flask, phone: Phone) -> None:
    lin = come_in(app, phone)
    assert lin.post(OFF, data=proof(phone, code=phone.recovery_codes[3])).status_code == 302


@pytest.mark.parametrize("path", [OFF, RENEW])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"old_password": "Not-the-old-1"}, "密码不正确"),
        ({"old_password": ""}, "密码不正确"),
        ({"code": ""}, "验证码不正确，或已经用过"),
        ({"code": "wrong"}, "验证码不正确，或已经用过"),
        ({"junk": "1"}, "没有“junk”这一项"),
    ],
)
def test_one_alone_is_not_enough_and_counts(
    app: Flask, phone: Phone, path: str, words: dict[str, str], says: str
) -> None:
    lin = come_in(app, phone)
    if words.get("code") == "wrong":
        words = {"code": phone.wrong_code()}
    answer = lin.post(path, data=proof(phone, **words))
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert cast.PASSWORD not in answer.text
    assert account(app, "lin").totp_since is not None
    assert account(app, "lin").fail_login_count == (0 if "junk" in words else 1)
    assert second_factor.codes_left(account(app, "lin")) == 10


def test_guessing_locks_and_throws_out(app: Flask, phone: Phone) -> None:
    lin = come_in(app, phone)
    for _n in range(4):
        assert lin.post(OFF, data=proof(phone, code=phone.wrong_code())).status_code == 422
    answer = lin.post(OFF, data=proof(phone, code=phone.wrong_code()))
    assert answer.status_code == 403
    assert "账号已锁定" in text_of(answer)
    assert lin.get("/").location.startswith("/login/")


def test_new_recovery_codes_are_shown_once_and_void_the_old(app: Flask, phone: Phone) -> None:
    lin = come_in(app, phone)
    codes = codes_on(follow(lin, lin.post(RENEW, data=proof(phone))))
    assert len(set(codes) - set(phone.recovery_codes)) == 10
    assert lin.get(CODES).location == "/account/"
    other = Client(app)
    other.post("/login/", data=WORDS)
    assert other.post("/login/code", data={"code": phone.recovery_codes[0]}).status_code == 422
    assert other.post("/login/code", data={"code": codes[0]}).status_code == 302
    assert len(audit_of(app, "factor_codes")) == 1


@pytest.mark.parametrize("path", [OFF, RENEW])
def test_what_is_not_on_is_not_taken_off(login: Login, path: str) -> None:
    lin = login("lin")
    assert lin.get(path).location == ON
    assert lin.post(path, data={"old_password": cast.PASSWORD, "code": "1"}).location == ON


# --- an administrator's help ----------------------------------------------------------------------------


def path_for(username: str) -> str:
    return f"/people/second-factor/{cast.person(username)}"


def test_an_administrator_takes_a_lost_factor_off(app: Flask, phone: Phone, login: Login) -> None:
    lin, li = come_in(app, phone), login("li")
    page = li.get(f"/people/show/{cast.person('lin')}")
    assert f'href="{path_for("lin")}"' in page.text
    assert "请先核实确是本人" in text_of(li.get(path_for("lin")))
    shown = follow(li, li.post(path_for("lin")))
    assert "两步登录 未开启" in text_of(shown)
    assert path_for("lin") not in shown.text
    assert lin.get("/").location.startswith("/login/")
    assert login("lin").get("/").status_code == 200
    assert [(row.actor_name, row.row_id, row.school_id) for row in audit_of(app, "factor_off")] == [
        ("李老师", cast.person("lin"), cast.school(cast.YIZHONG))
    ]


@pytest.mark.parametrize("username", ["lin", "zhou", "wang", "chen", "ops", "he"])
def test_only_with_power_over_the_person(app: Flask, phone: Phone, login: Login, username: str) -> None:
    """何主任 holds less than people of 一中, whose senior part is the city's."""
    client = come_in(app, phone) if username == "lin" else login(username)
    for answer in (client.get(path_for("lin")), client.post(path_for("lin"))):
        assert answer.status_code == 403
    assert account(app, "lin").totp_since is not None


def test_of_another_school_it_is_not_there(app: Flask, login: Login) -> None:
    give_phone(app, "wang")
    li, he = login("li"), login("he")
    assert li.post(path_for("wang")).status_code == 404
    assert he.post(path_for("wang")).status_code == 302
    assert account(app, "wang").totp_since is None


def test_where_there_is_none_nothing_is_taken_off(app: Flask, login: Login) -> None:
    answer = login("li").post(path_for("lin"))
    assert answer.status_code == 422
    assert "没有开启两步登录" in text_of(answer)
    assert audit_of(app, "factor_off") == []


def test_nobody_takes_the_own_one_off_this_way(app: Flask, login: Login) -> None:
    phone = give_phone(app, "li")
    li = come_in(app, phone, "li")
    assert li.post(path_for("li")).status_code == 403


# --- the bureau's rules ---------------------------------------------------------------------------------

RULES = "/second-factor/"


def inputs(app: Flask) -> dict[str, str]:
    """Label of each default role that people hold → the name of its input."""
    with app.app_context():
        found = {
            role.label: f"role-{role.id}"
            for role in db.session.scalars(sa.select(Role))
            if not role.name.endswith("_all")
        }
        db.session.remove()
        return found


def none_but(app: Flask, *labels: str) -> dict[str, str]:
    return {name: "1" if label in labels else "0" for label, name in inputs(app).items()}


def rules(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        query = sa.select(SecondFactorRule.region_code, Role.label).join(Role)
        found = [tuple(row) for row in db.session.execute(query.order_by(SecondFactorRule.id))]
        db.session.remove()
        return found


def add_rule(app: Flask, region_code: str, label: str) -> None:
    with app.app_context():
        role = db.session.scalars(sa.select(Role).where(Role.label == label)).one()
        words: dict[str, Any] = {"region_code": region_code, "role_id": role.id}
        db.session.add(SecondFactorRule(set_at=account(app, "he").password_set_at, **words))
        db.session.commit()
        db.session.remove()


def test_a_bureau_rules_and_those_it_means_meet_the_rule_at_their_next_login(
    app: Flask, login: Login
) -> None:
    he, wang = login("he"), login("wang")
    assert 'href="/second-factor/"' in he.get("/").text
    page = follow(he, he.post(RULES, data=none_but(app, "学籍管理员")))
    assert "有关人员下次登录时生效" in text_of(page)
    assert re.search(r'<option value="1" selected>须两步登录', page.text)
    assert rules(app) == [(cast.QINGLAN, "学籍管理员")]
    assert wang.get("/").status_code == 200
    assert login("wang").get("/").location == ON
    assert login("gao").get("/").status_code == 200, "another county's"
    follow(he, he.post(RULES, data=none_but(app)))
    assert rules(app) == []
    assert login("wang").get("/").status_code == 200
    assert [row.actor_name for row in audit_of(app, "edit")] == ["何主任", "何主任"]


def test_what_a_higher_bureau_settled_is_shown_and_not_taken_back(app: Flask, login: Login) -> None:
    add_rule(app, cast.CITY, "主管学籍领导")
    he, name = login("he"), inputs(app)["主管学籍领导"]
    page = he.get(RULES)
    assert "澜川市主管部门已规定，本级不能取消" in text_of(page)
    assert f'name="{name}"' not in page.text
    assert he.post(RULES, data=none_but(app)).status_code == 422
    words = none_but(app, "班主任")
    del words[name]
    assert he.post(RULES, data=words).status_code == 302
    assert rules(app) == [(cast.CITY, "主管学籍领导"), (cast.QINGLAN, "班主任")]


@pytest.mark.parametrize("junk", [{}, {"role-999999": "1"}, {"all": "x"}, {"all": ""}, {"role-x": "1"}])
def test_a_choice_that_is_missing_or_none_changes_nothing(
    app: Flask, login: Login, junk: dict[str, str]
) -> None:
    add_rule(app, cast.QINGLAN, "班主任")
    words = dict.fromkeys(inputs(app).values(), junk["all"]) if "all" in junk else dict(junk)
    answer = login("he").post(RULES, data=words)
    assert answer.status_code == 422
    assert rules(app) == [(cast.QINGLAN, "班主任")]


@pytest.mark.parametrize("username", ["chen", "sun", "cheng", "li", "lin", "ops"])
def test_only_who_holds_the_right_makes_rules(app: Flask, login: Login, username: str) -> None:
    client = login(username)
    assert client.get(RULES).status_code == 403
    assert client.post(RULES, data=none_but(app, "班主任")).status_code == 403
    assert 'href="/second-factor/"' not in client.get("/").text
    assert rules(app) == []


def test_roles_that_schools_made_from_nothing_can_be_ruled_on_and_copies_go_with_their_template(
    app: Flask, login: Login
) -> None:
    with app.app_context():
        clerk = db.session.scalars(sa.select(Role).where(Role.label == "学籍管理员")).one()
        here, far = cast.school(cast.CHENGGUAN), cast.school(cast.SHIXI_ER)
        db.session.add(Role(name="own", label="教务员", school_id=here))
        db.session.add(Role(name="copy", label="七年级学籍员", school_id=here, template_id=clerk.id))
        db.session.add(Role(name="far", label="远方教务员", school_id=far))
        db.session.commit()
        db.session.remove()
    page = text_of(login("he").get(RULES))
    assert "教务员（城关初级中学）" in page
    assert "七年级学籍员" not in page
    assert "远方教务员" not in page


def test_a_factor_required_can_be_taken_off_only_to_be_set_up_anew(
    app: Flask, phone: Phone, login: Login
) -> None:
    """Somebody with a new phone."""
    add_rule(app, cast.QINGLAN, "学籍管理员")
    lin = come_in(app, phone)
    assert lin.get("/").status_code == 200
    assert lin.post(OFF, data=proof(phone)).status_code == 302
    assert lin.get("/").location == ON
    assert lin.post(ON, data={"code": scan(lin.get(ON)).code()}).status_code == 302
    assert lin.get("/").status_code == 200
