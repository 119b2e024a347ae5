"""Background jobs on RQ. The database says what is to be done; the queue only wakes.

A job lost with the queue is found again by the sweeps of `koz/schedule.py`, so enqueueing may fail: it is logged,
never raised. Arguments are ids and strings; the serializer is JSON, because RQ's default, pickle, would let whoever
writes to Redis run code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from flask import Flask, current_app
from redis import Redis, RedisError
from rq import Queue, Retry
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from koz.core import outbox
from koz.core.db import AfterCommit, on_after_commit, wake_after_commit

log = structlog.get_logger(__name__)

QUEUES: Final = ("payments", "default", "mail")
JobFunction = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Job:
    """A registered job: call it to run it now, in this process; `enqueue` asks a worker to."""

    name: str
    function: JobFunction
    queue: str
    timeout_s: int
    retries: Sequence[int]

    def __call__(self, *args: Any) -> object:
        return self.function(*args)

    def enqueue(self, *args: Any) -> None:
        """Wake a worker. Never fails: what is not woken is swept."""
        enqueue(self.name, args)


_jobs: dict[str, Job] = {}


def job(
    name: str, *, queue: str = "default", timeout_s: int = 60, retries: Sequence[int] = ()
) -> Callable[[JobFunction], Job]:
    """Register a function as job `name`. `retries` are the waits in seconds before each new try."""
    assert queue in QUEUES, queue

    def register(function: JobFunction) -> Job:
        _jobs[name] = Job(name, function, queue, timeout_s, tuple(retries))
        return _jobs[name]

    return register


def get_job(name: str) -> Job:
    """The job registered under a name. KeyError is a bug."""
    return _jobs[name]


def registered_jobs() -> frozenset[str]:
    """Names of all jobs."""
    return frozenset(_jobs)


def run_job(name: str, *args: Any) -> None:
    """Entry point of the worker: runs job `name` in an app context of its own, and so with a session of its own."""
    with current_app.app_context(), structlog.contextvars.bound_contextvars(job=name):
        get_job(name)(*args)


def enqueue(name: str, args: Sequence[Any] = ()) -> None:
    """Put a wake-up on the queue; a queue that is down is logged only."""
    connection = redis_connection()
    if connection is None:
        return
    found = get_job(name)
    try:
        retry = Retry(max=len(found.retries), interval=list(found.retries)) if found.retries else None
        Queue(found.queue, connection=connection, serializer=JSONSerializer).enqueue(
            "koz.core.jobs.run_job", name, *args, job_timeout=found.timeout_s, retry=retry, result_ttl=0
        )
    except (RedisError, OSError):
        log.warning("jobs.queue_down", job=name)


def after_commit(session: Session, name: str, *args: Any) -> None:
    """Enqueue job `name` once the session's unit of work has committed."""
    wake_after_commit(session, name, args)


def redis_connection() -> "Redis | None":
    """The app's Redis client, or None when it runs without a queue (tests)."""
    connection: Redis | None = current_app.extensions.get("koz_redis")
    return connection


def init_jobs(app: Flask, connection: "Redis | None") -> None:
    """Give the app its queue; from now on units of work send their wake-ups there."""
    app.extensions["koz_redis"] = connection
    on_after_commit(_send)


def _send(wakes: list[AfterCommit]) -> None:
    for name, args in wakes:
        enqueue(name, args)


@job(outbox.RELAY_JOB, timeout_s=120)
def relay_outbox() -> int:
    """Deliver the events that are due."""
    return outbox.relay()
