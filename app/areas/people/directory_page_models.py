"""The list of people → its view model, and the words of its address → what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import directory, granting
from app.areas.people.directory import ORDERS, STATES, Asked, State
from app.areas.people.page_models import LIST_PATH, moment, read_id, show_path, state_cell
from app.core.errors import Invalid
from app.core.rights import Actor
from app.core.wording import listed
from app.surfaces.listing import COUNT_CAP, count_text
from app.surfaces.site import with_args
from app.surfaces.viewmodels import Action, Cell, Chip, Column, Crumb, Filter, ListPage, Row, Tab

WORDS = ("q", "state", "role_id", "sort", "after", "before")
LONGEST_SEARCH = 50  # characters


def read_asked(words: Mapping[str, str], role_ids: Sequence[int]) -> Asked:
    """Raises Invalid for words and values that this list does not know."""
    complaints: list[tuple[str, str]] = []
    q, state, sort = (words.get(name, "").strip() for name in ("q", "state", "sort"))
    role_id = read_id(words, "role_id")
    if set(words) - set(WORDS):
        complaints.append(("", _("地址中有这个列表不认识的条件。请返回列表，使用页面上的查询和翻页。")))
    if len(q) > LONGEST_SEARCH or "\0" in q:
        complaints.append(("q", _("查询内容最多50个字，且不能含有特殊字符。请缩短后再查。")))
    if state and state not in list(State):
        complaints.append(("state", _("没有这种状态。请从页面上方选择。")))
    if role_id is not None and role_id not in role_ids:
        complaints.append(("role_id", _("没有找到所选的角色。请重新选择。")))
    if sort and sort.removeprefix("-") not in ORDERS:
        complaints.append(("sort", _("不能按这一项排序。请点击列标题选择排序方式。")))
    after, before = read_id(words, "after"), read_id(words, "before")
    if 0 in (after, before):
        complaints.append(("", _("翻页的位置无法识别。请返回列表，使用页面上的翻页。")))
    if complaints:
        raise Invalid(complaints)
    return Asked(
        q, State(state) if state else None, role_id, sort or "name", after, before, directory.PAGE_SIZE
    )


def list_page(session: Session, by: Actor, words: Mapping[str, str]) -> ListPage:
    """Raises Invalid as `read_asked` does."""
    roles = {role.id: role.title for role in directory.roles_to_filter_by(session, by)}
    asked = read_asked(words, list(roles))
    shown = directory.people(session, by, asked)
    first, last = (shown.found[0].id, shown.found[-1].id) if shown.found else (None, None)
    return ListPage(
        title=_("用户管理"),
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("用户管理"))],
        columns=list(_columns(by, asked)),
        rows=_rows(session, by, shown.found),
        count=count_text(directory.count(session, by, asked, COUNT_CAP)),
        tabs=list(_tabs(asked)),
        filters=[_role_filter(roles, asked)],
        chips=list(_chips(roles, asked)),
        search=asked.q,
        search_hint=_("姓名、拼音首字母或账号"),
        keep=tuple(_kept(asked, "q")),
        keep_filtering=tuple(_kept(asked, "role_id")),
        reset_url=LIST_PATH,
        first_url=_url(asked) if shown.has_previous else None,
        previous_url=_url(asked, before=first) if shown.has_previous and first else None,
        next_url=_url(asked, after=last) if shown.has_next else None,
        actions=list(_actions(by)),
        empty_title=_("没有符合条件的人员") if asked.is_narrowed else _("还没有人员"),
        empty_hint=_("请核对姓名或账号，或点击“重置”查看全部。")
        if asked.is_narrowed
        else _("点击“开通账号”添加。"),
    )


def _kept(asked: Asked, *without: str) -> Iterator[tuple[str, str]]:
    """The words that make the list what it is, the default order left out."""
    sort = "" if asked.sort == "name" else asked.sort
    for name, value in (("q", asked.q), ("state", asked.state), ("role_id", asked.role_id), ("sort", sort)):
        if value and name not in without:
            yield name, str(value)


def _url(asked: Asked, **changes: object) -> str:
    return with_args(LIST_PATH, dict(_kept(asked)) | changes)


def _tabs(asked: Asked) -> Iterator[Tab]:
    yield Tab(_("全部"), _url(asked, state=None), asked.state is None)
    for state, label in STATES.items():
        yield Tab(_(label), _url(asked, state=state.value), asked.state is state)


def _role_filter(roles: Mapping[int, str], asked: Asked) -> Filter:
    options = tuple((str(id_), label) for id_, label in roles.items())
    return Filter("role_id", _("角色"), "choice", str(asked.role_id or ""), options=options)


def _chips(roles: Mapping[int, str], asked: Asked) -> Iterator[Chip]:
    if asked.q:
        yield Chip(_("查询：%(q)s", q=asked.q), _url(asked, q=None))
    if asked.role_id is not None:
        yield Chip(_("角色：%(role)s", role=roles[asked.role_id]), _url(asked, role_id=None))


def _columns(by: Actor, asked: Asked) -> Iterator[Column]:
    labels = {"name": _("姓名"), "username": _("账号")}
    if by.is_of_bureau:
        labels["unit"] = _("单位")
    labels |= {"roles": _("角色"), "state": _("状态"), "last_login": _("上次登录")}
    for name, label in labels.items():
        way: Literal["asc", "desc"] | None = None
        if asked.sort.removeprefix("-") == name:
            way = "desc" if asked.sort.startswith("-") else "asc"
        turn = f"-{name}" if way == "asc" else name
        yield Column(name, label, sorted=way, sort_url=_url(asked, sort=turn) if name in ORDERS else None)


def _rows(session: Session, by: Actor, users: list[User]) -> list[Row]:
    units = granting.unit_names(session, users) if by.is_of_bureau else {}
    roles, can_show = directory.roles_of(session, users), by.has("person:show")
    rows = []
    for user in users:
        url = show_path(user.id) if can_show else None
        unit = (Cell(units[user.id]),) if units else ()
        held = Cell(listed(role.title for role in roles.get(user.id, ())))
        cells = (Cell(user.first_name, url=url), Cell(user.username), *unit, held, state_cell(user))
        rows.append(Row(user.id, url, (*cells, Cell(moment(user.last_login) or _("从未登录")))))
    return rows


def _actions(by: Actor) -> Iterator[Action]:
    if by.has("person:add"):
        yield Action(_("开通账号"), "/people/add", style="primary", icon="person-plus")
        yield Action(_("批量开通"), "/people/import/", icon="file-earmark-excel")
