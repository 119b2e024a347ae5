"""Teams under scarcity: the share of campaigns staffed wholly, and CPU seconds, on markets made from seeds.

`python -m bench.teams [seeds]`. Baselines in the same run: naive set cover (campaigns in order, whoever covers most,
partial teams hold people), and one plain pass of rarest skill first. `found` is `assemble`, `with CP-SAT` is `staff`,
which asks the solver for markets of at most 100 campaigns and 400 people. CPU time, so that neighbours on the machine
do not count.
"""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable

from koz.matching.teams import Market, Offer, assemble, staff, synthetic

SIZES = ((50, 200), (100, 300), (300, 1000), (1000, 4000))


def naive(market: Market) -> int:
    """How many campaigns set cover staffs, one after another, without looking at anything else."""
    left, by_job = dict(market.room), defaultdict[int, list[Offer]](list)
    for offer in market.offers:
        by_job[offer.job].append(offer)
    full = 0
    for number, job in enumerate(market.jobs):
        open_ = (1 << job.roles) - 1
        while open_:
            able = [o for o in by_job[number] if left[o.person] and o.covers & open_]
            if not able:
                break
            best = max(able, key=lambda o: ((o.covers & open_).bit_count(), -o.person))
            left[best.person] -= 1
            open_ &= ~best.covers
        full += not open_
    return full


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """What the work finds, and its CPU seconds."""
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def main(seeds: int) -> None:
    """Print the table."""
    print(f"{seeds} seeds a row: share staffed, mean (lowest to highest), and median CPU seconds")
    print("campaigns x people |   naive |  plain pass       |  found                    |  with CP-SAT")
    for campaigns, people in SIZES:
        columns: list[list[tuple[int, float]]] = [[], [], [], []]
        for seed in range(seeds if campaigns < 1000 else max(1, seeds // 4)):
            market = synthetic(seed, campaigns, people)
            works = (
                lambda market=market: naive(market),
                lambda market=market: len(assemble(market, rounds=0)),
                lambda market=market: len(assemble(market)),
                lambda market=market: len(staff(market)),
            )
            for column, work in zip(columns, works, strict=True):
                column.append(timed(work))
        cells = []
        for column in columns:
            shares = [found / campaigns for found, _seconds in column]
            seconds = statistics.median(s for _found, s in column)
            cells.append(f"{statistics.mean(shares):.3f} ({min(shares):.2f}-{max(shares):.2f}) {seconds:.3f} s")
        print(f"{campaigns:>9} x {people:<6} | " + " | ".join(cells), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
