"""The whole national form as a clerk would fill it in, and how a form is filled."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Page

from app.areas.students import numbers
from tests import cast


def _number(first: str) -> str:
    return first + numbers.check_digit(first)


WHOLE_FORM = {
    # 基本信息
    "name": "高晓松",
    "gender": "1",
    "born_on": "2014-04-04",
    "birthplace_code": "519921100001",
    "native_place": "澜川市青岚县",
    "ethnicity": "01",
    "nationality": "CHN",
    "id_type": "1",
    "id_number": _number(f"{cast.QINGLAN}20140404901"),
    "overseas": "00",
    "political_status": "13",
    "health": "50",
    # 个人辅助信息
    "pinyin": "gao xiao song",
    "former_name": "高小松",
    "id_valid": "20200601-20300601",
    "residence_code": "519921100001",
    "residence_type": "1",
    "talent": "乒乓球",
    # 学籍信息
    "auxiliary_no": "51A2026",
    "number_in_class": "56",
    "grade_id": str(cast.grade(cast.YIZHONG, 7)),
    "class_id": str(cast.class_of(cast.YIZHONG, 7, 1)),
    "entry_month": "202609",
    "entry_way": "11",
    "boarding": "1",
    "source": "1",
    # 个人联系信息
    "address": "青岚县城关镇解放路8号",
    "mail_address": "青岚县城关镇解放路8号",
    "home_address": "青岚县白石镇三村2组",
    "phone": "14012345678",
    "post_code": "646000",
    "email": "gao@example.cn",
    "home_page": "https://example.cn/gao",
    # 扩展信息
    "is_only_child": "1",
    "had_preschool": "1",
    "left_behind": "0",
    "is_migrant_child": "0",
    "is_orphan": "0",
    "is_martyr_child": "0",
    "in_class_special": "9",
    "disability": "3",
    "is_place_bought": "0",
    "needs_aid": "0",
    "has_subsidy": "0",
    # 交通信息
    "distance_km": "3",
    "transport": "1",
    "needs_school_bus": "0",
}
"""Items 1 to 48 without the photo, which is taken later."""


def _member(name: str, relation: str, phone: str, id_number: str) -> dict[str, str]:
    return {
        "name": name,
        "relation": relation,
        "relation_note": "亲生",
        "ethnicity": "01",
        "workplace": "青岚县供销社",
        "address": "青岚县城关镇解放路8号",
        "residence_code": "519921100001",
        "phone": phone,
        "is_guardian": "1",
        "id_type": "1",
        "id_number": id_number,
        "position": "职员",
    }


FAMILY = (
    _member("高国强", "51", "14012345678", _number(f"{cast.QINGLAN}19850612903")),
    _member("宋晓梅", "52", "14087654321", _number(f"{cast.QINGLAN}19870923902")),
)
"""Items 49 to 60 and 61 to 72."""


def fill(page: Page, words: Mapping[str, str], prefix: str = "") -> None:
    """Types into every input of the form under `prefix`. Inputs and words must be the same set."""
    form = page.locator("form[data-guard]")
    tags = dict(
        form.locator("[name]:not([type=hidden], button)").evaluate_all(
            "all => all.map(i => [i.name, i.tagName])"
        )
    )
    mine = {name.removeprefix(prefix) for name in tags if name.startswith(prefix)}
    assert {name for name in mine if "-" not in name} - {"gone"} == set(words)
    for name, value in words.items():
        box = form.locator(f"[name='{prefix}{name}']")
        if tags[prefix + name] == "SELECT":
            box.select_option(value)
        else:
            box.fill(value)
