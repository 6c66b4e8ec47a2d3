"""The one door: create, edit, delete, restore, many. `work()` commits once at its end, then notifies.

Parsing belongs to the surfaces, scope to the walls. Here: right, editable fields, assigning, the entity's own
checks, versions. Complaints are gathered over the whole piece of work and raised together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core import audit, powers, rights, scope
from app.core.authority import Authority
from app.core.entity import Entity, Recyclable, owner_key, registry
from app.core.errors import Denied, Invalid, Missing, Stale
from app.core.fields import BY_CHANGE, BY_SYSTEM, FROM_ABOVE, HERE, Field, Key, missing_sentence
from app.core.rights import Actor
from app.extensions import db, open_door

E = TypeVar("E", bound=Entity)
BLOCK = 5_000  # rows per bulk statement


@dataclass
class Work:
    """One unit of saving. `complaints` are (input name, sentence), `warnings` what is told beside though it was saved;
    `after` runs once committed; `together` are rows that must be sound with their inline rows: who saved them, and of
    which inline entities something was saved."""

    session: Session
    complaints: list[tuple[str, str]] = dataclass_field(default_factory=list)
    warnings: list[str] = dataclass_field(default_factory=list)
    after: list[Callable[[], None]] = dataclass_field(default_factory=list)
    together: dict[Entity, tuple[Actor, set[str]]] = dataclass_field(default_factory=dict)


@contextmanager
def work() -> Iterator[Work]:
    """A transaction that has the write lock from its start; commits once at the end, or undoes everything.

    What was read before is read again inside. Raises Invalid with every complaint gathered, Stale when another
    save came first. An inner `work()` joins the outer one.
    """
    session = db.session()
    if "work" in session.info:
        yield session.info["work"]
        return
    session.rollback()
    session.info["writing"] = True
    current = session.info["work"] = Work(session)
    try:
        yield current
        _conclude(current)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("work", None)
        session.info.pop("writing", None)
    for notify in current.after:
        notify()


@contextmanager
def part() -> Iterator[Work]:
    """A piece of the work that stands or falls by itself: what it wrote is undone when it is refused, and the rest goes on.

    Raises whatever refused it, Invalid with every complaint that was gathered in it.
    """
    whole = _current()
    piece = whole.session.info["work"] = Work(whole.session)
    try:
        with whole.session.begin_nested():
            yield piece
            _conclude(piece)
    finally:
        whole.session.info["work"] = whole
    whole.warnings += piece.warnings
    whole.after += piece.after


def _conclude(now: Work) -> None:
    """Writes what was gathered, or raises Invalid with all that is wrong with it."""
    if not now.complaints:
        _flush(now.session)
        now.complaints += _check_together(now)
    if now.complaints:
        raise Invalid(now.complaints)


def _current() -> Work:
    found = db.session().info.get("work")
    if found is None:
        raise RuntimeError("saving happens inside `with saving.work():`")
    return found


# --- one row ------------------------------------------------------------------------------------------


def create(
    entity: type[E],
    data: Mapping[str, Any],
    by: Actor,
    *,
    authority: Authority | None = None,
    prefix: str = "",
    complaints: Iterable[tuple[str, str]] = (),
) -> E:
    """A new row from parsed values. `complaints` are those that parsing already has; `prefix` goes before names.

    Raises Denied at once when the right is missing; other complaints wait for the end of the work.
    """
    now = _current()
    found = list(complaints)
    if authority is None:
        rights.require(by, f"{entity.key()}:add")
    obj = entity()
    if by.school_id is not None and "school_id" in entity.fields():
        obj.school_id = by.school_id
    with now.session.no_autoflush, scope.by_authority(now.session, authority):
        found += _assign(now.session, obj, data, by, authority, is_new=True)
        found += _missing(entity, obj, found)
        _settle(now.session, obj, data, found)
        _check(now.session, obj, found)
        found += _misplaced(now.session, obj, by, authority, found)
        _keep(now, found, prefix)
        if not now.complaints:
            now.warnings += obj.warnings(now.session)
            now.session.add(obj)
            _flush(now.session)
            _join(now, obj, by, is_new=True)
    return obj


def edit(
    obj: E,
    data: Mapping[str, Any],
    by: Actor,
    *,
    version: int | None = None,
    authority: Authority | None = None,
    prefix: str = "",
    complaints: Iterable[tuple[str, str]] = (),
) -> E:
    """Changes a row; only the keys in `data` are touched. `version` is the one the person saw (None: not compared).

    Raises Missing, Denied and Stale at once; other complaints wait for the end of the work.
    """
    now = _current()
    found = list(complaints)
    with now.session.no_autoflush, scope.by_authority(now.session, authority):
        _lock(now.session, obj)  # without writing what may have been refused before in this work
        if authority is None:
            _require(now.session, by, "edit", obj)
        if version is not None and version != obj.version:
            raise stale(now.session, obj, version)
        found += _assign(now.session, obj, data, by, authority, is_new=False)
        found += _missing(type(obj), obj, found, only=data)
        _settle(now.session, obj, data, found)
        _check(now.session, obj, found)
        _keep(now, found, prefix)
        if not now.complaints:
            now.warnings += obj.warnings(now.session)
            _flush(now.session)
            _join(now, obj, by)
    return obj


def delete(obj: Entity, by: Actor, *, version: int | None = None, authority: Authority | None = None) -> None:
    """Into the recycle bin where the entity has one, else for good. Raises Invalid with the procedure to use."""
    now = _current()
    with now.session.no_autoflush:
        _lock(now.session, obj)
        if authority is None:
            _require(now.session, by, "delete", obj)
        if version is not None and version != obj.version:
            raise stale(now.session, obj, version)
        if authority is None and (why := list(obj.why_not_delete())):
            raise Invalid([("", sentence) for sentence in why])
    if now.complaints:
        return  # nothing of this work will be written
    with scope.by_authority(now.session, authority):
        if isinstance(obj, Recyclable):
            obj.deleted_at = datetime.now(UTC)
        else:
            _join(now, obj, by)
            now.session.delete(obj)
        _flush(now.session)


def find_deleted(entity: type[Entity], row_id: int) -> Entity:
    """What lies in the recycle bin under this id. Raises Missing."""
    session = _current().session
    with scope.with_deleted(session):
        found = session.get(entity, row_id) if row_id < 2**63 else None
    if not isinstance(found, Recyclable) or found.deleted_at is None:
        raise Missing()
    return found


def restore(obj: Entity, by: Actor, *, version: int) -> None:
    """Back from the recycle bin: settled and checked as if all of it were new, among what is there now.

    Raises Missing, Denied and Stale at once; complaints wait for the end of the work.
    """
    now = _current()
    _lock(now.session, obj)
    if not isinstance(obj, Recyclable) or obj.deleted_at is None:
        raise Missing()
    _require(now.session, by, "delete", obj)
    if version != obj.version:
        raise stale(now.session, obj, version)
    found: list[tuple[str, str]] = []
    obj.deleted_at, obj.is_returning = None, True
    try:
        with now.session.no_autoflush:
            _settle(now.session, obj, {}, found)
            _check(now.session, obj, found)
            _keep(now, found, "")
            if not now.complaints:
                now.warnings += obj.warnings(now.session)
        if not now.complaints:
            _flush(now.session)
            _join(now, obj, by)
    finally:
        obj.is_returning = False


def purge(obj: Entity, by: Actor) -> None:
    """Out of the recycle bin for good, with its own rows and files. Raises Invalid while others refer to it."""
    now = _current()
    assert isinstance(obj, Recyclable)
    assert obj.deleted_at is not None, "only what is in the recycle bin is purged"
    owned = [
        row
        for entity, key in registry.children_of(type(obj))
        if obj.key() in (entity.__inline_of__, entity.__gone_with__)
        for row in now.session.scalars(sa.select(entity).where(getattr(entity, key) == obj.id))
    ]
    targets = {(f"{row.__tablename__}.id", row.id) for row in owned}
    for name, field in obj.fields().items():
        if isinstance(field, Key) and (field.target, getattr(obj, name)) in targets:
            setattr(obj, name, None)  # a pupil's photo is a file of his: each refers to the other
    _flush(now.session)
    for row in (*owned, obj):
        now.session.delete(row)
    _flush(now.session)


# --- a row with what is edited in its form ------------------------------------------------------------


def _join(now: Work, obj: Entity, by: Actor, *, is_new: bool = False) -> None:
    """Remembers the row, or the one in whose form it is edited: they are judged together at the end of the work."""
    owner: Entity | None = obj
    if obj.__inline_of__:
        owner = now.session.get(registry[obj.__inline_of__], getattr(obj, owner_key(type(obj))))
    if owner is None or by.is_system or type(owner).check_inlines is Entity.check_inlines:
        return
    _by, written = now.together.setdefault(owner, (by, set()))
    if owner is not obj:
        written.add(obj.key())
    elif is_new:
        places = scope.places_of_row(now.session, owner)
        inlines = (child.key() for child in registry.inlines_of(type(owner)))
        written.update(key for key in inlines if rights.decide(by, f"{key}:add", places))


def _check_together(now: Work) -> Iterator[tuple[str, str]]:
    """What a row and its inline rows must be together, whichever of them was saved and by which surface."""
    for owner, (by, written) in now.together.items():
        children = registry.inlines_of(type(owner))
        is_there: bool = sa.inspect(owner).persistent and getattr(owner, "deleted_at", None) is None
        if is_there and all(_sees_inlines(now.session, by, owner, child) for child in children):
            rows = [row for child in children for row in inline_rows(now.session, child, owner)]
            yield from owner.check_inlines(rows, written)


def _sees_inlines(session: Session, by: Actor, owner: Entity, child: type[Entity]) -> bool:
    """To whoever may not see them the rest would look as if it were missing."""
    places = scope.places_of_row(session, owner)
    return any(rights.decide(by, right, places) for right in powers.reading_rights(child))


def inline_rows(session: Session, entity: type[Entity], owner: Entity) -> list[Entity]:
    """The saved rows of an inline entity that hang on `owner`."""
    query = sa.select(entity).where(getattr(entity, owner_key(entity)) == owner.id)
    return list(session.scalars(query.order_by(entity.id)))


# --- many rows ----------------------------------------------------------------------------------------


def many(
    entity: type[Entity], rows: Sequence[Mapping[str, Any]], by: Actor, *, authority: Authority | None = None
) -> None:
    """Inserts rows of complete column values with bulk statements, each seen by the same check as a single save.

    A system actor's load leaves one audit line per block, everyone else's one per row.
    """
    now = _current()
    _refuse_stand_in(now.session, by)
    table = entity.__table__
    fields = entity.fields()
    for start in range(0, len(rows), BLOCK):
        block = [{"version": 1, **row} for row in rows[start : start + BLOCK]]
        for row in block:
            scope.check_row(now.session, by, authority, entity, "add", None, row, set(row) & set(fields))
        with open_door():
            if by.is_system:
                now.session.connection().execute(sa.insert(table), block)
                audit.note(now.session, by, "load", entity.key(), after={"rows": len(block)})
                continue
            ids = now.session.connection().execute(
                sa.insert(table).returning(table.c.id, sort_by_parameter_order=True), block
            )
            audit.write(now.session, _bulk_audit(by, authority, entity, ids.scalars(), block))


def _refuse_stand_in(session: Session, by: Actor) -> None:
    """Bulk rows meet no flush, so nobody but the walls' own actor, or a person in a system's session, may bring them."""
    actor = session.info.get("actor")
    if actor is None or (by != actor and not actor.is_system):
        raise Denied(_("没有操作人，不能保存。请重新登录。"))


def _bulk_audit(
    by: Actor,
    authority: Authority | None,
    entity: type[Entity],
    ids: Iterable[int],
    block: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    fields = entity.fields()
    for id_, row in zip(ids, block, strict=True):
        after = {n: f.dump(row[n]) for n, f in fields.items() if row.get(n) is not None}
        place = scope.audit_place(entity, {**row, "id": id_})
        yield audit.row(
            by,
            "create",
            entity.key(),
            id_,
            after=after,
            subject=str(row.get(entity.__shown_as__) or "") if entity.__shown_as__ in fields else None,
            authority=authority.name if authority else None,
            **place,
        )


def first_free_id(entity: type[Entity]) -> int:
    """From where a load may number its own rows, so that they can refer to each other before they are written."""
    ids = entity.__table__.c.id
    query = sa.select(sa.func.max(ids)).execution_options(unguarded=True)
    return (_current().session.connection().execute(query).scalar() or 0) + 1


def advance_ids(entity: type[Entity]) -> None:
    """After rows with ids of their own: the next id the database gives lies beyond them. SQLite sees to it itself."""
    connection = _current().session.connection()
    if connection.dialect.name == "postgresql" and (last := first_free_id(entity) - 1):
        sequence = sa.func.pg_get_serial_sequence(str(entity.__tablename__), "id")
        connection.execute(sa.select(sa.func.setval(sequence, last)))


def edit_many(
    entity: type[E],
    versions: Mapping[int, int],
    data: Mapping[str, Any],
    by: Actor,
    *,
    authority: Authority | None = None,
) -> list[E]:
    """The same change to several rows, each at the version that was seen. Raises Stale for the first that moved."""
    session = _current().session
    found = {obj.id: obj for obj in session.scalars(sa.select(entity).where(entity.id.in_(versions)))}
    if len(found) != len(versions):
        raise Missing(_("所选记录中有的已不存在或不在您的管理范围内。请返回列表重新选择。"))
    return [edit(found[id_], data, by, version=seen, authority=authority) for id_, seen in versions.items()]


def reassign(
    entity: type[Entity], ids: Iterable[int], values: Mapping[str, Any], by: Actor, *, authority: Authority
) -> int:
    """The same column values for rows which the actor of a procedure need not see: who hands a colleague's open cases
    over reads none of them. Each is seen by the write wall's check and audited; returns how many there were."""
    now = _current()
    _refuse_stand_in(now.session, by)
    table, connection = entity.__table__, now.session.connection()
    wanted = sa.select(table).where(table.c.id.in_(sorted(ids))).order_by(table.c.id).with_for_update()
    rows = [dict(row) for row in connection.execute(wanted.execution_options(unguarded=True)).mappings()]
    for row in rows:
        scope.check_row(now.session, by, authority, entity, "edit", row, {**row, **values}, set(values))
    if rows:
        found = table.c.id.in_([row["id"] for row in rows])
        with open_door():
            connection.execute(sa.update(table).where(found).values(version=table.c.version + 1, **values))
            audit.write(now.session, _reassigned(entity, rows, values, by, authority))
        for obj in [known for known in now.session.identity_map.values() if isinstance(known, entity)]:
            now.session.expire(obj)
    return len(rows)


def _reassigned(
    entity: type[Entity],
    rows: Iterable[Mapping[str, Any]],
    values: Mapping[str, Any],
    by: Actor,
    authority: Authority,
) -> Iterator[dict[str, Any]]:
    fields = {name: field for name, field in entity.fields().items() if name in values}
    for row in rows:
        before, after = ({n: f.dump(found[n]) for n, f in fields.items()} for found in (row, values))
        place = scope.audit_place(entity, row)
        words: dict[str, Any] = {"before": before, "after": after, "authority": authority.name, **place}
        yield audit.row(by, "edit", entity.key(), row["id"], **words)


# --- the steps ----------------------------------------------------------------------------------------


def _require(session: Session, by: Actor, action: str, obj: Entity) -> None:
    if action not in obj.__actions__:
        raise Denied(
            _("“%(label)s”不能直接%(act)s。", label=_(obj.__label__), act=_(powers.ACTION_WORDS[action]))
        )
    verdict = scope.may(session, by, action, obj)
    if not verdict and not scope.sees(session, by, obj):
        raise Missing()
    if not verdict:
        raise Denied(str(verdict))


def _lock(session: Session, obj: Entity) -> None:
    """Takes the row's lock and its newest values. SQLite has its write lock since `work()` began."""
    columns = [attr.key for attr in sa.inspect(type(obj)).column_attrs]
    try:
        session.refresh(obj, attribute_names=columns, with_for_update={"of": type(obj)})
    except sa.exc.InvalidRequestError:
        raise Missing() from None


def _assign(
    session: Session,
    obj: Entity,
    data: Mapping[str, Any],
    by: Actor,
    authority: Authority | None,
    *,
    is_new: bool,
) -> Iterator[tuple[str, str]]:
    fields = _writable(session, obj, by, authority, is_new=is_new)
    for name, value in data.items():
        if name not in fields:
            yield name, _("没有“%(name)s”这一项。请删去后再提交。", name=name[:40])
            continue
        if _same(getattr(obj, name), value):
            continue
        if complaint := _refusal(session, obj, fields[name], value, by, authority, is_new):
            yield name, complaint
            continue
        setattr(obj, name, value)


def _writable(
    session: Session, obj: Entity, by: Actor, authority: Authority | None, *, is_new: bool
) -> Mapping[str, Field]:
    """The fields that may be named at all. What a procedure adds beside need not be readable for who carries it out."""
    if not is_new:
        return scope.fields_with(session, by, "see", obj)
    return obj.fields() if authority is not None else rights.visible_fields(by, type(obj))


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) and type(old) is type(new)


def _refusal(
    session: Session,
    obj: Entity,
    field: Field,
    value: Any,
    by: Actor,
    authority: Authority | None,
    is_new: bool,
) -> str | None:
    entity, power = type(obj), powers.field_right(type(obj), field.name, "edit")
    if authority is None and not by.is_system:
        if (
            is_new
            and value != entity.default_of(field.name)
            and scope.is_closed_on_add(by, entity, field.name)
        ):
            return scope.locked_sentence(entity, field.name)
        if not is_new and field.edit in (BY_CHANGE, BY_SYSTEM):
            return scope.locked_sentence(entity, field.name)
        if field.form and not (
            by.has(power) if is_new else scope.may(session, by, f"{field.name}:edit", obj)
        ):
            return rights.refusal(by, power)
        if not is_new and field.edit is FROM_ABOVE and not scope.may(session, by, "govern", obj):
            return scope.locked_sentence(entity, field.name)
        if not field.form and not (is_new and isinstance(field, Key)):
            return scope.settled_sentence(entity, field.name)
    if isinstance(field, Key) and value is not None and not _exists(session, field, value):
        return _("没有找到所选的“%(label)s”。请重新选择。", label=_(field.label))
    return None


def _exists(session: Session, field: Key, value: int) -> bool:
    target = field.target.partition(".")[0]
    if target in registry:
        return session.get(registry[target], value) is not None
    return session.get(_foreign(target), value) is not None


def _foreign(table: str) -> type:
    return next(m.class_ for m in Entity.registry.mappers if getattr(m.local_table, "name", "") == table)


def _missing(
    entity: type[Entity], obj: Entity, found: Iterable[tuple[str, str]], only: Iterable[str] | None = None
) -> Iterator[tuple[str, str]]:
    known = {name for name, _sentence in found}
    for name, field in entity.fields().items():
        if not field.required or not field.form or name in known or (only is not None and name not in only):
            continue
        if getattr(obj, name) is None:
            yield name, missing_sentence(field.label)


def _settle(session: Session, obj: Entity, data: Mapping[str, Any], found: Sequence[tuple[str, str]]) -> None:
    """Lets the entity fill what follows; the wall is told which columns the program itself has set."""
    if found:
        return
    before = {name: getattr(obj, name) for name in obj.fields()}
    obj.settle(session)
    obj.settled = frozenset(n for n, value in before.items() if getattr(obj, n) != value and n not in data)


def _check(session: Session, obj: Entity, found: list[tuple[str, str]]) -> None:
    """The entity's own complaints, for fields that have none yet."""
    if any(name and _is_required(obj, name) and getattr(obj, name) is None for name, _s in found):
        return  # checks may rely on required values
    known = {name for name, _s in found if name}
    found += [(name, sentence) for name, sentence in obj.check() if name not in known]


def _misplaced(
    session: Session, obj: Entity, by: Actor, authority: Authority | None, found: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Why a new row may not be where it would be; the wall's own answer, said while the form can still be changed."""
    if authority is None and not found and not (verdict := scope.may(session, by, "add", obj)):
        yield "", str(verdict)


def _is_required(obj: Entity, name: str) -> bool:
    field = obj.fields().get(name)
    return field is not None and field.required


def _keep(now: Work, found: Iterable[tuple[str, str]], prefix: str) -> None:
    now.complaints += [(prefix + name if name else "", sentence) for name, sentence in found]


def _flush(session: Session) -> None:
    try:
        session.flush()
    except StaleDataError:
        raise Stale(_("这条记录刚被其他人修改过。请重新打开，核对后再保存。")) from None
    except IntegrityError as error:
        raise Invalid(_clash(str(error.orig))) from None


def _clash(said: str) -> list[tuple[str, str]]:
    """The database's refusal → a sentence at the field; never its own text, which holds values."""
    for entity in registry:
        for name, field in entity.fields().items():
            marks = (f"{entity.__tablename__}.{name}", f"uq_{entity.__tablename__}_{name}")
            if any(mark in said for mark in marks) and ("UNIQUE" in said or "unique" in said):
                return [(name, _("“%(label)s”已被另一条记录使用。请核对后重新填写。", label=_(field.label)))]
    if "FOREIGN KEY" in said or "foreign key" in said:
        return [("", _("还有其他记录与它相连，不能删除。请先处理相连的记录。"))]
    if "UNIQUE" in said or "unique" in said:
        return [("", _("已有内容相同的记录，不能重复。请核对后重新填写。"))]
    return [("", _("填写的内容与数据库的约束不符。请核对后重新填写。"))]


def stale(session: Session, obj: Entity, version: int) -> Stale:
    """Who saved since `version` and when, today's values, and what was there before, for the conflict page.

    Also for people who may not read the audit: whoever edits a row may know who else does.
    """
    entry = audit.AuditEntry
    query = sa.select(entry.actor_name, entry.at, entry.before).where(
        entry.entity == obj.key(), entry.row_id == obj.id, entry.action.not_in(audit.LOOKS)
    )
    with scope.unscoped(session, "who saved first"):
        saves = session.execute(query.order_by(entry.id.desc()).limit(max(1, obj.version - version))).all()
    who, at, _before = saves[0] if saves else ("", None, None)
    when = at.astimezone(HERE).strftime("%Y-%m-%d %H:%M") if at else _("刚才")
    return Stale(
        _(
            "%(who)s于%(when)s修改过这条记录。您填写的内容已保留，请逐项比对后选择保留哪一项。",
            who=entry.fields()["actor_name"].show(who) or _("其他人"),
            when=when,
        ),
        {name: getattr(obj, name) for name in obj.fields()},
        {name: raw for save in saves for name, raw in (save.before or {}).items()},  # the oldest comes last
    )
