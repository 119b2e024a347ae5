"""Invitations for a market file: candidate lists, the best plan over them, each invitation explained. Pure.

Up to `ALL_PAIRS` pairs of a person and a mission the plan is the best over all pairs that pass the gates; beyond, over
the lists of both sides (`candidates`), whose length follows from what a mission wants.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from koz.matching import planning, scoring
from koz.matching.candidates import PER_MISSION, Crowd, candidates
from koz.matching.market import Id, Market
from koz.matching.planning import Edges
from koz.matching.scoring import Score

ALL_PAIRS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Invitation:
    """A person to be asked for a mission, and why."""

    mission: Id
    person: Id
    score: Score


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A mission that wants more invitations than could be planned. `fitting` people pass its gates."""

    mission: Id
    seats: int
    wanted: int
    planned: int
    because: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A plan: invitations by mission, best first; `objective` is the sum of their scores."""

    invitations: tuple[Invitation, ...]
    unfilled: tuple[Unfilled, ...]
    objective: float
    seconds: float

    def as_json(self, market: Market) -> dict[str, Any]:
        """The document that `koz matching solve` prints.

        A term is lost when `met_by` and all of `also_met_by` are gone; `loss` says for each skill shown by how much the
        score falls when this one is taken away.
        """
        return {
            "invitations": [_as_json(i, market.concepts) for i in self.invitations],
            "unfilled": [
                {"mission": u.mission, "seats": u.seats, "wanted": u.wanted, "planned": u.planned,
                 "short": u.wanted - u.planned, "because": u.because}
                for u in self.unfilled
            ],
            "objective": self.objective,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


def solve(market: Market, progress: Callable[[int], Any] = lambda _done: None) -> Solution:
    """Plan the invitations of a market. `progress` is told how many missions more have been looked up."""
    began = time.perf_counter()
    wanted = np.array(
        [max(0, market.per_seat * s - w) for s, w in zip(market.seats, market.waiting, strict=True)], np.int32
    )
    room = np.array([max(0, market.per_week - n) for n in market.invited], np.int32)
    crowd = Crowd(market.bids, market.reached_by)
    if len(market.bids) * len(market.asks) <= ALL_PAIRS:
        edges = candidates(crowd, market.asks, per_mission=len(market.bids), per_person=0, progress=progress)
    else:
        longest = max(PER_MISSION, int(wanted.max(initial=0)))
        edges = candidates(crowd, market.asks, per_mission=longest, progress=progress)
    chosen = planning.plan(edges, room, wanted).chosen
    invitations = _explained(market, edges, np.flatnonzero(chosen).tolist())
    planned = np.bincount(edges.mission[chosen], minlength=len(market.asks)).tolist()
    fitting = np.bincount(edges.mission, minlength=len(market.asks)).tolist()
    unfilled = tuple(
        Unfilled(market.missions[m], market.seats[m], want, planned[m], _because(market, m, fitting[m], want))
        for m, want in enumerate(wanted.tolist())
        if planned[m] < want
    )
    objective = math.fsum(i.score.total for i in invitations)
    return Solution(invitations, unfilled, objective, time.perf_counter() - began)


def _because(market: Market, mission: int, fitting: int, wanted: int) -> str:
    """Why a mission is short: no needs, nobody fits, fewer fit than it wants, or they are asked enough already."""
    if not market.asks[mission].needs:
        return "no needs"
    if not fitting:
        return "nobody fits"
    return "too few fit" if fitting < wanted else "those who fit are asked enough"


def _explained(market: Market, edges: Edges, chosen: list[int]) -> tuple[Invitation, ...]:
    """The chosen pairs by mission, best first, ties in the order of people."""
    found: list[tuple[int, float, int, Invitation]] = []
    last, paths = -1, market.paths_to(market.asks[0]) if market.asks else {}
    for n in chosen:
        person, mission = int(edges.person[n]), int(edges.mission[n])
        if mission != last:
            last, paths = mission, market.paths_to(market.asks[mission])
        score = scoring.score(market.asks[mission], market.bids[person], paths)
        invitation = Invitation(market.missions[mission], market.people[person], score)
        found.append((mission, -round(score.total, 9), person, invitation))
    found.sort(key=lambda x: x[:3])
    return tuple(x[3] for x in found)


def _as_json(invitation: Invitation, concepts: tuple[str, ...]) -> dict[str, Any]:
    score = invitation.score
    skills = dict.fromkeys(c for t in score.terms for c in t.met_by)
    return {
        "mission": invitation.mission,
        "person": invitation.person,
        "score": score.total,
        "terms": [
            {
                "kind": t.kind.value,
                "need": None if t.need is None else concepts[t.need],
                "met_by": concepts[t.met_by[0]] if t.met_by else None,
                "also_met_by": [concepts[c] for c in t.met_by[1:]],
                "via": [concepts[c] for c in t.via],
                "value": t.value,
            }
            for t in score.terms
        ],
        "loss": {concepts[c]: score.loss_without([c]) for c in skills},
        "missing": [concepts[n.concept_id] for n in score.missing],
    }
