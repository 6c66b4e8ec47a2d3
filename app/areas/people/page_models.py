"""People → the view models of lists, details and forms. Which address shows what is in `pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import ABOUT, NAME, PHONE, home_of
from app.areas.people.directory import STATES, State, state_of
from app.core import logins, second_factor, viewing
from app.core.errors import Invalid
from app.core.fields import HERE, Day, Text, Unreadable
from app.core.rights import Actor
from app.core.wording import about
from app.surfaces import lookups
from app.surfaces.forms import ALWAYS_POSTED, FEW, unknown
from app.surfaces.security import login_rules
from app.surfaces.viewmodels import (
    Action,
    Cell,
    ConfirmPage,
    Conflict,
    ConflictLine,
    Crumb,
    DetailPage,
    DetailSection,
    FormPage,
    FormSection,
    Input,
    Item,
    Tone,
)

LIST_PATH = "/people/list/"
UNTIL = Day(label="截止日期")
Typed = Mapping[str, str]
Complaints = Sequence[tuple[str, str]]


def show_path(user_id: int) -> str:
    return f"/people/show/{user_id}"


def edit_path(user_id: int) -> str:
    return f"/people/edit/{user_id}"


def crumbs(by: Actor, *more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("用户管理"), LIST_PATH if by.has("person:list") else None), *more]


def moment(value: datetime | None) -> str:
    """Flask-AppBuilder's own columns are naive, in the time of the machine."""
    return value.astimezone(HERE).strftime("%Y-%m-%d %H:%M") if value else ""


TONES: Mapping[State, Tone] = {
    State.NORMAL: "good",
    State.WAITING: "warn",
    State.LOCKED: "bad",
    State.SUSPENDED: "neutral",
    State.LEFT: "neutral",
}


def state_cell(user: User) -> Cell:
    state = state_of(user, datetime.now(UTC))
    return Cell(_(STATES[state]), tone=TONES[state])


# --- one person ---------------------------------------------------------------------------------------


def show_page(session: Session, by: Actor, user: User, one_time: str | None) -> DetailPage:
    sections = [_one_time(user, one_time)] if one_time else []
    return DetailPage(
        title=user.first_name,
        crumbs=crumbs(by, Crumb(user.first_name)),
        sections=[*sections, DetailSection(_("账号"), tuple(account_items(session, user)))],
        subtitle=unit_name(session, user),
        badges=list(_badges(user)),
        actions=list(_actions(session, by, user)),
    )


def unit_name(session: Session, user: User) -> str:
    return granting.unit_names(session, [user])[user.id]


def _badges(user: User) -> Iterator[Cell]:
    yield state_cell(user)
    if not user.must_change_password and logins.must_change_password(user, login_rules(), datetime.now(UTC)):
        yield Cell(_("密码已到期"), tone="warn")


def _one_time(user: User, one_time: str) -> DetailSection:
    advice = _(
        "请当面或电话告知本人，不要用即时通信群发。首次登录时须修改；离开本页后不再显示，遗失的请重置密码。"
    )
    items = [Item(_("账号"), Cell(user.username)), Item(_("一次性密码"), Cell(one_time))]
    return shown_once(_("一次性密码（只显示这一次）"), items, advice)


def shown_once(title: str, items: Sequence[Item], advice: str) -> DetailSection:
    """What leaves the screen for good, and what to do with it."""
    return DetailSection(title, (*items, Item(_("说明"), Cell(advice, wide=True))))


def account_items(session: Session, user: User) -> Iterator[Item]:
    yield Item(_("账号"), Cell(user.username))
    yield Item(_("单位"), Cell(unit_name(session, user)))
    for name, text in accounts.reached_at(user).items():
        yield Item(_(ABOUT[name].label), Cell(text))
    yield Item(_("上次登录"), Cell(moment(user.last_login) or _("从未登录")))
    yield Item(_("密码修改时间"), Cell(moment(user.password_set_at)))
    since = user.totp_since
    yield Item(_("两步登录"), Cell(_("%(when)s开启", when=moment(since)) if since else _("未开启")))
    if user.left_on:
        yield Item(_("离任日期"), Cell(user.left_on.isoformat()))
        yield Item(_("说明"), Cell(_("离任时收回的授权，重新启用后不会恢复，需要的请重新授权。"), wide=True))
    if logins.is_locked(user, datetime.now(UTC)):
        yield Item(_("锁定至"), Cell(moment(user.locked_until), tone="bad"))


def _actions(session: Session, by: Actor, user: User) -> Iterator[Action]:
    home = home_of(user)
    if accounts.may(session, by, "grant:add", home):
        own = _("不能给自己授权。请由上一级管理员办理。") if by.id == user.id else None
        yield Action(_("授权"), f"/grants/add/{user.id}", style="primary", icon="shield-check", refused=own)
    if not accounts.may(session, by, "person:edit", home):
        return
    if logins.is_locked(user, datetime.now(UTC)):
        yield Action(_("解锁"), f"/people/unlock/{user.id}", "post", icon="unlock")
    if by.has(viewing.RIGHT) and by.id != user.id:
        refused = str(viewing.may_look_as(session, by, user)) or None
        yield Action(_("以其视角查看"), f"/people/look/{user.id}", "post", icon="eye", refused=refused)
    verdict = accounts.power_over(session, by, user)
    why = None if verdict else str(verdict)
    yield Action(_("修改姓名电话"), edit_path(user.id), icon="pencil", refused=why)
    yield Action(_("重置密码"), f"/people/reset/{user.id}", icon="key", refused=why)
    if not user.left_on:
        yield Action(_("移交"), f"/people/hand-over/{user.id}", icon="arrow-left-right", refused=why)
        yield Action(_("离任办理"), f"/people/depart/{user.id}", icon="box-arrow-right", refused=why)
    if second_factor.is_on(user):
        yield Action(_("解除两步登录"), f"/people/second-factor/{user.id}", icon="unlock", refused=why)
    if user.active:
        yield Action(_("停用账号"), f"/people/suspend/{user.id}", "post", "danger", "lock", refused=why)
    else:
        yield Action(_("启用账号"), f"/people/resume/{user.id}", "post", icon="unlock", refused=why)


# --- forms --------------------------------------------------------------------------------------------


def form(
    title: str,
    trail: list[Crumb],
    inputs: Sequence[Input],
    complaints: Complaints,
    *,
    action: str,
    cancel: str,
    **words: Any,
) -> FormPage:
    labels = {one.name: one.label for one in inputs}
    return FormPage(
        title=title,
        crumbs=trail,
        sections=[FormSection(words.pop("section", title), tuple(inputs))],
        action_url=action,
        cancel_url=cancel,
        complaints=[(n if n in labels else "", labels.get(n, ""), sentence) for n, sentence in complaints],
        **words,
    )


def errors_of(complaints: Complaints, name: str) -> tuple[str, ...]:
    return tuple(sentence for given, sentence in complaints if given == name)


def text_input(name: str, field: Text, typed: Typed, complaints: Complaints, **words: Any) -> Input:
    return Input(
        name,
        _(field.label),
        "text",
        typed.get(name, ""),
        required=field.required,
        errors=errors_of(complaints, name),
        maxlength=field.length,
        **words,
    )


def select_input(
    name: str,
    label: str,
    options: Sequence[tuple[int, str]],
    empty: str,
    typed: Typed,
    complaints: Complaints,
    **words: Any,
) -> Input:
    choices = (("", empty), *((str(id_), text) for id_, text in options))
    return Input(
        name, label, "select", typed.get(name, ""), choices, errors=errors_of(complaints, name), **words
    )


def choice_input(
    session: Session,
    by: Actor,
    table: str,
    name: str,
    label: str,
    choices: Sequence[tuple[int, str]],
    empty: str,
    typed: Typed,
    complaints: Complaints,
    **words: Any,
) -> Input:
    """A select where there are few to choose from, else a look-up in `table`."""
    if len(choices) <= FEW:
        return select_input(name, label, choices, empty, typed, complaints, **words)
    raw = typed.get(name, "")
    return Input(
        name,
        label,
        "lookup",
        raw,
        errors=errors_of(complaints, name),
        lookup_url=f"/lookup/{table}",
        lookup_label=lookups.label_of(session, by, table, raw) if raw else "",
        **words,
    )


def until_input(typed: Typed, complaints: Complaints) -> Input:
    help_ = _("到这一天为止；长期有效的请留空。")
    return Input(
        "until",
        _(UNTIL.label),
        "day",
        typed.get("until", ""),
        help=help_,
        errors=errors_of(complaints, "until"),
    )


def refuse_strays(typed: Typed, inputs: Sequence[Input]) -> None:
    """Junk is refused, not ignored, and so is what the page only shows. Raises Invalid."""
    asked = {one.name for one in inputs if one.locked is None and one.widget != "readonly"}
    known = asked | set(ALWAYS_POSTED)
    strays = [("", unknown(name)) for name in typed if name.removesuffix("__text") not in known]
    if strays:
        raise Invalid(strays)


def read_id(typed: Typed, name: str) -> int | None:
    """The id of a choice. What is no number is no choice either, and refused by whoever looks it up."""
    raw = typed.get(name, "").strip()
    if not raw:
        return None
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 18 else 0


def read_cursor(words: Typed, name: str) -> int | None:
    """Raises Invalid for what is no number."""
    found = read_id(words, name)
    if found == 0:
        raise Invalid(_("翻页的位置无法识别。请返回列表，使用页面上的翻页。"))
    return found


def read_search(words: Typed) -> str:
    """What the list is searched for. Raises Invalid for words that this list does not know."""
    q = words.get("q", "").strip()
    if len(q) > 50 or "\0" in q:
        raise Invalid([("q", _("查询内容最多50个字，且不能含有特殊字符。请缩短后再查。"))])
    if set(words) - {"q", "after", "before"}:
        raise Invalid(_("地址中有这个列表不认识的条件。请返回列表，使用页面上的查询和翻页。"))
    return q


def read_day(typed: Typed) -> date | None:
    """Raises Invalid."""
    try:
        day: date | None = UNTIL.parse(typed.get("until"))
        return day
    except Unreadable as reason:
        raise Invalid([("until", about(_(UNTIL.label), reason))]) from None


# --- opening an account -------------------------------------------------------------------------------


def username_input(typed: Typed, complaints: Complaints, then: str) -> Input:
    """`then`: what may become of it later."""
    return Input(
        "username",
        _("账号"),
        "text",
        typed.get("username", ""),
        required=True,
        help=_("以字母开头，2到32个小写字母、数字、点或横线。%(then)s", then=then),
        errors=errors_of(complaints, "username"),
        maxlength=32,
    )


def add_inputs(
    session: Session, by: Actor, roles: Sequence[Role], typed: Typed, complaints: Complaints
) -> list[Input]:
    inputs = [
        username_input(typed, complaints, _("本人可以修改。")),
        text_input("name", NAME, typed, complaints),
        text_input("phone", PHONE, typed, complaints),
    ]
    if by.is_of_bureau:
        inputs.append(_school_input(session, by, typed, complaints))
    label, empty = _("同时授予角色"), _("暂不授予")
    help_ = _("班主任等只管部分班级的角色，请在开通后到“授权”中选择班级。")
    choices = [(role.id, role.title) for role in roles]
    inputs.append(select_input("role_id", label, choices, empty, typed, complaints, help=help_))
    inputs.append(until_input(typed, complaints))
    return inputs


def _school_input(session: Session, by: Actor, typed: Typed, complaints: Complaints) -> Input:
    choices = lookups.suggest(session, by, "school", "", FEW + 1)
    words = (_("所属学校"), choices, _("主管部门"), typed, complaints)
    return choice_input(session, by, "school", "school_id", *words, help=_("主管部门自己的人员请留空。"))


def add_page(by: Actor, inputs: Sequence[Input], complaints: Complaints) -> FormPage:
    return form(
        _("开通账号"),
        crumbs(by, Crumb(_("开通账号"))),
        inputs,
        complaints,
        action="/people/add",
        cancel=LIST_PATH,
        submit_label=_("开通账号"),
        note=_("开通后显示一次性密码，请告知本人。本人首次登录时须修改密码。"),
        keeps_draft=True,
    )


# --- name and phone -----------------------------------------------------------------------------------


def name_inputs(typed: Typed, complaints: Complaints) -> list[Input]:
    return [text_input(name, one, typed, complaints) for name, one in (("name", NAME), ("phone", PHONE))]


def edit_page(
    by: Actor,
    user: User,
    typed: Typed,
    complaints: Complaints,
    conflict: Conflict | None = None,
) -> FormPage:
    return form(
        _("修改%(name)s的姓名和电话", name=user.first_name),
        crumbs(by, Crumb(user.first_name, show_path(user.id)), Crumb(_("修改"))),
        name_inputs(typed, complaints),
        complaints,
        action=edit_path(user.id),
        cancel=show_path(user.id),
        section=_("账号%(name)s", name=user.username),
        note=_(
            "姓名会写入每一条操作记录，请与身份证件一致。姓名和电话都相同的视为同一人，一人只开一个账号。"
        ),
        hidden=[("version", str(accounts.version_of(user)))],
        keeps_draft=True,
        conflict=conflict,
    )


def overtaken(user: User, typed: Typed, sentence: str) -> Conflict:
    """What somebody else saved meanwhile beside what was typed."""
    now = accounts.named(user)
    lines = [ConflictLine(_(ABOUT[n].label), "", now[n], typed.get(n, "")) for n in accounts.NAMED]
    return Conflict(sentence, tuple(line for line in lines if line.theirs != line.mine))


# --- resetting ----------------------------------------------------------------------------------------


def reset_page(by: Actor, user: User) -> ConfirmPage:
    name = user.first_name
    return ConfirmPage(
        title=_("重置%(name)s的密码", name=name),
        crumbs=crumbs(by, Crumb(name, show_path(user.id)), Crumb(_("重置密码"))),
        sentence=_("将为%(name)s生成一次性密码，原密码随即失效，本人在各处的登录都会退出。", name=name),
        goes_with=[],
        submit_label=_("确认重置密码"),
        cancel_url=show_path(user.id),
        action_url=f"/people/reset/{user.id}",
    )


def factor_off_page(by: Actor, user: User) -> ConfirmPage:
    name = user.first_name
    return ConfirmPage(
        title=_("解除%(name)s的两步登录", name=name),
        crumbs=crumbs(by, Crumb(name, show_path(user.id)), Crumb(_("解除两步登录"))),
        sentence=_(
            "用于%(name)s丢失手机和恢复码的情形，请先核实确是本人。解除后只凭密码即可登录，本人在各处的登录都会退出。",
            name=name,
        ),
        goes_with=[],
        submit_label=_("确认解除两步登录"),
        cancel_url=show_path(user.id),
        action_url=f"/people/second-factor/{user.id}",
    )
