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
from time import monotonic
from typing import Any, Final

import numpy as np
from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.core.clock import now
from koz.matching import planning, queries, scoring
from koz.matching.models import InvitationPlan, MissionPlan, PlannedInvitation
from koz.matching.queries import planning as reads
from koz.matching.queries.answering import list_answers
from koz.matching.queries.planning import Pairs, Round
from koz.matching.services import ranking
from koz.skills import queries as skills

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
    pairs, found = _solve(session, rounds, {})
    session.execute(delete(PlannedInvitation))
    _write(session, rounds, pairs, found)
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
    _write(session, rounds, pairs, _choose(rounds, pairs, elsewhere))
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


def _solve(session: Session, rounds: Sequence[Round], elsewhere: dict[int, int]) -> tuple[Pairs, planning.Plan]:
    pairs = _pairs(session, [r.mission_id for r in rounds])
    return pairs, _choose(rounds, pairs, elsewhere)


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


def _write(session: Session, rounds: Sequence[Round], pairs: Pairs, found: planning.Plan) -> None:
    """The rows of the plan: whom it suggests, with the explanation, and how each round came about."""
    rows = _explained(session, pairs.mission[found.chosen].tolist(), pairs.profile[found.chosen].tolist())
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


def _explained(session: Session, mission_ids: Sequence[int], profile_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of planned invitations with what the score is made of."""
    if not mission_ids:
        return []
    graph = skills.load_graph(session)
    cards = {c.mission.id: c for c in skills.list_cards(session, sorted(set(mission_ids)))}
    asks = {i: queries.ask_of(card) for i, card in cards.items()}
    paths = {i: ranking.paths_to(graph, ask) for i, ask in asks.items()}
    profiles = reads.list_profiles(session, set(profile_ids))
    levels = queries.list_levels(session, list(profiles))
    answers = list_answers(session, [p.person_id for p in profiles.values()])
    rows = []
    for mission_id, profile_id in zip(mission_ids, profile_ids, strict=True):
        profile = profiles.get(profile_id)
        if profile is None or mission_id not in asks:
            continue
        bid = queries.bid_of(profile, levels[profile_id], answers[profile.person_id], own=False)
        score = scoring.score(asks[mission_id], bid, paths[mission_id])
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
