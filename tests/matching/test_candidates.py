"""Candidate lists in bulk hold exactly the pairs, scores and order that scoring every pair gives."""

import random
from datetime import date, timedelta

import numpy as np
import pytest

from koz.matching.candidates import Crowd, candidates
from koz.matching.scoring import Answers, Ask, Bid, Need, Path, best, score
from koz.matching.synthetic import make_market
from koz.skills.taxonomy import Edge, EdgeKind, Graph

DAY = date(2027, 1, 1)


def days(dice):
    """Sometimes two days in order, sometimes one, sometimes none."""
    first = DAY + timedelta(days=dice.randint(0, 20))
    return dice.choice([(None, None), (None, None), (first, None), (None, first), (first, first + timedelta(days=9))])


def random_ask(dice):
    starts_on, ends_on = days(dice)
    concepts = dice.sample(range(14), dice.randint(0, 5))
    return Ask(
        needs=tuple(
            Need(c, dice.randint(1, 5), dice.random() < 0.25, dice.choice([None, 0.5, 3.0])) for c in concepts
        ),
        language=dice.choice([None, "fr", "en"]), hours_per_week=dice.randint(0, 4), remote=dice.random() < 0.7,
        department=dice.choice([None, "75", "13", "987"]), cause=dice.choice(["", "climate", "health", "food"]),
        starts_on=starts_on, ends_on=ends_on,
    )  # fmt: skip


def random_bid(dice):
    available_from, available_until = days(dice)
    asked = dice.choice([0, 0, dice.randint(0, 9)])
    return Bid(
        skills={c: dice.randint(1, 5) for c in dice.sample(range(14), dice.choice([0, 1, 2, 2, 3, 5, 9]))},
        languages=frozenset(dice.sample(["fr", "en", "es"], dice.randint(0, 3))), hours_per_week=dice.randint(0, 5),
        remote=dice.random() < 0.6, departments=frozenset(dice.sample(["75", "13"], dice.randint(0, 2))),
        causes=frozenset(dice.sample(["climate", "health"], dice.randint(0, 2))),
        available_from=available_from, available_until=available_until,
        answers=Answers(asked, dice.randint(0, asked)),
    )  # fmt: skip


def random_graph(dice):
    edges = [Edge(*dice.sample(range(14), 2), EdgeKind.RELATED, dice.choice([0.4, 0.6, 0.8, 1.0])) for _ in range(16)]
    return Graph(edges)


def paths_to(graph, ask):
    ways = {n.concept_id: graph.reached_by(n.concept_id) for n in ask.needs}
    return {need: {c: Path(r.weight, r.via) for c, r in way.items()} for need, way in ways.items()}


def weights_to(graph):
    return lambda concept: {c: r.weight for c, r in graph.reached_by(concept).items()}


@pytest.mark.parametrize("seed", range(12))
def test_lists_of_both_sides_are_those_of_scoring_every_pair(seed):
    dice = random.Random(seed)
    graph = random_graph(dice)
    asks, bids = [random_ask(dice) for _ in range(30)], [random_bid(dice) for _ in range(80)]
    every = {(m, p): score(ask, bid, paths_to(graph, ask)) for m, ask in enumerate(asks) for p, bid in enumerate(bids)}
    wanted = {}
    for m in range(len(asks)):
        for p, s in best(((p, every[m, p]) for p in range(len(bids))), 6, key=lambda x: x):
            wanted[m, p] = round(s.total, 9)
    for p in range(len(bids)):
        for m, s in best(((m, every[m, p]) for m in range(len(asks))), 2, key=lambda x: x):
            wanted[m, p] = round(s.total, 9)
    crowd = Crowd(bids, weights_to(graph))
    edges = candidates(crowd, asks, per_mission=6, per_person=2)
    found = dict(zip(zip(edges.mission.tolist(), edges.person.tolist(), strict=True), edges.score, strict=True))
    assert list(found) == sorted(wanted)
    assert found == pytest.approx(wanted, abs=1e-12)
    for m, ask in enumerate(asks):
        ranked = best(((p, every[m, p]) for p in range(len(bids))), 7, key=lambda x: x)
        assert [p for p, _s in crowd.best(ask, 7)] == [p for p, _s in ranked]
        assert [s for _p, s in crowd.best(ask, 7)] == pytest.approx([s.total for _p, s in ranked], abs=1e-9)


def test_a_bigger_market_agrees_with_scoring_on_some_of_its_missions():
    market = make_market(3_000, 40, seed=5, clusters=6)
    graph = Graph([Edge(a, b, EdgeKind.RELATED, w) for a, b, w in market.edges])
    crowd = Crowd(market.bids, weights_to(graph))
    for ask in market.asks[:6]:
        paths = paths_to(graph, ask)
        ranked = best(((p, score(ask, bid, paths)) for p, bid in enumerate(market.bids)), 50, key=lambda x: x)
        assert [p for p, _s in crowd.best(ask)] == [p for p, _s in ranked]


def test_lists_are_as_long_as_told_and_merging_them_loses_nothing(monkeypatch):
    market = make_market(400, 60, seed=2, clusters=2)
    graph = Graph([Edge(a, b, EdgeKind.RELATED, w) for a, b, w in market.edges])
    crowd = Crowd(market.bids, weights_to(graph))
    whole = candidates(crowd, market.asks, per_mission=0, per_person=3)
    assert np.bincount(whole.person).max() == 3
    monkeypatch.setattr("koz.matching.candidates.BLOCK", 16)
    again = candidates(crowd, market.asks, per_mission=0, per_person=3)
    assert all(np.array_equal(a, b) for a, b in zip(whole, again, strict=True))
    assert np.bincount(candidates(crowd, market.asks, per_mission=7, per_person=0).mission).max() == 7


def test_no_people_no_missions_no_skills_give_no_pairs():
    nobody = Crowd([], lambda _concept: {})
    ask = Ask(needs=(Need(1, 3),), language="fr", hours_per_week=2)
    assert candidates(nobody, [ask]).score.size == 0
    silent = Crowd([Bid(skills={}, languages=frozenset({"fr"}), hours_per_week=5)], lambda _concept: {})
    assert candidates(silent, [ask]).score.size == 0
    assert candidates(silent, []).score.size == 0
    assert silent.best(ask) == []


def test_progress_counts_every_mission_once():
    market = make_market(50, 300, seed=1, clusters=2)
    told = []
    candidates(Crowd(market.bids, lambda _concept: {}), market.asks, progress=told.append)
    assert sum(told) == 300
