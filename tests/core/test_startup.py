"""The start-up check names every fault of every declaration at once, each with an id and a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core import startup
from app.core.entity import Entity, OfPlace, OfPupil, registry
from app.core.fields import FROM_ABOVE, Key, Text, col

Declare = Callable[..., type[Entity]]
_names = (f"Declared{n}" for n in count(1))


@pytest.fixture
def declare(app: Any) -> Iterator[Declare]:
    """Declares an entity for one test; `annotations` are given beside the body."""
    made: list[type[Entity]] = []

    def make(*bases: type, annotations: dict[str, Any] | None = None, **body: Any) -> type[Entity]:
        words = {"__label__": "试验", "__path__": f"trial-{len(made)}", "__module__": __name__, **body}
        words["__annotations__"] = annotations or {}
        entity = type(next(_names), bases or (Entity,), words)
        made.append(entity)
        return entity

    yield make
    for entity in made:
        registry.remove(entity)
        Model.metadata.remove(entity.__table__)


def ids_of(*entities: type[Entity]) -> set[str]:
    return {fault.id for fault in startup.faults(entities)}


NOTE = {"note": Mapped[str]}


class Colour(StrEnum):
    RED = "red"


def _without_label(declare: Declare) -> type[Entity]:
    return declare(annotations=NOTE, note=col.text("备注", 20), __label__="")


def _naming_nothing(declare: Declare) -> type[Entity]:
    return declare(annotations=NOTE, note=col.text("备注", 20), __shown_as__="nowhere")


def _with_one_label_twice(declare: Declare) -> type[Entity]:
    annotations = {"one": Mapped[str], "two": Mapped[str]}
    return declare(annotations=annotations, one=col.text("备注", 20), two=col.text("备注", 20))


def _with_an_unlabelled_column(declare: Declare) -> type[Entity]:
    return declare(annotations={"region_id": Mapped[int]}, region_id=col.key("region.id"))


def _with_an_open_phone(declare: Declare) -> type[Entity]:
    return declare(OfPupil, Entity, annotations={"phone": Mapped[str]}, phone=col.phone("电话"))


def _sorting_by_what_may_be_empty(declare: Declare) -> type[Entity]:
    return declare(annotations={"note": Mapped[str | None]}, note=col.text("备注", 20, sort=True))


def _sorting_without_index(declare: Declare) -> type[Entity]:
    body = {"note": col.text("备注", 20, sort=True), "__table_args__": ()}  # the indexes come with the table's words
    return declare(OfPlace, Entity, annotations=NOTE, **body)


def _with_a_lost_code_table(declare: Declare) -> type[Entity]:
    return declare(annotations=NOTE, note=col.code("备注", "no_such_table"))


def _with_an_unlike_enumeration(declare: Declare) -> type[Entity]:
    return declare(annotations={"state": Mapped[Colour]}, state=col.choice("颜色", Colour, "gender"))


def _with_a_link_to_nothing(declare: Declare) -> type[Entity]:
    region: Any = registry["region"]
    key = col.key("region.id")
    annotations = {"region_id": Mapped[int], "region": Mapped[region]}
    return declare(annotations=annotations, region_id=key, region=col.link("区划", shown_as="nowhere", key=key))


def _with_a_writable_relationship(declare: Declare) -> type[Entity]:
    region: Any = registry["region"]
    key = col.key("region.id", "区划")
    annotations = {"region_id": Mapped[int], "region": Mapped[region]}
    return declare(annotations=annotations, region_id=key, region=relationship(foreign_keys=[key.column]))


def _with_a_key_to_no_table(declare: Declare) -> type[Entity]:
    info = {"field": Key(label="某处", target="nowhere.id")}
    column = mapped_column(sa.Integer, info=info, active_history=True)
    return declare(annotations={"place_id": Mapped[int | None]}, place_id=column)


def _with_a_place_and_no_scope(declare: Declare) -> type[Entity]:
    return declare(annotations={"school_id": Mapped[int]}, school_id=col.number("学校"))


def _with_a_column_nobody_fills(declare: Declare) -> type[Entity]:
    return declare(annotations={"note": Mapped[str]}, note=mapped_column(sa.String(20)))


def _forgetting_what_was_before(declare: Declare) -> type[Entity]:
    return declare(
        annotations=NOTE, note=mapped_column(sa.String(9), info={"field": Text(label="备注", length=9)})
    )


def _with_an_unknown_action(declare: Declare) -> type[Entity]:
    return declare(annotations=NOTE, note=col.text("备注", 20), __actions__=("list", "fly"))


def _with_a_column_never_asked(declare: Declare) -> type[Entity]:
    return declare(annotations=NOTE, note=col.text("备注", 20, form=False, edit=FROM_ABOVE))


FAULTY = {
    "D01": _without_label,
    "D02": _naming_nothing,
    "D03": _with_one_label_twice,
    "D04": _with_an_unlabelled_column,
    "D05": _with_an_open_phone,
    "D06": _sorting_by_what_may_be_empty,
    "D07": _sorting_without_index,
    "D08": _with_a_lost_code_table,
    "D09": _with_an_unlike_enumeration,
    "D10": _with_a_link_to_nothing,
    "D11": _with_a_writable_relationship,
    "D12": _with_a_key_to_no_table,
    "D13": _with_a_place_and_no_scope,
    "D14": _with_a_column_nobody_fills,
    "D15": _forgetting_what_was_before,
    "D16": _with_an_unknown_action,
    "D17": _with_a_column_never_asked,
}


@pytest.mark.parametrize("id_", FAULTY)
def test_each_fault_is_found_and_hinted_at(declare: Declare, id_: str) -> None:
    entity = FAULTY[id_](declare)
    found = [fault for fault in startup.faults([entity]) if fault.id == id_]
    assert found
    assert entity.__name__ in found[0].where
    assert found[0].hint


def test_two_entities_at_one_address_are_found(declare: Declare) -> None:
    one = declare(annotations=NOTE, note=col.text("备注", 20), __path__="same")
    two = declare(annotations=NOTE, note=col.text("备注", 20), __path__="same")
    assert "D18" in ids_of(one, two)


def test_a_sound_declaration_has_no_fault(declare: Declare) -> None:
    assert ids_of(declare(annotations=NOTE, note=col.text("备注", 20))) == set()


def test_all_faults_of_all_entities_are_listed_at_once(declare: Declare) -> None:
    one, two = _without_label(declare), _with_a_lost_code_table(declare)
    with pytest.raises(startup.UnsoundDeclarations) as refused:
        startup.require_sound([one, two])
    assert {fault.id for fault in refused.value.faults} >= {"D01", "D08"}
    assert one.__name__ in str(refused.value)
    assert two.__name__ in str(refused.value)


def test_the_declarations_of_this_system_are_sound(app: Any) -> None:
    assert list(startup.faults()) == []


def test_every_check_is_tried_here() -> None:
    assert len(FAULTY) + 1 >= len(startup.CHECKS) >= 12
