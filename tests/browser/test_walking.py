"""Through a list, form after form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser

LIST = f"/students/list/?class_id={cast.class_of(cast.YIZHONG, 7, 1)}"


@pytest.mark.parametrize("has_script", [True, False])
def test_a_clerk_goes_through_a_class(enter: Callable[..., Window], has_script: bool) -> None:
    window = enter("lin", size=PHONE, java_script_enabled=has_script)
    page = window.page
    page.goto(LIST)
    names = page.locator("tbody th a").all_inner_texts()
    page.locator("tbody th a").first.click()
    window.follow("修改")
    for n, name in enumerate(names):
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        page.locator("[name=talent]").fill(f"第{n}个")
        window.press("保存并下一个")
        expect(page.get_by_text(f"已保存学生“{name}”。")).to_be_visible()
    expect(page.get_by_text("这是列表中的最后一条，已回到列表。")).to_be_visible()
    assert window.path == LIST
    assert not window.has_sideways_scroll()


def test_the_next_form_is_begun_in_the_box_one_stood_in(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    page.goto(LIST)
    page.locator("tbody th a").first.click()
    window.follow("修改")
    page.locator("[name=talent]").fill("书法")
    window.press("保存并下一个")
    expect(page.locator("[name=talent]")).to_be_focused()
    page.reload()
    expect(page.locator("[name=talent]")).not_to_be_focused()


def test_by_keyboard_and_by_the_links_of_a_row(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    page.goto(LIST)
    names = page.locator("tbody th a").all_inner_texts()
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.get_by_role("heading", level=1)).to_contain_text(names[0])
    window.press("保存并下一个")
    expect(page.get_by_role("heading", level=1)).to_contain_text(names[1])
    window.follow("取消")
    window.follow("上一条")
    expect(page.get_by_role("heading", level=1)).to_have_text(names[0])
    window.follow("下一条")
    expect(page.get_by_role("heading", level=1)).to_have_text(names[1])
    page.get_by_role("navigation", name="当前位置").get_by_role("link", name="学生花名册").click()
    assert window.path == LIST
