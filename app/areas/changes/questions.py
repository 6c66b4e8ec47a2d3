"""What lists of pupils may be asked about their cases: whose leave ends soon, whose has ended."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app.areas.changes.models import Change, ChangeState
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


ask(
    Student,
    Question(name="leave_end", label="休学期限", table="leave_end", where=leave_ends, needs=("change:list",)),
)
