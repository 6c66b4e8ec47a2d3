"""The cast's district: 澜川市 with 青岚县 and 石溪县, its schools, and the special cases that a demonstration needs.

Numbers of classes and pupils are fixed here; ordinary pupils are drawn in `pupils`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from app.areas.changes.models import ChangeState
from app.areas.regions.models import Region
from app.areas.regions.notices import Notice
from app.areas.students import numbers
from app.areas.students.models import PROBLEM, Status
from seeds.accounts import CITY, QINGLAN, SHIXI
from seeds.changes import Casebook, depart, graduate
from seeds.load import Calendar, Load, Row
from seeds.persons import FEMALE, MALE, County, Township
from seeds.pupils import ANYBODY, CAME_OVER, Enrolment, Pupil, Wanted
from seeds.schools import (
    JUNIOR,
    MULTI_GRADE,
    PRIMARY,
    SENIOR,
    SPECIAL,
    ClassPlan,
    Manners,
    OpenClass,
    OpenGrade,
    OpenSchool,
    SchoolPlan,
    StagePlan,
)

PROVINCE = "510000"
CITY_NAME = "澜川市"
SEAT, BAISHI, YUNLING = (
    Township(f"{QINGLAN}100", "城关镇", is_town=True),
    Township(f"{QINGLAN}101", "白石镇"),
    Township(f"{QINGLAN}200", "云岭乡"),
)
QINGLAN_COUNTY = County(
    QINGLAN,
    "青岚县",
    CITY_NAME,
    (SEAT, BAISHI, YUNLING, Township(f"{QINGLAN}102", "青溪镇"), Township(f"{QINGLAN}201", "龙潭乡")),
)
SHIXI_COUNTY = County(
    SHIXI,
    "石溪县",
    CITY_NAME,
    (
        Township(f"{SHIXI}100", "溪口镇", is_town=True),
        Township(f"{SHIXI}101", "石门镇"),
        Township(f"{SHIXI}200", "双河乡"),
    ),
)
COUNTIES = (QINGLAN_COUNTY, SHIXI_COUNTY)
IN_TOWN = Manners()


def add_regions(load: Load) -> None:
    rows = ((CITY, CITY_NAME, PROVINCE, "city"), *((c.code, c.name, CITY, "county") for c in COUNTIES))
    for code, name, parent, level in rows:
        load.add(
            Region, {"code": code, "name": name, "parent_code": parent, "level": level, "is_added": True}
        )


def add_notices(load: Load, calendar: Calendar) -> None:
    """Two of 青岚县: how to reach the bureau, also said before login; and what is to be done this term."""
    county = {"region_code": QINGLAN, "region_end": QINGLAN}
    load.add(
        Notice,
        {
            **county,
            "title": "学籍咨询时间和电话",
            "text": "工作日8:30—12:00、14:30—18:00受理学籍咨询。\n忘记密码、账号锁定的，请先联系本校总管理员。",
            "from_on": calendar.ago(60),
            "until_on": None,
            "is_pinned": True,
            "on_login": True,
            "phone": "0830-0000021",
        },
    )
    load.add(
        Notice,
        {
            **county,
            "title": "本学期人籍一致核查",
            "text": "请各校逐班核对在校学生，休学到期的及时办理复学或续休，问题学籍在截止日期前处理完毕。",
            "from_on": calendar.ago(5),
            "until_on": calendar.on + timedelta(25),
            "is_pinned": False,
            "on_login": False,
            "phone": None,
        },
    )


# --- the schools --------------------------------------------------------------------------------------


def sizes(total: int, among: int, rng: Random, spread: int = 3) -> list[int]:
    """`total` pupils in `among` classes, as unequal as in life."""
    found = [total // among + (number < total % among) for number in range(among)]
    for _round in range(among):
        one, other = rng.randrange(among), rng.randrange(among)
        if max(found[one] + 1 - total // among, total // among - found[other] + 1) <= spread:
            found[one] += 1
            found[other] -= 1
    return found


def _classes(stage: str, level: int, heads: list[int]) -> Iterator[ClassPlan]:
    for number, size in enumerate(heads, start=1):
        yield ClassPlan(stage, level, number, size)


def plans(seed: int) -> list[SchoolPlan]:
    rng = Random(f"{seed}:district")
    return [
        _first_school(rng),
        _junior_school(rng),
        _primary_school(rng),
        _boarding_school(rng),
        _village_school(rng),
        _teaching_point(),
        _special_school(),
        _city_school(rng),
        _other_county_school(),
    ]


def _first_school(rng: Random) -> SchoolPlan:
    """24 classes: one with 54 pupils, one with 55, one with 56 by approval, one spare, the others as they come."""
    heads = sizes(1_000, 20, rng)
    junior = {(1, 1): 55, (1, 4): 0, (2, 2): 54, (3, 1): 56}
    classes = [
        ClassPlan(
            stage,
            level,
            number,
            junior[level, number] if stage == JUNIOR and (level, number) in junior else heads.pop(),
            lifted_to=56 if (stage, level, number) == (JUNIOR, 3, 1) else None,
            teacher="zhou" if (stage, level, number) == (JUNIOR, 1, 3) else "",
            campus="校本部" if stage == SENIOR else "东校区",
        )
        for stage in (JUNIOR, SENIOR)
        for level in (1, 2, 3)
        for number in (1, 2, 3, 4)
    ]
    return SchoolPlan(
        "yizhong",
        "青岚县第一中学",
        "3451990001",
        "341",
        QINGLAN_COUNTY,
        SEAT,
        "121",
        (StagePlan(JUNIOR, 3, QINGLAN), StagePlan(SENIOR, 3, CITY)),
        tuple(classes),
        replace(IN_TOWN, boarding=0.3),
        english_name="Qinglan County No.1 Middle School",
        campuses=("校本部", "东校区"),
        graduated=(JUNIOR, SENIOR),
    )


def _junior_school(rng: Random) -> SchoolPlan:
    heads = sizes(590, 12, rng, spread=4)
    classes = [
        one for level in (1, 2, 3) for one in _classes(JUNIOR, level, heads[level * 4 - 4 : level * 4])
    ]
    return SchoolPlan(
        "chengguan",
        "城关初级中学",
        "3151990002",
        "311",
        QINGLAN_COUNTY,
        SEAT,
        "121",
        (StagePlan(JUNIOR, 3, QINGLAN),),
        tuple(classes),
        replace(IN_TOWN, migrant=0.06),
        graduated=(JUNIOR,),
    )


def _primary_school(rng: Random) -> SchoolPlan:
    heads = sizes(540, 12, rng, spread=1) + sizes(120, 3, rng)  # the oldest grades are the smallest
    classes = [
        one
        for level, count in enumerate((3, 3, 3, 2, 2, 2), start=1)
        for one in _classes(PRIMARY, level, [heads.pop(0) for _number in range(count)])
    ]
    return SchoolPlan(
        "shiyan",
        "实验小学",
        "2151990003",
        "211",
        QINGLAN_COUNTY,
        SEAT,
        "121",
        (StagePlan(PRIMARY, 6, QINGLAN),),
        tuple(classes),
        replace(IN_TOWN, migrant=0.08, rural=0.15),
        campuses=("文昌校区", "滨江校区"),
        graduated=(PRIMARY,),
    )


def _boarding_school(rng: Random) -> SchoolPlan:
    heads = sizes(310, 9, rng, spread=6)
    classes = [ClassPlan(PRIMARY, level, 1, heads.pop()) for level in range(1, 7)]
    classes += [ClassPlan(JUNIOR, level, 1, heads.pop()) for level in range(1, 4)]
    return SchoolPlan(
        "baishi",
        "白石镇九年一贯制学校",
        "3151990004",
        "312",
        QINGLAN_COUNTY,
        BAISHI,
        "122",
        (StagePlan(PRIMARY, 6, QINGLAN), StagePlan(JUNIOR, 3, QINGLAN)),
        tuple(classes),
        Manners(boarding=0.68, left_behind=0.46, migrant=0.0, rural=0.9),
        graduated=(JUNIOR,),
    )


def _village_school(rng: Random) -> SchoolPlan:
    heads = sizes(166, 6, rng, spread=5)
    return SchoolPlan(
        "yunling",
        "云岭乡中心小学",
        "2151990005",
        "211",
        QINGLAN_COUNTY,
        YUNLING,
        "210",
        (StagePlan(PRIMARY, 6, QINGLAN),),
        tuple(ClassPlan(PRIMARY, level, 1, heads.pop()) for level in range(1, 7)),
        Manners(boarding=0.15, left_behind=0.35, migrant=0.0, rural=1.0),
    )


def _teaching_point() -> SchoolPlan:
    """One class of fourteen in two grades."""
    return SchoolPlan(
        "liuping",
        "柳坪村教学点",
        "2151990006",
        "218",
        QINGLAN_COUNTY,
        YUNLING,
        "220",
        (StagePlan(PRIMARY, 6, QINGLAN),),
        (ClassPlan(PRIMARY, 1, 1, 14, MULTI_GRADE, more_levels=(2,)),),
        Manners(left_behind=0.5, migrant=0.0, rural=1.0),
        central="yunling",
    )


def _special_school() -> SchoolPlan:
    places = ((PRIMARY, 1), (PRIMARY, 3), (PRIMARY, 5), (JUNIOR, 1), (JUNIOR, 3))
    return SchoolPlan(
        "teshu",
        "特殊教育学校",
        "5151990007",
        "514",
        QINGLAN_COUNTY,
        SEAT,
        "121",
        (StagePlan(PRIMARY, 6, QINGLAN), StagePlan(JUNIOR, 3, QINGLAN)),
        tuple(ClassPlan(stage, level, 1, 8, SPECIAL) for stage, level in places),
        Manners(boarding=0.5, left_behind=0.2, migrant=0.0, is_special=True),
    )


def _city_school(rng: Random) -> SchoolPlan:
    """Stands in the county and belongs to the city: the county sees none of its pupils."""
    heads = sizes(300, 6, rng)
    return SchoolPlan(
        "shiyangao",
        "澜川市实验高级中学",
        "3451990008",
        "342",
        QINGLAN_COUNTY,
        SEAT,
        "121",
        (StagePlan(SENIOR, 3, CITY),),
        tuple(one for level in (1, 2, 3) for one in _classes(SENIOR, level, [heads.pop(), heads.pop()])),
        replace(IN_TOWN, boarding=0.6),
        graduated=(SENIOR,),
    )


def _other_county_school() -> SchoolPlan:
    return SchoolPlan(
        "shixi",
        "石溪县第二初级中学",
        "3151990009",
        "311",
        SHIXI_COUNTY,
        SHIXI_COUNTY.seat,
        "121",
        (StagePlan(JUNIOR, 3, SHIXI),),
        (ClassPlan(JUNIOR, 1, 1, 46), ClassPlan(JUNIOR, 2, 1, 44)),
        replace(IN_TOWN, left_behind=0.2),
        graduated=(JUNIOR,),
    )


# --- filling them -------------------------------------------------------------------------------------


SPECIAL_NAMES = frozenset(
    {"王子涵", "陈嘉树", "陈嘉禾", "欧阳雨桐", "欧阳皓轩", "何雨泽", "李欣妍", "郑凯琳", "简安妤"}
)
FROM_PRIMARY, FROM_JUNIOR = 5, 5  # pupils in each class of a first grade whose earlier stay is on file


class District:
    """Enrols everyone in the cast's schools: first the special pupils, then the others."""

    def __init__(
        self, load: Load, calendar: Calendar, casebook: Casebook, schools: dict[str, OpenSchool]
    ) -> None:
        self.load, self.calendar, self.casebook, self.schools = load, calendar, casebook, schools
        self.enrolments = {
            key: Enrolment(load, calendar, school, SPECIAL_NAMES) for key, school in schools.items()
        }
        self.seated: dict[int, int] = {}  # class id → special pupils in it
        self.first: dict[int, Pupil] = {}  # class id → an ordinary pupil

    def fill(self) -> None:
        self._seat_namesakes_and_kin()
        self._seat_rare_names()
        self._seat_foreign_papers()
        self._seat_problems()
        self._seat_movers()
        for key, school in self.schools.items():
            for one in school.classes:
                self._fill_class(key, one)
        self._let_some_leave()
        self._let_some_graduate()
        self._add_drafts()
        self._tell_of_open_cases()
        self.casebook.tell()

    # --- places -----------------------------------------------------------------------------------

    def _class(self, key: str, stage: str, level: int, number: int) -> OpenClass:
        return self.schools[key].class_at(stage, level, number)

    def _seat(self, key: str, stage: str, level: int, number: int, want: Wanted) -> Pupil:
        one = self._class(key, stage, level, number)
        self.seated[one.id] = self.seated.get(one.id, 0) + 1
        return self.enrolments[key].add(one.grade, one, want=want)

    def _fill_class(self, key: str, one: OpenClass) -> None:
        feeders = list(self._feeders(key, one.grade))
        for number in range(one.plan.size - self.seated.get(one.id, 0)):
            grade = one.grades[number % len(one.grades)]
            want = Wanted(came_from=feeders[number]) if number < len(feeders) else ANYBODY
            pupil = self.enrolments[key].add(grade, one, want=want)
            if number >= len(feeders):
                self.first.setdefault(one.id, pupil)

    def _feeders(self, key: str, grade: OpenGrade) -> Iterator[OpenGrade]:
        """From where pupils of this first grade came last summer."""
        if grade.level > 1:
            return
        if key in ("yizhong", "chengguan") and grade.stage == JUNIOR:
            yield from [self.schools["shiyan"].graduates[PRIMARY]] * FROM_PRIMARY
        if key in ("yizhong", "shiyangao") and grade.stage == SENIOR:
            yield from [self.schools["yizhong"].graduates[JUNIOR]] * FROM_JUNIOR
            yield from [self.schools["chengguan"].graduates[JUNIOR]] * FROM_JUNIOR

    def _birthday(self, grade: OpenGrade, month: int, day: int) -> date:
        """In the first half of a year, for pupils of the usual age."""
        return date(self.calendar.start - grade.years_since - 5, month, day)

    # --- special pupils ---------------------------------------------------------------------------

    def _seat_namesakes_and_kin(self) -> None:
        self._seat("yizhong", JUNIOR, 1, 2, Wanted("王子涵", FEMALE, "01"))
        self._seat("yizhong", JUNIOR, 1, 3, Wanted("王子涵", FEMALE, "01"))
        not_alone = {"is_only_child": False}
        first = self._seat("yizhong", JUNIOR, 2, 1, Wanted("陈嘉树", MALE, "01", more=not_alone))
        self._seat("yizhong", JUNIOR, 2, 1, Wanted("陈嘉禾", MALE, "01", more=not_alone, twin=first))

    def _seat_rare_names(self) -> None:
        self._seat("yizhong", SENIOR, 1, 1, Wanted("欧阳雨桐", FEMALE, "01"))
        self._seat("shiyan", PRIMARY, 2, 1, Wanted("欧阳皓轩", MALE, "01"))
        uyghur = Wanted("阿依古丽·买买提", FEMALE, "05", father="买买提·吐尔逊", mother="热依汗·艾合买提")
        self._seat("yizhong", JUNIOR, 1, 2, uyghur)
        self._seat("yizhong", JUNIOR, 2, 3, Wanted("王𬸚", MALE, "01"))
        self._seat("shiyan", PRIMARY, 3, 1, Wanted("李㛃", FEMALE, "01"))

    def _seat_foreign_papers(self) -> None:
        """A passport, two residence permits, and a child without any paper."""
        self._seat_foreigner()
        hong_kong = {"overseas": "01", "native_place": "香港特别行政区"}
        self._seat_permit("yizhong", JUNIOR, 1, 1, "郑凯琳", "810000", hong_kong)
        taiwan = {"overseas": "05", "native_place": "台湾省"}
        self._seat_permit("shiyan", PRIMARY, 5, 1, "简安妤", "830000", taiwan)
        nothing = {"id_type": "Z", "id_number": None}
        self._seat("yunling", PRIMARY, 2, 1, Wanted(gender=MALE, ethnicity="01", number="J", more=nothing))

    def _seat_foreigner(self) -> None:
        papers = {"nationality": "DEU", "id_type": "A", "id_number": "DEMO00471", "overseas": "51"}
        want = Wanted(
            "Anna Maria Keller",
            FEMALE,
            "97",
            number="J",
            more={**papers, "native_place": "德国"},
            father="Thomas Keller",
            mother="陈静",
        )
        father, mother = self._seat("shiyan", PRIMARY, 4, 1, want).family
        father |= {"id_type": "A", "id_number": "DEMO00472", "residence_code": None}
        mother["ethnicity"] = "01"

    def _seat_permit(
        self, key: str, stage: str, level: int, number: int, name: str, area: str, more: Row
    ) -> None:
        """Sequence 000 is not given out, so nobody real has such a permit; it is that of a girl."""
        born = self._birthday(self._class(key, stage, level, number).grade, 4, 16)
        first = f"{area}{born:%Y%m%d}000"
        papers = {"id_type": "P", "id_number": first + numbers.check_digit(first), **more}
        self._seat(key, stage, level, number, Wanted(name, FEMALE, "01", born, number="J", more=papers))

    def _seat_problems(self) -> None:
        """The same ID number in two counties, and a mother's number in place of the child's."""
        own = self._seat("yizhong", JUNIOR, 1, 2, Wanted("何雨泽", MALE, "01"))
        same = {"id_number": own.row["id_number"]}
        words = Wanted("何雨泽", MALE, "01", own.row["born_on"], number="L", more=same)
        other = self._seat("shixi", JUNIOR, 1, 1, words)
        for pupil in (own, other):
            _mark(pupil, "身份证件号与外校学生重复，请到“学籍注册—问题学籍处理”核实。")
        child = self._seat(
            "chengguan", JUNIOR, 1, 2, Wanted(gender=FEMALE, ethnicity="01", number="L", mother="罗丽娟")
        )
        mother = next(member for member in child.family if member["name"] == "罗丽娟")
        if mother["id_number"] is None:
            born = date(child.row["born_on"].year - 27, 6, 3)
            mother |= {"id_type": "1", "id_number": child.school.registry.citizen_id(born, FEMALE)}
        child.row["id_number"] = mother["id_number"]
        _mark(child, "身份证件号与出生日期不符，疑将家长证件号填入学生栏，请核对户口簿。")

    def _seat_movers(self) -> None:
        """Transfers of last spring, a year repeated, a name put right."""
        for origin, key, number in (
            ("yizhong", "chengguan", 1),
            ("chengguan", "yizhong", 2),
            ("shixi", "yizhong", 4),
        ):
            self._transfer(origin, key, number)
        self._repeat_a_year()
        self._put_a_name_right()

    def _repeat_a_year(self) -> None:
        older = self.schools["yizhong"].grades[JUNIOR, 3]
        entered_on = date(older.entry_year, 9, 1)
        late = Wanted(years_older=1, entered_on=entered_on, more={"entry_month": f"{entered_on:%Y%m}"})
        repeater = self._seat("yizhong", JUNIOR, 2, 4, late)
        assert repeater.stay is not None
        repeater.stay["entry_grade_id"] = older.id
        self.casebook.add(
            repeater,
            "REPEAT",
            ChangeState.DONE,
            date(self.calendar.start, 8, 20),
            reason=("99", "因病缺课较多，本人申请"),
            effective_on=self.calendar.began_on,
            before={"grade_id": older.id},
            after={"grade_id": repeater.grade.id},
        )

    def _put_a_name_right(self) -> None:
        renamed = self._seat(
            "yizhong", JUNIOR, 3, 3, Wanted("李欣妍", FEMALE, "01", more={"former_name": "李小花"})
        )
        self.casebook.add(
            renamed,
            "KEY_DATA",
            ChangeState.DONE,
            date(self.calendar.start, 4, 8),
            reason=("", "户口簿已更名"),
            effective_on=date(self.calendar.start, 4, 14),
            before={"name": "李小花"},
            after={"name": "李欣妍"},
        )

    def _transfer(self, origin: str, key: str, number: int) -> None:
        before = self.schools[origin].grades[JUNIOR, 2]
        moved_on = date(self.calendar.start, 3, 2)
        pupil = self._seat(
            key, JUNIOR, 2, number, Wanted(came_from=before, way=CAME_OVER, entered_on=moved_on)
        )
        self.casebook.add(
            pupil,
            "XFER_IN",
            ChangeState.DONE,
            moved_on - timedelta(9),
            reason=("T2", "随父母工作变动"),
            effective_on=moved_on,
            before={"school_id": before.school.id},
            after={"school_id": pupil.school.id},
            origin=before,
        )

    # --- those who are not in class ---------------------------------------------------------------

    def _depart(self, key: str, stage: str, level: int, status: Status, **words: date) -> Pupil:
        school = self.schools[key]
        return depart(self.enrolments[key], self.casebook, school.grades[stage, level], status, **words)

    def _let_some_leave(self) -> None:
        on, ago = self.calendar.on, self.calendar.ago
        soon, overdue = on + timedelta(12), ago(9)
        self._depart("yizhong", JUNIOR, 2, Status.SUSPENDED, on=soon - timedelta(365), until_on=soon)
        self._depart("yizhong", JUNIOR, 3, Status.SUSPENDED, on=overdue - timedelta(365), until_on=overdue)
        for key, stage, level, status in LEAVERS:
            self._depart(key, stage, level, status)

    def _let_some_graduate(self) -> None:
        for key, stage, count in GRADUATES:
            grade = self.schools[key].graduates[stage]
            for _one in range(count):
                graduate(self.enrolments[key], grade)
        senior = self.schools["yizhong"].graduates[SENIOR]
        for status in (Status.COMPLETED, Status.COMPLETED, Status.INCOMPLETE):
            graduate(self.enrolments["yizhong"], senior, status)

    def _add_drafts(self) -> None:
        for key, stage, level, number, count in DRAFTS:
            one = self._class(key, stage, level, number)
            for _one in range(count):
                self.enrolments[key].add(one.grade, one, Status.PENDING)

    # --- cases that are under way -----------------------------------------------------------------

    def _tell_of_open_cases(self) -> None:
        self._rename_case((1, 1), ChangeState.AT_SCHOOL, 3)
        self._rename_case((3, 2), ChangeState.AT_AUTHORITY, 6)
        self._rename_case((1, 3), ChangeState.RETURNED, 9)
        self._rename_case((3, 4), ChangeState.WITHDRAWN, 15)
        leave = {"reason": ("19", "腰椎手术后休养"), "effective_on": self.calendar.on}
        until_on = self.calendar.on + timedelta(300)
        self._open_case((2, 3), "SUSPEND", ChangeState.AT_AUTHORITY, 5, until_on=until_on, **leave)
        mover = self.first[self._class("yizhong", JUNIOR, 2, 4).id]
        self.casebook.add(
            mover,
            "XFER_IN",
            ChangeState.AT_ORIGIN_SCHOOL,
            self.calendar.ago(4),
            reason=("T3", "住址变动"),
            receiver=self.schools["chengguan"].grades[JUNIOR, 2],
            origin=mover.grade,
        )

    def _open_case(
        self, place: tuple[int, int], kind: str, state: ChangeState, days: int, **words: Any
    ) -> None:
        pupil = self.first[self._class("yizhong", JUNIOR, *place).id]
        self.casebook.add(pupil, kind, state, self.calendar.ago(days), **words)

    def _rename_case(self, place: tuple[int, int], state: ChangeState, days: int) -> None:
        name = self.first[self._class("yizhong", JUNIOR, *place).id].name
        right = name[:-1] + ("涵" if name[-1] != "涵" else "晗")
        words = {"before": {"name": name}, "after": {"name": right}, "reason": ("", "姓名与户口簿不一致")}
        self._open_case(place, "KEY_DATA", state, days, **words)


LEAVERS = (
    ("yizhong", JUNIOR, 2, Status.SUSPENDED),
    ("yizhong", SENIOR, 2, Status.SUSPENDED),
    ("yizhong", JUNIOR, 2, Status.TRANSFERRED_OUT),
    ("yizhong", JUNIOR, 3, Status.TRANSFERRED_OUT),
    ("yizhong", SENIOR, 2, Status.WITHDRAWN),
    ("yizhong", SENIOR, 3, Status.WITHDRAWN),
    ("yizhong", SENIOR, 3, Status.EXPELLED),
    ("yizhong", JUNIOR, 3, Status.MISSING),
    ("yizhong", JUNIOR, 2, Status.ABROAD),
    ("yizhong", JUNIOR, 3, Status.LEFT_OTHER),
    ("yizhong", SENIOR, 3, Status.DEAD),
    ("chengguan", JUNIOR, 2, Status.SUSPENDED),
    ("chengguan", JUNIOR, 3, Status.TRANSFERRED_OUT),
    ("chengguan", JUNIOR, 3, Status.LEFT_OTHER),
    ("shiyan", PRIMARY, 4, Status.SUSPENDED),
    ("shiyan", PRIMARY, 5, Status.TRANSFERRED_OUT),
    ("shiyan", PRIMARY, 6, Status.ABROAD),
    ("baishi", JUNIOR, 2, Status.SUSPENDED),
    ("baishi", JUNIOR, 3, Status.LEFT_OTHER),
    ("shiyangao", SENIOR, 2, Status.SUSPENDED),
    ("shiyangao", SENIOR, 3, Status.WITHDRAWN),
    ("shixi", JUNIOR, 2, Status.SUSPENDED),
)
GRADUATES = (
    ("yizhong", JUNIOR, 16),
    ("yizhong", SENIOR, 40),
    ("chengguan", JUNIOR, 18),
    ("shiyan", PRIMARY, 5),
    ("baishi", JUNIOR, 8),
    ("shiyangao", SENIOR, 24),
    ("shixi", JUNIOR, 6),
)
DRAFTS = (
    ("yizhong", JUNIOR, 1, 2, 2),
    ("yizhong", SENIOR, 1, 2, 2),
    ("chengguan", JUNIOR, 1, 3, 3),
    ("shiyan", PRIMARY, 1, 1, 3),
    ("baishi", PRIMARY, 1, 1, 1),
    ("shixi", JUNIOR, 1, 1, 1),
)


def class_of_zhou(schools: dict[str, OpenSchool]) -> int:
    return next(one.id for one in schools["yizhong"].classes if one.plan.teacher == "zhou")


def _mark(pupil: Pupil, note: str) -> None:
    pupil.row |= {"verification": PROBLEM, "problem_note": note}
