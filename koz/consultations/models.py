"""Tables of consultations.

One consultation has sections of a text; people add contributions to a section, amendments to a contribution or to a
section, arguments to a contribution or to an amendment, sources to arguments, and votes.

Invariants the database holds: one consultation per campaign; one vote per person and object (primary keys of the three
vote tables); imported objects are unique by the number they had where they come from. Tallies (`agree`, `mixed`, ...)
are caches of the rows, kept under the lock of the row they stand on; `queries.list_mismatches` recounts them.
`imported_*` columns are totals somebody else counted: they are shown as such and never added to Koz's own votes.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from koz.consultations.states import ActorKind, Choice, ConsultationState, Side, SourceKind
from koz.core.clock import PARIS, now
from koz.core.db import Base, money_check, state_column


class Consultation(Base):
    """A question put to the public, with a text to discuss. `campaign_id` is unique: a campaign opens one."""

    __tablename__ = "consultations"
    __table_args__ = (
        CheckConstraint("days BETWEEN 1 AND 366", name="days_range"),
        CheckConstraint("answer_days BETWEEN 1 AND 366", name="answer_days_range"),
        CheckConstraint("state = 'draft' OR (opens_at IS NOT NULL AND closes_at IS NOT NULL)", name="open_has_dates"),
        CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
        Index("ix_consultations_state_closes_at", "state", "closes_at"),
        Index("ix_consultations_organisation_id", "organisation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(String(110), unique=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"), unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    title: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(300))
    intro_md: Mapped[str] = mapped_column(Text, default="")
    intro_html: Mapped[str] = mapped_column(Text, default="")
    addressee: Mapped[str] = mapped_column(String(300), default="")
    days: Mapped[int] = mapped_column(Integer, default=30)
    answer_days: Mapped[int] = mapped_column(Integer, default=60)
    state: Mapped[ConsultationState] = state_column(ConsultationState, ConsultationState.DRAFT)
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    origin: Mapped[str] = mapped_column(String(300), default="")
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    version: Mapped[int] = mapped_column(Integer, default=1)

    @property
    def is_open(self) -> bool:
        """Whether people can take part at this moment: the date rules, whether or not the closing job has run."""
        return self.state is ConsultationState.OPEN and self.closes_at is not None and now() <= self.closes_at

    @property
    def is_imported(self) -> bool:
        """Whether it was brought in from elsewhere for a trial."""
        return self.external_id is not None

    @property
    def closes_on(self) -> date | None:
        """The last day, in Paris."""
        return None if self.closes_at is None else self.closes_at.astimezone(PARIS).date()

    @property
    def answer_due_on(self) -> date | None:
        """The day by which the addressee is to answer: `answer_days` after the last day."""
        day = self.closes_on
        return None if day is None else day + timedelta(days=self.answer_days)


class Section(Base):
    """A part of the text that is discussed."""

    __tablename__ = "consultation_sections"
    __table_args__ = (
        UniqueConstraint("consultation_id", "external_id"),
        Index("ix_consultation_sections_consultation_id_position", "consultation_id", "position"),
        money_check("amendments"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer, default=0)
    title: Mapped[str] = mapped_column(String(200))
    body_md: Mapped[str] = mapped_column(Text, default="")
    body_html: Mapped[str] = mapped_column(Text, default="")
    amendments: Mapped[int] = mapped_column(Integer, default=0)
    external_id: Mapped[str | None] = mapped_column(String(200))


class Participant(Base):
    """The name under which a person writes in one consultation, and as whom. Voting needs no such row."""

    __tablename__ = "consultation_participants"
    __table_args__ = (Index("ix_consultation_participants_person_id", "person_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[ActorKind | None] = state_column(ActorKind, name="kind", nullable=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Contribution(Base):
    """An opinion: a proposal or a view on a section. `position` orders a section's list, the highest first."""

    __tablename__ = "contributions"
    __table_args__ = (
        UniqueConstraint("consultation_id", "external_id"),
        UniqueConstraint("author_id", "form_key"),
        Index("ix_contributions_section_id_position_id", "section_id", "position", "id"),
        Index("ix_contributions_consultation_id_id", "consultation_id", "id"),
        *(money_check(c) for c in ("agree", "mixed", "disagree", "amendments")),
        *(money_check(c) for c in ("arguments_for", "arguments_against", "sourced_arguments")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    section_id: Mapped[int] = mapped_column(ForeignKey("consultation_sections.id"))
    position: Mapped[int] = mapped_column(BigInteger)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    author_label: Mapped[str] = mapped_column(String(120), default="")
    by_organiser: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(String(250))
    body_md: Mapped[str] = mapped_column(Text, default="")
    body_html: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    agree: Mapped[int] = mapped_column(Integer, default=0)
    mixed: Mapped[int] = mapped_column(Integer, default=0)
    disagree: Mapped[int] = mapped_column(Integer, default=0)
    amendments: Mapped[int] = mapped_column(Integer, default=0)
    arguments_for: Mapped[int] = mapped_column(Integer, default=0)
    arguments_against: Mapped[int] = mapped_column(Integer, default=0)
    sourced_arguments: Mapped[int] = mapped_column(Integer, default=0)
    form_key: Mapped[str | None] = mapped_column(String(64))
    external_id: Mapped[str | None] = mapped_column(String(200))
    imported_agree: Mapped[int] = mapped_column(Integer, default=0)
    imported_mixed: Mapped[int] = mapped_column(Integer, default=0)
    imported_disagree: Mapped[int] = mapped_column(Integer, default=0)
    imported_amendments: Mapped[int] = mapped_column(Integer, default=0)
    imported_trashed: Mapped[bool] = mapped_column(default=False)
    annexes: Mapped[list[Any]] = mapped_column(default=list, deferred=True)


class Amendment(Base):
    """Another wording for a contribution or a section, with its reason. `diff` holds pairs (kind, text)."""

    __tablename__ = "amendments"
    __table_args__ = (
        CheckConstraint("num_nonnulls(contribution_id, section_id) = 1", name="of_one_thing"),
        UniqueConstraint("author_id", "form_key"),
        Index("ix_amendments_consultation_id_id", "consultation_id", "id"),
        Index("ix_amendments_contribution_id_id", "contribution_id", "id"),
        Index("ix_amendments_section_id_id", "section_id", "id"),
        *(money_check(c) for c in ("agree", "mixed", "disagree")),
        *(money_check(c) for c in ("arguments_for", "arguments_against", "sourced_arguments")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contributions.id"))
    section_id: Mapped[int | None] = mapped_column(ForeignKey("consultation_sections.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    title: Mapped[str] = mapped_column(String(250))
    proposed_md: Mapped[str] = mapped_column(Text)
    diff: Mapped[list[Any]]
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    agree: Mapped[int] = mapped_column(Integer, default=0)
    mixed: Mapped[int] = mapped_column(Integer, default=0)
    disagree: Mapped[int] = mapped_column(Integer, default=0)
    arguments_for: Mapped[int] = mapped_column(Integer, default=0)
    arguments_against: Mapped[int] = mapped_column(Integer, default=0)
    sourced_arguments: Mapped[int] = mapped_column(Integer, default=0)
    form_key: Mapped[str | None] = mapped_column(String(64))


class Argument(Base):
    """A reason for or against a contribution or an amendment."""

    __tablename__ = "arguments"
    __table_args__ = (
        CheckConstraint("num_nonnulls(contribution_id, amendment_id) = 1", name="of_one_thing"),
        UniqueConstraint("consultation_id", "external_id"),
        UniqueConstraint("author_id", "form_key"),
        Index("ix_arguments_consultation_id_id", "consultation_id", "id"),
        Index("ix_arguments_contribution_id_side", "contribution_id", "side"),
        Index("ix_arguments_amendment_id_side", "amendment_id", "side"),
        *(money_check(c) for c in ("useful", "sources")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contributions.id"))
    amendment_id: Mapped[int | None] = mapped_column(ForeignKey("amendments.id"))
    side: Mapped[Side] = state_column(Side, name="side")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    author_label: Mapped[str] = mapped_column(String(120), default="")
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    useful: Mapped[int] = mapped_column(Integer, default=0)
    sources: Mapped[int] = mapped_column(Integer, default=0)
    form_key: Mapped[str | None] = mapped_column(String(64))
    external_id: Mapped[str | None] = mapped_column(String(200))
    imported_useful: Mapped[int] = mapped_column(Integer, default=0)


class Source(Base):
    """A document on which an argument stands, with the passage; imported ones may stand under a contribution."""

    __tablename__ = "consultation_sources"
    __table_args__ = (
        CheckConstraint("num_nonnulls(argument_id, contribution_id) = 1", name="of_one_thing"),
        UniqueConstraint("consultation_id", "external_id"),
        Index("ix_consultation_sources_argument_id", "argument_id"),
        Index("ix_consultation_sources_contribution_id", "contribution_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    argument_id: Mapped[int | None] = mapped_column(ForeignKey("arguments.id"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contributions.id"))
    kind: Mapped[SourceKind] = state_column(SourceKind, name="kind")
    title: Mapped[str] = mapped_column(String(250))
    publisher: Mapped[str] = mapped_column(String(140), default="")
    url: Mapped[str] = mapped_column(String(1000), default="")
    published_on: Mapped[date | None]
    passage: Mapped[str] = mapped_column(Text, default="")
    author_label: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    external_id: Mapped[str | None] = mapped_column(String(200))
    imported_useful: Mapped[int] = mapped_column(Integer, default=0)


class ContributionVote(Base):
    """The present vote of one person on one contribution: the key is the rule."""

    __tablename__ = "contribution_votes"
    __table_args__ = (
        Index("ix_contribution_votes_consultation_id_person_id", "consultation_id", "person_id"),
        Index("ix_contribution_votes_person_id", "person_id"),
    )

    contribution_id: Mapped[int] = mapped_column(ForeignKey("contributions.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    choice: Mapped[Choice] = state_column(Choice, name="choice")
    voted_at: Mapped[datetime] = mapped_column(default=now)


class AmendmentVote(Base):
    """The present vote of one person on one amendment."""

    __tablename__ = "amendment_votes"
    __table_args__ = (Index("ix_amendment_votes_consultation_id_person_id", "consultation_id", "person_id"),)

    amendment_id: Mapped[int] = mapped_column(ForeignKey("amendments.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    choice: Mapped[Choice] = state_column(Choice, name="choice")
    voted_at: Mapped[datetime] = mapped_column(default=now)


class ArgumentVote(Base):
    """One person found one argument useful."""

    __tablename__ = "argument_votes"
    __table_args__ = (Index("ix_argument_votes_consultation_id_person_id", "consultation_id", "person_id"),)

    argument_id: Mapped[int] = mapped_column(ForeignKey("arguments.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    voted_at: Mapped[datetime] = mapped_column(default=now)
