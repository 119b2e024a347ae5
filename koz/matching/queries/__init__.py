"""Reads of matching. Ranking happens in SQL over sets, so that the number of statements never depends on the data.

The formula of the SQL is that of `scoring`: it only chooses whom to score; what is shown comes from `scoring` alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session, aliased

from koz.accounts.models import Organisation, Person
from koz.campaigns.models import Campaign
from koz.core.access import Actor
from koz.core.clock import now, today
from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.matching.models import Engagement, Proposal
from koz.matching.permissions import side_of
from koz.matching.queries import answering
from koz.matching.scoring import (
    CAUSE_BONUS,
    MUST_FLOOR,
    MUST_WEIGHT,
    NO_HISTORY,
    SHOW_FROM,
    SLACK,
    WISH_WEIGHT,
    Answers,
    Ask,
    Bid,
    Need,
)
from koz.matching.states import SEATED, WAITING, EngagementState, ProposalState, Side
from koz.skills.models.offers import Mission, Profile, ProfileSkill
from koz.skills.permissions import HELPED
from koz.skills.queries import MissionCard

WEEK: Final = timedelta(days=7)
#: Nobody is asked more often than this in seven days.
PER_WEEK: Final = 3
#: What a person's own refusals keep away from them: matched against the mission and its campaign (m, c).
TUNED: Final = """
    EXISTS (
        SELECT FROM proposals t JOIN missions tm ON tm.id = t.mission_id JOIN campaigns tc ON tc.id = tm.campaign_id
        WHERE t.person_id = p.person_id AND t.tunes AND (
            (t.reason = 'hours' AND m.hours_per_week >= tm.hours_per_week)
            OR (t.reason = 'cause' AND c.cause = tc.cause)
            OR (t.reason = 'place' AND NOT m.remote AND m.department = tm.department)
        )
    )
"""
PAIR_IS_NEW: Final = """
    NOT EXISTS (SELECT FROM memberships o WHERE o.person_id = p.person_id AND o.organisation_id = c.organisation_id)
    AND NOT EXISTS (
        SELECT FROM proposals x WHERE x.person_id = p.person_id AND x.mission_id = m.id
        AND (x.state <> 'withdrawn' OR x.invited_at > :week_ago)
    )
"""
PAIR_IS_POSSIBLE: Final = """
    m.language = ANY (p.languages) AND p.hours_per_week >= m.hours_per_week
    AND ((m.remote AND p.remote) OR m.department = ANY (p.departments))
    AND coalesce(p.available_from <= coalesce(m.starts_on, m.ends_on), true)
    AND coalesce(p.available_until >= coalesce(m.ends_on, m.starts_on), true)
"""
_PROFESSIONALS: Final = text(
    f"""
    WITH ways AS (
        SELECT * FROM unnest(CAST(:needs AS bigint[]), CAST(:concepts AS bigint[]), CAST(:weights AS float8[]))
        AS w (need, concept, weight)
    ), met AS (
        SELECT s.profile_id, n.concept_id, n.must,
            max(w.weight * least(1.0, s.level::float8 / n.level)) AS strength
        FROM mission_needs n JOIN ways w ON w.need = n.concept_id JOIN profile_skills s ON s.concept_id = w.concept
        WHERE n.mission_id = :mission_id
        GROUP BY s.profile_id, n.concept_id, n.must
    ), ranked AS (
        SELECT profile_id,
            sum(strength * CASE WHEN must THEN :must_weight ELSE :wish_weight END) / :whole AS fit,
            count(*) FILTER (WHERE must AND strength >= :must_floor) AS musts
        FROM met GROUP BY profile_id
    )
    SELECT p.id
    FROM ranked r JOIN profiles p ON p.id = r.profile_id JOIN persons o ON o.id = p.person_id
        LEFT JOIN ({answering.HISTORY}) h ON h.person_id = p.person_id
        CROSS JOIN missions m JOIN campaigns c ON c.id = m.campaign_id
    WHERE m.id = :mission_id AND r.musts = :musts AND r.fit >= :show_from
        AND NOT p.paused AND coalesce(p.quiet_until <= :today, true) AND coalesce(p.available_until >= :today, true)
        AND o.erased_at IS NULL AND o.email_verified_at IS NOT NULL
        AND {PAIR_IS_POSSIBLE} AND {PAIR_IS_NEW} AND NOT {TUNED}
        AND (SELECT count(*) FROM proposals x WHERE x.person_id = p.person_id AND x.invited_at > :week_ago) < :per_week
    ORDER BY
        round((
            r.fit + CASE WHEN p.causes_shared AND c.cause = ANY (p.causes) THEN :bonus ELSE 0 END - {answering.LOSS}
        )::numeric, 9) DESC,
        p.id
    LIMIT :top
    """  # noqa: S608 - pieces of this module only
)
_MISSIONS: Final = text(
    f"""
    WITH ways AS (
        SELECT * FROM unnest(CAST(:needs AS bigint[]), CAST(:weights AS float8[]), CAST(:levels AS float8[]))
        AS w (need, weight, level)
    ), met AS (
        SELECT n.mission_id, n.concept_id, n.must, max(w.weight * least(1.0, w.level / n.level)) AS strength
        FROM mission_needs n JOIN ways w ON w.need = n.concept_id
        GROUP BY n.mission_id, n.concept_id, n.must
    ), ranked AS (
        SELECT mission_id,
            sum(strength * CASE WHEN must THEN :must_weight ELSE :wish_weight END) AS fit,
            count(*) FILTER (WHERE must AND strength >= :must_floor) AS musts
        FROM met GROUP BY mission_id
    ), whole AS (
        SELECT n.mission_id, sum(CASE WHEN n.must THEN :must_weight ELSE :wish_weight END) AS weight,
            count(*) FILTER (WHERE n.must) AS musts
        FROM mission_needs n JOIN ranked USING (mission_id) GROUP BY n.mission_id
    )
    SELECT m.id
    FROM ranked r JOIN whole w USING (mission_id) JOIN missions m ON m.id = r.mission_id
        JOIN campaigns c ON c.id = m.campaign_id CROSS JOIN profiles p
    WHERE p.id = :profile_id AND m.state = 'open' AND c.state = ANY (:helped)
        AND r.musts = w.musts AND r.fit / w.weight >= :show_from
        AND {PAIR_IS_POSSIBLE} AND {PAIR_IS_NEW} AND NOT {TUNED}
    ORDER BY
        round((r.fit / w.weight + CASE WHEN c.cause = ANY (p.causes) THEN :bonus ELSE 0 END)::numeric, 9) DESC, m.id
    LIMIT :top
    """  # noqa: S608 - pieces of this module only
)
WEIGHTS: Final = {"must_weight": MUST_WEIGHT, "wish_weight": WISH_WEIGHT, "must_floor": MUST_FLOOR - SLACK}


def ask_of(card: MissionCard) -> Ask:
    """What a mission asks for, as scoring reads it."""
    mission = card.mission
    return Ask(
        needs=tuple(Need(n.concept_id, n.level, n.must) for n in card.needs),
        language=mission.language,
        hours_per_week=mission.hours_per_week,
        remote=mission.remote,
        department=mission.department,
        cause=card.campaign.cause,
        starts_on=mission.starts_on,
        ends_on=mission.ends_on,
    )


def bid_of(profile: Profile, skills: Mapping[int, int], answers: Answers = NO_HISTORY, *, own: bool) -> Bid:
    """What a professional offers, as scoring reads it. Causes count for the person; for others only if shared."""
    return Bid(
        skills=skills,
        languages=frozenset(profile.languages),
        hours_per_week=profile.hours_per_week,
        remote=profile.remote,
        departments=frozenset(profile.departments),
        causes=frozenset(profile.causes) if own or profile.causes_shared else frozenset(),
        available_from=profile.available_from,
        available_until=profile.available_until,
        answers=answers,
    )


def list_levels(session: Session, profile_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """Declared levels by profile and concept: one statement."""
    found: dict[int, dict[int, int]] = {i: {} for i in profile_ids}
    query = select(ProfileSkill.profile_id, ProfileSkill.concept_id, ProfileSkill.level)
    for profile_id, concept_id, level in session.execute(query.where(ProfileSkill.profile_id.in_(profile_ids))):
        found[profile_id][concept_id] = level
    return found


def list_candidates(
    session: Session, mission_id: int, ask: Ask, ways: Sequence[tuple[int, int, float]], top: int
) -> Sequence[Profile]:
    """Profiles that fit a mission best and may be asked now. `ways`: (need, declared concept, weight)."""
    values: dict[str, Any] = WEIGHTS | answering.values() | {
        "needs": [w[0] for w in ways], "concepts": [w[1] for w in ways], "weights": [w[2] for w in ways],
        "whole": sum(n.weight for n in ask.needs), "musts": sum(n.must for n in ask.needs),
        "mission_id": mission_id, "show_from": SHOW_FROM - SLACK, "today": today(), "week_ago": now() - WEEK,
        "per_week": PER_WEEK, "bonus": CAUSE_BONUS, "top": top,
    }  # fmt: skip
    ids = session.scalars(_PROFESSIONALS, values).all()
    return session.scalars(select(Profile).where(Profile.id.in_(ids))).all()


def list_fitting_missions(
    session: Session, profile_id: int, ways: Sequence[tuple[int, float, int]], top: int
) -> Sequence[int]:
    """Ids of open missions that fit a profile best. `ways`: (need, weight, declared level)."""
    values: dict[str, Any] = WEIGHTS | {
        "needs": [w[0] for w in ways], "weights": [w[1] for w in ways], "levels": [float(w[2]) for w in ways],
        "profile_id": profile_id, "helped": [s.value for s in HELPED], "show_from": SHOW_FROM - SLACK,
        "week_ago": now() - WEEK, "bonus": CAUSE_BONUS, "top": top,
    }  # fmt: skip
    return session.scalars(_MISSIONS, values).all()


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal with its mission and campaign; `engagement_id` once both said yes."""

    proposal: Proposal
    mission: Mission
    campaign: Campaign
    organisation: str
    engagement_id: int | None


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """An engagement with everything its two sides may see of each other."""

    engagement: Engagement
    mission: Mission
    campaign: Campaign
    organisation: str
    professional: Person
    member: Person | None


def no_proposal() -> NotFound:
    """Absence and refusal look alike."""
    return NotFound(_("This proposal does not exist any more."))


def lock_proposal(session: Session, proposal_id: int) -> Proposal:
    """The proposal's row, locked and freshly read. Raises NotFound."""
    proposal = session.scalar(
        select(Proposal)
        .where(Proposal.id == proposal_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if proposal is None:
        raise no_proposal()
    return proposal


def campaign_of(session: Session, mission_id: int) -> Campaign:
    """The campaign that a mission serves."""
    query = select(Campaign).join(Mission, Mission.campaign_id == Campaign.id).where(Mission.id == mission_id)
    return session.scalars(query).one()


def count_invitations(session: Session, person_id: int, *, without: int | None = None) -> int:
    """How often organisations asked a person within seven days, one proposal left out."""
    query = select(func.count()).where(Proposal.person_id == person_id, Proposal.invited_at > now() - WEEK)
    return session.scalar(query.where(Proposal.id != without) if without else query) or 0


def count_waiting_invitations(session: Session, mission_id: int, *, without: int) -> int:
    """Invitations to a mission that wait for an answer, one left out."""
    query = select(func.count()).where(
        Proposal.mission_id == mission_id,
        Proposal.made_by == Side.ORGANISATION,
        Proposal.state == ProposalState.PROPOSED,
        Proposal.id != without,
    )
    return session.scalar(query) or 0


def count_seated(session: Session, mission_id: int) -> int:
    """Seats of a mission that are taken."""
    query = select(func.count()).where(Engagement.mission_id == mission_id, Engagement.state.in_(SEATED))
    return session.scalar(query) or 0


def _proposal_query() -> Select[Proposal, Mission, Campaign, str, int | None]:
    return (
        select(Proposal, Mission, Campaign, Organisation.name, Engagement.id)
        .join(Mission, Mission.id == Proposal.mission_id)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
        .outerjoin(Engagement, Engagement.proposal_id == Proposal.id)
    )


def get_proposal(session: Session, proposal_id: int) -> ProposalRow:
    """One proposal with its mission. Raises NotFound."""
    row = session.execute(_proposal_query().where(Proposal.id == proposal_id)).first()
    if row is None:
        raise no_proposal()
    return ProposalRow(*row)


def list_proposals_of_person(session: Session, person_id: int, limit: int = 50) -> list[ProposalRow]:
    """Proposals of a professional that wait for somebody, those to answer first, then the latest."""
    query = _proposal_query().where(Proposal.person_id == person_id, Proposal.state.in_(WAITING))
    order = ((Proposal.made_by == Side.ORGANISATION).desc(), Proposal.state.desc(), Proposal.id.desc())
    return [ProposalRow(*row) for row in session.execute(query.order_by(*order).limit(limit))]


def list_proposals_of_mission(session: Session, mission_id: int, limit: int = 100) -> list[ProposalRow]:
    """Proposals of a mission that are not accepted, the latest first. They hold no identity."""
    query = _proposal_query().where(Proposal.mission_id == mission_id, Proposal.state != ProposalState.ACCEPTED)
    return [ProposalRow(*row) for row in session.execute(query.order_by(Proposal.id.desc()).limit(limit))]


def list_tuning(session: Session, person_id: int, limit: int = 50) -> list[ProposalRow]:
    """The person's refusals that keep other missions away from them, the latest first."""
    query = _proposal_query().where(Proposal.person_id == person_id, Proposal.tunes)
    return [ProposalRow(*row) for row in session.execute(query.order_by(Proposal.id.desc()).limit(limit))]


_Member = aliased(Person)


def _engagement_query() -> Select[Engagement, Mission, Campaign, str, Person, Person | None]:
    return (
        select(Engagement, Mission, Campaign, Organisation.name, Person, _Member)
        .join(Mission, Mission.id == Engagement.mission_id)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
        .join(Person, Person.id == Engagement.person_id)
        .outerjoin(_Member, _Member.id == Engagement.member_id)
    )


def list_engagements_of_person(session: Session, person_id: int, limit: int = 50) -> list[EngagementRow]:
    """A professional's engagements, the latest first."""
    query = _engagement_query().where(Engagement.person_id == person_id)
    return [EngagementRow(*row) for row in session.execute(query.order_by(Engagement.id.desc()).limit(limit))]


def list_engagements_of_mission(session: Session, mission_id: int, limit: int = 50) -> list[EngagementRow]:
    """Engagements of a mission, the latest first."""
    query = _engagement_query().where(Engagement.mission_id == mission_id)
    return [EngagementRow(*row) for row in session.execute(query.order_by(Engagement.id.desc()).limit(limit))]


def get_engagement(session: Session, engagement_id: int) -> EngagementRow:
    """An engagement with both sides. Raises NotFound."""
    row = session.execute(_engagement_query().where(Engagement.id == engagement_id)).first()
    if row is None:
        raise no_engagement()
    return EngagementRow(*row)


def state_of_engagement(session: Session, engagement_id: int) -> EngagementState | None:
    """Where an engagement stands now, whatever this session read before."""
    return session.scalar(select(Engagement.state).where(Engagement.id == engagement_id))


def get_engagement_for(session: Session, actor: Actor, engagement_id: int) -> tuple[EngagementRow, Side]:
    """An engagement and the side of the actor, who is one of the two. Raises NotFound."""
    row = get_engagement(session, engagement_id)
    side = side_of(actor, row.engagement, row.campaign)
    if side is None:
        raise no_engagement()
    return row, side


def no_engagement() -> NotFound:
    """Absence and refusal look alike."""
    return NotFound(_("This engagement does not exist, or it is between other people."))


def lock_engagement(session: Session, engagement_id: int) -> Engagement:
    """The engagement's row, locked and freshly read. Raises NotFound."""
    engagement = session.scalar(
        select(Engagement)
        .where(Engagement.id == engagement_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if engagement is None:
        raise no_engagement()
    return engagement


def sum_hours_given(session: Session) -> int:
    """Hours of work given on Koz and confirmed by the organisations that got them."""
    query = select(func.coalesce(func.sum(Engagement.hours_given), 0))
    return int(session.scalar(query.where(Engagement.state == EngagementState.CLOSED)) or 0)


def count_to_answer(session: Session, person_id: int) -> int:
    """Invitations that wait for the person's answer."""
    query = select(func.count()).where(
        Proposal.person_id == person_id,
        Proposal.made_by == Side.ORGANISATION,
        Proposal.state == ProposalState.PROPOSED,
    )
    return session.scalar(query) or 0


def count_offers_to_answer(session: Session, organisation_ids: Collection[int]) -> int:
    """Professionals who offered themselves and wait for an answer of these organisations."""
    query = (
        select(func.count())
        .select_from(Proposal)
        .join(Mission, Mission.id == Proposal.mission_id)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .where(
            Campaign.organisation_id.in_(organisation_ids),
            Proposal.made_by == Side.PROFESSIONAL,
            Proposal.state.in_(WAITING),
        )
    )
    return session.scalar(query) or 0
