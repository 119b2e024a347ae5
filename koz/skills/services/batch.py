"""What an importer read, whole and checked, before anything is written: concepts, aliases, edges, and their scope."""

from dataclasses import dataclass, field
from typing import NamedTuple

from koz.skills.taxonomy import ConceptKind, EdgeKind, Origin


@dataclass(slots=True)
class Taxon:
    """A concept as read. `placeholder`: it is only known from an edge, so its label must not replace a real one.

    A description is None where no file says anything of it, and empty where a file has none for this concept.
    """

    kind: ConceptKind
    label_fr: str | None = None
    label_en: str | None = None
    description_fr: str | None = None
    description_en: str | None = None
    placeholder: bool = False


class ConceptScope(NamedTuple):
    """The files read are the whole truth about concepts of `kind` whose code begins so, in the languages `langs`."""

    kind: ConceptKind
    code_prefix: str
    langs: frozenset[str]


class EdgeScope(NamedTuple):
    """The files read are the whole truth about edges of `kind` whose source has this kind and beginning of code."""

    kind: EdgeKind
    source_kind: ConceptKind
    source_prefix: str


@dataclass(slots=True)
class Batch:
    """All that one import brings. Codes are those of concepts in the batch or in the database already."""

    origin: Origin
    concepts: dict[str, Taxon] = field(default_factory=dict)
    aliases: set[tuple[str, str, str]] = field(default_factory=set)  # code, lang, text
    edges: dict[tuple[str, str, EdgeKind], float] = field(default_factory=dict)  # source, target, kind → weight
    concept_scopes: set[ConceptScope] = field(default_factory=set)
    edge_scopes: set[EdgeScope] = field(default_factory=set)
    skipped: int = 0

    def label(self, code: str, kind: ConceptKind, lang: str, text: str) -> None:
        """Note the label of a concept in one language."""
        taxon = self.concepts.setdefault(code, Taxon(kind))
        taxon.kind = kind
        if taxon.placeholder:
            taxon.label_fr = taxon.label_en = None
            taxon.placeholder = False
        if lang == "fr":
            taxon.label_fr = text
        else:
            taxon.label_en = text

    def describe(self, code: str, lang: str, text: str) -> None:
        """Note the description of a concept in one language, empty when its file has none."""
        if lang == "fr":
            self.concepts[code].description_fr = text
        else:
            self.concepts[code].description_en = text

    def alias(self, code: str, lang: str, text: str) -> None:
        """Note another word for a concept, unless it is its label."""
        taxon = self.concepts[code]
        if text and text != (taxon.label_fr if lang == "fr" else taxon.label_en):
            self.aliases.add((code, lang, text))

    def edge(self, source: str, target: str, kind: EdgeKind, weight: float) -> None:
        """Note an edge; of two equal ones the stronger counts, and a concept is never joined to itself."""
        if source != target:
            key = (source, target, kind)
            self.edges[key] = max(weight, self.edges.get(key, 0.0))

    def broader(self) -> dict[str, list[str]]:
        """The broader edges, narrower → broader."""
        ways: dict[str, list[str]] = {}
        for source, target, kind in self.edges:
            if kind is EdgeKind.BROADER:
                ways.setdefault(source, []).append(target)
        return ways
