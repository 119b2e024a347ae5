"""From a campaign that goes live to a commitment that moves: who hears what, once each, in their language."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from koz.answers import queries, services
from koz.answers.events import ParticipantsToTell
from koz.answers.states import CommitmentState, RequestState
from koz.campaigns.events import CampaignFailed, CampaignWentLive
from koz.campaigns.models import Campaign, CampaignFollower
from koz.campaigns.states import CampaignState
from koz.consultations import services as consultations
from koz.consultations.events import ConsultationOpened
from koz.consultations.states import Choice
from koz.core.clock import now, today
from koz.core.jobs import get_job
from koz.core.outbox import record
from koz.workflows import answers as workflow
from tests.factories.accounts import make_organisation, make_person
from tests.factories.answers import OFFICIAL, full_draft, make_answer, make_due_request, make_request
from tests.factories.campaigns import make_campaign
from tests.factories.consultations import make_consultation, make_contribution


@pytest.fixture
def letters(session, letters):
    """What is due was written before the relay asks what is due, as it is after a commit."""

    def deliver():
        session.flush()
        return letters()

    return deliver


def to(letters, email):
    return [letter for letter in letters if letter.to_email == email]


def make_follower(session, campaign_id, email, locale="fr"):
    row = CampaignFollower(campaign_id=campaign_id, email=email, locale=locale, created_at=now(), confirmed_at=now())
    session.add(row)
    session.flush()
    return row


def cast(session, contribution, choice, person=None):
    person = person or make_person(session)
    consultations.vote_on_contribution(session, contribution.consultation_id, contribution.id, person.id, choice)


def test_going_live_asks_the_addressee_by_mail_with_a_link_that_works(client, session, letters):
    campaign = make_campaign(session, addressee_email=OFFICIAL, addressee_name="Mme la maire", ask="Ouvrir la piscine")
    for _ in range(2):
        record(session, CampaignWentLive(campaign.id))
    (letter,) = to(letters(), OFFICIAL)
    assert "demande une réponse publique" in letter.subject
    path = re.search(r"http://127\.0\.0\.1:8000(/answers/desk/\S+)", letter.text)[1]
    assert path in letter.html
    assert "Ouvrir la piscine" in client.get(path).text
    assert queries.find_request_of(session, campaign.id).state is RequestState.ASKED


def test_a_campaign_without_an_address_asks_all_the_same(session, letters):
    campaign = make_campaign(session, addressee_email="")
    record(session, CampaignWentLive(campaign.id))
    assert letters() == []
    assert queries.find_for_campaign(session, campaign.id) is not None


def test_failing_withdraws_the_request(session, letters):
    request = make_request(session, state=CampaignState.FAILED)
    record(session, CampaignFailed(request.campaign_id))
    letters()
    session.refresh(request)
    assert request.state is RequestState.WITHDRAWN


def test_the_consultation_fixes_points_rule_and_date(session, letters):
    request = make_request(session, state=CampaignState.CONSULTING)
    opens, closes = now() - timedelta(days=1), now() + timedelta(days=9)
    consultation = make_consultation(
        session, campaign_id=request.campaign_id, answer_days=45, opens_at=opens, closes_at=closes
    )
    loved, split = (make_contribution(session, consultation, title=t) for t in ("Aimée", "Disputée"))
    for n in range(12):
        cast(session, loved, Choice.AGREE)
        cast(session, split, Choice.AGREE if n % 2 else Choice.DISAGREE)
    record(session, ConsultationOpened(consultation.id, request.campaign_id))
    letters()
    session.refresh(request)
    assert request.due_on == consultation.closes_on + timedelta(days=45)
    assert request.closed_on is None
    with time_machine.travel(datetime.now(UTC) + timedelta(days=10)):
        consultations.close(session, consultation.id)
        (letter,) = to(letters(), OFFICIAL)
    session.refresh(request)
    assert request.closed_on == consultation.closes_on
    assert request.due_on == consultation.answer_due_on
    points = queries.list_points(session, request.id)
    assert [(p.kind, p.title, p.agree, p.disagree) for p in points[1:]] == [
        ("top", "Aimée", 12, 0),
        ("minority", "Disputée", 6, 6),
    ]
    assert "attendue pour le" in letter.subject


def test_the_association_hears_that_the_addressee_will_answer(session, letters):
    owner = make_person(session, locale="en")
    request = make_request(session, organisation_id=make_organisation(session, owner=owner).id)
    services.accept(session, request.id)
    (letter,) = to(letters(), owner.email)
    assert letter.subject == "Mme la maire will answer"


def test_everybody_hears_of_the_answer_once(client, session, letters):
    owner = make_person(session)
    organisation = make_organisation(session, owner=owner)
    campaign_request = make_due_request(session, organisation_id=organisation.id)
    consultation = make_consultation(session, campaign_id=campaign_request.campaign_id)
    campaign_request.consultation_id = consultation.id
    voter, both, unproved, quiet = (
        make_person(session, locale="en"),
        make_person(session),
        make_person(session),
        make_person(session),
    )
    opinion = make_contribution(session, consultation, voter)
    for person in (both, unproved, quiet):
        cast(session, opinion, Choice.AGREE, person)
    unproved.email_verified_at = None
    services.mute(session, campaign_request.campaign_id, quiet.id)
    make_follower(session, campaign_request.campaign_id, "suit@koz.test")
    make_follower(session, campaign_request.campaign_id, both.email)
    letters()
    services.save_draft(session, campaign_request.id, full_draft(session, campaign_request))
    services.publish(session, campaign_request.id)
    told = letters()
    told += letters()
    assert sorted(letter.to_email for letter in told) == sorted([owner.email, voter.email, both.email, "suit@koz.test"])
    (english,) = to(told, voter.email)
    assert english.subject == "Mme la maire has answered"
    stop = re.search(r"(/answers/quiet/\S+)", english.text)[1]
    client.get(stop)
    (follower,) = to(told, "suit@koz.test")
    assert "/answers/quiet/" not in follower.text
    assert "Pour ne plus rien recevoir" in follower.text


def test_hearing_no_more_takes_one_press_and_no_account(client, session, letters):
    request = make_answer(session)
    consultation = make_consultation(session, campaign_id=request.campaign_id)
    campaign = session.get(Campaign, request.campaign_id)
    person = make_person(session)
    cast(session, make_contribution(session, consultation, person), Choice.AGREE, person)
    path = services.mute_path(campaign.id, person.id)
    client.get(path)
    assert queries.list_participants(session, campaign.id, 0, 10) == ([], None)
    page = client.post(path, status=200)
    assert "C’est fait" in page.text
    client.get("/answers/quiet/forged", status=404)


def test_batches_tell_everybody_and_nobody_twice(session, letters, monkeypatch):
    monkeypatch.setattr(workflow, "BATCH", 3)
    request = make_due_request(session)
    consultation = make_consultation(session, campaign_id=request.campaign_id)
    request.consultation_id = consultation.id
    people = [make_person(session) for _ in range(8)]
    opinion = make_contribution(session, consultation, people[0])
    for person in people[1:]:
        cast(session, opinion, Choice.AGREE, person)
    letters()
    for _ in range(2):
        record(session, ParticipantsToTell(request.id, "answer_published", "k"))
    told = [letter.to_email for letter in letters()]
    assert sorted(told) == sorted(person.email for person in people)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (CommitmentState.UNDER_WAY, "est en cours"),
        (CommitmentState.KEPT, "est tenu"),
        (CommitmentState.DROPPED, "est abandonné"),
    ],
)
def test_followers_hear_when_a_commitment_moves(session, letters, state, words):
    request = make_answer(session)
    make_follower(session, request.campaign_id, "suit@koz.test")
    letters()
    (one,) = queries.list_commitments(session, request.id)
    services.move_commitment(session, request.id, one.id, state, note="Voici pourquoi")
    (letter,) = to(letters(), "suit@koz.test")
    assert words in letter.subject
    assert f"#commitment-{one.id}" in letter.text


def test_the_calendar_tells_each_silence_and_each_lateness_once(session, letters):
    owner = make_person(session)
    organisation = make_organisation(session, owner=owner)
    silent = make_due_request(session, closed_days_ago=61, organisation_id=organisation.id)
    near = make_due_request(session, closed_days_ago=58, addressee_email="autre@koz.test")
    answered = make_answer(session, addressee_email="tenu@koz.test")
    letters()
    keep = get_job("answers.calendar")
    assert keep() == 2
    assert keep() == 0
    told = letters()
    assert sorted(letter.to_email for letter in told) == sorted([OFFICIAL, owner.email, "autre@koz.test"])
    assert "pas de réponse" in to(told, owner.email)[0].subject
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91)):
        keep()
        keep()
        late = to(letters(), "tenu@koz.test")
    assert [letter.subject for letter in late] == ["Un engagement public est en retard"]
    assert queries.get_request(session, silent.id).overdue_told_at is not None
    assert near.due_on - today() < timedelta(days=7)
    assert answered.state is RequestState.ANSWERED


def test_the_association_sees_what_to_do_today(client, session, login):
    owner = make_person(session)
    organisation = make_organisation(session, owner=owner)
    make_due_request(session, closed_days_ago=61, organisation_id=organisation.id, title="Le silence")
    make_request(session, organisation_id=organisation.id, title="Sans adresse", addressee_email="")
    make_answer(session, organisation_id=organisation.id, title="Répondue")
    login(owner)
    page = client.get("/manage")
    for sentence in ("« Le silence » est sans réponse", "Le destinataire de « Sans adresse » n’a pas d’adresse"):
        assert sentence in page.text
    assert "« Répondue »" not in page.text
