"""Invitations, changes of address, recovery codes, the log of organisations."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ACTS = (
    "'created', 'edited', 'verified', 'unverified', 'invited', 'invitation_revoked', 'joined', 'roles_changed', "
    "'left', 'removed'"
)


def upgrade() -> None:
    """Create them; the log is append-only by the trigger of the audit."""
    op.create_table(
        "invitations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("invited_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_invitations_email_folded")),
        sa.CheckConstraint("locale IN ('fr', 'en')", name=op.f("ck_invitations_locale_known")),
        sa.CheckConstraint(
            "role IN ('owner', 'editor', 'treasurer', 'moderator')", name=op.f("ck_invitations_role_known")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_invitations_organisation_id")),
        sa.ForeignKeyConstraint(["invited_by"], ["persons.id"], name=op.f("fk_invitations_invited_by")),
        sa.ForeignKeyConstraint(["accepted_by"], ["persons.id"], name=op.f("fk_invitations_accepted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["organisation_id", "email", "role"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "email_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("old_email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_email_changes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
    )
    op.create_index("ix_email_changes_person_id", "email_changes", ["person_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_recovery_codes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("person_id", "code_hash", name=op.f("uq_recovery_codes_person_id_code_hash")),
    )
    op.create_table(
        "organisation_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.String(40), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(length=120), nullable=False),
        sa.CheckConstraint(f"act IN ({ACTS})", name=op.f("ck_organisation_entries_act_known")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_organisation_entries_organisation_id")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["persons.id"], name=op.f("fk_organisation_entries_actor_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_organisation_entries_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_entries")),
    )
    op.create_index("ix_organisation_entries_organisation_id_id", "organisation_entries", ["organisation_id", "id"])
    op.execute(
        "CREATE TRIGGER organisation_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON organisation_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION koz_append_only()"
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("organisation_entries", "recovery_codes", "email_changes", "invitations"):
        op.drop_table(table)
