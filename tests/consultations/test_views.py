"""Pages: read by anybody, written by people with a proved address; few statements, light, in two languages."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import func, select

from koz.campaigns.states import CampaignState
from koz.consultations import queries, services
from koz.consultations.models import Amendment, Argument, Contribution, ContributionVote, Participant, Source
from koz.consultations.states import ActorKind, Choice, ConsultationState, Side
from koz.core.clock import now
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.consultations import (
    cast_votes,
    make_amendment,
    make_argument,
    make_consultation,
    make_contribution,
)

LIGHT = 100_000


@pytest.fixture
def scene(session):
    consultation = make_consultation(session, sections=2, addressee="La maire")
    contribution = make_contribution(
        session, consultation, title="Ouvrir le soir", body_md="Parce **que** oui, le soir."
    )
    return consultation, contribution


@pytest.fixture
def citizen(session, login):
    person = make_person(session, name="Awa D.")
    login(person)
    return person


def at(consultation, rest=""):
    return f"/consultations/{consultation.slug}{rest}"


def count(session, table):
    return session.scalar(select(func.count()).select_from(table))


OPINION = {
    "title": "Il faut des bancs",
    "body": "Des bancs dans la rue, pour tout le monde.",
    "name": "Awa",
    "kind": "association",
}
REASON = {"body": "On se repose mieux assis que debout.", "name": "Awa", "kind": ""}


# --- reading ---


@pytest.mark.parametrize(
    ("lang", "words"), [("fr", ("Qui répondra", "Ce qu’on en dit")), ("en", ("Who will answer", "What people say"))]
)
def test_everybody_reads_the_question_the_text_and_the_voices(client, scene, lang, words):
    consultation, contribution = scene
    page = client.get(at(consultation), lang=lang)
    for words_shown in (consultation.question, "Texte de la partie 1", "Ouvrir le soir", *words):
        assert words_shown in page.text
    assert at(consultation, f"/contributions/{contribution.id}") in page.links()
    assert not page.all("form", method="post")
    assert any(link.startswith("/login?next=") and f"contribution-{contribution.id}" in link for link in page.links())


def test_a_section_shows_its_own_voices(client, session, scene):
    consultation, _contribution = scene
    second = queries.list_sections(session, consultation.id)[1]
    page = client.get(at(consultation, f"?section={second.id}"))
    assert "Ouvrir le soir" not in page.text
    client.get(at(consultation, "?section=999999"), status=404)
    client.get(at(consultation, "?section=x&after=zz"))


def test_drafts_are_seen_by_their_organisation_only(client, session, login):
    organisation = make_organisation(session)
    member = make_member(session, organisation, "editor")
    draft = make_consultation(
        session, organisation_id=organisation.id, state=ConsultationState.DRAFT, opens_at=None, closes_at=None
    )
    client.get(at(draft), status=404)
    client.get(at(draft, "/results"), status=404)
    assert draft.question not in client.get("/consultations").text
    login(member)
    assert "pas encore ouverte" in client.get(at(draft)).text


def test_the_list_shows_open_ones_first_and_goes_on_by_key(client, session):
    closed = make_consultation(session, state=ConsultationState.CLOSED, closes_at=now() - timedelta(hours=1))
    late = make_consultation(session, closes_at=now() - timedelta(seconds=5))  # its job has not run yet
    opened = [make_consultation(session) for _ in range(13)]
    page = client.get("/consultations")
    seen = [link.rsplit("/", 1)[1] for link in page.links() if re.fullmatch(r"/consultations/consultation-\d+", link)]
    (further,) = [link for link in page.links() if "after=" in link]
    seen += [
        link.rsplit("/", 1)[1]
        for link in client.get(further).links()
        if re.fullmatch(r"/consultations/consultation-\d+", link)
    ]
    assert seen == [c.slug for c in [*reversed(opened), late, closed]]


def test_pages_of_a_section_miss_and_repeat_nothing(client, session, scene):
    consultation, contribution = scene
    made = {contribution.id, *(make_contribution(session, consultation).id for _ in range(24))}
    url, seen = at(consultation), []
    while url:
        page = client.get(url)
        seen += [int(a.get("id").split("-")[1]) for a in page.all("article")]
        url = next((link for link in page.links() if "after=" in link), None)
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    "address", ["/consultations/none", "/consultations/none/results", "/consultations/none/contributions/1"]
)
def test_what_is_not_there_is_a_page_that_says_so(client, address):
    client.get(address, status=404)


def test_an_object_of_another_consultation_is_not_here(client, session, scene):
    consultation, contribution = scene
    other, amendment = make_consultation(session), make_amendment(session, contribution)
    client.get(at(other, f"/contributions/{contribution.id}"), status=404)
    client.get(at(other, f"/amendments/{amendment.id}"), status=404)
    client.get(at(consultation, f"/amendments/{amendment.id}"))


def test_the_same_few_statements_with_5_and_200_contributions(client, session, queries, citizen, scene):
    consultation, contribution = scene
    amendment = make_amendment(session, contribution)
    cast_votes(session, contribution, Choice.AGREE)
    addresses = [
        at(consultation), at(consultation, f"/contributions/{contribution.id}"), at(consultation, "/results"),
        at(consultation, f"/amendments/{amendment.id}"), "/consultations", at(consultation, "/results.csv"),
    ]  # fmt: skip

    def measure():
        counts, sizes = [], []
        for address in addresses:
            with queries() as q:
                page = client.get(address)
            counts.append(q.count)
            sizes.append(len(page.response.data))
        return counts, sizes

    person = make_person(session)
    for _ in range(4):
        make_contribution(session, consultation, person)
    few, _sizes = measure()
    long = "Une phrase plutôt longue, avec des mots. " * 140
    for n in range(195):
        made = make_contribution(session, consultation, person, title="Long titre " * 12, body_md=long[:5900])
        if n % 10 == 0:
            cast_votes(session, made, Choice.AGREE, Choice.DISAGREE)
    for n in range(30):
        side = Side.FOR if n % 2 else Side.AGAINST
        make_argument(session, contribution, side, sourced=True, person=person, body=long[:2000])
        make_amendment(session, contribution, person, proposed_md=long[:5900] + str(n), reason=long[:2000])
    many, sizes = measure()
    assert many == few
    assert max(many) <= 10, dict(zip(addresses, many, strict=True))
    assert max(sizes[:5]) < LIGHT, dict(zip(addresses, sizes, strict=True))


# --- voting ---


def test_a_visitor_who_votes_logs_in_and_comes_back_to_the_place(client, session, scene):
    consultation, contribution = scene
    person = make_person(session)
    back = at(consultation)
    address = at(consultation, f"/contributions/{contribution.id}/vote")
    page = client.post(
        address, {"choice": "agree", "back": back}, headers={"Referer": f"http://localhost{back}?section=1"}
    )
    assert page.response.location.startswith("/login?next=")
    answer = client.post(page.response.location, {"email": person.email, "password": "koz-demo-2026"})
    assert answer.response.location == f"{back}?section=1"
    assert count(session, ContributionVote) == 0
    page = client.get(back)
    assert page.all("form", action=address)


@pytest.mark.parametrize("referer", ["", "https://evil.test/consultations", "//evil.test", "nonsense"])
def test_a_page_of_somebody_else_is_no_place_to_come_back_to(client, scene, referer):
    consultation, contribution = scene
    address = at(consultation, f"/contributions/{contribution.id}/vote")
    page = client.post(address, {"choice": "agree"}, headers={"Referer": referer})
    assert unquote(page.response.location) == "/login?next=/"


def test_a_vote_is_shown_pressed_changed_and_taken_back(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/contributions/{contribution.id}")

    def pressed():
        page = client.get(address)
        return [b.get("value") for b in page.all("button", aria_pressed="true")]

    assert pressed() == []
    for choice in ("agree", "mixed", "disagree"):
        answer = client.post(address + "/vote", {"choice": choice, "back": at(consultation)})
        assert answer.response.location == at(consultation, f"#contribution-{contribution.id}")
        assert pressed() == [choice]
    client.post(address + "/vote", {"choice": "none"})
    assert pressed() == []
    assert count(session, ContributionVote) == 0


@pytest.mark.parametrize(
    "back", ["https://evil.test/", "//evil.test", "/consultations/other", "/login", "/consultations/\\x"]
)
def test_one_comes_back_to_this_consultation_only(client, scene, citizen, back):
    consultation, contribution = scene
    address = at(consultation, f"/contributions/{contribution.id}")
    answer = client.post(address + "/vote", {"choice": "agree", "back": back})
    assert answer.response.location == f"{address}#contribution-{contribution.id}"


def test_a_vote_that_is_none_a_missing_thing_and_a_missing_token_are_refused(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/contributions/{contribution.id}/vote")
    client.post(address, {"choice": "maybe"}, status=422)
    client.post(at(consultation, "/contributions/999999/vote"), {"choice": "agree"}, status=404)
    client.post(address, {"choice": "agree", "csrf_token": "wrong"}, status=400)
    assert count(session, ContributionVote) == 0


def test_unproved_addresses_read_but_neither_vote_nor_write(client, session, login, scene):
    consultation, contribution = scene
    login(make_person(session, verified=False))
    client.post(at(consultation, f"/contributions/{contribution.id}/vote"), {"choice": "agree"}, status=403)
    client.get(at(consultation, f"/contributions/{contribution.id}/argue"), status=403)
    client.get(at(consultation))


def test_useful_and_amendment_votes(client, session, scene, citizen):
    consultation, contribution = scene
    argument, amendment = make_argument(session, contribution), make_amendment(session, contribution)
    for useful, expected in (("1", 1), ("1", 1), ("0", 0)):
        client.post(at(consultation, f"/arguments/{argument.id}/useful"), {"useful": useful})
        session.refresh(argument)
        assert argument.useful == expected
    client.post(at(consultation, f"/amendments/{amendment.id}/vote"), {"choice": "mixed"})
    session.refresh(amendment)
    assert amendment.mixed == 1
    page = client.get(at(consultation, f"/amendments/{amendment.id}"))
    assert [b.get("value") for b in page.all("button", aria_pressed="true")] == ["mixed"]


def test_too_many_votes_wait(client, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/contributions/{contribution.id}/vote")
    answers = [
        client.open(address, method="POST", data={"csrf_token": client.csrf_token(), "choice": "agree"})
        for _ in range(121)
    ]
    assert [a.status_code for a in answers[-2:]] == [303, 429]


# --- writing ---


def test_an_opinion_is_published_under_the_name_chosen(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/sections/{contribution.section_id}/contribute")
    assert client.get(address).field("name") == "Awa D."
    shown = client.get(client.post(address, OPINION).response.location)
    assert "Il faut des bancs" in shown.text
    assert "Awa" in shown.text
    assert "Une association" in shown.text
    participant = session.get(Participant, (consultation.id, citizen.id))
    assert (participant.name, participant.kind) == ("Awa", ActorKind.ASSOCIATION)
    assert client.get(address).field("name") == "Awa"


def test_a_form_sent_twice_writes_once(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/sections/{contribution.section_id}/contribute")
    form = OPINION | {"form_key": client.get(address).field("form_key")}
    assert client.post(address, form).response.location == client.post(address, form).response.location
    assert count(session, Contribution) == 2


def test_a_visitor_is_led_to_the_form_through_the_login(client, scene):
    consultation, contribution = scene
    address = at(consultation, f"/sections/{contribution.section_id}/contribute")
    assert unquote(client.get(address, status=303).response.location) == f"/login?next={address}"


def test_who_was_logged_out_while_typing_finds_the_text_again(client, scene):
    consultation, contribution = scene
    page = client.post(at(consultation, f"/sections/{contribution.section_id}/contribute"), OPINION, status=403)
    assert page.field("body").strip() == OPINION["body"]
    assert page.field("title") == OPINION["title"]


def test_what_closes_while_one_types_is_refused_with_the_text_kept(client, session, scene, citizen):
    consultation, contribution = scene
    consultation.opens_at, consultation.closes_at = now() - timedelta(days=2), now() - timedelta(seconds=1)
    session.flush()
    address = at(consultation, f"/contributions/{contribution.id}/argue?side=for")
    page = client.post(address, REASON, status=409)
    assert page.field("body").strip() == REASON["body"]
    client.get(address, status=409)
    assert "argue" not in " ".join(client.get(at(consultation, f"/contributions/{contribution.id}")).links())


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("title", ""), ("title", "   "), ("title", "..."), ("title", "\u200b\u200b\u200b"), ("title", "a" * 141), ("body", ""),
        ("body", "!!! ??? ---"), ("body", "x " * 4000), ("name", ""), ("kind", "king"), ("body", "[mot](https://a.fr) " * 290),
    ],
)  # fmt: skip
def test_texts_that_say_nothing_or_too_much_are_refused_and_kept(client, session, scene, citizen, field, typed):
    consultation, contribution = scene
    address = at(consultation, f"/sections/{contribution.section_id}/contribute")
    page = client.post(address, OPINION | {field: typed}, status=422)
    assert count(session, Contribution) == 1
    kept = "title" if field != "title" else "body"
    assert page.field(kept).strip() == OPINION[kept]


def test_scripts_and_hidden_marks_do_not_get_through(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/sections/{contribution.section_id}/contribute")
    nasty = "<script>alert(1)</script> <img src=x onerror=alert(1)> [ici](javascript:alert(1)) \u202egnp.exe\x00 mots"
    shown = client.get(
        client.post(address, OPINION | {"title": f"Titre {nasty}"[:140], "body": nasty}).response.location
    )
    for bad in ("<script", "<img src=x", 'href="javascript', "\u202e", "\x00"):
        assert bad not in shown.body
    assert "alert(1)" in shown.text


def test_an_argument_with_its_source_comes_before_those_without(client, session, scene, citizen):
    consultation, contribution = scene
    make_argument(session, contribution, body="Sans source mais utile.")
    source = {
        "source_title": "Rapport sur les bancs", "source_kind": "report", "source_publisher": "INSEE",
        "source_url": "example.org/bancs", "source_on": "12/03/2024", "source_passage": "Un banc sert.",
    }  # fmt: skip
    address = at(consultation, f"/contributions/{contribution.id}/argue?side=for")
    answer = client.post(address, REASON | source)
    page = client.get(answer.response.location.split("#")[0])
    bodies = [a for a in page.all("article") if (a.get("id") or "").startswith("argument-")]
    assert "On se repose" in "".join(bodies[0].itertext())
    assert "Sans source" in "".join(bodies[1].itertext())
    stored = session.scalars(select(Source)).one()
    assert (stored.url, stored.published_on.isoformat()) == ("https://example.org/bancs", "2024-03-12")
    for words in ("Rapport sur les bancs", "INSEE", "Un banc sert.", "50 %"):
        assert words in page.text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("source_url", "javascript:alert(1)"), ("source_url", "ftp://example.org"), ("source_url", "https://a@b.org"),
        ("source_url", "pas une adresse"), ("source_title", ""), ("source_on", "hier"), ("source_on", "2999-01-01"),
        ("source_passage", "x" * 601), ("source_kind", "rumour"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_found_again_is_refused(client, session, scene, citizen, field, typed):
    consultation, contribution = scene
    source = {"source_title": "Rapport", "source_kind": "web", "source_url": "https://example.org/x"}
    page = client.post(
        at(consultation, f"/contributions/{contribution.id}/argue"), REASON | source | {field: typed}, status=422
    )
    assert page.field("body").strip() == REASON["body"]
    assert count(session, Argument) == 0


def test_only_the_author_adds_sources_and_at_most_five(client, session, scene, citizen):
    consultation, contribution = scene
    theirs, mine = make_argument(session, contribution), make_argument(session, contribution, person=citizen)
    source = {"source_title": "Rapport", "source_kind": "web", "source_url": "https://example.org/x"}
    client.post(at(consultation, f"/arguments/{theirs.id}/sources/new"), source, status=403)
    client.get(at(consultation, f"/arguments/{mine.id}/sources/new"))
    client.post(at(consultation, f"/arguments/{mine.id}/sources/new"), {"source_kind": "web"}, status=422)
    for _ in range(5):
        client.post(at(consultation, f"/arguments/{mine.id}/sources/new"), source)
    client.post(at(consultation, f"/arguments/{mine.id}/sources/new"), source, status=409)
    assert queries.list_mismatches(session) == []
    session.refresh(contribution)
    assert contribution.sourced_arguments == 1


def test_an_amendment_shows_what_changes_word_by_word(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/contributions/{contribution.id}/amend")
    assert client.get(address).field("proposed").strip() == contribution.body_md
    same = {
        "title": "Le matin aussi",
        "proposed": contribution.body_md,
        "reason": "C'est mieux pour tous.",
        "name": "Awa",
        "kind": "",
    }
    client.post(address, same, status=422)
    answer = client.post(address, same | {"proposed": contribution.body_md.replace("le soir", "le matin")})
    page = client.get(answer.response.location)
    assert ["soir" in "".join(d.itertext()) for d in page.all("del")] == [False, True]
    assert ["matin" in "".join(d.itertext()) for d in page.all("ins")] == [False, True]
    assert count(session, Amendment) == 1
    summary = client.get(at(consultation, f"/contributions/{contribution.id}"))
    assert "Le matin aussi" in summary.text
    assert len(summary.all("ins")) == 1


def test_a_section_is_amended_too(client, session, scene, citizen):
    consultation, contribution = scene
    address = at(consultation, f"/sections/{contribution.section_id}/amend")
    text = client.get(address).field("proposed").strip()
    form = {
        "title": "Autrement dit",
        "proposed": text.replace("mots", "phrases"),
        "reason": "Plus juste ainsi.",
        "name": "Awa",
        "kind": "",
    }
    page = client.get(client.post(address, form).response.location)
    assert "phrases" in page.text
    assert "Autrement dit" in client.get(at(consultation, f"/sections/{contribution.section_id}/amendments")).text
    assert "1 amendement à ce texte" in client.get(at(consultation)).text


def test_an_erased_account_keeps_its_words_and_loses_its_name(client, session, scene, citizen):
    from koz.accounts.services import erase_person

    consultation, contribution = scene
    client.post(at(consultation, f"/sections/{contribution.section_id}/contribute"), OPINION)
    erase_person(session, citizen.id)
    services.forget_person(session, citizen.id)
    session.flush()
    assert session.get(Participant, (consultation.id, citizen.id), populate_existing=True).name == ""
    page = client.get(at(consultation))
    assert "Il faut des bancs" in page.text
    assert "Awa" not in page.text


# --- results ---


@pytest.mark.parametrize(
    ("lang", "first", "second"),
    [("fr", "Ce qui rassemble", "Ce qui divise"), ("en", "What brings people together", "What divides them")],
)
def test_results_tell_what_unites_before_what_divides(client, session, scene, lang, first, second):
    consultation, united = scene
    cast_votes(session, united, *[Choice.AGREE] * 9, Choice.DISAGREE)
    split = make_contribution(session, consultation, title="Payer pour tous")
    cast_votes(session, split, *[Choice.AGREE] * 5, *[Choice.DISAGREE] * 5)
    make_argument(session, split, sourced=True)
    make_argument(session, split, Side.AGAINST)
    page = client.get(at(consultation, "/results"), lang=lang)
    assert (
        page.text.index(first)
        < page.text.index("Ouvrir le soir")
        < page.text.index(second)
        < page.text.index("Payer pour tous")
    )
    results = queries.results(session, consultation.id)
    # 20 voters, 2 authors of contributions, 2 of arguments
    assert results.participants == 24
    assert (results.total.votes, results.total.arguments, results.total.sourced) == (20, 2, 1)
    assert results.sourced_share == 0.5
    for figure in ("24", "20", "50"):
        assert figure in page.text
    assert at(consultation, "/results.csv") in page.links()


def test_results_without_anything_say_so(client, session):
    consultation = make_consultation(session, sections=0)
    page = client.get(at(consultation, "/results"))
    assert "trop peu de votes" in page.text
    client.get(at(consultation))


def test_the_rows_behind_the_figures_hold_no_formula_and_no_name(client, session, scene):
    consultation, _contribution = scene
    person = make_person(session, name="Nom Secret")
    make_contribution(session, consultation, person, title="=HYPERLINK(1)")
    text = client.get(at(consultation, "/results.csv")).body
    assert "'=HYPERLINK" in text
    assert "Nom Secret" not in text
    assert len(text.strip().splitlines()) == 3


def test_top_points_hold_the_supported_and_the_strongest_minority(session, scene):
    consultation, united = scene
    cast_votes(session, united, *[Choice.AGREE] * 9)
    weaker = make_contribution(session, consultation)
    cast_votes(session, weaker, *[Choice.AGREE] * 4)
    split = make_contribution(session, consultation)
    cast_votes(session, split, *[Choice.AGREE] * 5, *[Choice.DISAGREE] * 6)
    calm = make_contribution(session, consultation)
    cast_votes(session, calm, Choice.AGREE, Choice.DISAGREE)
    assert [p.contribution_id for p in queries.top_points(session, consultation.id, 1)] == [united.id, split.id]
    five = queries.top_points(session, consultation.id, 5)
    assert [p.contribution_id for p in five] == [united.id, weaker.id, split.id]
    assert [p.kind for p in five] == ["uniting", "uniting", "dividing"]


def test_few_votes_still_give_the_answer_its_points_each_once(session, scene):
    consultation, contribution = scene
    assert queries.top_points(session, consultation.id, 5) == []
    cast_votes(session, contribution, Choice.AGREE)
    other = make_contribution(session, consultation)
    cast_votes(session, other, *[Choice.AGREE] * 6, *[Choice.DISAGREE] * 5)
    points = queries.top_points(session, consultation.id, 5)
    assert sorted((p.contribution_id, p.kind) for p in points) == [(contribution.id, "uniting"), (other.id, "uniting")]
    assert [p.kind for p in queries.top_points(session, consultation.id, 1)] == ["uniting", "dividing"]


# --- preparing ---


@pytest.fixture
def ngo(session, login):
    organisation = make_organisation(session)
    login(make_member(session, organisation, "editor"))
    return make_campaign(
        session, organisation_id=organisation.id, ask="Nous demandons une cantine.", consultation_question="Et vous ?"
    )


def draft_form(page, **changes):
    form = {
        n: page.field(n)
        for n in ("version", "question", "intro", "days", "answer_days", "sections-0-title", "sections-0-body")
    }
    return form | changes


def test_the_ngo_prepares_and_it_opens_so(client, session, ngo):
    address = f"/manage/campaigns/{ngo.slug}/consultation"
    page = client.get(address)
    assert page.field("question") == "Et vous ?"
    more = client.post(address, draft_form(page, more="1", question="Typed?"), status=200)
    assert more.field("question") == "Typed?"
    form = draft_form(more, question="Faut-il une cantine ?", days="20") | {
        "sections-1-title": "Le budget",
        "sections-1-body": "Combien ?",
    }
    saved = client.get(client.post(address, form).response.location)
    assert "Enregistré" in saved.text
    assert saved.field("sections-1-title") == "Le budget"
    ngo.state = CampaignState.FUNDED
    session.flush()
    opened = services.open_for_campaign(session, ngo.id)
    assert [s.title for s in queries.list_sections(session, opened)][1] == "Le budget"
    assert "ne peut plus changer" in client.get(address).text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("question", ""),
        ("days", "0"),
        ("days", "beaucoup"),
        ("answer_days", "9999"),
        ("sections-0-title", ""),
        ("sections-0-drop", "y"),
    ],
)
def test_an_unusable_draft_is_refused_and_kept(client, ngo, field, typed):
    address = f"/manage/campaigns/{ngo.slug}/consultation"
    form = draft_form(client.get(address), intro="Une introduction.") | {field: typed}
    assert client.post(address, form, status=422).field("intro").strip() == "Une introduction."


def test_two_editors_do_not_overwrite_each_other(client, ngo):
    address = f"/manage/campaigns/{ngo.slug}/consultation"
    form = draft_form(client.get(address), question="La première question ?")
    client.post(address, form)
    kept = client.post(address, form | {"question": "La deuxième question ?"}, status=409)
    assert kept.field("question") == "La deuxième question ?"


def test_others_do_not_prepare(client, session, login):
    campaign = make_campaign(session, state=CampaignState.DRAFT)
    login(make_person(session))
    client.get(f"/manage/campaigns/{campaign.slug}/consultation", status=404)


def test_the_card_of_a_campaign(app, session):
    from flask import render_template

    campaign = make_campaign(session, state=CampaignState.FUNDED)
    assert queries.find_card(session, campaign.id) is None
    services.open_for_campaign(session, campaign.id)
    with app.test_request_context("/"):
        html = render_template("consultations/_card.html", card=queries.find_card(session, campaign.id))
    assert f"/consultations/{campaign.slug}/results" in html
