"""The rule that every grant obeys, whatever way it comes about: given, passed on, handed over, or changed with its role.

What a holder can do with it, and the plainest refusals, are in test_rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people.roles import BUREAU_ADMIN, BUREAU_ALL, PREFIX, SCHOOL_ALL, SUPER_ADMIN, load_roles
from app.core import grants, powers, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.errors import Denied, Invalid, Stale
from app.core.rights import Actor, Extent, Grant
from tests import cast
from tests.cast import CHENGGUAN, CITY, QINGLAN, SHIXI, YIZHONG

HERE, THERE = Extent(school_id=cast.school(YIZHONG)), Extent(school_id=cast.school(CHENGGUAN))
COUNTY = Extent.of(None, QINGLAN)
SYSTEM = rights.system("tests")
READS = frozenset({"student:list", "student:show", "school:show"})


# --- asking by name -----------------------------------------------------------------------------------


def role(session: Session, key: str) -> Role:
    return session.scalars(sa.select(Role).where(Role.name.in_((key, PREFIX + key)))).one()


def user(session: Session, username: str) -> User:
    return session.get_one(User, cast.person(username))


def held_by(session: Session, username: str, key: str) -> Grant:
    wanted = role(session, key).id
    return next(g for g in grants.held_grants(session, cast.person(username)) if g.role_id == wanted)


def give(
    session: Session, giver: str | Actor, taker: str, of: str | Role, extent: Extent = HERE, **words: Any
) -> Grant:
    by = giver if isinstance(giver, Actor) else cast.actor(session, giver)
    wanted = of if isinstance(of, Role) else role(session, of)
    return grants.grant(session, by, user(session, taker), wanted, extent, **words)


def pass_on(session: Session, giver: str | Actor, taker: str, extent: Extent = HERE, **words: Any) -> Grant:
    """Everything of a school, to pass on and not to use."""
    return give(session, giver, taker, SCHOOL_ALL, extent, usable=False, passable=True, **words)


def own_role(
    session: Session, by: str, wanted: Iterable[str], template: str = "", at: Extent = HERE, **words: Any
) -> Role:
    made = Role(
        label=words.pop("label", "七年级学籍员"), school_id=at.school_id, region_code=at.low or None, **words
    )
    copied = role(session, template) if template else None
    return grants.make_role(session, cast.actor(session, by), made, frozenset(wanted), copied)


def of_template(session: Session, key: str) -> frozenset[str]:
    return grants.rights_in_role(session, role(session, key))


def make_sub_admin(session: Session, username: str) -> Grant:
    """Somebody whom 李老师 lets administer people, too: the returned grant is what he passes on from."""
    give(
        session,
        "li",
        username,
        own_role(session, "li", of_template(session, "super_admin"), label="副管理员"),
    )
    return pass_on(session, "li", username)


def make_city_admin(session: Session, username: str = "cheng") -> None:
    """The city decides over the whole of 青岚县第一中学, its senior part included."""
    city = Extent.of(None, CITY)
    for given in grants.held_grants(session, cast.person(username)):
        grants.withdraw(session, SYSTEM, given)
    give(session, SYSTEM, username, BUREAU_ADMIN, city)
    give(session, SYSTEM, username, BUREAU_ALL, city, usable=False, passable=True)


def said(act: Callable[[], object]) -> str:
    with pytest.raises(Invalid) as refused:
        act()
    return str(refused.value)


def complaints_of(act: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        act()
    return dict(refused.value.complaints)


# --- to oneself ---------------------------------------------------------------------------------------


def test_one_person_has_one_account(session: Session) -> None:
    """Name and phone tell that 赵's account is 李老师's second one."""
    for username in ("li", "zhao"):
        user(session, username).first_name, user(session, username).phone = "李老师", "14012345678"
    assert "一人一个账号" in said(lambda: give(session, "li", "zhao", "class_teacher"))
    user(session, "zhao").phone = "14087654321"
    give(session, "li", "zhao", "class_teacher")


def test_namesakes_without_a_phone_are_two_people(session: Session) -> None:
    user(session, "zhao").first_name = "李老师"
    give(session, "li", "zhao", "class_teacher")


def test_nothing_goes_back_to_a_second_account_of_whom_it_came_from(session: Session) -> None:
    pass_on(session, "li", "zhao")
    user(session, "lin").first_name = "李老师"
    for username in ("li", "lin"):
        user(session, username).phone = "14012345678"
    assert "由对方转授而来" in said(lambda: give(session, "zhao", "lin", "leader"))
    give(session, "zhao", "zhou", "leader")


def test_nothing_goes_back_however_long_the_way(session: Session) -> None:
    pass_on(session, "li", "zhao")
    pass_on(session, "zhao", "lin")
    for above in ("li", "zhao"):
        assert "由对方转授而来" in said(lambda above=above: give(session, "lin", above, "class_teacher"))


# --- how, from when, until when -----------------------------------------------------------------------


def test_a_grant_is_for_use_or_to_pass_on(session: Session) -> None:
    assert complaints_of(lambda: give(session, "li", "zhou", "clerk", usable=False)).keys() == {"usable"}


def test_an_end_comes_after_the_start_and_after_today(session: Session) -> None:
    now = datetime.now(UTC)
    for words in (
        {"until": now - timedelta(days=1), "starts_at": now - timedelta(days=9)},
        {"until": now + timedelta(days=1), "starts_at": now + timedelta(days=2)},
    ):
        assert "until" in complaints_of(lambda words=words: give(session, "li", "zhou", "clerk", **words))


def test_what_the_giver_passed_on_from_is_read_anew(session: Session) -> None:
    """The page was opened before his own grant ended, or its role lost something."""
    source = make_sub_admin(session, "zhao")
    opened = cast.actor(session, "zhao")
    source.until = datetime.now(UTC) - timedelta(seconds=1)
    session.flush()
    assert "刚刚被收回或到期" in said(lambda: give(session, opened, "zhou", "clerk"))


def test_a_role_narrowed_meanwhile_passes_on_no_more_than_it_now_holds(session: Session) -> None:
    made = own_role(session, "li", READS | {"student:edit"})
    give(session, "li", "zhao", made, usable=False, passable=True)
    opened = cast.actor(session, "zhao")
    grants.change_role(session, cast.actor(session, "li"), made, READS)
    other = own_role(session, "li", READS | {"student:edit"}, label="另一个角色")
    assert "没有可转授的权限" in said(lambda: give(session, opened, "zhou", other))


def test_who_looks_on_as_another_person_gives_and_takes_nothing(session: Session) -> None:
    watching = replace(cast.actor(session, "li"), looks_as="林老师")
    given = give(session, "li", "zhou", "class_teacher")
    for act in (
        lambda: give(session, watching, "zhao", "class_teacher"),
        lambda: grants.withdraw(session, watching, given),
        lambda: grants.replace_grant(session, watching, given, user(session, "zhao"), None),
        lambda: grants.make_role(session, watching, Role(label="某角色", school_id=HERE.school_id), READS),
    ):
        with pytest.raises(Denied, match="视角"):
            act()


# --- who submits does not approve ---------------------------------------------------------------------


def test_nobody_holds_submit_and_review_at_one_school(session: Session) -> None:
    assert "谁提交，谁就不能审核" in said(lambda: give(session, "li", "lin", "leader"))
    assert "谁提交，谁就不能审核" in said(lambda: give(session, "li", "zhao", "clerk"))


def test_grades_and_classes_do_not_tell_duties_apart(session: Session) -> None:
    seventh, eighth = (Extent.of(HERE.school_id, None, [cast.grade(YIZHONG, n)]) for n in (7, 8))
    give(session, "li", "zhou", "clerk", seventh)
    assert "谁提交，谁就不能审核" in said(lambda: give(session, "li", "zhou", "leader", eighth))


def test_at_another_school_one_may_hold_the_other_duty(session: Session) -> None:
    give(session, "he", "lin", "leader", THERE)


def test_what_waits_and_what_has_not_begun_counts_as_held(session: Session) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    assert give(session, "li", "zhou", "leader", starts_at=later).awaits
    assert "谁提交，谁就不能审核" in said(lambda: give(session, "li", "zhou", "clerk"))


@pytest.mark.parametrize(
    ("region", "is_apart"), [(QINGLAN, False), (CITY, False), ("510000", False), (SHIXI, True)]
)
def test_a_region_that_reaches_the_school_overlaps_it(session: Session, region: str, is_apart: bool) -> None:
    """一中 belongs to the county and, with its senior part, to the city: who approves in either submits nothing there."""
    give(session, SYSTEM, "zhou", "clerk", HERE)
    wanted = grants.Wanted(
        user(session, "zhou"),
        role(session, "bureau_reviewer"),
        of_template(session, "bureau_reviewer"),
        Extent.of(None, region),
    )
    assert (list(grants.refusals(session, SYSTEM, wanted)) == []) is is_apart


def test_two_regions_overlap_where_one_lies_in_the_other(session: Session) -> None:
    submits = own_role(session, "he", ["change:list", "change:submit"], at=COUNTY)
    give(session, SYSTEM, "chen", submits, COUNTY)
    for region, refused in ((CITY, True), (SHIXI, False)):
        wanted = grants.Wanted(
            user(session, "chen"),
            role(session, "bureau_reviewer"),
            of_template(session, "bureau_reviewer"),
            Extent.of(None, region),
        )
        assert bool(list(grants.refusals(session, SYSTEM, wanted))) is refused, region


def test_to_pass_both_on_is_not_to_hold_both(session: Session) -> None:
    pass_on(session, "li", "lin")


# --- leaders ------------------------------------------------------------------------------------------


def leader_chosen(session: Session) -> Grant:
    return give(session, "li", "zhou", "leader")


def test_a_leader_chosen_by_the_school_waits_for_the_bureau(session: Session) -> None:
    given = leader_chosen(session)
    assert given.awaits
    assert not cast.actor(session, "zhou").has("change:review")
    grants.confirm(session, cast.actor(session, "he"), given)
    assert (given.awaits, given.confirmed_by) == (False, cast.person("he"))
    assert cast.actor(session, "zhou").has("change:review")
    assert "不需要确认" in said(lambda: grants.confirm(session, cast.actor(session, "he"), given))


def test_a_leader_chosen_by_the_bureau_does_not_wait(session: Session) -> None:
    """By the county in a school of its own; by the city in one whose senior part is the city's."""
    make_city_admin(session)
    for giver, extent in (("he", THERE), ("cheng", HERE)):
        assert not give(session, giver, "zhou", "leader", extent).awaits


def test_neither_the_chosen_nor_who_chose_him_confirms(session: Session) -> None:
    given = leader_chosen(session)
    for username in ("zhou", "li"):
        give(session, SYSTEM, username, BUREAU_ADMIN, COUNTY)
        with pytest.raises(Denied, match="不能确认给自己的或自己给出的授权"):
            grants.confirm(session, cast.actor(session, username), given)
    assert given.awaits


def test_a_second_account_of_the_chosen_does_not_confirm(session: Session) -> None:
    given = leader_chosen(session)
    user(session, "he").first_name = "小周"
    for username in ("he", "zhou"):
        user(session, username).phone = "14012345678"
    with pytest.raises(Denied, match="不能确认给自己的"):
        grants.confirm(session, cast.actor(session, "he"), given)


@pytest.mark.parametrize("username", ["sun", "chen", "lin", "xu", "wang"])
def test_only_holders_of_the_right_in_that_place_confirm(session: Session, username: str) -> None:
    given = leader_chosen(session)
    with pytest.raises(Denied):
        grants.confirm(session, cast.actor(session, username), given)


def test_the_bureau_says_no(session: Session) -> None:
    given = leader_chosen(session)
    with scope.acting(session, SYSTEM):
        assert grants.refuse(session, cast.actor(session, "he"), given, "不是主管领导") == [given]
        noted = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "refuse")).one()
    assert (noted.row_id, noted.reason) == (given.id, "不是主管领导")
    assert given.withdrawn_at is not None
    assert "不需要确认" in said(lambda: grants.confirm(session, cast.actor(session, "he"), given))


def test_a_confirmed_leader_stays_confirmed_when_his_time_is_extended(session: Session) -> None:
    given = leader_chosen(session)
    li, he = cast.actor(session, "li"), cast.actor(session, "he")
    waiting = grants.replace_grant(session, li, given, user(session, "zhou"), None)
    assert waiting.awaits
    grants.confirm(session, he, waiting)
    longer = grants.replace_grant(session, li, waiting, user(session, "zhou"), None)
    assert (longer.awaits, longer.confirmed_by) == (False, he.id)


def test_handed_to_somebody_else_the_leaders_place_waits_anew(session: Session) -> None:
    given = leader_chosen(session)
    grants.confirm(session, cast.actor(session, "he"), given)
    give_away(session, "lin")
    handed = grants.replace_grant(session, cast.actor(session, "li"), given, user(session, "lin"), None)
    assert handed.awaits


def give_away(session: Session, username: str) -> None:
    for given in grants.held_grants(session, cast.person(username)):
        grants.withdraw(session, SYSTEM, given)


def test_nobody_becomes_a_leader_by_an_edit_of_the_role_he_holds(session: Session) -> None:
    made = own_role(session, "li", READS | {"change:list", "change:show"}, "leader")
    give(session, "li", "zhou", made)
    wanted = READS | {"change:list", "change:show", "change:review"}
    assert "须由主管部门确认到人" in said(
        lambda: grants.change_role(session, cast.actor(session, "li"), made, wanted)
    )
    assert not cast.actor(session, "zhou").has("change:review")


# --- the super-admin ----------------------------------------------------------------------------------


def test_a_super_admin_is_appointed_from_above_without_an_end_for_the_whole_school(session: Session) -> None:
    assert "由主管部门任命" in said(lambda: give(session, "li", "zhao", SUPER_ADMIN))
    end = datetime.now(UTC) + timedelta(days=300)
    assert "不设截止日期" in said(lambda: give(session, "he", "wang", SUPER_ADMIN, THERE, until=end))
    part = Extent.of(THERE.school_id, None, [cast.grade(CHENGGUAN, 7)])
    assert "管理全校" in said(lambda: give(session, "he", "wang", SUPER_ADMIN, part))
    give(session, "he", "wang", SUPER_ADMIN, THERE)


def test_the_last_super_admin_stays(session: Session) -> None:
    make_city_admin(session)
    cheng, place = cast.actor(session, "cheng"), held_by(session, "li", SUPER_ADMIN)
    assert "将没有总管理员" in said(lambda: grants.withdraw(session, cheng, place))
    give(session, "cheng", "zhao", SUPER_ADMIN)
    assert grants.withdraw(session, cheng, place) == [place]
    assert grants.heads_of(session, HERE.school_id or 0) == [cast.person("zhao")]


def test_a_second_super_admin_who_is_suspended_or_not_there_yet_does_not_count(session: Session) -> None:
    make_city_admin(session)
    cheng, place = cast.actor(session, "cheng"), held_by(session, "li", SUPER_ADMIN)
    other = give(session, "cheng", "zhao", SUPER_ADMIN)
    user(session, "zhao").active = False
    session.flush()
    assert "将没有总管理员" in said(lambda: grants.withdraw(session, cheng, place))
    user(session, "zhao").active, other.starts_at = True, datetime.now(UTC) + timedelta(days=1)
    session.flush()
    assert "将没有总管理员" in said(lambda: grants.withdraw(session, cheng, place))


def test_the_bureau_replaces_a_super_admin_in_one_act(session: Session) -> None:
    make_city_admin(session)
    cheng, place = cast.actor(session, "cheng"), held_by(session, "li", SUPER_ADMIN)
    made = grants.replace_grant(session, cheng, place, user(session, "zhao"), None)
    assert (made.person_id, made.role_id) == (cast.person("zhao"), place.role_id)
    assert place.withdrawn_at is not None
    assert grants.heads_of(session, HERE.school_id or 0) == [cast.person("zhao")]


def test_from_inside_the_school_nobody_takes_a_super_admins_place(session: Session) -> None:
    make_city_admin(session)
    give(session, "cheng", "zhao", SUPER_ADMIN)
    pass_on(session, "cheng", "zhao")
    with pytest.raises(Denied, match="由主管部门任命"):
        grants.withdraw(session, cast.actor(session, "zhao"), held_by(session, "li", SUPER_ADMIN))


def test_a_copy_of_the_super_admin_role_makes_no_super_admin(session: Session) -> None:
    made = own_role(session, "li", of_template(session, "super_admin"), "super_admin", heads_unit=True)
    give(session, "li", "zhao", made)
    assert not made.heads_unit
    assert grants.heads_of(session, HERE.school_id or 0) == [cast.person("li")]


# --- taking back --------------------------------------------------------------------------------------


def test_nobody_takes_back_the_grant_that_his_own_came_from(session: Session) -> None:
    """It would fall with his own, and with everything else that 李老师 gave."""
    make_sub_admin(session, "zhao")
    zhao = cast.actor(session, "zhao")
    with pytest.raises(Denied, match="超出了您的权限"):
        grants.withdraw(session, zhao, held_by(session, "li", SCHOOL_ALL))


def test_nobody_takes_over_the_grant_that_his_own_came_from(session: Session) -> None:
    """He would stand above himself, out of reach of whoever stands above him now."""
    make_sub_admin(session, "zhao")
    zhao, source = cast.actor(session, "zhao"), held_by(session, "li", SCHOOL_ALL)
    source.giver_id = zhao.id  # as if he had once given it
    session.flush()
    assert "不能由您移交" in said(
        lambda: grants.replace_grant(session, zhao, source, user(session, "lin"), None)
    )


def test_nobody_takes_back_his_own(session: Session) -> None:
    with pytest.raises(Denied, match="您自己的权限"):
        grants.withdraw(session, cast.actor(session, "li"), held_by(session, "li", SCHOOL_ALL))


def test_whoever_gave_it_takes_it_back_also_without_any_right_left(session: Session) -> None:
    given = give(session, "li", "zhou", "clerk")
    bare = Actor(cast.person("li"), "李老师")
    assert grants.withdraw(session, bare, given) == [given]


def test_a_tree_ends_whole_with_a_statement_for_each_step_down(
    session: Session, statements: Callable[[], int]
) -> None:
    first = pass_on(session, "li", "zhao")
    for username in ("lin", "zhou"):
        pass_on(session, "zhao", username)
    narrow = Extent.of(HERE.school_id, None, None, [cast.class_of(YIZHONG, 7, 2)])
    leaf = give(session, "lin", "wang", "class_teacher", narrow)
    before = statements()
    tree = grants.passed_on(session, first)
    assert [g.person.first_name for g in tree] == ["林老师", "小周", "王老师"]
    assert statements() - before <= 3 * (1 + 3)  # three steps, each with its people, givers, roles
    ended = grants.withdraw(session, cast.actor(session, "li"), first)
    assert {g.id for g in ended} == {first.id, *(g.id for g in tree)}
    assert leaf.withdrawn_by == cast.person("li")


# --- handing over, renewing ---------------------------------------------------------------------------


def test_what_was_passed_on_goes_on_under_the_successor(session: Session) -> None:
    first = pass_on(session, "li", "zhao")
    child = give(session, "zhao", "zhou", "clerk")
    made = grants.replace_grant(session, cast.actor(session, "li"), first, user(session, "lin"), None)
    assert child.under_id == made.id
    assert child.withdrawn_at is None
    assert [g.id for g in grants.sources(session, child.id)][:2] == [child.id, made.id]
    ended = grants.withdraw(session, cast.actor(session, "li"), made)
    assert {g.id for g in ended} == {made.id, child.id}


def test_nothing_passed_on_outlasts_what_it_came_under(session: Session) -> None:
    soon, later = (datetime.now(UTC) + timedelta(days=n) for n in (30, 60))
    first = pass_on(session, "li", "zhao", until=later)
    give(session, "zhao", "zhou", "clerk", until=later)
    li = cast.actor(session, "li")
    found = complaints_of(lambda: grants.replace_grant(session, li, first, user(session, "zhao"), soon))
    assert "晚于这一天到期" in found["until"]
    assert first.withdrawn_at is None


def test_nobody_is_handed_what_his_own_came_from(session: Session) -> None:
    first = pass_on(session, "li", "zhao")
    give(session, "zhao", "zhou", "clerk")
    li = cast.actor(session, "li")
    assert "不能接手" in said(lambda: grants.replace_grant(session, li, first, user(session, "zhou"), None))


def test_nobody_extends_his_own_time(session: Session) -> None:
    given = give(session, SYSTEM, "li", "clerk", THERE)
    given.giver_id = cast.person("li")
    session.flush()
    assert "不能给自己授权" in said(
        lambda: grants.replace_grant(session, cast.actor(session, "li"), given, user(session, "li"), None)
    )


def test_what_is_taken_back_is_not_renewed(session: Session) -> None:
    given = give(session, "li", "zhou", "clerk")
    li = cast.actor(session, "li")
    grants.withdraw(session, li, given)
    assert "已经收回或到期" in said(
        lambda: grants.replace_grant(session, li, given, user(session, "zhou"), None)
    )


# --- who runs the machines ----------------------------------------------------------------------------


def test_the_platform_operator_sees_no_pupil(session: Session) -> None:
    assert "是运维人员" in said(lambda: give(session, SYSTEM, "ops", "bureau_viewer", COUNTY))
    assert "不能授予学校或主管部门的在岗人员" in said(
        lambda: give(session, SYSTEM, "lin", "operator", Extent.of(None, CITY))
    )
    operator = role(session, "operator")
    with pytest.raises(Invalid, match="运维角色"):
        grants.change_role(session, SYSTEM, operator, frozenset({"student:list"}))


# --- roles of one's own -------------------------------------------------------------------------------


def test_a_copy_never_gives_more_than_its_template(session: Session) -> None:
    clerk = of_template(session, "clerk")
    made = own_role(session, "li", clerk - {"student:delete"}, "clerk")
    li = cast.actor(session, "li")
    assert made.template_id == role(session, "clerk").id
    found = complaints_of(lambda: grants.change_role(session, li, made, clerk | {"person:edit"}))
    assert "来源角色“学籍管理员”没有这一项" in found["person:edit"]
    assert grants.rights_in_role(session, made) == clerk - {"student:delete"}
    grants.change_role(session, li, made, clerk)


def test_a_copy_keeps_the_limits_of_its_template(session: Session) -> None:
    first = own_role(session, "li", READS | {"student:phone:hide"})
    first.school_id = None  # as if it came with the system
    session.flush()
    made = Role(label="副本", school_id=HERE.school_id)
    found = complaints_of(lambda: grants.make_role(session, cast.actor(session, "li"), made, READS, first))
    assert found.keys() == {"student:phone:hide"}


def test_a_copy_of_a_copy_stays_bound_to_the_default_role(session: Session) -> None:
    clerk = of_template(session, "clerk")
    first = own_role(session, "li", READS, "clerk")
    made = Role(label="副本的副本", school_id=HERE.school_id)
    li = cast.actor(session, "li")
    grants.make_role(session, li, made, READS, first)
    assert made.template_id == role(session, "clerk").id
    grants.change_role(session, li, made, clerk)
    assert "来源角色" in said(lambda: grants.change_role(session, li, made, clerk | {"person:edit"}))


def test_a_role_holds_no_more_than_its_maker_may_pass_on(session: Session) -> None:
    found = complaints_of(lambda: own_role(session, "li", READS | {"change:approve", "grant:confirm"}))
    assert found.keys() == {"change:approve", "grant:confirm"}
    assert "您没有可转授的这项权限" in found["grant:confirm"]
    for username in ("lin", "zhou", "chen"):
        with pytest.raises(Denied, match="新建、复制角色"):
            own_role(session, username, READS)


def test_submit_and_review_are_not_put_into_one_role(session: Session) -> None:
    found = complaints_of(lambda: own_role(session, "li", READS | {"change:submit", "change:review"}))
    assert "谁提交，谁就不能审核" in found["change:review"]


def test_who_may_add_records_can_fill_in_what_they_need(session: Session) -> None:
    found = complaints_of(lambda: own_role(session, "li", READS | {"student:add", "student:gender:hide"}))
    assert "必填项" in found["student:gender:hide"]


def test_rights_that_nobody_knows_are_refused(session: Session) -> None:
    for junk in ("student:fly", "planet:show", "student:phone:see", ":", "x" * 500):
        assert "没有“" in said(lambda junk=junk: own_role(session, "li", READS | {junk}))


def test_roles_are_made_in_the_own_unit_and_never_as_default(session: Session) -> None:
    with pytest.raises(Denied):
        own_role(session, "li", READS, at=THERE)
    with pytest.raises(Denied):
        own_role(session, "li", READS, at=COUNTY)
    with pytest.raises(Denied, match="默认角色"):
        own_role(session, "he", READS, at=Extent())
    made = own_role(session, "li", READS, level="platform")
    assert made.level == "school"


def test_two_roles_of_one_unit_have_two_names(session: Session) -> None:
    own_role(session, "li", READS, label="巡查")
    for taken in ("巡查", "学籍管理员", "学校总管理员"):
        assert complaints_of(lambda taken=taken: own_role(session, "li", READS, label=taken)).keys() == {
            "label"
        }
    own_role(session, "he", READS, label="巡查", at=COUNTY)


def test_default_roles_are_nobodys_to_change(session: Session) -> None:
    clerk, before = role(session, "clerk"), of_template(session, "clerk")
    for username in ("li", "he"):
        by = cast.actor(session, username)
        for act in (
            lambda by=by: grants.change_role(session, by, clerk, READS),
            lambda by=by: grants.delete_role(session, by, clerk),
        ):
            with pytest.raises(Denied, match="默认角色"):
                act()
    assert of_template(session, "clerk") == before


def test_nobody_edits_the_role_that_he_holds(session: Session) -> None:
    make_sub_admin(session, "zhao")
    made = own_role(session, "li", READS)
    give(session, "li", "zhao", made)
    zhao = cast.actor(session, "zhao")
    for act in (
        lambda: grants.change_role(session, zhao, made, READS | {"student:edit"}),
        lambda: grants.change_role(session, zhao, made, frozenset()),
        lambda: grants.change_role(session, zhao, made, READS, label="新名称"),
        lambda: grants.delete_role(session, zhao, made),
    ):
        with pytest.raises(Denied, match="您自己担任"):
            act()


def test_other_units_roles_are_not_ones_to_change_or_to_give(session: Session) -> None:
    made = own_role(session, "he", READS, at=COUNTY)
    with pytest.raises(Denied):
        grants.change_role(session, cast.actor(session, "li"), made, frozenset())
    theirs = own_role(session, "li", READS)
    assert "另一个单位的角色" in said(lambda: give(session, "he", "wang", theirs, THERE))


# --- changing a role that is held ---------------------------------------------------------------------


def test_more_rights_are_granted_anew_to_everyone_who_holds_the_role(session: Session) -> None:
    """赵副校长 passes on a clerk's rights and no more: what he gave does not grow past him."""
    made = own_role(session, "li", READS)
    give(session, "li", "zhao", "clerk", usable=False, passable=True)
    give(session, "zhao", "zhou", made)
    li = cast.actor(session, "li")
    grants.change_role(session, li, made, READS | {"student:edit"})
    assert cast.actor(session, "zhou").has("student:edit")
    assert "超出了授权人的权限" in said(
        lambda: grants.change_role(session, li, made, READS | {"person:list"})
    )
    assert not cast.actor(session, "zhou").has("person:list")


def test_a_widening_cannot_put_two_duties_into_one_hand(session: Session) -> None:
    made = own_role(session, "li", READS | {"change:show"})
    give(session, "li", "zhao", made)
    assert "赵副校长担任这个角色" in said(
        lambda: grants.change_role(
            session, cast.actor(session, "li"), made, READS | {"change:show", "change:submit"}
        )
    )


def test_a_widening_does_not_travel_back_to_whom_the_rights_came_from(session: Session) -> None:
    """李老师 uses no pupil right; a colleague whom he let edit roles cannot slip him one."""
    made = own_role(session, "li", {"region:list"})
    make_city_admin(session)
    give(session, "cheng", "li", made)
    make_sub_admin(session, "zhao")
    zhao = cast.actor(session, "zhao")
    assert "由对方转授而来" in said(lambda: grants.change_role(session, zhao, made, READS))
    assert not cast.actor(session, "li").has("student:show")


def test_a_narrowing_takes_from_nobody_what_one_could_not_take_back(session: Session) -> None:
    """赵副校长 may edit roles, but holds less than what 小周 has by this one."""
    edits = own_role(session, "li", {"role:edit", "grant:delete"}, label="角色员")
    give(session, "li", "zhao", edits)
    give(session, "li", "zhao", "class_teacher", usable=False, passable=True)
    made = own_role(session, "li", READS | {"person:list"})
    give(session, "li", "zhou", made)
    assert "小周担任这个角色" in said(
        lambda: grants.change_role(session, cast.actor(session, "zhao"), made, READS)
    )
    assert cast.actor(session, "zhou").has("person:list")


def test_a_narrowing_ends_what_was_passed_on_and_is_no_longer_covered(session: Session) -> None:
    made = own_role(session, "li", READS | {"student:edit"})
    few = own_role(session, "li", READS, label="只看")
    give(session, "li", "zhao", made, passable=True)
    stays = give(session, "zhao", "zhou", few)
    goes = give(session, "zhao", "lin", made, passable=False)
    li = cast.actor(session, "li")
    assert goes.withdrawn_at is None
    plan = grants.plan_role(session, li, made, READS)
    assert [g.id for g in plan.ended] == [], "the same role narrows for both"
    also = own_role(session, "li", READS | {"student:edit"}, label="也能改")
    ends = give(session, "zhao", "wang", also)
    plan = grants.change_role(session, li, made, READS)
    assert [g.id for g in plan.ended] == [ends.id]
    assert ends.withdrawn_at is not None
    assert (stays.withdrawn_at, goes.withdrawn_at) == (None, None)
    assert not cast.actor(session, "zhao").has("student:edit")


def test_what_stands_under_an_ended_grant_ends_along_and_once(session: Session) -> None:
    made = own_role(session, "li", READS | {"student:edit"})
    also = own_role(session, "li", READS | {"student:edit"}, label="也能改")
    give(session, "li", "zhao", made, passable=True)
    middle = give(session, "zhao", "lin", also, passable=True)
    leaf = give(session, "lin", "zhou", made, passable=True)
    last = give(session, "zhou", "wang", also)
    plan = grants.change_role(session, cast.actor(session, "li"), made, READS)
    assert sorted(g.id for g in plan.ended) == [middle.id, leaf.id, last.id]


def test_a_plan_changes_nothing_and_says_the_same_as_long_as_it_holds(session: Session) -> None:
    made = own_role(session, "li", READS)
    given = give(session, "li", "zhou", made)
    li, wanted = cast.actor(session, "li"), READS | {"student:edit"}
    plan = grants.plan_role(session, li, made, wanted)
    assert (plan.holders, plan.complaints, plan.removed) == ([given], [], frozenset())
    assert "student:phone:edit" in plan.added
    assert grants.rights_in_role(session, made) == READS
    assert grants.plan_role(session, li, made, wanted).mark == plan.mark
    give(session, "li", "zhao", made)
    assert grants.plan_role(session, li, made, wanted).mark != plan.mark


def test_who_comes_second_is_told(session: Session) -> None:
    made = own_role(session, "li", READS)
    li = cast.actor(session, "li")
    grants.change_role(session, li, made, READS, version=1, label="新名称", description="说明")
    assert (made.label, made.description, made.version) == ("新名称", "说明", 2)
    for act in (
        lambda: grants.change_role(session, li, made, READS | {"student:edit"}, version=1),
        lambda: grants.delete_role(session, li, made, version=1),
    ):
        with pytest.raises(Stale):
            act()
    grants.change_role(session, li, made, READS, version=2)
    assert made.version == 2, "nothing changed"


def test_only_a_role_that_nobody_ever_held_is_deleted(session: Session) -> None:
    li = cast.actor(session, "li")
    held, free = own_role(session, "li", READS), own_role(session, "li", READS, label="没用过")
    grants.withdraw(session, li, give(session, "li", "zhou", held))
    assert "授予过他人" in said(lambda: grants.delete_role(session, li, held))
    grants.delete_role(session, li, free)
    assert session.scalar(sa.select(Role.id).where(Role.label == "没用过")) is None


def test_every_change_of_a_role_is_audited(session: Session) -> None:
    made = own_role(session, "li", READS)
    grants.change_role(session, cast.actor(session, "li"), made, frozenset({"school:show"}), label="只看学校")
    with scope.acting(session, SYSTEM):
        query = sa.select(AuditEntry).where(AuditEntry.entity == "role", AuditEntry.row_id == made.id)
        created, edited = session.scalars(query.order_by(AuditEntry.id))
    assert (created.action, created.after["rights"]) == ("create", sorted(READS))
    assert edited.before == {"label": "七年级学籍员", "rights": ["student:list", "student:show"]}
    assert (edited.after, edited.school_id) == ({"label": "只看学校"}, HERE.school_id)


# --- when a default role shrinks ----------------------------------------------------------------------


def test_copies_shrink_with_their_template_and_what_was_passed_on_ends(session: Session) -> None:
    clerk = role(session, "clerk")
    made = own_role(session, "li", READS | {"student:edit"}, "clerk")
    give(session, "li", "zhao", made, passable=True)
    also = own_role(session, "li", READS | {"student:edit"}, label="也能改")
    child = give(session, "zhao", "wang", also)
    grants.write_role(session, clerk, of_template(session, "clerk") - {"student:edit"})
    assert grants.shrink_copies(session, clerk) == [made]
    assert grants.rights_in_role(session, made) == READS
    assert child.withdrawn_at is not None
    assert grants.shrink_copies(session, clerk) == []


def test_loading_the_default_roles_keeps_copies_within_them(session: Session) -> None:
    made = own_role(session, "li", READS | {"student:edit"}, "clerk")
    grants.write_role(session, made, READS | {"person:edit"})  # by hand, past every rule
    load_roles(session)
    assert grants.rights_in_role(session, made) == READS


# --- grants that nothing above covers any more --------------------------------------------------------


def test_what_the_cast_holds_is_covered(session: Session) -> None:
    assert grants.uncovered(session) == []


@pytest.mark.parametrize("how", ["role", "place", "until", "passable", "withdrawn"])
def test_what_is_no_longer_covered_is_found(session: Session, how: str) -> None:
    source = pass_on(session, "li", "zhao")
    child = give(session, "zhao", "zhou", "clerk")
    if how == "role":
        source.role_id = role(session, "class_teacher").id
    elif how == "place":
        source.grade_ids = [cast.grade(YIZHONG, 7)]
    elif how == "until":
        source.until = datetime.now(UTC) + timedelta(days=9)
    elif how == "passable":
        source.passable = False
    else:
        source.withdrawn_at = datetime.now(UTC)
    session.flush()
    assert [g.id for g in grants.uncovered(session)] == [child.id]


def test_a_stage_that_goes_to_another_bureau_uncovers_what_the_old_one_gave(session: Session) -> None:
    from app.areas.schools.models import SchoolStage

    given = give(session, "he", "wang", "class_teacher", THERE)
    session.commit()
    with scope.acting(session, SYSTEM), saving.work() as work:
        query = sa.select(SchoolStage).where(SchoolStage.school_id == THERE.school_id)
        saving.edit(work.session.scalars(query).one(), {"authority_code": CITY}, SYSTEM)
    assert [g.id for g in grants.uncovered(session)] == [given.id]


def test_to_look_for_them_takes_a_few_statements(session: Session, statements: Callable[[], int]) -> None:
    pass_on(session, "li", "zhao")
    for username in ("lin", "zhou", "wang"):
        give(session, "zhao", username, own_role(session, "li", READS, label=username))
    before = statements()
    assert grants.uncovered(session) == []
    assert statements() - before <= 5


@pytest.fixture
def statements(session: Session) -> Iterable[Callable[[], int]]:
    """How many statements the main database was sent so far."""
    count, engine = [0], session.get_bind()

    def one_more(*_words: Any) -> None:
        count[0] += 1

    sa.event.listen(engine, "before_cursor_execute", one_more)
    yield lambda: count[0]
    sa.event.remove(engine, "before_cursor_execute", one_more)


# --- outranking ---------------------------------------------------------------------------------------


def test_whoever_holds_no_less_outranks_but_not_by_what_he_received(session: Session) -> None:
    li, given = cast.actor(session, "li"), give(session, "li", "zhou", "clerk")
    assert grants.outranks_all(session, li, [given])
    assert not grants.outranks_all(session, cast.actor(session, "lin"), [pass_on(session, "li", "zhao")])
    assert not grants.outranks_all(session, li, [held_by(session, "li", SCHOOL_ALL)])
    assert grants.outranks_all(session, SYSTEM, [given])


def test_powers_of_a_role_in_use_are_those_of_the_decision(session: Session) -> None:
    made = own_role(session, "li", READS | {"student:edit", "student:phone:lock"})
    give_away(session, "zhou")
    give(session, "li", "zhou", made)
    by = cast.actor(session, "zhou")
    assert by.usable_rights == powers.powers(grants.rights_in_role(session, made))
    assert not by.has("student:phone:edit")
    assert by.has("student:address:edit")
