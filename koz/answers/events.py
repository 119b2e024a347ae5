"""Facts that answers tell."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class AnswerRequested(Event):
    """An addressee is asked by a campaign that went live."""

    request_id: int


@dataclass(frozen=True, slots=True)
class DeskLinkWanted(Event):
    """The link to the desk is to be sent again; `number` counts the sendings."""

    request_id: int
    number: int


@dataclass(frozen=True, slots=True)
class AnswerAccepted(Event):
    """The addressee says they will answer by the date."""

    request_id: int


@dataclass(frozen=True, slots=True)
class AnswerDueFixed(Event):
    """The consultation has closed: points are taken and the last day is fixed."""

    request_id: int


@dataclass(frozen=True, slots=True)
class AnswerReminded(Event):
    """The last day is near and nothing was published."""

    request_id: int


@dataclass(frozen=True, slots=True)
class AnswerPublished(Event):
    """The answer is public, for good: told once per request."""

    request_id: int
    campaign_id: int


@dataclass(frozen=True, slots=True)
class AnswerOverdue(Event):
    """The last day is over and nothing was published: told once per request."""

    request_id: int
    campaign_id: int


@dataclass(frozen=True, slots=True)
class CommitmentMoved(Event):
    """Who made a commitment says where it stands; `change_id` is the entry of its story."""

    commitment_id: int
    request_id: int
    change_id: int
    state: str


@dataclass(frozen=True, slots=True)
class CommitmentLate(Event):
    """A commitment's day is over and it is neither kept nor dropped: told once per commitment."""

    commitment_id: int
    request_id: int


@dataclass(frozen=True, slots=True)
class ParticipantsToTell(Event):
    """Those who took part beyond id `after` are to be told by a mail of `template`: batch after batch.

    `change_id` is the commitment's entry that is told of, 0 when it is the answer itself.
    """

    request_id: int
    template: str
    key: str
    change_id: int = 0
    after: int = 0
