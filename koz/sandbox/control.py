"""Controls as JSON: clock, chaos of webhooks, faults, and what a person would do on the hosted pages.

For tests, load and chaos runs; the control desk (`/_desk`) uses the same functions. Bodies are `application/json`, so
that a page of another site cannot send them without being asked.
"""

import time
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from koz.sandbox import calls, faults, timers, webhooks
from koz.sandbox.api import door
from koz.sandbox.cards import read_number
from koz.sandbox.errors import ApiError, Json, invalid, missing, not_here, refused
from koz.sandbox.objects import accounts, balance, checkout, refunds
from koz.sandbox.render import show
from koz.sandbox.store import Tx

bp = Blueprint("control", __name__, url_prefix="/_control")
KINDS = (
    "checkout.session",
    "payment_intent",
    "charge",
    "refund",
    "balance_transaction",
    "application_fee",
    "fee_refund",
)


@bp.errorhandler(ApiError)
def _refused(error: ApiError) -> ResponseReturnValue:
    return jsonify(error.body()), error.status


def body(**known: type | tuple[type, ...]) -> Json:
    """The JSON body, with only the fields that are known. Raises ApiError."""
    found = request.get_json(silent=True)
    if not request.is_json or not isinstance(found, dict):
        raise invalid("Send a JSON object with Content-Type: application/json.")
    for name, value in found.items():
        kinds = known.get(name)
        if kinds is None:
            raise invalid(f"Received unknown parameter: {name}. Known here: {', '.join(known)}.", name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise invalid(f"Invalid {name}: {value!r}", name)
    return found


NUMBER = (int, float)


@bp.post("/clock")
def clock() -> ResponseReturnValue:
    """Move the clock on, stop it, or let it run; what became due has happened when this answers."""
    given = body(advance_s=NUMBER, frozen=bool)
    if given.get("advance_s", 0) < 0:
        raise invalid("The clock only goes forward.", "advance_s")
    with door().store.transaction() as tx:
        move_clock(tx, given.get("advance_s", 0), frozen=given.get("frozen"))
    timers.run_due(door().store)
    door().dispatcher.wake()
    with door().store.transaction() as tx:
        return jsonify(now=tx.now(), **tx.setting("clock"))


def move_clock(tx: Tx, advance_s: float, *, frozen: bool | None = None) -> None:
    """Change the stored clock. `frozen` None leaves it as it is."""
    state, now = tx.setting("clock", {"offset": 0.0, "frozen": None}), tx.now()
    if frozen is not None:
        state = {"offset": now - time.time(), "frozen": now if frozen else None}
    state["offset"] += advance_s
    if state["frozen"] is not None:
        state["frozen"] += advance_s
    tx.set_setting("clock", state)


@bp.post("/webhooks")
def chaos() -> ResponseReturnValue:
    """Chaos of deliveries from now on; fields left out are calm. Counting starts anew, so a run can be repeated."""
    given = body(duplicate=NUMBER, reorder=NUMBER, delay_s=NUMBER, drop=NUMBER, seed=int)
    _check_rates(given, "duplicate", "reorder", "drop")
    with door().store.transaction() as tx:
        tx.set_setting("chaos", webhooks.CALM | given)
        tx.set_setting("chaos_n", 0)
        return jsonify(tx.setting("chaos"))


@bp.post("/faults")
def make_faults() -> ResponseReturnValue:
    """Faults of the API from now on."""
    given = body(rate=NUMBER, kinds=list, seed=int, hold_s=NUMBER)
    _check_rates(given, "rate")
    unknown = [kind for kind in given.get("kinds", []) if kind not in faults.KINDS]
    if unknown:
        raise invalid(f"Unknown kinds {unknown}; there are {', '.join(faults.KINDS)}.", "kinds")
    with door().store.transaction() as tx:
        tx.set_setting("faults", faults.NONE | given)
        tx.set_setting("faults_n", 0)
        return jsonify(tx.setting("faults"))


def _check_rates(given: Json, *names: str) -> None:
    for name in names:
        if not 0 <= given.get(name, 0) <= 1:
            raise invalid(f"{name} is a probability, from 0 to 1.", name)


@bp.post("/accounts")
def ready_account() -> ResponseReturnValue:
    """A connected account whose onboarding is done: `{"display_name", "email", "state": "active"}`, all optional."""
    given = body(display_name=str, email=str, state=str)
    state = _state(given.get("state", "active"))
    with door().store.transaction() as tx:
        account = accounts.open_account(tx, {
            "display_name": given.get("display_name", "Association d'essai"), "dashboard": "full",
            "contact_email": given.get("email", "asso@koz.test"),
            "identity": {"country": "fr", "entity_type": "non_profit"},
            "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
            "defaults": {"currency": "eur",
                         "responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
        })  # fmt: skip
        accounts.set_state(tx, account["id"], state)
        return jsonify(tx.get("", accounts.OBJECT, account["id"]))


@bp.post("/accounts/state")
def account_state() -> ResponseReturnValue:
    """`{"account", "state": "active|pending|restricted|rejected"}`: what Stripe decides about an account."""
    given = body(account=str, state=str)
    with door().store.transaction() as tx:
        account = accounts.set_state(tx, given.get("account", ""), _state(given.get("state", "")))
    door().dispatcher.wake()
    return jsonify(account)


def _state(state: str) -> str:
    if state not in accounts.DETAILS:
        raise invalid(f"Invalid state: must be one of {', '.join(accounts.DETAILS)}", "state")
    return state


@bp.post("/checkout/pay")
def pay() -> ResponseReturnValue:
    """What a donor does on the hosted page: `{"session", "card", "approve": true, "name", "email"}`."""
    given = body(session=str, card=str, approve=bool, name=str, email=str)
    card = read_number(given.get("card", "4242424242424242"))
    if card is None:
        raise invalid("Not one of the test cards of the sandbox.", "card")
    with door().store.transaction() as tx:
        account, session = _session(tx, given.get("session", ""))
        if session["status"] != "open":
            raise refused(f"This Checkout Session is {session['status']}.", "session")
        payer = {
            "name": given.get("name", "Camille Essai"),
            "email": session["customer_email"] or given.get("email", "donor@koz.test"),
        }
        intent = checkout.pay(tx, account, session, card, payer)
        if intent["status"] == "requires_action":
            intent = checkout.answer_bank(tx, account, session, card, approved=given.get("approve", True))
        shown = {"session": show(tx, account, session), "payment_intent": show(tx, account, intent)}
    door().dispatcher.wake()
    return jsonify(shown)


@bp.post("/checkout/expire")
def expire() -> ResponseReturnValue:
    """Close a hosted page before its time: `{"session"}`."""
    with door().store.transaction() as tx:
        account, session = _session(tx, body(session=str).get("session", ""))
        if session["status"] != "open":
            raise refused(f"This Checkout Session is {session['status']}.", "session")
        checkout.close(tx, account, session)
        shown = show(tx, account, session)
    door().dispatcher.wake()
    return jsonify(shown)


def _session(tx: Tx, id_: str) -> tuple[str, Json]:
    found = tx.locate(checkout.OBJECT, id_)
    if found is None:
        raise missing("session", id_, "session")
    return found


@bp.post("/refunds")
def decide_refund() -> ResponseReturnValue:
    """Let a refund succeed or fail now: `{"refund", "status": "succeeded|failed"}`."""
    given = body(refund=str, status=str)
    if given.get("status") not in {"succeeded", "failed"}:
        raise invalid("Invalid status: must be one of succeeded, or failed", "status")
    with door().store.transaction() as tx:
        found = tx.locate(refunds.OBJECT, given.get("refund", ""))
        if found is None:
            raise missing("refund", given.get("refund", ""), "refund")
        refunds.decide(tx, found[1]["id"], succeeds=given["status"] == "succeeded")
        shown = show(tx, found[0], tx.get(found[0], refunds.OBJECT, found[1]["id"]))
    door().dispatcher.wake()
    return jsonify(shown)


@bp.post("/disputes")
@bp.post("/payouts")
def absent() -> ResponseReturnValue:
    """Disputes and payouts do not exist here yet: it says so."""
    raise not_here(f"{request.path.rsplit('/', 1)[1].capitalize()}: they do not exist yet, so this control")


@bp.get("/deliveries")
def deliveries() -> ResponseReturnValue:
    """The deliveries of webhooks, newest first, and how many there are by state."""
    limit = min(request.args.get("limit", 1000, type=int), 100_000)
    with door().store.transaction() as tx:
        found = webhooks.list_deliveries(tx, limit, request.args.get("state"))
        return jsonify(deliveries=found, counts=webhooks.count_deliveries(tx), now=tx.now())


@bp.post("/deliveries/replay")
def replay() -> ResponseReturnValue:
    """Send a delivery again, now: `{"id": n}`."""
    id_ = body(id=int).get("id", 0)
    with door().store.transaction() as tx:
        if not webhooks.replay(tx, id_):
            raise missing("delivery", str(id_))
    door().dispatcher.wake()
    return jsonify(id=id_)


@bp.post("/deliveries/flush")
def flush() -> ResponseReturnValue:
    """Send now what waits for its next try; with `{"dropped": true}` also what was dropped or given up."""
    states = ("waiting", "dropped", "failed") if body(dropped=bool).get("dropped") else ("waiting",)
    with door().store.transaction() as tx:
        number = webhooks.flush(tx, states)
    door().dispatcher.wake()
    return jsonify(deliveries=number)


@bp.post("/booking")
def booking() -> ResponseReturnValue:
    """`{"delay_s": n}`: from now on Stripe books charges n seconds late, as it may; 0 books at once."""
    given = body(delay_s=NUMBER)
    if given.get("delay_s", 0) < 0:
        raise invalid("delay_s cannot be negative.", "delay_s")
    with door().store.transaction() as tx:
        tx.set_setting("book_after_s", given.get("delay_s", 0))
    return jsonify(delay_s=given.get("delay_s", 0))


@bp.get("/state")
def state() -> ResponseReturnValue:
    """Everything of an account (`?account=acct_…`, or the platform), oldest first, with sums in cents."""
    account = request.args.get("account", "")
    with door().store.transaction() as tx:
        objects = {kind: [show(tx, account, each) for each in tx.all(account, kind)] for kind in KINDS}
        booked = objects[balance.OBJECT]
        sums = {name: sum(each[name] for each in booked) for name in ("amount", "fee", "net")}
        known = [each["id"] for each in tx.all("", accounts.OBJECT)]
        answer: dict[str, Any] = {
            "account": account, "accounts": known, "objects": objects, "sums": sums, "now": tx.now(),
            "deliveries": webhooks.count_deliveries(tx), "ignored": dict(door().ignored),
            "requests": dict(door().requests),
        }  # fmt: skip
    return jsonify(answer)


@bp.get("/ignored")
def ignored() -> ResponseReturnValue:
    """The table of parameters that are accepted without effect, and those seen since the start."""
    return jsonify(table=calls.ignored(), seen=dict(door().ignored))
