"""A professional's profile: own words → skills to tick → time and places, without JavaScript, with nothing inferred."""

from datetime import timedelta

import pytest

from koz.core.clock import today
from koz.core.errors import Invalid
from koz.skills import queries
from koz.skills.forms import AvailabilityForm
from koz.skills.services import profiles
from koz.skills.services.profiles import Availability, split_phrases
from tests.factories.accounts import make_person
from tests.factories.matching import make_concept, make_profile

GIVEN = {"hours_per_week": "4", "languages": ["fr", "en"], "remote": "y", "departments": "75, Gironde, 2a"}


@pytest.fixture
def concepts(session):
    return (
        make_concept(session, "communiqué de presse", "press release"),
        make_concept(session, "comptabilité", "accounting"),
    )


@pytest.fixture
def person(session, login, client):
    person = make_person(session)
    login(person)
    return person


def skills(session, person):
    profile = queries.find_profile(session, person.id)
    return {row.concept_id: row.level for row in queries.list_profile_skills(session, profile.id)}


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        ("", []),
        ("Compta, RGPD et graphisme", ["Compta", "RGPD", "graphisme"]),
        ("I write press releases\nand I sing", ["I write press releases", "and I sing"]),
        ("a, bb; bb", ["bb"]),
        (", ".join(f"chose {i}" for i in range(40)), [f"chose {i}" for i in range(12)]),
    ],
)
def test_phrases_are_what_people_separate(words, phrases):
    assert split_phrases(words) == phrases


def test_from_own_words_to_a_profile_in_three_steps(session, client, person, concepts):
    press, accounts = concepts
    page = client.get("/professionals/me")
    assert "/professionals/me/words" in page.links()
    answer = client.post("/professionals/me/words", {"words": "Communiqué de presse\nAccounting"})
    assert answer.response.location == "/professionals/me/skills"
    page = client.get("/professionals/me/skills")
    boxes = page.all("input", name="concept")
    assert {int(b.get("value")) for b in boxes} == {press.id, accounts.id}
    assert not [b for b in boxes if "checked" in b.attrib], "nothing is ticked beforehand"
    answer = client.post("/professionals/me/skills", {"concept": [press.id], f"level-{press.id}": "4", f"level-{accounts.id}": "3"})  # fmt: skip
    assert answer.response.location == "/professionals/me/availability"
    assert skills(session, person) == {press.id: 4}
    page = client.get("/professionals/me/availability")
    assert not [b for b in page.all("input", type="checkbox") if "checked" in b.attrib]
    client.post("/professionals/me/availability", GIVEN)
    profile = queries.find_profile(session, person.id)
    session.refresh(profile)
    assert (profile.hours_per_week, profile.languages, profile.departments, profile.remote) == (
        4, ["en", "fr"], ["2A", "33", "75"], True,
    )  # fmt: skip
    assert (profile.causes, profile.causes_shared) == ([], False)
    assert "communiqué de presse" in client.get("/professionals/me").text


def test_editing_keeps_what_was_confirmed_and_shows_it_ticked(session, client, person, concepts):
    press, accounts = concepts
    make_profile(session, {press.id: 4}, person=person, words="communiqué de presse")
    client.post("/professionals/me/words", {"words": "comptabilité"})
    assert skills(session, person) == {press.id: 4}
    page = client.get("/professionals/me/skills")
    assert "checked" in page.one("input", id=f"concept-{press.id}").attrib
    assert page.field(f"level-{press.id}") == "4"
    assert "checked" not in page.one("input", id=f"concept-{accounts.id}").attrib


def test_looking_for_another_skill_keeps_the_ticks(session, client, person, concepts):
    press, accounts = concepts
    make_profile(session, {}, person=person, words="communiqué de presse")
    ticked = {"concept": [press.id], f"level-{press.id}": "5", "find": "1", "more": "accounting"}
    answer = client.post("/professionals/me/skills", ticked)
    assert answer.response.location == "/professionals/me/skills?q=accounting#more"
    assert skills(session, person) == {press.id: 5}
    assert client.get("/professionals/me/skills?q=accounting").one("input", id=f"concept-{accounts.id}") is not None


def test_words_that_mean_nothing_are_kept_and_said_so(client, session, person, concepts):
    client.post("/professionals/me/words", {"words": "xqzw"})
    page = client.get("/professionals/me/skills")
    assert "pas reconnu" in page.text
    assert client.get("/professionals/me/words").field("words") == "xqzw"


def test_confirming_nothing_at_first_is_asked_about_but_taking_all_back_later_is_not(session, client, person, concepts):
    press, _accounts = concepts
    client.post("/professionals/me/words", {"words": "communiqué de presse"})
    page = client.post("/professionals/me/skills", {}, status=422)
    assert page.all("div", role="alert")
    client.post("/professionals/me/skills", {"concept": [press.id], f"level-{press.id}": "4"})
    answer = client.post("/professionals/me/skills", {})
    assert answer.response.location == "/professionals/me/availability"
    assert skills(session, person) == {}


def test_wrong_choices_change_nothing(session, client, person, concepts):
    press, _accounts = concepts
    make_profile(session, {press.id: 4}, person=person)
    for wrong in (
        {"concept": [press.id]},
        {"concept": [press.id], f"level-{press.id}": "9"},
        {"concept": [press.id + 999], f"level-{press.id + 999}": "3"},
    ):
        page = client.post("/professionals/me/skills", wrong, status=422)
        assert page.all("div", role="alert")
    client.post("/professionals/me/skills", {"concept": ["x", "-1", "9" * 30]})
    assert skills(session, person) == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hours_per_week": "beaucoup"}, "nombre entier"),
        ({"hours_per_week": "0"}, "nombre entier"),
        ({"hours_per_week": "41"}, "nombre entier"),
        ({"languages": []}, "au moins une langue"),
        ({"remote": "", "departments": ""}, "Indiquez un lieu"),
        ({"departments": "75, Atlantide"}, "« Atlantide » n’est pas un département"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(client, session, person, change, words):
    page = client.post("/professionals/me/availability", GIVEN | change, status=422)
    assert words in page.text
    assert page.field("hours_per_week") == (GIVEN | change)["hours_per_week"]
    assert page.field("departments") == (GIVEN | change)["departments"]


@pytest.mark.parametrize("typed", ["1,13", "01 13", "Ain; bouches du rhône", "ain, Bouches-du-Rhône", "1, 13, 13"])
def test_places_are_read_as_people_write_them(app, typed):
    with app.test_request_context("/", method="POST", data=GIVEN | {"departments": typed}):
        form = AvailabilityForm(meta={"csrf": False})
        assert form.validate(), form.errors
        assert form.to_command().departments == ("01", "13")


def test_a_pause_is_one_button_and_back(session, client, person, concepts):
    profile = make_profile(session, {concepts[0].id: 3}, person=person)
    client.get("/professionals/me/pause")
    client.post("/professionals/me/pause", {"paused": "1", "until": ""})
    session.refresh(profile)
    assert profile.paused
    assert "en pause" in client.get("/professionals/me").text
    client.post("/professionals/me/pause", {"paused": "0"})
    session.refresh(profile)
    assert not profile.paused


def test_a_pause_until_a_day_ends_by_itself(session, client, person, concepts, monkeypatch):
    profile = make_profile(session, {concepts[0].id: 3}, person=person)
    back = today() + timedelta(days=40)
    client.post("/professionals/me/pause", {"paused": "1", "until": back.isoformat()})
    session.refresh(profile)
    assert (profile.paused, profile.quiet_until) == (False, back)
    assert "vous êtes en pause" in client.get("/professionals/me").text.lower()
    profile.quiet_until = today()
    session.flush()
    assert "en pause" not in client.get("/professionals/me").text


@pytest.mark.parametrize("days", [0, -1, 400])
def test_a_pause_ends_within_a_year_and_the_typing_is_kept(session, client, person, concepts, days):
    make_profile(session, {concepts[0].id: 3}, person=person)
    day = (today() + timedelta(days=days)).isoformat()
    page = client.post("/professionals/me/pause", {"paused": "1", "until": day}, status=422)
    assert page.field("until") == day
    with pytest.raises(Invalid):
        profiles.set_paused(session, person.id, paused=True, until=today() + timedelta(days=days))


def test_days_of_availability_are_kept_shown_and_in_order(session, client, person, concepts):
    make_profile(session, {concepts[0].id: 3}, person=person)
    first, last = today() + timedelta(days=10), today() + timedelta(days=60)
    typed = GIVEN | {"available_from": f"{first:%d/%m/%Y}", "available_until": last.isoformat()}
    client.post("/professionals/me/availability", typed)
    profile = queries.find_profile(session, person.id)
    session.refresh(profile)
    assert (profile.available_from, profile.available_until) == (first, last)
    assert f"du {first.day}" in client.get("/professionals/me").text
    assert client.get("/professionals/me/availability").field("available_from") == first.isoformat()
    for wrong in ({"available_until": first.isoformat(), "available_from": last.isoformat()},
                  {"available_until": "2020-01-01", "available_from": ""}, {"available_from": "bientôt"}):  # fmt: skip
        page = client.post("/professionals/me/availability", typed | wrong, status=422)
        assert {n: page.field(n) for n in wrong} == wrong
        assert page.field("departments") == GIVEN["departments"]
    client.post("/professionals/me/availability", GIVEN | {"available_from": "", "available_until": ""})
    session.refresh(profile)
    assert (profile.available_from, profile.available_until) == (None, None)


def test_causes_stay_private_unless_they_are_shared(session, client, person, concepts):
    profile = make_profile(session, {concepts[0].id: 3}, person=person)
    page = client.get("/professionals/me/availability")
    assert "peuvent révéler des opinions" in page.text
    assert not [b for b in page.all("input", name="causes_shared") if "checked" in b.attrib]
    client.post("/professionals/me/availability", GIVEN | {"causes": ["education"]})
    session.refresh(profile)
    assert (profile.causes, profile.causes_shared) == (["education"], False)


def test_limits_of_a_profile(session):
    person = make_person(session)
    with pytest.raises(Invalid):
        profiles.save_words(session, person.id, "x" * 2001)
    with pytest.raises(Invalid):
        profiles.confirm_skills(session, person.id, dict.fromkeys(range(1, 42), 3))
    with pytest.raises(Invalid):
        profiles.save_availability(session, person.id, Availability(hours_per_week=0, languages=["fr"]))


def test_a_profile_can_be_forgotten(session, concepts):
    profile = make_profile(session, {concepts[0].id: 3})
    assert profiles.forget_profile(session, profile.person_id)
    assert not profiles.forget_profile(session, profile.person_id)


def test_the_page_shows_one_s_own_profile_only(session, client, person, concepts):
    other = make_person(session, name="Ottilie Brandt")
    make_profile(session, {concepts[1].id: 3}, person=other, words="mes mots secrets")
    page = client.get("/professionals/me")
    assert "comptabilité" not in page.text
    assert "secrets" not in client.get("/professionals/me/words").body
