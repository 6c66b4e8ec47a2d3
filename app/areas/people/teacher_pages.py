"""班主任安排: the page on which a school arranges all its class teachers at once, and its second question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import granting, teachers
from app.areas.people.page_models import LIST_PATH, Complaints, Typed, choice_input, form, read_day, read_id
from app.areas.people.page_models import until_input as ordinary_until
from app.areas.people.teachers import Asked, Outcome, School, Seat, Wish, input_of
from app.areas.schools.models import SchoolClass
from app.core import saving
from app.core.errors import Invalid, Stale
from app.core.fields import HERE
from app.core.rights import Actor, Grant
from app.core.wording import joined, listed
from app.extensions import db
from app.surfaces import lookups, menu
from app.surfaces.drafts import drop_here, show_form
from app.surfaces.forms import ALWAYS_POSTED, FEW, unknown, version_of
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.viewmodels import ConfirmPage, Conflict, ConflictLine, Crumb, FormSection, Input

PATH = "/people/teachers/"
menu.add(menu.Entry("系统管理 › 班主任安排", PATH, "grant:add", for_schools=True))
ROW = re.compile(r"([tvo])-(\d{1,17})(__text)?", re.ASCII)
"""Of each class: the teacher that is typed, the version and the teacher that were shown."""


class TeachersView(BaseView):
    """班主任安排：一页安排全校各班，班主任的授权随之收回和授予。"""

    route_base = PATH.rstrip("/")
    default_view = "arrange"

    @expose("/", methods=["GET", "POST"])
    def arrange(self) -> Answer:
        return Flow().answer()


VIEWS = (TeachersView,)


class Flow:
    """Form, then who gains and who loses, then saving: the last two are told apart by the mark of what was shown."""

    def __init__(self) -> None:
        self.by = current_actor()
        self.school = School(db.session(), teachers.require_may(db.session(), self.by))

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._form({})
        try:
            return self._go_on(request.form)
        except Invalid as refused:
            return self._form(request.form, refused.complaints), 422
        except Stale as stale:
            return self._form(request.form, conflict=self._conflict(stale, request.form)), 409

    def _go_on(self, typed: Typed) -> Answer:
        asked, mark = read_asked(typed), typed.get("mark", "")
        if not mark:
            return self._question(asked)
        try:
            with saving.work() as work:
                outcome = teachers.carry_out(work.session, self.by, asked, mark)
                drop_here(work.session)
        except Stale as stale:
            if stale.current:
                raise
            return self._question(asked, stale.sentence), 409
        return self._done(outcome)

    def _done(self, outcome: Outcome) -> Response:
        n = len(outcome.gains) + len(outcome.vacant)
        flash(
            _("已保存班主任安排：%(n)s个班有变动，续期%(k)s个班。", n=n, k=len(outcome.renewals)), "success"
        )
        return redirect(PATH)

    # --- the form ---

    def _form(self, typed: Typed, complaints: Complaints = (), conflict: Conflict | None = None) -> str:
        told = [(name.partition(" ")[0], sentence) for name, sentence in complaints]
        choices = teachers.candidates(db.session(), self.by, FEW + 1)
        rows = _Rows(self.by, self.school, choices, typed, told, is_fresh=conflict is not None)
        page = form(
            _("班主任安排"),
            [Crumb(_("首页"), "/"), Crumb(_("用户管理"), LIST_PATH), Crumb(_("班主任安排"))],
            _term_inputs(typed, told),
            told,
            action=PATH,
            cancel=LIST_PATH,
            section=_("授权期限"),
            submit_label=_("下一步"),
            note=_("只改动需要变动的班级，其他班级保持不变。下一步列出谁接任、谁卸任，核对确认后才会保存。"),
            conflict=conflict,
            keeps_draft=True,
        )
        page.sections += rows.sections()
        labels = {one.name: one.label for section in page.sections for one in section.inputs}
        page.complaints = [(n if n in labels else "", labels.get(n, ""), text) for n, text in told]
        if not self.school.classes:
            page.note = _("还没有班级。请先在“班级管理”中新增班级，或开设新年级。")
        return show_form(page)

    def _conflict(self, stale: Stale, typed: Typed) -> Conflict:
        """The classes that somebody else arranged meanwhile: who leads them now, who was chosen here."""
        classes = self.school.classes.values()
        lines = []
        for one in classes:
            if (name := input_of(one.id)) in stale.current:
                mine = lookups.label_of(db.session(), self.by, "ab_user", typed.get(name, ""))
                theirs = str(stale.current[name]) or _("未安排")
                lines.append(ConflictLine(one.full_name, "", theirs, mine or _("未安排")))
        return Conflict(stale.sentence, tuple(lines))

    # --- the second question ---

    def _question(self, asked: Asked, note: str | None = None) -> str:
        with saving.work() as work:
            outcome = teachers.foresee(work.session, self.by, asked)
        if outcome.is_idle:
            raise Invalid(_("没有变动。请选择需要变动的班级的班主任；只续期的，请选择“延长到上述日期”。"))
        page = ConfirmPage(
            title=_("核对班主任安排"),
            crumbs=[Crumb(_("首页"), "/"), Crumb(_("班主任安排"), PATH), Crumb(_("核对"))],
            sentence=_("确认后立即生效：接任的看到所带班级，卸任的不再看到。"),
            goes_with=[],
            submit_label=_("确认安排"),
            cancel_url=PATH,
            action_url=PATH,
            hidden=[*posted_again(asked), ("mark", outcome.mark)],
            parts=parts_of(outcome),
            note=note,
            is_safe=True,
        )
        return render_template("confirm.html", page=page)


# --- what is typed ------------------------------------------------------------------------------------


def read_asked(typed: Typed) -> Asked:
    """Raises Invalid."""
    known = {"until", "renews", "mark", *ALWAYS_POSTED}
    strays = [("", unknown(name)) for name in typed if name not in known and not ROW.fullmatch(name)]
    if strays:
        raise Invalid(strays)
    rows = sorted({int(found[2]) for name in typed if (found := ROW.fullmatch(name))})
    return Asked(tuple(_wish(typed, id_) for id_ in rows), read_day(typed), typed.get("renews") == "1")


def _wish(typed: Typed, id_: int) -> Wish:
    shown = read_id(typed, f"o-{id_}")
    return Wish(id_, version_of(typed.get(f"v-{id_}", "")), shown, read_id(typed, input_of(id_)))


def posted_again(asked: Asked) -> Iterator[tuple[str, str]]:
    """What was typed, carried on to the confirmation."""
    yield "until", asked.until.isoformat() if asked.until is not None else ""
    yield "renews", "1" if asked.renews else ""
    for one in asked.wishes:
        yield input_of(one.class_id), str(one.teacher_id or "")
        yield f"o-{one.class_id}", str(one.shown or "")
        yield f"v-{one.class_id}", str(one.version or "")


# --- inputs -------------------------------------------------------------------------------------------


def _term_inputs(typed: Typed, complaints: Complaints) -> list[Input]:
    first = {"until": teachers.school_year_ends(datetime.now(HERE).date()).isoformat()}
    until = replace(ordinary_until(typed or first, complaints), label=_("接任的授权到"))
    choices = (("", _("不变")), ("1", _("延长到上述日期")))
    renews = Input("renews", _("留任的班主任"), "select", typed.get("renews", ""), choices)
    return [until, replace(renews, help=_("延长时，没有授权的一并补上。"))]


class _Rows:
    """The inputs of all classes. Typed choices stay; with `is_fresh` what was shown is shown anew beside them."""

    def __init__(
        self,
        by: Actor,
        school: School,
        choices: list[tuple[int, str]],
        typed: Typed,
        complaints: Complaints,
        *,
        is_fresh: bool,
    ) -> None:
        self.by, self.typed, self.complaints, self.is_fresh = by, typed, complaints, is_fresh
        self.classes, self.grants = list(school.classes.values()), school.grants()
        self.names = school.teacher_names()
        self.choices = choices

    def sections(self) -> list[FormSection]:
        """One for each grade."""
        return [
            FormSection(grade.name, tuple(one for row in rows for one in self._row(row)), f"g{grade.id}")
            for grade, rows in groupby(self.classes, key=lambda one: one.grade)
        ]

    def _row(self, one: SchoolClass) -> Iterator[Input]:
        name = input_of(one.id)
        value = self.typed.get(name, str(one.teacher_id or ""))
        words = (one.full_name, self._choices(value), _("未安排"), {name: value}, self.complaints)
        yield choice_input(db.session(), self.by, "ab_user", name, *words, help=self._now(one))
        for word, now in (("o", str(one.teacher_id or "")), ("v", str(one.version))):
            kept = now if self.is_fresh else self.typed.get(f"{word}-{one.id}", now)
            yield Input(f"{word}-{one.id}", "", "hidden", kept)

    def _choices(self, value: str) -> list[tuple[int, str]]:
        """With whoever leads the class and is no candidate any more."""
        id_ = read_id({"t": value}, "t")
        if id_ is None or id_ in dict(self.choices):
            return self.choices
        return [*self.choices, (id_, lookups.label_of(db.session(), self.by, "ab_user", value))]

    def _now(self, one: SchoolClass) -> str:
        """Who leads the class now and until when; who else holds the grant for it."""
        held = self.grants.get(one.id, [])
        mine = next((given for given in held if given.person_id == one.teacher_id), None)
        others = [_until(given, given.person.first_name) for given in held if given is not mine]
        said = []
        if one.teacher_id is not None:
            name = self.names.get(one.teacher_id, "")
            said.append(_until(mine, name) if mine is not None else _("现任%(name)s，没有授权", name=name))
        if others:
            said.append(_("另有%(others)s", others=listed(others)))
        return joined(said)


def _until(given: Grant, name: str) -> str:
    day = granting.last_day(given.until)
    until = day.isoformat() if day is not None else _("长期")
    return (
        _("%(name)s（授权到%(until)s）", name=name, until=until)
        if day
        else _("%(name)s（长期授权）", name=name)
    )


# --- an outcome in words ------------------------------------------------------------------------------


def parts_of(outcome: Outcome) -> list[tuple[str, list[str]]]:
    return [
        (_("接任"), [_gained(seat) for seat in outcome.gains]),
        (_("卸任"), list(_lost(outcome))),
        (_("续期"), [_gained(seat) for seat in outcome.renewals]),
        (_("没有班主任的班级"), outcome.vacant),
        (_("请留意"), outcome.notes),
    ]


def _gained(seat: Seat) -> str:
    name, place, until = seat
    if until is None:
        return _("%(name)s：%(place)s，长期授权", name=name, place=place)
    return _("%(name)s：%(place)s，授权到%(day)s", name=name, place=place, day=until)


def _lost(outcome: Outcome) -> Iterator[str]:
    for name, place, until in outcome.losses:
        day = until if until is not None else _("长期")
        yield _("%(name)s：%(place)s，收回授权（原期限%(day)s）", name=name, place=place, day=day)
    for name, place in outcome.replaced:
        yield _("%(name)s：%(place)s，没有授权可收回", name=name, place=place)
