"""Facts that consultations tell. `campaign_id` is None for a consultation without a campaign (an imported one)."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class ConsultationOpened(Event):
    """People can take part: told once per consultation."""

    consultation_id: int
    campaign_id: int | None


@dataclass(frozen=True, slots=True)
class ConsultationClosed(Event):
    """The last day is over and the results are final: told once per consultation."""

    consultation_id: int
    campaign_id: int | None
