"""Search over everything that a person may open: the rows of every list with a quick search, what areas hand in, the menu.

Each list is searched as it searches itself. A personal number is posted, matched exactly, and enters no address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from flask import Flask, current_app, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from app.core import names
from app.core.databases import reading_session
from app.core.entity import Entity, registry
from app.core.errors import Invalid
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import menu
from app.surfaces.handed_in import hand_in
from app.surfaces.handlers import wants_json
from app.surfaces.listing import Listing
from app.surfaces.pages import Answer
from app.surfaces.problems import as_json
from app.surfaces.security import FIND_PATH, current_actor
from app.surfaces.site import Site, is_personal, with_args
from app.surfaces.viewmodels import Crumb, FindPage, Found, Hit

FEW = 5  # of each kind
LONGEST = 50  # characters

Source = Callable[[Actor, str, int], Found | None]
_sources: list[Source] = []


def add_source(find_: Source) -> None:
    """For what is no entity: (who asks, what was typed, how many at most) → what is found, within his scope."""
    hand_in(_sources, find_)


# --- what is found ------------------------------------------------------------------------------------


def find(by: Actor, typed: str) -> list[Found]:
    """The first few of each kind, what everybody reads after what is one's own; empty kinds are left out."""
    lists = list(_lists(by))
    found = [
        *(_rows(entity, site, typed) for entity, site in lists if entity.__scope__ != "open"),
        *(source(by, typed, FEW) for source in _sources),
        *(_rows(entity, site, typed) for entity, site in lists if entity.__scope__ == "open"),
        _pages(by, typed),
    ]
    is_number = is_personal(typed)
    return [one._replace(more_url="") if is_number else one for one in found if one is not None and one.hits]


def _lists(by: Actor) -> Iterator[tuple[type[Entity], Site]]:
    """The lists with a quick search whose rows this person may open, each where he works with it: first those that say
    what they are searched by, then as in the menu."""
    for entity in sorted(registry, key=lambda one: (not one.__search_hint__, menu.rank(one.__menu__))):
        if not entity.can_search() or entity.__scope__ == "audit" or not by.has(f"{entity.key()}:list"):
            continue
        site = site_of(by, entity)
        if site.can_open(entity):
            yield entity, site


def site_of(by: Actor, entity: type[Entity]) -> Site:
    """Where this person works with its rows."""
    reads = by.is_of_bureau and entity.__bureau__ and not menu.can_write(by.usable_rights, entity)
    return Site(by, reading_session(current_app) if reads else db.session(), is_bureau=reads)


def _rows(entity: type[Entity], site: Site, typed: str) -> Found:
    hits, has_more = Listing(entity, site, {"q": typed}).glimpse(FEW)
    return Found(_(entity.__label__), tuple(hits), site.list_url(entity, q=typed) if has_more else "")


def _pages(by: Actor, typed: str) -> Found:
    """Of the menu."""
    hits = (
        Hit(item.label, item.url, group.label if group.label != item.label else "")
        for group in menu.groups(by, "")
        for item in group.items
        if means(typed, item.label)
    )
    return Found(_("菜单"), tuple(hits)[:FEW])


def means(typed: str, label: str) -> bool:
    """Whether this is a part of the label, or of its pinyin or initials from one of its characters on."""
    wanted = typed.casefold().replace(" ", "")
    return wanted in label.casefold() or any(one.startswith(wanted) for one in _spellings(label))


_spellings = lru_cache(maxsize=512)(names.spellings)


# --- the page, and the answer to its script -----------------------------------------------------------


class FindView(BaseView):
    """One address: a page for whoever has no script, JSON for the dialog that every page carries."""

    route_base = ""
    default_view = "find"

    @expose(FIND_PATH, methods=["GET", "POST"])
    def find(self) -> Answer:
        by, is_posted = current_actor(), request.method == "POST"
        try:
            typed = _read(request.form, must=True) if is_posted else _read(request.args)
            if not is_posted and is_personal(typed):
                raise Invalid(_("号码不写入网址。请在下面的查找框中输入后查找。"))
        except Invalid as refused:
            if wants_json():
                raise
            return render_template("find.html", page=_page(fault=refused.sentence)), 422
        if is_posted and not wants_json() and not is_personal(typed):
            return redirect(with_args(FIND_PATH, {"q": typed}))
        found = find(by, typed) if typed else []
        if wants_json():
            return as_json({"kinds": [_kind(one) for one in found], "message": _said(typed, found)})
        return render_template("find.html", page=_page(typed, found))


def _read(words: Mapping[str, str], *, must: bool = False) -> str:
    """What was typed. Raises Invalid for anything else."""
    typed = words.get("q", "").strip()
    if set(words) - {"q", "csrf_token"} or (must and not typed):
        raise Invalid(_("请输入要查找的姓名、拼音首字母、号码或菜单名称。"))
    if len(typed) > LONGEST or "\0" in typed:
        raise Invalid(_("查询内容最多50个字，且不能含有特殊字符。请缩短后再查。"))
    return typed


def _page(typed: str = "", found: list[Found] | None = None, fault: str = "") -> FindPage:
    said = _said(typed, found or []) if typed else ""
    return FindPage(_("查找"), [Crumb(_("首页"), "/"), Crumb(_("查找"))], typed, found or [], said, fault)


def _said(typed: str, found: list[Found]) -> str:
    if not found:
        return _("没有找到“%(q)s”。请核对后再查；不在您管理范围内的也查不到。", q=typed)
    return _("列出%(n)s项，用上下键选择", n=sum(len(one.hits) for one in found))


def _kind(one: Found) -> dict[str, object]:
    return {"label": one.label, "hits": [hit._asdict() for hit in one.hits], "more": one.more_url}


def register(app: Flask) -> None:
    app.extensions["appbuilder"].add_view_no_menu(FindView)
