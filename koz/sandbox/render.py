"""Objects as they are shown: without the sandbox's own keys, with `expand` up to four levels, lists, metadata."""

import typing
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import stripe

from koz.sandbox.errors import Json, invalid, not_here
from koz.sandbox.store import Tx

DEEPEST: Final = 4
MAX_KEYS, MAX_KEY, MAX_VALUE = 50, 40, 500

#: Values that are worked out when shown: object -> function(tx, account, body) -> changed fields.
LIVE: Final[dict[str, Callable[[Tx, str, Json], Json]]] = {}
#: Values that are only there when asked for by `expand`: (object, field) -> function.
ON_DEMAND: Final[dict[tuple[str, str], Callable[[Tx, str, Json], Any]]] = {}
CLASSES: Final[dict[str, type]] = {
    "checkout.session": stripe.checkout.Session, "payment_intent": stripe.PaymentIntent, "charge": stripe.Charge,
    "balance_transaction": stripe.BalanceTransaction, "refund": stripe.Refund,
    "fee_refund": stripe.ApplicationFeeRefund,
    "application_fee": stripe.ApplicationFee, "event": stripe.Event, "webhook_endpoint": stripe.WebhookEndpoint,
    "balance": stripe.Balance, "payment_method": stripe.PaymentMethod, "v2.core.account": stripe.v2.core.Account,
    "v2.core.account_link": stripe.v2.core.AccountLink, "v2.core.event_destination": stripe.v2.core.EventDestination,
    "v2.core.event": stripe.v2.core.Event,
}  # fmt: skip


def show(tx: Tx, account: str, body: Json, expand: list[str] | None = None) -> Json:
    """An object of an account as Stripe would show it. Raises ApiError when something cannot be expanded."""
    shown = {key: value for key, value in body.items() if not key.startswith("_")}
    live = LIVE.get(body.get("object", ""))
    if live is not None:
        shown |= live(tx, account, body)
    for path in expand or ():
        if path.count(".") >= DEEPEST:
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", "expand")
        _expand(tx, account, shown, path.split("."), path)
    return shown


def show_list(tx: Tx, account: str, url: str, page: tuple[list[Json], bool], expand: list[str] | None = None) -> Json:
    """A page of a list; `expand` begins with `data.`."""
    inner = []
    for path in expand or ():
        if not path.startswith("data."):
            raise _cannot(path)
        inner.append(path.removeprefix("data."))
    data = [show(tx, account, body, inner) for body in page[0]]
    return {"object": "list", "url": url, "has_more": page[1], "data": data}


def _expand(tx: Tx, account: str, place: Any, keys: list[str], path: str) -> None:
    key, rest = keys[0], keys[1:]
    if not isinstance(place, dict):
        raise _cannot(path)
    demanded = ON_DEMAND.get((place.get("object", ""), key))
    if demanded is not None and place.get(key) is None:
        place[key] = demanded(tx, account, place)
    value = place.get(key)
    if key not in place or not (isinstance(value, (dict, list)) or demanded or key in expandable(place)):
        raise _cannot(path)
    if isinstance(value, str):
        found = tx.any_object(account, value) or tx.any_object("", value)
        if found is None or found["object"].startswith("v2."):
            raise not_here(f"Expanding {path}", "expand")
        value = place[key] = show(tx, account, found)
    if rest and value is not None:
        for each in value if isinstance(value, list) else [value]:
            _expand(tx, account, each, rest, path)


def _cannot(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", "expand")


def expandable(body: Json) -> frozenset[str]:
    """Fields of an object that hold an id or the object itself, by the SDK's class."""
    return _expandable(CLASSES.get(body.get("object", "")))


@cache
def _expandable(cls: type | None) -> frozenset[str]:
    """In the SDK: `ExpandableField["X"]`, which is `str` or the class."""
    found = set()
    for name, hint in getattr(cls, "__annotations__", {}).items():
        members = typing.get_args(hint)
        if str in members and any(isinstance(m, typing.ForwardRef) for m in members):
            found.add(name)
    return frozenset(found)


def metadata(params: Json, before: Json | None = None) -> Json:
    """Metadata merged into what was there: an empty value takes a key away. Raises ApiError beyond Stripe's limits."""
    given = params.get("metadata") or {}
    for key, value in given.items():
        if len(key) > MAX_KEY:
            raise invalid(
                f"Metadata keys can have at most {MAX_KEY} characters; {key[:50]} has {len(key)}.", "metadata"
            )
        if len(value) > MAX_VALUE:
            name = f"metadata[{key}]"
            raise invalid(f"Metadata values can have up to {MAX_VALUE} characters; {key} has {len(value)}.", name)
    merged = {k: v for k, v in ((before or {}) | given).items() if v != ""}
    if len(merged) > MAX_KEYS:
        raise invalid(f"You can only have up to {MAX_KEYS} metadata keys.", "metadata")
    return merged
