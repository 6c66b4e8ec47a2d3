"""The pages of everybody's own account. What they do is in `own`, what they show in `own_page_models`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import flash, g, redirect, render_template, request, session
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import own, own_page_models
from app.areas.people.own_page_models import CODES_PATH
from app.areas.people.page_models import Complaints, Typed, refuse_strays
from app.core import logins, saving, second_factor
from app.core.errors import Invalid, Missing
from app.core.sealing import seal, unseal
from app.extensions import db
from app.surfaces import languages, menu
from app.surfaces.drafts import drop_here, show_form
from app.surfaces.pages import Answer
from app.surfaces.security import (
    FACTOR_PATH,
    NOTED_AFTER_SECONDS,
    SETTINGS_PATH,
    current_actor,
    login_rules,
    renew_session,
)
from app.surfaces.viewmodels import FormPage

menu.add(menu.Entry("系统管理 › 个人设置", SETTINGS_PATH))


def _form(page: FormPage, code: int = 200) -> Answer:
    return show_form(page), code


def _read(typed: Typed, page: FormPage, *names: str) -> tuple[str, ...]:
    """What was typed into these inputs of the page. Raises Invalid for inputs that it does not have."""
    refuse_strays(typed, [one for section in page.sections for one in section.inputs])
    return tuple(typed.get(name, "") for name in names)


class AccountView(BaseView):
    """个人设置：账号、联系方式、语言、密码、我的登录。"""

    route_base = "/account"
    default_view = "settings"

    @expose("/")
    def settings(self) -> Answer:
        current_actor()
        idle_after = login_rules().idle_after + timedelta(seconds=NOTED_AFTER_SECONDS)
        page = own_page_models.own_page(db.session(), g.user, session["sid"], idle_after)
        return render_template("detail.html", page=page)

    @expose("/edit", methods=["GET", "POST"])
    def edit(self) -> Answer:
        current_actor()
        if request.method == "GET":
            return _form(own_page_models.settings_page(g.user, own.settings_of(g.user), ()))
        try:
            return self._save(request.form)
        except Invalid as refused:
            return _form(own_page_models.settings_page(g.user, request.form, refused.complaints), 422)

    def _save(self, typed: Typed) -> Response:
        _read(typed, own_page_models.settings_page(g.user, typed, ()))
        with saving.work() as work:
            user = logins.locked_row(work.session, g.user.id)
            assert user is not None  # the request was let in with it
            own.change_settings(work.session, user, typed)
            drop_here(work.session)
        languages.speak(g.user.language)
        flash(_("个人设置已保存。"), "success")
        return redirect(SETTINGS_PATH)

    @expose("/password", methods=["GET", "POST"])
    def password(self) -> Answer:
        current_actor()
        must = logins.must_change_password(g.user, login_rules(), datetime.now(UTC))
        page = own_page_models.password_page(must, ())
        if request.method == "GET":
            return _form(page)
        try:
            old, new, again = _read(request.form, page, *own_page_models.PASSWORD_INPUTS)
            own.change_password(db.session(), g.user, old, new, again, login_rules())
        except Invalid as refused:
            return _form(own_page_models.password_page(must, refused.complaints), 422)
        renew_session(g.user)
        flash(_("密码已修改，您在其他设备上的登录已退出。"), "success")
        return redirect("/")

    @expose("/sessions/end/<int:pk>", methods=["POST"])
    def end_session(self, pk: int) -> Answer:
        current_actor()
        if pk >= 2**63:
            raise Missing()
        own.end_session(db.session(), g.user, pk)
        flash(_("已退出那里的登录。"), "success")
        return redirect(SETTINGS_PATH)

    @expose("/sessions/end-others", methods=["POST"])
    def end_others(self) -> Answer:
        current_actor()
        own.end_other_sessions(db.session(), g.user)
        renew_session(g.user)
        flash(_("其他登录都已退出，只保留本次登录。"), "success")
        return redirect(SETTINGS_PATH)


class SecondFactorView(BaseView):
    """两步登录：开启、关闭、更换恢复码。密钥和恢复码在浏览器中只以密文过手。"""

    route_base = "/account/second-factor"
    default_view = "on"

    @expose("/on", methods=["GET", "POST"])
    def on(self) -> Answer:
        current_actor()
        if second_factor.is_on(g.user):
            return redirect(SETTINGS_PATH)
        secret = self._secret()
        if request.method == "GET":
            return self._on_page(secret)
        try:
            (code,) = _read(request.form, own_page_models.factor_page(g.user, secret, False, ()), "code")
            codes = own.turn_factor_on(db.session(), g.user, secret, code)
        except Invalid as refused:
            return self._on_page(secret, refused.complaints, 422)
        session.pop("new_factor")
        renew_session(g.user)
        flash(_("两步登录已开启，您在其他设备上的登录已退出。"), "success")
        return self._show_once(codes)

    def _secret(self) -> str:
        """The same until it is taken: a page that is opened again shows the picture that was scanned."""
        kept = unseal("new factor", session.get("new_factor", ""))
        if kept is None:
            kept = second_factor.new_secret()
            session["new_factor"] = seal("new factor", kept)
        return kept

    def _on_page(self, secret: str, complaints: Complaints = (), code: int = 200) -> Answer:
        is_due = "factor_due" in session
        return _form(own_page_models.factor_page(g.user, secret, is_due, complaints), code)

    def _show_once(self, codes: list[str]) -> Response:
        session["new_codes"] = seal("new codes", " ".join(codes))
        return redirect(CODES_PATH)

    @expose("/codes")
    def codes(self) -> Answer:
        current_actor()
        kept = unseal("new codes", session.pop("new_codes", ""))
        if kept is None:
            return redirect(SETTINGS_PATH)
        return render_template("detail.html", page=own_page_models.codes_page(g.user, kept.split()))

    @expose("/renew", methods=["GET", "POST"])
    def renew(self) -> Answer:
        return self._with_proof(own_page_models.renew_codes_page, self._renew)

    def _renew(self, password: str, code: str) -> Response:
        return self._show_once(own.new_recovery_codes(db.session(), g.user, password, code, login_rules()))

    @expose("/off", methods=["GET", "POST"])
    def off(self) -> Answer:
        return self._with_proof(own_page_models.factor_off_page, self._turn_off)

    def _turn_off(self, password: str, code: str) -> Response:
        own.turn_factor_off(db.session(), g.user, password, code, login_rules())
        renew_session(g.user)
        flash(_("两步登录已关闭，您在其他设备上的登录已退出。"), "success")
        return redirect(SETTINGS_PATH)

    def _with_proof(
        self, page_of: Callable[[Complaints], FormPage], act: Callable[[str, str], Response]
    ) -> Answer:
        """A form that wants password and code, and what follows when both are right."""
        current_actor()
        if not second_factor.is_on(g.user):
            return redirect(FACTOR_PATH)
        if request.method == "GET":
            return _form(page_of(()))
        try:
            password, code = _read(request.form, page_of(()), "old_password", "code")
            return act(password, code)
        except Invalid as refused:
            return _form(page_of(refused.complaints), 422)


VIEWS = (AccountView, SecondFactorView)
