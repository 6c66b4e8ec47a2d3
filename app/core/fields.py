"""What one column is to people: its label, who may write it, how it is read in and shown.

`col.<kind>(…)` returns an ordinary SQLAlchemy column that carries its Field in `info`. Parsing and showing
stand side by side, so that what is shown can be read back. No query and no right is decided here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import MappedColumn, Relationship, mapped_column, relationship

from app.core import codes, live, places
from app.core.wording import N_

HERE = ZoneInfo("Asia/Shanghai")
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Edit(Enum):
    """Who writes a field after the record exists."""

    FREELY = "freely"
    BY_CHANGE = "by_change"  # written on add, then only by an approved change or a named procedure
    BY_SYSTEM = "by_system"  # never typed by anyone
    FROM_ABOVE = "from_above"  # written by whoever holds <entity>:govern, with a new row too


FREELY, BY_CHANGE, BY_SYSTEM, FROM_ABOVE = Edit.FREELY, Edit.BY_CHANGE, Edit.BY_SYSTEM, Edit.FROM_ABOVE


class Unreadable(ValueError):
    """A typed value is not of the field's form; the text is a sentence for the person who typed it."""


# --- masks --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mask:
    """Shows `head` characters at the start and `tail` at the end, stars between."""

    head: int
    tail: int

    def __call__(self, text: str) -> str:
        if len(text) <= self.head + self.tail:
            return "*" * len(text)
        return text[: self.head] + "*" * (len(text) - self.head - self.tail) + text[len(text) - self.tail :]


def show_ends(head: int, tail: int) -> Mask:
    return Mask(head, tail)


# --- the kinds ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One described column. `name`, `nullable` and `has_default` are filled in when the entity is registered."""

    label: str
    edit: Edit = FREELY
    mask: Mask | None = None
    private: str = ""  # shown only to holders of the right <entity>:<private>, on every surface
    search: bool = False
    sort: bool | str = (
        False  # sortable; a name says which column lends the order (a name sorts by its pinyin)
    )
    listed: bool = False  # a column of the list as it first opens
    filter: bool | None = None  # offered as a filter; None: as its kind does
    section: str = ""
    help: str = ""
    form: bool = True  # False: settled by the program, not asked in forms
    procedure: str = ""  # where a BY_CHANGE field is changed, as the menu says it
    name: str = ""
    nullable: bool = True
    has_default: bool = False

    kind: ClassVar[str] = "text"
    filterable: ClassVar[bool] = False

    @property
    def required(self) -> bool:
        return not self.nullable and not self.has_default

    def parse(self, raw: object) -> Any:
        """Typed text or a JSON value → the attribute's value; None for empty. Raises Unreadable."""
        if raw is None or raw == "":
            return None
        if isinstance(raw, bool | int | float):
            raw = str(raw)
        if not isinstance(raw, str):
            raise Unreadable(_("这一项应填写文字，不能是列表或对象。"))
        text = raw.strip()
        return self.read(text) if text else None

    def read(self, text: str) -> Any:
        return text

    def show(self, value: Any) -> str:
        """The attribute's value → what people read (and may type back)."""
        return "" if value is None else str(value)

    def dump(self, value: Any) -> Any:
        """The attribute's value → JSON: what REST gives and the audit keeps (raw codes, ISO dates)."""
        if isinstance(value, Enum):
            return value.value
        return value.isoformat() if isinstance(value, date | datetime) else value

    def options(self) -> tuple[tuple[str, str], ...] | None:
        """The values to choose from, or None where one types freely."""
        return None

    def live_steps(self) -> Iterator[live.Step]:
        """What of `parse` a page can say while one types."""
        return iter(())


# --- sentences that are said on saving and while one types --------------------------------------------


def missing_sentence(label: str) -> str:
    return _("必填项“%(label)s”为空。请填写后再保存。", label=_(label))


def _too_long(n: int, k: int | str) -> str:
    return _("最多填写%(n)s个字，现有%(k)s个。", n=n, k=k)


def _starred() -> str:
    return _("含有星号，是隐藏后的内容。请填写完整内容；不修改的，请保持原样。")


def _unseen() -> str:
    return _("含有不可见或无法保存的字符。请删去后重新填写。")


def _pictured() -> str:
    return _("含有表情或图形符号。请只填写文字。")


def _formula(c: str) -> str:
    return _("不能以“%(c)s”开头，以免被Excel当作公式。请去掉开头的符号。", c=c)


def _refuse_odd_characters(text: str) -> None:
    for ch in text:
        kind = unicodedata.category(ch)
        is_new_han = 0x20000 <= ord(ch) <= 0x3FFFD
        is_broken = ch == "\ufffd"  # stands where bytes were no UTF-8
        if kind in ("Cc", "Cs", "Co", "Cf") or is_broken or (kind == "Cn" and not is_new_han):
            raise Unreadable(_unseen())
        if kind == "So" and (0x2190 <= ord(ch) <= 0x2BFF or ord(ch) >= 0x1F000):
            raise Unreadable(_pictured())


# In a page unassigned characters pass: browsers know other versions of Unicode than the server.
_UNSEEN_IN_PAGE = r"[\p{Cc}\p{Cs}\p{Co}\p{Cf}\ufffd]"
_PICTURED_IN_PAGE = r"(?=\p{So})[\u2190-\u2bff\u{1f000}-\u{10ffff}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Field):
    length: int = 100
    clean: Callable[[str], str] | None = None
    rule: Callable[[str], str | None] | None = None  # a complaint, or None
    long: bool = False

    filterable: ClassVar[bool] = True

    def read(self, text: str) -> str:
        if len(text) > self._untidied_most:
            raise Unreadable(_too_long(self.length, len(text)))
        if self.mask is not None and "*" in text:
            raise Unreadable(_starred())
        if self.clean:
            text = self.clean(text)
        _refuse_odd_characters(text.replace("\r", "").replace("\n", "") if self.long else text)
        if text[:1] in "=+@" or (text[:1] == "-" and len(text) > 1):
            raise Unreadable(_formula(text[0]))
        if len(text) > self.length:
            raise Unreadable(_too_long(self.length, len(text)))
        if self.rule and (complaint := self.rule(text)):
            raise Unreadable(complaint)
        return text

    @property
    def _untidied_most(self) -> int:
        """So many characters are not even tidied."""
        return max(self.length * 4, 200)

    def live_steps(self) -> Iterator[live.Step]:
        tidying = live.steps_of(self.clean)
        if tidying is None:
            return
        yield live.longest(self._untidied_most, _too_long(self.length, "{k}"))
        if self.mask is not None:
            yield live.lacks(r"\*", _starred())
        yield from tidying
        yield live.lacks((r"(?![\r\n])" if self.long else "") + _UNSEEN_IN_PAGE, _unseen())
        yield live.lacks(_PICTURED_IN_PAGE, _pictured())
        yield live.lacks(r"^(?:[=+@]|-(?=[^]))", _formula("{c}"))
        yield live.longest(self.length, _too_long(self.length, "{k}"))
        if isinstance(self.rule, live.Fits):
            yield self.rule.step()


@dataclass(frozen=True, slots=True, kw_only=True)
class Area(Text):
    """A region's six-digit code. Filtered by equality or by a range, as authorities cover one (519900 to 519999)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Text):
    """A 12-digit area code, shown with the name of the county it lies in; inputs hold the code. Where it is masked the
    name would give it away, and the code stands alone."""

    def show(self, value: Any) -> str:
        if not value or self.mask is not None:
            return value or ""
        return places.named(value)


_phone_rule = live.Fits(
    "1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8}(-[0-9]{1,6})?|[0-9]{7,8}",
    N_("电话号码应为11位手机号，或带区号的固定电话（如0830-1234567）。请核对后填写。"),
)


def tidy(text: str) -> str:
    """Half width, no blanks around it."""
    return unicodedata.normalize("NFKC", text).strip()


live.tidies(tidy, live.NFKC, live.TRIM)

_ABROAD = "(?:\\+|00)86"
_AREA = "10|2[0-9]|[3-9][0-9]{2}"  # of a land line, without its 0
_PHONES = (
    (f"^(?:{_ABROAD})?[ -]*(1)" + "[ -]*([0-9])" * 10 + "$", "".join(f"${n}" for n in range(1, 12))),
    (f"^{_ABROAD}[ -]*0?({_AREA})[ -]*([0-9]{{7,8}})((?:-[0-9]{{1,6}})?)$", "0$1-$2$3"),
)
"""Forms in which numbers are copied, and what is kept of them, $1 for the first group as scripts write it."""


def tidy_phone(text: str) -> str:
    """As people copy it, +86 138-0000 1234 → 13800001234, +86 830-1234567 → 0830-1234567; else a land line keeps its dashes."""
    text = tidy(text)
    for form, put in _PHONES:
        text = re.sub(form, re.sub(r"\$([0-9]+)", r"\\g<\1>", put), text)
    return text


live.tidies(tidy_phone, live.NFKC, live.TRIM, *(live.swap(*one) for one in _PHONES))


_whole_number = live.Fits("-?[0-9]{1,12}", N_("应填写整数，如12。请去掉文字、小数点和单位。"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Field):
    low: int = 0
    high: int = 999_999
    sums: bool = False  # a list that shows it says the sum of all its rows

    kind: ClassVar[str] = "number"
    filterable: ClassVar[bool] = True

    def read(self, text: str) -> int:
        text = tidy(text)
        if complaint := _whole_number(text):
            raise Unreadable(complaint)
        value = int(text)
        if not self.low <= value <= self.high:
            raise Unreadable(self._outside())
        return value

    def _outside(self) -> str:
        return _("应在%(low)s到%(high)s之间。", low=self.low, high=self.high)

    def live_steps(self) -> Iterator[live.Step]:
        yield from (live.NFKC, live.TRIM, _whole_number.step())
        yield live.between(self.low, self.high, self._outside())


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Field):
    kind: ClassVar[str] = "flag"
    filterable: ClassVar[bool] = True

    def parse(self, raw: object) -> bool | None:
        return raw if isinstance(raw, bool) else super(Flag, self).parse(raw)

    def read(self, text: str) -> bool:
        text = tidy(text)
        if text in ("1", "是", _("是"), "true", "True"):
            return True
        if text in ("0", "否", _("否"), "false", "False"):
            return False
        raise Unreadable(_("应填写“是”或“否”。"))

    def show(self, value: Any) -> str:
        return "" if value is None else (_("是") if value else _("否"))

    def options(self) -> tuple[tuple[str, str], ...]:
        return (("1", _("是")), ("0", _("否")))


_PART = r"[ ]*[-\u2013\u2014/.\u3002\u3001%s ][ ]*"  # 2015-9-3, 2015.9.3, 2015年9月3日, 2015 9 3
DAY_FORM = (
    "([0-9]{4})([0-9]{2})([0-9]{2})"
    + f"|([0-9]{{4}}){_PART % '年'}([0-9]{{1,2}}){_PART % '月'}([0-9]{{1,2}})[ ]*[日号]?"
)
MONTH_FORM = f"((?:19|20|21)[0-9]{{2}})(?:{_PART % '年'})?(1[0-2]|0?[1-9])[ ]*月?"
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


def _no_such_day() -> str:
    return _("日历上没有这一天。请核对年、月、日。")


def _no_day() -> str:
    return _("日期格式应为YYYYMMDD，如20120904。")


def _no_month() -> str:
    return _("年月格式应为YYYYMM，如202609。")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Field):
    """Typed as people type days: eight digits, or year, month and day with a sign between them."""

    kind: ClassVar[str] = "day"
    filterable: ClassVar[bool] = True

    def read(self, text: str) -> date:
        found = re.fullmatch(DAY_FORM, tidy(text))
        try:
            day = date(*(int(part) for part in found.groups() if part)) if found else None
        except ValueError:
            raise Unreadable(_no_such_day()) from None
        if day is None or not EARLIEST <= day <= LATEST:
            raise Unreadable(_no_day())
        return day

    def show(self, value: date | None) -> str:
        return value.isoformat() if value else ""

    def live_steps(self) -> Iterator[live.Step]:
        says = {"says": _no_day(), "never": _no_such_day()}
        bounds = {"low": EARLIEST.isoformat(), "high": LATEST.isoformat()}
        yield from (live.NFKC, live.TRIM, {"do": "day", "form": DAY_FORM, **bounds, **says})


@dataclass(frozen=True, slots=True, kw_only=True)
class Month(Field):
    """A year and month, kept as "YYYYMM"."""

    kind: ClassVar[str] = "month"

    def read(self, text: str) -> str:
        found = re.fullmatch(MONTH_FORM, tidy(text))
        if not found:
            raise Unreadable(_no_month())
        return f"{found[1]}{int(found[2]):02d}"

    def live_steps(self) -> Iterator[live.Step]:
        yield from (live.NFKC, live.TRIM, {"do": "month", "form": MONTH_FORM, "says": _no_month()})


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware in Python, UTC in the database, on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Field):
    kind: ClassVar[str] = "moment"

    def read(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(tidy(text))
        except ValueError:
            raise Unreadable(_("时间格式应为YYYY-MM-DD HH:MM。")) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=HERE)

    def show(self, value: datetime | None) -> str:
        return value.astimezone(HERE).strftime("%Y-%m-%d %H:%M") if value else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Field):
    """A value of a code table under seeds/codes; `only` narrows what may be chosen."""

    table: str
    only: tuple[str, ...] = ()

    kind: ClassVar[str] = "code"
    filterable: ClassVar[bool] = True

    def read(self, text: str) -> str:
        code = codes.table(self.table).find(text) or self._code_of(text)
        if code is None or (self.only and code not in self.only):
            raise Unreadable(_("“%(v)s”不在代码表“%(t)s”中。请从下拉列表中选择。", v=text[:20], t=self.label))
        return code

    def show(self, value: str | None) -> str:
        return _(codes.table(self.table).label(value)) if value else ""

    def options(self) -> tuple[tuple[str, str], ...]:
        offered = codes.table(self.table).current()
        return tuple((code, _(label)) for code, label in offered if not self.only or code in self.only)

    def _code_of(self, text: str) -> str | None:
        """By the label in the reader's language, as it is shown and exported."""
        return next((code for code, label in codes.table(self.table).all() if _(label) == text.strip()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Code):
    """A code table on whose values the program branches, so it is an enumeration as well."""

    members: type[StrEnum]

    def read(self, text: str) -> StrEnum:
        return self.members(super(Choice, self).read(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Field):
    """A foreign key; `link` is the relationship that lends it label and display."""

    target: str  # "table.column"
    link: str = ""

    kind: ClassVar[str] = "key"
    filterable: ClassVar[bool] = True

    def read(self, text: str) -> int:
        found = int(text) if re.fullmatch(r"[1-9][0-9]{0,17}", text := tidy(text)) else None
        if found is None or found > self._biggest:
            raise Unreadable(_("没有找到所选的记录。请从下拉列表中重新选择。"))
        return found

    @property
    def _biggest(self) -> int:
        """Flask-AppBuilder's tables have ids of four bytes; PostgreSQL compares them with nothing longer."""
        return 2**31 - 1 if self.target.startswith("ab_") else 10**18


@dataclass(frozen=True, slots=True)
class Link:
    """What a view-only relationship shows of its target: `shown_as` is an attribute of the target."""

    label: str
    shown_as: str


# --- col.… --------------------------------------------------------------------------------------------


class _Columns:
    """`col.text(…)` and its siblings: a mapped column with its Field in `info`.

    Words common to all: `edit`, `mask`, `private`, `search`, `sort`, `listed`, `filter`, `section`, `help`,
    `form`, `procedure`; SQLAlchemy's `unique`, `index` and `default` pass through.
    """

    _SQL = ("unique", "index", "default", "server_default", "sort_order", "nullable")

    def _make(self, field: Field, type_: Any, *args: Any, **sql: Any) -> MappedColumn[Any]:
        return mapped_column(type_, *args, info={"field": field}, active_history=True, **sql)

    def _split(self, words: dict[str, Any]) -> dict[str, Any]:
        return {key: words.pop(key) for key in self._SQL if key in words}

    def described(self, field: Field, type_: Any, **sql: Any) -> MappedColumn[Any]:
        """A column with a Field of one's own kind."""
        return self._make(field, type_, **sql)

    def text(self, label: str, length: int, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        return self._make(Text(label=label, length=length, **words), sa.String(length), **sql)

    def phone(self, label: str, **words: Any) -> MappedColumn[Any]:
        return self.text(label, 20, clean=tidy_phone, rule=_phone_rule, **words)

    def region(self, label: str, **words: Any) -> MappedColumn[Any]:
        """Six digits of GB/T 2260."""
        sql = self._split(words)
        return self._make(Area(label=label, length=6, **words), sa.String(6), **sql)

    def place(self, label: str, **words: Any) -> MappedColumn[Any]:
        """Twelve digits: GB/T 2260, township and village."""
        sql = self._split(words)
        field = Place(label=label, length=12, clean=places.normal_area, rule=places.check_area, **words)
        return self._make(field, sa.String(12), **sql)

    def number(self, label: str, low: int = 0, high: int = 999_999, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        type_ = words.pop("type_", sa.Integer())
        return self._make(Number(label=label, low=low, high=high, **words), type_, **sql)

    def flag(self, label: str, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        return self._make(Flag(label=label, **words), sa.Boolean(create_constraint=False), **sql)

    def day(self, label: str, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        return self._make(Day(label=label, **words), sa.Date(), **sql)

    def month(self, label: str, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        return self._make(Month(label=label, **words), sa.String(6), **sql)

    def moment(self, label: str, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        return self._make(Moment(label=label, **words), UtcDateTime(), **sql)

    def code(self, label: str, table: str, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        return self._make(Code(label=label, table=table, **words), sa.String(16), **sql)

    def choice(self, label: str, members: type[StrEnum], table: str, **words: Any) -> MappedColumn[Any]:
        sql = self._split(words)
        stored = sa.Enum(
            members, native_enum=False, create_constraint=False, length=20, values_callable=_values_of
        )
        return self._make(Choice(label=label, members=members, table=table, **words), stored, **sql)

    def key(self, target: str, label: str = "", **words: Any) -> MappedColumn[Any]:
        """A foreign key to "table.id"; its label comes from the `col.link` beside it."""
        sql = self._split(words)
        sql.setdefault("index", True)
        reference = sa.ForeignKey(target, ondelete="RESTRICT")
        return self._make(Key(label=label, target=target, **words), BigId, reference, **sql)

    def link(self, label: str, shown_as: str, key: Any = None, eager: bool = False) -> Relationship[Any]:
        """A view-only relationship: only the key column beside it is ever written.

        `key` where two could be meant; `eager` loads it along wherever the row is loaded (for names built from it).
        """
        return relationship(
            foreign_keys=[key.column] if key is not None else None,
            viewonly=True,
            lazy="joined" if eager else "select",
            info={"link": Link(label, shown_as)},
        )


def _values_of(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]


col = _Columns()


def named(field: Field, name: str, column: sa.Column[Any], label: str) -> Field:
    """The field as the entity knows it: with its attribute name, nullability and (for keys) its link's label."""
    return replace(
        field,
        name=name,
        label=field.label or label,
        nullable=bool(column.nullable),
        has_default=column.default is not None or column.server_default is not None,
    )
