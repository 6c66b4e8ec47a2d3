"""Chromium and a real server on loopback. `open_window()` is a browser of its own, `enter("lin")` one that is logged in.

Whatever a test does, its windows must stay quiet: no script error, nothing the content policy blocks, no request to
another host, no server fault.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from waitress.server import create_server

from tests import cast
from tests.browser.windows import Window
from tests.conftest import CHROMIUM, databases
from tests.sites import Gate, Site

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HERE = Path(__file__).parent
ON_BOTH = ("test_three_jobs.py", "test_delegation.py", "test_conflict.py")
"""The rest looks at what the browser does, which is the same on either database."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if len(databases(config)) < 2:
        return
    left_out = [
        one for one in items if one.path.parent == HERE and one.path.name not in ON_BOTH and _is_second(one)
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [one for one in items if one not in left_out]


def _is_second(item: pytest.Item) -> bool:
    words = getattr(item, "callspec", None)
    return words is not None and words.params.get("site") == "postgres"


class BadLine:
    """Answers come late and in pieces. What is read without waiting is then read on the page before, or on half a page."""

    def __init__(self, app: Gate) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        wait = 0.1 if environ["PATH_INFO"].startswith("/static/") else 0.3
        body = b"".join(self.app(environ, start_response))
        begun, half = len(body) // 1000, len(body) // 2
        for part in (body[:begun], body[begun:half], body[half:]):
            time.sleep(random.uniform(0, wait))
            yield part


@contextmanager
def serving(app: Flask | Gate | BadLine) -> Iterator[str]:
    """The application on a free port of this machine, served as `make run` serves it."""
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(site: Site, pytestconfig: pytest.Config) -> Iterator[str]:
    app = BadLine(site.gate) if pytestconfig.getoption("--bad-line") else site.gate
    with serving(app) as where:
        yield where


@pytest.fixture
def open_window(chromium: Browser, app: Flask, site: Site, address: str) -> Iterator[Callable[..., Window]]:
    """`open_window(PHONE)` → an empty window. What any of them complained of fails the test at its end."""
    opened: list[Window] = []

    def make(*args: Any, **words: Any) -> Window:
        window = Window(chromium, address, *args, **words)
        opened.append(window)
        window.context.add_cookies([{"name": Gate.COOKIE, "value": str(site.gate.test), "url": address}])
        return window

    yield make
    troubles = [trouble for one in opened for trouble in one.troubles]
    for one in opened:
        one.close()
    assert not troubles


@pytest.fixture
def enter(open_window: Callable[..., Window]) -> Callable[..., Window]:
    """`enter("lin")` → a window of that person, who came in through the login page."""

    def make(username: str, password: str = cast.PASSWORD, **words: Any) -> Window:
        window = open_window(**words)
        window.log_in(username, password)
        return window

    return make
