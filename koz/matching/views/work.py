"""Beside the page of an engagement: the log of hours, and the calendar file."""

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue

from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.i18n import in_locale
from koz.core.limits import limit
from koz.matching import queries
from koz.matching.forms import TimeForm
from koz.matching.services import diary, timekeeping
from koz.matching.views import engagement_page

bp = Blueprint("engagements", __name__)


@bp.post("/engagements/<int:engagement_id>/log")
@access("owner")
def add_entry(engagement_id: int) -> ResponseReturnValue:
    """Note time given on a day."""
    form = TimeForm()
    if not form.validate_on_submit():
        return engagement_page(engagement_id, entry=form)
    with unit_of_work() as session:
        timekeeping.add_entry(session, require_member(), engagement_id, form.to_command())
    return redirect(url_for("matching.engagement", engagement_id=engagement_id, _anchor="log"), 303)


@bp.post("/engagements/<int:engagement_id>/log/<int:entry_id>/drop")
@access("owner")
def drop_entry(engagement_id: int, entry_id: int) -> ResponseReturnValue:
    """Take a line of the log out."""
    with unit_of_work() as session:
        timekeeping.drop_entry(session, require_member(), engagement_id, entry_id)
    return redirect(url_for("matching.engagement", engagement_id=engagement_id, _anchor="log"), 303)


@bp.get("/engagements/<int:engagement_id>/calendar.ics")
@access("owner")
def calendar(engagement_id: int) -> ResponseReturnValue:
    """The engagement for one's calendar."""
    with reading() as session:
        row, _side = queries.get_engagement_for(session, require_member(), engagement_id)
    return _file(diary.file_of(row), engagement_id)


@bp.get("/calendar/<token>.ics")
@access("public")
def calendar_link(token: str) -> ResponseReturnValue:
    """The same for calendars that fetch it by themselves, from the address in the mail."""
    limit("calendar", token, "120/hour")
    with reading() as session:
        row, locale = diary.open_link(session, token)
    with in_locale(locale):
        return _file(diary.file_of(row), row.engagement.id)


def _file(content: bytes, engagement_id: int) -> Response:
    answer = Response(content, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="koz-{engagement_id}.ics"'
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
