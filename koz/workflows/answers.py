"""Campaigns and consultations → answers → mail, broadcasts.

Every mail has a key made of its cause, so that a handler that runs twice writes to nobody twice.
"""

from datetime import date

from sqlalchemy.orm import Session

from koz.accounts import queries as accounts
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
)
from koz.answers.models import AnswerRequest
from koz.campaigns import queries as campaigns
from koz.campaigns.events import CampaignFailed, CampaignWentLive
from koz.campaigns.models import Campaign
from koz.core.i18n import in_locale
from koz.core.outbox import subscribe
from koz.core.templating import long_date
from koz.notifications.services import queue_mail

Params = dict[str, str | int]


@subscribe(CampaignWentLive)
def ask_addressee(session: Session, event: CampaignWentLive) -> None:
    """A campaign that can be seen asks its addressee."""
    services.request_answer(session, event.campaign_id)


@subscribe(CampaignFailed)
def ask_no_more(session: Session, event: CampaignFailed) -> None:
    """Without its minimum there is no consultation, and no answer is awaited."""
    services.withdraw(session, event.campaign_id)


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
    params |= {"due": _due(request.due_on, request.locale), "days": request.answer_days}
    params["organisation"] = accounts.get_organisation(session, campaign.organisation_id).name
    queue_mail(session, template, request.email, request.locale, params, key)


def _mail_organisation(session: Session, request_id: int, template: str, key: str, **more: str) -> None:
    request, campaign = _read(session, request_id)
    for person_id in accounts.list_member_ids(session, campaign.organisation_id, ("owner", "editor")):
        person = accounts.get_person(session, person_id)
        params = _params(campaign, f"/manage/campaigns/{campaign.slug}/answer") | more
        params |= {"name": person.name, "due": _due(request.due_on, person.locale)}
        queue_mail(session, template, person.email, person.locale, params, f"{key}-{person_id}")


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
    """The association at once, everybody else in batches."""
    key = f"answer-published-{event.request_id}"
    _request, campaign = _read(session, event.request_id)
    _mail_organisation(session, event.request_id, "answer_received", key)
    params = _params(campaign, f"/campaigns/{campaign.slug}/answer")
    services.broadcast(session, event.request_id, "answer_published", params, key=key)


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
    _request, campaign = _read(session, event.request_id)
    commitment = queries.get_commitment(session, event.commitment_id)
    more = {"commitment": commitment.text, "state": event.state}
    _mail_organisation(session, event.request_id, "commitment_moved", key, **more)
    path = f"/campaigns/{campaign.slug}/answer#commitment-{commitment.id}"
    services.broadcast(session, event.request_id, "commitment_moved", _params(campaign, path) | more, key=key)


@subscribe(CommitmentLate)
def tell_late(session: Session, event: CommitmentLate) -> None:
    """The addressee and the association: a day has passed."""
    key = f"commitment-{event.commitment_id}-late"
    commitment = queries.get_commitment(session, event.commitment_id)
    _mail_organisation(session, event.request_id, "commitment_late", key, commitment=commitment.text)
    request, campaign = _read(session, event.request_id)
    params = _params(campaign, f"/answers/desk/{services.desk_token(request)}") | {"commitment": commitment.text}
    queue_mail(session, "commitment_late", request.email, request.locale, params, key)
