"""Campaigns and consultations → answers → mail to the addressee, the association, followers and participants.

Every mail has a key made of its cause, so that a handler that runs twice writes to nobody twice. Participants are told
in batches: handling `ParticipantsToTell` queues the mails of one batch and records the event again for the next.

    ConsultationClosed → fix_due → AnswerDueFixed → mail
    publish → AnswerPublished → mails to the association, FollowersToTell …, ParticipantsToTell → … → ParticipantsToTell
"""

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from koz.accounts import queries as accounts
from koz.accounts.models import Person
from koz.answers import queries, services
from koz.answers.events import (
    AnswerAccepted,
    AnswerDueFixed,
    AnswerOverdue,
    AnswerPublished,
    AnswerReminded,
    AnswerRequested,
    CommitmentLate,
    CommitmentMoved,
    DeskLinkWanted,
    ParticipantsToTell,
)
from koz.answers.models import AnswerRequest
from koz.answers.services import ClosedConsultation, PointTaken
from koz.answers.states import TOP_POINTS, PointKind, Standing
from koz.campaigns import queries as campaigns
from koz.campaigns.events import CampaignCancelled, CampaignFailed, CampaignWentLive
from koz.campaigns.models import Campaign
from koz.campaigns.permissions import can_write
from koz.campaigns.services.tasks import Task, task_source
from koz.consultations import queries as consultations
from koz.consultations.events import ConsultationClosed, ConsultationOpened
from koz.core.access import Actor
from koz.core.i18n import _, in_locale
from koz.core.outbox import record, subscribe
from koz.core.templating import long_date
from koz.notifications.services import Addressed, queue_mail, queue_mails
from koz.workflows.following import tell_followers

BATCH: Final = 500

Params = dict[str, str | int]
KINDS: Final = {"uniting": PointKind.TOP, "dividing": PointKind.MINORITY}


@subscribe(CampaignWentLive)
def ask_addressee(session: Session, event: CampaignWentLive) -> None:
    """A campaign that can be seen asks its addressee."""
    services.request_answer(session, event.campaign_id)


@subscribe(CampaignFailed)
def ask_no_more(session: Session, event: CampaignFailed) -> None:
    """Without its minimum there is no consultation, and no answer is awaited."""
    services.withdraw(session, event.campaign_id)


@subscribe(CampaignCancelled)
def ask_no_longer(session: Session, event: CampaignCancelled) -> None:
    """A campaign that is given up awaits no answer."""
    services.withdraw(session, event.campaign_id)


@subscribe(ConsultationOpened)
def expect_answer(session: Session, event: ConsultationOpened) -> None:
    """The rule and the last day that follows from it are public from the first day."""
    if event.campaign_id is None:
        return
    found = consultations.get_consultation_by_id(session, event.consultation_id)
    services.expect_due(session, event.campaign_id, found.id, found.closes_on, found.answer_days)


@subscribe(ConsultationClosed)
def await_answer(session: Session, event: ConsultationClosed) -> None:
    """The strongest points go to the addressee, and the clock runs."""
    if event.campaign_id is None:
        return
    found = consultations.get_consultation_by_id(session, event.consultation_id)
    assert found.closes_on is not None, event
    points = [
        PointTaken(
            source_key=f"contribution-{p.contribution_id}",
            kind=KINDS[p.kind],
            title=p.title,
            text=p.excerpt,
            href=f"/consultations/{found.slug}/contributions/{p.contribution_id}",
            agree=p.agree,
            mixed=p.mixed,
            disagree=p.disagree,
        )
        for p in consultations.top_points(session, found.id, TOP_POINTS)
    ]
    closed = ClosedConsultation(id=found.id, closed_on=found.closes_on, answer_days=found.answer_days, points=points)
    services.fix_due(session, event.campaign_id, closed)


def _params(campaign: Campaign, path: str) -> Params:
    return {
        "name": campaign.addressee_name,
        "title": campaign.title,
        "ask": campaign.ask or campaign.title,
        "addressee": campaign.addressee_name,
        "body": campaign.addressee_body,
        "path": path,
    }


def _read(session: Session, request_id: int) -> tuple[AnswerRequest, Campaign]:
    request = queries.get_request(session, request_id)
    return request, campaigns.get_campaign_by_id(session, request.campaign_id)


def _due(day: date | None, locale: str) -> str:
    """The last day in the recipient's language; empty while it is not known."""
    with in_locale(locale):
        return long_date(day)


def _mail_official(session: Session, request_id: int, template: str, key: str) -> None:
    request, campaign = _read(session, request_id)
    params = _params(campaign, f"/answers/desk/{services.desk_token(request)}")
    params |= {
        "due": _due(request.due_on, request.locale),
        "organisation": accounts.get_organisation(session, campaign.organisation_id).name,
    }
    queue_mail(session, template, request.email, request.locale, params, key)


def _mail_organisation(session: Session, request_id: int, template: str, key: str, **more: str) -> None:
    request, campaign = _read(session, request_id)
    for person_id in accounts.list_member_ids(session, campaign.organisation_id, ("owner", "editor")):
        person = session.get(Person, person_id)
        if person is None or not person.email:
            continue
        params = _params(campaign, f"/manage/campaigns/{campaign.slug}/answer") | more
        params |= {"name": person.name, "due": _due(request.due_on, person.locale)}
        queue_mail(session, template, person.email, person.locale, params, f"{key}-{person_id}")


def _mail_everybody(session: Session, request_id: int, template: str, key: str, change_id: int = 0) -> None:
    """Followers in batches of their own, and those who took part."""
    _request, campaign = _read(session, request_id)
    params = _public_params(session, campaign, request_id, change_id)
    tell_followers(session, campaign.id, template, params, key)
    record(session, ParticipantsToTell(request_id, template, key, change_id))


def _public_params(session: Session, campaign: Campaign, request_id: int, change_id: int) -> Params:
    path = f"/campaigns/{campaign.slug}/answer"
    if not change_id:
        return _params(campaign, path)
    change, commitment = queries.get_change(session, request_id, change_id)
    assert change.state is not None, change_id
    more: Params = {"commitment": commitment.text, "state": change.state.value}
    return _params(campaign, f"{path}#commitment-{commitment.id}") | more


@subscribe(ParticipantsToTell)
def tell_participants(session: Session, event: ParticipantsToTell) -> None:
    """Queue the mails of one batch, and record the next one if there may be more."""
    _request, campaign = _read(session, event.request_id)
    params = _public_params(session, campaign, event.request_id, event.change_id)
    people, go_on_after = queries.list_participants(session, campaign.id, event.after, BATCH)
    mails = [
        Addressed(
            one.email,
            one.locale,
            params | {"stop_path": services.mute_path(campaign.id, one.person_id)},
            f"{event.key}-p{one.person_id}",
        )
        for one in people
    ]
    queue_mails(session, event.template, mails)
    if go_on_after is not None:
        record(session, dataclasses.replace(event, after=go_on_after))


@subscribe(AnswerRequested)
def mail_first_link(session: Session, event: AnswerRequested) -> None:
    """The addressee learns what is asked and gets the link to their desk."""
    _mail_official(session, event.request_id, "answer_asked", f"answer-link-{event.request_id}-1")


@subscribe(DeskLinkWanted)
def mail_link_again(session: Session, event: DeskLinkWanted) -> None:
    """The association asked for the link to be sent again."""
    _mail_official(session, event.request_id, "answer_asked", f"answer-link-{event.request_id}-{event.number}")


@subscribe(AnswerAccepted)
def mail_accepted(session: Session, event: AnswerAccepted) -> None:
    """The association learns that the addressee will answer."""
    _mail_organisation(session, event.request_id, "answer_accepted", f"answer-accepted-{event.request_id}")


@subscribe(AnswerDueFixed)
def mail_due(session: Session, event: AnswerDueFixed) -> None:
    """The addressee gets the points and the date."""
    _mail_official(session, event.request_id, "answer_due", f"answer-due-{event.request_id}")


@subscribe(AnswerReminded)
def mail_reminder(session: Session, event: AnswerReminded) -> None:
    """The last day is near."""
    _mail_official(session, event.request_id, "answer_reminder", f"answer-reminder-{event.request_id}")


@subscribe(AnswerPublished)
def tell_answer(session: Session, event: AnswerPublished) -> None:
    """The association, and everybody around the campaign."""
    key = f"answer-published-{event.request_id}"
    _mail_organisation(session, event.request_id, "answer_received", key)
    _mail_everybody(session, event.request_id, "answer_published", key)


@subscribe(AnswerOverdue)
def tell_silence(session: Session, event: AnswerOverdue) -> None:
    """The association and the addressee."""
    key = f"answer-overdue-{event.request_id}"
    _mail_official(session, event.request_id, "answer_overdue", key)
    _mail_organisation(session, event.request_id, "answer_silence", key)


@subscribe(CommitmentMoved)
def tell_commitment(session: Session, event: CommitmentMoved) -> None:
    """Everybody who gave, took part or follows hears when a commitment moves."""
    key = f"commitment-{event.commitment_id}-{event.change_id}"
    commitment = queries.get_commitment(session, event.commitment_id)
    more = {"commitment": commitment.text, "state": event.state}
    _mail_organisation(session, event.request_id, "commitment_moved", key, **more)
    _mail_everybody(session, event.request_id, "commitment_moved", key, event.change_id)


@subscribe(CommitmentLate)
def tell_late(session: Session, event: CommitmentLate) -> None:
    """The addressee and the association: a day has passed."""
    key = f"commitment-{event.commitment_id}-late"
    commitment = queries.get_commitment(session, event.commitment_id)
    _mail_organisation(session, event.request_id, "commitment_late", key, commitment=commitment.text)
    request, campaign = _read(session, event.request_id)
    params = _params(campaign, f"/answers/desk/{services.desk_token(request)}") | {"commitment": commitment.text}
    queue_mail(session, "commitment_late", request.email, request.locale, params, key)


@task_source
def answer_tasks(session: Session, actor: Actor, found: Sequence[Campaign]) -> list[Task]:
    """What an association has to do about answers: a silence to press on, an addressee who cannot be written to."""
    mine = {c.id: c for c in found if can_write(actor, c)}
    tasks = []
    for line in queries.list_for_campaigns(session, list(mine)).values():
        campaign, desk = mine[line.campaign_id], f"/manage/campaigns/{line.campaign_slug}/answer"
        if line.standing is Standing.OVERDUE:
            sentence = _("“%(title)s” has had no answer by its date.", title=campaign.title)
            tasks.append(Task(sentence, desk, _("Send the link again")))
        elif line.standing is not Standing.ANSWERED and not campaign.addressee_email:
            sentence = _("The addressee of “%(title)s” has no address.", title=campaign.title)
            tasks.append(Task(sentence, desk, _("See")))
    return tasks
