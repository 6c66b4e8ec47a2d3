"""Notices: who reads them where, who writes them, and until when they are said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import cast
from tests.accounts import audit_of, text_of
from tests.cast import CITY, QINGLAN, SHIXI
from tests.client import Client

Login = Callable[[str], Client]
PROVINCE, CHENGDU = "510000", "510100"
EVERYBODY = {one.username for one in cast.PEOPLE}
OF_QINGLAN = {"chen", "sun", "qian", "he", "li", "lin", "zhao", "zhou", "wang"}
OF_SHIXI = {"gao", "tang", "xu"}
OF_CITY = {"cheng", "ops"}


@pytest.fixture
def today() -> date:
    from app.areas.students.models import today_here

    return today_here()


@pytest.fixture
def say(session: Session, acting: Callable[[str], Any], today: date) -> Callable[..., int]:
    """`say("标题", QINGLAN, until_on=…)` → its id."""
    from app.areas.regions.notices import Notice
    from app.core import saving

    def write(title: str, region: str, **words: Any) -> int:
        with acting("system") as by, saving.work():
            given = {"title": title, "text": f"{title}的内容", "from_on": today, "region_code": region}
            made = saving.create(Notice, given | words, by)
            assert saving._current().complaints == []
            return int(made.id)

    return write


def form(today: date, **words: str) -> dict[str, str]:
    given = {"title": "本周培训", "text": "请各校准时参加。", "from_on": today.isoformat()}
    return given | {"region_code": QINGLAN} | words


# --- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "at_home", "in_the_list"),
    [
        (QINGLAN, OF_QINGLAN, OF_QINGLAN | OF_CITY),
        (SHIXI, OF_SHIXI, OF_SHIXI | OF_CITY),
        (CITY, EVERYBODY, EVERYBODY),
        (PROVINCE, EVERYBODY, EVERYBODY),
    ],
)
def test_a_notice_is_read_at_and_below_its_region(
    login: Login, say: Callable[..., int], region: str, at_home: set[str], in_the_list: set[str]
) -> None:
    id_ = say("本周培训", region)
    clients = {username: login(username) for username in EVERYBODY}
    assert {u for u, client in clients.items() if "本周培训的内容" in text_of(client.get("/"))} == at_home
    listed = {u for u, client in clients.items() if "本周培训" in text_of(client.get("/notices/list/"))}
    assert listed == in_the_list
    shown = {u for u, c in clients.items() if c.get(f"/api/v1/notices/{id_}").status_code == 200}
    assert shown == in_the_list


def test_a_notice_is_said_from_its_first_day_to_its_last(
    login: Login, say: Callable[..., int], today: date
) -> None:
    day = timedelta(1)
    say("已过期", QINGLAN, from_on=today - 2 * day, until_on=today - day)
    say("未开始", QINGLAN, from_on=today + day)
    say("今天止", QINGLAN, until_on=today)
    page = text_of(login("lin").get("/"))
    assert "今天止" in page
    assert "已过期" not in page
    assert "未开始" not in page


def test_the_pinned_come_first_and_the_latest_next(
    login: Login, say: Callable[..., int], today: date
) -> None:
    say("最早的置顶", QINGLAN, is_pinned=True, from_on=today - timedelta(40))
    for n in range(6):
        say(f"通知{n}", CITY, from_on=today - timedelta(10 - n))
    page = text_of(login("lin").get("/"))
    order = [page.index(title) for title in ("最早的置顶", "通知5", "通知4", "通知3", "通知2")]
    assert order == sorted(order)
    assert "通知1" not in page  # five at most


def test_at_the_door_only_what_is_marked_for_it_is_said(
    anonymous: Client, say: Callable[..., int], today: date
) -> None:
    say("人人可见", QINGLAN, on_login=True, phone="0830-0000021")
    say("登录后可见", QINGLAN)
    say("过期的", QINGLAN, on_login=True, from_on=today - timedelta(9), until_on=today - timedelta(1))
    for page in (anonymous.get("/login/"), anonymous.post("/login/", data={"username": "lin"})):
        said = text_of(page)
        assert "人人可见的内容" in said
        assert "青岚县主管部门" in said
        assert "0830-0000021" in said
        assert "登录后可见" not in said
        assert "过期的" not in said


def test_a_notice_without_a_telephone_gives_the_bureaus(
    app: Flask, anonymous: Client, say: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "BUREAU_PHONE", "0830-1234567")
    say("人人可见", QINGLAN, on_login=True)
    assert "电话 0830-1234567" in text_of(anonymous.get("/login/"))


def test_what_a_notice_says_is_shown_as_it_was_typed(login: Login, say: Callable[..., int]) -> None:
    say("<b>标题</b>", QINGLAN, text="<script>alert(1)</script>\n第二行")
    page = login("lin").get("/").text
    assert "<script>alert" not in page
    assert "&lt;b&gt;标题&lt;/b&gt;" in page


# --- writing ------------------------------------------------------------------------------------------


def test_the_bureaus_admin_writes_in_his_region_and_the_audit_keeps_it(
    app: Flask, login: Login, today: date
) -> None:
    answer = login("he").post("/notices/add", data=form(today, is_pinned="1", on_login="0"))
    assert answer.status_code == 302, text_of(answer)
    assert "请各校准时参加" in text_of(login("wang").get("/"))
    assert [row.entity for row in audit_of(app, "create") if row.entity == "notice"] == ["notice"]


@pytest.mark.parametrize("region", [SHIXI, CITY, PROVINCE, CHENGDU])
def test_nobody_speaks_for_another_region(login: Login, today: date, region: str) -> None:
    answer = login("he").post("/notices/add", data=form(today, region_code=region))
    assert answer.status_code == 422
    assert "本周培训" not in text_of(login("gao").get("/"))


def test_a_notice_cannot_be_moved_to_another_region(
    login: Login, say: Callable[..., int], today: date
) -> None:
    id_ = say("本周培训", QINGLAN)
    he = login("he")
    moved = he.post(f"/notices/edit/{id_}", data=form(today, region_code=SHIXI, version="1"))
    assert moved.status_code in (403, 422)
    assert "本周培训" not in text_of(login("gao").get("/"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"region_code": "519955"}, "没有这个行政区划"),
        ({"region_code": "5199"}, "6位数字"),
        ({"until_on": "2020-01-01"}, "截止日期应不早于开始日期"),
        ({"title": ""}, "必填项"),
        ({"title": "长" * 61}, "最多填写60个字"),
        ({"text": "=1+1"}, "不能以“=”开头"),
        ({"region_end": "999999"}, "没有"),
        ({"phone": "不详"}, "电话号码应为"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    login: Login, today: date, words: dict[str, str], said: str
) -> None:
    answer = login("he").post("/notices/add", data=form(today, **words))
    assert answer.status_code == 422
    assert said in text_of(answer)


def test_a_notice_that_is_deleted_is_said_no_more(login: Login, say: Callable[..., int]) -> None:
    id_ = say("本周培训", QINGLAN)
    assert login("he").post(f"/notices/delete/{id_}", data={"version": "1"}).status_code == 302
    assert "本周培训" not in text_of(login("lin").get("/"))


def test_a_person_without_any_grant_is_told_nothing(
    session: Session, say: Callable[..., int], today: date
) -> None:
    from app.areas.regions import notices
    from app.core import rights, scope

    say("本周培训", QINGLAN)
    nobody = rights.Actor(1, "无权", (), school_id=1)
    with scope.acting(session, nobody):
        assert notices.told_to(session, nobody, today) == []
