"""The bureau's site: a Flask-Admin view per entity, generated from the registry, that can only read.

Rows come from the read-only engine. There is no route that writes: a reason for a reveal, a number to look up, a
password go to addresses outside /bureau. The figures of the overview are handed in by whoever knows the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from flask import Flask, current_app, redirect, render_template, request
from flask_admin import Admin, BaseView, expose
from flask_admin.base import AdminViewMeta
from flask_admin.model import BaseModelView
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.core import databases, rights
from app.core.entity import Entity, registry
from app.core.errors import Denied, Missing
from app.surfaces import detail, looks, worklist
from app.surfaces.security import current_actor
from app.surfaces.site import Site
from app.surfaces.walking import Walk

Answer = Response | str

PAGES = ("index", "index_view", "show")
"""The only methods that get an address; whatever else Flask-Admin brings along gets none."""


# --- what areas hand in -------------------------------------------------------------------------------

_overview: list[Callable[[Site, MultiDict[str, str]], str]] = []


def show_overview(draw: Callable[[Site, MultiDict[str, str]], str]) -> None:
    """`draw` renders /bureau/ for the person and the address's words."""
    _overview[:] = [draw]


# --- who may come in ----------------------------------------------------------------------------------


def site() -> Site:
    return Site(current_actor(), databases.reading_session(current_app), is_bureau=True)


def is_here(entity: type[Entity]) -> bool:
    """Whether the entity has pages on this site; a private one opens only to holders of its own rights."""
    return bool(entity.__path__) and (entity.__bureau__ or entity.__bureau_private__)


def open_to(by: rights.Actor) -> list[type[Entity]]:
    """The entities whose lists this person may open here."""
    return [entity for entity in registry if is_here(entity) and by.has(f"{entity.key()}:list")]


class OnlyReads(AdminViewMeta):
    """Gives addresses to the methods in PAGES alone, after Flask-Admin has gathered all it brings along."""

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> None:
        super().__init__(name, bases, body)
        cls._urls: list[tuple[str, str, Iterable[str]]] = [rule for rule in cls._urls if rule[1] in PAGES]


class Guarded(BaseView, metaclass=OnlyReads):
    """A view for people of a bureau who hold its right."""

    def why_closed(self, by: rights.Actor) -> str:
        """Why this person may not use the view at all, or ""."""
        if by.is_of_bureau:
            return ""
        return _("“主管部门查看”只供主管部门人员使用。本校的数据请从首页的菜单进入。")

    def is_accessible(self) -> bool:
        return not self.why_closed(current_actor())

    def inaccessible_callback(self, name: str, **words: Any) -> NoReturn:
        raise Denied(self.why_closed(current_actor()))

    def _run_view(self, view: Callable[..., Answer], *args: Any, **words: Any) -> Answer:
        """Flask-Admin calls a view a second time after any TypeError, which hides the first."""
        return view(self, *args, **words)


# --- the pages ----------------------------------------------------------------------------------------


class Overview(Guarded):
    """区域概览: what an area has handed in, or the first list where none has."""

    def why_closed(self, by: rights.Actor) -> str:
        closed = super().why_closed(by)
        return closed or ("" if open_to(by) else rights.refusal(by, "school:list"))

    @expose("/")
    def index(self) -> Answer:
        here = site()
        if _overview:
            return _overview[0](here, request.args)
        return redirect(here.list_url(open_to(here.by)[0]))


class EntityView(Guarded, BaseModelView):
    """List and detail of one entity. `entity` is set by the generated subclass."""

    entity: type[Entity]

    # Flask-Admin would build columns, filters and forms of its own from the model; none of them is used.
    def _refresh_cache(self) -> None: ...

    def why_closed(self, by: rights.Actor) -> str:
        key = self.entity.key()
        is_open = by.has(f"{key}:list") or by.has(f"{key}:show")
        return super().why_closed(by) or ("" if is_open else rights.refusal(by, f"{key}:list"))

    @expose("/")
    def index_view(self) -> Answer:
        here = site()
        rights.require(here.by, f"{self.entity.key()}:list")
        listing = worklist.open_list(self.entity, here, request.args)
        return render_template("list.html", page=worklist.page(listing))

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Answer:
        here = site()
        rights.require(here.by, f"{self.entity.key()}:show")
        obj = here.session.get(self.entity, pk) if pk < 2**63 else None
        if obj is None:
            raise Missing()
        looks.note(here.by, obj)
        page = Walk(self.entity, here, request.args).around(detail.page(obj, here), obj)
        return render_template("detail.html", page=page)


# --- generation ---------------------------------------------------------------------------------------


def generate(app: Flask) -> None:
    """Registers the overview and a class per entity that the bureau sees."""
    admin = Admin(
        app,
        name="bureau",
        url="/bureau",
        endpoint="bureau",
        index_view=Overview(endpoint="bureau", url="/bureau"),
    )
    for entity in registry:
        if is_here(entity):
            view = view_for(entity)
            admin.add_view(view(entity, endpoint=f"bureau_{entity.key()}", url=entity.__path__))


def view_for(entity: type[Entity]) -> type[EntityView]:
    """The generated view class: a list and a detail."""
    return type(f"{entity.__name__}Bureau", (EntityView,), {"entity": entity})
