"""Starts the Stripe sandbox as a process of its own on a free port, for any test that needs one.

`with running_sandbox() as sandbox:` gives a `SandboxServer`: `url`, `client()` (the real SDK), `control(path, body)`,
`ready_account()`, `pay(session_id, card)`, `state(account)`, `deliveries()`. A class `Receiver` stands for the product's
webhook endpoints.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import stripe

ROOT = Path(__file__).parents[1]
SECRET = "whsec_test_secret"
KEY = "sk_test_koz"
GOOD_CARD = "4242424242424242"


class SandboxServer:
    """A running sandbox."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url
        self._http = requests.Session()
        self._http.trust_env = False

    def client(self, key: str = KEY, retries: int = 0) -> stripe.StripeClient:
        """The real SDK against this sandbox."""
        stripe.enable_telemetry = False
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url, "connect": self.url, "files": self.url},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=(5, 30), session=self._http),
        )

    def raw(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """A request without the SDK; redirections are not followed."""
        return self._http.request(method, self.url + path, allow_redirects=False, timeout=30, **kwargs)

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """`POST /_control/<path>`; fails on an error."""
        answer = self.raw("POST", f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ready_account(self, name: str = "Association d'essai") -> str:
        """Id of a connected account that can take cards."""
        return str(self.control("accounts", {"display_name": name})["id"])

    def pay(self, session_id: str, card: str = GOOD_CARD, *, approve: bool = True) -> dict[str, Any]:
        """What a donor does on the hosted page. Returns the session and the PaymentIntent."""
        return self.control("checkout/pay", {"session": session_id, "card": card, "approve": approve})

    def state(self, account: str = "") -> dict[str, Any]:
        """Everything of an account."""
        return self.raw("GET", "/_control/state", params={"account": account}).json()

    def deliveries(self) -> list[dict[str, Any]]:
        """Deliveries, newest first."""
        return self.raw("GET", "/_control/deliveries").json()["deliveries"]

    def advance(self, seconds: float) -> None:
        """Move the clock on, once what is being sent has its outcome written down: that decides when it is due again."""
        tick = threading.Event()
        for _ in range(400):
            if all(delivery["state"] != "sending" for delivery in self.deliveries()):
                break
            tick.wait(0.05)
        self.control("clock", {"advance_s": seconds})

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._http.close()
        self.process.terminate()
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


def start_sandbox(*options: str) -> SandboxServer:
    """Start one; the caller stops it. `options` as on the command line, such as `--webhook connect=http://…`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "koz.sandbox", "--port", "0", "--secret", SECRET, *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "is ready: http" in line, line or f"the sandbox ended with {process.wait(5)}"
    return SandboxServer(process, line.rsplit(" ", 1)[1].strip())


@contextlib.contextmanager
def running_sandbox(*options: str) -> Iterator[SandboxServer]:
    """A sandbox for the time of a block."""
    server = start_sandbox(*options)
    try:
        yield server
    finally:
        server.stop()


class Receiver:
    """Webhook endpoints that keep what they get and check the signature. `answers(path, number)` is the status."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.bad_signatures = 0
        self.answer: Callable[[str, int], int] = lambda _path, _number: 200
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def options(self) -> list[str]:
        """Command line options that send all kinds of events here."""
        return [
            word for kind in ("connect", "platform", "accounts") for word in ("--webhook", f"{kind}={self.url}/{kind}")
        ]

    def wait_for(self, enough: Callable[[list[tuple[str, dict[str, Any]]]], bool], seconds: float = 20) -> None:
        """Wait until what came satisfies a condition; fails when it does not in time."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self.events), seconds), [
                event["type"] for _p, event in self.events
            ]

    def types(self, path: str | None = None) -> list[str]:
        """Types of the events that came, of one path or all."""
        return [event["type"] for place, event in self.events if path in (None, place)]

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = raw.decode()
                try:
                    stripe.WebhookSignature.verify_header(body, self.headers["Stripe-Signature"], SECRET, tolerance=300)
                except stripe.SignatureVerificationError:
                    receiver.bad_signatures += 1
                with receiver._news:
                    receiver.events.append((self.path, json.loads(body)))
                    receiver.bodies.append(raw)
                    receiver.signatures.append(self.headers["Stripe-Signature"])
                    status = receiver.answer(self.path, len(receiver.events))
                    receiver._news.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler
