"""One-time passwords on their way to people: made once, shown once. In the cookie only a word stands that without the
secret says nothing; in the database their hash."""

from __future__ import annotations

import secrets

from flask import current_app, session

from app.areas.people import passwords


def new_one_time() -> tuple[str, str]:
    """(nonce, password)."""
    nonce = secrets.token_urlsafe(16)
    return nonce, passwords.one_time(current_app.config["SECRET_KEY"], nonce)


def keep_for_next_page(user_id: int, nonce: str) -> None:
    session["one_time"] = [user_id, nonce]


def shown_once(user_id: int) -> str | None:
    kept_for, nonce = session.pop("one_time", (None, ""))
    return passwords.one_time(current_app.config["SECRET_KEY"], nonce) if kept_for == user_id else None
