"""Codes of regions: ranges of authorities, area codes as people type them."""

from __future__ import annotations

import pytest

from app.core import places


@pytest.mark.parametrize(
    ("code", "low", "high"),
    [
        ("510000", "510000", "519999"),
        ("510100", "510100", "510199"),
        ("519921", "519921", "519921"),
        ("519900", "519900", "519999"),
    ],
)
def test_an_authority_reaches_every_code_below_it(code: str, low: str, high: str) -> None:
    assert places.authority_range(code) == (low, high)


@pytest.mark.parametrize("code", ["", "51", "51992", "5199210", "51992a", "519921\n"])
def test_a_range_needs_a_code_of_six_digits(code: str) -> None:
    with pytest.raises(ValueError, match="six digits"):
        places.authority_range(code)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("519921", "519921000000"),
        ("519921001", "519921001000"),
        (" ５１９９２１ 001002 ", "519921001002"),
        ("5199", "5199"),
    ],
)
def test_area_codes_are_filled_up_to_twelve_digits(typed: str, stored: str) -> None:
    assert places.normal_area(typed) == stored


def test_area_codes_of_retired_counties_pass_and_unknown_provinces_do_not() -> None:
    assert places.check_area("422900000000") is None
    assert "12位" in (places.check_area("999921000000") or "")
    assert "12位" in (places.check_area("5199") or "")


def test_region_codes_have_six_digits_and_a_province() -> None:
    assert places.check_region("519921") is None
    assert places.check_region("009921") is not None
    assert places.check_region("51992") is not None


def test_what_is_shown_of_an_area_is_read_as_its_code() -> None:
    assert places.normal_area("澜川市青岚县（519921100009）") == "519921100009"
    assert places.normal_area("青岚县（519921）") == "青岚县(519921)"
