"""The three jobs, each in its own window: 李老师 opens an account, the new clerk keeps records, 陈局长 looks on.

One test, because each takes up what the one before it left; 王老师 of the other school comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.forms import FAMILY, WHOLE_FORM, fill
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

CLERK, NEW_PASSWORD = "liu", "Qing-lan-2027"
FOUND, NEW_ADDRESS = "欧阳若曦", "青岚县城关镇学府街9号2栋301室"
ADDED = WHOLE_FORM["name"]
PROCEDURE = "日常管理—关键数据变更申请"


def test_the_three_jobs(enter: Callable[..., Window], open_window: Callable[..., Window]) -> None:
    password = open_an_account(enter("li"))

    clerk = open_window()
    come_in_for_the_first_time(clerk, password)
    edit_an_address(clerk)
    fail_to_edit_the_id_number(clerk)
    added = add_a_pupil(clerk)
    read_the_audit(clerk, added)

    look_on(enter("chen"), added)
    see_nothing(enter("wang"), added)


# --- 李老师 -------------------------------------------------------------------------------------------


def open_an_account(li: Window) -> str:
    """Opens the clerk's account, then grants the role; the one-time password is shown once."""
    page = li.page
    li.choose_in_menu("用户管理")
    li.follow("开通账号")
    li.type("账号", CLERK)
    li.type("姓名", "刘老师")
    li.type("联系电话", "14000000099")
    li.press("开通账号")
    expect(page.get_by_text("已为刘老师开通账号。")).to_be_visible()
    password = li.fact("一次性密码")

    li.follow("授权")
    page.get_by_label("角色", exact=True).select_option(label="学籍管理员")
    li.press("授权")
    expect(page.get_by_text("已授予刘老师“学籍管理员”。")).to_be_visible()
    expect(page.get_by_role("row", name="学籍管理员")).to_contain_text(f"{cast.YIZHONG}全校")
    assert password not in page.content(), "shown once means once"
    return password


# --- the new clerk ------------------------------------------------------------------------------------


def come_in_for_the_first_time(clerk: Window, password: str) -> None:
    """Every address leads to the change of the password until it is changed."""
    page = clerk.page
    clerk.log_in(CLERK, password)
    page.goto("/students/list/")
    assert clerk.path == "/account/password"
    clerk.type("原密码", password)
    clerk.type("新密码", NEW_PASSWORD)
    clerk.type("再次填写新密码", NEW_PASSWORD)
    clerk.press("修改密码")
    expect(page.get_by_text("密码已修改")).to_be_visible()


def edit_an_address(clerk: Window) -> None:
    """Finds the pupil by the initials of the name's pinyin."""
    page = clerk.page
    clerk.choose_in_menu("学生花名册")
    clerk.search("oyrx")
    expect(page.locator("tbody tr")).to_have_count(1)
    clerk.follow(FOUND)
    clerk.follow("修改")
    page.locator("[name=address]").fill(NEW_ADDRESS)
    clerk.press("保存")
    expect(page.get_by_text(f"已保存学生“{FOUND}”。")).to_be_visible()
    assert clerk.fact("现住址") == NEW_ADDRESS


def fail_to_edit_the_id_number(clerk: Window) -> None:
    """The form greys it and says where to go; a form that was tampered with gets the same sentence."""
    page = clerk.page
    clerk.follow("修改")
    number = page.get_by_label("身份证件号", exact=True).first
    expect(number).not_to_be_editable()
    expect(number).to_have_accessible_description(
        re.compile(
            f"“身份证件号”属于关键数据，不能直接修改。请到“{PROCEDURE}”办理，并上传身份证或户口簿图片。$"
        )
    )

    page.evaluate(
        """number => {
            const forged = Object.assign(document.createElement('input'), {name: 'id_number', value: number});
            document.querySelector('form[data-guard]').append(forged);
        }""",
        cast.id_number(cast.pupil("王子涵")),
    )
    with page.expect_navigation() as answer:
        clerk.press("保存")
    assert answer.value.status == 422
    expect(page.get_by_role("alert")).to_contain_text("身份证件号")
    expect(page.get_by_role("alert")).to_contain_text(PROCEDURE)

    page.goto(f"/students/show/{cast.pupil(FOUND)}")
    own = cast.id_number(cast.pupil(FOUND))
    assert clerk.fact("身份证件号") == own[0] + "*" * 16 + own[-1]


def add_a_pupil(clerk: Window) -> int:
    """Fills every item of the national form, two family members included. Gives the new pupil's id."""
    page = clerk.page
    clerk.choose_in_menu("学生花名册")
    clerk.follow("新增")
    fill(page, WHOLE_FORM)
    for n, member in enumerate(FAMILY):  # the form opens with one row
        if n:
            clerk.press("增加一行")
        fill(page, member, f"family_member-{n}-")
    clerk.press("保存")
    expect(page.get_by_text(f"已保存学生“{ADDED}”。")).to_be_visible()

    expect(page.locator(".badges")).to_contain_text("待核准")
    assert clerk.fact("学籍号") == ""
    assert clerk.fact("班级") == "七年级（1）班"
    assert clerk.fact("家庭地址") == WHOLE_FORM["home_address"]
    relatives = page.locator("section", has=page.get_by_role("heading", name="家庭成员或监护人"))
    for member in FAMILY:
        expect(relatives).to_contain_text(member["name"])

    clerk.choose_in_menu("学生花名册")
    clerk.search(ADDED)
    expect(page.locator("tbody tr")).to_contain_text("待核准")
    clerk.follow(ADDED)
    return int(clerk.path.partition("?")[0].rpartition("/")[2])


def read_the_audit(clerk: Window, added: int) -> None:
    """Beside the pupil as a time-line, and in the log of the school."""
    page = clerk.page
    page.goto(f"/students/show/{cast.pupil(FOUND)}")
    latest = page.locator(".timeline > li").first
    expect(latest).to_contain_text("修改学生")
    expect(latest).to_contain_text("刘老师")
    expect(latest).to_contain_text("现住址")
    expect(latest.locator(".was")).to_have_text(str(cast.PLAIN["address"]))
    expect(latest.locator(".now")).to_have_text(NEW_ADDRESS)

    page.goto(f"/students/show/{added}")
    expect(page.locator(".timeline > li")).to_have_count(1 + len(FAMILY))
    expect(page.locator(".timeline")).to_contain_text("新增学生")

    clerk.choose_in_menu("访问日志")
    mine = page.locator("tbody tr").filter(has_text="刘老师")
    for act, what in (("登录", "人员"), ("修改", "学生"), ("新增", "学生"), ("新增", "家庭成员或监护人")):
        expect(mine.filter(has_text=act).filter(has_text=what).first).to_be_visible()
    mine.filter(has_text="修改").filter(has_text="学生").first.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text(NEW_ADDRESS)


# --- 陈局长 -------------------------------------------------------------------------------------------


def look_on(chen: Window, added: int) -> None:
    """Region, school, class, pupil; and on none of these pages anything that changes something."""
    page = chen.page
    page.goto("/bureau/")
    expect(page.get_by_role("heading", level=1)).to_have_text("青岚县区域概览")
    assert_only_reads(chen)
    for name in (cast.YIZHONG, "七年级（1）班", ADDED):
        page.get_by_role("rowheader", name=name, exact=True).get_by_role("link").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        assert_only_reads(chen)
    assert chen.path == f"/bureau/students/show/{added}"
    expect(page.locator(".badges")).to_contain_text("待核准")
    assert page.get_by_text(FAMILY[0]["name"]).count() == 0, "the family is hidden from the bureau"

    assert [chen.status_of(f"/students/{way}/{added}") for way in ("edit", "delete")] == [403, 403]
    assert chen.status_of("/students/add") == 403


def assert_only_reads(chen: Window) -> None:
    """What a viewer may send stands outside /bureau: log out, change the language, arrange a list, look up a number,
    state a reason."""
    chen.settle()
    posts = chen.page.locator("form[method=post]").evaluate_all(
        "forms => forms.map(f => new URL(f.action).pathname)"
    )
    assert {path.split("/")[1] for path in posts} <= {
        "find",
        "language",
        "lists",
        "logout",
        "reveal",
        "search",
    }
    links = chen.page.locator("main a[href]").evaluate_all(
        "links => links.map(a => new URL(a.href).pathname)"
    )
    ways = ("/edit", "/add", "/delete", "/grant", "/open")
    assert not [path for path in links if any(way in path for way in ways)]
    assert links
    assert all(path.startswith("/bureau/") or path == "/" for path in links)


# --- 王老师 -------------------------------------------------------------------------------------------


def see_nothing(wang: Window, added: int) -> None:
    """Everything of the other school is as if it were not there."""
    page = wang.page
    found, place = cast.pupil(FOUND), cast.class_of(cast.YIZHONG, 7, 1)
    paths = [f"/students/{way}/{id_}" for way in ("show", "edit", "delete") for id_ in (added, found)]
    paths += [f"/classes/show/{place}", f"/schools/show/{cast.school(cast.YIZHONG)}"]
    paths += [f"/api/v1/students/{added}", f"/api/v1/classes/{place}"]
    assert {path: wang.status_of(path) for path in paths} == dict.fromkeys(paths, 404)

    listed = wang.context.request.get("/api/v1/students/").json()["result"]
    own = {n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == cast.CHENGGUAN}
    assert {one["id"] for one in listed} == own

    page.goto(f"/students/show/{added}")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有找到")
    assert ADDED not in page.content()

    wang.choose_in_menu("学生花名册")
    expect(page.get_by_role("link", name="吴佳怡")).to_be_visible()
    assert page.get_by_role("link", name=ADDED).count() == 0
    for typed in (ADDED, FOUND, "oyrx"):
        wang.search(typed)
        expect(page.get_by_role("heading", name="没有符合条件的记录")).to_be_visible()
    wang.search(cast.id_number(found))
    expect(page.get_by_text("没有找到这个号码。")).to_be_visible()
