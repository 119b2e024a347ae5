"""Phrase → concepts: an inverted index in memory over all labels and aliases, French and English together.

What counts, best first: the folded phrase is a label or alias; its stems are those of one; a label or alias stands
inside the phrase; stems in common, weighted by how rare they are (TF-IDF cosine), where a word that the index does
not know counts as the known words closest to it by character trigrams, and a known word brings its relatives of
the same root (« traductrice », « traduction ») at a discount. Results are deterministic: equal scores come in the
order in which the concepts were given.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.kinds import LANGUAGES
from koz.skills.taxonomy.labels import fold, stem, words

#: Below this a hit is noise and is not returned.
MIN_SCORE: Final = 0.3
#: What a phrase in the language that was not asked for is worth.
OTHER_LANGUAGE: Final = 0.97
#: What an alias is worth against a label.
ALIAS: Final = 0.99
SAME_STEMS: Final = 0.96
#: A label inside a longer phrase: at least, and by the share of the phrase it covers.
INSIDE: Final = (0.45, 0.45)
OVERLAP: Final = 0.9
#: Longest label, in words, looked for inside a phrase; longest phrase read, in words and in characters.
WINDOW: Final = 5
MAX_WORDS: Final = 40
MAX_CHARACTERS: Final = 500
#: A misspelt word must be at least this like a known one; how many known ones may stand for it.
LIKENESS: Final = 0.6
STANDINS: Final = 4
#: Words of the same root share this many letters and this share of their stems, and count so much at most.
ROOT: Final = 5
ROOT_SHARE: Final = 0.6
ROOT_WEIGHT: Final = 0.6


class Phrase(NamedTuple):
    """One way to write a concept: its label (`main`) or an alias, in `lang`."""

    concept_id: int
    lang: str
    text: str
    main: bool


class Hit(NamedTuple):
    """A concept found; score in (0, 1], 1 for its very label."""

    concept_id: int
    score: float


class SearchIndex:
    """Immutable index over phrases. Concepts given first win over later ones of equal score."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._ids: list[int] = []
        rows: dict[int, int] = {}
        exact: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        by_language: dict[str, list[tuple[int, str, bool]]] = {lang: [] for lang in LANGUAGES}
        for phrase in phrases:
            row = rows.setdefault(phrase.concept_id, len(rows))
            if row == len(self._ids):
                self._ids.append(phrase.concept_id)
            by_language[phrase.lang].append((row, phrase.text, phrase.main))
            worth = 1.0 if phrase.main else ALIAS
            found = exact[phrase.lang, fold(phrase.text)]
            found[row] = max(worth, found.get(row, 0.0))
        self._exact = dict(exact)
        self._languages = {lang: _Language(lang, listed) for lang, listed in by_language.items()}

    def __len__(self) -> int:
        return len(self._ids)

    def search(self, text: str, lang: str = "fr", top: int = 10) -> list[Hit]:
        """The `top` concepts closest to a phrase in `lang`, best first; [] for an empty phrase or for nonsense."""
        folded = fold(text[:MAX_CHARACTERS])
        if not folded or not self._ids or top < 1:
            return []
        scores = np.zeros(len(self._ids))
        for language, index in self._languages.items():
            worth = 1.0 if language == lang else OTHER_LANGUAGE
            index.score(folded, worth, scores)
            for row, share in self._exact.get((language, folded), {}).items():
                scores[row] = max(scores[row], share * worth)
        scores = np.round(scores, 6)
        count = min(top, int(np.count_nonzero(scores >= MIN_SCORE)))
        order = np.argsort(-scores, kind="stable")[:count]
        return [Hit(self._ids[row], float(scores[row])) for row in order.tolist()]


class _Language:
    """The phrases of one language: postings stem → phrase, phrases by their stems, and its vocabulary."""

    def __init__(self, lang: str, phrases: Sequence[tuple[int, str, bool]]) -> None:
        self._lang = lang
        self._vocabulary: dict[str, int] = {}
        self._same: dict[tuple[str, ...], dict[int, float]] = {}
        surface: dict[str, int] = {}
        flat_phrase: list[int] = []
        flat_stem: list[int] = []
        owner: list[int] = []
        for row, text, main in phrases:
            found: dict[str, None] = {}
            for word in words(text, lang):
                root = stem(word, lang)
                surface[word] = self._vocabulary.setdefault(root, len(self._vocabulary))
                found[root] = None
            if not found:
                continue
            same = self._same.setdefault(tuple(sorted(found)), {})
            same[row] = max(same.get(row, 0.0), 1.0 if main else ALIAS)
            flat_phrase += [len(owner)] * len(found)
            flat_stem += [self._vocabulary[root] for root in found]
            owner.append(row)
        self._owner = np.array(owner, dtype=np.int64)
        self._fill(np.array(flat_phrase, dtype=np.int64), np.array(flat_stem, dtype=np.int64))
        self._roots = sorted(self._vocabulary)
        self._spelling = _Spelling(surface)
        self._standins = lru_cache(maxsize=4096)(self._find_standins)

    def _fill(self, phrase: NDArray[np.int64], stem_ids: NDArray[np.int64]) -> None:
        order = np.argsort(stem_ids, kind="stable")
        self._postings = phrase[order]
        df = np.bincount(stem_ids, minlength=len(self._vocabulary))
        self._bounds = np.concatenate([[0], np.cumsum(df)])
        self._idf = np.log(1.0 + max(1, self._owner.size) / np.maximum(df, 1))
        squares = np.bincount(phrase, weights=self._idf[stem_ids] ** 2, minlength=self._owner.size)
        self._norm = np.sqrt(squares)
        self._unknown = float(np.log(1.0 + max(1, self._owner.size)))

    def score(self, folded: str, worth: float, scores: NDArray[np.float64]) -> None:
        """Raise `scores` (one a concept) to what this language finds for the folded phrase, times `worth`."""
        listed = list(dict.fromkeys((w, stem(w, self._lang)) for w in words(folded, self._lang)[:MAX_WORDS]))
        if not listed or not self._owner.size:
            return
        self._score_same([root for _word, root in listed], worth, scores)
        query = 0.0
        gathered = np.zeros(self._owner.size)
        for word, root in listed:
            standins = self._standins(word, root)
            weight = self._idf[standins[0][0]] if standins else self._unknown
            query += weight**2
            best: dict[int, float] = {}
            for stem_id, likeness in standins:
                best[stem_id] = max(likeness, best.get(stem_id, 0.0))
            for stem_id, likeness in best.items():
                part = self._postings[self._bounds[stem_id] : self._bounds[stem_id + 1]]
                gathered[part] += likeness * weight * self._idf[stem_id]
        hit = np.flatnonzero(gathered)
        cosines = np.minimum(gathered[hit] / (np.sqrt(query) * self._norm[hit]), 1.0)
        np.maximum.at(scores, self._owner[hit], cosines * (OVERLAP * worth))

    def _score_same(self, roots: list[str], worth: float, scores: NDArray[np.float64]) -> None:
        """Labels and aliases with the very stems of the phrase, or of a window of it."""
        distinct = list(dict.fromkeys(roots))
        weights = {r: self._idf[self._vocabulary[r]] if r in self._vocabulary else self._unknown for r in distinct}
        whole = sum(weights.values())
        for length in range(1, min(WINDOW, len(roots)) + 1):
            for start in range(len(roots) - length + 1):
                window = sorted(set(roots[start : start + length]))
                found = self._same.get(tuple(window))
                if not found:
                    continue
                if len(window) == len(distinct):
                    share = SAME_STEMS
                else:
                    share = INSIDE[0] + INSIDE[1] * float(sum(weights[r] for r in window) / whole)
                for row, kind in found.items():
                    scores[row] = max(scores[row], share * kind * worth)
        if len(distinct) > WINDOW:
            for row, kind in self._same.get(tuple(sorted(distinct)), {}).items():
                scores[row] = max(scores[row], SAME_STEMS * kind * worth)

    def _find_standins(self, word: str, root: str) -> tuple[tuple[int, float], ...]:
        """Stems that stand for a word of the phrase, with their worth, best first."""
        own = self._vocabulary.get(root)
        if own is None:
            return self._spelling.closest(word)
        return ((own, 1.0), *((self._vocabulary[r], share) for r, share in self._relatives(root)))

    def _relatives(self, root: str) -> list[tuple[str, float]]:
        """Stems that begin as `root` does, with a worth that grows with what they share."""
        if len(root) < ROOT:
            return []
        found: list[tuple[str, float]] = []
        beginning = root[: max(ROOT, int(len(root) * ROOT_SHARE))]
        for other in self._roots[bisect_left(self._roots, beginning) :]:
            if not other.startswith(beginning):
                break
            shared = next((i for i, (a, b) in enumerate(zip(root, other, strict=False)) if a != b), None)
            share = (min(len(root), len(other)) if shared is None else shared) / max(len(root), len(other))
            if other != root and share >= ROOT_SHARE:
                found.append((other, ROOT_WEIGHT * share))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[: STANDINS * 2]


class _Spelling:
    """The known words of a language by their character trigrams."""

    def __init__(self, stem_of: dict[str, int]) -> None:
        self._words = sorted(stem_of)
        self._stem_of = stem_of
        grams: dict[str, list[int]] = defaultdict(list)
        for i, word in enumerate(self._words):
            for gram in _trigrams(word):
                grams[gram].append(i)
        self._postings = {gram: np.array(listed, dtype=np.int64) for gram, listed in grams.items()}
        self._sizes = np.array([len(_trigrams(word)) for word in self._words], dtype=np.float64)

    def closest(self, word: str) -> tuple[tuple[int, float], ...]:
        """Stems of the known words most like a word, with their likeness squared, best first; () when none is."""
        grams = [g for g in _trigrams(word) if g in self._postings]
        if not grams or len(word) < 4:
            return ()
        shared = np.bincount(np.concatenate([self._postings[g] for g in grams]), minlength=len(self._words))
        dice = 2 * shared / (self._sizes + len(_trigrams(word)))
        likely = np.argsort(-dice, kind="stable")[:40]
        found: dict[int, float] = {}
        for i in likely.tolist():
            if dice[i] < 0.25:
                break
            known = self._words[i]
            edits = 1 - _distance(word, known) / max(len(word), len(known))
            likeness = max(float(dice[i]), edits)
            if likeness >= LIKENESS and (known[0] == word[0] or edits >= 0.8):
                stem_id = self._stem_of[known]
                found[stem_id] = max(found.get(stem_id, 0.0), likeness**2)
        return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:STANDINS])


def _trigrams(word: str) -> Counter[str]:
    padded = f"\x02{word}\x03"
    return Counter(dict.fromkeys((padded[i : i + 3] for i in range(len(padded) - 2)), 1))


def _distance(a: str, b: str) -> int:
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
