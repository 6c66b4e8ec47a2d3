"""Provinces, prefectures and counties of GB/T 2260, from python-stdnum's data. Other zones come elsewhere.

Retired codes are left out: these are for choosing, while ID numbers keep theirs for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from stdnum import numdb

Level = Literal["province", "city", "county"]


class RegionRow(NamedTuple):
    code: str  # six digits
    name: str
    parent_code: str | None
    level: Level


# One code's history: names in order, each with the years "[from-to]" of its use; no last year, still in use.
_PERIOD = re.compile(r"(?:\[\d*-(?P<end>\d*)\])?(?P<name>[^\[\],]+)")

# Where the data departs from the standard: codes lacking, retired without a year, traditional characters.
_LACKING = {"330113": "临平区", "330114": "钱塘区"}
_RETIRED = frozenset({"422900", "422921", "429001"})
_SIMPLIFIED = str.maketrans("區達嶺別", "区达岭别")


def regions() -> Iterator[RegionRow]:
    """All current regions in the order of their codes, so that parents come before their children."""
    for code, name in sorted(_names().items()):
        yield RegionRow(code, name, parent_of(code), level_of(code))


def level_of(code: str) -> Level:
    if code.endswith("0000"):
        return "province"
    return "city" if code.endswith("00") else "county"


def parent_of(code: str) -> str | None:
    """510104 → 510100 → 510000 → None. Municipalities have 市辖区 and 县 as prefectures."""
    return {"province": None, "city": f"{code[:2]}0000", "county": f"{code[:4]}00"}[level_of(code)]


def _names() -> dict[str, str]:
    found = {code: name for code, history in _histories() if (name := _current_name(history))}
    return {code: name for code, name in (found | _LACKING).items() if code not in _RETIRED}


def _histories() -> Iterator[tuple[str, str]]:
    for _, province, _, names, places in numdb.get("cn/loc").prefixes:
        yield f"{province}0000", names["province"].translate(_SIMPLIFIED)
        for _, place, _, history, _ in places:
            yield f"{province}{place}", history["county"].translate(_SIMPLIFIED)


def _current_name(history: str) -> str | None:
    current = [period["name"] for period in _PERIOD.finditer(history) if not period["end"]]
    return current[-1] if current else None
