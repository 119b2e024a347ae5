"""Votes: one per person, the last one counts, withdrawn ones are gone, tallies are always the rows."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from koz.consultations import queries, services
from koz.consultations.models import Amendment, Argument, ArgumentVote, Contribution, ContributionVote
from koz.consultations.states import Choice, Side
from koz.core.clock import now
from koz.core.db import db, unit_of_work
from koz.core.errors import Conflict, NotAllowed, NotFound
from tests.factories.accounts import make_person
from tests.factories.consultations import (
    cast_votes,
    make_amendment,
    make_argument,
    make_consultation,
    make_contribution,
)


def tally(row):
    return row.agree, row.mixed, row.disagree


def fresh(session, row):
    session.refresh(row)
    return row


@pytest.fixture
def scene(session):
    """A contribution with an amendment and an argument."""
    consultation = make_consultation(session)
    contribution = make_contribution(session, consultation)
    return consultation, contribution, make_amendment(session, contribution), make_argument(session, contribution)


def test_the_last_vote_counts_and_a_withdrawn_one_is_gone(session, scene):
    consultation, contribution, _amendment, _argument = scene
    person = make_person(session)
    seen = []
    for choice in [Choice.AGREE, Choice.DISAGREE, Choice.DISAGREE, Choice.MIXED, None, None, Choice.AGREE]:
        services.vote_on_contribution(session, consultation.id, contribution.id, person.id, choice)
        seen.append(tally(fresh(session, contribution)))
    assert seen == [(1, 0, 0), (0, 0, 1), (0, 0, 1), (0, 1, 0), (0, 0, 0), (0, 0, 0), (1, 0, 0)]
    voice = queries.get_contribution(session, consultation.id, contribution.id, person.id)
    assert voice.vote is Choice.AGREE


def test_useful_counts_once_and_can_be_taken_back(session, scene):
    consultation, _contribution, _amendment, argument = scene
    person = make_person(session)
    seen = []
    for useful in [True, True, False, False, True]:
        services.vote_useful(session, consultation.id, argument.id, person.id, useful=useful)
        seen.append(fresh(session, argument).useful)
    assert seen == [1, 1, 0, 0, 1]


STEPS = st.lists(
    st.tuples(st.sampled_from(["contribution", "amendment", "argument"]), st.integers(0, 2), st.sampled_from([None, *Choice])),
    max_size=25,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_after_any_sequence_the_tally_is_the_recount_and_nobody_counts_twice(session, scene, steps):
    consultation, contribution, amendment, argument = scene
    people = [make_person(session) for _ in range(3)]
    last = {}
    for what, who, choice in steps:
        person = people[who].id
        if what == "contribution":
            services.vote_on_contribution(session, consultation.id, contribution.id, person, choice)
        elif what == "amendment":
            services.vote_on_amendment(session, consultation.id, amendment.id, person, choice)
        else:
            services.vote_useful(session, consultation.id, argument.id, person, useful=choice is not None)
        last[what, who] = choice
    assert queries.list_mismatches(session) == []
    mine = {k: v for k, v in last.items() if v is not None}
    here = select(func.count()).where(ContributionVote.person_id.in_([p.id for p in people]))
    assert session.scalar(here) == sum(k[0] == "contribution" for k in mine)
    for person_index, person in enumerate(people):
        assert (person.id in queries.participant_ids(session, consultation.id)) == any(
            k[1] == person_index for k in mine
        )


def test_votes_need_a_proved_address_an_open_consultation_and_a_thing_of_it(session, scene):
    consultation, contribution, amendment, argument = scene
    other = make_consultation(session)
    person, unproved = make_person(session), make_person(session, verified=False)
    with pytest.raises(NotAllowed):
        services.vote_on_contribution(session, consultation.id, contribution.id, unproved.id, Choice.AGREE)
    for call in (
        lambda: services.vote_on_contribution(session, other.id, contribution.id, person.id, Choice.AGREE),
        lambda: services.vote_on_amendment(session, other.id, amendment.id, person.id, Choice.AGREE),
        lambda: services.vote_useful(session, other.id, argument.id, person.id, useful=True),
    ):
        with pytest.raises(NotFound):
            call()
    consultation.opens_at, consultation.closes_at = now() - timedelta(days=2), now() - timedelta(seconds=1)
    session.flush()
    with pytest.raises(Conflict):
        services.vote_on_contribution(session, consultation.id, contribution.id, person.id, Choice.AGREE)
    assert tally(fresh(session, contribution)) == (0, 0, 0)


def test_the_recount_sees_a_tally_that_is_wrong(session, scene):
    _consultation, contribution, amendment, argument = scene
    assert queries.list_mismatches(session) == []
    session.execute(update(Contribution).values(agree=7, sourced_arguments=3))
    session.execute(update(Amendment).values(disagree=1))
    session.execute(update(Argument).values(useful=2, sources=1))
    found = {(m.table, m.id, m.column, m.kept, m.counted) for m in queries.list_mismatches(session)}
    assert found == {
        ("contributions", contribution.id, "agree", 7, 0),
        ("contributions", contribution.id, "sourced_arguments", 3, 0),
        ("amendments", amendment.id, "disagree", 1, 0),
        ("arguments", argument.id, "useful", 2, 0),
        ("arguments", argument.id, "sources", 1, 0),
    }


@pytest.fixture
def racing(committed_app):
    """Ids of a contribution, an amendment, an argument, and forty people, committed."""
    with unit_of_work() as session:
        consultation = make_consultation(session)
        contribution = make_contribution(session, consultation)
        amendment = make_amendment(session, contribution)
        argument = make_argument(session, contribution)
        people = [make_person(session).id for _ in range(40)]
        return consultation.id, contribution.id, amendment.id, argument.id, people


def at_once(app, work, jobs):
    def run(item):
        with app.app_context():
            with unit_of_work() as session:
                work(session, item)
            db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, jobs))


def test_many_people_and_the_same_person_many_times_at_once(committed_app, racing):
    consultation_id, contribution_id, amendment_id, argument_id, people = racing
    chance = random.Random(7)
    jobs = [(p, c) for p in people for c in (Choice.AGREE, Choice.MIXED, Choice.DISAGREE)]
    jobs += [(people[0], chance.choice([None, *Choice])) for _ in range(60)]
    chance.shuffle(jobs)

    def work(session, job):
        person, choice = job
        services.vote_on_contribution(session, consultation_id, contribution_id, person, choice)
        services.vote_on_amendment(session, consultation_id, amendment_id, person, choice)
        services.vote_useful(session, consultation_id, argument_id, person, useful=True)

    at_once(committed_app, work, jobs)
    with unit_of_work() as session:
        assert queries.list_mismatches(session) == []
        rows = session.execute(
            select(ContributionVote.person_id, func.count()).group_by(ContributionVote.person_id)
        ).all()
        assert {n for _p, n in rows} == {1}
        assert {p for p, _n in rows} >= set(people[1:])
        assert session.get_one(Argument, argument_id).useful == len(people)
        assert session.scalar(select(func.count()).select_from(ArgumentVote)) == len(people)
        contribution = session.get_one(Contribution, contribution_id)
        assert sum(tally(contribution)) == len(rows)


def test_arguments_sources_and_amendments_written_at_once_are_all_counted(committed_app, racing):
    _consultation_id, contribution_id, _amendment_id, _argument_id, people = racing

    def work(session, n):
        contribution = session.get_one(Contribution, contribution_id)
        person = session.get_one(services.writing.Person, people[n])
        if n % 3 == 0:
            make_amendment(session, contribution, person)
        else:
            side = Side.FOR if n % 2 else Side.AGAINST
            make_argument(session, contribution, side, sourced=n % 4 == 0, person=person)

    at_once(committed_app, work, range(len(people)))
    with unit_of_work() as session:
        assert queries.list_mismatches(session) == []
        contribution = session.get_one(Contribution, contribution_id)
        assert contribution.amendments == 1 + 14
        assert contribution.arguments_for + contribution.arguments_against == 1 + 26


def test_closing_waits_for_votes_under_way(committed_app, racing):
    """A vote that began in time is in before the event; afterwards none comes."""
    consultation_id, _contribution_id, _amendment_id, _argument_id, _people = racing
    with db.engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT id FROM consultations FOR KEY SHARE"))
        with unit_of_work() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                services.close(session, consultation_id)
            session.rollback()


def test_votes_are_the_same_with_and_without_many_others(session, scene):
    consultation, contribution, _amendment, _argument = scene
    cast_votes(session, contribution, *[Choice.AGREE] * 5, Choice.MIXED, *[Choice.DISAGREE] * 2)
    assert tally(fresh(session, contribution)) == (5, 1, 2)
    results = queries.results(session, consultation.id)
    assert (results.total.agree, results.total.mixed, results.total.disagree) == (5, 1, 2)
