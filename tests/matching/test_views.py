"""Pages of matching: explained, anonymous until both said yes, one press for each answer, quick with many rows."""

import pytest
from sqlalchemy import select

from koz.accounts.models import Organisation, Person
from koz.campaigns.models import Campaign
from koz.matching.models import Engagement, Proposal
from koz.matching.services import proposing
from koz.matching.states import EngagementState, ProposalState, Reason
from koz.skills.queries import load_graph
from koz.skills.services import missions
from koz.skills.states import MissionState
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile

NAME, EMAIL = "Violaine Kermadec", "violaine.kermadec@koz.test"


@pytest.fixture
def skill(session):
    return make_concept(session, "comptabilité des associations", "association accounting")


@pytest.fixture
def owner(session):
    return make_person(session, name="Baptiste Lorrain")


@pytest.fixture
def mission(session, owner, skill):
    organisation = make_organisation(session, owner=owner)
    return make_mission(
        session, {skill.id: (3, True)}, campaign=make_campaign(session, organisation_id=organisation.id)
    )


@pytest.fixture
def person(session):
    return make_person(session, name=NAME, email=EMAIL)


@pytest.fixture
def profile(session, skill, person):
    return make_profile(
        session, {skill.id: 4}, person=person, words="Violaine, trésorière à Brest", causes=["animals"],
        departments=["29"],
    )  # fmt: skip


@pytest.fixture
def pair(owner, mission, profile, person):
    """The two sides: owner, mission, profile, person."""
    return owner, mission, profile, person


def hidden(page):
    """Nothing of the person shows."""
    assert not [x for x in (NAME, "Kermadec", "Violaine", EMAIL, "Brest", "Finistère", "Animaux") if x in page.body]


def test_an_invitation_from_the_list_to_the_engagement_with_nobody_named_before(session, client, login, pair):
    owner, mission, _profile, person = pair
    login(owner)
    url = f"/manage/missions/{mission.id}/matches"
    page = client.get(url)
    hidden(page)
    assert "100 points sur 100" in page.text
    assert "Profil A" in page.text
    client.post(f"/manage/missions/{mission.id}/invite", {"profile": page.field("profile")})
    page = client.get(url)
    hidden(page)
    assert "En attente de réponse" in page.text
    client.post("/logout")

    login(person)
    page = client.get("/professionals/me")
    assert "Baptiste Lorrain" not in page.body
    assert owner.email not in page.body
    assert "vous avez déclaré exactement cela, niveau 4 sur 5" in page.text
    proposal = session.scalars(select(Proposal)).one()
    answer = client.post(f"/professionals/me/proposals/{proposal.id}/yes")
    page = client.get(answer.response.location)
    assert "Baptiste Lorrain" in page.text
    assert f"mailto:{owner.email}" in page.links()
    client.post("/logout")

    login(owner)
    assert NAME in client.get(url).text
    page = client.get(answer.response.location)
    assert NAME in page.text
    assert f"mailto:{EMAIL}" in page.links()


def test_an_offer_stays_anonymous_until_the_organisation_says_yes(session, client, login, pair):
    owner, mission, _profile, person = pair
    login(person)
    client.post(f"/missions/{mission.id}/offer")
    client.post(f"/missions/{mission.id}/offer")
    assert "Vous avez proposé votre aide" in client.get("/professionals/me").text
    proposal = session.scalars(select(Proposal)).one()
    client.post("/logout")
    login(owner)
    page = client.get(f"/manage/missions/{mission.id}/matches")
    hidden(page)
    assert "1 personne propose son aide" in page.text
    answer = client.post(f"/manage/proposals/{proposal.id}/yes")
    assert NAME in client.get(answer.response.location).text


def test_a_no_of_the_organisation_reveals_nobody(session, client, login, pair):
    owner, mission, _profile, person = pair
    proposal = proposing.offer(session, actor_of(session, person.id), mission.id)
    login(owner)
    client.post(f"/manage/proposals/{proposal.id}/no")
    hidden(client.get(f"/manage/missions/{mission.id}/matches"))
    session.refresh(proposal)
    assert proposal.state is ProposalState.DECLINED


def test_one_press_says_no_and_a_reason_is_optional_and_for_oneself_only(session, client, login, pair):
    owner, mission, profile, person = pair
    proposal = invite(session, mission, profile)
    login(person)
    client.post(f"/professionals/me/proposals/{proposal.id}/no")
    session.refresh(proposal)
    assert (proposal.state, proposal.reason) == (ProposalState.DECLINED, None)
    client.post(f"/professionals/me/proposals/{proposal.id}/no", {"reason": "nonsense"})
    client.post(f"/professionals/me/proposals/{proposal.id}/no", {"reason": "hours"})
    session.refresh(proposal)
    assert proposal.reason is Reason.HOURS
    page = client.get("/professionals/me")
    assert "Trop d’heures par semaine" in page.text
    client.post("/professionals/me/tuning/stop")
    assert "Ce que vos refus écartent" not in client.get("/professionals/me").text
    client.post("/logout")
    login(owner)
    page = client.get(f"/manage/missions/{mission.id}/matches")
    assert "Déclinée" in page.text
    assert "Trop d’heures" not in page.text


def test_not_now_moves_the_letter_to_later(session, client, login, mission, profile, person):
    proposal = invite(session, mission, profile)
    login(person)
    client.post(f"/professionals/me/proposals/{proposal.id}/later")
    page = client.get("/professionals/me")
    assert "Pour plus tard" in page.text
    assert f"/professionals/me/proposals/{proposal.id}/later" not in {f.get("action") for f in page.all("form")}
    client.post(f"/professionals/me/proposals/{proposal.id}/yes")


def test_without_a_profile_an_offer_leads_to_making_one(client, login, session, mission):
    login(make_person(session))
    assert client.post(f"/missions/{mission.id}/offer").response.location == "/professionals/me/words"


def test_visitors_are_led_to_log_in_and_back(client, mission):
    assert f"/login?next=/missions/{mission.id}" in client.get(f"/missions/{mission.id}").links()


def test_other_organisations_and_other_roles_see_no_matches(session, client, login, mission, profile):
    proposal = invite(session, mission, profile)
    organisation = session.get_one(Organisation, session.get_one(Campaign, mission.campaign_id).organisation_id)
    other = make_person(session)
    make_organisation(session, owner=other)
    for who in (other, make_member(session, organisation, "treasurer"), make_person(session)):
        login(who)
        refused = {403, 404}
        token = {"csrf_token": client.csrf_token()}
        page = client.open(f"/manage/missions/{mission.id}/matches")
        assert page.status_code in refused
        assert NAME not in page.text
        assert client.open(f"/manage/missions/{mission.id}/invite", method="POST", data=token | {"profile": str(profile.id)}).status_code in refused  # fmt: skip
        for answer in ("yes", "no", "withdraw"):
            for path in ("/manage/proposals", "/professionals/me/proposals"):
                got = client.open(f"{path}/{proposal.id}/{answer}", method="POST", data=token)
                assert got.status_code in refused, (path, answer)
        client.post("/logout")
    assert proposal.state is ProposalState.PROPOSED


def test_an_engagement_is_between_two(session, client, login, pair):
    owner, mission, profile, person = pair
    engagement_id = proposing.accept(session, actor_of(session, person.id), invite(session, mission, profile).id)
    login(make_person(session))
    client.get(f"/engagements/{engagement_id}", status=404)
    client.post(f"/engagements/{engagement_id}/running", status=404)
    client.post("/logout")
    login(person)
    client.post(f"/engagements/{engagement_id}/nonsense", status=404)
    client.post(f"/engagements/{engagement_id}/running")
    page = client.post(f"/engagements/{engagement_id}/delivered", {"hours": "beaucoup"}, status=422)
    assert "nombre entier" in page.text
    assert page.field("hours") == "beaucoup"
    client.post(f"/engagements/{engagement_id}/delivered", {"hours": "9"})
    client.post(f"/engagements/{engagement_id}/closed", status=409)
    client.post("/logout")
    login(owner)
    assert "Confirmer la livraison" in client.get(f"/engagements/{engagement_id}").text
    client.post(f"/engagements/{engagement_id}/closed")
    engagement = session.get_one(Engagement, engagement_id)
    session.refresh(engagement)
    assert (engagement.state, engagement.hours_given) == (EngagementState.CLOSED, 9)


def test_what_cannot_be_invited_is_said(session, client, login, owner, mission, profile):
    login(owner)
    for value in ("", "x", "-1", "9" * 40):
        client.post(f"/manage/missions/{mission.id}/invite", {"profile": value}, status=404)
    client.post(f"/manage/missions/{mission.id}/invite", {"profile": "999999"}, status=409)
    client.post("/manage/proposals/999999/yes", status=404)
    client.post(f"/manage/missions/{mission.id}/invite", {"profile": str(profile.id)})
    client.post("/manage/proposals/1/nonsense", status=404)


def test_whatever_names_and_titles_say_the_list_is_the_same(session, client, login, owner, mission, skill):
    for name in ("Mme Fatoumata Diallo", "M. Jean Dupont", "Chargée de mission", "Chargé de mission"):
        make_profile(session, {skill.id: 3}, person=make_person(session, name=name), words=name)
    login(owner)
    page = client.get(f"/manage/missions/{mission.id}/matches")
    assert page.text.count("100 points sur 100") == 4
    assert not [x for x in ("Diallo", "Dupont", "Chargé") if x in page.text]


@pytest.fixture
def counting(owner, queries):
    return owner, queries


@pytest.mark.parametrize("n", [5, 50])
def test_statements_do_not_grow_with_rows(session, client, login, skill, counting, n):
    owner, queries = counting
    campaign = make_campaign(session, organisation_id=make_organisation(session, owner=owner).id)
    mission = make_mission(session, {skill.id: (3, True)}, campaign=campaign, seats=20)
    person = make_person(session)
    profile = make_profile(session, {skill.id: 4}, person=person)
    for i in range(n):
        other = make_profile(session, {skill.id: 4})
        act = actor_of(session, other.person_id)
        if i % 5 == 0 and i < 80:
            proposing.accept(session, act, invite(session, mission, other).id)
        elif i % 2:
            proposing.offer(session, act, mission.id)
        if i < 2:
            invite(session, make_mission(session, {skill.id: (3, True)}), profile)
        else:
            proposing.offer(session, actor_of(session, person.id), make_mission(session, {skill.id: (3, True)}).id)
        make_mission(session, {skill.id: (3, True)})
    load_graph(session)
    login(person)
    with queries() as q:
        client.get("/professionals/me")
    own = q.count
    client.post("/logout")
    login(owner)
    with queries() as q:
        client.get(f"/manage/missions/{mission.id}/matches")
    assert (own, q.count) == (20, 17)


def test_a_mission_that_closes_answers_everybody(session, client, login, letters, pair):
    owner, mission, _profile, person = pair
    proposing.offer(session, actor_of(session, person.id), mission.id)
    missions.close_mission(session, actor_of(session, owner.id), mission.id)
    session.commit()
    assert EMAIL in {x.to_email for x in letters() + letters()}
    session.expire_all()
    assert mission.state is MissionState.CLOSED
    login(person)
    assert "Vous avez proposé" not in client.get("/professionals/me").text
    assert session.get_one(Person, person.id).email == EMAIL
