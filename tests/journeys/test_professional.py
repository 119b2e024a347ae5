"""Journey (d): a professional, from their own words to an engagement that both sides accepted."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import See, Stack, Visitor
from tests.journeys.test_ngo import join

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

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
