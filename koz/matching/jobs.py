"""Background work of matching: reminders."""

from datetime import timedelta

from koz.core.db import reading, unit_of_work
from koz.core.jobs import job
from koz.matching.queries import keeping
from koz.matching.services import letters


@job("matching.remind", timeout_s=120)
def remind() -> int:
    """Recall invitations that have waited for long, each once. Returns how many."""
    with reading() as session:
        due = keeping.list_to_remind(session, timedelta(days=letters.ANSWER_DAYS) - letters.REMIND_BEFORE)
    done = 0
    for proposal_id in due:
        with unit_of_work() as session:
            done += letters.remind(session, proposal_id)
    return done
