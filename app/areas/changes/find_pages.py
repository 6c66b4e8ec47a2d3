"""Kinds of cases in the search over everything: the list of cases narrowed to one, by its name, pinyin or initials."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _

from app.areas.changes.models import Change
from app.core import codes
from app.core.rights import Actor
from app.core.wording import labelled
from app.surfaces import finding
from app.surfaces.listing import Listing, count_text, count_together, spans_authorities
from app.surfaces.viewmodels import Found, Hit

KINDS = "change_kind"


def find_kinds(by: Actor, typed: str, most: int) -> Found | None:
    """Above one authority without a count, which no index serves."""
    if not by.has("change:list"):
        return None
    site = finding.site_of(by, Change)
    lists = [(label, Listing(Change, site, {"kind": code})) for code, label in _meant(typed)]
    shown = [(label, one) for label, one in lists if not one.asked.closed][:most]
    is_counted = not spans_authorities(by, "change:list")
    if is_counted:
        count_together([one for _label, one in shown])
    hits = (
        Hit(labelled(_("异动业务"), label), one.url(), count_text(one.count()) if is_counted else "")
        for label, one in shown
    )
    return Found(_("业务类型"), tuple(hits))


def _meant(typed: str) -> Iterator[tuple[str, str]]:
    """(code, label as it is shown) of the kinds that are meant, retired ones among them: their cases are kept."""
    for code, label in codes.table(KINDS).all():
        if finding.means(typed, label) or finding.means(typed, _(label)):
            yield code, _(label)


finding.add_source(find_kinds)
