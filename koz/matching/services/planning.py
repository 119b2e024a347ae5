"""The plan of invitations as rows: over all missions by a job, over the missions concerned within a request.

Suggestions only: nobody is asked before a person presses the button, or has asked for that once and for all for a
mission (`services/rounds.py`). Limits are decided again when an invitation is sent, under the locks of `proposing`;
the plan keeps to them so that its suggestions can be sent.

- A run over everything is the exact optimum of `matching.planning` with STAGES. Only one is under way at a time; a
  second worker finds the lock taken and does nothing.
- A change plans the missions concerned anew: what is planned for others stays and counts against people's room, so the
  limits hold, and the result is the best for those missions given the rest. The next full run finds the optimum again.
  While a full run is under way, or the same mission is being planned, it does nothing.

Statements: a fixed number a run, however many missions and people, plus one for each 1,000 rows written.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import numpy as np
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.accounts.services import exporter
from koz.core.clock import now
from koz.matching import planning, queries, scoring
from koz.matching.candidates import Crowd, candidates
from koz.matching.models import InvitationPlan, MissionPlan, PlannedInvitation
from koz.matching.queries import planning as reads
from koz.matching.queries.answering import list_answers
from koz.matching.queries.planning import Pairs, Round
from koz.matching.scoring import Ask, Bid
from koz.matching.services import ranking
from koz.skills import queries as skills
from koz.skills.models.offers import Profile
from koz.skills.taxonomy import Graph

#: Invitations of a mission that may wait for an answer together, for each of its seats.
PER_SEAT: Final = 3
#: What the first, second and third invitation for a seat are worth beside their scores: first every seat gets one.
STAGES: Final = (0.5, 0.25, 0.0)
LOCK: Final = 0x4B6F7A50
BATCH: Final = 1000


def plan_everything(session: Session) -> InvitationPlan | None:
    """Plan all open missions anew. None when another worker is at it."""
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}):
        return None
    began = monotonic()
    rounds = reads.list_rounds(session, None)
    market = _everybody(session, rounds)
    pairs = _pairs_of(session, market)
    found = _choose(rounds, pairs, {})
    session.execute(delete(PlannedInvitation))
    _write(session, rounds, pairs, found, market)
    run = InvitationPlan(
        missions=len(rounds),
        people=len(np.unique(pairs.profile)),
        pairs=len(pairs.score),
        chosen=int(found.chosen.sum()),
        without_candidates=len(rounds) - len(np.unique(pairs.mission)),
        objective=found.objective,
        took_ms=round(1000 * (monotonic() - began)),
    )
    session.add(run)
    session.flush()
    return run


def replan(session: Session, mission_ids: Collection[int]) -> bool:
    """Plan these missions anew after a change, around what is planned for others. False when it was not the moment."""
    chosen = sorted(set(mission_ids))
    if not chosen or not _may_replan(session, chosen):
        return False
    rounds = reads.list_rounds(session, chosen)
    session.execute(delete(PlannedInvitation).where(PlannedInvitation.mission_id.in_(chosen)))
    pairs = _pairs(session, [r.mission_id for r in rounds])
    elsewhere = reads.count_planned_elsewhere(session, np.unique(pairs.profile).tolist(), chosen)
    found = _choose(rounds, pairs, elsewhere)
    _write(session, rounds, pairs, found, _those(session, rounds, pairs.profile[found.chosen].tolist()))
    return True


def after_answer(session: Session, mission_id: int, person_id: int) -> bool:
    """Somebody answered or was asked: plan the mission and those whose round counted on the person."""
    return replan(session, [mission_id, *reads.list_missions_planned_for(session, person_id)])


def _may_replan(session: Session, mission_ids: Sequence[int]) -> bool:
    """Locks for a change: shared against a full run, alone for each mission; both without waiting."""
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock_shared(:lock)"), {"lock": LOCK}):
        return False
    locks = text(
        "SELECT bool_and(pg_try_advisory_xact_lock(hashtextextended('mission-plan', id)))"
        " FROM unnest(CAST(:ids AS bigint[])) AS t (id)"
    )
    return bool(session.scalar(locks, {"ids": list(mission_ids)}))


def _pairs(session: Session, mission_ids: Sequence[int]) -> Pairs:
    graph = skills.load_graph(session)
    needs = reads.list_need_ids(session, mission_ids)
    ways = [(need, concept, r.weight) for need in needs for concept, r in graph.reached_by(need).items()]
    return reads.list_pairs(session, mission_ids, ways)


@dataclass(frozen=True, slots=True)
class _Market:
    """What missions ask for and people offer, by mission and profile; `persons` and `times` aligned with `bids`."""

    graph: Graph
    asks: dict[int, Ask]
    bids: dict[int, Bid]
    persons: tuple[int, ...] = ()
    times: tuple[int, ...] = ()


def _asks(session: Session, rounds: Sequence[Round]) -> dict[int, Ask]:
    cards = skills.list_cards(session, [r.mission_id for r in rounds])
    return {c.mission.id: queries.ask_of(c) for c in cards if c.needs}


def _everybody(session: Session, rounds: Sequence[Round]) -> _Market:
    """All open missions and everybody who may be asked."""
    people = reads.list_people(session)
    answers = list_answers(session, [p.person_id for p in people])
    bids = {
        p.id: Bid(
            skills=dict(zip(p.concepts, p.levels, strict=True)),
            languages=frozenset(p.languages),
            hours_per_week=p.hours_per_week,
            remote=p.remote,
            departments=frozenset(p.departments),
            causes=frozenset(p.causes),
            available_from=p.available_from,
            available_until=p.available_until,
            answers=answers[p.person_id],
        )
        for p in people
    }
    persons, times = tuple(p.person_id for p in people), tuple(p.times for p in people)
    return _Market(skills.load_graph(session), _asks(session, rounds), bids, persons, times)


def _those(session: Session, rounds: Sequence[Round], profile_ids: Sequence[int]) -> _Market:
    """Some missions and the people chosen for them."""
    profiles = reads.list_profiles(session, set(profile_ids))
    levels = queries.list_levels(session, list(profiles))
    answers = list_answers(session, [p.person_id for p in profiles.values()])
    bids = {i: queries.bid_of(p, levels[i], answers[p.person_id], own=False) for i, p in profiles.items()}
    return _Market(skills.load_graph(session), _asks(session, rounds), bids)


def _pairs_of(session: Session, market: _Market) -> Pairs:
    """Candidate pairs from both sides, without those that are out of the question."""
    missions = {mission_id: n for n, mission_id in enumerate(market.asks)}
    people = {person_id: n for n, person_id in enumerate(market.persons)}
    taken = [
        people[t.person_id] * len(missions) + missions[t.mission_id]
        for t in reads.list_taken(session)
        if t.person_id in people and t.mission_id in missions
    ]
    most = int(np.bincount(np.array(taken) % len(missions)).max()) if taken else 0
    graph = market.graph
    crowd = Crowd(list(market.bids.values()), lambda need: {c: r.weight for c, r in graph.reached_by(need).items()})
    edges = candidates(
        crowd,
        list(market.asks.values()),
        per_mission=reads.OF_MISSION + min(most, reads.OF_MISSION),
        per_person=reads.OF_PERSON,
    )
    keep = edges.score > 0
    keep &= ~np.isin(edges.person.astype(np.int64) * len(missions) + edges.mission, np.array(taken, dtype=np.int64))
    person, mission = edges.person[keep], edges.mission[keep]
    return Pairs(
        np.array(list(market.asks), dtype=np.int64)[mission],
        np.array(list(market.bids), dtype=np.int64)[person],
        np.round(edges.score[keep], 9),
        np.array(market.times, dtype=np.int32)[person],
    )


def _choose(rounds: Sequence[Round], pairs: Pairs, elsewhere: dict[int, int]) -> planning.Plan:
    """The plan of these rounds; `elsewhere`: invitations that are planned for people by other missions."""
    people, person = np.unique(pairs.profile, return_inverse=True)
    missions = np.array([r.mission_id for r in rounds], dtype=np.int64)
    mission = np.searchsorted(missions, pairs.mission)
    room = np.full(len(people), queries.PER_WEEK, dtype=np.int32)
    room[person] -= pairs.times
    room -= np.array([elsewhere.get(p, 0) for p in people.tolist()], dtype=np.int32)
    wanted = np.array([wanted_of(r) for r in rounds], dtype=np.int32)
    seats = np.array([max(r.seats - r.seated, 0) for r in rounds], dtype=np.int32)
    waiting = np.array([r.waiting for r in rounds], dtype=np.int32)
    edges = planning.Edges(person.astype(np.int32), mission.astype(np.int32), pairs.score)
    return planning.plan(edges, room, wanted, planning.Stages(STAGES, seats, waiting))


def wanted_of(round_: Round) -> int:
    """Invitations a mission may send now: three for each seat that is free, without those that wait for an answer."""
    return max(PER_SEAT * (round_.seats - round_.seated) - round_.waiting, 0)


def _write(session: Session, rounds: Sequence[Round], pairs: Pairs, found: planning.Plan, market: _Market) -> None:
    """The rows of the plan: whom it suggests, with the explanation, and how each round came about."""
    rows = _explained(market, pairs.mission[found.chosen].tolist(), pairs.profile[found.chosen].tolist())
    for first in range(0, len(rows), BATCH):
        statement = insert(PlannedInvitation).values(rows[first : first + BATCH])
        session.execute(statement.on_conflict_do_nothing())
    made = _summaries(rounds, pairs, found)
    for first in range(0, len(made), BATCH):
        statement = insert(MissionPlan).values(made[first : first + BATCH])
        names = ("wanted", "candidates", "left_out", "left_out_asked", "planned_at")
        changed = {name: statement.excluded[name] for name in names}
        session.execute(statement.on_conflict_do_update(index_elements=["mission_id"], set_=changed))


def _summaries(rounds: Sequence[Round], pairs: Pairs, found: planning.Plan) -> list[dict[str, Any]]:
    """For each mission how many were weighed, and how many better ones were left to others or to their peace."""
    missions = np.array([r.mission_id for r in rounds], dtype=np.int64)
    mission = np.searchsorted(missions, pairs.mission)
    last = np.full(len(missions), np.inf)
    np.minimum.at(last, mission[found.chosen], pairs.score[found.chosen])
    better = ~found.chosen & (pairs.score > last[mission])
    size = len(missions)
    candidates = np.bincount(mission, minlength=size).tolist()
    left_out = np.bincount(mission[better], minlength=size).tolist()
    asked = np.bincount(mission[better & (pairs.times >= queries.PER_WEEK - 1)], minlength=size).tolist()
    return [
        {
            "mission_id": r.mission_id, "wanted": wanted_of(r), "candidates": candidates[n], "left_out": left_out[n],
            "left_out_asked": asked[n], "planned_at": now(),
        }
        for n, r in enumerate(rounds)
    ]  # fmt: skip


def _explained(market: _Market, mission_ids: Sequence[int], profile_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of planned invitations with what the score is made of."""
    paths = {i: ranking.paths_to(market.graph, market.asks[i]) for i in set(mission_ids) if i in market.asks}
    rows = []
    for mission_id, profile_id in zip(mission_ids, profile_ids, strict=True):
        if mission_id not in paths or profile_id not in market.bids:
            continue
        score = scoring.score(market.asks[mission_id], market.bids[profile_id], paths[mission_id])
        if score.shown:
            rows.append({
                "mission_id": mission_id, "profile_id": profile_id, "score": score.total,
                "explanation": score.as_json(),
            })  # fmt: skip
    return rows


def set_auto(session: Session, mission_id: int, member_id: int | None) -> None:
    """Let planned invitations of a mission go out by themselves in each round, for this member; None: no more."""
    statement = insert(MissionPlan).values(
        mission_id=mission_id, auto_by=member_id, wanted=0, candidates=0, left_out=0, left_out_asked=0
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["mission_id"], set_={"auto_by": statement.excluded.auto_by})
    )


def forget_pair(session: Session, mission_id: int, profile_id: int) -> None:
    """The suggestion has been followed, or cannot be any more."""
    session.execute(
        delete(PlannedInvitation).where(
            PlannedInvitation.mission_id == mission_id, PlannedInvitation.profile_id == profile_id
        )
    )


@exporter("planned_invitations")
def _export_planned(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Missions for which a person is suggested at this moment, and why. Nobody has asked them."""
    query = select(PlannedInvitation).join(Profile, Profile.id == PlannedInvitation.profile_id)
    rows = session.scalars(query.where(Profile.person_id == person_id).order_by(PlannedInvitation.mission_id))
    return [{"mission_id": row.mission_id, "score": row.score, "explanation": row.explanation} for row in rows]
