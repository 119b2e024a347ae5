"""The contract is the installed SDK's: every operation is read, every request checked at any depth, in Stripe's words."""

import contextlib

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from koz.sandbox import contract
from koz.sandbox.errors import ApiError
from tests.factories.stripe import checkout_params


def test_the_sdk_is_the_pinned_one():
    assert (stripe.VERSION, stripe.api_version) == ("16.1.0", "2026-10-28.endive"), "read docs/sandbox.md on upgrades"


def test_every_operation_of_the_sdk_has_a_schema():
    operations = contract.operations()
    assert len(operations) == 648
    assert sum(o.is_v2 for o in operations) == 91
    kinds = set()
    for operation in operations:
        if operation.params:
            kinds |= {field.kind for field in contract.schema_of(*operation.params).fields.values()}
    assert "any" not in kinds - {"any"}
    assert {"object", "array", "map", "string", "enum", "integer", "boolean", "union"} <= kinds


@pytest.mark.parametrize(
    ("path", "template", "ids"),
    [
        ("/v1/checkout/sessions/cs_1/expire", "/v1/checkout/sessions/{session}/expire", ("cs_1",)),
        ("/v2/core/accounts/acct_1", "/v2/core/accounts/{id}", ("acct_1",)),
    ],
)
def test_paths_are_found(path, template, ids):
    verb = "post" if path.endswith("expire") else "get"
    operation, found = contract.find(verb, path)
    assert (operation.path, found) == (template, ids)
    assert contract.find("delete", "/v1/balance") is None


def read(verb, path, query):
    operation, _ids = contract.find(verb, path)
    pairs = [tuple(part.split("=", 1)) for part in query.split("&")] if query else []
    return operation.read(contract.nested(pairs))


ITEM = "line_items[0][quantity]=1&line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=2500"


@pytest.mark.parametrize(
    ("path", "query", "param", "code"),
    [
        ("/v1/checkout/sessions", "moed=payment", "moed", "parameter_unknown"),
        (
            "/v1/checkout/sessions",
            f"{ITEM}&line_items[0][price_data][product_data][nme]=Don",
            "line_items[0][price_data][product_data][nme]",
            "parameter_unknown",
        ),
        ("/v1/checkout/sessions", "mode=pay", "mode", None),
        ("/v1/checkout/sessions", "ui_mode=hosted", "ui_mode", None),
        (
            "/v1/checkout/sessions",
            "payment_method_types[0]=card",
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        ),
        ("/v1/refunds", "amount=25.00", "amount", "parameter_invalid_integer"),
        ("/v1/refunds", "amount=", "amount", "parameter_invalid_integer"),
        ("/v1/refunds", "amount=1e3", "amount", "parameter_invalid_integer"),
        ("/v1/refunds", "amount[x]=1", "amount", "parameter_invalid_integer"),
        ("/v1/refunds", "payment_intent=", "payment_intent", "parameter_invalid_empty"),
        ("/v1/refunds", "refund_application_fee=yes", "refund_application_fee", None),
        ("/v1/refunds", "reason=because", "reason", None),
        ("/v1/refunds", "metadata=x", "metadata", None),
        ("/v1/webhook_endpoints", "url=http://127.0.0.1", "enabled_events", "parameter_missing"),
    ],
)
def test_what_stripe_would_refuse_is_refused(path, query, param, code):
    with pytest.raises(ApiError) as caught:
        read("post", path, query)
    assert (caught.value.status, caught.value.error["param"], caught.value.error.get("code")) == (400, param, code)


def test_form_values_become_what_they_mean():
    assert read("post", "/v1/refunds", "amount=1200&refund_application_fee=True&expand[]=charge&metadata[a]=") == {
        "amount": 1200, "refund_application_fee": True, "expand": ["charge"], "metadata": {"a": ""},
    }  # fmt: skip
    assert read("get", "/v1/events", "created[gte]=12&delivery_success=false&types[0]=a&types[1]=b") == {
        "created": {"gte": 12}, "delivery_success": False, "types": ["a", "b"],
    }  # fmt: skip


def test_v2_bodies_are_json_and_typed():
    operation, _ids = contract.find("post", "/v2/core/account_links")
    onboarding = {"refresh_url": "http://a", "return_url": "http://b"}
    good = {"account": "acct_1", "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}
    assert operation.read(good) == good
    with pytest.raises(ApiError) as caught:
        use_case = good["use_case"] | {"account_onboarding": onboarding | {"configurations": ["merchant"]}}
        operation.read(good | {"use_case": use_case})
    assert caught.value.error["param"] == "use_case[account_onboarding][configurations]"
    operation, _ids = contract.find("post", "/v2/core/accounts")
    with pytest.raises(ApiError) as caught:
        operation.read({"configuration": {"merchant": {"capabilities": {"card_payments": {"requested": "true"}}}}})
    assert caught.value.error["param"].endswith("[card_payments][requested]")


@given(st.lists(st.tuples(st.text("ab[]01", min_size=1, max_size=14), st.text(max_size=3)), max_size=6))
def test_any_form_is_read_or_refused(pairs):
    with contextlib.suppress(ApiError):
        assert isinstance(contract.nested(pairs), dict)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": "payement"}, "mode"),
        ({"sucess_url": "http://127.0.0.1"}, "sucess_url"),
        ({"payment_intent_data": {"metadta": {}}}, None),
        ({"payment_intent_data": {"application_fee_amount": "25.00"}}, "payment_intent_data[application_fee_amount]"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"ui_mode": "hosted"}, "ui_mode"),
    ],
)
def test_the_sdk_hears_of_it(stripe_client, account, changes, param):
    if param is None:  # an empty map is not sent at all
        changes = {"payment_intent_data": {"metadta": {"a": "b"}}}
        param = "payment_intent_data[metadta]"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.checkout.sessions.create(checkout_params(**changes), {"stripe_account": account})
    assert caught.value.http_status == 400
    assert caught.value.param == param
