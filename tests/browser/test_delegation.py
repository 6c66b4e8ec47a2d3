"""Delegation from end to end: 李老师 makes a role, gives it to 小周 for one grade, says why it goes no further, takes it back.

One test, because each step takes up what the one before it left.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import expect

from app.core.fields import HERE
from tests import cast
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

ROLE, GRADE = "七年级学籍员", "七年级"
TAKEN_OUT = ("删除“学生”", "新增“学生”")
OF_GRADE_7, OF_GRADE_8 = "周小雨", "张一鸣"
NEW_ADDRESS = "青岚县城关镇学府街9号2栋301室"


def test_a_role_for_one_grade(enter: Callable[..., Window], app: Flask) -> None:
    ends_on = make_term(app)
    li = enter("li")
    make_the_role(li)
    take_back(li, "班主任", "七年级（1）班")
    give_it(li, ends_on)

    zhou = enter("zhou")
    keep_grade_seven(zhou)
    stop_at_grade_eight(zhou)

    ask_why(li)
    take_back(li, ROLE, GRADE)
    be_refused(zhou)


def make_term(app: Flask) -> date:
    """The term that runs today, in the calendar of the district; the day of its end."""
    from app.areas.schools.models import AcademicYear, Term
    from app.core import rights, saving, scope
    from app.extensions import db

    today = datetime.now(HERE).date()
    autumn = today.year if today.month >= 9 else today.year - 1
    year = {"name": f"{autumn}-{autumn + 1}", "starts_on": date(autumn, 9, 1)}
    ends_on = min(today + timedelta(days=60), date(autumn + 1, 8, 31))
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work():
            made = saving.create(AcademicYear, year | {"ends_on": date(autumn + 1, 8, 31)}, by)
            days = {"starts_on": year["starts_on"], "ends_on": ends_on}
            saving.create(Term, {"academic_year_id": made.id, "number": "1", **days}, by)
        db.session.remove()
    return ends_on


# --- 李老师 -------------------------------------------------------------------------------------------


def make_the_role(li: Window) -> None:
    """From the clerk's role, without what a helper for one grade need not do."""
    page = li.page
    li.choose_in_menu("角色管理")
    page.get_by_role("row", name="学籍管理员").get_by_role("link", name="复制").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("复制“学籍管理员”为新角色")
    li.type("角色名称", ROLE)
    for right in TAKEN_OUT:
        page.get_by_label(right, exact=True).uncheck()
    expect(page.get_by_label("修改“学生”", exact=True)).to_be_checked()
    expect(
        page.get_by_role("checkbox", name="没有这一项。请去掉，或从空白新建角色。 开通账号")
    ).to_be_disabled()
    li.press("新建角色")
    expect(page.get_by_text(f"已新建角色“{ROLE}”。")).to_be_visible()
    compared = page.locator("section", has=page.get_by_role("heading", name="与来源角色“学籍管理员”相比"))
    expect(compared.get_by_role("listitem")).to_have_text(["学生：新增、删除"])


def give_it(li: Window, ends_on: date) -> None:
    page = li.page
    open_person(li, "小周")
    li.follow("授权")
    page.get_by_label("角色", exact=True).select_option(label=ROLE)
    page.get_by_label(GRADE, exact=True).check()
    page.get_by_role("button", name="学期末").click()
    expect(page.get_by_label("截止日期", exact=True)).to_have_value(ends_on.isoformat())
    li.press("授权")
    expect(page.get_by_text(f"已授予小周“{ROLE}”。")).to_be_visible()
    row = page.get_by_role("row", name=ROLE)
    for said in (GRADE, ends_on.isoformat(), "李老师"):
        expect(row).to_contain_text(said)


def take_back(li: Window, role: str, where: str) -> None:
    """After the page that says who loses what."""
    page = li.page
    open_person(li, "小周")
    page.get_by_role("row", name=role).get_by_role("link", name="收回").click()
    expect(page.get_by_text(f"将收回小周的“{role}”（{where}）。收回后立即生效。")).to_be_visible()
    li.press("确认收回授权")
    expect(page.get_by_text("已收回小周的授权，共1项。")).to_be_visible()


def open_person(li: Window, name: str) -> None:
    li.choose_in_menu("用户管理")
    li.follow(name)


def ask_why(li: Window) -> None:
    page = li.page
    li.choose_in_menu("权限查询")
    page.get_by_label("谁", exact=True).select_option(label="小周")
    page.get_by_label("做什么", exact=True).select_option(label="查看")
    li.type("哪条记录", OF_GRADE_8)
    li.press("查询")
    answer = page.locator("section", has=page.get_by_role("heading", name="查询结果"))
    expect(answer.get_by_role("status")).to_contain_text("小周不能对八年级（1）班的学生")
    expect(answer.get_by_role("status")).to_contain_text(f"最接近的授权：“{ROLE}”（{GRADE}")
    expect(answer.get_by_role("status")).to_contain_text("范围不包括")
    expect(answer.get_by_role("listitem").filter(has_text=f"李老师（{cast.YIZHONG}）")).to_have_count(1)
    smallest = answer.get_by_role("listitem").filter(has_text="范围：八年级（1）班")
    expect(smallest).to_have_count(1)
    assert OF_GRADE_8 not in page.url
    assert answer.get_by_text(OF_GRADE_8).count() == 0, (
        "李老师 reads no pupil, and is told no name here either"
    )


# --- 小周 ---------------------------------------------------------------------------------------------


def keep_grade_seven(zhou: Window) -> None:
    page = zhou.page
    zhou.choose_in_menu("学生花名册")
    wanted = [one.name for one in cast.PUPILS if one.at[:2] == (cast.YIZHONG, 7)]
    expect(page.locator("tbody tr")).to_have_count(len(wanted))
    assert sorted(page.locator("tbody th").all_inner_texts()) == sorted(wanted)
    expect(page.get_by_role("link", name="新增", exact=True)).to_have_count(0)

    zhou.follow(OF_GRADE_7)
    expect(page.get_by_role("link", name="删除", exact=True)).to_have_count(0)
    zhou.follow("修改")
    page.locator("[name=address]").fill(NEW_ADDRESS)
    zhou.press("保存")
    expect(page.get_by_text(f"已保存学生“{OF_GRADE_7}”。")).to_be_visible()
    assert zhou.fact("现住址") == NEW_ADDRESS


def stop_at_grade_eight(zhou: Window) -> None:
    page, pupil = zhou.page, cast.pupil(OF_GRADE_8)
    paths = (f"/students/show/{pupil}", f"/students/edit/{pupil}", f"/api/v1/students/{pupil}")
    assert {path: zhou.status_of(path) for path in paths} == dict.fromkeys(paths, 404)
    page.goto(f"/students/show/{pupil}")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有找到")
    assert OF_GRADE_8 not in page.content()


def be_refused(zhou: Window) -> None:
    """The page was open before; the menu still leads there."""
    page = zhou.page
    with page.expect_navigation() as answer:
        zhou.choose_in_menu("学生花名册")
    assert answer.value.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("没有权限")
    said = "您没有“查看列表“学生””的权限。需要这项权限的，请联系本校总管理员在“授权管理”中授予。"
    expect(page.get_by_text(said)).to_be_visible()
