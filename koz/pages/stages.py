"""Where a campaign's state lies on the path of five stages (product: fund, gather, consult, answer, follow). Pure."""

from collections.abc import Mapping
from typing import Final

from koz.campaigns.states import CampaignState

S = CampaignState
#: The stage (1 to 5) that a state is in; 6: followed to the end; 0: not begun.
STAGE_OF: Final[Mapping[CampaignState, int]] = {
    S.DRAFT: 0,
    S.SUBMITTED: 0,
    S.CHANGES_REQUESTED: 0,
    S.APPROVED: 0,
    S.LIVE: 1,
    S.FUNDED: 2,
    S.FAILED: 1,
    S.CONSULTING: 3,
    S.ANSWERED: 5,
    S.CLOSED: 6,
    S.CANCELLED: 0,
}
#: Names of the list's filters and the states they show.
GROUPS: Final[Mapping[str, tuple[CampaignState, ...]]] = {
    "funding": (S.LIVE,),
    "consulting": (S.FUNDED, S.CONSULTING),
    "answered": (S.ANSWERED, S.CLOSED),
    "failed": (S.FAILED,),
}


def stage_of(state: CampaignState, *, consultation_closed: bool = False) -> int:
    """The stage a campaign is in. Between the end of the consultation and the answer it is the fourth."""
    return 4 if state is S.CONSULTING and consultation_closed else STAGE_OF[state]
