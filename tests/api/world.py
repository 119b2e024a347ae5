"""Something of everything that the API shows, and something that it must not show."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from koz.accounts.models import Organisation
from koz.answers import queries as answers
from koz.answers import services
from koz.answers.states import CommitmentState
from koz.campaigns.models import BudgetLine, Campaign, CampaignUpdate
from koz.consultations.models import Consultation
from koz.consultations.states import Choice
from koz.core.clock import now
from koz.core.money import Money
from koz.payments import ledger
from koz.payments.models import Gift
from koz.payments.states import GiftState
from koz.skills.models.concepts import SkillConcept
from koz.skills.models.offers import Mission, MissionNeed
from koz.skills.states import MissionState
from koz.skills.taxonomy import ConceptKind, Origin
from tests.factories.accounts import make_organisation, make_person
from tests.factories.answers import make_answer
from tests.factories.consultations import cast_votes, make_argument, make_consultation, make_contribution

SECRETS = ("maire@ville.koz.test", "secret@koz.test", "Nom Secret", "person")


@dataclass
class World:
    """Addresses to ask for."""

    campaign: Campaign
    organisation: Organisation
    consultation: Consultation
    concept: SkillConcept


def build(session: Session) -> World:
    """One answered campaign with all its stages."""
    owner = make_person(session, email="secret@koz.test", name="Nom Secret")
    organisation = make_organisation(session, owner=owner, siren="732829320", verified_at=now())
    request = make_answer(session, organisation_id=organisation.id, live_at=now(), summary="En deux phrases & plus.")
    campaign = session.get_one(Campaign, request.campaign_id)
    session.add(
        BudgetLine(campaign_id=campaign.id, label="Maîtres-nageurs", minimum_minor=100_00, optimum_minor=200_00)
    )
    session.add(
        CampaignUpdate(campaign_id=campaign.id, title="Du <neuf> & du vieux", body_md="x", body_html="<p>x</p>")
    )
    consultation = make_consultation(session, campaign_id=campaign.id, organisation_id=organisation.id)
    opinion = make_contribution(session, consultation, owner)
    cast_votes(session, opinion, *[Choice.AGREE] * 8, Choice.MIXED)
    make_argument(session, opinion, sourced=True)
    (one,) = answers.list_commitments(session, request.id)
    services.move_commitment(session, request.id, one.id, CommitmentState.KEPT, proof_url="https://ville.example/pv")
    services.propose_proof(session, request.id, one.id, note="Nous y étions", proof_url="")
    _give(session, campaign, "Awa D.")
    _give(session, campaign, None)
    concept = make_concept(session)
    make_mission(session, campaign, concept)
    make_mission(session, campaign, concept, state=MissionState.DRAFT, title="Pas encore publique")
    session.flush()
    return World(campaign, organisation, consultation, concept)


def _give(session: Session, campaign: Campaign, public_name: str | None) -> None:
    gift = Gift(
        campaign_id=campaign.id, organisation_id=campaign.organisation_id, email="secret@koz.test",
        public_name=public_name, amount_minor=20_00, state=GiftState.COLLECTED, collected_at=now(),
    )  # fmt: skip
    session.add(gift)
    session.flush()
    lines = {
        ledger.donors(campaign.id): Money(-20_00),
        ledger.provider(campaign.organisation_id): Money(19_45),
        ledger.fees(campaign.organisation_id): Money(55),
    }
    ledger.post(session, f"pi_{gift.id}:paid", lines, campaign_id=campaign.id, gift_id=gift.id)


def make_concept(session: Session) -> SkillConcept:
    """A skill."""
    concept = SkillConcept(
        code="koz:write", origin=Origin.KOZ, kind=next(iter(ConceptKind)), label_fr="Écrire", label_en="Writing"
    )
    session.add(concept)
    session.flush()
    return concept


def make_mission(session: Session, campaign: Campaign, concept: SkillConcept, **values) -> Mission:
    """An open mission of a campaign."""
    values = {"title": "Écrire le plaidoyer", "state": MissionState.OPEN} | values
    mission = Mission(
        campaign_id=campaign.id,
        deliverable="Un texte",
        done_criteria="Relu",
        hours_total=20,
        hours_per_week=4,
        **values,
    )
    session.add(mission)
    session.flush()
    session.add(MissionNeed(mission_id=mission.id, concept_id=concept.id, level=3, must=True))
    session.flush()
    return mission
