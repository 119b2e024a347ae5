"""Staff reads campaigns that wait, decides with reasons, and everything is written down."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import queries as accounts
from koz.campaigns import queries, services
from koz.campaigns.forms import ReviewForm
from koz.campaigns.permissions import can_review
from koz.campaigns.states import CampaignState, Decision
from koz.core.access import Actor, access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict

bp = Blueprint("reviews", __name__)


@bp.get("/admin/reviews")
@access("staff")
def queue() -> ResponseReturnValue:
    """Campaigns that wait, oldest first."""
    actor = require_member()
    with reading() as session:
        campaigns = queries.list_submitted(session)
        names = accounts.names_of_organisations(session, {c.organisation_id for c in campaigns})
    return render_template(
        "admin/reviews.html",
        rows=[(c, names.get(c.organisation_id, ""), can_review(actor, c)) for c in campaigns],
    )


@bp.route("/admin/reviews/<slug>", methods=["GET", "POST"])
@access("staff")
def review(slug: str) -> ResponseReturnValue:
    """Read everything, decide."""
    actor, form, problem = require_member(), ReviewForm(), ""
    if form.validate_on_submit():
        decision, reasons = Decision(form.decision.data), form.reasons.data or ""
        try:
            with unit_of_work() as session:
                services.review(session, actor, slug, decision, reasons, version=form.version_read)
            return redirect(url_for("reviews.queue"), 303)
        except Conflict as error:
            problem = error.sentence
    return _page(actor, slug, form, problem)


def _page(actor: Actor, slug: str, form: ReviewForm, problem: str) -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get_campaign(session, slug)
        lines = queries.list_lines(session, campaign.id)
        sources = queries.list_sources(session, campaign.id)
        reviews = queries.list_reviews(session, campaign.id)
        organisation = accounts.get_organisation(session, campaign.organisation_id)
    form.version.data = str(campaign.version)
    page = render_template(
        "admin/review.html",
        form=form,
        campaign=campaign,
        lines=lines,
        sources=sources,
        reviews=reviews,
        organisation=organisation,
        problem=problem,
        missing=services.missing(campaign, lines, sources),
        may_review=can_review(actor, campaign) and campaign.state is CampaignState.SUBMITTED,
        is_member=actor.has_role(campaign.organisation_id),
    )
    return page, 409 if problem else 422 if form.errors else 200
