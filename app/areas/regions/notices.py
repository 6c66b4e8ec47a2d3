"""Notices of a bureau: read by everybody at and below its region, on the first page and, where marked so, before login."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session

from app.areas.regions.models import Region, name_of
from app.core import rights, scope
from app.core.entity import Entity, OfRegion
from app.core.errors import Complaints
from app.core.fields import col
from app.core.rights import Actor

MOST_ON_HOME, MOST_ON_LOGIN = 5, 3


class Notice(OfRegion, Entity):
    """通知公告：主管部门写给本区域各学校和下级部门的话，有起止日期。"""

    __label__ = "通知公告"
    __path__ = "notices"
    __menu__ = "系统管理 › 通知公告"
    __shown_as__ = "title"
    __order__ = "-id"

    title: Mapped[str] = col.text("标题", 60, search=True, listed=True)
    text: Mapped[str] = col.text("内容", 1000, long=True, filter=False)
    from_on: Mapped[date] = col.day("开始日期", listed=True, help="从这天起显示在首页")
    until_on: Mapped[date | None] = col.day("截止日期", listed=True, help="过了这天不再显示；长期有效的留空")
    is_pinned: Mapped[bool] = col.flag("置顶", default=False, listed=True)
    on_login: Mapped[bool] = col.flag(
        "登录页显示", default=False, listed=True, help="未登录的人也能看到，请勿写入学生或教师的个人信息"
    )
    phone: Mapped[str | None] = col.phone("咨询电话", help="写主管部门的办公电话")

    def settle(self, session: Session) -> None:
        super().settle(session)
        self.doubts = ()
        if self.touched("region_code") and name_of(session, self.region_code) is None:
            self.doubts = (("region_code", _("没有这个行政区划。请在“行政区划”中查对后填写。")),)

    def check(self) -> Complaints:
        yield from super().check()
        if self.until_on and self.until_on < self.from_on:
            yield "until_on", _("截止日期应不早于开始日期。")


Told = tuple[Notice, str | None]
"""A notice, and the name of its region."""


def told_to(session: Session, by: Actor, on: date) -> list[Told]:
    """What the first page says to a person on a day: of the own bureau and of those above, not of those below."""
    query = _said_on(on)
    if by.region_code is not None:
        query = query.where(Notice.region_code <= by.region_code, Notice.region_end >= by.region_code)
    return [(one, name) for one, name in session.execute(query.limit(MOST_ON_HOME))]


def told_before_login(session: Session, on: date) -> list[Told]:
    """What is said to whoever comes to the door."""
    with scope.acting(session, rights.system("login")):
        found = session.execute(_said_on(on).where(Notice.on_login).limit(MOST_ON_LOGIN)).all()
    return [(one, name) for one, name in found]


def _said_on(day: date) -> sa.Select[Notice, str | None]:
    """The pinned first, then the latest."""
    is_on = (Notice.from_on <= day, sa.or_(Notice.until_on.is_(None), Notice.until_on >= day))
    order = (Notice.is_pinned.desc(), Notice.from_on.desc(), Notice.id.desc())
    query = sa.select(Notice, Region.name).outerjoin(Region, Region.code == Notice.region_code)
    return query.where(*is_on).order_by(*order)
