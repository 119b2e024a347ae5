"""A consultation opens by itself, once, when its campaign is funded, with what the NGO prepared; and closes once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from koz.campaigns.models import Campaign, TimelineEntry
from koz.campaigns.states import CampaignState
from koz.consultations import queries, services
from koz.consultations.models import Consultation
from koz.consultations.services import Draft, SectionDraft
from koz.consultations.states import ALLOWED, ConsultationState, may_step
from koz.core.clock import now, today
from koz.core.db import unit_of_work
from koz.core.errors import Conflict
from koz.core.jobs import get_job
from koz.core.outbox import OutboxMessage
from tests.factories.campaigns import make_campaign
from tests.factories.consultations import make_consultation, make_contribution

DRAFT = Draft(
    question="Faut-il une cantine ?", intro_md="**Lisez** d'abord.", days=20, answer_days=40,
    sections=[SectionDraft("Le projet", "Un texte."), SectionDraft("Le budget", "Un autre.")],
)  # fmt: skip


def told(session, name):
    return [m.payload for m in session.scalars(select(OutboxMessage).where(OutboxMessage.event == name))]


def test_the_table_of_states_is_the_only_way():
    pairs = {(a, b) for a in ConsultationState for b in ConsultationState if may_step(a, b)}
    assert pairs == {
        (ConsultationState.DRAFT, ConsultationState.OPEN),
        (ConsultationState.OPEN, ConsultationState.CLOSED),
    }
    assert set(ALLOWED) == set(ConsultationState)


def test_it_opens_with_what_the_ngo_prepared(session):
    campaign = make_campaign(session, state=CampaignState.FUNDED, addressee_name="La maire", addressee_body="Ville")
    draft = services.prepare(session, campaign.id)
    services.save_draft(session, draft.id, DRAFT, draft.version)
    opened = services.open_for_campaign(session, campaign.id)
    consultation = queries.get_consultation_by_id(session, opened)
    assert (consultation.question, consultation.addressee) == ("Faut-il une cantine ?", "La maire, Ville")
    assert "<strong>" in consultation.intro_html
    assert consultation.closes_on == today() + timedelta(days=20)
    assert consultation.answer_due_on == today() + timedelta(days=60)
    assert [s.title for s in queries.list_sections(session, opened)] == ["Le projet", "Le budget"]
    assert campaign.state is CampaignState.CONSULTING
    entry = session.scalars(select(TimelineEntry).where(TimelineEntry.kind == "consultation_opened")).one()
    assert entry.href == f"/consultations/{campaign.slug}"
    assert told(session, "ConsultationOpened") == [{"consultation_id": opened, "campaign_id": campaign.id}]


def test_unprepared_it_opens_from_the_campaigns_own_texts(session):
    campaign = make_campaign(
        session, state=CampaignState.FUNDED, ask="Nous demandons une cantine.", consultation_question="Et vous ?",
        expected_result="Des repas.",
    )  # fmt: skip
    opened = services.open_for_campaign(session, campaign.id)
    assert queries.get_consultation_by_id(session, opened).question == "Et vous ?"
    texts = [s.body_md for s in queries.list_sections(session, opened)]
    assert texts == ["Nous demandons une cantine.", "Des repas."]


def test_opening_again_changes_nothing(session):
    campaign = make_campaign(session, state=CampaignState.FUNDED)
    first = services.open_for_campaign(session, campaign.id)
    assert services.open_for_campaign(session, campaign.id) == first
    assert len(told(session, "ConsultationOpened")) == 1


@pytest.mark.parametrize("state", [CampaignState.LIVE, CampaignState.CLOSED, CampaignState.FAILED])
def test_a_campaign_at_another_stage_opens_nothing(session, state):
    campaign = make_campaign(session, state=state)
    assert services.open_for_campaign(session, campaign.id) is None
    assert queries.find_by_campaign(session, campaign.id).state is ConsultationState.DRAFT
    assert not told(session, "ConsultationOpened")


def test_an_imported_consultation_with_the_same_address_is_no_hindrance(session):
    campaign = make_campaign(session, state=CampaignState.FUNDED)
    make_consultation(session, slug=campaign.slug)
    opened = services.open_for_campaign(session, campaign.id)
    assert queries.get_consultation_by_id(session, opened).slug == f"{campaign.slug}-{campaign.id}"


def test_once_open_the_draft_cannot_change_nor_be_overwritten_unseen(session):
    campaign = make_campaign(session, state=CampaignState.FUNDED)
    draft = services.prepare(session, campaign.id)
    seen = draft.version
    services.save_draft(session, draft.id, DRAFT, seen)
    with pytest.raises(Conflict, match=r"."):
        services.save_draft(session, draft.id, DRAFT, seen)
    services.open_for_campaign(session, campaign.id)
    with pytest.raises(Conflict):
        services.save_draft(session, draft.id, DRAFT, draft.version)


def test_many_openings_at_once_open_one(committed_app):
    with unit_of_work() as session:
        campaign_id = make_campaign(session, state=CampaignState.FUNDED).id

    def work(_n):
        with committed_app.app_context(), unit_of_work() as session:
            return services.open_for_campaign(session, campaign_id)

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(work, range(24)))
    with unit_of_work() as session:
        assert {c.id for c in session.scalars(select(Consultation))} == ids
        assert len(told(session, "ConsultationOpened")) == 1
        assert session.get_one(Campaign, campaign_id).state is CampaignState.CONSULTING


def test_after_the_last_day_writing_is_refused_before_the_job_runs_and_the_job_closes_once(session):
    campaign = make_campaign(session, state=CampaignState.FUNDED)
    consultation = queries.get_consultation_by_id(session, services.open_for_campaign(session, campaign.id))
    make_contribution(session, consultation)
    assert get_job("consultations.close_due")() == 0
    consultation.opens_at, consultation.closes_at = now() - timedelta(days=3), now() - timedelta(seconds=1)
    session.flush()
    with pytest.raises(Conflict):
        make_contribution(session, consultation)
    assert consultation.state is ConsultationState.OPEN
    assert [get_job("consultations.close_due")() for _ in range(3)] == [1, 0, 0]
    session.refresh(consultation)
    assert consultation.state is ConsultationState.CLOSED
    assert told(session, "ConsultationClosed") == [{"consultation_id": consultation.id, "campaign_id": campaign.id}]
    kinds = session.scalars(select(TimelineEntry.kind).order_by(TimelineEntry.id)).all()
    assert kinds == ["consultation_opened", "consultation_closed"]
