"""Settling: look at the provider's truth, then apply it once, whoever looked, however often, in whatever order.

The webhook's job, the donor's thanks page and the sweep all call `look`. It reads outside any transaction and then, in
one, locks the gift and the campaign (in this order) and moves both, the books and the outbox together.
"""

from sqlalchemy.orm import Session

from koz.campaigns.services import add_contribution
from koz.core.clock import now
from koz.core.db import Uow
from koz.core.money import Money
from koz.core.outbox import record
from koz.payments import ledger, queries
from koz.payments.events import GiftCollected
from koz.payments.gateway import PaymentGateway, ProviderPayment
from koz.payments.models import Gift, GiftAttempt, Refund
from koz.payments.states import AttemptState, GiftState


def look(uow: Uow, gateway: PaymentGateway, account_id: str, session_id: str) -> GiftState | None:
    """Read a hosted page at the provider and apply what it says. None when it is not one of ours.

    Raises ProviderDown, ProviderRefused.
    """
    payment = gateway.fetch_payment(account_id, session_id)
    with uow() as session:
        return apply(session, payment)


def apply(session: Session, payment: ProviderPayment) -> GiftState | None:
    """Apply the provider's truth about a hosted page: a monotone step, a no-op when repeated."""
    if payment.gift_id is None or payment.attempt is None:
        return None
    gift = queries.lock_gift(session, payment.gift_id)
    attempt = _attempt(session, gift, payment)
    if attempt is None:
        return None
    attempt.looked_at = now()
    if payment.state == "paid":
        _collect(session, gift, attempt, payment)
    elif payment.state == "expired" and attempt.state is not AttemptState.PAID:
        attempt.state = AttemptState.EXPIRED
        latest = queries.last_attempt(session, gift.id)
        if gift.state is GiftState.OPENED and latest is not None and latest.id == attempt.id:
            gift.state = GiftState.ABANDONED
    return gift.state


def _attempt(session: Session, gift: Gift, payment: ProviderPayment) -> GiftAttempt | None:
    """Our row of this page. A page whose account is not the one we asked is not ours, whatever its metadata say.

    We may have died between opening the page and writing its id down: then the number in its metadata finds the row.
    """
    attempt = queries.find_attempt(session, payment.session_id)
    if attempt is None:
        attempt = queries.find_attempt_by_number(session, gift.id, payment.attempt or 0)
        if attempt is not None and attempt.session_id is None:
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
    attempt.state, attempt.payment_id = AttemptState.PAID, payment.payment_id
    _book(session, gift, payment)
    if gift.state in {GiftState.COLLECTED, GiftState.REFUNDED}:  # a second tab was paid too: give the second back
        refund = Refund(
            gift_id=gift.id, payment_id=payment.payment_id, account_id=attempt.account_id, currency=gift.currency,
            amount_minor=gift.amount_minor, tip_minor=gift.tip_minor, reason="paid_twice",
        )  # fmt: skip
        session.add(refund)
        return
    gift.state, gift.collected_at = GiftState.COLLECTED, now()
    add_contribution(session, gift.campaign_id, gift.amount)
    record(session, GiftCollected(gift.id, gift.campaign_id))


def _book(session: Session, gift: Gift, payment: ProviderPayment) -> None:
    """Donors gave it; the organisation's balance got it less the provider's fee and the tip that goes to Koz."""
    lines: dict[str, Money] = {
        ledger.donors(gift.campaign_id): -payment.paid,
        ledger.provider(gift.organisation_id): payment.paid - payment.fee - payment.tip,
        ledger.fees(gift.organisation_id): payment.fee,
        ledger.TIPS: payment.tip,
    }
    ledger.post(session, f"{payment.payment_id}:paid", lines, campaign_id=gift.campaign_id, gift_id=gift.id)
