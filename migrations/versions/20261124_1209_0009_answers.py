"""Tables of answers: requests, points, notes, commitments and their story. A published answer is final."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "answer_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("consultation_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("link_version", sa.Integer(), nullable=False),
        sa.Column("link_sends", sa.Integer(), nullable=False),
        sa.Column("link_sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("draft_version", sa.Integer(), nullable=False),
        sa.Column("signed_name", sa.String(length=140), nullable=False),
        sa.Column("signed_function", sa.String(length=140), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'answered') = (published_at IS NOT NULL)", name=op.f("ck_answer_requests_published_when_answered")
        ),
        sa.CheckConstraint(
            "state <> 'answered' OR signed_name <> ''", name=op.f("ck_answer_requests_answered_is_signed")
        ),
        sa.CheckConstraint("answer_days BETWEEN 1 AND 366", name=op.f("ck_answer_requests_answer_days_sane")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_answer_requests_campaign_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_answer_requests_consultation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_requests")),
        sa.UniqueConstraint("campaign_id", name=op.f("uq_answer_requests_campaign_id")),
    )
    op.create_index(
        "ix_answer_requests_due",
        "answer_requests",
        ["due_on"],
        unique=False,
        postgresql_where="state IN ('asked', 'accepted')",
    )
    op.create_table(
        "answer_mutes",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_answer_mutes_campaign_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_answer_mutes_person_id")),
        sa.PrimaryKeyConstraint("campaign_id", "person_id", name=op.f("pk_answer_mutes")),
    )
    op.create_table(
        "answer_notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["answer_requests.id"], name=op.f("fk_answer_notes_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_notes")),
    )
    op.create_index("ix_answer_notes_request_id", "answer_notes", ["request_id"], unique=False)
    op.create_table(
        "answer_points",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("href", sa.String(length=300), nullable=True),
        sa.Column("agree", sa.Integer(), nullable=False),
        sa.Column("mixed", sa.Integer(), nullable=False),
        sa.Column("disagree", sa.Integer(), nullable=False),
        sa.Column("stance", sa.String(40), nullable=True),
        sa.Column("reasons_md", sa.Text(), nullable=False),
        sa.Column("reasons_html", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "agree >= 0 AND mixed >= 0 AND disagree >= 0", name=op.f("ck_answer_points_counts_at_least")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["answer_requests.id"], name=op.f("fk_answer_points_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_points")),
        sa.UniqueConstraint("request_id", "source_key", name=op.f("uq_answer_points_request_id_source_key")),
    )
    op.create_table(
        "commitments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("owner", sa.String(length=140), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("proof_url", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("late_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["answer_requests.id"], name=op.f("fk_commitments_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitments")),
        sa.UniqueConstraint("request_id", "position", name=op.f("uq_commitments_request_id_position")),
    )
    op.create_index(
        "ix_commitments_due",
        "commitments",
        ["due_on"],
        unique=False,
        postgresql_where="state IN ('announced', 'under_way')",
    )
    op.create_table(
        "commitment_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("commitment_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("proof_url", sa.String(length=1000), nullable=False),
        sa.CheckConstraint(
            "(party = 'official') = (state IS NOT NULL)", name=op.f("ck_commitment_changes_only_the_official_moves")
        ),
        sa.ForeignKeyConstraint(
            ["commitment_id"], ["commitments.id"], name=op.f("fk_commitment_changes_commitment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment_changes")),
    )
    op.create_index("ix_commitment_changes_commitment_id", "commitment_changes", ["commitment_id"], unique=False)
    op.create_check_constraint(
        op.f("ck_answer_requests_state_known"),
        "answer_requests",
        "state IN ('asked', 'accepted', 'answered', 'withdrawn')",
    )
    op.create_check_constraint(
        op.f("ck_answer_points_kind_known"), "answer_points", "kind IN ('ask', 'top', 'minority')"
    )
    op.create_check_constraint(
        op.f("ck_answer_points_stance_known"),
        "answer_points",
        "stance IN ('yes', 'partly', 'no', 'under_study', 'no_answer')",
    )
    op.create_check_constraint(
        op.f("ck_commitments_state_known"), "commitments", "state IN ('announced', 'under_way', 'kept', 'dropped')"
    )
    op.create_check_constraint(
        op.f("ck_commitment_changes_party_known"), "commitment_changes", "party IN ('official', 'organisation')"
    )
    op.create_check_constraint(
        op.f("ck_commitment_changes_state_known"),
        "commitment_changes",
        "state IN ('announced', 'under_way', 'kept', 'dropped')",
    )
    op.execute(
        """
        CREATE FUNCTION koz_answer_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE answered_id bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.request_id ELSE OLD.request_id END;
        BEGIN
            IF EXISTS (SELECT 1 FROM answer_requests WHERE id = answered_id AND state = 'answered') THEN
                RAISE EXCEPTION 'a published answer cannot be changed (request %)', answered_id;
            END IF;
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER answer_points_final BEFORE INSERT OR UPDATE OR DELETE ON answer_points "
        "FOR EACH ROW EXECUTE FUNCTION koz_answer_is_final()"
    )
    op.execute(
        "CREATE TRIGGER commitments_final BEFORE INSERT OR DELETE OR UPDATE OF text, owner, due_on, request_id "
        "ON commitments FOR EACH ROW EXECUTE FUNCTION koz_answer_is_final()"
    )
    op.execute(
        """
        CREATE FUNCTION koz_request_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a published answer cannot be changed (request %)', OLD.id;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER answer_requests_final BEFORE UPDATE OF state, published_at, signed_name, signed_function, "
        "due_on, closed_on ON answer_requests FOR EACH ROW WHEN (OLD.state = 'answered') "
        "EXECUTE FUNCTION koz_request_is_final()"
    )


def downgrade() -> None:
    """Drop them."""
    for table in (
        "answer_mutes",
        "commitment_changes",
        "commitments",
        "answer_notes",
        "answer_points",
        "answer_requests",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION koz_answer_is_final()")
    op.execute("DROP FUNCTION koz_request_is_final()")
