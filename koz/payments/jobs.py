"""Background work on money: the inbox, refunds to be sent, and the sweep that finds what no event told."""

from datetime import timedelta
from typing import Final

import structlog
from flask import current_app

from koz.core.clock import now
from koz.core.db import reading, unit_of_work
from koz.core.jobs import job
from koz.payments import queries, webhooks
from koz.payments.gateway import PaymentGateway, ProviderDown, ProviderRefused
from koz.payments.services import refund, settle

log = structlog.get_logger(__name__)
LOOK_AFTER_S: Final = 300
UNASKED_AFTER: Final = timedelta(hours=25)


def current_gateway() -> PaymentGateway:
    """The app's provider."""
    gateway: PaymentGateway = current_app.extensions["koz_gateway"]
    return gateway


@job(webhooks.APPLY_JOB, queue="payments", timeout_s=300)
def apply_inbox() -> int:
    """Handle the events that are due."""
    return webhooks.apply_due(unit_of_work, current_gateway())


@job(settle.SEND_JOB, queue="payments", timeout_s=300)
def send_refunds() -> int:
    """Send the refunds that are wanted, and look at those under way. Returns how many were."""
    done, wrong = refund.send_due(unit_of_work, current_gateway(), now())
    for why in wrong:
        log.warning("refunds.later", why=why)
    return done


@job("payments.sweep", queue="payments", timeout_s=600)
def sweep(look_after_s: int = LOOK_AFTER_S) -> int:
    """Look at every hosted page that has been open for a while. Returns how many were looked at."""
    with unit_of_work() as session:
        settle.give_up_unasked(session, now() - UNASKED_AFTER)
    with reading() as session:
        attempts = queries.list_open_attempts(session, now(), timedelta(seconds=look_after_s))
    looked = 0
    for attempt in attempts:
        assert attempt.session_id is not None
        try:
            settle.look(unit_of_work, current_gateway(), attempt.account_id, attempt.session_id)
        except (ProviderDown, ProviderRefused) as error:
            log.warning("sweep.later", attempt=attempt.id, why=str(error))
            continue
        except Exception:
            log.exception("sweep.failed", attempt=attempt.id)  # one that cannot be applied must not hold up the others
            continue
        looked += 1
    return looked


@job("payments.tidy", queue="payments", timeout_s=120)
def tidy() -> int:
    """Forget what old events said. Returns how many."""
    with unit_of_work() as session:
        return webhooks.forget_old(session)
