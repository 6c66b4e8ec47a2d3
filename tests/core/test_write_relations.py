"""What relationships write during a flush, after the write wall has looked, is refused."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, relationship

from app.core import rights, scope
from app.core.entity import Entity, OfPlace, registry
from app.core.errors import Denied
from app.core.fields import col
from app.core.rights import Actor, Extent, Holding
from app.extensions import db
from tests import cast
from tests.cast import CHENGGUAN, QINGLAN, YIZHONG


@cache
def define() -> tuple[type, type]:
    """Two entities whose relationship writes, as no entity of ours may."""

    class Desk(OfPlace, Entity):
        """课桌"""

        __label__ = "课桌"
        name: Mapped[str] = col.text("名称", 20)
        drawers = relationship(
            "Drawer", primaryjoin="foreign(Drawer.desk_id) == Desk.id", back_populates="desk"
        )

    class Drawer(OfPlace, Entity):
        """抽屉"""

        __label__ = "抽屉"
        name: Mapped[str] = col.text("名称", 20)
        desk_id: Mapped[int | None] = col.key("desk.id", "课桌")
        desk = relationship(
            "Desk", primaryjoin="foreign(Drawer.desk_id) == Desk.id", back_populates="drawers"
        )

    _withdraw(Desk, Drawer)
    return Desk, Drawer


def _withdraw(*entities: type[Entity]) -> None:
    for entity in entities:
        registry.remove(entity)
        Model.metadata.remove(entity.__table__)


@pytest.fixture
def furniture() -> Iterator[tuple[type, type]]:
    """The two, for this test only: no other test finds them in the registry."""
    entities = define()
    for entity in entities:
        registry.add(entity)
        Model.metadata._add_table(entity.__tablename__, None, entity.__table__)
    yield entities
    _withdraw(*entities)


@pytest.fixture
def furnished(furniture, session) -> Iterator[Session]:
    """A desk with a drawer in 青岚县第一中学, another in 城关初级中学; 林老师 may do all with the first."""
    desk, drawer = furniture
    with db.engine.begin() as connection:
        Model.metadata.create_all(
            connection.execution_options(unguarded=True),
            tables=[desk.__table__, drawer.__table__],
            checkfirst=False,
        )
    with scope.acting(session, rights.system("tests")):
        for number, name in ((1, YIZHONG), (2, CHENGGUAN)):
            place = {"school_id": cast.school(name), "authority_code": QINGLAN}
            session.add(made := desk(name=f"课桌{number}", **place))
            session.flush()
            session.add(drawer(name=f"抽屉{number}", desk_id=made.id, **place))
            session.flush()
        session.commit()
    held = frozenset(
        f"{key}:{action}" for key in ("desk", "drawer") for action in ("list", "add", "edit", "delete")
    )
    holding = Holding(0, "家具", held, Extent(school_id=cast.school(YIZHONG)), True, False, None)
    with scope.acting(session, Actor(cast.person("lin"), "林老师", (holding,), cast.school(YIZHONG))):
        yield session
    session.rollback()


PLACE = {"school_id": 1, "authority_code": QINGLAN}


def test_an_insert_through_a_relationship_is_refused(furnished, furniture):
    desk, drawer = furniture
    first = furnished.get_one(desk, 1)
    first.drawers.append(drawer(name="新抽屉", **PLACE))
    with pytest.raises(Denied):
        furnished.flush()


def test_an_insert_by_the_key_is_let_through(furnished, furniture):
    desk, drawer = furniture
    furnished.add(drawer(name="新抽屉", desk_id=1, **PLACE))
    furnished.flush()
    furnished.expire_all()
    assert [one.name for one in furnished.get_one(desk, 1).drawers] == ["抽屉1", "新抽屉"]


def test_a_move_through_a_relationship_is_refused(furnished, furniture):
    desk, drawer = furniture
    furnished.add(second := desk(name="第二张", **PLACE))
    furnished.flush()
    furnished.get_one(drawer, 1).desk = second
    with pytest.raises(Denied):
        furnished.flush()


def test_a_move_by_the_key_is_let_through(furnished, furniture):
    desk, drawer = furniture
    furnished.add(second := desk(name="第二张", **PLACE))
    furnished.flush()
    furnished.get_one(drawer, 1).desk_id = second.id
    furnished.flush()
    assert furnished.scalar(sa.select(drawer.desk_id)) == second.id


def test_taking_out_through_a_relationship_is_refused(furnished, furniture):
    desk, _drawer = furniture
    first = furnished.get_one(desk, 1)
    first.drawers.clear()
    with pytest.raises(Denied):
        furnished.flush()


def test_a_parents_deletion_that_empties_childrens_keys_is_refused(furnished, furniture):
    desk, _drawer = furniture
    furnished.delete(furnished.get_one(desk, 1))
    with pytest.raises(Denied):
        furnished.flush()


def test_a_parent_without_children_is_deleted(furnished, furniture):
    desk, drawer = furniture
    furnished.delete(furnished.get_one(drawer, 1))
    furnished.flush()
    furnished.expire_all()
    furnished.delete(furnished.get_one(desk, 1))
    furnished.commit()
    assert furnished.scalars(sa.select(desk)).all() == []
