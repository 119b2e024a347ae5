"""States of a mission, as data, and the small closed lists that profiles and missions share."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class MissionState(StrEnum):
    """Where a mission stands: draft (only its organisation sees it), open, filled (all seats taken), closed."""

    DRAFT = "draft"
    OPEN = "open"
    FILLED = "filled"
    CLOSED = "closed"


M = MissionState
MISSION_STEPS: Final[Mapping[MissionState, frozenset[MissionState]]] = {
    M.DRAFT: frozenset({M.OPEN, M.CLOSED}),
    M.OPEN: frozenset({M.FILLED, M.CLOSED}),
    M.FILLED: frozenset({M.OPEN, M.CLOSED}),
    M.CLOSED: frozenset({M.OPEN}),
}
PUBLIC_MISSIONS: Final = frozenset({M.OPEN, M.FILLED, M.CLOSED})

LEVELS: Final = range(1, 6)
#: Codes of languages one can work in: ISO 639-1, and ISO 639-3 for French sign language.
LANGUAGES: Final[tuple[str, ...]] = ("fr", "en", "es", "de", "it", "pt", "ar", "fsl")


def may_step(old: MissionState, new: MissionState) -> bool:
    """Whether the step exists in the table."""
    return new in MISSION_STEPS[old]
