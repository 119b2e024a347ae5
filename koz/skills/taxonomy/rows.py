"""What the tables say, as plain rows: all that the parts of the index (search, graph, models) are made from.

Pure: `queries.load_rows` fills it from the database, tests and the evaluation from lists or files.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from koz.skills.taxonomy.kinds import ConceptKind, EdgeKind, Origin

#: What phrases are worth in search: an alias against a label, others' concepts against ours, a group's alias.
ALIAS: Final = 0.99
FOREIGN: Final = 0.93
DRAWER: Final = 0.9


class Concept(NamedTuple):
    """A concept as stored, retired or not; at least one label is there. Descriptions are the source's own words."""

    id: int
    code: str
    origin: Origin
    kind: ConceptKind
    label_fr: str | None
    label_en: str | None
    description_fr: str | None = None
    description_en: str | None = None
    retired: bool = False

    @property
    def proposed(self) -> bool:
        """Whether people may choose it: in use, and no drawer (group) of another taxonomy."""
        return not self.retired and (self.kind is not ConceptKind.GROUP or self.origin is Origin.KOZ)


class Alias(NamedTuple):
    """Another way to write a concept, as stored."""

    concept_id: int
    lang: str
    text: str


class Phrase(NamedTuple):
    """One way to write a concept in `lang`: label or alias; `worth` (0, 1] scales the score of what it finds."""

    concept_id: int
    lang: str
    text: str
    worth: float = 1.0


class Edge(NamedTuple):
    """An edge: ids of two concepts, kind, weight above 0 to 1, and whose statement it is or is derived from."""

    source: int
    target: int
    kind: EdgeKind
    weight: float
    origin: Origin = Origin.KOZ


@dataclass(frozen=True, slots=True)
class Rows:
    """The taxonomy: all concepts by id, phrases of those proposed (best taxonomy first), stored edges."""

    concepts: Sequence[Concept]
    phrases: Sequence[Phrase]
    edges: Sequence[Edge]

    @classmethod
    def of(cls, concepts: Iterable[Concept], aliases: Iterable[Alias], edges: Iterable[Edge]) -> "Rows":
        """Rows with the phrases that search is made from: labels, then aliases, each in the order of its concept."""
        listed = sorted(concepts)
        rank = {origin: i for i, origin in enumerate(Origin)}
        proposed = sorted((c for c in listed if c.proposed), key=lambda c: (rank[c.origin], c.code))
        worths = {c.id: worth(c.origin, c.kind, alias=True) for c in proposed}
        phrases = [
            Phrase(c.id, lang, label, worth(c.origin, c.kind, alias=False))
            for c in proposed
            for lang, label in (("fr", c.label_fr), ("en", c.label_en))
            if label
        ]
        phrases += [
            Phrase(a.concept_id, a.lang, a.text, worths[a.concept_id]) for a in aliases if a.concept_id in worths
        ]
        return cls(listed, phrases, list(edges))


def worth(origin: Origin, kind: ConceptKind, *, alias: bool) -> float:
    """Our concepts win over others', whose words are less those of NGOs; a drawer is found by its very name first."""
    found = 1.0 if origin is Origin.KOZ else FOREIGN
    if alias:
        found *= DRAWER if kind is ConceptKind.GROUP else ALIAS
    return found
