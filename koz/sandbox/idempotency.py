"""Idempotency keys as Stripe keeps them (docs.stripe.com/api/idempotent_requests).

The first executed result is stored with its status, 402 and 500 included, in the transaction of its effect, and is
replayed for 24 hours of the sandbox's clock. Refused parameters and conflicts are not stored. The same key with another
call or other parameters is an `idempotency_error`; while the first is still under way, 409. Scope: account and key.
v2 (docs.stripe.com/api-v2-overview): only success is kept, for 30 days; a failure is tried again.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from koz.sandbox.errors import ApiError, Json
from koz.sandbox.store import Tx

MAX_KEY: Final = 255
KEPT_S: Final = 24 * 3600
KEPT_V2_S: Final = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. `original` is the request that was executed when this is a replay."""

    status: int
    body: Json
    original: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A request with its key."""

    account: str
    key: str
    call: str
    request_id: str
    is_v2: bool = False


def fingerprint(verb: str, path: str, params: Json) -> str:
    """The same for the same call with the same parameters, whatever their order."""
    text = json.dumps([verb, path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class InFlight:
    """Keys whose first request is still under way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, account: str, key: str) -> Iterator[None]:
        """Hold a key for the time of a request. Raises ApiError 409 when it is held."""
        with self._lock:
            if (account, key) in self._keys:
                raise ApiError(
                    409,
                    "There is currently another in-progress request using this Stripe Idempotent Key (that probably "
                    f"means you submitted twice, and the other request is still going through): {key}. "
                    "Please try again later.",
                    code="idempotency_key_in_use",
                )
            self._keys.add((account, key))
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard((account, key))


def check_key(key: str) -> None:
    """Raises ApiError when a key is too long."""
    if len(key) > MAX_KEY:
        message = f"The idempotency key is longer than the limit of {MAX_KEY} characters; it has {len(key)}."
        raise ApiError(400, message, type_="idempotency_error")


def execute(tx: Tx, run: Callable[[], Json]) -> Answer:
    """Run within the transaction. A refusal undoes what was written, unless its result is to be kept (a decline)."""
    try:
        tx.sql("SAVEPOINT execution")
        body = run()
    except ApiError as error:
        if not error.kept:
            tx.sql("ROLLBACK TO execution")
        tx.sql("RELEASE execution")
        if not error.kept:
            raise
        return Answer(error.status, error.body())
    tx.sql("RELEASE execution")
    return Answer(200, body)


def execute_once(tx: Tx, keyed: Keyed, run: Callable[[], Json]) -> Answer:
    """Replay the kept answer of a key, or run and keep. Raises ApiError."""
    kept_s = KEPT_V2_S if keyed.is_v2 else KEPT_S
    query = "SELECT call, status, body, request_id FROM keys WHERE account = ? AND key = ? AND created > ?"
    row = tx.sql(query, (keyed.account, keyed.key, tx.now() - kept_s)).fetchone()
    if row is not None:
        if row[0] != keyed.call:
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{keyed.key}' if you meant to execute a different request.",
                type_="idempotency_error",
            )
        return Answer(row[1], json.loads(row[2]), original=row[3])
    answer = execute(tx, run)
    if not keyed.is_v2 or answer.status < 400:
        keep(tx, keyed, answer)
    return answer


def keep(tx: Tx, keyed: Keyed, answer: Answer) -> None:
    """Store an answer under its key."""
    row = (keyed.account, keyed.key, keyed.call, answer.status, json.dumps(answer.body), keyed.request_id, tx.now())
    tx.sql("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)", row)
