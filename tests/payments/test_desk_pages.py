"""The organisation's pages of money: the account at the provider, the list of gifts, giving back; and the public ledger."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from koz.campaigns.models import Campaign
from koz.core.clock import now
from koz.core.money import Money
from koz.payments import ledger, queries
from koz.payments.models import Gift, GiftAttempt, PaymentAccount, Refund
from koz.payments.services import give, refund, settle
from koz.payments.states import AccountState, GiftState, RefundState
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.fakes.gateway import FakeGateway


@pytest.fixture
def gateway(app, monkeypatch):
    fake = FakeGateway()
    monkeypatch.setitem(app.extensions, "koz_gateway", fake)
    return fake


@pytest.fixture
def organisation(session):
    return make_organisation(session)


@pytest.fixture
def treasurer(session, organisation):
    return make_member(session, organisation, "treasurer")


@pytest.fixture
def campaign(session, organisation, gateway):
    campaign = make_campaign(session, organisation_id=organisation.id)
    account = PaymentAccount(
        organisation_id=organisation.id, provider_id=f"acct_{organisation.id}", can_charge=True, state="active"
    )
    session.add(account)
    session.flush()
    gateway.set_account(account.provider_id, "active")
    return campaign


@pytest.fixture
def paid(session, campaign, gateway):
    """`paid(2000, tip=100)` is a collected gift."""

    def make(minor=20_00, tip=0, **values):
        gift = Gift(
            campaign_id=campaign.id, organisation_id=campaign.organisation_id, email=f"d{minor}-{tip}@koz.test",
            amount_minor=minor, tip_minor=tip, **values,
        )  # fmt: skip
        session.add(gift)
        session.flush()
        order, attempt_id = give._order(session, gift.id, ("https://koz.test/ok", "https://koz.test/no"))
        page = gateway.open_checkout(order).session_id
        queries.last_attempt(session, gift.id).session_id = page
        gateway.pay(page)
        session.flush()
        settle.apply(session, gateway.fetch_payment(order.account_id, page))
        session.flush()
        assert attempt_id
        return gift

    return make


# the account


def account_of(session, organisation):
    session.expire_all()
    return queries.find_account(session, organisation.id)


def test_onboarding_from_nothing_to_taking_gifts(session, client, login, organisation, treasurer, gateway):
    login(treasurer)
    address = f"/manage/organisations/{organisation.slug}/payments"
    assert "Pas encore commencé" in client.get(address).text
    first = client.post(f"{address}/start").response.location
    account = account_of(session, organisation)
    assert first.startswith(f"https://connect.test/{account.provider_id}")
    assert client.post(f"{address}/start").response.location != first, "a link is good once: a new one each time"
    assert len(gateway.accounts) == 1
    client.get(f"{address}/return", status=303)
    page = client.get(address)
    assert "À terminer" in page.text
    assert "business_details.registered_name" in page.text
    assert not account_of(session, organisation).can_charge, "coming back proves nothing"
    gateway.set_account(account.provider_id, "active")
    client.get(f"{address}/return", status=303)
    assert "Vous pouvez recevoir des dons" in client.get(address).text
    assert account_of(session, organisation).can_charge
    gateway.set_account(account.provider_id, "to_finish", "identity.document")
    client.get(f"{address}/return", status=303)
    assert "Stripe a suspendu les paiements" in client.get(address).text
    assert not account_of(session, organisation).can_charge


@pytest.mark.parametrize("trouble", ["down", "lose"])
def test_an_answer_that_is_lost_does_not_open_a_second_account(
    session, client, login, organisation, treasurer, gateway, trouble
):
    login(treasurer)
    setattr(gateway, trouble, True)
    client.post(f"/manage/organisations/{organisation.slug}/payments/start", status=503)
    assert account_of(session, organisation).provider_id is None, "the row is there first"
    setattr(gateway, trouble, False)
    client.post(f"/manage/organisations/{organisation.slug}/payments/start")
    assert len(gateway.accounts) == 1


def test_only_owners_and_treasurers_see_the_account_and_only_with_a_fresh_password(
    session, client, login, organisation, treasurer, gateway, app
):
    address = f"/manage/organisations/{organisation.slug}/payments"
    login(make_person(session))
    client.get(address, status=404)
    login(make_member(session, organisation, "editor"))
    client.get(address, status=403)
    login(treasurer)
    session.execute(_older_passwords())
    page = client.get(address)
    assert not [f for f in page.all("form") if f.get("action", "").endswith("/start")]
    answer = client.post(f"{address}/start")
    assert answer.response.location.startswith("/confirm?next=")
    assert gateway.accounts == {}


def _older_passwords():
    from sqlalchemy import update

    from koz.accounts.models import UserSession

    return update(UserSession).values(password_at=now() - timedelta(hours=1))


# giving back


def refund_form(**fields):
    return {"amount": "5", "reason": "demande", "form_key": "r1"} | fields


def test_two_equal_parts_then_the_rest(session, client, login, treasurer, campaign, paid, gateway, letters):
    gift = paid(20_00, tip=1_00)
    letters()
    login(treasurer)
    address = f"/manage/gifts/{gift.id}"
    assert client.get(address).field("amount") == "20"
    client.post(address, refund_form(form_key="a"))
    client.post(address, refund_form(form_key="b"))
    client.post(address, refund_form(form_key="b"))  # a double click
    session.expire_all()
    assert (gift.refunded_minor, gift.refunding_minor, gift.state) == (10_00, 0, GiftState.COLLECTED)
    client.post(address, refund_form(amount="10,01", form_key="c"), status=422)
    client.post(address, refund_form(amount="10", form_key="d"))
    session.expire_all()
    assert (gift.refunded_minor, gift.state) == (20_00, GiftState.REFUNDED)
    assert (campaign.collected_minor, campaign.refunded_minor) == (0, 20_00)
    assert ledger.balance(session, ledger.TIPS) == Money(0)
    assert ledger.check(session).problems == []
    assert len(gateway.refunds) == 3
    assert [letter.to_email for letter in letters()] == [gift.email] * 3
    client.post(address, refund_form(form_key="e"), status=409)


def test_a_refund_survives_a_provider_that_does_not_answer(session, client, login, treasurer, paid, gateway, app):
    gift = paid(20_00)
    login(treasurer)
    gateway.lose = True
    client.post(f"/manage/gifts/{gift.id}", refund_form())
    session.expire_all()
    row = session.query(Refund).one()
    assert (row.state, gift.refunding_minor) == (RefundState.WANTED, 5_00)
    gateway.lose = False
    row.next_attempt_at = now()
    session.flush()
    from koz.core.jobs import get_job

    assert get_job("payments.send_refunds")() == 1
    session.expire_all()
    assert (session.query(Refund).one().state, gift.refunded_minor) == (RefundState.DONE, 5_00)
    assert len(gateway.refunds) == 1, "found, not asked for again"


def test_pending_refused_and_failed_refunds(session, client, login, treasurer, campaign, paid, gateway):
    gift = paid(20_00)
    login(treasurer)
    gateway.refund_state = "pending"
    client.post(f"/manage/gifts/{gift.id}", refund_form())
    session.expire_all()
    assert (gift.refunded_minor, gift.refunding_minor, campaign.collected_minor) == (0, 5_00, 20_00)
    row = session.query(Refund).one()
    truth = gateway.refunds[row.provider_id]
    for state, refunded, collected in (("done", 5_00, 15_00), ("failed", 0, 20_00), ("done", 0, 20_00)):
        gateway.settle_refund(truth.provider_id, state)
        for _ in range(2):
            refund.apply(session, row.id, gateway.refunds[truth.provider_id])
            session.flush()
        session.expire_all()
        assert (gift.refunded_minor, campaign.collected_minor) == (refunded, collected)
        assert ledger.check(session).problems == []
    payment = row.payment_id
    gateway.settle_refund(truth.provider_id, "failed")
    gateway.give_back(payment, Money(20_00))  # somebody at the provider was quicker
    gateway.refund_state = "done"
    client.post(f"/manage/gifts/{gift.id}", refund_form(form_key="again"))
    session.expire_all()
    refused = session.query(Refund).filter_by(form_key="again").one()
    assert (refused.state, refused.failure) == (RefundState.FAILED, "charge_already_refunded")
    assert gift.state is GiftState.REFUNDED, "the refund made elsewhere was found"
    assert gift.refunding_minor == 0
    assert ledger.check(session).problems == []


def test_who_sees_gifts_and_addresses(session, client, login, organisation, treasurer, campaign, paid):
    gift = paid(20_00, message="Courage")
    address = f"/manage/campaigns/{campaign.slug}/gifts"
    login(make_person(session))
    client.get(address, status=403)
    client.get(f"/manage/gifts/{gift.id}", status=404)
    login(make_member(session, organisation, "editor"))
    page = client.get(address)
    assert gift.email not in page.text
    client.get(f"/manage/gifts/{gift.id}", status=403)
    client.post(f"/manage/gifts/{gift.id}", refund_form(), status=403)
    login(treasurer)
    assert gift.email in client.get(address).text
    assert "Courage" in client.get(f"/manage/gifts/{gift.id}").text
    session.execute(_older_passwords())
    assert client.post(f"/manage/gifts/{gift.id}", refund_form()).response.location.startswith("/confirm")
    assert session.query(Refund).count() == 0


def test_gifts_are_paged_by_key(session, client, login, treasurer, campaign, paid, queries):
    for n in range(52):
        paid(1_00 + n)
    login(treasurer)
    address = f"/manage/campaigns/{campaign.slug}/gifts"
    with queries() as seen:
        first = client.get(address)
    assert seen.count <= 4
    (following,) = [href for href in first.links() if "after=" in href]
    assert len(client.get(following).all("tr")) == 3


# the ledger


def test_the_ledger_tells_every_movement_with_running_totals(session, client, campaign, paid, gateway):
    first, second = paid(20_00, tip=1_00, public_name="Léa"), paid(30_00)
    wanted = refund.want(session, refund.WantRefund(gift_id=first.id, amount=Money(5_00), reason="x", by=None))
    row = queries.get_refund(session, wanted)
    truth = gateway.refund(
        refund_id=row.id, account_id=row.account_id, payment_id=row.payment_id, amount=Money(5_00), tip=Money(25)
    )
    refund.apply(session, wanted, truth)
    lines = queries.list_public_ledger(session, campaign.id)
    assert [(line.kind, line.gift_minor, line.total_gift_minor) for line in lines] == [
        ("refunded", -5_00, 45_00), ("paid", 30_00, 50_00), ("paid", 20_00, 20_00),
    ]  # fmt: skip
    assert [line.donor for line in lines] == ["Léa", None, "Léa"]
    assert lines[0].total_gift_minor == session.get_one(Campaign, campaign.id).collected_minor
    assert lines[0].total_net_minor == ledger.balance(session, ledger.provider(campaign.organisation_id)).minor
    assert second.email not in client.get(f"/campaigns/{campaign.slug}/ledger").text
    older = queries.list_public_ledger(session, campaign.id, after=lines[1].id)
    assert [line.id for line in older] == [lines[2].id]


def test_what_was_paid_twice_is_shown_and_not_counted(session, client, campaign, gateway, paid):
    gift = paid(20_00)
    account = f"acct_{campaign.organisation_id}"
    session.add(order := GiftAttempt(gift_id=gift.id, number=2, account_id=account, session_id="cs_second"))
    session.flush()
    payment = gateway.fetch_payment(order.account_id, list(gateway.states)[-1])
    settle.apply(session, replace(payment, session_id="cs_second", payment_id="pi_second", attempt=order.number))
    lines = queries.list_public_ledger(session, campaign.id)
    assert [(line.counts, line.gift_minor, line.total_gift_minor) for line in lines] == [
        (False, 20_00, 20_00), (True, 20_00, 20_00),
    ]  # fmt: skip
    client.get(f"/campaigns/{campaign.slug}/ledger")
    assert ledger.check(session).problems == []


def test_the_ledger_as_files(session, client, campaign, paid):
    paid(20_00, public_name="=cmd|'/C calc'!A0")
    paid(30_00, public_name='Zoé, "la\nvraie"')
    answer = client.open(f"/campaigns/{campaign.slug}/ledger?format=csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row["donor"] for row in rows] == ['Zoé, "la\nvraie"', "'=cmd|'/C calc'!A0"]
    assert [int(row["total_gift_minor"]) for row in rows] == [50_00, 20_00]
    document = json.loads(client.open(f"/campaigns/{campaign.slug}/ledger?format=json").get_data())
    assert [line["gift_minor"] for line in document["lines"]] == [30_00, 20_00]
    assert document["next"] is None


@pytest.mark.parametrize("gifts", [1, 60])
def test_the_ledger_costs_the_same_whatever_its_length(client, campaign, paid, queries, gifts):
    for n in range(gifts):
        paid(1_00 + n)
    for form in ("", "?format=csv", "?format=json"):
        with queries() as seen:
            client.open(f"/campaigns/{campaign.slug}/ledger{form}")
        assert seen.count <= 3


def test_the_check_finds_what_does_not_fit(session, campaign, paid):
    gift = paid(20_00)
    assert ledger.check(session).problems == []
    campaign.collected_minor += 1
    session.flush()
    found = ledger.check(session)
    assert (found.balanced, found.unexplained_minor) == (False, 1)
    campaign.collected_minor -= 1
    gift.refunded_minor = 3
    session.flush()
    assert len(ledger.check(session).problems) == 2
    gift.refunded_minor = 0
    session.add(
        Gift(
            campaign_id=campaign.id, organisation_id=campaign.organisation_id, email="x@koz.test", amount_minor=7_00,
            state=GiftState.COLLECTED, collected_at=now(),
        )
    )  # fmt: skip
    session.flush()
    assert any("0 paid pages" in problem for problem in ledger.check(session).problems)
    assert AccountState.ACTIVE
