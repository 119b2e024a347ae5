"""Writing news of a campaign."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries, services
from koz.campaigns.forms import NewsForm
from koz.campaigns.permissions import can_tell
from koz.campaigns.views.blueprint import bp
from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.ids import new_token
from koz.core.limits import limit
from koz.core.markdown import render_markdown


@bp.route("/manage/campaigns/<slug>/updates/new", methods=["GET", "POST"])
@access("owner")
def new_update(slug: str) -> ResponseReturnValue:
    """Write, look, publish. Looking saves nothing and tells nobody."""
    actor, form = require_member(), NewsForm(data={"nonce": new_token(9)})
    with reading() as session:
        campaign = queries.get_campaign_for(session, actor, slug, can_tell)
        followers = queries.count_followers(session, campaign.id)
    valid = form.validate_on_submit()
    if valid and request.form.get("go") == "publish":
        limit("campaign.update", str(campaign.id), "10/day")
        with unit_of_work() as session:
            update = services.publish_update(session, actor, slug, form.to_command())
        return redirect(url_for("campaigns.update", slug=slug, update_id=update.id), 303)
    preview = render_markdown(form.body_md.data or "") if valid else ""
    page = render_template(
        "campaigns/new_update.html", form=form, campaign=campaign, followers=followers, preview=preview
    )
    return page, 422 if form.errors else 200
