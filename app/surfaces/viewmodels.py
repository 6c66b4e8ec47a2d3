"""What the one list, form, detail, confirm and error template are given, whichever library serves the page.

Plain values only: text is already labelled, masked and translated; URLs are complete. No query starts from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from flask_babel import gettext as _

from app.core.live import Check
from app.core.wording import labelled

Tone = Literal["neutral", "good", "warn", "bad", "info"]
Style = Literal["primary", "secondary", "danger", "link"]


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    url: str | None = None
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A link (get) or a one-button form (post). With `refused` it is greyed and says why."""

    label: str
    url: str
    method: Literal["get", "post"] = "get"
    style: Style = "secondary"
    icon: str | None = None  # name of a Bootstrap icon, e.g. "pencil"
    refused: str | None = None
    fields: tuple[tuple[str, str], ...] = ()  # hidden fields of a post
    slow: bool = False  # a post that works for a while: no second click posts again


@dataclass(frozen=True, slots=True)
class Reveal:
    """A form that asks a reason once and shows masked values: posts `reason` and `next` to `url`."""

    url: str
    what: str  # "这名学生" / "本页所列学生"
    next: str
    ids: tuple[int, ...] = ()  # posted as repeated `id`
    active: bool = False  # values are shown now


class Cell(NamedTuple):
    """A page has hundreds of them: a tuple is made in a fraction of a dataclass's time."""

    text: str
    url: str | None = None
    tone: Tone | None = None  # drawn as a badge
    masked: bool = False
    wide: bool = False  # takes the whole width of a detail section
    lang: str = ""  # of a text that is not in the language of the page
    picture: str = ""  # the address of a small picture; the text says what it is

    @property
    def breaks(self) -> str:
        """How its text may be broken over lines in a list: not at all, "long", or "wide"."""
        length = len(self.text)
        if length <= 15 or self.masked or self.picture:
            return ""
        if self.wide:
            return "wide"
        return "long" if length > 24 or not self.text.isascii() else ""


# --- list ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    numeric: bool = False
    sorted: Literal["asc", "desc"] | None = None
    sort_url: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    url: str | None
    cells: tuple[Cell, ...]
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter input. Range kinds post `<name>__from` and `<name>__to`; the others `<name>`."""

    name: str
    label: str
    kind: Literal["text", "choice", "range_day", "range_number", "lookup"]
    value: str = ""
    value_to: str = ""
    value_label: str = ""  # what a look-up shows for its value
    options: tuple[tuple[str, str], ...] = ()
    spelled: tuple[str, ...] = ()  # of many options: the pinyin of each
    lookup_url: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the parts of a list that exclude each other; the others' addresses keep what else was asked for."""

    label: str
    url: str
    active: bool = False
    count: str = ""  # "" where it is not counted


class PasteNote(NamedTuple):
    """A sentence above the rows that were asked for, and what it is about."""

    says: str
    about: tuple[str, ...]
    tone: Tone


@dataclass(frozen=True, slots=True)
class Paste:
    """The box for many names or numbers at once: what was pasted stays in it."""

    url: str
    keep: tuple[tuple[str, str], ...] = ()
    text: str = ""
    fault: str = ""
    notes: tuple[PasteNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Bulk:
    """What can be done with several rows of a list at once: buttons to which the ids of the chosen rows are posted."""

    key: str  # names this list and its reader, under which a window remembers what was chosen
    acts: tuple[Action, ...]
    asked: str  # what the list's address asks for, posted along
    total: int = 0  # rows of the list; 0 where they are too many for one act
    every: str = ""  # what one tick chooses: all of them
    too_many: str = ""  # why it cannot


class ViewLink(NamedTuple):
    label: str
    url: str
    active: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a list is shown and what was saved of it. `keep` are the hidden fields that say which list it is and what it
    asks for; `not_saved` says why that cannot be saved."""

    views: tuple[ViewLink, ...]
    views_url: str
    manage_url: str
    columns_url: str
    look_url: str
    keep: tuple[tuple[str, str], ...]
    size: int
    sizes: tuple[int, ...]
    is_dense: bool = False
    can_share: bool = False
    not_saved: str = ""


@dataclass(slots=True)
class ListPage:
    title: str
    crumbs: list[Crumb]
    columns: list[Column]
    rows: list[Row]
    count: str  # "共 1 180 条" / "10 000 条以上"
    tabs: list[Tab] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    filters_open: bool = False
    all_filters_url: str | None = None  # the same list with every filter offered; None where these are all
    chips: list[Chip] = field(default_factory=list)
    search: str | None = None  # None: this list has no search box
    search_url: str = ""  # posted to, so that no number that is looked for enters an address
    search_hint: str = ""
    list_url: str = ""  # where filters are sent; "" for the page's own address
    paste: Paste | None = None
    open_url: str = ""  # what the addresses of rows begin with, for the keyboard
    edit_url: str = ""  # the same of their forms; "" where this person edits none
    bulk: Bulk | None = None
    keep: tuple[
        tuple[str, str], ...
    ] = ()  # hidden fields that survive a new search (filters, sort, the site)
    keep_filtering: tuple[tuple[str, str], ...] = ()  # hidden fields that survive a new filter (search, sort)
    reset_url: str = ""
    first_url: str | None = None
    previous_url: str | None = None
    next_url: str | None = None
    actions: list[Action] = field(default_factory=list)
    empty_title: str = ""
    empty_hint: str = ""
    reveal: Reveal | None = None
    note: str | None = None  # a sentence above the list
    tone: Tone | None = None
    sums: list[Item] = field(default_factory=list)  # under the list, of all its rows
    sums_of: str = ""  # of how many rows, where not of all
    options: ListOptions | None = None


# --- the columns of a list ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column that may be chosen: posts `column`, and `at-<name>` for its place (1 for the first), "" for none."""

    name: str
    label: str
    chosen: bool = False
    at: str = ""
    note: str = ""
    error: str = ""


@dataclass(slots=True)
class ColumnsPage:
    title: str
    crumbs: list[Crumb]
    first: str  # the label of the column that stays where it is
    lines: list[ColumnLine]
    action_url: str
    cancel_url: str
    hidden: tuple[tuple[str, str], ...]
    most: int
    complaints: list[tuple[str, str, str]] = field(default_factory=list)


# --- search over everything ---------------------------------------------------------------------------


class Hit(NamedTuple):
    label: str
    url: str
    note: str = ""  # what tells it from its namesakes


class Found(NamedTuple):
    """Of one kind the first few, and the list of all; "" where these are all."""

    label: str
    hits: tuple[Hit, ...]
    more_url: str = ""


@dataclass(slots=True)
class FindPage:
    title: str
    crumbs: list[Crumb]
    q: str
    found: list[Found]
    said: str  # how much was found, or that nothing was
    fault: str = ""


# --- form ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Input:
    """One input. `name` is posted; inline rows use names like `family-0-name`."""

    name: str
    label: str
    widget: Literal[
        "text",
        "textarea",
        "select",
        "day",
        "month",
        "number",
        "lookup",
        "area",  # the code of one, with a look-up by name
        "readonly",
        "hidden",
        "password",
        "file",
        "checks",
        "code",  # of a phone: for once, never kept
    ]
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    help: str = ""
    errors: tuple[str, ...] = ()
    locked: str | None = None  # greyed: the sentence that says why and which procedure to use
    lookup_url: str | None = None
    lookup_label: str = ""
    maxlength: int | None = None
    wide: bool = False
    chosen: tuple[str, ...] = ()  # of a "checks": the values ticked, posted as repeated `name`
    suggestions: tuple[tuple[str, str], ...] = ()  # (value, label): what one click fills in
    changed: bool = False  # what was typed is not what the form opens with
    lang: str = ""  # of a value that is not in the language of the page
    names_languages: bool = False  # each option is the own name of the language that it stands for
    spelled: tuple[str, ...] = ()  # of many options: the pinyin of each
    checks: tuple[Check, ...] = ()  # what the page itself can say of it while one types
    as_is: str = ""  # today's value, hidden: while it stands there nothing is said of it
    accept: str = ""  # of a file: the media types that are offered
    crop: tuple[int, int] | None = (
        None  # of a picture file: it is cut to this shape, posted as crop_left, _top, _width
    )

    @property
    def is_kept(self) -> bool:
        """Whether a draft of its form may keep it: never passwords and files, nor what is not posted."""
        return not self.locked and self.widget not in ("password", "code", "file", "readonly")


class Picture(NamedTuple):
    """`src` is an address of this site or a data URI; `alt` says what it is to whoever does not see it."""

    src: str
    alt: str


def _locks_of(inputs: Iterable[Input]) -> tuple[str, ...]:
    """Each sentence once, in the order of the inputs that it is about."""
    return tuple(dict.fromkeys(one.locked for one in inputs if one.locked))


@dataclass(frozen=True, slots=True)
class FormSection:
    title: str
    inputs: tuple[Input, ...]
    anchor: str = ""
    picture: Picture | None = None  # stands before the inputs

    @property
    def locks(self) -> tuple[str, ...]:
        """Why inputs here are greyed: said at the head, and pointed at by each of them."""
        return _locks_of(self.inputs)


@dataclass(frozen=True, slots=True)
class InlineRow:
    """One row of a nested table. Its prefix (`<name>-0-`) begins the names of its inputs, the hidden `id` and
    `version` of a saved row among them; ticking `gone` removes it on save."""

    prefix: str
    inputs: tuple[Input, ...]
    is_saved: bool
    is_gone: bool = False  # ticked, on a form that was refused


@dataclass(frozen=True, slots=True)
class InlineTable:
    name: str
    title: str
    rows: tuple[InlineRow, ...]
    blank: InlineRow  # template row; its prefix is `<name>-__n__-`
    add_label: str = "增加一行"

    @property
    def locks(self) -> tuple[str, ...]:
        """As in a section."""
        return _locks_of(one for row in self.rows for one in row.inputs)


Side = Literal["", "theirs", "mine"]


class ConflictLine(NamedTuple):
    """One field: what it was, what it is now, what was typed (what it was, where it was left alone).

    With a name it is chosen, posted as `<name>__choice`, one's own side as `own`; `values` are what the input holds on
    either side, for the script.
    """

    label: str
    base: str
    theirs: str
    mine: str
    name: str = ""
    chosen: Side = ""  # "": both changed it, and nobody has decided yet
    values: tuple[str, ...] = ()
    own: str = "mine"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Someone else saved first. `undecided`: a save was tried before every line had its choice."""

    sentence: str
    lines: tuple[ConflictLine, ...]
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class DraftBox:
    """Where what is typed into a form is kept until it is saved: `path` names the form, `owner` the person who has it
    open, `since` the draft that the page began with ("" for none)."""

    path: str
    owner: int
    since: str = ""
    restored: str | None = None  # a sentence: the form was found filled


@dataclass(slots=True)
class FormPage:
    """`keeps_draft` is for every form that takes a while; never where a password or a one-time code is asked for."""

    title: str
    crumbs: list[Crumb]
    sections: list[FormSection]
    submit_label: str = field(default_factory=lambda: _("保存"))
    then: tuple[tuple[str, str], ...] = ()  # further buttons that save and go on: value of `then`, label
    cancel_url: str = ""
    action_url: str = ""
    inlines: list[InlineTable] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(
        default_factory=list
    )  # version and the like; csrf_token() is added by the template
    complaints: list[tuple[str, str, str]] = field(default_factory=list)  # input name or "", label, sentence
    conflict: Conflict | None = None
    note: str | None = None
    has_files: bool = False
    actions: list[Action] = field(default_factory=list)
    matrix: Matrix | None = None  # rights to be ticked, below the sections
    links: tuple[Action, ...] = ()  # at the end of the note: what else to begin from
    keeps_draft: bool = False
    is_filled: bool = False  # the view has put the draft in; otherwise surfaces.drafts does
    draft: DraftBox | None = None

    @property
    def checks(self) -> str:
        """All checks of its inputs by their keys, as JSON; "" where there are none."""
        inputs = [one for section in self.sections for one in section.inputs]
        rows = [row for table in self.inlines for row in (*table.rows, table.blank)]
        inputs += [one for row in rows for one in row.inputs]
        found = {check.key: check.words for one in inputs for check in one.checks}
        return "{" + ",".join(f'"{key}":{words}' for key, words in found.items()) + "}" if found else ""


# --- detail -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class DetailSection:
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class RelatedTable:
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: str = "暂无记录"
    more_url: str | None = None
    add: Action | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """`share`: its length in percent of the longest."""

    label: str
    number: Cell
    share: float
    tone: Tone = "info"


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars below each other; those of a trend stand beside each other, the latest last."""

    title: str
    bars: tuple[Bar, ...]
    is_trend: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    when: str
    title: str
    who: str = ""
    lines: tuple[tuple[str, str, str], ...] = ()  # label, before, after
    tone: Tone = "neutral"
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What tells a row at a glance, beside its name: a picture or the words in its place, a second name, facts, flags."""

    picture: Picture | None = None
    no_picture: str = ""
    also: str = ""
    facts: tuple[Cell, ...] = ()
    flags: tuple[Cell, ...] = ()


@dataclass(slots=True)
class DetailPage:
    title: str
    crumbs: list[Crumb]
    sections: list[DetailSection]
    subtitle: str = ""
    badges: list[Cell] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    related: list[RelatedTable] = field(default_factory=list)
    timeline: list[TimelineEntry] | None = None
    timeline_title: str = field(default_factory=lambda: _("时间线"))
    reveal: Reveal | None = None
    head: Head | None = None
    previous_url: str | None = None  # the rows beside it in the list that it was opened from
    next_url: str | None = None


# --- a role as a matrix --------------------------------------------------------------------------------


Greyed = Literal["", "none", "template", "giver"]
"""Why a cell cannot be ticked: there is no such action, the template has not got it, the person may not pass it on."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One right or limit of a matrix, posted as repeated `right`. What is greyed and ticked can still be taken off."""

    right: str
    label: str
    short: str = ""  # where the row says the rest
    is_on: bool = False
    greyed: Greyed = ""
    why: str = ""
    errors: tuple[str, ...] = ()
    is_forced: bool = False  # stays ticked
    is_left_out: bool = False  # the role it came from has it
    apart: tuple[str, ...] = ()  # the rights that may not be ticked with it


@dataclass(frozen=True, slots=True)
class FieldLimits:
    """What a role takes away over one field: seeing it, changing it, its whole number. None: there is no such limit."""

    label: str
    ticks: tuple[Tick | None, ...]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    label: str
    cells: tuple[Tick, ...]  # one for each column
    others: tuple[Tick, ...] = ()  # rights that have no column
    fields: tuple[FieldLimits, ...] = ()
    note: str = ""
    is_part: bool = False  # comes with the row above

    @property
    def limits(self) -> list[tuple[str, Tick]]:
        """Each with the field that it is about."""
        return [(one.label, tick) for one in self.fields for tick in one.ticks if tick is not None]

    @property
    def faults(self) -> list[tuple[str, Tick]]:
        """What is complained of, each with what it is called."""
        cells = [(tick.label, tick) for tick in (*self.cells, *self.others)]
        limits = [(labelled(label, tick.label), tick) for label, tick in self.limits]
        return [(label, tick) for label, tick in (*cells, *limits) if tick.errors]

    @property
    def limited(self) -> int:
        return sum(tick.is_on for _label, tick in self.limits)

    @property
    def is_unfolded(self) -> bool:
        return any(tick.errors for _label, tick in self.limits)


@dataclass(frozen=True, slots=True)
class MatrixGroup:
    label: str
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: tuple[tuple[str, str], ...]  # label, what it means
    groups: tuple[MatrixGroup, ...]
    others: tuple[str, str]  # label and meaning of the last column
    first: frozenset[str] | None = None  # the rights that are ticked where nothing was typed

    @property
    def ticks(self) -> Iterator[tuple[str, Tick]]:
        """Each with what it is called where its row is not beside it."""
        for row in (row for group in self.groups for row in group.rows):
            yield from ((tick.label, tick) for tick in (*row.cells, *row.others) if tick.right)
            yield from (
                (labelled(_("%(act)s“%(field)s”", act=row.label, field=label), tick.label), tick)
                for label, tick in row.limits
            )


@dataclass(slots=True)
class RolePage:
    """A role to be read."""

    title: str
    crumbs: list[Crumb]
    matrix: Matrix
    note: str = ""
    badges: list[Cell] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    facts: tuple[Item, ...] = ()
    compared: tuple[str, tuple[str, ...]] | None = None  # with which role, what was left out


# --- the rest -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class ConfirmPage:
    """A second question before something goes: names what goes with it. The button says the whole act."""

    title: str
    crumbs: list[Crumb]
    sentence: str
    goes_with: list[str]
    submit_label: str  # "": there is nothing to confirm
    cancel_url: str
    action_url: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    is_safe: bool = False  # nothing goes: no red
    parts: list[tuple[str, list[str]]] = field(
        default_factory=list
    )  # title, sentences: what changes for whom
    back_label: str = ""  # a second button that posts the hidden fields with `back` and changes nothing
    note: str | None = None  # said first: what has changed since the question was put
    done: str = ""  # the `Bulk.key` of what was chosen and is done with


@dataclass(frozen=True, slots=True)
class Slip:
    """What one person is handed on paper: a name, an account, the password for the first login."""

    name: str
    username: str
    password: str


@dataclass(slots=True)
class SlipsPage:
    """Shown once, printed, cut up and handed out. `address`: where to log in."""

    title: str
    crumbs: list[Crumb]
    slips: list[Slip]
    address: str
    note: str
    actions: list[Action] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VerifyPage:
    """Open to everybody: a code is typed, and the answer is yes, no, or (None) that nothing was asked yet."""

    title: str
    action_url: str
    label: str
    longest: int
    help: str
    is_valid: bool | None = None
    complaint: str = ""


@dataclass(slots=True)
class ErrorPage:
    code: int
    title: str
    sentence: str
    way_out: str = ""
    actions: list[Action] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MenuItem:
    label: str
    url: str
    active: bool = False


@dataclass(frozen=True, slots=True)
class MenuGroup:
    label: str
    items: tuple[MenuItem, ...]
    icon: str = ""
    active: bool = False
