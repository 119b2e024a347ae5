"""Transactional outbox: an event is a row written with the change it tells, delivered after it, once per subscriber.

`record` writes one message and one delivery per subscriber in the caller's transaction. `relay` takes one due
delivery at a time under `FOR UPDATE SKIP LOCKED`, runs its handler in a savepoint and marks it. A handler may run
twice (a crash after it, before the mark) and therefore only writes rows that are unique by their cause.
A failed delivery waits longer each time; after `MAX_ATTEMPTS` it is dead and shows on the staff's desk.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from koz.core.clock import now
from koz.core.db import Base, Uow, unit_of_work, wake_after_commit
from koz.core.errors import without_row_values
from koz.core.events import Event

log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 12
RELAY_JOB: Final = "outbox.relay"

EventT = TypeVar("EventT", bound=Event)
Handler = Callable[[Session, Any], object]

_types: dict[str, type[Event]] = {}
_subscribers: dict[str, dict[str, Handler]] = {}


class OutboxMessage(Base):
    """An event that happened."""

    __tablename__ = "outbox_messages"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class OutboxDelivery(Base):
    """The duty to tell one subscriber of one message."""

    __tablename__ = "outbox_deliveries"
    __table_args__ = (
        UniqueConstraint("message_id", "subscriber"),
        Index(
            "ix_outbox_deliveries_due",
            "next_attempt_at",
            postgresql_where="handled_at IS NULL AND dead_at IS NULL",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("outbox_messages.id"))
    subscriber: Mapped[str] = mapped_column(String(120))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    handled_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)


def subscribe(event_type: type[EventT]) -> Callable[[Callable[[Session, EventT], object]], Callable[..., object]]:
    """Make a function a subscriber of an event type. Its name (module and function) is what deliveries remember."""

    def register(handler: Callable[[Session, EventT], object]) -> Callable[..., object]:
        _types[event_type.__name__] = event_type
        name = f"{handler.__module__.removeprefix('koz.')}.{handler.__name__}"
        _subscribers.setdefault(event_type.__name__, {})[name] = handler
        return handler

    return register


def record(session: Session, event: Event) -> None:
    """Write an event with the change it tells; its deliveries start after the commit."""
    name = type(event).__name__
    _types.setdefault(name, type(event))
    message = OutboxMessage(event=name, payload=dataclasses.asdict(event))
    session.add(message)
    session.flush()
    subscribers = _subscribers.get(name, {})
    session.add_all(OutboxDelivery(message_id=message.id, subscriber=s) for s in subscribers)
    if subscribers:
        wake_after_commit(session, RELAY_JOB)


def relay(uow: Uow = unit_of_work, *, limit: int = 500) -> int:
    """Deliver what is due, at most `limit` deliveries. Returns how many were handled well."""
    handled = 0
    for _ in range(limit):
        with uow() as session:
            outcome = _deliver_next(session)
        if outcome is None:
            break
        handled += outcome
    return handled


def _deliver_next(session: Session) -> bool | None:
    """True when handled, False when it failed and will be tried again, None when nothing is due."""
    session.flush()  # so that what is due is asked after everything written in this session
    delivery = session.scalar(
        select(OutboxDelivery)
        .where(
            OutboxDelivery.handled_at.is_(None),
            OutboxDelivery.dead_at.is_(None),
            OutboxDelivery.next_attempt_at <= now(),
        )
        .order_by(OutboxDelivery.next_attempt_at, OutboxDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if delivery is None:
        return None
    message = session.get_one(OutboxMessage, delivery.message_id)
    delivery.attempts += 1
    try:
        handler = _subscribers[message.event][delivery.subscriber]
        with session.begin_nested():
            handler(session, _types[message.event](**message.payload))
    except Exception as error:
        log.exception("outbox.failed", message=message.id, subscriber=delivery.subscriber, attempt=delivery.attempts)
        delivery.last_error = without_row_values(f"{type(error).__name__}: {error}")[:2000]
        delivery.next_attempt_at = now() + timedelta(seconds=min(3600, 2**delivery.attempts))
        if delivery.attempts >= MAX_ATTEMPTS:
            delivery.dead_at = now()
        return False
    delivery.handled_at = now()
    delivery.last_error = None
    return True


def replay(session: Session, delivery_id: int) -> None:
    """Make a delivery due again, dead or not, handled or not: handlers are safe to repeat."""
    delivery = session.get_one(OutboxDelivery, delivery_id, with_for_update=True)
    delivery.handled_at = delivery.dead_at = None
    delivery.attempts = 0
    delivery.next_attempt_at = now()
    wake_after_commit(session, RELAY_JOB)


def subscribers_of(event_type: type[Event]) -> frozenset[str]:
    """Names of the subscribers of an event type."""
    return frozenset(_subscribers.get(event_type.__name__, {}))
