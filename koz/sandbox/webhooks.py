"""Events and their deliveries: written with the change they tell of, sent by threads, tried again on the sandbox clock.

Endpoints are of three kinds: `connect` gets snapshot events of connected accounts (with `account`), `platform` those of
the platform itself, `accounts` thin v2 events. Chaos: the fate of the n-th delivery since the seed was set depends on
the seed and n alone, so that a run can be repeated. Order is never promised, as with Stripe.
"""

import http.client
import ipaddress
import json
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import stripe

from koz.sandbox.errors import Json, not_here
from koz.sandbox.render import LIVE, show
from koz.sandbox.store import Store, Tx, new_id

KINDS: Final = ("connect", "platform", "accounts")
#: Waits in seconds after the 1st, 2nd … failure; then the last one again until GIVE_UP_S after the first try. Stripe:
#: "up to three days with an exponential back off" (docs.stripe.com/webhooks). The first steps are ours, for demos.
BACKOFF_S: Final = (2, 10, 60, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
GIVE_UP_S: Final = 3 * 24 * 3600
CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 2, 20
SENDERS: Final = 4
CALM: Final[Json] = {"duplicate": 0.0, "reorder": 0.0, "delay_s": 0.0, "drop": 0.0, "seed": 0}
#: A reordered delivery is put back by this many seconds, so that later ones overtake it.
OVERTAKEN_S: Final = (0.3, 3.0)


def iso(seconds: float) -> str:
    """A time as v2 writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_url(url: str) -> None:
    """Raises ApiError unless the address is on this machine: nothing leaves it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if parts.scheme not in {"http", "https"} or not local:
        raise not_here("A webhook address that is not on this machine (127.0.0.1)", "url")


def set_endpoint(tx: Tx, id_: str, kind: str, url: str, secret: str, types: list[str]) -> None:
    """Add an endpoint, or change it. `types` may be `["*"]`."""
    tx.sql(
        "INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?, ?, ?, 1)",
        (id_, kind, url, secret, json.dumps(types)),
    )


# --- events -----------------------------------------------------------------------------------------------------------


def emit(tx: Tx, account: str, type_: str, body: Json, previous: Json | None = None) -> Json:
    """Write a snapshot event of an account ('' for the platform) and its deliveries."""
    data: Json = {"object": show(tx, account, body)}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Json = {
        "id": new_id("evt_"), "object": "event", "api_version": stripe.api_version, "created": int(tx.now()),
        "data": data, "livemode": False, "pending_webhooks": 0, "request": dict(tx.request), "type": type_,
    }  # fmt: skip
    if account:
        event["account"] = account
    tx.insert(account, event)
    kind = "connect" if account else "platform"
    _deliver(tx, kind, account, event)
    return event


def emit_thin(tx: Tx, account: str, type_: str, data: Json | None = None) -> Json:
    """Write a thin v2 event about a connected account and its deliveries. The payload is the event without its data."""
    event: Json = {
        "id": new_id("evt_test_", 40), "object": "v2.core.event", "type": type_, "livemode": False,
        "created": iso(tx.now()), "context": account,
        "related_object": {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"},
        "reason": None,
    }  # fmt: skip
    if tx.request["id"]:
        inner = {"id": tx.request["id"], "idempotency_key": tx.request["idempotency_key"] or ""}
        event["reason"] = {"type": "request", "request": inner}
    tx.insert("", event | {"_data": data or {}, "_account": account})
    _deliver(tx, "accounts", account, event)
    return event


def _event_live(tx: Tx, _account: str, body: Json) -> Json:
    """How many endpoints have not yet got it."""
    query = "SELECT COUNT(*) FROM deliveries WHERE event = ? AND state IN ('waiting', 'sending')"
    return {"pending_webhooks": tx.sql(query, (body["id"],)).fetchone()[0]}


LIVE["event"] = _event_live


def _deliver(tx: Tx, kind: str, account: str, event: Json) -> None:
    rows = tx.sql("SELECT id, types FROM endpoints WHERE kind = ? AND active = 1", (kind,)).fetchall()
    wanting = [id_ for id_, types in rows if not {"*", event["type"]}.isdisjoint(json.loads(types))]
    if not wanting:
        return
    if event["object"] == "event":
        event = event | {"pending_webhooks": len(wanting)}
    payload = json.dumps(event, ensure_ascii=False)
    chaos = CALM | tx.setting("chaos", {})
    for endpoint in wanting:
        fate = _fate(chaos, tx.count_up("chaos_n") if any(chaos.values()) else 0)
        for number in range(2 if "duplicate" in fate.marks else 1):
            state = "dropped" if "drop" in fate.marks else "waiting"
            due = tx.now() + fate.delay_s + number * fate.apart_s
            tx.sql(
                "INSERT INTO deliveries (endpoint, event, type, account, payload, state, chaos, attempts, first_at, "
                "due_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
                (endpoint, event["id"], event["type"], account, payload, state, " ".join(fate.marks), due, due),
            )


@dataclass(frozen=True, slots=True)
class Fate:
    """What chaos does to a delivery."""

    marks: tuple[str, ...]
    delay_s: float
    apart_s: float


def _fate(chaos: Json, number: int) -> Fate:
    dice = random.Random(f"{chaos['seed']}:{number}")
    draws = [dice.random() for _ in range(3)]
    marks = tuple(
        name for name, draw in zip(("drop", "duplicate", "reorder"), draws, strict=True) if draw < chaos[name]
    )
    late, apart = dice.uniform(*OVERTAKEN_S), dice.uniform(0, 2)
    return Fate(marks, chaos["delay_s"] + (late if "reorder" in marks else 0), apart)


# --- deliveries -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try to be made."""

    id: int
    url: str
    secret: str
    payload: str
    attempts: int
    first_at: float


def claim(tx: Tx) -> Delivery | None:
    """Take the next delivery that is due."""
    query = """SELECT d.id, e.url, e.secret, d.payload, d.attempts, d.first_at FROM deliveries d
               JOIN endpoints e ON e.id = d.endpoint AND e.active = 1
               WHERE d.state = 'waiting' AND d.due_at <= ?
               ORDER BY d.due_at, d.id LIMIT 1"""
    row = tx.sql(query, (tx.now(),)).fetchone()
    if row is None:
        return None
    tx.sql("UPDATE deliveries SET state = 'sending', attempts = attempts + 1 WHERE id = ?", (row[0],))
    return Delivery(row[0], row[1], row[2], row[3], row[4] + 1, row[5])


def settle(tx: Tx, delivery: Delivery, status: int | None, error: str | None) -> None:
    """Write down how a try went: delivered on 2xx, else later, else given up after three days."""
    if status is not None and 200 <= status < 300:
        state, due = "delivered", tx.now()
    else:
        wait = BACKOFF_S[min(delivery.attempts, len(BACKOFF_S)) - 1]
        due = tx.now() + wait
        state = "failed" if due - delivery.first_at > GIVE_UP_S else "waiting"
    tx.sql(
        "UPDATE deliveries SET state = ?, due_at = ?, status = ?, error = ? WHERE id = ?",
        (state, due, status, error, delivery.id),
    )


def replay(tx: Tx, delivery_id: int) -> bool:
    """Send a delivery again, now. False when there is none."""
    query = "UPDATE deliveries SET state = 'waiting', due_at = ?, first_at = ? WHERE id = ? AND state != 'sending'"
    return tx.sql(query, (tx.now(), tx.now(), delivery_id)).rowcount == 1


def flush(tx: Tx, states: tuple[str, ...] = ("waiting",)) -> int:
    """Make all deliveries in these states due now, whatever their back-off. Returns how many."""
    marks = ", ".join("?" for _ in states)
    query = f"UPDATE deliveries SET state = 'waiting', due_at = ?, first_at = ? WHERE state IN ({marks})"
    return tx.sql(query, (tx.now(), tx.now(), *states)).rowcount


def list_deliveries(tx: Tx, limit: int, state: str | None = None) -> list[Json]:
    """Deliveries, newest first."""
    names = (
        "id",
        "endpoint",
        "url",
        "event",
        "type",
        "account",
        "state",
        "chaos",
        "attempts",
        "due_at",
        "status",
        "error",
    )
    query = """SELECT d.id, d.endpoint, e.url, d.event, d.type, d.account, d.state, d.chaos, d.attempts, d.due_at,
               d.status, d.error FROM deliveries d LEFT JOIN endpoints e ON e.id = d.endpoint
               WHERE ? IS NULL OR d.state = ? ORDER BY d.id DESC LIMIT ?"""
    return [dict(zip(names, row, strict=True)) for row in tx.sql(query, (state, state, limit))]


def count_deliveries(tx: Tx) -> dict[str, int]:
    """How many there are by state."""
    return dict(tx.sql("SELECT state, COUNT(*) FROM deliveries GROUP BY state").fetchall())


class Dispatcher:
    """Threads that send what is due. `wake` after a change, `stop` at the end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wake, self._stop = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; what was being sent when the process died is sent again."""
        with self._store.transaction() as tx:
            tx.sql("UPDATE deliveries SET state = 'waiting' WHERE state = 'sending'")
        for number in range(SENDERS):
            thread = threading.Thread(target=self._run, name=f"sender-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    def stop(self) -> None:
        """End the threads after the try they are at."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(CONNECT_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._store.transaction() as tx:
                delivery = claim(tx)
            if delivery is None:
                self._wake.wait(0.2)
                self._wake.clear()
                continue
            status, error = _send(delivery)
            with self._store.transaction() as tx:
                settle(tx, delivery, status, error)


def _send(delivery: Delivery) -> tuple[int | None, str | None]:
    """Post, signed with the real time: receivers refuse old signatures."""
    signature: Any = stripe.WebhookSignature.generate_signature_header(delivery.payload, delivery.secret)
    headers = {
        "Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks) koz-sandbox",
    }  # fmt: skip
    parts = urlsplit(delivery.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S)
    try:
        connection.connect()
        connection.sock.settimeout(ANSWER_TIMEOUT_S)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target or "/", delivery.payload.encode(), headers)
        answer = connection.getresponse()
        text = answer.read(200).decode("utf-8", "replace")
        return answer.status, text if answer.status >= 300 else None
    except (OSError, http.client.HTTPException) as error:
        return None, type(error).__name__
    finally:
        connection.close()
