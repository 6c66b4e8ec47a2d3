"""The way in and the first page: login in one step or two, logout, home; for programs the token login.

Who is let past the door is decided in `core.logins`, which page wants a login in `security`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app, flash, g, redirect, render_template, request, session
from flask_appbuilder import BaseView, IndexView, expose
from flask_appbuilder.api import BaseApi
from flask_babel import gettext as _
from flask_jwt_extended import create_access_token
from werkzeug.wrappers import Response

from app.core import logins, saving, second_factor, sessions
from app.core.errors import Denied
from app.core.rights import Actor
from app.core.wording import sentences
from app.extensions import db
from app.surfaces import security
from app.surfaces.problems import Unfit, answer, as_json
from app.surfaces.security import (
    CODE_PATH,
    LOGIN_PATH,
    LOGOUT_PATH,
    PASSWORD_PATH,
    local_path,
    login_rules,
)
from app.surfaces.viewmodels import Chart, FormPage, FormSection, Input, Tone

LONGEST_NAME = 64
FEW_CODES = 3  # so few recovery codes left are worth a warning


# --- what the login limit counts ----------------------------------------------------------------------


def address_key() -> str:
    return f"address:{request.remote_addr}"


def account_key() -> str:
    """A digest: people type passwords into the wrong box, and the limiter logs its keys."""
    half = security.half_in() if request.path == CODE_PATH else None
    typed = half.name if half else request.form.get("username") or _json_words().get("username")
    name = logins.normal_name(str(typed or ""))[:LONGEST_NAME]
    return "account:" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:24]


def _json_words() -> Mapping[str, Any]:
    try:
        found = request.get_json(silent=True)
    except RecursionError:  # nested beyond reading
        found = None
    return found if isinstance(found, dict) else {}


def refusal() -> str:
    """The same for every reason (wording.md §4.1), so that nobody learns which accounts there are."""
    return _refusal(_("账号或密码"))


def _refusal(what: str) -> str:
    rules = login_rules()
    phone = current_app.config["BUREAU_PHONE"]
    return _(
        "%(what)s不正确，或账号已被锁定。连续输错%(n)s次将锁定%(minutes)s分钟；需要帮助请联系本校管理员或%(bureau)s。",
        what=what,
        n=rules.lock_after,
        minutes=int(rules.lock_for.total_seconds()) // 60,
        bureau=_("主管部门（电话%(phone)s）", phone=phone) if phone else _("主管部门"),
    )


# --- pages --------------------------------------------------------------------------------------------


class LoginView(BaseView):
    """登录页。"""

    route_base = LOGIN_PATH.rstrip("/")
    default_view = "login"

    @expose("/", methods=["GET", "POST"])
    def login(self) -> Response | str | tuple[str, int]:
        if request.method == "POST":
            return self._submit(request.form)
        after = _after_login(request.args)
        if g.actor is not None:
            return redirect(after)
        return _at_the_door(_login_page(after, note=_why_ended()))

    def _submit(self, typed: Mapping[str, str]) -> Response | tuple[str, int]:
        name, after = typed.get("username", ""), _after_login(typed)
        found = logins.sign_in(db.session(), name, typed.get("password", ""), login_rules())
        if found is None:
            page = _login_page(after, name[:LONGEST_NAME], complaint=refusal())
            return _at_the_door(page), 422
        if found.owes_code:
            security.ask_for_code(found.user, after)
            return redirect(CODE_PATH)
        security.start_session(found.user)
        return redirect(after)

    @expose("/code", methods=["GET", "POST"])
    def code(self) -> Response | str | tuple[str, int]:
        """The second step: only for whoever has just taken the first."""
        half = security.half_in()
        if half is None:
            return redirect("/")
        if half.is_late:
            security.close_session("late")
            return redirect(security.login_url(half.after))
        if request.method == "GET":
            return render_template("login.html", page=_code_page())
        user = logins.finish_sign_in(db.session(), half.key, request.form.get("code", ""), login_rules())
        if user is None:
            page = _code_page(complaint=_refusal(_("验证码")))
            return render_template("login.html", page=page), 422
        security.start_session(user)
        _warn_of_few_codes(second_factor.codes_left(user))
        return redirect(half.after)


def _at_the_door(page: FormPage) -> str:
    return render_template(
        "login.html", page=page, notices=[one for more in SAID_AT_THE_DOOR for one in more()]
    )


def _warn_of_few_codes(left: int) -> None:
    if left <= FEW_CODES:
        flash(_("恢复码只剩%(n)s个。请到“个人设置”中更换恢复码，并妥善保管。", n=left), "warning")


def _after_login(words: Mapping[str, str]) -> str:
    path = local_path(words.get("next"))
    return "/" if path.startswith((LOGIN_PATH.rstrip("/"), LOGOUT_PATH.rstrip("/"))) else path


def _why_ended() -> str | None:
    """Why one has to come in again, and what became of what one had typed."""
    told = (_reason(session.pop("ended", "")), _(security.KEPT_LATE) if session.pop("kept", False) else None)
    return sentences(filter(None, told)) or None


def _reason(why: str) -> str | None:
    minutes = int(login_rules().idle_after.total_seconds()) // 60
    return {
        "idle": _(
            "您已有%(n)s分钟没有操作，为保护学生信息，系统已退出登录。重新登录后将回到刚才的页面。", n=minutes
        ),
        "elsewhere": _(
            "您的登录已失效：密码或两步登录已修改，在别处退出了这里的登录，或账号的状态有变化。请重新登录。"
        ),
        "late": _(
            "验证码没有在%(n)s分钟内填写。请重新填写账号和密码。", n=security.CODE_WITHIN_SECONDS // 60
        ),
        "password": _("密码连续输错次数过多，账号已锁定。请在锁定时间过后重新登录，或联系管理员解锁。"),
    }.get(why)


def _login_page(after: str, name: str = "", *, complaint: str = "", note: str | None = None) -> FormPage:
    inputs = (
        Input("username", _("账号"), "text", name, required=True, maxlength=LONGEST_NAME),
        Input("password", _("密码"), "password", required=True, maxlength=logins.LONGEST_PASSWORD),
    )
    return FormPage(
        title=_("登录"),
        crumbs=[],
        sections=[FormSection("", inputs)],
        submit_label=_("登录"),
        action_url=LOGIN_PATH,
        hidden=[("next", after)] if after != "/" else [],
        complaints=[("", "", complaint)] if complaint else [],
        note=note,
    )


def _code_page(complaint: str = "") -> FormPage:
    code = Input("code", _("验证码"), "code", required=True, maxlength=second_factor.LONGEST_TYPED)
    return FormPage(
        title=_("两步登录"),
        crumbs=[],
        sections=[FormSection("", (code,))],
        submit_label=_("登录"),
        cancel_url=LOGIN_PATH,
        action_url=CODE_PATH,
        complaints=[("", "", complaint)] if complaint else [],
        note=_("请输入手机验证程序当前显示的6位数字；手机不在身边的，可以输入一个恢复码。"),
    )


class LogoutView(BaseView):
    """退出登录。"""

    route_base = LOGOUT_PATH.rstrip("/")
    default_view = "logout"

    @expose("/", methods=["POST"])
    def logout(self) -> Response:
        with saving.work() as work:
            sessions.end(work.session, session["sid"])
        security.close_session()
        return redirect(LOGIN_PATH)


Card = tuple[str, str, str | None, Tone | None]
"""Label, number, address, tone."""


@dataclass(frozen=True, slots=True)
class Said:
    """A notice as people read it. `by_whom`: which bureau; `since`: a day."""

    title: str
    text: str
    by_whom: str
    since: str
    phone: str = ""
    url: str | None = None
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    text: str
    url: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """`hide_url` is posted to by whoever wants to see it no more."""

    steps: tuple[Step, ...]
    hide_url: str

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)


@dataclass(frozen=True, slots=True)
class Glance:
    """Some pictures of what the page at `url` tells whole."""

    title: str
    url: str
    charts: Sequence[Chart]


@dataclass
class Home:
    greeting: str
    cards: list[Card]
    notices: list[Said]
    checklists: list[Checklist]
    glances: list[Glance]
    notices_url: str | None = None  # all of them


CARDS: list[Callable[[Actor], Iterable[Card]]] = []
"""What pages written by hand want to show on the first page."""

SAID_AT_HOME: list[Callable[[Actor], Iterable[Said]]] = []
SAID_AT_THE_DOOR: list[Callable[[], Iterable[Said]]] = []
CHECKLISTS: list[Callable[[Actor], Checklist | None]] = []
GLANCES: list[Callable[[Actor], Iterable[Glance]]] = []
"""What areas hand in beside the numbers."""


class HomeView(IndexView):
    """首页。"""

    @expose("/")
    def index(self) -> str:
        by = security.current_actor()
        home = Home(
            _("%(name)s，您好", name=by.name),
            cards=[card for more in (_password_card, *CARDS) for card in more(by)],
            notices=[one for more in SAID_AT_HOME for one in more(by)],
            checklists=[found for ask in CHECKLISTS if (found := ask(by)) is not None],
            glances=[one for more in GLANCES for one in more(by)],
            notices_url="/notices/list/" if by.has("notice:list") else None,
        )
        return render_template("home.html", home=home)


def _password_card(by: Actor) -> Iterable[Card]:
    """Warned some days ahead, so that nobody is stopped in the middle of registration week."""
    ends = logins.password_ends(g.user, login_rules())
    left = ends - datetime.now(UTC) if ends else None
    if left is not None and left <= current_app.config["PASSWORD_WARN"]:
        days = max(left.days, 0)
        yield _("密码即将到期，请及时修改"), _("%(n)s天", n=days), PASSWORD_PATH, "warn"


# --- programs -----------------------------------------------------------------------------------------


class TokenApi(BaseApi):
    """Trades account and password for a token. There are no refresh tokens: a token lives as long as it lives."""

    resource_name = "security"
    openapi_spec_tag = "Security"
    allowed = frozenset(
        {"username", "password", "code", "provider", "refresh"}
    )  # the last two: what FAB's clients send

    def add_apispec_components(self, api_spec: Any) -> None:
        super().add_apispec_components(api_spec)
        api_spec.components.security_scheme(
            "jwt", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        )

    @expose("/login", methods=["POST"])
    def login(self) -> Response:
        """Token login
        ---
        post:
          description: >-
            Trade account and password for a bearer token. Accounts with the second step of login on send its code
            along.
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [username, password]
                  properties:
                    username:
                      type: string
                    password:
                      type: string
                    code:
                      type: string
          responses:
            200:
              description: The token and its life in seconds
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token:
                        type: string
                      expires_in:
                        type: integer
            400:
              $ref: '#/components/responses/400'
            401:
              $ref: '#/components/responses/401'
        """
        name, password, code = self._read()
        found = logins.sign_in(db.session(), name, password, login_rules(), code)
        if found is None:
            sentence = sentences((refusal(), _("开启了两步登录的账号，须在code中一并提交验证码。")))
            return answer(401, "unauthorized", sentence)
        user = found.user
        if duty := security.duty_of(user, second_factor.is_due(db.session(), user)):
            raise Denied(duty.sentence)
        life = current_app.config["JWT_ACCESS_TOKEN_EXPIRES"]
        token = create_access_token(str(user.id), additional_claims={"epoch": user.epoch})
        return as_json({"access_token": token, "expires_in": int(life.total_seconds())})

    def _read(self) -> tuple[str, str, str]:
        words = _json_words()
        name, password, code = words.get("username"), words.get("password"), words.get("code", "")
        if set(words) - self.allowed or not all(isinstance(one, str) for one in (name, password, code)):
            raise Unfit(
                400,
                _("请以JSON提交账号username和密码password，开启两步登录的再加验证码code，不要带其他项。"),
            )
        return str(name), str(password), str(code)
