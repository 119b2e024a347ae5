"""An engagement as a calendar file (RFC 5545): one event that lasts from its first to its last day.

Pure. The event takes whole days, which are the same in every time zone, and does not block them: the work fits in where
it fits. Its UID never changes and its SEQUENCE only grows, so that a calendar which has the file already moves the
event instead of showing two.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from icalendar import Calendar, Event, vUri


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a calendar shows of an engagement. `starts_on` and `ends_on` are both days of it."""

    uid: str
    sequence: int
    title: str
    text: str
    url: str
    starts_on: date
    ends_on: date
    made_at: datetime
    cancelled: bool
    lang: str


def lasting(starts_on: date, ends_on: date | None, hours_total: int, hours_per_week: int) -> tuple[date, date]:
    """First and last day: without an end, as many whole weeks as the hours need; never an end before the start."""
    weeks = ceil(hours_total / hours_per_week)
    last = ends_on or starts_on + timedelta(days=7 * weeks - 1)
    return starts_on, max(starts_on, last)


def calendar_file(period: Period) -> bytes:
    """The file, as `text/calendar`."""
    calendar = Calendar()
    calendar.add("prodid", f"-//Koz//Engagements//{period.lang.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    event = Event()
    event.add("uid", period.uid)
    event.add("sequence", period.sequence)
    event.add("dtstamp", period.made_at)
    event.add("dtstart", period.starts_on)
    event.add("dtend", period.ends_on + timedelta(days=1))
    event.add("summary", period.title, {"LANGUAGE": period.lang})
    event.add("description", period.text, {"LANGUAGE": period.lang})
    event.add("url", vUri(period.url))
    event.add("status", "CANCELLED" if period.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
