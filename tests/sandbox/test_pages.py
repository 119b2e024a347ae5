"""The hosted pages as a person without JavaScript uses them, in French and English; a banner on each."""

import json
import re
from urllib.parse import urljoin

import html5lib
import pytest

from koz.sandbox import texts
from koz.sandbox.cards import CARDS
from tests.factories.stripe import account_params, checkout_params


class Visitor:
    """Reads pages, presses buttons, follows redirections within the sandbox."""

    def __init__(self, sandbox, language="fr"):
        self.sandbox, self.headers = sandbox, {"Accept-Language": language}
        self.path, self.text, self.status, self.left_for = "", "", 0, None

    def open(self, url, data=None):
        self.left_for = None
        for _ in range(5):
            self.path = url.removeprefix(self.sandbox.url)
            answer = self.sandbox.raw("POST" if data is not None else "GET", self.path, data=data, headers=self.headers)
            if answer.status_code != 303:
                break
            url, data = urljoin(self.sandbox.url + self.path, answer.headers["Location"]), None
            if not url.startswith(self.sandbox.url):
                self.left_for = url
                return self
        self.status, self.text, self.answer = answer.status_code, answer.text, answer
        html5lib.HTMLParser(strict=True).parse(self.text)
        assert "<script" not in self.text
        assert " style=" not in self.text
        assert self.text.count("<h1") == 1
        language = self.answer.headers["Content-Language"]
        assert f'<html lang="{language}">' in self.text
        assert texts.WORDS[language]["banner"] in self.text
        return self

    def press(self, **data):
        return self.open(self.path, data)

    @property
    def buttons(self):
        return re.findall(r'<button[^>]*name="(\w+)" value="([^"]*)"', self.text)


@pytest.fixture
def page(sandbox, stripe_client, account):
    def make(**changes):
        changes = {"locale": "auto"} | changes
        return stripe_client.v1.checkout.sessions.create(
            checkout_params(tip=200, **changes), {"stripe_account": account}
        )

    return make


@pytest.fixture
def state_of(stripe_client, account):
    def read(session):
        return stripe_client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["payment_intent"]}, {"stripe_account": account}
        )

    return read


TYPED = {"number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123", "name": "Anne Essai"}


@pytest.mark.parametrize(
    ("language", "locale", "amount", "button"),
    [
        ("fr", "auto", "27,00\u00a0€", "Donner"),
        ("en", "auto", "€27.00", "Give"),
        ("en", "fr", "27,00\u00a0€", "Donner"),
    ],
)
def test_the_page_says_what_is_paid_to_whom_in_the_right_language(sandbox, page, language, locale, amount, button):
    visitor = Visitor(sandbox, language).open(page(locale=locale).url)
    assert visitor.status == 200
    for words in (amount, f"{button} {amount}", "Association d&#39;essai", "donor@koz.test", "127.0.0.1:8000"):
        assert words in visitor.text, words
    assert {value for name, value in visitor.buttons if name == "pressed"} == set(CARDS)
    policy = visitor.answer.headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:8000;" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_a_typed_card_pays(sandbox, page, state_of):
    session = page()
    visitor = Visitor(sandbox).open(session.url).press(**TYPED)
    assert visitor.left_for == f"http://127.0.0.1:8000/thanks?s={session.id}"
    paid = state_of(session)
    assert (paid.payment_status, paid.customer_details.name, paid.customer_details.email) == (
        "paid", "Anne Essai", "donor@koz.test",
    )  # fmt: skip


def test_one_press_pays_and_a_second_press_does_not_pay_again(sandbox, page, account):
    session = page()
    for _ in range(2):
        assert Visitor(sandbox).open(session.url, {"pressed": "4242424242424242"}).left_for.endswith(session.id)
    charges = sandbox.state(account)["objects"]["charge"]
    assert len(charges) == 1
    closed = Visitor(sandbox).open(f"{sandbox.url}/c/pay/{session.id}")
    assert (closed.status, texts.FR["closed_complete"] in closed.text) == (200, True)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"number": "4111 1111 1111 1111"}, "bad_number"),
        ({"number": ""}, "bad_number"),
        ({"expiry": "12/20"}, "bad_expiry"),
        ({"expiry": "13/34"}, "bad_expiry"),
        ({"cvc": "12"}, "bad_cvc"),
        ({"name": " "}, "bad_name"),
    ],
)
def test_what_was_typed_wrong_is_told_and_nothing_typed_is_lost(sandbox, page, account, changes, key):
    visitor = Visitor(sandbox).open(page().url).press(**(TYPED | changes))
    assert visitor.status == 422
    assert visitor.text.count(texts.FR[key]) == 2, "in the summary and at the field"
    for name, value in (TYPED | changes).items():
        assert f'name="{name}" type="text" value="{value.strip() or value}"' in visitor.text
    assert sandbox.state(account)["objects"]["charge"] == []


@pytest.mark.parametrize("number", ["4242-4242-4242-4242", "4242424242424242", " 4242\u00a04242 4242 4242 "])
def test_numbers_as_people_type_them(sandbox, page, number):
    assert Visitor(sandbox).open(page().url).press(**(TYPED | {"number": number})).left_for


@pytest.mark.parametrize("expiry", ["12/34", "12 / 34", "1/2034", "1234", "01-34"])
def test_dates_as_people_type_them(sandbox, page, expiry):
    assert Visitor(sandbox).open(page().url).press(**(TYPED | {"expiry": expiry})).left_for


def test_without_a_given_address_the_donor_types_one(sandbox, page, state_of):
    session = page(customer_email=None)
    visitor = Visitor(sandbox).open(session.url).press(**TYPED)
    assert texts.FR["bad_email"] in visitor.text
    visitor.press(**TYPED, email="anne@koz.test")
    assert state_of(session).customer_details.email == "anne@koz.test"


def test_declined_then_another_card(sandbox, page, state_of):
    session = page()
    visitor = Visitor(sandbox).open(session.url).press(pressed="4000000000000002")
    assert texts.FR["declined.generic_decline"] in visitor.text
    assert texts.FR["try_other"] in visitor.text
    assert state_of(session).status == "open"
    visitor.press(pressed="4000000000009995")
    assert texts.FR["declined.insufficient_funds"] in visitor.text
    assert texts.FR["declined.generic_decline"] not in visitor.text
    assert Visitor(sandbox, "en").open(session.url).text.count(texts.EN["declined.insufficient_funds"]) == 1
    assert visitor.press(**TYPED).left_for.endswith(session.id)


@pytest.mark.parametrize(("answer", "status"), [("approve", "paid"), ("refuse", "unpaid")])
def test_the_bank_asks(sandbox, page, state_of, answer, status):
    session = page()
    visitor = Visitor(sandbox).open(session.url).press(pressed="4000002500003155")
    assert visitor.path.startswith("/c/bank/")
    assert ("answer", "approve") in visitor.buttons
    assert "3155" in visitor.text
    assert state_of(session).payment_intent.status == "requires_action"
    visitor.press(answer=answer)
    assert state_of(session).payment_status == status
    if answer == "approve":
        assert visitor.left_for.endswith(session.id)
    else:
        assert texts.FR["declined.payment_intent_authentication_failure"] in visitor.text
        assert visitor.press(**TYPED).left_for.endswith(session.id)


def test_cancel_leads_back_and_an_expired_page_says_so(sandbox, page):
    session = page()
    visitor = Visitor(sandbox).open(session.url)
    assert 'href="http://127.0.0.1:8000/no"' in visitor.text
    sandbox.control("checkout/expire", {"session": session.id})
    visitor.press(**TYPED)
    assert (visitor.status, texts.FR["closed_expired"] in visitor.text) == (410, True)


def test_unknown_pages(sandbox):
    for path in ("/c/pay/cs_none", "/c/bank/cs_none", "/onboarding/none", "/nonsense"):
        assert Visitor(sandbox, "en").open(sandbox.url + path).status == 404


@pytest.fixture
def link(stripe_client):
    account = stripe_client.v2.core.accounts.create(account_params()).id

    def make():
        onboarding = {"refresh_url": "http://127.0.0.1:8000/again", "return_url": "http://127.0.0.1:8000/back"}
        use_case = {"type": "account_onboarding", "account_onboarding": onboarding}
        return stripe_client.v2.core.account_links.create({"account": account, "use_case": use_case}).url

    make.account = account
    return make


@pytest.mark.parametrize(("how", "status"), [("done", "active"), ("pending", "pending"), ("leave", "restricted")])
def test_onboarding(sandbox, stripe_client, link, how, status):
    visitor = Visitor(sandbox).open(link())
    assert "Eau Vive" in visitor.text
    visitor.press(how=how, legal_name="Eau Vive", iban="FR14 2004 1010 0505 0001 3M02 606")
    assert visitor.left_for == "http://127.0.0.1:8000/back"
    account = stripe_client.v2.core.accounts.retrieve(link.account, {"include": ["configuration.merchant"]})
    assert account.configuration.merchant.capabilities.card_payments.status == status


def test_a_link_opens_once(sandbox, link):
    url = link()
    assert Visitor(sandbox).open(url).status == 200
    again = Visitor(sandbox).open(url)
    assert (again.status, "http://127.0.0.1:8000/again" in again.text) == (410, True)
    assert Visitor(sandbox).open(link()).status == 200


def test_a_link_is_short_lived(own_sandbox):
    sandbox = own_sandbox()
    client = sandbox.client()
    account = client.v2.core.accounts.create(account_params()).id
    onboarding = {"refresh_url": "http://127.0.0.1:8000/again", "return_url": "http://127.0.0.1:8000/back"}
    use_case = {"type": "account_onboarding", "account_onboarding": onboarding}
    url = client.v2.core.account_links.create({"account": account, "use_case": use_case}).url
    sandbox.advance(600)
    assert Visitor(sandbox).open(url).status == 410


def test_onboarding_takes_only_the_invented_account(sandbox, link):
    visitor = Visitor(sandbox, "en").open(link())
    visitor.press(how="done", legal_name="", iban="DE89370400440532013000")
    assert visitor.status == 422
    assert texts.EN["bad_legal_name"] in visitor.text
    assert "DE89370400440532013000" in visitor.text


def test_the_desk(own_sandbox, receiver):
    sandbox = own_sandbox("--webhook", f"connect={receiver.url}/connect")
    client, account = sandbox.client(), sandbox.ready_account("Le Quai")
    options = {"stripe_account": account}
    open_page = client.v1.checkout.sessions.create(checkout_params(), options)
    intent = sandbox.pay(client.v1.checkout.sessions.create(checkout_params(), options).id, "4000000000007726")
    refund = client.v1.refunds.create({"payment_intent": intent["payment_intent"]["id"], "amount": 100}, options)
    receiver.wait_for(lambda events: len(events) == 5)
    desk = Visitor(sandbox).open(sandbox.url + "/")
    assert desk.path == "/_desk"
    for words in ("Le Quai", "checkout.session.completed", receiver.url):
        assert words in desk.text
    desk.press(what="expire", id=open_page.id)
    assert client.v1.checkout.sessions.retrieve(open_page.id, None, options).status == "expired"
    desk.press(what="refund_succeeded", id=refund.id)
    assert client.v1.refunds.retrieve(refund.id, None, options).status == "succeeded"
    desk.press(what="restricted", id=account)
    assert "restricted" in desk.text
    before = len(receiver.events)
    desk.press(what="replay", id="1")
    receiver.wait_for(lambda events: len(events) > before)
    now = sandbox.state()["now"]
    desk.press(what="advance", id="86400")
    assert sandbox.state()["now"] > now + 86_000
    desk.press(what="chaos", duplicate="0,5", drop="7", seed="3")
    desk.press(what="faults", rate="0.1", kinds=["429", "nonsense"], seed="1")
    assert 'name="duplicate" value="0.5"' in desk.text
    assert 'name="drop" value="1.0"' in desk.text
    assert 'value="429" checked' in desk.text
    desk.press(what="calm")
    assert 'value="429" checked' not in desk.text
    assert desk.press(what="nonsense", id="x").status == 404
    assert Visitor(sandbox, "en").open(sandbox.url + "/_desk").status == 200


def test_both_languages_say_the_same():
    assert texts.FR.keys() == texts.EN.keys()
    for key, text in texts.FR.items():
        assert re.findall(r"{\w+}", text) == re.findall(r"{\w+}", texts.EN[key]), key
        assert not re.search(r"[^\u00a0\u202f][;:!?»]|«[^\u00a0]", re.sub(r"IBAN|/", "", text)), text
    for card in CARDS.values():
        assert f"card.{card.name}" in texts.FR
        if card.decline:
            assert f"declined.{card.decline[1] or card.decline[0]}" in texts.FR


def test_no_card_number_is_kept(own_sandbox, tmp_path):
    path = tmp_path / "sandbox.sqlite"
    sandbox = own_sandbox("--data", str(path))
    client, options = sandbox.client(), {"stripe_account": sandbox.ready_account()}
    session = client.v1.checkout.sessions.create(checkout_params(), options)
    Visitor(sandbox).open(session.url).press(**TYPED)
    assert "4242424242424242" not in json.dumps(sandbox.state(options["stripe_account"]))
    sandbox.stop()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"4242" in kept
    assert b"4242424242424242" not in kept.replace(b" ", b"")
