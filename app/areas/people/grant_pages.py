"""The pages of grants: who holds what, giving and taking back, the leaders who wait for the bureau's yes. What they do
is in `granting` and `core.grants`, what they show in `grant_page_models`."""

from __future__ import annotations

from collections.abc import Iterable

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import accounts, grant_finding, granting
from app.areas.people import grant_page_models as models
from app.areas.people.accounts import home_of
from app.areas.people.grant_finding import Asked, State, Whose
from app.areas.people.grant_page_models import PATHS, grant_path
from app.areas.people.page_models import Complaints, read_id, refuse_strays
from app.core import grants, rights, saving
from app.core.errors import Denied, Invalid, Missing
from app.core.rights import Actor, Extent, Grant
from app.extensions import db
from app.surfaces import entrance, menu
from app.surfaces.drafts import drop_here, show_form
from app.surfaces.entrance import Card
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.viewmodels import Input

menu.add(menu.Entry("系统管理 › 授权管理", PATHS[Whose.PLACE], "grant:list"))
CARD_CAP = 999


# --- the first page -----------------------------------------------------------------------------------


def cards(by: Actor) -> Iterable[Card]:
    """What lapses within a month, and who waits for a yes: each number is that of the list it leads to."""
    watched = (
        (Whose.PLACE, _("即将到期的授权"))
        if by.has("grant:list")
        else (Whose.GIVEN, _("我给出的授权即将到期"))
    )
    for whose, label in ((Whose.OWN, _("我的授权即将到期")), watched):
        asked = Asked(whose, State.LAPSING)
        if number := grant_finding.count(db.session(), by, asked, CARD_CAP):
            first = models.day_text(grant_finding.first_end(db.session(), by, asked))
            yield _card(_("%(what)s，最早%(day)s", what=label, day=first), number, asked)
    if by.has("grant:confirm"):
        asked = Asked(Whose.WAITING)
        if number := grant_finding.count(db.session(), by, asked, CARD_CAP):
            yield _card(models.title_of(Whose.WAITING), number, asked)


def _card(label: str, number: int, asked: Asked) -> Card:
    path = PATHS[asked.whose] + (f"?state={asked.state}" if asked.state else "")
    return label, str(number) if number <= CARD_CAP else f"{CARD_CAP}+", path, "warn"


entrance.CARDS.append(cards)


# --- pages --------------------------------------------------------------------------------------------


class GrantView(BaseView):
    """授权管理：谁在什么范围内担任什么角色，到何时为止，由谁授予；授权、改期、收回、确认。"""

    route_base = "/grants"
    default_view = "list"

    @expose("/list/")
    def list(self) -> Answer:
        rights.require(current_actor(), "grant:list")
        return self._list(Whose.PLACE)

    @expose("/given/")
    def given(self) -> Answer:
        return self._list(Whose.GIVEN)

    @expose("/own/")
    def own(self) -> Answer:
        return self._list(Whose.OWN)

    @expose("/waiting/")
    def waiting(self) -> Answer:
        rights.require(current_actor(), "grant:confirm")
        return self._list(Whose.WAITING)

    def _list(self, whose: Whose) -> str:
        by, wish = current_actor(), models.read_wish(whose, request.args)
        shown = grant_finding.listed(db.session(), by, wish.asked, wish.after, wish.before)
        return render_template("list.html", page=models.list_page(db.session(), by, wish, shown))

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Answer:
        by = current_actor()
        given = grant_finding.find(db.session(), by, pk)
        return render_template("detail.html", page=models.show_page(db.session(), by, given))

    @expose("/add", methods=["GET", "POST"])
    def pick(self) -> Answer:
        by = current_actor()
        rights.require(by, "grant:add")
        if request.method == "GET":
            return self._pick_page(by, ())
        try:
            refuse_strays(request.form, models.pick_page(db.session(), by, {}, ()).sections[0].inputs)
            user = accounts.find(db.session(), by, read_id(request.form, "person_id") or 0)
        except Missing:
            return self._pick_page(by, [("person_id", _("请从列出的人员中选择。"))]), 422
        except Invalid as refused:
            return self._pick_page(by, refused.complaints), 422
        return redirect(f"/grants/add/{user.id}")

    def _pick_page(self, by: Actor, complaints: Complaints) -> str:
        page = models.pick_page(db.session(), by, request.form, complaints)
        return show_form(page)

    @expose("/add/<int:pk>", methods=["GET", "POST"])
    def add(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "grant:add")
        user = accounts.find(db.session(), by, pk)
        accounts.require(db.session(), by, "grant:add", user)
        return GiveFlow(by, user).answer()

    @expose("/renew/<int:pk>", methods=["GET", "POST"])
    def renew(self, pk: int) -> Answer:
        by = current_actor()
        given = grant_finding.find_held(db.session(), by, pk)
        granting.require_may_renew(db.session(), by, given)
        if request.method == "GET":
            return self._renew_page(by, given, ())
        try:
            refuse_strays(request.form, [models.day_input("until", {}, ())])
            until = granting.end_of(models.read_days(request.form)["until"])
            with saving.work() as work:
                made = granting.renew(work.session, by, grant_finding.find_held(work.session, by, pk), until)
                made_id, name = made.id, made.person.first_name
        except Invalid as refused:
            return self._renew_page(
                by, grant_finding.find_held(db.session(), by, pk), refused.complaints
            ), 422
        flash(_("已改%(name)s的授权的截止日期。", name=name), "success")
        return redirect(grant_path(made_id))

    def _renew_page(self, by: Actor, given: Grant, complaints: Complaints) -> str:
        day = granting.last_day(given.until)
        typed = request.form if request.method == "POST" else {"until": day.isoformat() if day else ""}
        page = models.renew_page(db.session(), by, given, typed, complaints)
        return show_form(page)

    @expose("/withdraw/<int:pk>", methods=["GET", "POST"])
    def withdraw(self, pk: int) -> Answer:
        by = current_actor()
        if request.method == "GET":
            given = grant_finding.find_held(db.session(), by, pk)
            _require(grants.may_take(db.session(), by, given))
            return render_template("confirm.html", page=models.withdraw_page(db.session(), by, given))
        with saving.work() as work:
            given = grant_finding.find_held(work.session, by, pk)
            name = given.person.first_name
            ended = grants.withdraw(work.session, by, given)
        flash(_("已收回%(name)s的授权，共%(n)s项。", name=name, n=len(ended)), "success")
        return redirect(grant_path(pk))

    @expose("/confirm/<int:pk>", methods=["GET", "POST"])
    def confirm(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "grant:confirm")
        if request.method == "GET":
            given = self._waiting(by, pk)
            return render_template("confirm.html", page=models.confirm_page(db.session(), by, given))
        with saving.work() as work:
            given = grant_finding.find_held(work.session, by, pk)
            grants.confirm(work.session, by, given)
            name, role = given.person.first_name, given.role.title
        flash(_("已确认%(name)s为“%(role)s”。", name=name, role=role), "success")
        return redirect(grant_path(pk))

    @expose("/refuse/<int:pk>", methods=["GET", "POST"])
    def refuse(self, pk: int) -> Answer:
        by = current_actor()
        rights.require(by, "grant:confirm")
        if request.method == "GET":
            return self._refuse_page(by, self._waiting(by, pk), ())
        try:
            reason = _reason()
            with saving.work() as work:
                given = grant_finding.find_held(work.session, by, pk)
                granting.refuse(work.session, by, given, reason)
                name = given.person.first_name
        except Invalid as refused:
            return self._refuse_page(by, self._waiting(by, pk), refused.complaints), 422
        flash(_("已不予确认，%(name)s的这项授权不再有效。", name=name), "success")
        return redirect(grant_path(pk))

    def _refuse_page(self, by: Actor, given: Grant, complaints: Complaints) -> str:
        page = models.refuse_page(db.session(), by, given, request.form, complaints)
        return show_form(page)

    def _waiting(self, by: Actor, pk: int) -> Grant:
        """One that waits and that `by` may answer. Raises Missing, Denied, Invalid."""
        given = grant_finding.find_held(db.session(), by, pk)
        grants.require_waiting(given)
        _require(grants.may_confirm(db.session(), by, given))
        return given


def _require(verdict: rights.Verdict) -> None:
    if not verdict:
        raise Denied(str(verdict))


class GiveFlow:
    """Giving one role to one person. What was typed stays when it is refused."""

    def __init__(self, by: Actor, user: User) -> None:
        self.by, self.user = by, user
        self.home = home_of(user)
        self.roles = granting.roles_to_give(db.session(), by, self.home)

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._page()
        try:
            return self._give()
        except Invalid as refused:
            return self._page(models.at_inputs(refused.complaints)), 422

    def _page(self, complaints: Complaints = ()) -> str:
        is_new = request.method == "GET"
        inputs = models.give_inputs(
            db.session(), self.home, self.roles, request.form, complaints, is_new=is_new
        )
        return show_form(models.give_page(self.by, self.user, inputs, complaints))

    def _give(self) -> Response:
        typed, pk = request.form, self.user.id
        inputs = models.give_inputs(db.session(), self.home, self.roles, typed, (), is_new=False)
        refuse_strays(typed, inputs)
        days = models.read_days(typed)
        usable, passable = models.read_purpose(typed)
        with saving.work() as work:
            taker = accounts.find(work.session, self.by, pk, lock=True)
            role = self._role(read_id(typed, "role_id"))
            given = granting.give(
                work.session,
                self.by,
                taker,
                role,
                self._extent(),
                granting.end_of(days["until"]),
                usable=usable,
                passable=passable,
                starts_at=granting.start_of(days["starts_on"]),
            )
            drop_here(work.session)
            label, name, awaits = role.title, taker.first_name, given.awaits
        if awaits:
            flash(_("已选定%(name)s为“%(role)s”，待主管部门确认后生效。", name=name, role=label), "success")
        else:
            flash(_("已授予%(name)s“%(role)s”。", name=name, role=label), "success")
        return redirect(f"/people/show/{pk}")

    def _role(self, role_id: int | None) -> Role:
        role = granting.chosen(self.roles, role_id)
        if role is None:
            raise Invalid([("role_id", _("必填项“%(label)s”为空。请填写后再保存。", label=_("角色")))])
        return role

    def _extent(self) -> Extent:
        typed = request.form
        return granting.extent_for(
            db.session(),
            self.home,
            models.read_ids(typed, "grade_ids"),
            models.read_ids(typed, "class_ids"),
            school_id=read_id(typed, "school_id"),
            region_code=typed.get("region_code") or None,
        )


def _reason() -> str:
    refuse_strays(request.form, [Input("reason", "", "textarea")])
    return request.form.get("reason", "").strip()


VIEWS = (GrantView,)
