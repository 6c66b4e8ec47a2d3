"""Every table, as the register begins.

Written by autogenerate and tidied; what only PostgreSQL has stands in `_add_for_postgresql`. There is no way back from
here: it would drop every pupil.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ab_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=150)),
        sa.Column("description", sa.String(length=512)),
        sa.PrimaryKeyConstraint("id", name="pk_ab_group"),
        sa.UniqueConstraint("name", name="uq_ab_group_name"),
    )

    op.create_table(
        "ab_permission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ab_permission"),
        sa.UniqueConstraint("name", name="uq_ab_permission_name"),
    )

    op.create_table(
        "ab_register_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256)),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("registration_date", sa.DateTime()),
        sa.Column("registration_hash", sa.String(length=256)),
        sa.PrimaryKeyConstraint("id", name="pk_ab_register_user"),
        sa.UniqueConstraint("email", name="uq_ab_register_user_email"),
        sa.UniqueConstraint("username", name="uq_ab_register_user_username"),
    )

    op.create_table(
        "ab_view_menu",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ab_view_menu"),
        sa.UniqueConstraint("name", name="uq_ab_view_menu_name"),
    )

    op.create_table(
        "academic_year",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=9), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_academic_year"),
        sa.UniqueConstraint("name", name="uq_academic_year_name"),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "audit_entry",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_name", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("row_id", BigId),
        sa.Column("reason", sa.String(length=200)),
        sa.Column("authority", sa.String(length=60)),
        sa.Column("address", sa.String(length=45)),
        sa.Column("school_id", BigId),
        sa.Column("authority_code", sa.String(length=6)),
        sa.Column("student_id", BigId),
        sa.Column("actor_id", sa.Integer()),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entry_authority_code_id", "audit_entry", ["authority_code", "id"])
    op.create_index("ix_audit_entry_entity_row_id", "audit_entry", ["entity", "row_id"])
    op.create_index("ix_audit_entry_school_id_id", "audit_entry", ["school_id", "id"])
    op.create_index("ix_audit_entry_student_id_id", "audit_entry", ["student_id", "id"])

    op.create_table(
        "region",
        sa.Column("id", BigId, nullable=False),
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("parent_code", sa.String(length=6)),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_region"),
        sa.UniqueConstraint("code", name="uq_region_code"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_region_parent_code", "region", ["parent_code"])

    op.create_table(
        "school",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("organiser", sa.String(length=16), nullable=False),
        sa.Column("urban_rural", sa.String(length=16), nullable=False),
        sa.Column("location_code", sa.String(length=12), nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("central_school_id", BigId),
        sa.Column("short_name", sa.String(length=30)),
        sa.Column("english_name", sa.String(length=120)),
        sa.Column("organisation_code", sa.String(length=18)),
        sa.Column("legal_person_no", sa.String(length=30)),
        sa.Column("land_title", sa.String(length=60)),
        sa.Column("is_boarding", sa.Boolean()),
        sa.Column("teaching_language", sa.String(length=30)),
        sa.Column("address", sa.String(length=100)),
        sa.Column("post_code", sa.String(length=6)),
        sa.Column("head_name", sa.String(length=50)),
        sa.Column("head_phone", sa.String(length=20)),
        sa.Column("office_phone", sa.String(length=20)),
        sa.Column("email", sa.String(length=60)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["central_school_id"], ["school.id"], name="fk_school_central_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_school"),
        sa.UniqueConstraint("id", "authority_code", name="uq_school_id_authority_code"),
        sa.UniqueConstraint("school_code", name="uq_school_school_code"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_school_authority_code", "school", ["authority_code"])
    op.create_index("ix_school_central_school_id", "school", ["central_school_id"])

    op.create_table(
        "ab_permission_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("permission_id", sa.Integer(), nullable=False),
        sa.Column("view_menu_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"], ["ab_permission.id"], name="fk_ab_permission_view_permission_id"
        ),
        sa.ForeignKeyConstraint(
            ["view_menu_id"], ["ab_view_menu.id"], name="fk_ab_permission_view_view_menu_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_permission_view"),
        sa.UniqueConstraint(
            "permission_id", "view_menu_id", name="uq_ab_permission_view_permission_id_view_menu_id"
        ),
    )
    op.create_index("idx_permission_id", "ab_permission_view", ["permission_id"])
    op.create_index("idx_view_menu_id", "ab_permission_view", ["view_menu_id"])

    op.create_table(
        "ab_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=60), server_default="", nullable=False),
        sa.Column("description", sa.String(length=200), server_default="", nullable=False),
        sa.Column("school_id", BigId),
        sa.Column("region_code", sa.String(length=6)),
        sa.Column("level", sa.String(length=10), server_default="school", nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_ab_role_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_role"),
        sa.UniqueConstraint("name", name="uq_ab_role_name"),
    )

    op.create_table(
        "ab_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256)),
        sa.Column("active", sa.Boolean()),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("last_login", sa.DateTime()),
        sa.Column("login_count", sa.Integer()),
        sa.Column("fail_login_count", sa.Integer()),
        sa.Column("created_on", sa.DateTime()),
        sa.Column("changed_on", sa.DateTime()),
        sa.Column("created_by_fk", sa.Integer()),
        sa.Column("changed_by_fk", sa.Integer()),
        sa.Column("school_id", BigId),
        sa.Column("region_code", sa.String(length=6)),
        sa.Column("phone", sa.String(length=20)),
        sa.Column("qq", sa.String(length=20)),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
        sa.Column("password_set_at", sa.DateTime(timezone=True)),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_sessions", sa.JSON()),
        sa.ForeignKeyConstraint(["changed_by_fk"], ["ab_user.id"], name="fk_ab_user_changed_by_fk"),
        sa.ForeignKeyConstraint(["created_by_fk"], ["ab_user.id"], name="fk_ab_user_created_by_fk"),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_ab_user_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_user"),
        sa.UniqueConstraint("email", name="uq_ab_user_email"),
        sa.UniqueConstraint("username", name="uq_ab_user_username"),
    )
    op.create_index("ix_ab_user_region_code", "ab_user", ["region_code"])
    op.create_index("ix_ab_user_school_id", "ab_user", ["school_id"])

    op.create_table(
        "campus",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("address", sa.String(length=100), nullable=False),
        sa.Column("head_name", sa.String(length=50)),
        sa.Column("phone", sa.String(length=20)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id", "authority_code"],
            ["school.id", "school.authority_code"],
            name="fk_campus_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_campus_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_campus"),
        sa.UniqueConstraint("school_id", "name", name="uq_campus_school_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_campus_authority_code_id", "campus", ["authority_code", "id"])
    op.create_index("ix_campus_school_id_id", "campus", ["school_id", "id"])

    op.create_table(
        "school_stage",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("review_code", sa.String(length=6)),
        sa.Column("first_year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_school_stage_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_school_stage"),
        sa.UniqueConstraint(
            "school_id",
            "stage",
            "authority_code",
            "first_year",
            name="uq_school_stage_school_id_stage_authority_code_first_year",
        ),
        sa.UniqueConstraint("school_id", "stage", name="uq_school_stage_school_id_stage"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_school_stage_authority_code_id", "school_stage", ["authority_code", "id"])
    op.create_index("ix_school_stage_school_id_id", "school_stage", ["school_id", "id"])

    op.create_table(
        "term",
        sa.Column("id", BigId, nullable=False),
        sa.Column("academic_year_id", BigId, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["academic_year_id"], ["academic_year.id"], name="fk_term_academic_year_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_term"),
        sa.UniqueConstraint("academic_year_id", "number", name="uq_term_academic_year_id_number"),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "ab_api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("key_hash", sa.String(length=256), nullable=False),
        sa.Column("lookup_hash", sa.String(length=256)),
        sa.Column("key_prefix", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_on", sa.DateTime()),
        sa.Column("expires_on", sa.DateTime()),
        sa.Column("revoked_on", sa.DateTime()),
        sa.Column("last_used_on", sa.DateTime()),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name="fk_ab_api_key_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_api_key"),
        sa.UniqueConstraint("lookup_hash", name="uq_ab_api_key_lookup_hash"),
        sa.UniqueConstraint("uuid", name="uq_ab_api_key_uuid"),
    )
    op.create_index("idx_api_key_lookup_hash", "ab_api_key", ["lookup_hash"], unique=True)
    op.create_index("idx_api_key_prefix", "ab_api_key", ["key_prefix"])
    op.create_index("idx_api_key_user_id", "ab_api_key", ["user_id"])

    op.create_table(
        "ab_group_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer()),
        sa.Column("role_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["group_id"], ["ab_group.id"], name="fk_ab_group_role_group_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name="fk_ab_group_role_role_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_group_role"),
        sa.UniqueConstraint("group_id", "role_id", name="uq_ab_group_role_group_id_role_id"),
    )
    op.create_index("idx_group_id", "ab_group_role", ["group_id"])
    op.create_index("idx_group_role_id", "ab_group_role", ["role_id"])

    op.create_table(
        "ab_permission_view_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("permission_view_id", sa.Integer()),
        sa.Column("role_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["permission_view_id"],
            ["ab_permission_view.id"],
            name="fk_ab_permission_view_role_permission_view_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name="fk_ab_permission_view_role_role_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_permission_view_role"),
        sa.UniqueConstraint(
            "permission_view_id", "role_id", name="uq_ab_permission_view_role_permission_view_id_role_id"
        ),
    )
    op.create_index("idx_permission_view_id", "ab_permission_view_role", ["permission_view_id"])
    op.create_index("idx_role_id", "ab_permission_view_role", ["role_id"])

    op.create_table(
        "ab_user_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.Column("group_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["group_id"], ["ab_group.id"], name="fk_ab_user_group_group_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name="fk_ab_user_group_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_user_group"),
        sa.UniqueConstraint("user_id", "group_id", name="uq_ab_user_group_user_id_group_id"),
    )
    op.create_index("idx_user_group_id", "ab_user_group", ["group_id"])
    op.create_index("idx_user_id", "ab_user_group", ["user_id"])

    op.create_table(
        "ab_user_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.Column("role_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name="fk_ab_user_role_role_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name="fk_ab_user_role_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ab_user_role"),
        sa.UniqueConstraint("user_id", "role_id", name="uq_ab_user_role_user_id_role_id"),
    )

    op.create_table(
        "grade",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("entry_year", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("is_graduated", sa.Boolean(), nullable=False),
        sa.Column("first_year", sa.Integer(), nullable=False),
        sa.Column("order_key", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id", "stage", "authority_code", "first_year"],
            [
                "school_stage.school_id",
                "school_stage.stage",
                "school_stage.authority_code",
                "school_stage.first_year",
            ],
            name="fk_grade_school_id_stage_authority_code_first_year",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name="fk_grade_school_id", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_grade"),
        sa.UniqueConstraint("id", "school_id", "authority_code", name="uq_grade_id_school_id_authority_code"),
        sa.UniqueConstraint("school_id", "stage", "entry_year", name="uq_grade_school_id_stage_entry_year"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_grade_authority_code_id", "grade", ["authority_code", "id"])
    op.create_index("ix_grade_authority_code_order_key_id", "grade", ["authority_code", "order_key", "id"])
    op.create_index("ix_grade_school_id_id", "grade", ["school_id", "id"])
    op.create_index("ix_grade_school_id_order_key_id", "grade", ["school_id", "order_key", "id"])

    op.create_table(
        "role_grant",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("school_id", BigId),
        sa.Column("region_code", sa.String(length=6)),
        sa.Column("grade_ids", sa.JSON()),
        sa.Column("class_ids", sa.JSON()),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("passable", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("giver_id", sa.Integer()),
        sa.Column("under_id", BigId),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("withdrawn_by", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["ab_user.id"], name="fk_role_grant_giver_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["ab_user.id"], name="fk_role_grant_person_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name="fk_role_grant_role_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_role_grant_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["under_id"], ["role_grant.id"], name="fk_role_grant_under_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["ab_user.id"], name="fk_role_grant_withdrawn_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
    )
    op.create_index("ix_role_grant_giver_id", "role_grant", ["giver_id"])
    op.create_index("ix_role_grant_person_id_withdrawn_at", "role_grant", ["person_id", "withdrawn_at"])
    op.create_index("ix_role_grant_role_id", "role_grant", ["role_id"])
    op.create_index("ix_role_grant_school_id", "role_grant", ["school_id"])
    op.create_index("ix_role_grant_under_id", "role_grant", ["under_id"])

    op.create_table(
        "school_class",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("grade_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("class_type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=30)),
        sa.Column("direction", sa.String(length=30)),
        sa.Column("founded_on", sa.Date()),
        sa.Column("is_bilingual", sa.Boolean(), nullable=False),
        sa.Column("campus_id", BigId),
        sa.Column("teacher_id", BigId),
        sa.Column("cap_lifted_to", sa.Integer()),
        sa.Column("order_key", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["campus_id"], ["campus.id"], name="fk_school_class_campus_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["grade_id", "school_id", "authority_code"],
            ["grade.id", "grade.school_id", "grade.authority_code"],
            name="fk_school_class_grade_id_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["grade_id"], ["grade.id"], name="fk_school_class_grade_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_school_class_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["ab_user.id"], name="fk_school_class_teacher_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_school_class"),
        sa.UniqueConstraint(
            "id", "school_id", "authority_code", name="uq_school_class_id_school_id_authority_code"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_school_class_authority_code_id", "school_class", ["authority_code", "id"])
    op.create_index(
        "ix_school_class_authority_code_order_key_id", "school_class", ["authority_code", "order_key", "id"]
    )
    op.create_index("ix_school_class_campus_id", "school_class", ["campus_id"])
    op.create_index("ix_school_class_grade_id", "school_class", ["grade_id"])
    op.create_index("ix_school_class_school_id_id", "school_class", ["school_id", "id"])
    op.create_index(
        "ix_school_class_school_id_order_key_id", "school_class", ["school_id", "order_key", "id"]
    )
    op.create_index("ix_school_class_teacher_id", "school_class", ["teacher_id"])
    op.create_index(
        "uq_school_class_number",
        "school_class",
        ["grade_id", "number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )

    op.create_table(
        "class_grade",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("class_id", BigId, nullable=False),
        sa.Column("grade_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id", "school_id", "authority_code"],
            ["school_class.id", "school_class.school_id", "school_class.authority_code"],
            name="fk_class_grade_class_id_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name="fk_class_grade_class_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["grade_id"], ["grade.id"], name="fk_class_grade_grade_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_class_grade_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_class_grade"),
        sa.UniqueConstraint("class_id", "grade_id", name="uq_class_grade_class_id_grade_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_class_grade_authority_code_id", "class_grade", ["authority_code", "id"])
    op.create_index("ix_class_grade_grade_id", "class_grade", ["grade_id"])
    op.create_index("ix_class_grade_school_id_id", "class_grade", ["school_id", "id"])

    op.create_table(
        "student",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("gender", sa.String(length=16), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("birthplace_code", sa.String(length=12), nullable=False),
        sa.Column("native_place", sa.String(length=60), nullable=False),
        sa.Column("ethnicity", sa.String(length=16), nullable=False),
        sa.Column("nationality", sa.String(length=16), nullable=False),
        sa.Column("id_type", sa.String(length=16), nullable=False),
        sa.Column("id_number", sa.String(length=20)),
        sa.Column("overseas", sa.String(length=16), nullable=False),
        sa.Column("political_status", sa.String(length=16), nullable=False),
        sa.Column("health", sa.String(length=16), nullable=False),
        sa.Column("photo_id", BigId),
        sa.Column("pinyin", sa.String(length=60)),
        sa.Column("former_name", sa.String(length=50)),
        sa.Column("id_valid", sa.String(length=21)),
        sa.Column("residence_code", sa.String(length=12), nullable=False),
        sa.Column("residence_type", sa.String(length=16), nullable=False),
        sa.Column("talent", sa.String(length=100)),
        sa.Column("student_no", sa.String(length=19)),
        sa.Column("auxiliary_no", sa.String(length=30)),
        sa.Column("number_in_class", sa.String(length=20)),
        sa.Column("grade_id", BigId, nullable=False),
        sa.Column("class_id", BigId),
        sa.Column("entry_month", sa.String(length=6), nullable=False),
        sa.Column("entry_way", sa.String(length=16), nullable=False),
        sa.Column("boarding", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=16)),
        sa.Column("address", sa.String(length=100), nullable=False),
        sa.Column("mail_address", sa.String(length=100), nullable=False),
        sa.Column("home_address", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("post_code", sa.String(length=6), nullable=False),
        sa.Column("email", sa.String(length=60)),
        sa.Column("home_page", sa.String(length=60)),
        sa.Column("is_only_child", sa.Boolean(), nullable=False),
        sa.Column("had_preschool", sa.Boolean(), nullable=False),
        sa.Column("left_behind", sa.String(length=16), nullable=False),
        sa.Column("is_migrant_child", sa.Boolean(), nullable=False),
        sa.Column("is_orphan", sa.Boolean(), nullable=False),
        sa.Column("is_martyr_child", sa.Boolean(), nullable=False),
        sa.Column("in_class_special", sa.String(length=16)),
        sa.Column("disability", sa.String(length=16)),
        sa.Column("is_place_bought", sa.Boolean()),
        sa.Column("needs_aid", sa.Boolean(), nullable=False),
        sa.Column("has_subsidy", sa.Boolean(), nullable=False),
        sa.Column("distance_km", sa.Integer(), nullable=False),
        sa.Column("transport", sa.String(length=16), nullable=False),
        sa.Column("needs_school_bus", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("student_no_state", sa.String(length=16)),
        sa.Column("verification", sa.String(length=16), nullable=False),
        sa.Column("problem_note", sa.String(length=200)),
        sa.Column("verified_term_id", BigId),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("name_key", sa.String(length=120), nullable=False),
        sa.Column("name_initials", sa.String(length=50), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name="fk_student_class_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["grade_id", "school_id", "authority_code"],
            ["grade.id", "grade.school_id", "grade.authority_code"],
            name="fk_student_grade_id_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["grade_id"], ["grade.id"], name="fk_student_grade_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["photo_id"],
            ["evidence_file.id"],
            name="fk_student_photo_id",
            ondelete="RESTRICT",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_student_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["verified_term_id"], ["term.id"], name="fk_student_verified_term_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_student"),
        sa.UniqueConstraint(
            "id", "school_id", "authority_code", name="uq_student_id_school_id_authority_code"
        ),
        sa.UniqueConstraint("student_no", name="uq_student_student_no"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_student_authority_code_id", "student", ["authority_code", "id"])
    op.create_index(
        "ix_student_authority_code_name_initials_id", "student", ["authority_code", "name_initials", "id"]
    )
    op.create_index("ix_student_authority_code_name_key_id", "student", ["authority_code", "name_key", "id"])
    op.create_index("ix_student_authority_code_status_id", "student", ["authority_code", "status", "id"])
    op.create_index("ix_student_class_id", "student", ["class_id"])
    op.create_index("ix_student_grade_id", "student", ["grade_id"])
    op.create_index("ix_student_id_number", "student", ["id_number"])
    op.create_index("ix_student_name_initials", "student", ["name_initials"])
    op.create_index("ix_student_name_key", "student", ["name_key"])
    op.create_index("ix_student_school_id_id", "student", ["school_id", "id"])
    op.create_index("ix_student_school_id_id_number", "student", ["school_id", "id_number"])
    op.create_index("ix_student_school_id_name_initials_id", "student", ["school_id", "name_initials", "id"])
    op.create_index("ix_student_school_id_name_key_id", "student", ["school_id", "name_key", "id"])
    op.create_index("ix_student_school_id_status_id", "student", ["school_id", "status", "id"])

    op.create_table(
        "change",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("student_id", BigId),
        sa.Column("student_name", sa.String(length=50), nullable=False),
        sa.Column("student_no", sa.String(length=19)),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("school_name", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=200)),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_by_id", sa.Integer()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_on", sa.Date()),
        sa.Column("until_on", sa.Date()),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.Column("answers", sa.JSON()),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_change_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name="fk_change_student_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_school_id", "change", ["school_id"])
    op.create_index("ix_change_student_id_id", "change", ["student_id", "id"])

    op.create_table(
        "evidence_file",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("original_name", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer()),
        sa.Column("uploaded_by", sa.String(length=64), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("student_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_evidence_file_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["student_id", "school_id", "authority_code"],
            ["student.id", "student.school_id", "student.authority_code"],
            name="fk_evidence_file_student_id_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_file"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evidence_file_authority_code_id", "evidence_file", ["authority_code", "id"])
    op.create_index("ix_evidence_file_school_id_id", "evidence_file", ["school_id", "id"])
    op.create_index("ix_evidence_file_sha256", "evidence_file", ["sha256"])
    op.create_index("ix_evidence_file_student_id", "evidence_file", ["student_id"])

    op.create_table(
        "family_member",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("relation_note", sa.String(length=30)),
        sa.Column("ethnicity", sa.String(length=16)),
        sa.Column("workplace", sa.String(length=100)),
        sa.Column("address", sa.String(length=100)),
        sa.Column("residence_code", sa.String(length=12)),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("is_guardian", sa.Boolean(), nullable=False),
        sa.Column("id_type", sa.String(length=16)),
        sa.Column("id_number", sa.String(length=20)),
        sa.Column("position", sa.String(length=50)),
        sa.Column("student_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_family_member_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["student_id", "school_id", "authority_code"],
            ["student.id", "student.school_id", "student.authority_code"],
            name="fk_family_member_student_id_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_family_member"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_family_member_authority_code_id", "family_member", ["authority_code", "id"])
    op.create_index("ix_family_member_school_id_id", "family_member", ["school_id", "id"])
    op.create_index("ix_family_member_student_id", "family_member", ["student_id"])

    op.create_table(
        "number_history",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("student_no", sa.String(length=19), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date()),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("student_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_number_history_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["student_id", "school_id", "authority_code"],
            ["student.id", "student.school_id", "student.authority_code"],
            name="fk_number_history_student_id_school_id_authority_code",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_number_history"),
        sa.UniqueConstraint("student_no", name="uq_number_history_student_no"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_number_history_authority_code_id", "number_history", ["authority_code", "id"])
    op.create_index("ix_number_history_school_id_id", "number_history", ["school_id", "id"])
    op.create_index("ix_number_history_student_id", "number_history", ["student_id"])

    op.create_table(
        "stay",
        sa.Column("id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("authority_code", sa.String(length=6), nullable=False),
        sa.Column("student_id", BigId, nullable=False),
        sa.Column("student_name", sa.String(length=50), nullable=False),
        sa.Column("student_no", sa.String(length=19)),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("entry_grade_id", BigId, nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("from_school", sa.String(length=60)),
        sa.Column("left_on", sa.Date()),
        sa.Column("leave_way", sa.String(length=16)),
        sa.Column("to_school", sa.String(length=60)),
        sa.Column("graduation_result", sa.String(length=16)),
        sa.Column("certificate_no", sa.String(length=30)),
        sa.Column("snapshot", sa.JSON()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_grade_id"], ["grade.id"], name="fk_stay_entry_grade_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name="fk_stay_school_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name="fk_stay_student_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stay"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stay_authority_code_id", "stay", ["authority_code", "id"])
    op.create_index("ix_stay_entry_grade_id", "stay", ["entry_grade_id"])
    op.create_index("ix_stay_school_id_id", "stay", ["school_id", "id"])
    op.create_index("ix_stay_student_id", "stay", ["student_id"])
    op.create_index("ix_stay_student_no", "stay", ["student_no"])

    op.create_table(
        "change_party",
        sa.Column("id", BigId, nullable=False),
        sa.Column("change_id", BigId, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("school_id", BigId),
        sa.Column("authority_code", sa.String(length=6)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["change.id"], name="fk_change_party_change_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_change_party_school_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_change_party"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_change_party_authority_code_change_id", "change_party", ["authority_code", "change_id"]
    )
    op.create_index("ix_change_party_change_id", "change_party", ["change_id"])
    op.create_index("ix_change_party_school_id_change_id", "change_party", ["school_id", "change_id"])

    if op.get_bind().dialect.name == "postgresql":
        _add_for_postgresql()


def _add_for_postgresql() -> None:
    """Indexes that SQLite lacks. Pupils and their files refer to each other: PostgreSQL takes that key only now."""
    op.create_foreign_key(
        "fk_student_photo_id", "student", "evidence_file", ["photo_id"], ["id"], ondelete="RESTRICT"
    )
    op.create_index(
        "ix_student_name_characters",
        "student",
        [sa.literal_column("string_to_array(name, NULL)")],
        postgresql_using="gin",
    )


def downgrade() -> None:
    raise CommandError("0001是最初的版本，不能再退回：那会删去全部数据。要回到从前，请恢复备份。")
