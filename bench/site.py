"""An application on a PostgreSQL database of its own with the cast, a province-wide viewer, and very many pupils."""

from __future__ import annotations

from typing import Any

import psycopg
from flask import Flask
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import Role, User

from app.extensions import db
from bench import district
from tests import cast
from tests.postgres import OWNER, READER, Server

VIEWER = "sun"  # a reviewer of the county, here given the whole province as well


def build(server: Server, name: str, pupils: int) -> Flask:
    """Creates the database `name` and fills it."""
    from app import create_app

    server.run(f"CREATE DATABASE {name} OWNER {OWNER}")
    app = create_app(
        DATABASE_URL=server.url(name),
        READ_DATABASE_URL=server.url(name, READER),
        RATELIMIT_ENABLED=False,
        WTF_CSRF_ENABLED=False,
        TESTING=True,
    )
    with app.app_context():
        with db.engine.connect().execution_options(unguarded=True) as connection:
            Model.metadata.create_all(connection)
            connection.commit()
        cast.assemble(db.session())
        _widen(VIEWER)
        db.session.remove()
    server.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}", database=name)
    server.run(*district.statements(pupils), database=name)
    return app


def _widen(username: str) -> None:
    """Lets the viewer see the province: the roles stay, their place grows."""
    from app.core import grants, rights, scope

    session = db.session()
    with scope.acting(session, rights.system("bench")) as by:
        person = session.query(User).filter_by(username=username).one()
        for one in session.query(rights.Grant).filter_by(person_id=person.id).all():
            grants.withdraw(session, by, one)
            role = session.get(Role, one.role_id)
            grants.grant(session, by, person, role, rights.Extent.of(None, "510000", None, None))
        session.commit()


def log_in(app: Flask, username: str = VIEWER) -> Any:
    client = app.test_client()
    answer = client.post("/login/", data={"username": username, "password": cast.PASSWORD})
    assert answer.status_code == 302, answer.status_code
    return client


def planner(server: Server, name: str) -> psycopg.Connection[Any]:
    """A connection that explains statements."""
    return psycopg.connect(host=str(server.home), user="postgres", dbname=name, autocommit=True)
