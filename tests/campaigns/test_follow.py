"""Following: double opt-in, links that scanners cannot press, one row and one mail each, forgetting."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from koz.accounts.services.privacy import erase_person, export_person
from koz.campaigns import queries, services
from koz.campaigns.events import FollowersToTell
from koz.campaigns.models import CampaignFollower
from koz.campaigns.services import following
from koz.core.clock import now
from koz.core.errors import NotAllowed
from koz.core.outbox import OutboxMessage, record, relay
from koz.core.tokens import sign
from koz.notifications.models import Mail
from koz.workflows import following as telling
from koz.workflows.following import tell_followers
from tests.factories.accounts import make_person
from tests.factories.campaigns import actor_of, make_campaign

EMAIL = "Lecteur@Koz.test"


@pytest.fixture
def campaign(session):
    return make_campaign(session, title="Des arbres")


def path_in(letter, start) -> str:
    found = re.search(rf"http://127\.0\.0\.1:8000(/{start}/\S+)", letter.text)
    assert found, letter.text
    assert found[1] in letter.html
    return found[1]


def rows(session):
    session.expire_all()
    return session.scalars(select(CampaignFollower).order_by(CampaignFollower.id)).all()


@pytest.mark.parametrize(("lang", "word"), [("fr", "Suivre"), ("en", "Follow")])
def test_follow_confirm_hear_stop(client, session, campaign, letters, lang, word):
    here = f"/campaigns/{campaign.slug}/follow"
    client.get(here, lang=lang)
    client.post(here, {"email": EMAIL}, headers={"Accept-Language": lang})
    (letter,) = letters()
    assert letter.to_email == "lecteur@koz.test"
    assert word in letter.subject
    link = path_in(letter, "follow")
    client.get(link)
    assert rows(session)[0].confirmed_at is None, "opening the link is nothing: scanners open links"
    assert client.post(link).response.location == f"/campaigns/{campaign.slug}/following"
    client.get(f"/campaigns/{campaign.slug}/following")
    assert rows(session)[0].confirmed_at is not None
    client.post(link, status=410)
    tell_followers(session, campaign.id, "campaign_update", {"news": "N", "path": "/p"}, "k1")
    session.flush()
    (told,) = letters()
    stop = path_in(told, "unfollow")
    client.get(stop)
    assert len(rows(session)) == 1
    assert client.post(stop).response.location == "/unfollowed"
    client.get("/unfollowed")
    assert rows(session) == []
    client.get(stop)
    client.post(stop)
    client.post(link, status=410)
    tell_followers(session, campaign.id, "campaign_update", {"news": "N", "path": "/p"}, "k2")
    session.flush()
    assert letters() == []


def test_pressing_often_writes_one_row_and_one_mail(client, session, campaign, letters):
    for _ in range(3):
        client.post(f"/campaigns/{campaign.slug}/follow", {"email": EMAIL})
    assert len(letters()) == len(rows(session)) == 1


def test_a_follower_who_asks_again_is_told_and_the_page_tells_nothing(client, session, campaign, letters):
    fresh = client.post(f"/campaigns/{campaign.slug}/follow", {"email": EMAIL}).response.location
    rows(session)[0].confirmed_at = now()
    session.flush()
    letters()
    session.execute(Mail.__table__.delete())
    again = client.post(f"/campaigns/{campaign.slug}/follow", {"email": EMAIL}).response.location
    assert fresh == again
    (letter,) = letters()
    path_in(letter, "unfollow")
    assert "/follow/" not in letter.text.replace("/unfollow/", "")
    assert rows(session)[0].confirmed_at is not None


@pytest.mark.parametrize("email", ["", "pas une adresse", "a@b@c", "x" * 250 + "@koz.test", "a@b.test\nBcc: c@d.test"])
def test_wrong_addresses_are_kept_with_a_sentence(client, campaign, email):
    page = client.post(f"/campaigns/{campaign.slug}/follow", {"email": email}, status=422)
    assert page.all("p", class_="error")
    assert page.field("email") == re.sub(r"\s+", " ", email)


def test_links_that_are_forged_expired_or_for_something_else(client, session, campaign, time_machine_at, letters):
    client.post(f"/campaigns/{campaign.slug}/follow", {"email": EMAIL})
    (letter,) = letters()
    link = path_in(letter, "follow")
    follower = rows(session)[0].id
    client.post(link[:-3] + "abc", status=404)
    client.post("/follow/nonsense", status=404)
    client.get("/unfollow/nonsense", status=404)
    client.post("/unfollow/nonsense", status=404)
    client.post(f"/follow/{sign('unfollow', {'id': follower})}", status=404)
    client.post(f"/unfollow/{sign('follow', {'id': follower})}", status=404)
    assert rows(session)[0].confirmed_at is None
    time_machine_at((now() + timedelta(days=8)).date())
    client.post(link, status=410)
    assert rows(session)[0].confirmed_at is None


def test_a_proved_member_follows_at_once(client, session, login, campaign, letters):
    person = make_person(session)
    login(person)
    page = client.get(f"/campaigns/{campaign.slug}/follow")
    assert not page.all("input", name="email")
    client.post(f"/campaigns/{campaign.slug}/follow")
    client.post(f"/campaigns/{campaign.slug}/follow")
    assert [r.email for r in rows(session)] == [person.email]
    assert rows(session)[0].confirmed_at is not None
    assert letters() == []
    assert not client.get(f"/campaigns/{campaign.slug}/follow").all("form")


def test_an_unproved_member_is_asked_by_mail(client, session, login, campaign, letters):
    person = make_person(session, verified=False)
    with pytest.raises(NotAllowed):
        services.follow(session, actor_of(session, person), campaign.slug)
    login(person)
    client.post(f"/campaigns/{campaign.slug}/follow", {"email": person.email})
    assert rows(session)[0].confirmed_at is None
    assert len(letters()) == 1


def test_strangers_are_limited(client, campaign):
    for n in range(30):
        client.post(f"/campaigns/{campaign.slug}/follow", {"email": f"a{n}@koz.test"})
    client.post(f"/campaigns/{campaign.slug}/follow", {"email": "b@koz.test"}, status=429)


def test_one_mailbox_is_not_flooded(client, session):
    for _n in range(10):
        client.post(f"/campaigns/{make_campaign(session).slug}/follow", {"email": EMAIL})
    client.post(f"/campaigns/{make_campaign(session).slug}/follow", {"email": EMAIL}, status=429)


def make_followers(session, campaign, n, **values):
    for i in range(n):
        session.add(
            CampaignFollower(
                campaign_id=campaign.id, email=f"f{campaign.id}-{i}@koz.test", **({"confirmed_at": now()} | values)
            )
        )
    session.flush()


@pytest.mark.parametrize(("count", "batches"), [(0, 1), (1, 1), (6, 3), (7, 3), (20, 7)])
def test_each_follower_gets_one_mail_whatever_their_number(session, campaign, monkeypatch, count, batches):
    monkeypatch.setattr(telling, "BATCH", 3)
    make_followers(session, campaign, count)
    make_followers(session, make_campaign(session), 2)
    session.add(CampaignFollower(campaign_id=campaign.id, email="not-confirmed@koz.test"))
    for _twice in range(2):
        tell_followers(session, campaign.id, "campaign_update", {"news": "N", "path": "/p"}, "update-1")
        session.flush()
        relay()
    mails = session.scalars(select(Mail)).all()
    assert sorted(m.to_email for m in mails) == sorted(f"f{campaign.id}-{i}@koz.test" for i in range(count))
    told = session.scalar(select(func.count()).where(OutboxMessage.event == "FollowersToTell"))
    assert told == 2 * (count // 3 + 1)
    assert batches == count // 3 + 1


def test_a_batch_that_is_handled_twice_writes_nothing_new(session, campaign):
    make_followers(session, campaign, 5)
    event = FollowersToTell(campaign.id, "campaign_update", {"news": "N", "path": "/p"}, "update-9")
    telling.tell_batch(session, event)
    telling.tell_batch(session, event)
    assert session.scalar(select(func.count()).select_from(Mail)) == 5


def test_the_event_can_be_recorded_by_any_feature(session, campaign):
    make_followers(session, campaign, 2)
    record(session, FollowersToTell(campaign.id, "campaign_update", {"news": "N", "path": "/p"}, "x"))
    session.flush()
    relay()
    assert session.scalar(select(func.count()).select_from(Mail)) == 2


def test_a_batch_reads_once(session, campaign, queries):
    make_followers(session, campaign, 50)
    with queries() as q:
        telling.tell_batch(session, FollowersToTell(campaign.id, "campaign_update", {"news": "N", "path": "/p"}, "y"))
    assert sum(s.lstrip().startswith("SELECT") for s in q.seen) <= 2


def test_addresses_are_forgotten(session, campaign):
    make_followers(session, campaign, 1, confirmed_at=None, created_at=now() - timedelta(days=8))
    make_followers(session, make_campaign(session), 1, created_at=now() - timedelta(days=800))
    assert services.forget_unconfirmed(session) == 1
    (left,) = rows(session)
    services.forget_address(session, left.email.upper())
    assert rows(session) == []


def test_erasing_a_member_deletes_what_they_follow(session, campaign, letters):
    person, other = make_person(session), make_person(session)
    for one in (person, other):
        services.follow(session, actor_of(session, one), campaign.slug)
    second = make_campaign(session)
    services.request_follow(session, second.slug, person.email, "fr")
    by_mail = session.scalars(select(CampaignFollower).where(CampaignFollower.campaign_id == second.id)).one()
    services.confirm(session, services.confirm_token(by_mail.id))
    session.flush()
    exported = export_person(session, person.id)["followed_campaigns"]
    assert [row["campaign"] for row in exported] == [campaign.slug, second.slug]
    erase_person(session, person.id)
    session.flush()
    letters()
    assert [r.email for r in rows(session)] == [other.email]


def test_followers_are_listed_by_key(session, campaign):
    make_followers(session, campaign, 5)
    first = queries.list_followers(session, campaign.id, None, 3)
    rest = queries.list_followers(session, campaign.id, first[-1].id, 3)
    assert len(first) + len(rest) == 5
    assert not {r.id for r in first} & {r.id for r in rest}
    assert queries.count_followers(session, campaign.id) == 5
    assert following.CONFIRM_AGE_S == 7 * 24 * 3600
