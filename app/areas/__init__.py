"""What the law says: entities and procedures, one file each. Nothing here draws a screen unless its name says page."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

MODELS = ("regions.models", "schools.models", "students.models", "changes.models")
PAGES = ("schools.pages", "people.pages", "reports.pages")


def load() -> None:
    """Imports every declaration, so that the registry is complete."""
    for name in MODELS:
        import_module(f"{__name__}.{name}")


def load_pages(app: Flask) -> None:
    """Registers the few pages that are written by hand: the `VIEWS` of each page module."""
    for name in PAGES:
        for view in getattr(import_module(f"{__name__}.{name}"), "VIEWS", ()):
            app.extensions["appbuilder"].add_view_no_menu(view)
