"""A later migration, for tests: it changes a table and its rows, and then asks for what the rows, or no table, can give."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "today's head"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("student") as batch:
        batch.add_column(sa.Column("shoe_size", sa.Integer(), server_default="0", nullable=False))
        batch.alter_column(
            "native_place", existing_type=sa.String(60), type_=sa.String(80), existing_nullable=False
        )
    pupil = sa.table("student", sa.column("student_no", sa.String), sa.column("name", sa.String))
    op.execute(sa.update(pupil).values(name="无名"))
    op.execute(
        sa.update(pupil).where(pupil.c.student_no.is_not(None)).values(student_no="G510000201401010000")
    )
    op.create_index("ix_student_hat_size", "student", ["hat_size"])
