"""The real stack on loopback: PostgreSQL, the stand-in for Stripe, web workers, background worker, a mail server."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psutil
import requests
from aiosmtpd.controller import Controller

from koz.demo import postgres

ROOT = Path(__file__).parents[2]


class Mailbox:
    """Takes every letter and counts them by recipient and subject."""

    def __init__(self) -> None:
        self.letters: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        text = envelope.content.decode(errors="replace")
        subject = next(line for line in text.splitlines() if line.startswith("Subject:"))
        with self._lock:
            self.letters[envelope.rcpt_tos[0], subject] += 1
        return "250 taken"


class Stack:
    """Everything that runs. `module` is the WSGI module, `command` what runs the worker."""

    def __init__(self, module: str = "app:app", command: tuple[str, ...] = ("-m", "koz.cli", "worker")) -> None:
        self.module, self.command = module, command
        self.home = Path(tempfile.mkdtemp(prefix="koz-chaos-"))
        self.web_port, self.sandbox_port, self.mail_port = (postgres.free_port() for _ in range(3))
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.mailbox = Mailbox()
        self.kills: Counter[str] = Counter()
        self._stack = contextlib.ExitStack()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_details: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._stack.callback(postgres.forget, self.home)
        server = postgres.start(self.home, durable=False)
        self._stack.callback(server.stop)
        mail = Controller(self.mailbox, hostname="127.0.0.1", port=self.mail_port)
        mail.start()
        self._stack.callback(mail.stop)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("KOZ_")} | {
            "KOZ_ENV": "demo", "KOZ_DATABASE_URL": server.create_database("koz"), "KOZ_BASE_URL": self.web_url,
            "KOZ_MAIL_URL": f"smtp://127.0.0.1:{self.mail_port}", "STRIPE_API_BASE": self.sandbox_url,
            "KOZ_TRUSTED_PROXIES": "1", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.log = self._stack.enter_context((self.home / "log").open("ab"))
        upgrade = [sys.executable, "-m", "koz.cli", "db", "upgrade"]
        subprocess.run(upgrade, env=self.environment, check=True, stdout=self.log, stderr=self.log)
        hooks = [
            f"--webhook={kind}={self.web_url}/webhooks/stripe/{kind}" for kind in ("connect", "platform", "accounts")
        ]
        self.sandbox = self._process(["-m", "koz.sandbox", f"--port={self.sandbox_port}", *hooks])
        self.web = self._process(self._gunicorn())
        self.worker = self._process(list(self.command))
        self._stack.callback(lambda: self._end(self.worker))
        self._wait(f"{self.sandbox_url}/_control/deliveries")
        self._wait(f"{self.web_url}/readyz")

    def _gunicorn(self) -> list[str]:
        options = ["--worker-class=gthread", "--workers=2", "--threads=4", "--preload", "--log-level=warning"]
        return ["-m", "gunicorn", *options, f"--bind=127.0.0.1:{self.web_port}", self.module]

    def _process(self, words: list[str]) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, *words], env=self.environment, cwd=ROOT, stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if words != list(self.command):
            self._stack.callback(self._end, process)
        return process

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _wait(self, url: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException):
                if requests.get(url, timeout=2).ok:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{url} did not get ready: {(self.home / 'log').read_text(errors='replace')[-3000:]}")

    def control(self, path: str, **body: Any) -> Any:
        """A control of the stand-in."""
        answer = requests.post(f"{self.sandbox_url}/_control/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def control_get(self, path: str) -> Any:
        """What the stand-in tells."""
        return requests.get(f"{self.sandbox_url}/_control/{path}", timeout=60).json()

    def state(self, account: str) -> Any:
        """All that the stand-in knows of an account."""
        return requests.get(f"{self.sandbox_url}/_control/state", params={"account": account}, timeout=60).json()

    def kill_along(self, dice: random.Random, progress: Callable[[], int], gifts: int) -> threading.Thread:
        """Kill -9 a web worker each 15 gifts and the background worker each 60, at random points, until `calm`."""
        due = [(dice.uniform(0, gifts), "web") for _ in range(gifts // 15)]
        due += [(dice.uniform(0, gifts), "worker") for _ in range(gifts // 60)]
        due.sort()

        def work() -> None:
            while due and not self._stopping.wait(0.02):
                if progress() >= due[0][0]:
                    _at, what = due.pop(0)
                    self._kill_web(dice) if what == "web" else self._kill_worker()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def calm(self, killer: threading.Thread) -> None:
        """No more kills, no more chaos: from now on the service may come to rest."""
        self._stopping.set()
        killer.join()
        self.control("faults", rate=0)
        self.control("webhooks")

    def _kill_web(self, dice: random.Random) -> None:
        """A web worker, not the master, which starts another."""
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            victim = dice.choice(sorted(psutil.Process(self.web.pid).children(), key=lambda p: p.pid))
            victim.send_signal(signal.SIGKILL)
            self.kills["web"] += 1

    def _kill_worker(self) -> None:
        """The background worker; what watches over services starts another."""
        self.worker.kill()
        self.worker.wait()
        self.worker = self._process(list(self.command))
        self.kills["worker"] += 1
