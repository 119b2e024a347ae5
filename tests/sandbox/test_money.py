"""Payments, fees and refunds: every cent is booked, on the right account."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from koz.sandbox.calls import Call
from koz.sandbox.cards import CARDS
from koz.sandbox.errors import ApiError
from koz.sandbox.objects import accounts, balance, checkout, refunds
from koz.sandbox.store import Store
from tests.factories.stripe import account_params, checkout_params


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


@pytest.mark.parametrize(("amount", "fee"), [(50, 26), (1000, 40), (2500, 63), (2600, 64), (2100, 57), (100_000, 1525)])
def test_the_processing_fee(amount, fee):
    assert balance.processing_fee(amount) == fee


@pytest.mark.parametrize(
    ("amount", "tip", "param", "code"),
    [
        (49, 0, None, "amount_too_small"),
        (100_000_000, 0, None, "amount_too_large"),
        (-1, 0, "line_items[0][price_data][unit_amount]", "parameter_invalid_integer"),
    ],
)
def test_amounts_out_of_bounds(stripe_client, account, amount, tip, param, code):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.checkout.sessions.create(checkout_params(amount, tip), {"stripe_account": account})
    assert (caught.value.param, caught.value.code) == (param, code)


def _without(params, *path):
    *above, last = path
    place = params
    for key in above:
        place = place[key]
    del place[last]
    return params


@pytest.mark.parametrize(
    ("params", "param"),
    [
        (checkout_params(line_items=[]), "line_items"),
        (_without(checkout_params(), "line_items", 0, "price_data", "product_data"), "line_items[0][price_data][product_data]"),
        (_without(checkout_params(), "line_items", 0, "price_data", "unit_amount"), "line_items[0][price_data][unit_amount]"),
        (_without(checkout_params(), "line_items", 0, "price_data"), "line_items[0]"),
        (_without(checkout_params(), "success_url"), "success_url"),
        (checkout_params(success_url="/thanks"), "success_url"),
        (checkout_params(cancel_url="javascript:alert(1)"), "cancel_url"),
        (checkout_params(customer_email="nobody"), "customer_email"),
        (checkout_params(expires_at=1), "expires_at"),
        (checkout_params(expires_at=9_999_999_999), "expires_at"),
        (checkout_params(mode="setup", currency="eur"), "submit_type"),
        (checkout_params(payment_intent_data={"application_fee_amount": 0}), "payment_intent_data[application_fee_amount]"),
        (checkout_params(payment_intent_data={"application_fee_amount": 9999}), "payment_intent_data[application_fee_amount]"),
        (checkout_params(metadata={"k": "v" * 501}), "metadata[k]"),
        (checkout_params(metadata={"k" * 41: "v"}), "metadata"),
        (checkout_params(metadata={str(n): "v" for n in range(51)}), "metadata"),
        (checkout_params(client_reference_id="x" * 201), "client_reference_id"),
    ],
)  # fmt: skip
def test_rules_across_fields(stripe_client, account, params, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.checkout.sessions.create(params, {"stripe_account": account})
    assert caught.value.param == param


def test_a_fee_needs_the_header(stripe_client):
    with pytest.raises(stripe.InvalidRequestError, match="direct payment"):
        stripe_client.v1.checkout.sessions.create(checkout_params(tip=100))


def test_an_account_that_is_not_ready_cannot_take_money(sandbox, stripe_client):
    account = stripe_client.v2.core.accounts.create(account_params())
    assert account.configuration.merchant.capabilities.card_payments.status == "restricted"
    assert account.requirements.entries
    with pytest.raises(stripe.InvalidRequestError, match="No valid payment method types"):
        stripe_client.v1.checkout.sessions.create(checkout_params(), {"stripe_account": account.id})
    for state, entries in (("pending", True), ("rejected", False), ("active", False)):
        sandbox.control("accounts/state", {"account": account.id, "state": state})
        account = stripe_client.v2.core.accounts.retrieve(
            account.id, {"include": ["configuration.merchant", "requirements"]}
        )
        assert account.configuration.merchant.capabilities.card_payments.status == state
        assert bool(account.requirements.entries) is entries
    bare = stripe_client.v2.core.accounts.retrieve(account.id)
    assert (bare.configuration, bare.requirements) == (None, None), "v2 answers null unless asked"
    assert stripe_client.v1.checkout.sessions.create(checkout_params(), {"stripe_account": account.id}).url


def test_the_books_of_a_gift_with_a_tip(sandbox, stripe_client):
    account = sandbox.ready_account()
    options = {"stripe_account": account}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(2500, 100), options)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    sandbox.pay(session.id)
    expand = ["payment_intent.latest_charge.balance_transaction"]
    paid = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": expand}, options)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.payment_intent.metadata.to_dict() == {"koz_gift": "7"}
    charge = paid.payment_intent.latest_charge
    booked = charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net, booked.status) == (2600, 164, 2436, "pending")
    assert {(part.type, part.amount) for part in booked.fee_details} == {("application_fee", 100), ("stripe_fee", 64)}
    (fee,) = stripe_client.v1.application_fees.list({"charge": charge.id}).data
    assert (fee.amount, fee.account, fee.id) == (100, account, charge.application_fee)
    earned = stripe_client.v1.balance_transactions.retrieve(fee.balance_transaction)
    assert (earned.type, earned.amount, earned.net) == ("application_fee", 100, 100)
    assert stripe_client.v1.balance.retrieve(None, options).pending[0].amount == 2436


def test_a_refund_gives_the_fee_back_in_proportion_and_keeps_the_processing_fee(sandbox, stripe_client, account):
    options = {"stripe_account": account}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(2500, 100), options)
    intent = sandbox.pay(session.id)["payment_intent"]["id"]
    for amount, fee_back, left in ((1300, 50, 1300), (1, 0, 1299), (None, 50, 0)):
        params = {"payment_intent": intent, "refund_application_fee": True, "reason": "requested_by_customer"}
        refund = stripe_client.v1.refunds.create(params | ({"amount": amount} if amount else {}), options)
        booked = stripe_client.v1.balance_transactions.retrieve(refund.balance_transaction, None, options)
        assert (booked.amount, booked.fee) == (-refund.amount, -fee_back)
        charge = stripe_client.v1.charges.retrieve(refund.charge, None, options)
        assert charge.amount - charge.amount_refunded == left
    assert charge.refunded is True
    sums = sandbox.state(account)["sums"]
    assert sums == {"amount": 0, "fee": 64, "net": -64}, "the processing fee is not given back"
    fee = stripe_client.v1.application_fees.retrieve(charge.application_fee)
    assert (fee.refunded, fee.amount_refunded) == (True, 100)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.refunds.create({"payment_intent": intent}, options)
    assert caught.value.code == "charge_already_refunded"
    assert len(stripe_client.v1.refunds.list({"payment_intent": intent}, options).data) == 3


def test_refunds_that_stripe_refuses(sandbox, stripe_client, account):
    options = {"stripe_account": account}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(1000), options)
    paid = sandbox.pay(session.id)["payment_intent"]
    for params, words in (
        ({"payment_intent": paid["id"], "amount": 1001}, "greater than unrefunded amount"),
        ({"payment_intent": paid["id"], "amount": 0}, "greater than or equal to 1"),
        ({"payment_intent": paid["id"], "refund_application_fee": True}, "no application fee"),
        ({"payment_intent": paid["id"], "charge": paid["latest_charge"]}, "One of the following"),
        ({"payment_intent": "pi_none"}, "No such payment_intent"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            stripe_client.v1.refunds.create(params, options)
    declined = stripe_client.v1.checkout.sessions.create(checkout_params(1000), options)
    unpaid = sandbox.pay(declined.id, "4000000000000002")["payment_intent"]["id"]
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        stripe_client.v1.refunds.create({"payment_intent": unpaid}, options)
    assert sandbox.state(account)["objects"]["refund"] == []


def test_a_refund_may_be_pending_and_then_succeed_or_fail(own_sandbox):
    sandbox = own_sandbox()
    client, options = sandbox.client(), {"stripe_account": sandbox.ready_account()}
    found = {}
    for card in ("4000000000007726", "4000000000005126"):
        session = client.v1.checkout.sessions.create(checkout_params(1000), options)
        intent = sandbox.pay(session.id, card)["payment_intent"]["id"]
        found[card] = client.v1.refunds.create({"payment_intent": intent}, options)
    assert [refund.status for refund in found.values()] == ["pending", "succeeded"]
    sandbox.advance(25 * 3600)
    again = [client.v1.refunds.retrieve(refund.id, None, options) for refund in found.values()]
    assert [refund.status for refund in again] == ["succeeded", "failed"]
    charge = client.v1.charges.retrieve(again[1].charge, None, options)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    back = client.v1.balance_transactions.retrieve(again[1].failure_balance_transaction, None, options)
    assert back.amount == 1000
    types = [event.type for event in client.v1.events.list({"limit": 100}, options).data]
    assert types.count("refund.failed") == 1
    assert types.count("refund.updated") == 2
    answer = sandbox.control("refunds", {"refund": again[0].id, "status": "failed"})
    assert answer["status"] == "failed"


def test_declined_then_another_card_on_the_same_page(sandbox, stripe_client, account):
    options = {"stripe_account": account}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(), options)
    for card, code in (
        ("4000000000000002", ("card_declined", "generic_decline")),
        ("4000000000009995", ("card_declined", "insufficient_funds")),
        ("4000000000000069", ("expired_card", None)),
        ("4000008260003178", ("card_declined", "insufficient_funds")),
    ):
        intent = sandbox.pay(session.id, card)["payment_intent"]
        assert intent["status"] == "requires_payment_method"
        error = intent["last_payment_error"]
        assert (error["code"], error.get("decline_code")) == code
    intent = sandbox.pay(session.id, "4000002500003155", approve=False)["payment_intent"]
    assert intent["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert sandbox.pay(session.id, "4000002760003184")["payment_intent"]["status"] == "succeeded"
    charges = stripe_client.v1.charges.list({"payment_intent": intent["id"]}, options).data
    assert [charge.status for charge in charges] == ["succeeded", "failed", "failed", "failed", "failed"]
    assert sandbox.raw("POST", "/_control/checkout/pay", json={"session": session.id}).status_code == 400, (
        "paid already"
    )
    assert len([t for t in sandbox.state(account)["objects"]["balance_transaction"] if t["type"] == "charge"]) == 1


def test_sessions_expire_by_the_clock_and_by_hand(own_sandbox):
    sandbox = own_sandbox()
    client, options = sandbox.client(), {"stripe_account": sandbox.ready_account()}
    pages = [client.v1.checkout.sessions.create(checkout_params(), options) for _ in range(3)]
    sandbox.pay(pages[1].id, "4000000000000002")
    assert client.v1.checkout.sessions.expire(pages[0].id, None, options).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        client.v1.checkout.sessions.expire(pages[0].id, None, options)
    sandbox.pay(pages[2].id)
    sandbox.advance(25 * 3600)
    states = [client.v1.checkout.sessions.retrieve(page.id, None, options) for page in pages]
    assert [(page.status, page.url) for page in states] == [("expired", None), ("expired", None), ("complete", None)]
    intent = client.v1.payment_intents.retrieve(states[1].payment_intent, None, options)
    assert intent.status == "canceled"
    assert [e.type for e in client.v1.events.list({"type": "checkout.session.expired"}, options).data] == [
        "checkout.session.expired"
    ] * 2
    assert [p.id for p in client.v1.checkout.sessions.list({"status": "complete"}, options).data] == [pages[2].id]


def test_money_gets_available_after_three_days(own_sandbox):
    sandbox = own_sandbox()
    client, options = sandbox.client(), {"stripe_account": sandbox.ready_account()}
    sandbox.pay(client.v1.checkout.sessions.create(checkout_params(1000), options).id)
    sandbox.advance(4 * 24 * 3600)
    balance_now = client.v1.balance.retrieve(None, options)
    assert (balance_now.available[0].amount, balance_now.pending[0].amount) == (960, 0)
    assert client.v1.balance_transactions.list(None, options).data[0].status == "available"


def test_lists_are_paged_newest_first(sandbox, stripe_client):
    options = {"stripe_account": sandbox.ready_account()}
    ids = [stripe_client.v1.checkout.sessions.create(checkout_params(), options).id for _ in range(7)][::-1]
    lists = stripe_client.v1.checkout.sessions
    first = lists.list({"limit": 3}, options)
    assert ([s.id for s in first.data], first.has_more) == (ids[:3], True)
    assert [s.id for s in lists.list({"limit": 3, "starting_after": ids[2]}, options).data] == ids[3:6]
    assert [s.id for s in lists.list({"limit": 2, "ending_before": ids[5]}, options).data] == ids[3:5]
    assert [s.id for s in lists.list({"limit": 2}, options).auto_paging_iter()] == ids
    for wrong in (
        {"limit": 0},
        {"limit": 101},
        {"starting_after": ids[0], "ending_before": ids[1]},
        {"starting_after": "x"},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            lists.list(wrong, options)
    assert lists.list({"created": {"lt": 12}}, options).data == []
    assert len(lists.list({"created": {"gte": 12}}, options).data) == 7


def test_expand(sandbox, stripe_client, account):
    options = {"stripe_account": account}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(tip=100), options)
    charge = sandbox.pay(session.id)["payment_intent"]["latest_charge"]
    stripe_client.v1.refunds.create({"charge": charge, "amount": 10}, options)
    found = stripe_client.v1.balance_transactions.list({"expand": ["data.source.payment_intent"]}, options)
    assert {t.source.object for t in found.data} == {"charge", "refund"}
    assert {t.source.payment_intent.object for t in found.data} == {"payment_intent"}
    shown = stripe_client.v1.charges.retrieve(
        charge, {"expand": ["refunds", "application_fee.balance_transaction"]}, options
    )
    assert (len(shown.refunds.data), shown.application_fee.balance_transaction.amount) == (1, 100)
    assert "refunds" not in stripe_client.v1.charges.retrieve(charge, None, options)
    opened = stripe_client.v1.checkout.sessions.create(checkout_params(expand=["payment_intent"]), options)
    assert opened.payment_intent is None
    for wrong in ("amount_total", "nonsense", "payment_intent.nonsense", "payment_intent.a.b.c.d"):
        with pytest.raises(stripe.InvalidRequestError):
            stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": [wrong]}, options)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(50, 50_000),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(1, 60_000), st.booleans()), max_size=5),
)
def test_whatever_is_refunded_the_books_agree(amount, tip, wanted):
    store = Store()
    with store.transaction() as tx:
        account = accounts.open_account(tx, account_params())["id"]
        accounts.set_state(tx, account, "active")
        params = checkout_params(amount, tip, metadata={})
        session = checkout.create(Call(tx=tx, account=account, params=params))
        _account, kept = tx.locate("checkout.session", session["id"])
        intent = checkout.pay(tx, account, kept, CARDS["4242424242424242"], {"name": "A", "email": "a@koz.test"})
        given_back = 0
        for part, with_fee in wanted:
            params = {"payment_intent": intent["id"], "amount": part} | (
                {"refund_application_fee": True} if with_fee else {}
            )
            try:
                given_back += refunds.create(Call(tx=tx, account=account, params=params))["amount"]
            except ApiError:
                continue
        total = amount + tip
        assert given_back <= total
        charge = tx.get(account, "charge", intent["latest_charge"])
        assert charge["amount_refunded"] == given_back
        booked = tx.all(account, "balance_transaction")
        platform = tx.all("", "balance_transaction")
        assert all(t["amount"] - t["fee"] == t["net"] for t in booked + platform)
        net = sum(t["net"] for t in booked) + sum(t["net"] for t in platform)
        assert net == total - given_back - balance.processing_fee(total), "account and platform share what is left"
        assert sum(t["net"] for t in platform) >= 0
    store.close()


def test_many_presses_at_once_pay_once_and_many_refunds_never_give_too_much(sandbox, account):
    client, options = sandbox.client(), {"stripe_account": account}
    session = client.v1.checkout.sessions.create(checkout_params(1000), options)

    def press(_n):
        return sandbox.raw("POST", f"/c/pay/{session.id}", data={"pressed": "4242424242424242"}).status_code

    def refund(_n):
        try:
            return sandbox.client().v1.refunds.create({"payment_intent": intent, "amount": 300}, options).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(press, range(16))) == {303}
        (charge,) = sandbox.state(account)["objects"]["charge"]
        intent = charge["payment_intent"]
        assert sum(pool.map(refund, range(8))) == 900
    assert sandbox.state(account)["sums"]["amount"] == 100


def test_stripe_may_book_a_moment_after_the_charge(own_sandbox):
    sandbox = own_sandbox()
    client, account = sandbox.client(), sandbox.ready_account()
    options = {"stripe_account": account}
    sandbox.control("booking", {"delay_s": 30})
    sandbox.control("clock", {"frozen": True})
    session = client.v1.checkout.sessions.create(checkout_params(2500, 100), options)
    charge = sandbox.pay(session.id)["payment_intent"]["latest_charge"]
    found = client.v1.charges.retrieve(charge, {"expand": ["balance_transaction"]}, options)
    assert (found.paid, found.balance_transaction, found.application_fee) == (True, None, None)
    with pytest.raises(stripe.InvalidRequestError, match="not been booked yet"):
        client.v1.refunds.create({"charge": charge}, options)
    sandbox.advance(31)
    found = client.v1.charges.retrieve(charge, {"expand": ["balance_transaction"]}, options)
    assert (found.balance_transaction.fee, found.application_fee_amount) == (164, 100)
    assert client.v1.application_fees.list({"charge": charge}).data[0].id == found.application_fee
    assert client.v1.events.list({"limit": 1}, options).data[0].type == "charge.updated"
