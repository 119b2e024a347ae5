"""Job titles held out: ESCO occupations → their skills (G3), titles of ROME → their sheet (G4)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from koz.skills.evaluation.corpus import Corpus, Title
from koz.skills.evaluation.measures import Measure, Setting, Task
from koz.skills.evaluation.splits import is_held_out
from koz.skills.taxonomy import LANGUAGES, ConceptKind, EdgeKind, Origin
from koz.skills.taxonomy.titles import ESSENTIAL, JobTitles

SKILLS_TARGET: Final = {"fr": 0.52, "en": 0.55}
SHEET_TARGET: Final = 0.80
DEPTH: Final = 10


def ndcg(found: Sequence[int], gains: dict[int, float], depth: int = DEPTH) -> float:
    """Normalised discounted cumulative gain of an answer, best first; gains are 2 or 1."""
    discount = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.array(sorted(gains.values(), reverse=True)[:depth])
    got = np.array([gains.get(concept, 0.0) for concept in found[:depth]])
    return float((got * discount[: got.size]).sum() / (ideal * discount[: ideal.size]).sum())


def measure(setting: Setting) -> list[Measure]:
    """Train on what is not held out, then ask."""
    return [*_skills_of_titles(setting), *_sheets_of_titles(setting)]


def _skills_of_titles(setting: Setting) -> list[Measure]:
    gains = _gains(setting.corpus)
    asked = [code for code in sorted(gains) if is_held_out(code, setting.seed)]
    model = JobTitles.of(setting.corpus.rows((Origin.ESCO, Origin.ROME), without=frozenset(asked)))
    return [_skills(model, setting.corpus, gains, asked, lang) for lang in LANGUAGES]


def _sheets_of_titles(setting: Setting) -> list[Measure]:
    titles = [title for title in setting.corpus.titles if is_held_out(title.number, setting.seed)]
    unseen = {(title.sheet, text) for title in titles for text in (title.long, title.short)}
    rows = setting.corpus.rows((Origin.ESCO, Origin.ROME), hidden=lambda code, _lang, text: (code, text) in unseen)
    return _sheets(JobTitles.of(rows, languages=()), setting.corpus, titles)


def _gains(corpus: Corpus) -> dict[str, dict[int, float]]:
    """Occupation → id of skill → gain, for occupations with a name in both languages and skills."""
    found: dict[str, dict[int, float]] = {}
    for (source, target, kind), weight in corpus.esco.edges.items():
        taxon = corpus.esco.concepts.get(source)
        if (
            kind is EdgeKind.NEEDS
            and taxon
            and taxon.kind is ConceptKind.OCCUPATION
            and taxon.label_fr
            and taxon.label_en
        ):
            found.setdefault(source, {})[corpus.numbers[target]] = 2.0 if weight >= ESSENTIAL else 1.0
    return found


def _skills(
    model: JobTitles, corpus: Corpus, gains: dict[str, dict[int, float]], asked: Sequence[str], lang: str
) -> Measure:
    values = []
    for code in asked:
        taxon = corpus.esco.concepts[code]
        label = (taxon.label_fr if lang == "fr" else taxon.label_en) or ""
        values.append(ndcg([near.concept_id for near in model.read(label, lang, DEPTH).skills], gains[code]))
    words = {"fr": "French", "en": "English"}[lang]
    return Measure(
        "G3", f"{words} job title → skills, nDCG@10", float(np.mean(values)), SKILLS_TARGET[lang], len(asked)
    )


def _sheets(model: JobTitles, corpus: Corpus, titles: Sequence[Title]) -> list[Measure]:
    places = []
    for title in titles:
        sheets = [near.concept_id for near in model.read(title.long, "fr", DEPTH).sheets]
        right = corpus.numbers[title.sheet]
        places.append(sheets.index(right) if right in sheets else DEPTH)
    within = np.array(places)
    name = "French job title → ROME sheet, "
    return [
        Measure("G4", f"{name}acc@5", float((within < 5).mean()), SHEET_TARGET, within.size),
        Measure("G4", f"{name}acc@1", float((within < 1).mean()), None, within.size),
    ]


TASK: Final = Task(
    "job titles",
    "occupations of ESCO by URI, with their titles, descriptions and relations; titles of ROME by number, in both"
    " forms, their sheets stay. Asked: the preferred label, the long form. What is held out of the one classification"
    " is not of the other. Settings were chosen on a fifth of the training part of seed 0.",
    measure,
)
