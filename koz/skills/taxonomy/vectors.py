"""Texts as sparse vectors: tokens weighted by how rare they are (TF-IDF), length one; and their main directions.

Tokens are known by a 32-bit checksum, so that a vocabulary is two arrays and opens at once; two tokens in a hundred
thousand may share one, which blurs a likeness and breaks nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Final
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from koz.skills.taxonomy.labels import stem, words

Arrays = dict[str, NDArray[Any]]
Dense = NDArray[np.float32]
Tokens = Callable[[str], tuple[int, ...]]
"""The checksums of what a word of a plain text (see `plain`) is made of."""

#: Further directions that the search for the main ones carries along, and its rounds.
_SPARE: Final = 10
_ROUNDS: Final = 2


def plain(text: str, lang: str) -> str:
    """The words of a text that carry meaning, each once, in order: « Directrice / directeur » → `directeur`."""
    return " ".join(dict.fromkeys(words(text, lang)))


def stems_in(lang: str) -> Tokens:
    """Tokens: the stem of each word, « développer des sites » → `develop`, `sit`."""
    return _french_stem if lang == "fr" else _english_stem


@lru_cache(maxsize=100_000)
def _french_stem(word: str) -> tuple[int, ...]:
    return (crc32(stem(word, "fr").encode()),)


@lru_cache(maxsize=100_000)
def _english_stem(word: str) -> tuple[int, ...]:
    return (crc32(stem(word, "en").encode()),)


def grams(low: int, high: int) -> Tokens:
    """Tokens: `low` to `high` letters in a row, never across words, whose ends count as letters."""
    return partial(_grams, low, high)


@lru_cache(maxsize=100_000)
def _grams(low: int, high: int, word: str) -> tuple[int, ...]:
    padded = f" {word} "
    listed = (padded[i : i + n] for n in range(low, high + 1) for i in range(max(1, len(padded) - n + 1)))
    return tuple(crc32(gram.encode()) for gram in listed)


class Weighting:
    """A vocabulary with the weight of each token. `keys`: checksums in order; `idf`: aligned with them."""

    def __init__(self, tokens: Tokens, keys: NDArray[np.uint32], idf: Dense) -> None:
        self._tokens, self.keys, self.idf = tokens, keys, idf

    @classmethod
    def of(cls, tokens: Tokens, texts: Sequence[str], least: int = 1) -> "Weighting":
        """Learned from texts; tokens of fewer than `least` of them are left out."""
        flat, sizes = _checksums(tokens, texts)
        rows = np.repeat(np.arange(len(texts), dtype=np.int64), sizes)
        keys = _distinct(flat)
        once = _distinct(np.searchsorted(keys, flat) * len(texts) + rows)
        df = np.bincount(once // max(1, len(texts)), minlength=keys.size)
        idf = np.log((1 + len(texts)) / (1 + df)) + 1
        kept = df >= least
        return cls(tokens, keys[kept], idf[kept].astype(np.float32))

    def vectors(self, texts: Sequence[str]) -> sp.csr_array:
        """A row a text, of length one; zero for a text of which no token is known."""
        shape = len(texts), self.keys.size
        flat, sizes = _checksums(self._tokens, texts)
        if not self.keys.size or not flat.size:
            return no_rows(*shape)
        rows = np.repeat(np.arange(len(texts), dtype=np.int64), sizes)
        places = np.minimum(np.searchsorted(self.keys, flat), self.keys.size - 1)
        known = self.keys[places] == flat
        entries, counts = np.unique(rows[known] * shape[1] + places[known], return_counts=True)
        row, column = np.divmod(entries, shape[1])
        values = (1 + np.log(counts)) * self.idf[column]
        values /= np.sqrt(np.bincount(row, values**2, minlength=shape[0]))[row]
        bounds = np.searchsorted(row, np.arange(shape[0] + 1))
        return sp.csr_array((values.astype(np.float32), column, bounds), shape=shape)

    def arrays(self, name: str) -> Arrays:
        """What it is stored as."""
        return {f"{name}.keys": self.keys, f"{name}.idf": self.idf}

    @classmethod
    def stored(cls, tokens: Tokens, arrays: Mapping[str, NDArray[Any]], name: str) -> "Weighting":
        """From what it was stored as."""
        return cls(tokens, arrays[f"{name}.keys"], arrays[f"{name}.idf"])


def _checksums(tokens: Tokens, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The tokens of all texts one after the other, and how many each text has."""
    listed = [tuple(chain.from_iterable(map(tokens, text.split()))) for text in texts]
    sizes = np.array([len(keys) for keys in listed], dtype=np.int64)
    return np.fromiter(chain.from_iterable(listed), dtype=np.uint32, count=int(sizes.sum())), sizes


def _distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The distinct values in order; sorting beats hashing here."""
    ordered = np.sort(values)
    distinct: NDArray[Any] = ordered[np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]]
    return distinct


def pack(name: str, matrix: sp.csr_array) -> Arrays:
    """A sparse matrix as arrays."""
    return {
        f"{name}.values": matrix.data.astype(np.float32),
        f"{name}.columns": matrix.indices.astype(np.int32),
        f"{name}.bounds": matrix.indptr.astype(np.int32),
        f"{name}.shape": np.array(matrix.shape, dtype=np.int64),
    }


def no_rows(rows: int, columns: int) -> sp.csr_array:
    """A sparse matrix of this shape without any value."""
    nothing = np.empty(0, dtype=np.int32)
    bounds = np.zeros(rows + 1, dtype=np.int32)
    return sp.csr_array((nothing.astype(np.float32), nothing, bounds), shape=(rows, columns))


def sparse(matrix: Dense) -> sp.csr_array:
    """What of a dense matrix is not zero."""
    rows, columns = np.nonzero(matrix)
    return sp.csr_array((matrix[rows, columns], (rows, columns)), shape=matrix.shape)


def unpack(arrays: Mapping[str, NDArray[Any]], name: str) -> sp.csr_array:
    """The matrix that was packed, over the same memory."""
    values, columns, bounds, shape = (arrays[f"{name}.{part}"] for part in ("values", "columns", "bounds", "shape"))
    return sp.csr_array((values, columns, bounds), shape=tuple(shape.tolist()), copy=False)


def unit(matrix: sp.csr_array) -> sp.csr_array:
    """Rows brought to length one."""
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.maximum(norms, 1e-9)).astype(np.float32) @ matrix)


def unit_rows(matrix: Dense) -> Dense:
    """Rows of a dense matrix brought to length one."""
    scaled: Dense = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.float32(1e-9))
    return scaled


def sums(owner: NDArray[np.int64], size: int) -> sp.csr_array:
    """The matrix that adds rows up by owner: `size` × as many rows as there are owners given."""
    ones = np.ones(owner.size, dtype=np.float32)
    return sp.csr_array((ones, (owner, np.arange(owner.size))), shape=(size, owner.size))


def best_by(values: Dense, starts: NDArray[np.int64], owners: NDArray[np.int64], size: int) -> Dense:
    """The greatest value of each owner's columns, 0 for who has none; those of `owners[i]` begin at `starts[i]`."""
    best = np.zeros((values.shape[0], size), dtype=np.float32)
    if starts.size:
        best[:, owners] = np.maximum.reduceat(values, starts, axis=1)
    return best


def strongest(values: Dense, count: int) -> Dense:
    """A copy in which all but the `count` greatest of each row are zero; what equals the last of them stays."""
    if values.shape[1] <= count:
        return np.maximum(values, 0)
    least = -np.partition(-values, count - 1, axis=1)[:, count - 1 : count]
    return np.where((values >= least) & (values > 0), values, np.float32(0))


def main_directions(matrix: sp.csr_array, size: int) -> Dense:
    """The `size` strongest right singular vectors as columns, by randomised projection from a fixed start."""
    size = max(1, min(size, *matrix.shape))
    start = np.random.default_rng(0).standard_normal((matrix.shape[1], size + _SPARE), dtype=np.float32)
    basis = matrix @ start
    for _round in range(_ROUNDS):
        basis = matrix @ (matrix.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    small = (matrix.T @ basis).T
    _left, _strength, right = np.linalg.svd(small, full_matrices=False)
    return np.ascontiguousarray(right[:size].T, dtype=np.float32)
