"""权限查询: the question as it is asked on a page or by a program, and the form it is asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, why
from app.areas.people.page_models import read_id, select_input
from app.areas.people.why import Answer, Question
from app.areas.schools.models import Grade, SchoolClass
from app.core.entity import Entity, registry
from app.core.errors import Invalid
from app.core.powers import ACTION_WORDS
from app.core.rights import Actor
from app.surfaces import lookups
from app.surfaces.forms import FEW
from app.surfaces.viewmodels import Action, Crumb, FormPage, FormSection, Input

PATH = "/why/"
WORDS = ("person", "entity", "action", "field", "record", "class_id", "grade_id")
LONGEST = 50  # characters of a name or number


@dataclass(slots=True)
class WhyPage:
    """The form, and what it was answered; `choices` are records to choose from where several were meant."""

    form: FormPage
    answer: Answer | None = None
    details: Sequence[tuple[str, Sequence[str]]] = ()
    everyone: Sequence[tuple[str, str, str]] | None = None  # name, unit, grant
    choices: Sequence[Action] = ()
    links: list[Action] = field(default_factory=list)


# --- reading ------------------------------------------------------------------------------------------


def entity_asked(typed: Mapping[str, str]) -> type[Entity]:
    key = typed.get("entity") or "student"
    if key not in registry or registry[key] not in why.entities():
        raise Invalid([("entity", _("没有这类记录。请从下拉列表中选择。"))])
    return registry[key]


def read_question(session: Session, by: Actor, typed: Mapping[str, str]) -> Question | None:
    """The question in these words; None while it is not complete. Raises Invalid, Missing."""
    entity = entity_asked(typed)
    action, name = typed.get("action", ""), typed.get("field", "")
    if not action or not any(typed.get(word) for word in ("record", "class_id", "grade_id")):
        return None
    if action not in why.actions_of(entity):
        raise Invalid([("action", _("没有这种操作。请从下拉列表中选择。"))])
    if name and name not in why.fields_of(entity):
        raise Invalid([("field", _("没有这一项。请从下拉列表中选择。"))])
    person = why.person_asked_about(session, by, read_id(typed, "person"))
    if typed.get("record"):
        row_id = read_id(typed, "record")
        obj = why.record_asked_about(session, by, entity, row_id or 0)
        return Question(person, entity, action, name, obj, named=why.name_for(session, by, obj))
    return _of_a_place(session, person, entity, action, name, typed)


def _of_a_place(
    session: Session, person: User, entity: type[Entity], action: str, name: str, typed: Mapping[str, str]
) -> Question:
    if (class_id := read_id(typed, "class_id")) is not None:
        places, where = why.places_in_class(session, class_id)
    else:
        places, where = why.places_in_grade(session, read_id(typed, "grade_id") or 0)
    named = _("%(where)s的%(what)s", where=where, what=_(entity.__label__))
    return Question(person, entity, action, name, None, places, named)


# --- showing ------------------------------------------------------------------------------------------


def form(
    session: Session, by: Actor, typed: Mapping[str, str], complaints: Sequence[tuple[str, str]] = ()
) -> FormPage:
    entity = entity_asked({} if any(name == "entity" for name, _text in complaints) else typed)
    inputs = [
        *_person_inputs(session, by, typed),
        _choice("entity", _("哪类记录"), [(e.key(), _(e.__label__)) for e in why.entities()], entity.key()),
        _choice("action", _("做什么"), _actions(entity), typed.get("action", "show")),
        _choice(
            "field",
            _("哪一项"),
            [("", _("整条记录")), *((n, _(f.label)) for n, f in why.fields_of(entity).items())],
            typed.get("field", ""),
        ),
        Input(
            "record_text",
            _("哪条记录"),
            "text",
            typed.get("record_text", "") or typed.get("record", ""),
            help=_("姓名、学籍号，或记录的编号。学校人员也可不填，改选年级或班级。"),
            maxlength=LONGEST,
            errors=tuple(text for name, text in complaints if name == "record_text"),
        ),
    ]
    if by.school_id is not None:
        inputs += _place_inputs(session, typed, complaints)
    labels = {one.name: one.label for one in inputs}
    return FormPage(
        title=_("权限查询"),
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("权限查询"))],
        sections=[FormSection(_("要查询的问题"), tuple(inputs))],
        submit_label=_("查询"),
        action_url=PATH,
        complaints=[(n if n in labels else "", labels.get(n, ""), text) for n, text in complaints],
        note=_("查询某人能否查看、修改某条记录或其中某一项，依据哪项授权，或还缺什么、谁可以授予。"),
    )


def _person_inputs(session: Session, by: Actor, typed: Mapping[str, str]) -> list[Input]:
    if not by.has(why.ASK):
        return []
    query = sa.select(User.id, User.first_name).where(accounts.within(by.reach(why.ASK)))
    found = session.execute(query.order_by(User.id).limit(FEW + 1))
    people = [(row.id, row.first_name) for row in found]
    raw = typed.get("person", "")
    if len(people) <= FEW:
        return [select_input("person", _("谁"), people, _("我自己"), {"person": raw}, ())]
    label = lookups.label_of(session, by, "ab_user", raw) if raw else ""
    return [Input("person", _("谁"), "lookup", raw, lookup_url="/lookup/ab_user", lookup_label=label)]


def _actions(entity: type[Entity]) -> list[tuple[str, str]]:
    return [(action, _(ACTION_WORDS.get(action, action))) for action in why.actions_of(entity)]


def _choice(name: str, label: str, options: Sequence[tuple[str, str]], value: str) -> Input:
    return Input(name, label, "select", value, tuple(options))


def _place_inputs(
    session: Session, typed: Mapping[str, str], complaints: Sequence[tuple[str, str]]
) -> list[Input]:
    """A pupil who is not named: one of this grade or class."""
    grades = session.scalars(
        sa.select(Grade).where(Grade.is_graduated.is_(False)).order_by(Grade.order_key).limit(FEW)
    )
    classes = session.scalars(sa.select(SchoolClass).order_by(SchoolClass.order_key).limit(200)).unique()
    pairs = (
        ("grade_id", _("或：某年级的一名学生"), [(one.id, one.name) for one in grades]),
        ("class_id", _("或：某班的一名学生"), [(one.id, one.full_name) for one in classes]),
    )
    return [select_input(name, label, rows, _("不选"), typed, complaints) for name, label, rows in pairs]
