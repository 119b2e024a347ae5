"""Keys, versions, accounts, addresses, honesty about what is not here."""

import pytest
import stripe

from koz.sandbox import calls, objects
from tests.factories.stripe import checkout_params


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x", "pk_test_x", "sk_test_", "nonsense"])
def test_only_test_keys_enter(sandbox, key):
    with pytest.raises(stripe.AuthenticationError):
        sandbox.client(key).v1.balance.retrieve()


def test_without_a_key(sandbox):
    answer = sandbox.raw("GET", "/v1/balance")
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_another_version_is_refused(stripe_client):
    with pytest.raises(stripe.InvalidRequestError, match="2023-08-16"):
        stripe_client.v1.balance.retrieve(None, {"stripe_version": "2023-08-16"})


def test_headers_are_stripes(stripe_client, account):
    session = stripe_client.v1.checkout.sessions.create(checkout_params(), {"stripe_account": account})
    headers = session.last_response.headers
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == stripe.api_version
    assert headers["Stripe-Account"] == account
    assert session.livemode is False


def test_unknown_addresses(sandbox, stripe_client):
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        stripe_client.raw_request("get", "/v1/nonsense")


@pytest.mark.parametrize(
    "request_it",
    [
        lambda c: c.v1.customers.create({"email": "a@koz.test"}),
        lambda c: c.v1.checkout.sessions.create(
            {"mode": "setup", "currency": "eur", "success_url": "http://127.0.0.1"}
        ),
        lambda c: c.v1.checkout.sessions.create(checkout_params(mode="subscription")),
        lambda c: c.v1.subscriptions.list(),
        lambda c: c.v1.disputes.list(),
        lambda c: c.v1.payouts.list(),
        lambda c: c.v1.balance_transactions.list({"payout": "po_1"}),
    ],
)
def test_what_is_not_here_says_so_and_is_not_tried_again(stripe_client, request_it):
    with pytest.raises(stripe.InvalidRequestError, match="not in the Koz sandbox") as caught:
        request_it(stripe_client)
    assert caught.value.http_status == 400


def test_a_typo_is_told_before_what_is_not_here(stripe_client):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.customers.create({"emial": "a@koz.test"})
    assert caught.value.code == "parameter_unknown"


def test_a_parameter_without_effect_is_refused_unless_the_table_names_it(sandbox, stripe_client, account):
    options = {"stripe_account": account}
    with pytest.raises(stripe.InvalidRequestError, match="not in the Koz sandbox") as caught:
        stripe_client.v1.checkout.sessions.create(checkout_params(consent_collection={"promotions": "auto"}), options)
    assert caught.value.param == "consent_collection[promotions]"
    before = sandbox.raw("GET", "/_control/ignored").json()["seen"]
    stripe_client.v1.checkout.sessions.create(checkout_params(billing_address_collection="auto"), options)
    name = "post /v1/checkout/sessions: billing_address_collection"
    assert sandbox.raw("GET", "/_control/ignored").json()["seen"].get(name, 0) == before.get(name, 0) + 1


def test_the_table_of_ignored_parameters():
    assert objects.__all__
    table = calls.ignored()
    assert table == {
        "post /v1/checkout/sessions": [
            "adaptive_pricing.enabled", "allow_promotion_codes", "billing_address_collection", "customer_creation",
            "line_items[].price_data.product_data.images", "line_items[].price_data.product_data.metadata",
            "payment_intent_data.statement_descriptor", "payment_intent_data.statement_descriptor_suffix",
            "phone_number_collection.enabled",
        ],
        "post /v2/core/accounts": ["configuration.merchant.mcc", "contact_phone", "defaults.profile"],
    }  # fmt: skip


def test_an_account_that_is_not_connected(stripe_client):
    with pytest.raises(stripe.PermissionError) as caught:
        stripe_client.v1.balance.retrieve(None, {"stripe_account": "acct_gone"})
    assert (caught.value.http_status, caught.value.error.code) == (403, "account_invalid")  # the SDK leaves .code None


def test_every_object_lies_in_its_account(sandbox, stripe_client, account):
    here, there = {"stripe_account": account}, {"stripe_account": sandbox.ready_account()}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(tip=100), here)
    paid = sandbox.pay(session.id)
    intent, charge = paid["payment_intent"]["id"], paid["payment_intent"]["latest_charge"]
    refund = stripe_client.v1.refunds.create({"charge": charge, "amount": 100}, here)
    event = stripe_client.v1.events.list({"limit": 1}, here).data[0]
    transaction = stripe_client.v1.charges.retrieve(charge, None, here).balance_transaction
    v1 = stripe_client.v1
    for service, id_ in (
        (v1.checkout.sessions, session.id), (v1.payment_intents, intent), (v1.charges, charge), (v1.events, event.id),
        (v1.refunds, refund.id), (v1.balance_transactions, transaction),
    ):  # fmt: skip
        assert service.retrieve(id_, None, here).id == id_
        for options in (there, {}):
            with pytest.raises(stripe.InvalidRequestError) as caught:
                service.retrieve(id_, None, options)
            assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.refunds.create({"payment_intent": intent}, there)
    assert (caught.value.http_status, caught.value.param) == (404, "payment_intent")
    assert v1.charges.list(None, there).data == []


def test_other_names_and_other_sites_are_kept_out(sandbox):
    assert sandbox.raw("GET", "/_desk", headers={"Host": "evil.example"}).status_code == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert sandbox.raw("POST", "/_desk", data={"what": "calm"}, headers=headers).status_code == 403
    assert sandbox.raw("POST", "/_control/clock", data="advance_s=9").status_code == 400


def test_bodies_that_cannot_be_read(sandbox):
    headers = {"Authorization": "Bearer sk_test_x"}
    for path, data in (("/v2/core/accounts", "{"), ("/v2/core/accounts", "[]"), ("/v1/refunds", b"\xff\xfe")):
        assert sandbox.raw("POST", path, data=data, headers=headers).status_code == 400
