"""Engagements at any of their steps, made through the services."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from koz.accounts.models import Person
from koz.core.access import Actor
from koz.core.clock import now
from koz.matching.models import Engagement, Proposal
from koz.matching.services import engaging, proposing
from koz.matching.states import EngagementState, ProposalState, Side
from koz.skills.models.offers import Mission
from tests.factories.accounts import make_person
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile, owner_of

E = EngagementState
STEPS = (E.ACCEPTED, E.RUNNING, E.DELIVERED, E.CLOSED)


@dataclass
class Pair:
    """An engagement and its two sides, as people and as actors."""

    engagement: Engagement
    mission: Mission
    person: Person
    member: Person
    pro: Actor
    owner: Actor


def make_pair(session: Session, state: EngagementState = E.ACCEPTED, *, hours: int = 6, **mission: Any) -> Pair:
    """An engagement in a state, with a sum of hours told where it has been delivered."""
    skill = make_concept(session, "communiqués de presse", "press releases")
    work = make_mission(session, {skill.id: (3, True)}, **mission)
    person = make_person(session, name="Violaine Kermadec")
    profile = make_profile(session, {skill.id: 4}, person=person)
    member = owner_of(session, work)
    pro, owner = actor_of(session, person.id), actor_of(session, member.id)
    engagement_id = proposing.accept(session, pro, invite(session, work, profile).id)
    for step in STEPS[1 : STEPS.index(state) + 1]:
        engaging.advance(session, owner if step is E.CLOSED else pro, engagement_id, step, hours)
    return Pair(session.get_one(Engagement, engagement_id), work, person, member, pro, owner)


def make_proposal(session: Session, mission: Mission, person: Person, **values: Any) -> Proposal:
    """A proposal as a row, with any times; an offer of a professional that waits, when nothing else is said."""
    values = {
        "made_by": Side.PROFESSIONAL, "state": ProposalState.PROPOSED, "made_at": now() - timedelta(days=30),
        "score": 1.0, "explanation": {"score": 1.0, "needs": [], "terms": [], "closed": []},
    } | values  # fmt: skip
    proposal = Proposal(mission_id=mission.id, person_id=person.id, **values)
    session.add(proposal)
    session.flush()
    return proposal
