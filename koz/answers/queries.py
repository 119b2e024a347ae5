"""Reads of answers: the public register, one campaign's request, the official's desk, what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, load_only

from koz.accounts.models import Organisation, Person
from koz.answers.models import AnswerMute, AnswerNote, AnswerPoint, AnswerRequest, Commitment, CommitmentChange
from koz.answers.states import (
    OPEN_COMMITMENTS,
    OPEN_REQUESTS,
    REMIND_DAYS,
    Progress,
    RequestState,
    Standing,
    progress,
    standing,
)
from koz.campaigns.models import Campaign, CampaignFollower
from koz.campaigns.states import PUBLIC
from koz.consultations.models import Consultation
from koz.consultations.queries import participant_ids
from koz.core.clock import PARIS, today
from koz.core.errors import NotFound
from koz.core.i18n import _

REGISTER_FILTERS = ("all", "answered", "waiting", "overdue")


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the register. `days`: answered in, or silent for, so many; None while neither can be said."""

    id: int
    campaign_id: int
    campaign_slug: str
    campaign_title: str
    ask: str
    addressee_name: str
    addressee_body: str
    organisation_slug: str
    organisation_name: str
    standing: Standing
    asked_on: date
    accepted_on: date | None
    due_on: date | None
    closed_on: date | None
    published_at: datetime | None
    answer_days: int
    days: int | None

    @property
    def days_left(self) -> int | None:
        """Whole days until the last one; None without a date or after it."""
        if self.standing is not Standing.WAITING or self.due_on is None:
            return None
        return (self.due_on - today()).days


@dataclass(frozen=True, slots=True)
class CommitmentView:
    """A commitment as the public reads it, with its story, latest first."""

    id: int
    text: str
    owner: str
    due_on: date
    proof_url: str
    progress: Progress
    changes: Sequence[CommitmentChange]


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """All that the answer page shows. Points hold answers, and commitments are there, only once published."""

    summary: Summary
    signed_name: str
    signed_function: str
    address_domain: str
    consultation_slug: str | None
    points: Sequence[AnswerPoint]
    notes: Sequence[AnswerNote]
    commitments: Sequence[CommitmentView]


@dataclass(frozen=True, slots=True)
class Figures:
    """Answers obtained of answers due (answered, or the last day is over); commitments kept of commitments made."""

    obtained: int
    due: int
    commitments: int
    kept: int


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(PARIS).date()


def _summary(request: AnswerRequest, campaign: Campaign, slug: str, name: str, day: date) -> Summary:
    """The line of a request; `slug` and `name` are its organisation's."""
    stands = standing(request.state, request.due_on, day)
    asked_on, published_on = _day(request.asked_at), _day(request.published_at)
    assert asked_on is not None
    days = None
    if published_on is not None:
        days = max(0, (published_on - (request.closed_on or asked_on)).days)
    elif stands is Standing.OVERDUE and request.due_on is not None:
        days = (day - request.due_on).days
    return Summary(
        id=request.id,
        campaign_id=campaign.id,
        campaign_slug=campaign.slug,
        campaign_title=campaign.title,
        ask=campaign.ask,
        addressee_name=campaign.addressee_name,
        addressee_body=campaign.addressee_body,
        organisation_slug=slug,
        organisation_name=name,
        standing=stands,
        asked_on=asked_on,
        accepted_on=_day(request.accepted_at),
        due_on=request.due_on,
        closed_on=request.closed_on,
        published_at=request.published_at,
        answer_days=request.answer_days,
        days=days,
    )


def _public() -> Select[AnswerRequest, Campaign, str, str]:
    return (
        select(AnswerRequest, Campaign, Organisation.slug, Organisation.name)
        .join(Campaign, Campaign.id == AnswerRequest.campaign_id)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
        .where(Campaign.state.in_(PUBLIC))
    )


def _stands_as(word: str, day: date) -> ColumnElement[bool]:
    """The register's filters, in SQL: the same rule as `states.standing`."""
    still_open = AnswerRequest.state.in_(OPEN_REQUESTS)
    if word == "answered":
        return AnswerRequest.state == RequestState.ANSWERED
    if word == "overdue":
        return and_(still_open, AnswerRequest.due_on < day)
    assert word == "waiting", word
    return and_(still_open, or_(AnswerRequest.due_on.is_(None), AnswerRequest.due_on >= day))


def list_register(
    session: Session, *, filter_by: str = "all", before: int | None = None, limit: int = 26
) -> Sequence[Summary]:
    """The public register, latest first; `before` is the last id of the page before. Filters: REGISTER_FILTERS."""
    day, query = today(), _public().where(AnswerRequest.state != RequestState.WITHDRAWN)
    if filter_by != "all":
        query = query.where(_stands_as(filter_by, day))
    if before is not None:
        query = query.where(AnswerRequest.id < before)
    rows = session.execute(query.order_by(AnswerRequest.id.desc()).limit(limit)).all()
    return [_summary(*row, day) for row in rows]


def count_register(session: Session) -> dict[str, int]:
    """How many lines each filter of the register shows."""
    day = today()
    row = session.execute(
        select(
            func.count(),
            *(func.count().filter(_stands_as(word, day)) for word in REGISTER_FILTERS[1:]),
        )
        .select_from(AnswerRequest)
        .join(Campaign, Campaign.id == AnswerRequest.campaign_id)
        .where(Campaign.state.in_(PUBLIC), AnswerRequest.state != RequestState.WITHDRAWN)
    ).one()
    return dict(zip(REGISTER_FILTERS, row, strict=True))


def find_for_campaign(session: Session, campaign_id: int) -> Summary | None:
    """The line of one campaign, for its page; None before it was live."""
    found = list_for_campaigns(session, [campaign_id])
    return found.get(campaign_id)


def of_summary() -> Any:
    """Option of a statement: read of a request only what its line needs."""
    return load_only(
        AnswerRequest.campaign_id,
        AnswerRequest.state,
        AnswerRequest.asked_at,
        AnswerRequest.accepted_at,
        AnswerRequest.due_on,
        AnswerRequest.closed_on,
        AnswerRequest.published_at,
        AnswerRequest.answer_days,
    )


def summary_on_page(request: AnswerRequest, campaign: Campaign, slug: str, name: str) -> Summary:
    """The line of one campaign, for a page that has read the request and the organisation's slug and name already."""
    return _summary(request, campaign, slug, name, today())


def list_for_campaigns(session: Session, campaign_ids: Sequence[int]) -> dict[int, Summary]:
    """The lines of some campaigns by campaign id: one statement."""
    day = today()
    rows = session.execute(_public().where(AnswerRequest.campaign_id.in_(campaign_ids))).all()
    return {row[1].id: _summary(*row, day) for row in rows}


def figures(session: Session) -> Figures:
    """What the register adds up to, for the home page: two statements."""
    day = today()
    of_public = select(AnswerRequest.id).join(Campaign).where(Campaign.state.in_(PUBLIC))
    obtained, overdue = session.execute(
        select(
            func.count().filter(_stands_as("answered", day)),
            func.count().filter(_stands_as("overdue", day)),
        ).where(AnswerRequest.id.in_(of_public))
    ).one()
    answered = of_public.where(AnswerRequest.state == RequestState.ANSWERED)
    made, kept = session.execute(
        select(func.count(), func.count().filter(Commitment.state == "kept")).where(Commitment.request_id.in_(answered))
    ).one()
    return Figures(obtained, obtained + overdue, made, kept)


def get_request(session: Session, request_id: int) -> AnswerRequest:
    """The request. Raises NotFound."""
    request = session.get(AnswerRequest, request_id, populate_existing=True)
    if request is None:
        raise NotFound(_("This request for an answer does not exist."))
    return request


def find_request_of(session: Session, campaign_id: int) -> AnswerRequest | None:
    """The request that a campaign made."""
    return session.scalar(select(AnswerRequest).where(AnswerRequest.campaign_id == campaign_id))


def lock(session: Session, request_id: int) -> AnswerRequest:
    """The request's row, locked until the end of the transaction and freshly read. Raises NotFound."""
    request = session.scalar(
        select(AnswerRequest)
        .where(AnswerRequest.id == request_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound(_("This request for an answer does not exist."))
    return request


def list_points(session: Session, request_id: int) -> Sequence[AnswerPoint]:
    """Points in their order: the ask, the most supported, the minority position. At most a dozen."""
    query = select(AnswerPoint).where(AnswerPoint.request_id == request_id)
    return session.scalars(query.order_by(AnswerPoint.position, AnswerPoint.id).limit(50)).all()


def list_commitments(session: Session, request_id: int) -> Sequence[Commitment]:
    """Commitments in their order, drafts included: only for the desk, or once the answer is public."""
    query = select(Commitment).where(Commitment.request_id == request_id)
    return session.scalars(query.order_by(Commitment.position).limit(50)).all()


def list_notes(session: Session, request_id: int) -> Sequence[AnswerNote]:
    """Notes, oldest first."""
    query = select(AnswerNote).where(AnswerNote.request_id == request_id)
    return session.scalars(query.order_by(AnswerNote.id).limit(200)).all()


def get_commitment(session: Session, commitment_id: int) -> Commitment:
    """One commitment. Raises NotFound."""
    commitment = session.get(Commitment, commitment_id)
    if commitment is None:
        raise NotFound(_("This commitment does not exist."))
    return commitment


def get_change(session: Session, request_id: int, change_id: int) -> tuple[CommitmentChange, Commitment]:
    """An entry in the story of one of a request's commitments, and the commitment. Raises NotFound."""
    row = session.execute(
        select(CommitmentChange, Commitment)
        .join(Commitment, Commitment.id == CommitmentChange.commitment_id)
        .where(CommitmentChange.id == change_id, Commitment.request_id == request_id)
    ).first()
    if row is None:
        raise NotFound(_("This commitment does not exist."))
    return row[0], row[1]


def lock_commitment(session: Session, request_id: int, commitment_id: int) -> Commitment:
    """A commitment of a request, locked and freshly read. Raises NotFound, also when it is another request's."""
    commitment = session.scalar(
        select(Commitment)
        .where(Commitment.id == commitment_id, Commitment.request_id == request_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if commitment is None:
        raise NotFound(_("This commitment does not exist."))
    return commitment


def view_commitments(session: Session, request_ids: Sequence[int]) -> dict[int, list[CommitmentView]]:
    """Commitments of some published requests with their stories, by request id: two statements."""
    rows = session.scalars(
        select(Commitment)
        .where(Commitment.request_id.in_(request_ids))
        .order_by(Commitment.request_id, Commitment.position)
    ).all()
    stories: dict[int, list[CommitmentChange]] = {}
    if rows:
        changes = select(CommitmentChange).where(CommitmentChange.commitment_id.in_([row.id for row in rows]))
        for change in session.scalars(changes.order_by(CommitmentChange.id.desc()).limit(2000)):
            stories.setdefault(change.commitment_id, []).append(change)
    day, found = today(), dict[int, list[CommitmentView]]()
    for row in rows:
        assert row.due_on is not None, row.id
        found.setdefault(row.request_id, []).append(
            CommitmentView(
                id=row.id,
                text=row.text,
                owner=row.owner,
                due_on=row.due_on,
                proof_url=row.proof_url,
                progress=progress(row.state, row.due_on, day),
                changes=stories.get(row.id, []),
            )
        )
    return found


def get_public_answer(session: Session, slug: str) -> PublicAnswer:
    """What is public of a campaign's request: at most five statements. Raises NotFound."""
    query = _public().add_columns(Consultation.slug)
    query = query.outerjoin(Consultation, Consultation.id == AnswerRequest.consultation_id)
    row = session.execute(query.where(Campaign.slug == slug)).first()
    if row is None:
        raise NotFound(_("This campaign does not exist, or has not asked anybody yet. See the register of answers."))
    request, campaign, organisation_slug, organisation_name, consultation_slug = row
    notes: Sequence[AnswerNote] = []
    commitments: Sequence[CommitmentView] = []
    if request.state is RequestState.ANSWERED:
        notes = list_notes(session, request.id)
        commitments = view_commitments(session, [request.id]).get(request.id, [])
    return PublicAnswer(
        summary=_summary(request, campaign, organisation_slug, organisation_name, today()),
        signed_name=request.signed_name,
        signed_function=request.signed_function,
        address_domain=request.email.rpartition("@")[2],
        consultation_slug=consultation_slug,
        points=list_points(session, request.id),
        notes=notes,
        commitments=commitments,
    )


def get_slug(session: Session, request_id: int) -> str:
    """Address part of the campaign that asks. Raises NotFound."""
    slug = session.scalar(
        select(Campaign.slug)
        .join(AnswerRequest, AnswerRequest.campaign_id == Campaign.id)
        .where(AnswerRequest.id == request_id)
    )
    if slug is None:
        raise NotFound(_("This request for an answer does not exist."))
    return slug


def list_overdue_untold(session: Session, day: date, limit: int = 200) -> Sequence[int]:
    """Ids of public requests whose last day lies before `day` and whose silence was not recorded yet."""
    query = (
        select(AnswerRequest.id)
        .join(Campaign, Campaign.id == AnswerRequest.campaign_id)
        .where(
            Campaign.state.in_(PUBLIC),
            AnswerRequest.state.in_(OPEN_REQUESTS),
            AnswerRequest.due_on < day,
            AnswerRequest.overdue_told_at.is_(None),
        )
    )
    return session.scalars(query.order_by(AnswerRequest.id).limit(limit)).all()


def list_to_remind(session: Session, day: date, limit: int = 200) -> Sequence[int]:
    """Ids of requests that are due within the next days and whose addressee was not reminded yet."""
    query = (
        select(AnswerRequest.id)
        .join(Campaign, Campaign.id == AnswerRequest.campaign_id)
        .where(
            Campaign.state.in_(PUBLIC),
            AnswerRequest.state.in_(OPEN_REQUESTS),
            AnswerRequest.closed_on.is_not(None),
            AnswerRequest.due_on.between(day, day + timedelta(days=REMIND_DAYS)),
            AnswerRequest.reminded_at.is_(None),
        )
    )
    return session.scalars(query.order_by(AnswerRequest.id).limit(limit)).all()


def list_late_untold(session: Session, day: date, limit: int = 200) -> Sequence[tuple[int, int]]:
    """(request id, commitment id) of public commitments whose day lies before `day` and was not recorded yet."""
    query = (
        select(Commitment.request_id, Commitment.id)
        .join(AnswerRequest, AnswerRequest.id == Commitment.request_id)
        .where(
            AnswerRequest.state == RequestState.ANSWERED,
            Commitment.state.in_(OPEN_COMMITMENTS),
            Commitment.due_on < day,
            Commitment.late_told_at.is_(None),
        )
    )
    return [(row[0], row[1]) for row in session.execute(query.order_by(Commitment.id).limit(limit))]


@dataclass(frozen=True, slots=True)
class Participant:
    """What is needed to write to one participant."""

    person_id: int
    email: str
    locale: str


def list_participants(
    session: Session, campaign_id: int, after: int, limit: int
) -> tuple[Sequence[Participant], int | None]:
    """Some people who took part in a campaign's consultation and are to be told, and the id after which to go on.

    Left out: unproved addresses, those who want to hear no more, and followers of the campaign, who are told as such.
    The second value is None when there are no more.
    """
    consultation_id = session.scalar(
        select(AnswerRequest.consultation_id).where(AnswerRequest.campaign_id == campaign_id)
    )
    if consultation_id is None:
        return [], None
    ids = participant_ids(session, consultation_id, after, limit)
    follows = exists().where(
        CampaignFollower.campaign_id == campaign_id,
        CampaignFollower.email == Person.email,
        CampaignFollower.confirmed_at.is_not(None),
    )
    muted = exists().where(AnswerMute.campaign_id == campaign_id, AnswerMute.person_id == Person.id)
    rows = session.execute(
        select(Person.id, Person.email, Person.locale)
        .where(Person.id.in_(ids), Person.email.is_not(None), Person.email_verified_at.is_not(None))
        .where(~follows, ~muted)
        .order_by(Person.id)
    ).all()
    return [Participant(row[0], row[1] or "", row[2]) for row in rows], ids[-1] if len(ids) == limit else None
