"""Calendar files, read back by the library's own parser: whole days, one UID, a sequence that only grows."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from koz.core.clock import now, today
from koz.matching.calendar import Period, calendar_file, lasting
from koz.matching.services import diary, engaging
from koz.matching.states import EngagementState
from koz.skills.services import missions
from koz.skills.services.missions import Scope
from tests.factories.engagements import make_pair

E = EngagementState


def event_of(content):
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return event


def fetch(client, url):
    answer = client.open(url)
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    return event_of(answer.data)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=200),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=2000),
    st.integers(0, 10_000),
)
def test_any_text_reads_back(title, text, sequence):
    period = Period(
        uid="engagement-1@koz", sequence=sequence, title=title, text=text + "\nline", url="https://koz.test/e/1",
        starts_on=date(2026, 10, 20), ends_on=date(2026, 10, 31), made_at=datetime(2026, 10, 1, tzinfo=UTC),
        cancelled=False, lang="fr",
    )  # fmt: skip
    content = calendar_file(period)
    assert all(len(line) <= 75 for line in content.split(b"\r\n")), "lines are folded"
    event = event_of(content)
    assert str(event["summary"]) == title
    assert str(event["description"]) == text + "\nline"
    assert int(event["sequence"]) == sequence


def test_days_are_whole_and_the_last_one_is_in():
    """Over the end of summer time, where hours would be wrong by one."""
    period = Period(
        uid="engagement-1@koz", sequence=0, title="t", text="x", url="https://koz.test/e/1",
        starts_on=date(2026, 10, 20), ends_on=date(2026, 10, 31), made_at=datetime(2026, 10, 1, tzinfo=UTC),
        cancelled=False, lang="fr",
    )  # fmt: skip
    event = event_of(calendar_file(period))
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (date(2026, 10, 20), date(2026, 11, 1))
    assert event.decoded("dtstamp") == datetime(2026, 10, 1, tzinfo=UTC)
    assert event["transp"] == "TRANSPARENT"


@pytest.mark.parametrize(
    ("ends", "total", "a_week", "last"),
    [
        (None, 12, 3, date(2026, 1, 28)), (None, 1, 5, date(2026, 1, 7)), (None, 7, 3, date(2026, 1, 21)),
        (date(2026, 2, 1), 12, 3, date(2026, 2, 1)), (date(2025, 12, 1), 12, 3, date(2026, 1, 1)),
    ],
)  # fmt: skip
def test_without_an_end_it_lasts_as_many_weeks_as_the_hours_need(ends, total, a_week, last):
    assert lasting(date(2026, 1, 1), ends, total, a_week) == (date(2026, 1, 1), last)


def test_the_file_of_an_engagement_follows_its_changes(session, client, enter):
    day = today()
    pair = make_pair(session, starts_on=day + timedelta(days=5), ends_on=day + timedelta(days=30))
    enter(pair.person)
    url = f"/engagements/{pair.engagement.id}/calendar.ics"
    first = fetch(client, url)
    assert first.decoded("dtstart") == day + timedelta(days=5)
    assert first.decoded("dtend") == day + timedelta(days=31)
    assert str(first["summary"]) == pair.mission.title
    assert "3 heures par semaine au plus" in str(first["description"]).replace("\u00a0", " ")
    assert str(first["url"]).endswith(f"/engagements/{pair.engagement.id}")
    mission = pair.mission
    scope = Scope(
        title=mission.title, deliverable=mission.deliverable, done_criteria=mission.done_criteria,
        hours_total=mission.hours_total, hours_per_week=mission.hours_per_week, starts_on=mission.starts_on,
        ends_on=day + timedelta(days=50),
    )  # fmt: skip
    missions.edit_mission(session, pair.owner, mission.id, scope)
    session.flush()
    second = fetch(client, url)
    missions.edit_mission(session, pair.owner, mission.id, scope)
    session.flush()
    same = fetch(client, url)
    engaging.advance(session, pair.pro, pair.engagement.id, E.CANCELLED)
    session.flush()
    third = fetch(client, url)
    assert first["uid"] == second["uid"] == third["uid"]
    assert int(first["sequence"]) < int(second["sequence"]) == int(same["sequence"]) < int(third["sequence"])
    assert second.decoded("dtend") == day + timedelta(days=51)
    assert (second["status"], third["status"]) == ("CONFIRMED", "CANCELLED")


def test_the_mail_brings_an_address_that_needs_no_log_in_and_names_nobody(session, client, letters):
    pair = make_pair(session)
    pair.person.locale = "en"
    session.commit()
    letters_ = {x.to_email: x for x in letters()}
    path = re.search(r"(/calendar/\S+\.ics)", letters_[pair.person.email].text)[1]
    answer = client.open(path)
    event = event_of(answer.data)
    assert "at most 3 hours a week" in str(event["description"])
    for secret in (pair.person.name, pair.person.email, pair.member.name, pair.member.email):
        assert secret.encode() not in answer.data
    client.get("/calendar/nonsense.ics", status=404)


def test_strangers_have_no_file(session, client, enter):
    pair, other = make_pair(session), make_pair(session)
    enter(other.person)
    client.get(f"/engagements/{pair.engagement.id}/calendar.ics", status=404)


def test_work_that_began_late_begins_then_and_ends_with_the_delivery(session):
    pair = make_pair(session, E.RUNNING, starts_on=today() - timedelta(days=20))
    row = diary.queries.get_engagement(session, pair.engagement.id)
    assert diary.period_of(row).starts_on == today()
    pair.engagement.delivered_at = now() + timedelta(days=3)
    assert diary.period_of(row).ends_on == today() + timedelta(days=3)
