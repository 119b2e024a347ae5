"""Teams: all of a campaign's skills or nobody, capacities kept, the same again, and the best there is on tiny markets."""

import random
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koz.matching.teams import Job, Market, Offer, Seat, Teams, assemble, improve, staff, synthetic


@st.composite
def markets(draw, campaigns=4, people=6, seats=3) -> Market:
    """Small markets: one or two jobs a campaign, up to four roles each, people with room for none to two teams."""
    jobs = []
    for k in range(draw(st.integers(0, campaigns))):
        for _job in range(draw(st.integers(1, 2))):
            jobs.append(Job(k, draw(st.integers(1, 4)), draw(st.integers(1, seats))))
    room = {p: draw(st.integers(0, 2)) for p in range(draw(st.integers(0, people)))}
    offers = []
    for p, j in product(room, range(len(jobs))):
        covers = draw(st.integers(0, 15))
        if covers:
            offers.append(Offer(p, j, covers, draw(st.integers(0, 10)) / 10))
    return Market(tuple(jobs), tuple(offers), room)


def broken(market: Market, teams: Teams) -> list[str]:
    """What the teams do against the rules."""
    found = []
    covers = {(o.job, o.person): o.covers for o in market.offers}
    for campaign, team in teams.items():
        jobs = [n for n, job in enumerate(market.jobs) if job.campaign == campaign]
        for n in jobs:
            on = [seat.person for seat in team if seat.job == n]
            open_ = (1 << market.jobs[n].roles) - 1
            for person in on:
                open_ &= ~covers[n, person]
            if open_:
                found.append(f"job {n} lacks {open_:b}")
            if len(on) > market.jobs[n].seats:
                found.append(f"job {n} has {on}")
        people = [seat.person for seat in team]
        if len(people) != len(set(people)):
            found.append(f"somebody twice in {campaign}")
        if {seat.job for seat in team} - set(jobs):
            found.append("somebody elsewhere")
    for person, room in market.room.items():
        if sum(seat.person == person for team in teams.values() for seat in team) > room:
            found.append(f"{person} in too many")
    return found


@settings(max_examples=150, deadline=None)
@given(markets(), st.booleans())
def test_every_team_keeps_the_rules(market, with_solver):
    teams = assemble(market, rounds=30)
    assert broken(market, teams) == []
    if with_solver:
        better = improve(market, teams)
        assert broken(market, better) == []
        assert len(better) >= len(teams)


@settings(max_examples=50, deadline=None)
@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_the_offers_changes_nothing(market, dice):
    offers = list(market.offers)
    dice.shuffle(offers)
    shuffled = Market(market.jobs, tuple(offers), market.room)
    assert staff(market, rounds=20) == staff(shuffled, rounds=20)


def possible_teams(market: Market, campaign: int) -> list[tuple[Seat, ...]]:
    offers = [o for o in market.offers if market.jobs[o.job].campaign == campaign and market.room[o.person]]
    found = []
    for size in range(1, len(offers) + 1):
        for chosen in combinations(offers, size):
            team = tuple(Seat(o.job, o.person) for o in chosen)
            if not broken(market, {campaign: team}):
                found.append(team)
    return found


def most_by_hand(market: Market) -> int:
    """The most campaigns that can be staffed, by trying everything."""
    campaigns = sorted({job.campaign for job in market.jobs})
    choices = [[None, *possible_teams(market, k)] for k in campaigns]
    best = 0
    for picked in product(*choices):
        teams = {k: team for k, team in zip(campaigns, picked, strict=True) if team}
        if len(teams) > best and not broken(market, teams):
            best = len(teams)
    return best


@settings(max_examples=60, deadline=None)
@given(markets(campaigns=3, people=4, seats=2))
def test_tiny_markets_are_staffed_as_well_as_they_can_be(market):
    assert len(staff(market)) == most_by_hand(market)


def test_nobody_is_held_by_a_campaign_that_cannot_be_staffed():
    jobs = (Job(0, 2, 2), Job(1, 1, 1))
    offers = (Offer(7, 0, 0b01, 0.9), Offer(7, 1, 0b1, 0.2))
    assert staff(Market(jobs, offers, {7: 1})) == {1: (Seat(1, 7),)}


def test_somebody_without_room_is_in_no_team():
    market = Market((Job(0, 1, 1),), (Offer(1, 0, 1, 1.0), Offer(2, 0, 1, 0.3)), {1: 0, 2: 1})
    assert staff(market) == {0: (Seat(0, 2),)}


def test_somebody_whose_room_is_unknown_is_in_no_team():
    assert staff(Market((Job(0, 1, 1),), (Offer(1, 0, 1, 1.0),), {})) == {}


def test_whoever_fits_best_is_chosen_and_nobody_too_many():
    offers = (Offer(1, 0, 0b11, 0.4), Offer(2, 0, 0b11, 0.8), Offer(3, 0, 0b10, 0.9))
    assert staff(Market((Job(0, 2, 2),), offers, {1: 1, 2: 1, 3: 1})) == {0: (Seat(0, 2),)}


def test_one_seat_needs_somebody_who_covers_all_of_the_job():
    offers = (Offer(1, 0, 0b01, 0.9), Offer(2, 0, 0b10, 0.9))
    room = {1: 1, 2: 1}
    assert staff(Market((Job(0, 2, 1),), offers, room)) == {}
    assert staff(Market((Job(0, 2, 2),), offers, room)) == {0: (Seat(0, 1), Seat(0, 2))}


def test_two_jobs_of_a_campaign_need_two_people():
    jobs = (Job(0, 1, 1), Job(0, 1, 1))
    alone = (Offer(1, 0, 1, 0.9), Offer(1, 1, 1, 0.9))
    assert staff(Market(jobs, alone, {1: 2})) == {}
    assert staff(Market(jobs, (*alone, Offer(2, 0, 1, 0.1)), {1: 2, 2: 1})) == {0: (Seat(0, 2), Seat(1, 1))}


def test_a_market_without_anything_has_no_team():
    assert staff(Market((), (), {})) == {}


@pytest.mark.parametrize("seed", range(3))
def test_scarce_markets_are_staffed_better_than_by_a_plain_pass_and_the_same_again(seed):
    market = synthetic(seed)
    plain, teams = assemble(market, rounds=0), assemble(market)
    assert broken(market, teams) == []
    assert len(teams) > len(plain)
    assert assemble(market) == teams


def test_ten_scarce_markets_of_a_hundred_campaigns_have_two_in_five_staffed():
    found = [len(assemble(synthetic(seed))) for seed in range(10)]
    assert sum(found) / len(found) >= 40


def test_the_synthetic_market_is_what_it_says():
    market = synthetic(random.Random(5).randint(0, 99))
    assert len(market.jobs) == 100
    assert all(4 <= job.roles <= 8 for job in market.jobs)
    assert set(market.room.values()) == {1, 2}
    assert market == synthetic(random.Random(5).randint(0, 99))
