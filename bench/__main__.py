"""`python -m bench`: times of lists, form and save for 10 000 and 1 000 000 pupils, beside a bare page.

All in one run on one PostgreSQL of its own, over HTTP on this machine, served as `make run` serves; medians of RUNS.
Figures compare within a run only.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from waitress.server import create_server

from app.extensions import db
from bench import pages, site, watch
from bench.pages import Page
from tests import cast, postgres

RUNS, WARM_UPS = 40, 5
Act = Callable[[], None]


def main() -> None:
    words = argparse.ArgumentParser(prog="bench", description=__doc__)
    words.add_argument("--students", default="10000,1000000", help="sizes, with commas between")
    sizes = [int(text) for text in words.parse_args().students.split(",")]
    if why := postgres.why_not():
        raise SystemExit(f"The measurements need PostgreSQL: {why}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as until_the_end:
        server = postgres.start(Path(folder))
        until_the_end.callback(postgres.stop, Path(folder))
        districts = [build(server, size, until_the_end) for size in sizes]
        report(sizes, [measure(*row) for row in zip(*(one.rows() for one in districts), strict=True)])


@dataclass(frozen=True)
class District:
    """One database, served beside the bare pages of the same database."""

    pupils: int
    viewer: Reader
    clerk: Reader
    stranger: Reader
    counts: list[int]  # statements of each list
    edited: str

    def rows(self) -> Iterator[Row]:
        for number, page in enumerate(pages.pages(self.pupils)):
            address = f"/bare/{self.pupils}/{number}"
            mine, bare = partial(self.viewer.get, page.path), partial(self.stranger.get, address)
            yield Row(page.name, mine, bare, self.counts[number])
        yield Row("form", partial(self.clerk.get, self.edited))
        yield Row("save", partial(self.save, iter(range(1, 10_000))))

    def save(self, versions: Iterator[int]) -> None:
        number = next(versions)
        self.clerk.post(self.edited, version=number, address=f"青岚县城关镇建设路{number}号")


@dataclass(frozen=True)
class Row:
    """One line of the report: a page, and the bare page beside it."""

    name: str
    mine: Act
    bare: Act | None = None
    statements: int = 0


def build(server: postgres.Server, pupils: int, until_the_end: ExitStack) -> District:
    name = f"bench_{pupils}"
    started = time.perf_counter()
    app = site.build(server, name, pupils)
    print(f"{pupils:,} pupils built in {time.perf_counter() - started:.0f} s", flush=True)
    viewer, clerk = site.log_in(app), site.log_in(app, "lin")
    counts = [count_statements(app, viewer, page) for page in pages.pages(pupils)]
    with app.app_context():
        bare = pages.bare_site(app)
        edited = f"/students/edit/{cast.pupil('张一鸣')}"
        db.session.remove()
        db.engine.dispose()
    ours, plain = until_the_end.enter_context(serving(app)), until_the_end.enter_context(serving(bare))
    return District(pupils, Reader(ours, viewer), Reader(ours, clerk), Reader(plain), counts, edited)


def count_statements(app: Flask, viewer: FlaskClient, page: Page) -> int:
    with app.app_context(), watch.statements(db.engine) as seen:
        assert viewer.get(page.path).status_code == 200, page.path
    return len(seen)


# --- measuring ----------------------------------------------------------------------------------------


def measure(*rows: Row) -> tuple[list[Row], list[float]]:
    """The same page of each district and its bare page, in turn: the speed of a machine drifts, their ratio does not."""
    acts = [act for row in rows for act in (row.mine, row.bare) if act is not None]
    times: list[list[float]] = [[] for _act in acts]
    for number in range(WARM_UPS + RUNS):
        for act, taken in zip(acts, times, strict=True):
            started = time.perf_counter()
            act()
            if number >= WARM_UPS:
                taken.append(time.perf_counter() - started)
    return list(rows), [statistics.median(taken) * 1_000 for taken in times]


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application in a process of its own, as `make run` serves it, so that who asks does not slow who answers."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        process = get_context("fork").Process(target=_serve, args=(app, door))
        process.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            process.terminate()
            process.join()


def _serve(app: Flask, door: socket.socket) -> None:
    create_server(app, sockets=[door], threads=8).run()


class Reader:
    """One connection that stays open, with the cookies of a client that logged in. Any refusal ends the measurement."""

    def __init__(self, address: str, client: FlaskClient | None = None) -> None:
        self.connection = HTTPConnection(urlsplit(address).netloc)
        cookie = client.get_cookie("session") if client is not None else None
        self.headers = {"Cookie": f"session={cookie.value}"} if cookie is not None else {}

    def get(self, path: str) -> None:
        self._ask("GET", quote(path, safe="/?=&"), None, 200)

    def post(self, path: str, **words: object) -> None:
        self._ask("POST", path, urlencode(words), 302)

    def _ask(self, method: str, path: str, body: str | None, expected: int) -> None:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self.connection.request(method, path, body, self.headers | kind)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == expected, f"{path}: {answer.status}"


def report(sizes: list[int], measured: list[tuple[list[Row], list[float]]]) -> None:
    head = "".join(f"{f'{size:,}':>12}{'bare':>8}{'ratio':>7}" for size in sizes)
    print(f"\n{'ms, medians':24}{head}{'growth':>9}{'statements':>12}")
    for rows, times in measured:
        step = 2 if rows[0].bare else 1
        mine, bare = times[::step], times[1::step] if step == 2 else []
        cells = "".join(
            f"{mine[n]:12.1f}" + (f"{bare[n]:8.1f}{mine[n] / bare[n]:7.1f}" if bare else " " * 15)
            for n in range(len(sizes))
        )
        print(f"{rows[0].name:24}{cells}{mine[-1] / mine[0]:9.2f}{rows[-1].statements or '':>12}")


if __name__ == "__main__":
    main()
