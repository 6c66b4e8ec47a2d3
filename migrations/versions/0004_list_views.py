"""What people save of lists: views by name, and how each likes each list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLACES = ("school_id", "region_code")


def upgrade() -> None:
    op.create_table(
        "list_preference",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("is_dense", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["ab_user.id"], name="fk_list_preference_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_list_preference"),
        sa.UniqueConstraint("person_id", "entity", name="uq_list_preference_person_id_entity"),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", BigId, nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("asks", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("school_id", BigId, nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ab_user.id"], name="fk_saved_view_owner_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_saved_view_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("owner_id", "entity", "name", name="uq_saved_view_owner_id_entity_name"),
    )
    for place in PLACES:
        op.create_index(f"ix_saved_view_{place}_entity", "saved_view", [place, "entity"])


def downgrade() -> None:
    for place in PLACES:
        op.drop_index(f"ix_saved_view_{place}_entity", "saved_view")
    op.drop_table("saved_view")
    op.drop_table("list_preference")
