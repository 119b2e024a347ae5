"""Facts about money."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class GiftCollected(Event):
    """The money of a gift has come in."""

    gift_id: int
    campaign_id: int


@dataclass(frozen=True, slots=True)
class GiftRefunded(Event):
    """Some or all of a gift was given back."""

    gift_id: int
    refund_id: int
