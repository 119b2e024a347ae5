"""What an evaluation gives: figures beside their targets, and the frame that runs the tasks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from koz.skills.evaluation.corpus import Corpus


class Measure(NamedTuple):
    """One figure: the goal it belongs to, what it is, how much, what was aimed at, over how many questions.

    `most`: the target is a ceiling. A figure without target stands beside the others for comparison only.
    """

    goal: str
    name: str
    value: float
    target: float | None
    n: int
    most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the target is met; True without one."""
        if self.target is None:
            return True
        return self.value <= self.target if self.most else self.value >= self.target


@dataclass(frozen=True, slots=True)
class Setting:
    """What a task may use: the official files as read, the seed of the split, the list of phrases for G7 if any."""

    corpus: Corpus
    seed: int = 0
    phrases: Path | None = None


class Task(NamedTuple):
    """A question with its answers: its name, the split in one sentence, and the function that trains and measures.

    The function trains on the training part alone, through the code that the product trains with.
    """

    name: str
    split: str
    measure: Callable[[Setting], Sequence[Measure]]


class Outcome(NamedTuple):
    """A task that was run: its figures and the seconds it took."""

    task: Task
    measures: Sequence[Measure]
    seconds: float


def run(tasks: Sequence[Task], setting: Setting, progress: Callable[[str], None] = lambda _name: None) -> list[Outcome]:
    """Run the tasks in order; `progress` is told the name of each as it begins."""
    outcomes = []
    for task in tasks:
        progress(task.name)
        begun = time.perf_counter()
        measures = task.measure(setting)
        outcomes.append(Outcome(task, measures, time.perf_counter() - begun))
    return outcomes
