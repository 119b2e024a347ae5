"""The inbox of provider events. The endpoint only stores; the job looks at the provider and applies the truth.

An event is a doorbell: duplicates and disorder do not matter, because what it says is not what is booked.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, cast

import structlog
from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.core import i18n
from koz.core.clock import now
from koz.core.db import Uow, wake_after_commit
from koz.core.errors import Conflict, NotFound
from koz.payments import queries
from koz.payments.gateway import PaymentGateway, ProviderDown, ProviderEvent, ProviderRefused
from koz.payments.models import InboxEvent
from koz.payments.services import onboard, refund, settle
from koz.payments.states import InboxState

log = structlog.get_logger(__name__)
APPLY_JOB: Final = "payments.apply_inbox"
MAX_ATTEMPTS: Final = 20
KEEP: Final = timedelta(days=90)

Handler = Callable[[Uow, PaymentGateway, InboxEvent], bool]


def _look_at_checkout(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    return settle.look(uow, gateway, event.account_id or "", event.object_id or "") is not None


def _look_at_intent(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    """A payment's metadata name our try; what it says is only a hint of the page to look at."""
    metadata = _object(event).get("metadata") or {}
    with uow() as session:
        attempt = queries.find_attempt_of_metadata(session, metadata, event.account_id or "")
    if attempt is None or attempt.session_id is None:
        return False
    return settle.look(uow, gateway, attempt.account_id, attempt.session_id) is not None


def _look_at_refunds(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    """All refunds of the payment, by the payment's id or, where an event has none, the charge's."""
    about = _object(event)
    of = about.get("payment_intent") or about.get("charge")
    account = event.account_id or about.get("account")
    if not isinstance(of, str) or not isinstance(account, str):
        return False
    return refund.look_at_payment(uow, gateway, account, of) > 0


def _look_at_account(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    return onboard.look(uow, gateway, event.account_id or event.object_id or "") is not None


def _object(event: InboxEvent) -> dict[str, Any]:
    about = (event.payload.get("data") or {}).get("object")
    return about if isinstance(about, dict) else {}


#: What to look at when an event of a type has come. Other types are kept and shown to staff.
HANDLERS: Final[Mapping[str, Handler]] = {
    "checkout.session.completed": _look_at_checkout,
    "checkout.session.async_payment_succeeded": _look_at_checkout,
    "checkout.session.async_payment_failed": _look_at_checkout,
    "checkout.session.expired": _look_at_checkout,
    "payment_intent.payment_failed": _look_at_intent,
    "charge.refunded": _look_at_refunds,
    "refund.created": _look_at_refunds,
    "refund.updated": _look_at_refunds,
    "refund.failed": _look_at_refunds,
    "application_fee.refunded": _look_at_refunds,
    "account.updated": _look_at_account,
    "v2.core.account.closed": _look_at_account,
    "v2.core.account.updated": _look_at_account,
    "v2.core.account[requirements].updated": _look_at_account,
    "v2.core.account[configuration.merchant].updated": _look_at_account,
    "v2.core.account[configuration.merchant].capability_status_updated": _look_at_account,
    "v2.core.account_link.returned": _look_at_account,
}
#: Types that come from the connected accounts of organisations: one that is not ours is none of our business.
OURS_ONLY: Final = frozenset({"connect", "accounts"})


#: Made once: making it costs more than running it. On the table, not the class: nothing is loaded.
_STORE: Final = (
    insert(cast("Table", InboxEvent.__table__)).on_conflict_do_nothing().returning(InboxEvent.__table__.c.id)
)


def receive(session: Session, endpoint: str, event: ProviderEvent) -> int | None:
    """Store an event, by one statement. Its row's id when it is new, None on a repeat: the unique key decides.

    Whether the account is one of ours is asked later, by the job: the answer to the provider waits for nothing.
    """
    known = event.type in HANDLERS and event.object_id is not None
    values = {
        "endpoint": endpoint, "external_id": event.external_id, "type": event.type, "account_id": event.account_id,
        "object_id": event.object_id, "payload": event.payload, "attempts": 0, "received_at": now(),
        "next_attempt_at": now(), "state": InboxState.WAITING if known else InboxState.IGNORED,
    }  # fmt: skip
    row_id: int | None = session.scalar(_STORE, values)
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
        .execution_options(populate_existing=True)
    )
    if event is not None:
        event.attempts += 1
        event.next_attempt_at = now() + timedelta(seconds=min(3600, 15 * 2 ** min(event.attempts, 10)))
    return event


def _apply(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    """Run the handler. What goes wrong is written on the row; it comes again later, and in the end staff see it."""
    try:
        outcome = InboxState.HANDLED if _is_ours(uow, event) and _handle(uow, gateway, event) else InboxState.IGNORED
    except Exception as error:
        if not isinstance(error, ProviderDown | ProviderRefused):
            log.exception("inbox.failed", row=event.id, type=event.type)
        log.warning("inbox.later", row=event.id, type=event.type, why=type(error).__name__)
        with uow() as session:
            row = session.get_one(InboxEvent, event.id, with_for_update=True)
            row.last_error = f"{type(error).__name__}: {error}"[:2000]
            if row.attempts >= MAX_ATTEMPTS:
                row.state = InboxState.DEAD
        return False
    with uow() as session:
        row = session.get_one(InboxEvent, event.id, with_for_update=True)
        row.state, row.handled_at, row.last_error = outcome, now(), None
    return True


def _handle(uow: Uow, gateway: PaymentGateway, event: InboxEvent) -> bool:
    return HANDLERS[event.type](uow, gateway, event)


def _is_ours(uow: Uow, event: InboxEvent) -> bool:
    """Whether the account that the event speaks of belongs to one of our organisations."""
    account = event.account_id or (event.object_id if event.endpoint == "accounts" else None)
    if event.endpoint not in OURS_ONLY:
        return True
    with uow() as session:
        return account is not None and queries.find_account_by_provider_id(session, account) is not None


def forget_old(session: Session) -> int:
    """Empty what settled events said long ago: it may name donors. Their ids stay, so that a repeat is known.

    Returns how many. Dead ones stay whole: somebody has to look at them.
    """
    settled = InboxEvent.state.in_([InboxState.HANDLED, InboxState.IGNORED])
    old = update(InboxEvent).where(settled, InboxEvent.received_at < now() - KEEP, InboxEvent.payload != {})
    return len(session.scalars(old.values(payload={}).returning(InboxEvent.id)).all())


def replay(session: Session, row_id: int) -> None:
    """Make an event wait again, whatever became of it. Raises NotFound, Conflict for a type that nobody handles."""
    row = session.get(InboxEvent, row_id, with_for_update=True)
    if row is None:
        raise NotFound(i18n._("This event does not exist."))
    if row.type not in HANDLERS:
        raise Conflict(i18n._("Nobody handles events of this type: there is nothing to do again."))
    if not row.payload:
        raise Conflict(i18n._("This event is old: what it said was forgotten. Look at the payment itself."))
    row.state, row.attempts, row.next_attempt_at, row.handled_at = InboxState.WAITING, 0, now(), None
    wake_after_commit(session, APPLY_JOB)
