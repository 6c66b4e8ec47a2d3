"""The typefaces of printed pages: which character is in which of them, how wide it is, and files cut to what is used.

Noto Sans comes inside a Python package: simplified Chinese first, then what only the traditional or the Japanese file
has (all of the basic block and of extension A, some 2 300 of the rarer ones). What no file has is written out by its
number, so that nobody takes a blank or a box for the name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from itertools import groupby
from threading import Lock

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

PACKAGE, FOLDER = "justmytype_intl_cjk", "fonts/ofl"
FILES = (
    "notosanssc/NotoSansSC[wght].ttf",
    "notosanstc/NotoSansTC[wght].ttf",
    "notosansjp/NotoSansJP[wght].ttf",
)
REGULAR, BOLD = 400, 700
NOT_DRAWN = ["BASE", "GDEF", "GPOS", "GSUB", "HVAR", "MVAR", "STAT", "VVAR", "vhea", "vmtx"]
"""Tables of a font file that a page does without."""
MOST_KEPT = 6_000  # characters of one file that is kept for the next print
LATIN = "".join(map(chr, range(0x20, 0x7F)))


def legible(text: str) -> str:
    """The text as it can be printed: a character that no typeface has as 〔U+20BB7〕; controls and tabs as blanks."""
    return "".join(_legible(ch) for ch in text)


@lru_cache(maxsize=50_000)
def _legible(ch: str) -> str:
    if not _is_shown(ch):
        return ch if ch == "\n" else " "
    return ch if face_of(ch) is not None else f"〔U+{ord(ch):04X}〕"


def _is_shown(ch: str) -> bool:
    return unicodedata.category(ch)[0] not in "CZ" or unicodedata.category(ch) in ("Cn", "Co")


@lru_cache(maxsize=50_000)
def face_of(ch: str) -> int | None:
    """The number of the first file that has the character."""
    return next((n for n in range(len(FILES)) if ord(ch) in _known(n)), None)


def runs(text: str) -> Iterator[tuple[int, str]]:
    """Legible text in pieces of one file each."""
    for face, piece in groupby(text, lambda ch: face_of(ch) or 0):
        yield face, "".join(piece)


def width(text: str, weight: int = REGULAR) -> float:
    """In ems. Chinese characters are one em wide, in every weight."""
    latin = _latin_widths(weight)
    return sum(latin.get(ch) or _advance(ch) for ch in text)


def file_with(face: int, weight: int, letters: frozenset[str]) -> bytes:
    """A TrueType file of one weight that has these characters, and perhaps others that were asked for before: cutting takes
    half a second, and most prints are of the same characters."""
    with _cutting:
        known, content = _kept.get((face, weight), (frozenset(LATIN), b""))
        if content and letters <= known:
            return content
        wanted = known | letters if len(known | letters) <= MOST_KEPT else letters
        content = _cut(face, weight, wanted)
        _kept[face, weight] = wanted, content
        return content


_kept: dict[tuple[int, int], tuple[frozenset[str], bytes]] = {}
_cutting = Lock()


def _cut(face: int, weight: int, letters: Iterable[str]) -> bytes:
    options = Options()
    options.layout_features, options.hinting, options.notdef_outline = [], False, True
    options.drop_tables += NOT_DRAWN
    font, small = _open(face), BytesIO()
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(letters)))
    subsetter.subset(font)
    font.save(small)
    fixed = BytesIO()
    instancer.instantiateVariableFont(TTFont(small), {"wght": weight}).save(fixed)
    return fixed.getvalue()


def _open(face: int) -> TTFont:
    return TTFont(str(files(PACKAGE) / FOLDER / FILES[face]), lazy=True)


@cache
def _known(face: int) -> frozenset[int]:
    return frozenset(_open(face).getBestCmap())


@cache
def _latin_widths(weight: int) -> dict[str, float]:
    font = TTFont(BytesIO(file_with(0, weight, frozenset(LATIN))))
    names, advances, em = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    return {ch: advances[names[ord(ch)]][0] / em for ch in LATIN}


@cache
def _plain_advances() -> tuple[dict[int, str], dict[str, tuple[int, int]], int]:
    font = _open(0)
    return font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm


@lru_cache(maxsize=50_000)
def _advance(ch: str) -> float:
    names, advances, em = _plain_advances()
    found = names.get(ord(ch))
    return advances[found][0] / em if found else 1.0
