"""Learn the weights of `koz/skills/taxonomy/ranking.json` anew, from the folders of ESCO and ROME.

Questions whose right answer is known, all of concepts that the evaluation with seed 0 does not ask: French names of
the tuning part (in no training pair), its French aliases, English aliases taken out of the index, and aliases of our
own taxonomy taken out. Their candidates are weighed by a softmax over each question's candidates, regularised; then
one factor and one bias turn the sum into a chance. Deterministic.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from koz.skills.evaluation.corpus import read_corpus
from koz.skills.evaluation.splits import is_for_tuning, is_held_out, share
from koz.skills.evaluation.words import Question, aliases_of, held_names, index_without
from koz.skills.services import starter
from koz.skills.taxonomy import Alias, Concept, Origin, Rows, SearchIndex, fold
from koz.skills.taxonomy.crosslingual import pairs_of
from koz.skills.taxonomy.ranking import OWN, expand

OUT = Path(__file__).resolve().parents[1] / "koz/skills/taxonomy/ranking.json"
RIDGE = 3e-4
#: English aliases asked, and share of those taken out of the index; the same of our own.
ENGLISH, ENGLISH_OUT, OURS_OUT = 700, 0.1, 0.25
#: Share of the questions asked once more with half the concepts labelled in the phrase's language alone, as ROME's are.
ALONE = 0.3


class Asked(NamedTuple):
    """The candidates of a question, which of them is right, and what the question counts."""

    table: NDArray[np.float64]
    right: int
    weight: float


def ask(index: SearchIndex, questions: Sequence[Question], weight: float) -> list[Asked]:
    """Lay out the candidates of questions, less those whose answer is not among them."""
    asked = []
    for question in questions:
        found = index.find_candidates(question.text, question.lang)
        right = np.flatnonzero(np.isin(index.ids[found.rows], list(question.answers)))
        if right.size:
            asked.append(Asked(found.table, int(right[0]), weight / len(questions)))
    return asked


def ours() -> tuple[SearchIndex, list[Question]]:
    """Our taxonomy less a part of its aliases, and these as questions."""
    batch = starter.read()
    number = {code: i for i, code in enumerate(batch.concepts, 1)}
    concepts = [Concept(number[c], c, Origin.KOZ, t.kind, t.label_fr, t.label_en) for c, t in batch.concepts.items()]
    out = {alias for alias in batch.aliases if share(fold(alias[2]), 0) < OURS_OUT}
    rows = Rows.of(concepts, [Alias(number[c], lang, text) for c, lang, text in sorted(batch.aliases - out)], [])
    questions = [Question(text, lang, frozenset({number[code]})) for code, lang, text in sorted(out)]
    return SearchIndex(rows.phrases, pairs_of(rows)), questions


def gather(esco: Path, rome: Path) -> list[Asked]:
    """All questions."""
    corpus = read_corpus(esco, rome)

    def held(code: str) -> bool:
        return is_held_out(code, 0)

    def tuning(code: str) -> bool:
        return is_for_tuning(code, 0)

    def english_out(text: str) -> bool:
        return share(fold(text), 0) < ENGLISH_OUT

    names = held_names(corpus, tuning)
    # half of the tuning part lends its names, the other its aliases
    names = {code: name for code, name in names.items() if share(code, 1) < 0.5}
    index = index_without(corpus, [*names, *held_names(corpus, held)], english_out)
    unseen = [Question(name, "fr", frozenset({corpus.numbers[code]})) for code, name in names.items()]
    french = aliases_of(corpus, "fr", lambda code: tuning(code) and code not in names)
    english = [q for q in aliases_of(corpus, "en", lambda code: not held(code)) if english_out(q.text)]
    english = sorted(english, key=lambda q: share(q.text, 1))[:ENGLISH]
    own_index, own = ours()
    parts = ((index, unseen, 1.0), (index, french, 1.0), (index, english, 0.7), (own_index, own, 0.7))
    return [asked for at, questions, weight in parts for asked in ask(at, questions, weight)]


def alone(asked: Iterable[Asked]) -> list[Asked]:
    """Some questions again, with a part of the concepts labelled in the phrase's language alone."""
    random = np.random.default_rng(0)
    again = []
    for question in asked:
        if random.random() < ALONE:
            table = question.table.copy()
            table[np.ix_((random.random(len(table)) < 0.5) & (table[:, OWN - 1] > 0), range(OWN, table.shape[1]))] = 0
            again.append(question._replace(table=table))
    return again


def fit(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias."""
    sizes = np.array([len(question.table) for question in asked])
    starts = np.cumsum(sizes) - sizes
    segment = np.repeat(np.arange(sizes.size), sizes)
    right = starts + [question.right for question in asked]
    weight = np.array([question.weight for question in asked])
    weight /= weight.sum()
    table = np.vstack([expand(question.table) for question in asked])
    scale = table.std(axis=0) + 1e-9
    table /= scale

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        sums = table @ weights
        top = np.maximum.reduceat(sums, starts)
        parts = np.exp(sums - top[segment])
        whole = np.add.reduceat(parts, starts)
        chance = parts / whole[segment]
        missed = -float(weight @ (sums[right] - top - np.log(whole)))
        slope = table.T @ (chance * weight[segment]) - weight @ table[right]
        return missed + RIDGE * float(weights @ weights), slope + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    sums = table @ found
    order = np.lexsort((-sums, segment))
    first = order[np.arange(order.size) - starts[segment] < 4]  # the four that stand first of each question
    meant = np.isin(first, right)

    def doubt(line: NDArray[np.float64]) -> float:
        z = line[0] * sums[first] + line[1]
        return float(np.mean(np.logaddexp(0, np.where(meant, -z, z))))

    factor, bias = minimize(doubt, np.array([1.0, 0.0])).x
    return found / scale * factor, float(bias)


def main() -> None:
    """Learn and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--esco", type=Path, required=True)
    options.add_argument("--rome", type=Path, required=True)
    given = options.parse_args()
    asked = gather(given.esco, given.rome)
    weights, bias = fit([*asked, *alone(asked)])
    learned = {"bias": round(bias, 6), "weights": [float(f"{weight:.5g}") for weight in weights]}
    OUT.write_text(json.dumps(learned, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
