"""Edges that no file states, derived from what ESCO and ROME say when the index is built: siblings and co-occurrence.

**Siblings**: two skills under one narrow thing. A drawer of two says that they are alike, one of thirty hardly does,
one of a hundred nothing: weight 0.5 / (1 + log10 n) for n in the drawer, up to `FAT`.

**Co-occurrence**: two skills that the same jobs need. Jobs with few skills say more than those with many (log of the
share), essential needs more than optional ones; the cosine of both skills over all jobs is damped where few jobs
stand behind it, n / (n + 2), and one job alone says nothing. Each skill keeps its `CLOSEST`.

Both are presumptions, so no weight is above `MOST`, whose square is below the graph's floor: of a path that counts, at
most one step is derived, and a derived step alone never meets a must-have. Weights below the floor are left out.
Our own taxonomy states its edges by hand: none is derived from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from math import log10
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from koz.skills.taxonomy.graph import FLOOR
from koz.skills.taxonomy.kinds import ConceptKind, EdgeKind, Origin
from koz.skills.taxonomy.rows import Concept, Edge

#: Strongest weight of a derived edge.
MOST: Final = 0.44
#: A concept with more narrower ones than this is a drawer: things in it need not be alike.
FAT: Final = 30
#: How many co-occurring skills a skill keeps; it may be kept by more.
CLOSEST: Final = 12
#: Jobs that must need both skills, and how much few jobs damp the weight.
MIN_JOBS: Final = 2
DAMPING: Final = 2.0
#: Skills are compared this many at a time, which bounds the memory.
ROWS_AT_A_TIME: Final = 4_000
_SKILLS: Final = frozenset({ConceptKind.SKILL, ConceptKind.KNOWLEDGE})


def drawers(concepts: Iterable[Concept], edges: Iterable[Edge]) -> frozenset[int]:
    """Concepts that no path passes through: groups, and others' concepts with more narrower ones than `FAT`."""
    listed = list(concepts)
    fat = {c for c, narrower in _narrower(listed, edges).items() if len(narrower) > FAT}
    return frozenset(
        c.id for c in listed if c.kind is ConceptKind.GROUP or (c.id in fat and c.origin is not Origin.KOZ)
    )


def derive(concepts: Sequence[Concept], edges: Sequence[Edge]) -> list[Edge]:
    """Sibling and co-occurrence edges, each pair once a kind, the smaller id first."""
    return [*_siblings(concepts, edges), *_co_occurring(concepts, edges)]


def _narrower(concepts: Iterable[Concept], edges: Iterable[Edge]) -> dict[int, list[int]]:
    """Skills and knowledge by what is broader than they, in the order of ids."""
    skills = {c.id for c in concepts if c.kind in _SKILLS}
    found: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        if edge.kind is EdgeKind.BROADER and edge.source in skills:
            found[edge.target].append(edge.source)
    return {parent: sorted(children) for parent, children in found.items()}


def _siblings(concepts: Sequence[Concept], edges: Sequence[Edge]) -> list[Edge]:
    origins = {c.id: c.origin for c in concepts}
    weights: dict[tuple[int, int], float] = {}
    for parent, children in sorted(_narrower(concepts, edges).items()):
        if origins[parent] is Origin.KOZ or not 1 < len(children) <= FAT:
            continue
        weight = round(min(MOST, 0.5 / (1 + log10(len(children)))), 4)
        for pair in combinations(children, 2):
            weights[pair] = max(weight, weights.get(pair, 0.0))
    return [Edge(a, b, EdgeKind.SIBLING, weight, origins[a]) for (a, b), weight in weights.items() if weight >= FLOOR]


def _co_occurring(concepts: Sequence[Concept], edges: Sequence[Edge]) -> list[Edge]:
    kinds = {c.id: c.kind for c in concepts}
    found: list[Edge] = []
    for origin in (Origin.ESCO, Origin.ROME):
        needs = [e for e in edges if e.kind is EdgeKind.NEEDS and e.origin is origin and kinds[e.target] in _SKILLS]
        if not needs:
            continue
        jobs, job = np.unique(np.array([e.source for e in needs], dtype=np.int64), return_inverse=True)
        skills, skill = np.unique(np.array([e.target for e in needs], dtype=np.int64), return_inverse=True)
        shape = (skills.size, jobs.size)
        needed = csr_matrix((np.array([e.weight for e in needs]), (skill, job)), shape=shape)
        for a, b, weight in zip(*_closest(needed), strict=True):
            found.append(Edge(int(skills[a]), int(skills[b]), EdgeKind.CO_OCCURS, float(weight), origin))
    return found


def _closest(needed: csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of rows (smaller first) that are among each other's or one another's `CLOSEST`, with their weights."""
    counted = needed.copy()
    counted.data = np.ones_like(counted.data)
    size = np.asarray(counted.sum(axis=0)).ravel()
    told = needed @ diags_array(np.log(1 + needed.shape[0] / np.maximum(size, 1)))
    length = np.sqrt(np.asarray(told.multiply(told).sum(axis=1)).ravel())
    told = csr_matrix(diags_array(1 / length) @ told)
    firsts, seconds, weights = [], [], []
    for start in range(0, needed.shape[0], ROWS_AT_A_TIME):
        part = slice(start, start + ROWS_AT_A_TIME)
        line, other, weight = _damped(csr_matrix(told[part] @ told.T), csr_matrix(counted[part] @ counted.T))
        line = line + start
        keep = (weight >= FLOOR) & (line != other)
        line, other, weight = line[keep], other[keep], weight[keep]
        order = np.lexsort((other, -weight, line))
        line, other, weight = line[order], other[order], weight[order]
        begins = np.searchsorted(line, line)
        near = np.arange(line.size) - begins < CLOSEST
        firsts.append(np.minimum(line, other)[near])
        seconds.append(np.maximum(line, other)[near])
        weights.append(weight[near])
    first, second, weight = (np.concatenate(parts) for parts in (firsts, seconds, weights))
    _pairs, once = np.unique(first.astype(np.int64) * needed.shape[0] + second, return_index=True)
    return first[once], second[once], weight[once]


def _damped(cosine: csr_matrix, jobs: csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows, columns and weights of the pairs that enough jobs need together."""
    cosine.sort_indices()
    jobs.sort_indices()
    assert np.array_equal(cosine.indices, jobs.indices)
    enough = jobs.data >= MIN_JOBS
    line = np.repeat(np.arange(cosine.shape[0]), np.diff(cosine.indptr))[enough]
    shared = jobs.data[enough]
    weight = np.round(np.minimum(MOST, cosine.data[enough] * shared / (shared + DAMPING)), 4)
    return line, cosine.indices[enough].astype(np.int64), weight
