"""Who may give what to whom, how far and how long; what a taking-away takes along; and the sentence of a refusal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.areas.people.roles import BUREAU_ALL, PREFIX, SCHOOL_ALL
from app.core import grants, powers, rights
from app.core.entity import registry
from app.core.errors import Denied, Invalid
from app.core.rights import Actor, Extent, Facts, Grant, Holding, Place, Verdict
from tests import cast
from tests.cast import CHENGGUAN, CITY, QINGLAN, SHIXI_ER, YIZHONG

HERE, THERE = Extent(school_id=cast.school(YIZHONG)), Extent(school_id=cast.school(CHENGGUAN))
COUNTY = Extent.of(None, QINGLAN, None, None)


def role(session: Session, key: str) -> Role:
    return session.scalars(sa.select(Role).where(Role.name.in_((key, PREFIX + key)))).one()


def user(session: Session, username: str) -> User:
    return session.get_one(User, cast.person(username))


def give(session: Session, giver: str, taker: str, key: str, extent: Extent, **words) -> Grant:
    return grants.grant(
        session, cast.actor(session, giver), user(session, taker), role(session, key), extent, **words
    )


def complaint_of(refused: pytest.ExceptionInfo[Invalid]) -> str:
    [(name, _sentence)] = refused.value.complaints
    return name


# --- giving -------------------------------------------------------------------------------------------


def test_a_super_admin_gives_what_is_held_to_pass_on(session):
    given = give(session, "li", "zhou", "clerk", HERE)
    assert given.giver_id == cast.person("li")
    assert given.under_id is not None
    assert "student:add" in cast.actor(session, "zhou").usable_rights


def test_the_next_look_reads_grants_anew(session):
    before = cast.actor(session, "zhou")
    give(session, "li", "zhou", "clerk", HERE)
    assert not before.has("student:add")
    assert cast.actor(session, "zhou").has("student:add")


def test_nobody_gives_to_himself(session):
    with pytest.raises(Invalid):
        give(session, "li", "li", "clerk", HERE)


def test_nobody_gives_what_is_held_for_use_only(session):
    """林老师 uses every right of a clerk and may pass on none."""
    with pytest.raises(Invalid) as refused:
        give(session, "lin", "zhou", "class_teacher", HERE)
    assert complaint_of(refused) == "role_id"


def test_nobody_gives_more_than_he_holds(session):
    with pytest.raises(Invalid) as refused:
        give(session, "li", "zhou", "bureau_admin", HERE)
    assert complaint_of(refused) == "role_id"
    assert "您没有可转授的权限" in str(refused.value)


@pytest.mark.parametrize("extent", [THERE, COUNTY, Extent.of(None, CITY, None, None)])
def test_nobody_gives_further_than_he_reaches(session, extent):
    with pytest.raises(Invalid) as refused:
        give(session, "li", "zhou", "clerk", extent)
    assert complaint_of(refused) == "school_id"


def test_a_part_of_the_school_is_within_the_school(session):
    narrow = Extent.of(HERE.school_id, None, [cast.grade(YIZHONG, 8)], None)
    give(session, "li", "zhao", "class_teacher", narrow)
    reach = cast.actor(session, "zhao").reach("student:edit")
    assert reach == (narrow,)


def test_whoever_holds_a_part_gives_no_more_than_that_part(session):
    part = Extent.of(HERE.school_id, None, [cast.grade(YIZHONG, 8)], [cast.class_of(YIZHONG, 7, 1)])
    give(session, "li", "zhao", "class_teacher", part, usable=False, passable=True)
    for wider in (HERE, Extent.of(HERE.school_id, None, [cast.grade(YIZHONG, 7)], None)):
        with pytest.raises(Invalid) as refused:
            give(session, "zhao", "zhou", "class_teacher", wider)
        assert complaint_of(refused) == "school_id"
    give(
        session,
        "zhao",
        "zhou",
        "class_teacher",
        Extent.of(HERE.school_id, None, None, [cast.class_of(YIZHONG, 7, 1)]),
    )


def test_the_county_gives_in_schools_that_are_wholly_its_own(session):
    give(session, "he", "wang", "class_teacher", THERE)
    with pytest.raises(Invalid) as refused:
        give(session, "he", "gao", "class_teacher", Extent(school_id=cast.school(SHIXI_ER)))
    assert complaint_of(refused) == "school_id"


def test_a_school_that_two_bureaus_share_is_given_by_neither_alone(session):
    """The seniors of 青岚县第一中学 are the city's; only an extent over both contains the school."""
    with pytest.raises(Invalid):
        give(session, "he", "zhou", "leader", HERE)
    system = rights.system("tests")
    grants.grant(
        session,
        system,
        user(session, "cheng"),
        role(session, BUREAU_ALL),
        Extent.of(None, CITY, None, None),
        usable=False,
        passable=True,
    )
    give(session, "cheng", "zhou", "leader", HERE)


def test_a_loan_ends_no_later_than_the_own(session):
    end = datetime.now(UTC) + timedelta(days=30)
    system = rights.system("tests")
    grants.grant(
        session,
        system,
        user(session, "zhao"),
        role(session, SCHOOL_ALL),
        HERE,
        end,
        usable=False,
        passable=True,
    )
    for too_long in (None, end + timedelta(seconds=1)):
        with pytest.raises(Invalid) as refused:
            give(session, "zhao", "zhou", "clerk", HERE, until=too_long)
        assert complaint_of(refused) == "until"
    assert give(session, "zhao", "zhou", "clerk", HERE, until=end).until == end


def test_nothing_goes_back_to_whom_it_came_from(session):
    give(session, "li", "zhao", SCHOOL_ALL, HERE, usable=False, passable=True)
    with pytest.raises(Invalid):
        give(session, "zhao", "li", "clerk", HERE)


def test_one_grant_must_cover_all_of_it(session):
    """Two halves do not make a whole: a taking-away would not know which root to follow."""
    system = rights.system("tests")
    for key in ("class_teacher", "super_admin"):
        grants.grant(
            session, system, user(session, "zhao"), role(session, key), HERE, usable=False, passable=True
        )
    wanted = grants.rights_in_role(session, role(session, "leader"))
    held = frozenset().union(*(h.rights for h in cast.actor(session, "zhao").holdings if h.passable))
    with pytest.raises(Invalid):
        give(session, "zhao", "zhou", "leader", HERE)
    assert not any(wanted <= h.rights for h in cast.actor(session, "zhao").holdings if h.passable)
    assert held


# --- from when to when --------------------------------------------------------------------------------


def test_a_grant_holds_from_its_start_to_its_end(session):
    now = datetime.now(UTC)
    start, end = now + timedelta(days=1), now + timedelta(days=2)
    give(session, "li", "zhou", "clerk", HERE, until=end, starts_at=start)
    person = user(session, "zhou")
    holds = [
        rights.load_actor(session, person, at).has("student:add")
        for at in (now, start - timedelta(seconds=1), start, end - timedelta(seconds=1), end)
    ]
    assert holds == [False, False, True, True, False]


# --- taking away --------------------------------------------------------------------------------------


def test_taking_away_takes_what_was_passed_on_under_it(session):
    first = give(session, "li", "zhao", SCHOOL_ALL, HERE, usable=False, passable=True)
    second = give(session, "zhao", "zhou", "clerk", HERE)
    third = give(session, "li", "zhou", "class_teacher", HERE)
    ended = grants.withdraw(session, cast.actor(session, "li"), first)
    session.flush()
    assert {g.id for g in ended} == {first.id, second.id}
    assert third.withdrawn_at is None
    assert not cast.actor(session, "zhou").has("student:add")
    with pytest.raises(Invalid):
        give(session, "zhao", "zhou", "clerk", HERE)


def test_with_a_grant_just_taken_away_nothing_more_is_given(session):
    """The giver's page was opened before: what it was opened with no longer counts."""
    first = give(session, "li", "zhao", SCHOOL_ALL, HERE, usable=False, passable=True)
    opened = cast.actor(session, "zhao")
    grants.withdraw(session, cast.actor(session, "li"), first)
    session.flush()
    with pytest.raises(Invalid):
        grants.grant(session, opened, user(session, "zhou"), role(session, "clerk"), HERE)


@pytest.mark.parametrize(
    ("username", "may"), [("li", True), ("lin", False), ("wang", False), ("zhou", False), ("gao", False)]
)
def test_who_takes_a_grant_away(session, username, may):
    given = give(session, "li", "zhou", "clerk", HERE)
    if may:
        assert grants.withdraw(session, cast.actor(session, username), given) == [given]
    else:
        with pytest.raises(Denied):
            grants.withdraw(session, cast.actor(session, username), given)
        assert given.withdrawn_at is None


def test_taking_away_twice_ends_nothing_more(session):
    given = give(session, "li", "zhou", "clerk", HERE)
    grants.withdraw(session, cast.actor(session, "li"), given)
    when = given.withdrawn_at
    session.flush()
    assert grants.withdraw(session, cast.actor(session, "li"), given) == []
    assert given.withdrawn_at == when


# --- where a right holds ------------------------------------------------------------------------------

GRADE_OF = {1: 1, 2: 1, 3: 2}  # class → its grade
SEATS = st.one_of(
    st.tuples(st.one_of(st.none(), st.integers(1, 3)), st.none()),
    st.sampled_from([(grade, room) for room, grade in GRADE_OF.items()]),
)
PLACES = st.builds(
    lambda school, code, seat: Place(school, code, *seat),
    st.integers(1, 3),
    st.sampled_from([QINGLAN, cast.SHIXI, CITY, "510100"]),
    SEATS,
)
PARTS = st.frozensets(st.integers(1, 3), max_size=2)
EXTENTS = st.one_of(
    st.builds(lambda s, g, c: Extent.of(s, None, g, c), st.integers(1, 3), PARTS, PARTS),
    st.builds(
        lambda s, r, g: Extent.of(s, r, g, None), st.integers(1, 3), st.sampled_from([QINGLAN, CITY]), PARTS
    ),
    st.sampled_from([QINGLAN, cast.SHIXI, CITY, "510000"]).map(
        lambda code: Extent.of(None, code, None, None)
    ),
    st.just(rights.EVERYWHERE),
)


@given(EXTENTS, EXTENTS, PLACES)
def test_what_contains_an_extent_covers_all_its_places(wider, narrower, place):
    known = frozenset({place.authority_code} if narrower.school_id == place.school_id else ())
    if wider.contains(narrower, Facts(known, GRADE_OF)) and narrower.covers(place):
        assert wider.covers(place)


@given(EXTENTS, EXTENTS, PLACES)
def test_what_lies_in_two_extents_lies_where_they_meet(one, other, place):
    met = one.meet(other, GRADE_OF)
    assert (one.covers(place) and other.covers(place)) == (met is not None and met.covers(place))


def test_a_class_lies_in_its_grade_where_the_grade_is_known():
    grade, room = Extent.of(1, None, [1], None), Extent.of(1, None, None, [2])
    assert grade.contains(room, Facts(frozenset(), GRADE_OF))
    assert not grade.contains(room), "a class of several grades lies in none of them"


@given(EXTENTS)
def test_every_extent_contains_itself(extent):
    assert extent.contains(extent, Facts(frozenset({QINGLAN})))


def test_an_empty_extent_covers_nothing():
    assert not Extent().covers(Place(None, None))
    assert not Extent().covers(Place(1, QINGLAN))
    assert not Extent().contains(Extent(school_id=1), Facts(frozenset({QINGLAN})))


def test_a_narrow_grant_needs_the_grade_or_the_class():
    narrow = Extent.of(1, None, [7], [3])
    covered = {
        (grade, room): narrow.covers(Place(1, QINGLAN, grade, room))
        for grade in (7, 8)
        for room in (3, 4, None)
    }
    assert covered == {
        (7, 3): True,
        (7, 4): True,
        (7, None): True,
        (8, 3): True,
        (8, 4): False,
        (8, None): False,
    }


# --- deciding -----------------------------------------------------------------------------------------


def actor(*holdings: Holding, region: str | None = None) -> Actor:
    return Actor(1, "某人", holdings, None if region else 1, region)


def held(*wanted: str, extent: Extent = HERE, usable: bool = True) -> Holding:
    return Holding(1, "角色", frozenset(wanted), extent, usable, not usable, None)


def test_a_verdict_is_falsy_and_printable(app):
    with app.app_context():
        verdict = rights.may(actor(), "student:edit")
        assert not verdict
        assert isinstance(verdict, Verdict)
        assert "修改“学生”" in str(verdict)
        assert "本校总管理员" in str(verdict)
        assert "主管部门管理员" in str(rights.may(actor(region=QINGLAN), "student:edit"))


def test_the_scope_of_the_grant_that_holds_the_right(app):
    with app.app_context():
        by = actor(held("student:edit"), held("student:list", extent=THERE))
        here, there = Place(HERE.school_id, QINGLAN), Place(THERE.school_id, QINGLAN)
        assert rights.may(by, "student:edit", here)
        assert not rights.may(by, "student:edit", there)
        assert "授权范围不包括" in str(rights.may(by, "student:edit", there))
        assert not rights.may(actor(held("student:edit", usable=False)), "student:edit", here)
        with pytest.raises(Denied):
            rights.require(by, "student:edit", there)
        rights.require(rights.system("tests"), "student:edit", there)


def test_names_of_rights_go_to_pairs_and_back(app):
    for right in powers.all_rights():
        assert powers.as_right(*powers.as_pair(right)) == right


def test_every_right_has_a_name_for_people(app):
    with app.app_context():
        for right in powers.all_rights():
            assert right not in powers.describe(right)


def test_reveal_and_govern_exist_where_there_is_something_to_them(app):
    every = set(powers.all_rights())
    assert {"student:reveal", "student:health", "school:govern", "school_class:govern"} <= every
    assert not {"grade:reveal", "campus:govern", "change:edit", "student:govern"} & every


def test_sync_writes_every_right_once_and_deletes_none(session):
    from flask_appbuilder.security.sqla.models import PermissionView

    assert rights.missing_pairs(session) == []
    before = session.scalar(sa.select(sa.func.count()).select_from(PermissionView))
    assert rights.sync(session) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(PermissionView)) == before


def test_fields_of_a_private_group_are_shown_to_its_holders():
    student = registry["student"]
    assert "health" not in rights.visible_fields(actor(held("student:list")), student)
    assert "health" in rights.visible_fields(actor(held("student:list", "student:health")), student)
    assert "health" in rights.visible_fields(rights.system("tests"), student)
