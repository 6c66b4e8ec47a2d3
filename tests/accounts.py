"""Accounts as a test looks at them and changes them past the pages, phones with a code, and what a page says."""

from __future__ import annotations

import html
import re
import time
from dataclasses import dataclass
from typing import Any

import pyotp
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, User, ViewMenu
from werkzeug.test import TestResponse

from app.core import grants, powers, rights, scope, second_factor
from app.core.audit import AuditEntry
from app.extensions import db
from tests import cast
from tests.client import Client


def account(app: Flask, username: str) -> User:
    """As the database has it now."""
    with app.app_context():
        found = db.session.scalars(sa.select(User).where(User.username == username)).one()
        db.session.expunge(found)
        db.session.remove()
        return found


def change(app: Flask, username: str, **words: Any) -> None:
    """Sets columns of an account, as time or an administrator would."""
    with app.app_context():
        db.session.execute(sa.update(User).where(User.username == username).values(**words))
        db.session.commit()
        db.session.remove()


def audit_of(app: Flask, action: str) -> list[AuditEntry]:
    """The audit's rows of one action, oldest first."""
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        query = sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        found = list(db.session.scalars(query))
        db.session.expunge_all()
        db.session.remove()
        return found


@dataclass(frozen=True)
class Phone:
    """What somebody with the second step of login on carries: a program that shows codes, and a slip of paper."""

    secret: str
    recovery_codes: tuple[str, ...] = ()

    def code(self, steps_ahead: int = 0) -> str:
        """Each counts once, so whoever comes in twice within half a minute types the one ahead."""
        return pyotp.TOTP(self.secret).at(time.time() + steps_ahead * second_factor.STEP)

    def wrong_code(self) -> str:
        near = {self.code(n) for n in range(-2, 3)}
        return next(code for n in range(10) if (code := f"{n}" * 6) not in near)


def give_phone(app: Flask, username: str) -> Phone:
    """Turns the second step on, as if it had been set up some time ago."""
    secret = second_factor.new_secret()
    with app.app_context():
        user = db.session.scalars(sa.select(User).where(User.username == username)).one()
        codes = second_factor.turn_on(user, secret, Phone(secret).code())
        user.totp_step = None
        db.session.commit()
        db.session.remove()
    return Phone(secret, tuple(codes))


def text_of(answer: TestResponse) -> str:
    """The words of a page's main part."""
    main = answer.text[answer.text.index("<main") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def follow(client: Client, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 302, (answer.status_code, text_of(answer))
    return client.get(answer.location)


def role_id(app: Flask, key: str) -> int:
    with app.app_context():
        found = db.session.scalars(sa.select(Role.id).where(Role.name == f"default:{key}")).one()
        db.session.remove()
        return found


def grant_to(app: Flask, username: str, key: str, **words: Any) -> int:
    """A grant by the system, as installation or the bureau would make it."""
    with app.app_context():
        session = db.session()
        with scope.acting(session, rights.system("tests")) as by:
            taker = session.get_one(User, cast.person(username))
            role = session.scalars(sa.select(Role).where(Role.name == f"default:{key}")).one()
            extent = rights.Extent.of(taker.school_id, taker.region_code, None, None)
            made = grants.grant(session, by, taker, role, words.pop("extent", extent), **words).id
            session.commit()
        db.session.remove()
        return made


def put_limit(app: Flask, username: str, limit: str) -> None:
    """Puts a limit into the role that the person's grant gives."""
    action, view = powers.as_pair(limit)
    with app.app_context():
        given = sa.select(rights.Grant.role_id).where(rights.Grant.person_id == cast.person(username))
        role = db.session.scalars(sa.select(Role).where(Role.id.in_(given))).one()
        pair = sa.select(PermissionView).join(Permission).join(ViewMenu)
        role.permissions.append(
            db.session.scalars(pair.where(Permission.name == action, ViewMenu.name == view)).one()
        )
        db.session.commit()
