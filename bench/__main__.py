"""`python -m bench`: times of lists, form and save for 10 000 and 1 000 000 pupils, beside a bare page.

All in one run on one PostgreSQL of its own; in-process, medians of RUNS. Figures compare within a run only.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.extensions import db
from bench import pages, site, watch
from tests import postgres

RUNS, WARM_UPS = 30, 5
Times = dict[str, tuple[float, float, int]]  # page → its ms, the bare page's ms, statements


def main() -> None:
    words = argparse.ArgumentParser(prog="bench", description=__doc__)
    words.add_argument("--students", default="10000,1000000", help="sizes, with commas between")
    sizes = [int(text) for text in words.parse_args().students.split(",")]
    if why := postgres.why_not():
        raise SystemExit(f"The measurements need PostgreSQL: {why}")
    with tempfile.TemporaryDirectory() as folder:
        server = postgres.start(Path(folder))
        try:
            measured = {size: measure(server, size) for size in sizes}
        finally:
            postgres.stop(Path(folder))
    report(measured)


def measure(server: postgres.Server, pupils: int) -> Times:
    name = f"bench_{pupils}"
    started = time.perf_counter()
    app = site.build(server, name, pupils)
    print(f"{pupils:,} pupils built in {time.perf_counter() - started:.0f} s", flush=True)
    viewer, plain = site.log_in(app), pages.bare_client(app)
    found: Times = {}
    for number, page in enumerate(pages.pages(pupils)):
        address = f"/bare/{pupils}/{number}"
        assert plain.get(address).status_code == 200
        with app.app_context(), watch.statements(db.engine) as seen:
            assert viewer.get(page.path).status_code == 200, page.path
        mine = median(lambda p=page: viewer.get(p.path))
        found[page.name] = (mine, median(lambda a=address: plain.get(a)), len(seen))
    found |= measure_clerk(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return found


def measure_clerk(app: Any) -> Times:
    """The edit form and a save of one pupil, by the school's own clerk."""
    from tests import cast

    clerk = site.log_in(app, "lin")
    with app.app_context():
        edit = f"/students/edit/{cast.pupil('张一鸣')}"
    version = iter(range(1, 10_000))

    def save() -> None:
        number = next(version)
        answer = clerk.post(edit, data={"version": number, "address": f"青岚县城关镇建设路{number}号"})
        assert answer.status_code == 302, answer.status_code

    return {"form": (median(lambda: clerk.get(edit)), 0, 0), "save": (median(save), 0, 0)}


def median(act: Callable[[], object]) -> float:
    """Milliseconds of one run, the median of RUNS."""
    for _ in range(WARM_UPS):
        act()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1_000


def report(measured: dict[int, Times]) -> None:
    sizes = list(measured)
    head = "".join(f"{f'{size:,}':>12}{'bare':>8}{'ratio':>7}" for size in sizes)
    print(f"\n{'ms, medians':24}{head}{'growth':>9}{'statements':>12}")
    for page in measured[sizes[0]]:
        cells = ""
        for size in sizes:
            mine, plain, _count = measured[size][page]
            cells += f"{mine:12.1f}" + (f"{plain:8.1f}{mine / plain:7.1f}" if plain else " " * 15)
        growth = measured[sizes[-1]][page][0] / measured[sizes[0]][page][0]
        print(f"{page:24}{cells}{growth:9.2f}{measured[sizes[-1]][page][2] or '':>12}")


if __name__ == "__main__":
    main()
