"""A later migration, for tests: tables with the most keys to and from them grow, change and are rebuilt on SQLite."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "today's head"
branch_labels = None
depends_on = None

WIDER = (
    # table, column, length before and after
    ("school", "address", 100, 200),
    ("school_class", "direction", 30, 60),
    ("audit_entry", "reason", 200, 400),
    ("ab_user", "qq", 20, 40),
    ("role_grant", "region_code", 6, 12),
)


def upgrade() -> None:
    with op.batch_alter_table("student") as batch:
        batch.add_column(sa.Column("shoe_size", sa.Integer(), server_default="0", nullable=False))
        batch.alter_column(
            "native_place", existing_type=sa.String(60), type_=sa.String(80), existing_nullable=False
        )
        batch.create_index("ix_student_shoe_size", ["shoe_size"])
    pupil = sa.table("student", sa.column("shoe_size", sa.Integer), sa.column("distance_km", sa.Integer))
    op.execute(sa.update(pupil).values(shoe_size=30 + pupil.c.distance_km))
    for table, column, before, after in WIDER:
        with op.batch_alter_table(table) as batch:
            batch.alter_column(
                column, existing_type=sa.String(before), type_=sa.String(after), existing_nullable=True
            )


def downgrade() -> None:
    for table, column, before, after in WIDER:
        with op.batch_alter_table(table) as batch:
            batch.alter_column(
                column, existing_type=sa.String(after), type_=sa.String(before), existing_nullable=True
            )
    with op.batch_alter_table("student") as batch:
        batch.drop_index("ix_student_shoe_size")
        batch.alter_column(
            "native_place", existing_type=sa.String(80), type_=sa.String(60), existing_nullable=False
        )
        batch.drop_column("shoe_size")
