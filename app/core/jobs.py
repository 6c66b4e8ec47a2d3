"""Background work: the queue, and what is done by the clock. A queue entry carries ids, never personal data.

`flask worker` runs what stands here; web processes only ask for it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from app.core import rights, saving, scope
from app.core.entity import Recyclable, registry
from app.core.errors import Invalid
from app.extensions import db

log = logging.getLogger(__name__)

BY_THE_CLOCK: list[tuple[Callable[[], Any], Any]] = []
"""(function, when) of everything that runs at fixed times; times are UTC."""


class JobFailed(Exception):
    """A job broke off. The text names the job and the kind of fault only: the fault's own words may hold names."""


def by_the_clock(**when: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Runs the function at these times (as crontab has them, UTC) in every worker set-up, inside an app context."""

    def keep(function: Callable[[], Any]) -> Callable[[], Any]:
        BY_THE_CLOCK.append((function, crontab(**when)))
        return function

    return keep


def prepare(app: Flask) -> None:
    """Makes the queue of this application; `app.extensions["queue"]`."""
    queue = app.extensions["queue"] = _make_queue(app)
    for function, when in BY_THE_CLOCK:
        queue.periodic_task(when)(_in_app(app, function))


def _make_queue(app: Flask) -> Huey:
    if app.testing:
        return SqliteHuey("xueji", immediate=True)  # in memory, run on the spot
    if app.config["REDIS_URL"]:
        return RedisHuey("xueji", url=app.config["REDIS_URL"])
    home = Path(app.instance_path)
    home.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("xueji", filename=str(home / "jobs.db"))


def _in_app(app: Flask, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any) -> Any:
        with app.app_context():
            try:
                return function(*args)
            except Exception as fault:
                log.error("%s, at %s", _told(function, fault), _trail(fault))
                raise JobFailed(_told(function, fault)) from None

    return run


def _told(function: Callable[..., Any], fault: Exception) -> str:
    return f"{function.__name__}: {type(fault).__name__}"


def _trail(fault: Exception) -> str:
    """Where it happened, without the source lines: they may hold values too."""
    return " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(traceback.extract_tb(fault.__traceback__)))


def make_worker(app: Flask) -> Consumer:
    """A consumer with one thread for work and one for the clock. `run()` blocks until SIGINT or SIGTERM."""
    return Consumer(app.extensions["queue"], workers=1, max_delay=1.0, graceful_signal="TERM")


# --- what is done by the clock ------------------------------------------------------------------------


@by_the_clock(minute="20", hour="19")  # 03:20 in Asia/Shanghai
def empty_recycle_bin() -> int:
    """Deletes for good what has lain in the recycle bin longer than RECYCLE_KEEP; returns how many rows went.

    A row to which others still refer stays where it is.
    """
    session, by = db.session(), rights.system("worker")
    with scope.acting(session, by), scope.with_deleted(session):
        return sum(_purge(entity, id_, by) for entity, id_ in _outdated(session))


def _outdated(session: sa.orm.Session) -> list[tuple[type[Recyclable], int]]:
    before = datetime.now(UTC) - current_app.config["RECYCLE_KEEP"]
    return [
        (entity, id_)
        for entity in registry
        if issubclass(entity, Recyclable)
        for id_ in session.scalars(sa.select(entity.id).where(entity.deleted_at < before).order_by(entity.id))
    ]


def _purge(entity: Any, id_: int, by: rights.Actor) -> bool:
    try:
        with saving.work() as work:
            obj = work.session.get(entity, id_)
            if obj is None or obj.deleted_at is None:
                return False  # restored in the meantime
            saving.purge(obj, by)
        return True
    except Invalid:
        log.warning("recycle bin: %s %s is still referred to and stays", entity.key(), id_)
        return False
