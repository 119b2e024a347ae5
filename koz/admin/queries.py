"""Reads of the staff's desk across features: the inbox of provider events and the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.core.outbox import OutboxDelivery, OutboxMessage
from koz.payments.models import InboxEvent
from koz.payments.states import InboxState

#: States of a delivery as the desk shows them, and the rows they mean.
DELIVERIES: Final[Mapping[str, ColumnElement[bool]]] = {
    "waiting": OutboxDelivery.handled_at.is_(None) & OutboxDelivery.dead_at.is_(None),
    "dead": OutboxDelivery.dead_at.is_not(None),
    "handled": OutboxDelivery.handled_at.is_not(None),
}

#: Parts of a provider's event that may name a person, whatever they hold.
PERSONAL: Final = frozenset({
    "address", "address_line1", "billing_details", "card", "cardholder_name", "client_reference_id", "custom_fields",
    "customer_details", "customer_email", "customer_name", "description", "dob", "email", "first_name", "individual",
    "ip", "ip_address", "last4", "last_name", "metadata", "name", "owner", "payer_details", "payment_method_details",
    "person", "phone", "receipt_email", "receipt_url", "representative", "shipping", "shipping_details", "url",
    "hosted_url", "client_secret", "fingerprint", "iban", "tax_id", "tax_ids", "verified_address", "verified_name",
})  # fmt: skip
HIDDEN: Final = "…"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with the event it tells of."""

    delivery: OutboxDelivery
    message: OutboxMessage


def list_inbox(session: Session, state: InboxState, after: int | None = None, size: int = 50) -> Sequence[InboxEvent]:
    """Events in a state, the latest first; `size + 1` rows, the extra one telling that there is more."""
    statement = select(InboxEvent).where(InboxEvent.state == state).order_by(InboxEvent.id.desc()).limit(size + 1)
    if after is not None:
        statement = statement.where(InboxEvent.id < after)
    return session.scalars(statement).all()


def get_inbox_event(session: Session, event_id: int) -> InboxEvent:
    """The event. Raises NotFound."""
    event = session.get(InboxEvent, event_id)
    if event is None:
        raise NotFound(_("This event does not exist."))
    return event


def count_inbox(session: Session) -> Mapping[InboxState, int]:
    """How many events there are in each state."""
    rows = session.execute(select(InboxEvent.state, func.count()).group_by(InboxEvent.state))
    return dict.fromkeys(InboxState, 0) | {row[0]: row[1] for row in rows}


def without_personal(value: Any) -> Any:
    """A provider's payload with everything that may name a person left out; identifiers and amounts stay."""
    if isinstance(value, dict):
        return {k: HIDDEN if k in PERSONAL and v not in (None, "", {}, []) else without_personal(v)
                for k, v in value.items()}  # fmt: skip
    if isinstance(value, list):
        return [without_personal(item) for item in value]
    return HIDDEN if isinstance(value, str) and "@" in value else value


def list_deliveries(session: Session, state: str, after: int | None = None, size: int = 50) -> Sequence[DeliveryRow]:
    """Deliveries in a state of `DELIVERIES`, the latest first; `size + 1` rows."""
    statement = (
        select(OutboxDelivery, OutboxMessage)
        .join(OutboxMessage, OutboxMessage.id == OutboxDelivery.message_id)
        .where(DELIVERIES[state])
        .order_by(OutboxDelivery.id.desc())
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(OutboxDelivery.id < after)
    return [DeliveryRow(delivery, message) for delivery, message in session.execute(statement)]


def get_delivery(session: Session, delivery_id: int) -> DeliveryRow:
    """The delivery. Raises NotFound."""
    delivery = session.get(OutboxDelivery, delivery_id)
    if delivery is None:
        raise NotFound(_("This delivery does not exist."))
    return DeliveryRow(delivery, session.get_one(OutboxMessage, delivery.message_id))


def count_deliveries(session: Session) -> Mapping[str, int]:
    """How many deliveries wait and are dead; handled ones are too many to count."""
    row = session.execute(
        select(func.count().filter(DELIVERIES["waiting"]), func.count().filter(DELIVERIES["dead"])).where(
            OutboxDelivery.handled_at.is_(None) | OutboxDelivery.dead_at.is_not(None)
        )
    ).one()
    return {"waiting": row[0], "dead": row[1]}
