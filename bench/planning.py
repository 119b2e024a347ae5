"""Planning of invitations against scipy's assignment solver, on the same market in the same run.

`python -m bench.planning`. The market is invented (`matching/synthetic.py`), its pairs are the candidate lists of both
sides. Times and memory are of a process of its own that has loaded the lists and nothing else: memory is its highest
mark above that. scipy solves the same problem with seats and people copied out and one empty partner for each copy of
a mission; both must come to the same sum.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from koz.matching.candidates import Crowd, candidates
from koz.matching.planning import STEP, Edges, Stages, plan, replan
from koz.matching.synthetic import make_market
from koz.skills.taxonomy import Edge, EdgeKind, Graph

SIZES = ((10_000, 2_000), (100_000, 10_000))
PER_SEAT = 3
ROOM = 1  # scipy copies people and seats out; with one invitation a person both solve what they are made for


def by_scipy(edges: Edges, room: Any, wanted: Any) -> float:
    """The optimum as an assignment: a row for each invitation a mission may send, a column for each a person may get."""
    rows, row_of = expand(edges.mission, wanted)
    cols, col_of = expand(edges.person[rows], room)
    mission_copy, person_copy = row_of[cols], col_of
    score = np.rint(edges.score[rows][cols] / STEP)
    n, m = int(wanted.sum()), int(room.sum())
    costs = np.concatenate([-score, np.full(n, 1e-9)])
    table = coo_array(
        (costs, (np.concatenate([mission_copy, np.arange(n)]), np.concatenate([person_copy, m + np.arange(n)]))),
        shape=(n, m + n),
    )
    left, right = min_weight_full_bipartite_matching(csr_array(table))
    found = csr_array(table)[left, right]
    return float(-np.asarray(found).sum()) * STEP


def expand(index: Any, times: Any) -> tuple[Any, Any]:
    """Each entry once for each copy of what it names: (which entry, number of the copy)."""
    first = np.concatenate([[0], np.cumsum(times)[:-1]])
    which = np.repeat(np.arange(len(index)), times[index])
    within = np.arange(len(which)) - np.repeat(np.cumsum(times[index]) - times[index], times[index])
    return which, first[index[which]] + within


def measure(path: str, task: str) -> None:
    """In a process of its own: one task on the lists of a file; prints seconds, megabytes and the sum."""
    with np.load(path) as lists:
        edges = Edges(lists["person"], lists["mission"], lists["score"])
        seats, people = lists["seats"], int(lists["people"])
    room = np.full(people, 3 if task.startswith("3") else ROOM, np.int32)
    wanted = (PER_SEAT * seats if task.startswith("3") else seats).astype(np.int32)
    stages = Stages((0.5, 0.25, 0.0), seats, np.zeros(len(seats), np.int32)) if task == "3 staged" else None
    before = highest_mb()
    if task == "scipy":
        began = time.perf_counter()
        value = by_scipy(edges, room, wanted)
    elif task == "3 replan":
        sent = plan(edges, room, wanted).chosen & (edges.mission % 2 == 0)
        began = time.perf_counter()
        value = replan(edges, room, wanted, sent).objective
    else:
        began = time.perf_counter()
        value = plan(edges, room, wanted, stages).objective
    seconds = time.perf_counter() - began
    peak = highest_mb() - before
    print(json.dumps({"seconds": seconds, "megabytes": peak, "value": value}))


def highest_mb() -> float:
    """The highest mark of this process's memory (Linux; getrusage would still know the parent's)."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def run(path: Path, task: str, times: int) -> dict[str, float]:
    """Medians of some runs."""
    command = [sys.executable, "-m", "bench.planning", str(path), task]
    found = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(times)]
    return {key: statistics.median(f[key] for f in found) for key in found[0]}


def save(path: Path, people: int, missions: int) -> int:
    """Draw a market, find its candidate lists and write them down; returns the number of pairs."""
    market = make_market(people, missions, seed=1)
    graph = Graph([Edge(a, b, EdgeKind.RELATED, weight) for a, b, weight in market.edges])
    crowd = Crowd(market.bids, lambda concept: {c: r.weight for c, r in graph.reached_by(concept).items()})
    edges = candidates(crowd, market.asks, per_mission=75)
    np.savez(
        path, person=edges.person, mission=edges.mission, score=edges.score, seats=market.seats, people=np.array(people)
    )
    return len(edges.score)


def main() -> int:
    """Both sizes, all tasks; 1 when the sums differ."""
    wrong = 0
    print(f"{'people x missions':<20}{'pairs':>9}  {'task':<12}{'seconds':>9}{'MB':>7}{'sum':>16}")
    with tempfile.TemporaryDirectory() as folder:
        for people, missions in SIZES:
            path = Path(folder) / f"{people}.npz"
            pairs = save(path, people, missions)
            sums = {}
            for task, times in (("flow", 3), ("scipy", 1), ("3 plan", 3), ("3 staged", 3), ("3 replan", 3)):
                found = run(path, task, times)
                sums[task] = found["value"]
                print(
                    f"{people:>9,} x {missions:<8,}{pairs:>9,}  {task:<12}{found['seconds']:>9.2f}"
                    f"{found['megabytes']:>7.0f}{found['value']:>16.6f}",
                    flush=True,
                )
            wrong += abs(sums["flow"] - sums["scipy"]) > 1e-3
    print("flow and scipy: " + ("the same sum" if not wrong else "DIFFERENT SUMS"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main() if len(sys.argv) == 1 else measure(*sys.argv[1:3]))
