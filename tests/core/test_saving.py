"""The one door: what is complained of, what is kept, who wins when two save the same row."""

from __future__ import annotations

import threading
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.areas.schools.models import Grade, SchoolClass
from app.areas.students.models import FamilyMember, Status, Student
from app.core import rights, saving, scope
from app.core.audit import AuditEntry
from app.core.authority import Authority
from app.core.errors import Denied, Invalid, Missing, Stale
from app.extensions import db
from tests import cast
from tests.cast import CHENGGUAN, YIZHONG, pupil

OUYANG, DRAFT, OTHERS = pupil("欧阳若曦"), pupil("刘浩然"), pupil("吴佳怡")
NEW_HOME = "青岚县城关镇人民路9号"


def load(session: Session, entity: type = Student, id_: int = OUYANG):
    return session.get_one(entity, id_)


def complaints(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return dict(refused.value.complaints)


# --- one piece of work --------------------------------------------------------------------------------


def test_work_commits_once_at_its_end(session, acting):
    commits = []
    sa.event.listen(session, "after_commit", lambda _session: commits.append(1))
    with acting("lin") as by, saving.work():
        saving.edit(load(session), {"talent": "书法"}, by)
        with saving.work():
            saving.edit(load(session, id_=DRAFT), {"talent": "围棋"}, by)
        assert commits == []
    assert commits == [1]


def test_a_refusal_undoes_the_whole_work(session, acting):
    with acting("lin") as by:
        with pytest.raises(Denied), saving.work():
            saving.edit(load(session), {"talent": "书法"}, by)
            raise Denied("后面的一步")
        assert load(session).talent is None


def test_a_part_that_is_refused_is_undone_and_the_rest_stands(session, acting):
    heard: list[int] = []

    def try_one(by: rights.Actor, id_: int, data: dict) -> None:
        with saving.part() as part:
            saving.edit(load(session, id_=id_), {"talent": "围棋", **data}, by)
            part.after.append(lambda: heard.append(id_))

    with acting("lin") as by:
        with saving.work() as work:
            try_one(by, OUYANG, {})
            with pytest.raises(Invalid) as refused:
                try_one(by, DRAFT, {"address": None})
            assert list(complaints(refused)) == ["address"]
            assert (work.complaints, heard) == ([], [])
        assert heard == [OUYANG]
        assert [load(session, id_=id_).talent for id_ in (OUYANG, DRAFT)] == ["围棋", None]


def test_notices_go_out_after_the_commit_and_not_without_it(session, acting):
    told = []
    with acting("lin") as by:
        with saving.work() as work:
            work.after.append(lambda: told.append(session.in_transaction()))
            saving.edit(load(session), {"talent": "书法"}, by)
        assert told == [False]
        with pytest.raises(Denied), saving.work() as work:
            work.after.append(lambda: told.append(True))
            raise Denied("不行")
    assert told == [False]


def test_complaints_of_all_rows_come_together(session, acting):
    """A pupil and two family members in one form: everything wrong is said at once, each at its input."""
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.create(Student, cast.plain(name=None, entry_month="201001"), by)
        saving.create(FamilyMember, {"name": "甲", "student_id": OUYANG}, by, prefix="family-0-")
        saving.create(
            FamilyMember,
            {"relation": "97", "student_id": OUYANG},
            by,
            prefix="family-1-",
            complaints=[("family", "x")],
        )
    found = complaints(refused)
    assert {"name", "family-0-relation", "family-0-phone", "family-0-is_guardian", "family-1-name"} <= set(
        found
    )
    assert "必填项“姓名”为空" in found["name"]
    with acting("system"):
        assert session.scalar(sa.select(sa.func.count()).select_from(Student)) == len(cast.PUPILS)


def test_what_parsing_complained_of_is_not_complained_of_again(session, acting):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.create(Student, cast.plain(phone=None), by, complaints=[("phone", "电话号码应为11位手机号。")])
    assert complaints(refused)["phone"] == "电话号码应为11位手机号。"


# --- creating -----------------------------------------------------------------------------------------


def test_a_new_pupil_gets_its_place_from_its_grade(session, acting):
    with acting("lin") as by:
        with saving.work():
            made = cast.add_pupil(by)
        assert (made.school_id, made.authority_code, made.stage) == (cast.school(YIZHONG), cast.QINGLAN, "2")
        assert (made.status, made.version) == (Status.PENDING, 1)


def test_without_the_right_nothing_is_created(session, acting):
    for username in ("zhao", "zhou", "chen", "li"):
        with acting(username) as by, pytest.raises(Denied) as refused, saving.work():
            saving.create(Student, cast.plain(), by)
        assert "新增“学生”" in str(refused.value)
        assert "请联系" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", Status.ENROLLED), ("student_no", "G519921201404040011"), ("verification", "verified")],
)
def test_words_that_nobody_types_are_complained_of_on_a_new_row(session, acting, name, value):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.create(Student, cast.plain(**{name: value}), by)
    assert set(complaints(refused)) == {name}


def test_a_class_of_another_school_is_not_there_to_choose(session, acting):
    chosen = {"grade_id": cast.grade(CHENGGUAN, 7), "class_id": cast.class_of(CHENGGUAN, 7, 1)}
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.create(Student, cast.plain(**chosen), by)
    assert set(complaints(refused)) == {"grade_id", "class_id"}
    assert "没有找到" in str(refused.value)


def test_unknown_words_are_complained_of(session, acting):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(
            load(session), {"salary": 1, "__class__": 2, "id": 3, "version": 4, "deleted_at": None}, by
        )
    assert set(complaints(refused)) == {"salary", "__class__", "id", "version", "deleted_at"}


def test_a_group_of_fields_that_is_not_shown_is_not_written_either(session, acting):
    """小周 has no right to health and disability: to her there are no such fields."""
    with acting("zhou") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(load(session), {"health": "30"}, by)
    assert set(complaints(refused)) == {"health"}
    with acting("lin") as by, saving.work():
        saving.edit(load(session), {"health": "30"}, by)


def test_places_are_settled_and_not_typed(session, acting):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(load(session), {"school_id": cast.school(CHENGGUAN), "authority_code": cast.SHIXI}, by)
    assert set(complaints(refused)) == {"school_id", "authority_code"}


# --- editing ------------------------------------------------------------------------------------------


def test_only_what_is_given_is_touched(session, acting):
    with acting("lin") as by:
        before = {a.key: getattr(load(session), a.key) for a in sa.inspect(Student).column_attrs}
        with saving.work():
            saving.edit(load(session), {"address": NEW_HOME}, by, version=before["version"])
        after = {a.key: getattr(load(session), a.key) for a in sa.inspect(Student).column_attrs}
        changed = {key for key in before if before[key] != after[key]}
        assert changed == {"address", "version"}
        assert after["version"] == before["version"] + 1


def test_an_edit_that_changes_nothing_leaves_no_trace(session, acting):
    with acting("lin") as by:
        one = load(session)
        version, address = one.version, one.address
        with saving.work():
            saving.edit(one, {"address": address}, by, version=version)
        assert load(session).version == version


@pytest.mark.parametrize(
    ("name", "value", "procedure"),
    [
        ("id_number", "519921201401170063", "日常管理—关键数据变更申请"),
        ("name", "欧阳明月", "日常管理—关键数据变更申请"),
        ("class_id", cast.class_of(YIZHONG, 7, 2), "日常管理—学生调班"),
        ("status", Status.WITHDRAWN, "日常管理—学籍异动申请"),
    ],
)
def test_key_data_is_refused_with_the_procedure_to_use(session, acting, name, value, procedure):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(load(session), {name: value}, by)
    assert procedure in complaints(refused)[name]
    assert str(value) not in complaints(refused)[name]


def test_key_data_as_it_is_already_is_no_change(session, acting):
    with acting("lin") as by:
        one = load(session)
        with saving.work():
            saving.edit(one, {"name": one.name, "id_number": one.id_number, "address": NEW_HOME}, by)
        assert load(session).address == NEW_HOME


def test_an_authority_writes_key_data(session, acting):
    with acting("lin") as by:
        with saving.work():
            saving.edit(
                load(session),
                {"class_id": cast.class_of(YIZHONG, 7, 2)},
                by,
                authority=Authority("placement"),
            )
        assert load(session).class_id == cast.class_of(YIZHONG, 7, 2)


@pytest.mark.parametrize(
    ("username", "refusal"), [("zhao", Denied), ("chen", Denied), ("wang", Missing), ("xu", Missing)]
)
def test_who_may_not_edit(session, acting, username, refusal):
    """In scope without the right: refused with a sentence; out of scope: not there."""
    with acting("lin"):
        one = load(session)
    with acting(username) as by, pytest.raises(refusal), saving.work():
        session.add(one)
        saving.edit(one, {"address": NEW_HOME}, by)


def test_checks_of_the_entity_are_heard(session, acting):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(load(session), {"is_migrant_child": True, "left_behind": "1"}, by)
    assert set(complaints(refused)) == {"left_behind"}


def test_required_fields_are_not_emptied(session, acting):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.edit(load(session), {"address": None, "talent": None}, by)
    assert set(complaints(refused)) == {"address"}


# --- deleting -----------------------------------------------------------------------------------------


def test_a_draft_is_deleted_into_the_recycle_bin_and_comes_back(session, acting):
    with acting("lin") as by:
        with saving.work():
            saving.delete(load(session, id_=DRAFT), by)
        assert session.get(Student, DRAFT) is None
        with saving.work():
            saving.restore(saving.find_deleted(Student, DRAFT), by, version=2)
        assert session.get(Student, DRAFT).name == "刘浩然"


def bin_and_back(session: Session, by: rights.Actor, entity: type, id_: int) -> None:
    with saving.work():
        found = saving.find_deleted(entity, id_)
        saving.restore(found, by, version=found.version)


def test_what_comes_back_is_judged_among_what_is_there_now(session, acting):
    """Of a number used again, of a class that is gone, of a class number taken: the refusal says so."""
    with acting("lin") as by:
        with saving.work():
            spare = saving.create(SchoolClass, {"grade_id": cast.grade(YIZHONG, 7), "number": 5}, by).id
        number = {"id_type": "1", "id_number": cast.id_number(DRAFT), "born_on": date(2014, 5, 30)}
        with saving.work():
            child = cast.add_pupil(by, class_id=spare).id
        with saving.work():
            for entity, id_ in ((Student, DRAFT), (Student, child), (SchoolClass, spare)):
                saving.delete(load(session, entity, id_), by)
        with saving.work():
            cast.add_pupil(by, name="刘浩然", **number)
            saving.create(SchoolClass, {"grade_id": cast.grade(YIZHONG, 7), "number": 5}, by)
        for entity, id_, name, why in (
            (Student, DRAFT, "id_number", "已在本校七年级（1）班建立学籍"),
            (Student, child, "class_id", "先在“回收站”中恢复班级"),
            (SchoolClass, spare, "number", "七年级已有5班"),
        ):
            with pytest.raises(Invalid) as refused:
                bin_and_back(session, by, entity, id_)
            assert why in complaints(refused)[name]
            assert session.scalar(sa.select(entity.id).where(entity.id == id_)) is None


def test_who_restores_what_another_touched_meanwhile_is_told(session, acting):
    with acting("lin") as by:
        with saving.work():
            saving.delete(load(session, id_=DRAFT), by)
        with pytest.raises(Stale), saving.work():
            saving.restore(saving.find_deleted(Student, DRAFT), by, version=1)
        bin_and_back(session, by, Student, DRAFT)
        with pytest.raises(Missing), saving.work():
            saving.find_deleted(Student, DRAFT)


def test_a_twin_elsewhere_makes_what_comes_back_a_problem(session, acting):
    """What `settle` writes on the way out of the bin is audited like every change."""
    with acting("lin") as by, saving.work():
        saving.delete(load(session, id_=DRAFT), by)
    with acting("system"), saving.work():
        load(session, id_=OTHERS).id_number = cast.id_number(DRAFT)
    with acting("lin") as by:
        bin_and_back(session, by, Student, DRAFT)
        assert load(session, id_=DRAFT).verification == "problem"
        line = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (line.action, line.after["verification"]) == ("restore", "problem")


def test_every_other_pupil_is_not_deleted_and_the_refusal_names_the_procedure(session, acting):
    with acting("lin") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.delete(load(session), by)
    assert "学籍注册—问题学籍处理" in str(refused.value)


def test_a_class_with_pupils_is_not_deleted_and_an_empty_one_is(session, acting):
    with acting("lin") as by:
        with pytest.raises(Invalid), saving.work():
            saving.delete(load(session, SchoolClass, cast.class_of(YIZHONG, 7, 1)), by)
        with saving.work():
            empty = saving.create(SchoolClass, {"grade_id": cast.grade(YIZHONG, 7), "number": 3}, by).id
        with saving.work():
            saving.delete(load(session, SchoolClass, empty), by)
        assert session.scalar(sa.select(SchoolClass.id).where(SchoolClass.id == empty)) is None


def test_who_may_not_delete(session, acting):
    with acting("lin"):
        draft = load(session, id_=DRAFT)
    for username, refusal in {"zhou": Denied, "zhao": Denied, "wang": Missing}.items():
        with acting(username) as by, pytest.raises(refusal), saving.work():
            session.add(draft)
            saving.delete(draft, by)


def test_what_is_purged_is_gone_with_what_was_edited_in_its_form(session, acting):
    with acting("lin") as by, saving.work():
        saving.create(FamilyMember, {**_relative("刘大山"), "student_id": DRAFT}, by)
        saving.delete(load(session, id_=DRAFT), by)
    with acting("system") as by, scope.with_deleted(session):
        with saving.work():
            saving.purge(load(session, id_=DRAFT), by)
        assert session.get(Student, DRAFT) is None
        assert session.scalars(sa.select(FamilyMember).where(FamilyMember.student_id == DRAFT)).all() == []


def test_a_person_does_not_purge(session, acting):
    with acting("lin") as by, saving.work():
        saving.delete(load(session, id_=DRAFT), by)
    with acting("zhao") as by, scope.with_deleted(session), pytest.raises(Denied), saving.work():
        saving.purge(load(session, id_=DRAFT), by)


# --- two at once --------------------------------------------------------------------------------------


def test_the_second_is_told_who_saved_before_and_nothing_is_overwritten(session, acting):
    with acting("lin") as by:
        seen = load(session).version
        with saving.work():
            saving.edit(load(session), {"address": NEW_HOME}, by, version=seen)
    with acting("zhou") as by:
        with pytest.raises(Stale) as refused, saving.work():
            saving.edit(load(session), {"address": "别处"}, by, version=seen)
        assert "林老师" in str(refused.value)
        assert refused.value.current["address"] == NEW_HOME
        assert load(session).address == NEW_HOME


def test_deleting_what_another_changed_is_stale(session, acting):
    with acting("lin") as by:
        seen = load(session, id_=DRAFT).version
        with saving.work():
            saving.edit(load(session, id_=DRAFT), {"talent": "书法"}, by)
        with pytest.raises(Stale), saving.work():
            saving.delete(load(session, id_=DRAFT), by, version=seen)
        assert session.get(Student, DRAFT) is not None


def test_editing_what_another_deleted_finds_nothing(app, session, acting):
    with acting("system") as by, saving.work():
        made = saving.create(FamilyMember, _relative("欧阳兰"), by)
        id_ = made.id
    with acting("lin") as by:
        mine = load(session, FamilyMember, id_)
        session.rollback()
        _elsewhere(app, lambda other, system: saving.delete(other.get_one(FamilyMember, id_), system))
        with pytest.raises(Missing), saving.work():
            saving.edit(mine, {"workplace": "县医院"}, by, version=1)


def _relative(name: str) -> dict:
    return {"name": name, "relation": "52", "phone": "14000000009", "is_guardian": True, "student_id": OUYANG}


def _placed(name: str) -> dict:
    """As complete column values, for `many`."""
    return {**_relative(name), "school_id": cast.school(YIZHONG), "authority_code": cast.QINGLAN}


def _elsewhere(app, act) -> None:
    """Does something as a system actor in another thread, on a connection of its own."""

    def run() -> None:
        with app.app_context(), scope.acting(db.session(), rights.system("elsewhere")), saving.work() as work:
            act(work.session, rights.system("elsewhere"))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_of_two_who_save_at_the_same_moment_one_wins(app, session):
    """Two real connections, both having seen version 1, both past the reading when they save."""
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def save(username: str) -> None:
        with app.app_context():
            own = db.session()
            by = cast.actor(own, username)
            with scope.acting(own, by):
                one = load(own)
                seen = one.version
                own.rollback()
                together.wait()
                try:
                    with saving.work():
                        saving.edit(one, {"address": f"{username}的改动"}, by, version=seen)
                    outcomes.append(username)
                except Stale:
                    outcomes.append("stale")

    threads = [threading.Thread(target=save, args=(username,)) for username in ("lin", "zhou")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = next(name for name in outcomes if name != "stale")
    assert sorted(outcomes) == sorted([winner, "stale"])
    with scope.acting(session, rights.system("tests")):
        assert load(session).address == f"{winner}的改动"
        assert load(session).version == 2


def test_a_counter_raised_by_four_at_once_misses_nothing(app, session):
    """Read, add one, save: the lock is taken before the reading, so no increment is lost."""
    together = threading.Barrier(4)

    def raise_by_one() -> None:
        with app.app_context():
            own, by = db.session(), rights.system("tests")
            with scope.acting(own, by):
                together.wait()
                with saving.work():
                    one = load(own)
                    own.refresh(one, with_for_update={"of": Student})
                    saving.edit(one, {"distance_km": one.distance_km + 1}, by)

    threads = [threading.Thread(target=raise_by_one) for _one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with scope.acting(session, rights.system("tests")):
        assert load(session).distance_km == cast.PLAIN["distance_km"] + 4


def test_the_same_change_to_several_rows(session, acting):
    ids = [OUYANG, DRAFT]
    with acting("lin") as by:
        with saving.work():
            saving.edit_many(Student, dict.fromkeys(ids, 1), {"post_code": "646001"}, by)
        assert {load(session, id_=id_).post_code for id_ in ids} == {"646001"}
        with pytest.raises(Stale), saving.work():
            saving.edit_many(Student, {pupil("周小雨"): 1, OUYANG: 1}, {"post_code": "646002"}, by)
        assert load(session, id_=pupil("周小雨")).post_code == "646000", "all or nothing"


@pytest.mark.parametrize("other", [OTHERS, 999_999])
def test_the_same_change_to_a_row_that_is_not_mine_to_see(session, acting, other):
    with acting("lin") as by:
        with pytest.raises(Missing), saving.work():
            saving.edit_many(Student, {OUYANG: 1, other: 1}, {"post_code": "646001"}, by)
        assert load(session).post_code == "646000"


# --- many ---------------------------------------------------------------------------------------------


def test_many_goes_in_blocks(session, acting, monkeypatch):
    monkeypatch.setattr(saving, "BLOCK", 2)
    with acting("lin") as by, saving.work():
        saving.many(FamilyMember, [_placed(f"亲{n}") for n in range(5)], by)
    with acting("lin"):
        found = session.scalars(sa.select(FamilyMember.name).where(FamilyMember.student_id == OUYANG))
        assert {"亲0", "亲1", "亲2", "亲3", "亲4"} <= set(found)


def test_one_bad_row_among_many_undoes_them_all(session, acting):
    rows = [_placed(f"亲{n}") for n in range(3)]
    rows[2]["student_id"] = OTHERS
    with acting("system") as by, pytest.raises(sa.exc.IntegrityError), saving.work():
        saving.many(FamilyMember, rows, by)
    with acting("system"):
        assert session.scalar(sa.select(FamilyMember.id).where(FamilyMember.name == "亲0")) is None


# --- refusals of the database -------------------------------------------------------------------------


def test_a_second_grade_of_the_same_year_is_said_in_a_sentence(session, acting):
    words = {"school_id": cast.school(YIZHONG), "stage": "2", "entry_year": 2026, "level": 1}
    with acting("system") as by, pytest.raises(Invalid) as refused, saving.work():
        saving.create(Grade, words, by)
    assert "IntegrityError" not in str(refused.value)
    assert "请" in str(refused.value)


def test_dates_survive_the_way_to_the_database_and_back(session, acting):
    with acting("lin"):
        assert load(session).born_on == date(2014, 1, 17)
