"""Asking, answering, following: the rules, each with its refusal."""

from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from koz.answers import queries, services
from koz.answers.models import AnswerPoint, AnswerRequest
from koz.answers.services import PointDraft
from koz.answers.states import CommitmentState, Progress, RequestState, Stance, Standing
from koz.campaigns.models import Campaign, TimelineEntry
from koz.campaigns.states import CampaignState
from koz.core.clock import today
from koz.core.db import db, unit_of_work
from koz.core.errors import Conflict, Gone, Invalid, NotFound
from koz.core.outbox import OutboxMessage
from koz.core.tokens import sign
from tests.factories.answers import full_draft, make_answer, make_due_request, make_request
from tests.factories.campaigns import make_campaign


def events(session, name):
    return session.scalar(select(func.count()).where(OutboxMessage.event == name))


def timeline(session, request):
    query = select(TimelineEntry.kind).where(TimelineEntry.campaign_id == request.campaign_id)
    return sorted(session.scalars(query))


def test_a_campaign_asks_once_and_the_ask_is_the_first_point(session):
    request = make_request(session)
    assert services.request_answer(session, request.campaign_id) == request.id
    (point,) = queries.list_points(session, request.id)
    assert (point.kind, point.title) == ("ask", "Ouvrir la piscine le dimanche")
    assert events(session, "AnswerRequested") == 1
    assert timeline(session, request) == ["answer_requested"]


def test_the_date_follows_from_the_closing_once(session):
    request = make_due_request(session, closed_days_ago=0)
    assert request.due_on == today() + timedelta(days=60)
    assert len(queries.list_points(session, request.id)) == 3
    services.expect_due(session, request.campaign_id, None, today() + timedelta(days=300), 10)
    session.refresh(request)
    assert request.due_on == today() + timedelta(days=60)
    assert events(session, "AnswerDueFixed") == 1


def test_a_link_is_good_until_it_is_forged_replaced_or_old(session):
    request = make_request(session)
    token = services.desk_token(request)
    assert services.open_desk(session, token).id == request.id
    with pytest.raises(NotFound):
        services.open_desk(session, token[:-3] + "abc")
    with pytest.raises(NotFound):
        services.open_desk(session, sign("something-else", {"r": request.id, "v": 1}))
    services.resend_link(session, request.id, replace=False)
    assert services.open_desk(session, token).id == request.id
    services.resend_link(session, request.id, replace=True)
    with pytest.raises(Gone):
        services.open_desk(session, token)
    session.refresh(request)
    assert services.open_desk(session, services.desk_token(request)).id == request.id


def test_without_an_address_no_link_is_sent(session):
    request = make_request(session, addressee_email="")
    with pytest.raises(Conflict):
        services.resend_link(session, request.id, replace=False)


def test_accepting_twice_tells_once(session):
    request = make_request(session)
    assert services.accept(session, request.id)
    assert not services.accept(session, request.id)
    assert events(session, "AnswerAccepted") == 1


def test_a_failed_campaign_awaits_no_answer(session):
    request = make_request(session, state=CampaignState.FAILED)
    assert services.withdraw(session, request.campaign_id)
    session.refresh(request)
    with pytest.raises(Conflict):
        services.save_draft(session, request.id, full_draft(session, request))
    assert queries.list_register(session) == []


def test_a_draft_saved_over_another_is_refused_and_nothing_is_lost(session):
    request = make_due_request(session)
    draft = full_draft(session, request)
    assert services.save_draft(session, request.id, draft) == 1
    with pytest.raises(Conflict):
        services.save_draft(session, request.id, draft)


def test_every_point_needs_an_answer_or_an_open_no_answer(session):
    request = make_due_request(session)
    points = queries.list_points(session, request.id)
    blank = full_draft(session, request)
    incomplete = dict(blank.points) | {points[1].id: PointDraft(None, "plus tard")}
    services.save_draft(session, request.id, _with(blank, points=incomplete))
    with pytest.raises(Invalid):
        services.publish(session, request.id)
    openly = dict(blank.points) | {points[1].id: PointDraft(Stance.NO_ANSWER, "")}
    services.save_draft(session, request.id, _with(blank, points=openly, version=1))
    assert services.publish(session, request.id)


def _with(draft, **values):
    import dataclasses

    return dataclasses.replace(draft, **values)


@pytest.mark.parametrize(
    "wrong", [{"signed_name": ""}, {"signed_function": ""}, {"points": {}}], ids=["name", "function", "points"]
)
def test_an_incomplete_answer_is_not_published(session, wrong):
    request = make_due_request(session)
    services.save_draft(session, request.id, _with(full_draft(session, request), **wrong))
    with pytest.raises(Invalid):
        services.publish(session, request.id)


def test_commitments_need_what_who_and_a_day_to_come(session):
    request = make_due_request(session)
    good = full_draft(session, request)
    for number, change in enumerate(
        ({"text": ""}, {"owner": ""}, {"due_on": None}, {"due_on": today() - timedelta(1)})
    ):
        bad = _with(good, version=number, commitments=[_with(good.commitments[0], **change)])
        services.save_draft(session, request.id, bad)
        with pytest.raises(Invalid):
            services.publish(session, request.id)


def test_an_answer_before_the_consultation_closed_is_not_published(session):
    request = make_request(session, state=CampaignState.CONSULTING)
    services.save_draft(session, request.id, full_draft(session, request))
    with pytest.raises(Invalid):
        services.publish(session, request.id)


def test_publishing_moves_the_campaign_and_tells_once(session):
    request = make_answer(session)
    assert not services.publish(session, request.id)
    campaign = session.get(Campaign, request.campaign_id, populate_existing=True)
    assert campaign.state is CampaignState.ANSWERED
    assert events(session, "AnswerPublished") == 1
    assert "answer_published" in timeline(session, request)
    with pytest.raises(Conflict):
        services.save_draft(session, request.id, full_draft(session, request))


def test_an_answer_to_a_closed_campaign_is_published_all_the_same(session):
    request = make_answer(session, state=CampaignState.CLOSED)
    assert request.state is RequestState.ANSWERED
    assert session.get(Campaign, request.campaign_id).state is CampaignState.CLOSED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answer_points SET reasons_md = 'autre'",
        "DELETE FROM answer_points",
        "UPDATE answer_requests SET signed_name = 'autre'",
        "UPDATE answer_requests SET state = 'asked', published_at = NULL",
        "UPDATE commitments SET text = 'autre'",
    ],
)
def test_the_database_refuses_to_change_a_published_answer(session, statement):
    make_answer(session)
    with pytest.raises(DBAPIError, match="cannot be changed"), session.begin_nested():
        session.execute(text(statement))


def test_notes_come_only_after_publication(session):
    request = make_due_request(session)
    with pytest.raises(Conflict):
        services.add_note(session, request.id, "Erreur de date")
    request = make_answer(session)
    services.add_note(session, request.id, "Lire *juin*.")
    (note,) = queries.list_notes(session, request.id)
    assert "<em>juin</em>" in note.body_html


def test_commitments_move_forward_only_and_tell_each_time(session):
    request = make_answer(session)
    (one,) = queries.list_commitments(session, request.id)
    move = services.move_commitment
    assert move(session, request.id, one.id, CommitmentState.UNDER_WAY)
    assert not move(session, request.id, one.id, CommitmentState.UNDER_WAY)
    with pytest.raises(Invalid):
        move(session, request.id, one.id, CommitmentState.KEPT)
    with pytest.raises(Invalid):
        move(session, request.id, one.id, CommitmentState.DROPPED)
    assert move(session, request.id, one.id, CommitmentState.KEPT, proof_url="https://ville.example/pv")
    with pytest.raises(Conflict):
        move(session, request.id, one.id, CommitmentState.DROPPED, note="non")
    assert events(session, "CommitmentMoved") == 2
    (view,) = queries.view_commitments(session, [request.id])[request.id]
    assert (view.progress, view.proof_url, len(view.changes)) == (Progress.KEPT, "https://ville.example/pv", 2)


def test_a_commitment_of_another_request_is_out_of_reach(session):
    mine, other = make_answer(session), make_answer(session)
    (theirs,) = queries.list_commitments(session, other.id)
    with pytest.raises(NotFound):
        services.move_commitment(session, mine.id, theirs.id, CommitmentState.UNDER_WAY)


def test_the_association_adds_proof_but_moves_nothing(session):
    request = make_answer(session)
    (one,) = queries.list_commitments(session, request.id)
    services.propose_proof(session, request.id, one.id, note="La piscine était ouverte", proof_url="")
    with pytest.raises(Invalid):
        services.propose_proof(session, request.id, one.id, note="", proof_url="")
    (view,) = queries.view_commitments(session, [request.id])[request.id]
    assert view.progress is Progress.ANNOUNCED
    assert view.changes[0].party == "organisation"


def test_silence_shows_by_the_date_and_is_recorded_once(session):
    request = make_due_request(session, closed_days_ago=60)
    assert not services.tell_overdue(session, request.id)
    assert queries.find_for_campaign(session, request.campaign_id).standing is Standing.WAITING
    late = make_due_request(session, closed_days_ago=65)
    line = queries.find_for_campaign(session, late.campaign_id)
    assert (line.standing, line.days) == (Standing.OVERDUE, 5)
    assert queries.list_overdue_untold(session, today()) == [late.id]
    assert services.tell_overdue(session, late.id)
    assert not services.tell_overdue(session, late.id)
    assert events(session, "AnswerOverdue") == 1
    assert "answer_overdue" in timeline(session, late)


def test_a_late_answer_ends_the_silence(session):
    request = make_answer(session, closed_days_ago=70)
    line = queries.find_for_campaign(session, request.campaign_id)
    assert (line.standing, line.days) == (Standing.ANSWERED, 70)


def test_a_reminder_goes_out_once_in_the_last_week(session):
    early, near = make_due_request(session, closed_days_ago=10), make_due_request(session, closed_days_ago=55)
    assert queries.list_to_remind(session, today()) == [near.id]
    assert services.remind(session, near.id)
    assert not services.remind(session, near.id)
    assert queries.list_to_remind(session, today()) == []
    assert early.reminded_at is None


def test_the_register_counts_what_it_shows(session):
    make_answer(session)
    make_due_request(session, closed_days_ago=100)
    make_due_request(session)
    make_request(session)
    make_request(session, state=CampaignState.CANCELLED)
    counts = queries.count_register(session)
    assert counts == {"all": 4, "answered": 1, "waiting": 2, "overdue": 1}
    for word, n in counts.items():
        assert len(queries.list_register(session, filter_by=word)) == n
    figures = queries.figures(session)
    assert (figures.obtained, figures.due, figures.commitments, figures.kept) == (1, 2, 1, 0)


def test_pages_of_the_register_are_complete_and_disjoint(session):
    ids = [make_request(session).id for _ in range(7)]
    first = queries.list_register(session, limit=4)
    rest = queries.list_register(session, before=first[-1].id, limit=4)
    assert [r.id for r in [*first, *rest]] == sorted(ids, reverse=True)


def test_two_presses_at_once_publish_once(committed_app):
    with unit_of_work() as session:
        request = make_due_request(session)
        services.save_draft(session, request.id, full_draft(session, request))
    outcomes = []

    def press():
        with committed_app.app_context():
            with unit_of_work() as session:
                outcomes.append(services.publish(session, request.id))
            db.session.remove()

    threads = [Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work() as session:
        told = events(session, "AnswerPublished")
    assert (sorted(outcomes), told) == ([False] * 5 + [True], 1)


def test_two_relays_at_once_ask_once(committed_app):
    with unit_of_work() as session:
        campaign_id = make_campaign(session, addressee_email="a@koz.test").id

    def ask():
        with committed_app.app_context():
            with unit_of_work() as session:
                services.request_answer(session, campaign_id)
            db.session.remove()

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(AnswerRequest)) == 1
        assert session.scalar(select(func.count()).select_from(AnswerPoint)) == 1
        assert events(session, "AnswerRequested") == 1
