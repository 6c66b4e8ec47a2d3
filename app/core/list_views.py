"""How a person likes a list, and what he has saved of it under a name: for himself, or for the people of his unit.

What is kept is what an address would ask by, never what it found: whoever opens a view is judged as if he had typed it.
Whether something may stand in an address at all is decided in surfaces.views; here it is only kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import audit, rights
from app.core.databases import PREPARED
from app.core.errors import Denied, Invalid, Missing
from app.core.fields import BigId, UtcDateTime
from app.core.rights import Actor, Place, Verdict

SHARE = "list_view:share"
LONGEST_NAME = 30  # characters
MOST_VIEWS = 30  # of one person and list


class SavedView(Model):
    """列表视图：谁把哪个列表的哪些条件、排序和列存成了什么名称；共享的写明共享给哪个单位。"""

    __tablename__ = "saved_view"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "entity", "name"),
        sa.Index("ix_saved_view_school_id_entity", "school_id", "entity"),
        sa.Index("ix_saved_view_region_code_entity", "region_code", "entity"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="CASCADE"))
    entity: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    asks: Mapped[list[list[str]]] = mapped_column(sa.JSON)
    columns: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    school_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"))
    region_code: Mapped[str | None] = mapped_column(sa.String(6))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ListPreference(Model):
    """列表显示：谁在哪个列表里看哪些列、按什么次序，行距和每页条数。"""

    __tablename__ = "list_preference"
    __table_args__ = (sa.UniqueConstraint("person_id", "entity"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="CASCADE"))
    entity: Mapped[str] = mapped_column(sa.String(40))
    columns: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    is_dense: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    size: Mapped[int | None] = mapped_column(sa.Integer)


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as one of those who may open it meets it. `columns` is empty where none were saved."""

    id: int
    name: str
    asks: Pairs
    columns: tuple[str, ...]
    owner_id: int
    school_id: int | None = None
    region_code: str | None = None

    @property
    def is_shared(self) -> bool:
        return self.school_id is not None or self.region_code is not None


@dataclass(frozen=True, slots=True)
class Liking:
    """How a person likes one list; empty `columns` and no `size` stand for the list's own."""

    columns: tuple[str, ...] = ()
    is_dense: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Comforts:
    """What a list is opened with: its person's liking and the views that he may open, his own first, by name."""

    liking: Liking = field(default_factory=Liking)
    views: tuple[View, ...] = ()


# --- reading: one statement a list ------------------------------------------------------------------------


@cache
def _query() -> sa.Select[Any]:
    """Built once, for the parameters `me`, `entity`, `schools` and `regions`."""
    me, entity = sa.bindparam("me", type_=sa.Integer), sa.bindparam("entity", type_=sa.String)
    liked, seen = ListPreference, SavedView
    of_view = (seen.id, seen.name, seen.asks, seen.columns, seen.owner_id, seen.school_id, seen.region_code)
    columns: tuple[Any, ...] = (liked.columns, liked.is_dense, liked.size, *of_view)
    return (
        sa.select(*columns)
        .select_from(User)
        .outerjoin(liked, sa.and_(liked.person_id == User.id, liked.entity == entity))
        .outerjoin(seen, sa.and_(seen.entity == entity, _open_to(User.id)))
        .where(User.id == me)
        .order_by(sa.case((seen.owner_id == me, 0), else_=1), seen.name, seen.id)
        .execution_options(**PREPARED)
    )


def _open_to(me: Any) -> sa.ColumnElement[bool]:
    return sa.or_(
        SavedView.owner_id == me,
        SavedView.school_id.in_(sa.bindparam("schools", expanding=True)),
        SavedView.region_code.in_(sa.bindparam("regions", expanding=True)),
    )


def _words(by: Actor) -> dict[str, Any]:
    """Whose views are open to `by`: his own, and those shared with a unit in which one of his grants lies."""
    extents = [held.extent for held in by.holdings]
    schools = {extent.school_id for extent in extents if extent.school_id is not None}
    regions = {extent.low for extent in extents if extent.school_id is None and extent.low}
    return {"me": by.id, "schools": sorted(schools), "regions": sorted(regions)}


def comforts_of(session: Session, by: Actor, entity: str) -> Comforts:
    """What `by` opens the list of this entity with, in one statement."""
    found = session.execute(_query(), {**_words(by), "entity": entity}).all()
    if not found:
        return Comforts()
    columns, is_dense, size = found[0][:3]
    views = tuple(_view(*row[3:]) for row in found if row[3] is not None)
    return Comforts(Liking(tuple(columns or ()), bool(is_dense), size), views)


def _view(id_: int, name: str, asks: Any, columns: Any, owner: int, school: Any, region: Any) -> View:
    return View(id_, name, tuple((n, v) for n, v in asks), tuple(columns or ()), owner, school, region)


def find(session: Session, by: Actor, view_id: int, *, lock: bool = False) -> SavedView:
    """One of the views that `by` may open; nobody else deletes it meanwhile where it is locked. Raises Missing."""
    query = sa.select(SavedView).where(SavedView.id == view_id, _open_to(by.id))
    if lock:
        query = query.with_for_update()
    words = {name: value for name, value in _words(by).items() if name != "me"}
    found = session.scalar(query, words) if view_id < 2**63 else None
    if found is None:
        raise Missing(_("没有找到这个视图。它可能已删除，或不再共享。"))
    return found


def owner_names(session: Session, views: Sequence[View]) -> dict[int, str]:
    """id → name of the people who saved these."""
    query = sa.select(User.id, User.first_name).where(User.id.in_({view.owner_id for view in views}))
    return {row[0]: row[1] for row in session.execute(query)}


# --- what may be done with one ----------------------------------------------------------------------------


def may_share(by: Actor) -> Verdict:
    """Whether `by` may save views for all the people of his unit."""
    return rights.may(by, SHARE, Place(by.school_id, by.region_code))


def may_delete(by: Actor, view: View | SavedView) -> bool:
    """His own, or one that is shared where he holds the right to share."""
    return view.owner_id == by.id or bool(rights.may(by, SHARE, Place(view.school_id, view.region_code)))


def find_to_rename(session: Session, by: Actor, view_id: int, *, lock: bool = False) -> SavedView:
    """Raises Missing, Denied."""
    found = find(session, by, view_id, lock=lock)
    if found.owner_id != by.id:
        raise Denied(_("这个视图是别人保存的，只有保存的人可以改名。"))
    return found


def find_to_delete(session: Session, by: Actor, view_id: int, *, lock: bool = False) -> SavedView:
    """Raises Missing, Denied."""
    found = find(session, by, view_id, lock=lock)
    if not may_delete(by, found):
        raise Denied(rights.refusal(by, SHARE))
    return found


# --- saving: inside `saving.work()` -----------------------------------------------------------------------


def save(
    session: Session,
    by: Actor,
    entity: str,
    name: str,
    asks: Pairs,
    columns: Sequence[str],
    *,
    is_shared: bool = False,
    replaces: bool = False,
) -> SavedView:
    """`replaces`: instead of one's own of that name, if there is one.

    Raises Invalid where the name is taken or there are too many, Denied without the right to share.
    """
    if is_shared and not (verdict := may_share(by)):
        raise Denied(str(verdict))
    assert by.id is not None, "a system has no views"
    _one_at_a_time(session, by.id)
    made = session.scalar(_named(by.id, entity, name))
    if made and not replaces:
        says = _("您已有名为“%(name)s”的视图。请换一个名称，或勾选“替换我的同名视图”。", name=name)
        raise Invalid([("name", says)])
    action = "edit" if made else "create"
    if made is None:
        _require_room(session, by.id, entity)
        made = SavedView(owner_id=by.id, entity=entity, name=name)
        session.add(made)
    made.asks, made.columns = [list(pair) for pair in asks], list(columns) or None
    made.school_id, made.region_code = (by.school_id, by.region_code) if is_shared else (None, None)
    made.saved_at = datetime.now(UTC)
    session.flush()
    _note(session, by, action, made)
    return made


def rename(session: Session, by: Actor, view_id: int, name: str) -> SavedView:
    """Raises Missing, Denied, and Invalid where the name is taken."""
    found = find_to_rename(session, by, view_id, lock=True)
    _one_at_a_time(session, found.owner_id)
    if name != found.name:
        if session.scalar(_named(found.owner_id, found.entity, name)) is not None:
            says = _("您已有名为“%(name)s”的视图。请换一个名称，或先删除原来的。", name=name)
            raise Invalid([("name", says)])
        found.name = name
        session.flush()
        _note(session, by, "edit", found)
    return found


def delete(session: Session, by: Actor, view_id: int) -> SavedView:
    """Raises Missing, Denied."""
    found = find_to_delete(session, by, view_id, lock=True)
    session.delete(found)
    session.flush()
    _note(session, by, "delete", found)
    return found


def prefer(session: Session, by: Actor, entity: str, **liking: Any) -> None:
    """Keeps one or several of `columns` (empty for the list's own), `is_dense`, `size`; the others stay."""
    assert by.id is not None, "a system has no liking"
    _one_at_a_time(session, by.id)
    query = sa.select(ListPreference).where(
        ListPreference.person_id == by.id, ListPreference.entity == entity
    )
    found = session.scalar(query)
    if found is None:
        found = ListPreference(person_id=by.id, entity=entity, is_dense=False)
        session.add(found)
    for name, value in liking.items():
        setattr(found, name, value)
    session.flush()


def _named(person_id: int, entity: str, name: str) -> sa.Select[SavedView]:
    return sa.select(SavedView).where(
        SavedView.owner_id == person_id, SavedView.entity == entity, SavedView.name == name
    )


def _require_room(session: Session, person_id: int, entity: str) -> None:
    of_list = (SavedView.owner_id == person_id, SavedView.entity == entity)
    if session.scalar(sa.select(sa.func.count(SavedView.id)).where(*of_list)) == MOST_VIEWS:
        raise Invalid(_("每个列表最多保存%(n)s个视图。请先删除不用的视图。", n=MOST_VIEWS))


def _one_at_a_time(session: Session, person_id: int) -> None:
    """Two windows of one person that save at the same moment: the second waits."""
    session.execute(sa.select(User.id).where(User.id == person_id).with_for_update(key_share=True))


def _note(session: Session, by: Actor, action: str, view: SavedView) -> None:
    place = {"school_id": by.school_id, "authority_code": by.region_code}
    audit.note(session, by, action, "list_view", view.id, subject=view.name, **place)
