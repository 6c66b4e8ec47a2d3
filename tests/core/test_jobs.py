"""Background work: what the clock does to the recycle bin, and what a job that breaks off leaves in the log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.areas.changes.models import EvidenceFile
from app.areas.schools.models import SchoolClass
from app.areas.students.models import FamilyMember, Student
from app.core import jobs, saving, scope
from app.core.audit import AuditEntry
from tests import cast
from tests.cast import YIZHONG, pupil
from tests.photos import give_photo

DRAFT = pupil("刘浩然")


def bin_it(session, acting, entity: type, id_: int, days_ago: int) -> None:
    with acting("system"):
        session.get_one(entity, id_).deleted_at = datetime.now(UTC) - timedelta(days=days_ago)
        session.commit()


def is_there(session, acting, entity: type, id_: int) -> bool:
    with acting("system"), scope.with_deleted(session):
        return session.scalar(sa.select(entity.id).where(entity.id == id_)) is not None


def test_what_lay_long_enough_goes_for_good(session, acting):
    with acting("lin") as by, saving.work():
        relative = {"name": "刘大山", "relation": "51", "phone": "14000000009", "is_guardian": True}
        saving.create(FamilyMember, {**relative, "student_id": DRAFT}, by)
    bin_it(session, acting, Student, DRAFT, 31)
    assert jobs.empty_recycle_bin() == 1
    assert not is_there(session, acting, Student, DRAFT)
    with acting("system"):
        lines = session.scalars(
            sa.select(AuditEntry.entity).where(AuditEntry.actor_name == "worker").order_by(AuditEntry.id)
        ).all()
        assert sorted(lines) == ["family_member", "student"]


def test_a_photo_goes_with_its_pupil(app, session, acting):
    for name in ("刘浩然", "欧阳若曦"):
        give_photo(app, name)
    bin_it(session, acting, Student, DRAFT, 31)
    assert jobs.empty_recycle_bin() == 1
    assert not is_there(session, acting, Student, DRAFT)
    with acting("system"), scope.with_deleted(session):
        assert session.scalars(sa.select(EvidenceFile.student_id)).all() == [pupil("欧阳若曦")]


def test_what_was_thrown_away_lately_stays(session, acting):
    bin_it(session, acting, Student, DRAFT, 29)
    assert jobs.empty_recycle_bin() == 0
    assert is_there(session, acting, Student, DRAFT)


def test_what_was_never_thrown_away_stays(session, acting):
    assert jobs.empty_recycle_bin() == 0
    with acting("system"):
        assert session.scalar(sa.select(sa.func.count()).select_from(Student)) == len(cast.PUPILS)


def test_what_others_refer_to_stays_and_the_rest_goes_all_the_same(session, acting, caplog):
    referred = cast.class_of(YIZHONG, 7, 1)
    bin_it(session, acting, SchoolClass, referred, 40)
    bin_it(session, acting, Student, pupil("朱梓萱"), 40)
    with caplog.at_level(logging.WARNING):
        assert jobs.empty_recycle_bin() == 1
    assert is_there(session, acting, SchoolClass, referred)
    assert f"school_class {referred} is still referred to" in caplog.text


def test_the_setting_says_how_long(session, acting, app, monkeypatch):
    monkeypatch.setitem(app.config, "RECYCLE_KEEP", timedelta(days=3))
    bin_it(session, acting, Student, DRAFT, 4)
    assert jobs.empty_recycle_bin() == 1


def test_every_worker_has_it_in_its_calendar(app):
    names = {type(task).__name__ for task in app.extensions["queue"]._registry.periodic_tasks}
    assert "empty_recycle_bin" in names


def test_a_job_that_breaks_off_names_its_kind_and_no_values(app, caplog):
    def count_pupils() -> None:
        raise ValueError(f"欧阳若曦 {cast.id_number(3)}")

    with pytest.raises(jobs.JobFailed) as told:
        jobs._in_app(app, count_pupils)()
    for text in (str(told.value), caplog.text):
        assert "count_pupils: ValueError" in text
        assert "欧阳" not in text
        assert cast.id_number(3) not in text
    assert told.value.__cause__ is None
