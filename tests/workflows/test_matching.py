"""What the end of a campaign or of an account does to missions, proposals and engagements."""

from sqlalchemy import func, select

from koz.accounts.events import PersonErased
from koz.accounts.services import export_person
from koz.campaigns.events import CampaignFailed
from koz.core.outbox import record
from koz.matching.models import Engagement
from koz.matching.services import proposing
from koz.matching.states import EngagementState, ProposalState, Reason
from koz.skills.models.offers import Profile, ProfileSkill
from koz.skills.states import MissionState
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile


def deliver(session, letters, event):
    record(session, event)
    session.commit()
    written = letters() + letters()
    session.expire_all()
    return written


def test_missions_end_with_their_campaign_and_whoever_offered_hears_of_it(session, letters):
    skill, campaign = make_concept(session), make_campaign(session)
    one, taken = (make_mission(session, {skill.id: (3, True)}, campaign=campaign) for _ in range(2))
    elsewhere = make_mission(session, {skill.id: (3, True)})
    person = make_person(session)
    pro = actor_of(session, make_profile(session, {skill.id: 3}, person=person).person_id)
    offered = proposing.offer(session, pro, one.id)
    engagement = proposing.accept(session, pro, invite(session, taken, session.scalars(select(Profile)).one()).id)
    session.commit()
    letters()
    written = deliver(session, letters, CampaignFailed(campaign.id))
    assert (one.state, taken.state, elsewhere.state) == (MissionState.CLOSED, MissionState.CLOSED, MissionState.OPEN)
    assert offered.state is ProposalState.DECLINED
    assert [x.to_email for x in written].count(person.email) == 1
    assert session.get_one(Engagement, engagement).state is EngagementState.ACCEPTED
    assert person.email not in {x.to_email for x in deliver(session, letters, CampaignFailed(campaign.id))}


def test_an_erased_person_leaves_no_profile_no_reason_and_nothing_waiting(session, letters):
    skill = make_concept(session)
    profile = make_profile(session, {skill.id: 3})
    person_id = profile.person_id
    pro = actor_of(session, person_id)
    declined = invite(session, make_mission(session, {skill.id: (3, True)}), profile)
    proposing.decline(session, pro, declined.id, Reason.CAUSE)
    waiting = invite(session, make_mission(session, {skill.id: (3, True)}), profile)
    deliver(session, letters, PersonErased(person_id, 1))
    assert waiting.state is ProposalState.WITHDRAWN
    assert (declined.reason, declined.tunes) == (None, False)
    for table in (Profile, ProfileSkill):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_person_s_copy_holds_profile_proposals_and_engagements(session):
    skill = make_concept(session, "comptabilité", "accounting")
    profile = make_profile(session, {skill.id: 3}, words="mes mots", causes=["health"])
    pro = actor_of(session, profile.person_id)
    mission = make_mission(session, {skill.id: (3, True)}, title="Tenir les comptes")
    proposing.accept(session, pro, invite(session, mission, profile).id)
    copy = export_person(session, profile.person_id)
    assert copy["profile"][0]["words"] == "mes mots"
    assert copy["profile"][0]["skills"] == [{"label_fr": "comptabilité", "label_en": "accounting", "level": 3}]
    assert copy["proposals"][0]["explanation"]["score"] == 1.0
    assert copy["engagements"][0]["mission"] == "Tenir les comptes"
    assert export_person(session, make_person(session).id)["profile"] == []
