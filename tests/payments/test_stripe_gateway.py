"""The adapter through the real SDK: what it sends, what it makes of the answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Semaphore
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from koz.core.money import Money
from koz.payments.gateway import CheckoutOrder, ProviderDown, ProviderRefused
from koz.payments.stripe_gateway import StripeGateway


class Canned(stripe.HTTPClient):
    """Answers with what it was given and keeps the requests."""

    name = "canned"

    def __init__(self, status, body):
        super().__init__()
        self.status, self.body, self.requests = status, body, []

    def request(self, method, url, headers, post_data=None):
        self.requests.append((method, urlsplit(url), headers, parse_qs(post_data or "")))
        return json.dumps(self.body), self.status, {}

    def _sleep_time_seconds(self, num_retries, response=None):
        return 0

    def close(self):
        pass


def gateway(status, body):
    http = Canned(status, body)
    return StripeGateway("sk_test_1", ("whsec_1",), "http://127.0.0.1:1", http), http


def order(tip=0):
    return CheckoutOrder(
        gift_id=7, attempt=2, account_id="acct_1", campaign_title="De l'eau", amount=Money(20_00), tip=Money(tip),
        email="d@koz.test", locale="fr", success_url="https://koz.test/ok", cancel_url="https://koz.test/no",
    )  # fmt: skip


def test_a_page_is_opened_on_the_organisations_account_with_our_key():
    adapter, http = gateway(200, {"object": "checkout.session", "id": "cs_1", "url": "https://pay.test/cs_1"})
    assert adapter.open_checkout(order(tip=1_00)).session_id == "cs_1"
    ((method, url, headers, sent),) = http.requests
    assert (method, url.path) == ("post", "/v1/checkout/sessions")
    assert headers["Stripe-Account"] == "acct_1"
    assert headers["Idempotency-Key"] == "gift-7-2"
    assert headers["Stripe-Version"] == "2026-10-28.endive"
    assert sent["line_items[0][price_data][unit_amount]"] == ["2000"]
    assert sent["payment_intent_data[application_fee_amount]"] == ["100"]
    assert sent["payment_intent_data[metadata][koz_gift]"] == ["7"]
    assert not [k for k in sent if "email" in k and "metadata" in k], "no personal data in metadata"


def test_no_tip_no_fee():
    adapter, http = gateway(200, {"object": "checkout.session", "id": "cs_1", "url": "https://pay.test/cs_1"})
    adapter.open_checkout(order())
    assert not [k for k in http.requests[0][3] if "application_fee" in k or "line_items[1]" in k]


def test_a_paid_page_is_read_with_its_fees():
    paid = {
        "object": "checkout.session", "id": "cs_1", "status": "complete", "payment_status": "paid", "currency": "eur",
        "amount_total": 2100, "metadata": {"koz_gift": "7", "koz_attempt": "2"},
        "payment_intent": {
            "object": "payment_intent", "id": "pi_1", "application_fee_amount": 100,
            "latest_charge": {
                "object": "charge", "id": "ch_1",
                "balance_transaction": {
                    "object": "balance_transaction", "id": "txn_1",
                    "fee_details": [{"type": "stripe_fee", "amount": 56}, {"type": "application_fee", "amount": 100}],
                },
            },
        },
    }  # fmt: skip
    payment = gateway(200, paid)[0].fetch_payment("acct_1", "cs_1")
    assert (payment.state, payment.gift_id, payment.attempt) == ("paid", 7, 2)
    assert (payment.paid, payment.fee, payment.tip) == (Money(2100), Money(56), Money(100))
    paid["payment_intent"]["latest_charge"]["balance_transaction"] = None
    with pytest.raises(ProviderDown):
        gateway(200, paid)[0].fetch_payment("acct_1", "cs_1")


@pytest.mark.parametrize(
    ("status", "body", "error", "tries"),
    [
        (
            400,
            {"error": {"type": "invalid_request_error", "code": "parameter_unknown", "message": "x"}},
            ProviderRefused,
            1,
        ),
        (
            404,
            {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "x"}},
            ProviderRefused,
            1,
        ),
        (
            403,
            {"error": {"type": "invalid_request_error", "code": "account_invalid", "message": "x"}},
            ProviderRefused,
            1,
        ),
        (429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "x"}}, ProviderDown, 1),
        (500, {"error": {"type": "api_error", "message": "x"}}, ProviderDown, 3),
    ],
)
def test_errors_are_told_apart_and_unknown_outcomes_keep_the_key(status, body, error, tries):
    adapter, http = gateway(status, body)
    with pytest.raises(error):
        adapter.open_checkout(order())
    assert len(http.requests) == tries
    assert {headers["Idempotency-Key"] for _m, _u, headers, _d in http.requests} == {"gift-7-2"}


def test_a_provider_that_hangs_takes_two_threads_and_no_more():
    reached, over = Semaphore(0), Event()

    class Hanging(Canned):
        def request(self, *request):
            reached.release()
            over.wait()
            return super().request(*request)

    page = {"object": "checkout.session", "id": "cs_1", "url": "https://pay.test/cs_1"}
    adapter = StripeGateway("sk_test_1", (), "http://127.0.0.1:1", Hanging(200, page), place_wait_s=0)
    with ThreadPoolExecutor(2) as pool:
        hanging = [pool.submit(adapter.open_checkout, order()) for _ in range(2)]
        for _ in hanging:
            reached.acquire()
        try:
            with pytest.raises(ProviderDown):
                adapter.open_checkout(order())
        finally:
            over.set()
        assert [one.result().session_id for one in hanging] == ["cs_1", "cs_1"]
    assert adapter.open_checkout(order()).session_id == "cs_1"


@pytest.mark.parametrize(("status", "kind"), [(403, "invalid_request_error"), (400, "idempotency_error")])
def test_a_refusal_says_stripe_s_code_also_where_the_sdk_leaves_it_out(status, kind):
    body = {"error": {"type": kind, "code": "account_invalid", "message": "x"}}
    with pytest.raises(ProviderRefused, match=r"^account_invalid$"):
        gateway(status, body)[0].open_checkout(order())


def test_a_donor_whose_address_was_forgotten_types_it_at_stripe():
    adapter, http = gateway(200, {"object": "checkout.session", "id": "cs_1", "url": "https://pay.test/cs_1"})
    adapter.open_checkout(replace(order(), email=None))
    assert "customer_email" not in http.requests[0][3]


def test_a_refund_asks_the_fee_back_only_where_there_was_one():
    answer = {
        "object": "refund", "id": "re_1", "status": "succeeded", "amount": 500, "currency": "eur",
        "payment_intent": "pi_1", "metadata": {"koz_refund": "3"},
    }  # fmt: skip
    for tip, asked in ((0, None), (100, ["True"])):
        adapter, http = gateway(200, answer)
        refund = adapter.refund(refund_id=3, account_id="acct_1", payment_id="pi_1", amount=Money(500), tip=Money(tip))
        assert (refund.provider_id, refund.state) == ("re_1", "done")
        sent = http.requests[0][3]
        assert sent["amount"] == [str(500 + tip)]
        assert (sent.get("refund_application_fee") or [None])[0] in ({None} if asked is None else {"true", "True"})
        assert http.requests[0][2]["Idempotency-Key"] == "refund-3"
