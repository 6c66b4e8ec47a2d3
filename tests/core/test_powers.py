"""What a set of rights and limits amounts to: the powers that whoever decides asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import areas
from app.core import grants, powers
from app.core.entity import registry

areas.load()  # rights come from the declarations

PLAIN = frozenset(powers.plain_rights())
LIMITS = tuple(sorted(right for right in powers.all_rights() if powers.is_limit(right)))
SETS = st.frozensets(st.sampled_from(sorted(powers.all_rights())), max_size=40)


def of(*rights: str) -> frozenset[str]:
    return powers.powers(frozenset(rights))


def test_whoever_reads_sees_the_fields_and_whoever_writes_edits_them() -> None:
    assert "student:phone:see" in of("student:show")
    assert "student:phone:edit" not in of("student:show")
    assert {"student:phone:see", "student:phone:edit"} <= of("student:show", "student:edit")
    assert "student:phone:reveal" in of("student:show", "student:reveal")


def test_whoever_cannot_read_a_record_holds_no_power_over_its_fields() -> None:
    assert of("student:edit", "student:reveal") == {"student:edit", "student:reveal"}


@pytest.mark.parametrize(
    ("limit", "gone"),
    [("hide", {"see", "edit", "reveal"}), ("lock", {"edit"}), ("veil", {"reveal"})],
)
def test_a_limit_takes_one_field_away_and_what_rests_on_it(limit: str, gone: set[str]) -> None:
    whole = of("student:show", "student:edit", "student:reveal")
    left = of("student:show", "student:edit", "student:reveal", f"student:phone:{limit}")
    assert whole - left == {f"student:phone:{verb}" for verb in gone}
    assert left <= whole


def test_what_a_row_is_called_by_is_never_hidden() -> None:
    for entity in registry:
        hidden = {right.split(":")[1] for right in powers.limits_of(entity) if right.endswith(":hide")}
        assert hidden & powers.naming_fields(entity) == set(), entity
    assert "student:name:see" in of("student:show", "student:name:hide")


def test_a_private_group_is_seen_by_its_own_right_alone() -> None:
    assert "student:health:see" not in of("student:show", "student:edit")
    assert "student:health:see" in of("student:health")
    assert "student:health:edit" in of("student:health", "student:edit")


def test_rows_edited_in_anothers_form_are_read_with_it_unless_they_are_private() -> None:
    assert "class_grade:grade_id:see" in of("school_class:show")
    assert "family_member:name:see" not in of("student:show")
    assert "family_member:name:see" in of("family_member:show")


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_there_is_takes_a_power_away(limit: str) -> None:
    what, _sep, verb = limit.rpartition(":")
    power = f"{what}:{powers.LIMITS[verb]}"
    assert powers.limit_on(power) == limit
    assert power in powers.powers(PLAIN)
    assert power not in powers.powers(PLAIN | {limit})


def test_a_plain_right_has_no_limit_upon_it() -> None:
    assert powers.limit_on("student:edit") is None


@given(SETS, SETS)
def test_more_rights_give_more_and_more_limits_give_less(held: frozenset[str], other: frozenset[str]) -> None:
    plain = frozenset(right for right in other if not powers.is_limit(right))
    limits = other - plain
    assert powers.powers(held) <= powers.powers(held | plain)
    assert powers.powers(held | limits) <= powers.powers(held)


@given(SETS, SETS)
def test_what_is_fitted_into_a_template_gives_no_more_than_either(
    held: frozenset[str], template: frozenset[str]
) -> None:
    fitted = powers.powers(grants.fitted(held, template))
    assert fitted <= powers.powers(template)
    assert fitted <= powers.powers(held)
