"""Public pages of campaigns: who sees what, what the figures say, how many statements a page costs."""

from datetime import timedelta
from xml.etree.ElementTree import fromstring

from koz.accounts.models import Organisation
from koz.campaigns.models import BudgetLine, CampaignSource, CampaignUpdate, TimelineEntry
from koz.campaigns.states import CampaignState
from koz.core.clock import today
from koz.pages.covers import cover
from tests.factories.campaigns import make_campaign


def test_page_shows_the_ask_the_three_totals_and_the_budget(client, session):
    campaign = make_campaign(
        session, title="Un air respirable", addressee_name="Mme la maire", ask="de fermer la rue.",
        minimum_minor=8000_00, optimum_minor=12000_00, collected_minor=6120_50, gifts=88, lost_minor=10_00, refunded_minor=5_00,
    )  # fmt: skip
    session.add(
        BudgetLine(campaign_id=campaign.id, label="Étude juridique", minimum_minor=3500_00, optimum_minor=5000_00)
    )
    session.add(CampaignSource(campaign_id=campaign.id, title="Bilan de l'air", publisher="Observatoire"))
    session.flush()
    page = client.get(f"/campaigns/{campaign.slug}", lang="fr")
    for words in (
        "Mme la maire",
        "de fermer la rue.",
        "6 120,50 €",
        "1 879,50 €",
        "88 dons",
        "15 €",
        "Étude juridique",
    ):
        assert words in page.text, words
    assert "3 500 €, mieux 5 000 €" in page.text
    assert "Bilan de l'air" in page.text
    assert f"/campaigns/{campaign.slug}/give" in page.links()
    assert "€6,120.50" in client.get(f"/campaigns/{campaign.slug}", lang="en").text


def test_only_public_campaigns_have_a_page(client, session):
    for state in CampaignState:
        campaign = make_campaign(session, state=state)
        public = state in {"live", "funded", "failed", "consulting", "answered", "closed"}
        client.get(f"/campaigns/{campaign.slug}", status=200 if public else 404)
    unknown = client.get("/campaigns/rien-de-tel", status=404)
    assert "/" in unknown.links()


def test_give_is_offered_only_while_gifts_are_taken(client, session):
    over = make_campaign(session, deadline_on=today() - timedelta(days=1))
    failed = make_campaign(session, state=CampaignState.FAILED)
    for campaign in (over, failed):
        assert f"/campaigns/{campaign.slug}/give" not in client.get(f"/campaigns/{campaign.slug}").links()


def test_page_costs_the_same_however_much_it_holds(client, session, queries):
    small, large = make_campaign(session), make_campaign(session)
    for n in range(30):
        session.add(
            BudgetLine(campaign_id=large.id, position=n, label=f"Ligne {n}", minimum_minor=100, optimum_minor=100)
        )
        session.add(CampaignUpdate(campaign_id=large.id, title=f"Nouvelle {n}", body_md="", body_html=""))
        session.add(TimelineEntry(campaign_id=large.id, kind="update", key=f"u{n}"))
    session.flush()
    counts = []
    for campaign in (small, large):
        with queries() as q:
            client.get(f"/campaigns/{campaign.slug}")
        counts.append(q.count)
    assert counts[0] == counts[1] <= 6


def test_list_finds_by_words_and_by_stage_and_pages_by_key(client, session):
    for n in range(14):
        make_campaign(session, title=f"Un banc public {n}")
    make_campaign(session, title="Des pistes cyclables", state=CampaignState.ANSWERED)
    first = client.get("/campaigns?q=bancs", lang="fr")
    assert "Un banc public 13" in first.text
    assert "pistes" not in first.text
    following = next(link for link in first.links() if "after=" in link)
    second = client.get(following, lang="fr")
    assert "Un banc public 0" in second.text
    assert "Un banc public 13" not in second.text
    assert "pistes cyclables" in client.get("/campaigns?stage=answered", lang="fr").text
    assert "Aucune campagne" in client.get("/campaigns?q=xylophone", lang="fr").text
    client.get("/campaigns?after=abc&stage=nope", lang="fr")


def test_cover_is_a_picture_that_depends_on_the_slug_alone(client):
    one, again = client.open("/campaigns/air/cover.svg"), client.open("/campaigns/air/cover.svg")
    assert one.data == again.data != client.open("/campaigns/eau/cover.svg").data
    assert one.mimetype == "image/svg+xml"
    assert "immutable" in one.headers["Cache-Control"]
    assert len(fromstring(cover("air"))) == 25


def test_visitors_share_a_page_for_a_second_and_members_never_do(app, client, session, queries, login):
    campaign = make_campaign(session)
    app.config["BRIEF_CACHE_S"] = 60.0
    try:
        client.get(f"/campaigns/{campaign.slug}")
        with queries() as q:
            client.get(f"/campaigns/{campaign.slug}")
            assert q.count == 0
            assert "Give" in client.get(f"/campaigns/{campaign.slug}", lang="en").text
            assert q.count > 0
        from tests.factories.accounts import make_person

        login(make_person(session))
        assert "Mon Koz" in client.get(f"/campaigns/{campaign.slug}", lang="fr").text
    finally:
        app.config["BRIEF_CACHE_S"] = 0
        app.extensions.pop("koz_brief_cache", None)


def test_an_organisation_shows_its_public_campaigns(client, session):
    campaign = make_campaign(session, title="Un banc public")
    make_campaign(
        session, title="Encore un brouillon", state=CampaignState.DRAFT, organisation_id=campaign.organisation_id
    )
    organisation = session.get(Organisation, campaign.organisation_id)
    page = client.get(f"/organisations/{organisation.slug}", lang="fr")
    assert "Un banc public" in page.text
    assert "brouillon" not in page.text
    assert "n’est pas sur Koz" in client.get("/organisations/inconnue", status=404, lang="fr").text
