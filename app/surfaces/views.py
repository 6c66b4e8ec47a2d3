"""What of a list may be saved under a name, to whom a saved view is offered, and the boxes above a list for both.

A view is an address and no more: no value of a masked field is ever in it, and each reader is judged as if he had typed
it. What is kept, and who may share, is in core.list_views; the forms are in view_pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext as _

from app.core import list_views
from app.core.errors import Invalid
from app.core.list_views import Pairs, View
from app.surfaces.listing import OF_A_PAGE, PAGE_SIZES, RANGES, VIEW, Listing, is_free
from app.surfaces.site import is_personal, with_args
from app.surfaces.viewmodels import ListOptions, ViewLink

LONGEST_ADDRESS = 2_000  # characters
PLACES = (*OF_A_PAGE, "found")
"""Words of an address that are not what a list asks by: where one is in it, or single rows."""


def options_of(listing: Listing) -> ListOptions:
    """The boxes above a list."""
    by, liking = listing.site.by, listing.comforts.liking
    path = listing.entity.__path__
    keep = (("site", "bureau"),) if listing.site.is_bureau else ()
    asks = urlencode(list(asked_pairs(listing)))
    here = dict(keep) | ({"asks": asks} if asks else {})
    return ListOptions(
        views=tuple(_links(listing)),
        views_url=f"/lists/views/{path}",
        manage_url=with_args(f"/lists/views/{path}", dict(keep)),
        columns_url=with_args(f"/lists/columns/{path}", here),
        look_url=f"/lists/look/{path}",
        keep=(*keep, ("asks", asks)),
        size=liking.size or listing.asked.size,
        sizes=PAGE_SIZES,
        is_dense=liking.is_dense,
        can_share=bool(list_views.may_share(by)),
        not_saved=why_not_saved(listing),
    )


def _links(listing: Listing) -> Iterator[ViewLink]:
    asked = set(asked_pairs(listing))
    for view in listing.comforts.views:
        if can_ask(listing, view):
            is_open = view is listing.view and asked == set(view.asks)
            yield ViewLink(view.name, url_of(listing, view), is_open, view.is_shared)


def url_of(listing: Listing, view: View) -> str:
    return with_args(listing.path, {**dict(view.asks), VIEW: view.id})


def can_ask(listing: Listing, view: View) -> bool:
    """Whether this person may ask by all that the view asks by; what it asks by may be hidden from him or gone."""
    return all(_may_stand(listing, name, value) for name, value in view.asks)


def _may_stand(listing: Listing, name: str, value: str) -> bool:
    if name == "sort":
        return value.removeprefix("-") in listing.sortable
    return name == "q" or _field_name(name) in listing.filters


def _field_name(name: str) -> str:
    return next((name.removesuffix(end) for end in RANGES if name.endswith(end)), name)


# --- what may be saved --------------------------------------------------------------------------------


def asked_pairs(listing: Listing) -> Iterator[tuple[str, str]]:
    """What the address asks by: filters, search and order, without where one is in the list. Numbers stay out."""
    for name, value in listing.args.items():
        is_asked = value.strip() and name not in PLACES and not name.endswith("__text")
        if is_asked and not _is_number(listing, name, value):
            yield name, value.strip()


def _is_number(listing: Listing, name: str, value: str) -> bool:
    """Whether a personal number was typed where one types freely; ids and codes only look like one."""
    found = listing.filters.get(name)
    return (name == "q" or (found is not None and is_free(found))) and is_personal(value)


def why_not_saved(listing: Listing) -> str:
    """Why what is listed cannot be saved as a view, or ""."""
    if listing.asked.found is not None:
        return _("按号码或批量查到的记录不能保存为视图。请改用筛选条件。")
    if any(_is_number(listing, name, value) for name, value in listing.args.items()):
        return _("查询的是号码，号码不能存入视图。请改用筛选条件。")
    return ""


def read_asks(text: str) -> dict[str, str]:
    """The words of an address as a form carries them along. Raises Invalid for what is too long or cannot be read."""
    if len(text) > LONGEST_ADDRESS or "\0" in text:
        raise Invalid(_("筛选条件太长，不能保存。请减少条件后再试。"))
    try:
        pairs = parse_qsl(text, strict_parsing=bool(text), max_num_fields=100)
    except ValueError:
        raise Invalid(_("筛选条件读不出来。请回到列表重新选择条件。")) from None
    return dict(pairs)


def to_save(listing: Listing) -> Pairs:
    """What a view of this list asks by. Raises Invalid where it cannot be saved, Unfit and Invalid for what cannot be
    asked by."""
    listing.require_sound()
    if why := why_not_saved(listing):
        raise Invalid(why)
    return tuple(asked_pairs(listing))


def back_to(listing: Listing) -> str:
    """The list again, from its beginning and without a view: as its person likes it now."""
    return with_args(listing.path, dict(asked_pairs(listing)))
