"""Engagements in people's calendars: the file of one, and the signed address from which a calendar may fetch it.

The file names the mission and its organisation, which are public, and no person: whoever forwards the address gives
away that somebody works there, not who.
"""

from typing import Final

from sqlalchemy.orm import Session

from koz.core.clock import PARIS, now
from koz.core.i18n import LOCALES, _, current_locale, ngettext
from koz.core.settings import current_settings
from koz.core.tokens import sign, unsign
from koz.matching import queries
from koz.matching.calendar import Period, calendar_file, lasting
from koz.matching.queries import EngagementRow
from koz.matching.states import EngagementState

PURPOSE: Final = "calendar"
#: Calendars fetch again and again: the address lives as long as an engagement may.
LINK_AGE_S: Final = 800 * 24 * 3600


def path(engagement_id: int, locale: str) -> str:
    """The address, without a host, of an engagement's calendar file in a language."""
    token = sign(PURPOSE, {"e": engagement_id, "l": locale if locale in LOCALES else LOCALES[0]})
    return f"/calendar/{token}.ics"


def open_link(session: Session, token: str) -> tuple[EngagementRow, str]:
    """The engagement behind an address, and the language. Raises NotFound, Gone."""
    payload = unsign(PURPOSE, token, max_age_s=LINK_AGE_S)
    return queries.get_engagement(session, int(payload["e"])), str(payload["l"])


def file_of(row: EngagementRow) -> bytes:
    """The calendar file, in the present language."""
    return calendar_file(period_of(row))


def period_of(row: EngagementRow) -> Period:
    """The engagement as a calendar shows it, in the present language.

    It begins when the mission does, or when both agreed if that is later; once delivered it ends there.
    """
    engagement, mission = row.engagement, row.mission
    agreed = (engagement.started_at or engagement.accepted_at).astimezone(PARIS).date()
    starts = max(agreed, mission.starts_on) if mission.starts_on else agreed
    ended_at = engagement.delivered_at or engagement.closed_at
    ended = ended_at.astimezone(PARIS).date() if ended_at else mission.ends_on
    first, last = lasting(starts, ended, mission.hours_total, mission.hours_per_week)
    url = f"{current_settings().base_url}/engagements/{engagement.id}"
    text = "\n".join(
        [
            _("Mission for %(name)s, campaign: %(campaign)s", name=row.organisation, campaign=row.campaign.title),
            ngettext("About %(num)s hour in all", "About %(num)s hours in all", mission.hours_total)
            + ", "
            + ngettext("at most %(num)s hour a week", "at most %(num)s hours a week", mission.hours_per_week),
            url,
        ]
    )  # fmt: skip
    return Period(
        uid=f"engagement-{engagement.id}@{current_settings().base_url.split('//')[-1]}",
        sequence=engagement.revision + mission.revision,
        title=mission.title,
        text=text,
        url=url,
        starts_on=first,
        ends_on=last,
        made_at=now(),
        cancelled=engagement.state is EngagementState.CANCELLED,
        lang=current_locale(),
    )
