"""The tables of steps, and what follows from a date alone."""

from datetime import date, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from koz.answers.states import (
    COMMITMENT_STEPS,
    REQUEST_STEPS,
    CommitmentState,
    Progress,
    RequestState,
    Standing,
    due_date,
    may_move,
    may_step,
    progress,
    standing,
)

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def test_every_pair_of_states_is_decided():
    assert set(REQUEST_STEPS) == set(RequestState)
    assert set(COMMITMENT_STEPS) == set(CommitmentState)
    steps = {(a.value, b.value) for a, b in product(RequestState, RequestState) if may_step(a, b)}
    assert steps == {
        ("asked", "accepted"), ("asked", "answered"), ("asked", "withdrawn"),
        ("accepted", "answered"), ("accepted", "withdrawn"),
    }  # fmt: skip
    moves = {(a.value, b.value) for a, b in product(CommitmentState, CommitmentState) if may_move(a, b)}
    assert moves == {
        ("announced", "under_way"), ("announced", "kept"), ("announced", "dropped"),
        ("under_way", "kept"), ("under_way", "dropped"),
    }  # fmt: skip


@given(DAYS, DAYS, st.sampled_from(RequestState))
def test_silence_is_a_matter_of_the_day_and_of_open_requests_only(due_on, day, state):
    stands = standing(state, due_on, day)
    silent = state in {RequestState.ASKED, RequestState.ACCEPTED} and day > due_on
    assert (stands is Standing.OVERDUE) == silent
    assert standing(state, None, day) is not Standing.OVERDUE


@given(DAYS, DAYS, st.sampled_from(CommitmentState))
def test_a_commitment_is_late_after_its_day_unless_it_ended(due_on, day, state):
    is_late = progress(state, due_on, day) is Progress.LATE
    assert is_late == (day > due_on and state in {CommitmentState.ANNOUNCED, CommitmentState.UNDER_WAY})


def test_the_last_day_counts_in_full():
    due = due_date(date(2026, 1, 1), 60)
    assert due == date(2026, 3, 2)
    assert standing(RequestState.ASKED, due, due) is Standing.WAITING
    assert standing(RequestState.ASKED, due, due + timedelta(days=1)) is Standing.OVERDUE
