"""Tables of followers and what else campaigns need."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "campaign_followers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_campaign_followers_email_folded")),
        sa.CheckConstraint("locale IN ('fr', 'en')", name=op.f("ck_campaign_followers_locale_known")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_followers_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_followers")),
        sa.UniqueConstraint("campaign_id", "email", name=op.f("uq_campaign_followers_campaign_id_email")),
    )
    op.create_index(
        "ix_campaign_followers_campaign_id_id",
        "campaign_followers",
        ["campaign_id", "id"],
        postgresql_where="confirmed_at IS NOT NULL",
    )
    op.create_index("ix_campaign_followers_email", "campaign_followers", ["email"])
    op.create_index(
        "ix_campaign_followers_unconfirmed",
        "campaign_followers",
        ["created_at"],
        postgresql_where="confirmed_at IS NULL",
    )
    op.add_column("campaign_updates", sa.Column("nonce", sa.String(length=40), nullable=True))
    op.create_unique_constraint(op.f("uq_campaign_updates_nonce"), "campaign_updates", ["nonce"])


def downgrade() -> None:
    """Drop them."""
    op.drop_constraint(op.f("uq_campaign_updates_nonce"), "campaign_updates")
    op.drop_column("campaign_updates", "nonce")
    op.drop_table("campaign_followers")
