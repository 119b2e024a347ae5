"""How reliably people answered invitations: the numbers behind the score's part for answers.

What counts: invitations by organisations within `SPAN` that were answered (yes, no, not now), or that had been open
for `FAIR` without an answer. One taken back sooner, or sent a moment ago, says nothing about the person.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from koz.core.clock import now
from koz.matching.scoring import ANSWER_WEIGHT, NEWCOMER, NO_HISTORY, Answers

SPAN: Final = timedelta(days=365)
FAIR: Final = timedelta(days=7)
#: By person: how many invitations count, and how many of those were answered.
HISTORY: Final = """
    SELECT i.person_id,
        count(*) FILTER (WHERE i.answered OR i.open_for >= CAST(:fair AS interval)) AS asked,
        count(*) FILTER (WHERE i.answered) AS answered
    FROM (
        SELECT person_id, state IN ('accepted', 'declined', 'later') AS answered,
            coalesce(CASE WHEN state = 'withdrawn' THEN answered_at END, CAST(:now AS timestamptz)) - invited_at
                AS open_for
        FROM proposals WHERE made_by = 'organisation' AND invited_at > :year_ago
    ) i
    GROUP BY i.person_id
"""
#: What a row of HISTORY (h; absent for newcomers) takes off the score: the same as `Answers.loss`.
LOSS: Final = """
    coalesce(CAST(:answer_weight AS float8) * (h.asked - h.answered) / (h.asked + :newcomer), 0)
"""
_OF_PEOPLE: Final = text(f"SELECT * FROM ({HISTORY}) h WHERE h.person_id = ANY (CAST(:ids AS bigint[]))")  # noqa: S608


def values() -> dict[str, Any]:
    """What HISTORY and LOSS are given."""
    return {
        "fair": FAIR, "now": now(), "year_ago": now() - SPAN, "answer_weight": ANSWER_WEIGHT, "newcomer": NEWCOMER,
    }  # fmt: skip


def list_answers(session: Session, person_ids: Collection[int]) -> dict[int, Answers]:
    """Each person's record: one statement."""
    found = dict.fromkeys(person_ids, NO_HISTORY)
    for person_id, asked, answered in session.execute(_OF_PEOPLE, values() | {"ids": list(found)}):
        found[person_id] = Answers(asked, answered)
    return found
