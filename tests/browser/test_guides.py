"""The pictures of the guides: each is the end of a walk through the pages, so a guide cannot show what is no more.

Every run takes the walks and compares what the page says with what it said in the picture (`beside_pictures`); the
pictures themselves are written with UPDATE_PICTURES=1, or where one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.beside_pictures import IMAGES, take_or_compare
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

DOCS = Path(__file__).resolve().parents[2] / "docs"
SIZE = (1200, 720)
PUPIL = "欧阳若曦"
Walk = Callable[[Window], None]
PICTURES: dict[str, tuple[str, Walk]] = {}
"""Name of the file → who walks ("" for nobody), and how."""


def picture(name: str, username: str) -> Callable[[Walk], Walk]:
    def keep(walk: Walk) -> Walk:
        PICTURES[f"{name}.png"] = (username, walk)
        return walk

    return keep


def title(window: Window, text: str) -> None:
    expect(window.page.get_by_role("heading", level=1)).to_have_text(text)


# --- everybody ----------------------------------------------------------------------------------------


@picture("login", "")
def login(window: Window) -> None:
    window.page.goto("/login/")
    title(window, "登录")


@picture("find", "lin")
def find(window: Window) -> None:
    window.page.keyboard.press("Control+k")
    window.page.get_by_role("combobox", name="查找").fill("oyrx")
    expect(window.page.get_by_role("listbox", name="查找结果").get_by_role("option").first).to_be_visible()


@picture("account", "zhou")
def account(window: Window) -> None:
    window.page.get_by_role("banner").get_by_role("link", name="个人设置").click()
    expect(window.page.get_by_role("link", name="开启两步登录")).to_be_visible()
    expect(window.page.get_by_role("heading", name="我的登录")).to_be_visible()


# --- super-admin --------------------------------------------------------------------------------------


@picture("people", "li")
def people(window: Window) -> None:
    window.choose_in_menu("用户管理")
    expect(window.page.get_by_role("link", name="批量开通")).to_be_visible()


@picture("open-many", "li")
def open_many(window: Window) -> None:
    people(window)
    window.follow("批量开通")
    expect(window.page.get_by_role("link", name="下载模板")).to_be_visible()
    expect(window.page.get_by_role("button", name="检查文件")).to_be_visible()


@picture("role", "li")
def role(window: Window) -> None:
    window.choose_in_menu("角色管理")
    window.page.get_by_role("row", name="学籍管理员").get_by_role("link", name="复制").click()
    window.type("角色名称", "七年级学籍员")
    window.page.get_by_label("删除“学生”", exact=True).uncheck()


@picture("grant", "li")
def grant(window: Window) -> None:
    _open_person(window, "小周")
    window.follow("授权")
    window.page.get_by_label("角色", exact=True).select_option(label="班主任")
    window.page.get_by_label("八年级（1）班", exact=True).check()


@picture("withdraw", "li")
def withdraw(window: Window) -> None:
    _open_person(window, "小周")
    window.page.get_by_role("row", name="班主任").get_by_role("link", name="收回").click()
    expect(window.page.get_by_role("button", name="确认收回授权")).to_be_visible()


@picture("teachers", "li")
def teachers(window: Window) -> None:
    window.choose_in_menu("班主任安排")
    expect(window.page.get_by_role("button", name="下一步")).to_be_visible()


@picture("why", "li")
def why(window: Window) -> None:
    window.choose_in_menu("权限查询")
    window.page.get_by_label("谁", exact=True).select_option(label="小周")
    window.page.get_by_label("哪类记录", exact=True).select_option(label="学生")
    window.page.get_by_label("或：某班的一名学生", exact=True).select_option(label="八年级（1）班")
    window.press("查询")
    expect(window.page.get_by_role("heading", name="查询结果")).to_be_attached()


def _open_person(window: Window, name: str) -> None:
    people(window)
    window.follow(name)


# --- clerk --------------------------------------------------------------------------------------------


@picture("find-pupil", "lin")
def find_pupil(window: Window) -> None:
    window.choose_in_menu("学生花名册")
    window.search("oyrx")
    expect(window.page.locator("tbody tr")).to_have_count(1)


@picture("pupil", "lin")
def pupil(window: Window) -> None:
    """With something in the time-line that somebody did."""
    edit_pupil(window)
    window.page.locator("[name=address]").fill("青岚县城关镇学府街9号")
    window.press("保存")
    timeline = window.page.get_by_role("complementary", name="时间线")
    expect(timeline.get_by_text("林老师").first).to_be_visible()


def _open_pupil(window: Window) -> None:
    find_pupil(window)
    window.follow(PUPIL)


@picture("edit-pupil", "lin")
def edit_pupil(window: Window) -> None:
    _open_pupil(window)
    window.follow("修改")
    expect(window.page.get_by_role("button", name="保存", exact=True)).to_be_visible()


@picture("family", "lin")
def family(window: Window) -> None:
    edit_pupil(window)
    window.page.get_by_role("navigation", name="本页各栏").get_by_role("link", name="家庭成员").click()
    expect(window.page.get_by_label("保存时删除").first).to_be_visible()


@picture("reveal", "lin")
def reveal(window: Window) -> None:
    _open_pupil(window)
    window.page.locator("summary", has_text="查看完整号码").click()
    window.type("查看事由", "核对户口簿")


@picture("conflict", "lin")
def conflict(window: Window) -> None:
    """A second tab of the same clerk saves first."""
    edit_pupil(window)
    first, other = window.page, window.context.new_page()
    other.goto(first.url)
    other.locator("[name=address]").fill("青岚县城关镇解放路11号")
    other.get_by_role("button", name="保存", exact=True).click()
    expect(other.get_by_text(f"已保存学生“{PUPIL}”。")).to_be_visible()
    other.close()
    first.locator("[name=address]").fill("青岚县城关镇学府街9号")
    window.press("保存")
    expect(first.get_by_role("alert").get_by_role("row", name="现住址")).to_be_visible()


@picture("new-grade", "lin")
def new_grade(window: Window) -> None:
    window.choose_in_menu("年级管理")
    window.follow("开设新年级")
    expect(window.page.get_by_role("button", name="开设年级和班级")).to_be_visible()


@picture("print-roster", "lin")
def print_roster(window: Window) -> None:
    window.choose_in_menu("学生花名册")
    window.follow("打印花名册")
    title(window, "打印花名册")


# --- leader, bureau -----------------------------------------------------------------------------------


@picture("leader-home", "zhao")
def leader_home(window: Window) -> None:
    expect(window.page.get_by_role("link", name="待核准的学生")).to_be_visible()


@picture("overview", "chen")
def overview(window: Window) -> None:
    window.choose_in_menu("区域概览")
    expect(window.page.get_by_role("heading", name="本级主管的学校")).to_be_visible()


@picture("bureau-pupils", "chen")
def bureau_pupils(window: Window) -> None:
    window.choose_in_menu("学生")
    window.search("王子涵")
    expect(window.page.locator("tbody tr")).to_have_count(3)


@picture("new-school", "he")
def new_school(window: Window) -> None:
    window.choose_in_menu("学校基本信息")
    window.follow("新增")
    title(window, "新增学校")


@picture("notice", "he")
def notice(window: Window) -> None:
    window.choose_in_menu("通知公告")
    window.follow("新增")
    window.type("标题", "本学期人籍一致核查")


# --- the way to them ----------------------------------------------------------------------------------


def test_help_opens_at_the_section_about_the_page(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    find_pupil(window)
    window.page.get_by_role("banner").get_by_role("link", name="帮助").click()
    title(window, "使用指南：学籍管理员和班主任")
    expect(window.page.get_by_role("heading", name="找到一名学生")).to_be_in_viewport()
    shown = window.page.get_by_role("img", name="查找学生")
    assert shown.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") == SIZE[0]


# --- taking them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_shows_what_the_page_says_today(
    enter: Callable[..., Window], open_window: Callable[..., Window], name: str
) -> None:
    username, walk = PICTURES[name]
    window = enter(username, size=SIZE) if username else open_window(size=SIZE)
    walk(window)
    take_or_compare(window.page, IMAGES / name)


def test_a_word_that_changed_on_the_page_is_noticed(
    open_window: Callable[..., Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UPDATE_PICTURES", raising=False)
    window = open_window(size=SIZE)
    login(window)
    window.page.get_by_role("button", name="登录").evaluate("(button) => { button.textContent = '进入'; }")
    with pytest.raises(
        AssertionError,
        match=r"login\.png is out of date.* UPDATE_PICTURES=1(?s:.*)-button \"登录\"\n\+button \"进入\"",
    ):
        take_or_compare(window.page, IMAGES / "login.png")


def test_the_guides_show_the_pictures_that_are_taken_and_no_others() -> None:
    named: set[str] = set()
    for path in DOCS.glob("guide-*.md"):
        named.update(re.findall(r"!\[[^\]]+\]\(images/([\w-]+\.png)\)", path.read_text(encoding="utf-8")))
    assert named == set(PICTURES)
    assert {path.name for path in IMAGES.glob("*.png")} == {*PICTURES, "students.png"}
    assert {path.stem for path in IMAGES.glob("*.txt")} == {path.stem for path in IMAGES.glob("*.png")}
