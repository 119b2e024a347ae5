"""Reads of the planner: rounds of missions, pairs that may be planned, what is planned. One statement each.

The pairs are found by the same formula and the same gates as the ranked list of one mission, over all missions at once,
and from both sides: the best people of each mission and the best missions of each person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from koz.core.clock import now, today
from koz.matching import queries
from koz.matching.models import MissionPlan, PlannedInvitation, Proposal
from koz.matching.queries import answering
from koz.matching.scoring import CAUSE_BONUS, SHOW_FROM
from koz.matching.states import SEATED
from koz.skills.models.offers import Mission, Profile
from koz.skills.permissions import HELPED

#: Candidates of a mission, and missions of a person, that the plan weighs.
OF_MISSION: Final = 50
OF_PERSON: Final = 5
#: Days without planned invitations after a no, by its reason ('' for none). « Not in the next 30 days » keeps
#: everybody away through `quiet_until`; hours, place and cause keep like missions away for good through `tunes`.
COOL_DOWN: Final = {"hours": 7, "place": 7, "cause": 7, "skills": 14, "moment": 30, "other": 14, "": 7}

_ROUNDS: Final = text("""
    SELECT m.id, m.seats,
        (SELECT count(*) FROM engagements e WHERE e.mission_id = m.id AND e.state = ANY (:seated)) AS seated,
        (SELECT count(*) FROM proposals p WHERE p.mission_id = m.id AND p.made_by = 'organisation'
            AND p.state = 'proposed') AS waiting
    FROM missions m JOIN campaigns c ON c.id = m.campaign_id
    WHERE m.state = 'open' AND c.state = ANY (:helped) AND (:every OR m.id = ANY (CAST(:missions AS bigint[])))
    ORDER BY m.id
""")
_PAIRS: Final = text(f"""
    WITH ways AS (
        SELECT * FROM unnest(CAST(:needs AS bigint[]), CAST(:concepts AS bigint[]), CAST(:weights AS float8[]))
        AS w (need, concept, weight)
    ), met AS (
        SELECT n.mission_id, s.profile_id, n.concept_id, n.must,
            max(w.weight * least(1.0, s.level::float8 / n.level)) AS strength
        FROM mission_needs n JOIN ways w ON w.need = n.concept_id JOIN profile_skills s ON s.concept_id = w.concept
        WHERE n.mission_id = ANY (CAST(:missions AS bigint[]))
        GROUP BY n.mission_id, s.profile_id, n.concept_id, n.must
    ), whole AS (
        SELECT n.mission_id, sum(CASE WHEN n.must THEN :must_weight ELSE :wish_weight END) AS weight,
            count(*) FILTER (WHERE n.must) AS musts
        FROM mission_needs n WHERE n.mission_id = ANY (CAST(:missions AS bigint[])) GROUP BY n.mission_id
    ), ranked AS (
        SELECT t.mission_id, t.profile_id,
            sum(t.strength * CASE WHEN t.must THEN :must_weight ELSE :wish_weight END) / w.weight AS fit
        FROM met t JOIN whole w USING (mission_id)
        GROUP BY t.mission_id, t.profile_id, w.weight, w.musts
        HAVING count(*) FILTER (WHERE t.must AND t.strength >= :must_floor) = w.musts
            AND sum(t.strength * CASE WHEN t.must THEN :must_weight ELSE :wish_weight END) / w.weight >= :show_from
    ), asked AS (
        SELECT x.person_id, count(*) AS times FROM proposals x WHERE x.invited_at > :week_ago GROUP BY x.person_id
    ), scored AS (
        SELECT m.id AS mission_id, p.id AS profile_id, coalesce(a.times, 0) AS times,
            round((
                r.fit + CASE WHEN p.causes_shared AND c.cause = ANY (p.causes) THEN :bonus ELSE 0 END
                - {answering.LOSS}
            )::numeric, 9)::float8 AS score
        FROM ranked r JOIN profiles p ON p.id = r.profile_id JOIN persons o ON o.id = p.person_id
            JOIN missions m ON m.id = r.mission_id JOIN campaigns c ON c.id = m.campaign_id
            LEFT JOIN ({answering.HISTORY}) h ON h.person_id = p.person_id
            LEFT JOIN asked a ON a.person_id = p.person_id
        WHERE NOT p.paused AND coalesce(p.quiet_until <= :today, true) AND coalesce(p.available_until >= :today, true)
            AND o.erased_at IS NULL AND o.email_verified_at IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM proposals x WHERE x.person_id = p.person_id
                AND x.state = 'declined' AND x.declined_by = 'professional'
                AND x.answered_at > CAST(:now AS timestamptz)
                    - make_interval(days => CAST(CAST(:cool_down AS jsonb) ->> coalesce(x.reason, '') AS integer))
            )
            AND coalesce(a.times, 0) < :per_week
            AND {queries.PAIR_IS_POSSIBLE} AND {queries.PAIR_IS_NEW} AND NOT {queries.TUNED}
    )
    SELECT mission_id, profile_id, score, times FROM (
        SELECT scored.*,
            row_number() OVER (PARTITION BY mission_id ORDER BY score DESC, profile_id) AS place,
            row_number() OVER (PARTITION BY profile_id ORDER BY score DESC, mission_id) AS own
        FROM scored WHERE score > 0
    ) s
    WHERE place <= :of_mission OR own <= :of_person
""")  # noqa: S608 - pieces of matching's queries only
_PEOPLE: Final = text("""
    SELECT p.id, p.person_id, p.hours_per_week, p.languages, p.departments, p.remote,
        CASE WHEN p.causes_shared THEN p.causes ELSE CAST(ARRAY[] AS varchar[]) END AS causes,
        p.available_from, p.available_until, coalesce(a.times, 0) AS times, s.concepts, s.levels
    FROM profiles p JOIN persons o ON o.id = p.person_id
        JOIN (
            SELECT profile_id, array_agg(concept_id ORDER BY concept_id) AS concepts,
                array_agg(level ORDER BY concept_id) AS levels
            FROM profile_skills GROUP BY profile_id
        ) s ON s.profile_id = p.id
        LEFT JOIN (
            SELECT x.person_id, count(*) AS times FROM proposals x WHERE x.invited_at > :week_ago GROUP BY x.person_id
        ) a ON a.person_id = p.person_id
    WHERE NOT p.paused AND coalesce(p.quiet_until <= :today, true) AND coalesce(p.available_until >= :today, true)
        AND o.erased_at IS NULL AND o.email_verified_at IS NOT NULL AND coalesce(a.times, 0) < :per_week
        AND NOT EXISTS (
            SELECT FROM proposals x WHERE x.person_id = p.person_id
            AND x.state = 'declined' AND x.declined_by = 'professional'
            AND x.answered_at > CAST(:now AS timestamptz)
                - make_interval(days => CAST(CAST(:cool_down AS jsonb) ->> coalesce(x.reason, '') AS integer))
        )
    ORDER BY p.id
""")
_TAKEN: Final = text("""
    SELECT x.person_id, x.mission_id
    FROM proposals x JOIN missions m ON m.id = x.mission_id
    WHERE m.state = 'open' AND (x.state <> 'withdrawn' OR x.invited_at > :week_ago)
    UNION
    SELECT o.person_id, m.id
    FROM missions m JOIN campaigns c ON c.id = m.campaign_id JOIN memberships o ON o.organisation_id = c.organisation_id
    WHERE m.state = 'open'
    UNION
    SELECT t.person_id, m.id
    FROM proposals t JOIN missions tm ON tm.id = t.mission_id JOIN campaigns tc ON tc.id = tm.campaign_id
        CROSS JOIN missions m JOIN campaigns c ON c.id = m.campaign_id
    WHERE m.state = 'open' AND t.tunes AND (
        (t.reason = 'hours' AND m.hours_per_week >= tm.hours_per_week)
        OR (t.reason = 'cause' AND c.cause = tc.cause)
        OR (t.reason = 'place' AND NOT m.remote AND m.department = tm.department)
    )
""")


@dataclass(frozen=True, slots=True)
class Round:
    """An open mission: its seats, those that are taken, invitations that wait for an answer."""

    mission_id: int
    seats: int
    seated: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs that may be planned, aligned: mission and profile ids, score, how often asked within seven days."""

    mission: NDArray[np.int64]
    profile: NDArray[np.int64]
    score: NDArray[np.float64]
    times: NDArray[np.int32]


def list_rounds(session: Session, mission_ids: Collection[int] | None) -> list[Round]:
    """Open missions of campaigns that can be helped, all or some, in the order of ids."""
    values = {
        "seated": [s.value for s in SEATED], "helped": [s.value for s in HELPED], "every": mission_ids is None,
        "missions": list(mission_ids or ()),
    }  # fmt: skip
    return [Round(*row) for row in session.execute(_ROUNDS, values)]


def list_need_ids(session: Session, mission_ids: Collection[int]) -> Sequence[int]:
    """Concepts that these missions need, each once."""
    query = text("SELECT DISTINCT concept_id FROM mission_needs WHERE mission_id = ANY (CAST(:ids AS bigint[]))")
    return session.scalars(query, {"ids": list(mission_ids)}).all()


def list_pairs(session: Session, mission_ids: Collection[int], ways: Sequence[tuple[int, int, float]]) -> Pairs:
    """Pairs of these missions with people who may be asked now. `ways`: (need, declared concept, weight)."""
    values: dict[str, Any] = queries.WEIGHTS | answering.values() | {
        "needs": [w[0] for w in ways], "concepts": [w[1] for w in ways], "weights": [w[2] for w in ways],
        "missions": list(mission_ids), "show_from": SHOW_FROM - 1e-9, "today": today(), "now": now(),
        "week_ago": now() - queries.WEEK, "per_week": queries.PER_WEEK, "bonus": CAUSE_BONUS,
        "cool_down": _as_json(COOL_DOWN), "of_mission": OF_MISSION, "of_person": OF_PERSON,
    }  # fmt: skip
    rows = session.execute(_PAIRS, values).all()
    table = np.array([tuple(r) for r in rows], dtype=np.float64).reshape(-1, 4)
    return Pairs(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3].astype(np.int32))


def list_people(session: Session) -> Sequence[Row[Any]]:
    """Everybody who may be asked now, with skills and how often they were asked within seven days."""
    values = {
        "week_ago": now() - queries.WEEK, "today": today(), "now": now(), "per_week": queries.PER_WEEK,
        "cool_down": _as_json(COOL_DOWN),
    }  # fmt: skip
    return session.execute(_PEOPLE, values).all()


def list_taken(session: Session) -> Sequence[Row[Any]]:
    """Pairs (person, open mission) that are out of the question: asked before, a member, kept away by a refusal."""
    return session.execute(_TAKEN, {"week_ago": now() - queries.WEEK}).all()


def _as_json(values: dict[str, int]) -> str:
    return "{" + ", ".join(f'"{k}": {v}' for k, v in values.items()) + "}"


def count_planned_elsewhere(
    session: Session, profile_ids: Collection[int], mission_ids: Collection[int]
) -> dict[int, int]:
    """How many invitations of other missions are planned for each of these people."""
    query = (
        select(PlannedInvitation.profile_id, func.count())
        .where(PlannedInvitation.profile_id.in_(profile_ids), PlannedInvitation.mission_id.not_in(mission_ids))
        .group_by(PlannedInvitation.profile_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def list_missions_planned_for(session: Session, person_id: int) -> Sequence[int]:
    """Missions whose round counts on this person."""
    query = select(PlannedInvitation.mission_id).join(Profile, Profile.id == PlannedInvitation.profile_id)
    return session.scalars(query.where(Profile.person_id == person_id)).all()


def list_profiles(session: Session, profile_ids: Collection[int]) -> dict[int, Profile]:
    """Profiles by their ids."""
    return {p.id: p for p in session.scalars(select(Profile).where(Profile.id.in_(profile_ids)))}


def find_mission_plan(session: Session, mission_id: int) -> MissionPlan | None:
    """The round of a mission as it was planned last."""
    return session.get(MissionPlan, mission_id, populate_existing=True)


def list_planned(session: Session, mission_id: int) -> Sequence[PlannedInvitation]:
    """Whom the plan suggests for a mission, best first: without those who have been asked or have paused since."""
    query = (
        select(PlannedInvitation)
        .join(Profile, Profile.id == PlannedInvitation.profile_id)
        .outerjoin(
            Proposal, (Proposal.person_id == Profile.person_id) & (Proposal.mission_id == PlannedInvitation.mission_id)
        )
        .where(
            PlannedInvitation.mission_id == mission_id,
            Proposal.id.is_(None) | (Proposal.state == "withdrawn"),
            ~Profile.paused,
            Profile.quiet_until.is_(None) | (Profile.quiet_until <= today()),
        )
    )
    query = query.order_by(PlannedInvitation.score.desc(), PlannedInvitation.profile_id)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def list_auto_missions(session: Session, after: int, limit: int = 200) -> list[tuple[int, int]]:
    """Open missions whose organisation lets planned invitations go out by themselves: (mission, member)."""
    query = (
        select(MissionPlan.mission_id, MissionPlan.auto_by)
        .join(Mission, Mission.id == MissionPlan.mission_id)
        .where(MissionPlan.auto_by.is_not(None), Mission.state == "open", MissionPlan.mission_id > after)
        .where(select(PlannedInvitation).where(PlannedInvitation.mission_id == MissionPlan.mission_id).exists())
        .order_by(MissionPlan.mission_id)
        .limit(limit)
    )
    return [(mission_id, member_id) for mission_id, member_id in session.execute(query) if member_id is not None]
