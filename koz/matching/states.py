"""States of proposals and engagements, as data: tables of allowed steps, CHECKs made of the same enums."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from koz.core.i18n import _l


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
    expired: an invitation that nobody answered within a round; a late answer still counts while the mission is open.
    """

    PROPOSED = "proposed"
    LATER = "later"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a professional declines; it only tunes what is proposed to that same person."""

    HOURS = "hours"
    PLACE = "place"
    CAUSE = "cause"
    SKILLS = "skills"
    MOMENT = "moment"
    OTHER = "other"


class EngagementState(StrEnum):
    """accepted by both → running → delivered (hours told) → closed (hours confirmed); cancelled by either side.

    The organisation may send a delivery back, and for some weeks also one that it had confirmed, to have it corrected.
    """

    ACCEPTED = "accepted"
    RUNNING = "running"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Revoked(StrEnum):
    """Why a certificate is no longer valid."""

    CORRECTED = "corrected"
    ERASED = "erased"


P = ProposalState
PROPOSAL_STEPS: Final[Mapping[ProposalState, frozenset[ProposalState]]] = {
    P.PROPOSED: frozenset({P.ACCEPTED, P.DECLINED, P.LATER, P.WITHDRAWN, P.EXPIRED}),
    P.LATER: frozenset({P.ACCEPTED, P.DECLINED, P.WITHDRAWN}),
    P.ACCEPTED: frozenset(),
    P.DECLINED: frozenset({P.PROPOSED}),
    P.WITHDRAWN: frozenset({P.PROPOSED}),
    P.EXPIRED: frozenset({P.ACCEPTED, P.DECLINED, P.LATER}),
}
WAITING: Final = frozenset({P.PROPOSED, P.LATER})

E = EngagementState
#: Which steps exist, and which sides may make each.
ENGAGEMENT_STEPS: Final[Mapping[EngagementState, Mapping[EngagementState, frozenset[Side]]]] = {
    E.ACCEPTED: {E.RUNNING: frozenset(Side), E.CANCELLED: frozenset(Side)},
    E.RUNNING: {E.DELIVERED: frozenset({Side.PROFESSIONAL}), E.CANCELLED: frozenset(Side)},
    E.DELIVERED: {E.CLOSED: frozenset({Side.ORGANISATION}), E.RUNNING: frozenset({Side.ORGANISATION})},
    E.CLOSED: {E.RUNNING: frozenset({Side.ORGANISATION})},
    E.CANCELLED: {},
}
UNDER_WAY: Final = frozenset({E.ACCEPTED, E.RUNNING, E.DELIVERED})
#: Engagements that hold a seat of their mission.
SEATED: Final = frozenset({E.ACCEPTED, E.RUNNING, E.DELIVERED, E.CLOSED})

REASON_WORDS: Final[Mapping[Reason, Any]] = {
    Reason.HOURS: _l("Too many hours a week"),
    Reason.PLACE: _l("Too far"),
    Reason.CAUSE: _l("Not a cause for me"),
    Reason.SKILLS: _l("Not what I do"),
    Reason.MOMENT: _l("Not in the next 30 days"),
    Reason.OTHER: _l("Another reason"),
}
#: What an organisation should know about somebody who offers themselves although something does not fit.
GATE_WORDS: Final[Mapping[str, Any]] = {
    "language": _l("They did not name the working language."),
    "place": _l("They named neither this place nor remote work, as the mission asks."),
    "hours": _l("They have fewer hours in a week than the mission asks."),
    "dates": _l("They are not free for the whole time of the mission."),
    "must": _l("A skill needed in any case is not covered."),
    "fit": _l("Few of the skills are covered."),
}
ENGAGEMENT_WORDS: Final[Mapping[EngagementState, Any]] = {
    E.ACCEPTED: _l("Agreed by both"),
    E.RUNNING: _l("Under way"),
    E.DELIVERED: _l("Delivered, to be confirmed"),
    E.CLOSED: _l("Done and confirmed"),
    E.CANCELLED: _l("Ended before its time"),
}
#: Kind of badge for a state; the word beside it says the same.
ENGAGEMENT_BADGES: Final[Mapping[EngagementState, str]] = {
    E.ACCEPTED: "gold",
    E.RUNNING: "action",
    E.DELIVERED: "gold",
    E.CLOSED: "ok",
}
PROPOSAL_WORDS: Final[Mapping[ProposalState, Any]] = {
    P.PROPOSED: _l("Waiting for an answer"),
    P.LATER: _l("Not now, perhaps later"),
    P.ACCEPTED: _l("Accepted by both"),
    P.DECLINED: _l("Declined"),
    P.WITHDRAWN: _l("Taken back"),
    P.EXPIRED: _l("No answer"),
}


def may_answer(old: ProposalState, new: ProposalState) -> bool:
    """Whether a proposal may go from one state to the other."""
    return new in PROPOSAL_STEPS[old]


def steps_for(state: EngagementState, side: Side) -> tuple[EngagementState, ...]:
    """Steps of an engagement that a side may make now, in their order."""
    return tuple(new for new, sides in ENGAGEMENT_STEPS[state].items() if side in sides)
