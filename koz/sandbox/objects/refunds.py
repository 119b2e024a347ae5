"""Refunds: full, partial, with the application fee in proportion; pending and failing ones by Stripe's test cards.

4000…7726 pays, and its refund is pending for a while, then succeeds; 4000…5126's refund succeeds, then fails
(docs.stripe.com/testing#refunds). Both move on by the clock, or at once through `/_control/refunds`.
"""

from typing import Final

from koz.sandbox.calls import Call, operation
from koz.sandbox.errors import Json, invalid, refused
from koz.sandbox.objects import balance, fees
from koz.sandbox.objects.payments import CHARGE, INTENT
from koz.sandbox.render import metadata, show, show_list
from koz.sandbox.store import Tx, new_id
from koz.sandbox.webhooks import emit

OBJECT: Final = "refund"
#: Seconds until a pending refund is decided.
DECIDED_AFTER_S: Final = 24 * 3600


@operation("post", "/v1/refunds", "payment_intent charge amount reason refund_application_fee")
def create(call: Call) -> Json:
    """Give money of a charge back to the donor."""
    tx, account, params = call.tx, call.account, call.params
    charge = _charge_of(call)
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise refused(f"Charge {charge['id']} has not been paid and cannot be refunded.", None, "charge_not_refundable")
    if charge["balance_transaction"] is None:
        raise refused(f"Charge {charge['id']} has not been booked yet; try again in a moment.", None, "lock_timeout")
    if left == 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        words = f"Refund amount (€{amount / 100:.2f}) is greater than unrefunded amount on charge (€{left / 100:.2f})"
        raise refused(words, "amount")
    if params.get("refund_application_fee") and not charge["application_fee"]:
        words = f"Attempting to refund_application_fee on {charge['id']}, but it has no application fee"
        raise refused(words, "refund_application_fee")
    refund = _new(call, charge, amount)
    fee_back = _fee_back(tx, charge, amount) if params.get("refund_application_fee") else 0
    parts = [balance.fee_part("application_fee", -fee_back, charge["application"], "Koz application fee")]
    booked = balance.book(tx, account, "refund", -amount, refund, parts if fee_back else [])
    refund["balance_transaction"] = booked["id"]
    tx.insert(account, refund)
    _add_to_charge(tx, account, charge, amount)
    emit(tx, account, "refund.created", refund)
    if fee_back:
        fees.give_back(tx, charge["application_fee"], fee_back)
    if charge["_refund"] != "succeeded":
        what = "refund_succeed" if charge["_refund"] == "pending" else "refund_fail"
        tx.set_timer(tx.now() + DECIDED_AFTER_S, what, refund["id"])
    return show(tx, account, refund, params.get("expand"))


@operation("get", "/v1/refunds/{refund}")
def retrieve(call: Call) -> Json:
    """A refund."""
    return show(call.tx, call.account, call.tx.get(call.account, OBJECT, call.ids[0]), call.params.get("expand"))


@operation("get", "/v1/refunds", "payment_intent charge", is_list=True)
def list_all(call: Call) -> Json:
    """Refunds of an account, a charge or a PaymentIntent."""
    filters = {name: call.params.get(name) for name in ("payment_intent", "charge")}
    page = call.tx.page(call.account, OBJECT, call.params, **filters)
    return show_list(call.tx, call.account, "/v1/refunds", page, call.params.get("expand"))


def decide(tx: Tx, refund_id: str, *, succeeds: bool) -> None:
    """A pending refund succeeds, or a refund fails: then the money is back on the account."""
    found = tx.locate(OBJECT, refund_id)
    if found is None or found[1]["status"] in {"failed", "canceled"}:
        return
    account, refund = found
    previous = {"status": refund["status"]}
    if succeeds:
        if refund["status"] == "succeeded":
            return
        refund["status"] = "succeeded"
        tx.save(refund)
        emit(tx, account, "refund.updated", refund, previous)
        return
    charge = tx.get(account, CHARGE, refund["charge"])
    back = balance.book(tx, account, "refund_failure", refund["amount"], refund)
    refund |= {
        "status": "failed", "failure_reason": "expired_or_canceled_card", "failure_balance_transaction": back["id"],
    }  # fmt: skip
    tx.save(refund)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    tx.save(charge)
    emit(tx, account, "refund.updated", refund, previous)
    emit(tx, account, "refund.failed", refund)


def _charge_of(call: Call) -> Json:
    tx, params = call.tx, call.params
    if ("payment_intent" in params) == ("charge" in params):
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    if "charge" in params:
        return tx.get(call.account, CHARGE, params["charge"], "charge")
    intent = tx.get(call.account, INTENT, params["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None or intent["status"] != "succeeded":
        words = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise refused(words, "payment_intent")
    return tx.get(call.account, CHARGE, intent["latest_charge"])


def _new(call: Call, charge: Json, amount: int) -> Json:
    pending = charge["_refund"] == "pending"
    return {
        "id": new_id("re_3"), "object": OBJECT, "amount": amount, "balance_transaction": None, "charge": charge["id"],
        "created": call.now, "currency": charge["currency"], "customer": None, "customer_account": None,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card"},
        "metadata": metadata(call.params), "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"], "reason": call.params.get("reason"), "receipt_number": None,
        "source_transfer_reversal": None, "status": "pending" if pending else "succeeded", "transfer_reversal": None,
    }  # fmt: skip


def _fee_back(tx: Tx, charge: Json, amount: int) -> int:
    """The fee's part in proportion; the last refund takes what is left of it."""
    fee = tx.get("", fees.OBJECT, charge["application_fee"])
    left = int(fee["amount"] - fee["amount_refunded"])
    if charge["amount_refunded"] + amount == charge["amount"]:
        return left
    share: int = (2 * fee["amount"] * amount + charge["amount"]) // (2 * charge["amount"])
    return min(left, share)


def _add_to_charge(tx: Tx, account: str, charge: Json, amount: int) -> None:
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    tx.save(charge)
    emit(tx, account, "charge.refunded", charge, previous)
