"""What a donor told us: a copy of it for them, and forgetting it.

The books keep amount, day and reference of a gift. A forgotten address becomes a sign that no mail can reach: it still
tells one donor's gifts from another's, because campaigns count donors by it.
"""

from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from koz.accounts.queries import find_person
from koz.accounts.services import exporter
from koz.campaigns.models import Campaign
from koz.payments.models import FORGOTTEN, Gift


def forget_person(session: Session, person_id: int, email: str) -> int:
    """Forget address, shown name and words of the gifts of a person or of their proved address. Returns how many."""
    theirs = or_(Gift.person_id == person_id, Gift.email == email)
    first = session.execute(
        select(Gift.email, func.min(Gift.id)).where(theirs, Gift.email.not_like(f"%{FORGOTTEN}")).group_by(Gift.email)
    )
    forgotten = 0
    for address, gift_id in first.all():
        nothing = {"email": f"gift-{gift_id}{FORGOTTEN}", "public_name": None, "message": ""}
        statement = update(Gift).where(Gift.email == address, theirs).values(nothing).returning(Gift.id)
        forgotten += len(session.scalars(statement.execution_options(synchronize_session=False)).all())
    return forgotten


@exporter("gifts")
def _export_gifts(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Gifts made while logged in, and those of the person's proved address."""
    person = find_person(session, person_id)
    theirs = Gift.person_id == person_id
    if person is not None and person.email and person.email_verified_at is not None:
        theirs = or_(theirs, Gift.email == person.email)
    rows = session.execute(
        select(Gift, Campaign.slug).join(Campaign, Campaign.id == Gift.campaign_id).where(theirs).order_by(Gift.id)
    )
    return [
        {
            "reference": f"KOZ-{gift.id}", "campaign": slug, "state": gift.state.value, "currency": gift.currency,
            "amount_minor": gift.amount_minor, "tip_minor": gift.tip_minor, "given_back_minor": gift.refunded_minor,
            "email": gift.address, "shown_name": gift.public_name, "message": gift.message,
            "created_at": gift.created_at.isoformat(), "paid_at": gift.collected_at and gift.collected_at.isoformat(),
        }
        for gift, slug in rows
    ]  # fmt: skip
