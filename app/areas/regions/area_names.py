"""The names behind area codes: those of the standard are kept, those of added zones are read once in a request.

Also which regions are meant by what somebody types, for look-ups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from flask import has_app_context
from sqlalchemy.orm import Session

from app.areas.regions import gb2260
from app.areas.regions.models import Region
from app.core import databases, names, places, scope

_NO_NAMES = frozenset({"市辖区", "县", "省直辖县级行政单位", "自治区直辖县级行政单位"})


@cache
def _national() -> Mapping[str, str]:
    """Code → name, "" where the standard's name says nothing by itself."""
    return {one.code: "" if one.name in _NO_NAMES else one.name for one in gb2260.regions()}


def _added(session: Session) -> Mapping[str, str]:
    """The zones that bureaus have added: few, and others may add to them at any time."""

    def read() -> dict[str, str]:
        query = sa.select(Region.code, Region.name).where(Region.is_added)
        with session.no_autoflush:
            return dict(session.execute(query).all())

    found: Mapping[str, str] = scope.once(session, "added_regions", read)
    return found


def name_at(code: str) -> str:
    """The name of the region with this six-digit code; "" where there is none or it says nothing."""
    found = _national().get(code)
    if found is None and has_app_context():
        found = _added(databases.session_here()).get(code)
    return found or ""


places.named_by(name_at)


# --- what is meant by what is typed -------------------------------------------------------------------


class Known(NamedTuple):
    """A region as it is looked for."""

    code: str  # six digits
    name: str
    path: str  # behind the names of all that it lies in
    spelled: tuple[str, ...]  # pinyin and initials, from each character on


_spelled = lru_cache(maxsize=8_192)(names.spellings)


def find(session: Session, typed: str, most: int, near: str = "") -> list[str]:
    """The 12-digit codes that are meant: by a part of the name, its pinyin or initials, by what a region lies in, or by the
    first digits. A whole code means the place itself, where anything above it is known. The best first; of equals those in the
    county, the city, the province of the six-digit code `near`."""
    wanted = places.normal_area(typed).casefold()
    if not wanted:
        return []
    if wanted.isdecimal():
        begun = [one.code for one in _all(session) if one.code.startswith(wanted[:6])]
        whole = [wanted] if len(wanted) == 12 and places.path_of(wanted[:6]) else []
        return list(dict.fromkeys((*whole, *(f"{code}000000" for code in begun))))[:most]
    ranked = sorted(
        (rank, -sum(near.startswith(one.code[:n]) for n in (2, 4, 6)), one.code)
        for one in _all(session)
        if (rank := _rank(one, wanted)) is not None
    )
    return [f"{code}000000" for _rank_, _shared, code in ranked[:most]]


def _rank(one: Known, wanted: str) -> int | None:
    """Lower is nearer; None: not meant."""
    if one.name.startswith(wanted) or one.spelled[0].startswith(wanted) or one.spelled[1].startswith(wanted):
        return 0
    if wanted in one.name or any(way.startswith(wanted) for way in one.spelled):
        return 1
    return 2 if wanted in one.path else None


def _all(session: Session) -> Iterator[Known]:
    """Those that have names: the standard's, and the zones."""
    yield from _national_ones()
    added = _added(session)
    for code, name in added.items():
        if code not in _national():
            above = (added.get(one) or _national().get(one, "") for one in places.regions_above(code)[1:])
            yield _known(code, name, above)


@cache
def _national_ones() -> tuple[Known, ...]:
    found = _national()
    return tuple(
        _known(code, name, (found.get(one, "") for one in places.regions_above(code)[1:]))
        for code, name in found.items()
        if name
    )


def _known(code: str, name: str, above: Iterator[str]) -> Known:
    return Known(code, name, "".join(reversed([name, *above])), _spelled(name))
