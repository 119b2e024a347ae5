"""Background work of answers: what the calendar makes due, and telling everybody."""

import structlog

from koz.answers import queries, services
from koz.answers.services.broadcasts import JOB
from koz.core.clock import today
from koz.core.db import reading, unit_of_work
from koz.core.jobs import job

log = structlog.get_logger(__name__)
BATCHES_PER_RUN = 100


@job("answers.calendar", timeout_s=120)
def keep_calendar() -> int:
    """Record silences and late commitments, remind before the last day; each once. Returns how many were recorded."""
    day = today()
    with reading() as session:
        remind = queries.list_to_remind(session, day)
        overdue = queries.list_overdue_untold(session, day)
        late = queries.list_late_untold(session, day)
    done = 0
    for request_id in remind:
        with unit_of_work() as session:
            done += services.remind(session, request_id)
    for request_id in overdue:
        with unit_of_work() as session:
            done += services.tell_overdue(session, request_id)
    for request_id, commitment_id in late:
        with unit_of_work() as session:
            done += services.tell_late(session, request_id, commitment_id)
    return done


@job(JOB, queue="mail", timeout_s=300)
def send_broadcasts() -> int:
    """Queue mails of open broadcasts, a batch a transaction. Returns how many people were looked at."""
    looked_at = 0
    for _ in range(BATCHES_PER_RUN):
        with unit_of_work() as session:
            batch = services.send_batch(session)
        if batch is None:
            break
        looked_at += batch
    return looked_at
