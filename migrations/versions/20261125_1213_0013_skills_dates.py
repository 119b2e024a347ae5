"""Dates of missions and of what professionals offer."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them, all optional."""
    op.add_column("profiles", sa.Column("available_from", sa.Date(), nullable=True))
    op.add_column("profiles", sa.Column("available_until", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_profiles_available_in_order"), "profiles", "available_until >= available_from")
    op.add_column("missions", sa.Column("starts_on", sa.Date(), nullable=True))
    op.add_column("missions", sa.Column("ends_on", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_missions_dates_in_order"), "missions", "ends_on >= starts_on")


def downgrade() -> None:
    """Drop them."""
    op.drop_column("missions", "ends_on")
    op.drop_column("missions", "starts_on")
    op.drop_column("profiles", "available_until")
    op.drop_column("profiles", "available_from")
