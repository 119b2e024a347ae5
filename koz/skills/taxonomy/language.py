"""The labels and aliases of one language: found whole, by their words, by stems in common, and compared word by word.

Labels are ordered by concept; those of concept `row` are `first[row]:first[row + 1]`, its name first. All of it is
arrays, so that it opens at once and processes share it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.labels import plain, stem, words_of
from koz.skills.taxonomy.lookup import NAMES, Lookup
from koz.skills.taxonomy.vocabulary import Vocabulary

#: What the words of a label in another order are worth, and the label written together or apart.
SAME_WORDS: Final = 0.96
WRITTEN_TOGETHER: Final = 0.93
#: Up to how many words a label written together may have.
TOGETHER: Final = 4
#: A label inside a longer phrase: at least, and by the share of the phrase it covers.
INSIDE: Final = (0.45, 0.45)
OVERLAP: Final = 0.9
#: Longest label, in words, looked for inside a phrase.
WINDOW: Final = 5

_LOOKUPS: Final = ("exact", "together", "same")


class Labels(NamedTuple):
    """Some concepts' labels laid out for comparison: `rows` are those that have any, all else aligned with them.

    `starts`: where the labels of each row begin in `labels`; `token_starts`: where the stems of each label begin in
    `tokens`.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    labels: NDArray[np.int64]
    tokens: NDArray[np.int64]
    token_starts: NDArray[np.int64]


class Language:
    """Immutable. `vocabulary` holds every stem of the labels; `rows` is the number of concepts, named here or not."""

    ARRAYS: Final = (
        *("owner", "worth", "first", "tokens", "token_bounds", "postings", "posting_bounds", "idf", "norm"),
        *(f"{kind}.{name}" for kind in _LOOKUPS for name in NAMES),
    )

    def __init__(self, vocabulary: Vocabulary, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.vocabulary = vocabulary
        self._arrays = dict(arrays)
        self._owner = np.asarray(arrays["owner"])
        self._worth = np.asarray(arrays["worth"])
        self.first = np.asarray(arrays["first"])
        self._tokens = np.asarray(arrays["tokens"])
        self._token_bounds = np.asarray(arrays["token_bounds"])
        self._postings = np.asarray(arrays["postings"])
        self._posting_bounds = np.asarray(arrays["posting_bounds"])
        self.idf = np.asarray(arrays["idf"])
        self._norm = np.asarray(arrays["norm"])
        self._lookups = {kind: Lookup({n: arrays[f"{kind}.{n}"] for n in NAMES}) for kind in _LOOKUPS}
        #: What a word that no label has weighs.
        self.unknown = float(np.log(1.0 + max(1, self._owner.size)))
        self._counts = np.maximum(np.diff(self.first), 1)

    @classmethod
    def of(cls, lang: str, labels: Iterable[tuple[int, str, float]], rows: int) -> "Language":
        """From (row of the concept, folded text, worth), rows below `rows`; of equal rows the name comes first."""
        listed = sorted((label for label in labels if label[1]), key=lambda label: label[0])
        said = [_words(folded, lang) for _row, folded, _worth in listed]
        vocabulary = Vocabulary.of(lang, {word for words in said for word in words})
        stems = [_numbers(words, vocabulary) for words in said]
        owner = np.array([row for row, _folded, _worth in listed], dtype=np.int32)
        sizes = np.array([len(s) for s in stems], dtype=np.int64)
        tokens = np.array([n for s in stems for n in s], dtype=np.int32)
        label_of = np.repeat(np.arange(len(listed), dtype=np.int32), sizes)
        df = np.bincount(tokens, minlength=len(vocabulary))
        idf = np.log(1.0 + max(1, len(listed)) / np.maximum(df, 1))
        arrays: dict[str, NDArray[Any]] = {
            "owner": owner,
            "worth": np.array([worth for _row, _folded, worth in listed], dtype=np.float64),
            "first": np.searchsorted(owner, np.arange(rows + 1)).astype(np.int64),
            "tokens": tokens,
            "token_bounds": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            "postings": label_of[np.argsort(tokens, kind="stable")],
            "posting_bounds": np.concatenate([[0], np.cumsum(df)]).astype(np.int64),
            "idf": idf,
            "norm": np.sqrt(np.bincount(label_of, weights=idf[tokens] ** 2, minlength=len(listed))),
        }
        for kind, lookup in zip(
            _LOOKUPS, _lookups_of(lang, [folded for _row, folded, _worth in listed], said), strict=True
        ):
            arrays |= {f"{kind}.{name}": array for name, array in lookup.arrays().items()}
        return cls(vocabulary, arrays)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What it is stored as, without the vocabulary."""
        return self._arrays

    def score(self, folded: str, listed: Sequence[str], worth: float, scores: NDArray[np.float64]) -> None:
        """Raise `scores` (one a concept) to what is found here for the folded phrase and its words, times `worth`."""
        if not self._owner.size:
            return
        together = folded.replace(" ", "")
        self._raise(scores, "exact", plain(folded, self.vocabulary.lang), worth)
        self._raise(scores, "exact", together, worth * WRITTEN_TOGETHER)
        self._raise(scores, "together", together, worth * WRITTEN_TOGETHER)
        if not listed:
            return
        standins = {word: self.vocabulary.standins(word) for word in listed}
        weights = {word: self.weight(word) for word in listed}
        self._score_words(listed, weights, worth, scores)
        gathered = np.zeros(self._owner.size)
        for word, found in standins.items():
            for number, likeness in found:
                gathered[self.labels_with(number)] += likeness * weights[word] * self.idf[number]
        hit = np.flatnonzero(gathered > 0)
        length = float(np.sqrt(sum(w * w for w in weights.values())))
        cosines = np.minimum(gathered[hit] / (length * self._norm[hit]), 1.0)
        np.maximum.at(scores, self._owner[hit], cosines * self._worth[hit] * (OVERLAP * worth))

    def weight(self, word: str) -> float:
        """How rare a word is among the labels: by its stem, or by the stem that stands for it."""
        standins = self.vocabulary.standins(word)
        return float(self.idf[standins[0][0]]) if standins else self.unknown

    def labels_with(self, number: int) -> NDArray[np.int32]:
        """The labels that hold a stem."""
        return self._postings[self._posting_bounds[number] : self._posting_bounds[number + 1]]

    def cosines(self, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Labels' likeness to stems wanted with these weights (one a stem), in [0, 1]: one a label."""
        gathered = np.zeros(self._owner.size)
        numbers = np.flatnonzero(wanted)
        length = float(np.linalg.norm(wanted[numbers]))
        for number in numbers.tolist():
            gathered[self.labels_with(number)] += wanted[number] / length * self.idf[number]
        gathered /= self._norm
        return gathered

    def best_of(self, of_labels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The greatest and the mean of a value (at least 0) of labels for each concept; 0 where it has none here."""
        rows = self.first.size - 1
        hit = np.flatnonzero(of_labels > 0)
        owners, values = self._owner[hit], of_labels[hit]
        best = np.zeros(rows)
        np.maximum.at(best, owners, values)
        return best, np.bincount(owners, values, minlength=rows) / self._counts

    def best_in(self, of_labels: NDArray[np.float64], labels: Labels, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """`best_of` for the concepts laid out, a row for each of `rows`: the greatest, the mean."""
        table = np.zeros((rows.size, 2))
        if labels.rows.size:
            here = np.searchsorted(rows, labels.rows)
            values = of_labels[labels.labels]
            table[here, 0] = np.maximum.reduceat(values, labels.starts)
            table[here, 1] = np.add.reduceat(values, labels.starts) / self._counts[labels.rows]
        return table

    def lay_out(self, rows: NDArray[np.int64]) -> Labels:
        """The labels of these concepts, ready to be compared."""
        sizes = self.first[rows + 1] - self.first[rows]
        labelled = rows[sizes > 0]
        labels, starts = _ranges(self.first[labelled], self.first[labelled + 1])
        places, token_starts = _ranges(self._token_bounds[labels], self._token_bounds[labels + 1])
        return Labels(labelled, starts, labels, self._tokens[places].astype(np.int64), token_starts)

    def _score_words(
        self, listed: Sequence[str], weights: dict[str, float], worth: float, scores: NDArray[np.float64]
    ) -> None:
        """Labels and aliases with the very words of the phrase, or of a window of it."""
        self._raise(scores, "same", _joined(listed), SAME_WORDS * worth)
        whole = sum(weights.values())
        for length in range(1, min(WINDOW, len(listed) - 1) + 1):
            for start in range(len(listed) - length + 1):
                window = listed[start : start + length]
                share = INSIDE[0] + INSIDE[1] * sum(weights[w] for w in window) / whole
                self._raise(scores, "same", _joined(window), share * worth)

    def _raise(self, scores: NDArray[np.float64], kind: str, key: str, share: float) -> None:
        for label in self._lookups[kind].get(key).tolist():
            row = self._owner[label]
            scores[row] = max(scores[row], share * self._worth[label])


def _words(folded: str, lang: str) -> list[str]:
    """The words of a label; of one made of empty words alone, those."""
    return list(dict.fromkeys(words_of(folded, lang) or folded.split()))


def _numbers(words: Sequence[str], vocabulary: Vocabulary) -> list[int]:
    found = (vocabulary.number(stem(word, vocabulary.lang)) for word in words)
    return sorted({number for number in found if number is not None})


def _lookups_of(lang: str, folded: Sequence[str], said: Sequence[Sequence[str]]) -> tuple[Lookup, Lookup, Lookup]:
    """Labels by their text in any gender and number, by their text written together, and by their words."""
    several = [i for i, text in enumerate(folded) if 0 < text.count(" ") < TOGETHER]
    return (
        Lookup.of((plain(text, lang) for text in folded), range(len(folded))),
        Lookup.of((folded[i].replace(" ", "") for i in several), several),
        Lookup.of((_joined(words) for words in said), range(len(said))),
    )


def _joined(listed: Iterable[str]) -> str:
    """One text for a set of words, whatever their order."""
    return " ".join(sorted(listed))


def _ranges(begin: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All numbers of the ranges, one range after the other, and where each begins among them."""
    sizes = end - begin
    starts = np.cumsum(sizes) - sizes
    return np.repeat(begin - starts, sizes) + np.arange(int(sizes.sum())), starts
