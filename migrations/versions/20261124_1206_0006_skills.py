"""Tables of skills."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ORIGINS = "origin IN ('koz', 'esco', 'rome')"


def upgrade() -> None:
    """Concepts, their other words, the edges between them, the log of imports."""
    op.create_table(
        "skill_concepts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=True),
        sa.Column("label_en", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(ORIGINS, name=op.f("ck_skill_concepts_origin_known")),
        sa.CheckConstraint(
            "kind IN ('skill', 'knowledge', 'occupation', 'group')", name=op.f("ck_skill_concepts_kind_known")
        ),
        sa.CheckConstraint("label_fr IS NOT NULL OR label_en IS NOT NULL", name=op.f("ck_skill_concepts_labelled")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill_concepts")),
        sa.UniqueConstraint("code", name=op.f("uq_skill_concepts_code")),
    )
    op.create_index("ix_skill_concepts_origin", "skill_concepts", ["origin"], unique=False)
    op.create_table(
        "skill_aliases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("concept_id", sa.BigInteger(), nullable=False),
        sa.Column("lang", sa.String(2), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("lang IN ('fr', 'en')", name=op.f("ck_skill_aliases_lang_known")),
        sa.ForeignKeyConstraint(
            ["concept_id"], ["skill_concepts.id"], name=op.f("fk_skill_aliases_concept_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill_aliases")),
        sa.UniqueConstraint("concept_id", "lang", "text", name=op.f("uq_skill_aliases_concept_id_lang_text")),
    )
    op.create_table(
        "skill_edges",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.CheckConstraint(ORIGINS, name=op.f("ck_skill_edges_origin_known")),
        sa.CheckConstraint(
            "kind IN ('broader', 'related', 'same_as', 'needs')", name=op.f("ck_skill_edges_kind_known")
        ),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_skill_edges_no_loop")),
        sa.CheckConstraint("weight > 0 AND weight <= 1", name=op.f("ck_skill_edges_weight_in_range")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["skill_concepts.id"], name=op.f("fk_skill_edges_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["skill_concepts.id"], name=op.f("fk_skill_edges_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill_edges")),
        sa.UniqueConstraint("source_id", "target_id", "kind", name=op.f("uq_skill_edges_source_id_target_id_kind")),
    )
    op.create_index("ix_skill_edges_target_id", "skill_edges", ["target_id"], unique=False)
    op.create_table(
        "skill_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.Column("concepts", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.Integer(), nullable=False),
        sa.Column("edges", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(ORIGINS, name=op.f("ck_skill_imports_origin_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill_imports")),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("skill_imports", "skill_edges", "skill_aliases", "skill_concepts"):
        op.drop_table(table)
