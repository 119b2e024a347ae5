"""`koz demo`: a whole Koz on this machine (database, queue, Stripe sandbox, mail catcher, worker, web server).

It stops all it started, also when it is interrupted while starting. Data stay in its home; the mark `seeded` says that
the demo's data are whole: a home without it was interrupted and begins anew.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Final

from koz import server as web_server
from koz.demo import postgres

READY_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 15
MARK: Final = "seeded"
LOG: Final = "koz.log"
MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations/versions"

Child = subprocess.Popen  # of bytes; the name keeps signatures short


class DemoError(Exception):
    """The demo could not start; the text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the demo listens, on loopback only."""

    web: int
    sandbox: int
    mail: int


def run_from(environ: Mapping[str, str], *, reset: bool = False) -> None:
    """Run the demo where the environment says: `KOZ_HOME`, `PORT`, `SANDBOX_PORT`, `MAIL_PORT`. Raises DemoError."""
    try:
        ports = Ports(
            web=int(environ.get("PORT", "8000")),
            sandbox=int(environ.get("SANDBOX_PORT", "4242")),
            mail=int(environ.get("MAIL_PORT", "8025")),
        )
    except ValueError:
        raise DemoError("PORT, SANDBOX_PORT and MAIL_PORT must be numbers, such as 8000.") from None
    run(Path(environ.get("KOZ_HOME", ".koz")), ports, reset=reset)


def run(home: Path, ports: Ports, *, reset: bool = False) -> None:
    """Start everything, say that it is ready, and wait for Ctrl-C or SIGTERM. Raises DemoError."""
    home = home.resolve()
    for setting, port in (("PORT", ports.web), ("SANDBOX_PORT", ports.sandbox), ("MAIL_PORT", ports.mail)):
        _check_free(setting, port)
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()) and not (home / LOG).exists():
        raise DemoError(f"{home} holds other things: set KOZ_HOME to a folder that is the demo's own.")
    with _alone(home):
        if reset or not (home / MARK).exists():
            postgres.forget(home)
            home.mkdir(parents=True, exist_ok=True)
        _run(home, ports)


def _run(home: Path, ports: Ports) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # also where a shell without job control had it ignored
        signal.signal(number, _interrupt)
    with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        log = stack.enter_context((home / LOG).open("ab"))
        demo = _Demo(home, ports, stack, log)
        demo.start()
        print(f"Koz is ready: {demo.base}", flush=True)
        while all(child.poll() is None for child in demo.children):
            time.sleep(0.5)
        raise DemoError(f"A part of Koz stopped by itself; {home / LOG} says why.")


def _check_free(setting: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DemoError(f"Port {port} is in use. Choose another: make demo {setting}={port + 10}.") from None


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the home for this demo: a second one in it would stop the first one's database. Raises DemoError."""
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(
                f"A demo runs in {home} already: stop it first, or set KOZ_HOME to another folder."
            ) from None
        yield


class _Demo:
    def __init__(self, home: Path, ports: Ports, stack: contextlib.ExitStack, log: IO[bytes]) -> None:
        self.home, self.ports, self.stack, self.log = home, ports, stack, log
        self.base = f"http://127.0.0.1:{ports.web}"
        self.children: list[Child[bytes]] = []
        self.environment = dict(os.environ)

    def start(self) -> None:
        """Bring everything up, in the order in which the parts need each other."""
        try:
            server = postgres.start(self.home)
        except postgres.PostgresError as error:
            raise DemoError(str(error)) from None
        self.stack.callback(server.stop)
        self.stack.callback(_stop, self.children)
        smtp = postgres.free_port()
        self.environment |= {
            "KOZ_ENV": "demo",
            "KOZ_HOME": str(self.home),
            "KOZ_DATABASE_URL": server.create_database("koz"),
            "KOZ_BASE_URL": self.base,
            "KOZ_MAIL_URL": f"smtp://127.0.0.1:{smtp}",
            "KOZ_FILES_URL": f"file://{self.home / 'files'}",
            "STRIPE_API_BASE": f"http://127.0.0.1:{self.ports.sandbox}",
        } | self._queue()
        self._spawn("koz.demo.mailcatcher", str(self.home / "mail"), str(smtp), str(self.ports.mail))
        hooks = [f"--webhook={kind}={self.base}/webhooks/stripe/{kind}" for kind in ("connect", "platform", "accounts")]
        self._spawn("koz.sandbox", f"--port={self.ports.sandbox}", f"--data={self.home / 'sandbox.db'}", *hooks)
        if not _is_migrated(server):
            self._once("The tables could not be made", "db", "upgrade")
        if not (self.home / MARK).exists():
            self._wait(f"http://127.0.0.1:{self.ports.sandbox}/_desk", "SANDBOX_PORT", self.ports.sandbox)
            print("Loading the demo's data, once: people, causes, gifts, voices …", flush=True)
            self._once("The demo's data could not be made", "seed", "demo")
            (self.home / MARK).touch()
        self._spawn("koz.worker")
        self._start(web_server.command(self.ports.web))
        self._wait(f"{self.base}/readyz", "PORT", self.ports.web)
        self._wait(f"http://127.0.0.1:{self.ports.sandbox}/_desk", "SANDBOX_PORT", self.ports.sandbox)
        self._wait(f"http://127.0.0.1:{self.ports.mail}/", "MAIL_PORT", self.ports.mail)

    def _queue(self) -> dict[str, str]:
        """A private redis-server where there is one; without, the worker asks the database every second."""
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            print("No redis-server on the PATH: the worker asks the database itself, every second.", flush=True)
            return {"KOZ_REDIS_URL": ""}
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="kozq-")))
        path = folder / "redis.sock"
        command = [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
        self._start(command)
        print(f"Queue: a private {Path(binary).name}.", flush=True)
        return {"KOZ_REDIS_URL": f"unix://{path}"}

    def _once(self, failure: str, *words: str) -> None:
        command = [sys.executable, "-m", "koz.cli", *words]
        done = subprocess.run(
            command, env=self.environment, stdout=self.log, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            self.log.write(done.stderr.encode())
            raise DemoError(f"{failure}; {self.home / LOG} says why.")

    def _spawn(self, module: str, *words: str) -> None:
        self._start([sys.executable, "-m", module, *words])

    def _start(self, command: list[str]) -> None:
        child: Child[bytes] = subprocess.Popen(
            command, env=self.environment, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self.children.append(child)

    def _wait(self, url: str, setting: str, port: int) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and all(child.poll() is None for child in self.children):
            with (
                contextlib.suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(url, timeout=2) as answer,  # noqa: S310 - loopback
            ):
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise DemoError(
            f"Nothing answers on port {port}. Is it in use? Choose another: make demo {setting}={port + 10}. "
            f"{self.home / LOG} says more."
        )


def _is_migrated(server: postgres.Server) -> bool:
    """Whether the tables are those of the newest migration: asking costs less than starting the migrations."""
    files = [path.read_text() for path in MIGRATIONS.glob("*.py")]
    made = {m[1] for text in files if (m := re.search(r'^revision = "(\w+)"', text, re.MULTILINE))}
    left = {m[1] for text in files if (m := re.search(r'^down_revision = "(\w+)"', text, re.MULTILINE))}
    return server.read("koz", "SELECT version_num FROM alembic_version") in made - left


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(children: "list[Child[bytes]]") -> None:
    """End all children, the last started first told, and all of their own children."""
    for child in reversed(children):
        child.terminate()
    for child in reversed(children):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(STOP_TIMEOUT_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
