"""Phrase → concepts: an inverted index in memory over all labels and aliases, French and English together.

What counts, best first: the folded phrase is a label or alias; its words are those of one, in any gender, number and
order, or written together (« data viz »); a label or alias stands inside the phrase; stems in common, weighted by how
rare they are (TF-IDF cosine), where a word that the index does not know counts as the known words closest to it by
character trigrams, and a known word brings its relatives of the same root (« traductrice », « traduction ») at a
discount. Results are deterministic: equal scores come in the order in which the concepts were given.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.kinds import LANGUAGES
from koz.skills.taxonomy.labels import fold, stem, words_of
from koz.skills.taxonomy.rows import Phrase
from koz.skills.taxonomy.store import Store

#: Below this a hit is noise and is not returned.
MIN_SCORE: Final = 0.3
#: What a phrase in the language that was not asked for is worth.
OTHER_LANGUAGE: Final = 0.97
SAME_WORDS: Final = 0.96
#: What a label written together or apart is worth, and up to how many words it may have.
WRITTEN_TOGETHER: Final = 0.93
TOGETHER: Final = 4
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


class Hit(NamedTuple):
    """A concept found; score in (0, 1], at most the worth of the phrase found."""

    concept_id: int
    score: float


class SearchIndex:
    """Immutable index over phrases. Concepts given first win over later ones of equal score."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = list(phrases)
        self._ids: list[int] = []
        rows: dict[int, int] = {}
        by_language: dict[str, list[tuple[int, str, float]]] = {lang: [] for lang in LANGUAGES}
        for phrase in self._phrases:
            row = rows.setdefault(phrase.concept_id, len(rows))
            if row == len(self._ids):
                self._ids.append(phrase.concept_id)
            by_language[phrase.lang].append((row, fold(phrase.text), phrase.worth))
        self._languages = {lang: _Language(lang, listed) for lang, listed in by_language.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The phrases' concepts and worths."""
        ids = np.array([p.concept_id for p in self._phrases], dtype=np.int64)
        return {"ids": ids, "worths": np.array([p.worth for p in self._phrases], dtype=np.float64)}

    def texts(self) -> dict[str, list[str]]:
        """The phrases' languages and texts."""
        return {"langs": [p.lang for p in self._phrases], "phrases": [p.text for p in self._phrases]}

    @classmethod
    def from_store(cls, store: Store, prefix: str) -> Self:
        """The index over the phrases that were written under this prefix."""
        columns = (
            store.array(f"{prefix}ids").tolist(),
            store.texts(f"{prefix}langs"),
            store.texts(f"{prefix}phrases"),
            store.array(f"{prefix}worths").tolist(),
        )
        return cls(Phrase(*row) for row in zip(*columns, strict=True))

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
        scores = np.round(scores, 6)
        count = min(top, int(np.count_nonzero(scores >= MIN_SCORE)))
        order = np.argsort(-scores, kind="stable")[:count]
        return [Hit(self._ids[row], float(scores[row])) for row in order.tolist()]


_Lookup = dict[str, int | list[int]]
"""A text → the number of the phrase that reads so, or their numbers: almost always it is one, and there are many."""


def _note(lookup: _Lookup, key: str, number: int) -> None:
    found = lookup.setdefault(key, number)
    if isinstance(found, list):
        found.append(number)
    elif found != number:
        lookup[key] = [found, number]


class _Language:
    """The phrases of one language: by their folded text and words, postings stem → phrase, and the vocabulary."""

    def __init__(self, lang: str, phrases: Sequence[tuple[int, str, float]]) -> None:
        self._lang = lang
        self._vocabulary: dict[str, int] = {}
        self._exact: _Lookup = {}
        self._together: _Lookup = {}
        self._same: _Lookup = {}
        surface: dict[str, int] = {}
        flat_phrase: list[int] = []
        flat_stem: list[int] = []
        for number, (_row, folded, _worth) in enumerate(phrases):
            _note(self._exact, folded, number)
            if 0 < folded.count(" ") < TOGETHER:
                _note(self._together, folded.replace(" ", ""), number)
            found = dict.fromkeys(words_of(folded, lang))
            if not found:
                continue
            _note(self._same, _joined(found), number)
            roots = set()
            for word in found:
                stem_id = surface.get(word)
                if stem_id is None:
                    root = stem(word, lang)
                    stem_id = surface[word] = self._vocabulary.setdefault(root, len(self._vocabulary))
                roots.add(stem_id)
            flat_phrase += [number] * len(roots)
            flat_stem += roots
        self._owner = np.array([row for row, _folded, _worth in phrases], dtype=np.int64)
        self._worth = np.array([worth for _row, _folded, worth in phrases], dtype=np.float64)
        self._fill(np.array(flat_phrase, dtype=np.int32), np.array(flat_stem, dtype=np.int64))
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
        together = folded.replace(" ", "")
        self._raise(scores, self._exact, folded, worth)
        self._raise(scores, self._exact, together, worth * WRITTEN_TOGETHER)
        self._raise(scores, self._together, together, worth * WRITTEN_TOGETHER)
        listed = list(dict.fromkeys(words_of(folded, self._lang)[:MAX_WORDS]))
        if not listed or not self._owner.size:
            return
        standins = {word: self._standins(word) for word in listed}
        weights = {word: float(self._idf[s[0][0]]) if s else self._unknown for word, s in standins.items()}
        self._score_words(listed, weights, worth, scores)
        gathered = np.zeros(self._owner.size)
        for word, found in standins.items():
            for stem_id, likeness in found:
                part = self._postings[self._bounds[stem_id] : self._bounds[stem_id + 1]]
                gathered[part] += likeness * weights[word] * self._idf[stem_id]
        hit = np.flatnonzero(gathered)
        length = float(np.sqrt(sum(w * w for w in weights.values())))
        cosines = np.minimum(gathered[hit] / (length * self._norm[hit]), 1.0)
        np.maximum.at(scores, self._owner[hit], cosines * self._worth[hit] * (OVERLAP * worth))

    def _score_words(
        self, listed: list[str], weights: dict[str, float], worth: float, scores: NDArray[np.float64]
    ) -> None:
        """Labels and aliases with the very words of the phrase, or of a window of it."""
        self._raise(scores, self._same, _joined(listed), SAME_WORDS * worth)
        whole = sum(weights.values())
        for length in range(1, min(WINDOW, len(listed) - 1) + 1):
            for start in range(len(listed) - length + 1):
                window = listed[start : start + length]
                share = INSIDE[0] + INSIDE[1] * sum(weights[w] for w in window) / whole
                self._raise(scores, self._same, _joined(window), share * worth)

    def _raise(self, scores: NDArray[np.float64], lookup: _Lookup, key: str, share: float) -> None:
        found = lookup.get(key, ())
        for number in (found,) if isinstance(found, int) else found:
            row = self._owner[number]
            scores[row] = max(scores[row], share * self._worth[number])

    def _find_standins(self, word: str) -> tuple[tuple[int, float], ...]:
        """Stems that stand for a word of the phrase, with their worth, best first."""
        root = stem(word, self._lang)
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


def _joined(listed: Iterable[str]) -> str:
    """One text for a set of words, whatever their order."""
    return " ".join(sorted(listed))


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
        grams = [g for g in sorted(_trigrams(word)) if g in self._postings]
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


def _trigrams(word: str) -> set[str]:
    padded = f"\x02{word}\x03"
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


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
