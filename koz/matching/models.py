"""Tables of matching: proposals with the explanation they were made on, engagements, hours, certificates, plans.

One proposal for a mission and a person, and one engagement for a proposal: the database's keys decide it, so that two
answers in the same moment make one engagement. Nothing here is decided by a machine: a proposal is made by a person.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from koz.core.clock import now
from koz.core.db import Base, state_column
from koz.matching.states import EngagementState, ProposalState, Reason, Revoked, Side


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
        Index("ix_proposals_invited_at", "invited_at"),
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
    reminded_at: Mapped[datetime | None]


class MissionPlan(Base):
    """The round of a mission: when it was planned last, how many invitations it may send, who stands in for what.

    `candidates` are the people who were weighed; `left_out` those with more points than somebody who was chosen,
    `left_out_asked` those of them who were asked twice this week already. `auto_by` is the member who wished that the
    planned invitations go out by themselves; null: a person presses the button each time.
    """

    __tablename__ = "mission_plans"
    __table_args__ = (Index("ix_mission_plans_auto_by", "auto_by"),)

    mission_id: Mapped[int] = mapped_column(ForeignKey("missions.id", ondelete="CASCADE"), primary_key=True)
    auto_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id", ondelete="SET NULL"))
    wanted: Mapped[int] = mapped_column(Integer, default=0)
    candidates: Mapped[int] = mapped_column(Integer, default=0)
    left_out: Mapped[int] = mapped_column(Integer, default=0)
    left_out_asked: Mapped[int] = mapped_column(Integer, default=0)
    planned_at: Mapped[datetime | None]


class PlannedInvitation(Base):
    """Somebody whom the plan suggests for a mission's round. It is a suggestion: nobody has been asked."""

    __tablename__ = "planned_invitations"
    __table_args__ = (Index("ix_planned_invitations_profile_id", "profile_id"),)

    mission_id: Mapped[int] = mapped_column(ForeignKey("missions.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    score: Mapped[float]
    explanation: Mapped[dict[str, Any]]


class InvitationPlan(Base):
    """One run of the planner over all open missions: its size, what it reached, how long it took."""

    __tablename__ = "invitation_plans"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(default=now)
    missions: Mapped[int] = mapped_column(Integer)
    people: Mapped[int] = mapped_column(Integer)
    pairs: Mapped[int] = mapped_column(Integer)
    chosen: Mapped[int] = mapped_column(Integer)
    without_candidates: Mapped[int] = mapped_column(Integer)
    objective: Mapped[float]
    took_ms: Mapped[int] = mapped_column(Integer)


class Engagement(Base):
    """Work that both sides agreed to.

    `hours_given` are the log's hours, told by the professional and confirmed by the organisation (`confirmed_by`).
    `revision` grows with every step: calendars know by it which of two files is the newer.
    """

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
    revision: Mapped[int] = mapped_column(Integer, default=0)
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    accepted_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class TimeEntry(Base):
    """Time given on a day, as the professional noted it. `what` is empty where only a sum was told.

    It can change until the delivery; the organisation's confirmation covers all entries of the engagement.
    """

    __tablename__ = "time_entries"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 1 AND 240000", name="minutes_between"),
        Index("ix_time_entries_engagement_id", "engagement_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    engagement_id: Mapped[int] = mapped_column(ForeignKey("engagements.id"))
    worked_on: Mapped[date]
    minutes: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = mapped_column(String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=now)


class Certificate(Base):
    """What a professional may show of a closed engagement. The PDF is made from `facts` whenever it is asked for.

    `fingerprint` is the SHA-256 of the facts in their canonical form (`certificate.fingerprint_of`). A certificate is
    never changed: it is revoked, and at an erasure its facts are emptied.
    """

    __tablename__ = "certificates"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="revoked_for_a_reason"),
        Index("ix_certificates_engagement_id", "engagement_id"),
        Index("uq_certificates_valid", "engagement_id", unique=True, postgresql_where="revoked_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    engagement_id: Mapped[int] = mapped_column(ForeignKey("engagements.id"))
    number: Mapped[str] = mapped_column(String(40), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    facts: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[Revoked | None] = state_column(Revoked, name="revoked_because", nullable=True)
