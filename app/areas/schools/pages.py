"""The one page of schools that is not generated: opening a new first grade with its classes."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.areas.schools import opening
from app.areas.schools.models import Grade
from app.core import rights, saving
from app.core.errors import Invalid
from app.core.fields import HERE, Number, Unreadable
from app.core.wording import about, with_note
from app.surfaces.drafts import drop_here, show_form
from app.surfaces.listing import crumbs
from app.surfaces.pages import Answer, site
from app.surfaces.viewmodels import Crumb, FormPage, FormSection, Input

NUMBERS = {
    "entry_year": Number(label="入学年份", low=1990, high=2100, nullable=False),
    "classes": Number(label="班级数", low=1, high=opening.MOST_CLASSES, nullable=False),
    "spare": Number(label="其中另设备用班数", low=0, high=opening.MOST_CLASSES, nullable=False),
}


class OpenGradeView(BaseView):
    """开设新年级：新生年级和各班（含备用班）一次建好。"""

    route_base = "/grades/open"
    default_view = "open_grade"

    @expose("/", methods=["GET", "POST"])
    def open_grade(self) -> Answer:
        by = site().by
        rights.require(by, "grade:add")
        rights.require(by, "school_class:add")
        if request.method == "GET":
            return show_form(_page(_defaults(by), ()))
        try:
            return self._submit(request.form)
        except Invalid as refused:
            return show_form(_page(request.form, refused.complaints)), 422

    def _submit(self, typed: MultiDict[str, str]) -> Response:
        here = site()
        stage_id, numbers = _read(typed)
        with saving.work() as work:
            grade = opening.open_grade(stage_id, by=here.by, **numbers)
            drop_here(work.session)
        made = numbers["classes"] + numbers["spare"]
        flash(
            _("已开设%(grade)s，共%(n)s个班。", grade=with_note(grade.name, grade.cohort), n=made), "success"
        )
        return redirect(here.show_url(Grade, grade.id))


def _defaults(by: rights.Actor) -> MultiDict[str, str]:
    year = opening.entry_year_on(datetime.now(HERE).date())
    return MultiDict({"entry_year": str(year), "classes": "", "spare": "1"})


def _read(typed: MultiDict[str, str]) -> tuple[int, dict[str, int]]:
    known = {"stage_id", "csrf_token", *NUMBERS}
    complaints = [
        ("", _("没有“%(name)s”这一项。请删去后再提交。", name=n[:40])) for n in typed if n not in known
    ]
    numbers = {}
    for name, field in NUMBERS.items():
        try:
            value = field.parse(typed.get(name))
        except Unreadable as reason:
            complaints.append((name, about(_(field.label), reason)))
            continue
        if value is None:
            complaints.append((name, _("必填项“%(label)s”为空。请填写后再保存。", label=_(field.label))))
        numbers[name] = value
    raw = typed.get("stage_id", "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 18):
        complaints.append(("stage_id", _("必填项“%(label)s”为空。请填写后再保存。", label=_("学段"))))
    if complaints:
        raise Invalid(complaints)
    return int(raw), numbers


def _page(typed: MultiDict[str, str], complaints: tuple[tuple[str, str], ...]) -> FormPage:
    here = site()
    stages = opening.stages_to_open(here.by)
    options = (("", _("请选择")), *((str(id_), label) for id_, label in stages))
    errors = {name: (sentence,) for name, sentence in complaints}
    inputs = [
        Input(
            "stage_id",
            _("学段"),
            "select",
            typed.get("stage_id", ""),
            options,
            True,
            errors=errors.get("stage_id", ()),
        )
    ]
    inputs += [
        Input(n, _(f.label), "number", typed.get(n, ""), required=True, errors=errors.get(n, ()))
        for n, f in NUMBERS.items()
    ]
    labels = {one.name: one.label for one in inputs}
    return FormPage(
        title=_("开设新年级"),
        crumbs=crumbs(Grade, here, Crumb(_("开设新年级"))),
        sections=[FormSection(_("新年级和班级"), tuple(inputs))],
        submit_label=_("开设年级和班级"),
        cancel_url=here.list_url(Grade),
        complaints=[(n if n in labels else "", labels.get(n, ""), text) for n, text in complaints],
        note=_("年级从起始年级开始，班号从1依次编排；备用班排在最后，没有学生时不计入班额统计。"),
        keeps_draft=True,
    )


VIEWS = (OpenGradeView,)
