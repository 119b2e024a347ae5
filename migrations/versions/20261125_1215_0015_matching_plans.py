"""Plans of invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATES = "'proposed', 'later', 'accepted', 'declined', 'withdrawn'"


def _fk(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _states(words: str) -> None:
    op.drop_constraint(op.f("ck_proposals_state_known"), "proposals")
    op.create_check_constraint(op.f("ck_proposals_state_known"), "proposals", sa.text(f"state IN ({words})"))


def upgrade() -> None:
    """Create them; invitations may expire."""
    _states(f"{STATES}, 'expired'")
    op.create_index("ix_proposals_invited_at", "proposals", ["invited_at"])
    op.create_table(
        "mission_plans",
        sa.Column("mission_id", sa.BigInteger(), nullable=False),
        sa.Column("auto_by", sa.BigInteger(), nullable=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("left_out_asked", sa.Integer(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        _fk("mission_plans", "mission_id", "missions.id", "CASCADE"),
        _fk("mission_plans", "auto_by", "persons.id", "SET NULL"),
        sa.PrimaryKeyConstraint("mission_id", name=op.f("pk_mission_plans")),
    )
    op.create_index("ix_mission_plans_auto_by", "mission_plans", ["auto_by"])
    op.create_table(
        "planned_invitations",
        sa.Column("mission_id", sa.BigInteger(), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("explanation", postgresql.JSONB(), nullable=False),
        _fk("planned_invitations", "mission_id", "missions.id", "CASCADE"),
        _fk("planned_invitations", "profile_id", "profiles.id", "CASCADE"),
        sa.PrimaryKeyConstraint("mission_id", "profile_id", name=op.f("pk_planned_invitations")),
    )
    op.create_index("ix_planned_invitations_profile_id", "planned_invitations", ["profile_id"])
    op.create_table(
        "invitation_plans",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missions", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("chosen", sa.Integer(), nullable=False),
        sa.Column("without_candidates", sa.Integer(), nullable=False),
        sa.Column("objective", sa.Float(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_plans")),
    )


def downgrade() -> None:
    """Drop them; what has expired counts as taken back."""
    for table in ("invitation_plans", "planned_invitations", "mission_plans"):
        op.drop_table(table)
    op.drop_index("ix_proposals_invited_at", "proposals")
    op.execute("UPDATE proposals SET state = 'withdrawn' WHERE state = 'expired'")
    _states(STATES)
