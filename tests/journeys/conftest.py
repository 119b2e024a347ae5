"""A whole Koz as `make demo` runs it, and a real Chromium. Every journey goes through the real pages only.

`see(page, name)` is how a journey looks at a page: no axe violation, no sideways scrolling at 320, 375 and 1280 px,
no request to anybody else, pictures at 375 and 1280 px, and the page's HTML kept for the Nu checker, which judges all
of them at the end (`test_zz_nu.py`).
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from koz.demo.postgres import forget, free_port

PASSWORD = "koz-demo-2026"
SHOTS = Path(os.environ.get("KOZ_SCREENSHOTS", Path(__file__).parent / "screenshots"))
HTML = Path(tempfile.gettempdir()) / f"koz-journeys-html-{os.getuid()}"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Stack:
    """A running demo: addresses, and the process that stops all of it."""

    base: str
    mail: str
    sandbox: str
    process: "subprocess.Popen[str]"

    def letters(self, to: str) -> list[dict[str, Any]]:
        """Mails to an address, latest first, from the demo's catcher."""
        found: list[dict[str, Any]] = requests.get(f"{self.mail}/messages.json", params={"to": to}, timeout=10).json()
        return found


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The demo on free ports with a home of its own."""
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
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith("Koz is ready"):
            break
    else:
        log = home / "koz.log"
        pytest.fail("the demo did not start: " + "".join(lines) + (log.read_text()[-3000:] if log.exists() else ""))
    yield Stack(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{mail}", f"http://127.0.0.1:{sandbox}", process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    if os.environ.get("KOZ_SCREENSHOTS"):
        shutil.copy(home / "koz.log", SHOTS / "koz.log")
    forget(home)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, without a head."""
    path = os.environ.get("KOZ_CHROMIUM") or next((p for name in BROWSERS if (p := shutil.which(name))), None)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=flags)
        except PlaywrightError as error:
            pytest.skip(f"no Chromium could be started: install the package chromium or set KOZ_CHROMIUM ({error})")
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """`visitor(javascript=False, locale="fr-FR")` opens a new browser window of somebody unknown."""
    contexts: list[BrowserContext] = []

    def open_window(*, javascript: bool = True, locale: str = "fr-FR") -> Page:
        context = browser.new_context(
            base_url=stack.base, locale=locale, java_script_enabled=javascript, viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()


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


@pytest.fixture
def see(browser: Browser, stack: Stack) -> Callable[[Page, str], None]:
    """Look at a page: see the module's docstring."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    HTML.mkdir(parents=True, exist_ok=True)

    def look(page: Page, name: str) -> None:
        (HTML / f"{name}.html").write_text(page.content())
        kept = page.context.storage_state()
        context = browser.new_context(
            base_url=stack.base,
            storage_state=kept,
            locale="fr-FR" if page.locator("html[lang=fr]").count() else "en-GB",
        )
        try:
            twin = context.new_page()
            strangers: list[str] = []
            host = urlsplit(page.url).netloc
            twin.on("request", lambda r: None if urlsplit(r.url).netloc in {host, ""} else strangers.append(r.url))
            twin.set_content(page.content()) if page.url.startswith("about:") else twin.goto(page.url)
            for width in (320, 375, 1280):
                twin.set_viewport_size({"width": width, "height": 900})
                wide = twin.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{name}: scrolls sideways at {width} px ({wide})"
                if width != 320:
                    twin.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
            found = Axe().run(twin)
            assert not found.violations_count, f"{name}: {found.generate_report()}"
            assert not strangers, f"{name}: requests to others: {strangers}"
        finally:
            context.close()

    return look
