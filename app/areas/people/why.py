"""权限查询: may this person do that to this record, by which grant, or for want of what; and who could help.

The decision is `core.rights.decide`, as everywhere; here it is asked about others, and put into sentences. Records are
named to people who may not read them by kind and place alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.roles import NARROW
from app.areas.schools.models import Grade, SchoolClass
from app.core import audit, explaining, grants, rights, scope
from app.core.entity import Entity, Recyclable, registry
from app.core.errors import Invalid, Missing
from app.core.fields import BY_CHANGE, BY_SYSTEM, FROM_ABOVE, Field
from app.core.grants import Wanted
from app.core.powers import ACTION_WORDS, asked_by, describe, is_offered, powers, rights_of
from app.core.rights import Actor, Extent, Grant, Holding, Lack, Place
from app.core.wording import joined, kept, sentences, with_note

ASK = "why:ask"
MOST_FOUND = 6  # records that a search for one offers to choose from


# --- the question -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """May `person` do `action` to the record (or to a row that would lie at `places`), or to one `field` of it?"""

    person: User
    entity: type[Entity]
    action: str
    field: str = ""
    obj: Entity | None = None
    places: Sequence[Place] | None = None
    named: str = ""  # the record as the asker may know it

    @property
    def asked(self) -> tuple[str, ...]:
        return asked_by(self.entity, self.action, self.field)


def entities() -> list[type[Entity]]:
    """What one may ask about."""
    return [entity for entity in registry if entity.__path__ and next(rights_of(entity), None)]


def actions_of(entity: type[Entity]) -> list[str]:
    """The rights of an entity as they are asked for: actions and duties, without the private groups."""
    private = {f.private for f in entity.fields().values() if f.private}
    found = [right.rpartition(":")[2] for right in rights_of(entity)]
    return [action for action in found if action not in private]


def fields_of(entity: type[Entity]) -> dict[str, Field]:
    return {name: one for name, one in entity.fields().items() if is_offered(one)}


def person_asked_about(session: Session, by: Actor, person_id: int | None) -> User:
    """Oneself, or somebody in the reach of why:ask. Raises Missing."""
    if person_id is None or person_id == by.id:
        found = session.get(User, by.id) if by.id is not None else None
    else:
        query = sa.select(User).where(User.id == person_id, accounts.within(by.reach(ASK)))
        found = session.scalar(query) if person_id < 2**31 else None
    if found is None:
        raise Missing()
    return found


def record_asked_about(session: Session, by: Actor, entity: type[Entity], row_id: int) -> Entity:
    """A row in the asker's reading scope or in the reach of his why:ask. Raises Missing."""
    with scope.acting(session, rights.system("why")), scope.with_deleted(session):
        found = session.get(entity, row_id) if row_id < 2**63 else None
        if found is None or not (scope.sees(session, by, found) or _may_ask_at(session, by, found)):
            raise Missing()
        return found


def _may_ask_at(session: Session, by: Actor, obj: Entity) -> bool:
    return bool(rights.decide(by, ASK, scope.places_of_row(session, obj)))


def find_records(session: Session, by: Actor, entity: type[Entity], typed: str) -> list[tuple[int, str]]:
    """(id, name with its place) of rows that what was typed means, in the reach of why:ask; leaves a trace.

    A name or a number, as in the entity's own quick search; short digits are the row's own number.
    """
    here = scope.within(entity, by.reach(ASK))
    dialect = session.get_bind().dialect.name
    if typed.isascii() and typed.isdigit() and len(typed) < 7:
        meant = entity.id == int(typed)
    else:
        meant = entity.search(typed, dialect, rights.searched_fields(by, entity))
    audit.note(session, by, "lookup", entity.key(), reason=kept("权限查询"))
    with scope.acting(session, rights.system("why")):
        query = sa.select(entity).where(here, meant).order_by(entity.id).limit(MOST_FOUND)
        found = list(session.scalars(query).unique())
        return [(obj.id, place_name(session, obj)) for obj in found]


def place_name(session: Session, obj: Entity) -> str:
    """A row by its name and, for a pupil, by the class: namesakes are told apart."""
    school_class = session.get(SchoolClass, getattr(obj, "class_id", None) or 0)
    return with_note(obj.shown(), school_class.full_name) if school_class is not None else obj.shown()


def name_for(session: Session, by: Actor, obj: Entity) -> str:
    """The row as the asker may know it: by name where he reads it, else by kind, number and class."""
    if scope.sees(session, by, obj):
        return obj.shown()
    with scope.acting(session, rights.system("why")):
        school_class = session.get(SchoolClass, getattr(obj, "class_id", None) or 0)
        where = school_class.full_name if school_class is not None else ""
    label = _(type(obj).__label__)
    if not where:
        return _("%(what)s（编号%(id)s）", what=label, id=obj.id)
    return _("%(where)s的%(what)s（编号%(id)s）", where=where, what=label, id=obj.id)


def places_in_class(session: Session, class_id: int) -> tuple[Sequence[Place], str]:
    """Where a pupil of this class would be, and the class's name. Raises Missing."""
    found = session.get(SchoolClass, class_id) if class_id < 2**63 else None
    if found is None:
        raise Missing()
    return (Place(found.school_id, found.authority_code, found.grade_id, found.id),), found.full_name


def places_in_grade(session: Session, grade_id: int) -> tuple[Sequence[Place], str]:
    found = session.get(Grade, grade_id) if grade_id < 2**63 else None
    if found is None:
        raise Missing()
    return (Place(found.school_id, found.authority_code, found.id),), found.name


# --- the answer ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suggested:
    """The smallest grant that would allow it."""

    role: Role
    extent: Extent
    where: str


@dataclass(slots=True)
class Answer:
    """`sentence` says it all in one; the rest is for who wants to know more or act on it."""

    question: Question
    allowed: bool
    sentence: str
    through: list[str] = field(default_factory=list)  # grants that allow it
    short: list[str] = field(
        default_factory=list
    )  # grants that do not, each with what it lacks, the nearest first
    once: list[str] = field(default_factory=list)  # grants that did, or will
    locks: list[str] = field(default_factory=list)  # what holds for everybody, whatever is granted
    givers: list[str] = field(default_factory=list)
    smallest: Suggested | None = None


def answer(session: Session, by: Actor, question: Question) -> Answer:
    """Decides as the walls do, and says why."""
    of = rights.load_actor(session, question.person)
    at = asked_places(session, question)
    verdict = explaining.decide_all(of, question.asked, at)
    locks = list(_locks(session, of, question, at))
    once = [] if verdict else explaining.once_held(session, question.person.id, question.asked, at)
    said = _said(
        session, [*verdict.through, *(h for h, _lack in verdict.short), *(b.holding for b, _o in once)]
    )
    made = Answer(question, bool(verdict) and not locks, "", locks=locks)
    made.through = [said[held.grant_id] for held in verdict.through]
    nearest = sorted(verdict.short, key=lambda pair: _NEARNESS.index(pair[1]))
    made.short = [
        _("%(line)s：%(lack)s", line=said[h.grant_id], lack=_lack(lack, question)) for h, lack in nearest
    ]
    if not verdict:
        made.once = [_OVER[why](said[borne.holding.grant_id]) for borne, why in once]
        made.givers = _givers(session, question, at)
        made.smallest = smallest_grant(session, by, question, at)
    made.sentence = _sentence(made, is_granted=bool(verdict))
    return made


def asked_places(session: Session, question: Question) -> Sequence[Place] | None:
    """Where the record is, as the deciding function compares it."""
    places = question.places if question.obj is None else scope.places_of_row(session, question.obj)
    return scope.asked_at(question.entity, question.asked[-1], places)


def _locks(session: Session, of: Actor, question: Question, at: Sequence[Place] | None) -> Iterator[str]:
    """What no grant helps against: the account, the recycle bin, key data, a record that no button deletes."""
    entity, obj, action = question.entity, question.obj, question.action
    if not question.person.active:
        yield _("%(name)s的账号已停用，不能登录。", name=question.person.first_name)
    if isinstance(obj, Recyclable) and obj.deleted_at is not None:
        yield _("这条记录在回收站里。请先恢复。")
    if f"{entity.key()}:{action}" not in set(rights_of(entity)):
        yield _(
            "“%(label)s”不能直接%(act)s。", label=_(entity.__label__), act=_(ACTION_WORDS.get(action, action))
        )
    elif action == "delete" and obj is not None:
        with scope.acting(session, rights.system("why")):
            name, sentences = obj.shown(), list(obj.why_not_delete())
        yield from (one.replace(name, question.named) if name else one for one in sentences)
    elif action == "edit" and question.field:
        edit = entity.fields()[question.field].edit
        governs = edit is FROM_ABOVE and rights.decide(of, f"{entity.key()}:govern", at)
        if edit in (BY_CHANGE, BY_SYSTEM) or (edit is FROM_ABOVE and not governs):
            yield scope.locked_sentence(entity, question.field)


# --- in sentences -------------------------------------------------------------------------------------

_NEARNESS: tuple[Lack, ...] = ("place", "use", "right")


def _lack(lack: Lack, question: Question) -> str:
    return {
        "right": _("角色中没有这项权限"),
        "use": _("只用于转授，本人不能使用"),
        "place": _("范围不包括%(what)s", what=question.named or _("这条记录")),
    }[lack]


_OVER: dict[explaining.Over, Callable[[str], str]] = {
    "withdrawn": lambda line: _("%(line)s，已收回", line=line),
    "expired": lambda line: _("%(line)s，已到期", line=line),
    "begins": lambda line: _("%(line)s，尚未开始", line=line),
    "awaits": lambda line: _("%(line)s，待主管部门确认", line=line),
}


def _sentence(made: Answer, *, is_granted: bool) -> str:
    words = {
        "who": made.question.person.first_name,
        "what": made.question.named or _(made.question.entity.__label__),
        "act": describe(made.question.asked[-1]),
    }
    if made.allowed:
        return _("%(who)s可以对%(what)s%(act)s。依据：%(by)s。", by=joined(made.through), **words)
    reasons = list(made.locks)
    if not is_granted:
        reasons.append(
            _("最接近的授权：%(line)s。", line=made.short[0]) if made.short else _("名下没有有效的授权。")
        )
    return _("%(who)s不能对%(what)s%(act)s。%(why)s", why=sentences(reasons), **words)


def _said(session: Session, holdings: Sequence[Holding]) -> dict[int, str]:
    """Grant id → role, extent, end and giver in words: a fixed number of statements, however many grants."""
    ids = {held.grant_id for held in holdings}
    query = (
        sa.select(Grant.id, User.first_name)
        .outerjoin(User, User.id == Grant.giver_id)
        .where(Grant.id.in_(ids))
    )
    givers = {row.id: row.first_name for row in session.execute(query)} if ids else {}
    places = granting.extent_names(session, [held.extent for held in holdings])
    return {
        held.grant_id: _said_of(held, places[held.extent], givers.get(held.grant_id)) for held in holdings
    }


def _said_of(held: Holding, where: str, giver: str | None) -> str:
    until = granting.last_day(held.until)
    return _(
        "“%(role)s”（%(where)s，%(until)s，授权人：%(giver)s）",
        role=held.role,
        where=where,
        until=_("至%(day)s", day=until.isoformat()) if until else _("长期"),
        giver=giver or _("系统安装时设定"),
    )


def _givers(session: Session, question: Question, at: Sequence[Place] | None) -> list[str]:
    """Who could give it, with the unit, the school's own people first."""
    able = [b.person for b in explaining.who_could_give(session, question.asked, at or ())]
    people = list(dict.fromkeys(person for person in able if person.id != question.person.id))
    units = granting.unit_names(session, people)
    return [with_note(person.first_name, units[person.id]) for person in people]


def details(made: Answer) -> Iterator[tuple[str, list[str]]]:
    """(title, lines) of what stands behind the sentence, for page, program and command line alike."""
    yield from (
        (title, lines)
        for title, lines in (
            (_("依据的授权"), made.through),
            (_("名下其他授权"), made.short),
            (_("曾有或将有的授权"), made.once),
            (_("可以授予这项权限的人"), made.givers),
        )
        if lines
    )
    if made.smallest is not None:
        line = _("角色“%(role)s”，范围：%(where)s", role=made.smallest.role.title, where=made.smallest.where)
        yield _("满足需要的最小授权"), [line]


# --- the smallest grant that would allow it -----------------------------------------------------------


def smallest_grant(
    session: Session, by: Actor, question: Question, places: Sequence[Place] | None
) -> Suggested | None:
    """The role with the fewest rights, over the narrowest extent, that the asker could give for this without anybody's
    confirmation; None where he could give none."""
    if places is None or by.id == question.person.id or not by.has("grant:add"):
        return None
    home = accounts.home_of(question.person)
    roles = [role for role in granting.roles_to_give(session, by) if granting.suits(role, home)]
    sets = grants.rights_of_roles(session, {role.id for role in roles})
    fit = [role for role in roles if powers(sets[role.id]).issuperset(question.asked)]
    for role in sorted(fit, key=lambda role: (len(sets[role.id]), role.id)):
        for extent in _extents(home, places, is_narrow_only=role.name in NARROW):
            wanted = Wanted(question.person, role, sets[role.id], extent)
            if not grants.wants_confirmation(wanted) and grants.can_give(session, by, wanted):
                return Suggested(role, extent, granting.extent_names(session, [extent])[extent])
    return None


def _extents(home: accounts.Home, places: Sequence[Place], *, is_narrow_only: bool) -> Iterator[Extent]:
    """Extents that cover one of the places, the narrowest first, as far as the person's unit goes."""
    if home.school_id is None:
        yield Extent.of(None, home.region_code)
        return
    here = next((place for place in places if place.school_id == home.school_id), None)
    if here is None:
        return
    if here.class_id is not None:
        yield Extent.of(home.school_id, None, None, [here.class_id])
    if here.grade_id is not None:
        yield Extent.of(home.school_id, None, [here.grade_id], None)
    if not is_narrow_only:
        yield Extent.of(home.school_id, None)


# --- who can see this ---------------------------------------------------------------------------------


def everyone_who_may(session: Session, question: Question) -> list[tuple[User, str, str]]:
    """(person, unit, grant in words) of everyone who may do this to the record. Raises Invalid where all may."""
    at = asked_places(session, question)
    if at is None:
        raise Invalid(_("这类记录不属于哪所学校，有相应角色的人都可以查看，不必逐条查询。"))
    found = explaining.who_may(session, question.asked, at)
    said = _said(session, [borne.holding for borne in found])
    units = granting.unit_names(session, [borne.person for borne in found])
    return [(b.person, units[b.person.id], said[b.holding.grant_id]) for b in found]
