"""Money collected → campaign funded → one consultation, however many payments and relays meet."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from koz.campaigns.models import Campaign, TimelineEntry
from koz.campaigns.states import CampaignState
from koz.consultations.models import Consultation
from koz.consultations.states import ConsultationState
from koz.core.db import unit_of_work
from koz.core.outbox import OutboxDelivery, OutboxMessage, relay
from koz.payments.services import settle
from tests.payments.conftest import *  # noqa: F403 - the campaign, the provider and the gift of the payment tests


def test_twenty_payments_across_the_minimum_and_six_relays_open_one_consultation(
    start, gateway, campaign_id, committed_app
):
    pages = [start(10_00).url.rsplit("/", 1)[1] for _ in range(20)]
    for page in pages:
        gateway.pay(page)

    def pay(page):
        with committed_app.app_context():
            settle.look(unit_of_work, gateway, "acct_1", page)
            relay()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(pay, pages * 2))

    def deliver(_n):
        with committed_app.app_context():
            return relay()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(deliver, range(6)))
    with unit_of_work() as session:
        consultation = session.scalars(select(Consultation)).one()
        assert (consultation.campaign_id, consultation.state) == (campaign_id, ConsultationState.OPEN)
        assert session.get_one(Campaign, campaign_id).state is CampaignState.CONSULTING
        events = session.scalars(select(OutboxMessage.event)).all()
        assert (events.count("CampaignFunded"), events.count("ConsultationOpened")) == (1, 1)
        kinds = select(func.count()).where(TimelineEntry.kind == "consultation_opened")
        assert session.scalar(kinds) == 1


def test_an_event_delivered_twice_opens_once(start, gateway, campaign_id, committed_app):
    page = start(100_00).url.rsplit("/", 1)[1]
    gateway.pay(page)
    settle.look(unit_of_work, gateway, "acct_1", page)
    assert relay() >= 1
    with unit_of_work() as session:
        for delivery in session.scalars(select(OutboxDelivery)):
            delivery.handled_at = None
    assert relay() >= 1
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Consultation)) == 1
        assert session.scalars(select(OutboxMessage.event)).all().count("ConsultationOpened") == 1
