"""Every page that a menu leads to, for every role, at the desk and on a phone; and the doors: login, logout, idling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import ViewportSize, expect

from tests import cast
from tests.browser.windows import DESK, PHONE, Window

pytestmark = pytest.mark.browser

ROLES = {one.role: one.username for one in reversed(cast.PEOPLE)}
"""One person of each role: those who share a role are led to the same pages."""


# --- every page ---------------------------------------------------------------------------------------


MENU = {"zh_Hans_CN": "主菜单", "en": "Main menu"}


@pytest.mark.parametrize("language", MENU)
@pytest.mark.parametrize("username", ROLES.values(), ids=ROLES)
def test_every_page_of_the_menu_holds_at_the_desk_and_on_a_phone(
    enter: Callable[..., Window], username: str, language: str
) -> None:
    window = enter(username)
    window.speak(language)
    window.page.reload()
    faults = [fault for path in _menu_of(window, language) for fault in _look_into(window, path)]
    assert faults == []


def _menu_of(window: Window, language: str) -> list[str]:
    found = window.page.get_by_role("navigation", name=MENU[language]).locator("a[href]")
    paths = found.evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert len(paths) > 1
    return list(dict.fromkeys(paths))


def _look_into(window: Window, path: str) -> Iterator[str]:
    """The page, the forms that it leads to, its first row, and the forms that the row leads to."""
    yield from _faults_of(window, path)
    rows = window.page.locator("tbody th a[href], tbody td a[href]")
    first = rows.first.get_attribute("href") if rows.count() else None
    for form in _forms_on(window):
        yield from _faults_of(window, form)
    if first:
        yield from _faults_of(window, first)
        for form in _forms_on(window):
            yield from _faults_of(window, form)


def _forms_on(window: Window) -> list[str]:
    links = window.page.locator(".head-actions a[href]:not([download])")
    return list(links.evaluate_all("links => links.map(a => a.getAttribute('href'))"))


def _faults_of(window: Window, path: str) -> Iterator[str]:
    page = window.page
    answer = page.goto(path)
    assert answer is not None
    if answer.status != 200:
        yield f"{path}: {answer.status}"
    if page.evaluate("document.documentElement.lang") != window.language.replace("_", "-"):
        yield f"{path}: lang"
    if page.locator("h1").count() != 1:
        yield f"{path}: no heading, or several"
    if window.has_sideways_scroll():
        yield f"{path}: scrolls sideways as it comes"
    page.set_viewport_size(_other_size(window))
    if window.has_sideways_scroll():
        yield f"{path}: scrolls sideways when the window changes its size"
    yield from (f"{path}: {trouble}" for trouble in window.troubles)
    window.troubles.clear()


def _other_size(window: Window) -> ViewportSize:
    """From the desk to the phone and back: half of the pages come at either size, all are seen at both."""
    now = window.page.viewport_size
    width, height = PHONE if now is None or now["width"] == DESK[0] else DESK
    return {"width": width, "height": height}


SMUGGLED = {
    "an inline script": "const s = document.createElement('script'); s.text = 'document.title = 1'; document.body.append(s)",
    "an inline handler": "document.body.insertAdjacentHTML('beforeend', '<button onclick=\"document.title = 1\">')",
    "an inline style": "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')",
    "another host": "document.body.append(Object.assign(new Image(), {src: 'http://203.0.113.1/x.png'}))",
}


@pytest.mark.parametrize("script", SMUGGLED.values(), ids=SMUGGLED)
def test_the_content_policy_blocks(open_window: Callable[..., Window], script: str) -> None:
    """What nobody could smuggle into a page, and that these tests would have noticed it."""
    window = open_window()
    window.page.goto("/login/")
    with window.page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        window.page.evaluate(f"() => {{ {script} }}")
    assert [trouble for trouble in window.troubles if "Content Security Policy" in trouble]
    window.troubles.clear()


# --- the doors ----------------------------------------------------------------------------------------


def test_a_refused_login_keeps_the_account_and_asks_for_the_password(
    open_window: Callable[..., Window],
) -> None:
    window = open_window()
    window.page.goto("/login/")
    window.type_login("lin", "not the password")
    expect(window.page.get_by_role("alert")).to_contain_text("账号或密码不正确，或账号已被锁定。")
    expect(window.page.get_by_label("账号", exact=True)).to_have_value("lin")
    password = window.page.get_by_label("密码", exact=True)
    expect(password).to_have_value("")
    expect(password).to_be_focused()


def test_after_logging_out_the_back_button_shows_nothing(enter: Callable[..., Window]) -> None:
    window = enter("lin")
    window.page.goto(f"/students/show/{cast.pupil('欧阳若曦')}")
    window.press("退出登录")
    assert window.path == "/login/"
    window.page.go_back()
    expect(window.page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    assert "欧阳若曦" not in window.page.content()


def test_an_idle_person_is_told_why_and_led_back(enter: Callable[..., Window], app: Flask) -> None:
    window = enter("lin")
    window.page.goto("/classes/list/")
    _make_idle(window, app, app.config["IDLE_AFTER"] + timedelta(minutes=1))
    window.choose_in_menu("学生花名册")
    expect(window.page.get_by_text("您已有30分钟没有操作")).to_be_visible()
    assert window.path.startswith("/login/")
    window.type_login("lin", cast.PASSWORD)
    expect(window.page.get_by_role("heading", level=1)).to_have_text("学生花名册")
    assert window.path == "/students/list/"


def _make_idle(window: Window, app: Flask, by: timedelta) -> None:
    """Moves the last activity, which the signed cookie keeps, back in time."""
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie: Any = next(one for one in window.context.cookies() if one["name"] == "session")
    kept = signer.loads(cookie["value"])
    kept["seen"] -= int(by.total_seconds())
    window.context.add_cookies([{**cookie, "value": signer.dumps(kept)}])
