"""What a row is called in titles, trails and choices gives nothing away and is in words."""

from __future__ import annotations

from datetime import date

from flask import Flask

from app.areas.students.models import NumberHistory, Student
from app.core.audit import AuditEntry
from tests import cast


def test_a_hidden_number_is_no_title(app: Flask) -> None:
    number = cast.student_no(cast.pupil("欧阳若曦"))
    with app.app_context():
        assert number not in NumberHistory(student_no=number, from_on=date(2026, 9, 1)).shown()


def test_a_code_is_shown_by_its_label(app: Flask) -> None:
    with app.app_context():
        assert AuditEntry(action="edit").shown() == "修改"


def test_a_pupil_is_called_by_name(app: Flask) -> None:
    with app.app_context():
        assert Student(name="欧阳若曦").shown() == "欧阳若曦"
