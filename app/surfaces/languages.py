"""Which language an answer speaks, and the English catalogue. The source says Chinese: that needs no look-up."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import flask_babel
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

CATALOGUE = Path(__file__).resolve().parents[1] / "translations" / "en" / "LC_MESSAGES" / "messages.po"
COOKIE = "language"
KEPT_FOR_SECONDS = 365 * 24 * 3600
TAGS = {"zh": "zh_Hans_CN", "en": "en"}
"""What a program's Accept-Language may begin with → the locale."""


class _Words(flask_babel.Domain):
    """English as the catalogue in the repository has it, without a compiled copy that could be older."""

    def get_translations(self) -> NullTranslations:
        if flask_babel.get_locale().language == "en":
            return english()
        return super().get_translations()


@cache
def english() -> Translations:
    """Read once in a process, when the first English page is asked for (a tenth of a second)."""
    compiled = BytesIO()
    with CATALOGUE.open("rb") as file:
        write_mo(compiled, read_po(file, locale="en"))
    compiled.seek(0)
    return Translations(compiled)


def speak(language: str | None) -> None:
    """The language of this answer from here on; kept apart from the account, which a failed save may leave unreadable."""
    g.language = language
    flask_babel.refresh()


def tag_of(locale: object) -> str:
    """A locale as HTML names it: zh-Hans-CN."""
    return str(locale).replace("_", "-")


def others() -> list[tuple[str, str, str]]:
    """(locale, HTML's name of it, its own name) of the languages that one may switch to."""
    here = str(flask_babel.get_locale())
    languages = current_app.config["LANGUAGES"].items()
    return [(key, tag_of(key), words["name"]) for key, words in languages if key != here]


def remember(response: Response, language: str) -> None:
    """In this browser, for the pages before login and for whoever has set no language of his own."""
    response.set_cookie(
        COOKIE,
        language,
        max_age=KEPT_FOR_SECONDS,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def register(app: Flask) -> None:
    babel = flask_babel.get_babel(app)
    babel.locale_selector = _choose
    babel.instance.domain_instance = _Words()


def _choose() -> str:
    """The person's own; without one, what was switched to in this browser; for a program, what it accepts."""
    languages = current_app.config["LANGUAGES"]
    wished = [g.get("language"), request.cookies.get(COOKIE), _accepted()] if request else [g.get("language")]
    return next((one for one in wished if one in languages), str(current_app.config["BABEL_DEFAULT_LOCALE"]))


def _accepted() -> str | None:
    """Browsers accept whatever they were installed with, so a page does not ask them."""
    if not request.path.startswith("/api/") or "session" in request.cookies:
        return None
    tag = request.accept_languages.best_match(list(TAGS))
    return TAGS[tag] if tag else None
