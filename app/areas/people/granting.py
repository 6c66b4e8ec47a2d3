"""Giving and taking default roles: what may be given to whom, as far as where, until when. The rule is core.rights'.

Each act belongs inside `saving.work()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts
from app.areas.people.accounts import Home, home_of
from app.areas.people.roles import BUNDLES, NARROW, default_roles, own_roles
from app.areas.regions.models import name_of
from app.areas.schools.models import Grade, School, SchoolClass
from app.core import grants
from app.core.errors import Denied, Invalid, Missing
from app.core.fields import HERE
from app.core.grants import Wanted
from app.core.powers import powers
from app.core.rights import Actor, Extent, Grant


def roles_to_give(session: Session, by: Actor) -> list[Role]:
    """The roles whose rights `by` holds to pass on; a school's super-admin is appointed by the bureau."""
    able = [h.powers for h in by.holdings if h.passable]
    found = [*default_roles(session), *own_roles(session, by)]
    sets = grants.rights_of_roles(session, {role.id for role in found})
    able_to_give = [role for role in found if any(powers(sets[role.id]) <= held for held in able)]
    return [role for role in able_to_give if by.is_of_bureau or not role.heads_unit]


def suits(role: Role, home: Home) -> bool:
    """Whether the role is one for people of this unit."""
    return bool(role.level == ("school" if home.school_id is not None else "bureau"))


def roles_to_open_with(session: Session, by: Actor) -> list[Role]:
    """What can be given with a new account: not the roles that want grades or classes."""
    return [r for r in roles_to_give(session, by) if r.name not in NARROW and r.level in levels_below(by)]


def levels_below(by: Actor) -> tuple[str, ...]:
    """The levels of the roles that people in the reach of `by` may hold."""
    return (grants.SCHOOL, grants.BUREAU) if by.is_of_bureau else (grants.SCHOOL,)


def extent_for(
    session: Session, home: Home, grade_id: int | None = None, class_id: int | None = None
) -> Extent:
    """The whole school, or one grade or class of it; for the bureau's people their region. Raises Invalid."""
    if home.school_id is None:
        return Extent.of(None, home.region_code, None, None)
    if grade_id is not None:
        grade = session.get(Grade, grade_id)
        _require(grade is not None and grade.school_id == home.school_id, "grade_id")
    if class_id is None:
        return Extent.of(home.school_id, None, [grade_id] if grade_id is not None else None, None)
    chosen = session.get(SchoolClass, class_id)
    is_here = (
        chosen is not None and chosen.school_id == home.school_id and grade_id in (None, chosen.grade_id)
    )
    _require(is_here, "class_id")
    return Extent.of(home.school_id, None, None, [class_id])


def _require(is_found: bool, name: str) -> None:
    if not is_found:
        raise Invalid([(name, _("没有找到所选的年级或班级，或班级不在所选的年级。请重新选择。"))])


def end_of(day: date | None) -> datetime | None:
    """A grant until a day holds through that day."""
    return datetime.combine(day + timedelta(days=1), time(), HERE) if day is not None else None


def last_day(until: datetime | None) -> date | None:
    return (until.astimezone(HERE) - timedelta(seconds=1)).date() if until is not None else None


def give(
    session: Session, by: Actor, taker: User, role: Role, extent: Extent, until: datetime | None
) -> Grant:
    """The role for use; for a role that administers people also its bundle to pass on, as far as `by` can give it.

    Raises Denied without grant:add there, Invalid as `rights.grant` does.
    """
    accounts.require(session, by, "grant:add", taker)
    if not suits(role, home_of(taker)):
        raise Invalid([("role_id", _("“%(role)s”不能授予这个单位的人员。请选择其他角色。", role=role.label))])
    if role.name in NARROW and not extent.is_narrow:
        raise Invalid(
            [("class_id", _("“%(role)s”只管所带的班级。请选择班级，或选择整个年级。", role=role.label))]
        )
    if until is not None and until <= datetime.now(UTC):
        raise Invalid([("until", _("截止日期已过。请改为今天或更晚的日期，长期有效的请留空。"))])
    given = grants.grant(session, by, taker, role, extent, until)
    bundle = session.scalar(sa.select(Role).where(Role.name == BUNDLES.get(role.name)))
    if bundle is not None and not extent.is_narrow:
        whole = Wanted(
            taker, bundle, grants.rights_in_role(session, bundle), extent, until, usable=False, passable=True
        )
        if grants.can_give(session, by, whole):
            grants.grant(session, by, taker, bundle, extent, until, usable=False, passable=True)
    return given


# --- taking back --------------------------------------------------------------------------------------


def find_grant(session: Session, by: Actor, grant_id: int) -> Grant:
    """A grant to somebody whom `by` may see. Raises Missing, also when it was withdrawn already."""
    found = session.get(Grant, grant_id, populate_existing=True) if grant_id < 2**63 else None
    if found is None or found.withdrawn_at is not None:
        raise Missing()
    accounts.find(session, by, found.person_id)
    return found


def require_may_take(session: Session, by: Actor, given: Grant) -> None:
    verdict = grants.may_take(session, by, given)
    if not verdict:
        raise Denied(str(verdict))


def goes_with(session: Session, given: Grant) -> Iterator[str]:
    """What ends together with this grant, as sentences."""
    for one in grants.ends_with(session, given)[1:]:
        yield _(
            "%(name)s的“%(role)s”，%(where)s",
            name=one.person.first_name,
            role=one.role.label,
            where=where(session, one),
        )


# --- said to people -----------------------------------------------------------------------------------


def where(session: Session, given: Grant) -> str:
    """As far as a grant reaches. Names outside the reader's scope stay unnamed."""
    if given.region_code:
        return _("%(name)s及以下", name=name_of(session, given.region_code) or given.region_code)
    if not given.grade_ids and not given.class_ids:
        school = session.get(School, given.school_id)
        return _("%(name)s全校", name=school.name) if school is not None else _("所在学校全校")
    grades = session.scalars(sa.select(Grade).where(Grade.id.in_(given.grade_ids or ())))
    classes = session.scalars(
        sa.select(SchoolClass).where(SchoolClass.id.in_(given.class_ids or ()))
    ).unique()
    return "、".join([grade.name for grade in grades] + [one.full_name for one in classes]) or _(
        "部分年级或班级"
    )


def unit_names(session: Session, users: list[User]) -> dict[int, str]:
    """Account id → name of its school or bureau."""
    ids = {user.school_id for user in users if user.school_id is not None}
    schools = (
        dict(session.execute(sa.select(School.id, School.name).where(School.id.in_(ids))).all())
        if ids
        else {}
    )
    codes = {user.region_code for user in users if user.region_code}
    regions = {code: name_of(session, code) or code for code in codes}
    return {user.id: schools.get(user.school_id) or regions.get(user.region_code, "") for user in users}
