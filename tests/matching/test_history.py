"""The professional's page and history: how often one is asked, all that was proposed, paged by key, for their eyes only."""

from datetime import timedelta

import pytest

from koz.core.clock import now
from koz.matching.services import certifying, proposing
from koz.matching.states import EngagementState, ProposalState, Reason, Side
from tests.factories.accounts import make_person
from tests.factories.engagements import make_pair, make_proposal
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile

P = ProposalState


@pytest.fixture
def person(session):
    return make_person(session)


def test_all_proposals_come_page_by_page_with_what_became_of_them(session, client, enter, person):
    titles = []
    for i in range(23):
        mission = make_mission(session, {}, title=f"Mission numéro {i:02d}")
        declined = {"state": P.DECLINED, "declined_by": Side.PROFESSIONAL, "reason": Reason.PLACE, "answered_at": now()}
        make_proposal(session, mission, person, made_by=Side.ORGANISATION, **(declined if i % 2 else {}))
        titles.append(mission.title)
    enter(person)
    page = client.get("/professionals/me/history")
    assert [t for t in reversed(titles) if t in page.text] == list(reversed(titles))[:20]
    assert "Votre raison : Trop loin" in page.text
    assert "Vous avez dit non" in page.text
    (after,) = [x for x in page.links() if "after=" in x]
    page = client.get(after)
    assert [t for t in titles if t in page.text] == titles[:3]
    assert not [x for x in page.links() if "after=" in x]
    assert "Les 23 propositions" in client.get("/professionals/me").text


def test_hours_and_certificates_stand_in_it_and_strangers_see_their_own(session, client, enter, person):
    pair = make_pair(session, EngagementState.CLOSED, hours=7)
    certifying.certify(session, pair.pro, pair.engagement.id)
    session.flush()
    enter(pair.person)
    page = client.get("/professionals/me/history")
    assert "7 heures confirmées" in page.text
    assert "attestation établie" in page.text
    assert f"/engagements/{pair.engagement.id}" in page.links()
    enter(person)
    page = client.get("/professionals/me/history")
    assert pair.mission.title not in page.text
    assert "Rien ne vous a encore été proposé" in page.text
    client.get("/professionals/me/history?after=nonsense")


@pytest.mark.parametrize("n", [3, 20])
def test_history_takes_as_many_statements_whatever_its_length(session, client, enter, queries, person, n):
    for _ in range(n):
        make_proposal(session, make_mission(session, {}), person)
    enter(person)
    with queries() as q:
        client.get("/professionals/me/history")
    assert q.count == 5


def test_one_sees_how_often_one_was_asked_and_by_when_an_answer_is_hoped_for(session, client, enter, person):
    skill = make_concept(session)
    profile = make_profile(session, {skill.id: 4}, person=person)
    enter(person)
    assert "0 invitation ces sept derniers jours, sur 3 au plus" in client.get("/professionals/me").text
    for _ in range(2):
        invite(session, make_mission(session, {skill.id: (3, True)}), profile)
    session.flush()
    page = client.get("/professionals/me")
    assert "2 invitations ces sept derniers jours, sur 3 au plus" in page.text
    assert page.text.count("réponse espérée d’ici le") == 2
    assert "Comment se font les propositions" in page.text


def test_a_reason_can_be_taken_back(session, client, enter, person):
    skill = make_concept(session)
    profile = make_profile(session, {skill.id: 4}, person=person)
    proposal = invite(session, make_mission(session, {skill.id: (3, True)}), profile)
    proposing.decline(session, actor_of(session, person.id), proposal.id, Reason.HOURS)
    session.flush()
    enter(person)
    assert "Ce que vos refus écartent" in client.get("/professionals/me").text
    client.post("/professionals/me/tuning/stop")
    assert "Ce que vos refus écartent" not in client.get("/professionals/me").text


def test_offers_of_long_ago_do_not_count_as_asked(session, client, enter, person):
    skill = make_concept(session)
    profile = make_profile(session, {skill.id: 4}, person=person)
    proposal = invite(session, make_mission(session, {skill.id: (3, True)}), profile)
    proposal.invited_at = now() - timedelta(days=8)
    session.flush()
    enter(person)
    assert "0 invitation ces sept derniers jours" in client.get("/professionals/me").text
