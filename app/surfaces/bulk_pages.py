"""The pages of an act on several rows: which field, which value, what it would do, what it did.

All of them are posted to: the ids of what was chosen stand in no address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.core import powers, rights, scope
from app.core.entity import Entity, registry
from app.core.errors import Invalid, Missing
from app.core.fields import FREELY, Field, missing_sentence
from app.core.wording import listed
from app.surfaces import bulk
from app.surfaces.bulk import BASE, CHOICE, Act, Outcome
from app.surfaces.drafts import show_form
from app.surfaces.forms import Sheet, refuse_strays
from app.surfaces.listing import Listing, crumbs, number_text
from app.surfaces.pages import Answer, site
from app.surfaces.site import Site
from app.surfaces.viewmodels import ConfirmPage, Crumb, FormPage, FormSection, Input

PREFIX = "to-"  # of the input that holds the new value
NAMED = 200  # rows that are named under one reason
Typed = MultiDict[str, str]
Complaints = Sequence[tuple[str, str]]


class BulkView(BaseView):
    """批量修改、批量删除：每个名单都有。"""

    route_base = BASE
    default_view = "edit"

    @expose("/<path>/edit", methods=["POST"])
    def edit(self, path: str) -> Answer:
        entity, here = _list_at(path, "edit")
        return Setting(entity, here, request.form).ask()

    @expose("/<path>/edit-now", methods=["POST"])
    def run_edit(self, path: str) -> Answer:
        entity, here = _list_at(path, "edit")
        return Setting(entity, here, request.form).run()

    @expose("/<path>/delete", methods=["POST"])
    def delete(self, path: str) -> Answer:
        entity, here = _list_at(path, "delete")
        refuse_strays(request.form, *CHOICE)
        listing = bulk.list_of(entity, here, request.form)
        found = bulk.foresee(entity, here, bulk.deleting(here), bulk.read_choice(entity, here, request.form))
        return _page(_delete_preview(listing, found))

    @expose("/<path>/delete-now", methods=["POST"])
    def run_delete(self, path: str) -> Answer:
        entity, here = _list_at(path, "delete")
        refuse_strays(request.form, "rows", "asked")
        listing = bulk.list_of(entity, here, request.form)
        versions = bulk.read_versions(request.form.get("rows", ""))
        found = bulk.carry_out(entity, here, bulk.deleting(here), versions)
        return _page(
            _result(listing, _("批量删除"), _("已删除%(n)s条。", n=number_text(len(found.done))), found)
        )


def _list_at(path: str, verb: str) -> tuple[type[Entity], Site]:
    """Raises Missing where no list offers this act, Denied without the right to it."""
    here = site()
    entity = next((e for e in registry if e.__path__ == path and {"list", verb} <= {*e.__actions__}), None)
    if entity is None:
        raise Missing()
    rights.require(here.by, f"{entity.key()}:{verb}")
    return entity, here


def _page(page: ConfirmPage) -> str:
    return render_template("confirm.html", page=page)


# --- one value for many -------------------------------------------------------------------------------


class Blank(Sheet):
    """The form of no row: every input opens empty."""

    def shown(self, one: Field) -> str:
        return ""


class Setting:
    """From the chosen rows over a field and its value to the preview, and on to the act. What was typed goes along."""

    def __init__(self, entity: type[Entity], here: Site, typed: Typed) -> None:
        self.entity, self.site, self.typed = entity, here, typed
        self.listing = bulk.list_of(entity, here, typed)
        self.fields = bulk.settable(entity, here.by)
        self.sheet = Blank(entity, here.by, here.session, prefix=PREFIX)
        self.name = typed.get("field", "")

    @property
    def value_names(self) -> tuple[str, str]:
        return PREFIX + self.name, f"{PREFIX}{self.name}__text"

    def ask(self) -> Answer:
        refuse_strays(self.typed, *CHOICE, "field", *self.value_names)
        chosen = bulk.read_choice(self.entity, self.site, self.typed)
        if "field" not in self.typed:
            return self._ask_field(chosen)
        if why := self._why_not():
            return self._ask_field(chosen, [("field", why)]), 422
        if self.value_names[0] not in self.typed:
            return self._ask_value(chosen)
        try:
            value = self._read()
        except Invalid as refused:
            return self._ask_value(chosen, refused.complaints), 422
        found = bulk.foresee(self.entity, self.site, self._act(value), chosen)
        return _page(self._preview(chosen, found, value))

    def run(self) -> Answer:
        refuse_strays(self.typed, "rows", "chosen", "asked", "field", "back", *self.value_names)
        if why := self._why_not():
            raise Invalid([("field", why)])
        if self.typed.get("back"):
            self.sheet.read(self._posted())
            return self._ask_value(bulk.read_choice(self.entity, self.site, self.typed))
        versions = bulk.read_versions(self.typed.get("rows", ""))
        found = bulk.carry_out(self.entity, self.site, self._act(self._read()), versions)
        said = _("已修改%(n)s条。", n=number_text(len(found.done)))
        return _page(_result(self.listing, _("批量修改"), said, found))

    def _why_not(self) -> str:
        """Why many rows are not given one value of this field; "" where they are."""
        if self.name in self.fields:
            return ""
        seen = self.sheet.seen_fields.get(self.name)
        if seen is None or not self.name:
            return _("请从列表中选择要修改的项目。")
        if seen.edit is not FREELY:
            return scope.locked_sentence(self.entity, self.name)
        if not seen.form:
            return scope.settled_sentence(self.entity, self.name)
        power = powers.field_right(self.entity, self.name, "edit")
        if not self.site.by.has(power):
            return rights.refusal(self.site.by, power)
        return _("“%(label)s”不能批量修改。请打开每条记录分别修改。", label=_(seen.label))

    def _posted(self) -> Typed:
        return MultiDict([(n, text) for n, text in self.typed.items(multi=True) if n in self.value_names])

    def _read(self) -> Any:
        """The new value. Raises Invalid, also where none was posted: that is no wish to clear the field."""
        if self.value_names[0] not in self.typed:
            raise Invalid(_("提交的内容不完整或已过期。请返回上一页，刷新后重新提交。"))
        data, one = self.sheet.read(self._posted()), self.fields[self.name]
        complaints = [(PREFIX + n, sentence) for n, sentence in self.sheet.complaints]
        if not complaints and one.required and data.get(self.name) is None:
            complaints = [(PREFIX + self.name, missing_sentence(one.label))]
        if complaints:
            raise Invalid(complaints)
        return data.get(self.name)

    def _act(self, value: Any) -> Act:
        return bulk.setting(self.entity, self.site, self.name, value)

    # --- what it shows ---

    def _ask_field(self, chosen: Sequence[int], complaints: Complaints = ()) -> str:
        label = _("要修改的项目")
        options = (("", _("请选择")), *((n, _(f.label)) for n, f in self.fields.items()))
        errors = tuple(sentence for _name, sentence in complaints)
        one = Input("field", label, "select", self.name, options, required=True, errors=errors)
        told = [(n, label, sentence) for n, sentence in complaints]
        return self._form(chosen, one, (), _("下一步"), told)

    def _ask_value(self, chosen: Sequence[int], complaints: Complaints = ()) -> str:
        one = self.sheet.inputs([(n, sentence) for n, sentence in complaints])[self.name]
        told = [(n if n == one.name else "", one.label, sentence) for n, sentence in complaints]
        label = _("“%(label)s”改为", label=one.label)
        hidden = (("field", self.name),)
        return self._form(chosen, replace(one, label=label, wide=False), hidden, _("预览"), told)

    def _form(
        self,
        chosen: Sequence[int],
        one: Input,
        hidden: Sequence[tuple[str, str]],
        button: str,
        told: list[tuple[str, str, str]],
    ) -> str:
        n = number_text(len(chosen))
        kept = [("chosen", _joined(chosen)), ("asked", bulk.asked_text(self.listing)), *hidden]
        return show_form(
            FormPage(
                title=_("批量修改%(what)s", what=_(self.entity.__label__)),
                crumbs=_trail(self.listing, _("批量修改")),
                sections=[FormSection(_("已选%(n)s条", n=n), (one,))],
                submit_label=button,
                cancel_url=bulk.list_url(self.listing),
                action_url=f"{BASE}/{self.entity.__path__}/edit",
                hidden=kept,
                complaints=told,
                note=_("一次改一项。先预览会改动哪些记录，确认后才保存。"),
            )
        )

    def _preview(self, chosen: Sequence[int], found: Outcome, value: Any) -> ConfirmPage:
        label, n = _(self.fields[self.name].label), len(found.done)
        told = {"n": number_text(n), "label": label, "m": number_text(_skipped(found))}
        if value is None:
            said = _("将清空%(n)s条记录的“%(label)s”，跳过%(m)s条。确认后保存。", **told)
        else:
            after = bulk.value_text(self.entity, self.site, self.name, value)
            said = _(
                "将把%(n)s条记录的“%(label)s”改为“%(after)s”，跳过%(m)s条。确认后保存。", after=after, **told
            )
        words = [(name, self.typed.get(name, "")) for name in self.value_names if name in self.typed]
        return ConfirmPage(
            title=_("批量修改“%(label)s”", label=label),
            crumbs=_trail(self.listing, _("批量修改")),
            sentence=said if n else _nothing(),
            goes_with=[],
            submit_label=_("确认修改%(n)s条", n=number_text(n)) if n else "",
            back_label=_("改填其他内容"),
            cancel_url=bulk.list_url(self.listing),
            action_url=f"{BASE}/{self.entity.__path__}/edit-now",
            hidden=[
                *_kept(self.listing, found),
                ("chosen", _joined(chosen)),
                ("field", self.name),
                *words,
            ],
            is_safe=True,
            parts=[*_told(_("将修改"), found), *_reasons(found)],
        )


# --- what acts would do and did -----------------------------------------------------------------------


def _delete_preview(listing: Listing, found: Outcome) -> ConfirmPage:
    n = len(found.done)
    words = {"n": number_text(n), "what": _(listing.entity.__label__), "m": number_text(_skipped(found))}
    return ConfirmPage(
        title=_("批量删除%(what)s", what=words["what"]),
        crumbs=_trail(listing, _("批量删除")),
        sentence=_("将删除%(n)s条“%(what)s”记录，跳过%(m)s条。请再次确认。", **words) if n else _nothing(),
        goes_with=[],
        submit_label=_("确认删除%(n)s条", n=words["n"]) if n else "",
        cancel_url=bulk.list_url(listing),
        action_url=f"{BASE}/{listing.entity.__path__}/delete-now",
        hidden=_kept(listing, found),
        is_safe=not n,
        parts=[*_told(_("将删除"), found), *_reasons(found)],
    )


def _result(listing: Listing, title: str, said: str, found: Outcome) -> ConfirmPage:
    skipped = _skipped(found)
    return ConfirmPage(
        title=title,
        crumbs=_trail(listing, title),
        sentence=said + (_("跳过%(m)s条，原因如下。", m=number_text(skipped)) if skipped else ""),
        goes_with=[],
        submit_label="",
        cancel_url=bulk.list_url(listing),
        action_url="",
        is_safe=True,
        parts=[*_told(_("已办理"), found), *_reasons(found), (_("请注意"), found.warnings)],
        done=bulk.key_of(listing),
    )


def _joined(ids: Sequence[int]) -> str:
    return ",".join(map(str, ids))


def _trail(listing: Listing, word: str) -> list[Crumb]:
    return crumbs(listing.entity, listing.site, Crumb(word))


def _nothing() -> str:
    return _("所选记录都不能这样办理，没有可以确认的内容。原因如下。")


def _kept(listing: Listing, found: Outcome) -> list[tuple[str, str]]:
    return [("rows", bulk.write_versions(found.done)), ("asked", bulk.asked_text(listing))]


def _skipped(found: Outcome) -> int:
    return sum(map(len, found.skipped.values())) + found.missing


def _told(title: str, found: Outcome) -> Iterator[tuple[str, list[str]]]:
    more = len(found.done) - len(found.told)
    rest = [_("另有%(n)s条，不逐条列出。", n=number_text(more))] if more else []
    yield _("%(what)s%(n)s条", what=title, n=number_text(len(found.done))), [*found.told, *rest]


def _reasons(found: Outcome) -> Iterator[tuple[str, list[str]]]:
    """Each reason once, with the rows that it is about."""
    said = []
    for reason, names in found.skipped.items():
        words = {"why": reason.rstrip("。."), "n": number_text(len(names)), "names": listed(names[:NAMED])}
        if len(names) > NAMED:
            said.append(_("%(why)s（%(n)s条：%(names)s等）", **words))
        else:
            said.append(_("%(why)s（%(n)s条：%(names)s）", **words))
    if found.missing:
        said.append(
            _("没有找到，可能已被删除，或不在您的管理范围内（%(n)s条）", n=number_text(found.missing))
        )
    yield _("跳过%(n)s条", n=number_text(_skipped(found))), said


def register(app: Flask) -> None:
    app.extensions["appbuilder"].add_view_no_menu(BulkView)
