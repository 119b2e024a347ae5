"""The public pages of campaigns: the list, one campaign with all its stages, its cover."""

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries
from koz.campaigns.states import PUBLIC, CampaignState
from koz.core.access import access
from koz.core.clock import now
from koz.core.db import reading
from koz.core.paging import after_page, parse_after
from koz.core.web import YEAR_S
from koz.pages.brief_cache import briefly_kept
from koz.pages.covers import cover as draw_cover
from koz.pages.stages import GROUPS, stage_of

bp = Blueprint("campaign_pages", __name__)
PAGE = 12


@bp.get("/campaigns")
@access("public")
@briefly_kept
def index() -> ResponseReturnValue:
    """Public campaigns, latest first; found by words, filtered by how far they have come."""
    text = request.args.get("q", "").strip()[:100]
    group = request.args.get("stage", "")
    states = GROUPS.get(group, tuple(PUBLIC))
    with reading() as session:
        rows = queries.list_public(
            session, states=states, text=text, before=parse_after(request.args.get("after")), limit=PAGE + 1
        )
    page = after_page(rows, PAGE, lambda c: c.id)
    stage = group if group in GROUPS else None
    next_url = url_for(".index", after=page.next_after, q=text or None, stage=stage) if page.next_after else None
    return render_template(
        "pages/campaigns.html", campaigns=page.items, next_url=next_url, q=text, group=group, stage_of=stage_of
    )


@bp.get("/campaigns/<slug>")
@access("public")
@briefly_kept
def show(slug: str) -> ResponseReturnValue:
    """One campaign, from the ask to the answer."""
    with reading() as session:
        page = queries.get_public_page(session, slug)
    campaign = page.campaign
    return render_template(
        "pages/campaign.html",
        page=page,
        campaign=campaign,
        stage=stage_of(campaign.state),
        open_for_gifts=queries.accepts_gifts(campaign, now()),
        failed=campaign.state is CampaignState.FAILED,
        notes={},
    )


@bp.get("/campaigns/<slug>/cover.svg")
@access("public")
def cover(slug: str) -> ResponseReturnValue:
    """The drawn cover: it depends on the slug alone, so it may be kept for a year."""
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "Content-Security-Policy": COVER_POLICY}
    return Response(draw_cover(slug[:100]), content_type="image/svg+xml; charset=utf-8", headers=headers)


COVER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
