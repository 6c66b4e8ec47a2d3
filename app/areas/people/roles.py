"""The default roles: read from seeds/roles.csv, a row for each role and right, and kept in step with the database.

A school's or bureau's own roles are not made here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from app.areas.people.accounts import Home
from app.areas.schools.models import SchoolStage
from app.core import grants, rights
from app.core.places import authority_range
from app.core.powers import all_rights

FILE = Path(__file__).resolve().parents[3] / "seeds" / "roles.csv"
HEADER = ["role", "label", "level", "right"]
LEVELS = ("school", "bureau", "platform")
PREFIX = "default:"

SUPER_ADMIN, SCHOOL_ALL = f"{PREFIX}super_admin", f"{PREFIX}school_all"
CLERK = f"{PREFIX}clerk"
BUREAU_ADMIN, BUREAU_ALL = f"{PREFIX}bureau_admin", f"{PREFIX}bureau_all"
BUNDLES = {SUPER_ADMIN: SCHOOL_ALL, BUREAU_ADMIN: BUREAU_ALL}
"""Who administers people holds, beside the role itself, a bundle to pass on and not to use."""
NARROW = frozenset({f"{PREFIX}class_teacher"})
"""Roles that make sense for some grades or classes only."""


ABOUT = {
    "super_admin": "开通账号，建立和授予角色；自己不使用学生信息的权限",
    "clerk": "维护学籍信息，新增学生，提交学籍异动",
    "leader": "查看全校学籍，审核学籍异动；学校选定后由主管部门确认",
    "class_teacher": "查看和维护本班学生的普通项目",
    "school_all": "学校管理员手中可以转授、自己不使用的全部权限",
    "bureau_viewer": "只读查看本区划各学校",
    "bureau_reviewer": "审核学籍异动，批准班额等下达项目",
    "bureau_admin": "管理学校、账号和授权，任命学校总管理员",
    "bureau_all": "主管部门管理员手中可以转授、自己不使用的全部权限",
    "operator": "安装、备份、维护学年和区划；看不到学生",
}
"""What each default role is for, in a line."""


class BadRoles(ValueError):
    """seeds/roles.csv cannot be used; the text lists every fault."""


@dataclass(frozen=True, slots=True)
class DefaultRole:
    key: str
    label: str
    level: str
    rights: frozenset[str]

    @property
    def name(self) -> str:
        """The key in ab_role, unique among all schools' roles."""
        return PREFIX + self.key


def read_roles(path: Path = FILE) -> dict[str, DefaultRole]:
    """The roles of the file by key. Raises BadRoles with all faults at once."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    if not lines or lines[0] != HEADER:
        raise BadRoles(f"{path.name}: the first line must be {','.join(HEADER)}")
    if faults := list(_faults(lines[1:])):
        raise BadRoles(f"{path.name}: " + "; ".join(faults))
    words = {key: (label, level) for key, label, level, _right in lines[1:]}
    return {
        key: DefaultRole(key, label, level, frozenset(line[3] for line in lines[1:] if line[0] == key))
        for key, (label, level) in words.items()
    }


def _faults(lines: Iterable[list[str]]) -> Iterable[str]:
    known, words, seen = set(all_rights()), dict[str, tuple[str, str]](), set()
    for number, line in enumerate(lines, start=2):
        if len(line) != len(HEADER) or not all(line):
            yield f"line {number}: needs {len(HEADER)} cells, none of them empty"
            continue
        key, label, level, right = line
        if right not in known:
            yield f"line {number}: no right {right!r}"
        if level not in LEVELS:
            yield f"line {number}: no level {level!r}, there are {', '.join(LEVELS)}"
        if words.setdefault(key, (label, level)) != (label, level):
            yield f"line {number}: {key!r} has another label or level above"
        if (key, right) in seen:
            yield f"line {number}: {key!r} has {right!r} already"
        seen.add((key, right))


def load_roles(session: Session) -> dict[str, Role]:
    """Writes the default roles and exactly their rights; may be run again. Returns them by ab_role.name.

    Where a default role shrank, its copies shrink along, and what was passed on beyond it ends.
    """
    wanted = read_roles()
    rights.sync(session)
    found = {role.name: role for role in session.scalars(sa.select(Role).where(Role.name.startswith(PREFIX)))}
    for one in wanted.values():
        role = found[one.name] = found.get(one.name) or Role(name=one.name)
        role.label, role.level, role.heads_unit = one.label, one.level, one.name == SUPER_ADMIN
        role.description = ABOUT.get(one.key, "")
        session.add(role)
    session.flush()
    for one in wanted.values():
        grants.write_role(session, found[one.name], one.rights)
    for one in wanted.values():
        grants.shrink_copies(session, found[one.name])
    for given in grants.uncovered(session):
        grants.withdraw(session, rights.system("roles"), given)
    return found


def default_roles(session: Session) -> list[Role]:
    """The roles one may choose from: the default ones without the bundles."""
    query = sa.select(Role).where(Role.name.startswith(PREFIX), Role.name.not_in(BUNDLES.values()))
    return list(session.scalars(query.order_by(Role.id)))


def own_roles(session: Session, home: Home) -> list[Role]:
    """The roles that a school or bureau has made."""
    if home.school_id is None and home.region_code is None:
        return []
    is_theirs = (
        Role.school_id == home.school_id
        if home.school_id is not None
        else Role.region_code == home.region_code
    )
    return list(session.scalars(sa.select(Role).where(is_theirs).order_by(Role.id)))


def roles_in_region(session: Session, region_code: str) -> list[Role]:
    """What a bureau can make a rule about: the default roles, its own, and those below it that were copied from none.
    A copy goes with what it was copied from."""
    low, high = authority_range(region_code)
    schools = sa.select(SchoolStage.school_id).where(SchoolStage.authority_code.between(low, high))
    below = sa.or_(Role.region_code.between(low, high), Role.school_id.in_(schools))
    mine = sa.or_(Role.region_code == region_code, sa.and_(Role.template_id.is_(None), below))
    return [*default_roles(session), *session.scalars(sa.select(Role).where(mine).order_by(Role.id))]
