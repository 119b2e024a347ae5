"""A campaign that can take gifts, and a provider."""

from collections.abc import Callable

import pytest

from koz.core.db import unit_of_work
from koz.core.money import Money
from koz.payments.models import PaymentAccount
from koz.payments.services import give
from tests.factories.campaigns import make_campaign
from tests.fakes.gateway import FakeGateway


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def campaign_id(committed_app) -> int:
    """A live campaign that needs 100 €; its organisation can charge."""
    with unit_of_work() as session:
        campaign = make_campaign(session)
        session.add(PaymentAccount(organisation_id=campaign.organisation_id, provider_id="acct_1", can_charge=True))
        return campaign.id


@pytest.fixture
def start(gateway, campaign_id) -> Callable[..., give.Started]:
    """`start(2000, tip=100)` opens a gift of 20 € and its hosted page."""

    def open_gift(minor: int, tip: int = 0) -> give.Started:
        wish = give.OpenGift(campaign_id=campaign_id, amount=Money(minor), tip=Money(tip), email="donor@koz.test")
        return give.start(unit_of_work, gateway, wish, addresses)

    return open_gift


def addresses(gift_id: int) -> tuple[str, str]:
    return f"https://koz.test/gifts/{gift_id}/thanks", f"https://koz.test/gifts/{gift_id}"
