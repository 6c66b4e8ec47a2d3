"""The list of first steps on the first page of a school's super-admin, and the button that hides it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import flash, redirect, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import first_steps
from app.areas.people.page_models import LIST_PATH, refuse_strays
from app.core import rights, saving
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import entrance
from app.surfaces.entrance import Checklist, Step
from app.surfaces.security import SETTINGS_PATH, current_actor

PATH = "/first-steps/"


def checklist(by: Actor) -> Checklist | None:
    """None where there is nothing to begin, or where it was hidden."""
    if not first_steps.concerns(by):
        return None
    found = first_steps.facts(db.session(), by, datetime.now(UTC))
    if found is None or found.is_hidden or found.is_all_done:
        return None
    school = f"/schools/show/{by.school_id}"
    steps = (
        Step(_("账号"), _("使用自己设置的密码；还可开启两步登录。"), SETTINGS_PATH, found.has_own_password),
        Step(
            _("联系方式"),
            _("填写自己的电话，主管部门和本校老师有事可以找到您。"),
            SETTINGS_PATH,
            found.has_phone,
        ),
        Step(
            _("学校信息"),
            _("核对核心信息，请学籍管理员补齐地址、校长姓名和办公电话。"),
            school,
            found.has_school_data,
        ),
        Step(_("年级和班级"), _("请学籍管理员开设年级和班级。"), "/grades/list/", found.has_classes),
        Step(
            _("人员"),
            _("为学籍管理员、主管领导和班主任开通账号，授予角色。"),
            LIST_PATH,
            bool(found.colleagues),
        ),
    )
    return Checklist(steps, PATH + "hide")


class FirstStepsView(BaseView):
    """开始使用：新学校总管理员的各步。"""

    route_base = PATH.rstrip("/")
    default_view = "hide"

    @expose("/hide", methods=["POST"])
    def hide(self) -> Response:
        by = current_actor()
        rights.require(by, "person:add")
        refuse_strays(request.form, [])
        with saving.work() as work:
            first_steps.hide(work.session, by)
        flash(_("首页不再显示“开始使用”的各步。"), "success")
        return redirect("/")


VIEWS = (FirstStepsView,)
entrance.CHECKLISTS[:] = [checklist]
