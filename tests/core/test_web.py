"""Around every page: headers, errors, languages, health."""

from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.conftest import make_app
from tests.factories.accounts import make_person
from tests.pageclient import PageClient


def test_health_and_readiness(client):
    assert client.get("/healthz").response.json == {"status": "ok"}
    assert client.get("/readyz").response.json == {"database": "ok", "queue": "ok", "status": "ready"}
    assert "koz_outbox_waiting 0.0" in client.get("/metrics").body


def test_readiness_says_that_the_database_is_down():
    app = make_app("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    assert PageClient(app).get("/readyz", status=503).response.json["database"] == "down"


def test_unknown_page_has_a_way_on_in_both_languages(client):
    page = client.get("/no-such-page", status=404, lang="fr")
    assert "/" in page.links()
    assert page.one("html").get("lang") == "fr"
    assert client.get("/no-such-page?lang=en", status=404).one("html").get("lang") == "en"


def test_security_headers(client):
    headers = client.get("/no-such-page", status=404).response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self' http://127.0.0.1:4242" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Language"] == "fr"


def test_a_number_that_no_row_can_have_leads_nowhere(client, login, session):
    login(make_person(session))
    for number in (2**63, 10**20, "9" * 400):
        for address in ("/missions/{}", "/manage/gifts/{}", "/engagements/{}", "/manage/missions/{}/matches"):
            assert client.open(address.format(number)).status_code == 404, address
    assert client.open(f"/missions/{2**63 - 1}").status_code == 404


def test_private_pages_are_kept_nowhere(client, login, session):
    assert client.get("/campaigns").response.headers["Cache-Control"] == "private, no-cache"
    assert client.get("/verify/abc").response.headers["Cache-Control"] == "no-store"
    login(make_person(session))
    for address in ("/my", "/security", "/manage"):
        assert client.get(address).response.headers["Cache-Control"] == "no-store"


def test_an_address_with_a_nul_is_not_found(client):
    for address in ("/campaigns/a%00b", "/campaigns?q=a%00b", "/%00"):
        assert client.open(address).status_code == 404, address


def test_a_pool_without_a_free_connection_is_said_and_not_a_bug(app, monkeypatch):
    def full():
        raise PoolTimeout

    endpoint, _values = app.url_map.bind("koz.test").match("/healthz")
    monkeypatch.setitem(app.view_functions, endpoint, full)
    answer = PageClient(app).open("/healthz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
