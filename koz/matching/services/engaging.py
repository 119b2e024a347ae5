"""Engagements: what both sides do after they agreed. Steps are the table of `states.ENGAGEMENT_STEPS`."""

from typing import Any, Final

from sqlalchemy.orm import Session

from koz.accounts.services import exporter
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.outbox import record
from koz.matching import queries
from koz.matching.events import EngagementMoved
from koz.matching.states import EngagementState, steps_for
from koz.skills import queries as skills
from koz.skills.services import missions
from koz.skills.states import MissionState

MAX_HOURS: Final = 4000


def advance(session: Session, actor: Actor, engagement_id: int, new: EngagementState, hours: int | None = None) -> bool:
    """Make a step of an engagement; False when it was made already. `hours` are told with the delivery.

    Raises NotFound, Conflict, Invalid.
    """
    row, side = queries.get_engagement_for(session, actor, engagement_id)
    engagement = queries.lock_engagement(session, row.engagement.id)
    if engagement.state is new:
        return False
    if new not in steps_for(engagement.state, side):
        raise Conflict(_("This step is not possible now. Reload the page to see where the engagement stands."))
    if new is EngagementState.DELIVERED:
        if hours is None or not 1 <= hours <= MAX_HOURS:
            raise Invalid(_("Tell how many hours you gave, from 1 to %(max)s.", max=MAX_HOURS))
        engagement.hours_given, engagement.delivered_at = hours, now()
    elif new is EngagementState.RUNNING:
        engagement.started_at = engagement.started_at or now()
    else:
        engagement.closed_at = now()
    engagement.state = new
    session.flush()
    if new is EngagementState.CANCELLED:
        _free_seat(session, engagement.mission_id)
    record(session, EngagementMoved(engagement.id, new.value, side.value))
    return True


def _free_seat(session: Session, mission_id: int) -> None:
    mission = skills.lock_mission(session, mission_id)
    if mission.state is MissionState.FILLED and queries.count_seated(session, mission_id) < mission.seats:
        missions.step(session, mission, MissionState.OPEN)


@exporter("engagements")
def _export_engagements(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What a person took on, and the hours that were confirmed or told."""
    return [
        {
            "mission": row.mission.title, "organisation": row.organisation, "state": row.engagement.state.value,
            "hours": row.engagement.hours_given, "accepted_at": row.engagement.accepted_at.isoformat(),
        }
        for row in queries.list_engagements_of_person(session, person_id, limit=10_000)
    ]  # fmt: skip
