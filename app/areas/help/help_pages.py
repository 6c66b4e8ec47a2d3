"""The pages under 帮助: guides with their pictures, the data dictionary on screen and as a workbook."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flask import current_app, redirect, render_template, request, send_file, send_from_directory
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.help import dictionary, guides
from app.areas.help.dictionary import CodeList, Described, Part
from app.areas.help.guides import Guide
from app.core import sheets
from app.core.entity import Entity, registry
from app.core.errors import Missing
from app.core.rights import Actor
from app.core.wording import joined, labelled, listed, with_note
from app.surfaces import menu
from app.surfaces.security import HELP_PATH, current_actor, local_path
from app.surfaces.viewmodels import Cell, Crumb, RelatedTable, Row

DICTIONARY_PATH = f"{HELP_PATH}dictionary"
FEW = 6  # so many values stand beside the field; more are looked up in the table at the end
KEPT_SECONDS = 3600  # pictures


@dataclass(frozen=True, slots=True)
class HelpPage:
    """What there is to read: the reader's own guides, those of others, whom to call."""

    title: str
    crumbs: list[Crumb]
    own: list[Guide]
    others: list[Guide]
    phone: str


@dataclass(frozen=True, slots=True)
class GuidePage:
    title: str
    crumbs: list[Crumb]
    guide: Guide


@dataclass(frozen=True, slots=True)
class DictionaryPage:
    """`tables`: an anchor and a table for each entity; `lists`: the code tables at the end."""

    title: str
    crumbs: list[Crumb]
    tables: list[tuple[str, str, RelatedTable]]
    lists: list[CodeList]
    workbook_url: str


class HelpView(BaseView):
    """帮助。"""

    route_base = HELP_PATH.rstrip("/")
    default_view = "index"

    @expose("/")
    def index(self) -> str | Response:
        """With `at`, the path of a page: leads to the section about that page, where there is one."""
        by = current_actor()
        own = guides.fit_for(by)
        if found := guides.section_on(local_path(request.args.get("at"), ""), own):
            guide, section = found
            return redirect(f"{HELP_PATH}{guide.key}#{quote(section.anchor)}")
        others = [guides.read(key) for key in guides.READERS if guides.read(key) not in own]
        phone = current_app.config["BUREAU_PHONE"]
        return render_template("help.html", page=HelpPage(_("帮助"), _crumbs(), own, others, phone))

    @expose("/<key>")
    def guide(self, key: str) -> str:
        if key not in guides.READERS:
            raise Missing()
        found = guides.read(key)
        return render_template(
            "guide.html", page=GuidePage(found.title, _crumbs(Crumb(found.title, lang=found.lang)), found)
        )

    @expose("/images/<name>")
    def image(self, name: str) -> Response:
        if not name.endswith(".png"):
            raise Missing()
        return send_from_directory(guides.IMAGES, name, max_age=KEPT_SECONDS)

    @expose("/dictionary")
    def dictionary(self) -> str:
        return render_template("dictionary.html", page=_dictionary_page(current_actor()))

    @expose("/dictionary.xlsx")
    def workbook(self) -> Response:
        content = dictionary.workbook(_parts(current_actor()))
        name = _("数据字典.xlsx")
        return send_file(io.BytesIO(content), sheets.MEDIA_TYPE, as_attachment=True, download_name=name)


VIEWS = (HelpView,)
menu.add(menu.Entry("帮助 › 操作指南", HELP_PATH))
menu.add(menu.Entry("帮助 › 数据字典", DICTIONARY_PATH))


def _crumbs(*more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("帮助"), HELP_PATH), *more]


# --- the dictionary -----------------------------------------------------------------------------------


def _parts(by: Actor) -> list[Part]:
    """In the order of the menu, what is edited inside another's form after that."""
    return sorted(dictionary.parts_for(by), key=lambda part: menu.rank(_owner(part.key).__menu__))


def _owner(key: str) -> type[Entity]:
    return registry[registry[key].__inline_of__ or key]


def _dictionary_page(by: Actor) -> DictionaryPage:
    parts = _parts(by)
    return DictionaryPage(
        title=_("数据字典"),
        crumbs=_crumbs(Crumb(_("数据字典"))),
        tables=[(part.key, part.about, _table(part)) for part in parts],
        lists=dictionary.code_lists(parts),
        workbook_url=f"{DICTIONARY_PATH}.xlsx",
    )


def _table(part: Part) -> RelatedTable:
    columns = (_("项目"), _("类型和取值"), _("必填"), _("怎样修改"), _("保护"), _("默认角色"))
    return RelatedTable(
        part.label, columns, tuple(Row(n, None, _cells(f)) for n, f in enumerate(part.fields))
    )


def _cells(one: Described) -> tuple[Cell, ...]:
    return (
        Cell(with_note(one.label, one.name)),
        Cell(joined(filter(None, (_type_and_values(one), one.help)))),
        Cell(_("必填") if one.is_required else ""),
        Cell(labelled(one.edited, one.procedure) if one.procedure else one.edited),
        Cell(joined(filter(None, (one.mask, one.private)))),
        Cell(_who(one)),
    )


def _type_and_values(one: Described) -> str:
    if not one.table:
        return one.kind
    if len(one.codes) <= FEW:
        return _("代码：%(codes)s", codes=listed(f"{code} {label}" for code, label in one.codes))
    return _("代码，共%(n)s项，见代码表“%(table)s”", n=len(one.codes), table=one.table)


def _who(one: Described) -> str:
    named: Sequence[tuple[str, tuple[str, ...]]] = (
        (_("查看"), one.seen_by),
        (_("修改"), one.edited_by),
        (_("完整号码"), one.revealed_by),
    )
    return joined(labelled(act, listed(roles)) for act, roles in named if roles)
