"""Answering: drafts that lose nothing, one publication for good, dated notes afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.answers import queries
from koz.answers.events import AnswerPublished
from koz.answers.models import AnswerNote, AnswerPoint, AnswerRequest, Commitment
from koz.answers.services.requests import step, touch_campaign
from koz.answers.states import CommitmentState, RequestState, Stance
from koz.campaigns import queries as campaigns
from koz.campaigns import services as campaign_services
from koz.campaigns.services import add_timeline
from koz.campaigns.states import CampaignState
from koz.core.clock import now, today
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.markdown import render_markdown
from koz.core.outbox import record


@dataclass(frozen=True, slots=True)
class PointDraft:
    """What is said to one point so far."""

    stance: Stance | None
    reasons_md: str


@dataclass(frozen=True, slots=True)
class CommitmentDraft:
    """A commitment as typed so far; parts may be missing until the answer is published."""

    text: str
    owner: str
    due_on: date | None
    proof_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The whole answer as typed. `version` is the draft's number when its page was opened."""

    version: int
    signed_name: str
    signed_function: str
    points: Mapping[int, PointDraft]
    commitments: Sequence[CommitmentDraft] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps an answer from being published, with the part of the page where it is mended."""

    sentence: str
    anchor: str


def save_draft(session: Session, request_id: int, draft: Draft) -> int:
    """Keep what was typed. Returns the draft's new number.

    Raises Conflict when somebody else with the link saved meanwhile (the page keeps what was typed), or when the
    answer is public.
    """
    request = queries.lock(session, request_id)
    _check_open(request)
    if draft.version != request.draft_version:
        raise Conflict(
            _("Somebody else saved this answer meanwhile. Your text is kept below: compare, then save again.")
        )
    for point in queries.list_points(session, request_id):
        said = draft.points.get(point.id)
        if said is not None:
            point.stance, point.reasons_md = said.stance, said.reasons_md
            point.reasons_html = render_markdown(said.reasons_md) if said.reasons_md else ""
    request.signed_name, request.signed_function = draft.signed_name, draft.signed_function
    _save_commitments(session, request_id, draft.commitments)
    request.draft_version += 1
    request.drafted_at = now()
    return request.draft_version


def _check_open(request: AnswerRequest) -> None:
    if request.state is RequestState.ANSWERED:
        raise Conflict(_("This answer is published and cannot be changed. Add a dated note instead."))
    if request.state is RequestState.WITHDRAWN:
        raise Conflict(_("No answer is awaited any more: the campaign ended without its minimum."))


def _save_commitments(session: Session, request_id: int, typed: Sequence[CommitmentDraft]) -> None:
    session.execute(delete(Commitment).where(Commitment.request_id == request_id))
    rows = [
        {
            "request_id": request_id, "position": position, "text": one.text, "owner": one.owner,
            "due_on": one.due_on, "proof_url": one.proof_url, "state": CommitmentState.ANNOUNCED,
        }
        for position, one in enumerate(typed, start=1)
    ]  # fmt: skip
    if rows:
        session.execute(insert(Commitment).values(rows))


def find_problems(
    request: AnswerRequest, points: Sequence[AnswerPoint], commitments: Sequence[Commitment]
) -> list[Problem]:
    """What is still missing before the answer can be published; empty when nothing is."""
    found = []
    if request.closed_on is None:
        found.append(Problem(_("The consultation is not over: its points are not known yet."), "points"))
    for number, point in enumerate(points, start=1):
        if point.stance is None:
            found.append(Problem(_("Point %(n)s: choose an answer, or “no answer”.", n=number), f"point-{point.id}"))
        elif point.stance is not Stance.NO_ANSWER and not point.reasons_md.strip():
            found.append(Problem(_("Point %(n)s: give your reasons.", n=number), f"point-{point.id}"))
    for number, one in enumerate(commitments, start=1):
        if not one.text or not one.owner or one.due_on is None:
            sentence = _("Commitment %(n)s: say what, who and by when.", n=number)
            found.append(Problem(sentence, f"commitment-{number}"))
        elif one.due_on < today():
            found.append(Problem(_("Commitment %(n)s: its date lies in the past.", n=number), f"commitment-{number}"))
    if not request.signed_name or not request.signed_function:
        found.append(Problem(_("Say who answers: name and function."), "signature"))
    return found


def publish(session: Session, request_id: int) -> bool:
    """Make the answer public, for good. False when it is already: the row's lock decides between two presses.

    Moves the campaign from consulting to answered; an answer that comes after the campaign was closed is published
    all the same. Raises Invalid (something is missing), Conflict.
    """
    request = queries.lock(session, request_id)
    if request.state is RequestState.ANSWERED:
        return False
    _check_open(request)
    points = queries.list_points(session, request_id)
    problems = find_problems(request, points, queries.list_commitments(session, request_id))
    if problems:
        raise Invalid(problems[0].sentence)
    step(request, RequestState.ANSWERED)
    request.published_at = now()
    session.flush()
    campaign = campaigns.lock(session, request.campaign_id)
    if campaign.state is not CampaignState.CLOSED:
        campaign_services.step(campaign, CampaignState.ANSWERED)
    campaign.version += 1
    add_timeline(
        session, campaign.id, "answer_published", {}, key="answer_published",
        href=f"/campaigns/{campaign.slug}/answer",
    )  # fmt: skip
    record(session, AnswerPublished(request.id, campaign.id))
    return True


def add_note(session: Session, request_id: int, body_md: str) -> int:
    """Add a dated note to a published answer. Returns its id. Raises Conflict before publication."""
    request = queries.lock(session, request_id)
    if request.state is not RequestState.ANSWERED:
        raise Conflict(_("The answer is not published yet: change the draft instead."))
    note = AnswerNote(request_id=request_id, body_md=body_md, body_html=render_markdown(body_md))
    session.add(note)
    session.flush()
    touch_campaign(session, request.campaign_id)
    slug = queries.get_slug(session, request_id)
    add_timeline(
        session, request.campaign_id, "answer_noted", {}, key=f"answer_noted-{note.id}",
        href=f"/campaigns/{slug}/answer#note-{note.id}",
    )  # fmt: skip
    return note.id
