"""The data dictionary: every entity and field as the registry has them, as far as the reader may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from flask_babel import gettext as _

from app.areas.people.roles import BUNDLES, read_roles
from app.core import codes, sheets
from app.core.entity import Entity, registry
from app.core.fields import BY_CHANGE, BY_SYSTEM, FROM_ABOVE, Area, Code, Field, Key, Number, Place, Text
from app.core.powers import describe, field_right, is_offered, powers, reading_rights
from app.core.rights import Actor
from app.core.scope import KEY_DATA_CHANGE
from app.core.wording import N_, listed

KINDS = {
    "flag": N_("是或否"),
    "day": N_("日期，YYYYMMDD"),
    "month": N_("年月，YYYYMM"),
    "moment": N_("时间"),
}
CODES_SHEET = N_("代码表")


@dataclass(frozen=True, slots=True)
class Described:
    """One field, in words. `codes`: what may be chosen; `table`: of which code table; the last three: default roles."""

    name: str
    label: str
    section: str
    help: str
    kind: str
    codes: tuple[tuple[str, str], ...]
    table: str
    is_required: bool
    edited: str
    procedure: str
    mask: str
    private: str
    seen_by: tuple[str, ...]
    edited_by: tuple[str, ...]
    revealed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One entity: its key in rights and REST, its name, the first line of its docstring, its fields."""

    key: str
    label: str
    about: str
    fields: tuple[Described, ...]


@dataclass(frozen=True, slots=True)
class CodeList:
    table: str
    labels: tuple[str, ...]  # of the fields that use it
    codes: tuple[tuple[str, str], ...]


def parts_for(by: Actor) -> list[Part]:
    """What this person may read, in the order of the registry. Fields that he sees nowhere are left out."""
    found = (_part(entity, by) for entity in registry if any(by.has(r) for r in reading_rights(entity)))
    return [part for part in found if part.fields]


def _part(entity: type[Entity], by: Actor) -> Part:
    fields = (
        _described(entity, field)
        for name, field in entity.fields().items()
        if is_offered(field) and by.has(field_right(entity, name, "see"))
    )
    about = (entity.__doc__ or "").strip().partition("\n")[0]
    return Part(entity.key(), _(entity.__label__), _(about) if about else "", tuple(fields))


def _described(entity: type[Entity], field: Field) -> Described:
    right = field_right(entity, field.name, "")
    mask = field.mask
    return Described(
        name=field.name,
        label=_(field.label),
        section=_(field.section) if field.section else "",
        help=_(field.help) if field.help else "",
        kind=_kind(field),
        codes=tuple((code, _(label)) for code, label in field.options()) if isinstance(field, Code) else (),
        table=field.table if isinstance(field, Code) else "",
        is_required=field.required and _is_written(entity, field),
        edited=_edited(entity, field),
        procedure=_(field.procedure or KEY_DATA_CHANGE) if field.edit is BY_CHANGE else "",
        mask=_("只显示前%(n)s位和后%(k)s位", n=mask.head, k=mask.tail) if mask else "",
        private=describe(f"{entity.key()}:{field.private}") if field.private else "",
        seen_by=_roles_with(f"{right}see"),
        edited_by=_editors(entity, field),
        revealed_by=_roles_with(f"{right}reveal"),
    )


def _is_written(entity: type[Entity], field: Field) -> bool:
    """By people, in a form."""
    in_forms = field.form and not {"add", "edit"}.isdisjoint(entity.__actions__)
    return in_forms and field.edit is not BY_SYSTEM


def _kind(field: Field) -> str:
    match field:
        case Code():
            return _("代码")
        case Key():
            target = registry.by_table(field.target.partition(".")[0])
            return _("所选的%(what)s", what=_(target.__label__)) if target else _("所选的人员")
        case Number():
            return _("整数，%(low)s到%(high)s", low=field.low, high=field.high)
        case Area() | Place():
            return _("区划代码，%(n)s位数字", n=field.length)
        case Text():
            return _("文字，最多%(n)s个字", n=field.length)
    return _(KINDS[field.kind])


def _edited(entity: type[Entity], field: Field) -> str:
    is_written = _is_written(entity, field)
    if field.edit is BY_CHANGE:
        return _("新增时填写，以后经业务变更") if is_written else _("经业务变更")
    if not is_written:
        return _("系统填写")
    if field.edit is FROM_ABOVE:
        return _("主管部门填写")
    return _("直接修改")


def _editors(entity: type[Entity], field: Field) -> tuple[str, ...]:
    """Of what is written directly; whoever adds a row fills in the rest with it."""
    if field.edit is BY_CHANGE or not _is_written(entity, field):
        return ()
    may_edit = _roles_with(field_right(entity, field.name, "edit"))
    if field.edit is FROM_ABOVE:
        governing = _roles_with(f"{entity.key()}:govern")
        return tuple(role for role in may_edit if role in governing)
    return may_edit


def _roles_with(power: str) -> tuple[str, ...]:
    return tuple(_(label) for label, held in _held(registry.generation) if power in held)


@cache
def _held(generation: int) -> tuple[tuple[str, frozenset[str]], ...]:
    """The default roles that are used, each with its powers."""
    used = (role for role in read_roles().values() if role.name not in BUNDLES.values())
    return tuple((role.label, powers(role.rights)) for role in used)


def code_lists(parts: Iterable[Part]) -> list[CodeList]:
    """The code tables behind these fields, whole, each once, by the label of the first field."""
    labels: dict[str, dict[str, None]] = {}
    for part in parts:
        for field in part.fields:
            if field.table:
                labels.setdefault(field.table, {})[field.label] = None
    return [
        CodeList(table, tuple(used), tuple((code, _(label)) for code, label in codes.table(table).all()))
        for table, used in labels.items()
    ]


# --- as a workbook ------------------------------------------------------------------------------------


def workbook(parts: Iterable[Part]) -> bytes:
    """One sheet for each entity, and one with all codes."""
    parts = list(parts)
    pages = [sheets.Page(part.label, _columns(), [_row(field) for field in part.fields]) for part in parts]
    return sheets.write_book([*pages, _codes_page(parts)])


def _columns() -> list[sheets.Column]:
    heads = (
        (_("项目"), 20),
        (_("英文名"), 20),
        (_("分组"), 16),
        (_("类型"), 20),
        (_("代码表"), 16),
        (_("可选的值"), 40),
        (_("填写说明"), 40),
        (_("是否必填"), 10),
        (_("怎样修改"), 24),
        (_("变更业务"), 28),
        (_("号码隐藏"), 20),
        (_("专项权限"), 24),
        (_("可查看的角色"), 36),
        (_("可修改的角色"), 36),
        (_("可看完整号码的角色"), 36),
    )
    return [sheets.Column(label, width=width) for label, width in heads]


def _row(one: Described) -> tuple[str, ...]:
    return (
        one.label,
        one.name,
        one.section,
        one.kind,
        one.table,
        listed(f"{code} {label}" for code, label in one.codes),
        one.help,
        _("是") if one.is_required else _("否"),
        one.edited,
        one.procedure,
        one.mask,
        one.private,
        *(listed(roles) for roles in (one.seen_by, one.edited_by, one.revealed_by)),
    )


def _codes_page(parts: Iterable[Part]) -> sheets.Page:
    columns = [
        sheets.Column(_("代码表"), width=20),
        sheets.Column(_("项目"), width=30),
        sheets.Column(_("代码")),
        sheets.Column(_("名称"), width=40),
    ]
    rows: Iterator[tuple[str, ...]] = (
        (one.table, listed(one.labels), code, label) for one in code_lists(parts) for code, label in one.codes
    )
    return sheets.Page(_(CODES_SHEET), columns, list(rows))
