"""The pages of people: accounts of others. What they do is in `accounts`, what they show in `page_models`; grants and
everybody's own account have pages of their own."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import accounts, directory_page_models, grant_page_models, granting, page_models
from app.areas.people.accounts import Home, home_of
from app.areas.people.opening import open_person, role_to_open_with
from app.areas.people.page_models import LIST_PATH, read_day, read_id, refuse_strays, show_path
from app.areas.people.slip_pages import keep_for_next_page, new_one_time, shown_once
from app.core import rights, saving
from app.core.errors import Invalid, Stale
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import lookups, menu
from app.surfaces.drafts import drop_here, show_form
from app.surfaces.pages import Answer, version_in
from app.surfaces.security import current_actor

menu.add(menu.Entry("系统管理 › 用户管理", LIST_PATH, "person:list"))
lookups.register("ab_user", accounts.suggest, accounts.label)


# --- people -------------------------------------------------------------------------------------------


class PeopleView(BaseView):
    """用户管理：开通账号、授权、停用、解锁、重置密码。"""

    route_base = "/people"
    default_view = "list"

    @expose("/list/")
    def list(self) -> Answer:
        by = current_actor()
        rights.require(by, "person:list")
        page = directory_page_models.list_page(db.session(), by, request.args)
        return render_template("list.html", page=page)

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:show")
        user = accounts.find(db.session(), by, pk)
        accounts.require(db.session(), by, "person:show", user)
        page = page_models.show_page(db.session(), by, user, shown_once(user.id))
        if accounts.may(db.session(), by, "grant:list", home_of(user)):
            page.related.append(grant_page_models.person_table(db.session(), user, by))
        return render_template("detail.html", page=page)

    @expose("/add", methods=["GET", "POST"])
    def add(self) -> Answer:
        by = current_actor()
        rights.require(by, "person:add")
        return OpenFlow(by).answer()

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    def edit(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:edit")
        user = accounts.find(db.session(), by, pk)
        accounts.require_power_over(db.session(), by, user)
        if request.method == "GET":
            page = page_models.edit_page(by, user, accounts.named(user), ())
            return show_form(page)
        try:
            return _change_person(by, user, request.form)
        except Invalid as refused:
            page, code = page_models.edit_page(by, user, request.form, refused.complaints), 422
        except Stale as stale:
            conflict = page_models.overtaken(user, request.form, stale.sentence)
            page, code = page_models.edit_page(by, user, request.form, (), conflict), 409
        return show_form(page), code

    @expose("/reset/<int:pk>", methods=["GET", "POST"])
    def reset(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:edit")
        if request.method == "GET":
            user = accounts.find(db.session(), by, pk)
            accounts.require_power_over(db.session(), by, user)
            return render_template("confirm.html", page=page_models.reset_page(by, user))
        nonce, password = new_one_time()
        with saving.work() as work:
            accounts.reset_password(
                work.session, by, accounts.find(work.session, by, pk, lock=True), password
            )
        keep_for_next_page(pk, nonce)
        flash(_("密码已重置。"), "success")
        return redirect(show_path(pk))

    @expose("/second-factor/<int:pk>", methods=["GET", "POST"])
    def second_factor(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:edit")
        if request.method == "GET":
            user = accounts.find(db.session(), by, pk)
            accounts.require_power_over(db.session(), by, user)
            return render_template("confirm.html", page=page_models.factor_off_page(by, user))
        with saving.work() as work:
            accounts.take_factor_off(work.session, by, accounts.find(work.session, by, pk, lock=True))
        flash(_("两步登录已解除，本人在各处的登录已退出。"), "success")
        return redirect(show_path(pk))

    @expose("/suspend/<int:pk>", methods=["POST"])
    def suspend(self, pk: int) -> Answer:
        self._set_active(pk, False)
        flash(_("已停用账号，本人在各处的登录已退出。"), "success")
        return redirect(show_path(pk))

    @expose("/resume/<int:pk>", methods=["POST"])
    def resume(self, pk: int) -> Answer:
        had_left = self._set_active(pk, True)
        if had_left:
            flash(_("已重新启用账号。离任时收回的授权不会恢复，需要的请重新授权。"), "warning")
        else:
            flash(_("已启用账号。"), "success")
        return redirect(show_path(pk))

    def _set_active(self, pk: int, active: bool) -> bool:
        """Whether the person had left."""
        by = current_actor()
        rights.require(by, "person:edit")
        with saving.work() as work:
            user = accounts.find(work.session, by, pk, lock=True)
            had_left = bool(user.left_on)
            accounts.set_active(work.session, by, user, active)
        return had_left

    @expose("/unlock/<int:pk>", methods=["POST"])
    def unlock(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:edit")
        with saving.work() as work:
            accounts.unlock(work.session, by, accounts.find(work.session, by, pk, lock=True))
        flash(_("已解锁，本人可以立即登录。"), "success")
        return redirect(show_path(pk))


def _change_person(by: Actor, user: User, typed: page_models.Typed) -> Response:
    refuse_strays(typed, page_models.name_inputs(typed, ()))
    pk, version = user.id, version_in(request.form)
    with saving.work() as work:
        found = accounts.find(work.session, by, pk, lock=True)
        accounts.change_person(work.session, by, found, typed, version)
        drop_here(work.session)
        name = found.first_name
    flash(_("已保存%(name)s的姓名和电话。", name=name), "success")
    return redirect(show_path(pk))


class OpenFlow:
    """Opening an account, with a role at once where one is chosen. What was typed stays when it is refused."""

    def __init__(self, by: Actor) -> None:
        self.by = by
        self.roles = granting.roles_to_open_with(db.session(), by)

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._page()
        try:
            return self._open()
        except Invalid as refused:
            return self._page(refused.complaints), 422

    def _page(self, complaints: page_models.Complaints = ()) -> str:
        inputs = page_models.add_inputs(db.session(), self.by, self.roles, request.form, complaints)
        return show_form(page_models.add_page(self.by, inputs, complaints))

    def _open(self) -> Response:
        typed = request.form
        refuse_strays(typed, page_models.add_inputs(db.session(), self.by, self.roles, typed, ()))
        school_id, role_id, until = read_id(typed, "school_id"), read_id(typed, "role_id"), read_day(typed)
        home = (
            Home(school_id=school_id)
            if school_id is not None
            else Home(self.by.school_id, self.by.region_code)
        )
        nonce, password = new_one_time()
        with saving.work() as work:
            role = role_to_open_with(work.session, self.by, role_id)
            user = open_person(work.session, self.by, home, typed, role, until, password=password)
            drop_here(work.session)
            user_id, name = user.id, user.first_name
        keep_for_next_page(user_id, nonce)
        flash(_("已为%(name)s开通账号。", name=name), "success")
        return redirect(show_path(user_id))


VIEWS = (PeopleView,)
