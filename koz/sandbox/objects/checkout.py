"""Checkout sessions in mode payment: a hosted page that is open, then complete or expired.

Rules across fields, each with its page: submit_type not in setup mode, one currency, price_data needs product_data,
unit_amount or unit_amount_decimal, expires_at 30 minutes to 24 hours ahead (docs.stripe.com/api/checkout/sessions);
at least 0.50 EUR (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts); a fee only with Stripe-Account
(docs.stripe.com/connect/direct-charges).
"""

import re
from typing import Final
from urllib.parse import urlsplit

from koz.sandbox.calls import Call, operation
from koz.sandbox.cards import Card
from koz.sandbox.errors import Json, invalid, not_here, refused
from koz.sandbox.objects import payments
from koz.sandbox.objects.accounts import can_take_cards
from koz.sandbox.render import metadata, show, show_list
from koz.sandbox.store import Tx, new_id
from koz.sandbox.webhooks import emit

OBJECT: Final = "checkout.session"
SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600
LEAST, MOST = 50, 99_999_999
MAX_ITEMS: Final = 100
MAX_REFERENCE: Final = 200
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
NOTHING_ASKED: Final = dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"))


@operation(
    "post", "/v1/checkout/sessions",
    """mode submit_type locale line_items[].quantity line_items[].price_data.currency
       line_items[].price_data.unit_amount line_items[].price_data.product_data.name
       line_items[].price_data.product_data.description payment_intent_data.application_fee_amount
       payment_intent_data.metadata payment_intent_data.description payment_intent_data.receipt_email
       client_reference_id customer_email expires_at success_url cancel_url ui_mode currency
       allowed_payment_method_types excluded_payment_method_types""",
    ignores="""adaptive_pricing.enabled billing_address_collection customer_creation phone_number_collection.enabled
       allow_promotion_codes line_items[].price_data.product_data.metadata line_items[].price_data.product_data.images
       payment_intent_data.statement_descriptor payment_intent_data.statement_descriptor_suffix""",
)  # fmt: skip
def create(call: Call) -> Json:
    """Open a hosted page."""
    params = call.params
    _check(call)
    items, currency = _items(params)
    total = sum(item["amount"] for item in items)
    if not LEAST <= total <= MOST:
        words, code = ("at least €0.50 eur", "amount_too_small") if total < LEAST else ("no more than €999,999.99 eur",
                                                                                       "amount_too_large")  # fmt: skip
        raise invalid(f"The Checkout Session's total amount due must add up to {words}", None, code)
    wanted = _wanted(call, total, currency)
    session = _new(call, total, currency) | {"_items": items, "_wanted": wanted}
    call.tx.insert(call.account, session)
    call.tx.set_timer(session["expires_at"], "session_expire", session["id"])
    return show(call.tx, call.account, session, params.get("expand"))


@operation("get", "/v1/checkout/sessions/{session}")
def retrieve(call: Call) -> Json:
    """A session."""
    found = call.tx.get(call.account, OBJECT, call.ids[0], "session")
    return show(call.tx, call.account, found, call.params.get("expand"))


@operation("get", "/v1/checkout/sessions", "payment_intent status", is_list=True)
def list_all(call: Call) -> Json:
    """Sessions of an account."""
    filters = {name: call.params.get(name) for name in ("payment_intent", "status")}
    page = call.tx.page(call.account, OBJECT, call.params, **filters)
    return show_list(call.tx, call.account, "/v1/checkout/sessions", page, call.params.get("expand"))


@operation("post", "/v1/checkout/sessions/{session}/expire")
def expire(call: Call) -> Json:
    """Close a session that is open."""
    session = call.tx.get(call.account, OBJECT, call.ids[0], "session")
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.", "session",
        )  # fmt: skip
    close(call.tx, call.account, session)
    return show(call.tx, call.account, session, call.params.get("expand"))


# --- what happens on the page -----------------------------------------------------------------------------------------


def close(tx: Tx, account: str, session: Json) -> None:
    """The session expires; nothing can be paid with it any more."""
    session |= {"status": "expired", "url": None}
    tx.save(session)
    if session["payment_intent"]:
        intent = tx.get(account, payments.INTENT, session["payment_intent"])
        payments.cancel(tx, account, intent, "expired")
    emit(tx, account, "checkout.session.expired", session)


def pay(tx: Tx, account: str, session: Json, card: Card, payer: Json) -> Json:
    """Try a card on an open session. Returns the PaymentIntent, whose status tells what comes next."""
    assert session["status"] == "open"
    if session["payment_intent"]:
        intent = tx.get(account, payments.INTENT, session["payment_intent"])
    else:
        intent = payments.begin(tx, account, session["_wanted"])
        session["payment_intent"] = intent["id"]
    session["_payer"] = payer
    tx.save(session)
    payments.attempt(tx, account, intent, card, payer)
    _after(tx, account, session, intent)
    return intent


def answer_bank(tx: Tx, account: str, session: Json, card: Card, *, approved: bool) -> Json:
    """The donor's answer on the 3-D Secure page. Returns the PaymentIntent."""
    intent = tx.get(account, payments.INTENT, session["payment_intent"])
    if intent["status"] == "requires_action":
        payments.authenticate(tx, account, intent, card, approved=approved)
        _after(tx, account, session, intent)
    return intent


def _after(tx: Tx, account: str, session: Json, intent: Json) -> None:
    if intent["status"] != "succeeded":
        return
    payer = session["_payer"]
    session |= {
        "status": "complete", "payment_status": "paid", "url": None,
        "customer_details": {
            "address": {**payments.NO_ADDRESS, "country": "FR"}, "business_name": None, "email": payer["email"],
            "individual_name": None, "name": payer["name"], "phone": None, "tax_exempt": "none", "tax_ids": []},
    }  # fmt: skip
    tx.save(session)
    emit(tx, account, "checkout.session.completed", session)


# --- creation ---------------------------------------------------------------------------------------------------------


def _check(call: Call) -> None:
    params = call.params
    mode = params.get("mode", "payment")
    if mode == "setup" and "submit_type" in params:
        raise invalid("`submit_type` cannot be used in `setup` mode.", "submit_type")
    if mode != "payment":
        raise not_here(f"Checkout in mode {mode}", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_here(f"Checkout in ui_mode {params['ui_mode']}", "ui_mode")
    if "success_url" not in params:
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    for name in ("success_url", "cancel_url"):
        if name in params and urlsplit(params[name]).scheme not in {"http", "https"}:
            raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", name, "url_invalid")
    if "customer_email" in params and not EMAIL.fullmatch(params["customer_email"]):
        raise invalid(f"Invalid email address: {params['customer_email']}", "customer_email", "email_invalid")
    if len(params.get("client_reference_id", "")) > MAX_REFERENCE:
        raise invalid("client_reference_id can have at most 200 characters.", "client_reference_id")
    ends = params.get("expires_at", call.now + LONGEST_S)
    if not call.now + SHORTEST_S - 60 <= ends <= call.now + LONGEST_S + 60:
        words = (
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session "
            "creation."
        )
        raise invalid(words, "expires_at")
    _check_methods(call)


def _check_methods(call: Call) -> None:
    """Only cards are here; and only an account that may take them."""
    allowed = call.params.get("allowed_payment_method_types", ["card"])
    if "card" not in allowed:
        raise not_here("Checkout without cards", "allowed_payment_method_types")
    if "card" in call.params.get("excluded_payment_method_types", []) or not can_take_cards(call.tx, call.account):
        raise refused(
            "No valid payment method types for this Checkout Session. Please ensure that you have activated payment "
            "methods compatible with your chosen currency in your dashboard "
            "(https://dashboard.stripe.com/settings/payment_methods) or specify payment_method_types."
        )


def _items(params: Json) -> tuple[list[Json], str]:
    """Line items (name, description, amount, quantity) and their one currency."""
    given = params.get("line_items", [])
    if not given:
        raise invalid("The parameter `line_items` is required in payment mode.", "line_items", "parameter_missing")
    if len(given) > MAX_ITEMS:
        raise invalid(f"Checkout sessions can have at most {MAX_ITEMS} line items.", "line_items")
    items, currencies = [], set()
    for number, item in enumerate(given):
        at = f"line_items[{number}]"
        price = item.get("price_data")
        if price is None:
            raise invalid(f"You must specify either `price` or `price_data` for {at}.", at)
        for name, words in (
            ("product_data", "product` or `product_data"),
            ("unit_amount", "unit_amount` or `unit_amount_decimal"),
        ):
            if name not in price:
                raise invalid(
                    f"You must specify either `{words}` in price_data.",
                    f"{at}[price_data][{name}]",
                    "parameter_missing",
                )
        quantity = item.get("quantity", 1)
        if price["unit_amount"] < 0 or quantity < 1:
            name = f"{at}[price_data][unit_amount]" if quantity > 0 else f"{at}[quantity]"
            raise invalid("Invalid non-negative integer", name, "parameter_invalid_integer")
        currencies.add(price["currency"].lower())
        product = price["product_data"]
        items.append({
            "name": product["name"], "description": product.get("description"), "quantity": quantity,
            "amount": price["unit_amount"] * quantity,
        })  # fmt: skip
    if len(currencies) > 1:
        words = "The `currency` property of all line items must match."
        raise invalid(words, "line_items[0][price_data][currency]")
    if currencies != {"eur"}:
        raise not_here(f"The currency {currencies.pop()}", "line_items[0][price_data][currency]")
    return items, "eur"


def _wanted(call: Call, total: int, currency: str) -> Json:
    """What the PaymentIntent will be made of, when the donor pays."""
    data = call.params.get("payment_intent_data", {})
    fee = data.get("application_fee_amount")
    name = "payment_intent_data[application_fee_amount]"
    if fee is not None:
        if fee < 1:
            raise invalid("Invalid positive integer", name, "parameter_invalid_integer")
        if not call.account:
            raise invalid(
                "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using "
                "an OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
                name,
            )
        if fee > total:
            raise invalid("Your application fee cannot be larger than the total amount.", name)
    return {
        "amount": total, "currency": currency, "application_fee_amount": fee, "metadata": metadata(data),
        "description": data.get("description"), "receipt_email": data.get("receipt_email"),
    }  # fmt: skip


def _new(call: Call, total: int, currency: str) -> Json:
    params, id_ = call.params, new_id("cs_test_a1", 58)
    off = {"enabled": False}
    return {
        "id": id_, "object": OBJECT, "adaptive_pricing": off, "after_expiration": None, "allow_promotion_codes": None,
        "amount_subtotal": total, "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None, "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"), "client_secret": None, "collected_information": None,
        "consent": None, "consent_collection": None, "created": call.now, "currency": currency,
        "currency_conversion": None, "custom_fields": [], "custom_text": NOTHING_ASKED, "customer": None,
        "customer_account": None, "customer_creation": "if_required", "customer_details": None,
        "customer_email": params.get("customer_email"), "discounts": [],
        "expires_at": params.get("expires_at", call.now + LONGEST_S), "integration_identifier": None, "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": {
            "account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None,
            "metadata": {}, "rendering_options": None}},
        "livemode": False, "locale": params.get("locale"), "managed_payments": off, "metadata": metadata(params),
        "mode": "payment",
        "origin_context": None, "payment_intent": None, "payment_link": None,
        "payment_method_collection": "if_required", "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}}, "payment_method_types": ["card"],
        "payment_status": "unpaid", "permissions": None, "phone_number_collection": off, "recovered_from": None,
        "saved_payment_method_options": None, "setup_intent": None, "shipping_address_collection": None,
        "shipping_cost": None, "shipping_options": [], "status": "open", "submit_type": params.get("submit_type"),
        "subscription": None, "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page", "url": f"{call.base_url}/c/pay/{id_}", "wallet_options": None,
    }  # fmt: skip
