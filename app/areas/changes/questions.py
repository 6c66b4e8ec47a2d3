"""What lists of cases and of pupils may be asked beyond their columns: what is under way, whose leave ends."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app.areas.changes.models import CLOSED, UNDER_WAY, Change, ChangeState
from app.areas.students.models import Status, Student, today_here
from app.core.questions import Question, ask

LEAVES = ("SUSPEND", "SUSPEND_MORE")
SOON = timedelta(days=30)  # domain.md §5: reminded 15 to 30 days before


def leave_ends(code: str) -> sa.ColumnElement[bool]:
    """Pupils on leave by the day on which the latest leave granted to them ends."""
    today = today_here()
    until = (
        sa.select(sa.func.max(Change.until_on))
        .where(Change.student_id == Student.id, Change.kind.in_(LEAVES), Change.state == ChangeState.DONE)
        .correlate(Student)
        .scalar_subquery()
    )
    is_then = until < today if code == "overdue" else until.between(today, today + SOON)
    return sa.and_(Student.status == Status.SUSPENDED, is_then)


def progress(code: str) -> sa.ColumnElement[bool]:
    return Change.state.in_(UNDER_WAY if code == "under_way" else CLOSED)


ask(Change, Question(name="progress", label="办理情况", table="change_progress", where=progress))
ask(
    Student,
    Question(name="leave_end", label="休学期限", table="leave_end", where=leave_ends, needs=("change:list",)),
)
