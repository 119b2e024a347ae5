"""Giving: the gift's row is committed before the provider is asked; then, outside any transaction, the hosted page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.campaigns import queries as campaigns
from koz.campaigns.models import Campaign
from koz.core.clock import now
from koz.core.db import Uow
from koz.core.errors import Conflict, NotFound, Unavailable
from koz.core.i18n import _
from koz.core.money import Money
from koz.core.settings import current_settings
from koz.payments import queries
from koz.payments.gateway import CheckoutOrder, PaymentGateway, ProviderDown, ProviderRefused
from koz.payments.models import Gift, GiftAttempt, PaymentAccount
from koz.payments.services import settle
from koz.payments.states import AttemptState, GiftState

#: Hosted pages live for 24 hours, and so does the provider's memory of our keys; we count on a little less.
PAGE_LIFE: Final = timedelta(hours=22)
KEY_LIFE: Final = timedelta(hours=22)


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
    form_key: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A gift and the hosted page on which it is paid."""

    gift_id: int
    url: str


Addresses = Callable[[int], tuple[str, str]]
"""From a gift's id to where the donor comes back: (after paying, after giving up)."""


def link_token(gift_id: int) -> str:
    """Token of the donor's own page. The same each time, so that a repeated request to the provider is equal."""
    return _links().dumps(gift_id)


def gift_of_token(token: str) -> int:
    """The gift of a donor's link. Raises NotFound when it was not made by us."""
    try:
        gift_id = _links().loads(token)
    except BadSignature:
        raise NotFound(_("This link is not valid. Check that it was copied whole.")) from None
    assert isinstance(gift_id, int)
    return gift_id


def _links() -> URLSafeSerializer:
    return URLSafeSerializer(current_settings().secret_key, salt="koz.gift")


def start(uow: Uow, gateway: PaymentGateway, wish: OpenGift, addresses: Addresses) -> Started:
    """Open a gift and its hosted page; the same form again gives the same gift, and its page while that is open.

    Raises Conflict when the campaign takes no gifts, Unavailable when the provider does not answer: nothing was taken.
    """
    with uow() as session:
        gift_id = _open(session, wish)
        url = _open_url(session, gift_id)
    return Started(gift_id, url or open_page(uow, gateway, gift_id, addresses, anew=False))


def open_page(uow: Uow, gateway: PaymentGateway, gift_id: int, addresses: Addresses, *, anew: bool = True) -> str:
    """Open a hosted page for a gift that is not paid yet, as a new attempt; older pages are closed first.

    With `anew` false a page that the other half of a double click has just opened is taken, not closed. Returns the
    page's address. Raises Conflict when the gift turns out to be paid, Unavailable.
    """
    try:
        _close_older(uow, gateway, gift_id, anew=anew)
    except (ProviderDown, ProviderRefused):
        raise _unavailable() from None
    with uow() as session:
        queries.lock_gift(session, gift_id)
        if not anew and (url := _open_url(session, gift_id)):
            return url
        order, attempt_id = _order(session, gift_id, addresses(gift_id))
    try:
        page = gateway.open_checkout(order)
    except (ProviderDown, ProviderRefused):
        _forget(uow, attempt_id)
        raise _unavailable() from None
    with uow() as session:
        attempt = session.get_one(GiftAttempt, attempt_id, with_for_update=True)
        if attempt.session_id is None and attempt.state is not AttemptState.PAID:
            attempt.state = AttemptState.OPEN
        attempt.session_id, attempt.url = page.session_id, page.url
    return page.url


def _unavailable() -> Unavailable:
    return Unavailable(_("The payment page cannot be opened now. Nothing was taken: try again in a moment."))


def _close_older(uow: Uow, gateway: PaymentGateway, gift_id: int, *, anew: bool) -> None:
    """Close pages that are still open, lest the gift be paid twice; one that was paid meanwhile is settled."""
    with uow() as session:
        if not anew and _open_url(session, gift_id):
            return
        older = [a for a in queries.list_attempts(session, gift_id) if a.state is AttemptState.OPEN and a.session_id]
    for attempt in older:
        assert attempt.session_id is not None
        gateway.expire_checkout(attempt.account_id, attempt.session_id)
        settle.look(uow, gateway, attempt.account_id, attempt.session_id)


def _forget(uow: Uow, attempt_id: int) -> None:
    """No page came of this try: the next one is new, under a new key, because the provider repeats its errors by key.

    That cannot charge twice: the donor never saw the page that may have been opened in the dark.
    """
    with uow() as session:
        attempt = session.get_one(GiftAttempt, attempt_id, with_for_update=True)
        if attempt.state is AttemptState.ASKED:
            attempt.state = AttemptState.EXPIRED


def _open(session: Session, wish: OpenGift) -> int:
    """The gift's row: a new one, or that of the same form sent twice. The unique key decides, not a look before."""
    campaign = campaigns.get_campaign_by_id(session, wish.campaign_id)
    account = queries.find_account(session, campaign.organisation_id)
    check_open(campaign, account)
    values = {
        "campaign_id": campaign.id, "organisation_id": campaign.organisation_id, "person_id": wish.person_id,
        "email": wish.email.lower(), "public_name": wish.public_name, "message": wish.message, "locale": wish.locale,
        "amount_minor": wish.amount.minor, "tip_minor": wish.tip.minor, "currency": wish.amount.currency,
        "refunded_minor": 0, "refunding_minor": 0, "state": GiftState.OPENED, "created_at": now(),
    }  # fmt: skip
    new = insert(Gift).values(values | {"form_key": wish.form_key})
    gift_id = session.scalar(new.on_conflict_do_nothing(index_elements=["form_key"]).returning(Gift.id))
    if gift_id is None:
        assert wish.form_key is not None
        known = queries.find_gift_by_form_key(session, wish.form_key)
        assert known is not None
        if _same(known, wish):
            return known.id
        # the back button, then something else was typed: another gift
        gift_id = session.scalar(insert(Gift).values(values).returning(Gift.id))
    assert gift_id is not None
    return int(gift_id)


def check_open(campaign: Campaign, account: PaymentAccount | None) -> None:
    """Raises Conflict, with the reason, when no gift can be made to the campaign now."""
    if not campaigns.accepts_gifts(campaign, now()):
        raise Conflict(_("This campaign takes no gifts any more. Nothing was taken."))
    if account is None or not account.can_charge:
        raise Conflict(_("This campaign cannot take gifts yet: its organisation has not finished setting up payments."))


def _same(gift: Gift, wish: OpenGift) -> bool:
    typed = (wish.campaign_id, wish.email.lower(), wish.amount, wish.tip, wish.public_name, wish.message)
    return typed == (gift.campaign_id, gift.email, gift.amount, gift.tip, gift.public_name, gift.message)


def _open_url(session: Session, gift_id: int) -> str | None:
    """Address of the gift's page, when one was opened lately and is not known to be closed."""
    latest = queries.last_attempt(session, gift_id)
    if latest is None or latest.state is not AttemptState.OPEN or latest.created_at < now() - PAGE_LIFE:
        return None
    return latest.url


def _order(session: Session, gift_id: int, addresses: tuple[str, str]) -> tuple[CheckoutOrder, int]:
    gift = queries.lock_gift(session, gift_id)
    if gift.state not in {GiftState.OPENED, GiftState.ABANDONED}:
        raise Conflict(_("This gift is paid already. Thank you."))
    campaign = campaigns.get_campaign_by_id(session, gift.campaign_id)
    account = queries.find_account(session, gift.organisation_id)
    check_open(campaign, account)
    assert account is not None
    assert account.provider_id is not None
    attempt = _attempt(session, gift, account.provider_id)
    order = CheckoutOrder(
        gift_id=gift_id, attempt=attempt.number, account_id=account.provider_id, campaign_title=campaign.title,
        amount=gift.amount, tip=gift.tip, email=gift.address, locale=gift.locale,
        success_url=addresses[0], cancel_url=addresses[1],
    )  # fmt: skip
    return order, attempt.id


def _attempt(session: Session, gift: Gift, account_id: str) -> GiftAttempt:
    """A new try; or the last one while its outcome is unknown: the same number is the same key, and the same page."""
    last = queries.last_attempt(session, gift.id)
    if last is not None and last.state is AttemptState.UNDER_WAY:
        raise Conflict(_("This payment is under way at your bank. There is nothing to do but wait."))
    if last is not None and last.state is AttemptState.ASKED and last.account_id == account_id:
        if last.created_at > now() - KEY_LIFE:
            return last
        last.state = AttemptState.EXPIRED
    attempt = GiftAttempt(gift_id=gift.id, number=(last.number if last else 0) + 1, account_id=account_id)
    session.add(attempt)
    gift.state = GiftState.OPENED
    session.flush()
    return attempt
