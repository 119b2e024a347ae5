"""What gifts do to a campaign: totals under its row's lock, and the one moment at which gifts or hours fund it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.campaigns import queries
from koz.campaigns.events import CampaignFunded
from koz.campaigns.models import Campaign, TimelineEntry
from koz.campaigns.states import CampaignState, may_step
from koz.core.clock import now
from koz.core.errors import Conflict
from koz.core.i18n import _
from koz.core.money import Money
from koz.core.outbox import record


@dataclass(frozen=True, slots=True)
class Contribution:
    """What is collected now, and whether this contribution crossed the minimum."""

    raised: Money
    reached_goal: bool


def step(campaign: Campaign, new: CampaignState) -> bool:
    """Move a campaign whose row is locked. False when it is there already; Conflict when the step does not exist."""
    if campaign.state is new:
        return False
    if not may_step(campaign.state, new):
        raise Conflict(_("This campaign is no longer at this stage. Reload the page to see where it stands."))
    campaign.state = new
    campaign.version += 1
    return True


def move(session: Session, campaign_id: int, new: CampaignState) -> bool:
    """Move a campaign to a state, under its lock. False when it is there already. Raises Conflict, NotFound."""
    return step(queries.lock(session, campaign_id), new)


def add_contribution(
    session: Session, campaign_id: int, amount: Money, *, gifts: int = 1, donors: int = 1
) -> Contribution:
    """Add a *collected* amount. Locks the campaign; the first to reach the minimum records CampaignFunded, once.

    A gift that comes in after the end is added all the same: the money is the organisation's, and the page tells it.
    """
    campaign = queries.lock(session, campaign_id)
    campaign.collected_minor = (campaign.collected + amount).minor
    campaign.gifts += gifts
    campaign.donors += donors
    campaign.version += 1
    return Contribution(campaign.collected, fund_if_reached(session, campaign))


def fund_if_reached(session: Session, campaign: Campaign) -> bool:
    """Whether a live campaign, whose row is locked, has now all it must raise: then it is funded, told once.

    What it must raise is its minimum without what hours given replace (ADR 0042). Gifts and hours both ask here, and
    only here; what is taken back later never asks.
    """
    if campaign.state is not CampaignState.LIVE or campaign.collected_minor < campaign.to_raise_minor:
        return False
    step(campaign, CampaignState.FUNDED)
    campaign.funded_at = now()
    figures = {"collected_minor": campaign.collected_minor, "skills_minor": campaign.skills_minor}
    add_timeline(session, campaign.id, "funded", figures, key="funded")
    record(session, CampaignFunded(campaign.id, campaign.collected_minor, campaign.currency, campaign.skills_minor))
    return True


def take_back(session: Session, campaign_id: int, amount: Money, *, lost: bool = False) -> None:
    """Take a refunded (or, in a dispute, lost) amount out of what is collected. Never un-funds a campaign."""
    campaign = queries.lock(session, campaign_id)
    campaign.collected_minor = (campaign.collected - amount).minor
    if lost:
        campaign.lost_minor += amount.minor
    else:
        campaign.refunded_minor += amount.minor
    campaign.version += 1


def add_timeline(
    session: Session,
    campaign_id: int,
    kind: str,
    params: dict[str, Any],
    *,
    key: str,
    href: str | None = None,
) -> None:
    """Add a dated fact to the public story; the same key a second time adds nothing."""
    values = {"campaign_id": campaign_id, "at": now(), "kind": kind, "params": params, "href": href, "key": key}
    session.execute(insert(TimelineEntry).values(values).on_conflict_do_nothing())
