"""The real SDK and adapter against the stand-in for Stripe: every verb, and a gift's whole life."""

import threading
from collections.abc import Iterator

import pytest
import requests

from koz.campaigns.models import Campaign
from koz.core.db import unit_of_work
from koz.core.money import Money
from koz.payments import ledger, queries
from koz.payments.gateway import AccountOrder, ProviderDown, ProviderRefused
from koz.payments.models import Gift, PaymentAccount
from koz.payments.services import give, refund, settle
from koz.payments.states import AttemptState, GiftState, RefundState
from koz.payments.stripe_gateway import StripeGateway
from koz.sandbox.app import Options, Sandbox
from tests.factories.campaigns import make_campaign
from tests.payments.conftest import addresses

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    one = Sandbox(Options(port=0))
    thread = threading.Thread(target=one.run)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()


@pytest.fixture
def control(sandbox):
    def ask(path, **body):
        answer = requests.post(f"{sandbox.url}/_control/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    yield ask
    ask("faults", rate=0)


@pytest.fixture
def gateway(sandbox) -> StripeGateway:
    return StripeGateway("sk_test_koz", ("whsec_1",), sandbox.url)


@pytest.fixture
def account(control) -> str:
    return control("accounts")["id"]


@pytest.fixture
def campaign_id(committed_app, account) -> int:
    with unit_of_work() as session:
        campaign = make_campaign(session)
        session.add(PaymentAccount(organisation_id=campaign.organisation_id, provider_id=account, can_charge=True))
        return campaign.id


@pytest.fixture
def start(gateway, campaign_id):
    def open_gift(minor, tip=0):
        wish = give.OpenGift(campaign_id=campaign_id, amount=Money(minor), tip=Money(tip), email="donor@koz.test")
        started = give.start(unit_of_work, gateway, wish, addresses)
        with unit_of_work() as session:
            return started.gift_id, queries.last_attempt(session, started.gift_id).session_id

    return open_gift


def test_an_account_is_opened_once_and_is_active_when_its_forms_are_filled_in(gateway, control):
    order = AccountOrder(row_id=1, name="Eau vive", email="t@koz.test", entity="association")
    opened = gateway.open_account(order)
    assert opened.state == "to_finish"
    assert opened.requirements
    assert gateway.open_account(order).provider_id == opened.provider_id
    urls = {
        gateway.account_link(opened.provider_id, refresh_url="https://koz.test/r", return_url="https://koz.test/b")
        for _ in range(2)
    }
    assert len(urls) == 2
    control("accounts/state", account=opened.provider_id, state="active")
    assert gateway.fetch_account(opened.provider_id).state == "active"
    assert not gateway.fetch_account(opened.provider_id).requirements
    control("accounts/state", account=opened.provider_id, state="restricted")
    assert gateway.fetch_account(opened.provider_id).state == "to_finish"


def test_a_gift_with_a_tip_is_paid_partly_refunded_and_fully_refunded(
    start, gateway, control, campaign_id, account, sandbox
):
    gift_id, page = start(20_00, tip=1_00)
    control("checkout/pay", session=page)
    assert settle.look(unit_of_work, gateway, account, page) is GiftState.COLLECTED
    for minor in (5_01, 5_01, 9_98):
        with unit_of_work() as session:
            wanted = refund.want(
                session, refund.WantRefund(gift_id=gift_id, amount=Money(minor), reason="test", by=None)
            )
        assert refund.send(unit_of_work, gateway, wanted) is RefundState.DONE
    with unit_of_work() as session:
        gift = session.get_one(Gift, gift_id)
        assert (gift.state, gift.refunded_minor, gift.refunding_minor) == (GiftState.REFUNDED, 20_00, 0)
        assert ledger.check(session).problems == []
        assert ledger.balance(session, ledger.TIPS) == Money(0)
        held = ledger.balance(session, ledger.provider(gift.organisation_id)).minor
        assert session.get_one(Campaign, campaign_id).collected_minor == 0
    state = requests.get(f"{sandbox.url}/_control/state", params={"account": account}, timeout=10).json()
    assert state["sums"]["net"] == held, "our books are the provider's, to the cent"


def test_a_refund_made_at_the_provider_itself_is_found(start, gateway, control, campaign_id, account):
    gift_id, page = start(20_00, tip=1_00)
    control("checkout/pay", session=page)
    settle.look(unit_of_work, gateway, account, page)
    with unit_of_work() as session:
        payment = queries.find_counted_attempt(session, gift_id).payment_id
    options = {"stripe_account": account}
    gateway.client.v1.refunds.create({"payment_intent": payment, "amount": 7_00}, options)
    for _ in range(2):
        assert refund.look_at_payment(unit_of_work, gateway, account, payment) == 1
    gateway.client.v1.refunds.create({"payment_intent": payment}, options)
    refund.look_at_payment(unit_of_work, gateway, account, payment)
    with unit_of_work() as session:
        gift = session.get_one(Gift, gift_id)
        assert (gift.state, gift.refunded_minor) == (GiftState.REFUNDED, 20_00)
        assert [r.reason for r in queries.list_refunds(session, gift_id)] == ["elsewhere"] * 2
        assert ledger.balance(session, ledger.TIPS) == Money(1_00), "nobody asked Koz for its part"
        assert ledger.check(session).problems == []


def test_pages_are_closed_declined_and_paid_after_that(start, gateway, control, campaign_id, account):
    gift_id, page = start(20_00)
    control("checkout/pay", session=page, card="4000000000009995")
    settle.look(unit_of_work, gateway, account, page)
    with unit_of_work() as session:
        attempt = queries.last_attempt(session, gift_id)
        assert (attempt.state, attempt.failure) == (AttemptState.OPEN, "insufficient_funds")
    url = give.open_page(unit_of_work, gateway, gift_id, addresses)
    assert url
    assert gateway.fetch_payment(account, page).state == "expired"
    assert not gateway.expire_checkout(account, page)
    with unit_of_work() as session:
        fresh = queries.last_attempt(session, gift_id).session_id
    control("checkout/pay", session=fresh)
    assert settle.look(unit_of_work, gateway, account, fresh) is GiftState.COLLECTED


def test_a_pending_refund_is_settled_later_and_a_failed_one_is_turned_round(
    start, gateway, control, campaign_id, account
):
    gift_id, page = start(20_00)
    control("checkout/pay", session=page)
    settle.look(unit_of_work, gateway, account, page)
    with unit_of_work() as session:
        wanted = refund.want(session, refund.WantRefund(gift_id=gift_id, amount=Money(20_00), reason="t", by=None))
    assert refund.send(unit_of_work, gateway, wanted) is RefundState.DONE
    with unit_of_work() as session:
        provider_id = queries.get_refund(session, wanted).provider_id
    control("refunds", refund=provider_id, status="failed")
    refund.look_at_refund(unit_of_work, gateway, account, provider_id)
    with unit_of_work() as session:
        gift = session.get_one(Gift, gift_id)
        assert (gift.state, gift.refunded_minor) == (GiftState.COLLECTED, 0)
        assert session.get_one(Campaign, campaign_id).collected_minor == 20_00
        assert ledger.check(session).problems == []


def test_faults_of_the_provider_are_told_apart(gateway, control, account):
    control("faults", rate=1, kinds=["429"])
    with pytest.raises(ProviderDown):
        gateway.fetch_account(account)
    control("faults", rate=0)
    with pytest.raises(ProviderRefused):
        gateway.fetch_payment(account, "cs_test_unknown")
    with pytest.raises(ProviderRefused):
        gateway.fetch_payment("acct_unknown", "cs_test_unknown")
