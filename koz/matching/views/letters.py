"""The invitation behind the link of a mail: read and answered without a log-in, one proposal and nothing else.

Opening changes nothing. Shown are the mission, which is public, and why it fits; neither name nor address of anybody.
"""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.core.access import access
from koz.core.db import reading, unit_of_work
from koz.core.i18n import current_locale
from koz.core.limits import limit
from koz.matching.forms import ReasonForm
from koz.matching.queries import answer_times
from koz.matching.services import letters, ranking
from koz.skills import queries as skills

bp = Blueprint("letters", __name__)


def _private(page: str) -> Response:
    """Nobody else should learn of the address: not through a link followed, a search engine or a cache."""
    answer = Response(page)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@bp.get("/letters/<token>")
@access("public")
def show(token: str) -> ResponseReturnValue:
    """The invitation with its reasons and three buttons; once answered, only that it was."""
    with reading() as session:
        letter = letters.open_letter(session, token)
        row = letter.row
        if not letter.open:
            said = request.args.get("said") == row.proposal.state.value
            return _private(render_template("letters/answered.html", row=row, said=said))
        (reasons,) = ranking.read_explanations(session, [row.proposal.explanation], current_locale())
        needs = skills.list_needs(session, [row.mission.id])[row.mission.id]
        organisation_id = row.campaign.organisation_id
        times = answer_times.of_organisations(session, [organisation_id])[organisation_id]
    return _private(
        render_template(
            "letters/show.html",
            token=token,
            row=row,
            reasons=reasons,
            needs=needs,
            times=times,
            put_off=request.args.get("said") == "later",
        )
    )


@bp.post("/letters/<token>/<any(yes, later, no):answer>")
@access("public")
def answer(token: str, answer: str) -> ResponseReturnValue:
    """The answer; no log-in: who has the link got the mail."""
    limit("letters.answer", token, "30/hour")
    form = ReasonForm()
    with unit_of_work() as session:
        letters.answer_letter(session, token, answer, form.to_reason())
    said = {"yes": "accepted", "later": "later", "no": "declined"}[answer]
    return redirect(url_for("letters.show", token=token, said=said), 303)
