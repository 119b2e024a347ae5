"""Journey (a): an association from sign-up to its live page and its first test gift."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD, See, Stack, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

NEXT = "button[name=go][value=next]"
STORY = (
    "Chaque été, la rivière est à sec sur **six kilomètres**, et les poissons meurent dans les trous d’eau.\n\n"
    "## Ce que nous avons mesuré\n\n- trois étés de relevés, tous publics\n- deux prises d’eau sans compteur\n\n"
    "Nous demandons un débit réservé toute l’année, mesuré et publié."
)


def join(page: Page, stack: Stack, name: str, email: str, see: See | None = None) -> None:
    """Sign up, follow the mailed link, log in."""
    page.goto("/join")
    if see:
        see(page, "join")
    page.fill("[name=name]", name)
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/joined")
    page.goto(stack.link(email, "/verify/"))
    page.click("main form button")
    page.wait_for_url("**/login?**")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/my")


def raise_staff(page: Page, log_in: Callable[[Page, str], None], to: str, see: See | None = None) -> None:
    """Log staff in and give the second factor, setting it up at the first time; the demo's pages show the code."""
    log_in(page, "staff@koz.test")
    page.goto(to)
    if "/confirm" in page.url:
        page.fill("[name=password]", PASSWORD)
        page.click("main form button")
    code = page.locator(".notice").get_by_text("démonstration").inner_text()
    page.fill("[name=code]", "".join(c for c in code if c.isdigit()))
    enrolling = "/security/second-factor" in page.url
    if see and enrolling:
        see(page, "staff-second-factor")
    page.click("main form button")
    if enrolling:
        expect(page.locator(".codes li")).not_to_have_count(0)
        page.get_by_role("link", name="Je les ai gardés").or_(page.locator("main a.button")).first.click()
    page.wait_for_url(f"**{to}")


def write_campaign(page: Page, title: str, see: See, organisation: str | None = None) -> str:
    """All steps of the form, with one error on the way. Returns the slug."""
    page.goto("/manage/campaigns/new")
    page.fill("[name=title]", title)
    if organisation:
        page.select_option("[name=organisation]", label=organisation)
    page.click("main form button")
    page.wait_for_url("**/edit/ask")
    slug = page.url.split("/")[-3]
    see(page, "ngo-step-1-ask")
    page.fill("[name=ask]", "de garantir toute l’année un débit de deux cents litres par seconde.")
    page.fill("[name=addressee_name]", "Mme la préfète")
    page.fill("[name=addressee_body]", "préfecture de la Vesle")
    page.fill("[name=addressee_email]", "official@koz.test")
    page.select_option("[name=cause]", "environment")
    page.fill("[name=summary]", "La Vesle est à sec chaque été. Un débit réservé la ferait vivre.")
    page.click(NEXT)
    page.wait_for_url("**/edit/story")
    page.fill("[name=story_md]", STORY)
    page.fill("[name=expected_result]", "Un arrêté de débit réservé, et deux compteurs publics.")
    page.fill("[name=calendar]", "Relevés jusqu’en mai, arrêté avant juillet.")
    see(page, "ngo-step-2-story")
    page.click(NEXT)
    page.wait_for_url("**/edit/budget")
    page.fill("[name=rows-0-label]", "Deux compteurs et leur pose")
    page.fill("[name=rows-0-minimum]", "six cents")
    page.fill("[name=rows-0-optimum]", "1 200,50")
    page.fill("[name=rows-1-label]", "Une carte des prises d’eau")
    page.select_option("[name=rows-1-kind]", "skill")
    page.fill("[name=rows-1-hours]", "30")
    page.click(NEXT)
    expect(page.locator(".notice.bad")).to_be_visible()
    expect(page.locator("[name=rows-0-minimum]")).to_have_value("six cents")
    expect(page.locator("[name=rows-0-optimum]")).to_have_value("1 200,50")
    expect(page.locator("[name=rows-1-hours]")).to_have_value("30")
    see(page, "ngo-step-3-budget-error")
    page.fill("[name=rows-0-minimum]", "600")
    page.click(NEXT)
    page.wait_for_url("**/edit/sources")
    page.fill("[name=rows-0-title]", "Débits de la Vesle, 2023 à 2025")
    page.fill("[name=rows-0-url]", "https://example.org/vesle")
    see(page, "ngo-step-4-sources")
    page.click(NEXT)
    page.wait_for_url("**/edit/end")
    page.fill("[name=deadline_on]", (date.today() + timedelta(days=60)).isoformat())
    page.fill("[name=on_success]", "Les compteurs sont posés avant juin.")
    page.fill("[name=on_failure]", "Un seul compteur, à l’aval.")
    page.fill("[name=consultation_question]", "Comment partager l’eau de la Vesle en été ?")
    see(page, "ngo-step-5-end")
    page.click(NEXT)
    page.wait_for_url("**/edit/check")
    return slug


def approve(staff: Page, log_in: Callable[[Page, str], None], title: str, see: See) -> None:
    """Staff reads a submitted campaign and approves it."""
    raise_staff(staff, log_in, "/admin/reviews", see)
    see(staff, "staff-reviews")
    staff.get_by_role("link", name=title).click()
    see(staff, "staff-review")
    staff.check("[name=decision][value=approve]")
    staff.locator("main form button").last.click()
    staff.wait_for_url("**/admin/reviews")
    expect(staff.get_by_role("link", name=title)).to_have_count(0)


def pay(page: Page, sandbox: str, card: str = "4242") -> None:
    """On the hosted page: pay with one press."""
    page.wait_for_url(f"{sandbox}/**")
    page.locator(f"button[name=pressed][value$='{card}']").first.click()


def test_from_sign_up_to_the_first_test_gift(
    stack: Stack, visitor: Visitor, log_in: Callable[[Page, str], None], see: See
) -> None:
    mark = str(time.time_ns())[-7:]
    email, title = f"vesle-{mark}@koz.test", f"De l’eau dans la Vesle toute l’année {mark}"
    page = visitor()
    join(page, stack, "Vanessa Lemoine", email, see)
    see(page, "my-empty")

    page.goto("/manage")
    see(page, "manage-empty")
    page.goto("/manage/organisations/new")
    page.fill("[name=name]", f"Vivre la Vesle {mark}")
    page.check("[name=may_act]")
    see(page, "organisation-new")
    page.click("main form button")
    page.wait_for_url("**/manage/organisations/vivre-la-vesle-*")
    organisation = page.url.rsplit("/", 1)[1]
    see(page, "organisation-desk")

    slug = write_campaign(page, title, see)
    expect(page.locator(".preview")).to_contain_text("trois étés de relevés")
    see(page, "ngo-step-6-check")
    page.locator("main form button").last.click()
    page.wait_for_url(f"**/manage/campaigns/{slug}")

    approve(visitor(), log_in, title, see)

    page.goto(f"/manage/campaigns/{slug}")
    see(page, "ngo-desk-approved")
    page.goto(f"/manage/organisations/{organisation}/payments")
    see(page, "payments-not-started")
    page.locator("main form button").first.click()
    page.wait_for_url(f"{stack.sandbox}/**")
    see(page, "sandbox-onboarding")
    page.fill("[name=legal_name]", "Vivre la Vesle")
    page.fill("[name=iban]", "FR14 2004 1010 0505 0001 3M02 606")
    page.click("button[name=how][value=done]")
    page.wait_for_url(f"{stack.base}/manage/organisations/{organisation}/payments*")
    expect(page.locator(".notice.ok")).to_be_visible()
    see(page, "payments-active")

    page.goto(f"/manage/campaigns/{slug}")
    page.get_by_role("button", name="Publier").click()
    page.wait_for_load_state()
    page.goto(f"/campaigns/{slug}")
    expect(page.locator("h1")).to_contain_text(title)
    see(page, "campaign-just-live")

    page.locator(f"a[href^='/campaigns/{slug}/give']").first.click()
    page.check("[name=choice][value='20']", force=True)
    page.fill("[name=email]", "premier-don@example.org")
    page.click("main form button[type=submit]")
    pay(page, stack.sandbox)
    page.wait_for_url(f"{stack.base}/gifts/**")
    expect(page.locator("h1")).to_contain_text("Merci")
    page.goto(f"/campaigns/{slug}/ledger")
    expect(page.locator("main")).to_contain_text("20")
    see(page, "ledger-first-gift")
    page.goto(f"/manage/campaigns/{slug}/gifts")
    expect(page.locator("main")).to_contain_text("premier-don@example.org")
    see(page, "ngo-gifts")
    page.goto("/manage")
    see(page, "manage-with-campaign")
