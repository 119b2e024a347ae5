"""The score of a pair: its terms add up, taking a skill away costs what was shown, nothing else plays a part."""

import dataclasses
import math
import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koz.matching.scoring import (
    ANSWER_WEIGHT,
    CAUSE_BONUS,
    SAME,
    Answers,
    Ask,
    Bid,
    Gate,
    Need,
    Path,
    TermKind,
    best,
    score,
)

CONCEPTS = st.integers(1, 12)
LEVELS = st.integers(1, 5)
WEIGHTS = st.floats(0.01, 1.0)


@st.composite
def pairs(draw):
    ids = draw(st.lists(CONCEPTS, min_size=1, max_size=6, unique=True))
    ask = Ask(
        needs=tuple(Need(i, draw(LEVELS), draw(st.booleans())) for i in ids),
        language=draw(st.sampled_from(["fr", "en"])),
        hours_per_week=draw(st.integers(1, 10)),
        remote=draw(st.booleans()),
        department=draw(st.sampled_from([None, "75", "13"])),
        cause=draw(st.sampled_from(["", "climate", "health"])),
    )
    bid = Bid(
        skills=draw(st.dictionaries(CONCEPTS, LEVELS, max_size=8)),
        languages=frozenset(draw(st.sets(st.sampled_from(["fr", "en"])))),
        hours_per_week=draw(st.integers(0, 10)),
        remote=draw(st.booleans()),
        departments=frozenset(draw(st.sets(st.sampled_from(["75", "13"])))),
        causes=frozenset(draw(st.sets(st.sampled_from(["climate", "health"])))),
    )
    ways = st.dictionaries(CONCEPTS, st.builds(Path, WEIGHTS, st.lists(CONCEPTS, max_size=2).map(tuple)), max_size=6)
    return ask, bid, {i: draw(ways) for i in ids}


def without(bid, gone):
    return dataclasses.replace(bid, skills={c: level for c, level in bid.skills.items() if c not in gone})


def random_pair(dice):
    ids = dice.sample(range(1, 13), dice.randint(1, 6))
    ask = Ask(
        needs=tuple(
            Need(i, dice.randint(1, 5), dice.random() < 0.4, dice.choice([None, dice.random() + 0.01])) for i in ids
        ),
        language=dice.choice(["fr", "en"]), hours_per_week=dice.randint(1, 10), cause=dice.choice(["", "climate"]),
    )  # fmt: skip
    skills = {i: dice.randint(1, 5) for i in dice.sample(range(1, 13), dice.randint(0, 8))}
    asked = dice.randint(0, 12)
    bid = Bid(
        skills=skills, languages=frozenset({"fr"}), hours_per_week=dice.randint(0, 10), causes=frozenset({"climate"}),
        answers=Answers(asked, dice.randint(0, asked)),
    )  # fmt: skip
    paths = {
        i: {c: Path(dice.random(), (dice.randint(1, 12),)) for c in dice.sample(range(1, 13), dice.randint(0, 6))}
        for i in ids
    }
    return ask, bid, paths


def test_ten_thousand_random_pairs_keep_what_was_shown():
    dice = random.Random(20261125)
    for _ in range(10_000):
        holds_what_was_shown(*random_pair(dice), set(dice.sample(range(1, 13), dice.randint(0, 4))))


@settings(max_examples=300, deadline=None)
@given(pairs(), st.sets(CONCEPTS, max_size=4))
def test_terms_add_up_and_taking_skills_away_costs_what_was_shown(pair, gone):
    holds_what_was_shown(*pair, gone)


def holds_what_was_shown(ask, bid, paths, gone):
    whole = score(ask, bid, paths)
    assert math.isclose(sum(t.value for t in whole.terms), whole.total, abs_tol=1e-6)
    assert -ANSWER_WEIGHT <= whole.total <= 1 + CAUSE_BONUS + 1e-9
    assert math.isclose(sum(t["value"] for t in whole.as_json()["terms"]), whole.as_json()["score"], abs_tol=1e-6)
    for skill in bid.skills:
        less = score(ask, without(bid, {skill}), paths)
        assert math.isclose(whole.total - less.total, whole.loss_without({skill}), abs_tol=1e-6)
    less = score(ask, without(bid, gone), paths)
    assert math.isclose(whole.total - less.total, whole.loss_without(gone), abs_tol=1e-6)


@settings(max_examples=200, deadline=None)
@given(pairs(), st.randoms())
def test_the_order_in_which_skills_and_needs_were_written_changes_nothing(pair, dice):
    ask, bid, paths = pair
    skills = list(bid.skills.items())
    dice.shuffle(skills)
    needs = list(ask.needs)
    dice.shuffle(needs)
    one = score(ask, bid, paths)
    other = score(dataclasses.replace(ask, needs=tuple(needs)), dataclasses.replace(bid, skills=dict(skills)), paths)
    assert math.isclose(one.total, other.total, abs_tol=1e-9)
    assert set(one.closed) == set(other.closed)
    assert {(t.need, t.met_by) for t in one.terms} == {(t.need, t.met_by) for t in other.terms}


@settings(max_examples=200, deadline=None)
@given(pairs(), CONCEPTS, LEVELS)
def test_one_more_skill_never_lowers_a_score(pair, concept, level):
    ask, bid, paths = pair
    more = dataclasses.replace(bid, skills={concept: level} | dict(bid.skills))
    assert score(ask, more, paths).total >= score(ask, bid, paths).total - 1e-9


ASK = Ask(needs=(Need(1, 4, must=True), Need(2, 2)), language="fr", hours_per_week=4, department="75", cause="climate")
BID = Bid(skills={1: 4, 2: 3}, languages=frozenset({"fr"}), hours_per_week=4, departments=frozenset({"75"}))


def test_needs_met_in_full_give_one_hundred_points_and_a_must_counts_double():
    found = score(ASK, BID, {})
    assert found.points == 100
    assert [(c.need.concept_id, round(c.value, 4)) for c in found.coverage] == [(1, 0.6667), (2, 0.3333)]
    assert found.shown
    assert not found.missing


def test_a_near_skill_meets_a_need_in_part_and_the_way_is_told():
    found = score(ASK, dataclasses.replace(BID, skills={1: 4, 9: 1}), {2: {9: Path(0.8, (5,))}})
    (term,) = [t for t in found.terms if t.need == 2]
    assert term.met_by == (9,)
    assert term.via == (5,)
    assert term.value == pytest.approx(1 / 3 * 0.8 * 0.5)


def test_a_second_skill_takes_part_of_the_weight_off_the_best_one():
    found = score(ASK, dataclasses.replace(BID, skills={1: 4, 3: 5}), {1: {3: Path(0.75)}})
    assert [(t.met_by, round(t.value, 4)) for t in found.terms] == [((1,), 0.1667), ((1, 3), 0.5)]
    assert found.missing == (Need(2, 2),)


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"languages": frozenset({"en"})}, Gate.LANGUAGE),
        ({"hours_per_week": 3}, Gate.HOURS),
        ({"departments": frozenset({"13"}), "remote": False}, Gate.PLACE),
        ({"skills": {1: 1, 2: 3}}, Gate.MUST),
        ({"skills": {2: 3}}, Gate.MUST),
    ],
)
def test_gates_close_and_the_terms_stay(change, gate):
    found = score(ASK, dataclasses.replace(BID, **change), {})
    assert found.closed == (gate,)
    assert not found.shown
    assert found.total > 0


def test_on_the_spot_or_remote_is_enough_when_both_are_possible():
    for ask_remote, bid_remote, department, open_ in [
        (True, True, "13", True), (True, False, "75", True), (False, True, "75", True),
        (False, True, "13", False), (True, False, "13", False),
    ]:  # fmt: skip
        ask = dataclasses.replace(ASK, remote=ask_remote)
        bid = dataclasses.replace(BID, remote=bid_remote, departments=frozenset({department}))
        assert (Gate.PLACE not in score(ask, bid, {}).closed) is open_


def test_a_shared_cause_is_a_small_term_of_its_own():
    found = score(ASK, dataclasses.replace(BID, causes=frozenset({"climate"})), {})
    assert found.terms[-1].need is None
    assert found.total == pytest.approx(1 + CAUSE_BONUS)


def test_a_cause_alone_shows_nobody():
    ask = dataclasses.replace(ASK, needs=(Need(1, 4),))
    found = score(ask, dataclasses.replace(BID, skills={}, causes=frozenset({"climate"})), {})
    assert found.closed == (Gate.FIT,)


def test_ties_fall_in_the_order_of_ids_and_closed_matches_are_left_out():
    same, less = score(ASK, BID, {}), score(ASK, dataclasses.replace(BID, skills={1: 4}), {})
    closed = score(ASK, dataclasses.replace(BID, hours_per_week=0), {})
    ranked = best([(7, same), (3, less), (2, same), (1, closed)], 10, key=lambda x: x)
    assert [item for item, _score in ranked] == [2, 7, 3]
    assert best([(7, same), (2, same)], 1, key=lambda x: x)[0][0] == 2


def test_answers_take_off_only_what_was_left_unanswered():
    assert Answers().loss == Answers(9, 9).loss == 0
    assert Answers(1, 0).loss == pytest.approx(0.01)
    assert Answers(4, 2).loss == pytest.approx(0.0125)
    assert Answers(10_000, 0).loss < ANSWER_WEIGHT
    found = score(ASK, dataclasses.replace(BID, answers=Answers(4, 0)), {})
    assert (found.terms[-1].kind, found.terms[-1].value) == (TermKind.ANSWERS, pytest.approx(-0.025))
    assert found.total == pytest.approx(0.975)
    assert found.shown


@pytest.mark.parametrize(
    ("mission", "person", "open_"),
    [
        ((None, None), (1, 2), True), ((3, 9), (None, None), True), ((3, 9), (3, 9), True), ((3, 9), (4, None), False),
        ((3, 9), (None, 8), False), ((3, None), (None, 2), False), ((3, None), (4, None), False),
        ((3, None), (1, 3), True), ((None, 9), (10, None), False), ((None, 9), (5, 9), True),
        ((None, 9), (None, 8), False),
    ],
)  # fmt: skip
def test_one_must_be_there_from_the_first_day_to_the_last(mission, person, open_):
    def day(n):
        return n and date(2027, 1, n)

    ask = dataclasses.replace(ASK, starts_on=day(mission[0]), ends_on=day(mission[1]))
    bid = dataclasses.replace(BID, available_from=day(person[0]), available_until=day(person[1]))
    assert (Gate.DATES not in score(ask, bid, {}).closed) is open_


def test_nothing_but_skills_hours_places_languages_and_causes_goes_in():
    assert {f.name for f in dataclasses.fields(Bid)} == {
        "skills", "languages", "hours_per_week", "remote", "departments", "causes", "available_from", "available_until",
        "answers",
    }  # fmt: skip
    assert SAME.weight == 1
