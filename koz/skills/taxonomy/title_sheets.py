"""A French job title nobody has listed → the job sheets of ROME it may belong to.

The title is compared with the titles of each sheet (stems, letters), with the skills and knowledge of the sheet, with
both in a space of main directions, and with ESCO's titles of the sheet's ISCO group. A linear function of these
likenesses ranks the sheets. Its weights are learned once, by asking for a part of the titles what the others know.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from koz.skills.taxonomy import vectors as v

LANG: Final = "fr"
#: Main directions of the texts of sheets.
DIRECTIONS: Final = 200
#: Every so manieth title is asked to learn the weights; how many sheets are ranked; questions at once.
ASKED: Final = 4
CANDIDATES: Final = 60
AT_ONCE: Final = 64
#: Pull of the weights towards zero.
CALM: Final = 1e-3
MATRICES: Final = ("stems", "letters", "texts")


class Sheets(NamedTuple):
    """What is known of the sheets: plain texts, and numbers of sheets and ISCO groups (-1 for none).

    `titles` and `sheet_of` are aligned, in the order of the sheets; `others` and `group_of_other` are ESCO's titles, in
    the order of their groups.
    """

    titles: Sequence[str]
    sheet_of: NDArray[np.int64]
    skills: Sequence[str]
    core: Sequence[str]
    group: NDArray[np.int64]
    others: Sequence[str]
    group_of_other: NDArray[np.int64]

    def without(self, asked: NDArray[np.bool_]) -> "Sheets":
        """The same without some of the titles."""
        kept = np.flatnonzero(~asked)
        return self._replace(titles=[self.titles[i] for i in kept.tolist()], sheet_of=self.sheet_of[kept])


class TitleSheets:
    """Immutable; all of it is arrays."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        self.size = int(arrays["group"].size)
        self._stems = v.Weighting.stored(v.stems_in(LANG), arrays, "stem")
        self._letters = v.Weighting.stored(v.grams(2, 5), arrays, "letter")
        self._words = v.Weighting.stored(v.stems_in(LANG), arrays, "word")
        self._meanings = v.Weighting.stored(v.stems_in(LANG), arrays, "meaning")
        self._by = {name: v.unpack(arrays, name) for name in MATRICES}
        count = arrays["sheet_of"].size
        self._titles = self._by["stems"][:, :count], self._by["letters"][:, :count]
        self._to_sheet = v.sums(np.asarray(arrays["sheet_of"]), self.size)
        self._starts, self._owners = _runs(arrays["sheet_of"])
        self._group_starts, self._groups = _runs(arrays["group_of_other"])

    @classmethod
    def train(cls, sheets: Sheets) -> "TitleSheets":
        """Learn from the sheets; deterministic."""
        asked = np.arange(len(sheets.titles)) % ASKED == 0
        knowing = cls(_index(sheets.without(asked)))
        texts = [sheets.titles[i] for i in np.flatnonzero(asked).tolist()]
        weights = knowing._learn(texts, sheets.sheet_of[asked])
        return cls(_index(sheets) | {"weights": weights})

    def arrays(self) -> v.Arrays:
        """What it is stored as."""
        return self._arrays

    def likeness(self, texts: Sequence[str]) -> tuple[v.Dense, v.Dense]:
        """By stems and by letters, how like the likest title of each sheet is: texts × sheets, 0 to 1."""
        stems, letters = (
            (weighting.vectors(texts) @ titles).toarray()
            for weighting, titles in zip((self._stems, self._letters), self._titles, strict=True)
        )
        return self._best(stems), self._best(letters)

    def _best(self, found: v.Dense) -> v.Dense:
        return v.best_by(found, self._starts, self._owners, self.size)

    def rank(self, text: str, top: int) -> list[tuple[int, float]]:
        """The likeliest sheets of a plain title with their chances among those looked at, best first."""
        seen = self._views([text])
        if not float(seen[0, :, :-1].max(initial=0)):  # the last is how many titles the sheet has
            return []
        numbers = _candidates(seen)[0]
        shown = _shown(np.take_along_axis(seen, numbers[None, :, None], axis=1))
        value = (shown[0] @ self._arrays["weights"]).astype(np.float64)
        chance = np.exp(value - value.max())
        chance /= chance.sum()
        order = np.lexsort((numbers, -chance))[:top]
        return [(int(numbers[i]), float(chance[i])) for i in order]

    def _views(self, texts: Sequence[str]) -> v.Dense:
        """Texts × sheets × views."""
        count, size, arrays = self._arrays["sheet_of"].size, self.size, self._arrays
        stems = (self._stems.vectors(texts) @ self._by["stems"]).toarray()
        letters = (self._letters.vectors(texts) @ self._by["letters"]).toarray()
        said = (self._words.vectors(texts) @ self._by["texts"]).toarray()
        meaning = v.unit_rows(self._meanings.vectors(texts) @ arrays["directions"])
        groups = int(max(arrays["group"].max(initial=-1), arrays["group_of_other"].max(initial=-1))) + 1
        others = v.best_by(stems[:, count + size :], self._group_starts, self._groups, groups + 1)
        views = [
            self._best(stems[:, :count]),
            stems[:, count : count + size],
            (self._to_sheet @ (stems[:, :count] ** 3).T).T,
            others[:, np.where(arrays["group"] >= 0, arrays["group"], groups)],
            self._best(letters[:, :count]),
            letters[:, count:],
            (self._to_sheet @ (letters[:, :count] ** 3).T).T,
            said[:, :size],
            said[:, size:],
            meaning @ arrays["of_sheets"].T,
            meaning @ arrays["of_titles"].T,
            np.broadcast_to(np.log1p(np.diff(self._to_sheet.indptr)), (len(texts), size)),
        ]
        return np.stack(views, axis=-1).astype(np.float32)

    def _learn(self, texts: Sequence[str], right: NDArray[np.int64]) -> v.Dense:
        shown, hits = [], []
        for start in range(0, len(texts), AT_ONCE):
            seen = self._views(texts[start : start + AT_ONCE])
            numbers = _candidates(seen)
            shown.append(_shown(np.take_along_axis(seen, numbers[:, :, None], axis=1)))
            hits.append(numbers == right[start : start + AT_ONCE, None])
        return _softmax_weights(np.concatenate(shown), np.concatenate(hits))


def _index(sheets: Sheets) -> v.Arrays:
    size = len(sheets.skills)
    stem = v.Weighting.of(v.stems_in(LANG), [*sheets.titles, *sheets.others])
    letter = v.Weighting.of(v.grams(2, 5), [*sheets.titles, *sheets.others])
    word = v.Weighting.of(v.stems_in(LANG), sheets.skills)
    gathered = [""] * size
    for title, sheet in zip(sheets.titles, sheets.sheet_of.tolist(), strict=True):
        gathered[sheet] += f" {title}"
    whole = [f"{titles} {skills}" for titles, skills in zip(gathered, sheets.skills, strict=True)]
    meaning = v.Weighting.of(v.stems_in(LANG), whole, least=2)
    directions = v.main_directions(meaning.vectors(whole), DIRECTIONS)
    to_sheet = v.sums(sheets.sheet_of, size)
    by_stems, by_letters = stem.vectors(sheets.titles), letter.vectors(sheets.titles)
    matrices = {
        "stems": sp.vstack([by_stems, v.unit(to_sheet @ by_stems), stem.vectors(sheets.others)]),
        "letters": sp.vstack([by_letters, v.unit(to_sheet @ by_letters)]),
        "texts": sp.vstack([word.vectors(sheets.skills), word.vectors(sheets.core)]),
    }
    arrays: v.Arrays = {
        "sheet_of": sheets.sheet_of,
        "group": sheets.group,
        "group_of_other": sheets.group_of_other,
        "directions": directions,
        "of_sheets": v.unit_rows(meaning.vectors(whole) @ directions),
        "of_titles": v.unit_rows(meaning.vectors(gathered) @ directions),
    }
    for name, weighting in (("stem", stem), ("letter", letter), ("word", word), ("meaning", meaning)):
        arrays |= weighting.arrays(name)
    for name, matrix in matrices.items():
        arrays |= v.pack(name, sp.csr_array(matrix.T))
    return arrays


def _runs(owner: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each owner's run begins, and the owners; `owner` is sorted."""
    owners, starts = np.unique(owner, return_index=True)
    return starts.astype(np.int64), owners.astype(np.int64)


def _candidates(seen: v.Dense) -> NDArray[np.int64]:
    """The sheets worth ranking, by the plain sum of likenesses; of equals the first."""
    value = seen[..., [0, 4, 5, 7, 9]].sum(-1)
    count = min(CANDIDATES, value.shape[1])
    return np.argsort(-value, axis=1, kind="stable")[:, :count]


def _shown(seen: v.Dense) -> v.Dense:
    """The views, each also beside the best candidate's and with its small values stretched."""
    best = np.maximum(seen.max(axis=1, keepdims=True), np.float32(1e-6))
    return np.concatenate([seen, seen / best, np.sqrt(np.maximum(seen, 0))], axis=-1)


def _softmax_weights(shown: v.Dense, hits: NDArray[np.bool_]) -> v.Dense:
    """Weights under which the right candidates are likeliest; questions without a right candidate teach nothing."""
    taught = hits.any(1)
    if not taught.any():
        return np.ones(shown.shape[-1], dtype=np.float32)
    x, right = shown[taught].astype(np.float64), hits[taught].astype(np.float64)
    right /= right.sum(1, keepdims=True)
    scale = 1 / (x.std((0, 1)) + 1e-6)
    x *= scale

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value = x @ weights
        chance = np.exp(value - value.max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        slope = np.einsum("qc,qcf->f", chance - right, x) / len(x) + 2 * CALM * weights
        return float(-(right * np.log(chance + 1e-12)).sum() / len(x) + CALM * weights @ weights), slope

    found = minimize(loss, np.zeros(x.shape[-1]), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    weights: v.Dense = (found * scale).astype(np.float32)
    return weights
