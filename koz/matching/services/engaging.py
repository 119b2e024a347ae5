"""Engagements: what both sides do after they agreed. Steps are the table of `states.ENGAGEMENT_STEPS`."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from koz.accounts.services import exporter
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import Conflict
from koz.core.i18n import _
from koz.core.outbox import record
from koz.matching import queries
from koz.matching.events import EngagementMoved
from koz.matching.models import Engagement
from koz.matching.queries import keeping
from koz.matching.services import certifying, timekeeping
from koz.matching.states import EngagementState, Revoked, Side, steps_for
from koz.skills import queries as skills
from koz.skills.services import missions
from koz.skills.states import MissionState

#: How long an organisation may have hours corrected that it had confirmed.
CORRECTABLE: Final = timedelta(days=30)


def advance(session: Session, actor: Actor, engagement_id: int, new: EngagementState, hours: int | None = None) -> bool:
    """Make a step of an engagement; False when it was made already.

    A delivery tells the hours of the log; `hours` are the sum of somebody who kept none. Raises NotFound, Conflict,
    Invalid.
    """
    row, side = queries.get_engagement_for(session, actor, engagement_id)
    engagement = queries.lock_engagement(session, row.engagement.id)
    if engagement.state is new:
        return False
    if new not in steps_now(engagement, side):
        raise Conflict(_("This step is not possible now. Reload the page to see where the engagement stands."))
    if new is EngagementState.DELIVERED:
        engagement.hours_given = timekeeping.settle(session, engagement, hours)
        engagement.delivered_at = now()
    elif new is EngagementState.RUNNING:
        _run(session, engagement)
    else:
        engagement.closed_at = now()
        engagement.confirmed_by = actor.id if new is EngagementState.CLOSED else None
    engagement.state = new
    engagement.revision += 1
    session.flush()
    if new is EngagementState.CANCELLED:
        _free_seat(session, engagement.mission_id)
    record(session, EngagementMoved(engagement.id, new.value, side.value, engagement.revision))
    return True


def steps_now(engagement: Engagement, side: Side) -> tuple[EngagementState, ...]:
    """Steps that a side may make now: what was confirmed can be corrected for `CORRECTABLE` only."""
    closed_at = engagement.closed_at
    if engagement.state is EngagementState.CLOSED and (closed_at is None or closed_at < now() - CORRECTABLE):
        return ()
    return steps_for(engagement.state, side)


def _run(session: Session, engagement: Engagement) -> None:
    """Begin, or begin again: what was confirmed is not any more, and a certificate of it is worth nothing."""
    engagement.started_at = engagement.started_at or now()
    if engagement.state is EngagementState.CLOSED:
        engagement.closed_at = engagement.confirmed_by = None
        certifying.revoke(session, engagement.id, Revoked.CORRECTED)


def _free_seat(session: Session, mission_id: int) -> None:
    mission = skills.lock_mission(session, mission_id)
    if mission.state is MissionState.FILLED and queries.count_seated(session, mission_id) < mission.seats:
        missions.step(session, mission, MissionState.OPEN)


@exporter("engagements")
def _export_engagements(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What a person took on, and the hours that were confirmed or told, with their log."""
    rows = queries.list_engagements_of_person(session, person_id, limit=10_000)
    logs = keeping.list_logs(session, [row.engagement.id for row in rows])
    return [
        {
            "mission": row.mission.title, "organisation": row.organisation, "state": row.engagement.state.value,
            "hours": row.engagement.hours_given, "accepted_at": row.engagement.accepted_at.isoformat(),
            "log": [
                {"worked_on": e.worked_on.isoformat(), "minutes": e.minutes, "what": e.what}
                for e in logs[row.engagement.id]
            ],
        }
        for row in rows
    ]  # fmt: skip
