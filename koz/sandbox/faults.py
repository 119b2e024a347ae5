"""Faults on purpose, seeded: the fate of the n-th API call since the seed was set depends on the seed and n alone.

`429`: refused before anything happens. `500`: an error before anything happens, not kept under the key. `500_kept`: an
execution that failed; nothing happened, and the 500 is kept and replayed, as Stripe does. `timeout`: everything
happens, the answer is withheld for `hold_s` seconds and then the connection is cut: the outcome is unknown to the
caller. `reset`: the connection is cut before anything happens.
"""

import random
import socket
import struct
import time
from typing import Any, Final

from koz.sandbox.errors import ApiError, Json
from koz.sandbox.store import Tx

KINDS: Final = ("429", "500", "500_kept", "timeout", "reset")
NONE: Final[Json] = {"rate": 0.0, "kinds": [], "seed": 0, "hold_s": 1.0}
#: Key of the WSGI environment that asks the server to cut the connection.
CUT: Final = "koz.cut"


def draw(tx: Tx) -> str | None:
    """The fault of this call, or None."""
    settings = NONE | tx.setting("faults", {})
    if not settings["rate"] or not settings["kinds"]:
        return None
    dice = random.Random(f"{settings['seed']}:{tx.count_up('faults_n')}")
    return dice.choice(settings["kinds"]) if dice.random() < settings["rate"] else None


def error(kind: str) -> ApiError:
    """The answer of a fault that has one."""
    if kind == "429":
        words = ("Request rate limit exceeded. You can learn more about rate limits here "
                 "https://stripe.com/docs/rate-limits.")  # fmt: skip
        return ApiError(429, words, code="rate_limit")
    return ApiError(500, "An unknown error occurred", type_="api_error", kept=kind == "500_kept")


class Cutting:
    """WSGI middleware that cuts the connection when the application asked for it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Json, start_response: Any) -> Any:
        """Pass on; or cut, without a byte of an answer."""
        answer = self.app(environ, start_response)
        wanted = environ.get(CUT)
        if wanted is None:
            return answer
        kind, hold_s = wanted
        time.sleep(hold_s)
        connection = environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            if kind == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError(kind)
