"""Rounds in the product: limits, cool-down, expiry, people decide, organisations may let it go by itself, races."""

import contextlib
import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from koz.core import outbox
from koz.core.clock import now
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict
from koz.matching.jobs import keep_rounds
from koz.matching.models import InvitationPlan, MissionPlan, PlannedInvitation, Proposal
from koz.matching.queries import planning as reads
from koz.matching.queries.exposure import read_exposure
from koz.matching.services import planning, proposing, ranking, rounds
from koz.matching.states import ProposalState, Reason
from koz.skills.models.offers import Profile
from koz.skills.services import missions
from koz.skills.states import MissionState
from tests.factories.accounts import make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of, invite, join_concepts, make_concept, make_mission, make_profile, owner_of


@pytest.fixture
def skill(session):
    return make_concept(session, "comptabilité des associations", "association accounting")


@pytest.fixture
def mission(session, skill):
    return make_mission(session, {skill.id: (3, True)})


def planned(session):
    """Planned pairs: mission → profiles."""
    found = {}
    for row in session.scalars(select(PlannedInvitation).order_by(PlannedInvitation.profile_id)):
        found.setdefault(row.mission_id, []).append(row.profile_id)
    return found


def owner(session, mission):
    return actor_of(session, owner_of(session, mission).id)


def test_each_seat_gets_three_suggestions_with_reasons_that_add_up(session, skill, mission):
    profiles = [make_profile(session, {skill.id: 3}) for _ in range(5)]
    run = planning.plan_everything(session)
    assert (run.missions, run.people, run.pairs, run.chosen, run.without_candidates) == (1, 5, 5, 3, 0)
    assert len(planned(session)[mission.id]) == 3
    best = {b.profile.id: b.score for b in ranking.best_professionals(session, mission.id)}
    for row in reads.list_planned(session, mission.id):
        assert row.profile_id in {p.id for p in profiles}
        assert row.explanation == best[row.profile_id].as_json()
        assert sum(t["value"] for t in row.explanation["terms"]) == pytest.approx(row.score, abs=1e-6)


def test_planning_twice_is_planning_once(session, skill, mission):
    for level in (1, 2, 3, 4, 5):
        make_profile(session, {skill.id: level})
    planning.plan_everything(session)
    first = planned(session)
    planning.plan_everything(session)
    assert planned(session) == first != {}


def test_no_plan_asks_anybody_more_than_three_times_a_week(session, skill):
    profile = make_profile(session, {skill.id: 5})
    other = make_mission(session, {skill.id: (3, True)})
    invite(session, other, profile)
    missions = [make_mission(session, {skill.id: (3, True)}) for _ in range(4)]
    planning.plan_everything(session)
    assert sum(profile.id in found for found in planned(session).values()) == 2
    assert other.id not in planned(session)
    assert set(planned(session)) < {m.id for m in missions}


def test_a_change_plans_only_the_missions_concerned_and_keeps_the_limit(session, skill):
    profile = make_profile(session, {skill.id: 5})
    missions = [make_mission(session, {skill.id: (3, True)}) for _ in range(3)]
    planning.plan_everything(session)
    before = planned(session)
    assert before == {m.id: [profile.id] for m in missions}
    late = make_mission(session, {skill.id: (3, True)})
    assert planning.replan(session, [late.id])
    assert planned(session) == before
    second = make_profile(session, {skill.id: 4})
    assert planning.replan(session, [late.id])
    assert planned(session) == before | {late.id: [second.id]}


@pytest.mark.parametrize(("reason", "days"), sorted(reads.COOL_DOWN.items()))
def test_after_a_no_nobody_is_planned_for_some_days(session, skill, mission, reason, days):
    profile = make_profile(session, {skill.id: 5}, hours_per_week=20, departments=["29"])
    campaign = make_campaign(session, cause="health")
    other = make_mission(
        session, {skill.id: (3, True)}, campaign=campaign, hours_per_week=1, department="29", remote=False
    )
    proposal = invite(session, mission, profile)
    session.flush()
    planning.plan_everything(session)
    assert planned(session) == {other.id: [profile.id]}
    proposing.decline(session, actor_of(session, profile.person_id), proposal.id, Reason(reason) if reason else None)
    assert planned(session) == {}, "in the request itself"
    session.execute(update(Profile).values(quiet_until=None))
    for passed, there in ((days - 1, False), (days, True)):
        session.execute(update(Proposal).values(answered_at=now() - timedelta(days=passed, minutes=1)))
        planning.plan_everything(session)
        assert (other.id in planned(session)) is there


def test_what_nobody_answered_in_a_round_makes_room_and_a_late_yes_still_counts(session, skill, mission):
    early = [make_profile(session, {skill.id: 5}) for _ in range(3)]
    proposals = [invite(session, mission, p) for p in early]
    fresh = make_profile(session, {skill.id: 3})
    session.flush()
    planning.plan_everything(session)
    assert planned(session) == {}, "three are thinking about it"
    assert rounds.expire_due(session) == 0
    session.execute(update(Proposal).values(invited_at=now() - rounds.ROUND - timedelta(minutes=1)))
    assert rounds.expire_due(session) == 3
    assert rounds.expire_due(session) == 0
    planning.plan_everything(session)
    assert planned(session) == {mission.id: [fresh.id]}, "and nobody is asked twice for the same mission"
    session.expire_all()
    assert proposals[0].state is ProposalState.EXPIRED
    assert proposing.accept(session, actor_of(session, early[0].person_id), proposals[0].id)
    assert proposals[0].state is ProposalState.ACCEPTED
    assert planned(session) == {}


def test_offering_oneself_after_an_invitation_has_expired_is_a_yes(session, skill, mission):
    profile = make_profile(session, {skill.id: 5})
    proposal = invite(session, mission, profile)
    session.execute(update(Proposal).values(invited_at=now() - rounds.ROUND - timedelta(minutes=1)))
    rounds.expire_due(session)
    session.expire_all()
    assert proposing.offer(session, actor_of(session, profile.person_id), mission.id).id == proposal.id
    assert proposal.state is ProposalState.ACCEPTED


def test_the_button_sends_what_is_possible_and_says_so(session, client, login, skill, mission):
    profiles = [make_profile(session, {skill.id: 5}) for _ in range(3)]
    planning.plan_everything(session)
    session.commit()
    login(owner_of(session, mission))
    url = f"/manage/missions/{mission.id}/matches"
    page = client.get(url)
    assert "Koz vous propose pour ce tour" in page.text
    assert "Inviter ces 3 personnes" in page.text
    for _ in range(3):
        invite(session, make_mission(session, {skill.id: (3, True)}), profiles[0])
    session.commit()
    answer = client.post(f"/manage/missions/{mission.id}/invite-planned", {})
    page = client.get(answer.response.headers["Location"])
    assert "2 invitations sont parties" in page.text
    assert "1 n’a pas pu partir" in page.text
    sent = select(Proposal.person_id).where(Proposal.mission_id == mission.id)
    assert set(session.scalars(sent)) == {p.person_id for p in profiles[1:]}
    assert planned(session).get(mission.id) is None
    page = client.get(url + "?lang=en")
    assert "Invited so far" in page.text


def test_who_was_left_out_for_their_peace_is_counted_not_named(session, client, login, skill):
    star = make_profile(session, {skill.id: 5})
    for _ in range(2):
        invite(session, make_mission(session, {skill.id: (5, True)}), star)
    for _ in range(4):
        make_profile(session, {skill.id: 4})
    missions = [make_mission(session, {skill.id: (5, True)}) for _ in range(2)]
    planning.plan_everything(session)
    asked = [reads.find_mission_plan(session, m.id) for m in missions]
    assert sorted(a.left_out_asked for a in asked) == [0, 1]
    without = next(a.mission_id for a in asked if a.left_out_asked)
    login(owner_of(session, session.get_one(type(missions[0]), without)))
    page = client.get(f"/manage/missions/{without}/matches")
    assert "1 a déjà été sollicitée deux fois cette semaine" in page.text


def test_only_who_manages_the_mission_sends_or_switches(session, client, login, skill, mission):
    make_profile(session, {skill.id: 5})
    planning.plan_everything(session)
    session.commit()
    login(make_person(session))
    for path in ("invite-planned", "auto"):
        client.post(f"/manage/missions/{mission.id}/{path}", {"auto": "on"}, status=403)
    assert session.scalar(select(func.count()).select_from(Proposal)) == 0


def test_by_itself_only_where_the_organisation_said_so_and_while_its_member_may(session, client, login, skill):
    people = [make_profile(session, {skill.id: 5}) for _ in range(9)]
    missions = []
    for _ in range(3):
        organisation = make_organisation(session, owner=make_person(session))
        campaign = make_campaign(session, organisation_id=organisation.id)
        missions.append(make_mission(session, {skill.id: (3, True)}, campaign=campaign))
    session.commit()
    on, off, gone = missions
    login(owner_of(session, on))
    client.post(f"/manage/missions/{on.id}/auto", {"auto": "on"})
    assert "Ne plus inviter automatiquement" in client.get(f"/manage/missions/{on.id}/matches").text
    with unit_of_work() as s:
        planning.set_auto(s, gone.id, make_person(s).id)
    assert keep_rounds() == 3
    assert keep_rounds() == 0
    sent = select(Proposal.mission_id, func.count()).group_by(Proposal.mission_id)
    assert session.execute(sent).all() == [(on.id, 3)]
    assert off.id in planned(session)
    assert len(people) == 9
    client.post(f"/manage/missions/{on.id}/auto", {"auto": "off"})
    assert reads.find_mission_plan(session, on.id).auto_by is None


@pytest.mark.parametrize("size", [2, 12])
def test_statements_of_a_run_do_not_grow_with_the_market(session, skill, queries, size):
    from koz.skills.queries import load_graph

    for _ in range(size):
        make_mission(session, {skill.id: (3, True)})
        make_profile(session, {skill.id: 4})
    load_graph(session)
    with queries() as q:
        planning.plan_everything(session)
    assert q.count == 12
    with queries() as q:
        planning.replan(session, [session.scalar(select(func.min(MissionPlan.mission_id)))])
    assert q.count == 17


def at_once(app, *calls):
    """Run them in threads that start together; what each returned or raised."""
    gate, found = threading.Barrier(len(calls)), [None] * len(calls)

    def run(n, call):
        with app.app_context():
            gate.wait(timeout=20)
            try:
                found[n] = call()
            except Conflict as error:
                found[n] = error

    threads = [threading.Thread(target=run, args=(n, call)) for n, call in enumerate(calls)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=60)
    return found


def test_two_workers_plan_once_and_six_buttons_keep_the_limit_of_a_person(committed_app):
    app = committed_app
    with app.app_context():
        with unit_of_work() as s:
            skill = make_concept(s)
            profile = make_profile(s, {skill.id: 5})
            missions = [make_mission(s, {skill.id: (3, True)}) for _ in range(6)]
            owners = [owner(s, m) for m in missions]
            ids, profile_id, person_id = [m.id for m in missions], profile.id, profile.person_id
        found = at_once(app, *[keep_rounds] * 4)
        assert found == [0] * 4
        with reading() as s:
            rows = s.execute(select(PlannedInvitation.mission_id, PlannedInvitation.profile_id)).all()
            assert len(rows) == 3
            assert s.scalar(select(func.count()).select_from(InvitationPlan)) >= 1
        with unit_of_work() as s:  # a plan that knows nothing of the limit: sending decides
            row = s.scalars(select(PlannedInvitation)).first()
            score, explanation = row.score, row.explanation
            s.execute(delete(PlannedInvitation))
            s.expunge_all()
            s.add_all(
                PlannedInvitation(mission_id=i, profile_id=profile_id, score=score, explanation=explanation)
                for i in ids
            )

    def manual():
        with unit_of_work() as s:
            return proposing.invite(s, owners[0], ids[0], profile_id).id

    sends = [lambda n=n: rounds.send_planned(unit_of_work, owners[n], ids[n]).sent for n in range(6)]
    at_once(app, manual, keep_rounds, *sends)
    with app.app_context(), reading() as s:
        assert s.scalar(select(func.count()).where(Proposal.person_id == person_id)) == 3


def test_the_exposure_report_counts_from_the_rows(session, skill):
    people = [make_profile(session, {skill.id: 5}) for _ in range(4)]
    proposals = [invite(session, make_mission(session, {skill.id: (3, True)}), people[0]) for _ in range(3)]
    alone = make_mission(session, {make_concept(session).id: (3, True)})
    proposing.decline(session, actor_of(session, people[0].person_id), proposals[0].id, Reason.SKILLS)
    session.execute(update(Proposal).values(invited_at=now() - timedelta(hours=10)))
    planning.plan_everything(session)
    found = read_exposure(session)
    assert found.by_number == [(0, 3), (3, 1)]
    assert (found.gini, found.ever_invited, found.people) == (pytest.approx(0.75), 0.25, 4)
    assert (found.asked, found.declined, found.expired) == (3, 1, 0)
    assert found.median_hours == pytest.approx(10, abs=0.1)
    assert [row.id for row in found.alone] == [alone.id]
    assert found.run.without_candidates == 1


def test_a_mission_that_opens_has_suggestions_at_once(session, skill):
    make_profile(session, {skill.id: 5})
    mission = make_mission(session, {skill.id: (3, True)}, state=MissionState.DRAFT)
    missions.open_mission(session, owner(session, mission), mission.id)
    session.commit()
    outbox.relay()
    assert mission.id in planned(session)


def test_a_run_over_nothing_is_no_trouble(session, skill):
    assert planning.plan_everything(session).pairs == 0
    make_profile(session, {skill.id: 3})
    assert planning.plan_everything(session).missions == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_run_over_everything_and_a_change_weigh_the_same_pairs(session, seed):
    dice = random.Random(seed)
    skills = [make_concept(session) for _ in range(4)]
    join_concepts(session, skills[0], skills[1])
    profiles = [
        make_profile(
            session, {s.id: dice.randint(1, 5) for s in dice.sample(skills, dice.randint(1, 3))},
            hours_per_week=dice.randint(1, 6), remote=dice.random() < 0.7, departments=dice.sample(["29", "75"], 1),
            causes=["health"], causes_shared=dice.random() < 0.5, paused=dice.random() < 0.1,
        )
        for _ in range(25)
    ]  # fmt: skip
    missions_ = [
        make_mission(
            session, {s.id: (dice.randint(1, 5), dice.random() < 0.3) for s in dice.sample(skills, 2)},
            campaign=make_campaign(session, cause=dice.choice(["health", "culture"])), seats=dice.randint(1, 3),
            remote=dice.random() < 0.6, department="29", hours_per_week=dice.randint(1, 5),
        )
        for _ in range(8)
    ]  # fmt: skip
    for mission in missions_:
        best = [b.profile for b in ranking.best_professionals(session, mission.id)]
        for profile in dice.sample(best, min(len(best), 2)):
            with contextlib.suppress(Conflict):
                proposal = invite(session, mission, profile)
                if dice.random() < 0.6:
                    reason = dice.choice([Reason.HOURS, Reason.PLACE, Reason.CAUSE])
                    proposing.decline(session, actor_of(session, profile.person_id), proposal.id, reason)
    if seed % 2:  # the cool-down is over, what tunes stays
        session.execute(update(Proposal).values(answered_at=now() - timedelta(days=40)))
    open_ = reads.list_rounds(session, None)
    market = planning._everybody(session, open_)
    ways = [planning._pairs_of(session, market), planning._pairs(session, [r.mission_id for r in open_])]
    one, two = (
        {(m, p): (s, t) for m, p, s, t in zip(w.mission, w.profile, w.score, w.times, strict=True)} for w in ways
    )
    assert one.keys() == two.keys() != set()
    assert all(one[k] == pytest.approx(two[k], abs=2e-9) for k in one)
    assert len(profiles) == 25
