"""People's names: made tidy, checked, turned into pinyin and initials for sorting and search, masked.

What the household register says stands: nothing here corrects a character or an order of words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from flask_babel import gettext as _
from pypinyin import lazy_pinyin

from app.core import live
from app.core.wording import N_

LONGEST_NAME = 50
DOT = "·"
NO_READING = "#"
LONGEST_KEY, LONGEST_INITIALS = 120, 50  # the columns of `search_keys`

# --- which characters ---------------------------------------------------------------------------------

# The unified ideographs with all extensions (I was encoded for people's names), those of the compatibility
# blocks that registers use, and 〇.
_HAN = (
    "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002ee5d\U0002f800-\U0002fa1f\U00030000-\U0003134f\U00031350-\U000323af"
)
_LOOKALIKES = (
    "\u2e80-\u2fdf\ue000-\uf8ff\U000f0000-\U0010fffd"  # radicals, private use: not characters to anyone else
)
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"

_ANY_HAN = re.compile(f"[{_HAN}]")
_ANY_LATIN = re.compile(f"[{_LATIN}]")
_ANY_LOOKALIKE = re.compile(f"[{_LOOKALIKES}]")
_CHINESE_NAME = re.compile(f"[{_HAN}]+(?:{DOT}[{_HAN}]+)*")
_CHINESE_SIGNS = re.compile(f"[{_HAN}{DOT}]+")
_LATIN_SPACED = rf"\s*[{_LATIN}'’](?:[{_LATIN}'’.\-]|\s+[{_LATIN}'’])*\s*"  # right, but for its blanks
_LATIN_NAME = re.compile(rf"[{_LATIN}'’][{_LATIN}'’.\-]*(?: [{_LATIN}'’][{_LATIN}'’.\-]*)*")

# --- tidying ------------------------------------------------------------------------------------------

_DOTS = dict.fromkeys(map(ord, "•・･‧．∙⋅˙﹒⸱"), DOT)
_FULL_STOP_IN_CHINESE = re.compile(rf"(?<=[{_HAN}])\.(?=[{_HAN}])")
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_NOT_COMPATIBILITY = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")


def clean(raw: str | None) -> str:
    """A name as it is stored: no blanks around it, nothing invisible, one kind of middle dot, NFC.

    Visible blanks inside stay, so that `check_name` can speak of them. Compatibility ideographs stay as well:
    NFC would change them into other characters than the register has.
    """
    text = _INVISIBLE.sub("", raw or "").strip().translate(_DOTS)
    text = _NOT_COMPATIBILITY.sub(lambda part: unicodedata.normalize("NFC", part[0]), text)
    return _FULL_STOP_IN_CHINESE.sub(DOT, text)


live.tidies(
    clean,
    live.swap(_INVISIBLE.pattern, ""),
    live.TRIM,
    live.swap(f"[{''.join(map(chr, _DOTS))}]", DOT),
    live.nfc(_NOT_COMPATIBILITY.pattern),
    live.swap(_FULL_STOP_IN_CHINESE.pattern, DOT),
)

# --- checking -----------------------------------------------------------------------------------------

LATIN_ID_TYPES = frozenset("6789AP")  # documents on which a name may stand in Latin letters

NAME_EMPTY = N_("姓名为空。请按户口簿或身份证件填写。")
NAME_LONG = N_("姓名超过50个字符。可能把其他内容填到了姓名栏，请按户口簿或身份证件填写。")
NAME_SHORT = N_("姓名只有1个字。可能有漏填的字，请对照户口簿补全。")
NAME_BLANK = N_("姓名中含有空格。户口簿上的中文姓名没有空格，请删去空格。")
NAME_DOT = N_("姓名中间隔号“·”的位置不对。间隔号只用在两段名字之间，请删去开头、结尾或重复的间隔号。")
NAME_LOOKALIKE = N_(
    "姓名含有部首符号或自造字。这样的字在其他系统中无法显示和查找，请删去后用输入法重新录入该字。"
)
NAME_LATIN = N_(
    "姓名含有外文字母。所选证件类型的姓名应为汉字，请按户口簿填写；持护照等证件的，请改选相应的证件类型。"
)
NAME_SIGNS = N_("姓名含有数字或符号。中文姓名只用汉字和间隔号“·”，请按户口簿填写。")
LATIN_BLANK = N_("外文姓名的空格不对。单词之间只留一个空格，请删去多余的空格。")
LATIN_SIGNS = N_("外文姓名含有不应出现的字符。外文姓名只用字母、空格、连字符、撇号和句点，请按证件填写。")


def check_name(name: str, id_type: str | None) -> str | None:
    """What is wrong with a cleaned name on this type of document, as a sentence, or None."""
    if not name:
        return NAME_EMPTY
    if len(name) > LONGEST_NAME:
        return NAME_LONG
    if _ANY_LOOKALIKE.search(name):
        return NAME_LOOKALIKE
    if _ANY_LATIN.search(name) and not _ANY_HAN.search(name) and id_type in LATIN_ID_TYPES:
        return _latin_fault(name)
    return _chinese_fault(name)


def _chinese_fault(name: str) -> str | None:
    if _ANY_LATIN.search(name):
        return NAME_LATIN
    if any(char.isspace() for char in name):
        return NAME_BLANK
    if not _CHINESE_SIGNS.fullmatch(name):
        return NAME_SIGNS
    if not _CHINESE_NAME.fullmatch(name):
        return NAME_DOT
    return NAME_SHORT if len(name) < 2 else None


def _latin_fault(name: str) -> str | None:
    if _LATIN_NAME.fullmatch(name):
        return None
    return LATIN_BLANK if _LATIN_NAME.fullmatch(" ".join(name.split())) else LATIN_SIGNS


def live_steps(document: str = "id_type") -> list[live.Step]:
    """`check_name` for a page; `document`: the field with the type of document."""
    types = f"[{''.join(sorted(LATIN_ID_TYPES))}]"
    foreign = f"(?=[^]*[{_LATIN}])(?![^]*[{_HAN}])[^]*"
    is_foreign = [[document, types, True], ["", foreign, True]]
    on_foreign, is_chinese = {"when": is_foreign}, {"unless": is_foreign}
    return [
        live.lacks(_ANY_LOOKALIKE.pattern, _(NAME_LOOKALIKE)),
        live.fits(f"(?:{_LATIN_NAME.pattern})|(?!(?:{_LATIN_SPACED})$)[^]*", _(LATIN_BLANK), **on_foreign),
        live.fits(_LATIN_NAME.pattern, _(LATIN_SIGNS), **on_foreign),
        live.lacks(_ANY_LATIN.pattern, _(NAME_LATIN), **is_chinese),
        live.lacks(r"\s", _(NAME_BLANK), **is_chinese),
        live.fits(_CHINESE_SIGNS.pattern, _(NAME_SIGNS), **is_chinese),
        live.fits(_CHINESE_NAME.pattern, _(NAME_DOT), **is_chinese),
        live.fits("[^]{2,}", _(NAME_SHORT), **is_chinese),
    ]


# --- pinyin -------------------------------------------------------------------------------------------

# pypinyin reads words, not people: these are read otherwise as a surname (现代汉语词典, entries marked 姓).
_SURNAMES = {
    "薄": "bo", "卜": "bu", "查": "zha", "种": "chong", "都": "du", "繁": "po", "盖": "ge", "蓋": "ge",
    "句": "gou", "祭": "zhai", "解": "xie", "阚": "kan", "乐": "yue", "樂": "yue", "么": "yao", "秘": "bi",
    "缪": "miao", "繆": "miao", "乜": "nie", "佴": "nai", "能": "nai", "粘": "nian", "区": "ou", "區": "ou",
    "朴": "piao", "覃": "qin", "仇": "qiu", "单": "shan", "單": "shan", "折": "she", "洗": "xian",
    "员": "yun", "曾": "zeng", "翟": "zhai",
}  # fmt: skip
# Beginnings of two characters that are read as one: compound surnames, and names of other peoples that only
# look as if they began with one of the surnames above.
_BEGINNINGS = {
    "万俟": "mo qi", "尉迟": "yu chi", "澹台": "tan tai", "长孙": "zhang sun",
    "单增": "dan zeng", "单珠": "dan zhu", "单巴": "dan ba", "查干": "cha gan",
}  # fmt: skip
_GIVEN = {"长": "chang", "晟": "sheng", "卜": "bu"}  # in given names and in transliterations
_RARE = {"𠮷": "ji", "㐂": "xi"}  # in use, and not in pypinyin's tables

_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ħ": "h"}
)
_SILENT = re.compile(r"['’.]")
_WORD = re.compile(r"[a-z]+")


def pinyin_of(name: str) -> str:
    """Lower-case syllables, blanks between: 单雄信 → "shan xiong xin", ü as v; Latin names without accents.

    A character of which no reading is known gives "#". Where families differ (盖, 覃), the commoner one.
    """
    if not _ANY_HAN.search(name):
        return _plain_words(name)
    parts = [part for part in re.split(rf"[{DOT}\s]+", name) if part]
    if len(parts) > 1:  # names with a middle dot have no surname in front
        return " ".join(_read(part) for part in parts)
    return _read_person(parts[0])


def initials_of(name: str) -> str:
    """First letters of the pinyin: 王子涵 → "wzh", "Anna-Maria Smith" → "ams"."""
    return "".join(syllable[0] for syllable in pinyin_of(name).split())


def initials_of_words(text: str) -> str:
    """First letters of what is no person's name, a school's for example: 重庆市第一中学 → "cqsdyzx"."""
    return "".join(syllable[0] for syllable in _syllables(text))


def reading_of(text: str) -> str:
    """The pinyin of what is no person's name, blanks between: 壮族 → "zhuang zu"."""
    return " ".join(_syllables(text))


def spellings(text: str) -> tuple[str, ...]:
    """What is typed for any part of it: from each character on the pinyin, and the initials. 花名册 → "huamingce",
    "hmc", "mingce" …"""
    read = _syllables(text.casefold())
    parts = [read[i:] for i in range(len(read))]
    return tuple(spelled for part in parts for spelled in ("".join(part), "".join(s[0] for s in part)))


WAYS_MOST = 8  # of reading letters that were typed without blanks


def blanked(letters: str) -> list[str]:
    """How letters typed in one run may fall into syllables, the last perhaps only begun: "ouyangr" → "ou yang r", "xian" →
    "xian", "xi an". WAYS_MOST at most, those of the longest syllables first."""
    end = len(letters)
    fits: dict[int, list[int]] = {}  # where a syllable may begin → where it may end
    for start in reversed(range(end)):
        inner = range(start + 1, min(start + _LONGEST_SYLLABLE, end - 1) + 1)
        ends = [n for n in inner if n in fits and letters[start:n] in _all_syllables()]
        if letters[start:] in _beginnings_of_syllables():
            ends.append(end)
        if ends:
            fits[start] = ends
    ways: list[str] = []
    begun = [("", 0)]
    while begun and len(ways) < WAYS_MOST:
        done, start = begun.pop()
        if start == end:
            ways.append(done.rstrip())
        begun += [(f"{done}{letters[start:n]} ", n) for n in fits.get(start, ())]
    return ways


_LONGEST_SYLLABLE = 6  # zhuang


@cache
def _all_syllables() -> frozenset[str]:
    """As the characters in common use are read (GB 2312 has them); without ng, m and their like."""
    rows = (bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    read = lazy_pinyin(list(b"".join(rows).decode("gb2312", errors="ignore")), errors="ignore")
    return frozenset(one for one in read if set(one) & set("aeiouv"))


@cache
def _beginnings_of_syllables() -> frozenset[str]:
    return frozenset(one[:n] for one in _all_syllables() for n in range(1, len(one) + 1))


def search_keys(name: str, pinyin: str | None = None) -> dict[str, str]:
    """The columns by which a name is sorted and found; a pinyin that somebody typed goes before ours."""
    ours = pinyin_of(name)
    return {
        "name_key": f"{(pinyin or ours).lower()} {name}"[:LONGEST_KEY],
        "name_initials": initials_of(name)[:LONGEST_INITIALS],
    }


def _read_person(name: str) -> str:
    beginning = _BEGINNINGS.get(name[:2]) or _read_surname(name[0])
    given = name[beginning.count(" ") + 1 :]
    return f"{beginning} {_read(given)}" if given else beginning


@lru_cache(maxsize=8_192)
def _read_surname(char: str) -> str:
    return _SURNAMES.get(char) or _syllables(char)[0]


@lru_cache(maxsize=131_072)  # a million pupils share about a hundred thousand given names
def _read(given: str) -> str:
    pairs = zip(given, _syllables(given), strict=True)
    return " ".join(_GIVEN.get(char, syllable) for char, syllable in pairs)


def _syllables(text: str) -> list[str]:
    """One reading for each character."""
    return lazy_pinyin(text, errors=_read_rare)


def _read_rare(run: str) -> Any:  # a list, which pypinyin takes as it should but its stub does not know
    return [_RARE.get(char, NO_READING) for char in run]


def _plain_words(name: str) -> str:
    """Latin letters without accents, signs and capitals."""
    letters = unicodedata.normalize("NFKD", _SILENT.sub("", name.casefold().translate(_LETTERS)))
    bare = "".join(char for char in letters if not unicodedata.combining(char))
    return " ".join(_WORD.findall(bare)) or (NO_READING if name else "")


# --- masking ------------------------------------------------------------------------------------------


def mask_name(name: str) -> str:
    """For people who need to recognise a name, not to learn it: 张* for any length."""
    return f"{name[0]}*" if name else ""
