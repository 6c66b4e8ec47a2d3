"""The 学校标识码: whether one can be right in itself. Whether it is taken is asked elsewhere."""

from __future__ import annotations

import re
from typing import Final

from flask_babel import gettext as _

from app.core import places

_SHAPE = re.compile(r"[0-9]{10}")
CATEGORIES: Final = frozenset({"11", "21", "22", "31", "32", "34", "36", "37", "41", "51"})
PROVINCES: Final = places.PROVINCES | {"66"}  # 新疆生产建设兵团 numbers its schools by itself


def check_school_code(code: str) -> str | None:
    """What is wrong with a 学校标识码, or None. It has no check digit (学校(机构)代码管理办法, 2011)."""
    if not _SHAPE.fullmatch(code):
        return _(
            "学校标识码不是10位数字。标识码由教育部统一编制，请对照《学校代码证书》或主管部门下发的名单填写。"
        )
    if code[:2] not in CATEGORIES:
        return _(
            "学校标识码前两位不是办学类别代码。例如小学为21、初中为31、高中为34，请对照主管部门下发的名单核对。"
        )
    if code[2:4] not in PROVINCES:
        return _("学校标识码第3、4位不是省级行政区划代码。可能填错或换位，请对照主管部门下发的名单核对。")
    return None
