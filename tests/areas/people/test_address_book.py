"""The address book: who stands in it for whom, and that nothing is told but what somebody agreed to."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people import address_book
from app.areas.people.address_book import Entries, Entry
from app.areas.people.roles import PREFIX
from app.areas.schools.models import SchoolStage
from app.core import grants, rights
from app.core.audit import AuditEntry
from app.core.errors import Denied
from app.core.rights import Extent, Grant
from tests import cast
from tests.accounts import change, text_of
from tests.cast import SHIXI_ER, YIZHONG
from tests.client import Client

Login = Callable[..., Client]
PATH = "/address-book/list/"


def look_up(session: Session, username: str, q: str = "", **words: Any) -> Entries:
    by = cast.actor(session, username)
    return address_book.look_up(session, by, q, count_to=words.pop("count_to", 1000), **words)


def found(session: Session, username: str, q: str = "") -> list[str]:
    return [one.name for one in look_up(session, username, q).found]


def user(session: Session, username: str) -> User:
    return session.get_one(User, cast.person(username))


def give(session: Session, taker: str, role: Role | str, school: str, **words: Any) -> Grant:
    if isinstance(role, str):
        role = session.scalars(sa.select(Role).where(Role.name == PREFIX + role)).one()
    extent = Extent(school_id=cast.school(school))
    return grants.grant(session, rights.system("tests"), user(session, taker), role, extent, **words)


# --- who stands in it -----------------------------------------------------------------------------------

KEEPERS = {"李老师", "林老师", "王老师", "高老师"}
"""Super-admins and clerks, of all three schools."""


@pytest.mark.parametrize(
    ("username", "names"),
    [
        ("lin", {"王老师", "高老师"}),
        ("zhou", {"王老师", "高老师"}),
        ("wang", {"李老师", "林老师", "高老师"}),
        ("tang", {"李老师", "林老师", "王老师"}),
        ("chen", KEEPERS),
        ("cheng", KEEPERS),
        ("he", KEEPERS),
        ("xu", KEEPERS),
    ],
)
def test_everybody_finds_those_who_keep_records_at_other_schools(
    session: Session, username: str, names: set[str]
) -> None:
    assert set(found(session, username)) == names


def test_the_operator_has_none(session: Session, login: Login) -> None:
    for look in (look_up, lambda *words: address_book.own_entry(session, cast.actor(session, "ops"))):
        with pytest.raises(Denied, match="查看通讯录"):
            look(session, "ops")
    ops = login("ops")
    assert ops.get(PATH).status_code == 403
    assert f'href="{PATH}"' not in ops.get("/").text


def test_another_province_is_another_book(session: Session, acting: Callable[[str], Any]) -> None:
    with acting("system"):
        session.execute(sa.update(User).where(User.username == "xu").values(region_code="110105"))
    assert found(session, "xu") == []


@pytest.mark.parametrize("words", [{"active": False}, {"school_id": None}, {"school_id": 2}])
def test_who_no_longer_works_there_is_no_longer_found(session: Session, words: dict[str, Any]) -> None:
    session.execute(sa.update(User).where(User.username == "gao").values(**words))
    assert "高老师" not in found(session, "lin")


def move_zhou(session: Session) -> None:
    """A person of 石溪 whose account is older than the clerk's there."""
    user(session, "zhou").school_id = cast.school(SHIXI_ER)
    session.flush()


def test_only_a_grant_that_is_open_and_for_use_puts_one_in(session: Session) -> None:
    move_zhou(session)
    tomorrow, yesterday = (datetime.now(UTC) + timedelta(days=n) for n in (1, -1))
    give(session, "zhou", "clerk", SHIXI_ER, starts_at=tomorrow)
    give(session, "zhou", "clerk", SHIXI_ER).until = yesterday
    give(session, "zhou", "clerk", SHIXI_ER, usable=False, passable=True)
    give(session, "zhou", "clerk", YIZHONG)
    assert "小周" not in found(session, "lin")
    give(session, "zhou", "clerk", SHIXI_ER)
    assert "小周" in found(session, "lin")


def test_a_schools_own_copy_of_the_role_counts(session: Session) -> None:
    move_zhou(session)
    clerk = session.scalars(sa.select(Role).where(Role.name == f"{PREFIX}clerk")).one()
    copy = Role(name="copy", label="学籍员", school_id=cast.school(SHIXI_ER), template_id=clerk.id)
    session.add(copy)
    session.flush()
    give(session, "zhou", copy, SHIXI_ER)
    assert "小周" in found(session, "lin")


# --- what is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares_phone", [True, False])
@pytest.mark.parametrize("shares_qq", [True, False])
def test_phone_and_qq_only_by_consent_each_by_its_own(
    session: Session, shares_phone: bool, shares_qq: bool
) -> None:
    gao = user(session, "gao")
    gao.phone, gao.qq, gao.email = "14099990001", "999900000001", "gao@example.cn"
    gao.shares_phone, gao.shares_qq = shares_phone, shares_qq
    session.flush()
    [entry] = look_up(session, "lin", "高老师").found
    phone, qq = "14099990001" if shares_phone else None, "999900000001" if shares_qq else None
    assert entry == Entry(cast.person("gao"), "高老师", SHIXI_ER, phone, qq)


def test_the_look_leaves_no_trace_and_opens_nothing(session: Session, acting: Callable[[str], Any]) -> None:
    """Not even to the next query of the same request."""
    with acting("wang"):
        before = session.scalars(sa.select(SchoolStage.school_id)).all()
        look_up(session, "wang")
        assert session.scalars(sa.select(SchoolStage.school_id)).all() == before == [2]
    with acting("system"):
        assert (
            session.scalar(sa.select(sa.func.count(AuditEntry.id)).where(AuditEntry.action == "lookup")) == 0
        )


def test_the_page_shows_four_columns_and_nothing_that_was_not_agreed_to(app: Flask, login: Login) -> None:
    change(app, "gao", phone="14099990001", qq="999900000001", shares_qq=True, email="gao@example.cn")
    page = login("lin").get(PATH)
    assert re.findall(r'<th scope="col" class="[^"]*">\s*([^<\s]+)', page.text)[:4] == [
        "姓名",
        "学校",
        "联系电话",
        "QQ",
    ]
    assert "高老师 石溪县第二初级中学 未公开 999900000001" in text_of(page)
    for kept in ("14099990001", "gao@example.cn", "clerk", "学籍管理员 "):
        assert kept not in text_of(page).replace("总管理员和学籍管理员；", "")


def test_the_own_entry_comes_first_as_others_see_it_with_the_way_to_change_it(
    app: Flask, login: Login
) -> None:
    change(app, "lin", phone="14099990002", shares_phone=True)
    lin = login("lin")
    page = lin.get(PATH)
    assert "林老师（本人，其他人看到的内容） 青岚县第一中学 14099990002 未公开 修改公开范围" in text_of(page)
    assert 'href="/account/edit"' in page.text
    assert "本人" not in text_of(lin.get(f"{PATH}?q=王")).replace("由本人决定", "")
    assert "林老师 青岚县第一中学 14099990002 未公开" in text_of(login("wang").get(PATH))


def test_who_does_not_stand_in_it_has_no_entry(session: Session, login: Login) -> None:
    assert address_book.own_entry(session, cast.actor(session, "zhou")) is None
    assert "（本人" not in text_of(login("zhou").get(PATH))


# --- searching and paging -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("王", ["王老师"]),
        ("老师", ["王老师", "高老师"]),
        ("城关", ["王老师"]),
        ("中学", ["王老师", "高老师"]),
        ("wls", ["王老师"]),
        ("W", ["王老师"]),
        ("ls", []),
        ("sxx", ["高老师"]),
        ("gaolao", ["高老师"]),
        ("Gao", ["高老师"]),
        ("cgcj", ["王老师"]),
        ("cjzx", ["王老师", "高老师"]),
        ("%", []),
        ("_", []),
        ("lin", []),
        ("青岚县第一", []),
        ("zzz", []),
    ],
)
def test_one_searches_by_name_school_or_initials(session: Session, q: str, names: list[str]) -> None:
    assert found(session, "lin", q) == names


def test_accounts_and_hidden_numbers_cannot_be_searched_for(session: Session) -> None:
    gao = user(session, "gao")
    gao.phone, gao.qq = "14099990001", "999900000001"
    session.flush()
    for typed in ("14099990001", "9999", "gao@", "gao1"):
        assert found(session, "lin", typed) == []


def walk(session: Session, size: int, backwards: bool = False) -> Iterator[list[str]]:
    words: dict[str, Any] = {}
    while True:
        page = look_up(session, "chen", size=size, **words)
        yield [one.name for one in page.found]
        if not (page.has_previous if backwards else page.has_next):
            return
        words = {"before": page.found[0].person_id} if backwards else {"after": page.found[-1].person_id}


def test_pages_lose_nobody_and_keep_a_school_together(session: Session) -> None:
    move_zhou(session)
    give(session, "zhou", "clerk", SHIXI_ER)
    assert list(walk(session, 2)) == [["李老师", "林老师"], ["王老师", "小周"], ["高老师"]]
    last = look_up(session, "chen", size=2, before=cast.person("gao"))
    assert ([one.name for one in last.found], last.has_previous, last.has_next) == (
        ["王老师", "小周"],
        True,
        True,
    )
    first = look_up(session, "chen", size=2, before=last.found[0].person_id)
    assert ([one.name for one in first.found], first.has_previous) == (["李老师", "林老师"], False)


def test_the_count_stops_where_it_was_asked_to(session: Session) -> None:
    assert look_up(session, "chen").count == 4
    assert look_up(session, "chen", count_to=2).count == 3, "more than two"


@pytest.mark.parametrize("words", [{"after": 999_999}, {"before": 999_999}, {"after": 0}])
def test_a_cursor_that_names_nobody_means_page_one(session: Session, words: dict[str, int]) -> None:
    page = look_up(session, "chen", **words)
    assert (len(page.found), page.has_previous) == (4, False)


@pytest.mark.parametrize("word", ["q=" + "x" * 51, "q=%00", "sort=name", "junk=1", "after=x", "before=-1"])
def test_junk_in_the_address_gets_a_sentence(login: Login, word: str) -> None:
    answer = login("lin").get(f"{PATH}?{word}")
    assert answer.status_code == 422
    assert "请" in text_of(answer)


def test_the_pager_keeps_what_was_searched_for(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(address_book.look_up.__kwdefaults__, "size", 1)
    lin = login("lin")
    page = lin.get(f"{PATH}?q=老师")
    following = re.search(r'href="([^"]*after=\d+)"', page.text)
    assert following is not None
    page = lin.get(html.unescape(following[1]))
    assert "高老师" in text_of(page)
    assert "王老师" not in text_of(page)
    assert YIZHONG not in text_of(page)
