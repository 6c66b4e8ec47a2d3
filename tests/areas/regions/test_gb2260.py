"""The regions of GB/T 2260 as they are offered for choosing."""

from __future__ import annotations

import re

import pytest

from app.areas.regions.gb2260 import RegionRow, level_of, parent_of, regions


@pytest.fixture(scope="module")
def by_code() -> dict[str, RegionRow]:
    return {row.code: row for row in regions()}


@pytest.mark.parametrize(
    ("code", "name", "parent", "level"),
    [
        ("510000", "四川省", None, "province"),
        ("510100", "成都市", "510000", "city"),
        ("510104", "锦江区", "510100", "county"),
        ("110105", "朝阳区", "110100", "county"),
        ("110100", "市辖区", "110000", "city"),
        ("500229", "城口县", "500200", "county"),
        ("441900", "东莞市", "440000", "city"),
        ("469005", "文昌市", "469000", "county"),
        ("710000", "台湾省", None, "province"),
        ("810000", "香港特别行政区", None, "province"),
        ("820000", "澳门特别行政区", None, "province"),
        ("330113", "临平区", "330100", "county"),
        ("232761", "加格达奇区", "232700", "county"),
    ],
)
def test_a_region_has_its_name_parent_and_level(
    by_code: dict[str, RegionRow], code: str, name: str, parent: str | None, level: str
) -> None:
    assert by_code[code] == (code, name, parent, level)


@pytest.mark.parametrize("code", ["110103", "330103", "422900", "422921", "429001"])
def test_retired_codes_are_not_offered(by_code: dict[str, RegionRow], code: str) -> None:
    assert code not in by_code


def test_a_code_used_twice_in_history_has_its_present_name(by_code: dict[str, RegionRow]) -> None:
    assert by_code["232701"].name == "漠河市"


def test_every_region_comes_after_its_parent_in_the_order_of_codes(by_code: dict[str, RegionRow]) -> None:
    seen: set[str] = set()
    for row in by_code.values():
        assert row.parent_code is None or row.parent_code in seen
        seen.add(row.code)
    assert list(by_code) == sorted(by_code)


def test_the_list_is_whole_and_always_the_same(by_code: dict[str, RegionRow]) -> None:
    levels = [row.level for row in by_code.values()]
    assert levels.count("province") == 34
    assert levels.count("city") > 330
    assert levels.count("county") > 2800
    assert list(regions()) == list(by_code.values())


def test_codes_are_six_digits_and_names_plain_characters(by_code: dict[str, RegionRow]) -> None:
    for row in by_code.values():
        assert re.fullmatch(r"[0-9]{6}", row.code)
        assert re.fullmatch(r"[\u4e00-\u9fff]{1,20}", row.name), row
        assert not set(row.name) & set("區達嶺縣黨別")


def test_the_codes_of_the_demo_district_are_free(by_code: dict[str, RegionRow]) -> None:
    assert not [code for code in by_code if code.startswith("5199")]


def test_level_and_parent_follow_from_the_code_alone() -> None:
    assert (level_of("519900"), parent_of("519900")) == ("city", "510000")
    assert (level_of("519901"), parent_of("519901")) == ("county", "519900")
