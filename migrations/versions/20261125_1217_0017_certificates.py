"""What professionals keep: the log of their time, certificates, reminders sent, stamps of what calendars show."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them; the hours of engagements that were told as a sum become one entry of the log."""
    op.add_column("proposals", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("missions", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("missions", "revision", server_default=None)
    op.add_column("engagements", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("engagements", "revision", server_default=None)
    op.add_column("engagements", sa.Column("confirmed_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_engagements_confirmed_by"), "engagements", "persons", ["confirmed_by"], ["id"])
    _create_log()
    _create_certificates()


def _create_log() -> None:
    op.create_table(
        "time_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("engagement_id", sa.BigInteger(), nullable=False),
        sa.Column("worked_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 1 AND 240000", name=op.f("ck_time_entries_minutes_between")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_time_entries_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_entries")),
    )
    op.create_index("ix_time_entries_engagement_id", "time_entries", ["engagement_id"])
    op.execute(
        """
        INSERT INTO time_entries (engagement_id, worked_on, minutes, what, made_at)
        SELECT id, (delivered_at AT TIME ZONE 'Europe/Paris')::date, hours_given * 60, '', delivered_at
        FROM engagements WHERE hours_given > 0 AND delivered_at IS NOT NULL
        """
    )


def _create_certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("engagement_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.String(40), nullable=True),
        sa.CheckConstraint(
            "revoked_because IN ('corrected', 'erased')", name=op.f("ck_certificates_revoked_because_known")
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_because IS NULL)", name=op.f("ck_certificates_revoked_for_a_reason")
        ),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_certificates_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("number", name=op.f("uq_certificates_number")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_certificates_fingerprint")),
    )
    op.create_index("ix_certificates_engagement_id", "certificates", ["engagement_id"])
    op.create_index(
        "uq_certificates_valid", "certificates", ["engagement_id"], unique=True, postgresql_where="revoked_at IS NULL"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("certificates")
    op.drop_table("time_entries")
    op.drop_constraint(op.f("fk_engagements_confirmed_by"), "engagements", type_="foreignkey")
    op.drop_column("engagements", "confirmed_by")
    op.drop_column("engagements", "revision")
    op.drop_column("missions", "revision")
    op.drop_column("proposals", "reminded_at")
