"""A job title nobody has listed, in one language → the skills the job likely needs, and the occupations nearest to it.

A title is compared with occupations in several ways: stems and letters of their titles, their descriptions, main
directions of all texts, and in French the job sheets of ROME both resemble. Kernel ridge regression over the sum of
these likenesses gives each known occupation a weight, the weighted skills a first guess. The best of it are ranked by
a linear function of this guess and others: nearest occupations, the likely ISCO group, skills that come together, and
the words of the skill itself. Its weights are learned once by asking for a part of the occupations what the others
know.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from koz.skills.taxonomy import vectors as v
from koz.skills.taxonomy.title_sheets import TitleSheets

#: Pull of the regression towards zero, and of the ranking.
CALM: Final = 4.0
RANK_CALM: Final = 10.0
#: Main directions of all texts, and of skills that come together.
DIRECTIONS: Final = 256
TOGETHER: Final = 150
#: Nearest occupations: by all likenesses, and by the likest title alone.
NEAREST: Final = 25
NEAREST_BY_TITLE: Final = 8
#: Job sheets that a title is described by.
SHEETS: Final = 15
#: Skills that are ranked; parts of the occupations, how many of them are asked to learn how; titles at once.
CANDIDATES: Final = 300
#: What skills that come with the first guess count in choosing those that are ranked.
SPREAD: Final = np.float32(0.3)
PARTS: Final = 5
ASKED: Final = 2
AT_ONCE: Final = 64
#: Likenesses this near to 1 are those of the very title.
TINY: Final = 1e-4


class Jobs(NamedTuple):
    """What is known of occupations and skills in one language: plain texts, numbers of occupations, skills, groups.

    `titles` and `job_of` are aligned, in the order of the occupations. `needs`: occupations × skills, 2 where
    essential, 1 where optional. `group`: ISCO group of each occupation, -1 for none. `names`, `aliases` and `about`
    of each skill, empty where there is none in this language; `texts` are further ones to learn words from.
    """

    names: Sequence[str]
    titles: Sequence[str]
    job_of: NDArray[np.int64]
    descriptions: Sequence[str]
    needs: sp.csr_array
    group: NDArray[np.int64]
    skills: Sequence[str]
    aliases: Sequence[str]
    about: Sequence[str]
    texts: Sequence[str]


class _Known(NamedTuple):
    """The occupations that answer: all of them in use, a part while learning. Everything aligned with `rows`."""

    rows: NDArray[np.int64]
    inverse: v.Dense
    needs: sp.csr_array
    together: v.Dense
    of_groups: sp.csr_array
    group_of: sp.csr_array


class TitleSkills:
    """Immutable; all of it is arrays."""

    def __init__(self, lang: str, arrays: Mapping[str, NDArray[Any]], sheets: TitleSheets | None) -> None:
        self._arrays, self._sheets = dict(arrays), sheets
        self._stems = v.Weighting.stored(v.stems_in(lang), arrays, "stem")
        self._letters = v.Weighting.stored(v.grams(3, 5), arrays, "letter")
        self._descriptions = v.Weighting.stored(v.stems_in(lang), arrays, "description")
        self._about = v.Weighting.stored(v.stems_in(lang), arrays, "about")
        self._meanings = v.Weighting.stored(v.stems_in(lang), arrays, "meaning")
        self._by = {name: v.unpack(arrays, name) for name in ("stems", "letters", "descriptions", "about", "sheets")}
        self._needs = v.unpack(arrays, "needs")
        half = self._by["sheets"].shape[0] // 2
        self._by_sheets = self._by["sheets"][:half], self._by["sheets"][half:]
        job_of = arrays["job_of"]
        owners, starts = np.unique(job_of, return_index=True)
        self._owners, self._starts = owners.astype(np.int64), starts.astype(np.int64)
        self._titles, (self._jobs, self._skills) = int(job_of.size), self._needs.shape
        self._known = self._stored_known() if "weights" in arrays else None

    @classmethod
    def train(cls, lang: str, jobs: Jobs, sheets: TitleSheets | None) -> "TitleSkills":
        """Learn from the occupations; `sheets` is the model of ROME's titles, for French. Deterministic."""
        arrays = _index(lang, jobs, sheets)
        bare = cls(lang, arrays, sheets)
        likeness = bare._between_jobs(jobs)
        weights = bare._learn(jobs, likeness)
        known = bare._know(np.arange(len(jobs.names)), likeness, jobs.group)
        arrays |= {"weights": weights, "inverse": known.inverse, "together": known.together}
        arrays |= v.pack("of_groups", known.of_groups) | v.pack("group_of", known.group_of)
        return cls(lang, arrays, sheets)

    def arrays(self) -> v.Arrays:
        """What it is stored as."""
        return self._arrays

    def _stored_known(self) -> _Known:
        arrays = self._arrays
        groups = v.unpack(arrays, "of_groups"), v.unpack(arrays, "group_of")
        return _Known(np.arange(self._jobs), arrays["inverse"], self._needs, arrays["together"], *groups)

    def rank(self, text: str, top: int) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """For a plain title, the likeliest skills with a likelihood, and the nearest occupations with a likeness."""
        assert self._known is not None
        seen = self._look([text])
        if not float(seen.title.max(initial=0)) and not float(seen.all.max(initial=0)):
            return [], []
        numbers, shown = self._shown(self._known, seen)
        value = (shown[0] @ self._arrays["weights"][:-1] + self._arrays["weights"][-1]) / 2
        best = np.lexsort((numbers[0], -value))[:top]
        near = 0.9 * seen.title[0] / 2 + 0.1 * np.minimum(seen.all[0] / seen.views, 1)
        near = np.where(seen.title[0] / 2 > 1 - TINY, 1.0, near)
        jobs = np.lexsort((np.arange(near.size), -near))[:top]
        return (
            [(int(numbers[0, i]), min(1.0, max(0.0, float(value[i])))) for i in best],
            [(int(i), float(near[i])) for i in jobs if near[i] > 0],
        )

    def _look(self, texts: Sequence[str]) -> "_Seen":
        """Titles beside all that is known."""
        stems = (self._stems.vectors(texts) @ self._by["stems"]).toarray()
        letters = (self._letters.vectors(texts) @ self._by["letters"]).toarray()
        meaning = v.unit_rows(self._meanings.vectors(texts) @ self._arrays["directions"])
        titles, jobs, skills = self._titles, self._jobs, self._skills
        views = [
            stems[:, titles : titles + jobs],
            letters[:, titles : titles + jobs],
            (self._descriptions.vectors(texts) @ self._by["descriptions"]).toarray(),
            np.maximum(meaning @ self._arrays["of_jobs"].T, 0),
        ]
        if self._sheets is not None:
            described = _by_sheets(self._sheets, texts)
            views += [(found @ known).toarray() for found, known in zip(described, self._by_sheets, strict=True)]
        by_title = stems[:, :titles] + letters[:, :titles]
        return _Seen(
            sum(views[1:], start=views[0]),
            len(views),
            v.best_by(by_title, self._starts, self._owners, jobs),
            stems[:, titles + jobs : titles + jobs + skills],
            stems[:, titles + jobs + skills :],
            letters[:, titles + jobs :],
            (self._about.vectors(texts) @ self._by["about"]).toarray(),
            meaning,
        )

    def _shown(self, known: _Known, seen: "_Seen") -> tuple[NDArray[np.int64], v.Dense]:
        """The candidates of each title and what is known of them: titles × candidates, and × numbers to weigh."""
        weights = seen.all[:, known.rows] @ known.inverse
        guess = _spread(weights, known.needs)
        together = ((guess @ known.together) @ known.together.T).astype(np.float32)
        count = min(CANDIDATES, self._skills)
        numbers = np.argpartition(-(guess + SPREAD * together), count - 1, axis=1)[:, :count]
        near = v.strongest(seen.all[:, known.rows] / np.float32(seen.views), NEAREST) ** 2
        near_by_title = v.strongest(seen.title[:, known.rows], NEAREST_BY_TITLE) ** 2
        groups = np.maximum(weights @ known.group_of, 0) ** 2
        used = np.log1p(np.bincount(known.needs.indices, minlength=self._skills)).astype(np.float32)
        whole: list[v.Dense] = [
            guess,
            _spread(_shares(near), known.needs),
            _spread(_shares(near_by_title), known.needs),
            _spread(_shares(groups), known.of_groups),
            together,
            np.broadcast_to(used, guess.shape),
            seen.skill_stems,
            seen.skill_aliases,
            seen.skill_letters,
            seen.about,
        ]
        listed: list[NDArray[Any]] = [np.take_along_axis(part, numbers, axis=1) for part in whole]
        for name in ("of_skills", "of_whole_skills"):
            listed.append(np.einsum("qd,qcd->qc", seen.meaning, self._arrays[name][numbers]))
        return numbers, _stretched(np.stack(listed, axis=-1).astype(np.float32))

    def _know(self, rows: NDArray[np.int64], likeness: v.Dense, group: NDArray[np.int64]) -> _Known:
        between = likeness[np.ix_(rows, rows)].astype(np.float64)
        between[np.diag_indices(rows.size)] += CALM
        needs = sp.csr_array(self._needs[rows])
        size = int(group.max(initial=-1)) + 1
        placed = np.flatnonzero(group[rows] >= 0)
        ones = np.ones(placed.size, dtype=np.float32)
        group_of = sp.csr_array((ones, (placed, group[rows][placed])), shape=(rows.size, size))
        members = np.bincount(group[rows][placed], minlength=size).astype(np.float32)
        of_groups = sp.csr_array(sp.diags_array(1 / (members + 1)).astype(np.float32) @ (group_of.T @ needs))
        together = v.main_directions(needs, TOGETHER)
        return _Known(rows, np.linalg.inv(between).astype(np.float32), needs, together, of_groups, group_of)

    def _between_jobs(self, jobs: Jobs) -> v.Dense:
        """The same likenesses as those of a title, among the occupations."""
        titles, count = self._titles, self._jobs
        total: v.Dense = np.maximum(self._arrays["of_jobs"] @ self._arrays["of_jobs"].T, 0)
        for matrix in (
            self._by["stems"][:, titles : titles + count],
            self._by["letters"][:, titles : titles + count],
            self._by["descriptions"],
        ):
            total = total + (matrix.T @ matrix).toarray()
        if self._sheets is not None:
            for matrix in self._by_sheets:
                total = total + (matrix.T @ matrix).toarray()
        assert total.shape == (len(jobs.names),) * 2
        return total

    def _learn(self, jobs: Jobs, likeness: v.Dense) -> v.Dense:
        """Weights of the ranking by least squares, the constant last: each part is asked what the others know."""
        shown: list[v.Dense] = []
        right: list[v.Dense] = []
        part_of = np.arange(len(jobs.names)) % PARTS
        for part in range(ASKED):
            known = self._know(np.flatnonzero(part_of != part), likeness, jobs.group)
            asked = np.flatnonzero(part_of == part)
            for few in np.array_split(asked, max(1, asked.size // AT_ONCE)):
                numbers, found = self._shown(known, self._look([jobs.names[i] for i in few.tolist()]))
                shown.append(found.reshape(-1, found.shape[-1]))
                right.append(np.take_along_axis(self._needs[few].toarray(), numbers, axis=1).ravel())
        x, y = np.concatenate(shown).astype(np.float64), np.concatenate(right).astype(np.float64)
        middle, scale = x.mean(0), x.std(0) + 1e-9
        x = (x - middle) / scale
        weights = np.linalg.solve(x.T @ x + RANK_CALM * np.eye(x.shape[1]), x.T @ (y - y.mean())) / scale
        return np.append(weights, y.mean() - middle @ weights).astype(np.float32)


class _Seen(NamedTuple):
    """Titles beside what is known. `all`: sum of `views` likenesses to occupations; `title`: to their likest title."""

    all: v.Dense
    views: int
    title: v.Dense
    skill_stems: v.Dense
    skill_aliases: v.Dense
    skill_letters: v.Dense
    about: v.Dense
    meaning: v.Dense


def _index(lang: str, jobs: Jobs, sheets: TitleSheets | None) -> v.Arrays:
    stem = v.Weighting.of(v.stems_in(lang), [*jobs.titles, *jobs.skills])
    letter = v.Weighting.of(v.grams(3, 5), [*jobs.titles, *jobs.skills])
    description = v.Weighting.of(v.stems_in(lang), [*jobs.descriptions, *jobs.skills])
    about = v.Weighting.of(v.stems_in(lang), [text for text in jobs.about if text])
    of_skills, of_jobs = _whole_texts(jobs)
    said = [*(text for text in of_skills if text), *of_jobs, *jobs.texts]
    meaning = v.Weighting.of(v.stems_in(lang), said, least=2)
    directions = v.main_directions(meaning.vectors(said), DIRECTIONS)
    size = len(jobs.names)
    to_job = v.sums(jobs.job_of, size)
    by_stems, by_letters = stem.vectors(jobs.titles), letter.vectors(jobs.titles)
    gathered = [""] * size
    for title, job in zip(jobs.titles, jobs.job_of.tolist(), strict=True):
        gathered[job] += f" {title}"
    skill_stems = stem.vectors(jobs.skills)
    with_aliases = stem.vectors([f"{name} {more}" for name, more in zip(jobs.skills, jobs.aliases, strict=True)])
    matrices = {
        "stems": sp.vstack([by_stems, v.unit(to_job @ by_stems), skill_stems, with_aliases]).T,
        "letters": sp.vstack([by_letters, v.unit(to_job @ by_letters), letter.vectors(jobs.skills)]).T,
        "descriptions": description.vectors(jobs.descriptions).T,
        "about": about.vectors(jobs.about).T,
        "sheets": _sheets_of(jobs, sheets),
        "needs": jobs.needs,
    }
    arrays: v.Arrays = {
        "job_of": jobs.job_of,
        "directions": directions,
        "of_jobs": v.unit_rows(meaning.vectors(gathered) @ directions),
        "of_skills": v.unit_rows(meaning.vectors(jobs.skills) @ directions),
        "of_whole_skills": v.unit_rows(meaning.vectors(of_skills) @ directions),
    }
    for name, weighting in (("stem", stem), ("letter", letter), ("description", description), ("about", about)):
        arrays |= weighting.arrays(name)
    arrays |= meaning.arrays("meaning")
    for name, matrix in matrices.items():
        arrays |= v.pack(name, sp.csr_array(matrix))
    return arrays


def _whole_texts(jobs: Jobs) -> tuple[list[str], list[str]]:
    """One text a skill and one an occupation, of all that is said of it; names count three times."""
    named = zip(jobs.skills, jobs.aliases, jobs.about, strict=True)
    of_skills = [f"{name} {name} {name} {more} {about}".strip() for name, more, about in named]
    of_jobs = []
    for job, (name, description) in enumerate(zip(jobs.names, jobs.descriptions, strict=True)):
        titles = jobs.titles[slice(*np.searchsorted(jobs.job_of, [job, job + 1]))]
        skills = (jobs.skills[i] for i in jobs.needs.indices[slice(*jobs.needs.indptr[job : job + 2])])
        of_jobs.append(" ".join([name, name, *titles, description, *skills]))
    return of_skills, of_jobs


def _by_sheets(sheets: TitleSheets, texts: Sequence[str]) -> tuple[sp.csr_array, sp.csr_array]:
    """Titles described by the sheets of ROME they are most like, by stems and by letters; rows of length one."""
    stems, letters = sheets.likeness(texts)
    return _sharp(stems), _sharp(letters)


def _sharp(likeness: v.Dense) -> sp.csr_array:
    return v.unit(v.sparse(v.strongest(likeness, SHEETS) ** 3))


def _sheets_of(jobs: Jobs, sheets: TitleSheets | None) -> sp.csr_array:
    """Sheets (by stems, then by letters) × occupations, each described by the likest sheets of all of its titles."""
    if sheets is None:
        return v.no_rows(0, len(jobs.names))
    best = np.zeros((2, len(jobs.names), sheets.size), dtype=np.float32)
    for start in range(0, len(jobs.titles), AT_ONCE):
        owners = jobs.job_of[start : start + AT_ONCE]
        for side, found in zip(best, sheets.likeness(jobs.titles[start : start + AT_ONCE]), strict=True):
            np.maximum.at(side, owners, found)
    return sp.csr_array(sp.hstack([_sharp(side) for side in best]).T)


def _spread(weights: v.Dense, needs: sp.csr_array) -> v.Dense:
    """Skills by the weights of those that need them."""
    found: v.Dense = (needs.T @ weights.T).T
    return found


def _shares(weights: v.Dense) -> v.Dense:
    shares: v.Dense = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-9))
    return shares


def _stretched(shown: v.Dense) -> v.Dense:
    """The numbers, also beside the best candidate's, and with their small values stretched in two ways."""
    best = np.maximum(shown.max(axis=1, keepdims=True), np.float32(1e-6))
    positive = np.maximum(shown, 0)
    return np.concatenate(
        [shown, shown / best, np.log(np.maximum(shown, np.float32(1e-3))), np.sqrt(positive)], axis=-1
    )
