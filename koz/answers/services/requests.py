"""Asking: the request, its signed link, the points taken from the consultation, the date, and what time makes due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.answers import queries
from koz.answers.events import (
    AnswerAccepted,
    AnswerDueFixed,
    AnswerOverdue,
    AnswerReminded,
    AnswerRequested,
    DeskLinkWanted,
)
from koz.answers.models import AnswerPoint, AnswerRequest
from koz.answers.states import OPEN_REQUESTS, PointKind, RequestState, Standing, due_date, may_step, standing
from koz.campaigns import queries as campaigns
from koz.campaigns.services import add_timeline
from koz.core.clock import now, today
from koz.core.errors import Conflict, Gone
from koz.core.i18n import _
from koz.core.outbox import record
from koz.core.tokens import sign, unsign

DESK: Final = "answer-desk"
DESK_MAX_AGE_S: Final = 400 * 24 * 3600
"""A link is good for 400 days, so that commitments of a year can be followed; a new one can always be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTaken:
    """A contribution that goes to the addressee, with its votes at this moment. `source_key` names it for good."""

    source_key: str
    kind: PointKind
    title: str
    text: str = ""
    href: str | None = None
    agree: int = 0
    mixed: int = 0
    disagree: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedConsultation:
    """What a consultation hands over at its end: its last day, the published rule, the points that were taken."""

    id: int
    closed_on: date
    answer_days: int
    points: Sequence[PointTaken]


def step(request: AnswerRequest, new: RequestState) -> bool:
    """Move a request whose row is locked. False when it is there already; Conflict when the step does not exist."""
    if request.state is new:
        return False
    if not may_step(request.state, new):
        raise Conflict(_("This answer is no longer at this stage. Reload the page to see where it stands."))
    request.state = new
    return True


def touch_campaign(session: Session, campaign_id: int) -> None:
    """Tell the campaign's page, which is kept by its version, that what it shows has changed."""
    campaigns.lock(session, campaign_id).version += 1


def request_answer(session: Session, campaign_id: int) -> int:
    """Ask the addressee of a campaign, once: the unique campaign decides. Returns the request's id.

    The address is copied: whoever may write for the campaign later cannot lead the link elsewhere.
    """
    campaign = campaigns.get_campaign_by_id(session, campaign_id)
    values = {
        "campaign_id": campaign_id, "email": campaign.addressee_email.strip(), "state": RequestState.ASKED,
        "asked_at": now(), "link_sent_at": now(),
    }  # fmt: skip
    statement = insert(AnswerRequest).values(values).on_conflict_do_nothing(index_elements=["campaign_id"])
    request_id: int | None = session.scalar(statement.returning(AnswerRequest.id))
    if request_id is None:
        found = queries.find_request_of(session, campaign_id)
        assert found is not None, campaign_id
        return found.id
    ask = campaign.ask or campaign.title
    _take(session, request_id, PointTaken(source_key="ask", kind=PointKind.ASK, title=ask), position=0)
    touch_campaign(session, campaign_id)
    add_timeline(
        session, campaign_id, "answer_requested", {}, key="answer_requested",
        href=f"/campaigns/{campaign.slug}/answer",
    )  # fmt: skip
    record(session, AnswerRequested(request_id))
    return request_id


def _take(session: Session, request_id: int, point: PointTaken, *, position: int) -> None:
    values = {
        "request_id": request_id, "source_key": point.source_key, "position": position, "kind": point.kind,
        "title": point.title[:300], "text": point.text, "href": point.href, "agree": point.agree,
        "mixed": point.mixed, "disagree": point.disagree,
    }  # fmt: skip
    session.execute(insert(AnswerPoint).values(values).on_conflict_do_nothing())


def expect_due(
    session: Session, campaign_id: int, consultation_id: int, closes_on: date | None, answer_days: int
) -> None:
    """The consultation is open under a published rule of `answer_days`: tell the last day that follows from it."""
    request = queries.lock(session, request_answer(session, campaign_id))
    if request.closed_on is not None or request.state not in OPEN_REQUESTS:
        return
    request.consultation_id, request.answer_days = consultation_id, answer_days
    request.due_on = None if closes_on is None else due_date(closes_on, answer_days)
    touch_campaign(session, campaign_id)


def fix_due(session: Session, campaign_id: int, consultation: ClosedConsultation) -> bool:
    """The consultation closed: take the points, fix the last day, once. False when that was done before."""
    request = queries.lock(session, request_answer(session, campaign_id))
    if request.closed_on is not None or request.state not in OPEN_REQUESTS:
        return False
    for position, point in enumerate(consultation.points, start=1):
        _take(session, request.id, point, position=position)
    request.consultation_id, request.answer_days = consultation.id, consultation.answer_days
    request.closed_on = consultation.closed_on
    request.due_on = due_date(consultation.closed_on, consultation.answer_days)
    touch_campaign(session, campaign_id)
    _tell(session, request, "answer_requested", {"due_on": request.due_on.isoformat()}, key="answer_due")
    record(session, AnswerDueFixed(request.id))
    return True


def _tell(session: Session, request: AnswerRequest, kind: str, params: dict[str, Any], *, key: str = "") -> None:
    slug = queries.get_slug(session, request.id)
    add_timeline(session, request.campaign_id, kind, params, key=key or kind, href=f"/campaigns/{slug}/answer")


def desk_token(request: AnswerRequest) -> str:
    """The token of the link to the desk: bound to the request and to the version of its links."""
    return sign(DESK, {"r": request.id, "v": request.link_version})


def open_desk(session: Session, token: str, *, for_change: bool = False) -> AnswerRequest:
    """The request of a link, locked `for_change`. Raises NotFound (forged), Gone (expired or made void)."""
    payload = unsign(DESK, token, max_age_s=DESK_MAX_AGE_S)
    request_id = int(payload["r"])
    request = queries.lock(session, request_id) if for_change else queries.get_request(session, request_id)
    if payload["v"] != request.link_version:
        raise Gone(_("This link was replaced by a newer one. Use the link in the latest message, or ask for another."))
    return request


def accept(session: Session, request_id: int) -> bool:
    """The addressee says they will answer by the date. False on a repeat, or when the answer is there already."""
    request = queries.lock(session, request_id)
    if request.state is RequestState.ANSWERED or not step(request, RequestState.ACCEPTED):
        return False
    request.accepted_at = now()
    touch_campaign(session, request.campaign_id)
    _tell(session, request, "answer_accepted", {})
    record(session, AnswerAccepted(request.id))
    return True


def withdraw(session: Session, campaign_id: int) -> bool:
    """The campaign failed: no answer is awaited any more. False when none was, or when it is there already."""
    found = queries.find_request_of(session, campaign_id)
    if found is None:
        return False
    request = queries.lock(session, found.id)
    if request.state is RequestState.ANSWERED or not step(request, RequestState.WITHDRAWN):
        return False
    touch_campaign(session, campaign_id)
    return True


def resend_link(session: Session, request_id: int, *, replace: bool) -> None:
    """Send the link to the desk again, to the address the campaign was reviewed with; `replace` makes older ones void.

    Raises Conflict when there is no address, or nothing is awaited.
    """
    request = queries.lock(session, request_id)
    if request.state is RequestState.WITHDRAWN:
        raise Conflict(_("No answer is awaited any more: the link is not sent."))
    if not request.email:
        raise Conflict(_("This campaign has no address of its addressee. Write to our team to have one added."))
    request.link_version += 1 if replace else 0
    request.link_sends += 1
    request.link_sent_at = now()
    record(session, DeskLinkWanted(request.id, request.link_sends))


def remind(session: Session, request_id: int) -> bool:
    """The last day is near: remind the addressee, once."""
    request = queries.lock(session, request_id)
    if request.reminded_at is not None or request.state not in OPEN_REQUESTS:
        return False
    request.reminded_at = now()
    record(session, AnswerReminded(request.id))
    return True


def tell_overdue(session: Session, request_id: int) -> bool:
    """Record a silence, once. The public sees it from the date alone; this tells the timeline and those concerned."""
    request = queries.lock(session, request_id)
    if request.overdue_told_at is not None:
        return False
    if standing(request.state, request.due_on, today()) is not Standing.OVERDUE:
        return False
    assert request.due_on is not None
    request.overdue_told_at = now()
    touch_campaign(session, request.campaign_id)
    _tell(session, request, "answer_overdue", {"due_on": request.due_on.isoformat()})
    record(session, AnswerOverdue(request.id, request.campaign_id))
    return True
