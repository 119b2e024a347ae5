"""Invitations answered from the mail: without a log-in, one proposal only, nothing changed by looking, one reminder."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from koz.core.clock import now, today
from koz.core.errors import Gone, NotFound
from koz.core.jobs import get_job
from koz.core.tokens import sign
from koz.matching.models import Engagement, Proposal
from koz.matching.services import letters as service
from koz.matching.services import proposing
from koz.matching.states import ProposalState, Reason
from koz.skills.models.offers import Profile
from koz.skills.services import missions
from koz.skills.states import MissionState
from tests.factories.accounts import make_person
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile, owner_of

NAME = "Violaine Kermadec"


@pytest.fixture
def skill(session):
    return make_concept(session, "comptabilité des associations", "association accounting")


@pytest.fixture
def mission(session, skill):
    return make_mission(session, {skill.id: (3, True)})


@pytest.fixture
def person(session):
    return make_person(session, name=NAME, email="violaine.kermadec@koz.test")


@pytest.fixture
def proposal(session, mission, skill, person):
    return invite(session, mission, make_profile(session, {skill.id: 4}, person=person))


@pytest.fixture
def link(proposal):
    return f"/letters/{service.link_token(proposal)}"


def engagements(session):
    return session.scalar(select(func.count()).select_from(Engagement))


def state(session, proposal):
    session.refresh(proposal)
    return proposal.state


def test_the_mail_brings_a_link_that_shows_the_reasons_and_nobody(session, client, proposal, mission, letters):
    session.commit()
    (letter,) = letters()
    path = re.search(r"(/letters/\S+)", letter.text)[1]
    assert path in letter.html
    page = client.get(path)
    assert mission.title in page.text
    assert "vous avez déclaré exactement cela, niveau 4 sur 5" in page.text
    assert "100 points sur 100" in page.text
    member = owner_of(session, mission)
    for secret in (NAME, "Kermadec", "violaine", member.name, member.email):
        assert secret not in page.body, secret
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.response.headers["X-Robots-Tag"]
    assert "no-store" in page.response.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(session, client, proposal, link, method):
    for _ in range(3):
        assert client.open(link, method=method).status_code == 200
    assert state(session, proposal) is ProposalState.PROPOSED
    for answer in ("yes", "later", "no"):
        assert client.open(f"{link}/{answer}", method=method).status_code == 405
    assert state(session, proposal) is ProposalState.PROPOSED


def test_a_yes_makes_one_engagement_and_ends_the_link(session, client, proposal, link, letters):
    answer = client.post(f"{link}/yes")
    page = client.get(answer.response.location)
    assert "C’est entendu" in page.text
    client.post(f"{link}/yes")
    assert state(session, proposal) is ProposalState.ACCEPTED
    assert engagements(session) == 1
    client.post(f"{link}/no", status=410)
    client.post(f"{link}/later", status=410)
    page = client.get(link)
    assert "points sur 100" not in page.text
    assert not page.all("form", method="post")
    session.commit()
    assert {x.to_email for x in letters()} >= {"violaine.kermadec@koz.test"}


def test_a_no_takes_one_press_and_a_reason_tunes_only_the_person(session, client, proposal, link):
    client.post(f"{link}/no", {"reason": "hours"})
    session.refresh(proposal)
    assert (proposal.state, proposal.reason, proposal.tunes) == (ProposalState.DECLINED, Reason.HOURS, True)
    assert "Merci de votre réponse" in client.get(f"{link}?said=declined").text


def test_a_no_without_a_word_or_with_nonsense_is_a_no(session, client, proposal, link):
    client.post(f"{link}/no", {"reason": "'; DROP TABLE proposals"})
    session.refresh(proposal)
    assert (proposal.state, proposal.reason) == (ProposalState.DECLINED, None)


def test_not_now_keeps_the_link(session, client, proposal, link):
    page = client.get(client.post(f"{link}/later").response.location)
    assert state(session, proposal) is ProposalState.LATER
    assert "pas maintenant" in page.text
    assert not [f for f in page.all("form") if f.get("action", "").endswith("/later")]
    client.post(f"{link}/yes")
    assert state(session, proposal) is ProposalState.ACCEPTED


def test_the_link_dies_with_the_invitation(session, client, proposal, link, mission):
    owner = actor_of(session, owner_of(session, mission).id)
    proposing.withdraw(session, owner, proposal.id)
    session.flush()
    client.get(link, status=410)
    client.post(f"{link}/yes", status=410)
    proposal.invited_at = now() - timedelta(days=8)
    profile = session.scalars(select(Profile).where(Profile.person_id == proposal.person_id)).one()
    proposing.invite(session, owner, mission.id, profile.id)
    session.flush()
    client.get(link, status=410)
    client.get(f"/letters/{service.link_token(proposal)}")


def test_the_link_dies_with_the_mission_and_with_the_person(session, client, proposal, link, mission, person):
    missions.close_mission(session, actor_of(session, owner_of(session, mission).id), mission.id)
    assert mission.state is MissionState.CLOSED
    client.post(f"{link}/yes", status=409)
    person.erased_at = now()
    session.flush()
    client.get(link, status=410)


def test_links_are_ours_and_of_one_purpose(session, client, proposal):
    client.get("/letters/nonsense", status=404)
    other = sign("calendar", {"p": proposal.id, "r": proposal.round})
    client.get(f"/letters/{other}", status=404)
    with pytest.raises((Gone, NotFound)):
        service.open_letter(session, sign("invitation", {"p": 10**12, "r": 1}))
    good = service.link_token(proposal)
    client.get(f"/letters/{good[:-2]}xx", status=404)


def test_links_age(session, proposal, monkeypatch):
    token = service.link_token(proposal)
    monkeypatch.setattr(service, "LINK_AGE", timedelta(seconds=-1))
    with pytest.raises(Gone):
        service.open_letter(session, token)


def test_an_offer_of_ones_own_has_no_link(session, mission, skill):
    profile = make_profile(session, {skill.id: 4})
    offered = proposing.offer(session, actor_of(session, profile.person_id), mission.id)
    with pytest.raises(Gone):
        service.open_letter(session, service.link_token(offered))


def test_the_letter_says_how_it_was_made_and_by_when_in_english_too(client, link):
    page = client.get(f"{link}?lang=en")
    for words in (
        "How proposals are made",
        "People decide",
        "object at any time",
        "Answer hoped for by",
        "too few to say",
    ):
        assert words in page.text, words


# The reminder ---------------------------------------------------------------------------------------------------------


def remind():
    return get_job("matching.remind")()


def age(session, proposal, days, **values):
    """Turn the invitation back, in a fresh object: jobs leave none of theirs in the session."""
    row = session.get_one(Proposal, proposal.id)
    for name, value in ({"invited_at": now() - timedelta(days=days)} | values).items():
        setattr(row, name, value)
    session.commit()


def test_one_reminder_before_the_answer_is_due(session, proposal, letters):
    session.commit()
    letters()
    age(session, proposal, 10)
    assert remind() == 0
    age(session, proposal, 12)
    assert remind() == 1
    (letter,) = letters()
    assert "seul rappel" in letter.text
    assert "/letters/" in letter.text
    assert remind() == 0
    assert letters() == []


@pytest.mark.parametrize("why", ["answered", "later", "paused", "quiet", "closed"])
def test_nobody_is_reminded_who_need_not_be(session, proposal, mission, why):
    profile = session.scalars(select(Profile).where(Profile.person_id == proposal.person_id)).one()
    pro = actor_of(session, proposal.person_id)
    if why == "answered":
        proposing.decline(session, pro, proposal.id)
    elif why == "later":
        proposing.put_off(session, pro, proposal.id)
    elif why == "paused":
        profile.paused = True
    elif why == "quiet":
        profile.quiet_until = today() + timedelta(days=3)
    else:
        mission.state = MissionState.CLOSED
    age(session, proposal, 12)
    assert remind() == 0


def test_who_is_asked_again_may_be_reminded_again(session, proposal, letters):
    age(session, proposal, 12)
    assert remind() == 1
    age(session, proposal, 12, round=2, reminded_at=now() - timedelta(days=20))
    assert remind() == 1
    assert session.get_one(Proposal, proposal.id).reminded_at > now() - timedelta(minutes=1)
