"""Who a pupil is at a glance, on top of the pupil's page: photo, names, class, what is missing, what is under way."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlalchemy as sa
from flask_babel import gettext as _

from app.areas.changes import photos
from app.areas.changes.models import UNDER_WAY, Change
from app.areas.changes.photo_pages import path_of
from app.areas.students.models import Status, Student
from app.core import scope
from app.core.entity import Entity
from app.core.questions import questions_of
from app.surfaces import detail
from app.surfaces.display import Revealed, cell
from app.surfaces.site import Site
from app.surfaces.viewmodels import Cell, Head, Picture

FACTS = ("school_id", "class_id", "grade_id", "number_in_class", "gender", "student_no")
WANTED_OF = (Status.ENROLLED, Status.SUSPENDED, Status.PENDING)
"""Whoever has left needs no class and no guardian's telephone any more."""


def head(obj: Entity, here: Site) -> Head:
    assert isinstance(obj, Student)
    seen = scope.fields_with(here.session, here.by, "see", obj)
    sees_photo = photos.may_see(here.session, here.by, obj)
    has_photo = sees_photo and obj.photo_id is not None
    return Head(
        picture=Picture(path_of(obj), _("%(name)s的照片", name=obj.name)) if has_photo else None,
        no_picture=_("没有照片") if sees_photo else "",
        also=(obj.pinyin or "") if "pinyin" in seen else "",
        facts=tuple(_facts(obj, here, seen)),
        flags=(*_cases(obj, here), *_lacks(obj, here)),
    )


def _facts(obj: Student, here: Site, seen: Collection[str]) -> Iterator[Cell]:
    revealed, fields = Revealed.now(Student, here.by), obj.fields()
    for name in FACTS:
        if name in seen and (name != "school_id" or here.by.is_of_bureau):
            found = cell(obj, fields[name], here, revealed)
            if found.text:
                yield found._replace(text=_in_words(obj, name, found.text))


def _in_words(obj: Student, name: str, text: str) -> str:
    """As it is said without a label: the year of the class stands beside the class (wording.md §3)."""
    if name == "grade_id" and obj.class_id is not None:
        return obj.grade.cohort
    return _("班内学号%(n)s", n=text) if name == "number_in_class" else text


def _cases(obj: Student, here: Site) -> Iterator[Cell]:
    """The reader's own walls decide which cases he is told of."""
    if not here.can_open(Change):
        return
    query = sa.select(Change).where(Change.student_id == obj.id, Change.state.in_(UNDER_WAY))
    for one in here.session.scalars(query.order_by(Change.id)):
        kind = one.fields()["kind"].show(one.kind)
        yield Cell(_("在办：%(what)s", what=kind), url=here.show_url(Change, one.id), tone="info")


def _lacks(obj: Student, here: Site) -> Iterator[Cell]:
    """What lists are asked for as “缺少资料”, asked of this one."""
    question = questions_of(Student)["lacks"]
    if obj.status not in WANTED_OF or not all(map(here.by.has, question.needs)):
        return
    for code, label in question.options():
        query = sa.select(Student.id).where(Student.id == obj.id, question.where(code))
        if here.session.scalar(query) is not None:
            yield Cell(label, tone="warn")


detail.show_head(Student, head)
