"""Webhooks: signed or refused, stored once, answered before Stripe is asked, applied by looking."""

import json
from datetime import timedelta

import pytest
import stripe
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from koz.campaigns.models import Campaign
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.errors import Conflict
from koz.core.money import Money
from koz.core.settings import DEMO_WEBHOOK_SECRET
from koz.payments import ledger, queries, webhooks
from koz.payments.gateway import BadSignature, ProviderEvent
from koz.payments.models import Gift, InboxEvent
from koz.payments.states import GiftState, InboxState
from koz.payments.stripe_gateway import StripeGateway
from tests.pageclient import PageClient


def event(**change):
    body = {
        "id": "evt_1", "object": "event", "type": "checkout.session.completed", "livemode": False, "account": "acct_1",
        "data": {"object": {"id": "cs_1"}},
    }  # fmt: skip
    return json.dumps(body | change)


def send(app, body, secret=DEMO_WEBHOOK_SECRET, timestamp=None, endpoint="connect"):
    signature = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=timestamp)
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    return PageClient(app).open(f"/webhooks/stripe/{endpoint}", method="POST", data=body, headers=headers)


def stored(session):
    return session.scalar(select(func.count()).select_from(InboxEvent))


def test_an_event_is_stored_once(app, session):
    assert send(app, event()).json == {"received": True, "repeat": False}
    assert send(app, event()).json == {"received": True, "repeat": True}
    assert stored(session) == 1


@pytest.mark.parametrize(
    ("body", "secret", "timestamp"),
    [
        (event(), "whsec_other", None),
        (event(), DEMO_WEBHOOK_SECRET, 1_000_000),
        ("{}", DEMO_WEBHOOK_SECRET, None),
        ("not json", DEMO_WEBHOOK_SECRET, None),
        ("[]", DEMO_WEBHOOK_SECRET, None),
        (event(livemode=True), DEMO_WEBHOOK_SECRET, None),
    ],
)
def test_what_is_not_rightly_signed_or_of_the_other_mode_is_refused_and_not_stored(
    app, session, body, secret, timestamp
):
    answer = send(app, body, secret, timestamp)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert stored(session) == 0


def test_no_signature_other_method_and_unknown_endpoint(app, session, client):
    assert client.open("/webhooks/stripe/connect", method="POST", data=event()).status_code == 400
    assert client.open("/webhooks/stripe/connect", method="GET").status_code == 405
    assert send(app, event(), endpoint="other").status_code == 404
    assert stored(session) == 0


def test_an_unknown_type_is_stored_and_stays_visible(app, session):
    send(app, event(type="account.flew_away"))
    row = session.scalars(select(InboxEvent)).one()
    assert row.state is InboxState.IGNORED
    assert row.payload["type"] == "account.flew_away"


def test_events_doubled_and_disordered_settle_a_gift_once(start, gateway, campaign_id):
    pages = [start(20_00).url.rsplit("/", 1)[1] for _ in range(3)]
    for page in pages:
        gateway.pay(page)
    with unit_of_work() as session:
        for n, page in enumerate([*reversed(pages), *pages]):
            webhooks.receive(
                session, "connect", ProviderEvent(f"evt_{n}", "checkout.session.completed", False, "acct_1", page, {})
            )
    assert webhooks.apply_due(unit_of_work, gateway) == 6
    with unit_of_work() as session:
        assert session.get_one(Campaign, campaign_id).collected_minor == 60_00


def test_an_event_waits_while_the_provider_is_down(start, gateway, campaign_id):
    page = start(20_00).url.rsplit("/", 1)[1]
    gateway.pay(page)
    with unit_of_work() as session:
        webhooks.receive(
            session, "connect", ProviderEvent("evt_1", "checkout.session.completed", False, "acct_1", page, {})
        )
    gateway.down = True
    assert webhooks.apply_due(unit_of_work, gateway) == 0
    gateway.down = False
    with unit_of_work() as session:
        row = session.scalars(select(InboxEvent)).one()
        assert row.state is InboxState.WAITING
        assert "ProviderDown" in row.last_error
        row.next_attempt_at = row.received_at
    assert webhooks.apply_due(unit_of_work, gateway) == 1


def test_each_endpoint_has_its_own_secrets_and_several_of_them():
    adapter = StripeGateway("sk_test_1", ("whsec_all", "connect:whsec_c", "platform:whsec_p"), "http://127.0.0.1:1")
    body = event()
    for secret, endpoints in (
        ("whsec_all", {"connect", "platform", "accounts"}), ("whsec_c", {"connect"}), ("whsec_p", {"platform"}),
    ):  # fmt: skip
        signature = stripe.WebhookSignature.generate_signature_header(body, secret)
        good = set()
        for endpoint in ("connect", "platform", "accounts"):
            try:
                adapter.read_event(body.encode(), signature, endpoint)
            except BadSignature:
                continue
            good.add(endpoint)
        assert good == endpoints


def test_an_event_too_large_is_refused(app, session):
    answer = send(app, event(filler="x" * 600_000))
    assert answer.status_code == 413
    assert stored(session) == 0


def receive(gateway, type_, object_id=None, account="acct_1", payload=None, endpoint="connect"):
    """One event comes and the job runs; returns its row."""
    with unit_of_work() as session:
        count = session.scalar(select(func.count()).select_from(InboxEvent))
        known = ProviderEvent(f"evt_{count}_{type_}", type_, False, account, object_id, payload or {})
        row_id = webhooks.receive(session, endpoint, known)
    webhooks.apply_due(unit_of_work, gateway)
    with unit_of_work() as session:
        return session.get_one(InboxEvent, row_id, populate_existing=True)


def test_an_event_of_an_account_that_is_not_ours_is_kept_and_ignored(start, gateway, campaign_id):
    page = start(20_00).url.rsplit("/", 1)[1]
    gateway.pay(page)
    row = receive(gateway, "checkout.session.completed", page, account="acct_stranger")
    assert (row.state, row.account_id) == (InboxState.IGNORED, "acct_stranger")
    assert receive(gateway, "checkout.session.completed", page, account=None).state is InboxState.IGNORED
    with unit_of_work() as session:
        assert session.get_one(Campaign, campaign_id).collected_minor == 0


def test_a_refused_card_and_a_closed_page_are_known_by_their_events(start, gateway, campaign_id):
    started = start(20_00)
    page = started.url.rsplit("/", 1)[1]
    gateway.decline(page, "lost_card")
    about = {"data": {"object": {"id": "pi_1", "metadata": {"koz_gift": str(started.gift_id), "koz_attempt": "1"}}}}
    assert receive(gateway, "payment_intent.payment_failed", "pi_1", payload=about).state is InboxState.HANDLED
    with unit_of_work() as session:
        assert queries.last_attempt(session, started.gift_id).failure == "lost_card"
    gateway.expire(page)
    receive(gateway, "checkout.session.expired", page)
    with unit_of_work() as session:
        assert session.get_one(Gift, started.gift_id, populate_existing=True).state is GiftState.ABANDONED
    for metadata in ({}, {"koz_gift": "999999", "koz_attempt": "1"}, {"koz_gift": "x", "koz_attempt": "²"}):
        about = {"data": {"object": {"id": "pi_1", "metadata": metadata}}}
        assert receive(gateway, "payment_intent.payment_failed", "pi_1", payload=about).state is InboxState.IGNORED


def test_refunds_are_found_by_events_of_the_organisation_and_of_the_platform(start, gateway, campaign_id):
    started = start(20_00)
    page = started.url.rsplit("/", 1)[1]
    gateway.pay(page)
    receive(gateway, "checkout.session.completed", page)
    gateway.give_back(f"pi_{page}", Money(3_00))
    about = {"data": {"object": {"id": "ch_1", "payment_intent": f"pi_{page}"}}}
    assert receive(gateway, "charge.refunded", "ch_1", payload=about).state is InboxState.HANDLED
    gateway.give_back(f"pi_{page}", Money(4_00))
    about = {"data": {"object": {"id": "fee_1", "charge": f"pi_{page}", "account": "acct_1"}}}
    row = receive(gateway, "application_fee.refunded", "fee_1", account=None, payload=about, endpoint="platform")
    assert row.state is InboxState.HANDLED
    with unit_of_work() as session:
        assert session.get_one(Gift, started.gift_id, populate_existing=True).refunded_minor == 7_00
        assert ledger.check(session).problems == []


def test_a_thin_event_of_an_account_makes_us_read_it(gateway, campaign_id, app_of_session):
    gateway.set_account("acct_1", "to_finish", "identity.document")
    body = json.dumps({
        "id": "evt_thin", "object": "v2.core.event", "type": "v2.core.account[requirements].updated", "livemode": False,
        "context": "acct_1", "related_object": {"id": "acct_1", "type": "v2.core.account"},
    })  # fmt: skip
    signature = stripe.WebhookSignature.generate_signature_header(body, "whsec_1")
    read = StripeGateway("sk_test_1", ("whsec_1",), "http://127.0.0.1:1").read_event(
        body.encode(), signature, "accounts"
    )
    with unit_of_work() as session:
        webhooks.receive(session, "accounts", read)
    webhooks.apply_due(unit_of_work, gateway)
    with unit_of_work() as session:
        account = queries.find_account_by_provider_id(session, "acct_1")
        assert (account.can_charge, account.requirements) == (False, ["identity.document"])
    row = receive(gateway, "v2.core.account.closed", "acct_other", account="acct_other", endpoint="accounts")
    assert row.state is InboxState.IGNORED


def test_an_event_that_cannot_be_applied_does_not_hold_up_the_others(start, gateway, campaign_id):
    bad, good = (start(20_00).url.rsplit("/", 1)[1] for _ in range(2))
    for page in (bad, good):
        gateway.pay(page)
    order = gateway.order_of(bad)
    with unit_of_work() as session:
        session.get_one(Gift, order.gift_id).amount_minor = 99_00  # the books and the provider do not agree
    receive(gateway, "checkout.session.completed", bad)
    receive(gateway, "checkout.session.completed", good)
    with unit_of_work() as session:
        rows = session.scalars(select(InboxEvent).order_by(InboxEvent.id).execution_options(populate_existing=True))
        assert [row.state for row in rows] == [InboxState.WAITING, InboxState.HANDLED]


@pytest.fixture
def count_queries(request):
    return request.getfixturevalue("queries")


def test_the_intake_is_one_statement_and_asks_nobody(app, session, count_queries):
    with count_queries() as seen:
        send(app, event())
    inserts = [statement for statement in seen.seen if "SELECT 1" not in statement]
    assert len(inserts) == 1, inserts


def test_when_the_database_is_down_the_provider_is_asked_to_come_again(app_of_session, monkeypatch):
    import koz.payments.views.webhooks as view

    def broken():
        raise OperationalError("SELECT", {}, Exception("down"))

    monkeypatch.setattr(view, "unit_of_work", broken)
    answer = send(app_of_session, event())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_settled_events_forget_what_they_said_and_stay_known(app, session):
    old = {"payload": {"data": {"object": {"customer_email": "d@koz.test"}}}, "received_at": now() - timedelta(days=91)}
    rows = {
        state: InboxEvent(endpoint="connect", external_id=state.value, type="refund.updated", state=state, **old)
        for state in InboxState
    }
    young = InboxEvent(
        endpoint="connect", external_id="y", type="t", state=InboxState.HANDLED, payload={"id": "y"}, received_at=now()
    )
    session.add_all([*rows.values(), young])
    session.flush()
    assert webhooks.forget_old(session) == 2
    assert webhooks.forget_old(session) == 0
    session.expire_all()
    assert {state for state, row in rows.items() if not row.payload} == {InboxState.HANDLED, InboxState.IGNORED}
    assert young.payload == {"id": "y"}
    assert send(app, event(id="handled")).json["repeat"] is True
    with pytest.raises(Conflict):
        webhooks.replay(session, rows[InboxState.HANDLED].id)
