"""What the database decides when two come at the same moment: real commits, real threads."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select

from koz.campaigns import queries, services
from koz.campaigns.models import Campaign, CampaignFollower, CampaignUpdate
from koz.campaigns.services import NewCampaign, News, StaleVersion, Story
from koz.core.db import unit_of_work
from koz.core.outbox import OutboxMessage
from tests.factories.accounts import make_organisation, make_person
from tests.factories.campaigns import actor_of, make_campaign, make_draft

N = 6


def at_once(app, act):
    """Results of N threads that start together, each in a context of its own; an error is its result."""
    barrier = Barrier(N)

    def one(n):
        with app.app_context():
            barrier.wait()
            try:
                with unit_of_work() as session:
                    return act(session, n)
            except StaleVersion as error:
                return error

    with ThreadPoolExecutor(N) as pool:
        return list(pool.map(one, range(N)))


def owner_of(session):
    person = make_person(session)
    organisation = make_organisation(session, owner=person)
    return actor_of(session, person), organisation.id


def test_one_title_at_the_same_moment(committed_app):
    with unit_of_work() as session:
        actor, organisation_id = owner_of(session)
    new = NewCampaign(organisation_id=organisation_id, title="Un même titre")
    slugs = at_once(committed_app, lambda session, _n: services.create_draft(session, actor, new).slug)
    assert len(set(slugs)) == N
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Campaign)) == N


def test_many_saves_of_one_version_keep_one(committed_app):
    with unit_of_work() as session:
        actor, organisation_id = owner_of(session)
        slug = make_draft(session, actor, organisation_id)
        version = queries.get_campaign(session, slug).version
    results = at_once(
        committed_app, lambda session, n: services.save_story(session, actor, slug, Story(story_md=f"{n}"), version)
    )
    assert sum(isinstance(r, StaleVersion) for r in results) == N - 1


def test_many_submissions_are_one(committed_app):
    with unit_of_work() as session:
        actor, organisation_id = owner_of(session)
        slug = make_draft(session, actor, organisation_id)
    at_once(committed_app, lambda session, _n: services.submit(session, actor, slug).state)
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).where(OutboxMessage.event == "CampaignSubmitted")) == 1


def test_one_press_of_publish_is_one_piece_of_news(committed_app):
    with unit_of_work() as session:
        actor, organisation_id = owner_of(session)
        slug = make_campaign(session, organisation_id=organisation_id).slug
    news = News(title="T", body_md="B", nonce="same")
    ids = at_once(committed_app, lambda session, _n: services.publish_update(session, actor, slug, news).id)
    assert len(set(ids)) == 1
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(CampaignUpdate)) == 1
        assert session.scalar(select(func.count()).where(OutboxMessage.event == "UpdatePublished")) == 1


def test_one_address_at_the_same_moment_is_one_follower(committed_app):
    with unit_of_work() as session:
        slug = make_campaign(session).slug
    at_once(committed_app, lambda session, _n: services.request_follow(session, slug, "A@koz.test", "fr"))
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(CampaignFollower)) == 1


def test_two_ends_are_one(committed_app):
    with unit_of_work() as session:
        campaign = make_campaign(session, deadline_on=make_campaign(session).created_at.date().replace(year=2020))
        campaign_id = campaign.id
    closed = at_once(committed_app, lambda session, _n: services.close_due(session, campaign_id))
    assert sum(closed) == 1
