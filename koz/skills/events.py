"""Facts that missions tell."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class MissionOpened(Event):
    """A mission can be seen and applied for, as soon as its campaign is public."""

    mission_id: int


@dataclass(frozen=True, slots=True)
class MissionClosed(Event):
    """The organisation ended a mission before or after it was filled."""

    mission_id: int
