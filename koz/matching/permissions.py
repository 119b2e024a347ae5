"""Who may do what with proposals and engagements. Pure predicates; sides are told apart by who acts."""

from koz.campaigns.models import Campaign
from koz.core.access import Actor
from koz.matching.models import Engagement, Proposal
from koz.matching.states import Side
from koz.skills.permissions import can_manage_missions


def side_of(actor: Actor, of: Proposal | Engagement, campaign: Campaign) -> Side | None:
    """For whom the actor speaks: for themselves, for the campaign's organisation, or for nobody here."""
    if actor.id is not None and of.person_id == actor.id:
        return Side.PROFESSIONAL
    if can_manage_missions(actor, campaign):
        return Side.ORGANISATION
    return None
