"""The two walls: row scope on every query of every session, and the check on every write.

The actor is put into `session.info` once per request or job, and only the walls read it from there. Without an
actor, entities read as empty and writes are refused. What a right reaches is decided in `rights`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import gettext as _
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, object_session, with_loader_criteria
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import CriteriaOption
from sqlalchemy.sql.visitors import anon_map

from app.core import audit, powers, rights, statements
from app.core.authority import Authority
from app.core.entity import Entity, Recyclable, registry
from app.core.errors import Denied, Missing
from app.core.fields import BY_CHANGE, BY_SYSTEM, FREELY, FROM_ABOVE, Field, Key
from app.core.rights import Actor, Extent, Place
from app.core.wording import N_, among_quotes
from app.extensions import door_is_open

KEY_DATA_CHANGE = N_("日常管理—关键数据变更申请")
"""Where a BY_CHANGE field is changed that names no procedure of its own, as the menu says it."""
_MET = object()  # marks statements that met the read wall


# --- who acts -----------------------------------------------------------------------------------------


def set_actor(session: Session, by: Actor | None) -> None:
    """Makes `by` the actor of this session. What an earlier actor had loaded or begun is forgotten."""
    if session.info.get("actor") is not by:
        for known in [*session.identity_map.values(), *session.new]:
            if isinstance(known, Entity):
                session.expunge(known)
    session.info["actor"] = by
    session.info.pop("criteria", None)
    session.info.pop("kept", None)


@contextmanager
def acting(session: Session, by: Actor) -> Iterator[Actor]:
    """For jobs, commands and tests: acts as `by` inside the block."""
    before = session.info.get("actor")
    set_actor(session, by)
    try:
        yield by
    finally:
        set_actor(session, before)


def once(session: Session, what: str, read: Callable[[], Any]) -> Any:
    """What `read` gives, read once for as long as the same actor acts in the session: once in a request."""
    kept = session.info.setdefault("kept", {})
    if what not in kept:
        kept[what] = read()
    return kept[what]


@contextmanager
def unscoped(session: Session, reason: str) -> Iterator[None]:
    """A look-up across scopes. It may return columns, never whole rows, and leaves a line in the audit."""
    actor = session.info.get("actor")
    if actor is None:
        raise Denied(_("未登录，不能查询。请先登录。"))
    if not actor.is_system:
        audit.note(session, actor, "lookup", "scope", reason=reason)
    session.info["unscoped"] = True
    try:
        yield
    finally:
        session.info.pop("unscoped", None)


@contextmanager
def with_deleted(session: Session) -> Iterator[None]:
    """Shows what is in the recycle bin as well, inside the same scope."""
    session.info["with_deleted"] = True
    session.info.pop("criteria", None)
    try:
        yield
    finally:
        session.info.pop("with_deleted", None)
        session.info.pop("criteria", None)


@contextmanager
def by_authority(session: Session, authority: Authority | None) -> Iterator[None]:
    """The wall accepts key data inside the block, in the name of `authority`."""
    before = session.info.get("authority")
    session.info["authority"] = authority or before
    try:
        yield
    finally:
        session.info["authority"] = before


# --- reads --------------------------------------------------------------------------------------------


@event.listens_for(Session, "do_orm_execute")
def _read_wall(state: Any) -> None:
    state.update_execution_options(wall=_MET)
    if state.is_column_load:
        return  # a refresh of a row that the wall let in before
    info = state.session.info
    if info.get("unscoped"):
        _refuse_whole_rows(state)
        return
    criteria = info.get("criteria")
    if criteria is None:
        criteria = _criteria(info.get("actor"), bool(info.get("with_deleted")), registry.generation)
        info["criteria"] = criteria
    state.statement = state.statement.options(criteria)


def _refuse_whole_rows(state: Any) -> None:
    if any(d["expr"] is d["entity"] for d in state.statement.column_descriptions if d.get("entity")):
        raise RuntimeError("a look-up across scopes selects columns, not whole rows")


@lru_cache(maxsize=512)
def _criteria(by: Actor | None, deleted_too: bool, generation: int) -> Criteria:
    """One criterion for each entity. Kept for the actors of late: whoever holds the same grants is the same key."""
    return Criteria(tuple(_make_criteria(by, deleted_too)))


class Criteria(CriteriaOption):
    """The criteria of all entities as one option of a statement.

    Their part of SQLAlchemy's cache key is the same for every statement, so it is worked out here and not each time.
    """

    propagate_to_loaders = False  # what a loader asks for later meets the read wall itself

    def __init__(self, parts: tuple[Any, ...]) -> None:
        known, self._values = anon_map(), list[Any]()
        self._parts = parts
        self._shape = _number_of(tuple(part._gen_cache_key(known, self._values) for part in parts))

    def _gen_cache_key(self, known: Any, values: list[Any]) -> tuple[Any, ...]:
        values.extend(self._values)
        return (Criteria, self._shape)

    def process_compile_state(self, compile_state: Any) -> None:
        for part in self._parts:
            part.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        for part in self._parts:
            part.get_global_criteria(attributes)


_shapes: dict[tuple[Any, ...], int] = {}


def _number_of(shape: tuple[Any, ...]) -> int:
    return _shapes.setdefault(shape, len(_shapes))


def _make_criteria(by: Actor | None, deleted_too: bool) -> Iterator[Any]:
    for entity in registry:
        where = visible(entity, by)
        if issubclass(entity, Recyclable) and not deleted_too:
            where = sa.and_(where, entity.deleted_at.is_(None))
        if entity.__scope__ == "pupil" and not deleted_too:
            where = sa.and_(where, entity.student_id.not_in(_pupils_in_bin()))
        if where is sa.true():
            continue  # every statement would carry it along for nothing
        yield with_loader_criteria(entity, where, include_aliases=True)


def visible(entity: type[Entity], by: Actor | None) -> sa.ColumnElement[bool]:
    """The rows of `entity` that `by` may read: the union over the grants that hold list or show of it."""
    if by is None:
        return sa.false()
    if by.is_system or entity.__scope__ == "open":
        return sa.true()
    if entity.__scope__ == "region":
        return _told(entity, by)
    return within(entity, by.reach(*powers.reading_rights(entity)))


def within(entity: type[Entity], extents: Iterable[Extent]) -> sa.ColumnElement[bool]:
    """The rows of `entity` in any of these extents."""
    return sa.or_(sa.false(), *(_within(entity, extent) for extent in extents))


def rows_with(session: Session, by: Actor, power: str, entity: type[Entity], ids: Iterable[int]) -> set[int]:
    """Which of these rows `by` holds the power on, in one statement."""
    is_read = _reads(entity, power)
    if is_read and _is_told(entity):
        return set(ids) if by.has(power) else set()
    where = sa.or_(sa.false(), *(_held_in(entity, extent, is_read) for extent in by.reach(power)))
    query = sa.select(entity.id).where(entity.id.in_(list(ids)), where)
    return set(
        session.scalars(query, execution_options={"unguarded": True})
    )  # extents name tables, as the wall does


def holds_on_all_read(by: Actor, power: str, entity: type[Entity]) -> bool:
    """Whether the power holds on every row of `entity` that `by` reads, also where a narrowed grant reads school-wide."""
    if _is_wide(entity) and any(extent.is_narrow for extent in by.reach(power)):
        return False
    return rights.holds_wherever(by, power, powers.reading_rights(entity))


def _within(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    if extent.everywhere:
        return sa.true()
    return _WITHIN[entity.__scope__](entity, extent)


def _held_in(entity: type[Entity], extent: Extent, is_read: bool) -> sa.ColumnElement[bool]:
    """Only reading goes school-wide where a grant is narrowed."""
    where = _within(entity, extent)
    if is_read or not extent.is_narrow or not _is_wide(entity):
        return where
    return sa.and_(where, _narrowed(entity, entity.__narrow__, extent))


def _is_wide(entity: type[Entity]) -> bool:
    return entity.__school_wide__ or entity.__scope__ == "school"


def _is_told(entity: type[Entity]) -> bool:
    """Whether reading a row is no matter of where one's right holds: the read wall lets in what one is told of."""
    return entity.__scope__ in ("open", "region")


def _columns(entity: type[Entity]) -> Any:
    return entity.__table__.c


def _in_place(columns: Any, extent: Extent) -> sa.ColumnElement[bool]:
    parts: list[sa.ColumnElement[bool]] = []
    if extent.school_id is not None:
        parts.append(columns.school_id == extent.school_id)
    if extent.low:
        code = columns.authority_code
        is_one = extent.low == extent.high
        parts.append(code == extent.low if is_one else code.between(extent.low, extent.high))
    return sa.and_(*parts) if parts else sa.false()


def _of_place(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    where = _in_place(entity, extent)
    if not extent.is_narrow or entity.__school_wide__:
        return where
    return sa.and_(where, _narrowed(entity, entity.__narrow__, extent))


def _narrowed(columns: Any, narrow: Mapping[str, str], extent: Extent) -> sa.ColumnElement[bool]:
    parts: list[sa.ColumnElement[bool]] = []
    if extent.grade_ids and "grade" in narrow:
        parts.append(getattr(columns, narrow["grade"]).in_(sorted(extent.grade_ids)))
    if extent.class_ids and "class" in narrow:
        parts.append(getattr(columns, narrow["class"]).in_(sorted(extent.class_ids)))
    return sa.or_(sa.false(), *parts)


def _pupils_within(extent: Extent) -> sa.Select[tuple[int]]:
    student = registry["student"]
    columns = _columns(student)
    where = [_in_place(columns, extent)]
    if extent.is_narrow:
        where.append(_narrowed(columns, student.__narrow__, extent))
    return sa.select(columns.id).where(*where)


def _pupils_in_bin() -> sa.Select[tuple[int]]:
    """An index holds these few alone, so that it costs a list of family members next to nothing."""
    columns = _columns(registry["student"])
    return sa.select(columns.id).where(columns.deleted_at.is_not(None))


def _of_pupil(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    where = _in_place(entity, extent)
    if not extent.is_narrow:
        return where
    return sa.and_(where, entity.student_id.in_(_pupils_within(extent)))


def _of_parties(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    party = _columns(registry["change_party"]).change_id.table.alias("seen_party")
    key = getattr(entity, entity.__parties_key__)
    where = sa.exists().where(party.c.change_id == key, _in_place(party.c, extent))
    if extent.is_narrow:
        if not hasattr(entity, "student_id"):
            return sa.false()
        return sa.and_(where, entity.student_id.in_(_pupils_within(extent)))
    return where


def _of_school(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    is_it = entity.id == extent.school_id if extent.school_id is not None else sa.true()
    if not extent.low:
        return is_it if extent.school_id is not None else sa.false()
    codes = replace(extent, school_id=None)
    stage = Model.metadata.tables["school_stage"].alias("seen_stage")
    decides = sa.exists().where(stage.c.school_id == entity.id, _in_place(stage.c, codes))
    return sa.and_(is_it, sa.or_(_in_place(entity, codes), decides))


def _of_audit(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    if extent.is_narrow:
        return entity.student_id.in_(_pupils_within(extent))
    return sa.or_(_in_place(entity, extent), entity.student_id.in_(_pupils_within(extent)))


def _of_everybody(entity: type[Entity], extent: Extent) -> sa.ColumnElement[bool]:
    """Where a row that everybody reads is written."""
    if not entity.__written_in__:
        return sa.true()
    if extent.school_id is not None or extent.is_narrow or not extent.low:
        return sa.false()
    codes = (getattr(entity, name) for name in entity.__written_in__)
    return sa.or_(*(code.between(extent.low, extent.high) for code in codes))


def _told(entity: Any, by: Actor) -> sa.ColumnElement[bool]:
    """Rows of the regions in which, or above which, the actor holds anything at all."""
    extents = dict.fromkeys(held.extent for held in by.holdings if held.usable)
    return sa.or_(sa.false(), *(_reaches(entity, extent) for extent in extents))


def _reaches(entity: Any, extent: Extent) -> sa.ColumnElement[bool]:
    if extent.everywhere:
        return sa.true()
    if extent.school_id is None:
        above = sa.and_(entity.region_code <= extent.low, entity.region_end >= extent.high)
        return (
            sa.or_(above, entity.region_code.between(extent.low, extent.high)) if extent.low else sa.false()
        )
    stage = Model.metadata.tables["school_stage"].alias("told_stage")
    decides = (
        stage.c.school_id == extent.school_id,
        stage.c.authority_code.between(entity.region_code, entity.region_end),
    )
    return sa.exists().where(*decides)


_WITHIN = {
    "place": _of_place,
    "pupil": _of_pupil,
    "parties": _of_parties,
    "school": _of_school,
    "audit": _of_audit,
    "open": _of_everybody,
    "region": _of_everybody,
}


# --- writes: what the door lets through ---------------------------------------------------------------


@event.listens_for(Session, "before_flush")
def _write_wall(session: Session, context: Any, instances: Any) -> None:
    rows = []
    for obj in session.new:
        if isinstance(obj, Entity):
            rows.append((obj, *_checked(session, obj, "add", set(obj.fields()))))
    for obj in session.dirty:
        if isinstance(obj, Entity) and session.is_modified(obj, include_collections=False):
            changed = _changed(obj)
            if "deleted_at" in changed and (beside := changed - {"deleted_at"} - obj.settled):
                _checked(session, obj, "edit", beside)
            action = "delete" if "deleted_at" in changed else "edit"
            rows.append((obj, *_checked(session, obj, action, changed)))
    for obj in session.deleted:
        if isinstance(obj, Entity):
            rows.append((obj, *_checked(session, obj, "delete", set())))
    session.info.setdefault("to_audit", []).extend(rows)
    session.info["checked"] = {id(obj): _full(obj) for obj, *_words in rows}


def _unit_wall(mapper: Any, connection: Any, obj: Entity) -> None:
    """Relationships write keys during the flush: refuses a row that is not as the write wall saw it."""
    session = object_session(obj)
    checked = session.info.get("checked", {}).get(id(obj)) if session else None
    if checked is None and sa.inspect(obj).persistent and not _changed(obj) and obj not in session.deleted:
        return  # looked at in the flush, and not written
    if checked != _full(obj):
        raise Denied("rows are written by their own columns, never through a relationship")


for _moment in ("before_insert", "before_update", "before_delete"):
    event.listen(Entity, _moment, _unit_wall, propagate=True)


@event.listens_for(Session, "after_flush")
def _audit_flush(session: Session, context: Any) -> None:
    pending = session.info.pop("to_audit", [])
    session.info.pop("checked", None)
    if pending:
        actor, authority = session.info["actor"], session.info.get("authority")
        audit.write(session, [_audit_row(session, actor, authority, *one) for one in pending])
    for obj, *_words in pending:
        obj.settled = frozenset()  # said of this save alone


@event.listens_for(Session, "after_soft_rollback")
def _forget_audit(session: Session, previous: Any) -> None:
    session.info.pop("to_audit", None)
    session.info.pop("checked", None)


def _checked(
    session: Session, obj: Entity, action: str, changed: set[str]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Refuses, or returns (audit action, before, after)."""
    actor: Actor | None = session.info.get("actor")
    authority: Authority | None = session.info.get("authority")
    _refuse_expressions(obj)
    if action == "edit" and changed & {"id", "version"}:
        raise Denied("id and version are nobody's to set")
    before, after = _values(obj, action, changed)
    typed = changed - obj.settled
    check_row(session, actor, authority, type(obj), action, _full(obj, old=True), _full(obj), typed)
    word = {"add": "create", "edit": "edit", "delete": "delete"}[action]
    if action == "delete" and "deleted_at" in changed and obj.deleted_at is None:
        word = "restore"
    return word, before, after


def _refuse_expressions(obj: Entity) -> None:
    """The database would work an expression out past the scope."""
    if any(
        hasattr(value, "__clause_element__") or isinstance(value, sa.ClauseElement)
        for value in _full(obj).values()
    ):
        raise Denied("a value is a value, not an expression")


def check_row(
    session: Session,
    actor: Actor | None,
    authority: Authority | None,
    entity: type[Entity],
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    changed: Iterable[str],
) -> None:
    """The one question of the write wall, for objects and for rows: actor, scope before and after, right, key data."""
    if actor is None:
        raise Denied(_("没有操作人，不能保存。请重新登录。"))
    if actor.looks_as:
        raise Denied(_("您正在以%(name)s的视角查看，不能保存。请先结束查看。", name=actor.looks_as))
    if entity is audit.AuditEntry:
        raise Denied("audit lines are written by the walls alone")
    if actor.is_system:
        return
    if authority is not None:
        for values in (before, after) if action != "add" else (after,):
            if values is not None:
                _require_reach(session, actor, authority, entity, values)
        return
    if action not in entity.__actions__:
        raise Denied(
            _("“%(label)s”不能直接%(act)s。", label=_(entity.__label__), act=_(powers.ACTION_WORDS[action]))
        )
    right = f"{entity.key()}:{action}"
    places = place_of(session, entity, after)
    if action != "add" and before is not None:
        _require_found(session, actor, right, entity, before)
    if not (verdict := rights.decide(actor, right, asked_at(entity, right, places))):
        raise Denied(str(verdict))
    _check_words(actor, entity, action, after, changed, places)


def _require_reach(
    session: Session, actor: Actor, authority: Authority, entity: type[Entity], values: Mapping[str, Any]
) -> None:
    """With an authority the procedure has decided; where its actor may look, or where it names, is asked all the same."""
    if _seen(session, actor, entity, values):
        return
    places = place_of(session, entity, values) or ()
    schools = {
        place.school_id for place in places if place.school_id is not None
    }  # a bureau comes with its schools
    if not schools or not schools <= authority.schools:
        raise Denied(_("这项办理涉及您管理范围以外的记录，不能保存。请由有关学校或主管部门办理。"))


def _require_found(
    session: Session, actor: Actor, right: str, entity: type[Entity], values: Mapping[str, Any]
) -> None:
    """The row as it was: what the actor cannot see is not there for him."""
    verdict = verdict_on(session, actor, right, entity, values)
    if verdict:
        return
    if actor.has(right) and not _seen(session, actor, entity, values):
        raise Missing()
    raise Denied(str(verdict))


def _check_words(
    actor: Actor,
    entity: type[Entity],
    action: str,
    after: Mapping[str, Any],
    changed: Iterable[str],
    places: Sequence[Place] | None,
) -> None:
    """Field by field: what a role leaves out, key data, what comes from above."""
    for name in changed:
        field = entity.fields().get(name)
        if field is None or (action == "add" and after.get(name) in (None, entity.default_of(name))):
            continue
        if field.form and not rights.decide(actor, powers.field_right(entity, name, "edit"), places):
            raise Denied(rights.refusal(actor, powers.field_right(entity, name, "edit")))
        if field.edit is FROM_ABOVE:
            if not rights.decide(actor, f"{entity.key()}:govern", places):
                raise Denied(rights.refusal(actor, f"{entity.key()}:govern"))
        elif field.edit is not FREELY and (action != "add" or is_closed_on_add(actor, entity, name)):
            raise Denied(locked_sentence(entity, name))


def is_closed_on_add(by: Actor, entity: type[Entity], name: str) -> bool:
    """Whether `by` gives the field no value of his own with a new row: system data, key data that begins at a default,
    and, for who governs nowhere, what comes from above."""
    field = entity.fields()[name]
    if field.edit is FROM_ABOVE:
        return not by.has(f"{entity.key()}:govern")
    return field.edit is BY_SYSTEM or (field.edit is BY_CHANGE and field.has_default)


def settled_sentence(entity: type[Entity], *names: str) -> str:
    labels = among_quotes(_(entity.fields()[one].label) for one in names)
    return _("“%(label)s”由系统生成，不能填写或修改。", label=labels)


def changed_by(field: Field) -> tuple[object, ...]:
    """Equal for fields of which `locked_sentence` says the same."""
    return field.edit, field.procedure


def locked_sentence(entity: type[Entity], name: str, *more: str) -> str:
    """Why a field cannot be typed, and where it is changed (wording.md §4.2); `more` are fields that are changed in the same
    way (`changed_by`)."""
    field = entity.fields()[name]
    label = among_quotes(_(entity.fields()[one].label) for one in (name, *more))
    if field.edit is BY_SYSTEM:
        return settled_sentence(entity, name, *more)
    if field.edit is FROM_ABOVE:
        return _("“%(label)s”由主管部门下达，学校不能填写或修改。需要更正的，请联系主管部门。", label=label)
    where = _(field.procedure or KEY_DATA_CHANGE)
    if field.procedure:
        return _("“%(label)s”不能直接修改。请到“%(where)s”办理。", label=label, where=where)
    return _(
        "“%(label)s”属于关键数据，不能直接修改。请到“%(where)s”办理，并上传身份证或户口簿图片。",
        label=label,
        where=where,
    )


def _changed(obj: Entity) -> set[str]:
    state: Any = sa.inspect(obj)
    return {name for name in _touched(state) if state.attrs[name].history.has_changes()}


def _touched(state: Any) -> list[str]:
    """The column attributes that were set since the database last gave them: no other has a history."""
    columns = state.mapper.column_attrs
    return [name for name in state.committed_state if name in columns]


def _full(obj: Entity, *, old: bool = False) -> dict[str, Any]:
    """Every column attribute, as it is or as the database last gave it."""
    state: Any = sa.inspect(obj)
    found = {attr.key: getattr(obj, attr.key) for attr in state.mapper.column_attrs}
    for name in _touched(state) if old else ():
        history = state.attrs[name].history
        if history.has_changes() and history.deleted:
            found[name] = history.deleted[0]
    return found


def _values(obj: Entity, action: str, changed: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(before, after) for the audit: raw codes of described fields only."""
    fields = obj.fields()
    old, new = _full(obj, old=True), _full(obj)
    if action == "add":
        return {}, {n: f.dump(new[n]) for n, f in fields.items() if new[n] is not None}
    if action == "delete" and not changed:
        return {n: f.dump(old[n]) for n, f in fields.items() if old[n] is not None}, {}
    names = [n for n in fields if n in changed]
    return {n: fields[n].dump(old[n]) for n in names}, {n: fields[n].dump(new[n]) for n in names}


def _audit_row(
    session: Session,
    actor: Actor,
    authority: Authority | None,
    obj: Entity,
    word: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> dict[str, Any]:
    return audit.row(
        actor,
        word,
        obj.key(),
        obj.id,
        before=before,
        after=after,
        subject=_name_in_flush(session, obj),
        authority=authority.name if authority else None,
        **audit_place_of(obj),
    )


def _name_in_flush(session: Session, obj: Entity) -> str:
    """What the row is called. A new row loads no links by itself yet, so those its name is made from are looked up."""
    if not sa.inspect(obj).persistent:
        for relation in sa.inspect(type(obj)).relationships:
            if relation.key in obj.__shown_from__:
                key = getattr(obj, next(iter(relation.local_columns)).key)
                found = session.get(relation.mapper.class_, key) if key is not None else None
                set_committed_value(obj, relation.key, found)
    return obj.filed_as()


def audit_place(entity: type[Entity], values: Mapping[str, Any]) -> dict[str, Any]:
    """Where a row is, as the audit keeps it."""
    return {
        "school_id": values.get("id") if entity.__scope__ == "school" else values.get("school_id"),
        "authority_code": values.get("authority_code"),
        "student_id": values.get("id") if entity.key() == "student" else values.get("student_id"),
    }


def audit_place_of(obj: Entity) -> dict[str, Any]:
    return audit_place(type(obj), _full(obj))


# --- where a row is -----------------------------------------------------------------------------------


def place_of(session: Session, entity: type[Entity], values: Mapping[str, Any]) -> Sequence[Place] | None:
    """The places of a row given by its column values; a change has one per party. None: the row is of no place."""
    if _is_told(entity):
        codes = [values.get(name) for name in entity.__written_in__]
        return tuple(Place(None, code) for code in codes if code) if codes else None
    if entity.__scope__ == "pupil":
        return (_pupil_place(session, values),)
    if entity.__scope__ == "school":
        return _school_places(session, values)
    if entity.__scope__ == "parties":
        return _party_places(session, values.get(entity.__parties_key__), values)
    if entity.__scope__ == "audit":
        return _audit_places(session, values)
    narrow = entity.__narrow__
    return (
        Place(
            values.get("school_id"),
            values.get("authority_code"),
            values.get(narrow.get("grade", "")),
            values.get(narrow.get("class", "")),
        ),
    )


def asked_at(entity: type[Entity], power: str, places: Sequence[Place] | None) -> Sequence[Place] | None:
    """Some entities are read by everybody, some school-wide, also by those whose grant is narrowed."""
    if places is None or not _reads(entity, power):
        return places
    if _is_told(entity):
        return None
    return tuple(replace(place, is_for_all=True) for place in places) if _is_wide(entity) else places


def _reads(entity: type[Entity], power: str) -> bool:
    """Whether the power is one of reading rows of this entity, and not of others that lie at the same place."""
    key, _colon, verb = power.partition(":")
    own = key == entity.key() and verb.rpartition(":")[2] in (*powers.READS, "see")
    return own or power in powers.reading_rights(entity)


def _pupil_place(session: Session, values: Mapping[str, Any]) -> Place:
    """By school and authority where the row says, by grade and class where its pupil is."""
    found = _place_now(session, values.get("student_id"))
    place = Place(values.get("school_id"), values.get("authority_code"))
    return replace(place, grade_id=found.grade_id, class_id=found.class_id) if found is not None else place


def _place_now(session: Session, student_id: int | None) -> Place | None:
    student = registry["student"].__table__
    query = sa.select(student).where(student.c.id == student_id)
    row = _look(session, query).mappings().first() if student_id is not None else None
    if row is None:
        return None
    narrow = registry["student"].__narrow__
    return Place(
        row["school_id"],
        row["authority_code"],
        row.get(narrow.get("grade", "")),
        row.get(narrow.get("class", "")),
    )


def _audit_places(session: Session, values: Mapping[str, Any]) -> tuple[Place, ...]:
    """Where it was written, and where its pupil is today: whoever has a pupil reads all that was done to him."""
    then = Place(values.get("school_id"), values.get("authority_code"))
    now = _place_now(session, values.get("student_id"))
    return (then, now) if now is not None else (then,)


def _school_places(session: Session, values: Mapping[str, Any]) -> tuple[Place, ...]:
    stage = Model.metadata.tables["school_stage"]
    id_ = values.get("id")
    found = _look(session, sa.select(stage.c.authority_code).where(stage.c.school_id == id_)).scalars()
    return tuple(Place(id_, code) for code in found) or (Place(id_, values.get("authority_code")),)


def _party_places(session: Session, change_id: int | None, values: Mapping[str, Any]) -> tuple[Place, ...]:
    """One for each party; to grades and classes a change belongs by its pupil."""
    party = registry["change_party"].__table__
    found = _look(
        session, sa.select(party.c.school_id, party.c.authority_code).where(party.c.change_id == change_id)
    )
    of = _pupil_place(session, values)
    return tuple(Place(row.school_id, row.authority_code, of.grade_id, of.class_id) for row in found)


def _look(session: Session, query: sa.Select[Any]) -> sa.Result[Any]:
    """The walls' own look past the read wall: where a row is, or what a field of a row that is seen points at."""
    return session.connection().execute(query.execution_options(unguarded=True))


def verdict_on(
    session: Session, by: Actor, power: str, entity: type[Entity], values: Mapping[str, Any]
) -> rights.Verdict:
    """Whether `by` may use the power on a row of these column values."""
    if by.is_system:
        return rights.YES
    return rights.decide(by, power, asked_at(entity, power, place_of(session, entity, values)))


def _seen(session: Session, actor: Actor, entity: type[Entity], values: Mapping[str, Any]) -> bool:
    return any(verdict_on(session, actor, right, entity, values) for right in powers.reading_rights(entity))


def sees(session: Session, by: Actor, obj: Entity) -> bool:
    """Whether the row is in the reading scope of `by` at all."""
    return _seen(session, by, type(obj), _full(obj))


def may(session: Session, by: Actor, action: str, obj: Entity) -> rights.Verdict:
    """Whether `by` may do `action` ("edit", "phone:see") to this row; the write wall's own answer, as a sentence."""
    return verdict_on(session, by, f"{obj.key()}:{action}", type(obj), _full(obj))


def places_of_row(session: Session, obj: Entity) -> Sequence[Place] | None:
    return place_of(session, type(obj), _full(obj))


def pointed_at(
    session: Session, by: Actor, obj: Entity, name: str, columns: Iterable[str]
) -> Mapping[str, Any] | None:
    """Columns of the row that a key of `obj` points at, for whoever sees the key on it: a pupil's photo is seen with the
    pupil, also by those who read no other files of his. None where the key is empty. Raises Denied."""
    if not (verdict := may(session, by, f"{name}:see", obj)):
        raise Denied(str(verdict))
    field = obj.fields()[name]
    assert isinstance(field, Key)
    table = registry[field.target.partition(".")[0]].__table__
    query = sa.select(*(table.c[column] for column in columns)).where(table.c.id == getattr(obj, name))
    found = _look(session, query).mappings().first()
    return dict(found) if found is not None else None


def fields_at(by: Actor, entity: type[Entity], verb: str, places: Sequence[Place] | None) -> dict[str, Field]:
    """The fields of the entity that `by` may see, edit or reveal in a row that is at these places."""
    asked = {n: powers.field_right(entity, n, verb) for n in entity.fields()}
    return {
        n: f
        for n, f in entity.fields().items()
        if rights.decide(by, asked[n], asked_at(entity, asked[n], places))
    }


def fields_with(session: Session, by: Actor, verb: str, obj: Entity) -> dict[str, Field]:
    """The fields of this row that `by` may see, edit or reveal (by the roles; key data is locked beside that)."""
    entity = type(obj)
    if by.is_system:
        return dict(entity.fields())
    asked = {n: powers.field_right(entity, n, verb) for n in entity.fields()}
    if all(rights.holds_wherever(by, power, powers.reading_rights(entity)) for power in asked.values()):
        return dict(entity.fields())
    return fields_at(by, entity, verb, places_of_row(session, obj))


# --- what must not pass beside the walls --------------------------------------------------------------


@event.listens_for(Engine, "before_cursor_execute")
def _engine_wall(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    if context is None or context.execution_options.get("unguarded"):
        return
    if context.compiled is None:
        raise Denied("driver SQL does not pass the wall")
    touch = statements.touch_of(context.compiled)
    _refuse_writing(touch)
    if touch.reads and not door_is_open():
        _refuse_reading(touch, met_read_wall=context.execution_options.get("wall") is _MET)


def _refuse_writing(touch: statements.Touch) -> None:
    if touch.is_text:
        raise Denied("textual SQL does not pass the wall")
    if touch.is_definition:
        raise Denied("tables are made and dropped by migrations only")
    if audit.AuditEntry.__tablename__ in touch.changes:
        raise Denied("the audit is insert-only")
    if touch.writes and not door_is_open():
        raise Denied("entity tables are written through saving only")


def _refuse_reading(touch: statements.Touch, *, met_read_wall: bool) -> None:
    if touch.reads_past:
        raise Denied("entity tables are read through the mapped classes only")
    if not met_read_wall:
        raise Denied("entities are read in a session, where somebody acts")
