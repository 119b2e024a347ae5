"""Hours given for budget lines: what they replace of the sum to raise, counted from rows, under the campaign's lock.

An hour is worth what the line says: its minimum divided by its hours. Rule of rounding: all hours of a line together
replace `minimum × given // hours`, rounded down, so that never less money is asked for than is needed; never more than
the minimum, and exactly the minimum once all hours are given. The rows of a line share that sum by largest remainder,
so that they add up to it to the cent.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from koz.campaigns import queries
from koz.campaigns.models import BudgetLine, Campaign, HoursGiven
from koz.campaigns.services.totals import add_timeline, fund_if_reached
from koz.campaigns.states import IN_HOURS, LineKind
from koz.core.clock import now
from koz.core.money import Money

#: No hour replaces more than this: a slip of the keyboard must not make a campaign look funded.
HOUR_MAX: Final = Money(300_00)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Work that somebody agreed to do for a budget line; `key` once and for ever, `href` and `title` of the work.

    `hours_total` are those of the whole work, shared by its `seats`.
    """

    key: str
    campaign_id: int
    budget_line_id: int
    title: str
    href: str
    hours_total: int
    seats: int = 1


def value_of(minimum_minor: int, hours: int, given: int) -> int:
    """What `given` of a line's hours replace of its minimum, in minor units. 0 for a line without hours or minimum."""
    return minimum_minor * min(given, hours) // hours if hours else 0


def count_hours(session: Session, given: Given, *, active: bool) -> bool:
    """Make the hours count, or no more; False when nothing changed (a replay, a line that takes no hours).

    Locks the campaign. If nothing is left to raise then, the campaign is funded; hours taken back never un-fund it.
    """
    campaign = queries.lock(session, given.campaign_id)
    line = session.get(BudgetLine, given.budget_line_id, populate_existing=True)
    if line is None or line.campaign_id != campaign.id or line.kind not in IN_HOURS:
        return False
    row = session.scalar(
        select(HoursGiven).where(HoursGiven.key == given.key).execution_options(populate_existing=True)
    )
    if (row is not None and row.active) is active:
        return False
    before = campaign.skills_minor
    if row is None:
        row = HoursGiven(
            campaign_id=campaign.id, budget_line_id=line.id, key=given.key, title=given.title, href=given.href,
            hours=_free_share(session, given), minor=0, given_at=now(),
        )  # fmt: skip
        session.add(row)
    row.active, row.minor, row.ended_at = active, 0, None if active else now()
    session.flush()
    _add_up(session, campaign, line)
    campaign.version += 1
    if campaign.skills_minor != before:
        _tell(session, campaign, line, row, campaign.skills_minor - before)
    fund_if_reached(session, campaign)
    return True


def _free_share(session: Session, given: Given) -> int:
    """Hours of one seat: the work's hours split over its seats, the first share that no other seat holds.

    Seats together never count for more than the work's hours, also when the work was changed meanwhile.
    """
    shares = [share.minor for share in Money(given.hours_total).split([1] * max(given.seats, 1))]
    held = session.scalars(
        select(HoursGiven.hours).where(
            HoursGiven.campaign_id == given.campaign_id, HoursGiven.href == given.href, HoursGiven.active
        )
    ).all()
    for hours in held:
        if hours in shares:
            shares.remove(hours)
    return max(0, min(shares[0] if shares else 0, given.hours_total - sum(held)))


def _add_up(session: Session, campaign: Campaign, line: BudgetLine) -> None:
    """The line's rows, the line and the campaign say the same, to the cent."""
    query = select(HoursGiven).where(HoursGiven.budget_line_id == line.id).order_by(HoursGiven.id)
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    active = [row for row in rows if row.active]
    line.hours_given = sum(row.hours for row in active)
    worth = value_of(line.minimum_minor, line.hours, line.hours_given) if line.kind is LineKind.EITHER else 0
    campaign.skills_minor += worth - line.skills_minor
    line.skills_minor = worth
    parts = Money(worth).split([row.hours for row in active]) if line.hours_given else [Money(0)] * len(active)
    for row in rows:
        row.minor = 0
    for row, part in zip(active, parts, strict=True):
        row.minor = part.minor
    session.flush()


def _tell(session: Session, campaign: Campaign, line: BudgetLine, row: HoursGiven, change: int) -> None:
    """The public story says what the sum to raise is now, and why it moved."""
    kind = "hours_given" if change > 0 else "hours_back"
    figures = {
        "hours": row.hours, "line": line.label, "minor": abs(change), "to_raise_minor": campaign.to_raise_minor,
    }  # fmt: skip
    add_timeline(session, campaign.id, kind, figures, key=f"{kind}-{row.key}", href=row.href)
