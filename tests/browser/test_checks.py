"""What a page says of a form while one types: the same sentences as the server, and nothing where the server is content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page, expect

from tests import cast
from tests.browser.forms import FAMILY, WHOLE_FORM, _number, fill
from tests.browser.windows import PHONE, Window

pytestmark = pytest.mark.browser

ROW = "family_member-0-"
AREA = cast.QINGLAN
BOY, GIRL = WHOLE_FORM["id_number"], _number(f"{AREA}20140404902")
WRONG_DIGIT = BOY[:17] + ("0" if BOY[17] != "0" else "1")
PERMIT = _number("81000020140404901")

ONE_BY_ONE: Mapping[str, tuple[str, ...]] = {
    "name": (
        "", " ", "高", "高晓松", " 高晓松 ", "高 晓松", "高晓松1", "Gao", "Gao Xiao", "阿卜杜拉·买买提", "·高晓松",
        "阿卜杜拉•买买提", "阿里.木", "高\u200b晓松", "高\ue000松", "⼀二三", "高😀松", "=高", "-高", "-", "@高", "高" * 50,
        "高" * 51, "高" * 201, "𠮷野家", "㐂乐", "〇二三", "é", "Gao高", "\x07高松", "高\ufffd松", "\u2029",
    ),
    "born_on": (
        "20140404", "2014-4-4", "2014.4.4", "2014/4/4", "2014年4月4日", "２０１４０４０４", "2014 4 4", "2014。4。4",
        "2014年04月04号", "2014－4－4", "2014-02-30", "20140230", "201444", "2014", "昨天", "18991231", "22010101",
        "19000101", "20140405", "00000101", "2014-4", "٢٠١٤٠٤٠٤", "",
    ),
    "birthplace_code": ("519921", "519921100", "519921100001", "５１９９２１", "51 99 21", "5199", "009921", "abc", ""),
    "native_place": ("", "澜川", "+1", "籍" * 60, "籍" * 61, "籍" * 300, "★", "☎", "→"),
    "id_number": (
        "", BOY, BOY.lower(), f" {BOY} ", f"{BOY[:6]} {BOY[6:]}", GIRL, WRONG_DIGIT, BOY[:17], BOY + "1", BOY[:15],
        "1" * 15, "a" * 18, "5" * 18, f"99{BOY[2:]}", f"{AREA}201413040011", f"{AREA}209904040011",
        f"{AREA}18000404901X", _number(f"{AREA}20140405901"), "１" * 18, "9" * 21, "9" * 201, PERMIT, "ABC12345",
        _number(f"{AREA}20990404901"), _number(f"{AREA}18000404901"), "*" * 18, "X" * 18,
    ),
    "pinyin": ("gao xiao song", "lü", "高", "gao1", "gao-xiao", "ｇａｏ", ""),
    "former_name": ("高小松", "高小松1", ""),
    "id_valid": ("20200601-20300601", "长期", "20200601—长期", "20200601至20300601", ""),
    "residence_code": ("519921", "1", ""),
    "auxiliary_no": ("51a", "５１", "=1", "a" * 31, "51\u200b2"),
    "number_in_class": ("1", "a" * 21),
    "entry_month": (
        "202609", "2026-9", "2026.9", "2026年9月", "２０２６０９", "2026/09", "202613", "202600", "26-9", "九月", "201301",
        "209901", "201404", "201405", "",
    ),
    "phone": ("", "14012345678", "１４０１２３４５６７８", "0830-1234567", "08301234567-12", "1234567", "123", "140****5678",
              "140 1234 5678", "+86 140-1234-5678", "0086 14012345678", "＋86　140 1234 5678", "+1 4012345678", "140  1234567",
              "+86 0830-1234567", "+86-830-1234567", "＋86（0830）1234567", "0086 010 12345678-12", "+86 138-00001234-5",
              "+86 0830-123456", "+86 0810-1234567", "+86 0110-1234567"),
    "post_code": ("646000", "６４６０００", "64600", "6460000", "abcdef", ""),
    "email": ("a@b.cn", "a@b", "a b@c.cn", "a@b..cn", "\"a\"@b.cn", "a@" + "b" * 60 + ".cn", ""),
    "home_page": ("http://a.cn", "a.cn", "https://a b.cn", "https://", ""),
    "distance_km": ("3", "３", " 3 ", "3.5", "3公里", "-1", "1000", "999", "1234567890123", ""),
    "gender": ("1", "2", ""),
    "left_behind": ("0", "1", ""),
    "in_class_special": ("0", "1", "9", ""),
    "disability": ("0", "1", "3", "7", ""),
    ROW + "name": ("高国强", "高", "", "Gao Guo"),
    ROW + "relation_note": ("亲生", ""),
    ROW + "id_number": ("", WRONG_DIGIT, "1" * 15, GIRL, _number(f"{AREA}19850612903")),
    ROW + "phone": ("14012345678", "1", ""),
}  # fmt: skip

TOGETHER: tuple[dict[str, str], ...] = (
    {"id_type": "A", "id_number": BOY},
    {"id_type": "A", "id_number": "E12345678"},
    {"id_type": "A", "id_number": "E1234 5678"},
    {"id_type": "A", "id_number": "12-34"},
    {"id_type": "A", "id_number": ""},
    {"id_type": "A", "name": "Gao Xiao Song", "id_number": "E12345678"},
    {"id_type": "A", "name": "Gao  Xiao", "id_number": "E12345678"},
    {"id_type": "A", "name": "Gao1", "id_number": "E12345678"},
    {"id_type": "A", "name": "Anna-Maria O'Neill", "id_number": "E12345678"},
    {"id_type": "A", "name": "A" + "a" * 40 + "!", "id_number": "E12345678"},
    {"id_type": "A", "name": "Gao高", "id_number": "E12345678"},
    {"id_type": "6", "id_number": "A123456(7)"},
    {"id_type": "6", "id_number": "A1(7)"},
    {"id_type": "7", "id_number": "1/234567/8"},
    {"id_type": "8", "id_number": "12345678"},
    {"id_type": "8", "id_number": "1234567"},
    {"id_type": "P", "id_number": PERMIT},
    {"id_type": "P", "id_number": BOY},
    {"id_type": "Z", "id_number": "随便"},
    {"gender": "2", "id_number": GIRL},
    {"gender": "2", "id_number": WRONG_DIGIT},
    {"born_on": "2014-04-05", "id_number": WRONG_DIGIT},
    {"born_on": "20140405", "id_number": f"99{BOY[2:]}"},
    {"born_on": "20250405", "id_type": "Z", "id_number": "1"},
    {"born_on": "19500405", "id_type": "Z", "id_number": "1"},
    {"left_behind": "1", "is_migrant_child": "1"},
    {"in_class_special": "1", "disability": "0"},
    {"in_class_special": "1", "disability": "1"},
    {"in_class_special": "2", "disability": "1"},
    {"in_class_special": "9", "disability": "7"},
    {"in_class_special": "3", "disability": "5"},
    {"in_class_special": "", "disability": "5"},
    {"entry_month": "201403"},
    {"entry_month": "201403", "born_on": "2014-03-31", "id_type": "Z", "id_number": "1"},
    {ROW + "relation": "97", ROW + "relation_note": ""},
    {ROW + "relation": "99", ROW + "relation_note": "同学"},
    {ROW + "id_type": "", ROW + "id_number": BOY},
    {ROW + "id_type": "A", ROW + "id_number": "E12345678"},
    {ROW + "id_type": "A", ROW + "id_number": BOY},
)
CASES = [*({name: value} for name, values in ONE_BY_ONE.items() for value in values), *TOGETHER]

TYPE = """words => {
    const box = name => document.querySelector(`form[data-guard] [name="${name}"]`);
    const send = (name, kind) => box(name).dispatchEvent(new Event(kind, { bubbles: true }));
    Object.entries(words).forEach(([name, value]) => { box(name).value = value; send(name, 'input'); });
    Object.keys(words).forEach((name) => { send(name, 'change'); send(name, 'focusout'); });
}"""
SAYS = """() => Object.fromEntries(Array.from(document.querySelectorAll('form[data-guard] .error'),
    p => [p.id.slice(2, -4), p.firstElementChild.textContent]))"""


def form_at(window: Window, path: str) -> Page:
    """The form; what is typed into it is kept by nobody, so that the next test finds it empty."""
    window.page.route("**/drafts/keep", lambda route: route.fulfill(json={"at": None}))
    window.page.goto(path)
    return window.page


def said_by_page(page: Page, words: Mapping[str, str]) -> dict[str, str]:
    page.evaluate(TYPE, dict(words))
    return dict(page.evaluate(SAYS))


def said_by_server(page: Page, words: Mapping[str, str]) -> dict[str, str]:
    """Posted with one thing that is refused whatever the rest is, so that nothing is ever saved."""
    form = page.evaluate("() => Object.fromEntries(new FormData(document.querySelector('form[data-guard]')))")
    answer = page.request.post("/students/add", form=form | dict(words) | {"unheard_of": "1"})
    assert answer.status == 422
    text = answer.text()
    return dict(re.findall(r'id="f-([\w-]+)-err"><span>(.*?)</span>', text))


def test_the_page_says_what_the_server_says_and_nothing_else(enter: Callable[..., Window]) -> None:
    page = form_at(enter("lin"), "/students/add")
    fill(page, WHOLE_FORM)
    fill(page, FAMILY[0], ROW)
    assert said_by_page(page, WHOLE_FORM) == {}
    whole = WHOLE_FORM | {ROW + name: value for name, value in FAMILY[0].items()}
    differing = []
    for words in CASES:
        before = {name: whole[name] for name in words}
        here = said_by_page(page, words)
        there = said_by_server(page, words)
        if here != there:
            differing.append((words, here, there))
        left = said_by_page(page, before)
        assert left == {}, (words, left)
    assert not differing


def test_it_complains_when_one_leaves_a_field_and_takes_it_back_as_one_types(
    enter: Callable[..., Window],
) -> None:
    page = form_at(enter("lin", size=PHONE), "/students/add")
    box, complaint = page.get_by_label("邮政编码"), page.locator("#f-post_code-err")
    box.focus()
    page.keyboard.press("Tab")
    expect(complaint).to_have_count(0)  # nothing was typed yet
    box.press_sequentially("64600")
    expect(complaint).to_have_count(0)
    page.keyboard.press("Tab")
    expect(complaint).to_have_text("邮政编码应为6位数字。")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_attribute("aria-describedby", re.compile("f-post_code-err"))
    expect(page.get_by_role("status").filter(has_text="邮政编码：邮政编码应为6位数字。")).to_have_count(1)
    box.press("End")
    box.press_sequentially("1")
    expect(complaint).to_have_count(0)
    expect(box).not_to_have_attribute("aria-invalid", "true")


def test_a_complaint_about_two_fields_goes_when_the_other_one_is_put_right(
    enter: Callable[..., Window],
) -> None:
    window = enter("lin")
    page = form_at(window, "/students/add")
    fill(page, WHOLE_FORM | {"born_on": "20140405"})
    fill(page, FAMILY[0], ROW)
    page.locator("[name=id_number]").blur()
    complaint = page.locator("#f-born_on-err")
    expect(complaint).to_contain_text("出生日期与身份证件号不一致。")
    window.press("保存")  # never in the way of saving: the server says the same
    expect(page.locator("#complaints")).to_be_focused()
    expect(complaint).to_contain_text("出生日期与身份证件号不一致。")
    page.get_by_role("link", name="出生日期", exact=True).click()
    expect(page.locator("[name=born_on]")).to_be_focused()
    page.locator("[name=id_number]").fill(_number(f"{AREA}20140405901"))
    page.locator("[name=id_number]").blur()
    expect(complaint).to_have_count(0)


def test_what_is_hidden_and_left_alone_raises_nothing(enter: Callable[..., Window]) -> None:
    page = form_at(enter("lin"), f"/students/edit/{cast.pupil('欧阳若曦')}")
    box, complaint = page.locator("[name=phone]"), page.locator("#f-phone-err")
    hidden = box.input_value()
    assert "*" in hidden
    box.fill(hidden + "*")
    box.blur()
    expect(complaint).to_contain_text("含有星号，是隐藏后的内容。")
    box.fill(hidden)
    box.blur()
    expect(complaint).to_have_count(0)


def test_a_day_is_typed_as_one_likes_or_taken_from_the_calendar(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    page = form_at(window, "/students/add")
    box = page.get_by_label("出生日期")
    for typed in ("20150903", "2015-9-3", "2015.9.3", "2015年9月3日", "2015/9/3", "２０１５０９０３"):
        box.fill("")
        box.press_sequentially(typed)
        page.keyboard.press("Tab")
        expect(box).to_have_value("2015-09-03")
    box.fill("2015年13月1日")
    box.blur()
    expect(box).to_have_value("2015年13月1日")
    expect(page.locator("#f-born_on-err")).to_have_text("日历上没有这一天。请核对年、月、日。")
    expect(page.get_by_role("button", name="打开日历").first).to_be_visible()
    picker = page.locator(".field:has(#f-born_on) .picker")
    picker.evaluate(
        "i => { i.value = '2016-02-29'; i.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    expect(box).to_have_value("2016-02-29")
    expect(page.locator("#f-born_on-err")).to_have_count(0)

    page.goto("/stays/list/")
    page.get_by_text("筛选", exact=True).click()
    page.get_by_label("入校日期，从").fill("2001年9月1日")
    page.get_by_label("入校日期，从").press("Enter")
    expect(page.get_by_role("link", name="入校日期 ≥ 2001-09-01")).to_be_visible()
