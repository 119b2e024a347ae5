"""The demo's mail catcher: takes every mail over SMTP on loopback and shows it on a page of its own.

Nothing is ever sent on. Messages lie as `.eml` files in one folder, the latest `KEEP` only; the names sort by time.
The HTML part of a mail is shown in a sandboxed frame under a policy that runs nothing and loads nothing; its links
open in the whole window, so that one can follow what a mail asks for. `GET /messages.json?to=` serves scripts.
"""

import contextlib
import itertools
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from types import FrameType
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask, Response, abort, jsonify, render_template, request
from markupsafe import Markup, escape
from werkzeug.serving import make_server

from koz.core.clock import PARIS
from koz.core.templating import ROOT

SMTP_PORT: Final = 1025
PAGE_PORT: Final = 8025
KEEP: Final = 500
MAX_BYTES: Final = 10 * 1024 * 1024

_LINK: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_NAME: Final = re.compile(r"[0-9]{20}-[0-9]{6}")
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: Links of a mail may open the whole window when a person presses them; nothing else of it may act.
_SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    f"frame-ancestors 'self'; sandbox {_SANDBOX}"
)

WORDS: Final = {
    "fr": {
        "banner": "Démonstration\u00a0: attrape-courrier de Koz",
        "title": "Boîte aux lettres de la démonstration",
        "intro": "Les messages que Koz aurait envoyés, les plus récents d’abord. "
        "Rien n’est parti\u00a0: tout reste sur cette machine.",
        "empty": "Aucun message pour l’instant. Créez un compte ou faites un don, puis revenez ici.",
        "back": "Tous les messages",
        "to": "À",
        "from": "De",
        "at": "Reçu",
        "subject": "Objet",
        "filter": "Adresse du destinataire",
        "show": "Afficher",
        "text": "En texte seul",
        "html": "Tel que le destinataire le voit",
        "gone": "Ce message n’est plus là.",
        "all": "Tout afficher",
    },
    "en": {
        "banner": "Demonstration: Koz's mail catcher",
        "title": "Letter box of the demonstration",
        "intro": "The messages that Koz would have sent, latest first. Nothing went out: all stays on this machine.",
        "empty": "No message yet. Create an account or give, then come back.",
        "back": "All messages",
        "to": "To",
        "from": "From",
        "at": "Came",
        "subject": "Subject",
        "filter": "Address of the recipient",
        "show": "Show",
        "text": "As plain text",
        "html": "As the recipient sees it",
        "gone": "This message is no longer here.",
        "all": "Show all",
    },
}


@dataclass(frozen=True, slots=True)
class Caught:
    """A message that came, read."""

    id: str
    sender: str
    to: str
    subject: str
    received_at: str
    text: str
    html: str

    @property
    def when(self) -> str:
        """Day and time in Paris, short."""
        return datetime.fromisoformat(self.received_at).astimezone(PARIS).strftime("%d/%m/%Y, %H:%M")

    @property
    def links(self) -> list[str]:
        """Addresses in the text part."""
        return _LINK.findall(self.text)


class Box:
    """The folder of messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock, self._numbers = threading.Lock(), itertools.count()

    def put(self, raw: bytes) -> str:
        """Keep a message; the oldest beyond `KEEP` go. Returns its id."""
        with self._lock:
            name = f"{time.time_ns():020d}-{next(self._numbers) % 1_000_000:06d}"
            part = self.folder / f"{name}.part"
            part.write_bytes(raw)
            part.rename(self.folder / f"{name}.eml")
            for old in self._names()[KEEP:]:
                with contextlib.suppress(FileNotFoundError):
                    (self.folder / f"{old}.eml").unlink()
        return name

    def _names(self) -> Sequence[str]:
        return sorted((p.stem for p in self.folder.glob("*.eml")), reverse=True)

    def find(self, name: str) -> Caught | None:
        """The message of an id, read; None when it is not there."""
        if not _NAME.fullmatch(name):
            return None
        try:
            raw = (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        return read(name, raw)

    def list(self, to: str = "") -> Sequence[Caught]:
        """Messages, the latest first, or only those to an address."""
        found = [message for name in self._names() if (message := self.find(name)) is not None]
        return [m for m in found if not to or to.strip().lower() in m.to.lower()]


def read(name: str, raw: bytes) -> Caught:
    """What a message holds."""
    message = message_from_bytes(raw, policy=modern)
    assert isinstance(message, EmailMessage)
    parts: dict[str, str] = {}
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        parts[kind] = str(body.get_content()) if body is not None else ""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(name[:20]) / 1e9))
    return Caught(
        id=name,
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or "—"),
        received_at=at,
        text=parts["plain"],
        html=parts["html"],
    )


class Handler:
    """What aiosmtpd calls."""

    def __init__(self, box: Box) -> None:
        self.box = box

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message and say so."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.box.put(content)
        return "250 Kept, and never sent on"


def linked(text: str) -> Markup:
    """Text, escaped, with its addresses as links."""
    made, end = Markup(), 0
    for found in _LINK.finditer(text):
        made += escape(text[end : found.start()])
        made += Markup('<a href="{0}">{0}</a>').format(found[0])
        end = found.end()
    return made + escape(text[end:])


def make_page(box: Box) -> Flask:
    """The page of a box. It needs nothing of the service, which may be down."""
    page = Flask(__name__, static_folder=None, template_folder=str(ROOT / "templates"))

    def words() -> dict[str, object]:
        lang = request.accept_languages.best_match(["fr", "en"], "fr")
        return {"lang": lang, "w": WORDS[lang]}

    @page.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Accept-Language"
        return response

    @page.get("/")
    def show_list() -> str:
        to, shown = request.args.get("to", ""), words()
        heading = WORDS[str(shown["lang"])]["title"]
        return render_template("demo/mails.html", messages=box.list(to), to=to, heading=heading, **shown)

    @page.get("/messages/<name>")
    def show_one(name: str) -> str:
        message = box.find(name) or abort(404)
        text = linked(message.text)
        return render_template(
            "demo/mail.html", m=message, heading=message.subject, text=text, sandbox=_SANDBOX, **words()
        )

    @page.get("/messages/<name>/html")
    def show_html(name: str) -> Response:
        message = box.find(name) or abort(404)
        based = re.sub(r"(<head[^>]*>)", r'\1<base target="_top">', message.html, count=1)
        return Response(
            based, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _MAIL_POLICY}
        )

    @page.get("/style.css")
    def style() -> Response:
        text = (ROOT / "static/css/mailcatcher.css").read_text()
        return Response(text, content_type="text/css; charset=utf-8")

    @page.get("/messages.json")
    def as_json() -> Response:
        found = box.list(request.args.get("to", ""))
        return jsonify([
            {
                "id": m.id, "from": m.sender, "to": m.to, "subject": m.subject, "received_at": m.received_at,
                "text": m.text, "html": m.html, "links": m.links,
            }
            for m in found
        ])  # fmt: skip

    @page.errorhandler(404)
    def gone(_error: object) -> tuple[str, int]:
        shown = words()
        return render_template("demo/mail_gone.html", heading=WORDS[str(shown["lang"])]["gone"], **shown), 404

    return page


def run(folder: Path, smtp_port: int = SMTP_PORT, port: int = PAGE_PORT) -> None:
    """Catch mails and show them until SIGTERM or Ctrl-C. Raises OSError when a port is in use."""
    box = Box(folder)
    controller = Controller(Handler(box), hostname="127.0.0.1", port=smtp_port, data_size_limit=MAX_BYTES)
    listening = socket.create_server(("127.0.0.1", port))
    server = make_server("127.0.0.1", port, make_page(box), threaded=True, fd=listening.fileno())
    controller.start()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Mail catcher: http://127.0.0.1:{port} (SMTP on 127.0.0.1:{smtp_port})", flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        listening.close()
        controller.stop()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
