"""The graph of concepts: what a person who has one concept can be presumed to bring for others, and by which path.

Held as arrays in compressed rows, so that a process can map it from a file (`arrays`, `from_store`). Concepts are
numbered by their place among the sorted ids; the numbers stay inside.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from koz.skills.taxonomy.kinds import EdgeKind, Origin
from koz.skills.taxonomy.rows import Edge
from koz.skills.taxonomy.store import Store

MAX_DEPTH: Final = 3
#: Paths weaker than this say nothing about a person.
FLOOR: Final = 0.2
#: Weights that differ by rounding only are equal: they are compared to this many decimals.
DECIMALS: Final = 12
#: How many reached concepts a graph remembers in all, some 200 bytes each.
KEPT: Final = 200_000
#: How many concepts are expanded at a time in bulk; a cell for each concept of the graph and each of these is held.
BLOCK: Final = 32
#: Against its direction an edge is worth this share: knowing the wider thing only hints at the narrower one, and one
#: skill of a job is far from the job.
BACKWARDS: Final = {
    EdgeKind.BROADER: 0.6,
    EdgeKind.RELATED: 1.0,
    EdgeKind.SAME_AS: 1.0,
    EdgeKind.NEEDS: 0.3,
    EdgeKind.SIBLING: 1.0,
    EdgeKind.CO_OCCURS: 1.0,
}
_KINDS: Final = tuple(EdgeKind)
_ORIGINS: Final = tuple(Origin)
_WAYS: Final = ("forward", "backward")
_ARRAYS: Final = ("bounds", "target", "weight", "how", "last")


class Reached(NamedTuple):
    """How well a concept is reached: weight in (0, 1], and the ids passed on the way, without the two ends."""

    weight: float
    via: tuple[int, ...]


class Step(NamedTuple):
    """One edge of a path as walked from `source` to `target`; `against`: the edge itself points the other way.

    `weight` is what the step counts in the path's product. The origin states the edge, or is what it is derived from
    (`sibling`, `co_occurs`).
    """

    source: int
    target: int
    kind: EdgeKind
    origin: Origin
    weight: float
    against: bool


class Graph:
    """Immutable graph with best paths of at most `MAX_DEPTH` edges; the weight of a path is the product of its edges'.

    A path may end in a drawer (`groups`) but never passes through one: two skills of one drawer need not be alike.
    A path that comes from a skill to one of the `jobs` ends there: one skill of a job says little of the others (what
    jobs have in common is told by co-occurrence), while from job to job and from a job to its skills it goes on.
    Ties are broken by fewer edges, then by the smaller ids, so results never depend on the order of the edges given.
    """

    def __init__(
        self,
        edges: Iterable[Edge],
        groups: Collection[int] = (),
        jobs: Collection[int] = (),
        concepts: Collection[int] = (),
        *,
        arrays: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """From edges; `concepts` without any are in the graph too. Or from the `arrays` of another graph."""
        made = _made_of(list(edges), groups, jobs, concepts) if arrays is None else arrays
        self.ids: NDArray[np.int64] = made["ids"]
        self._closed: NDArray[np.bool_] = made["closed"]
        self._forward, self._backward = (_Arcs(*(made[f"{way}.{name}"] for name in _ARRAYS)) for way in _WAYS)
        self._reach: dict[int, dict[int, Reached]] = {}
        self._reached_by: dict[int, dict[int, Reached]] = {}
        self._kept = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that the graph is made of."""
        found: dict[str, NDArray[Any]] = {"ids": self.ids, "closed": self._closed}
        for way, arcs in zip(_WAYS, (self._forward, self._backward), strict=True):
            found |= {f"{way}.{name}": getattr(arcs, name) for name in _ARRAYS}
        return found

    def texts(self) -> dict[str, list[str]]:
        """None."""
        return {}

    @classmethod
    def from_store(cls, store: Store, prefix: str) -> Self:
        """The graph whose arrays were written under this prefix, mapped."""
        names = ["ids", "closed", *(f"{way}.{name}" for way in _WAYS for name in _ARRAYS)]
        return cls((), arrays={name: np.asarray(store.array(f"{prefix}{name}")) for name in names})

    def neighbours(self, concept_id: int) -> dict[int, float]:
        """Concepts one step away and how strongly `concept_id` speaks for each."""
        row = self._row(concept_id)
        if row is None:
            return {}
        part = self._forward.part(row)
        return dict(
            zip(self.ids[self._forward.target[part]].tolist(), self._forward.weight[part].tolist(), strict=True)
        )

    def step(self, source: int, target: int) -> Step | None:
        """The edge by which `source` speaks for `target` directly; None when there is none."""
        row, there = self._row(source), self._row(target)
        if row is None or there is None:
            return None
        part = self._forward.part(row)
        place = part.start + int(np.searchsorted(self._forward.target[part], there))
        if place >= part.stop or int(self._forward.target[place]) != there:
            return None
        kind, origin, against = _unpacked(int(self._forward.how[place]))
        return Step(source, target, kind, origin, float(self._forward.weight[place]), against)

    def steps(self, source: int, via: Sequence[int], target: int) -> tuple[Step, ...]:
        """The edges of a path that `reach` or `reached_by` gave, in order; () from a concept to itself."""
        ends = [source, *via, target] if source != target else [source]
        found = tuple(self.step(*pair) for pair in pairwise(ends))
        walked = tuple(step for step in found if step is not None)
        assert len(walked) == len(found), f"no such path: {ends}"
        return walked

    def reach(self, concept_id: int) -> Mapping[int, Reached]:
        """What a person who has `concept_id` can be presumed to bring: itself (1, no way), and all it reaches."""
        known = self._reach.get(concept_id)
        if known is None:
            known = {other: Reached(weight, via) for other, weight, via in self._best(concept_id, self._forward)}
            self._keep(self._reach, concept_id, known)
        return known

    def reached_by(self, concept_id: int) -> Mapping[int, Reached]:
        """The concepts that speak for `concept_id`, with the same weights and ways as their own `reach` gives."""
        known = self._reached_by.get(concept_id)
        if known is None:
            backward = self._best(concept_id, self._backward)
            known = {other: Reached(weight, via[::-1]) for other, weight, via in backward}
            self._keep(self._reached_by, concept_id, known)
        return known

    def reach_matrix(self, concept_ids: Sequence[int], *, backwards: bool = False) -> "ReachMatrix":
        """`reach` of many concepts at once, weights only; with `backwards`, their `reached_by`.

        Some 0.1 ms a concept, where `reach` takes one to some ms.
        """
        wanted = np.array(concept_ids, dtype=np.int64)
        known = np.isin(wanted, self.ids)
        rows = np.searchsorted(self.ids, wanted[known])
        arcs = self._backward if backwards else self._forward
        width = self.ids.size
        best = np.zeros(BLOCK * width, dtype=np.float64)
        cells, weights = [], []
        for start in range(0, rows.size, BLOCK):
            touched = _expand(rows[start : start + BLOCK], arcs, self._closed, best, backwards=backwards)
            cells.append(touched + start * width)
            weights.append(best[touched])
            best[touched] = 0.0
        flat = np.concatenate([np.zeros(0, dtype=np.int64), *cells])
        data = np.concatenate([np.zeros(0), *weights])
        line = np.flatnonzero(known)[flat // width] if width else flat
        column = flat % width if width else flat
        ids = self.ids
        if not known.all():  # concepts without any edge reach themselves alone
            ids = np.union1d(self.ids, wanted)
            column = np.searchsorted(ids, self.ids)[column]
            alone = np.flatnonzero(~known)
            line = np.concatenate([line, alone])
            column = np.concatenate([column, np.searchsorted(ids, wanted[alone])])
            data = np.concatenate([data, np.ones(alone.size)])
        return ReachMatrix(ids, csr_matrix((data, (line, column)), shape=(wanted.size, ids.size)))

    def _row(self, concept_id: int) -> int | None:
        row = int(np.searchsorted(self.ids, concept_id))
        return row if row < self.ids.size and int(self.ids[row]) == concept_id else None

    def _keep(self, cache: dict[int, dict[int, Reached]], concept_id: int, found: dict[int, Reached]) -> None:
        """Remember a result; a full memory is emptied, which is rare and cheap to mend."""
        if self._kept + len(found) > KEPT:
            self._reach, self._reached_by, self._kept = {}, {}, 0
            return
        self._kept += len(found)
        cache[concept_id] = found

    def _best(self, start: int, arcs: "_Arcs") -> list[tuple[int, float, tuple[int, ...]]]:
        """Concepts reached from `start` over these arcs, with weight and way, in the order of ids."""
        row = self._row(start)
        if row is None:
            return [(start, 1.0, ())]
        best = frontier = _Ways.at(row)
        ends = []
        for depth in range(MAX_DEPTH):
            if depth:
                frontier = frontier.taken(~self._closed[frontier.there])
            found, end = _walk(frontier, arcs, depth, backwards=arcs is self._backward)
            ends.append(end)
            place = np.minimum(np.searchsorted(best.there, found.there), best.there.size - 1)
            known = best.there[place] == found.there
            frontier = found.taken(~known | (_rounded(found.weight) > _rounded(best.weight[place])))
            best = _Ways.joined([frontier, best])
        best = _Ways.joined([best, *ends])
        vias = zip(*(np.append(self.ids, -1)[passed].tolist() for passed in (best.first, best.second)), strict=True)
        ways = [tuple(v for v in pair if v >= 0) for pair in vias]
        return list(zip(self.ids[best.there].tolist(), best.weight.tolist(), ways, strict=True))


class ReachMatrix(NamedTuple):
    """Best weights: a row a concept asked for, in that order, a column a concept (`ids`, sorted); 0 = not reached."""

    ids: NDArray[np.int64]
    matrix: csr_matrix


class _Arcs(NamedTuple):
    """Arcs as compressed rows, targets ascending in each; of several arcs between two concepts the strongest is there.

    `how` packs the kind and origin of the edge, and whether it is walked against its direction. An arc that may only be
    the `last` one of a path leads from a skill to a job.
    """

    bounds: NDArray[np.int64]
    target: NDArray[np.int32]
    weight: NDArray[np.float64]
    how: NDArray[np.int16]
    last: NDArray[np.bool_]

    def part(self, row: int) -> slice:
        return slice(int(self.bounds[row]), int(self.bounds[row + 1]))

    def after(self, here: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places of all arcs that leave these rows, and for each which of the rows it leaves."""
        begin = self.bounds[here]
        count = self.bounds[here + 1] - begin
        which = np.repeat(np.arange(here.size), count)
        offset = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        return begin[which] + offset, which


class _Ways(NamedTuple):
    """Rows reached, aligned: weight, and the rows passed first and second (-1: none). In the order of rows."""

    there: NDArray[Any]
    weight: NDArray[np.float64]
    first: NDArray[Any]
    second: NDArray[Any]

    @classmethod
    def at(cls, row: int) -> "_Ways":
        """The start alone."""
        nowhere = np.full(1, -1, dtype=np.int64)
        return cls(np.array([row], dtype=np.int64), np.ones(1), nowhere, nowhere)

    @classmethod
    def joined(cls, parts: "Sequence[_Ways]") -> "_Ways":
        """The best way to each row: heaviest, then with fewer edges, then over the smaller rows."""
        ways = cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        length = (ways.first >= 0).astype(np.int8) + (ways.second >= 0)
        ways = ways.taken(np.lexsort((ways.second, ways.first, length, -_rounded(ways.weight), ways.there)))
        new = np.ones(ways.there.size, dtype=np.bool_)
        new[1:] = ways.there[1:] != ways.there[:-1]
        return ways.taken(new)

    def taken(self, which: NDArray[Any]) -> "_Ways":
        return _Ways(*(part[which] for part in self))


def _rounded(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(weight, DECIMALS)


def _walk(frontier: _Ways, arcs: _Arcs, depth: int, *, backwards: bool) -> tuple[_Ways, _Ways]:
    """One step further from every row of the frontier: the best ways that may go on, and those that end here."""
    place, which = arcs.after(frontier.there)
    weight = frontier.weight[which] * arcs.weight[place]
    taken = _rounded(weight) >= FLOOR
    if backwards and depth:  # seen from its end, a path's last arc is its first
        taken &= ~arcs.last[place]
    place, which, weight = place[taken], which[taken], weight[taken]
    first, second = frontier.first[which], frontier.second[which]
    if depth == 1:
        first = frontier.there[which]
    elif depth > 1:
        second = frontier.there[which]
    found = _Ways(arcs.target[place], weight, first, second)
    ends = arcs.last[place] & (not backwards)
    return _Ways.joined([found.taken(~ends)]), found.taken(ends)


def _expand(
    rows: NDArray[Any], arcs: _Arcs, closed: NDArray[np.bool_], best: NDArray[np.float64], *, backwards: bool
) -> NDArray[np.int64]:
    """Raise `best` (a line of cells for each of these rows, all 0 before) to what they reach; returns the cells."""
    width = closed.size
    cell = np.arange(rows.size, dtype=np.int64) * width + rows
    best[cell] = 1.0
    touched, ends = [cell], []
    for depth in range(MAX_DEPTH):
        if depth:
            cell = cell[~closed[cell % width]]
        here = cell % width
        place, which = arcs.after(here)
        weight = best[cell][which] * arcs.weight[place]
        there = cell[which] - here[which] + arcs.target[place]
        better = (_rounded(weight) >= FLOOR) & (_rounded(weight) > _rounded(best[there]))
        if backwards and depth:
            better &= ~arcs.last[place]
        elif not backwards:
            end = better & arcs.last[place]
            ends.append((there[end], weight[end]))
            better &= ~end
        there = there[better]
        np.maximum.at(best, there, weight[better])
        cell = np.unique(there)
        touched.append(cell)
    for there, weight in ends:
        np.maximum.at(best, there, weight)
        touched.append(there)
    return np.unique(np.concatenate(touched))


def _made_of(
    edges: Sequence[Edge], groups: Collection[int], jobs: Collection[int], concepts: Collection[int]
) -> dict[str, NDArray[Any]]:
    """The arrays of a graph."""
    source = np.array([e.source for e in edges], dtype=np.int64)
    target = np.array([e.target for e in edges], dtype=np.int64)
    others = (np.array(sorted(listed), dtype=np.int64) for listed in (groups, jobs, concepts))
    ids = np.unique(np.concatenate([source, target, *others]))
    arcs = _both_ways(edges, np.searchsorted(ids, source), np.searchsorted(ids, target), _marks(ids, jobs))
    named = {f"{way}.{name}": getattr(a, name) for way, a in zip(_WAYS, arcs, strict=True) for name in _ARRAYS}
    return {"ids": ids, "closed": _marks(ids, groups), **named}


def _marks(ids: NDArray[np.int64], some: Collection[int]) -> NDArray[np.bool_]:
    """Which of the ids are among some of them."""
    found = np.zeros(ids.size, dtype=np.bool_)
    found[np.searchsorted(ids, np.array(sorted(some), dtype=np.int64))] = True
    return found


def _both_ways(
    edges: Sequence[Edge], source: NDArray[np.int64], target: NDArray[np.int64], jobs: NDArray[np.bool_]
) -> tuple[_Arcs, _Arcs]:
    """Arcs from a concept to those it speaks for, and the same arcs turned round."""
    kinds = np.array([_KINDS.index(e.kind) for e in edges], dtype=np.int64)
    origins = np.array([_ORIGINS.index(e.origin) for e in edges], dtype=np.int64)
    share = np.array([BACKWARDS[kind] for kind in _KINDS])
    weight = np.array([e.weight for e in edges], dtype=np.float64)
    how = (kinds * len(_ORIGINS) + origins) * 2
    sources, targets = np.concatenate([source, target]), np.concatenate([target, source])
    weights = np.concatenate([weight, weight * share[kinds]])
    hows = np.concatenate([how, how + 1])
    last = ~jobs[sources] & jobs[targets]
    return (
        _compressed(sources, targets, weights, hows, last, jobs.size),
        _compressed(targets, sources, weights, hows, last, jobs.size),
    )


def _compressed(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    weight: NDArray[np.float64],
    how: NDArray[np.int64],
    last: NDArray[np.bool_],
    size: int,
) -> _Arcs:
    order = np.lexsort((how, -weight, target, source))
    first = np.ones(source.size, dtype=np.bool_)
    first[1:] = (np.diff(source[order]) != 0) | (np.diff(target[order]) != 0)
    chosen = order[first]
    bounds = np.searchsorted(source[chosen], np.arange(size + 1)).astype(np.int64)
    return _Arcs(bounds, target[chosen].astype(np.int32), weight[chosen], how[chosen].astype(np.int16), last[chosen])


def _unpacked(how: int) -> tuple[EdgeKind, Origin, bool]:
    kind, origin = divmod(how // 2, len(_ORIGINS))
    return _KINDS[kind], _ORIGINS[origin], bool(how % 2)


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
