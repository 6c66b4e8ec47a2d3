"""What pupils and classes give to do, on the first page."""

from __future__ import annotations

from app.areas.schools.models import SchoolClass
from app.areas.students.models import PROBLEM, Status, Student
from app.core.wording import N_
from app.surfaces.todo import ToDo, show_todo

show_todo(
    ToDo(10, N_("待核准的学生"), Student, {"status": Status.PENDING.value}, by_index=True),
    ToDo(20, N_("问题学籍"), Student, {"verification": PROBLEM}, "bad", by_index=True),
    ToDo(50, N_("班级接近或超过上限"), SchoolClass, {"band": "near_up"}, by_index=True),
    ToDo(60, N_("缺监护人或其电话"), Student, {"status": Status.ENROLLED.value, "lacks": "guardian"}),
    ToDo(70, N_("本学期未核查"), Student, {"status": Status.ENROLLED.value, "term_check": "no"}, None),
)
