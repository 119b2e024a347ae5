"""How likely a concept is what a phrase means: a logistic model over the numbers of `comparing`.

The weights in `ranking.json` are learned by `scripts/fit_words.py` from ESCO's labels and our own aliases, on concepts
that the evaluation does not test. They are a few dozen numbers, the same for every installation: nothing in them knows
a word.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.comparing import OTHER_VIEWS, OWN_VIEWS, width

#: Columns of the table of candidates: what is found by words in common; in the phrase's language the cosines of best
#: label and mean, and `compare`; the same in the other language, and the cosines in the common space.
OWN: Final = 3 + width(OWN_VIEWS)
OTHER: Final = 2 + width(OTHER_VIEWS) + 2
_HERE: Final = OWN - 1
_THERE: Final = OWN + OTHER - 3
_BEST: Final = (3, OWN + 2)


def likelihood(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The chance that each candidate is meant, in (0, 1)."""
    weights, bias = _learned()
    return np.asarray(1 / (1 + np.exp(-np.clip(expand(table) @ weights + bias, -500, 500))))


def expand(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is weighed: the columns, their squares, and apart those of concepts labelled in one language only."""
    here, there = table[:, _HERE : _HERE + 1], table[:, _THERE : _THERE + 1]
    best = table[:, _BEST].max(axis=1, keepdims=True) if len(table) else np.zeros((0, 1))
    alone = [table[:, :OWN] * (1 - there), table[:, OWN:] * (1 - here)]
    return np.hstack([table, table**2, *alone, best, best**2, here * there])


@cache
def _learned() -> tuple[NDArray[np.float64], float]:
    read = json.loads(files("koz.skills").joinpath("taxonomy/ranking.json").read_text(encoding="utf-8"))
    return np.array(read["weights"], dtype=np.float64), float(read["bias"])
