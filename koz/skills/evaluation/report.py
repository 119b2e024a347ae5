"""The figures as a table for people and as JSON for programs."""

import json
from collections.abc import Iterable, Sequence

from koz.skills.evaluation.measures import Measure, Outcome
from koz.skills.evaluation.splits import RULE


def as_table(outcomes: Sequence[Outcome], seed: int) -> str:
    """One line a figure, then how long each task took and how it was split."""
    rows: list[tuple[str, ...]] = [("goal", "figure", "value", "target", "asked", "")]
    rows += [_cells(measure) for outcome in outcomes for measure in outcome.measures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(_pad(cell, widths[i], left=i in {0, 1, 5}) for i, cell in enumerate(row)).rstrip() for row in rows
    ]
    lines.insert(1, "─" * max(map(len, lines)))
    lines += ["", f"Seed {seed}; {RULE}."]
    lines += [f"{o.task.name} ({o.seconds:.0f} s): {o.task.split}" for o in outcomes]
    return "\n".join(lines)


def _cells(measure: Measure) -> tuple[str, ...]:
    target = "" if measure.target is None else f"{'≤' if measure.most else '≥'} {measure.target:.3f}"
    verdict = "" if measure.target is None else ("reached" if measure.reached else "MISSED")
    return measure.goal, measure.name, f"{measure.value:.3f}", target, f"{measure.n:,}", verdict


def _pad(text: str, width: int, *, left: bool) -> str:
    return text.ljust(width) if left else text.rjust(width)


def as_json(outcomes: Sequence[Outcome], seed: int) -> str:
    """The same figures, with the seed and the rule of the split."""
    return json.dumps(
        {
            "seed": seed,
            "rule": RULE,
            "reached": all(measure.reached for measure in _all(outcomes)),
            "measures": [measure._asdict() | {"reached": measure.reached} for measure in _all(outcomes)],
            "tasks": [{"name": o.task.name, "split": o.task.split, "seconds": round(o.seconds, 1)} for o in outcomes],
        },
        ensure_ascii=False,
    )


def _all(outcomes: Sequence[Outcome]) -> Iterable[Measure]:
    return (measure for outcome in outcomes for measure in outcome.measures)
