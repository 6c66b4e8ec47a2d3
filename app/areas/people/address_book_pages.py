"""The page of the address book. Who stands in it, and with what, is `address_book`'s."""

from __future__ import annotations

from flask import render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from app.areas.people import address_book
from app.areas.people.address_book import RIGHT, Entries, Entry
from app.areas.people.own_page_models import EDIT_PATH
from app.areas.people.page_models import read_id, read_search
from app.core.errors import Invalid
from app.extensions import db
from app.surfaces import menu
from app.surfaces.listing import COUNT_CAP, count_text
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.site import with_args
from app.surfaces.viewmodels import Action, Cell, Column, Crumb, ListPage, Row

PATH = "/address-book/list/"
menu.add(menu.Entry("系统管理 › 通讯录", PATH, RIGHT))


class AddressBook(BaseView):
    """通讯录：本省其他学校的学籍管理人员，联系方式由本人决定是否公开。"""

    route_base = "/address-book"
    default_view = "list"

    @expose("/list/")
    def list(self) -> Answer:
        by, q = current_actor(), read_search(request.args)
        shown = address_book.look_up(
            db.session(), by, q, _cursor("after"), _cursor("before"), count_to=COUNT_CAP
        )
        is_first = not (q or shown.has_previous)
        own = address_book.own_entry(db.session(), by) if is_first else None
        return render_template("list.html", page=_list_page(q, shown, own))


def _cursor(name: str) -> int | None:
    """Raises Invalid for what is no id."""
    found = read_id(request.args, name)
    if found == 0:
        raise Invalid([(name, _("页码位置不正确。请返回列表首页。"))])
    return found


def _list_page(q: str, shown: Entries, own: Entry | None) -> ListPage:
    labels = (_("姓名"), _("学校"), _("联系电话"), _("QQ"))
    found = shown.found
    return ListPage(
        title=_("通讯录"),
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("通讯录"))],
        columns=[
            Column(name, label) for name, label in zip(("name", "school", "phone", "qq"), labels, strict=True)
        ],
        rows=[*_own_row(own), *(Row(one.person_id, None, _cells(one, one.name)) for one in found)],
        count=count_text(shown.count),
        search=q,
        search_hint=_("姓名、学校，或拼音首字母"),
        reset_url=PATH,
        first_url=with_args(PATH, {"q": q}) if shown.has_previous else None,
        previous_url=with_args(PATH, {"q": q, "before": found[0].person_id})
        if shown.has_previous and found
        else None,
        next_url=with_args(PATH, {"q": q, "after": found[-1].person_id})
        if shown.has_next and found
        else None,
        empty_title=_("没有符合条件的人员") if q else _("通讯录里还没有其他学校的人员"),
        empty_hint=_("请核对姓名或学校，或点击“重置”查看全部。") if q else "",
        note=_("本省其他学校的总管理员和学籍管理员；电话和QQ由本人决定是否公开，请只用于学籍业务。"),
    )


def _own_row(own: Entry | None) -> list[Row]:
    if own is None:
        return []
    name = _("%(name)s（本人，其他人看到的内容）", name=own.name)
    return [Row(own.person_id, None, _cells(own, name), (Action(_("修改公开范围"), EDIT_PATH),))]


def _cells(one: Entry, name: str) -> tuple[Cell, ...]:
    hidden = _("未公开")
    return Cell(name), Cell(one.school), Cell(one.phone or hidden), Cell(one.qq or hidden)


VIEWS = (AddressBook,)
