"""What everybody can read beside the campaign's page: its news and its timeline."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries
from koz.campaigns.states import IN_HOURS
from koz.campaigns.views.blueprint import bp
from koz.core.access import access
from koz.core.db import reading
from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.core.paging import after_page, parse_after

PER_PAGE = 50
NEWS_PER_PAGE = 20


@bp.get("/campaigns/<slug>/timeline")
@access("public")
def timeline(slug: str) -> ResponseReturnValue:
    """All that happened, latest first."""
    after = parse_after(request.args.get("after"))
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
        rows = queries.list_timeline(session, campaign.id, PER_PAGE + 1, after)
    page = after_page(rows, PER_PAGE, lambda entry: entry.id)
    more = page.next_after and url_for("campaigns.timeline", slug=slug, after=page.next_after)
    return render_template("campaigns/timeline.html", campaign=campaign, entries=page.items, next_url=more)


@bp.get("/campaigns/<slug>/hours")
@access("public")
def hours(slug: str) -> ResponseReturnValue:
    """What the sum that hours replace is made of: each work, latest first, without names."""
    after = parse_after(request.args.get("after"))
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
        lines = [line for line in queries.list_lines(session, campaign.id) if line.kind in IN_HOURS]
        rows = queries.list_hours(session, campaign.id, PER_PAGE + 1, after)
    page = after_page(rows, PER_PAGE, lambda row: row[0].id)
    more = page.next_after and url_for("campaigns.hours", slug=slug, after=page.next_after)
    return render_template("campaigns/hours.html", campaign=campaign, lines=lines, rows=page.items, next_url=more)


@bp.get("/campaigns/<slug>/updates")
@access("public")
def updates(slug: str) -> ResponseReturnValue:
    """All news, latest first."""
    after = parse_after(request.args.get("after"))
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
        rows = queries.list_updates(session, campaign.id, NEWS_PER_PAGE + 1, after)
    page = after_page(rows, NEWS_PER_PAGE, lambda update: update.id)
    more = page.next_after and url_for("campaigns.updates", slug=slug, after=page.next_after)
    return render_template("campaigns/updates.html", campaign=campaign, updates=page.items, next_url=more)


@bp.get("/campaigns/<slug>/updates/<int(max=999999999999999999):update_id>")
@access("public")
def update(slug: str, update_id: int) -> ResponseReturnValue:
    """One piece of news."""
    with reading() as session:
        campaign = queries.get_public_campaign(session, slug)
        found = queries.get_update(session, update_id)
    if found.campaign_id != campaign.id:
        raise NotFound(_("This piece of news does not exist."))
    return render_template("campaigns/update.html", campaign=campaign, update=found)
