"""The certificates of enrolment that were given out. What they say stands on paper alone; here is how one is known again."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, mapped_column

from app.core.fields import BigId, UtcDateTime

LONGEST_PURPOSE = 40


class EnrolmentCertificate(Model):
    """在读证明：哪天由谁给哪名学生开具，到哪天有效；验证码只存摘要。"""

    __tablename__ = "enrolment_certificate"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    facts: Mapped[str] = mapped_column(
        sa.String(64)
    )  # of what it says, with the code: known again only by the paper
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("student.id", ondelete="CASCADE"), index=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("school.id", ondelete="RESTRICT"))
    purpose: Mapped[str] = mapped_column(sa.String(LONGEST_PURPOSE))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_by: Mapped[str] = mapped_column(sa.String(64))
    valid_until: Mapped[date] = mapped_column(sa.Date)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(sa.String(64))
