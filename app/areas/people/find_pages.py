"""People in the search over everything: those whom the list of people finds, for who may open them, and the others who
stand in the address book."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _

from app.areas.people import address_book, directory, granting
from app.areas.people.address_book import Entry
from app.areas.people.address_book_pages import PATH as BOOK_PATH
from app.areas.people.directory import Asked
from app.areas.people.page_models import LIST_PATH, show_path
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import finding
from app.surfaces.site import with_args
from app.surfaces.viewmodels import Found, Hit


def find_people(by: Actor, typed: str, most: int) -> Found | None:
    if not _may_open(by):
        return None
    shown = directory.people(db.session(), by, Asked(q=typed, size=most))
    units = granting.unit_names(db.session(), shown.found) if by.is_of_bureau else {}
    hits = tuple(_hit(user, units.get(user.id, "")) for user in shown.found)
    return Found(_("人员"), hits, with_args(LIST_PATH, {"q": typed}) if shown.has_next else "")


def find_in_address_book(by: Actor, typed: str, most: int) -> Found | None:
    if not by.has(address_book.RIGHT):
        return None
    known = by.reach("person:list") if _may_open(by) else ()
    shown = address_book.look_up(db.session(), by, typed, count_to=0, size=most, known=known)
    return Found(
        _("通讯录"),
        tuple(map(_entry_hit, shown.found)),
        with_args(BOOK_PATH, {"q": typed}) if shown.has_next else "",
    )


def _may_open(by: Actor) -> bool:
    return by.has("person:list") and by.has("person:show")


def _hit(user: User, unit: str) -> Hit:
    return Hit(user.first_name, show_path(user.id), _("，").join(filter(None, (user.username, unit))))


def _entry_hit(one: Entry) -> Hit:
    """Leads to the line of the address book, which has no page for each."""
    note = _("，").join(filter(None, (one.school, one.phone)))
    return Hit(one.name, with_args(BOOK_PATH, {"q": one.name}), note)


finding.add_source(find_people)
finding.add_source(find_in_address_book)
