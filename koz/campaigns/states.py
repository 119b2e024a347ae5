"""States of a campaign, as data: one table of allowed steps, one door (`check_step`), a CHECK made of the same enum."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


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
    """How a budget line may be paid."""

    MONEY = "money"
    SKILL = "skill"


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
