"""What a person may do, on which rows, and why. Grants are the only source of access.

A right is written "student:edit" and stored as Flask-AppBuilder's pair (can_edit, student). The rows a right
reaches are a tuple of extents; `scope` turns the same extents into SQL, so lists and decisions cannot disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
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
from sqlalchemy.orm import Mapped, Session, load_only, mapped_column, relationship

from app.core import audit
from app.core.entity import Entity, registry
from app.core.errors import Denied, Invalid
from app.core.fields import FROM_ABOVE, BigId, UtcDateTime
from app.core.places import authority_range

# --- what Flask-AppBuilder's models lack (added in place: subclasses of them break on flush) ----------

User.school_id = mapped_column(
    BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"), nullable=True, index=True
)
User.region_code = mapped_column(sa.String(6), nullable=True, index=True)
User.phone = mapped_column(sa.String(20), nullable=True)
User.qq = mapped_column(sa.String(20), nullable=True)
User.locked_until = mapped_column(UtcDateTime, nullable=True)
User.password_set_at = mapped_column(UtcDateTime, nullable=True)
User.must_change_password = mapped_column(
    sa.Boolean, nullable=False, default=False, server_default=sa.false()
)
User.is_demo = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
User.epoch = mapped_column(sa.Integer, nullable=False, default=0, server_default="0")
User.ended_sessions = mapped_column(sa.JSON(none_as_null=True), nullable=True)

Role.label = mapped_column(sa.String(60), nullable=False, default="", server_default="")
Role.description = mapped_column(sa.String(200), nullable=False, default="", server_default="")
Role.school_id = mapped_column(BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"), nullable=True)
Role.region_code = mapped_column(sa.String(6), nullable=True)
Role.level = mapped_column(sa.String(10), nullable=False, default="school", server_default="school")


class Grant(Model):
    """授权：谁在什么范围内担任什么角色，到何时为止，由谁授予，能否使用、能否转授。"""

    __tablename__ = "role_grant"
    __table_args__ = (sa.Index("ix_role_grant_person_id_withdrawn_at", "person_id", "withdrawn_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))
    role_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_role.id", ondelete="RESTRICT"), index=True)
    school_id: Mapped[int | None] = mapped_column(
        BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"), index=True
    )
    region_code: Mapped[str | None] = mapped_column(sa.String(6))
    grade_ids: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
    class_ids: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
    usable: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    passable: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    giver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"), index=True)
    under_id: Mapped[int | None] = mapped_column(
        BigId, sa.ForeignKey("role_grant.id", ondelete="RESTRICT"), index=True
    )
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[int | None] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))

    person: Mapped[User] = relationship(User, foreign_keys=[person_id], viewonly=True)
    giver: Mapped[User | None] = relationship(User, foreign_keys=[giver_id], viewonly=True)
    role: Mapped[Role] = relationship(Role, viewonly=True)

    @property
    def extent(self) -> Extent:
        return Extent.of(self.school_id, self.region_code, self.grade_ids, self.class_ids)

    def is_open(self, now: datetime) -> bool:
        return (
            self.withdrawn_at is None and self.starts_at <= now and (self.until is None or now < self.until)
        )


# --- where a right holds ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is: what an extent is compared with."""

    school_id: int | None
    authority_code: str | None
    grade_id: int | None = None
    class_id: int | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """A school (perhaps only some grades or classes), or a range of authority codes, or everything (system only)."""

    school_id: int | None = None
    low: str = ""
    high: str = ""
    grade_ids: frozenset[int] = frozenset()
    class_ids: frozenset[int] = frozenset()
    everywhere: bool = False

    @classmethod
    def of(
        cls,
        school_id: int | None,
        region: str | None,
        grades: Iterable[int] | None,
        classes: Iterable[int] | None,
    ) -> Extent:
        if region:
            low, high = authority_range(region)
            return cls(low=low, high=high)
        return cls(school_id=school_id, grade_ids=frozenset(grades or ()), class_ids=frozenset(classes or ()))

    @property
    def is_narrow(self) -> bool:
        return bool(self.grade_ids or self.class_ids)

    def covers(self, place: Place) -> bool:
        if self.everywhere:
            return True
        if self.low:
            return place.authority_code is not None and self.low <= place.authority_code <= self.high
        if self.school_id is None or place.school_id != self.school_id:
            return False
        return not self.is_narrow or place.grade_id in self.grade_ids or place.class_id in self.class_ids

    def contains(self, other: Extent, authorities: Collection[str] = ()) -> bool:
        """Whether everything in `other` lies in here. `authorities`: the codes that decide over `other`'s school."""
        if self.everywhere:
            return True
        if self.low:
            if other.low:
                return self.low <= other.low and other.high <= self.high
            return (
                other.school_id is not None
                and bool(authorities)
                and all(self.low <= code <= self.high for code in authorities)
            )
        if other.school_id is None or other.school_id != self.school_id:
            return False
        if not self.is_narrow:
            return True
        return other.is_narrow and other.grade_ids <= self.grade_ids and other.class_ids <= self.class_ids


EVERYWHERE = Extent(everywhere=True)


@dataclass(frozen=True, slots=True)
class Holding:
    """One open grant as its holder carries it through a request."""

    grant_id: int
    role: str
    rights: frozenset[str]
    extent: Extent
    usable: bool
    passable: bool
    until: datetime | None


@dataclass(frozen=True)
class Actor:
    """Who acts: a person with the grants open now, or a named system actor that may do all."""

    id: int | None
    name: str
    holdings: tuple[Holding, ...] = ()
    school_id: int | None = None
    region_code: str | None = None
    is_system: bool = False

    def reach(self, *rights: str) -> tuple[Extent, ...]:
        """Where any of `rights` holds for use."""
        if self.is_system:
            return (EVERYWHERE,)
        wanted = frozenset(rights)
        return tuple(dict.fromkeys(h.extent for h in self.holdings if h.usable and wanted & h.rights))

    def has(self, right: str) -> bool:
        return self.is_system or right in self.usable_rights

    @cached_property
    def usable_rights(self) -> frozenset[str]:
        return frozenset().union(*(h.rights for h in self.holdings if h.usable))

    @property
    def is_of_bureau(self) -> bool:
        return self.region_code is not None


def system(name: str) -> Actor:
    """A named system actor: "seed", "login", "worker"."""
    return Actor(id=None, name=name, is_system=True)


# --- the names of rights ------------------------------------------------------------------------------

OTHER_RIGHTS = {
    "person:list": "查看本单位人员",
    "person:show": "查看本单位人员详情",
    "person:add": "开通账号",
    "person:edit": "修改、停用、解锁账号",
    "grant:list": "查看授权",
    "grant:add": "授权",
    "grant:delete": "收回授权",
    "api_docs:show": "查看接口说明",
    "recycle_bin:list": "查看回收站",
}
"""Rights that do not come from a declaration, each with its Chinese name."""


def rights_of(entity: type[Entity]) -> Iterator[str]:
    """Every right that an entity's declaration brings with it."""
    key = entity.key()
    fields = entity.fields().values()
    for action in entity.__actions__:
        if action != "reveal" or any(f.mask for f in fields):
            yield f"{key}:{action}"
    if any(f.edit is FROM_ABOVE for f in fields):
        yield f"{key}:govern"
    for group in dict.fromkeys(f.private for f in fields if f.private):
        yield f"{key}:{group}"


def all_rights() -> tuple[str, ...]:
    return (*(right for entity in registry for right in rights_of(entity)), *OTHER_RIGHTS)


def as_pair(right: str) -> tuple[str, str]:
    """ "student:edit" → Flask-AppBuilder's ("can_edit", "student")."""
    view, _, action = right.rpartition(":")
    return f"can_{action}", view


def as_right(permission: str, view: str) -> str:
    return f"{view}:{permission.removeprefix('can_')}"


ACTION_WORDS = {
    "list": "查看列表",
    "show": "查看",
    "add": "新增",
    "edit": "修改",
    "delete": "删除",
    "reveal": "查看完整号码",
    "govern": "修改主管部门下达的项目",
    "health": "查看健康与残疾信息",
}


def describe(right: str) -> str:
    """ "student:edit" → "修改“学生”"."""
    if right in OTHER_RIGHTS:
        return _(OTHER_RIGHTS[right])
    key, _sep, action = right.rpartition(":")
    label = registry[key].__label__ if key in registry else key
    return _("%(act)s“%(what)s”", act=_(ACTION_WORDS.get(action, action)), what=_(label))


# --- reading grants: one query a request --------------------------------------------------------------


@cache
def _person_query() -> sa.Select[Any]:
    """Built once: the account with its open grants, for the parameters `user_id` and `now`."""
    pairs = (
        sa.select(sa.func.aggregate_strings(ViewMenu.name + ":" + Permission.name, ","))
        .select_from(assoc_permissionview_role)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(assoc_permissionview_role.c.role_id == Grant.role_id)
        .scalar_subquery()
    )
    of_grant = (Grant.id, Role.label, pairs, Grant.school_id, Grant.region_code, Grant.grade_ids)
    more = (Grant.class_ids, Grant.usable, Grant.passable, Grant.until)
    return (
        sa.select(User, *of_grant, *more)
        .outerjoin(
            Grant, sa.and_(Grant.person_id == User.id, *_open_at(sa.bindparam("now", type_=UtcDateTime)))
        )
        .outerjoin(Role, Role.id == Grant.role_id)
        .where(User.id == sa.bindparam("user_id", type_=sa.Integer))
        .order_by(Grant.id)
        .options(load_only(*_ASKED_OF_EVERYBODY))
        .execution_options(populate_existing=True)
    )


_ASKED_OF_EVERYBODY = (
    User.username,
    User.first_name,
    User.active,
    User.password,
    User.school_id,
    User.region_code,
    User.epoch,
    User.ended_sessions,
    User.password_set_at,
    User.must_change_password,
    User.is_demo,
)
"""What a request wants to know of its account; the rest is read by the few pages that show it."""


def load_person(session: Session, user_id: int, now: datetime | None = None) -> tuple[User, Actor] | None:
    """The account and who acts through it, with every grant open at `now`, in one statement; None without account."""
    words = {"user_id": user_id, "now": now or datetime.now(UTC)}
    found = session.execute(_person_query(), words).all()
    if not found:
        return None
    holdings = tuple(
        Holding(
            id_, label, _rights_in(text), Extent.of(school, region, grades, classes), usable, passable, until
        )
        for _u, id_, label, text, school, region, grades, classes, usable, passable, until in found
        if id_ is not None
    )
    user: User = found[0][0]
    return user, Actor(user.id, user.first_name, holdings, user.school_id, user.region_code)


def load_actor(session: Session, user: User, now: datetime | None = None) -> Actor:
    """Who acts through the account."""
    found = load_person(session, user.id, now)
    assert found is not None
    return found[1]


def _open_at(now: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """`now`: a moment, or the parameter that stands for one."""
    return (
        Grant.withdrawn_at.is_(None),
        Grant.starts_at <= now,
        sa.or_(Grant.until.is_(None), Grant.until > now),
    )


@lru_cache(maxsize=1024)
def _rights_in(text: str | None) -> frozenset[str]:
    pairs = (part.split(":", 1) for part in (text or "").split(",") if part)
    return frozenset(as_right(permission, view) for view, permission in pairs)


# --- deciding -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """Falsy when refused, and printable: the sentence says which right is missing and who can give it."""

    allowed: bool
    sentence: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    def __str__(self) -> str:
        return self.sentence


YES = Verdict(True)


def may(by: Actor, right: str, place: Place | None = None) -> Verdict:
    """Whether `by` may use `right`, at `place` when one is given."""
    if by.is_system:
        return YES
    extents = by.reach(right)
    if extents and (place is None or any(extent.covers(place) for extent in extents)):
        return YES
    return Verdict(False, refusal(by, right, elsewhere=bool(extents)))


def refusal(by: Actor, right: str, *, elsewhere: bool = False) -> str:
    giver = _("主管部门管理员") if by.is_of_bureau else _("本校总管理员")
    if elsewhere:
        return _(
            "您的授权范围不包括这条记录，不能%(what)s。需要办理的，请联系%(who)s。",
            what=describe(right),
            who=giver,
        )
    return _(
        "您没有“%(what)s”的权限。需要这项权限的，请联系%(who)s在“授权管理”中授予。",
        what=describe(right),
        who=giver,
    )


def require(by: Actor, right: str, place: Place | None = None) -> None:
    """Raises Denied with the verdict's sentence."""
    verdict = may(by, right, place)
    if not verdict:
        raise Denied(str(verdict))


# --- giving and taking --------------------------------------------------------------------------------


def authorities_of(session: Session, extent: Extent) -> tuple[str, ...]:
    """The codes that decide over an extent's school, one per stage (a 完全中学 may have two)."""
    if extent.school_id is None:
        return ()
    stage = Model.metadata.tables["school_stage"]
    query = sa.select(stage.c.authority_code).where(stage.c.school_id == extent.school_id)
    return tuple(session.connection().execute(query.execution_options(unguarded=True)).scalars())


def rights_in_role(role: Role) -> frozenset[str]:
    return frozenset(as_right(pv.permission.name, pv.view_menu.name) for pv in role.permissions)


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
    """Gives `taker` a role. Raises Invalid when the giver holds too little, too narrowly or too briefly.

    Rules: never to oneself, nor back to someone it came from; the role's rights ⊆ rights held passable; the extent ⊆
    the giver's; not past its end. One grant of the giver's must cover all of it, so that withdrawal has one root.
    """
    now = datetime.now(UTC)
    under = None
    if not giver.is_system:
        if giver.id == taker.id:
            raise Invalid(_("不能给自己授权。请由上一级管理员办理。"))
        under = _root_for(session, giver, role, extent, until)
        if taker.id in _sources(session, under.grant_id):
            raise Invalid(_("这项权限由对方转授而来，不能再授回给对方。请由上一级管理员办理。"))
    made = Grant(
        person_id=taker.id,
        role_id=role.id,
        usable=usable,
        passable=passable,
        starts_at=starts_at or now,
        until=until,
        giver_id=giver.id,
        under_id=under.grant_id if under else None,
        **_columns_of(extent),
    )
    session.add(made)
    session.flush()
    audit.note(
        session,
        giver,
        "grant",
        "role_grant",
        made.id,
        after={"person_id": taker.id, "role": role.name, "usable": usable, "passable": passable}
        | {"until": until.isoformat() if until else None}
        | {k: v for k, v in _columns_of(extent).items() if v},
        school_id=extent.school_id or taker.school_id,
        authority_code=_authority_of(session, extent),
    )
    return made


def _sources(session: Session, grant_id: int | None) -> Iterator[int]:
    """Whose grants stand above, nearest first. Locks the nearest: a grant never slips in under one being withdrawn."""
    lock = True
    while grant_id is not None:
        given = session.get(Grant, grant_id, with_for_update=lock, populate_existing=True)
        if given is None or given.withdrawn_at is not None:
            raise Invalid(_("您用来转授的授权刚刚被收回。请刷新页面后再试。"))
        yield given.person_id
        grant_id, lock = given.under_id, False


def _authority_of(session: Session, extent: Extent) -> str | None:
    return next(iter(authorities_of(session, extent)), extent.low or None)


def _columns_of(extent: Extent) -> dict[str, Any]:
    return {
        "school_id": extent.school_id,
        "region_code": _region_of(extent),
        "grade_ids": sorted(extent.grade_ids) or None,
        "class_ids": sorted(extent.class_ids) or None,
    }


def _region_of(extent: Extent) -> str | None:
    return extent.low or None


def _root_for(session: Session, giver: Actor, role: Role, extent: Extent, until: datetime | None) -> Holding:
    wanted = rights_in_role(role)
    able = [h for h in giver.holdings if h.passable]
    missing = wanted - frozenset().union(*(h.rights for h in able)) if able else wanted
    if missing:
        names = "、".join(describe(right) for right in sorted(missing)[:5])
        raise Invalid(
            [("role_id", _("您没有可转授的权限：%(names)s。请先由上一级管理员授予。", names=names))]
        )
    authorities = authorities_of(session, extent)
    able = [h for h in able if wanted <= h.rights and h.extent.contains(extent, authorities)]
    if not able:
        raise Invalid([("school_id", _("授权范围超出了您自己的范围。请缩小范围，或由上一级管理员授予。"))])
    able = [h for h in able if h.until is None or (until is not None and until <= h.until)]
    if not able:
        raise Invalid([("until", _("截止日期晚于您自己授权的截止日期。请改为更早的日期。"))])
    return able[0]


def withdraw(session: Session, by: Actor, given: Grant) -> list[Grant]:
    """Takes back a grant and all that was passed on under it; returns what ended. Raises Denied for others' grants."""
    if not by.is_system and not (by.id == given.giver_id or _may_take(session, by, given)):
        raise Denied(_("这项授权不是您给出的。请由授权人或上一级管理员收回。"))
    now = datetime.now(UTC)
    session.refresh(given, with_for_update={"of": Grant})
    ended = [g for g in (given, *passed_on(session, given, lock=True)) if g.withdrawn_at is None]
    for one in ended:
        one.withdrawn_at, one.withdrawn_by = now, by.id
    audit.write(
        session,
        [
            audit.row(
                by,
                "withdraw",
                "role_grant",
                one.id,
                before={"person_id": one.person_id},
                school_id=one.school_id,
                authority_code=_authority_of(session, one.extent),
            )
            for one in ended
        ],
    )
    return ended


def passed_on(session: Session, given: Grant, *, lock: bool = False) -> Iterator[Grant]:
    """What was passed on under a grant, at any depth. With `lock`, nothing can be added meanwhile."""
    children = sa.select(Grant).where(Grant.under_id == given.id).order_by(Grant.id)
    for child in session.scalars(children.with_for_update() if lock else children).all():
        yield child
        yield from passed_on(session, child, lock=lock)


def _may_take(session: Session, by: Actor, given: Grant) -> bool:
    if given.school_id is None:
        return bool(may(by, "grant:delete", Place(None, given.region_code)))
    codes = authorities_of(session, given.extent) or (None,)
    return any(may(by, "grant:delete", Place(given.school_id, code)) for code in codes)


# --- keeping Flask-AppBuilder's tables in step with the registry --------------------------------------


def missing_pairs(session: Session) -> list[str]:
    """The registry's rights that are not in the tables yet."""
    known = {
        as_right(pv.permission.name, pv.view_menu.name) for pv in session.scalars(sa.select(PermissionView))
    }
    return [right for right in all_rights() if right not in known]


def sync(session: Session) -> int:
    """Writes every right of the registry as a pair; returns how many were new. Deletes nothing."""
    missing = missing_pairs(session)
    views = {v.name: v for v in session.scalars(sa.select(ViewMenu))}
    permissions = {p.name: p for p in session.scalars(sa.select(Permission))}
    for right in missing:
        action, view = as_pair(right)
        permission = permissions.setdefault(action, Permission(name=action))
        view_menu = views.setdefault(view, ViewMenu(name=view))
        session.add(PermissionView(permission=permission, view_menu=view_menu))
    session.flush()
    return len(missing)


def visible_fields(by: Actor, entity: type[Entity]) -> dict[str, Any]:
    """The entity's fields that `by` may see at all (masks apart), in order."""
    return {
        name: field
        for name, field in entity.fields().items()
        if not field.private or by.has(f"{entity.key()}:{field.private}")
    }
