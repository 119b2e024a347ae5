"""Phrase → concepts over all labels and aliases, French and English together.

What counts, best first: the folded phrase is a label or alias; its words are those of one, in any gender, number and
order, or written together (« data viz »); else how likely the concept is what is meant (`ranking`), judged by the
words in common and by comparing the phrase word by word with the labels of both languages. Concepts of our own
taxonomy, whose names are worth 1, also count by words in common alone, since their aliases are what people of NGOs
say. Results are deterministic: equal scores come in the order in which the concepts were given.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy import ranking
from koz.skills.taxonomy.comparing import Likeness, Words, closeness, compare, in_other, in_own
from koz.skills.taxonomy.crosslingual import Crosslingual, Pair
from koz.skills.taxonomy.embedding import Embedder, Neighbours
from koz.skills.taxonomy.kinds import LANGUAGES
from koz.skills.taxonomy.labels import fold, stem, words_of
from koz.skills.taxonomy.language import Language
from koz.skills.taxonomy.rows import Phrase
from koz.skills.taxonomy.store import Store
from koz.skills.taxonomy.vocabulary import Vocabulary

#: Below this a hit is noise and is not returned.
MIN_SCORE: Final = 0.3
#: From here on a page may propose a concept first, by itself; a wrong one is a confident error.
CONFIDENT: Final = 0.7
#: What a phrase in the language that was not asked for is worth.
OTHER_LANGUAGE: Final = 0.97
#: Found by its very words: words in common, worth counted, from here on decide alone.
CERTAIN: Final = 0.93
#: The most that likelihood alone gives, and the share of it that raises a concept of ours.
LIKELY: Final = 0.9
OURS: Final = 0.9
#: Longest phrase read, in words and in characters.
MAX_WORDS: Final = 40
MAX_CHARACTERS: Final = 500
#: How many concepts are compared word by word: from each way that leads to them, and from the best ones to the other
#: language.
CANDIDATES: Final = 60
MORE: Final = 120


class Hit(NamedTuple):
    """A concept found; score in (0, 1], at most the worth of the phrase found."""

    concept_id: int
    score: float


class Candidates(NamedTuple):
    """Concepts that may be meant: their rows, ascending, and for each the numbers that `ranking` weighs."""

    rows: NDArray[np.int64]
    table: NDArray[np.float64]


class Held(NamedTuple):
    """What an index is made of: ids and worths of the concepts by row, their labels, and the way between languages."""

    ids: NDArray[np.int64]
    worth: NDArray[np.float64]
    languages: Mapping[str, Language]
    crosslingual: Crosslingual | None


def made_from(phrases: Iterable[Phrase], pairs: Iterable[Pair]) -> Held:
    """Index the phrases, and learn from the pairs, if there are any, how to come from one language to the other."""
    rows: dict[int, int] = {}
    worths: list[float] = []
    labels: dict[str, list[tuple[int, str, float]]] = {lang: [] for lang in LANGUAGES}
    for phrase in phrases:
        row = rows.setdefault(phrase.concept_id, len(rows))
        if row == len(worths):
            worths.append(phrase.worth)
        worths[row] = max(worths[row], phrase.worth)
        labels[phrase.lang].append((row, fold(phrase.text), phrase.worth))
    languages = {lang: Language.of(lang, listed, len(rows)) for lang, listed in labels.items()}
    taught = list(pairs)
    known = {lang: language.vocabulary for lang, language in languages.items()}
    crosslingual = Crosslingual.train(taught, known) if taught else None
    return Held(np.array(list(rows), dtype=np.int64), np.array(worths, dtype=np.float64), languages, crosslingual)


def opened_from(store: Store, prefix: str) -> Held:
    """What `SearchIndex.arrays` and `texts` were written as, under names that begin with `prefix`. Copies nothing."""

    def arrays(within: str, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        return {name: np.asarray(store.array(f"{prefix}{within}{name}")) for name in names}

    languages = {}
    for lang in LANGUAGES:
        texts = {name: store.texts(f"{prefix}{lang}.words.{name}") for name in Vocabulary.TEXTS}
        vocabulary = Vocabulary(lang, arrays(f"{lang}.words.", Vocabulary.ARRAYS), texts)
        languages[lang] = Language(vocabulary, arrays(f"{lang}.", Language.ARRAYS))
    own = arrays("", ("ids", "worth", "learned"))
    crosslingual = Crosslingual(arrays("cross.", Crosslingual.ARRAYS)) if own["learned"][0] else None
    return Held(own["ids"], own["worth"], languages, crosslingual)


class SearchIndex:
    """Immutable index over phrases. Concepts given first win over later ones of equal score."""

    def __init__(
        self,
        phrases: Iterable[Phrase] = (),
        pairs: Iterable[Pair] = (),
        *,
        held: Held | None = None,
        neighbours: Neighbours | None = None,
    ) -> None:
        """From phrases, and pairs that teach the way to the other language, or from what is made already.

        `neighbours` adds candidates from an embedding; no score changes by it.
        """
        self._held = held or made_from(phrases, pairs)
        self._ids, self._worth, self._languages, self._crosslingual = self._held
        self._neighbours = neighbours

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the index is stored as, beside `texts`."""
        found = {"ids": self._ids, "worth": self._worth, "learned": np.array([self._crosslingual is not None])}
        for lang, language in self._languages.items():
            found |= {f"{lang}.{name}": array for name, array in language.arrays().items()}
            found |= {f"{lang}.words.{name}": array for name, array in language.vocabulary.parts()[0].items()}
        if self._crosslingual is not None:
            found |= {f"cross.{name}": array for name, array in self._crosslingual.arrays().items()}
        return found

    def texts(self) -> dict[str, list[str]]:
        """What the index is stored as, beside `arrays`."""
        return {
            f"{lang}.words.{name}": list(listed)
            for lang, language in self._languages.items()
            for name, listed in language.vocabulary.parts()[1].items()
        }

    @classmethod
    def from_store(cls, store: Store, prefix: str = "") -> "SearchIndex":
        """The index that was written as `arrays` and `texts` under names that begin with `prefix`."""
        return cls(held=opened_from(store, prefix))

    def beside(self, embedder: Embedder, names: Mapping[int, str]) -> "SearchIndex":
        """The same index with more candidates from an embedding of these names by id of their concept."""
        row = {int(concept): i for i, concept in enumerate(self._ids)}
        known = ((row[concept], name) for concept, name in names.items() if concept in row)
        return SearchIndex(held=self._held, neighbours=Neighbours(embedder, known))

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> NDArray[np.int64]:
        """The ids of the concepts by row."""
        return self._ids

    def search(self, text: str, lang: str = "fr", top: int = 10, least: float = MIN_SCORE) -> list[Hit]:
        """The `top` concepts closest to a phrase in `lang`, best first; [] for an empty phrase or for nonsense."""
        folded = fold(text[:MAX_CHARACTERS])
        if not folded or not len(self._ids) or top < 1:
            return []
        found = self.find_candidates(text, lang)
        scores = np.round(self._scores(found), 6)
        count = min(top, int(np.count_nonzero((scores >= least) & (scores > 0))))
        order = np.argsort(-scores, kind="stable")[:count]
        return [Hit(int(self._ids[found.rows[i]]), float(scores[i])) for i in order.tolist()]

    def find_candidates(self, text: str, lang: str) -> Candidates:
        """What may be meant, and what speaks for it. The first column is the score by words in common."""
        folded = fold(text[:MAX_CHARACTERS])
        common = self._by_words_in_common(folded, lang)
        own, other = self._languages[lang], self._languages["en" if lang == "fr" else "fr"]
        listed = list(dict.fromkeys(words_of(folded, lang)[:MAX_WORDS]))
        words = Words(listed, [stem(word, lang) for word in listed], np.array([own.weight(word) for word in listed]))
        here = in_own(words, own)
        ways = [(common, CANDIDATES)]
        across: Likeness | None = None
        best = mean = np.zeros(0)
        if self._crosslingual is not None:
            across = in_other(words, own, other, self._crosslingual)
            best, mean = other.best_of(other.cosines(across.wanted))
            ways += [(best, CANDIDATES), (best + mean, MORE), (best + mean + common, MORE)]
        rows = np.unique(np.concatenate([_best(way, count) for way, count in ways]))
        if self._neighbours is not None:
            rows = np.union1d(rows, self._neighbours.nearest(text))
        table = np.zeros((rows.size, ranking.OWN + ranking.OTHER))
        labels = own.lay_out(rows)
        table[:, 0] = common[rows]
        table[:, 1:3] = own.best_in(own.cosines(here.wanted), labels, rows)
        table[:, 3 : ranking.OWN] = compare(words, here, own, labels, rows)[0]
        if across is not None and self._crosslingual is not None:
            labels = other.lay_out(rows)
            compared, likest = compare(words, across, other, labels, rows)
            near = closeness(words, (lang, other), labels, likest, self._crosslingual, rows)
            table[:, ranking.OWN :] = np.hstack([best[rows, None], mean[rows, None], compared, near])
        return Candidates(rows, table)

    def _by_words_in_common(self, folded: str, lang: str) -> NDArray[np.float64]:
        scores = np.zeros(len(self._ids))
        for language, index in self._languages.items():
            listed = list(dict.fromkeys(words_of(folded, language)[:MAX_WORDS]))
            index.score(folded, listed, 1.0 if language == lang else OTHER_LANGUAGE, scores)
        return scores

    def _scores(self, found: Candidates) -> NDArray[np.float64]:
        """The scores that are shown."""
        common, worth = found.table[:, 0], self._worth[found.rows]
        likely = LIKELY * worth * np.sqrt(ranking.likelihood(found.table))
        # our own: words in common, raised towards the most that is not certain
        ours = common + np.maximum(LIKELY - common, 0) * OURS * likely / LIKELY
        scores = np.where(worth == 1.0, ours, likely)
        return np.where(common >= CERTAIN * worth, np.maximum(common, scores), scores)


def _best(scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Where the greatest scores are; of equal ones the first."""
    hit = np.flatnonzero(scores > 0)
    if hit.size <= count:
        return hit
    values = scores[hit]
    least = np.partition(values, hit.size - count)[hit.size - count]
    above, equal = hit[values > least], hit[values == least]
    return np.concatenate([above, equal[: count - above.size]])
