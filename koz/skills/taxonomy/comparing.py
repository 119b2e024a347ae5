"""A phrase laid beside labels word by word: the numbers that `ranking` weighs.

A phrase is compared with the labels of its own language through the words that stand in for its words, and with
those of the other language through their translations. Likenesses are matrices: a row a word of the phrase, a column
a stem of the labels' language, 1 for the same word.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.crosslingual import Crosslingual
from koz.skills.taxonomy.labels import stem
from koz.skills.taxonomy.language import Labels, Language
from koz.skills.taxonomy.vocabulary import STANDINS

#: What the word itself counts in the other language, beside a sure translation.
BORROWED: Final = 0.95
#: How much the likelihood that the label's word is said as the phrase's counts in retrieval.
BACK: Final = 0.3
#: What words spelt alike count at least in retrieval, beside sure translations.
LEAST_SPELT: Final = 0.3
#: A translation less likely than this does not lead to candidates.
LIKELY: Final = 0.02


class Words(NamedTuple):
    """The words of a phrase in its language: themselves, their stems, and how rare they are."""

    listed: Sequence[str]
    roots: Sequence[str]
    weights: NDArray[np.float64]


class Likeness(NamedTuple):
    """What the phrase's words are to the stems of a language.

    `views`: matrices that see it differently; the first names which label of a concept is best. `wanted`: stems and
    weights that lead to candidates.
    """

    views: tuple[NDArray[np.float32], ...]
    wanted: NDArray[np.float64]


#: How many views there are in the phrase's language and in the other.
OWN_VIEWS: Final = 1
OTHER_VIEWS: Final = 4


def width(views: int) -> int:
    """How many numbers `compare` gives a concept."""
    return 3 * views + 4


def in_own(words: Words, language: Language) -> Likeness:
    """The phrase in the language of the labels."""
    alike = np.zeros((len(words.listed), len(language.vocabulary)), dtype=np.float32)
    for place, word in enumerate(words.listed):
        for number, likeness in language.vocabulary.standins(word):
            alike[place, number] = likeness
    return Likeness((alike,), (alike * words.weights[:, None]).sum(0) * language.idf)


def in_other(words: Words, own: Language, language: Language, crosslingual: Crosslingual) -> Likeness:
    """The phrase, in the language of `own`, in the other one: by dictionary, borrowed, or spelt alike.

    A word that the dictionary lacks counts as the known words that stand in for it, at their discount.
    """
    shape = len(words.listed), len(language.vocabulary)
    there, back, spelt = (np.zeros(shape, dtype=np.float32) for _view in range(3))
    wanted = np.zeros(shape[1])
    vocabulary, lang = language.vocabulary, own.vocabulary.lang
    for place, (word, root) in enumerate(zip(words.listed, words.roots, strict=True)):
        sure = 0.0
        for known, likeness in _known(word, root, own, crosslingual):
            found = crosslingual.translations(known, lang)
            at = found.numbers
            there[place, at] = np.maximum(there[place, at], likeness * np.sqrt(found.there / found.there.max()))
            back[place, at] = np.maximum(back[place, at], likeness * np.sqrt(found.back / max(found.back.max(), 1e-9)))
            chance = likeness * (found.there + BACK * found.back)
            likely = chance >= LIKELY
            wanted[at[likely]] += chance[likely]
            sure += likeness * float(found.there.sum())
        for number, likeness in vocabulary.cognates(word):
            spelt[place, number] = likeness**2
        same = vocabulary.number(stem(word, vocabulary.lang))
        if same is not None:
            spelt[place, same] = BORROWED
        near = np.flatnonzero(spelt[place])
        wanted[near] += spelt[place, near] * max(LEAST_SPELT, 1 - sure) / max(1.0, float(spelt[place, near].sum()))
    np.maximum(there, spelt, out=there)
    np.maximum(back, spelt, out=back)
    return Likeness((np.sqrt(there * back), there, back, spelt), wanted * language.idf)


def _known(word: str, root: str, own: Language, crosslingual: Crosslingual) -> list[tuple[str, float]]:
    """Stems that the dictionary has for a word: its own, else those that stand in for it."""
    if crosslingual.translations(root, own.vocabulary.lang).numbers.size:
        return [(root, 1.0)]
    found = ((own.vocabulary.roots[number], likeness) for number, likeness in own.vocabulary.standins(word))
    known = [(r, x) for r, x in found if r != root and crosslingual.translations(r, own.vocabulary.lang).numbers.size]
    return known[:STANDINS]


def compare(
    words: Words, likeness: Likeness, language: Language, labels: Labels, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """One row of numbers a concept of `rows`, zeros for those without labels here; and each one's best label's place.

    For each view: the likeness of the label most like the phrase by that view, then of the label that the first view
    likes best how much of the phrase and of the label is met. Then: the likeness of the name, the mean over the
    labels, how different the lengths are, and 1 for being here at all.
    """
    columns = width(len(likeness.views))
    table = np.zeros((rows.size, columns))
    if not labels.rows.size or not words.listed:
        return table, np.zeros(0, dtype=np.int64)
    idf = language.idf[labels.tokens]
    whole = np.add.reduceat(idf, labels.token_starts)
    here = np.searchsorted(rows, labels.rows)
    counts = np.diff(np.append(labels.starts, labels.labels.size))
    best = np.zeros(0, dtype=np.int64)
    for view, alike in enumerate(likeness.views):
        met = alike[:, labels.tokens]
        of_phrase = words.weights @ np.maximum.reduceat(met, labels.token_starts, axis=1) / words.weights.sum()
        of_label = np.add.reduceat(met.max(0) * idf, labels.token_starts) / whole
        both = 2 * of_phrase * of_label / (of_phrase + of_label + 1e-9)
        if view == 0:
            best = _first_best(both, labels.starts, counts)
            table[here, columns - 4] = both[labels.starts]
            table[here, columns - 3] = np.add.reduceat(both, labels.starts) / counts
            sizes = np.diff(np.append(labels.token_starts, labels.tokens.size))[best]
            table[here, columns - 2] = np.abs(np.log((sizes + 0.5) / (len(words.listed) + 0.5)))
            table[here, columns - 1] = 1
        table[here, 3 * view] = np.maximum.reduceat(both, labels.starts)
        table[here, 3 * view + 1] = of_phrase[best]
        table[here, 3 * view + 2] = of_label[best]
    return table, best


def _first_best(values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each run of values, the place of its first greatest."""
    top = np.repeat(np.maximum.reduceat(values, starts), counts)
    places = np.where(values >= top, np.arange(values.size), values.size)
    best: NDArray[np.int64] = np.minimum.reduceat(places, starts)
    return best


def closeness(
    words: Words,
    between: tuple[str, Language],
    labels: Labels,
    best: NDArray[np.int64],
    crosslingual: Crosslingual,
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Cosines in the common space between the phrase and each concept's name and best label; a row a concept.

    `between`: the language of the phrase, and the other, whose labels these are.
    """
    lang, language = between
    table = np.zeros((rows.size, 2))
    if not labels.rows.size or not words.listed:
        return table
    here = np.searchsorted(rows, labels.rows)
    direction = crosslingual.vector(words.roots, words.weights, lang)
    ends = np.append(labels.token_starts, labels.tokens.size)
    for column, chosen in enumerate((labels.starts, best)):
        sizes = ends[chosen + 1] - ends[chosen]
        starts = np.cumsum(sizes) - sizes
        places = np.repeat(ends[chosen] - starts, sizes) + np.arange(int(sizes.sum()))
        numbers = labels.tokens[places]
        found = crosslingual.directions(numbers, language.idf[numbers], starts, language.vocabulary.lang)
        table[here, column] = found @ direction
    return table
