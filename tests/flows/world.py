"""One row of everything in every place, beside the cast: what a table of addresses needs, and what must stay unseen.

`furnish` adds them to a fresh copy; `IDS` is filled by it and names each row by where it is.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import Flask

from tests import cast
from tests.cast import CHENGGUAN, PLAIN, QINGLAN, SHIXI, SHIXI_ER, YIZHONG
from tests.photos import sent

PLACES = {"ours": "欧阳若曦", "senior": "赵雅婷", "near": "吴佳怡", "far": "胡俊熙"}
"""Where a row is → the pupil there: 青岚县第一中学 七年级（1）班 and its senior part, 城关初级中学, 石溪县第二初级中学."""
SCHOOL_IN = {"ours": YIZHONG, "near": CHENGGUAN, "far": SHIXI_ER}
COUNTY_OF = {YIZHONG: QINGLAN, CHENGGUAN: QINGLAN, SHIXI_ER: SHIXI}
NONE = 1_000_000

Ids = dict[str, dict[str, int]]
"""Path of the pages ("students") → name in an address ("ours") → id."""


def furnish(app: Flask) -> Ids:
    """Adds the rows and returns the ids of all that addresses may name."""
    from app.core import rights, saving, scope
    from app.extensions import db

    by = rights.system("tests")
    with app.app_context():
        with scope.acting(db.session(), by):
            with saving.work():
                ids = (
                    _cast_ids()
                    | _make_calendar(by)
                    | _make_notices(by)
                    | _make_places(by)
                    | _make_of_pupils(by)
                )
            with saving.work() as work:
                ids["recycle-bin"] = _make_deleted(by)
            with saving.work() as work:
                ids["roles"], leaders = _make_roles(work.session, by), _make_leaders(work.session, by)
                _open_sessions(work.session)
                ids["drafts"] = _keep_drafts(work.session)
                ids["views"] = _save_views(work.session)
                ids["certificates"] = _issue_certificates(work.session, by)
                _give_photos(work.session, by)
            ids |= _find(db.session())
            ids["grants"] |= leaders
        db.session.remove()
    return {path: named | {"none": NONE} for path, named in ids.items()}


def _cast_ids() -> Ids:
    pupils = {place: cast.pupil(name) for place, name in PLACES.items()}
    schools = {place: cast.school(name) for place, name in SCHOOL_IN.items()}
    return {
        "students": pupils
        | {"next": cast.pupil("周小雨"), "draft": cast.pupil("刘浩然"), "draft-near": cast.pupil("朱梓萱")},
        "schools": schools,
        "grades": {
            "ours": cast.grade(YIZHONG, 7),
            "senior": cast.grade(YIZHONG, 10),
            "near": cast.grade(CHENGGUAN, 7),
            "far": cast.grade(SHIXI_ER, 7),
        },
        "classes": {
            "ours": cast.class_of(YIZHONG, 7, 1),
            "next": cast.class_of(YIZHONG, 7, 10),
            "senior": cast.class_of(YIZHONG, 10, 1),
            "near": cast.class_of(CHENGGUAN, 7, 1),
            "far": cast.class_of(SHIXI_ER, 7, 1),
        },
        "people": {one.username: cast.person(one.username) for one in cast.PEOPLE},
        "regions": {"county": 3, "far": 4},
    }


def _create(entity: Any, values: dict[str, Any], by: Any) -> Any:
    from app.core import saving

    made = saving.create(entity, values, by)
    assert saving._current().complaints == [], (entity, saving._current().complaints)
    return made


def _make_calendar(by: Any) -> Ids:
    from app.areas.schools.models import AcademicYear, Term

    year = _create(
        AcademicYear, {"name": "2026-2027", "starts_on": date(2026, 9, 1), "ends_on": date(2027, 8, 31)}, by
    )
    days = {"starts_on": date(2026, 9, 1), "ends_on": date(2027, 1, 31)}
    term = _create(Term, {"academic_year_id": year.id, "number": "1", **days}, by)
    return {"academic-years": {"one": year.id}, "terms": {"one": term.id}}


def _make_notices(by: Any) -> Ids:
    """Of the county, of the other one, and of the city above both."""
    from app.areas.regions.notices import Notice

    said = {"county": (QINGLAN, "甲字通知"), "far": (SHIXI, "乙字通知"), "city": (cast.CITY, "丙字通知")}
    made = {}
    for place, (code, title) in said.items():
        words = {
            "region_code": code,
            "title": title,
            "text": f"{title}：请核对。",
            "from_on": date(2026, 9, 1),
        }
        made[place] = _create(Notice, words, by).id
    return {"notices": made}


def _make_places(by: Any) -> Ids:
    """A campus, and a class of two grades, in each school."""
    from app.areas.schools.models import Campus, ClassGrade, Grade, SchoolClass

    campuses, shared = {}, {}
    for place, name in SCHOOL_IN.items():
        school = {"school_id": cast.school(name)}
        words = {
            "name": f"{name}东校区",
            "area_code": COUNTY_OF[name] + "000000",
            "address": f"{name}东门外1号",
        }
        campuses[place] = _create(Campus, school | words, by).id
        grade = _create(Grade, school | {"stage": "2", "entry_year": 2024, "level": 3}, by)
        mixed = _create(SchoolClass, {"grade_id": grade.id, "number": 1, "class_type": "1"}, by)
        other = {"class_id": mixed.id, "grade_id": cast.grade(name, 7)}
        shared[place] = _create(ClassGrade, other, by).id
    return {"campuses": campuses, "class-grades": shared}


def _make_of_pupils(by: Any) -> Ids:
    """A stay, an old number, an evidence file, a parent and a case for a pupil in each place."""
    from app.areas.changes.models import ChangeState, EvidenceFile
    from app.areas.students.models import FamilyMember, NumberHistory, Stay, Student
    from app.core import saving

    session = saving._current().session
    made: Ids = {
        path: {} for path in ("stays", "student-numbers", "evidence-files", "family-members", "changes")
    }
    for n, (place, name) in enumerate(PLACES.items(), 1):
        child = session.get_one(Student, cast.pupil(name))
        of = {"student_id": child.id, "school_id": child.school_id, "authority_code": child.authority_code}
        parent = {"name": f"{name[0]}父{'甲乙丙丁'[n - 1]}", "relation": "51", "phone": f"1409999000{n}"}
        stay = {"student_id": child.id, "student_name": name, "student_no": child.student_no}
        stay |= {"entry_grade_id": child.grade_id, "entered_on": date(2026, 9, 1), "way": "11"}
        number = {"student_no": f"L{cast.id_number(child.id)[:17]}{n}", "from_on": date(2020, 9, 1)}
        file = {
            "kind": "05",
            "original_name": f"{name}的申请.pdf",
            "sha256": f"{n}" * 64,
            "byte_count": 1000 + n,
        }
        file |= {"media_type": "application/pdf", "uploaded_by": "林老师", "uploaded_at": _moment()}
        made["family-members"][place] = _create(FamilyMember, of | parent | {"is_guardian": True}, by).id
        made["stays"][place] = _create(Stay, stay, by).id
        made["student-numbers"][place] = _create(NumberHistory, of | number | {"reason": "转为正式号"}, by).id
        made["evidence-files"][place] = _create(EvidenceFile, of | file, by).id
        made["changes"][place] = _make_case(child, ChangeState.AT_SCHOOL, by)
    return made


def _give_photos(session: Any, by: Any) -> None:
    """To a pupil in each place."""
    from app.areas.changes import photos

    photo = photos.make(BytesIO(sent()))
    for name in PLACES.values():
        photos.keep(session, by, cast.pupil(name), photo)


def _moment() -> datetime:
    return datetime(2026, 10, 20, 3, 0, tzinfo=UTC)


def _make_case(child: Any, state: Any, by: Any) -> int:
    from app.areas.changes.models import Change, ChangeParty
    from app.core import saving

    school = cast.SCHOOLS[child.school_id - 1].name
    words = {"kind": "SUSPEND", "state": state, "student_id": child.id, "student_name": child.name}
    words |= {"student_no": child.student_no, "school_id": child.school_id, "school_name": school}
    words |= {"reason": f"{child.name}因病休养", "started_by": "教务", "started_at": _moment()}
    made = _create(Change, words, by)
    seen_by = (("starter", child.school_id, None), ("authority", None, child.authority_code))
    parties = [
        {"change_id": made.id, "role": role, "school_id": school_id, "authority_code": code}
        for role, school_id, code in seen_by
    ]
    saving.many(ChangeParty, parties, by)
    return int(made.id)


def _make_deleted(by: Any) -> dict[str, int]:
    """A draft and a class in the recycle bin, here and far away."""
    from app.areas.schools.models import SchoolClass
    from app.areas.students.models import Student
    from app.core import saving

    found = {}
    for place in ("ours", "far"):
        grade_id = cast.grade(SCHOOL_IN[place], 7)
        name = {"ours": "废一稿", "far": "废二稿"}[place]
        words = {
            "name": name,
            "gender": cast.BOY,
            "born_on": date(2014, 4, 4),
            "id_type": "Z",
            "phone": "14088880001",
        }
        draft = _create(Student, PLAIN | words | {"grade_id": grade_id}, by)
        spare = _create(SchoolClass, {"grade_id": grade_id, "number": 30}, by)
        found[f"student-{place}"], found[f"class-{place}"] = draft.id, spare.id
        saving.delete(draft, by)
        saving.delete(spare, by)
    return found


def _make_roles(session: Any, by: Any) -> dict[str, int]:
    """A role of its own for each school and for the county, beside a default one."""
    from flask_appbuilder.security.sqla.models import Role

    from app.core import grants

    owners = {place: {"school_id": cast.school(name)} for place, name in SCHOOL_IN.items()}
    owners["county"] = {"region_code": QINGLAN}
    found = {"default": session.scalar(sa.select(Role.id).where(Role.name == "default:clerk"))}
    for place, owner in owners.items():
        made = Role(label="自建角色", level="bureau", **owner)
        found[place] = grants.make_role(session, by, made, frozenset({"school:show"})).id
    return found


def _make_leaders(session: Any, by: Any) -> dict[str, int]:
    """Leaders whom their schools chose, here and far away: they wait for the bureau's yes."""
    from flask_appbuilder.security.sqla.models import Role, User

    from app.core import grants
    from app.core.rights import Extent

    leader, found = session.scalars(sa.select(Role).where(Role.name == "default:leader")).one(), {}
    for place, username in (("ours", "zhou"), ("far", "cheng")):
        taker, extent = (
            session.get(User, cast.person(username)),
            Extent(school_id=cast.school(SCHOOL_IN[place])),
        )
        given = grants.grant(session, by, taker, leader, extent)
        given.awaits, found[f"leader-{place}"] = True, given.id
    return found


def _open_sessions(session: Any) -> None:
    """A browser of one of ours and of somebody else."""
    from app.core import sessions

    for username in ("lin", "wang"):
        sessions.start(session, cast.person(username), f"{username}'s other browser", "10.0.0.1", "")


def _keep_drafts(session: Any) -> dict[str, int]:
    """A form that 林老师 has begun, and one of 王老师."""
    from app.core import drafts

    found = {}
    for username in ("lin", "wang"):
        typed = drafts.Typed((("address", f"{username}写了一半"),), (("现住址", f"{username}写了一半"),))
        drafts.keep(session, cast.person(username), "/students/add", "新增学生", typed)
        found[username] = drafts.of_person(session, cast.person(username))[0].id
    return found


def _save_views(session: Any) -> dict[str, int]:
    """Of the list of classes: 林老师's own, one that he shares, and one of 王老师."""
    from app.core import list_views

    found = {}
    for name, username, is_shared in (
        ("lin", "lin", False),
        ("shared", "lin", True),
        ("wang", "wang", False),
    ):
        by = cast.actor(session, username)
        asks = (("sort", "number"),)
        made = list_views.save(session, by, "school_class", name, asks, (), is_shared=is_shared)
        found[name] = made.id
    return found


def _issue_certificates(session: Any, by: Any) -> dict[str, int]:
    from app.areas.printing import certificates
    from app.areas.students.models import Student

    found = {}
    for place, id_ in _cast_ids()["students"].items():
        if place in ("ours", "far"):
            made, _code = certificates.issue(session, by, session.get_one(Student, id_), "办理医疗保险", 30)
            found[place] = made.id
    return found


def _find(session: Any) -> Ids:
    """Rows that nobody asked for: stages, audit entries, grants, sessions."""
    from flask_appbuilder.security.sqla.models import User

    from app.areas.schools.models import SchoolStage
    from app.core.audit import AuditEntry
    from app.core.rights import Grant
    from app.core.sessions import LoginSession

    stages = sa.select(SchoolStage.id).order_by(SchoolStage.id)
    grants = dict(
        session.execute(sa.select(Grant.person_id, sa.func.min(Grant.id)).group_by(Grant.person_id)).all()
    )
    audit = {
        place: session.scalars(
            sa.select(sa.func.min(AuditEntry.id)).where(
                AuditEntry.entity == "student", AuditEntry.row_id == cast.pupil(name)
            )
        ).one()
        for place, name in PLACES.items()
    }
    return {
        "school-stages": dict(zip(("ours", "senior", "near", "far"), session.scalars(stages), strict=True)),
        "audit": audit,
        "grants": {one.username: grants[cast.person(one.username)] for one in cast.PEOPLE},
        "sessions": dict(session.execute(sa.select(User.username, LoginSession.id).join(LoginSession)).all()),
    }


# --- people with less -----------------------------------------------------------------------------------


def take_right(app: Flask, username: str, permission: str, view: str) -> None:
    """Takes a right out of the role that the person's grant gives."""
    from flask_appbuilder.security.sqla.models import Role

    from app.core.rights import Grant
    from app.extensions import db

    with app.app_context():
        given = sa.select(Grant.role_id).where(Grant.person_id == cast.person(username))
        for role in db.session.scalars(sa.select(Role).where(Role.id.in_(given))):
            kept = [
                pv for pv in role.permissions if (pv.permission.name, pv.view_menu.name) != (permission, view)
            ]
            role.permissions = kept
        db.session.commit()


# --- everything there is, to be compared --------------------------------------------------------------

Rows = dict[tuple[str, int], dict[str, Any]]
"""(entity or table, id) → column values."""
COUNTED_AT_LOGIN = (
    "last_login",
    "login_count",
    "fail_login_count",
    "locked_until",
    "changed_on",
)


def all_rows(app: Flask) -> Rows:
    """Every row of every entity but the audit, as the database has it; the standard's regions left out."""
    from app.core.entity import registry

    return _rows(app, [entity for entity in registry if entity.key() not in ("audit_entry", "region")])


def accounts(app: Flask) -> Rows:
    """Accounts, roles and grants, without what a login counts."""
    from flask_appbuilder.security.sqla.models import Role, User

    from app.core.rights import Grant

    found = _rows(app, [User, Role, Grant])
    return {key: {n: v for n, v in row.items() if n not in COUNTED_AT_LOGIN} for key, row in found.items()}


def audited_changes(app: Flask) -> Rows:
    """The audit of what was saved: no logins, no looks, no look-ups."""
    from app.core.audit import AuditEntry

    words = (
        "create",
        "edit",
        "delete",
        "restore",
        "grant",
        "withdraw",
        "open_account",
        "reset_password",
        "change_password",
    )
    return {key: row for key, row in _rows(app, [AuditEntry]).items() if row["action"] in words}


def audit_lines(app: Flask, action: str) -> list[dict[str, Any]]:
    """The lines of one kind of act, oldest first."""
    from app.core.audit import AuditEntry

    found = (row for _key, row in sorted(_rows(app, [AuditEntry]).items()))
    return [row for row in found if row["action"] == action]


def _rows(app: Flask, models: list[Any]) -> Rows:
    from app.core import rights, scope
    from app.extensions import db

    found: Rows = {}
    with app.app_context():
        session = db.session()
        with scope.acting(session, rights.system("tests")), scope.with_deleted(session):
            for model in models:
                names = [a.key for a in sa.inspect(model).column_attrs]
                for values in session.execute(sa.select(*(getattr(model, name) for name in names))):
                    row = dict(zip(names, values, strict=True))
                    found[model.__tablename__, row["id"]] = row
        db.session.remove()
    return found
