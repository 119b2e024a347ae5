"""Job titles → occupations of ESCO, their likely skills, and job sheets of ROME: learned from the taxonomy's rows.

Gives proposals, never facts: a person confirms what is right. Which gender a title is written in changes nothing.
Without ESCO's or ROME's concepts in the rows the part that needs them finds nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from koz.skills.taxonomy import vectors as v
from koz.skills.taxonomy.kinds import LANGUAGES, ConceptKind, EdgeKind, Origin
from koz.skills.taxonomy.rows import Concept, Rows
from koz.skills.taxonomy.store import Store
from koz.skills.taxonomy.title_sheets import Sheets, TitleSheets
from koz.skills.taxonomy.title_skills import Jobs, TitleSkills

#: An edge of at least this weight says that the occupation cannot do without the skill, or is at its heart.
ESSENTIAL: Final = 0.6
#: Fewer occupations or sheets than this teach nothing about others.
FEWEST: Final = 20
_IDS: Final = ("jobs", "skills", "sheets")


class Near(NamedTuple):
    """A concept and how likely it is meant, in [0, 1]; comparable within one answer only."""

    concept_id: int
    score: float


class Read(NamedTuple):
    """What a title is read as: skills it likely needs, nearest occupations, likeliest sheets; best first."""

    skills: tuple[Near, ...] = ()
    occupations: tuple[Near, ...] = ()
    sheets: tuple[Near, ...] = ()


class JobTitles:
    """Immutable. `arrays`: ids of the occupations, skills and sheets, and those of the models below their names."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        parts = {name: _below(arrays, f"{name}.") for name in ("sheets", *LANGUAGES)}
        self._sheets = TitleSheets(parts["sheets"]) if parts["sheets"] else None
        self._skills = {
            lang: TitleSkills(lang, parts[lang], self._sheets if lang == "fr" else None)
            for lang in LANGUAGES
            if parts[lang]
        }

    @classmethod
    def of(cls, rows: Rows, languages: Collection[str] = LANGUAGES) -> Self:
        """Learn from the taxonomy: sheets, and skills of titles in these languages. The same rows, the same arrays."""
        said = _Said(rows)
        arrays: v.Arrays = {"ids.jobs": said.jobs, "ids.skills": said.skills, "ids.sheets": said.sheets}
        sheets = None
        if said.sheets.size >= FEWEST:
            sheets = TitleSheets.train(said.as_sheets())
            arrays |= {f"sheets.{name}": array for name, array in sheets.arrays().items()}
        if said.jobs.size >= FEWEST:
            for lang in languages:
                model = TitleSkills.train(lang, said.as_jobs(lang), sheets if lang == "fr" else None)
                arrays |= {f"{lang}.{name}": array for name, array in model.arrays().items()}
        return cls(arrays)

    def arrays(self) -> v.Arrays:
        """What it is stored as."""
        return self._arrays

    def texts(self) -> dict[str, list[str]]:
        """None: words are kept as checksums."""
        return {}

    @classmethod
    def from_store(cls, store: Store, prefix: str) -> Self:
        """Mapped."""
        names = (path.name.removesuffix(".npy") for path in sorted(store.folder.glob(f"{prefix}*.npy")))
        return cls({name.removeprefix(prefix): np.asarray(store.array(name)) for name in names})

    def read(self, text: str, lang: str, top: int = 10) -> Read:
        """What a job title in `lang` may mean; nothing for a text without a known word. Sheets are French."""
        folded = v.plain(text, lang)
        if not folded or top < 1:
            return Read()
        skills: list[tuple[int, float]] = []
        jobs: list[tuple[int, float]] = []
        if lang in self._skills:
            skills, jobs = self._skills[lang].rank(folded, top)
        sheets = self._sheets.rank(folded, top) if self._sheets is not None and lang == "fr" else []
        ids = {name: self._arrays[f"ids.{name}"] for name in _IDS}
        return Read(
            tuple(Near(int(ids["skills"][number]), score) for number, score in skills),
            tuple(Near(int(ids["jobs"][number]), score) for number, score in jobs),
            tuple(Near(int(ids["sheets"][number]), score) for number, score in sheets),
        )


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> v.Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


class _Said:
    """The rows by number: occupations of ESCO that need something, the skills they need, sheets of ROME."""

    def __init__(self, rows: Rows) -> None:
        self._concepts = {c.id: c for c in rows.concepts}
        self._phrases: dict[tuple[int, str], list[str]] = {}
        for phrase in rows.phrases:
            self._phrases.setdefault((phrase.concept_id, phrase.lang), []).append(phrase.text)
        self._plain: dict[tuple[int, str], list[str]] = {}
        self._needs = [(e.source, e.target, e.weight) for e in rows.edges if e.kind is EdgeKind.NEEDS]
        self._above: dict[int, list[int]] = {}
        for edge in rows.edges:
            if edge.kind is EdgeKind.BROADER:
                self._above.setdefault(edge.source, []).append(edge.target)
        needing = {source for source, _target, _weight in self._needs}
        jobs = [c for c in rows.concepts if _in_use(c, Origin.ESCO) and c.id in needing]
        self.jobs = _ids(jobs)
        self.sheets = _ids(c for c in rows.concepts if _in_use(c, Origin.ROME))
        mine = set(self.jobs.tolist())
        needed = {t for s, t, _w in self._needs if s in mine and self._concepts[t].proposed}
        self.skills = np.array(sorted(needed), dtype=np.int64)
        groups = sorted({g for i in (*self.jobs.tolist(), *self.sheets.tolist()) if (g := self._group(i)) is not None})
        self._groups = {group: number for number, group in enumerate(groups)}

    def as_jobs(self, lang: str) -> Jobs:
        """Occupations and skills in one language."""
        job_place = {concept: number for number, concept in enumerate(self.jobs.tolist())}
        skill_place = {concept: number for number, concept in enumerate(self.skills.tolist())}
        found = [
            (job_place[s], skill_place[t], 2.0 if w >= ESSENTIAL else 1.0)
            for s, t, w in self._needs
            if s in job_place and t in skill_place
        ]
        rows, columns, values = (np.array(part) for part in zip(*found, strict=True))
        shape = self.jobs.size, self.skills.size
        needs = sp.csr_array((values.astype(np.float32), (rows, columns)), shape=shape)
        titles, job_of = self._titles(self.jobs, lang)
        return Jobs(
            names=[self._name(i, lang) for i in self.jobs.tolist()],
            titles=titles,
            job_of=job_of,
            descriptions=[self._about(i, lang) for i in self.jobs.tolist()],
            needs=needs,
            group=self._group_numbers(self.jobs),
            skills=[self._name(i, lang) for i in self.skills.tolist()],
            aliases=[" ".join(self._plain_names(i, lang)[1:]) for i in self.skills.tolist()],
            about=[self._about(i, lang) for i in self.skills.tolist()],
            texts=self._sheet_texts() if lang == "fr" else [],
        )

    def as_sheets(self) -> Sheets:
        """ROME's sheets, with ESCO's titles beside them."""
        titles, sheet_of = self._titles(self.sheets, "fr")
        skills, core = self._needed_by_sheets()
        others, owner = self._titles(self.jobs, "fr")
        group = self._group_numbers(self.jobs)[owner]
        order = np.argsort(group, kind="stable")
        order = order[group[order] >= 0]
        return Sheets(
            titles=titles,
            sheet_of=sheet_of,
            skills=skills,
            core=core,
            group=self._group_numbers(self.sheets),
            others=[others[i] for i in order.tolist()],
            group_of_other=group[order],
        )

    def _titles(self, concepts: NDArray[np.int64], lang: str) -> tuple[list[str], NDArray[np.int64]]:
        """Plain titles, each once a concept, and the number of the concept."""
        listed = [
            (t, i) for i, c in enumerate(concepts.tolist()) for t in dict.fromkeys(self._plain_names(c, lang)) if t
        ]
        return [title for title, _i in listed], np.array([i for _title, i in listed], dtype=np.int64)

    def _plain_names(self, concept: int, lang: str) -> list[str]:
        found = self._plain.get((concept, lang))
        if found is None:
            found = [v.plain(name, lang) for name in self._phrases.get((concept, lang), ())]
            self._plain[concept, lang] = found
        return found

    def _name(self, concept: int, lang: str) -> str:
        names = self._plain_names(concept, lang)
        return names[0] if names else ""

    def _about(self, concept: int, lang: str) -> str:
        c = self._concepts[concept]
        return v.plain((c.description_fr if lang == "fr" else c.description_en) or "", lang)

    def _needed_by_sheets(self) -> tuple[list[str], list[str]]:
        """The plain names of what each sheet needs, and of the heart of it."""
        place = {concept: number for number, concept in enumerate(self.sheets.tolist())}
        skills, core = [""] * len(place), [""] * len(place)
        for source, target, weight in self._needs:
            if source in place:
                skills[place[source]] += f" {self._name(target, 'fr')}"
                core[place[source]] += f" {self._name(target, 'fr')}" if weight >= ESSENTIAL else ""
        return skills, core

    def _sheet_texts(self) -> list[str]:
        skills, _core = self._needed_by_sheets()
        titles = (" ".join(self._plain_names(i, "fr")) for i in self.sheets.tolist())
        return [f"{named} {needed}" for named, needed in zip(titles, skills, strict=True)]

    def _group_numbers(self, concepts: NDArray[np.int64]) -> NDArray[np.int64]:
        groups = (self._group(i) for i in concepts.tolist())
        return np.array([-1 if g is None else self._groups[g] for g in groups], dtype=np.int64)

    def _group(self, concept: int) -> int | None:
        """The nearest group above an occupation; of several the first."""
        level = [concept]
        while level:
            level = sorted({above for c in level for above in self._above.get(c, ())})
            found = [c for c in level if self._concepts[c].kind is ConceptKind.GROUP]
            if found:
                return found[0]
        return None


def _in_use(concept: Concept, origin: Origin) -> bool:
    return concept.origin is origin and concept.kind is ConceptKind.OCCUPATION and not concept.retired


def _ids(concepts: Iterable[Concept]) -> NDArray[np.int64]:
    return np.array(sorted(c.id for c in concepts), dtype=np.int64)
