"""Missions: who scopes them, what makes them open, what everybody may read, lists that stay quick."""

import pytest

from koz.campaigns.models import BudgetLine, Campaign
from koz.campaigns.states import CampaignState, LineKind
from koz.core.errors import Conflict, Invalid
from koz.skills import queries
from koz.skills.models.offers import Mission, MissionNeed
from koz.skills.services import missions
from koz.skills.states import MISSION_STEPS, MissionState, may_step
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of, make_concept, make_mission, owner_of

SCOPE = {
    "title": "Dossier de presse", "deliverable": "Six pages", "done_criteria": "Relu", "hours_total": "12",
    "hours_per_week": "4", "language": "fr", "remote": "y", "department": "", "seats": "1", "budget_line_id": "",
}  # fmt: skip


@pytest.fixture
def owner(session):
    return make_person(session)


@pytest.fixture
def campaign(session, owner):
    return make_campaign(session, organisation_id=make_organisation(session, owner=owner).id)


def test_all_steps_of_a_mission():
    steps = {(a, b) for a in MissionState for b in MissionState if may_step(a, b)}
    assert steps == {(a, b) for a, ends in MISSION_STEPS.items() for b in ends}
    assert (MissionState.DRAFT, MissionState.FILLED) not in steps


def test_a_mission_from_the_form_to_the_public_page(session, client, login, owner, campaign):
    concept = make_concept(session, "communiqué de presse", "press release")
    line = BudgetLine(campaign_id=campaign.id, label="Presse", kind=LineKind.SKILL, hours=12)
    session.add(line)
    session.flush()
    login(owner)
    client.get(f"/manage/campaigns/{campaign.slug}/missions")
    assert "Presse" in client.get(f"/manage/campaigns/{campaign.slug}/missions/new").text
    answer = client.post(f"/manage/campaigns/{campaign.slug}/missions/new", SCOPE | {"budget_line_id": str(line.id)})
    mission_id = int(answer.response.location.split("/")[3])
    assert client.get(f"/missions/{mission_id}").all("h1")
    page = client.get(f"/manage/missions/{mission_id}/needs?q=press+release")
    assert page.one("input", type="hidden", name="concept_id").get("value") == str(concept.id)
    client.post(f"/manage/missions/{mission_id}/open", status=409)
    client.post(f"/manage/missions/{mission_id}/needs", {"concept_id": concept.id, "level": "4", "must": "y"})
    client.post(f"/manage/missions/{mission_id}/open")
    client.post("/logout")
    page = client.get(f"/missions/{mission_id}")
    assert "Six pages" in page.text
    assert "communiqué de presse niveau professionnel, indispensable" in page.text
    assert f"/missions/{mission_id}" in client.get("/missions").links()
    assert session.get_one(Mission, mission_id).budget_line_id == line.id


def test_drafts_and_missions_of_hidden_campaigns_are_for_their_organisation_only(
    session, client, login, owner, campaign
):
    draft = make_mission(session, {}, campaign=campaign, state=MissionState.DRAFT)
    hidden = make_mission(session, {}, campaign=make_campaign(session, state=CampaignState.DRAFT))
    for mission in (draft, hidden):
        client.get(f"/missions/{mission.id}", status=404)
    assert not client.get("/missions").all("h3")
    login(owner)
    client.get(f"/missions/{draft.id}")
    client.get(f"/missions/{hidden.id}", status=404)


def test_only_owners_and_editors_of_the_organisation_manage_its_missions(session, client, login, campaign):
    from koz.accounts.models import Organisation

    mission = make_mission(session, {make_concept(session).id: (3, True)}, campaign=campaign)
    organisation = session.get_one(Organisation, campaign.organisation_id)
    others = [
        (make_person(session), {403, 404}),
        (owner_of(session, make_mission(session, {})), {403, 404}),
        (make_member(session, organisation, "treasurer"), {403}),
    ]
    pages = [
        f"/manage/campaigns/{campaign.slug}/missions", f"/manage/campaigns/{campaign.slug}/missions/new",
        f"/manage/missions/{mission.id}", f"/manage/missions/{mission.id}/needs",
    ]  # fmt: skip
    acts = [f"/manage/missions/{mission.id}/{act}" for act in ("open", "close", "needs/1/drop")]
    for person, statuses in others:
        login(person)
        assert {client.open(url).status_code for url in pages} <= statuses
        token = {"csrf_token": client.csrf_token()}
        assert {client.open(url, method="POST", data=token).status_code for url in acts} <= statuses
        client.post("/logout")
    login(make_member(session, organisation, "editor"))
    for url in pages:
        client.get(url)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "Remplissez"),
        ({"hours_total": "1,5"}, "nombre entier"),
        ({"hours_per_week": "13"}, "ne peuvent pas dépasser"),
        ({"remote": ""}, "Choisissez un lieu"),
        ({"seats": "0"}, "nombre entier"),
    ],
)
def test_a_scope_that_cannot_be_is_said_and_kept(client, login, owner, campaign, change, words):
    login(owner)
    page = client.post(f"/manage/campaigns/{campaign.slug}/missions/new", SCOPE | change, status=422)
    assert words in page.text
    assert page.field("deliverable") == "Six pages"
    assert page.field("hours_total") == (SCOPE | change)["hours_total"]


def test_a_mission_can_only_pay_a_skill_line_of_its_own_campaign(session, owner, campaign):
    foreign = BudgetLine(campaign_id=make_campaign(session).id, label="x", kind=LineKind.SKILL)
    money = BudgetLine(campaign_id=campaign.id, label="x", kind=LineKind.MONEY)
    session.add_all([foreign, money])
    session.flush()
    for line in (foreign, money):
        scope = missions.Scope(
            title="x", deliverable="x", done_criteria="x", hours_total=3, hours_per_week=3, budget_line_id=line.id
        )
        with pytest.raises(Invalid):
            missions.create_mission(session, actor_of(session, owner.id), campaign.slug, scope)


def test_needs_are_bounded_and_an_open_mission_keeps_one(session, owner, campaign):
    actor = actor_of(session, owner.id)
    concepts = [make_concept(session) for _ in range(11)]
    mission = make_mission(session, {concepts[0].id: (3, True)}, campaign=campaign)
    with pytest.raises(Conflict):
        missions.drop_need(session, actor, mission.id, concepts[0].id)
    for concept in concepts[1:10]:
        missions.set_need(session, actor, mission.id, MissionNeed(concept_id=concept.id, level=2))
    missions.set_need(session, actor, mission.id, MissionNeed(concept_id=concepts[3].id, level=5, must=True))
    with pytest.raises(Conflict):
        missions.set_need(session, actor, mission.id, MissionNeed(concept_id=concepts[10].id, level=2))
    missions.drop_need(session, actor, mission.id, concepts[0].id)
    needs = queries.list_needs(session, [mission.id])[mission.id]
    assert len(needs) == 9
    assert (needs[0].concept_id, needs[0].level) == (concepts[3].id, 5)


def test_closing_and_opening_again_moves_the_public_page_s_stamp(session, owner, campaign):
    actor, mission = actor_of(session, owner.id), make_mission(session, {make_concept(session).id: (3, True)}, campaign=campaign)  # fmt: skip
    before = campaign.version
    assert missions.close_mission(session, actor, mission.id)
    assert not missions.close_mission(session, actor, mission.id)
    assert missions.open_mission(session, actor, mission.id)
    assert session.scalar(queries.select(Campaign.version).where(Campaign.id == campaign.id)) == before + 2
    campaign.state = CampaignState.CLOSED
    session.flush()
    missions.close_mission(session, actor, mission.id)
    with pytest.raises(Conflict):
        missions.open_mission(session, actor, mission.id)


def test_the_list_is_found_by_words_cause_and_remote_and_paged(session, client):
    skill = make_concept(session)
    press = make_mission(
        session, {skill.id: (3, True)}, title="Rédiger des communiqués", campaign=make_campaign(session, cause="health")
    )
    there = make_mission(session, {skill.id: (3, True)}, title="Tenir un stand", remote=False, department="75")
    closed = make_mission(session, {skill.id: (3, True)}, state=MissionState.FILLED)

    def found(query):
        return {x for x in client.get(f"/missions?{query}").links() if x.startswith("/missions/")}

    assert found("") == {f"/missions/{press.id}", f"/missions/{there.id}"}
    assert found("q=communiqué") == {f"/missions/{press.id}"}
    assert found("cause=health") == {f"/missions/{press.id}"}
    assert found("remote=1") == {f"/missions/{press.id}"}
    assert found("q=rien+de+tel") == set()
    assert found("cause=nonsense&after=x") == found("")
    assert closed.id not in {c.mission.id for c in queries.list_open_missions(session)}
    assert queries.count_open_missions(session) == 2
    for _ in range(25):
        make_mission(session, {skill.id: (3, True)})
    page = client.get("/missions?remote=1")
    (following,) = [x for x in page.links() if "after=" in x]
    assert "remote=1" in following
    assert len([x for x in client.get(following).links() if x.startswith("/missions/")]) == 6


def test_a_campaign_lists_its_missions_open_ones_first(session):
    campaign = make_campaign(session)
    filled, open_, draft = (
        make_mission(session, {}, campaign=campaign, state=s)
        for s in (MissionState.FILLED, MissionState.OPEN, MissionState.DRAFT)
    )
    assert [c.mission.id for c in queries.list_missions_of(session, campaign.id)] == [open_.id, filled.id]
    assert draft.id in {c.mission.id for c in queries.list_missions_of(session, campaign.id, drafts=True)}


@pytest.mark.parametrize("n", [5, 50])
def test_pages_take_as_many_statements_whatever_their_length(session, client, queries, n):
    campaign = make_campaign(session)
    concepts = [make_concept(session) for _ in range(3)]
    missions_ = [make_mission(session, {c.id: (3, True) for c in concepts}, campaign=campaign) for _ in range(n)]
    for url, most in (("/missions", 2), (f"/missions/{missions_[0].id}", 3)):
        with queries() as q:
            client.get(url)
        assert q.count == most, url


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_pages_speak_the_reader_s_language(session, client, lang):
    mission = make_mission(
        session, {make_concept(session, "comptabilité", "accounting").id: (3, True)}, department="33"
    )
    text = client.get(f"/missions/{mission.id}", lang=lang).text
    assert ("comptabilité" in text, "accounting" in text) == (lang == "fr", lang == "en")
    assert ("Ce qui sera remis" if lang == "fr" else "What will be handed over") in text
    assert "Gironde (33)" in text


def test_the_campaign_page_lists_its_missions_and_leads_to_the_rest(client, session):
    campaign = make_campaign(session)
    assert "Le travail dont cette cause a besoin" not in client.get(f"/campaigns/{campaign.slug}", lang="fr").text
    skill = make_concept(session)
    missions = [
        make_mission(session, {skill.id: (3, True)}, campaign=campaign, title=f"Tenir <les> comptes {n}")
        for n in range(6)
    ]
    elsewhere = make_mission(session, {skill.id: (3, True)}, title="Ailleurs")
    page = client.get(f"/campaigns/{campaign.slug}", lang="fr")
    assert f"/missions/{missions[0].id}" in page.links()
    assert f"/missions/{missions[5].id}" not in page.links()
    assert "Tenir <les> comptes 0" in page.text
    assert "Ouverte" in page.text
    rest = client.get(f"/missions?campaign={campaign.slug}", lang="fr")
    assert f"/missions/{missions[5].id}" in rest.links()
    assert f"/missions/{elsewhere.id}" not in rest.links()
