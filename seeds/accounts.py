"""The accounts of the demo district's people, and their grants: each given by who may give it, under one root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flask import current_app
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people.roles import BUREAU_ADMIN, BUREAU_ALL, PREFIX, SCHOOL_ALL, SUPER_ADMIN
from app.core import grants, logins, rights
from app.core.rights import Actor, Extent, Grant
from seeds.load import moment

CITY, QINGLAN, SHIXI = "519900", "519921", "519922"
PASSWORD = "Lan-chuan-2026"  # noqa: S105  one for all demo accounts, and no secret
EXPIRES_IN = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Person:
    """`at`: the key of a school, or the code of a region. `shares`: what the address book shows of phone and QQ."""

    username: str
    name: str
    at: str
    phone: str | None = None
    qq: str | None = None
    shares: tuple[str, ...] = ()

    @property
    def is_of_bureau(self) -> bool:
        return self.at.isdecimal()


PEOPLE = (
    Person("chen", "陈局长", QINGLAN),
    Person("sun", "孙科员", QINGLAN),
    Person("qian", "钱科长", QINGLAN),
    Person("he", "何主任", QINGLAN),
    Person("cheng", "程科员", CITY),
    Person("li", "李老师", "yizhong"),
    Person("lin", "林老师", "yizhong", "10400010002", shares=("phone",)),
    Person("zhao", "赵副校长", "yizhong"),
    Person("zhou", "小周", "yizhong"),
    Person("wang", "王老师", "chengguan", "10400020001", "999900020001", shares=("phone", "qq")),
    Person("gao", "高老师", "shixi", "10400030001"),
    Person("tang", "唐主任", "shixi"),
    Person("xu", "徐科员", SHIXI),
    Person("ops", "运维", CITY),
)


def open_accounts(session: Session, school_ids: Mapping[str, int], on: date) -> dict[str, User]:
    """Everyone may log in with PASSWORD; tang's expires in a few days, gao's account is locked just now."""
    kept = logins.hash_password(PASSWORD)
    people = {}
    for one in PEOPLE:
        made = people[one.username] = _account(one, school_ids, kept, on)
        session.add(made)
        session.flush()  # one by one, so that ids follow the list
    people["tang"].password_set_at = moment(on, 23, 59) - current_app.config["PASSWORD_LIFE"] + EXPIRES_IN
    people["gao"].locked_until = moment(on, 23, 59)
    session.flush()
    return people


def _account(one: Person, school_ids: Mapping[str, int], password: str, on: date) -> User:
    opened = moment(on - timedelta(20), 9)
    return User(
        username=one.username,
        first_name=one.name,
        last_name="",
        email=one.username + logins.FAKE_ADDRESS,
        password=password,
        active=True,
        school_id=None if one.is_of_bureau else school_ids[one.at],
        region_code=one.at if one.is_of_bureau else None,
        password_set_at=opened,
        created_on=opened.replace(tzinfo=None),
        changed_on=opened.replace(tzinfo=None),
        must_change_password=False,
        phone=one.phone,
        qq=one.qq,
        shares_phone="phone" in one.shares,
        shares_qq="qq" in one.shares,
        is_demo=True,
        login_count=0,
        fail_login_count=0,
    )


# --- grants -------------------------------------------------------------------------------------------


class Granting:
    """Gives default roles in a chain: the system to a bureau, the bureau to a school's super-admin, he to his own."""

    def __init__(
        self, session: Session, people: Mapping[str, User], roles: Mapping[str, Role], on: date
    ) -> None:
        self.session, self.people, self.roles = session, people, roles
        self.now, self.starts_at = moment(on, 9), moment(date(on.year - 2, 9, 1), 9)

    def actor(self, giver: Actor | str) -> Actor:
        if isinstance(giver, Actor):
            return giver
        return rights.load_actor(self.session, self.people[giver], self.now)

    def give(
        self, giver: Actor | str, taker: str, role: str, extent: Extent, *, to_pass_on: bool = False
    ) -> Grant:
        return grants.grant(
            self.session,
            self.actor(giver),
            self.people[taker],
            self.roles[role],
            extent,
            usable=not to_pass_on,
            passable=to_pass_on,
            starts_at=self.starts_at,
        )


def grant_roles(granting: Granting, by: Actor, school_ids: Mapping[str, int], class_of_zhou: int) -> None:
    county, city, other_county = (Extent.of(None, code, None, None) for code in (QINGLAN, CITY, SHIXI))
    first, second, third = (
        Extent.of(school_ids[key], None, None, None) for key in ("yizhong", "chengguan", "shixi")
    )
    give = granting.give

    give(by, "he", BUREAU_ALL, county, to_pass_on=True)
    # The senior part of 一中 is the city's, so the county alone could not hand out rights over the whole school.
    give(by, "he", SCHOOL_ALL, first, to_pass_on=True)
    give(by, "he", BUREAU_ADMIN, county)
    give("he", "chen", f"{PREFIX}bureau_viewer", county)
    give("he", "sun", f"{PREFIX}bureau_reviewer", county)
    give("he", "qian", f"{PREFIX}bureau_reviewer", county)

    give("he", "li", SUPER_ADMIN, first)
    give("he", "li", SCHOOL_ALL, first, to_pass_on=True)
    give("li", "lin", f"{PREFIX}clerk", first)
    grants.confirm(granting.session, granting.actor("he"), give("li", "zhao", f"{PREFIX}leader", first))
    give(
        "li", "zhou", f"{PREFIX}class_teacher", Extent.of(school_ids["yizhong"], None, None, [class_of_zhou])
    )
    give("he", "wang", f"{PREFIX}clerk", second)

    give(by, "cheng", f"{PREFIX}bureau_reviewer", city)
    give(by, "gao", f"{PREFIX}clerk", third)
    give(by, "tang", f"{PREFIX}leader", third)
    give(by, "xu", f"{PREFIX}bureau_reviewer", other_county)
    give(by, "ops", f"{PREFIX}operator", city)
