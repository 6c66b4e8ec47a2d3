"""The start-up check: reads every declaration and lists all faults at once, each with an id and a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from flask_appbuilder import Model

from app.core import codes
from app.core.entity import Entity, OfPlace, registry
from app.core.fields import Choice, Code, Key

SENSITIVE = ("id_number", "student_no", "phone", "mobile", "bank_account")
"""A column whose name ends in one of these identifies a person: it must be masked."""


RESERVED = frozenset(
    {"q", "sort", "after", "before", "size", "found", "id", "version", "next", "site", "csrf_token"}
)
"""What an address or a form says beside the fields."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a declaration: "D03 Student.phone: …; hint"."""

    id: str
    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.id} {self.where}: {self.what} ({self.hint})"


class UnsoundDeclarations(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n" + "\n".join(map(str, faults)))
        self.faults = faults


def require_sound(entities: Iterable[type[Entity]] | None = None) -> None:
    """Raises UnsoundDeclarations with every fault of every entity."""
    found = list(faults(entities))
    if found:
        raise UnsoundDeclarations(found)


def faults(entities: Iterable[type[Entity]] | None = None) -> Iterator[Fault]:
    chosen = list(registry if entities is None else entities)
    for entity in chosen:
        for check in CHECKS:
            yield from check(entity)
    yield from _shared_paths(chosen)


def _fault(id_: str, entity: type[Entity], name: str, what: str, hint: str) -> Fault:
    return Fault(id_, f"{entity.__name__}.{name}" if name else entity.__name__, what, hint)


def _column(entity: type[Entity], name: str) -> sa.Column[object]:
    return entity.__table__.c[name]


# --- the checks, in the order of their ids ------------------------------------------------------------


def _no_label(entity: type[Entity]) -> Iterator[Fault]:
    if not entity.__label__:
        yield _fault("D01", entity, "", "has no __label__", "give the Chinese name that people read")


def _unknown_names(entity: type[Entity]) -> Iterator[Fault]:
    for word in ("__natural_key__", "__shown_as__", "__order__"):
        name = getattr(entity, word).removeprefix("-")
        if name and not hasattr(entity, name):
            yield _fault(
                "D02", entity, word, f"names {name!r}, which is no attribute", "name a column or property"
            )


def _same_labels(entity: type[Entity]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name, field in entity.fields().items():
        if field.label in seen:
            hint = f"{seen[field.label]} has it already: a person, a template column, a complaint could not tell them apart"
            yield _fault("D03", entity, name, f"repeats the label {field.label!r}", hint)
        seen.setdefault(field.label, name)


def _empty_labels(entity: type[Entity]) -> Iterator[Fault]:
    for name, field in entity.fields().items():
        if not field.label.strip():
            yield _fault(
                "D04", entity, name, "has no label", "give one, or a col.link beside the key that lends it"
            )


def _unmasked(entity: type[Entity]) -> Iterator[Fault]:
    for name, field in entity.fields().items():
        if name.endswith(SENSITIVE) and field.mask is None and entity.key() in _about_pupils():
            yield _fault(
                "D05", entity, name, "identifies a person and is not masked", "add mask=show_ends(…)"
            )


def _about_pupils() -> set[str]:
    """Entities of a pupil, found by their key: the student and whatever hangs on one."""
    return {"student"} | {
        e.key()
        for e in registry
        if any(isinstance(f, Key) and f.target == "student.id" for f in e.fields().values())
    }


def _unsortable(entity: type[Entity]) -> Iterator[Fault]:
    for name, field in entity.fields().items():
        if not field.sort:
            continue
        by = field.sort if isinstance(field.sort, str) else name
        if by not in entity.__table__.c:
            yield _fault("D06", entity, name, f"sorts by {by!r}, which is no column", "name a column")
        elif _column(entity, by).nullable:
            yield _fault(
                "D06",
                entity,
                name,
                "sorts by a column that may be empty",
                "keyset paging would drop rows: NOT NULL",
            )
        elif issubclass(entity, OfPlace) and not _is_indexed(entity, by):
            yield _fault(
                "D07", entity, name, "sorts by a column without index", "index (school_id, column, id)"
            )


def _is_indexed(entity: type[Entity], column: str) -> bool:
    return any(
        [c.name for c in i.columns][:3] == ["school_id", column, "id"] for i in entity.__table__.indexes
    )


def _no_table(entity: type[Entity]) -> Iterator[Fault]:
    for name, field in entity.fields().items():
        if isinstance(field, Code) and field.table not in codes.names():
            yield _fault(
                "D08",
                entity,
                name,
                f"uses code table {field.table!r}, which is not there",
                "add seeds/codes/<name>.csv",
            )


def _members(entity: type[Entity]) -> Iterator[Fault]:
    for name, field in entity.fields().items():
        if isinstance(field, Choice) and field.table in codes.names():
            table = {code for code, _label in codes.table(field.table).all()}
            differing = table ^ {member.value for member in field.members}
            if differing:
                yield _fault(
                    "D09",
                    entity,
                    name,
                    f"table and enumeration differ in {sorted(differing)}",
                    "make both the same",
                )


def _lost_links(entity: type[Entity]) -> Iterator[Fault]:
    shown = {f.link for f in entity.fields().values() if isinstance(f, Key)}
    for name, link in entity.links().items():
        target = sa.inspect(entity).relationships[name].mapper.class_
        if name not in shown:
            yield _fault(
                "D10", entity, name, "is a link without a described key", "declare the key with col.key"
            )
        elif not hasattr(target, link.shown_as):
            yield _fault(
                "D10",
                entity,
                name,
                f"shows {link.shown_as!r}, which {target.__name__} lacks",
                "name an attribute",
            )


def _writable_links(entity: type[Entity]) -> Iterator[Fault]:
    for relation in sa.inspect(entity).relationships:
        if not relation.viewonly:
            yield _fault(
                "D11",
                entity,
                relation.key,
                "is a writable relationship",
                "use col.link: only keys are written",
            )


def _key_targets(entity: type[Entity]) -> Iterator[Fault]:
    for name, field in entity.fields().items():
        if isinstance(field, Key) and field.target.partition(".")[0] not in Model.metadata.tables:
            yield _fault(
                "D12",
                entity,
                name,
                f"points at {field.target!r}, which is no table",
                "name an existing table.id",
            )


def _no_scope(entity: type[Entity]) -> Iterator[Fault]:
    columns = set(entity.__table__.c.keys())
    if entity.__scope__ == "open" and {"school_id", "authority_code"} & columns:
        yield _fault("D13", entity, "", "has place columns but no scope", "derive from OfPlace or OfPupil")
    if entity.__scope__ == "parties" and not hasattr(entity, entity.__parties_key__):
        yield _fault("D13", entity, "", "names no column for its parties", "set __parties_key__")


def _undescribed(entity: type[Entity]) -> Iterator[Fault]:
    for column in entity.__table__.c:
        wanted = not column.nullable and column.default is None and column.server_default is None
        if wanted and not column.primary_key and column.key not in entity.fields():
            yield _fault(
                "D14",
                entity,
                column.key,
                "must be filled but is not described",
                "use col.…, or give a default",
            )


def _no_history(entity: type[Entity]) -> Iterator[Fault]:
    for name in entity.fields():
        if not sa.inspect(entity).column_attrs[name].active_history:
            yield _fault(
                "D15", entity, name, "does not keep its value before", "active_history=True, as col.… sets it"
            )


def _unknown_actions(entity: type[Entity]) -> Iterator[Fault]:
    from app.core.entity import ALL_ACTIONS

    for action in set(entity.__actions__) - set(ALL_ACTIONS):
        yield _fault(
            "D16", entity, "__actions__", f"names {action!r}, which no surface knows", f"one of {ALL_ACTIONS}"
        )
    if entity.__actions__ and not entity.__path__:
        yield _fault(
            "D16", entity, "__path__", "is empty though there are pages", "give the plural used in addresses"
        )


def _never_given(entity: type[Entity]) -> Iterator[Fault]:
    if entity.settle is not Entity.settle or "add" not in entity.__actions__:
        return
    for name, field in entity.fields().items():
        if field.required and not field.form and name not in ("school_id", "student_id"):
            yield _fault(
                "D17",
                entity,
                name,
                "must be filled, but is not asked and not settled",
                "form=True, or settle()",
            )


def _telling_names(entity: type[Entity]) -> Iterator[Fault]:
    """A row's name stands in titles, breadcrumbs and look-ups, where nothing is masked."""
    name = entity.__shown_as__ or entity.__natural_key__
    field = entity.fields().get(name)
    if field is not None and (field.mask or field.private):
        yield _fault(
            "D19",
            entity,
            name,
            "is hidden, and would be shown as the row's name",
            "name another __shown_as__",
        )


def _reserved_names(entity: type[Entity]) -> Iterator[Fault]:
    for name in sorted(RESERVED & set(entity.fields())):
        yield _fault("D20", entity, name, "is a word of lists, forms and APIs", "choose another column name")


def _uncountable_tabs(entity: type[Entity]) -> Iterator[Fault]:
    name = entity.__tabs_by__
    field = entity.fields().get(name)
    if name and (not isinstance(field, Code) or field.sort is not True):
        yield _fault(
            "D21", entity, name, "parts lists into tabs and is no sortable code", "sort=True, for its index"
        )


def _shared_paths(entities: Iterable[type[Entity]]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for entity in entities:
        if entity.__path__ and entity.__path__ in seen:
            yield _fault(
                "D18",
                entity,
                "__path__",
                f"{entity.__path__!r} is {seen[entity.__path__]}'s already",
                "choose another",
            )
        seen.setdefault(entity.__path__, entity.__name__)


CHECKS: tuple[Callable[[type[Entity]], Iterator[Fault]], ...] = (
    _no_label,
    _unknown_names,
    _same_labels,
    _empty_labels,
    _unmasked,
    _unsortable,
    _no_table,
    _members,
    _lost_links,
    _writable_links,
    _key_targets,
    _no_scope,
    _undescribed,
    _no_history,
    _unknown_actions,
    _never_given,
    _telling_names,
    _reserved_names,
    _uncountable_tabs,
)
