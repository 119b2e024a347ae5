"""Tables of campaigns. Totals on `campaigns` are caches of the gifts, kept under the row's lock and checked nightly."""

from datetime import date, datetime
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
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from koz.campaigns.states import CampaignState, Decision, LineKind
from koz.core.clock import now
from koz.core.db import Base, money_check, state_column
from koz.core.money import Money


class Campaign(Base):
    """What an organisation asks, of whom, for how much and until when. Amounts in minor units of `currency`."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("optimum_minor >= minimum_minor", name="optimum_at_least_minimum"),
        CheckConstraint("model IN ('keep')", name="model_known"),
        CheckConstraint("skills_minor <= minimum_minor", name="skills_at_most_minimum"),
        money_check("minimum_minor"),
        money_check("skills_minor"),
        money_check("promised_minor"),
        money_check("collected_minor"),
        money_check("refunded_minor"),
        money_check("lost_minor"),
        money_check("gifts"),
        money_check("donors"),
        Index("ix_campaigns_search", "search", postgresql_using="gin"),
        Index("ix_campaigns_state_deadline_on", "state", "deadline_on"),
        Index("ix_campaigns_organisation_id", "organisation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    title: Mapped[str] = mapped_column(String(140))
    summary: Mapped[str] = mapped_column(String(300), default="")
    ask: Mapped[str] = mapped_column(String(300), default="")
    cause: Mapped[str] = mapped_column(String(40), default="other")
    addressee_name: Mapped[str] = mapped_column(String(140), default="")
    addressee_body: Mapped[str] = mapped_column(String(140), default="")
    addressee_email: Mapped[str] = mapped_column(String(254), default="")
    story_md: Mapped[str] = mapped_column(Text, default="")
    story_html: Mapped[str] = mapped_column(Text, default="")
    expected_result: Mapped[str] = mapped_column(Text, default="")
    calendar: Mapped[str] = mapped_column(Text, default="")
    on_success: Mapped[str] = mapped_column(Text, default="")
    on_failure: Mapped[str] = mapped_column(Text, default="")
    model: Mapped[str] = mapped_column(String(20), default="keep")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    minimum_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    optimum_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    skills_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    deadline_on: Mapped[date | None]
    state: Mapped[CampaignState] = state_column(CampaignState, CampaignState.DRAFT)
    consultation_template: Mapped[str] = mapped_column(String(40), default="text")
    consultation_question: Mapped[str] = mapped_column(String(300), default="")
    promised_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    collected_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    lost_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    gifts: Mapped[int] = mapped_column(Integer, default=0)
    donors: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    submitted_at: Mapped[datetime | None]
    live_at: Mapped[datetime | None]
    funded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, default=1)
    search: Mapped[Any | None] = mapped_column(TSVECTOR, deferred=True)

    lines: Mapped[list["BudgetLine"]] = relationship(
        order_by="BudgetLine.position", lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )
    sources: Mapped[list["CampaignSource"]] = relationship(
        order_by="CampaignSource.position", lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def to_raise_minor(self) -> int:
        """What must be collected for the campaign to succeed: the minimum without what hours given replace."""
        return self.minimum_minor - self.skills_minor

    @property
    def optimum_to_raise_minor(self) -> int:
        """The optimum without what hours given replace."""
        return self.optimum_minor - self.skills_minor

    @property
    def collected(self) -> Money:
        """What came in and was not taken back."""
        return Money(self.collected_minor, self.currency)


class BudgetLine(Base):
    """One thing the campaign needs: paid in money (minor units), or given as hours of a skill, or either.

    Of a line that is either, the `hours` replace the minimum. `hours_given` and `skills_minor` (what they replace) are
    caches of `budget_hours`, written under the campaign's lock.
    """

    __tablename__ = "budget_lines"
    __table_args__ = (
        Index("ix_budget_lines_campaign_id", "campaign_id"),
        CheckConstraint("optimum_minor >= minimum_minor", name="optimum_at_least_minimum"),
        CheckConstraint("skills_minor <= minimum_minor", name="skills_at_most_minimum"),
        money_check("minimum_minor"),
        money_check("skills_minor"),
        money_check("hours"),
        money_check("hours_given"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer, default=0)
    label: Mapped[str] = mapped_column(String(140))
    kind: Mapped[LineKind] = state_column(LineKind, LineKind.MONEY, name="kind")
    minimum_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    optimum_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    hours: Mapped[int] = mapped_column(Integer, default=0)
    hours_given: Mapped[int] = mapped_column(Integer, default=0)
    skills_minor: Mapped[int] = mapped_column(BigInteger, default=0)


class HoursGiven(Base):
    """Hours that somebody agreed to give for a budget line; no row says who. `key` names what they come from, once.

    `href` is the public page of the work, `minor` the part of the line's minimum that these hours replace (0 for lines
    in hours only). Rows stay when the hours are taken back: then they are not active, and count for nothing.
    """

    __tablename__ = "budget_hours"
    __table_args__ = (
        Index("ix_budget_hours_campaign_id_id", "campaign_id", "id"),
        Index("ix_budget_hours_budget_line_id", "budget_line_id"),
        CheckConstraint("active OR minor = 0", name="inactive_is_nothing"),
        money_check("hours"),
        money_check("minor"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    budget_line_id: Mapped[int] = mapped_column(ForeignKey("budget_lines.id"))
    key: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(140))
    href: Mapped[str] = mapped_column(String(300))
    hours: Mapped[int] = mapped_column(Integer)
    minor: Mapped[int] = mapped_column(BigInteger, default=0)
    active: Mapped[bool] = mapped_column(default=True)
    given_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class CampaignSource(Base):
    """A document that backs what the campaign says."""

    __tablename__ = "campaign_sources"
    __table_args__ = (Index("ix_campaign_sources_campaign_id", "campaign_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer, default=0)
    title: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(1000), default="")
    publisher: Mapped[str] = mapped_column(String(140), default="")
    published_on: Mapped[date | None]


class CampaignUpdate(Base):
    """News of a public campaign, in Markdown. `nonce` comes from the form: pressing twice publishes once."""

    __tablename__ = "campaign_updates"
    __table_args__ = (Index("ix_campaign_updates_campaign_id", "campaign_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    title: Mapped[str] = mapped_column(String(140))
    body_md: Mapped[str] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(default=now)
    nonce: Mapped[str | None] = mapped_column(String(40), unique=True)


class CampaignReview(Base):
    """A decision of staff with its reasons; kept for ever."""

    __tablename__ = "campaign_reviews"
    __table_args__ = (Index("ix_campaign_reviews_campaign_id", "campaign_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    decision: Mapped[Decision] = state_column(Decision, name="decision")
    reasons: Mapped[str] = mapped_column(Text, default="")
    reviewed_at: Mapped[datetime] = mapped_column(default=now)


class TimelineEntry(Base):
    """A dated fact of a campaign's public story. `key` makes it unique, so that telling twice writes once."""

    __tablename__ = "timeline_entries"
    __table_args__ = (
        UniqueConstraint("campaign_id", "key"),
        Index("ix_timeline_entries_campaign_id_at", "campaign_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    href: Mapped[str | None] = mapped_column(String(300))
    key: Mapped[str] = mapped_column(String(120))


class CampaignFollower(Base):
    """An address that wants the news of a campaign. Unconfirmed until its owner pressed the button of a mailed link.

    `person_id` is set when the address is known to be a member's: erasing the member deletes the row.
    Unfollowing deletes the row; ids are never used again, so a link to a deleted row is dead for good.
    """

    __tablename__ = "campaign_followers"
    __table_args__ = (
        UniqueConstraint("campaign_id", "email"),
        CheckConstraint("email = lower(email)", name="email_folded"),
        CheckConstraint("locale IN ('fr', 'en')", name="locale_known"),
        Index("ix_campaign_followers_campaign_id_id", "campaign_id", "id", postgresql_where="confirmed_at IS NOT NULL"),
        Index("ix_campaign_followers_email", "email"),
        Index("ix_campaign_followers_person_id", "person_id"),
        Index("ix_campaign_followers_unconfirmed", "created_at", postgresql_where="confirmed_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    email: Mapped[str] = mapped_column(String(254))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    locale: Mapped[str] = mapped_column(String(2), default="fr")
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]
