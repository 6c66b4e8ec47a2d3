"""Notices where people meet them: on the first page and beside the login form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from flask import current_app
from flask_babel import gettext as _

from app.areas.regions import notices
from app.areas.regions.notices import Notice
from app.core.fields import HERE
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import entrance
from app.surfaces.entrance import Said


def said_at_home(by: Actor) -> Iterable[Said]:
    can_open = by.has("notice:show")
    for notice, region in notices.told_to(db.session(), by, _today()):
        yield _said(notice, region, f"/notices/show/{notice.id}" if can_open else None)


def said_at_the_door() -> Iterable[Said]:
    for notice, region in notices.told_before_login(db.session(), _today()):
        yield _said(notice, region)


def _today() -> date:
    return datetime.now(HERE).date()


def _said(one: Notice, region: str | None, url: str | None = None) -> Said:
    by_whom = _("%(name)s主管部门", name=region or one.region_code)
    phone = one.phone or current_app.config["BUREAU_PHONE"]
    return Said(one.title, one.text, by_whom, one.from_on.isoformat(), phone, url, one.is_pinned)


entrance.SAID_AT_HOME[:] = [said_at_home]
entrance.SAID_AT_THE_DOOR[:] = [said_at_the_door]
