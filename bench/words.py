"""Phrase → concepts: CPU milliseconds a phrase, beside TF-IDF by brute force, rapidfuzz and the memory floor.

`python -m bench.words`. With the public files (`KOZ_SHARED`, as for the tests) all three taxonomies are loaded,
without them ours alone. Baselines of the same run, over the same labels: scikit-learn's TF-IDF of 3 to 5 characters,
every label compared; rapidfuzz's token_set over every label (fewer phrases, for it is slow); and the floor, one pass
over one number a label. CPU time, so that neighbours on the machine do not count.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from koz.skills.evaluation import Corpus, read_corpus
from koz.skills.evaluation.words import Line, ours_with, read_phrases, rows_with
from koz.skills.taxonomy import SearchIndex, fold, pairs_of
from koz.skills.taxonomy.store import Store, write

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("KOZ_SHARED", ROOT.parent / "shared")) / "data"
PHRASES = ROOT / "tests/skills/phrases.tsv"
SLOW = 30


def timed(lines: Sequence[Line], ask: Callable[[Line], object]) -> list[float]:
    """CPU milliseconds of each question."""
    found = []
    for line in lines:
        start = time.process_time()
        ask(line)
        found.append((time.process_time() - start) * 1e3)
    return found


def made(corpus: Corpus | None, folder: Path) -> SearchIndex:
    """The index, opened from the folder it was written to."""
    start = time.process_time()
    search = ours_with(corpus).search
    print(f"made with its training in {time.process_time() - start:.1f} s of CPU,", end=" ")
    write(folder, search.arrays(), search.texts())
    start = time.perf_counter()
    opened = SearchIndex.from_store(Store(folder), "")
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    print(f"opened in {(time.perf_counter() - start) * 1e3:.0f} ms, {size:.0f} MiB mapped")
    return opened


def main() -> None:
    """Print the table."""
    corpus = read_corpus(DATA / "esco", DATA / "rome") if DATA.is_dir() else None
    rows, lines = rows_with(corpus), read_phrases(PHRASES)
    labels = [fold(phrase.text) for phrase in rows.phrases]
    print(f"{len({p.concept_id for p in rows.phrases}):,} concepts, {len(labels):,} labels and aliases,", end=" ")
    print(f"{len(pairs_of(rows)):,} pairs")
    with tempfile.TemporaryDirectory() as folder:
        index = made(corpus, Path(folder) / "index")
        first = timed(lines, lambda line: index.search(line.text, line.lang))
        ours = timed(lines, lambda line: index.search(line.text, line.lang))
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), dtype=np.float32)
    matrix = tfidf.fit_transform(labels)
    column = np.random.default_rng(0).random(len(labels))
    columns = {
        "koz": ours,
        "koz, new words": first,
        "scikit-learn": timed(lines, lambda line: (tfidf.transform([fold(line.text)]) @ matrix.T).toarray().argmax()),
        "rapidfuzz": timed(
            lines[:SLOW], lambda line: process.extract(fold(line.text), labels, scorer=fuzz.token_set_ratio, limit=10)
        ),
        "floor": timed(lines, lambda _line: column.max()),
    }
    print(f"{'':>14}    mean     p95     max   times koz")
    for name, found in columns.items():
        mean = statistics.mean(found)
        p95, ratio = float(np.quantile(found, 0.95)), mean / statistics.mean(ours)
        print(f"{name:>14} {mean:7.2f} {p95:7.2f} {max(found):7.2f}   {ratio:9.3f}")


if __name__ == "__main__":
    main()
