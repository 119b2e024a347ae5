"""Tables of answers: the request (one a campaign), its points with their answers, notes, commitments and their story.

Until the request is `answered`, points and commitments hold the official's draft and are shown to nobody else.
From then on points cannot change: a trigger of migration 0009 refuses it, whoever tries.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from koz.answers.states import ANSWER_DAYS, CommitmentState, Party, PointKind, RequestState, Stance
from koz.core.clock import now
from koz.core.db import Base, state_column


class AnswerRequest(Base):
    """What is asked of an addressee by one campaign. The due date is fixed by a published rule of `answer_days`."""

    __tablename__ = "answer_requests"
    __table_args__ = (
        CheckConstraint("(state = 'answered') = (published_at IS NOT NULL)", name="published_when_answered"),
        CheckConstraint("state <> 'answered' OR signed_name <> ''", name="answered_is_signed"),
        CheckConstraint("answer_days BETWEEN 1 AND 366", name="answer_days_sane"),
        Index(
            "ix_answer_requests_due",
            "due_on",
            postgresql_where="state IN ('asked', 'accepted')",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), unique=True)
    consultation_id: Mapped[int | None] = mapped_column(ForeignKey("consultations.id"))
    email: Mapped[str] = mapped_column(String(254), default="")
    locale: Mapped[str] = mapped_column(String(2), default="fr")
    state: Mapped[RequestState] = state_column(RequestState, RequestState.ASKED)
    link_version: Mapped[int] = mapped_column(Integer, default=1)
    link_sends: Mapped[int] = mapped_column(Integer, default=1)
    link_sent_at: Mapped[datetime] = mapped_column(default=now)
    answer_days: Mapped[int] = mapped_column(Integer, default=ANSWER_DAYS)
    due_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    draft_version: Mapped[int] = mapped_column(Integer, default=0)
    signed_name: Mapped[str] = mapped_column(String(140), default="")
    signed_function: Mapped[str] = mapped_column(String(140), default="")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    accepted_at: Mapped[datetime | None]
    drafted_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    overdue_told_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]


class AnswerPoint(Base):
    """One point put to the addressee, as it stood when it was taken, and what they say to it.

    Counts are the votes at that moment. `source_key` names what it was taken from, so that it is taken once.
    """

    __tablename__ = "answer_points"
    __table_args__ = (
        UniqueConstraint("request_id", "source_key"),
        CheckConstraint("agree >= 0 AND mixed >= 0 AND disagree >= 0", name="counts_at_least"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("answer_requests.id"))
    source_key: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(Integer, default=0)
    kind: Mapped[PointKind] = state_column(PointKind, name="kind")
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text, default="")
    href: Mapped[str | None] = mapped_column(String(300))
    agree: Mapped[int] = mapped_column(Integer, default=0)
    mixed: Mapped[int] = mapped_column(Integer, default=0)
    disagree: Mapped[int] = mapped_column(Integer, default=0)
    stance: Mapped[Stance | None] = state_column(Stance, name="stance", nullable=True)
    reasons_md: Mapped[str] = mapped_column(Text, default="")
    reasons_html: Mapped[str] = mapped_column(Text, default="")


class AnswerNote(Base):
    """A dated note to a published answer: how a mistake is mended without rewriting what was said."""

    __tablename__ = "answer_notes"
    __table_args__ = (Index("ix_answer_notes_request_id", "request_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("answer_requests.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    body_md: Mapped[str] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text)


class Commitment(Base):
    """Something the addressee says will be done: by whom, until when. Public once the answer is."""

    __tablename__ = "commitments"
    __table_args__ = (
        UniqueConstraint("request_id", "position"),
        Index("ix_commitments_due", "due_on", postgresql_where="state IN ('announced', 'under_way')"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("answer_requests.id"))
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(String(500))
    owner: Mapped[str] = mapped_column(String(140), default="")
    due_on: Mapped[date | None]
    proof_url: Mapped[str] = mapped_column(String(1000), default="")
    state: Mapped[CommitmentState] = state_column(CommitmentState, CommitmentState.ANNOUNCED)
    late_told_at: Mapped[datetime | None]


class CommitmentChange(Base):
    """One dated entry in the story of a commitment. The organisation may add a proof; only the official moves it."""

    __tablename__ = "commitment_changes"
    __table_args__ = (
        Index("ix_commitment_changes_commitment_id", "commitment_id"),
        CheckConstraint("(party = 'official') = (state IS NOT NULL)", name="only_the_official_moves"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    commitment_id: Mapped[int] = mapped_column(ForeignKey("commitments.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    party: Mapped[Party] = state_column(Party, name="party")
    state: Mapped[CommitmentState | None] = state_column(CommitmentState, nullable=True)
    note: Mapped[str] = mapped_column(String(500), default="")
    proof_url: Mapped[str] = mapped_column(String(1000), default="")


class AnswerMute(Base):
    """A participant who wants to hear no more of a campaign's answer."""

    __tablename__ = "answer_mutes"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
