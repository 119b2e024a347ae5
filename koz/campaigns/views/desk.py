"""What an organisation sees: what to do today, its campaigns, and the desk of each."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import queries as accounts
from koz.campaigns import queries, services
from koz.campaigns.forms import CancelForm, NewCampaignForm
from koz.campaigns.permissions import can_cancel, can_edit, can_manage, can_publish, can_tell, can_write
from koz.campaigns.states import CampaignState
from koz.campaigns.views.blueprint import bp
from koz.core.access import Actor, access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict
from koz.core.limits import limit


def _organisation_ids(actor: Actor, *roles: str) -> list[int]:
    return sorted(i for i in actor.roles if actor.has_role(i, *roles))


@bp.get("/manage")
@access("member")
def manage() -> ResponseReturnValue:
    """What to do today, then the organisation's campaigns with their figures."""
    actor = require_member()
    ids = _organisation_ids(actor, "owner", "editor", "treasurer")
    with reading() as session:
        organisations = accounts.list_organisations_of(session, actor.id or 0)
        campaigns = queries.list_of_organisations(session, ids) if ids else []
        tasks = services.list_tasks(session, actor, campaigns)
    return render_template(
        "campaigns/manage.html",
        organisations=[o for o in organisations if o.id in ids],
        campaigns=campaigns,
        tasks=tasks,
        may_create=bool(_organisation_ids(actor, "owner", "editor")),
    )


@bp.route("/manage/campaigns/new", methods=["GET", "POST"])
@access("member")
def new() -> ResponseReturnValue:
    """Start a draft."""
    actor = require_member()
    ids = _organisation_ids(actor, "owner", "editor")
    with reading() as session:
        organisations = [o for o in accounts.list_organisations_of(session, actor.id or 0) if o.id in ids]
    form = NewCampaignForm([(o.id, o.name) for o in organisations])
    if not organisations or not form.validate_on_submit():
        page = render_template("campaigns/new.html", form=form, organisations=organisations)
        return page, 422 if form.errors else 200
    limit("campaign.new", str(actor.id), "30/hour")
    with unit_of_work() as session:
        campaign = services.create_draft(session, actor, form.to_command())
    return redirect(url_for("campaigns.edit", slug=campaign.slug, step="ask"), 303)


@bp.get("/manage/campaigns/<slug>")
@access("owner")
def desk(slug: str) -> ResponseReturnValue:
    """The campaign's desk."""
    return _desk(require_member(), slug)


def _desk(actor: Actor, slug: str, refusal: str = "") -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get_campaign_for(session, actor, slug, can_manage)
        organisation = accounts.get_organisation(session, campaign.organisation_id)
        reviews = queries.list_reviews(session, campaign.id)
        updates = queries.list_updates(session, campaign.id, 5)
        followers = queries.count_followers(session, campaign.id)
        obstacles = services.publish_obstacles(session, campaign) if campaign.state is CampaignState.APPROVED else []
    page = render_template(
        "campaigns/desk.html",
        campaign=campaign,
        organisation=organisation,
        reviews=reviews,
        updates=updates,
        followers=followers,
        obstacles=obstacles,
        refusal=refusal,
        may={
            "edit": can_edit(actor, campaign),
            "write": can_write(actor, campaign),
            "publish": can_publish(actor, campaign),
            "cancel": can_cancel(actor, campaign),
            "tell": can_tell(actor, campaign),
        },
    )
    return page, 409 if refusal else 200


@bp.post("/manage/campaigns/<slug>/publish")
@access("owner")
def publish(slug: str) -> ResponseReturnValue:
    """Put an approved campaign on line."""
    actor = require_member()
    try:
        with unit_of_work() as session:
            services.publish(session, actor, slug)
    except Conflict as error:
        return _desk(actor, slug, error.sentence)
    return redirect(url_for("campaigns.desk", slug=slug), 303)


@bp.post("/manage/campaigns/<slug>/reopen")
@access("owner")
def reopen(slug: str) -> ResponseReturnValue:
    """Take a campaign back from review to change it."""
    actor = require_member()
    with unit_of_work() as session:
        services.reopen(session, actor, slug)
    return redirect(url_for("campaigns.edit", slug=slug, step="check"), 303)


@bp.route("/manage/campaigns/<slug>/cancel", methods=["GET", "POST"])
@access("owner")
def cancel(slug: str) -> ResponseReturnValue:
    """Give a campaign up, with a reason."""
    actor, form, refusal = require_member(), CancelForm(), ""
    with reading() as session:
        campaign = queries.get_campaign_for(session, actor, slug, can_cancel)
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                services.cancel(session, actor, slug, form.reason.data or "")
            return redirect(url_for("campaigns.desk", slug=slug), 303)
        except Conflict as error:
            refusal = error.sentence
    page = render_template("campaigns/cancel.html", form=form, campaign=campaign, refusal=refusal)
    return page, 409 if refusal else 422 if form.errors else 200
