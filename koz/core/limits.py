"""Limits of attempts, by the `limits` library (moving window), shared through Redis between processes.

Policy when Redis is down: gifts and reading go on (fail open), logging in and second factors do not (fail closed).
"""

from typing import Literal

import structlog
from flask import Flask, current_app
from limits import parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from koz.core.errors import TooMany, Unavailable
from koz.core.i18n import _
from koz.core.ids import fingerprint

log = structlog.get_logger(__name__)


def init_limits(app: Flask, storage_url: str) -> None:
    """Give the app its counters: `memory://` or a Redis URL."""
    storage = storage_from_string(storage_url)
    assert isinstance(storage, Storage)
    app.extensions["koz_limits"] = MovingWindowRateLimiter(storage)


def limit(name: str, key: str, *rates: str, fail_closed: bool = False) -> None:
    """Count one attempt of `name` by `key` (kept hashed). Raises TooMany beyond any of `rates`, such as "10/5minutes".

    Raises Unavailable when the counters cannot be reached and `fail_closed` is set.
    """
    for rate in rates:
        _ask("hit", name, key, rate, fail_closed=fail_closed)


def check_limit(name: str, key: str, *rates: str, fail_closed: bool = False) -> None:
    """Like `limit`, without counting: for what counts only when it fails, with `limit` called then."""
    for rate in rates:
        _ask("test", name, key, rate, fail_closed=fail_closed)


def _ask(act: Literal["hit", "test"], name: str, key: str, rate: str, *, fail_closed: bool) -> None:
    limiter: MovingWindowRateLimiter = current_app.extensions["koz_limits"]
    item = parse(rate)
    try:
        allowed = getattr(limiter, act)(item, name, fingerprint(key)[:32])
    except (RedisError, StorageError, OSError):
        log.warning("limits.down", limit=name)
        if fail_closed:
            raise Unavailable(_("We cannot check this right now. Try again in a minute.")) from None
        return
    if not allowed:
        log.info("limits.reached", limit=name)
        raise TooMany(_("Too many attempts. Wait a few minutes and try again."), retry_after_s=item.get_expiry())


def reset_limits(app: Flask) -> None:
    """Forget all counts: for tests, which share one app."""
    limiter: MovingWindowRateLimiter = app.extensions["koz_limits"]
    limiter.storage.reset()
