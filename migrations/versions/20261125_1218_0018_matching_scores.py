"""What the score takes into account: unanswered invitations can take it below zero where nothing else speaks."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NAME = "ck_proposals_score_at_least"


def upgrade() -> None:
    """Widen the check."""
    op.drop_constraint(op.f(NAME), "proposals")
    op.create_check_constraint(op.f(NAME), "proposals", sa.text("score >= -1"))


def downgrade() -> None:
    """Narrow it; scores below zero become zero, their terms stay."""
    op.execute("UPDATE proposals SET score = 0 WHERE score < 0")
    op.drop_constraint(op.f(NAME), "proposals")
    op.create_check_constraint(op.f(NAME), "proposals", sa.text("score >= 0"))
