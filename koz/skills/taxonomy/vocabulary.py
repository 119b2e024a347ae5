"""The words of one language that labels are made of: their stems, their relatives, and their spelling.

Numbers of stems are their places in sorted order, so that stems of one root are neighbours.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.labels import stem
from koz.skills.taxonomy.lookup import NAMES, Lookup

#: A misspelt word must be at least this like a known one; how many known ones may stand for it.
LIKENESS: Final = 0.6
STANDINS: Final = 4
#: Words of the same root share this many letters and this share of their stems, and count so much at most.
ROOT: Final = 5
ROOT_SHARE: Final = 0.6
ROOT_WEIGHT: Final = 0.6
#: A word of the other language whose trigrams are this like a known word's is taken for its relative.
COGNATE: Final = 0.5

Standins = tuple[tuple[int, float], ...]
"""Stems with their worth in (0, 1], best first."""
Parts = tuple[dict[str, NDArray[Any]], dict[str, Sequence[str]]]
"""Arrays and texts by name: what an object is stored as."""


class Vocabulary:
    """Words and stems. `words` are as `labels.words` gives them."""

    ARRAYS: Final = ("stem_of", "sizes", *(f"{kind}.{name}" for kind in ("root", "gram") for name in NAMES))
    TEXTS: Final = ("roots", "words")

    def __init__(self, lang: str, arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, Sequence[str]]) -> None:
        self.lang = lang
        self._arrays, self._texts = dict(arrays), dict(texts)
        self.roots = texts["roots"]
        self._words = texts["words"]
        self._stem_of = np.asarray(arrays["stem_of"])
        self._sizes = np.asarray(arrays["sizes"])
        self._numbers = Lookup(_named(arrays, "root."))
        self._grams = Lookup(_named(arrays, "gram."))
        self.standins = lru_cache(maxsize=4096)(self._standins)
        self.number = lru_cache(maxsize=4096)(self._number)
        self.cognates = lru_cache(maxsize=4096)(self._cognates)

    @classmethod
    def of(cls, lang: str, words: set[str]) -> "Vocabulary":
        """The vocabulary of these words."""
        listed = sorted(words)
        stemmed = [stem(word, lang) for word in listed]
        roots = sorted(set(stemmed))
        place = {root: i for i, root in enumerate(roots)}
        grams = [trigrams(word) for word in listed]
        flat = [(gram, i) for i, found in enumerate(grams) for gram in sorted(found)]
        arrays: dict[str, NDArray[Any]] = {
            "stem_of": np.array([place[s] for s in stemmed], dtype=np.int32),
            "sizes": np.array([len(found) for found in grams], dtype=np.float64),
        }
        lookups = (
            ("root.", Lookup.of(roots, range(len(roots)))),
            ("gram.", Lookup.of((gram for gram, _i in flat), [i for _gram, i in flat])),
        )
        for prefix, lookup in lookups:
            arrays |= {prefix + name: array for name, array in lookup.arrays().items()}
        return cls(lang, arrays, {"roots": roots, "words": listed})

    def parts(self) -> Parts:
        """What the vocabulary is stored as."""
        return self._arrays, self._texts

    def __len__(self) -> int:
        return len(self.roots)

    def number_of_word(self, word: str) -> int | None:
        """The stem of a word, if any known word has it."""
        return self.number(stem(word, self.lang))

    def _number(self, root: str) -> int | None:
        found = self._numbers.get(root)
        return int(found[0]) if found.size else None

    def _standins(self, word: str) -> Standins:
        """Stems that stand for a word: its own and at a discount its relatives', else those of the most like words."""
        root = stem(word, self.lang)
        own = self.number(root)
        return self._closest(word) if own is None else ((own, 1.0), *self._relatives(root))

    def _relatives(self, root: str) -> list[tuple[int, float]]:
        """Stems that begin as `root` does, with a worth that grows with what they share."""
        if len(root) < ROOT:
            return []
        found: list[tuple[int, float]] = []
        beginning = root[: max(ROOT, int(len(root) * ROOT_SHARE))]
        for number in range(bisect_left(self.roots, beginning), len(self.roots)):
            other = self.roots[number]
            if not other.startswith(beginning):
                break
            shared = next((i for i, (a, b) in enumerate(zip(root, other, strict=False)) if a != b), None)
            share = (min(len(root), len(other)) if shared is None else shared) / max(len(root), len(other))
            if other != root and share >= ROOT_SHARE:
                found.append((number, ROOT_WEIGHT * share))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[: STANDINS * 2]

    def _alike(self, word: str, least: float) -> list[tuple[int, float]]:
        """Known words by what share of trigrams they have in common with a word, best first, at most 40."""
        grams = trigrams(word)
        found = [self._grams.get(gram) for gram in sorted(grams)]
        listed = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
        if not listed.size:
            return []
        shared = np.bincount(listed, minlength=self._sizes.size)
        near = np.flatnonzero(shared)
        dice = 2 * shared[near] / (self._sizes[near] + len(grams))
        likely = np.argsort(-dice, kind="stable")[:40]
        return [(int(near[i]), float(dice[i])) for i in likely.tolist() if dice[i] >= least]

    def _closest(self, word: str) -> Standins:
        """Stems of the known words most like a misspelt one, with their likeness squared; () when none is."""
        if len(word) < 4:
            return ()
        found: dict[int, float] = {}
        for i, dice in self._alike(word, 0.25):
            known = self._words[i]
            edits = 1 - distance(word, known) / max(len(word), len(known))
            likeness = max(dice, edits)
            if likeness >= LIKENESS and (known[0] == word[0] or edits >= 0.8):
                number = int(self._stem_of[i])
                found[number] = max(found.get(number, 0.0), likeness**2)
        return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:STANDINS])

    def _cognates(self, word: str) -> Standins:
        """Stems of known words that a word of another language looks like: « subvention », "subventions"."""
        if len(word) < 4:
            return ()
        found: dict[int, float] = {}
        for i, dice in self._alike(word, COGNATE)[: STANDINS * 2]:
            number = int(self._stem_of[i])
            found[number] = max(found.get(number, 0.0), dice)
        return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _named(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def trigrams(word: str) -> set[str]:
    """Three letters in a row, the ends of the word counting as letters."""
    padded = f"\x02{word}\x03"
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def distance(a: str, b: str) -> int:
    """Edits from `a` to `b`: insert, delete, replace, or swap two neighbours (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        line = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, line[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]
