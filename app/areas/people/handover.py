"""Handing a colleague's work over, and his departure: grants with what was passed on under them, classes, open cases.

What is shown beforehand was done and taken back, so that what is confirmed is what was shown.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import home_of
from app.areas.schools.models import SchoolClass
from app.core import audit, grants, logins, rights, saving, scope
from app.core.authority import Authority
from app.core.entity import registry
from app.core.errors import Denied, Invalid, Stale
from app.core.fields import HERE
from app.core.rights import Actor, Grant
from app.core.wording import with_note

CLASS_TEACHER, HAND_OVER = "class_teacher", "hand_over"  # the procedures, as the audit names them
SUBMIT = "change:submit"


# --- what comes of it ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A grant in words. `until`: its last day."""

    grant_id: int
    person: str
    role: str
    where: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a hand-over or a departure does. Its mark stands for all of it."""

    leaver_id: int
    successor_id: int | None
    left_on: date | None
    moved: tuple[tuple[Held, bool, tuple[str, ...]], ...]  # waits for the bureau; whose grants go along
    kept: tuple[tuple[Held, str], ...]  # why it does not move
    classes: tuple[tuple[int, str], ...]
    cases: tuple[tuple[str, int], ...]  # kind, how many
    why_not_cases: str  # or "": they move
    ended: tuple[Held, ...]

    @property
    def mark(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]

    @property
    def is_idle(self) -> bool:
        """Whether nothing at all would change hands."""
        moves_cases = bool(self.cases) and not self.why_not_cases
        return self.left_on is None and not (self.moved or self.classes or moves_cases)


@dataclass(frozen=True, slots=True)
class Request:
    """Who hands over to whom; with `left_on` he leaves."""

    leaver_id: int
    successor_id: int | None
    left_on: date | None = None

    def check_words(self) -> Iterator[tuple[str, str]]:
        if self.left_on is None and self.successor_id is None:
            yield "successor_id", _("必填项“%(label)s”为空。请选择后再继续。", label=_("接手人"))
        if self.left_on is not None and self.left_on > datetime.now(HERE).date():
            yield "left_on", _("离任日期不能晚于今天。请在离任当天或之后办理，办理后账号立即停用。")


def foresee(session: Session, by: Actor, asked: Request) -> Outcome:
    """What it would do. Belongs inside `saving.work()`, of which nothing stays but the trace of the look-up."""
    leaver, successor = _parties(session, by, asked)
    cases = _open_cases(session, leaver)
    trial = session.begin_nested()
    outcome = _carry_out(session, by, asked, leaver, successor, cases)
    trial.rollback()
    return outcome


def carry_out(session: Session, by: Actor, asked: Request, mark: str) -> Outcome:
    """Does what was shown under `mark`, or raises Stale where it would be something else by now."""
    leaver, successor = _parties(session, by, asked)
    outcome = _carry_out(session, by, asked, leaver, successor, _open_cases(session, leaver))
    if outcome.mark != mark:
        raise Stale(_("核对之后情况有变化，没有办理。请重新核对后再确认。"))
    if outcome.is_idle:
        raise Invalid(nothing_moves())
    return outcome


def nothing_moves() -> str:
    return _("没有可以移交的授权、班级或在办业务。")


# --- who ----------------------------------------------------------------------------------------------


def successors(session: Session, by: Actor, leaver: User, limit: int) -> list[tuple[int, str]]:
    """(id, label) of the colleagues to whom it may be handed over."""
    query = sa.select(User.id, User.first_name, User.username).where(*_colleagues(by, leaver))
    found = session.execute(query.order_by(User.name_key, User.id).limit(limit))
    return [(id_, with_note(name, username)) for id_, name, username in found]


def _colleagues(by: Actor, leaver: User) -> Iterator[sa.ColumnElement[bool]]:
    """Of the same unit and at work; nobody takes over by his own hand."""
    yield accounts.within(by.reach("person:list", "person:show"))
    yield sa.and_(User.active, User.id.not_in([leaver.id, by.id or 0]))
    yield User.school_id == leaver.school_id if leaver.school_id else User.region_code == leaver.region_code


def require_may(session: Session, by: Actor, leaver: User) -> None:
    """Raises Denied."""
    accounts.require_power_over(session, by, leaver)
    heads = any(given.role.heads_unit for given in grants.held_grants(session, leaver.id))
    if heads and not (by.is_system or by.is_of_bureau):
        raise Denied(_("学校总管理员由主管部门任命和更换。请联系主管部门管理员。"))


def _parties(session: Session, by: Actor, asked: Request) -> tuple[User, User | None]:
    """Both accounts, locked in the order of their ids, so that two hand-overs cannot wait for each other."""
    if complaints := list(asked.check_words()):
        raise Invalid(complaints)
    ids = [id_ for id_ in (asked.leaver_id, asked.successor_id) if id_ is not None and id_ < 2**31]
    locked = sa.select(User).where(User.id.in_(ids)).order_by(User.id).with_for_update(of=User)
    session.execute(locked.execution_options(populate_existing=True)).all()
    leaver = accounts.find(session, by, asked.leaver_id)
    require_may(session, by, leaver)
    if leaver.left_on is not None:
        raise Invalid(_("%(name)s已经办理离任。", name=leaver.first_name))
    if asked.successor_id is None:
        return leaver, None
    query = sa.select(User).where(User.id == asked.successor_id, *_colleagues(by, leaver))
    successor = session.scalar(query) if asked.successor_id < 2**31 else None
    if successor is None:
        raise Invalid([("successor_id", _("接手人应是同一单位在岗的其他人员，且不能是您自己。请重新选择。"))])
    return leaver, successor


# --- what is done -------------------------------------------------------------------------------------


def _carry_out(
    session: Session,
    by: Actor,
    asked: Request,
    leaver: User,
    successor: User | None,
    cases: Sequence[tuple[int, str, frozenset[int]]],
) -> Outcome:
    moved, kept = _move_grants(session, by, leaver, successor) if successor is not None else ((), ())
    classes = _move_classes(session, by, leaver, successor, departs=asked.left_on is not None)
    why_not = _move_cases(session, by, successor, cases)
    if successor is not None:
        after = {"to": successor.id, "grants": len(moved), "classes": len(classes)}
        words = logins.place_words(session, leaver)
        audit.note(session, by, HAND_OVER, "person", leaver.id, after=after, **words)
    ended = _leave(session, by, leaver, asked.left_on) if asked.left_on is not None else ()
    return Outcome(
        leaver.id,
        successor.id if successor is not None else None,
        asked.left_on,
        moved,
        kept,
        classes,
        tuple(sorted(Counter(kind for _id, kind, _schools in cases).items())),
        why_not,
        ended,
    )


def in_words(session: Session, given: Grant) -> Held:
    name, role = given.person.first_name, given.role.title
    return Held(given.id, name, role, granting.where(session, given), granting.last_day(given.until))


def _move_grants(session: Session, by: Actor, leaver: User, successor: User) -> tuple[Any, Any]:
    moved, kept = [], []
    for given in grants.held_grants(session, leaver.id):
        words = in_words(session, given)
        along = tuple(g.person.first_name for g in grants.ends_with(session, given)[1:])
        if not along and _holds_already(session, successor, given):
            kept.append((words, _("接手人已有同样的授权，不必移交。")))
        elif isinstance(made := _moved(session, by, given, successor), str):
            kept.append((words, made))
        else:
            moved.append((words, made.awaits, along))
    return tuple(moved), tuple(kept)


def _holds_already(session: Session, taker: User, given: Grant) -> bool:
    return any(
        (one.role_id, one.extent, one.usable) == (given.role_id, given.extent, given.usable)
        and (one.passable or not given.passable)
        and (one.until is None or (given.until is not None and given.until <= one.until))
        for one in grants.held_grants(session, taker.id)
    )


def _moved(session: Session, by: Actor, given: Grant, successor: User) -> Grant | str:
    """What the successor holds in its place; or why it stays where it is."""
    starts_at = given.starts_at if given.starts_at > datetime.now(UTC) else None
    one = session.begin_nested()
    try:
        made = grants.replace_grant(session, by, given, successor, given.until, starts_at=starts_at)
    except (Denied, Invalid) as refused:
        one.rollback()
        return refused.sentence
    one.commit()
    return made


def _move_classes(
    session: Session, by: Actor, leaver: User, successor: User | None, *, departs: bool
) -> tuple[tuple[int, str], ...]:
    """To the successor; who leaves without one leaves his classes without a teacher."""
    if successor is None and not departs:
        return ()
    query = sa.select(SchoolClass).where(SchoolClass.teacher_id == leaver.id).order_by(SchoolClass.order_key)
    found = list(session.scalars(query).unique())
    SchoolClass.load_names(session, found)
    names = tuple((one.id, one.full_name) for one in found)
    teacher = {"teacher_id": successor.id if successor is not None else None}
    for one in found:
        saving.edit(one, teacher, by, authority=Authority(CLASS_TEACHER))
    return names


def _open_cases(session: Session, leaver: User) -> list[tuple[int, str, frozenset[int]]]:
    """(id, kind, schools of its parties) of the open cases that the person started: looked up past the scope, since who
    administers people sees no pupil. Nothing else of them is told."""
    change, party = registry["change"], registry["change_party"]
    state: Any = change.fields()["state"]
    is_open = [one for one in state.members if one.is_open]
    mine = (
        change.started_by_id == leaver.id,
        change.school_id == leaver.school_id,
        change.state.in_(is_open),
    )
    if leaver.school_id is None:
        return []
    with scope.unscoped(session, "open cases to hand over"):
        found = session.execute(sa.select(change.id, change.kind).where(*mine).order_by(change.id)).all()
        ids = [row.id for row in found]
        parties = session.execute(
            sa.select(party.change_id, party.school_id).where(
                party.change_id.in_(ids), party.school_id.is_not(None)
            )
        ).all()
    return [
        (row.id, row.kind, frozenset(p.school_id for p in parties if p.change_id == row.id)) for row in found
    ]


def _move_cases(
    session: Session, by: Actor, successor: User | None, cases: Sequence[tuple[int, str, frozenset[int]]]
) -> str:
    """Moves them; or leaves them and says why."""
    if not cases:
        return ""
    if successor is None:
        return _("没有选择接手人。")
    if not _may_submit(session, successor):
        return _("%(name)s没有提交业务的权限。请先授权，或选择其他接手人。", name=successor.first_name)
    change: Any = registry["change"]
    who = {"started_by_id": successor.id, "started_by": successor.first_name}
    for id_, _kind, schools in cases:
        saving.reassign(change, [id_], who, by, authority=Authority(HAND_OVER, schools=schools))
    return ""


def _may_submit(session: Session, user: User) -> bool:
    """Whether the person holds the duty at the own school, counted with what was just handed over."""
    session.flush()
    submitter = rights.load_actor(session, user)
    return bool(accounts.may(session, submitter, SUBMIT, home_of(user)))


def _leave(session: Session, by: Actor, leaver: User, left_on: date) -> tuple[Held, ...]:
    """Ends what was not handed over, with what was passed on under it; the account is closed to its person."""
    ended: list[Held] = []
    for given in grants.held_grants(session, leaver.id):
        if given.is_held:
            ended += [in_words(session, one) for one in grants.withdraw(session, by, given)]
    words = logins.place_words(session, leaver)
    leaver.active, leaver.left_on = False, left_on
    logins.end_sessions(leaver)
    session.flush()
    after = {"active": False, "left_on": left_on.isoformat()}
    audit.note(session, by, "depart", "person", leaver.id, before={"active": True}, after=after, **words)
    return tuple(ended)
