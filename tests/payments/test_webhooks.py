"""Webhooks: signed or refused, stored once, answered before Stripe is asked, applied by looking."""

import json

import pytest
import stripe
from sqlalchemy import func, select

from koz.campaigns.models import Campaign
from koz.core.db import unit_of_work
from koz.core.settings import DEMO_WEBHOOK_SECRET
from koz.payments import webhooks
from koz.payments.gateway import ProviderEvent
from koz.payments.models import InboxEvent
from koz.payments.states import InboxState
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
