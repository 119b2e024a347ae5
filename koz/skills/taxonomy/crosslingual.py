"""French ↔ English without a downloaded model: a word dictionary and a common space, learned from the labels.

The dictionary is IBM model 1, both ways, over pairs of texts that say the same: names, names with the other
language's aliases at a low weight, sentences of descriptions that go one by one. The common space is the singular
value decomposition of what stems come together in those pairs. Training is deterministic; the same pairs in the same
order give the same arrays.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from koz.skills.taxonomy.kinds import LANGUAGES
from koz.skills.taxonomy.labels import stems
from koz.skills.taxonomy.lookup import NAMES, Lookup
from koz.skills.taxonomy.rows import Rows
from koz.skills.taxonomy.vocabulary import Vocabulary

#: Rounds of expectation and maximisation.
ROUNDS: Final = 6
#: Translations less likely than this both ways are left out.
LEAST: Final = 0.01
#: Size of the common space.
SIZE: Final = 200
#: What an alias is worth beside a name, and all aliases of the other language together.
ALIAS_WEIGHT: Final = 0.5
#: Longest text that is learned from, in stems.
LONGEST: Final = 60

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


class Pair(NamedTuple):
    """Two texts that say the same, and how surely."""

    fr: str
    en: str
    weight: float = 1.0


def pairs_of(rows: Rows) -> list[Pair]:
    """What the taxonomy says in both languages, proposed concepts or not."""
    aliases: dict[int, dict[str, list[str]]] = {}
    named = {c.id: {c.label_fr, c.label_en} for c in rows.concepts}
    for phrase in rows.phrases:
        if phrase.text not in named.get(phrase.concept_id, ()):
            aliases.setdefault(phrase.concept_id, {}).setdefault(phrase.lang, []).append(phrase.text)
    found: list[Pair] = []
    for c in rows.concepts:
        if not c.label_fr or not c.label_en:
            continue
        found.append(Pair(c.label_fr, c.label_en))
        others = aliases.get(c.id, {})
        english, french = others.get("en", []), others.get("fr", [])
        found += [Pair(c.label_fr, alias, 1 / len(english)) for alias in english]
        found += [Pair(alias, c.label_en, ALIAS_WEIGHT) for alias in french]
        if c.description_fr and c.description_en:
            found += _sentences(c.description_fr, c.description_en)
    return found


def _sentences(fr: str, en: str) -> list[Pair]:
    """Sentence by sentence where there are as many, else the whole at half its weight."""
    french, english = _SENTENCE.split(fr.strip()), _SENTENCE.split(en.strip())
    if len(french) != len(english):
        return [Pair(fr, en, 0.5)]
    return [Pair(a, b) for a, b in zip(french, english, strict=True)]


class Translations(NamedTuple):
    """Of one stem: stems of the other language, how likely each translates it, and how likely it translates each."""

    numbers: NDArray[np.int32]
    there: NDArray[np.float32]
    back: NDArray[np.float32]


class Crosslingual:
    """Learned once, then read. Stems are named by their numbers in the vocabularies of the labels."""

    ARRAYS: Final = tuple(
        f"{lang}.{name}"
        for lang in LANGUAGES
        for name in (*NAMES, "targets", "there", "back", "bounds_of", "vectors", "row_of")
    )

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        self._rows = {lang: Lookup({n: arrays[f"{lang}.{n}"] for n in NAMES}) for lang in LANGUAGES}
        self._opened = {name: np.asarray(array) for name, array in arrays.items()}

    @classmethod
    def train(cls, pairs: Iterable[Pair], vocabularies: Mapping[str, Vocabulary]) -> "Crosslingual":
        """Learn from the pairs; translations are kept where labels have them."""
        said = _Said(pairs)
        arrays: dict[str, NDArray[Any]] = {}
        known = {lang: _known(said.stems[lang], vocabularies[lang]) for lang in LANGUAGES}
        tables = _both_ways(said)
        vectors = dict(zip(LANGUAGES, _common_space(said), strict=True))
        for lang, other in (("fr", "en"), ("en", "fr")):
            arrays |= {
                f"{lang}.{n}": a for n, a in Lookup.of(said.stems[lang], range(len(said.stems[lang]))).arrays().items()
            }
            arrays |= {f"{lang}.{n}": a for n, a in _translations(tables[lang], tables[other], known[other]).items()}
            arrays[f"{lang}.vectors"] = vectors[lang]
            row_of = np.full(len(vocabularies[lang]), -1, dtype=np.int32)
            inside = np.flatnonzero(known[lang] >= 0)
            row_of[known[lang][inside]] = inside
            arrays[f"{lang}.row_of"] = row_of
        return cls(arrays)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What it is stored as."""
        return self._arrays

    def translations(self, root: str, lang: str) -> Translations:
        """What a stem of `lang` is in the other language, the likeliest first."""
        found = self._rows[lang].get(root)
        begin, end = self._opened[f"{lang}.bounds_of"][found[0] : found[0] + 2] if found.size else (0, 0)
        return Translations(*(self._opened[f"{lang}.{name}"][begin:end] for name in ("targets", "there", "back")))

    def vector(self, roots: Iterable[str], weights: Iterable[float], lang: str) -> NDArray[np.float32]:
        """The direction in the common space of weighted stems of `lang`; zero when none is known."""
        vectors = self._opened[f"{lang}.vectors"]
        total = np.zeros(vectors.shape[1], dtype=np.float32)
        for root, weight in zip(roots, weights, strict=True):
            found = self._rows[lang].get(root)
            if found.size:
                total += np.float32(weight) * vectors[found[0]]
        length = float(np.linalg.norm(total))
        return total / np.float32(length) if length else total

    def directions(
        self, numbers: NDArray[np.int64], weights: NDArray[np.float64], starts: NDArray[np.int64], lang: str
    ) -> NDArray[np.float32]:
        """The directions of labels: stems by their number, where each label begins among them. A row a label."""
        vectors = self._opened[f"{lang}.vectors"]
        row = self._opened[f"{lang}.row_of"][numbers]
        share = np.where(row >= 0, weights, 0.0).astype(np.float32)
        parts = vectors[np.maximum(row, 0)].astype(np.float32) * share[:, None]
        summed: NDArray[np.float32] = np.add.reduceat(parts, starts, axis=0)
        summed /= np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), np.float32(1e-9))
        return summed


class _Said:
    """Pairs as numbers of stems; `stems` in order of first use."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        places: dict[str, dict[str, int]] = {lang: {} for lang in LANGUAGES}
        self.sides: dict[str, list[list[int]]] = {lang: [] for lang in LANGUAGES}
        read: dict[tuple[str, str], list[int]] = {}
        weights: list[float] = []
        for pair in pairs:
            both = {}
            for lang, text in (("fr", pair.fr), ("en", pair.en)):
                numbers = read.get((lang, text))
                if numbers is None:
                    place = places[lang]
                    numbers = [place.setdefault(s, len(place)) for s in stems(text, lang)[:LONGEST]]
                    read[lang, text] = numbers
                both[lang] = numbers
            if all(both.values()):
                weights.append(pair.weight)
                for lang, numbers in both.items():
                    self.sides[lang].append(numbers)
        self.stems = {lang: list(place) for lang, place in places.items()}
        self.weights = np.array(weights)


def _known(listed: Sequence[str], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """The numbers of stems in the vocabulary of labels, -1 for those it lacks."""
    numbers = (vocabulary.number(s) for s in listed)
    return np.array([-1 if n is None else n for n in numbers], dtype=np.int64)


def _both_ways(said: _Said) -> dict[str, sp.csr_array]:
    """By language: rows its stems, columns the other's, how likely the row is said as the column."""
    fr, en = said.sides["fr"], said.sides["en"]
    shape = len(said.stems["fr"]), len(said.stems["en"])
    return {"fr": _ibm1(fr, en, said.weights, shape), "en": _ibm1(en, fr, said.weights, shape[::-1])}


def _ibm1(
    source: Sequence[Sequence[int]],
    target: Sequence[Sequence[int]],
    weights: NDArray[np.float64],
    shape: tuple[int, int],
) -> sp.csr_array:
    """IBM model 1: each word of the target comes of one word of the source, or of none (kept as source 0 inside)."""
    if not source:
        return sp.csr_array(shape)
    here = np.array([len(s) + 1 for s in source])
    there = np.array([len(t) for t in target])
    of_source = np.array([n for s in source for n in (0, *(i + 1 for i in s))], dtype=np.int64)
    of_target = np.array([n for t in target for n in t], dtype=np.int64)
    sizes = here * there
    pair = np.repeat(np.arange(sizes.size), sizes)
    inside = np.arange(int(sizes.sum())) - (np.cumsum(sizes) - sizes)[pair]
    token = (np.cumsum(there) - there)[pair] + inside % there[pair]
    left = of_source[(np.cumsum(here) - here)[pair] + inside // there[pair]]
    keys, entry = np.unique(left * shape[1] + of_target[token], return_inverse=True)
    rows, columns = keys // shape[1], keys % shape[1]
    weight = weights[pair]
    chance = np.ones(keys.size)
    for _round in range(ROUNDS):
        said = chance[entry]
        counted = np.bincount(entry, weight * said / np.bincount(token, said)[token])
        chance = counted / np.bincount(rows, counted)[rows]
    real = rows > 0
    return sp.csr_array((chance[real], (rows[real] - 1, columns[real])), shape=shape)


def _translations(there: sp.csr_array, other: sp.csr_array, known: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The dictionary of one direction as arrays; columns become numbers of the other vocabulary."""
    back = other.T.tocsr()
    both = (there + back).tocoo()
    if not both.nnz:
        empty = np.zeros(0, dtype=np.float32)
        bounds = np.zeros(there.shape[0] + 1, dtype=np.int64)
        return {"targets": empty.astype(np.int32), "there": empty, "back": empty, "bounds_of": bounds}
    likely = np.asarray(there[both.row, both.col]).ravel(), np.asarray(back[both.row, both.col]).ravel()
    kept = (np.maximum(*likely) >= LEAST) & (known[both.col] >= 0)
    row, target = both.row[kept], known[both.col[kept]]
    forth, to = likely[0][kept], likely[1][kept]
    order = np.lexsort((target, -forth, row))
    counted = np.bincount(row, minlength=there.shape[0])
    return {
        "targets": target[order].astype(np.int32),
        "there": forth[order].astype(np.float32),
        "back": to[order].astype(np.float32),
        "bounds_of": np.concatenate([[0], np.cumsum(counted)]).astype(np.int64),
    }


def _common_space(said: _Said) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Vectors of the stems of both languages, in half precision."""
    sides = [_weighted(said.sides[lang], len(said.stems[lang])) for lang in LANGUAGES]
    size = min(SIZE, min(side.shape[1] for side in sides) - 1)
    if size < 1:
        return tuple(np.zeros((side.shape[1], 1), dtype=np.float16) for side in sides)  # type: ignore[return-value]
    together = (sides[0].T @ sp.diags_array(said.weights) @ sides[1]).tocsr()
    start = np.ones(min(together.shape))
    left, strength, right = svds(together, k=size, v0=start, tol=1e-2)
    root = np.sqrt(np.maximum(strength, 0))
    return (left * root).astype(np.float16), (right.T * root).astype(np.float16)


def _weighted(lists: Sequence[Sequence[int]], width: int) -> sp.csr_array:
    """One text a row, of length 1, stems weighted by how rare they are."""
    sizes = np.array([len(found) for found in lists], dtype=np.int64)
    columns = np.array([n for found in lists for n in found], dtype=np.int64)
    rows = np.repeat(np.arange(len(lists)), sizes)
    df = np.bincount(columns, minlength=width)
    values = np.log(1 + max(1, len(lists)) / np.maximum(df, 1))[columns]
    norms = np.sqrt(np.bincount(rows, values**2, minlength=len(lists)))
    return sp.csr_array((values / norms[rows], (rows, columns)), shape=(len(lists), width))
