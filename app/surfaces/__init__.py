"""An entity → something a person touches. Surfaces meet entities through the registry only."""

from __future__ import annotations

from flask import Flask


def build(app: Flask) -> None:
    """Generates every page, API and bureau view from the registry, after checking the declarations."""
    import app.surfaces.bureau as bureau
    import app.surfaces.rest as rest
    from app.core import drafts, list_views, second_factor, startup  # noqa: F401  their tables
    from app.surfaces import assets, drawing, handlers, pages, security, words

    startup.require_sound()
    assets.register(app)  # first, so that it answers last
    handlers.register(app)
    security.register(app)
    words.register(app)
    drawing.register(app)
    pages.generate(app)
    rest.generate(app)
    bureau.generate(app)


def finish(app: Flask) -> None:
    """After the hand-written pages are in: the menu, which names only what exists."""
    from app.surfaces import bulk_pages, drafts, finding, menu, todo, tools, view_pages, worklist_pages

    tools.register(app)
    worklist_pages.register(app)
    view_pages.register(app)
    bulk_pages.register(app)
    finding.register(app)
    drafts.register(app)
    todo.register()
    menu.register(app)
