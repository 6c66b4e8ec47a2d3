"""What the law says: entities and procedures, one file each. Nothing here draws a screen or answers a program unless its
name says page or rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from flask import Flask

MODELS = (
    "regions.models",
    "regions.notices",
    "regions.area_names",
    "schools.models",
    "students.models",
    "students.questions",
    "changes.models",
    "changes.questions",
    "printing.models",
)
DRAWS = re.compile(r"(^|_)(pages?|rest)(_|$)")


def load() -> None:
    """Imports every declaration, so that the registry is complete."""
    for name in MODELS:
        import_module(f"{__name__}.{name}")


def load_pages(app: Flask) -> None:
    """Registers what is written by hand: the `VIEWS` and the `APIS` of every module that may draw or answer."""
    builder = app.extensions["appbuilder"]
    for module in _drawing_modules():
        for view in getattr(module, "VIEWS", ()):
            builder.add_view_no_menu(view)
        for api in getattr(module, "APIS", ()):
            builder.add_api(api)


def _drawing_modules() -> Iterator[ModuleType]:
    here = Path(__file__).parent
    for path in sorted(here.glob("*/*.py")):
        if DRAWS.search(path.stem):
            yield import_module(f"{__name__}.{path.parent.name}.{path.stem}")
