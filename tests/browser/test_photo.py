"""A pupil's photo in the browser: chosen, cut by keyboard, mouse and slider, saved, seen; and without script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests import cast
from tests.browser.windows import PHONE, Window
from tests.photos import opened, sent

pytestmark = pytest.mark.browser

ZIHAN = cast.pupil("王子涵", gender=cast.GIRL)
SHOW, CHANGE = f"/students/show/{ZIHAN}", f"/students/{ZIHAN}/photo/change"
RED, GREEN, BLUE = (230, 40, 40), (30, 160, 60), (40, 60, 220)


@pytest.fixture
def stripes(tmp_path: Path) -> Path:
    """Red, green and blue from left to right: what is cut out shows where."""
    image = Image.new("RGB", (1300, 500))
    for n, colour in enumerate((RED, GREEN, BLUE)):
        image.paste(colour, (n * 434, 0, (n + 1) * 434, 500))
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(sent(image))
    return path


def choose(page: Page, path: Path) -> None:
    page.get_by_label("照片文件").set_input_files(path)
    expect(page.locator(".crop-box")).to_be_visible()


def edges(page: Page) -> list[float]:
    names = ("left", "top", "width")
    return [float(page.locator(f"[name=crop_{name}]").input_value()) for name in names]


def middle(window: Window) -> Any:
    answer = window.context.request.get(f"/students/{ZIHAN}/photo")
    image = opened(answer.body())
    return image.getpixel((image.width // 2, image.height // 2))


def test_a_photo_is_cut_by_keyboard_and_shown_on_the_pupils_page(
    enter: Callable[..., Window], stripes: Path
) -> None:
    window = enter("lin")
    page = window.page
    page.goto(SHOW)
    expect(page.get_by_text("没有照片", exact=True)).to_be_visible()
    window.follow("上传照片")
    choose(page, stripes)
    left, top, width = edges(page)
    assert (left, top) == (pytest.approx((1 - width) / 2, abs=0.001), 0)

    box = page.get_by_role("group", name="裁剪框")
    box.focus()
    box.press("-")
    assert edges(page)[2] < width
    box.press("+")
    for _time in range(20):
        box.press("Shift+ArrowRight")
    assert sum(edges(page)[::2]) == pytest.approx(1, abs=0.001)
    expect(page.locator("[data-crop-said]")).to_contain_text("裁剪框：距左边")
    window.press("保存照片")

    expect(page.get_by_text("已保存王子涵的照片。")).to_be_visible()
    face = page.get_by_role("img", name="王子涵的照片")
    expect(face).to_have_js_property("naturalWidth", 260)
    assert middle(window) == pytest.approx(BLUE, abs=25)


@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
def test_the_box_is_dragged_and_made_smaller(
    enter: Callable[..., Window], stripes: Path, size: tuple[int, int] | None
) -> None:
    window = enter("lin", **({"size": size} if size else {}))
    page = window.page
    page.goto(CHANGE)
    choose(page, stripes)
    whole = edges(page)[2]
    page.get_by_label("裁剪框大小").fill("60")
    assert edges(page)[2] < whole
    box = page.locator(".crop-box").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 1000, y + 5, steps=3)
    page.mouse.up()
    assert edges(page)[0] == 0
    smaller = edges(page)[2]
    corner = page.locator(".crop-grip").bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + 20, corner["y"] + 20)
    page.mouse.down()
    page.mouse.move(corner["x"] + 12, corner["y"] + 20, steps=2)
    page.mouse.up()
    assert edges(page)[2] < smaller
    assert not window.has_sideways_scroll()
    window.press("保存照片")
    expect(page.get_by_role("img", name="王子涵的照片")).to_be_visible()
    assert middle(window) == pytest.approx(RED, abs=25)
    assert not window.has_sideways_scroll()


def test_what_is_no_picture_is_refused_with_the_reason_at_the_field(
    enter: Callable[..., Window], tmp_path: Path
) -> None:
    window = enter("lin")
    page = window.page
    page.goto(CHANGE)
    page.get_by_label("照片文件").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    )
    expect(page.get_by_text("这个文件不是照片，请重新选择")).to_be_visible()
    expect(page.locator(".crop-box")).to_be_hidden()
    window.press("保存照片")
    expect(page.get_by_role("alert")).to_contain_text("文件不是JPG或PNG照片")


def test_without_script_the_middle_is_taken(enter: Callable[..., Window], stripes: Path) -> None:
    window = enter("lin", java_script_enabled=False)
    page = window.page
    page.goto(CHANGE)
    page.get_by_label("照片文件").set_input_files(stripes)
    window.press("保存照片")
    expect(page.get_by_role("img", name="王子涵的照片")).to_be_visible()
    assert middle(window) == pytest.approx(GREEN, abs=25)
