"""A list as people work with it all day: the generated list, with tabs that count, on staff pages and the bureau's site.

What is listed and who sees it is decided in `listing`; here nothing is added to what a person may see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from app.core import list_views
from app.core.entity import Entity
from app.core.fields import Field
from app.extensions import db
from app.surfaces import bulk, detail, views
from app.surfaces.listing import Listing, count_together, number_text, spans_authorities
from app.surfaces.pasting import Found
from app.surfaces.site import Site, is_personal
from app.surfaces.viewmodels import ListPage, Paste, PasteNote, Tab


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was pasted to be found, with what came of it: `found`, or why it was not looked for."""

    text: str
    found: Found | None = None
    fault: str = ""


def open_list(entity: type[Entity], site: Site, args: Mapping[str, str]) -> Listing:
    """The list as this person likes it, with the views that he may open."""
    return Listing(entity, site, args, list_views.comforts_of(db.session(), site.by, entity.key()))


def page(listing: Listing, pasted: Pasted | None = None) -> ListPage:
    made = listing.page()
    made.tabs = list(_tabs(listing))
    made.paste = _paste(listing, pasted or Pasted(""))
    made.bulk = bulk.bar(listing, made)
    made.options = views.options_of(listing)
    entity, site = listing.entity, listing.site
    if not site.is_bureau:
        made.actions = list(detail.list_actions(entity, site, listing.words))
    if site.can_open(entity):
        made.open_url = site.show_url(entity, 0).removesuffix("0")
        if not site.is_bureau and "edit" in entity.__actions__ and site.by.has(f"{entity.key()}:edit"):
            made.edit_url = f"/{entity.__path__}/edit/"
    return made


def _paste(listing: Listing, pasted: Pasted) -> Paste | None:
    if not listing.entity.can_search():
        return None
    keep = (("site", "bureau"),) if listing.site.is_bureau else ()
    made = Paste(f"/lists/find/{listing.entity.__path__}", keep, pasted.text, pasted.fault)
    if pasted.found is None:
        return made
    missing, several = pasted.found.missing, pasted.found.several
    notes: list[PasteNote] = []
    if missing:
        says = _("有%(n)s个没有找到。请核对是否写错；不在您管理范围内的也查不到。", n=len(missing))
        notes.append(PasteNote(says, missing, "warn"))
    if several:
        says = _("有%(n)s个对应多条记录，已全部列出，请逐条核对。", n=len(several))
        texts = (_("%(what)s（%(n)s条）", what=what, n=n) for what, n in several)
        notes.append(PasteNote(says, tuple(texts), "info"))
    if not notes:
        notes.append(PasteNote(_("全部找到。"), (), "good"))
    return replace(made, notes=tuple(notes))


# --- tabs ---------------------------------------------------------------------------------------------


def _tabs(listing: Listing) -> Iterator[Tab]:
    """One for each value of the field that the entity names, where this person may filter by it; all counted in one
    statement. What has no row is left out. They carry no figures where single rows were asked for, nor above one authority:
    a status that hardly anybody has is only counted by reading all."""
    one = listing.filters.get(listing.entity.__tabs_by__)
    if one is None:
        return
    now = next((value for f, _op, value in listing.asked.conditions if f is one), "")
    options = [(code, label) for code, label in one.options() or () if code]
    counts = _counts(listing, one, [code for code, _label in options])
    everything = number_text(sum(counts.values())) if counts else ""
    yield Tab(_("全部"), listing.url(**{one.name: None}), not now, everything)
    for code, label in options:
        n = counts.get(code, 0)
        if n or code == now or not counts:
            yield Tab(label, listing.url(**{one.name: code}), code == now, number_text(n) if counts else "")


def _counts(listing: Listing, one: Field, codes: list[str]) -> dict[str, int]:
    if listing.asked.found is not None or spans_authorities(listing.site.by, f"{listing.entity.key()}:list"):
        return {}
    if is_personal(listing.asked.q):
        return {}
    parts = [listing.narrowed_to(one, one.parse(code)) for code in codes]
    count_together(parts)
    return {code: part.count() for code, part in zip(codes, parts, strict=True)}
