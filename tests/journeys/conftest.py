"""A whole Koz as `make demo` runs it, and a real Chromium. Every journey goes through the real pages only.

`see(page, name)` is how a journey looks at a page, as it stands there, errors and all: no axe violation, no sideways
scrolling at 320, 375 and 1280 px, pictures at 375 and 1280 px, and its HTML kept; when the test ends the Nu checker
judges what it kept, and the test fails with all that was found. Every window of a `visitor` notes requests that go anywhere but to the page's own host.

`KOZ_JOURNEYS_STACK="http://web http://mail http://sandbox HOME"` uses a demo that is running already;
`KOZ_SCREENSHOTS=DIR` says where the pictures go.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request

from koz.demo.postgres import forget, free_port

PASSWORD = "koz-demo-2026"
ROOT = Path(__file__).parents[2]
JAR = ROOT / ".venv/judges/vnu.jar"
SHOTS = Path(os.environ.get("KOZ_SCREENSHOTS", Path(__file__).parent / "screenshots"))
MAIL_WAIT_S = 180


@dataclass
class Stack:
    """A running demo: its addresses and the folder of its data."""

    base: str
    mail: str
    sandbox: str
    home: str

    def letters(self, to: str) -> list[dict[str, Any]]:
        """Mails to an address, latest first: `{id, from, to, subject, received_at, text, html, links}`."""
        found: list[dict[str, Any]] = requests.get(f"{self.mail}/messages.json", params={"to": to}, timeout=10).json()
        return found

    def link(self, to: str, part: str, about: str = "") -> str:
        """The latest link to an address that holds `part`, in a mail that speaks of `about`; waits for the mail."""
        deadline = time.monotonic() + MAIL_WAIT_S
        while time.monotonic() < deadline:
            for letter in self.letters(to):
                links: list[str] = [link for link in letter["links"] if part in link]
                if links and about in letter["subject"] + letter["text"]:
                    return links[0]
            time.sleep(0.7)
        subjects = [letter["subject"] for letter in self.letters(to)]
        pytest.fail(f"no mail to {to} with a link to {part}; there are {subjects}")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The demo on free ports with a home of its own."""
    if running := os.environ.get("KOZ_JOURNEYS_STACK"):
        yield Stack(*running.split())
        return
    home = Path(tempfile.mkdtemp(prefix="koz-journeys-"))
    web, sandbox, mail = free_port(), free_port(), free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KOZ_", "STRIPE_"))}
    environment |= {"KOZ_HOME": str(home), "PORT": str(web), "SANDBOX_PORT": str(sandbox), "MAIL_PORT": str(mail)}
    process = subprocess.Popen(
        [sys.executable, "-m", "koz.cli", "demo"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log, lines = home / "koz.log", []
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith("Koz is ready"):
            break
    else:
        pytest.fail("the demo did not start: " + "".join(lines) + (log.read_text()[-3000:] if log.exists() else ""))
    yield Stack(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{mail}", f"http://127.0.0.1:{sandbox}", str(home))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    if os.environ.get("KOZ_SCREENSHOTS"):
        SHOTS.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, SHOTS / "koz.log")
    forget(home)


#: Windows without JavaScript: axe is a script, so `see` shows it the same HTML in a window that has it.
_scriptless: set[BrowserContext] = set()


class Visitor(Protocol):
    """Opens a new browser window of somebody unknown."""

    def __call__(self, *, javascript: bool = True, locale: str = "fr-FR") -> Page: ...


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Visitor]:
    """`visitor(javascript=False, locale="en-GB")`; the test fails if a page asks anything of a stranger."""
    contexts: list[BrowserContext] = []
    strangers: list[str] = []

    def note(request: Request) -> None:
        if request.is_navigation_request():
            return
        here, there = urlsplit(request.frame.url).netloc, urlsplit(request.url).netloc
        if there not in {here, ""}:
            strangers.append(f"{request.frame.url} asked {request.url}")

    def open_window(*, javascript: bool = True, locale: str = "fr-FR") -> Page:
        context = browser.new_context(
            base_url=stack.base, locale=locale, java_script_enabled=javascript, viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(20_000)
        context.on("request", note)
        contexts.append(context)
        if not javascript:
            _scriptless.add(context)
        return context.new_page()

    yield open_window
    for context in contexts:
        _scriptless.discard(context)
        context.close()
    assert not strangers, f"requests to others: {strangers}"


@pytest.fixture
def log_in() -> Callable[[Page, str], None]:
    """`log_in(page, "pro@koz.test")` through the login page."""

    def enter(page: Page, email: str, password: str = PASSWORD) -> None:
        page.goto("/login")
        page.fill("[name=email]", email)
        page.fill("[name=password]", password)
        page.click("main form button")
        page.wait_for_url(re.compile(r"^(?!.*/login)"))

    return enter


class See(Protocol):
    """Looks at a page; see the module's docstring."""

    def __call__(self, page: Page, name: str) -> None: ...


@pytest.fixture
def see(tmp_path: Path, browser: Browser) -> Iterator[See]:
    """Look at a page: see the module's docstring."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    kept, faults = tmp_path / "html", list[str]()
    kept.mkdir()

    def look(page: Page, name: str) -> None:
        html = page.content()
        (kept / f"{name}.html").write_text(html)
        if page.context not in _scriptless:
            faults.extend(_faults_here(page, name))
            return
        twin = browser.new_page(viewport={"width": 1280, "height": 900})
        address = page.url.partition("#")[0]  # routes never see the fragment
        twin.route(address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        twin.goto(address)
        faults.extend(_faults_here(twin, name))
        twin.context.close()

    yield look
    if JAR.exists() and shutil.which("java"):
        faults += judge(sorted(kept.glob("*.html")))
    assert not faults, "\n".join(faults)


def _faults_here(page: Page, name: str) -> Iterator[str]:
    before = page.viewport_size or {"width": 1280, "height": 900}
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{name}: scrolls sideways at {width} px ({wide})"
        if width != 320:
            page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
    found = Axe().run(page)
    if found.violations_count:
        yield f"{name}: {found.generate_report()}"
    page.set_viewport_size(before)


def judge(files: list[Path]) -> list[str]:
    """What the Nu HTML checker finds wrong in files, a line each."""
    if not files:
        return []
    command = ["java", "-Xmx384m", "-jar", str(JAR), "--format", "json", "--exit-zero-always", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    messages: list[dict[str, Any]] = json.loads(done.stderr or done.stdout)["messages"]
    return [
        f"{Path(m.get('url', '?')).name}: {m['message']} ({m.get('extract', '').strip()})"
        for m in messages
        if m["type"] in {"error", "non-document-error"}
    ]
