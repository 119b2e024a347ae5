"""Hours given replace a part of the sum to raise: to the cent, once, and never below zero."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from koz.campaigns import queries, services
from koz.campaigns.models import BudgetLine, Campaign, HoursGiven, TimelineEntry
from koz.campaigns.services import Given
from koz.campaigns.services.hours import value_of
from koz.campaigns.states import CampaignState, LineKind
from koz.core.db import unit_of_work
from koz.core.money import Money
from koz.core.outbox import OutboxMessage
from koz.payments.ledger import check as check_ledger
from tests.factories.campaigns import make_campaign


def make_line(session, campaign, *, minimum=3_000_00, hours=40, kind=LineKind.EITHER, **values) -> BudgetLine:
    """A line of 3,000 € or 40 hours; the campaign's totals follow."""
    line = BudgetLine(
        campaign_id=campaign.id, label="Étude d’impact", kind=kind, minimum_minor=minimum, optimum_minor=minimum,
        hours=hours, **values,
    )  # fmt: skip
    session.add(line)
    session.flush()
    return line


@pytest.fixture
def campaign(session) -> Campaign:
    return make_campaign(session, minimum_minor=5_000_00, optimum_minor=6_000_00)


def work(campaign, line, n=1, *, hours=12, seats=1, mission=None) -> Given:
    return Given(
        key=f"engagement-{n}", campaign_id=campaign.id, budget_line_id=line.id, title=f"Mission {n}",
        href=f"/missions/{mission or n}", hours_total=hours, seats=seats,
    )  # fmt: skip


def funded_events(session) -> int:
    return session.scalars(select(OutboxMessage.event)).all().count("CampaignFunded")


def test_hours_lower_the_sum_to_raise_and_the_story_says_so(session, campaign):
    line = make_line(session, campaign)
    assert services.count_hours(session, work(campaign, line), active=True)
    assert (line.hours_given, line.skills_minor) == (12, 900_00)
    assert (campaign.skills_minor, campaign.to_raise_minor) == (900_00, 4_100_00)
    assert campaign.minimum_minor == 5_000_00
    (told,) = queries.list_timeline(session, campaign.id)
    assert (told.kind, told.href) == ("hours_given", "/missions/1")
    assert told.params == {"hours": 12, "line": "Étude d’impact", "minor": 900_00, "to_raise_minor": 4_100_00}
    assert queries.list_wrong_skills(session) == []


def test_the_same_work_counts_once_however_often_it_is_told(session, campaign):
    line = make_line(session, campaign)
    assert [services.count_hours(session, work(campaign, line), active=True) for _ in range(3)] == [True, False, False]
    assert campaign.skills_minor == 900_00
    assert session.scalar(select(func.count()).select_from(TimelineEntry)) == 1


def test_hours_taken_back_raise_the_sum_again_and_both_stay_in_the_story(session, campaign):
    line = make_line(session, campaign)
    services.count_hours(session, work(campaign, line), active=True)
    assert services.count_hours(session, work(campaign, line), active=False)
    assert not services.count_hours(session, work(campaign, line), active=False)
    assert (line.hours_given, campaign.to_raise_minor) == (0, 5_000_00)
    ((row, label),) = queries.list_hours(session, campaign.id)
    assert (row.active, row.minor, row.ended_at is not None, label) == (False, 0, True, "Étude d’impact")
    assert {e.kind for e in queries.list_timeline(session, campaign.id)} == {"hours_given", "hours_back"}


def test_work_that_ended_before_it_was_counted_never_counts(session, campaign):
    line = make_line(session, campaign)
    assert not services.count_hours(session, work(campaign, line), active=False)
    assert session.scalar(select(func.count()).select_from(HoursGiven)) == 0


def test_hours_beyond_the_line_replace_nothing_more(session, campaign):
    line = make_line(session, campaign)
    for n in range(1, 5):
        services.count_hours(session, work(campaign, line, n, hours=15), active=True)
    assert (line.hours_given, line.skills_minor, campaign.to_raise_minor) == (60, 3_000_00, 2_000_00)
    assert [row.minor for row, _label in queries.list_hours(session, campaign.id)] == [750_00] * 4
    services.count_hours(session, work(campaign, line, 4, hours=15), active=False)
    assert campaign.to_raise_minor == 2_000_00
    services.count_hours(session, work(campaign, line, 3, hours=15), active=False)
    assert campaign.to_raise_minor == 2_750_00


def test_lines_in_hours_alone_count_hours_and_no_money_lines_in_money_nothing(session, campaign):
    skill = make_line(session, campaign, kind=LineKind.SKILL, minimum=0)
    money = make_line(session, campaign, kind=LineKind.MONEY, hours=0)
    assert services.count_hours(session, work(campaign, skill), active=True)
    assert not services.count_hours(session, work(campaign, money, 2), active=True)
    assert (skill.hours_given, skill.skills_minor, campaign.skills_minor, money.hours_given) == (12, 0, 0, 0)
    assert queries.list_timeline(session, campaign.id) == []


def test_a_line_of_another_campaign_takes_nothing(session, campaign):
    line = make_line(session, make_campaign(session))
    assert not services.count_hours(session, work(campaign, line), active=True)


def test_seats_share_the_hours_of_their_mission(session, campaign):
    line = make_line(session, campaign)
    for n in (1, 2, 3):
        services.count_hours(session, work(campaign, line, n, hours=10, seats=3, mission=9), active=True)
    assert sorted(row.hours for row, _label in queries.list_hours(session, campaign.id)) == [3, 3, 4]
    services.count_hours(session, work(campaign, line, 1, hours=10, seats=3, mission=9), active=False)
    services.count_hours(session, work(campaign, line, 4, hours=10, seats=3, mission=9), active=True)
    assert line.hours_given == 10


@settings(max_examples=300)
@any_of(st.integers(1, 10**9), st.integers(1, 10_000), st.lists(st.integers(0, 4_000), max_size=20))
def test_what_hours_replace_is_exact_bounded_and_grows(minimum, hours, given):
    so_far = 0
    for n in range(len(given) + 1):
        worth = value_of(minimum, hours, sum(given[:n]))
        assert so_far <= worth <= minimum
        assert worth * hours <= minimum * sum(given[:n])
        so_far = worth
    assert value_of(minimum, hours, hours) == minimum
    if sum(given):
        assert sum(part.minor for part in Money(so_far).split(given)) == so_far


def test_cached_sums_are_those_of_the_rows_whatever_happened(session, campaign):
    lines = [make_line(session, campaign, minimum=1_000_01, hours=7), make_line(session, campaign, hours=13)]
    steps = [(1, 0, 3), (2, 1, 5), (3, 0, 2), (1, 0, 0), (4, 1, 40), (5, 0, 9), (2, 1, 0), (5, 0, 0), (6, 1, 1)]
    for n, which, hours in steps:
        services.count_hours(session, work(campaign, lines[which], n, hours=hours), active=hours > 0)
        assert queries.list_wrong_skills(session) == []
        rows = [row for row, _label in queries.list_hours(session, campaign.id) if row.active]
        for line in lines:
            mine = [row for row in rows if row.budget_line_id == line.id]
            assert line.hours_given == sum(row.hours for row in mine)
            assert line.skills_minor == value_of(line.minimum_minor, line.hours, line.hours_given)
            assert line.skills_minor == sum(row.minor for row in mine)
        assert campaign.skills_minor == sum(line.skills_minor for line in lines)
    assert check_ledger(session).problems == []
    lines[0].skills_minor -= 1
    session.flush()
    assert [w.slug for w in queries.list_wrong_skills(session)] == [campaign.slug]
    assert any(campaign.slug in problem for problem in check_ledger(session).problems)


def test_the_database_refuses_a_sum_to_raise_below_zero(session, campaign):
    campaign.skills_minor = campaign.minimum_minor + 1
    with pytest.raises(IntegrityError):
        session.flush()


# Funded --------------------------------------------------------------------------------------------------------------


def test_hours_that_leave_nothing_to_raise_fund_the_campaign_once(session, campaign):
    line = make_line(session, campaign)
    services.add_contribution(session, campaign.id, Money(4_099_99))
    assert campaign.state is CampaignState.LIVE
    services.count_hours(session, work(campaign, line), active=True)
    assert campaign.state is CampaignState.LIVE
    services.count_hours(session, work(campaign, line, 2, hours=1), active=True)
    assert (campaign.state, campaign.funded_at is not None) == (CampaignState.FUNDED, True)
    services.count_hours(session, work(campaign, line, 3), active=True)
    services.add_contribution(session, campaign.id, Money(10_00))
    assert funded_events(session) == 1
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.event == "CampaignFunded")).one()
    assert (message.payload["collected_minor"], message.payload["skills_minor"]) == (4_099_99, 975_00)
    assert "975" in services.describe("funded", message.payload)


def test_a_gift_reaches_what_hours_left_to_raise(session, campaign):
    line = make_line(session, campaign)
    services.count_hours(session, work(campaign, line, hours=40), active=True)
    assert not services.add_contribution(session, campaign.id, Money(1_999_99)).reached_goal
    assert services.add_contribution(session, campaign.id, Money(1)).reached_goal
    assert funded_events(session) == 1


def test_hours_taken_back_never_un_fund(session, campaign):
    line = make_line(session, campaign)
    services.add_contribution(session, campaign.id, Money(4_500_00))
    services.count_hours(session, work(campaign, line), active=True)
    services.count_hours(session, work(campaign, line), active=False)
    assert (campaign.state, campaign.to_raise_minor) == (CampaignState.FUNDED, 5_000_00)
    services.add_contribution(session, campaign.id, Money(500_00))
    assert funded_events(session) == 1


def test_hours_that_cover_the_whole_minimum_fund_it_without_a_gift(session):
    campaign = make_campaign(session, minimum_minor=3_000_00, optimum_minor=3_000_00)
    services.count_hours(session, work(campaign, make_line(session, campaign), hours=40), active=True)
    assert (campaign.state, campaign.to_raise_minor) == (CampaignState.FUNDED, 0)


@pytest.mark.parametrize("state", [CampaignState.FAILED, CampaignState.CLOSED, CampaignState.CONSULTING])
def test_hours_after_that_count_and_change_no_state(session, state):
    campaign = make_campaign(session, state=state, minimum_minor=3_000_00, optimum_minor=3_000_00)
    services.count_hours(session, work(campaign, make_line(session, campaign), hours=40), active=True)
    assert (campaign.state, campaign.skills_minor) == (state, 3_000_00)
    assert funded_events(session) == 0


def test_a_gift_and_hours_at_the_same_moment_fund_once(committed_app):
    with committed_app.app_context(), unit_of_work() as session:
        campaign = make_campaign(session, minimum_minor=1_000_00, optimum_minor=1_000_00)
        line = make_line(session, campaign, minimum=1_000_00, hours=10)
        works = [work(campaign, line, n, hours=1) for n in range(10)]
        campaign_id = campaign.id

    def give(n):
        with committed_app.app_context(), unit_of_work() as session:
            if n < 10:
                services.count_hours(session, works[n], active=True)
            else:
                services.add_contribution(session, campaign_id, Money(100_00))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(give, [n % 20 for n in range(0, 60, 3)] * 2))
    with committed_app.app_context(), unit_of_work() as session:
        assert session.get_one(Campaign, campaign_id).state is CampaignState.FUNDED
        assert funded_events(session) == 1
        assert queries.list_wrong_skills(session) == []
