"""Tables of consultations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Consultations, their texts and their votes."""

    op.create_table(
        "consultations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(length=110), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=False),
        sa.Column("intro_md", sa.Text(), nullable=False),
        sa.Column("intro_html", sa.Text(), nullable=False),
        sa.Column("addressee", sa.String(length=300), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state = 'draft' OR (opens_at IS NOT NULL AND closes_at IS NOT NULL)",
            name=op.f("ck_consultations_open_has_dates"),
        ),
        sa.CheckConstraint("answer_days BETWEEN 1 AND 366", name=op.f("ck_consultations_answer_days_range")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_consultations_closes_after_opening")),
        sa.CheckConstraint("days BETWEEN 1 AND 366", name=op.f("ck_consultations_days_range")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_consultations_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_consultations_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultations")),
        sa.UniqueConstraint("campaign_id", name=op.f("uq_consultations_campaign_id")),
        sa.UniqueConstraint("external_id", name=op.f("uq_consultations_external_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_consultations_slug")),
    )
    op.create_index("ix_consultations_organisation_id", "consultations", ["organisation_id"], unique=False)
    op.create_index("ix_consultations_state_closes_at", "consultations", ["state", "closes_at"], unique=False)
    op.create_table(
        "consultation_participants",
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_consultation_participants_consultation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_consultation_participants_person_id")),
        sa.PrimaryKeyConstraint("consultation_id", "person_id", name=op.f("pk_consultation_participants")),
    )
    op.create_index("ix_consultation_participants_person_id", "consultation_participants", ["person_id"], unique=False)
    op.create_table(
        "consultation_sections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("amendments", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.CheckConstraint("amendments >= 0", name=op.f("ck_consultation_sections_amendments_at_least")),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name=op.f("fk_consultation_sections_consultation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation_sections")),
        sa.UniqueConstraint(
            "consultation_id", "external_id", name=op.f("uq_consultation_sections_consultation_id_external_id")
        ),
    )
    op.create_index(
        "ix_consultation_sections_consultation_id_position",
        "consultation_sections",
        ["consultation_id", "position"],
        unique=False,
    )
    op.create_table(
        "contributions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("section_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("author_label", sa.String(length=120), nullable=False),
        sa.Column("by_organiser", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agree", sa.Integer(), nullable=False),
        sa.Column("mixed", sa.Integer(), nullable=False),
        sa.Column("disagree", sa.Integer(), nullable=False),
        sa.Column("amendments", sa.Integer(), nullable=False),
        sa.Column("arguments_for", sa.Integer(), nullable=False),
        sa.Column("arguments_against", sa.Integer(), nullable=False),
        sa.Column("sourced_arguments", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("imported_agree", sa.Integer(), nullable=False),
        sa.Column("imported_mixed", sa.Integer(), nullable=False),
        sa.Column("imported_disagree", sa.Integer(), nullable=False),
        sa.Column("imported_amendments", sa.Integer(), nullable=False),
        sa.Column("imported_trashed", sa.Boolean(), nullable=False),
        sa.Column("annexes", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("agree >= 0", name=op.f("ck_contributions_agree_at_least")),
        sa.CheckConstraint("amendments >= 0", name=op.f("ck_contributions_amendments_at_least")),
        sa.CheckConstraint("arguments_against >= 0", name=op.f("ck_contributions_arguments_against_at_least")),
        sa.CheckConstraint("arguments_for >= 0", name=op.f("ck_contributions_arguments_for_at_least")),
        sa.CheckConstraint("disagree >= 0", name=op.f("ck_contributions_disagree_at_least")),
        sa.CheckConstraint("mixed >= 0", name=op.f("ck_contributions_mixed_at_least")),
        sa.CheckConstraint("sourced_arguments >= 0", name=op.f("ck_contributions_sourced_arguments_at_least")),
        sa.ForeignKeyConstraint(["author_id"], ["persons.id"], name=op.f("fk_contributions_author_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_contributions_consultation_id")
        ),
        sa.ForeignKeyConstraint(["section_id"], ["consultation_sections.id"], name=op.f("fk_contributions_section_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contributions")),
        sa.UniqueConstraint("author_id", "form_key", name=op.f("uq_contributions_author_id_form_key")),
        sa.UniqueConstraint(
            "consultation_id", "external_id", name=op.f("uq_contributions_consultation_id_external_id")
        ),
    )
    op.create_index("ix_contributions_consultation_id_id", "contributions", ["consultation_id", "id"], unique=False)
    op.create_index(
        "ix_contributions_section_id_position_id", "contributions", ["section_id", "position", "id"], unique=False
    )
    op.create_table(
        "amendments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("contribution_id", sa.BigInteger(), nullable=True),
        sa.Column("section_id", sa.BigInteger(), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("proposed_md", sa.Text(), nullable=False),
        sa.Column("diff", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agree", sa.Integer(), nullable=False),
        sa.Column("mixed", sa.Integer(), nullable=False),
        sa.Column("disagree", sa.Integer(), nullable=False),
        sa.Column("arguments_for", sa.Integer(), nullable=False),
        sa.Column("arguments_against", sa.Integer(), nullable=False),
        sa.Column("sourced_arguments", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.CheckConstraint("agree >= 0", name=op.f("ck_amendments_agree_at_least")),
        sa.CheckConstraint("arguments_against >= 0", name=op.f("ck_amendments_arguments_against_at_least")),
        sa.CheckConstraint("arguments_for >= 0", name=op.f("ck_amendments_arguments_for_at_least")),
        sa.CheckConstraint("disagree >= 0", name=op.f("ck_amendments_disagree_at_least")),
        sa.CheckConstraint("mixed >= 0", name=op.f("ck_amendments_mixed_at_least")),
        sa.CheckConstraint("num_nonnulls(contribution_id, section_id) = 1", name=op.f("ck_amendments_of_one_thing")),
        sa.CheckConstraint("sourced_arguments >= 0", name=op.f("ck_amendments_sourced_arguments_at_least")),
        sa.ForeignKeyConstraint(["author_id"], ["persons.id"], name=op.f("fk_amendments_author_id")),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultations.id"], name=op.f("fk_amendments_consultation_id")),
        sa.ForeignKeyConstraint(["contribution_id"], ["contributions.id"], name=op.f("fk_amendments_contribution_id")),
        sa.ForeignKeyConstraint(["section_id"], ["consultation_sections.id"], name=op.f("fk_amendments_section_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendments")),
        sa.UniqueConstraint("author_id", "form_key", name=op.f("uq_amendments_author_id_form_key")),
    )
    op.create_index("ix_amendments_consultation_id_id", "amendments", ["consultation_id", "id"], unique=False)
    op.create_index("ix_amendments_contribution_id_id", "amendments", ["contribution_id", "id"], unique=False)
    op.create_index("ix_amendments_section_id_id", "amendments", ["section_id", "id"], unique=False)
    op.create_table(
        "contribution_votes",
        sa.Column("contribution_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.String(40), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_contribution_votes_consultation_id")
        ),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contributions.id"], name=op.f("fk_contribution_votes_contribution_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_contribution_votes_person_id")),
        sa.PrimaryKeyConstraint("contribution_id", "person_id", name=op.f("pk_contribution_votes")),
    )
    op.create_index("ix_contribution_votes_person_id", "contribution_votes", ["person_id"])
    op.create_index(
        "ix_contribution_votes_consultation_id_person_id",
        "contribution_votes",
        ["consultation_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "amendment_votes",
        sa.Column("amendment_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.String(40), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["amendment_id"], ["amendments.id"], name=op.f("fk_amendment_votes_amendment_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_amendment_votes_consultation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_amendment_votes_person_id")),
        sa.PrimaryKeyConstraint("amendment_id", "person_id", name=op.f("pk_amendment_votes")),
    )
    op.create_index(
        "ix_amendment_votes_consultation_id_person_id",
        "amendment_votes",
        ["consultation_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "arguments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("contribution_id", sa.BigInteger(), nullable=True),
        sa.Column("amendment_id", sa.BigInteger(), nullable=True),
        sa.Column("side", sa.String(40), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("author_label", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useful", sa.Integer(), nullable=False),
        sa.Column("sources", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("imported_useful", sa.Integer(), nullable=False),
        sa.CheckConstraint("num_nonnulls(contribution_id, amendment_id) = 1", name=op.f("ck_arguments_of_one_thing")),
        sa.CheckConstraint("sources >= 0", name=op.f("ck_arguments_sources_at_least")),
        sa.CheckConstraint("useful >= 0", name=op.f("ck_arguments_useful_at_least")),
        sa.ForeignKeyConstraint(["amendment_id"], ["amendments.id"], name=op.f("fk_arguments_amendment_id")),
        sa.ForeignKeyConstraint(["author_id"], ["persons.id"], name=op.f("fk_arguments_author_id")),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultations.id"], name=op.f("fk_arguments_consultation_id")),
        sa.ForeignKeyConstraint(["contribution_id"], ["contributions.id"], name=op.f("fk_arguments_contribution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arguments")),
        sa.UniqueConstraint("author_id", "form_key", name=op.f("uq_arguments_author_id_form_key")),
        sa.UniqueConstraint("consultation_id", "external_id", name=op.f("uq_arguments_consultation_id_external_id")),
    )
    op.create_index("ix_arguments_amendment_id_side", "arguments", ["amendment_id", "side"], unique=False)
    op.create_index("ix_arguments_consultation_id_id", "arguments", ["consultation_id", "id"], unique=False)
    op.create_index("ix_arguments_contribution_id_side", "arguments", ["contribution_id", "side"], unique=False)
    op.create_table(
        "argument_votes",
        sa.Column("argument_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["argument_id"], ["arguments.id"], name=op.f("fk_argument_votes_argument_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_argument_votes_consultation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_argument_votes_person_id")),
        sa.PrimaryKeyConstraint("argument_id", "person_id", name=op.f("pk_argument_votes")),
    )
    op.create_index(
        "ix_argument_votes_consultation_id_person_id", "argument_votes", ["consultation_id", "person_id"], unique=False
    )
    op.create_table(
        "consultation_sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=False),
        sa.Column("argument_id", sa.BigInteger(), nullable=True),
        sa.Column("contribution_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("publisher", sa.String(length=140), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("passage", sa.Text(), nullable=False),
        sa.Column("author_label", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("imported_useful", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(argument_id, contribution_id) = 1", name=op.f("ck_consultation_sources_of_one_thing")
        ),
        sa.ForeignKeyConstraint(["argument_id"], ["arguments.id"], name=op.f("fk_consultation_sources_argument_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_consultation_sources_consultation_id")
        ),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contributions.id"], name=op.f("fk_consultation_sources_contribution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation_sources")),
        sa.UniqueConstraint(
            "consultation_id", "external_id", name=op.f("uq_consultation_sources_consultation_id_external_id")
        ),
    )
    op.create_index("ix_consultation_sources_argument_id", "consultation_sources", ["argument_id"], unique=False)
    op.create_index(
        "ix_consultation_sources_contribution_id", "consultation_sources", ["contribution_id"], unique=False
    )
    op.create_check_constraint(
        op.f("ck_consultations_state_known"), "consultations", "state IN ('draft', 'open', 'closed')"
    )
    op.create_check_constraint(
        op.f("ck_consultation_participants_kind_known"),
        "consultation_participants",
        "kind IN ('person', 'association', 'company', 'public_body')",
    )
    op.create_check_constraint(op.f("ck_arguments_side_known"), "arguments", "side IN ('for', 'against')")
    op.create_check_constraint(
        op.f("ck_consultation_sources_kind_known"),
        "consultation_sources",
        "kind IN ('law', 'report', 'science', 'data', 'press', 'book', 'web', 'other')",
    )
    op.create_check_constraint(
        op.f("ck_contribution_votes_choice_known"), "contribution_votes", "choice IN ('agree', 'mixed', 'disagree')"
    )
    op.create_check_constraint(
        op.f("ck_amendment_votes_choice_known"), "amendment_votes", "choice IN ('agree', 'mixed', 'disagree')"
    )


def downgrade() -> None:
    """Drop them."""
    for table in (
        "consultation_sources",
        "argument_votes",
        "arguments",
        "amendment_votes",
        "contribution_votes",
        "amendments",
        "contributions",
        "consultation_sections",
        "consultation_participants",
        "consultations",
    ):
        op.drop_table(table)
