"""The pages: register, answer, the official's desk behind a link, the association's side."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from koz.answers import queries, services
from koz.answers.states import RequestState
from koz.campaigns.models import Campaign
from koz.core.clock import today
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.answers import OFFICIAL, desk, full_draft, make_answer, make_due_request, make_request


def slug_of(session, request):
    return session.get(Campaign, request.campaign_id).slug


def answer_fields(session, request, **more):
    """What the official types into the page."""
    fields = {"version": str(request.draft_version), "signed_name": "Jeanne Maire", "signed_function": "Maire"}
    for point in queries.list_points(session, request.id):
        fields |= {f"point{point.id}-stance": "partly", f"point{point.id}-reasons": "Nous le pouvons *en été*."}
    return fields | more


def commitment_fields(number=1, **values):
    typed = {"text": "Ouvrir le dimanche", "owner": "Direction des sports", "due_on": str(today() + timedelta(30))}
    return {f"commitment{number}-{name}": value for name, value in (typed | values).items()}


def test_opening_the_link_changes_nothing(client, session, queries):
    request = make_request(session)
    with queries() as q:
        page = client.get(desk(request))
    assert "Ouvrir la piscine le dimanche" in page.text
    assert not [s for s in q.seen if s.split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.response.headers["X-Robots-Tag"]


@pytest.mark.parametrize("path", ["", "/answer", "/preview"])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_bad_link_gets_a_sentence(client, session, path, lang):
    request = make_due_request(session)
    forged = client.get(f"/answers/desk/x{path}", status=404, lang=lang)
    assert ("valable" if lang == "fr" else "not valid") in forged.text
    address = desk(request)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=401)):
        expired = client.get(address + path, status=410, lang=lang)
    assert ("expir" in expired.text) and expired.text != forged.text
    services.resend_link(session, request.id, replace=True)
    session.flush()
    replaced = client.get(address + path, status=410, lang=lang)
    assert ("remplac" if lang == "fr" else "replaced") in replaced.text


def test_the_official_accepts_by_a_button(client, session):
    request = make_request(session)
    client.post(f"{desk(request)}/accept")
    session.refresh(request)
    assert request.state is RequestState.ACCEPTED
    client.post(f"{desk(request)}/accept")
    assert "Je répondrai" not in client.get(desk(request)).text


def test_from_draft_to_published_answer(client, session):
    request = make_due_request(session)
    address = desk(request)
    fields = answer_fields(session, request, preview="1") | commitment_fields()
    sent = client.post(f"{address}/answer", fields)
    assert sent.response.location.endswith("/preview")
    slug = slug_of(session, request)
    assert "en été" not in client.get(f"/campaigns/{slug}/answer").text, "a draft is public"
    preview = client.get(f"{address}/preview")
    assert "en été" in preview.text
    client.post(f"{address}/publish")
    client.post(f"{address}/publish")
    page = client.get(f"/campaigns/{slug}/answer")
    assert "<em>en été</em>" in page.body
    assert "Jeanne Maire" in page.text
    assert "ville.koz.test" in page.text
    assert OFFICIAL not in page.body
    assert "Ouvrir le dimanche" in page.text
    written = client.get(f"{address}/answer", status=303)
    assert written.response.location.endswith(address)


def test_nothing_typed_is_lost_when_something_is_wrong(client, session):
    request = make_due_request(session)
    fields = answer_fields(session, request) | commitment_fields(due_on="demain", proof_url="page 4")
    page = client.post(f"{desk(request)}/answer", fields, status=422)
    assert page.field("signed_name") == "Jeanne Maire"
    assert page.field("commitment1-due_on") == "demain"
    assert page.field("commitment1-proof_url") == "page 4"
    first = queries.list_points(session, request.id)[0]
    assert page.field(f"point{first.id}-reasons").strip() == "Nous le pouvons *en été*."
    assert [e for e in page.all("input", name=f"point{first.id}-stance", value="partly") if "checked" in e.attrib]


def test_two_people_with_one_link_do_not_write_over_each_other_unknowingly(client, session):
    request = make_due_request(session)
    address = f"{desk(request)}/answer"
    first = queries.list_points(session, request.id)[0]
    mine = answer_fields(session, request) | {f"point{first.id}-reasons": "le mien"}
    theirs = answer_fields(session, request) | {f"point{first.id}-reasons": "le leur"}
    client.post(address, theirs)
    page = client.post(address, mine, status=409)
    assert page.field(f"point{first.id}-reasons").strip() == "le mien"
    assert "le leur" in page.text
    client.post(address, mine | {"version": page.field("version")})
    session.expire_all()
    assert queries.list_points(session, request.id)[0].reasons_md == "le mien"


@pytest.mark.parametrize("version", ["", "x", "-1", "1e9", "9" * 40, "²"])
def test_a_tampered_draft_number_is_a_conflict_not_a_crash(client, session, version):
    request = make_due_request(session)
    client.post(f"{desk(request)}/answer", answer_fields(session, request, version=version), status=409)


def test_a_row_can_be_added_without_javascript(client, session):
    request = make_due_request(session)
    fields = answer_fields(session, request, more="1") | commitment_fields() | commitment_fields(2, text="Et le lundi")
    sent = client.post(f"{desk(request)}/answer", fields)
    page = client.get(sent.response.location)
    assert page.field("commitment2-text") == "Et le lundi"
    assert page.field("commitment4-text") == ""


def test_an_incomplete_answer_names_what_is_missing(client, session):
    request = make_due_request(session)
    client.post(f"{desk(request)}/answer", {"version": "0"})
    page = client.get(f"{desk(request)}/preview")
    assert not page.all("form", action=f"{desk(request)}/publish")
    missing = [link for link in page.links() if "#point-" in link or "#signature" in link]
    assert len(missing) == 4
    client.post(f"{desk(request)}/publish", status=422)


def test_markdown_of_the_official_is_made_safe(client, session):
    request = make_due_request(session)
    evil = "<script>alert(1)</script> [x](javascript:alert(1))"
    first = queries.list_points(session, request.id)[0]
    fields = answer_fields(session, request) | {f"point{first.id}-reasons": evil}
    client.post(f"{desk(request)}/answer", fields)
    client.post(f"{desk(request)}/publish")
    page = client.get(f"/campaigns/{slug_of(session, request)}/answer")
    assert not page.all("script")
    assert not [link for link in page.links() if link.startswith("javascript")]


def test_after_publication_notes_and_commitments(client, session):
    request = make_answer(session)
    address = desk(request)
    (one,) = queries.list_commitments(session, request.id)
    for nothing in ("", "  \n "):
        client.post(f"{address}/notes", {"body": nothing}, status=422)
    client.post(f"{address}/notes", {"body": "Lire juin."})
    wrong = client.post(
        f"{address}/commitments/{one.id}", {f"c{one.id}-state": "dropped", f"c{one.id}-note": ""}, status=422
    )
    assert wrong.field(f"c{one.id}-state") == "dropped"
    client.post(f"{address}/commitments/{one.id}", {f"c{one.id}-state": "under_way", f"c{one.id}-note": "Devis signé"})
    page = client.get(f"/campaigns/{slug_of(session, request)}/answer")
    assert "Lire juin." in page.text
    assert "Devis signé" in page.text


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("show", ["", "?show=answered", "?show=waiting", "?show=overdue", "?show=x&after=y"])
def test_the_register_filters_and_never_breaks(client, session, lang, show):
    make_answer(session)
    make_due_request(session, closed_days_ago=70)
    make_request(session, addressee_name="", addressee_body="", ask="")
    page = client.get(f"/answers{show}", lang=lang)
    silent = "Silence depuis 10 jours" if lang == "fr" else "Silent for 10 days"
    assert (silent in page.text) == (show in {"", "?show=overdue", "?show=x&after=y"})


def test_an_empty_register_says_so(client):
    assert len(client.get("/answers").all("table")) == 0


def test_the_register_costs_the_same_for_one_line_and_for_many(client, session, queries):
    make_answer(session)
    with queries() as few:
        client.get("/answers")
    for _ in range(30):
        make_due_request(session, closed_days_ago=70)
    with queries() as many:
        page = client.get("/answers")
    assert many.count == few.count <= 4
    assert any("after=" in link for link in page.links())


def test_the_answer_page_costs_the_same_for_many_commitments(client, session, queries):
    one, many = (slug_of(session, make_answer(session, commitments=n)) for n in (1, 12))
    with queries() as few:
        client.get(f"/campaigns/{one}/answer")
    with queries() as more:
        client.get(f"/campaigns/{many}/answer")
    assert more.count == few.count <= 5


def test_a_campaign_that_is_not_public_shows_nothing(client, session):
    client.get("/campaigns/nowhere/answer", status=404)


def test_the_association_sends_the_link_again_but_not_elsewhere(client, session, login, letters):
    owner = make_person(session)
    organisation = make_organisation(session, owner=owner)
    request = make_request(session, organisation_id=organisation.id)
    slug = slug_of(session, request)
    letters()
    login(owner)
    page = client.get(f"/manage/campaigns/{slug}/answer")
    assert OFFICIAL in page.text
    client.post(f"/manage/campaigns/{slug}/answer/link")
    (letter,) = letters()
    assert letter.to_email == OFFICIAL
    client.post(f"/manage/campaigns/{slug}/answer/link", {"replace": "1"})
    (second,) = letters()
    old, new = (re.search(r"/answers/desk/\S+", part.text)[0] for part in (letter, second))
    client.get(old, status=410)
    client.get(new)
    for _ in range(3):
        client.post(f"/manage/campaigns/{slug}/answer/link")
    client.post(f"/manage/campaigns/{slug}/answer/link", status=429)


def test_only_those_who_write_for_the_campaign_send_links_or_proofs(client, session, login):
    organisation = make_organisation(session)
    request = make_answer(session, organisation_id=organisation.id)
    slug, (one,) = slug_of(session, request), queries.list_commitments(session, request.id)
    login(make_member(session, organisation, "treasurer"))
    client.get(f"/manage/campaigns/{slug}/answer")
    client.post(f"/manage/campaigns/{slug}/answer/link", status=403)
    client.post(f"/manage/campaigns/{slug}/answer/commitments/{one.id}", status=403)
    client.client = client.app.test_client()
    client.token = ""
    login(make_person(session))
    client.get(f"/manage/campaigns/{slug}/answer", status=403)


def test_the_association_adds_what_it_saw(client, session, login):
    owner = make_person(session)
    request = make_answer(session, organisation_id=make_organisation(session, owner=owner).id)
    slug, (one,) = slug_of(session, request), queries.list_commitments(session, request.id)
    login(owner)
    address = f"/manage/campaigns/{slug}/answer/commitments/{one.id}"
    wrong = client.post(address, {f"c{one.id}-note": "vu", f"c{one.id}-proof_url": "ftp"}, status=422)
    assert wrong.field(f"c{one.id}-note") == "vu"
    client.post(address, {f"c{one.id}-note": "", f"c{one.id}-proof_url": ""}, status=422)
    client.post(address, {f"c{one.id}-note": "Ouverte ce matin"})
    assert "Ouverte ce matin" in client.get(f"/campaigns/{slug}/answer").text


def test_the_association_sees_where_it_stands_before_anybody_is_asked(client, session, login):
    from tests.factories.campaigns import make_campaign

    owner = make_person(session)
    campaign = make_campaign(session, organisation_id=make_organisation(session, owner=owner).id)
    login(owner)
    client.get(f"/manage/campaigns/{campaign.slug}/answer")
    client.post(f"/manage/campaigns/{campaign.slug}/answer/link", status=404)


def test_a_draft_kept_by_service_is_shown_again(client, session):
    request = make_due_request(session)
    services.save_draft(session, request.id, full_draft(session, request))
    session.flush()
    page = client.get(f"{desk(request)}/answer")
    assert page.field("signed_name") == "Jeanne Maire"
    assert page.field("commitment1-text") == "Ouvrir 1 dimanche"
