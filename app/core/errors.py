"""The four ways an act is refused. Each carries sentences for people; surfaces turn them into a page or JSON.

Nothing here knows of HTTP: the codes live with the handlers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from app.core.wording import joined

Complaints = Iterator[tuple[str, str]]
"""What a `check` yields: (attribute name, or "" for the whole record; sentence)."""
Complained = tuple[tuple[str, str], ...]


class Refused(Exception):
    """Base of the four. `str()` is a whole sentence in the reader's language, free of personal numbers."""

    sentence: str

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Missing(Refused):
    """There is no such thing for this person: it does not exist, or lies outside the person's scope."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("没有找到这条记录。它可能已被删除，或不在您的管理范围内。"))


class Denied(Refused):
    """The row is in scope, the right is missing. The sentence says which right, and who can give it."""


class Invalid(Refused):
    """What was given cannot be accepted: every complaint at once, each at its field."""

    complaints: tuple[tuple[str, str], ...]

    def __init__(self, complaints: Iterable[tuple[str, str]] | str) -> None:
        pairs = (("", complaints),) if isinstance(complaints, str) else tuple(complaints)
        *others, last = [sentence for _name, sentence in pairs] or [""]
        super().__init__(joined([*(sentence.rstrip("。.") for sentence in others), last]))
        self.complaints = pairs


class Stale(Refused):
    """Someone else changed the row since it was read.

    `current` maps each attribute to today's value, `base` those changed since to the raw value they had before.
    """

    def __init__(
        self, sentence: str, current: dict[str, object] | None = None, base: dict[str, object] | None = None
    ) -> None:
        super().__init__(sentence)
        self.current, self.base = current or {}, base or {}
