"""The second step of login as one person meets it: set up, printed, used, and another browser thrown out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.accounts import Phone
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser


def test_setting_it_up_and_coming_in_with_it(
    enter: Callable[..., Window], open_window: Callable[..., Window]
) -> None:
    desk, other = enter("lin"), enter("lin", size=PHONE)
    phone = set_it_up(desk)
    codes = keep_the_codes(desk)

    other.follow("学生花名册")
    expect(other.page.get_by_text("您的登录已失效")).to_be_visible()

    other.type_login("lin", cast.PASSWORD)
    expect(other.page.get_by_label("验证码")).to_be_focused()
    other.type("验证码", phone.wrong_code())
    other.press("登录")
    expect(other.page.get_by_role("alert")).to_contain_text("验证码不正确，或账号已被锁定")
    other.type("验证码", codes[0].upper())
    other.page.get_by_label("验证码").press("Enter")
    expect(other.page).to_have_url(re.compile("/students/list/$"))
    assert not other.has_sideways_scroll()

    end_the_other(desk, other)


def set_it_up(desk: Window) -> Phone:
    page = desk.page
    desk.choose_in_menu("个人设置")
    desk.follow("开启两步登录")
    picture = page.get_by_role("img", name="两步登录的二维码")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100"), (
        "the policy lets it through"
    )
    phone = Phone(page.get_by_label("密钥").inner_text().replace(" ", ""))
    desk.type("验证码", phone.code())
    desk.press("开启两步登录")
    expect(page.get_by_text("两步登录已开启")).to_be_visible()
    return phone


def keep_the_codes(desk: Window) -> list[str]:
    """Printed by the button, gone with the page."""
    page = desk.page
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    desk.follow("打印")
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")
    codes = re.findall(r"[a-z2-9]{5}-[a-z2-9]{5}", page.locator("dl.facts").inner_text())
    assert len(codes) == 10
    desk.follow("我已保管好")
    page.go_back()
    page.reload()
    assert codes[0] not in page.content()
    return codes


def end_the_other(desk: Window, other: Window) -> None:
    desk.page.goto("/account/")
    row = desk.page.get_by_role("row").filter(has_text="其他登录")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="退出").click()
    expect(desk.page.get_by_text("已退出那里的登录")).to_be_visible()
    expect(desk.page.get_by_role("row").filter(has_text="其他登录")).to_have_count(0)
    other.page.goto("/account/")
    expect(other.page.get_by_text("在别处退出了这里的登录")).to_be_visible()
