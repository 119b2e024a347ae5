"""Giving: the gift's row is committed before the provider is asked; then, outside any transaction, the hosted page."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from koz.campaigns import queries as campaigns
from koz.core.clock import now
from koz.core.db import Uow
from koz.core.errors import Conflict, Unavailable
from koz.core.i18n import _
from koz.core.money import Money
from koz.payments import queries
from koz.payments.gateway import CheckoutOrder, PaymentGateway, ProviderDown, ProviderRefused
from koz.payments.models import Gift, GiftAttempt
from koz.payments.states import AttemptState, GiftState


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGift:
    """What a donor wants to give."""

    campaign_id: int
    amount: Money
    tip: Money
    email: str
    locale: str = "fr"
    person_id: int | None = None
    public_name: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """A gift and the hosted page on which it is paid."""

    gift_id: int
    url: str


Addresses = Callable[[int], tuple[str, str]]
"""From a gift's id to where the donor comes back: (after paying, after giving up)."""


def start(uow: Uow, gateway: PaymentGateway, wish: OpenGift, addresses: Addresses) -> Started:
    """Open a gift and its hosted page.

    Raises Conflict when the campaign takes no gifts, Unavailable when the provider does not answer: nothing was taken.
    """
    with uow() as session:
        gift = _open(session, wish)
        gift_id = gift.id
    return Started(gift_id, open_page(uow, gateway, gift_id, addresses))


def open_page(uow: Uow, gateway: PaymentGateway, gift_id: int, addresses: Addresses) -> str:
    """Open a hosted page for a gift that is not paid yet, as a new attempt. Returns its address."""
    with uow() as session:
        order, attempt_id = _order(session, gift_id, addresses(gift_id))
    try:
        page = gateway.open_checkout(order)
    except (ProviderDown, ProviderRefused):
        raise Unavailable(
            _("The payment page cannot be opened now. Nothing was taken: try again in a moment.")
        ) from None
    with uow() as session:
        attempt = session.get_one(GiftAttempt, attempt_id, with_for_update=True)
        attempt.session_id = page.session_id
        if attempt.state is AttemptState.ASKED:
            attempt.state = AttemptState.OPEN
    return page.url


def _open(session: Session, wish: OpenGift) -> Gift:
    campaign = campaigns.get_campaign_by_id(session, wish.campaign_id)
    account = queries.find_account(session, campaign.organisation_id)
    if not campaigns.accepts_gifts(campaign, now()):
        raise Conflict(_("This campaign takes no gifts any more. Nothing was taken."))
    if account is None or not account.can_charge:
        raise Conflict(_("This campaign cannot take gifts yet: its organisation has not finished setting up payments."))
    gift = Gift(
        campaign_id=campaign.id, organisation_id=campaign.organisation_id, person_id=wish.person_id, email=wish.email,
        public_name=wish.public_name, message=wish.message, locale=wish.locale, amount_minor=wish.amount.minor,
        tip_minor=wish.tip.minor, currency=wish.amount.currency,
    )  # fmt: skip
    session.add(gift)
    session.flush()
    return gift


def _order(session: Session, gift_id: int, addresses: tuple[str, str]) -> tuple[CheckoutOrder, int]:
    gift = queries.lock_gift(session, gift_id)
    if gift.state not in {GiftState.OPENED, GiftState.ABANDONED}:
        raise Conflict(_("This gift is paid already. Thank you."))
    campaign = campaigns.get_campaign_by_id(session, gift.campaign_id)
    account = queries.find_account(session, gift.organisation_id)
    assert account is not None
    assert account.provider_id is not None
    last = session.scalar(
        select(GiftAttempt.number).where(GiftAttempt.gift_id == gift_id).order_by(GiftAttempt.number.desc()).limit(1)
    )
    attempt = GiftAttempt(gift_id=gift_id, number=(last or 0) + 1, account_id=account.provider_id)
    session.add(attempt)
    session.flush()
    order = CheckoutOrder(
        gift_id=gift_id, attempt=attempt.number, account_id=account.provider_id, campaign_title=campaign.title,
        amount=gift.amount, tip=gift.tip, email=gift.email, locale=gift.locale,
        success_url=addresses[0], cancel_url=addresses[1],
    )  # fmt: skip
    return order, attempt.id
