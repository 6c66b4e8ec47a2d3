"""What a person may do, on which rows, and why. Grants are the only source of access.

Rights and the powers they amount to are named in `powers`; how grants are given and taken back is in `grants`. The rows
a power reaches are a tuple of extents; `scope` turns the same extents into SQL, so lists and decisions cannot disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
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
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, load_only, mapped_column, relationship

from app.core import names, sessions
from app.core.databases import PREPARED
from app.core.entity import Entity, registry
from app.core.errors import Denied
from app.core.fields import BigId, Field, UtcDateTime
from app.core.places import authority_range
from app.core.powers import (
    all_rights,
    as_pair,
    as_right,
    describe,
    field_right,
    naming_fields,
    powers,
    reading_rights,
)

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
User.language = mapped_column(sa.String(12), nullable=True)
User.shares_phone = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
User.shares_qq = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
User.hides_first_steps = mapped_column(
    sa.Boolean, nullable=False, default=False, server_default=sa.false(), deferred=True
)
User.left_on = mapped_column(sa.Date, nullable=True)
User.name_key = mapped_column(
    sa.String(names.LONGEST_KEY), nullable=False, default="", server_default="", deferred=True
)
User.name_initials = mapped_column(
    sa.String(names.LONGEST_INITIALS), nullable=False, default="", server_default="", deferred=True
)
User.totp_secret = mapped_column(sa.String(200), nullable=True)
User.totp_since = mapped_column(UtcDateTime, nullable=True)
User.totp_step = mapped_column(sa.BigInteger, nullable=True)
User.recovery_codes = mapped_column(sa.JSON(none_as_null=True), nullable=True)

Role.label = mapped_column(sa.String(60), nullable=False, default="", server_default="")
Role.description = mapped_column(sa.String(200), nullable=False, default="", server_default="")
Role.school_id = mapped_column(BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"), nullable=True)
Role.region_code = mapped_column(sa.String(6), nullable=True)
Role.level = mapped_column(sa.String(10), nullable=False, default="school", server_default="school")
Role.template_id = mapped_column(sa.ForeignKey("ab_role.id", ondelete="RESTRICT"), nullable=True)
Role.heads_unit = mapped_column(sa.Boolean, nullable=False, default=False, server_default=sa.false())
Role.version = mapped_column(sa.Integer, nullable=False, default=1, server_default="1")
Role.title = property(lambda role: _spoken(role, role.label))
Role.purpose = property(lambda role: _spoken(role, role.description))
for _unit in ("school_id", "region_code"):
    Role.__table__.append_constraint(sa.UniqueConstraint(_unit, "label"))


def is_default(role: Role) -> bool:
    """A template of everybody's: nobody's own, and nobody's to change."""
    return role.school_id is None and role.region_code is None


def _spoken(role: Role, text: str) -> str:
    """What a default role says is the program's, and translated; what a unit's own says is data."""
    return _(text) if text and is_default(role) else text


_PLACES = ("school_id", "region_code")


def _where(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    """An index of the rows for which this holds."""
    return {"sqlite_where": condition, "postgresql_where": condition}


@event.listens_for(User.first_name, "set")
def _read_into_pinyin(user: User, name: str | None, _old: object, _event: object) -> None:
    """Whoever is named anew is sorted and found by the new name."""
    for column, value in names.search_keys(name or "").items():
        setattr(user, column, value)


class Grant(Model):
    """授权：谁在什么范围内担任什么角色，到何时为止，由谁授予，能否使用、能否转授；学校主管领导还须主管部门确认。"""

    __tablename__ = "role_grant"
    __table_args__ = (
        sa.Index("ix_role_grant_person_id_withdrawn_at", "person_id", "withdrawn_at"),
        sa.Index("ix_role_grant_giver_id_until", "giver_id", "until"),
        sa.Index("ix_role_grant_awaits", "id", **_where(sa.column("awaits") == sa.true())),
        *(sa.Index(f"ix_role_grant_{place}_id", place, "id") for place in _PLACES),
        *(
            sa.Index(
                f"ix_role_grant_{place}_held", place, "until", **_where(sa.column("withdrawn_at").is_(None))
            )
            for place in _PLACES
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))
    role_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_role.id", ondelete="RESTRICT"), index=True)
    school_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"))
    region_code: Mapped[str | None] = mapped_column(sa.String(6))
    grade_ids: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
    class_ids: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
    usable: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    passable: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    giver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))
    under_id: Mapped[int | None] = mapped_column(
        BigId, sa.ForeignKey("role_grant.id", ondelete="RESTRICT"), index=True
    )
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[int | None] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))
    refused_because: Mapped[str | None] = mapped_column(sa.String(200))
    awaits: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    confirmed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))

    person: Mapped[User] = relationship(User, foreign_keys=[person_id], viewonly=True)
    giver: Mapped[User | None] = relationship(User, foreign_keys=[giver_id], viewonly=True)
    role: Mapped[Role] = relationship(Role, viewonly=True)

    @property
    def extent(self) -> Extent:
        return Extent.of(self.school_id, self.region_code, self.grade_ids, self.class_ids)

    @property
    def is_held(self) -> bool:
        """Whether it is open, will be, or waits for its confirmation: what it gives is spoken for."""
        return self.withdrawn_at is None and (self.until is None or datetime.now(UTC) < self.until)


# --- where a right holds ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is: what an extent is compared with."""

    school_id: int | None
    authority_code: str | None
    grade_id: int | None = None
    class_id: int | None = None
    is_for_all: bool = False  # read school-wide: also by those whose grant is narrowed to grades or classes


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of an extent's school to compare it with another: the codes that decide there (one per stage),
    and the grade of each of its classes that the extent names."""

    authorities: frozenset[str] = frozenset()
    grade_of: Mapping[int, int] = dataclass_field(default_factory=dict)


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Extent:
    """A school (perhaps only some grades or classes), a range of authority codes, or both: then what lies in both.

    `everywhere` is for system actors alone. Nothing given covers nothing.
    """

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
        grades: Iterable[int] | None = None,
        classes: Iterable[int] | None = None,
    ) -> Extent:
        low, high = authority_range(region) if region else ("", "")
        return cls(school_id, low, high, frozenset(grades or ()), frozenset(classes or ()))

    @property
    def is_narrow(self) -> bool:
        return bool(self.grade_ids or self.class_ids)

    def covers(self, place: Place) -> bool:
        if self.everywhere:
            return True
        if self.school_id is None and not self.low:
            return False
        if self.school_id is not None and place.school_id != self.school_id:
            return False
        if self.low and (place.authority_code is None or not self.low <= place.authority_code <= self.high):
            return False
        if not self.is_narrow or place.is_for_all:
            return True
        return place.grade_id in self.grade_ids or place.class_id in self.class_ids

    def contains(self, other: Extent, facts: Facts = NO_FACTS) -> bool:
        """Whether everything in `other` lies in here; `facts` are those of `other`'s school."""
        if self.everywhere or other.everywhere:
            return self.everywhere
        if self.school_id is None and not self.low:
            return False
        if self.school_id is not None and other.school_id != self.school_id:
            return False
        return self._spans(other, facts) and self._holds_parts(other, facts)

    def _spans(self, other: Extent, facts: Facts) -> bool:
        if not self.low or (other.low and self.low <= other.low and other.high <= self.high):
            return True
        here = [c for c in facts.authorities if not other.low or other.low <= c <= other.high]
        return other.school_id is not None and bool(here) and all(self.low <= c <= self.high for c in here)

    def _holds_parts(self, other: Extent, facts: Facts) -> bool:
        if not self.is_narrow:
            return True
        in_grades = {c for c in other.class_ids if facts.grade_of.get(c) in self.grade_ids}
        return (
            other.is_narrow
            and other.grade_ids <= self.grade_ids
            and other.class_ids - in_grades <= self.class_ids
        )

    def meet(self, other: Extent, grade_of: Mapping[int, int]) -> Extent | None:
        """What lies in both; None where nothing does. `grade_of`: the grades of the classes that either names."""
        if self.everywhere or other.everywhere:
            return other if self.everywhere else self
        if None not in (self.school_id, other.school_id) and self.school_id != other.school_id:
            return None
        low, high = max(self.low, other.low), min(self.high or other.high, other.high or self.high)
        if low > high:
            return None
        school_id = self.school_id if self.school_id is not None else other.school_id
        if not (self.is_narrow and other.is_narrow):
            narrow = self if self.is_narrow else other
            return Extent(school_id, low, high, narrow.grade_ids, narrow.class_ids)
        classes = {c for c in self.class_ids if c in other.class_ids or grade_of.get(c) in other.grade_ids}
        classes |= {c for c in other.class_ids if grade_of.get(c) in self.grade_ids}
        met = Extent(school_id, low, high, self.grade_ids & other.grade_ids, frozenset(classes))
        return met if met.is_narrow else None


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

    @property
    def powers(self) -> frozenset[str]:
        return powers(self.rights)

    def lacks(self, power: str, places: Sequence[Place] | None) -> Lack | None:
        """Why this grant does not give the power at any of these places; None where it does."""
        if power not in self.powers:
            return "right"
        if not self.usable:
            return "use"
        if places is not None and not any(self.extent.covers(place) for place in places):
            return "place"
        return None


Lack = Literal["right", "use", "place"]


@dataclass(frozen=True)
class Actor:
    """Who acts: a person with the grants open now, or a named system actor that may do all.

    While somebody looks on as another person, `looks_as` names that one: then nothing may be written.
    """

    id: int | None
    name: str
    holdings: tuple[Holding, ...] = ()
    school_id: int | None = None
    region_code: str | None = None
    is_system: bool = False
    looks_as: str = ""

    def reach(self, *wanted: str) -> tuple[Extent, ...]:
        """Where any of these powers holds for use."""
        if self.is_system:
            return (EVERYWHERE,)
        if wanted not in self._reaches:
            found = (h.extent for h in self.holdings if h.usable and not h.powers.isdisjoint(wanted))
            self._reaches[wanted] = tuple(dict.fromkeys(found))
        return self._reaches[wanted]

    def has(self, power: str) -> bool:
        """Whether the power holds anywhere."""
        return self.is_system or power in self.usable_rights

    @cached_property
    def usable_rights(self) -> frozenset[str]:
        """All powers that hold anywhere."""
        return frozenset().union(*(h.powers for h in self.holdings if h.usable))

    @cached_property
    def _reaches(self) -> dict[tuple[str, ...], tuple[Extent, ...]]:
        """What `reach` has found already."""
        return {}

    @cached_property
    def open_fields(self) -> dict[type[Entity], dict[str, Field]]:
        """What `rights.open_fields` has found for this person already."""
        return {}

    @property
    def is_of_bureau(self) -> bool:
        return self.region_code is not None


def system(name: str) -> Actor:
    """A named system actor: "seed", "login", "worker"."""
    return Actor(id=None, name=name, is_system=True)


# --- reading grants: one query a request --------------------------------------------------------------


@cache
def _person_query() -> sa.Select[Any]:
    """Built once: the account with its open grants, for the parameters `user_id`, `now` and `sid` (a session's hash)."""
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
        sa.select(User, sessions.is_open(User.id, sa.bindparam("sid", type_=sa.String)), *of_grant, *more)
        .outerjoin(
            Grant, sa.and_(Grant.person_id == User.id, *open_at(sa.bindparam("now", type_=UtcDateTime)))
        )
        .outerjoin(Role, Role.id == Grant.role_id)
        .where(User.id == sa.bindparam("user_id", type_=sa.Integer))
        .order_by(Grant.id)
        .options(load_only(*_ASKED_OF_EVERYBODY))
        .execution_options(populate_existing=True, **PREPARED)
    )


_ASKED_OF_EVERYBODY = (
    User.username,
    User.first_name,
    User.active,
    User.password,
    User.school_id,
    User.region_code,
    User.epoch,
    User.language,
    User.totp_since,
    User.password_set_at,
    User.must_change_password,
    User.is_demo,
)
"""What a request wants to know of its account; the rest is read by the few pages that show it."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """An account, who acts through it, and whether the session that was asked for goes on."""

    user: User
    actor: Actor
    has_session: bool


def load_person(
    session: Session, user_id: int, now: datetime | None = None, sid: str | None = None
) -> Entrant | None:
    """The account with every grant open at `now`, in one statement; None where there is no such account."""
    hashed = sessions.hash_of(sid) if sid is not None else None
    words = {"user_id": user_id, "now": now or datetime.now(UTC), "sid": hashed}
    found = session.execute(_person_query(), words).all()
    if not found:
        return None
    holdings = tuple(
        Holding(
            id_, label, _rights_in(text), Extent.of(school, region, grades, classes), usable, passable, until
        )
        for _u, _open, id_, label, text, school, region, grades, classes, usable, passable, until in found
        if id_ is not None
    )
    user: User = found[0][0]
    account = (user.id, user.first_name, holdings, user.school_id, user.region_code)
    return Entrant(user, _actor(registry.generation, *account), bool(found[0][1]))


@lru_cache(maxsize=1024)
def _actor(generation: int, *account: Any) -> Actor:
    """The same account with the same grants is the same actor: what was worked out for one request serves the next."""
    return Actor(*account)


def load_actor(session: Session, user: User, now: datetime | None = None) -> Actor:
    """Who acts through the account."""
    found = load_person(session, user.id, now)
    assert found is not None
    return found.actor


def open_at(now: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """Grants that count at `now`: a moment, or the parameter that stands for one."""
    return (
        Grant.withdrawn_at.is_(None),
        sa.not_(Grant.awaits),
        Grant.starts_at <= now,
        sa.or_(Grant.until.is_(None), Grant.until > now),
    )


@lru_cache(maxsize=1024)
def _rights_in(text: str | None) -> frozenset[str]:
    pairs = (part.rpartition(":") for part in (text or "").split(",") if part)
    return frozenset(as_right(permission, view) for view, _sep, permission in pairs)


# --- deciding -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """Falsy when refused, and printable: the sentence says which right is missing and who can give it.

    `through` are the grants that allow it; `short` those that do not, each with what it lacks.
    """

    allowed: bool
    sentence: str = ""
    through: tuple[Holding, ...] = ()
    short: tuple[tuple[Holding, Lack], ...] = ()

    def __bool__(self) -> bool:
        return self.allowed

    def __str__(self) -> str:
        return self.sentence


YES = Verdict(True)


def decide(by: Actor, power: str, places: Sequence[Place] | None = None) -> Verdict:
    """The one answer: may `by` use this power at one of `places` (at any place at all, where none are given)?"""
    if by.is_system:
        return YES
    lacks = [(held, held.lacks(power, places)) for held in by.holdings]
    through = tuple(held for held, lack in lacks if lack is None)
    short = tuple((held, lack) for held, lack in lacks if lack is not None)
    if through:
        return Verdict(True, "", through, short)
    return Verdict(False, refusal(by, power, elsewhere=any(lack == "place" for _h, lack in short)), (), short)


def may(by: Actor, power: str, place: Place | None = None) -> Verdict:
    return decide(by, power, None if place is None else (place,))


def refusal(by: Actor, power: str, *more: str, elsewhere: bool = False) -> str:
    """`more` as `powers.describe` takes them."""
    giver = _("主管部门管理员") if by.is_of_bureau else _("本校总管理员")
    if elsewhere:
        return _(
            "您的授权范围不包括这条记录，不能%(what)s。需要办理的，请联系%(who)s。",
            what=describe(power, *more),
            who=giver,
        )
    return _(
        "您没有“%(what)s”的权限。需要这项权限的，请联系%(who)s在“授权管理”中授予。",
        what=describe(power, *more),
        who=giver,
    )


def require(by: Actor, power: str, place: Place | None = None) -> None:
    """Raises Denied with the verdict's sentence."""
    verdict = may(by, power, place)
    if not verdict:
        raise Denied(str(verdict))


# --- fields -------------------------------------------------------------------------------------------


def visible_fields(by: Actor, entity: type[Entity]) -> dict[str, Field]:
    """The fields of the entity that `by` sees on some row at least (masks apart), in order."""
    return {n: f for n, f in entity.fields().items() if by.has(field_right(entity, n, "see"))}


def holds_wherever(by: Actor, power: str, base: Collection[str]) -> bool:
    """Whether the power holds on every row on which one of `base` does."""
    if by.is_system:
        return True
    reach = by.reach(power)
    return bool(reach) and all(any(have.contains(e) for have in reach) for e in by.reach(*base))


def open_fields(by: Actor, entity: type[Entity]) -> dict[str, Field]:
    """The fields that `by` sees on every row he reads: only these may be filtered or sorted by."""
    base = reading_rights(entity)
    if entity not in by.open_fields:  # a list asks for them again and again
        by.open_fields[entity] = {
            n: f
            for n, f in entity.fields().items()
            if holds_wherever(by, field_right(entity, n, "see"), base)
        }
    return by.open_fields[entity]


def searched_fields(by: Actor, entity: type[Entity]) -> frozenset[str]:
    """The fields by which `by` may look for rows: those, and what rows are called by, which nothing hides."""
    return naming_fields(entity).union(open_fields(by, entity))


def revealed_fields(by: Actor, entity: type[Entity]) -> frozenset[str]:
    """The masked fields whose whole values a reveal shows."""
    base = (f"{entity.key()}:reveal",)
    return frozenset(
        n
        for n, f in entity.fields().items()
        if f.mask is not None and holds_wherever(by, field_right(entity, n, "reveal"), base)
    )


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
