"""How the API answers: pages, ETags, CORS, money and times, and a number of statements that does not grow."""

from datetime import date

import pytest

from koz.campaigns.models import Campaign, TimelineEntry
from koz.campaigns.states import CampaignState
from koz.core.clock import now
from koz.core.money import Money
from koz.payments import ledger
from tests.api.world import build, make_mission
from tests.factories.answers import make_answer, make_request
from tests.factories.campaigns import make_campaign
from tests.factories.consultations import make_consultation, make_contribution

CONTRACT = [
    "slug", "title", "summary", "state", "organisation", "ask", "addressee", "model", "currency", "minimum_minor",
    "optimum_minor", "promised_minor", "collected_minor", "refunded_minor", "lost_minor", "gifts", "donors",
    "deadline_at", "budget", "missions", "consultation", "answer", "links",
]  # fmt: skip


def get(client, path, **kwargs):
    response = client.open(path, **kwargs)
    assert response.status_code == 200, response.text[:400]
    return response.get_json()


def walk(client, path):
    """All items of a list, by following `next`; the Link header says the same."""
    items, seen = [], 0
    while path:
        response = client.open(path)
        body = response.get_json()
        items += body["items"]
        link = response.headers.get("Link")
        assert link == (f'<{body["next"]}>; rel="next"' if body["next"] else None)
        path = (body["next"] or "").removeprefix("http://127.0.0.1:8000")
        seen += 1
        assert seen < 20
    return items


def test_a_campaign_has_the_fields_of_the_contract_in_their_order(client, session):
    world = build(session)
    world.campaign.deadline_on = date(2026, 7, 31)
    session.flush()
    found = get(client, f"/api/v1/campaigns/{world.campaign.slug}")
    assert list(found) == [*CONTRACT, "skills_minor", "to_raise_minor"]
    assert found["deadline_at"] == "2026-07-31T21:59:59Z"
    assert list(found["budget"][0]) == [
        "label", "kind", "minimum_minor", "optimum_minor", "hours", "hours_given", "skills_minor",
    ]  # fmt: skip
    assert found["budget"][0]["minimum_minor"] == 100_00
    assert found["consultation"] == world.consultation.slug
    assert found["answer"]["standing"] == "answered"
    assert [m["title"] for m in found["missions"]] == ["Écrire le plaidoyer"]
    assert get(client, "/api/v1/campaigns")["items"] == [found]


def test_drafts_are_nowhere(client, session):
    for state in set(CampaignState) - {"live", "funded", "failed", "consulting", "answered", "closed"}:
        campaign = make_campaign(session, state=state)
        for tail in ("", "/ledger", "/timeline"):
            assert client.open(f"/api/v1/campaigns/{campaign.slug}{tail}").status_code == 404
    assert get(client, "/api/v1/campaigns")["items"] == []


def test_draft_answers_are_not_told(client, session):
    from koz.answers import services
    from tests.factories.answers import full_draft, make_due_request

    request = make_due_request(session)
    services.save_draft(session, request.id, full_draft(session, request))
    session.flush()
    (found,) = get(client, "/api/v1/answers")["items"]
    assert {(p["stance"], p["reasons_html"]) for p in found["points"]} == {(None, None)}
    assert found["commitments"] == []


def test_the_ledger_names_only_those_who_chose_it(client, session):
    world = build(session)
    rows = walk(client, f"/api/v1/campaigns/{world.campaign.slug}/ledger")
    assert [row["donor"] for row in rows] == [None, "Awa D."]
    assert rows[0]["total_gift_minor"] == 40_00
    assert {(row["gift_minor"], row["fee_minor"], row["net_minor"]) for row in rows} == {(20_00, 55, 19_45)}


def test_pages_join_without_gap_or_repeat(client, session):
    world = build(session)
    for _ in range(120):
        make_campaign(session, organisation_id=world.organisation.id)
    for n in range(130):
        session.add(
            TimelineEntry(campaign_id=world.campaign.id, at=now(), kind="update", params={"title": str(n)}, key=f"k{n}")
        )
        make_contribution(session, world.consultation, title=f"C{n}")
    session.flush()
    slugs = [c["slug"] for c in walk(client, "/api/v1/campaigns")]
    assert len(slugs) == len(set(slugs)) == 121
    entries = [e["text"] for e in walk(client, f"/api/v1/campaigns/{world.campaign.slug}/timeline")]
    assert len([e for e in entries if e.startswith(("Nouvelle", "News"))]) == 130
    ids = [c["id"] for c in walk(client, f"/api/v1/consultations/{world.consultation.slug}/contributions")]
    assert len(ids) == len(set(ids)) == 131


def test_consultations_join_over_pages(client, session):
    slugs = {make_consultation(session).slug for _ in range(60)}
    found = [c["slug"] for c in walk(client, "/api/v1/consultations")]
    assert len(found) == 60
    assert set(found) == slugs


def test_a_consultation_is_the_same_alone_and_in_its_list(client, session):
    world = build(session)
    alone = get(client, f"/api/v1/consultations/{world.consultation.slug}")
    assert get(client, "/api/v1/consultations")["items"] == [alone]
    assert (alone["contributions"], alone["votes"], alone["state"]) == (1, 9, "open")
    assert alone["campaign"] == world.campaign.slug


def test_the_same_answer_costs_a_304_and_a_change_is_seen(client, session):
    world = build(session)
    path = f"/api/v1/campaigns/{world.campaign.slug}"
    first = client.open(path)
    etag = first.headers["ETag"]
    assert etag.startswith('"'), "a weak or missing ETag"
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = client.open(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == etag
    session.get_one(Campaign, world.campaign.id).collected_minor += 1
    session.flush()
    changed = client.open(path, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.parametrize("path", ["/api/v1/campaigns", "/api/v1/campaigns/nowhere", "/api/v1/nowhere", "/oembed"])
def test_every_origin_may_read_errors_included(client, path):
    response = client.open(path, headers={"Origin": "https://example.org"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_a_preflight_is_answered(client):
    response = client.open("/api/v1/campaigns", method="OPTIONS", headers={"Origin": "https://example.org"})
    assert "GET" in response.headers["Access-Control-Allow-Methods"]
    assert "If-None-Match" in response.headers["Access-Control-Allow-Headers"]


def test_other_pages_stay_closed_to_other_origins(client):
    assert "Access-Control-Allow-Origin" not in client.open("/answers").headers


@pytest.mark.parametrize("kind", ["campaigns", "consultations", "organisations"])
@pytest.mark.parametrize("slug", ["a%00b", "%F0%9F%90%9F", "%ff", "a" * 3000, "..%2f..", "a'b;--"])
def test_odd_slugs_are_not_found(client, kind, slug):
    response = client.open(f"/api/v1/{kind}/{slug}")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"


def test_nothing_can_be_written(client):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = client.open("/api/v1/campaigns", method=method)
        assert response.status_code in {400, 405}
        assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/v1/campaigns", 6),
        ("/api/v1/missions", 2),
        ("/api/v1/consultations", 2),
        ("/api/v1/answers", 4),
    ],
)
def test_lists_cost_the_same_for_one_thing_and_for_many(client, session, queries, path, most):
    world = build(session)
    with queries() as few:
        get(client, path)
    for _ in range(12):
        make_answer(session, commitments=3)
        make_mission(session, world.campaign, world.concept)
        make_consultation(session)
    make_request(session)
    with queries() as many:
        get(client, path)
    assert few.count == many.count <= most


def test_the_ledger_joins_over_pages_at_two_statements_each(client, session, queries):
    world = build(session)
    provider, fees = (f(world.organisation.id) for f in (ledger.provider, ledger.fees))
    for n in range(60):
        lines = {ledger.donors(world.campaign.id): Money(-10_00), provider: Money(9_70), fees: Money(30)}
        ledger.post(session, f"x{n}:paid", lines, campaign_id=world.campaign.id)
    path = f"/api/v1/campaigns/{world.campaign.slug}/ledger"
    rows = walk(client, path)
    assert len({row["id"] for row in rows}) == len(rows) == 62
    assert [row["total_gift_minor"] for row in rows] == [40_00 + n * 10_00 for n in range(60, -1, -1)] + [20_00]
    with queries() as q:
        get(client, path)
    assert q.count == 2


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_people_can_read_what_there_is(client, lang):
    page = client.get("/api", lang=lang)
    assert "/api/v1/answers" in page.text
    assert "/api/v1/openapi.json" in page.links()
