"""Tables of money: gifts, tries to pay, refunds, the inbox of provider events, the ledger.

Amounts are whole minor units of `currency`. `tip` is the donor's gift to Koz, apart from the gift to the cause.
Ledger lines are signed: positive is owed to or held for the account, negative the other side; each posting sums to
zero per currency, by a deferred trigger, and nothing of it can be changed, by another (migration 0005).
"""

from datetime import datetime
from typing import Any, Final

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
from koz.payments.states import AccountState, AttemptState, GiftState, InboxState, RefundState

#: What stands at the end of a gift's address once it was forgotten; mail servers know no such domain.
FORGOTTEN: Final = "@forgotten.invalid"


class PaymentAccount(Base):
    """An organisation's own account at the provider: it is the merchant, Koz never holds the money.

    `requirements` are the provider's own words. `contact_email` is whose click made the row: kept, so that a repeated
    request to open the account is equal to the first.
    """

    __tablename__ = "payment_accounts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), unique=True)
    provider_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    can_charge: Mapped[bool] = mapped_column(default=False)
    state: Mapped[AccountState] = state_column(AccountState, AccountState.TO_FINISH)
    requirements: Mapped[list[Any]] = mapped_column(default=list)
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Gift(Base):
    """A donor's wish to give, written before the provider is asked for anything.

    `form_key` is the one-time key of the form it was typed in: a double click is one gift. `refunding_minor` is asked
    back and not settled yet, `refunded_minor` was given back; both are parts of `amount_minor`, tip aside.
    """

    __tablename__ = "gifts"
    __table_args__ = (
        money_check("amount_minor", at_least=50),
        money_check("tip_minor"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded_within_amount"),
        CheckConstraint(
            "refunding_minor >= 0 AND refunded_minor + refunding_minor <= amount_minor", name="refunds_within_amount"
        ),
        CheckConstraint("currency = 'EUR'", name="currency_known"),
        Index("ix_gifts_campaign_id_collected_at", "campaign_id", "collected_at"),
        Index("ix_gifts_campaign_id_email", "campaign_id", "email"),
        Index("ix_gifts_campaign_id_id", "campaign_id", "id"),
        Index(
            "ix_gifts_shown",
            "campaign_id",
            "collected_at",
            postgresql_where="state = 'collected' AND public_name IS NOT NULL",
        ),
        Index("ix_gifts_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
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
    refunding_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    state: Mapped[GiftState] = state_column(GiftState, GiftState.OPENED)
    created_at: Mapped[datetime] = mapped_column(default=now)
    collected_at: Mapped[datetime | None]

    @property
    def address(self) -> str | None:
        """Where the donor can be written to; None once that was forgotten."""
        return None if self.email.endswith(FORGOTTEN) else self.email

    @property
    def amount(self) -> Money:
        """What goes to the cause."""
        return Money(self.amount_minor, self.currency)

    @property
    def tip(self) -> Money:
        """What goes to Koz."""
        return Money(self.tip_minor, self.currency)

    @property
    def left(self) -> Money:
        """What of the amount can still be given back."""
        return Money(self.amount_minor - self.refunded_minor - self.refunding_minor, self.currency)


class GiftAttempt(Base):
    """One hosted page for one gift. A new number whenever anything about the payment changes.

    `surplus`: the gift was paid already when this page was paid too; its money is given back and never counted.
    `failure` is the provider's code of the last refused try on this page.
    """

    __tablename__ = "gift_attempts"
    __table_args__ = (
        UniqueConstraint("gift_id", "number"),
        Index("ix_gift_attempts_unsettled", "created_at", postgresql_where="state IN ('asked', 'open', 'under_way')"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    gift_id: Mapped[int] = mapped_column(ForeignKey("gifts.id"))
    number: Mapped[int] = mapped_column(Integer)
    account_id: Mapped[str] = mapped_column(String(80))
    session_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    payment_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    url: Mapped[str | None] = mapped_column(Text)
    surplus: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[AttemptState] = state_column(AttemptState, AttemptState.ASKED)
    created_at: Mapped[datetime] = mapped_column(default=now)
    looked_at: Mapped[datetime | None]


class Refund(Base):
    """A wish to give money back, written first: the provider's key is made of this row's id.

    `amount` is of the gift, `tip` of the gift to Koz; the donor gets both. `fee_back` is what of Koz's part the
    provider really took back from Koz for it, once known. `surplus`: of a payment that was never counted.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        money_check("amount_minor"),
        money_check("tip_minor"),
        CheckConstraint("amount_minor + tip_minor >= 1", name="moves_something"),
        Index("ix_refunds_unsettled", "next_attempt_at", postgresql_where="state IN ('wanted', 'pending')"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    gift_id: Mapped[int] = mapped_column(ForeignKey("gifts.id"), index=True)
    payment_id: Mapped[str] = mapped_column(String(120))
    account_id: Mapped[str] = mapped_column(String(80))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tip_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    state: Mapped[RefundState] = state_column(RefundState, RefundState.WANTED)
    provider_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    surplus: Mapped[bool] = mapped_column(default=False)
    fee_back_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    failure: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(300), default="")
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    settled_at: Mapped[datetime | None]

    @property
    def total(self) -> Money:
        """What the donor gets."""
        return Money(self.amount_minor + self.tip_minor, self.currency)


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
    __table_args__ = (
        Index("ix_ledger_postings_campaign_id_id", "campaign_id", "id"),
        Index("ix_ledger_postings_gift_id", "gift_id"),
    )

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
