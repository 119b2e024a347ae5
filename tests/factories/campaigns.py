"""Campaigns for tests."""

from datetime import timedelta
from itertools import count

from sqlalchemy.orm import Session

from koz.campaigns.models import Campaign
from koz.campaigns.states import CampaignState
from koz.core.clock import today
from tests.factories.accounts import make_organisation

_numbers = count(1)


def make_campaign(session: Session, *, state: CampaignState = CampaignState.LIVE, **values) -> Campaign:
    """A campaign that needs 100 €, of an association of its own unless `organisation_id` is given."""
    n = next(_numbers)
    if "organisation_id" not in values:
        values["organisation_id"] = make_organisation(session).id
    values = {
        "slug": f"campagne-{n}", "title": f"Campagne {n}", "minimum_minor": 100_00, "optimum_minor": 200_00,
        "deadline_on": today() + timedelta(days=30),
    } | values  # fmt: skip
    campaign = Campaign(state=state, **values)
    session.add(campaign)
    session.flush()
    return campaign
