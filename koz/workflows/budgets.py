"""Engagements → budgets payable in skills: work that both sides agreed to lowers the sum to raise, once an engagement.

Each handler locks the campaign before it reads where the engagement stands, so that it does not matter in which order
a yes and an end before its time are delivered, nor how often.
"""

from sqlalchemy.orm import Session

from koz.campaigns import queries as campaigns
from koz.campaigns.services import Given, count_hours
from koz.core.outbox import subscribe
from koz.matching import queries
from koz.matching.events import EngagementMoved, ProposalAccepted
from koz.matching.states import SEATED, EngagementState


def _given(session: Session, engagement_id: int, line_id: int, hours_total: int = 0, seats: int = 1) -> Given:
    row = queries.get_engagement(session, engagement_id)
    return Given(
        key=f"engagement-{engagement_id}",
        campaign_id=row.campaign.id,
        budget_line_id=line_id,
        title=row.mission.title,
        href=f"/missions/{row.mission.id}",
        hours_total=hours_total,
        seats=seats,
    )


@subscribe(ProposalAccepted)
def count_agreed_hours(session: Session, event: ProposalAccepted) -> None:
    """Both said yes: the hours they agreed to count from now on, unless the engagement has ended already."""
    if not event.budget_line_id:
        return
    given = _given(session, event.engagement_id, event.budget_line_id, event.hours_total, event.seats)
    campaigns.lock(session, given.campaign_id)
    seated = queries.state_of_engagement(session, event.engagement_id) in SEATED
    count_hours(session, given, active=seated)


@subscribe(EngagementMoved)
def uncount_hours(session: Session, event: EngagementMoved) -> None:
    """Ended before its time: the hours count no more. Delivered hours count as they were agreed."""
    if event.state != EngagementState.CANCELLED:
        return
    line_id = campaigns.find_line_of_hours(session, f"engagement-{event.engagement_id}")
    if line_id is not None:
        count_hours(session, _given(session, event.engagement_id, line_id), active=False)
