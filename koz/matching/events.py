"""Facts that matching tells. They carry ids only: who is who is read when a mail is written."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class ProfessionalInvited(Event):
    """An organisation asks a professional, whom it does not know, to take a mission. `round` counts the invitations."""

    proposal_id: int
    round: int


@dataclass(frozen=True, slots=True)
class InvitationRecalled(Event):
    """An invitation has waited for long: its one reminder is due."""

    proposal_id: int
    round: int


@dataclass(frozen=True, slots=True)
class MissionOffered(Event):
    """A professional offers themselves for a mission."""

    proposal_id: int
    round: int


@dataclass(frozen=True, slots=True)
class ProposalAccepted(Event):
    """Both sides said yes: an engagement exists and each may know who the other is.

    With it what they agreed to at that moment: the mission's hours in all, its seats, its budget line (0: none).
    """

    engagement_id: int
    proposal_id: int
    hours_total: int = 0
    seats: int = 1
    budget_line_id: int = 0


@dataclass(frozen=True, slots=True)
class ProposalDeclined(Event):
    """The side that was asked said no: `by` is organisation or professional."""

    proposal_id: int
    by: str
    round: int


@dataclass(frozen=True, slots=True)
class EngagementMoved(Event):
    """An engagement made a step; `by` is the side that made it, `revision` counts the steps."""

    engagement_id: int
    state: str
    by: str
    revision: int = 0
