"""Limits with the numbers that operations asks for; logs that tell what happened and never about whom."""

import io
import json

import pytest
import structlog
from limits.errors import StorageError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from time_machine import travel

from koz.accounts import queries, services
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.errors import TooMany, Unavailable, without_row_values
from koz.core.limits import check_limit, limit
from koz.core.logs import init_logs
from tests.factories.accounts import PASSWORD, make_person
from tests.pageclient import PageClient

log = structlog.get_logger("test")
TYPED = "secret.one@koz.test"
#: (path, what is posted, how often within the window, the answer until then)
GUESSES = [
    pytest.param("/login", {"email": "one@koz.test", "password": "guess"}, 10, 422, id="login, one account"),
    pytest.param("/forgotten", {"email": "one@koz.test"}, 5, 200, id="reset, one account"),
    pytest.param("/forgotten", {"email": "{n}@koz.test"}, 20, 200, id="reset, one place"),
    pytest.param("/login", {"email": "{n}@koz.test", "password": "guess"}, 10, 422, id="login, one place"),
    pytest.param("/join", {"email": "{n}@koz.test", "name": "A", "password": "mots bien choisis"}, 20, 303, id="join"),
]


@pytest.mark.parametrize(("path", "form", "times", "answer"), GUESSES)
def test_strangers_are_stopped_in_time(client, path, form, times, answer):
    def send(n, status):
        return client.post(path, {k: v.replace("{n}", str(n)) for k, v in form.items()}, status=status)

    for n in range(times):
        send(n, answer)
    assert int(send(times, 429).response.headers["Retry-After"]) >= 60


def test_a_place_with_many_people_is_not_stopped_by_those_who_succeed(client, session):
    for _ in range(15):
        client.post("/login", {"email": make_person(session).email, "password": PASSWORD})


def test_windows_move_and_accounts_stand_apart(app):
    start = now()
    with app.test_request_context(), travel(start, tick=False) as clock:
        for _ in range(5):
            limit("second_factor", "1", "5/5minutes", "20/hour", "50/day")
        with pytest.raises(TooMany):
            limit("second_factor", "1", "5/5minutes", "20/hour", "50/day")
        with pytest.raises(TooMany):
            check_limit("second_factor", "1", "5/5minutes")
        limit("second_factor", "2", "5/5minutes")
        clock.shift(301)
        limit("second_factor", "1", "5/5minutes", "20/hour", "50/day")


def test_without_counters_reading_goes_on_and_logging_in_does_not(app, client, session, monkeypatch):
    def down(*_args):
        raise StorageError(OSError("down"))

    monkeypatch.setattr(app.extensions["koz_limits"], "hit", down)
    monkeypatch.setattr(app.extensions["koz_limits"], "test", down)
    with app.test_request_context():
        limit("gift", "k", "1/minute")
        with pytest.raises(Unavailable):
            limit("login", "k", "1/minute", fail_closed=True)
    person = make_person(session)
    assert client.post("/login", {"email": person.email, "password": PASSWORD}, status=503)
    assert client.post("/forgotten", {"email": person.email}, status=200)


@pytest.fixture
def lines():
    stream = io.StringIO()
    before = structlog.get_config()
    init_logs(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.configure(**before)


def test_logs_tell_no_address_name_token_or_password(client, session, letters, lines):
    form = {"name": "Nom Unique", "email": "secret.one@koz.test", "password": "quatre mots bien choisis"}
    client.post("/join", form)
    letters()
    person = queries.find_person_by_email(session, form["email"])
    proof, reset = services.proof_token(person), services.reset_token(person)
    client.get(f"/verify/{proof}")
    client.post(f"/verify/{proof}")
    client.post(f"/verify/{proof}", status=410)
    client.post("/login", form | {"password": "wrong one"}, status=422)
    client.post("/login", form)
    cookie = client.client.get_cookie("koz_session").value
    client.get("/security")
    client.post("/forgotten", {"email": form["email"]}, status=200)
    client.get(f"/reset/{reset}")
    client.get("/invitations/forged-token", status=404)
    client.get("/no/such/secret.one@koz.test", status=404)
    client.post("/logout", headers={"User-Agent": "Nom Unique"})
    letters()
    written = lines()
    whole = json.dumps(written, ensure_ascii=False)
    for secret in ("secret.one", "Nom Unique", "quatre mots", "wrong one", proof, reset, cookie, "forged-token"):
        assert secret not in whole, secret
    requests = [line for line in written if line["event"] == "request"]
    assert len(requests) >= 11
    assert all(line["request_id"] and line["route"].startswith(("/", "-")) and line["ms"] >= 0 for line in requests)
    assert len({line["request_id"] for line in requests}) == len(requests)


def test_an_error_of_the_database_does_not_tell_what_people_typed(committed_app, lines):
    address = TYPED  # a traceback quotes lines of code
    with pytest.raises(DBAPIError) as caught, unit_of_work() as session:
        session.execute(text("INSERT INTO persons (email) VALUES (:email)"), {"email": address})
    assert "secret.one" not in without_row_values(str(caught.value))
    log.error("bug", exc_info=caught.value)
    (written,) = lines()
    assert "NotNullViolation" in written["exception"]
    assert "persons" in written["exception"]
    assert "secret.one" not in written["exception"]


def test_the_request_id_of_a_trusted_proxy_only_is_taken(app, client):
    from dataclasses import replace

    answer = client.get("/healthz", headers={"X-Request-Id": "given-by-a-stranger"}).response
    assert answer.headers["X-Request-Id"] != "given-by-a-stranger"
    settings = app.config["KOZ"]
    app.config["KOZ"] = replace(settings, trusted_proxies=1)
    try:
        trusted = PageClient(app)
        assert (
            trusted.get("/healthz", headers={"X-Request-Id": "abc-123-def"}).response.headers["X-Request-Id"]
            == "abc-123-def"
        )
        odd = trusted.get("/healthz", headers={"X-Request-Id": "a b<script>"}).response.headers["X-Request-Id"]
        assert "script" not in odd
    finally:
        app.config["KOZ"] = settings
