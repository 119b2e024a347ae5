"""Tables of profiles, missions, proposals and engagements."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("engagements", "proposals", "mission_needs", "missions", "profile_skills", "profiles")


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _at(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _fk(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    """Create them, and the trigger that keeps the search words of missions."""
    _create_profiles()
    _create_missions()
    _create_proposals()
    _create_engagements()


def _create_profiles() -> None:
    op.create_table(
        "profiles",
        _id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("hours_per_week", sa.SmallInteger(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.String(3)), nullable=False),
        sa.Column("departments", postgresql.ARRAY(sa.String(3)), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.String(40)), nullable=False),
        sa.Column("causes_shared", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("quiet_until", sa.Date(), nullable=True),
        _at("created_at", nullable=False),
        _at("updated_at", nullable=False),
        _check("profiles", "hours_per_week_between", "hours_per_week BETWEEN 0 AND 40"),
        _fk("profiles", "person_id", "persons.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("person_id", name=op.f("uq_profiles_person_id")),
    )
    op.create_index("ix_profiles_languages", "profiles", ["languages"], postgresql_using="gin")
    op.create_table(
        "profile_skills",
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("concept_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        _at("confirmed_at", nullable=False),
        _check("profile_skills", "level_between", "level BETWEEN 1 AND 5"),
        _fk("profile_skills", "concept_id", "skill_concepts.id"),
        _fk("profile_skills", "profile_id", "profiles.id", "CASCADE"),
        sa.PrimaryKeyConstraint("profile_id", "concept_id", name=op.f("pk_profile_skills")),
    )
    op.create_index("ix_profile_skills_concept_id", "profile_skills", ["concept_id"])


def _create_missions() -> None:
    op.create_table(
        "missions",
        _id(),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("budget_line_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(140), nullable=False),
        sa.Column("deliverable", sa.Text(), nullable=False),
        sa.Column("done_criteria", sa.Text(), nullable=False),
        sa.Column("hours_total", sa.Integer(), nullable=False),
        sa.Column("hours_per_week", sa.SmallInteger(), nullable=False),
        sa.Column("language", sa.String(3), nullable=False),
        sa.Column("department", sa.String(3), nullable=True),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("seats", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        _at("created_at", nullable=False),
        _at("opened_at"),
        _at("closed_at"),
        sa.Column("search", postgresql.TSVECTOR(), nullable=True),
        _check("missions", "hours_total_between", "hours_total BETWEEN 1 AND 2000"),
        _check("missions", "hours_per_week_between", "hours_per_week BETWEEN 1 AND 40"),
        _check("missions", "seats_between", "seats BETWEEN 1 AND 20"),
        _check("missions", "somewhere", "remote OR department IS NOT NULL"),
        _check("missions", "state_known", "state IN ('draft', 'open', 'filled', 'closed')"),
        _fk("missions", "budget_line_id", "budget_lines.id", "SET NULL"),
        _fk("missions", "campaign_id", "campaigns.id"),
        _fk("missions", "created_by", "persons.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missions")),
    )
    op.create_index("ix_missions_campaign_id", "missions", ["campaign_id"])
    op.create_index("ix_missions_budget_line_id", "missions", ["budget_line_id"])
    op.create_index("ix_missions_state_id", "missions", ["state", "id"])
    op.create_index("ix_missions_search", "missions", ["search"], postgresql_using="gin")
    op.create_table(
        "mission_needs",
        sa.Column("mission_id", sa.BigInteger(), nullable=False),
        sa.Column("concept_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        _check("mission_needs", "level_between", "level BETWEEN 1 AND 5"),
        _fk("mission_needs", "concept_id", "skill_concepts.id"),
        _fk("mission_needs", "mission_id", "missions.id", "CASCADE"),
        sa.PrimaryKeyConstraint("mission_id", "concept_id", name=op.f("pk_mission_needs")),
    )
    op.create_index("ix_mission_needs_concept_id", "mission_needs", ["concept_id"])
    op.execute(
        """
        CREATE FUNCTION koz_mission_search() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.search := setweight(to_tsvector('french', NEW.title), 'A')
                || setweight(to_tsvector('french', NEW.deliverable || ' ' || NEW.done_criteria), 'B');
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER missions_search BEFORE INSERT OR UPDATE OF title, deliverable, done_criteria ON missions "
        "FOR EACH ROW EXECUTE FUNCTION koz_mission_search()"
    )


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        _id(),
        sa.Column("mission_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(40), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("explanation", postgresql.JSONB(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("declined_by", sa.String(40), nullable=True),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("tunes", sa.Boolean(), nullable=False),
        _at("made_at", nullable=False),
        _at("invited_at"),
        _at("answered_at"),
        _check("proposals", "score_at_least", "score >= 0"),
        _check("proposals", "made_by_known", "made_by IN ('organisation', 'professional')"),
        _check("proposals", "declined_by_known", "declined_by IN ('organisation', 'professional')"),
        _check("proposals", "reason_known", "reason IN ('hours', 'place', 'cause', 'skills', 'moment', 'other')"),
        _check("proposals", "state_known", "state IN ('proposed', 'later', 'accepted', 'declined', 'withdrawn')"),
        _fk("proposals", "member_id", "persons.id"),
        _fk("proposals", "mission_id", "missions.id"),
        _fk("proposals", "person_id", "persons.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("mission_id", "person_id", name=op.f("uq_proposals_mission_id_person_id")),
    )
    op.create_index("ix_proposals_person_id_invited_at", "proposals", ["person_id", "invited_at"])


def _create_engagements() -> None:
    op.create_table(
        "engagements",
        _id(),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("mission_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("hours_given", sa.Integer(), nullable=False),
        _at("accepted_at", nullable=False),
        _at("started_at"),
        _at("delivered_at"),
        _at("closed_at"),
        _check("engagements", "hours_given_between", "hours_given BETWEEN 0 AND 4000"),
        _check("engagements", "state_known", "state IN ('accepted', 'running', 'delivered', 'closed', 'cancelled')"),
        _fk("engagements", "member_id", "persons.id"),
        _fk("engagements", "mission_id", "missions.id"),
        _fk("engagements", "person_id", "persons.id"),
        _fk("engagements", "proposal_id", "proposals.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagements")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_engagements_proposal_id")),
    )
    op.create_index("ix_engagements_mission_id", "engagements", ["mission_id"])
    op.create_index("ix_engagements_person_id", "engagements", ["person_id"])
    op.create_index("ix_engagements_state", "engagements", ["state"])


def downgrade() -> None:
    """Drop them."""
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION koz_mission_search()")
