"""Seats in classes: how many pupils sit in one, the cap of its stage, and the sentence when it is full.

Only 在校 pupils count: a draft counts nowhere, who is on leave holds no seat (domain.md §0.2, §5.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import current_app, has_app_context
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core import codes
from app.core.authority import Authority
from app.core.entity import registry
from app.core.scope import unscoped
from app.core.wording import listed, sentences

if TYPE_CHECKING:
    from app.areas.schools.models import SchoolClass

COMPULSORY = ("1", "2")
CAP, WARN_FROM = 55, 50  # pupils; without settings
LARGE_FROM, VERY_LARGE_FROM = 56, 66  # pupils: 大班额, 超大班额
SEATED = "enrolled"
MOST_OFFERED = 5  # classes named in the sentence


def cap(stage: str | None) -> int:
    """The most pupils a class of this stage may hold."""
    return _setting("CLASS_CAP", stage, CAP)


def warn_from(stage: str | None) -> int:
    """From how many pupils a class of this stage is shown as nearly full."""
    return _setting("CLASS_WARN", stage, WARN_FROM)


def _setting(name: str, stage: str | None, default: int) -> int:
    settings = current_app.config.get(name, {}) if has_app_context() else {}
    return int(settings.get(stage, default))


def limit_of(school_class: SchoolClass, stage: str | None) -> int:
    """The cap of this class: that of its stage, or what the authority has lifted it to."""
    return max(cap(stage), school_class.cap_lifted_to or 0)


SPARE, NORMAL, NEAR, FULL, LARGE, VERY_LARGE = BANDS = (
    "spare",
    "normal",
    "near",
    "full",
    "large",
    "very_large",
)
FROM_BAND_ON = {"in_use": NORMAL, "near_up": NEAR, "large_up": LARGE}
"""Codes of the table class_band: the bands, and what stands for a band with all above it."""


def _floors(stage: str | None) -> tuple[int, ...]:
    """From how many pupils each of BANDS begins; where two floors cross, the later band holds."""
    return (0, 1, warn_from(stage), cap(stage), LARGE_FROM, VERY_LARGE_FROM)


def band(n: int, stage: str | None = None) -> str:
    """How full a class with `n` pupils is, as one of BANDS."""
    return next(
        code for code, floor in zip(reversed(BANDS), reversed(_floors(stage)), strict=True) if n >= floor
    )


def band_label(code: str) -> str:
    """In the words of the class-size report."""
    return _(codes.table("class_band").label(code))


def sizes_in(code: str, stage: str) -> tuple[int, int | None]:
    """From how many pupils to how many a class of the stage is in a band, or in what stands for several."""
    first = BANDS.index(FROM_BAND_ON.get(code, code))
    floors = _floors(stage)
    later = floors[first + 1 :] if code in BANDS else ()
    return floors[first], min(later) - 1 if later else None


def head_count(session: Session, class_id: int) -> int:
    """How many pupils sit in the class."""
    return head_counts(session, [class_id]).get(class_id, 0)


def head_counts(session: Session, class_ids: Iterable[int]) -> dict[int, int]:
    """class id → pupils, in one statement; classes without pupils are left out."""
    student: Any = registry["student"]
    found = session.execute(
        sa.select(student.class_id, sa.func.count())
        .where(student.class_id.in_(list(class_ids)), student.status == SEATED, student.deleted_at.is_(None))
        .group_by(student.class_id)
    )
    return {row[0]: row[1] for row in found}


def complaint(
    session: Session,
    school_class: SchoolClass,
    joining: int = 1,
    authority: Authority | None = None,
    stage: str | None = None,
) -> str | None:
    """Why `joining` more pupils may not sit here, with the classes that have seats; None if they may.

    Never said to a pupil who returns by right in compulsory schooling (domain.md §0.9).
    """
    stage = stage or school_class.grade.stage
    if authority is not None and authority.returns and stage in COMPULSORY:
        return None
    others = _others(session, school_class)
    # Who approves for another school may not see this school's pupils, and must count them all the same.
    with unscoped(session, "class seats") if authority else nullcontext():
        counts = head_counts(session, [school_class.id, *(other.id for other in others)])
    now, limit = counts.get(school_class.id, 0), limit_of(school_class, stage)
    if now + joining <= limit:
        return None
    free = [c.full_name for c in others if counts.get(c.id, 0) + joining <= limit_of(c, stage)]
    return _refusal(school_class.full_name, now, limit, free)


def warning(session: Session, school_class: SchoolClass, stage: str) -> str | None:
    """What whoever brings one more pupil in is told from the warning band on (`warn_from`); None below it."""
    n, limit = head_count(session, school_class.id) + 1, limit_of(school_class, stage)
    if n < warn_from(stage):
        return None
    words = {"name": school_class.full_name, "n": n, "cap": limit}
    if n >= limit:
        return _(
            "%(name)s连同这名学生共%(n)s人，已达上限%(cap)s人。后来的学生请编入其他班级，或增设新班。",
            **words,
        )
    return _("%(name)s连同这名学生共%(n)s人，接近上限%(cap)s人。后来的学生请优先编入其他班级。", **words)


def _others(session: Session, school_class: SchoolClass) -> list[SchoolClass]:
    entity = type(school_class)
    query = sa.select(entity).where(entity.grade_id == school_class.grade_id, entity.id != school_class.id)
    return list(session.scalars(query.order_by(entity.number)))


def _refusal(name: str, now: int, limit: int, free: list[str]) -> str:
    full = (
        _("%(name)s现有%(n)s人，已达上限%(cap)s人。", name=name, n=now, cap=limit)
        if now >= limit
        else _("%(name)s现有%(n)s人，编入后将超过上限%(cap)s人。", name=name, n=now, cap=limit)
    )
    return sentences((full, *_ways_out(free)))


def _ways_out(free: list[str]) -> Iterator[str]:
    if free:
        yield _("可改选：%(classes)s；确需编入的，请报主管部门批准。", classes=listed(free[:MOST_OFFERED]))
    else:
        yield _("本年级各班都已满，可先增设新班；确需编入的，请报主管部门批准。")
