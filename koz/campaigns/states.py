"""States of a campaign, as data: one table of allowed steps, one question (`may_step`), a CHECK made of the same enum.

With them the words for states and causes, and the stage of the public path that each state belongs to.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from koz.core.i18n import _l


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    LIVE = "live"
    FUNDED = "funded"
    FAILED = "failed"
    CONSULTING = "consulting"
    ANSWERED = "answered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class LineKind(StrEnum):
    """How a budget line may be paid. Either: a sum of money that hours of a skill can replace."""

    MONEY = "money"
    SKILL = "skill"
    EITHER = "either"


#: Lines with a sum to raise, and lines for which hours can be given.
IN_MONEY: Final = frozenset({LineKind.MONEY, LineKind.EITHER})
IN_HOURS: Final = frozenset({LineKind.SKILL, LineKind.EITHER})


class Decision(StrEnum):
    """What staff decides on a submitted campaign."""

    APPROVE = "approve"
    CHANGES = "changes"
    REFUSE = "refuse"


S = CampaignState
ALLOWED: Final[Mapping[CampaignState, frozenset[CampaignState]]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.CANCELLED}),
    S.SUBMITTED: frozenset({S.APPROVED, S.CHANGES_REQUESTED, S.CANCELLED}),
    S.CHANGES_REQUESTED: frozenset({S.SUBMITTED, S.CANCELLED}),
    S.APPROVED: frozenset({S.LIVE, S.CHANGES_REQUESTED, S.CANCELLED}),
    S.LIVE: frozenset({S.FUNDED, S.FAILED, S.CANCELLED}),
    S.FUNDED: frozenset({S.CONSULTING, S.CLOSED}),
    S.CONSULTING: frozenset({S.ANSWERED, S.CLOSED}),
    S.ANSWERED: frozenset({S.CLOSED}),
    S.FAILED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.CANCELLED: frozenset(),
}
EDITABLE: Final = frozenset({S.DRAFT, S.CHANGES_REQUESTED})
PUBLIC: Final = frozenset({S.LIVE, S.FUNDED, S.FAILED, S.CONSULTING, S.ANSWERED, S.CLOSED})
GIVING: Final = frozenset({S.LIVE, S.FUNDED, S.CONSULTING})
AFTER_REVIEW: Final[Mapping[Decision, CampaignState]] = {
    Decision.APPROVE: S.APPROVED,
    Decision.CHANGES: S.CHANGES_REQUESTED,
    Decision.REFUSE: S.CANCELLED,
}


def may_step(old: CampaignState, new: CampaignState) -> bool:
    """Whether the step exists in the table."""
    return new in ALLOWED[old]


#: Station of the path of five stages (1 fund, 2 gather, 3 consult, 4 answer, 5 follow); 0 before, 6 when all is done.
STAGES: Final[Mapping[CampaignState, int]] = {
    S.DRAFT: 0,
    S.SUBMITTED: 0,
    S.CHANGES_REQUESTED: 0,
    S.APPROVED: 0,
    S.LIVE: 1,
    S.FAILED: 1,
    S.FUNDED: 2,
    S.CONSULTING: 3,
    S.ANSWERED: 5,
    S.CLOSED: 6,
    S.CANCELLED: 0,
}
STATE_WORDS: Final[Mapping[CampaignState, Any]] = {
    S.DRAFT: _l("Draft"),
    S.SUBMITTED: _l("Being reviewed"),
    S.CHANGES_REQUESTED: _l("Changes requested"),
    S.APPROVED: _l("Approved, not yet published"),
    S.LIVE: _l("Collecting"),
    S.FUNDED: _l("Minimum collected"),
    S.FAILED: _l("Ended below the minimum"),
    S.CONSULTING: _l("Consultation open"),
    S.ANSWERED: _l("Answered"),
    S.CLOSED: _l("Closed"),
    S.CANCELLED: _l("Cancelled"),
}
#: Kind of badge for a state; the word beside it says the same.
STATE_BADGES: Final[Mapping[CampaignState, str]] = {
    S.SUBMITTED: "gold",
    S.CHANGES_REQUESTED: "gold",
    S.APPROVED: "ok",
    S.LIVE: "action",
    S.FUNDED: "ok",
    S.FAILED: "bad",
    S.CONSULTING: "voice",
    S.ANSWERED: "trust",
}
CAUSES: Final[Mapping[str, Any]] = {
    "environment": _l("Environment"),
    "city": _l("Town and neighbourhood"),
    "housing": _l("Housing"),
    "health": _l("Health"),
    "education": _l("Education"),
    "rights": _l("Rights and justice"),
    "solidarity": _l("Solidarity"),
    "democracy": _l("Democracy"),
    "transport": _l("Transport"),
    "culture": _l("Culture"),
    "animals": _l("Animals"),
    "digital": _l("Digital life"),
    "other": _l("Another cause"),
}
CONSULTATION_TEMPLATES: Final[Mapping[str, Any]] = {
    "text": _l("Consultation on a text: proposals, amendments, arguments with their sources, votes"),
}
DECISION_WORDS: Final[Mapping[Decision, Any]] = {
    Decision.APPROVE: _l("Approved"),
    Decision.CHANGES: _l("Changes requested"),
    Decision.REFUSE: _l("Refused"),
}
