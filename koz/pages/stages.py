"""Where a campaign's state lies on the path of five stages (product: fund, gather, consult, answer, follow). Pure."""

from collections.abc import Mapping
from typing import Final

from koz.campaigns.states import STAGES, CampaignState

S = CampaignState
#: Names of the list's filters and the states they show.
GROUPS: Final[Mapping[str, tuple[CampaignState, ...]]] = {
    "funding": (S.LIVE,),
    "consulting": (S.FUNDED, S.CONSULTING),
    "answered": (S.ANSWERED, S.CLOSED),
    "failed": (S.FAILED,),
}


def stage_of(state: CampaignState, *, consultation_closed: bool = False) -> int:
    """The stage a campaign is in. Between the end of the consultation and the answer it is the fourth."""
    return 4 if state is S.CONSULTING and consultation_closed else STAGES[state]
