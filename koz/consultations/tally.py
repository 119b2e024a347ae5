"""The arithmetic of votes: what a change does to a tally, and how clearly a tally speaks. Pure.

`surely` is the lower end of Wilson's score interval (E. B. Wilson 1927, JASA 22, eq. 1; z = 1.2816, one-sided 90 %):
the share of agreement that the votes make sure of. Three votes out of three make sure of less than ninety out of a
hundred, so a few friends do not outrank a crowd. It takes numbers or SQL expressions: one formula for both.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from koz.consultations.states import Choice

Z: Final = 1.2816


def surely(part: Any, total: Any, sqrt: Callable[[Any], Any] = math.sqrt) -> Any:
    """Lower bound of the share `part / total`, in [0, 1]. `total` > 0; both floats (or SQL expressions of doubles)."""
    share = part / total
    middle = share + Z * Z / (2 * total)
    margin = Z * sqrt((share * (1 - share) + Z * Z / (4 * total)) / total)
    return (middle - margin) / (1 + Z * Z / total)


def change(old: Choice | None, new: Choice | None) -> dict[Choice, int]:
    """What replacing vote `old` by `new` (None: no vote) adds to each count; empty when nothing changes."""
    if old is new:
        return {}
    added = {}
    if old is not None:
        added[old] = -1
    if new is not None:
        added[new] = 1
    return added


def share(part: int, total: int) -> float:
    """A part of a whole; 0 of nothing is 0."""
    return part / total if total else 0.0
