"""The background worker: jobs that the queue wakes, and the periodic ones of `koz/schedule.py`.

The database says what is to be done. The queue only makes it soon: without one, or while it is down, the frequent
periodic jobs (which look into the database for what is due) run every second instead. Many workers may run at once.
"""

import signal
import threading
import time
from types import FrameType
from typing import Final

import structlog
from flask import Flask
from redis import Redis, RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from koz.core import jobs
from koz.factory import create_app
from koz.schedule import PERIODIC

log = structlog.get_logger(__name__)
#: Periodic jobs at least this frequent (seconds) are those a queue would wake.
QUICK_S: Final = 30
#: How long the queue's worker may be silent before another takes over its jobs, seconds.
WORKER_TTL_S: Final = 60
RETRY_S: Final = 2


class Stopped(Exception):
    """SIGTERM or Ctrl-C while waiting."""


class Worker(SimpleWorker):
    """RQ's worker that remembers that it was asked to stop, also when the queue is lost at the same moment."""

    stop_asked = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """The handler of SIGTERM and Ctrl-C while the queue is served."""
        Worker.stop_asked = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call] # RQ leaves it untyped


def run(app: Flask) -> None:
    """Work until SIGTERM or Ctrl-C; the job under way is finished first."""
    stop, queue_lost = threading.Event(), threading.Event()
    queue: Redis | None = app.extensions["koz_redis"]
    if queue is None:
        queue_lost.set()
    periodic = threading.Thread(target=_run_periodic, args=(app, stop, queue_lost), name="periodic")
    periodic.start()
    try:
        while queue is not None and _work(app, queue):
            queue_lost.set()
            log.warning("worker.queue_down")
            _wait(RETRY_S)
            queue_lost.clear()
        if queue is None:
            _wait(None)
    except Stopped:
        pass
    finally:
        stop.set()
        periodic.join()


def _work(app: Flask, queue: "Redis") -> bool:
    """Serve the queue. True when it was lost, False when the worker was asked to stop.

    Jobs find the app by its context: there is none yet when this module itself is the program.
    """
    try:
        queues = [Queue(name, connection=queue, serializer=JSONSerializer) for name in jobs.QUEUES]
        worker = Worker(queues, connection=queue, serializer=JSONSerializer, worker_ttl=WORKER_TTL_S)
        with app.app_context():
            worker.work(logging_level="WARNING")
    except (RedisError, OSError, StopRequested):
        return not Worker.stop_asked
    return False


def _wait(seconds: float | None) -> None:
    """Wait, or raise Stopped on SIGTERM and Ctrl-C."""
    woken = threading.Event()

    def wake(_signal: int, _frame: FrameType | None) -> None:
        woken.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, wake)
    if woken.wait(seconds):
        raise Stopped


def _run_periodic(app: Flask, stop: threading.Event, queue_lost: threading.Event) -> None:
    """Run what is due; one failing job must not stop the others: it is logged and comes again."""
    due = dict.fromkeys((name for name, _every in PERIODIC), 0.0)
    while not stop.is_set():
        for name, every_s in PERIODIC:
            if due[name] > time.monotonic() or stop.is_set():
                continue
            due[name] = time.monotonic() + (1 if queue_lost.is_set() and every_s <= QUICK_S else every_s)
            try:
                with app.app_context():
                    jobs.run_job(name)
            except Exception:
                log.exception("periodic.failed", job=name)
        stop.wait(0.5)


if __name__ == "__main__":
    run(create_app())
