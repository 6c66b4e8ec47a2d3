"""Codes found as one types: areas by asking the server, long tables in the page itself. By keyboard, by touch, without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import cast
from tests.browser.test_checks import form_at
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]
PUPIL = cast.pupil("欧阳若曦")
EDIT = f"/students/edit/{PUPIL}"
QINGLAN = "澜川市青岚县（519921000000）"


def options(page: Page) -> Locator:
    """Of the list that is open."""
    return page.get_by_role("listbox", name="可选项").get_by_role("option")


def box(page: Page, label: str) -> Locator:
    """The first is the pupil's own."""
    return page.get_by_role("combobox", name=label).first


def code_behind(page: Page, name: str) -> Locator:
    return page.locator(f"select[name='{name}']")


# --- areas --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["青岚", "qlx", "519921"])
def test_a_birthplace_is_found_by_name_initials_or_digits_and_its_name_is_shown(
    enter: Enter, typed: str
) -> None:
    page = form_at(enter("lin"), "/students/add")
    name = page.locator("#f-birthplace_code-name")
    expect(name).to_have_text("")
    box(page, "出生地").click()
    page.keyboard.insert_text(typed)
    option = options(page).filter(has_text=QINGLAN)
    expect(option).to_be_visible()
    option.click()
    expect(box(page, "出生地")).to_have_value("519921000000")
    expect(box(page, "出生地")).to_be_focused()
    expect(name).to_have_text(QINGLAN)
    expect(options(page)).to_have_count(0)
    expect(page.get_by_text("有未保存的修改")).to_be_visible()


def test_an_area_is_chosen_by_keyboard_and_a_complaint_goes_with_the_choice(enter: Enter) -> None:
    page = form_at(enter("lin"), EDIT)
    birthplace = box(page, "出生地")
    expect(page.locator("#f-birthplace_code-name")).to_have_text(QINGLAN)
    birthplace.fill("锦江")
    expect(page.locator("#f-birthplace_code-name")).to_have_text("")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.locator("#f-birthplace_code-err")).to_contain_text("区划代码应为12位数字")
    birthplace.fill("锦江区")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(birthplace).to_have_value("510104000000")
    expect(page.locator("#f-birthplace_code-name")).to_have_text("成都市锦江区（510104000000）")
    expect(page.locator("#f-birthplace_code-err")).to_have_count(0)


def test_who_types_on_takes_nothing_of_the_list_before(enter: Enter) -> None:
    page = enter("lin").page
    page.goto(EDIT)
    where = box(page, "出生地")
    where.fill("成都")
    expect(options(page).first).to_have_text("四川省成都市（510100000000）")
    page.route("**/lookup/area", lambda route: None)  # the answer to more words is on its way
    where.press_sequentially("市锦江区")
    where.press("Enter")
    expect(where).to_have_value("成都市锦江区")


def test_a_code_with_its_name_is_pasted_and_half_a_code_has_none(enter: Enter) -> None:
    page = enter("lin").page
    page.goto(EDIT)
    where, name = box(page, "出生地"), page.locator("#f-birthplace_code-name")
    where.fill("成都市锦江区（510104000000）")
    where.press("Tab")
    expect(name).to_have_text("成都市锦江区（510104000000）")
    where.fill("51")
    expect(options(page).first).to_be_visible()
    where.press("Tab")
    expect(name).to_have_text("")


def test_a_code_typed_by_hand_is_named_and_saved(enter: Enter) -> None:
    window = enter("lin")
    page = window.page
    page.goto(EDIT)
    residence = box(page, "户口所在地")
    residence.fill("519922100009")
    expect(page.locator("#f-residence_code-name")).to_have_text("澜川市石溪县（519922100009）")
    expect(options(page)).to_have_count(0)
    window.press("保存")
    expect(page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()
    assert window.fact("户口所在地") == "澜川市石溪县（519922100009）"


# --- long tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "label", "code"),
    [("汉", "汉族", "01"), ("zhuang", "壮族", "08"), ("03", "回族", "03"), ("wwe", "维吾尔族", "05")],
)
def test_a_people_is_found_by_name_pinyin_or_code(enter: Enter, typed: str, label: str, code: str) -> None:
    page = form_at(enter("lin"), "/students/add")
    ethnicity = box(page, "民族")
    ethnicity.click()
    expect(options(page)).to_have_count(code_behind(page, "ethnicity").locator("option").count() - 1)
    page.keyboard.insert_text(typed)
    expect(options(page).first).to_have_text(label)
    page.keyboard.press("Enter")
    expect(ethnicity).to_have_value(label)
    expect(code_behind(page, "ethnicity")).to_have_value(code)
    expect(page.get_by_text("有未保存的修改")).to_be_visible()


def test_the_keyboard_walks_a_long_table_from_what_is_chosen(enter: Enter) -> None:
    page = form_at(enter("lin"), EDIT)
    ethnicity = box(page, "民族")
    expect(ethnicity).to_have_value("汉族")
    ethnicity.focus()
    page.keyboard.press("ArrowDown")  # opens, and stands on what is chosen
    expect(ethnicity).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    pointed = options(page).and_(page.locator("[aria-selected=true]"))
    expect(pointed).to_have_text("蒙古族")
    expect(ethnicity).to_have_attribute("aria-activedescendant", re.compile("^lookup-[0-9]+-1$"))
    page.keyboard.press("Enter")
    expect(ethnicity).to_have_attribute("aria-expanded", "false")
    expect(code_behind(page, "ethnicity")).to_have_value("02")


def test_what_means_nothing_leaves_the_choice_and_what_is_typed_in_full_needs_none(enter: Enter) -> None:
    page = form_at(enter("lin"), EDIT)
    ethnicity = box(page, "民族")
    ethnicity.fill("没有这个")
    expect(page.get_by_role("listbox", name="可选项").get_by_text("没有找到")).to_be_visible()
    page.keyboard.press("Tab")
    expect(ethnicity).to_have_value("汉族")
    ethnicity.fill("回族")
    page.keyboard.press("Tab")
    expect(code_behind(page, "ethnicity")).to_have_value("03")
    ethnicity.fill("")
    page.keyboard.press("Tab")
    expect(code_behind(page, "ethnicity")).to_have_value("")
    expect(page.locator("#f-ethnicity-err")).to_contain_text("必填项“民族”为空")
    expect(ethnicity).to_have_attribute("aria-invalid", "true")
    ethnicity.fill("hz")
    page.keyboard.press("Enter")
    expect(ethnicity).to_have_value("汉族")
    expect(page.locator("#f-ethnicity-err")).to_have_count(0)


def test_a_complaint_leads_to_the_box_that_one_types_into(enter: Enter) -> None:
    window = enter("lin")
    page = form_at(window, EDIT)
    box(page, "民族").fill("")
    page.keyboard.press("Tab")
    with page.expect_navigation() as answer:
        window.press("保存")
    assert answer.value.status == 422
    page.locator("#complaints").get_by_role("link", name="民族").click()
    expect(box(page, "民族")).to_be_focused()


def test_a_choice_is_kept_as_a_draft_and_found_again(enter: Enter) -> None:
    page = enter("lin").page
    page.goto(EDIT)
    box(page, "国籍").fill("yn")
    option = options(page).filter(has_text="越南")
    option.click()
    expect(page.locator("[data-draft-line]")).to_contain_text("已暂存")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(EDIT)
    expect(box(page, "国籍")).to_have_value("越南")
    expect(page.locator(".field.is-changed").filter(has=code_behind(page, "nationality"))).to_have_count(1)


def test_a_new_row_has_the_same_boxes(enter: Enter) -> None:
    page = form_at(enter("lin"), EDIT)
    page.get_by_role("button", name="增加一行").first.click()
    row = page.locator("[data-row].is-new").last
    row.get_by_role("combobox", name="民族").fill("zhuang")
    page.keyboard.press("Enter")
    expect(row.locator("select[name$=ethnicity]")).to_have_value("08")
    row.get_by_role("combobox", name="户口所在地").fill("qlx")
    options(page).filter(has_text=QINGLAN).click()
    expect(row.locator(".area-name")).to_have_text(QINGLAN)


def test_by_touch_on_a_phone(enter: Enter) -> None:
    window = enter("lin", size=PHONE, has_touch=True)
    page = form_at(window, EDIT)
    box(page, "民族").tap()
    expect(options(page).filter(has_text="藏族")).to_be_visible()
    options(page).filter(has_text="藏族").tap()
    expect(code_behind(page, "ethnicity")).to_have_value("04")
    box(page, "出生地").fill("qlx")
    options(page).filter(has_text=QINGLAN).tap()
    expect(box(page, "出生地")).to_have_value("519921000000")
    assert not window.has_sideways_scroll()


def test_in_english_names_pinyin_and_codes_find_too(enter: Enter) -> None:
    window = enter("lin")
    window.speak("en")
    page = form_at(window, EDIT)
    ethnicity = page.locator("#f-ethnicity-find")
    for typed in ("zhuangzu", "08"):
        ethnicity.fill(typed)
        page.keyboard.press("Enter")
        expect(code_behind(page, "ethnicity")).to_have_value("08")
        ethnicity.fill("01")
        page.keyboard.press("Enter")
        expect(code_behind(page, "ethnicity")).to_have_value("01")


def test_a_long_filter_is_found_by_typing_as_well(enter: Enter) -> None:
    page = enter("lin").page
    page.goto("/students/list/?ethnicity=01")
    page.locator(".filters > summary").click()
    ethnicity = page.locator("#f-ethnicity-find")
    expect(ethnicity).to_have_value("汉族")
    ethnicity.fill("zhuang")
    page.keyboard.press("Enter")
    expect(code_behind(page, "ethnicity")).to_have_value("08")


def test_without_script_there_are_a_select_and_a_plain_input(open_window: Callable[..., Window]) -> None:
    window = open_window(java_script_enabled=False)
    window.log_in("lin")
    page = window.page
    page.goto(EDIT)
    page.get_by_label("民族").first.select_option(label="回族")
    page.get_by_label("出生地", exact=True).fill("519922")
    window.press("保存")
    expect(page.get_by_text("已保存学生“欧阳若曦”。")).to_be_visible()
    assert window.fact("民族") == "回族"
    assert window.fact("出生地") == "澜川市石溪县（519922000000）"
