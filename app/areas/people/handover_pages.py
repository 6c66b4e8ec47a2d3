"""The pages that hand a colleague's work over and see him off: whom to, what it does, the second question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.areas.people import accounts, handover
from app.areas.people.handover import Held, Outcome, Request
from app.areas.people.page_models import (
    Complaints,
    Typed,
    choice_input,
    crumbs,
    errors_of,
    form,
    read_id,
    refuse_strays,
    show_path,
)
from app.core import codes, rights, saving
from app.core.errors import Invalid, Stale
from app.core.fields import HERE, Day, Unreadable
from app.core.rights import Actor
from app.core.wording import about, labelled, listed
from app.extensions import db
from app.surfaces.drafts import show_form
from app.surfaces.forms import FEW
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.viewmodels import ConfirmPage, Crumb, Input

LEFT_ON = Day(label="离任日期", nullable=False)


class HandOverView(BaseView):
    """移交工作、离任办理。"""

    route_base = "/people"
    default_view = "hand_over"

    @expose("/hand-over/<int:pk>", methods=["GET", "POST"])
    def hand_over(self, pk: int) -> Answer:
        return Flow(pk, departs=False).answer()

    @expose("/depart/<int:pk>", methods=["GET", "POST"])
    def depart(self, pk: int) -> Answer:
        return Flow(pk, departs=True).answer()


VIEWS = (HandOverView,)


class Flow:
    """Form, then what it would do, then doing it: the last two are told apart by the mark of what was shown."""

    def __init__(self, pk: int, *, departs: bool) -> None:
        self.by = current_actor()
        rights.require(self.by, "person:edit")
        self.leaver = accounts.find(db.session(), self.by, pk)
        handover.require_may(db.session(), self.by, self.leaver)
        self.departs, self.pk, self.name = departs, pk, self.leaver.first_name

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._form(self._first_words())
        try:
            return self._go_on(request.form)
        except Invalid as refused:
            return self._form(request.form, refused.complaints), 422

    def _first_words(self) -> dict[str, str]:
        return {"left_on": datetime.now(HERE).date().isoformat()} if self.departs else {}

    def _go_on(self, typed: Typed) -> Answer:
        refuse_strays(typed, [*self._inputs(typed, ()), Input("mark", "", "hidden")])
        asked, mark = self._read(typed), typed.get("mark", "")
        if not mark:
            return self._question(asked)
        try:
            with saving.work() as work:
                outcome = handover.carry_out(work.session, self.by, asked, mark)
        except Stale as stale:
            return self._question(asked, stale.sentence), 409
        return self._done(outcome)

    def _read(self, typed: Typed) -> Request:
        """Raises Invalid."""
        left_on = None
        if self.departs:
            try:
                left_on = LEFT_ON.parse(typed.get("left_on"))
            except Unreadable as reason:
                raise Invalid([("left_on", about(_(LEFT_ON.label), reason))]) from None
            if left_on is None:
                label = _(LEFT_ON.label)
                raise Invalid([("left_on", _("必填项“%(label)s”为空。请填写后再保存。", label=label))])
        return Request(self.pk, read_id(typed, "successor_id"), left_on)

    # --- what is shown ---

    @property
    def _path(self) -> str:
        return f"/people/depart/{self.pk}" if self.departs else f"/people/hand-over/{self.pk}"

    @property
    def _title(self) -> str:
        return (
            _("%(name)s离任办理", name=self.name) if self.departs else _("移交%(name)s的工作", name=self.name)
        )

    def _crumbs(self) -> list[Crumb]:
        act = _("离任办理") if self.departs else _("移交")
        return crumbs(self.by, Crumb(self.name, show_path(self.pk)), Crumb(act))

    def _inputs(self, typed: Typed, complaints: Complaints) -> list[Input]:
        inputs = [_successor_input(self.by, self.leaver, typed, complaints, required=not self.departs)]
        if self.departs:
            value, errors = typed.get("left_on", ""), errors_of(complaints, "left_on")
            inputs.append(Input("left_on", _(LEFT_ON.label), "day", value, required=True, errors=errors))
        return inputs

    def _form(self, typed: Typed, complaints: Complaints = ()) -> str:
        note = _("下一步列出将移交和不能移交的各项，核对确认后才会办理。")
        if self.departs:
            note = _("离任后账号立即停用，没有移交的授权全部收回。下一步列出各项，核对确认后才会办理。")
        page = form(
            self._title,
            self._crumbs(),
            self._inputs(typed, complaints),
            complaints,
            action=self._path,
            cancel=show_path(self.pk),
            section=_("接手人"),
            submit_label=_("下一步"),
            note=note,
        )
        return show_form(page)

    def _question(self, asked: Request, note: str | None = None) -> str:
        with saving.work() as work:
            outcome = handover.foresee(work.session, self.by, asked)
            successor = _name_of(work.session, outcome.successor_id)
        hidden = [("successor_id", str(asked.successor_id or "")), ("mark", outcome.mark)]
        if asked.left_on is not None:
            hidden.append(("left_on", asked.left_on.isoformat()))
        page = ConfirmPage(
            title=self._title,
            crumbs=self._crumbs(),
            sentence=self._sentence(outcome, successor),
            goes_with=[],
            submit_label=self._button(outcome),
            cancel_url=self._path,
            action_url=self._path,
            hidden=hidden,
            parts=parts_of(outcome, successor),
            note=note,
            is_safe=not self.departs,
        )
        return render_template("confirm.html", page=page)

    def _button(self, outcome: Outcome) -> str:
        if outcome.is_idle:
            return ""
        return _("确认办理离任") if self.departs else _("确认移交")

    def _sentence(self, outcome: Outcome, successor: str) -> str:
        if outcome.is_idle:
            return handover.nothing_moves()
        if not self.departs:
            return _("将把%(name)s的工作移交给%(to)s。确认后立即生效。", name=self.name, to=successor)
        return _(
            "%(name)s于%(day)s离任：账号立即停用，各处的登录随即退出。",
            name=self.name,
            day=outcome.left_on,
        )

    def _done(self, outcome: Outcome) -> Response:
        if self.departs:
            words = {"name": self.name, "n": len(outcome.moved), "k": len(outcome.ended)}
            flash(_("已办理%(name)s离任：移交授权%(n)s项，收回%(k)s项。", **words), "success")
        else:
            flash(_("已移交%(name)s的授权%(n)s项。", name=self.name, n=len(outcome.moved)), "success")
        return redirect(show_path(self.pk))


def _name_of(session: Session, user_id: int | None) -> str:
    user = session.get(User, user_id) if user_id is not None else None
    return user.first_name if user is not None else ""


def _successor_input(
    by: Actor, leaver: User, typed: Typed, complaints: Complaints, *, required: bool
) -> Input:
    choices = handover.successors(db.session(), by, leaver, FEW + 1)
    help_ = "" if required else _("不移交的请留空，授权将全部收回。")
    words = (_("接手人"), choices, _("请选择") if required else _("不移交"), typed, complaints)
    return choice_input(db.session(), by, "ab_user", "successor_id", *words, help=help_, required=required)


# --- an outcome in words ------------------------------------------------------------------------------


def parts_of(outcome: Outcome, successor: str) -> list[tuple[str, list[str]]]:
    kept = [labelled(said(held), why) for held, why in outcome.kept]
    vacant = _("班主任改为%(name)s", name=successor) if successor else _("班主任将空缺的班级")
    return [
        (_("移交给%(name)s的授权", name=successor), list(_moved_lines(outcome))),
        (_("不能移交的授权"), kept),
        (vacant, [name for _id, name in outcome.classes]),
        (_("在办业务"), list(_case_lines(outcome, successor))),
        (_("将收回的授权"), [said(held, with_name=True) for held in outcome.ended]),
    ]


def said(held: Held, *, with_name: bool = False) -> str:
    until = held.until.isoformat() if held.until else _("长期")
    words = {"role": held.role, "where": held.where, "until": until, "name": held.person}
    if with_name:
        return _("%(name)s的“%(role)s”（%(where)s，%(until)s）", **words)
    return _("“%(role)s”（%(where)s，%(until)s）", **words)


def _moved_lines(outcome: Outcome) -> Iterator[str]:
    for held, awaits, along in outcome.moved:
        line = said(held)
        if awaits:
            line += _("；须主管部门确认后生效")
        if along:
            line += _("；由它转授给%(names)s的授权随之移交", names=listed(dict.fromkeys(along)))
        yield line


def _case_lines(outcome: Outcome, successor: str) -> Iterator[str]:
    kinds = codes.table("change_kind")
    for kind, n in outcome.cases:
        words = {"kind": kinds.label(kind), "n": n, "name": successor}
        if outcome.why_not_cases:
            yield _("“%(kind)s”%(n)s件不能移交：", **words) + outcome.why_not_cases
        else:
            yield _("“%(kind)s”%(n)s件，改由%(name)s继续办理", **words)
