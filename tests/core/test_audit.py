"""Every way of writing leaves its line: who, what, where, from what to what. In the same transaction, or not at all."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people.roles import PREFIX
from app.areas.students.models import FamilyMember, Student
from app.core import audit, grants, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.authority import Authority
from app.core.errors import Denied
from app.core.rights import Extent
from tests import cast
from tests.cast import CHENGGUAN, YIZHONG, pupil

OUYANG, DRAFT = pupil("欧阳若曦"), pupil("刘浩然")
NEW_HOME = "青岚县城关镇人民路9号"


@pytest.fixture
def lines(session, acting):
    """`lines()` → the audit rows written since the last call, oldest first."""
    with acting("system"):
        seen = [session.scalar(sa.select(sa.func.max(AuditEntry.id)))]
    session.rollback()

    def fresh() -> list[AuditEntry]:
        with scope.acting(session, rights.system("reader")):
            found = session.scalars(
                sa.select(AuditEntry).where(AuditEntry.id > seen[0]).order_by(AuditEntry.id)
            ).all()
            session.expunge_all()
        seen[0] = max((one.id for one in found), default=seen[0])
        return list(found)

    return fresh


def relative(student_id: int, name: str = "欧阳兰") -> dict:
    return {
        "name": name,
        "relation": "52",
        "phone": "14000000009",
        "is_guardian": True,
        "student_id": student_id,
    }


def about(line: AuditEntry) -> tuple:
    return line.actor_name, line.action, line.entity, line.row_id


def test_creating(session, acting, lines):
    with acting("lin") as by, saving.work():
        made = saving.create(FamilyMember, relative(OUYANG), by).id
    [line] = lines()
    assert about(line) == ("林老师", "create", "family_member", made)
    assert (line.actor_id, line.before) == (cast.person("lin"), None)
    assert line.after["name"] == "欧阳兰"
    assert line.after["is_guardian"] is True
    assert (line.school_id, line.authority_code, line.student_id) == (
        cast.school(YIZHONG),
        cast.QINGLAN,
        OUYANG,
    )


def test_editing_keeps_before_and_after_of_what_changed_and_nothing_else(session, acting, lines):
    with acting("lin") as by, saving.work():
        saving.edit(
            session.get_one(Student, OUYANG),
            {"address": NEW_HOME, "boarding": "2", "phone": "14000000003"},
            by,
        )
    [line] = lines()
    assert about(line) == ("林老师", "edit", "student", OUYANG)
    assert line.before == {"address": cast.PLAIN["address"], "boarding": "1"}
    assert line.after == {"address": NEW_HOME, "boarding": "2"}
    assert line.student_id == OUYANG


def test_the_value_before_is_known_after_a_commit_too(session, acting, lines):
    """A commit expires what was loaded; the old value is read again before it is overwritten."""
    with acting("lin"):
        one = session.get_one(Student, OUYANG)
        session.commit()
        one.address = NEW_HOME
        session.commit()
    [line] = lines()
    assert line.before == {"address": cast.PLAIN["address"]}


def test_emptying_a_field(session, acting, lines):
    with acting("lin") as by:
        with saving.work():
            saving.edit(session.get_one(Student, OUYANG), {"talent": "书法"}, by)
        with saving.work():
            saving.edit(session.get_one(Student, OUYANG), {"talent": None}, by)
    first, second = lines()
    assert (first.before, first.after) == ({"talent": None}, {"talent": "书法"})
    assert (second.before, second.after) == ({"talent": "书法"}, {"talent": None})


def test_dates_and_choices_are_kept_as_raw_codes(session, acting, lines):
    from datetime import date

    from app.areas.students.models import Status

    with acting("system") as by, saving.work():
        data = {"status": Status.MISSING, "born_on": date(2014, 1, 18), "id_type": "Z", "id_number": None}
        saving.edit(session.get_one(Student, OUYANG), data, by)
    [line] = lines()
    assert line.after == {"status": "missing", "born_on": "2014-01-18", "id_type": "Z", "id_number": None}
    assert line.before["status"] == "enrolled"


def test_deleting_and_restoring(session, acting, lines):
    with acting("lin") as by:
        with saving.work():
            saving.delete(session.get_one(Student, DRAFT), by)
        with saving.work():
            saving.restore(saving.find_deleted(Student, DRAFT), by, version=2)
    assert [about(line) for line in lines()] == [
        ("林老师", "delete", "student", DRAFT),
        ("林老师", "lookup", "scope", None),  # whether the number was used meanwhile
        ("林老师", "restore", "student", DRAFT),
    ]


def test_deleting_for_good_keeps_what_there_was(session, acting, lines):
    with acting("lin") as by, saving.work():
        saving.delete(session.get_one(FamilyMember, cast.relative("周丽华")), by)
    [line] = lines()
    assert about(line) == ("林老师", "delete", "family_member", cast.relative("周丽华"))
    assert (line.before["name"], line.after) == ("周丽华", None)


def test_many_by_a_person_leaves_a_line_for_each_row(session, acting, lines):
    place = {"school_id": cast.school(YIZHONG), "authority_code": cast.QINGLAN}
    with acting("lin") as by, saving.work():
        saving.many(FamilyMember, [{**relative(OUYANG, f"亲戚{n}"), **place} for n in range(3)], by)
    found = lines()
    assert [line.after["name"] for line in found] == ["亲戚0", "亲戚1", "亲戚2"]
    with acting("lin"):
        for line in found:
            assert session.get_one(FamilyMember, line.row_id).name == line.after["name"]


def test_many_by_a_system_leaves_a_line_for_each_block(session, acting, lines, monkeypatch):
    monkeypatch.setattr(saving, "BLOCK", 2)
    place = {"school_id": cast.school(YIZHONG), "authority_code": cast.QINGLAN}
    with acting("system") as by, saving.work():
        saving.many(FamilyMember, [{**relative(OUYANG, f"亲戚{n}"), **place} for n in range(3)], by)
    assert [(line.action, line.after) for line in lines()] == [("load", {"rows": 2}), ("load", {"rows": 1})]


def test_the_same_change_to_several_rows_leaves_a_line_for_each(session, acting, lines):
    with acting("lin") as by, saving.work():
        saving.edit_many(Student, {OUYANG: 1, DRAFT: 1}, {"post_code": "646001"}, by)
    assert {line.row_id for line in lines()} == {OUYANG, DRAFT}


def test_in_whose_name_key_data_was_changed(session, acting, lines):
    with acting("lin") as by, saving.work():
        one = session.get_one(Student, OUYANG)
        saving.edit(one, {"class_id": cast.class_of(YIZHONG, 7, 2)}, by, authority=Authority("placement"))
    looked, line = lines()
    assert (looked.action, looked.reason) == ("lookup", "class seats"), (
        "counting seats looks at the whole class"
    )
    assert line.authority == "placement"
    assert line.before == {"class_id": cast.class_of(YIZHONG, 7, 1)}


def test_purging(session, acting, lines):
    with acting("lin") as by, saving.work():
        saving.delete(session.get_one(Student, DRAFT), by)
    lines()
    with acting("system") as by, scope.with_deleted(session), saving.work():
        saving.purge(session.get_one(Student, DRAFT), by)
    [line] = lines()
    assert (line.action, line.before["name"]) == ("delete", "刘浩然")


def test_a_flush_without_saving_is_audited_as_well(session, acting, lines):
    with acting("lin"):
        session.get_one(Student, OUYANG).address = NEW_HOME
        session.commit()
    assert [line.after for line in lines()] == [{"address": NEW_HOME}]


def test_granting_and_withdrawing(session, acting, lines):
    with acting("system") as by:
        taker = session.get_one(User, cast.person("zhou"))
        role = session.scalars(sa.select(Role).where(Role.name == PREFIX + "leader")).one()
        given = grants.grant(session, by, taker, role, Extent(school_id=cast.school(YIZHONG)))
        grants.withdraw(session, by, given)
        given_id = given.id
        session.commit()
    granted, withdrawn = lines()
    assert (granted.action, granted.entity) == ("grant", "role_grant")
    assert granted.after["person_id"] == cast.person("zhou")
    assert (withdrawn.action, withdrawn.row_id) == ("withdraw", given_id)
    assert granted.school_id == withdrawn.school_id == cast.school(YIZHONG)


def test_what_was_refused_leaves_no_line(session, acting, lines):
    with acting("lin") as by:
        with pytest.raises(Denied), saving.work():
            saving.edit(session.get_one(Student, OUYANG), {"talent": "书法"}, by)
            raise Denied("后面的一步")
        session.get_one(Student, OUYANG).name = "欧阳明月"
        with pytest.raises(Denied):
            session.flush()
        session.rollback()
    assert lines() == []


def test_a_savepoint_undone_takes_its_lines_along(session, acting, lines):
    with acting("lin"):
        session.get_one(Student, OUYANG).talent = "书法"
        session.flush()
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            session.get_one(Student, DRAFT).talent = "围棋"
            session.flush()
            raise ZeroDivisionError
        session.commit()
    assert [line.row_id for line in lines()] == [OUYANG]


def test_where_a_request_came_from(app, session, acting, lines):
    with app.test_request_context(environ_base={"REMOTE_ADDR": "10.1.2.3"}), acting("lin"):
        audit.note(
            session,
            cast.actor(session, "lin"),
            "reveal",
            "student",
            OUYANG,
            reason="核对学籍卡",
            student_id=OUYANG,
        )
        session.commit()
    [line] = lines()
    assert (line.address, line.reason, line.action) == ("10.1.2.3", "核对学籍卡", "reveal")


def test_lines_follow_the_pupil_and_stay_with_the_place(session, acting, lines):
    """The audit is seen by those who see its place at that time, or its pupil now."""
    with acting("lin") as by, saving.work():
        saving.edit(session.get_one(Student, OUYANG), {"talent": "书法"}, by)
    query = sa.select(AuditEntry.id).where(AuditEntry.student_id == OUYANG, AuditEntry.action == "edit")
    seen = {}
    for username in ("lin", "li", "sun", "zhou", "wang", "xu"):
        with acting(username):
            seen[username] = len(session.scalars(query).all())
    assert seen == {"lin": 1, "li": 1, "sun": 1, "zhou": 0, "wang": 0, "xu": 0}


def test_a_pupil_who_moved_takes_the_lines_along_and_leaves_them_too(session, acting, lines):
    with acting("lin") as by, saving.work():
        saving.edit(session.get_one(Student, OUYANG), {"talent": "书法"}, by)
    with acting("system") as by, saving.work():
        moved = {"grade_id": cast.grade(CHENGGUAN, 7), "class_id": cast.class_of(CHENGGUAN, 7, 1)}
        saving.edit(session.get_one(Student, OUYANG), moved, by, authority=Authority("transfer"))
    first = sa.select(AuditEntry.after).where(
        AuditEntry.student_id == OUYANG, AuditEntry.actor_name == "林老师"
    )
    for username in ("lin", "wang"):
        with acting(username):
            assert session.scalars(first).all() == [{"talent": "书法"}], username


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) or 0


def test_nobody_without_an_actor_reads_the_audit(session):
    assert count(session) == 0
