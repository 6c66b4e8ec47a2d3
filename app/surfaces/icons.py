"""The icons that pages draw, cut at start from the sprite inside Bootstrap-Flask: 1.1 MB become 35 KB.

Templates call `icon('pencil')`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import flask_bootstrap
from flask import Blueprint, Flask, Response
from markupsafe import Markup

from app.surfaces.assets import keep, version_in

NAMES = [
    "archive",
    "arrow-clockwise",
    "arrow-counterclockwise",
    "arrow-down",
    "arrow-left-right",
    "arrow-return-left",
    "arrow-right",
    "arrow-up",
    "bar-chart",
    "bell",
    "binoculars",
    "bookmark",
    "box-arrow-right",
    "box-seam",
    "building",
    "buildings",
    "calendar3",
    "camera",
    "check-circle",
    "circle",
    "check-lg",
    "check2-square",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "clipboard-check",
    "clock-history",
    "database",
    "diagram-3",
    "dot",
    "download",
    "envelope",
    "exclamation-circle",
    "exclamation-triangle",
    "eye",
    "eye-slash",
    "file-earmark-arrow-up",
    "file-earmark-check",
    "file-earmark-excel",
    "file-earmark-text",
    "files",
    "folder2-open",
    "funnel",
    "gear",
    "geo-alt",
    "grid",
    "hourglass-split",
    "house",
    "inbox",
    "info-circle",
    "journal-text",
    "key",
    "list",
    "list-check",
    "lock",
    "mortarboard",
    "paperclip",
    "pencil",
    "people",
    "person",
    "person-badge",
    "person-gear",
    "person-plus",
    "person-vcard",
    "plus-lg",
    "plus-square",
    "printer",
    "printer",
    "question-circle",
    "search",
    "send",
    "shield-check",
    "shield-lock",
    "skip-start",
    "slash-circle",
    "sliders",
    "table",
    "telephone",
    "trash",
    "unlock",
    "upload",
    "x-lg",
]
SPRITE = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/icons/bootstrap-icons.svg"


def cut(sprite: str, names: list[str]) -> str:
    """The sprite reduced to these symbols. Raises KeyError for a name that the package lacks."""
    symbols = dict(re.findall(r'(?s)(?=<symbol[^>]*?id="([^"]+)")(<symbol.*?</symbol>)', sprite))
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols[name] for name in names) + "</svg>"


PATH = "/static/icons.svg"


@cache
def sprite() -> str:
    return cut(SPRITE.read_text(), NAMES)


@cache
def draw(name: str, more_class: str = "") -> Markup:
    """An icon beside words that say the same: nothing is read out for it."""
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        f"icon {more_class}".strip(), _address(), name
    )


@cache
def _address() -> str:
    return f"{PATH}?v={version_in(sprite().encode())}"


def register(app: Flask) -> None:
    """The endpoint ends in "static": such files need no login."""
    content = sprite().encode()
    version = version_in(content)
    blueprint = Blueprint("icons", __name__)

    @blueprint.get(PATH, endpoint="static")
    def icons() -> Response:
        answer = Response(content, mimetype="image/svg+xml")
        keep(answer, version)
        return answer

    app.register_blueprint(blueprint)
    app.jinja_env.globals["icon"] = draw
