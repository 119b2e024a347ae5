"""All that was ever proposed to a professional or by them, and what became of it."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.core.access import access, require_member
from koz.core.db import reading
from koz.core.paging import after_page, parse_after
from koz.matching.queries import answer_times, keeping

bp = Blueprint("professional_history", __name__)
PAGE = 20


@bp.get("/professionals/me/history")
@access("member")
def show() -> ResponseReturnValue:
    """Proposals and engagements, the latest first, with states, reasons, hours and certificates."""
    actor = require_member()
    with reading() as session:
        rows = keeping.list_history(session, actor.id or 0, parse_after(request.args.get("after")), PAGE + 1)
        hours = keeping.sum_hours_of(session, actor.id or 0)
        total = keeping.count_history(session, actor.id or 0)
        own_times = answer_times.of_person(session, actor.id or 0)
    page = after_page(rows, PAGE, lambda row: row.proposal.id)
    next_url = url_for("professional_history.show", after=page.next_after) if page.next_after else None
    return render_template(
        "matching/history.html", page=page, next_url=next_url, hours=hours, total=total, own_times=own_times
    )
