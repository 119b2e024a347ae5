"""`koz demo`: database, queue, worker and web server of a whole Koz on this machine; stops all it started."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Final

from koz.demo import postgres

READY_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 15


class DemoError(Exception):
    """The demo could not start; the text is one sentence."""


def run(home: Path, port: int, *, reset: bool = False) -> None:
    """Start everything, say that it is ready, and wait for Ctrl-C or SIGTERM. Raises DemoError."""
    if reset:
        postgres.forget(home)
    home.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    with contextlib.ExitStack() as stack:
        try:
            server = postgres.start(home)
        except postgres.PostgresError as error:
            raise DemoError(str(error)) from None
        stack.callback(server.stop)
        environment = dict(os.environ) | {
            "KOZ_ENV": "demo",
            "KOZ_DATABASE_URL": server.create_database("koz"),
            "KOZ_BASE_URL": f"http://127.0.0.1:{port}",
        }
        environment |= _queue(stack)
        log = stack.enter_context((home / "koz.log").open("ab"))
        upgrade = [sys.executable, "-m", "koz.cli", "db", "upgrade"]
        if subprocess.run(upgrade, env=environment, stdout=log, stderr=log, check=False).returncode:
            raise DemoError(f"The tables could not be made; {home / 'koz.log'} says why.")
        children = [
            _start(stack, [sys.executable, "-m", "koz.cli", *words], environment, log)
            for words in (["worker"], ["serve", f"--port={port}"])
        ]
        _wait_ready(f"http://127.0.0.1:{port}/readyz", children)
        print(f"Koz is ready: http://127.0.0.1:{port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while all(child.poll() is None for child in children):
                time.sleep(0.5)
            raise DemoError(f"A part of Koz stopped by itself; {home / 'koz.log'} says why.")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _queue(stack: contextlib.ExitStack) -> dict[str, str]:
    """A private redis-server where there is one; without, the worker asks the database every second."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        print("No redis-server on the PATH: the worker asks the database itself, every second.", flush=True)
        return {"KOZ_REDIS_URL": ""}
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kozq-")))
    path = folder / "redis.sock"
    command = [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    stack.callback(_stop, process)
    print(f"Queue: a private {Path(binary).name}.", flush=True)
    return {"KOZ_REDIS_URL": f"unix://{path}"}


def _start(
    stack: contextlib.ExitStack, command: list[str], environment: dict[str, str], log: object
) -> "subprocess.Popen[bytes]":
    process: subprocess.Popen[bytes] = subprocess.Popen(
        command,
        env=environment,
        stdout=log,  # type: ignore[call-overload]
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    stack.callback(_stop, process)
    return process


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a child and all of its own children."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_ready(url: str, children: "list[subprocess.Popen[bytes]]") -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline and all(child.poll() is None for child in children):
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise DemoError("Koz did not get ready. Is the port in use? Choose another: make demo PORT=8010.")
