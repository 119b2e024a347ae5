"""States of proposals and engagements, as data: tables of allowed steps, CHECKs made of the same enums."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Who speaks."""

    ORGANISATION = "organisation"
    PROFESSIONAL = "professional"

    @property
    def other(self) -> "Side":
        """Who is spoken to."""
        return Side.PROFESSIONAL if self is Side.ORGANISATION else Side.ORGANISATION


class ProposalState(StrEnum):
    """proposed: one side said yes. later: the professional said « not now ». accepted: both said yes.

    declined: the side that was asked said no. withdrawn: the side that asked took it back, or the mission ended.
    """

    PROPOSED = "proposed"
    LATER = "later"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why a professional declines; it only tunes what is proposed to that same person."""

    HOURS = "hours"
    PLACE = "place"
    CAUSE = "cause"
    SKILLS = "skills"
    MOMENT = "moment"
    OTHER = "other"


class EngagementState(StrEnum):
    """accepted by both → running → delivered (hours told) → closed (hours confirmed); cancelled by either side."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


P = ProposalState
PROPOSAL_STEPS: Final[Mapping[ProposalState, frozenset[ProposalState]]] = {
    P.PROPOSED: frozenset({P.ACCEPTED, P.DECLINED, P.LATER, P.WITHDRAWN}),
    P.LATER: frozenset({P.ACCEPTED, P.DECLINED, P.WITHDRAWN}),
    P.ACCEPTED: frozenset(),
    P.DECLINED: frozenset({P.PROPOSED}),
    P.WITHDRAWN: frozenset({P.PROPOSED}),
}
WAITING: Final = frozenset({P.PROPOSED, P.LATER})

E = EngagementState
#: Which steps exist, and which sides may make each.
ENGAGEMENT_STEPS: Final[Mapping[EngagementState, Mapping[EngagementState, frozenset[Side]]]] = {
    E.ACCEPTED: {E.RUNNING: frozenset(Side), E.CANCELLED: frozenset(Side)},
    E.RUNNING: {E.DELIVERED: frozenset({Side.PROFESSIONAL}), E.CANCELLED: frozenset(Side)},
    E.DELIVERED: {E.CLOSED: frozenset({Side.ORGANISATION}), E.RUNNING: frozenset({Side.ORGANISATION})},
    E.CLOSED: {},
    E.CANCELLED: {},
}
#: Engagements that hold a seat of their mission.
SEATED: Final = frozenset({E.ACCEPTED, E.RUNNING, E.DELIVERED, E.CLOSED})


def may_answer(old: ProposalState, new: ProposalState) -> bool:
    """Whether a proposal may go from one state to the other."""
    return new in PROPOSAL_STEPS[old]


def steps_for(state: EngagementState, side: Side) -> tuple[EngagementState, ...]:
    """Steps of an engagement that a side may make now, in their order."""
    return tuple(new for new, sides in ENGAGEMENT_STEPS[state].items() if side in sides)
