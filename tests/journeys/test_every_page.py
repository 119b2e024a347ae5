"""Every public page and the logged-in ones, in both languages: how they look, where their links lead, what they weigh."""

import gzip
import re
from collections import deque
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Page

from tests.journeys.conftest import JAR, See, Stack, Visitor, judge
from tests.journeys.test_ngo import raise_staff

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

MOST_PAGES = 600
CAMPAIGN_MOST = 60_000
PLAIN = ("/", "/campaigns", "/consultations", "/missions", "/answers", "/login", "/join", "/forgotten", "/api")
OF_A_CAMPAIGN = ("", "/ledger", "/timeline", "/updates", "/answer", "/give", "/follow")


def names(stack: Stack) -> dict[str, str]:
    """State → slug of a public campaign in it, by the API."""
    rows = requests.get(f"{stack.base}/api/v1/campaigns", timeout=10).json()["items"]
    return {row["state"]: row["slug"] for row in reversed(rows)}


def public_addresses(stack: Stack) -> list[str]:
    """One address of every kind of public page."""
    found, states = list(PLAIN), names(stack)
    for state, slug in states.items():
        parts = OF_A_CAMPAIGN if state in {"live", "answered"} else ("",)
        found += [f"/campaigns/{slug}{part}" for part in parts]
    organisation = requests.get(f"{stack.base}/api/v1/campaigns/{states['live']}", timeout=10).json()["organisation"]
    slug = organisation["slug"] if isinstance(organisation, dict) else organisation
    found += [f"/organisations/{slug}", f"/embed/campaigns/{states['live']}"]
    for row in requests.get(f"{stack.base}/api/v1/consultations", timeout=10).json()["items"][:2]:
        found += [f"/consultations/{row['slug']}", f"/consultations/{row['slug']}/results"]
        page = requests.get(f"{stack.base}/consultations/{row['slug']}", timeout=10).text
        if voice := re.search(rf"/consultations/{re.escape(row['slug'])}/contributions/\d+", page):
            found.append(voice[0])
    if mission := re.search(r"/missions/\d+", requests.get(f"{stack.base}/missions", timeout=10).text):
        found.append(mission[0])
    return [*found, "/no-such-page"]


def name_of(address: str, lang: str) -> str:
    return f"page{address.replace('/', '-')[:120].rstrip('-') or '-home'}-{lang}"


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_public_pages(stack: Stack, visitor: Visitor, see: See, lang: str) -> None:
    page = visitor(locale={"fr": "fr-FR", "en": "en-GB"}[lang])
    for address in public_addresses(stack):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == (404 if address == "/no-such-page" else 200), f"{address}: {answer.status}"
        assert page.locator("html").get_attribute("lang") == lang, address
        see(page, name_of(address, lang))


OWN = {
    "donor": ("/my", "/security", "/security/profile", "/professionals/me"),
    "pro": ("/my", "/professionals/me", "/professionals/me/words", "/professionals/me/skills",
            "/professionals/me/availability"),
    "treasurer": ("/my", "/manage"),
    "ngo": ("/my", "/manage", "/manage/campaigns/new", "/manage/organisations/new"),
}  # fmt: skip
OF_A_DESK = ("", "/gifts", "/missions", "/missions/new", "/consultation", "/answer", "/updates/new", "/cancel")
OF_AN_ANSWERED_DESK = ("", "/gifts", "/missions", "/consultation", "/answer", "/updates/new")
STAFF = ("/admin", "/admin/reviews", "/admin/inbox", "/admin/outbox", "/admin/mails", "/admin/organisations",
         "/admin/people", "/admin/log")  # fmt: skip


def look(page: Page, address: str, name: str, see: See) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, f"{address}: {answer.status}"
    see(page, name)


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("who", list(OWN))
def test_own_pages(
    stack: Stack, visitor: Visitor, log_in: Callable[[Page, str], None], see: See, who: str, lang: str
) -> None:
    page = visitor(locale={"fr": "fr-FR", "en": "en-GB"}[lang])
    log_in(page, f"{who}@koz.test")
    page.goto(f"/my?lang={lang}")
    addresses = list(OWN[who])
    if who == "ngo":
        page.goto("/manage")
        desks = {str(a.get_attribute("href")) for a in page.locator("a[href^='/manage/campaigns/']").all()}
        assert desks
        states = names(stack)
        addresses += [f"/manage/campaigns/{states['live']}{part}" for part in OF_A_DESK]
        addresses += [f"/manage/campaigns/{states['answered']}{part}" for part in OF_AN_ANSWERED_DESK]
        addresses.append(f"/manage/campaigns/{states['failed']}")
        account = page.locator("a[href^='/manage/organisations/'][href$='/payments']").first.get_attribute("href")
        addresses += [str(account), str(account).removesuffix("/payments")]
    for address in addresses:
        look(page, address, f"{who}{name_of(address, lang)}", see)


def test_pages_of_staff(visitor: Visitor, log_in: Callable[[Page, str], None], see: See) -> None:
    page = visitor()
    raise_staff(page, log_in, "/admin/reviews")
    for address in STAFF:
        look(page, address, f"staff{name_of(address, 'fr')}", see)
    page.goto("/admin?lang=en")
    look(page, "/admin", "staff-page-admin-en", see)


def test_no_public_link_is_broken(stack: Stack) -> None:
    """Every link that a visitor can follow inside Koz leads somewhere; fragments lead to something on the page."""
    here = urlsplit(stack.base).netloc
    waiting, known, broken = deque([f"{stack.base}/"]), {f"{stack.base}/"}, []
    visited = 0
    with requests.Session() as web:
        while waiting and visited < MOST_PAGES:
            address, visited = waiting.popleft(), visited + 1
            answer = web.get(address, timeout=20)
            if answer.status_code >= 400:
                broken.append(f"{address}: {answer.status_code}")
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue
            ids = set(re.findall(r'\sid="([^"]+)"', answer.text))
            for link in re.findall(r'\shref="([^"]+)"', answer.text):
                whole, _hash, fragment = urljoin(answer.url, link.replace("&amp;", "&")).partition("#")
                if fragment and whole == answer.url and fragment not in ids:
                    broken.append(f"{answer.url}: nothing bears the id {fragment}")
                if urlsplit(whole).netloc == here and whole not in known and "lang=" not in whole:
                    known.add(whole)
                    waiting.append(whole)
    assert not broken, "\n".join(broken)
    assert visited > 60


def test_the_campaign_page_is_light_and_has_no_script(stack: Stack) -> None:
    html = requests.get(f"{stack.base}/campaigns/{names(stack)['live']}", timeout=10).text
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    assert sheets
    bodies = [html, *(requests.get(urljoin(stack.base, sheet), timeout=10).text for sheet in sheets)]
    weight = sum(len(gzip.compress(body.encode())) for body in bodies)
    assert weight <= CAMPAIGN_MOST, f"{weight} bytes"
    assert "<script" not in html


def test_the_nu_checker_is_here_and_finds_a_fault(tmp_path: object) -> None:
    if not JAR.exists():
        pytest.skip("no Nu checker: install Java and npm, then run scripts/judges.sh; pages are not judged without it")
    faulty = tmp_path / "faulty.html"  # type: ignore[operator]
    faulty.write_text("<!doctype html><html lang=fr><title>x</title><p><div id=a></div></p><i id=a></i></html>")
    assert judge([faulty])
