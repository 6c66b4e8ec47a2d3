"""Words in the language of the request. A page asks for some eighty of them: the catalogue is found once for all."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g
from flask_babel import Domain, get_babel, get_locale
from flask_babel import gettext as _
from markupsafe import Markup

CATALOGUE = Path(__file__).resolve().parents[1] / "translations" / "en" / "LC_MESSAGES" / "messages.po"


class Words(Domain):
    """Keeps the catalogue with the request, under the name by which Flask-Babel drops it when the language changes."""

    def get_translations(self) -> Any:
        here: SimpleNamespace | None = g.get("_flask_babel") if g else None
        if here is None:
            return super().get_translations()
        if getattr(here, "babel_translations", None) is None:
            is_english = get_locale().language == "en"
            here.babel_translations = english() if is_english else super().get_translations()
        return here.babel_translations


@cache
def english() -> Translations:
    """The catalogue as it is in the repository, without a compiled copy that could be older. Read once in a process, when
    the first English page is asked for (a tenth of a second)."""
    compiled = BytesIO()
    with CATALOGUE.open("rb") as file:
        write_mo(compiled, read_po(file, locale="en"))
    compiled.seek(0)
    return Translations(compiled)


def in_page(text: str, **values: object) -> Markup:
    """What `_` is in a template; the values are escaped."""
    said = Markup(_(text))  # noqa: S704 - a sentence of the program
    return said % values if values else said


def register(app: Flask) -> None:
    babel = get_babel(app).instance
    babel.domain_instance = Words(domain=babel.domain)
    app.jinja_env.globals["_"] = in_page
