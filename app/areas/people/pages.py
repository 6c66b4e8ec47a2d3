"""The pages of people: accounts and grants of others, the own settings and password. What they do is in `accounts`
and `granting`, what they show in `page_models`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from flask import current_app, flash, g, redirect, render_template, request, session
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import accounts, granting, page_models, passwords
from app.areas.people.accounts import Home, home_of
from app.areas.people.page_models import LIST_PATH, read_day, read_id, refuse_strays, show_path
from app.core import grants, logins, rights, saving
from app.core.errors import Invalid
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import lookups, menu
from app.surfaces.drafts import drop_here, show_form
from app.surfaces.pages import Answer
from app.surfaces.security import SETTINGS_PATH, current_actor, login_rules, renew_session

menu.add(menu.Entry("系统管理 › 个人设置", SETTINGS_PATH))
menu.add(menu.Entry("系统管理 › 用户管理", LIST_PATH, "person:list"))
lookups.register("ab_user", accounts.suggest, accounts.label)


# --- the one-time password: made once, shown once -----------------------------------------------------


def _new_one_time() -> tuple[str, str]:
    """(nonce, password). Only the nonce goes into the cookie."""
    nonce = secrets.token_urlsafe(16)
    return nonce, passwords.one_time(current_app.config["SECRET_KEY"], nonce)


def _keep_for_next_page(user_id: int, nonce: str) -> None:
    session["one_time"] = [user_id, nonce]


def _shown_once(user_id: int) -> str | None:
    kept_for, nonce = session.pop("one_time", (None, ""))
    return passwords.one_time(current_app.config["SECRET_KEY"], nonce) if kept_for == user_id else None


# --- people -------------------------------------------------------------------------------------------


class PeopleView(BaseView):
    """用户管理：开通账号、授权、停用、解锁、重置密码。"""

    route_base = "/people"
    default_view = "list"

    @expose("/list/")
    def list(self) -> Answer:
        by = current_actor()
        rights.require(by, "person:list")
        q = page_models.read_search(request.args)
        shown = accounts.people(
            db.session(), by, q, read_id(request.args, "after"), read_id(request.args, "before")
        )
        return render_template("list.html", page=page_models.list_page(db.session(), by, q, shown))

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:show")
        user = accounts.find(db.session(), by, pk)
        accounts.require(db.session(), by, "person:show", user)
        page = page_models.show_page(db.session(), by, user, _shown_once(user.id))
        return render_template("detail.html", page=page)

    @expose("/add", methods=["GET", "POST"])
    def add(self) -> Answer:
        by = current_actor()
        rights.require(by, "person:add")
        return OpenFlow(by).answer()

    @expose("/grant/<int:pk>", methods=["GET", "POST"])
    def grant(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "grant:add")
        user = accounts.find(db.session(), by, pk)
        accounts.require(db.session(), by, "grant:add", user)
        return GrantFlow(by, user).answer()

    @expose("/withdraw/<int:pk>", methods=["GET", "POST"])
    def withdraw(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "grant:list")
        if request.method == "GET":
            given = granting.find_grant(db.session(), by, pk)
            granting.require_may_take(db.session(), by, given)
            return render_template("confirm.html", page=page_models.withdraw_page(db.session(), by, given))
        with saving.work() as work:
            given = granting.find_grant(work.session, by, pk)
            person_id, name = given.person_id, given.person.first_name
            ended = grants.withdraw(work.session, by, given)
        flash(_("已收回%(name)s的授权，共%(n)s项。", name=name, n=len(ended)), "success")
        return redirect(show_path(person_id))

    @expose("/reset/<int:pk>", methods=["GET", "POST"])
    def reset(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:edit")
        if request.method == "GET":
            user = accounts.find(db.session(), by, pk)
            accounts.require_power_over(db.session(), by, user)
            return render_template("confirm.html", page=page_models.reset_page(by, user))
        nonce, password = _new_one_time()
        with saving.work() as work:
            accounts.reset_password(
                work.session, by, accounts.find(work.session, by, pk, lock=True), password
            )
        _keep_for_next_page(pk, nonce)
        flash(_("密码已重置。"), "success")
        return redirect(show_path(pk))

    @expose("/suspend/<int:pk>", methods=["POST"])
    def suspend(self, pk: int) -> Answer:
        return self._set_active(pk, False, _("已停用账号，本人在各处的登录已退出。"))

    @expose("/resume/<int:pk>", methods=["POST"])
    def resume(self, pk: int) -> Answer:
        return self._set_active(pk, True, _("已启用账号。"))

    def _set_active(self, pk: int, active: bool, sentence: str) -> Response:
        by = current_actor()
        rights.require(by, "person:edit")
        with saving.work() as work:
            accounts.set_active(work.session, by, accounts.find(work.session, by, pk, lock=True), active)
        flash(sentence, "success")
        return redirect(show_path(pk))

    @expose("/unlock/<int:pk>", methods=["POST"])
    def unlock(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "person:edit")
        with saving.work() as work:
            accounts.unlock(work.session, by, accounts.find(work.session, by, pk, lock=True))
        flash(_("已解锁，本人可以立即登录。"), "success")
        return redirect(show_path(pk))


def _chosen(roles: list[Role], role_id: int | None) -> Role | None:
    """The role of that id among those offered. Raises Invalid for any other."""
    if role_id is None:
        return None
    found = next((role for role in roles if role.id == role_id), None)
    if found is None:
        raise Invalid([("role_id", _("没有找到所选的角色，或您不能转授它。请重新选择。"))])
    return found


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
        school_id, role_id, until = (
            read_id(typed, "school_id"),
            read_id(typed, "role_id"),
            granting.end_of(read_day(typed)),
        )
        home = (
            Home(school_id=school_id)
            if school_id is not None
            else Home(self.by.school_id, self.by.region_code)
        )
        nonce, password = _new_one_time()
        with saving.work() as work:
            user = accounts.open_account(work.session, self.by, home, typed, password)
            role = _chosen(self.roles, role_id)
            if role is not None:
                extent = granting.extent_for(work.session, home)
                granting.give(work.session, self.by, user, role, extent, until)
            drop_here(work.session)
            user_id, name = user.id, user.first_name
        _keep_for_next_page(user_id, nonce)
        flash(_("已为%(name)s开通账号。", name=name), "success")
        return redirect(show_path(user_id))


class GrantFlow:
    """Giving one role to one person."""

    def __init__(self, by: Actor, user: User) -> None:
        self.by, self.user = by, user
        self.roles = [r for r in granting.roles_to_give(db.session(), by) if granting.suits(r, home_of(user))]

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._page()
        try:
            return self._give()
        except Invalid as refused:
            return self._page(refused.complaints), 422

    def _inputs(self, complaints: page_models.Complaints) -> list[page_models.Input]:
        return page_models.grant_inputs(
            db.session(), home_of(self.user), self.roles, request.form, complaints
        )

    def _page(self, complaints: page_models.Complaints = ()) -> str:
        page = page_models.grant_page(self.by, self.user, self._inputs(complaints), complaints)
        return show_form(page)

    def _give(self) -> Response:
        typed, pk, home = request.form, self.user.id, home_of(self.user)
        refuse_strays(typed, self._inputs(()))
        until = granting.end_of(read_day(typed))
        with saving.work() as work:
            taker = accounts.find(work.session, self.by, pk, lock=True)
            role = _chosen(self.roles, read_id(typed, "role_id"))
            if role is None:
                raise Invalid([("role_id", _("必填项“%(label)s”为空。请填写后再保存。", label=_("角色")))])
            extent = granting.extent_for(
                work.session, home, read_id(typed, "grade_id"), read_id(typed, "class_id")
            )
            granting.give(work.session, self.by, taker, role, extent, until)
            drop_here(work.session)
            label, name = role.label, taker.first_name
        flash(_("已授予%(name)s“%(role)s”。", name=name, role=label), "success")
        return redirect(show_path(pk))


# --- the own account ----------------------------------------------------------------------------------


class AccountView(BaseView):
    """个人设置：姓名、电话、密码。"""

    route_base = "/account"
    default_view = "settings"

    @expose("/")
    def settings(self) -> Answer:
        page = page_models.own_page(db.session(), current_actor(), g.user)
        return render_template("detail.html", page=page)

    @expose("/edit", methods=["GET", "POST"])
    def edit(self) -> Answer:
        by = current_actor()
        if request.method == "GET":
            return show_form(page_models.settings_page(accounts.settings_of(g.user), ()))
        try:
            return self._save(by, request.form)
        except Invalid as refused:
            return show_form(page_models.settings_page(request.form, refused.complaints)), 422

    def _save(self, by: Actor, typed: page_models.Typed) -> Response:
        refuse_strays(typed, page_models.settings_page(typed, ()).sections[0].inputs)
        with saving.work() as work:
            user = logins.locked_row(work.session, by.id)
            assert user is not None  # the request was let in with it
            accounts.change_settings(work.session, user, typed)
            drop_here(work.session)
        flash(_("个人设置已保存。"), "success")
        return redirect(SETTINGS_PATH)

    @expose("/password", methods=["GET", "POST"])
    def password(self) -> Answer:
        current_actor()
        if request.method == "GET":
            return self._password_page(())
        try:
            return self._change(request.form)
        except Invalid as refused:
            return self._password_page(refused.complaints), 422

    def _password_page(self, complaints: page_models.Complaints) -> str:
        must = logins.must_change_password(g.user, login_rules(), datetime.now(UTC))
        return show_form(page_models.password_page(must, complaints))

    def _change(self, typed: page_models.Typed) -> Response:
        old, new, again = (typed.get(name, "") for name in page_models.PASSWORD_INPUTS)
        accounts.change_password(db.session(), g.user, old, new, again, login_rules())
        renew_session(g.user)
        flash(_("密码已修改，您在其他设备上的登录已退出。"), "success")
        return redirect("/")


VIEWS = (PeopleView, AccountView)
