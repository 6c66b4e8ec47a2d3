"""Listing: one query and one view model for every list, on staff pages, REST and the bureau's site.

Keyset paging, capped counts, filters by the field's type, one search box. What may be seen is the read wall's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, Literal
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, load_only

from app.core import rights, scope
from app.core.databases import BUREAU_PATH, PREPARED
from app.core.entity import Entity, registry
from app.core.errors import Invalid
from app.core.fields import HERE, Area, Day, Field, Flag, Key, Moment, Number, Text, Unreadable
from app.core.list_views import Comforts
from app.core.questions import Question, questions_of
from app.core.wording import about, listed
from app.surfaces import lookups, tallies
from app.surfaces.display import Painter, Revealed, Sight, is_worded, painter, revealed_along, reveals_through
from app.surfaces.problems import Unfit
from app.surfaces.site import Site, is_personal, with_args
from app.surfaces.viewmodels import Cell, Chip, Column, Crumb, Filter, Hit, Item, ListPage, Reveal, Row

PAGE_SIZE = 50
PAGE_SIZES = (20, 50, 100, 200)
COUNT_CAP = 10_000
FOUND_MOST = 200  # ids in one address
GLIMPSED_MOST = 200
NOTED = 3  # values beside a name
LONGEST_TEXT = 100  # characters of a text filter
WORDS = ("q", "sort", "after", "before", "size", "found")
OPENED_FROM = "in"  # a word in the address of a row
OFFER = "offer"  # a word of pages alone: "all" opens the panel of filters with every one that may be asked
VIEW = "view"  # a word of pages alone: which saved view the address comes from
OF_A_PAGE = ("after", "before", "size", VIEW)  # where one is in a list and how it looks, not what is in it
RANGES = ("__from", "__to")
RANGED = (Day, Moment, Number, Area)


@dataclass
class Asked:
    """What the address asks for, parsed. `conditions` are (field, operator, value)."""

    conditions: list[tuple[Field, str, Any]] = field(default_factory=list)
    q: str = ""
    sort: str = ""
    after: int | None = None
    before: int | None = None
    size: int = PAGE_SIZE
    found: tuple[int, ...] | None = None
    complaints: list[tuple[str, str]] = field(default_factory=list)
    closed: str = ""  # a sentence: the address asks by what this person cannot ask by


def has_made_name(entity: type[Entity]) -> bool:
    """Whether rows are named by what no column holds (七年级（3）班); such a name is shown first."""
    return bool(entity.__shown_as__) and entity.__shown_as__ not in entity.fields()


def named_by(entity: type[Entity]) -> str:
    """The attribute by which rows are called; no field where `has_made_name`."""
    return entity.__shown_as__ or entity.__natural_key__


def choosable(entity: type[Entity], by: rights.Actor) -> dict[str, Field]:
    """The fields that this person may have as columns of the list: all that he sees and that say something in a cell, but
    for a private group's, of which each look is noted."""
    seen = rights.visible_fields(by, entity)
    return {n: f for n, f in seen.items() if is_worded(entity, f) and not f.private}


def filters_of(entity: type[Entity], by: rights.Actor) -> dict[str, Field]:
    """Fields one may filter by: never a masked one, never one this person cannot see; and what else may be asked."""
    columns = {
        name: f
        for name, f in rights.open_fields(by, entity).items()
        if f.mask is None and (f.filter if f.filter is not None else f.filterable)
    }
    asked = {
        name: one
        for name, one in questions_of(entity).items()
        if all(scope.holds_on_all_read(by, right, entity) for right in one.needs)
    }
    return columns | asked


def sortable(entity: type[Entity], by: rights.Actor) -> dict[str, Field]:
    return {n: f for n, f in rights.open_fields(by, entity).items() if f.sort and f.mask is None}


# --- reading the address ------------------------------------------------------------------------------


def read_args(
    entity: type[Entity],
    by: rights.Actor,
    args: Mapping[str, str],
    filters: Mapping[str, Field],
    size: int = PAGE_SIZE,
) -> Asked:
    """The address's words → Asked; `filters` as `filters_of` gives them, `size` of a page whose address names none. Every
    unreadable value is a complaint; to ask by a field that is hidden, masked or unknown is refused as a whole, whichever it
    is."""
    asked = Asked(size=size)
    for name, raw in args.items():
        if name in WORDS:
            _read_word(entity, by, asked, name, raw)
        elif not name.endswith("__text"):  # what a look-up showed beside its id
            _read_filter(filters, asked, name, raw)
    return asked


def _read_word(entity: type[Entity], by: rights.Actor, asked: Asked, name: str, raw: str) -> None:
    if name == "q":
        asked.q = raw.strip()
        if len(asked.q) > 50 or "\0" in asked.q:
            asked.q = ""
            asked.complaints.append(("q", _("查询内容最多50个字，且不能含有特殊字符。请缩短后再查。")))
    elif name == "sort":
        if raw.removeprefix("-") in sortable(entity, by):
            asked.sort = raw
        elif raw:
            asked.closed = _("不能按这一项排序。请点击列标题选择排序方式。")
    elif name == "found" and raw:
        numbers = [row_id(part) for part in raw.split(",")]
        asked.found = tuple(n for n in numbers if n is not None)
        if None in numbers or len(numbers) > FOUND_MOST:
            asked.complaints.append(
                (name, _("编号应为以逗号分隔的数字，最多%(n)s个。请返回列表首页。", n=FOUND_MOST))
            )
    elif name == "size" and raw:
        if raw in map(str, PAGE_SIZES):
            asked.size = int(raw)
        else:
            sizes = listed(map(str, PAGE_SIZES))
            asked.complaints.append((name, _("每页条数可以是%(sizes)s。请返回列表首页。", sizes=sizes)))
    elif raw:
        setattr(asked, name, row_id(raw))
        if row_id(raw) is None:
            asked.complaints.append((name, _("页码位置不正确。请返回列表首页。")))


def row_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _read_filter(filters: Mapping[str, Field], asked: Asked, name: str, raw: str) -> None:
    base, operator = name, "is"
    for ending in RANGES:
        if name.endswith(ending):
            base, operator = name.removesuffix(ending), ending.removeprefix("__")
    found = filters.get(base)
    if found is None or (operator != "is" and not isinstance(found, RANGED)):
        asked.closed = _("不能按“%(name)s”筛选。请使用页面上的筛选条件。", name=name[:40])
        return
    if not raw.strip():
        return
    try:
        is_part = is_free(found)
        value = raw.strip() if is_part else _filter_field(found).parse(raw)
        if isinstance(value, str) and "\0" in value:
            raise Unreadable(_("含有不可见或无法保存的字符。请删去后重新填写。"))
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise Unreadable(_("最多填写%(n)s个字，现有%(k)s个。", n=LONGEST_TEXT, k=len(value)))
    except Unreadable as reason:
        asked.complaints.append((name, about(_(found.label), reason)))
        return
    asked.conditions.append((found, operator, value))


def _filter_field(one: Field) -> Field:
    """A moment is asked for by its day."""
    return Day(label=one.label) if isinstance(one, Moment) else one


# --- the query ----------------------------------------------------------------------------------------


def condition(entity: type[Entity], found: Field, operator: str, value: Any) -> sa.ColumnElement[bool]:
    if isinstance(found, Question):
        return found.where(value)
    column = getattr(entity, found.name)
    if isinstance(found, Moment):
        return _within_days(column, operator, value)
    if operator == "from":
        return column >= value
    if operator == "to":
        return column <= value
    if is_free(found):
        return column.contains(value, autoescape=True)
    return column == value


def is_free(found: Field) -> bool:
    """A text of which a part may be asked for."""
    return isinstance(found, Text) and not isinstance(found, Area) and found.options() is None


def _within_days(column: Any, operator: str, day: date) -> sa.ColumnElement[bool]:
    starts = datetime.combine(day, time(), HERE)
    from_here, to_here = column >= starts, column < starts + timedelta(days=1)
    return {"from": from_here, "to": to_here}.get(operator, sa.and_(from_here, to_here))


def order_of(
    entity: type[Entity], by: rights.Actor, asked: Asked
) -> tuple[list[InstrumentedAttribute[Any]], bool]:
    """The ordering columns (id last) and whether it descends.

    Above one authority there is no index that sorts by name, so lists run by (authority, id) until narrowed.
    """
    if asked.sort:
        chosen = entity.fields()[asked.sort.removeprefix("-")]
        name = chosen.sort if isinstance(chosen.sort, str) else chosen.name
        return _columns(entity, name), asked.sort.startswith("-")
    if entity.__scope__ in ("place", "pupil") and _is_wide(by, entity) and not _is_narrowed(asked):
        return _columns(entity, "authority_code"), False
    return _columns(entity, entity.__order__.removeprefix("-")), entity.__order__.startswith("-")


def _columns(entity: type[Entity], name: str) -> list[InstrumentedAttribute[Any]]:
    return [entity.id] if name == "id" else [getattr(entity, name), entity.id]


def _is_wide(by: rights.Actor, entity: type[Entity]) -> bool:
    extents = by.reach(f"{entity.key()}:list", f"{entity.key()}:show")
    return len(extents) > 1 or any(e.everywhere or e.low != e.high for e in extents)


def spans_authorities(by: rights.Actor, right: str) -> bool:
    return any(extent.everywhere or extent.low != extent.high for extent in by.reach(right))


def _is_narrowed(asked: Asked) -> bool:
    return any(f.name in ("school_id", "class_id", "grade_id") for f, _op, _v in asked.conditions)


class Listing:
    """The rows of one entity that `site.by` may see and the address asks for.

    With `comforts` it is shown as this person likes it, and the address may name one of his views, whose columns it then
    has; one that is not open to him (any more) changes nothing. `words` is the address without that name. What the address
    says of the panel of filters is taken out of `args`, so that no further address has it.
    """

    def __init__(
        self, entity: type[Entity], site: Site, args: Mapping[str, str], comforts: Comforts | None = None
    ) -> None:
        self.entity, self.site, self.args = entity, site, dict(args)
        self.comforts = comforts or Comforts()
        self.offers_all = comforts is not None and self.args.pop(OFFER, "") == "all"
        self.path = site.list_url(entity)
        self.words = self.args if comforts is None else {n: v for n, v in self.args.items() if n != VIEW}
        self.filters = filters_of(entity, site.by)
        self.asked = read_args(
            entity, site.by, self.words, self.filters, self.comforts.liking.size or PAGE_SIZE
        )
        self.view = next((v for v in self.comforts.views if str(v.id) == self.args.get(VIEW)), None)
        self.columns, self.descending = order_of(entity, site.by, self.asked)
        self.has_more = False
        self.counted: int | None = None

    def require_sound(self) -> None:
        """Raises Unfit when the address asks by what is not this person's to ask by, Invalid for unreadable values."""
        if self.asked.closed:
            raise Unfit(400, self.asked.closed)
        if self.asked.complaints:
            raise Invalid(self.asked.complaints)

    def where(self) -> list[sa.ColumnElement[bool]]:
        found = [condition(self.entity, *one) for one in self.asked.conditions]
        if self.asked.found is not None:
            found.append(self.entity.id.in_(self.asked.found))
        if self.asked.q:
            among = rights.searched_fields(self.site.by, self.entity)
            dialect = self.site.session.get_bind().dialect.name
            found.append(self.entity.search(self.asked.q, dialect, among))
        return found

    @cached_property
    def sortable(self) -> dict[str, Field]:
        return sortable(self.entity, self.site.by)

    def fields(self) -> list[Field]:
        """The columns that were chosen; else those declared as listed, or the first six where none is, for people who see
        several schools with the school as the second."""
        seen = rights.visible_fields(self.site.by, self.entity)
        if chosen := self._chosen(seen):
            return chosen
        listed = [f for f in seen.values() if f.listed] or [f for f in seen.values() if f.form][:6]
        if self._spans_schools() and "school_id" in seen and self.entity.__scope__ != "audit":
            listed = [f for f in listed if f.name != "school_id"]
            listed.insert(0 if has_made_name(self.entity) else 1, seen["school_id"])
        return listed

    def _chosen(self, seen: Mapping[str, Field]) -> list[Field]:
        """Of what the view or the person has chosen the columns that he sees, behind what rows are called by. A column
        that is hidden or gone by now is passed over."""
        wanted = (self.view.columns if self.view else ()) or self.comforts.liking.columns
        open_ = choosable(self.entity, self.site.by) if wanted else {}
        found = [open_[name] for name in wanted if name in open_]
        first = seen.get(named_by(self.entity))
        if not found or first is None:
            return found
        return [first, *(one for one in found if one is not first)]

    def _spans_schools(self) -> bool:
        extents = self.site.by.reach(f"{self.entity.key()}:list")
        return any(e.low for e in extents) or len(extents) > 1

    def rows(self, fields: Sequence[Field] | None = None) -> list[Entity]:
        """One page of rows in reading order; sets `has_more`, and `counted` where that came along."""
        shown = fields or self.fields()
        if self.asked.q and self._is_first():
            found = self._searched(shown)
            if self.counted is not None and self.counted <= COUNT_CAP:
                return self._cut(found)
        return self._cut(self._walked(shown))

    def _is_first(self) -> bool:
        return self.asked.after is None and self.asked.before is None

    def _cut(self, found: list[Entity]) -> list[Entity]:
        self.has_more = len(found) > self.asked.size
        found = found[: self.asked.size]
        if self._is_first() and not self.has_more:
            self.counted = len(found)
        if self.asked.before is not None and self._cursor is not None:
            found.reverse()
        return found

    def _walked(self, fields: Sequence[Field]) -> list[Entity]:
        """The page by walking an index from the cursor on."""
        page, down = self._from_cursor(self.asked.size + 1)
        order = [c.desc() if down else c.asc() for c in self.columns]
        query = sa.select(self.entity).where(self.entity.id.in_(page.order_by(*order))).order_by(*order)
        return self._named(list(self.site.session.scalars(query.options(*self._loads(fields)))), fields)

    def _from_cursor(self, most: int) -> tuple[sa.Select[int], bool]:
        """The ids behind the cursor, still unordered, and whether they run downwards."""
        cursor = self._cursor
        down = self.descending != (self.asked.before is not None and cursor is not None)
        page = sa.select(self.entity.id).where(*self.where()).limit(most)
        if cursor is not None:
            here = sa.tuple_(*self.columns)
            there = sa.tuple_(
                *(sa.bindparam(None, v, c.type) for v, c in zip(cursor, self.columns, strict=True))
            )
            page = page.where(here < there if down else here > there)
        return page, down

    def _searched(self, fields: Sequence[Field]) -> list[Entity]:
        """The first page of what is searched for, found once for the page and for its count: an index of names has no
        order that could be walked. Beyond COUNT_CAP hits the page is any, and to be walked after all."""
        hits = sa.select(*self.columns).where(*self.where()).limit(COUNT_CAP + 1).subquery()
        order = [hits.c[c.key].desc() if self.descending else hits.c[c.key] for c in self.columns]
        page = sa.select(hits.c.id, sa.func.count().over().label("hits"))
        page_ = page.order_by(*order).limit(self.asked.size + 1).subquery()
        query = sa.select(self.entity, page_.c.hits).join(page_, page_.c.id == self.entity.id)
        query = query.order_by(*(c.desc() if self.descending else c for c in self.columns))
        is_number = self.entity.search_number(self.asked.q, ()) is not None
        how = PREPARED if is_number else {}
        found = self.site.session.execute(query.options(*self._loads(fields)), execution_options=how).all()
        self.counted = found[0].hits if found else 0
        return self._named([row[0] for row in found], fields)

    def glimpse(self, most: int) -> tuple[list[Hit], bool]:
        """The first few rows, and whether there are more: what a search over all lists shows of this one. One statement,
        which looks at GLIMPSED_MOST rows however many are meant; beyond, the first are any."""
        fields = [f for f in self.fields() if f.mask is None and not isinstance(f, Number | Flag)]
        some = sa.select(self.entity.id).where(*self.where()).limit(GLIMPSED_MOST)
        order = [c.desc() if self.descending else c for c in self.columns]
        query = sa.select(self.entity).where(self.entity.id.in_(some)).order_by(*order).limit(most + 1)
        rows = self._named(list(self.site.session.scalars(query.options(*self._loads(fields)))), fields)
        sight = Sight.of(self.site, self.entity, fields, [row.id for row in rows])
        painters = [painter(self.entity, one, self.site, sight=sight) for one in fields]
        return [self._hit(row, painters) for row in rows[:most]], len(rows) > most

    def _hit(self, row: Entity, painters: Sequence[Painter]) -> Hit:
        name, texts = row.shown(), [text for paint in painters if (text := paint(row).text)]
        notes = [one for one in texts if not any(more.startswith(one) and more != one for more in texts)]
        notes = [one for one in notes if not name.startswith(one)][:NOTED]
        return Hit(name, self.site.show_url(self.entity, row.id), _("，").join(notes))

    def _loads(self, fields: Sequence[Field]) -> tuple[Any, ...]:
        """Linked names are joined to the page alone: inside it they would be joined to every row that is sorted."""
        entity: Any = self.entity
        return _loads(entity, tuple(f.name for f in fields), tuple(c.key for c in self.columns))

    def _named(self, found: list[Entity], fields: Sequence[Field]) -> list[Entity]:
        load_names(self.site.session, self.entity, found, fields)
        return found

    @cached_property
    def _cursor(self) -> Sequence[Any] | None:
        """The sort values of the row the address names; a row that vanished means page one."""
        cursor = self.asked.after if self.asked.before is None else self.asked.before
        if cursor is None:
            return None
        query = sa.select(*self.columns).where(self.entity.id == cursor)
        return self.site.session.execute(query).first()

    def count(self) -> int:
        """Exact to COUNT_CAP, COUNT_CAP + 1 beyond. Ordered, so that an index is walked and not the table.

        After `rows`, asks only for what these do not tell.
        """
        if self.counted is None:
            self.counted = int(self.site.session.scalar(self.counting()) or 0)
        return self.counted

    def narrowed_to(self, one: Field, value: Any) -> Listing:
        """This list with another condition on a sortable field in place of its own, for counting."""
        other = copy(self)
        conditions = [kept for kept in self.asked.conditions if kept[0].name != one.name]
        other.asked = replace(self.asked, conditions=[*conditions, (one, "is", value)])
        other.columns, other.counted = _columns(self.entity, one.name), None
        return other

    def counting(self) -> sa.Select[int]:
        """The statement of `count`: one row of one number, `n`."""
        inner = sa.select(self.entity.id).where(*self.where())
        inner = inner.order_by(*self.columns).limit(COUNT_CAP + 1)
        return sa.select(sa.func.count().label("n")).select_from(inner.subquery())

    # --- the view model ---

    def url(self, **changes: object) -> str:
        """This list's address with some words changed; paging starts anew unless named."""
        kept: dict[str, object] = {k: v for k, v in self.args.items() if k not in ("after", "before") and v}
        return with_args(self.path, kept | changes)

    def page(self) -> ListPage:
        fields = self.fields()
        revealed = Revealed.now(self.entity, self.site.by)
        self.require_sound()
        rows = self.rows(fields)
        figures = tallies.figures_of(self.entity, self.site, [row.id for row in rows])
        offered = self._offered(fields)
        return ListPage(
            title=self.site.title_of(self.entity),
            crumbs=crumbs(self.entity, self.site),
            columns=[
                *self._name_column(),
                *(self._column(f) for f in fields),
                *figures.columns,
            ],
            rows=figures.beside(self._painted(rows, fields, revealed)),
            count=count_text(self.count()),
            filters=[self._filter(f) for f in offered],
            filters_open=self.offers_all,
            all_filters_url=self.url(**{OFFER: "all"}) if len(offered) < len(self.filters) else None,
            chips=list(self.chips()),
            search=self.asked.q if self.entity.can_search() else None,
            search_hint=_(self.entity.__search_hint__) if self.entity.__search_hint__ else "",
            search_url=f"/search/{self.entity.__path__}",
            keep=tuple(self._kept("q", "found")) + ((("site", "bureau"),) if self.site.is_bureau else ()),
            keep_filtering=tuple(self._kept(*self.filters)),
            list_url=self.path,
            reset_url=self.path,
            first_url=self.url() if self.asked.after or self.asked.before else None,
            previous_url=self._previous(rows),
            next_url=self._next(rows),
            reveal=self._reveal(fields, rows, revealed),
            empty_title=_("没有符合条件的记录") if self._is_filtered() else _("还没有记录"),
            empty_hint=_("请减少筛选条件，或点击“重置”查看全部。") if self._is_filtered() else "",
            sums=self.sums(fields) if rows else [],
            sums_of=_("前%(n)s条", n=f"{COUNT_CAP:,}".replace(",", " ")) if self.count() > COUNT_CAP else "",
        )

    def sums(self, fields: Sequence[Field]) -> list[Item]:
        """Of the columns that are declared as sums and of the figures beside the rows, over all rows of the list, exact to
        COUNT_CAP: a statement for either, where there is any. Above one authority figures are not summed."""
        found: list[Item] = []
        if summed := [f for f in fields if isinstance(f, Number) and f.sums and f.mask is None]:
            found += self._summed(rights.open_fields(self.site.by, self.entity), summed)
        if not spans_authorities(self.site.by, f"{self.entity.key()}:list"):
            found += tallies.totals_of(self.entity, self.site, self._first_ids)
        return found

    def _first_ids(self) -> sa.Select[int]:
        """The ids of all rows in reading order, up to COUNT_CAP."""
        order = [c.desc() if self.descending else c for c in self.columns]
        return sa.select(self.entity.id).where(*self.where()).order_by(*order).limit(COUNT_CAP)

    def _summed(self, open_: Collection[str], fields: Sequence[Field]) -> Iterator[Item]:
        """Of what is seen on every row."""
        seen = [f for f in fields if f.name in open_]
        if not seen:
            return
        rows = self._first_ids().with_only_columns(*(getattr(self.entity, f.name) for f in seen)).subquery()
        totals = self.site.session.execute(sa.select(*(sa.func.sum(c) for c in rows.c))).one()
        for one, n in zip(seen, totals, strict=True):
            yield Item(_(one.label), Cell(tallies.grouped(int(n or 0))))

    def _kept(self, *without: str) -> Iterator[tuple[str, str]]:
        for name, value in self.args.items():
            base = name.removesuffix("__from").removesuffix("__to").removesuffix("__text")
            if value and base not in without and name not in ("after", "before"):
                yield name, value

    def _is_filtered(self) -> bool:
        return bool(self.asked.conditions or self.asked.q or self.asked.found is not None)

    def _column(self, one: Field) -> Column:
        current: Literal["asc", "desc"] | None = None
        if self.asked.sort.removeprefix("-") == one.name:
            current = "desc" if self.asked.sort.startswith("-") else "asc"
        can = one.name in self.sortable
        turn = f"-{one.name}" if current == "asc" else one.name
        return Column(
            one.name,
            _(one.label),
            isinstance(one, Number),
            current,
            self.url(sort=turn) if can else None,
        )

    def _name_column(self) -> list[Column]:
        return [Column("", _(self.entity.__label__))] if has_made_name(self.entity) else []

    def _painted(self, rows: Sequence[Entity], fields: Sequence[Field], revealed: Revealed) -> list[Row]:
        sight = Sight.of(self.site, self.entity, fields, [obj.id for obj in rows])
        painters = [painter(self.entity, one, self.site, revealed, sight) for one in fields]
        can_open, has_name = self.site.can_open(self.entity), has_made_name(self.entity)
        named = named_by(self.entity)
        at = next((i for i, f in enumerate(fields) if f.name == named), 0)
        return [self._row(obj, painters, can_open, None if has_name else at) for obj in rows]

    def _row(self, obj: Entity, painters: Sequence[Painter], can_open: bool, name_at: int | None) -> Row:
        """`name_at`: which cell leads to the row; None where the row is named before all cells."""
        url = self.site.show_url(self.entity, obj.id) + self.opened_from if can_open else None
        cells = [paint(obj) for paint in painters]
        if name_at is None:
            return Row(obj.id, url, (Cell(obj.shown(), url=url), *cells))
        if url and cells and cells[name_at].url is None and cells[name_at].tone is None:
            named = cells[name_at]
            cells[name_at] = Cell(named.text or _("查看"), url=url, masked=named.masked)
        return Row(obj.id, url, tuple(cells))

    @cached_property
    def opened_from(self) -> str:
        """What the address of a row says of the list that it is opened from; "" for the whole list. Never a number that
        was searched for."""
        asked = self.args if self.view else self.words
        words = {n: v for n, v in asked.items() if v and not (n == "q" and is_personal(v))}
        return f"?{urlencode({OPENED_FROM: urlencode(words)})}" if words else ""

    def ids(self, most: int) -> list[int]:
        """The first ids behind the cursor, in the order of the walk."""
        page, down = self._from_cursor(most)
        order = [c.desc() if down else c.asc() for c in self.columns]
        return list(self.site.session.scalars(page.order_by(*order)))

    def neighbours(self, rows: Sequence[Entity]) -> tuple[int | None, int | None]:
        """The ids to name in `before` and in `after` for the pages around these rows; None where there is none."""
        if not rows:
            return None, None
        has_previous = self.asked.after or (self.asked.before and self.has_more)
        has_next = self.asked.before or self.has_more
        return rows[0].id if has_previous else None, rows[-1].id if has_next else None

    def _previous(self, rows: Sequence[Entity]) -> str | None:
        before, _after = self.neighbours(rows)
        return self.url(before=before) if before is not None else None

    def _next(self, rows: Sequence[Entity]) -> str | None:
        _before, after = self.neighbours(rows)
        return self.url(after=after) if after is not None else None

    def _offered(self, shown: Sequence[Field]) -> list[Field]:
        """The filters in the panel, as declared: the usual ones, those of the columns and those that are asked; or all."""
        if self.offers_all:
            return list(self.filters.values())
        wanted = {f.name for f in shown} | {f.name for f, _op, _v in self.asked.conditions}
        return [f for f in self.filters.values() if f.listed or f.filter or f.name in wanted]

    def _filter(self, one: Field) -> Filter:
        values = {
            op: self.args.get(one.name + ("" if op == "is" else f"__{op}"), "") for op in ("is", "from", "to")
        }
        kind, options, lookup = filter_shape(one)
        label = self._key_label(one, values["is"]) if isinstance(one, Key) and values["is"] else ""
        return Filter(
            one.name,
            _(one.label),
            kind,  # type: ignore[arg-type]
            values["from"] if kind.startswith("range") else values["is"],
            values["to"],
            label,
            options,
            lookups.spelled(one, options),
            lookup,
        )

    def chips(self) -> Iterator[Chip]:
        if self.asked.q:
            yield Chip(_("查询：%(q)s", q=self.asked.q), self.url(q=None))
        if self.asked.found is not None:
            yield Chip(_("查到的指定记录"), self.url(found=None))
        signs = {"is": _("："), "from": " ≥ ", "to": " ≤ "}
        for one, operator, value in self.asked.conditions:
            name = one.name if operator == "is" else f"{one.name}__{operator}"
            text = (
                self._key_label(one, str(value)) if isinstance(one, Key) else _filter_field(one).show(value)
            )
            yield Chip(f"{_(one.label)}{signs[operator]}{text}", self.url(**{name: None}))

    def _key_label(self, one: Key, raw: str) -> str:
        target = one.target.partition(".")[0]
        wanted = row_id(raw)
        if target not in registry or wanted is None:
            return raw
        found = self.site.session.get(registry[target], wanted)
        return found.shown() if found is not None else raw

    def _reveal(self, fields: Sequence[Field], rows: Sequence[Entity], revealed: Revealed) -> Reveal | None:
        return reveal_form(self.entity, self.site, fields, rows, _("本页所列记录"), self._here(), revealed)

    def _here(self) -> str:
        return with_args(self.path, dict(self.args))


def count_together(listings: Sequence[Listing]) -> None:
    """Counts them all in one statement, so that each `count` is known. They are of one site."""
    if listings:
        parts = [one.counting().subquery() for one in listings]
        joined: Any = parts[0]
        for part in parts[1:]:
            joined = joined.join(part, sa.true())
        query = sa.select(*(part.c.n for part in parts)).select_from(joined)
        row = listings[0].site.session.execute(query).one()
        for one, n in zip(listings, row, strict=True):
            one.counted = n


@lru_cache(maxsize=512)
def _loads(entity: Any, shown: tuple[str, ...], order: tuple[str, ...]) -> tuple[Any, ...]:
    """Only the columns that a list shows, sorts and reveals by, and the linked rows' names along with them."""
    fields, links = entity.fields(), sa.inspect(entity).relationships
    names = {"id", "version", *shown, *order, *reveals_through(entity)}
    names |= {entity.__shown_as__} if entity.__shown_as__ in fields else set(entity.__shown_from__)
    shown_links = {f.link for name in shown if isinstance(f := fields[name], Key) and f.link}
    return (
        load_only(*(getattr(entity, name) for name in sorted(names) if name not in links)),
        *(
            name_load(joinedload(getattr(entity, link)), entity, link)
            for link in sorted(shown_links | {name for name in names if name in links})
        ),
    )


def name_load(load: Any, entity: type[Entity], link: str) -> Any:
    """Of a linked row only what its name is made from; `load` is the option that loads the link."""
    target = getattr(entity, link).property.mapper
    shown = entity.links()[link].shown_as
    parts = (shown,) if shown in target.column_attrs else getattr(target.class_, "__shown_from__", ())
    columns = [getattr(target.class_, name) for name in parts if name in target.column_attrs]
    further = [name for name in parts if name in target.relationships]
    if columns:
        load = load.load_only(*columns)
    return load.options(
        *(name_load(joinedload(getattr(target.class_, n)), target.class_, n) for n in further)
    )


def load_names(
    session: Session, entity: type[Entity], rows: Sequence[Entity], fields: Sequence[Field]
) -> None:
    """What names of these rows, and of those they point at, are made from beyond their own columns."""
    entity.load_names(session, rows)
    for one in fields:
        if isinstance(one, Key) and one.link:
            target = getattr(entity, one.link).property.mapper.class_
            if issubclass(target, Entity):
                target.load_names(session, [found for row in rows if (found := getattr(row, one.link))])


def reveal_form(
    entity: type[Entity],
    site: Site,
    fields: Sequence[Field],
    rows: Sequence[Entity],
    what: str,
    here: str,
    revealed: Revealed,
) -> Reveal | None:
    """Offered where something masked is on screen and the person may see it for a reason."""
    if not rows or not any(f.mask for f in fields) or not site.by.has(f"{entity.key()}:reveal"):
        return None
    if revealed_along(site.by, entity):
        what = _("%(what)s及其名下各项", what=what)
    ids = tuple(row.id for row in rows)
    return Reveal(
        f"/reveal/{entity.key()}", what, here, ids, all(revealed.opens(row.id, row) for row in rows)
    )


def filter_shape(one: Field) -> tuple[str, tuple[tuple[str, str], ...], str | None]:
    """(kind of the filter, its options, its look-up address)."""
    if (options := one.options()) is not None:
        return "choice", options, None
    if isinstance(one, Day | Moment):
        return "range_day", (), None
    if isinstance(one, Number | Area):
        return "range_number", (), None
    if isinstance(one, Key):
        return "lookup", (), f"/lookup/{one.target.partition('.')[0]}"
    return "text", (), None


def count_text(count: int) -> str:
    if count > COUNT_CAP:
        return _("%(n)s条以上", n="10 000")
    return _("共%(n)s条", n=f"{count:,}".replace(",", " "))


def number_text(n: int) -> str:
    """As `count_text` says it, without the words."""
    return f"{tallies.grouped(COUNT_CAP)}+" if n > COUNT_CAP else tallies.grouped(n)


def crumbs(entity: type[Entity], site: Site, *more: Crumb) -> list[Crumb]:
    home = Crumb(_("区域概览"), BUREAU_PATH) if site.is_bureau else Crumb(_("首页"), "/")
    url = site.list_url(entity) if site.by.has(f"{entity.key()}:list") else None
    return [home, Crumb(site.title_of(entity), url), *more]
