"""The arithmetic of votes."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Float, cast, func, literal, select

from koz.consultations.states import Choice
from koz.consultations.tally import change, share, surely

CHOICES = [None, *Choice]


@pytest.mark.parametrize(("old", "new"), list(product(CHOICES, CHOICES)))
def test_a_change_moves_the_tally_from_the_old_vote_to_the_new(old, new):
    counts = Counter({old: 1}) if old else Counter()
    for choice, step in change(old, new).items():
        counts[choice] += step
    assert +counts == (Counter({new: 1}) if new else Counter())


@given(st.integers(0, 500), st.integers(1, 500))
def test_what_votes_make_sure_of_is_less_than_their_share_and_grows_with_them(part, total):
    part = min(part, total)
    low = surely(float(part), float(total))
    assert -1e-12 <= low <= part / total + 1e-12
    assert surely(10.0 * part, 10.0 * total) >= low - 1e-12


def test_a_few_friends_do_not_outrank_a_crowd():
    assert surely(3.0, 3.0) < surely(90.0, 100.0)


def test_wilson_by_a_known_value():
    # 8 of 10 at z = 1.2816, by hand: (0.8 + 0.082125 - 0.181726) / 1.16425
    assert surely(8.0, 10.0) == pytest.approx(0.60159, abs=5e-5)


def test_the_database_computes_the_same(session):
    for part, total in [(0, 1), (1, 1), (3, 7), (90, 100), (4099, 5000)]:
        here = cast(literal(part), Float), cast(literal(total), Float)
        assert session.scalar(select(surely(*here, func.sqrt))) == pytest.approx(surely(float(part), float(total)))


def test_a_share_of_nothing_is_nothing():
    assert (share(0, 0), share(1, 4)) == (0.0, 0.25)
