"""Who is asking: one gate before every request, and Flask-AppBuilder's security reduced to what this system uses.

Login page, token login and home are in `entrance`; passwords and locks in `core.logins`; what an actor may do in
`core.rights`. Flask-AppBuilder registers some 110 addresses of its own: here none of them is left.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import sqlalchemy as sa
from flask import Flask, current_app, flash, g, redirect, request, session
from flask_appbuilder import AppBuilder
from flask_appbuilder.security.sqla.manager import SecurityManager as StockSecurityManager
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from flask_jwt_extended import verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import AnonymousUserMixin, current_user, login_user
from jwt import PyJWTError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadRequest, HTTPException, Unauthorized
from werkzeug.wrappers import Response

from app.core import logins, rights, saving, scope, second_factor, sessions, viewing
from app.core.databases import reading_session
from app.core.entity import registry
from app.core.errors import Denied
from app.core.logins import LoginRules
from app.core.rights import Actor, Entrant
from app.core.wording import N_
from app.extensions import csrf, db
from app.surfaces import languages
from app.surfaces.assets import is_static
from app.surfaces.handlers import wants_json
from app.surfaces.problems import Unfit

LOGIN_PATH, LOGOUT_PATH, TOKEN_PATH = "/login/", "/logout/", "/api/v1/security/login"
LOOK_END_PATH = "/people/look/end"
FIND_PATH = "/find"
HELP_PATH = "/help/"
CODE_PATH = "/login/code"  # open to whoever has given the right password
SETTINGS_PATH, PASSWORD_PATH, FACTOR_PATH = "/account/", "/account/password", "/account/second-factor/on"
VERIFY_PATH, LANGUAGE_PATH = "/verify/", "/language/"
OPEN_PATHS = frozenset({LOGIN_PATH, TOKEN_PATH, VERIFY_PATH, LANGUAGE_PATH, "/healthz"})
"""Everything else wants a login: a page is open only by standing here."""
AFTER_SECONDS = 60  # the time of the last activity is written into the cookie no more often than this
NOTED_AFTER_SECONDS = 300  # and into the list of the person's sessions no more often than this
CODE_WITHIN_SECONDS = 300  # from the right password to the code of the second step
LATE_FOR = timedelta(days=7)
"""So long after its last activity a session that is over still tells whose it was, and a form sent late is kept."""
KEPT_LATE = N_("您填写的内容已存为草稿，登录后可继续。")
log = logging.getLogger(__name__)


# --- what other surfaces ask --------------------------------------------------------------------------


def current_actor() -> Actor:
    """Who acts in this request. Raises Denied when nobody is logged in."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise Denied(_("您还没有登录，或登录已过期。请重新登录。"))
    return actor


def local_path(raw: str | None, otherwise: str = "/") -> str:
    """`raw` if it is a path on this site and nothing else (browsers take // and /\\ for another host)."""
    if not raw or not raw.startswith("/") or raw[1:2] in ("/", "\\") or len(raw) > 2_000:
        return otherwise
    if "\\" in raw or any(ord(ch) <= 0x20 or ord(ch) == 0x7F for ch in raw):
        return otherwise
    return raw


def login_rules() -> LoginRules:
    return LoginRules.of(current_app.config)


# --- between the two steps of a login -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HalfIn:
    """Whoever gave the right password and owes the code: session key, account name, where to go then."""

    key: str
    name: str
    after: str
    is_late: bool


def ask_for_code(user: User, after: str) -> None:
    """Remembers the first step in the signed cookie; nothing that was in it before survives."""
    session.clear()
    session["half"] = [logins.session_key(user), user.username, after, int(time.time())]


def half_in() -> HalfIn | None:
    if "half" not in session:
        return None
    key, name, after, since = session["half"]
    return HalfIn(key, name, after, time.time() - since > CODE_WITHIN_SECONDS)


# --- sessions -----------------------------------------------------------------------------------------


def start_session(user: User) -> None:
    """A new session: nothing that was in the cookie before survives, so that nobody can plant one."""
    session.clear()
    login_user(user)
    session["place"] = _place_name(user)
    _open_session(user)


def _open_session(user: User) -> None:
    session.pop("factor_due", None)
    if second_factor.is_due(db.session(), user):  # asked here once, not by every request
        session["factor_due"] = True
    session["sid"] = secrets.token_urlsafe(24)
    session["seen"] = session["noted"] = int(time.time())
    with saving.work() as work:
        device = request.headers.get("User-Agent", "")
        sessions.start(work.session, user.id, session["sid"], request.remote_addr or "", device)


def note_activity() -> None:
    """Into the cookie now and then, and more rarely into the list of sessions; a database that is busy can wait."""
    now = int(time.time())
    if now - session["seen"] >= AFTER_SECONDS:
        session["seen"] = now
    if now - session.get("noted", 0) >= NOTED_AFTER_SECONDS:
        session["noted"] = now
        try:
            with saving.work() as work:
                sessions.touch(work.session, session["sid"])
        except OperationalError:
            log.warning("activity of a session was not noted: the database is busy")


def renew_session(user: User) -> None:
    """After the epoch moved: this browser goes on, every other session has ended."""
    session["_user_id"] = logins.session_key(user)
    _open_session(user)


def close_session(why: str = "") -> None:
    """`why` is told on the login page: "idle", "elsewhere", "late"."""
    session.clear()
    if why:
        session["ended"] = why


def begin_looking(person_id: int, until: datetime) -> None:
    """From the next request on this session looks on as that person."""
    session["look_as"] = [person_id, until.timestamp()]


def end_looking() -> int | None:
    """Gives the number of the person as whom this session looked on."""
    kept = session.pop("look_as", None)
    return kept[0] if kept else None


def _as_whom(by: Actor) -> Actor:
    """The actor of the request: the person, or he with the eyes of another."""
    person_id, until = session["look_as"]
    other = rights.load_person(db.session(), person_id) if time.time() < until else None
    if other is None or not other.user.is_active or not viewing.may_look_as(db.session(), by, other.user):
        end_looking()
        flash(_("以他人视角查看已结束。"), "info")
        return by
    return viewing.looking_as(db.session(), by, other.actor)


def _tell_once(why: str) -> None:
    """A session that is over, but its person's: the cookie stays, since a form that is still open may come late."""
    if not session.get("told"):
        session["told"], session["ended"] = True, why


def _place_name(user: User) -> str:
    """The school, or the region of the bureau, for the top bar: kept in the session, so that no page asks for it."""
    with scope.acting(db.session(), rights.system("login")):
        if user.school_id is not None:
            school: Any = registry["school"]
            return db.session.scalar(sa.select(school.name).where(school.id == user.school_id)) or ""
        if user.region_code is not None:
            region: Any = registry["region"]
            name = db.session.scalar(sa.select(region.name).where(region.code == user.region_code))
            return str(name or user.region_code)
    return ""


# --- the gate -----------------------------------------------------------------------------------------


def bears_token() -> bool:
    """A call with an Authorization header is judged by its token alone, whatever cookie comes along."""
    return request.path.startswith("/api/") and "bearer" in request.headers.get("Authorization", "").lower()


def _only_looks() -> bool:
    """Searching is a look too, though numbers are posted."""
    return (
        request.method in ("GET", "HEAD", "OPTIONS")
        or request.path in (LOOK_END_PATH, LOGOUT_PATH, FIND_PATH)
        or request.path.startswith(("/lookup/", "/search/", "/lists/find/"))
    )


def _to_login(kept: str | None) -> Response:
    """`kept` is the form whose content came too late and is now a draft."""
    if request.path.startswith("/api/"):
        raise Unauthorized()
    if wants_json():
        way_out = _(KEPT_LATE) if kept else _("请在另一个窗口重新登录后继续，本页填写的内容还在。")
        raise Unfit(401, _("登录已过期。%(way_out)s", way_out=way_out))
    if kept is not None:
        session["kept"] = True
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else kept or _path_of_referrer()
    return redirect(login_url(back))


def login_url(after: str) -> str:
    return f"{LOGIN_PATH}?{urlencode({'next': after})}" if after != "/" else LOGIN_PATH


def _path_of_referrer() -> str:
    """Where a form that came too late was filled in."""
    there = urlsplit(request.referrer or "")
    return local_path(there.path) if there.netloc == request.host else "/"


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or (path == CODE_PATH and half_in() is not None)


class Duty(NamedTuple):
    """What comes before everything else: where it is done, and what a program is told."""

    path: str
    sentence: str


def duty_of(user: User, is_factor_due: bool) -> Duty | None:
    if logins.must_change_password(user, login_rules(), datetime.now(UTC)):
        return Duty(PASSWORD_PATH, _("您的密码须先修改才能继续使用。请登录网页修改密码。"))
    if is_factor_due:
        sentence = _("按主管部门的规定，您担任的角色须两步登录。请先登录网页，开启两步登录。")
        return Duty(FACTOR_PATH, sentence)
    return None


def _require_form_token() -> None:
    if None in request.form:  # a part without a name, over which Flask-WTF stumbles
        raise BadRequest()
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()


class SecurityManager(StockSecurityManager):
    """Answers Flask-AppBuilder's questions from the request's actor; lets no stock view in."""

    views: tuple[type, ...] = ()

    # --- one decision before every request ---

    def before_request(self) -> Response | None:
        """Finds the person, then decides whether the request goes on."""
        self._forget()
        if is_static():
            return None
        if request.path == TOKEN_PATH:
            return None
        if bears_token():
            self._enter_by_token()
        else:
            self._enter_by_cookie()
        return self._gate()

    def _forget(self) -> None:
        """Nobody is asking. What Flask-Login and the last request left in g may outlive a request."""
        g.actor, g.user, g.language = None, AnonymousUserMixin(), None
        for name in ("_login_user", "late"):
            g.pop(name, None)
        scope.set_actor(db.session(), None)
        scope.set_actor(reading_session(current_app), None)

    def _enter_by_token(self) -> None:
        g._login_user = g.user  # nobody: or Flask-Login would read the cookie
        try:
            verify_jwt_in_request()
        except (JWTExtendedException, PyJWTError):
            raise Unauthorized() from None

    def _enter_by_cookie(self) -> None:
        user = current_user._get_current_object()
        if not user.is_authenticated:
            self._note_the_end()
            return
        by = g.pop("entering")
        note_activity()
        self._enter(user, _as_whom(by) if "look_as" in session else by)

    def _note_the_end(self) -> None:
        if "late" not in g:
            if "_user_id" in session:
                close_session("elsewhere")
        elif not wants_json():  # the answer to a script may come after a new login, and must not undo it
            _tell_once(g.late_by)

    def _enter(self, user: User, by: Actor) -> None:
        g.user, g.actor, g._login_user = user, by, user
        languages.speak(user.language)
        scope.set_actor(db.session(), by)
        scope.set_actor(reading_session(current_app), by)

    def _gate(self) -> Response | None:
        if request.endpoint is None:
            return None  # there is no such address: 404 or 405 says so
        if not _is_open(request.path):
            if g.actor is None:
                return _to_login(self._keep_late())
            duty = duty_of(g.user, "factor_due" in session and not bears_token())
            if duty is not None and request.path not in (duty.path, LOGOUT_PATH):
                return self._lead_to(duty)
        if not bears_token():
            _require_form_token()
        if g.actor is not None and g.actor.looks_as and not _only_looks():
            raise Denied(_("您正在以%(name)s的视角查看，不能保存。请先结束查看。", name=g.actor.looks_as))
        return None

    def _keep_late(self) -> str | None:
        """What is posted by a form after its session ended becomes a draft of the session's person; the form's path."""
        from app.surfaces import drafts

        late: Entrant | None = g.pop("late", None)
        if late is None or request.method != "POST":
            return None
        self._enter(late.user, late.actor)
        try:
            _require_form_token()
            return drafts.keep_late()
        except HTTPException:
            return None  # the login page answers for whatever is wrong with it
        finally:
            self._forget()

    def _lead_to(self, duty: Duty) -> Response:
        if wants_json():
            raise Denied(duty.sentence)
        return redirect(duty.path)

    # --- Flask-Login and tokens ---

    def load_user(self, pk: str) -> User | None:
        seen, sid = session.get("seen"), session.get("sid")
        if not isinstance(seen, int) or not isinstance(sid, str):
            return None
        found = logins.owner_of(db.session(), pk, sid)
        idle_for = time.time() - seen
        if found is None or idle_for > LATE_FOR.total_seconds():
            return None
        if idle_for > login_rules().idle_after.total_seconds() or not found.has_session:
            g.late, g.late_by = found, "elsewhere" if not found.has_session else "idle"
            return None
        g.entering = found.actor
        return found.user

    def load_user_jwt(self, _jwt_header: dict[str, Any], jwt_data: dict[str, Any]) -> User | None:
        """A token dies with the epoch that it was given under, and where the password must be changed first."""
        found = logins.owner_of(db.session(), f"{jwt_data['sub']}:{jwt_data.get('epoch')}")
        if found is None or logins.must_change_password(found.user, login_rules(), datetime.now(UTC)):
            return None
        self._enter(found.user, found.actor)
        return found.user

    # --- Flask-AppBuilder's questions ---

    def has_access(self, permission_name: str, view_name: str) -> bool:
        by: Actor | None = g.get("actor")
        if by is None:
            return False
        right = rights.as_right(permission_name, view_name)
        if not by.has(right):
            g.refusal = rights.refusal(by, right)
        return by.has(right)

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        return False

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        return set()

    def get_user_roles(self, user: Any) -> list[object]:
        return []  # grants are the only source of access

    # --- the allow-list ---

    def register_views(self) -> None:
        from app.surfaces import entrance, openapi

        self.auth_view = self.appbuilder.add_view_no_menu(entrance.LoginView)
        self.appbuilder.add_view_no_menu(entrance.LogoutView)
        self._limit(self.auth_view, self.appbuilder.add_api(entrance.TokenApi))
        self.appbuilder.add_api(openapi.ApiDescription)

    def _limit(self, *views: Any) -> None:
        """Failed attempts are counted for an address and for an account, over page and token login together.

        Failed ones only: a whole school may come in from one address at eight o'clock.
        """
        from app.surfaces import entrance

        keys: tuple[Callable[[], str], ...] = (entrance.address_key, entrance.account_key)
        for key in keys:
            for view in views:
                self.limiter.shared_limit(
                    lambda: str(current_app.config["LOGIN_LIMIT"]),
                    scope="login",
                    key_func=key,
                    methods=["POST"],
                    deduct_when=lambda response: response.status_code >= 400,
                )(view.blueprint)


class Builder(AppBuilder):
    """Without /back, /lang, the menu API and the stock security views."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.sm.register_views()


def register(app: Flask) -> None:
    """Makes the AppBuilder and closes what it opens."""
    from app.surfaces import entrance

    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # the gate checks, since it knows who needs no token
    app.config["JWT_TOKEN_LOCATION"] = ["headers"]
    Builder(
        app,
        db.session,
        indexview=entrance.HomeView,
        base_template="shell.html",
        security_manager_class=SecurityManager,
        update_perms=False,
    )
    languages.register(app)
    app.context_processor(_on_every_page)


def _on_every_page() -> dict[str, object]:
    by: Actor | None = g.get("actor")
    switch = {"languages": languages.others(), "language_url": LANGUAGE_PATH}
    if by is None:
        return {"me": None, **switch}
    place = session.get("place", "")
    if place and g.user.school_id is None:
        place = _("%(name)s主管部门", name=place)
    me = {"name": by.name, "place": place}
    looking = {"name": by.looks_as, "end_url": LOOK_END_PATH} if by.looks_as else None
    help_url = HELP_PATH if request.path.startswith(HELP_PATH) else f"{HELP_PATH}?at={quote(request.path)}"
    links = {"settings_url": SETTINGS_PATH, "help_url": help_url}
    return {"me": me, "demo": g.user.is_demo, "looking": looking, **links, **switch}
