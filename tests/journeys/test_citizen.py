"""Journey (c): the minimum is collected, the consultation opens by itself, a citizen speaks, the official answers.

One thing no page can do: wait until a consultation closes. The last act turns its dates back in the demo's database;
the closing itself, and all that follows, is the service's own doing.
"""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from koz.core.clock import now
from koz.demo.postgres import running_url
from tests.journeys.conftest import See, Stack, Visitor
from tests.journeys.test_ngo import approve, join, pay, write_campaign

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

WAIT_S = 150


def reload_until(page: Page, selector: str) -> None:
    """Reload until the element is there: what the worker does takes its time."""
    deadline = time.monotonic() + WAIT_S
    while not page.locator(selector).count():
        assert time.monotonic() < deadline, f"{page.url} never shows {selector}"
        page.wait_for_timeout(500)
        page.reload()


def give(page: Page, stack: Stack, slug: str, euros: str) -> None:
    page.goto(f"/campaigns/{slug}/give")
    page.fill("[name=amount]", euros)
    page.fill("[name=email]", f"don-{time.time_ns()}@example.org")
    page.click("main form button[type=submit]")
    pay(page, stack.sandbox)
    page.wait_for_url(f"{stack.base}/gifts/**")
    expect(page.locator("h1")).to_contain_text("Merci")


def funded_campaign(title: str, stack: Stack, visitor: Visitor, log_in: Callable[[Page, str], None], see: See) -> str:
    """A campaign of the demo's association, approved, live, its minimum collected by two gifts. Returns its slug."""
    page = visitor()
    log_in(page, "ngo@koz.test")
    slug = write_campaign(page, title, see, organisation="Canal sauvage (exemple)")
    page.locator("main form button").last.click()
    page.wait_for_url(f"**/manage/campaigns/{slug}")
    approve(visitor(), log_in, title, see)
    page.goto(f"/manage/campaigns/{slug}")
    page.get_by_role("button", name="Publier").click()
    donor = visitor()
    give(donor, stack, slug, "350")
    donor.goto(f"/campaigns/{slug}")
    expect(donor.locator("main a[href^='/consultations/']")).to_have_count(0)
    give(donor, stack, slug, "250,00")
    return slug


def speak(page: Page, see: See) -> None:
    """An opinion, an argument with a source, a vote that is changed and taken back, an argument found useful."""
    page.get_by_role("link", name="Donner mon avis").first.click()
    page.wait_for_url("**/contribute")
    page.fill("[name=title]", "Réserver le débit dès le mois de mai")
    page.click("main form button[type=submit]")
    expect(page.locator(".notice.bad")).to_be_visible()
    expect(page.locator("[name=title]")).to_have_value("Réserver le débit dès le mois de mai")
    see(page, "contribute-error")
    page.fill(
        "[name=body]", "En juillet, il est trop tard\u202f: les frayères sont déjà à sec.\n\n## Ce qu’il faut\n\nMai."
    )
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile(r"/contributions/\d+$"))
    expect(page.locator("h1")).to_contain_text("Réserver le débit")

    page.locator("a[href*='side=for']").first.click()
    page.wait_for_url("**/argue?side=for")
    see(page, "argue")
    page.fill("[name=body]", "Les relevés montrent une chute du débit dès la mi-mai.")
    page.fill("[name=source_title]", "Débits de la Vesle")
    page.fill("[name=source_publisher]", "Agence de l’eau")
    page.fill("[name=source_url]", "https://example.org/debits")
    page.fill("[name=source_passage]", "Le débit moyen de mai a baissé d’un tiers en dix ans.")
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile(r"/contributions/\d+"))
    expect(page.locator(".source")).to_contain_text("Agence de l’eau")

    page.locator("button[name=choice][value=agree]").first.click()
    expect(page.locator("button[value=agree]").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".vote-words").first).to_contain_text("1")
    see(page, "contribution-voted")
    page.locator("button[name=choice][value=mixed]").first.click()
    expect(page.locator("button[value=mixed]").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("button[value=agree]").first).to_have_attribute("aria-pressed", "false")
    page.locator("button[name=useful]").first.click()
    expect(page.locator("button[name=useful]").first).to_have_attribute("aria-pressed", "true")


def turn_back(stack: Stack, slug: str) -> None:
    """The only step that no page can do: the consultation's last day is over."""
    engine = create_engine(running_url(Path(stack.home), "koz"))
    with engine.begin() as connection:
        changed = connection.execute(
            text("UPDATE consultations SET opens_at = :opens, closes_at = :closes WHERE slug = :slug"),
            {"opens": now() - timedelta(days=31), "closes": now() - timedelta(minutes=1), "slug": slug},
        )
        assert changed.rowcount == 1
    engine.dispose()


def answer(page: Page, see: See) -> None:
    """The official answers every point, commits to something, reads it over and publishes."""
    page.locator("main a.button").first.click()
    page.wait_for_url("**/answer")
    see(page, "answer-write")
    for n, point in enumerate(page.locator("section.answer-point").all()):
        point.locator("input[type=radio]").nth(n % 2).check()
        point.locator("textarea").fill("Nous le ferons dès que l’arrêté sera signé, et nous publierons les relevés.")
    page.fill(".commitment [name$=text]", "Poser deux compteurs publics")
    page.fill(".commitment [name$=owner]", "Direction de l’eau")
    page.fill(".commitment [name$=due_on]", (now().date() + timedelta(days=90)).isoformat())
    page.fill("[name$=signed_name]", "Camille Roche")
    page.fill("[name$=signed_function]", "Préfète")
    page.click("button[name=preview]")
    page.wait_for_url("**/preview")
    see(page, "answer-preview")
    page.get_by_role("button", name="Publier").click()
    page.wait_for_url("**/campaigns/*/answer")


def test_from_the_minimum_to_the_published_answer(
    stack: Stack, visitor: Visitor, log_in: Callable[[Page, str], None], see: See
) -> None:
    mark = str(time.time_ns())[-7:]
    title = f"Un débit réservé pour la Vesle {mark}"
    slug = funded_campaign(title, stack, visitor, log_in, see)

    page = visitor()
    join(page, stack, "Constance Ferry", f"citoyenne-{mark}@koz.test")
    page.goto(f"/campaigns/{slug}")
    reload_until(page, "main a[href^='/consultations/']")
    see(page, "campaign-consulting")
    page.locator("main a[href^='/consultations/']").first.click()
    page.wait_for_url("**/consultations/*")
    consultation = page.url.split("/")[-1].split("?")[0].split("#")[0]
    see(page, "consultation-just-open")
    speak(page, see)
    page.goto(f"/consultations/{consultation}/results")
    expect(page.locator("main")).to_contain_text("1 personne")
    see(page, "results-of-one")
    page.goto("/my")
    expect(page.locator("main")).to_contain_text(title)
    see(page, "my-citizen")

    official = visitor()
    official.goto(stack.link("official@koz.test", "/answers/desk/", about=title))
    see(official, "desk-asked")
    official.get_by_role("button", name="Je répondrai").click()
    expect(official.locator(".notice.ok")).to_be_visible()
    page.goto(f"/campaigns/{slug}/answer")
    see(page, "answer-awaited")

    turn_back(stack, consultation)
    page.goto(f"/consultations/{consultation}")
    official.reload()
    reload_until(official, "main a.button.primary[href$='/answer']")
    see(official, "desk-open")
    answer(official, see)
    expect(official.locator("main")).to_contain_text("Poser deux compteurs publics")
    see(official, "answer-published")
    page.goto(f"/consultations/{consultation}")
    expect(page.locator("main a[href$='/contribute']")).to_have_count(0)
    see(page, "consultation-closed")
    page.goto(f"/campaigns/{slug}")
    expect(page.locator("main")).to_contain_text("Réponse le jour même")
    see(page, "campaign-answered")
