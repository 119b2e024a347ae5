"""Giving money back: our row first, then the provider under a key made of it, then the books, by looking.

A refund is asked for under the gift's lock, so that the sum of refunds never exceeds the gift (a CHECK says so too).
What the provider says is applied once, whoever looked: the donor's totals, the campaign's and the books move together.
A refund that somebody made at the provider itself, without us, is found by its payment and booked like ours.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.campaigns.services import add_contribution, take_back
from koz.core.clock import now
from koz.core.db import Uow, wake_after_commit
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.money import Money
from koz.core.outbox import record
from koz.payments import ledger, queries
from koz.payments.events import GiftRefunded
from koz.payments.gateway import PaymentGateway, ProviderDown, ProviderRefund, ProviderRefused
from koz.payments.models import Gift, GiftAttempt, Refund
from koz.payments.services.settle import SEND_JOB
from koz.payments.states import REFUND_STEPS, GiftState, RefundState

AGAIN_AFTER_S: Final = 30
LOOK_AGAIN_AFTER: Final = timedelta(hours=1)
UNDER_WAY: Final = frozenset({RefundState.WANTED, RefundState.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class WantRefund:
    """What a treasurer wants to give back of a gift. `form_key` makes a double click one refund."""

    gift_id: int
    amount: Money
    reason: str
    by: int | None
    form_key: str | None = None


def tip_part(gift: Gift, amount: Money, given_back: Money) -> Money:
    """What of the tip goes back with `amount`: in proportion, and whatever is left of it with the last part.

    `given_back` is what of the tip went back already or is on its way.
    """
    share = gift.refunded_minor + gift.refunding_minor + amount.minor
    return Money(max(0, gift.tip_minor * share // gift.amount_minor - given_back.minor), gift.currency)


def want(session: Session, command: WantRefund) -> int:
    """Write down a refund; it is sent after the commit. Returns its row's id, the same for the same form.

    Raises Conflict when the gift is not collected, Invalid when more is asked than is left.
    """
    gift = queries.lock_gift(session, command.gift_id)
    known = queries.find_refund_by_form_key(session, command.form_key) if command.form_key else None
    if known is not None and known.gift_id == gift.id:
        return known.id
    attempt = queries.find_counted_attempt(session, gift.id)
    if gift.state is not GiftState.COLLECTED or attempt is None or attempt.payment_id is None:
        raise Conflict(_("This gift has no money that could be given back."))
    if not 0 < command.amount.minor <= gift.left.minor:
        raise Invalid(_("This is more than is left of the gift. Enter a smaller amount."))
    tip = tip_part(gift, command.amount, queries.tip_given_back(session, gift.id))
    refund = Refund(
        gift_id=gift.id, payment_id=attempt.payment_id, account_id=attempt.account_id, currency=gift.currency,
        amount_minor=command.amount.minor, tip_minor=tip.minor, reason=command.reason, created_by=command.by,
        form_key=command.form_key,
    )  # fmt: skip
    gift.refunding_minor += command.amount.minor
    session.add(refund)
    session.flush()
    wake_after_commit(session, SEND_JOB)
    return refund.id


def want_surplus_again(session: Session, refund_id: int, by: int | None) -> int:
    """Ask once more for the return of what was paid twice, after a failed try. Raises Conflict."""
    failed = queries.get_refund(session, refund_id)
    queries.lock_gift(session, failed.gift_id)
    alive = [r for r in queries.list_refunds(session, failed.gift_id) if r.payment_id == failed.payment_id]
    if not failed.surplus or any(r.state is not RefundState.FAILED for r in alive):
        raise Conflict(_("This refund is under way or done already."))
    again = Refund(
        gift_id=failed.gift_id, payment_id=failed.payment_id, account_id=failed.account_id, currency=failed.currency,
        amount_minor=failed.amount_minor, tip_minor=failed.tip_minor, reason=failed.reason, surplus=True, created_by=by,
    )  # fmt: skip
    session.add(again)
    session.flush()
    wake_after_commit(session, SEND_JOB)
    return again.id


def send(uow: Uow, gateway: PaymentGateway, refund_id: int) -> RefundState:
    """Ask the provider for a refund, or look at one it has. Raises ProviderDown: the outcome is unknown, again later.

    After an unknown outcome the provider's list is read first, because its memory of our key is shorter than ours.
    """
    with uow() as session:
        refund = _claim(session, refund_id)
    if refund.state not in UNDER_WAY:
        return refund.state
    try:
        found = _ask(gateway, refund)
    except ProviderRefused as error:
        with uow() as session:
            state = _refused(session, refund_id, str(error))
        with suppress(ProviderDown, ProviderRefused):  # perhaps somebody gave it back at the provider itself
            look_at_payment(uow, gateway, refund.account_id, refund.payment_id)
        return state
    with uow() as session:
        return apply(session, refund_id, found)


def send_due(uow: Uow, gateway: PaymentGateway, due: datetime, limit: int = 100) -> tuple[int, list[str]]:
    """Send or look at what is due. Returns how many were settled or moved, and what went wrong with others."""
    done, wrong = 0, []
    for refund_id in _due_ids(uow, due, limit):
        try:
            send(uow, gateway, refund_id)
        except ProviderDown as error:
            wrong.append(f"refund {refund_id}: {error}")
            continue
        done += 1
    return done, wrong


def look_at_payment(uow: Uow, gateway: PaymentGateway, account_id: str, payment_id: str) -> int:
    """Apply all refunds of a payment as the provider has them, ours and others'. Returns how many there are.

    Raises ProviderDown (also when one of ours must be settled first), ProviderRefused.
    """
    found = gateway.list_refunds(account_id, payment_id)
    for one in reversed(found):  # oldest first
        adopt(uow, account_id, one)
    return len(found)


def look_at_refund(uow: Uow, gateway: PaymentGateway, account_id: str, provider_id: str) -> None:
    """Apply one refund as the provider has it."""
    adopt(uow, account_id, gateway.fetch_refund(account_id, provider_id))


def adopt(uow: Uow, account_id: str, found: ProviderRefund) -> RefundState | None:
    """Apply the truth about a refund, ours or one made at the provider itself. None when the payment is not ours."""
    with uow() as session:
        attempt = queries.find_attempt_by_payment(session, found.payment_id)
        if attempt is None or attempt.account_id != account_id:
            return None
        queries.lock_gift(session, attempt.gift_id)
        refund_id = _row_of(session, attempt, found)
        return apply(session, refund_id, found)


def apply(session: Session, refund_id: int, found: ProviderRefund) -> RefundState:
    """Apply the provider's truth about a refund: a step of the table, a no-op when repeated or not a step."""
    row = queries.get_refund(session, refund_id)
    gift = queries.lock_gift(session, row.gift_id)
    refund = queries.get_refund(session, refund_id, fresh=True)
    assert found.payment_id in {"", refund.payment_id}, f"refund {refund_id} is of another payment"
    if refund.provider_id is None:
        refund.provider_id = found.provider_id
    elif refund.provider_id != found.provider_id:
        return refund.state
    new = RefundState(found.state)
    if new is RefundState.PENDING:
        refund.next_attempt_at = now() + LOOK_AGAIN_AFTER
    if new is refund.state or new not in REFUND_STEPS[refund.state]:
        return refund.state
    old, refund.state = refund.state, new
    if new is RefundState.DONE:
        _done(session, gift, refund, found)
    elif new is RefundState.FAILED:
        _failed(session, gift, refund, old, found.failure or "failed")
    return refund.state


def _done(session: Session, gift: Gift, refund: Refund, found: ProviderRefund) -> None:
    fee_back = found.fee_back if found.fee_back is not None else Money(_asked_back(refund), refund.currency)
    refund.fee_back_minor, refund.settled_at, refund.failure = fee_back.minor, now(), None
    ledger.post(
        session, f"{refund.provider_id}:refunded", _lines(gift, refund), campaign_id=gift.campaign_id, gift_id=gift.id
    )
    if not refund.surplus:
        gift.refunding_minor -= refund.amount_minor
        gift.refunded_minor += refund.amount_minor
        if gift.refunded_minor == gift.amount_minor:
            gift.state = GiftState.REFUNDED
        take_back(session, gift.campaign_id, Money(refund.amount_minor, refund.currency))
    record(session, GiftRefunded(gift.id, refund.id))


def _failed(session: Session, gift: Gift, refund: Refund, old: RefundState, why: str) -> None:
    refund.settled_at, refund.failure = now(), why[:80]
    if old is RefundState.DONE:  # the bank sent it back: the books are turned round, never changed
        lines = {account: -amount for account, amount in _lines(gift, refund).items()}
        cause = f"{refund.provider_id}:refund_failed"
        ledger.post(session, cause, lines, campaign_id=gift.campaign_id, gift_id=gift.id)
    if refund.surplus:
        return
    if old is RefundState.DONE:
        gift.refunded_minor -= refund.amount_minor
        gift.state = GiftState.COLLECTED
        take_back(session, gift.campaign_id, Money(-refund.amount_minor, refund.currency))
        add_contribution(session, gift.campaign_id, Money(0, refund.currency), gifts=0, donors=0)
    else:
        gift.refunding_minor -= refund.amount_minor


def _lines(gift: Gift, refund: Refund) -> dict[str, Money]:
    """The donor got it; it left the organisation's balance, less what Koz gave back of its part."""
    fee_back = Money(refund.fee_back_minor, refund.currency)
    giver = ledger.surplus(gift.campaign_id) if refund.surplus else ledger.donors(gift.campaign_id)
    return {giver: refund.total, ledger.provider(gift.organisation_id): fee_back - refund.total, ledger.TIPS: -fee_back}


def _asked_back(refund: Refund) -> int:
    """What we asked back of Koz's part; nothing for a refund that we did not ask for."""
    return 0 if refund.reason == "elsewhere" else refund.tip_minor


def _claim(session: Session, refund_id: int) -> Refund:
    """The row, put off a little, so that another worker leaves it alone and a dead one's comes back."""
    refund = queries.get_refund(session, refund_id, fresh=True, lock=True)
    refund.tries += 1
    refund.next_attempt_at = now() + timedelta(seconds=min(3600, AGAIN_AFTER_S * 2 ** min(refund.tries, 8)))
    return refund


def _ask(gateway: PaymentGateway, refund: Refund) -> ProviderRefund:
    if refund.provider_id is not None:
        return gateway.fetch_refund(refund.account_id, refund.provider_id)
    if refund.tries > 1:
        known = gateway.list_refunds(refund.account_id, refund.payment_id)
        ours = [one for one in known if one.refund_id == refund.id]
        if ours:
            return ours[0]
    return gateway.refund(
        refund_id=refund.id, account_id=refund.account_id, payment_id=refund.payment_id,
        amount=Money(refund.amount_minor, refund.currency), tip=Money(refund.tip_minor, refund.currency),
    )  # fmt: skip


def _refused(session: Session, refund_id: int, why: str) -> RefundState:
    """The provider will not do it: the amount is free again, and the treasurer sees why."""
    row = queries.get_refund(session, refund_id)
    gift = queries.lock_gift(session, row.gift_id)
    refund = queries.get_refund(session, refund_id, fresh=True)
    if refund.state is RefundState.WANTED and refund.provider_id is None:
        refund.state = RefundState.FAILED
        _failed(session, gift, refund, RefundState.WANTED, why)
    return refund.state


def _row_of(session: Session, attempt: GiftAttempt, found: ProviderRefund) -> int:
    """Our row of a provider's refund; one is made for a refund that was made elsewhere. The gift's row is locked."""
    known = queries.find_refund_by_provider_id(session, found.provider_id)
    if known is not None:
        return known.id
    ours = None if found.refund_id is None else queries.find_refund(session, found.refund_id)
    if ours is not None and ours.payment_id == found.payment_id and ours.provider_id is None:
        return ours.id
    gift = queries.get_gift(session, attempt.gift_id)
    room = gift.amount_minor if attempt.surplus else gift.amount_minor - gift.refunded_minor
    amount = min(found.amount.minor, room)
    if not attempt.surplus:
        if amount > gift.left.minor:
            raise ProviderDown("a refund of ours is under way and must be settled first")
        gift.refunding_minor += amount
    values = {
        "gift_id": gift.id, "payment_id": found.payment_id, "account_id": attempt.account_id, "amount_minor": amount,
        "tip_minor": found.amount.minor - amount, "currency": found.amount.currency, "state": RefundState.PENDING,
        "provider_id": found.provider_id, "surplus": attempt.surplus, "fee_back_minor": 0, "reason": "elsewhere",
        "tries": 0, "next_attempt_at": now(), "created_at": now(),
    }  # fmt: skip
    refund_id = session.scalar(insert(Refund).values(values).returning(Refund.id))
    assert refund_id is not None
    return int(refund_id)


def _due_ids(uow: Uow, due: datetime, limit: int) -> list[int]:
    with uow() as session:
        return list(queries.list_due_refunds(session, due, limit))
