"""What professionals keep: the log of their hours, certificates, all they were ever asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from koz.accounts.models import Organisation, Person
from koz.campaigns.models import Campaign
from koz.core.clock import now, today
from koz.matching.certificate import SHORT
from koz.matching.models import Certificate, Engagement, Proposal, TimeEntry
from koz.matching.states import EngagementState, ProposalState, Side
from koz.skills.models.offers import Mission, Profile
from koz.skills.permissions import HELPED
from koz.skills.states import MissionState


def list_log(session: Session, engagement_id: int, limit: int = 400) -> Sequence[TimeEntry]:
    """The days of an engagement, the first first."""
    query = select(TimeEntry).where(TimeEntry.engagement_id == engagement_id)
    return session.scalars(query.order_by(TimeEntry.worked_on, TimeEntry.id).limit(limit)).all()


def list_logs(session: Session, engagement_ids: Collection[int]) -> dict[int, list[TimeEntry]]:
    """The logs of some engagements, each in the order of its days: one statement."""
    found: dict[int, list[TimeEntry]] = {i: [] for i in engagement_ids}
    query = select(TimeEntry).where(TimeEntry.engagement_id.in_(found)).order_by(TimeEntry.worked_on, TimeEntry.id)
    for entry in session.scalars(query):
        found[entry.engagement_id].append(entry)
    return found


def find_certificate(session: Session, engagement_id: int) -> Certificate | None:
    """The certificate of an engagement that is valid."""
    query = select(Certificate).where(Certificate.engagement_id == engagement_id, Certificate.revoked_at.is_(None))
    return session.scalar(query)


def find_by_code(session: Session, code: str) -> Certificate | None:
    """The certificate whose fingerprint is `code` or begins with it (`certificate.read_code`), revoked or not."""
    assert len(code) >= SHORT
    # hexadecimal digits are all below "g": a range, so that the index serves whatever the database's collation
    query = select(Certificate).where(Certificate.fingerprint >= code, Certificate.fingerprint < code + "g")
    found = session.scalars(query.limit(2)).all()
    return found[0] if len(found) == 1 else None


def list_certificates(session: Session, person_id: int, limit: int = 1000) -> Sequence[Certificate]:
    """All certificates of a person, the latest first."""
    query = select(Certificate).join(Engagement, Engagement.id == Certificate.engagement_id)
    query = query.where(Engagement.person_id == person_id)
    return session.scalars(query.order_by(Certificate.id.desc()).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that was once proposed to a professional or by them, and what became of it."""

    proposal: Proposal
    mission: Mission
    organisation: str
    engagement: Engagement | None
    certified: bool


def list_history(session: Session, person_id: int, before: int | None = None, limit: int = 21) -> list[HistoryRow]:
    """All proposals of a person, the latest first; `before` is the last id of the page before."""
    query = (
        select(Proposal, Mission, Organisation.name, Engagement, Certificate.id.is_not(None))
        .join(Mission, Mission.id == Proposal.mission_id)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
        .outerjoin(Engagement, Engagement.proposal_id == Proposal.id)
        .outerjoin(Certificate, and_(Certificate.engagement_id == Engagement.id, Certificate.revoked_at.is_(None)))
        .where(Proposal.person_id == person_id)
    )
    if before is not None:
        query = query.where(Proposal.id < before)
    return [HistoryRow(*row) for row in session.execute(query.order_by(Proposal.id.desc()).limit(limit))]


def count_history(session: Session, person_id: int) -> int:
    """How many proposals a person ever had."""
    return session.scalar(select(func.count()).where(Proposal.person_id == person_id)) or 0


def sum_hours_of(session: Session, person_id: int) -> int:
    """Hours of one professional that organisations have confirmed."""
    query = select(func.coalesce(func.sum(Engagement.hours_given), 0)).where(Engagement.person_id == person_id)
    return int(session.scalar(query.where(Engagement.state == EngagementState.CLOSED)) or 0)


def list_to_remind(session: Session, asked_before: timedelta, limit: int = 200) -> Sequence[int]:
    """Invitations asked longer ago than `asked_before`, unanswered, of which nobody was reminded yet.

    Those on a pause are left alone, as are missions that take nobody any more. The oldest first.
    """
    query = (
        select(Proposal.id)
        .join(Mission, Mission.id == Proposal.mission_id)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .join(Person, Person.id == Proposal.person_id)
        .join(Profile, Profile.person_id == Proposal.person_id)
        .where(
            Proposal.state == ProposalState.PROPOSED,
            Proposal.made_by == Side.ORGANISATION,
            Proposal.invited_at < now() - asked_before,
            or_(Proposal.reminded_at.is_(None), Proposal.reminded_at < Proposal.invited_at),
            Person.erased_at.is_(None),
            Profile.paused.is_(False),
            func.coalesce(Profile.quiet_until <= today(), True),
            Mission.state == MissionState.OPEN,
            Campaign.state.in_(HELPED),
        )
    )
    return session.scalars(query.order_by(Proposal.invited_at, Proposal.id).limit(limit)).all()


def engagement_ids_of(session: Session, person_id: int) -> Collection[int]:
    """Ids of a person's engagements."""
    return session.scalars(select(Engagement.id).where(Engagement.person_id == person_id)).all()
