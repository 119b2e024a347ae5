"""Feeds, sitemap, robots, security.txt, oEmbed and the page in a frame."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest

from koz.campaigns.states import CampaignState
from tests.api.world import build
from tests.factories.campaigns import make_campaign

ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "http://127.0.0.1:8000"


def test_the_feed_of_campaigns_holds_public_ones_latest_first(client, session):
    first, second = (make_campaign(session, title=f"<b>{n}</b> & co") for n in (1, 2))
    make_campaign(session, state=CampaignState.DRAFT)
    response = client.open("/campaigns.atom")
    assert response.mimetype == "application/atom+xml"
    feed = ET.fromstring(response.data)
    links = [e.find(f"{ATOM}link").get("href") for e in feed.iter(f"{ATOM}entry")]
    assert links == [f"{SITE}/campaigns/{c.slug}" for c in (second, first)]
    assert [e.find(f"{ATOM}title").text for e in feed.iter(f"{ATOM}entry")] == ["<b>2</b> & co", "<b>1</b> & co"]
    assert feed.find(f"{ATOM}updated") is not None
    assert client.open("/campaigns.atom", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_an_empty_feed_is_a_feed(client):
    assert ET.fromstring(client.open("/campaigns.atom").data).tag == f"{ATOM}feed"


def test_news_of_a_campaign_come_as_a_feed(client, session):
    world = build(session)
    response = client.open(f"/campaigns/{world.campaign.slug}/updates.atom")
    feed = ET.fromstring(response.data)
    (entry,) = feed.iter(f"{ATOM}entry")
    assert entry.find(f"{ATOM}title").text == "Du <neuf> & du vieux"
    assert entry.find(f"{ATOM}content").text == "<p>x</p>"
    assert client.open("/campaigns/nowhere/updates.atom").status_code == 404


def test_the_sitemap_names_public_pages(client, session):
    world = build(session)
    draft = make_campaign(session, state=CampaignState.DRAFT)
    root = ET.fromstring(client.open("/sitemap.xml").data)
    places = {e.text for e in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert {f"{SITE}/", f"{SITE}/campaigns/{world.campaign.slug}"} <= places
    assert f"{SITE}/consultations/{world.consultation.slug}" in places
    assert f"{SITE}/campaigns/{draft.slug}" not in places


def test_robots_stay_out_of_what_is_somebodys_own(client):
    text = client.open("/robots.txt").text
    assert "Disallow: /answers/desk/" in text
    assert f"Sitemap: {SITE}/sitemap.xml" in text


def test_security_txt_says_whom_to_tell_and_is_not_expired(client):
    lines = dict(line.split(": ", 1) for line in client.open("/.well-known/security.txt").text.splitlines())
    assert lines["Contact"] == "mailto:bonjour@koz.test"
    assert datetime.fromisoformat(lines["Expires"]) > datetime.now(UTC)


def test_an_editor_finds_the_frame_by_the_address(client, session):
    campaign = make_campaign(session, title='Un "titre" <b>')
    url = f"{SITE}/campaigns/{campaign.slug}"
    found = client.open(f"/oembed?url={url}&maxwidth=300").get_json()
    assert (found["type"], found["version"], found["width"]) == ("rich", "1.0", 300)
    assert f"{SITE}/embed/campaigns/{campaign.slug}" in found["html"]
    assert "<b>" not in found["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("?url=https://evil.example/campaigns/x", 404),
        (f"?url={SITE}/campaigns/nowhere", 404),
        (f"?url={SITE}/campaigns/x&format=xml", 501),
        (f"?url={SITE}/campaigns/%s&maxwidth=-1", 400),
        (f"?url={SITE}/campaigns/%s&maxheight=x", 400),
        ("?url=http://[", 404),
    ],
)
def test_oembed_refuses_with_a_problem(client, session, query, status):
    campaign = make_campaign(session)
    response = client.open("/oembed" + query.replace("%s", campaign.slug))
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"


def test_the_page_in_a_frame_may_be_framed_and_nothing_else_may(client, session):
    campaign = make_campaign(session)
    page = client.get(f"/embed/campaigns/{campaign.slug}")
    assert "frame-ancestors *" in page.response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in page.response.headers
    assert not page.all("script")
    assert "frame-ancestors 'none'" in client.get("/answers").response.headers["Content-Security-Policy"]
