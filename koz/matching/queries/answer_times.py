"""How soon a side answers, measured on its last proposals: a figure for many sides in one statement.

What counts: a proposal that the side was asked and either answered or left unanswered for longer than `FAIR`. A yes, a
no, or the answer that everybody gets when a mission is filled are answers; "not now" is not yet one. A proposal taken
back before `FAIR` was over says nothing about the side that was asked. Below `FEW` such proposals there is no figure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from koz.core.clock import now

#: How many of the last proposals are looked at.
LAST: Final = 30
#: Fewer than this say nothing, and put nobody in the pillory.
FEW: Final = 5
#: Silence counts as no answer after this.
FAIR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """`asked` proposals that count, `answered` of them; `median` of the time taken, from `FEW` answers on."""

    asked: int
    answered: int
    median: timedelta | None

    @property
    def told(self) -> bool:
        """Whether there are enough to say something."""
        return self.asked >= FEW

    @property
    def share(self) -> float:
        """Share of the proposals that were answered, from 0 to 1."""
        return self.answered / self.asked if self.asked else 0.0


NOTHING: Final = AnswerTimes(0, 0, None)
_TIMES: Final = """
    WITH asked AS (
        SELECT {whose} AS whose, p.id, {since} AS since,
            CASE WHEN p.state IN ('accepted', 'declined') THEN p.answered_at END AS answered_at,
            coalesce(CASE WHEN p.state NOT IN ('proposed', 'later') THEN p.answered_at END, CAST(:now AS timestamptz))
                AS until
        FROM proposals p {joins}
        WHERE {whose} = ANY (CAST(:ids AS bigint[])) AND p.made_by = :made_by AND {since} IS NOT NULL
    ), counted AS (
        SELECT whose, answered_at - since AS took,
            row_number() OVER (PARTITION BY whose ORDER BY since DESC, id DESC) AS nth
        FROM asked WHERE answered_at IS NOT NULL OR until - since > CAST(:fair AS interval)
    )
    SELECT whose, count(*), count(took), percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM took))
    FROM counted WHERE nth <= :last GROUP BY whose
"""
_OF_ORGANISATIONS: Final = text(
    _TIMES.format(
        whose="c.organisation_id",
        since="p.made_at",
        joins="JOIN missions m ON m.id = p.mission_id JOIN campaigns c ON c.id = m.campaign_id",
    )
)
_OF_PERSONS: Final = text(_TIMES.format(whose="p.person_id", since="p.invited_at", joins=""))


def of_organisations(session: Session, ids: Collection[int]) -> dict[int, AnswerTimes]:
    """How soon organisations answer those who offer themselves, for each of `ids`: one statement."""
    return _read(session, _OF_ORGANISATIONS, ids, "professional")


def of_person(session: Session, person_id: int) -> AnswerTimes:
    """How soon a professional answers invitations: for their own eyes only."""
    return _read(session, _OF_PERSONS, [person_id], "organisation")[person_id]


def _read(session: Session, statement: Any, ids: Collection[int], made_by: str) -> dict[int, AnswerTimes]:
    found = dict.fromkeys(ids, NOTHING)
    if not found:
        return found
    values = {"ids": list(found), "made_by": made_by, "now": now(), "fair": FAIR, "last": LAST}
    for whose, asked, answered, median_s in session.execute(statement, values):
        median = None if median_s is None or answered < FEW else timedelta(seconds=float(median_s))
        found[whose] = AnswerTimes(int(asked), int(answered), median)
    return found
