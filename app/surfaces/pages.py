"""Staff pages: a Flask-AppBuilder ModelView per entity, generated from the registry.

Flask-AppBuilder gives routes, permissions and registration; list, form and detail are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from flask import Flask, flash, redirect, render_template, request
from flask_appbuilder import ModelView, expose, has_access
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.core import saving, scope
from app.core.entity import Entity, owner_key, registry
from app.core.errors import Denied, Invalid, Missing, Stale
from app.extensions import db
from app.surfaces import detail, drafts, forms, looks, worklist
from app.surfaces.display import Revealed
from app.surfaces.drafts import show_form
from app.surfaces.listing import crumbs
from app.surfaces.security import current_actor
from app.surfaces.site import Site
from app.surfaces.store import ReadOnlyStore
from app.surfaces.viewmodels import ConfirmPage, Crumb, FormPage
from app.surfaces.walking import Walk

Answer = Response | str | tuple[str, int]

NEXT = "next"  # what a form posts as `then` to go on to the next row of its list
ROUTES = {"list": "list", "show": "show", "add": "add", "edit": "edit", "delete": "delete"}


def site() -> Site:
    return Site(current_actor(), db.session())


class EntityPages(ModelView):
    """The five pages of one entity. `entity` is set by the generated subclass."""

    entity: type[Entity]

    related_views: ClassVar[list[Any]] = []
    _related_views: ClassVar[list[Any]] = []

    # Flask-AppBuilder would build forms and widgets of its own from the model; none of them is used.
    def _init_forms(self) -> None: ...
    def _init_properties(self) -> None: ...

    @expose("/list/")
    @has_access
    def list(self) -> Answer:
        listing = worklist.open_list(self.entity, site(), request.args)
        return render_template("list.html", page=worklist.page(listing))

    @expose("/show/<int:pk>")
    @has_access
    def show(self, pk: int) -> Answer:
        obj, here = self._get(pk), site()
        looks.note(here.by, obj)
        page = Walk(self.entity, here, request.args).around(detail.page(obj, here), obj)
        return render_template("detail.html", page=page)

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Answer:
        return FormFlow(self.entity, site(), None).answer()

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: int) -> Answer:
        return FormFlow(self.entity, site(), self._get(pk)).answer()

    @expose("/delete/<int:pk>", methods=["GET", "POST"])
    @has_access
    def delete(self, pk: int) -> Answer:
        here, obj = site(), self._get(pk)
        _require(here, "delete", obj)
        if request.method == "POST":
            return self._delete_now(obj, here)
        if why := list(obj.why_not_delete()):
            raise Invalid([("", sentence) for sentence in why])
        return render_template("confirm.html", page=_confirm(obj, here))

    def _delete_now(self, obj: Entity, here: Site) -> Answer:
        name = obj.shown()
        forms.refuse_strays(request.form)
        with saving.work():
            saving.delete(obj, here.by, version=version_in(request.form))
        flash(_("已删除%(what)s“%(name)s”。", what=_(self.entity.__label__), name=name), "success")
        return redirect(here.list_url(self.entity))

    def _get(self, pk: int) -> Entity:
        found = db.session.get(self.entity, pk) if pk < 2**63 else None
        if found is None:
            raise Missing()
        return found


def flash_warnings(sentences: Iterable[str]) -> None:
    """Beside the word that it was saved, each once."""
    for sentence in dict.fromkeys(sentences):
        flash(sentence, "warning")


def _require(here: Site, action: str, obj: Entity) -> None:
    verdict = scope.may(here.session, here.by, action, obj)
    if not verdict:
        raise Denied(str(verdict))


def version_in(typed: MultiDict[str, str]) -> int:
    """The version that the page was made from. Raises Invalid when the form carries none."""
    version = forms.version_of(typed.get("version", ""))
    if version is None:
        raise Invalid(_("页面已过期，缺少记录的版本。请重新打开这条记录再操作。"))
    return version


def _confirm(obj: Entity, here: Site) -> ConfirmPage:
    label, name = _(type(obj).__label__), obj.shown()
    return ConfirmPage(
        title=_("删除%(what)s“%(name)s”", what=label, name=name),
        crumbs=crumbs(type(obj), here, Crumb(name, here.show_url(type(obj), obj.id)), Crumb(_("删除"))),
        sentence=_("将删除%(what)s“%(name)s”。请再次确认。", what=label, name=name),
        goes_with=list(obj.goes_with()),
        submit_label=_("确认删除%(what)s“%(name)s”", what=label, name=name),
        cancel_url=here.show_url(type(obj), obj.id),
        action_url=f"/{obj.__path__}/delete/{obj.id}",
        hidden=[("version", str(obj.version))],
    )


class FormFlow:
    """Add or edit through the form, with its nested rows. What was typed stays on the page when it is refused."""

    def __init__(self, entity: type[Entity], here: Site, obj: Entity | None) -> None:
        self.entity, self.site, self.obj = entity, here, obj
        self.warnings: Sequence[str] = ()
        self.walk = Walk(entity, here, request.args)
        self.sheet = forms.Sheet(entity, here.by, here.session, obj, "", *_revealed(entity, here))
        self.nested = [
            forms.Nested(
                child,
                here.by,
                here.session,
                saving.inline_rows(here.session, child, obj) if obj is not None else [],
                *_revealed(child, here),
            )
            for child in registry.inlines_of(entity)
            if here.by.has(f"{child.key()}:show")
        ]

    def answer(self) -> Answer:
        if self.obj is not None:
            _require(self.site, "edit", self.obj)
        return self._open() if request.method == "GET" else self._submit()

    def _open(self) -> Answer:
        """As the row is, or as its draft has it: with what cannot be read, greyed where it has been locked since."""
        if self.obj is not None:
            looks.note(self.site.by, self.obj)
        typed = drafts.typed_here()
        if typed is None:
            for one in self.nested:
                one.from_saved(is_new=self.obj is None)
            return show_form(self._page())
        self._read(typed)
        for sheet in self._sheets():
            sheet.settled = None  # what was compared before the form was left is compared again
        page = self._page(list(self._unreadable()))
        page.is_filled = True
        if any(sheet.is_overtaken for sheet in self._sheets()):
            page.note = _("在您填写之后，这条记录已被修改。保存时会列出对照，由您逐项选择。")
        return show_form(page)

    def _submit(self) -> Answer:
        goes_on = request.form.get("then") == NEXT and self._can_go_on
        ahead = self.walk.next_to_edit(self.obj.id) if goes_on and self.obj is not None else None
        try:
            saved = self._save(request.form)
        except Invalid as refused:
            page = self._page(refused.complaints)
            if any(sheet.is_overtaken for sheet in self._sheets()):
                page = self._with_conflict(refused.complaints)
            return show_form(page), 422
        except Stale:
            return show_form(self._with_conflict()), 409
        flash(_("已保存%(what)s“%(name)s”。", what=_(self.entity.__label__), name=saved.shown()), "success")
        flash_warnings(self.warnings)
        if ahead is not None:
            return redirect(self.walk.along(f"/{self.entity.__path__}/edit/{ahead}"))
        if goes_on:
            flash(_("这是列表中的最后一条，已回到列表。"))
            return redirect(self.walk.list_url)
        return redirect(self.walk.along(self.site.show_url(self.entity, saved.id)))

    @property
    def _can_go_on(self) -> bool:
        return self.obj is not None and self.walk.is_open

    def _save(self, typed: MultiDict[str, str]) -> Entity:
        inlines = [one.entity for one in self.nested]
        complaints = [("", forms.unknown(n)) for n in forms.stray_names(typed, self.entity, inlines)]
        data = self._read(typed)
        for sheet, stale in self._overtaken():
            forms.settle(sheet, stale, data if sheet is self.sheet else self._data_of(sheet))
        with saving.work() as work:
            work.complaints += complaints
            words: dict[str, Any] = {"complaints": self.sheet.complaints}
            if self.obj is None:
                saved = saving.create(self.entity, data, self.site.by, **words)
            else:
                saved = saving.edit(self.obj, data, self.site.by, version=self.sheet.saved_at, **words)
            for one in self.nested:
                _save_nested(one, saved, work)
            drafts.drop_here(work.session)
        self.warnings = work.warnings
        return saved

    def _read(self, typed: MultiDict[str, str]) -> dict[str, Any]:
        data = self.sheet.read(typed)
        for one in self.nested:
            one.from_typed(typed)
        if self.obj is not None:
            self.sheet.seen = version_in(typed)
        return data

    def _sheets(self) -> list[forms.Sheet]:
        return [self.sheet, *(sheet for one in self.nested for sheet in one.sheets)]

    def _unreadable(self) -> Iterator[tuple[str, str]]:
        """What is wrong with what was typed, as far as reading it tells."""
        for one in self.nested:
            yield from one.complaints
        for sheet in self._sheets():
            yield from ((sheet.prefix + n, text) for n, text in sheet.complaints if n in sheet.fields)

    def _page(self, complaints: Sequence[tuple[str, str]] = ()) -> FormPage:
        label = _(self.entity.__label__)
        inputs = self.sheet.inputs(complaints)
        names = {one.name: one.label for one in inputs.values()}
        tables = [one.table(complaints) for one in self.nested]
        names |= {one.name: one.label for table in tables for row in table.rows for one in row.inputs}
        here = self.walk.along(self.site.show_url(self.entity, self.obj.id)) if self.obj is not None else ""
        word = _("修改") if self.obj is not None else _("新增")
        trail = [Crumb(self.obj.shown(), here)] if self.obj is not None else []
        return FormPage(
            title=_("%(act)s%(what)s", act=word, what=label)
            + (f" · {self.obj.shown()}" if self.obj is not None else ""),
            crumbs=crumbs(self.entity, self.site, *trail, Crumb(word)),
            sections=forms.sections(self.entity, inputs),
            then=((NEXT, _("保存并下一个")),) if self._can_go_on else (),
            cancel_url=here or self.site.list_url(self.entity),
            inlines=tables,
            hidden=[("version", self.sheet.version), *self.sheet.words_of_conflict]
            if self.obj is not None
            else [],
            complaints=[
                (name if name in names else "", names.get(name, ""), text) for name, text in complaints
            ],
            note=_(self.entity.__add_note__) if self.obj is None and self.entity.__add_note__ else None,
            keeps_draft=True,
        )

    def _with_conflict(self, complaints: Sequence[tuple[str, str]] = ()) -> FormPage:
        overtaken = list(self._overtaken())
        compared = forms.compare(overtaken, overtaken[0][1].sentence) if overtaken else None
        of_rows = [complaint for one in self.nested for complaint in one.complaints]
        page = self._page(complaints or of_rows)
        page.conflict = compared
        return page

    def _data_of(self, sheet: forms.Sheet) -> dict[str, Any]:
        """What was typed into a nested row."""
        return next(one.values[sheet.prefix] for one in self.nested if sheet.prefix in one.values)

    def _overtaken(self) -> Iterator[tuple[forms.Sheet, Stale]]:
        """All rows of this form that somebody else saved meanwhile, not only the first that was met."""
        for sheet in self._sheets():
            if sheet.is_overtaken and sheet.obj is not None and sheet.seen is not None:
                yield sheet, saving.stale(self.site.session, sheet.obj, sheet.seen)


def _revealed(entity: type[Entity], here: Site) -> tuple[Revealed, Revealed]:
    return Revealed.now(entity, here.by), Revealed.once(entity, here.by)


def _save_nested(nested: forms.Nested, owner: Entity, work: saving.Work) -> None:
    work.complaints += nested.complaints
    key = owner_key(nested.entity)
    for sheet in nested.sheets:
        if sheet.is_gone:
            if sheet.obj is not None:
                saving.delete(sheet.obj, nested.by, version=sheet.saved_at)
            continue
        data = nested.values[sheet.prefix]
        words: dict[str, Any] = {"prefix": sheet.prefix, "complaints": sheet.complaints}
        if sheet.obj is not None:
            saving.edit(sheet.obj, data, nested.by, version=sheet.saved_at, **words)
        elif any(value is not None for value in data.values()) or sheet.complaints:
            saving.create(nested.entity, {**data, key: owner.id}, nested.by, **words)


# --- generation ---------------------------------------------------------------------------------------


def generate(app: Flask) -> None:
    """Registers a class per entity that has pages; its name is the endpoint."""
    builder = app.extensions["appbuilder"]
    for entity in registry:
        if entity.__path__ and entity.__actions__:
            builder.add_view_no_menu(view_for(entity))


def view_for(entity: type[Entity]) -> type[EntityPages]:
    """The generated view class: routes only for the actions that exist; what is inline is added in its owner's form."""
    actions = [a for a in ROUTES if a in entity.__actions__ and not (a == "add" and entity.__inline_of__)]
    body: dict[str, Any] = {
        "entity": entity,
        "route_base": f"/{entity.__path__}",
        "class_permission_name": entity.key(),
        "datamodel": ReadOnlyStore(entity),
        "include_route_methods": set(actions),
        "base_permissions": [f"can_{a}" for a in actions],
        "method_permission_name": {a: a for a in actions},
        "list_columns": ["id"],
    }
    return type(f"{entity.__name__}Pages", (EntityPages,), body)
