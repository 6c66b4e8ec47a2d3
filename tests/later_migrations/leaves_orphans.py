"""A later migration, for tests: it takes pupils away from under what is theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "today's head"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.delete(sa.table("student")))
