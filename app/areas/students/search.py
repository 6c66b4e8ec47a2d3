"""Quick search for pupils: decides what was typed, then asks one index (framework-notes.md, Cost).

Digits are exact numbers, Latin letters pinyin initials or pinyin, Chinese a part of the name. `conditions` only;
the read wall adds the scope.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.areas.students import numbers
from app.areas.students.models import NumberHistory, Student
from app.core import names

_LATIN = re.compile(r"[A-Za-z' -]+")
_NUMBER = re.compile(r"(?=(\D*\d){4})[A-Z0-9()/]+")  # no name has four digits


def is_number(typed: str) -> bool:
    """A 学籍号, or the number of an ID card, a passport or another document."""
    return _NUMBER.fullmatch(numbers.normal(typed)) is not None


def by_number(typed: str, among: Collection[str]) -> sa.ColumnElement[bool]:
    """The pupil who has or ever had this 学籍号, or has this ID number, where that is among the fields to look in."""
    number = numbers.normal(typed)
    found = [
        sa.select(Student.id).where(Student.student_no == number),
        sa.select(NumberHistory.student_id).where(NumberHistory.student_no == number),
    ]
    if "id_number" in among:
        found.append(sa.select(Student.id).where(Student.id_number == number))
    return Student.id.in_(sa.union_all(*found))


def by_name(typed: str, dialect: str) -> sa.ColumnElement[bool]:
    """Latin letters: initials or pinyin by half-open range; anything else: a part of the name."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if _LATIN.fullmatch(text):
        letters = text.lower()
        return sa.or_(_begins(Student.name_initials, letters), _begins(Student.name_key, letters))
    part = names.clean(typed)
    found = Student.name.contains(part, autoescape=True)
    if dialect == "postgresql" and part:
        held = sa.func.name_pieces(Student.name).op("@>")(sa.cast(_pieces(part), sa.ARRAY(sa.Text)))
        return sa.and_(held, found) if len(part) > 2 else held
    return found


def by_pinyin(student_id: InstrumentedAttribute[Any], typed: str, dialect: str) -> sa.ColumnElement[bool]:
    """The rows of the pupils whom Latin letters mean. For what keeps a name as it was, and no pinyin."""
    if not _LATIN.fullmatch(typed):
        return sa.false()
    return student_id.in_(sa.select(Student.id).where(by_name(typed, dialect)))


def _pieces(part: str) -> list[str]:
    """The pairs that whoever has this part in the name has as well; of one character itself."""
    return [part[i : i + 2] for i in range(len(part) - 1)] or [part]


def _begins(column: InstrumentedAttribute[str], text: str) -> sa.ColumnElement[bool]:
    return sa.and_(column >= text, column < text[:-1] + chr(ord(text[-1]) + 1))
