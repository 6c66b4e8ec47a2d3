"""What fingers do on the generated pages: choose as one types, add and take away rows, ask for hidden numbers, search."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests import cast
from tests.browser.forms import FAMILY, fill
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser


# --- looking up by keyboard ---------------------------------------------------------------------------


def test_a_class_is_looked_up_and_chosen_by_keyboard(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    page.goto("/students/list/")
    page.get_by_text("筛选", exact=True).click()
    box = page.get_by_role("combobox", name="班级")
    box.press_sequentially("七年级")
    options = page.locator("[role=option]")
    expect(options).to_have_text(["七年级（1）班", "七年级（2）班", "七年级（10）班"])
    expect(box).to_have_attribute("aria-expanded", "true")

    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    box.press("Escape")
    expect(options.first).to_be_hidden()
    expect(page.locator(".filters .pop-panel")).to_be_visible()

    box.press("ArrowDown")
    expect(options.first).to_be_visible()
    box.press("ArrowDown")
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("七年级（2）班")
    box.press("Enter")
    expect(page.get_by_role("link", name="班级：七年级（2）班")).to_be_visible()
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"class_id": [str(cast.class_of(cast.YIZHONG, 7, 2))]}
    expect(page.locator("tbody th")).to_have_text(["陈思远", "林嘉怡", "王子涵"])


# --- nested rows --------------------------------------------------------------------------------------


def test_family_members_are_added_and_taken_away_in_the_pupils_form(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    id_ = cast.pupil("王子涵", gender=cast.GIRL)
    page.goto(f"/students/edit/{id_}")
    rows = page.locator("[data-rows] > [data-row]")
    expect(rows).to_have_count(2)

    rows.nth(1).get_by_label("保存时删除").check()
    window.press("增加一行")
    expect(rows).to_have_count(3)
    expect(rows.nth(2).locator("[name$='-name']")).to_be_focused()
    rows.nth(2).get_by_role("button", name="移除").click()
    expect(rows).to_have_count(2)
    window.press("增加一行")
    fill(page, FAMILY[1], "family_member-3-")
    window.press("保存")

    expect(page.get_by_text("已保存学生“王子涵”。")).to_be_visible()
    assert _family_on(page) == ["王建国", FAMILY[1]["name"]]
    expect(page.locator(".timeline")).to_contain_text("删除家庭成员或监护人")


def _family_on(page: Page) -> list[str]:
    page.wait_for_load_state()
    part = page.locator("section", has=page.get_by_role("heading", name="家庭成员或监护人"))
    return [text.strip() for text in part.get_by_role("rowheader").all_inner_texts()]


def test_a_refused_form_leads_to_the_fault_and_keeps_what_was_typed(enter: Callable[..., Window]) -> None:
    window = enter("lin", size=PHONE)
    page = window.page
    page.goto(f"/students/edit/{cast.pupil('王子涵', gender=cast.GIRL)}")
    page.get_by_label("保存时删除").last.check()
    page.locator("[name=post_code]").fill("12")
    page.locator("[name=talent]").fill("围棋")
    window.press("保存")
    expect(page.locator("#complaints")).to_be_focused()
    page.locator("#complaints").get_by_role("link", name="邮政编码").click()
    expect(page.locator("[name=post_code]")).to_be_focused()
    expect(page.locator("[name=post_code]")).to_have_value("12")
    expect(page.locator("[name=talent]")).to_have_value("围棋")
    expect(page.get_by_label("保存时删除").last).to_be_checked()
    assert not window.has_sideways_scroll()


# --- hidden numbers -----------------------------------------------------------------------------------


def test_hidden_numbers_are_shown_for_a_reason_and_the_reason_is_kept(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    id_ = cast.pupil("欧阳若曦")
    page.goto(f"/students/show/{id_}")
    assert cast.id_number(id_) not in page.content()
    page.locator("summary", has_text="查看完整号码").click()
    reason = page.get_by_label("查看事由")
    expect(reason).to_be_focused()
    window.press("查看完整号码")
    expect(reason).to_be_visible()  # the browser asks for the reason before anything is sent
    reason.fill("核对毕业证书信息")
    window.press("查看完整号码")
    expect(page.get_by_text("正在显示完整号码，本次查看已记录。")).to_be_visible()
    assert window.path == f"/students/show/{id_}"
    assert window.fact("身份证件号") == cast.id_number(id_)
    assert window.fact("学籍号") == cast.student_no(id_)
    expect(page.locator(".timeline > li").first).to_contain_text("核对毕业证书信息")

    page.goto(f"/students/show/{cast.pupil('张一鸣')}")
    assert "*" in window.fact("身份证件号"), "one pupil was asked for"
    window.choose_in_menu("访问日志")
    revealed = page.locator("tbody tr").filter(has_text="核对毕业证书信息")
    expect(revealed).to_have_count(1)
    expect(revealed).to_contain_text("林老师")


def test_a_bureau_reads_numbers_for_a_reason_without_leaving_its_site(enter: Callable[..., Window]) -> None:
    window = enter("sun")
    page = window.page
    page.goto("/bureau/students/")
    page.locator("summary", has_text="查看完整号码").click()
    page.get_by_label("查看事由").fill("核查重复学籍")
    window.press("查看完整号码")
    expect(page.get_by_text("正在显示完整号码")).to_be_visible()
    assert window.path == "/bureau/students/"
    expect(page.locator("tbody")).to_contain_text(cast.id_number(cast.pupil("吴佳怡")))


# --- searching ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["/students/list/", "/students/list/?status=enrolled&sort=-status"])
def test_a_number_that_is_searched_for_enters_no_address(enter: Callable[..., Window], start: str) -> None:
    window = enter("lin")
    page = window.page
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    for number in (cast.id_number(cast.pupil("李思琪")), cast.student_no(cast.pupil("李思琪"))):
        assert number is not None
        page.goto(start)
        window.search(number)
        assert window.path == f"/students/show/{cast.pupil('李思琪')}"
        expect(page.get_by_role("heading", level=1)).to_have_text("李思琪")
        page.reload()
        window.follow("修改")
    addresses = [one.url for one in sent] + [one.all_headers().get("referer", "") for one in sent]
    assert len(addresses) > 20
    hidden = cast.id_number(cast.pupil("李思琪"))
    assert not [one for one in addresses if hidden in one]


def test_a_name_is_searched_for_within_the_filters(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = window.page
    page.goto(f"/students/list/?class_id={cast.class_of(cast.YIZHONG, 7, 1)}")
    window.search("王")
    expect(page.locator("tbody th")).to_have_text(["王子涵"])
    expect(page.get_by_role("link", name="班级：七年级（1）班")).to_be_visible()
    page.get_by_role("link", name="查询：王").click()
    expect(page.locator("tbody tr")).to_have_count(4)


def test_people_are_searched_for_by_name(enter: Callable[..., Window]) -> None:
    window = enter("li")
    window.choose_in_menu("用户管理")
    window.search("林")
    expect(window.page.locator("tbody th")).to_have_text(["林老师"])


def test_a_phone_has_the_whole_menu_behind_a_button(enter: Callable[..., Window]) -> None:
    window = enter("lin", size=PHONE)
    page = window.page
    entry = page.get_by_role("navigation", name="主菜单").get_by_role("link", name="学生花名册")
    expect(entry).to_be_hidden()
    page.locator("label.menu-button").click()
    window.choose_in_menu("学生花名册")
    expect(page.get_by_role("heading", level=1)).to_have_text("学生花名册")
    assert not window.has_sideways_scroll()
