"""The pupil's photo on screen: its own address, and the form that gives, changes or takes it off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from flask import Response as Answered
from flask import flash, redirect, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.areas.changes import photos
from app.areas.changes.photos import LEAST, MM, MOST_BYTES, Box
from app.areas.students.lookups import find_pupil
from app.areas.students.models import Student
from app.core import saving
from app.core.entity import Entity
from app.core.errors import Invalid, Missing, Stale
from app.core.rights import Actor
from app.surfaces import detail, display
from app.surfaces.drafts import show_form
from app.surfaces.forms import ALWAYS_POSTED, unknown
from app.surfaces.listing import crumbs
from app.surfaces.pages import Answer, flash_warnings, site
from app.surfaces.site import Site
from app.surfaces.viewmodels import Action, Cell, Crumb, FormPage, FormSection, Input, Picture

BASE = "/students"
EDGES = ("crop_left", "crop_top", "crop_width")
FILE, SEEN = "photo", "seen"
_PART = re.compile(r"[01](\.\d{1,6})?")


class PhotoView(BaseView):
    """学生照片：查看、上传、更换、撤下。"""

    route_base = BASE
    default_view = "show"

    @expose("/<int:pk>/photo")
    def show(self, pk: int) -> Response:
        here = site()
        return answer(here.session, here.by, find_pupil(here.session, here.by, pk))

    @expose("/<int:pk>/photo/small")
    def small(self, pk: int) -> Response:
        here = site()
        return answer(here.session, here.by, find_pupil(here.session, here.by, pk), is_small=True)

    @expose("/<int:pk>/photo/change", methods=["GET", "POST"])
    def change(self, pk: int) -> Answer:
        here = site()
        student = find_pupil(here.session, here.by, pk)
        photos.require_editor(here.session, here.by, student)
        if request.method == "GET":
            return show_form(_page(here, student))
        try:
            return self._keep(here, pk)
        except Invalid as refused:
            complaints, code = refused.complaints, 422
        except Stale as stale:
            complaints, code = (("", stale.sentence),), 409
        student = find_pupil(here.session, here.by, pk)  # what was read before is undone with the work
        return show_form(_page(here, student, complaints)), code

    def _keep(self, here: Site, pk: int) -> Response:
        seen, box = _read(request.form)
        sent = request.files.getlist(FILE)
        if len(sent) != 1 or not sent[0].filename:
            raise Invalid([(FILE, _("没有选择照片。请选择一张JPG或PNG照片。"))])
        try:
            photo = photos.make(sent[0].stream, box)
        except Invalid as refused:
            raise Invalid([(FILE, refused.sentence)]) from refused
        with saving.work() as work:
            student = photos.keep(work.session, here.by, pk, photo, seen=seen)
            name = student.name
        flash(_("已保存%(name)s的照片。", name=name), "success")
        flash_warnings(photo.doubts)
        return redirect(here.show_url(Student, pk))

    @expose("/<int:pk>/photo/remove", methods=["POST"])
    def remove(self, pk: int) -> Response:
        here = site()
        photos.require_editor(here.session, here.by, find_pupil(here.session, here.by, pk))
        seen, _box = _read(request.form)
        if seen is None:
            raise Invalid(_("没有可以撤下的照片。"))
        with saving.work() as work:
            name = photos.keep(work.session, here.by, pk, None, seen=seen).name
        flash(_("已撤下%(name)s的照片，原照片留在佐证材料中。", name=name), "success")
        return redirect(here.show_url(Student, pk))


VIEWS = (PhotoView,)


# --- the picture --------------------------------------------------------------------------------------


def path_of(student: Student) -> str:
    """With the file in it, so that a new photo is a new address."""
    return f"{BASE}/{student.id}/photo?v={student.photo_id}"


def _small_cell(obj: Entity) -> Cell:
    assert isinstance(obj, Student)
    if obj.photo_id is None:
        return Cell("")
    return Cell(_("%(name)s的照片", name=obj.name), picture=f"{BASE}/{obj.id}/photo/small?v={obj.photo_id}")


def answer(session: Session, by: Actor, student: Student, *, is_small: bool = False) -> Response:
    """The photo, which no proxy keeps and which a browser shows again only after asking. Raises Missing, Denied."""
    found = photos.content_of(session, by, student)
    if found is None:
        raise Missing(_("%(name)s还没有照片。", name=student.name))
    mark = f"{found.sha256}-small" if is_small else found.sha256
    response = Answered(mimetype="image/jpeg" if is_small else found.media_type)
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(mark)
    if not request.if_none_match.contains_weak(mark):
        response.set_data(photos.small(found.content) if is_small else found.content)
    return response.make_conditional(request)


# --- the form -----------------------------------------------------------------------------------------


def _read(typed: dict[str, str]) -> tuple[int | None, Box | None]:
    """The photo that the page showed, and where to cut. Raises Invalid."""
    strays = [name for name in (*typed, *request.files) if name not in (FILE, SEEN, *EDGES, *ALWAYS_POSTED)]
    if strays:
        raise Invalid([("", unknown(name)) for name in strays])
    seen = typed.get(SEEN)
    if seen is None or not (seen == "" or (seen.isascii() and seen.isdigit() and len(seen) < 19)):
        raise Invalid(_("页面已过期。请重新打开这一页再操作。"))
    return int(seen) if seen else None, _read_box([typed.get(name, "") for name in EDGES])


def _read_box(edges: Sequence[str]) -> Box | None:
    """None where nothing was chosen: the middle is taken then."""
    if not any(edges):
        return None
    if not all(_PART.fullmatch(edge) and float(edge) <= 1 for edge in edges):
        raise Invalid([(FILE, _("裁剪的位置读不出来。请重新选择照片并裁剪。"))])
    return Box(*map(float, edges))


def _page(here: Site, student: Student, complaints: Sequence[tuple[str, str]] = ()) -> FormPage:
    name, label = student.shown(), _("照片文件")
    has_photo = student.photo_id is not None
    word = _("更换照片") if has_photo else _("上传照片")
    chosen = Input(
        FILE,
        label,
        "file",
        required=True,
        wide=True,
        accept="image/jpeg,image/png",
        crop=MM,
        help=_("JPG或PNG，不超过%(n)s MB。", n=MOST_BYTES // 1024 // 1024),
        errors=tuple(sentence for where, sentence in complaints if where == FILE),
    )
    picture = Picture(path_of(student), _("%(name)s现在的照片", name=name)) if has_photo else None
    return FormPage(
        title=_("%(act)s · %(name)s", act=word, name=name),
        crumbs=crumbs(Student, here, Crumb(name, here.show_url(Student, student.id)), Crumb(word)),
        sections=[FormSection(_("照片"), (chosen,), picture=picture)],
        submit_label=_("保存照片"),
        cancel_url=here.show_url(Student, student.id),
        action_url=f"{BASE}/{student.id}/photo/change",
        hidden=[(SEEN, str(student.photo_id or "")), *((edge, "") for edge in EDGES)],
        complaints=[(n if n == FILE else "", label if n == FILE else "", text) for n, text in complaints],
        note=_(
            "国家系统的要求：近期正面免冠彩色照片，淡蓝色背景，头部约占三分之二，水平居中；%(w)s×%(h)s毫米，裁剪后不少于"
            "%(a)s×%(b)s像素。保存时按比例裁剪、压缩到60 KB以内，拍摄地点等附加信息不保留。",
            w=MM[0],
            h=MM[1],
            a=LEAST[0],
            b=LEAST[1],
        ),
        has_files=True,
        actions=list(_take_off(student)),
    )


def _take_off(student: Student) -> Iterator[Action]:
    if student.photo_id is not None:
        fields = ((SEEN, str(student.photo_id)),)
        url = f"{BASE}/{student.id}/photo/remove"
        yield Action(_("撤下照片"), url, "post", "danger", "trash", fields=fields)


def _offer(obj: Entity, here: Site) -> Iterator[Action]:
    assert isinstance(obj, Student)
    word = _("更换照片") if obj.photo_id is not None else _("上传照片")
    refused = photos.why_not(here.session, here.by, obj) or None
    yield Action(word, f"{BASE}/{obj.id}/photo/change", icon="camera", refused=refused)


detail.offer(Student, _offer)
display.draw(Student, "photo_id", _small_cell)
