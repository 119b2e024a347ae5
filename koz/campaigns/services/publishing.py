"""A campaign's life in public: going live, ending below its minimum, being given up.

Before a campaign goes live, guards are asked: functions of the layers above (payments, for one) that know what
campaigns may not know. Each returns None or one sentence that says what to do first.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from koz.campaigns import queries
from koz.campaigns.events import CampaignCancelled, CampaignFailed, CampaignWentLive
from koz.campaigns.models import Campaign
from koz.campaigns.permissions import can_decide
from koz.campaigns.services.drafting import claim
from koz.campaigns.services.totals import add_timeline, step
from koz.campaigns.states import PUBLIC, CampaignState
from koz.core.access import Actor
from koz.core.clock import PARIS, now, today
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.outbox import record

#: Gifts under way at midnight may still come in before a campaign is said to have failed.
GRACE: Final = timedelta(hours=2)

Guard = Callable[[Session, Campaign], str | None]
_guards: dict[str, Guard] = {}


def publish_guard(guard: Guard) -> Guard:
    """Ask this function before a campaign goes live."""
    _guards[f"{guard.__module__}.{guard.__name__}"] = guard
    return guard


def publish_obstacles(session: Session, campaign: Campaign) -> list[str]:
    """What keeps an approved campaign from going live now: sentences that say what to do."""
    found = [guard(session, campaign) for guard in _guards.values()]
    if campaign.deadline_on is None or campaign.deadline_on <= today():
        found.append(_("The last day for gifts is over. Take the campaign back and choose another day."))
    return [sentence for sentence in found if sentence]


def publish(session: Session, actor: Actor, slug: str) -> Campaign:
    """Put an approved campaign on line. Twice is once. Raises NotAllowed but to owners, Conflict with the obstacles."""
    campaign = claim(session, actor, slug, can_decide)
    if campaign.state is CampaignState.APPROVED:
        obstacles = publish_obstacles(session, campaign)
        if obstacles:
            raise Conflict(" ".join(obstacles))
    if step(campaign, CampaignState.LIVE):
        campaign.live_at = now()
        add_timeline(session, campaign.id, "live", {}, key="live")
        record(session, CampaignWentLive(campaign.id))
    return campaign


def due_ids(session: Session) -> list[int]:
    """Ids of some live campaigns whose last day is over, grace included."""
    return list(queries.list_due(session, (now() - GRACE).astimezone(PARIS).date()))


def close_due(session: Session, campaign_id: int) -> bool:
    """End a live campaign whose last day is over and whose minimum was not collected. False when it is not so."""
    campaign = queries.lock(session, campaign_id)
    day = (now() - GRACE).astimezone(PARIS).date()
    over = campaign.deadline_on is not None and campaign.deadline_on < day
    if campaign.state is not CampaignState.LIVE or not over or campaign.collected_minor >= campaign.to_raise_minor:
        return False
    step(campaign, CampaignState.FAILED)
    figures = {"collected_minor": campaign.collected_minor, "minimum_minor": campaign.to_raise_minor}
    add_timeline(session, campaign.id, "failed", figures, key="failed")
    record(session, CampaignFailed(campaign.id))
    return True


def cancel(session: Session, actor: Actor, slug: str, reason: str) -> Campaign:
    """Give a campaign up, with a reason. Raises Conflict while it holds gifts or once it is past its minimum."""
    campaign = claim(session, actor, slug, can_decide)
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why: those who follow the campaign will read it."))
    if campaign.collected_minor or campaign.promised_minor:
        raise Conflict(_("This campaign has received gifts. Refund them first, or let it run to its end."))
    was_public = campaign.state in PUBLIC
    if step(campaign, CampaignState.CANCELLED):
        campaign.closed_at = now()
        add_timeline(session, campaign.id, "cancelled", {"reason": reason}, key="cancelled")
        record(session, CampaignCancelled(campaign.id, int(was_public)))
    return campaign
