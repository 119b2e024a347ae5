"""Answer times: from rows, one statement, honest about small numbers, for a person only to themselves."""

from datetime import timedelta

import pytest

from koz.campaigns.models import Campaign
from koz.core.clock import now
from koz.matching.queries import answer_times
from koz.matching.queries.answer_times import AnswerTimes
from koz.matching.services.answering import answer_words
from koz.matching.states import ProposalState, Side
from tests.factories.accounts import make_person
from tests.factories.engagements import make_proposal
from tests.factories.matching import make_mission

P = ProposalState
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def mission(session):
    return make_mission(session, {})


def organisation_of(session, mission):
    return session.get_one(Campaign, mission.campaign_id).organisation_id


def asked(session, mission, *, took=None, ago=30 * DAY, state=P.DECLINED, **values):
    """An offer made `ago`, answered after `took` or not at all."""
    made = now() - ago
    answered = made + took if took is not None else None
    if took is None and state is P.DECLINED:
        state = P.PROPOSED
    return make_proposal(
        session, mission, make_person(session), made_at=made, answered_at=answered, state=state, **values
    )


def times(session, mission):
    organisation_id = organisation_of(session, mission)
    return answer_times.of_organisations(session, [organisation_id])[organisation_id]


def test_median_and_share_of_those_that_were_answered(session, mission):
    for hours in (1, 2, 3, 40, 50):
        asked(session, mission, took=hours * HOUR, state=P.ACCEPTED if hours == 3 else P.DECLINED)
    asked(session, mission)
    assert times(session, mission) == AnswerTimes(6, 5, 3 * HOUR)


def test_silence_counts_only_after_a_fair_time(session, mission):
    for _ in range(5):
        asked(session, mission, took=HOUR)
    asked(session, mission, ago=2 * DAY)
    asked(session, mission, ago=3 * DAY, state=P.LATER)
    assert times(session, mission).asked == 5
    asked(session, mission, ago=8 * DAY)
    assert (times(session, mission).asked, times(session, mission).answered) == (6, 5)


def test_an_offer_taken_back_soon_says_nothing_and_one_taken_back_late_does(session, mission):
    asked(session, mission, took=2 * DAY, state=P.WITHDRAWN)
    assert times(session, mission).asked == 0
    asked(session, mission, took=9 * DAY, state=P.WITHDRAWN)
    assert (times(session, mission).asked, times(session, mission).answered) == (1, 0)


def test_only_the_last_ones_count(session, mission):
    for i in range(answer_times.LAST):
        asked(session, mission, took=HOUR, ago=(30 + i) * DAY)
    asked(session, mission, took=20 * DAY, ago=300 * DAY)
    assert times(session, mission) == AnswerTimes(answer_times.LAST, answer_times.LAST, HOUR)


def test_invitations_are_the_persons_and_offers_the_organisations(session, mission):
    person = make_person(session)
    for i in range(5):
        other = make_mission(session, {})
        at = now() - 20 * DAY
        make_proposal(
            session, other, person, made_by=Side.ORGANISATION, invited_at=at, made_at=at,
            answered_at=at + (i + 1) * DAY, state=P.DECLINED,
        )  # fmt: skip
        assert times(session, other).asked == 0
    assert answer_times.of_person(session, person.id) == AnswerTimes(5, 5, 3 * DAY)
    assert answer_times.of_person(session, make_person(session).id) == answer_times.NOTHING


def test_many_organisations_cost_one_statement(session, queries):
    all_of = []
    for i in range(8):
        one = make_mission(session, {})
        for _ in range(i):
            asked(session, one, took=HOUR)
        all_of.append(organisation_of(session, one))
    with queries() as q:
        found = answer_times.of_organisations(session, all_of)
    assert q.count == 1
    assert [found[o].asked for o in all_of] == list(range(8))
    with queries() as q:
        assert answer_times.of_organisations(session, []) == {}
    assert q.count == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (AnswerTimes(4, 4, HOUR), "Trop peu pour le dire : moins de 5 à ce jour."),
        (AnswerTimes(0, 0, None), "Trop peu pour le dire : moins de 5 à ce jour."),
        (AnswerTimes(6, 5, HOUR / 2), "5 réponses aux 6 dernières demandes, la moitié en moins de 1 heure."),
        (AnswerTimes(6, 6, 26 * HOUR), "6 réponses aux 6 dernières demandes, la moitié en moins de 26 heures."),
        (AnswerTimes(30, 20, 4 * DAY + HOUR), "20 réponses aux 30 dernières demandes, la moitié en moins de 5 jours."),
        (AnswerTimes(9, 1, None), "1 réponse aux 9 dernières demandes."),
    ],
)
def test_words(app, given, words):
    with app.test_request_context():
        assert answer_words(given).replace("\u00a0", " ") == words


def test_few_answers_give_no_median(session, mission):
    for _ in range(6):
        asked(session, mission)
    asked(session, mission, took=HOUR)
    assert times(session, mission) == AnswerTimes(7, 1, None)


def test_it_stands_beside_the_mission_and_the_organisation(session, client, mission):
    for _ in range(5):
        asked(session, mission, took=2 * HOUR)
    assert "5 réponses aux 5 dernières demandes" in client.get(f"/missions/{mission.id}").text
    empty = make_mission(session, {})
    assert "Trop peu pour le dire" in client.get(f"/missions/{empty.id}").text
