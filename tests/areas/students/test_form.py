"""The form of 72 items: all of them, in the order and the groups of the paper form."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.areas.students.models import Student
from app.core.entity import Entity
from app.core.fields import Field
from tests import cast, forms
from tests.client import Client

PAPER = {
    "基本信息": "姓名 性别 出生日期 出生地 籍贯 民族 国籍/地区 身份证件类型 身份证件号 港澳台侨外 政治面貌 健康状况 照片",
    "个人辅助信息": "姓名拼音 曾用名 身份证件有效期 户口所在地 户口性质 特长",
    "学籍信息": "学籍辅号 班内学号 年级 班级 入学年月 入学方式 就读方式 学生来源",
    "个人联系信息": "现住址 通信地址 家庭地址 联系电话 邮政编码 电子信箱 主页地址",
    "扩展信息": "是否独生子女 是否受过学前教育 是否留守儿童 是否进城务工人员随迁子女 是否孤儿 是否烈士或优抚子女"
    " 随班就读 残疾类型 是否由政府购买学位 是否需要申请资助 是否享受一补",
    "交通信息": "上下学距离（公里） 上下学交通方式 是否需要乘坐校车",
}
"""Items 1 to 48. The photo is taken on a page of its own."""
MEMBER = "姓名 关系 关系说明 民族 工作单位 现住址 户口所在地 联系电话 是否监护人 身份证件类型 身份证件号 职务"
"""Items 49 to 60, and 61 to 72 once more."""
FAMILY = "家庭成员或监护人"


def asked_in(entity: type[Entity]) -> list[Field]:
    return [one for one in entity.fields().values() if one.form or one.label == "照片"]


def test_the_items_are_those_of_the_paper_form_in_its_order() -> None:
    fields = [one for one in asked_in(Student) if one.section in PAPER]
    assert [(one.section, one.label) for one in fields] == [
        (section, label) for section, labels in PAPER.items() for label in labels.split()
    ]
    assert len(fields) + 2 * len(MEMBER.split()) == 72


def test_the_page_has_them_in_this_order_with_an_index_of_its_parts(
    login: Callable[[str], Client],
) -> None:
    page = login("lin").get("/students/add").text
    strip = page.partition('class="index"')[2].partition("</nav>")[0]
    index = re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', strip)
    assert [title for _anchor, title in index] == [*PAPER, FAMILY]
    assert all(f'id="{anchor}"' in page for anchor, _title in index)
    found = re.findall(r'<label class="form-label[^"]*" for="f-(family_member-)?[^"]*">(.*?)</label>', page)
    items = [label for labels in PAPER.values() for label in labels.split() if label != "照片"]
    assert [label for is_member, label in found if not is_member][: len(items)] == items
    members = [label for is_member, label in found if is_member]
    assert members[: len(MEMBER.split())] == MEMBER.split()


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("birthplace_code", "12位区划代码；乡镇、村不清楚的只填前6位"),
        ("left_behind", "父母外出三个月以上、孩子留在户籍地的为留守；单亲留守指一方外出"),
        ("family_member-0-is_guardian", "至少一人为“是”"),
    ],
)
def test_help_stands_at_its_field_and_is_read_with_it(
    login: Callable[[str], Client], name: str, help_: str
) -> None:
    page = login("lin").get("/students/add").text
    assert f'<p class="help" id="f-{name}-help">{help_}</p>' in page
    assert f'id="f-{name}" name="{name}" aria-describedby="f-{name}-help' in page


@pytest.mark.parametrize("also", [{}, {"family_member-0-gone": "1"}])
def test_a_required_item_left_empty_is_told_beside_a_family_that_is_there(
    login: Callable[[str], Client], also: dict[str, str]
) -> None:
    lin, path = login("lin"), f"/students/edit/{cast.pupil('欧阳若曦')}"
    typed = forms.opened(lin, path).values | {"ethnicity": "", "address": ""} | also
    assert "family_member-0-name" in typed
    answer = lin.post(path, data=typed)
    assert answer.status_code == 422
    assert "必填项“民族”为空" in answer.text
    assert "必填项“现住址”为空" in answer.text
    assert lin.get(path).text.count('name="family_member-0-name"') == 1
