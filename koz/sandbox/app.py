"""The application and its server: API, hosted pages, control desk, in one process on loopback."""

import argparse
import contextlib
import logging
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from koz.sandbox import api, control, desk, pages, webhooks
from koz.sandbox.api import Door
from koz.sandbox.errors import ApiError
from koz.sandbox.faults import Cutting
from koz.sandbox.store import Store
from koz.sandbox.timers import Clock
from koz.sandbox.webhooks import Dispatcher

HOST: Final = "127.0.0.1"
LOCAL_HOST: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox is started. `webhooks`: (kind, address) pairs that all sign with `secret`."""

    port: int = 4242
    data: str = ":memory:"
    webhooks: tuple[tuple[str, str], ...] = ()
    secret: str = "whsec_koz_demo"


def create_app(store: Store, dispatcher: Dispatcher) -> Flask:
    """The WSGI application over a store."""
    app = Flask("koz.sandbox", static_url_path="/_static")
    app.extensions["koz_sandbox"] = Door(store, dispatcher)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for module in (api, control, desk, pages):
        app.register_blueprint(module.bp)
    app.before_request(_only_from_here)
    app.after_request(_safe_headers)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _only_from_here() -> None:
    """No other name than this machine's (DNS rebinding), and no forms from pages of another site."""
    if not LOCAL_HOST.fullmatch(request.host):
        abort(403)
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)


def _safe_headers(response: Any) -> Any:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _http_error(error: HTTPException) -> ResponseReturnValue:
    """Pages for people, Stripe's shape for machines."""
    if request.path.startswith(("/v1", "/v2", "/_control")):
        return ApiError(error.code or 500, error.description or error.name).body(), error.code or 500
    if error.code == 404:
        return pages.not_found()
    return error.description or error.name, error.code or 500, {"Content-Type": "text/plain; charset=utf-8"}


class _Handler(WSGIRequestHandler):
    """Keep connections open, send at once, log nothing but failures."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: thousands of calls a minute."""


class Sandbox:
    """A sandbox that runs: store, server, sender threads, clock."""

    def __init__(self, options: Options) -> None:
        self.store = Store(options.data)
        self._configure(options)
        self.dispatcher = Dispatcher(self.store)
        self.clock = Clock(self.store, self.dispatcher.wake)
        app = Cutting(create_app(self.store, self.dispatcher))
        self.server: BaseWSGIServer = make_server(HOST, options.port, app, threaded=True, request_handler=_Handler)
        self.server.daemon_threads = True  # type: ignore[attr-defined]

    def _configure(self, options: Options) -> None:
        """Endpoints of the command line: those of an earlier start that are no longer named stay silent."""
        with self.store.transaction() as tx:
            tx.sql("UPDATE endpoints SET active = 0 WHERE id LIKE 'we_command_%'")
            for number, (kind, url) in enumerate(options.webhooks):
                webhooks.check_url(url)
                webhooks.set_endpoint(tx, f"we_command_{kind}_{number}", kind, url, options.secret, ["*"])

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://{HOST}:{self.server.port}"

    def run(self) -> None:
        """Serve until `server.shutdown` is called from another thread, or an interrupt."""
        self.dispatcher.start()
        self.clock.start()
        try:
            self.server.serve_forever(poll_interval=0.1)
        finally:
            self.clock.stop()
            self.dispatcher.stop()
            self.server.server_close()
            self.store.close()


def parse(arguments: Sequence[str]) -> Options:
    """Options from the command line; ends the process with a sentence when they cannot be used."""
    parser = argparse.ArgumentParser("koz sandbox", description="A local stand-in for Stripe: no money, not Stripe.")
    parser.add_argument("--port", type=int, default=4242, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", default=":memory:", help="SQLite file that keeps the state (default: in memory)")
    parser.add_argument(
        "--webhook", action="append", default=[], metavar="KIND=URL",
        help=f"send events to a URL on this machine; KIND is one of {', '.join(webhooks.KINDS)}; may be repeated",
    )  # fmt: skip
    parser.add_argument("--secret", default="whsec_koz_demo", help="secret that signs what --webhook sends")
    found = parser.parse_args(arguments)
    pairs = []
    for text in found.webhook:
        kind, _, url = text.partition("=")
        try:
            webhooks.check_url(url)
        except ApiError as error:
            parser.error(f"--webhook {text}: {error}")
        if kind not in webhooks.KINDS:
            parser.error(f"--webhook {text}: write KIND=URL, KIND one of {', '.join(webhooks.KINDS)}")
        pairs.append((kind, url))
    return Options(port=found.port, data=found.data, webhooks=tuple(pairs), secret=found.secret)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM; say on standard output when it is ready."""
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    sandbox = Sandbox(parse(sys.argv[1:] if arguments is None else arguments))

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    sys.stdout.write(f"Koz sandbox (no money, not Stripe) is ready: {sandbox.url}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        sandbox.run()
