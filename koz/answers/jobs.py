"""Background work of answers: what the calendar makes due."""

from koz.answers import queries, services
from koz.core.clock import today
from koz.core.db import reading, unit_of_work
from koz.core.jobs import job


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
