"""Numbers of people: citizen ID, other documents, 学籍号; made and checked.

Says whether a number can be right in itself. Whether it is taken, and whose it is, is asked elsewhere.
No sentence contains the number it speaks of.
"""

from __future__ import annotations

import random
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, Final, Literal, cast

from flask_babel import gettext as _
from stdnum.cn import ric

from app.core import live
from app.core.wording import N_

CITIZEN_ID: Final = "1"
RESIDENCE_PERMIT: Final = "P"
OTHER_DOCUMENT: Final = "Z"
MALE: Final = "1"
FEMALE: Final = "2"

_PROVINCE_RANGES = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
PROVINCES: Final = frozenset(str(code) for low, high in _PROVINCE_RANGES for code in range(low, high + 1))
PERMIT_AREAS: Final = frozenset({"810000", "820000", "830000"})  # Hong Kong, Macao, Taiwan
OLDEST_AGE_YEARS: Final = 120

Kind = Literal["G", "J", "L"]
Sentence = str
Complaint = tuple[str, Sentence]

# --- reading ------------------------------------------------------------------------------------------


def normal(raw: str | None) -> str:
    """What was typed, as numbers are stored: half width, capitals, no blanks, no invisible signs."""
    if raw and raw.isascii() and raw.isalnum():
        return raw.upper()  # nearly always, and a million times in bulk
    text = unicodedata.normalize("NFKC", raw or "").upper()
    text = "".join(char for char in text if not char.isspace() and unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", text)  # what a blank kept apart may compose now


live.tidies(normal, live.NFKC, live.UPPER, live.swap(r"\s|\p{Cf}", ""), live.NFKC)


def check_digit(first_17: str) -> str:
    """The last character for 17 digits: ISO 7064 MOD 11-2 as in GB 11643."""
    return ric.calc_check_digit(f"{first_17}0")


def _is_consistent(eighteen: str) -> bool:
    return eighteen[17] == check_digit(eighteen[:17])


def _day_in(eighteen: str) -> date | None:
    """The birth date in characters 7 to 14, if it is one."""
    try:
        return date(int(eighteen[6:10]), int(eighteen[10:12]), int(eighteen[12:14]))
    except ValueError:
        return None


# --- the citizen ID and the residence permit (GB 11643) -----------------------------------------------

_ID_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_OLD_ID_SHAPE = re.compile(r"[0-9]{15}")

ID_EMPTY = N_(
    "身份证件号为空。所选证件类型必须有号码，请对照户口簿或证件填写；确无证件的，证件类型请选“其他”。"
)
ID_OLD = N_("身份证件号是15位的旧号码。15位身份证已停止使用，请对照户口簿改填18位公民身份号码。")
ID_LENGTH = N_("身份证件号不是18位。公民身份号码应为18位，请对照户口簿逐位核对，补上漏填的或删去多填的。")
ID_SHAPE = N_("身份证件号含有不应出现的字符。前17位应为数字，末位应为数字或X，请对照户口簿逐位核对。")
ID_AREA = N_("身份证件号前两位不是省级行政区划代码。可能是填错或漏填了前几位，请对照户口簿逐位核对。")
ID_DATE = N_("身份证件号第7至14位不是有效日期。这8位应为出生年月日，请对照户口簿逐位核对。")
ID_FUTURE = N_("身份证件号中的出生日期晚于今天。第7至14位可能填错，请对照户口簿逐位核对。")
ID_AGE = N_("身份证件号中的出生日期距今超过120年。第7至10位的年份可能填错，请对照户口簿逐位核对。")
ID_CHECK = N_("身份证件号末位校验码不正确。请对照户口簿逐位核对；证件确实如此的，请家长先到户籍派出所核实。")
PERMIT_AREA = N_(
    "居住证号码不是以810000、820000或830000开头。港澳台居民居住证的前6位只有这三种，请对照证件核对；持其他证件的，请改选证件类型。"
)
BORN_ON_DIFFERS = N_(
    "出生日期与身份证件号不一致。身份证件号第7至14位为出生日期，请对照户口簿改正填错的一项。"
)
GENDER_DIFFERS = N_(
    "性别与身份证件号不一致。身份证件号第17位单数为男、双数为女，请对照户口簿改正填错的一项。"
)


def birthday_in(number: str | None) -> date | None:
    """The birth date inside a citizen ID or residence permit; None if there is none to be had."""
    number = normal(number)
    return _day_in(number) if _ID_SHAPE.fullmatch(number) else None


def gender_in(number: str | None) -> str | None:
    """The sex code inside a citizen ID or residence permit; None if there is none to be had."""
    number = normal(number)
    if not _ID_SHAPE.fullmatch(number):
        return None
    return MALE if int(number[16]) % 2 else FEMALE


def check_citizen_id(
    number: str | None, born_on: date | None, gender: str | None, today: date
) -> Iterator[Complaint]:
    """All that is wrong with a citizen ID, as (field, sentence).

    Of the area only the province counts: county codes are retired when counties merge, and live on inside
    ID numbers. Residence permits pass as well: which type the national system gives them is not known.
    """
    yield from _check_eighteen(normal(number), _area_of_id, born_on, gender, today)


def check_residence_permit(
    number: str | None, born_on: date | None, gender: str | None, today: date
) -> Iterator[Complaint]:
    """All that is wrong with the number of a residence permit for Hong Kong, Macao and Taiwan residents."""
    yield from _check_eighteen(normal(number), _area_of_permit, born_on, gender, today)


def _check_eighteen(
    number: str,
    check_area: Callable[[str], Sentence | None],
    born_on: date | None,
    gender: str | None,
    today: date,
) -> Iterator[Complaint]:
    if fault := _shape_fault(number) or check_area(number) or _date_fault(number, today):
        yield "id_number", fault
        return
    if not _is_consistent(number):
        yield "id_number", ID_CHECK
    if born_on and born_on != birthday_in(number):
        yield "born_on", BORN_ON_DIFFERS
    if gender and gender != gender_in(number):
        yield "gender", GENDER_DIFFERS


def _shape_fault(number: str) -> Sentence | None:
    if not number:
        return ID_EMPTY
    if _OLD_ID_SHAPE.fullmatch(number):
        return ID_OLD
    if len(number) != 18:
        return ID_LENGTH
    return None if _ID_SHAPE.fullmatch(number) else ID_SHAPE


def _area_of_id(number: str) -> Sentence | None:
    return None if number[:2] in PROVINCES or number[:6] in PERMIT_AREAS else ID_AREA


def _area_of_permit(number: str) -> Sentence | None:
    return None if number[:6] in PERMIT_AREAS else PERMIT_AREA


def _date_fault(number: str, today: date) -> Sentence | None:
    born = _day_in(number)
    if born is None:
        return ID_DATE
    if born > today:
        return ID_FUTURE
    return ID_AGE if _years(born, today) > OLDEST_AGE_YEARS else None


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


# --- other documents ----------------------------------------------------------------------------------

_DOCUMENT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,20}")
_HONG_KONG_CARD = re.compile(r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)")
_MACAO_CARD = re.compile(r"[0-9]/?[0-9]{6}/?\(?[0-9]\)?")
_TAIWAN_PERMIT = re.compile(r"[A-Z]?[0-9]{8}(?:[0-9]{2})?(?:\(?[A-Z]\)?)?")

DOCUMENT_SHAPE = N_(
    "身份证件号格式不对。这类证件号由5至20位字母或数字组成，且至少有一位数字，请对照证件核对。"
)
DOCUMENT_TAIWAN = N_(
    "台湾居民来往大陆通行证号码格式不对。号码应为8位数字（旧证为10位），请对照证件首页核对。"
)
DOCUMENT_IS_CITIZEN_ID = N_(
    "身份证件号是18位公民身份号码，与所选证件类型不符。请把证件类型改为“居民身份证”，或改填所选证件的号码。"
)
DOCUMENT_OTHER = N_("身份证件号超过20个字符或含有无法显示的字符。请对照证件重新填写号码。")

_EXTRA_SHAPES = {"6": _HONG_KONG_CARD, "7": _MACAO_CARD}


def check_document(id_type: str, number: str | None) -> Sentence | None:
    """A light look at a document other than the citizen ID; None if it may be right.

    Issuers change their forms, and a refused child has nowhere to go: what is plausible passes. Known forms
    beside plain letters and digits: Hong Kong cards with a check character in brackets, Macao cards with
    strokes, 台胞证 of 8 digits (10 in old ones). Type Z may be anything, or empty.
    """
    number = normal(number)
    if id_type == OTHER_DOCUMENT:
        return None if len(number) <= 20 and number.isprintable() else DOCUMENT_OTHER
    if not number:
        return ID_EMPTY
    if _is_citizen_id(number):
        return DOCUMENT_IS_CITIZEN_ID
    if id_type == "8":
        return None if _TAIWAN_PERMIT.fullmatch(number) else DOCUMENT_TAIWAN
    extra = _EXTRA_SHAPES.get(id_type)
    return None if _DOCUMENT.fullmatch(number) or (extra and extra.fullmatch(number)) else DOCUMENT_SHAPE


def _is_citizen_id(number: str) -> bool:
    """Right in every part, so that no passport is taken for one by chance."""
    return (
        _ID_SHAPE.fullmatch(number) is not None
        and number[:2] in PROVINCES
        and birthday_in(number) is not None
        and _is_consistent(number)
    )


def check_identity(
    id_type: str | None, number: str | None, born_on: date | None, gender: str | None, today: date
) -> Iterator[Complaint]:
    """Whatever applies to this type of document, as (field, sentence)."""
    if id_type == CITIZEN_ID:
        yield from check_citizen_id(number, born_on, gender, today)
    elif id_type == RESIDENCE_PERMIT:
        yield from check_residence_permit(number, born_on, gender, today)
    elif id_type and (sentence := check_document(id_type, number)):
        yield "id_number", sentence


# --- what of this a page says while one types ---------------------------------------------------------


def live_steps(today: date, born_on: str = "", gender: str = "") -> dict[str, list[live.Step]]:
    """`check_identity` for a page, by the fields it complains of; `born_on` and `gender`: what they are called, if asked."""
    found = {"id_number": [*_live_eighteen(today, CITIZEN_ID), *_live_eighteen(today, RESIDENCE_PERMIT)]}
    found["id_number"] += _live_documents()
    for kind in (CITIZEN_ID, RESIDENCE_PERMIT):
        words: dict[str, Any] = {**_days(today), "when": [["id_type", kind, True]]}
        form = f"(?=(?:{_live_area(kind)})){_ID_SHAPE.pattern}"
        if born_on:
            step = live.agrees("day", "id_number", form, says=_(BORN_ON_DIFFERS), **words)
            found.setdefault(born_on, []).append(step)
        if gender:
            step = live.agrees("sex", "id_number", form, says=_(GENDER_DIFFERS), **words)
            found.setdefault(gender, []).append(step)
    return found


def _days(today: date) -> dict[str, str]:
    """From when to when a birth date inside a number may lie."""
    try:
        first = today.replace(year=today.year - OLDEST_AGE_YEARS - 1)
    except ValueError:  # the 29th of February
        first = date(today.year - OLDEST_AGE_YEARS - 1, 2, 28)
    return {"low": (first + timedelta(days=1)).isoformat(), "high": today.isoformat()}


def _live_area(kind: str) -> str:
    permits = "|".join(sorted(PERMIT_AREAS))
    return permits if kind == RESIDENCE_PERMIT else "|".join([*sorted(PROVINCES), permits])


def _live_eighteen(today: date, kind: str) -> Iterator[live.Step]:
    words: dict[str, Any] = {"when": [["id_type", kind, True]]}
    area = PERMIT_AREA if kind == RESIDENCE_PERMIT else ID_AREA
    yield live.filled(_(ID_EMPTY), **words)
    yield live.lacks(f"^{_OLD_ID_SHAPE.pattern}$", _(ID_OLD), **words)
    yield live.fits("[^]{18}", _(ID_LENGTH), **words)
    yield live.fits(_ID_SHAPE.pattern, _(ID_SHAPE), **words)
    yield live.fits(f"(?:{_live_area(kind)}).*", _(area), **words)
    yield live.dated(**_days(today), no_day=_(ID_DATE), too_late=_(ID_FUTURE), too_early=_(ID_AGE), **words)
    yield live.mod11(_(ID_CHECK), **words)


def _live_documents() -> Iterator[live.Step]:
    other = [["id_type", f"(?![{CITIZEN_ID}{RESIDENCE_PERMIT}{OTHER_DOCUMENT}]).+", True]]
    yield live.filled(_(ID_EMPTY), when=other)
    areas = f"(?:{'|'.join(sorted(PROVINCES))}).*"
    never = {"low": "0001-01-01", "high": "9999-12-31", "no_day": "-", "too_late": "-", "too_early": "-"}
    citizen = [live.fits(_ID_SHAPE.pattern, "-"), live.fits(areas, "-"), live.dated(**never), live.mod11("-")]
    yield live.none_of(citizen, _(DOCUMENT_IS_CITIZEN_ID), when=other)
    yield live.fits(_TAIWAN_PERMIT.pattern, _(DOCUMENT_TAIWAN), when=[["id_type", "8", True]])
    for kind, shape in _EXTRA_SHAPES.items():
        form = f"(?:{_DOCUMENT.pattern})|(?:{shape.pattern})"
        yield live.fits(form, _(DOCUMENT_SHAPE), when=[["id_type", kind, True]])
    plain = f"(?![{CITIZEN_ID}{RESIDENCE_PERMIT}{OTHER_DOCUMENT}8{''.join(_EXTRA_SHAPES)}]).+"
    yield live.fits(_DOCUMENT.pattern, _(DOCUMENT_SHAPE), when=[["id_type", plain, True]])


# --- 学籍号 -------------------------------------------------------------------------------------------

NUMBER_PATTERN: Final = re.compile(r"\A[GJL][0-9]{17}[0-9X]\Z")
_AREA = re.compile(r"[0-9]{6}")

STUDENT_NO_LENGTH = N_("学籍号不是19位。学籍号由1位字母和18位号码组成，请从原学校或学籍卡上核对。")
STUDENT_NO_PREFIX = N_("学籍号不是以G、J或L开头。G、J为正式学籍号，L为临时学籍号，请从原学校或学籍卡上核对。")
STUDENT_NO_SHAPE = N_(
    "学籍号含有不应出现的字符。首位字母之后应为数字，只有末位可以是X，请从原学校或学籍卡上核对。"
)
STUDENT_NO_DATE = N_("学籍号第8至15位不是有效日期。这8位应为出生年月日，请从原学校或学籍卡上核对。")
STUDENT_NO_CHECK = N_("学籍号末位校验码不正确。可能有一位填错，请从原学校或学籍卡上逐位核对。")


def check_student_no(text: str | None) -> Sentence | None:
    """What is wrong with a 学籍号, or None. Whether it exists is not asked. L numbers have no check digit."""
    number = normal(text)
    if len(number) != 19:
        return STUDENT_NO_LENGTH
    if number[0] not in "GJL":
        return STUDENT_NO_PREFIX
    if not NUMBER_PATTERN.match(number):
        return STUDENT_NO_SHAPE
    if _day_in(number[1:]) is None:
        return STUDENT_NO_DATE
    return STUDENT_NO_CHECK if number[0] != "L" and not _is_consistent(number[1:]) else None


def make_temporary(area_code: str, born_on: date, rng: random.Random | None = None) -> str:
    """An L number: school's area, birth date, four random digits; `rng` only where the result must repeat.

    Ten thousand numbers share an area and a birth date: the caller makes sure of uniqueness and draws again.
    """
    return f"L{_area(area_code)}{_eight(born_on)}{(rng or secrets.SystemRandom()).randrange(10_000):04}"


def make_formal(citizen_id: str) -> str:
    """The G number of a pupil with a citizen ID. ValueError unless its date and check digit are right."""
    number = normal(citizen_id)
    if birthday_in(number) is None or not _is_consistent(number):
        raise ValueError("not a citizen ID")
    return f"G{number}"


def make_formal_without_id(area_code: str, born_on: date, sequence: int) -> str:
    """The J number of a pupil without one; `sequence` 0 to 999 within area and birth date."""
    if not 0 <= sequence <= 999:
        raise ValueError("sequence must be within 0..999")
    first_17 = f"{_area(area_code)}{_eight(born_on)}{sequence:03}"
    return f"J{first_17}{check_digit(first_17)}"


def kind_of(student_no: str) -> Kind:
    """G, J or L. ValueError for anything that is not a 学籍号."""
    if not NUMBER_PATTERN.match(student_no):
        raise ValueError("not a student number")
    return cast(Kind, student_no[0])


def id_in(student_no: str | None) -> str | None:
    """The ID number that a G number contains; the others contain none."""
    number = normal(student_no)
    return number[1:] if NUMBER_PATTERN.match(number) and number[0] == "G" else None


def _area(code: str) -> str:
    if not _AREA.fullmatch(code):
        raise ValueError("an area code has six digits")
    return code


def _eight(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"  # strftime may drop the zeros of early years
