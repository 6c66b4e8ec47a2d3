"""Where rights begin: the first admin of a bureau, and the root."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import Session

from app.areas.people.roots import grant_root, open_first_admin
from app.core import rights
from app.core.errors import Invalid
from tests import cast


def actor(session: Session, username: str) -> rights.Actor:
    user = session.scalars(sa.select(User).where(User.username == username)).one()
    return rights.load_actor(session, user)


def test_the_first_admin_uses_his_role_and_passes_everything_on(session: Session) -> None:
    user = open_first_admin(session, "bai", "白主任", cast.SHIXI, "One-time-2026")
    by = rights.load_actor(session, user)
    assert user.must_change_password
    assert by.has("person:add")
    assert not by.has("student:list")
    passed_on = {right for h in by.holdings if h.passable for right in h.rights}
    assert {"student:edit", "person:add", "student:list"} <= passed_on
    assert {h.extent for h in by.holdings} == {rights.Extent(low=cast.SHIXI, high=cast.SHIXI)}


def test_a_root_is_granted_once(session: Session) -> None:
    assert grant_root(session, "xu", cast.SHIXI) is True
    assert grant_root(session, "xu", cast.SHIXI) is False
    roots = [h for h in actor(session, "xu").holdings if h.passable]
    assert [(h.usable, h.role) for h in roots] == [(False, "主管部门全部可转授权限")]


@pytest.mark.parametrize(
    ("username", "region"),
    [("nobody", cast.SHIXI), ("xu", cast.QINGLAN), ("lin", cast.QINGLAN), ("xu", "999999")],
)
def test_a_root_belongs_to_the_bureau_of_its_region(session: Session, username: str, region: str) -> None:
    with pytest.raises(Invalid):
        grant_root(session, username, region)


def test_a_first_admin_wants_a_known_region_and_a_free_account(session: Session) -> None:
    for username, region in (("bai", "519955"), ("he", cast.SHIXI)):
        with pytest.raises(Invalid):
            open_first_admin(session, username, "白主任", region, "One-time-2026")
    assert session.scalar(sa.select(sa.func.count(User.id))) == len(cast.PEOPLE)
