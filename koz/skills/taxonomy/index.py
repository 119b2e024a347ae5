"""The index of the taxonomy: all that search and matching need, made once from the rows and mapped by every process.

It is made of components. A component is made from `Rows`, gives its `arrays()` and `texts()`, and comes back from a
store by `from_store(store, prefix)`: its names in the store are prefix and name, the prefix is its field and a dot. To
add one: a field of `Index` and a line in `COMPONENTS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.crosslingual import pairs_of
from koz.skills.taxonomy.derived import derive, drawers
from koz.skills.taxonomy.graph import Graph
from koz.skills.taxonomy.kinds import ConceptKind, EdgeKind
from koz.skills.taxonomy.rows import Rows
from koz.skills.taxonomy.search import SearchIndex
from koz.skills.taxonomy.store import Store
from koz.skills.taxonomy.titles import JobTitles

Arrays = dict[str, NDArray[Any]]
Texts = dict[str, list[str]]
Told = Callable[[str], None]
"""Told the name of each part of the work as it begins."""


class Component(Protocol):
    """What an index is made of."""

    def arrays(self) -> Arrays:
        """Its arrays by name."""

    def texts(self) -> Texts:
        """Its lists of texts by name."""


class Maker(NamedTuple):
    """How a component comes about: trained from rows, or from what was stored under its prefix."""

    make: Callable[[Rows], Component]
    load: Callable[[Store, str], Component]


class Card(NamedTuple):
    """What is shown of a concept found."""

    code: str
    label_fr: str | None
    label_en: str | None


class Cards:
    """Codes and labels of the concepts that may be proposed, and which concepts are the same."""

    def __init__(self, arrays: Arrays, texts: Mapping[str, Any]) -> None:
        self._arrays, self._texts = arrays, texts

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """From the concepts proposed and the edges `same_as`."""
        listed = [c for c in rows.concepts if c.proposed]
        pairs = [(e.source, e.target) for e in rows.edges if e.kind is EdgeKind.SAME_AS]
        both = np.array(sorted({*pairs, *(pair[::-1] for pair in pairs)}), dtype=np.int64).reshape(-1, 2)
        texts = {
            "codes": [c.code for c in listed],
            "fr": [c.label_fr or "" for c in listed],
            "en": [c.label_en or "" for c in listed],
        }
        ids = np.array([c.id for c in listed], dtype=np.int64)
        return cls({"ids": ids, "one": both[:, 0].copy(), "other": both[:, 1].copy()}, texts)

    def arrays(self) -> Arrays:
        """Ids, and pairs of the same."""
        return self._arrays

    def texts(self) -> Texts:
        """Codes and labels."""
        return dict(self._texts)

    @classmethod
    def from_store(cls, store: Store, prefix: str) -> Self:
        """Mapped."""
        return cls(
            {name: np.asarray(store.array(f"{prefix}{name}")) for name in ("ids", "one", "other")},
            {name: store.texts(f"{prefix}{name}") for name in ("codes", "fr", "en")},
        )

    def card(self, concept_id: int) -> Card:
        """Of a concept that search found. Raises KeyError for others."""
        ids = self._arrays["ids"]
        row = int(np.searchsorted(ids, concept_id))
        if row == ids.size or int(ids[row]) != concept_id:
            raise KeyError(concept_id)
        return Card(self._texts["codes"][row], self._texts["fr"][row] or None, self._texts["en"][row] or None)

    def names(self) -> dict[int, str]:
        """A name of each concept, the French one where there is one, by its id."""
        labels = zip(self._texts["fr"], self._texts["en"], strict=True)
        return dict(zip(self._arrays["ids"].tolist(), (fr or en for fr, en in labels), strict=True))

    def same(self, concept_id: int) -> set[int]:
        """The concepts joined to this one as the same."""
        first, last = np.searchsorted(self._arrays["one"], [concept_id, concept_id + 1]).tolist()
        return set(self._arrays["other"][first:last].tolist())


def make_graph(rows: Rows) -> Graph:
    """The graph over all concepts, retired ones too, with stored and derived edges."""
    return Graph(
        [*rows.edges, *derive(rows.concepts, rows.edges)],
        drawers(rows.concepts, rows.edges),
        [c.id for c in rows.concepts if c.kind is ConceptKind.OCCUPATION],
        [c.id for c in rows.concepts],
    )


#: By field of `Index`.
COMPONENTS: Final[Mapping[str, Maker]] = {
    "cards": Maker(Cards.of, Cards.from_store),
    "graph": Maker(make_graph, Graph.from_store),
    "search": Maker(lambda rows: SearchIndex(rows.phrases, pairs_of(rows)), SearchIndex.from_store),
    "titles": Maker(JobTitles.of, JobTitles.from_store),
}


@dataclass(frozen=True, slots=True)
class Index:
    """The components of one state of the taxonomy."""

    cards: Cards
    graph: Graph
    search: SearchIndex
    titles: JobTitles

    @classmethod
    def made(cls, rows: Rows, told: Told = lambda _name: None) -> Self:
        """Made in memory."""
        parts = {}
        for field, maker in COMPONENTS.items():
            told(field)
            parts[field] = maker.make(rows)
        return cls(**cast("dict[str, Any]", parts))

    @classmethod
    def from_store(cls, store: Store) -> Self:
        """Mapped from a folder that `contents` was written to."""
        parts = {field: maker.load(store, f"{field}.") for field, maker in COMPONENTS.items()}
        return cls(**cast("dict[str, Any]", parts))

    def contents(self) -> tuple[Arrays, Texts]:
        """All arrays and texts, by their names in the store."""
        arrays: Arrays = {}
        texts: Texts = {}
        for field in COMPONENTS:
            part: Component = getattr(self, field)
            arrays |= {f"{field}.{name}": array for name, array in part.arrays().items()}
            texts |= {f"{field}.{name}": listed for name, listed in part.texts().items()}
        return arrays, texts
