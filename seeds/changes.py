"""What happened to pupils: change records with their parties, and the stays that ended with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.areas.changes.models import Change, ChangeParty, ChangeState
from app.areas.students.models import Status
from seeds.load import Calendar, Load, Row, moment
from seeds.persons import pick
from seeds.pupils import Enrolment, Pupil, close_as_graduate, snapshot_of
from seeds.schools import SENIOR, OpenGrade, OpenSchool


@dataclass(frozen=True, slots=True)
class Departure:
    """How a status comes about. `flow`: the code by which the stay ends; a pupil on leave stays. `reasons`: code, text."""

    kind: str
    flow: str | None
    reasons: tuple[tuple[str, str], ...]
    to_school: str | None = None
    ends_stay: bool = True
    senior_only: bool = False


DEPARTURES = {
    Status.SUSPENDED: Departure(
        "SUSPEND",
        None,
        (("19", "骨折手术后休养"), ("19", "肺炎住院治疗"), ("11", "焦虑状态，医嘱休养")),
        ends_stay=False,
    ),
    Status.TRANSFERRED_OUT: Departure(
        "XFER_OUT", "27", (("T2", "随父母工作变动"), ("T1", "户口迁移"), ("T3", "住址变动")), "外省学校"
    ),
    Status.WITHDRAWN: Departure(
        "WITHDRAW", "24", (("21", "自愿退学务工"), ("34", "应征入伍")), senior_only=True
    ),
    Status.EXPELLED: Departure("EXPEL", "25", (("23", "触犯刑法"),), senior_only=True),
    Status.MISSING: Departure("MISSING", "28", (("99", "离家未归，已报警"),)),
    Status.ABROAD: Departure("ABROAD", "27", (("30", "随父母出国就读"),), "境外学校"),
    Status.LEFT_OTHER: Departure("LEFT_OTHER", "28", (("99", "长期未到校，多次家访劝返未果"),)),
    Status.DEAD: Departure("DEATH", "26", (("41", "溺水"), ("70", "因病医治无效"))),
}
FINISHED = {Status.GRADUATED: "1", Status.COMPLETED: "2", Status.INCOMPLETE: "3"}


class Casebook:
    """Change records in the order in which they were started, whatever the order in which they are told."""

    def __init__(self, load: Load, calendar: Calendar) -> None:
        self.load, self.calendar = load, calendar
        self._waiting: list[tuple[Row, list[Row]]] = []
        self.clerks: dict[int, tuple[str, int]] = {}  # school id → who starts cases there: name, account

    def add(
        self,
        pupil: Pupil,
        kind: str,
        state: ChangeState,
        started_on: date,
        *,
        reason: tuple[str, str] | None = None,
        effective_on: date | None = None,
        until_on: date | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        origin: OpenGrade | None = None,
        receiver: OpenGrade | None = None,
    ) -> None:
        """`origin` is where a pupil comes from; `receiver` starts the case where that is not the pupil's school."""
        starter = receiver or pupil.grade
        name, account = self.clerks.get(starter.school.id, ("学籍管理员", None))
        is_decided = state is ChangeState.DONE
        applied_on = min(started_on + timedelta(6), self.calendar.on)
        row = {
            "kind": kind,
            "state": state,
            "student_id": pupil.row["id"],
            "student_name": pupil.name,
            "student_no": pupil.row["student_no"],
            "school_id": starter.school.id,
            "school_name": starter.school.name,
            "reason": reason[1] if reason else None,
            "started_by": name,
            "started_by_id": account,
            "started_at": moment(started_on, 9, started_on.day),
            "effective_on": effective_on,
            "until_on": until_on,
            "applied_at": moment(applied_on, 15, started_on.day) if is_decided else None,
            "answers": {"reason": reason[0]} if reason and reason[0] else None,
            "before": before,
            "after": after,
        }
        self._waiting.append((row, _parties(starter, origin)))

    def tell(self) -> None:
        """Hands the records over, the oldest first."""
        for row, parties in sorted(
            self._waiting, key=lambda one: (one[0]["started_at"], one[0]["student_id"])
        ):
            change_id = self.load.add(Change, row)
            for party in parties:
                self.load.add(ChangeParty, {"change_id": change_id, **party})
        self._waiting.clear()


def _parties(starter: OpenGrade, origin: OpenGrade | None) -> list[Row]:
    found = [_school("starter", starter.school), _authority("authority", starter.authority)]
    if origin is not None:
        found += [_school("origin", origin.school), _authority("origin_authority", origin.authority)]
    return found


def _school(role: str, school: OpenSchool) -> Row:
    return {"role": role, "school_id": school.id, "authority_code": None}


def _authority(role: str, code: str) -> Row:
    return {"role": role, "school_id": None, "authority_code": code}


# --- those who left -----------------------------------------------------------------------------------


def depart(
    enrolment: Enrolment,
    casebook: Casebook,
    grade: OpenGrade,
    status: Status,
    *,
    on: date | None = None,
    until_on: date | None = None,
) -> Pupil:
    """A pupil who has left, or is on leave, with the case that says why. Those on leave keep their class."""
    rng, calendar, words = enrolment.rng, enrolment.calendar, DEPARTURES[status]
    if words.senior_only and grade.stage != SENIOR:
        raise ValueError(f"no {status} in compulsory schooling")
    left_on = on or calendar.ago(20 + int(rng.random() * 280))
    seats = [one for one in enrolment.school.classes if grade in one.grades and one.plan.size]
    seat = pick(rng, tuple(seats)) if seats and not words.ends_stay else None
    pupil = enrolment.add(grade, seat, status)
    if not words.ends_stay:
        until_on = until_on or left_on + timedelta(365)
    elif pupil.stay is not None:
        pupil.stay |= {"left_on": left_on, "leave_way": words.flow, "to_school": words.to_school}
        pupil.stay["snapshot"] = snapshot_of(pupil, grade)
    casebook.add(
        pupil,
        words.kind,
        ChangeState.DONE,
        left_on - timedelta(8),
        reason=pick(rng, words.reasons),
        effective_on=left_on,
        until_on=until_on,
        before={"status": Status.ENROLLED.value},
        after={"status": status.value},
    )
    return pupil


def graduate(enrolment: Enrolment, grade: OpenGrade, status: Status = Status.GRADUATED) -> Pupil:
    """One of last summer's graduates who has not been taken up by another school."""
    pupil = enrolment.add(grade, None, status)
    assert pupil.stay is not None
    close_as_graduate(pupil.stay, enrolment.calendar, grade, FINISHED[status])
    pupil.stay["snapshot"] = snapshot_of(pupil, grade)
    return pupil
