"""Class teachers, all classes of a school at once: who gains and who loses which class, and the grants that go with it.

What is shown beforehand was done and taken back, so that what is confirmed is what was shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import Home
from app.areas.people.roles import PREFIX
from app.areas.schools.models import Grade, SchoolClass
from app.core import grants, saving
from app.core.authority import Authority
from app.core.errors import Denied, Invalid, Stale
from app.core.rights import Actor, Extent, Grant
from app.core.wording import listed, with_note

ROLE = f"{PREFIX}class_teacher"
PROCEDURE = Authority("class_teacher")
FIRST_MONTH = 7  # from July on one arranges the coming school year


def school_year_ends(today: date) -> date:
    """31 August of the school year that is arranged."""
    return date(today.year + (today.month >= FIRST_MONTH), 8, 31)


def require_may(session: Session, by: Actor) -> int:
    """The school whose class teachers `by` arranges. Raises Denied."""
    if by.school_id is None:
        raise Denied(_("班主任由学校自己安排。请联系该校总管理员办理。"))
    for right in ("grant:add", "grant:delete"):
        verdict = accounts.may(session, by, right, Home(by.school_id))
        if not verdict:
            raise Denied(str(verdict))
    return by.school_id


# --- what there is ------------------------------------------------------------------------------------


def classes_of(session: Session, school_id: int) -> list[SchoolClass]:
    """The classes of a school whose grades have not graduated, in order."""
    query = (
        sa.select(SchoolClass)
        .join(Grade, Grade.id == SchoolClass.grade_id)
        .where(SchoolClass.school_id == school_id, Grade.is_graduated.is_(False))
        .order_by(SchoolClass.order_key, SchoolClass.id)
    )
    found = list(session.scalars(query).unique())
    SchoolClass.load_names(session, found)
    return found


def candidates(session: Session, by: Actor, limit: int) -> list[tuple[int, str]]:
    """(id, label) of the school's accounts that are at work."""
    query = sa.select(User.id, User.first_name, User.username).where(*_at_work(by))
    found = session.execute(query.order_by(User.name_key, User.id).limit(limit))
    return [(id_, with_note(name, username)) for id_, name, username in found]


def _at_work(by: Actor) -> Iterator[sa.ColumnElement[bool]]:
    yield accounts.within(by.reach("person:list", "person:show"))
    yield sa.and_(User.active, User.school_id == by.school_id)


@dataclass
class School:
    """The classes of a school with their teachers, and the class teachers' grants by class."""

    session: Session
    school_id: int

    @cached_property
    def classes(self) -> dict[int, SchoolClass]:
        return {one.id: one for one in classes_of(self.session, self.school_id)}

    @cached_property
    def role(self) -> Role:
        return self.session.scalars(sa.select(Role).where(Role.name == ROLE)).one()

    def grants(self) -> dict[int, list[Grant]]:
        """Class → who holds the class teacher's role for it, or a role made from that one. Read anew each time."""
        own = sa.and_(Role.template_id == self.role.id, Role.school_id == self.school_id)
        query = sa.select(Grant).join(Role, Role.id == Grant.role_id)
        query = query.where(Grant.school_id == self.school_id, sa.or_(Role.id == self.role.id, own))
        found: dict[int, list[Grant]] = {}
        for given in self.session.scalars(query.where(grants.held(), Grant.usable).order_by(Grant.id)):
            for class_id in given.class_ids or ():
                found.setdefault(class_id, []).append(given)
        return found

    def teacher_names(self) -> dict[int, str]:
        """Account → name, of everybody who leads a class; departed ones too."""
        ids = {one.teacher_id for one in self.classes.values()} - {None}
        rows = self.session.execute(sa.select(User.id, User.first_name).where(User.id.in_(ids)))
        return dict(rows.all())


# --- what is wanted -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """A class and its teacher to be (None: nobody), at the version and with the teacher that were shown."""

    class_id: int
    version: int | None
    shown: int | None
    teacher_id: int | None

    @property
    def is_changed(self) -> bool:
        return self.teacher_id != self.shown


@dataclass(frozen=True, slots=True)
class Asked:
    """`until`: last day of the new grants. `renews`: those who stay are given theirs anew up to that day."""

    wishes: tuple[Wish, ...]
    until: date | None
    renews: bool = False


Seat = tuple[str, str, date | None]
"""Person, class, last day."""


@dataclass
class Outcome:
    """Who gains and who loses; its mark stands for all of it."""

    gains: list[Seat] = field(default_factory=list)
    losses: list[Seat] = field(default_factory=list)
    replaced: list[tuple[str, str]] = field(default_factory=list)  # who had no grant to lose
    renewals: list[Seat] = field(default_factory=list)
    vacant: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]

    @property
    def is_idle(self) -> bool:
        return not (self.gains or self.renewals or self.vacant)


def foresee(session: Session, by: Actor, asked: Asked) -> Outcome:
    """What it would do. Belongs inside `saving.work()`, of which nothing stays. Raises Stale, Invalid."""
    trial = session.begin_nested()
    outcome = _Arrangement(session, by, asked).make()
    trial.rollback()
    return outcome


def carry_out(session: Session, by: Actor, asked: Asked, mark: str) -> Outcome:
    """Does what was shown under `mark`, or raises Stale where it would be something else by now."""
    outcome = _Arrangement(session, by, asked).make()
    if outcome.mark != mark:
        raise Stale(_("核对之后情况有变化，没有保存。请重新核对后再确认。"))
    return outcome


class _Arrangement:
    """One arrangement: every class first, so that all complaints are said at once."""

    def __init__(self, session: Session, by: Actor, asked: Asked) -> None:
        self.session, self.by, self.asked = session, by, asked
        self.school = School(session, require_may(session, by))
        self.until = granting.end_of(asked.until)
        self.outcome = Outcome()
        self.complaints: list[tuple[str, str]] = []

    def make(self) -> Outcome:
        wishes = [wish for wish in self.asked.wishes if self._is_known(wish)]
        self._refuse_overtaken([wish for wish in wishes if wish.is_changed])
        for wish in wishes:
            try:
                self._arrange(wish)
            except (Denied, Invalid) as refused:
                self.complaints.append((input_of(wish.class_id), refused.sentence))
        if self.complaints:
            raise Invalid(self.complaints)
        self.outcome.notes = list(self._notes(wishes))
        return self.outcome

    def _is_known(self, wish: Wish) -> bool:
        known = wish.class_id in self.school.classes
        if not known:
            self.complaints.append(("", _("有的班级已不存在，或已毕业。请刷新页面后重新安排。")))
        return known

    def _refuse_overtaken(self, wishes: Iterable[Wish]) -> None:
        """Of two who arrange at once the second is told, with all classes that the first has changed."""
        classes, names = self.school.classes, self.school.teacher_names()
        late = [wish for wish in wishes if wish.version != classes[wish.class_id].version]
        if late:
            first = saving.stale(self.session, classes[late[0].class_id], late[0].version or 0)
            now: dict[str, object] = {
                input_of(w.class_id): names.get(classes[w.class_id].teacher_id or 0, "") for w in late
            }
            raise Stale(first.sentence, now)

    def _arrange(self, wish: Wish) -> None:
        one = self.school.classes[wish.class_id]
        taker = self._taker(wish)
        held = self.school.grants().get(wish.class_id, [])
        own = [given for given in held if taker is not None and given.person_id == taker.id]
        if wish.is_changed:
            self._replace(one, wish, [given for given in held if given not in own])
            self._give(one, taker, own)
        elif taker is not None and self.asked.renews:
            self._renew(one, taker, own)

    def _replace(self, one: SchoolClass, wish: Wish, held: Sequence[Grant]) -> None:
        before = self.session.get(User, one.teacher_id) if one.teacher_id is not None else None
        prefix = f"{input_of(one.id)} "
        teacher = {"teacher_id": wish.teacher_id}
        saving.edit(one, teacher, self.by, version=wish.version, authority=PROCEDURE, prefix=prefix)
        for given in held:
            self._take(given, one)
        if before is not None and before.id not in {given.person_id for given in held}:
            self.outcome.replaced.append((before.first_name, one.full_name))

    def _taker(self, wish: Wish) -> User | None:
        """Raises Invalid for anybody who is not at work in this school; who was there before may stay."""
        if wish.teacher_id is None:
            return None
        query = sa.select(User).where(User.id == wish.teacher_id, *_at_work(self.by))
        found = self.session.scalar(query) if wish.teacher_id < 2**31 else None
        if found is None and wish.is_changed:
            raise Invalid(_("没有找到所选的人员，或该账号已停用。请重新选择。"))
        return found

    def _give(self, one: SchoolClass, taker: User | None, held: Sequence[Grant]) -> None:
        if taker is None:
            self.outcome.vacant.append(one.full_name)
            return
        if not held:
            self._grant(taker, [one.id])
        elif held[0].until != self.until and held[0].class_ids == [one.id]:
            grants.replace_grant(self.session, self.by, held[0], taker, self.until)
        self.outcome.gains.append((taker.first_name, one.full_name, self.asked.until))

    def _renew(self, one: SchoolClass, taker: User, held: Sequence[Grant]) -> None:
        if not held:
            self._grant(taker, [one.id])
        elif not self._is_sooner(held[0]) or held[0].class_ids != [one.id]:
            return
        else:
            grants.replace_grant(self.session, self.by, held[0], taker, self.until)
        self.outcome.renewals.append((taker.first_name, one.full_name, self.asked.until))

    def _is_sooner(self, given: Grant) -> bool:
        return given.until is not None and (self.until is None or given.until < self.until)

    def _grant(self, taker: User, class_ids: Sequence[int]) -> None:
        extent = Extent.of(self.school.school_id, None, None, class_ids)
        granting.give(self.session, self.by, taker, self.school.role, extent, self.until)

    def _take(self, given: Grant, one: SchoolClass) -> None:
        """The grant for this class; what it gave of other classes is given anew."""
        person, role, until = given.person, given.role, given.until
        rest = [id_ for id_ in given.class_ids or () if id_ != one.id]
        self.outcome.losses.append((person.first_name, one.full_name, granting.last_day(until)))
        grants.withdraw(self.session, self.by, given)
        if rest:
            extent = Extent.of(self.school.school_id, None, None, rest)
            grants.grant(self.session, self.by, person, role, extent, until)

    # --- said beforehand ---

    def _notes(self, wishes: Iterable[Wish]) -> Iterator[str]:
        """What one might not have meant: several classes in one hand, other duties beside."""
        new = {wish.teacher_id for wish in wishes if wish.is_changed and wish.teacher_id is not None}
        people = {
            one.id: one.first_name for one in self.session.scalars(sa.select(User).where(User.id.in_(new)))
        }
        for id_, name in sorted(people.items(), key=lambda pair: pair[0]):
            led = [one.full_name for one in self.school.classes.values() if one.teacher_id == id_]
            if len(led) > 1:
                yield _("%(name)s将同时担任%(classes)s的班主任。", name=name, classes=listed(led))
            if others := sorted(self._other_roles(id_)):
                yield _("%(name)s还担任%(roles)s，这些授权不变。", name=name, roles=listed(others))

    def _other_roles(self, person_id: int) -> set[str]:
        mine = {self.school.role.id}
        held = grants.held_grants(self.session, person_id)
        return {
            given.role.title
            for given in held
            if given.usable and given.role_id not in mine and given.role.template_id not in mine
        }


def input_of(class_id: int) -> str:
    """The name under which a class's teacher is typed."""
    return f"t-{class_id}"
