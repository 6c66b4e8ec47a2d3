"""The demo district as a whole: regions, calendar, schools, accounts, pupils; larger, on request, by more schools.

`build` is all that the command line needs. The same arguments give the same data; only what must not be foreseen
(the salt of the password) and when it was loaded (the audit) differ.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people.roles import load_roles
from app.areas.regions import gb2260
from app.areas.regions.models import Region
from app.areas.schools.models import School
from app.areas.students.models import Student
from app.core import databases, rights, saving, scope
from app.core.fields import HERE
from seeds import accounts, district, masses
from seeds.accounts import PASSWORD
from seeds.changes import Casebook
from seeds.load import Calendar, Load, add_calendar
from seeds.persons import Registry
from seeds.schools import OpenSchool, SchoolPlan, add_grades, add_school, former_code

__all__ = ["PASSWORD", "NotEmpty", "build"]


class NotEmpty(ValueError):
    """There are schools in this database already."""


def build(
    session: Session,
    *,
    schools: int | None = None,
    students: int | None = None,
    seed: int = 1,
    on: date | None = None,
) -> None:
    """Fills an empty database with the cast's district as it is on the day `on` (today).

    `schools` and `students` count everything, the cast's district among it; what it lacks to them is made up in further
    counties. Raises NotEmpty where there are schools, ValueError where so many pupils cannot be had in so few schools.
    """
    by = rights.system("seed")
    with scope.acting(session, by), saving.work() as work:
        refuse_filled(work.session)
        load, calendar = Load(by), Calendar(on or datetime.now(HERE).date())
        casebook = Casebook(load, calendar)
        opened = _build_district(work.session, load, calendar, casebook, seed)
        masses.add(load, calendar, casebook, seed, schools, students, len(opened))
        load.finish()
        if masses.is_large(load.count(Student)):
            databases.analyze(work.session)


def refuse_filled(session: Session) -> None:
    if session.scalar(sa.select(School.id).limit(1)) is not None:
        raise NotEmpty(_("数据库里已有学校，不能再建演示数据。请换一个空的数据库。"))


def _build_district(
    session: Session, load: Load, calendar: Calendar, casebook: Casebook, seed: int
) -> dict[str, OpenSchool]:
    _add_regions(session, load)
    add_calendar(load, calendar)
    district.add_notices(load, calendar)
    schools = _add_schools(load, district.plans(seed), seed)
    load.write()
    ids = {key: school.id for key, school in schools.items()}
    people = accounts.open_accounts(session, ids, calendar.on)
    teachers = {name: user.id for name, user in people.items()}
    for school in schools.values():
        add_grades(load, school, calendar, teachers)
    for key, name in (("yizhong", "lin"), ("chengguan", "wang"), ("shixi", "gao")):
        casebook.clerks[ids[key]] = (people[name].first_name, people[name].id)
    district.District(load, calendar, casebook, schools).fill()
    load.write()
    granting = accounts.Granting(session, people, load_roles(session), calendar.on)
    accounts.grant_roles(granting, rights.system("seed"), ids, district.class_of_zhou(schools))
    return schools


def _add_regions(session: Session, load: Load) -> None:
    if session.scalar(sa.select(Region.id).limit(1)) is None:
        for row in gb2260.regions():
            load.add(Region, {**row._asdict(), "is_added": False})
    district.add_regions(load)


def _add_schools(load: Load, plans: list[SchoolPlan], seed: int) -> dict[str, OpenSchool]:
    here = {county.code: Registry(county.code) for county in district.COUNTIES}
    elsewhere = {county.code: Registry(former_code(county)) for county in district.COUNTIES}
    first, second = district.COUNTIES
    schools: dict[str, OpenSchool] = {}
    for plan in plans:
        code = plan.county.code
        central = schools[plan.central].id if plan.central else None
        neighbour = second if plan.county is first else first
        schools[plan.key] = add_school(load, plan, here[code], elsewhere[code], neighbour, seed, central)
    return schools
