"""What programs send about people, roles and grants: a JSON object read by kind, every complaint at its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from flask import request
from flask_babel import gettext as _

from app.core.errors import Invalid
from app.core.fields import Day, Unreadable
from app.core.wording import about
from app.surfaces.forms import unknown
from app.surfaces.rest import read_object, refuse_wrong_type

LIST_MOST = 2_000  # entries of one list
BIGGEST_ID = 2**31 - 1


class Body:
    """The object that was sent. `names` are those that it may have; what is wrong is kept for `require_sound`."""

    def __init__(self, *names: str, is_optional: bool = False) -> None:
        self.sent: Mapping[str, Any] = read_object() if request.content_length or not is_optional else {}
        self.complaints = [(name[:40], unknown(name)) for name in self.sent if name not in names]

    def has(self, name: str) -> bool:
        return name in self.sent

    def require_sound(self) -> None:
        """Raises Invalid with every complaint."""
        if self.complaints:
            raise Invalid(self.complaints)

    def text(self, name: str, otherwise: str = "") -> str:
        value = self.sent.get(name, otherwise)
        if value is None or isinstance(value, str):
            return value or ""
        self.complaints.append((name, _("应填写文字。请加上引号。")))
        return ""

    def flag(self, name: str, otherwise: bool) -> bool:
        value = self.sent.get(name, otherwise)
        if isinstance(value, bool):
            return value
        self.complaints.append((name, _("应填写true或false。")))
        return otherwise

    def number(self, name: str) -> int | None:
        value = self.sent.get(name)
        if value is None or _is_id(value):
            return value
        self.complaints.append((name, _("应填写整数，如12。")))
        return None

    def numbers(self, name: str) -> list[int]:
        return self._list(name, _is_id, _("应填写整数的列表，如[1, 2]。"))

    def texts(self, name: str) -> list[str]:
        return self._list(name, lambda one: isinstance(one, str), _("应填写文字的列表。"))

    def _list(self, name: str, fits: Any, sentence: str) -> list[Any]:
        value = self.sent.get(name)
        if value is None:
            return []
        if isinstance(value, list) and len(value) <= LIST_MOST and all(fits(one) for one in value):
            return value
        self.complaints.append((name, sentence))
        return []

    def day(self, one: Day) -> date | None:
        raw = self.sent.get(one.name)
        try:
            refuse_wrong_type(one, raw)
            found: date | None = one.parse(raw)
        except Unreadable as reason:
            self.complaints.append((one.name, about(_(one.label), reason)))
            return None
        return found


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= BIGGEST_ID


def only(sent: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """The words of an address without those of paging. Raises Invalid for others."""
    if strays := [(name[:40], unknown(name)) for name in sent if name not in (*names, "after", "before")]:
        raise Invalid(strays)
    return {name: value for name, value in sent.items() if name in names}
