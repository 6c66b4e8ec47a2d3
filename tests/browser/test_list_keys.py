"""A list by keyboard alone: rows walked, opened and edited, the search reached; nothing of it while one types."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import cast
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]


def listed(window: Window, path: str = "/students/list/") -> Page:
    window.page.goto(path)
    return window.page


def row(page: Page, at: int) -> Locator:
    return page.locator("tbody tr").nth(at).locator("th a, td a").first


def test_j_and_k_go_from_row_to_row_and_stop_at_the_ends(enter: Enter) -> None:
    page = listed(enter("lin"))
    page.keyboard.press("k")
    expect(row(page, 0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    expect(row(page, 2)).to_be_focused()
    expect(page.locator("tr.is-here")).to_have_count(1)
    page.keyboard.press("ArrowUp")
    expect(row(page, 1)).to_be_focused()
    last = page.locator("tbody tr").count() - 1
    for _press in range(last + 3):
        page.keyboard.press("j")
    expect(row(page, last)).to_be_focused()


def test_enter_opens_and_e_edits_the_row(enter: Enter) -> None:
    page = listed(enter("lin"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/students/show/\d+$"))
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/students/edit/\d+$"))


def test_who_may_not_edit_is_not_led_to_the_form(enter: Enter) -> None:
    page = listed(enter("chen"), "/bureau/students/")
    expect(page.locator(".keys")).to_contain_text("打开")
    expect(page.locator(".keys")).not_to_contain_text("修改")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/bureau/students/show/\d+$"))


def test_letters_stay_letters_while_one_types(enter: Enter) -> None:
    page = listed(enter("lin"))
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="查找")
    expect(search).to_be_focused()
    page.keyboard.type("jke/")
    expect(search).to_have_value("jke/")
    expect(page.locator("tr.is-here")).to_have_count(0)


def test_the_three_of_a_pasted_list_who_do_not_exist_are_named(enter: Enter) -> None:
    page = listed(enter("lin"))
    page.get_by_text("批量查找").click()
    box = page.get_by_label("姓名或号码", exact=True)
    expect(box).to_be_focused()
    number = str(cast.student_no(cast.pupil("张一鸣")))
    box.fill(f"李思琪\n赵六六\n{number}\n钱七七\n欧阳若曦\n孙八八")
    page.get_by_role("button", name="查找这些").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator(".about li")).to_have_text(["赵六六", "钱七七", "孙八八"])
    expect(page).not_to_have_url(re.compile(number))
