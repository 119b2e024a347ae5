"""Who is proposed for a mission and which missions for a person: the best that may be, explained, in few statements."""

import random
from datetime import timedelta
from itertools import combinations

import pytest
from sqlalchemy import select

from koz.campaigns.states import CampaignState
from koz.core.clock import now, today
from koz.matching import queries
from koz.matching.models import Proposal
from koz.matching.queries.answering import list_answers
from koz.matching.scoring import ANSWER_WEIGHT, Answers, best, score
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


def days(dice, first, last):
    """Two days in order, one of them, or none."""
    day = today() + timedelta(days=dice.randint(1, 20))
    values = {first: day, last: day + timedelta(days=9)}
    return dice.choice([{}, {}, values, {first: day}, {last: day + timedelta(days=4)}])


def asked_for(session, mission, profile, state, since=timedelta(days=20), until=None):
    """The person was invited `since` ago; what came of it, `until` ago."""
    pair = select(Proposal.id).where(Proposal.mission_id == mission.id, Proposal.person_id == profile.person_id)
    if session.scalar(pair) is None:
        session.add(
            Proposal(
                mission_id=mission.id, person_id=profile.person_id, made_by=Side.ORGANISATION, state=state, score=1,
                explanation={}, invited_at=now() - since, answered_at=None if until is None else now() - until,
                declined_by=Side.PROFESSIONAL if state == "declined" else None,
            )
        )  # fmt: skip
        session.flush()


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
            **days(dice, "starts_on", "ends_on"),
        )
        for _ in range(25)
    ]  # fmt: skip
    profiles = [
        make_profile(
            session, {c.id: dice.randint(1, 5) for c in dice.sample(concepts, dice.randint(1, 6))},
            languages=dice.choice([["fr"], ["en", "fr"]]), hours_per_week=dice.randint(1, 5),
            departments=[dice.choice(places)], remote=dice.random() < 0.6, causes=[dice.choice(causes)],
            causes_shared=dice.random() < 0.5, **days(dice, "available_from", "available_until"),
        )
        for _ in range(40)
    ]  # fmt: skip
    silent = [make_mission(session, {}, state=MissionState.CLOSED) for _ in range(7)]
    levels = queries.list_levels(session, [p.id for p in profiles])
    asks = {c.mission.id: queries.ask_of(c) for c in list_cards(session, [m.id for m in missions])}
    paths = {m: ranking.paths_to(load_graph(session), ask) for m, ask in asks.items()}

    for n, profile in enumerate(profiles):  # to missions of nobody's list, long enough ago
        for state in dice.choices(["proposed", "declined", "later", "withdrawn"], k=dice.randint(0, 2)):
            asked_for(session, silent[n % 7], profile, state)
    answers = list_answers(session, [p.person_id for p in profiles])

    def pair(mission, profile, *, own):
        bid = queries.bid_of(profile, levels[profile.id], answers[profile.person_id], own=own)
        return score(asks[mission.id], bid, paths[mission.id])

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


def test_unanswered_invitations_take_a_little_off_and_both_sides_see_it(session, press):
    mission = make_mission(session, {press.id: (3, False)})
    silent, new = make_profile(session, {press.id: 3}), make_profile(session, {press.id: 3})
    for _ in range(4):
        asked_for(session, make_mission(session, {}, state=MissionState.CLOSED), silent, ProposalState.PROPOSED)
    found = ranking.best_professionals(session, mission.id)
    assert ids(found) == [new.id, silent.id]
    assert found[1].score.total == pytest.approx(1 - ANSWER_WEIGHT * 4 / 8)
    (own,) = ranking.best_missions(session, silent.person_id)
    assert own.score.as_json() == found[1].score.as_json()
    newcomer, late = ranking.read_explanations(session, [f.score.as_json() for f in found], "fr")
    assert (newcomer.answers, late.answers) == (0, pytest.approx(-2.5))


@pytest.mark.parametrize(
    ("state", "since", "until", "counted"),
    [
        ("proposed", 20, None, Answers(1, 0)), ("proposed", 3, None, Answers()), ("proposed", 400, None, Answers()),
        ("declined", 20, 19, Answers(1, 1)), ("later", 20, 19, Answers(1, 1)), ("accepted", 3, 2, Answers(1, 1)),
        ("withdrawn", 20, 18, Answers()), ("withdrawn", 20, 2, Answers(1, 0)),
    ],
)  # fmt: skip
def test_which_invitations_say_something_about_a_person(session, state, since, until, counted):
    profile = make_profile(session, {})
    gone = None if until is None else timedelta(days=until)
    asked_for(session, make_mission(session, {}), profile, ProposalState(state), timedelta(days=since), gone)
    assert list_answers(session, [profile.person_id]) == {profile.person_id: counted}


def test_who_put_an_invitation_off_had_answered_when_it_is_withdrawn(session, press):
    from koz.matching.services import proposing
    from tests.factories.matching import actor_of

    mission = make_mission(session, {press.id: (3, False)})
    profile = make_profile(session, {press.id: 3})
    proposal = invite(session, mission, profile)
    proposing.put_off(session, actor_of(session, profile.person_id), proposal.id)
    answered = proposal.answered_at
    assert answered is not None
    proposing.end_waiting(session, mission.id)
    session.flush()
    assert (proposal.state, proposal.answered_at) == (ProposalState.WITHDRAWN, answered)


def test_days_of_a_mission_and_a_person_must_agree(session, press):
    start = today() + timedelta(days=10)
    mission = make_mission(session, {press.id: (3, True)}, starts_on=start, ends_on=start + timedelta(days=20))
    fits = make_profile(session, {press.id: 3}, available_from=start, available_until=start + timedelta(days=20))
    late = make_profile(session, {press.id: 3}, available_from=start + timedelta(days=1))
    early = make_profile(session, {press.id: 3}, available_until=start + timedelta(days=19))
    assert ids(ranking.best_professionals(session, mission.id)) == [fits.id]
    for other in (late, early):
        assert ranking.best_missions(session, other.person_id) == []
        assert [g.value for g in ranking.explain(session, mission.id, other, own=True).closed] == ["dates"]
    undated = make_mission(session, {press.id: (3, True)})
    make_profile(session, {press.id: 3}, available_until=today() - timedelta(days=1))
    assert ids(ranking.best_professionals(session, undated.id)) == [fits.id, late.id, early.id]


def test_gender_names_and_words_change_neither_scores_nor_proposals(session):
    from koz.skills.services import profiles

    editor = make_concept(session, "rédiger pour le web", "web editor")
    mission = make_mission(session, {editor.id: (3, True)})
    texts = ["Chargé de rédiger pour le web", "Chargée de rédiger pour le web", "chargé·e de rédiger pour le web"]
    names = ["Jean Martin", "Fatoumata Diallo", "Nguyễn Thị Hoa"]
    people = []
    for words, name in zip(texts, names, strict=True):
        said = {x.found[0].id for x in profiles.suggest(session, words, "fr") if x.found}
        assert said == {editor.id}
        born = f"{words}. Je suis né(e) à Bamako, elle / il."
        people.append(make_profile(session, {editor.id: 4}, words=born, person=make_person(session, name=name)))
    found = ranking.best_professionals(session, mission.id)
    assert ids(found) == [p.id for p in people]
    assert len({str(f.score.as_json()) for f in found}) == 1
