"""Text → numbers, as sorted arrays: a large dictionary that costs nothing to open and that processes share."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: The arrays of a lookup, by name.
NAMES: Final = ("keys", "bounds", "numbers")


def key_of(text: str) -> int:
    """A 64-bit fingerprint of a text, the same in every process and on every machine."""
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


class Lookup:
    """Texts by their fingerprints. Two of a million texts share one with a chance of 1 in 30 million: none is kept."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self._keys, self._bounds, self._numbers = (np.asarray(arrays[name]) for name in NAMES)

    @classmethod
    def of(cls, texts: Iterable[str], numbers: Sequence[int] | NDArray[Any]) -> "Lookup":
        """A lookup in which each text finds the numbers given with it, in the order given."""
        found = np.fromiter((key_of(text) for text in texts), dtype=np.uint64)
        order = np.argsort(found, kind="stable")
        keys, starts = np.unique(found[order], return_index=True)
        listed = np.asarray(numbers, dtype=np.int32)[order]
        return cls({"keys": keys, "bounds": np.append(starts, found.size).astype(np.int32), "numbers": listed})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the lookup is made of."""
        return self._arrays

    def get(self, text: str) -> NDArray[np.int32]:
        """The numbers of a text; none for one that is not there."""
        key = np.uint64(key_of(text))
        place = int(np.searchsorted(self._keys, key))
        if place == self._keys.size or self._keys[place] != key:
            return self._numbers[:0]
        return self._numbers[self._bounds[place] : self._bounds[place + 1]]
