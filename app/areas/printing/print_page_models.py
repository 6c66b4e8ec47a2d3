"""What each print says, put on paper. Values are as on screen: hidden fields stay out, masks stay on unless revealed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

from flask_babel import gettext as _
from PIL import Image

from app.areas.changes import photos
from app.areas.printing import certificates
from app.areas.printing.models import EnrolmentCertificate
from app.areas.schools.models import School, SchoolClass
from app.areas.students.models import HELD, FamilyMember, Status, Student
from app.core import powers, rights, scope
from app.core.entity import Entity
from app.core.errors import Missing
from app.core.fields import BY_CHANGE, HERE, Field, Key
from app.core.rights import Actor
from app.core.wording import in_chinese
from app.surfaces import detail
from app.surfaces.display import Revealed, Sight, painter
from app.surfaces.paper import BODY, Box, Paper, Picture, fit, want
from app.surfaces.site import Site
from app.surfaces.viewmodels import RelatedTable

CLASS_COLUMNS = ("number_in_class", "name", "gender", "student_no", "phone")
CARD_TABLES = ("family_member", "stay", "change")
MOST_COLUMNS = 14
WIDEST = 46.0  # mm of a column
MANY_FOR_PORTRAIT = 186.0  # mm that columns may want on an upright page
SHEET_WIDTHS = (44.0, 71.0, 71.0)  # mm


def _paper(title: str, by: Actor, *, is_wide: bool = False) -> Paper:
    when = datetime.now(HERE).strftime("%Y-%m-%d %H:%M")
    return Paper(title, _("%(who)s %(when)s打印", who=by.name, when=when), is_wide=is_wide)


# --- tables of pupils ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grid:
    """Heads, and a text for each of them in every row."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def printable_fields(by: Actor) -> dict[str, Field]:
    """The pupil's fields that may be a column."""
    seen = rights.visible_fields(by, Student)
    return {n: f for n, f in seen.items() if _is_column(f, by) and not (isinstance(f, Key) and not f.link)}


def _is_column(one: Field, by: Actor) -> bool:
    return powers.is_offered(one) or (one.name == "school_id" and by.is_of_bureau)


@in_chinese
def grid(site: Site, students: Sequence[Student], names: Iterable[str]) -> Grid:
    """Numbered rows, as a list shows them."""
    seen = rights.visible_fields(site.by, Student)
    fields = [seen[name] for name in names if name in seen]
    revealed = Revealed.now(Student, site.by)
    sight = Sight.of(site, Student, fields, [one.id for one in students])
    painters = [painter(Student, f, site, revealed, sight) for f in fields]
    rows = tuple((str(n), *(paint(one).text for paint in painters)) for n, one in enumerate(students, 1))
    return Grid((_("序号"), *(_(f.label) for f in fields)), rows)


@in_chinese
def roster(site: Site, title: str, below: str, found: Grid) -> bytes:
    """Upright where the columns have room there, else lying."""
    wanted = want(found.heads, found.rows, WIDEST)
    paper = _paper(title, site.by, is_wide=sum(wanted.natural) > MANY_FOR_PORTRAIT)
    paper.begin()
    paper.heading(title)
    paper.words(below, align="center", after=2.5)
    paper.table(found.heads, found.rows, fit(wanted, paper.room), centred=(0,))
    return paper.to_pdf()


@in_chinese
def class_list(site: Site, school_class: SchoolClass, students: Sequence[Student]) -> bytes:
    found = grid(site, students, CLASS_COLUMNS)
    shows_status = "status" in rights.open_fields(site.by, Student)
    rows = tuple(
        (*row, _remark(one) if shows_status else "") for row, one in zip(found.rows, students, strict=True)
    )
    title = _("%(name)s班级名单", name=school_class.full_name)
    return roster(
        site, title, _class_line(school_class, students, shows_status), Grid((*found.heads, _("备注")), rows)
    )


def _remark(one: Student) -> str:
    return "" if one.status is Status.ENROLLED else one.fields()["status"].show(one.status)


def _class_line(school_class: SchoolClass, students: Sequence[Student], shows_status: bool) -> str:
    counts = [(status, sum(one.status is status for one in students)) for status in Status if shows_status]
    show = Student.fields()["status"].show
    said = [_("%(status)s%(n)s人", status=show(status), n=n) for status, n in counts if n]
    teacher: Any = school_class.teacher
    parts = [school_class.school.name, school_class.grade.cohort]
    parts += [_("班主任：%(name)s", name=teacher.first_name)] if teacher is not None else []
    return "　".join([*parts, "，".join(said) or _("共%(n)s人", n=len(students))])


# --- the record card ----------------------------------------------------------------------------------


@in_chinese
def cards(site: Site, students: Sequence[Student]) -> bytes:
    """学籍卡: what a pupil's page shows, each pupil with page numbers of his own."""
    paper = _paper(_("学籍卡"), site.by)
    for one in students:
        _add_card(paper, site, one)
    return paper.to_pdf()


def _add_card(paper: Paper, site: Site, one: Student) -> None:
    fields = scope.fields_with(site.session, site.by, "see", one)
    own = [f for f in fields.values() if f.section and not (isinstance(f, Key) and not f.link)]
    paper.begin(one.name)
    paper.heading(_("学生学籍卡"))
    paper.words(_where(one, fields), align="center", after=2.5)
    photo = _photo(site, one) if "photo_id" in fields else None
    beside: Picture | None = Picture(photo, _("照片"))
    for section in detail.sections(one, own, site, Revealed.now(Student, site.by)):
        paper.row([Box(paper.room, section.title, is_bold=True)], keep=12.0)
        paper.pairs([(i.label, i.cell.text) for i in section.items], 2 if beside else 3, 26.0, beside)
        beside = None
    for table in detail.related(one, site, CARD_TABLES):
        if table.rows:
            _add_table(paper, table)
    paper.space(3.0)
    paper.row(
        [
            Box(paper.room / 3, _("填表人："), size=BODY),
            Box(paper.room / 3, _("班主任：")),
            Box(paper.room / 3, _("学校（盖章）：")),
        ],
        least=14.0,
    )


def _where(one: Student, seen: Collection[str]) -> str:
    """School, grade and class, as far as these are `seen`."""
    return "　".join((one.school.name, *_seat(one, seen)))


def _seat(one: Student, seen: Collection[str]) -> Iterator[str]:
    if "grade_id" in seen:
        yield one.grade.cohort
    if "class_id" in seen and one.school_class is not None:
        yield one.school_class.full_name
    elif "grade_id" in seen:
        yield one.grade.name


def _add_table(paper: Paper, table: RelatedTable) -> None:
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    paper.row([Box(paper.room, table.title, is_bold=True)], keep=14.0)
    paper.table(table.columns, rows, fit(want(table.columns, rows, WIDEST), paper.room))
    paper.space(-2.0)
    if table.more_url:
        paper.words(_("只印出前%(n)s条。", n=len(rows)))


def _photo(site: Site, one: Student) -> Image.Image | None:
    """None where there is none, where this person may not see it, or where its file is lost."""
    if not photos.may_see(site.session, site.by, one):
        return None
    try:
        found = photos.content_of(site.session, site.by, one)
    except Missing:
        return None
    return Image.open(BytesIO(found.content)).convert("RGB") if found is not None else None


# --- the sheet that parents check ---------------------------------------------------------------------


@in_chinese
def sheets(site: Site, students: Sequence[Student]) -> bytes:
    """信息核对表: every item that is asked in forms, with room to correct it. Each pupil begins on a leaf of his own."""
    paper = _paper(_("信息核对表"), site.by)
    for one in students:
        _add_sheet(paper, site, one)
    return paper.to_pdf()


def _add_sheet(paper: Paper, site: Site, one: Student) -> None:
    paper.begin(one.name, on_new_leaf=True)
    paper.heading(_("学生基础信息核对表"))
    seen = scope.fields_with(site.session, site.by, "see", one)
    paper.words(_where(one, seen), align="center")
    paper.words(
        _(
            "请家长逐项核对：无误的不必填写，有误或空缺的在“更正为”栏写明。标“＊”的是关键数据，更正时请附身份证或户口簿"
            "复印件，由学校办理审核。带“*”号的号码只印出首尾，请核对可见部分。"
        ),
        8.0,
        after=1.5,
    )
    head = [
        Box(w, text, True, True, "center")
        for w, text in zip(SHEET_WIDTHS, (_("项目"), _("现登记内容"), _("更正为")), strict=True)
    ]
    paper.row(head)
    for title, items in _to_check(site, one, seen):
        paper.row([Box(paper.room, title, is_bold=True)], repeats=head, keep=12.0)
        for texts in items:
            paper.row(
                [Box(w, text) for w, text in zip(SHEET_WIDTHS, (*texts, ""), strict=True)], repeats=head
            )
    paper.space(3.0)
    third = paper.room / 3
    paper.row(
        [Box(third, _("监护人签名：")), Box(third, _("与学生关系：")), Box(third, _("日期："))], least=11.0
    )
    paper.row(
        [Box(third, _("联系电话：")), Box(third, _("班主任核对：")), Box(third, _("日期："))], least=11.0
    )


def _to_check(
    site: Site, one: Student, seen: Mapping[str, Field]
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield from _checked(site, one, [f for f in seen.values() if f.form and f.section != HELD], "")
    if not site.by.has(f"{FamilyMember.key()}:show"):
        return
    for n, member in enumerate(one.family, 1):
        fields = scope.fields_with(site.session, site.by, "see", member)
        label = f"{_(FamilyMember.__label__)}{n}"
        yield from _checked(site, member, [f for f in fields.values() if f.form], label)


def _checked(
    site: Site, obj: Entity, fields: Sequence[Field], title: str
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    key_data = {_(f.label) for f in fields if f.edit is BY_CHANGE}
    for section in detail.sections(obj, fields, site, Revealed.now(type(obj), site.by)):
        items = [(f"＊{i.label}" if i.label in key_data else i.label, i.cell.text) for i in section.items]
        yield title or section.title, items


# --- the certificate ----------------------------------------------------------------------------------


@in_chinese
def certificate(site: Site, student: Student, one: EnrolmentCertificate, code: str, verify_url: str) -> bytes:
    """在读证明: one page, with the code by which anybody can ask whether it is valid."""
    paper = _paper(_("在读证明"), site.by)
    paper.begin()
    paper.space(28.0)
    paper.heading(_("在读证明"), 26.0)
    paper.space(14.0)
    for text in (statement(site, student), _("特此证明。")):
        paper.words("　　" + text, 14.0, leading=2.1, after=3.0)
    paper.words(_("（用途：%(what)s）", what=one.purpose), 11.0, after=26.0)
    school: School = student.school
    paper.words(_("%(school)s（盖章）", school=school.name), 14.0, align="right", after=4.0)
    paper.words(_day(one.issued_at.astimezone(HERE).date()), 14.0, align="right", after=24.0)
    side = 26.0
    paper.code(f"{verify_url}#{code}", side)
    words: dict[str, Any] = {"room": paper.room - side - 4.0, "after": 1.5}
    paper.words(_("验证码：%(code)s", code=certificates.in_groups(code)), 12.0, **words)
    paper.words(_("有效期至：%(day)s", day=_day(one.valid_until)), 10.0, **words)
    paper.words(
        _(
            "查验：打开%(url)s，输入验证码，或扫描右侧二维码。查验页只说明有效或无效；学生离校、所载信息变更或证明作废后即为无效。",
            url=verify_url,
        ),
        9.0,
        **words,
    )
    return paper.to_pdf()


@in_chinese
def statement(site: Site, student: Student) -> str:
    """The sentence of the certificate: a field that this person does not see is left out of it."""
    seen = scope.fields_with(site.session, site.by, "see", student)
    revealed = Revealed.now(Student, site.by)

    def shown(name: str) -> str:
        return painter(Student, seen[name], site, revealed)(student).text if name in seen else ""

    said = {
        "gender": _("性别%(x)s", x=shown("gender")),
        "born_on": _("%(x)s出生", x=_day(student.born_on)),
        "id_number": _("%(kind)s号%(x)s", kind=shown("id_type") or _("身份证件"), x=shown("id_number")),
        "student_no": _("学籍号%(x)s", x=shown("student_no")),
        "entry_month": _("%(x)s入学", x=_month(student.entry_month)),
    }
    return "，".join(
        (
            _("兹证明%(name)s", name=student.name),
            *(text for name, text in said.items() if shown(name)),
            _("现为我校%(place)s在读学生。", place="".join(_seat(student, seen))),
        )
    )


def _day(day: date) -> str:
    return _("%(y)s年%(m)s月%(d)s日", y=day.year, m=day.month, d=day.day)


def _month(text: str) -> str:
    return _("%(y)s年%(m)s月", y=text[:4], m=int(text[4:]))
