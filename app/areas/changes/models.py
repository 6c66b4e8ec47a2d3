"""Change records and the parties who see them, and the files that prove what they say.

What a kind of change asks, who decides and what it does are procedures; here is what is kept of a case.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.areas.students.models import NUMBER_MASK
from app.core.entity import READ_ONLY, Entity, OfParties, OfPupil
from app.core.fields import BY_SYSTEM, BigId, col


class ChangeState(StrEnum):
    """业务状态 (wording.md §3): who has the case now, or how it ended."""

    DRAFT = "draft"
    AT_SCHOOL = "at_school"
    AT_AUTHORITY = "at_authority"
    AT_HIGHER = "at_higher"
    AT_ORIGIN_SCHOOL = "at_origin_school"
    AT_ORIGIN_AUTHORITY = "at_origin_authority"
    AT_FILE_PULL = "at_file_pull"
    DONE = "done"
    RETURNED = "returned"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CLEARED = "cleared"

    @property
    def is_open(self) -> bool:
        return self not in CLOSED


CLOSED = frozenset({ChangeState.DONE, ChangeState.REJECTED, ChangeState.WITHDRAWN, ChangeState.CLEARED})
UNDER_WAY = tuple(state for state in ChangeState if state.is_open and state is not ChangeState.DRAFT)


class Change(OfParties, Entity):
    """学籍变动记录：每办一件业务一行，写明办什么、由谁发起、现在到哪一步、改了什么。"""

    __label__ = "学籍变动"
    __path__ = "changes"
    __menu__ = "学籍管理 › 异动查询"
    __shown_as__ = "student_name"
    __actions__ = READ_ONLY
    __duties__ = ("submit", "review", "approve")
    __apart__ = (("submit", "review"), ("submit", "approve"))
    __confirmed__ = ("review",)
    __order__ = "-id"
    __bureau__ = True
    __bureau_label__ = "异动业务"
    __extra_args__ = (sa.Index("ix_change_student_id_id", "student_id", "id"),)

    kind: Mapped[str] = col.code("业务类型", "change_kind", edit=BY_SYSTEM, listed=True)
    state: Mapped[ChangeState] = col.choice(
        "业务状态", ChangeState, "change_state", default=ChangeState.DRAFT, edit=BY_SYSTEM, listed=True
    )
    student_id: Mapped[int | None] = col.key("student.id", "学生", form=False, index=False)
    student_name: Mapped[str] = col.text("学生姓名", 50, edit=BY_SYSTEM, search=True, listed=True)
    student_no: Mapped[str | None] = col.text("学籍号", 19, edit=BY_SYSTEM, mask=NUMBER_MASK, listed=True)
    school_id: Mapped[int] = col.key("school.id", "发起学校编号", form=False)
    school_name: Mapped[str] = col.text("发起学校", 60, edit=BY_SYSTEM, listed=True)
    reason: Mapped[str | None] = col.text("原因", 200, edit=BY_SYSTEM)
    started_by: Mapped[str] = col.text("发起人", 64, edit=BY_SYSTEM)
    started_by_id: Mapped[int | None] = mapped_column(sa.Integer)
    started_at: Mapped[datetime] = col.moment("发起时间", edit=BY_SYSTEM, listed=True)
    effective_on: Mapped[date | None] = col.day("生效日期", edit=BY_SYSTEM, listed=True)
    until_on: Mapped[date | None] = col.day("截止日期", edit=BY_SYSTEM, help="休学的预计复学日期")
    applied_at: Mapped[datetime | None] = col.moment("办结时间", edit=BY_SYSTEM)
    answers: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))

    @classmethod
    def search(cls, typed: str, dialect: str, among: Collection[str]) -> sa.ColumnElement[bool]:
        """By the name as it was then, or the pinyin of the pupil's."""
        from app.areas.students import search

        own = super().search(typed, dialect, among)
        if "student_name" not in among:
            return own
        return sa.or_(own, search.by_pinyin(cls.student_id, typed, dialect))


class ChangeParty(OfParties, Entity):
    """业务的一方：一所学校或一个主管部门，有此一行方可看到该业务。"""

    __label__ = "业务相关方"
    __path__ = "change-parties"
    __parties_key__ = "change_id"
    __actions__ = ()
    __extra_args__ = (
        sa.Index("ix_change_party_school_id_change_id", "school_id", "change_id"),
        sa.Index("ix_change_party_authority_code_change_id", "authority_code", "change_id"),
    )

    change_id: Mapped[int] = col.key("change.id", "业务", form=False)
    role: Mapped[str] = col.text(
        "身份", 20, edit=BY_SYSTEM, help="starter、authority、origin、origin_authority"
    )
    school_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("school.id", ondelete="RESTRICT"))
    authority_code: Mapped[str | None] = mapped_column(sa.String(6))


class EvidenceFile(OfPupil, Entity):
    """佐证材料：证件、申请、证明的图片或PDF，按内容存放，不可更改。"""

    __label__ = "佐证材料"
    __path__ = "evidence-files"
    __shown_as__ = "original_name"
    __actions__ = ("list", "show")
    __gone_with__ = "student"
    __bureau__ = True
    __bureau_private__ = True

    kind: Mapped[str] = col.code("材料种类", "evidence_kind", edit=BY_SYSTEM, listed=True)
    original_name: Mapped[str] = col.text("文件名", 100, edit=BY_SYSTEM, listed=True)
    sha256: Mapped[str] = col.text("内容摘要", 64, edit=BY_SYSTEM, index=True)
    media_type: Mapped[str] = col.text("文件类型", 40, edit=BY_SYSTEM)
    byte_count: Mapped[int] = col.number("字节数", high=10**9, edit=BY_SYSTEM, sums=True)
    pages: Mapped[int | None] = col.number("页数", edit=BY_SYSTEM, sums=True)
    uploaded_by: Mapped[str] = col.text("上传人", 64, edit=BY_SYSTEM, listed=True)
    uploaded_at: Mapped[datetime] = col.moment("上传时间", edit=BY_SYSTEM, listed=True)
