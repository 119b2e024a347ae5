"""The inbox of provider events. The endpoint only stores; the job looks at the provider and applies the truth.

An event is a doorbell: duplicates and disorder do not matter, because what it says is not what is booked.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.core import i18n
from koz.core.clock import now
from koz.core.db import Uow, wake_after_commit
from koz.core.errors import Conflict, NotFound
from koz.payments.gateway import PaymentGateway, ProviderDown, ProviderEvent, ProviderRefused
from koz.payments.models import InboxEvent
from koz.payments.services import settle
from koz.payments.states import InboxState

log = structlog.get_logger(__name__)
APPLY_JOB: Final = "payments.apply_inbox"
MAX_ATTEMPTS: Final = 20

Handler = Callable[[Uow, PaymentGateway, InboxEvent], object]


def _look_at_checkout(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> None:
    assert event.account_id is not None
    assert event.object_id is not None
    settle.look(uow, gateway, event.account_id, event.object_id)


#: What to look at when an event of a type has come. Other types are kept and shown to staff.
HANDLERS: Final[Mapping[str, Handler]] = {
    "checkout.session.completed": _look_at_checkout,
    "checkout.session.async_payment_succeeded": _look_at_checkout,
    "checkout.session.async_payment_failed": _look_at_checkout,
    "checkout.session.expired": _look_at_checkout,
}


def receive(session: Session, endpoint: str, event: ProviderEvent) -> int | None:
    """Store an event. Its row's id when it is new, None on a repeat: the unique key decides, not a look before."""
    known = event.type in HANDLERS and event.object_id is not None and event.account_id is not None
    row_id: int | None = session.scalar(
        insert(InboxEvent)
        .values(
            endpoint=endpoint, external_id=event.external_id, type=event.type, account_id=event.account_id,
            object_id=event.object_id, payload=event.payload, attempts=0, received_at=now(), next_attempt_at=now(),
            state=InboxState.WAITING if known else InboxState.IGNORED,
        )
        .on_conflict_do_nothing()
        .returning(InboxEvent.id)
    )  # fmt: skip
    if row_id is not None and known:
        wake_after_commit(session, APPLY_JOB)
    return row_id


def apply_due(uow: Uow, gateway: PaymentGateway, limit: int = 200) -> int:
    """Handle the events that are due, oldest first. Returns how many were handled."""
    handled, seen = 0, set[int]()
    for _ in range(limit):
        with uow() as session:
            event = _claim(session)
        if event is None or event.id in seen:
            break
        seen.add(event.id)
        handled += _apply(uow, gateway, event)
    return handled


def _claim(session: Session) -> InboxEvent | None:
    """The next due event, put off a little, so that another worker takes another one and a dead one's comes back."""
    event = session.scalar(
        select(InboxEvent)
        .where(InboxEvent.state == InboxState.WAITING, InboxEvent.next_attempt_at <= now())
        .order_by(InboxEvent.next_attempt_at, InboxEvent.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if event is not None:
        event.attempts += 1
        event.next_attempt_at = now() + timedelta(seconds=min(3600, 15 * 2 ** min(event.attempts, 10)))
    return event


def _apply(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    try:
        HANDLERS[event.type](uow, gateway, event)
    except (ProviderDown, ProviderRefused) as error:
        log.warning("inbox.later", row=event.id, type=event.type, why=str(error))
        with uow() as session:
            row = session.get_one(InboxEvent, event.id, with_for_update=True)
            row.last_error = f"{type(error).__name__}: {error}"[:2000]
            if row.attempts >= MAX_ATTEMPTS:
                row.state = InboxState.DEAD
        return False
    with uow() as session:
        row = session.get_one(InboxEvent, event.id, with_for_update=True)
        row.state, row.handled_at, row.last_error = InboxState.HANDLED, now(), None
    return True


def replay(session: Session, row_id: int) -> None:
    """Make an event wait again, whatever became of it. Raises NotFound, Conflict for a type that nobody handles."""
    row = session.get(InboxEvent, row_id, with_for_update=True)
    if row is None:
        raise NotFound(i18n._("This event does not exist."))
    if row.type not in HANDLERS:
        raise Conflict(i18n._("Nobody handles events of this type: there is nothing to do again."))
    row.state, row.attempts, row.next_attempt_at, row.handled_at = InboxState.WAITING, 0, now(), None
    wake_after_commit(session, APPLY_JOB)
