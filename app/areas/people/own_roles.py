"""Roles of schools and bureaus beside the default ones: who sees which, how many hold it, what is typed of one.

What a role may hold, and what a change of it does to its holders, is decided in `core.grants`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people.grant_finding import within as grants_within
from app.areas.people.roles import BUNDLES, PREFIX
from app.areas.schools.models import SchoolStage
from app.core import grants
from app.core.errors import Denied, Invalid, Missing
from app.core.fields import Text, Unreadable
from app.core.grants import BUREAU, SCHOOL, RoleChange
from app.core.powers import powers
from app.core.rights import Actor, Extent, Grant
from app.core.wording import about

PAGE_SIZE = 50
LABEL = Text(label="角色名称", length=30, nullable=False)
DESCRIPTION = Text(label="说明", length=200, long=True)
WORDS: Mapping[str, Text] = {"label": LABEL, "description": DESCRIPTION}


# --- who sees which -----------------------------------------------------------------------------------


def seen(by: Actor) -> sa.ColumnElement[bool]:
    """The default roles of the person's own kind of unit, and the roles of the units in reach."""
    levels = (SCHOOL, BUREAU) if by.is_of_bureau or by.is_system else (SCHOOL,)
    default = sa.and_(Role.name.startswith(PREFIX), Role.level.in_(levels))
    return sa.or_(default, *(_in_extent(e) for e in by.reach("role:list", "role:show") if not e.is_narrow))


def _in_extent(extent: Extent) -> sa.ColumnElement[bool]:
    if extent.everywhere:
        return sa.true()
    if not extent.low:
        return Role.school_id == extent.school_id
    code = SchoolStage.authority_code.between(extent.low, extent.high)
    schools = sa.select(SchoolStage.school_id).where(code)
    return sa.or_(Role.region_code.between(extent.low, extent.high), Role.school_id.in_(schools))


def find(session: Session, by: Actor, role_id: int) -> Role:
    """Raises Missing."""
    found = session.scalar(sa.select(Role).where(Role.id == role_id, seen(by))) if role_id < 2**31 else None
    if found is None:
        raise Missing()
    return found


def find_template(session: Session, by: Actor, role_id: int | None) -> Role | None:
    """What a new role is copied from. Raises Invalid for what is no role to copy."""
    if role_id is None:
        return None
    query = sa.select(Role).where(Role.id == role_id, seen(by), Role.name.not_in(BUNDLES.values()))
    found = session.scalar(query) if role_id < 2**31 else None
    if found is None:
        raise Invalid([("template_id", _("没有找到要复制的角色。请从角色列表中重新选择。"))])
    return found


@dataclass(frozen=True, slots=True)
class Page:
    found: list[Role]
    has_previous: bool
    has_next: bool


def listed(
    session: Session, by: Actor, after: int | None = None, before: int | None = None, size: int = PAGE_SIZE
) -> Page:
    """One page of roles in the order of their ids: the default ones first."""
    query = sa.select(Role).where(seen(by)).limit(size + 1)
    if before is not None:
        found = list(session.scalars(query.where(Role.id < before).order_by(Role.id.desc())))
        return Page(found[:size][::-1], len(found) > size, True)
    if after is not None:
        query = query.where(Role.id > after)
    found = list(session.scalars(query.order_by(Role.id)))
    return Page(found[:size], after is not None, len(found) > size)


def count(session: Session, by: Actor, cap: int) -> int:
    inner = sa.select(Role.id).where(seen(by)).limit(cap + 1).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(inner)) or 0


def held_times(session: Session, by: Actor, role_ids: Collection[int]) -> dict[int, int]:
    """Role → how many grants of it have not ended, among those that `by` sees: what his list of grants counts."""
    here = grants_within(by.reach("grant:list"))
    query = sa.select(Grant.role_id, sa.func.count()).where(Grant.role_id.in_(role_ids), grants.held(), here)
    found = {row[0]: row[1] for row in session.execute(query.group_by(Grant.role_id))}
    return {id_: found.get(id_, 0) for id_ in role_ids}


# --- what is typed ------------------------------------------------------------------------------------


def parse(typed: Mapping[str, str], complaints: list[tuple[str, str]]) -> dict[str, str]:
    """Name and description as they are kept; what cannot be read joins the complaints."""
    found: dict[str, str] = {}
    for name, field in WORDS.items():
        try:
            found[name] = field.parse(typed.get(name)) or ""
        except Unreadable as reason:
            complaints.append((name, about(_(field.label), reason)))
            continue
        if not found[name] and not field.nullable:
            complaints.append((name, _("必填项“%(label)s”为空。请填写后再保存。", label=_(field.label))))
    return found


def left_out(session: Session, role: Role) -> frozenset[str] | None:
    """The powers of the role it came from that it does not give; None where it came from none."""
    if role.template_id is None:
        return None
    sets = grants.rights_of_roles(session, {role.id, role.template_id})
    return powers(sets[role.template_id]) - powers(sets[role.id])


# --- making and changing ------------------------------------------------------------------------------


def require_unit(by: Actor) -> None:
    """Raises Denied where there is no school or bureau that a new role could belong to."""
    if by.school_id is None and by.region_code is None:
        raise Denied(_("您不属于任何学校或主管部门，不能新建角色。请由单位的管理员新建。"))


def levels_for(by: Actor, template: Role | None) -> tuple[str, ...]:
    """For whom a new role may be, the first if nothing is said: a bureau makes roles for its own people and for those of
    its schools; a copy is for whom its template is for."""
    if template is not None:
        return (template.level,)
    return (SCHOOL,) if by.school_id is not None else (BUREAU, SCHOOL)


def new_role(by: Actor, words: Mapping[str, str], template: Role | None, level: str = "") -> Role:
    """One of the person's own school or bureau, not saved yet."""
    return Role(
        label=words.get("label", ""),
        description=words.get("description", ""),
        school_id=by.school_id,
        region_code=by.region_code,
        level=level or levels_for(by, template)[0],
        template_id=grants.origin_of(template),
        version=1,
    )


def make(
    session: Session,
    by: Actor,
    typed: Mapping[str, str],
    wanted: frozenset[str],
    template: Role | None,
    level: str = "",
) -> Role:
    """Raises Denied, Invalid with every complaint. Belongs inside `saving.work()`, as `change`."""
    complaints: list[tuple[str, str]] = []
    words = parse(typed, complaints)
    if level and level not in levels_for(by, template):
        complaints.append(("level", _("这个角色不能用于所选的人员。请重新选择。")))
    made = new_role(by, words, template, level)
    if complaints:
        raise Invalid([*complaints, *grants.unfit_rights(session, by, made, wanted)])
    return grants.make_role(session, by, made, wanted, template)


def plan(
    session: Session, by: Actor, role: Role, typed: Mapping[str, str], wanted: frozenset[str]
) -> RoleChange:
    """What the change would do. Raises Invalid with every complaint."""
    complaints: list[tuple[str, str]] = []
    parse(typed, complaints)
    found = grants.plan_role(session, by, role, wanted)
    if complaints or found.complaints:
        raise Invalid([*complaints, *found.complaints])
    return found


def change(
    session: Session,
    by: Actor,
    role: Role,
    typed: Mapping[str, str],
    wanted: frozenset[str],
    *,
    version: int,
    mark: str | None = None,
) -> RoleChange:
    """Raises Denied, Stale, Invalid; also where it would do something else than the plan of that mark."""
    complaints: list[tuple[str, str]] = []
    words = parse(typed, complaints)
    if complaints:
        raise Invalid([*complaints, *grants.unfit_rights(session, by, role, wanted)])
    done = grants.change_role(session, by, role, wanted, version=version, **words)
    if mark is not None and done.mark != mark:
        raise Invalid(_("担任这个角色的人员刚刚有变化。请再核对一次影响后保存。"))
    return done
