"""Forms of the comforts of a list: saving, renaming and deleting a view, which columns it has, how it is spaced.

They serve the list of every entity alike, on both fronts; a front's list leads here and is come back to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from flask import Flask, flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.core import list_views, saving
from app.core.entity import registry
from app.core.errors import Invalid, Missing
from app.core.fields import Field, Text, Unreadable
from app.core.list_views import LONGEST_NAME, SavedView, View
from app.core.rights import Actor
from app.core.saving import Work
from app.core.wording import about
from app.extensions import db
from app.surfaces import views, worklist
from app.surfaces.drafts import show_form
from app.surfaces.forms import refuse_strays
from app.surfaces.listing import PAGE_SIZES, Listing, choosable, count_text, crumbs, has_made_name, named_by
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.site import with_args
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Column,
    ColumnLine,
    ColumnsPage,
    ConfirmPage,
    Crumb,
    FormPage,
    FormSection,
    Input,
    ListPage,
    Row,
)
from app.surfaces.worklist_pages import list_at

MOST_COLUMNS = 30
NAME = Text(label="名称", length=LONGEST_NAME, nullable=False)
SHARED, COLUMNS, REPLACE = "shared", "columns", "replace"
DENSITIES = {"comfortable": False, "compact": True}
CARRIED = ("site", "asks")
"""What every form of a list brings along beside its inputs."""


class ListViewsView(BaseView):
    """列表视图、列和显示方式。"""

    route_base = "/lists"
    default_view = "views"

    # --- saved views ---

    @expose("/views/<path>", methods=["GET", "POST"])
    def views(self, path: str) -> Answer:
        if request.method == "GET":
            return render_template("list.html", page=_views_page(_listing(path, request.args)))
        listing = _listing(path, request.form)
        try:
            with saving.work() as work:
                made = _save(work, listing, request.form)
                name, view_id = made.name, made.id
        except Invalid as refused:
            return show_form(_save_page(listing, request.form, refused.complaints)), 422
        flash(_("已保存视图“%(name)s”。", name=name), "success")
        asks = {**dict(views.asked_pairs(listing)), views.VIEW: view_id}
        return redirect(with_args(listing.path, asks))

    @expose("/views/rename/<int:pk>", methods=["GET", "POST"])
    def rename(self, pk: int) -> Answer:
        found, listing = _found(list_views.find_to_rename, pk)
        if request.method == "GET":
            return show_form(_rename_page(listing, found, found.name))
        try:
            refuse_strays(request.form, *CARRIED, "name")
            with saving.work() as work:
                name = list_views.rename(work.session, listing.site.by, pk, _read_name(request.form)).name
        except Invalid as refused:
            found, listing = _found(list_views.find_to_rename, pk)  # the work has undone what was read
            typed = request.form.get("name", "")
            return show_form(_rename_page(listing, found, typed, refused.complaints)), 422
        flash(_("视图已改名为“%(name)s”。", name=name), "success")
        return redirect(_manage_url(listing))

    @expose("/views/delete/<int:pk>", methods=["GET", "POST"])
    def delete(self, pk: int) -> Answer:
        found, listing = _found(list_views.find_to_delete, pk)
        if request.method == "GET":
            return render_template("confirm.html", page=_delete_page(listing, found))
        with saving.work() as work:
            name = list_views.delete(work.session, listing.site.by, pk).name
        flash(_("已删除视图“%(name)s”。", name=name), "success")
        return redirect(_manage_url(listing))

    # --- how a list is shown ---

    @expose("/columns/<path>", methods=["GET", "POST"])
    def columns(self, path: str) -> Answer:
        words = request.form if request.method == "POST" else request.args
        listing = _listing(path, words)
        if request.method == "GET":
            return render_template("columns.html", page=_columns_page(listing))
        try:
            wanted = [] if "reset" in request.form else _read_columns(listing, request.form)
        except Invalid as refused:
            page = _columns_page(listing, request.form, refused.complaints)
            return render_template("columns.html", page=page), 422
        _prefer(listing, columns=wanted or None)
        flash(_("已恢复默认的列。") if not wanted else _("已保存所选的列。"), "success")
        return redirect(views.back_to(listing))

    @expose("/look/<path>", methods=["POST"])
    def look(self, path: str) -> Response:
        listing, typed = _listing(path, request.form), request.form
        refuse_strays(typed, *CARRIED, "density", "size")
        density, size = typed.get("density", ""), typed.get("size", "")
        if density not in DENSITIES or size not in map(str, PAGE_SIZES):
            raise Invalid(_("请在“显示”中选择行距和每页条数。"))
        _prefer(listing, is_dense=DENSITIES[density], size=int(size))
        return redirect(views.back_to(listing))


def _listing(path: str, words: Mapping[str, str]) -> Listing:
    """The list that a form is about, as its address asked for it. Raises Missing, Denied, Invalid."""
    entity, here = list_at(path, words)
    return worklist.open_list(entity, here, views.read_asks(words.get("asks", "")))


def _found(find: Callable[[Session, Actor, int], SavedView], pk: int) -> tuple[SavedView, Listing]:
    """A saved view that this person may rename or delete, and its list. Raises Missing, Denied."""
    found = find(db.session(), current_actor(), pk)
    if found.entity not in registry:  # the list is gone since
        raise Missing()
    return found, _listing(registry[found.entity].__path__, request.values)


def _manage_url(listing: Listing) -> str:
    return views.options_of(listing).manage_url


def _prefer(listing: Listing, **liking: object) -> None:
    with saving.work() as work:
        list_views.prefer(work.session, listing.site.by, listing.entity.key(), **liking)


def _read_name(typed: Mapping[str, str]) -> str:
    try:
        name = NAME.parse(typed.get("name", ""))
    except Unreadable as reason:
        raise Invalid([("name", about(_(NAME.label), reason))]) from reason
    if name is None:
        raise Invalid([("name", _("请填写视图的名称。"))])
    return str(name)


# --- saving a view ------------------------------------------------------------------------------------


def _save(work: Work, listing: Listing, typed: MultiDict[str, str]) -> SavedView:
    refuse_strays(typed, *CARRIED, "name", "with")
    ways = set(typed.getlist("with"))
    if ways - {SHARED, COLUMNS, REPLACE}:
        raise Invalid([("with", _("请选择页面上的选项。"))])
    name, asks = _read_name(typed), views.to_save(listing)
    columns = [one.name for one in listing.fields()] if COLUMNS in ways else []
    key = listing.entity.key()
    by, is_shared, replaces = listing.site.by, SHARED in ways, REPLACE in ways
    return list_views.save(work.session, by, key, name, asks, columns, is_shared=is_shared, replaces=replaces)


def ways_of(can_share: bool) -> tuple[tuple[str, str], ...]:
    """What may be ticked beside a view's name."""
    shared = ((SHARED, _("共享给本单位的人")),) if can_share else ()
    return (*shared, (COLUMNS, _("连同现在的列")))


def _save_page(
    listing: Listing, typed: MultiDict[str, str], complaints: Sequence[tuple[str, str]]
) -> FormPage:
    options = views.options_of(listing)
    offered = (*ways_of(options.can_share), (REPLACE, _("替换我的同名视图")))
    ways = Input("with", _("选项"), "checks", options=offered, chosen=tuple(typed.getlist("with")))
    word = _("保存视图")
    return _name_page(listing, word, typed.get("name", ""), complaints, options.views_url, (ways,))


def _rename_page(
    listing: Listing, found: SavedView, name: str, complaints: Sequence[tuple[str, str]] = ()
) -> FormPage:
    word = _("视图“%(name)s”改名", name=found.name)
    return _name_page(listing, word, name, complaints, f"/lists/views/rename/{found.id}")


def _name_page(
    listing: Listing,
    title: str,
    name: str,
    complaints: Sequence[tuple[str, str]],
    action_url: str,
    more: tuple[Input, ...] = (),
) -> FormPage:
    options = views.options_of(listing)
    errors = tuple(sentence for where, sentence in complaints if where == "name")
    label = _(NAME.label)
    inputs = (
        Input("name", label, "text", name, required=True, maxlength=LONGEST_NAME, errors=errors),
        *more,
    )
    return FormPage(
        title=title,
        crumbs=_crumbs(listing, Crumb(title)),
        sections=[FormSection(_("视图"), inputs)],
        cancel_url=options.manage_url,
        action_url=action_url,
        hidden=list(options.keep),
        complaints=[
            (where if where == "name" else "", label if where == "name" else "", text)
            for where, text in complaints
        ],
    )


# --- the views of a list ------------------------------------------------------------------------------


def _crumbs(listing: Listing, *more: Crumb) -> list[Crumb]:
    manage = Crumb(_("视图"), _manage_url(listing) if more else None)
    return crumbs(listing.entity, listing.site, manage, *more)


def _views_page(listing: Listing) -> ListPage:
    saved = listing.comforts.views
    names = list_views.owner_names(db.session(), saved)
    return ListPage(
        title=_("%(list)s的视图", list=listing.site.title_of(listing.entity)),
        crumbs=_crumbs(listing),
        columns=[Column(n, _(n)) for n in ("名称", "条件", "谁可以用", "保存人")],
        rows=[_view_row(listing, view, names.get(view.owner_id, "")) for view in saved],
        count=count_text(len(saved)),
        empty_title=_("还没有保存的视图"),
        empty_hint=_("在列表中设好筛选条件和排序，点击“视图”，填写名称保存。"),
    )


def _view_row(listing: Listing, view: View, owner: str) -> Row:
    can_ask = views.can_ask(listing, view)
    url = views.url_of(listing, view) if can_ask else None
    if can_ask:
        asked = Listing(listing.entity, listing.site, dict(view.asks))
        asks = Cell("，".join((*(chip.label for chip in asked.chips()), *_order(asked))) or _("全部"))
    else:
        asks = Cell(_("含有您不能查询的项目，打不开"), tone="warn")
    shared = Cell(_("本单位的人"), tone="info") if view.is_shared else Cell(_("只有自己"))
    cells = (Cell(view.name, url=url), asks, shared, Cell(owner))
    return Row(view.id, url, cells, tuple(_view_actions(listing, view)))


def _order(asked: Listing) -> Iterator[str]:
    if found := asked.sortable.get(asked.asked.sort.removeprefix("-")):
        words = {"what": _(found.label)}
        yield (
            _("按%(what)s倒序", **words) if asked.asked.sort.startswith("-") else _("按%(what)s排序", **words)
        )


def _view_actions(listing: Listing, view: View) -> Iterator[Action]:
    site = {"site": "bureau"} if listing.site.is_bureau else {}
    if view.owner_id == listing.site.by.id:
        yield Action(_("改名"), with_args(f"/lists/views/rename/{view.id}", dict(site)))
    if list_views.may_delete(listing.site.by, view):
        yield Action(_("删除"), with_args(f"/lists/views/delete/{view.id}", dict(site)), style="danger")


def _delete_page(listing: Listing, found: SavedView) -> ConfirmPage:
    is_shared = found.school_id is not None or found.region_code is not None
    options = views.options_of(listing)
    return ConfirmPage(
        title=_("删除视图“%(name)s”", name=found.name),
        crumbs=_crumbs(listing, Crumb(_("删除"))),
        sentence=_("将删除视图“%(name)s”。列表中的记录不受影响。", name=found.name),
        goes_with=[_("这个视图是共享的，本单位的人都不能再用它。")] if is_shared else [],
        submit_label=_("确认删除视图“%(name)s”", name=found.name),
        cancel_url=options.manage_url,
        action_url=f"/lists/views/delete/{found.id}",
        hidden=list(options.keep),
    )


# --- columns ------------------------------------------------------------------------------------------


def _offered(listing: Listing) -> dict[str, Field]:
    """What may be chosen beside the first column, as the list has it now and then in the order of the declaration."""
    found = choosable(listing.entity, listing.site.by)
    now = [one.name for one in listing.fields() if one.name in found]
    first = named_by(listing.entity)
    return {name: found[name] for name in dict.fromkeys((*now, *found)) if name != first}


def _read_columns(listing: Listing, typed: MultiDict[str, str]) -> list[str]:
    """The names in the order that was asked for, those without a number behind. Raises Invalid."""
    offered, chosen = _offered(listing), typed.getlist("column")
    refuse_strays(typed, *CARRIED, "column", *(f"at-{name}" for name in offered))
    complaints, places = [], {}
    for name in offered:
        raw = typed.get(f"at-{name}", "").strip()
        if raw and not (raw.isascii() and raw.isdigit() and len(raw) <= 3):
            complaints.append((f"at-{name}", _("次序应为1到999的整数，如3。")))
        else:
            places[name] = int(raw) if raw else 1_000
    if set(chosen) - set(offered):
        complaints.append(("", _("选择的列中有您看不到的项目。请重新选择。")))
    if not 1 <= len(set(chosen)) <= MOST_COLUMNS:
        complaints.append(("", _("请选择1到%(n)s列。", n=MOST_COLUMNS)))
    if complaints:
        raise Invalid(complaints)
    return sorted((name for name in offered if name in chosen), key=lambda name: places[name])


def _columns_page(
    listing: Listing, typed: MultiDict[str, str] | None = None, complaints: Sequence[tuple[str, str]] = ()
) -> ColumnsPage:
    offered, options = _offered(listing), views.options_of(listing)
    now = [one.name for one in listing.fields() if one.name in offered]
    chosen = set(now if typed is None else typed.getlist("column"))
    at = {name: str(n) for n, name in enumerate(now, 1)}
    if typed is not None:
        at = {name: typed.get(f"at-{name}", "") for name in offered}
    errors = dict(complaints)
    lines = [
        ColumnLine(
            name,
            _(one.label),
            name in chosen,
            at.get(name, ""),
            _("隐藏部分字符") if one.mask else "",
            errors.get(f"at-{name}", ""),
        )
        for name, one in offered.items()
    ]
    entity, title = listing.entity, _("列和次序")
    first = entity.fields().get(named_by(entity))
    return ColumnsPage(
        title=f"{listing.site.title_of(entity)} · {title}",
        crumbs=crumbs(entity, listing.site, Crumb(title)),
        first=_(entity.__label__) if has_made_name(entity) or first is None else _(first.label),
        lines=lines,
        action_url=f"/lists/columns/{entity.__path__}",
        cancel_url=views.back_to(listing),
        hidden=options.keep,
        most=MOST_COLUMNS,
        complaints=[
            (where, _(offered[where.removeprefix("at-")].label) if where else "", text)
            for where, text in complaints
            if not where or where.removeprefix("at-") in offered
        ],
    )


def register(app: Flask) -> None:
    app.extensions["appbuilder"].add_view_no_menu(ListViewsView)
