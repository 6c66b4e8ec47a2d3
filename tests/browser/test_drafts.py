"""Forms that are left in the middle: the window closed, the session over, the network gone, a colleague quicker."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from flask import Flask, request, request_finished
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests import cast
from tests.browser.forms import FAMILY, WHOLE_FORM, fill
from tests.browser.windows import PATIENCE_MS, PHONE, Window

pytestmark = pytest.mark.browser

PUPIL, DRAFT = cast.pupil("欧阳若曦"), cast.pupil("刘浩然")
EDIT, ADD = f"/students/edit/{PUPIL}", "/students/add"
HALF, LATER = "青岚县城关镇写了一半", "青岚县城关镇后来又写的"
KEPT = re.compile(r"^已暂存 \d\d:\d\d$")
LATE = "您填写的内容已存为草稿，登录后可继续。"


def line(page: Page) -> Locator:
    return page.locator("[data-draft-line]")


def wait_until_kept(page: Page) -> None:
    """All that stands in the form is on the server."""
    expect(line(page)).to_have_text(KEPT)
    expect(line(page)).to_have_class("draft-line")


def begin(window: Window, path: str = EDIT, text: str = HALF) -> Page:
    page = window.page
    page.goto(path)
    page.locator("[name=address]").fill(text)
    return page


def assert_holds(page: Page, words: dict[str, str], prefix: str = "") -> None:
    for name, value in words.items():
        expect(page.locator(f"[name='{prefix}{name}']")).to_have_value(value)


# --- the window is closed -----------------------------------------------------------------------------


def test_the_form_of_72_items_is_left_in_the_middle_and_finished_elsewhere(
    enter: Callable[..., Window],
) -> None:
    first = enter("lin")
    half = dict(islice(WHOLE_FORM.items(), 28))
    mother = {name: FAMILY[1][name] for name in ("name", "relation")}
    page = first.page
    page.goto(ADD)
    for n, words in enumerate((half, FAMILY[0], mother)):
        if n:
            first.press("增加一行")
        put(page, words, f"family_member-{n - 1}-" if n else "")
    wait_until_kept(page)
    first.close()

    second = enter("lin")
    page = second.page
    page.get_by_role("link", name="1 草稿").click()
    second.follow("继续填写")
    expect(page.get_by_text("未保存的内容，以竖线标出。")).to_be_visible()
    assert_holds(page, half)
    assert_holds(page, FAMILY[0], "family_member-0-")
    assert_holds(page, mother, "family_member-1-")
    fill(page, WHOLE_FORM)
    fill(page, FAMILY[1], "family_member-1-")
    second.press("保存")

    expect(page.get_by_text(f"已保存学生“{WHOLE_FORM['name']}”。")).to_be_visible()
    for member in FAMILY:
        expect(page.locator("main")).to_contain_text(member["name"])
    page.goto(ADD)
    expect(page.locator("[name=name]")).to_have_value("")
    page.goto("/drafts/")
    expect(page.get_by_text("草稿箱是空的")).to_be_visible()


def put(page: Page, words: dict[str, str], prefix: str) -> None:
    """Some of the inputs."""
    for name, value in words.items():
        box = page.locator(f"[name='{prefix}{name}']")
        if box.evaluate("input => input.tagName") == "SELECT":
            box.select_option(value)
        else:
            box.fill(value)


def test_a_page_that_crashes_loses_nothing(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = begin(window)
    wait_until_kept(page)
    with page.expect_event("crash"), contextlib.suppress(Error):
        page.goto("chrome://crash")
    other = enter("lin")
    other.page.goto("/")
    other.page.get_by_role("link", name="1 草稿").click()
    other.follow("继续填写")
    expect(other.page.locator("[name=address]")).to_have_value(HALF)


@pytest.fixture
def has_arrived(app: Flask) -> Iterator[threading.Event]:
    """Set once the server has answered a page that is gone."""
    arrived = threading.Event()

    def note(sender: Flask, **words: Any) -> None:
        if request.path == "/drafts/keep":
            arrived.set()

    with request_finished.connected_to(note, app):
        yield arrived


def test_what_was_typed_a_moment_ago_is_kept_when_the_page_goes_away(
    enter: Callable[..., Window], has_arrived: threading.Event
) -> None:
    window = enter("lin")
    asked: list[str] = []
    page = begin(window)
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/account/")
    assert asked == ["beforeunload"], "nobody knows yet whether it arrives"
    assert has_arrived.wait(PATIENCE_MS / 1000)
    page.goto(EDIT)
    expect(page.locator("[name=address]")).to_have_value(HALF)

    page.locator("[name=address]").fill(LATER)
    window.press("暂存")
    wait_until_kept(page)
    page.goto("/account/")
    assert asked == ["beforeunload"], "what is kept is no reason to warn"
    page.goto(EDIT)
    expect(page.locator("[name=address]")).to_have_value(LATER)


# --- the session is over ------------------------------------------------------------------------------


def test_a_session_that_ends_in_the_middle_loses_nothing(
    enter: Callable[..., Window], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = enter("lin")
    page = begin(window)
    wait_until_kept(page)
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "IDLE_AFTER", timedelta(seconds=-1))
        page.locator("[name=talent]").fill("书法")
        expect(line(page)).to_have_text(f"登录已过期。{LATE}")
        page.locator("[name=post_code]").fill("646001")
        window.press("保存")
        expect(page.get_by_text(LATE)).to_be_visible()
    window.type_login("lin", cast.PASSWORD)
    expect(page.get_by_text("未保存的内容，以竖线标出。")).to_be_visible()
    assert window.path == EDIT
    assert_holds(page, {"address": HALF, "talent": "书法", "post_code": "646001"})
    window.press("保存")
    expect(page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()
    assert (window.fact("现住址"), window.fact("特长")) == (HALF, "书法")


def test_without_script_as_well(
    enter: Callable[..., Window], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = enter("lin", java_script_enabled=False)
    page = begin(window)
    row = page.locator("noscript fieldset, fieldset.is-new").last
    row.get_by_label("不保存这一项").uncheck()
    row.locator("[name$='-name']").fill("欧阳丽")
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "IDLE_AFTER", timedelta(seconds=-1))
        window.press("保存")
        expect(page.get_by_text(LATE)).to_be_visible()
    window.type_login("lin", cast.PASSWORD)
    assert window.path == EDIT
    expect(page.get_by_text("未保存的内容，以竖线标出。")).to_be_visible()
    assert_holds(page, {"address": HALF, "family_member-1-name": "欧阳丽"})

    page.locator("[name=address]").fill(LATER)
    window.press("暂存")
    expect(page.get_by_text("已暂存。30天内可以从“草稿箱”继续填写。")).to_be_visible()
    window.follow("取消")
    page.goto(EDIT)
    expect(page.locator("[name=address]")).to_have_value(LATER)
    window.press("放弃草稿")
    expect(page.get_by_text("已放弃草稿。")).to_be_visible()
    expect(page.locator("[name=address]")).to_have_value(str(cast.PLAIN["address"]))


def test_after_a_new_login_in_another_tab_the_form_goes_on(
    enter: Callable[..., Window], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = enter("lin")
    page = begin(window)
    tab = window.context.new_page()
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "IDLE_AFTER", timedelta(seconds=-1))
        tab.goto("/students/list/")
    tab.get_by_label("账号").fill("lin")
    tab.get_by_label("密码").fill(cast.PASSWORD)
    tab.get_by_role("button", name="登录").click()
    expect(tab.get_by_role("button", name="退出登录")).to_be_visible()

    page.locator("[name=talent]").fill("书法")
    wait_until_kept(page)
    window.press("保存")
    expect(page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()
    assert (window.fact("现住址"), window.fact("特长")) == (HALF, "书法")


def test_when_somebody_else_came_in_meanwhile_nothing_becomes_his(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = begin(window)
    wait_until_kept(page)
    tab = window.context.new_page()
    tab.goto("/account/")
    tab.get_by_role("button", name="退出登录").click()
    tab.get_by_label("账号").fill("zhou")
    tab.get_by_label("密码").fill(cast.PASSWORD)
    tab.get_by_role("button", name="登录").click()
    expect(tab.get_by_role("button", name="退出登录")).to_be_visible()
    page.locator("[name=address]").fill(LATER)
    expect(line(page)).to_have_text("现在登录的是另一个账号，本页的内容没有暂存")
    tab.goto("/drafts/")
    expect(tab.get_by_text("草稿箱是空的")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())


# --- the network, other windows -----------------------------------------------------------------------


def test_without_network_the_page_says_so_and_keeps_trying(enter: Callable[..., Window]) -> None:
    window = enter("lin", size=PHONE)
    window.page.goto(EDIT)
    window.context.set_offline(True)
    page = window.page
    page.locator("[name=address]").fill(HALF)
    expect(line(page)).to_have_text("暂存失败：网络不通，内容仍在本页，恢复后自动暂存")
    expect(page.locator("[data-draft-said]")).to_have_text("暂存失败：网络不通，内容仍在本页，恢复后自动暂存")
    assert not window.has_sideways_scroll()
    window.context.set_offline(False)
    wait_until_kept(page)
    assert window.troubles
    window.troubles[:] = [one for one in window.troubles if "ERR_INTERNET_DISCONNECTED" not in one]
    page.reload()
    expect(page.locator("[name=address]")).to_have_value(HALF)


def test_a_second_window_on_the_same_form_is_told(enter: Callable[..., Window]) -> None:
    first, second = enter("lin"), enter("lin")
    second.page.goto(EDIT)
    wait_until_kept(begin(first))
    second.page.locator("[name=address]").fill(LATER)
    expect(line(second.page)).to_contain_text("在另一个窗口或设备上也在填写")
    second.page.on("dialog", lambda dialog: dialog.accept())
    second.page.reload()
    expect(second.page.locator("[name=address]")).to_have_value(HALF)


def test_two_forms_have_two_drafts_and_the_list_leads_to_each(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    for path, text in ((EDIT, HALF), (f"/students/edit/{DRAFT}", LATER)):
        wait_until_kept(begin(window, path, text))
    page = window.page
    window.choose_in_menu("草稿箱")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("刘浩然")
    rows.last.get_by_role("link", name="继续填写").click()
    expect(page.locator("[name=address]")).to_have_value(HALF)
    window.choose_in_menu("草稿箱")
    rows.last.get_by_role("link", name="修改学生").click()
    assert window.fact("现住址") == HALF
    window.press("放弃草稿")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("刘浩然")


def test_a_draft_is_compared_with_what_a_colleague_saved_meanwhile(enter: Callable[..., Window]) -> None:
    lin, zhou = enter("lin"), enter("zhou")
    wait_until_kept(begin(lin))
    lin.close()
    begin(zhou, EDIT, "小周改的地址")
    zhou.page.locator("[name=post_code]").fill("646009")
    zhou.press("保存")
    expect(zhou.page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()

    again = enter("lin")
    page = again.page
    page.goto(EDIT)
    expect(page.get_by_text("在您填写之后，这条记录已被修改。")).to_be_visible()
    expect(page.locator("[name=address]")).to_have_value(HALF)
    with page.expect_navigation() as answer:
        again.press("保存")
    assert answer.value.status == 409
    table = page.get_by_role("alert").get_by_role("row", name="现住址")
    expect(table.locator(".theirs")).to_have_text("小周改的地址")
    expect(table.locator(".mine")).to_have_text(HALF)
    wait_until_kept(page)
    page.get_by_label("现住址：保留您的").check()
    again.press("保存")
    expect(page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()
    assert (again.fact("现住址"), again.fact("邮政编码")) == (HALF, "646009")
    page.goto("/drafts/")
    expect(page.get_by_text("草稿箱是空的")).to_be_visible()


# --- saving and leaving -------------------------------------------------------------------------------


def test_saving_waits_for_a_draft_that_is_on_its_way(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    page.goto(EDIT)
    on_its_way: list[Route] = []
    page.route("**/drafts/keep", lambda route: on_its_way.append(route))
    page.locator("[name=address]").fill(HALF)
    with page.expect_request("**/drafts/keep"):
        window.press("暂存")
    window.press("保存")
    assert window.path == EDIT
    on_its_way[0].continue_()
    expect(page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()
    page.goto("/drafts/")
    expect(page.get_by_text("草稿箱是空的")).to_be_visible()


def test_leaving_by_the_button_asks_what_is_to_become_of_it(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    page.goto(EDIT)
    window.follow("取消")
    assert window.path == f"/students/show/{PUPIL}", "where nothing was typed nothing is asked"

    begin(window)
    window.follow("取消")
    question = page.get_by_role("dialog", name="填写的内容还没有保存")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(page.locator("[name=address]")).to_have_value(HALF)
    window.follow("取消")
    window.press("继续填写")
    expect(question).to_be_hidden()
    window.follow("取消")
    window.follow("保留草稿并离开")
    expect(page.get_by_role("heading", level=1)).to_have_text("欧阳若曦")

    page.goto(EDIT)
    expect(page.locator("[name=address]")).to_have_value(HALF)
    window.follow("取消")
    window.press("放弃填写的内容")
    expect(page.get_by_text("已放弃草稿。")).to_be_visible()
    assert window.path == f"/students/show/{PUPIL}"
    page.goto(EDIT)
    expect(page.locator("[name=address]")).to_have_value(str(cast.PLAIN["address"]))


def test_a_draft_that_is_thrown_away_after_more_typing_stays_away(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = begin(window)
    wait_until_kept(page)
    page.reload()
    page.locator("[name=talent]").fill("书法")
    window.press("放弃草稿")
    expect(page.get_by_text("已放弃草稿。")).to_be_visible()
    assert_holds(page, {"address": str(cast.PLAIN["address"]), "talent": ""})
    page.goto("/drafts/")
    expect(page.get_by_text("草稿箱是空的")).to_be_visible()


def test_nothing_that_was_typed_stays_in_the_browser(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = begin(window)
    wait_until_kept(page)
    stored = "[...Object.entries(localStorage), ...Object.entries(sessionStorage)].length"
    assert page.evaluate(stored) == 0
    assert page.evaluate("indexedDB.databases().then(all => all.length)") == 0
