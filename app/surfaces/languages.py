"""Which language an answer speaks: the person's, the browser's, a program's. What is said in it is in `words`."""

from __future__ import annotations

import flask_babel
from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

COOKIE = "language"
KEPT_FOR_SECONDS = 365 * 24 * 3600
TAGS = {"zh": "zh_Hans_CN", "en": "en"}
"""What a program's Accept-Language may begin with → the locale."""


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
    flask_babel.get_babel(app).locale_selector = _choose


def _choose() -> str:
    """The person's own; without one, what was switched to in this browser; for a program, what it accepts."""
    languages = current_app.config["LANGUAGES"]
    wished = [g.get("language"), request.cookies.get(COOKIE), _accepted()] if request else [g.get("language")]
    return next((one for one in wished if one in languages), str(current_app.config["BABEL_DEFAULT_LOCALE"]))


def _accepted() -> str | None:
    """Browsers accept whatever they were installed with, so a page does not ask them."""
    if not request.path.startswith("/api/") or current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return None
    tag = request.accept_languages.best_match(list(TAGS))
    return TAGS[tag] if tag else None
