"""Several rows of a list at once: who is offered what, which rows were chosen, and what an act does to each of them.

A row stands or falls by itself, through the same door as its form. What an act would do is found by doing it and taking
it back, so a preview cannot promise what the act refuses. The pages are in `bulk_pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

from app.core import powers, rights, saving, scope
from app.core.entity import Entity, owner_key
from app.core.errors import Denied, Invalid, Missing, Refused, Stale
from app.core.fields import FREELY, Field, Key
from app.core.rights import Actor
from app.core.wording import listed
from app.surfaces import lookups
from app.surfaces.display import Revealed, painter
from app.surfaces.forms import version_of
from app.surfaces.handed_in import hand_in
from app.surfaces.listing import OF_A_PAGE, Listing, name_load, number_text, row_id
from app.surfaces.site import Site, with_args
from app.surfaces.viewmodels import Action, Bulk, ListPage

MOST = 1_000  # rows of one act
SHOWN = 20  # rows of which a preview says what they were and become
LONGEST = 60_000  # characters of what names rows
BASE = "/lists/bulk"
CHOICE = ("id", "chosen", "every", "without", "asked")
"""What a list posts: ticked rows, those ticked on other pages, or all of the list but some; and the list's own words."""
UNCHANGING = (*OF_A_PAGE, "sort")
"""Words of an address that change nothing about which rows are listed."""

Offer = Callable[[Actor], Action | None]
_offers: dict[str, list[Offer]] = {}


# --- what is offered ----------------------------------------------------------------------------------


def offer(entity: type[Entity], act_for: Offer) -> None:
    """What else can be done with chosen rows of a list: a button whose address reads them by `read_choice`."""
    hand_in(_offers.setdefault(entity.key(), []), act_for)


def acts(entity: type[Entity], by: Actor) -> Iterator[Action]:
    """The buttons for this person."""
    if can_edit(entity, by):
        yield Action(_("批量修改"), f"{BASE}/{entity.__path__}/edit", "post", "primary", "pencil")
    for act_for in _offers.get(entity.key(), ()):
        if (found := act_for(by)) is not None:
            yield found
    if can_delete(entity, by):
        yield Action(_("批量删除"), f"{BASE}/{entity.__path__}/delete", "post", "danger", "trash")


def can_edit(entity: type[Entity], by: Actor) -> bool:
    return "edit" in entity.__actions__ and by.has(f"{entity.key()}:edit") and bool(settable(entity, by))


def can_delete(entity: type[Entity], by: Actor) -> bool:
    return "delete" in entity.__actions__ and by.has(f"{entity.key()}:delete")


def settable(entity: type[Entity], by: Actor) -> dict[str, Field]:
    """The fields of which many rows may be given one value: what anybody with the right types into the form. What is
    masked, names a row or must differ from row to row is one row's own; so is what an inline row hangs on, and what is a
    private group's, of which each look is noted: a preview tells what it was."""
    own = entity.differing() | {entity.__shown_as__, entity.__natural_key__}
    own |= {owner_key(entity)} if entity.__inline_of__ else set()
    return {
        n: f
        for n, f in rights.visible_fields(by, entity).items()
        if f.form and f.edit is FREELY and f.mask is None and not f.private and n not in own
        if by.has(powers.field_right(entity, n, "edit"))
    }


def bar(listing: Listing, page: ListPage) -> Bulk | None:
    """Below the rows; nobody is shown it who can do nothing with them."""
    entity, by = listing.entity, listing.site.by
    if listing.site.is_bureau or not page.rows or not (found := tuple(acts(entity, by))):
        return None
    made = Bulk(key_of(listing), found, asked_text(listing), total=len(page.rows))
    if not (page.previous_url or page.next_url):
        return made
    n = listing.count()
    if n <= MOST:
        return replace(made, total=n, every=_("符合条件的全部%(n)s条", n=number_text(n)))
    sentence = _("符合条件的超过%(n)s条，不能一次全选。请先筛选，缩小范围。", n=number_text(MOST))
    return replace(made, total=0, too_many=sentence)


# --- which rows ---------------------------------------------------------------------------------------


def read_choice(
    entity: type[Entity], site: Site, typed: MultiDict[str, str], most: int | None = None
) -> list[int]:
    """The ids that a list posted, in its order where all of it is meant. They may be of rows that this person does not see.

    Raises Invalid for none, too many and what is no id; Unfit and Invalid where the list's words are not sound."""
    if typed.get("every"):
        left_out = set(_ids(typed.get("without", "")))
        found = [id_ for id_ in _all_of(list_of(entity, site, typed)) if id_ not in left_out]
    else:
        found = list(dict.fromkeys([*_ids(typed.get("chosen", "")), *map(_id, typed.getlist("id"))]))
    if not found:
        raise Invalid(_("没有选择记录。请先在名单中勾选，再选择要办理的事。"))
    most = most or MOST
    if len(found) > most:
        raise Invalid(
            _(
                "一次最多办理%(n)s条，现选择了%(k)s条。请减少选择，分几次办理。",
                n=number_text(most),
                k=number_text(len(found)),
            )
        )
    return found


def list_of(entity: type[Entity], site: Site, typed: Mapping[str, str]) -> Listing:
    """The list that the rows were chosen from. Raises Unfit, Invalid."""
    try:
        words = parse_qsl(typed.get("asked", ""), max_num_fields=100)
    except ValueError:
        raise Invalid(_("名单的条件无法读取。请返回名单，重新选择。")) from None
    found = Listing(entity, site, dict(words))
    found.require_sound()
    return found


def key_of(listing: Listing) -> str:
    """Names the rows that are listed, on whichever of its pages, and who looks at them."""
    return f"{listing.site.by.id}:{listing.url(**dict.fromkeys(UNCHANGING))}"


def _all_of(listing: Listing) -> list[int]:
    order = [c.desc() if listing.descending else c.asc() for c in listing.columns]
    query = sa.select(listing.entity.id).where(*listing.where()).order_by(*order).limit(MOST + 1)
    return list(listing.site.session.scalars(query))


def _ids(text: str) -> list[int]:
    if len(text) > LONGEST:
        raise Invalid(_("一次最多办理%(n)s条。请减少选择，分几次办理。", n=number_text(MOST)))
    return [_id(part) for part in text.split(",") if part]


def _id(text: str) -> int:
    if (found := row_id(text)) is None:
        raise Invalid(_("所选记录的编号无法读取。请返回名单，重新选择。"))
    return found


def read_versions(text: str) -> dict[int, int]:
    """`12:3,15:1`: which rows were previewed, each at which version. Raises Invalid."""
    found: dict[int, int] = {}
    for part in text.split(",") if len(text) <= LONGEST else ():
        id_, _colon, version = part.partition(":")
        seen = version_of(version)
        if seen is None:
            break
        found[_id(id_)] = seen
    if not found or len(found) != len(text.split(",")) or len(found) > MOST:
        raise Invalid(_("所选记录的编号无法读取。请返回名单，重新选择。"))
    return found


def write_versions(versions: Mapping[int, int]) -> str:
    return ",".join(f"{id_}:{version}" for id_, version in versions.items())


def asked_text(listing: Listing) -> str:
    return urlencode({n: text for n, text in listing.words.items() if text})


def list_url(listing: Listing) -> str:
    return with_args(listing.path, dict(listing.args))


# --- what an act does ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """`do` changes one row at a version, and raises what refuses it; `says` is asked before it of the first rows: what
    becomes of them."""

    do: Callable[[Entity, int], object]
    says: Callable[[Entity], str]
    is_needless: Callable[[Entity], bool] = lambda obj: False


@dataclass(slots=True)
class Outcome:
    """`done`: ids with the version each had before; `told`: of the first of them what became of them; `skipped`: why not →
    the names of the rows; `missing`: how many there are not, or not for this person; `warnings`: what is told beside."""

    done: dict[int, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    missing: int = 0
    warnings: list[str] = field(default_factory=list)


def setting(entity: type[Entity], site: Site, name: str, value: Any) -> Act:
    """The value of one field, through the door that its form uses."""
    one, by, session = entity.fields()[name], site.by, site.session
    paint = painter(entity, one, site, Revealed())
    after = value_text(entity, site, name, value)
    blank = _("（空）")

    def is_needless(obj: Entity) -> bool:
        return getattr(obj, name) == value and all(
            scope.may(session, by, power, obj) for power in ("edit", f"{name}:see", f"{name}:edit")
        )

    right = powers.field_right(entity, name, "edit")
    is_uneven = not rights.holds_wherever(by, right, powers.reading_rights(entity))

    def set_it(obj: Entity, version: int) -> None:
        if is_uneven and scope.may(session, by, "edit", obj):
            verdict = scope.may(session, by, f"{name}:edit", obj)
            if not verdict:
                raise Denied(str(verdict))
        saving.edit(obj, {name: value}, by, version=version)

    return Act(
        set_it,
        lambda obj: _(
            "%(name)s：%(before)s → %(after)s", name=obj.shown(), before=paint(obj).text or blank, after=after
        ),
        is_needless,
    )


def value_text(entity: type[Entity], site: Site, name: str, value: Any) -> str:
    one = entity.fields()[name]
    if value is None:
        return _("（空）")
    if isinstance(one, Key):
        return lookups.label_of(site.session, site.by, one.target.partition(".")[0], str(value))
    return one.show(value)


def deleting(site: Site) -> Act:
    """As the button of each row deletes it."""

    def says(obj: Entity) -> str:
        beside = listed(obj.goes_with())
        return (
            _("%(name)s（一并删除：%(what)s）", name=obj.shown(), what=beside) if beside else str(obj.shown())
        )

    return Act(lambda obj, version: saving.delete(obj, site.by, version=version), says)


def foresee(entity: type[Entity], site: Site, act: Act, ids: Sequence[int]) -> Outcome:
    """What the act would do now: it is done and taken back."""
    with saving.work() as work:
        trial = work.session.begin_nested()
        outcome = _run(entity, site, act, ids, {})
        trial.rollback()
        work.after.clear()  # nobody is told of what was taken back
    return outcome


def carry_out(entity: type[Entity], site: Site, act: Act, versions: Mapping[int, int]) -> Outcome:
    """Does it to every row that is fit for it, as it was when it was previewed, and tells of the rest."""
    with saving.work() as work:
        outcome = _run(entity, site, act, list(versions), versions)
        outcome.warnings = list(dict.fromkeys(work.warnings))
    return outcome


def _run(
    entity: type[Entity], site: Site, act: Act, ids: Sequence[int], versions: Mapping[int, int]
) -> Outcome:
    found = _rows(entity, site, ids)
    outcome = Outcome(missing=len(ids) - len(found))
    for obj in found:
        _do(obj, act, versions.get(obj.id), outcome)
    return outcome


def _do(obj: Entity, act: Act, seen: int | None, outcome: Outcome) -> None:
    id_, version, name = obj.id, obj.version, obj.shown()
    if seen is not None and seen != version:
        _skip(outcome, name, _moved())
        return
    if act.is_needless(obj):
        _skip(outcome, name, _("无需修改"))
        return
    says = act.says(obj) if len(outcome.told) < SHOWN else None
    try:
        with saving.part():
            act.do(obj, version)
    except Missing:
        outcome.missing += 1
    except Stale:
        _skip(outcome, name, _moved())
    except Refused as why:
        _skip(outcome, name, why.sentence)
    else:
        outcome.done[id_] = version
        outcome.told += [says] if says is not None else []


def _moved() -> str:
    return _("预览之后被其他人修改过。请打开核对后再办理。")


def _skip(outcome: Outcome, name: str, why: str) -> None:
    """Sentences that differ by the row's name alone are one reason."""
    reason = why.replace(name, _("所列记录")) if len(name) > 1 else why
    outcome.skipped.setdefault(reason, []).append(name or "—")


def _rows(entity: type[Entity], site: Site, ids: Sequence[int]) -> list[Entity]:
    """Those that this person sees, with the names of what they point at; by their ids, so that two acts wait for each
    other's locks in one order."""
    links = {f.link for f in entity.fields().values() if isinstance(f, Key) and f.link}
    loads = [name_load(joinedload(getattr(entity, link)), entity, link) for link in sorted(links)]
    query = sa.select(entity).where(entity.id.in_(ids)).order_by(entity.id)
    found = list(site.session.scalars(query.options(*loads)).unique())
    entity.load_names(site.session, found)
    return found
