"""The bureau's page of which roles want the second step of login. The rule itself is `core.second_factor`."""

from __future__ import annotations

from flask import flash, redirect, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import roles
from app.areas.people.page_models import Complaints, errors_of, form, refuse_strays
from app.areas.regions.models import name_of
from app.areas.schools.models import School
from app.core import rights, saving, second_factor
from app.core.errors import Denied, Invalid
from app.core.rights import Actor, Place
from app.core.wording import with_note
from app.extensions import db
from app.surfaces import menu
from app.surfaces.drafts import show_form
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.viewmodels import Crumb, Input

PATH, RIGHT = "/second-factor/", "second_factor:require"
menu.add(menu.Entry("系统管理 › 两步登录规定", PATH, RIGHT))


class SecondFactorRules(BaseView):
    """两步登录规定：本区域内担任哪些角色的人员须两步登录。"""

    route_base = PATH.rstrip("/")
    default_view = "rules"

    @expose("/", methods=["GET", "POST"])
    def rules(self) -> Answer:
        by = current_actor()
        rights.require(by, RIGHT)
        if by.region_code is None:
            raise Denied(_("两步登录由主管部门规定。需要规定的，请联系主管部门管理员。"))
        rights.require(by, RIGHT, Place(None, by.region_code))
        return RuleForm(by, by.region_code).answer()


class RuleForm:
    """A choice for each role; those that a higher bureau has settled are only shown."""

    def __init__(self, by: Actor, region_code: str) -> None:
        self.by, self.region_code = by, region_code
        self.roles = roles.roles_in_region(db.session(), region_code)
        rules = second_factor.rules_over(db.session(), region_code)
        self.own = {rule.role_id for rule in rules if rule.region_code == region_code}
        self.above = {rule.role_id: rule.region_code for rule in rules if rule.region_code != region_code}

    def answer(self) -> Answer:
        if request.method == "GET":
            return self._page()
        try:
            return self._save()
        except Invalid as refused:
            return self._page(refused.complaints), 422

    def _page(self, complaints: Complaints = ()) -> str:
        page = form(
            _("两步登录规定"),
            [Crumb(_("首页"), "/"), Crumb(_("两步登录规定"))],
            self._inputs(complaints),
            complaints,
            action=PATH,
            cancel="/",
            section=_("须两步登录的角色"),
            note=_(
                "担任所选角色的本区域人员（含由该角色复制的角色），下次登录后须先开启两步登录，才能办理业务。已开启的不受影响。"
            ),
        )
        return show_form(page)

    def _inputs(self, complaints: Complaints = ()) -> list[Input]:
        return [self._input(role, complaints) for role in self.roles]

    def _input(self, role: Role, complaints: Complaints) -> Input:
        name = _input_name(role)
        if not self._is_open(role):
            upper = name_of(db.session(), self.above[role.id]) or self.above[role.id]
            why = _("%(name)s主管部门已规定，本级不能取消。", name=upper)
            return Input(name, self._label(role), "text", _("须两步登录"), locked=why)
        now = "1" if role.id in self.own else "0"
        options = (("0", _("不要求")), ("1", _("须两步登录")))
        errors = errors_of(complaints, name)
        return Input(name, self._label(role), "select", request.form.get(name, now), options, errors=errors)

    def _label(self, role: Role) -> str:
        """With the unit that made it, where that is another."""
        if role.school_id is not None:
            school = db.session().get(School, role.school_id)
            return with_note(role.title, school.name) if school is not None else role.title
        if role.region_code in (None, self.region_code):
            return str(role.title)
        return with_note(role.title, name_of(db.session(), role.region_code) or role.region_code)

    def _save(self) -> Response:
        refuse_strays(request.form, self._inputs())
        wanted = self._chosen()
        with saving.work() as work:
            second_factor.require(work.session, self.by, self.region_code, wanted)
        flash(_("两步登录规定已保存，有关人员下次登录时生效。"), "success")
        return redirect(PATH)

    def _chosen(self) -> list[Role]:
        """Raises Invalid where a choice is missing or none."""
        typed = {role: request.form.get(_input_name(role), "") for role in self.roles if self._is_open(role)}
        sentence = _("请选择“须两步登录”或“不要求”。")
        faults = [(_input_name(role), sentence) for role, raw in typed.items() if raw not in ("0", "1")]
        if faults:
            raise Invalid(faults)
        return [role for role, raw in typed.items() if raw == "1"]

    def _is_open(self, role: Role) -> bool:
        return role.id not in self.above


def _input_name(role: Role) -> str:
    return f"role-{role.id}"


VIEWS = (SecondFactorRules,)
