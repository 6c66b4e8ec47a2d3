"""The start-up check: each kind of fault is found, all of them at once, each with an id and a way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import ClassVar

import pytest
import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core import startup
from app.core.entity import Entity, OfParties, OfPlace, OfPupil, registry
from app.core.fields import BigId, Key, Link, Number, Text, col

pytestmark = pytest.mark.usefixtures("declarations")


@contextmanager
def declared(**body: object) -> Iterator[type[Entity]]:
    """An entity that exists for one test. `bases`, `name` and `annotations` are the class's, the rest its body."""
    bases = body.pop("bases", (Entity,))
    name = str(body.pop("name", "Specimen"))
    annotations = {"title": Mapped[str], **body.pop("annotations", {})}
    words = {"__label__": "标本", "__path__": "specimens", "title": col.text("名称", 20), "__doc__": "标本"}
    made = type(name, bases, {"__module__": __name__, **words, "__annotations__": annotations, **body})
    try:
        sa.orm.configure_mappers()
        yield made
    finally:
        registry.remove(made)
        Model.metadata.remove(made.__table__)
        Model.registry._dispose_cls(made)  # only its name: a mapper, once configured, stays


def found_in(entity: type[Entity]) -> set[str]:
    return {fault.id for fault in startup.faults([entity])}


class Colour(StrEnum):
    RED = "red"


def test_the_declarations_of_this_system_are_sound():
    assert [str(fault) for fault in startup.faults()] == []
    startup.require_sound()


def test_a_sound_declaration_has_no_fault():
    with declared(bases=(OfPlace, Entity), settle=lambda self, session: None) as entity:
        assert found_in(entity) == set()


BODIES = {
    "D01 no label": ("D01", lambda: {"__label__": ""}),
    "D02 unknown natural key": ("D02", lambda: {"__natural_key__": "number"}),
    "D02 unknown order": ("D02", lambda: {"__order__": "-number"}),
    "D03 two columns with one label": (
        "D03",
        lambda: {"annotations": {"other": Mapped[str]}, "other": col.text("名称", 20)},
    ),
    "D04 a key without label": (
        "D04",
        lambda: {"annotations": {"grade_id": Mapped[int]}, "grade_id": col.key("grade.id")},
    ),
    "D05 an unmasked number of a pupil": (
        "D05",
        lambda: {
            "bases": (OfPupil, Entity),
            "annotations": {"id_number": Mapped[str]},
            "id_number": col.text("证件号", 20),
        },
    ),
    "D06 sorted by a column that may be empty": (
        "D06",
        lambda: {"annotations": {"day": Mapped[str | None]}, "day": col.text("日", 20, sort=True)},
    ),
    "D06 sorted by what is no column": ("D06", lambda: {"title": col.text("名称", 20, sort="title_key")}),
    "D08 a code table that is not there": (
        "D08",
        lambda: {"annotations": {"kind": Mapped[str]}, "kind": col.code("种类", "no_such_table")},
    ),
    "D09 an enumeration unlike its table": (
        "D09",
        lambda: {"annotations": {"kind": Mapped[Colour]}, "kind": col.choice("种类", Colour, "gender")},
    ),
    "D10 a link that shows what is not there": (
        "D10",
        lambda: {
            "annotations": {"grade_id": Mapped[int]},
            "grade_id": col.key("grade.id"),
            "grade": relationship("Grade", viewonly=True, info={"link": Link("年级", "no_such_name")}),
        },
    ),
    "D11 a relationship that writes": (
        "D11",
        lambda: {
            "annotations": {"grade_id": Mapped[int]},
            "grade_id": col.key("grade.id", "年级"),
            "grade": relationship("Grade", backref=None),
        },
    ),
    "D13 places without a scope": (
        "D13",
        lambda: {"annotations": {"school_id": Mapped[int]}, "school_id": col.key("school.id", "学校")},
    ),
    "D13 parties without their key": (
        "D13",
        lambda: {"bases": (OfParties, Entity), "__parties_key__": "change_id"},
    ),
    "D21 tabs by what is not sorted": (
        "D21",
        lambda: {
            "__tabs_by__": "kind",
            "annotations": {"kind": Mapped[str]},
            "kind": col.code("种类", "gender"),
        },
    ),
    "D21 tabs by what is no code": ("D21", lambda: {"__tabs_by__": "title"}),
    "D14 a column that must be filled and that nobody describes": (
        "D14",
        lambda: {"annotations": {"weight": Mapped[int]}, "weight": mapped_column(sa.Integer, nullable=False)},
    ),
    "D15 a column that forgets its value before": (
        "D15",
        lambda: {
            "annotations": {"weight": Mapped[int]},
            "weight": mapped_column(sa.Integer, info={"field": Number(label="重量")}),
        },
    ),
    "D16 an action that no surface knows": ("D16", lambda: {"__actions__": ("list", "fly")}),
    "D16 pages without an address": ("D16", lambda: {"__path__": ""}),
    "D17 must be filled, not asked, not settled": (
        "D17",
        lambda: {"annotations": {"weight": Mapped[int]}, "weight": col.number("重量", form=False)},
    ),
}


@pytest.mark.parametrize(("fault", "body"), BODIES.values(), ids=BODIES)
def test_each_fault_is_found(fault, body):
    with declared(**body()) as entity:
        assert fault in found_in(entity)


def test_sorting_wants_its_index():
    """An index is made for every sortable column of a place; a declaration that brings its own arguments loses it."""
    body = {"title": col.text("名称", 20, sort=True), "settle": lambda self, session: None}
    with declared(bases=(OfPlace, Entity), **body) as entity:
        assert found_in(entity) == set()
        [index] = [
            i for i in entity.__table__.indexes if [c.name for c in i.columns] == ["school_id", "title", "id"]
        ]
        entity.__table__.indexes.remove(index)
        assert found_in(entity) == {"D07"}


def test_a_key_to_a_table_that_is_not_there():
    class Nowhere:
        key: ClassVar[Key] = Key(label="何处", target="nowhere.id")

    column = mapped_column(BigId, info={"field": Nowhere.key}, active_history=True)
    with declared(annotations={"nowhere_id": Mapped[int]}, nowhere_id=column) as entity:
        assert "D12" in found_in(entity)


def test_two_entities_do_not_share_an_address():
    with declared() as first, declared(name="Other", __label__="另一") as second:
        assert "D18" in {fault.id for fault in startup.faults([first, second])}


def test_all_faults_are_listed_at_once_each_with_id_and_hint():
    body = {"__label__": "", "__natural_key__": "number", "annotations": {"kind": Mapped[str]}}
    with declared(kind=col.code("名称", "no_such_table"), **body) as entity:
        with pytest.raises(startup.UnsoundDeclarations) as told:
            startup.require_sound([entity])
        assert {fault.id for fault in told.value.faults} >= {"D01", "D02", "D03", "D08"}
        for fault in told.value.faults:
            assert fault.hint
            assert str(fault) in str(told.value)
            assert fault.where.startswith("Specimen")


def test_a_field_declared_by_hand_is_a_field_too():
    column = mapped_column(sa.String(20), info={"field": Text(label="颜色", length=20)}, active_history=True)
    with declared(annotations={"colour": Mapped[str]}, colour=column) as entity:
        assert found_in(entity) == set()
        assert entity.fields()["colour"].label == "颜色"
