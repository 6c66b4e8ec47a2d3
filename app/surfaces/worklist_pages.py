"""What a list posts beside its filters: many names or numbers to be found at once."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, current_app, render_template, request
from flask_appbuilder import BaseView, expose

from app.core import rights
from app.core.databases import reading_session
from app.core.entity import Entity, registry
from app.core.errors import Invalid, Missing
from app.extensions import db
from app.surfaces import bureau, pasting, worklist
from app.surfaces.listing import PAGE_SIZES
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.site import Site


class WorklistView(BaseView):
    """Routes that serve the list of every entity alike."""

    route_base = "/lists"
    default_view = "find"

    @expose("/find/<path>", methods=["POST"])
    def find(self, path: str) -> Answer:
        entity, here = list_at(path, request.form)
        if not entity.can_search():
            raise Missing()
        text = request.form.get("pasted", "")
        try:
            found = pasting.find(entity, here, pasting.read(text))
        except Invalid as refused:
            page = worklist.page(
                worklist.open_list(entity, here, {}), worklist.Pasted(text, fault=refused.complaints[0][1])
            )
            return render_template("list.html", page=page), 422
        words = {"found": ",".join(map(str, found.ids)) or "0", "size": str(PAGE_SIZES[-1])}
        page = worklist.page(worklist.open_list(entity, here, words), worklist.Pasted(text, found))
        return render_template("list.html", page=page)


def list_at(path: str, words: Mapping[str, str]) -> tuple[type[Entity], Site]:
    """The entity whose list this is, on the front that `words` name. Raises Missing where there is none, Denied without
    the right to it."""
    lists = (e for e in registry if e.__path__ and "list" in e.__actions__)
    entity, by = next((e for e in lists if e.__path__ == path), None), current_actor()
    if entity is None:
        raise Missing()
    rights.require(by, f"{entity.key()}:list")
    if words.get("site") == "bureau" and by.is_of_bureau and bureau.is_here(entity):
        return entity, Site(by, reading_session(current_app), is_bureau=True)
    return entity, Site(by, db.session())


def register(app: Flask) -> None:
    app.extensions["appbuilder"].add_view_no_menu(WorklistView)
