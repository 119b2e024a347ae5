"""Whom to invite for what, over all missions at once. Pure: arrays in, arrays out; no database, no clock, no chance.

A plan chooses candidate pairs (person, mission). No person gets more invitations than their room, no mission sends
more than it wants, and nobody has to be invited: what is not worth anything stays unused.

**Objective.** `plan` maximises the plain sum of the chosen scores, exactly, scores being rounded to 1e-6. With
`stages` it maximises the sum of the scores plus a bonus for each invitation, which falls with the number of
invitations that the same mission sends already: the first invitation of a seat is worth more than the third. That is
a concave value for each mission, so that none starves while another drowns, and it stays a flow: each stage is an arc
of its own with a lower price. `Plan.objective` is always the plain sum of the scores; `Plan.value` has the bonuses in.

**Ties.** Pairs are brought into the order of (person, mission) first, and the solver is deterministic: the same pairs
give the same plan whatever their order. Among plans of equal worth this order of ids decides, and nothing else does.

**Method.** Minimum-cost flow by cost scaling (OR-Tools' SimpleMinCostFlow): missions → people → sink, and an arc from
each mission to the sink for what it doesn't send. Costs are integers, so the optimum is exact, not a tolerance.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow

#: Scores are counted in these steps.
STEP: Final = 1e-6

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


class Edges(NamedTuple):
    """Candidate pairs, each at most once; aligned arrays. A higher score (above 0) is better."""

    person: Ints
    mission: Ints
    score: NDArray[np.float64]


class Stages(NamedTuple):
    """What the number of a mission's invitations is worth beside their scores.

    `bonus[k]`, falling and not negative, is added for each of the first `width[m]` invitations of mission m not yet
    counted in an earlier stage; after the last stage nothing is added. `sent[m]` invitations wait already and have
    used up the first stages.
    """

    bonus: tuple[float, ...]
    width: Ints
    sent: Ints


class Plan(NamedTuple):
    """The chosen pairs (aligned with the edges), the sum of their scores, and that sum with the bonuses."""

    chosen: NDArray[np.bool_]
    objective: float
    value: float


def plan(edges: Edges, room: Ints, wanted: Ints, stages: Stages | None = None) -> Plan:
    """The best plan. `room[p]`: invitations person p may still get; `wanted[m]`: those mission m may still send.

    O(E) memory; about a microsecond and a half for each pair. Raises ValueError on arrays that don't fit together, on
    pairs given twice, and on scores that aren't finite.
    """
    _check(edges, room, wanted, stages)
    room, wanted = np.maximum(room, 0), np.maximum(wanted, 0)
    units = np.rint(edges.score / STEP).astype(np.int64)
    use = (units > 0) & (room[edges.person] > 0) & (wanted[edges.mission] > 0)
    order = np.flatnonzero(use)
    order = order[np.lexsort((edges.mission[order], edges.person[order]))]
    chosen = np.zeros(len(edges.score), dtype=np.bool_)
    if len(order):
        flow = _solve(edges.person[order], edges.mission[order], units[order], room, wanted, stages)
        chosen[order[flow]] = True
    objective = float(units[chosen].sum()) * STEP
    return Plan(chosen, objective, objective + _bonuses(edges.mission[chosen], stages))


def replan(edges: Edges, room: Ints, wanted: Ints, kept: NDArray[np.bool_], stages: Stages | None = None) -> Plan:
    """The best plan that holds all `kept` pairs: invitations that were sent, or that others planned.

    Guarantees: every kept pair is chosen, even where a limit has been lowered below what was sent; nothing is added
    beyond a limit, kept pairs counted in; and among such plans it is the best (exact, as `plan`). `stages.sent` must
    not count the kept pairs.
    """
    _check(edges, room, wanted, stages)
    person, mission = edges.person[kept], edges.mission[kept]
    used = np.bincount(mission, minlength=len(wanted)).astype(np.int32)
    left = room - np.bincount(person, minlength=len(room)).astype(np.int32)
    free = np.flatnonzero(~kept)
    rest = Edges(edges.person[free], edges.mission[free], edges.score[free])
    after = stages._replace(sent=stages.sent + used) if stages else None
    found = plan(rest, left, wanted - used, after)
    chosen = kept.copy()
    chosen[free[found.chosen]] = True
    objective = float(np.rint(edges.score[chosen] / STEP).sum()) * STEP
    return Plan(chosen, objective, objective + _bonuses(edges.mission[chosen], stages))


def _check(edges: Edges, room: Ints, wanted: Ints, stages: Stages | None) -> None:
    person, mission, score = edges
    if not len(person) == len(mission) == len(score):
        raise ValueError("The arrays of the edges must have the same length.")
    if len(score) and not (
        person.min() >= 0 and person.max() < len(room) and mission.min() >= 0 and mission.max() < len(wanted)
    ):
        raise ValueError("An edge names a person or a mission that is not there.")
    if not np.isfinite(score).all():
        raise ValueError("A score is not a number.")
    if len(np.unique(person.astype(np.int64) * len(wanted) + mission)) != len(person):
        raise ValueError("A pair is given twice.")
    if stages is not None:
        falling = all(a >= b >= 0 for a, b in zip(stages.bonus, (*stages.bonus[1:], 0.0), strict=True))
        if not falling or len(stages.width) != len(wanted) or len(stages.sent) != len(wanted):
            raise ValueError("Stages need falling bonuses, and a width and a number for each mission.")


def _solve(
    person: Ints, mission: Ints, units: Longs, room: Ints, wanted: Ints, stages: Stages | None
) -> NDArray[np.bool_]:
    """Which of the pairs, in canonical order, carry flow."""
    people, p = np.unique(person, return_inverse=True)
    missions, m = np.unique(mission, return_inverse=True)
    takes = np.minimum(wanted[missions], np.bincount(m)).astype(np.int64)
    sink = len(people) + len(missions)
    tails, heads, room_of, costs = [m + len(people)], [p], [np.ones(len(p), np.int64)], [-units]
    tails.append(np.arange(len(people)))
    heads.append(np.full(len(people), sink))
    room_of.append(np.minimum(room[people], np.bincount(p)).astype(np.int64))
    costs.append(np.zeros(len(people), np.int64))
    source = np.arange(len(missions)) + len(people)
    gates = source
    if stages is not None and any(stages.bonus):
        gates = source + len(missions) + 1
        for width, price in _priced(stages, missions, takes):
            tails.append(gates)
            heads.append(source)
            room_of.append(width)
            costs.append(np.full(len(missions), -price))
    tails.append(gates)
    heads.append(np.full(len(missions), sink))
    room_of.append(takes)
    costs.append(np.zeros(len(missions), np.int64))
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(tails), np.concatenate(heads), np.concatenate(room_of), np.concatenate(costs)
    )
    solver.set_nodes_supplies(np.append(gates, sink), np.append(takes, -takes.sum()))
    status = solver.solve()
    assert status == solver.OPTIMAL, f"min-cost flow: {status}"
    return np.asarray(solver.flows(arcs[: len(p)])) > 0


def _priced(stages: Stages, missions: NDArray[np.int32], takes: Longs) -> list[tuple[Longs, int]]:
    """For each stage what is left of its width, mission by mission, and its bonus in steps; last: no bonus."""
    left = stages.sent[missions].astype(np.int64)
    out: list[tuple[Longs, int]] = []
    for bonus in stages.bonus:
        width = stages.width[missions].astype(np.int64)
        used = np.minimum(left, width)
        left = left - used
        if bonus:
            out.append((width - used, round(bonus / STEP)))
    out.append((takes, 0))
    return out


def _bonuses(mission: Ints, stages: Stages | None) -> float:
    """What the stages add for these invitations."""
    if stages is None:
        return 0.0
    number = np.bincount(mission, minlength=len(stages.width)).astype(np.int64)
    before, total = stages.sent.astype(np.int64), 0.0
    edge = np.zeros(len(number), np.int64)
    for bonus in stages.bonus:
        top = edge + stages.width
        inside = np.clip(before + number, edge, top) - np.clip(before, edge, top)
        total += float(inside.sum()) * round(bonus / STEP) * STEP
        edge = top
    return total
