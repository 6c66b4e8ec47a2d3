"""Regions: provinces, prefectures and counties of GB/T 2260, and the zones that a bureau adds to them.

The standard's own rows come from `gb2260`; which codes lie below an authority is said in `core.places`.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session

from app.core import places
from app.core.entity import Entity
from app.core.errors import Complaints
from app.core.fields import col


class Region(Entity):
    """行政区划：国家标准的省、市、县，以及自设的开发区。"""

    __label__ = "行政区划"
    __path__ = "regions"
    __menu__ = "系统管理 › 行政区划"
    __natural_key__ = "code"
    __shown_as__ = "name"
    __actions__ = ("list", "show", "add", "edit")
    __written_in__ = ("code", "parent_code")
    __order__ = "code"

    code: Mapped[str] = col.text(
        "区划代码",
        6,
        unique=True,
        sort=True,
        search=True,
        listed=True,
        clean=places.normal_code,
        rule=places.check_region,
    )
    name: Mapped[str] = col.text("名称", 60, search=True, listed=True)
    parent_code: Mapped[str | None] = col.text(
        "上级区划代码", 6, index=True, listed=True, clean=places.normal_code, rule=places.check_region
    )
    level: Mapped[str] = col.code("级别", "region_level", listed=True, form=False, default="zone")
    is_added: Mapped[bool] = col.flag("自设区域", listed=True, form=False, default=True)

    def settle(self, session: Session) -> None:
        parent = session.scalar(sa.select(Region).where(Region.code == self.parent_code))
        self.doubts = ()
        if self.parent_code and parent is None:
            self.doubts = (("parent_code", _("没有这个上级区划代码。请在“行政区划”中查对后填写。")),)

    def check(self) -> Complaints:
        yield from super().check()
        if self.is_added is False:
            if sa.inspect(self).persistent:
                yield "", _("这是国家标准中的行政区划，不能修改。需要增设开发区等区域的，请另行新增。")
        elif not self.parent_code:
            yield "parent_code", _("自设区域应归属某个省或市。请填写上级区划代码。")
        elif not _is_below(self.code, self.parent_code):
            yield (
                "code",
                _("代码不在上级代码的范围内（如510100之下为510101至510199）。请改用其中未占用的代码。"),
            )


def _is_below(code: str, parent: str) -> bool:
    low, high = places.authority_range(parent)
    return low < code <= high


def name_of(session: Session, code: str | None) -> str | None:
    """The name of the region with this code (only its first six digits are compared), or None."""
    return session.scalar(sa.select(Region.name).where(Region.code == (code or "")[:6]))


def region_names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Code → name, in one statement; unknown codes are left out."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    found = session.execute(sa.select(Region.code, Region.name).where(Region.code.in_(wanted)))
    return dict(found.all())
