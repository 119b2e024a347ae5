"""Who may do what with a campaign. Pure predicates over an actor and a campaign."""

from collections.abc import Callable

from koz.campaigns.models import Campaign
from koz.campaigns.states import ALLOWED, EDITABLE, PUBLIC, CampaignState
from koz.core.access import Actor

Predicate = Callable[[Actor, Campaign], bool]


def can_see(actor: Actor, campaign: Campaign) -> bool:
    """Public campaigns: everyone. Others: members of the organisation, and staff."""
    return campaign.state in PUBLIC or actor.is_staff or actor.has_role(campaign.organisation_id)


def can_manage(actor: Actor, campaign: Campaign) -> bool:
    """Owners, editors and treasurers of the organisation see its desk."""
    return actor.has_role(campaign.organisation_id, "owner", "editor", "treasurer")


def can_edit(actor: Actor, campaign: Campaign) -> bool:
    """Owners and editors, while it is a draft or changes were asked for."""
    return campaign.state in EDITABLE and can_write(actor, campaign)


def can_write(actor: Actor, campaign: Campaign) -> bool:
    """Owners and editors speak for the campaign: texts, submission, news."""
    return actor.has_role(campaign.organisation_id, "owner", "editor")


def can_decide(actor: Actor, campaign: Campaign) -> bool:
    """Owners decide over the campaign's life: on line, given up."""
    return actor.has_role(campaign.organisation_id, "owner")


def can_publish(actor: Actor, campaign: Campaign) -> bool:
    """The organisation's owners put an approved campaign on line."""
    return campaign.state is CampaignState.APPROVED and can_decide(actor, campaign)


def can_cancel(actor: Actor, campaign: Campaign) -> bool:
    """The organisation's owners, while it can be given up."""
    return CampaignState.CANCELLED in ALLOWED[campaign.state] and can_decide(actor, campaign)


def can_review(actor: Actor, campaign: Campaign) -> bool:
    """Staff who are not members of the organisation."""
    return actor.is_staff and not actor.has_role(campaign.organisation_id)


def can_tell(actor: Actor, campaign: Campaign) -> bool:
    """Owners and editors give news once the campaign is public."""
    return campaign.state in PUBLIC and can_write(actor, campaign)
