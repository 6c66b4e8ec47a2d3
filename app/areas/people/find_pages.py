"""People in the search over everything: those whom the list of people finds, for who may open them."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _

from app.areas.people import directory, granting
from app.areas.people.directory import Asked
from app.areas.people.page_models import LIST_PATH, show_path
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import finding
from app.surfaces.site import with_args
from app.surfaces.viewmodels import Found, Hit


def find_people(by: Actor, typed: str, most: int) -> Found | None:
    if not (by.has("person:list") and by.has("person:show")):
        return None
    shown = directory.people(db.session(), by, Asked(q=typed, size=most))
    units = granting.unit_names(db.session(), shown.found) if by.is_of_bureau else {}
    hits = tuple(_hit(user, units.get(user.id, "")) for user in shown.found)
    return Found(_("人员"), hits, with_args(LIST_PATH, {"q": typed}) if shown.has_next else "")


def _hit(user: User, unit: str) -> Hit:
    return Hit(user.first_name, show_path(user.id), _("，").join(filter(None, (user.username, unit))))


finding.add_source(find_people)
