"""The declaration: what an entity is, the registry of all of them, and the columns that place a row.

A model class is the whole description; surfaces find it in the registry. Who may see or write a row is decided
in `scope` and `rights`, not here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column, relationship

from app.core import live, places
from app.core.errors import Complained, Complaints
from app.core.fields import BigId, Field, Key, Link, UtcDateTime, col, named
from app.core.wording import in_chinese

if TYPE_CHECKING:
    from app.areas.schools.models import School

Scope = Literal["place", "pupil", "parties", "open", "region", "school", "audit"]

ALL_ACTIONS = ("list", "show", "add", "edit", "delete", "reveal")
READ_ONLY = ("list", "show", "reveal")


class Entity(Model):
    """Base of every registered model. A concrete subclass is registered by being defined.

    Class words: `__label__` (Chinese name), `__path__` (plural in addresses), `__menu__` ("组 › 项"),
    `__natural_key__` (attribute people know a row by), `__shown_as__` (attribute shown where a row is named),
    `__shown_from__` (the columns and links that such a name is made from, where it is no column itself),
    `__actions__` (what exists at all), `__duties__` (rights beyond these, used by procedures), `__apart__` (pairs of
    duties that nobody may hold both of at one place), `__confirmed__` (duties for which a school's choice of person waits
    for the bureau's yes), `__procedure__` (what to use instead of a refused button),
    `__narrow__` ({"grade": column, "class": column}: how a grant narrowed to grades or classes finds its rows),
    `__school_wide__` (a narrowed grant still reads the whole school's rows), `__written_in__` (of what everybody reads:
    the columns with a region's code, one of which must lie where the right to write holds), `__inline_of__` (key of the entity in
    whose form this one is edited), `__gone_with__` (key of the entity whose rows take these along when they are deleted for
    good; those edited in its form go anyway), `__opens_with__` (blank rows of it in a new owner's form), `__bureau__` (shown on the bureau's site), `__bureau_label__` (what its list is called there, where that differs), `__order__` (default order column),
    `__tabs_by__` (the sortable column of codes into which lists are parted by tabs).
    """

    __abstract__ = True

    __label__: ClassVar[str] = ""
    __path__: ClassVar[str] = ""
    __menu__: ClassVar[str] = ""
    __natural_key__: ClassVar[str] = ""
    __shown_as__: ClassVar[str] = ""
    __shown_from__: ClassVar[tuple[str, ...]] = ()
    __actions__: ClassVar[tuple[str, ...]] = ALL_ACTIONS
    __procedure__: ClassVar[str] = ""
    __duties__: ClassVar[tuple[str, ...]] = ()
    __apart__: ClassVar[tuple[tuple[str, str], ...]] = ()
    __confirmed__: ClassVar[tuple[str, ...]] = ()
    __narrow__: ClassVar[Mapping[str, str]] = MappingProxyType({})
    __school_wide__: ClassVar[bool] = False
    __written_in__: ClassVar[tuple[str, ...]] = ()
    __inline_of__: ClassVar[str] = ""
    __gone_with__: ClassVar[str] = ""
    __opens_with__: ClassVar[int] = 0
    __bureau__: ClassVar[bool] = False
    __bureau_label__: ClassVar[str] = ""
    __bureau_private__: ClassVar[bool] = False
    __order__: ClassVar[str] = "id"
    __tabs_by__: ClassVar[str] = ""
    __search_hint__: ClassVar[str] = ""
    __add_note__: ClassVar[str] = ""
    __row_links__: ClassVar[tuple[tuple[str, str, str, str], ...]] = ()
    __list_links__: ClassVar[tuple[tuple[str, str, str, str], ...]] = ()
    __scope__: ClassVar[Scope] = "open"
    __extra_args__: ClassVar[tuple[Any, ...]] = ()
    _key: ClassVar[str] = ""

    settled: frozenset[str] = frozenset()  # columns that `settle` filled in the last save: nobody typed them
    doubts: Complained = ()  # what `settle` found; set anew by each `settle` that looks things up
    is_returning: bool = False  # on its way out of the recycle bin: judged as if all of it were new

    @declared_attr
    def id(cls) -> Mapped[int]:
        return mapped_column(BigId, primary_key=True, autoincrement=True, sort_order=-10)

    @declared_attr
    def version(cls) -> Mapped[int]:
        return mapped_column(sa.Integer, nullable=False, default=1, sort_order=100)

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return cls._key

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        return (*cls._place_args(), *_sort_indexes(cls), *cls.__extra_args__, {"sqlite_autoincrement": True})

    def __init_subclass__(cls, **words: Any) -> None:
        cls._key = _snake(cls.__name__)
        super().__init_subclass__(**words)
        if not cls.__dict__.get("__abstract__"):
            registry.add(cls)

    @classmethod
    def _place_args(cls) -> tuple[Any, ...]:
        return ()

    # --- what surfaces ask ---

    @classmethod
    def key(cls) -> str:
        """The entity's name in rights, audit and endpoints: "student", "school_class"."""
        return cls._key

    @classmethod
    def fields(cls) -> Mapping[str, Field]:
        """Attribute → Field, in the order of the declaration."""
        found = cls.__dict__.get("_fields")
        if found is None:
            found = MappingProxyType(dict(_described(cls)))
            cls._fields = found
        return found

    @classmethod
    def differing(cls) -> frozenset[str]:
        """The attributes in which rows must differ, by themselves or together with others."""
        found = cls.__dict__.get("_differing")
        if found is None:
            table: Any = cls.__table__
            uniques = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
            uniques += [one for one in table.indexes if one.unique]
            found = frozenset(column.key for one in uniques for column in one.columns)
            cls._differing = found
        return found

    @classmethod
    def links(cls) -> Mapping[str, Link]:
        """Relationship name → Link."""
        found = cls.__dict__.get("_links")
        if found is None:
            relations = sa.inspect(cls).relationships
            found = MappingProxyType({r.key: r.info["link"] for r in relations if "link" in r.info})
            cls._links = found
        return found

    @classmethod
    def default_of(cls, name: str) -> Any:
        """The value a new row begins with where none is given; None where there is no plain one."""
        default = cls.__table__.c[name].default
        return default.arg if isinstance(default, sa.ColumnDefault) and default.is_scalar else None

    def shown(self) -> str:
        """The row's name for people: a code by its label, what is masked always masked."""
        name = self.__shown_as__ or self.__natural_key__ or "id"
        value, field = getattr(self, name), self.fields().get(name)
        if field is None:
            return str(value or "")
        text = field.show(value)
        return field.mask(text) if text and field.mask else text

    @in_chinese
    def filed_as(self) -> str:
        """The row's name as the audit keeps it."""
        return self.shown()

    # --- what an entity may say for itself ---

    @classmethod
    def load_names(cls, session: Session, rows: Iterable[Entity]) -> None:
        """For a page of rows: loads at once what their names are made from beyond `__shown_from__`."""

    @classmethod
    def can_search(cls) -> bool:
        return any(f.search and f.mask is None for f in cls.fields().values())

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        """The rows meant by what was typed into the search box, looked for in these fields only."""
        texts = [
            getattr(cls, n) for n, f in cls.fields().items() if f.search and f.mask is None and n in among
        ]
        return sa.or_(sa.false(), *(text.contains(typed, autoescape=True) for text in texts))

    @classmethod
    def search_number(cls, typed: str, among: Collection[str]) -> sa.ColumnElement[bool] | None:
        """Where `typed` looks like a personal number: the exact match in these fields. Such a search never goes into an
        address."""
        return None

    @classmethod
    def find_exactly(
        cls, session: Session, typed: Collection[str], among: Collection[str], most: int
    ) -> Iterator[tuple[str, int]]:
        """(what was typed, id of a row that is called just so in one of these fields); at most `most` of each field."""
        wanted = [n for n, f in cls.fields().items() if f.search and f.mask is None and n in among]
        for column in (getattr(cls, name) for name in wanted):
            query = sa.select(column, cls.id).where(column.in_(typed)).order_by(cls.id).limit(most)
            yield from ((value, id_) for value, id_ in session.execute(query))

    def touched(self, *names: str) -> bool:
        """Whether the row is new or comes back, or one of these attributes has changed since it was read."""
        state: Any = sa.inspect(self)
        return (
            self.is_returning
            or not state.persistent
            or any(state.attrs[name].history.has_changes() for name in names)
        )

    def settle(self, session: Session) -> None:
        """Fills what follows from other columns (the place, search keys). Called before `check` on every save.

        What must be looked up to be judged is looked up here and left in `doubts` for `check` to say.
        """

    def check(self) -> Complaints:
        """Complaints about the row as it would be saved: (attribute or "", sentence)."""
        return iter(self.doubts)

    @classmethod
    def live_steps(cls, today: date) -> Mapping[str, Sequence[live.Step]]:
        """What of `check` a page can say while one types, by the field at which it is said."""
        return {}

    def check_inlines(self, rows: Iterable[Entity], written: Collection[str] = ()) -> Complaints:
        """Complaints about the row together with all rows of its inline entities, once they are in.

        `written`: keys of the inline entities of which something was saved, or should have come with a new row.
        """
        return iter(())

    def warnings(self, session: Session) -> Iterator[str]:
        """Sentences for whoever saves the row, though nothing is wrong. Asked once it is checked and before it is
        written, while `touched` still knows; told when it is saved."""
        return iter(())

    def why_not_delete(self) -> Iterator[str]:
        """Sentences that forbid deletion by a button and name the procedure to use."""
        return iter(())

    def goes_with(self) -> Iterator[str]:
        """What is deleted along, as sentences for the second confirmation."""
        return iter(())


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _described(cls: type[Entity]) -> Iterator[tuple[str, Field]]:
    mapper = sa.inspect(cls)
    labels = {
        next(iter(r.local_columns)).key: (r.key, r.info["link"].label)
        for r in mapper.relationships
        if "link" in r.info and len(r.local_columns) == 1
    }
    for prop in mapper.column_attrs:
        column = prop.columns[0]
        field = column.info.get("field")
        if field is None:
            continue
        link, label = labels.get(column.key, ("", ""))
        field = named(field, prop.key, column, label)
        if isinstance(field, Key) and link:
            object.__setattr__(field, "link", link)
        yield prop.key, field


def _sort_indexes(cls: type[Entity]) -> Iterator[sa.Index]:
    """Keyset paging wants (school, column, id) and (authority, column, id) for each sortable column.

    What lies in the recycle bin is left out, so that counting asks the index alone.
    """
    if cls.__scope__ not in ("place", "pupil"):
        return
    columns = {"id", cls.__order__.removeprefix("-")}
    for name, value in vars(cls).items():
        field = getattr(getattr(value, "column", None), "info", {}).get("field")
        if field is not None and field.sort:
            columns.add(field.sort if isinstance(field.sort, str) else name)
    shown = sa.column("deleted_at").is_(None) if issubclass(cls, Recyclable) else None
    for column in sorted(columns):
        for place in ("school_id", "authority_code"):
            parts = (place, "id") if column == "id" else (place, column, "id")
            name = f"ix_{cls.__tablename__}_{'_'.join(parts)}"
            yield sa.Index(name, *parts, sqlite_where=shown, postgresql_where=shown)


# --- registry -----------------------------------------------------------------------------------------


class Registry:
    """Every entity by key, in the order they were declared."""

    def __init__(self) -> None:
        self._entities: dict[str, type[Entity]] = {}
        self.generation = 0  # grows with every change: what is kept of a registry is kept under it

    def add(self, entity: type[Entity]) -> None:
        self._entities[entity.key()] = entity
        self.generation += 1

    def remove(self, entity: type[Entity]) -> None:
        """Takes an entity out again; for tests that add one."""
        self._entities.pop(entity.key(), None)
        self.generation += 1

    def __iter__(self) -> Iterator[type[Entity]]:
        return iter(self._entities.values())

    def __getitem__(self, key: str) -> type[Entity]:
        return self._entities[key]

    def __contains__(self, key: str) -> bool:
        return key in self._entities

    def by_table(self, table: str) -> type[Entity] | None:
        return self._entities.get(table)

    def inlines_of(self, entity: type[Entity]) -> list[type[Entity]]:
        return [other for other in self if other.__inline_of__ == entity.key()]

    def children_of(self, entity: type[Entity]) -> list[tuple[type[Entity], str]]:
        """(entity, key column) for every foreign key that points at `entity`."""
        wanted = f"{entity.__tablename__}.id"
        return [
            (other, name)
            for other in self
            for name, field in other.fields().items()
            if isinstance(field, Key) and field.target == wanted
        ]


registry = Registry()


def owner_key(entity: type[Entity]) -> str:
    """The key column by which an inline entity hangs on its owner."""
    wanted = f"{registry[entity.__inline_of__].__tablename__}.id"
    return next(n for n, f in entity.fields().items() if isinstance(f, Key) and f.target == wanted)


# --- where a row belongs ------------------------------------------------------------------------------


class OfPlace:
    """A row of a place: its school and the authority that decides there (which depends on the stage)."""

    __scope__: ClassVar[Scope] = "place"
    doubts: Complained = ()

    @declared_attr
    def school_id(cls) -> Mapped[int]:
        return col.key("school.id", form=False, index=False, sort_order=-5)

    @declared_attr
    def authority_code(cls) -> Mapped[str]:
        return col.region("主管部门代码", form=False, sort_order=-5)

    @declared_attr
    def school(cls) -> Mapped[School]:
        return relationship(
            "School",
            primaryjoin=lambda: _school_table().c.id == cls.school_id,
            foreign_keys=lambda: [cls.school_id],  # type: ignore[arg-type]
            viewonly=True,
            info={"link": Link("学校", "name")},
        )


def _school_table() -> sa.Table:
    return Model.metadata.tables["school"]


class OfPupil(OfPlace):
    """A row of a pupil: place columns follow the pupil by a composite foreign key."""

    __scope__: ClassVar[Scope] = "pupil"

    @declared_attr
    def student_id(cls) -> Mapped[int]:
        field = Key(label="学生", target="student.id", form=False)
        return mapped_column(BigId, nullable=False, index=True, info={"field": field}, active_history=True)

    def settle(self, session: Session) -> None:
        """The place is the pupil's."""
        student: Any = session.get(registry["student"], self.student_id) if self.student_id else None
        if student is None:
            self.doubts = (("student_id", _("没有找到这条记录所属的学生。请从该学生的页面上重新填写。")),)
            return
        self.doubts = ()
        self.school_id, self.authority_code = student.school_id, student.authority_code

    @classmethod
    def _place_args(cls) -> tuple[Any, ...]:
        return (
            sa.ForeignKeyConstraint(
                ["student_id", "school_id", "authority_code"],
                ["student.id", "student.school_id", "student.authority_code"],
                onupdate="CASCADE",
                ondelete="RESTRICT",
            ),
        )


class OfRegion:
    """A row of a region: written where the right to write covers it, read by whoever holds anything at or below it, and
    above it by those whose region it lies in."""

    __scope__: ClassVar[Scope] = "region"
    __written_in__: ClassVar[tuple[str, ...]] = ("region_code",)

    @declared_attr
    def region_code(cls) -> Mapped[str]:
        return col.region(
            "区划代码",
            listed=True,
            index=True,
            clean=places.normal_code,
            rule=places.check_region,
            help="本区划，或其下的一个区划",
        )

    @declared_attr
    def region_end(cls) -> Mapped[str]:
        return col.text("区划代码止", 6, form=False, filter=False)

    def settle(self, session: Session) -> None:
        """The last code that the region covers."""
        self.region_end = places.authority_range(self.region_code)[1]


class OfParties:
    """A row seen by several parties; `__parties_key__` names the column that holds the change's id."""

    __scope__: ClassVar[Scope] = "parties"
    __parties_key__: ClassVar[str] = "id"


class Recyclable:
    """Deleted rows go to the recycle bin first: hidden by the read wall, restorable."""

    @declared_attr
    def deleted_at(cls) -> Mapped[datetime | None]:
        return mapped_column(UtcDateTime, nullable=True, sort_order=101)
