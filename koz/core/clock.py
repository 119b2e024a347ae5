"""The one place that asks for the time. Times are aware and in UTC; dates are those of Paris."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The calendar day in Paris: deadlines end there at midnight."""
    return datetime.now(PARIS).date()


def end_of_day(day: date) -> datetime:
    """The moment, in UTC, at which `day` is over in Paris."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=PARIS).astimezone(UTC)
