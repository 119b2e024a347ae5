"""Engagements on a line payable in money or in skills: the sum to raise follows them, on the pages too."""

import pytest
from sqlalchemy import select

from koz.campaigns import queries as campaigns
from koz.campaigns.models import BudgetLine
from koz.campaigns.services import add_contribution
from koz.campaigns.states import CampaignState, LineKind
from koz.core.money import Money
from koz.core.outbox import OutboxDelivery, OutboxMessage, relay, replay
from koz.matching import queries
from koz.matching.services import engaging, proposing
from koz.matching.states import EngagementState
from tests.factories.campaigns import make_campaign, make_payable
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile, owner_of


@pytest.fixture
def world(session):
    """A live campaign of 5,000 €, a line of 3,000 € or 40 hours, a mission of 12 hours on it, somebody who fits."""
    campaign = make_campaign(session, minimum_minor=5_000_00, optimum_minor=6_000_00)
    line = BudgetLine(
        campaign_id=campaign.id, label="Étude", kind=LineKind.EITHER, minimum_minor=3_000_00, optimum_minor=3_500_00,
        hours=40,
    )  # fmt: skip
    session.add(line)
    session.flush()
    skill = make_concept(session)
    mission = make_mission(session, {skill.id: (3, True)}, campaign=campaign, budget_line_id=line.id, title="L’étude")
    profile = make_profile(session, {skill.id: 3})
    return campaign, line, mission, profile


def engage(session, mission, profile) -> int:
    return proposing.accept(session, actor_of(session, profile.person_id), invite(session, mission, profile).id)


def deliver(session):
    session.commit()
    relay()
    session.expire_all()


def test_accepted_hours_lower_the_sum_and_an_early_end_raises_it(session, world):
    campaign, line, mission, profile = world
    engagement = engage(session, mission, profile)
    deliver(session)
    assert (line.hours_given, campaign.to_raise_minor) == (12, 4_100_00)
    engaging.advance(session, actor_of(session, profile.person_id), engagement, EngagementState.CANCELLED)
    deliver(session)
    assert (line.hours_given, campaign.to_raise_minor) == (0, 5_000_00)
    assert campaigns.list_wrong_skills(session) == []


def test_delivered_hours_count_as_they_were_agreed(session, world):
    campaign, _line, mission, profile = world
    engagement, pro = engage(session, mission, profile), actor_of(session, profile.person_id)
    mission.hours_total = 30
    owner = actor_of(session, owner_of(session, mission).id)
    engaging.advance(session, pro, engagement, EngagementState.RUNNING)
    engaging.advance(session, pro, engagement, EngagementState.DELIVERED, 9)
    engaging.advance(session, owner, engagement, EngagementState.CLOSED)
    deliver(session)
    assert campaign.to_raise_minor == 4_100_00


def test_an_end_that_is_delivered_before_the_yes_leaves_nothing(session, world):
    campaign, line, mission, profile = world
    engagement = engage(session, mission, profile)
    engaging.advance(session, actor_of(session, profile.person_id), engagement, EngagementState.CANCELLED)
    session.flush()
    yes = session.scalars(select(OutboxDelivery).where(OutboxDelivery.subscriber.endswith("count_agreed_hours"))).one()
    yes.handled_at = yes.next_attempt_at
    deliver(session)
    replay(session, yes.id)
    deliver(session)
    assert (line.hours_given, campaign.skills_minor) == (0, 0)


def test_events_told_twice_count_once(session, world):
    campaign, line, mission, profile = world
    engage(session, mission, profile)
    deliver(session)
    for delivery in session.scalars(select(OutboxDelivery)):
        replay(session, delivery.id)
    deliver(session)
    assert (line.hours_given, campaign.to_raise_minor) == (12, 4_100_00)


def test_a_yes_that_leaves_nothing_to_raise_opens_the_consultation_once(session, world):
    campaign, _line, mission, profile = world
    add_contribution(session, campaign.id, Money(4_100_00))
    assert campaign.state is CampaignState.LIVE
    engage(session, mission, profile)
    deliver(session)
    deliver(session)
    assert campaign.state is CampaignState.CONSULTING
    assert session.scalars(select(OutboxMessage.event)).all().count("CampaignFunded") == 1


def test_a_mission_without_a_line_changes_nothing(session, world):
    campaign, line, mission, profile = world
    mission.budget_line_id = None
    engage(session, mission, profile)
    deliver(session)
    assert (line.hours_given, campaign.skills_minor) == (0, 0)


def test_public_pages_show_the_sum_to_raise_and_the_rows_it_comes_from_without_names(session, world, client):
    campaign, _line, mission, profile = world
    engagement = engage(session, mission, profile)
    deliver(session)
    name = queries.get_engagement(session, engagement).professional.name
    page = client.get(f"/campaigns/{campaign.slug}?lang=fr")
    assert "12 heures données sur 40 : 900 € de moins à réunir" in page.text
    assert "Il manque 4 100 €" in page.text
    assert f"/campaigns/{campaign.slug}/hours" in page.links()
    rows = client.get(f"/campaigns/{campaign.slug}/hours")
    assert "L’étude" in rows.text
    assert "− 900 €" in rows.text
    assert f"/missions/{mission.id}" in rows.links()
    assert name not in rows.text
    assert "La somme à réunir est maintenant de 4 100 €" in client.get(f"/campaigns/{campaign.slug}/timeline").text
    engaging.advance(session, actor_of(session, profile.person_id), engagement, EngagementState.CANCELLED)
    deliver(session)
    assert "arrêté avant la livraison" in client.get(f"/campaigns/{campaign.slug}/hours").text


def test_whoever_gives_reads_what_must_be_raised_and_why_it_is_less(session, world, client):
    campaign, _line, mission, profile = world
    make_payable(session, campaign.organisation_id)
    give = f"/campaigns/{campaign.slug}/give?lang=fr"
    assert "0 € encaissés sur 5 000 € à réunir" in client.get(give).text
    engage(session, mission, profile)
    deliver(session)
    text = client.get(give).text
    assert "0 € encaissés sur 4 100 € à réunir" in text
    assert "C’était 5 000 € au départ" in text


def test_the_api_says_what_must_be_raised(session, world, client):
    campaign, _line, mission, profile = world
    engage(session, mission, profile)
    deliver(session)
    found = client.client.get(f"/api/v1/campaigns/{campaign.slug}").json
    assert (found["minimum_minor"], found["skills_minor"], found["to_raise_minor"]) == (5_000_00, 900_00, 4_100_00)
    assert found["budget"] == [
        {"label": "Étude", "kind": "either", "minimum_minor": 3_000_00, "optimum_minor": 3_500_00, "hours": 40,
         "hours_given": 12, "skills_minor": 900_00},
    ]  # fmt: skip


def test_an_organisation_ends_an_engagement_too(session, world):
    campaign, _line, mission, profile = world
    engagement = engage(session, mission, profile)
    owner = actor_of(session, owner_of(session, mission).id)
    engaging.advance(session, owner, engagement, EngagementState.CANCELLED)
    deliver(session)
    assert campaign.to_raise_minor == 5_000_00
