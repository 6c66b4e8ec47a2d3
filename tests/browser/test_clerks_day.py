"""A clerk's first day, told nothing beforehand: at a desk and on a phone, in light and in dark, by keyboard alone, without
script. Each step leaves a picture in `pictures/` to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Download, Locator, Page, expect
from pypdf import PdfReader

from tests import cast
from tests.browser.windows import DESK, PHONE, Window
from tests.photos import sent

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]
PICTURES = Path(__file__).parent / "pictures"
PUPIL, INITIALS, ADDRESS = "欧阳若曦", "oyrx", "青岚县城关镇学府街9号2栋301室"
CLASS = "七年级（1）班"
MISSING = ["赵六六", "钱七七", "孙八八"]
TABS_MOST = 250
IS_SEEN_TO_BE_HERE = """e => {
    const style = getComputedStyle(e);
    return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
}"""


@dataclass
class Hands:
    """How the clerk works: with a mouse or a finger; with `by_keys`, with the keyboard only."""

    window: Window
    name: str
    by_keys: bool = False
    has_script: bool = True

    @property
    def page(self) -> Page:
        return self.window.page

    def use(self, what: Locator) -> None:
        """Presses a button or follows a link."""
        if self.by_keys:
            self._reach(what)
            what.press("Enter")
        else:
            what.click()
        self.window.settle()

    def write(self, what: Locator, text: str) -> None:
        if self.by_keys:
            self._reach(what)
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(text)
        else:
            what.fill(text)

    def choose(self, what: Locator, label: str) -> None:
        if self.by_keys:
            self._reach(what)
            while what.evaluate("e => e.selectedOptions[0].label") != label:
                self.page.keyboard.press("ArrowDown")
        else:
            what.select_option(label=label)

    def _reach(self, what: Locator) -> None:
        """By Tab, from wherever the focus is: what cannot be reached so, or is not seen to be, fails here."""
        for _press in range(TABS_MOST):
            if what.evaluate("e => e === document.activeElement"):
                assert what.evaluate(IS_SEEN_TO_BE_HERE)
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {what}")

    def look(self, step: str) -> None:
        """A picture of the whole page, which must not be wider than the window."""
        assert not self.window.has_sideways_scroll(), step
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{self.name}-{step}.png", full_page=True)


WAYS = {
    "desk-light": {"color_scheme": "light"},
    "desk-dark": {"color_scheme": "dark"},
    "phone-light": {"color_scheme": "light", "size": PHONE},
    "phone-dark": {"color_scheme": "dark", "size": PHONE},
    "without-script": {"java_script_enabled": False},
    "by-keyboard": {},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_clerks_first_day(enter: Enter, way: str) -> None:
    window = enter("lin", **{"size": DESK, **WAYS[way]})
    hands = Hands(window, way, by_keys=way == "by-keyboard", has_script=way != "without-script")
    hands.look("1-home")
    find_a_pupil(hands)
    correct_the_address_and_add_an_uncle(hands)
    give_a_photo(hands)
    print_the_class_list(hands)
    find_who_is_missing(hands)


def find_a_pupil(hands: Hands) -> None:
    look_for(hands, INITIALS, PUPIL, picture="2-found")
    expect(hands.page.get_by_role("heading", level=1)).to_contain_text(PUPIL)
    hands.look("3-pupil")


def look_for(hands: Hands, typed: str, name: str, picture: str) -> None:
    """By the search over everything, which every page has."""
    page = hands.page
    hands.use(page.get_by_role("banner").get_by_role("link", name="查找"))
    if hands.has_script:
        box = page.get_by_role("combobox", name="查找")
        hands.write(box, typed)
        expect(page.get_by_role("option", name=name)).to_be_visible()
        hands.look(picture)
        box.press("Enter")
    else:
        hands.write(page.get_by_role("main").get_by_label("查找"), typed)
        hands.use(page.get_by_role("main").get_by_role("button", name="查询"))
        hands.look(picture)
        hands.use(page.get_by_role("main").get_by_role("link", name=name))


def correct_the_address_and_add_an_uncle(hands: Hands) -> None:
    page = hands.page
    hands.use(page.get_by_role("link", name="修改", exact=True))
    hands.write(page.locator("[name=address]"), ADDRESS)
    row = page.locator("#table-family_member .card-row").last
    if hands.has_script:
        hands.use(page.get_by_role("button", name="增加一行"))
    else:
        row.locator("[name$=gone]").uncheck()
    hands.write(row.locator("[name$='-name']"), "欧阳国华")
    hands.choose(row.locator("[name$='-relation']"), "其他亲属")
    hands.write(row.locator("[name$='-relation_note']"), "叔父")
    hands.write(row.locator("[name$='-phone']"), "14000000123")
    hands.choose(row.locator("[name$='-is_guardian']"), "否")
    hands.look("4-form")
    hands.use(page.get_by_role("button", name="保存", exact=True))
    expect(page.get_by_text(f"已保存学生“{PUPIL}”。")).to_be_visible()
    assert hands.window.fact("现住址") == ADDRESS
    expect(page.get_by_role("main")).to_contain_text("欧阳国华")
    hands.look("5-saved")


def give_a_photo(hands: Hands) -> None:
    page = hands.page
    hands.use(page.get_by_role("link", name="上传照片"))
    page.wait_for_url("**/photo/change")
    chosen = {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": sent()}
    page.get_by_label("照片文件").set_input_files(chosen)
    if hands.has_script:
        expect(page.locator(".crop-box")).to_be_visible()
    hands.look("6-photo")
    hands.use(page.get_by_role("button", name="保存照片"))
    expect(page.get_by_role("img", name=f"{PUPIL}的照片")).to_be_visible()
    hands.look("7-with-photo")


def print_the_class_list(hands: Hands) -> None:
    page = hands.page
    hands.use(page.get_by_role("main").get_by_role("link", name=CLASS, exact=True).first)
    expect(page.get_by_role("heading", level=1)).to_contain_text(CLASS)
    hands.look("8-class")
    with page.expect_download() as coming:
        hands.use(page.get_by_role("button", name="打印班级名单"))
    assert PUPIL in _text_of(coming.value)


def find_who_is_missing(hands: Hands) -> None:
    page = hands.page
    look_for(hands, "花名册", "学生花名册", picture="9-menu")
    hands.use(page.locator("summary", has_text="批量查找"))
    number = str(cast.student_no(cast.pupil("张一鸣")))
    hands.write(
        page.get_by_label("姓名或号码", exact=True), "\n".join([PUPIL, *MISSING[:2], number, MISSING[2]])
    )
    hands.look("10-pasted")
    hands.use(page.get_by_role("button", name="查找这些"))
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator(".about li")).to_have_text(MISSING)
    assert number not in page.url
    hands.look("11-missing")


def _text_of(download: Download) -> str:
    content = Path(download.path()).read_bytes()
    return "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(content)).pages)
