"""Every page there is, looked through by axe-core: nothing that shuts people out, in both languages, in light and dark,
at the desk and on a phone. Each kind of page once, as one of the people who may open it.

Each page is looked through by all rules in Chinese and light, and in English and dark; on a phone in English, whose words
are longer. The two other pairs can only differ in colours, which come from one style sheet whatever is written in them,
so they are looked at once for each template, as is the phone in Chinese. With `--axe-all` nothing is taken for the same:
everybody looks through whatever he may open, in each language, scheme and size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask, template_rendered
from jinja2 import Template
from playwright.sync_api import expect

from tests import cast
from tests.browser.windows import DESK, PHONE, Window
from tests.client import Client
from tests.flows import every_url, world

pytestmark = pytest.mark.browser

WHO = ("lin", "li", "he", "zhao", "chen")
"""Between them they may open everything; who stands first looks through what several may."""
LANGUAGES = ("zh_Hans_CN", "en")
GRAVE = ("serious", "critical")
LOOK = """async (how) => {
  const found = await axe.run(document, { ...how, resultTypes: ['violations'] });
  return found.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0]?.message || n.failureSummary))]);
}"""
ALL: dict[str, Any] = {}
COLOURS: dict[str, Any] = {"runOnly": ["color-contrast"]}
BUT_COLOURS: dict[str, Any] = {"rules": {"color-contrast": {"enabled": False}}}


def faults(window: Window, where: str, how: dict[str, Any] = ALL) -> Iterator[str]:
    for impact, rule, nodes in window.page.evaluate(LOOK, how):
        if impact in GRAVE:
            yield f"{where}: {rule}: " + "; ".join(nodes[:3])


def faults_everywhere(window: Window, where: str) -> Iterator[str]:
    """The page as it stands: by all rules; then its other colours, and as it is on a phone."""
    page = window.page
    yield from faults(window, where)
    page.emulate_media(color_scheme="dark")
    yield from faults(window, f"{where} (dark)", COLOURS)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    yield from faults(window, f"{where} (phone)", BUT_COLOURS)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})


def faults_in_both(window: Window, path: str, *, is_first: bool = True) -> Iterator[str]:
    """`is_first`: no page of this template was looked through before."""
    page, phone = window.page, {"width": PHONE[0], "height": PHONE[1]}
    for language, scheme, other in (("zh_Hans_CN", "light", "dark"), ("en", "dark", "light")):
        window.speak(language)
        page.emulate_media(color_scheme=scheme)
        page.goto(path)
        yield from faults(window, f"{path} ({language})")
        if is_first:
            page.emulate_media(color_scheme=other)
            yield from faults(window, f"{path} ({language}, {other})", COLOURS)
            page.emulate_media(contrast="more")
            yield from faults(window, f"{path} ({language}, {other}, high contrast)", COLOURS)
            page.emulate_media(contrast="no-preference")
        if is_first or language == "en":
            page.set_viewport_size(phone)
            yield from faults(window, f"{path} ({language}, phone)", BUT_COLOURS)
            page.set_viewport_size({"width": DESK[0], "height": DESK[1]})


@pytest.fixture
def look(enter: Callable[..., Window]) -> Callable[[str], Window]:
    """`look("lin")` → a window of that person in which axe is at hand on every page."""

    def make(username: str) -> Window:
        window = enter(username)
        window.context.add_init_script(AXE_SCRIPT)
        return window

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "username" in metafunc.fixturenames:
        everybody = [person.username for person in cast.PEOPLE]
        metafunc.parametrize("username", everybody if metafunc.config.getoption("--axe-all") else WHO)


def pages_of(app: Flask, username: str, before: Sequence[str]) -> dict[str, str]:
    """One address of each kind of page that this person, and nobody before him, may open → its template."""
    ids, taken, found = world.furnish(app), set(), {"/": "home.html"}
    client = every_url.enter(app, username)
    for row in every_url.read_table():
        rule = every_url.rule_of(app, row, ids)
        if row.method != "GET" or rule is None or rule.rule in taken:
            continue
        who = [person for person in (*before, username) if row.letters[person] == "."]
        if who:
            taken.add(rule.rule)
            if who[0] == username and (template := template_of(app, client, row.path(ids))):
                found[row.path(ids)] = template
    return found


def template_of(app: Flask, client: Client, path: str) -> str:
    """What the page is drawn by; "" where there is no page."""
    drawn: list[str] = []

    def note(_app: Flask, template: Template, **_words: object) -> None:
        drawn.append(str(template.name))

    with template_rendered.connected_to(note, app):
        is_page = client.get(path).mimetype == "text/html"
    return drawn[-1] if is_page and drawn else ""


def test_no_page_shuts_anybody_out(
    look: Callable[[str], Window], app: Flask, username: str, pytestconfig: pytest.Config
) -> None:
    is_thorough = pytestconfig.getoption("--axe-all")
    paths = pages_of(app, username, () if is_thorough else WHO[: WHO.index(username)])
    window = look(username)
    found: list[str] = []
    seen: set[str] = set()
    for path, template in paths.items():
        found += faults_in_both(window, path, is_first=is_thorough or template not in seen)
        seen.add(template)
    assert found == []


# --- what stands behind no address of its own ---------------------------------------------------------


def test_the_login_page_shuts_nobody_out(open_window: Callable[..., Window]) -> None:
    window = open_window()
    window.context.add_init_script(AXE_SCRIPT)
    found = [*faults_in_both(window, "/login/"), *faults_in_both(window, "/verify/")]
    window.speak("zh_Hans_CN")
    window.page.goto("/login/")
    window.type_login("lin", "not the password")
    expect(window.page.get_by_role("alert")).to_be_visible()
    found += faults_everywhere(window, "refused login")
    assert found == []


STATES = {
    "a list that finds nothing": "/students/list/?q=诸葛",
    "a list that is narrowed": "/students/list/?status=enrolled&sort=-name",
    "a search over everything": "/find?q=王",
    "a page that is not there": "/students/show/999999",
    "a page that is closed": "/people/list/",
}


def test_no_state_of_a_page_shuts_anybody_out(look: Callable[[str], Window]) -> None:
    window = look("lin")
    found: list[str] = []
    for path in STATES.values():
        found += faults_in_both(window, path)
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_that_is_refused_shuts_nobody_out(look: Callable[[str], Window], language: str) -> None:
    window = look("lin")
    window.speak(language)
    window.page.goto("/students/add")
    window.page.locator(".save-bar button").first.click()
    expect(window.page.locator("#complaints")).to_be_visible()
    assert list(faults_everywhere(window, "refused form")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_opens_on_a_page_shuts_nobody_out(look: Callable[[str], Window], language: str) -> None:
    window = look("lin")
    window.speak(language)
    page = window.page
    page.goto("/students/list/")
    found: list[str] = []
    panels = page.locator("details.pop summary")
    assert panels.count() == len(("filters", "paste", "look", "views", "reveal"))
    for panel in panels.all():
        panel.click()
        found += faults(window, panel.inner_text())
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#find-what").fill("wang")
    expect(page.locator("#find-list").get_by_role("option").first).to_be_visible()
    found += faults_everywhere(window, "the search over everything")
    assert found == []


def test_a_fault_would_be_found(look: Callable[[str], Window]) -> None:
    window = look("lin")
    window.page.goto(f"/students/show/{cast.pupil('欧阳若曦')}")
    window.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<input><button></button>')"
    )
    found = list(faults(window, "here"))
    assert {fault.split(": ")[1] for fault in found} == {"label", "button-name"}
