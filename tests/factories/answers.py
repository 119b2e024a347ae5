"""Requests for answers in the states tests need, made through the services that make them."""

from datetime import timedelta

from sqlalchemy.orm import Session

from koz.answers import queries, services
from koz.answers.models import AnswerRequest
from koz.answers.services import ClosedConsultation, CommitmentDraft, Draft, PointDraft, PointTaken
from koz.answers.states import PointKind, Stance
from koz.campaigns.states import CampaignState
from koz.core.clock import today
from tests.factories.campaigns import make_campaign

OFFICIAL = "maire@ville.koz.test"


def make_request(session: Session, **values) -> AnswerRequest:
    """A campaign that asks; its addressee has an address."""
    values = {
        "ask": "Ouvrir la piscine le dimanche", "addressee_name": "Mme la maire", "addressee_body": "Ville de Koz",
        "addressee_email": OFFICIAL,
    } | values  # fmt: skip
    campaign = make_campaign(session, **values)
    return queries.get_request(session, services.request_answer(session, campaign.id))


def make_due_request(session: Session, *, consultation_id: int | None = None, closed_days_ago: int = 1, **values):
    """A request whose consultation closed some days ago; two points of it were taken beside the ask."""
    request = make_request(session, **{"state": CampaignState.CONSULTING} | values)
    points = [
        PointTaken(
            source_key="contribution-1", kind=PointKind.TOP, title="Un bassin pour les bébés",
            text="Le petit bassin est vide.", href="/consultations/x", agree=12, mixed=2, disagree=3,
        ),
        PointTaken(source_key="contribution-2", kind=PointKind.MINORITY, title="Fermer le lundi", agree=3, disagree=9),
    ]  # fmt: skip
    closed = ClosedConsultation(
        id=consultation_id, closed_on=today() - timedelta(days=closed_days_ago), answer_days=60, points=points
    )
    services.fix_due(session, request.campaign_id, closed)
    session.refresh(request)
    return request


def full_draft(session: Session, request: AnswerRequest, *, commitments: int = 1) -> Draft:
    """An answer to which nothing is missing."""
    points = queries.list_points(session, request.id)
    said = {p.id: PointDraft(Stance.PARTLY, "Nous le pouvons *en été*.") for p in points}
    made = [
        CommitmentDraft(f"Ouvrir {n} dimanche", "Direction des sports", today() + timedelta(days=90))
        for n in range(1, commitments + 1)
    ]
    return Draft(
        version=request.draft_version,
        signed_name="Jeanne Maire",
        signed_function="Maire",
        points=said,
        commitments=made,
    )


def make_answer(session: Session, *, commitments: int = 1, **values) -> AnswerRequest:
    """A published answer."""
    request = make_due_request(session, **values)
    services.save_draft(session, request.id, full_draft(session, request, commitments=commitments))
    assert services.publish(session, request.id)
    session.refresh(request)
    return request


def desk(request: AnswerRequest) -> str:
    """Address of the official's desk."""
    return f"/answers/desk/{services.desk_token(request)}"
