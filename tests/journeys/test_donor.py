"""Journey (b): a guest gives by keyboard alone, with JavaScript off; a refusal first, 3-D Secure later."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import See, Stack, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

MOST_TABS = 60


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    wanted = page.locator(selector).first
    for _n in range(MOST_TABS):
        if wanted.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{MOST_TABS} presses of Tab on {page.url} do not reach {selector}")


def press(page: Page, selector: str) -> None:
    """Reach a link or a button by Tab and press Enter."""
    tab_to(page, selector)
    page.keyboard.press("Enter")


def enter(page: Page, selector: str, text: str) -> None:
    """Reach a field by Tab and type over what it holds."""
    tab_to(page, selector)
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type(text)


def open_campaign(page: Page) -> str:
    """From the home page to the give page of the first campaign that collects. Returns its slug."""
    page.goto("/")
    press(page, "a[href='/campaigns']")
    page.wait_for_url("**/campaigns")
    page.goto("/campaigns?stage=funding")
    press(page, "main a[href^='/campaigns/']:not([href*='stage'])")
    page.wait_for_url("**/campaigns/*")
    slug = page.url.split("/")[-1].split("?")[0].split("#")[0]
    press(page, f"main a[href^='/campaigns/{slug}/give']")
    page.wait_for_url("**/give*")
    return slug


def test_a_guest_gives_by_keyboard_without_javascript(stack: Stack, visitor: Visitor, see: See) -> None:
    email = f"clavier-{time.time_ns()}@example.org"
    page = visitor(javascript=False)
    slug = open_campaign(page)
    see(page, "give")

    enter(page, "[name=amount]", "douze")
    enter(page, "[name=email]", email)
    press(page, "main form button[type=submit]")
    expect(page.locator(".notice.bad")).to_be_visible()
    expect(page.locator("[name=amount]")).to_have_value("douze")
    expect(page.locator("[name=email]")).to_have_value(email)
    see(page, "give-wrong-amount")

    enter(page, "[name=amount]", "12,50")
    press(page, "main form button[type=submit]")
    page.wait_for_url(f"{stack.sandbox}/**")
    expect(page.locator("main")).to_contain_text("12,50")
    see(page, "sandbox-checkout")
    press(page, "button[name=pressed][value='4000000000000002']")
    expect(page.locator(".notice.bad")).to_be_visible()
    see(page, "sandbox-declined")

    press(page, "button[name=pressed][value='4242424242424242']")
    page.wait_for_url(f"{stack.base}/gifts/**")
    expect(page.locator("h1")).to_contain_text("Merci")
    expect(page.locator("main")).to_contain_text("12,50")
    see(page, "thanks")

    link = stack.link(email, "/gifts/")
    page.goto(link)
    expect(page.locator("h1")).to_contain_text("Merci")
    page.goto(f"/campaigns/{slug}/ledger")
    expect(page.locator("main")).to_contain_text("12,50")
    see(page, "ledger")


def test_a_gift_with_3d_secure_refused_once_then_approved(stack: Stack, visitor: Visitor, see: See) -> None:
    email = f"secure-{time.time_ns()}@example.org"
    page = visitor(javascript=False, locale="en-GB")
    open_campaign(page)
    tab_to(page, "[name=choice]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    enter(page, "[name=email]", email)
    press(page, "main form button[type=submit]")
    page.wait_for_url(f"{stack.sandbox}/**")
    press(page, "button[name=pressed][value='4000002500003155']")
    page.locator("[name=answer]").first.wait_for()
    see(page, "sandbox-3d-secure")
    press(page, "[name=answer][value=refuse]")
    expect(page.locator(".notice.bad")).to_be_visible()
    press(page, "button[name=pressed][value='4000002500003155']")
    page.locator("[name=answer]").first.wait_for()
    press(page, "[name=answer][value=approve]")
    page.wait_for_url(f"{stack.base}/gifts/**")
    expect(page.locator("h1")).to_contain_text("Thank you")
    see(page, "thanks-en")
    assert stack.link(email, "/gifts/").startswith(stack.base)


def test_giving_up_leads_back_and_takes_nothing(stack: Stack, visitor: Visitor, see: See) -> None:
    page = visitor()
    open_campaign(page)
    page.fill("[name=amount]", "35")
    page.fill("[name=email]", f"renonce-{time.time_ns()}@example.org")
    page.click("main form button[type=submit]")
    page.wait_for_url(f"{stack.sandbox}/**")
    page.click("a.back")
    page.wait_for_url(f"{stack.base}/gifts/**")
    expect(page.locator("h1")).to_contain_text("pas encore")
    see(page, "gift-unpaid")
    page.click("main form button")
    page.wait_for_url(f"{stack.sandbox}/**")
    page.locator("button[name=pressed][value$='4242']").first.click()
    page.wait_for_url(f"{stack.base}/gifts/**")
    expect(page.locator("h1")).to_contain_text("Merci")
