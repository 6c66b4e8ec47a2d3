"""What several tests of the surfaces ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.extensions import db


@pytest.fixture
def limited(app: Flask, site: Any) -> Iterator[Flask]:
    """The application again, behind one proxy and with the login limit in force."""
    from app import create_app

    kept = (
        "SECRET_KEY",
        "DATABASE_URL",
        "READ_DATABASE_URL",
        "REDIS_URL",
        "EVIDENCE_URL",
        "FAB_PASSWORD_HASH_METHOD",
    )
    words = {name: app.config[name] for name in kept}
    made = create_app(
        TESTING=True,
        RATELIMIT_ENABLED=True,
        LOGIN_LIMIT="3 per minute",
        VERIFY_LIMIT="3 per minute",
        TRUSTED_PROXIES=1,
        **words,
    )
    site.is_written = True
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
        made.extensions["reading"].session_factory.kw["bind"].dispose()
