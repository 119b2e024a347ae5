"""The log of an engagement: days and minutes, noted by the professional, confirmed by the organisation as a whole.

Both read it all the time; only the professional writes, while the work is under way. With the delivery it stands still
and its hours, rounded to whole ones, become those of the engagement.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from koz.core.access import Actor
from koz.core.clock import PARIS, now, today
from koz.core.errors import Conflict, Invalid, NotFound
from koz.core.i18n import _
from koz.matching import queries
from koz.matching.models import Engagement, TimeEntry
from koz.matching.queries import keeping
from koz.matching.states import EngagementState, Side

MAX_HOURS: Final = 4000
MAX_ENTRIES: Final = 400
DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Time given on a day."""

    worked_on: date
    minutes: int
    what: str


def add_entry(session: Session, actor: Actor, engagement_id: int, worked: Worked) -> TimeEntry:
    """Note time given; the first note takes the place of a sum told before. Raises NotFound, Conflict, Invalid."""
    engagement = _claim(session, actor, engagement_id)
    first = engagement.accepted_at.astimezone(PARIS).date()
    if not first <= worked.worked_on <= today():
        raise Invalid(_("Enter a day between your agreement and today."))
    if not 1 <= worked.minutes <= DAY_MINUTES or not worked.what:
        raise Invalid(_("Tell how long you worked that day, and at what."))
    _drop_sum(session, engagement.id)
    entries = keeping.list_log(session, engagement.id)
    if len(entries) >= MAX_ENTRIES:
        raise Conflict(_("This log has %(n)s lines, which is the most. Put several days into one.", n=MAX_ENTRIES))
    if sum(e.minutes for e in entries if e.worked_on == worked.worked_on) + worked.minutes > DAY_MINUTES:
        raise Invalid(_("That makes more than 24 hours on this day. Correct the hours or the day."))
    entry = TimeEntry(engagement_id=engagement.id, worked_on=worked.worked_on, minutes=worked.minutes, what=worked.what)
    session.add(entry)
    session.flush()
    return entry


def drop_entry(session: Session, actor: Actor, engagement_id: int, entry_id: int) -> bool:
    """Take a line out; False when it is gone already. Raises NotFound, Conflict."""
    engagement = _claim(session, actor, engagement_id)
    gone = delete(TimeEntry).where(TimeEntry.id == entry_id, TimeEntry.engagement_id == engagement.id)
    return session.scalar(gone.returning(TimeEntry.id)) is not None


def settle(session: Session, engagement: Engagement, hours: int | None) -> int:
    """The hours of a delivery, whole ones: those of the log, or the sum told by somebody who kept none. Raises Invalid.

    The engagement is locked. A sum becomes the one line of the log.
    """
    noted = select(func.sum(TimeEntry.minutes)).where(TimeEntry.engagement_id == engagement.id, TimeEntry.what != "")
    minutes = session.scalar(noted)
    if minutes is None:
        if hours is None or not 1 <= hours <= MAX_HOURS:
            raise Invalid(_("Tell how many hours you gave, from 1 to %(max)s.", max=MAX_HOURS))
        _drop_sum(session, engagement.id)
        session.add(TimeEntry(engagement_id=engagement.id, worked_on=today(), minutes=60 * hours, what=""))
        return hours
    if minutes > 60 * MAX_HOURS:
        raise Invalid(_("Tell how many hours you gave, from 1 to %(max)s.", max=MAX_HOURS))
    return whole_hours(minutes)


def whole_hours(minutes: int) -> int:
    """Minutes as whole hours, half an hour counting as one; no work given is less than one."""
    return max(1, (minutes + 30) // 60)


def forget_words(session: Session, person_id: int) -> None:
    """At an erasure the words of the log go; days and minutes stay, for the organisation's accounts."""
    own = select(Engagement.id).where(Engagement.person_id == person_id)
    statement = update(TimeEntry).where(TimeEntry.engagement_id.in_(own)).values(what="")
    session.execute(statement.execution_options(synchronize_session=False))


def _drop_sum(session: Session, engagement_id: int) -> None:
    session.execute(delete(TimeEntry).where(TimeEntry.engagement_id == engagement_id, TimeEntry.what == ""))


def _claim(session: Session, actor: Actor, engagement_id: int) -> Engagement:
    """The engagement under way, locked, for its professional."""
    row, side = queries.get_engagement_for(session, actor, engagement_id)
    if side is not Side.PROFESSIONAL:
        raise NotFound(_("Only the professional writes this log."))
    engagement = queries.lock_engagement(session, row.engagement.id)
    if engagement.state is not EngagementState.RUNNING:
        raise Conflict(_("The log can be changed while the work is under way, and no more once it is delivered."))
    assert now() >= engagement.accepted_at
    return engagement
