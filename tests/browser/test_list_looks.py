"""A list as one likes it, in the browser: columns chosen by keyboard and mouse, a head and a name that stay, photos."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.windows import PHONE, Window
from tests.photos import give_photo

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]
LIST, COLUMNS = "/students/list/", "/lists/columns/students"


def headings(page: Page) -> list[str]:
    page.wait_for_load_state()
    return [text.strip() for text in page.locator("thead th").all_inner_texts()]


def lines(page: Page) -> list[str]:
    page.wait_for_load_state()
    return page.locator("[data-column]:has(input:checked) .what > span:first-of-type").all_inner_texts()


def test_columns_are_chosen_and_ordered_by_keyboard_alone(enter: Enter) -> None:
    page = enter("lin").page
    page.goto(LIST)
    page.locator("details.look summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="选择列和次序").focus()
    page.keyboard.press("Enter")
    page.get_by_label("民族", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("民族", exact=True)).to_be_focused()
    assert lines(page)[-1] == "民族", "behind what was ticked already"
    up = page.get_by_role("button", name="“民族”上移")
    up.focus()
    for _press in range(len(lines(page)) - 1):
        page.keyboard.press("Enter")
    expect(up).to_be_focused()
    expect(page.locator("[data-moved]")).to_have_text("“民族”现在是第1列")
    page.keyboard.press("Enter")  # nothing is above it
    expect(page.locator("[data-unsaved]")).to_be_visible()
    page.get_by_role("button", name="保存", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/students/list/$"))
    assert headings(page)[:3] == ["姓名", "民族", "性别"]
    page.goto(COLUMNS)
    page.get_by_role("button", name="恢复默认").click()
    expect(page.get_by_text("已恢复默认的列")).to_be_visible()
    assert "民族" not in headings(page)


def test_columns_are_dragged(enter: Enter) -> None:
    page = enter("lin").page
    page.goto(COLUMNS)
    first, third = lines(page)[0], lines(page)[2]
    items = page.locator("[data-column]")
    items.nth(2).drag_to(items.nth(0), target_position={"x": 200, "y": 4})
    assert lines(page)[:2] == [third, first]
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("thead th").nth(1)).to_have_text(third)


def test_without_script_numbers_say_the_order(open_window: Callable[..., Window]) -> None:
    window = open_window(java_script_enabled=False)
    page = window.page
    page.goto("/login/")
    window.type_login("lin", "Lan-chuan-2026")
    page.goto(COLUMNS)
    page.get_by_label("“民族”的次序").fill("1")
    page.get_by_label("“性别”的次序").fill("2")
    page.locator("input[value=ethnicity]").check()
    page.get_by_role("button", name="保存", exact=True).click()
    assert headings(page)[:3] == ["姓名", "民族", "性别"]


def test_head_and_name_stay_while_a_broad_list_scrolls(enter: Enter) -> None:
    page = enter("lin").page
    page.set_viewport_size({"width": 1366, "height": 600})
    page.goto(COLUMNS)
    for box in page.locator("[data-column] input[type=checkbox]").all()[:25]:
        box.check()
    page.get_by_role("button", name="保存", exact=True).click()
    body = page.locator(".sheet-body")
    assert body.evaluate("box => box.scrollWidth > box.clientWidth && box.scrollHeight > box.clientHeight")
    head, name = page.locator("thead th").first, page.locator("tbody th").first
    before = head.bounding_box(), name.bounding_box()
    body.evaluate("box => box.scrollTo(500, 120)")
    after = head.bounding_box(), name.bounding_box()
    assert before[0] == after[0], "the corner stays where it is"
    assert before[1] and after[1]
    assert after[1]["x"] == before[1]["x"], "the name stays at the left"
    assert after[1]["y"] == before[1]["y"] - 120, "and goes up with its row"
    top = page.locator("thead th").nth(20).bounding_box()
    assert top and before[0] and top["y"] == before[0]["y"], "the head stays on top"
    covered = "([x, y]) => document.elementFromPoint(x, y).closest('thead') !== null"
    assert page.evaluate(covered, [before[0]["x"] + 400, before[0]["y"] + 10]), "and above the rows"


def test_a_fitting_list_keeps_its_head_while_the_page_scrolls(enter: Enter) -> None:
    page = enter("lin").page
    page.set_viewport_size({"width": 1366, "height": 420})
    page.goto(LIST)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    head = page.locator("thead th").first.bounding_box()
    assert head
    assert 0 <= head["y"] <= 80, "below the bar of the page"


def test_a_view_is_saved_and_opened_from_its_box(enter: Enter) -> None:
    window = enter("lin")
    page = window.page
    page.goto(f"{LIST}?gender=2")
    page.locator("details.views summary").click()
    name = page.get_by_label("把现在的筛选和排序存为")
    expect(name).to_be_focused()
    name.fill("全部女生")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已保存视图“全部女生”")).to_be_visible()
    page.goto(LIST)
    page.locator("details.views summary").click()
    page.get_by_role("link", name="全部女生").click()
    expect(page.locator(".chips")).to_contain_text("性别：女")
    expect(page.locator("details.views summary")).to_have_text("全部女生")


def test_an_opened_panel_takes_nobody_out_of_the_box_he_is_typing_in(enter: Enter) -> None:
    """A browser tells of an opened panel a moment late."""
    page = enter("lin").page
    page.goto("/stays/list/")
    page.get_by_text("筛选", exact=True).click()
    expect(page.locator(".filters input:visible").first).to_be_focused()
    page.keyboard.press("Escape")
    stands_in = page.evaluate(
        """async () => {
            const panel = document.querySelector('details.filters');
            const told = new Promise((go) => { panel.addEventListener('toggle', go, { once: true }); });
            panel.querySelector('summary').click();
            panel.querySelector('[name=entered_on__from]').focus();
            await told;
            return document.activeElement.name;
        }"""
    )
    assert stands_in == "entered_on__from"


def test_photos_stand_in_the_list_where_they_are_chosen(app: Flask, enter: Enter) -> None:
    give_photo(app, "欧阳若曦")
    page = enter("lin").page
    page.goto(COLUMNS)
    page.get_by_label("照片", exact=True).check()
    page.get_by_role("button", name="保存", exact=True).click()
    face = page.get_by_role("img", name="欧阳若曦的照片")
    face.scroll_into_view_if_needed()
    expect(face).to_have_js_property("complete", True)
    assert face.evaluate("img => img.naturalWidth") == 78


def test_on_a_phone_a_list_of_many_columns_is_cards(enter: Enter) -> None:
    window = enter("lin", size=PHONE)
    window.page.goto(COLUMNS)
    for box in window.page.locator("[data-column] input[type=checkbox]").all()[:20]:
        box.check()
    assert not window.has_sideways_scroll()
    window.page.get_by_role("button", name="保存", exact=True).click()
    expect(window.page.get_by_text("已保存所选的列")).to_be_visible()
    assert not window.has_sideways_scroll()
    for box in ("look", "views"):
        window.page.locator(f"details.{box} summary").click()
        assert not window.has_sideways_scroll()
        window.page.keyboard.press("Escape")
