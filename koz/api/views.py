"""The public JSON API, version 1: read without a key. `openapi.py` describes it, and a test holds the two together."""

from collections.abc import Sequence

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from koz.answers import queries as answer_queries
from koz.answers.states import Standing
from koz.api import openapi, queries, shapes
from koz.api.documents import PAGE, answer, answer_page, by_key, open_to_all, read_id, read_key
from koz.campaigns import queries as campaign_queries
from koz.campaigns.models import Campaign
from koz.consultations import queries as consultation_queries
from koz.consultations.queries.results import results as count_results
from koz.core.access import access
from koz.core.db import reading
from koz.core.paging import after_page
from koz.payments import queries as payment_queries

bp = Blueprint("api", __name__)
bp.after_app_request(open_to_all)
ORGANISATION_CAMPAIGNS = 100


def _around(session: Session, campaigns: Sequence[Campaign]) -> shapes.Around:
    """What belongs to some campaigns: five statements, however many they are."""
    ids = [c.id for c in campaigns]
    return shapes.Around(
        organisations=queries.list_organisations(session, [c.organisation_id for c in campaigns]),
        lines=by_key(queries.list_lines_of(session, ids), lambda line: line.campaign_id),
        missions=by_key(queries.list_missions_of(session, ids), lambda mission: mission.campaign_id),
        consultations=queries.list_consultation_slugs(session, ids),
        answers=answer_queries.list_for_campaigns(session, ids),
    )


@bp.get("/api/v1/campaigns")
@access("public")
def campaigns() -> ResponseReturnValue:
    """Public campaigns, latest first."""
    before = read_id()
    with reading() as session:
        page = after_page(campaign_queries.list_public(session, before=before, limit=PAGE + 1), PAGE, lambda c: c.id)
        around = _around(session, page.items)
    return answer_page(page, lambda c: shapes.campaign(c, around))


@bp.get("/api/v1/campaigns/<slug>")
@access("public")
def campaign(slug: str) -> ResponseReturnValue:
    """One campaign."""
    with reading() as session:
        row = campaign_queries.get_public_campaign(session, slug)
        around = _around(session, [row])
    return answer(shapes.campaign(row, around))


@bp.get("/api/v1/campaigns/<slug>/ledger")
@access("public")
def ledger(slug: str) -> ResponseReturnValue:
    """Every posting of a campaign's books, latest first."""
    before = read_id()
    with reading() as session:
        row = campaign_queries.get_public_campaign(session, slug)
        lines = payment_queries.list_public_ledger(session, row.id, before, PAGE + 1)
    return answer_page(after_page(lines, PAGE, lambda line: line.id), shapes.ledger_line)


@bp.get("/api/v1/campaigns/<slug>/timeline")
@access("public")
def timeline(slug: str) -> ResponseReturnValue:
    """The dated story of a campaign, latest first."""
    before = read_id()
    with reading() as session:
        row = campaign_queries.get_public_campaign(session, slug)
        entries = campaign_queries.list_timeline(session, row.id, PAGE + 1, before)
    return answer_page(after_page(entries, PAGE, lambda entry: entry.id), shapes.timeline_entry)


@bp.get("/api/v1/missions")
@access("public")
def missions() -> ResponseReturnValue:
    """Open missions, latest first."""
    before = read_id()
    with reading() as session:
        page = after_page(queries.list_open_missions(session, before, PAGE + 1), PAGE, lambda row: row[0].id)
        needs = by_key(
            queries.list_needs_of(session, [mission.id for mission, _slug in page.items]), lambda row: row[0].mission_id
        )
    return answer_page(page, lambda row: shapes.mission(row[0], row[1], needs.get(row[0].id, [])))


@bp.get("/api/v1/consultations")
@access("public")
def consultations() -> ResponseReturnValue:
    """Public consultations: those that are open first, then the latest."""
    after = read_key()
    with reading() as session:
        page = consultation_queries.list_public(session, after, PAGE)
        slugs = queries.list_campaign_slugs(session, [card.consultation.id for card in page.items])
    return answer_page(page, lambda card: shapes.consultation(card, slugs.get(card.consultation.id)))


@bp.get("/api/v1/consultations/<slug>")
@access("public")
def consultation(slug: str) -> ResponseReturnValue:
    """One consultation."""
    with reading() as session:
        card = consultation_queries.get_card(session, slug)
        slugs = queries.list_campaign_slugs(session, [card.consultation.id])
    return answer(shapes.consultation(card, slugs.get(card.consultation.id)))


@bp.get("/api/v1/consultations/<slug>/contributions")
@access("public")
def contributions(slug: str) -> ResponseReturnValue:
    """Contributions of a consultation: the organiser's own first, then the latest."""
    after = read_key()
    with reading() as session:
        row = consultation_queries.get_consultation(session, slug)
        page = consultation_queries.list_contributions(session, row.id, after, PAGE)
    return answer_page(page, lambda voice: shapes.contribution(voice, slug))


@bp.get("/api/v1/consultations/<slug>/results")
@access("public")
def results(slug: str) -> ResponseReturnValue:
    """Every figure of a consultation, counted from its rows now."""
    with reading() as session:
        row = consultation_queries.get_consultation(session, slug)
        found = count_results(session, row.id)
    return answer(shapes.results(found))


@bp.get("/api/v1/answers")
@access("public")
def answers() -> ResponseReturnValue:
    """The public register of answers, latest request first."""
    before = read_id()
    with reading() as session:
        page = after_page(
            answer_queries.list_register(session, before=before, limit=PAGE + 1), PAGE, lambda row: row.id
        )
        points = by_key(queries.list_points_of(session, [row.id for row in page.items]), lambda p: p.request_id)
        published = [row.id for row in page.items if row.standing is Standing.ANSWERED]
        commitments = answer_queries.view_commitments(session, published)
    return answer_page(page, lambda row: shapes.answer(row, points.get(row.id, []), commitments.get(row.id, [])))


@bp.get("/api/v1/organisations/<slug>")
@access("public")
def organisation(slug: str) -> ResponseReturnValue:
    """One organisation and its public campaigns."""
    with reading() as session:
        row = queries.get_public_organisation(session, slug)
        found = campaign_queries.list_public(session, organisation_id=row.id, limit=ORGANISATION_CAMPAIGNS)
    return answer(shapes.organisation(row, found))


@bp.get("/api/v1/openapi.json")
@access("public")
def description() -> Response:
    """The OpenAPI document of this API."""
    return answer(openapi.document())


@bp.get("/api")
@access("public")
def index() -> ResponseReturnValue:
    """What the API gives, for people."""
    return render_template("api/index.html", endpoints=openapi.ENDPOINTS, feeds=openapi.FEEDS)
