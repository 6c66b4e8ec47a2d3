"""The second step of login: which codes count, how often, what is kept of them; and whom the bureau's rules mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people.roles import PREFIX
from app.core import grants, rights, saving, scope, second_factor
from app.core.audit import AuditEntry
from app.core.errors import Denied, Invalid
from app.core.rights import Extent, Grant
from app.core.second_factor import STEP, SecondFactorRule, accepts
from tests import cast, clock
from tests.cast import CITY, QINGLAN, SHIXI, YIZHONG
from tests.clock import Clock


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return clock.stop(monkeypatch, second_factor)


def user(session: Session, username: str) -> User:
    return session.get_one(User, cast.person(username))


def code_at(secret: str, moment: datetime) -> str:
    return pyotp.TOTP(secret).at(moment)


@pytest.fixture
def lin(session: Session, now: Clock) -> User:
    """林老师 with the second step on, and the code of the set-up long used."""
    found = user(session, "lin")
    found.recovery = second_factor.turn_on(found, SECRET, code_at(SECRET, now.now))
    now.move(minutes=10)
    return found


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


# --- setting up -----------------------------------------------------------------------------------------


def test_it_is_on_once_the_phone_has_shown_a_right_code(session: Session, now: Clock) -> None:
    lin = user(session, "lin")
    with pytest.raises(Invalid, match="验证码不正确"):
        second_factor.turn_on(lin, SECRET, code_at(SECRET, now.now + timedelta(minutes=5)))
    assert not second_factor.is_on(lin)
    codes = second_factor.turn_on(lin, SECRET, code_at(SECRET, now.now))
    assert second_factor.is_on(lin)
    assert len(set(codes)) == 10
    assert not accepts(lin, code_at(SECRET, now.now)), "the code of the set-up has counted"


def test_neither_the_secret_nor_a_recovery_code_can_be_read_in_the_database(
    session: Session, lin: User
) -> None:
    kept = f"{lin.totp_secret} {lin.recovery_codes}"
    assert SECRET not in kept
    for code in lin.recovery:
        assert code not in kept
        assert code.replace("-", "") not in kept


def test_what_the_phone_scans_names_system_and_account(session: Session) -> None:
    found = pyotp.parse_uri(second_factor.address_of(user(session, "lin"), SECRET))
    assert (found.secret, found.name, found.issuer, found.digits) == (SECRET, "lin", "学籍台", 6)


def test_off_means_that_nothing_is_accepted_or_kept(session: Session, lin: User, now: Clock) -> None:
    second_factor.turn_off(lin)
    assert not second_factor.is_on(lin)
    assert not accepts(lin, code_at(SECRET, now.now))
    assert not accepts(lin, lin.recovery[0])
    assert (lin.totp_secret, lin.totp_step, lin.recovery_codes) == (None, None, None)


# --- codes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phone_may_be_half_a_minute_off(lin: User, now: Clock, steps: int, counts: bool) -> None:
    assert accepts(lin, code_at(SECRET, now.now + timedelta(seconds=steps * STEP))) is counts


def test_a_code_counts_once_and_none_before_it_counts_after_it(lin: User, now: Clock) -> None:
    before, code = (code_at(SECRET, now.now - timedelta(seconds=n * STEP)) for n in (1, 0))
    assert accepts(lin, code)
    assert not accepts(lin, code)
    assert not accepts(lin, before)
    now.move(seconds=STEP)
    assert accepts(lin, code_at(SECRET, now.now))


@pytest.mark.parametrize("spoil", ["{0} ", "{1} {2}", "{1}-{2}", "{wide}"])
def test_blanks_and_full_width_digits_are_the_keyboards(lin: User, now: Clock, spoil: str) -> None:
    code = code_at(SECRET, now.now)
    wide = code.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert accepts(lin, spoil.format(code, code[:3], code[3:], wide=wide))


@pytest.mark.parametrize(
    "typed", ["", " ", "12345", "1234567", "abcdef", "\0", "\ud800", "9" * 10_000, "①②③④⑤⑥"]
)
def test_junk_is_a_wrong_code(lin: User, typed: str) -> None:
    assert not accepts(lin, typed)


def test_each_recovery_code_counts_once(lin: User) -> None:
    assert [accepts(lin, code) for code in lin.recovery] == [True] * 10
    assert second_factor.codes_left(lin) == 0
    assert not any(accepts(lin, code) for code in lin.recovery)


def test_a_recovery_code_is_read_as_people_write_it(lin: User) -> None:
    first, second, third = lin.recovery[:3]
    assert accepts(lin, first.upper())
    assert accepts(lin, f"  {second.replace('-', ' ')} ")
    assert accepts(lin, third.replace("-", ""))


def test_new_recovery_codes_void_those_before(lin: User) -> None:
    second_factor.new_recovery_codes(lin)
    assert not any(accepts(lin, code) for code in lin.recovery)
    assert second_factor.codes_left(lin) == 10


def test_under_another_key_nothing_counts(
    app, lin: User, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key, and long enough to be taken")
    assert not accepts(lin, code_at(SECRET, now.now))
    assert not accepts(lin, lin.recovery[0])


# --- required by the bureau -----------------------------------------------------------------------------


def role(session: Session, key: str) -> Role:
    return session.scalars(sa.select(Role).where(Role.name == PREFIX + key)).one()


def make_rule(session: Session, region_code: str, made_for: Role) -> None:
    words = {"region_code": region_code, "role_id": made_for.id, "set_at": datetime.now(UTC)}
    session.add(SecondFactorRule(**words))
    session.flush()


def meant(session: Session) -> set[str]:
    return {
        one.username for one in cast.PEOPLE if second_factor.is_required(session, user(session, one.username))
    }


@pytest.mark.parametrize(
    ("region_code", "key", "people"),
    [
        (QINGLAN, "clerk", {"lin", "wang"}),
        (SHIXI, "clerk", {"gao"}),
        (CITY, "clerk", {"lin", "wang", "gao"}),
        ("510000", "leader", {"zhao", "tang"}),
        (QINGLAN, "class_teacher", {"zhou"}),
        (QINGLAN, "bureau_reviewer", {"sun", "qian"}),
        (CITY, "bureau_reviewer", {"sun", "qian", "cheng", "xu"}),
        (QINGLAN, "bureau_admin", {"he"}),
        (QINGLAN, "operator", set()),
        (CITY, "operator", {"ops"}),
        ("110000", "clerk", set()),
        (QINGLAN, "school_all", set()),  # held to pass on, not to use
    ],
)
def test_a_rule_means_those_who_hold_the_role_in_its_region(
    session: Session, region_code: str, key: str, people: set[str]
) -> None:
    make_rule(session, region_code, role(session, key))
    assert meant(session) == people


def test_without_a_rule_nobody_must(session: Session) -> None:
    assert meant(session) == set()


def test_a_copy_is_meant_as_what_it_was_copied_from_and_so_is_its_copy(session: Session) -> None:
    """Otherwise a school would copy a role to be rid of the rule."""
    copies = [Role(name=f"copy {n}", label=f"副本{n}", school_id=cast.school(YIZHONG)) for n in (1, 2)]
    session.add_all(copies)
    session.flush()
    copies[0].template_id, copies[1].template_id = role(session, "clerk").id, copies[0].id
    session.flush()
    give(session, "zhou", copies[1])
    make_rule(session, QINGLAN, role(session, "clerk"))
    assert meant(session) == {"lin", "wang", "zhou"}


def give(session: Session, taker: str, given: Role, **words) -> Grant:
    extent = Extent(school_id=cast.school(YIZHONG))
    return grants.grant(session, rights.system("tests"), user(session, taker), given, extent, **words)


def test_a_grant_that_ended_is_no_reason(session: Session) -> None:
    give(session, "zhou", role(session, "clerk")).until = datetime.now(UTC) - timedelta(days=1)
    make_rule(session, QINGLAN, role(session, "clerk"))
    assert "zhou" not in meant(session)
    query = sa.select(Grant).where(Grant.person_id == cast.person("lin"))
    grants.withdraw(session, rights.system("tests"), session.scalars(query).one())
    assert "lin" not in meant(session)


def test_it_is_due_only_until_it_is_set_up(session: Session, lin: User) -> None:
    make_rule(session, QINGLAN, role(session, "clerk"))
    assert not second_factor.is_due(session, lin)
    second_factor.turn_off(lin)
    assert second_factor.is_due(session, lin)


def rules(session: Session) -> set[tuple[str, str]]:
    query = sa.select(SecondFactorRule.region_code, Role.name).join(Role, Role.id == SecondFactorRule.role_id)
    return {(code, name.removeprefix(PREFIX)) for code, name in session.execute(query)}


def test_a_bureau_says_which_roles_and_it_is_audited(session: Session) -> None:
    he = cast.actor(session, "he")
    make_rule(session, CITY, role(session, "leader"))
    session.commit()
    with saving.work():
        second_factor.require(session, he, QINGLAN, [role(session, "clerk"), role(session, "leader")])
    assert rules(session) == {(CITY, "leader"), (QINGLAN, "clerk"), (QINGLAN, "leader")}
    with saving.work():
        second_factor.require(session, he, QINGLAN, [role(session, "clerk")])
        second_factor.require(session, he, QINGLAN, [role(session, "clerk")])
    assert rules(session) == {(CITY, "leader"), (QINGLAN, "clerk")}
    with scope.acting(session, rights.system("tests")):
        noted = list(session.scalars(sa.select(AuditEntry).where(AuditEntry.entity == "second_factor_rule")))
    assert [(one.before["roles"], one.after["roles"]) for one in noted] == [
        ([], ["default:clerk", "default:leader"]),
        (["default:clerk", "default:leader"], ["default:clerk"]),
    ]
    assert {(one.actor_name, one.authority_code) for one in noted} == {("何主任", QINGLAN)}


@pytest.mark.parametrize(
    ("username", "region_code"), [("he", CITY), ("he", SHIXI), ("li", QINGLAN), ("chen", QINGLAN)]
)
def test_nobody_makes_rules_beyond_the_own_right(session: Session, username: str, region_code: str) -> None:
    with pytest.raises(Denied), saving.work():
        second_factor.require(session, cast.actor(session, username), region_code, [])


def test_a_bureau_sees_its_rules_and_those_above(session: Session) -> None:
    for region_code in ("510000", CITY, QINGLAN, SHIXI):
        make_rule(session, region_code, role(session, "clerk"))
    found = [rule.region_code for rule in second_factor.rules_over(session, QINGLAN)]
    assert found == ["510000", CITY, QINGLAN]


def test_a_school_of_two_authorities_obeys_both(session: Session) -> None:
    """一中's senior part is the city's."""
    make_rule(session, CITY, role(session, "super_admin"))
    assert meant(session) == {"li"}
