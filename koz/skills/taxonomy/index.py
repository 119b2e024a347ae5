"""The index of the taxonomy: all that search and matching need, made once from the rows and mapped by every process.

It is made of components. A component is made from `Rows`, gives its `arrays()` and `texts()`, and comes back from a
store by `from_store(store, prefix)`: its names in the store are prefix and name, the prefix is its field and a dot. To
add one: a field of `Index` and a line in `COMPONENTS`.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final, NamedTuple, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

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
Contents = tuple[Arrays, Texts]
Told = Callable[[str], None]
"""Told the name of each part of the work as it is done."""


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
        """The concepts by id, each with its label: the French one if there is one."""
        ids = self._arrays["ids"].tolist()
        return {i: self._texts["fr"][row] or self._texts["en"][row] for row, i in enumerate(ids)}

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


#: From so many concepts on the components are worth a process each.
MANY: Final = 5_000
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
    def made(cls, rows: Rows) -> Self:
        """Made in memory, here."""
        with threadpool_limits(1):
            parts = {field: maker.make(rows) for field, maker in COMPONENTS.items()}
        return cls(**cast("dict[str, Any]", parts))

    @classmethod
    def from_store(cls, store: Store) -> Self:
        """Mapped from a folder that `contents` was written to."""
        parts = {field: maker.load(store, f"{field}.") for field, maker in COMPONENTS.items()}
        return cls(**cast("dict[str, Any]", parts))

    def contents(self) -> Contents:
        """All arrays and texts, by their names in the store."""
        return _joined(_named(field, getattr(self, field)) for field in COMPONENTS)


def make_contents(rows: Rows, told: Told = lambda _name: None) -> Contents:
    """What `Index.made(rows).contents()` is, with the components of a large taxonomy made side by side.

    Each is made in a process of its own, forked from this one, which must have no other threads (a command has none).
    """
    if len(rows.concepts) < MANY:
        for field in COMPONENTS:
            told(field)
        return Index.made(rows).contents()
    _Forked.rows = rows
    found = []
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        for made in as_completed([pool.submit(_make_one, field) for field in reversed(list(COMPONENTS))]):
            field, contents = made.result()
            told(field)
            found.append(contents)
    return _joined(found)


class _Forked:
    """What a forked process finds: handing it over would copy it."""

    rows: Rows


def _make_one(field: str) -> tuple[str, Contents]:
    with threadpool_limits(1):
        return field, _named(field, COMPONENTS[field].make(_Forked.rows))


def _named(field: str, part: Component) -> Contents:
    arrays = {f"{field}.{name}": array for name, array in part.arrays().items()}
    return arrays, {f"{field}.{name}": listed for name, listed in part.texts().items()}


def _joined(parts: Iterable[Contents]) -> Contents:
    arrays: Arrays = {}
    texts: Texts = {}
    for of_part, texts_of_part in parts:
        arrays |= of_part
        texts |= texts_of_part
    return arrays, texts
