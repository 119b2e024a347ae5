"""Reads that only the API makes: what belongs to several campaigns at once, and the addresses of the sitemap.

The number of statements does not depend on how many rows a page holds.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from koz.accounts.models import Organisation
from koz.answers.models import AnswerPoint
from koz.campaigns.models import BudgetLine, Campaign
from koz.campaigns.states import PUBLIC
from koz.consultations.models import Consultation
from koz.consultations.states import PUBLIC as PUBLIC_CONSULTATIONS
from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.notifications.models import Mail, MailState
from koz.payments.models import Gift, InboxEvent
from koz.payments.states import InboxState
from koz.skills.models.concepts import SkillConcept
from koz.skills.models.offers import Mission, MissionNeed
from koz.skills.states import PUBLIC_MISSIONS, MissionState

MOST_ADDRESSES = 20_000


def list_organisations(session: Session, ids: Sequence[int]) -> dict[int, Organisation]:
    """Organisations by id."""
    return {o.id: o for o in session.scalars(select(Organisation).where(Organisation.id.in_(ids)))}


def get_public_organisation(session: Session, slug: str) -> Organisation:
    """The organisation of an address. Raises NotFound."""
    organisation = session.scalar(select(Organisation).where(Organisation.slug == slug))
    if organisation is None:
        raise NotFound(_("This organisation does not exist."))
    return organisation


def list_lines_of(session: Session, campaign_ids: Sequence[int]) -> Sequence[BudgetLine]:
    """Budget lines of some campaigns, in their order."""
    query = select(BudgetLine).where(BudgetLine.campaign_id.in_(campaign_ids))
    return session.scalars(query.order_by(BudgetLine.campaign_id, BudgetLine.position, BudgetLine.id)).all()


def list_consultation_slugs(session: Session, campaign_ids: Sequence[int]) -> dict[int, str]:
    """Addresses of the public consultations of some campaigns, by campaign id."""
    rows = session.execute(
        select(Consultation.campaign_id, Consultation.slug).where(
            Consultation.campaign_id.in_(campaign_ids), Consultation.state.in_(PUBLIC_CONSULTATIONS)
        )
    )
    return {campaign_id: slug for campaign_id, slug in rows if campaign_id is not None}


def list_missions_of(session: Session, campaign_ids: Sequence[int]) -> Sequence[Mission]:
    """Public missions of some campaigns, in the order in which they were made."""
    query = select(Mission).where(Mission.campaign_id.in_(campaign_ids), Mission.state.in_(PUBLIC_MISSIONS))
    return session.scalars(query.order_by(Mission.campaign_id, Mission.id)).all()


def list_open_missions(session: Session, before: int | None, limit: int) -> Sequence[tuple[Mission, str]]:
    """Open missions of public campaigns with their campaign's slug, latest first."""
    query = (
        select(Mission, Campaign.slug)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .where(Mission.state == MissionState.OPEN, Campaign.state.in_(PUBLIC))
    )
    if before is not None:
        query = query.where(Mission.id < before)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Mission.id.desc()).limit(limit))]


def list_needs_of(session: Session, mission_ids: Sequence[int]) -> Sequence[tuple[MissionNeed, SkillConcept]]:
    """What some missions need, the musts first."""
    rows = session.execute(
        select(MissionNeed, SkillConcept)
        .join(SkillConcept, SkillConcept.id == MissionNeed.concept_id)
        .where(MissionNeed.mission_id.in_(mission_ids))
        .order_by(MissionNeed.mission_id, MissionNeed.must.desc(), MissionNeed.concept_id)
    )
    return [(row[0], row[1]) for row in rows]


def list_points_of(session: Session, request_ids: Sequence[int]) -> Sequence[AnswerPoint]:
    """Points of some requests for an answer, in their order."""
    query = select(AnswerPoint).where(AnswerPoint.request_id.in_(request_ids))
    return session.scalars(query.order_by(AnswerPoint.request_id, AnswerPoint.position, AnswerPoint.id)).all()


def list_campaign_slugs(session: Session, consultation_ids: Sequence[int]) -> dict[int, str]:
    """Slugs of the public campaigns that some consultations belong to, by consultation id."""
    rows = session.execute(
        select(Consultation.id, Campaign.slug)
        .join(Campaign, Campaign.id == Consultation.campaign_id)
        .where(Consultation.id.in_(consultation_ids), Campaign.state.in_(PUBLIC))
    )
    return {row[0]: row[1] for row in rows}


def list_campaign_addresses(session: Session) -> Sequence[tuple[str, datetime | None]]:
    """(slug, when it went live) of public campaigns, the latest MOST_ADDRESSES."""
    query = select(Campaign.slug, Campaign.live_at).where(Campaign.state.in_(PUBLIC))
    return [(row[0], row[1]) for row in session.execute(query.order_by(Campaign.id.desc()).limit(MOST_ADDRESSES))]


def list_consultation_addresses(session: Session) -> Sequence[str]:
    """Slugs of public consultations, the latest MOST_ADDRESSES."""
    query = select(Consultation.slug).where(Consultation.state.in_(PUBLIC_CONSULTATIONS))
    return session.scalars(query.order_by(Consultation.id.desc()).limit(MOST_ADDRESSES)).all()


def count_inbox(session: Session) -> dict[str, int]:
    """Provider events that wait or were given up, by state."""
    states = (InboxState.WAITING, InboxState.DEAD)
    rows = session.execute(
        select(InboxEvent.state, func.count()).where(InboxEvent.state.in_(states)).group_by(InboxEvent.state)
    )
    return {state.value: 0 for state in states} | {row[0].value: row[1] for row in rows}


def count_mails(session: Session) -> dict[str, int]:
    """Mails that wait, were refused, or may or may not have gone out, by state."""
    states = (MailState.WAITING, MailState.REFUSED, MailState.UNKNOWN)
    rows = session.execute(select(Mail.state, func.count()).where(Mail.state.in_(states)).group_by(Mail.state))
    return {state.value: 0 for state in states} | {row[0].value: row[1] for row in rows}


def count_gifts(session: Session) -> dict[str, int]:
    """Gifts by state."""
    rows = session.execute(select(Gift.state, func.count()).group_by(Gift.state))
    return {row[0].value: row[1] for row in rows}
