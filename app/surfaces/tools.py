"""Small shared pages beside the generated ones: look-ups, quick search, reveal, recycle bin, health.

Exact numbers are searched by POST and answered with row ids, so that no number enters an address.
"""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask, current_app, flash, jsonify, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.core import audit, rights, saving, scope
from app.core.databases import reading_session
from app.core.entity import Entity, Recyclable, registry
from app.core.errors import Denied, Invalid, Missing, Stale
from app.core.fields import HERE
from app.extensions import db
from app.surfaces import icons, lookups
from app.surfaces.display import Revealed, opened_by
from app.surfaces.listing import PAGE_SIZE, count_text
from app.surfaces.pages import Answer, flash_warnings, version_in
from app.surfaces.security import current_actor, local_path
from app.surfaces.site import Site, is_personal
from app.surfaces.viewmodels import Action, Cell, Column, Crumb, ListPage, Row

FOUND_MOST = 50
LONG = 15  # characters: codes of schools and regions are shorter, personal numbers are not
REASON_LEAST = 2  # characters


def _entity_at(path: str) -> type[Entity]:
    found = next((e for e in registry if e.__path__ == path), None)
    if found is None:
        raise Missing()
    return found


class ToolsView(BaseView):
    """Routes that serve every entity alike."""

    route_base = ""
    default_view = "healthz"

    @expose("/healthz")
    def healthz(self) -> Response:
        db.session.execute(sa.select(sa.literal(1)))
        return jsonify(status="ok")

    @expose("/lookup/<table>", methods=["POST"])
    def lookup(self, table: str) -> Response:
        """Posted, since what is typed may be a number."""
        typed = request.form.get("q", "").strip()[:50].replace("\0", "")
        found = lookups.suggest(db.session(), current_actor(), table, typed)
        return jsonify(items=[{"id": id_, "label": label} for id_, label in found])

    @expose("/search/<path>", methods=["POST"])
    def search(self, path: str) -> Response:
        entity, by = _entity_at(path), current_actor()
        rights.require(by, f"{entity.key()}:list")
        bureau = request.form.get("site") == "bureau"
        site = Site(by, reading_session(current_app) if bureau else db.session(), is_bureau=bureau)
        typed = request.form.get("q", "").strip()
        among = rights.searched_fields(by, entity)
        number = entity.search_number(typed, among) if len(typed) <= 50 else None
        kept = {k: v for k, v in request.form.items() if k not in ("csrf_token", "q", "site")}
        if number is None and len(typed) >= LONG and is_personal(typed):
            flash(_("这个列表不能按证件号、学籍号查询。请在“学生花名册”中查询这个号码。"), "warning")
            return redirect(site.list_url(entity, **kept))
        if number is None:
            return redirect(site.list_url(entity, **kept, q=typed[:60].replace("\0", "")))
        ids = list(
            site.session.scalars(sa.select(entity.id).where(number).order_by(entity.id).limit(FOUND_MOST))
        )
        if len(ids) == 1 and site.can_open(entity):
            return redirect(site.show_url(entity, ids[0]))
        if not ids:
            flash(_("没有找到这个号码。请核对后重新查询；不在您管理范围内的学生也查不到。"), "warning")
        return redirect(site.list_url(entity, found=",".join(map(str, ids)) or "0"))

    @expose("/reveal/<table>", methods=["POST"])
    def reveal(self, table: str) -> Response:
        entity, by = _known(table), current_actor()
        rights.require(by, f"{table}:reveal")
        reason = request.form.get("reason", "").strip()
        ids = [
            int(i) for i in request.form.getlist("id")[:200] if i.isascii() and i.isdigit() and len(i) <= 18
        ]
        _show(entity, by, ids, reason)
        return redirect(local_path(request.form.get("next"), f"/{entity.__path__}/list/"))

    # --- recycle bin ---

    @expose("/recycle-bin/")
    def recycle_bin(self) -> str:
        by = current_actor()
        rights.require(by, "recycle_bin:list")
        return render_template("list.html", page=_bin_page(by))

    @expose("/recycle-bin/restore/<table>/<int:pk>", methods=["POST"])
    def restore(self, table: str, pk: int) -> Answer:
        entity, by, name = _known(table), current_actor(), ""
        rights.require(by, "recycle_bin:list")
        try:
            with saving.work() as work:
                obj = saving.find_deleted(entity, pk)
                name = obj.shown()
                saving.restore(obj, by, version=version_in(request.form))
        except (Invalid, Stale) as refused:
            words = {"what": _(entity.__label__), "name": name, "why": refused.sentence}
            page = _bin_page(by, note=_("没有恢复%(what)s“%(name)s”。%(why)s", **words))
            return render_template("list.html", page=page), 409 if isinstance(refused, Stale) else 422
        flash(_("已恢复“%(name)s”。", name=name), "success")
        flash_warnings(work.warnings)
        return redirect("/recycle-bin/")


def _known(table: str) -> type[Entity]:
    if table not in registry:
        raise Missing()
    return registry[table]


def _show(entity: type[Entity], by: rights.Actor, ids: list[int], reason: str) -> None:
    """Audits who saw what and why, then remembers it for a short while. Raises Invalid without a reason."""
    if not REASON_LEAST <= len(reason) <= 200:
        raise Invalid([("reason", _("请填写查看完整号码的事由（2到200个字），事由会记入访问日志。"))])
    rows = list(db.session.scalars(sa.select(entity).where(entity.id.in_(ids))).unique())
    allowed = [obj for obj in rows if scope.may(db.session(), by, "reveal", obj)]
    if not allowed:
        raise Missing() if not rows else Denied(rights.refusal(by, f"{entity.key()}:reveal", elsewhere=True))
    with saving.work() as work:
        audit.write(
            work.session,
            [
                audit.row(
                    by,
                    "reveal",
                    entity.key(),
                    obj.id,
                    subject=obj.filed_as(),
                    reason=reason,
                    **scope.audit_place_of(obj),
                )
                for obj in allowed
            ],
        )
    Revealed.keep(by, opened_by(db.session(), by, entity, [obj.id for obj in allowed]))


def _bin_page(by: rights.Actor, note: str | None = None) -> ListPage:
    """`note`: why something was not restored."""
    rows = []
    with scope.with_deleted(db.session()):
        for entity in _recyclable(by):
            rows += [_bin_row(obj) for obj in _deleted(entity)]
    return ListPage(
        title=_("回收站"),
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("回收站"))],
        columns=[Column(n, _(n)) for n in ("类型", "名称", "删除时间")],
        rows=rows,
        count=count_text(len(rows)),
        empty_title=_("回收站是空的"),
        empty_hint=_("删除的待核准学生和班级在这里保留30天。"),
        note=note,
        tone="bad",
    )


def _recyclable(by: rights.Actor) -> list[type[Entity]]:
    return [e for e in registry if issubclass(e, Recyclable) and by.has(f"{e.key()}:delete")]


def _deleted(entity: type[Entity]) -> list[Entity]:
    gone = entity.deleted_at
    return list(
        db.session.scalars(
            sa.select(entity).where(gone.is_not(None)).order_by(gone.desc()).limit(PAGE_SIZE)
        ).unique()
    )


def _bin_row(obj: Entity) -> Row:
    when = obj.deleted_at.astimezone(HERE).strftime("%Y-%m-%d %H:%M")
    back = Action(
        _("恢复"),
        f"/recycle-bin/restore/{obj.key()}/{obj.id}",
        "post",
        icon="arrow-counterclockwise",
        fields=(("version", str(obj.version)),),
    )
    return Row(obj.id, None, (Cell(_(obj.__label__)), Cell(obj.shown()), Cell(when)), (back,))


def register(app: Flask) -> None:
    icons.register(app)
    app.extensions["appbuilder"].add_view_no_menu(ToolsView)
