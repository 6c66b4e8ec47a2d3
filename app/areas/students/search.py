"""Quick search for pupils: decides what was typed, then asks one index (framework-notes.md, Cost).

Digits are exact numbers, Latin letters pinyin initials or pinyin, Chinese a part of the name. The read wall adds
the scope.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

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


def find_exactly(
    session: Session, typed: Collection[str], among: Collection[str], most: int
) -> Iterator[tuple[str, int]]:
    """(what was typed, id of a pupil who has this name or has or had this number); at most `most` of each kind."""
    by_number: dict[str | None, list[str]] = defaultdict(list)
    by_name: dict[str | None, list[str]] = defaultdict(list)
    for text in typed:
        if is_number(text):
            by_number[numbers.normal(text)].append(text)
        else:
            by_name[names.clean(text)].append(text)
    held = NumberHistory.student_no
    asked: list[tuple[dict[str | None, list[str]], Any]] = [
        (by_name, sa.select(Student.name, Student.id).where(Student.name.in_(by_name))),
        (by_number, sa.select(Student.student_no, Student.id).where(Student.student_no.in_(by_number))),
        (
            by_number,
            sa.select(held, Student.id)
            .join(Student, Student.id == NumberHistory.student_id)
            .where(held.in_(by_number)),
        ),
    ]
    if "id_number" in among:
        query = sa.select(Student.id_number, Student.id).where(Student.id_number.in_(by_number))
        asked.append((by_number, query))
    for forms, query in asked:
        if forms:
            for form, id_ in session.execute(query.order_by(Student.id).limit(most)):
                yield from ((text, id_) for text in forms[form])


def by_name(typed: str, dialect: str) -> sa.ColumnElement[bool]:
    """Latin letters: initials or pinyin, with blanks or without, by half-open range; anything else: a part of the name."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if _LATIN.fullmatch(text):
        letters = text.lower()
        spelled = dict.fromkeys([letters, *names.blanked(letters)])
        return sa.or_(
            _begins(Student.name_initials, letters), *(_begins(Student.name_key, one) for one in spelled)
        )
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
