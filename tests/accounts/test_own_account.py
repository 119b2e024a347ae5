"""« My account »: name and language, another address, data, erasure."""

import json

import pytest
from sqlalchemy import func, select, text

from koz.accounts import queries, services
from koz.accounts.events import PersonErased
from koz.accounts.models import EmailChange, UserSession
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.errors import Conflict
from koz.core.jobs import get_job
from koz.core.outbox import OutboxMessage
from tests.factories.accounts import PASSWORD, make_member, make_organisation, make_person
from tests.workflows.test_account_mails import path_in


def test_name_and_language_change_and_the_language_stays(client, session, enter):
    person = make_person(session)
    enter(person)
    assert client.get("/security").one("html").get("lang") == "fr"
    assert client.get("/security?lang=en").one("html").get("lang") == "en"
    client.post("/security/profile", {"name": "", "locale": "en"}, status=422)
    client.post("/security/profile", {"name": "Awa D.", "locale": "xx"}, status=422)
    client.post("/security/profile", {"name": " Awa  D. ", "locale": "en"})
    page = client.get("/security")
    assert page.one("html").get("lang") == "en"
    assert "Awa D." in page.text


def test_the_address_moves_by_the_link_in_the_new_box_and_the_old_is_told(client, session, enter, letters):
    person = make_person(session)
    old = person.email
    enter(person, fresh=False)
    assert "/confirm" in client.get("/security/email", status=303).response.location
    enter(person)
    client.post("/security/email", {"email": old}, status=422)
    client.post("/security/email", {"email": "first@koz.test"})
    first = {letter.to_email: letter for letter in letters()}
    client.post("/security/email", {"email": "New@koz.test"})
    asked = {letter.to_email: letter for letter in letters()}
    assert set(asked) == {old, "new@koz.test"}
    assert "new@koz.test" in asked[old].text
    link = path_in(asked["new@koz.test"])
    client.get(link)
    session.refresh(person)
    assert person.email == old, "opening the link changes nothing"
    client.post(path_in(first["first@koz.test"]), status=410)
    client.post(link)
    client.post(link, status=410)
    client.post("/security/email/forged", status=404)
    session.refresh(person)
    assert person.email == "new@koz.test"
    (told,) = letters()
    assert told.to_email == old
    client.post("/login", {"email": "new@koz.test", "password": PASSWORD})


def test_an_address_that_is_taken_is_told_only_to_its_owner(client, session, enter, letters):
    person, other = make_person(session), make_person(session)
    enter(person)
    free = client.post("/security/email", {"email": "free@koz.test"}).response
    letters()
    taken = client.post("/security/email", {"email": other.email}).response
    assert free.location == taken.location
    written = {letter.to_email: letter.subject for letter in letters()}
    assert set(written) == {person.email, other.email}
    change = session.scalars(select(EmailChange).order_by(EmailChange.id.desc()).limit(1)).one()
    with pytest.raises(Conflict):
        services.change_email(session, services.email_change_token(change))


def test_a_proof_is_sent_again_a_few_times_a_day(client, session, enter, letters):
    person = make_person(session, verified=False)
    enter(person)
    client.post("/security/proof")
    assert len(letters()) == 1
    for _ in range(4):
        client.post("/security/proof")
    client.post("/security/proof", status=429)
    person.email_verified_at = now()
    session.flush()


def test_sessions_have_names_people_know_and_end_together(client, session, login):
    person = make_person(session)
    agent = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
    )
    client.post("/login", {"email": person.email, "password": PASSWORD}, headers={"User-Agent": f"{agent} Edg/131.0"})
    client.client.delete_cookie("koz_session")
    client.post("/login", {"email": person.email, "password": PASSWORD}, headers={"User-Agent": agent})
    page = client.get("/security")
    assert "Edge · Windows" in page.text
    assert "Chrome · Windows" in page.text
    assert "Mozilla" not in page.text
    client.post("/security/sessions/end")
    assert session.scalar(select(func.count()).select_from(UserSession)) == 1
    client.get("/security")


@pytest.mark.parametrize(("agent", "name"), [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox · Linux"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1", "Safari · iPhone"),
    ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 SamsungBrowser/26 Chrome/122 Safari/537.36", "Samsung Internet · Android"),
    ("curl/8.5", ""), ("", ""),
])  # fmt: skip
def test_browsers_by_name(agent, name):
    assert services.device_name(agent) == name


def test_the_export_holds_all_and_no_secret(client, session, enter):
    person = make_person(session, name="Nom Unique", totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    organisation = make_organisation(session, owner=person)
    token = enter(person)
    answer = client.get("/security/data").response
    found = json.loads(answer.get_data(as_text=True))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert found["account"][0]["name"] == "Nom Unique"
    assert found["roles"][0]["organisation"] == organisation.slug
    assert found["sessions"]
    for secret in (token, person.totp_secret, person.password_hash):
        assert secret not in answer.get_data(as_text=True)


def test_other_features_add_to_the_export(session):
    from koz.accounts.services import privacy

    person = make_person(session)
    services.exporter("test.rows")(lambda _session, person_id: [{"id": person_id}])
    try:
        assert services.export_person(session, person.id)["test.rows"] == [{"id": person.id}]
    finally:
        del privacy._exporters["test.rows"]


@pytest.mark.parametrize(("choice", "kept"), [("keep", 1), ("remove", 0)])
def test_erasure_is_asked_twice_tells_the_others_and_leaves_nothing(client, session, enter, choice, kept):
    person = make_person(session, email="erase.me@koz.test", name="Nom Unique")
    organisation = make_organisation(session)
    services.add_member(session, organisation.id, person.id, "editor")
    services.request_email_change(session, person.id, "elsewhere@koz.test")
    enter(person)
    client.get("/security/erase")
    client.post("/security/erase", {"contributions": choice}, status=422)
    client.post("/security/erase", {"sure": "y"}, status=422)
    client.post("/security/erase", {"contributions": choice, "sure": "y"})
    client.get("/erased")
    client.get("/security", status=303)
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.event == "PersonErased")).one()
    assert PersonErased(**message.payload) == PersonErased(person.id, kept)
    for table in ("persons", "email_changes", "invitations", "user_sessions", "recovery_codes"):
        rows = " ".join(session.scalars(select(text(f"{table}::text")).select_from(text(table))))
        assert "erase.me" not in rows, table
        assert "elsewhere" not in rows, table
        assert "Nom Unique" not in rows, table
    client.post("/login", {"email": "erase.me@koz.test", "password": PASSWORD}, status=422)


def test_a_last_owner_hands_over_before_leaving(client, session, enter):
    person = make_person(session)
    organisation = make_organisation(session, owner=person, name="Orpheline")
    make_member(session, organisation, "editor")
    enter(person)
    page = client.post("/security/erase", {"contributions": "keep", "sure": "y"}, status=422)
    assert "Orpheline" in page.text
    make_member(session, organisation, "owner")
    client.post("/security/erase", {"contributions": "keep", "sure": "y"})


def test_the_log_of_an_organisation_forgets_the_name(client, session, enter):
    owner, leaver = make_person(session), make_person(session, name="Nom Unique")
    organisation = make_organisation(session, owner=owner)
    services.add_member(session, organisation.id, leaver.id, "owner")
    services.log_act(session, organisation.id, leaver.id, "edited")
    services.erase_person(session, leaver.id)
    enter(owner)
    page = client.get(f"/manage/organisations/{organisation.slug}")
    assert "Nom Unique" not in page.text
    assert "compte supprimé" in page.text


def test_what_is_old_is_forgotten(committed_app):
    with unit_of_work() as session:
        organisation = make_organisation(session)
        (owner,) = queries.list_member_ids(session, organisation.id, ["owner"])
        services.open_session(session, queries.get_person(session, owner))
        new = services.NewInvitation(
            organisation_id=organisation.id, email="a@koz.test", role="editor", invited_by=owner
        )
        services.invite(session, new)
        services.request_email_change(session, owner, "b@koz.test")
        for table, column in (
            ("user_sessions", "expires_at"),
            ("invitations", "expires_at"),
            ("email_changes", "created_at"),
        ):
            session.execute(text(f"UPDATE {table} SET {column} = now() - interval '40 days'"))
    get_job("accounts.tidy")()
    with unit_of_work() as session:
        assert not session.execute(text("SELECT 1 FROM user_sessions UNION ALL SELECT 1 FROM email_changes")).all()
        email, revoked = session.execute(text("SELECT email, revoked_at FROM invitations")).one()
        assert (email, revoked is not None) == ("", True)
