"""What onboarding and refunds need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    _accounts()
    _gifts()
    _refunds()


def _accounts() -> None:
    op.add_column("payment_accounts", sa.Column("state", sa.String(40), nullable=False, server_default="to_finish"))
    op.add_column(
        "payment_accounts", sa.Column("requirements", postgresql.JSONB(), nullable=False, server_default="[]")
    )
    op.add_column("payment_accounts", sa.Column("contact_email", sa.String(254), nullable=False, server_default=""))
    for column in ("state", "requirements", "contact_email"):
        op.alter_column("payment_accounts", column, server_default=None)
    op.create_check_constraint(
        op.f("ck_payment_accounts_state_known"), "payment_accounts", "state IN ('to_finish', 'active', 'restricted')"
    )


def _gifts() -> None:
    op.add_column("gifts", sa.Column("refunding_minor", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("gifts", "refunding_minor", server_default=None)
    op.add_column("gifts", sa.Column("form_key", sa.String(64), nullable=True))
    op.create_unique_constraint(op.f("uq_gifts_form_key"), "gifts", ["form_key"])
    op.create_check_constraint(
        op.f("ck_gifts_refunds_within_amount"),
        "gifts",
        "refunding_minor >= 0 AND refunded_minor + refunding_minor <= amount_minor",
    )
    op.create_index("ix_gifts_campaign_id_email", "gifts", ["campaign_id", "email"])
    op.create_index("ix_gifts_campaign_id_id", "gifts", ["campaign_id", "id"])
    op.create_index(
        "ix_gifts_shown", "gifts", ["campaign_id", "collected_at"],
        postgresql_where="state = 'collected' AND public_name IS NOT NULL",
    )  # fmt: skip
    op.create_index("ix_gifts_person_id", "gifts", ["person_id"], postgresql_where="person_id IS NOT NULL")
    op.add_column("gift_attempts", sa.Column("url", sa.Text(), nullable=True))
    op.add_column("gift_attempts", sa.Column("surplus", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("gift_attempts", "surplus", server_default=None)
    op.add_column("gift_attempts", sa.Column("failure", sa.String(80), nullable=True))
    _attempt_states("'asked', 'open', 'under_way', 'paid', 'expired'")
    op.create_index(
        "ix_gift_attempts_unsettled",
        "gift_attempts",
        ["created_at"],
        postgresql_where="state IN ('asked', 'open', 'under_way')",
    )
    op.create_index("ix_ledger_postings_gift_id", "ledger_postings", ["gift_id"])


def _attempt_states(words: str) -> None:
    op.drop_constraint(op.f("ck_gift_attempts_state_known"), "gift_attempts", type_="check")
    op.create_check_constraint(op.f("ck_gift_attempts_state_known"), "gift_attempts", f"state IN ({words})")


def _refunds() -> None:
    op.add_column("refunds", sa.Column("surplus", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("refunds", sa.Column("fee_back_minor", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("refunds", sa.Column("failure", sa.String(80), nullable=True))
    op.add_column("refunds", sa.Column("form_key", sa.String(64), nullable=True))
    op.add_column("refunds", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "refunds",
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.add_column("refunds", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    for column in ("surplus", "fee_back_minor", "tries", "next_attempt_at"):
        op.alter_column("refunds", column, server_default=None)
    op.create_unique_constraint(op.f("uq_refunds_form_key"), "refunds", ["form_key"])
    op.drop_constraint(op.f("ck_refunds_amount_minor_at_least"), "refunds", type_="check")
    op.create_check_constraint(op.f("ck_refunds_amount_minor_at_least"), "refunds", "amount_minor >= 0")
    op.create_check_constraint(op.f("ck_refunds_moves_something"), "refunds", "amount_minor + tip_minor >= 1")
    op.create_index(
        "ix_refunds_unsettled", "refunds", ["next_attempt_at"], postgresql_where="state IN ('wanted', 'pending')"
    )


def downgrade() -> None:
    """Take it away again. Refunds of a tip alone cannot be kept by the older tables: there must be none."""
    op.drop_index("ix_refunds_unsettled", "refunds")
    op.drop_constraint(op.f("ck_refunds_moves_something"), "refunds", type_="check")
    op.drop_constraint(op.f("ck_refunds_amount_minor_at_least"), "refunds", type_="check")
    op.create_check_constraint(op.f("ck_refunds_amount_minor_at_least"), "refunds", "amount_minor >= 1")
    op.drop_constraint(op.f("uq_refunds_form_key"), "refunds", type_="unique")
    for column in ("settled_at", "next_attempt_at", "tries", "form_key", "failure", "fee_back_minor", "surplus"):
        op.drop_column("refunds", column)
    op.drop_index("ix_ledger_postings_gift_id", "ledger_postings")
    op.drop_index("ix_gift_attempts_unsettled", "gift_attempts")
    op.execute("UPDATE gift_attempts SET state = 'open' WHERE state = 'under_way'")
    _attempt_states("'asked', 'open', 'paid', 'expired'")
    for column in ("failure", "surplus", "url"):
        op.drop_column("gift_attempts", column)
    op.drop_index("ix_gifts_shown", table_name="gifts")
    op.drop_index("ix_gifts_person_id", table_name="gifts")
    op.drop_index("ix_gifts_campaign_id_id", "gifts")
    op.drop_index("ix_gifts_campaign_id_email", "gifts")
    op.drop_constraint(op.f("ck_gifts_refunds_within_amount"), "gifts", type_="check")
    op.drop_constraint(op.f("uq_gifts_form_key"), "gifts", type_="unique")
    for column in ("form_key", "refunding_minor"):
        op.drop_column("gifts", column)
    op.drop_constraint(op.f("ck_payment_accounts_state_known"), "payment_accounts", type_="check")
    for column in ("contact_email", "requirements", "state"):
        op.drop_column("payment_accounts", column)
