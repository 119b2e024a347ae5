"""Deliveries: signed, once in calm, again until 2xx, twice or late or never in chaos, the same chaos for the same seed."""

import json
import time

import pytest
import stripe

from koz.sandbox import webhooks
from koz.sandbox.store import Store
from tests.factories.stripe import account_params, checkout_params
from tests.sandbox_server import SECRET

PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def gift(sandbox, account, **changes):
    options = {"stripe_account": account}
    session = sandbox.client().v1.checkout.sessions.create(checkout_params(**changes), options)
    return sandbox.pay(session.id)


def test_a_gift_is_told_once_signed_and_with_its_account(own_sandbox, receiver):
    sandbox = own_sandbox(*receiver.options())
    account = sandbox.ready_account()
    paid = gift(sandbox, account, tip=100)
    receiver.wait_for(lambda events: len([e for e in events if e[0] != "/accounts"]) >= 4)
    assert sorted(receiver.types("/connect")) == sorted(PAID)
    assert receiver.types("/platform") == ["application_fee.created"]
    assert receiver.bad_signatures == 0
    by_type = {event["type"]: event for _path, event in receiver.events}
    completed = by_type["checkout.session.completed"]
    assert completed["data"]["object"]["id"] == paid["session"]["id"]
    assert (completed["account"], completed["livemode"], completed["object"]) == (account, False, "event")
    assert completed["api_version"] == "2026-10-28.endive"
    assert "account" not in by_type["application_fee.created"]
    assert not [key for key in completed["data"]["object"] if key.startswith("_")]


def test_the_sdk_reads_both_forms(own_sandbox, receiver):
    sandbox = own_sandbox(*receiver.options())
    client = sandbox.client()
    account = client.v2.core.accounts.create(account_params()).id
    sandbox.control("accounts/state", {"account": account, "state": "active"})
    gift(sandbox, account)
    receiver.wait_for(lambda events: len(events) >= 6)
    for path, event in receiver.events:
        body = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(body, SECRET)
        if path == "/accounts":
            notification = client.parse_event_notification(body, header, SECRET)
            assert notification.related_object.id == account
            assert notification.fetch_related_object().id == account
            assert notification.fetch_event().type == event["type"]
            assert "data" not in event, "thin"
        else:
            assert client.construct_event(body, header, SECRET).account == account
    assert sorted(set(receiver.types("/accounts"))) == [
        "v2.core.account[configuration.merchant].capability_status_updated",
        "v2.core.account[requirements].updated",
    ]


def test_a_failing_endpoint_is_tried_again_on_the_clock(own_sandbox, receiver):
    sandbox = own_sandbox(*receiver.options())
    account = sandbox.ready_account()
    receiver.wait_for(lambda events: len(events) == 2)  # of the account
    sandbox.control("clock", {"frozen": True})
    receiver.answer = lambda _path, _number: 500
    gift(sandbox, account)
    receiver.wait_for(lambda events: len(events) == 5)
    client, options = sandbox.client(), {"stripe_account": account}
    failed = client.v1.events.list({"delivery_success": False}, options)
    assert sorted(event.type for event in failed.data) == sorted(PAID)
    receiver.answer = lambda _path, _number: 200
    sandbox.advance(webhooks.BACKOFF_S[0] + 1)
    receiver.wait_for(lambda events: len(events) == 8)
    wait_delivered(sandbox)
    assert client.v1.events.list({"delivery_success": False}, options).data == []
    delivered = client.v1.events.list({"delivery_success": True}, options).data
    assert sorted(event.type for event in delivered) == sorted(PAID)
    assert {event.pending_webhooks for event in delivered} == {0}
    ids = [event["id"] for path, event in receiver.events if path == "/connect"]
    assert sorted(ids[:3]) == sorted(ids[3:]), "the same events again"


def wait_delivered(sandbox):
    for _ in range(200):
        if {d["state"] for d in sandbox.deliveries()} == {"delivered"}:
            return
        time.sleep(0.02)
    raise AssertionError(sandbox.deliveries())


def test_after_three_days_it_is_given_up_and_can_be_replayed(own_sandbox, receiver):
    sandbox = own_sandbox("--webhook", f"connect={receiver.url}/connect")
    account = sandbox.ready_account()
    receiver.answer = lambda _path, _number: 503
    gift(sandbox, account)
    for number in range(1, 13):
        receiver.wait_for(lambda events, number=number: len(events) >= 3 * number)
        sandbox.advance(12 * 3600)
        if {d["state"] for d in sandbox.deliveries()} == {"failed"}:
            break
    assert {d["state"] for d in sandbox.deliveries()} == {"failed"}
    receiver.answer = lambda _path, _number: 200
    before = len(receiver.events)
    sandbox.control("deliveries/replay", {"id": sandbox.deliveries()[0]["id"]})
    receiver.wait_for(lambda events: len(events) == before + 1)


def test_nothing_is_lost_when_the_sandbox_is_killed(own_sandbox, receiver, tmp_path):
    options = ["--data", str(tmp_path / "sandbox.sqlite"), "--webhook", f"connect={receiver.url}/connect"]
    sandbox = own_sandbox(*options)
    account = sandbox.ready_account()
    sandbox.control("webhooks", {"delay_s": 3600})
    paid = gift(sandbox, account)
    sandbox.process.kill()
    sandbox.process.wait()
    again = own_sandbox(*options)
    assert receiver.events == []
    again.advance(3601)
    receiver.wait_for(lambda events: len(events) == 3)
    assert again.state(account)["objects"]["checkout.session"][0] == paid["session"]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_makes_the_same_chaos(seed):
    chaos = webhooks.CALM | {"duplicate": 0.3, "reorder": 0.3, "drop": 0.3, "seed": seed}
    fates = [[webhooks._fate(chaos, n) for n in range(50)] for _ in range(2)]
    assert fates[0] == fates[1]
    assert {mark for fate in fates[0] for mark in fate.marks} == {"duplicate", "reorder", "drop"}
    other = [webhooks._fate(chaos | {"seed": 99}, n) for n in range(50)]
    assert other != fates[0]


def test_chaos_reaches_the_receiver(own_sandbox, receiver):
    sandbox = own_sandbox("--webhook", f"connect={receiver.url}/connect")
    account = sandbox.ready_account()
    sandbox.control("webhooks", {"duplicate": 1})
    gift(sandbox, account)
    sandbox.advance(10)
    receiver.wait_for(lambda events: len(events) == 6)
    ids = [event["id"] for _path, event in receiver.events]
    assert len(set(ids)) == 3
    sandbox.control("webhooks", {"drop": 1})
    gift(sandbox, account)
    assert {d["state"] for d in sandbox.deliveries()[:3]} == {"dropped"}
    assert len(sandbox.client().v1.events.list({"delivery_success": False}, {"stripe_account": account}).data) == 3
    assert sandbox.control("deliveries/flush", {})["deliveries"] == 0
    assert sandbox.control("deliveries/flush", {"dropped": True})["deliveries"] == 3
    receiver.wait_for(lambda events: len(events) == 9)
    sandbox.control("webhooks", {})
    sandbox.control("clock", {"frozen": True})
    sandbox.control("webhooks", {"reorder": 0.5, "seed": 4})
    for _ in range(4):
        gift(sandbox, account)
    late = [d for d in sandbox.deliveries()[:12] if d["chaos"] == "reorder"]
    assert 0 < len(late) < 12
    sandbox.advance(10)
    receiver.wait_for(lambda events: len(events) == 21)


def test_endpoints_made_through_the_api(own_sandbox, receiver):
    sandbox = own_sandbox()
    client = sandbox.client()
    endpoint = client.v1.webhook_endpoints.create(
        {
            "url": f"{receiver.url}/api", "connect": True, "enabled_events": ["checkout.session.completed"],
            "api_version": "2026-10-28.endive",
        }
    )  # fmt: skip
    assert endpoint.secret.startswith("whsec_")
    (listed,) = client.v1.webhook_endpoints.list().data
    assert (listed.id, "secret" in listed) == (endpoint.id, False)
    destination = client.v2.core.event_destinations.create(
        {
            "name": "Koz", "type": "webhook_endpoint", "event_payload": "thin", "events_from": ["@accounts"],
            "enabled_events": ["v2.core.account[requirements].updated"],
            "webhook_endpoint": {"url": f"{receiver.url}/thin"}, "include": ["webhook_endpoint.signing_secret"],
        }
    )  # fmt: skip
    assert destination.webhook_endpoint.signing_secret.startswith("whsec_")
    gift(sandbox, sandbox.ready_account())
    receiver.wait_for(lambda events: len(events) == 2)
    assert sorted(receiver.types()) == ["checkout.session.completed", "v2.core.account[requirements].updated"]
    assert receiver.bad_signatures == 2, "each endpoint has a secret of its own"


def test_nothing_is_sent_off_this_machine(own_sandbox):
    with pytest.raises(stripe.InvalidRequestError, match="not in the Koz sandbox"):
        own_sandbox().client().v1.webhook_endpoints.create({"url": "https://example.org/", "enabled_events": ["*"]})


def test_a_claimed_delivery_is_not_claimed_twice():
    store = Store()
    with store.transaction() as tx:
        webhooks.set_endpoint(tx, "we_1", "connect", "http://127.0.0.1:1", "s", ["*"])
        webhooks.emit(tx, "acct_1", "charge.succeeded", {"id": "ch_1", "object": "charge"})
        tx.sql("UPDATE endpoints SET active = 0")
        assert webhooks.claim(tx) is None, "an endpoint that is no longer named stays silent"
        tx.sql("UPDATE endpoints SET active = 1")
        first = webhooks.claim(tx)
        assert first is not None
        assert webhooks.claim(tx) is None
        webhooks.settle(tx, first, 200, None)
        assert webhooks.count_deliveries(tx) == {"delivered": 1}
    store.close()
