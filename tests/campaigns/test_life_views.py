"""The desk, review by staff, publishing, giving up, news and timeline, as each person meets them, with their mails."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from koz.accounts.models import AuditEntry
from koz.campaigns import queries, services
from koz.campaigns.services import News
from koz.campaigns.services.timeline import KINDS
from koz.campaigns.states import CampaignState, Decision
from koz.core.clock import today
from koz.core.i18n import in_locale
from koz.core.jobs import run_job
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign, make_payable

S = CampaignState


@pytest.fixture
def submitted(session, owner, draft):
    services.submit(session, owner, draft)
    session.flush()
    return draft


@pytest.fixture
def approved(session, people, submitted):
    services.review(session, people.actor(session, "staff"), submitted, Decision.APPROVE)
    session.flush()
    return submitted


@pytest.fixture
def live(session, people):
    return make_campaign(session, organisation_id=people.organisation.id, title="Des arbres")


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("state", CampaignState)
def test_the_desk_tells_what_is_next_in_each_state(client, session, login, people, lang, state):
    people.owner.locale = lang
    at = None if state in {S.DRAFT, S.SUBMITTED, S.CHANGES_REQUESTED, S.APPROVED} else people.owner.created_at
    campaign = make_campaign(session, organisation_id=people.organisation.id, state=state, live_at=at)
    login(people.owner)
    page = client.get(f"/manage/campaigns/{campaign.slug}")
    base = f"/manage/campaigns/{campaign.slug}"
    assert {f"{base}/missions", f"{base}/consultation", f"{base}/answer", f"{base}/gifts"} <= set(page.links())
    assert f"/manage/organisations/{people.organisation.slug}/payments" in page.links()
    client.get("/manage")


@pytest.mark.parametrize(("name", "status"), [
    ("owner", 200), ("editor", 200), ("treasurer", 200), ("moderator", 403), ("staff", 403), ("stranger", 404),
])  # fmt: skip
def test_who_sees_the_desk(client, login, people, draft, name, status):
    login(getattr(people, name))
    client.get(f"/manage/campaigns/{draft}", status=status)


def test_figures_stand_apart(client, session, login, people, live):
    live.live_at = people.owner.created_at
    live.promised_minor, live.collected_minor, live.refunded_minor, live.lost_minor = 11_00, 22_00, 3_00, 4_00
    session.flush()
    login(people.treasurer)
    text = client.get(f"/manage/campaigns/{live.slug}").text
    assert "11 € promis" in text.replace("promis", " promis").replace("  ", " ")
    assert "22 €" in text
    assert "7 €" in text


@pytest.mark.usefixtures("payable")
def test_from_submission_to_public_with_mails(client, session, login, people, draft, letters):
    login(people.editor)
    client.post(f"/manage/campaigns/{draft}/edit/check")
    login(people.staff)
    queue = client.get("/admin/reviews")
    assert f"/admin/reviews/{draft}" in queue.links()
    page = client.get(f"/admin/reviews/{draft}")
    assert "mairie@exemple.test" in page.text
    kept = client.post(f"/admin/reviews/{draft}", {"version": page.field("version"), "decision": "changes"}, status=422)
    assert kept.all("p", class_="error")
    reasons = "Ajoutez une source.\n\nEt le calendrier est flou."
    client.post(
        f"/admin/reviews/{draft}", {"version": page.field("version"), "decision": "changes", "reasons": reasons}
    )
    told = {letter.to_email: letter for letter in letters()}
    assert set(told) == {people.owner.email, people.editor.email, people.insider.email}
    assert "changements" in told[people.owner.email].subject
    assert "changes" in told[people.editor.email].subject, "each in their own language"
    assert "Et le calendrier est flou." in told[people.owner.email].text
    assert f"/manage/campaigns/{draft}/edit/check" in told[people.owner.email].text
    login(people.owner)
    assert "Ajoutez une source." in client.get(f"/manage/campaigns/{draft}").text
    assert f"/manage/campaigns/{draft}/edit/check" in client.get("/manage").links()
    client.post(f"/manage/campaigns/{draft}/edit/check")
    login(people.staff)
    page = client.get(f"/admin/reviews/{draft}")
    client.post(f"/admin/reviews/{draft}", {"version": page.field("version"), "decision": "approve"})
    assert len(letters()) == 3
    login(people.owner)
    client.get(f"/manage/campaigns/{draft}")
    client.post(f"/manage/campaigns/{draft}/publish")
    client.post("/logout")
    session.expire_all()
    assert queries.get_campaign(session, draft).state is S.LIVE
    assert client.get(f"/campaigns/{draft}/timeline").all("time")
    assert [e.act for e in session.scalars(select(AuditEntry))] == ["campaign.review"] * 2


def test_a_refusal_is_told_with_its_reasons(client, session, login, people, submitted, letters):
    login(people.staff)
    page = client.get(f"/admin/reviews/{submitted}")
    client.post(
        f"/admin/reviews/{submitted}",
        {"version": page.field("version"), "decision": "refuse", "reasons": "Hors la loi."},
    )
    assert all("Hors la loi." in letter.text for letter in letters())
    login(people.owner)
    assert "Hors la loi." in client.get(f"/manage/campaigns/{submitted}").text
    again = client.open(f"/admin/reviews/{submitted}")
    assert again.status_code == 404, "owners are no staff"


def test_members_among_staff_read_but_do_not_decide(client, login, people, submitted):
    login(people.insider)
    page = client.get(f"/admin/reviews/{submitted}")
    assert not page.all("input", name="decision")
    client.post(f"/admin/reviews/{submitted}", {"version": "1", "decision": "approve"}, status=403)


def test_two_reviewers_decide_once(client, session, login, people, submitted):
    login(people.staff)
    version = client.get(f"/admin/reviews/{submitted}").field("version")
    services.review(session, people.actor(session, "staff"), submitted, Decision.APPROVE)
    session.flush()
    client.post(f"/admin/reviews/{submitted}", {"version": version, "decision": "refuse", "reasons": "Non"}, status=409)
    session.expire_all()
    assert queries.get_campaign(session, submitted).state is S.APPROVED


@pytest.mark.parametrize(
    "data",
    [
        {"decision": "peut-être"},
        {},
        {"decision": "refuse", "reasons": " \n"},
        {"decision": "changes", "reasons": "x" * 3001},
    ],
)
def test_wrong_decisions_get_a_sentence(client, login, people, submitted, data):
    login(people.staff)
    page = client.post(f"/admin/reviews/{submitted}", {"version": "1"} | data, status=422)
    assert page.all("p", class_="error")
    client.get("/admin/reviews/inconnue", status=404)


def test_the_queue_is_oldest_first_and_costs_the_same(client, session, login, people, queries):
    login(people.staff)
    old = make_campaign(
        session, state=S.SUBMITTED, submitted_at=people.owner.created_at - timedelta(days=3), title="Vieille"
    )
    make_campaign(session, state=S.SUBMITTED, submitted_at=people.owner.created_at, title="Neuve")
    with queries() as few:
        links = [link for link in client.get("/admin/reviews").links() if link.startswith("/admin/reviews/")]
    assert links[0].endswith(old.slug)
    for _ in range(20):
        make_campaign(session, state=S.SUBMITTED, submitted_at=people.owner.created_at)
    with queries() as many:
        client.get("/admin/reviews")
    assert few.count == many.count <= 3


def test_publishing_says_what_is_missing_first(client, session, login, people, approved):
    login(people.owner)
    page = client.get(f"/manage/campaigns/{approved}")
    assert "compte de paiement" in page.text
    refused = client.post(f"/manage/campaigns/{approved}/publish", status=409)
    assert refused.all("div", role="alert")
    make_payable(session, people.organisation.id)
    client.post(f"/manage/campaigns/{approved}/publish")
    client.post(f"/manage/campaigns/{approved}/publish")


@pytest.mark.parametrize(("name", "status"), [("editor", 403), ("treasurer", 403), ("staff", 403), ("stranger", 404)])
@pytest.mark.usefixtures("payable")
def test_only_owners_decide(client, login, people, approved, name, status):
    login(getattr(people, name))
    for act in ("publish", "cancel"):
        client.post(f"/manage/campaigns/{approved}/{act}", {"reason": "R"}, status=status)


def test_giving_up_asks_why_and_tells_the_followers(client, session, login, people, live, letters):
    follower = make_person(session, locale="en")
    services.follow(session, people.actor(session, "stranger"), live.slug)
    session.flush()
    login(people.owner)
    client.get(f"/manage/campaigns/{live.slug}/cancel")
    client.post(f"/manage/campaigns/{live.slug}/cancel", {"reason": ""}, status=422)
    client.post(f"/manage/campaigns/{live.slug}/cancel", {"reason": "Le maire a dit oui."})
    (letter,) = letters()
    assert letter.to_email == people.stranger.email != follower.email
    assert "Le maire a dit oui." in letter.text
    client.get(f"/campaigns/{live.slug}/timeline", status=404)
    client.get(f"/manage/campaigns/{live.slug}")


def test_gifts_stand_in_the_way_of_giving_up(client, session, login, people, live):
    live.collected_minor = 5_00
    session.flush()
    login(people.owner)
    page = client.post(f"/manage/campaigns/{live.slug}/cancel", {"reason": "Gardé"}, status=409)
    assert page.field("reason").strip() == "Gardé"


def test_the_end_below_the_minimum_is_told(session, people, live, letters):
    live.deadline_on, live.on_failure = today() - timedelta(days=2), "Nous le disons."
    services.follow(session, people.actor(session, "stranger"), live.slug)
    session.flush()
    run_job("campaigns.close_due")
    run_job("campaigns.close_due")
    told = letters()
    assert {letter.to_email for letter in told} == {
        people.owner.email,
        people.editor.email,
        people.insider.email,
        people.stranger.email,
    }
    assert all("Nous le disons." in letter.text for letter in told)
    assert [bool(re.search("/unfollow/", letter.text)) for letter in told].count(True) == 1


def test_news_is_looked_at_then_published_then_told(client, session, login, people, live, letters):
    services.follow(session, people.actor(session, "stranger"), live.slug)
    session.flush()
    login(people.editor)
    form = client.get(f"/manage/campaigns/{live.slug}/updates/new")
    data = {"nonce": form.field("nonce"), "title": "Dix dons", "body_md": "Merci **à tous** <script>x</script>"}
    seen = client.post(f"/manage/campaigns/{live.slug}/updates/new", data | {"go": "preview"}, status=200)
    assert seen.all("strong")
    assert letters() == []
    assert seen.field("nonce") == data["nonce"]
    first = client.post(f"/manage/campaigns/{live.slug}/updates/new", data | {"go": "publish"}).response.location
    assert (
        client.post(f"/manage/campaigns/{live.slug}/updates/new", data | {"go": "publish"}).response.location == first
    )
    (letter,) = letters()
    assert "Dix dons" in letter.subject
    assert first in letter.text
    client.post("/logout")
    assert client.get(first).all("strong")
    assert first in client.get(f"/campaigns/{live.slug}/updates").links()
    assert first in client.get(f"/campaigns/{live.slug}/timeline").links()


@pytest.mark.parametrize(
    "data",
    [
        {"title": "", "body_md": "B"},
        {"title": "T" * 141, "body_md": "B"},
        {"title": "T", "body_md": "x" * 20_001},
        {"title": "T", "body_md": ""},
    ],
)
def test_news_that_is_not_right_keeps_the_typing(client, login, people, live, data):
    login(people.owner)
    page = client.post(f"/manage/campaigns/{live.slug}/updates/new", data | {"go": "publish"}, status=422)
    assert page.field("title") == data["title"]
    assert page.field("body_md").strip() == data["body_md"]


def test_no_news_before_it_is_public_nor_by_others(client, login, people, draft, live):
    login(people.owner)
    client.get(f"/manage/campaigns/{draft}/updates/new", status=403)
    login(people.treasurer)
    client.get(f"/manage/campaigns/{live.slug}/updates/new", status=403)


def test_news_belongs_to_its_campaign(client, session, people, owner, live):
    other = make_campaign(session)
    update = services.publish_update(session, owner, live.slug, News(title="T", body_md="B"))
    session.flush()
    client.get(f"/campaigns/{live.slug}/updates/{update.id}")
    client.get(f"/campaigns/{other.slug}/updates/{update.id}", status=404)
    client.get(f"/campaigns/{live.slug}/updates/{10**15}", status=404)


@pytest.mark.parametrize("number", ["9" * 30, "x", "-1", "²"])
def test_odd_numbers_find_no_news(client, live, number):
    client.get(f"/campaigns/{live.slug}/updates/{number}", status=404)
    client.get(f"/campaigns/{live.slug}/updates?after={number}")
    client.get(f"/campaigns/{live.slug}/timeline?after={number}")


@pytest.mark.parametrize("path", ["timeline", "updates", "follow"])
@pytest.mark.parametrize("state", CampaignState)
def test_what_is_not_public_is_not_found(client, session, state, path):
    campaign = make_campaign(session, state=state)
    public = state in {S.LIVE, S.FUNDED, S.FAILED, S.CONSULTING, S.ANSWERED, S.CLOSED}
    client.get(f"/campaigns/{campaign.slug}/{path}", status=200 if public else 404)


def test_the_timeline_is_paged_whole_and_in_order(client, session, live, queries):
    for n in range(120):
        services.add_timeline(session, live.id, "update", {"title": f"N{n:03d}"}, key=f"u{n}")
    session.flush()
    seen, url = [], f"/campaigns/{live.slug}/timeline"
    while url:
        with queries() as q:
            page = client.get(url)
        assert q.count == 2
        seen += re.findall(r"N\d{3}", page.text)
        url = next((a.get("href") for a in page.all("a", rel="next")), None)
    assert seen == [f"N{n:03d}" for n in reversed(range(120))]


@pytest.mark.parametrize("kind", [*KINDS, "something_new"])
def test_every_kind_is_told_in_both_languages_with_and_without_values(app, kind):
    values = {
        "collected_minor": 1,
        "minimum_minor": 2,
        "amount_minor": 3,
        "title": "T",
        "reason": "R",
        "due_on": "2026-11-24",
        "addressee": "A",
        "text": "X",
    }
    for params in ({}, values, {"due_on": "nonsense"}):
        with in_locale("fr"):
            french = services.describe(kind, params)
        with in_locale("en"):
            english = services.describe(kind, params)
        assert french
        assert english
        assert french != english or kind == "something_new"


def test_script_on_the_timeline_is_text(client, session, live):
    services.add_timeline(session, live.id, "update", {"title": "<script>x</script>"}, key="a")
    services.add_timeline(session, live.id, "<b>odd</b>", {}, key="b")
    session.flush()
    page = client.get(f"/campaigns/{live.slug}/timeline")
    assert "<script>x</script>" in page.text
    assert not page.all("b")


def test_public_pages_cost_visitors_little(client, session, live, queries, owner):
    update = services.publish_update(session, owner, live.slug, News(title="T", body_md="B"))
    session.flush()
    for path in ("updates", f"updates/{update.id}", "timeline", "follow"):
        with queries() as q:
            client.get(f"/campaigns/{live.slug}/{path}")
        assert q.count <= 2, path
