"""Giving rights and taking them back. Every way to change what somebody holds asks `refusals` here: a new grant, a role
that is edited, copied or built, a hand-over, a renewal; by page, by REST, by command.

What a grant allows is decided in `rights`. Each act belongs inside `saving.work()`, is audited, and locks what it relies
on, so that two acts at once cannot do together what neither may do alone.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

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
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from app.core import audit, rights
from app.core.entity import registry
from app.core.errors import Complaints, Denied, Invalid, Stale
from app.core.powers import (
    all_rights,
    as_pair,
    as_right,
    describe,
    is_limit,
    limit_on,
    plain_rights,
    powers,
)
from app.core.rights import Actor, Extent, Facts, Grant, Holding, Place, Verdict
from app.core.wording import listed

SCHOOL, BUREAU, PLATFORM = "school", "bureau", "platform"
MOST_NAMED = 5  # rights or people named in one sentence


# --- what must be known of places ---------------------------------------------------------------------


def authorities_of(session: Session, school_id: int | None) -> tuple[str, ...]:
    """The codes that decide over a school, the lowest stage's first (a 完全中学 may have two)."""
    return _authorities(session, {school_id}).get(school_id, ())


def _authorities(session: Session, school_ids: Collection[int | None]) -> dict[int | None, tuple[str, ...]]:
    """The same for several schools, in one statement."""
    wanted = sorted(id_ for id_ in school_ids if id_ is not None)
    if not wanted:
        return {}
    stage = Model.metadata.tables["school_stage"]
    query = sa.select(stage.c.school_id, stage.c.authority_code).where(stage.c.school_id.in_(wanted))
    found: dict[int | None, tuple[str, ...]] = {}
    for row in _look(session, query.order_by(stage.c.stage)):
        found[row.school_id] = tuple(dict.fromkeys((*found.get(row.school_id, ()), row.authority_code)))
    return found


def facts_of(session: Session, extent: Extent) -> Facts:
    """What must be known to say whether another extent contains this one."""
    return facts_of_all(session, [extent])[extent]


def facts_of_all(session: Session, extents: Iterable[Extent]) -> dict[Extent, Facts]:
    """The same for several extents, in two statements."""
    wanted = set(extents)
    codes = _authorities(session, {one.school_id for one in wanted})
    grade_of = grades_of(session, {class_id for one in wanted for class_id in one.class_ids})
    return {
        one: Facts(
            frozenset(codes.get(one.school_id, ())),
            {class_id: grade_of[class_id] for class_id in one.class_ids if class_id in grade_of},
        )
        for one in wanted
    }


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
    return _places(extent, authorities_of(session, extent.school_id))


def _places(extent: Extent, codes: Collection[str]) -> tuple[Place, ...]:
    """`codes`: those that decide over the extent's school."""
    if extent.school_id is None:
        return (Place(None, extent.low or None),)
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
    starts_at: datetime | None = None  # None: at once


def refusals(session: Session, giver: Actor, wanted: Wanted) -> Complaints:
    """Why `giver` may not give this: (input name, sentence) for every reason that stands by itself."""
    yield from _to_oneself(session, giver, wanted.taker)
    yield from _of_no_use(wanted)
    yield from _of_wrong_level(session, wanted)
    yield from _of_other_unit(session, wanted)
    yield from _not_apart(session, wanted)
    if giver.is_system:
        return
    yield from _head_not_from_above(giver, wanted)
    found = _cover(session, giver, wanted)
    if isinstance(found, str):
        yield _COVER_INPUT[found], _cover_sentence(giver, wanted, found)
    else:
        yield from _back_to_source(session, found, wanted.taker)


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


def _of_no_use(wanted: Wanted) -> Complaints:
    if not (wanted.usable or wanted.passable):
        yield "usable", _("既不能使用、又不能转授的授权没有用处。请至少选择一项用途。")
    if wanted.until is None:
        return
    if wanted.until <= datetime.now(UTC):
        yield "until", _("截止日期已过。请改为今天或更晚的日期，长期有效的请留空。")
    elif wanted.starts_at is not None and wanted.until <= wanted.starts_at:
        yield "until", _("截止日期早于开始日期。请改正其中一项，长期有效的请留空。")


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


def _of_other_unit(session: Session, wanted: Wanted) -> Complaints:
    """A unit's own role stays with that unit: whoever edits it decides for all who hold it."""
    role = wanted.role
    if rights.is_default(role) or overlap(
        session, Extent.of(role.school_id, role.region_code), wanted.extent
    ):
        return
    yield (
        "role_id",
        _("“%(role)s”是另一个单位的角色，只在那里使用。请选择默认角色或本单位的角色。", role=role.title),
    )


def _not_apart(session: Session, wanted: Wanted) -> Complaints:
    """Nobody holds two duties of one procedure that are each other's check, at one school."""
    new = powers(wanted.rights)
    pairs = [pair for pair in apart() if not new.isdisjoint(pair)]
    if not wanted.usable or not pairs:
        return
    held = [g for g in held_grants(session, wanted.taker.id) if g.usable and g.id not in wanted.besides]
    sets = rights_of_roles(session, {g.role_id for g in held})
    for one, other in pairs:
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
    if not giver.is_of_bureau:
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
        missing = powers(wanted.rights) - passable_powers(giver)
        return _("您没有可转授的权限：%(names)s。请先由上一级管理员授予。", names=named(missing))
    if lack == "place":
        return _("授权范围超出了您自己的范围。请缩小范围，或由上一级管理员授予。")
    return _("截止日期晚于您自己授权的截止日期。请改为更早的日期。")


def passable_powers(giver: Actor) -> frozenset[str]:
    return frozenset().union(*(h.powers for h in giver.holdings if h.passable))


def named(missing: Collection[str]) -> str:
    """A few of these rights in words, plain ones first."""
    order = sorted(missing, key=lambda right: (right.count(":"), right))
    more = _("等%(n)s项", n=len(order)) if len(order) > MOST_NAMED else ""
    return listed(describe(right) for right in order[:MOST_NAMED]) + more


def _back_to_source(session: Session, cover: Holding, taker: User) -> Complaints:
    """Rights do not travel back to where they came from, nor to another account of that person."""
    for above in sources(session, cover.grant_id):
        if above.person_id == taker.id or is_same_person(above.person, taker):
            yield "", _("这项权限由对方转授而来，不能再授回给对方。请由上一级管理员办理。")
            return


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
    now = _settled(session, giver, role, [taker.id])
    held_now = rights_in_role(session, role)
    wanted = Wanted(taker, role, held_now, extent, until, usable, passable, starts_at=starts_at)
    return _write(session, now, wanted, _root_for(session, now, wanted))


def _settled(session: Session, giver: Actor, role: Role, takers: Collection[int] | None) -> Actor:
    """The giver as he stands now. Until the work ends nobody else gives these people anything, edits the role, or takes
    from the giver what he passes on: neither may a grant slip in under one that is withdrawn or narrowed meanwhile, nor
    may two duties that check each other reach one person at once. `takers`: None for all who hold the role, which then
    is given to nobody meanwhile. Raises Invalid, Denied."""
    how = {"key_share": True, "of": Role} if takers is None else {"read": True, "of": Role}
    session.get(Role, role.id, with_for_update=how, populate_existing=True)
    whom = _people_with(session, role) if takers is None else takers
    session.execute(
        sa.select(User.id).where(User.id.in_(whom)).order_by(User.id).with_for_update(key_share=True)
    )
    ids = [held_one.grant_id for held_one in giver.holdings if held_one.passable]
    if giver.is_system or not ids:
        return giver
    query = sa.select(Grant.id, Grant.role_id).where(Grant.id.in_(ids), held(), sa.not_(Grant.awaits))
    found = session.execute(query.order_by(Grant.id).with_for_update(of=Grant)).all()
    now = {row.id: row.role_id for row in found}
    if set(ids) - set(now):
        raise Invalid(_("您用来转授的授权刚刚被收回或到期。请刷新页面后再试。"))
    sets = rights_of_roles(session, set(now.values()))
    return replace(
        giver,
        holdings=tuple(replace(h, rights=sets[now[h.grant_id]]) if h.passable else h for h in giver.holdings),
    )


def _people_with(session: Session, role: Role) -> list[int]:
    query = sa.select(Grant.person_id).where(Grant.role_id == role.id, held())
    return list(session.scalars(query.distinct()))


def _root_for(session: Session, giver: Actor, wanted: Wanted) -> Holding | None:
    """The giver's grant under which this is given; None for the system. Raises Invalid."""
    if complaints := list(refusals(session, giver, wanted)):
        raise Invalid(complaints)
    if giver.is_system:
        return None
    under = _cover(session, giver, wanted)
    assert isinstance(under, Holding)
    return under


def _write(session: Session, giver: Actor, wanted: Wanted, under: Holding | None) -> Grant:
    made = Grant(
        person_id=wanted.taker.id,
        role_id=wanted.role.id,
        usable=wanted.usable,
        passable=wanted.passable,
        starts_at=wanted.starts_at or datetime.now(UTC),
        until=wanted.until,
        giver_id=giver.id,
        under_id=under.grant_id if under else None,
        awaits=_awaits(session, giver, wanted),
        school_id=wanted.extent.school_id,
        region_code=wanted.extent.low or None,
        grade_ids=sorted(wanted.extent.grade_ids) or None,
        class_ids=sorted(wanted.extent.class_ids) or None,
    )
    session.add(made)
    session.flush()
    _note(session, giver, "grant", [made], after=_described(made, wanted.role))
    return made


def _awaits(session: Session, giver: Actor, wanted: Wanted) -> bool:
    """Whoever could confirm it himself has said yes by giving it."""
    if giver.is_system or not wants_confirmation(wanted):
        return False
    return not rights.decide(giver, "grant:confirm", places_of(session, wanted.extent))


def wants_confirmation(wanted: Wanted) -> bool:
    """Whether the bureau confirms who does this at a school (domain.md §0.6: leaders are appointed, not self-made)."""
    of_school = wanted.usable and wanted.extent.school_id is not None
    return of_school and is_confirmed_duty(powers(wanted.rights))


def is_confirmed_duty(held: frozenset[str]) -> bool:
    """Whether these powers hold a duty of a school's leader."""
    return any(f"{entity.key()}:{duty}" in held for entity in registry for duty in entity.__confirmed__)


def may_confirm(session: Session, by: Actor, given: Grant) -> Verdict:
    """Who may say yes or no to a school's choice of leader: neither he himself nor who chose him."""
    concerned = [user for user in (given.person, given.giver) if user is not None]
    own = session.get(User, by.id) if by.id is not None else None
    if own is not None and any(user.id == own.id or is_same_person(user, own) for user in concerned):
        return Verdict(False, _("不能确认给自己的或自己给出的授权。请由主管部门的其他管理员确认。"))
    return rights.decide(by, "grant:confirm", places_of(session, given.extent))


def confirm(session: Session, by: Actor, given: Grant) -> None:
    """The bureau's yes to a school's leader. Raises Denied, Invalid where nothing waits."""
    _require_waiting(session, by, given)
    _note(session, by, "confirm", [given], after={"person_id": given.person_id})
    given.awaits, given.confirmed_by = False, by.id
    session.flush()


def refuse(session: Session, by: Actor, given: Grant, reason: str) -> list[Grant]:
    """The bureau's no; returns what ended. Raises Denied, Invalid where nothing waits."""
    _require_waiting(session, by, given)
    given.refused_because = reason
    ended = ends_with(session, given, lock=True)
    _end(session, by, ended, "refuse", reason=reason)
    return ended


def require_waiting(given: Grant) -> None:
    """Raises Invalid where nothing waits for a yes."""
    if not given.awaits or not given.is_held:
        raise Invalid(_("这项授权不需要确认，或已经确认、收回。请刷新页面。"))


def _require_waiting(session: Session, by: Actor, given: Grant) -> None:
    session.refresh(given, with_for_update={"of": Grant})
    require_waiting(given)
    verdict = may_confirm(session, by, given)
    if not verdict:
        raise Denied(str(verdict))


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


def _note(
    session: Session,
    by: Actor,
    action: str,
    about: Sequence[Grant],
    *,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """One audit row for each grant; those that only end say whose they were."""
    _refuse_stand_in(by)
    codes = _authorities(session, {given.school_id for given in about})
    named = sa.select(User.id, User.first_name).where(User.id.in_({given.person_id for given in about}))
    names = {row.id: row.first_name for row in session.execute(named)}
    rows = []
    for given in about:
        code = next(iter(codes.get(given.school_id, ())), given.region_code)
        row = audit.row(
            by,
            action,
            "role_grant",
            given.id,
            subject=names.get(given.person_id),
            before={"person_id": given.person_id} if after is None else None,
            after=after,
            reason=reason,
            school_id=given.school_id,
            authority_code=code,
        )
        rows.append(row)
    audit.write(session, rows)


def _refuse_stand_in(by: Actor) -> None:
    if by.looks_as:
        raise Denied(_("您正在以%(name)s的视角查看，不能保存。请先结束查看。", name=by.looks_as))


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
    query = sa.select(Grant).where(Grant.person_id == person_id, held()).order_by(Grant.id)
    return list(session.scalars(query.options(joinedload(Grant.role), joinedload(Grant.giver))))


def passed_on(session: Session, given: Grant, *, lock: bool = False) -> list[Grant]:
    """What was passed on under a grant and is held, at any depth, the nearest first; a statement for each step down.
    With `lock`, nothing can be added meanwhile."""
    found: list[Grant] = []
    level = [given.id]
    while level:
        children = _held_under(session, level, lock=lock)
        found += children
        level = [child.id for child in children]
    return found


def _held_under(session: Session, ids: Collection[int], *, lock: bool) -> list[Grant]:
    query = sa.select(Grant).where(Grant.under_id.in_(ids), held()).order_by(Grant.id)
    query = query.options(*(selectinload(one) for one in (Grant.person, Grant.role, Grant.giver)))
    if lock:
        query = query.with_for_update(of=Grant).execution_options(populate_existing=True)
    return list(session.scalars(query))


def sources(session: Session, grant_id: int | None) -> list[Grant]:
    """A grant and those it came under, the nearest first, in one statement."""
    start = sa.select(Grant.id, Grant.under_id).where(Grant.id == grant_id)
    chain = start.cte("chain", recursive=True)
    above = aliased(Grant)
    chain = chain.union(sa.select(above.id, above.under_id).join(chain, above.id == chain.c.under_id))
    query = sa.select(Grant).where(Grant.id.in_(sa.select(chain.c.id))).options(joinedload(Grant.person))
    known = {given.id: given for given in session.scalars(query)}
    found: list[Grant] = []
    while grant_id in known:
        found.append(known.pop(grant_id))
        grant_id = found[-1].under_id
    return found


def _ids_above(session: Session, grant_ids: Collection[int]) -> dict[int, set[int]]:
    """Grant → its own id and those of the grants it came under, for several in one statement."""
    if not grant_ids:
        return {}
    start = sa.select(Grant.id.label("of"), Grant.id, Grant.under_id).where(Grant.id.in_(grant_ids))
    chain = start.cte("chains", recursive=True)
    above = aliased(Grant)
    step = sa.select(chain.c.of, above.id, above.under_id).join(chain, above.id == chain.c.under_id)
    chain = chain.union(step)
    found: dict[int, set[int]] = {id_: set() for id_ in grant_ids}
    for of, id_ in session.execute(sa.select(chain.c.of, chain.c.id)):
        found[of].add(id_)
    return found


def outranked(session: Session, by: Actor, found: Sequence[Grant]) -> frozenset[int]:
    """The ids of those of these grants that give nothing which `by` does not hold as well, as far, and to pass on where it
    may be passed on; and none of it by that very grant: what one received does not reach above its source. A fixed number
    of statements."""
    if by.is_system or not found:
        return frozenset(given.id for given in found)
    facts = facts_of_all(session, [given.extent for given in found])
    sets = rights_of_roles(session, {given.role_id for given in found})
    above = _ids_above(session, {held.grant_id for held in by.holdings})
    return frozenset(g.id for g in found if _outranks(by, g, sets[g.role_id], facts[g.extent], above))


def _outranks(
    by: Actor, given: Grant, held_in: frozenset[str], facts: Facts, above: Mapping[int, Collection[int]]
) -> bool:
    extent = given.extent
    able = [h for h in by.holdings if h.extent.contains(extent, facts) and (h.passable or not given.passable)]
    has_all = powers(held_in) <= frozenset().union(*(h.powers for h in able))
    return has_all and not any(given.id in above[h.grant_id] for h in able)


def outranks_all(session: Session, by: Actor, found: Sequence[Grant]) -> bool:
    return len(outranked(session, by, found)) == len(found)


def uncovered(session: Session) -> list[Grant]:
    """Held grants that give more, further or longer than the grant they came under. There is none, unless a default
    role shrank or a stage moved to another authority."""
    query = sa.select(Grant).where(held()).order_by(Grant.id)
    all_held = {given.id: given for given in session.scalars(query)}
    sets = rights_of_roles(session, {given.role_id for given in all_held.values()})
    passed = [given for given in all_held.values() if given.under_id is not None]
    facts = facts_of_all(session, [given.extent for given in passed])
    return [g for g in passed if not _is_covered(g, all_held.get(g.under_id or 0), sets, facts[g.extent])]


def _is_covered(given: Grant, above: Grant | None, sets: Mapping[int, frozenset[str]], facts: Facts) -> bool:
    return (
        above is not None
        and above.passable
        and powers(sets[given.role_id]) <= powers(sets[above.role_id])
        and above.extent.contains(given.extent, facts)
        and (above.until is None or (given.until is not None and given.until <= above.until))
    )


# --- taking back --------------------------------------------------------------------------------------


def may_take(session: Session, by: Actor, given: Grant) -> Verdict:
    """The giver; or whoever may withdraw there and holds no less than what he takes."""
    return may_take_each(session, by, [given])[given.id]


def may_take_each(session: Session, by: Actor, found: Sequence[Grant]) -> dict[int, Verdict]:
    """The same of several grants by their ids, in a fixed number of statements."""
    others = [given for given in found if not _is_giver(by, given) and by.id != given.person_id]
    codes = _authorities(session, {given.school_id for given in others})
    below = outranked(session, by, others)
    return {g.id: _may_take(by, g, codes.get(g.school_id, ()), is_below=g.id in below) for g in found}


def _is_giver(by: Actor, given: Grant) -> bool:
    return by.is_system or (by.id is not None and by.id == given.giver_id)


def _may_take(by: Actor, given: Grant, codes: Collection[str], *, is_below: bool) -> Verdict:
    if _is_giver(by, given):
        return rights.YES
    if by.id == given.person_id:
        return Verdict(
            False, _("这是您自己的权限，不能自己收回或改期。需要变动的，请联系授权人或上一级管理员。")
        )
    verdict = rights.decide(by, "grant:delete", _places(given.extent, codes))
    if not verdict:
        return verdict
    if given.role.heads_unit and not by.is_of_bureau:
        return Verdict(False, _("学校总管理员由主管部门任命和更换。请联系主管部门管理员。"))
    if not is_below:
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


def _end(
    session: Session,
    by: Actor,
    ended: Sequence[Grant],
    action: str = "withdraw",
    *,
    reason: str | None = None,
) -> None:
    _note(session, by, action, ended, reason=reason)
    now = datetime.now(UTC)
    for one in ended:
        one.withdrawn_at, one.withdrawn_by = now, by.id
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
    """Whose account is active and heads the school now. Locks their grants, so that two acts cannot end both: whoever
    waited for the lock reads again, since the account may be another's to suspend meanwhile."""
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
    )
    session.execute(query.order_by(Grant.id).with_for_update(of=Grant)).all()
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
    now = _settled(session, by, old.role, [taker.id, old.person_id])
    session.refresh(old, with_for_update={"of": Grant})
    if not old.is_held:
        raise Invalid(_("这项授权已经收回或到期。请刷新页面。"))
    verdict = may_take(session, by, old)
    if not verdict:
        raise Denied(str(verdict))
    wanted = renewed(session, old, taker, until, starts_at)
    under = _root_for(session, now, wanted)
    if under is not None and old.id in {above.id for above in sources(session, under.grant_id)}:
        raise Invalid(_("您自己的权限由这项授权转授而来，不能由您移交它。请由上一级管理员办理。"))
    children = passed_on(session, old, lock=True)
    if complaints := list(_left_behind(children, taker, until)):
        raise Invalid(complaints)
    made = _write(session, now, wanted, under)
    if old.person_id == taker.id and not old.awaits:
        made.awaits, made.confirmed_by = False, old.confirmed_by
    for child in children:
        if child.under_id == old.id:
            child.under_id = made.id
    require_heads(session, [old])
    _end(session, by, [old])
    return made


def renewed(
    session: Session, old: Grant, taker: User, until: datetime | None, starts_at: datetime | None = None
) -> Wanted:
    """What `replace_grant` gives in place of `old`, for whoever wants to ask first whether it may be."""
    anew = _as_it_is(old, rights_in_role(session, old.role))
    return replace(anew, taker=taker, until=until, starts_at=starts_at)


def _as_it_is(given: Grant, held_now: frozenset[str]) -> Wanted:
    """A grant as if it were given anew with these rights."""
    words = (given.until, given.usable, given.passable, frozenset({given.id}), given.starts_at)
    return Wanted(given.person, given.role, held_now, given.extent, *words)


def _left_behind(children: Iterable[Grant], taker: User, until: datetime | None) -> Complaints:
    """What was passed on and could not stand under the new grant."""
    for child in children:
        if until is not None and (child.until is None or child.until > until):
            yield "until", _("由它转授的授权晚于这一天到期。请改为更晚的日期，或先收回那些授权。")
            return
        if child.person_id == taker.id:
            name = taker.first_name
            yield "", _("%(name)s的权限正是由它转授而来，不能接手。请先收回对方的这项授权。", name=name)
            return


# --- what a role may hold -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """What one person may put into a role: no more than the role it came from gives, and than he may pass on himself.
    None: no bound."""

    template: str
    most: frozenset[str] | None
    passable: frozenset[str] | None

    def lacks(self, power: str) -> Literal["template", "giver"] | None:
        """What does not give this power; None where the role may give it."""
        if self.most is not None and power not in self.most:
            return "template"
        return "giver" if self.passable is not None and power not in self.passable else None

    def why_not(self, power: str) -> str | None:
        if (lack := self.lacks(power)) is None:
            return None
        if lack == "template":
            return _("来源角色“%(role)s”没有这一项。请去掉，或从空白新建角色。", role=self.template)
        return _("您没有可转授的这项权限。请去掉，或先由上一级管理员授予。")

    def forced(self) -> dict[str, str]:
        """Limit → why it cannot be taken off: the role may give the whole right, but not over this field."""
        whole = frozenset(right for right in plain_rights() if self.lacks(right) is None)
        refused = {limit_on(power): why for power in powers(whole) if (why := self.why_not(power))}
        return {limit: why for limit, why in refused.items() if limit is not None}

    def complaints(self, wanted: frozenset[str]) -> Complaints:
        """(right or limit, sentence): a field power that is too much is said of the limit that would take it away, and
        not at all where a whole right is too much already."""
        refused = {power: why for power in sorted(powers(wanted)) if (why := self.why_not(power))}
        whole = {power.partition(":")[0] for power in refused if limit_on(power) is None}
        for power, why in refused.items():
            limit = limit_on(power)
            if limit is None or power.partition(":")[0] not in whole:
                yield limit or power, why


def room_for(session: Session, by: Actor, role: Role) -> Room:
    template = session.get(Role, role.template_id) if role.template_id is not None else None
    most = powers(rights_in_role(session, template)) if template is not None else None
    return Room(template.title if template else "", most, None if by.is_system else passable_powers(by))


def unfit_rights(session: Session, by: Actor, role: Role, wanted: frozenset[str]) -> Complaints:
    """Why `by` may not put these into the role, whoever holds it: (right or limit, sentence)."""
    if unknown := wanted - frozenset(all_rights()):
        yield "", _("没有“%(right)s”这项权限。请刷新页面后重新选择。", right=min(unknown)[:60])
        return
    if role.level == PLATFORM and sees_pupils(wanted):
        yield "", _("运维角色不能含有学生信息的权限。")
    yield from room_for(session, by, role).complaints(wanted)
    for one, other in apart():
        if {one, other} <= wanted:
            yield other, apart_in_role(one)
    yield from _required_but_limited(wanted)


def apart_in_role(other: str) -> str:
    return _("不能与“%(other)s”放在同一角色中：谁提交，谁就不能审核。请只选一项。", other=describe(other))


def _required_but_limited(wanted: frozenset[str]) -> Complaints:
    """Whoever may add a record must be able to fill in what a record needs."""
    held_now = powers(wanted)
    for entity in registry:
        key = entity.key()
        if f"{key}:add" not in wanted:
            continue
        for name, one in entity.fields().items():
            asked = one.required and one.form and (not one.private or f"{key}:{one.private}" in wanted)
            limits = {f"{key}:{name}:{verb}" for verb in ("hide", "lock")} & wanted
            if asked and limits and f"{key}:{name}:edit" not in held_now:
                what = {"field": _(one.label), "what": _(entity.__label__)}
                yield (
                    min(limits),
                    _(
                        "“%(field)s”是%(what)s的必填项：可以新增的角色，不能隐藏或锁定它。请去掉这个限制。",
                        **what,
                    ),
                )


def fitted(wanted: frozenset[str], template: frozenset[str]) -> frozenset[str]:
    """The most of these rights that gives no more than the template."""
    limits = {right for right in wanted | template if is_limit(right)}
    return frozenset(limits | {right for right in wanted & template if not is_limit(right)})


# --- changing roles -----------------------------------------------------------------------------------


@dataclass
class RoleChange:
    """What a change of a role does: to whom it gives more or less, and which grants passed on under it end."""

    role: Role
    rights: frozenset[str]
    added: frozenset[str] = frozenset()  # powers
    removed: frozenset[str] = frozenset()
    holders: list[Grant] = field(default_factory=list)
    ended: list[Grant] = field(default_factory=list)
    complaints: list[tuple[str, str]] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """The same as long as the change would do the same to the same people: what was shown is what is done."""
        told = (sorted(self.rights), [g.id for g in self.holders], [g.id for g in self.ended])
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def places_of_role(session: Session, role: Role) -> tuple[Place, ...]:
    return places_of(session, Extent.of(role.school_id, role.region_code))


def may_change_role(session: Session, by: Actor, role: Role, verb: str = "edit") -> Verdict:
    """Default roles are nobody's to change, others their owner's, and never by one who holds them. `verb`: edit, delete."""
    if by.is_system:
        return rights.YES
    if rights.is_default(role):
        sentence = _(
            "“%(role)s”是系统的默认角色，不能修改。请先复制为本单位的角色，再修改副本。", role=role.title
        )
        return Verdict(False, sentence)
    verdict = rights.decide(by, f"role:{verb}", places_of_role(session, role))
    if verdict and any(given.role_id == role.id for given in held_grants(session, by.id)):
        return Verdict(False, _("您自己担任“%(role)s”，不能修改它。请由上一级管理员办理。", role=role.title))
    return verdict


def require_own_role(session: Session, by: Actor, role: Role, verb: str) -> None:
    """Raises Denied as `may_change_role` says."""
    verdict = may_change_role(session, by, role, verb)
    if not verdict:
        raise Denied(str(verdict))


def plan_role(
    session: Session, by: Actor, role: Role, wanted: frozenset[str], *, lock: bool = False
) -> RoleChange:
    """What the change would do, and every complaint about it: as if the role were granted anew to all who hold it, and
    what it loses were taken back from each of them."""
    before = rights_in_role(session, role)
    if wanted == before:
        return RoleChange(role, wanted)
    old, new = powers(before), powers(wanted)
    plan = RoleChange(role, wanted, new - old, old - new)
    plan.complaints += unfit_rights(session, by, role, wanted)
    plan.holders = _holders(session, role, lock=lock)
    if not plan.complaints:
        plan.complaints += _refused_to_holders(session, by, plan)
    if plan.removed:
        plan.ended = _no_longer_covered(session, plan, lock=lock)
    return plan


def _holders(session: Session, role: Role, *, lock: bool) -> list[Grant]:
    query = sa.select(Grant).where(Grant.role_id == role.id, held()).order_by(Grant.id)
    query = query.options(*(selectinload(one) for one in (Grant.person, Grant.role, Grant.giver)))
    if lock:
        query = query.with_for_update(of=Grant).execution_options(populate_existing=True)
    return list(session.scalars(query))


def _refused_to_holders(session: Session, by: Actor, plan: RoleChange) -> Complaints:
    """Why it may not be, each reason once with those whom it concerns."""
    whom: dict[str, list[str]] = {}
    for given in plan.holders:
        for sentence in _refused_anew(session, by, given, plan):
            whom.setdefault(sentence, []).append(given.person.first_name)
    for sentence, names in whom.items():
        yield "", _("%(names)s担任这个角色：%(why)s", names=people_named(names), why=sentence)


def people_named(names: Iterable[str]) -> str:
    """A few of them, and how many there are."""
    found = list(dict.fromkeys(names))
    more = _("等%(n)s人", n=len(found)) if len(found) > MOST_NAMED else ""
    return listed(found[:MOST_NAMED]) + more


def _refused_anew(session: Session, by: Actor, given: Grant, plan: RoleChange) -> Iterator[str]:
    if plan.added:
        anew = _as_it_is(given, plan.rights)
        yield from (sentence for _input, sentence in refusals(session, by, anew))
        if not plan.added <= _powers_above(session, given, plan):
            yield _("增加的权限超出了授权人的权限。请由授权人或上一级管理员办理。")
        if _needs_new_yes(session, by, anew, plan):
            yield _("增加的权限须由主管部门确认到人。请另建一个角色，再逐人授予。")
    if plan.removed and (verdict := may_take(session, by, given)).sentence:
        yield verdict.sentence


def _powers_above(session: Session, given: Grant, plan: RoleChange) -> frozenset[str]:
    """What the grant gives under which this one was given, once the role is changed; all where there is none."""
    above = session.get(Grant, given.under_id) if given.under_id is not None else None
    if above is None or above.role_id == plan.role.id:
        return plan.added
    return powers(rights_in_role(session, above.role))


def _needs_new_yes(session: Session, by: Actor, anew: Wanted, plan: RoleChange) -> bool:
    """Nobody becomes a school's leader by an edit of the role that he holds."""
    return _awaits(session, by, anew) and is_confirmed_duty(plan.added)


def _no_longer_covered(session: Session, plan: RoleChange, *, lock: bool) -> list[Grant]:
    """What holders passed on and the role does not give any more, with all beneath."""
    children = _held_under(session, [given.id for given in plan.holders if given.passable], lock=lock)
    sets = rights_of_roles(session, {child.role_id for child in children}) | {plan.role.id: plan.rights}
    allowed = powers(plan.rights)
    ended: dict[int, Grant] = {}
    for child in children:
        if not powers(sets[child.role_id]) <= allowed:
            ended |= {one.id: one for one in ends_with(session, child, lock=lock)}
    return list(ended.values())


def change_role(
    session: Session,
    by: Actor,
    role: Role,
    wanted: frozenset[str],
    *,
    version: int | None = None,
    label: str | None = None,
    description: str | None = None,
) -> RoleChange:
    """Gives the role exactly these rights, and what it is called where that is given; ends what was passed on under it
    and is no longer covered. Raises Denied, Stale, Invalid with every complaint."""
    now = _settled(session, by, role, None)
    require_own_role(session, by, role, "edit")
    require_version(role, version)
    before = rights_in_role(session, role)
    plan = plan_role(session, now, role, wanted, lock=True)
    said = {"label": label, "description": description}
    renamed = {name: text for name, text in said.items() if text is not None and text != getattr(role, name)}
    if complaints := [*_unfit_label(session, role, renamed.get("label")), *plan.complaints]:
        raise Invalid(complaints)
    if wanted == before and not renamed:
        return plan
    require_heads(session, plan.ended)
    _end(session, by, plan.ended)
    write_role(session, role, wanted)
    old = {name: getattr(role, name) for name in renamed}
    for name, text in renamed.items():
        setattr(role, name, text)
    role.version = (role.version or 1) + 1
    _flush_role(session, role)
    _note_role(
        session,
        by,
        "edit",
        role,
        old | _rights_word(before - wanted),
        renamed | _rights_word(wanted - before),
    )
    return plan


def require_version(role: Role, version: int | None) -> None:
    """Raises Stale where somebody saved the role since it was read."""
    if version is not None and version != role.version:
        raise Stale(_("“%(role)s”已被他人修改。您选择的内容已保留，请比对后再保存。", role=role.title))


def _unfit_label(session: Session, role: Role, label: str | None) -> Complaints:
    """Nobody is to take one role for another: a unit's own are told apart from each other and from the default ones."""
    if label is None:
        return
    mine = sa.and_(
        Role.school_id.is_not_distinct_from(role.school_id),
        Role.region_code.is_not_distinct_from(role.region_code),
    )
    default = sa.and_(Role.school_id.is_(None), Role.region_code.is_(None))
    query = sa.select(Role.id).where(Role.label == label, sa.or_(mine, default)).limit(2)
    if any(id_ != role.id for id_ in session.scalars(query)):
        yield "label", _label_taken(label)


def _label_taken(label: str) -> str:
    return _("已有名为“%(label)s”的角色。请换一个名称。", label=label)


def _flush_role(session: Session, role: Role) -> None:
    """Two people may choose the same name at once: then the database decides."""
    label = role.label
    try:
        session.flush()
    except IntegrityError:
        raise Invalid([("label", _label_taken(label))]) from None


def _rights_word(found: frozenset[str]) -> dict[str, Any]:
    return {"rights": sorted(found)} if found else {}


def _note_role(
    session: Session, by: Actor, action: str, role: Role, before: dict[str, Any], after: dict[str, Any]
) -> None:
    _refuse_stand_in(by)
    audit.note(session, by, action, "role", role.id, before=before, after=after, **role_place(session, role))


def role_place(session: Session, role: Role) -> dict[str, Any]:
    """What a role is called and where it is, as the audit keeps it."""
    codes = authorities_of(session, role.school_id)
    place = {"school_id": role.school_id, "authority_code": codes[0] if codes else role.region_code}
    return place | {"subject": role.label}


def make_role(
    session: Session, by: Actor, made: Role, wanted: frozenset[str], template: Role | None = None
) -> Role:
    """A new role of a school or bureau, from `template` or from nothing. What is copied from a copy stays bound to the
    default role that this came from. Raises Denied, Invalid."""
    if rights.is_default(made):
        raise Denied(_("默认角色随系统提供，不能新建。请新建本单位的角色。"))
    verdict = rights.decide(by, "role:add", places_of_role(session, made))
    if not verdict:
        raise Denied(str(verdict))
    made.name = made.name or f"own:{secrets.token_hex(8)}"
    made.heads_unit = False
    made.level = SCHOOL if made.school_id is not None or made.level == SCHOOL else BUREAU
    made.template_id = origin_of(template)
    if complaints := [*_unfit_label(session, made, made.label), *unfit_rights(session, by, made, wanted)]:
        raise Invalid(complaints)
    session.add(made)
    _flush_role(session, made)
    write_role(session, made, wanted)
    _note_role(session, by, "create", made, {}, {"label": made.label} | _rights_word(wanted))
    return made


def delete_role(session: Session, by: Actor, role: Role, *, version: int | None = None) -> None:
    """Only a role that nobody ever held: grants of the past go on naming theirs. Raises Denied, Stale, Invalid."""
    _settled(session, by, role, None)
    require_own_role(session, by, role, "delete")
    require_version(role, version)
    require_never_held(session, role)
    _note_role(session, by, "delete", role, {"label": role.label}, {})
    role.permissions = []
    session.flush()
    session.delete(role)
    session.flush()


def require_never_held(session: Session, role: Role) -> None:
    """Raises Invalid."""
    if was_ever_held(session, role):
        raise Invalid(_("“%(role)s”授予过他人，不能删除：从前的记录还要写明它。", role=role.title))


def was_ever_held(session: Session, role: Role) -> bool:
    return session.scalar(sa.select(Grant.id).where(Grant.role_id == role.id).limit(1)) is not None


def origin_of(template: Role | None) -> int | None:
    """The default role to which a copy stays bound, also the copy of a copy."""
    if template is None:
        return None
    found: int | None = template.id if rights.is_default(template) else template.template_id
    return found


def shrink_copies(session: Session, template: Role) -> list[Role]:
    """After a default role lost something: takes it out of the roles copied from it, too. Returns those changed."""
    most, by = rights_in_role(session, template), rights.system("roles")
    copies = list(session.scalars(sa.select(Role).where(Role.template_id == template.id).order_by(Role.id)))
    sets = rights_of_roles(session, {copy.id for copy in copies})
    beyond = [copy for copy in copies if not powers(sets[copy.id]) <= powers(most)]
    for copy in beyond:
        change_role(session, by, copy, fitted(sets[copy.id], most))
    return beyond
