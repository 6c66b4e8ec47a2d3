"""The words on screen are the ones that were agreed on: menus, buttons, states, and the sentences that refuse.

The tables hold what has its place on the pages that there are; a procedure brings its own words along.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask

from app.core import codes
from app.extensions import db
from app.surfaces import menu
from app.translations import words
from tests import cast
from tests.accounts import text_of
from tests.cast import YIZHONG
from tests.client import Client
from tests.forms import opened

Login = Callable[..., Client]
PUPIL = cast.pupil("欧阳若曦")
FORM = f"/students/edit/{PUPIL}"

# --- the menu -----------------------------------------------------------------------------------------

SCHOOL = {
    "首页": ["首页"],
    "我的待办": [],
    "学校管理": ["学校基本信息", "校区管理", "年级管理", "班级管理"],
    "学籍管理": ["学生花名册", "异动查询", "学籍档案查询"],
    "系统管理": [
        "个人设置", "通讯录", "用户管理", "角色管理", "授权管理", "权限查询", "访问日志", "回收站",
    ],
    "帮助": ["操作指南", "数据字典"],
}  # fmt: skip
BUREAU = ["区域概览", "学校", "学生", "异动业务"]
BESIDE = {
    "草稿箱", "学段与主管部门", "班主任安排", "两步登录规定", "通知公告", "行政区划", "学年", "学期",
    "学段", "年级", "班级", "校区", "学籍记录", "学籍号历史", "家庭成员或监护人", "佐证材料",
}  # fmt: skip
"""Entries for what was not thought of."""


def menu_of(app: Flask, username: str) -> dict[str, list[str]]:
    with app.test_request_context():
        found = menu.groups(cast.actor(db.session(), username), "/")
        db.session.remove()
    return {group.label: [item.label for item in group.items] for group in found}


@pytest.mark.parametrize("username", ["li", "lin", "zhao", "zhou", "wang"])
def test_the_menu_of_a_school_has_these_entries_in_this_order(app: Flask, username: str) -> None:
    found = menu_of(app, username)
    assert list(found) == [group for group in SCHOOL if group in found]
    for group, labels in found.items():
        known = [label for label in labels if label not in BESIDE]
        assert known == [label for label in SCHOOL[group] if label in known], group


def test_somebody_of_a_school_has_every_entry(app: Flask) -> None:
    seen = {label for name in ("li", "lin") for labels in menu_of(app, name).values() for label in labels}
    assert {label for labels in SCHOOL.values() for label in labels} - seen == set()


@pytest.mark.parametrize("username", ["chen", "sun", "cheng"])
def test_the_menu_of_who_looks_on_has_these_entries_in_this_order(app: Flask, username: str) -> None:
    labels = menu_of(app, username)["主管部门查看"]
    assert [label for label in labels if label not in BESIDE] == BUREAU


# --- states -------------------------------------------------------------------------------------------

STATES = {
    "student_status": "待核准 在校 休学 转出 退学 开除 失踪 出国 其他离校 死亡 毕业 结业 肄业",
    "student_no_state": "临时 正式",
    "verification": "未核验 正常 问题学籍",
    "change_state": "草稿 待学校审核 待主管部门审核 待上级主管部门审核 待转出学校核办 待转出方主管部门核办 待调档 已办结 "
    "退回修改 审核不通过 已撤回 已清理",
}


@pytest.mark.parametrize("table", STATES)
def test_states_are_called_so(table: str) -> None:
    assert [label for _code, label in codes.table(table).all()] == STATES[table].split()


def test_class_sizes_are_called_so() -> None:
    labels = [label for _code, label in codes.table("class_band").all()]
    assert labels[1:6] == ["正常", "接近上限", "已满", "大班额（56–65人）", "超大班额（66人及以上）"]


# --- buttons ------------------------------------------------------------------------------------------

ROSTER = "/people/import/"
BUTTONS = [  # (who, page, what stands on it)
    ("lin", "/students/list/", "查询 重置 新增 打印花名册 打印学籍卡 查看完整号码 退出登录"),
    ("lin", f"/students/show/{PUPIL}", "修改 打印学籍卡 下一条 查看完整号码"),
    ("lin", f"/classes/show/{cast.class_of(YIZHONG, 7, 1)}", "修改 删除"),
    ("lin", FORM, "保存 暂存"),
    ("li", ROSTER, "下载模板 检查文件"),
]


@pytest.mark.parametrize(("username", "path", "labels"), BUTTONS)
def test_buttons_are_called_so(login: Login, username: str, path: str, labels: str) -> None:
    page = login(username).get(path)
    assert page.status_code == 200
    buttons = {
        re.sub(r"<[^>]+>", "", one).strip()
        for one in re.findall(
            r"<(?:a|button|summary)\b[^>]*>(.*?)</(?:a|button|summary)>", page.text, re.DOTALL
        )
    }
    assert set(labels.split()) - buttons == set()


# --- sentences ----------------------------------------------------------------------------------------

SENTENCES = {  # as they are written in the source, and where
    "%(what)s不正确，或账号已被锁定。连续输错%(n)s次将锁定%(minutes)s分钟；需要帮助请联系本校管理员或%(bureau)s。": "app/surfaces/entrance.py",
    "“%(label)s”属于关键数据，不能直接修改。请到“%(where)s”办理，并上传身份证或户口簿图片。": "app/core/scope.py",
    "日常管理—关键数据变更申请": "app/core/scope.py",
    "身份证件号末位校验码不正确。请对照户口簿逐位核对；证件确实如此的，请家长先到户籍派出所核实。": "app/areas/students/numbers.py",
    "%(name)s现有%(n)s人，已达上限%(cap)s人。": "app/areas/schools/seats.py",
    "可改选：%(classes)s；确需编入的，请报主管部门批准。": "app/areas/schools/seats.py",
    "第%(row)s行“%(column)s”：填写的是“%(value)s”，%(why)s；其他行不受影响。": "app/areas/people/roster.py",
    "%(who)s于%(when)s修改过这条记录。您填写的内容已保留，请逐项比对后选择保留哪一项。": "app/core/saving.py",
}
NEVER = re.compile(r"！|操作失败|注销(?!学籍)")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentences_stand_in_the_source_as_they_were_agreed_on(sentence: str) -> None:
    assert SENTENCES[sentence] in words.collect().get(sentence, [])


def test_no_sentence_shouts_or_says_that_something_failed() -> None:
    assert [one for one in words.collect() if NEVER.search(one)] == []
    assert "确定" not in words.collect()


def test_a_wrong_password_is_answered_so(anonymous: Client) -> None:
    answer = anonymous.post("/login/", data={"username": "lin", "password": "Wrong-2026-word"})
    assert re.search(
        r"账号或密码不正确，或账号已被锁定。连续输错5次将锁定30分钟；需要帮助请联系本校管理员或主管部门(（电话[\d-]+）)?。",
        text_of(answer),
    )


def test_a_wrong_check_digit_is_answered_so_while_one_types(login: Login) -> None:
    page = html.unescape(login("lin").get("/students/add").text)
    assert (
        "身份证件号末位校验码不正确。请对照户口簿逐位核对；证件确实如此的，请家长先到户籍派出所核实。" in page
    )


def test_two_who_meet_are_told_so(login: Login) -> None:
    lin, zhou = login("lin"), login("zhou")
    begun = opened(zhou, FORM).values
    assert lin.post(FORM, data=opened(lin, FORM).values | {"address": "澜江路9号"}).status_code == 302
    answer = zhou.post(FORM, data=begun | {"address": "澜江路7号"})
    assert re.search(
        r"林老师于\d{4}-\d\d-\d\d \d\d:\d\d修改过这条记录。您填写的内容已保留，请逐项比对后选择保留哪一项。",
        html.unescape(answer.text),
    )
