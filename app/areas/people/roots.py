"""Where rights begin: the first admin of a bureau and the root grant, made at installation by whoever runs the system."""

from __future__ import annotations

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts
from app.areas.people.accounts import Home
from app.areas.people.roles import BUREAU_ADMIN, BUREAU_ALL, load_roles
from app.areas.regions.models import name_of
from app.core import grants, logins, rights, saving, scope
from app.core.errors import Invalid
from app.core.rights import Extent, Grant


def open_first_admin(
    session: Session, username: str, name: str, region_code: str, password: str, phone: str = ""
) -> User:
    """Opens the account of a bureau's first admin, with the role for use and the root to pass on.

    `password` must be changed at first login. Raises Invalid.
    """
    by = rights.system("command")
    with scope.acting(session, by), saving.work():
        extent = _extent(session, region_code)
        typed = {"username": username, "name": name, "phone": phone}
        user = accounts.open_account(session, by, Home(region_code=region_code), typed, password)
        grants.grant(session, by, user, load_roles(session)[BUREAU_ADMIN], extent)
        _grant_root(session, by, user, extent)
    return user


def grant_root(session: Session, username: str, region_code: str) -> bool:
    """Everything a bureau and its schools need, to pass on and not to use. False when it stands already."""
    by = rights.system("command")
    with scope.acting(session, by), saving.work():
        user = logins.find_account(session, username)
        if user is None:
            raise Invalid([("username", _("没有账号“%(name)s”。请核对用户名。", name=username))])
        if user.region_code != region_code:
            raise Invalid([("region_code", _("这个账号不属于该区划的主管部门。请核对代码。"))])
        load_roles(session)
        return _grant_root(session, by, user, _extent(session, region_code))


def _grant_root(session: Session, by: rights.Actor, user: User, extent: Extent) -> bool:
    bundle = session.scalars(sa.select(Role).where(Role.name == BUREAU_ALL)).one()
    held = sa.select(Grant.id).where(
        Grant.person_id == user.id, Grant.role_id == bundle.id, Grant.passable, Grant.withdrawn_at.is_(None)
    )
    if session.scalar(held.limit(1)) is not None:
        return False
    grants.grant(session, by, user, bundle, extent, usable=False, passable=True)
    return True


def _extent(session: Session, region_code: str) -> Extent:
    if name_of(session, region_code) is None:
        raise Invalid([("region_code", _("没有这个行政区划代码。请在“行政区划”中查对后填写。"))])
    return Extent.of(None, region_code, None, None)
