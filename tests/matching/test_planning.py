"""Planning: limits hold, the optimum is the one that other solvers find, order and shuffling change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from koz.matching.planning import STEP, Edges, Stages, plan, replan


def units(score):
    return np.rint(np.asarray(score) / STEP) * STEP


@st.composite
def markets(draw):
    """Edges, room, wanted: up to 8 people and 6 missions, with ties, empty rooms and worthless pairs."""
    people, missions = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    pairs = draw(st.sets(st.tuples(st.integers(0, people - 1), st.integers(0, missions - 1)), max_size=30))
    scores = draw(st.lists(st.sampled_from([0.0, 1e-7, 0.2, 0.25, 0.5, 0.500001, 0.9, 1.05]) | st.floats(0, 1),
                           min_size=len(pairs), max_size=len(pairs)))  # fmt: skip
    rows = sorted(pairs)
    edges = Edges(
        np.array([p for p, _ in rows], dtype=np.int32), np.array([m for _, m in rows], dtype=np.int32), np.array(scores)
    )
    room = np.array(draw(st.lists(st.integers(0, 3), min_size=people, max_size=people)), dtype=np.int32)
    wanted = np.array(draw(st.lists(st.integers(0, 5), min_size=missions, max_size=missions)), dtype=np.int32)
    return edges, room, wanted


def stages_of(wanted, sent=None):
    width = np.maximum(wanted // 3, 1).astype(np.int32)
    return Stages((0.5, 0.25, 0.0), width, np.zeros(len(wanted), np.int32) if sent is None else sent)


def optimum(edges, room, wanted, stages=None):
    """The optimum by linear programming (HiGHS): pairs, and for each mission how much of each stage it uses."""
    n, missions = len(edges.score), len(wanted)
    if not n:
        return 0.0
    bonus = list(stages.bonus) if stages else []
    extra = missions * len(bonus)
    values = np.concatenate([units(edges.score), *(np.full(missions, b) for b in bonus)])
    tops = np.ones(n + extra)
    left = stages.sent.astype(float).copy() if stages else None
    for k in range(len(bonus)):
        used = np.minimum(left, stages.width)
        left -= used
        tops[n + k * missions : n + (k + 1) * missions] = stages.width - used
    ones, rows = np.ones(n), np.arange(n)
    by_person = csr_array((ones, (edges.person, rows)), shape=(len(room), n + extra))
    by_mission = csr_array((ones, (edges.mission, rows)), shape=(missions, n + extra))
    limits, bounds = [by_person.toarray(), by_mission.toarray()], [room, wanted]
    if bonus:  # stages used ≤ invitations sent
        used = np.zeros((missions, n + extra))
        used[:, :n] = -by_mission.toarray()[:, :n]
        for k in range(len(bonus)):
            used[np.arange(missions), n + k * missions + np.arange(missions)] = 1
        limits.append(used)
        bounds.append(np.zeros(missions))
    found = linprog(
        -values, A_ub=np.vstack(limits), b_ub=np.concatenate(bounds), bounds=np.column_stack([0 * tops, tops])
    )
    assert found.status == 0
    return -found.fun


def within_limits(edges, chosen, room, wanted):
    assert (np.bincount(edges.person[chosen], minlength=len(room)) <= room).all()
    assert (np.bincount(edges.mission[chosen], minlength=len(wanted)) <= wanted).all()


@settings(deadline=None, max_examples=150)
@given(markets())
def test_limits_hold_and_the_sum_is_the_optimum_of_another_solver(market):
    edges, room, wanted = market
    found = plan(edges, room, wanted)
    within_limits(edges, found.chosen, room, wanted)
    assert found.objective == pytest.approx(units(edges.score)[found.chosen].sum(), abs=1e-9)
    assert found.value == found.objective == pytest.approx(optimum(edges, room, wanted), abs=1e-7)
    assert (edges.score[found.chosen] > STEP / 2).all()


@settings(deadline=None, max_examples=100)
@given(markets())
def test_with_stages_the_value_is_the_optimum_of_another_solver(market):
    edges, room, wanted = market
    some = edges.score > STEP
    edges = Edges(*(x[some] for x in edges))
    stages = stages_of(wanted, np.minimum(wanted, 1).astype(np.int32))
    found = plan(edges, room, wanted, stages)
    within_limits(edges, found.chosen, room, wanted)
    assert found.value == pytest.approx(optimum(edges, room, wanted, stages), abs=1e-7)


@settings(deadline=None, max_examples=100)
@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_changes_nothing(market, chance):
    edges, room, wanted = market
    order = np.array(chance.sample(range(len(edges.score)), len(edges.score)), dtype=int)
    shuffled = Edges(*(x[order] for x in edges))
    for stages in (None, stages_of(wanted)):
        assert (plan(shuffled, room, wanted, stages).chosen == plan(edges, room, wanted, stages).chosen[order]).all()


@settings(deadline=None, max_examples=100)
@given(markets(), st.data())
def test_more_room_never_makes_a_plan_worse(market, data):
    edges, room, wanted = market
    more = room.copy()
    more[data.draw(st.integers(0, len(room) - 1))] += 1
    wider = wanted.copy()
    wider[data.draw(st.integers(0, len(wanted) - 1))] += 1
    before = plan(edges, room, wanted).objective
    assert plan(edges, more, wanted).objective >= before - 1e-9
    assert plan(edges, room, wider).objective >= before - 1e-9


@settings(deadline=None, max_examples=100)
@given(markets(), st.data())
def test_a_new_plan_keeps_what_was_sent_and_is_the_best_of_the_rest(market, data):
    edges, room, wanted = market
    kept = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(edges.score), max_size=len(edges.score))), dtype=bool
    )
    found = replan(edges, room, wanted, kept)
    assert found.chosen[kept].all()
    person, mission = edges.person[kept], edges.mission[kept]
    left = np.maximum(room - np.bincount(person, minlength=len(room)), 0)
    open_to = np.maximum(wanted - np.bincount(mission, minlength=len(wanted)), 0)
    within_limits(edges, found.chosen & ~kept, left, open_to)
    rest = Edges(*(x[~kept] for x in edges))
    best = units(edges.score)[kept].sum() + optimum(rest, left, open_to)
    assert found.objective == pytest.approx(best, abs=1e-7)


def test_planning_again_after_no_change_changes_nothing():
    dice = np.random.default_rng(3)
    pairs = np.unique(dice.integers(0, [300, 60], (2000, 2)), axis=0).astype(np.int32)
    edges = Edges(pairs[:, 0], pairs[:, 1], dice.uniform(0.2, 1, len(pairs)))
    room, wanted = np.full(300, 3, np.int32), np.full(60, 4, np.int32)
    first = plan(edges, room, wanted)
    assert (replan(edges, room, wanted, first.chosen).chosen == first.chosen).all()


def test_stages_feed_every_mission_before_one_gets_more():
    edges = Edges(np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 0, 1], np.int32), np.array([0.9, 0.3, 0.8, 0.4]))
    room, wanted = np.ones(2, np.int32), np.full(2, 2, np.int32)
    assert plan(edges, room, wanted).chosen.tolist() == [True, False, True, False]
    fair = plan(edges, room, wanted, Stages((0.5, 0.0), np.ones(2, np.int32), np.zeros(2, np.int32)))
    assert fair.chosen.tolist() == [True, False, False, True]
    assert (fair.objective, fair.value) == (pytest.approx(1.3), pytest.approx(2.3))


@pytest.mark.parametrize(
    "edges",
    [
        Edges(np.array([0, 0], np.int32), np.array([0, 0], np.int32), np.array([0.5, 0.5])),
        Edges(np.array([0], np.int32), np.array([0], np.int32), np.array([np.nan])),
        Edges(np.array([1], np.int32), np.array([0], np.int32), np.array([0.5])),
        Edges(np.array([0], np.int32), np.array([0, 1], np.int32), np.array([0.5])),
    ],
)
def test_what_makes_no_sense_is_refused(edges):
    with pytest.raises(ValueError, match=r"\."):
        plan(edges, np.ones(1, np.int32), np.ones(2, np.int32))


@pytest.mark.parametrize("staged", [False, True])
def test_among_many_plans_of_equal_worth_the_order_of_ids_decides(staged):
    dice = np.random.default_rng(5)
    pairs = np.unique(dice.integers(0, [300, 60], (3000, 2)), axis=0).astype(np.int32)
    edges = Edges(pairs[:, 0], pairs[:, 1], dice.integers(2, 6, len(pairs)) / 10)
    room, wanted = np.full(300, 1, np.int32), np.full(60, 4, np.int32)
    stages = stages_of(wanted) if staged else None
    first = plan(edges, room, wanted, stages).chosen
    for _ in range(5):
        order = dice.permutation(len(pairs))
        assert (plan(Edges(*(x[order] for x in edges)), room, wanted, stages).chosen == first[order]).all()
