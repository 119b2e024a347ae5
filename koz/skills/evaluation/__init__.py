"""How well the taxonomy answers what it has not seen: `koz skills evaluate`.

Reads the official files, holds a part out by a published rule, trains on the rest through the product's own code, and
measures. Nothing here is needed to run the product. A new task is a function in a module here and a line in `TASKS`.
"""

from typing import Final

from koz.skills.evaluation.corpus import Corpus, read_corpus, size_of
from koz.skills.evaluation.measures import Measure, Outcome, Setting, Task, run
from koz.skills.evaluation.report import as_json, as_table
from koz.skills.evaluation.splits import RULE
from koz.skills.evaluation.titles import TASK as TITLES
from koz.skills.evaluation.words import PHRASES, UNSEEN

TASKS: Final[tuple[Task, ...]] = (TITLES, UNSEEN, PHRASES)

__all__ = [
    "RULE",
    "TASKS",
    "Corpus",
    "Measure",
    "Outcome",
    "Setting",
    "Task",
    "as_json",
    "as_table",
    "read_corpus",
    "run",
    "size_of",
]
