"""Schools and what they consist of: stages with their authority, campuses, years and terms, grades, classes.

Where a row belongs follows from the stage by composite keys: an authority changed there moves grades, classes
and pupils along in the database. How many pupils a class may hold is in `seats`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, object_session, relationship, selectinload

from app.areas.regions.models import name_of
from app.areas.schools import seats
from app.areas.schools.codes import check_school_code
from app.core import names, places
from app.core.entity import Entity, OfPlace, Recyclable, Scope, registry
from app.core.errors import Complaints
from app.core.fields import BY_CHANGE, FROM_ABOVE, Link, col
from app.core.rights import User  # with the columns that are ours

PRIMARY, JUNIOR, SENIOR = STAGES = ("1", "2", "3")
YEARS_ALLOWED = {PRIMARY: (5, 6), JUNIOR: (3, 4), SENIOR: (3,)}
MULTI_GRADE = "1"  # class type 复式班
NUMERALS = "一二三四五六七八九"
PROMOTION = "毕业升级"


def first_year(stage: str, years: int) -> int:
    """In which year of schooling a stage begins: 1, 7 (6 with four years of junior school), 10."""
    return {PRIMARY: 1, JUNIOR: 10 - years, SENIOR: 10}[stage]


def year_name(year: int) -> str:
    """1 → 一年级, 7 → 七年级, 10 → 高一."""
    return f"{NUMERALS[year - 1]}年级" if year <= 9 else f"高{NUMERALS[year - 10]}"


def grade_order(stage: str, entry_year: int) -> int:
    """Sorts grades by stage, the youngest first; promotion does not change it."""
    return int(stage) * 10_000 + 3_000 - entry_year


def class_order(stage: str, entry_year: int, number: int) -> int:
    """Sorts classes as their grades, then by number: 10班 after 9班."""
    return grade_order(stage, entry_year) * 1_000 + number


# --- the calendar of schools --------------------------------------------------------------------------


class AcademicYear(Entity):
    """学年：自9月1日至次年8月31日，写作“2026-2027”。"""

    __label__ = "学年"
    __path__ = "academic-years"
    __menu__ = "系统管理 › 学年"
    __natural_key__ = "name"
    __order__ = "name"

    name: Mapped[str] = col.text("学年", 9, unique=True, sort=True, listed=True, help="如2026-2027")
    starts_on: Mapped[date] = col.day("开始日期", listed=True)
    ends_on: Mapped[date] = col.day("结束日期", listed=True)

    def check(self) -> Complaints:
        years = re.fullmatch(r"(\d{4})-(\d{4})", self.name)
        if not years or int(years[2]) != int(years[1]) + 1:
            yield "name", _("学年应写作前后相连的两个年份，如2026-2027。")
        elif self.starts_on.year != int(years[1]) or self.ends_on.year != int(years[2]):
            yield "starts_on", _("起止日期与学年名称中的年份不符。请改正其中一项。")
        if self.starts_on >= self.ends_on:
            yield "ends_on", _("结束日期应晚于开始日期。")

    def why_not_delete(self) -> Iterator[str]:
        if _any_row(self, Term, Term.academic_year_id == self.id):
            yield _("这个学年下还有学期。请先删除学期。")


class Term(Entity):
    """学期：每学年两个，第一学期为秋季，第二学期为春季。"""

    __label__ = "学期"
    __path__ = "terms"
    __menu__ = "系统管理 › 学期"
    __shown_as__ = "full_name"
    __shown_from__ = ("number", "academic_year")
    __extra_args__ = (sa.UniqueConstraint("academic_year_id", "number"),)

    academic_year_id: Mapped[int] = col.key("academic_year.id", listed=True, index=False)
    academic_year: Mapped[AcademicYear] = col.link("学年", shown_as="name", eager=True)
    number: Mapped[str] = col.code("学期", "term", listed=True)
    starts_on: Mapped[date] = col.day("开始日期", listed=True)
    ends_on: Mapped[date] = col.day("结束日期", listed=True)

    @property
    def full_name(self) -> str:
        return _(
            "%(year)s学年%(term)s",
            year=self.academic_year.name,
            term=self.fields()["number"].show(self.number),
        )

    def settle(self, session: Session) -> None:
        year = session.get(AcademicYear, self.academic_year_id)
        inside = year is None or year.starts_on <= self.starts_on <= self.ends_on <= year.ends_on
        self.doubts = () if inside else (("starts_on", _("学期的起止日期应在学年之内，且先后有序。")),)


# --- the school ---------------------------------------------------------------------------------------


class School(Entity):
    """学校：核心项由主管部门下达，其余由学校自行维护。"""

    __label__ = "学校"
    __path__ = "schools"
    __menu__ = "学校管理 › 学校基本信息"
    __natural_key__ = "school_code"
    __shown_as__ = "name"
    __actions__ = ("list", "show", "add", "edit")
    __scope__: Scope = "school"  # type: ignore[misc]
    __bureau__ = True
    __extra_args__ = (sa.UniqueConstraint("id", "authority_code"),)

    school_code: Mapped[str] = col.text(
        "学校标识码",
        10,
        unique=True,
        edit=FROM_ABOVE,
        search=True,
        listed=True,
        section="核心信息",
        clean=places.normal_code,
        rule=check_school_code,
    )
    name: Mapped[str] = col.text(
        "学校名称", 60, edit=FROM_ABOVE, search=True, listed=True, section="核心信息", help="与印章一致"
    )
    type: Mapped[str] = col.code("办学类型", "school_type", edit=FROM_ABOVE, listed=True, section="核心信息")
    organiser: Mapped[str] = col.code("举办者", "organiser", edit=FROM_ABOVE, listed=True, section="核心信息")
    urban_rural: Mapped[str] = col.code(
        "城乡类型", "urban_rural", edit=FROM_ABOVE, listed=True, section="核心信息"
    )
    location_code: Mapped[str] = col.place(
        "驻地行政区划", edit=FROM_ABOVE, section="核心信息", help="12位；不清楚乡镇、村的可只填前6位"
    )
    authority_code: Mapped[str] = col.text("主管部门代码", 6, edit=FROM_ABOVE, form=False, index=True)
    central_school_id: Mapped[int | None] = col.key("school.id", edit=FROM_ABOVE, section="核心信息")
    central_school = relationship(
        "School",
        foreign_keys="School.central_school_id",
        remote_side="School.id",
        viewonly=True,
        info={"link": Link("中心校", "name")},
    )
    short_name: Mapped[str | None] = col.text("学校简称", 30, search=True, section="学校信息")
    english_name: Mapped[str | None] = col.text("学校英文名称", 120, section="学校信息")
    organisation_code: Mapped[str | None] = col.text("组织机构代码", 18, section="学校信息")
    legal_person_no: Mapped[str | None] = col.text("法人登记号", 30, section="学校信息")
    land_title: Mapped[str | None] = col.text("土地证号", 60, section="学校信息")
    is_boarding: Mapped[bool | None] = col.flag("是否寄宿制学校", section="学校信息")
    teaching_language: Mapped[str | None] = col.text("教学语言", 30, section="学校信息")
    address: Mapped[str | None] = col.text("学校地址", 100, section="联系信息", help="写到门牌号")
    post_code: Mapped[str | None] = col.text("邮政编码", 6, section="联系信息", clean=places.normal_code)
    head_name: Mapped[str | None] = col.text("校长姓名", 50, section="联系信息")
    head_phone: Mapped[str | None] = col.phone("校长手机", section="联系信息")
    office_phone: Mapped[str | None] = col.phone("办公电话", section="联系信息")
    email: Mapped[str | None] = col.text("电子信箱", 60, section="联系信息")
    name_initials: Mapped[str] = col.text("校名首字母", 60, form=False, filter=False)

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        """By name, short name or code, or a part of the name's pinyin initials."""
        own = super().search(typed, dialect, among)
        if "name" not in among or not re.fullmatch(r"[A-Za-z]+", typed):
            return own
        return sa.or_(own, cls.name_initials.contains(typed.lower()))

    def settle(self, session: Session) -> None:
        self.name_initials = names.initials_of_words(self.name)
        self.authority_code = (
            _lowest_authority(session, self.id) or self.authority_code or self.location_code[:6]
        )
        self.doubts = ()
        if self.touched("location_code") and name_of(session, self.location_code) is None:
            self.doubts = (("location_code", _("没有这个行政区划。请在“行政区划”中查对前6位后填写。")),)

    def check(self) -> Complaints:
        yield from super().check()
        if self.central_school_id is not None and self.central_school_id == self.id:
            yield "central_school_id", _("中心校不能是学校自己。本校就是中心校的，请留空。")
        if self.post_code and not re.fullmatch(r"\d{6}", self.post_code):
            yield "post_code", _("邮政编码应为6位数字。")


def _lowest_authority(session: Session, school_id: int | None) -> str | None:
    query = sa.select(SchoolStage.authority_code).where(SchoolStage.school_id == school_id)
    return session.scalar(query.order_by(SchoolStage.stage).limit(1)) if school_id else None


class SchoolStage(OfPlace, Entity):
    """学段：学校办哪些学段、各几年、由哪个主管部门审批。"""

    __label__ = "学段"
    __path__ = "school-stages"
    __menu__ = "学校管理 › 学段与主管部门"
    __shown_as__ = "stage_name"
    __school_wide__ = True
    __bureau__ = True
    __extra_args__ = (
        sa.UniqueConstraint("school_id", "stage"),
        sa.UniqueConstraint("school_id", "stage", "authority_code", "first_year"),
    )

    school_id: Mapped[int] = col.key("school.id", edit=FROM_ABOVE, index=False, sort_order=-5)
    stage: Mapped[str] = col.code("学段", "stage", only=STAGES, edit=FROM_ABOVE, listed=True)
    years: Mapped[int] = col.number(
        "学制（年）", low=3, high=6, edit=FROM_ABOVE, listed=True, help="小学5或6，初中3或4，高中3"
    )
    authority_code: Mapped[str] = col.region(
        "学籍主管部门代码",
        edit=FROM_ABOVE,
        listed=True,
        sort_order=-5,
        clean=places.normal_code,
        rule=places.check_region,
    )
    review_code: Mapped[str | None] = col.text(
        "初审部门代码",
        6,
        edit=FROM_ABOVE,
        help="先由县级初审、再由市级审批的学段填写",
        clean=places.normal_code,
        rule=places.check_region,
    )
    first_year: Mapped[int] = col.number("起始年级", low=1, high=12, form=False, filter=False)

    @property
    def stage_name(self) -> str:
        return self.fields()["stage"].show(self.stage)

    def settle(self, session: Session) -> None:
        self.first_year = first_year(self.stage, self.years)
        self.doubts = (*self._unknown_authorities(session), *self._taken_over(session))
        self._lead_the_school(session)

    def _unknown_authorities(self, session: Session) -> Complaints:
        for name in ("authority_code", "review_code"):
            code = getattr(self, name)
            if code and self.touched(name) and name_of(session, code) is None:
                yield name, _("没有这个行政区划。请在“行政区划”中查对；开发区等请先增设。")

    def _taken_over(self, session: Session) -> Complaints:
        """A stage in use cannot become another stage, or another school's: its grades would go along."""
        if not sa.inspect(self).persistent or not self.touched("school_id", "stage"):
            return
        was = sa.inspect(self).attrs
        old = {
            name: (was[name].history.deleted or [getattr(self, name)])[0] for name in ("school_id", "stage")
        }
        if session.scalar(sa.select(Grade.id).filter_by(**old).limit(1)) is not None:
            yield "stage", _("这个学段已有年级，不能改为其他学段或改属其他学校。请另行新增学段。")

    def _lead_the_school(self, session: Session) -> None:
        """The school as a whole belongs where its lowest stage does."""
        others = sa.select(SchoolStage.id).where(
            SchoolStage.school_id == self.school_id, SchoolStage.stage < self.stage
        )
        school = session.get(School, self.school_id)
        is_lowest = session.scalar(others.limit(1)) is None
        if school is not None and is_lowest and school.authority_code != self.authority_code:
            school.authority_code = self.authority_code

    def check(self) -> Complaints:
        yield from super().check()
        if self.years not in YEARS_ALLOWED[self.stage]:
            yield "years", _("学制与学段不符。小学为5或6年，初中为3或4年，高中为3年。")

    def why_not_delete(self) -> Iterator[str]:
        if _any_row(self, Grade, Grade.school_id == self.school_id, Grade.stage == self.stage):
            yield _("这个学段还有年级，不能删除。请先在“年级管理”中处理各年级。")


class Campus(OfPlace, Entity):
    """校区：学校的各个办学地点。"""

    __label__ = "校区"
    __path__ = "campuses"
    __bureau__ = True
    __menu__ = "学校管理 › 校区管理"
    __shown_as__ = "name"
    __school_wide__ = True
    __extra_args__ = (
        sa.UniqueConstraint("school_id", "name"),
        sa.ForeignKeyConstraint(
            ["school_id", "authority_code"],
            ["school.id", "school.authority_code"],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
    )

    name: Mapped[str] = col.text("校区名称", 60, search=True, listed=True)
    area_code: Mapped[str] = col.place("校区行政区划")
    address: Mapped[str] = col.text("校区地址", 100, listed=True)
    head_name: Mapped[str | None] = col.text("负责人", 50, listed=True)
    phone: Mapped[str | None] = col.phone("联系电话", listed=True)

    def settle(self, session: Session) -> None:
        school = session.get(School, self.school_id) if self.school_id else None
        self.doubts = () if school else (("school_id", _("没有指明学校。请从本校的页面上填写。")),)
        if school is not None:
            self.authority_code = school.authority_code

    def why_not_delete(self) -> Iterator[str]:
        if _any_row(self, SchoolClass, SchoolClass.campus_id == self.id):
            yield _("还有班级设在这个校区，不能删除。请先在“班级管理”中改选其他校区。")


# --- grades and classes -------------------------------------------------------------------------------


class Grade(OfPlace, Entity):
    """年级：一所学校一个学段同年入学的一级学生，升级时级别加一。"""

    __label__ = "年级"
    __list_links__ = (("开设新年级", "/grades/open/", "plus-square", "grade:add"),)
    __path__ = "grades"
    __menu__ = "学校管理 › 年级管理"
    __shown_as__ = "name"
    __shown_from__ = ("is_graduated", "entry_year", "first_year", "level")
    __order__ = "order_key"
    __narrow__ = {"grade": "id"}
    __school_wide__ = True
    __bureau__ = True
    __extra_args__ = (
        sa.UniqueConstraint("school_id", "stage", "entry_year"),
        sa.UniqueConstraint("id", "school_id", "authority_code"),
        sa.ForeignKeyConstraint(
            ["school_id", "stage", "authority_code", "first_year"],
            [
                "school_stage.school_id",
                "school_stage.stage",
                "school_stage.authority_code",
                "school_stage.first_year",
            ],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
    )

    stage: Mapped[str] = col.code(
        "学段", "stage", only=STAGES, edit=BY_CHANGE, procedure=PROMOTION, listed=True
    )
    entry_year: Mapped[int] = col.number(
        "入学年份", low=1990, high=2100, edit=BY_CHANGE, procedure=PROMOTION, listed=True
    )
    level: Mapped[int] = col.number(
        "本学段第几年",
        low=1,
        high=6,
        edit=BY_CHANGE,
        procedure=PROMOTION,
        listed=True,
        help="七年级填1，九年级填3",
    )
    is_graduated: Mapped[bool] = col.flag(
        "已毕业", default=False, edit=BY_CHANGE, procedure=PROMOTION, form=False, listed=True
    )
    first_year: Mapped[int] = col.number("起始年级", low=1, high=12, form=False, filter=False)
    order_key: Mapped[int] = col.number("排序号", high=10**6, form=False, filter=False)

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        """By what a grade is called: 七年级, 高一, 七, qnj, 7; or by its cohort: 2026级."""
        numbered = read_numbered(typed)
        if numbered and numbered[1] is None:
            return cls.of_year(numbered[0])
        if cohort := re.fullmatch(r"(\d{4})级?", typed):
            return cls.entry_year == int(cohort[1])
        years = [year for year in range(1, 13) if _is_called(year_name(year), typed)]
        return cls.of_year(*years)

    @classmethod
    def of_year(cls, *years: int) -> sa.ColumnElement[bool]:
        """The grades that are in one of these years of schooling (1–12) now."""
        return sa.and_(cls.is_graduated.is_(False), (cls.first_year + cls.level - 1).in_(years))

    @property
    def cohort(self) -> str:
        return f"{self.entry_year}级"

    @property
    def year(self) -> int:
        """The year of schooling, 1 to 12."""
        return self.first_year + self.level - 1

    @property
    def name(self) -> str:
        return self.cohort if self.is_graduated else year_name(self.year)

    def settle(self, session: Session) -> None:
        query = sa.select(SchoolStage).where(
            SchoolStage.school_id == self.school_id, SchoolStage.stage == self.stage
        )
        stage = session.scalar(query)
        self.order_key = grade_order(self.stage, self.entry_year)
        if stage is None:
            self.doubts = (("stage", _("本校没有设置这个学段。需要增设的，请联系主管部门。")),)
            return
        self.authority_code, self.first_year = stage.authority_code, stage.first_year
        too_high = self.level > stage.years
        self.doubts = (
            (("level", _("本学段学制为%(n)s年，级别不能超过%(n)s。", n=stage.years)),) if too_high else ()
        )

    def why_not_delete(self) -> Iterator[str]:
        if _any_row(self, SchoolClass, SchoolClass.grade_id == self.id):
            yield _("%(name)s还有班级，不能删除。请先在“班级管理”中处理各班。", name=self.name)
        if _any_pupil(self, "grade_id"):
            yield _(
                "%(name)s还有学生，不能删除。请先通过“日常管理—学生调班”将学生编入其他年级班级。",
                name=self.name,
            )


def read_numbered(typed: str) -> tuple[int, int | None] | None:
    """(year of schooling, class number or None) of how schools write them in digits: 7, 7年级; 701, 7(1), 7.1, 7-1, 1203;
    10 to 12 are 高一 to 高三. None for all else: 7班 is a class of any grade, 2026 a cohort."""
    found = re.fullmatch(r"(1[0-2]|[1-9])(?:年级|(?:年级)?[(（.．-](\d{1,2})[)）]?班?|(\d{2})班?)?", typed)
    if found is None:
        return None
    number = found[2] or found[3]
    return int(found[1]), int(number) if number else None


def _is_called(name: str, typed: str) -> bool:
    return typed in name or names.initials_of_words(name).startswith(typed.lower())


class SchoolClass(OfPlace, Recyclable, Entity):
    """班级：年级之下的教学班；没有学生的班即为备用班。"""

    __label__ = "班级"
    __path__ = "classes"
    __menu__ = "学校管理 › 班级管理"
    __shown_as__ = "full_name"
    __shown_from__ = ("class_type", "number", "grade")
    __order__ = "order_key"
    __narrow__ = {"grade": "grade_id", "class": "id"}
    __school_wide__ = True
    __bureau__ = True
    __extra_args__ = (
        sa.UniqueConstraint("id", "school_id", "authority_code"),
        sa.ForeignKeyConstraint(
            ["grade_id", "school_id", "authority_code"],
            ["grade.id", "grade.school_id", "grade.authority_code"],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.Index(
            "uq_school_class_number",
            "grade_id",
            "number",
            unique=True,
            sqlite_where=sa.column("deleted_at").is_(None),
            postgresql_where=sa.column("deleted_at").is_(None),
        ),
    )

    grade_id: Mapped[int] = col.key("grade.id", edit=BY_CHANGE, procedure=PROMOTION, listed=True)
    grade: Mapped[Grade] = col.link("年级", shown_as="name", key=grade_id, eager=True)
    number: Mapped[int] = col.number("班号", low=1, high=99, sort="order_key", listed=True)
    class_type: Mapped[str] = col.code("班级类型", "class_type", default="0", listed=True)
    name: Mapped[str | None] = col.text("班级名称", 30, search=True, help="有专门名称的填写，如“宏志班”")
    direction: Mapped[str | None] = col.text("文理或选科方向", 30)
    founded_on: Mapped[date | None] = col.day("建班日期")
    is_bilingual: Mapped[bool] = col.flag("是否双语班", default=False)
    campus_id: Mapped[int | None] = col.key("campus.id")
    campus: Mapped[Campus | None] = col.link("校区", shown_as="name")
    teacher_id: Mapped[int | None] = col.key("ab_user.id", listed=True)
    teacher = relationship(
        "User",
        primaryjoin="foreign(SchoolClass.teacher_id) == User.id",
        viewonly=True,
        info={"link": Link("班主任", "first_name")},
    )
    cap_lifted_to: Mapped[int | None] = col.number(
        "主管部门特批上限", low=1, high=99, edit=FROM_ABOVE, help="只在主管部门批准超过班额上限时填写"
    )
    order_key: Mapped[int] = col.number("排序号", high=10**9, form=False, filter=False)
    more_grades: Mapped[list[ClassGrade]] = relationship(
        primaryjoin="foreign(ClassGrade.class_id) == SchoolClass.id",
        viewonly=True,
        order_by="ClassGrade.id",
    )

    @classmethod
    def load_names(cls, session: Session, rows: Iterable[Entity]) -> None:
        """The further grades of the few classes that have any."""
        mixed = {row.id for row in rows if isinstance(row, cls) and row.class_type == MULTI_GRADE}
        if mixed:
            session.scalars(
                sa.select(cls).where(cls.id.in_(mixed)).options(selectinload(cls.more_grades))
            ).all()

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        """By what a class is called: 七年级（3）班, 七年级, 七3, 3班, 703, 7(3); or by a name of its own."""
        own = super().search(typed, dialect, among)
        found = re.fullmatch(r"(\d{4}级?|\D*?)[（(]?(\d{1,2})?[)）]?班?", typed)
        called: list[sa.ColumnElement[bool]] = []
        if found and found[1]:
            called.append(cls.grade_id.in_(sa.select(Grade.id).where(Grade.search(found[1], dialect, among))))
        if found and found[2]:
            called.append(cls.number == int(found[2]))
        ways = [own, *([sa.and_(*called)] if called else [])]
        if numbered := read_numbered(typed):
            year, number = numbered
            of_grade = cls.grade_id.in_(sa.select(Grade.id).where(Grade.of_year(year)))
            ways.append(of_grade if number is None else sa.and_(of_grade, cls.number == number))
        return sa.or_(*ways)

    @property
    def full_name(self) -> str:
        """七年级（3）班; 一、二年级复式班 where pupils of several grades sit together."""
        if self.class_type == MULTI_GRADE and self.more_grades and not self.grade.is_graduated:
            return _multi_grade_name(self)
        return f"{self.grade.name}（{self.number}）班"

    def takes(self, grade_id: int | None) -> bool:
        """Whether pupils of this grade may sit here."""
        return grade_id == self.grade_id or any(more.grade_id == grade_id for more in self.more_grades)

    def settle(self, session: Session) -> None:
        grade = session.get(Grade, self.grade_id)
        if grade is None:
            self.doubts = (("grade_id", _("没有找到所选的年级。请重新选择。")),)
            return
        self.school_id, self.authority_code = grade.school_id, grade.authority_code
        self.order_key = class_order(grade.stage, grade.entry_year, self.number)
        self.doubts = (
            *self._number_taken(session, grade),
            *self._strangers(session),
            *self._needless_lift(grade),
        )

    def _number_taken(self, session: Session, grade: Grade) -> Complaints:
        same = sa.select(SchoolClass.id).where(
            SchoolClass.grade_id == grade.id,
            SchoolClass.number == self.number,
            SchoolClass.id != (self.id or 0),
        )
        if self.touched("grade_id", "number") and session.scalar(same.limit(1)) is not None:
            yield "number", _("%(grade)s已有%(n)s班。请改用其他班号。", grade=grade.name, n=self.number)

    def _strangers(self, session: Session) -> Complaints:
        """A class teacher or campus of another school."""
        teacher: Any = session.get(User, self.teacher_id) if self.teacher_id else None
        if teacher is not None and self.touched("teacher_id") and teacher.school_id != self.school_id:
            yield "teacher_id", _("所选的班主任不是本校人员。请先在“用户管理”中为其开通本校账号。")
        campus = session.get(Campus, self.campus_id) if self.campus_id else None
        if campus is not None and campus.school_id != self.school_id:
            yield "campus_id", _("所选的校区不属于本校。请重新选择。")

    def _needless_lift(self, grade: Grade) -> Complaints:
        if (
            self.touched("cap_lifted_to")
            and self.cap_lifted_to
            and self.cap_lifted_to <= seats.cap(grade.stage)
        ):
            yield (
                "cap_lifted_to",
                _("特批上限应高于本学段的班额上限%(n)s人；不需特批的请留空。", n=seats.cap(grade.stage)),
            )

    def why_not_delete(self) -> Iterator[str]:
        if _any_pupil(self, "class_id"):
            yield _(
                "%(name)s还有学生，不能删除。请先到“日常管理—学生调班”将学生编入其他班级。",
                name=self.full_name,
            )


def _multi_grade_name(school_class: SchoolClass) -> str:
    grades = [school_class.grade, *(more.grade for more in school_class.more_grades)]
    years = "、".join(NUMERALS[year - 1] for year in sorted({g.year for g in grades}))
    return f"{years}年级复式班"


class ClassGrade(OfPlace, Entity):
    """复式班的其他年级：一个班同时有几个年级的学生时，除主年级外各记一行。"""

    __label__ = "复式班年级"
    __path__ = "class-grades"
    __inline_of__ = "school_class"
    __school_wide__ = True
    __extra_args__ = (
        sa.UniqueConstraint("class_id", "grade_id"),
        sa.ForeignKeyConstraint(
            ["class_id", "school_id", "authority_code"],
            ["school_class.id", "school_class.school_id", "school_class.authority_code"],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
    )

    class_id: Mapped[int] = col.key("school_class.id", "班级", form=False, index=False)
    grade_id: Mapped[int] = col.key("grade.id", listed=True)
    grade: Mapped[Grade] = col.link("年级", shown_as="name", key=grade_id, eager=True)

    def settle(self, session: Session) -> None:
        school_class = session.get(SchoolClass, self.class_id) if self.class_id else None
        if school_class is None:
            self.doubts = (("class_id", _("没有指明班级。请从班级的页面上填写。")),)
            return
        self.school_id, self.authority_code = school_class.school_id, school_class.authority_code
        self.doubts = tuple(self._misfits(school_class, session.get(Grade, self.grade_id)))

    def _misfits(self, school_class: SchoolClass, grade: Grade | None) -> Complaints:
        if school_class.class_type != MULTI_GRADE:
            yield "", _("%(name)s不是复式班。请先把班级类型改为“复式班”。", name=school_class.full_name)
        if grade is None or (grade.school_id, grade.stage) != (self.school_id, school_class.grade.stage):
            yield "grade_id", _("复式班的年级应属于本校同一学段。请重新选择。")
        elif grade.id == school_class.grade_id:
            yield "grade_id", _("这是班级的主年级，不必再添加。请选择其他年级。")


# --- small look-ups -----------------------------------------------------------------------------------


def _any_row(obj: Entity, entity: type[Entity], *where: sa.ColumnElement[bool]) -> bool:
    session = object_session(obj)
    assert session is not None
    return session.scalar(sa.select(entity.id).where(*where).limit(1)) is not None


def _any_pupil(obj: Grade | SchoolClass, column: str) -> bool:
    student: Any = registry["student"]
    return _any_row(obj, student, getattr(student, column) == obj.id)
