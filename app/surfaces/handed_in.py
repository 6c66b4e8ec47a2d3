"""How areas hand in what the generated pages do not know of: buttons, things to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def hand_in(known: list[F], one: F) -> None:
    """Keeps `one` once, and all of them in the order of their modules: which of these was imported first shows on no page."""
    if one not in known:
        known.append(one)
        known.sort(key=lambda each: each.__module__)
