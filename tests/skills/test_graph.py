"""The graph against a naive reference, in bulk and from a folder; steps by name; derived edges; what paths mean."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koz.skills.taxonomy import Concept, ConceptKind, Edge, EdgeKind, Graph, Origin, store
from koz.skills.taxonomy.derived import CLOSEST, FAT, MOST, derive, drawers
from koz.skills.taxonomy.graph import BACKWARDS, FLOOR, MAX_DEPTH
from koz.skills.taxonomy.kinds import DERIVED

IDS = range(1, 8)


def some_edges():
    ids = st.sampled_from(IDS)
    weights = st.sampled_from([0.25, 0.44, 0.5, 0.7, 0.8, 0.9, 1.0])
    return st.lists(
        st.builds(Edge, ids, ids, st.sampled_from(EdgeKind), weights, st.sampled_from(Origin)).filter(
            lambda e: e.source != e.target
        ),
        max_size=16,
    )


some_ids = st.sets(st.sampled_from(IDS), max_size=3)


def naive(edges, groups, jobs, start):
    """Best paths by trying all of them: {end: (weight, via)}; the rules as the docstring of `Graph` says them."""
    arcs = {}
    for e in edges:
        for a, b, w in ((e.source, e.target, e.weight), (e.target, e.source, e.weight * BACKWARDS[e.kind])):
            arcs[a, b] = max(w, arcs.get((a, b), 0.0))
    best = {start: (1.0, ())}
    for length in range(1, MAX_DEPTH + 1):
        for path in itertools.permutations([i for i in IDS if i != start], length):
            steps = list(itertools.pairwise((start, *path)))
            if not all(step in arcs for step in steps) or groups & set(path[:-1]):
                continue
            if any(a not in jobs and b in jobs for a, b in steps[:-1]):
                continue
            weight = float(np.prod([arcs[step] for step in steps]))
            found, via = best.get(path[-1], (0.0, ()))
            better = weight > found + 1e-9 or (
                weight > found - 1e-9 and (len(path) - 1, path[:-1]) < (len(via), via) and found
            )
            if weight >= FLOOR - 1e-9 and better:
                best[path[-1]] = (weight, path[:-1])
    return best


def as_known(reached):
    return {end: (pytest.approx(r.weight), r.via) for end, r in reached.items()}


@given(some_edges(), some_ids, some_ids)
def test_reach_is_the_best_of_all_paths(edges, groups, jobs):
    graph = Graph(edges, groups, jobs)
    for start in IDS:
        assert as_known(graph.reach(start)) == naive(edges, groups, jobs, start)


@given(some_edges(), some_ids, some_ids)
def test_reached_by_is_reach_seen_from_the_other_end(edges, groups, jobs):
    graph = Graph(edges, groups, jobs)
    there = {(a, b): pytest.approx(r.weight) for a in IDS for b, r in graph.reach(a).items()}
    assert {(a, b): r.weight for b in IDS for a, r in graph.reached_by(b).items()} == there


@given(some_edges(), some_ids, some_ids, st.lists(st.sampled_from([*IDS, 99]), max_size=40))
def test_many_at_once_are_each_alone(edges, groups, jobs, wanted):
    graph = Graph(edges, groups, jobs)
    for backwards, alone in ((False, graph.reach), (True, graph.reached_by)):
        ids, matrix = graph.reach_matrix(wanted, backwards=backwards)
        assert matrix.shape == (len(wanted), len(ids))
        for line, concept in enumerate(wanted):
            row = matrix[[line]]
            found = dict(zip(ids[row.indices].tolist(), row.data.tolist(), strict=True))
            assert found == {end: pytest.approx(r.weight) for end, r in alone(concept).items()}


@given(some_edges(), some_ids, some_ids)
def test_every_step_of_a_path_has_a_kind_and_an_origin(edges, groups, jobs):
    graph = Graph(edges, groups, jobs)
    stated = {(e.source, e.target, e.kind, e.origin) for e in edges}
    for start in IDS:
        for end, (weight, via) in graph.reach(start).items():
            steps = graph.steps(start, via, end)
            assert weight == pytest.approx(float(np.prod([s.weight for s in steps])))
            assert len(steps) == (0 if start == end else len(via) + 1)
            for s in steps:
                ends = (s.target, s.source) if s.against else (s.source, s.target)
                assert (*ends, s.kind, s.origin) in stated


@given(some_edges(), some_ids, some_ids)
def test_a_graph_from_a_folder_is_the_graph_written(tmp_path_factory, edges, groups, jobs):
    graph = Graph(edges, groups, jobs, [50])
    arrays = {f"graph.{name}": array for name, array in graph.arrays().items()}
    mapped = Graph.from_store(store.write(tmp_path_factory.mktemp("graph") / "a", arrays, {}), "graph.")
    for start in (*IDS, 50, 51):
        assert mapped.reach(start) == graph.reach(start)
        assert mapped.neighbours(start) == graph.neighbours(start)


def test_there_is_no_step_where_there_is_no_edge():
    graph = Graph([Edge(1, 2, EdgeKind.BROADER, 0.8)])
    assert graph.step(1, 3) is None
    assert graph.step(9, 1) is None
    assert graph.step(2, 1) == (2, 1, EdgeKind.BROADER, Origin.KOZ, pytest.approx(0.48), True)
    with pytest.raises(AssertionError, match="no such path"):
        graph.steps(1, (3,), 2)


def test_a_skill_speaks_for_a_job_but_not_through_it_for_the_job_s_other_skills():
    needs = [Edge(9, skill, EdgeKind.NEEDS, 0.9) for skill in (1, 2)]
    title = [Edge(9, 3, EdgeKind.RELATED, 0.8), Edge(9, 10, EdgeKind.RELATED, 0.8), Edge(10, 4, EdgeKind.NEEDS, 0.9)]
    graph = Graph([*needs, *title], jobs=[9, 10])
    assert set(graph.reach(1)) == {1, 9}
    assert set(graph.reach(3)) == {3, 9}
    assert graph.reach(9)[4] == (pytest.approx(0.72), (10,))
    assert set(graph.reached_by(2)) == {2, 9, 10}


# --- derived edges


def concept(number, kind=ConceptKind.SKILL, origin=Origin.ESCO):
    return Concept(number, f"c{number}", origin, kind, None, f"c{number}")


def drawer_of(count, origin=Origin.ESCO, kind=ConceptKind.GROUP):
    concepts = [concept(0, kind, origin), *(concept(n, origin=origin) for n in range(1, count + 1))]
    return concepts, [Edge(n, 0, EdgeKind.BROADER, 0.7, origin) for n in range(1, count + 1)]


def test_things_in_a_narrow_drawer_are_siblings_the_more_so_the_fewer_they_are():
    weights = {}
    for count in (2, 5, FAT, FAT + 1):
        found = derive(*drawer_of(count))
        assert {e.kind for e in found} <= {EdgeKind.SIBLING}
        weights[count] = {e.weight for e in found}
        assert len(found) == (count * (count - 1) // 2 if count <= FAT else 0)
    assert MOST >= min(weights[2]) > min(weights[5]) > min(weights[FAT]) >= FLOOR


def test_nothing_is_derived_from_our_own_taxonomy_and_the_origin_is_told():
    assert derive(*drawer_of(3, Origin.KOZ)) == []
    assert {e.origin for e in derive(*drawer_of(3, Origin.ROME))} == {Origin.ROME}


def test_groups_and_fat_concepts_of_others_are_drawers():
    for origin, kind, count, closed in [
        (Origin.ESCO, ConceptKind.GROUP, 1, True),
        (Origin.ROME, ConceptKind.SKILL, FAT, False),
        (Origin.ROME, ConceptKind.SKILL, FAT + 1, True),
        (Origin.KOZ, ConceptKind.SKILL, FAT + 1, False),
    ]:
        assert drawers(*drawer_of(count, origin, kind)) == ({0} if closed else frozenset())


def jobs_that_need(*needs):
    """A job for each set of skills (numbers below 100)."""
    skills = sorted(set(itertools.chain.from_iterable(needs)))
    concepts = [*map(concept, skills), *(concept(100 + n, ConceptKind.OCCUPATION) for n in range(len(needs)))]
    return concepts, [
        Edge(100 + n, skill, EdgeKind.NEEDS, 0.9, Origin.ESCO) for n, listed in enumerate(needs) for skill in listed
    ]


def test_skills_that_several_jobs_need_together_co_occur():
    found = derive(*jobs_that_need({1, 2}, {1, 2}, {1, 2, 3}, {3, 4}, {4, 5}))
    assert {(e.source, e.target): e.kind for e in found} == {(1, 2): EdgeKind.CO_OCCURS}
    assert found[0].weight <= MOST


def test_one_job_alone_says_nothing_and_what_every_job_needs_says_little():
    assert derive(*jobs_that_need({1, 2}, {3, 4})) == []
    everywhere = [{9, n} for n in range(1, 9)] * 2
    weights = {(e.source, e.target): e.weight for e in derive(*jobs_that_need(*everywhere))}
    assert not weights


@given(st.lists(st.sets(st.integers(1, 30), min_size=1, max_size=12), min_size=1, max_size=25))
def test_derived_edges_are_few_weak_and_told_once(needs):
    concepts, edges = jobs_that_need(*needs)
    found = derive(concepts, edges)
    assert len({(e.source, e.target) for e in found}) == len(found)
    assert all(e.source < e.target and FLOOR <= e.weight <= MOST and e.kind in DERIVED for e in found)
    assert len(found) <= CLOSEST * len({s for listed in needs for s in listed})
    assert found == derive(concepts[::-1], edges[::-1]) or sorted(found) == sorted(derive(concepts[::-1], edges[::-1]))


@given(st.lists(st.sets(st.integers(1, 12), min_size=1, max_size=6), min_size=1, max_size=14))
def test_no_path_has_two_derived_steps(needs):
    concepts, edges = jobs_that_need(*needs)
    graph = Graph([*edges, *derive(concepts, edges)], jobs=[c.id for c in concepts if c.id >= 100])
    for c in concepts:
        for end, (_weight, via) in graph.reach(c.id).items():
            assert sum(s.kind in DERIVED for s in graph.steps(c.id, via, end)) <= 1
