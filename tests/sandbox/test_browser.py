"""The hosted pages in a real Chromium without JavaScript: by keyboard, and back to the site (CSP lets it go)."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.factories.stripe import account_params, checkout_params

pytestmark = pytest.mark.browser


class Site(BaseHTTPRequestHandler):
    """The site to which the hosted pages lead back."""

    def do_GET(self):
        body = b"<!doctype html><html lang=en><title>Site</title><h1>Back at the site</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def window(browser):
    context = browser.new_context(locale="fr-FR", java_script_enabled=False, viewport={"width": 375, "height": 800})
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def pages_of(site):
    return {"success_url": f"{site}/thanks?s={{CHECKOUT_SESSION_ID}}", "cancel_url": f"{site}/no", "locale": "auto"}


def test_by_keyboard_without_script(sandbox, stripe_client, account, site, window):
    session = stripe_client.v1.checkout.sessions.create(
        checkout_params(tip=100, **pages_of(site)), {"stripe_account": account}
    )
    window.goto(session.url)
    window.keyboard.press("Tab")
    assert window.locator(":focus").inner_text() == "Aller au contenu"
    window.focus("[name=number]")
    for text in ("4000 0000 0000 0002", "12/34", "123", "Anne Essai"):
        window.keyboard.type(text)
        window.keyboard.press("Tab")
    window.keyboard.press("Enter")
    window.wait_for_selector("[role=alert]")
    assert "La carte a été refusée." in window.inner_text("[role=alert]")
    window.locator("button[value='4000002500003155']").first.press("Enter")
    window.wait_for_url("**/c/bank/**")
    window.locator("button[value=approve]").press("Enter")
    window.wait_for_url(f"{site}/thanks?s={session.id}")
    assert window.inner_text("h1") == "Back at the site"


def test_onboarding_leads_back(stripe_client, site, window):
    account = stripe_client.v2.core.accounts.create(account_params()).id
    onboarding = {"refresh_url": f"{site}/again", "return_url": f"{site}/back"}
    use_case = {"type": "account_onboarding", "account_onboarding": onboarding}
    window.goto(stripe_client.v2.core.account_links.create({"account": account, "use_case": use_case}).url)
    window.click("button[value=done]")
    window.wait_for_url(f"{site}/back")


def test_everybody_can_use_the_pages(own_sandbox, site, browser):
    sandbox = own_sandbox()
    stripe_client = sandbox.client()
    options = {"stripe_account": sandbox.ready_account()}
    make = stripe_client.v1.checkout.sessions.create
    plain, declined, bank, wrong = (
        make(checkout_params(customer_email=None, **pages_of(site)), options) for _ in range(4)
    )
    hook = {"url": f"{site}/hook", "enabled_events": ["checkout.session.completed"], "connect": True}
    stripe_client.v1.webhook_endpoints.create(hook)
    sandbox.control("checkout/pay", {"session": make(checkout_params(), options).id})
    assert sandbox.deliveries(), "the desk has a table to show"
    sandbox.raw("POST", f"/c/pay/{declined.id}", data={"pressed": "4000000000000002"})
    sandbox.raw("POST", f"/c/pay/{bank.id}", data={"pressed": "4000002500003155"})
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    for address in (plain.url, declined.url, f"{sandbox.url}/c/bank/{bank.id}", f"{sandbox.url}/_desk", wrong.url):
        page.goto(address)
        if address == wrong.url:
            page.click("form.card button")
            page.wait_for_selector(".wrong")
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
        found = Axe().run(page)
        assert not found.violations_count, found.generate_report()
    context.close()
