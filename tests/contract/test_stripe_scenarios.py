"""One suite of scenarios for the sandbox and for Stripe itself: what passes on both is what the sandbox may claim.

Against the sandbox always. Against Stripe when the environment holds `STRIPE_TEST_KEY` (a platform's `sk_test_…`) and
`STRIPE_TEST_ACCOUNT` (a connected account of it, made with Accounts v2, that can take cards):

    STRIPE_TEST_KEY=sk_test_… STRIPE_TEST_ACCOUNT=acct_… python -m pytest -n0 -m stripe tests/contract

Through the product's own adapter where it has the verb, through the SDK otherwise. Nobody presses buttons on Stripe's
hosted page here: what needs it is skipped there, and where a paid charge is enough one is made by the API.
"""

import os
import uuid
from dataclasses import replace

import pytest
import stripe

from koz.core.money import Money
from koz.payments.gateway import AccountOrder, BadSignature, CheckoutOrder, ProviderRefused
from koz.payments.stripe_gateway import StripeGateway
from tests.factories.stripe import checkout_params
from tests.sandbox_server import KEY, SECRET, Receiver, SandboxServer, running_sandbox

STRIPE = "https://api.stripe.com"


class Provider:
    """Where a scenario runs: the SDK, the adapter, a ready account, and how a paid charge is made."""

    def __init__(self, key: str, base: str, account: str, sandbox: SandboxServer | None) -> None:
        stripe.enable_telemetry = False
        self.sandbox, self.account = sandbox, account
        self.options = {"stripe_account": account}
        self.gateway = StripeGateway(key, (SECRET,), base)
        self.client = stripe.StripeClient(
            key,
            base_addresses={"api": base, "connect": base, "files": base},
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=(5, 30)),
        )

    def page(self) -> SandboxServer:
        """The sandbox, for what a person does on the hosted page."""
        if self.sandbox is None:
            pytest.skip("nobody presses buttons on Stripe's own hosted page here")
        return self.sandbox

    def paid_intent(self, amount: int, fee: int = 0) -> str:
        """Id of a PaymentIntent that was paid by card."""
        if self.sandbox is not None:
            session = self.client.v1.checkout.sessions.create(checkout_params(amount - fee, fee), self.options)
            return self.sandbox.pay(session.id)["payment_intent"]["id"]
        params = {
            "amount": amount, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        } | ({"application_fee_amount": fee} if fee else {})  # fmt: skip
        return self.client.v1.payment_intents.create(params, self.options).id


@pytest.fixture(scope="module", params=["sandbox", pytest.param("stripe", marks=pytest.mark.stripe)])
def provider(request):
    """The sandbox, and Stripe where there are keys."""
    if request.param == "sandbox":
        with running_sandbox() as sandbox:
            yield Provider(KEY, sandbox.url, sandbox.ready_account(), sandbox)
        return
    key, account = os.environ.get("STRIPE_TEST_KEY", ""), os.environ.get("STRIPE_TEST_ACCOUNT", "")
    if not (key and account):
        pytest.skip("set STRIPE_TEST_KEY and STRIPE_TEST_ACCOUNT to run the scenarios against Stripe itself")
    assert key.startswith("sk_test_"), "STRIPE_TEST_KEY must be a test key"
    yield Provider(key, STRIPE, account, None)


@pytest.fixture
def order(provider):
    """A gift of 25 € with a tip of 1 €, with a key of its own."""
    return CheckoutOrder(
        gift_id=uuid.uuid4().int % 10**15, attempt=1, account_id=provider.account, campaign_title="De l'eau",
        amount=Money(25_00), tip=Money(1_00), email="donor@koz.test", locale="fr",
        success_url="http://127.0.0.1:8000/thanks?s={CHECKOUT_SESSION_ID}", cancel_url="http://127.0.0.1:8000/no",
    )  # fmt: skip


# --- the hosted page --------------------------------------------------------------------------------------------------


def test_a_page_opens_once_for_the_same_order(provider, order):
    first, again = provider.gateway.open_checkout(order), provider.gateway.open_checkout(order)
    assert first == again
    assert first.url.startswith("http")
    payment = provider.gateway.fetch_payment(provider.account, first.session_id)
    assert (payment.state, payment.gift_id, payment.attempt) == ("open", order.gift_id, 1)
    assert payment.paid == Money(0)


def test_the_same_key_with_another_amount_is_refused_and_a_new_attempt_is_not(provider, order):
    first = provider.gateway.open_checkout(order)
    with pytest.raises(ProviderRefused):
        provider.gateway.open_checkout(replace(order, amount=Money(30_00)))
    assert provider.gateway.open_checkout(replace(order, amount=Money(30_00), attempt=2)) != first


def test_a_page_without_a_tip(provider, order):
    page = provider.gateway.open_checkout(replace(order, tip=Money(0)))
    session = provider.client.v1.checkout.sessions.retrieve(page.session_id, None, provider.options)
    assert (session.amount_total, session.currency, session.livemode) == (2500, "eur", False)
    assert (session.mode, session.ui_mode, session.payment_intent) == ("payment", "hosted_page", None)


def test_an_expired_page(provider, order):
    page = provider.gateway.open_checkout(order)
    assert provider.gateway.expire_checkout(provider.account, page.session_id)
    assert provider.gateway.fetch_payment(provider.account, page.session_id).state == "expired"
    assert not provider.gateway.expire_checkout(provider.account, page.session_id)


def test_a_gift_is_paid_with_its_tip_and_fee(provider, order):
    page = provider.gateway.open_checkout(order)
    provider.page().pay(page.session_id)
    payment = provider.gateway.fetch_payment(provider.account, page.session_id)
    assert (payment.state, payment.paid, payment.tip, payment.fee) == ("paid", Money(26_00), Money(1_00), Money(64))
    assert payment.payment_id.startswith("pi_")


def test_a_declined_card_then_another_on_the_same_page(provider, order):
    page = provider.gateway.open_checkout(order)
    assert provider.page().pay(page.session_id, "4000000000000002")["session"]["status"] == "open"
    assert provider.gateway.fetch_payment(provider.account, page.session_id).state == "open"
    provider.page().pay(page.session_id)
    assert provider.gateway.fetch_payment(provider.account, page.session_id).state == "paid"


@pytest.mark.parametrize(("approve", "state"), [(True, "paid"), (False, "open")])
def test_three_d_secure(provider, order, approve, state):
    page = provider.gateway.open_checkout(order)
    provider.page().pay(page.session_id, "4000002500003155", approve=approve)
    assert provider.gateway.fetch_payment(provider.account, page.session_id).state == state


# --- refunds ----------------------------------------------------------------------------------------------------------


def test_a_partial_then_the_rest_with_the_tip(provider):
    intent = provider.paid_intent(2600, 100)
    account, numbers = provider.account, iter(range(uuid.uuid4().int % 10**15, 10**18))
    first = provider.gateway.refund(
        refund_id=next(numbers), account_id=account, payment_id=intent, amount=Money(12_50), tip=Money(50)
    )
    assert (first.state, first.amount, first.fee_back) == ("done", Money(13_00), Money(50))
    second = provider.gateway.refund(
        refund_id=next(numbers), account_id=account, payment_id=intent, amount=Money(12_50), tip=Money(50)
    )
    assert provider.gateway.list_refunds(account, intent) == [second, first]
    assert provider.gateway.fetch_refund(account, first.provider_id) == first
    charge = provider.client.v1.charges.list({"payment_intent": intent}, provider.options).data[0]
    assert (charge.refunded, charge.amount_refunded) == (True, 2600)
    (fee,) = provider.client.v1.application_fees.list({"charge": charge.id}).data
    assert (fee.refunded, fee.amount_refunded, fee.account) == (True, 100, account)
    with pytest.raises(ProviderRefused, match="charge_already_refunded"):
        provider.gateway.refund(
            refund_id=next(numbers), account_id=account, payment_id=intent, amount=Money(1), tip=Money(0)
        )


def test_the_same_refund_twice_is_one_refund(provider):
    intent, number = provider.paid_intent(1000), uuid.uuid4().int % 10**15
    twice = {
        provider.gateway.refund(
            refund_id=number, account_id=provider.account, payment_id=intent, amount=Money(4_00), tip=Money(0)
        )
        for _ in range(2)
    }
    assert len(twice) == 1
    assert len(provider.client.v1.refunds.list({"payment_intent": intent}, provider.options).data) == 1


@pytest.mark.parametrize(
    ("params", "param"),
    [({"amount": 1001}, "amount"), ({"refund_application_fee": True}, None), ({"amount": 0}, "amount")],
)
def test_refunds_that_are_refused(provider, params, param):
    intent = provider.paid_intent(1000)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        provider.client.v1.refunds.create({"payment_intent": intent} | params, provider.options)
    assert caught.value.http_status == 400
    assert param is None or caught.value.param == param


# --- the books --------------------------------------------------------------------------------------------------------


def test_what_is_booked_on_the_account_and_on_the_platform(provider):
    intent = provider.paid_intent(2600, 100)
    expand = {"expand": ["latest_charge.balance_transaction"]}
    charge = provider.client.v1.payment_intents.retrieve(intent, expand, provider.options).latest_charge
    booked = charge.balance_transaction
    parts = {part.type: part.amount for part in booked.fee_details}
    assert parts["application_fee"] == 100
    assert parts["stripe_fee"] > 0
    assert (booked.amount, booked.fee, booked.net) == (2600, sum(parts.values()), 2600 - sum(parts.values()))
    (fee,) = provider.client.v1.application_fees.list({"charge": charge.id}).data
    earned = provider.client.v1.balance_transactions.retrieve(fee.balance_transaction)
    assert (earned.type, earned.net) == ("application_fee", 100)


def test_transactions_are_listed_with_their_source(provider):
    provider.paid_intent(1000)
    listed = provider.client.v1.balance_transactions.list({"limit": 1, "expand": ["data.source"]}, provider.options)
    assert listed.data[0].source.object == "charge"


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"moed": "payment"}, "moed", "parameter_unknown"),
        ({"mode": "pay"}, "mode", None),
        ({"ui_mode": "hosted"}, "ui_mode", None),
        ({"payment_method_types": ["card"]}, "payment_method_types", "payment_method_types_no_longer_supported"),
        ({"success_url": "/thanks"}, "success_url", "url_invalid"),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"expires_at": 1}, "expires_at", None),
    ],
)
def test_parameters_that_are_refused(provider, changes, param, code):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        provider.client.v1.checkout.sessions.create(checkout_params(**changes), provider.options)
    assert (caught.value.http_status, caught.value.param) == (400, param)
    assert code is None or caught.value.code == code


def test_too_little_money(provider, order):
    with pytest.raises(ProviderRefused, match="amount_too_small"):
        provider.gateway.open_checkout(replace(order, amount=Money(49), tip=Money(0)))


def test_a_forgotten_account_header_finds_nothing(provider, order):
    page = provider.gateway.open_checkout(order)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        provider.client.v1.checkout.sessions.retrieve(page.session_id)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_an_account_that_is_not_connected(provider, order):
    with pytest.raises(ProviderRefused):
        provider.gateway.open_checkout(replace(order, account_id="acct_1000000000000000"))


# --- accounts and events ----------------------------------------------------------------------------------------------


def test_a_new_organisation_must_be_onboarded(provider):
    number = uuid.uuid4().int % 10**15
    order = AccountOrder(row_id=number, name="Eau Vive", email="a@koz.test", entity="association")
    account = provider.gateway.open_account(order)
    assert account.state == "to_finish"
    assert account.requirements
    assert provider.gateway.open_account(order).provider_id == account.provider_id, "the same key, the same account"
    urls = {"refresh_url": "https://koz.test/again", "return_url": "https://koz.test/back"}
    links = {provider.gateway.account_link(account.provider_id, **urls) for _ in range(2)}
    assert len(links) == 2
    assert all(link.startswith("http") for link in links)
    with pytest.raises(stripe.StripeError) as caught:
        provider.client.v1.checkout.sessions.create(checkout_params(), {"stripe_account": account.provider_id})
    assert caught.value.http_status == 400
    bare = provider.client.v2.core.accounts.retrieve(account.provider_id)
    assert bare.configuration is None


@pytest.mark.parametrize(("how", "state"), [("done", "active"), ("pending", "to_finish"), ("leave", "to_finish")])
def test_onboarding_on_the_hosted_page(provider, how, state):
    order = AccountOrder(row_id=uuid.uuid4().int % 10**15, name="Eau Vive", email="a@koz.test", entity="association")
    account = provider.gateway.open_account(order).provider_id
    urls = {"refresh_url": "https://koz.test/again", "return_url": "https://koz.test/back"}
    page = provider.page()
    path = provider.gateway.account_link(account, **urls).removeprefix(page.url)
    assert page.raw("GET", path).status_code == 200
    form = {"how": how, "legal_name": "Eau Vive", "iban": "FR1420041010050500013M02606"}
    answer = page.raw("POST", path, data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, urls["return_url"])
    found = provider.gateway.fetch_account(account)
    assert (found.state, bool(found.requirements)) == (state, how == "leave")
    page.control("accounts/state", {"account": account, "state": "rejected"})
    assert provider.gateway.fetch_account(account).state == "restricted", "Stripe has refused it for good"


def test_events_are_kept(provider):
    intent = provider.paid_intent(1000)
    found = provider.client.v1.events.list({"type": "payment_intent.succeeded", "limit": 5}, provider.options)
    assert intent in [event.data.object["id"] for event in found.data]


def test_the_adapter_reads_what_is_delivered(order):
    receiver = Receiver()
    try:
        with running_sandbox(*receiver.options()) as sandbox:
            here = Provider(KEY, sandbox.url, sandbox.ready_account(), sandbox)
            page = here.gateway.open_checkout(replace(order, account_id=here.account))
            sandbox.pay(page.session_id)
            receiver.wait_for(lambda events: len(events) >= 6)
            read = {}
            for (path, payload), raw, signature in zip(
                receiver.events, receiver.bodies, receiver.signatures, strict=True
            ):
                endpoint = path.strip("/")
                read[payload["type"]] = here.gateway.read_event(raw, signature, endpoint)
                with pytest.raises(BadSignature):
                    here.gateway.read_event(raw + b" ", signature, endpoint)
            completed = read["checkout.session.completed"]
            assert (completed.account_id, completed.object_id, completed.live) == (here.account, page.session_id, False)
            assert read["application_fee.created"].account_id is None
            thin = read["v2.core.account[requirements].updated"]
            assert thin.object_id == here.account
    finally:
        receiver.close()


def test_the_product_sends_nothing_that_the_sandbox_ignores(order):
    """A parameter that the sandbox accepts without acting on it must not be relied upon by the product."""
    with running_sandbox() as sandbox:
        here = Provider(KEY, sandbox.url, sandbox.ready_account(), sandbox)
        page = here.gateway.open_checkout(replace(order, account_id=here.account))
        sandbox.pay(page.session_id)
        payment = here.gateway.fetch_payment(here.account, page.session_id)
        here.gateway.refund(
            refund_id=1, account_id=here.account, payment_id=payment.payment_id, amount=Money(25_00), tip=Money(1_00)
        )
        state = sandbox.state(here.account)
    assert state["ignored"] == {}
    assert state["requests"] == {
        "post /v1/checkout/sessions": 1, "get /v1/checkout/sessions/{session}": 1, "post /v1/refunds": 1,
    }  # fmt: skip
