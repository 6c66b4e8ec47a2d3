"""Drafts of forms: what is typed is kept while one types, and the form is found filled again.

Which addresses are forms that a person may open is asked of the pages themselves: the form's own view makes the page,
and from it comes what may be kept. Where drafts lie, and for how long, is `core.drafts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Flask, current_app, flash, g, redirect, render_template, request, session
from flask.ctx import RequestContext
from flask.sessions import SecureCookieSession
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from app.core import drafts, saving
from app.core.drafts import Draft, Pairs, Typed
from app.core.errors import Denied, Invalid, Missing, Refused
from app.core.fields import HERE
from app.core.rights import Actor
from app.core.wording import N_, labelled, listed
from app.extensions import db
from app.surfaces import entrance, menu
from app.surfaces.display import Revealed
from app.surfaces.forms import ROW_WORDS
from app.surfaces.handlers import wants_json
from app.surfaces.listing import count_text
from app.surfaces.problems import as_json
from app.surfaces.security import current_actor, local_path
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Column,
    Crumb,
    DetailPage,
    DetailSection,
    DraftBox,
    FormPage,
    FormSection,
    Input,
    Item,
    ListPage,
    Matrix,
    Row,
)

LIST_PATH, KEEP_PATH, DROP_PATH = "/drafts/", "/drafts/keep", "/drafts/drop"
NO_FORM = N_("这个地址没有可以暂存的表单。请从页面上的按钮办理。")


# --- for views that have a form -----------------------------------------------------------------------


def show_form(page: FormPage) -> str:
    """Every form is answered through this. One that keeps drafts is found filled with its person's."""
    typed = typed_here() if page.keeps_draft else None
    if typed is not None and not page.is_filled:
        page.sections = [_filled(section, typed) for section in page.sections]
    probe: _Probe | None = g.get("probe")
    if probe is not None:
        probe.page = page if page.keeps_draft else None
        return ""
    if page.keeps_draft:
        page.draft = _box()
    return render_template("form.html", page=page)


def typed_here() -> MultiDict[str, str] | None:
    """What the form of this request is to be filled with before it is shown; None where there is nothing.

    For views that fill their form themselves, and say so by `page.is_filled`.
    """
    probe: _Probe | None = g.get("probe")
    if probe is not None:
        return MultiDict(probe.pairs) if probe.pairs is not None else None
    draft = _draft_here() if request.method in ("GET", "HEAD") else None
    return MultiDict(draft.typed.pairs) if draft is not None and draft.typed is not None else None


def drop_here(work: Session) -> None:
    """The form of this request is saved: its draft goes in the same transaction.

    Rows that were refused are not to be written on the way: what is wrong with them is said at the end of the work.
    """
    with work.no_autoflush:
        drafts.drop(work, _me(), request.path)


def _me() -> int:
    """The account that is logged in."""
    current_actor()
    return int(g.user.id)


def _draft_here() -> Draft | None:
    """Looked for once in a request."""
    known = request.environ.setdefault("xueji.draft", [])
    if not known:
        known.append(drafts.find(db.session(), _me(), request.path))
    found: Draft | None = known[0]
    return found


def _filled(section: FormSection, typed: MultiDict[str, str]) -> FormSection:
    return replace(section, inputs=tuple(_with_typed(one, typed) for one in section.inputs))


def _with_typed(one: Input, typed: MultiDict[str, str]) -> Input:
    if not one.is_kept or (one.name not in typed and one.widget != "checks"):
        return one
    if one.widget == "checks":  # where none is ticked, nothing is posted
        chosen = tuple(typed.getlist(one.name))
        return replace(one, chosen=chosen, changed=chosen != one.chosen)
    value, label = typed[one.name], typed.get(f"{one.name}__text", one.lookup_label)
    return replace(one, value=value, lookup_label=label, changed=value != one.value)


def _box() -> DraftBox:
    draft, restored = _draft_here(), None
    if draft is not None and request.method == "GET":
        restored = _("已恢复%(when)s未保存的内容，以竖线标出。", when=_moment(draft.saved_at))
    since = drafts.mark(draft.saved_at if draft is not None else None)
    return DraftBox(request.path, _me(), since, restored)


def _moment(at: datetime, how: str = "%Y-%m-%d %H:%M") -> str:
    return at.astimezone(HERE).strftime(how)


# --- asking a form ------------------------------------------------------------------------------------


@dataclass
class _Probe:
    """The form at an address, asked what it would look like filled with `pairs` (None: as it opens)."""

    pairs: Pairs | None
    page: FormPage | None = None


def form_at(path: str, pairs: Pairs | None = None) -> FormPage:
    """The form at `path` as the person of this request opens it. Raises Missing where there is none that keeps drafts,
    and whatever its view raises."""
    view, words = _view_at(path)
    probe = g.probe = _Probe(pairs)
    try:
        with _opening(path):
            view(**words)
    finally:
        del g.probe
    if probe.page is None:
        raise Missing(_(NO_FORM))
    return probe.page


def _view_at(path: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The view that both shows and takes the form at `path`."""
    routes: Any = current_app.create_url_adapter(request)
    try:
        shows, words = routes.match(path, method="GET")
        takes, _words = routes.match(path, method="POST")
    except HTTPException:
        shows, takes, words = "", None, {}
    if shows != takes or routes.build(shows, words) != path:  # one form, one address
        raise Missing(_(NO_FORM))
    return current_app.view_functions[shows], words


@contextmanager
def _opening(path: str) -> Iterator[None]:
    """A request for the form within this one: the same person, who has revealed nothing, and a session that nobody
    keeps."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    apart = SecureCookieSession(dict(session))
    with RequestContext(app, create_environ(path, request.host_url), session=apart):
        Revealed.lapse()
        yield


# --- what of a form is kept ---------------------------------------------------------------------------


def _keep(
    path: str, posted: MultiDict[str, str], window: str = "", since: str | None = None
) -> datetime | None:
    """Keeps what was posted as this person's draft of the form at `path`; None where the form is as it opens.

    Raises Missing and Denied as the form does, Stale and Invalid as `core.drafts.keep` does.
    """
    pairs = tuple(posted.items(multi=True))
    drafts.require_room(sum(len(name) + len(value) for name, value in pairs), path)
    page = form_at(path, pairs)
    typed = Typed(tuple(_worth_keeping(page, posted)), tuple(_changed(page)), window)
    with saving.work() as work:
        return drafts.keep(work.session, _me(), path, page.title, typed, since)


def _inputs(page: FormPage) -> Iterator[Input]:
    for section in page.sections:
        yield from section.inputs
    for table in page.inlines:
        for row in table.rows:
            yield from row.inputs
    if page.matrix is not None:
        yield _rights(page.matrix)


def _rights(matrix: Matrix) -> Input:
    """The rights of a matrix as one input: they are posted by one name."""
    options = tuple((tick.right, label) for label, tick in matrix.ticks)
    on = tuple(tick.right for _label, tick in matrix.ticks if tick.is_on)
    changed = matrix.first is not None and frozenset(on) != matrix.first
    return Input("right", _("权限"), "checks", options=options, chosen=on, changed=changed)


def _worth_keeping(page: FormPage, posted: MultiDict[str, str]) -> Iterator[tuple[str, str]]:
    """Of what was posted, what this form has an input for, as the form shows it: a masked value stays hidden."""
    inputs = {one.name: one for one in _inputs(page) if one.is_kept}
    beside = {name for name, _value in page.hidden} | {f"{name}__text" for name in inputs}
    beside |= {row.prefix + word for table in page.inlines for row in table.rows for word in ROW_WORDS}
    for name, value in posted.items(multi=True):
        if name in inputs:
            yield name, value if inputs[name].widget == "checks" else inputs[name].value
        elif name in beside:
            yield name, value


def _changed(page: FormPage) -> Iterator[tuple[str, str]]:
    """Label and text of everything that is not as the form opens."""
    for section in page.sections:
        yield from ((one.label, _read(one)) for one in section.inputs if _differs(one))
    for table in page.inlines:
        for number, row in enumerate(table.rows, 1):
            name = f"{table.title} {number}"
            yield from ((labelled(name, one.label), _read(one)) for one in row.inputs if _differs(one))
            if row.is_gone:
                yield name, _("保存时删除")
    if page.matrix is not None and (one := _rights(page.matrix)).changed:
        yield one.label, _read(one)


def _differs(one: Input) -> bool:
    """Also where something was typed into a look-up and nothing chosen yet."""
    return one.changed or (not one.value and one.lookup_label != "")


def _read(one: Input) -> str:
    """The value as people read it."""
    if one.widget == "checks":
        return listed(label for value, label in one.options if value in one.chosen)
    return one.lookup_label or dict(one.options).get(one.value, one.value)


def keep_late() -> str | None:
    """What this request posts, though its session is over, as the draft of the session's person: the form's path, or None
    where it was not for a form. The gate has seen to whose it is and to the form token."""
    words = _KeepWords.read(request.form) if request.path == KEEP_PATH else None
    path = words.path if words is not None else request.path
    try:
        kept = words.keep() if words is not None else _keep(path, request.form)
    except (Refused, HTTPException):
        return None
    return path if kept is not None else None


@dataclass(frozen=True)
class _KeepWords:
    """What is posted to KEEP_PATH: the form's address and inputs, and for scripts whose page it is and what it began with."""

    path: str
    owner: str
    window: str
    since: str | None
    posted: MultiDict[str, str]

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> _KeepWords:
        path, owner, window = (form.get(f"draft_{name}", "") for name in ("path", "owner", "window"))
        return cls(path, owner, window, form.get("draft_since"), form)

    def keep(self) -> datetime | None:
        if not self.path:
            raise Invalid(_("缺少表单的地址。请刷新页面后重新暂存。"))
        if self.owner not in ("", str(_me())):
            raise Denied(_("现在登录的是另一个账号，本页的内容没有暂存。请用原来的账号登录后再试。"))
        return _keep(self.path, self.posted, self.window[:40], self.since)


# --- pages --------------------------------------------------------------------------------------------


class DraftsView(BaseView):
    """草稿箱：填写了还没有保存的表单。"""

    route_base = LIST_PATH.rstrip("/")
    default_view = "list"

    @expose("/")
    def list(self) -> str:
        found = drafts.of_person(db.session(), _me())
        page = ListPage(
            title=_("草稿箱"),
            crumbs=_crumbs(),
            columns=[Column(n, _(n)) for n in ("表单", "状态", "暂存时间", "保留至")],
            rows=[_row(draft) for draft in found],
            count=count_text(len(found)),
            empty_title=_("草稿箱是空的"),
            empty_hint=_("表单中填写了还没有保存的内容会自动暂存在这里，保留30天，只有您自己能看到。"),
        )
        return render_template("list.html", page=page)

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> str:
        draft = drafts.get(db.session(), _me(), pk)
        return render_template("detail.html", page=_content_page(draft))

    @expose("/token")
    def token(self) -> Response:
        """For a page that has been open while its person came in anew: the form token that holds now."""
        return as_json({"person": _me(), "token": generate_csrf()})

    @expose("/keep", methods=["POST"])
    def keep(self) -> Response:
        words = _KeepWords.read(request.form)
        kept = words.keep()
        if wants_json():
            return as_json({"at": _moment(kept, "%H:%M") if kept is not None else None})
        if kept is None:
            flash(_("内容没有改动，不需要暂存。"))
        else:
            flash(_("已暂存。30天内可以从“草稿箱”继续填写。"), "success")
        return redirect(words.path)

    @expose("/drop", methods=["POST"])
    def drop(self) -> Response:
        path = request.form.get("draft_path", "")
        if not path:
            raise Invalid(_("缺少表单的地址。请从“草稿箱”中放弃草稿。"))
        with saving.work() as work:
            drafts.drop(work.session, _me(), path)
        flash(_("已放弃草稿。"), "success")
        return redirect(local_path(request.form.get("next"), LIST_PATH))


def _crumbs(*more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("草稿箱"), LIST_PATH), *more]


def _row(draft: Draft) -> Row:
    state, opens = _state(draft)
    cells = (
        Cell(draft.title),
        state,
        Cell(_moment(draft.saved_at)),
        Cell(_moment(draft.ends_at, "%Y-%m-%d")),
    )
    return Row(draft.id, _content_path(draft), cells, tuple(_actions(draft, opens)))


def _content_path(draft: Draft) -> str:
    return f"{LIST_PATH}show/{draft.id}"


def _state(draft: Draft) -> tuple[Cell, bool]:
    """What became of its form, and whether it can be opened."""
    if draft.typed is None:
        return Cell(_("无法读取"), tone="bad"), False
    try:
        form_at(draft.path)
    except Missing:
        return Cell(_("记录已不存在"), tone="bad"), False
    except (Refused, HTTPException):
        return Cell(_("您已不能填写"), tone="warn"), False
    return Cell(_("可继续填写"), tone="good"), True


def _actions(draft: Draft, opens: bool, style: Any = "secondary") -> Iterator[Action]:
    if opens:
        yield Action(_("继续填写"), draft.path, style=style)
    fields = (("draft_path", draft.path), ("next", LIST_PATH))
    yield Action(_("放弃草稿"), DROP_PATH, "post", "danger", fields=fields)


def _content_page(draft: Draft) -> DetailPage:
    """What was changed, to be read and copied also where the form itself cannot be opened any more."""
    state, opens = _state(draft)
    shown: Iterable[tuple[str, str]] = draft.typed.shown if draft.typed is not None else ()
    items = [Item(label, Cell(text or _("（空）"), wide=len(text) > 40)) for label, text in shown]
    if draft.typed is None:
        items = [
            Item(_("说明"), Cell(_("系统的密钥已更换，这份草稿无法读取。请放弃后重新填写。"), wide=True))
        ]
    about = (
        Item(_("暂存时间"), Cell(_moment(draft.saved_at))),
        Item(_("保留至"), Cell(_moment(draft.ends_at))),
    )
    return DetailPage(
        title=draft.title,
        subtitle=_("草稿"),
        crumbs=_crumbs(Crumb(draft.title)),
        sections=[DetailSection(_("填写的内容"), tuple(items)), DetailSection(_("草稿"), about)],
        badges=[state],
        actions=list(_actions(draft, opens, "primary")),
    )


def _card(by: Actor) -> Iterable[entrance.Card]:
    if number := drafts.count(db.session(), _me()):
        yield _("草稿"), str(number), LIST_PATH, None


def register(app: Flask) -> None:
    app.extensions["appbuilder"].add_view_no_menu(DraftsView)
    menu.add(menu.Entry("我的待办 › 草稿箱", LIST_PATH))
    if _card not in entrance.CARDS:  # several applications in one process, as tests have them
        entrance.CARDS.append(_card)
