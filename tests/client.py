"""A browser without a screen: keeps cookies, sends the form token, and lets every request stand alone."""

from __future__ import annotations

import contextvars
import secrets
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

READS = ("GET", "HEAD", "OPTIONS")


class Client(FlaskClient):
    """`csrf=False` on a request leaves the token out. A test's own application context is not seen by requests."""

    def __init__(self, app: Flask, **words: Any) -> None:
        super().__init__(app, app.response_class, use_cookies=True, **words)

    def open(self, *args: Any, csrf: bool = True, **words: Any) -> TestResponse:
        if csrf and words.get("method", "GET").upper() not in READS:
            words["headers"] = {"X-CSRFToken": self.token(), **dict(words.get("headers") or {})}
        return contextvars.Context().run(super().open, *args, **words)

    def token(self) -> str:
        """What a page of this client would carry in its forms."""
        with self.session_transaction() as kept:
            raw = kept.setdefault("csrf_token", secrets.token_hex(20))
        return str(URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token").dumps(raw))

    def login(self, username: str, password: str) -> TestResponse:
        """Through the login page; fails the test where the page refuses."""
        answer = self.post("/login/", data={"username": username, "password": password})
        assert answer.status_code == 302, f"{username} was not let in: {answer.status_code}"
        return answer
