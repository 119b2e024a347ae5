"""From a proposal to one engagement: who may answer what, limits of asking, races, mails, identities."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from koz.accounts.models import Person
from koz.campaigns.models import TimelineEntry
from koz.campaigns.states import CampaignState
from koz.core.clock import now, today
from koz.core.db import unit_of_work
from koz.core.errors import Conflict, Invalid, KozError, NotAllowed, NotFound
from koz.matching import queries
from koz.matching.models import Engagement, Proposal
from koz.matching.services import engaging, proposing
from koz.matching.states import EngagementState, ProposalState, Reason, Side
from koz.skills.models.offers import Mission, Profile
from koz.skills.services import missions
from koz.skills.states import MissionState
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile, owner_of


@pytest.fixture
def skill(session):
    return make_concept(session, "comptabilité", "accounting")


@pytest.fixture
def mission(session, skill):
    return make_mission(session, {skill.id: (3, True)})


@pytest.fixture
def profile(session, skill):
    return make_profile(session, {skill.id: 4})


@pytest.fixture
def owner(session, mission):
    return actor_of(session, owner_of(session, mission).id)


@pytest.fixture
def pro(session, profile):
    return actor_of(session, profile.person_id)


def engagements(session):
    return session.scalar(select(func.count()).select_from(Engagement))


def test_an_invitation_that_is_accepted_makes_one_engagement_and_fills_the_mission(session, mission, profile, pro):
    proposal = invite(session, mission, profile)
    assert proposal.explanation["score"] == proposal.score == 1.0
    first = proposing.accept(session, pro, proposal.id)
    assert proposing.accept(session, pro, proposal.id) == first
    assert engagements(session) == 1
    assert mission.state is MissionState.FILLED
    assert proposal.state is ProposalState.ACCEPTED


def test_an_offer_that_is_accepted_names_who_accepted_it(session, mission, profile, pro, owner):
    proposal = proposing.offer(session, pro, mission.id)
    assert proposing.offer(session, pro, mission.id).id == proposal.id
    with pytest.raises(NotAllowed):
        proposing.accept(session, pro, proposal.id)
    engagement = session.get_one(Engagement, proposing.accept(session, owner, proposal.id))
    assert engagement.member_id == owner.id


def test_asking_from_both_sides_is_an_agreement(session, skill, profile, pro):
    one, other = (make_mission(session, {skill.id: (3, True)}) for _ in range(2))
    invite(session, one, profile)
    assert proposing.offer(session, pro, one.id).state is ProposalState.ACCEPTED
    proposing.offer(session, pro, other.id)
    assert invite(session, other, profile).state is ProposalState.ACCEPTED
    assert engagements(session) == 2


def test_a_no_needs_no_reason_and_is_final_for_the_organisation(session, mission, profile, pro, owner):
    proposal = invite(session, mission, profile)
    with pytest.raises(NotAllowed):
        proposing.decline(session, owner, proposal.id)
    proposing.decline(session, pro, proposal.id)
    assert (proposal.state, proposal.declined_by, proposal.tunes) == (
        ProposalState.DECLINED, Side.PROFESSIONAL, False,
    )  # fmt: skip
    with pytest.raises(Conflict):
        invite(session, mission, profile)
    with pytest.raises(Conflict):
        proposing.accept(session, pro, proposal.id)
    assert proposing.offer(session, pro, mission.id).state is ProposalState.PROPOSED
    assert (proposal.round, proposal.made_by, proposal.declined_by) == (2, Side.PROFESSIONAL, None)


def test_a_reason_can_be_added_to_a_no_and_taken_back(session, mission, profile, pro):
    proposal = invite(session, mission, profile)
    proposing.decline(session, pro, proposal.id)
    proposing.decline(session, pro, proposal.id, Reason.HOURS)
    assert proposal.tunes
    assert proposing.stop_tuning(session, profile.person_id) == 1
    assert not proposal.tunes


def test_not_in_the_next_days_keeps_everybody_quiet(session, mission, profile, pro, skill):
    proposing.decline(session, pro, invite(session, mission, profile).id, Reason.MOMENT)
    assert profile.quiet_until == today() + proposing.QUIET
    with pytest.raises(Conflict):
        invite(session, make_mission(session, {skill.id: (3, True)}), profile)


def test_not_now_keeps_the_invitation(session, mission, profile, pro, owner):
    proposal = invite(session, mission, profile)
    proposing.put_off(session, pro, proposal.id)
    proposing.put_off(session, pro, proposal.id)
    assert proposal.state is ProposalState.LATER
    proposing.accept(session, pro, proposal.id)
    assert engagements(session) == 1
    with pytest.raises(Conflict):
        proposing.put_off(session, pro, proposal.id)


def test_what_was_taken_back_can_no_longer_be_accepted_nor_asked_again_at_once(session, mission, profile, pro, owner):
    proposal = invite(session, mission, profile)
    proposing.withdraw(session, owner, proposal.id)
    proposing.withdraw(session, owner, proposal.id)
    with pytest.raises(Conflict):
        proposing.accept(session, pro, proposal.id)
    with pytest.raises(Conflict):
        invite(session, mission, profile)
    proposal.invited_at = now() - timedelta(days=8)
    session.flush()
    assert invite(session, mission, profile).round == 2


def test_strangers_see_nothing_to_answer(session, mission, profile):
    proposal = invite(session, mission, profile)
    stranger = actor_of(session, make_person(session).id)
    other_owner = actor_of(session, owner_of(session, make_mission(session, {})).id)
    for actor in (stranger, other_owner):
        for act in (proposing.accept, proposing.decline, proposing.put_off, proposing.withdraw):
            with pytest.raises(NotFound):
                act(session, actor, proposal.id)
        with pytest.raises(KozError):
            proposing.invite(session, actor, mission.id, profile.id)


def test_only_owners_and_editors_invite(session, mission, profile):
    from koz.accounts.models import Organisation
    from koz.campaigns.models import Campaign
    from tests.factories.accounts import make_member

    organisation = session.get_one(Organisation, session.get_one(Campaign, mission.campaign_id).organisation_id)
    treasurer = actor_of(session, make_member(session, organisation, "treasurer").id)
    with pytest.raises(NotAllowed):
        proposing.invite(session, treasurer, mission.id, profile.id)
    editor = actor_of(session, make_member(session, organisation, "editor").id)
    assert proposing.invite(session, editor, mission.id, profile.id).member_id == editor.id


def test_whom_the_list_would_not_show_cannot_be_invited_by_a_guessed_number(session, mission, skill):
    for values in ({"paused": True}, {"languages": ["en"]}, {"hours_per_week": 1}):
        with pytest.raises(Conflict):
            invite(session, mission, make_profile(session, {skill.id: 5}, **values))
    with pytest.raises(Conflict):
        invite(session, mission, make_profile(session, {make_concept(session).id: 5}))
    with pytest.raises(Conflict):
        proposing.invite(session, actor_of(session, owner_of(session, mission).id), mission.id, 10**9)
    member = owner_of(session, mission)
    with pytest.raises(Conflict):
        invite(session, mission, make_profile(session, {skill.id: 5}, person=member))


def test_who_offers_needs_a_proved_address_and_a_profile_and_no_seat_in_the_organisation(session, mission, skill):
    unproved = make_person(session, verified=False)
    make_profile(session, {skill.id: 3}, person=unproved)
    with pytest.raises(NotAllowed):
        proposing.offer(session, actor_of(session, unproved.id), mission.id)
    with pytest.raises(Conflict):
        proposing.offer(session, actor_of(session, make_person(session).id), mission.id)
    member = owner_of(session, mission)
    make_profile(session, {skill.id: 3}, person=member)
    with pytest.raises(NotAllowed):
        proposing.offer(session, actor_of(session, member.id), mission.id)


def test_a_person_may_offer_although_something_does_not_fit_and_the_other_side_sees_what(session, mission, skill):
    profile = make_profile(session, {skill.id: 1}, hours_per_week=1)
    proposal = proposing.offer(session, actor_of(session, profile.person_id), mission.id)
    assert proposal.explanation["closed"] == ["hours", "must"]


def test_three_invitations_a_week_and_no_more(session, skill, profile):
    for _ in range(3):
        invite(session, make_mission(session, {skill.id: (3, True)}), profile)
    with pytest.raises(Conflict):
        invite(session, make_mission(session, {skill.id: (3, True)}), profile)


def test_a_mission_waits_for_few_answers_at_once(session, mission, skill, owner):
    asked = [invite(session, mission, make_profile(session, {skill.id: 3})) for _ in range(3)]
    last = make_profile(session, {skill.id: 3})
    with pytest.raises(Conflict):
        invite(session, mission, last)
    proposing.withdraw(session, owner, asked[0].id)
    invite(session, mission, last)


def test_nobody_takes_a_mission_that_is_closed_or_whose_campaign_is_over(session, mission, profile, pro, owner, skill):
    proposal = invite(session, mission, profile)
    missions.close_mission(session, owner, mission.id)
    with pytest.raises(Conflict):
        proposing.accept(session, pro, proposal.id)
    over = make_mission(session, {skill.id: (3, True)}, campaign=make_campaign(session, state=CampaignState.FAILED))
    with pytest.raises(Conflict):
        proposing.offer(session, pro, over.id)


def test_when_a_mission_is_filled_whoever_waits_gets_an_answer(session, mission, skill, profile, pro, letters):
    waiting = make_profile(session, {skill.id: 3})
    offered = proposing.offer(session, actor_of(session, waiting.person_id), mission.id)
    also = invite(session, mission, make_profile(session, {skill.id: 3}))
    proposing.accept(session, pro, invite(session, mission, profile).id)
    session.commit()
    written = letters()
    session.expire_all()
    assert also.state is ProposalState.WITHDRAWN
    assert (offered.state, offered.declined_by) == (ProposalState.DECLINED, Side.ORGANISATION)
    written += letters()
    address = session.get_one(Person, waiting.person_id).email
    assert [x.subject for x in written if x.to_email == address and "réponse" in x.subject.lower()]


def test_an_engagement_goes_its_way_and_counts_when_confirmed(session, mission, profile, pro, owner):
    engagement_id = proposing.accept(session, pro, invite(session, mission, profile).id)
    with pytest.raises(Conflict):
        engaging.advance(session, owner, engagement_id, EngagementState.DELIVERED, 5)
    assert engaging.advance(session, pro, engagement_id, EngagementState.RUNNING)
    assert not engaging.advance(session, owner, engagement_id, EngagementState.RUNNING)
    for hours in (None, 0, 4001):
        with pytest.raises(Invalid):
            engaging.advance(session, pro, engagement_id, EngagementState.DELIVERED, hours)
    engaging.advance(session, pro, engagement_id, EngagementState.DELIVERED, 9)
    engaging.advance(session, owner, engagement_id, EngagementState.RUNNING)
    engaging.advance(session, pro, engagement_id, EngagementState.DELIVERED, 11)
    assert queries.sum_hours_given(session) == 0
    with pytest.raises(Conflict):
        engaging.advance(session, pro, engagement_id, EngagementState.CLOSED)
    engaging.advance(session, owner, engagement_id, EngagementState.CLOSED)
    assert queries.sum_hours_given(session) == 11


def test_an_engagement_that_ends_early_opens_the_mission_again(session, mission, profile, pro):
    engagement_id = proposing.accept(session, pro, invite(session, mission, profile).id)
    engaging.advance(session, pro, engagement_id, EngagementState.CANCELLED)
    assert mission.state is MissionState.OPEN
    with pytest.raises(Conflict):
        engaging.advance(session, pro, engagement_id, EngagementState.RUNNING)


def test_strangers_have_no_engagement(session, mission, profile, pro):
    engagement_id = proposing.accept(session, pro, invite(session, mission, profile).id)
    with pytest.raises(NotFound):
        engaging.advance(session, actor_of(session, make_person(session).id), engagement_id, EngagementState.RUNNING)


# What is written to whom ----------------------------------------------------------------------------------------------


def test_mails_hide_who_it_is_until_both_said_yes(session, mission, profile, pro, owner, letters):
    professional = session.get_one(Person, profile.person_id)
    member = session.get_one(Person, owner.id)
    proposal = invite(session, mission, profile)
    session.commit()
    (letter,) = letters()
    assert letter.to_email == professional.email
    assert mission.title in letter.subject
    for secret in (member.name, member.email):
        assert secret not in letter.text + letter.html
    proposing.accept(session, pro, proposal.id)
    session.commit()
    both = {x.to_email: x for x in letters()}
    assert set(both) == {professional.email, member.email}
    assert member.email in both[professional.email].text
    assert professional.name in both[member.email].html


def test_an_offer_is_announced_to_those_who_manage_the_mission_without_a_name(
    session, mission, profile, pro, owner, letters
):
    person = session.get_one(Person, profile.person_id)
    person.name = "Violaine Kermadec"
    proposing.offer(session, pro, mission.id)
    session.commit()
    (letter,) = letters()
    assert letter.to_email == owner.email
    assert "Kermadec" not in letter.text + letter.html + letter.subject
    assert person.email not in letter.text + letter.html


@pytest.mark.parametrize(("locale", "word"), [("fr", "Bonjour"), ("en", "Hello")])
def test_every_mail_is_in_the_language_of_who_gets_it(session, skill, letters, locale, word):
    mission = make_mission(session, {skill.id: (3, True)})
    person, member = make_person(session, locale=locale), owner_of(session, mission)
    member.locale = locale
    profile = make_profile(session, {skill.id: 4}, person=person)
    pro, owner = actor_of(session, person.id), actor_of(session, member.id)
    other = make_profile(session, {skill.id: 4}, person=make_person(session, locale=locale))
    proposing.offer(session, actor_of(session, other.person_id), mission.id)
    engagement_id = proposing.accept(session, pro, invite(session, mission, profile).id)
    session.commit()
    written = letters() + letters()
    for step, actor, hours in [
        (EngagementState.RUNNING, pro, None), (EngagementState.DELIVERED, pro, 4), (EngagementState.CLOSED, owner, None),
    ]:  # fmt: skip
        engaging.advance(session, actor, engagement_id, step, hours)
        session.commit()
        written += letters()
    assert len(written) == 6, [x.subject for x in written]
    assert all(x.text.startswith(word) and word in x.html for x in written)
    assert all(x.subject and "%(" not in x.text for x in written)


def test_the_public_story_tells_of_the_mission_and_not_of_the_person(session, mission, profile, pro, letters):
    engagement_id = proposing.accept(session, pro, invite(session, mission, profile).id)
    session.commit()
    letters()
    (entry,) = session.scalars(select(TimelineEntry)).all()
    assert (entry.kind, entry.params, entry.href) == (
        "mission_filled", {"title": mission.title}, f"/missions/{mission.id}",
    )  # fmt: skip
    assert entry.key == f"engagement-{engagement_id}"


# Races ----------------------------------------------------------------------------------------------------------------


def at_once(app, *works):
    """Run all works at the same moment, each in a context and transaction of its own; returns results or errors."""
    gate = threading.Barrier(len(works))

    def run(work):
        with app.app_context():
            gate.wait()
            try:
                with unit_of_work() as session:
                    return work(session)
            except KozError as error:
                return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.fixture
def market(committed_app):
    """One skill, one professional, six missions of six organisations."""
    with unit_of_work() as session:
        skill = make_concept(session)
        profile = make_profile(session, {skill.id: 4})
        ids = [make_mission(session, {skill.id: (3, True)}).id for _ in range(6)]
        owners = [actor_of(session, owner_of(session, session.get_one(Mission, m)).id) for m in ids]
        return {"skill": skill.id, "profile": profile.id, "pro": actor_of(session, profile.person_id),
                "missions": ids, "owners": owners}  # fmt: skip


def test_six_organisations_at_once_cannot_ask_a_person_more_than_three_times(committed_app, market):
    works = [
        lambda session, m=m, o=o: proposing.invite(session, o, m, market["profile"]).id
        for m, o in zip(market["missions"], market["owners"], strict=True)
    ]
    outcomes = at_once(committed_app, *works)
    assert sum(isinstance(x, Conflict) for x in outcomes) == 3
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 3


def test_an_invitation_and_an_offer_in_the_same_moment_make_one_engagement(committed_app, market):
    mission, owner = market["missions"][0], market["owners"][0]
    outcomes = at_once(
        committed_app,
        *[lambda session: proposing.invite(session, owner, mission, market["profile"]).id] * 3,
        *[lambda session: proposing.offer(session, market["pro"], mission).id] * 3,
    )
    assert not [x for x in outcomes if isinstance(x, KozError) and not isinstance(x, Conflict)]
    with unit_of_work() as session:
        (proposal,) = session.scalars(select(Proposal)).all()
        assert proposal.state is ProposalState.ACCEPTED
        assert session.scalar(select(func.count()).select_from(Engagement)) == 1


def test_the_same_yes_many_times_at_once_is_one_engagement(committed_app, market):
    with unit_of_work() as session:
        proposal = proposing.invite(session, market["owners"][0], market["missions"][0], market["profile"]).id
    outcomes = at_once(committed_app, *[lambda s: proposing.accept(s, market["pro"], proposal)] * 6)
    assert len(set(outcomes)) == 1
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Engagement)) == 1


def test_two_people_cannot_take_the_last_seat(committed_app, market):
    mission, owner = market["missions"][0], market["owners"][0]
    with unit_of_work() as session:
        profiles = [make_profile(session, {market["skill"]: 4}) for _ in range(3)]
        pros = [actor_of(session, p.person_id) for p in profiles]
        proposals = [proposing.invite(session, owner, mission, p.id).id for p in profiles]
    outcomes = at_once(
        committed_app, *[lambda s, a=a, p=p: proposing.accept(s, a, p) for a, p in zip(pros, proposals, strict=True)]
    )
    assert sum(isinstance(x, Conflict) for x in outcomes) == 2
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Engagement)) == 1
        assert session.get_one(Mission, mission).state is MissionState.FILLED


def test_yes_and_taking_back_at_once_end_in_one_of_the_two(committed_app, market):
    owner, pro = market["owners"][0], market["pro"]
    with unit_of_work() as session:
        proposal = proposing.invite(session, owner, market["missions"][0], market["profile"]).id
    at_once(
        committed_app,
        lambda s: proposing.accept(s, pro, proposal),
        lambda s: proposing.withdraw(s, owner, proposal),
    )
    with unit_of_work() as session:
        state = session.get_one(Proposal, proposal).state
        made = session.scalar(select(func.count()).select_from(Engagement))
        assert (state, made) in {(ProposalState.ACCEPTED, 1), (ProposalState.WITHDRAWN, 0)}
        assert session.get_one(Profile, market["profile"]).quiet_until is None
