"""The pages of roles: the list, a role as a matrix, making and changing one. What they do is in `core.grants` and
`own_roles`, what they show in `role_page_models`."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.areas.people import own_roles
from app.areas.people import role_page_models as models
from app.areas.people.page_models import Complaints, read_cursor
from app.areas.people.role_page_models import LIST_PATH, show_path
from app.core import grants, rights, saving
from app.core.errors import Invalid, Missing, Stale
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import menu
from app.surfaces.drafts import drop_here, show_form, typed_here
from app.surfaces.forms import ALWAYS_POSTED, unknown, version_of
from app.surfaces.pages import Answer, version_in
from app.surfaces.security import current_actor

TYPED = ("label", "description", "right")

menu.add(menu.Entry("系统管理 › 角色管理", LIST_PATH, "role:list"))


class RoleView(BaseView):
    """角色管理：默认角色和本单位的角色，各有哪些权限；复制、新建、修改、删除本单位的角色。"""

    route_base = "/roles"
    default_view = "list"

    @expose("/list/")
    def list(self) -> Answer:
        by = current_actor()
        rights.require(by, "role:list")
        if set(request.args) - {"after", "before"}:
            raise Invalid(_("地址中有这个列表不认识的条件。请返回列表，使用页面上的查询和翻页。"))
        shown = own_roles.listed(
            db.session(), by, read_cursor(request.args, "after"), read_cursor(request.args, "before")
        )
        return render_template("list.html", page=models.list_page(db.session(), by, shown))

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "role:show")
        role = own_roles.find(db.session(), by, pk)
        return render_template("role.html", page=models.show_page(db.session(), by, role))

    @expose("/add", methods=["GET", "POST"])
    def add(self) -> Answer:
        by = current_actor()
        rights.require(by, "role:add")
        own_roles.require_unit(by)
        return MakeFlow(by, None).answer()

    @expose("/copy/<int:pk>", methods=["GET", "POST"])
    def copy(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "role:add")
        own_roles.require_unit(by)
        role = own_roles.find(db.session(), by, pk)
        if not models.is_copied(by, role):
            raise Missing(_("没有找到要复制的角色。请从角色列表中重新选择。"))
        return MakeFlow(by, role).answer()

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    def edit(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "role:edit")
        role = own_roles.find(db.session(), by, pk)
        grants.require_own_role(db.session(), by, role, "edit")
        return ChangeFlow(by, role).answer()

    @expose("/delete/<int:pk>", methods=["GET", "POST"])
    def delete(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "role:delete")
        role = own_roles.find(db.session(), by, pk)
        grants.require_own_role(db.session(), by, role, "delete")
        if request.method == "GET":
            grants.require_never_held(db.session(), role)
            return render_template("confirm.html", page=models.delete_page(by, role))
        _refuse_others(request.form, "version")
        label, version = role.title, version_in(request.form)
        with saving.work() as work:
            grants.delete_role(work.session, by, own_roles.find(work.session, by, pk), version=version)
        flash(_("已删除角色“%(role)s”。", role=label), "success")
        return redirect(LIST_PATH)


def _refuse_others(typed: MultiDict[str, str], *names: str) -> None:
    """Junk is refused, not ignored. Raises Invalid."""
    known = {*names, *ALWAYS_POSTED}
    if strays := [("", unknown(name)) for name in typed if name not in known]:
        raise Invalid(strays)


class MakeFlow:
    """A new role, from another or from nothing. What was ticked stays when it is refused."""

    def __init__(self, by: Actor, template: Role | None) -> None:
        self.by, self.template = by, template
        self.levels = own_roles.levels_for(by, template)

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._page(typed_here() or self._at_first())
        try:
            return self._make(request.form)
        except Invalid as refused:
            return self._page(request.form, refused.complaints), 422

    def _at_first(self) -> MultiDict[str, str]:
        found = [("level", level) for level in self.levels[:1]]
        if self.template is not None:
            held = grants.rights_in_role(db.session(), self.template)
            room = grants.room_for(db.session(), self.by, own_roles.new_role(self.by, {}, self.template))
            found += [("right", right) for right in models.first_ticks(held, room)]
        return MultiDict(found)

    def _page(self, typed: MultiDict[str, str], complaints: Complaints = ()) -> str:
        inputs = models.role_inputs(typed, complaints, self.levels)
        on = frozenset(typed.getlist("right"))
        page = models.add_page(db.session(), self.by, self.template, on, inputs, complaints)
        models.mark_changed(page, self._at_first())
        return show_form(page)

    def _make(self, typed: MultiDict[str, str]) -> Response:
        _refuse_others(typed, *TYPED, "level")
        wanted, level = models.read_rights(typed), typed.get("level", "")
        with saving.work() as work:
            made = own_roles.make(work.session, self.by, typed, wanted, self.template, level)
            drop_here(work.session)
            made_id, label = made.id, made.label
        flash(_("已新建角色“%(role)s”。", role=label), "success")
        return redirect(show_path(made_id))


class ChangeFlow:
    """Changing a role. Where it is in use, what the change does to whom is shown before it is saved."""

    def __init__(self, by: Actor, role: Role) -> None:
        self.by, self.role = by, role

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._page(typed_here() or self._as_it_is())
        try:
            _refuse_others(request.form, *TYPED, "version", "mark", "back")
            if request.form.get("back"):
                return self._page(request.form)
            return self._submit(request.form)
        except Invalid as refused:
            return self._page(request.form, refused.complaints), 422
        except Stale as stale:
            return self._page(request.form, conflict=stale), 409

    def _as_it_is(self) -> MultiDict[str, str]:
        held = grants.rights_in_role(db.session(), self.role)
        words = [(name, getattr(self.role, name)) for name in own_roles.WORDS]
        return MultiDict([*words, *(("right", right) for right in held)])

    def _page(
        self, typed: MultiDict[str, str], complaints: Complaints = (), conflict: Stale | None = None
    ) -> str:
        inputs, on = models.role_inputs(typed, complaints), frozenset(typed.getlist("right"))
        page = models.edit_page(db.session(), self.by, self.role, on, inputs, complaints)
        if conflict is not None:
            now = grants.rights_in_role(db.session(), self.role)
            page.conflict = models.conflict_of(now, on, self.role, typed, conflict.sentence)
        elif (seen := version_of(typed.get("version", ""))) is not None:
            page.hidden = [("version", str(seen))]
        models.mark_changed(page, self._as_it_is())
        return show_form(page)

    def _submit(self, typed: MultiDict[str, str]) -> Answer:
        version, wanted = version_in(typed), models.read_rights(typed)
        grants.require_version(self.role, version)
        plan = own_roles.plan(db.session(), self.by, self.role, typed, wanted)
        if plan.holders and typed.get("mark") != plan.mark:
            page = models.preview_page(db.session(), self.by, self.role, plan, typed)
            return render_template("confirm.html", page=page)
        pk, mark = self.role.id, plan.mark
        with saving.work() as work:
            role = own_roles.find(work.session, self.by, pk)
            done = own_roles.change(work.session, self.by, role, typed, wanted, version=version, mark=mark)
            drop_here(work.session)
            label, ended = role.title, len(done.ended)
        flash(_("已保存角色“%(role)s”。", role=label), "success")
        if ended:
            flash(_("随之终止的授权共%(n)s项。", n=ended), "info")
        return redirect(show_path(pk))


VIEWS = (RoleView,)
