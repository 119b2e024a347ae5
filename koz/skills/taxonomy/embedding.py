"""A place for sentence embeddings, empty by default: they may add candidates, and never touch a score.

Koz downloads no weights. Whoever has some gives an `Embedder` to `koz.factory.create_app`; what it finds near is
compared word by word as everything else is, so that each score stays explained.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: How many concepts are added to the candidates.
NEAREST: Final = 20


class Embedder(Protocol):
    """Texts, French or English, to vectors: one row a text, all of one size."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of the texts."""


class Neighbours:
    """The concepts of an index by the directions of their names."""

    def __init__(self, embedder: Embedder, names: Iterable[tuple[int, str]]) -> None:
        """`names`: row of the concept in the index, and a name of it; a concept may have several."""
        listed = list(names)
        self._embedder = embedder
        self._rows = np.array([row for row, _name in listed], dtype=np.int64)
        self._vectors = _directions(embedder([name for _row, name in listed]))

    def nearest(self, text: str) -> NDArray[np.int64]:
        """The rows of the concepts nearest to a phrase."""
        likeness = self._vectors @ _directions(self._embedder([text]))[0]
        return np.unique(self._rows[np.argsort(-likeness, kind="stable")[:NEAREST]])


def _directions(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    directions: NDArray[np.float32] = vectors / np.maximum(
        np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9)
    )
    return directions
