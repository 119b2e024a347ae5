"""The control desk: what happens by itself at Stripe is pressed here. The same controls as in `control.py`, by hand."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from koz.sandbox import faults, timers, webhooks
from koz.sandbox.api import door
from koz.sandbox.control import move_clock
from koz.sandbox.objects import accounts, checkout, refunds
from koz.sandbox.pages import not_found, page, words
from koz.sandbox.store import Tx

bp = Blueprint("desk", __name__)
SHOWN = 30


@bp.get("/")
def home() -> ResponseReturnValue:
    """The desk is the home page."""
    return redirect(url_for("desk.desk"), 303)


@bp.get("/_desk")
def desk() -> ResponseReturnValue:
    """Clock, chaos, what is open, what was sent."""
    with door().store.transaction() as tx:
        clock = tx.setting("clock", {"frozen": None})
        values: dict[str, Any] = {
            "now": datetime.fromtimestamp(tx.now(), UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "frozen": clock["frozen"] is not None,
            "chaos": webhooks.CALM | tx.setting("chaos", {}),
            "faults": faults.NONE | tx.setting("faults", {}),
            "fault_kinds": faults.KINDS,
            "deliveries": webhooks.list_deliveries(tx, SHOWN),
            "counts": webhooks.count_deliveries(tx),
            "endpoints": tx.sql("SELECT kind, url FROM endpoints WHERE active = 1 ORDER BY kind, url").fetchall(),
            "sessions": _latest(tx, checkout.OBJECT),
            "refunds": _latest(tx, refunds.OBJECT),
            "accounts": [each | {"state": _state(each)} for each in _latest(tx, accounts.OBJECT)],
        }
    return page("desk", words(), **values)


def _latest(tx: Tx, object_name: str) -> list[dict[str, Any]]:
    """The newest objects of a kind, of all accounts."""
    query = "SELECT body FROM objects WHERE object = ? ORDER BY seq DESC LIMIT ?"
    return [json.loads(row[0]) for row in tx.sql(query, (object_name, SHOWN))]


def _state(account: dict[str, Any]) -> str:
    merchant = account["configuration"]["merchant"] or {"capabilities": {}}
    return str(merchant["capabilities"].get("card_payments", {}).get("status", "-"))


@bp.post("/_desk")
def act() -> ResponseReturnValue:
    """Carry out what was pressed."""
    form = request.form
    with door().store.transaction() as tx:
        done = _act(tx, form.get("what", ""), form.get("id", ""))
    if not done:
        return not_found()
    timers.run_due(door().store)
    door().dispatcher.wake()
    return redirect(url_for("desk.desk", lang=request.args.get("lang")), 303)


def _act(tx: Tx, what: str, id_: str) -> bool:
    """One press. False when it makes no sense."""
    if what == "advance" and id_.isdigit():
        move_clock(tx, int(id_))
    elif what == "chaos":
        given = {name: _number(name) for name in ("duplicate", "reorder", "drop")}
        tx.set_setting("chaos", given | {"delay_s": _number("delay_s", 86_400), "seed": int(_number("seed", 1e9))})
        tx.set_setting("chaos_n", 0)
    elif what == "faults":
        kinds = [kind for kind in request.form.getlist("kinds") if kind in faults.KINDS]
        wanted: dict[str, Any] = {"rate": _number("rate"), "kinds": kinds, "seed": int(_number("seed", 1e9))}
        tx.set_setting("faults", faults.NONE | wanted)
        tx.set_setting("faults_n", 0)
    elif what == "calm":
        tx.set_setting("chaos", webhooks.CALM)
        tx.set_setting("faults", faults.NONE)
    elif what == "replay" and id_.isdigit():
        return webhooks.replay(tx, int(id_))
    else:
        return _act_on_object(tx, what, id_)
    return True


def _act_on_object(tx: Tx, what: str, id_: str) -> bool:
    if what == "expire":
        found = tx.locate(checkout.OBJECT, id_)
        if found and found[1]["status"] == "open":
            checkout.close(tx, *found)
        return found is not None
    if what in accounts.DETAILS and tx.find("", accounts.OBJECT, id_):
        accounts.set_state(tx, id_, what)
        return True
    if what in {"refund_succeeded", "refund_failed"}:
        refunds.decide(tx, id_, succeeds=what == "refund_succeeded")
        return True
    return False


def _number(name: str, most: float = 1.0) -> float:
    """A number of the form, within bounds; 0 when it is none."""
    try:
        return min(max(float(request.form.get(name, "0").replace(",", ".")), 0.0), most)
    except ValueError:
        return 0.0
