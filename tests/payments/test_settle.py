"""A gift from the wish to the books: once, whoever looks, however often, in whatever order, whatever dies."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from koz.campaigns.models import Campaign, TimelineEntry
from koz.campaigns.states import CampaignState
from koz.core.clock import today
from koz.core.db import unit_of_work
from koz.core.errors import Conflict, Unavailable
from koz.core.money import Money
from koz.core.outbox import OutboxMessage
from koz.payments import ledger, queries
from koz.payments.models import Gift, GiftAttempt, Posting, Refund
from koz.payments.services import give, settle
from koz.payments.states import AttemptState, GiftState
from tests.payments.conftest import addresses


def session_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


def look(gateway, session_id):
    return settle.look(unit_of_work, gateway, "acct_1", session_id)


def books(campaign_id):
    with unit_of_work() as session:
        campaign = session.get_one(Campaign, campaign_id)
        return campaign.collected_minor, campaign.gifts, -ledger.balance(session, ledger.donors(campaign_id)).minor


def events():
    with unit_of_work() as session:
        return sorted(session.scalars(select(OutboxMessage.event)).all())


def test_a_paid_gift_is_collected_once_however_often_one_looks(start, gateway, campaign_id):
    started = start(20_00, tip=1_00)
    page = session_of(started.url)
    assert look(gateway, page) is GiftState.OPENED
    gateway.pay(page)
    assert {look(gateway, page) for _ in range(3)} == {GiftState.COLLECTED}
    assert books(campaign_id) == (20_00, 1, 21_00)
    assert events() == ["GiftCollected"]
    with unit_of_work() as session:
        assert ledger.balance(session, ledger.TIPS) == Money(1_00)
        found = ledger.check(session)
        assert found.balanced
        assert (found.postings, found.lines) == (1, 4)


def test_twenty_payments_that_cross_the_minimum_together_fund_once(start, gateway, campaign_id, committed_app):
    pages = [session_of(start(10_00).url) for _ in range(20)]
    for page in pages:
        gateway.pay(page)

    def work(page):
        with committed_app.app_context():
            return look(gateway, page)

    with ThreadPoolExecutor(10) as pool:
        states = list(pool.map(work, pages * 3))
    assert set(states) == {GiftState.COLLECTED}
    assert books(campaign_id) == (200_00, 20, 200_00)
    assert events().count("CampaignFunded") == 1
    with unit_of_work() as session:
        assert session.get_one(Campaign, campaign_id).state is CampaignState.FUNDED
        assert session.scalar(select(func.count()).select_from(TimelineEntry)) == 1


def test_paid_in_two_tabs_counts_once_and_the_second_is_to_be_given_back(start, gateway, campaign_id):
    gateway.deaf = True  # the older page could not be closed
    started = start(20_00)
    first = session_of(started.url)
    second = session_of(give.open_page(unit_of_work, gateway, started.gift_id, addresses))
    assert first != second
    gateway.pay(first)
    gateway.pay(second)
    for page in (second, first, second):
        look(gateway, page)
    assert books(campaign_id) == (20_00, 1, 20_00)
    with unit_of_work() as session:
        refund = session.scalars(select(Refund)).one()
        assert (refund.amount_minor, refund.reason, refund.payment_id) == (20_00, "paid_twice", f"pi_{first}")


def test_what_a_session_remembers_is_not_taken_for_the_present_state(start, gateway, campaign_id, committed_app):
    page = session_of(start(20_00).url)
    with unit_of_work() as session:
        remembered = queries.find_attempt(session, page)
    gateway.pay(page)

    def elsewhere():
        with committed_app.app_context():
            return look(gateway, page)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere).result() is GiftState.COLLECTED
    assert remembered.state is AttemptState.OPEN, "this session saw it before"
    payment = gateway.fetch_payment("acct_1", page)
    with unit_of_work() as session:
        settle.apply(session, payment)
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Refund)) == 0
    assert books(campaign_id) == (20_00, 1, 20_00)


def test_the_row_is_there_before_the_provider_is_asked(start, gateway, campaign_id):
    gateway.down = True
    with pytest.raises(Unavailable):
        start(20_00)
    with unit_of_work() as session:
        assert session.scalars(select(Gift)).one().state is GiftState.OPENED
        assert session.scalars(select(GiftAttempt)).one().state is AttemptState.EXPIRED


def test_a_page_opened_in_the_dark_is_found_by_its_number(start, gateway, campaign_id):
    gateway.lose = True
    with pytest.raises(Unavailable):
        start(20_00)
    ((_order, page),) = gateway.pages.values()
    gateway.pay(page)
    assert look(gateway, page) is GiftState.COLLECTED
    assert books(campaign_id) == (20_00, 1, 20_00)


def test_an_expired_page_abandons_the_gift_unless_a_newer_one_is_open(start, gateway, campaign_id):
    started = start(20_00)
    first = session_of(started.url)
    second = session_of(give.open_page(unit_of_work, gateway, started.gift_id, addresses))
    gateway.expire(first)
    assert look(gateway, first) is GiftState.OPENED
    gateway.expire(second)
    assert look(gateway, second) is GiftState.ABANDONED
    third = session_of(give.open_page(unit_of_work, gateway, started.gift_id, addresses))
    gateway.pay(third)
    assert look(gateway, third) is GiftState.COLLECTED
    assert books(campaign_id)[0] == 20_00


def test_a_page_of_another_account_is_not_ours(start, gateway, campaign_id):
    page = session_of(start(20_00).url)
    gateway.pay(page)
    assert settle.look(unit_of_work, gateway, "acct_other", page) is None
    assert books(campaign_id) == (0, 0, 0)


def test_no_gift_after_the_end_nor_without_an_account(start, gateway, campaign_id):
    with unit_of_work() as session:
        session.get_one(Campaign, campaign_id).deadline_on = today() - timedelta(days=1)
    with pytest.raises(Conflict):
        start(20_00)
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Posting)) == 0


def test_the_slower_half_of_a_double_click_does_not_close_the_page_of_the_faster(start, gateway):
    started = start(20_00)  # the faster half; the slower one saw no page yet when it looked
    assert give.open_page(unit_of_work, gateway, started.gift_id, addresses, anew=False) == started.url
    assert set(gateway.states.values()) == {"open"}
    assert give.open_page(unit_of_work, gateway, started.gift_id, addresses) != started.url
    assert sorted(gateway.states.values()) == ["expired", "open"]
