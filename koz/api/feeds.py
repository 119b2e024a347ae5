"""For readers and crawlers: Atom feeds, sitemap, robots.txt, security.txt."""

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Final
from xml.sax.saxutils import escape

from feedgen.feed import FeedGenerator
from flask import Blueprint, Response, request

from koz.api import queries
from koz.api.documents import absolute, keepable
from koz.campaigns import queries as campaign_queries
from koz.core.access import access
from koz.core.clock import end_of_day, today
from koz.core.db import reading
from koz.core.i18n import _, current_locale
from koz.core.settings import current_settings

bp = Blueprint("feeds", __name__)
ENTRIES: Final = 30
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
STATIC_PAGES: Final = ("/", "/campaigns", "/missions", "/consultations", "/answers", "/api")
#: Pages that are somebody's own, behind a link or a login.
PRIVATE: Final = (
    "/admin/", "/answers/desk/", "/answers/quiet/", "/embed/", "/gifts/", "/login", "/manage/", "/my", "/reset/",
    "/verify/",
)  # fmt: skip


def _feed(path: str, title: str, updated: datetime) -> FeedGenerator:
    feed = FeedGenerator()
    feed.id(absolute(path))
    feed.title(title)
    feed.link(href=absolute(path), rel="self")
    feed.language(current_locale())
    feed.generator("Koz")
    feed.updated(updated)
    return feed


def _atom(feed: FeedGenerator) -> Response:
    return keepable(Response(feed.atom_str(), content_type="application/atom+xml; charset=utf-8"))


@bp.get("/campaigns.atom")
@access("public")
def campaigns() -> Response:
    """The latest public campaigns."""
    with reading() as session:
        rows = campaign_queries.list_public(session, limit=ENTRIES)
        organisations = queries.list_organisations(session, [c.organisation_id for c in rows])
    updated = max((c.live_at or c.created_at for c in rows), default=BEGINNING)
    feed = _feed("/campaigns.atom", _("Campaigns on Koz"), updated)
    feed.link(href=absolute("/campaigns"), rel="alternate")
    for campaign in rows:
        address = absolute(f"/campaigns/{campaign.slug}")
        entry = feed.add_entry(order="append")
        entry.id(address)
        entry.title(campaign.title)
        entry.link(href=address)
        entry.author(name=organisations[campaign.organisation_id].name)
        entry.summary(campaign.summary or campaign.ask or campaign.title)
        entry.published(campaign.live_at or campaign.created_at)
        entry.updated(campaign.live_at or campaign.created_at)
    return _atom(feed)


@bp.get("/campaigns/<slug>/updates.atom")
@access("public")
def updates(slug: str) -> Response:
    """News of one campaign, latest first."""
    with reading() as session:
        campaign = campaign_queries.get_public_campaign(session, slug)
        rows = campaign_queries.list_updates(session, campaign.id, ENTRIES)
        organisation = queries.list_organisations(session, [campaign.organisation_id])[campaign.organisation_id]
    page = absolute(f"/campaigns/{slug}")
    last = max((u.published_at for u in rows), default=campaign.live_at or campaign.created_at)
    feed = _feed(f"/campaigns/{slug}/updates.atom", campaign.title, last)
    feed.link(href=page, rel="alternate")
    feed.author(name=organisation.name)
    for update in rows:
        entry = feed.add_entry(order="append")
        entry.id(f"{page}/updates/{update.id}")
        entry.title(update.title)
        entry.link(href=f"{page}/updates/{update.id}")
        entry.content(update.body_html, type="html")
        entry.published(update.published_at)
        entry.updated(update.published_at)
    return _atom(feed)


@bp.get("/sitemap.xml")
@access("public")
def sitemap() -> Response:
    """Addresses of public pages: of the campaigns and consultations, the latest 20,000 each."""
    with reading() as session:
        live = queries.list_campaign_addresses(session)
        consultations = queries.list_consultation_addresses(session)
    rows: list[tuple[str, datetime | None]] = [(path, None) for path in STATIC_PAGES]
    rows += [(f"/campaigns/{slug}", live_at) for slug, live_at in live]
    rows += [(f"/consultations/{slug}", None) for slug in consultations]
    urls = "".join(_url(path, moment) for path, moment in rows)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return keepable(Response(f"{head}{urls}</urlset>\n", content_type="application/xml; charset=utf-8"))


def _url(path: str, moment: datetime | None) -> str:
    dated = "" if moment is None else f"<lastmod>{moment.astimezone(UTC).date().isoformat()}</lastmod>"
    return f"<url><loc>{escape(absolute(path) or '')}</loc>{dated}</url>"


@bp.get("/robots.txt")
@access("public")
def robots() -> Response:
    """What crawlers may read: all that is public; what lies behind a link is nobody else's."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        "",
        f"Sitemap: {absolute('/sitemap.xml')}",
        "",
    ]
    return keepable(Response("\n".join(lines), content_type="text/plain; charset=utf-8"))


@bp.get("/.well-known/security.txt")
@access("public")
def security() -> Response:
    """Whom to tell of a weakness (RFC 9116)."""
    _name, address = parseaddr(current_settings().mail_from)
    expires = end_of_day(today() + timedelta(days=180)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [
        f"Contact: mailto:{address}",
        f"Expires: {expires}",
        "Preferred-Languages: fr, en",
        f"Canonical: {absolute(request.path)}",
        "",
    ]
    return keepable(Response("\n".join(lines), content_type="text/plain; charset=utf-8"))
