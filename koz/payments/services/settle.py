"""Settling: look at the provider's truth, then apply it once, whoever looked, however often, in whatever order.

The webhook's job, the donor's thanks page and the sweep all call `look`. It reads outside any transaction and then, in
one, locks the gift and the campaign (in this order) and moves both, the books and the outbox together.
"""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from koz.campaigns import queries as campaigns
from koz.campaigns.services import add_contribution
from koz.core.clock import now
from koz.core.db import Uow, wake_after_commit
from koz.core.money import Money
from koz.core.outbox import record
from koz.payments import ledger, queries
from koz.payments.events import GiftCollected
from koz.payments.gateway import PaymentGateway, ProviderPayment
from koz.payments.models import Gift, GiftAttempt, Refund
from koz.payments.states import AttemptState, GiftState

SEND_JOB: Final = "payments.send_refunds"


def look(uow: Uow, gateway: PaymentGateway, account_id: str, session_id: str) -> GiftState | None:
    """Read a hosted page at the provider and apply what it says. None when it is not one of ours.

    A page that we know as paid is not read again: nothing about it can change any more. Raises ProviderDown,
    ProviderRefused.
    """
    with uow() as session:
        known = queries.find_attempt(session, session_id)
        if known is not None and known.state is AttemptState.PAID and known.account_id == account_id:
            return queries.get_gift(session, known.gift_id).state
    payment = gateway.fetch_payment(account_id, session_id)
    with uow() as session:
        return apply(session, payment)


def apply(session: Session, payment: ProviderPayment) -> GiftState | None:
    """Apply the provider's truth about a hosted page: a monotone step, a no-op when repeated."""
    if payment.gift_id is None or payment.attempt is None or queries.find_gift(session, payment.gift_id) is None:
        return None
    gift = queries.lock_gift(session, payment.gift_id)
    attempt = _attempt(session, gift, payment)
    if attempt is None:
        return None
    attempt.looked_at = now()
    if payment.state == "paid":
        _collect(session, gift, attempt, payment)
    elif attempt.state is not AttemptState.PAID:
        attempt.failure = payment.failure or attempt.failure
        if payment.state == "expired":
            _expire(session, gift, attempt)
        elif payment.state == "unpaid" and attempt.state is not AttemptState.EXPIRED:
            attempt.state = AttemptState.UNDER_WAY
    return gift.state


def _expire(session: Session, gift: Gift, attempt: GiftAttempt) -> None:
    """Close a page; the gift is abandoned when it was the latest one."""
    attempt.state = AttemptState.EXPIRED
    latest = queries.last_attempt(session, gift.id)
    if gift.state is GiftState.OPENED and latest is not None and latest.id == attempt.id:
        gift.state = GiftState.ABANDONED


def give_up_unasked(session: Session, before: datetime, limit: int = 200) -> int:
    """Close tries from before a moment of which the provider never told us a page: nobody can pay there any more."""
    stale = queries.list_unasked(session, before, limit)
    for attempt_id, gift_id in stale:
        gift = queries.lock_gift(session, gift_id)
        attempt = session.get_one(GiftAttempt, attempt_id, populate_existing=True)
        if attempt.state is AttemptState.ASKED:
            _expire(session, gift, attempt)
    return len(stale)


def _attempt(session: Session, gift: Gift, payment: ProviderPayment) -> GiftAttempt | None:
    """Our row of this page. A page whose account is not the one we asked is not ours, whatever its metadata say.

    We may have died between opening the page and writing its id down: then the number in its metadata finds the row.
    """
    attempt = queries.find_attempt(session, payment.session_id)
    if attempt is None:
        attempt = queries.find_attempt_by_number(session, gift.id, payment.attempt or 0)
        if attempt is not None and attempt.session_id is None and attempt.account_id == payment.account_id:
            attempt.session_id = payment.session_id
    if attempt is None or attempt.gift_id != gift.id or attempt.account_id != payment.account_id:
        return None
    if attempt.session_id != payment.session_id:
        return None
    return attempt


def _collect(session: Session, gift: Gift, attempt: GiftAttempt, payment: ProviderPayment) -> None:
    if attempt.state is AttemptState.PAID:
        return
    assert payment.payment_id is not None
    assert payment.paid == gift.amount + gift.tip, f"gift {gift.id}: paid {payment.paid}"
    attempt.state, attempt.payment_id, attempt.failure = AttemptState.PAID, payment.payment_id, None
    attempt.surplus = gift.state in {GiftState.COLLECTED, GiftState.REFUNDED}
    _book(session, gift, payment, surplus=attempt.surplus)
    if attempt.surplus:  # a second tab was paid too: give the second back
        refund = Refund(
            gift_id=gift.id, payment_id=payment.payment_id, account_id=attempt.account_id, currency=gift.currency,
            amount_minor=gift.amount_minor, tip_minor=gift.tip_minor, reason="paid_twice", surplus=True,
        )  # fmt: skip
        session.add(refund)
        wake_after_commit(session, SEND_JOB)
        return
    gift.state, gift.collected_at = GiftState.COLLECTED, now()
    campaigns.lock(session, gift.campaign_id)  # before counting: two gifts of one donor may settle at once
    new_donor = not queries.has_given(session, gift.campaign_id, gift.email, but=gift.id)
    add_contribution(session, gift.campaign_id, gift.amount, donors=int(new_donor))
    record(session, GiftCollected(gift.id, gift.campaign_id))


def _book(session: Session, gift: Gift, payment: ProviderPayment, *, surplus: bool) -> None:
    """Donors gave it; the organisation's balance got it less the provider's fee and the tip that goes to Koz."""
    giver = ledger.surplus(gift.campaign_id) if surplus else ledger.donors(gift.campaign_id)
    lines: dict[str, Money] = {
        giver: -payment.paid,
        ledger.provider(gift.organisation_id): payment.paid - payment.fee - payment.tip,
        ledger.fees(gift.organisation_id): payment.fee,
        ledger.TIPS: payment.tip,
    }
    ledger.post(session, f"{payment.payment_id}:paid", lines, campaign_id=gift.campaign_id, gift_id=gift.id)
