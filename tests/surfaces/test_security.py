"""The gate: who is asking, what Flask-AppBuilder would open and must not, how one comes in and how that ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask_appbuilder import AppBuilder, ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import event
from sqlalchemy.orm import scoped_session, sessionmaker

from app.core import logins, rights
from app.core.audit import AuditEntry
from app.core.logins import LoginRules
from app.extensions import db
from app.surfaces.entrance import TokenApi
from app.surfaces.security import OPEN_PATHS, local_path
from tests import cast
from tests.accounts import change
from tests.client import Client

GENERIC = "账号或密码不正确，或账号已被锁定。连续输错5次将锁定30分钟"
WRONG = "Not-the-password-1"


def look(app: Flask, username: str, column: str) -> Any:
    with app.app_context():
        found = db.session.scalar(sa.select(getattr(User, column)).where(User.username == username))
        db.session.remove()
        return found


def audited(app: Flask, action: str) -> list[tuple[Any, ...]]:
    """(actor, row, school) of the audit's rows of one action, oldest first."""
    with app.app_context():
        from app.core import scope

        with scope.acting(db.session(), rights.system("tests")):
            entry = AuditEntry
            query = sa.select(entry.actor_name, entry.row_id, entry.school_id).where(entry.action == action)
            found = [tuple(row) for row in db.session.execute(query.order_by(entry.id))]
        db.session.remove()
        return found


def try_in(client: Client, username: str, password: str, **words: Any) -> Any:
    return client.post("/login/", data={"username": username, "password": password}, **words)


def token_of(app: Flask, username: str, password: str = cast.PASSWORD) -> str:
    answer = Client(app).post("/api/v1/security/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json["access_token"])


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# --- what Flask-AppBuilder would open -----------------------------------------------------------------

KEPT = {"/", "/login/", "/logout/", "/api/v1/security/login", "/api/v1/_openapi"}
"""Stock addresses that exist here as well, answered by this application."""
OWN_ROLES = re.compile(
    r"/roles/(list/|add|(show|edit|delete)/v1)"
)  # pages of this application's own, at those addresses


def stock_addresses() -> list[str]:
    """What Flask-AppBuilder opens with everything on, and with one entity's pages."""
    stock = Flask("stock")
    stock.config.update(
        SECRET_KEY="stock only: nothing is asked of it",
        FAB_CREATE_DB=False,
        FAB_UPDATE_PERMS=False,
        FAB_ADD_SECURITY_API=True,
        FAB_API_KEY_ENABLED=True,
        FAB_API_SWAGGER_UI=True,
        AUTH_USER_REGISTRATION=True,
    )
    with stock.app_context():
        builder = AppBuilder(stock, scoped_session(sessionmaker()))
        words = {"datamodel": SQLAInterface(User), "route_base": "/students"}
        builder.add_view_no_menu(type("StudentPages", (ModelView,), words))
    found = {path for _method, path in addresses(stock)}
    return sorted(
        path for path in found if not re.fullmatch(r"/students/(list/|(show|edit|delete)/.*|add)", path)
    )


def test_no_stock_address_exists_even_for_an_admin(login: Callable[[str], Client]) -> None:
    """Resetting anybody's password, editing roles, reading files by name and some hundred more."""
    he, stock = login("he"), stock_addresses()
    assert {
        "/resetpassword/form",
        "/users/edit/v1",
        "/roles/edit/v1",
        "/students/download/v1",
        "/lang/v1",
    } <= set(stock)
    assert len(stock) > 80
    for path in set(stock) - KEPT:
        if OWN_ROLES.fullmatch(path):
            continue
        for answer in (he.get(path + "?pk=1"), he.post(path, data={"pk": 1})):
            assert answer.status_code == 404, path


def test_every_address_belongs_to_this_application_or_serves_static_files(app: Flask) -> None:
    strangers = set()
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions[rule.endpoint]
        view = getattr(view, "__wrapped__", view)
        owner = getattr(view, "__self__", None)
        home = type(owner).__module__ if owner is not None else view.__module__
        if not home.startswith("app.") and not rule.endpoint.endswith("static"):
            strangers.add((str(rule), home))
    assert not strangers


def test_no_address_downloads_files_by_name(app: Flask) -> None:
    assert not [str(rule) for rule in app.url_map.iter_rules() if "download" in str(rule)]


def test_flask_appbuilders_own_roles_and_groups_give_nothing(
    app: Flask, login: Callable[[str], Client]
) -> None:
    with app.app_context():
        role = db.session.scalars(sa.select(Role).where(Role.name == "default:clerk")).one()
        li_account = db.session.get_one(User, cast.person("li"))
        li_account.roles.append(role)
        db.session.commit()
        db.session.remove()
    li = login("li")
    assert li.get("/students/list/").status_code == 403
    assert li.get("/api/v1/students/").status_code == 403


@pytest.mark.parametrize(
    ("username", "path", "what", "who"),
    [
        ("li", "/students/list/", "查看列表“学生”", "本校总管理员"),
        ("zhou", "/people/list/", "查看本单位人员", "本校总管理员"),
        ("chen", "/students/add", "新增“学生”", "主管部门管理员"),
    ],
)
def test_a_refusal_names_the_right_and_who_can_give_it(
    login: Callable[[str], Client], username: str, path: str, what: str, who: str
) -> None:
    answer = login(username).get(path)
    assert answer.status_code == 403
    assert what in answer.text
    assert who in answer.text


# --- nobody --------------------------------------------------------------------------------------------


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """(method, path) of everything but static files, with a number or word for each variable part."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static"):
            continue
        words = {name: 1 if f"int:{name}" in str(rule) else "v1" for name in rule.arguments}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, app.url_map.bind("localhost").build(rule.endpoint, words, method=method)


def test_without_login_every_address_leads_to_the_login_page(app: Flask, anonymous: Client) -> None:
    for method, path in addresses(app):
        if path in OPEN_PATHS:
            continue
        answer = anonymous.open(path, method=method)
        if path.startswith(("/api/", "/lookup/")):
            assert (answer.status_code, answer.json["error"]) == (401, "unauthorized"), path
        else:
            assert answer.status_code == 302, (method, path)
            assert answer.location.startswith("/login/"), (method, path)


def test_static_files_ask_the_database_nothing(app: Flask, login: Callable[[str], Client]) -> None:
    client = login("lin")
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert client.get("/static/app.css").status_code == 200
        assert seen == []
        assert client.get("/account/").status_code == 200
        assert seen != []
    finally:
        event.remove(engine, "before_cursor_execute", note)


# --- coming in -----------------------------------------------------------------------------------------


def test_the_right_password_lets_in_and_is_audited(app: Flask, anonymous: Client) -> None:
    answer = try_in(anonymous, "lin", cast.PASSWORD)
    assert (answer.status_code, answer.location) == (302, "/")
    assert "林老师" in anonymous.get("/").text
    assert audited(app, "login") == [("林老师", cast.person("lin"), cast.school(cast.YIZHONG))]


def test_account_names_are_not_case_sensitive(anonymous: Client) -> None:
    assert try_in(anonymous, "  LIN ", cast.PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("lin", WRONG),
        ("lin", ""),
        ("nobody", WRONG),
        ("", ""),
        ("林老师", WRONG),
        ("lin\0", cast.PASSWORD),
        ("lin", cast.PASSWORD + "\0"),
        ("x" * 5_000, "y" * 5_000),
        ("lin@example.invalid", cast.PASSWORD),
    ],
)
def test_every_failure_says_the_same(anonymous: Client, username: str, password: str) -> None:
    answer = try_in(anonymous, username, password)
    assert answer.status_code == 422
    assert GENERIC in answer.text
    assert anonymous.get("/").status_code == 302


def test_locked_and_suspended_accounts_say_the_same(app: Flask, anonymous: Client) -> None:
    change(app, "lin", locked_until=datetime.now(UTC) + timedelta(minutes=5))
    change(app, "zhao", active=False)
    for username in ("lin", "zhao"):
        answer = try_in(anonymous, username, cast.PASSWORD)
        assert answer.status_code == 422
        assert GENERIC in answer.text


def test_an_unknown_account_costs_as_much_work_as_a_known_one(
    app: Flask, anonymous: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(app, "zhao", active=False)
    hashes: list[str] = []

    def check(stored: str, typed: str) -> bool:
        hashes.append(stored)
        return False

    monkeypatch.setattr(logins, "check_password_hash", check)
    for username in ("lin", "nobody", "zhao", "no such name"):
        try_in(anonymous, username, WRONG)
    assert len(hashes) == 4
    assert all(hashes)


def writes_of(app: Flask, act: Callable[[], object]) -> int:
    """How many statements of `act` write accounts."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("UPDATE ab_user"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_every_failure_writes_once(app: Flask, anonymous: Client) -> None:
    change(app, "gao", locked_until=datetime.now(UTC) + timedelta(minutes=5))
    for username in ("lin", "nobody", "gao"):
        assert writes_of(app, lambda name=username: try_in(anonymous, name, WRONG)) == 1, username


def test_five_failures_lock_and_the_lock_is_audited_without_a_password(app: Flask, anonymous: Client) -> None:
    for _n in range(5):
        assert audited(app, "lock") == []
        try_in(anonymous, "lin", WRONG)
    answer = try_in(anonymous, "lin", cast.PASSWORD)
    assert answer.status_code == 422
    assert GENERIC in answer.text
    assert audited(app, "lock") == [("login", cast.person("lin"), cast.school(cast.YIZHONG))]


def test_the_lock_ends_by_itself(app: Flask, anonymous: Client) -> None:
    change(app, "lin", locked_until=datetime.now(UTC) - timedelta(seconds=1))
    assert try_in(anonymous, "lin", cast.PASSWORD).status_code == 302


def test_coming_in_forgets_the_failures_before(app: Flask, anonymous: Client) -> None:
    for _n in range(4):
        try_in(anonymous, "lin", WRONG)
    assert look(app, "lin", "fail_login_count") == 4
    try_in(anonymous, "lin", cast.PASSWORD)
    assert look(app, "lin", "fail_login_count") == 0


def test_an_unknown_name_leaves_nothing_in_the_audit(app: Flask, anonymous: Client) -> None:
    for _n in range(6):
        try_in(anonymous, "my-secret-password", WRONG)
    assert audited(app, "lock") == audited(app, "login") == []


def test_failures_at_the_same_time_are_all_counted(app: Flask) -> None:
    rules = LoginRules(100, timedelta(minutes=30), timedelta(minutes=30), timedelta(days=90))
    start = threading.Barrier(6)
    faults: list[BaseException] = []

    def guess() -> None:
        try:
            with app.app_context():
                start.wait()
                assert logins.sign_in(db.session(), "lin", WRONG, rules) is None
                db.session.remove()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guess) for _n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    assert look(app, "lin", "fail_login_count") == 6


def test_of_guesses_sent_at_once_none_after_the_lock_counts(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is right, but five wrong ones were counted while its hash was computed."""

    def check(stored: str, typed: str) -> bool:
        change(app, "lin", locked_until=datetime.now(UTC) + timedelta(minutes=30))
        return True

    monkeypatch.setattr(logins, "check_password_hash", check)
    with app.app_context():
        found = logins.sign_in(db.session(), "lin", cast.PASSWORD, LoginRules.of(app.config))
        db.session.remove()
    assert found is None


# --- the limit ------------------------------------------------------------------------------------------


def from_address(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def test_failures_from_one_address_are_limited_over_page_and_token_login(limited: Flask) -> None:
    client = Client(limited)
    for name in ("one", "two"):
        assert try_in(client, name, WRONG, **from_address("10.0.0.1")).status_code == 422
    words = {"username": "three", "password": WRONG}
    assert client.post("/api/v1/security/login", json=words, **from_address("10.0.0.1")).status_code == 401
    assert try_in(client, "four", WRONG, **from_address("10.0.0.1")).status_code == 429
    answer = client.post("/api/v1/security/login", json=words, **from_address("10.0.0.1"))
    assert (answer.status_code, answer.json["error"]) == (429, "denied")
    assert try_in(client, "five", WRONG, **from_address("10.0.0.2")).status_code == 422


def test_failures_for_one_account_are_limited_over_all_addresses(limited: Flask) -> None:
    for n in range(3):
        assert try_in(Client(limited), "Lin ", WRONG, **from_address(f"10.0.1.{n}")).status_code == 422
    assert try_in(Client(limited), "lin", cast.PASSWORD, **from_address("10.0.1.9")).status_code == 429


def test_behind_a_proxy_the_address_that_it_names_counts_and_nothing_that_was_sent_to_it(
    limited: Flask,
) -> None:
    client, proxy = Client(limited), from_address("10.0.0.1")
    for n in range(4):
        named = {"X-Forwarded-For": f"172.16.0.{n}, 10.9.0.1"}  # the last is the proxy's own word
        answer = try_in(client, f"name{n}", WRONG, headers=named, **proxy)
        assert answer.status_code == (422 if n < 3 else 429)
    assert try_in(client, "name9", WRONG, headers={"X-Forwarded-For": "10.9.0.2"}, **proxy).status_code == 422


def test_without_a_trusted_proxy_nobody_names_his_own_address(app: Flask) -> None:
    with app.test_client() as client:
        client.get("/login/", headers={"X-Forwarded-For": "10.9.0.1"})
        assert request.remote_addr == "127.0.0.1"


def test_a_whole_school_may_come_in_from_one_address(limited: Flask) -> None:
    for username in ("li", "lin", "zhao", "zhou", "wang", "he"):
        assert try_in(Client(limited), username, cast.PASSWORD, **from_address("10.0.2.1")).status_code == 302


# --- sessions -------------------------------------------------------------------------------------------


def test_nothing_planted_before_login_survives_it(anonymous: Client) -> None:
    with anonymous.session_transaction() as kept:
        kept["planted"] = "by somebody else"
        kept["csrf_token"] = before = "known to somebody else"
    try_in(anonymous, "lin", cast.PASSWORD)
    with anonymous.session_transaction() as kept:
        assert "planted" not in kept
        assert kept.get("csrf_token") != before


def test_the_cookie_remembers_no_addresses_and_no_searches(login: Callable[[str], Client]) -> None:
    lin = login("lin")
    for path in ("/students/list/?q=王子涵", f"/students/show/{cast.pupil('欧阳若曦')}", "/people/list/?q=x"):
        lin.get(path)
    lin.get("/students/list/")
    with lin.session_transaction() as kept:
        assert set(kept) <= {"_user_id", "_fresh", "_id", "sid", "seen", "noted", "place", "csrf_token"}


def test_logout_is_a_post_with_a_form_token(login: Callable[[str], Client]) -> None:
    lin = login("lin")
    assert lin.get("/logout/").status_code == 405
    assert lin.post("/logout/", csrf=False).status_code == 400
    assert lin.get("/account/").status_code == 200
    assert lin.post("/logout/").location == "/login/"
    assert lin.get("/account/").status_code == 302


def test_a_copy_of_the_cookie_is_dead_after_logout_and_other_devices_stay(
    app: Flask, login: Callable[[str], Client]
) -> None:
    here, elsewhere, thief = login("lin"), login("lin"), Client(app)
    thief.set_cookie("session", here.get_cookie("session").value)
    assert thief.get("/account/").status_code == 200
    here.post("/logout/")
    assert thief.get("/account/").status_code == 302
    assert elsewhere.get("/account/").status_code == 200


def make_idle(client: Client, minutes: int) -> None:
    with client.session_transaction() as kept:
        kept["seen"] -= minutes * 60


def test_after_half_an_hour_without_activity_one_logs_in_again_and_is_brought_back(
    login: Callable[[str], Client],
) -> None:
    lin = login("lin")
    make_idle(lin, 29)
    assert lin.get("/students/list/").status_code == 200
    make_idle(lin, 31)
    answer = lin.get("/students/list/?status=enrolled")
    assert answer.location == "/login/?next=%2Fstudents%2Flist%2F%3Fstatus%3Denrolled"
    page = lin.get(answer.location)
    assert "您已有30分钟没有操作" in page.text
    assert 'name="next" value="/students/list/?status=enrolled"' in page.text
    words = {"username": "lin", "password": cast.PASSWORD, "next": "/students/list/?status=enrolled"}
    assert lin.post("/login/", data=words).location == "/students/list/?status=enrolled"


def test_activity_keeps_the_session_awake(login: Callable[[str], Client]) -> None:
    lin = login("lin")
    for _n in range(3):
        make_idle(lin, 20)
        assert lin.get("/account/").status_code == 200


def test_an_ended_session_says_so_once(app: Flask, login: Callable[[str], Client]) -> None:
    lin = login("lin")
    change(app, "lin", epoch=User.epoch + 1)
    assert lin.get("/account/").status_code == 302
    assert "您的登录已失效" in lin.get("/login/").text
    assert "您的登录已失效" not in lin.get("/login/").text


def test_a_suspended_account_is_out_at_once(app: Flask, login: Callable[[str], Client]) -> None:
    lin, token = login("lin"), token_of(app, "lin")
    change(app, "lin", active=False)
    assert lin.get("/account/").status_code == 302
    assert Client(app).get("/api/v1/students/", headers=bearing(token)).status_code == 401


def test_a_withdrawn_grant_counts_at_the_next_request(app: Flask, login: Callable[[str], Client]) -> None:
    lin = login("lin")
    assert lin.get("/students/list/").status_code == 200
    with app.app_context():
        given = rights.Grant
        db.session.execute(
            sa.update(given)
            .where(given.person_id == cast.person("lin"))
            .values(withdrawn_at=datetime.now(UTC))
        )
        db.session.commit()
        db.session.remove()
    assert lin.get("/students/list/").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie: a=b\r\nx",
        "javascript:alert(1)",
        "evil.example",
        " /students/list/",
        "http:/evil.example",
        "/" + "x" * 3_000,
        "/logout/",
        "/login/",
        "",
    ],
)
def test_login_never_leads_to_another_place(anonymous: Client, path: str) -> None:
    answer = anonymous.post("/login/", data={"username": "lin", "password": cast.PASSWORD, "next": path})
    assert answer.location == "/"
    assert anonymous.get("/login/", query_string={"next": path}).location == "/"


def test_local_paths() -> None:
    assert local_path("/students/list/?q=1&after=3") == "/students/list/?q=1&after=3"
    assert local_path(None, "/bureau/") == "/bureau/"
    assert local_path("//evil.example", "/bureau/") == "/bureau/"


# --- the form token -------------------------------------------------------------------------------------


def test_the_login_form_wants_its_token(anonymous: Client) -> None:
    assert try_in(anonymous, "lin", cast.PASSWORD, csrf=False).status_code == 400
    assert anonymous.get("/account/").status_code == 302


def test_a_call_authorised_by_the_cookie_wants_the_form_token(login: Callable[[str], Client]) -> None:
    lin = login("lin")
    answer = lin.delete(f"/api/v1/students/{cast.pupil('刘浩然')}", csrf=False)
    assert (answer.status_code, answer.json["error"]) == (400, "denied")
    assert lin.post("/api/v1/students/", json={}, csrf=False).status_code == 400
    assert lin.post("/api/v1/students/", json={}).status_code == 422
    assert lin.get(f"/api/v1/students/{cast.pupil('刘浩然')}").status_code == 200


def test_a_call_with_a_token_wants_no_form_token(app: Flask, anonymous: Client) -> None:
    token = token_of(app, "lin")
    assert anonymous.post("/api/v1/students/", json={}, csrf=False, headers=bearing(token)).status_code == 422


def test_a_call_with_a_token_is_not_authorised_by_the_cookie(
    app: Flask, login: Callable[[str], Client]
) -> None:
    lin = login("lin")
    assert lin.get("/api/v1/students/").status_code == 200
    assert lin.get("/api/v1/students/", headers=bearing(token_of(app, "li"))).status_code == 403
    for header in ("Bearer nonsense", "Bearer ", "bearer x.y.z", "Basic abc, Bearer x"):
        answer = lin.get("/api/v1/students/", headers={"Authorization": header})
        assert (answer.status_code, answer.json["error"]) == (401, "unauthorized"), header


def test_a_token_opens_no_page(app: Flask, anonymous: Client) -> None:
    assert anonymous.get("/students/list/", headers=bearing(token_of(app, "lin"))).status_code == 302


# --- tokens ---------------------------------------------------------------------------------------------


def test_a_token_sets_no_cookie(app: Flask, anonymous: Client) -> None:
    answer = anonymous.get("/api/v1/students/", headers=bearing(token_of(app, "lin")))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_no_refresh_token_is_offered(anonymous: Client) -> None:
    words = {"username": "lin", "password": cast.PASSWORD, "provider": "db", "refresh": True}
    answer = anonymous.post("/api/v1/security/login", json=words, csrf=False)
    assert set(answer.json) == {"access_token", "expires_in"}
    assert answer.json["expires_in"] == 7200


def test_the_token_login_counts_and_obeys_the_lock(app: Flask, anonymous: Client) -> None:
    words = {"username": "lin", "password": WRONG}
    for _n in range(5):
        answer = anonymous.post("/api/v1/security/login", json=words)
        assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
        assert GENERIC in answer.json["message"]
    answer = anonymous.post("/api/v1/security/login", json=words | {"password": cast.PASSWORD})
    assert answer.status_code == 401
    assert try_in(anonymous, "lin", cast.PASSWORD).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"username": "lin"}',
        '{"username": ["lin"], "password": {}}',
        '{"username": 1, "password": 2}',
        '{"username": "lin", "password": "x", "admin": true}',
        '{"username": "\\ud800", "password": 1}',
    ],
)
def test_junk_for_the_token_login_is_refused_with_a_sentence(anonymous: Client, body: str) -> None:
    answer = anonymous.post("/api/v1/security/login", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert "username" in answer.json["message"]


def test_half_characters_are_a_wrong_password(anonymous: Client) -> None:
    body = '{"username": "li\\ud800n", "password": "\\ud800\\u0000"}'
    answer = anonymous.post("/api/v1/security/login", data=body, content_type="application/json")
    assert answer.status_code == 401


def test_a_token_dies_with_the_epoch_it_was_given_under(app: Flask, anonymous: Client) -> None:
    token = token_of(app, "lin")
    assert anonymous.get("/api/v1/students/", headers=bearing(token)).status_code == 200
    change(app, "lin", epoch=User.epoch + 1)
    answer = anonymous.get("/api/v1/students/", headers=bearing(token))
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")


def test_a_token_without_an_epoch_is_none(app: Flask, anonymous: Client) -> None:
    from flask_jwt_extended import create_access_token

    with app.app_context():
        forged = create_access_token(str(cast.person("lin")))
        expired = create_access_token(
            str(cast.person("lin")), additional_claims={"epoch": 0}, expires_delta=timedelta(seconds=-1)
        )
    for token in (forged, expired):
        assert anonymous.get("/api/v1/students/", headers=bearing(token)).status_code == 401


def test_the_api_description_is_for_those_who_may_read_it(app: Flask, login: Callable[[str], Client]) -> None:
    assert login("zhou").get("/api/v1/_openapi").status_code == 403
    answer = login("lin").get("/api/v1/_openapi")
    assert answer.status_code == 200
    assert "/api/v1/security/login" in answer.json["paths"]
    assert not [path for path in answer.json["paths"] if "refresh" in path or "/security/users" in path]


def test_the_token_login_accepts_only_what_it_says(app: Flask) -> None:
    assert TokenApi.allowed == {"username", "password", "code", "provider", "refresh"}


# --- a password that must be changed ---------------------------------------------------------------------


def test_a_one_time_password_opens_only_its_own_change(app: Flask, login: Callable[[str], Client]) -> None:
    change(app, "lin", must_change_password=True)
    lin = login("lin")
    for path in ("/", "/students/list/", "/account/", "/account/edit", "/bureau/"):
        assert lin.get(path).location == "/account/password", path
    assert lin.post("/students/add").location == "/account/password"
    answer = lin.get("/api/v1/students/")
    assert (answer.status_code, answer.json["error"]) == (403, "denied")
    assert lin.get("/account/password").status_code == 200
    assert lin.post("/logout/").status_code == 302


def test_a_one_time_password_gives_no_token_and_ends_the_tokens_before(app: Flask, anonymous: Client) -> None:
    token = token_of(app, "lin")
    change(app, "lin", must_change_password=True)
    words = {"username": "lin", "password": cast.PASSWORD}
    answer = anonymous.post("/api/v1/security/login", json=words)
    assert (answer.status_code, "修改密码" in answer.json["message"]) == (403, True)
    assert anonymous.get("/api/v1/students/", headers=bearing(token)).status_code == 401


def test_a_password_expires_after_ninety_days_but_not_in_the_demo(
    app: Flask, login: Callable[[str], Client]
) -> None:
    old = datetime.now(UTC) - timedelta(days=90)
    change(app, "lin", password_set_at=old)
    assert login("lin").get("/").status_code == 200
    change(app, "lin", is_demo=False)
    assert login("lin").get("/").location == "/account/password"
    change(app, "lin", password_set_at=datetime.now(UTC) - timedelta(days=89))
    assert login("lin").get("/").status_code == 200


def test_home_warns_seven_days_before_a_password_expires(app: Flask, login: Callable[[str], Client]) -> None:
    change(app, "lin", password_set_at=datetime.now(UTC) - timedelta(days=80))
    assert "密码即将到期" not in login("lin").get("/").text
    change(app, "lin", password_set_at=datetime.now(UTC) - timedelta(days=85))
    page = login("lin").get("/").text
    assert "密码即将到期" in page
    assert "4天" in page
