"""Several pupils at once, by mouse, by keyboard and on a phone: chosen over two pages, previewed, changed, told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from app.areas.students.models import Student
from app.core import rights, saving, scope
from app.extensions import db
from tests import cast
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]
BICYCLE = "自行车（含摩托车、电动自行车）"


def add_pupils(app: Flask, count: int) -> None:
    """So many more in the clerk's school that its list has a second page; their records want a number."""
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            one = work.session.get_one(Student, cast.pupil("欧阳若曦"))
            apart = {"id", "version", "student_no", "id_number", "number_in_class"}
            base = {
                a.key: getattr(one, a.key) for a in sa.inspect(Student).column_attrs if a.key not in apart
            }
            rows = [base | {"name": f"卓一{n}", "name_key": f"zhuoyi{n:03d}"} for n in range(count)]
            saving.many(Student, rows, by)
        db.session.remove()


@pytest.fixture
def two_pages(app: Flask) -> None:
    add_pupils(app, 20)


def listed(window: Window) -> Page:
    window.page.goto("/students/list/?size=20")
    return window.page


def tick(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=f"选择{name}", exact=True)


def turn(page: Page, way: str) -> None:
    page.get_by_role("navigation", name="翻页").get_by_role("link", name=way, exact=True).click()


@pytest.mark.usefixtures("two_pages")
def test_chosen_on_two_pages_and_changed_after_the_preview(enter: Enter) -> None:
    window = enter("lin")
    page = listed(window)
    expect(page.locator("#bulk")).to_be_hidden()
    tick(page, "欧阳若曦").check()
    tick(page, "李思琪").check()
    turn(page, "下一页")
    tick(page, "卓一15").check()
    expect(page.locator("[data-count]")).to_have_text("已选3条")
    expect(page.locator("[data-picked]")).to_have_text("已选3条")
    turn(page, "上一页")
    expect(tick(page, "欧阳若曦")).to_be_checked()
    expect(tick(page, "何俊杰")).not_to_be_checked()
    window.press("批量修改")
    page.get_by_label("要修改的项目").select_option(label="上下学交通方式")
    window.press("下一步")
    page.get_by_label("“上下学交通方式”改为").select_option(label=BICYCLE)
    window.press("预览")
    expect(page.get_by_role("heading", name="将修改2条")).to_be_visible()
    expect(page.locator(".confirm li").last).to_contain_text("补填（1条：卓一15）")
    window.press("确认修改2条")
    expect(page.get_by_text("已修改2条。")).to_be_visible()
    window.follow("返回")
    expect(page.locator("#bulk")).to_be_hidden()
    expect(tick(page, "欧阳若曦")).not_to_be_checked()
    window.follow("李思琪")
    change = page.locator(".timeline .diff").first
    expect(change).to_contain_text(re.compile(rf"上下学交通方式.*步行.*{re.escape(BICYCLE)}", re.DOTALL))


@pytest.mark.usefixtures("two_pages")
def test_all_of_a_list_but_one_is_chosen_by_two_clicks(enter: Enter) -> None:
    window = enter("lin")
    page = listed(window)
    tick(page, "欧阳若曦").check()
    page.get_by_label(re.compile("符合条件的全部34条")).check()
    tick(page, "何俊杰").uncheck()
    expect(page.locator("[data-count]")).to_have_text("已选33条")
    turn(page, "下一页")
    expect(tick(page, "卓一15")).to_be_checked()
    window.press("批量修改")
    expect(page.get_by_role("heading", name="已选33条")).to_be_visible()
    window.follow("取消")
    expect(page.locator("[data-count]")).to_have_text("已选33条")
    window.press("清除选择")
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator("[data-picked]")).to_have_text("没有选择记录")


@pytest.mark.usefixtures("two_pages")
def test_by_keyboard_alone(enter: Enter) -> None:
    page = listed(enter("lin"))
    expect(page.locator(".keys")).to_contain_text("选择")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("x")
    expect(page.locator("[data-count]")).to_have_text("已选2条")
    expect(page.locator("tr.is-picked")).to_have_count(2)
    page.get_by_role("button", name="批量修改").press("Enter")
    expect(page.get_by_role("heading", name="已选2条")).to_be_visible()


@pytest.mark.usefixtures("two_pages")
def test_another_list_and_another_person_begin_with_nothing_chosen(enter: Enter) -> None:
    window = enter("lin")
    page = listed(window)
    tick(page, "欧阳若曦").check()
    page.goto("/students/list/?status=enrolled")
    expect(page.locator("#bulk")).to_be_hidden()
    window.press("退出登录")
    window.log_in("zhou")
    listed(window)
    expect(page.locator("#bulk")).to_be_hidden()


def test_the_page_is_chosen_at_once_and_by_a_thumb(enter: Enter) -> None:
    window = enter("lin", size=PHONE)
    page = listed(window)
    box = tick(page, "欧阳若曦")
    target = page.locator("label.pick").filter(has=box).bounding_box()
    assert target is not None
    assert min(target["width"], target["height"]) >= 44
    box.check()
    window.press("选择本页")
    expect(page.locator("[data-count]")).to_have_text("已选14条")
    assert not window.has_sideways_scroll()
    for button in page.locator("#bulk button:visible").all():
        size = button.bounding_box()
        assert size is not None
        assert size["height"] >= 44, button.inner_text()


def test_without_scripts_the_ticks_of_the_page_are_posted(
    enter: Enter, open_window: Callable[..., Window]
) -> None:
    window = open_window(java_script_enabled=False)
    window.page.goto("/login/")
    window.type_login("lin", cast.PASSWORD)
    page = listed(window)
    tick(page, "欧阳若曦").check()
    tick(page, "李思琪").check()
    window.press("批量修改")
    expect(page.get_by_role("heading", name="已选2条")).to_be_visible()
