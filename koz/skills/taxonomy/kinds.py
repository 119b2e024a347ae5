"""The closed words of the taxonomy."""

from enum import StrEnum
from typing import Final

LANGUAGES: Final = ("fr", "en")


class Origin(StrEnum):
    """Where a concept or an edge comes from. The order is the order of preference between equal concepts."""

    KOZ = "koz"
    ESCO = "esco"
    ROME = "rome"


class ConceptKind(StrEnum):
    """What a concept names: something one can do, something one can know, a job, or a drawer for the others."""

    SKILL = "skill"
    KNOWLEDGE = "knowledge"
    OCCUPATION = "occupation"
    GROUP = "group"


class EdgeKind(StrEnum):
    """How two concepts are joined, read from source to target.

    `broader`: the target is the wider concept. `related` and `same_as` hold both ways. `needs`: the source, an
    occupation, needs the target, a skill or knowledge. `sibling` (one narrow thing is broader than both) and
    `co_occurs` (the same jobs need both) hold both ways; they are not stored but derived when the index is built.
    """

    BROADER = "broader"
    RELATED = "related"
    SAME_AS = "same_as"
    NEEDS = "needs"
    SIBLING = "sibling"
    CO_OCCURS = "co_occurs"


#: Kinds that the index derives from the stored ones.
DERIVED: Final = frozenset({EdgeKind.SIBLING, EdgeKind.CO_OCCURS})
