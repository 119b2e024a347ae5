"""Application fees: what the platform earns on direct charges. They lie on the platform's own account."""

from typing import Final

from koz.sandbox.calls import Call, operation
from koz.sandbox.errors import Json
from koz.sandbox.objects import balance
from koz.sandbox.render import LIVE, show, show_list
from koz.sandbox.store import Tx, new_id
from koz.sandbox.webhooks import emit

OBJECT: Final = "application_fee"
REFUND: Final = "fee_refund"


@operation("get", "/v1/application_fees/{id}")
def retrieve(call: Call) -> Json:
    """An application fee."""
    return show(call.tx, call.account, call.tx.get(call.account, OBJECT, call.ids[0]), call.params.get("expand"))


@operation("get", "/v1/application_fees", "charge", is_list=True)
def list_all(call: Call) -> Json:
    """Application fees, of all accounts or of one charge."""
    page = call.tx.page(call.account, OBJECT, call.params, charge=call.params.get("charge"))
    return show_list(call.tx, call.account, "/v1/application_fees", page, call.params.get("expand"))


def earn(tx: Tx, account: str, charge: Json, amount: int, application: str) -> Json:
    """The platform's fee on a charge, booked on the platform."""
    fee: Json = {
        "id": new_id("fee_1"), "object": OBJECT, "account": account, "amount": amount, "amount_refunded": 0,
        "application": application, "balance_transaction": None, "charge": charge["id"], "created": int(tx.now()),
        "currency": charge["currency"], "fee_source": {"charge": charge["id"], "type": "charge"}, "livemode": False,
        "originating_transaction": None, "refunded": False,
    }  # fmt: skip
    fee["balance_transaction"] = balance.book(tx, "", "application_fee", amount, fee)["id"]
    tx.insert("", fee)
    emit(tx, "", "application_fee.created", fee)
    return fee


def give_back(tx: Tx, fee_id: str, amount: int) -> Json:
    """Give a part of a fee back to the account."""
    fee = tx.get("", OBJECT, fee_id)
    back: Json = {
        "id": new_id("fr_1"), "object": REFUND, "amount": amount, "balance_transaction": None,
        "created": int(tx.now()), "currency": fee["currency"], "fee": fee_id, "metadata": {},
    }  # fmt: skip
    back["balance_transaction"] = balance.book(tx, "", "application_fee_refund", -amount, back)["id"]
    tx.insert("", back)
    previous = {"amount_refunded": fee["amount_refunded"], "refunded": fee["refunded"]}
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    tx.save(fee)
    emit(tx, "", "application_fee.refunded", fee, previous)
    return back


def _live(tx: Tx, account: str, body: Json) -> Json:
    found = tx.all("", REFUND, fee=body["id"])
    url = f"/v1/application_fees/{body['id']}/refunds"
    return {"refunds": show_list(tx, account, url, (found[::-1][:10], len(found) > 10))}


LIVE[OBJECT] = _live
