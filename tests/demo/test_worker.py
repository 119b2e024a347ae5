"""The worker as a process: it serves the queue, goes on without it, and stops when it is told to."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from redis import Redis, RedisError
from sqlalchemy import create_engine, text


@pytest.fixture
def queue(tmp_path) -> Iterator[tuple[subprocess.Popen, Path]]:
    """A private redis-server on a socket."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        pytest.skip("needs redis-server or valkey-server on the PATH: install the package redis-server")
    path = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [binary, "--port", "0", "--unixsocket", str(path), "--save", ""], stdout=subprocess.DEVNULL
    )
    until(lambda: answers(path), "redis-server answers")
    yield process, path
    process.kill()
    process.wait()


def answers(path: Path) -> bool:
    try:
        return bool(Redis(unix_socket_path=str(path)).ping())
    except RedisError:
        return False


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    tick = Event()
    for _ in range(int(seconds * 10)):
        if true():
            return
        tick.wait(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


@pytest.mark.timeout(240)
def test_a_worker_outlives_its_queue_and_stops_when_told(queue, fresh_database, tmp_path):
    redis, path = queue
    url = fresh_database()
    log = (tmp_path / "worker.log").open("w+b")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KOZ_")} | {
        "KOZ_ENV": "demo", "KOZ_DATABASE_URL": url, "KOZ_REDIS_URL": f"unix://{path}", "KOZ_MAIL_URL": "smtp://127.0.0.1:9",
    }  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-m", "koz.worker"], env=environment, stdout=log, stderr=log)
    engine = create_engine(url)
    try:
        until(lambda: bool(Redis(unix_socket_path=str(path)).smembers("rq:workers")), "the worker serves the queue")
        redis.kill()
        redis.wait()
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO outbox_messages (event, payload, created_at) VALUES ('EmailProofRequested', '{\"person_id\": 0}', now())"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO outbox_deliveries (message_id, subscriber, attempts, next_attempt_at) "
                    "SELECT id, 'workflows.accounts.mail_proof', 0, now() FROM outbox_messages"
                )
            )

        def tried() -> bool:
            with engine.connect() as connection:
                return bool(connection.scalar(text("SELECT attempts FROM outbox_deliveries")))

        until(tried, "the event is taken up without a queue")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0, (tmp_path / "worker.log").read_text()[-2000:]
    finally:
        engine.dispose()
        worker.kill()
        worker.wait()
        log.close()
