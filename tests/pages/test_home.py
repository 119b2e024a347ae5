"""The home page: public campaigns only, figures that come from rows, a bounded number of queries."""

from koz.campaigns.states import CampaignState
from tests.factories.campaigns import make_campaign


def test_home_shows_public_campaigns_and_what_came_in(client, session, queries):
    make_campaign(session, title="De l'eau propre", collected_minor=1234_50, gifts=2)
    make_campaign(session, title="Encore un brouillon", state=CampaignState.DRAFT)
    with queries() as q:
        page = client.get("/", lang="fr")
    assert q.count == 2
    assert "De l'eau propre" in page.text
    assert "brouillon" not in page.text
    assert "1 234,50 €" in page.text
    assert "€1,234.50" in client.get("/", lang="en").text
