"""Tables of matching: proposals with the explanation they were made on, and engagements.

One proposal for a mission and a person, and one engagement for a proposal: the database's keys decide it, so that two
answers in the same moment make one engagement. Nothing here is decided by a machine: a proposal is made by a person.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from koz.core.clock import now
from koz.core.db import Base, state_column
from koz.matching.states import EngagementState, ProposalState, Reason, Side


class Proposal(Base):
    """A mission and a professional, brought together by one of the two sides.

    `explanation` is what both were shown: the score and its terms at that moment (kept as evidence).
    `invited_at` is the last time the organisation asked; the weekly limit counts it. `tunes` is false once the person
    has taken back the effect of a refusal.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        UniqueConstraint("mission_id", "person_id"),
        CheckConstraint("score >= -1", name="score_at_least"),
        Index("ix_proposals_person_id_invited_at", "person_id", "invited_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    mission_id: Mapped[int] = mapped_column(ForeignKey("missions.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    made_by: Mapped[Side] = state_column(Side, name="made_by")
    member_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    state: Mapped[ProposalState] = state_column(ProposalState, ProposalState.PROPOSED)
    score: Mapped[float]
    explanation: Mapped[dict[str, Any]]
    round: Mapped[int] = mapped_column(Integer, default=1)
    declined_by: Mapped[Side | None] = state_column(Side, name="declined_by", nullable=True)
    reason: Mapped[Reason | None] = state_column(Reason, name="reason", nullable=True)
    tunes: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime] = mapped_column(default=now)
    invited_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]


class Engagement(Base):
    """Work that both sides agreed to. `hours_given` are told by the professional and confirmed by the organisation."""

    __tablename__ = "engagements"
    __table_args__ = (
        CheckConstraint("hours_given BETWEEN 0 AND 4000", name="hours_given_between"),
        Index("ix_engagements_mission_id", "mission_id"),
        Index("ix_engagements_person_id", "person_id"),
        Index("ix_engagements_state", "state"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id"), unique=True)
    mission_id: Mapped[int] = mapped_column(ForeignKey("missions.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    state: Mapped[EngagementState] = state_column(EngagementState, EngagementState.ACCEPTED)
    hours_given: Mapped[int] = mapped_column(Integer, default=0)
    accepted_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
