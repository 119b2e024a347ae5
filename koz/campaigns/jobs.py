"""Periodic work of campaigns."""

import structlog

from koz.campaigns import services
from koz.core.db import reading, unit_of_work
from koz.core.jobs import job

log = structlog.get_logger(__name__)
BATCHES_MAX = 50


@job("campaigns.close_due", timeout_s=120)
def close_due() -> int:
    """End live campaigns whose last day is over below their minimum. Returns how many. One transaction each."""
    closed = 0
    for _batch in range(BATCHES_MAX):
        with reading() as session:
            ids = services.due_ids(session)
        ended = 0
        for campaign_id in ids:
            with unit_of_work() as session:
                ended += services.close_due(session, campaign_id)
        closed += ended
        if not ended:
            break
    return closed


@job("campaigns.tidy_followers", timeout_s=60)
def tidy_followers() -> int:
    """Forget addresses that nobody confirmed within seven days. Returns how many."""
    with unit_of_work() as session:
        return services.forget_unconfirmed(session)
