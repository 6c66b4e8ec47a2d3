"""Databases, applications and clients for all tests. The people and pupils they meet are in `cast`.

Every test that asks for `app` runs on SQLite and on PostgreSQL, each from a fresh copy of a database that holds the
cast: a rollback would be invisible to the bureau's read-only engine. A copy that nothing was written to is used again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RUN_HOME = "XUEJI_TEST_HOME"  # one folder for all workers of a run
HOME = Path(os.environ.get(RUN_HOME) or tempfile.mkdtemp(prefix="xueji-tests-"))
os.environ[RUN_HOME] = str(HOME)
os.environ["INSTANCE"] = str(HOME / "instance")  # before the settings are read

import pytest  # noqa: E402
from flask import Flask  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402

import app.extensions  # noqa: E402  the naming convention stands before a test imports the library's models
from tests import cast, postgres  # noqa: E402
from tests.client import Client  # noqa: E402
from tests.sites import Site  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

UNHURRIED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("same", derandomize=True, **UNHURRIED)
settings.register_profile("wide", max_examples=2_000, **UNHURRIED)
# A commit has one outcome; `--hypothesis-profile wide` tries what no run has tried.
settings.load_profile("same")


# --- what can run here, said at the start and at the end ----------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres", "both"),
        default=os.environ.get("XUEJI_DATABASES", "both"),
        help="which databases the tests run on (default: both, where PostgreSQL is installed)",
    )
    parser.addoption(
        "--grant-steps",
        type=int,
        default=2_000,
        help="how many random acts with rights are tried out (default: 2000)",
    )
    parser.addoption(
        "--axe-all",
        action="store_true",
        help="axe looks through every page as everybody, in both languages, light and dark, desk and phone (half an hour)",
    )
    parser.addoption(
        "--bad-line",
        action="store_true",
        help="browsers get each answer late and in pieces: shows what does not wait for a page (half an hour)",
    )


def databases(config: pytest.Config) -> list[str]:
    wanted = config.getoption("--database")
    found = ["sqlite", "postgres"] if wanted == "both" else [wanted]
    return [name for name in found if name != "postgres" or not postgres.why_not()]


def left_out(config: pytest.Config) -> Iterator[str]:
    wanted = config.getoption("--database")
    if why := postgres.why_not():
        yield f"every test on PostgreSQL ({why})"
    elif wanted != "both":
        yield f"every database but {wanted} (--database)"
    if not CHROMIUM:
        yield "every test in the browser (chromium is not installed)"


def is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if not is_controller(config):
        return
    gaps = list(left_out(config))
    if gaps and os.environ.get("REQUIRE_ALL"):
        raise pytest.UsageError("REQUIRE_ALL is set, but left out: " + "; ".join(gaps))
    for gap in gaps:
        print(f"LEFT OUT: {gap}")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for gap in left_out(config):
        terminalreporter.write_line(f"LEFT OUT: {gap}", yellow=True, bold=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if is_controller(config):
        postgres.stop(HOME)
        shutil.rmtree(HOME, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") and not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason="chromium is not installed"))
        if item.get_closest_marker("postgres") and postgres.why_not():
            item.add_marker(pytest.mark.skip(reason=postgres.why_not()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "site" in metafunc.fixturenames:
        metafunc.parametrize("site", databases(metafunc.config), indirect=True, scope="session")


# --- one run, several workers -------------------------------------------------------------------------


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Holds a lock among the workers of a run."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> postgres.Server:
    """A server of this run's own, started by the first worker that needs it."""
    with only_one(HOME / "postgres.lock"):
        return postgres.start(HOME)


@pytest.fixture(scope="session")
def made_sites() -> Iterator[dict[str, Site]]:
    """Applications are made once in a worker, however often the tests go from one database to the other."""
    made: dict[str, Site] = {}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, made_sites: dict[str, Site]) -> Site:
    """The application on one kind of database; `app` hands it out with a fresh copy."""
    kind = request.param
    if kind not in made_sites:
        server = request.getfixturevalue("postgres_server") if kind == "postgres" else None
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        made_sites[kind] = Site.make(kind, HOME / worker, server)
        with only_one(HOME / f"{kind}.lock"):
            made_sites[kind].prepare_template(HOME, cast.assemble)
    return made_sites[kind]


@pytest.fixture(scope="session")
def declarations() -> None:
    """The registry is complete; for tests that read declarations and need no database."""
    from app import areas

    areas.load()


# --- what tests ask for -------------------------------------------------------------------------------


@pytest.fixture
def app(site: Site) -> Flask:
    """The application, on a database that holds the cast and nothing else."""
    site.refresh()
    return site.app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """`db.session` inside an application context. Nobody acts in it yet."""
    from app.extensions import db

    with app.app_context():
        yield db.session()
        db.session.remove()


@pytest.fixture
def acting(session: Session) -> Callable[[str], Any]:
    """`with acting("lin") as by:` acts as that person in `session`; "system" as a system actor."""
    from app.core import rights, scope

    def begin(username: str) -> Any:
        by = rights.system("tests") if username == "system" else cast.actor(session, username)
        return scope.acting(session, by)

    return begin


@pytest.fixture
def anonymous(app: Flask) -> Client:
    return Client(app)


@pytest.fixture
def login(app: Flask) -> Callable[[str], Client]:
    """`login("lin")` → a client that came in through the login page."""

    def enter(username: str, password: str = cast.PASSWORD) -> Client:
        client = Client(app)
        client.login(username, password)
        return client

    return enter
