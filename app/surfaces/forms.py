"""WTForms from fields: reads what was typed, keeps it on the screen, hands parsed values to saving.

A masked value that comes back as its own mask means "unchanged". No right is decided here; what a person cannot see
is not in the form, and what he may not write is shown greyed with the sentence that says why.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

import wtforms
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.core import live, powers, rights, scope
from app.core.entity import Entity, registry
from app.core.errors import Invalid, Stale
from app.core.fields import (
    FREELY,
    FROM_ABOVE,
    HERE,
    Code,
    Day,
    Field,
    Flag,
    Key,
    Month,
    Number,
    Place,
    Text,
    Unreadable,
    missing_sentence,
)
from app.core.rights import Actor
from app.surfaces import lookups
from app.surfaces.display import Revealed, is_masked, link_text, text_of
from app.surfaces.viewmodels import (
    Conflict,
    ConflictLine,
    FormSection,
    InlineRow,
    InlineTable,
    Input,
    Side,
)

FEW = 40  # so many choices still fit a plain select
ALWAYS_POSTED = ("csrf_token", "version", "settled", "then", "next")
ROW_WORDS = ("id", "version", "settled", "gone")
CHOICE = "__choice"  # what follows a field's name where a conflict asks which side to keep
BEFORE = "before"  # one's own side of a field that only the other changed: what it was
ROWS_MOST = 20  # of one kind in one form


class Declared(wtforms.Field):
    """A WTForms field that parses by the declaration and keeps the typed text for showing it again."""

    def __init__(self, described: Field, current: Collection[str] = (), **words: Any) -> None:
        """`current` is how the form may have shown today's value of a masked field."""
        super().__init__(label=described.label, **words)
        self.described, self.current = described, current
        self.typed: str | None = None

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.typed = valuelist[0]
        if len(valuelist) > 1:
            raise ValueError(_("这一项提交了多个值。请只填写一个。"))
        self.data = self.described.parse(self.typed)
        if isinstance(self.described, Day | Month):
            self.typed = self.described.show(self.data)

    @property
    def is_unchanged_mask(self) -> bool:
        return bool(self.typed) and self.typed in self.current


@dataclass
class Sheet:
    """The form of one row: its described fields, what is on the row now, and what was typed."""

    entity: type[Entity]
    by: Actor
    session: Session
    obj: Entity | None = None
    prefix: str = ""
    revealed: Revealed = field(default_factory=Revealed)
    once_revealed: Revealed = field(default_factory=Revealed)
    complaints: list[tuple[str, str]] = field(default_factory=list)
    form: wtforms.Form | None = None
    texts: dict[str, str] = field(default_factory=dict)  # what was typed into look-ups
    choices: dict[str, str] = field(default_factory=dict)  # of a conflict: which side of a field to keep
    settled: int | None = None  # of a conflict: the version that the choices are about
    decided: int | None = None  # the same, once all of them are made
    seen: int | None = None  # the version that the page was made from
    is_gone: bool = False  # ticked for removal

    @property
    def version(self) -> str:
        """The version that this form carries on."""
        return str(self.seen if self.seen is not None or self.obj is None else self.obj.version)

    @property
    def words_of_conflict(self) -> list[tuple[str, str]]:
        """What the form carries on while it is compared."""
        return [("settled", str(self.settled))] if self.settled is not None and self.is_overtaken else []

    @property
    def saved_at(self) -> int | None:
        """The version that is to be overwritten."""
        return self.seen if self.decided is None else self.decided

    @property
    def is_overtaken(self) -> bool:
        """Whether somebody saved the row since the page was made."""
        return self.obj is not None and self.seen is not None and self.seen != self.obj.version

    @property
    def fields(self) -> dict[str, Field]:
        """What the form shows: fields this person may see, without those only the program settles."""
        return {
            n: f for n, f in self.seen_fields.items() if f.form and not (self.obj is None and n in self.locks)
        }

    @cached_property
    def seen_fields(self) -> dict[str, Field]:
        """The fields that this person sees in this row."""
        if self.obj is None:
            return rights.visible_fields(self.by, self.entity)
        return scope.fields_with(self.session, self.by, "see", self.obj)

    @cached_property
    def editable(self) -> Collection[str]:
        """The fields that this person's roles let him write here; key data is locked beside that."""
        if self.obj is None:
            return {n for n in self.seen_fields if self.by.has(powers.field_right(self.entity, n, "edit"))}
        return scope.fields_with(self.session, self.by, "edit", self.obj)

    @cached_property
    def locks(self) -> Mapping[str, str]:
        """What is greyed in this form for this person → why, with the procedure to use or the right that is missing. Fields
        that stand together and are greyed for one reason share one sentence, which names them all."""
        together: dict[tuple[object, ...], list[str]] = {}
        for name, one in self.seen_fields.items():
            if one.form and (reason := self._lock_of(one)):
                together.setdefault((*reason, "" if self.prefix else one.section), []).append(name)
        return {name: self._why_locked(names) for names in together.values() for name in names}

    def _lock_of(self, one: Field) -> tuple[object, ...]:
        """Equal for fields that are greyed for the same reason; empty where one may write."""
        if self._is_key_data(one):
            return scope.changed_by(one)
        return () if one.name in self.editable else ("right",)

    def _why_locked(self, names: Sequence[str]) -> str:
        if self._is_key_data(self.entity.fields()[names[0]]):
            return scope.locked_sentence(self.entity, *names)
        return rights.refusal(self.by, *(powers.field_right(self.entity, n, "edit") for n in names))

    def _is_key_data(self, one: Field) -> bool:
        if one.edit is FREELY:
            return False
        if self.obj is None:
            return scope.is_closed_on_add(self.by, self.entity, one.name)
        if one.edit is FROM_ABOVE:
            return not scope.may(self.session, self.by, "govern", self.obj)
        return True

    def shown(self, one: Field) -> str:
        """The row's value as an input holds it."""
        if self.obj is None:
            default = self.entity.default_of(one.name)
            return "" if default is None else str(one.dump(default))
        return self._text_in(one, getattr(self.obj, one.name))

    @property
    def whole(self) -> Collection[str]:
        """The masked fields that were revealed in this row."""
        return self.revealed.whole(self.obj.id, self.obj) if self.obj is not None else ()

    def _text_in(self, one: Field, value: Any) -> str:
        """A value as an input of this form holds it."""
        if isinstance(one, Flag):
            return "" if value is None else ("1" if value else "0")
        if isinstance(one, Code | Key | Number) or _is_area(one):
            return "" if value is None else str(one.dump(value))
        return text_of(one, value, self.whole)

    def _masks(self, one: Field) -> Collection[str]:
        """How the form may have shown today's value of a masked field: hidden, or whole after a reveal."""
        whole = "" if self.obj is None or one.mask is None else one.show(getattr(self.obj, one.name))
        return {self.shown(one), one.mask(whole)} if whole and one.mask else ()

    # --- typed → values ---

    def read(self, typed: MultiDict[str, str]) -> dict[str, Any]:
        """The parsed values of what was posted; complaints are kept. Locked fields pass through to saving,
        which refuses them with their sentence when they differ."""
        posted, seen = [n for n in self.entity.fields() if self.prefix + n in typed], self.seen_fields
        declared = {n: Declared(seen[n], self._masks(seen[n])) for n in posted if n in seen}
        self.texts = {n: typed.get(f"{self.prefix}{n}__text", "") for n in posted}
        self.choices = {n: typed.get(f"{self.prefix}{n}{CHOICE}", "") for n in posted}
        self.settled = version_of(typed.get(f"{self.prefix}settled", ""))
        self.form = type("DeclaredForm", (wtforms.Form,), declared)(typed, prefix=self.prefix)
        self.complaints += [(n, unknown(n)) for n in posted if n not in seen]
        data = {}
        for bound in self.form:
            if bound.is_unchanged_mask:
                continue
            if bound.process_errors:
                self.complaints.append((bound.short_name, str(bound.process_errors[0])))
                continue
            data[bound.short_name] = bound.data
        return data

    # --- values → inputs ---

    def inputs(self, complaints: Sequence[tuple[str, str]] = ()) -> dict[str, Input]:
        found: dict[str, list[str]] = {}
        for name, sentence in complaints:
            if name.startswith(self.prefix):
                found.setdefault(name.removeprefix(self.prefix), []).append(sentence)
        return {n: self._input(f, tuple(found.get(n, ()))) for n, f in self.fields.items()}

    def _typed(self, name: str) -> str | None:
        bound = self.form[name] if self.form is not None and name in self.form else None
        if bound is None:
            return None
        return self.shown(bound.described) if self._is_left_alone(bound) else bound.typed

    def _is_left_alone(self, bound: Declared) -> bool:
        """Whether it holds the row's own masked value, hidden or as it was revealed: shown as it may be shown now."""
        name = bound.described.name
        return bound.is_unchanged_mask or (
            self.obj is not None
            and bound.described.name in self.once_revealed.whole(self.obj.id, self.obj)
            and bound.data == getattr(self.obj, name)
        )

    def withdraw(self, name: str) -> None:
        """Shows today's value in place of what was typed."""
        if self.form is not None and name in self.form:
            self.form[name].typed = None

    def _input(self, one: Field, errors: tuple[str, ...]) -> Input:
        typed = self._typed(one.name)
        value = self.shown(one) if typed is None else typed
        made = Input(
            name=self.prefix + one.name,
            label=_(one.label),
            widget="text",
            value=value,
            required=one.required,
            help=_(one.help) if one.help else "",
            errors=errors,
            maxlength=one.length if isinstance(one, Text) and not _is_area(one) else None,
            wide=isinstance(one, Text) and one.length >= 100,
            changed=value != self.shown(one),
        )
        if why := self.locks.get(one.name):
            text = self._locked_text(one)
            return replace(made, widget="readonly", help="", value=text, locked=why, changed=False)
        masked = self.shown(one) if one.mask is not None and self.obj is not None else ""
        return replace(made, checks=self._checks.get(one.name, ()), as_is=masked, **self._widget(one, value))

    @property
    def _checks(self) -> Mapping[str, tuple[live.Check, ...]]:
        return checks_of(self.entity.key(), str(get_locale()), datetime.now(HERE).date())

    def _locked_text(self, one: Field) -> str:
        if self.obj is None:
            return ""
        if isinstance(one, Key):
            return link_text(self.obj, one)
        return text_of(one, getattr(self.obj, one.name), self.whole)

    def _widget(self, one: Field, value: str) -> dict[str, Any]:
        if isinstance(one, Key):
            return self._key_widget(one, value)
        if isinstance(one, Code | Flag):
            options = one.options()
            if value and value not in {code for code, _label in options} and isinstance(one, Code):
                options = (*options, (value, one.show(value)))
            options = (("", _("请选择")), *options)
            return {"widget": "select", "options": options, "spelled": lookups.spelled(one, options)}
        if isinstance(one, Text) and one.long:
            return {"widget": "textarea"}
        if _is_area(one):
            return {
                "widget": "area",
                "lookup_url": f"/lookup/{lookups.AREAS}",
                "lookup_label": _area_text(one, value),
            }
        kinds = {Day: "day", Month: "month", Number: "number"}
        return {"widget": kinds.get(type(one), "text")}

    def _key_widget(self, one: Key, value: str) -> dict[str, Any]:
        target = one.target.partition(".")[0]
        choices = lookups.suggest(self.session, self.by, target, "", FEW + 1)
        if len(choices) <= FEW and (not value or value in {str(id_) for id_, _label in choices}):
            options = (("", _("请选择")), *((str(id_), label) for id_, label in choices))
            return {"widget": "select", "options": options}
        typed = self.texts.get(one.name, "")
        label = lookups.label_of(self.session, self.by, target, value) if value else typed
        return {"widget": "lookup", "lookup_url": f"/lookup/{target}", "lookup_label": label}


def _is_area(one: Field) -> bool:
    """Whether a code is typed where its name is shown; what is masked stays as it is shown."""
    return isinstance(one, Place) and one.mask is None


def _area_text(one: Field, typed: str) -> str:
    """An area code, as it was typed perhaps, with its name; "" where nothing more is known than was typed."""
    with suppress(Unreadable):
        code = one.parse(typed)
        shown = one.show(code)
        return shown if shown != code else ""
    return ""


@lru_cache(maxsize=64)
def checks_of(key: str, locale: str, today: date) -> Mapping[str, tuple[live.Check, ...]]:
    """What a page says of each field while one types. `locale` is the language of this request."""
    entity = registry[key]
    rows = entity.live_steps(today)
    found = {}
    for name, one in entity.fields().items():
        required = [live.filled(missing_sentence(one.label))] if one.required and one.form else []
        steps = (*required, *one.live_steps(), *rows.get(name, ()))
        found[name] = tuple(map(live.Check.of, steps)) if not isinstance(one, Key) else ()
    return found


def unknown(name: str) -> str:
    return _("没有“%(name)s”这一项。请删去后再提交。", name=name[:40])


def refuse_strays(typed: Iterable[str], *known: str) -> None:
    """Raises Invalid for inputs that the form has not got."""
    if strays := [("", unknown(name)) for name in typed if name not in (*known, *ALWAYS_POSTED)]:
        raise Invalid(strays)


def sections(entity: type[Entity], inputs: Mapping[str, Input]) -> list[FormSection]:
    """The inputs by the sections that the declaration names, in its order."""
    grouped: dict[str, list[Input]] = {}
    for name, one in inputs.items():
        grouped.setdefault(entity.fields()[name].section or entity.__label__, []).append(one)
    return [
        FormSection(_(title), tuple(group), f"s{n}") for n, (title, group) in enumerate(grouped.items(), 1)
    ]


def stray_names(
    typed: MultiDict[str, str], entity: type[Entity], inlines: Sequence[type[Entity]]
) -> Iterator[str]:
    """Posted names that belong to no field: junk is refused, not ignored."""
    for name in typed:
        base = name.removesuffix("__text").removesuffix(CHOICE)
        if base not in (*ALWAYS_POSTED, *entity.fields()) and not any(
            _is_inline(base, one) for one in inlines
        ):
            yield name


def _is_inline(name: str, entity: type[Entity]) -> bool:
    """Whether the name is one of a nested row: family_member-0-phone."""
    found = re.fullmatch(rf"{entity.key()}-\d{{1,3}}-(\w+)", name, re.ASCII)
    return found is not None and found[1] in (*ROW_WORDS, *entity.fields())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


def version_of(raw: str) -> int | None:
    """A posted version, or None where it is no number."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


# --- rows nested in the form --------------------------------------------------------------------------


@dataclass
class Nested:
    """The inline rows of one child entity in its owner's form."""

    entity: type[Entity]
    by: Actor
    session: Session
    saved: Sequence[Entity]
    revealed: Revealed = field(default_factory=Revealed)
    once_revealed: Revealed = field(default_factory=Revealed)
    sheets: list[Sheet] = field(default_factory=list)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)  # by prefix, as they were read
    complaints: list[tuple[str, str]] = field(default_factory=list)

    def from_saved(self, is_new: bool) -> None:
        """`is_new`: the owner is not there yet."""
        blank = self.entity.__opens_with__ if is_new else 0
        self.sheets = [self._sheet(n, obj) for n, obj in enumerate([*self.saved, *[None] * blank])]

    def from_typed(self, typed: MultiDict[str, str]) -> None:
        """Reads every row at once, so that all of it stays on the page whatever is refused."""
        by_id = {str(obj.id): obj for obj in self.saved}
        numbers = self._numbers(typed)
        if len(numbers) > ROWS_MOST:
            sentence = _(
                "“%(label)s”最多%(n)s行。请减少后再保存。", label=_(self.entity.__label__), n=ROWS_MOST
            )
            self.complaints.append(("", sentence))
        for n in numbers:
            prefix = self._prefix(n)
            row_id = typed.get(prefix + "id", "")
            sheet = self._sheet(n, by_id.get(row_id))
            sheet.seen, sheet.is_gone = (
                version_of(typed.get(prefix + "version", "")),
                bool(typed.get(prefix + "gone")),
            )
            self.complaints += [("", sentence) for sentence in self._misfits(sheet, row_id)]
            self.values[prefix] = sheet.read(typed)
            self.sheets.append(sheet)

    def _misfits(self, sheet: Sheet, row_id: str) -> Iterator[str]:
        if row_id and sheet.obj is None and not sheet.is_gone:
            yield _(
                "其中一行已被其他人删除。您填写的内容保留为新的一行：仍需要的请再次保存，不需要的请勾选“不保存这一项”。"
            )
        if sheet.obj is not None and sheet.seen is None:
            yield _("页面已过期，其中一行缺少记录的版本。请重新打开这条记录再操作。")

    def _numbers(self, typed: MultiDict[str, str]) -> list[str]:
        start = f"{self.entity.key()}-"
        found = {name.removeprefix(start).partition("-")[0] for name in typed if name.startswith(start)}
        return sorted(filter(_is_number, found), key=int)

    def _prefix(self, n: int | str) -> str:
        return f"{self.entity.key()}-{n}-"

    def _sheet(self, n: int | str, obj: Entity | None) -> Sheet:
        revealed = (self.revealed, self.once_revealed)
        return Sheet(self.entity, self.by, self.session, obj, self._prefix(n), *revealed)

    def table(self, complaints: Sequence[tuple[str, str]] = ()) -> InlineTable:
        rows = tuple(
            InlineRow(sheet.prefix, self._row_inputs(sheet, complaints), sheet.obj is not None, sheet.is_gone)
            for sheet in self.sheets
            if not (sheet.is_gone and sheet.obj is None)
        )
        blank = self._sheet("__n__", None)
        return InlineTable(
            self.entity.key(),
            _(self.entity.__label__),
            rows,
            InlineRow(blank.prefix, tuple(blank.inputs().values()), False),
            _("增加一行"),
        )

    def _row_inputs(self, sheet: Sheet, complaints: Sequence[tuple[str, str]]) -> tuple[Input, ...]:
        inputs = tuple(sheet.inputs(complaints).values())
        if sheet.obj is None:
            return inputs
        return (
            Input(sheet.prefix + "id", "", "hidden", str(sheet.obj.id)),
            Input(sheet.prefix + "version", "", "hidden", sheet.version),
            *(Input(sheet.prefix + word, "", "hidden", value) for word, value in sheet.words_of_conflict),
            *inputs,
        )


# --- someone saved first ------------------------------------------------------------------------------

_SIDES: Mapping[str, Side] = {"theirs": "theirs", "mine": "mine", BEFORE: "mine"}


def compare(overtaken: Iterable[tuple[Sheet, Stale]], sentence: str) -> Conflict:
    """The rows of a form that somebody saved since it was made: told with `sentence`, compared field by field.

    The form goes on with the version that it began with, beside the one it was compared with: the choices settle it.
    """
    lines: list[ConflictLine] = []
    undecided = 0
    for sheet, stale in overtaken:
        found = list(_differences(sheet, stale))
        undecided += sum(not line.chosen for line, _left in found) if sheet.settled is not None else 0
        sheet.settled = sheet.obj.version if sheet.obj is not None else None
        for line, is_left in found:
            lines.append(line)
            if is_left:
                sheet.withdraw(line.name.removeprefix(sheet.prefix))
    return Conflict(sentence, tuple(lines), undecided)


def settle(sheet: Sheet, stale: Stale, data: dict[str, Any]) -> None:
    """Puts the choices into `data` and lets the row be saved, where all is decided and nobody has saved once more."""
    if sheet.obj is None or sheet.settled != sheet.obj.version:
        return
    found = list(_differences(sheet, stale))
    if not all(line.chosen for line, _left in found):
        return
    for line, is_left in found:
        name = line.name.removeprefix(sheet.prefix)
        if is_left or line.chosen == "theirs":
            data.pop(name, None)
            sheet.complaints = [one for one in sheet.complaints if one[0] != name]
        if is_left and line.chosen == "mine":
            raw = stale.base[name]
            data[name] = None if raw is None else sheet.fields[name].parse(raw)
    sheet.decided = sheet.obj.version


def _differences(sheet: Sheet, stale: Stale) -> Iterator[tuple[ConflictLine, bool]]:
    """What one of the two changed, and whether it was the other alone: that follows his change in the form, and one may
    have back what it was."""
    base = _texts_before(sheet, stale)
    for name, one in sheet.fields.items():
        typed, now = sheet._typed(name), sheet.shown(one)
        if typed is None:
            continue
        before = base.get(name, now)
        follows = typed == now and sheet.settled is not None and sheet.choices.get(name) != "mine"
        is_left = before != now and (typed == before or follows)
        if typed != now or is_left:
            is_others = _is_others(sheet, one, stale)
            yield _line(sheet, one, before, now, typed, is_left=is_left, is_others=is_others), is_left


def _is_others(sheet: Sheet, one: Field, stale: Stale) -> bool:
    """Whether the other changed it: masked, what it was and what it is may look alike."""
    return one.name in stale.base and stale.base[one.name] != one.dump(getattr(sheet.obj, one.name))


def _line(
    sheet: Sheet, one: Field, before: str, now: str, typed: str, *, is_left: bool, is_others: bool
) -> ConflictLine:
    mine = before if is_left else typed
    preselected: Side = "theirs" if is_left else "" if is_others else "mine"
    return ConflictLine(
        label=_label_in(sheet, one),
        base=_plain(sheet, one, before),
        theirs=_plain(sheet, one, now),
        mine=_plain(sheet, one, mine),
        name=sheet.prefix + one.name,
        chosen=_SIDES.get(sheet.choices.get(one.name, ""), preselected),
        values=() if isinstance(one, Key) or one.mask is not None else (now, mine),
        own=BEFORE if is_left else "mine",
    )


def _label_in(sheet: Sheet, one: Field) -> str:
    if not sheet.prefix or sheet.obj is None:
        return _(one.label)
    row = {"what": _(sheet.entity.__label__), "name": sheet.obj.shown(), "label": _(one.label)}
    return _("%(what)s“%(name)s”：%(label)s", **row)


def _texts_before(sheet: Sheet, stale: Stale) -> dict[str, str]:
    """What inputs held before the other saved, where that is known and can still be read."""
    found: dict[str, str] = {}
    for name, raw in stale.base.items():
        one = sheet.fields.get(name)
        if one is None or sheet.obj is None:
            continue
        with suppress(Unreadable):
            found[name] = sheet._text_in(one, None if raw is None else one.parse(raw))
    return found


def _plain(sheet: Sheet, one: Field, text: str) -> str:
    if isinstance(one, Key) and text:
        return lookups.label_of(sheet.session, sheet.by, one.target.partition(".")[0], text)
    if isinstance(one, Code | Flag) and text and not is_masked(one, sheet.whole):
        return dict(one.options() or ()).get(text, text)
    if _is_area(one):
        return _area_text(one, text) or text
    return text
