"""Two people have the same pupil open. The second is told, loses nothing and decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser

PUPIL = cast.pupil("王子涵", gender=cast.GIRL)
FIRST, SECOND, SETTLED = "青岚县城关镇解放路11号", "青岚县城关镇解放路22号", "青岚县城关镇解放路33号"


def test_the_second_to_save_sees_what_the_first_wrote_and_keeps_what_he_typed(
    enter: Callable[..., Window],
) -> None:
    lin, zhou = enter("lin"), enter("zhou")
    for one in (lin, zhou):
        one.page.goto(f"/students/edit/{PUPIL}")

    lin.page.locator("[name=address]").fill(FIRST)
    lin.page.locator("[name=phone]").fill("14055556666")
    lin.press("保存")
    expect(lin.page.get_by_text("已保存学生“王子涵”。")).to_be_visible()

    page = zhou.page
    page.locator("[name=address]").fill(SECOND)
    page.locator("[name=talent]").fill("书法")
    with page.expect_navigation() as answer:
        zhou.press("保存")
    assert answer.value.status == 409
    block = page.get_by_role("alert")
    expect(block).to_be_focused()
    expect(block).to_contain_text("林老师")
    line = block.get_by_role("row", name="现住址")
    expect(line.get_by_role("cell").first).to_have_text(str(cast.PLAIN["address"]))
    expect(line.locator(".theirs")).to_have_text(FIRST)
    expect(line.locator(".mine")).to_have_text(SECOND)
    expect(block.get_by_role("row", name="特长").locator(".mine")).to_have_text("书法")
    expect(page.locator("[name=address]")).to_have_value(SECOND)
    expect(page.locator("[name=talent]")).to_have_value("书法")
    expect(page.locator("[name=phone]")).to_have_value("140****6666")
    # … left alone, so it follows the other's change
    expect(block.get_by_role("row")).to_have_count(4)
    expect(page.get_by_label("联系电话：保留现值")).to_be_checked()
    expect(page.get_by_label("特长：保留您的")).to_be_checked()
    expect(page.locator("[name=address__choice]:checked")).to_have_count(0)
    expect(page.get_by_text("有未保存的修改")).to_be_visible()

    lin.page.reload()
    assert lin.fact("现住址") == FIRST, "being told has written nothing"

    zhou.press("保存")
    expect(block).to_contain_text("还有1项没有选择。")
    page.get_by_label("现住址：保留现值").check()
    expect(page.locator("[name=address]")).to_have_value(FIRST)
    page.locator("[name=address]").fill(SETTLED)
    expect(page.get_by_label("现住址：保留您的")).to_be_checked()
    zhou.press("保存")
    expect(page.get_by_text("已保存学生“王子涵”。")).to_be_visible()
    assert (zhou.fact("现住址"), zhou.fact("特长")) == (SETTLED, "书法")

    lin.page.goto(f"/students/show/{PUPIL}")
    assert lin.fact("联系电话") == "140****6666", "nothing of the first is overwritten unseen"
    moments = lin.page.locator(".timeline > li").filter(has_text="修改学生")
    expect(moments).to_have_count(2)
    expect(moments.first).to_contain_text("小周")
    expect(moments.first.locator(".was").first).to_have_text(FIRST)
    expect(moments.last).to_contain_text("林老师")


def test_it_is_decided_without_script_and_by_keyboard_on_a_narrow_screen(
    enter: Callable[..., Window],
) -> None:
    lin, zhou = enter("lin"), enter("zhou", size=PHONE, java_script_enabled=False)
    for one in (lin, zhou):
        one.page.goto(f"/students/edit/{PUPIL}")
    lin.page.locator("[name=address]").fill(FIRST)
    lin.page.locator("[name=post_code]").fill("646001")
    lin.press("保存")
    expect(lin.page.get_by_text("已保存学生“王子涵”。")).to_be_visible()
    page = zhou.page
    page.locator("[name=address]").fill(SECOND)
    zhou.press("保存")
    assert not zhou.has_sideways_scroll()
    page.get_by_label("现住址：保留现值").focus()
    page.keyboard.press("Space")
    page.get_by_label("邮政编码：保留现值").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("邮政编码：保留您的")).to_be_checked()
    page.locator("[name=talent]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("已保存学生“王子涵”。")).to_be_visible()
    assert (zhou.fact("现住址"), zhou.fact("邮政编码")) == (FIRST, str(cast.PLAIN["post_code"]))
