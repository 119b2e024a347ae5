"""Words → concepts: phrases that were held out (G1, G2) and phrases of NGOs (G7).

G1 and G2 ask one index of all ESCO skills. In it are the English names and aliases of all, the French names of those
not held out, and no French alias at all; the model is trained on the same, and on the occupations' names, aliases and
descriptions, less every French text that is also a question. G1 asks the French names of the concepts held out; G2
the French aliases of the others, none of them on which the weights of the ranking were fitted.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from koz.core.errors import Invalid
from koz.core.i18n import _
from koz.skills.evaluation.corpus import Corpus
from koz.skills.evaluation.measures import Measure, Setting, Task
from koz.skills.evaluation.splits import is_for_tuning, is_held_out
from koz.skills.services import starter
from koz.skills.taxonomy import CONFIDENT, LANGUAGES, Alias, Concept, ConceptKind, Origin, Rows, SearchIndex, fold
from koz.skills.taxonomy.crosslingual import pairs_of

SKILL: Final = "/esco/skill/"
#: How far down an answer counts.
DEEP: Final = 100


class Question(NamedTuple):
    """A phrase, its language, and the ids of the concepts that answer it."""

    text: str
    lang: str
    answers: frozenset[int]


class Line(NamedTuple):
    """A phrase of the list for G7: codes of ours without their prefix, of others whole."""

    lang: str
    text: str
    codes: frozenset[str]


def _is_skill(corpus: Corpus, code: str) -> bool:
    return SKILL in code and corpus.esco.concepts[code].kind is not ConceptKind.GROUP


def _no(_text: str) -> bool:
    return False


def rows_without(corpus: Corpus, names: Collection[str], english: Callable[[str], bool] = _no) -> Rows:
    """What is learned from: `names` are the codes whose French name is held out, `english` says which aliases are."""
    skills = {code for code in corpus.esco.concepts if _is_skill(corpus, code)}
    asked = {fold(corpus.esco.concepts[code].label_fr or "") for code in names}
    asked |= {fold(text) for code, lang, text in corpus.esco.aliases if lang == "fr" and code in skills}
    labels = {(code, corpus.esco.concepts[code].label_fr) for code in skills}

    def hidden(code: str, lang: str, text: str) -> bool:
        if lang == "en":
            return code in skills and text != corpus.esco.concepts[code].label_en and english(text)
        if code in skills and (code, text) in labels:
            return code in names or fold(text) in asked
        return code in skills or fold(text) in asked

    return corpus.rows((Origin.ESCO,), hidden=hidden)


def index_without(corpus: Corpus, names: Collection[str], english: Callable[[str], bool] = _no) -> SearchIndex:
    """The index described above, which has learned from `rows_without`."""
    rows = rows_without(corpus, names, english)
    pool = {corpus.numbers[code] for code in corpus.esco.concepts if _is_skill(corpus, code)}
    return SearchIndex((p for p in rows.phrases if p.concept_id in pool), pairs_of(rows))


def held_names(corpus: Corpus, held: Callable[[str], bool]) -> dict[str, str]:
    """Code → French name of the skills held out."""
    return {
        code: taxon.label_fr
        for code, taxon in sorted(corpus.esco.concepts.items())
        if taxon.label_fr and _is_skill(corpus, code) and held(code)
    }


def aliases_of(corpus: Corpus, lang: str, asked: Callable[[str], bool]) -> list[Question]:
    """Aliases of skills, as questions; those that fold to the name of their own concept are none."""
    found = []
    for code, of, text in sorted(corpus.esco.aliases):
        taxon = corpus.esco.concepts[code]
        name = taxon.label_fr if lang == "fr" else taxon.label_en
        if of == lang and name and _is_skill(corpus, code) and asked(code) and fold(text) != fold(name):
            found.append(Question(text, lang, frozenset({corpus.numbers[code]})))
    return found


def ranks(index: SearchIndex, questions: Iterable[Question], top: int = DEEP) -> list[int]:
    """At which place, from 1, the first right answer stands; 0 where none is among the first `top`."""
    found = []
    for question in questions:
        hits = index.search(question.text, question.lang, top, least=0.0)
        right = (place for place, hit in enumerate(hits, 1) if hit.concept_id in question.answers)
        found.append(next(right, 0))
    return found


def recall(places: Sequence[int], top: int) -> float:
    """Share of the questions answered among the first `top`."""
    return sum(0 < place <= top for place in places) / max(1, len(places))


def mean_reciprocal(places: Sequence[int]) -> float:
    """Mean of one over the place of the first right answer."""
    return sum(1 / place for place in places if place) / max(1, len(places))


def _unseen(setting: Setting) -> list[Measure]:
    corpus = setting.corpus
    names = held_names(corpus, lambda code: is_held_out(code, setting.seed))
    index = index_without(corpus, names)
    places = ranks(index, (Question(name, "fr", frozenset({corpus.numbers[code]})) for code, name in names.items()))
    n = len(places)
    figures = [
        Measure("G1", "unseen French phrase → English concept, R@1", recall(places, 1), 0.78, n),
        Measure("G1", "unseen French phrase → English concept, R@10", recall(places, 10), 0.94, n),
        Measure("G1", "unseen French phrase → English concept, MRR", mean_reciprocal(places), None, n),
    ]
    questions = aliases_of(
        corpus, "fr", lambda code: not is_held_out(code, setting.seed) and not is_for_tuning(code, 0)
    )
    places = ranks(index, questions)
    n = len(places)
    return [
        *figures,
        Measure("G2", "French alias → concept, MRR", mean_reciprocal(places), 0.70, n),
        Measure("G2", "French alias → concept, R@1", recall(places, 1), None, n),
        Measure("G2", "French alias → concept, R@10", recall(places, 10), None, n),
    ]


def read_phrases(path: Path) -> list[Line]:
    """The list for G7: language, phrase and codes that answer it (separated by `|`), by tabs; `#` begins a remark."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3 or cells[0] not in LANGUAGES or not all(cell.strip() for cell in cells):
            raise Invalid(
                _(
                    "%(file)s, line %(line)s: a language, a phrase and the codes of its concept are needed.",
                    file=path.name,
                    line=number,
                )
            )
        found.append(Line(cells[0], cells[1], frozenset(cells[2].split("|"))))
    return found


class Ours(NamedTuple):
    """A taxonomy ready to be searched: the code of each id, and the index."""

    codes: dict[int, str]
    search: SearchIndex


def _our_numbers(corpus: Corpus | None) -> dict[str, int]:
    """Code → id of ours, above those of the corpus."""
    first = max(corpus.numbers.values(), default=0) + 1 if corpus else 1
    return {code: first + i for i, code in enumerate(starter.read().concepts)}


def rows_with(corpus: Corpus | None) -> Rows:
    """Our own taxonomy, alone or with all that the files bring; without edges."""
    batch, number = starter.read(), _our_numbers(corpus)
    concepts = [
        Concept(number[code], code, Origin.KOZ, taxon.kind, taxon.label_fr, taxon.label_en)
        for code, taxon in batch.concepts.items()
    ]
    own = Rows.of(concepts, [Alias(number[code], lang, text) for code, lang, text in sorted(batch.aliases)], [])
    others = corpus.rows((Origin.ESCO, Origin.ROME)) if corpus else Rows.of([], [], [])
    return Rows([*own.concepts, *others.concepts], [*own.phrases, *others.phrases], [])


def ours_with(corpus: Corpus | None) -> Ours:
    """The index over `rows_with`."""
    rows = rows_with(corpus)
    return Ours({c.id: c.code for c in rows.concepts}, SearchIndex(rows.phrases, pairs_of(rows)))


class Answer(NamedTuple):
    """What was proposed first for a line, if anything, and whether it is right."""

    line: Line
    code: str
    score: float
    right: bool


def answers(ours: Ours, lines: Iterable[Line]) -> list[Answer]:
    """The first proposal for each line."""
    found = []
    for line in lines:
        hits = ours.search.search(line.text, line.lang, 1)
        code, score = (ours.codes[hits[0].concept_id], hits[0].score) if hits else ("", 0.0)
        found.append(Answer(line, code, score, code.removeprefix(starter.PREFIX) in line.codes))
    return found


def _of_ngos(setting: Setting) -> list[Measure]:
    if setting.phrases is None:
        return []
    lines = read_phrases(setting.phrases)
    figures = []
    for what, corpus in (("our taxonomy alone", None), ("with ESCO and ROME", setting.corpus)):
        given = answers(ours_with(corpus), lines)
        n = len(given)
        confident = sum(not answer.right and answer.score >= CONFIDENT for answer in given)
        figures += [
            Measure("G7", f"phrases of NGOs, {what}: first answer right", sum(a.right for a in given) / n, 0.85, n),
            Measure("G7", f"phrases of NGOs, {what}: confident errors", confident / n, 0.03, n, most=True),
        ]
    return figures


UNSEEN: Final = Task(
    "words, unseen",
    "French names of the ESCO skills held out; French aliases of the others, but for those on which the weights of the"
    " ranking were fitted (seed 0); all 13,896 skills are the pool",
    _unseen,
)
PHRASES: Final = Task(
    "words, phrases of NGOs",
    f"the list given by --phrases, several answers may be right; an error is confident from a score of {CONFIDENT}",
    _of_ngos,
)
