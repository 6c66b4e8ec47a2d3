"""Pupils with family, numbers and stays, drawn for a place in a grade. Special cases say what they want in `Wanted`.

Ages follow the rule of 31 August: who enters primary school has turned six by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from app.areas.students.models import (
    FORMAL,
    TEMPORARY,
    UNVERIFIED,
    VERIFIED,
    FamilyMember,
    NumberHistory,
    Status,
    Stay,
    Student,
    pinyin_for,
)
from app.core.names import search_keys
from seeds import persons
from seeds.load import Calendar, Load, Row
from seeds.persons import FEMALE, HAN, MALE, day_between, pick, weighted
from seeds.schools import SENIOR, OpenClass, OpenGrade, OpenSchool, post_code

FATHER, MOTHER, STEPFATHER, GRANDFATHER, GRANDMOTHER = "51", "52", "57", "61", "62"
ENTERED, CAME_OVER = "11", "13"
REGISTERED, CONFIRMED = "学籍注册", "全国核验通过，启用正式学籍号"
HEALTH = weighted({"10": 95, "20": 4, "30": 1})
DISABILITIES = weighted({"5": 55, "2": 20, "7": 10, "4": 8, "6": 7})
IN_CLASS = {"2": "2", "5": "3"}  # disability → 随班就读
TRANSPORT_NEAR = weighted({"1": 70, "2": 15, "4": 15})
TRANSPORT = weighted({"2": 30, "3": 35, "4": 30, "1": 5})
TALENTS = ("绘画", "篮球", "书法", "舞蹈", "乒乓球", "葫芦丝", "田径", "围棋", "声乐", "剪纸")
VILLAGE_WORK = (
    "务农",
    "在外务工（广东）",
    "在外务工（浙江）",
    "在外务工（成都）",
    "个体经营",
    "建筑工",
    "货车司机",
    "乡村医生",
)
TOWN_WORK = (
    "个体经营",
    "企业职工",
    "在外务工（重庆）",
    "教师",
    "医务人员",
    "公司职员",
    "出租车司机",
    "超市员工",
    "自由职业",
)
OLD_WORK = ("务农", "退休", "无")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a special pupil must be like; empty values are drawn. `number`: "G", "L" or "J". `more`: columns as given.

    `twin` shares family, birthday and home; `came_from` adds an earlier stay there.
    """

    name: str = ""
    gender: str = ""
    ethnicity: str = ""
    born_on: date | None = None
    years_older: int = 0
    number: str = ""
    more: Row = field(default_factory=dict)
    father: str = ""
    mother: str = ""
    twin: Pupil | None = None
    came_from: OpenGrade | None = None
    way: str = ENTERED
    entered_on: date | None = None

    @property
    def has_parents(self) -> bool:
        return bool(self.father or self.mother)


ANYBODY = Wanted()


@dataclass(slots=True)
class Pupil:
    """The rows of one pupil, still open to change until they are written."""

    row: Row
    school: OpenSchool
    grade: OpenGrade
    family: list[Row]
    stay: Row | None

    @property
    def name(self) -> str:
        return str(self.row["name"])


class Enrolment:
    """Draws pupils of one school into a load."""

    def __init__(
        self, load: Load, calendar: Calendar, school: OpenSchool, reserved: frozenset[str] = frozenset()
    ) -> None:
        """Names that are `reserved` for special pupils are not drawn."""
        self.reserved = reserved
        self.load, self.calendar, self.school = load, calendar, school
        self.rng, self.plan, self.county = school.rng, school.plan, school.plan.county
        self.post_code = post_code(self.county)
        self._numbered: dict[int, int] = {}  # class id → numbers given out in it

    def add(
        self,
        grade: OpenGrade,
        seat: OpenClass | None,
        status: Status = Status.ENROLLED,
        want: Wanted = ANYBODY,
    ) -> Pupil:
        who = self._draw_person(grade, want)
        home = self._draw_home(who, want)
        row = self._student_row(grade, seat, status, who, home)
        self._give_number(row, grade, who, want, status)
        row.update({"is_orphan": False} if want.has_parents else {}, **want.more)
        self.load.add(Student, row)
        pupil = Pupil(row, self.school, grade, [], None)
        self._add_family(pupil, who, home, want)
        if status is not Status.PENDING:
            self._add_history(pupil, who)
            pupil.stay = self._add_stays(pupil, want)
        return pupil

    # --- who --------------------------------------------------------------------------------------

    def _draw_person(self, grade: OpenGrade, want: Wanted) -> Who:
        rng = self.rng
        gender = want.gender or (MALE if rng.random() < 0.524 else FEMALE)
        ethnicity = want.ethnicity or persons.ETHNICITIES.draw(rng)
        twin = want.twin
        born = want.born_on or (twin.row["born_on"] if twin else self._draw_birthday(grade, want.years_older))
        family_name, name = self._draw_name(gender, ethnicity, born, want)
        is_migrant = twin is None and not want.more and rng.random() < self.plan.manners.migrant
        registry = self.school.elsewhere if is_migrant else self.school.registry
        has_number = want.more.get("id_type", "1") == "1" and "id_number" not in want.more
        id_number = registry.citizen_id(born, gender) if has_number else want.more.get("id_number")
        return Who(name, family_name, gender, ethnicity, born, id_number, is_migrant)

    def _draw_birthday(self, grade: OpenGrade, years_older: int) -> date:
        year = self.calendar.start - grade.years_since - 5 - years_older
        if not years_older and self.rng.random() < 0.02:
            year -= 1  # entered a year late
        return day_between(self.rng, date(year - 1, 9, 1), date(year, 8, 31))

    def _draw_name(self, gender: str, ethnicity: str, born: date, want: Wanted) -> tuple[str, str]:
        """(surname, whole name); the surname is empty where the people has none."""
        if want.name:
            return _surname_in(want.name), want.name
        if ethnicity in persons.OF_PEOPLES and self.rng.random() < 0.7:
            return "", persons.full_name(self.rng, gender, born.year, ethnicity)
        while True:
            family_name = persons.surname(self.rng, ethnicity)
            name = family_name + persons.given_name(self.rng, gender, born.year)
            if name not in self.reserved:
                return family_name, name

    # --- where ------------------------------------------------------------------------------------

    def _draw_home(self, who: Who, want: Wanted) -> Home:
        if want.twin:
            return _home_of(want.twin)
        rng, county = self.rng, self.county
        township = self._draw_township(may_be_rural=not want.more)
        address = county.address(rng, township)
        if not who.is_migrant:
            return Home(address, address, township.area_code(rng), county.full_name, township.is_town)
        before = self.school.neighbour
        there = pick(rng, before.townships)
        registered = before.address(rng, there)
        return Home(address, registered, there.area_code(rng), before.full_name, township.is_town)

    def _draw_township(self, *, may_be_rural: bool) -> persons.Township:
        """Schools of the country have pupils of their own township only."""
        own = self.plan.township
        if own.is_town and may_be_rural and self.rng.random() < self.plan.manners.rural:
            return pick(self.rng, self.county.townships[1:])
        return own

    # --- the form ---------------------------------------------------------------------------------

    def _student_row(
        self,
        grade: OpenGrade,
        seat: OpenClass | None,
        status: Status,
        who: Who,
        home: Home,
    ) -> Row:
        """Every column that is ever filled, in the order of the form."""
        return {
            "school_id": self.school.id,
            "authority_code": grade.authority,
            **self._identity(who, home),
            **self._record(grade, seat),
            **self._contact(home),
            **self._circumstances(who, home),
            "status": status,
            "student_no": None,
            "student_no_state": None,
            "verification": UNVERIFIED,
            "problem_note": None,
            "verified_term_id": None,
            "stage": grade.stage,
        }

    def _identity(self, who: Who, home: Home) -> Row:
        rng = self.rng
        chance = rng.random
        pinyin, name_key, initials = _pinyin_columns(who.name)
        return {
            "name": who.name,
            "name_key": name_key,
            "name_initials": initials,
            "gender": who.gender,
            "born_on": who.born_on,
            "birthplace_code": home.area_code if chance() < 0.85 else self.county.seat.area_code(rng),
            "native_place": home.native_place,
            "ethnicity": who.ethnicity,
            "nationality": "CHN",
            "id_type": "1",
            "id_number": who.id_number,
            "overseas": "00",
            "political_status": self._draw_party(who.born_on),
            "pinyin": pinyin,
            "former_name": None,
            "id_valid": self._draw_validity() if chance() < 0.3 else None,
            "residence_code": home.area_code,
            "residence_type": "3"
            if chance() < 0.5
            else ("2" if home.is_town and not who.is_migrant else "1"),
            "talent": pick(rng, TALENTS) if chance() < 0.08 else None,
        }

    def _record(self, grade: OpenGrade, seat: OpenClass | None) -> Row:
        way = "11"
        if grade.stage == SENIOR:
            way = "21" if self.rng.random() < 0.95 else pick(self.rng, ("22", "23"))
        return {
            "number_in_class": self._number_in_class(seat) if seat else None,
            "grade_id": grade.id,
            "class_id": seat.id if seat else None,
            "entry_month": f"{grade.entry_year}09",
            "entry_way": way,
            "source": "1",
        }

    def _contact(self, home: Home) -> Row:
        return {
            "address": home.address,
            "mail_address": home.address,
            "home_address": home.registered,
            "phone": persons.phone(self.rng),
            "post_code": self.post_code,
            "email": None,
        }

    def _circumstances(self, who: Who, home: Home) -> Row:
        chance, manners = self.rng.random, self.plan.manners
        boards, is_orphan = chance() < manners.boarding, chance() < 0.002
        is_left = not who.is_migrant and not is_orphan and chance() < manners.left_behind
        is_poor = is_orphan or chance() < (0.22 if is_left or not home.is_town else 0.05)
        return {
            "boarding": "2" if boards else "1",
            "is_only_child": chance() < 0.35,
            "had_preschool": chance() < 0.94,
            "left_behind": ("1" if chance() < 0.45 else "2") if is_left else "0",
            "is_migrant_child": who.is_migrant,
            "is_orphan": is_orphan,
            "is_martyr_child": chance() < 0.001,
            "is_place_bought": None,
            "needs_aid": is_poor,
            "has_subsidy": is_poor and boards,
            **self._health(),
            **self._way_to_school(boards, home.is_town),
        }

    def _health(self) -> Row:
        rng = self.rng
        if self.plan.manners.is_special:
            return {"health": "50", "disability": DISABILITIES.draw(rng), "in_class_special": "0"}
        if rng.random() < 0.005:
            disability = pick(rng, tuple(IN_CLASS))
            return {"health": "40", "disability": disability, "in_class_special": IN_CLASS[disability]}
        return {"health": HEALTH.draw(rng), "disability": "0", "in_class_special": "0"}

    def _way_to_school(self, boards: bool, is_town: bool) -> Row:
        rng = self.rng
        distance = 1 + int(rng.random() * rng.random() * (24 if boards or not is_town else 6))
        by_bus = distance > 8
        means = "5" if by_bus else (TRANSPORT if distance > 2 else TRANSPORT_NEAR).draw(rng)
        return {"distance_km": distance, "transport": means, "needs_school_bus": by_bus}

    def _draw_party(self, born_on: date) -> str:
        """League members are fourteen and older."""
        age = self.calendar.start - born_on.year
        return "03" if age > 14 and self.rng.random() < (age - 14) * 0.16 else "13"

    def _draw_validity(self) -> str:
        issued = self.calendar.ago(int(self.rng.random() * 1_500) + 30)
        issued = issued.replace(day=min(issued.day, 28))
        return f"{issued:%Y%m%d}-{issued.replace(year=issued.year + 5):%Y%m%d}"

    def _number_in_class(self, seat: OpenClass) -> str:
        given = self._numbered[seat.id] = self._numbered.get(seat.id, 0) + 1
        return f"{seat.grade.entry_year}{seat.plan.number:02}{given:02}"

    # --- numbers ----------------------------------------------------------------------------------

    def _give_number(self, row: Row, grade: OpenGrade, who: Who, want: Wanted, status: Status) -> None:
        if status is Status.PENDING:
            return
        kind = want.number or self._draw_kind(grade)
        if kind == "L":
            row["student_no"] = self.school.registry.temporary(who.born_on, self.rng)
            row["student_no_state"] = TEMPORARY
            return
        row["student_no"] = (
            f"G{who.id_number}" if kind == "G" else self.school.registry.formal_without_id(who.born_on)
        )
        row["student_no_state"], row["verification"] = FORMAL, VERIFIED
        row["verified_term_id"] = (
            self.calendar.last_term_id if grade.started_primary < self.calendar.start else None
        )

    def _draw_kind(self, grade: OpenGrade) -> str:
        """First-graders wait for the national check of the spring term."""
        is_new = grade.started_primary >= self.calendar.start and not self.calendar.is_checked
        return "L" if self.rng.random() < (0.85 if is_new else 0.004) else "G"

    def _add_history(self, pupil: Pupil, who: Who) -> None:
        """Every number that a pupil has had; for some the temporary one is on file as well."""
        registered_on = self.calendar.by_today(date(pupil.grade.started_primary, 9, 25))
        number = pupil.row["student_no"]
        if pupil.row["student_no_state"] == TEMPORARY:
            self._add_number(pupil, number, registered_on, None, REGISTERED)
            return
        checked_on = self.calendar.by_today(date(pupil.grade.started_primary + 1, 3, 15))
        if self.rng.random() < 0.15:
            earlier = self.school.registry.temporary(who.born_on, self.rng)
            self._add_number(pupil, earlier, registered_on, checked_on, REGISTERED)
        self._add_number(pupil, number, checked_on, None, CONFIRMED)

    def _add_number(
        self, pupil: Pupil, number: str, from_on: date, until_on: date | None, reason: str
    ) -> None:
        words = {"student_no": number, "from_on": from_on, "until_on": until_on, "reason": reason}
        self.load.add(NumberHistory, {**_place(pupil), **words})

    # --- family -----------------------------------------------------------------------------------

    def _add_family(self, pupil: Pupil, who: Who, home: Home, want: Wanted) -> None:
        members = want.twin.family if want.twin else self._draw_family(pupil, who, home, want)
        for one in members:
            member = {**one, **_place(pupil)}
            self.load.add(FamilyMember, member)
            pupil.family.append(member)

    def _draw_family(self, pupil: Pupil, who: Who, home: Home, want: Wanted) -> list[Row]:
        chance = self.rng.random()
        if want.has_parents:
            return [self._member(FATHER, who, home, want), self._member(MOTHER, who, home, want)]
        if pupil.row["is_orphan"]:
            return [self._member(GRANDFATHER, who, home, want), self._member(GRANDMOTHER, who, home, want)]
        if chance < 0.03 and not want.more:
            return [self._member(FATHER if chance < 0.018 else MOTHER, who, home, want)]
        parents = [self._member(FATHER, who, home, want), self._member(MOTHER, who, home, want)]
        if chance < 0.045 and not want.more:
            parents[0]["relation"] = STEPFATHER
        if pupil.row["left_behind"] == "2":
            parents.append(self._member(GRANDMOTHER if chance < 0.7 else GRANDFATHER, who, home, want))
            parents[-1]["is_guardian"] = chance > 0.5
        return parents

    def _member(self, relation: str, who: Who, home: Home, want: Wanted) -> Row:
        rng = self.rng
        is_old = relation in (GRANDFATHER, GRANDMOTHER)
        gender = MALE if relation in (FATHER, GRANDFATHER) else FEMALE
        born = _years_before(who.born_on, (46 if is_old else 22) + int(rng.random() * 13), rng)
        given = want.father if relation == FATHER else want.mother if relation == MOTHER else ""
        kin = who.family_name if gender == MALE else ""
        has_number = not is_old and (who.id_number is None or rng.random() < 0.6)
        works = OLD_WORK if is_old else TOWN_WORK if home.is_town else VILLAGE_WORK
        return {
            "name": given
            or persons.full_name(rng, gender, born.year, who.ethnicity if not kin else HAN, kin),
            "relation": relation,
            "relation_note": None,
            "ethnicity": who.ethnicity,
            "workplace": pick(rng, works),
            "address": home.address,
            "residence_code": home.area_code,
            "phone": persons.phone(rng),
            "is_guardian": True,
            "id_type": "1" if has_number else None,
            "id_number": self.school.registry.citizen_id(born, gender) if has_number else None,
            "position": None,
        }

    # --- stays ------------------------------------------------------------------------------------

    def _add_stays(self, pupil: Pupil, want: Wanted) -> Row:
        if want.came_from is not None:
            self._add_earlier_stay(pupil, want)
        entered_on = want.entered_on or date(pupil.grade.entry_year, 9, 1)
        from_school = want.came_from.school.name if want.came_from else None
        row = stay_row(pupil, pupil.grade, entered_on, want.way, from_school)
        self.load.add(Stay, row)
        return row

    def _add_earlier_stay(self, pupil: Pupil, want: Wanted) -> None:
        before = want.came_from
        assert before is not None
        row = stay_row(pupil, before, date(before.entry_year, 9, 1), ENTERED, None)
        row["school_id"], row["authority_code"] = before.school.id, before.authority
        row["to_school"] = self.school.name
        row["snapshot"] = snapshot_of(pupil, before)
        if want.entered_on and want.way == CAME_OVER:
            row |= {"left_on": want.entered_on - timedelta(1), "leave_way": "27"}
        else:
            close_as_graduate(row, self.calendar, before)
        self.load.add(Stay, row)


@dataclass(frozen=True, slots=True)
class Who:
    name: str
    family_name: str
    gender: str
    ethnicity: str
    born_on: date
    id_number: str | None
    is_migrant: bool


@dataclass(frozen=True, slots=True)
class Home:
    """`registered` and `area_code` are those of the household register."""

    address: str
    registered: str
    area_code: str
    native_place: str
    is_town: bool


def stay_row(pupil: Pupil, grade: OpenGrade, entered_on: date, way: str, from_school: str | None) -> Row:
    return {
        **_place(pupil),
        "student_name": pupil.name,
        "student_no": pupil.row["student_no"],
        "stage": grade.stage,
        "entry_grade_id": grade.id,
        "entered_on": entered_on,
        "way": way,
        "from_school": from_school,
        "left_on": None,
        "leave_way": None,
        "to_school": None,
        "graduation_result": None,
        "certificate_no": None,
        "snapshot": None,
    }


def close_as_graduate(stay: Row, calendar: Calendar, grade: OpenGrade, result: str = "1") -> None:
    """毕业, 结业 and 肄业 of the last summer."""
    stay["left_on"] = date(calendar.start, 7, 10)
    stay["leave_way"] = {"1": "21", "2": "22"}.get(result)
    stay["graduation_result"] = result
    if result != "3":
        stay["certificate_no"] = f"{grade.school.plan.code}{calendar.start}{stay['student_id']:07}"


def snapshot_of(pupil: Pupil, grade: OpenGrade) -> dict[str, Any]:
    """The pupil's own columns as they were at leaving, without what belongs to the next school."""
    fields = Student.fields()
    kept = {name: fields[name].dump(value) for name, value in pupil.row.items() if name in fields}
    kept |= {"school_id": grade.school.id, "authority_code": grade.authority, "grade_id": grade.id}
    if pupil.grade is not grade:
        kept |= {"class_id": None, "number_in_class": None, "entry_month": f"{grade.entry_year}09"}
        kept |= {"stage": grade.stage, "entry_way": "11"}
    return kept


def _place(pupil: Pupil) -> Row:
    row = pupil.row
    return {
        "student_id": row["id"],
        "school_id": row["school_id"],
        "authority_code": row["authority_code"],
    }


def _home_of(pupil: Pupil) -> Home:
    row = pupil.row
    return Home(row["address"], row["home_address"], row["residence_code"], row["native_place"], is_town=True)


def _surname_in(name: str) -> str:
    """ "" for names with a middle dot and for Latin ones."""
    if "·" in name or name.isascii():
        return ""
    return name[:2] if name[:2] in ("欧阳", "诸葛", "上官", "司马") else name[0]


def _years_before(born_on: date, years: int, rng: Random) -> date:
    return date(born_on.year - years, 1 + int(rng.random() * 12), 1 + int(rng.random() * 28))


@lru_cache(maxsize=300_000)
def _pinyin_columns(name: str) -> tuple[str | None, str, str]:
    keys = search_keys(name)
    return pinyin_for(name), keys["name_key"], keys["name_initials"]
