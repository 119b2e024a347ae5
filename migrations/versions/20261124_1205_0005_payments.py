"""Tables of payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "inbox_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("endpoint", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("type", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=True),
        sa.Column("object_id", sa.String(length=120), nullable=True),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_events")),
        sa.UniqueConstraint("endpoint", "external_id", name=op.f("uq_inbox_events_endpoint_external_id")),
    )
    op.create_index(
        "ix_inbox_events_waiting",
        "inbox_events",
        ["next_attempt_at"],
        unique=False,
        postgresql_where="state = 'waiting'",
    )
    op.create_table(
        "payment_accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.String(length=80), nullable=True),
        sa.Column("can_charge", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_payment_accounts_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_accounts")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_payment_accounts_organisation_id")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_payment_accounts_provider_id")),
    )
    op.create_table(
        "gifts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("public_name", sa.String(length=80), nullable=True),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tip_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("currency = 'EUR'", name=op.f("ck_gifts_currency_known")),
        sa.CheckConstraint("amount_minor >= 50", name=op.f("ck_gifts_amount_minor_at_least")),
        sa.CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name=op.f("ck_gifts_refunded_within_amount")),
        sa.CheckConstraint("tip_minor >= 0", name=op.f("ck_gifts_tip_minor_at_least")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_gifts_campaign_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_gifts_organisation_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_gifts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gifts")),
    )
    op.create_index("ix_gifts_campaign_id_collected_at", "gifts", ["campaign_id", "collected_at"], unique=False)
    op.create_index("ix_gifts_opened", "gifts", ["created_at"], unique=False, postgresql_where="state = 'opened'")
    op.create_table(
        "gift_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("gift_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("session_id", sa.String(length=120), nullable=True),
        sa.Column("payment_id", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gift_id"], ["gifts.id"], name=op.f("fk_gift_attempts_gift_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_attempts")),
        sa.UniqueConstraint("gift_id", "number", name=op.f("uq_gift_attempts_gift_id_number")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_gift_attempts_payment_id")),
        sa.UniqueConstraint("session_id", name=op.f("uq_gift_attempts_session_id")),
    )
    op.create_table(
        "ledger_postings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("gift_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_ledger_postings_campaign_id")),
        sa.ForeignKeyConstraint(["gift_id"], ["gifts.id"], name=op.f("fk_ledger_postings_gift_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_postings")),
        sa.UniqueConstraint("cause", name=op.f("uq_ledger_postings_cause")),
    )
    op.create_index("ix_ledger_postings_campaign_id_id", "ledger_postings", ["campaign_id", "id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("gift_id", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tip_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("provider_id", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_refunds_amount_minor_at_least")),
        sa.CheckConstraint("tip_minor >= 0", name=op.f("ck_refunds_tip_minor_at_least")),
        sa.ForeignKeyConstraint(["created_by"], ["persons.id"], name=op.f("fk_refunds_created_by")),
        sa.ForeignKeyConstraint(["gift_id"], ["gifts.id"], name=op.f("fk_refunds_gift_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_refunds_provider_id")),
    )
    op.create_index(op.f("ix_refunds_gift_id"), "refunds", ["gift_id"], unique=False)
    op.create_table(
        "ledger_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("posting_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("account ~ '^[a-z_]+(:[0-9]+)?$'", name=op.f("ck_ledger_lines_account_form")),
        sa.CheckConstraint("minor <> 0", name=op.f("ck_ledger_lines_moves_something")),
        sa.ForeignKeyConstraint(["posting_id"], ["ledger_postings.id"], name=op.f("fk_ledger_lines_posting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_lines")),
        sa.UniqueConstraint("posting_id", "account", name=op.f("uq_ledger_lines_posting_id_account")),
    )
    op.create_index("ix_ledger_lines_account", "ledger_lines", ["account"], unique=False)
    op.create_check_constraint(
        op.f("ck_inbox_events_state_known"), "inbox_events", "state IN ('waiting', 'handled', 'ignored', 'dead')"
    )
    op.create_check_constraint(
        op.f("ck_gifts_state_known"), "gifts", "state IN ('opened', 'collected', 'abandoned', 'refunded')"
    )
    op.create_check_constraint(
        op.f("ck_gift_attempts_state_known"), "gift_attempts", "state IN ('asked', 'open', 'paid', 'expired')"
    )
    op.create_check_constraint(
        op.f("ck_refunds_state_known"), "refunds", "state IN ('wanted', 'pending', 'done', 'failed')"
    )
    op.execute(
        """
        CREATE FUNCTION koz_posting_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            wanted bigint := CASE WHEN TG_TABLE_NAME = 'ledger_postings' THEN NEW.id ELSE (to_jsonb(NEW) ->> 'posting_id')::bigint END;
        BEGIN
            IF (SELECT count(*) < 2 FROM ledger_lines WHERE posting_id = wanted) OR EXISTS (
                SELECT 1 FROM ledger_lines WHERE posting_id = wanted GROUP BY currency HAVING sum(minor) <> 0
            ) THEN
                RAISE EXCEPTION 'posting % does not add up to zero', wanted USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table in ("ledger_postings", "ledger_lines"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION koz_posting_balanced()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION koz_append_only()"
        )


def downgrade() -> None:
    """Drop them."""
    for table in (
        "ledger_lines",
        "ledger_postings",
        "inbox_events",
        "refunds",
        "gift_attempts",
        "gifts",
        "payment_accounts",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION koz_posting_balanced()")
