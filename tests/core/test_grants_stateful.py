"""Whatever people do with rights, in whatever order: nobody comes to hold more than who gave it, no school is left
without its super-admin, nobody both submits and approves. Refusals are answers like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.areas.people import accounts
from app.areas.people.roles import BUREAU_ALL, PREFIX, SCHOOL_ALL
from app.core import grants, rights, scope
from app.core.errors import Refused
from app.core.powers import powers
from app.core.rights import Extent, Grant
from tests import cast
from tests.cast import CHENGGUAN, CITY, QINGLAN, YIZHONG
from tests.sites import Site

PEOPLE = ("he", "cheng", "li", "lin", "zhao", "zhou", "wang", "chen")
KEYS = ("super_admin", "clerk", "leader", "class_teacher", "bureau_viewer", "bureau_reviewer", "bureau_admin")
STEPS_IN_A_RUN = 50
ELSEWHERE = 300  # steps on a second kind of database: the rules are the same, the locks are not


class Clock(datetime):
    """The clock of grants: it can be moved on."""

    ahead: ClassVar[timedelta] = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) + cls.ahead


def extents() -> list[Extent]:
    first, second = cast.school(YIZHONG), cast.school(CHENGGUAN)
    return [
        Extent.of(first, None),
        Extent.of(first, None, [cast.grade(YIZHONG, 7)]),
        Extent.of(first, None, [cast.grade(YIZHONG, 7), cast.grade(YIZHONG, 8)]),
        Extent.of(first, None, None, [cast.class_of(YIZHONG, 7, 1)]),
        Extent.of(second, None),
        Extent.of(None, QINGLAN),
        Extent.of(None, CITY),
    ]


people = st.sampled_from(PEOPLE)
days = st.one_of(st.none(), st.integers(1, 40))


def in_days(days: int | None) -> datetime | None:
    return None if days is None else Clock.now(UTC) + timedelta(days=days)


class Granting(RuleBasedStateMachine):
    """Acts by random people. Roles and grants that exist are kept in bundles by their ids."""

    session: ClassVar[Session]
    steps: ClassVar[int] = 0

    roles, given = Bundle("roles"), Bundle("given")

    def __init__(self) -> None:
        super().__init__()
        Clock.ahead = timedelta(0)
        self.session.rollback()
        self.begin()

    def begin(self) -> None:
        """The county's and the city's admins hold everything to pass on; the school's super-admin comes under them."""
        scope.set_actor(self.session, rights.system("tests"))
        system, session = rights.system("tests"), self.session
        for username, code in (("he", QINGLAN), ("cheng", CITY)):
            whole = Extent.of(None, code)
            for given in grants.held_grants(session, cast.person(username)):
                grants.withdraw(session, system, given)
            admin = self.user(username)
            grants.grant(session, system, admin, self.default("bureau_admin"), whole)
            grants.grant(session, system, admin, self.role(BUREAU_ALL), whole, usable=False, passable=True)
        cheng, first = cast.actor(session, "cheng"), Extent.of(cast.school(YIZHONG), None)
        for given in grants.held_grants(session, cast.person("li")):
            given.withdrawn_at = Clock.now(UTC)  # as if he had never been appointed by the installation
        session.flush()
        grants.grant(session, cheng, self.user("li"), self.default("super_admin"), first)
        grants.grant(
            session, cheng, self.user("li"), self.role(SCHOOL_ALL), first, usable=False, passable=True
        )

    def teardown(self) -> None:
        self.session.rollback()

    # --- what there is ---

    def user(self, username: str) -> User:
        return self.session.get_one(User, cast.person(username))

    def role(self, name: str) -> Role:
        return self.session.scalars(sa.select(Role).where(Role.name == name)).one()

    def default(self, key: str) -> Role:
        return self.role(PREFIX + key)

    def held_by(self, username: str) -> list[Grant]:
        return grants.held_grants(self.session, cast.person(username))

    def act(self, username: str, act: Any) -> Any:
        """What a person tries, with the grants he has at this moment; None where it is refused."""
        type(self).steps += 1
        by = cast.actor(self.session, username)
        nested = self.session.begin_nested()
        try:
            with scope.acting(self.session, by):
                done = act(by)
                self.session.flush()
        except Refused:
            nested.rollback()
            return None
        nested.commit()
        return done

    # --- what people do ---

    @rule(
        target=given,
        giver=people,
        taker=people,
        key=st.sampled_from((*KEYS, "school_all", "bureau_all")),
        where=st.integers(0, 6),
        until=days,
        usable=st.booleans(),
        passable=st.booleans(),
    )
    def give(
        self, giver: str, taker: str, key: str, where: int, until: int | None, usable: bool, passable: bool
    ) -> Any:
        return self._give(giver, taker, self.default(key), extents()[where], in_days(until), usable, passable)

    @rule(
        target=given,
        giver=people,
        taker=people,
        role_id=roles,
        where=st.integers(0, 6),
        until=days,
        passable=st.booleans(),
    )
    def give_own_role(
        self, giver: str, taker: str, role_id: int, where: int, until: int | None, passable: bool
    ) -> Any:
        role = self.session.get_one(Role, role_id)
        return self._give(giver, taker, role, extents()[where], in_days(until), True, passable)

    @rule(
        target=given,
        giver=people,
        taker=people,
        beyond=st.sampled_from(("", "role", "where", "until")),
        key=st.sampled_from(KEYS),
        where=st.integers(0, 6),
        later=st.integers(-20, 20),
        usable=st.booleans(),
        passable=st.booleans(),
        data=st.data(),
    )
    def pass_on(
        self,
        giver: str,
        taker: str,
        beyond: str,
        key: str,
        where: int,
        later: int,
        usable: bool,
        passable: bool,
        data: Any,
    ) -> Any:
        """What was given, as it was given but for one side, which may be too much."""
        mine = [one for one in self.held_by(giver) if one.passable]
        if not mine:
            return multiple()
        source = data.draw(st.sampled_from(mine))
        role = self.default(key) if beyond == "role" else source.role
        extent = extents()[where] if beyond == "where" else source.extent
        until = source.until
        if beyond == "until":
            until = (source.until or Clock.now(UTC)) + timedelta(days=later)
        return self._give(giver, taker, role, extent, until, usable, passable)

    def _give(
        self,
        giver: str,
        taker: str,
        role: Role,
        extent: Extent,
        until: datetime | None,
        usable: bool,
        passable: bool,
    ) -> Any:
        user = self.user(taker)
        made = self.act(
            giver,
            lambda by: (
                grants.grant(self.session, by, user, role, extent, until, usable=usable, passable=passable).id
            ),
        )
        return made if made is not None else multiple()

    @rule(username=people, given_id=given)
    def take_back(self, username: str, given_id: int) -> None:
        given = self.session.get(Grant, given_id)
        if given is not None and given.is_held:
            self.act(username, lambda by: grants.withdraw(self.session, by, given))

    @rule(username=people, of=people, data=st.data())
    def take_back_any(self, username: str, of: str, data: Any) -> None:
        if held := self.held_by(of):
            given = data.draw(st.sampled_from(held))
            self.act(username, lambda by: grants.withdraw(self.session, by, given))

    @rule(username=people, given_id=given)
    def confirm(self, username: str, given_id: int) -> None:
        given = self.session.get(Grant, given_id)
        if given is not None:
            self.act(username, lambda by: grants.confirm(self.session, by, given))

    @rule(target=given, username=people, of=people, to=people, until=days, data=st.data())
    def hand_over(self, username: str, of: str, to: str, until: int | None, data: Any) -> Any:
        held = self.held_by(of)
        if not held:
            return multiple()
        old, taker = data.draw(st.sampled_from(held)), self.user(to)
        made = self.act(
            username, lambda by: grants.replace_grant(self.session, by, old, taker, in_days(until)).id
        )
        return made if made is not None else multiple()

    @rule(target=roles, username=people, key=st.sampled_from(KEYS), data=st.data())
    def copy_role(self, username: str, key: str, data: Any) -> Any:
        """A copy with most of the template's rights, and perhaps one that is beyond it."""
        template = self.default(key)
        wanted = self._some_of(data, grants.rights_in_role(self.session, template))
        return self._make(username, template, wanted)

    @rule(target=roles, username=people, data=st.data())
    def build_role(self, username: str, data: Any) -> Any:
        return self._make(username, None, self._some_of(data, frozenset()))

    def _some_of(self, data: Any, held: frozenset[str]) -> frozenset[str]:
        everything = sorted(grants.rights_in_role(self.session, self.role(BUREAU_ALL)))
        gone = data.draw(st.sets(st.sampled_from(sorted(held)), max_size=3)) if held else set()
        more = data.draw(st.sets(st.sampled_from([*everything, "student:phone:hide"]), max_size=2))
        return (held - gone) | more

    def _make(self, username: str, template: Role | None, wanted: frozenset[str]) -> Any:
        one = self.user(username)
        level = "school" if one.school_id is not None else "bureau"
        made = Role(
            name=f"own:{username}:{self.steps}",
            label="自建角色",
            level=level,
            school_id=one.school_id,
            region_code=one.region_code,
        )
        done = self.act(username, lambda by: grants.make_role(self.session, by, made, wanted, template).id)
        return done if done is not None else multiple()

    @rule(username=people, role_id=roles, data=st.data())
    def edit_role(self, username: str, role_id: int, data: Any) -> None:
        role = self.session.get(Role, role_id)
        if role is not None:
            wanted = self._some_of(data, grants.rights_in_role(self.session, role))
            self.act(username, lambda by: grants.change_role(self.session, by, role, wanted))

    @rule(username=people, role_id=consumes(roles))
    def delete_role(self, username: str, role_id: int) -> None:
        role = self.session.get(Role, role_id)
        if role is not None:
            self.act(username, lambda by: grants.delete_role(self.session, by, role))

    @rule(username=people, of=people, active=st.booleans())
    def suspend_or_resume(self, username: str, of: str, active: bool) -> None:
        user = self.user(of)
        self.act(username, lambda by: accounts.set_active(self.session, by, user, active))

    @rule(username=people, of=people)
    def reset(self, username: str, of: str) -> None:
        user = self.user(of)
        self.act(username, lambda by: accounts.reset_password(self.session, by, user, "Qing-lan-2027"))

    @rule(hours=st.integers(1, 400))
    def time_passes(self, hours: int) -> None:
        type(self).steps += 1
        Clock.ahead += timedelta(hours=hours)

    # --- what must hold ---

    @invariant()
    def nobody_holds_more_than_who_gave_it(self) -> None:
        assert grants.uncovered(self.session) == []

    @invariant()
    def nobody_uses_or_passes_on_more_than_who_gave_it(self) -> None:
        """The same, looked at from the people: as they carry it through a request."""
        actors = {name: cast.actor(self.session, name) for name in PEOPLE}
        by_grant = {h.grant_id: h for actor in actors.values() for h in actor.holdings}
        above = {g.id: g.under_id for g in self.session.scalars(sa.select(Grant).where(grants.held()))}
        for id_, held in by_grant.items():
            source = by_grant.get(above.get(id_) or 0)
            if above.get(id_) is not None and source is not None:
                assert powers(held.rights) <= powers(source.rights)
                assert source.passable

    @invariant()
    def the_school_has_a_super_admin(self) -> None:
        assert grants.heads_of(self.session, cast.school(YIZHONG))

    @invariant()
    def who_submits_does_not_approve(self) -> None:
        for name in PEOPLE:
            held = cast.actor(self.session, name)
            submits = held.reach("change:submit")
            for right in ("change:review", "change:approve"):
                for one in held.reach(right):
                    assert not any(grants.overlap(self.session, one, other) for other in submits), name


@pytest.fixture
def machine(
    request: pytest.FixtureRequest, session: Session, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Granting]]:
    for module in (grants, rights):
        monkeypatch.setattr(module, "datetime", Clock)
    Granting.session, Granting.steps = session, 0
    yield Granting
    session.rollback()


def test_rights_never_grow_on_their_way(
    machine: type[Granting], site: Site, request: pytest.FixtureRequest
) -> None:
    wanted = int(request.config.getoption("--grant-steps")) if site.kind == "sqlite" else ELSEWHERE
    while (left := wanted - machine.steps) > 0:  # some rules find nothing to act on
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=-(-left // STEPS_IN_A_RUN),
                stateful_step_count=STEPS_IN_A_RUN,
                derandomize=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
