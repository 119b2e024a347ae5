"""People who give, at once, while things break: they do what the pages say, and try again when told to."""

import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.chaos.stack import Stack

DECLINED = "4000000000009995"
TRIES = 25


@dataclass
class Seen:
    """What people were told."""

    started: int = 0
    thanked: set[str] = field(default_factory=set)
    errors: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def error(self, what: str) -> None:
        with self.lock:
            self.errors[what] = self.errors.get(what, 0) + 1


class Donor:
    """A browser that gives gift after gift; each gift has an address of its own, by which it is known later."""

    def __init__(self, stack: Stack, seen: Seen, slugs: list[str], number: int, dice: random.Random) -> None:
        self.stack, self.seen, self.slugs, self.number, self.dice = stack, seen, slugs, number, dice
        self.http = requests.Session()
        self.http.headers["X-Forwarded-For"] = f"10.0.{number // 250}.{number % 250}"
        self.token = ""

    def give(self, gift: int) -> None:
        """One gift: the form, perhaps pressed twice; the hosted page, perhaps declined, left or paid in two tabs."""
        slug, minor = self.dice.choice(self.slugs), self.dice.randrange(1_00, 80_00)
        fate = self.dice.random()
        form = {
            "amount": f"{minor // 100},{minor % 100:02d}", "email": f"donor{gift}@koz.test", "form_key": f"key-{gift}",
            "tip": "2" if self.dice.random() < 0.3 else "",
        }  # fmt: skip
        self.http.headers["X-Forwarded-For"] = f"10.{gift // 62500}.{gift // 250 % 250}.{gift % 250}"
        page = self._start(slug, form, twice=self.dice.random() < 0.05)
        if page is None or fate < 0.04:  # gives up before paying
            return
        if fate < 0.08:
            self._pay(page, DECLINED)
        paid = self._pay(page)
        if paid is None:
            return
        path = paid["session"]["success_url"].removeprefix(self.stack.web_url)
        if fate > 0.95:  # the other tab: perhaps a fresh page, if the first is not known as paid yet
            self._other_tab(path)
        if fate > 0.6:
            self._look(path)

    def _csrf(self, slug: str) -> bool:
        if not self.token:
            answer = self._ask("GET", f"/campaigns/{slug}/give")
            found = answer is not None and re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
            self.token = found[1] if found else ""
        return bool(self.token)

    def _start(self, slug: str, form: dict[str, str], *, twice: bool) -> str | None:
        for attempt in range(TRIES):
            if attempt:
                time.sleep(0.1)
            if not self._csrf(slug):
                continue
            if twice and not attempt:
                second = threading.Thread(target=self._press, args=(slug, form))
                second.start()
                answer = self._press(slug, form)
                second.join()
            else:
                answer = self._press(slug, form)
            if answer is None or answer.status_code == 503:
                continue
            assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
            with self.seen.lock:
                self.seen.started += 1
            return answer.headers["Location"].rsplit("/", 1)[1]
        raise AssertionError("a donor was turned away for good")

    def _press(self, slug: str, form: dict[str, str]) -> requests.Response | None:
        return self._ask("POST", f"/campaigns/{slug}/give", data=form | {"csrf_token": self.token})

    def _pay(self, page: str, card: str = "4242424242424242") -> Any:
        answer = requests.post(
            f"{self.stack.sandbox_url}/_control/checkout/pay", json={"session": page, "card": card}, timeout=30
        )
        return answer.json() if answer.ok else None  # the page was closed meanwhile: a second press opened another

    def _other_tab(self, path: str) -> None:
        answer = self._ask("POST", path.split("?", maxsplit=1)[0] + "/pay", data={"csrf_token": self.token})
        target = answer.headers.get("Location", "") if answer is not None else ""
        if target.startswith(self.stack.sandbox_url):
            self._pay(target.rsplit("/", 1)[1])

    def _look(self, path: str) -> None:
        """The page after paying: it may say thanks only when it is true."""
        answer = self._ask("GET", path, headers={"Accept-Language": "en"})
        if answer is not None and answer.ok and "Thank you, your gift has arrived" in answer.text:
            reference = re.search(r"KOZ-(\d+)", answer.text)
            assert reference
            with self.seen.lock:
                self.seen.thanked.add(reference[1])

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response | None:
        """A request; None when the connection was lost, as when a worker dies."""
        try:
            answer = self.http.request(method, self.stack.web_url + path, timeout=30, allow_redirects=False, **more)
        except requests.RequestException as error:
            self.seen.error(type(error).__name__)
            return None
        if answer.status_code >= 500:
            self.seen.error(str(answer.status_code))
        return answer


def give_all(stack: Stack, seen: Seen, slugs: list[str], *, gifts: int, seed: int, people: int) -> None:
    """All gifts, by so many people at once."""

    def live(number: int) -> None:
        donor = Donor(stack, seen, slugs, number, random.Random())
        for gift in range(number, gifts, people):
            donor.dice = random.Random(f"{seed}:{gift}")  # what a gift does depends on the seed and its number alone
            donor.give(gift)

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(live, range(people)))
