"""The pupil with the 72 items of the national form, the family, the stays at schools, the numbers once had.

Whether a name or a number can be right is said in `names` and `numbers`; what other rows say, in `lookups`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session, relationship

from app.areas.schools.models import Grade, SchoolClass, Term
from app.areas.students import numbers
from app.core import databases, live, names
from app.core.entity import READ_ONLY, Entity, OfPlace, OfPupil, Recyclable
from app.core.errors import Complaints
from app.core.fields import BY_CHANGE, BY_SYSTEM, HERE, BigId, Key, col, show_ends, tidy
from app.core.wording import N_

BASIC, MORE, RECORD = "基本信息", "个人辅助信息", "学籍信息"
CONTACT, EXTENDED, TRAFFIC = "个人联系信息", "扩展信息", "交通信息"
HELD = "学籍状态"

CLASS_MOVE = "日常管理—学生调班"
CHANGES = "日常管理—学籍异动申请"
AREA_HELP = "12位区划代码；乡镇、村不清楚的只填前6位"
NUMBER_MASK, ID_MASK, PHONE_MASK = show_ends(2, 1), show_ends(1, 1), show_ends(3, 4)

UNVERIFIED, VERIFIED, PROBLEM = "unverified", "verified", "problem"
TEMPORARY, FORMAL = "temporary", "formal"
YOUNGEST_YEARS, OLDEST_YEARS = 2, 60
SPECIALS = {"1": "1", "2": "2", "5": "3"}  # disability → the 随班就读 for it; all others have one together
OTHER_SPECIAL, SEVERAL_DISABILITIES = "9", "7"


class Status(StrEnum):
    """学籍状态 (wording.md §3). Only ENROLLED counts as 在校."""

    PENDING = "pending"
    ENROLLED = "enrolled"
    SUSPENDED = "suspended"
    TRANSFERRED_OUT = "transferred_out"
    WITHDRAWN = "withdrawn"
    EXPELLED = "expelled"
    MISSING = "missing"
    ABROAD = "abroad"
    LEFT_OTHER = "left_other"
    DEAD = "dead"
    GRADUATED = "graduated"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


# --- forms of single items ----------------------------------------------------------------------------


_DASHES = "—–~至"


def _tidy_period(text: str) -> str:
    return re.sub(r"\s", "", tidy(text)).translate({ord(dash): "-" for dash in _DASHES})


live.tidies(_tidy_period, live.NFKC, live.swap(r"\s", ""), live.swap(f"[{_DASHES}]", "-"))

_check_pinyin = live.Fits("[A-Za-züÜ' -]+", N_("姓名拼音只用字母和空格，如wang zi han。"))
_check_post_code = live.Fits("[0-9]{6}", N_("邮政编码应为6位数字。"))
check_email = live.Fits(
    r"""[^@\s<>"']+@[^@\s<>"']+\.[^@\s<>"'.]+""",
    N_("电子信箱格式不对，应如name@example.cn。没有的请留空。"),
)
_check_home_page = live.Fits(
    r"""https?://[^\s<>"']+""", N_("主页地址应以http://或https://开头，且不含空格。没有的请留空。")
)


def _check_validity(text: str) -> str | None:
    """20100601-20200601, 20100601-长期, or 长期."""
    found = re.fullmatch(r"(?:(\d{8})-)?(?:(\d{8})|长期)", text)
    days = [_day_or_none(part) for part in found.groups() if part] if found else [None]
    if None in days or (found and found[2] and not found[1]) or days != sorted(days, key=str):
        return _("身份证件有效期应写作“起始日-终止日”，如20200601-20300601；长期有效的写“20200601-长期”。")
    return None


def _day_or_none(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def pinyin_for(name: str) -> str | None:
    """Item 14 as the program fills it in; None where a reading is not known."""
    ours = names.pinyin_of(name)
    return None if names.NO_READING in ours else ours[:60]


# --- sentences about items together ------------------------------------------------------------------

LEFT_AND_MIGRANT = N_("留守儿童与随迁子女不能同时为“是”：随迁子女与父母同住。请核对后改正其中一项。")
SPECIAL_WITHOUT = N_(
    "填写了随班就读，残疾类型不能为空或“无残疾”。请按残疾证填写，或将随班就读改为“非随班就读”。"
)
SPECIAL_DIFFERS = N_("随班就读与残疾类型不一致。请核对后改正其中一项。")
ENTRY_BEFORE_BIRTH = N_("入学年月早于出生日期。请核对后改正其中一项。")
ENTRY_LATE = N_("入学年月晚于今天一年以上。请核对年份。")
RELATION_UNSAID = N_("关系为“其他亲属”或“非亲属”的，请在关系说明中写明。")
NUMBER_WITHOUT_TYPE = N_("填写了身份证件号，还应选择身份证件类型。")
RELATIONS_TO_SAY = ("97", "99")


def _age_sentence() -> str:
    ages = {"a": YOUNGEST_YEARS, "b": OLDEST_YEARS}
    return _("按出生日期计算，年龄不在%(a)s至%(b)s岁之间。请核对年份。", **ages)


def _live_special() -> Iterator[live.Step]:
    """随班就读 by the disability; what is no disability, or several, is not compared."""
    others = f"(?![0{SEVERAL_DISABILITIES}{''.join(SPECIALS)}]).+"
    for disability, special in (*SPECIALS.items(), (others, OTHER_SPECIAL)):
        yield live.fits(f"0|{special}", _(SPECIAL_DIFFERS), when=[["disability", disability, True]])


# --- the pupil ----------------------------------------------------------------------------------------


class Student(OfPlace, Recyclable, Entity):
    """学生学籍主档：一人一档，学籍号终身不变。"""

    __label__ = "学生"
    __path__ = "students"
    __menu__ = "学籍管理 › 学生花名册"
    __natural_key__ = "student_no"
    __shown_as__ = "name"
    __procedure__ = "问题学籍处理—删除"
    __order__ = "name_key"
    __tabs_by__ = "status"
    __search_hint__ = "姓名、拼音首字母、学籍号或证件号"
    __add_note__ = "新增的学生为“待核准”，在学籍注册核准之前不计入任何统计。"
    __narrow__ = {"grade": "grade_id", "class": "class_id"}
    __bureau__ = True
    __extra_args__ = (
        sa.UniqueConstraint("id", "school_id", "authority_code"),
        sa.ForeignKeyConstraint(
            ["grade_id", "school_id", "authority_code"],
            ["grade.id", "grade.school_id", "grade.authority_code"],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"],
            ["evidence_file.id"],
            name="fk_student_photo_id",
            ondelete="RESTRICT",
            use_alter=True,
        ),
        sa.Index("ix_student_school_id_name_initials_id", "school_id", "name_initials", "id"),
        sa.Index("ix_student_authority_code_name_initials_id", "authority_code", "name_initials", "id"),
        sa.Index("ix_student_id_number", "id_number"),
        sa.Index("ix_student_school_id_id_number", "school_id", "id_number"),
        sa.Index("ix_student_name_initials", "name_initials"),
        sa.Index("ix_student_name_key", "name_key"),
        sa.Index("ix_student_name", "name"),
        sa.Index(
            "ix_student_deleted",
            "id",
            sqlite_where=sa.column("deleted_at").is_not(None),
            postgresql_where=sa.column("deleted_at").is_not(None),
        ),
        sa.Index(
            "ix_student_name_pieces", sa.func.name_pieces(sa.column("name")), postgresql_using="gin"
        ).ddl_if(dialect="postgresql"),
    )

    # 1–13
    name: Mapped[str] = col.text(
        "姓名",
        50,
        edit=BY_CHANGE,
        sort="name_key",
        search=True,
        listed=True,
        section=BASIC,
        help="与户口簿或身份证件一致；间隔号用“·”",
        clean=names.clean,
    )
    gender: Mapped[str] = col.code(
        "性别",
        "gender",
        only=("1", "2"),
        edit=BY_CHANGE,
        listed=True,
        section=BASIC,
        help="身份证件号第17位单数为男、双数为女",
    )
    born_on: Mapped[date] = col.day(
        "出生日期", edit=BY_CHANGE, section=BASIC, help="与身份证件号第7至14位一致，可填20150903或2015-9-3"
    )
    birthplace_code: Mapped[str] = col.place("出生地", section=BASIC, help=AREA_HELP)
    native_place: Mapped[str] = col.text("籍贯", 60, section=BASIC, help="省、市、县，写到县")
    ethnicity: Mapped[str] = col.code("民族", "ethnicity", section=BASIC)
    nationality: Mapped[str] = col.code("国籍/地区", "nationality", default="CHN", section=BASIC)
    id_type: Mapped[str] = col.code(
        "身份证件类型",
        "id_type",
        edit=BY_CHANGE,
        section=BASIC,
        help="号码按户口簿填的，选“居民身份证”；确无证件的，选“其他”",
    )
    id_number: Mapped[str | None] = col.text(
        "身份证件号",
        20,
        edit=BY_CHANGE,
        mask=ID_MASK,
        search=True,
        listed=True,
        section=BASIC,
        help="证件类型为“其他”且确无证件的可空，须填家庭成员证件号",
        clean=numbers.normal,
    )
    overseas: Mapped[str] = col.code("港澳台侨外", "overseas", section=BASIC, help="都不是的选“否”")
    political_status: Mapped[str] = col.code(
        "政治面貌", "political_status", section=BASIC, help="不满14周岁的选“群众”"
    )
    health: Mapped[str] = col.code("健康状况", "health", private="health", section=BASIC)
    photo_id: Mapped[int | None] = mapped_column(
        BigId,
        active_history=True,
        info={
            "field": Key(
                label="照片",
                target="evidence_file.id",
                edit=BY_SYSTEM,
                form=False,
                filter=False,
                section=BASIC,
            )
        },
    )

    # 14–19
    pinyin: Mapped[str | None] = col.text(
        "姓名拼音", 60, section=MORE, help="留空则自动填写", clean=tidy, rule=_check_pinyin
    )
    former_name: Mapped[str | None] = col.text("曾用名", 50, section=MORE, clean=names.clean)
    id_valid: Mapped[str | None] = col.text(
        "身份证件有效期",
        21,
        section=MORE,
        help="如20200601-20300601；长期有效的写20200601-长期",
        clean=_tidy_period,
        rule=_check_validity,
    )
    residence_code: Mapped[str] = col.place("户口所在地", section=MORE, help=AREA_HELP)
    residence_type: Mapped[str] = col.code(
        "户口性质", "residence_type", section=MORE, help="户口簿上只写“居民户口”的，选“居民户口”"
    )
    talent: Mapped[str | None] = col.text("特长", 100, section=MORE)

    # 20–27
    student_no: Mapped[str | None] = col.text(
        "学籍号",
        19,
        unique=True,
        edit=BY_SYSTEM,
        mask=NUMBER_MASK,
        search=True,
        listed=True,
        section=RECORD,
        form=False,
    )
    auxiliary_no: Mapped[str | None] = col.text(
        "学籍辅号", 30, section=RECORD, clean=numbers.normal, help="本省自编的号码，没有的请留空"
    )
    number_in_class: Mapped[str | None] = col.text("班内学号", 20, section=RECORD, clean=numbers.normal)
    grade_id: Mapped[int] = col.key(
        "grade.id",
        edit=BY_CHANGE,
        procedure=CLASS_MOVE,
        listed=True,
        section=RECORD,
        help="现在就读的年级",
    )
    grade: Mapped[Grade] = col.link("年级", shown_as="name", key=grade_id)
    class_id: Mapped[int | None] = col.key(
        "school_class.id",
        edit=BY_CHANGE,
        procedure=CLASS_MOVE,
        listed=True,
        section=RECORD,
        help="还没有分班的请留空",
    )
    school_class: Mapped[SchoolClass | None] = col.link("班级", shown_as="full_name", key=class_id)
    entry_month: Mapped[str] = col.month("入学年月", section=RECORD, help="入现学段的年月，如202609")
    entry_way: Mapped[str] = col.code("入学方式", "entry_way", section=RECORD, help="进入现学段的方式")
    boarding: Mapped[str] = col.code("就读方式", "boarding", section=RECORD)
    source: Mapped[str | None] = col.code("学生来源", "student_source", section=RECORD)

    # 28–34
    address: Mapped[str] = col.text("现住址", 100, section=CONTACT, help="现在实际居住的地址，写到门牌号")
    mail_address: Mapped[str] = col.text(
        "通信地址", 100, section=CONTACT, help="收信的地址，与现住址相同的照填"
    )
    home_address: Mapped[str] = col.text("家庭地址", 100, section=CONTACT)
    phone: Mapped[str] = col.phone(
        "联系电话",
        mask=PHONE_MASK,
        listed=True,
        section=CONTACT,
        help="11位手机号，或带区号的固定电话",
    )
    post_code: Mapped[str] = col.text(
        "邮政编码", 6, section=CONTACT, clean=tidy, rule=_check_post_code, help="6位数字"
    )
    email: Mapped[str | None] = col.text("电子信箱", 60, section=CONTACT, clean=tidy, rule=check_email)
    home_page: Mapped[str | None] = col.text(
        "主页地址", 60, section=CONTACT, clean=tidy, rule=_check_home_page
    )

    # 35–45
    is_only_child: Mapped[bool] = col.flag("是否独生子女", section=EXTENDED)
    had_preschool: Mapped[bool] = col.flag("是否受过学前教育", section=EXTENDED)
    left_behind: Mapped[str] = col.code(
        "是否留守儿童",
        "left_behind",
        section=EXTENDED,
        help="父母外出三个月以上、孩子留在户籍地的为留守；单亲留守指一方外出",
    )
    is_migrant_child: Mapped[bool] = col.flag(
        "是否进城务工人员随迁子女",
        section=EXTENDED,
        help="户籍在外省或外县的农村，随务工的父母住在城镇",
    )
    is_orphan: Mapped[bool] = col.flag("是否孤儿", section=EXTENDED, help="填“是”的应有证明")
    is_martyr_child: Mapped[bool] = col.flag("是否烈士或优抚子女", section=EXTENDED, help="填“是”的应有证明")
    in_class_special: Mapped[str | None] = col.code(
        "随班就读", "in_class_special", private="health", section=EXTENDED, help="应与残疾类型一致"
    )
    disability: Mapped[str | None] = col.code("残疾类型", "disability", private="health", section=EXTENDED)
    is_place_bought: Mapped[bool | None] = col.flag("是否由政府购买学位", section=EXTENDED)
    needs_aid: Mapped[bool] = col.flag("是否需要申请资助", section=EXTENDED)
    has_subsidy: Mapped[bool] = col.flag("是否享受一补", section=EXTENDED, help="一补指寄宿生生活补助")

    # 46–48
    distance_km: Mapped[int] = col.number("上下学距离（公里）", high=999, section=TRAFFIC, help="填整数")
    transport: Mapped[str] = col.code("上下学交通方式", "transport", section=TRAFFIC)
    needs_school_bus: Mapped[bool] = col.flag("是否需要乘坐校车", section=TRAFFIC)

    # held by the system
    status: Mapped[Status] = col.choice(
        "学籍状态",
        Status,
        "student_status",
        default=Status.PENDING,
        edit=BY_CHANGE,
        procedure=CHANGES,
        sort=True,
        listed=True,
        section=HELD,
        form=False,
    )
    student_no_state: Mapped[str | None] = col.code(
        "学籍号状态", "student_no_state", edit=BY_SYSTEM, section=HELD, form=False
    )
    verification: Mapped[str] = col.code(
        "核验标记",
        "verification",
        default=UNVERIFIED,
        edit=BY_SYSTEM,
        listed=True,
        sort=True,
        section=HELD,
        form=False,
    )
    problem_note: Mapped[str | None] = col.text(
        "问题说明", 200, edit=BY_SYSTEM, filter=False, section=HELD, form=False
    )
    verified_term_id: Mapped[int | None] = col.key(
        "term.id", edit=BY_SYSTEM, section=HELD, form=False, filter=False, index=False
    )
    verified_term: Mapped[Term | None] = col.link("最近核查学期", shown_as="full_name")
    stage: Mapped[str] = col.code("学段", "stage", section=HELD, form=False)
    name_key: Mapped[str] = col.text("姓名排序码", 120, form=False, filter=False)
    name_initials: Mapped[str] = col.text("姓名首字母", 50, form=False, filter=False)

    family: Mapped[list[FamilyMember]] = relationship(
        primaryjoin="foreign(FamilyMember.student_id) == Student.id",
        viewonly=True,
        order_by="FamilyMember.id",
    )

    # --- quick search ---

    @classmethod
    def can_search(cls) -> bool:
        return True

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        from app.areas.students import search

        return search.by_number(typed, among) if search.is_number(typed) else search.by_name(typed, dialect)

    @classmethod
    def search_number(cls, typed: str, among: Collection[str]) -> sa.ColumnElement[bool] | None:
        from app.areas.students import search

        return search.by_number(typed, among) if search.is_number(typed) else None

    @classmethod
    def find_exactly(
        cls, session: Session, typed: Collection[str], among: Collection[str], most: int
    ) -> Iterator[tuple[str, int]]:
        from app.areas.students import search

        return search.find_exactly(session, typed, among, most)

    # --- what follows from other columns ---

    def settle(self, session: Session) -> None:
        from app.areas.students import lookups

        with session.no_autoflush:
            self._settle_name()
            grade = session.get(Grade, self.grade_id)
            if grade is None:
                self.doubts = (("grade_id", _("没有找到所选的年级。请重新选择。")),)
                return
            self.school_id, self.authority_code, self.stage = (
                grade.school_id,
                grade.authority_code,
                grade.stage,
            )
            self.doubts = (*lookups.class_doubts(session, self, grade), *lookups.twin_doubts(session, self))

    def _settle_name(self) -> None:
        """A pinyin that the school typed stands until the name changes."""
        state: Any = sa.inspect(self)
        is_renamed = bool(state.attrs.name.history.deleted)
        if not self.pinyin or (is_renamed and not self.touched("pinyin")):
            self.pinyin = pinyin_for(self.name)
        for column, value in names.search_keys(self.name, self.pinyin).items():
            setattr(self, column, value)

    # --- what can be judged from the row itself ---

    def check(self) -> Complaints:
        yield from super().check()
        if self.touched("name", "id_type") and (sentence := names.check_name(self.name, self.id_type)):
            yield "name", _(sentence)
        if self.touched("id_type", "id_number", "born_on", "gender"):
            yield from self._check_identity()
        if (
            self.touched("left_behind", "is_migrant_child")
            and self.is_migrant_child
            and self.left_behind != "0"
        ):
            yield "left_behind", _(LEFT_AND_MIGRANT)
        if self.touched("in_class_special", "disability"):
            yield from self._check_special()
        if self.touched("entry_month", "born_on"):
            yield from self._check_entry()

    @classmethod
    def live_steps(cls, today: date) -> Mapping[str, Sequence[live.Step]]:
        found = numbers.live_steps(today, born_on="born_on", gender="gender")
        oldest, youngest = date(today.year - OLDEST_YEARS, 1, 1), date(today.year - YOUNGEST_YEARS, 12, 31)
        age = live.between(oldest.isoformat(), youngest.isoformat(), _age_sentence())
        special = [["in_class_special", "0?", False]]
        latest = live.between("", f"{today.year + 1}{today.month:02d}", _(ENTRY_LATE))
        both = live.lacks("^[^0]", _(LEFT_AND_MIGRANT), when=[["is_migrant_child", "1", True]])
        return {
            **found,
            "name": names.live_steps(),
            "born_on": [*found["born_on"], age],
            "entry_month": [live.later("born_on", _(ENTRY_BEFORE_BIRTH)), latest],
            "left_behind": [both],
            "disability": [live.fits("[1-9]", _(SPECIAL_WITHOUT), when=special, empty=True)],
            "in_class_special": list(_live_special()),
        }

    def _check_identity(self) -> Complaints:
        today = today_here()
        for name, sentence in numbers.check_identity(
            self.id_type, self.id_number, self.born_on, self.gender, today
        ):
            yield name, _(sentence)
        if not YOUNGEST_YEARS <= today.year - self.born_on.year <= OLDEST_YEARS:
            yield "born_on", _age_sentence()

    def _check_special(self) -> Complaints:
        special, disability = self.in_class_special or "0", self.disability or "0"
        if special == "0" or disability == SEVERAL_DISABILITIES:
            return
        if disability == "0":
            yield "disability", _(SPECIAL_WITHOUT)
        elif special != SPECIALS.get(disability, OTHER_SPECIAL):
            yield "in_class_special", _(SPECIAL_DIFFERS)

    def _check_entry(self) -> Complaints:
        today = today_here()
        if self.entry_month <= self.born_on.strftime("%Y%m"):
            yield "entry_month", _(ENTRY_BEFORE_BIRTH)
        elif self.entry_month > f"{today.year + 1}{today.month:02d}":
            yield "entry_month", _(ENTRY_LATE)

    def check_inlines(self, rows: Iterable[Entity], written: Collection[str] = ()) -> Complaints:
        """A pupil without a number needs a family member who has one (domain.md §2.4, item 9), every pupil a guardian
        (§2.5). Records from before that have no family at all are asked for it only where the family is written."""
        members = [row for row in rows if isinstance(row, FamilyMember)]
        if not self.id_number and not any(member.id_number for member in members):
            yield (
                "",
                _("学生没有身份证件号的，至少要填写一名家庭成员的身份证件号。请在“家庭成员或监护人”中补填。"),
            )
        if members and not any(member.is_guardian for member in members):
            yield "", _("家庭成员中没有监护人。请将至少一人的“是否监护人”填为“是”。")
        if not members and FamilyMember.key() in written:
            yield (
                "",
                _(
                    "学生没有家庭成员或监护人。请至少填写一人，并将其“是否监护人”填为“是”；要更换的，请先增加新的一人，再删除原来的。"
                ),
            )

    def warnings(self, session: Session) -> Iterator[str]:
        from app.areas.students import lookups

        return lookups.class_warnings(session, self)

    # --- deletion ---

    def why_not_delete(self) -> Iterator[str]:
        if self.status is not Status.PENDING:
            yield _(
                "%(name)s的学籍状态为“%(status)s”，只有“待核准”的草稿可以直接删除。"
                "确需删除的，请到“学籍注册—问题学籍处理”办理删除，并上传证明材料。",
                name=self.name,
                status=self.fields()["status"].show(self.status),
            )

    def goes_with(self) -> Iterator[str]:
        if n := len(self.family):
            yield _("家庭成员%(n)s人", n=n)
        if self.photo_id:
            yield _("照片1张")
        if n := _count(self, NumberHistory):
            yield _("学籍号历史%(n)s条", n=n)


NAME_PIECES = """
CREATE OR REPLACE FUNCTION name_pieces(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT COST 10000 AS $$
    SELECT array_agg(substr($1, i, n)) FROM generate_series(1, length($1)) i, generate_series(1, 2) n
    WHERE i + n - 1 <= length($1)
$$"""
"""On PostgreSQL: every character of a name and every two that stand together, for an index that finds parts of names.

The cost keeps the planner from asking it of row after row instead of the index; and for a few thousand rows it should
not start parallel workers either, so it is not declared safe for them."""

databases.define_on_postgresql(NAME_PIECES)


def today_here() -> date:
    return datetime.now(HERE).date()


def _count(student: Student, entity: type[OfPupil]) -> int:
    session = object_session(student)
    assert session is not None
    query = sa.select(sa.func.count()).select_from(entity).where(entity.student_id == student.id)
    return session.scalar(query) or 0


# --- what is of the pupil -----------------------------------------------------------------------------


class FamilyMember(OfPupil, Entity):
    """家庭成员或监护人：学生基础信息表第49至72项。"""

    __label__ = "家庭成员或监护人"
    __path__ = "family-members"
    __inline_of__ = "student"
    __opens_with__ = 1
    __shown_as__ = "name"
    __bureau__ = True
    __bureau_private__ = True

    name: Mapped[str] = col.text("姓名", 50, listed=True, clean=names.clean)
    relation: Mapped[str] = col.code("关系", "relationship", listed=True, help="是学生的什么人")
    relation_note: Mapped[str | None] = col.text("关系说明", 30, help="关系为“其他亲属”“非亲属”时填写")
    ethnicity: Mapped[str | None] = col.code("民族", "ethnicity")
    workplace: Mapped[str | None] = col.text("工作单位", 100)
    address: Mapped[str | None] = col.text("现住址", 100)
    residence_code: Mapped[str | None] = col.place(
        "户口所在地", help="12位区划代码；乡镇、村不清楚的只填前6位；外籍人员可空"
    )
    phone: Mapped[str] = col.phone("联系电话", mask=PHONE_MASK, listed=True)
    is_guardian: Mapped[bool] = col.flag("是否监护人", listed=True, help="至少一人为“是”")
    id_type: Mapped[str | None] = col.code("身份证件类型", "id_type")
    id_number: Mapped[str | None] = col.text("身份证件号", 20, mask=ID_MASK, clean=numbers.normal)
    position: Mapped[str | None] = col.text("职务", 50)

    @classmethod
    def live_steps(cls, today: date) -> Mapping[str, Sequence[live.Step]]:
        said = [["relation", "|".join(RELATIONS_TO_SAY), True]]
        numbered = {"when": [["id_number", "", False]]}
        return {
            "id_number": [s for s in numbers.live_steps(today)["id_number"] if not s.get("empty")],
            "name": names.live_steps(),
            "relation_note": [live.filled(_(RELATION_UNSAID), when=said)],
            "id_type": [live.filled(_(NUMBER_WITHOUT_TYPE), **numbered)],
        }

    def check(self) -> Complaints:
        yield from super().check()
        if self.touched("name", "id_type") and (sentence := names.check_name(self.name, self.id_type)):
            yield "name", _(sentence)
        if self.relation in RELATIONS_TO_SAY and not self.relation_note:
            yield "relation_note", _(RELATION_UNSAID)
        if self.touched("id_type", "id_number") and self.id_number:
            yield from self._check_number()

    def _check_number(self) -> Complaints:
        if not self.id_type:
            yield "id_type", _(NUMBER_WITHOUT_TYPE)
        for name, sentence in numbers.check_identity(self.id_type, self.id_number, None, None, today_here()):
            yield name, _(sentence)


class NumberHistory(OfPupil, Entity):
    """学籍号历史：每个用过的学籍号各一行，凭任一号码都能找到学生。"""

    __label__ = "学籍号历史"
    __path__ = "student-numbers"
    __natural_key__ = "student_no"
    __shown_as__ = "period"
    __actions__ = READ_ONLY
    __bureau__ = True

    student_no: Mapped[str] = col.text(
        "学籍号", 19, unique=True, edit=BY_SYSTEM, mask=NUMBER_MASK, search=True, listed=True
    )
    from_on: Mapped[date] = col.day("启用日期", edit=BY_SYSTEM, listed=True)
    until_on: Mapped[date | None] = col.day("停用日期", edit=BY_SYSTEM, listed=True)
    reason: Mapped[str] = col.text("事由", 60, edit=BY_SYSTEM, listed=True)

    @property
    def period(self) -> str:
        """From when to when the number was used: the number itself is masked and names no page."""
        return f"{self.from_on}—{self.until_on or _('今')}"


class Stay(OfPlace, Entity):
    """学籍记录：学生在一所学校就读一段为一行；离校时封存，原学校保留自己的年份。"""

    __label__ = "学籍记录"
    __path__ = "stays"
    __menu__ = "学籍管理 › 学籍档案查询"
    __shown_as__ = "student_name"
    __actions__ = READ_ONLY
    __order__ = "id"
    __bureau__ = True
    __narrow__ = {"grade": "entry_grade_id"}

    student_id: Mapped[int] = col.key("student.id", "学生", form=False)
    student_name: Mapped[str] = col.text("学生姓名", 50, edit=BY_SYSTEM, search=True, listed=True)
    student_no: Mapped[str | None] = col.text(
        "学籍号", 19, edit=BY_SYSTEM, mask=NUMBER_MASK, search=True, listed=True, index=True
    )
    stage: Mapped[str] = col.code("学段", "stage", edit=BY_SYSTEM, listed=True, form=False)
    entry_grade_id: Mapped[int] = col.key("grade.id", edit=BY_SYSTEM, listed=True)
    entry_grade: Mapped[Grade] = col.link("入学年级", shown_as="cohort")
    entered_on: Mapped[date] = col.day("入校日期", edit=BY_SYSTEM, listed=True)
    way: Mapped[str] = col.code("入校方式", "flow", only=("11", "12", "13"), edit=BY_SYSTEM, listed=True)
    from_school: Mapped[str | None] = col.text("来源学校", 60, edit=BY_SYSTEM)
    left_on: Mapped[date | None] = col.day("离校日期", edit=BY_SYSTEM, listed=True)
    leave_way: Mapped[str | None] = col.code("离校方式", "flow", edit=BY_SYSTEM, listed=True)
    to_school: Mapped[str | None] = col.text("去向学校", 60, edit=BY_SYSTEM)
    graduation_result: Mapped[str | None] = col.code("毕业结果", "graduation_result", edit=BY_SYSTEM)
    certificate_no: Mapped[str | None] = col.text("证书编号", 30, edit=BY_SYSTEM, search=True)
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))

    def settle(self, session: Session) -> None:
        """The place is that of the grade entered, and stays when the pupil moves on."""
        grade = session.get(Grade, self.entry_grade_id)
        if grade is not None:
            self.school_id, self.authority_code = grade.school_id, grade.authority_code
            self.stage = grade.stage

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        """By the name as it was then, or the pinyin of the pupil's."""
        from app.areas.students import search

        own = super().search(typed, dialect, among)
        if "student_name" not in among:
            return own
        return sa.or_(own, search.by_pinyin(cls.student_id, typed, dialect))
