"""Tables of followers and what else campaigns need."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Accents, ligatures and typographic apostrophes folded: PostgreSQL's parser keeps “d’école” as one word, so that
# nobody who looks for “école” finds it, and people type “ecole”. Used for what is stored and for what is looked for.
FOLD = """
    CREATE FUNCTION koz_fold(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
        SELECT replace(replace(translate(lower(normalize(words, NFC)),
            'àâäáãåçéèêëíìîïñóòôöõúùûüýÿÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜÝŸ’‘ʼ',
            'aaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyy'''''''),
            'œ', 'oe'), 'æ', 'ae')
    $$
"""


def search_function(wrap: str) -> str:
    """The trigger's function, with every text passed through `wrap`."""
    return f"""
        CREATE OR REPLACE FUNCTION koz_campaign_search() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.search := setweight(to_tsvector('french', {wrap}(NEW.title)), 'A')
                || setweight(to_tsvector('french', {wrap}(NEW.summary || ' ' || NEW.ask)), 'B')
                || setweight(to_tsvector('french', {wrap}(NEW.addressee_name || ' ' || NEW.addressee_body)), 'C')
                || setweight(to_tsvector('french', {wrap}(NEW.story_md)), 'D');
            RETURN NEW;
        END $$
    """


def upgrade() -> None:
    """Create them."""
    op.execute(FOLD)
    op.execute(search_function("koz_fold"))
    op.execute("UPDATE campaigns SET title = title")
    op.create_table(
        "campaign_followers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_campaign_followers_email_folded")),
        sa.CheckConstraint("locale IN ('fr', 'en')", name=op.f("ck_campaign_followers_locale_known")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_followers_campaign_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_campaign_followers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_followers")),
        sa.UniqueConstraint("campaign_id", "email", name=op.f("uq_campaign_followers_campaign_id_email")),
    )
    op.create_index(
        "ix_campaign_followers_campaign_id_id",
        "campaign_followers",
        ["campaign_id", "id"],
        postgresql_where="confirmed_at IS NOT NULL",
    )
    op.create_index("ix_campaign_followers_email", "campaign_followers", ["email"])
    op.create_index("ix_campaign_followers_person_id", "campaign_followers", ["person_id"])
    op.create_index(
        "ix_campaign_followers_unconfirmed",
        "campaign_followers",
        ["created_at"],
        postgresql_where="confirmed_at IS NULL",
    )
    op.add_column("campaign_updates", sa.Column("nonce", sa.String(length=40), nullable=True))
    op.create_unique_constraint(op.f("uq_campaign_updates_nonce"), "campaign_updates", ["nonce"])


def downgrade() -> None:
    """Drop them."""
    op.drop_constraint(op.f("uq_campaign_updates_nonce"), "campaign_updates")
    op.drop_column("campaign_updates", "nonce")
    op.drop_table("campaign_followers")
    op.execute(search_function(""))
    op.execute("DROP FUNCTION koz_fold(text)")
    op.execute("UPDATE campaigns SET title = title")
