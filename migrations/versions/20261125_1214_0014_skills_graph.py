"""What the graph of concepts and its index need in the database."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the descriptions that the sources give."""
    op.add_column("skill_concepts", sa.Column("description_fr", sa.Text(), nullable=True))
    op.add_column("skill_concepts", sa.Column("description_en", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("skill_concepts", "description_en")
    op.drop_column("skill_concepts", "description_fr")
