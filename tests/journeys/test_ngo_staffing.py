"""Journey (e): an association scopes a mission payable in skills, invites its team, and its sum to raise goes down."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import See, Stack, Visitor
from tests.journeys.test_ngo import join

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

SLUG = "des-bancs-publics-tous-les-deux-cents-metres"
LINE = "Dossier de presse et messages aux élus"


def sum_to_raise(page: Page) -> int:
    """Euros that must be raised in money, as the public page of hours says."""
    page.goto(f"/campaigns/{SLUG}/hours")
    return int(re.sub(r"\D", "", page.locator("tr.sum td").inner_text()))


def tell_skill(page: Page) -> None:
    """A professional who knows sign language, six hours a week, from afar."""
    page.goto("/professionals/me")
    page.locator("main a[href$='/words']").first.click()
    page.fill("[name=words]", "Langue des signes")
    page.click("main form button")
    page.wait_for_url("**/skills")
    first = page.locator("fieldset:has(input[name=concept]) li.choice").first
    first.locator("input").check()
    first.locator("select").select_option("5")
    page.locator("main form > button").click()
    page.wait_for_url("**/availability")
    page.fill("[name=hours_per_week]", "6")
    page.check("[name=languages][value=fr]")
    page.check("[name=remote]")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/professionals/me")


def scope_mission(page: Page, title: str, see: See) -> str:
    """Describe a mission on the line payable either way, say what it needs, open it. Returns its address."""
    page.goto(f"/manage/campaigns/{SLUG}/missions")
    see(page, "staffing-missions")
    page.locator("main a[href$='/missions/new']").click()
    page.fill("[name=title]", title)
    page.fill("[name=deliverable]", "Un film de trois minutes, en langue des signes.")
    page.fill("[name=done_criteria]", "Deux personnes sourdes l’ont vu et compris.")
    page.fill("[name=hours_total]", "8")
    page.fill("[name=hours_per_week]", "3")
    page.check("[name=remote]")
    page.select_option("[name=budget_line_id]", label=LINE)
    see(page, "staffing-mission-form")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(re.compile(r"/manage/missions/\d+"))
    address = re.sub(r"^.*/manage(/missions/\d+).*$", r"\1", page.url)
    page.fill("[name=q]", "langue des signes")
    page.locator("form[role=search] button").click()
    need = page.locator("form.need-form").first
    need.locator("[name=must]").check()
    need.locator("button").click()
    page.locator("form[action$='/open'] button").click()
    return address


def test_a_team_is_invited_and_hours_accepted_lower_the_sum_to_raise(
    stack: Stack, visitor: Visitor, log_in: Callable[[object, str], None], see: See
) -> None:
    email, title = f"signes-{time.time_ns()}@koz.test", f"Traduire la carte en signes {str(time.time_ns())[-6:]}"
    professional, association, reader = visitor(), visitor(), visitor()
    join(professional, stack, "Sofia Marchand", email)
    tell_skill(professional)
    before = sum_to_raise(reader)

    log_in(association, "ngo@koz.test")
    mission = scope_mission(association, title, see)
    association.goto(f"/manage{mission}/matches")
    expect(association.locator("main")).not_to_contain_text("Sofia Marchand")
    association.goto(f"/manage/campaigns/{SLUG}/team")
    part = association.locator(".team-mission", has_text=title)
    expect(part.locator(".suggestion")).to_have_count(1)
    expect(association.locator("main")).not_to_contain_text("Sofia Marchand")
    see(association, "staffing-team")
    association.locator("form[action$='/team/invite'] button").click()
    association.wait_for_url("**/team?sent=*")
    expect(association.locator(".notice.ok")).to_be_visible()
    expect(part).to_contain_text("1 personne invitée")
    see(association, "staffing-team-invited")

    professional.goto("/professionals/me")
    letter = professional.locator("article.letter", has_text=title)
    expect(letter).to_be_visible()
    letter.locator("form[action$='/yes'] button").click()
    professional.wait_for_url("**/engagements/*")

    deadline = time.monotonic() + 60
    while (now := sum_to_raise(reader)) >= before and time.monotonic() < deadline:
        reader.wait_for_timeout(500)
    assert now < before
    expect(reader.locator("main")).to_contain_text(title)
    expect(reader.locator("main")).not_to_contain_text("Sofia Marchand")
    see(reader, "hours-given")
    reader.goto(f"/campaigns/{SLUG}")
    expect(reader.locator("section[aria-labelledby=budget]")).to_contain_text("heures données sur 32")
    see(reader, "campaign-hours-given")
    reader.goto(f"/campaigns/{SLUG}/give")
    expect(reader.locator(".standing")).to_contain_text("à réunir")
    see(reader, "give-hours-given")
    association.goto(f"/manage/campaigns/{SLUG}/team")
    expect(association.locator(".team-mission", has_text=title)).to_contain_text("Sofia Marchand")
    see(association, "staffing-team-engaged")
