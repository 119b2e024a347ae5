"""Periodic work of matching: rounds of invitations and reminders. All may run twice, and at once in many workers."""

from datetime import timedelta

from koz.core.db import reading, unit_of_work
from koz.core.jobs import job
from koz.matching.queries import keeping
from koz.matching.services import letters, planning, rounds


@job("matching.rounds", timeout_s=900)
def keep_rounds() -> int:
    """End what nobody answered, plan all missions, send where organisations let it. Returns how many were sent."""
    while True:
        with unit_of_work() as session:
            if rounds.expire_due(session) < rounds.BATCH:
                break
    with unit_of_work() as session:
        if planning.plan_everything(session) is None:  # another worker is at it, and sends too
            return 0
    return rounds.send_automatic(unit_of_work)


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
