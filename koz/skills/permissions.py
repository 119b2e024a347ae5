"""Who may do what with missions. Pure predicates over an actor, a mission and its campaign."""

from koz.campaigns.models import Campaign
from koz.campaigns.permissions import can_write
from koz.campaigns.states import PUBLIC, CampaignState
from koz.core.access import Actor
from koz.skills.models.offers import Mission
from koz.skills.states import PUBLIC_MISSIONS

#: Campaigns that can no longer use anybody's work.
OVER = frozenset({CampaignState.CANCELLED, CampaignState.FAILED, CampaignState.CLOSED})
#: Campaigns whose open missions people may take.
HELPED = PUBLIC - OVER


def can_manage_missions(actor: Actor, campaign: Campaign) -> bool:
    """Owners and editors of the campaign's organisation."""
    return can_write(actor, campaign)


def is_public(mission: Mission, campaign: Campaign) -> bool:
    """Whether everyone may read the mission."""
    return mission.state in PUBLIC_MISSIONS and campaign.state in PUBLIC


def can_see_mission(actor: Actor, mission: Mission, campaign: Campaign) -> bool:
    """Public missions: everyone. Others: members of the organisation, and staff."""
    return is_public(mission, campaign) or actor.is_staff or actor.has_role(campaign.organisation_id)
