"""Tables of campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=140), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("ask", sa.String(length=300), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("addressee_name", sa.String(length=140), nullable=False),
        sa.Column("addressee_body", sa.String(length=140), nullable=False),
        sa.Column("addressee_email", sa.String(length=254), nullable=False),
        sa.Column("story_md", sa.Text(), nullable=False),
        sa.Column("story_html", sa.Text(), nullable=False),
        sa.Column("expected_result", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("on_success", sa.Text(), nullable=False),
        sa.Column("on_failure", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("optimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("deadline_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("consultation_template", sa.String(length=40), nullable=False),
        sa.Column("consultation_question", sa.String(length=300), nullable=False),
        sa.Column("promised_minor", sa.BigInteger(), nullable=False),
        sa.Column("collected_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("lost_minor", sa.BigInteger(), nullable=False),
        sa.Column("gifts", sa.Integer(), nullable=False),
        sa.Column("donors", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("funded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=True),
        sa.CheckConstraint("model IN ('keep')", name=op.f("ck_campaigns_model_known")),
        sa.CheckConstraint("collected_minor >= 0", name=op.f("ck_campaigns_collected_minor_at_least")),
        sa.CheckConstraint("donors >= 0", name=op.f("ck_campaigns_donors_at_least")),
        sa.CheckConstraint("gifts >= 0", name=op.f("ck_campaigns_gifts_at_least")),
        sa.CheckConstraint("lost_minor >= 0", name=op.f("ck_campaigns_lost_minor_at_least")),
        sa.CheckConstraint("minimum_minor >= 0", name=op.f("ck_campaigns_minimum_minor_at_least")),
        sa.CheckConstraint("optimum_minor >= minimum_minor", name=op.f("ck_campaigns_optimum_at_least_minimum")),
        sa.CheckConstraint("promised_minor >= 0", name=op.f("ck_campaigns_promised_minor_at_least")),
        sa.CheckConstraint("refunded_minor >= 0", name=op.f("ck_campaigns_refunded_minor_at_least")),
        sa.ForeignKeyConstraint(["created_by"], ["persons.id"], name=op.f("fk_campaigns_created_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_campaigns_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("slug", name=op.f("uq_campaigns_slug")),
    )
    op.create_index("ix_campaigns_organisation_id", "campaigns", ["organisation_id"], unique=False)
    op.create_index("ix_campaigns_search", "campaigns", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_campaigns_state_deadline_on", "campaigns", ["state", "deadline_on"], unique=False)
    op.create_table(
        "budget_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=140), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("optimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.CheckConstraint("hours >= 0", name=op.f("ck_budget_lines_hours_at_least")),
        sa.CheckConstraint("minimum_minor >= 0", name=op.f("ck_budget_lines_minimum_minor_at_least")),
        sa.CheckConstraint("optimum_minor >= minimum_minor", name=op.f("ck_budget_lines_optimum_at_least_minimum")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_budget_lines_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_lines")),
    )
    op.create_index("ix_budget_lines_campaign_id", "budget_lines", ["campaign_id"], unique=False)
    op.create_table(
        "campaign_reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.String(40), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_reviews_campaign_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["persons.id"], name=op.f("fk_campaign_reviews_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_reviews")),
    )
    op.create_index("ix_campaign_reviews_campaign_id", "campaign_reviews", ["campaign_id"], unique=False)
    op.create_table(
        "campaign_sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("publisher", sa.String(length=140), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_sources_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_sources")),
    )
    op.create_index("ix_campaign_sources_campaign_id", "campaign_sources", ["campaign_id"], unique=False)
    op.create_table(
        "campaign_updates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=140), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["persons.id"], name=op.f("fk_campaign_updates_author_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_updates_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_updates")),
    )
    op.create_index("ix_campaign_updates_campaign_id", "campaign_updates", ["campaign_id"], unique=False)
    op.create_table(
        "timeline_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("href", sa.String(length=300), nullable=True),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_timeline_entries_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline_entries")),
        sa.UniqueConstraint("campaign_id", "key", name=op.f("uq_timeline_entries_campaign_id_key")),
    )
    op.create_index("ix_timeline_entries_campaign_id_at", "timeline_entries", ["campaign_id", "at"], unique=False)
    op.create_check_constraint(
        op.f("ck_campaigns_state_known"),
        "campaigns",
        "state IN ('draft', 'submitted', 'changes_requested', 'approved', 'live', 'funded', 'failed', 'consulting', 'answered', 'closed', 'cancelled')",
    )
    op.create_check_constraint(op.f("ck_budget_lines_kind_known"), "budget_lines", "kind IN ('money', 'skill')")
    op.create_check_constraint(
        op.f("ck_campaign_reviews_decision_known"), "campaign_reviews", "decision IN ('approve', 'changes', 'refuse')"
    )
    op.execute(
        """
        CREATE FUNCTION koz_campaign_search() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.search := setweight(to_tsvector('french', NEW.title), 'A')
                || setweight(to_tsvector('french', NEW.summary || ' ' || NEW.ask), 'B')
                || setweight(to_tsvector('french', NEW.addressee_name || ' ' || NEW.addressee_body), 'C')
                || setweight(to_tsvector('french', NEW.story_md), 'D');
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER campaigns_search BEFORE INSERT OR UPDATE OF title, summary, ask, addressee_name, "
        "addressee_body, story_md ON campaigns FOR EACH ROW EXECUTE FUNCTION koz_campaign_search()"
    )


def downgrade() -> None:
    """Drop them."""
    for table in (
        "timeline_entries",
        "campaign_reviews",
        "campaign_updates",
        "campaign_sources",
        "budget_lines",
        "campaigns",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION koz_campaign_search()")
