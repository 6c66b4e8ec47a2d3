"""People → the view models of lists, details and forms. Which address shows what is in `pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import NAME, PHONE, SETTINGS, Home, People, home_of
from app.areas.schools.models import Grade, SchoolClass
from app.core import grants, logins
from app.core.errors import Invalid
from app.core.fields import HERE, Day, Text, Unreadable
from app.core.rights import Actor, Grant
from app.surfaces import lookups
from app.surfaces.forms import FEW, unknown
from app.surfaces.listing import COUNT_CAP, count_text
from app.surfaces.security import PASSWORD_PATH, SETTINGS_PATH, login_rules
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Column,
    ConfirmPage,
    Crumb,
    DetailPage,
    DetailSection,
    FormPage,
    FormSection,
    Input,
    Item,
    ListPage,
    RelatedTable,
    Row,
)

LIST_PATH = "/people/list/"
UNTIL = Day(label="截止日期")
NOT_ASKED = ("csrf_token", "next")
Typed = Mapping[str, str]
Complaints = Sequence[tuple[str, str]]


def show_path(user_id: int) -> str:
    return f"/people/show/{user_id}"


def crumbs(by: Actor, *more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("用户管理"), LIST_PATH if by.has("person:list") else None), *more]


def moment(value: datetime | None) -> str:
    return value.astimezone(HERE).strftime("%Y-%m-%d %H:%M") if value else ""


# --- the list -----------------------------------------------------------------------------------------


def list_page(session: Session, by: Actor, q: str, shown: People) -> ListPage:
    units, roles = granting.unit_names(session, shown.found), _roles_of(session, shown.found)
    labels = (_("姓名"), _("账号"), _("单位"), _("角色"), _("状态"))
    names = ("first_name", "username", "unit", "roles", "state")
    can_show = by.has("person:show")
    return ListPage(
        title=_("用户管理"),
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("用户管理"))],
        columns=[Column(name, label) for name, label in zip(names, labels, strict=True)],
        rows=[_row(user, units, roles, can_show) for user in shown.found],
        count=count_text(accounts.count_people(session, by, q, COUNT_CAP)),
        search=q,
        search_hint=_("姓名，或账号的开头"),
        reset_url=LIST_PATH,
        first_url=_list_url(q) if shown.has_previous else None,
        previous_url=_list_url(q, before=shown.found[0].id) if shown.has_previous and shown.found else None,
        next_url=_list_url(q, after=shown.found[-1].id) if shown.has_next and shown.found else None,
        actions=[Action(_("开通账号"), "/people/add", style="primary", icon="person-plus")]
        if by.has("person:add")
        else [],
        empty_title=_("没有符合条件的人员") if q else _("还没有人员"),
        empty_hint=_("请核对姓名或账号，或点击“重置”查看全部。") if q else _("点击“开通账号”添加。"),
    )


def _list_url(q: str, **words: int) -> str:
    asked = ({"q": q} if q else {}) | words
    return f"{LIST_PATH}?{urlencode(asked)}" if asked else LIST_PATH


def _roles_of(session: Session, users: Sequence[User]) -> dict[int, list[str]]:
    """Account id → labels of the roles in use now."""
    now = datetime.now(UTC)
    query = (
        sa.select(Grant.person_id, Role.label)
        .join(Role, Role.id == Grant.role_id)
        .where(
            Grant.person_id.in_([user.id for user in users]),
            Grant.usable,
            Grant.withdrawn_at.is_(None),
            Grant.starts_at <= now,
            sa.or_(Grant.until.is_(None), Grant.until > now),
        )
        .order_by(Grant.id)
    )
    found: dict[int, list[str]] = {}
    for person_id, label in session.execute(query):
        found.setdefault(person_id, []).append(label)
    return found


def _row(user: User, units: Mapping[int, str], roles: Mapping[int, list[str]], can_show: bool) -> Row:
    url = show_path(user.id) if can_show else None
    cells = (
        Cell(user.first_name, url=url),
        Cell(user.username),
        Cell(units[user.id]),
        Cell("、".join(dict.fromkeys(roles.get(user.id, ())))),
        state_cell(user),
    )
    return Row(user.id, url, cells)


def state_cell(user: User) -> Cell:
    now = datetime.now(UTC)
    if not user.active:
        return Cell(_("已停用"), tone="neutral")
    if logins.is_locked(user, now):
        return Cell(_("已锁定"), tone="bad")
    if user.must_change_password:
        return Cell(_("待首次修改密码"), tone="warn")
    if logins.must_change_password(user, login_rules(), now):
        return Cell(_("密码已到期"), tone="warn")
    return Cell(_("正常"), tone="good")


# --- one person ---------------------------------------------------------------------------------------


def show_page(session: Session, by: Actor, user: User, one_time: str | None) -> DetailPage:
    sections = (
        [DetailSection(_("一次性密码（只显示这一次）"), _one_time_items(user, one_time))] if one_time else []
    )
    return DetailPage(
        title=user.first_name,
        crumbs=crumbs(by, Crumb(user.first_name)),
        sections=[*sections, DetailSection(_("账号"), tuple(_items(session, user)))],
        subtitle=granting.unit_names(session, [user])[user.id],
        badges=[state_cell(user)],
        actions=list(_actions(session, by, user)),
        related=[_grants(session, by, user)]
        if accounts.may(session, by, "grant:list", home_of(user))
        else [],
    )


def _one_time_items(user: User, one_time: str) -> tuple[Item, ...]:
    advice = _(
        "请当面或电话告知本人，不要用即时通信群发。首次登录时须修改；离开本页后不再显示，遗失的请重置密码。"
    )
    return (
        Item(_("账号"), Cell(user.username)),
        Item(_("一次性密码"), Cell(one_time)),
        Item(_("说明"), Cell(advice, wide=True)),
    )


def _items(session: Session, user: User) -> Iterator[Item]:
    shown = accounts.settings_of(user)
    yield Item(_("账号"), Cell(user.username))
    yield Item(_("单位"), Cell(granting.unit_names(session, [user])[user.id]))
    for name in ("phone", "qq", "email"):
        yield Item(_(SETTINGS[name].label), Cell(shown[name]))
    yield Item(_("密码修改时间"), Cell(moment(user.password_set_at)))
    if logins.is_locked(user, datetime.now(UTC)):
        yield Item(_("锁定至"), Cell(moment(user.locked_until), tone="bad"))


def _actions(session: Session, by: Actor, user: User) -> Iterator[Action]:
    home = home_of(user)
    if accounts.may(session, by, "grant:add", home):
        own = _("不能给自己授权。请由上一级管理员办理。") if by.id == user.id else None
        yield Action(_("授权"), f"/people/grant/{user.id}", style="primary", icon="shield-check", refused=own)
    if not accounts.may(session, by, "person:edit", home):
        return
    if logins.is_locked(user, datetime.now(UTC)):
        yield Action(_("解锁"), f"/people/unlock/{user.id}", "post", icon="unlock")
    verdict = accounts.power_over(session, by, user)
    why = None if verdict else str(verdict)
    yield Action(_("重置密码"), f"/people/reset/{user.id}", icon="key", refused=why)
    if user.active:
        yield Action(_("停用账号"), f"/people/suspend/{user.id}", "post", "danger", "lock", refused=why)
    else:
        yield Action(_("启用账号"), f"/people/resume/{user.id}", "post", icon="unlock", refused=why)


def _grants(session: Session, by: Actor | None, user: User) -> RelatedTable:
    """The open grants; with `by`, what he may withdraw has its button."""
    columns = (_("角色"), _("范围"), _("用途"), _("开始日期"), _("截止日期"), _("授权人"))
    rows = tuple(_grant_row(session, by, given) for given in grants.held_grants(session, user.id))
    return RelatedTable(_("授权"), columns, rows, empty=_("还没有授权。没有授权的账号登录后看不到任何学生。"))


def _grant_row(session: Session, by: Actor | None, given: Grant) -> Row:
    starts, until = given.starts_at.astimezone(HERE).date(), granting.last_day(given.until)
    cells = (
        Cell(given.role.label),
        Cell(granting.where(session, given)),
        Cell(purpose(given)),
        Cell(starts.isoformat()),
        Cell(until.isoformat() if until else _("长期")),
        Cell(given.giver.first_name if given.giver is not None else _("系统安装时设定")),
    )
    if by is None or not grants.may_take(session, by, given):
        return Row(given.id, None, cells)
    return Row(given.id, None, cells, (Action(_("收回"), f"/people/withdraw/{given.id}", style="danger"),))


def purpose(given: Grant) -> str:
    if given.usable and given.passable:
        return _("使用、转授")
    return _("使用") if given.usable else _("只用于转授")


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
    """Junk is refused, not ignored. Raises Invalid."""
    known = {one.name for one in inputs} | set(NOT_ASKED)
    strays = [("", unknown(name)) for name in typed if name.removesuffix("__text") not in known]
    if strays:
        raise Invalid(strays)


def read_id(typed: Typed, name: str) -> int | None:
    """The id of a choice. What is no number is no choice either, and refused by whoever looks it up."""
    raw = typed.get(name, "").strip()
    if not raw:
        return None
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 18 else 0


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
        raise Invalid([("until", f"“{_(UNTIL.label)}”：{reason}")]) from None


# --- opening an account -------------------------------------------------------------------------------


def add_inputs(
    session: Session, by: Actor, roles: Sequence[Role], typed: Typed, complaints: Complaints
) -> list[Input]:
    username = Input(
        "username",
        _("账号"),
        "text",
        typed.get("username", ""),
        required=True,
        help=_("以字母开头，2到32个小写字母、数字、点或横线。开通后不能修改。"),
        errors=errors_of(complaints, "username"),
        maxlength=32,
    )
    inputs = [
        username,
        text_input("name", NAME, typed, complaints),
        text_input("phone", PHONE, typed, complaints),
    ]
    if by.is_of_bureau:
        inputs.append(_school_input(session, by, typed, complaints))
    label, empty = _("同时授予角色"), _("暂不授予")
    help_ = _("班主任等只管部分班级的角色，请在开通后到“授权”中选择班级。")
    choices = [(role.id, role.label) for role in roles]
    inputs.append(select_input("role_id", label, choices, empty, typed, complaints, help=help_))
    inputs.append(until_input(typed, complaints))
    return inputs


def _school_input(session: Session, by: Actor, typed: Typed, complaints: Complaints) -> Input:
    choices = lookups.suggest(session, by, "school", "", FEW + 1)
    label, help_ = _("所属学校"), _("主管部门自己的人员请留空。")
    if len(choices) <= FEW:
        return select_input("school_id", label, choices, _("主管部门"), typed, complaints, help=help_)
    raw = typed.get("school_id", "")
    return Input(
        "school_id",
        label,
        "lookup",
        raw,
        help=help_,
        errors=errors_of(complaints, "school_id"),
        lookup_url="/lookup/school",
        lookup_label=lookups.label_of(session, by, "school", raw) if raw else "",
    )


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


# --- granting and withdrawing -------------------------------------------------------------------------


def grant_inputs(
    session: Session, home: Home, roles: Sequence[Role], typed: Typed, complaints: Complaints
) -> list[Input]:
    choices = [(role.id, role.label) for role in roles]
    inputs = [select_input("role_id", _("角色"), choices, _("请选择"), typed, complaints, required=True)]
    if home.school_id is not None:
        grades, classes = _places_in(session, home.school_id)
        inputs.append(select_input("grade_id", _("年级"), grades, _("全校"), typed, complaints))
        inputs.append(
            select_input("class_id", _("班级"), classes, _("所选年级的全部班级"), typed, complaints)
        )
    inputs.append(until_input(typed, complaints))
    return inputs


def _places_in(session: Session, school_id: int) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Grades and classes of the school that the reader may see, as choices."""
    here = (
        sa.select(Grade)
        .where(Grade.school_id == school_id, Grade.is_graduated.is_(False))
        .order_by(Grade.order_key)
    )
    grades = list(session.scalars(here))
    of_grades = sa.select(SchoolClass).where(SchoolClass.grade_id.in_([grade.id for grade in grades]))
    classes = session.scalars(of_grades.order_by(SchoolClass.order_key)).unique()
    return [(grade.id, grade.name) for grade in grades], [(one.id, one.full_name) for one in classes]


def grant_page(by: Actor, user: User, inputs: Sequence[Input], complaints: Complaints) -> FormPage:
    name = user.first_name
    return form(
        _("授权给%(name)s", name=name),
        crumbs(by, Crumb(name, show_path(user.id)), Crumb(_("授权"))),
        inputs,
        complaints,
        action=f"/people/grant/{user.id}",
        cancel=show_path(user.id),
        submit_label=_("授权"),
        note=_("只能授予您自己可以转授的角色，范围和期限不超过您自己的。授权和收回都记入访问日志。"),
        keeps_draft=True,
    )


def withdraw_page(session: Session, by: Actor, given: Grant) -> ConfirmPage:
    name, role = given.person.first_name, given.role.label
    return ConfirmPage(
        title=_("收回%(name)s的“%(role)s”", name=name, role=role),
        crumbs=crumbs(by, Crumb(name, show_path(given.person_id)), Crumb(_("收回授权"))),
        sentence=_(
            "将收回%(name)s的“%(role)s”（%(where)s）。收回后立即生效。",
            name=name,
            role=role,
            where=granting.where(session, given),
        ),
        goes_with=list(granting.goes_with(session, given)),
        submit_label=_("确认收回授权"),
        cancel_url=show_path(given.person_id),
        action_url=f"/people/withdraw/{given.id}",
    )


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


# --- the own account ----------------------------------------------------------------------------------


EDIT_PATH = "/account/edit"


def own_crumbs(*more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("个人设置"), SETTINGS_PATH), *more]


def own_page(session: Session, by: Actor, user: User) -> DetailPage:
    """The own account: what one may change, and what one was granted by whom."""
    page = show_page(session, by, user, None)
    page.crumbs = own_crumbs()
    page.actions = [
        Action(_("修改"), EDIT_PATH, icon="pencil", style="primary"),
        Action(_("修改密码"), PASSWORD_PATH, icon="key"),
    ]
    page.related = [_grants(session, None, user)]
    return page


def settings_page(typed: Typed, complaints: Complaints) -> FormPage:
    inputs = [text_input(name, field, typed, complaints) for name, field in SETTINGS.items()]
    trail = own_crumbs(Crumb(_("修改")))
    words: dict[str, Any] = {"action": EDIT_PATH, "cancel": SETTINGS_PATH, "keeps_draft": True}
    return form(_("修改个人设置"), trail, inputs, complaints, **words)


PASSWORD_INPUTS = ("old_password", "new_password", "again")


def password_page(must_change: bool, complaints: Complaints) -> FormPage:
    labels = (_("原密码"), _("新密码"), _("再次填写新密码"))
    rules = _("至少10个字符，含大写字母、小写字母、数字和符号，不含账号和姓名。")
    inputs = [
        Input(
            name,
            label,
            "password",
            required=True,
            help=rules if name == "new_password" else "",
            errors=errors_of(complaints, name),
            maxlength=logins.LONGEST_PASSWORD,
        )
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
        note=_("您使用的是一次性密码，或密码已到期。请先修改密码，再办理业务。") if must_change else None,
    )
