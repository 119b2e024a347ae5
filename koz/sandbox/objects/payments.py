"""PaymentIntents, charges and payment methods of a hosted payment: the state machine of one card payment.

requires_payment_method → requires_action (3-D Secure) → succeeded, or back to requires_payment_method on a decline;
canceled when the hosted page expires. Every step writes its balance transactions and events with it.
"""

from typing import Any, Final

from koz.sandbox.calls import Call, operation
from koz.sandbox.cards import MESSAGES, Card
from koz.sandbox.errors import Json
from koz.sandbox.objects import balance, fees
from koz.sandbox.render import ON_DEMAND, show, show_list
from koz.sandbox.store import Tx, new_id
from koz.sandbox.webhooks import emit

INTENT: Final = "payment_intent"
CHARGE: Final = "charge"
METHOD: Final = "payment_method"
#: The platform's Connect application.
APPLICATION: Final = "ca_KozSandbox00000000000000000000"
NO_ADDRESS: Final = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


@operation("get", "/v1/payment_intents/{intent}", "client_secret")
def retrieve_intent(call: Call) -> Json:
    """A PaymentIntent."""
    found = call.tx.get(call.account, INTENT, call.ids[0], "intent")
    return show(call.tx, call.account, found, call.params.get("expand"))


@operation("get", "/v1/payment_intents", is_list=True)
def list_intents(call: Call) -> Json:
    """PaymentIntents of an account."""
    page = call.tx.page(call.account, INTENT, call.params)
    return show_list(call.tx, call.account, "/v1/payment_intents", page, call.params.get("expand"))


@operation("get", "/v1/charges/{charge}")
def retrieve_charge(call: Call) -> Json:
    """A charge."""
    found = call.tx.get(call.account, CHARGE, call.ids[0])
    return show(call.tx, call.account, found, call.params.get("expand"))


@operation("get", "/v1/charges", "payment_intent", is_list=True)
def list_charges(call: Call) -> Json:
    """Charges of an account, failed ones too."""
    page = call.tx.page(call.account, CHARGE, call.params, payment_intent=call.params.get("payment_intent"))
    return show_list(call.tx, call.account, "/v1/charges", page, call.params.get("expand"))


def _refunds_of(tx: Tx, account: str, body: Json) -> Json:
    found = tx.all(account, "refund", charge=body["id"])
    return show_list(tx, account, f"/v1/charges/{body['id']}/refunds", (found[::-1][:10], len(found) > 10))


ON_DEMAND[CHARGE, "refunds"] = _refunds_of


# --- one attempt ------------------------------------------------------------------------------------------------------


def begin(tx: Tx, account: str, wanted: Json) -> Json:
    """A new PaymentIntent. `wanted`: amount, currency, application_fee_amount, metadata, description, receipt_email."""
    id_ = new_id("pi_3")
    intent: Json = {
        "id": id_, "object": INTENT, "amount": wanted["amount"], "amount_capturable": 0, "amount_details": {"tip": {}},
        "amount_received": 0, "application": APPLICATION if account else None,
        "application_fee_amount": wanted.get("application_fee_amount"), "automatic_payment_methods": None,
        "canceled_at": None, "cancellation_reason": None, "capture_method": "automatic_async",
        "client_secret": f"{id_}_secret_{new_id('')}", "confirmation_method": "automatic", "created": int(tx.now()),
        "currency": wanted["currency"], "customer": None, "customer_account": None,
        "description": wanted.get("description"), "excluded_payment_method_types": None, "last_payment_error": None,
        "latest_charge": None, "livemode": False, "managed_payments": {"enabled": False},
        "metadata": wanted.get("metadata", {}), "next_action": None,
        "on_behalf_of": None, "payment_method": None, "payment_method_configuration_details": None,
        "payment_method_options": {"card": {
            "installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"], "processing": None, "receipt_email": wanted.get("receipt_email"),
        "review": None, "setup_future_usage": None, "shipping": None, "source": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "requires_payment_method", "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip
    return tx.insert(account, intent)


def attempt(tx: Tx, account: str, intent: Json, card: Card, payer: Json) -> None:
    """Try a card: the intent then succeeds, asks for 3-D Secure, or asks for another card. `payer`: name and email."""
    assert intent["status"] in {"requires_payment_method", "requires_action"}
    method = _method(tx, account, card, payer)
    intent |= {"payment_method": method["id"], "last_payment_error": None, "_card": card.name}
    if card.secure:
        intent["status"] = "requires_action"
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        tx.save(intent)
        emit(tx, account, "payment_intent.requires_action", intent)
    else:
        _charge(tx, account, intent, card, method)


def authenticate(tx: Tx, account: str, intent: Json, card: Card, *, approved: bool) -> None:
    """The donor's bank has answered on the 3-D Secure page."""
    assert intent["status"] == "requires_action"
    method = tx.get(account, METHOD, intent["payment_method"])
    if approved:
        _charge(tx, account, intent, card, method)
        return
    message = ("We are unable to authenticate your payment method. Please choose a different payment method and try "
               "again.")  # fmt: skip
    error = {"code": "payment_intent_authentication_failure", "message": message, "type": "invalid_request_error"}
    _fail(tx, account, intent, error, method)


def cancel(tx: Tx, account: str, intent: Json, reason: str) -> None:
    """Nothing more can be paid with this intent."""
    intent |= {"status": "canceled", "canceled_at": int(tx.now()), "cancellation_reason": reason, "next_action": None}
    tx.save(intent)
    emit(tx, account, "payment_intent.canceled", intent)


def _charge(tx: Tx, account: str, intent: Json, card: Card, method: Json) -> None:
    charge = _new_charge(tx, account, intent, card, method)
    if card.decline is not None:
        _decline(tx, account, intent, charge, card.decline, method)
        return
    charge["application_fee_amount"] = intent["application_fee_amount"] if account else None
    tx.insert(account, charge)
    book_after_s = tx.setting("book_after_s", 0)
    if book_after_s:
        tx.set_timer(tx.now() + book_after_s, "charge_book", charge["id"])
    else:
        _book(tx, account, charge)
    intent |= {
        "status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"], "next_action": None,
    }  # fmt: skip
    tx.save(intent)
    emit(tx, account, "charge.succeeded", charge)
    emit(tx, account, "payment_intent.succeeded", intent)


def _book(tx: Tx, account: str, charge: Json) -> None:
    fee = charge["application_fee_amount"] or 0
    charge["balance_transaction"] = balance.book_charge(tx, account, charge, fee)["id"]
    if fee:
        charge["application_fee"] = fees.earn(tx, account, charge, fee, APPLICATION)["id"]
    tx.save(charge)


def book_late(tx: Tx, charge_id: str) -> None:
    """Book a charge some time after it was paid, as Stripe may (capture_method automatic_async): charge.updated."""
    found = tx.locate(CHARGE, charge_id)
    if found is None or found[1]["balance_transaction"]:
        return
    account, charge = found
    _book(tx, account, charge)
    previous = {"balance_transaction": None} | ({"application_fee": None} if charge["application_fee"] else {})
    emit(tx, account, "charge.updated", charge, previous)


def _decline(tx: Tx, account: str, intent: Json, charge: Json, why: tuple[str, str], method: Json) -> None:
    code, decline_code = why
    message = MESSAGES[decline_code or code]
    charge |= {
        "status": "failed", "paid": False, "captured": False, "amount_captured": 0, "failure_code": code,
        "failure_message": message, "receipt_url": None,
        "outcome": charge["outcome"] | {
            "network_status": "declined_by_network", "reason": decline_code or code, "type": "issuer_declined",
            "seller_message": "The bank did not return any further details with this decline.",
        },
    }  # fmt: skip
    tx.insert(account, charge)
    emit(tx, account, "charge.failed", charge)
    error: Json = {"code": code, "message": message, "type": "card_error", "charge": charge["id"]}
    if decline_code:
        error["decline_code"] = decline_code
    intent["latest_charge"] = charge["id"]
    _fail(tx, account, intent, error, method)


def _fail(tx: Tx, account: str, intent: Json, error: Json, method: Json) -> None:
    error |= {"payment_method": show(tx, account, method)}
    intent |= {
        "status": "requires_payment_method", "payment_method": None, "next_action": None, "last_payment_error": error,
    }  # fmt: skip
    tx.save(intent)
    emit(tx, account, "payment_intent.payment_failed", intent)


def _new_charge(tx: Tx, account: str, intent: Json, card: Card, method: Json) -> Json:
    secured = {
        "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": None,
        "result": "authenticated", "result_reason": None, "transaction_id": new_id(""), "version": "2.2.0",
    }  # fmt: skip
    details: Json = {
        "amount_authorized": intent["amount"], "authorization_code": None, "brand": card.brand,
        "checks": method["card"]["checks"], "country": card.country, "exp_month": 12, "exp_year": 2034,
        "fingerprint": method["card"]["fingerprint"], "funding": "credit", "installments": None, "last4": card.last4,
        "mandate": None, "network": card.brand, "network_transaction_id": None, "regulated_status": None,
        "three_d_secure": secured if card.secure else None, "wallet": None,
    }  # fmt: skip
    id_ = new_id("ch_3")
    return {
        "id": id_, "object": CHARGE, "amount": intent["amount"], "amount_captured": intent["amount"],
        "amount_refunded": 0, "application": APPLICATION if account else None, "application_fee": None,
        "application_fee_amount": None, "balance_transaction": None, "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "KOZ SANDBOX", "captured": True, "created": int(tx.now()),
        "currency": intent["currency"], "customer": None, "description": intent["description"], "disputed": False,
        "failure_balance_transaction": None, "failure_code": None, "failure_message": None, "fraud_details": {},
        "livemode": False, "metadata": intent["metadata"], "on_behalf_of": None,
        "outcome": {
            "advice_code": None, "network_advice_code": None, "network_decline_code": None,
            "network_status": "approved_by_network", "reason": None, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized"},
        "paid": True, "payment_intent": intent["id"], "payment_method": method["id"],
        "payment_method_details": {"card": details, "type": "card"}, "receipt_email": intent["receipt_email"],
        "receipt_number": None, "receipt_url": None, "refunded": False, "review": None, "shipping": None,
        "source": None, "source_transfer": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "status": "succeeded", "transfer_data": None, "transfer_group": None, "_refund": card.refund,
    }  # fmt: skip


def _method(tx: Tx, account: str, card: Card, payer: Json) -> Json:
    checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
    details: dict[str, Any] = {
        "brand": card.brand, "checks": checks, "country": card.country, "display_brand": card.brand, "exp_month": 12,
        "exp_year": 2034, "fingerprint": f"koz{card.last4}", "funding": "credit", "generated_from": None,
        "last4": card.last4, "networks": {"available": [card.brand], "preferred": None}, "regulated_status": None,
        "three_d_secure_usage": {"supported": True}, "wallet": None,
    }  # fmt: skip
    method: Json = {
        "id": new_id("pm_1"), "object": METHOD, "allow_redisplay": "limited",
        "billing_details": {
            "address": {**NO_ADDRESS, "country": "FR"}, "email": payer["email"], "name": payer["name"], "phone": None,
            "tax_id": None},
        "card": details, "created": int(tx.now()), "customer": None, "customer_account": None, "livemode": False,
        "metadata": {}, "type": "card",
    }  # fmt: skip
    return tx.insert(account, method)
