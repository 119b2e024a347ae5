"""The sandbox's memory: SQLite, one connection, one transaction at a time.

`(account, object, id) -> document`. An account is `''` for the platform. Keys that begin with `_` belong to the sandbox
and are never shown. Everything that one request or one timer changes is written in one transaction: the objects, the
events, their deliveries, the timers and the answer kept under the idempotency key.
"""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from koz.sandbox.errors import Json, invalid, missing

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (account, object, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (account, object, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (account, object, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS objects_by_source ON objects (account, object, json_extract(body, '$.source'));
CREATE INDEX IF NOT EXISTS objects_by_fee ON objects (account, object, json_extract(body, '$.fee'));
CREATE TABLE IF NOT EXISTS keys (
  account TEXT NOT NULL, key TEXT NOT NULL, call TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
  request_id TEXT NOT NULL, created REAL NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS endpoints (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL, types TEXT NOT NULL,
  active INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL,
  account TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL, chaos TEXT NOT NULL, attempts INTEGER NOT NULL,
  first_at REAL NOT NULL, due_at REAL NOT NULL, status INTEGER, error TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS timers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, what TEXT NOT NULL, object TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timers_due ON timers (due_at);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
MIN_LIMIT, MAX_LIMIT, LIMIT = 1, 100, 10

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS: Final = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))


def new_id(prefix: str, length: int = 24) -> str:
    """An identifier like Stripe's."""
    return prefix + secrets.token_bytes(length).translate(_LETTERS).decode()


class Store:
    """The database. `path` is a file, or `:memory:`."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)
        self._depth = 0
        self._tx = Tx(self._connection)

    @contextmanager
    def transaction(self) -> Iterator["Tx"]:
        """One transaction; other threads wait. An exception undoes all of it. May be nested: the outer one decides."""
        with self._lock:
            outer = self._depth == 0
            if outer:
                self._connection.execute("BEGIN IMMEDIATE")
                self._tx = Tx(self._connection)
            self._depth += 1
            try:
                yield self._tx
            except BaseException:
                if outer:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outer:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def close(self) -> None:
        """Write out and close."""
        with self._lock:
            self._connection.close()


class Tx:
    """What can be read and written within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sql = connection.execute
        #: What caused the changes, as events tell it; the front door fills it.
        self.request: Json = {"id": None, "idempotency_key": None}

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what was written within when it ends in an exception."""
        self.sql("SAVEPOINT inner")
        try:
            yield
        except BaseException:
            self.sql("ROLLBACK TO inner")
            raise
        finally:
            self.sql("RELEASE inner")

    # --- settings and the clock

    def setting(self, name: str, default: Any = None) -> Any:
        """A stored value."""
        row = self.sql("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_setting(self, name: str, value: Any) -> None:
        """Store a value."""
        self.sql("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def count_up(self, name: str) -> int:
        """The next number of a counter, from 0."""
        number = int(self.setting(name, 0))
        self.set_setting(name, number + 1)
        return number

    def now(self) -> float:
        """The sandbox's clock: the real one, plus what was advanced; or a frozen one."""
        clock = self.setting("clock", {"offset": 0.0, "frozen": None})
        frozen = clock["frozen"]
        return float(frozen) if frozen is not None else time.time() + float(clock["offset"])

    # --- objects

    def insert(self, account: str, body: Json) -> Json:
        """Keep a new object."""
        created = body.get("created", 0)
        row = (account, body["object"], body["id"], created if isinstance(created, int) else 0, json.dumps(body))
        self.sql("INSERT INTO objects (account, object, id, created, body) VALUES (?, ?, ?, ?, ?)", row)
        return body

    def save(self, body: Json) -> None:
        """Write back a changed object."""
        self.sql("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def find(self, account: str, object_name: str, id_: str) -> Json | None:
        """An object of an account, or None."""
        query = "SELECT body FROM objects WHERE id = ? AND object = ? AND account = ?"
        row = self.sql(query, (id_, object_name, account)).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, account: str, object_name: str, id_: str, param: str = "id") -> Json:
        """An object of an account. Raises Stripe's 404, also when it lies in another account."""
        found = self.find(account, object_name, id_)
        if found is None:
            raise missing(object_name.rsplit(".", maxsplit=1)[-1], id_, param)
        return found

    def locate(self, object_name: str, id_: str) -> tuple[str, Json] | None:
        """Account and object of an id, whatever the account: for the hosted pages and the timers."""
        row = self.sql("SELECT account, body FROM objects WHERE id = ? AND object = ?", (id_, object_name)).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def any_object(self, account: str, id_: str) -> Json | None:
        """An object of an account by its id alone: for `expand`."""
        row = self.sql("SELECT body FROM objects WHERE id = ? AND account = ?", (id_, account)).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, account: str, object_name: str, **equal: Any) -> list[Json]:
        """Objects of an account, oldest first, whose fields are equal to what is given."""
        where, values = _where(equal)
        query = f"SELECT body FROM objects WHERE account = ? AND object = ?{where} ORDER BY seq"
        return [json.loads(row[0]) for row in self.sql(query, (account, object_name, *values))]

    def page(self, account: str, object_name: str, params: Json, **equal: Any) -> tuple[list[Json], bool]:
        """One page of a list, newest first, and whether there is more. Raises ApiError on bad limits and cursors."""
        limit = params.get("limit", LIMIT)
        if not MIN_LIMIT <= limit <= MAX_LIMIT:
            word, edge = ("less", MAX_LIMIT) if limit > MAX_LIMIT else ("greater", MIN_LIMIT)
            raise invalid(f"This value must be {word} than or equal to {edge}.", "limit", "parameter_invalid_integer")
        if "starting_after" in params and "ending_before" in params:
            raise invalid("You cannot parameterize both starting_after and ending_before", "ending_before")
        where, values = _where(equal)
        where += _created(params.get("created"), values)
        backwards = "ending_before" in params
        for name, sign in (("starting_after", "<"), ("ending_before", ">")):
            if name in params:
                self.get(account, object_name, params[name], name)
                where += f" AND seq {sign} (SELECT seq FROM objects WHERE id = ?)"
                values.append(params[name])
        order = "ASC" if backwards else "DESC"
        query = f"SELECT body FROM objects WHERE account = ? AND object = ?{where} ORDER BY seq {order} LIMIT ?"
        rows = self.sql(query, (account, object_name, *values, limit + 1)).fetchall()
        found = [json.loads(row[0]) for row in rows[:limit]]
        return (found[::-1] if backwards else found), len(rows) > limit

    # --- timers

    def set_timer(self, due_at: float, what: str, object_id: str) -> None:
        """Have `what` happen to an object at a time of the sandbox's clock."""
        self.sql("INSERT INTO timers (due_at, what, object) VALUES (?, ?, ?)", (due_at, what, object_id))

    def take_timer(self) -> tuple[str, str] | None:
        """The next timer that is due, taken off: what and object."""
        query = "SELECT id, what, object FROM timers WHERE due_at <= ? ORDER BY due_at, id LIMIT 1"
        row = self.sql(query, (self.now(),)).fetchone()
        if row is None:
            return None
        self.sql("DELETE FROM timers WHERE id = ?", (row[0],))
        return row[1], row[2]


def _where(equal: Json) -> tuple[str, list[Any]]:
    """SQL for `field = value`, for the fields that are given."""
    given = {name: value for name, value in equal.items() if value is not None}
    return "".join(f" AND json_extract(body, '$.{name}') = ?" for name in given), list(given.values())


def _created(given: Any, values: list[Any]) -> str:
    """SQL for Stripe's `created` filter: a number, or {gt, gte, lt, lte}."""
    if given is None:
        return ""
    signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    bounds = given if isinstance(given, dict) else {"gte": given, "lte": given}
    values += bounds.values()
    return "".join(f" AND created {signs[name]} ?" for name in bounds)
