"""Who is proposed for a mission and which missions for a person: the best that may be, explained, in few statements."""

import random
from datetime import timedelta
from itertools import combinations

import pytest

from koz.campaigns.states import CampaignState
from koz.core.clock import now, today
from koz.matching import queries
from koz.matching.models import Proposal
from koz.matching.scoring import best, score
from koz.matching.services import ranking
from koz.matching.states import ProposalState, Reason, Side
from koz.skills.queries import list_cards, load_graph
from koz.skills.states import MissionState
from tests.factories.accounts import make_member, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import invite, join_concepts, make_concept, make_mission, make_profile


@pytest.fixture
def press(session):
    return make_concept(session, "rédiger un communiqué de presse", "write a press release")


def ids(ranked):
    return [r.profile.id for r in ranked]


def test_the_best_come_first_with_the_terms_of_their_score(session, press):
    near, far = make_concept(session), make_concept(session)
    join_concepts(session, near, press, 0.8)
    mission = make_mission(session, {press.id: (4, True), far.id: (2, False)})
    full = make_profile(session, {press.id: 5, far.id: 2})
    half = make_profile(session, {near.id: 4})
    make_profile(session, {far.id: 5})  # the must-have is missing
    found = ranking.best_professionals(session, mission.id)
    assert ids(found) == [full.id, half.id]
    assert found[0].score.points == 100
    assert found[1].score.total == pytest.approx(2 / 3 * 0.8)
    (explained,) = ranking.read_explanations(session, [found[1].score.as_json()], "fr")
    assert [(x.label, x.met_by and x.met_by.label) for x in explained.lines] == [
        (press.label_fr, near.label_fr), (far.label_fr, None),
    ]  # fmt: skip
    assert explained.met == 1


@pytest.mark.parametrize(
    "values",
    [
        {"paused": True},
        {"quiet_until": today() + timedelta(days=2)},
        {"languages": ["en"]},
        {"hours_per_week": 2},
        {"remote": False, "departments": ["13"]},
    ],
)
def test_who_cannot_or_does_not_want_to_is_not_proposed(session, press, values):
    mission = make_mission(session, {press.id: (3, True)}, department="75")
    fits = make_profile(session, {press.id: 3}, remote=False, departments=["75"])
    other = make_profile(session, {press.id: 3}, **values)
    assert ids(ranking.best_professionals(session, mission.id)) == [fits.id]
    assert not ranking.best_missions(session, other.person_id) or "paused" in values or "quiet_until" in values


def test_members_of_the_organisation_erased_and_unproved_people_are_not_proposed(session, press):
    campaign = make_campaign(session)
    mission = make_mission(session, {press.id: (3, True)}, campaign=campaign)
    from koz.accounts.models import Organisation

    organisation = session.get_one(Organisation, campaign.organisation_id)
    member = make_member(session, organisation, "treasurer")
    make_profile(session, {press.id: 5}, person=member)
    make_profile(session, {press.id: 5}, person=make_person(session, verified=False))
    make_profile(session, {press.id: 5}, person=make_person(session, erased_at=now(), email=None))
    assert ranking.best_professionals(session, mission.id) == []
    assert ranking.best_missions(session, member.id) == []


def test_missions_that_are_not_open_or_whose_campaign_is_over_are_not_proposed(session, press):
    profile = make_profile(session, {press.id: 3})
    for state in (MissionState.DRAFT, MissionState.FILLED, MissionState.CLOSED):
        make_mission(session, {press.id: (3, False)}, state=state)
    for state in (CampaignState.DRAFT, CampaignState.FAILED, CampaignState.CANCELLED):
        make_mission(session, {press.id: (3, False)}, campaign=make_campaign(session, state=state))
    open_ = make_mission(session, {press.id: (3, False)})
    assert [r.card.mission.id for r in ranking.best_missions(session, profile.person_id)] == [open_.id]
    assert ranking.best_professionals(session, open_.id + 1000) == []


def test_ties_fall_in_the_order_of_ids_and_the_list_is_bounded(session, press):
    mission = make_mission(session, {press.id: (3, False)})
    profiles = [make_profile(session, {press.id: 3}).id for _ in range(14)]
    assert ids(ranking.best_professionals(session, mission.id)) == profiles[:10]
    assert ids(ranking.best_professionals(session, mission.id, 3)) == profiles[:3]


def test_both_sides_see_the_same_score(session, press):
    near = make_concept(session)
    join_concepts(session, press, near, 0.7)
    mission = make_mission(session, {near.id: (4, False), press.id: (5, True)})
    profile = make_profile(session, {press.id: 3})
    (theirs,) = ranking.best_professionals(session, mission.id)
    (own,) = ranking.best_missions(session, profile.person_id)
    assert theirs.score.as_json() == own.score.as_json()


def test_causes_count_for_oneself_and_for_others_only_if_shared(session, press):
    mission = make_mission(session, {press.id: (3, False)}, campaign=make_campaign(session, cause="health"))
    private = make_profile(session, {press.id: 3}, causes=["health"])
    shared = make_profile(session, {press.id: 3}, causes=["health"], causes_shared=True)
    found = ranking.best_professionals(session, mission.id)
    assert ids(found) == [shared.id, private.id]
    assert found[1].score.points == 100
    (own,) = ranking.best_missions(session, private.person_id)
    assert own.score.points == 105


def test_a_refusal_with_a_reason_keeps_only_that_person_from_like_missions(session, press):
    heavy = make_mission(session, {press.id: (3, False)}, hours_per_week=4)
    light = make_mission(session, {press.id: (3, False)}, hours_per_week=3)
    one, other = make_profile(session, {press.id: 3}), make_profile(session, {press.id: 3})
    again = make_mission(session, {press.id: (3, False)}, hours_per_week=5)
    refusal = Proposal(
        mission_id=heavy.id, person_id=one.person_id, made_by=Side.ORGANISATION, state=ProposalState.DECLINED,
        score=1, explanation={}, reason=Reason.HOURS, tunes=True, declined_by=Side.PROFESSIONAL,
    )  # fmt: skip
    session.add(refusal)
    session.flush()
    assert [r.card.mission.id for r in ranking.best_missions(session, one.person_id)] == [light.id]
    assert ids(ranking.best_professionals(session, again.id)) == [other.id]
    assert ids(ranking.best_professionals(session, heavy.id)) == [other.id]
    refusal.tunes = False
    session.flush()
    assert [r.card.mission.id for r in ranking.best_missions(session, one.person_id)] == [light.id, again.id]


@pytest.mark.parametrize("reason", [Reason.CAUSE, Reason.PLACE])
def test_refusals_for_the_cause_or_the_place(session, press, reason):
    def mission(cause, department):
        campaign = make_campaign(session, cause=cause)
        return make_mission(session, {press.id: (3, False)}, campaign=campaign, department=department, remote=False)

    refused = mission("health", "75")
    same_cause, same_place = mission("health", "13"), mission("housing", "75")
    profile = make_profile(session, {press.id: 3}, departments=["75", "13"])
    session.add(
        Proposal(
            mission_id=refused.id,
            person_id=profile.person_id,
            made_by=Side.ORGANISATION,
            score=1,
            explanation={},
            state=ProposalState.DECLINED,
            reason=reason,
            tunes=True,
            declined_by=Side.PROFESSIONAL,
        )
    )
    session.flush()
    left = {Reason.CAUSE: same_place, Reason.PLACE: same_cause}[reason]
    assert [r.card.mission.id for r in ranking.best_missions(session, profile.person_id)] == [left.id]


def test_nobody_who_was_asked_three_times_in_a_week_is_proposed(session, press):
    profile = make_profile(session, {press.id: 3})
    proposals = [invite(session, make_mission(session, {press.id: (3, False)}), profile) for _ in range(3)]
    mission = make_mission(session, {press.id: (3, False)})
    assert ranking.best_professionals(session, mission.id) == []
    proposals[0].invited_at = now() - timedelta(days=8)
    session.flush()
    assert ids(ranking.best_professionals(session, mission.id)) == [profile.id]


def test_french_and_english_words_of_the_same_skills_give_the_same_score(session, press):
    from koz.skills.services import profiles

    mission = make_mission(session, {press.id: (3, True)})
    people = []
    for words, lang in (("rédiger un communiqué de presse", "fr"), ("write a press release", "en")):
        (suggestion,) = profiles.suggest(session, words, lang)
        assert suggestion.found[0].id == press.id
        people.append(make_profile(session, {suggestion.found[0].id: 4}, words=words))
    found = ranking.best_professionals(session, mission.id)
    assert ids(found) == [p.id for p in people]
    assert found[0].score.as_json() == found[1].score.as_json()


@pytest.mark.parametrize("seed", range(3))
def test_the_database_chooses_exactly_those_whom_the_score_puts_first(session, seed):
    dice = random.Random(seed)
    concepts = [make_concept(session) for _ in range(12)]
    for one, other in dice.sample(list(combinations(concepts, 2)), 14):
        join_concepts(session, one, other, dice.choice([0.4, 0.6, 0.8]))
    causes, places = ["health", "housing"], ["75", "13"]
    missions = [
        make_mission(
            session, {c.id: (dice.randint(1, 5), dice.random() < 0.3) for c in dice.sample(concepts, dice.randint(1, 4))},
            campaign=make_campaign(session, cause=dice.choice(causes)), hours_per_week=dice.randint(1, 4),
            department=dice.choice(places), remote=dice.random() < 0.5, language=dice.choice(["fr", "en"]),
        )
        for _ in range(25)
    ]  # fmt: skip
    profiles = [
        make_profile(
            session, {c.id: dice.randint(1, 5) for c in dice.sample(concepts, dice.randint(1, 6))},
            languages=dice.choice([["fr"], ["en", "fr"]]), hours_per_week=dice.randint(1, 5),
            departments=[dice.choice(places)], remote=dice.random() < 0.6, causes=[dice.choice(causes)],
            causes_shared=dice.random() < 0.5,
        )
        for _ in range(40)
    ]  # fmt: skip
    levels = queries.list_levels(session, [p.id for p in profiles])
    asks = {c.mission.id: queries.ask_of(c) for c in list_cards(session, [m.id for m in missions])}
    paths = {m: ranking.paths_to(load_graph(session), ask) for m, ask in asks.items()}

    def pair(mission, profile, *, own):
        return score(asks[mission.id], queries.bid_of(profile, levels[profile.id], own=own), paths[mission.id])

    for mission in missions:
        wanted = best(((p, pair(mission, p, own=False)) for p in profiles), 5, key=lambda p: p.id)
        found = ranking.best_professionals(session, mission.id, 5)
        assert [(r.profile.id, r.score.total) for r in found] == [(p.id, s.total) for p, s in wanted]
    for profile in profiles[:15]:
        wanted = best(((m, pair(m, profile, own=True)) for m in missions), 5, key=lambda m: m.id)
        found = ranking.best_missions(session, profile.person_id, 5)
        assert [(r.card.mission.id, r.score.total) for r in found] == [(m.id, s.total) for m, s in wanted]


@pytest.mark.parametrize("n", [5, 50])
def test_statements_do_not_grow_with_people_missions_and_skills(session, request, n):
    counting = request.getfixturevalue("queries")
    concepts = [make_concept(session) for _ in range(n)]
    missions = [make_mission(session, {c.id: (3, False) for c in concepts[: max(2, n // 10)]}) for _ in range(n)]
    profiles = [make_profile(session, {c.id: 4 for c in concepts[: n // 2]}) for _ in range(n)]
    load_graph(session)  # held by each process until an import
    with counting() as q:
        assert len(ranking.best_professionals(session, missions[0].id)) == min(n, 10)
    professionals = q.count
    with counting() as q:
        assert len(ranking.best_missions(session, profiles[0].person_id)) == min(n, 10)
    assert (professionals, q.count) == (7, 7)
