"""The search over everything, by keyboard alone: opened, walked, followed, left; and what it says when it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests import cast
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]
OURS = cast.pupil("欧阳若曦")


def box(page: Page) -> Locator:
    return page.get_by_role("dialog", name="查找").get_by_role("combobox", name="查找")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="查找结果").get_by_role("option")


def says(page: Page) -> Locator:
    return page.get_by_role("dialog", name="查找").get_by_role("status")


def pointed_at(page: Page) -> Locator:
    """What a screen reader is told the keyboard stands on."""
    return page.locator(f"#{box(page).get_attribute('aria-activedescendant')}")


def open_and_type(window: Window, typed: str) -> Page:
    page = window.page
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()
    page.keyboard.insert_text(typed)
    return page


def test_a_pupil_is_found_and_opened_by_keyboard_alone(enter: Enter) -> None:
    page = open_and_type(enter("lin"), "王子涵")
    expect(options(page)).to_have_count(2)
    expect(says(page)).to_have_text("列出2项，用上下键选择")
    expect(pointed_at(page)).to_contain_text("七年级（1）班")
    page.keyboard.press("ArrowDown")
    expect(pointed_at(page)).to_contain_text("七年级（2）班")
    expect(pointed_at(page)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")  # from the last to the first
    expect(pointed_at(page)).to_contain_text("七年级（1）班")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("王子涵")
    expect(page).to_have_url(re.compile(f"/students/show/{cast.pupil('王子涵', gender=cast.BOY)}$"))


def test_groups_are_named_and_the_menu_is_found_by_pinyin(enter: Enter) -> None:
    page = open_and_type(enter("lin"), "guanli")
    group = page.get_by_role("listbox").get_by_role("group", name="菜单")
    expect(group.get_by_role("option").first).to_contain_text("校区管理")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/grades/list/$"))


def test_escape_leaves_and_gives_the_focus_back(enter: Enter) -> None:
    window = enter("lin")
    page = window.page
    page.goto(f"/students/edit/{OURS}")
    page.locator("#f-address").focus()
    open_and_type(window, "欧阳")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="查找")).to_be_hidden()
    expect(page.locator("#f-address")).to_be_focused()
    page.keyboard.press("Control+k")  # what was typed is there, to be typed over
    expect(box(page)).to_have_value("欧阳")
    page.keyboard.insert_text("王")
    expect(box(page)).to_have_value("王")


def test_what_was_found_for_other_words_is_not_opened(enter: Enter) -> None:
    """Enter comes before the answer: the page of the search is opened, never what is still marked."""
    window = enter("lin")
    page = open_and_type(window, "王子涵")
    expect(options(page)).to_have_count(2)
    page.route("**/find", _hold_scripts)
    page.keyboard.insert_text("若")
    expect(box(page)).not_to_have_attribute("aria-activedescendant", re.compile("."))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("查找")
    expect(page.get_by_text("没有找到“王子涵若”")).to_be_visible()


def _hold_scripts(route: Route) -> None:
    if route.request.resource_type != "fetch":
        route.continue_()


def test_a_number_stays_out_of_every_address(enter: Enter) -> None:
    window, number = enter("lin"), cast.id_number(OURS)
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    page = open_and_type(window, number)
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("欧阳若曦")
    assert not [url for url in asked if number in url]


def test_nothing_found_and_trouble_are_said(enter: Enter) -> None:
    window = enter("lin")
    page = open_and_type(window, "诸葛")
    expect(says(page)).to_contain_text("没有找到“诸葛”")
    expect(options(page)).to_have_count(0)
    page.route("**/find", lambda route: route.abort())
    page.keyboard.insert_text("亮")
    expect(says(page)).to_have_text("暂时查不到，请稍后再试")
    page.unroute("**/find")
    window.context.clear_cookies()
    page.keyboard.press("Backspace")
    expect(says(page)).to_contain_text("登录已过期")
    window.troubles.clear()  # Chromium notes the request that came to nothing


def test_an_emptied_box_shows_nothing(enter: Enter) -> None:
    page = open_and_type(enter("lin"), "王")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(options(page)).to_have_count(0)
    expect(says(page)).to_have_text("按回车打开，按Esc关闭")


def test_all_of_a_kind_are_one_step_below_the_few(enter: Enter) -> None:
    page = open_and_type(enter("chen"), "级")
    all_ = page.get_by_role("option", name="查看全部班级")
    expect(all_).to_be_visible()
    while pointed_at(page).get_attribute("aria-label") != "查看全部班级":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/bureau/classes/\\?q="))


def test_a_thumb_opens_it_from_the_top_bar(enter: Enter) -> None:
    window = enter("lin", size=PHONE)
    page = window.page
    page.get_by_role("link", name="查找", exact=True).click()
    box(page).fill("王子涵")
    expect(options(page)).to_have_count(2)
    assert not window.has_sideways_scroll()
    options(page).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("王子涵")


def test_without_script_the_button_leads_to_a_page(enter: Enter) -> None:
    window = enter("lin", java_script_enabled=False)
    window.page.get_by_role("link", name="查找", exact=True).click()
    window.search("欧阳")
    assert window.path == "/find?q=%E6%AC%A7%E9%98%B3"
    window.page.get_by_role("main").get_by_role("link", name="欧阳若曦").click()
    assert window.path == f"/students/show/{OURS}"
