"""Tables of professionals' profiles and of missions.

A profile holds what its person wrote and confirmed, never what could be guessed about them. Free words and causes stay
with the person: organisations see skills, hours and place only, and the rest once both sides have said yes.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, SmallInteger, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from koz.core.clock import now
from koz.core.db import Base, state_column
from koz.skills.states import MissionState

#: Most hours a week that a profile can offer or a mission ask for.
WEEK_HOURS: int = 40


class Profile(Base):
    """What a professional offers: own words, hours a week, languages, places, causes."""

    __tablename__ = "profiles"
    __table_args__ = (
        CheckConstraint(f"hours_per_week BETWEEN 0 AND {WEEK_HOURS}", name="hours_per_week_between"),
        CheckConstraint("available_until >= available_from", name="available_in_order"),
        Index("ix_profiles_languages", "languages", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), unique=True)
    words: Mapped[str] = mapped_column(Text, default="")
    hours_per_week: Mapped[int] = mapped_column(SmallInteger, default=0)
    languages: Mapped[list[str]] = mapped_column(ARRAY(String(3)), default=list)
    departments: Mapped[list[str]] = mapped_column(ARRAY(String(3)), default=list)
    remote: Mapped[bool] = mapped_column(default=False)
    causes: Mapped[list[str]] = mapped_column(ARRAY(String(40)), default=list)
    causes_shared: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    quiet_until: Mapped[date | None]
    available_from: Mapped[date | None]
    available_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    skills: Mapped[list["ProfileSkill"]] = relationship(
        order_by="ProfileSkill.concept_id", lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )


class ProfileSkill(Base):
    """A concept that the person confirmed, with a level from 1 (beginning) to 5 (teaching others)."""

    __tablename__ = "profile_skills"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 5", name="level_between"),
        Index("ix_profile_skills_concept_id", "concept_id"),
    )

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    concept_id: Mapped[int] = mapped_column(ForeignKey("skill_concepts.id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger)
    confirmed_at: Mapped[datetime] = mapped_column(default=now)


class Mission(Base):
    """A scoped piece of work of a campaign: what will be handed over, when it counts as done, in how many hours.

    `revision` grows whenever what the mission says changes: calendars know by it which of two files is the newer.
    """

    __tablename__ = "missions"
    __table_args__ = (
        CheckConstraint("hours_total BETWEEN 1 AND 2000", name="hours_total_between"),
        CheckConstraint(f"hours_per_week BETWEEN 1 AND {WEEK_HOURS}", name="hours_per_week_between"),
        CheckConstraint("seats BETWEEN 1 AND 20", name="seats_between"),
        CheckConstraint("remote OR department IS NOT NULL", name="somewhere"),
        CheckConstraint("ends_on >= starts_on", name="dates_in_order"),
        Index("ix_missions_campaign_id", "campaign_id"),
        Index("ix_missions_budget_line_id", "budget_line_id"),
        Index("ix_missions_state_id", "state", "id"),
        Index("ix_missions_search", "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    budget_line_id: Mapped[int | None] = mapped_column(ForeignKey("budget_lines.id", ondelete="SET NULL"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    title: Mapped[str] = mapped_column(String(140))
    deliverable: Mapped[str] = mapped_column(Text)
    done_criteria: Mapped[str] = mapped_column(Text)
    hours_total: Mapped[int] = mapped_column(Integer)
    hours_per_week: Mapped[int] = mapped_column(SmallInteger)
    language: Mapped[str] = mapped_column(String(3), default="fr")
    department: Mapped[str | None] = mapped_column(String(3))
    remote: Mapped[bool] = mapped_column(default=True)
    seats: Mapped[int] = mapped_column(SmallInteger, default=1)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    revision: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[MissionState] = state_column(MissionState, MissionState.DRAFT)
    created_at: Mapped[datetime] = mapped_column(default=now)
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    search: Mapped[Any | None] = mapped_column(TSVECTOR, deferred=True)

    needs: Mapped[list["MissionNeed"]] = relationship(
        order_by="(MissionNeed.must.desc(), MissionNeed.concept_id)",
        lazy="raise",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class MissionNeed(Base):
    """A skill that a mission needs, at a level from 1 to 5; a `must` is needed for the mission to make sense."""

    __tablename__ = "mission_needs"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 5", name="level_between"),
        Index("ix_mission_needs_concept_id", "concept_id"),
    )

    mission_id: Mapped[int] = mapped_column(ForeignKey("missions.id", ondelete="CASCADE"), primary_key=True)
    concept_id: Mapped[int] = mapped_column(ForeignKey("skill_concepts.id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger)
    must: Mapped[bool] = mapped_column(default=False)
