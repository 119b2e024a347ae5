"""What Koz needs of a payment provider, in Koz's words. One adapter: `stripe_gateway.py`; one fake for tests."""

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
    email: str
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
class ProviderPayment:
    """The truth now about one hosted page."""

    session_id: str
    account_id: str
    gift_id: int | None
    attempt: int | None
    state: str  # open, paid, unpaid (complete, money under way), expired
    payment_id: str | None = None
    paid: Money = NOTHING
    fee: Money = NOTHING
    tip: Money = NOTHING


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """The truth now about one refund."""

    provider_id: str
    state: str  # pending, done, failed


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

    def open_checkout(self, order: CheckoutOrder) -> CheckoutPage:
        """Open a hosted page."""
        ...

    def fetch_payment(self, account_id: str, session_id: str) -> ProviderPayment:
        """Read a hosted page and its payment."""
        ...

    def refund(self, *, refund_id: int, account_id: str, payment_id: str, amount: Money, tip: Money) -> ProviderRefund:
        """Give back `amount` of a payment, of which `tip` was the application fee's."""
        ...

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Check a webhook's signature over its raw body. Raises BadSignature."""
        ...
