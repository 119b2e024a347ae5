"""Budgets payable in skills; teams."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KNOWN = "ck_budget_lines_kind_known"


def upgrade() -> None:
    """Create them; engagements there are on lines in hours are counted. None of those lines has a sum to lower."""
    for table, column, kind in (
        ("campaigns", "skills_minor", sa.BigInteger()),
        ("budget_lines", "skills_minor", sa.BigInteger()),
        ("budget_lines", "hours_given", sa.Integer()),
    ):
        op.add_column(table, sa.Column(column, kind, nullable=False, server_default="0"))
        op.alter_column(table, column, server_default=None)
        op.create_check_constraint(op.f(f"ck_{table}_{column}_at_least"), table, f"{column} >= 0")
    for table in ("campaigns", "budget_lines"):
        name = op.f(f"ck_{table}_skills_at_most_minimum")
        op.create_check_constraint(name, table, "skills_minor <= minimum_minor")
    op.drop_constraint(op.f(KNOWN), "budget_lines")
    op.create_check_constraint(op.f(KNOWN), "budget_lines", "kind IN ('money', 'skill', 'either')")
    op.create_table(
        "budget_hours",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("budget_line_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=140), nullable=False),
        sa.Column("href", sa.String(length=300), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("active OR minor = 0", name=op.f("ck_budget_hours_inactive_is_nothing")),
        sa.CheckConstraint("hours >= 0", name=op.f("ck_budget_hours_hours_at_least")),
        sa.CheckConstraint("minor >= 0", name=op.f("ck_budget_hours_minor_at_least")),
        sa.ForeignKeyConstraint(["budget_line_id"], ["budget_lines.id"], name=op.f("fk_budget_hours_budget_line_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_budget_hours_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_hours")),
        sa.UniqueConstraint("key", name=op.f("uq_budget_hours_key")),
    )
    op.create_index("ix_budget_hours_campaign_id_id", "budget_hours", ["campaign_id", "id"], unique=False)
    op.create_index("ix_budget_hours_budget_line_id", "budget_hours", ["budget_line_id"], unique=False)
    op.execute(
        """
        INSERT INTO budget_hours (campaign_id, budget_line_id, key, title, href, hours, minor, active, given_at)
        SELECT m.campaign_id, l.id, 'engagement-' || e.id, m.title, '/missions/' || m.id,
            m.hours_total / m.seats, 0, true, e.accepted_at
        FROM engagements e JOIN missions m ON m.id = e.mission_id JOIN budget_lines l ON l.id = m.budget_line_id
        WHERE e.state <> 'cancelled' ORDER BY e.id
        """
    )
    op.execute(
        """
        UPDATE budget_lines l SET hours_given = g.hours
        FROM (SELECT budget_line_id, sum(hours) AS hours FROM budget_hours GROUP BY budget_line_id) g
        WHERE g.budget_line_id = l.id
        """
    )


def downgrade() -> None:
    """Drop them; lines that are either become lines in money again."""
    op.drop_table("budget_hours")
    op.drop_constraint(op.f(KNOWN), "budget_lines")
    op.execute("UPDATE budget_lines SET kind = 'money', hours = 0 WHERE kind = 'either'")
    op.create_check_constraint(op.f(KNOWN), "budget_lines", "kind IN ('money', 'skill')")
    op.drop_column("budget_lines", "hours_given")
    op.drop_column("budget_lines", "skills_minor")
    op.drop_column("campaigns", "skills_minor")
