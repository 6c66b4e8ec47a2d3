"""Giving and taking roles: what may be given to whom, as far as where, until when. The rule is core.grants'.

Each act belongs inside `saving.work()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts
from app.areas.people.accounts import Home, home_of
from app.areas.people.roles import BUNDLES, NARROW, default_roles, own_roles
from app.areas.regions.models import Region, region_names
from app.areas.schools.models import AcademicYear, Grade, School, SchoolClass, Term
from app.core import grants
from app.core.entity import Entity
from app.core.errors import Denied, Invalid
from app.core.fields import HERE
from app.core.grants import Wanted
from app.core.places import authority_range
from app.core.powers import powers
from app.core.rights import Actor, Extent, Grant
from app.core.wording import listed

LEAST_REASON, MOST_REASON = 2, 200  # characters


# --- what, to whom ------------------------------------------------------------------------------------


def roles_to_give(session: Session, by: Actor, home: Home | None = None) -> list[Role]:
    """The default roles and those of one's own unit whose rights `by` holds to pass on; a school's super-admin is
    appointed by the bureau. With `home`, also that unit's own, and only what suits its people."""
    able = [h.powers for h in by.holdings if h.passable]
    found = [*default_roles(session), *own_roles(session, Home(by.school_id, by.region_code))]
    if home is not None and home != Home(by.school_id, by.region_code):
        found += own_roles(session, home)
    sets = grants.rights_of_roles(session, {role.id for role in found})
    return [
        role
        for role in found
        if any(powers(sets[role.id]) <= held for held in able)
        and (home is None or suits(role, home))
        and (by.is_of_bureau or not role.heads_unit)
    ]


def suits(role: Role, home: Home) -> bool:
    """Whether the role is one for people of this unit."""
    return bool(role.level == (grants.SCHOOL if home.school_id is not None else grants.BUREAU))


def roles_to_open_with(session: Session, by: Actor) -> list[Role]:
    """What can be given with a new account: not the roles that want grades or classes."""
    return [r for r in roles_to_give(session, by) if r.name not in NARROW and r.level in levels_below(by)]


def levels_below(by: Actor) -> tuple[str, ...]:
    """The levels of the roles that people in the reach of `by` may hold."""
    return (grants.SCHOOL, grants.BUREAU) if by.is_of_bureau else (grants.SCHOOL,)


def chosen(roles: Iterable[Role], role_id: int | None) -> Role | None:
    """The role of that id among those offered. Raises Invalid for any other."""
    if role_id is None:
        return None
    found = next((role for role in roles if role.id == role_id), None)
    if found is None:
        raise Invalid([("role_id", _("没有找到所选的角色，或您不能转授它。请重新选择。"))])
    return found


# --- as far as where ----------------------------------------------------------------------------------


def extent_for(
    session: Session,
    home: Home,
    grade_ids: Collection[int] = (),
    class_ids: Collection[int] = (),
    *,
    school_id: int | None = None,
    region_code: str | None = None,
) -> Extent:
    """The whole school, or some grades and classes of it; for the bureau's people their region or one below it.

    `school_id`: another school, whose central school the person's is. Raises Invalid for what is not theirs.
    """
    if home.school_id is None:
        return Extent.of(None, _region_in(session, home, region_code))
    place = home.school_id if school_id is None else school_id
    if place not in (here for here, _name in schools_of(session, home)):
        raise Invalid([("school_id", _("没有找到所选的学校，或它不以这所学校为中心校。请重新选择。"))])
    if place != home.school_id and (grade_ids or class_ids):
        raise Invalid([("school_id", _("授予其他学校的角色及于全校，不能再选年级、班级。请去掉其中一项。"))])
    for name, entity, ids in (("grade_ids", Grade, grade_ids), ("class_ids", SchoolClass, class_ids)):
        known = session.scalars(sa.select(entity.id).where(entity.id.in_(ids), entity.school_id == place))
        if set(ids) - set(known):
            raise Invalid([(name, _("没有找到所选的年级或班级，或它不在这所学校。请重新选择。"))])
    return Extent.of(place, None, grade_ids, class_ids)


def _region_in(session: Session, home: Home, code: str | None) -> str | None:
    if code and code not in (one for one, _name in regions_of(session, home)):
        raise Invalid([("region_code", _("没有找到所选的行政区划，或它不在这个主管部门之下。请重新选择。"))])
    return code or home.region_code


def schools_of(session: Session, home: Home) -> list[tuple[int, str]]:
    """The person's school, and those whose central school it is: (id, name)."""
    is_it = sa.or_(School.id == home.school_id, School.central_school_id == home.school_id)
    found = session.execute(sa.select(School.id, School.name).where(is_it).order_by(School.id))
    return sorted(((id_, name) for id_, name in found), key=lambda one: one[0] != home.school_id)


def regions_of(session: Session, home: Home) -> list[tuple[str, str]]:
    """The bureau's region and those below it: (code, name)."""
    low, high = authority_range(home.region_code or "")
    query = sa.select(Region.code, Region.name).where(Region.code.between(low, high)).order_by(Region.code)
    return [(code, name) for code, name in session.execute(query)]


def seats_in(session: Session, school_id: int) -> list[tuple[Grade, list[SchoolClass]]]:
    """The grades of the school that have not graduated, each with its classes, as far as the reader sees them."""
    here = sa.select(Grade).where(Grade.school_id == school_id, Grade.is_graduated.is_(False))
    grades = list(session.scalars(here.order_by(Grade.order_key)))
    of_grades = sa.select(SchoolClass).where(SchoolClass.grade_id.in_([grade.id for grade in grades]))
    classes = list(session.scalars(of_grades.order_by(SchoolClass.order_key)).unique())
    return [(grade, [one for one in classes if one.grade_id == grade.id]) for grade in grades]


# --- until when ---------------------------------------------------------------------------------------


def start_of(day: date | None) -> datetime | None:
    """A grant from a day holds from its first moment; from today or without a day, at once."""
    if day is None or day == datetime.now(HERE).date():
        return None
    return datetime.combine(day, time(), HERE)


def end_of(day: date | None) -> datetime | None:
    """A grant until a day holds through that day."""
    return datetime.combine(day + timedelta(days=1), time(), HERE) if day is not None else None


def last_day(until: datetime | None) -> date | None:
    return (until.astimezone(HERE) - timedelta(seconds=1)).date() if until is not None else None


def ends_to_suggest(session: Session) -> list[tuple[str, date]]:
    """The end of this term and of this school year, as the calendar has them."""
    today = datetime.now(HERE).date()
    found = []
    for label, entity in ((_("学期末"), Term), (_("学年末"), AcademicYear)):
        day = session.scalar(sa.select(sa.func.min(entity.ends_on)).where(entity.ends_on >= today))
        if day is not None:
            found.append((label, day))
    return found


# --- giving -------------------------------------------------------------------------------------------


def give(
    session: Session,
    by: Actor,
    taker: User,
    role: Role,
    extent: Extent,
    until: datetime | None,
    *,
    usable: bool = True,
    passable: bool = False,
    starts_at: datetime | None = None,
) -> Grant:
    """The role; with one that administers people and is for use, also its bundle to pass on, as far as `by` can give it.

    Raises Denied without grant:add there, Invalid as `grants.grant` does.
    """
    accounts.require(session, by, "grant:add", taker)
    if complaints := list(_unfit(session, taker, role, extent, starts_at)):
        raise Invalid(complaints)
    given = grants.grant(
        session, by, taker, role, extent, until, usable=usable, passable=passable, starts_at=starts_at
    )
    bundle = session.scalar(sa.select(Role).where(Role.name == BUNDLES.get(role.name)))
    if bundle is not None and usable and not extent.is_narrow:
        held_now = grants.rights_in_role(session, bundle)
        whole = Wanted(
            taker, bundle, held_now, extent, until, usable=False, passable=True, starts_at=starts_at
        )
        if grants.can_give(session, by, whole):
            grants.grant(
                session, by, taker, bundle, extent, until, usable=False, passable=True, starts_at=starts_at
            )
    return given


def _unfit(
    session: Session, taker: User, role: Role, extent: Extent, starts_at: datetime | None
) -> Iterator[tuple[str, str]]:
    home = home_of(taker)
    if not suits(role, home):
        yield "role_id", _("“%(role)s”不能授予这个单位的人员。请选择其他角色。", role=role.title)
    if role.name in NARROW and not extent.is_narrow:
        yield "class_ids", _("“%(role)s”只管所带的班级。请选择班级，或选择整个年级。", role=role.title)
    elsewhere = extent.school_id is not None and extent.school_id != home.school_id
    if elsewhere and not grants.is_confirmed_duty(powers(grants.rights_in_role(session, role))):
        yield "role_id", _("中心校人员在其他学校只能担任主管学籍领导。请选择相应的角色，或改选本校。")
    if starts_at is not None and starts_at <= datetime.now(UTC):
        yield "starts_on", _("开始日期已过。请改为今天或更晚的日期，立即生效的请留空。")


def renew(session: Session, by: Actor, given: Grant, until: datetime | None) -> Grant:
    """The same for the same person until another day. Raises Denied, Invalid as `grants.replace_grant` does."""
    require_may_renew(session, by, given)
    if until == given.until:
        raise Invalid([("until", _("截止日期没有变。请填写新的截止日期，长期有效的请留空。"))])
    later = given.starts_at if given.starts_at > datetime.now(UTC) else None
    return grants.replace_grant(session, by, given, given.person, until, starts_at=later)


def require_may_renew(session: Session, by: Actor, given: Grant) -> None:
    """To give anew what one could take back. Raises Denied."""
    accounts.require(session, by, "grant:add", given.person)
    verdict = grants.may_take(session, by, given)
    if not verdict:
        raise Denied(str(verdict))


# --- taking back --------------------------------------------------------------------------------------


def goes_with(session: Session, given: Grant) -> Iterator[str]:
    """What ends together with this grant, as sentences."""
    return ended_sentences(session, grants.ends_with(session, given)[1:])


def ended_sentences(session: Session, ended: Sequence[Grant]) -> Iterator[str]:
    places = wheres(session, ended)
    for one in ended:
        words = {"name": one.person.first_name, "role": one.role.title, "where": places[one.id]}
        yield _("%(name)s的“%(role)s”，%(where)s", **words)


def refuse(session: Session, by: Actor, given: Grant, reason: str) -> list[Grant]:
    """The bureau's no to a school's leader, with what it is for. Raises Denied, Invalid."""
    if not LEAST_REASON <= len(reason) <= MOST_REASON or not reason.replace("\n", "").isprintable():
        raise Invalid([("reason", _("请填写不予确认的理由（2到200个字），理由会告知学校并记入访问日志。"))])
    return grants.refuse(session, by, given, reason)


# --- said to people -----------------------------------------------------------------------------------


def where(session: Session, given: Grant) -> str:
    """As far as a grant reaches. Names outside the reader's scope stay unnamed."""
    return wheres(session, [given])[given.id]


def wheres(session: Session, found: Iterable[Grant]) -> dict[int, str]:
    """Grant → how far it reaches, for a whole page in a few statements."""
    given = list(found)
    names = extent_names(session, [one.extent for one in given])
    return {one.id: names[one.extent] for one in given}


def extent_names(session: Session, extents: Iterable[Extent]) -> dict[Extent, str]:
    """How far each extent reaches, for people: one statement for each kind of place, however many extents."""
    found = list(dict.fromkeys(extents))
    regions = region_names(session, {e.low for e in found if e.low})
    schools = _names_by_id(session, School, {e.school_id for e in found if e.school_id is not None})
    grades = _names_by_id(session, Grade, {id_ for e in found for id_ in e.grade_ids})
    classes = _names_by_id(session, SchoolClass, {id_ for e in found for id_ in e.class_ids})
    return {e: _extent_name(e, regions, schools, grades, classes) for e in found}


def _extent_name(
    extent: Extent,
    regions: Mapping[str, str],
    schools: Mapping[int, str],
    grades: Mapping[int, str],
    classes: Mapping[int, str],
) -> str:
    if extent.is_narrow:
        parts = [grades[id_] for id_ in sorted(extent.grade_ids) if id_ in grades]
        parts += [classes[id_] for id_ in sorted(extent.class_ids) if id_ in classes]
        return listed(parts) or _("部分年级或班级")
    if extent.school_id is not None:
        name = schools.get(extent.school_id)
        return _("%(name)s全校", name=name) if name else _("所在学校全校")
    return _("%(name)s及以下", name=regions.get(extent.low, extent.low))


def _names_by_id(session: Session, entity: type[Entity], ids: Collection[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = list(session.scalars(sa.select(entity).where(entity.id.in_(ids))).unique())
    entity.load_names(session, rows)
    return {row.id: row.shown() for row in rows}


def _school_names(session: Session, ids: Collection[int | None]) -> dict[int, str]:
    wanted = {id_ for id_ in ids if id_ is not None}
    query = sa.select(School.id, School.name).where(School.id.in_(wanted))
    return {row.id: row.name for row in session.execute(query)} if wanted else {}


def unit_names(session: Session, found: Sequence[User] | Sequence[Role]) -> dict[int, str]:
    """Id of an account or role → name of its school or bureau."""
    schools = _school_names(session, {one.school_id for one in found})
    regions = region_names(session, {one.region_code for one in found if one.region_code})
    return {one.id: schools.get(one.school_id) or regions.get(one.region_code, "") for one in found}
