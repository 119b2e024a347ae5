"""The public pages of campaigns: the list, one campaign with all its stages, its cover."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.answers import queries as answers
from koz.answers.models import AnswerRequest
from koz.answers.queries import Summary
from koz.answers.states import Standing
from koz.campaigns import queries
from koz.campaigns.models import Campaign
from koz.campaigns.services import describe
from koz.campaigns.states import PUBLIC, CampaignState
from koz.consultations import queries as consultations
from koz.consultations.queries import Card
from koz.core.access import access
from koz.core.clock import now
from koz.core.db import reading
from koz.core.i18n import _
from koz.core.paging import after_page, parse_after
from koz.core.templating import long_date
from koz.core.web import YEAR_S
from koz.pages.brief_cache import briefly_kept
from koz.pages.covers import cover as draw_cover
from koz.pages.stages import GROUPS, stage_of
from koz.payments import queries as payments
from koz.skills import queries as skills

bp = Blueprint("campaign_pages", __name__)
PAGE = 12
DONORS = 12
MISSIONS = 5
#: States in which a consultation may be public.
WITH_CONSULTATION = PUBLIC - {CampaignState.LIVE, CampaignState.FAILED}


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
    """One campaign, from the ask to the answer. One statement, and one more once there is a consultation."""
    with reading() as session:
        campaign = page = queries.get_public_page(session, slug, _statement())
        card = consultations.find_card(session, campaign.id) if campaign.state in WITH_CONSULTATION else None
    answer = None
    if page.AnswerRequest is not None:
        answer = answers.summary_on_page(page.AnswerRequest, campaign, page.organisation_slug, page.organisation_name)
    return render_template(
        "pages/campaign.html",
        page=page,
        campaign=campaign,
        here=url_for(".show", slug=slug),
        stage=stage_of(campaign.state, consultation_closed=card is not None and not card.consultation.is_open),
        open_for_gifts=queries.accepts_gifts(campaign, now()),
        failed=campaign.state is CampaignState.FAILED,
        card=card,
        answer=answer,
        missions=page.missions[:MISSIONS],
        more_missions=len(page.missions) > MISSIONS,
        donors=[donor["public_name"] for donor in page.donors_shown],
        notes=_notes(card, answer),
        story=[(datetime.fromisoformat(e["at"]), describe(e["kind"], e["params"]), e["href"]) for e in page.timeline],
    )


@lru_cache(maxsize=1)
def _statement() -> Any:
    """All that the page shows, made once: making it costs more than running it."""
    missions = skills.missions_column(MISSIONS + 1).label("missions")
    donors = payments.donors_column(DONORS).label("donors_shown")
    statement = queries.public_page(AnswerRequest, missions, donors).outerjoin(
        AnswerRequest, AnswerRequest.campaign_id == Campaign.id
    )
    return statement.options(answers.of_summary())


def _notes(card: Card | None, answer: Summary | None) -> dict[int, str]:
    """What stands under the stations of the path."""
    notes = {}
    if card is not None and card.consultation.is_open:
        notes[3] = _("until %(date)s", date=long_date(card.consultation.closes_on))
    if answer is None or answer.due_on is None:
        return notes
    if answer.standing is Standing.ANSWERED:
        notes[4] = _("on %(date)s", date=long_date(answer.published_at))
    else:
        notes[4] = _("due by %(date)s", date=long_date(answer.due_on))
    return notes


@bp.get("/campaigns/<slug>/cover.svg")
@access("public")
def cover(slug: str) -> ResponseReturnValue:
    """The drawn cover: it depends on the slug alone, so it may be kept for a year."""
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "Content-Security-Policy": COVER_POLICY}
    return Response(draw_cover(slug[:100]), content_type="image/svg+xml; charset=utf-8", headers=headers)


COVER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
