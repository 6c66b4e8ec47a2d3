"""Roles of schools and bureaus, confirmed leaders, sessions, past passwords, the second factor, drafts of forms; the
audit names what it is about; schools are found by the initials of their names; indexes of the pupils in the recycle bin
and of their marks of verification; notices; certificates of enrolment.

Sessions that are open at the upgrade end: they are not in the new list.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core.names import initials_of_words, search_keys

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HELD = sa.text("withdrawn_at IS NULL")
AWAITS = sa.column("awaits") == sa.true()
PLACES = ("school_id", "region_code")
PUPIL_PLACES = ("school_id", "authority_code")
NOT_DELETED = sa.text("deleted_at IS NULL")
DELETED = sa.text("deleted_at IS NOT NULL")
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("audit_entry", sa.Column("subject", sa.String(length=80), nullable=True))
    op.add_column("school", sa.Column("name_initials", sa.String(length=60), nullable=True))
    _read_schools_into_pinyin()
    with op.batch_alter_table("school") as batch:
        batch.alter_column("name_initials", existing_type=sa.String(length=60), nullable=False)
    op.create_table(
        "form_draft",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["ab_user.id"], name="fk_form_draft_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_form_draft"),
        sa.UniqueConstraint("person_id", "path", name="uq_form_draft_person_id_path"),
    )
    with op.batch_alter_table("form_draft") as batch:
        batch.create_index("ix_form_draft_saved_at", ["saved_at"])

    op.create_table(
        "notice",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("region_end", sa.String(length=6), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("on_login", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("notice") as batch:
        batch.create_index("ix_notice_region_code", ["region_code"])

    op.create_table(
        "former_name",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["ab_user.id"], name="fk_former_name_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_former_name"),
        sa.UniqueConstraint("name", name="uq_former_name_name"),
    )
    with op.batch_alter_table("former_name") as batch:
        batch.create_index("ix_former_name_person_id", ["person_id"])

    op.create_table(
        "login_session",
        sa.Column("id", BigId, nullable=False),
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("device", sa.String(length=400), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["ab_user.id"], name="fk_login_session_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_login_session"),
        sa.UniqueConstraint("sid", name="uq_login_session_sid"),
    )
    with op.batch_alter_table("login_session") as batch:
        batch.create_index("ix_login_session_person_id", ["person_id"])

    op.create_table(
        "past_password",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["ab_user.id"], name="fk_past_password_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_past_password"),
    )
    with op.batch_alter_table("past_password") as batch:
        batch.create_index("ix_past_password_person_id", ["person_id"])

    op.create_table(
        "second_factor_rule",
        sa.Column("id", BigId, nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name="fk_second_factor_rule_role_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["set_by"], ["ab_user.id"], name="fk_second_factor_rule_set_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_second_factor_rule"),
        sa.UniqueConstraint("region_code", "role_id", name="uq_second_factor_rule_region_code_role_id"),
    )
    with op.batch_alter_table("ab_role") as batch:
        batch.add_column(sa.Column("template_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("heads_unit", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch.create_foreign_key(
            "fk_ab_role_template_id", "ab_role", ["template_id"], ["id"], ondelete="RESTRICT"
        )
        for unit in PLACES:
            batch.create_unique_constraint(f"uq_ab_role_{unit}_label", [unit, "label"])

    with op.batch_alter_table("ab_user") as batch:
        batch.add_column(sa.Column("language", sa.String(length=12), nullable=True))
        batch.add_column(sa.Column("shares_phone", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("shares_qq", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(
            sa.Column("hides_first_steps", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch.add_column(sa.Column("left_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("name_key", sa.String(length=120), server_default="", nullable=False))
        batch.add_column(sa.Column("name_initials", sa.String(length=50), server_default="", nullable=False))
        batch.add_column(sa.Column("totp_secret", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("totp_since", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("totp_step", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("recovery_codes", sa.JSON(), nullable=True))
        batch.drop_column("ended_sessions")
    _read_names_into_pinyin()

    op.create_table(
        "enrolment_certificate",
        sa.Column("id", BigId, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.String(length=64), nullable=False),
        sa.Column("student_id", BigId, nullable=False),
        sa.Column("school_id", BigId, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name="fk_enrolment_certificate_school_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name="fk_enrolment_certificate_student_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment_certificate"),
        sa.UniqueConstraint("code_hash", name="uq_enrolment_certificate_code_hash"),
    )
    with op.batch_alter_table("enrolment_certificate") as batch:
        batch.create_index("ix_enrolment_certificate_student_id", ["student_id"])

    with op.batch_alter_table("role_grant") as batch:
        batch.add_column(sa.Column("awaits", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("confirmed_by", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("refused_because", sa.String(length=200), nullable=True))
        batch.drop_index("ix_role_grant_giver_id")
        batch.drop_index("ix_role_grant_school_id")
        batch.create_index("ix_role_grant_giver_id_until", ["giver_id", "until"])
        batch.create_index("ix_role_grant_awaits", ["id"], sqlite_where=AWAITS, postgresql_where=AWAITS)
        for place in PLACES:
            batch.create_index(f"ix_role_grant_{place}_id", [place, "id"])
            batch.create_index(
                f"ix_role_grant_{place}_held", [place, "until"], sqlite_where=HELD, postgresql_where=HELD
            )
        batch.create_foreign_key(
            "fk_role_grant_confirmed_by", "ab_user", ["confirmed_by"], ["id"], ondelete="RESTRICT"
        )
    for place in PUPIL_PLACES:
        op.create_index(
            f"ix_student_{place}_verification_id",
            "student",
            [place, "verification", "id"],
            sqlite_where=NOT_DELETED,
            postgresql_where=NOT_DELETED,
        )
    op.create_index("ix_student_name", "student", ["name"])
    op.create_index(
        "ix_student_deleted", "student", ["id"], sqlite_where=DELETED, postgresql_where=DELETED
    )


def _read_schools_into_pinyin() -> None:
    school = sa.table("school", *(sa.column(name) for name in ("id", "name", "name_initials")))
    bind = op.get_bind()
    for id_, name in bind.execute(sa.select(school.c.id, school.c.name)).all():
        words = {"name_initials": initials_of_words(name)}
        bind.execute(sa.update(school).where(school.c.id == id_).values(words))


def _read_names_into_pinyin() -> None:
    """Accounts are sorted and found by the pinyin of their names, which those opened before lack."""
    person = sa.table(
        "ab_user", *(sa.column(name) for name in ("id", "first_name", "name_key", "name_initials"))
    )
    bind = op.get_bind()
    for id_, name in bind.execute(sa.select(person.c.id, person.c.first_name)).all():
        bind.execute(sa.update(person).where(person.c.id == id_).values(search_keys(name or "")))


def downgrade() -> None:
    op.drop_column("school", "name_initials")
    with op.batch_alter_table("enrolment_certificate") as batch:
        batch.drop_index("ix_enrolment_certificate_student_id")

    op.drop_table("enrolment_certificate")
    with op.batch_alter_table("audit_entry") as batch:
        batch.drop_column("subject")

    op.drop_index("ix_student_deleted", "student")
    op.drop_index("ix_student_name", "student")
    for place in PUPIL_PLACES:
        op.drop_index(f"ix_student_{place}_verification_id", "student")
    with op.batch_alter_table("role_grant") as batch:
        batch.drop_constraint("fk_role_grant_confirmed_by", type_="foreignkey")
        for place in PLACES:
            batch.drop_index(f"ix_role_grant_{place}_held")
            batch.drop_index(f"ix_role_grant_{place}_id")
        batch.drop_index("ix_role_grant_awaits")
        batch.drop_index("ix_role_grant_giver_id_until")
        batch.create_index("ix_role_grant_school_id", ["school_id"])
        batch.create_index("ix_role_grant_giver_id", ["giver_id"])
        batch.drop_column("refused_because")
        batch.drop_column("confirmed_by")
        batch.drop_column("awaits")

    with op.batch_alter_table("ab_user") as batch:
        batch.add_column(sa.Column("ended_sessions", sa.JSON(), nullable=True))
        batch.drop_column("recovery_codes")
        batch.drop_column("totp_step")
        batch.drop_column("totp_since")
        batch.drop_column("totp_secret")
        batch.drop_column("name_initials")
        batch.drop_column("name_key")
        batch.drop_column("left_on")
        batch.drop_column("hides_first_steps")
        batch.drop_column("shares_qq")
        batch.drop_column("shares_phone")
        batch.drop_column("language")

    with op.batch_alter_table("ab_role") as batch:
        for unit in PLACES:
            batch.drop_constraint(f"uq_ab_role_{unit}_label", type_="unique")
        batch.drop_constraint("fk_ab_role_template_id", type_="foreignkey")
        batch.drop_column("version")
        batch.drop_column("heads_unit")
        batch.drop_column("template_id")

    op.drop_table("second_factor_rule")
    with op.batch_alter_table("past_password") as batch:
        batch.drop_index("ix_past_password_person_id")

    op.drop_table("past_password")
    with op.batch_alter_table("login_session") as batch:
        batch.drop_index("ix_login_session_person_id")

    op.drop_table("login_session")
    with op.batch_alter_table("former_name") as batch:
        batch.drop_index("ix_former_name_person_id")

    op.drop_table("former_name")
    with op.batch_alter_table("form_draft") as batch:
        batch.drop_index("ix_form_draft_saved_at")

    op.drop_table("form_draft")
    with op.batch_alter_table("notice") as batch:
        batch.drop_index("ix_notice_region_code")

    op.drop_table("notice")
