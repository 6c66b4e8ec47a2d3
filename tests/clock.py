"""A clock that stands still until a test moves it, for the modules that a test names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def move(self, **words: float) -> None:
        """`move(minutes=5)`."""
        self.now += timedelta(**words)


def stop(
    monkeypatch: pytest.MonkeyPatch, *modules: Any, at: datetime = datetime(2026, 10, 20, 3, tzinfo=UTC)
) -> Clock:
    """What `datetime.now` says in these modules from here on."""
    clock = Clock(at)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return clock.now.astimezone(tz)

    for module in modules:
        monkeypatch.setattr(module, "datetime", Stopped)
    return clock
