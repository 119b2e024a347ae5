"""What happens by itself as the sandbox's clock goes on: sessions expire, refunds are decided.

New kinds (a SEPA debit arrives, a subscription renews, a payout lands) are one line in `HANDLERS`.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from koz.sandbox.objects import checkout, payments, refunds
from koz.sandbox.store import Store, Tx

log = logging.getLogger(__name__)
EVERY_S: Final = 0.25


def _expire(tx: Tx, id_: str) -> None:
    found = tx.locate(checkout.OBJECT, id_)
    if found is not None and found[1]["status"] == "open":
        checkout.close(tx, found[0], found[1])


HANDLERS: Final[Mapping[str, Callable[[Tx, str], None]]] = {
    "session_expire": _expire,
    "charge_book": payments.book_late,
    "refund_succeed": lambda tx, id_: refunds.decide(tx, id_, succeeds=True),
    "refund_fail": lambda tx, id_: refunds.decide(tx, id_, succeeds=False),
}


def run_due(store: Store) -> int:
    """Let everything happen that is due, each in its own transaction. Returns how many."""
    done = 0
    while True:
        with store.transaction() as tx:
            timer = tx.take_timer()
            if timer is None:
                return done
            HANDLERS[timer[0]](tx, timer[1])
        done += 1


class Clock:
    """A thread that looks at the timers; `on_change` is called when something has happened."""

    def __init__(self, store: Store, on_change: Callable[[], None]) -> None:
        self._store, self._on_change = store, on_change
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(2)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                if run_due(self._store):
                    self._on_change()
            except Exception:
                log.exception("a timer failed")
