"""The second factor: set up by a code, good once each, bounded, needed by staff and moderators."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select
from time_machine import travel

from koz.accounts import queries, services
from koz.accounts.models import RecoveryCode, UserSession
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.errors import Conflict
from tests.factories.accounts import make_person

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(at=None, secret=SECRET):
    return pyotp.TOTP(secret).at(at or now())


def test_setting_up_shows_the_key_and_then_recovery_codes_once(client, session, enter, letters):
    person = make_person(session)
    old = enter(person)
    page = client.get("/security/second-factor")
    assert len(list(page.one("div", class_="qr").iter())) > 1, "a picture for the telephone"
    secret = "".join(page.one("code", class_="key").itertext()).replace(" ", "")
    form = {"proposal": page.field("proposal")}
    wrong = client.post("/security/second-factor", form | {"code": "000000"}, status=422)
    assert wrong.field("proposal") == form["proposal"], "the same key, so that the telephone need not be told again"
    assert person.totp_secret is None
    done = client.post("/security/second-factor", form | {"code": code(secret=secret)}, status=200)
    codes = ["".join(c.itertext()) for c in done.all("code")]
    assert len(codes) == 10
    assert all(re.fullmatch(r"(?:[a-z0-9]{4}-){3}[a-z0-9]{4}", c) for c in codes)
    assert done.response.headers["Cache-Control"] == "no-store"
    session.refresh(person)
    assert person.totp_secret == secret
    stored = session.scalars(select(RecoveryCode.code_hash)).all()
    assert not set(codes) & set(stored)
    assert queries.find_session(session, old) is None, "the session's secret is a new one"
    assert [letter.to_email for letter in letters()] == [person.email]
    client.get("/security/second-factor", status=409)


def test_a_key_of_somebody_else_or_of_yesterday_is_refused(client, session, enter):
    person, other = make_person(session), make_person(session)
    enter(person)
    theirs = services.propose_secret(other.id)
    client.post("/security/second-factor", {"proposal": theirs, "code": "123456"}, status=422)
    client.post("/security/second-factor", {"proposal": "forged", "code": "123456"}, status=422)
    assert person.totp_secret is None


def test_a_code_is_good_once_and_near_its_time(session):
    person = make_person(session, totp_secret=SECRET)
    moment = now()
    with travel(moment, tick=False):
        assert services.check_second_factor(session, person.id, code(moment))
        assert not services.check_second_factor(session, person.id, code(moment)), "the same code again"
        assert not services.check_second_factor(session, person.id, code(moment - timedelta(seconds=30))), (
            "an older one"
        )
        assert services.check_second_factor(session, person.id, code(moment + timedelta(seconds=30))), "a clock ahead"
        assert not services.check_second_factor(session, person.id, code(moment + timedelta(seconds=90)))
        assert not services.check_second_factor(session, person.id, "")
        assert not services.check_second_factor(session, person.id, "é" * 6)


def test_two_requests_with_one_code_pass_once(committed_app):
    from concurrent.futures import ThreadPoolExecutor

    with unit_of_work() as session:
        person_id = make_person(session, totp_secret=SECRET).id

    def attempt(_n: int) -> bool:
        with committed_app.app_context(), unit_of_work() as session:
            return services.check_second_factor(session, person_id, given)

    given = code()
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


def test_a_recovery_code_is_good_once(session):
    person = make_person(session, totp_secret=SECRET)
    first, *_rest = services.renew_recovery_codes(session, person.id)
    assert services.check_second_factor(session, person.id, f" {first.upper()} ")
    assert not services.check_second_factor(session, person.id, first)
    assert queries.count_recovery_codes(session, person.id) == 9
    services.renew_recovery_codes(session, person.id)
    assert not services.check_second_factor(session, person.id, _rest[0]), "new codes end the old ones"


def test_guessing_is_stopped_after_five(client, session, enter):
    enter(make_person(session, totp_secret=SECRET))
    for _ in range(5):
        client.post("/second-factor", {"code": "000000"}, status=422)
    assert client.post("/second-factor", {"code": code()}, status=429).response.headers["Retry-After"]


def test_the_desk_opens_after_the_code_only(client, session, enter):
    staff = make_person(session, is_staff=True)
    enter(staff)
    assert client.get("/admin/", status=303).response.location.startswith("/second-factor?next=/admin/")
    assert "/security/second-factor" in client.get("/second-factor?next=/admin/", status=303).response.location
    staff.totp_secret = SECRET
    session.flush()
    client.get("/second-factor?next=/admin/")
    answer = client.post("/second-factor?next=/admin/", {"code": code()})
    assert answer.response.location == "/admin/"
    client.get("/admin/")
    row = session.scalars(select(UserSession)).one()
    assert row.second_factor_at is not None


def test_switching_off_needs_password_and_code_and_is_not_for_staff(client, session, enter, letters):
    person = make_person(session, totp_secret=SECRET)
    enter(person, fresh=False)
    assert "/confirm" in client.get("/security/second-factor/off", status=303).response.location
    enter(person)
    client.post("/security/second-factor/off", {"code": "000000"}, status=422)
    client.post("/security/second-factor/off", {"code": code()})
    session.refresh(person)
    assert person.totp_secret is None
    (letter,) = letters()
    assert "désactivée" in letter.subject
    staff = make_person(session, totp_secret=SECRET, is_staff=True)
    with pytest.raises(Conflict):
        services.disable_second_factor(session, staff.id, code())


def test_new_recovery_codes_need_a_code(client, session, enter):
    enter(make_person(session, totp_secret=SECRET))
    client.get("/security/recovery-codes")
    client.post("/security/recovery-codes", {"code": "111111"}, status=422)
    assert len(client.post("/security/recovery-codes", {"code": code()}, status=200).all("code")) == 10


def test_the_code_is_shown_in_the_demo_only(client, session, enter):
    enter(make_person(session, totp_secret=SECRET))
    shown = services.next_good_code(SECRET)
    assert shown not in client.get("/second-factor").body
    settings = client.app.config["KOZ"]
    client.app.config["KOZ"] = replace(settings, env="demo")
    try:
        with travel(now(), tick=False):
            assert services.next_good_code(SECRET) in client.get("/second-factor").body
    finally:
        client.app.config["KOZ"] = settings
