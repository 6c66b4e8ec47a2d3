"""What several tests of the surfaces ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User

from app.core import grants, rights, saving, scope
from app.core.rights import Extent
from app.extensions import db
from tests import cast
from tests.accounts import role_id

NOT_WITH_LIMITS = {"student:add", "family_member:add"}  # who adds must be able to fill in what a record needs


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


@pytest.fixture
def limit(app: Flask) -> Callable[..., None]:
    """`limit("lin", "clerk", *limits)`: that person's grants are replaced by one of a copy of the default role."""

    def narrow(username: str, key: str, *limits: str) -> None:
        template = role_id(app, key)
        with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
            with saving.work() as work:
                session, held = work.session, grants.rights_of_roles(work.session, {template})[template]
                taker = session.get_one(User, cast.person(username))
                for given in grants.held_grants(session, taker.id):
                    grants.withdraw(session, by, given)
                unit = {"school_id": taker.school_id, "region_code": taker.region_code}
                made = Role(
                    label=f"看不全的角色{len(limits)}",
                    level="school" if taker.school_id else "bureau",
                    **unit,
                )
                wanted = (held - NOT_WITH_LIMITS) | {*limits}
                grants.make_role(session, by, made, wanted, session.get_one(Role, template))
                grants.grant(session, by, taker, made, Extent.of(taker.school_id, taker.region_code))
            db.session.remove()

    return narrow
