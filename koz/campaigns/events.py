"""Facts that campaigns tell."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class CampaignSubmitted(Event):
    """An organisation asks for its campaign to be reviewed."""

    campaign_id: int


@dataclass(frozen=True, slots=True)
class CampaignReviewed(Event):
    """Staff decided: `decision` is approve, changes or refuse."""

    campaign_id: int
    review_id: int
    decision: str


@dataclass(frozen=True, slots=True)
class CampaignWentLive(Event):
    """The campaign can be seen and given to."""

    campaign_id: int


@dataclass(frozen=True, slots=True)
class CampaignFunded(Event):
    """The minimum has been collected: told once per campaign. Amount in minor units at that moment."""

    campaign_id: int
    collected_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class CampaignFailed(Event):
    """The deadline passed before the minimum was collected."""

    campaign_id: int


@dataclass(frozen=True, slots=True)
class UpdatePublished(Event):
    """The organisation gave news."""

    campaign_id: int
    update_id: int
