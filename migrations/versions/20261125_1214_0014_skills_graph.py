"""What the graph of concepts and its index need in the database."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


KINDS = "kind IN ('broader', 'related', 'same_as', 'needs')"
ALL_KINDS = "kind IN ('broader', 'related', 'same_as', 'needs', 'sibling', 'co_occurs')"


def upgrade() -> None:
    """Add the descriptions that the sources give, and name the kinds of edges that are derived."""
    op.drop_constraint(op.f("ck_skill_edges_kind_known"), "skill_edges", type_="check")
    op.create_check_constraint(op.f("ck_skill_edges_kind_known"), "skill_edges", ALL_KINDS)
    op.add_column("skill_concepts", sa.Column("description_fr", sa.Text(), nullable=True))
    op.add_column("skill_concepts", sa.Column("description_en", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them, and derived edges should some have been stored."""
    op.execute("DELETE FROM skill_edges WHERE kind IN ('sibling', 'co_occurs')")
    op.drop_constraint(op.f("ck_skill_edges_kind_known"), "skill_edges", type_="check")
    op.create_check_constraint(op.f("ck_skill_edges_kind_known"), "skill_edges", KINDS)
    op.drop_column("skill_concepts", "description_en")
    op.drop_column("skill_concepts", "description_fr")
