"""As many schools and pupils more as are asked for: counties on unused codes, schools of mixed kinds, drawn pupils."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from math import ceil
from random import Random

from flask_babel import gettext as _

from app.areas.regions import gb2260
from app.areas.regions.models import Region
from app.areas.students.models import Status, Student
from seeds.changes import DEPARTURES, Casebook, depart
from seeds.district import CITY, CITY_NAME, IN_TOWN, PROVINCE, QINGLAN_COUNTY, sizes
from seeds.load import Calendar, Load
from seeds.persons import County, Registry, Township, pick, place_names, weighted
from seeds.pupils import Enrolment
from seeds.schools import (
    JUNIOR,
    PRIMARY,
    SENIOR,
    ClassPlan,
    Manners,
    OpenSchool,
    SchoolPlan,
    StagePlan,
    add_grades,
    add_school,
    former_code,
)

PUPILS_A_SCHOOL = 650
SCHOOLS_A_COUNTY = 40
PUPILS_A_CLASS = 50  # at most, as planned; some more sit in some
CLASSES_A_GRADE = 99  # class numbers have two digits
ROWS_AT_ONCE = 20_000  # pupils in memory before they are written
LARGE_FROM = 20_000  # pupils
FIRST_SERIAL = 900_000  # in the 学校标识码; no province has numbered so many schools

LEAVERS = 0.013  # of all pupils: those on leave, and those whose record stayed behind
DRAFTS = 0.002
AWAY = weighted(
    {"suspended": 45, "transferred_out": 40, "abroad": 7, "left_other": 5, "missing": 1, "dead": 2}
)
AWAY_SENIOR = weighted({"suspended": 40, "transferred_out": 30, "abroad": 5, "withdrawn": 23, "dead": 2})


@dataclass(frozen=True, slots=True)
class Kind:
    """`category` begins the 学校标识码, `size` is relative to other kinds; `place`: a school of the town or the country."""

    word: str
    category: str
    type: str
    stages: tuple[tuple[str, int], ...]
    size: int
    in_town: bool
    manners: Manners = IN_TOWN


IN_COUNTRY = Manners(boarding=0.45, left_behind=0.35, migrant=0.0, rural=0.9)
PRIMARY_SCHOOL = Kind("小学", "21", "211", ((PRIMARY, 6),), 900, True, Manners(migrant=0.06, rural=0.15))
VILLAGE_SCHOOL = Kind("中心小学", "21", "211", ((PRIMARY, 6),), 380, False, Manners(0.15, 0.35, 0.0, 1.0))
JUNIOR_SCHOOL = Kind("初级中学", "31", "311", ((JUNIOR, 3),), 800, True)
COUNTRY_JUNIOR = Kind("初级中学", "31", "311", ((JUNIOR, 3),), 450, False, IN_COUNTRY)
NINE_YEARS = Kind("九年制学校", "31", "312", ((PRIMARY, 6), (JUNIOR, 3)), 600, False, IN_COUNTRY)
WHOLE_SCHOOL = Kind("中学", "34", "341", ((JUNIOR, 3), (SENIOR, 3)), 1_700, True, Manners(boarding=0.4))
HIGH_SCHOOL = Kind("高级中学", "34", "342", ((SENIOR, 3),), 1_600, True, Manners(boarding=0.6))
MIX = (
    *(PRIMARY_SCHOOL, JUNIOR_SCHOOL, VILLAGE_SCHOOL, NINE_YEARS, PRIMARY_SCHOOL),
    *(HIGH_SCHOOL, VILLAGE_SCHOOL, PRIMARY_SCHOOL, COUNTRY_JUNIOR, VILLAGE_SCHOOL),
    *(PRIMARY_SCHOOL, WHOLE_SCHOOL, NINE_YEARS, VILLAGE_SCHOOL, PRIMARY_SCHOOL, JUNIOR_SCHOOL),
)


def is_large(pupils: int) -> bool:
    return pupils >= LARGE_FROM


# --- how many of what ---------------------------------------------------------------------------------


def add(
    load: Load,
    calendar: Calendar,
    casebook: Casebook,
    seed: int,
    schools: int | None,
    students: int | None,
    have: int,
) -> None:
    """Makes up what `have` schools and their pupils lack to the numbers asked for."""
    pupils = max(0, (students or 0) - load.count(Student))
    number = max(0, schools - have) if schools is not None else ceil(pupils / PUPILS_A_SCHOOL)
    if students is None:
        pupils = number * PUPILS_A_SCHOOL
    kinds = [MIX[index % len(MIX)] for index in range(number)]
    rng = Random(f"{seed}:heads")
    heads = _shares(pupils, [int(kind.size * (0.7 + 0.6 * rng.random())) for kind in kinds])
    _refuse_crowding(pupils, kinds, heads)
    rest = list(zip(kinds, heads, strict=True))
    neighbour = QINGLAN_COUNTY
    for index, (city, county) in enumerate(islice(_counties(seed), ceil(number / SCHOOLS_A_COUNTY))):
        here = rest[index * SCHOOLS_A_COUNTY : (index + 1) * SCHOOLS_A_COUNTY]
        _County(load, calendar, casebook, seed, city, county, neighbour).fill(here, index * SCHOOLS_A_COUNTY)
        neighbour = county


def _shares(total: int, weights: list[int]) -> list[int]:
    """`total` in whole parts as the weights are."""
    whole, given, seen = sum(weights), 0, 0
    found = []
    for weight in weights:
        seen += weight
        found.append(total * seen // whole - given)
        given += found[-1]
    return found


def _refuse_crowding(pupils: int, kinds: list[Kind], heads: list[int]) -> None:
    seats = [sum(years for _stage, years in kind.stages) * CLASSES_A_GRADE * PUPILS_A_CLASS for kind in kinds]
    if (pupils and not kinds) or any(head > most for head, most in zip(heads, seats, strict=True)):
        raise ValueError(_("学校太少，容不下这么多学生。请增加学校数，或减少学生数。"))


# --- places -------------------------------------------------------------------------------------------


def _counties(seed: int) -> Iterator[tuple[str, County]]:
    """(code of the city, county): first in the cast's city, then in further cities on codes 5198xx, 5197xx …"""
    names = _new_names(Random(f"{seed}:places"))
    cities = [(CITY, CITY_NAME), *((f"51{number}00", "") for number in range(98, 34, -1))]
    for code, city in cities:
        name = city or f"{next(names)}市"
        for number in range(23 if city else 21, 29):
            yield code, _make_county(f"{code[:4]}{number}", f"{next(names)}县", name, seed)
    raise ValueError(_("没有更多未使用的区划代码。请减少学校数。"))


def _new_names(rng: Random) -> Iterator[str]:
    """Names that no region has."""
    taken = _taken_names()
    firsts, seconds = place_names("county_first"), place_names("county_second")
    found = [first + second for first in firsts for second in seconds if first + second not in taken]
    rng.shuffle(found)
    yield from found
    for number in count(2):
        yield from (f"{name}{number}" for name in found)


@cache
def _taken_names() -> frozenset[str]:
    return frozenset(row.name[:2] for row in gb2260.regions()) | {"青岚", "石溪", "澜川"}


def _make_county(code: str, name: str, city: str, seed: int) -> County:
    rng = Random(f"{seed}:{code}")
    names = rng.sample(place_names("township"), 7)
    country = tuple(Township(f"{code}{101 + number}", f"{one}镇") for number, one in enumerate(names))
    return County(code, name, city, (Township(f"{code}100", "城关镇", is_town=True), *country))


# --- schools and pupils -------------------------------------------------------------------------------


class _County:
    """One county on its way in."""

    def __init__(
        self,
        load: Load,
        calendar: Calendar,
        casebook: Casebook,
        seed: int,
        city: str,
        county: County,
        neighbour: County,
    ) -> None:
        self.load, self.calendar, self.casebook, self.seed = load, calendar, casebook, seed
        self.city, self.county, self.neighbour = city, county, neighbour
        self.registry, self.elsewhere = Registry(self.county.code), Registry(former_code(self.county))
        self.rng = Random(f"{seed}:{self.county.code}:schools")
        self.made: Counter[tuple[str, bool]] = Counter()

    def fill(self, schools: list[tuple[Kind, int]], first_number: int) -> None:
        self._add_region()
        for number, (kind, head) in enumerate(schools):
            self._fill_school(self._open(kind, head, first_number + number), head)
            if self.load.waiting(Student) >= ROWS_AT_ONCE:
                self.casebook.tell()
                self.load.write()
        self.casebook.tell()

    def _add_region(self) -> None:
        if self.county.code.endswith("21"):
            self._region(self.city, self.county.city, PROVINCE, "city")
        self._region(self.county.code, self.county.name, self.city, "county")

    def _region(self, code: str, name: str, parent: str, level: str) -> None:
        row = {"code": code, "name": name, "parent_code": parent, "level": level, "is_added": True}
        self.load.add(Region, row)

    def _open(self, kind: Kind, head: int, serial: int) -> OpenSchool:
        plan = self._plan(kind, head, serial)
        school = add_school(self.load, plan, self.registry, self.elsewhere, self.neighbour, self.seed, None)
        add_grades(self.load, school, self.calendar)
        return school

    def _plan(self, kind: Kind, head: int, serial: int) -> SchoolPlan:
        township, name = self._place(kind)
        return SchoolPlan(
            f"school{serial}",
            name,
            f"{kind.category}51{FIRST_SERIAL + serial:06}",
            kind.type,
            self.county,
            township,
            "121" if kind.in_town else "210",
            tuple(StagePlan(stage, years, self._authority(stage)) for stage, years in kind.stages),
            tuple(self._classes(kind, seated(head))),
            kind.manners,
        )

    def _place(self, kind: Kind) -> tuple[Township, str]:
        """Where the next school of this kind stands, and its name: 榆屏县第三中学, 榆屏县双河镇中心小学."""
        before = self.made[kind.word, kind.in_town]
        self.made[kind.word, kind.in_town] += 1
        if kind.in_town:
            return self.county.seat, f"{self.county.name}第{_numeral(before + 1)}{kind.word}"
        around, villages = self.county.townships[1:], place_names("village")
        township = around[before % len(around)]
        if before < len(around):
            return township, f"{self.county.name}{township.name}{kind.word}"
        village = villages[before % len(villages)]
        return township, f"{self.county.name}{township.name}{village}村{kind.word.removeprefix('中心')}"

    def _authority(self, stage: str) -> str:
        return self.city if stage == SENIOR else self.county.code

    def _classes(self, kind: Kind, head: int) -> Iterator[ClassPlan]:
        levels = [(stage, level) for stage, years in kind.stages for level in range(1, years + 1)]
        for (stage, level), pupils in zip(levels, _shares(head, [1] * len(levels)), strict=True):
            number = max(1, ceil(pupils / PUPILS_A_CLASS))
            for index, size in enumerate(sizes(pupils, number, self.rng), start=1):
                yield ClassPlan(stage, level, index, size)

    def _fill_school(self, school: OpenSchool, head: int) -> None:
        enrolment = Enrolment(self.load, self.calendar, school)
        for one in school.classes:
            for _n in range(one.plan.size):
                enrolment.add(one.grade, one)
        away, drafts = absent(head)
        for _n in range(away):
            self._let_leave(enrolment)
        for _n in range(drafts):
            one = pick(school.rng, tuple(school.classes))
            enrolment.add(one.grade, one, Status.PENDING)

    def _let_leave(self, enrolment: Enrolment) -> None:
        """From the second year on: those of the first have hardly come."""
        school = enrolment.school
        grade = pick(school.rng, tuple(grade for grade in school.grades.values() if grade.level > 1))
        status = Status((AWAY_SENIOR if grade.stage == SENIOR else AWAY).draw(school.rng))
        assert status in DEPARTURES
        depart(enrolment, self.casebook, grade, status)


def _numeral(number: int) -> str:
    """1 to 99."""
    tens, ones = divmod(number, 10)
    digits = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九")
    return f"{digits[tens] if tens > 1 else ''}{'十' if tens else ''}{digits[ones]}"


def absent(head: int) -> tuple[int, int]:
    """Of a school's records: (those who are on leave or gone, drafts)."""
    return round(head * LEAVERS), round(head * DRAFTS)


def seated(head: int) -> int:
    return head - sum(absent(head))
