"""The list of people: who is on it, its tabs and filters, its order, its pages; and the names administrators keep."""

from __future__ import annotations

import html
import itertools
import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.areas.people import accounts, directory, own
from app.areas.people.accounts import Home
from app.areas.people.directory import Asked, State
from app.core import grants, rights, saving, scope
from app.core.errors import Invalid
from app.core.rights import Extent
from app.extensions import db
from tests import cast
from tests.accounts import account, audit_of, change, follow, grant_to, role_id, text_of
from tests.client import Client

Login = Callable[..., Client]
BY_PINYIN = ["李老师", "林老师", "小周", "赵副校长"]


def names_in(page: TestResponse) -> list[str]:
    """Whom the list shows, in its order."""
    rows = page.text.split("<tbody>")[-1] if "<tbody>" in page.text else ""
    return [html.unescape(name) for name in re.findall(r'<th scope="row".*?>([^<>]+)</a>', rows)]


# --- who is on it -----------------------------------------------------------------------------------------


def test_a_super_admin_finds_the_people_of_the_own_school_by_pinyin(login: Login) -> None:
    assert names_in(login("li").get("/people/list/")) == BY_PINYIN


def test_a_bureau_admin_finds_the_bureau_and_the_schools_below_with_their_units(login: Login) -> None:
    page = login("he").get("/people/list/")
    found = {"陈局长", "孙科员", "钱科长", "何主任", "李老师", "林老师", "赵副校长", "小周", "王老师"}
    assert set(names_in(page)) == found
    assert "王老师 wang 城关初级中学" in text_of(page)
    assert "单位" not in text_of(login("li").get("/people/list/"))


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("lin", {"林老师"}),
        ("LI", {"李老师", "林老师"}),
        ("lls", {"李老师", "林老师"}),
        ("zhaofu", {"赵副校长"}),
        ("zhao fu", {"赵副校长"}),
        ("zfx", {"赵副校长"}),
        ("小", {"小周"}),
        ("副校", {"赵副校长"}),
        ("%", set()),
        ("_in", set()),
        ("王", set()),
    ],
)
def test_search_takes_accounts_pinyin_initials_and_parts_of_names(
    login: Login, q: str, found: set[str]
) -> None:
    page = login("li").get("/people/list/", query_string={"q": q})
    assert set(names_in(page)) == found
    assert found or "没有符合条件的人员" in text_of(page)


def test_who_is_named_anew_is_found_by_the_new_name(app: Flask, login: Login) -> None:
    li = login("li")
    rename(li, "zhou", "单老师")
    assert names_in(li.get("/people/list/?q=sls")) == ["单老师"]
    assert names_in(li.get("/people/list/?q=xz")) == []


# --- tabs and filters -------------------------------------------------------------------------------------


def test_each_tab_holds_the_accounts_in_its_state(app: Flask, login: Login) -> None:
    change(app, "lin", must_change_password=True)
    change(app, "zhao", active=False)
    change(app, "zhou", active=False, left_on=date(2026, 7, 1))
    li = login("li")
    tabs = {"normal": ["李老师"], "waiting": ["林老师"], "suspended": ["赵副校长"], "left": ["小周"]}
    for state, found in (tabs | {"locked": []}).items():
        assert names_in(li.get(f"/people/list/?state={state}")) == found, state
    change(app, "lin", locked_until=datetime.now(UTC) + timedelta(minutes=5))
    page = li.get("/people/list/?state=locked")
    assert names_in(page) == ["林老师"]
    assert re.search(r'<a href="[^"]*state=locked" aria-current="page">已锁定', page.text)


def test_the_tabs_and_the_states_that_are_shown_are_the_same(session: Session) -> None:
    """Every combination of what a state is told by, in the database and in Python."""
    now, everybody = datetime.now(UTC), []
    moments = (None, now - timedelta(minutes=1), now + timedelta(minutes=1))
    for n, (active, must_change, locked_until, left_on) in enumerate(
        itertools.product((True, False), (True, False), moments, (None, date(2026, 7, 1)))
    ):
        words = {"active": active, "must_change_password": must_change, "locked_until": locked_until}
        name = f"one{n}"
        made = User(username=name, first_name=name, last_name="", email=name, left_on=left_on, **words)
        session.add(made)
        everybody.append(made)
    session.flush()
    ids = [one.id for one in everybody]
    for state in State:
        found = session.scalars(sa.select(User.id).where(User.id.in_(ids), directory.in_state(state, now)))
        assert set(found) == {one.id for one in everybody if directory.state_of(one, now) is state}, state


def test_a_role_finds_those_who_hold_it_now(app: Flask, login: Login) -> None:
    li, clerk, leader = login("li"), role_id(app, "clerk"), role_id(app, "leader")
    assert names_in(li.get(f"/people/list/?role_id={clerk}")) == ["林老师"]
    grant_to(app, "zhou", "clerk", starts_at=datetime.now(UTC) + timedelta(days=1))
    assert names_in(li.get(f"/people/list/?role_id={clerk}")) == ["林老师"]
    page = li.get(f"/people/list/?role_id={leader}&q=lin")
    assert names_in(page) == []
    assert "角色：主管学籍领导" in text_of(page)


def test_a_leader_whom_the_bureau_has_not_confirmed_does_not_hold_the_role_yet(
    app: Flask, login: Login
) -> None:
    with app.app_context(), scope.acting(db.session(), cast.actor(db.session(), "li")) as by:
        session = db.session()
        role = session.get_one(Role, role_id(app, "leader"))
        zhou, school = session.get_one(User, cast.person("zhou")), Extent(school_id=cast.school(cast.YIZHONG))
        assert grants.grant(session, by, zhou, role, school).awaits
        session.commit()
        db.session.remove()
    li = login("li")
    assert names_in(li.get(f"/people/list/?role_id={role_id(app, 'leader')}")) == ["赵副校长"]
    assert "小周 zhou 班主任 正常" in text_of(li.get("/people/list/"))


def test_narrowing_survives_sorting_searching_and_paging(app: Flask, login: Login) -> None:
    page = login("li").get(f"/people/list/?state=normal&role_id={role_id(app, 'clerk')}&q=l&sort=-name")
    for words in ("state=waiting", "sort=last_login"):
        [address] = [a for a in re.findall(r'href="(/people/list/\?[^"]+)"', page.text) if words in a]
        assert all(word in address for word in ("role_id=", "q=l"))


# --- order and pages --------------------------------------------------------------------------------------


def test_sorting_by_name_and_by_the_last_login(app: Flask, login: Login) -> None:
    li = login("li")
    assert names_in(li.get("/people/list/?sort=-name")) == BY_PINYIN[::-1]
    change(app, "zhao", last_login=datetime(2026, 9, 1, 8))
    change(app, "lin", last_login=datetime(2026, 9, 2, 8))
    assert names_in(li.get("/people/list/?sort=-last_login")) == ["李老师", "林老师", "赵副校长", "小周"]
    assert names_in(li.get("/people/list/?sort=last_login")) == ["小周", "赵副校长", "林老师", "李老师"]
    assert "小周 zhou 班主任 正常 从未登录" in text_of(li.get("/people/list/"))


@pytest.mark.parametrize("sort", ["name", "-name", "last_login", "-last_login"])
def test_pages_lose_nobody_in_either_direction(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    he = login("he")
    whole = names_in(he.get(f"/people/list/?sort={sort}"))
    monkeypatch.setattr(directory, "PAGE_SIZE", 4)
    pages, path = [], f"/people/list/?sort={sort}"
    while path:
        page = he.get(path)
        pages.append(names_in(page))
        path = _link(page, "next")
    assert [len(page) for page in pages] == [4, 4, 1]
    assert list(itertools.chain(*pages)) == whole
    assert names_in(he.get(_link(page, "prev"))) == pages[1]


def _link(page: TestResponse, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page.text)
    return html.unescape(found[1]) if found else ""


@pytest.mark.parametrize("word", ["after=999999", "before=999999", "after="])
def test_a_cursor_on_nobody_means_page_one(login: Login, word: str) -> None:
    assert names_in(login("li").get(f"/people/list/?{word}")) == BY_PINYIN


def test_a_cursor_on_somebody_unseen_tells_nothing(login: Login) -> None:
    """Or the place of a stranger in the order would show where the name begins."""
    assert names_in(login("li").get(f"/people/list/?after={cast.person('wang')}")) == BY_PINYIN


@pytest.mark.parametrize(
    "word",
    [
        "q=" + "x" * 500,
        "q=%00",
        "sort=phone",
        "junk=1",
        "state=gone",
        "role_id=999999",
        "role_id=x",
        "after=x",
        "before=-1",
        "after=0",
        "after=99999999999999999999",
    ],
)
def test_junk_in_the_address_of_the_list_gets_a_sentence(login: Login, word: str) -> None:
    answer = login("li").get(f"/people/list/?{word}")
    assert answer.status_code == 422
    assert "请" in answer.text


# --- the name signs the audit: administrators keep it -----------------------------------------------------


def edit(client: Client, who: str, **words: str) -> TestResponse:
    path = f"/people/edit/{cast.person(who)}"
    found = re.search(r'name="version" value="(\d+)"', client.get(path).text)
    assert found
    return client.post(path, data={"version": found[1], "name": "", "phone": "", **words})


def rename(client: Client, username: str, name: str, phone: str = "") -> TestResponse:
    return follow(client, edit(client, username, name=name, phone=phone))


def test_an_administrator_changes_name_and_phone_and_the_audit_tells(app: Flask, login: Login) -> None:
    shown = rename(login("li"), "lin", "林晓云", "14033334444")
    assert "已保存林晓云的姓名和电话。" in text_of(shown)
    saved = account(app, "lin")
    assert (saved.first_name, saved.phone) == ("林晓云", "14033334444")
    [entry] = audit_of(app, "edit")
    assert (entry.actor_name, entry.row_id) == ("李老师", cast.person("lin"))
    assert entry.before == {"name": "林老师", "phone": None}
    assert entry.after == {"name": "林晓云", "phone": "14033334444"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"name": ""}, "“姓名”为空"),
        ({"name": "=1+1"}, "不能以“=”开头"),
        ({"name": "林\0"}, "不可见"),
        ({"name": "林" * 51}, "最多填写50个字"),
        ({"name": "林老师", "phone": "12"}, "电话号码应为"),
        ({"name": "林老师", "qq": "123456"}, "没有“qq”这一项"),
        ({"name": "林老师", "username": "boss"}, "没有“username”这一项"),
        ({"name": "林老师", "version": "x"}, "页面已过期"),
    ],
)
def test_what_cannot_be_accepted_stays_in_the_form(
    app: Flask, login: Login, words: dict[str, str], says: str
) -> None:
    answer = edit(login("li"), "lin", **words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert audit_of(app, "edit") == []


def test_of_two_administrators_the_second_is_told_and_keeps_the_typing(app: Flask, login: Login) -> None:
    li = login("li")
    page = li.get(f"/people/edit/{cast.person('lin')}")
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    change(app, "lin", first_name="林小云")
    words = {"version": version, "name": "林晓云", "phone": ""}
    answer = li.post(f"/people/edit/{cast.person('lin')}", data=words)
    assert answer.status_code == 409
    assert "刚被其他人修改过" in text_of(answer)
    assert "林小云" in text_of(answer)
    assert 'value="林晓云"' in answer.text
    assert account(app, "lin").first_name == "林小云"


def test_an_expired_password_is_told_beside_the_state(app: Flask, login: Login) -> None:
    change(app, "lin", is_demo=False, password_set_at=datetime.now(UTC) - timedelta(days=200))
    page = text_of(login("li").get(f"/people/show/{cast.person('lin')}"))
    assert "林老师 正常 密码已到期" in page


# --- one person, one account ------------------------------------------------------------------------------


def test_one_person_has_one_account_told_by_name_and_phone(app: Flask, login: Login) -> None:
    change(app, "lin", phone="14033334444")
    li = login("li")
    words = {"username": "lin2", "name": "林老师", "phone": "14033334444"}
    answer = li.post("/people/add", data=words)
    assert answer.status_code == 422
    assert "已有账号，一人只开一个" in text_of(answer)
    assert li.post("/people/add", data=words | {"phone": "14033335555"}).status_code == 302
    answer = edit(li, "zhou", name="林老师", phone="14033334444")
    assert answer.status_code == 422
    assert account(app, "zhou").first_name == "小周"


def test_the_second_account_is_refused_wherever_the_first_is(app: Flask, login: Login) -> None:
    """In another county even; nothing but the yes is told of it."""
    change(app, "gao", phone="14033334444")
    answer = login("li").post(
        "/people/add", data={"username": "gao2", "name": "高老师", "phone": "14033334444"}
    )
    assert answer.status_code == 422
    assert cast.SHIXI_ER not in answer.text


def test_who_has_left_may_have_an_account_elsewhere_and_then_not_come_back(app: Flask, login: Login) -> None:
    change(app, "wang", phone="14033334444", active=False, left_on=date(2026, 7, 1))
    words = {"username": "wang2", "name": "王老师", "phone": "14033334444"}
    assert login("li").post("/people/add", data=words).status_code == 302
    answer = login("he").post(f"/people/resume/{cast.person('wang')}")
    assert answer.status_code == 422
    assert "一人只开一个" in text_of(answer)
    assert not account(app, "wang").active


def test_nobody_becomes_his_own_double_by_the_own_settings(app: Flask, session: Session) -> None:
    session.get_one(User, cast.person("lin")).phone = "14033334444"
    zhou = session.get_one(User, cast.person("zhou"))
    zhou.first_name = "林老师"
    session.flush()
    with pytest.raises(Invalid, match="一人只开一个"):
        own.change_settings(session, zhou, {"username": "zhou", "phone": "14033334444"})


def test_without_a_phone_nobody_is_taken_for_another(session: Session) -> None:
    assert not accounts.has_account(session, "林老师", None)
    assert not accounts.has_account(session, "林老师", "")


# --- a school keeps its super-admin -----------------------------------------------------------------------


def test_the_only_super_admin_is_not_suspended(app: Flask, login: Login) -> None:
    he = login("he")
    words = {
        "username": "yuan",
        "name": "袁老师",
        "school_id": cast.school(cast.CHENGGUAN),
        "role_id": role_id(app, "super_admin"),
    }
    pk = int(he.post("/people/add", data=words).location.rpartition("/")[2])
    answer = he.post(f"/people/suspend/{pk}")
    assert answer.status_code == 422
    assert "没有总管理员" in text_of(answer)
    assert account(app, "yuan").active


def test_of_two_super_admins_suspended_at_the_same_moment_one_stays(app: Flask) -> None:
    grant_to(app, "zhou", "super_admin")
    together, outcomes = threading.Barrier(2), []

    def suspend(username: str) -> None:
        with app.app_context():
            session, by = db.session(), rights.system("tests")
            together.wait()
            try:
                with saving.work():
                    user = session.get_one(User, cast.person(username), with_for_update={"of": User})
                    accounts.set_active(session, by, user, False)
                outcomes.append("suspended")
            except Invalid:
                outcomes.append("stays")

    threads = [threading.Thread(target=suspend, args=(username,)) for username in ("li", "zhou")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stays", "suspended"]


def test_a_bureau_narrows_the_list_to_its_own_roles_too(session: Session) -> None:
    labels = [role.label for role in directory.roles_to_filter_by(session, cast.actor(session, "he"))]
    assert "主管部门审核" in labels
    assert "班主任" in labels
    labels = [role.label for role in directory.roles_to_filter_by(session, cast.actor(session, "li"))]
    assert "主管部门审核" not in labels


def test_the_list_takes_as_many_statements_for_many_people_as_for_few(app: Flask, session: Session) -> None:
    by = rights.system("tests")
    for n in range(60):
        words = {"username": f"teacher{n}", "name": f"老师{n}"}
        accounts.open_account(session, by, Home(school_id=cast.school(cast.YIZHONG)), words, "x")
    session.commit()
    asked: list[str] = []
    engine = session.get_bind()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    li = cast.actor(session, "li")
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        shown = directory.people(session, li, Asked())
        directory.roles_of(session, shown.found)
        [user.last_login for user in shown.found]
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(shown.found) == 50
    assert shown.has_next
    assert len(asked) == 2
