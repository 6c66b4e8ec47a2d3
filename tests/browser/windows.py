"""A window is one person's Chromium: a page with cookies of its own, watched for everything it should not do."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, ViewportSize, expect

from tests import cast

PATIENCE_MS = 15_000  # for what never comes; what does come is not waited for
DESK, PHONE = (1366, 900), (360, 740)
AN_ANSWER = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
"""Chromium notes every 4xx page in its console; which status a page should have is asserted by the tests."""

expect.set_options(timeout=PATIENCE_MS)


class Window:
    """`page` is Playwright's. `troubles` is empty as long as the pages behave."""

    def __init__(self, browser: Browser, address: str, size: tuple[int, int] = DESK, **words: Any) -> None:
        self.address = address
        self.language = "zh_Hans_CN"
        self.troubles: list[str] = []
        viewport: ViewportSize = {"width": size[0], "height": size[1]}
        self.context = browser.new_context(
            base_url=address, viewport=viewport, locale="zh-CN", timezone_id="Asia/Shanghai", **words
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda fault: self.troubles.append(f"script: {fault.error}"))
        self.context.on("request", self._see_request)
        self.context.on("response", self._see_response)
        self.page: Page = self.context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not AN_ANSWER.match(message.text):
            self.troubles.append(f"console: {message.text}")

    def _see_request(self, request: Request) -> None:
        if not request.url.startswith((self.address + "/", "data:")):
            self.troubles.append(f"another host: {request.url}")

    def _see_response(self, response: Response) -> None:
        if response.status >= 500:
            self.troubles.append(f"{response.status}: {response.url}")

    # --- what people do -------------------------------------------------------------------------------

    def log_in(self, username: str, password: str = cast.PASSWORD) -> None:
        self.page.goto("/login/")
        self.type_login(username, password)
        expect(self.page.get_by_role("button", name="退出登录")).to_be_visible()
        self.settle()

    def speak(self, language: str) -> None:
        """As the switch on the page does for whoever has set no language of his own."""
        self.language = language
        self.context.add_cookies([{"name": "language", "value": language, "url": self.address}])

    def type_login(self, username: str, password: str) -> None:
        self.type("账号", username)
        self.type("密码", password)
        self.press("登录")

    def type(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()
        self.settle()

    def settle(self) -> None:
        """A click waits until the next page begins to come: here it has come whole, and its script has begun."""
        self.page.wait_for_load_state()

    def choose_in_menu(self, name: str) -> None:
        """Opens the entry's group first, where a long menu has folded it."""
        menu = self.page.get_by_role("navigation", name="主菜单")
        entry = self.page.get_by_role("link", name=name, exact=True, include_hidden=True)
        folded = menu.locator("details:not([open])").filter(has=entry)
        if folded.count():
            folded.locator("summary").click()
        menu.get_by_role("link", name=name, exact=True).click()
        self.settle()

    def search(self, typed: str) -> None:
        self.page.get_by_role("searchbox").fill(typed)
        self.page.get_by_role("searchbox").press("Enter")
        self.settle()

    def status_of(self, path: str) -> int:
        """The status of an address as this person gets it, asked beside the page that is open."""
        return self.context.request.get(path, max_redirects=0).status

    # --- what the page says ---------------------------------------------------------------------------

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.address)

    def fact(self, label: str) -> str:
        """The value beside a label on a detail page."""
        self.settle()
        found = self.page.locator("dl.facts > div").filter(has=self.page.locator(f"dt:text-is('{label}')"))
        return found.first.locator("dd").inner_text().strip()

    def has_sideways_scroll(self) -> bool:
        self.settle()
        return bool(self.page.locator("html").evaluate("root => root.scrollWidth > root.clientWidth"))

    def close(self) -> None:
        self.context.close()
