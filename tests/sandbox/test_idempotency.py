"""Idempotency keys: replay, other parameters, a stored decline, what is not stored, concurrency, age."""

import threading

import pytest
import stripe

from koz.sandbox.errors import ApiError, invalid
from koz.sandbox.idempotency import Answer, InFlight, Keyed, execute_once, fingerprint
from koz.sandbox.store import Store
from tests.factories.stripe import checkout_params


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


def keyed(params=None, *, is_v2=False):
    return Keyed(
        account="acct_1", key="k", call=fingerprint("post", "/v1/x", params or {}), request_id="req_1", is_v2=is_v2
    )


def test_the_same_request_gives_the_same_object(stripe_client, account):
    options = {"stripe_account": account, "idempotency_key": "gift-1-1"}
    first = stripe_client.v1.checkout.sessions.create(checkout_params(), options)
    again = stripe_client.v1.checkout.sessions.create(checkout_params(), options)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(stripe_client.v1.checkout.sessions.list(None, {"stripe_account": account}).data) == 1


def test_the_key_counts_within_its_account(sandbox, stripe_client, account):
    other = sandbox.ready_account()
    made = {
        stripe_client.v1.checkout.sessions.create(checkout_params(), {"stripe_account": a, "idempotency_key": "k"}).id
        for a in (account, other)
    }
    assert len(made) == 2


def test_the_same_key_with_other_parameters_or_another_call(stripe_client, account):
    options = {"stripe_account": account, "idempotency_key": "k"}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(), options)
    for request in (
        lambda: stripe_client.v1.checkout.sessions.create(checkout_params(amount=2600), options),
        lambda: stripe_client.v1.checkout.sessions.expire(session.id, None, options),
    ):
        with pytest.raises(stripe.IdempotencyError) as caught:
            request()
        assert caught.value.http_status == 400


def test_refused_parameters_are_not_stored(stripe_client, account):
    options = {"stripe_account": account, "idempotency_key": "k"}
    for wrong in ({"mode": "nonsense"}, {"line_items": []}, {"success_url": "nonsense"}):
        with pytest.raises(stripe.InvalidRequestError):
            stripe_client.v1.checkout.sessions.create(checkout_params(**wrong), options)
    assert stripe_client.v1.checkout.sessions.create(checkout_params(), options).status == "open"


def test_a_refusal_by_state_is_stored(sandbox, stripe_client, account):
    """As Stripe: the endpoint had begun to execute."""
    options = {"stripe_account": account, "idempotency_key": "refund-1"}
    session = stripe_client.v1.checkout.sessions.create(checkout_params(amount=1000), {"stripe_account": account})
    intent = sandbox.pay(session.id)["payment_intent"]["id"]
    answers = []
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            stripe_client.v1.refunds.create({"payment_intent": intent, "amount": 1001}, options)
        answers.append(caught.value.headers.get("Idempotent-Replayed"))
    assert answers == [None, "true"]


def test_a_decline_is_stored_with_its_effect_and_replayed(store):
    runs = []

    def decline():
        runs.append(1)
        with store.transaction() as inner:
            inner.insert("acct_1", {"id": "ch_failed", "object": "charge"})
        raise ApiError(402, "Your card was declined.", type_="card_error", code="card_declined", kept=True)

    for original in (None, "req_1"):
        with store.transaction() as tx:
            answer = execute_once(tx, keyed(), decline)
        assert (answer.status, answer.body["error"]["code"], answer.original) == (402, "card_declined", original)
    assert runs == [1]
    with store.transaction() as tx:
        assert tx.find("acct_1", "charge", "ch_failed")


def test_a_failed_execution_is_stored_without_an_effect(store):
    def fail():
        raise ApiError(500, "An unknown error occurred", type_="api_error", kept=True)

    for _ in range(2):
        with store.transaction() as tx:
            assert execute_once(tx, keyed(), fail).status == 500
    with store.transaction() as tx:
        assert execute_once(tx, keyed(), dict).status == 500, "replayed, though it would now succeed"


def test_a_refusal_undoes_what_it_had_written(store):
    def half():
        with store.transaction() as inner:
            inner.insert("acct_1", {"id": "ch_half", "object": "charge"})
        raise invalid("no")

    with store.transaction() as tx, pytest.raises(ApiError):
        execute_once(tx, keyed(), half)
    with store.transaction() as tx:
        assert tx.find("acct_1", "charge", "ch_half") is None
        assert execute_once(tx, keyed({"a": 1}), dict) == Answer(200, {}), "the key is free"


def test_v2_tries_failures_again(store):
    answers = iter([ApiError(500, "no", kept=True), None])

    def run():
        error = next(answers)
        if error:
            raise error
        return {"id": "acct_1"}

    statuses = []
    for _ in range(2):
        with store.transaction() as tx:
            statuses.append(execute_once(tx, keyed(is_v2=True), run).status)
    assert statuses == [500, 200]


def test_a_key_under_way_is_a_conflict():
    flights = InFlight()
    with flights.hold("acct_1", "k"):
        with flights.hold("acct_2", "k"):
            pass
        with pytest.raises(ApiError) as caught, flights.hold("acct_1", "k"):
            pass
        assert (caught.value.status, caught.value.error["code"]) == (409, "idempotency_key_in_use")
    with flights.hold("acct_1", "k"):
        pass


def test_many_at_once_make_one_object(sandbox, account):
    """409 is what Stripe says to the others; the SDK tries again and gets the one object."""
    made, errors = set(), []

    def open_page():
        client = sandbox.client(retries=5)
        try:
            options = {"stripe_account": account, "idempotency_key": "same"}
            made.add(client.v1.checkout.sessions.create(checkout_params(), options).id)
        except stripe.StripeError as error:
            errors.append(error.http_status)

    threads = [threading.Thread(target=open_page) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), errors) == (1, [])
    assert len(sandbox.state(account)["objects"]["checkout.session"]) == 1


def test_keys_die_after_a_day(own_sandbox):
    sandbox = own_sandbox()
    client, options = sandbox.client(), {"stripe_account": sandbox.ready_account(), "idempotency_key": "k"}
    first = client.v1.checkout.sessions.create(checkout_params(), options).id
    sandbox.advance(23 * 3600)
    assert client.v1.checkout.sessions.create(checkout_params(), options).id == first
    sandbox.advance(2 * 3600)
    assert client.v1.checkout.sessions.create(checkout_params(), options).id != first


def test_a_key_may_have_255_characters(stripe_client, account):
    with pytest.raises(stripe.IdempotencyError):
        stripe_client.v1.checkout.sessions.create(
            checkout_params(), {"stripe_account": account, "idempotency_key": "k" * 256}
        )
