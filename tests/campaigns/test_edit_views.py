"""The guided form, step by step, as people fill it in: in both languages, with right and wrong input."""

from datetime import timedelta

import pytest

from koz.campaigns import queries, services
from koz.campaigns.services import NewCampaign, Story
from koz.campaigns.states import CampaignState, LineKind
from koz.core.clock import today
from tests.factories.accounts import make_organisation
from tests.factories.campaigns import make_campaign

SCRIPT = "<script>alert('x')</script>\"'&"


def version(session, slug):
    session.expire_all()
    return str(queries.get_campaign(session, slug).version)


def row(n, **fields):
    return {f"rows-{n}-{name}": value for name, value in fields.items()}


@pytest.fixture
def post(client, session, login, people, draft):
    """`post(step, fields)`: an editor sends a step of the complete draft, with the version that is stored."""
    login(people.owner)

    def send(step, fields, *, status=303, **more):
        data = {"version": version(session, draft), "go": "stay"} | fields | more
        page = client.post(f"/manage/campaigns/{draft}/edit/{step}", data, status=status)
        session.expire_all()
        return page

    return send


def stored(session, draft):
    session.expire_all()
    return queries.get_campaign(session, draft)


def test_from_a_title_to_the_first_step(client, session, login, people):
    login(people.owner)
    page = client.get("/manage/campaigns/new")
    assert "Cours ouvertes" in page.text
    answer = client.post(
        "/manage/campaigns/new", {"organisation": page.field("organisation"), "title": "Des arbres partout"}
    )
    assert answer.response.location == "/manage/campaigns/des-arbres-partout/edit/ask"
    client.get(answer.response.location)


def test_the_organisation_is_chosen_when_there_are_several(client, session, login, people):
    second = make_organisation(session, owner=people.owner, name="Zèbres")
    foreign = make_organisation(session)
    login(people.owner)
    assert len(client.get("/manage/campaigns/new").all("option")) == 2
    refused = client.post("/manage/campaigns/new", {"organisation": foreign.id, "title": "T"}, status=422)
    assert refused.field("title") == "T"
    client.post("/manage/campaigns/new", {"organisation": "²", "title": "T"}, status=422)
    client.post("/manage/campaigns/new", {"organisation": second.id, "title": "T"})
    assert queries.get_campaign(session, "t").organisation_id == second.id


def test_without_an_organisation_the_way_is_shown(client, login, session, people):
    login(people.treasurer)
    assert "/manage/organisations/new" in client.get("/manage/campaigns/new").links()


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_step_reads_in_both_languages(client, session, login, people, draft, lang):
    people.owner.locale = lang
    session.flush()
    login(people.owner)
    for step in ("ask", "story", "budget", "sources", "end", "check"):
        page = client.get(f"/manage/campaigns/{draft}/edit/{step}")
        assert ("tape" in page.text) is (lang == "fr")
        assert ("Step" in page.text) is (lang == "en")
        assert sum("/edit/" in link for link in page.links()) >= 6


def test_all_steps_save_what_is_typed_and_lead_on(post, session, draft):
    day = today() + timedelta(days=40)
    assert post(
        "ask",
        {
            "title": "T",
            "ask": "A",
            "addressee_name": "N",
            "addressee_body": "B",
            "addressee_email": "a@b.fr",
            "cause": "housing",
            "summary": "S\nS",
        },
        go="next",
    ).response.location.endswith("/edit/story")
    assert post(
        "story", {"story_md": "# Un\n\n**deux**", "expected_result": "R", "calendar": "C"}, go="next"
    ).response.location.endswith("/edit/budget")
    assert post(
        "budget", row(0, label="L", kind="money", minimum="1 234,50", optimum="2000"), go="next"
    ).response.location.endswith("/edit/sources")
    assert post(
        "sources",
        row(0, title="D", url="https://example.org/a?b=c", publisher="P", published_on="2020-02-29"),
        go="next",
    ).response.location.endswith("/edit/end")
    assert post(
        "end",
        {
            "deadline_on": day.isoformat(),
            "on_success": "Oui",
            "on_failure": "Non",
            "consultation_template": "text",
            "consultation_question": "Q ?",
        },
        go="next",
    ).response.location.endswith("/edit/check")
    campaign = stored(session, draft)
    assert (campaign.title, campaign.ask, campaign.cause, campaign.summary) == ("T", "A", "housing", "S S")
    assert "<h3>Un</h3>" in campaign.story_html
    assert (campaign.minimum_minor, campaign.optimum_minor) == (1234_50, 2000_00)
    assert campaign.deadline_on == day
    (source,) = queries.list_sources(session, campaign.id)
    assert source.published_on.isoformat() == "2020-02-29"


def test_script_in_every_field_is_shown_as_text(post, client, draft, session):
    post(
        "ask",
        dict.fromkeys(("title", "ask", "addressee_name", "addressee_body", "summary"), SCRIPT) | {"cause": "other"},
    )
    post(
        "story",
        dict.fromkeys(
            ("story_md", "expected_result", "calendar"),
            SCRIPT + " [a](javascript:alert(1)) <img src=x onerror=alert(1)>",
        ),
    )
    post("budget", row(0, label=SCRIPT, kind="money", minimum="1"))
    post("sources", row(0, title=SCRIPT, publisher=SCRIPT))
    post(
        "end",
        dict.fromkeys(("on_success", "on_failure", "consultation_question"), SCRIPT)
        | {"consultation_template": "text"},
    )
    page = client.get(f"/manage/campaigns/{draft}/edit/check")
    assert SCRIPT in page.text
    assert not [s for s in page.all("script") if not s.get("src")]
    assert not page.all("img")
    assert not [a for a in page.links() if a.startswith("javascript")]
    assert client.get(f"/manage/campaigns/{draft}/edit/ask").field("title") == SCRIPT


@pytest.mark.parametrize(("step", "field", "value"), [
    ("ask", "title", ""), ("ask", "title", "t" * 141), ("ask", "ask", "a" * 301), ("ask", "summary", "s" * 301),
    ("ask", "addressee_email", "pas une adresse"), ("ask", "addressee_email", "a@b@c.fr"),
    ("ask", "addressee_name", "n" * 141), ("ask", "cause", "girafes"),
    ("story", "story_md", "x" * 20_001), ("story", "calendar", "x" * 3_001),
    ("end", "deadline_on", "2020-01-01"), ("end", "deadline_on", "31/02/2027"), ("end", "deadline_on", "demain"),
    ("end", "deadline_on", "9999-12-31"), ("end", "deadline_on", "1e400"), ("end", "consultation_template", "autre"),
    ("end", "on_failure", "x" * 3_001),
])  # fmt: skip
def test_each_wrong_field_gets_a_sentence_and_nothing_is_lost(post, session, draft, step, field, value):
    before = version(session, draft)
    good = {
        "ask": {"title": "Bon titre", "ask": "Gardé", "cause": "other"},
        "story": {"expected_result": "Gardé"},
        "end": {"on_success": "Gardé", "consultation_template": "text"},
    }[step]
    page = post(step, good | {field: value}, status=422)
    assert page.all("p", class_="error")
    assert [a for a in page.links() if a.startswith("#")]
    kept = {"ask": "ask", "story": "expected_result", "end": "on_success"}[step]
    assert page.field(kept).strip() == (value if field == kept else "Gardé")
    if field not in {"cause", "consultation_template", kept}:
        assert page.field(field).strip() == value
    assert version(session, draft) == before, "nothing was saved"


def test_a_title_of_140_characters_fits(post, session, draft):
    post("ask", {"title": "é" * 140, "cause": "other"})
    assert stored(session, draft).title == "é" * 140


def test_ten_megabytes_are_refused_with_a_sentence(client, login, people, draft):
    login(people.owner)
    answer = client.post(f"/manage/campaigns/{draft}/edit/story", {"story_md": "x" * 10_000_000}, status=413)
    assert answer.one("h1") is not None


@pytest.mark.parametrize("near", [6, 366])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_deadlines_have_bounds(post, session, people, near, lang):
    people.owner.locale = lang
    session.flush()
    page = post(
        "end",
        {"deadline_on": (today() + timedelta(days=near)).isoformat(), "consultation_template": "text"},
        status=422,
    )
    assert ("Choisissez un jour" in page.text) is (lang == "fr")


def test_days_are_read_as_people_write_them(post, session, draft):
    day = today() + timedelta(days=100)
    post("end", {"deadline_on": day.strftime("%d/%m/%Y"), "consultation_template": "text"})
    assert stored(session, draft).deadline_on == day


@pytest.mark.parametrize(("typed", "minor"), [
    ("12,50", 1250), ("1 234,56", 123456), ("12.5", 1250), (" 20 €", 2000), ("1.234,56", 123456), ("0", 0),
])  # fmt: skip
def test_amounts_are_read_as_people_type_them(post, session, draft, typed, minor):
    post("budget", row(0, label="L", kind="money", minimum=typed, optimum="5000"))
    assert stored(session, draft).minimum_minor == minor


@pytest.mark.parametrize(
    "typed",
    ["-1", "1e400", "1,234", "12,345", "abc", "$20", "12 USD", "NaN", "Infinity", "١٢", "9" * 30, "0x10", "1000000,01"],
)
@pytest.mark.parametrize("field", ["minimum", "optimum"])
def test_wrong_amounts_get_a_sentence_beside_them(post, session, draft, typed, field):
    before = version(session, draft)
    page = post(
        "budget", row(0, label="Garde", kind="money", minimum="1", optimum="2") | {f"rows-0-{field}": typed}, status=422
    )
    assert page.field(f"rows-0-{field}") == typed
    assert page.field("rows-0-label") == "Garde"
    assert page.all("p", id=f"rows-0-{field}-error")
    assert f"#rows-0-{field}" in page.links()
    assert version(session, draft) == before


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"label": "L", "kind": "money", "minimum": "10", "optimum": "9,99"}, "optimum"),
    ({"label": "", "kind": "money", "minimum": "10"}, "label"),
    ({"label": "L", "kind": "money", "minimum": ""}, "minimum"),
    ({"label": "L", "kind": "money", "minimum": "1", "hours": "3"}, "hours"),
    ({"label": "L", "kind": "skill", "hours": ""}, "hours"),
    ({"label": "L", "kind": "skill", "hours": "0"}, "hours"),
    ({"label": "L", "kind": "skill", "hours": "-3"}, "hours"),
    ({"label": "L", "kind": "skill", "hours": "1,5"}, "hours"),
    ({"label": "L", "kind": "skill", "hours": "1e9"}, "hours"),
    ({"label": "L", "kind": "skill", "hours": "٣"}, "hours"),
    ({"label": "L", "kind": "skill", "hours": "4", "minimum": "10"}, "minimum"),
    ({"label": "L", "kind": "skill", "hours": "4", "optimum": "10"}, "optimum"),
    ({"label": "L", "kind": "either", "hours": "4", "minimum": ""}, "minimum"),
    ({"label": "L", "kind": "either", "hours": "4", "minimum": "0"}, "minimum"),
    ({"label": "L", "kind": "either", "minimum": "100", "hours": ""}, "hours"),
    ({"label": "L", "kind": "either", "hours": "4", "minimum": "100", "optimum": "90"}, "optimum"),
    ({"label": "L", "kind": "either", "hours": "4", "minimum": "1200,01"}, "hours"),
    ({"label": "L" * 141, "kind": "money", "minimum": "10"}, "label"),
])  # fmt: skip
def test_lines_that_do_not_hang_together(post, fields, wrong):
    page = post("budget", row(0, **fields), status=422)
    assert page.all("p", id=f"rows-0-{wrong}-error")
    assert page.field(f"rows-0-{wrong}") == fields[wrong]


def test_skill_lines_and_a_missing_optimum(post, session, draft):
    post(
        "budget",
        row(0, label="Étude", kind="money", minimum="100") | row(1, label="Traduire", kind="skill", hours="12"),
    )
    campaign = stored(session, draft)
    assert (campaign.minimum_minor, campaign.optimum_minor) == (100_00, 100_00)
    assert [(line.kind, line.hours) for line in queries.list_lines(session, campaign.id)] == [
        (LineKind.MONEY, 0),
        (LineKind.SKILL, 12),
    ]


def test_rows_are_added_and_removed_without_javascript(post, client, session, draft):
    lines = (
        row(0, label="Un", kind="money", minimum="1")
        | row(1, label="Deux", kind="money", minimum="2")
        | row(2, label="", kind="money")
    )
    added = post("budget", lines, go="add")
    page = client.get(added.response.location.partition("#")[0])
    assert [page.field(f"rows-{n}-label") for n in range(4)] == ["Un", "Deux", "", ""]
    ids = [page.field(f"rows-{n}-id") for n in range(2)]
    again = {**lines, "rows-0-id": ids[0], "rows-1-id": ids[1]}
    post("budget", again, go="remove-0")
    (left,) = queries.list_lines(session, stored(session, draft).id)
    assert (left.label, str(left.id)) == ("Deux", ids[1])


def test_removing_a_wrong_row_keeps_the_others(post):
    lines = row(0, label="Un", kind="money", minimum="faux") | row(1, label="Deux", kind="money", minimum="aussi faux")
    page = post("budget", lines, go="remove-0", status=422)
    assert page.field("rows-0-label") == "Deux"
    assert page.field("rows-0-minimum") == "aussi faux"
    assert not page.all("input", name="rows-1-label")
    page = post("budget", lines, go="add", status=422)
    assert page.field("rows-2-label") == ""


def test_row_numbers_of_strangers_do_no_harm(post, session, draft):
    odd = {
        "rows-²-label": "x",
        "rows-" + "9" * 5000 + "-label": "x",
        "rows-9999-label": "Bon",
        "rows-9999-kind": "money",
        "rows-9999-minimum": "1",
        "rows--1-label": "x",
        "rows": "x",
        "rows-0": "x",
        "rows-0-evil": "x",
    }
    post("budget", odd)
    assert [line.label for line in queries.list_lines(session, stored(session, draft).id)] == ["Bon"]
    many = {}
    for n in range(60):
        many |= row(n, label=f"L{n}", kind="money", minimum="1")
    post("budget", many)
    assert len(queries.list_lines(session, stored(session, draft).id)) == 40
    for go in ["remove-²", "remove-", "remove-99999999999999999999", "remove--1", "autre", ""]:
        post("budget", row(0, label="L", kind="money", minimum="1"), go=go)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://a.b/c",
        "example.org",
        "https://",
        "http://[",
        "https://a b.fr",
        "data:text/html,x",
        "https://localhost",
    ],
)
def test_source_addresses_are_of_the_web(post, url):
    page = post("sources", row(0, title="T", url=url), status=422)
    assert page.field("rows-0-url") == url
    assert page.all("p", id="rows-0-url-error")


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"url": "https://example.org"}, "title"), ({"title": "T", "published_on": "hier"}, "published_on"),
    ({"title": "T", "published_on": "0001-01-01"}, "published_on"), ({"title": "T" * 201}, "title"),
])  # fmt: skip
def test_sources_that_are_not_right(post, fields, wrong):
    page = post("sources", row(0, **fields), status=422)
    assert page.all("p", id=f"rows-0-{wrong}-error")


def test_two_editors_keep_what_both_typed(client, session, login, people, draft):
    login(people.editor)
    read = version(session, draft)
    services.save_story(session, people.actor(session, "owner"), draft, Story(story_md="De la responsable."))
    session.flush()
    page = client.post(
        f"/manage/campaigns/{draft}/edit/story",
        {"version": read, "story_md": "De la rédactrice.", "go": "next"},
        status=409,
    )
    assert page.field("story_md").strip() == "De la rédactrice."
    assert "Somebody saved this campaign" in page.text
    assert stored(session, draft).story_md == "De la responsable."
    client.post(
        f"/manage/campaigns/{draft}/edit/story",
        {"version": page.field("version"), "story_md": page.field("story_md").strip(), "go": "next"},
    )
    assert stored(session, draft).story_md == "De la rédactrice."


@pytest.mark.parametrize("tampered", ["", "x", "-1", "²", "9" * 30])
def test_a_tampered_version_saves_nothing(post, tampered):
    post("ask", {"title": "T", "cause": "other"}, version=tampered, status=409)


def test_the_preview_shows_the_saved_story(post, client, draft):
    answer = post("story", {"story_md": "## Titre\n\nDu **gras**."}, go="preview")
    page = client.get(answer.response.location.partition("#")[0])
    assert page.one("section", id="preview")
    assert "gras" in ["".join(e.itertext()) for e in page.all("strong")]


def test_an_incomplete_draft_is_not_submitted_and_says_why(client, session, login, people, owner):
    slug = services.create_draft(session, owner, NewCampaign(organisation_id=people.organisation.id, title="Vide")).slug
    login(people.owner)
    page = client.get(f"/manage/campaigns/{slug}/edit/check")
    assert {link.rpartition("/")[2] for link in page.links() if "/edit/" in link} >= {
        "ask",
        "story",
        "budget",
        "sources",
        "end",
    }
    refused = client.post(f"/manage/campaigns/{slug}/edit/check", status=422)
    assert "Racontez" in refused.text
    assert stored(session, slug).state is CampaignState.DRAFT


def test_a_complete_draft_is_submitted_and_then_at_rest(client, session, login, people, draft):
    login(people.editor)
    page = client.get(f"/manage/campaigns/{draft}/edit/check")
    assert "Everything is there" in page.text, page.text
    assert "Mme Martin, maire" in page.text
    assert "mairie@exemple.test" not in page.text, "the address is for nobody's eyes"
    answer = client.post(f"/manage/campaigns/{draft}/edit/check")
    assert answer.response.location == f"/manage/campaigns/{draft}"
    assert stored(session, draft).state is CampaignState.SUBMITTED
    client.get(f"/manage/campaigns/{draft}")
    client.get(f"/manage/campaigns/{draft}/edit/ask", status=303)
    refused = client.post(f"/manage/campaigns/{draft}/edit/ask", {"title": "Gardé", "cause": "other"}, status=409)
    assert refused.field("title") == "Gardé"
    client.post(f"/manage/campaigns/{draft}/reopen")
    client.get(f"/manage/campaigns/{draft}/edit/ask")


@pytest.mark.parametrize("name", ["treasurer", "moderator", "stranger", "staff"])
def test_others_do_not_get_in(client, session, login, people, draft, name):
    login(getattr(people, name))
    status = 404 if name == "stranger" else 403
    client.get(f"/manage/campaigns/{draft}/edit/ask", status=status)
    client.post(f"/manage/campaigns/{draft}/edit/ask", {"title": "Pris"}, status=status)
    assert stored(session, draft).title != "Pris"


def test_unknown_steps_and_slugs_are_not_found(client, login, people, draft):
    login(people.owner)
    client.get(f"/manage/campaigns/{draft}/edit/autre", status=404)
    client.get("/manage/campaigns/inconnue/edit/ask", status=404)
    client.get("/manage/campaigns/inconnue", status=404)


def test_a_step_costs_few_statements(client, session, login, people, draft, queries):
    login(people.owner)
    client.get(f"/manage/campaigns/{draft}/edit/ask")
    with queries() as q:
        client.get(f"/manage/campaigns/{draft}/edit/budget")
    assert q.count <= 4, q.seen


def test_the_desk_costs_the_same_with_many_campaigns(client, session, login, people, queries):
    login(people.owner)
    make_campaign(session, organisation_id=people.organisation.id)
    with queries() as few:
        client.get("/manage")
    for _ in range(30):
        make_campaign(session, organisation_id=people.organisation.id)
    with queries() as many:
        client.get("/manage")
    assert few.count == many.count <= 4


def test_a_line_that_hours_can_replace_has_both_and_counts_in_the_minimum(post, session, draft):
    post(
        "budget",
        row(0, label="Étude", kind="either", minimum="3000", hours="40") | row(1, label="Pose", minimum="200"),
    )
    first, _second = queries.list_lines(session, queries.get_campaign(session, draft).id)
    assert (first.kind, first.minimum_minor, first.optimum_minor, first.hours) == ("either", 3_000_00, 3_000_00, 40)
    assert queries.get_campaign(session, draft).minimum_minor == 3_200_00
