"""Codes of regions: which lie at and below an authority, and how the 12-digit area codes of forms are read.

The regions themselves, with their names, are an entity; who knows the names says so by `named_by`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from app.core import live
from app.core.wording import N_, with_note

_REGION = re.compile(r"[0-9]{6}")
_NAMED = r"^.*\(([0-9]{12})\)$"  # at half width
PROVINCES = frozenset(
    str(code)
    for low, high in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for code in range(low, high + 1)
)


def authority_range(code: str) -> tuple[str, str]:
    """The codes at and below an authority: 510100 → 510100 to 510199; a county's range is its own code."""
    if not _REGION.fullmatch(code):
        raise ValueError("a region code has six digits")
    stem = re.sub(r"0000$|00$", "", code)
    return code, stem + "9" * (6 - len(stem))


def regions_above(code: str) -> tuple[str, ...]:
    """The code itself and what it lies in: 510121 → 510121, 510100, 510000."""
    return tuple(dict.fromkeys((code, code[:4] + "00", code[:2] + "0000")))


def normal_code(text: str) -> str:
    """Half width, without blanks."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def normal_area(text: str) -> str:
    """As stored: GB/T 2260 plus township and village; codes of 6 or 9 digits are filled up with zeros.

    A code with its name before it, as `named` gives it, is read as the code.
    """
    code = re.sub(_NAMED, r"\1", normal_code(text))
    return code.ljust(12, "0") if re.fullmatch(r"[0-9]{6}|[0-9]{9}", code) else code


live.tidies(normal_code, live.NFKC, live.swap(r"\s", ""))
live.tidies(
    normal_area,
    live.NFKC,
    live.swap(r"\s", ""),
    live.swap(_NAMED, "$1"),
    live.swap("^([0-9]{6})$", "$1000000"),
    live.swap("^([0-9]{9})$", "$1000"),
)

_IN_A_PROVINCE = f"(?:{'|'.join(sorted(PROVINCES))})"

check_region = live.Fits(
    f"{_IN_A_PROVINCE}[0-9]{{4}}",
    N_("行政区划代码应为6位数字，前两位为省级代码。请在“行政区划”中查对后填写。"),
)
"""A complaint about a 6-digit code, or None. Whether there is such a region is not asked."""

check_area = live.Fits(
    f"{_IN_A_PROVINCE}[0-9]{{10}}",
    N_("区划代码应为12位数字（省市县6位、乡镇3位、村3位），不清楚乡镇、村的可只填前6位。请查对后填写。"),
)
"""A complaint about a 12-digit code, or None. County codes are retired: only the province is compared."""


# --- codes with their names ---------------------------------------------------------------------------

_name_of: list[Callable[[str], str]] = []


def named_by(name_of: Callable[[str], str]) -> None:
    """Says who knows the name of a six-digit code; "" is for none."""
    _name_of[:] = [name_of]


def path_of(code: str) -> str:
    """The name of what lies at a six-digit code behind that of what it lies in: 510104 → 成都市锦江区; a code that is not
    known is called by what it lies in."""
    names = [name for one in regions_above(code) if _name_of and (name := _name_of[0](one))]
    return "".join(reversed(names[:2]))


def named(area: str) -> str:
    """A 12-digit area code as people read it: 成都市锦江区（510104001002）; alone where nothing is known of it."""
    name = path_of(area[:6]) if re.fullmatch(r"[0-9]{12}", area) else ""
    return with_note(name, area) if name else area
