"""What cases give to do, on the first page."""

from __future__ import annotations

from app.areas.students.models import Student
from app.core.wording import N_
from app.surfaces.todo import ToDo, show_todo

show_todo(
    ToDo(30, N_("休学已到期未复学"), Student, {"leave_end": "overdue"}, "bad", by_index=True),
    ToDo(40, N_("休学30天内到期"), Student, {"leave_end": "soon"}, by_index=True),
)
