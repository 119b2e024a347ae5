"""What Koz needs of a payment provider, in Koz's words. One adapter: `stripe_gateway.py`; one fake for tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from koz.core.money import Money

NOTHING: Final = Money(0)


class BadSignature(Exception):
    """A webhook whose signature, age or form is not right."""


class ProviderDown(Exception):
    """The provider did not answer, or not clearly: the outcome is unknown; ask again with the same key."""


class ProviderRefused(Exception):
    """The provider answered that it will not do this; the text is its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOrder:
    """A hosted payment page to be opened, on the organisation's own account."""

    gift_id: int
    attempt: int
    account_id: str
    campaign_title: str
    amount: Money
    tip: Money
    email: str | None
    locale: str
    success_url: str
    cancel_url: str

    @property
    def idempotency_key(self) -> str:
        """The same for the same try; a new number of attempt makes a new one."""
        return f"gift-{self.gift_id}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """An open hosted page."""

    session_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOrder:
    """An account to be opened for an organisation, whose merchant it will be. `row_id` makes the key."""

    row_id: int
    name: str
    email: str
    entity: str  # association, company, public_body

    @property
    def idempotency_key(self) -> str:
        """One account for one row, however often it is asked for."""
        return f"account-{self.row_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAccount:
    """The truth now about an organisation's account. `requirements` are the provider's own words of what it wants."""

    provider_id: str
    state: str  # to_finish, active, restricted
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPayment:
    """The truth now about one hosted page. `failure` is the code of the last refused try, while it is not paid."""

    session_id: str
    account_id: str
    gift_id: int | None
    attempt: int | None
    state: str  # open, paid, unpaid (complete, money under way), expired
    payment_id: str | None = None
    paid: Money = NOTHING
    fee: Money = NOTHING
    tip: Money = NOTHING
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefund:
    """The truth now about one refund. `amount` is what the donor gets, `fee_back` what of it Koz gave (None: not told).

    `refund_id` is our row's, None for a refund that was not asked for by us.
    """

    provider_id: str
    payment_id: str
    state: str  # pending, done, failed
    amount: Money
    fee_back: Money | None = None
    refund_id: int | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A webhook that was really sent by the provider."""

    external_id: str
    type: str
    live: bool
    account_id: str | None
    object_id: str | None
    payload: dict[str, Any]


class PaymentGateway(Protocol):
    """The verbs. None may be called inside a unit of work. All raise ProviderDown or ProviderRefused."""

    def open_account(self, order: AccountOrder) -> ProviderAccount:
        """Open an account for an organisation."""
        ...

    def account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        """Address of the provider's forms for this account: good once and for some minutes."""
        ...

    def fetch_account(self, account_id: str) -> ProviderAccount:
        """Read an account."""
        ...

    def open_checkout(self, order: CheckoutOrder) -> CheckoutPage:
        """Open a hosted page."""
        ...

    def expire_checkout(self, account_id: str, session_id: str) -> bool:
        """Close an open hosted page. False when it is not open any more: paid, or closed already."""
        ...

    def fetch_payment(self, account_id: str, session_id: str) -> ProviderPayment:
        """Read a hosted page and its payment."""
        ...

    def refund(self, *, refund_id: int, account_id: str, payment_id: str, amount: Money, tip: Money) -> ProviderRefund:
        """Give back `amount + tip` of a payment; the tip's part comes from the application fee."""
        ...

    def fetch_refund(self, account_id: str, provider_id: str) -> ProviderRefund:
        """Read a refund."""
        ...

    def list_refunds(self, account_id: str, payment_id: str) -> Sequence[ProviderRefund]:
        """All refunds of a payment, ours and those made elsewhere."""
        ...

    def read_event(self, body: bytes, signature: str, endpoint: str) -> ProviderEvent:
        """Check a webhook's signature over its raw body. Raises BadSignature."""
        ...
