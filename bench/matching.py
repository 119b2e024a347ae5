"""Candidate lists in bulk, against floors taken in the same run.

`python -m bench.matching [people missions]`. The market is invented (`matching/synthetic.py`). The floors are what any
method that scores every pair from dense vectors must pay: a matrix product of people and missions in 256 dimensions
(measured on a twentieth of the missions), and reading the people's vectors once for a single mission.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from koz.matching.candidates import Crowd, candidates
from koz.matching.synthetic import make_market
from koz.skills.taxonomy import Edge, EdgeKind, Graph

DIMENSIONS = 256
SHARE = 20
SINGLES = 200
BATCH_S = 5.0
SINGLE_MS = 5.0


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    """Median wall seconds of some runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main(people: int = 100_000, missions: int = 10_000) -> int:
    """Print the table; 1 when a goal is missed."""
    market = make_market(people, missions, seed=1)
    graph = Graph([Edge(a, b, EdgeKind.RELATED, weight) for a, b, weight in market.edges])

    def make() -> Crowd:
        return Crowd(market.bids, lambda concept: {c: r.weight for c, r in graph.reached_by(concept).items()})

    crowd = make()
    dice = np.random.default_rng(0)
    vectors = dice.standard_normal((people, DIMENSIONS), dtype=np.float32)
    wanted = dice.standard_normal((DIMENSIONS, missions // SHARE), dtype=np.float32)
    product = SHARE * seconds(lambda: vectors @ wanted)
    reading = 1000 * seconds(lambda: vectors @ wanted[:, 0], 9)
    batch = seconds(lambda: candidates(crowd, market.asks, per_person=0))
    both = seconds(lambda: candidates(crowd, market.asks))
    single = 1000 * seconds(lambda: [crowd.best(ask) for ask in market.asks[:SINGLES]]) / SINGLES
    rows = (
        ("matrix product, 256 dimensions (floor)", product, "s", 1.0, None),
        ("preparing everybody", seconds(make), "s", None, None),
        ("top 50 of each mission, gates and graph", batch, "s", batch / product, BATCH_S),
        ("… and top 5 of each person", both, "s", both / product, None),
        ("reading the vectors once (floor)", reading, "ms", 1.0, None),
        ("top 50 of one mission, warm", single, "ms", single / reading, SINGLE_MS),
    )
    print(f"{people:,} people x {missions:,} missions")
    missed = 0
    for name, value, unit, ratio, goal in rows:
        times = "" if ratio is None else f"{ratio:8.2f} x floor"
        verdict = "" if goal is None else f"   {'reached' if value <= goal else 'MISSED '} (goal {goal:g} {unit})"
        missed += goal is not None and value > goal
        print(f"{name:<42}{value:9.2f} {unit:<3}{times}{verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*(int(n) for n in sys.argv[1:])))
