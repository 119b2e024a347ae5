"""Joining, proving an address, logging in and out, resetting, as a visitor meets them."""

import pytest
from sqlalchemy import func, select

from koz.accounts import queries, services
from koz.accounts.models import Person, UserSession
from koz.accounts.views import next_address
from koz.core.clock import now
from koz.core.outbox import OutboxMessage
from tests.conftest import make_app
from tests.factories.accounts import PASSWORD, make_person

JOIN = {"name": "Awa Diallo", "email": "Awa@Koz.test", "password": "quatre mots bien choisis"}


def events(session):
    return session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.id)).all()


def test_join_prove_log_in_log_out(client, session):
    assert "/joined" in client.post("/join", JOIN).response.location
    person = queries.find_person_by_email(session, "awa@koz.test")
    assert person.email_verified_at is None
    assert events(session) == ["EmailProofRequested"]
    link = f"/verify/{services.proof_token(person)}"
    client.get(link)
    session.refresh(person)
    assert person.email_verified_at is None, "opening the link proves nothing: mail scanners open links"
    client.post(link)
    session.refresh(person)
    assert person.email_verified_at is not None
    assert "confirm" in client.post(link, status=410).text.lower()
    client.post("/login", JOIN)
    assert "Awa Diallo" in client.get("/security").text
    client.post("/logout")
    client.get("/security", status=303)
    assert session.scalar(select(func.count()).select_from(UserSession)) == 0


def test_a_proof_is_of_one_address_only(client, session):
    person = make_person(session, verified=False)
    link = f"/verify/{services.proof_token(person)}"
    person.email = "another@koz.test"
    session.flush()
    client.post(link, status=410)
    session.refresh(person)
    assert person.email_verified_at is None


def test_joining_tells_nobody_that_an_address_is_known(client, session):
    person = make_person(session, email="known@koz.test")
    fresh = client.post("/join", JOIN).response
    again = client.post("/join", JOIN | {"email": person.email}).response
    assert fresh.location == again.location
    assert events(session)[-1] == "JoinedAgain"
    assert session.scalar(select(func.count()).where(Person.email == person.email)) == 1


@pytest.mark.parametrize("password", ["short", "1234567890", "aaaaaaaaaaaa", "x" * 201, ""])
def test_weak_passwords_are_refused_and_the_rest_is_kept(client, password):
    page = client.post("/join", JOIN | {"password": password}, status=422)
    assert page.field("name") == "Awa Diallo"
    assert page.field("email") == "Awa@Koz.test"
    assert page.all("p", class_="error")


def test_wrong_password_and_unknown_address_look_alike(client, session):
    person = make_person(session)
    wrong = client.post("/login", {"email": person.email, "password": "not the one"}, status=422)
    unknown = client.post("/login", {"email": "nobody@koz.test", "password": "not the one"}, status=422)
    assert wrong.text == unknown.text


def test_guessing_is_stopped(client, session):
    person = make_person(session)
    for _ in range(10):
        client.post("/login", {"email": person.email, "password": "guess"}, status=422)
    assert client.post("/login", {"email": person.email, "password": PASSWORD}, status=429).response.headers[
        "Retry-After"
    ]


def test_reset_is_good_once_and_ends_all_sessions(client, session, login):
    person = make_person(session)
    login(person)
    client.post("/forgotten", {"email": person.email}, status=200)
    assert events(session) == ["PasswordResetRequested"]
    link = f"/reset/{services.reset_token(person)}"
    client.post(link, {"password": "motdepasse123"}, status=422)
    client.post(link, {"password": "un autre mot de passe"})
    client.get("/security", status=303)
    client.post(link, {"password": "et encore un autre"}, status=410)
    client.get("/reset/forged", status=200)
    client.post("/reset/forged", {"password": "un autre mot de passe"}, status=404)
    client.post("/login", {"email": person.email, "password": "un autre mot de passe"})


def test_sessions_are_listed_and_end_on_the_server(client, session, login):
    person, other = make_person(session), make_person(session)
    session.add(UserSession(token_hash="a" * 64, person_id=person.id, expires_at=now() + services.SESSION_IDLE))
    session.add(UserSession(token_hash="b" * 64, person_id=other.id, expires_at=now() + services.SESSION_IDLE))
    session.flush()
    login(person)
    theirs = session.scalar(select(UserSession.id).where(UserSession.person_id == other.id))
    mine = session.scalar(select(UserSession.id).where(UserSession.token_hash == "a" * 64))
    client.post(f"/security/sessions/{mine}/end")
    client.post(f"/security/sessions/{theirs}/end")
    left = set(session.scalars(select(UserSession.token_hash)))
    assert "a" * 64 not in left
    assert "b" * 64 in left, "nobody ends somebody else's session"


def test_a_sensitive_act_asks_for_the_password_again(client, session, login):
    person = make_person(session)
    login(person)
    client.get("/security/password")
    for row in session.scalars(select(UserSession)):
        row.password_at = row.password_at.replace(year=2020)
    session.flush()
    assert "/confirm" in client.get("/security/password", status=303).response.location
    client.post("/confirm", {"password": "wrong"}, status=422)
    assert (
        client.post("/confirm?next=/security/password", {"password": PASSWORD}).response.location
        == "/security/password"
    )
    client.get("/security/password")


def test_visitors_cost_no_query_and_members_one(client, session, login, queries):
    with queries() as q:
        client.get("/login")
    assert q.count == 0
    login(make_person(session))
    with queries() as q:
        client.get("/joined")
    assert q.count == 1


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "javascript:1"]
)
def test_the_way_back_stays_on_this_site(target):
    app = make_app("postgresql:///unused")
    with app.test_request_context("/login", query_string={"next": target}):
        assert next_address("/home") == "/home"
