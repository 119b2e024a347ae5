"""A gift's life as a machine: whatever happens in whatever order, books, totals and states are those of a small model."""

import itertools
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from koz.campaigns.models import Campaign
from koz.core.db import unit_of_work
from koz.core.errors import Conflict, Invalid, Unavailable
from koz.core.money import Money
from koz.payments import ledger, queries, webhooks
from koz.payments.gateway import ProviderDown, ProviderEvent, ProviderRefused
from koz.payments.models import Gift, GiftAttempt, PaymentAccount, Refund
from koz.payments.services import give, refund, settle
from koz.payments.states import GiftState, RefundState
from tests.factories.campaigns import make_campaign
from tests.fakes.gateway import FakeGateway
from tests.payments.conftest import addresses

AMOUNT, TIP = 20_00, 1_01
numbers = itertools.count(1)


class GiftLife(RuleBasedStateMachine):
    """One gift of 20 € with a tip, at a provider that answers, does not, or answers too late."""

    @initialize()
    def begin(self):
        self.gateway = FakeGateway()
        with unit_of_work() as session:
            campaign = make_campaign(session)
            session.add(
                PaymentAccount(
                    organisation_id=campaign.organisation_id, provider_id=f"acct_{next(numbers)}", can_charge=True
                )
            )
            self.campaign_id = campaign.id
        with unit_of_work() as session:
            account = queries.find_account(session, session.get_one(Campaign, self.campaign_id).organisation_id)
            self.account = account.provider_id
        self.key = f"machine-{next(numbers)}"
        self.gift_id = None

    # what people do

    @rule(down=st.booleans(), lose=st.booleans())
    def press_the_button(self, down, lose):
        self.gateway.down, self.gateway.lose = down, lose
        wish = give.OpenGift(
            campaign_id=self.campaign_id, amount=Money(AMOUNT), tip=Money(TIP), email="d@koz.test", form_key=self.key
        )
        try:
            self.gift_id = give.start(unit_of_work, self.gateway, wish, addresses).gift_id
        except (Unavailable, Conflict):
            with unit_of_work() as session:
                self.gift_id = queries.find_gift_by_form_key(session, self.key).id
        self.gateway.down = self.gateway.lose = False

    @precondition(lambda self: self.gift_id)
    @rule(deaf=st.booleans())
    def pay_again(self, deaf):
        self.gateway.deaf = deaf
        with suppress(Conflict):
            give.open_page(unit_of_work, self.gateway, self.gift_id, addresses)
        self.gateway.deaf = False

    @rule(data=st.data())
    def pay_a_page(self, data):
        self._page(data, "open", self.gateway.pay)

    @rule(data=st.data())
    def page_closes(self, data):
        self._page(data, "open", self.gateway.expire)

    @rule(data=st.data())
    def bank_refuses(self, data):
        self._page(data, "open", self.gateway.decline)

    def _page(self, data, state, act):
        pages = sorted(page for page, now in self.gateway.states.items() if now == state)
        if pages:
            act(data.draw(st.sampled_from(pages)))

    @precondition(lambda self: self.gift_id)
    @rule(minor=st.integers(1, AMOUNT + 5), state=st.sampled_from(["done", "pending"]), lose=st.booleans())
    def treasurer_gives_back(self, minor, state, lose):
        try:
            with unit_of_work() as session:
                wanted = refund.want(
                    session, refund.WantRefund(gift_id=self.gift_id, amount=Money(minor), reason="x", by=None)
                )
        except (Conflict, Invalid):
            return
        self.gateway.refund_state, self.gateway.lose = state, lose
        with suppress(ProviderDown):
            refund.send(unit_of_work, self.gateway, wanted)
        self.gateway.lose = False

    @rule(data=st.data(), minor=st.integers(1, AMOUNT))
    def somebody_gives_back_at_the_provider(self, data, minor):
        if self.gateway.payments:
            payment = data.draw(st.sampled_from(sorted(self.gateway.payments.values())))
            with suppress(ProviderRefused):
                self.gateway.give_back(payment, Money(minor))

    @rule(data=st.data(), state=st.sampled_from(["done", "failed"]))
    def bank_decides_on_a_refund(self, data, state):
        living = sorted(k for k, r in self.gateway.refunds.items() if r.state != "failed")
        if living:
            one = data.draw(st.sampled_from(living))
            if not (state == "done" and self.gateway.refunds[one].state == "done"):
                self.gateway.settle_refund(one, state)

    # what machines do

    @rule(data=st.data(), times=st.integers(1, 3))
    def event_comes(self, data, times):
        pages = sorted(self.gateway.states)
        if pages:
            page = data.draw(st.sampled_from(pages))
            self._ring(times, "checkout.session.completed", page, {})

    @rule(data=st.data(), times=st.integers(1, 2))
    def event_of_a_refund_comes(self, data, times):
        if self.gateway.payments:
            payment = data.draw(st.sampled_from(sorted(self.gateway.payments.values())))
            about = {"data": {"object": {"id": "ch_1", "payment_intent": payment}}}
            self._ring(times, "charge.refunded", "ch_1", about)

    def _ring(self, times, type_, object_id, payload):
        with unit_of_work() as session:
            for _ in range(times):
                event = ProviderEvent(f"evt_{next(numbers)}", type_, False, self.account, object_id, payload)
                webhooks.receive(session, "connect", event)
        webhooks.apply_due(unit_of_work, self.gateway)

    @rule()
    def everything_is_looked_at(self):
        """What the sweeps do, when all is quiet: then the books must say all that the provider says."""
        self.settle_all()
        paid = [p for p, state in self.gateway.states.items() if state == "paid"]
        with unit_of_work() as session:
            attempts = session.scalars(select(GiftAttempt.session_id).where(GiftAttempt.payment_id.is_not(None)))
            known = {s for s in attempts if s in self.gateway.states}
            assert known == set(paid), "a payment is lost"
            refunds = session.scalars(select(Refund).where(Refund.account_id == self.account)).all()
            by_id = {r.provider_id: r for r in refunds if r.provider_id}
            for provider_id, truth in self.gateway.refunds.items():
                assert by_id[provider_id].state == truth.state, (provider_id, truth, by_id[provider_id].state)
                assert by_id[provider_id].total == truth.amount

    def settle_all(self):
        for _ in range(3):
            for page in sorted(self.gateway.states):
                settle.look(unit_of_work, self.gateway, self.account, page)
            for payment in sorted(self.gateway.payments.values()):
                with suppress(ProviderDown):
                    refund.look_at_payment(unit_of_work, self.gateway, self.account, payment)
            with unit_of_work() as session:
                query = select(Refund.id).where(
                    Refund.account_id == self.account, Refund.state.in_([RefundState.WANTED, RefundState.PENDING])
                )
                waiting = list(session.scalars(query))
            for one in waiting:
                refund.send(unit_of_work, self.gateway, one)

    @invariant()
    def books_are_right(self):
        if not getattr(self, "gift_id", None):
            return
        with unit_of_work() as session:
            session.expunge_all()
            gift = session.get_one(Gift, self.gift_id)
            campaign = session.get_one(Campaign, self.campaign_id)
            assert ledger.check(session).problems == []
            assert campaign.collected_minor == (gift.amount_minor - gift.refunded_minor if gift.collected_at else 0)
            assert campaign.gifts == (1 if gift.collected_at else 0)
            assert (gift.state is GiftState.REFUNDED) == (gift.refunded_minor == gift.amount_minor)
            counted = [a for a in queries.list_attempts(session, gift.id) if a.payment_id and not a.surplus]
            assert len(counted) <= 1
            for attempt in queries.list_attempts(session, gift.id):
                living = [
                    r for r in queries.list_refunds(session, gift.id)
                    if r.payment_id == attempt.payment_id and r.state is not RefundState.FAILED
                ]  # fmt: skip
                assert sum(r.total.minor for r in living) <= AMOUNT + TIP or any(
                    r.reason == "elsewhere" for r in living
                )


@pytest.mark.usefixtures("committed_app")
def test_whatever_happens_in_whatever_order():
    run_state_machine_as_test(
        GiftLife,
        settings=settings(
            max_examples=100, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
