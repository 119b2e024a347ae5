"""Balances and their transactions: every cent that enters or leaves an account.

Processing fee: a French account's price for a card of the European Economic Area, 1.5 % and 25 cents, rounded half up
(stripe.com/fr/pricing). It is not given back on a refund. On a direct charge the application fee is part of the
charge's `fee` on the account, and a transaction of its own on the platform; when it is given back with a refund, the
refund's `fee` on the account is negative by as much (to be proved against Stripe).
"""

from typing import Final

from koz.sandbox.calls import Call, operation
from koz.sandbox.errors import Json
from koz.sandbox.render import LIVE, show, show_list
from koz.sandbox.store import Tx, new_id

OBJECT: Final = "balance_transaction"
FEE_PER_MILLE, FEE_FIXED = 15, 25
#: Seconds until money is available: three days, as cards in France at first.
AVAILABLE_AFTER_S: Final = 3 * 24 * 3600


@operation("get", "/v1/balance_transactions/{id}")
def retrieve(call: Call) -> Json:
    """A balance transaction."""
    return show(call.tx, call.account, call.tx.get(call.account, OBJECT, call.ids[0]), call.params.get("expand"))


@operation("get", "/v1/balance_transactions", "type source currency", is_list=True)
def list_all(call: Call) -> Json:
    """Balance transactions of an account; the filter `payout` comes with payouts."""
    filters = {name: call.params.get(name) for name in ("type", "source", "currency")}
    page = call.tx.page(call.account, OBJECT, call.params, **filters)
    return show_list(call.tx, call.account, "/v1/balance_transactions", page, call.params.get("expand"))


@operation("get", "/v1/balance")
def retrieve_balance(call: Call) -> Json:
    """What an account holds, available and pending."""
    sums = {"available": 0, "pending": 0}
    query = """SELECT SUM(json_extract(body, '$.net')), json_extract(body, '$.available_on') <= ? AS free FROM objects
               WHERE account = ? AND object = ? GROUP BY free"""
    for net, free in call.tx.sql(query, (call.now, call.account, OBJECT)):
        sums["available" if free else "pending"] = net
    shown = {
        name: [{"amount": net, "currency": "eur", "source_types": {"card": net}}] for name, net in sums.items()
    }  # fmt: skip
    body: Json = {"object": "balance", "livemode": False, **shown}
    return body if call.account else body | {"connect_reserved": [{"amount": 0, "currency": "eur"}]}


def processing_fee(amount: int) -> int:
    """Stripe's fee for a card payment, in cents."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def book(tx: Tx, account: str, kind: str, amount: int, source: Json, parts: list[Json] | None = None) -> Json:
    """Write a transaction; `parts` are fee details. `net` is the amount less the fees."""
    parts = parts or []
    fee = sum(part["amount"] for part in parts)
    now = int(tx.now())
    return tx.insert(account, {
        "id": new_id("txn_3"), "object": OBJECT, "amount": amount, "available_on": now + AVAILABLE_AFTER_S,
        "balance_type": "payments", "created": now, "currency": source["currency"], "description": None,
        "exchange_rate": None, "fee": fee, "fee_details": parts, "net": amount - fee,
        "reporting_category": {"application_fee": "platform_earning",
                               "application_fee_refund": "platform_earning_refund"}.get(kind, kind),
        "source": source["id"], "status": "pending", "type": kind,
    })  # fmt: skip


def book_charge(tx: Tx, account: str, charge: Json, application_fee: int) -> Json:
    """A paid charge with its fees."""
    parts = []
    if application_fee:
        parts.append(fee_part("application_fee", application_fee, charge["application"], "Koz application fee"))
    parts.append(fee_part("stripe_fee", processing_fee(charge["amount"]), None, "Stripe processing fees"))
    return book(tx, account, "charge", charge["amount"], charge, parts)


def fee_part(kind: str, amount: int, application: str | None, words: str) -> Json:
    """A part of a fee."""
    return {"amount": amount, "application": application, "currency": "eur", "description": words, "type": kind}


def _live(tx: Tx, _account: str, body: Json) -> Json:
    return {"status": "available" if body["available_on"] <= tx.now() else "pending"}


LIVE[OBJECT] = _live
