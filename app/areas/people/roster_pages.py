"""The pages that open many accounts from a sheet: template, upload, check, opening, the slips with the passwords."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from flask import render_template, request, send_file
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import roster
from app.areas.people.page_models import LIST_PATH, Complaints, crumbs, errors_of, form, refuse_strays
from app.areas.people.roster import LABELS, Line
from app.areas.people.slip_pages import new_one_time
from app.core import logins, rights, saving, sheets
from app.core.errors import Invalid
from app.core.rights import Actor
from app.extensions import db
from app.surfaces.drafts import show_form
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Crumb,
    DetailPage,
    DetailSection,
    FormPage,
    Input,
    Item,
    RelatedTable,
    Row,
    Slip,
    SlipsPage,
)

PATH = "/people/import/"


class RosterView(BaseView):
    """从Excel批量开通账号。"""

    route_base = PATH.rstrip("/")
    default_view = "upload"

    @expose("/", methods=["GET", "POST"])
    def upload(self) -> Answer:
        by = _opener()
        if request.method == "GET":
            return show_form(_upload_page(by))
        try:
            refuse_strays(request.form, ())
            return _checked(by, roster.read(_uploaded(), by))
        except Invalid as refused:
            return show_form(_upload_page(by, refused.complaints)), 422

    @expose("/template")
    def template(self) -> Answer:
        by = _opener()
        return _download(roster.template(db.session(), by), _("开通账号模板.xlsx"))

    @expose("/confirm", methods=["POST"])
    def confirm(self) -> Answer:
        by = _opener()
        try:
            lines = _sealed_lines(by)
            good = _good_of(lines)
        except Invalid as refused:
            return show_form(_upload_page(by, refused.complaints)), 422
        passwords = [new_one_time()[1] for _line in good]
        hashes = logins.hash_passwords(passwords)
        try:
            with saving.work() as work:
                opened = roster.open_all(work.session, by, good, passwords, hashes)
        except Invalid:
            return _checked(by, lines, _("检查之后情况有变化，没有开通任何账号。请重新核对。")), 422
        slips = [Slip(one.name, one.username, one.password) for one in opened]
        return render_template("slips.html", page=_slips_page(by, slips, lines))

    @expose("/faults", methods=["POST"])
    def faults(self) -> Answer:
        by = _opener()
        try:
            lines = _sealed_lines(by)
        except Invalid as refused:
            return show_form(_upload_page(by, refused.complaints)), 422
        return _download(roster.faulty_rows(db.session(), by, lines), _("未开通的人员.xlsx"))


VIEWS = (RosterView,)


def _opener() -> Actor:
    by = current_actor()
    rights.require(by, "person:add")
    return by


def _uploaded() -> bytes:
    """Raises Invalid."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid([("file", _("没有选择文件。请选择填写好的.xlsx文件。"))])
    return file.stream.read(sheets.LARGEST_FILE + 1)


def _sealed_lines(by: Actor) -> list[Line]:
    """What was checked before. Raises Invalid."""
    refuse_strays(request.form, [Input("sealed", "", "hidden")])
    return roster.unseal_lines(by, request.form.get("sealed", ""))


def _good_of(lines: Sequence[Line]) -> list[Line]:
    """Raises Invalid where there is none."""
    if not (good := _parts(lines)[0]):
        raise Invalid([("file", _("没有可以开通的人员。请改正后重新上传。"))])
    return good


def _checked(by: Actor, lines: Sequence[Line], note: str = "") -> str:
    with saving.work() as work:
        found = roster.try_out(work.session, by, lines)
    return render_template("detail.html", page=_check_page(by, found, note))


def _download(data: bytes, name: str) -> Response:
    return send_file(io.BytesIO(data), sheets.MEDIA_TYPE, as_attachment=True, download_name=name)


# --- what they show -----------------------------------------------------------------------------------


def _upload_page(by: Actor, complaints: Complaints = ()) -> FormPage:
    told = [("file" if name == "file" else "", sentence) for name, sentence in complaints]
    help_ = _("只读取第一张工作表，一次最多%(n)s人，文件不超过1MB。", n=roster.MOST_ROWS)
    file = Input("file", _("填写好的模板"), "file", required=True, help=help_, errors=errors_of(told, "file"))
    return form(
        _("批量开通账号"),
        crumbs(by, Crumb(_("批量开通"))),
        [file],
        told,
        action=PATH,
        cancel=LIST_PATH,
        section=_("选择文件"),
        submit_label=_("检查文件"),
        note=_("先下载模板，每行填写一人。上传后先检查，核对无误再开通；有误的行可以下载，改正后再次上传。"),
        has_files=True,
        actions=[Action(_("下载模板"), PATH + "template", icon="download")],
    )


def _check_page(by: Actor, lines: Sequence[Line], note: str) -> DetailPage:
    good, known, wrong = parts = _parts(lines)
    sealed = roster.seal_lines(by, lines)
    tables = (
        _wrong_table(wrong),
        _table(by, good, _("将开通的账号")),
        _table(by, known, _("已有的账号，不再开通")),
    )
    return DetailPage(
        title=_("核对后开通"),
        crumbs=crumbs(by, Crumb(_("批量开通"), PATH), Crumb(_("核对"))),
        sections=[DetailSection(_("检查结果"), tuple(_counts(note, *parts)))],
        actions=[*_confirm(good, sealed), *_wrong_download(wrong, sealed), Action(_("重新上传"), PATH)],
        related=[table for table in tables if table.rows],
    )


def _parts(lines: Iterable[Line]) -> tuple[list[Line], list[Line], list[Line]]:
    """Good ones, those there already, wrong ones."""
    found = list(lines)
    return (
        [one for one in found if one.is_good],
        [one for one in found if one.is_known],
        [one for one in found if one.faults],
    )


def _counts(note: str, good: list[Line], known: list[Line], wrong: list[Line]) -> Iterable[Item]:
    yield Item(_("将开通"), Cell(_("%(n)s人", n=len(good))))
    yield Item(_("已有账号"), Cell(_("%(n)s人", n=len(known))))
    yield Item(_("有误"), Cell(_("%(n)s行", n=len(wrong)), tone="bad" if wrong else None))
    explained = _("现在还没有开通任何账号。有误的行不影响其他行。")
    yield Item(_("说明"), Cell(note or explained, wide=True, tone="warn" if note else None))


def _confirm(good: list[Line], sealed: str) -> Iterable[Action]:
    if good:
        label, fields = _("确认开通%(n)s个账号", n=len(good)), (("sealed", sealed),)
        yield Action(label, PATH + "confirm", "post", "primary", "person-plus", fields=fields, slow=True)


def _wrong_download(wrong: list[Line], sealed: str) -> Iterable[Action]:
    if wrong:
        yield Action(
            _("下载标错文件"), PATH + "faults", "post", icon="download", fields=(("sealed", sealed),)
        )


def _wrong_table(wrong: Sequence[Line]) -> RelatedTable:
    rows = tuple(
        Row(one.number, None, (Cell(_("第%(n)s行", n=one.number)), Cell(one.texts["name"][:20]), _said(one)))
        for one in wrong
    )
    return RelatedTable(_("有误的行"), (_("行"), _("姓名"), _("原因")), rows)


def _said(line: Line) -> Cell:
    return Cell(" ".join(roster.said(line)), wide=True)


def _table(by: Actor, lines: Sequence[Line], title: str) -> RelatedTable:
    keys = roster.columns_for(by)
    rows = tuple(
        Row(
            one.number,
            None,
            (Cell(_("第%(n)s行", n=one.number)), *(Cell(one.texts[key]) for key in keys)),
        )
        for one in lines
    )
    return RelatedTable(title, (_("行"), *(_(LABELS[key]) for key in keys)), rows)


def _slips_page(by: Actor, slips: list[Slip], lines: Sequence[Line]) -> SlipsPage:
    _good, _known, wrong = _parts(lines)
    return SlipsPage(
        title=_("已开通%(n)s个账号", n=len(slips)),
        crumbs=crumbs(by, Crumb(_("批量开通"), PATH), Crumb(_("一次性密码"))),
        slips=slips,
        address=request.host_url,
        note=_(
            "一次性密码只显示这一次：请打印后裁开，当面交给本人，不要用即时通信群发。首次登录时须修改；遗失的请重置密码。"
        ),
        actions=[
            *_wrong_download(wrong, roster.seal_lines(by, wrong)),
            Action(_("返回用户管理"), LIST_PATH),
        ],
    )
