"""The default roles: what seeds/roles.csv says, and that the database says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from app import areas
from app.areas.people.roles import BadRoles, default_roles, load_roles, read_roles
from app.core import grants, powers
from app.core.entity import registry

areas.load()  # rights come from the declarations

SCHOOL = ("super_admin", "clerk", "leader", "class_teacher")
BUREAU = ("bureau_viewer", "bureau_reviewer", "bureau_admin")


def test_bundles_are_the_union_of_what_they_bundle() -> None:
    roles = read_roles()
    assert roles["school_all"].rights == frozenset().union(*(roles[key].rights for key in SCHOOL))
    assert roles["bureau_all"].rights == roles["school_all"].rights.union(
        *(roles[key].rights for key in BUREAU)
    )


def test_every_right_is_in_some_role() -> None:
    held = frozenset().union(*(role.rights for role in read_roles().values()))
    assert set(powers.plain_rights()) - held == set()


PUPIL = {e.key() for e in registry if e.__scope__ in ("pupil", "parties")} | {"student", "stay"}


@pytest.mark.parametrize("key", ["super_admin", "bureau_admin", "operator"])
def test_who_runs_people_or_machines_uses_no_pupil_right(key: str) -> None:
    assert {right.partition(":")[0] for right in read_roles()[key].rights} & PUPIL == set()


def test_a_viewer_changes_nothing_and_sees_neither_family_nor_health_nor_evidence() -> None:
    held = read_roles()["bureau_viewer"].rights
    assert {right.partition(":")[2] for right in held} == {"list", "show", "reveal"}
    assert not [
        right
        for right in held
        if right.startswith(("family_member", "evidence_file")) or right == "student:health"
    ]


def test_only_who_administers_people_grants() -> None:
    giving = {key for key, role in read_roles().items() if "grant:add" in role.rights}
    assert giving == {"super_admin", "bureau_admin", "school_all", "bureau_all"}


def test_loading_again_changes_nothing(session: Session) -> None:
    before = {role.name: grants.rights_in_role(session, role) for role in load_roles(session).values()}
    session.commit()
    assert {
        role.name: grants.rights_in_role(session, role) for role in load_roles(session).values()
    } == before
    assert not session.dirty
    wanted = {role.name: role.rights for role in read_roles().values()}
    assert before == wanted


def test_loading_repairs_what_was_changed_by_hand(session: Session) -> None:
    clerk = session.scalars(sa.select(Role).where(Role.name == "default:clerk")).one()
    clerk.label, clerk.permissions = "", clerk.permissions[:1]
    session.commit()
    load_roles(session)
    assert clerk.label == "学籍管理员"
    assert grants.rights_in_role(session, clerk) == read_roles()["clerk"].rights


def test_bundles_are_not_offered(session: Session) -> None:
    labels = [role.label for role in default_roles(session)]
    assert labels[:2] == ["学校总管理员", "学籍管理员"]
    assert not [label for label in labels if "可转授" in label]


def test_all_faults_of_the_file_are_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "roles.csv"
    file.write_text(
        "role,label,level,right\n"
        "clerk,学籍管理员,school,student:list\n"
        "clerk,学籍管理员,school,student:list\n"
        "clerk,书记员,school,student:show\n"
        "clerk,学籍管理员,planet,student:fly\n"
        "clerk,学籍管理员\n",
        encoding="utf-8",
    )
    with pytest.raises(BadRoles) as refused:
        read_roles(file)
    said = str(refused.value)
    for part in (
        "line 3: 'clerk' has 'student:list' already",
        "line 4",
        "'student:fly'",
        "'planet'",
        "line 6",
    ):
        assert part in said


def test_a_file_with_another_head_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "roles.csv"
    file.write_text("role;right\n", encoding="utf-8")
    with pytest.raises(BadRoles, match="first line"):
        read_roles(file)
