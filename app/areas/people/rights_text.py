"""What roles allow, as text in which a change of rights shows line by line: role × entity × action × field × scope.

Printed by `flask rights`; the text of the default roles is kept in docs/rights.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people.roles import NARROW, PREFIX
from app.core import grants, rights
from app.core.entity import Entity, registry
from app.core.fields import FREELY, FROM_ABOVE, Field
from app.core.powers import OTHER_RIGHTS, field_right, is_offered, powers, rights_of
from app.core.wording import N_

HEAD = N_(
    "每个角色能对哪类记录做什么、能看到和修改其中哪些项目、及于哪里。授权可以把范围缩小到年级、班级，不能扩大。"
)
SCOPES = {
    "open": N_("各处都可查看"),
    "region": N_("本区域和上级区域的，也看所辖区域的"),
    "school": N_("全校，缩小的授权也查看全校"),
    "place": N_("随授权的学校、年级、班级"),
    "pupil": N_("随学生所在的学校、年级、班级"),
    "parties": N_("涉及的各方"),
    "audit": N_("发生的地方，和学生现在的地方"),
}
WIDE = N_("随授权的学校，缩小的授权也查看全校")
VERBS = {"see": N_("看到"), "edit": N_("修改"), "reveal": N_("看完整号码")}


def text(session: Session, *, own: bool = False) -> str:
    """The default roles; with `own` those of schools and bureaus as well."""
    query = sa.select(Role).order_by(Role.level.desc(), Role.id)
    roles = [role for role in session.scalars(query) if own or rights.is_default(role)]
    sets = grants.rights_of_roles(session, {role.id for role in roles})
    parts = [f"# {_('角色与权限')}\n\n{_(HEAD)}\n"]
    parts += ["\n".join(_of_role(role, sets[role.id])) + "\n" for role in roles]
    return "\n".join(parts)


def _of_role(role: Role, held: frozenset[str]) -> Iterator[str]:
    known, able = role.name.removeprefix(PREFIX), powers(held)
    yield f"## {role.label} ({known})\n"
    yield f"{_extent_of(role)}\n"
    yield "```"
    for entity in sorted(registry, key=lambda one: one.key()):
        yield from _of_entity(entity, held, able)
    yield from (right for right in OTHER_RIGHTS if right in held)
    yield "```"


def _extent_of(role: Role) -> str:
    if role.level == grants.BUREAU:
        return _("范围：本区划及以下，或其中一个区划。")
    if role.heads_unit:
        return _("范围：全校。")
    if role.level == grants.SCHOOL:
        return _("范围：部分年级、班级。") if role.name in NARROW else _("范围：全校，或部分年级、班级。")
    return _("范围：全系统，不含学生信息。")


def _of_entity(entity: type[Entity], held: frozenset[str], able: frozenset[str]) -> Iterator[str]:
    actions = [right.rpartition(":")[2] for right in rights_of(entity) if right in held]
    fields = [one for one in entity.fields().values() if is_offered(one)]
    seen = [list(_with(entity, verb, fields, able, held)) for verb in VERBS]
    if not actions and not any(seen):
        return
    scope = WIDE if entity.__school_wide__ else SCOPES[entity.__scope__]
    yield f"{entity.key()}: {' '.join(actions)}  [{_(scope)}]"
    for verb, names in zip(VERBS.values(), seen, strict=True):
        if names:
            yield f"    {_(verb)}: {_listed(names, [one.name for one in fields])}"


def _with(
    entity: type[Entity], verb: str, fields: Iterable[Field], able: Collection[str], held: Collection[str]
) -> Iterator[str]:
    for one in fields:
        settled = one.edit is FREELY or (one.edit is FROM_ABOVE and f"{entity.key()}:govern" in held)
        if field_right(entity, one.name, verb) in able and (verb != "edit" or settled):
            yield one.name


def _listed(names: list[str], everything: list[str]) -> str:
    """All, or whichever list is the shorter: those, or those that are missing."""
    missing = [name for name in everything if name not in names]
    if not missing:
        return _("全部项目")
    if len(missing) < len(names):
        return _("全部项目，除%(names)s", names=" ".join(missing))
    return " ".join(names)
