"""Grants → the view models of lists, details and forms. Which address shows what is in `grant_pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.areas.people import accounts, grant_finding, granting, own_roles
from app.areas.people.accounts import Home, home_of
from app.areas.people.grant_finding import FILTERS, STATES, Asked, Page, State, Whose, state_of
from app.areas.people.page_models import (
    Complaints,
    Typed,
    errors_of,
    form,
    moment,
    read_cursor,
    read_id,
    select_input,
    show_path,
)
from app.core import grants
from app.core.errors import Invalid
from app.core.fields import HERE, Day, Unreadable
from app.core.rights import Actor, Grant
from app.core.wording import about, labelled
from app.surfaces import lookups
from app.surfaces.listing import COUNT_CAP, count_text
from app.surfaces.security import SETTINGS_PATH
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Chip,
    Column,
    ConfirmPage,
    Crumb,
    DetailPage,
    DetailSection,
    Filter,
    FormPage,
    Input,
    Item,
    ListPage,
    RelatedTable,
    Row,
    Tone,
)

PATHS = {
    Whose.PLACE: "/grants/list/",
    Whose.GIVEN: "/grants/given/",
    Whose.OWN: "/grants/own/",
    Whose.WAITING: "/grants/waiting/",
}
ROLES_MOST = 200  # to choose from in a filter
DAYS: Mapping[str, Day] = {"starts_on": Day(label="开始日期"), "until": Day(label="截止日期")}
USE, PASS_ON = "use", "pass"
CHOICES_MOST = 500  # boxes in one form
TONES: dict[State, Tone] = {
    State.OPEN: "good",
    State.WAITING: "warn",
    State.LATER: "info",
    State.LAPSING: "warn",
    State.ENDED: "neutral",
}


def grant_path(grant_id: int) -> str:
    return f"/grants/show/{grant_id}"


def title_of(whose: Whose) -> str:
    return {
        Whose.PLACE: _("授权管理"),
        Whose.GIVEN: _("我给出的授权"),
        Whose.OWN: _("我的授权"),
        Whose.WAITING: _("待确认的主管学籍领导"),
    }[whose]


def crumbs(by: Actor, *more: Crumb) -> list[Crumb]:
    """To the list that the reader may open."""
    whose = Whose.PLACE if by.has("grant:list") else Whose.GIVEN
    return [Crumb(_("首页"), "/"), Crumb(title_of(whose), PATHS[whose]), *more]


# --- said of one grant --------------------------------------------------------------------------------


def purpose(given: Grant) -> str:
    if given.usable and given.passable:
        return _("使用、转授")
    return _("使用") if given.usable else _("只用于转授")


def giver_of(given: Grant) -> str:
    return given.giver.first_name if given.giver is not None else _("系统安装时设定")


def first_day(given: Grant) -> str:
    return given.starts_at.astimezone(HERE).date().isoformat()


def end_text(given: Grant) -> str:
    return day_text(given.until)


def day_text(until: datetime | None) -> str:
    """The last day of what holds until then."""
    day = granting.last_day(until)
    return day.isoformat() if day else _("长期")


def state_cell(given: Grant) -> Cell:
    state = state_of(given, datetime.now(UTC))
    if given.refused_because:
        return Cell(_("未获确认"), tone="bad")
    if state is State.ENDED:
        return Cell(_("已收回") if given.withdrawn_at is not None else _("已到期"), tone="neutral")
    return Cell(_(STATES[state]), tone=TONES[state])


# --- lists --------------------------------------------------------------------------------------------


@dataclass
class Wish:
    """What the address of a list asks for: as read, and as it goes into other addresses."""

    asked: Asked
    words: dict[str, str] = field(default_factory=dict)
    after: int | None = None
    before: int | None = None

    def url(self, **changes: object) -> str:
        kept = {k: v for k, v in (self.words | changes).items() if v not in (None, "")}
        path = PATHS[self.asked.whose]
        return f"{path}?{urlencode(kept)}" if kept else path


def read_wish(whose: Whose, words: Typed) -> Wish:
    """Raises Invalid for conditions that this list does not know."""
    found = {name: value.strip() for name, value in words.items() if name != "person__text"}
    asked = grant_finding.read_asked(whose, found)
    kept = {name: found.get(name, "") for name in FILTERS}
    return Wish(asked, kept, read_cursor(words, "after"), read_cursor(words, "before"))


def list_page(session: Session, by: Actor, wish: Wish, shown: Page) -> ListPage:
    whose, found = wish.asked.whose, shown.found
    labels = (
        _("人员"),
        _("角色"),
        _("范围"),
        _("用途"),
        _("开始日期"),
        _("截止日期"),
        _("授权人"),
        _("状态"),
    )
    names = ("person", "role", "where", "purpose", "starts_on", "until", "giver", "state")
    where = granting.wheres(session, found)
    filters = list(_filters(session, by, wish))
    return ListPage(
        title=title_of(whose),
        crumbs=[Crumb(_("首页"), "/"), *_list_trail(by, whose), Crumb(title_of(whose))],
        columns=[Column(name, label) for name, label in zip(names, labels, strict=True)],
        rows=[_row(given, where, whose) for given in found],
        count=count_text(grant_finding.count(session, by, wish.asked, COUNT_CAP)),
        filters=filters,
        chips=list(_chips(filters, wish)),
        reset_url=PATHS[whose],
        first_url=wish.url() if shown.has_previous else None,
        previous_url=wish.url(before=found[0].id) if shown.has_previous and found else None,
        next_url=wish.url(after=found[-1].id) if shown.has_next and found else None,
        actions=list(_list_actions(by, whose)),
        empty_title=_("没有符合条件的授权") if any(wish.words.values()) else _("没有授权"),
        empty_hint=_empty_hint(whose, wish),
    )


def _list_trail(by: Actor, whose: Whose) -> list[Crumb]:
    if whose is Whose.OWN:
        return [Crumb(_("个人设置"), SETTINGS_PATH)]
    is_under = whose is not Whose.PLACE and by.has("grant:list")
    return [Crumb(title_of(Whose.PLACE), PATHS[Whose.PLACE])] if is_under else []


def _list_actions(by: Actor, whose: Whose) -> Iterator[Action]:
    if whose is not Whose.PLACE:
        return
    if by.has("grant:add"):
        yield Action(_("授权"), "/grants/add", style="primary", icon="shield-check")
    yield Action(title_of(Whose.GIVEN), PATHS[Whose.GIVEN], icon="send")
    if by.has("grant:confirm"):
        yield Action(title_of(Whose.WAITING), PATHS[Whose.WAITING], icon="hourglass-split")


def _empty_hint(whose: Whose, wish: Wish) -> str:
    if any(wish.words.values()):
        return _("请去掉一些条件，或点击“重置”查看全部未结束的授权。")
    return {
        Whose.PLACE: _("点击“授权”，选择人员、角色和范围。已结束的授权请在“筛选”中选择。"),
        Whose.GIVEN: _("您给出的授权会一直列在这里，已结束的请在“筛选”中选择。"),
        Whose.OWN: _("没有授权的账号登录后看不到任何学生。需要授权的，请联系本单位管理员。"),
        Whose.WAITING: _("学校选定主管学籍领导后，在这里确认。"),
    }[whose]


def _row(given: Grant, where: Mapping[int, str], whose: Whose) -> Row:
    url = grant_path(given.id)
    cells = (
        Cell(given.person.first_name, url=url),
        Cell(given.role.title),
        Cell(where[given.id]),
        Cell(purpose(given)),
        Cell(first_day(given)),
        Cell(end_text(given)),
        Cell(giver_of(given)),
        state_cell(given),
    )
    actions = tuple(_answers(given)) if whose is Whose.WAITING else ()
    return Row(given.id, url, cells, actions)


def _answers(given: Grant) -> Iterator[Action]:
    yield Action(_("确认"), f"/grants/confirm/{given.id}")
    yield Action(_("不予确认"), f"/grants/refuse/{given.id}", style="danger")


def _filters(session: Session, by: Actor, wish: Wish) -> Iterator[Filter]:
    if wish.asked.whose is not Whose.OWN and by.has("person:list"):
        raw = wish.words["person"]
        label = accounts.label(session, by, int(raw)) if raw else ""
        yield Filter("person", _("人员"), "lookup", raw, value_label=label, lookup_url="/lookup/ab_user")
    roles = own_roles.listed(session, by, size=ROLES_MOST).found
    options = tuple((str(role.id), role.title) for role in roles)
    yield Filter("role", _("角色"), "choice", wish.words["role"], options=options)
    if wish.asked.whose is Whose.WAITING:
        return
    states = (("", _("全部未结束")), *((str(state), _(label)) for state, label in STATES.items()))
    yield Filter("state", _("状态"), "choice", wish.words["state"], options=states)


def _chips(filters: Sequence[Filter], wish: Wish) -> Iterator[Chip]:
    for one in filters:
        if one.value:
            text = dict(one.options).get(one.value, one.value_label or one.value)
            yield Chip(labelled(one.label, text), wish.url(**{one.name: None}))


# --- one grant ----------------------------------------------------------------------------------------


def show_page(session: Session, by: Actor, given: Grant) -> DetailPage:
    tree = grants.passed_on(session, given)
    above = grants.sources(session, given.id)[1:]
    where = granting.wheres(session, [given, *tree, *above])
    return DetailPage(
        title=_("%(name)s的“%(role)s”", name=given.person.first_name, role=given.role.title),
        crumbs=_show_trail(by, given),
        sections=[DetailSection(_("授权"), tuple(_items(session, by, given, where)))],
        badges=[state_cell(given)],
        actions=list(_actions(session, by, given)),
        related=[_tree_table(by, given, tree, where), *_chain_table(above, where)],
    )


def _show_trail(by: Actor, given: Grant) -> list[Crumb]:
    """One's own is found under one's own, unless one sees it among those of the place."""
    if by.id == given.person_id and not by.has("grant:list"):
        own = Whose.OWN
        return [
            Crumb(_("首页"), "/"),
            *_list_trail(by, own),
            Crumb(title_of(own), PATHS[own]),
            Crumb(given.role.title),
        ]
    return crumbs(by, Crumb(given.person.first_name))


def _items(session: Session, by: Actor, given: Grant, where: Mapping[int, str]) -> Iterator[Item]:
    can_see = accounts.may(session, by, "person:show", home_of(given.person))
    yield Item(_("人员"), Cell(given.person.first_name, url=show_path(given.person_id) if can_see else None))
    role_url = f"/roles/show/{given.role_id}" if by.has("role:show") else None
    yield Item(_("角色"), Cell(given.role.title, url=role_url))
    yield Item(_("范围"), Cell(where[given.id]))
    yield Item(_("用途"), Cell(purpose(given)))
    yield Item(_("开始日期"), Cell(first_day(given)))
    yield Item(_("截止日期"), Cell(end_text(given)))
    yield Item(_("授权人"), Cell(giver_of(given)))
    if given.confirmed_by is not None:
        yield Item(_("确认人"), Cell(_name_of(session, given.confirmed_by)))
    if given.withdrawn_at is not None:
        when, who = (
            (_("不予确认的时间"), _("不予确认的人"))
            if given.refused_because
            else (_("收回时间"), _("收回人"))
        )
        yield Item(when, Cell(moment(given.withdrawn_at)))
        yield Item(who, Cell(_name_of(session, given.withdrawn_by)))
    if given.refused_because:
        yield Item(_("不予确认的理由"), Cell(given.refused_because, wide=True))


def _name_of(session: Session, user_id: int | None) -> str:
    found = session.get(User, user_id) if user_id is not None else None
    return found.first_name if found is not None else _("系统")


def _actions(session: Session, by: Actor, given: Grant) -> Iterator[Action]:
    if not given.is_held:
        return
    if given.awaits and by.has("grant:confirm"):
        verdict = grants.may_confirm(session, by, given)
        for one in _answers(given):
            style = "primary" if one.style == "secondary" else one.style
            yield replace(one, style=style, refused=str(verdict) or None)
    if by.id == given.person_id:
        return
    verdict = grants.may_take(session, by, given)
    if accounts.may(session, by, "grant:add", home_of(given.person)):
        yield Action(
            _("改截止日期"), f"/grants/renew/{given.id}", icon="calendar3", refused=str(verdict) or None
        )
    if verdict or by.has("grant:delete"):
        yield Action(
            _("收回"), f"/grants/withdraw/{given.id}", "get", "danger", "x-lg", refused=str(verdict) or None
        )


def _tree_table(by: Actor, given: Grant, tree: Sequence[Grant], where: Mapping[int, str]) -> RelatedTable:
    """Everything that was passed on under it, each step indented under the one that it came under."""
    columns = (_("人员"), _("角色"), _("范围"), _("用途"), _("截止日期"), _("授权人"), _("状态"))
    rows = tuple(_tree_row(by, one, depth, where) for one, depth in in_order(given, tree))
    empty = _("没有由它转授的授权。") if given.passable else _("这项授权不能转授。")
    title = _("由它转授的授权（%(n)s项）", n=len(rows)) if rows else _("由它转授的授权")
    return RelatedTable(title, columns, rows, empty=empty)


def in_order(root: Grant, tree: Sequence[Grant]) -> Iterator[tuple[Grant, int]]:
    """(grant, depth), each followed by what came under it."""
    under: dict[int, list[Grant]] = {}
    for one in tree:
        under.setdefault(one.under_id or 0, []).append(one)
    waiting = [(one, 0) for one in reversed(under.get(root.id, []))]
    while waiting:
        one, depth = waiting.pop()
        yield one, depth
        waiting += [(child, depth + 1) for child in reversed(under.get(one.id, []))]


def _tree_row(by: Actor, one: Grant, depth: int, where: Mapping[int, str]) -> Row:
    cells = (
        Cell("　" * max(depth - 1, 0) + ("└ " if depth else "") + one.person.first_name),
        Cell(one.role.title),
        Cell(where[one.id]),
        Cell(purpose(one)),
        Cell(end_text(one)),
        Cell(giver_of(one)),
        state_cell(one),
    )
    is_seen = by.has("grant:list") or by.id == one.giver_id
    return Row(one.id, grant_path(one.id) if is_seen else None, cells)


def _chain_table(above: Sequence[Grant], where: Mapping[int, str]) -> Iterator[RelatedTable]:
    if not above:
        return
    columns = (_("人员"), _("角色"), _("范围"), _("用途"), _("截止日期"))
    rows = tuple(
        Row(
            one.id,
            None,
            (
                Cell(one.person.first_name),
                Cell(one.role.title),
                Cell(where[one.id]),
                Cell(purpose(one)),
                Cell(end_text(one)),
            ),
        )
        for one in above
    )
    yield RelatedTable(_("它的来源，由近到远"), columns, rows)


def person_table(session: Session, user: User, by: Actor | None = None) -> RelatedTable:
    """What a person holds; with `by`, what he may withdraw has its button."""
    columns = (_("角色"), _("范围"), _("用途"), _("开始日期"), _("截止日期"), _("授权人"), _("状态"))
    held = grants.held_grants(session, user.id)
    where = granting.wheres(session, held)
    verdicts = grants.may_take_each(session, by, held) if by is not None else {}
    rows = tuple(_person_row(given, where, can_take=bool(verdicts.get(given.id))) for given in held)
    return RelatedTable(_("授权"), columns, rows, empty=_("还没有授权。没有授权的账号登录后看不到任何学生。"))


def _person_row(given: Grant, where: Mapping[int, str], *, can_take: bool) -> Row:
    cells = (
        Cell(given.role.title),
        Cell(where[given.id]),
        Cell(purpose(given)),
        Cell(first_day(given)),
        Cell(end_text(given)),
        Cell(giver_of(given)),
        state_cell(given),
    )
    if not can_take:
        return Row(given.id, grant_path(given.id), cells)
    act = Action(_("收回"), f"/grants/withdraw/{given.id}", style="danger")
    return Row(given.id, grant_path(given.id), cells, (act,))


# --- giving -------------------------------------------------------------------------------------------


def pick_page(session: Session, by: Actor, typed: Typed, complaints: Complaints) -> FormPage:
    raw = typed.get("person_id", "")
    one = Input(
        "person_id",
        _("授权给"),
        "lookup",
        raw,
        required=True,
        help=_("输入姓名或账号的开头，从列出的人员中选择。"),
        errors=errors_of(complaints, "person_id"),
        lookup_url="/lookup/ab_user",
        lookup_label=lookups.label_of(session, by, "ab_user", raw) if raw else "",
    )
    return form(
        _("授权"),
        crumbs(by, Crumb(_("授权"))),
        [one],
        complaints,
        action="/grants/add",
        cancel=PATHS[Whose.PLACE],
        submit_label=_("下一步"),
    )


def give_inputs(
    session: Session,
    home: Home,
    roles: Sequence[Role],
    typed: MultiDict[str, str],
    complaints: Complaints,
    *,
    is_new: bool,
) -> list[Input]:
    choices = [(role.id, role.title) for role in roles]
    inputs = [select_input("role_id", _("角色"), choices, _("请选择"), typed, complaints, required=True)]
    inputs += _place_inputs(session, home, typed, complaints)
    inputs.append(_purpose_input(typed, complaints, is_new=is_new))
    suggested = tuple((day.isoformat(), label) for label, day in granting.ends_to_suggest(session))
    now, ever = _("从这一天起；立即生效的请留空。"), _("到这一天为止；长期有效的请留空。")
    inputs.append(day_input("starts_on", typed, complaints, help_=now))
    inputs.append(day_input("until", typed, complaints, help_=ever, suggestions=suggested))
    return inputs


def _place_inputs(
    session: Session, home: Home, typed: MultiDict[str, str], complaints: Complaints
) -> Iterator[Input]:
    """One region or school needs no asking."""
    if home.school_id is None:
        regions = granting.regions_of(session, home)
        if len(regions) > 1:
            yield _choice("region_code", _("区划"), regions, typed, complaints)
        return
    schools = granting.schools_of(session, home)
    if len(schools) > 1:
        about = _("以本校为中心校的学校，可以由本校人员担任主管学籍领导。")
        yield _choice("school_id", _("学校"), schools, typed, complaints, help=about)
    seats = granting.seats_in(session, home.school_id)
    grades = [(str(grade.id), grade.name) for grade, _rooms in seats]
    rooms = [(str(room.id), room.full_name) for _grade, found in seats for room in found]
    whole = _("不选年级、班级，即为全校。")
    yield _checks("grade_ids", _("年级"), grades, typed, complaints, help=whole)
    yield _checks("class_ids", _("班级"), rooms, typed, complaints)


def _choice(
    name: str,
    label: str,
    choices: Sequence[tuple[object, str]],
    typed: Typed,
    complaints: Complaints,
    **words: Any,
) -> Input:
    options = tuple((str(value), text) for value, text in choices)
    value = typed.get(name) or options[0][0]
    return Input(name, label, "select", value, options, errors=errors_of(complaints, name), **words)


def _checks(
    name: str,
    label: str,
    options: Sequence[tuple[str, str]],
    typed: MultiDict[str, str],
    complaints: Complaints,
    **words: Any,
) -> Input:
    chosen, errors = tuple(typed.getlist(name)), errors_of(complaints, name)
    return Input(
        name, label, "checks", options=tuple(options), chosen=chosen, errors=errors, wide=True, **words
    )


def _purpose_input(typed: MultiDict[str, str], complaints: Complaints, *, is_new: bool) -> Input:
    options = ((USE, _("本人使用")), (PASS_ON, _("转授给他人")))
    one = _checks("purpose", _("用途"), options, typed, complaints)
    return replace(one, chosen=(USE,)) if is_new else one


def at_inputs(complaints: Complaints) -> Complaints:
    """What is said of use and passing on belongs to the one input that asks for both."""
    return [("purpose" if name in ("usable", "passable") else name, text) for name, text in complaints]


def day_input(
    name: str,
    typed: Typed,
    complaints: Complaints,
    *,
    help_: str = "",
    suggestions: tuple[tuple[str, str], ...] = (),
) -> Input:
    return Input(
        name,
        _(DAYS[name].label),
        "day",
        typed.get(name, ""),
        help=help_,
        errors=errors_of(complaints, name),
        suggestions=suggestions,
    )


def give_page(by: Actor, user: User, inputs: Sequence[Input], complaints: Complaints) -> FormPage:
    name = user.first_name
    return form(
        _("授权给%(name)s", name=name),
        crumbs(by, Crumb(name, show_path(user.id)), Crumb(_("授权"))),
        inputs,
        complaints,
        action=f"/grants/add/{user.id}",
        cancel=show_path(user.id),
        submit_label=_("授权"),
        note=_("只能授予您自己可以转授的角色，范围和期限不超过您自己的。授权和收回都记入访问日志。"),
        keeps_draft=True,
    )


def read_days(typed: Typed) -> dict[str, date | None]:
    """Start and end as typed. Raises Invalid with every complaint."""
    found: dict[str, date | None] = {}
    complaints = []
    for name, one in DAYS.items():
        try:
            found[name] = one.parse(typed.get(name))
        except Unreadable as reason:
            complaints.append((name, about(_(one.label), reason)))
    if complaints:
        raise Invalid(complaints)
    return found


def read_ids(typed: MultiDict[str, str], name: str) -> list[int]:
    """The ids of ticked boxes. What is no number is no choice either, and refused by whoever looks it up."""
    return [read_id({name: raw}, name) or 0 for raw in typed.getlist(name)[:CHOICES_MOST]]


def read_purpose(typed: MultiDict[str, str]) -> tuple[bool, bool]:
    """(for use, to pass on). Raises Invalid for anything else."""
    found = set(typed.getlist("purpose"))
    if found - {USE, PASS_ON}:
        raise Invalid([("purpose", _("没有这种用途。请刷新页面后重新选择。"))])
    return USE in found, PASS_ON in found


# --- changing, taking back, confirming ----------------------------------------------------------------


def _trail(by: Actor, given: Grant, word: str) -> list[Crumb]:
    return crumbs(by, Crumb(given.person.first_name, grant_path(given.id)), Crumb(word))


def renew_page(session: Session, by: Actor, given: Grant, typed: Typed, complaints: Complaints) -> FormPage:
    name, role = given.person.first_name, given.role.title
    suggested = tuple((day.isoformat(), label) for label, day in granting.ends_to_suggest(session))
    help_ = _("现为%(day)s。长期有效的请留空。", day=end_text(given))
    return form(
        _("改%(name)s的“%(role)s”的截止日期", name=name, role=role),
        _trail(by, given, _("改截止日期")),
        [day_input("until", typed, complaints, help_=help_, suggestions=suggested)],
        complaints,
        action=f"/grants/renew/{given.id}",
        cancel=grant_path(given.id),
        section=_("截止日期"),
        note=_("范围和用途不变，由它转授的授权照旧有效。改后记为您给出的授权，期限不超过您自己的。"),
    )


def withdraw_page(session: Session, by: Actor, given: Grant) -> ConfirmPage:
    name, role = given.person.first_name, given.role.title
    words = {"name": name, "role": role, "where": granting.where(session, given)}
    return ConfirmPage(
        title=_("收回%(name)s的“%(role)s”", name=name, role=role),
        crumbs=_trail(by, given, _("收回授权")),
        sentence=_("将收回%(name)s的“%(role)s”（%(where)s）。收回后立即生效。", **words),
        goes_with=list(granting.goes_with(session, given)),
        submit_label=_("确认收回授权"),
        cancel_url=grant_path(given.id),
        action_url=f"/grants/withdraw/{given.id}",
    )


def confirm_page(session: Session, by: Actor, given: Grant) -> ConfirmPage:
    name, role = given.person.first_name, given.role.title
    words = {
        "giver": giver_of(given),
        "name": name,
        "role": role,
        "where": granting.where(session, given),
        "until": end_text(given),
    }
    return ConfirmPage(
        title=_("确认%(name)s为“%(role)s”", name=name, role=role),
        crumbs=_trail(by, given, _("确认")),
        sentence=_(
            "%(giver)s选定%(name)s为“%(role)s”（%(where)s，截止日期：%(until)s）。确认后立即生效。", **words
        ),
        goes_with=[],
        submit_label=_("确认%(name)s为“%(role)s”", name=name, role=role),
        cancel_url=grant_path(given.id),
        action_url=f"/grants/confirm/{given.id}",
        is_safe=True,
    )


def refuse_page(session: Session, by: Actor, given: Grant, typed: Typed, complaints: Complaints) -> FormPage:
    name, role = given.person.first_name, given.role.title
    why = Input(
        "reason",
        _("理由"),
        "textarea",
        typed.get("reason", ""),
        required=True,
        help=_("2到200个字，学校会看到。"),
        errors=errors_of(complaints, "reason"),
        maxlength=granting.MOST_REASON,
    )
    return form(
        _("不予确认%(name)s为“%(role)s”", name=name, role=role),
        _trail(by, given, _("不予确认")),
        [why],
        complaints,
        action=f"/grants/refuse/{given.id}",
        cancel=grant_path(given.id),
        section=granting.where(session, given),
        submit_label=_("不予确认"),
    )
