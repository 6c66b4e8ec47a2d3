"""The own account → the view models of its pages. Which address shows what is in `own_pages`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import segno
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, devices, grant_page_models, own
from app.areas.people.grant_finding import Whose
from app.areas.people.page_models import (
    Complaints,
    Typed,
    account_items,
    errors_of,
    form,
    moment,
    shown_once,
    state_cell,
    text_input,
    unit_name,
    username_input,
)
from app.core import logins, second_factor, sessions
from app.core.fields import Flag, Text
from app.core.sessions import LoginSession
from app.core.wording import listed
from app.surfaces.security import FACTOR_PATH, PASSWORD_PATH, SETTINGS_PATH
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Crumb,
    DetailPage,
    DetailSection,
    FormPage,
    FormSection,
    Input,
    Item,
    Picture,
    RelatedTable,
    Row,
)

EDIT_PATH = "/account/edit"
FACTOR_OFF_PATH = "/account/second-factor/off"
RENEW_CODES_PATH, CODES_PATH = "/account/second-factor/renew", "/account/second-factor/codes"
END_SESSION_PATH, END_OTHERS_PATH = "/account/sessions/end", "/account/sessions/end-others"
QR_SCALE = 4  # pixels for a module: about 5 cm on a desk's screen
GROUP = 4  # letters of the secret between blanks


def own_crumbs(*more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("个人设置"), SETTINGS_PATH), *more]


# --- the page -----------------------------------------------------------------------------------------


def own_page(session: Session, user: User, sid: str, idle_after: timedelta) -> DetailPage:
    """The own account: what one may change, where one is logged in, and what one was granted by whom."""
    open_ones = sessions.open_ones(session, user.id, idle_after)
    return DetailPage(
        title=user.first_name,
        crumbs=own_crumbs(),
        sections=[DetailSection(_("账号"), (*account_items(session, user), *_own_items(user)))],
        subtitle=unit_name(session, user),
        badges=[state_cell(user)],
        actions=list(_actions(user)),
        related=[_sessions(open_ones, sessions.hash_of(sid)), grant_page_models.person_table(session, user)],
    )


def _own_items(user: User) -> Iterator[Item]:
    shared = [(_("联系电话"), user.shares_phone), (_("QQ"), user.shares_qq)]
    names = listed(label for label, is_shared in shared if is_shared)
    yield Item(_("通讯录中公开"), Cell(names or _("不公开")))
    if second_factor.is_on(user):
        left = second_factor.codes_left(user)
        yield Item(_("未用的恢复码"), Cell(_("%(n)s个", n=left), tone="warn" if left == 0 else None))


def _actions(user: User) -> Iterator[Action]:
    yield Action(_("修改"), EDIT_PATH, icon="pencil", style="primary")
    yield Action(_("修改密码"), PASSWORD_PATH, icon="key")
    yield Action(_("我给出的授权"), grant_page_models.PATHS[Whose.GIVEN], icon="send")
    if second_factor.is_on(user):
        yield Action(_("更换恢复码"), RENEW_CODES_PATH, icon="arrow-counterclockwise")
        yield Action(_("关闭两步登录"), FACTOR_OFF_PATH, style="danger", icon="unlock")
    else:
        yield Action(_("开启两步登录"), FACTOR_PATH, icon="shield-check")


def _sessions(open_ones: Sequence[LoginSession], own_sid: str) -> RelatedTable:
    columns = (_("设备"), _("地址"), _("登录时间"), _("最近活动"), _("状态"))
    has_others = any(one.sid != own_sid for one in open_ones)
    end = Action(_("退出其他登录"), END_OTHERS_PATH, "post", "danger", "box-arrow-right")
    return RelatedTable(
        _("我的登录"),
        columns,
        tuple(_session_row(one, one.sid == own_sid) for one in open_ones),
        add=end if has_others else None,
    )


def _session_row(one: LoginSession, is_own: bool) -> Row:
    cells = (
        Cell(devices.in_words(one.device)),
        Cell(one.address),
        Cell(moment(one.started_at)),
        Cell(moment(one.seen_at)),
        Cell(_("本次登录"), tone="good") if is_own else Cell(_("其他登录")),
    )
    end = Action(_("退出"), f"{END_SESSION_PATH}/{one.id}", "post", "danger")
    return Row(one.id, None, cells, () if is_own else (end,))


# --- settings and password ----------------------------------------------------------------------------


def settings_page(user: User, typed: Typed, complaints: Complaints) -> FormPage:
    about = tuple(_account_inputs(user, typed, complaints))
    reach = tuple(_reach_inputs(typed, complaints))
    page = form(
        _("修改个人设置"),
        own_crumbs(Crumb(_("修改"))),
        about + reach,
        complaints,
        action=EDIT_PATH,
        cancel=SETTINGS_PATH,
        keeps_draft=True,
    )
    page.sections = [FormSection(_("账号"), about), FormSection(_("联系方式"), reach)]
    return page


def _account_inputs(user: User, typed: Typed, complaints: Complaints) -> Iterator[Input]:
    why = _("姓名用于操作记录的署名，由管理员修改。")
    yield Input("name", _(accounts.NAME.label), "text", user.first_name, locked=why)
    yield username_input(typed, complaints, _("修改后用新账号登录，原账号为您保留。"))
    if len(own.languages()) > 1:
        options = tuple(own.languages().items())
        errors = errors_of(complaints, "language")
        yield Input(
            "language",
            _("语言"),
            "select",
            typed.get("language", ""),
            options,
            errors=errors,
            names_languages=True,
        )


def _reach_inputs(typed: Typed, complaints: Complaints) -> Iterator[Input]:
    for name in accounts.OWN:
        field = accounts.ABOUT[name]
        if isinstance(field, Text):
            yield text_input(name, field, typed, complaints)
        elif isinstance(field, Flag):
            yield _flag_input(name, field, typed, complaints)


def _flag_input(name: str, field: Flag, typed: Typed, complaints: Complaints) -> Input:
    help_, errors = _("供本省其他学校和主管部门的同行查阅。"), errors_of(complaints, name)
    no_first = field.options()[::-1]
    return Input(name, _(field.label), "select", typed.get(name, ""), no_first, help=help_, errors=errors)


PASSWORD_INPUTS = ("old_password", "new_password", "again")


def password_page(must_change: bool, complaints: Complaints) -> FormPage:
    labels = (_("原密码"), _("新密码"), _("再次填写新密码"))
    rules = _(
        "至少10个字符，含大写字母、小写字母、数字和符号，不含账号和姓名，不与最近%(n)s次用过的密码相同。",
        n=logins.PASSWORDS_REMEMBERED,
    )
    inputs = [
        _password_input(name, label, complaints, rules if name == "new_password" else "")
        for name, label in zip(PASSWORD_INPUTS, labels, strict=True)
    ]
    return form(
        _("修改密码"),
        own_crumbs(Crumb(_("修改密码"))),
        inputs,
        complaints,
        action=PASSWORD_PATH,
        cancel="" if must_change else SETTINGS_PATH,
        submit_label=_("修改密码"),
        note=_("您使用的是一次性密码，或密码已到期。请先修改密码，再办理业务。")
        if must_change
        else _("修改后，您在其他设备上的登录都会退出。"),
    )


def _password_input(name: str, label: str, complaints: Complaints, help_: str = "") -> Input:
    return Input(
        name,
        label,
        "password",
        required=True,
        help=help_,
        errors=errors_of(complaints, name),
        maxlength=logins.LONGEST_PASSWORD,
    )


# --- the second step of login -------------------------------------------------------------------------


def factor_page(user: User, secret: str, is_due: bool, complaints: Complaints) -> FormPage:
    """The picture to scan, the same as text, and the box for the first code."""
    address = second_factor.address_of(user, secret)
    picture = Picture(segno.make(address).svg_data_uri(scale=QR_SCALE, light="#fff"), _("两步登录的二维码"))
    code_help = _("扫描后，程序每30秒显示一个6位数字。输入当前的数字，确认手机已设置好。")
    inputs = (
        Input(
            "secret",
            _("密钥"),
            "readonly",
            " ".join(secret[n : n + GROUP] for n in range(0, len(secret), GROUP)),
            help=_("不能扫描的，在程序中选择“手动输入密钥”，类型选“基于时间”。"),
            wide=True,
        ),
        _code_input(complaints, code_help),
    )
    page = form(
        _("开启两步登录"),
        own_crumbs(Crumb(_("开启两步登录"))),
        inputs,
        complaints,
        action=FACTOR_PATH,
        cancel="" if is_due else SETTINGS_PATH,
        submit_label=_("开启两步登录"),
        note=_("按主管部门的规定，您担任的角色须两步登录。请先开启，再办理业务。") if is_due else _advice(),
    )
    page.sections = [FormSection(_("用手机上的验证程序扫描"), inputs, picture=picture)]
    return page


def _advice() -> str:
    return _(
        "开启后，登录时除密码外，还须输入手机验证程序显示的数字（支持TOTP的程序都可以用）。您在其他设备上的登录都会退出。"
    )


def _code_input(complaints: Complaints, help_: str) -> Input:
    return Input(
        "code",
        _("验证码"),
        "code",
        required=True,
        help=help_,
        errors=errors_of(complaints, "code"),
        maxlength=second_factor.LONGEST_TYPED,
    )


def _proof_inputs(complaints: Complaints) -> list[Input]:
    help_ = _("验证程序当前显示的6位数字，或一个未用过的恢复码。")
    return [_password_input("old_password", _("密码"), complaints), _code_input(complaints, help_)]


def factor_off_page(complaints: Complaints) -> FormPage:
    return form(
        _("关闭两步登录"),
        own_crumbs(Crumb(_("关闭两步登录"))),
        _proof_inputs(complaints),
        complaints,
        action=FACTOR_OFF_PATH,
        cancel=SETTINGS_PATH,
        submit_label=_("关闭两步登录"),
        note=_("关闭后，只凭密码即可登录；恢复码一并作废。换手机的，请先关闭，再用新手机开启。"),
    )


def renew_codes_page(complaints: Complaints) -> FormPage:
    return form(
        _("更换恢复码"),
        own_crumbs(Crumb(_("更换恢复码"))),
        _proof_inputs(complaints),
        complaints,
        action=RENEW_CODES_PATH,
        cancel=SETTINGS_PATH,
        submit_label=_("更换恢复码"),
        note=_("更换后，原来的恢复码全部作废。"),
    )


def codes_page(user: User, codes: Iterable[str]) -> DetailPage:
    """The recovery codes, the only time that they are shown."""
    advice = _(
        "请打印或抄下，与手机分开保管。手机不在身边时，用一个恢复码代替验证码登录，每个只能用一次。离开本页后不再显示，遗失的请更换恢复码。"
    )
    items = [Item(_("恢复码%(n)s", n=n), Cell(code)) for n, code in enumerate(codes, start=1)]
    return DetailPage(
        title=_("恢复码"),
        crumbs=own_crumbs(Crumb(_("恢复码"))),
        subtitle=_("账号：%(name)s", name=user.username),
        sections=[shown_once(_("请保管好（只显示这一次）"), items, advice)],
        actions=[
            Action(_("打印"), "#print", icon="printer"),
            Action(_("我已保管好"), SETTINGS_PATH, style="primary"),
        ],
    )
