"""Reads for teams: who is engaged or asked on a campaign's missions, and who could be, for many missions at once."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from koz.core.clock import now, today
from koz.matching.models import Engagement, Proposal
from koz.matching.queries import (
    PAIR_IS_NEW,
    PAIR_IS_POSSIBLE,
    PER_WEEK,
    TUNED,
    WEEK,
    WEIGHTS,
    EngagementRow,
    _engagement_query,
    answering,
)
from koz.matching.scoring import CAUSE_BONUS, SHOW_FROM, SLACK
from koz.matching.states import SEATED, ProposalState, Side
from koz.skills.models.offers import Mission, MissionNeed, Profile
from koz.skills.states import MissionState

#: As the ranking of one mission, for many: the same gates, the best `top` of each.
_CANDIDATES: Final = text(
    f"""
    WITH ways AS (
        SELECT * FROM unnest(CAST(:needs AS bigint[]), CAST(:concepts AS bigint[]), CAST(:weights AS float8[]))
        AS w (need, concept, weight)
    ), met AS (
        SELECT n.mission_id, s.profile_id, n.concept_id, n.must,
            max(w.weight * least(1.0, s.level::float8 / n.level)) AS strength
        FROM mission_needs n JOIN ways w ON w.need = n.concept_id JOIN profile_skills s ON s.concept_id = w.concept
        WHERE n.mission_id = ANY (:missions)
        GROUP BY n.mission_id, s.profile_id, n.concept_id, n.must
    ), whole AS (
        SELECT mission_id, sum(CASE WHEN must THEN :must_weight ELSE :wish_weight END) AS weight,
            count(*) FILTER (WHERE must) AS musts
        FROM mission_needs WHERE mission_id = ANY (:missions) GROUP BY mission_id
    ), ranked AS (
        SELECT met.mission_id, profile_id,
            sum(strength * CASE WHEN must THEN :must_weight ELSE :wish_weight END) / max(whole.weight) AS fit,
            count(*) FILTER (WHERE must AND strength >= :must_floor) = max(whole.musts) AS covers_musts
        FROM met JOIN whole USING (mission_id) GROUP BY met.mission_id, profile_id
    ), fitting AS (
        SELECT m.id AS mission_id, p.id AS profile_id, row_number() OVER (
            PARTITION BY m.id ORDER BY round((
                r.fit + CASE WHEN p.causes_shared AND c.cause = ANY (p.causes) THEN :bonus ELSE 0 END - {answering.LOSS}
            )::numeric, 9) DESC, p.id
        ) AS place
        FROM ranked r JOIN profiles p ON p.id = r.profile_id JOIN persons o ON o.id = p.person_id
            LEFT JOIN ({answering.HISTORY}) h ON h.person_id = p.person_id
            JOIN missions m ON m.id = r.mission_id JOIN campaigns c ON c.id = m.campaign_id
        WHERE r.covers_musts AND r.fit >= :show_from
            AND NOT p.paused AND coalesce(p.quiet_until <= :today, true) AND coalesce(p.available_until >= :today, true)
            AND o.erased_at IS NULL AND o.email_verified_at IS NOT NULL
            AND {PAIR_IS_POSSIBLE} AND {PAIR_IS_NEW} AND NOT {TUNED}
            AND (SELECT count(*) FROM proposals x WHERE x.person_id = p.person_id AND x.invited_at > :week_ago)
                < :per_week
    )
    SELECT mission_id, profile_id FROM fitting WHERE place <= :top ORDER BY mission_id, place
    """  # noqa: S608 - pieces of this package only
)


def list_candidates_of(
    session: Session, mission_ids: Collection[int], ways: Collection[tuple[int, int, float]], top: int
) -> list[tuple[int, int]]:
    """(mission, profile): the `top` profiles of each mission that may be asked now, best first. One statement.

    `ways`: (need, declared concept, weight), each once.
    """
    listed = sorted(ways)
    values: dict[str, Any] = WEIGHTS | answering.values() | {
        "needs": [w[0] for w in listed], "concepts": [w[1] for w in listed], "weights": [w[2] for w in listed],
        "missions": sorted(mission_ids), "show_from": SHOW_FROM - SLACK, "today": today(), "week_ago": now() - WEEK,
        "per_week": PER_WEEK, "bonus": CAUSE_BONUS, "top": top,
    }  # fmt: skip
    return [(row[0], row[1]) for row in session.execute(_CANDIDATES, values)]


def list_missions_of_team(session: Session, campaign_id: int, limit: int = 50) -> Sequence[int]:
    """Ids of a campaign's missions that are open or filled, in the order in which they were made."""
    query = select(Mission.id).where(
        Mission.campaign_id == campaign_id, Mission.state.in_((MissionState.OPEN, MissionState.FILLED))
    )
    return session.scalars(query.order_by(Mission.id).limit(limit)).all()


def list_rivals(session: Session, campaign_id: int, concept_ids: Collection[int], limit: int) -> Sequence[int]:
    """Ids of other campaigns' open missions that need one of these concepts, the latest first."""
    query = (
        select(Mission.id)
        .join(MissionNeed, MissionNeed.mission_id == Mission.id)
        .where(
            Mission.state == MissionState.OPEN,
            Mission.campaign_id != campaign_id,
            MissionNeed.concept_id.in_(concept_ids),
        )
        .group_by(Mission.id)
    )
    return session.scalars(query.order_by(Mission.id.desc()).limit(limit)).all()


def list_engaged(session: Session, mission_ids: Collection[int]) -> dict[int, list[EngagementRow]]:
    """Engagements that hold a seat, by mission, in the order of the yes."""
    found: dict[int, list[EngagementRow]] = {m: [] for m in mission_ids}
    query = _engagement_query().where(Engagement.mission_id.in_(mission_ids), Engagement.state.in_(SEATED))
    for row in session.execute(query.order_by(Engagement.id).limit(1000)):
        found[row[0].mission_id].append(EngagementRow(*row))
    return found


def list_asked(session: Session, mission_ids: Collection[int]) -> dict[int, list[Proposal]]:
    """Invitations that wait for an answer, by mission. They hold no identity."""
    found: dict[int, list[Proposal]] = {m: [] for m in mission_ids}
    query = select(Proposal).where(
        Proposal.mission_id.in_(mission_ids),
        Proposal.made_by == Side.ORGANISATION,
        Proposal.state == ProposalState.PROPOSED,
    )
    for proposal in session.scalars(query.order_by(Proposal.id).limit(1000)):
        found[proposal.mission_id].append(proposal)
    return found


def list_profiles(session: Session, *, ids: Collection[int] = (), person_ids: Collection[int] = ()) -> list[Profile]:
    """Profiles by their ids or by those of their people."""
    query = select(Profile).where(Profile.id.in_(ids) | Profile.person_id.in_(person_ids))
    return list(session.scalars(query.order_by(Profile.id)))


def count_invitations_of(session: Session, person_ids: Collection[int]) -> dict[int, int]:
    """How often each person was asked by organisations within seven days."""
    query = select(Proposal.person_id, func.count()).where(
        Proposal.person_id.in_(person_ids), Proposal.invited_at > now() - WEEK
    )
    counted = {row[0]: row[1] for row in session.execute(query.group_by(Proposal.person_id))}
    return {p: counted.get(p, 0) for p in person_ids}
