"""The home page and « Mon Koz »: public things only, figures that come from rows, a bounded number of queries."""

from koz.campaigns.states import CampaignState
from koz.payments.models import Gift
from tests.factories.accounts import make_organisation, make_person
from tests.factories.campaigns import make_campaign


def test_home_shows_public_campaigns_and_what_came_in(client, session):
    make_campaign(session, title="De l'eau propre", collected_minor=1234_50, gifts=2)
    make_campaign(session, title="Encore un brouillon", state=CampaignState.DRAFT)
    page = client.get("/", lang="fr")
    assert "De l'eau propre" in page.text
    assert "brouillon" not in page.text
    assert "1 234,50 €" in page.text
    assert "€1,234.50" in client.get("/", lang="en").text


def test_home_costs_the_same_with_one_campaign_and_with_many(client, session, queries):
    counts = []
    for _more in range(2):
        for _n in range(8):
            make_campaign(session)
        with queries() as q:
            client.get("/")
        counts.append(q.count)
    assert counts[0] == counts[1] <= 8


def test_my_koz_shows_what_is_mine_and_nothing_else(client, session, login, queries):
    me, other = make_person(session), make_person(session)
    organisation = make_organisation(session, owner=me, name="Air libre")
    campaign = make_campaign(session, title="Un banc public", organisation_id=organisation.id)
    for person, minor in ((me, 20_00), (other, 77_00)):
        session.add(
            Gift(campaign_id=campaign.id, organisation_id=organisation.id, person_id=person.id, email=person.email,
                 amount_minor=minor, state="collected")
        )  # fmt: skip
    session.flush()
    login(me)
    with queries() as q:
        page = client.get("/my", lang="fr")
    assert q.count <= 8
    assert "Air libre" in page.text
    assert "20 €" in page.text
    assert "77 €" not in page.text
    assert any("/gifts/" in link for link in page.links())
