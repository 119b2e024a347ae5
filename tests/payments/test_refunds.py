"""Refunds in races and after deaths: never more than the gift, never twice, never forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from koz.campaigns.models import Campaign
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.errors import Conflict, Invalid
from koz.core.jobs import get_job
from koz.core.money import Money
from koz.payments import ledger, queries
from koz.payments.gateway import ProviderDown
from koz.payments.models import Gift, Refund
from koz.payments.services import give, refund, settle
from koz.payments.states import REFUND_STEPS, GiftState, RefundState
from tests.payments.conftest import addresses


@pytest.fixture
def gift_id(start, gateway, campaign_id):
    started = start(20_00, tip=1_01)
    page = started.url.rsplit("/", 1)[1]
    gateway.pay(page)
    settle.look(unit_of_work, gateway, "acct_1", page)
    return started.gift_id


def want(gift_id, minor, key=None):
    command = refund.WantRefund(gift_id=gift_id, amount=Money(minor), reason="test", by=None, form_key=key)
    with unit_of_work() as session:
        return refund.want(session, command)


def state_of(gift_id):
    with unit_of_work() as session:
        gift = session.get_one(Gift, gift_id, populate_existing=True)
        assert ledger.check(session).problems == []
        return gift.state, gift.refunded_minor, gift.refunding_minor


def test_refunds_asked_at_once_never_exceed_the_gift(gift_id, gateway, committed_app):
    def ask(number):
        with committed_app.app_context():
            try:
                return refund.send(unit_of_work, gateway, want(gift_id, 3_00, f"key-{number % 10}"))
            except Invalid:
                return None

    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(ask, range(20)))
    assert set(states) == {RefundState.DONE, None}
    assert state_of(gift_id) == (GiftState.COLLECTED, 18_00, 0)
    assert sum(one.amount.minor for one in gateway.refunds.values()) <= 20_00 + 1_01
    assert len(gateway.refunds) == 6, "a form sent twice is one refund"


def test_many_parts_give_all_of_the_tip_back_and_no_more(gift_id, gateway):
    for minor in (1, 6_66, 6_66, 6_67):
        refund.send(unit_of_work, gateway, want(gift_id, minor))
    assert state_of(gift_id) == (GiftState.REFUNDED, 20_00, 0)
    assert sum(one.amount.minor for one in gateway.refunds.values()) == 20_00 + 1_01
    with pytest.raises(Conflict):
        want(gift_id, 1)


@pytest.mark.parametrize("trouble", ["down", "lose"])
def test_a_death_between_the_row_and_the_call_is_finished_by_the_job(gift_id, gateway, committed_app, trouble):
    committed_app.extensions["koz_gateway"] = gateway
    refund_id = want(gift_id, 5_00)
    setattr(gateway, trouble, True)
    with pytest.raises(ProviderDown):
        refund.send(unit_of_work, gateway, refund_id)
    assert state_of(gift_id) == (GiftState.COLLECTED, 0, 5_00)
    setattr(gateway, trouble, False)
    assert get_job("payments.send_refunds")() == 0, "it waits a little"
    with unit_of_work() as session:
        queries.get_refund(session, refund_id).next_attempt_at = now() - timedelta(seconds=1)
    gateway.refund_keys.clear()  # the provider has forgotten the key, as it does after a day
    assert get_job("payments.send_refunds")() == 1
    assert state_of(gift_id) == (GiftState.COLLECTED, 5_00, 0)
    assert len(gateway.refunds) == 1


def test_what_was_paid_twice_is_given_back_by_the_job(start, gateway, campaign_id, committed_app):
    committed_app.extensions["koz_gateway"] = gateway
    gateway.deaf = True
    started = start(20_00)
    give.open_page(unit_of_work, gateway, started.gift_id, addresses)
    for page in list(gateway.states):
        gateway.pay(page)
        settle.look(unit_of_work, gateway, "acct_1", page)
    get_job("payments.send_refunds")()
    assert state_of(started.gift_id) == (GiftState.COLLECTED, 0, 0)
    (row,) = gateway.refunds.values()
    assert row.amount == Money(20_00)
    with unit_of_work() as session:
        assert session.get_one(Campaign, campaign_id, populate_existing=True).collected_minor == 20_00
        assert ledger.balance(session, ledger.surplus(campaign_id)) == Money(0)
    gateway.settle_refund(row.provider_id, "failed")
    refund.look_at_refund(unit_of_work, gateway, "acct_1", row.provider_id)
    with unit_of_work() as session:
        failed = session.scalars(select(Refund)).one()
        again = refund.want_surplus_again(session, failed.id, None)
    refund.send(unit_of_work, gateway, again)
    with pytest.raises(Conflict), unit_of_work() as session:
        refund.want_surplus_again(session, failed.id, None)
    with unit_of_work() as session:
        assert ledger.balance(session, ledger.surplus(campaign_id)) == Money(0)
        assert session.scalar(select(func.count()).select_from(Refund)) == 2


def test_a_refund_made_elsewhere_waits_for_ours_that_is_under_way(gift_id, gateway):
    ours = want(gift_id, 15_00)  # written, not sent
    with unit_of_work() as session:
        payment = queries.get_refund(session, ours).payment_id
    gateway.give_back(payment, Money(10_00))
    with pytest.raises(ProviderDown):
        refund.look_at_payment(unit_of_work, gateway, "acct_1", payment)
    assert refund.send(unit_of_work, gateway, ours) is RefundState.FAILED, "there is not enough left"
    assert state_of(gift_id) == (GiftState.COLLECTED, 10_00, 0)


def test_a_refund_of_somebody_elses_payment_is_not_ours(gift_id, gateway):
    with unit_of_work() as session:
        payment = queries.find_counted_attempt(session, gift_id).payment_id
    one = gateway.give_back(payment, Money(1_00))
    assert refund.adopt(unit_of_work, "acct_other", one) is None
    assert state_of(gift_id)[1] == 0


@pytest.mark.parametrize("old", RefundState)
@pytest.mark.parametrize("new", [RefundState.PENDING, RefundState.DONE, RefundState.FAILED])
def test_only_steps_of_the_table_are_made(gift_id, gateway, old, new):
    gateway.refund_state = "pending"
    refund_id = want(gift_id, 5_00)
    refund.send(unit_of_work, gateway, refund_id)
    (truth,) = gateway.refunds.values()
    if old in {RefundState.DONE, RefundState.FAILED}:
        gateway.settle_refund(truth.provider_id, old.value)
        refund.look_at_refund(unit_of_work, gateway, "acct_1", truth.provider_id)
        old_now = old
    else:
        old_now = RefundState.PENDING
    gateway.settle_refund(truth.provider_id, new.value)
    refund.look_at_refund(unit_of_work, gateway, "acct_1", truth.provider_id)
    with unit_of_work() as session:
        state = queries.get_refund(session, refund_id, fresh=True).state
    assert state is (new if new in REFUND_STEPS[old_now] else old_now)
    assert state_of(gift_id)[1] == (5_00 if state is RefundState.DONE else 0)
