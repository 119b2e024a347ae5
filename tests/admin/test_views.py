"""The staff's desk: what it shows and hides, that every act has a reason and a line in the log."""

import pytest
from sqlalchemy import select

from koz.accounts import queries as people
from koz.accounts import services as accounts
from koz.accounts.models import AuditEntry
from koz.admin.queries import HIDDEN, without_personal
from koz.core.clock import now
from koz.core.outbox import OutboxDelivery, record, relay
from koz.notifications import services as notifications
from koz.notifications.models import Mail, MailState
from koz.payments.models import InboxEvent
from koz.payments.states import InboxState
from tests.factories.accounts import make_organisation, make_person

WHY = {"reason": "Demandé par la personne au téléphone"}


@pytest.fixture
def staff(session, enter):
    person = make_person(session, is_staff=True, name="Sofia")
    enter(person, second_factor=True)
    return person


def acts(session):
    return [(e.act, e.subject, e.reason) for e in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def make_event(session, n=1, **values):
    values = {"type": "checkout.session.completed", "state": InboxState.DEAD, "payload": {}} | values
    event = InboxEvent(endpoint="connect", external_id=f"evt_{n}", account_id="acct_1", object_id="cs_1", **values)
    session.add(event)
    session.flush()
    return event


def test_personal_data_of_an_event_stay_hidden():
    payload = {
        "id": "evt_1", "type": "x", "data": {"object": {
            "id": "cs_1", "amount_total": 1200, "customer_details": {"email": "a@koz.test", "name": "Awa"},
            "customer_email": None, "metadata": {}, "lines": [{"description": "a@koz.test", "amount": 3}],
            "note": "write to a@koz.test", "receipt_email": "a@koz.test",
        }},
    }  # fmt: skip
    shown = without_personal(payload)
    assert "koz.test" not in str(shown)
    assert "Awa" not in str(shown)
    assert shown["data"]["object"]["amount_total"] == 1200
    assert shown["data"]["object"]["lines"] == [{"description": HIDDEN, "amount": 3}]
    assert shown["data"]["object"]["customer_email"] is None


def test_the_desk_counts_and_every_page_opens_when_empty(client, session, staff):
    assert "Bureau" in client.get("/admin/").text
    for page in ("inbox", "outbox", "mails", "organisations", "organisations?state=verified", "people", "log"):
        client.get(f"/admin/{page}")
    for page in ("inbox/1", "outbox/1", "mails/1", "organisations/1", "people/999999"):
        client.get(f"/admin/{page}", status=404)


def test_an_event_is_handled_again_with_a_reason(client, session, staff):
    event = make_event(session, payload={"data": {"object": {"customer_email": "a@koz.test"}}}, attempts=20)
    assert str(event.id) in client.get("/admin/inbox?state=dead").text
    page = client.get(f"/admin/inbox/{event.id}")
    assert "a@koz.test" not in page.body
    client.post(f"/admin/inbox/{event.id}", {"reason": "no"}, status=422)
    session.refresh(event)
    assert event.state is InboxState.DEAD
    client.post(f"/admin/inbox/{event.id}", WHY)
    session.refresh(event)
    assert (event.state, event.attempts) == (InboxState.WAITING, 0)
    assert acts(session) == [("replay-inbox", f"inbox event {event.id}", WHY["reason"])]
    odd = make_event(session, 2, type="payout.failed", state=InboxState.IGNORED)
    client.post(f"/admin/inbox/{odd.id}", WHY, status=409)
    assert len(acts(session)) == 1, "what is refused is not logged as done"


def test_a_dead_delivery_is_delivered_again(client, session, staff):
    accounts.request_reset(session, make_person(session).email)
    delivery = session.scalars(select(OutboxDelivery)).one()
    delivery.dead_at, delivery.attempts, delivery.last_error = now(), 12, "Boom"
    session.flush()
    assert "Boom" in client.get("/admin/outbox").text
    client.get(f"/admin/outbox/{delivery.id}")
    client.post(f"/admin/outbox/{delivery.id}", WHY)
    relay()
    session.refresh(delivery)
    assert delivery.handled_at is not None
    assert acts(session)[0][0] == "replay-outbox"


@pytest.mark.parametrize(("act", "state"), [("sent", MailState.SENT), ("again", MailState.WAITING)])
def test_an_unknown_mail_is_settled(client, session, staff, act, state):
    notifications.queue_mail(session, "reset", "someone@koz.test", "fr", {"name": "A", "path": "/x"}, "k")
    mail = session.scalars(select(Mail)).one()
    client.post(f"/admin/mails/{mail.id}", WHY | {"act": act}, status=409)
    mail.state = MailState.UNKNOWN
    session.flush()
    for page in (client.get("/admin/mails"), client.get(f"/admin/mails/{mail.id}")):
        assert "someone" not in page.body, "addresses stay hidden"
    client.post(f"/admin/mails/{mail.id}", WHY | {"act": "burn"}, status=422)
    client.post(f"/admin/mails/{mail.id}", WHY | {"act": act})
    session.refresh(mail)
    assert mail.state is state
    assert len(acts(session)) == 1


def test_an_organisation_is_verified_and_no_longer(client, session, staff):
    organisation = make_organisation(session, siren="784671695")
    assert organisation.name in client.get("/admin/organisations").text
    client.post(f"/admin/organisations/{organisation.id}", WHY | {"act": "verify"})
    session.refresh(organisation)
    assert organisation.verified_at is not None
    assert organisation.name in client.get("/admin/organisations?state=verified").text
    client.post(f"/admin/organisations/{organisation.id}", WHY | {"act": "unverify"})
    session.refresh(organisation)
    assert organisation.verified_at is None
    assert [a[0] for a in acts(session)] == ["verify-organisation", "unverify-organisation"]
    log = people.list_organisation_entries(session, organisation.id)
    assert [row.entry.act for row in log] == ["unverified", "verified"]


def test_a_person_is_found_by_address_with_a_reason_and_no_trace_of_it(client, session, staff):
    person = make_person(session, email="lost@koz.test", totp_secret="X" * 32)
    accounts.open_session(session, person)
    session.flush()
    client.post("/admin/people", {"email": "lost@koz.test"}, status=422)
    client.post("/admin/people", WHY | {"email": "nobody@koz.test"}, status=422)
    found = client.post("/admin/people", WHY | {"email": "Lost@koz.test"}).response.location
    assert found == f"/admin/people/{person.id}"
    assert "lost@koz.test" not in client.get(found).body
    client.post(found, WHY | {"act": "end-sessions"})
    assert people.list_sessions(session, person.id) == []
    client.post(found, WHY | {"act": "reset-second-factor"})
    session.refresh(person)
    assert person.totp_secret is None
    assert [a[:2] for a in acts(session)] == [
        (act, f"person {person.id}") for act in ("look-up-person", "end-sessions", "reset-second-factor")
    ]
    assert "lost" not in str(acts(session))
    assert "reset-second-factor" in client.get("/admin/log").text


def test_lists_are_paged_by_key_and_cost_the_same_with_many_rows(client, session, staff, queries):
    for n in range(120):
        make_event(session, n)
    with queries() as q:
        first = client.get("/admin/inbox?state=dead")
    assert q.count <= 3
    seen = []
    page = first
    while True:
        seen += [a.get("href") for a in page.all("a") if "/admin/inbox/" in a.get("href", "")]
        onward = page.all("a", rel="next")
        if not onward:
            break
        page = client.get(onward[0].get("href"))
    assert len(seen) == len(set(seen)) == 120


def test_a_person_who_is_gone_is_no_error_of_a_subscriber(session):
    from koz.accounts.events import PasswordChanged

    record(session, PasswordChanged(10**9))
    session.flush()
    relay()
    assert session.scalars(select(OutboxDelivery)).one().handled_at is not None
