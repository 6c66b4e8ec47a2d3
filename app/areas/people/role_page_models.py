"""Roles → the view models of list, matrix and preview. Which address shows what is in `role_pages`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.areas.people import granting, own_roles
from app.areas.people.own_roles import DESCRIPTION, LABEL, Page
from app.areas.people.page_models import Complaints, Typed, errors_of, text_input
from app.areas.people.roles import BUNDLES
from app.core import grants, powers, rights
from app.core.entity import Entity, registry
from app.core.errors import Invalid
from app.core.grants import BUREAU, SCHOOL, RoleChange, Room
from app.core.rights import Actor, Grant
from app.core.wording import N_, labelled, listed
from app.surfaces import menu
from app.surfaces.listing import COUNT_CAP, count_text
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Column,
    ConfirmPage,
    Conflict,
    ConflictLine,
    Crumb,
    FieldLimits,
    FormPage,
    FormSection,
    Greyed,
    Input,
    Item,
    ListPage,
    Matrix,
    MatrixGroup,
    MatrixRow,
    RolePage,
    Row,
    Style,
    Tick,
)

LIST_PATH = "/roles/list/"
RIGHTS_MOST = 2_000  # ticks in one form
NAMED_MOST = 20  # people or grants listed before the rest is counted

COLUMNS = {
    "list": N_("在列表中看到有哪些记录"),
    "show": N_("打开一条记录，看到其中的项目"),
    "add": N_("新增记录；须同时可以查看"),
    "edit": N_("修改普通项目；关键数据仍须经变更业务；须同时可以查看"),
    "delete": N_("删除待核准的草稿等；须同时可以查看"),
    "reveal": N_("填写事由后，十分钟内查看完整号码"),
    "govern": N_("修改由主管部门下达的项目，如学校核心信息、班额上限"),
}
"""The actions that have a column, each with what it means."""

OTHER_ROWS = {
    "address_book": N_("通讯录"),
    "person": N_("用户管理"),
    "role": N_("角色管理"),
    "grant": N_("授权管理"),
    "why": N_("权限查询"),
    "certificate": N_("在读证明"),
    "second_factor": N_("两步登录规定"),
    "list_view": N_("列表视图"),
    "recycle_bin": N_("回收站"),
    "api_docs": N_("接口说明"),
}
"""What has rights and is no entity, as the menu calls it and in its order."""
OTHER_GROUP = "系统管理"
LEVELS = {BUREAU: N_("主管部门人员"), SCHOOL: N_("学校人员")}
LIMIT_WORDS = {"hide": N_("不显示"), "lock": N_("不可修改"), "veil": N_("不可看完整号码")}


def show_path(role_id: int) -> str:
    return f"/roles/show/{role_id}"


def copy_path(role_id: int) -> str:
    return f"/roles/copy/{role_id}"


def crumbs(by: Actor, *more: Crumb) -> list[Crumb]:
    return [Crumb(_("首页"), "/"), Crumb(_("角色管理"), LIST_PATH if by.has("role:list") else None), *more]


# --- said of a role -----------------------------------------------------------------------------------


def kind_of(role: Role) -> Cell:
    if role.name in BUNDLES.values():
        return Cell(_("默认角色，只用于转授"), tone="neutral")
    if rights.is_default(role):
        return Cell(_("默认角色"), tone="info")
    return Cell(_("自建角色"), tone="good")


def level_sentence(role: Role) -> str:
    if role.level == SCHOOL:
        return _("学校角色：授予学校人员，及于全校或其中的年级、班级。")
    return _("主管部门角色：授予主管部门人员，及于本区划和以下的学校。")


def words_of(found: Collection[str]) -> list[str]:
    """Powers in words, a line for each entity. Fields are named where what is said of the whole record is not true of
    them."""
    lines = [line for entity in in_menu_order() if (line := _words_of_entity(entity, found))]
    others = [powers.describe(right) for right in powers.OTHER_RIGHTS if right in found]
    return [*lines, *others]


def _words_of_entity(entity: type[Entity], found: Collection[str]) -> str:
    acts = [right.rpartition(":")[2] for right in powers.rights_of(entity) if right in found]
    parts = [_(powers.ACTION_WORDS[act]) if act in powers.ACTION_WORDS else act for act in acts]
    parts += _fields_named(entity, found, acts)
    if not parts:
        return ""
    return labelled(_(entity.__label__), listed(parts))


WHOLES = {"see": {"list", "show"}, "edit": {"add", "edit"}, "reveal": {"reveal"}}
"""What is done to one field → the rights by which it is done to all."""


def _fields_named(entity: type[Entity], found: Collection[str], acts: Collection[str]) -> Iterator[str]:
    """Those fields that come alone; or, where most come with the whole record, those that do not."""
    every = powers.powers(frozenset(powers.rights_of(entity)))
    offered = [f for f in entity.fields().values() if powers.is_offered(f) and f.private not in acts]
    for verb, wholes in WHOLES.items():
        fields = [(f, powers.field_right(entity, f.name, verb)) for f in offered]
        inside = [_(f.label) for f, right in fields if right in found]
        outside = [
            _(f.label) for f, right in fields if right in every and right not in found and not f.private
        ]
        word = _(powers.ACTION_WORDS.get(verb, verb))
        if wholes.isdisjoint(acts) or len(inside) <= len(outside):
            yield from (_("%(act)s“%(field)s”", act=word, field=label) for label in inside)
        else:
            yield from (_("不含%(act)s“%(field)s”", act=word, field=label) for label in outside)


# --- the list -----------------------------------------------------------------------------------------


def list_page(session: Session, by: Actor, shown: Page) -> ListPage:
    labels = (_("角色"), _("说明"), _("类型"), _("单位"), _("担任"))
    names = ("label", "description", "kind", "unit", "held")
    units = granting.unit_names(session, shown.found)
    held = own_roles.held_times(session, by, [role.id for role in shown.found])
    found = shown.found
    return ListPage(
        title=_("角色管理"),
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("角色管理"))],
        columns=[Column(name, label, name == "held") for name, label in zip(names, labels, strict=True)],
        rows=[_row(by, role, units[role.id], held[role.id]) for role in found],
        count=count_text(own_roles.count(session, by, COUNT_CAP)),
        first_url=LIST_PATH if shown.has_previous else None,
        previous_url=_list_url(before=found[0].id) if shown.has_previous and found else None,
        next_url=_list_url(after=found[-1].id) if shown.has_next and found else None,
        actions=[Action(_("新建角色"), "/roles/add", style="primary", icon="plus-lg")]
        if may_make(by)
        else [],
        note=_("默认角色随系统提供，不能修改；可以复制为本单位的角色，再去掉不需要的权限。"),
    )


def may_make(by: Actor) -> bool:
    return by.has("role:add") and (by.school_id is not None or by.region_code is not None)


def _list_url(**words: int) -> str:
    return f"{LIST_PATH}?{urlencode(words)}"


def _row(by: Actor, role: Role, unit: str, held: int) -> Row:
    url = show_path(role.id) if by.has("role:show") else None
    number = _("%(n)s项", n=held)
    to_list = f"/grants/list/?role={role.id}" if held and by.has("grant:list") else None
    cells = (
        Cell(role.title, url=url),
        Cell(role.purpose),
        kind_of(role),
        Cell(unit),
        Cell(number if held else "", url=to_list),
    )
    copy = (Action(_("复制"), copy_path(role.id)),) if may_make(by) and is_copied(by, role) else ()
    return Row(role.id, url, cells, copy)


def is_copied(by: Actor, role: Role) -> bool:
    """Whether this may be what a new role of one's own unit begins from."""
    is_near = rights.is_default(role) or (role.school_id, role.region_code) == (by.school_id, by.region_code)
    return role.name not in BUNDLES.values() and is_near


# --- the matrix ---------------------------------------------------------------------------------------


@dataclass
class Ticks:
    """What is ticked in a matrix, and what is said of each cell. Without a room it is only read."""

    on: frozenset[str]
    room: Room | None = None
    template: frozenset[str] = frozenset()
    complaints: Complaints = ()
    forced: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def to_change(cls, on: frozenset[str], room: Room, complaints: Complaints) -> Ticks:
        return cls(on, room, complaints=complaints, forced=room.forced())

    def of(self, right: str) -> Tick:
        label, act = powers.describe(right), right.rpartition(":")[2]
        short = _(powers.ACTION_WORDS[act]) if act in powers.ACTION_WORDS else ""
        is_on, errors = right in self.on, errors_of(self.complaints, right)
        if self.room is None:
            return Tick(right, label, short, is_on, is_left_out=right in self.template and not is_on)
        greyed: Greyed = self.room.lacks(right) or ""
        why = self.room.why_not(right) or ""
        return Tick(right, label, short, is_on, greyed, why, errors, apart=_apart(right))

    def of_limit(self, limit: str, label: str) -> Tick:
        why = self.forced.get(limit, "")
        is_on = limit in self.on or bool(why)
        greyed: Greyed = "template" if why else ""
        errors = errors_of(self.complaints, limit)
        return Tick(limit, label, "", is_on, greyed, why, errors, is_forced=bool(why))


def _apart(right: str) -> tuple[str, ...]:
    pairs = [pair for pair in grants.apart() if right in pair]
    return tuple(one for pair in pairs for one in pair if one != right)


def matrix(ticks: Ticks) -> Matrix:
    columns = tuple((_(powers.ACTION_WORDS[act]), _(meaning)) for act, meaning in COLUMNS.items())
    others = (_("专项"), _("不是对整条记录、而是对其中一组项目或某道手续的权限"))
    return Matrix(columns, tuple(_groups(ticks)), others)


def _groups(ticks: Ticks) -> Iterator[MatrixGroup]:
    found: dict[str, list[MatrixRow]] = {}
    for entity in in_menu_order():
        found.setdefault(group_of(entity), []).append(_entity_row(entity, ticks))
    found.setdefault(OTHER_GROUP, []).extend(
        _other_row(key, label, ticks) for key, label in OTHER_ROWS.items()
    )
    return (MatrixGroup(_(label), tuple(rows)) for label, rows in found.items())


def in_menu_order() -> list[type[Entity]]:
    """Entities that have rights; one that is not in the menu comes right after the one it belongs to."""
    places = {entity.key(): n for n, entity in enumerate(registry)}

    def order(entity: type[Entity]) -> tuple[object, ...]:
        owner = owner_of(entity)
        return (menu.rank(owner.__menu__), places[owner.key()], owner is not entity, places[entity.key()])

    return sorted((entity for entity in registry if any(powers.rights_of(entity))), key=order)


def owner_of(entity: type[Entity]) -> type[Entity]:
    """Itself where it is in the menu; else whose form it is edited in, else what its rows hang on."""
    if entity.__menu__:
        return entity
    key = entity.__inline_of__ or ("student" if entity.__scope__ == "pupil" else "")
    return next((other for other in registry if other.key() == key), entity)


def group_of(entity: type[Entity]) -> str:
    return owner_of(entity).__menu__.partition(" › ")[0] or OTHER_GROUP


def _entity_row(entity: type[Entity], ticks: Ticks) -> MatrixRow:
    here, label = set(powers.rights_of(entity)), _(entity.__label__)
    standard = {f"{entity.key()}:{act}" for act in COLUMNS}
    return MatrixRow(
        label,
        tuple(_cell(f"{entity.key()}:{act}", act, label, here, ticks) for act in COLUMNS),
        tuple(ticks.of(right) for right in powers.rights_of(entity) if right not in standard),
        tuple(_limits(entity, ticks)),
        _row_note(entity),
        owner_of(entity) is not entity,
    )


def _row_note(entity: type[Entity]) -> str:
    if entity.__scope__ == "open":
        return _("不分单位")
    return _("授权到年级、班级的，仍可查看全校") if entity.__school_wide__ else ""


def _cell(right: str, act: str, label: str, here: Collection[str], ticks: Ticks) -> Tick:
    if right in here:
        return ticks.of(right)
    what = {"what": label, "act": _(powers.ACTION_WORDS[act])}
    return Tick("", what["act"], greyed="none", why=_("“%(what)s”没有“%(act)s”这种操作。", **what))


def _other_row(key: str, label: str, ticks: Ticks) -> MatrixRow:
    here = [right for right in powers.OTHER_RIGHTS if right.partition(":")[0] == key]
    others = (right for right in here if right.partition(":")[2] not in COLUMNS)
    return MatrixRow(
        _(label),
        tuple(_cell(f"{key}:{act}", act, _(label), here, ticks) for act in COLUMNS),
        tuple(ticks.of(right) for right in others),
    )


def _limits(entity: type[Entity], ticks: Ticks) -> Iterator[FieldLimits]:
    """A line for each field that can be limited; where the matrix is only read, for each that is."""
    there = set(powers.limits_of(entity))
    for name, one in entity.fields().items():
        names = {verb: f"{entity.key()}:{name}:{verb}" for verb in LIMIT_WORDS}
        if ticks.room is None:
            shown = [limit for limit in names.values() if limit in ticks.on]
        else:
            shown = [limit for limit in names.values() if limit in there]
        if shown:
            label = _(one.label)
            cells = (
                ticks.of_limit(limit, _(LIMIT_WORDS[verb])) if limit in shown else None
                for verb, limit in names.items()
            )
            yield FieldLimits(label, tuple(cells))


# --- one role to be read ------------------------------------------------------------------------------


def show_page(session: Session, by: Actor, role: Role) -> RolePage:
    held = grants.rights_in_role(session, role)
    template = session.get(Role, role.template_id) if role.template_id is not None else None
    of_template = grants.rights_in_role(session, template) if template is not None else frozenset()
    left_out = own_roles.left_out(session, role)
    compared = (template.title, tuple(words_of(left_out or ()))) if template is not None else None
    return RolePage(
        title=role.title,
        crumbs=crumbs(by, Crumb(role.title)),
        matrix=matrix(Ticks(held, template=of_template)),
        note=level_sentence(role),
        badges=[kind_of(role)],
        actions=list(_actions(session, by, role)),
        facts=tuple(_facts(session, by, role, template)),
        compared=compared,
    )


def _facts(session: Session, by: Actor, role: Role, template: Role | None) -> Iterator[Item]:
    if role.purpose:
        yield Item(_("说明"), Cell(role.purpose, wide=True))
    if not rights.is_default(role):
        yield Item(_("单位"), Cell(granting.unit_names(session, [role])[role.id]))
        source = Cell(template.title, url=show_path(template.id)) if template else Cell(_("从空白新建"))
        yield Item(_("来源角色"), source)
    held = own_roles.held_times(session, by, [role.id])[role.id]
    to_list = f"/grants/list/?role={role.id}" if held and by.has("grant:list") else None
    yield Item(_("未结束的授权"), Cell(_("%(n)s项", n=held), url=to_list))


def _actions(session: Session, by: Actor, role: Role) -> Iterator[Action]:
    if may_make(by) and is_copied(by, role):
        label = _("复制为本单位角色") if rights.is_default(role) else _("复制")
        style: Style = "primary" if rights.is_default(role) else "secondary"
        yield Action(label, copy_path(role.id), style=style, icon="files")
    if rights.is_default(role):
        return
    if by.has("role:edit"):
        why = str(grants.may_change_role(session, by, role)) or None
        yield Action(_("修改"), f"/roles/edit/{role.id}", style="primary", icon="pencil", refused=why)
    if by.has("role:delete"):
        why = str(grants.may_change_role(session, by, role, "delete")) or None
        if why is None and grants.was_ever_held(session, role):
            why = _("授予过他人的角色不能删除：从前的记录还要写明它。")
        yield Action(_("删除"), f"/roles/delete/{role.id}", "get", "danger", "trash", refused=why)


def delete_page(by: Actor, role: Role) -> ConfirmPage:
    return ConfirmPage(
        title=_("删除角色“%(role)s”", role=role.title),
        crumbs=crumbs(by, Crumb(role.title, show_path(role.id)), Crumb(_("删除"))),
        sentence=_("将删除角色“%(role)s”。它从未授予任何人。", role=role.title),
        goes_with=[],
        submit_label=_("确认删除角色“%(role)s”", role=role.title),
        cancel_url=show_path(role.id),
        action_url=f"/roles/delete/{role.id}",
        hidden=[("version", str(role.version))],
    )


# --- one role to be made or changed -------------------------------------------------------------------


def read_rights(typed: MultiDict[str, str]) -> frozenset[str]:
    """The rights and limits ticked; whether there are such is asked where they are written. Raises Invalid."""
    found = typed.getlist("right")
    if len(found) > RIGHTS_MOST:
        raise Invalid(_("选择的权限太多。请刷新页面后重新选择。"))
    return frozenset(found)


def role_inputs(typed: Typed, complaints: Complaints, levels: Sequence[str] = ()) -> list[Input]:
    """For whom it is, is asked where there is a choice."""
    name_help = _("如“七年级学籍员”；本单位内不重名")
    inputs = [text_input("label", LABEL, typed, complaints, help=name_help)]
    if len(levels) > 1:
        options = tuple((level, _(LEVELS[level])) for level in levels)
        level, errors = typed.get("level") or levels[0], errors_of(complaints, "level")
        inputs.append(Input("level", _("用于"), "select", level, options, errors=errors))
    inputs.append(text_input("description", DESCRIPTION, typed, complaints, wide=True))
    return inputs


def first_ticks(held: frozenset[str], room: Room) -> frozenset[str]:
    """What of the role that is copied the copy begins with: all that may be in it."""
    return frozenset(right for right in held if powers.is_limit(right) or room.lacks(right) is None)


def add_page(
    session: Session,
    by: Actor,
    template: Role | None,
    on: frozenset[str],
    inputs: Sequence[Input],
    complaints: Complaints,
) -> FormPage:
    page = _to_tick(session, by, own_roles.new_role(by, {}, template), on, inputs, complaints)
    page.title = _("新建角色") if template is None else _("复制“%(role)s”为新角色", role=template.title)
    page.crumbs = crumbs(by, Crumb(_("新建")))
    page.action_url = "/roles/add" if template is None else copy_path(template.id)
    page.cancel_url, page.submit_label = LIST_PATH, _("新建角色")
    if template is not None:
        page.note = _("已勾选的与“%(role)s”相同。请去掉不需要的；不能超出它。", role=template.title)
    else:
        page.note = _("从空白开始，逐项勾选。也可以从已有的角色复制：")
        page.links = tuple(
            Action(role.title, copy_path(role.id))
            for role in own_roles.listed(session, by).found
            if is_copied(by, role)
        )
    return page


def edit_page(
    session: Session,
    by: Actor,
    role: Role,
    on: frozenset[str],
    inputs: Sequence[Input],
    complaints: Complaints = (),
) -> FormPage:
    page = _to_tick(session, by, role, on, inputs, complaints)
    page.title = _("修改角色“%(role)s”", role=role.title)
    page.crumbs = crumbs(by, Crumb(role.title, show_path(role.id)), Crumb(_("修改")))
    page.action_url, page.cancel_url = f"/roles/edit/{role.id}", show_path(role.id)
    page.hidden = [("version", str(role.version))]
    page.note = level_sentence(role)
    return page


def _to_tick(
    session: Session,
    by: Actor,
    role: Role,
    on: frozenset[str],
    inputs: Sequence[Input],
    complaints: Complaints,
) -> FormPage:
    drawn = matrix(Ticks.to_change(on, grants.room_for(session, by, role), complaints))
    return FormPage(
        title="",
        crumbs=[],
        sections=[FormSection("", tuple(inputs))],
        complaints=list(_summary(drawn, inputs, complaints)),
        matrix=drawn,
        keeps_draft=True,
        is_filled=True,
    )


def mark_changed(page: FormPage, first: MultiDict[str, str]) -> None:
    """Marks what is not as the form opens with."""
    changed = (replace(one, changed=one.value != first.get(one.name, "")) for one in page.sections[0].inputs)
    page.sections = [FormSection("", tuple(changed))]
    if page.matrix is not None:
        page.matrix = replace(page.matrix, first=frozenset(first.getlist("right")))


def _summary(
    drawn: Matrix, inputs: Sequence[Input], complaints: Complaints
) -> Iterator[tuple[str, str, str]]:
    labels = {one.name: one.label for one in inputs} | {tick.right: label for label, tick in drawn.ticks}
    for name, sentence in complaints:
        yield (name, labels[name], sentence) if name in labels else ("", "", sentence)


def conflict_of(now: frozenset[str], typed: frozenset[str], role: Role, words: Typed, said: str) -> Conflict:
    """What stands in the role by now, beside what was typed."""
    lines = [
        ConflictLine(_(one.label), "", getattr(role, name), words.get(name, ""))
        for name, one in own_roles.WORDS.items()
        if getattr(role, name) != words.get(name, "").strip()
    ]
    on, off = _("勾选"), _("不勾选")
    for right in (one for one in powers.all_rights() if (one in now) != (one in typed)):
        sides = (on if right in now else off, on if right in typed else off)
        lines.append(ConflictLine(powers.describe(right), "", *sides))
    return Conflict(said, tuple(lines))


# --- what a change does -------------------------------------------------------------------------------


def preview_page(
    session: Session, by: Actor, role: Role, plan: RoleChange, typed: MultiDict[str, str]
) -> ConfirmPage:
    holders = plan.holders
    people = len({given.person_id for given in holders})
    words = {"role": role.title, "n": people}
    return ConfirmPage(
        title=_("修改“%(role)s”将影响%(n)s人", **words),
        crumbs=crumbs(by, Crumb(role.title, show_path(role.id)), Crumb(_("确认修改"))),
        sentence=_("“%(role)s”正由%(n)s人担任。保存后，他们的权限立即随之改变。", **words),
        goes_with=[],
        parts=[
            (_("增加"), words_of(plan.added)),
            (_("减少"), words_of(plan.removed)),
            (_("担任这个角色的"), _holders(session, holders)),
            (_("由他们转授、不再有依据而随之终止的授权"), _ended(session, plan.ended)),
        ],
        submit_label=_("确认修改角色"),
        cancel_url=show_path(role.id),
        action_url=f"/roles/edit/{role.id}",
        hidden=[*_typed_again(typed), ("mark", plan.mark)],
        back_label=_("返回修改"),
        is_safe=not plan.removed,
    )


def _typed_again(typed: MultiDict[str, str]) -> list[tuple[str, str]]:
    return [(n, value) for n in ("version", "label", "description", "right") for value in typed.getlist(n)]


def _holders(session: Session, holders: Sequence[Grant]) -> list[str]:
    where = granting.wheres(session, holders[:NAMED_MOST])
    lines = [_("，").join((one.person.first_name, where[one.id])) for one in holders[:NAMED_MOST]]
    return lines + _rest(len(holders))


def _ended(session: Session, ended: Sequence[Grant]) -> list[str]:
    return list(granting.ended_sentences(session, ended[:NAMED_MOST])) + _rest(len(ended))


def _rest(count: int) -> list[str]:
    return [_("等共%(n)s项", n=count)] if count > NAMED_MOST else []
