"""What people get by mail when they join, forget, or change something: in their language, once, with a link that works."""

import re

import pytest

from koz.accounts import services
from koz.core.db import unit_of_work
from tests.factories.accounts import make_person


def path_in(letter) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/\S+)", letter.text)
    assert found, letter.text
    assert found[1] in letter.html
    return found[1]


@pytest.mark.parametrize(("lang", "word"), [("fr", "Confirmez"), ("en", "Confirm")])
def test_the_mailed_link_proves_the_address(client, letters, lang, word):
    form = {"name": "Awa", "email": "awa@koz.test", "password": "quatre mots bien choisis"}
    client.post("/join", form, headers={"Accept-Language": lang})
    (letter,) = letters()
    assert letter.to_email == "awa@koz.test"
    assert word in letter.subject
    client.post(path_in(letter))
    client.post("/login", form)
    assert letters() == []


def test_who_joins_from_a_page_comes_back_to_it_after_the_proof(client, letters):
    form = {"name": "Awa", "email": "awa@koz.test", "password": "quatre mots bien choisis"}
    wanted = "/consultations/gares?section=2"
    page = client.get("/login", query_string={"next": wanted})
    (address,) = [link for link in page.links() if link.startswith("/join")]
    client.post(address, form)
    (letter,) = letters()
    proved = client.post(path_in(letter)).response.location
    assert client.post(proved, form).response.location == wanted


def test_nobody_gets_letters_without_end_because_others_join_in_their_name(client, session):
    form = {"name": "Awa", "email": make_person(session).email, "password": "quatre mots bien choisis"}
    for n in range(10):
        client.post("/join", form, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"})
    client.post("/join", form | {"email": form["email"].upper()}, status=429, environ_base={"REMOTE_ADDR": "10.0.1.1"})


@pytest.mark.parametrize(
    "wanted", ["//evil.test/x", "https://evil.test", "/\\evil.test", "/\t/evil.test", "/" + "a" * 400]
)
def test_joining_leads_to_no_other_site(client, letters, wanted):
    form = {"name": "Awa", "email": "awa@koz.test", "password": "quatre mots bien choisis"}
    client.post("/join", form, query_string={"next": wanted})
    (letter,) = letters()
    assert client.post(path_in(letter)).response.location == "/login?proved=1"


def test_a_forgotten_password_is_set_anew_by_mail(client, session, letters):
    person = make_person(session)
    client.post("/forgotten", {"email": person.email}, status=200)
    client.post("/forgotten", {"email": "nobody@koz.test"}, status=200)
    (letter,) = letters()
    client.post(path_in(letter), {"password": "un nouveau mot de passe"})
    (told,) = letters()
    assert told.to_email == person.email
    assert "chang" in told.subject


def test_joining_again_writes_to_the_owner(client, session, letters):
    person = make_person(session)
    client.post("/join", {"name": "X", "email": person.email, "password": "quatre mots bien choisis"})
    (letter,) = letters()
    assert path_in(letter) == "/forgotten"


def test_an_erased_person_gets_no_mail_and_blocks_nobody(committed_app):
    with unit_of_work() as session:
        person = make_person(session)
        services.request_reset(session, person.email)
        services.erase_person(session, person.id)
    assert committed_app.extensions["koz_mailer"].letters == []
