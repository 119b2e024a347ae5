"""What inviting by plan does, compared with every mission inviting the three it likes best. Pure and seeded.

**Market.** People have one to three trades out of 300 and a proficiency in each; missions ask for one trade or two and
have one to three seats. Supply and demand follow Zipf's law (exponent 1.2). A score is the mean proficiency in what is
asked, a small part of chance for the pair, and the person's star effect, normal with mean 0 and deviation `stars`,
which makes all missions like the same people. Scores are drawn straight away, without skills and paths: only their
shape matters here. Each mission knows its best 50; the plan also knows each person's own best five missions.

**Behaviour**, an assumption and no measurement: whoever gets n invitations in a round is willing to take each with
p = .35, and with p × √(3 / n) when n is above 3, because many letters make tired. Of those they are willing to take
they choose the best one and are engaged from then on; whoever is engaged takes nothing more. A mission takes its yeses
in the order of scores until its seats are filled. Then the next round, with three invitations for each open seat and
never the same pair twice.

**Policies.** `top`: each mission invites the first of its list; it cannot know who is engaged elsewhere or drowning in
letters. `plan`: `planning.plan` with the bonuses of STAGES over the people who are free, at most three invitations for
a person in a round. Both meet the same market, and chance is drawn from the same seed.

How much the plan gains hangs on how crowded the market is: at 10,000 people and 2,000 missions it fills about 1.7 times
the seats without stars and 2.4 times with a star effect of .15; with the exponent 1.0 it is 1.4 and 2.0 times.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from koz.matching.planning import Edges, Ints, Stages, plan

CLUSTERS: Final = 300
TRADES: Final = 3
ZIPF: Final = 1.2
#: Deviation of the part of a score that is the pair's own.
CHANCE: Final = 0.01
WILLING: Final = 0.35
#: Invitations a person may get in a round, and a mission may send for each open seat.
PER_PERSON: Final = 3
PER_SEAT: Final = 3
KNOWN_BY_MISSION: Final = 50
KNOWN_BY_PERSON: Final = 5
#: What the first, second and third invitation of a seat are worth beside their scores (`planning.Stages`).
STAGES: Final = (0.5, 0.25, 0.0)

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Market:
    """Pairs in the order of (mission, falling score); `listed`: among the mission's best 50."""

    edges: Edges
    listed: Flags
    seats: Ints
    people: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy came to. Shares are between 0 and 1; `gini` is that of invitations over all people."""

    policy: str
    seats: int
    filled: float
    invitations: int
    per_filled_seat: float
    most_asked: int
    most_asked_in_a_round: int
    gini: float
    ever_invited: float
    filled_by_round: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def make_market(people: int, missions: int, *, stars: float, seed: int = 0) -> Market:
    """A market of this size; the same arguments give the same market."""
    dice = np.random.default_rng(seed)
    share = np.arange(1.0, CLUSTERS + 1) ** -ZIPF
    share /= share.sum()
    trade = dice.choice(CLUSTERS, (people, TRADES), p=share)
    trade[np.arange(TRADES)[None, :] >= dice.integers(1, TRADES + 1, people)[:, None]] = -1
    skill = dice.uniform(0.3, 0.9, (people, TRADES))
    star = dice.normal(0.0, stars, people)
    asked = dice.choice(CLUSTERS, (missions, 2), p=share)
    asked[dice.random(missions) < 0.5, 1] = -2
    seats = dice.integers(1, 4, missions).astype(np.int32)
    level = np.zeros((CLUSTERS, people), dtype=np.float32)
    for column in range(TRADES):
        has = np.flatnonzero(trade[:, column] >= 0)
        np.maximum.at(level, (trade[has, column], has), skill[has, column].astype(np.float32))
    found = [_candidates(dice, level, asked[m], star) for m in range(missions)]
    person = np.concatenate([f[0] for f in found])
    mission = np.repeat(np.arange(missions), [len(f[0]) for f in found])
    score = np.concatenate([f[1] for f in found])
    own = np.lexsort((mission, -score, person))
    listed = _places(mission) < KNOWN_BY_MISSION
    liked = np.empty(len(person), dtype=np.bool_)
    liked[own] = _places(person[own]) < KNOWN_BY_PERSON
    keep = listed | liked
    edges = Edges(person[keep].astype(np.int32), mission[keep].astype(np.int32), score[keep])
    return Market(edges, listed[keep], seats, people)


def _candidates(
    dice: np.random.Generator, level: NDArray[np.float32], asked: NDArray[np.int64], star: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """People who meet something a mission asks for, and their scores, best first."""
    trades = asked[asked >= 0]
    fit = level[trades].mean(axis=0)
    person = np.flatnonzero(fit > 0)
    score = np.clip(fit[person] + star[person] + dice.normal(0.0, CHANCE, len(person)), 0.01, 1.05)
    order = np.lexsort((person, -score))
    return person[order], score[order]


def _places(group: NDArray[Any]) -> NDArray[np.int64]:
    """Place of each row within its run of equal values."""
    index = np.arange(len(group))
    starts = np.ones(len(group), dtype=np.bool_)
    starts[1:] = group[1:] != group[:-1]
    return np.asarray(index - np.maximum.accumulate(np.where(starts, index, 0)))


def simulate(market: Market, policy: str, *, rounds: int = 3, seed: int = 0) -> Outcome:
    """Play rounds of invitations with a policy, `top` or `plan`."""
    edges, seats = market.edges, market.seats.copy()
    dice = np.random.default_rng(seed)
    asked = np.zeros(len(edges.score), dtype=np.bool_)
    free = np.ones(market.people, dtype=np.bool_)
    number = np.zeros(market.people, dtype=np.int64)
    most, filled = 0, []
    for _round in range(rounds):
        open_to = ~asked & (seats[edges.mission] > 0)
        if policy == "top":
            now = _top(market, open_to, seats)
        else:
            now = _planned(market, open_to & free[edges.person], seats)
        asked |= now
        load = np.bincount(edges.person[now], minlength=market.people)
        number += load
        most = max(most, int(load.max(initial=0)))
        _answer(dice, edges, now, load, seats, free)
        filled.append(1.0 - float(seats.sum()) / float(market.seats.sum()))
    all_seats, invitations = int(market.seats.sum()), int(asked.sum())
    return Outcome(
        policy=policy,
        seats=all_seats,
        filled=filled[-1],
        invitations=invitations,
        per_filled_seat=invitations / max(all_seats - int(seats.sum()), 1),
        most_asked=int(number.max(initial=0)),
        most_asked_in_a_round=most,
        gini=gini(number),
        ever_invited=float((number > 0).mean()),
        filled_by_round=tuple(filled),
    )


def _top(market: Market, open_to: Flags, seats: Ints) -> Flags:
    """The first of each mission's list."""
    rows = np.flatnonzero(open_to & market.listed)
    mission = market.edges.mission[rows]
    now = np.zeros(len(open_to), dtype=np.bool_)
    now[rows[_places(mission) < PER_SEAT * seats[mission]]] = True
    return now


def _planned(market: Market, open_to: Flags, seats: Ints) -> Flags:
    """What the plan chooses."""
    rows = np.flatnonzero(open_to)
    person, mission, score = market.edges
    some = Edges(person[rows], mission[rows], score[rows])
    room = np.full(market.people, PER_PERSON, dtype=np.int32)
    stages = Stages(STAGES, seats, np.zeros(len(seats), dtype=np.int32))
    now = np.zeros(len(open_to), dtype=np.bool_)
    now[rows[plan(some, room, PER_SEAT * seats, stages).chosen]] = True
    return now


def _answer(
    dice: np.random.Generator, edges: Edges, now: Flags, load: NDArray[np.int64], seats: Ints, free: Flags
) -> None:
    """Draw the answers; seats are taken and people engaged in place."""
    rows = np.flatnonzero(now)
    n = np.maximum(load[edges.person[rows]], PER_PERSON)
    yes = rows[dice.random(len(rows)) < WILLING * np.sqrt(PER_PERSON / n)]
    yes = yes[free[edges.person[yes]]]
    yes = yes[np.lexsort((edges.mission[yes], -edges.score[yes], edges.person[yes]))]
    yes = yes[_places(edges.person[yes]) == 0]
    yes = yes[np.lexsort((edges.person[yes], -edges.score[yes], edges.mission[yes]))]
    won = yes[_places(edges.mission[yes]) < seats[edges.mission[yes]]]
    np.subtract.at(seats, edges.mission[won], 1)
    free[edges.person[won]] = False


def gini(numbers: NDArray[Any]) -> float:
    """How unevenly something is spread: 0 all the same, towards 1 one has all. 0 when there is nothing."""
    total = float(numbers.sum())
    if not total:
        return 0.0
    ordered = np.sort(numbers).astype(np.float64)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))
