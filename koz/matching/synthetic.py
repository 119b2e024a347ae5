"""Invented markets for tests, benchmarks and simulations: as many people and missions as one likes, always the same.

The model, after published descriptions of such markets and with no claim beyond them:

- skills come in clusters (trades). Within a cluster every skill is joined to its neighbours on a ring, and now and then
  to a skill of another cluster; so a need is spoken for by some thirty skills over paths of at most three edges;
- supply and demand both follow Zipf's law over the clusters, with the same order of popularity for a part of them
  only: some trades are offered by many and asked for by few, and the other way round;
- a person has a main trade and a few skills beside it. `stars` is the standard deviation of a quality that is theirs:
  who has more of it has higher levels and more skills, so that every mission wants the same few people;
- a mission needs skills of one trade and sometimes of a second, one of them in any case (must), and has one to three
  seats. Languages, places, hours, remote work and causes are spread so that about a third of the pairs are possible.

Everything is drawn from the seed; the same arguments give the same market on every machine.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from koz.matching.scoring import Ask, Bid, Need

CLUSTERS: Final = 300
PER_CLUSTER: Final = 10
CAUSES: Final = ("climate", "culture", "education", "food", "health", "housing", "rights", "solidarity")
PLACES: Final = tuple(f"{n:02d}" for n in range(1, 96))


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A market: rows of missions and people, seats by mission, and edges (concept, concept, weight) both ways."""

    asks: list[Ask]
    bids: list[Bid]
    seats: NDArray[np.int32]
    edges: list[tuple[int, int, float]]

    def as_json(self) -> dict[str, Any]:
        """The same market as a market file; concepts are named `c12`, people `p3`, missions `m4`."""
        return {
            "people": [_person(n, bid) for n, bid in enumerate(self.bids)],
            "missions": [_mission(n, ask, int(self.seats[n])) for n, ask in enumerate(self.asks)],
            "edges": [[f"c{a}", f"c{b}", weight] for a, b, weight in self.edges],
            "limits": {"per_person_per_week": 3, "invitations_per_seat": 3},
        }


def make_market(
    people: int, missions: int, *, seed: int = 0, stars: float = 0.15, clusters: int = CLUSTERS
) -> Synthetic:
    """A market of this size."""
    dice = np.random.default_rng(seed)
    supply = _zipf(clusters)
    demand = supply.copy()
    moved = dice.permutation(clusters)[: clusters // 2]
    demand[moved] = demand[dice.permutation(moved)]
    edges = _edges(dice, clusters)
    bids = _bids(dice, people, supply, stars)
    asks = _asks(dice, missions, demand)
    return Synthetic(asks, bids, dice.integers(1, 4, missions).astype(np.int32), edges)


def _zipf(clusters: int) -> NDArray[np.float64]:
    share = 1.0 / np.arange(1, clusters + 1)
    return np.asarray(share / share.sum())


def _edges(dice: np.random.Generator, clusters: int) -> list[tuple[int, int, float]]:
    """A ring in each cluster, and some edges to a skill of another cluster."""
    edges = []
    for cluster in range(clusters):
        first = cluster * PER_CLUSTER
        for n in range(PER_CLUSTER):
            here = first + n
            edges.append((here, first + (n + 1) % PER_CLUSTER, round(float(dice.uniform(0.6, 0.95)), 2)))
            if clusters > 1 and dice.random() < 0.7:
                there = int(dice.integers(clusters * PER_CLUSTER))
                if there != here:
                    edges.append((here, there, round(float(dice.uniform(0.4, 0.8)), 2)))
    return edges


def _bids(dice: np.random.Generator, people: int, supply: NDArray[np.float64], stars: float) -> list[Bid]:
    total = len(supply) * PER_CLUSTER
    main = dice.choice(len(supply), people, p=supply)
    quality = dice.normal(0.0, stars, people)
    number = np.clip(np.rint(8 + 10 * quality + dice.normal(0, 1.5, people)), 2, 14).astype(int)
    near = main[:, None] * PER_CLUSTER + dice.integers(0, PER_CLUSTER, (people, 14))
    far = dice.integers(0, total, (people, 14))
    skills = np.where(dice.random((people, 14)) < 0.75, near, far)
    levels = np.clip(np.rint(3 + 5 * quality[:, None] + dice.normal(0, 1, (people, 14))), 1, 5).astype(int)
    hours = dice.integers(1, 11, people)
    english, remote = dice.random(people) < 0.4, dice.random(people) < 0.75
    places, causes = dice.integers(0, len(PLACES), (people, 2)), dice.integers(0, len(CAUSES), (people, 2))
    both, en = frozenset({"fr", "en"}), frozenset({"en"})
    fr, some = frozenset({"fr"}), dice.random(people) < 0.1
    return [
        Bid(
            skills=dict(zip(skills[n, : number[n]].tolist(), levels[n, : number[n]].tolist(), strict=True)),
            languages=en if some[n] else both if english[n] else fr,
            hours_per_week=int(hours[n]),
            remote=bool(remote[n]),
            departments=frozenset(PLACES[p] for p in places[n]),
            causes=frozenset(CAUSES[c] for c in causes[n]),
        )
        for n in range(people)
    ]


def _asks(dice: np.random.Generator, missions: int, demand: NDArray[np.float64]) -> list[Ask]:
    asks = []
    for cluster in dice.choice(len(demand), missions, p=demand):
        own = dice.choice(PER_CLUSTER, dice.integers(3, 6), replace=False) + cluster * PER_CLUSTER
        other = dice.choice(len(demand), p=demand) * PER_CLUSTER + dice.integers(0, PER_CLUSTER, dice.integers(0, 4))
        concepts = dict.fromkeys([*own.tolist(), *other.tolist()])
        needs = tuple(Need(c, int(dice.integers(2, 5)), must=n == 0) for n, c in enumerate(concepts))
        remote = bool(dice.random() < 0.7)
        asks.append(
            Ask(
                needs=needs,
                language="fr" if dice.random() < 0.85 else "en",
                hours_per_week=int(dice.integers(1, 6)),
                remote=remote,
                department=None if remote and dice.random() < 0.5 else PLACES[dice.integers(0, len(PLACES))],
                cause=CAUSES[dice.integers(0, len(CAUSES))],
            )
        )
    return asks


def _person(n: int, bid: Bid) -> dict[str, Any]:
    return {
        "id": f"p{n}",
        "skills": {f"c{c}": level for c, level in bid.skills.items()},
        "hours_per_week": bid.hours_per_week,
        "languages": sorted(bid.languages),
        "places": sorted(bid.departments),
        "remote": bid.remote,
        "causes": sorted(bid.causes),
        "invited_this_week": 0,
    }


def _mission(n: int, ask: Ask, seats: int) -> dict[str, Any]:
    return {
        "id": f"m{n}",
        "needs": [{"skill": f"c{x.concept_id}", "level": x.level, "must": x.must} for x in ask.needs],
        "seats": seats,
        "hours_per_week": ask.hours_per_week,
        "language": ask.language,
        "place": ask.department,
        "remote_ok": ask.remote,
        "cause": ask.cause,
    }
