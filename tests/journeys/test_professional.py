"""Journey (d): a professional, from their own words to an engagement, and from a mail to a certificate."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pypdf
import pytest
from playwright.sync_api import Locator, Page, expect

from koz.core.clock import today
from tests.journeys.conftest import See, Stack, Visitor
from tests.journeys.test_ngo import join

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

FIRST, LAST = today() + timedelta(days=5), today() + timedelta(days=60)
WORDS = "J’écris des communiqués de presse.\nComptabilité d’une association.\nJe sais parler en public."


def test_from_own_words_to_an_accepted_engagement(
    stack: Stack, visitor: Visitor, log_in: Callable[[object, str], None], see: See
) -> None:
    email = f"pro-{time.time_ns()}@koz.test"
    page = visitor()
    join(page, stack, "Paul Ferrand", email)
    page.goto("/professionals/me")
    see(page, "professional-new")
    page.get_by_role("link", name="Dire ce que je sais faire").or_(page.locator("main a[href$='/words']")).first.click()
    page.wait_for_url("**/words")
    page.fill("[name=words]", WORDS)
    see(page, "professional-words")
    page.click("main form button")
    page.wait_for_url("**/skills")
    proposed = page.locator("fieldset input[name=concept]")
    expect(proposed).not_to_have_count(0)
    page.locator("main form > button").click()
    expect(page.locator(".notice.bad")).to_be_visible()
    for group in page.locator("fieldset:has(input[name=concept])").all():
        first = group.locator("li.choice").first
        first.locator("input").check()
        first.locator("select").select_option("5")
    see(page, "professional-skills")
    page.locator("main form > button").click()
    page.wait_for_url("**/availability")
    page.fill("[name=hours_per_week]", "200")
    page.check("[name=languages][value=fr]")
    page.check("[name=remote]")
    page.fill("[name=departments]", "75, Gironde")
    page.click("main form button[type=submit]")
    expect(page.locator("[name=hours_per_week]")).to_have_value("200")
    expect(page.locator("[name=languages][value=fr]")).to_be_checked()
    expect(page.locator("[name=departments]")).to_have_value("75, Gironde")
    see(page, "professional-availability-error")
    page.fill("[name=hours_per_week]", "20")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/professionals/me")
    see(page, "professional-missions")

    best = page.locator("article.fit").first
    mission = best.locator("h3").inner_text()
    address = best.locator("h3 a").get_attribute("href")
    assert address is not None
    page.goto(address)
    see(page, "mission")
    page.get_by_role("button", name="Proposer mon aide").or_(page.locator("main form button")).first.click()
    page.goto("/professionals/me")
    expect(page.locator("main")).to_contain_text(mission)
    see(page, "professional-offered")

    association = visitor()
    log_in(association, "ngo@koz.test")
    association.goto(f"/manage{address}/matches")
    expect(association.locator("main")).not_to_contain_text("Paul Ferrand")
    see(association, "matches-with-offer")
    association.locator("form[action$='/yes'] button").first.click()
    association.wait_for_url(re.compile(r"/(engagements|missions)/\d+"))
    association.goto(f"/manage{address}/matches")
    association.get_by_role("link", name="Paul Ferrand").click()
    association.wait_for_url("**/engagements/*")
    expect(association.locator(".contact")).to_contain_text(email)
    see(association, "engagement-of-association")

    page.goto(stack.link(email, "/engagements/"))
    expect(page.locator(".contact")).to_contain_text("ngo@koz.test")
    see(page, "engagement-of-professional")
    page.locator("form[action$='/running'] button").click()
    page.fill("[name=hours]", "6")
    page.locator("form[action$='/delivered'] button").click()
    association.reload()
    association.locator("form[action$='/closed'] button").click()
    page.reload()
    expect(page.locator("main")).to_contain_text("6 heures")
    see(page, "engagement-closed")


def test_an_invitation_is_declined_for_a_reason_that_the_association_does_not_see(
    visitor: Visitor, log_in: Callable[[object, str], None], see: See
) -> None:
    page = visitor()
    log_in(page, "pro@koz.test")
    page.goto("/professionals/me")
    letters = page.locator("article.letter")
    expect(letters).not_to_have_count(0)
    see(page, "professional-letters")
    before = letters.count()
    letters.first.locator("summary").click()
    letters.first.locator("select[name=reason]").select_option(index=1)
    letters.first.locator("details form button").click()
    expect(letters).to_have_count(before - 1)


def by_keyboard(page: Page, target: Locator) -> None:
    """Reach something with the Tab key alone and press Enter on it."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if target.evaluate("e => e === document.activeElement"):
            page.keyboard.press("Enter")
            return
    pytest.fail(f"{target} cannot be reached with the Tab key")


def scope_a_mission(page: Page, slug: str, title: str) -> str:
    """A mission that needs all that `WORDS` hold, at the highest level. Returns its address."""
    page.goto(f"/manage/campaigns/{slug}/missions/new")
    page.fill("[name=title]", title)
    page.fill("[name=deliverable]", "Un dossier de presse de six pages.")
    page.fill("[name=done_criteria]", "Il est en ligne.")
    page.fill("[name=hours_total]", "12")
    page.fill("[name=hours_per_week]", "3")
    page.fill("[name=starts_on]", FIRST.isoformat())
    page.fill("[name=ends_on]", LAST.isoformat())
    page.check("[name=remote]")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/needs")
    address = re.sub(r".*/manage(/missions/\d+)/.*", r"\1", page.url)
    for words in ("communiqué de presse", "comptabilité", "parler en public"):
        page.goto(f"/manage{address}/needs?q={words}")
        need = page.locator("h2#find ~ ul form.need-form").first
        need.locator("select").select_option("5")
        need.locator("[name=must]").check()
        need.locator("button").click()
        page.wait_for_url(re.compile(r"/needs$"))
    page.locator("form[action$='/open'] button").click()
    page.wait_for_url("**/matches")
    return address


def test_from_the_mail_to_a_certificate_by_keyboard_and_without_javascript(
    stack: Stack, visitor: Visitor, log_in: Callable[[object, str], None], see: See
) -> None:
    email, title = f"pro-{time.time_ns()}@koz.test", f"Dossier de presse {time.time_ns()}"
    page = visitor(javascript=False)
    join(page, stack, "Paula Ferrand", email)
    page.goto("/professionals/me/words")
    page.fill("[name=words]", WORDS)
    page.click("main form button")
    for group in page.locator("fieldset:has(input[name=concept])").all():
        group.locator("li.choice input").first.check()
        group.locator("li.choice select").first.select_option("5")
    page.locator("main form > button").click()
    page.fill("[name=hours_per_week]", "6")
    page.check("[name=languages][value=fr]")
    page.check("[name=remote]")
    page.fill("[name=available_from]", LAST.isoformat())
    page.fill("[name=available_until]", FIRST.isoformat())
    page.click("main form button[type=submit]")
    expect(page.locator(".notice.bad")).to_be_visible()
    expect(page.locator("[name=available_from]")).to_have_value(LAST.isoformat())
    see(page, "professional-dates-error")
    page.fill("[name=available_from]", FIRST.isoformat())
    page.fill("[name=available_until]", LAST.isoformat())
    page.click("main form button[type=submit]")
    page.wait_for_url("**/professionals/me")
    page.goto("/professionals/me/pause")
    see(page, "professional-pause")

    association = visitor()
    log_in(association, "ngo@koz.test")
    association.goto("/missions")
    association.goto(association.locator(".mission-card h3 a").first.get_attribute("href") or "")
    campaign = association.locator("main a[href^='/campaigns/']").first.get_attribute("href") or ""
    address = scope_a_mission(association, campaign.rsplit("/", 1)[-1], title)
    see(association, "matches-of-one-mission")
    association.locator("form[action$='/invite'] button").first.click()

    letter = visitor(javascript=False)
    link = stack.link(email, "/letters/", title)
    letter.goto(link)
    expect(letter.locator("h1")).to_be_visible()
    expect(letter.locator("main")).not_to_contain_text("Ferrand")
    see(letter, "letter")
    by_keyboard(letter, letter.locator("form[action*='/later'] button"))
    expect(letter.locator(".notice.ok")).to_be_visible()
    by_keyboard(letter, letter.locator("form[action*='/yes'] button"))
    expect(letter.locator("h1")).to_have_text("Merci de votre réponse")
    see(letter, "letter-answered")
    letter.goto(link)
    expect(letter.locator("main form[action*='/yes']")).to_have_count(0)

    page.goto(stack.link(email, "/engagements/", title))
    calendar = page.request.get(page.locator("a[href$='/calendar.ics']").get_attribute("href") or "")
    assert f"DTSTART;VALUE=DATE:{FIRST:%Y%m%d}" in calendar.text()
    by_keyboard(page, page.locator("form[action$='/running'] button"))
    page.fill("[name=minutes]", "beaucoup")
    page.locator("form[action$='/log'] button").click()
    expect(page.locator(".notice.bad")).to_be_visible()
    expect(page.locator("[name=minutes]")).to_have_value("beaucoup")
    see(page, "engagement-log-error")
    for hours, what in (("2h30", "Plan du dossier"), ("3", "Rédaction et relecture")):
        page.fill("[name=minutes]", hours)
        page.fill("[name=what]", what)
        page.locator("form[action$='/log'] button").click()
        expect(page.locator("table.log")).to_contain_text(what)
    see(page, "engagement-log")
    by_keyboard(page, page.locator("form[action$='/delivered'] button"))
    expect(page.locator("form[action$='/delivered']")).to_have_count(0)

    association.goto(stack.link("ngo@koz.test", "/engagements/", title))
    expect(association.locator("table.log")).to_contain_text("5 h 30")
    see(association, "engagement-to-confirm")
    association.locator("form[action$='/closed'] button").click()
    expect(association.locator("form[action$='/closed']")).to_have_count(0)

    page.reload()
    by_keyboard(page, page.locator("form[action$='/certificate'] button"))
    expect(page.locator("a[href$='/certificate-fr.pdf']")).to_be_visible()
    see(page, "engagement-with-certificate")
    with page.expect_download() as download:
        by_keyboard(page, page.locator("a[href$='/certificate-fr.pdf']"))
    pdf = pypdf.PdfReader(download.value.path())
    text = re.sub(r"\s+", "", "".join(sheet.extract_text() for sheet in pdf.pages))
    assert "PaulaFerrand" in text
    assert "5h30" in text
    found = re.search(r"[0-9a-f]{64}", text)
    assert found

    stranger = visitor(javascript=False)
    stranger.goto("/certificates")
    see(stranger, "certificates-look-up")
    stranger.fill("[name=code]", found[0][:16])
    stranger.keyboard.press("Enter")
    expect(stranger.locator("h1")).to_have_text("Cette attestation est authentique")
    expect(stranger.locator("main")).not_to_contain_text("Ferrand")
    stranger.fill("[name=name]", "paula ferrand")
    stranger.keyboard.press("Enter")
    expect(stranger.locator(".notice.ok")).to_be_visible()
    see(stranger, "certificate-checked")
    stranger.goto(f"/certificates/{'0' * 16}")
    see(stranger, "certificate-unknown")

    page.goto("/professionals/me/history")
    expect(page.locator("main")).to_contain_text("attestation établie")
    see(page, "professional-history")
    page.goto(address)
    see(page, "mission-with-dates")
