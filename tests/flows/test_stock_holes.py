"""The table of addresses does check: with any of the libraries' own settings put back it turns red.

Each hole is what Flask-AppBuilder or Flask-Admin does when nobody tells it otherwise, restored alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_admin.base import AdminViewMeta
from flask_appbuilder import AppBuilder, expose
from flask_appbuilder.security.sqla.manager import SecurityManager as StockSecurityManager
from flask_appbuilder.security.sqla.models import Role, User

from app.core import scope
from app.surfaces import bureau, entrance, pages, rest, security
from app.surfaces.security import SecurityManager
from tests.flows import every_url, world
from tests.sites import Site, make_app

ROWS = every_url.read_table()
LOOKS = [row for row in ROWS if row.method == "GET"]
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Hole:
    """What is put back before the application is built, who is asked, and what the red table says."""

    put_back: Callable[[Patch], None]
    says: str
    person: str = ""  # "": the routes alone give it away
    then: Callable[[Flask], None] = lambda app: None  # after it was built


def set_to(owner: Any, **words: Any) -> Callable[[Patch], None]:
    def put_back(patch: Patch) -> None:
        for name, value in words.items():
            patch.setattr(owner, name, value)

    return put_back


# --- addresses that stock would add -------------------------------------------------------------------


def and_stock(*names: str) -> Callable[[Patch], None]:
    """Views and APIs of stock's security manager beside ours: whoever may edit users there makes himself administrator."""

    def put_back(patch: Patch) -> None:
        ours = SecurityManager.register_views

        def more(self: SecurityManager) -> None:
            ours(self)
            for name in names:
                view = getattr(self, name)
                add = self.appbuilder.add_api if name.endswith("_api") else self.appbuilder.add_view_no_menu
                add(view)

        patch.setattr(SecurityManager, "register_views", more)

    return put_back


def stock_language_switch(patch: Patch) -> None:
    ours = security.Builder._add_admin_views

    def more(self: security.Builder) -> None:
        ours(self)
        self.bm.register_views()

    patch.setattr(security.Builder, "_add_admin_views", more)


def stock_logout(patch: Patch) -> None:
    """A link anywhere could log a person out."""
    patch.setattr(entrance.LogoutView, "logout", expose("/", methods=["GET", "POST"])(lambda self: "gone"))


def every_method(module: Any) -> Callable[[Patch], None]:
    """No list of methods that get an address: Flask-AppBuilder's own download, action and info come along."""

    def put_back(patch: Patch) -> None:
        name = "view_for" if module is pages else "api_for"
        ours = getattr(module, name)

        def without(entity: Any) -> Any:
            made = ours(entity)
            made.include_route_methods = None
            return made

        patch.setattr(module, name, without)

    return put_back


def stock_admin_methods(patch: Patch) -> None:
    patch.setattr(bureau.OnlyReads, "__init__", AdminViewMeta.__init__)


# --- doors that stock leaves open ---------------------------------------------------------------------


def no_gate(patch: Patch) -> None:
    """Each view looks after itself, and one forgets."""
    patch.setattr(SecurityManager, "_gate", lambda self: None)


def only_the_view(patch: Patch) -> None:
    """Scope as `base_filters` of list pages: every other way to a row is open."""
    patch.setattr(scope, "_criteria", lambda *words: scope.Criteria(()))


def stock_rights(patch: Patch) -> None:
    """Rights from Flask-AppBuilder's tables."""
    patch.setattr(SecurityManager, "has_access", StockSecurityManager.has_access)
    patch.setattr(SecurityManager, "get_user_roles", StockSecurityManager.get_user_roles)


def make_wang_admin(app: Flask) -> None:
    from app.extensions import db

    with app.app_context():
        admin = Role(name="Admin")
        db.session.add(admin)
        everything = app.extensions["appbuilder"].sm.permissionview_model
        admin.permissions = list(db.session.scalars(sa.select(everything)))
        user = db.session.scalars(sa.select(User).where(User.username == "wang")).one()
        user.roles = [admin]
        db.session.commit()
        db.session.remove()


HOLES = {
    "stock's pages of users": Hole(and_stock("userdbmodelview"), "POST /users/edit"),
    "stock's pages of roles": Hole(and_stock("rolemodelview"), "POST /roles/edit"),
    "stock's pages of groups, which give roles": Hole(and_stock("groupmodelview"), "POST /groups/edit"),
    "stock's reset of anybody's password": Hole(and_stock("resetpasswordview"), "/resetpassword/form"),
    "stock's change of password without the old": Hole(
        and_stock("resetmypasswordview"), "/resetmypassword/form"
    ),
    "stock's own account": Hole(and_stock("userinfoeditview"), "/userinfoeditview/form"),
    "stock's registration": Hole(and_stock("registeruserdbview"), "/register/form"),
    "stock's token login and renewal": Hole(and_stock("security_api"), "/api/v1/security/refresh"),
    "stock's API of users": Hole(and_stock("user_api"), "POST /api/v1/security/users/"),
    "stock's API of roles": Hole(and_stock("role_api"), "POST /api/v1/security/roles/"),
    "stock's language switch by GET": Hole(stock_language_switch, "/lang/"),
    "stock's menu API, back link and description": Hole(
        set_to(security.Builder, _add_admin_views=AppBuilder._add_admin_views), "/back"
    ),
    "stock's logout by GET": Hole(stock_logout, "GET /logout/"),
    "stock's methods of every page": Hole(every_method(pages), "/students/download/"),
    "stock's methods of every API": Hole(every_method(rest), "has no row"),
    "stock's Flask-Admin views, which write": Hole(stock_admin_methods, "/bureau/students/new/"),
    "Flask-Admin opens to everybody": Hole(
        set_to(bureau.Guarded, is_accessible=lambda self: True), "/bureau/", "lin"
    ),
    "no login before every page": Hole(no_gate, "as anonymous: L is right", "anonymous"),
    "forms without a token": Hole(
        set_to(security, _require_form_token=lambda: None), "without the form's token", "lin"
    ),
    "no wall around the rows": Hole(only_the_view, "as wang: N is right, the answer was .", "wang"),
    "rights from stock's roles": Hole(stock_rights, "as wang: F is right", "wang", make_wang_admin),
}


@pytest.fixture
def sqlite(site: Site, request: pytest.FixtureRequest) -> Site:
    if site.kind != "sqlite":
        pytest.skip("addresses and rights do not depend on the database")
    site.refresh()
    site.is_written = True
    return site


def red(app: Flask, hole: Hole) -> Iterator[str]:
    ids = world.furnish(app)
    yield from every_url.faults(app, ROWS, ids)
    if hole.person:
        client = every_url.enter(app, hole.person)
        yield from every_url.differences(client, hole.person, LOOKS, ids)
        yield from every_url.writes_without_token(client, hole.person, ROWS, ids)


@pytest.mark.parametrize("name", HOLES)
def test_the_table_turns_red(name: str, sqlite: Site, monkeypatch: Patch, tmp_path: Any) -> None:
    hole = HOLES[name]
    hole.put_back(monkeypatch)
    app = make_app(f"sqlite:///{sqlite.path}", tmp_path)
    hole.then(app)
    assert any(hole.says in line for line in red(app, hole)), name
