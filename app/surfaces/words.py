"""Words in the language of the request. A page asks for some eighty of them: the catalogue is found once for all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flask import Flask, g
from flask_babel import Domain, get_babel
from flask_babel import gettext as _
from markupsafe import Markup


class Words(Domain):
    """Keeps the catalogue with the request, under the name by which Flask-Babel drops it when the language changes."""

    def get_translations(self) -> Any:
        here: SimpleNamespace | None = g.get("_flask_babel") if g else None
        if here is None:
            return super().get_translations()
        if getattr(here, "babel_translations", None) is None:
            here.babel_translations = super().get_translations()
        return here.babel_translations


def in_page(text: str, **values: object) -> Markup:
    """What `_` is in a template; the values are escaped."""
    said = Markup(_(text))  # noqa: S704 - a sentence of the program
    return said % values if values else said


def register(app: Flask) -> None:
    babel = get_babel(app).instance
    babel.domain_instance = Words(domain=babel.domain)
    app.jinja_env.globals["_"] = in_page
