"""Tables of the taxonomy: concepts, the other words for them, the edges between them, and the log of imports.

A concept keeps its `id` and its `code` for ever: an import that no longer knows it sets `retired_at`, so that what
people have chosen stays readable. Rows are written by `services/taxonomy_import.py` alone.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Identity, Index, Integer, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from koz.core.clock import now
from koz.core.db import Base, state_column
from koz.skills.taxonomy import ConceptKind, EdgeKind, Origin


class SkillConcept(Base):
    """One thing a person can do or know. `code` is ours (`koz:…`), ESCO's URI, or `rome:` and ROME's number.

    Descriptions are the source's own, where its files have them; models of words are trained with them.
    """

    __tablename__ = "skill_concepts"
    __table_args__ = (
        CheckConstraint("label_fr IS NOT NULL OR label_en IS NOT NULL", name="labelled"),
        Index("ix_skill_concepts_origin", "origin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    origin: Mapped[Origin] = state_column(Origin, name="origin")
    kind: Mapped[ConceptKind] = state_column(ConceptKind, name="kind")
    label_fr: Mapped[str | None] = mapped_column(Text)
    label_en: Mapped[str | None] = mapped_column(Text)
    description_fr: Mapped[str | None] = mapped_column(Text)
    description_en: Mapped[str | None] = mapped_column(Text)
    retired_at: Mapped[datetime | None]

    def label(self, lang: str) -> str:
        """The label in `lang` (`fr` or `en`), else in the other language."""
        first, second = (self.label_en, self.label_fr) if lang == "en" else (self.label_fr, self.label_en)
        return first or second or self.code


class SkillAlias(Base):
    """Another way to write a concept, found by search and never shown as its name."""

    __tablename__ = "skill_aliases"
    __table_args__ = (
        Unique("concept_id", "lang", "text", name="uq_skill_aliases_concept_id_lang_text"),
        CheckConstraint("lang IN ('fr', 'en')", name="lang_known"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    concept_id: Mapped[int] = mapped_column(ForeignKey("skill_concepts.id", ondelete="CASCADE"))
    lang: Mapped[str] = mapped_column(String(2))
    text: Mapped[str] = mapped_column(Text)


class SkillEdge(Base):
    """How strongly (`weight`, above 0 to 1) the source speaks for the target; the kinds are told in `EdgeKind`."""

    __tablename__ = "skill_edges"
    __table_args__ = (
        Unique("source_id", "target_id", "kind", name="uq_skill_edges_source_id_target_id_kind"),
        CheckConstraint("weight > 0 AND weight <= 1", name="weight_in_range"),
        CheckConstraint("source_id <> target_id", name="no_loop"),
        Index("ix_skill_edges_target_id", "target_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("skill_concepts.id", ondelete="CASCADE"))
    target_id: Mapped[int] = mapped_column(ForeignKey("skill_concepts.id", ondelete="CASCADE"))
    kind: Mapped[EdgeKind] = state_column(EdgeKind, name="kind")
    weight: Mapped[float] = mapped_column(Float)
    origin: Mapped[Origin] = state_column(Origin, name="origin")


class SkillImport(Base):
    """One import that changed something. `stamp` is random: processes that hold an index compare it with theirs."""

    __tablename__ = "skill_imports"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    origin: Mapped[Origin] = state_column(Origin, name="origin")
    stamp: Mapped[str] = mapped_column(String(32))
    concepts: Mapped[int] = mapped_column(Integer)
    aliases: Mapped[int] = mapped_column(Integer)
    edges: Mapped[int] = mapped_column(Integer)
    imported_at: Mapped[datetime] = mapped_column(default=now)
