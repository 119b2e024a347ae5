"""The log of an engagement: who writes, what counts, that hours are confirmed as a whole and can be corrected."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from koz.core.clock import now, today
from koz.core.errors import Conflict, Invalid, NotFound
from koz.matching import queries
from koz.matching.forms import read_minutes
from koz.matching.models import TimeEntry
from koz.matching.queries import keeping
from koz.matching.services import engaging, timekeeping
from koz.matching.services.timekeeping import Worked, whole_hours
from koz.matching.states import EngagementState
from tests.factories.engagements import make_pair

E = EngagementState


@pytest.fixture
def pair(session):
    return make_pair(session, E.RUNNING)


def worked(minutes=90, what="Plan du dossier", on=None):
    return Worked(worked_on=on or today(), minutes=minutes, what=what)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("2", 120), ("2,5", 150), ("2.25", 135), ("2h30", 150), ("2 h 30", 150), ("2:05", 125), ("45 min", 45),
        ("1 h", 60), ("1h30min", 90), ("  3  heures ", 180), ("0,1", 6), ("", None), ("-2", None), ("2h75", None),
        ("deux", None), ("1e3", None), ("2,555", None), ("²", None), ("1h30h", None),
    ],
)  # fmt: skip
def test_times_are_read_as_people_write_them(typed, minutes):
    assert read_minutes(typed) == minutes


@given(st.integers(0, 23), st.integers(0, 59))
def test_any_clock_time_reads_back(hours, minutes):
    assert read_minutes(f"{hours}h{minutes:02d}") == 60 * hours + minutes == read_minutes(f"{hours}:{minutes:02d}")


@given(st.integers(1, 240_000))
def test_whole_hours_are_within_half_an_hour_and_never_none(minutes):
    assert whole_hours(minutes) >= 1
    assert abs(60 * whole_hours(minutes) - minutes) <= 30 or minutes < 30


def test_the_log_makes_the_hours_of_the_delivery(session, pair):
    for minutes in (90, 120, 45):
        timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(minutes))
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED)
    assert pair.engagement.hours_given == 4
    assert queries.sum_hours_given(session) == 0
    engaging.advance(session, pair.owner, pair.engagement.id, E.CLOSED)
    assert queries.sum_hours_given(session) == 4
    assert pair.engagement.confirmed_by == pair.member.id


def test_a_note_takes_the_place_of_a_sum(session, pair):
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED, 9)
    engaging.advance(session, pair.owner, pair.engagement.id, E.RUNNING)
    timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(180))
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED)
    assert pair.engagement.hours_given == 3
    assert [e.minutes for e in keeping.list_log(session, pair.engagement.id)] == [180]


def test_only_the_professional_writes_and_only_while_it_is_under_way(session, pair):
    with pytest.raises(NotFound):
        timekeeping.add_entry(session, pair.owner, pair.engagement.id, worked())
    entry = timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked())
    other = make_pair(session, E.RUNNING)
    assert not timekeeping.drop_entry(session, other.pro, other.engagement.id, entry.id)
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED)
    with pytest.raises(Conflict):
        timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked())
    with pytest.raises(Conflict):
        timekeeping.drop_entry(session, pair.pro, pair.engagement.id, entry.id)
    engaging.advance(session, pair.owner, pair.engagement.id, E.RUNNING)
    assert timekeeping.drop_entry(session, pair.pro, pair.engagement.id, entry.id)
    assert not timekeeping.drop_entry(session, pair.pro, pair.engagement.id, entry.id)


@pytest.mark.parametrize("day", [date(2020, 1, 1), today() + timedelta(days=1)])
def test_days_lie_between_the_agreement_and_today(session, pair, day):
    with pytest.raises(Invalid):
        timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(on=day))


def test_a_day_has_24_hours_and_a_log_an_end(session, pair, monkeypatch):
    timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(1400))
    with pytest.raises(Invalid):
        timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(41))
    for minutes, what in ((0, "x"), (1441, "x"), (10, "")):
        with pytest.raises(Invalid):
            timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(minutes, what))
    monkeypatch.setattr(timekeeping, "MAX_ENTRIES", 1)
    with pytest.raises(Conflict):
        timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(1))


def test_what_was_confirmed_can_be_corrected_for_some_weeks(session, letters):
    pair = make_pair(session, E.CLOSED, hours=50)
    session.commit()
    letters()
    with pytest.raises(Conflict):
        engaging.advance(session, pair.pro, pair.engagement.id, E.RUNNING)
    engaging.advance(session, pair.owner, pair.engagement.id, E.RUNNING)
    session.commit()
    assert queries.sum_hours_given(session) == 0
    assert [x.to_email for x in letters()] == [pair.person.email]
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED, 5)
    session.commit()
    assert [x.to_email for x in letters()] == [pair.member.email], "told again, though once before"
    engaging.advance(session, pair.owner, pair.engagement.id, E.CLOSED)
    assert queries.sum_hours_given(session) == 5
    pair.engagement.closed_at = now() - timedelta(days=31)
    assert engaging.steps_now(pair.engagement, queries.Side.ORGANISATION) == ()
    with pytest.raises(Conflict):
        engaging.advance(session, pair.owner, pair.engagement.id, E.RUNNING)


# The page -------------------------------------------------------------------------------------------------------------


def test_both_see_the_log_and_typing_is_kept(session, client, enter, pair):
    url = f"/engagements/{pair.engagement.id}"
    enter(pair.person)
    page = client.post(f"{url}/log", {"worked_on": "hier", "minutes": "beaucoup", "what": "Relecture"}, status=422)
    assert (page.field("worked_on"), page.field("minutes"), page.field("what")) == ("hier", "beaucoup", "Relecture")
    assert "Indiquez une durée" in page.text
    client.post(f"{url}/log", {"worked_on": today().isoformat(), "minutes": "1h30", "what": "Relecture <b>"})
    page = client.get(url)
    assert "Relecture <b>" in page.text
    assert "1 h 30" in page.text
    entry = session.scalars(select(TimeEntry)).one()
    enter(pair.member)
    page = client.get(url)
    assert "Relecture <b>" in page.text
    assert not [f for f in page.all("form") if "/log" in f.get("action", "")]
    client.post(f"{url}/log/{entry.id}/drop", status=404)
    enter(pair.person)
    client.post(f"{url}/log/{entry.id}/drop")
    assert "Relecture" not in client.get(url).text


def test_with_a_log_the_delivery_asks_for_no_sum(session, client, enter, pair):
    enter(pair.person)
    url = f"/engagements/{pair.engagement.id}"
    assert client.get(url).all("input", name="hours")
    timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked(150))
    page = client.get(url)
    assert not page.all("input", name="hours")
    client.post(f"{url}/delivered")
    session.refresh(pair.engagement)
    assert (pair.engagement.state, pair.engagement.hours_given) == (E.DELIVERED, 3)
    enter(pair.member)
    client.post(f"{url}/closed")
    page = client.get(url)
    assert "Faire corriger" in page.text
    client.post(f"{url}/running")
    session.refresh(pair.engagement)
    assert pair.engagement.state is E.RUNNING
