"""Lists of pupils and classes are counted in the index alone, and parts of names are found by pairs of characters.

The sorting indexes leave out what lies in the recycle bin; on PostgreSQL the index of single characters gives way to
one of single characters and pairs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SORTED = {
    "student": ("id", "name_key", "status"),
    "school_class": ("id", "order_key"),
}
NAME_PIECES = """
CREATE OR REPLACE FUNCTION name_pieces(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT COST 10000 AS $$
    SELECT array_agg(substr($1, i, n)) FROM generate_series(1, length($1)) i, generate_series(1, 2) n
    WHERE i + n - 1 <= length($1)
$$"""


def upgrade() -> None:
    _sort_anew(sa.text("deleted_at IS NULL"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(NAME_PIECES)
        op.drop_index("ix_student_name_characters", "student")
        op.create_index(
            "ix_student_name_pieces", "student", [sa.literal_column("name_pieces(name)")], postgresql_using="gin"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_student_name_pieces", "student")
        op.execute("DROP FUNCTION name_pieces(text)")
        op.create_index(
            "ix_student_name_characters",
            "student",
            [sa.literal_column("string_to_array(name, NULL)")],
            postgresql_using="gin",
        )
    _sort_anew(None)


def _sort_anew(where: sa.TextClause | None) -> None:
    for table, columns in SORTED.items():
        for place in ("school_id", "authority_code"):
            for column in columns:
                parts = [place, "id"] if column == "id" else [place, column, "id"]
                name = f"ix_{table}_{'_'.join(parts)}"
                op.drop_index(name, table)
                op.create_index(name, table, parts, sqlite_where=where, postgresql_where=where)
