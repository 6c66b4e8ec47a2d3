"""Giving rights and taking them back. Every way to change what somebody holds asks `refusals` here: a new grant, a role
that is edited, copied or built, a hand-over, a renewal; by page, by REST, by command.

What a grant allows is decided in `rights`. Each act belongs inside `saving.work()`, is audited, and locks what it relies
on, so that two acts at once cannot do together what neither may do alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    User,
    ViewMenu,
    assoc_permissionview_role,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core import audit, rights
from app.core.entity import registry
from app.core.errors import Complaints, Denied, Invalid
from app.core.powers import all_rights, as_pair, as_right, describe, powers
from app.core.rights import Actor, Extent, Facts, Grant, Holding, Place, Verdict

SCHOOL, BUREAU, PLATFORM = "school", "bureau", "platform"
MOST_NAMED = 5  # rights or people named in one sentence


# --- what must be known of places ---------------------------------------------------------------------


def authorities_of(session: Session, school_id: int | None) -> tuple[str, ...]:
    """The codes that decide over a school, the lowest stage's first (a 完全中学 may have two)."""
    if school_id is None:
        return ()
    stage = Model.metadata.tables["school_stage"]
    query = sa.select(stage.c.authority_code).where(stage.c.school_id == school_id).order_by(stage.c.stage)
    return tuple(dict.fromkeys(_look(session, query).scalars()))


def facts_of(session: Session, extent: Extent) -> Facts:
    """What must be known to say whether another extent contains this one."""
    authorities = frozenset(authorities_of(session, extent.school_id))
    return Facts(authorities, grades_of(session, extent.class_ids))


def grades_of(session: Session, class_ids: Iterable[int]) -> dict[int, int]:
    """Class → its grade. Classes of several grades are left out: they lie in none of them."""
    wanted = sorted(class_ids)
    if not wanted:
        return {}
    classes, more = (Model.metadata.tables[name] for name in ("school_class", "class_grade"))
    several = sa.exists().where(more.c.class_id == classes.c.id)
    query = sa.select(classes.c.id, classes.c.grade_id).where(classes.c.id.in_(wanted), sa.not_(several))
    return {row.id: row.grade_id for row in _look(session, query)}


def places_of(session: Session, extent: Extent) -> tuple[Place, ...]:
    """Where an extent is, for whoever asks whether he may act there."""
    if extent.school_id is None:
        return (Place(None, extent.low or None),)
    codes = authorities_of(session, extent.school_id)
    return tuple(Place(extent.school_id, code) for code in codes) or (Place(extent.school_id, None),)


def _look(session: Session, query: sa.Select[Any]) -> sa.Result[Any]:
    """Columns of places only, past the read wall."""
    return session.connection().execute(query.execution_options(unguarded=True))


# --- roles as sets of rights --------------------------------------------------------------------------


def rights_of_roles(session: Session, role_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Role → its rights and limits, in one statement."""
    if not role_ids:
        return {}
    pairs = assoc_permissionview_role
    query = (
        sa.select(pairs.c.role_id, Permission.name, ViewMenu.name)
        .join(PermissionView, PermissionView.id == pairs.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(pairs.c.role_id.in_(list(role_ids)))
    )
    found: dict[int, set[str]] = {id_: set() for id_ in role_ids}
    for role_id, permission, view in session.execute(query):
        found[role_id].add(as_right(permission, view))
    return {id_: frozenset(held) for id_, held in found.items()}


def rights_in_role(session: Session, role: Role) -> frozenset[str]:
    return rights_of_roles(session, [role.id])[role.id]


def made_from(role_ids: sa.Select[tuple[int]]) -> sa.CTE:
    """(root, id): each of these roles, and all that were copied from it, copies of copies included."""
    first = role_ids.distinct().subquery()
    roots = sa.select(first.c[0].label("root"), first.c[0].label("id")).cte("made_from", recursive=True)
    copies = sa.select(roots.c.root, Role.id).where(Role.template_id == roots.c.id)
    return roots.union(copies)


def write_role(session: Session, role: Role, held: Iterable[str]) -> None:
    """Writes exactly these rights and limits into the role; whether that may be was asked before."""
    wanted = frozenset(held)
    if role.id is not None and rights_in_role(session, role) == wanted:
        return
    query = (
        sa.select(Permission.name, ViewMenu.name, PermissionView)
        .join(PermissionView.permission)
        .join(PermissionView.view_menu)
    )
    known = {(permission, view): pair for permission, view, pair in session.execute(query).unique()}
    role.permissions = [known[as_pair(right)] for right in sorted(wanted)]
    session.flush()


# --- the one rule -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody is to hold. `besides` are the ids of grants that this one replaces."""

    taker: User
    role: Role
    rights: frozenset[str]
    extent: Extent
    until: datetime | None = None
    usable: bool = True
    passable: bool = False
    besides: frozenset[int] = frozenset()


def refusals(session: Session, giver: Actor, wanted: Wanted) -> Complaints:
    """Why `giver` may not give this: (input name, sentence) for every reason that stands by itself."""
    yield from _to_oneself(session, giver, wanted.taker)
    yield from _of_wrong_level(session, wanted)
    yield from _not_apart(session, wanted)
    if giver.is_system:
        return
    yield from _head_not_from_above(giver, wanted)
    if isinstance(found := _cover(session, giver, wanted), str):
        yield _COVER_INPUT[found], _cover_sentence(giver, wanted, found)


def _to_oneself(session: Session, giver: Actor, taker: User) -> Complaints:
    if giver.is_system or giver.id is None:
        return
    if giver.id == taker.id:
        yield "", _("不能给自己授权。请由上一级管理员办理。")
    elif (own := session.get(User, giver.id)) is not None and is_same_person(own, taker):
        yield "", _("对方的姓名和电话与您相同：一人一个账号，不能给自己的另一个账号授权。")


def is_same_person(one: User, other: User) -> bool:
    """One person, one account: told by name and phone."""
    return bool(one.phone) and (one.first_name, one.phone) == (other.first_name, other.phone)


def _of_wrong_level(session: Session, wanted: Wanted) -> Complaints:
    """Who runs the machines sees no pupil, and who sees pupils does not run the machines."""
    held = [given for given in held_grants(session, wanted.taker.id) if given.id not in wanted.besides]
    levels = {given.role.level for given in held}
    if wanted.role.level == PLATFORM and (levels - {PLATFORM} or sees_pupils(wanted.rights)):
        yield "role_id", _("运维角色不能含有学生信息的权限，也不能授予学校或主管部门的在岗人员。")
    elif wanted.role.level != PLATFORM and PLATFORM in levels:
        yield "role_id", _("%(name)s是运维人员，不能同时担任其他角色。", name=wanted.taker.first_name)


def sees_pupils(held: frozenset[str]) -> bool:
    about = {e.key() for e in registry if e.key() == "student" or "student_id" in sa.inspect(e).column_attrs}
    return any(right.partition(":")[0] in about for right in held)


def _not_apart(session: Session, wanted: Wanted) -> Complaints:
    """Nobody holds two duties of one procedure that are each other's check, at one school."""
    if not wanted.usable:
        return
    new = powers(wanted.rights)
    held = [g for g in held_grants(session, wanted.taker.id) if g.usable and g.id not in wanted.besides]
    sets = rights_of_roles(session, {g.role_id for g in held})
    for one, other in apart():
        if {one, other} <= new:
            yield "role_id", _apart_sentence(wanted.taker, one, other)
        for given in held:
            old = powers(sets[given.role_id])
            crossing = (one in new and other in old) or (other in new and one in old)
            if crossing and overlap(session, given.extent, wanted.extent):
                yield "role_id", _apart_sentence(wanted.taker, one, other)
                break


def apart() -> Iterator[tuple[str, str]]:
    """Pairs of rights that check each other."""
    for entity in registry:
        for one, other in entity.__apart__:
            yield f"{entity.key()}:{one}", f"{entity.key()}:{other}"


def overlap(session: Session, one: Extent, other: Extent) -> bool:
    """Whether any school lies in both; grades and classes are not told apart here."""
    schools = {e.school_id for e in (one, other) if e.school_id is not None}
    if len(schools) == 2:
        return False
    if not schools:
        return one.meet(other, {}) is not None
    codes = authorities_of(session, next(iter(schools)))
    ranges = [e for e in (one, other) if e.low]
    return all(any(e.low <= code <= e.high for code in codes) for e in ranges)


def _apart_sentence(taker: User, one: str, other: str) -> str:
    return _(
        "%(name)s在同一所学校不能既%(one)s，又%(other)s：谁提交，谁就不能审核。请分给两个人。",
        name=taker.first_name,
        one=describe(one),
        other=describe(other),
    )


def _head_not_from_above(giver: Actor, wanted: Wanted) -> Complaints:
    """A school's super-admin is appointed by the bureau, for the whole school and without an end."""
    if not wanted.role.heads_unit or wanted.extent.school_id is None:
        return
    if not any(h.passable and h.extent.low for h in giver.holdings):
        yield "role_id", _("学校总管理员由主管部门任命和更换。请联系主管部门管理员。")
    if wanted.until is not None or wanted.extent.is_narrow:
        yield "until", _("学校总管理员管理全校，任期不设截止日期；更换时由主管部门办理移交。")


_COVER_INPUT = {"right": "role_id", "place": "school_id", "until": "until"}


def _cover(session: Session, giver: Actor, wanted: Wanted) -> Holding | str:
    """The holding under which the giver gives it, or what all of his lack. One must cover all of it, so that taking it
    back has one root."""
    able = [h for h in giver.holdings if h.passable]
    asked = powers(wanted.rights)
    if not asked <= frozenset().union(*(h.powers for h in able)):
        return "right"
    facts = facts_of(session, wanted.extent)
    able = [h for h in able if asked <= h.powers and h.extent.contains(wanted.extent, facts)]
    if not able:
        return "place"
    able = [h for h in able if h.until is None or (wanted.until is not None and wanted.until <= h.until)]
    return able[0] if able else "until"


def _cover_sentence(giver: Actor, wanted: Wanted, lack: str) -> str:
    if lack == "right":
        held = frozenset().union(*(h.powers for h in giver.holdings if h.passable))
        return _(
            "您没有可转授的权限：%(names)s。请先由上一级管理员授予。",
            names=named(powers(wanted.rights) - held),
        )
    if lack == "place":
        return _("授权范围超出了您自己的范围。请缩小范围，或由上一级管理员授予。")
    return _("截止日期晚于您自己授权的截止日期。请改为更早的日期。")


def named(missing: Collection[str]) -> str:
    """A few of these rights in words, plain ones first."""
    order = sorted(missing, key=lambda right: (right.count(":"), right))
    more = _("等%(n)s项", n=len(order)) if len(order) > MOST_NAMED else ""
    return "、".join(describe(right) for right in order[:MOST_NAMED]) + more


def can_give(session: Session, giver: Actor, wanted: Wanted) -> bool:
    return next(refusals(session, giver, wanted), None) is None


# --- giving -------------------------------------------------------------------------------------------


def grant(
    session: Session,
    giver: Actor,
    taker: User,
    role: Role,
    extent: Extent,
    until: datetime | None = None,
    *,
    usable: bool = True,
    passable: bool = False,
    starts_at: datetime | None = None,
) -> Grant:
    """Gives `taker` a role. Raises Invalid with every reason why this may not be."""
    wanted = Wanted(taker, role, rights_in_role(session, role), extent, until, usable, passable)
    under = _root_for(session, giver, wanted)
    if under is not None and taker.id in _sources(session, under.grant_id):
        raise Invalid(_("这项权限由对方转授而来，不能再授回给对方。请由上一级管理员办理。"))
    return _write(session, giver, wanted, under, starts_at)


def _root_for(session: Session, giver: Actor, wanted: Wanted) -> Holding | None:
    """The giver's grant under which this is given; None for the system. Raises Invalid."""
    if complaints := list(refusals(session, giver, wanted)):
        raise Invalid(complaints)
    if giver.is_system:
        return None
    under = _cover(session, giver, wanted)
    assert isinstance(under, Holding)
    return under


def _write(
    session: Session, giver: Actor, wanted: Wanted, under: Holding | None, starts_at: datetime | None = None
) -> Grant:
    made = Grant(
        person_id=wanted.taker.id,
        role_id=wanted.role.id,
        usable=wanted.usable,
        passable=wanted.passable,
        starts_at=starts_at or datetime.now(UTC),
        until=wanted.until,
        giver_id=giver.id,
        under_id=under.grant_id if under else None,
        awaits=under is not None and not under.extent.low and wants_confirmation(wanted),
        school_id=wanted.extent.school_id,
        region_code=wanted.extent.low or None,
        grade_ids=sorted(wanted.extent.grade_ids) or None,
        class_ids=sorted(wanted.extent.class_ids) or None,
    )
    session.add(made)
    session.flush()
    _note(session, giver, "grant", made, after=_described(made, wanted.role))
    return made


def wants_confirmation(wanted: Wanted) -> bool:
    """Whether the bureau confirms who does this at a school (domain.md §0.6: leaders are appointed, not self-made)."""
    duties = {f"{e.key()}:{duty}" for e in registry for duty in e.__confirmed__}
    return (
        wanted.usable and wanted.extent.school_id is not None and not duties.isdisjoint(powers(wanted.rights))
    )


def confirm(session: Session, by: Actor, given: Grant) -> None:
    """The bureau's yes to a school's leader. Raises Denied, Invalid where nothing waits."""
    session.refresh(given, with_for_update={"of": Grant})
    if not given.awaits or not given.is_held:
        raise Invalid(_("这项授权不需要确认，或已经确认、收回。请刷新页面。"))
    if by.id in (given.person_id, given.giver_id):
        raise Denied(_("不能确认给自己的或自己给出的授权。请由主管部门的其他管理员确认。"))
    verdict = rights.decide(by, "grant:confirm", places_of(session, given.extent))
    if not verdict:
        raise Denied(str(verdict))
    given.awaits, given.confirmed_by = False, by.id
    _note(session, by, "confirm", given, after={"person_id": given.person_id})


def _sources(session: Session, grant_id: int | None) -> Iterator[int]:
    """Whose grants stand above, nearest first. Locks the nearest: a grant never slips in under one being withdrawn."""
    lock = True
    while grant_id is not None:
        given = session.get(Grant, grant_id, with_for_update=lock, populate_existing=True)
        if given is None or given.withdrawn_at is not None:
            raise Invalid(_("您用来转授的授权刚刚被收回。请刷新页面后再试。"))
        yield given.person_id
        grant_id, lock = given.under_id, False


def _described(given: Grant, role: Role) -> dict[str, Any]:
    found = {
        "person_id": given.person_id,
        "role": role.name,
        "usable": given.usable,
        "passable": given.passable,
        "until": given.until.isoformat() if given.until else None,
    }
    places = ("school_id", "region_code", "grade_ids", "class_ids")
    return found | {name: value for name in places if (value := getattr(given, name))}


def _note(session: Session, by: Actor, action: str, given: Grant, **words: Any) -> None:
    audit.write(session, [_audit_row(session, by, action, given, **words)])


def _audit_row(session: Session, by: Actor, action: str, given: Grant, **words: Any) -> dict[str, Any]:
    codes = authorities_of(session, given.school_id)
    return audit.row(
        by,
        action,
        "role_grant",
        given.id,
        school_id=given.school_id,
        authority_code=codes[0] if codes else given.region_code,
        **words,
    )


# --- who holds what -----------------------------------------------------------------------------------


def held(now: datetime | None = None) -> sa.ColumnElement[bool]:
    """Grants that are open, will be, or wait for their confirmation."""
    return sa.and_(
        Grant.withdrawn_at.is_(None),
        sa.or_(Grant.until.is_(None), Grant.until > (now or datetime.now(UTC))),
    )


def held_grants(session: Session, person_id: int | None) -> list[Grant]:
    if person_id is None:
        return []
    return list(
        session.scalars(sa.select(Grant).where(Grant.person_id == person_id, held()).order_by(Grant.id))
    )


def passed_on(session: Session, given: Grant, *, lock: bool = False) -> Iterator[Grant]:
    """What was passed on under a grant, at any depth. With `lock`, nothing can be added meanwhile."""
    children = sa.select(Grant).where(Grant.under_id == given.id).order_by(Grant.id)
    for child in session.scalars(children.with_for_update() if lock else children).all():
        yield child
        yield from passed_on(session, child, lock=lock)


def outranks(session: Session, by: Actor, given: Grant) -> bool:
    """Whether `by` holds everything that this grant gives, as far and to pass on where it may be passed on."""
    if by.is_system:
        return True
    facts = facts_of(session, given.extent)
    able = [
        h
        for h in by.holdings
        if h.extent.contains(given.extent, facts) and (h.passable or not given.passable)
    ]
    return powers(rights_in_role(session, given.role)) <= frozenset().union(*(h.powers for h in able))


def uncovered(session: Session) -> list[Grant]:
    """Held grants that give more, further or longer than the grant they came under. There is none, unless a default
    role shrank or a stage moved to another authority."""
    all_held = {
        given.id: given for given in session.scalars(sa.select(Grant).where(held()).order_by(Grant.id))
    }
    sets = rights_of_roles(session, {given.role_id for given in all_held.values()})
    return [
        g for g in all_held.values() if g.under_id is not None and not _is_covered(session, g, all_held, sets)
    ]


def _is_covered(
    session: Session, given: Grant, all_held: Mapping[int, Grant], sets: Mapping[int, frozenset[str]]
) -> bool:
    above = all_held.get(given.under_id or 0)
    return (
        above is not None
        and above.passable
        and powers(sets[given.role_id]) <= powers(sets[above.role_id])
        and above.extent.contains(given.extent, facts_of(session, given.extent))
        and (above.until is None or (given.until is not None and given.until <= above.until))
    )


# --- taking back --------------------------------------------------------------------------------------


def may_take(session: Session, by: Actor, given: Grant) -> Verdict:
    """The giver; or whoever may withdraw there and holds no less than what he takes."""
    if by.is_system or by.id == given.giver_id:
        return rights.YES
    verdict = rights.decide(by, "grant:delete", places_of(session, given.extent))
    if not verdict:
        return verdict
    if not outranks(session, by, given):
        return Verdict(False, _("这项授权超出了您的权限。请由授权人或上一级管理员收回。"))
    return rights.YES


def ends_with(session: Session, given: Grant, *, lock: bool = False) -> list[Grant]:
    """The grant and all that was passed on under it and still counts: what withdrawing it ends."""
    return [g for g in (given, *passed_on(session, given, lock=lock)) if g.is_held]


def withdraw(session: Session, by: Actor, given: Grant) -> list[Grant]:
    """Takes back a grant and all that was passed on under it; returns what ended. Raises Denied for others' grants,
    Invalid where a school would be left without its super-admin."""
    verdict = may_take(session, by, given)
    if not verdict:
        raise Denied(str(verdict))
    session.refresh(given, with_for_update={"of": Grant})
    ended = ends_with(session, given, lock=True)
    require_heads(session, ended)
    _end(session, by, ended)
    return ended


def _end(session: Session, by: Actor, ended: Sequence[Grant]) -> None:
    now = datetime.now(UTC)
    for one in ended:
        one.withdrawn_at, one.withdrawn_by = now, by.id
    audit.write(
        session,
        [_audit_row(session, by, "withdraw", one, before={"person_id": one.person_id}) for one in ended],
    )
    session.flush()


# --- every school keeps its super-admin ---------------------------------------------------------------


def require_heads(session: Session, ended: Iterable[Grant], without: User | None = None) -> None:
    """Raises Invalid where a school would lose its last super-admin by the end of these grants, or of this account."""
    gone = list(ended)
    theirs = held_grants(session, without.id) if without is not None else []
    schools = {g.school_id for g in (*gone, *theirs) if g.role.heads_unit and g.school_id is not None}
    for school_id in sorted(schools):
        if not heads_of(session, school_id, besides={g.id for g in gone}, without=without):
            raise Invalid(_("这样办理后，学校将没有总管理员。请先由主管部门任命新的总管理员，再办理这一项。"))


def heads_of(
    session: Session, school_id: int, besides: Collection[int] = (), without: User | None = None
) -> list[int]:
    """Whose account is active and heads the school now. Locks their grants, so that two acts cannot end both."""
    now = datetime.now(UTC)
    query = (
        sa.select(Grant.person_id)
        .join(Role, Role.id == Grant.role_id)
        .join(User, User.id == Grant.person_id)
        .where(
            Role.heads_unit,
            User.active,
            Grant.usable,
            Grant.school_id == school_id,
            Grant.id.not_in(list(besides)),
            held(now),
            sa.not_(Grant.awaits),
            Grant.starts_at <= now,
        )
        .with_for_update(of=Grant)
    )
    return [id_ for id_ in session.scalars(query) if without is None or id_ != without.id]


# --- passing a place on to somebody else --------------------------------------------------------------


def replace_grant(
    session: Session,
    by: Actor,
    old: Grant,
    taker: User,
    until: datetime | None,
    *,
    starts_at: datetime | None = None,
) -> Grant:
    """The same role and extent for `taker`, under a grant of `by`; what was passed on under `old` now stands under it,
    and `old` ends. Raises Invalid as `grant` does, and where something passed on would outlast it."""
    session.refresh(old, with_for_update={"of": Grant})
    if not old.is_held:
        raise Invalid(_("这项授权已经收回或到期。请刷新页面。"))
    verdict = may_take(session, by, old)
    if not verdict:
        raise Denied(str(verdict))
    held_now = rights_in_role(session, old.role)
    wanted = Wanted(
        taker, old.role, held_now, old.extent, until, old.usable, old.passable, besides=frozenset({old.id})
    )
    under = _root_for(session, by, wanted)
    if under is not None and taker.id in _sources(session, under.grant_id):
        raise Invalid(_("这项权限由对方转授而来，不能再授回给对方。请由上一级管理员办理。"))
    children = [child for child in passed_on(session, old, lock=True) if child.is_held]
    for child in children:
        if until is not None and (child.until is None or child.until > until):
            raise Invalid(
                [("until", _("由它转授的授权晚于这一天到期。请改为更晚的日期，或先收回那些授权。"))]
            )
        if child.person_id == taker.id:
            raise Invalid(
                _("%(name)s的权限正是由它转授而来，不能接手。请先收回对方的这项授权。", name=taker.first_name)
            )
    made = _write(session, by, wanted, under, starts_at)
    if old.confirmed_by is not None and old.person_id == taker.id:
        made.awaits, made.confirmed_by = False, old.confirmed_by
    for child in children:
        if child.under_id == old.id:
            child.under_id = made.id
    require_heads(session, [old])
    _end(session, by, [old])
    return made


# --- changing roles -----------------------------------------------------------------------------------


@dataclass
class RoleChange:
    """What a change of a role does: to whom it gives more or less, and which grants passed on under it end."""

    role: Role
    rights: frozenset[str]
    added: frozenset[str]  # powers
    removed: frozenset[str]
    holders: list[Grant] = field(default_factory=list)
    ended: list[Grant] = field(default_factory=list)
    complaints: list[tuple[str, str]] = field(default_factory=list)


def places_of_role(session: Session, role: Role) -> tuple[Place, ...]:
    return places_of(session, Extent.of(role.school_id, role.region_code))


def require_own_role(session: Session, by: Actor, role: Role, verb: str) -> None:
    """Raises Denied: default roles are nobody's to change, others their owner's, and never by one who holds them."""
    if by.is_system:
        return
    if role.school_id is None and role.region_code is None:
        raise Denied(
            _("“%(role)s”是系统的默认角色，不能修改。请先复制为本单位的角色，再修改副本。", role=role.label)
        )
    verdict = rights.decide(by, f"role:{verb}", places_of_role(session, role))
    if not verdict:
        raise Denied(str(verdict))
    if any(given.role_id == role.id for given in held_grants(session, by.id)):
        raise Denied(_("您自己担任“%(role)s”，不能修改它。请由上一级管理员办理。", role=role.label))


def plan_role(session: Session, by: Actor, role: Role, wanted: frozenset[str]) -> RoleChange:
    """What the change would do, and every complaint about it: as if the role were granted anew to all who hold it."""
    old, new = powers(rights_in_role(session, role)), powers(wanted)
    plan = RoleChange(role, wanted, new - old, old - new)
    plan.complaints += _unfit_rights(session, by, role, wanted)
    plan.holders = _holders(session, role)
    for given in plan.holders:
        plan.complaints += _refused_anew(session, by, given, wanted, plan)
        if plan.removed and given.passable:
            plan.ended += _no_longer_covered(session, given, new)
    return plan


def _holders(session: Session, role: Role) -> list[Grant]:
    if role.id is None:
        return []
    query = sa.select(Grant).where(Grant.role_id == role.id, held()).order_by(Grant.id)
    return list(session.scalars(query.with_for_update(of=Grant)))


def _unfit_rights(session: Session, by: Actor, role: Role, wanted: frozenset[str]) -> Complaints:
    if unknown := wanted - frozenset(all_rights()):
        yield "rights", _("没有“%(right)s”这项权限。请刷新页面后重新选择。", right=sorted(unknown)[0][:60])
        return
    if role.level == PLATFORM and sees_pupils(wanted):
        yield "rights", _("运维角色不能含有学生信息的权限。")
    if role.template_id is not None:
        template = session.get_one(Role, role.template_id)
        if beyond := powers(wanted) - powers(rights_in_role(session, template)):
            yield (
                "rights",
                _(
                    "超出了来源角色“%(role)s”：%(names)s。请去掉，或另建角色。",
                    role=template.label,
                    names=named(beyond),
                ),
            )
    if not by.is_system:
        passable = frozenset().union(*(h.powers for h in by.holdings if h.passable))
        if missing := powers(wanted) - passable:
            yield "rights", _("您没有可转授的权限：%(names)s。请先由上一级管理员授予。", names=named(missing))
    for one, other in apart():
        if {one, other} <= wanted:
            yield (
                "rights",
                _(
                    "“%(one)s”与“%(other)s”不能放在同一角色中：谁提交，谁就不能审核。",
                    one=describe(one),
                    other=describe(other),
                ),
            )
    yield from _required_but_limited(wanted)


def _required_but_limited(wanted: frozenset[str]) -> Complaints:
    """Whoever may add a record must be able to fill in what a record needs."""
    held_now = powers(wanted)
    for entity in registry:
        if f"{entity.key()}:add" not in wanted:
            continue
        for name, one in entity.fields().items():
            wants = (
                one.required and one.form and (not one.private or f"{entity.key()}:{one.private}" in wanted)
            )
            if wants and f"{entity.key()}:{name}:edit" not in held_now:
                yield (
                    "rights",
                    _(
                        "“%(field)s”是%(what)s的必填项：可以新增的角色，不能隐藏或锁定它。",
                        field=_(one.label),
                        what=_(entity.__label__),
                    ),
                )


def _refused_anew(
    session: Session, by: Actor, given: Grant, wanted: frozenset[str], plan: RoleChange
) -> Complaints:
    """A holder whose grant could not be given like this."""
    if not plan.added:
        return
    anew = Wanted(
        given.person,
        given.role,
        wanted,
        given.extent,
        given.until,
        given.usable,
        given.passable,
        besides=frozenset({given.id}),
    )
    name = given.person.first_name
    for _input, sentence in refusals(session, by, anew):
        yield "rights", _("%(name)s担任这个角色：%(why)s", name=name, why=sentence)
    above = session.get(Grant, given.under_id) if given.under_id is not None else None
    if above is not None and not plan.added <= powers(rights_in_role(session, above.role)):
        yield (
            "rights",
            _(
                "%(name)s的这项授权由%(giver)s给出，增加的权限超出了授权人的权限。",
                name=name,
                giver=above.person.first_name,
            ),
        )


def _no_longer_covered(session: Session, given: Grant, new: frozenset[str]) -> list[Grant]:
    children = sa.select(Grant).where(Grant.under_id == given.id, held()).order_by(Grant.id)
    found = list(session.scalars(children.with_for_update(of=Grant)))
    sets = rights_of_roles(session, {child.role_id for child in found})
    ended = []
    for child in found:
        if not powers(sets[child.role_id]) <= new:
            ended += ends_with(session, child, lock=True)
    return ended


def change_role(
    session: Session, by: Actor, role: Role, wanted: frozenset[str], *, version: int | None = None
) -> RoleChange:
    """Gives the role exactly these rights. Raises Denied, Invalid with every complaint, Stale handling is the caller's
    by `version`; ends what was passed on under it and is no longer covered."""
    require_own_role(session, by, role, "edit")
    plan = plan_role(session, by, role, wanted)
    if plan.complaints:
        raise Invalid(plan.complaints)
    before = rights_in_role(session, role)
    require_heads(session, plan.ended)
    _end(session, by, plan.ended)
    write_role(session, role, wanted)
    role.version = (role.version or 1) + 1
    audit.note(
        session,
        by,
        "edit",
        "role",
        role.id,
        before={"rights": sorted(before - wanted)},
        after={"rights": sorted(wanted - before)},
        **role_place(session, role),
    )
    return plan


def role_place(session: Session, role: Role) -> dict[str, Any]:
    """Where a role is, as the audit keeps it."""
    codes = authorities_of(session, role.school_id)
    return {"school_id": role.school_id, "authority_code": codes[0] if codes else role.region_code}


def make_role(
    session: Session, by: Actor, made: Role, wanted: frozenset[str], template: Role | None = None
) -> Role:
    """A new role of a school or bureau, from `template` or from nothing. Raises Denied, Invalid."""
    verdict = rights.decide(by, "role:add", places_of_role(session, made))
    if not verdict:
        raise Denied(str(verdict))
    made.template_id = template.id if template is not None else None
    if complaints := list(_unfit_rights(session, by, made, wanted)):
        raise Invalid(complaints)
    session.add(made)
    session.flush()
    write_role(session, made, wanted)
    after = {"label": made.label, "rights": sorted(wanted)}
    audit.note(session, by, "create", "role", made.id, after=after, **role_place(session, made))
    return made


def delete_role(session: Session, by: Actor, role: Role) -> None:
    """Only a role that nobody ever held: grants of the past go on naming theirs. Raises Denied, Invalid."""
    require_own_role(session, by, role, "delete")
    uses = sa.select(Grant.id).where(Grant.role_id == role.id).limit(1)
    copies = sa.select(Role.id).where(Role.template_id == role.id).limit(1)
    if session.scalar(uses) is not None or session.scalar(copies) is not None:
        raise Invalid(
            _("“%(role)s”授予过他人，或有由它复制的角色，不能删除：从前的记录还要写明它。", role=role.label)
        )
    audit.note(
        session, by, "delete", "role", role.id, before={"label": role.label}, **role_place(session, role)
    )
    role.permissions = []
    session.flush()
    session.delete(role)
    session.flush()
