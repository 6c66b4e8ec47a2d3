"""The known ways from some rights to more rights, each by page and by program; after each refusal nothing was written.

The sub-admin is 小周: 李老师 lets him administer people and pass on the clerk's role in grade 7. Other things that an
administrator of people might try are in test_people_holes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from werkzeug.test import TestResponse

from app.areas.people import granting
from app.core import grants, rights, scope
from app.core.powers import powers
from app.core.rights import Extent, Grant
from app.extensions import db
from tests import cast
from tests.accounts import account, role_id
from tests.areas.people.test_granting import grants_of
from tests.areas.people.test_pages import NEW
from tests.areas.people.test_people_holes import Hand, token_of
from tests.cast import CHENGGUAN, YIZHONG
from tests.client import Client
from tests.flows import world

Login = Callable[..., Client]
SCHOOL = cast.school(YIZHONG)
SEVENTH, EIGHTH = cast.grade(YIZHONG, 7), cast.grade(YIZHONG, 8)
ENDS, LATER = date(2098, 8, 31), date(2099, 8, 31)
STRANGER = 999_999  # the id of nothing
PUPIL = cast.pupil("张一鸣")  # of grade 8


@dataclass
class Way(Hand):
    """Acts with roles, grants and pupils as well."""

    def grant(self, username: str, role: int, **words: Any) -> TestResponse:
        pk = cast.person(username)
        if self.by_program:
            return self.client.post("/api/v1/grants/", json={"person_id": pk, "role_id": role, **words})
        return self.client.post(f"/grants/add/{pk}", data={"role_id": role, "purpose": "use", **words})

    def renew(self, grant_id: int, until: date | None) -> TestResponse:
        day = until.isoformat() if until else ""
        if self.by_program:
            return self.client.post(f"/api/v1/grants/{grant_id}/renew", json={"until": day or None})
        return self.client.post(f"/grants/renew/{grant_id}", data={"until": day})

    @property
    def no_such_template(self) -> int:
        """By program it is one of the words sent, on the pages the address."""
        return 422 if self.by_program else 404

    def copy(self, template: int, wanted: Any, label: str = "抄来的角色") -> TestResponse:
        if self.by_program:
            words = {"label": label, "template_id": template, "rights": sorted(wanted)}
            return self.client.post("/api/v1/roles/", json=words)
        return self.client.post(f"/roles/copy/{template}", data={"label": label, "right": sorted(wanted)})

    def edit_role(self, role: Role, wanted: Any) -> TestResponse:
        if self.by_program:
            mark = {"If-Match": f'"{role.version}"'}
            return self.client.put(f"/api/v1/roles/{role.id}", json={"rights": sorted(wanted)}, headers=mark)
        words = {"label": role.label, "version": role.version, "right": sorted(wanted)}
        return self.client.post(f"/roles/edit/{role.id}", data=words)

    def edit_pupil(self, pk: int, address: str, **words: Any) -> TestResponse:
        version = version_of(self.client.application, pk)
        if self.by_program:
            mark = {"If-Match": f'"{version}"', **words}
            return self.client.put(f"/api/v1/students/{pk}", json={"address": address}, headers=mark)
        return self.client.post(f"/students/edit/{pk}", data={"version": version, "address": address})


@pytest.fixture(params=[False, True], ids=["by_page", "by_program"])
def way(request: pytest.FixtureRequest, login: Login) -> Callable[..., Way]:
    return lambda username, *password: Way(login(username, *password), request.param)


# --- the sub-admin ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SubAdmin:
    role_id: int
    """The role by which he administers people."""
    clerk_grant_id: int
    """The clerk's role in grade 7, which he uses and may pass on."""


@pytest.fixture
def sub_admin(app: Flask) -> SubAdmin:
    people, clerk = role_id(app, "super_admin"), role_id(app, "clerk")
    with app.app_context(), scope.acting(db.session(), cast.actor(db.session(), "li")) as by:
        session = db.session()
        zhou = session.get_one(User, cast.person("zhou"))
        held = grants.rights_in_role(session, session.get_one(Role, people))
        made = grants.make_role(session, by, Role(label="副管理员", school_id=SCHOOL), held)
        grants.grant(session, by, zhou, made, Extent(school_id=SCHOOL))
        seventh, until = Extent.of(SCHOOL, None, [SEVENTH]), granting.end_of(ENDS)
        given = grants.grant(session, by, zhou, session.get_one(Role, clerk), seventh, until, passable=True)
        session.commit()
        found = SubAdmin(made.id, given.id)
        db.session.remove()
    return found


def role_now(app: Flask, id_: int) -> Role:
    with app.app_context():
        found = db.session.get_one(Role, id_)
        db.session.expunge(found)
        db.session.remove()
        return found


def rights_now(app: Flask) -> dict[int, frozenset[str]]:
    """Role → its rights and limits."""
    with app.app_context():
        found = grants.rights_of_roles(db.session(), set(db.session.scalars(sa.select(Role.id))))
        db.session.remove()
        return found


def version_of(app: Flask, pk: int) -> int:
    from app.areas.students.models import Student

    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        found = db.session.get_one(Student, pk).version
        db.session.remove()
        return found


def all_of_it(app: Flask) -> tuple[Any, ...]:
    return world.accounts(app), rights_now(app), world.audited_changes(app), version_of(app, PUPIL)


@contextmanager
def nothing_written(app: Flask) -> Iterator[None]:
    """No account, role, right of a role, grant, pupil, and no line of the audit that would tell of one."""
    before = all_of_it(app)
    yield
    assert all_of_it(app) == before


def refused(answer: TestResponse, status: int, says: str = "") -> None:
    assert answer.status_code == status, answer.get_data(as_text=True)[-2000:]
    said = str(answer.json) if answer.is_json else answer.get_data(as_text=True)
    assert says in said


# --- his own grants -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["clerk", "class_teacher", "leader"])
def test_he_gives_himself_no_role(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin, role: str
) -> None:
    zhou = way("zhou")
    with nothing_written(app):
        answer = zhou.grant("zhou", role_id(app, role), grade_ids=[SEVENTH], until=ENDS.isoformat())
        refused(answer, 422, "没有找到所选的角色" if role == "leader" else "不能给自己授权")


def test_he_does_not_widen_his_own_grant(app: Flask, way: Callable[..., Way], sub_admin: SubAdmin) -> None:
    """Neither its end nor, by a second one, its grades."""
    zhou, clerk = way("zhou"), role_id(app, "clerk")
    with nothing_written(app):
        refused(zhou.renew(sub_admin.clerk_grant_id, LATER), 403, "这是您自己的权限")
        refused(zhou.renew(sub_admin.clerk_grant_id, None), 403, "这是您自己的权限")
        for words in ({}, {"grade_ids": [SEVENTH, EIGHTH]}, {"grade_ids": [EIGHTH]}):
            refused(zhou.grant("zhou", clerk, until=ENDS.isoformat(), **words), 422, "不能给自己授权")


def test_he_does_not_widen_it_for_a_colleague_either(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin
) -> None:
    """Within it he passes on: that is what shows that the rest was refused for its breadth."""
    zhou, clerk = way("zhou"), role_id(app, "clerk")
    with nothing_written(app):
        for words in ({}, {"grade_ids": [EIGHTH]}, {"class_ids": [cast.class_of(YIZHONG, 8, 1)]}):
            refused(zhou.grant("lin", clerk, until=ENDS.isoformat(), **words), 422, "授权范围超出")
        refused(zhou.grant("lin", clerk, grade_ids=[SEVENTH], until=LATER.isoformat()), 422, "截止日期晚于")
        refused(zhou.grant("lin", clerk, grade_ids=[SEVENTH]), 422, "截止日期晚于")
    answer = zhou.grant("lin", clerk, grade_ids=[SEVENTH], until=ENDS.isoformat())
    assert answer.status_code in (201, 302)
    assert grants_of(app, "lin")[-1].under_id == sub_admin.clerk_grant_id


# --- roles --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"student:list", "student:show", "student:edit"}, id="what he may pass on in grade 7"),
        pytest.param({"student:list", "change:review"}, id="what he may not pass on"),
    ],
)
def test_he_does_not_widen_the_role_he_holds(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin, more: set[str]
) -> None:
    zhou, role = way("zhou"), role_now(app, sub_admin.role_id)
    with nothing_written(app):
        refused(
            zhou.edit_role(role, rights_now(app)[role.id] | more), 403, "您自己担任“副管理员”，不能修改它"
        )


@pytest.mark.parametrize("key", ["super_admin", "clerk", "school_all"])
def test_he_edits_no_default_role(app: Flask, way: Callable[..., Way], sub_admin: SubAdmin, key: str) -> None:
    zhou, role = way("zhou"), role_now(app, role_id(app, key))
    with nothing_written(app):
        refused(zhou.edit_role(role, rights_now(app)[role.id] | {"change:review"}), 403, "默认角色")


def test_a_copy_of_the_super_admins_role_carries_no_more_than_he_may_pass_on(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin
) -> None:
    zhou, template = way("zhou"), role_id(app, "super_admin")
    held = rights_now(app)
    with nothing_written(app):
        refused(zhou.copy(template, held[template]), 422)
        refused(zhou.copy(role_id(app, "school_all"), held[template]), zhou.no_such_template)

    both = held[template] & held[role_id(app, "clerk")]
    assert zhou.copy(template, both).status_code in (201, 302)
    copied = role_now(app, max(rights_now(app)))
    assert (copied.label, copied.heads_unit, copied.template_id) == ("抄来的角色", False, template)
    assert powers(rights_now(app)[copied.id]) <= powers(held[role_id(app, "clerk")])

    until = ENDS.isoformat()
    with nothing_written(app):
        refused(zhou.grant("zhou", copied.id, grade_ids=[SEVENTH], until=until), 422, "不能给自己授权")
        refused(zhou.grant("lin", copied.id, until=until), 422, "授权范围超出")
        refused(zhou.edit_role(copied, held[template]), 422)
    assert zhou.grant("lin", copied.id, grade_ids=[SEVENTH], until=until).status_code in (201, 302)


def test_what_the_copy_carries_later_is_bounded_too(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin
) -> None:
    """李老师 copies her own role in full: not even that copy heads the school, and 小周 cannot give it."""
    template = role_id(app, "super_admin")
    assert way("li").copy(template, rights_now(app)[template]).status_code in (201, 302)
    copied = role_now(app, max(rights_now(app)))
    assert copied.heads_unit is False
    zhou = way("zhou")
    with nothing_written(app):
        for username in ("zhou", "lin"):
            refused(zhou.grant(username, copied.id), 422, "没有找到所选的角色")


# --- ids that are nobody's ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        {"grade_ids": [STRANGER]},
        {"grade_ids": [SEVENTH, STRANGER]},
        {"grade_ids": [cast.grade(CHENGGUAN, 7)]},
        {"class_ids": [STRANGER]},
        {"class_ids": [cast.class_of(YIZHONG, 7, 1), cast.class_of(CHENGGUAN, 7, 1)]},
        {"grade_ids": ["all"]},
        {"grade_ids": [-1]},
        {"class_ids": [2**63]},
    ],
    ids=str,
)
def test_unknown_places_are_refused(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin, words: dict[str, Any]
) -> None:
    zhou, clerk = way("zhou"), role_id(app, "clerk")
    with nothing_written(app):
        refused(zhou.grant("lin", clerk, until=ENDS.isoformat(), **words), 422)


@pytest.mark.parametrize("role", [STRANGER, 2**31 - 1])
def test_unknown_roles_are_refused(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin, role: int
) -> None:
    zhou = way("zhou")
    with nothing_written(app):
        refused(zhou.grant("lin", role, grade_ids=[SEVENTH]), 422, "没有找到所选的角色")
        refused(zhou.copy(role, {"student:list"}), zhou.no_such_template, "没有找到")


@pytest.mark.parametrize("right", ["student:fly", "student:phone:fly", "person", "", "can_edit", "1", "\0"])
def test_unknown_rights_are_refused(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin, right: str
) -> None:
    zhou, reads = way("zhou"), {"student:list", "student:show"}
    assert zhou.copy(role_id(app, "clerk"), reads).status_code in (201, 302)
    made = role_now(app, max(rights_now(app)))
    with nothing_written(app):
        refused(zhou.copy(role_id(app, "clerk"), {*reads, right}, "另一个角色"), 422, "这项权限")
        refused(zhou.edit_role(made, {*reads, right}), 422, "这项权限")


# --- passwords of others --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "whose", "status"),
    [("zhou", "li", 403), ("zhou", "wang", 404), ("zhou", "he", 404), ("li", "wang", 404)],
)
def test_a_password_from_above_or_elsewhere_is_not_reset(
    app: Flask, way: Callable[..., Way], login: Login, sub_admin: SubAdmin, by: str, whose: str, status: int
) -> None:
    one, epoch = way(by), account(app, whose).epoch
    with nothing_written(app):
        refused(one.act("reset", cast.person(whose)), status)
        refused(one.edit(cast.person(whose), name="别名"), status)
    assert account(app, whose).epoch == epoch
    login(whose)  # the password is still the one it was


# --- after the password was changed -----------------------------------------------------------------------


def change_own(app: Flask, login: Login) -> None:
    words = {"old_password": cast.PASSWORD, "new_password": NEW, "again": NEW}
    assert login("lin").post("/account/password", data=words).status_code == 302


def reset_by_page(app: Flask, login: Login) -> None:
    assert login("li").post(f"/people/reset/{cast.person('lin')}").status_code == 302


def reset_by_program(app: Flask, login: Login) -> None:
    assert login("li").post(f"/api/v1/people/{cast.person('lin')}/reset").status_code == 200


@pytest.mark.parametrize("change", [change_own, reset_by_page, reset_by_program])
@pytest.mark.parametrize("by_program", [False, True], ids=["by_page", "by_program"])
def test_what_was_opened_with_the_old_password_is_closed(
    app: Flask, login: Login, change: Callable[[Flask, Login], None], by_program: bool
) -> None:
    """A session that came through the login page, at pages and at the API, and a token."""
    session, held = login("lin"), token_of(app, "lin")
    lin = Way(session, by_program)
    with_token = Way(Client(app), True)
    assert lin.edit_pupil(PUPIL, "青岚县城关镇新街1号").status_code in (200, 302)
    assert with_token.edit_pupil(PUPIL, "青岚县城关镇新街2号", **held).status_code == 200
    change(app, login)
    with nothing_written(app):
        answer = lin.edit_pupil(PUPIL, "青岚县城关镇新街3号")
        if by_program:
            refused(answer, 401)
        else:
            assert answer.status_code == 302
            assert answer.location.startswith("/login/")
        refused(with_token.edit_pupil(PUPIL, "青岚县城关镇新街4号", **held), 401)


# --- after the grant has ended ----------------------------------------------------------------------------


def end(app: Flask, *conditions: Any) -> None:
    """As time does: nothing but the end of the grant passes."""
    with app.app_context():
        past = datetime.now(UTC) - timedelta(seconds=1)
        db.session.execute(sa.update(Grant).where(*conditions).values(until=past))
        db.session.commit()
        db.session.remove()


def test_a_pupil_is_not_edited_once_the_grant_has_ended(app: Flask, way: Callable[..., Way]) -> None:
    lin = way("lin")
    assert lin.edit_pupil(PUPIL, "青岚县城关镇新街1号").status_code in (200, 302)
    end(app, Grant.person_id == cast.person("lin"))
    with nothing_written(app):
        refused(lin.edit_pupil(PUPIL, "青岚县城关镇新街2号"), 403, "您没有“修改“学生””的权限")


def test_nothing_is_passed_on_once_the_grant_has_ended(
    app: Flask, way: Callable[..., Way], sub_admin: SubAdmin
) -> None:
    """First the grant he passes on from, then the one by which he may give at all."""
    zhou, clerk = way("zhou"), role_id(app, "clerk")
    words = {"grade_ids": [SEVENTH], "until": ENDS.isoformat()}
    assert zhou.grant("lin", clerk, **words).status_code in (201, 302)
    end(app, Grant.id == sub_admin.clerk_grant_id)
    with nothing_written(app):
        refused(zhou.grant("lin", clerk, **words), 422)
    end(app, Grant.role_id == sub_admin.role_id)
    with nothing_written(app):
        refused(zhou.grant("lin", clerk, **words), 403, "您没有“授权”的权限")
        refused(zhou.copy(clerk, {"student:list"}), 403, "您没有“新建、复制角色”的权限")
        refused(zhou.act("reset", cast.person("lin")), 403, "您没有“修改、停用、解锁账号”的权限")
