"""A greyed field in a page: its sentence is whole at the head, on paper too, and opens where one taps or stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import cast
from tests.browser.windows import PHONE, Window
from tests.surfaces.test_locks import KEY_DATA, SEAT

pytestmark = pytest.mark.browser

Enter = Callable[..., Window]
FORM = f"/students/edit/{cast.pupil('欧阳若曦')}"
SHOWS_ALL = "node => node.scrollHeight <= node.clientHeight && node.scrollWidth <= node.clientWidth"


def head(page: Page, sentence: str) -> Locator:
    return page.locator(".panel > .lock-note").filter(has_text=sentence)


def beside(page: Page, name: str) -> Locator:
    return page.locator(f".field:has(#f-{name}) .lock-note")


@pytest.mark.parametrize("media", ["screen", "print"])
def test_the_sentence_stands_whole_at_the_head(enter: Enter, media: str) -> None:
    window = enter("lin", size=PHONE)
    page = window.page
    page.goto(FORM)
    page.emulate_media(media=media)
    for sentence in (KEY_DATA, SEAT):
        expect(head(page, sentence)).to_have_text(sentence)
        expect(head(page, sentence)).to_be_visible()
        assert head(page, sentence).locator("span").evaluate(SHOWS_ALL)
    assert not window.has_sideways_scroll()


def test_a_tap_on_the_mark_opens_it_at_the_field(enter: Enter) -> None:
    page = enter("lin", size=PHONE).page
    page.goto(FORM)
    field = page.locator(".field:has(#f-id_number)")
    expect(field.locator(".lock-mark")).to_have_text("已锁定")
    field.locator(".lock-mark").click()
    expect(page.locator("#f-id_number")).to_be_focused()
    expect(beside(page, "id_number")).to_have_text(KEY_DATA)
    expect(beside(page, "id_number")).to_be_in_viewport(ratio=1)
    page.locator("#f-native_place").focus()
    expect(beside(page, "id_number")).to_have_count(0)


def test_a_screen_reader_hears_it_once_and_the_keyboard_opens_it(enter: Enter) -> None:
    page = enter("lin").page
    page.goto(FORM)
    box = page.get_by_label("姓名", exact=True).first
    expect(box).to_have_accessible_name("姓名")
    expect(box).to_have_accessible_description(KEY_DATA)
    box.focus()
    expect(beside(page, "name")).to_have_attribute("aria-hidden", "true")
    expect(box).to_have_accessible_description(KEY_DATA)
    page.keyboard.press("Tab")
    expect(beside(page, "name")).to_have_count(0)
    expect(beside(page, "gender")).to_have_text(KEY_DATA)
