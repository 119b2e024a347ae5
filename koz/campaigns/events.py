"""Facts that campaigns tell."""

from collections.abc import Mapping
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
    """All that must be raised has been collected: told once per campaign. Amounts in minor units at that moment.

    `skills_minor` is the part of the minimum that hours given replaced.
    """

    campaign_id: int
    collected_minor: int
    currency: str
    skills_minor: int = 0


@dataclass(frozen=True, slots=True)
class CampaignFailed(Event):
    """The deadline passed before the minimum was collected."""

    campaign_id: int


@dataclass(frozen=True, slots=True)
class UpdatePublished(Event):
    """The organisation gave news."""

    campaign_id: int
    update_id: int


@dataclass(frozen=True, slots=True)
class CampaignCancelled(Event):
    """The organisation gave the campaign up; `was_public` is 1 when it could be seen."""

    campaign_id: int
    was_public: int


@dataclass(frozen=True, slots=True)
class FollowRequested(Event):
    """Somebody gave an address to follow a campaign: its owner is asked by mail."""

    follower_id: int


@dataclass(frozen=True, slots=True)
class FollowersToTell(Event):
    """All followers of a campaign are to get one mail of a template, with these values, once per `key`.

    Told in batches: each handling queues the mails of the followers after id `after` and records the next batch.
    Values are strings and ints that are good in every language; no personal data.
    """

    campaign_id: int
    template: str
    params: Mapping[str, str | int]
    key: str
    after: int = 0
