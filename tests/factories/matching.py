"""Concepts, profiles, missions and proposals for tests."""

from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from koz.accounts.models import Membership, Organisation, Person
from koz.campaigns.models import Campaign
from koz.core.access import Actor
from koz.matching.services import proposing
from koz.skills.models.concepts import SkillConcept, SkillEdge
from koz.skills.models.offers import Mission, MissionNeed, Profile, ProfileSkill
from koz.skills.states import MissionState
from koz.skills.taxonomy import ConceptKind, EdgeKind, Origin
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign

_numbers = count(1)


def make_concept(session: Session, label_fr: str = "", label_en: str = "") -> SkillConcept:
    """A skill of our own."""
    n = next(_numbers)
    concept = SkillConcept(
        code=f"koz:test-{n}", origin=Origin.KOZ, kind=ConceptKind.SKILL,
        label_fr=label_fr or f"compétence {n}", label_en=label_en or f"skill {n}",
    )  # fmt: skip
    session.add(concept)
    session.flush()
    return concept


def join_concepts(session: Session, source: SkillConcept, target: SkillConcept, weight: float = 0.8) -> None:
    """The two are related, both ways."""
    edge = SkillEdge(source_id=source.id, target_id=target.id, kind=EdgeKind.RELATED, weight=weight, origin=Origin.KOZ)
    session.add(edge)
    session.flush()


def make_profile(session: Session, skills: dict[int, int], *, person: Person | None = None, **values) -> Profile:
    """A profile of a person of its own, French, remote, 5 hours a week; `skills` are concept → level."""
    values = {"hours_per_week": 5, "languages": ["fr"], "departments": [], "remote": True, "causes": []} | values
    profile = Profile(person_id=(person or make_person(session)).id, **values)
    session.add(profile)
    session.flush()
    session.add_all(ProfileSkill(profile_id=profile.id, concept_id=c, level=level) for c, level in skills.items())
    session.flush()
    return profile


def make_mission(
    session: Session, needs: dict[int, tuple[int, bool]], *, campaign: Campaign | None = None, **values
) -> Mission:
    """An open mission of a live campaign, in French, remote, 3 hours a week; `needs` are concept → (level, must)."""
    n = next(_numbers)
    values = {
        "title": f"Mission {n}", "deliverable": "Un dossier de presse", "done_criteria": "Il est en ligne",
        "hours_total": 12, "hours_per_week": 3, "language": "fr", "remote": True, "state": MissionState.OPEN,
    } | values  # fmt: skip
    mission = Mission(campaign_id=(campaign or make_campaign(session)).id, **values)
    session.add(mission)
    session.flush()
    session.add_all(
        MissionNeed(mission_id=mission.id, concept_id=c, level=level, must=must) for c, (level, must) in needs.items()
    )
    session.flush()
    return mission


def actor_of(session: Session, person_id: int) -> Actor:
    """The person as a request sees them."""
    person = session.get_one(Person, person_id)
    roles: dict[int, set[str]] = {}
    for m in session.scalars(select(Membership).where(Membership.person_id == person_id)):
        roles.setdefault(m.organisation_id, set()).add(m.role.value)
    return Actor(
        id=person.id, name=person.name, email=person.email, email_verified=person.email_verified_at is not None,
        roles={o: frozenset(r) for o, r in roles.items()},
    )  # fmt: skip


def owner_of(session: Session, mission: Mission) -> Person:
    """Somebody who owns the mission's organisation."""
    query = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .join(Campaign, Campaign.organisation_id == Organisation.id)
        .where(Campaign.id == mission.campaign_id, Membership.role == "owner")
    )
    return session.scalars(query).first()


def invite(session: Session, mission: Mission, profile: Profile):
    """The organisation's owner invites the professional."""
    return proposing.invite(session, actor_of(session, owner_of(session, mission).id), mission.id, profile.id)
