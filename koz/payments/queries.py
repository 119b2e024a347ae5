"""Reads of money."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.payments.models import Gift, GiftAttempt, PaymentAccount, Refund
from koz.payments.states import AttemptState, GiftState, RefundState


def get_gift(session: Session, gift_id: int) -> Gift:
    """The gift. Raises NotFound."""
    gift = session.get(Gift, gift_id)
    if gift is None:
        raise NotFound(_("This gift does not exist."))
    return gift


def lock_gift(session: Session, gift_id: int) -> Gift:
    """The gift's row, locked and freshly read. Raises NotFound."""
    query = (
        select(Gift).where(Gift.id == gift_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    gift = session.scalar(query)
    if gift is None:
        raise NotFound(_("This gift does not exist."))
    return gift


def find_account(session: Session, organisation_id: int) -> PaymentAccount | None:
    """The organisation's account at the provider."""
    return session.scalar(select(PaymentAccount).where(PaymentAccount.organisation_id == organisation_id))


def find_attempt(session: Session, session_id: str) -> GiftAttempt | None:
    """The try to pay that a hosted page belongs to."""
    return session.scalar(select(GiftAttempt).where(GiftAttempt.session_id == session_id))


def find_attempt_by_number(session: Session, gift_id: int, number: int) -> GiftAttempt | None:
    """The try of a gift with this number."""
    return session.scalar(select(GiftAttempt).where(GiftAttempt.gift_id == gift_id, GiftAttempt.number == number))


def last_attempt(session: Session, gift_id: int) -> GiftAttempt | None:
    """The latest try of a gift."""
    query = select(GiftAttempt).where(GiftAttempt.gift_id == gift_id).order_by(GiftAttempt.number.desc()).limit(1)
    return session.scalar(query)


def list_open_attempts(session: Session, before: datetime, limit: int = 200) -> Sequence[GiftAttempt]:
    """Tries that may have been paid without our knowing: open, and not looked at since `before`."""
    query = select(GiftAttempt).where(
        GiftAttempt.state == AttemptState.OPEN,
        GiftAttempt.created_at < before,
        (GiftAttempt.looked_at.is_(None)) | (GiftAttempt.looked_at < before),
    )
    return session.scalars(query.order_by(GiftAttempt.id).limit(limit)).all()


def refunds_under_way(session: Session, gift_id: int) -> int:
    """Minor units of a gift's amount that are wanted back and neither done nor failed."""
    under_way = (RefundState.WANTED, RefundState.PENDING)
    total = select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.gift_id == gift_id, Refund.state.in_(under_way)
    )
    return int(session.scalar(total) or 0)


def public_donors(session: Session, campaign_id: int, limit: int = 20) -> Sequence[str]:
    """Names of those who ticked that theirs may be shown, latest first."""
    query = select(Gift.public_name).where(
        Gift.campaign_id == campaign_id, Gift.state == GiftState.COLLECTED, Gift.public_name.is_not(None)
    )
    names = session.scalars(query.order_by(Gift.collected_at.desc()).limit(limit)).all()
    return [name for name in names if name]
