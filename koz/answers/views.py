"""Pages of answers: the public register and answer page, the official's desk behind a signed link, the association's.

Opening a link changes nothing: mail scanners open links too. Every act is a button.
"""

import re
from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.answers import queries, services
from koz.answers.forms import AnswerForm, MoveForm, NoteForm, PressForm, ProofForm, ResendForm
from koz.answers.states import COMMITMENT_STEPS, CommitmentState, RequestState
from koz.campaigns.permissions import can_manage, can_write
from koz.campaigns.queries import get_campaign_by_id, get_campaign_for
from koz.core.access import access, current_actor
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, NotFound
from koz.core.i18n import _
from koz.core.limits import limit
from koz.core.paging import after_page, parse_after

bp = Blueprint("answers", __name__)
PAGE_SIZE: Final = 25
ROWS: Final = 1
_ROW: Final = re.compile(r"commitment(\d{1,2})-text", re.ASCII)


@bp.get("/answers")
@access("public")
def register() -> ResponseReturnValue:
    """The public register: who was asked what, by when, and answered or silent for how long."""
    show = request.args.get("show", "all")
    show = show if show in queries.REGISTER_FILTERS else "all"
    with reading() as session:
        counts = queries.count_register(session)
        rows = queries.list_register(
            session, filter_by=show, before=parse_after(request.args.get("after")), limit=PAGE_SIZE + 1
        )
        figures = queries.figures(session)
    page = after_page(rows, PAGE_SIZE, lambda row: row.id)
    return render_template("answers/register.html", page=page, counts=counts, show=show, figures=figures)


@bp.get("/campaigns/<slug>/answer")
@access("public")
def show(slug: str) -> ResponseReturnValue:
    """What one addressee was asked, and what they answered, point by point."""
    with reading() as session:
        answer = queries.get_public_answer(session, slug)
    return render_template("answers/show.html", answer=answer, asked=answer.summary)


def _private(page: str, status: int = 200) -> Response:
    """A page of the desk: in no cache, in no search engine."""
    answer = make_response(page, status)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _throttle(token: str) -> None:
    limit("answers.desk", token, "120/hour")


@bp.get("/answers/desk/<token>")
@access("public")
def desk(token: str) -> ResponseReturnValue:
    """The official's desk: what is asked, by when, what to do next; after publication, notes and commitments."""
    with reading() as session:
        row = services.open_desk(session, token)
        campaign = get_campaign_by_id(session, row.campaign_id)
        summary = queries.find_for_campaign(session, campaign.id)
        points = queries.list_points(session, row.id)
        commitments = queries.list_commitments(session, row.id)
        problems = services.find_problems(row, points, commitments)
    if summary is None:
        raise NotFound(_("This campaign is not public any more. Nothing is asked of you."))
    published = row.state is RequestState.ANSWERED
    return _private(
        render_template(
            "answers/desk.html", token=token, row=row, campaign=campaign, summary=summary, points=points,
            problems=problems, commitments=commitments if published else [], press=PressForm(), note=NoteForm(),
            moves=_move_forms(commitments) if published else {},
        )
    )  # fmt: skip


def _move_forms(commitments: Any) -> dict[int, MoveForm]:
    forms = {}
    for one in commitments:
        if COMMITMENT_STEPS[one.state]:
            forms[one.id] = MoveForm(prefix=f"c{one.id}")
            forms[one.id].offer(one.state)
    return forms


@bp.post("/answers/desk/<token>/accept")
@access("public")
def accept(token: str) -> ResponseReturnValue:
    """The official says they will answer by the date."""
    _throttle(token)
    with unit_of_work() as session:
        services.accept(session, services.open_desk(session, token, for_change=True).id)
    return redirect(url_for("answers.desk", token=token), 303)


@bp.route("/answers/desk/<token>/answer", methods=["GET", "POST"])
@access("public")
def write(token: str) -> ResponseReturnValue:
    """The answer as a draft, point by point. What was typed is on the page whatever happens."""
    with reading() as session:
        row = services.open_desk(session, token)
        campaign = get_campaign_by_id(session, row.campaign_id)
        points, commitments = queries.list_points(session, row.id), queries.list_commitments(session, row.id)
        summary = queries.find_for_campaign(session, campaign.id)
    if row.state in {RequestState.ANSWERED, RequestState.WITHDRAWN} or summary is None:
        return redirect(url_for("answers.desk", token=token), 303)
    form = AnswerForm(row, points, commitments, _rows(len(commitments)))
    conflict, status = "", 200
    if form.validate_on_submit():
        _throttle(token)
        try:
            with unit_of_work() as session:
                services.save_draft(session, services.open_desk(session, token, for_change=True).id, form.to_draft())
            return redirect(_after_saving(token, form), 303)
        except Conflict as refused:
            conflict, status = refused.sentence, 409
            points = _take_theirs(token, form)
    elif request.method == "POST":
        status = 422
    return _private(
        render_template(
            "answers/write.html", token=token, row=row, campaign=campaign, summary=summary, form=form,
            conflict=conflict, theirs={p.id: p for p in points}, saved="saved" in request.args,
        ),
        status,
    )  # fmt: skip


def _rows(stored: int) -> int:
    """How many rows of commitments to show: those sent, those stored and some empty ones."""
    sent = [int(found[1]) for name in request.form if (found := _ROW.fullmatch(name))]
    asked = parse_after(request.args.get("rows")) or 0
    return max([*sent, stored + ROWS if not sent else 0, min(asked, 20)])


def _after_saving(token: str, form: AnswerForm) -> str:
    if "preview" in request.form:
        return url_for("answers.preview", token=token)
    filled = sum(not one.is_empty for one in form.commitments)
    if "more" in request.form:
        return url_for("answers.write", token=token, rows=filled + ROWS + 1, _anchor=f"commitment-{filled + 1}")
    return url_for("answers.write", token=token, saved=1)


def _take_theirs(token: str, form: AnswerForm) -> Any:
    """What the other person saved; the next press of the button goes over it, knowingly."""
    with reading() as session:
        row = services.open_desk(session, token)
        points = queries.list_points(session, row.id)
    form.head.version.data = str(row.draft_version)
    return points


@bp.get("/answers/desk/<token>/preview")
@access("public")
def preview(token: str) -> ResponseReturnValue:
    """The answer as everybody will read it, what is missing, and the button that publishes it."""
    with reading() as session:
        row = services.open_desk(session, token)
        campaign = get_campaign_by_id(session, row.campaign_id)
        points, commitments = queries.list_points(session, row.id), queries.list_commitments(session, row.id)
        problems = services.find_problems(row, points, commitments)
    if row.state in {RequestState.ANSWERED, RequestState.WITHDRAWN}:
        return redirect(url_for("answers.desk", token=token), 303)
    return _private(
        render_template(
            "answers/preview.html", token=token, row=row, campaign=campaign, points=points,
            commitments=commitments, problems=problems, press=PressForm(),
        )
    )  # fmt: skip


@bp.post("/answers/desk/<token>/publish")
@access("public")
def publish(token: str) -> ResponseReturnValue:
    """Make the answer public, for good; a second press finds it done."""
    _throttle(token)
    with unit_of_work() as session:
        row = services.open_desk(session, token, for_change=True)
        services.publish(session, row.id)
        slug = queries.get_slug(session, row.id)
    return redirect(url_for("answers.show", slug=slug), 303)


@bp.post("/answers/desk/<token>/notes")
@access("public")
def note(token: str) -> ResponseReturnValue:
    """Add a dated note to a published answer."""
    form = NoteForm()
    if not form.validate_on_submit():
        return _private(render_template("answers/note.html", token=token, form=form), 422)
    _throttle(token)
    with unit_of_work() as session:
        row = services.open_desk(session, token, for_change=True)
        services.add_note(session, row.id, form.body.data or "")
        slug = queries.get_slug(session, row.id)
    return redirect(url_for("answers.show", slug=slug, _anchor="notes"), 303)


@bp.post("/answers/desk/<token>/commitments/<int:commitment_id>")
@access("public")
def move(token: str, commitment_id: int) -> ResponseReturnValue:
    """Say where a commitment stands."""
    form = MoveForm(prefix=f"c{commitment_id}")
    if not form.validate_on_submit():
        return _private(render_template("answers/move.html", form=form), 422)
    _throttle(token)
    with unit_of_work() as session:
        row = services.open_desk(session, token, for_change=True)
        services.move_commitment(
            session,
            row.id,
            commitment_id,
            CommitmentState(form.state.data),
            note=form.note.data or "",
            proof_url=form.proof_url.data or "",
        )
    return redirect(url_for("answers.desk", token=token, _anchor=f"commitment-{commitment_id}"), 303)


@bp.route("/answers/quiet/<token>", methods=["GET", "POST"])
@access("public")
def quiet(token: str) -> ResponseReturnValue:
    """A participant wants to hear no more of a campaign's answer: one button, no account."""
    campaign_id, person_id = services.read_mute(token)
    form = PressForm()
    done = form.validate_on_submit()
    if done:
        with unit_of_work() as session:
            services.mute(session, campaign_id, person_id)
    with reading() as session:
        campaign = get_campaign_by_id(session, campaign_id)
    return _private(render_template("answers/quiet.html", campaign=campaign, done=done))


@bp.get("/manage/campaigns/<slug>/answer")
@access("owner")
def manage(slug: str) -> ResponseReturnValue:
    """The association's side: where the answer stands, the link sent again, proofs added to commitments."""
    return _manage_page(slug)


def _manage_page(slug: str, wrong: Any = None, status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        campaign = get_campaign_for(session, actor, slug, can_manage)
        row = queries.find_request_of(session, campaign.id)
        summary = queries.find_for_campaign(session, campaign.id)
        commitments = []
        if row is not None and row.state is RequestState.ANSWERED:
            commitments = queries.view_commitments(session, [row.id]).get(row.id, [])
    forms = {one.id: ProofForm(prefix=f"c{one.id}", formdata=None) for one in commitments}
    if wrong is not None:
        forms[wrong[0]] = wrong[1]
    page = render_template(
        "answers/manage.html", campaign=campaign, row=row, summary=summary, commitments=commitments, forms=forms,
        may_write=can_write(actor, campaign), resend=ResendForm(formdata=None), sent="sent" in request.args,
    )  # fmt: skip
    return page, status


@bp.post("/manage/campaigns/<slug>/answer/link")
@access("owner")
def resend(slug: str) -> ResponseReturnValue:
    """Send the addressee the link again, or a new one that makes the older ones void."""
    form = ResendForm()
    with reading() as session:
        campaign = get_campaign_for(session, current_actor(), slug, can_write)
        row = queries.find_request_of(session, campaign.id)
    if row is None or not form.validate_on_submit():
        raise NotFound(_("Nobody has been asked yet: the campaign is not live."))
    limit("answers.resend", str(row.id), "5/day")
    with unit_of_work() as session:
        services.resend_link(session, row.id, replace=bool(form.replace.data))
    return redirect(url_for("answers.manage", slug=slug, sent=1), 303)


@bp.post("/manage/campaigns/<slug>/answer/commitments/<int:commitment_id>")
@access("owner")
def proof(slug: str, commitment_id: int) -> ResponseReturnValue:
    """Add what the association saw of a commitment."""
    with reading() as session:
        campaign = get_campaign_for(session, current_actor(), slug, can_write)
        row = queries.find_request_of(session, campaign.id)
    if row is None:
        raise NotFound(_("Nobody has been asked yet: the campaign is not live."))
    form = ProofForm(prefix=f"c{commitment_id}")
    if not form.validate_on_submit():
        return _manage_page(slug, (commitment_id, form), 422)
    with unit_of_work() as session:
        services.propose_proof(
            session, row.id, commitment_id, note=form.note.data or "", proof_url=form.proof_url.data or ""
        )
    return redirect(url_for("answers.manage", slug=slug, _anchor=f"commitment-{commitment_id}"), 303)
