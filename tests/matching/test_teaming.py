"""The team of a campaign: who covers what, whom to invite together, what nobody covers; and the page."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.matching.models import Proposal
from koz.matching.queries import PER_WEEK
from koz.matching.services import proposing, teaming
from koz.matching.states import ProposalState, Side
from koz.skills.models.offers import Profile
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile, owner_of


@pytest.fixture
def skill(session):
    """Six skills."""
    return [make_concept(session) for _ in range(6)]


def people_of(team):
    return sorted(one.profile.id for _mission, one in team.suggested)


def asked_often(session, profile, times=PER_WEEK):
    """Other organisations invited this person lately."""
    for _ in range(times):
        mission = make_mission(session, {})
        session.add(
            Proposal(
                mission_id=mission.id,
                person_id=profile.person_id,
                made_by=Side.ORGANISATION,
                score=0.5,
                explanation={"score": 0.5, "needs": [], "terms": [], "closed": []},
                state=ProposalState.DECLINED,
                invited_at=now() - timedelta(days=1),
            )
        )
    session.flush()


def test_two_missions_get_two_people_and_substitutes(session, skill):
    campaign = make_campaign(session)
    one = make_mission(session, {skill[0].id: (3, True), skill[1].id: (2, False)}, campaign=campaign)
    two = make_mission(session, {skill[2].id: (3, True)}, campaign=campaign)
    both = make_profile(session, {skill[0].id: 4, skill[1].id: 4, skill[2].id: 4})
    only = make_profile(session, {skill[2].id: 3})
    spare = make_profile(session, {skill[2].id: 2})
    team = teaming.plan_team(session, campaign)
    assert [m.card.mission.id for m in team.missions] == [one.id, two.id]
    assert [(m.card.mission.id, s.profile.id) for m, s in team.suggested] == [(one.id, both.id), (two.id, only.id)]
    assert team.whole
    assert (team.count("suggested"), team.count("nobody")) == (3, 0)
    (second,) = team.missions[1].suggested
    assert [s.profile.id for s in second.substitutes] == [spare.id]
    assert sorted({s.letter for _m, s in team.suggested}) == ["A", "B"]


def test_a_mission_of_two_seats_is_covered_by_two_people_together(session, skill):
    campaign = make_campaign(session)
    make_mission(
        session, {skill[0].id: (3, True), skill[1].id: (3, False), skill[2].id: (3, False)}, campaign=campaign, seats=2
    )
    first = make_profile(session, {skill[0].id: 3, skill[1].id: 3})
    second = make_profile(session, {skill[0].id: 3, skill[2].id: 3})
    team = teaming.plan_team(session, campaign)
    assert people_of(team) == sorted([first.id, second.id])
    assert team.whole


def test_what_nobody_covers_is_said_and_the_rest_is_suggested(session, skill):
    campaign = make_campaign(session)
    make_mission(session, {skill[0].id: (3, True), skill[1].id: (3, False)}, campaign=campaign)
    only = make_profile(session, {skill[0].id: 3})
    team = teaming.plan_team(session, campaign)
    assert not team.whole
    assert people_of(team) == [only.id]
    assert [role.standing for role in team.roles] == ["suggested", "nobody"]


def test_somebody_over_their_weekly_limit_is_never_in_a_team(session, skill):
    campaign = make_campaign(session)
    make_mission(session, {skill[0].id: (3, True)}, campaign=campaign)
    tired, free = (make_profile(session, {skill[0].id: level}) for level in (5, 2))
    asked_often(session, tired)
    team = teaming.plan_team(session, campaign)
    assert people_of(team) == [free.id]
    assert not any(s.profile.id == tired.id for _m, one in team.suggested for s in one.substitutes)
    asked_often(session, free)
    assert people_of(teaming.plan_team(session, campaign)) == []


def test_somebody_with_one_invitation_left_is_wanted_once(session, skill):
    """Two campaigns, one person with room for one more: whichever is staffed, the person is planned once."""
    ours, theirs = make_campaign(session), make_campaign(session)
    for campaign in (ours, theirs):
        make_mission(session, {skill[0].id: (3, True)}, campaign=campaign)
    person = make_profile(session, {skill[0].id: 3})
    asked_often(session, person, PER_WEEK - 1)
    teams = [teaming.plan_team(session, c) for c in (ours, theirs)]
    assert [people_of(t) for t in teams] == [[person.id], [person.id]]
    assert [t.shared for t in teams].count(True) == 1


def test_paused_people_members_and_those_asked_before_are_left_out(session, skill):
    campaign = make_campaign(session)
    mission = make_mission(session, {skill[0].id: (3, True)}, campaign=campaign, seats=3)
    make_profile(session, {skill[0].id: 5}, paused=True)
    make_profile(session, {skill[0].id: 5}, person=owner_of(session, mission))
    refused = make_profile(session, {skill[0].id: 5})
    proposal = invite(session, mission, refused)
    proposing.decline(session, actor_of(session, refused.person_id), proposal.id)
    free = make_profile(session, {skill[0].id: 1 + 2})
    assert people_of(teaming.plan_team(session, campaign)) == [free.id]


def test_engaged_people_cover_by_name_and_waiting_invitations_without(session, skill):
    campaign = make_campaign(session)
    mission = make_mission(
        session, {skill[0].id: (3, True), skill[1].id: (3, False), skill[2].id: (3, False)}, campaign=campaign, seats=3
    )
    person = make_person(session, name="Ada Lovelace")
    first = make_profile(session, {skill[0].id: 3}, person=person)
    proposing.accept(session, actor_of(session, person.id), invite(session, mission, first).id)
    second = make_profile(session, {skill[0].id: 3, skill[1].id: 3})
    invite(session, mission, second)
    third = make_profile(session, {skill[0].id: 3, skill[2].id: 3})
    team = teaming.plan_team(session, campaign)
    assert [(r.standing, r.engaged, r.asked) for r in team.roles] == [
        ("engaged", ("Ada Lovelace",), 1), ("asked", (), 1), ("suggested", (), 0),
    ]  # fmt: skip
    assert people_of(team) == [third.id]
    assert team.missions[0].free == 1


def test_a_campaign_that_is_over_asks_nobody(session, skill):
    campaign = make_campaign(session, state="failed")
    make_mission(session, {skill[0].id: (3, True)}, campaign=campaign)
    make_profile(session, {skill[0].id: 3})
    team = teaming.plan_team(session, campaign)
    assert team.suggested == []


def test_the_numbers_of_missions_and_people_do_not_change_the_number_of_statements(session, skill, queries):
    def count(missions, people):
        campaign = make_campaign(session)
        for n in range(missions):
            make_mission(session, {skill[n % 6].id: (3, True), skill[(n + 1) % 6].id: (2, False)}, campaign=campaign)
        for n in range(people):
            make_profile(session, {skill[n % 6].id: 3, skill[(n + 1) % 6].id: 3})
        session.flush()
        session.expire_all()
        campaign_id = campaign.id
        with queries() as seen:
            teaming.plan_team(session, session.get_one(type(campaign), campaign_id))
        return len(seen.seen)

    few = count(2, 3)
    assert count(12, 30) <= few + 1


# Inviting the whole team ----------------------------------------------------------------------------------------------


@pytest.fixture
def staffed(session, skill):
    """A campaign of two missions, and two people who fit."""
    campaign = make_campaign(session)
    missions = [make_mission(session, {skill[n].id: (3, True)}, campaign=campaign) for n in range(2)]
    profiles = [make_profile(session, {skill[n].id: 3}) for n in range(2)]
    session.commit()
    return campaign, missions, profiles, owner_of(session, missions[0])


def seats_of(page):
    return [e.get("value") for e in page.all("input", name="seat")]


def test_one_press_invites_the_whole_team_once(session, staffed, client, login):
    campaign, missions, profiles, owner = staffed
    login(owner)
    page = client.get(f"/manage/campaigns/{campaign.slug}/team")
    assert seats_of(page) == [f"{m.id}-{p.id}" for m, p in zip(missions, profiles, strict=True)]
    for _ in range(2):
        done = client.post(f"/manage/campaigns/{campaign.slug}/team/invite", {"seat": seats_of(page)}, status=303)
        assert done.response.location.endswith("sent=2")
    proposals = session.scalars(select(Proposal)).all()
    assert {(p.mission_id, p.person_id, p.round) for p in proposals} == {
        (m.id, p.person_id, 1) for m, p in zip(missions, profiles, strict=True)
    }
    again = client.get(f"/manage/campaigns/{campaign.slug}/team?sent=2")
    assert seats_of(again) == []


def test_what_could_not_be_sent_is_told_and_the_rest_is_sent(session, staffed, client, login):
    campaign, missions, profiles, owner = staffed
    login(owner)
    page = client.get(f"/manage/campaigns/{campaign.slug}/team")
    seats = seats_of(page)
    asked_often(session, profiles[1])
    session.commit()
    told = client.post(f"/manage/campaigns/{campaign.slug}/team/invite", {"seat": seats}, status=409)
    assert missions[1].title in told.text
    sent = session.scalars(select(Proposal).where(Proposal.mission_id.in_([m.id for m in missions]))).all()
    assert [p.person_id for p in sent] == [profiles[0].person_id]


@pytest.mark.parametrize("seat", ["", "-", "x-y", "1", "9" * 30 + "-1", "1-2-3", "²-1"])
def test_a_seat_that_is_none_invites_nobody(session, staffed, client, login, seat):
    campaign, _missions, _profiles, owner = staffed
    login(owner)
    client.open(
        f"/manage/campaigns/{campaign.slug}/team/invite",
        method="POST", data={"seat": seat, "csrf_token": client.csrf_token()},
    )  # fmt: skip
    assert session.scalars(select(Proposal)).all() == []


def test_a_mission_of_another_campaign_is_not_invited_for(app, session, staffed, skill):
    _campaign, missions, profiles, owner = staffed
    elsewhere = make_mission(session, {skill[0].id: (3, True)})
    session.commit()
    sent, refused = teaming.invite_team(
        unit_of_work, actor_of(session, owner.id), {m.id for m in missions}, [(elsewhere.id, profiles[0].id)]
    )
    assert (sent, len(refused)) == (0, 1)


def test_only_those_who_manage_the_campaign_see_its_team(staffed, client, login, session):
    campaign, *_rest = staffed
    login(make_person(session))
    client.get(f"/manage/campaigns/{campaign.slug}/team", status=403)


def test_the_page_names_no_one_who_has_not_said_yes(session, staffed, client, login):
    campaign, _missions, _profiles, owner = staffed
    login(owner)
    page = client.get(f"/manage/campaigns/{campaign.slug}/team")
    for profile in session.scalars(select(Profile)):
        name = session.get_one(type(owner), profile.person_id).name
        assert name not in page.text


def test_a_campaign_without_missions_says_what_to_do(session, client, login):
    campaign = make_campaign(session)
    mission = make_mission(session, {}, campaign=campaign, state="draft")
    login(owner_of(session, mission))
    assert "/missions" in " ".join(client.get(f"/manage/campaigns/{campaign.slug}/team").links())
