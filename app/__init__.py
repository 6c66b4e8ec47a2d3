"""学籍台：学籍管理系统。`create_app` reads like a table of contents."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import config as settings
from app import extensions


def create_app(**overrides: Any) -> Flask:
    """A ready application. `overrides` replace settings of config.py by name."""
    app = Flask(__name__, instance_path=str(settings.INSTANCE))
    app.config.from_object(settings.Config)
    app.config.update(overrides)
    settings.prepare(app.config)
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies)  # type: ignore[method-assign]

    from app import areas, cli, surfaces
    from app.core import databases

    extensions.db.init_app(app)
    extensions.csrf.init_app(app)
    extensions.bootstrap.init_app(app)
    with app.app_context():
        databases.prepare(app)
        areas.load()
        surfaces.build(app)
        areas.load_pages(app)
        surfaces.finish(app)
    cli.register(app)
    return app
