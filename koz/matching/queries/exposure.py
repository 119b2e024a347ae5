"""How invitations fall on people: read from the rows, for staff. Numbers only; no name, no inferred group."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from koz.core.clock import now
from koz.matching.models import InvitationPlan
from koz.matching.simulation import gini

SPAN: Final = timedelta(days=90)
_BY_NUMBER: Final = text("""
    SELECT times, count(*) AS people FROM (
        SELECT p.id, count(x.id) AS times
        FROM profiles p LEFT JOIN proposals x ON x.person_id = p.person_id AND x.invited_at > :since
        GROUP BY p.id
    ) n
    GROUP BY times ORDER BY times
""")
_ANSWERS: Final = text("""
    SELECT count(*) AS asked,
        count(*) FILTER (WHERE state = 'accepted') AS accepted,
        count(*) FILTER (WHERE state = 'declined') AS declined,
        count(*) FILTER (WHERE state = 'later') AS later,
        count(*) FILTER (WHERE state = 'expired') AS expired,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM answered_at - invited_at) / 3600)
            FILTER (WHERE state IN ('accepted', 'declined', 'later') AND answered_at >= invited_at) AS hours
    FROM proposals WHERE made_by = 'organisation' AND invited_at > :since
""")
_ALONE: Final = text("""
    SELECT m.id, m.title FROM mission_plans p JOIN missions m ON m.id = p.mission_id
    WHERE m.state = 'open' AND p.planned_at IS NOT NULL AND p.candidates = 0 ORDER BY m.id LIMIT :top
""")


@dataclass(frozen=True, slots=True)
class Exposure:
    """Invitations of the last SPAN. `by_number`: (times asked, people); hours are None without an answer."""

    by_number: list[tuple[int, int]]
    gini: float
    ever_invited: float
    asked: int
    accepted: int
    declined: int
    later: int
    expired: int
    median_hours: float | None
    slow_hours: float | None
    alone: list[Row[Any]]
    run: InvitationPlan | None

    @property
    def people(self) -> int:
        """Everybody with a profile."""
        return sum(people for _times, people in self.by_number)


def read_exposure(session: Session, top: int = 50) -> Exposure:
    """The report: four statements."""
    since = {"since": now() - SPAN}
    by_number = [(row.times, row.people) for row in session.execute(_BY_NUMBER, since)]
    answers = session.execute(_ANSWERS, since).one()
    times = np.repeat([t for t, _p in by_number], [p for _t, p in by_number])
    hours = answers.hours or (None, None)
    return Exposure(
        by_number=by_number,
        gini=gini(times),
        ever_invited=float((times > 0).mean()) if len(times) else 0.0,
        asked=answers.asked,
        accepted=answers.accepted,
        declined=answers.declined,
        later=answers.later,
        expired=answers.expired,
        median_hours=hours[0],
        slow_hours=hours[1],
        alone=list(session.execute(_ALONE, {"top": top})),
        run=session.scalar(select(InvitationPlan).order_by(InvitationPlan.id.desc()).limit(1)),
    )
