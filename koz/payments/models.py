"""Tables of money: gifts, tries to pay, refunds, the inbox of provider events, the ledger.

Amounts are whole minor units of `currency`. `tip` is the donor's gift to Koz, apart from the gift to the cause.
Ledger lines are signed: positive is owed to or held for the account, negative the other side; each posting sums to
zero per currency, by a deferred trigger, and nothing of it can be changed, by another (migration 0005).
"""

from datetime import datetime
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

from koz.core.clock import now
from koz.core.db import Base, money_check, state_column
from koz.core.money import Money
from koz.payments.states import AttemptState, GiftState, InboxState, RefundState


class PaymentAccount(Base):
    """An organisation's own account at the provider: it is the merchant, Koz never holds the money."""

    __tablename__ = "payment_accounts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), unique=True)
    provider_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    can_charge: Mapped[bool] = mapped_column(default=False)
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Gift(Base):
    """A donor's wish to give, written before the provider is asked for anything."""

    __tablename__ = "gifts"
    __table_args__ = (
        money_check("amount_minor", at_least=50),
        money_check("tip_minor"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded_within_amount"),
        CheckConstraint("currency = 'EUR'", name="currency_known"),
        Index("ix_gifts_campaign_id_collected_at", "campaign_id", "collected_at"),
        Index("ix_gifts_opened", "created_at", postgresql_where="state = 'opened'"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    email: Mapped[str] = mapped_column(String(254))
    public_name: Mapped[str | None] = mapped_column(String(80))
    message: Mapped[str] = mapped_column(String(500), default="")
    locale: Mapped[str] = mapped_column(String(2), default="fr")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tip_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    state: Mapped[GiftState] = state_column(GiftState, GiftState.OPENED)
    created_at: Mapped[datetime] = mapped_column(default=now)
    collected_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What goes to the cause."""
        return Money(self.amount_minor, self.currency)

    @property
    def tip(self) -> Money:
        """What goes to Koz."""
        return Money(self.tip_minor, self.currency)


class GiftAttempt(Base):
    """One hosted page for one gift. A new number whenever anything about the payment changes."""

    __tablename__ = "gift_attempts"
    __table_args__ = (UniqueConstraint("gift_id", "number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    gift_id: Mapped[int] = mapped_column(ForeignKey("gifts.id"))
    number: Mapped[int] = mapped_column(Integer)
    account_id: Mapped[str] = mapped_column(String(80))
    session_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    payment_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    state: Mapped[AttemptState] = state_column(AttemptState, AttemptState.ASKED)
    created_at: Mapped[datetime] = mapped_column(default=now)
    looked_at: Mapped[datetime | None]


class Refund(Base):
    """A wish to give money back, written first: the provider's key is made of this row's id."""

    __tablename__ = "refunds"
    __table_args__ = (money_check("amount_minor", at_least=1), money_check("tip_minor"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    gift_id: Mapped[int] = mapped_column(ForeignKey("gifts.id"), index=True)
    payment_id: Mapped[str] = mapped_column(String(120))
    account_id: Mapped[str] = mapped_column(String(80))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tip_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    state: Mapped[RefundState] = state_column(RefundState, RefundState.WANTED)
    provider_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    reason: Mapped[str] = mapped_column(String(300), default="")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class InboxEvent(Base):
    """A provider's event as it came. It is a doorbell: what is true is read from the provider."""

    __tablename__ = "inbox_events"
    __table_args__ = (
        UniqueConstraint("endpoint", "external_id"),
        Index("ix_inbox_events_waiting", "next_attempt_at", postgresql_where="state = 'waiting'"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(120))
    account_id: Mapped[str | None] = mapped_column(String(80))
    object_id: Mapped[str | None] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]]
    state: Mapped[InboxState] = state_column(InboxState, InboxState.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    received_at: Mapped[datetime] = mapped_column(default=now)
    handled_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)


class Posting(Base):
    """One cause of money moving, once: `cause` is unique, so a repeat writes nothing."""

    __tablename__ = "ledger_postings"
    __table_args__ = (Index("ix_ledger_postings_campaign_id_id", "campaign_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    cause: Mapped[str] = mapped_column(String(160), unique=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    gift_id: Mapped[int | None] = mapped_column(ForeignKey("gifts.id"))
    at: Mapped[datetime] = mapped_column(default=now)


class Line(Base):
    """One side of a posting."""

    __tablename__ = "ledger_lines"
    __table_args__ = (
        UniqueConstraint("posting_id", "account"),
        CheckConstraint("minor <> 0", name="moves_something"),
        CheckConstraint("account ~ '^[a-z_]+(:[0-9]+)?$'", name="account_form"),
        Index("ix_ledger_lines_account", "account"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    posting_id: Mapped[int] = mapped_column(ForeignKey("ledger_postings.id"))
    account: Mapped[str] = mapped_column(String(60))
    minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
