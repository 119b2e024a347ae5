"""Following a campaign. Links in mails show a button: opening one changes nothing, so mail scanners cannot."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries, services
from koz.campaigns.forms import FollowForm
from koz.campaigns.views.blueprint import bp
from koz.core.access import access, current_actor
from koz.core.db import reading, unit_of_work
from koz.core.i18n import current_locale
from koz.core.limits import limit


@bp.route("/campaigns/<slug>/follow", methods=["GET", "POST"])
@access("public")
def follow(slug: str) -> ResponseReturnValue:
    """With a proved address of an account: at once. Otherwise an address, which is asked by mail first."""
    actor = current_actor()
    at_once = actor.email is not None and actor.email_verified
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
        following = bool(at_once and queries.is_following(session, campaign.id, actor.email or ""))
    form = FollowForm()
    if request.method == "POST":
        limit("follow.address", request.remote_addr or "", "30/hour")
    if request.method == "POST" and at_once:
        with unit_of_work() as session:
            services.follow(session, actor, slug)
        return redirect(url_for("campaigns.following", slug=slug), 303)
    if form.validate_on_submit():
        limit("follow.mail", (form.email.data or "").lower(), "10/day")
        with unit_of_work() as session:
            services.request_follow(session, slug, form.email.data or "", current_locale())
        return redirect(url_for("campaigns.follow_sent", slug=slug), 303)
    page = render_template(
        "campaigns/follow.html", form=form, campaign=campaign, actor=actor, at_once=at_once, following=following
    )
    return page, 422 if form.errors else 200


@bp.get("/campaigns/<slug>/follow/sent")
@access("public")
def follow_sent(slug: str) -> ResponseReturnValue:
    """A mail was sent."""
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
    return render_template("campaigns/follow_sent.html", campaign=campaign)


@bp.get("/campaigns/<slug>/following")
@access("public")
def following(slug: str) -> ResponseReturnValue:
    """From now on news comes."""
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
    return render_template("campaigns/following.html", campaign=campaign)


@bp.route("/follow/<token>", methods=["GET", "POST"])
@access("public")
def confirm_follow(token: str) -> ResponseReturnValue:
    """The mailed link: a button, then it is done."""
    if request.method == "GET":
        return render_template("campaigns/confirm_follow.html")
    with unit_of_work() as session:
        slug = services.confirm(session, token).slug
    return redirect(url_for("campaigns.following", slug=slug), 303)


@bp.route("/unfollow/<token>", methods=["GET", "POST"])
@access("public")
def unfollow(token: str) -> ResponseReturnValue:
    """Stop: a button, then it is done. A link that was used already says so and does no harm."""
    if request.method == "GET":
        with reading() as session:
            campaign = services.campaign_of_unfollow(session, token)
        return render_template("campaigns/unfollow.html", campaign=campaign)
    with unit_of_work() as session:
        services.unfollow(session, token)
    return redirect(url_for("campaigns.unfollowed"), 303)


@bp.get("/unfollowed")
@access("public")
def unfollowed() -> ResponseReturnValue:
    """No more news comes."""
    return render_template("campaigns/unfollowed.html")
