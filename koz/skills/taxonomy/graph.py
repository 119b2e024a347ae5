"""The graph of concepts: what a person who has one concept can be presumed to bring for others, and by which path."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koz.skills.taxonomy.kinds import EdgeKind
from koz.skills.taxonomy.rows import Edge

MAX_DEPTH: Final = 3
#: Paths weaker than this say nothing about a person.
FLOOR: Final = 0.2
#: How many results a graph remembers, each some kilobytes.
KEPT: Final = 2_000
#: Against its direction an edge is worth this share: knowing the wider thing only hints at the narrower one, and one
#: skill of a job is far from the job.
BACKWARDS: Final = {
    EdgeKind.BROADER: 0.6,
    EdgeKind.RELATED: 1.0,
    EdgeKind.SAME_AS: 1.0,
    EdgeKind.NEEDS: 0.3,
}


class Reached(NamedTuple):
    """How well a concept is reached: weight in (0, 1], and the ids passed on the way, without the two ends."""

    weight: float
    via: tuple[int, ...]


class Graph:
    """Immutable graph with best paths of at most `MAX_DEPTH` edges; the weight of a path is the product of its edges'.

    A path may end in a group but never passes through one: two skills of one drawer need not be alike. Ties are
    broken by fewer edges, then by the smaller ids, so results never depend on the order of the edges given.
    """

    def __init__(self, edges: Iterable[Edge], groups: Collection[int] = ()) -> None:
        self._groups = frozenset(groups)
        self._forward, self._backward = _both_ways(edges)
        self._reach: dict[int, dict[int, Reached]] = {}
        self._reached_by: dict[int, dict[int, Reached]] = {}

    def neighbours(self, concept_id: int) -> dict[int, float]:
        """Concepts one step away and how strongly `concept_id` speaks for each."""
        return dict(self._forward.steps(concept_id))

    def reach(self, concept_id: int) -> Mapping[int, Reached]:
        """What a person who has `concept_id` can be presumed to bring: itself (1, no way), and all it reaches."""
        known = self._reach.get(concept_id)
        if known is None:
            known = self._best(concept_id, self._forward)
            _keep(self._reach, concept_id, known)
        return known

    def reached_by(self, concept_id: int) -> Mapping[int, Reached]:
        """The concepts that speak for `concept_id`, with the same weights and ways as their own `reach` gives."""
        known = self._reached_by.get(concept_id)
        if known is None:
            backward = self._best(concept_id, self._backward)
            known = {other: Reached(r.weight, r.via[::-1]) for other, r in backward.items()}
            _keep(self._reached_by, concept_id, known)
        return known

    def _best(self, start: int, arcs: "_Arcs") -> dict[int, Reached]:
        best: dict[int, Reached] = {start: Reached(1.0, ())}
        frontier: dict[int, Reached] = dict(best)
        for _depth in range(MAX_DEPTH):
            step: dict[int, Reached] = {}
            for here in sorted(frontier):
                if here in self._groups and here != start:
                    continue
                weight, via = frontier[here]
                way = via if here == start else (*via, here)
                for there, arc in arcs.steps(here):
                    found = Reached(weight * arc, way)
                    if found.weight < FLOOR or not _better(found, best.get(there)):
                        continue
                    if _better(found, step.get(there)):
                        step[there] = found
            best.update(step)
            frontier = step
        return best


def _keep(cache: dict[int, dict[int, Reached]], concept_id: int, found: dict[int, Reached]) -> None:
    """Remember a result; a full memory is emptied, which is rare and cheap to mend."""
    if len(cache) >= KEPT:
        cache.clear()
    cache[concept_id] = found


def _better(found: Reached, known: Reached | None) -> bool:
    if known is None:
        return True
    if abs(found.weight - known.weight) > 1e-12:
        return found.weight > known.weight
    return (len(found.via), found.via) < (len(known.via), known.via)


class _Arcs:
    """Weighted arcs as compressed rows; of several arcs between two concepts the strongest counts."""

    def __init__(self, source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64]) -> None:
        order = np.lexsort((-weight, target, source))
        source, target, weight = source[order], target[order], weight[order]
        if source.size:
            first = np.ones(source.size, dtype=bool)
            first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
            source, target, weight = source[first], target[first], weight[first]
        ids, starts = np.unique(source, return_index=True)
        self._row = dict(zip(ids.tolist(), range(ids.size), strict=True))
        self._bounds = np.append(starts, source.size)
        self._target, self._weight = target, weight

    def steps(self, concept_id: int) -> list[tuple[int, float]]:
        row = self._row.get(concept_id)
        if row is None:
            return []
        part = slice(self._bounds[row], self._bounds[row + 1])
        return list(zip(self._target[part].tolist(), self._weight[part].tolist(), strict=True))


def _both_ways(edges: Iterable[Edge]) -> tuple[_Arcs, _Arcs]:
    """Arcs from a concept to those it speaks for, and the same arcs turned round."""
    listed = list(edges)
    source = np.array([e.source for e in listed], dtype=np.int64)
    target = np.array([e.target for e in listed], dtype=np.int64)
    weight = np.array([e.weight for e in listed], dtype=np.float64)
    back = weight * np.array([BACKWARDS[e.kind] for e in listed], dtype=np.float64)
    sources, targets = np.concatenate([source, target]), np.concatenate([target, source])
    weights = np.concatenate([weight, back])
    return _Arcs(sources, targets, weights), _Arcs(targets, sources, weights)


def find_cycle(broader: Mapping[str, Iterable[str]]) -> list[str]:
    """The codes of one ring among broader edges (narrower → broader), first code repeated at the end; [] if none."""
    state: dict[str, int] = {}
    for root in broader:
        if root in state:
            continue
        path: list[str] = [root]
        trail = [iter(broader.get(root, ()))]
        state[root] = 1
        while trail:
            following = next(trail[-1], None)
            if following is None:
                trail.pop()
                state[path.pop()] = 2
            elif state.get(following) == 1:
                return [*path[path.index(following) :], following]
            elif following not in state:
                state[following] = 1
                path.append(following)
                trail.append(iter(broader.get(following, ())))
    return []
