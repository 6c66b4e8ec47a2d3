"""The addresses of prints: what a class, a pupil and the roster give on paper, and the certificates of a pupil.

A print is posted for: it leaves a line in the audit. Whether a certificate is valid is asked in `verify_pages`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from flask import flash, redirect, render_template, request, send_file
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.areas.printing import certificates, prints
from app.areas.printing import print_page_models as models
from app.areas.printing.certificates import STATES, VALID_DAYS, State
from app.areas.printing.models import LONGEST_PURPOSE, EnrolmentCertificate
from app.areas.schools.models import SchoolClass
from app.areas.students import lookups
from app.areas.students.models import Student
from app.core import rights, saving, scope
from app.core.entity import Entity
from app.core.errors import Denied, Invalid
from app.core.fields import HERE, Text, Unreadable
from app.core.rights import Actor
from app.core.wording import N_, in_chinese, joined, kept
from app.surfaces import bulk, detail
from app.surfaces.display import Revealed
from app.surfaces.drafts import show_form
from app.surfaces.forms import refuse_strays
from app.surfaces.listing import FOUND_MOST, Listing, count_text, crumbs, reveal_form
from app.surfaces.pages import Answer, site
from app.surfaces.security import VERIFY_PATH
from app.surfaces.site import Site, with_args
from app.surfaces.viewmodels import (
    Action,
    Cell,
    ConfirmPage,
    Crumb,
    DetailPage,
    DetailSection,
    FormPage,
    FormSection,
    Input,
    Item,
    RelatedTable,
    Row,
    Tone,
)

DOCUMENT = "zh-Hans"  # what is printed is Chinese, whatever language the pages speak
BASE, ROSTER_PATH = "/print", "/print/roster"
MOST_ROWS = 3_000
MOST_CARDS = 200  # at once
TITLE = Text(label="标题", length=40, nullable=False)
TONES: Mapping[State, Tone] = {
    State.VALID: "good",
    State.OVER: "neutral",
    State.REVOKED: "bad",
    State.UNTRUE: "warn",
}
Complaints = Sequence[tuple[str, str]]


class Records(NamedTuple):
    """Whole records on paper: what the audit says of it, how the file is called, what draws it."""

    act: str
    title: str
    draw: Callable[[Site, Sequence[Student]], bytes]


CARDS = Records(N_("打印学籍卡"), N_("学籍卡"), models.cards)
SHEETS = Records(N_("打印信息核对表"), N_("信息核对表"), models.sheets)


class PrintView(BaseView):
    """打印：班级名单、花名册、学籍卡、信息核对表、在读证明。"""

    route_base = BASE
    default_view = "roster"

    # --- a class ---

    @expose("/class/<int:pk>/list", methods=["POST"])
    def class_list(self, pk: int) -> Response:
        here, school_class, students = _class(pk, "student:list")
        title = kept("%(name)s班级名单", name=school_class.full_name)
        content = models.class_list(here, school_class, students)
        prints.note_list(here.by, title, len(students), students)
        return _download(content, title)

    @expose("/class/<int:pk>/cards", methods=["POST"])
    def class_cards(self, pk: int) -> Response:
        here, school_class, students = _class(pk, "student:show")
        return _print(here, CARDS, students, school_class.full_name)

    @expose("/class/<int:pk>/sheets", methods=["POST"])
    def class_sheets(self, pk: int) -> Response:
        here, school_class, students = _class(pk, "student:show")
        return _print(here, SHEETS, students, school_class.full_name)

    # --- a pupil ---

    @expose("/student/<int:pk>/card", methods=["POST"])
    def card(self, pk: int) -> Response:
        here, student = _pupil(pk)
        refuse_strays(request.form)
        return _print(here, CARDS, [student], student.name)

    @expose("/student/<int:pk>/sheet", methods=["POST"])
    def sheet(self, pk: int) -> Response:
        here, student = _pupil(pk)
        refuse_strays(request.form)
        return _print(here, SHEETS, [student], student.name)

    # --- pupils chosen in the list ---

    @expose("/chosen/cards", methods=["POST"])
    def chosen_cards(self) -> Response:
        here, students = _chosen()
        return _print(here, CARDS, students)

    @expose("/chosen/sheets", methods=["POST"])
    def chosen_sheets(self) -> Response:
        here, students = _chosen()
        return _print(here, SHEETS, students)

    @expose("/chosen/roster", methods=["POST"])
    def chosen_roster(self) -> Response:
        """Leads to the roster of just these."""
        here = site()
        rights.require(here.by, "student:list")
        refuse_strays(request.form, *bulk.CHOICE)
        ids = bulk.read_choice(Student, here, request.form, FOUND_MOST)
        return redirect(with_args(ROSTER_PATH, {"found": ",".join(map(str, ids))}))

    # --- chosen columns ---

    @expose("/roster", methods=["GET", "POST"])
    def roster(self) -> Answer:
        here = site()
        rights.require(here.by, "student:list")
        listing = _listing(here)
        if request.method == "GET":
            chosen = [f.name for f in listing.fields()]
            return show_form(_roster_page(listing, kept("学生花名册"), chosen))
        chosen, title = request.form.getlist("column"), request.form.get("title", "")
        try:
            names, title = _read_roster(here.by, request.form)
            students = _everybody(listing, names)
        except Invalid as refused:
            return show_form(_roster_page(listing, title, chosen, refused.complaints)), 422
        found = models.grid(here, students, names)
        content = models.roster(here, title, _roster_line(listing, len(students)), found)
        prints.note_list(here.by, kept("打印花名册“%(title)s”", title=title), len(students), students)
        return _download(content, title)

    # --- certificates ---

    @expose("/student/<int:pk>/certificates")
    def certificates(self, pk: int) -> Answer:
        here, student = _pupil(pk)
        _require_issuer(here, student)
        return render_template("detail.html", page=_certificates_page(here, student))

    @expose("/student/<int:pk>/certificates/add", methods=["GET", "POST"])
    def add_certificate(self, pk: int) -> Answer:
        here, student = _pupil(pk)
        _require_issuer(here, student)
        if request.method == "GET":
            return show_form(_issue_page(here, student, "", str(VALID_DAYS[0])))
        try:
            return self._issue(here, pk)
        except Invalid as refused:
            typed = request.form.get("purpose", ""), request.form.get("days", "")
            _again, student = _pupil(pk)  # what was read before is undone with the work
            return show_form(_issue_page(here, student, *typed, complaints=refused.complaints)), 422

    def _issue(self, here: Site, pk: int) -> Response:
        purpose, days = _read_issue(request.form)
        with saving.work() as work:
            student = lookups.find_pupil(work.session, here.by, pk)
            made, code = certificates.issue(work.session, here.by, student, purpose, days)
            content = models.certificate(here, student, made, code, _verify_url())
        prints.note_records(here.by, kept("打印在读证明"), [student])
        return _download(content, kept("%(name)s在读证明", name=student.name))

    @expose("/certificate/<int:pk>/revoke", methods=["GET", "POST"])
    def revoke(self, pk: int) -> Answer:
        here = site()
        rights.require(here.by, certificates.RIGHT)
        found, student = certificates.find(here.session, pk)
        _require_issuer(here, student)
        if request.method == "GET":
            return render_template("confirm.html", page=_revoke_page(here, found, student))
        refuse_strays(request.form)
        with saving.work() as work:
            student_id = certificates.revoke(work.session, here.by, pk).id
        flash(_("已作废这份在读证明，凭其验证码查验为无效。"), "success")
        return redirect(_certificates_path(student_id))


VIEWS = (PrintView,)


def _print(here: Site, records: Records, students: Sequence[Student], whose: str = "") -> Response:
    content = records.draw(here, students)
    prints.note_records(here.by, kept(records.act), students)
    return _download(content, whose + kept(records.title))


# --- who asks, about whom -----------------------------------------------------------------------------


def _class(pk: int, right: str) -> tuple[Site, SchoolClass, list[Student]]:
    """Raises Denied, Missing, Invalid."""
    here = site()
    rights.require(here.by, right)
    refuse_strays(request.form)
    found = prints.find_class(here.session, here.by, pk, right)
    students = prints.pupils_of(here.session, found)
    if len(students) > MOST_CARDS:
        raise Invalid(
            _("%(name)s有%(k)s人，一次最多打印%(n)s人。", name=found.full_name, k=len(students), n=MOST_CARDS)
        )
    return here, found, students


def _chosen() -> tuple[Site, list[Student]]:
    """Those of the chosen whose records the person may open. Raises Denied, Missing, Invalid."""
    here = site()
    rights.require(here.by, "student:show")
    refuse_strays(request.form, *bulk.CHOICE)
    ids = bulk.read_choice(Student, here, request.form, MOST_CARDS)
    return here, prints.find_pupils(here.session, here.by, ids)


def _pupil(pk: int) -> tuple[Site, Student]:
    """Raises Denied, Missing."""
    here = site()
    return here, lookups.find_pupil(here.session, here.by, pk)


def _require_issuer(here: Site, student: Student) -> None:
    if not (verdict := certificates.may_issue(here.session, here.by, student)):
        raise Denied(str(verdict))


def _download(content: bytes, title: str) -> Response:
    return send_file(io.BytesIO(content), "application/pdf", as_attachment=True, download_name=f"{title}.pdf")


def _verify_url() -> str:
    return request.host_url.rstrip("/") + VERIFY_PATH


# --- the roster ---------------------------------------------------------------------------------------


def _listing(here: Site) -> Listing:
    """What the list shows at the same address, all of it. Raises Unfit, Invalid."""
    args = {name: text for name, text in request.args.items() if name not in ("after", "before", "size")}
    listing = Listing(Student, here, args)
    listing.require_sound()
    return listing


def _everybody(listing: Listing, names: Sequence[str]) -> list[Student]:
    """With what these columns show. Raises Invalid where there are too many for a print, or nobody."""
    listing.asked.size = MOST_ROWS
    fields = Student.fields()
    loaded = [fields[name] for name in dict.fromkeys((*names, "school_id", "authority_code"))]
    found = [one for one in listing.rows(loaded) if isinstance(one, Student)]
    if listing.has_more:
        raise Invalid(_("一次最多打印%(n)s人。请回到花名册，用筛选条件缩小范围后再打印。", n=MOST_ROWS))
    if not found:
        raise Invalid(_("没有符合条件的学生。请回到花名册，减少筛选条件后再打印。"))
    return found


def _read_roster(by: Actor, typed: MultiDict[str, str]) -> tuple[list[str], str]:
    """The columns in the order of the declaration, and the title. Raises Invalid."""
    refuse_strays(typed, "column", "title")
    offered, chosen = models.printable_fields(by), set(typed.getlist("column"))
    complaints = []
    if chosen - set(offered):
        complaints.append(("column", _("选择的列中有打印不了的项目。请重新选择。")))
    if not 1 <= len(chosen) <= models.MOST_COLUMNS:
        complaints.append(("column", _("请选择1到%(n)s列。列太多，纸上排不下。", n=models.MOST_COLUMNS)))
    try:
        title = TITLE.parse(typed.get("title"))
        if title is None:
            complaints.append(("title", _("必填项“%(label)s”为空。请填写后再保存。", label=_(TITLE.label))))
    except Unreadable as reason:
        complaints.append(("title", str(reason)))
    if complaints:
        raise Invalid(complaints)
    return [name for name in offered if name in chosen], str(title)


@in_chinese
def _roster_line(listing: Listing, count: int) -> str:
    return "　".join([*_asked(listing), _("共%(n)s人", n=count)])


def _asked(listing: Listing) -> list[str]:
    return [chip.label for chip in listing.chips()]


def _roster_page(
    listing: Listing, title: str, chosen: Sequence[str], complaints: Complaints = ()
) -> FormPage:
    offered = models.printable_fields(listing.site.by)
    columns = tuple((name, _(f.label)) for name, f in offered.items())
    labels = {"title": _(TITLE.label), "column": _("列")}
    inputs = (
        Input(
            "title",
            labels["title"],
            "text",
            title,
            required=True,
            maxlength=TITLE.length,
            lang=DOCUMENT,
            errors=_errors(complaints, "title"),
        ),
        Input(
            "column",
            labels["column"],
            "checks",
            options=columns,
            required=True,
            chosen=tuple(chosen),
            wide=True,
            help=_(
                "最多%(n)s列。号码按屏幕上的样子打印：没有说明事由查看的，中间部分隐去。",
                n=models.MOST_COLUMNS,
            ),
            errors=_errors(complaints, "column"),
        ),
    )
    asked = _asked(listing)
    which = _("筛选条件：%(what)s", what=joined(asked)) if asked else _("没有筛选条件")
    return FormPage(
        title=_("打印花名册"),
        crumbs=crumbs(Student, listing.site, Crumb(_("打印花名册"))),
        sections=[FormSection(_("打印的列"), inputs)],
        submit_label=_("打印花名册"),
        cancel_url=with_args("/students/list/", dict(listing.args)),
        action_url=with_args(ROSTER_PATH, dict(listing.args)),
        complaints=_told(complaints, labels),
        note=_(
            "将打印%(count)s。%(which)s。打印会记入访问日志。", count=count_text(listing.count()), which=which
        ),
    )


def _errors(complaints: Complaints, name: str) -> tuple[str, ...]:
    return tuple(sentence for where, sentence in complaints if where == name)


def _told(complaints: Complaints, labels: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(n if n in labels else "", labels.get(n, ""), text) for n, text in complaints]


# --- certificates -------------------------------------------------------------------------------------


def _certificates_path(student_id: int) -> str:
    return f"{BASE}/student/{student_id}/certificates"


def _trail(here: Site, student: Student, *more: Crumb) -> list[Crumb]:
    own = Crumb(student.shown(), here.show_url(Student, student.id))
    return crumbs(Student, here, own, Crumb(_("在读证明"), _certificates_path(student.id)), *more)


def _certificates_page(here: Site, student: Student) -> DetailPage:
    given = certificates.of_pupil(here.session, student)
    refused = certificates.why_not(student)
    add = Action(
        _("开具在读证明"),
        _certificates_path(student.id) + "/add",
        style="primary",
        icon="file-earmark-text",
        refused=refused,
    )
    table = RelatedTable(
        _("已开具的在读证明"),
        (_("开具时间"), _("用途"), _("有效期至"), _("开具人"), _("状态")),
        tuple(_certificate_row(one, student) for one in given),
        _("还没有开具过。"),
    )
    return DetailPage(
        title=student.shown(),
        subtitle=_("在读证明"),
        crumbs=_trail(here, student),
        sections=[_statement(here, student)],
        actions=[add],
        related=[table],
        reveal=reveal_form(
            Student,
            here,
            list(scope.fields_with(here.session, here.by, "see", student).values()),
            [student],
            f"“{student.shown()}”",
            _certificates_path(student.id),
            Revealed.now(Student, here.by),
        ),
    )


def _statement(here: Site, student: Student) -> DetailSection:
    text = Cell(models.statement(here, student), wide=True, lang=DOCUMENT)
    advice = _("号码按屏幕上的样子印出：要印完整号码的，请先点击“查看完整号码”并说明事由。")
    return DetailSection(_("证明内容"), (Item(_("正文"), text), Item(_("说明"), Cell(advice, wide=True))))


def _certificate_row(one: EnrolmentCertificate, student: Student) -> Row:
    state = certificates.state_of(one, student)
    cells = (
        Cell(one.issued_at.astimezone(HERE).strftime("%Y-%m-%d %H:%M")),
        Cell(one.purpose),
        Cell(one.valid_until.isoformat()),
        Cell(one.issued_by),
        Cell(_(STATES[state]), tone=TONES[state]),
    )
    can_end = state in (State.VALID, State.UNTRUE)
    ends = (Action(_("作废"), f"{BASE}/certificate/{one.id}/revoke", style="danger"),) if can_end else ()
    return Row(one.id, None, cells, ends)


def _read_issue(typed: MultiDict[str, str]) -> tuple[str, int]:
    """Raises Invalid."""
    refuse_strays(typed, "purpose", "days")
    complaints, purpose = [], ""
    try:
        purpose = certificates.read_purpose(typed.get("purpose", ""))
    except Unreadable as reason:
        complaints.append(("purpose", str(reason)))
    days = typed.get("days", "")
    if days not in map(str, VALID_DAYS):
        complaints.append(("days", _("请从列表中选择有效期。")))
    if complaints:
        raise Invalid(complaints)
    return purpose, int(days)


def _issue_page(
    here: Site, student: Student, purpose: str, days: str, complaints: Complaints = ()
) -> FormPage:
    labels = {"purpose": _("用途"), "days": _("有效期")}
    inputs = (
        Input(
            "purpose",
            labels["purpose"],
            "text",
            purpose,
            required=True,
            help=_("印在证明上，如“办理医疗保险”"),
            maxlength=LONGEST_PURPOSE,
            errors=_errors(complaints, "purpose"),
        ),
        Input(
            "days",
            labels["days"],
            "select",
            days,
            tuple((str(n), _("%(n)s天", n=n)) for n in VALID_DAYS),
            True,
            errors=_errors(complaints, "days"),
        ),
    )
    return FormPage(
        title=_("开具在读证明 · %(name)s", name=student.shown()),
        crumbs=_trail(here, student, Crumb(_("开具"))),
        sections=[FormSection(_("在读证明"), inputs)],
        submit_label=_("开具并打印"),
        cancel_url=_certificates_path(student.id),
        complaints=_told(complaints, labels),
        note=_("验证码只印在这一份证明上，不再显示；遗失的请作废后重新开具。学生离校后证明自动失效。"),
    )


def _revoke_page(here: Site, one: EnrolmentCertificate, student: Student) -> ConfirmPage:
    words = {
        "name": student.shown(),
        "day": one.issued_at.astimezone(HERE).date().isoformat(),
        "what": one.purpose,
    }
    return ConfirmPage(
        title=_("作废在读证明"),
        crumbs=_trail(here, student, Crumb(_("作废"))),
        sentence=_("将作废%(name)s %(day)s开具、用于“%(what)s”的在读证明，不能恢复。请再次确认。", **words),
        goes_with=[],
        submit_label=_("确认作废在读证明"),
        cancel_url=_certificates_path(student.id),
        action_url=f"{BASE}/certificate/{one.id}/revoke",
    )


# --- where users look for them ------------------------------------------------------------------------


def _for_class(obj: Entity, here: Site) -> Iterator[Action]:
    places = scope.places_of_row(here.session, obj)
    for word, label, right in (
        ("list", _("打印班级名单"), "student:list"),
        ("cards", _("打印学籍卡"), "student:show"),
        ("sheets", _("打印信息核对表"), "student:show"),
    ):
        if here.by.has(right):
            refused = str(rights.decide(here.by, right, places)) or None
            yield Action(label, f"{BASE}/class/{obj.id}/{word}", "post", icon="printer", refused=refused)


def _for_pupil(obj: Entity, here: Site) -> Iterator[Action]:
    yield Action(_("打印学籍卡"), f"{BASE}/student/{obj.id}/card", "post", icon="printer")
    yield Action(_("打印信息核对表"), f"{BASE}/student/{obj.id}/sheet", "post", icon="printer")
    if isinstance(obj, Student):
        refused = str(certificates.may_issue(here.session, here.by, obj)) or None
        yield Action(_("在读证明"), _certificates_path(obj.id), icon="file-earmark-text", refused=refused)


def _for_list(here: Site, args: Mapping[str, str]) -> Iterator[Action]:
    kept: dict[str, object] = {n: text for n, text in args.items() if n not in ("after", "before", "size")}
    yield Action(_("打印花名册"), with_args(ROSTER_PATH, kept), icon="printer")


def _for_chosen(word: str, label: str, right: str) -> bulk.Offer:
    def act_for(by: Actor) -> Action | None:
        return Action(_(label), f"{BASE}/chosen/{word}", "post", icon="printer") if by.has(right) else None

    return act_for


bulk.offer(Student, _for_chosen("roster", N_("打印花名册"), "student:list"))
bulk.offer(Student, _for_chosen("cards", N_("打印学籍卡"), "student:show"))
bulk.offer(Student, _for_chosen("sheets", N_("打印信息核对表"), "student:show"))
detail.offer(SchoolClass, _for_class)
detail.offer(Student, _for_pupil)
detail.offer_on_list(Student, _for_list)
